/*
 * type_argument.c - type arguments that calls leave out: decode(text) for decode[Person](text).
 *
 * Functions that ask for the text of a type parameter are compiled once for each list of type arguments (instance.c).
 * Where a call gives none, the checker knows them as a rule, when all is inferred: it writes them into the tree, as if
 * the program had them there. What remains unknown is left out as it was.
 */
#include "config.h"

#include <string.h>

#include "base/intern.h"
#include "lang/infer.h"
#include "lang/walk.h"

enum { CALLS_DEEP_MAX = 100, TYPE_PARTS_MAX = 200 };

/* ---- which functions want to know ---- */

struct search { struct ns_check *check; struct ns_space *space; uint32_t depth; bool found; };

static bool wants_types(struct ns_check *check, struct ns_group *group, uint32_t depth);

static bool has_type_parameters(const struct ns_group *group)
{
    return !group->space->library && group->clauses.items[0]->type_parameters.count > 0;
}

/* The only function of a name, if it has type parameters. */
static struct ns_group *generic_function(struct ns_check *check, struct ns_space *space, const char *name)
{
    struct ns_meaning meaning = ns_find(check->unit, space, name);

    if (meaning.kind != NS_MEANS_FUNCTIONS || meaning.functions->groups.count != 1 ||
        !has_type_parameters(meaning.functions->groups.items[0]))
        return NULL;
    return meaning.functions->groups.items[0];
}

/* The name under which a function is called in any form, if that is what the expression does. */
static const char *called_name(const struct ns_expr *expr)
{
    if (expr->kind == NS_EXPR_METHOD_CALL)
        return expr->call.name.text;
    if (expr->kind == NS_EXPR_CALL && expr->call.callee->kind == NS_EXPR_NAME)
        return expr->call.callee->name;
    return expr->kind == NS_EXPR_PIPE && expr->pair.right->kind == NS_EXPR_NAME ? expr->pair.right->name : NULL;
}

static void search_expression(void *context, struct ns_expr *expr)
{
    struct search *search = context;
    struct ns_group *called = NULL;
    const char *name = called_name(expr);

    if (search->found)
        return;
    if (expr->kind == NS_EXPR_CALL || expr->kind == NS_EXPR_METHOD_CALL)
        search->found = expr->call.type_arguments.count > 0;
    if (name != NULL && !search->found)
        called = generic_function(search->check, search->space, name);
    if (called != NULL)
        search->found = wants_types(search->check, called, search->depth + 1);
    ns_walk_children(expr, search_expression, search);
}

/* Whether a function gives type arguments to something that it calls, or calls one that does. */
static bool wants_types(struct ns_check *check, struct ns_group *group, uint32_t depth)
{
    struct ns_typing *typing = ns_typing_of(check, group);
    struct search search = { check, group->space, depth, false };

    if (typing->wants == NS_WANTS_UNKNOWN && depth < CALLS_DEEP_MAX) {
        typing->wants = NS_WANTS_NOTHING; /* what calls itself does not for that reason */
        for (size_t i = 0; i < group->clauses.count; i++)
            ns_walk_function(group->clauses.items[i], search_expression, &search);
        typing->wants = search.found ? NS_WANTS_TYPES : NS_WANTS_NOTHING;
    }
    return typing->wants == NS_WANTS_TYPES;
}

bool ns_leaves_out_types(struct ns_check *check, const struct ns_expr *call, struct ns_meaning meaning)
{
    return call->call.type_arguments.count == 0 && meaning.kind == NS_MEANS_FUNCTIONS &&
           meaning.functions->groups.count == 1 && has_type_parameters(meaning.functions->groups.items[0]) &&
           wants_types(check, meaning.functions->groups.items[0], 0);
}

/* ---- calls that wait for their types ---- */

/* A type parameter of the function around the call, by what it is there. */
struct surrounding { const char *name; struct ns_term *term; };

struct ns_left_out {
    struct ns_left_out *next;
    struct ns_expr *call;
    struct ns_term **terms;
    uint32_t count;
    struct surrounding *around;
    uint32_t around_count;
};

void ns_note_left_out(struct ns_check *check, struct ns_expr *call, struct ns_term **terms, uint32_t count)
{
    const struct ns_table *around = &check->body->types->variables;
    struct ns_left_out *left_out = nb_arena_alloc(check->arena, sizeof *left_out);

    *left_out = (struct ns_left_out){ .next = check->left_out, .call = call, .terms = terms, .count = count };
    left_out->around = nb_arena_array(check->arena, around->count + 1, sizeof *left_out->around);
    for (uint32_t i = 0; i < around->count; i++)
        if (around->entries[i].value != NULL)
            left_out->around[left_out->around_count++] =
                (struct surrounding){ around->entries[i].name, around->entries[i].value };
    check->left_out = left_out;
}

/* ---- from terms back to what a program writes ---- */

struct writing { struct ns_check *check; const struct ns_left_out *left_out; uint32_t parts; };

static struct ns_type *write_term(struct writing *writing, struct ns_term *term);

/* NULL if one of them is not known. */
static struct ns_type **write_terms(struct writing *writing, struct ns_term **terms, uint32_t count)
{
    struct ns_type **types = nb_arena_array(writing->check->arena, count + 1, sizeof *types);

    for (uint32_t i = 0; i < count; i++) {
        types[i] = write_term(writing, terms[i]);
        if (types[i] == NULL)
            return NULL;
    }
    return types;
}

static bool write_named(struct writing *writing, struct ns_type *type, struct ns_term *term)
{
    const struct ns_con *con = term->data.con;

    if (con->number == NS_CON_UNIT) {
        type->kind = NS_TYPE_UNIT;
        return true;
    }
    type->kind = NS_TYPE_NAMED;
    type->named.name = con->info != NULL ? con->info->qualified : con->name;
    type->named.arguments.count = con->arity;
    type->named.arguments.items = write_terms(writing, term->data.arguments, con->arity);
    return type->named.arguments.items != NULL;
}

/* Only the parameters of the function around have names that mean something there. */
static bool write_variable(struct writing *writing, struct ns_type *type, const struct ns_term *term)
{
    for (uint32_t i = 0; i < writing->left_out->around_count; i++)
        if (ns_prune(writing->left_out->around[i].term) == term) {
            type->kind = NS_TYPE_VARIABLE;
            type->variable = writing->left_out->around[i].name;
            return true;
        }
    return false;
}

static bool write_function(struct writing *writing, struct ns_type *type, const struct ns_term *term)
{
    type->kind = NS_TYPE_FUNCTION;
    type->function.parameters.count = term->function.count;
    type->function.parameters.items = write_terms(writing, term->function.parameters, term->function.count);
    type->function.result = write_term(writing, term->function.result);
    return type->function.parameters.items != NULL && type->function.result != NULL;
}

static struct ns_type *write_term(struct writing *writing, struct ns_term *term)
{
    struct ns_type *type = nb_arena_alloc(writing->check->arena, sizeof *type);
    bool known = false;

    if (++writing->parts > TYPE_PARTS_MAX)
        return NULL;
    term = ns_prune(term);
    type->span = writing->left_out->call->span;
    switch (term->kind) {
    case NS_TERM_DATA:
        known = write_named(writing, type, term);
        break;
    case NS_TERM_TUPLE:
        type->kind = NS_TYPE_TUPLE;
        type->items.count = term->tuple.count;
        type->items.items = write_terms(writing, term->tuple.items, term->tuple.count);
        known = type->items.items != NULL;
        break;
    case NS_TERM_FUNCTION:
        known = write_function(writing, type, term);
        break;
    case NS_TERM_VARIABLE:
        known = write_variable(writing, type, term);
        break;
    case NS_TERM_ANY:
    case NS_TERM_NEVER:
        break;
    }
    return known ? type : NULL;
}

void ns_fill_in_left_out(struct ns_check *check)
{
    for (const struct ns_left_out *left_out = check->left_out; left_out != NULL; left_out = left_out->next) {
        struct writing writing = { check, left_out, 0 };
        struct ns_type **types = write_terms(&writing, left_out->terms, left_out->count);

        if (types != NULL && left_out->call->call.type_arguments.count == 0)
            left_out->call->call.type_arguments = (struct ns_type_list){ types, left_out->count };
    }
}
