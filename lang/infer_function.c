/*
 * infer_function.c - what has parameters and a body: clauses, lambdas, local functions (02 §5.3, §6.5).
 */
#include "config.h"

#include <string.h>

#include "lang/infer.h"
#include "lang/walk.h"

static const struct ns_span nowhere = { NULL, 0, 0 };

/* ---- bodies that throw ---- */

struct search { bool found; };

static void look_for_throw(void *context, struct ns_expr *expr)
{
    struct search *search = context;

    if (search->found || expr->kind == NS_EXPR_LAMBDA || expr->kind == NS_EXPR_LOCAL_FUNCTION)
        return;
    if (expr->kind == NS_EXPR_CALL && expr->call.callee->kind == NS_EXPR_NAME &&
        (strcmp(expr->call.callee->name, "throw") == 0 || strcmp(expr->call.callee->name, "panic") == 0))
        search->found = true;
    ns_walk_children(expr, look_for_throw, context);
}

bool ns_throws_directly(const struct ns_expr *body)
{
    struct search search = { false };

    look_for_throw(&search, (struct ns_expr *)body);
    return search.found;
}

/* ---- parameters ---- */

static struct ns_term *parameter_term(struct ns_check *check, const struct ns_parameter *parameter)
{
    return parameter->type == NULL ? ns_variable(check) : ns_term_of_type(check, check->body->types, parameter->type);
}

/* A default must fit, but does not decide what the parameter is: it is one call of many. */
static void check_default(struct ns_check *check, const struct ns_parameter *parameter, struct ns_term *term)
{
    struct ns_term *found;
    struct ns_trial trial;
    bool fits;

    if (parameter->value == NULL)
        return;
    found = ns_infer(check, parameter->value, parameter->type == NULL ? NULL : term);
    ns_settle(check);
    trial = ns_trial_begin(check);
    fits = ns_unify(check, term, found) == NS_UNIFIED;
    ns_trial_end(check, trial, fits && parameter->type != NULL);
    if (!fits && !(parameter->type == NULL && ns_are_numbers(term, found)))
        ns_complain_mismatch(check, parameter->value->span, term, found, nowhere, NULL);
    if (fits && parameter->type == NULL)
        ns_check_demands_of(check, term, found, parameter->value->span);
}

static bool has_defaults(const struct ns_function *function)
{
    for (uint32_t i = 0; i < function->parameters.count; i++)
        if (function->parameters.items[i].value != NULL)
            return true;
    return false;
}

/* Defaults, each of which sees the parameters in front of it. The names of the body are not in scope any more. */
static void check_defaults(struct ns_check *check, const struct ns_function *function, struct ns_term *const *terms)
{
    size_t scope = ns_names_begin(check);

    for (uint32_t i = 0; i < function->parameters.count; i++) {
        check_default(check, &function->parameters.items[i], terms[i]);
        ns_infer_pattern(check, function->parameters.items[i].pattern, terms[i]);
    }
    ns_settle(check);
    ns_names_end(check, scope);
}

/* ---- clauses ---- */

static void check_result(struct ns_check *check, const struct ns_function *clause, struct ns_term *result,
                         struct ns_term *term)
{
    if (ns_is_basic(result, NS_CON_UNIT) && clause->return_type != NULL)
        return; /* the value is dropped */
    if (ns_unify(check, result, term) == NS_UNIFIED)
        return;
    ns_complain_clash(check, clause->body->span, result, term,
                      clause->return_type == NULL ? nowhere : clause->return_type->span, "the declared result");
}

void ns_infer_clause(struct ns_check *check, const struct ns_function *clause, struct ns_term *function,
                     struct ns_typed_body *body)
{
    size_t scope, late = check->late.count;
    struct ns_term *term;

    body->outer = check->body;
    body->depth = check->body == NULL ? 1 : check->body->depth + 1;
    check->body = body;
    scope = ns_names_begin(check);
    for (uint32_t i = 0; i < clause->parameters.count; i++) {
        ns_infer_pattern(check, clause->parameters.items[i].pattern, function->function.parameters[i]);
        ns_note_declared(check, &clause->parameters.items[i]);
    }
    if (clause->guard != NULL)
        ns_infer_as(check, clause->guard, ns_basic(check, NS_CON_BOOL), nowhere, NULL);
    if (clause->body != NULL) {
        term = ns_infer(check, clause->body, body->result);
        ns_settle(check);
        check_result(check, clause, body->result, term);
        ns_settle(check);
    }
    ns_names_end(check, scope);
    if (has_defaults(clause))
        check_defaults(check, clause, function->function.parameters);
    ns_settle_late(check, late);
    check->body = body->outer;
}

/* ---- lambdas ---- */

/* What the context says about each parameter; NULL where it says nothing. */
static struct ns_term **parameter_hints(struct ns_check *check, const struct ns_function *function,
                                        struct ns_term *expected)
{
    uint32_t count = function->parameters.count;
    struct ns_term **hints = ns_terms(check, count), *tuple;

    if (expected == NULL || expected->kind != NS_TERM_FUNCTION)
        return hints;
    if (expected->function.count == count)
        return expected->function.parameters;
    if (expected->function.count != 1 || count < 2)
        return hints;
    tuple = ns_prune(expected->function.parameters[0]);
    if (tuple->kind == NS_TERM_TUPLE && tuple->tuple.count == count)
        return tuple->tuple.items;
    if (tuple->kind == NS_TERM_VARIABLE) {
        for (uint32_t i = 0; i < count; i++)
            hints[i] = ns_variable(check);
        ns_unify(check, tuple, ns_tuple_of(check, hints, count));
    }
    return hints;
}

static struct ns_term *lambda_parameter(struct ns_check *check, const struct ns_parameter *parameter,
                                        struct ns_term *hint)
{
    struct ns_term *term;

    if (parameter->type == NULL && hint != NULL)
        return hint;
    term = parameter_term(check, parameter);
    if (hint != NULL && ns_unify(check, hint, term) != NS_UNIFIED)
        ns_complain_clash(check, parameter->pattern->span, hint, term, nowhere, NULL);
    return term;
}

static uint32_t required_of(const struct ns_function *function)
{
    uint32_t required = function->parameters.count;

    while (required > 0 && function->parameters.items[required - 1].value != NULL)
        required--;
    return required;
}

/* The body fits what the context wants, or the error is shown there and the result says no more. */
static struct ns_term *lambda_result(struct ns_check *check, const struct ns_function *function, struct ns_term *hint,
                                     struct ns_term *term)
{
    if (hint == NULL || hint->kind == NS_TERM_ANY || ns_unify(check, hint, term) == NS_UNIFIED)
        return term;
    if (!ns_are_numbers(hint, term))
        ns_complain_clash(check, function->body->span, hint, term, nowhere, NULL);
    return ns_any(check);
}

struct ns_term *ns_infer_lambda(struct ns_check *check, const struct ns_function *function, struct ns_term *expected)
{
    uint32_t count = function->parameters.count;
    struct ns_typed_body body = *check->body;
    struct ns_term **hints, **parameters = ns_terms(check, count), *result, *hint;
    size_t scope = ns_names_begin(check);

    expected = expected == NULL ? NULL : ns_prune(expected);
    hints = parameter_hints(check, function, expected);
    hint = expected != NULL && expected->kind == NS_TERM_FUNCTION && hints != NULL ? expected->function.result : NULL;
    body.outer = check->body;
    body.depth++;
    body.result = NULL;
    body.lenient = body.lenient || ns_throws_directly(function->body);
    check->body = &body;
    for (uint32_t i = 0; i < count; i++) {
        parameters[i] = lambda_parameter(check, &function->parameters.items[i], hints[i]);
        ns_infer_pattern(check, function->parameters.items[i].pattern, parameters[i]);
        ns_note_declared(check, &function->parameters.items[i]);
    }
    if (function->return_type != NULL)
        hint = ns_term_of_type(check, body.types, function->return_type);
    result = ns_infer(check, function->body, hint);
    ns_settle(check);
    result = lambda_result(check, function, hint == NULL ? NULL : ns_prune(hint), result);
    ns_names_end(check, scope);
    if (has_defaults(function))
        check_defaults(check, function, parameters);
    check->body = body.outer;
    check->body->failed |= body.failed;
    return ns_function_of(check, parameters, count, required_of(function), result);
}

/* ---- local functions ---- */

/* Their names stay dynamic (02 §5.9); their bodies are looked at all the same. */
void ns_infer_local_function(struct ns_check *check, const struct ns_function *function)
{
    uint32_t count = function->parameters.count;
    struct ns_type_scope types = *check->body->types;
    struct ns_typed_body body = { .space = check->body->space, .types = &types,
                                  .lenient = check->body->lenient || ns_throws_directly(function->body) };
    struct ns_term **parameters = ns_terms(check, count), *term;

    types.variables = (struct ns_table){ 0 };
    for (uint32_t i = 0; i < check->body->types->variables.count; i++)
        ns_table_set(&types.variables, check->body->types->variables.entries[i].name,
                     check->body->types->variables.entries[i].value);
    ns_declare_type_parameters(check, &types, &function->type_parameters);
    for (uint32_t i = 0; i < count; i++) {
        const struct ns_parameter *parameter = &function->parameters.items[i];

        parameters[i] = parameter->type == NULL ? ns_variable(check) : ns_term_of_type(check, &types, parameter->type);
    }
    body.result = function->return_type == NULL ? ns_variable(check)
                                                : ns_term_of_type(check, &types, function->return_type);
    term = ns_function_of(check, parameters, count, count, body.result);
    ns_infer_clause(check, function, term, &body);
    ns_table_done(&types.variables);
}
