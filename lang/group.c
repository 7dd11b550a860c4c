/*
 * group.c - groups of clauses: which clauses of a name are one function, in which order they are tried, and what their
 * callers know of the parameters.
 */
#include "config.h"

#include "lang/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { OVERLOADS_MAX = 1000 }; /* of one name; looked through for every clause */

struct ns_group *ns_group_new(struct ns_unit *unit, struct ns_space *space, const char *name)
{
    struct ns_group *group = nb_arena_alloc(unit->arena, sizeof *group);

    group->name = name;
    group->space = space;
    return group;
}

static const char *literal_type(const struct ns_pattern *pattern)
{
    static const char *const names[] = {
        [NS_LITERAL_BOOL] = "Bool",   [NS_LITERAL_INT] = "Int",     [NS_LITERAL_INT8] = "Int8",
        [NS_LITERAL_INT16] = "Int16", [NS_LITERAL_INT32] = "Int32", [NS_LITERAL_FLOAT] = "Float",
        [NS_LITERAL_FLOAT32] = "Float32", [NS_LITERAL_STRING] = "String",
    };

    if (pattern->kind != NS_PATTERN_LITERAL || pattern->literal.kind >= sizeof names / sizeof *names)
        return NULL;
    return names[pattern->literal.kind];
}

static bool is_literal_of(const struct ns_pattern *pattern, const char *type)
{
    const char *own = literal_type(pattern);

    return own != NULL && strcmp(own, type) == 0;
}

/* Whether all clauses of a group without annotation at `position` are literals of that type. */
static bool all_literals_of(const struct ns_group *group, uint32_t position, const char *type)
{
    for (size_t i = 0; i < group->clauses.count; i++) {
        const struct ns_parameter *parameter = &group->clauses.items[i]->parameters.items[position];

        if (parameter->type == NULL && !is_literal_of(parameter->pattern, type))
            return false;
    }
    return true;
}

static bool position_fits(struct ns_unit *unit, const struct ns_group *group, const struct ns_function *clause,
                          uint32_t position)
{
    const struct ns_parameter *parameter = &clause->parameters.items[position];
    const struct ns_type *type = group->types[position];

    if (type == NULL && parameter->type == NULL)
        return true;
    if (type != NULL && parameter->type != NULL)
        return strcmp(ns_type_text(unit, type), ns_type_text(unit, parameter->type)) == 0;
    if (type != NULL)
        return is_literal_of(parameter->pattern, ns_type_text(unit, type));
    return all_literals_of(group, position, ns_type_text(unit, parameter->type));
}

static bool clause_fits(struct ns_unit *unit, const struct ns_group *group, const struct ns_function *clause)
{
    if (group->arity != clause->parameters.count)
        return false;
    for (uint32_t i = 0; i < group->arity; i++)
        if (!position_fits(unit, group, clause, i))
            return false;
    return true;
}

void ns_group_add(struct ns_unit *unit, struct ns_group *group, const struct ns_function *clause)
{
    if (group->clauses.count == 0) {
        group->arity = clause->parameters.count;
        group->types = nb_arena_array(unit->arena, group->arity + 1, sizeof *group->types);
    }
    ns_push(unit, &group->clauses, clause);
    for (uint32_t i = 0; i < group->arity; i++)
        if (group->types[i] == NULL)
            group->types[i] = clause->parameters.items[i].type;
}

struct ns_group *ns_functions_add(struct ns_unit *unit, struct ns_functions *functions, struct ns_space *space,
                                  const struct ns_function *clause)
{
    struct ns_group *group = NULL;

    for (size_t i = 0; i < functions->groups.count && group == NULL && !functions->too_many; i++)
        if (clause_fits(unit, functions->groups.items[i], clause))
            group = functions->groups.items[i];
    if (group == NULL) {
        group = ns_group_new(unit, space, functions->name);
        if (functions->groups.count < OVERLOADS_MAX) {
            ns_push(unit, &functions->groups, group);
        } else if (!functions->too_many) {
            ns_report(unit, clause->name.span, "more than %d overloads of `%s`", OVERLOADS_MAX, functions->name);
            functions->too_many = true;
        }
    }
    ns_group_add(unit, group, clause);
    return group;
}

static int pattern_score(const struct ns_parameter *parameter)
{
    if (parameter->type != NULL)
        return 0;
    if (literal_type(parameter->pattern) != NULL)
        return 3;
    return parameter->pattern->kind == NS_PATTERN_NAME || parameter->pattern->kind == NS_PATTERN_WILDCARD ? 0 : 2;
}

struct ranked { const struct ns_function *clause; int score, annotated; size_t order; };

static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;

    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->annotated != b->annotated)
        return a->annotated > b->annotated ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

/* Most specific first (01 §10.2). */
static void sort_clauses(struct ns_unit *unit, struct ns_group *group)
{
    size_t count = group->clauses.count;
    struct ranked *ranked = nb_arena_array(unit->arena, count, sizeof *ranked);

    for (size_t i = 0; i < count; i++) {
        ranked[i] = (struct ranked){ .clause = group->clauses.items[i], .order = i };
        for (uint32_t k = 0; k < group->arity; k++) {
            ranked[i].score += pattern_score(&ranked[i].clause->parameters.items[k]);
            ranked[i].annotated += ranked[i].clause->parameters.items[k].type != NULL;
        }
    }
    qsort(ranked, count, sizeof *ranked, compare_ranked);
    for (size_t i = 0; i < count; i++)
        group->clauses.items[i] = ranked[i].clause;
}

/* Names and defaults come from the first clause that has them. */
static void note_parameters(struct ns_group *group, const struct ns_function *clause)
{
    for (uint32_t i = 0; i < group->arity; i++) {
        const struct ns_parameter *parameter = &clause->parameters.items[i];

        if (group->parameter_names[i] == NULL && parameter->pattern->kind == NS_PATTERN_NAME)
            group->parameter_names[i] = parameter->pattern->name;
        if (group->defaults[i] == NULL)
            group->defaults[i] = parameter->value;
    }
}

/* What callers at run time need to know. */
static void describe(struct ns_unit *unit, struct ns_group *group)
{
    struct vm_function *function = group->function;
    const char **names = nb_arena_array(unit->program->arena, group->arity + 1, sizeof *names);

    memcpy(names, group->parameter_names, group->arity * sizeof *names);
    function->parameters = names;
    function->arity = (uint16_t)group->arity;
    function->required = (uint16_t)group->required;
}

void ns_group_finish(struct ns_unit *unit, struct ns_group *group, const char *qualified_name)
{
    const struct ns_function *first = group->clauses.items[0];

    group->parameter_names = nb_arena_array(unit->arena, group->arity + 1, sizeof *group->parameter_names);
    if (group->defaults == NULL)
        group->defaults = nb_arena_array(unit->arena, group->arity + 1, sizeof *group->defaults);
    for (size_t i = 0; i < group->clauses.count; i++)
        note_parameters(group, group->clauses.items[i]);
    for (uint32_t i = 0; i < group->arity; i++)
        if (group->defaults[i] == NULL)
            group->required = i + 1;
    if (!group->is_local && group->clauses.count > 1)
        sort_clauses(unit, group);
    group->function = ns_function_new(unit, group->space, qualified_name, first->span);
    describe(unit, group);
}

const char *ns_group_signature(struct ns_unit *unit, const struct ns_group *group)
{
    struct nb_buf text = NB_BUF_INIT;
    const char *kept;

    nb_buf_printf(&text, "%s/", group->function->name);
    for (uint32_t i = 0; i < group->arity; i++) {
        if (i > 0)
            nb_buf_byte(&text, ',');
        nb_buf_text(&text, group->types[i] == NULL ? "_" : ns_type_text(unit, group->types[i]));
    }
    kept = nb_arena_strndup(unit->arena, nb_buf_cstr(&text), text.length);
    nb_buf_done(&text);
    return kept;
}
