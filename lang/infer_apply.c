/*
 * infer_apply.c - functions are given arguments: what fits, what is tolerated, and what is said of the rest (02 §6.1,
 * §6.4).
 *
 * Arguments are looked at in two rounds: first all but lambdas, then lambdas from left to right, so that a lambda knows
 * what its parameters are.
 */
#include "config.h"

#include <string.h>

#include "lang/infer.h"

/* ---- arguments ---- */

static bool is_lambda(const struct ns_typed_argument *argument)
{
    return argument->term == NULL && argument->expr != NULL && argument->expr->kind == NS_EXPR_LAMBDA;
}

void ns_infer_arguments(struct ns_check *check, struct ns_typed_argument *arguments, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (arguments[i].term == NULL && arguments[i].expr != NULL)
            arguments[i].term = ns_infer(check, arguments[i].expr, NULL);
}

/* Where a group's parameter is declared. */
static struct ns_span parameter_place(const struct ns_callee *callee, uint32_t position)
{
    struct ns_span nowhere = { NULL, 0, 0 };

    if (callee->group == NULL || position >= callee->group->arity || callee->group->types[position] == NULL)
        return nowhere;
    return callee->group->types[position]->span;
}

static struct ns_term *parameter_of_scheme(const struct ns_group *group, uint32_t position)
{
    struct ns_term *term = group->typing == NULL || group->typing->term == NULL ? NULL : ns_prune(group->typing->term);

    if (term == NULL || term->kind != NS_TERM_FUNCTION || position >= term->function.count)
        return NULL;
    return ns_prune(term->function.parameters[position]);
}

static bool has_annotations(const struct ns_group *group)
{
    for (uint32_t i = 0; i < group->arity; i++)
        if (group->types[i] != NULL)
            return true;
    return group->clauses.count > 0 && group->clauses.items[0]->return_type != NULL;
}

/* One bare variable for two parameters, given two basic types (02 §12.3). */
static void note_annotation_required(struct ns_check *check, const struct ns_callee *callee,
                                     const struct ns_typed_argument *arguments, uint32_t position)
{
    struct ns_term *variable;

    if (callee->group == NULL || callee->group->space->library || has_annotations(callee->group))
        return;
    variable = parameter_of_scheme(callee->group, position);
    if (variable == NULL || variable->kind != NS_TERM_VARIABLE || variable->variable.demands != NULL)
        return;
    for (uint32_t i = 0; i < position; i++)
        if (parameter_of_scheme(callee->group, i) == variable && arguments[i].term != NULL)
            ns_note(check->unit->diag,
                    "Type annotation required: parameters %u and %u must have the same type, but used as %s and %s",
                    i + 1, position + 1, ns_term_text(check, arguments[i].term),
                    ns_term_text(check, arguments[position].term));
}

/* Traits that the type parameter asks for and the argument lacks belong to the same problem. */
static void note_traits(struct ns_check *check, const struct ns_callee *callee, uint32_t position,
                        struct ns_term *found, struct ns_term *expected)
{
    struct ns_term *variable = callee->group == NULL ? NULL : parameter_of_scheme(callee->group, position);
    const struct ns_demand *demand;

    if (variable == NULL || variable->kind != NS_TERM_VARIABLE)
        return;
    for (demand = variable->variable.demands; demand != NULL; demand = demand->next) {
        if (demand->kind != NS_DEMAND_TRAIT && demand->kind != NS_DEMAND_CONCAT)
            continue;
        if (ns_satisfies(check, found, demand->name, demand->trait, NULL, NULL) == NS_NO)
            ns_also(check->unit->diag, "%s does not implement %s", ns_term_text(check, found), demand->name);
        if (ns_satisfies(check, expected, demand->name, demand->trait, NULL, NULL) == NS_NO)
            ns_also(check->unit->diag, "%s does not implement %s", ns_term_text(check, expected), demand->name);
    }
}

/* Whether the program says what a parameter is: the function, or the trait that the method is of. */
static bool is_declared(const struct ns_group *group, uint32_t position)
{
    if (group->space->library || position >= group->arity)
        return false;
    return group->types[position] != NULL ||
           (group->declared != NULL && position < group->declared->parameters.count &&
            group->declared->parameters.items[position].type != NULL);
}

enum { OPEN_MAX = 32 };

/* The parameters of a function value that may still be anything: (a, b) => a + b takes numbers of two kinds. */
static uint32_t open_parameters(const struct ns_term *function)
{
    uint32_t open = 0;

    for (uint32_t i = 0; i < function->function.count && i < OPEN_MAX; i++)
        if (ns_prune(function->function.parameters[i])->kind == NS_TERM_VARIABLE)
            open |= 1u << i;
    return open;
}

/* Numbers of different kinds go together where nobody wrote down what the parameter is. */
static bool is_tolerated(const struct ns_callee *callee, uint32_t position, struct ns_term *expected,
                         struct ns_term *found)
{
    bool declared = callee->group != NULL && is_declared(callee->group, position);

    if (callee->name == NULL)
        return position < OPEN_MAX && (callee->open >> position & 1) != 0 && ns_are_numbers(expected, found);
    if (declared || !callee->is_loose)
        return false;
    if (callee->group == NULL && expected->kind == NS_TERM_DATA) /* the native's own words: sqrt() takes a Float */
        return false;
    if (callee->group == NULL && strcmp(callee->name, "assert_eq") == 0 && ns_is_basic(found, NS_CON_UNIT))
        return true; /* what a missing key gives (02 §5.6) */
    return ns_are_numbers(expected, found);
}

/* A function that calls itself with ever larger values has no type, but works. */
static bool is_own_recursion(const struct ns_check *check, const struct ns_callee *callee)
{
    if (check->clash.how != NS_INFINITE || callee->group == NULL || callee->group->typing == NULL ||
        callee->group->typing->state != NS_TYPING_BUSY)
        return false;
    callee->group->typing->failed = true;
    return true;
}

/* Of a method call that waited for its receiver: xs.map(x => x * k), where elements and k are numbers of two kinds. */
static bool is_mixing_callback(struct ns_check *check, const struct ns_typed_argument *argument,
                               struct ns_term *parameter)
{
    return argument->expr == NULL && ns_prune(parameter)->kind == NS_TERM_FUNCTION &&
           check->clash.how == NS_MISMATCH && ns_mix_numbers(check, check->clash.expected, check->clash.found);
}

enum { GUESSES_MAX = 3 };

/* What the parameter is may have been guessed from a method that is called on it. */
static void note_guesses(struct ns_check *check, const struct ns_callee *callee, uint32_t position,
                         struct ns_term *found)
{
    const struct ns_group *group = callee->group;

    if (group == NULL || group->typing == NULL || group->types[position] != NULL)
        return;
    for (size_t i = 0; i < group->typing->guessed.count && i < GUESSES_MAX; i++)
        ns_also(check->unit->diag, "Type %s has no method %s", ns_head_text(check, found),
                group->typing->guessed.items[i]);
}

/* Of arguments in the wrong order only the first is worth an error. */
static bool is_swapped_again(const struct ns_callee *callee, struct ns_typed_argument *arguments, uint32_t count,
                             uint32_t position, const struct ns_term *parameter)
{
    bool function = ns_prune(arguments[position].term)->kind == NS_TERM_FUNCTION;

    if (callee->name == NULL || function == (parameter->kind == NS_TERM_FUNCTION))
        return false;
    arguments[position].swapped = true;
    for (uint32_t i = 0; i < count; i++)
        if (arguments[i].swapped && function != (ns_prune(arguments[i].term)->kind == NS_TERM_FUNCTION))
            return true;
    return false;
}

static void fit_argument(struct ns_check *check, const struct ns_callee *callee, struct ns_typed_argument *arguments,
                         uint32_t count, uint32_t position, struct ns_term *parameter)
{
    struct ns_typed_argument *argument = &arguments[position];
    uint32_t shown = position + 1 - callee->is_method;
    size_t errors = ns_diag_count(check->unit->diag);

    if (is_tolerated(callee, position, parameter, argument->term)) {
        if (ns_con_of_term(parameter) != ns_con_of_term(argument->term))
            ns_loosen(check, parameter);
        return;
    }
    if (ns_unify(check, parameter, argument->term) == NS_UNIFIED || is_own_recursion(check, callee) ||
        is_mixing_callback(check, argument, parameter))
        return;
    if (is_swapped_again(callee, arguments, count, position, ns_prune(parameter)))
        return;
    if (check->clash.how != NS_MISMATCH || callee->name == NULL)
        ns_complain_clash(check, argument->span, parameter, argument->term, (struct ns_span){ NULL, 0, 0 }, NULL);
    else
        ns_complain_argument(check, argument->span, shown, callee->name, parameter, argument->term,
                             parameter_place(callee, position));
    if (ns_is_muted(check) || !ns_reported(check->unit))
        return;
    ns_label_declared(check, argument->expr, errors);
    note_annotation_required(check, callee, arguments, position);
    note_guesses(check, callee, position, argument->term);
    note_traits(check, callee, position, argument->term, parameter);
}

static bool is_int_literal(const struct ns_expr *expr)
{
    return expr->kind == NS_EXPR_LITERAL && expr->literal.kind == NS_LITERAL_INT;
}

/* Beside a lambda a literal number may turn out to be of another kind: fold(xs, 0, (a, x) => a + x). */
static struct ns_term *flexible_literal(struct ns_check *check, const struct ns_expr *expr)
{
    struct ns_term *term = ns_variable(check);

    ns_demand_trait(check, term, "Num", NULL, expr->span, NULL);
    return term;
}

static bool has_lambda(const struct ns_typed_argument *arguments, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (is_lambda(&arguments[i]))
            return true;
    return false;
}

static void first_round(struct ns_check *check, const struct ns_callee *callee, struct ns_typed_argument *arguments,
                        uint32_t count, struct ns_term *const *parameters)
{
    bool flexible = has_lambda(arguments, count);

    for (uint32_t i = 0; i < count; i++) {
        struct ns_typed_argument *argument = &arguments[i];

        if ((argument->expr == NULL && argument->term == NULL) || is_lambda(argument))
            continue;
        if (argument->term == NULL && flexible && is_int_literal(argument->expr) &&
            ns_prune(parameters[i])->kind == NS_TERM_VARIABLE)
            argument->term = argument->expr->term = flexible_literal(check, argument->expr);
        if (argument->term == NULL)
            argument->term = ns_infer(check, argument->expr, parameters[i]);
        fit_argument(check, callee, arguments, count, i, parameters[i]);
    }
}

static void second_round(struct ns_check *check, const struct ns_callee *callee, struct ns_typed_argument *arguments,
                         uint32_t count, struct ns_term *const *parameters)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!is_lambda(&arguments[i]))
            continue;
        arguments[i].term = ns_infer(check, arguments[i].expr, parameters[i]);
        fit_argument(check, callee, arguments, count, i, parameters[i]);
        ns_settle(check);
    }
}

/* ---- calls of something with a known type ---- */

static bool takes_count(const struct ns_term *function, uint32_t count)
{
    return count >= function->function.required && count <= function->function.count;
}

/* One tuple for all parameters of a function value. */
static bool spreads(struct ns_check *check, const struct ns_callee *callee, const struct ns_term *function,
                    struct ns_typed_argument *arguments, uint32_t count)
{
    struct ns_term *term;

    if (count != 1 || function->function.count < 2)
        return false;
    ns_infer_arguments(check, arguments, count);
    term = arguments[0].term == NULL ? ns_any(check) : ns_prune(arguments[0].term);
    if (term->kind == NS_TERM_TUPLE && term->tuple.count == function->function.count) {
        if (ns_unify(check, ns_tuple_of(check, function->function.parameters, function->function.count), term) !=
            NS_UNIFIED)
            ns_complain_clash(check, arguments[0].span,
                              ns_tuple_of(check, function->function.parameters, function->function.count), term,
                              (struct ns_span){ NULL, 0, 0 }, NULL);
        return true;
    }
    return (term->kind == NS_TERM_VARIABLE && callee->name == NULL) || term->kind == NS_TERM_ANY;
}

/* A number of another kind than its parameter's was tolerated. */
static bool is_mixed(const struct ns_term *function, const struct ns_typed_argument *arguments, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct ns_term *parameter = ns_prune(function->function.parameters[i]);
        struct ns_term *term = arguments[i].term == NULL ? NULL : ns_prune(arguments[i].term);

        if (term != NULL && ns_are_numbers(parameter, term) && parameter->data.con != term->data.con)
            return true;
    }
    return false;
}

/* Which of the kinds it has is known when the program runs: f(2, 0.5) with f(a, b) = a + b. */
static struct ns_term *mixed_result(struct ns_check *check, const struct ns_term *function)
{
    struct ns_term *result = ns_prune(function->function.result);
    bool is_certain = result->kind == NS_TERM_DATA && result->data.con->arity == 0 && !ns_is_number(result);

    return is_certain ? result : ns_any(check);
}

static struct ns_term *apply_function(struct ns_check *check, struct ns_callee *callee,
                                      struct ns_typed_argument *arguments, uint32_t count, struct ns_span span)
{
    struct ns_term *function = ns_prune(callee->term);
    uint32_t given = 0, mixtures = check->mixtures;

    callee->open = open_parameters(function);
    for (uint32_t i = 0; i < count; i++)
        given += arguments[i].expr != NULL || arguments[i].term != NULL;
    if (count > function->function.count || (given == count && !takes_count(function, count))) {
        if (!spreads(check, callee, function, arguments, count)) {
            ns_infer_arguments(check, arguments, count);
            ns_complain_count(check, span, callee->name, function->function.required - callee->is_method,
                              count - callee->is_method);
        }
        return function->function.result;
    }
    first_round(check, callee, arguments, count, function->function.parameters);
    ns_settle(check);
    second_round(check, callee, arguments, count, function->function.parameters);
    ns_settle(check);
    return check->mixtures != mixtures || is_mixed(function, arguments, count) ? mixed_result(check, function)
                                                                               : function->function.result;
}

/* A value of unknown type is a function from now on. */
static struct ns_term *apply_unknown(struct ns_check *check, struct ns_term *callee,
                                     const struct ns_typed_argument *arguments, uint32_t count, struct ns_span span)
{
    struct ns_term **parameters = ns_terms(check, count);
    struct ns_term *result = ns_variable(check), *function;

    for (uint32_t i = 0; i < count; i++)
        parameters[i] = arguments[i].term == NULL ? ns_any(check) : arguments[i].term;
    function = ns_function_of(check, parameters, count, count, result);
    if (ns_unify(check, callee, function) == NS_UNIFIED)
        return result;
    ns_complain_clash(check, span, callee, function, (struct ns_span){ NULL, 0, 0 }, NULL);
    return ns_any(check);
}

struct ns_term *ns_apply(struct ns_check *check, struct ns_callee *callee, struct ns_typed_argument *arguments,
                         uint32_t count, struct ns_span span)
{
    struct ns_term *term = ns_prune(callee->term);

    if (term->kind == NS_TERM_FUNCTION)
        return apply_function(check, callee, arguments, count, span);
    ns_infer_arguments(check, arguments, count);
    ns_settle(check);
    term = ns_prune(term);
    if (term->kind == NS_TERM_FUNCTION) /* the arguments told: f(f(x)) */
        return apply_function(check, callee, arguments, count, span);
    if (term->kind == NS_TERM_VARIABLE)
        return apply_unknown(check, term, arguments, count, span);
    if (term->kind == NS_TERM_DATA || term->kind == NS_TERM_TUPLE) {
        struct ns_term **parameters = ns_terms(check, count);

        for (uint32_t i = 0; i < count; i++)
            parameters[i] = arguments[i].term == NULL ? ns_any(check) : arguments[i].term;
        ns_complain_mismatch(check, span, ns_function_of(check, parameters, count, count, ns_variable(check)), term,
                             (struct ns_span){ NULL, 0, 0 }, NULL);
    }
    return ns_any(check);
}
