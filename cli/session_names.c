/* session_names.c - all there is to know of names is in the tables of natives, in the modules' comments, and in what
 * was typed. */
#include "config.h"

#include "cli/session_names.h"

#include <stdio.h>
#include <string.h>

#include "lang/library_text.h"
#include "vm/native.h"

/* ---- natives ---- */

static bool is_called(const struct vm_native *native, const char *name)
{
    size_t length = strlen(name);

    return strcmp(native->name, name) == 0 || (strncmp(native->name, name, length) == 0 && native->name[length] == '.');
}

static bool document_natives(const char *name)
{
    const struct vm_native *native;
    bool found = false;

    for (unsigned i = 0; (native = vm_native_at(i)) != NULL; i++)
        if ((native->flags & VM_NATIVE_HIDDEN) == 0 && is_called(native, name)) {
            printf("%s: %s\n    %s\n", native->name, native->type, native->doc);
            found = true;
        }
    return found;
}

/* ---- modules of the library ---- */

/* What a definition is compared with. */
struct wanted {
    const struct ns_library_module *module;
    const char *name;         /* NULL: all of the module, without comments */
    bool found;
};

static void print_comment(const char *comment)
{
    for (size_t length; *comment != '\0'; comment += length + (comment[length] == '\n')) {
        length = strcspn(comment, "\n");
        printf("    %.*s\n", (int)length, comment);
    }
}

static void document_definition(void *context, const struct ns_library_definition *definition)
{
    struct wanted *wanted = context;

    if (wanted->name != NULL && (strlen(wanted->name) != definition->name_length ||
                                 strncmp(wanted->name, definition->name, definition->name_length) != 0))
        return;
    wanted->found = true;
    printf("%.*s\n", (int)definition->signature_length, definition->signature);
    if (wanted->name == NULL)
        return;
    print_comment(definition->comment[0] != '\0' ? definition->comment : definition->section);
    printf("    (%s%s)\n", wanted->module->path, wanted->module->prelude ? ", visible everywhere" : "");
}

/* Whether `length` bytes name the module: "stdlib.json" or "json". */
static bool names_module(const struct ns_library_module *module, const char *name, size_t length)
{
    const char *dot = strchr(module->path, '.'), *bare = dot == NULL ? module->path : dot + 1;

    return (strlen(module->path) == length && strncmp(module->path, name, length) == 0) ||
           (strlen(bare) == length && strncmp(bare, name, length) == 0);
}

static bool document_module(const struct ns_library_module *module, const char *name)
{
    const char *dot = strrchr(name, '.');
    struct wanted wanted = { .module = module, .name = name };
    struct ns_library_reader reader = { .definition = document_definition, .context = &wanted };

    if (names_module(module, name, strlen(name)))
        wanted.name = NULL;
    else if (dot != NULL && names_module(module, name, (size_t)(dot - name)))
        wanted.name = dot + 1;
    ns_library_read(module, &reader);
    return wanted.found;
}

/* ---- the session's own ---- */

static bool document_entries(const struct session_entries *entries, const char *name)
{
    bool found = false;

    for (size_t i = 0; i < entries->list.count; i++)
        if (entries->list.items[i]->name != NULL && strcmp(entries->list.items[i]->name, name) == 0) {
            puts(entries->list.items[i]->text);
            found = true;
        }
    return found;
}

bool session_names_document(const struct session_entries *entries, const char *name)
{
    bool found = document_natives(name);

    for (size_t i = 0; i < ns_library_count(); i++)
        found |= document_module(ns_library_get(i), name);
    found |= document_entries(entries, name);
    return found;
}

/* ---- all names ---- */

struct taker { void (*take)(void *context, const char *name, size_t length); void *context; };

static void take_definition(void *context, const struct ns_library_definition *definition)
{
    const struct taker *taker = context;

    taker->take(taker->context, definition->name, definition->name_length);
}

void session_names_each(const struct session_entries *entries,
                        void (*take)(void *context, const char *name, size_t length), void *context)
{
    struct taker taker = { take, context };
    struct ns_library_reader reader = { .definition = take_definition, .context = &taker };
    const struct vm_native *native;

    for (unsigned i = 0; (native = vm_native_at(i)) != NULL; i++)
        if ((native->flags & VM_NATIVE_HIDDEN) == 0)
            take(context, native->name, strlen(native->name));
    for (size_t i = 0; i < ns_library_count(); i++) {
        take(context, ns_library_get(i)->path, strlen(ns_library_get(i)->path));
        ns_library_read(ns_library_get(i), &reader);
    }
    for (size_t i = 0; i < entries->list.count; i++)
        if (entries->list.items[i]->name != NULL)
            take(context, entries->list.items[i]->name, strlen(entries->list.items[i]->name));
}
