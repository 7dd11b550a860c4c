/*
 * infer_call.c - which function, native or value a call means; pipes (02 §6.1–6.5). infer_apply.c does the rest.
 */
#include "config.h"

#include <string.h>

#include "base/intern.h"
#include "lang/infer.h"
#include "lang/pipe.h"

/* ---- which function ---- */

bool ns_has_names(const struct ns_argument_list *written)
{
    for (uint32_t i = 0; written != NULL && i < written->count; i++)
        if (written->items[i].name.text != NULL)
            return true;
    return false;
}

/* Names of parameters; some may be NULL. */
struct parameters { const char *const *names; uint32_t arity; };

static struct parameters parameters_of(const struct ns_group *group)
{
    return (struct parameters){ group->parameter_names, group->arity };
}

static int position_of(struct parameters parameters, const char *name)
{
    for (uint32_t i = 0; i < parameters.arity; i++)
        if (parameters.names[i] == name)
            return (int)i;
    return -1;
}

/* Arguments in the order of parameters; false when they do not fit, which is reported when code is made. The first
 * `count - written->count` arguments are positional and not written (a receiver). */
static bool place(struct ns_check *check, struct parameters parameters, struct ns_typed_argument **arguments,
                  uint32_t *count, const struct ns_argument_list *written)
{
    struct ns_typed_argument *placed = nb_arena_array(check->arena, parameters.arity + 1, sizeof *placed);
    uint32_t front = *count - written->count, next = 0;

    for (uint32_t i = 0; i < *count; i++) {
        const char *name = i < front ? NULL : written->items[i - front].name.text;
        int position;

        if (name == NULL) {
            while (next < parameters.arity && (placed[next].expr != NULL || placed[next].term != NULL))
                next++;
            position = (int)next;
        } else {
            position = position_of(parameters, name);
        }
        if (position < 0 || (uint32_t)position >= parameters.arity)
            return false;
        placed[position] = (*arguments)[i];
    }
    *arguments = placed;
    *count = parameters.arity;
    return true;
}

static bool takes_arguments(const struct ns_group *group, uint32_t count, const struct ns_argument_list *written,
                            bool names)
{
    if (count > group->arity)
        return false;
    if (!names)
        return count >= group->required;
    for (uint32_t i = 0; i < written->count; i++)
        if (written->items[i].name.text != NULL && position_of(parameters_of(group), written->items[i].name.text) < 0)
            return false;
    return true;
}

bool ns_is_conversion(const struct ns_group *group)
{
    return !group->space->library && strncmp(group->name, "to", 2) == 0 && vm_native_find(group->name, 1) != NULL;
}

/* toInt(x) and the like stay conversions for what is or may be a number, whatever functions of that name there are. */
static bool is_conversion(struct ns_check *check, const struct ns_group *group, struct ns_typed_argument *arguments,
                          uint32_t count)
{
    struct ns_term *term;

    if (count != 1 || !ns_is_conversion(group))
        return false;
    ns_infer_arguments(check, arguments, 1);
    ns_settle(check);
    term = ns_prune(arguments[0].term);
    return term->kind == NS_TERM_VARIABLE || term->kind == NS_TERM_ANY || ns_is_number(term);
}

struct ns_term *ns_call_group(struct ns_check *check, struct ns_group *group, struct ns_typed_argument *arguments,
                              uint32_t count, const struct ns_argument_list *written, struct ns_span span)
{
    struct ns_callee callee = { .term = ns_term_of_group(check, group, span), .name = group->name, .group = group,
                                .is_loose = true };

    if (is_conversion(check, group, arguments, count))
        return ns_any(check);
    if (ns_has_names(written) && !place(check, parameters_of(group), &arguments, &count, written)) {
        ns_infer_arguments(check, arguments, count);
        return ns_any(check);
    }
    return ns_apply(check, &callee, arguments, count, span);
}

/* Whether the arguments' types fit a function's parameters. */
static bool would_fit(struct ns_check *check, struct ns_term *function, const struct ns_typed_argument *arguments,
                      uint32_t count)
{
    struct ns_trial trial = ns_trial_begin(check);
    bool fits = true;

    function = ns_prune(function);
    for (uint32_t i = 0; function->kind == NS_TERM_FUNCTION && i < count && i < function->function.count && fits; i++)
        if (arguments[i].term != NULL)
            fits = ns_unify(check, function->function.parameters[i], arguments[i].term) == NS_UNIFIED;
    ns_trial_end(check, trial, false);
    return fits;
}

static bool all_known(const struct ns_typed_argument *arguments, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (arguments[i].term == NULL || !ns_is_known(arguments[i].term))
            return false;
    return true;
}

/* Several functions take so many arguments: the one whose parameters fit, if there is one; else it is not known. */
static struct ns_term *call_overloaded(struct ns_check *check, const struct ns_functions *functions,
                                       struct ns_typed_argument *arguments, uint32_t count,
                                       const struct ns_argument_list *written, struct ns_span span)
{
    bool names = ns_has_names(written);
    struct ns_group *fitting = NULL, *some = NULL;
    unsigned fit = 0;

    ns_infer_arguments(check, arguments, count);
    ns_settle(check);
    for (size_t i = 0; !names && i < functions->groups.count; i++) {
        struct ns_group *group = functions->groups.items[i];

        if (!takes_arguments(group, count, written, names))
            continue;
        some = group;
        if (would_fit(check, ns_term_of_group(check, group, span), arguments, count)) {
            fitting = group;
            fit++;
        }
    }
    if (fit == 1)
        return ns_call_group(check, fitting, arguments, count, written, span);
    if (fit == 0 && some != NULL && all_known(arguments, count))
        return ns_call_group(check, some, arguments, count, written, span);
    return ns_any(check);
}

static struct ns_term *call_functions(struct ns_check *check, const struct ns_functions *functions,
                                      struct ns_typed_argument *arguments, uint32_t count,
                                      const struct ns_argument_list *written, struct ns_span span)
{
    struct ns_group *only = NULL;
    unsigned found = 0;

    for (size_t i = 0; i < functions->groups.count; i++)
        if (takes_arguments(functions->groups.items[i], count, written, ns_has_names(written))) {
            only = functions->groups.items[i];
            found++;
        }
    if (found == 1)
        return ns_call_group(check, only, arguments, count, written, span);
    if (found > 1)
        return call_overloaded(check, functions, arguments, count, written, span);
    ns_infer_arguments(check, arguments, count); /* a wrong number is reported when code is made */
    return ns_any(check);
}

/* The result of sqrt(x) is a Float as long as it is not known of which kind x is: it does not make one of two numbers
 * that only meet in what is done with it. */
static struct ns_term *native_result(struct ns_check *check, struct ns_term *result)
{
    const struct ns_demand *demand;

    result = ns_prune(result);
    if (result->kind == NS_TERM_VARIABLE)
        for (demand = result->variable.demands; demand != NULL; demand = demand->next)
            if (strcmp(demand->name, "Floating") == 0)
                return ns_basic(check, NS_CON_FLOAT);
    return result;
}

static bool place_for_native(struct ns_check *check, const char *name, struct ns_typed_argument **arguments,
                             uint32_t *count, const struct ns_argument_list *written)
{
    const struct vm_native *native = vm_native_find(name, (int)*count);
    const char *const *names = vm_native_parameters(native);

    return names != NULL && place(check, (struct parameters){ names, *count }, arguments, count, written);
}

static struct ns_term *call_native(struct ns_check *check, const char *native, const char *name,
                                   struct ns_typed_argument *arguments, uint32_t count,
                                   const struct ns_argument_list *written, struct ns_span span)
{
    struct ns_term *scheme = ns_scheme_of_native(check, native, (int)count);
    struct ns_callee callee = { .name = name, .is_loose = true };

    if (scheme == NULL || (ns_has_names(written) && !place_for_native(check, native, &arguments, &count, written))) {
        ns_infer_arguments(check, arguments, count);
        return ns_any(check);
    }
    callee.term = ns_instantiate(check, scheme, count == 1 ? arguments[0].span : span, name);
    return native_result(check, ns_apply(check, &callee, arguments, count, span));
}

/* A method of the program may be meant by a function's name, if the first argument's type has one (02 §6.7). */
static struct ns_term *call_as_method(struct ns_check *check, const char *name, struct ns_typed_argument *arguments,
                                      uint32_t count, struct ns_span span)
{
    struct ns_method_call call = { .span = span, .as_function = true };

    ns_infer_arguments(check, arguments, 1);
    ns_settle(check);
    return ns_call_method(check, name, arguments, count, &call);
}

struct ns_term *ns_call_meaning(struct ns_check *check, struct ns_meaning meaning, const char *name,
                                struct ns_typed_argument *arguments, uint32_t count,
                                const struct ns_argument_list *written, struct ns_span span)
{
    struct ns_callee callee = { .term = NULL };

    if (count > 0 && !ns_has_names(written) &&
        (meaning.kind == NS_MEANS_METHOD || ((meaning.kind == NS_MEANS_FUNCTIONS || meaning.kind == NS_MEANS_NATIVE) &&
                                             ns_table_get(&check->unit->own_methods, name) != NULL)))
        return call_as_method(check, meaning.kind == NS_MEANS_METHOD ? meaning.method : name, arguments, count, span);
    switch (meaning.kind) {
    case NS_MEANS_FUNCTIONS:
        return call_functions(check, meaning.functions, arguments, count, written, span);
    case NS_MEANS_NATIVE:
        return call_native(check, meaning.native, name, arguments, count, written, span);
    case NS_MEANS_VALUE:
    case NS_MEANS_CONSTRUCTOR:
        callee.term = ns_term_of_meaning(check, meaning, span);
        if (!ns_has_names(written))
            return ns_apply(check, &callee, arguments, count, span);
        break;
    case NS_MEANS_METHOD:
    case NS_MEANS_NOTHING:
        break;
    }
    ns_infer_arguments(check, arguments, count);
    return ns_any(check);
}

/* ---- plain calls ---- */

struct ns_typed_argument *ns_arguments_of(struct ns_check *check, const struct ns_argument_list *written)
{
    struct ns_typed_argument *arguments = nb_arena_array(check->arena, written->count + 1, sizeof *arguments);

    for (uint32_t i = 0; i < written->count; i++) {
        arguments[i].expr = written->items[i].value;
        arguments[i].span = written->items[i].value->span;
    }
    return arguments;
}

/* assertType[T](e): the only call whose type argument the checker judges by. */
static struct ns_term *call_assert_type(struct ns_check *check, const struct ns_expr *expr,
                                        struct ns_typed_argument *arguments)
{
    struct ns_term *wanted = ns_term_of_type(check, check->body->types, expr->call.type_arguments.items[0]);

    arguments[0].term = ns_infer(check, arguments[0].expr, wanted);
    ns_settle(check);
    if (!ns_is_muted(check) && ns_unify(check, wanted, arguments[0].term) != NS_UNIFIED)
        ns_report(check->unit, expr->span, "assertType failed: expected `%s`, found `%s`", ns_term_text(check, wanted),
                  ns_term_text(check, arguments[0].term));
    return arguments[0].term;
}

static struct ns_term *call_name(struct ns_check *check, struct ns_expr *expr, struct ns_typed_argument *arguments)
{
    const struct ns_expr *callee = expr->call.callee;
    uint32_t count = expr->call.arguments.count;
    const struct ns_typed_local *local = ns_name_find(check, callee->name);
    struct ns_meaning meaning;
    struct ns_term *generic;

    if (local != NULL) {
        struct ns_callee value = { .term = local->is_scheme ? ns_instantiate(check, local->term, expr->span, NULL)
                                                            : local->term };

        expr->call.callee->term = value.term;
        if (ns_has_names(&expr->call.arguments))
            value.term = ns_any(check);
        return ns_apply(check, &value, arguments, count, expr->span);
    }
    if (strcmp(callee->name, "throw") == 0 || strcmp(callee->name, "panic") == 0) {
        ns_infer_arguments(check, arguments, count);
        return ns_never(check);
    }
    if (strcmp(callee->name, "self") == 0 && count == 0)
        return ns_basic(check, NS_CON_PID);
    if (strcmp(callee->name, "assertType") == 0 && count == 1 && expr->call.type_arguments.count == 1)
        return call_assert_type(check, expr, arguments);
    meaning = ns_find(check->unit, check->body->space, callee->name);
    generic = ns_call_generic(check, expr, meaning, arguments, count);
    if (generic != NULL)
        return generic;
    if (expr->call.type_arguments.count > 0 && meaning.kind == NS_MEANS_NATIVE) {
        ns_infer_arguments(check, arguments, count);
        return ns_any(check);
    }
    return ns_call_meaning(check, meaning, callee->name, arguments, count, &expr->call.arguments, expr->span);
}

struct ns_term *ns_infer_call(struct ns_check *check, struct ns_expr *expr)
{
    struct ns_typed_argument *arguments = ns_arguments_of(check, &expr->call.arguments);
    struct ns_callee callee = { .term = NULL };

    if (expr->call.callee->kind == NS_EXPR_NAME)
        return call_name(check, expr, arguments);
    callee.term = ns_infer(check, expr->call.callee, NULL);
    ns_settle(check);
    return ns_apply(check, &callee, arguments, expr->call.arguments.count, expr->span);
}

/* ---- pipes ---- */

struct ns_term *ns_infer_pipe(struct ns_check *check, struct ns_expr *expr)
{
    expr->pair.call = ns_pipe_call(check->arena, expr);
    return ns_infer(check, expr->pair.call, NULL);
}
