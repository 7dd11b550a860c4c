/* fuzz_conf.c - any text as nostosd.conf: either a snapshot or at least one error, nothing leaks, nothing crashes. */
#include "config.h"

#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    struct conf_errors errors = CONF_ERRORS_INIT;
    struct conf *conf = NULL;
    long live = nb_alloc_live();
    char *text;
    int r;

    if (memchr(bytes, '\0', length) != NULL || !nb_utf8_valid((const char *)bytes, length))
        return 0; /* files like that never get so far */
    text = nb_strndup((const char *)bytes, length);
    if (text == NULL)
        return 0;
    r = conf_load_text("fuzz", text, &conf, &errors);
    nb_assert((r == 0) == (conf != NULL));
    nb_assert((r == 0) == (errors.count == 0));
    conf_unref(conf);
    conf_errors_done(&errors);
    nb_free(text);
    nb_assert(nb_alloc_live() == live);
    return 0;
}
