/*
 * reference.c - writes the reference manual: one page per namespace of natives and per module of the library, and an
 * index, all of it made from what the library says of itself.
 *
 *     reference FOLDER     write the pages
 *     reference --check    write nothing; name what is not documented, and fail if there is anything
 *
 * Natives bring name, type and documentation (vm/native.h), modules have it in their comments (lang/library_text.h).
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "lang/library_text.h"
#include "lib/lib.h"
#include "server/http_native.h"
#include "vm/init.h"
#include "vm/native.h"

enum { NAME_MAX_BYTES = 128, PAGES_MAX = 256 };

static const char *folder;  /* NULL: only checking */
static unsigned undocumented;

static FILE *open_page(const char *name)
{
    struct nb_buf path = NB_BUF_INIT;
    FILE *page;

    nb_buf_printf(&path, "%s/%s.md", folder == NULL ? "" : folder, name);
    page = fopen(folder == NULL ? "/dev/null" : nb_buf_cstr(&path), "w");
    if (page == NULL) {
        fprintf(stderr, "reference: %s: %s\n", nb_buf_cstr(&path), strerror(errno));
        exit(EXIT_FAILURE);
    }
    nb_buf_done(&path);
    return page;
}

static void close_page(FILE *page)
{
    if (fclose(page) != 0) {
        perror("reference");
        exit(EXIT_FAILURE);
    }
}

static void not_documented(const char *where, const char *name, size_t length)
{
    printf("%s: %.*s\n", where, (int)length, name);
    undocumented++;
}

/* ---- natives ---- */

/* "String" of "String.trim"; "global" for names without a dot. */
static const char *namespace_of(const struct vm_native *native, char name[NAME_MAX_BYTES])
{
    const char *dot = strchr(native->name, '.');

    snprintf(name, NAME_MAX_BYTES, "%.*s", dot == NULL ? 6 : (int)(dot - native->name),
             dot == NULL ? "global" : native->name);
    return name;
}

static void write_native(FILE *page, const struct vm_native *native)
{
    fprintf(page, "## %s\n\n```\n%s: %s\n```\n\n%s%s%s\n\n", native->name, native->name, native->type, native->doc,
            (native->flags & VM_NATIVE_PURE) != 0 ? " *Pure.*" : "",
            (native->flags & VM_NATIVE_PARKS) != 0 ? " *May wait.*" : "");
    if (native->doc[0] == '\0')
        not_documented("natives", native->name, strlen(native->name));
}

static unsigned write_namespace(const char *namespace)
{
    char name[NAME_MAX_BYTES];
    const struct vm_native *native;
    FILE *page = open_page(namespace);
    unsigned count = 0;

    fprintf(page, "# %s\n\n", strcmp(namespace, "global") == 0 ? "Functions that are always visible" : namespace);
    for (unsigned i = 0; (native = vm_native_at(i)) != NULL; i++)
        if ((native->flags & VM_NATIVE_HIDDEN) == 0 && strcmp(namespace_of(native, name), namespace) == 0) {
            write_native(page, native);
            count++;
        }
    close_page(page);
    return count;
}

static int compare_names(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void write_natives(FILE *index)
{
    static char *pages[PAGES_MAX];
    char name[NAME_MAX_BYTES];
    const struct vm_native *native;
    size_t count = 0, k;

    for (unsigned i = 0; (native = vm_native_at(i)) != NULL; i++) {
        namespace_of(native, name);
        for (k = 0; k < count && strcmp(pages[k], name) != 0; k++)
            ;
        if (k == count && count < PAGES_MAX && (native->flags & VM_NATIVE_HIDDEN) == 0)
            pages[count++] = nb_xstrdup(name);
    }
    qsort(pages, count, sizeof *pages, compare_names);
    fputs("## Built in\n\nVisible in every program.\n\n", index);
    for (size_t i = 0; i < count; i++) {
        fprintf(index, "- [%s](%s.md): %u functions\n", pages[i], pages[i], write_namespace(pages[i]));
        nb_free(pages[i]);
    }
}

/* ---- modules ---- */

struct module_page { FILE *out; const char *module; unsigned count; };

static void write_heading(void *context, const char *text, size_t length)
{
    const struct module_page *page = context;

    fprintf(page->out, "## %c%.*s\n\n", toupper((unsigned char)*text), (int)(length - 1), text + 1);
}

static void write_text(void *context, const char *text)
{
    const struct module_page *page = context;

    fprintf(page->out, "%s\n", text);
}

static void write_definition(void *context, const struct ns_library_definition *definition)
{
    struct module_page *page = context;

    if (definition->comment[0] == '\0' && definition->section[0] == '\0')
        not_documented(page->module, definition->name, definition->name_length);
    fprintf(page->out, "### %.*s\n\n```nos\n%.*s\n```\n\n%s\n", (int)definition->name_length, definition->name,
            (int)definition->signature_length, definition->signature, definition->comment);
    page->count++;
}

static void write_module(FILE *index, const struct ns_library_module *module)
{
    struct module_page page = { .out = open_page(module->path), .module = module->path };

    fprintf(page.out, "# %s\n\n%s\n\n", module->path,
            module->prelude ? "Visible in every program." : "To be imported with `use`.");
    ns_library_read(module, &(struct ns_library_reader){ write_heading, write_text, write_definition, &page });
    fprintf(index, "- [%s](%s.md): %u definitions\n", module->path, module->path, page.count);
    close_page(page.out);
}

int main(int argc, char **argv)
{
    FILE *index;

    if (argc != 2) {
        fputs("usage: reference FOLDER | --check\n", stderr);
        return EXIT_FAILURE;
    }
    vm_init();
    lib_register();
    srv_http_register_natives();
    folder = strcmp(argv[1], "--check") == 0 ? NULL : argv[1];
    if (folder != NULL)
        mkdir(folder, 0777);
    index = open_page("README");
    fputs("# Reference\n\nWhat there is besides the language itself.\n\n", index);
    write_natives(index);
    fputs("\n## Modules of the library\n\n", index);
    for (size_t i = 0; i < ns_library_count(); i++)
        write_module(index, ns_library_get(i));
    close_page(index);
    return folder == NULL && undocumented > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
