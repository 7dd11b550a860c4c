/*
 * lower_call.c - calls of functions, natives and values (01 §12).
 *
 * The arguments of a known function are put in parameter order here; omitted ones are passed as VM_NONE and computed by
 * the callee. What is only known at run time goes through a site (vm/code.h).
 */
#include "config.h"

#include "lang/lower_call.h"

#include <string.h>

#include "base/intern.h"
#include "lang/copy.h"
#include "lang/pipe.h"

/* ---- the instructions ---- */

/* Whether a call may replace this frame; then the way for it has been cleared. */
bool ns_make_way(struct ns_frame *frame, struct ns_target target)
{
    bool dropped = target.want == NS_WANT_DROP_TAIL;

    if (!dropped && target.want != NS_WANT_RETURN)
        return false;
    if (!ns_can_tail_call(frame))
        return false;
    ns_push_stubs(frame, dropped);
    return true;
}

void ns_call_function(struct ns_frame *frame, const struct vm_function *function, const unsigned *arguments,
                      unsigned count, struct ns_target target)
{
    unsigned saved = frame->code.next, to;

    if (ns_make_way(frame, target)) {
        ns_code_tail_call(&frame->code, frame->function, function, arguments, count);
    } else {
        to = ns_place(frame, target);
        ns_code_call(&frame->code, to, function, arguments, count);
        ns_deliver(frame, to, target);
    }
    frame->code.next = saved;
}

void ns_call_value(struct ns_frame *frame, unsigned callee, const unsigned *arguments, unsigned count,
                   struct ns_target target)
{
    unsigned saved = frame->code.next, to;

    if (ns_make_way(frame, target)) {
        ns_code_list(&frame->code, VM_OP_TAIL_CALL_VALUE, 0, callee, arguments, count);
    } else {
        to = ns_place(frame, target);
        ns_code_list(&frame->code, VM_OP_CALL_VALUE, to, callee, arguments, count);
        ns_deliver(frame, to, target);
    }
    frame->code.next = saved;
}

static void call_native(struct ns_frame *frame, const struct vm_native *native, const unsigned *arguments,
                        unsigned count, struct ns_target target)
{
    unsigned saved = frame->code.next;
    unsigned to = ns_place(frame, target);

    ns_code_list_w(&frame->code, VM_OP_CALL_NATIVE, to, 0, vm_from_object(native), arguments, count);
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

/* The function that the named arguments fit; any that takes so many if none does. */
static struct ns_group *group_for_names(const struct ns_functions *functions, const struct ns_call *call)
{
    struct ns_group *some = functions->groups.items[0];

    for (size_t i = 0; i < functions->groups.count; i++) {
        struct ns_group *group = functions->groups.items[i];
        bool all = group->arity >= call->count;

        for (uint32_t k = 0; k < call->count && all; k++)
            all = call->written[k].name.text == NULL ||
                  ns_parameter_position(ns_parameters_of(group), call->written[k].name.text) >= 0;
        if (all)
            return group;
        if (group->arity >= call->count)
            some = group;
    }
    return some;
}

/* Whether a group takes the same call as one that does, argument for argument. */
static bool takes_likewise(const struct ns_group *group, const struct ns_group *other, const struct ns_call *call,
                           struct ns_expr *const *placed)
{
    if (group->arity != other->arity)
        return false;
    for (uint32_t i = 0; i < group->arity; i++)
        if (placed[i] == NULL && group->defaults[i] == NULL)
            return false;
    for (uint32_t i = 0; i < call->count; i++) {
        const char *name = call->written[i].name.text;

        if (name != NULL && ns_parameter_position(ns_parameters_of(group), name) !=
                                ns_parameter_position(ns_parameters_of(other), name))
            return false;
    }
    return true;
}

/* What a call with named arguments, placed for `group`, goes to: overloads that differ in types only are told apart by
 * the values. */
static struct vm_function *choose_for_names(struct ns_frame *frame, struct ns_functions *functions,
                                            const struct ns_group *group, const struct ns_call *call,
                                            struct ns_expr *const *placed)
{
    bool *wanted = nb_arena_array(frame->unit->arena, functions->groups.count, sizeof *wanted);

    for (size_t i = 0; i < functions->groups.count; i++)
        wanted[i] = takes_likewise(functions->groups.items[i], group, call, placed);
    return ns_choose_among(frame->unit, functions, wanted);
}

static unsigned least_arity(const struct ns_functions *functions)
{
    unsigned least = UINT16_MAX;

    for (size_t i = 0; i < functions->groups.count; i++)
        if (functions->groups.items[i]->required < least)
            least = functions->groups.items[i]->required;
    return least;
}

static void call_functions(struct ns_frame *frame, struct ns_call *call, struct ns_functions *functions,
                           struct ns_target target)
{
    struct vm_function *function;

    functions = ns_instances(frame->unit, frame->space, functions, &call->type_arguments);
    if (ns_call_has_names(call)) {
        struct ns_group *group = group_for_names(functions, call);
        struct ns_expr **items = ns_call_items(frame, group->arity);

        if (!ns_place_arguments(frame, call, ns_parameters_of(group), items)) {
            ns_evaluate_for_errors(frame, call);
            return;
        }
        call->registers = ns_evaluate_arguments(frame, items, group->arity);
        function = choose_for_names(frame, functions, group, call, items);
    } else {
        function = ns_choose(frame->unit, functions, (int)call->count);
        if (function == NULL) {
            ns_report_count(frame, call, least_arity(functions),
                            functions->groups.count == 1 ? functions->groups.items[0] : NULL);
            ns_evaluate_for_errors(frame, call);
            return;
        }
        ns_evaluate_positional(frame, call, function->arity);
    }
    ns_mark_place(frame, call->span);
    ns_call_function(frame, function, call->registers, function->arity, target);
}

/* The first count of arguments that natives of this name take. */
static unsigned native_arity(const char *name)
{
    for (int arity = 0; arity <= VM_NATIVE_ARITY_MAX; arity++)
        if (vm_native_find(name, arity) != NULL)
            return (unsigned)arity;
    return 0;
}

void ns_call_natives(struct ns_frame *frame, struct ns_call *call, const char *full_name, struct ns_target target)
{
    const struct vm_native *native = vm_native_find(full_name, (int)call->count);
    struct ns_parameters parameters = { NULL, NULL, call->count, call->count, NULL };
    struct ns_expr **items = ns_call_items(frame, call->count);

    if (native == NULL) {
        ns_report_count(frame, call, native_arity(full_name), NULL);
        ns_evaluate_for_errors(frame, call);
        return;
    }
    parameters.names = vm_native_parameters(native);
    if (ns_call_has_names(call) && parameters.names == NULL) {
        ns_report(frame->unit, call->span, "`%s` takes no named arguments", call->name);
        ns_evaluate_for_errors(frame, call);
        return;
    }
    if (!ns_place_arguments(frame, call, parameters, items)) {
        ns_evaluate_for_errors(frame, call);
        return;
    }
    call->registers = ns_evaluate_arguments(frame, items, call->count);
    ns_mark_place(frame, call->span);
    call_native(frame, native, call->registers, call->count, target);
}

/* ---- calls of a value ---- */

static void call_operand(struct ns_frame *frame, struct ns_call *call, const struct ns_expr *callee,
                         struct ns_target target)
{
    unsigned reg;

    if (ns_call_has_names(call))
        for (uint32_t i = 0; i < call->count; i++)
            if (call->written[i].name.text != NULL)
                ns_report(frame->unit, call->written[i].name.span,
                          "unknown named argument '%s'; valid parameter names are: ", call->written[i].name.text);
    ns_evaluate_positional(frame, call, call->count);
    reg = ns_operand(frame, callee);
    ns_mark_place(frame, call->span);
    ns_call_value(frame, reg, call->registers, call->count, target);
}

/* Whether the only argument may be a tuple, which a function value takes for all of its parameters (01 §11.2). */
static bool may_spread(const struct ns_call *call)
{
    if (call->count != 1 || ns_call_has_names(call))
        return false;
    switch (call->written[0].value->kind) {
    case NS_EXPR_LITERAL:
    case NS_EXPR_INTERPOLATION:
    case NS_EXPR_LIST:
    case NS_EXPR_RANGE_LIST:
    case NS_EXPR_MAP:
    case NS_EXPR_SET:
    case NS_EXPR_LAMBDA:
        return false;
    default:
        return true;
    }
}

static bool takes_count(const struct ns_group *group, uint32_t count)
{
    return count >= group->required && count <= group->arity;
}

/* A local function or lambda whose parameters are known. */
void ns_call_known_local(struct ns_frame *frame, struct ns_call *call, struct ns_local *local, struct ns_target target)
{
    const struct ns_group *group = local->group;
    uint32_t count = call->count;
    unsigned reg;

    if (ns_call_has_names(call)) {
        struct ns_expr **items = ns_call_items(frame, group->arity);

        if (!ns_place_arguments(frame, call, ns_parameters_of(group), items)) {
            ns_evaluate_for_errors(frame, call);
            return;
        }
        count = group->arity;
        call->registers = ns_evaluate_arguments(frame, items, count);
    } else {
        if (!takes_count(group, count) && !(may_spread(call) && group->arity > 1))
            ns_report_wrong_number(frame, call, group->required);
        ns_evaluate_positional(frame, call, count);
    }
    reg = ns_local_read(frame, local);
    ns_mark_place(frame, call->span);
    ns_call_value(frame, reg, call->registers, count, target);
}

/* Of the local functions with captures that have one name, the one for so many arguments (01 §10.6). */
static struct ns_local *with_count(struct ns_frame *frame, struct ns_local *local, uint32_t count)
{
    if (takes_count(local->group, count))
        return local;
    for (const char *const *other = local->others; other != NULL && *other != NULL; other++) {
        struct ns_local *found = ns_local_find(frame, *other);

        if (found != NULL && takes_count(found->group, count))
            return found;
    }
    return local;
}

static bool takes_tuple(struct ns_frame *frame, const struct ns_call *call, struct ns_functions *functions)
{
    return may_spread(call) && ns_choose(frame->unit, functions, 1) == NULL && least_arity(functions) > 1;
}

static void call_local(struct ns_frame *frame, struct ns_call *call, struct ns_local *local,
                       const struct ns_expr *callee, struct ns_target target)
{
    if (local->functions != NULL && takes_tuple(frame, call, local->functions))
        call_operand(frame, call, callee, target);
    else if (local->functions != NULL && local->is_lambda && !ns_call_has_names(call) &&
             ns_choose(frame->unit, local->functions, (int)call->count) == NULL)
        ns_report_wrong_number(frame, call, least_arity(local->functions));
    else if (local->functions != NULL)
        call_functions(frame, call, local->functions, target);
    else if (local->group != NULL)
        ns_call_known_local(frame, call, with_count(frame, local, call->count), target);
    else
        call_operand(frame, call, callee, target);
}

/* ---- plain calls ---- */

static void lower_throw(struct ns_frame *frame, const struct ns_call *call, struct ns_target target)
{
    unsigned saved = frame->code.next, reg = ns_operand(frame, call->written[0].value);

    (void)target;
    ns_mark_place(frame, call->span);
    ns_code_abc(&frame->code, VM_OP_THROW, reg, 0, 0);
    frame->code.next = saved;
}

static void lower_self(struct ns_frame *frame, struct ns_target target)
{
    unsigned saved = frame->code.next, to = ns_place(frame, target);

    ns_code_abc(&frame->code, VM_OP_SELF, to, 0, 0);
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

/* The names that are recognised before all others but locals (12.4). True when it was one. */
static bool lower_special(struct ns_frame *frame, const struct ns_call *call, struct ns_target target)
{
    if (strcmp(call->name, "throw") == 0 && call->count == 1) {
        lower_throw(frame, call, target);
        return true;
    }
    if (strcmp(call->name, "self") == 0 && call->count == 0) {
        lower_self(frame, target);
        return true;
    }
    return false;
}

/* f[T](…): these want T as a text in front of their arguments; for others it says nothing at run time. */
bool ns_wants_type(const char *name)
{
    static const char *const names[] = { "jsonToType", "fromJson", "makeRecord", "makeVariant", "typeNameOf" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void ns_call_meant(struct ns_frame *frame, struct ns_call *call, struct ns_meaning meaning,
                   const struct ns_expr *callee, struct ns_target target)
{
    switch (meaning.kind) {
    case NS_MEANS_FUNCTIONS:
        call_functions(frame, call, meaning.functions, target);
        break;
    case NS_MEANS_NATIVE:
        ns_call_natives(frame, call, meaning.native, target);
        break;
    case NS_MEANS_METHOD:
        ns_call_by_receiver(frame, call, meaning.method, VM_NONE, true, target);
        break;
    case NS_MEANS_VALUE:
    case NS_MEANS_CONSTRUCTOR:
        call_operand(frame, call, callee, target);
        break;
    case NS_MEANS_NOTHING:
        ns_report_unknown(frame, call->name, callee->span);
        ns_evaluate_for_errors(frame, call);
        ns_deliver_const(frame, VM_UNIT, target);
        break;
    }
}

/* A binding to a lambda that is called with as many arguments as it has parameters: a plain function call. */
struct ns_functions *ns_lambda_functions(struct ns_frame *frame, struct ns_meaning meaning, uint32_t count)
{
    struct ns_functions *functions;

    if (meaning.kind != NS_MEANS_VALUE || meaning.value->lambda == NULL || meaning.value->lambda->arity != count)
        return NULL;
    functions = nb_arena_alloc(frame->unit->arena, sizeof *functions);
    functions->name = meaning.value->name;
    functions->space = meaning.value->space;
    ns_push(frame->unit, &functions->groups, meaning.value->lambda);
    return functions;
}

/* Whether the first argument's class has a say in which function is meant: methods of traits, and conversions like
 * toInt(x), which the program's functions of that name leave to numbers (03 §6.4). */
static bool depends_on_receiver(struct ns_frame *frame, const struct ns_call *call, struct ns_meaning meaning)
{
    if (call->count == 0 || frame->trusted)
        return false;
    if (meaning.kind == NS_MEANS_FUNCTIONS && call->count == 1 && strncmp(call->name, "to", 2) == 0 &&
        vm_native_find(call->name, 1) != NULL)
        return true;
    return (meaning.kind == NS_MEANS_FUNCTIONS || meaning.kind == NS_MEANS_NATIVE) &&
           ns_table_get(&frame->unit->own_methods, call->name) != NULL;
}

static void call_name(struct ns_frame *frame, struct ns_call *call, const struct ns_expr *callee,
                      struct ns_target target)
{
    struct ns_local *local = ns_local_find(frame, callee->name);
    struct ns_meaning meaning;
    struct ns_functions *lambda;

    if (local != NULL) {
        call_local(frame, call, local, callee, target);
        return;
    }
    if (lower_special(frame, call, target))
        return;
    meaning = ns_find(frame->unit, frame->space, callee->name);
    lambda = ns_lambda_functions(frame, meaning, call->count);
    if (lambda != NULL)
        meaning = (struct ns_meaning){ .kind = NS_MEANS_FUNCTIONS, .functions = lambda };
    if (depends_on_receiver(frame, call, meaning))
        ns_call_by_receiver(frame, call, callee->name,
                            ns_method_fallback(frame, callee->name, call->count, &call->type_arguments, false), true,
                            target);
    else
        ns_call_meant(frame, call, meaning, callee, target);
}

void ns_lower_call(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    const struct ns_expr *callee = expr->call.callee;
    struct ns_argument_list arguments = expr->call.arguments;
    struct ns_call call = { .span = expr->span, .type_arguments = expr->call.type_arguments };
    unsigned saved = frame->code.next;

    if (callee->kind == NS_EXPR_NAME) {
        call.name = callee->name;
        if (expr->call.type_arguments.count > 0 && strcmp(callee->name, "assertType") == 0 && arguments.count == 1) {
            ns_lower(frame, arguments.items[0].value, target);
            return;
        }
        if (expr->call.type_arguments.count > 0 && ns_wants_type(callee->name))
            arguments = ns_with_argument(
                frame,
                ns_text_expr(frame->unit->arena,
                             ns_resolved_type_text(frame->unit, frame->space, expr->call.type_arguments.items[0]),
                             expr->span),
                &arguments);
    }
    call.written = arguments.items;
    call.count = arguments.count;
    if (!ns_call_check_count(frame, &call))
        return;
    if (callee->kind == NS_EXPR_NAME)
        call_name(frame, &call, callee, target);
    else
        call_operand(frame, &call, callee, target);
    frame->code.next = saved;
}

/* ---- pipes ---- */

void ns_lower_pipe(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    ns_lower(frame, ns_pipe_call(frame->unit->arena, expr), target);
}
