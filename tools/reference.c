/*
 * reference.c - writes the reference manual: one page per namespace of natives and per module of the library, and an
 * index, all of it made from what the library says of itself.
 *
 *     reference FOLDER     write the pages
 *     reference --check    write nothing; name what is not documented, and fail if there is anything
 *
 * Natives bring name, type and documentation (vm/native.h). A library module is read line by line: a public definition
 * is documented by the comment right above it, or by the comment right below the heading of its section
 * (`# ---- texts ----`), which then speaks for all that stands there.
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
#include "lang/library.h"
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

/* Where reading a module is. */
struct reading {
    FILE *page;
    const char *module;
    struct nb_buf comment;     /* the lines right above */
    bool section_speaks;       /* the section's heading is followed by a comment */
    bool is_heading;           /* `comment` belongs to the heading above it */
    bool is_head;              /* it is the module's first: about all of it, and speaks for no name */
    unsigned count;
};

static void flush_section(struct reading *reading)
{
    if (reading->is_heading && reading->comment.length > 0) {
        fprintf(reading->page, "%s\n", nb_buf_cstr(&reading->comment));
        reading->section_speaks = !reading->is_head;
    }
    reading->is_heading = reading->is_head = false;
    nb_buf_clear(&reading->comment);
}

/* "pub name(a: T) -> R" of "pub name(a: T) -> R = {": up to the = that is followed by a value. */
static size_t signature_length(const char *line, size_t length)
{
    int depth = 0;

    if (strncmp(line, "pub type ", 9) == 0 || strncmp(line, "pub trait ", 10) == 0)
        return length;
    for (size_t i = 0; i < length; i++) {
        depth += strchr("([{", line[i]) != NULL;
        depth -= strchr(")]}", line[i]) != NULL;
        if (depth == 0 && line[i] == '=' && i > 0 && line[i - 1] == ' ')
            return i - 1;
    }
    return length;
}

/* Types and traits are shown whole: with the indented lines that follow. */
static size_t whole_length(const char *line, size_t length, const char *end)
{
    if (strncmp(line, "pub type ", 9) != 0 && strncmp(line, "pub trait ", 10) != 0)
        return length;
    while (line + length + 1 < end && line[length + 1] == ' ') {
        const char *feed = memchr(line + length + 1, '\n', (size_t)(end - line) - length - 1);

        length = (size_t)((feed == NULL ? end : feed) - line);
    }
    return length;
}

static void take_definition(struct reading *reading, const char *line, size_t length, const char *end)
{
    size_t from = strlen("pub "), name;
    bool documented;

    if (reading->is_heading)
        flush_section(reading);
    for (const char *word = "type \0trait \0mvar \0const \0var type \0"; *word != '\0'; word += strlen(word) + 1)
        if (strncmp(line + from, word, strlen(word)) == 0)
            from += strlen(word);
    for (name = from; name < length && (isalnum((unsigned char)line[name]) || line[name] == '_'); name++)
        ;
    if (line[from] == '_')
        return;
    documented = reading->comment.length > 0 || reading->section_speaks;
    if (!documented)
        not_documented(reading->module, line + from, name - from);
    length = whole_length(line, length, end);
    fprintf(reading->page, "### %.*s\n\n```nos\n%.*s\n```\n\n%s\n", (int)(name - from), line + from,
            (int)(signature_length(line, length) - strlen("pub ")), line + strlen("pub "),
            nb_buf_cstr(&reading->comment));
    reading->count++;
}

static void take_comment(struct reading *reading, const char *line, size_t length)
{
    size_t from = length > 1 && line[1] == ' ' ? 2 : 1;

    if (length > 10 && strncmp(line, "# ---- ", 7) == 0) {
        nb_buf_clear(&reading->comment);
        fprintf(reading->page, "## %c%.*s\n\n", toupper((unsigned char)line[7]), (int)(length - 13), line + 8);
        reading->section_speaks = false;
        reading->is_heading = true;
        return;
    }
    nb_buf_append(&reading->comment, line + from, length - from);
    nb_buf_byte(&reading->comment, '\n');
}

static void take_line(struct reading *reading, const char *line, size_t length, const char *end)
{
    if (length > 0 && line[0] == '#') {
        take_comment(reading, line, length);
    } else if (length > 4 && strncmp(line, "pub ", 4) == 0) {
        take_definition(reading, line, length, end);
        nb_buf_clear(&reading->comment);
    } else {
        flush_section(reading);
    }
}

static void write_module(FILE *index, const struct ns_library_module *module)
{
    struct reading reading = { .page = open_page(module->path), .module = module->path, .comment = NB_BUF_INIT };
    const char *line = module->text, *end = module->text + module->length;

    fprintf(reading.page, "# %s\n\n%s\n\n", module->path,
            module->prelude ? "Visible in every program." : "To be imported with `use`.");
    reading.is_heading = reading.is_head = true;
    while (line < end) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));

        if (feed == NULL)
            feed = end;
        take_line(&reading, line, (size_t)(feed - line), end);
        line = feed + 1;
    }
    fprintf(index, "- [%s](%s.md): %u definitions\n", module->path, module->path, reading.count);
    close_page(reading.page);
    nb_buf_done(&reading.comment);
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
