/*
 * module.c - loading the modules of a program.
 *
 * The program's own files come first; each file's parser notes the names that may come from the library. Then library
 * modules are added until nothing is missing: those of the prelude, those named by a path, and those that define a
 * constructor which neither the program nor a loaded module does.
 */
#include "config.h"

#include "lang/module.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/intern.h"
#include "base/map.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "lang/expand.h"
#include "lang/file.h"
#include "lang/input.h"
#include "lang/library.h"
#include "lang/parse.h"
#include "lang/scope_form.h"

struct loader {
    struct nb_arena *arena;
    struct ns_diag *diag;
    const struct ns_options *options;
    struct ns_program_source *program;
    struct ns_references references;
    struct nb_map *loaded;       /* path of a library module → struct ns_module */
    struct nb_map *constructors; /* names that loaded modules define */
    NB_VEC(struct ns_module *) own;
    NB_VEC(struct ns_module *) library;
};

static const struct ns_span nowhere = { NULL, 0, 0 };

/* ---- one module ---- */

static void note_constructors(struct loader *loader, const struct ns_item_list *items)
{
    for (uint32_t i = 0; i < items->count; i++) {
        const struct ns_item *item = items->items[i];

        if (item->kind == NS_ITEM_MODULE)
            note_constructors(loader, &item->module.items);
        if (item->kind != NS_ITEM_TYPE)
            continue;
        nb_map_set(loader->constructors, item->type.name.text, NULL);
        for (uint32_t j = 0; j < item->type.constructors.count; j++)
            nb_map_set(loader->constructors, item->type.constructors.items[j].name.text, NULL);
    }
}

/* Where text stops being UTF-8. */
static uint32_t first_invalid(const char *text, uint32_t length)
{
    uint32_t at = 0, code_point;

    while (at < length) {
        size_t used = nb_utf8_decode(text + at, length - at, &code_point);

        if (code_point == 0xfffd && used == 1)
            break;
        at += (uint32_t)used;
    }
    return at;
}

/* Parse a source as a module. NULL if there were errors. */
static struct ns_module *parse_module(struct loader *loader, const struct ns_source *source, bool prelude)
{
    struct ns_module *module = nb_arena_alloc(loader->arena, sizeof *module);
    size_t errors = ns_diag_count(loader->diag);

    if (!nb_utf8_valid(source->text, source->length)) {
        uint32_t at = first_invalid(source->text, source->length);

        ns_error(loader->diag, NS_ERROR_PARSE, (struct ns_span){ source, at, at + 1 }, "the text is not valid UTF-8");
        return NULL;
    }
    module->path = nb_intern(source->module);
    module->library = source->library;
    module->prelude = prelude;
    module->source = source;
    module->file = loader->options->statements && !source->library
                       ? ns_parse_input(loader->arena, source, loader->diag, &loader->references)
                       : ns_parse(loader->arena, source, loader->diag, &loader->references);
    if (ns_diag_count(loader->diag) > errors)
        return NULL;
    note_constructors(loader, &module->file->items);
    return module;
}

static int add_own(struct loader *loader, const struct ns_source *source)
{
    struct ns_module *module = parse_module(loader, source, false);

    if (module == NULL)
        return -EINVAL;
    nb_vec_push(&loader->own, module);
    return 0;
}

static struct ns_item **joined(struct loader *loader, const struct ns_item_list *one, const struct ns_item_list *other)
{
    struct ns_item **items = nb_arena_array(loader->arena, (size_t)one->count + other->count + 1, sizeof *items);

    for (uint32_t i = 0; i < one->count + other->count; i++)
        items[i] = i < one->count ? one->items[i] : other->items[i - one->count];
    return items;
}

/* A text in memory keeps its epilogue apart, so that messages tell which of the two they are about. */
static int add_text(struct loader *loader, const char *file, const char *text, size_t length)
{
    const char *epilogue = loader->options->epilogue;
    const struct ns_source *source;
    struct ns_item_list *items;
    struct ns_file *more;
    int r = add_own(loader, ns_diag_source(loader->diag, file, "", text, (uint32_t)length, false, false));

    if (r < 0 || epilogue == NULL)
        return r;
    source = ns_diag_source(loader->diag, "definitions", "", epilogue, (uint32_t)strlen(epilogue), false, false);
    more = ns_parse(loader->arena, source, loader->diag, &loader->references);
    note_constructors(loader, &more->items);
    items = &nb_vec_last(&loader->own)->file->items;
    items->items = joined(loader, items, &more->items);
    items->count += more->items.count;
    return ns_diag_count(loader->diag) > 0 ? -EINVAL : 0;
}

/* The root file's text with the epilogue behind it. */
static char *with_epilogue(struct loader *loader, struct nb_arena *scratch, const char *module, char *text,
                           size_t *length)
{
    const char *epilogue = loader->options->epilogue;
    bool root = module[0] == '\0' || strcmp(module, "main") == 0;
    char *whole;

    if (epilogue == NULL || !root)
        return text;
    whole = nb_arena_alloc(scratch, *length + strlen(epilogue) + 1);
    memcpy(whole, text, *length);
    memcpy(whole + *length, epilogue, strlen(epilogue));
    *length += strlen(epilogue);
    return whole;
}

/* The text of a file, as an editor has it or as it was saved. Returns what went wrong, or NULL. */
static const char *read_text(const struct loader *loader, struct nb_arena *scratch, const char *file, char **ret_text,
                             size_t *ret_length)
{
    for (size_t i = 0; i < loader->options->unsaved_count; i++) {
        const struct ns_text *unsaved = &loader->options->unsaved[i];

        if (strcmp(unsaved->file, file) != 0)
            continue;
        *ret_text = nb_arena_strndup(scratch, unsaved->text, unsaved->length);
        *ret_length = unsaved->length;
        return unsaved->length > NS_FILE_BYTES_MAX ? "the text is too long" : NULL;
    }
    return ns_file_read(scratch, file, ret_text, ret_length);
}

static int add_file(struct loader *loader, const char *file, const char *module)
{
    struct nb_arena *scratch = nb_arena_new();
    const char *problem;
    char *text = NULL;
    size_t length = 0;
    int r = -EINVAL;

    problem = read_text(loader, scratch, file, &text, &length);
    if (problem != NULL) {
        ns_error(loader->diag, NS_ERROR_COMPILE, nowhere, "Error reading file '%s': %s", file, problem);
    } else {
        text = with_epilogue(loader, scratch, module, text, &length);
        r = add_own(loader, ns_diag_source(loader->diag, file, module, text, (uint32_t)length, false, false));
    }
    nb_arena_free(scratch);
    return r;
}

/* ---- folders ---- */

/* net/http.nos is module net.http. */
static const char *module_of(struct loader *loader, const char *path)
{
    char *module = nb_arena_strndup(loader->arena, path, strlen(path) - strlen(".nos"));

    for (char *c = module; *c != '\0'; c++)
        if (*c == '/')
            *c = '.';
    return module;
}

static bool has_main(const struct ns_file_list *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->paths[i], "main.nos") == 0)
            return true;
    return false;
}

static int check_files(struct loader *loader, const char *folder, const struct ns_file_list *files)
{
    if (loader->options->need_main && loader->program->project.bin_count == 0 && !has_main(files)) {
        ns_error(loader->diag, NS_ERROR_COMPILE, nowhere, "No 'main.nos' found in directory '%s'", folder);
        ns_note(loader->diag, "a project directory needs a main.nos that defines main()");
        ns_note(loader->diag, "or a nostos.toml with [[bin]] entries that name other entry points");
        return -EINVAL;
    }
    if (files->count == 0) {
        ns_error(loader->diag, NS_ERROR_COMPILE, nowhere, "No .nos files found in '%s'", folder);
        return -EINVAL;
    }
    return 0;
}

static int add_files(struct loader *loader, const char *folder)
{
    struct ns_file_list files = { NULL, 0 };
    const char *problem = ns_file_find(loader->arena, folder, &files);
    bool slash = folder[strlen(folder) - 1] == '/';
    int r;

    if (problem != NULL) {
        ns_error(loader->diag, NS_ERROR_COMPILE, nowhere, "Error reading directory '%s': %s", folder, problem);
        return -EINVAL;
    }
    r = check_files(loader, folder, &files);
    for (size_t i = 0; i < files.count && r == 0; i++) {
        const char *file = nb_arena_printf(loader->arena, "%s%s%s", folder, slash ? "" : "/", files.paths[i]);

        r = add_file(loader, file, module_of(loader, files.paths[i]));
    }
    return r;
}

/* ---- entry points ---- */

static const char *bin_names(struct loader *loader)
{
    const struct ns_project *project = &loader->program->project;
    const char *names = "";

    for (uint32_t i = 0; i < project->bin_count; i++)
        names = nb_arena_printf(loader->arena, "%s%s%s", names, i == 0 ? "" : ", ", project->bins[i].name);
    return names;
}

static int choose_named_bin(struct loader *loader, const char *name)
{
    const struct ns_project *project = &loader->program->project;

    for (uint32_t i = 0; i < project->bin_count; i++) {
        if (strcmp(project->bins[i].name, name) != 0)
            continue;
        loader->program->bin = &project->bins[i];
        return 0;
    }
    if (project->bin_count == 0 && project->name == NULL)
        ns_error(loader->diag, NS_ERROR_COMPILE, nowhere, "--bin requires a nostos.toml with [[bin]] entries");
    else if (project->bin_count == 0)
        ns_error(loader->diag, NS_ERROR_COMPILE, nowhere, "No [[bin]] entry named '%s' in nostos.toml.", name);
    else
        ns_error(loader->diag, NS_ERROR_COMPILE, nowhere, "No [[bin]] entry named '%s' in nostos.toml. Available: %s",
                 name, bin_names(loader));
    return -EINVAL;
}

static int choose_bin(struct loader *loader)
{
    const struct ns_project *project = &loader->program->project;

    if (loader->options->bin != NULL)
        return choose_named_bin(loader, loader->options->bin);
    for (uint32_t i = 0; i < project->bin_count; i++) {
        if (!project->bins[i].is_default)
            continue;
        loader->program->bin = &project->bins[i];
        return 0;
    }
    if (project->bin_count == 0 || !loader->options->need_main)
        return 0;
    ns_error(loader->diag, NS_ERROR_COMPILE, nowhere,
             "Project has [[bin]] entries but none is marked as default. Use --bin NAME to specify which to run. "
             "Available: %s",
             bin_names(loader));
    return -EINVAL;
}

/* ---- the library ---- */

static int add_library(struct loader *loader, const struct ns_library_module *library)
{
    const struct ns_source *source;
    struct ns_module *module;

    if (nb_map_has(loader->loaded, library->path))
        return 0;
    source = ns_diag_source(loader->diag, nb_arena_printf(loader->arena, "<%s>", library->path), library->path,
                            library->text, (uint32_t)library->length, true, true);
    module = parse_module(loader, source, library->prelude);
    if (module == NULL)
        return -EINVAL;
    nb_map_set(loader->loaded, library->path, module);
    nb_vec_push(&loader->library, module);
    return 0;
}

static int add_prelude(struct loader *loader)
{
    int r = 0;

    for (size_t i = 0; i < ns_library_count() && r == 0; i++)
        if (ns_library_get(i)->prelude)
            r = add_library(loader, ns_library_get(i));
    return r;
}

/* Add the modules that `paths` name, from the cursor on: parsing them may add more paths. */
static int add_by_paths(struct loader *loader, size_t *cursor)
{
    const char *path;
    void *value;
    int r = 0;

    while (r == 0 && nb_map_next(loader->references.paths, cursor, &path, &value)) {
        const struct ns_library_module *library = ns_library_find_beginning(path);

        if (library != NULL)
            r = add_library(loader, library);
    }
    return r;
}

/* Add the modules that define a constructor or that a form draws on, unless a loaded module defines the name. */
static int add_by_constructor(struct loader *loader, const char *name)
{
    bool called = nb_map_has(loader->references.upper_calls, name);
    const char *form = called ? ns_scope_form_module(name) : NULL;
    const struct ns_library_module *library;
    int r = 0;

    if (nb_map_has(loader->constructors, name))
        return 0;
    if (form != NULL && (library = ns_library_find(form)) != NULL)
        r = add_library(loader, library);
    for (size_t n = 0; r == 0 && (library = ns_library_of_constructor(name, called, n)) != NULL; n++)
        r = add_library(loader, library);
    return r;
}

static int add_by_constructors(struct loader *loader, size_t *cursor)
{
    const char *name;
    void *value;
    int r = 0;

    while (r == 0 && nb_map_next(loader->references.uppers, cursor, &name, &value))
        r = add_by_constructor(loader, name);
    return r;
}

/* Go on until neither paths nor names are left to look at. */
static int add_reached(struct loader *loader)
{
    size_t path_cursor = 0, name_cursor = 0, before;
    int r;

    do {
        before = nb_map_count(loader->references.paths) + nb_map_count(loader->references.uppers);
        r = add_by_paths(loader, &path_cursor);
        if (r == 0)
            r = add_by_constructors(loader, &name_cursor);
    } while (r == 0 && before != nb_map_count(loader->references.paths) + nb_map_count(loader->references.uppers));
    return r;
}

/* ---- the whole ---- */

static void loader_begin(struct loader *loader, const char *path, const struct ns_options *options,
                         struct ns_diag *diag)
{
    static const struct ns_options defaults = { .check_only = false };

    memset(loader, 0, sizeof *loader);
    loader->arena = nb_arena_new();
    loader->diag = diag;
    loader->options = options != NULL ? options : &defaults;
    loader->program = nb_arena_alloc(loader->arena, sizeof *loader->program);
    loader->program->arena = loader->arena;
    loader->program->path = nb_arena_strndup(loader->arena, path, strlen(path));
    loader->references = (struct ns_references){ nb_map_new(), nb_map_new(), nb_map_new() };
    loader->loaded = nb_map_new();
    loader->constructors = nb_map_new();
}

static void collect_modules(struct loader *loader)
{
    struct ns_program_source *program = loader->program;

    program->library_count = (uint32_t)loader->library.count;
    program->count = (uint32_t)(loader->library.count + loader->own.count);
    program->modules = nb_arena_array(loader->arena, program->count + 1, sizeof *program->modules);
    for (size_t i = 0; i < loader->library.count; i++)
        program->modules[i] = loader->library.items[i];
    for (size_t i = 0; i < loader->own.count; i++)
        program->modules[loader->library.count + i] = loader->own.items[i];
}

/* Templates can make code that mentions other parts of the library than the program's text does. */
static int expand(struct loader *loader)
{
    struct ns_own_modules own = { loader->own.items, loader->own.count };
    size_t errors = ns_diag_count(loader->diag);

    ns_expand_templates(loader->arena, own, loader->diag, &loader->references);
    for (size_t i = 0; i < own.count; i++)
        note_constructors(loader, &own.items[i]->file->items);
    return ns_diag_count(loader->diag) > errors ? -EINVAL : 0;
}

/* Add the library if all went well so far, hand over the program or free it. */
static int loader_end(struct loader *loader, int r, struct ns_program_source **ret_program)
{
    if (r == 0)
        r = expand(loader);
    if (r == 0)
        r = add_prelude(loader);
    if (r == 0)
        r = add_reached(loader);
    if (r == 0)
        collect_modules(loader);
    nb_map_free(loader->references.paths);
    nb_map_free(loader->references.uppers);
    nb_map_free(loader->references.upper_calls);
    nb_map_free(loader->loaded);
    nb_map_free(loader->constructors);
    nb_vec_done(&loader->own);
    nb_vec_done(&loader->library);
    if (r == 0)
        *ret_program = loader->program;
    else
        nb_arena_free(loader->arena);
    return r;
}

static int load_folder(struct loader *loader, const char *path)
{
    int r;

    loader->program->directory = true;
    loader->program->project = ns_project_find(loader->arena, path, loader->diag);
    r = add_files(loader, path);
    return r == 0 ? choose_bin(loader) : r;
}

int ns_load(const char *path, const struct ns_options *options, struct ns_diag *diag,
            struct ns_program_source **ret_program)
{
    struct loader loader;

    nb_assert(path != NULL && diag != NULL && ret_program != NULL);
    loader_begin(&loader, path, options, diag);
    return loader_end(&loader, ns_folder_exists(path) ? load_folder(&loader, path) : add_file(&loader, path, ""),
                      ret_program);
}

int ns_load_text(const char *file_name, const char *text, size_t length, const struct ns_options *options,
                 struct ns_diag *diag, struct ns_program_source **ret_program)
{
    struct loader loader;
    int r = -EINVAL;

    nb_assert(file_name != NULL && diag != NULL && ret_program != NULL);
    loader_begin(&loader, file_name, options, diag);
    if (length > NS_FILE_BYTES_MAX)
        ns_error(diag, NS_ERROR_COMPILE, nowhere, "Error reading file '%s': the text is too large", file_name);
    else
        r = add_text(&loader, file_name, text, length);
    return loader_end(&loader, r, ret_program);
}

/* A module whose only item is main() = expr. */
static struct ns_module *module_around(struct loader *loader, struct ns_expr *expr)
{
    struct ns_module *module = nb_arena_alloc(loader->arena, sizeof *module);
    struct ns_item **items = nb_arena_array(loader->arena, 1, sizeof *items);

    items[0] = nb_arena_alloc(loader->arena, sizeof **items);
    items[0]->kind = NS_ITEM_FUNCTION;
    items[0]->span = expr->span;
    items[0]->function = nb_arena_alloc(loader->arena, sizeof *items[0]->function);
    items[0]->function->name = (struct ns_name){ nb_intern("main"), expr->span };
    items[0]->function->span = expr->span;
    items[0]->function->body = expr;
    module->path = nb_intern("");
    module->source = ns_source_original(expr->span.source);
    module->file = nb_arena_alloc(loader->arena, sizeof *module->file);
    module->file->source = module->source;
    module->file->items = (struct ns_item_list){ items, 1 };
    return module;
}

int ns_load_expression(struct ns_expr *expr, struct ns_diag *diag, struct ns_program_source **ret_program)
{
    struct loader loader;

    nb_assert(expr != NULL && diag != NULL && ret_program != NULL);
    loader_begin(&loader, ns_source_original(expr->span.source)->file, NULL, diag);
    nb_vec_push(&loader.own, module_around(&loader, expr));
    return loader_end(&loader, 0, ret_program);
}

struct ns_program_source *ns_program_source_free(struct ns_program_source *program)
{
    if (program != NULL)
        nb_arena_free(program->arena);
    return NULL;
}
