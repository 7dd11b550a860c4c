/*
 * curl.c - finding libcurl and its functions.
 */
#include "config.h"

#include "io/curl.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

struct io_curl io_curl;

/* With OpenSSL, or with GnuTLS if there is no other: its interface is the same. */
static const char *const names[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define FUNCTION(name) { "curl_" #name, offsetof(struct io_curl, name) },
#include "io/curl.def"
#undef FUNCTION
};

static bool find_functions(void *library, struct io_curl *found)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *address = dlsym(library, functions[i].name);

        if (address == NULL)
            return false;
        memcpy((char *)found + functions[i].offset, &address, sizeof address);
    }
    return true;
}

static bool load(const char *name)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    struct io_curl found;

    if (library == NULL)
        return false;
    if (!find_functions(library, &found) || found.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        dlclose(library);
        return false;
    }
    io_curl = found; /* it stays loaded to the end */
    return true;
}

bool io_curl_load(char *text, size_t size)
{
    const char *reason;

    if (io_curl.easy_init != NULL)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (load(names[i]))
            return true;
    reason = dlerror();
    snprintf(text, size, "libcurl cannot be loaded: %s", reason != NULL ? reason : "it does not start");
    return false;
}
