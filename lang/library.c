/*
 * library.c - the registry of library modules.
 *
 * Filled at start by one thread, read by many afterwards. Which module defines which constructor is found out by
 * parsing it, once, when somebody asks for a name that occurs in its text: most programs never pay for most modules.
 */
#include "config.h"

#include "lang/library.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/intern.h"
#include "base/map.h"
#include "base/vec.h"
#include "lang/compile.h"
#include "lang/parse.h"

/* A constructor's name and the modules that define it. */
struct definition { NB_VEC(size_t) modules; };

static NB_VEC(struct ns_library_module) modules;

static pthread_mutex_t index_lock = PTHREAD_MUTEX_INITIALIZER;
static struct nb_map *constructors; /* name → struct definition; under index_lock, as the next */
static NB_VEC(bool) indexed;        /* of each module: whether its constructors are in the map */
static unsigned asked;              /* for so many names, up to NAMES_MAX */

void ns_library_add(const char *module, const char *text, size_t length, bool prelude)
{
    struct ns_library_module added = { nb_intern(module), text, length, prelude };

    const struct ns_library_module *known = ns_library_find(module);

    nb_assert(length <= UINT32_MAX);
    if (known != NULL) {
        nb_assert(known->text == text); /* registered once more, by whom does not matter */
        return;
    }
    nb_vec_push(&modules, added);
}

size_t ns_library_count(void) { return modules.count; }

const struct ns_library_module *ns_library_get(size_t index)
{
    nb_assert(index < modules.count);
    return &modules.items[index];
}

const struct ns_library_module *ns_library_find(const char *path)
{
    for (size_t i = 0; i < modules.count; i++)
        if (strcmp(modules.items[i].path, path) == 0)
            return &modules.items[i];
    return NULL;
}

const struct ns_library_module *ns_library_find_beginning(const char *path)
{
    const struct ns_library_module *best = NULL;
    size_t best_length = 0;

    for (size_t i = 0; i < modules.count; i++) {
        size_t length = strlen(modules.items[i].path);

        if (length <= best_length || strncmp(path, modules.items[i].path, length) != 0)
            continue;
        if (path[length] != '\0' && path[length] != '.')
            continue;
        best = &modules.items[i];
        best_length = length;
    }
    return best;
}

/* ---- constructors ---- */

static void index_constructor(const char *name, size_t module)
{
    struct definition *definition = nb_map_get(constructors, name);

    if (definition == NULL) {
        definition = nb_xalloc_zero(sizeof *definition);
        nb_map_set(constructors, name, definition);
    }
    if (definition->modules.count == 0 || nb_vec_last(&definition->modules) != module)
        nb_vec_push(&definition->modules, module);
}

static void index_items(const struct ns_item_list *items, size_t module)
{
    for (uint32_t i = 0; i < items->count; i++) {
        const struct ns_item *item = items->items[i];

        if (item->kind == NS_ITEM_MODULE)
            index_items(&item->module.items, module);
        if (item->kind != NS_ITEM_TYPE)
            continue;
        for (uint32_t j = 0; j < item->type.constructors.count; j++)
            index_constructor(item->type.constructors.items[j].name.text, module);
    }
}

/* Modules with mistakes are indexed as far as they can be read; loading them reports the mistakes. */
static void index_module(size_t module)
{
    const struct ns_library_module *library = &modules.items[module];
    struct ns_source source = {
        .file = library->path, .module = library->path, .text = library->text, .length = (uint32_t)library->length,
        .library = true
    };
    struct nb_arena *arena = nb_arena_new();
    struct ns_diag *diag = ns_diag_new();

    index_items(&ns_parse(arena, &source, diag, NULL)->items, module);
    ns_diag_free(diag);
    nb_arena_free(arena);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool mentions(const struct ns_library_module *library, const char *name)
{
    const char *at = library->text, *end = library->text + library->length;
    size_t length = strlen(name);

    while ((at = memmem(at, (size_t)(end - at), name, length)) != NULL) {
        bool begins = at == library->text || !is_word(at[-1]);

        if (begins && (at + length == end || !is_word(at[length])))
            return true;
        at += length;
    }
    return false;
}

enum { NAMES_MAX = 200 }; /* to look for so many in all texts is as dear as to parse them */

/* Index what may define a name; everything once enough names were looked for. */
static void index_mentions(const char *name)
{
    if (constructors == NULL)
        constructors = nb_map_new();
    while (indexed.count < modules.count)
        nb_vec_push(&indexed, false);
    asked += asked < NAMES_MAX;
    for (size_t i = 0; i < modules.count; i++) {
        if (indexed.items[i] || (asked < NAMES_MAX && !mentions(&modules.items[i], name)))
            continue;
        indexed.items[i] = true;
        index_module(i);
    }
}

static bool is_basic_type(const char *name)
{
    static const char *const names[] = { "Bool", "Int", "Float", "String", "Char", "List", "Map", "Set", "Decimal",
                                         "BigInt" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

const struct ns_library_module *ns_library_of_constructor(const char *name, bool called, size_t n)
{
    const struct ns_library_module *found = NULL;
    const struct definition *definition;

    if (!called && is_basic_type(name))
        return NULL;
    pthread_mutex_lock(&index_lock);
    index_mentions(name);
    definition = nb_map_get(constructors, name);
    if (definition != NULL && n < definition->modules.count)
        found = &modules.items[definition->modules.items[n]];
    pthread_mutex_unlock(&index_lock);
    return found;
}
