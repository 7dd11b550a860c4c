/*
 * compile.c - the compiler from outside: load, declare, lower, verify.
 */
#include "config.h"

#include "lang/compile.h"
#include "lang/compile_expression.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/intern.h"
#include "lang/check.h"
#include "lang/infer.h"
#include "lang/scope_form.h"
#include "lang/unit.h"
#include "vm/dispatch.h"

/* ---- the entry point ---- */

static struct ns_group *group_without_parameters(const struct ns_space *space, const char *name)
{
    const struct ns_member *member = space == NULL ? NULL : ns_table_get(&space->members, nb_intern(name));

    for (size_t i = 0; member != NULL && member->functions != NULL && i < member->functions->groups.count; i++)
        if (member->functions->groups.items[i]->required == 0)
            return member->functions->groups.items[i];
    return NULL;
}

/* "module.function"; in a folder the module main may be left out. */
static struct ns_group *find_entry(struct ns_unit *unit, const char *entry)
{
    const char *dot = strrchr(entry, '.');
    const char *root = unit->source->directory ? "main" : "";
    const char *path = dot == NULL ? root : nb_intern_n(entry, (size_t)(dot - entry));

    return group_without_parameters(ns_table_get(&unit->paths, nb_intern(path)), dot == NULL ? entry : dot + 1);
}

static void report_no_entry(struct ns_unit *unit)
{
    const struct ns_bin *bin = unit->source->bin;
    struct ns_span nowhere = { NULL, 0, 0 };

    if (unit->options->entry != NULL) {
        ns_report(unit, nowhere, "Entry point '%s' not found", unit->options->entry);
        return;
    }
    if (!unit->options->need_main)
        return;
    if (bin != NULL && bin->is_default && unit->options->bin == NULL)
        ns_report(unit, nowhere, "Default entry point '%s' not found", bin->entry);
    else if (bin != NULL)
        ns_report(unit, nowhere, "Entry point '%s' for bin '%s' not found", bin->entry, bin->name);
    else if (unit->source->directory)
        ns_report(unit, nowhere, "No 'main.main' or 'main' function found in project");
    else
        ns_report(unit, nowhere, "Entry point 'main/' not found");
}

static struct vm_function *find_main(struct ns_unit *unit)
{
    struct ns_group *group;

    if (unit->options->entry != NULL)
        group = find_entry(unit, unit->options->entry);
    else if (unit->source->bin != NULL)
        group = find_entry(unit, unit->source->bin->entry);
    else if (unit->source->directory)
        group = find_entry(unit, "main.main");
    else
        group = group_without_parameters(ns_table_get(&unit->paths, nb_intern("")), "main");
    if (group == NULL) {
        report_no_entry(unit);
        return NULL;
    }
    return ns_need(unit, group);
}

/* ---- one compilation ---- */

struct ns_unit *ns_unit_new(const struct ns_options *options, struct ns_diag *diag,
                            const struct ns_program_source *source)
{
    struct ns_unit *unit = nb_xalloc_zero(sizeof *unit);

    unit->arena = nb_arena_new();
    unit->options = options;
    unit->diag = diag;
    unit->source = source;
    unit->strings = nb_map_new();
    unit->program = vm_program_new(source->path);
    if (unit->program == NULL)
        nb_out_of_memory(sizeof *unit->program);
    if (unit->program->methods == NULL)
        unit->program->methods = vm_methods_new(unit->program->arena);
    return unit;
}

void ns_unit_free(struct ns_unit *unit)
{
    for (size_t i = 0; i < unit->spaces.count; i++) {
        ns_table_done(&unit->spaces.items[i]->members);
        ns_table_done(&unit->spaces.items[i]->imports);
        ns_table_done(&unit->spaces.items[i]->used);
    }
    ns_table_done(&unit->paths);
    ns_table_done(&unit->constructors);
    ns_table_done(&unit->types);
    ns_table_done(&unit->trait_methods);
    ns_table_done(&unit->own_methods);
    ns_table_done(&unit->traits);
    ns_table_done(&unit->method_names);
    ns_table_done(&unit->field_names);
    ns_table_done(&unit->symbols);
    ns_table_done(&unit->reported);
    nb_map_free(unit->strings);
    vm_program_unref(unit->program);
    nb_arena_free(unit->arena);
    nb_free(unit);
}

/* The program's own functions are compiled whether they are called or not, so that all errors show. */
static void need_own_functions(struct ns_unit *unit)
{
    for (size_t i = 0; i < unit->spaces.count; i++) {
        const struct ns_space *space = unit->spaces.items[i];

        for (uint32_t k = 0; !space->library && k < space->members.count; k++) {
            const struct ns_member *member = space->members.entries[k].value;

            for (size_t n = 0; member->functions != NULL && n < member->functions->groups.count; n++)
                ns_need(unit, member->functions->groups.items[n]);
            if (member->binding != NULL)
                ns_need(unit, member->binding->group);
        }
    }
}

static void lower_queue(struct ns_unit *unit)
{
    for (size_t i = 0; i < unit->queue.count; i++)
        ns_lower_group(unit, unit->queue.items[i]);
}

/* Functions that were never needed have no code and are left out. */
static void verify_functions(struct ns_unit *unit)
{
    struct vm_program *program = unit->program;

    program->functions = nb_arena_array(program->arena, unit->functions.count + 1, sizeof *program->functions);
    for (size_t i = 0; i < unit->functions.count; i++) {
        struct vm_function *function = unit->functions.items[i];
        uint32_t word = 0;
        const char *wrong;

        if (function->code == NULL)
            continue;
        wrong = vm_verify(function, &word);
        if (wrong != NULL) {
            fprintf(stderr, "compiler: %s at word %u of:\n", wrong, word);
            vm_disassemble(function, stderr);
        }
        nb_assert(wrong == NULL);
        program->functions[program->function_count++] = function;
    }
}

static void publish_mvars(struct ns_unit *unit)
{
    struct vm_program *program = unit->program;
    uint32_t count = (uint32_t)unit->vm_mvars.count;

    program->mvars = nb_arena_array(program->arena, count + 1, sizeof *program->mvars);
    if (count > 0)
        memcpy(program->mvars, unit->vm_mvars.items, count * sizeof *program->mvars);
    program->mvar_count = count;
}

/* What the checker has found out about the entry's value. */
static void tell_entry_type(struct ns_unit *unit)
{
    const struct ns_group *group = find_entry(unit, unit->options->entry);
    struct ns_variable_names names = { .variables = { 0 } };
    struct ns_term *term = group == NULL || group->typing == NULL ? NULL : group->typing->term;

    if (term == NULL || ns_prune(term)->kind != NS_TERM_FUNCTION)
        return;
    term = ns_prune(ns_prune(term)->function.result);
    if (term->kind != NS_TERM_ANY && term->kind != NS_TERM_NEVER)
        ns_print_term(unit->options->entry_type, term, &names);
    nb_vec_done(&names.variables);
}

void ns_unit_compile(struct ns_unit *unit)
{
    struct vm_function *main, *init;

    ns_declare(unit);
    ns_describe_types(unit);
    ns_check_declarations(unit);
    ns_describe_types(unit);
    ns_rewrite_request_forms(unit);
    ns_rewrite_scope_forms(unit);
    if (unit->options->types && ns_diag_count(unit->diag) == 0)
        ns_check(unit);
    if (unit->options->entry_type != NULL)
        tell_entry_type(unit);
    main = find_main(unit);
    need_own_functions(unit);
    ns_need_library_calls(unit);
    init = ns_lower_init(unit);
    lower_queue(unit);
    if (ns_diag_count(unit->diag) > 0)
        return;
    unit->program->main = main;
    unit->program->init = init;
    unit->program->entry = main == NULL ? NULL : ns_lower_entry(unit, init, main);
    publish_mvars(unit);
    verify_functions(unit);
}

static int compile_source(struct ns_program_source *source, const struct ns_options *options, struct ns_diag *diag,
                          struct vm_program **ret_program)
{
    struct ns_unit *unit = ns_unit_new(options, diag, source);
    int error = 0;

    ns_unit_compile(unit);
    if (ns_diag_count(diag) > 0)
        error = -EINVAL;
    else
        *ret_program = vm_program_ref(unit->program);
    ns_unit_free(unit);
    ns_program_source_free(source);
    return error;
}

int ns_compile(const char *path, const struct ns_options *options, struct ns_diag *diag,
               struct vm_program **ret_program)
{
    struct ns_program_source *source = NULL;
    int error = ns_load(path, options, diag, &source);

    return error != 0 ? error : compile_source(source, options, diag, ret_program);
}

int ns_compile_text(const char *file_name, const char *text, size_t length, const struct ns_options *options,
                    struct ns_diag *diag, struct vm_program **ret_program)
{
    struct ns_program_source *source = NULL;
    int error = ns_load_text(file_name, text, length, options, diag, &source);

    return error != 0 ? error : compile_source(source, options, diag, ret_program);
}

int ns_compile_expression(struct ns_expr *expr, struct vm_program **ret_program)
{
    static const struct ns_options options = { .need_main = true };
    struct ns_program_source *source = NULL;
    struct ns_diag *diag = ns_diag_new();
    int error = ns_load_expression(expr, diag, &source);

    if (error == 0)
        error = compile_source(source, &options, diag, ret_program);
    ns_diag_free(diag);
    return error;
}
