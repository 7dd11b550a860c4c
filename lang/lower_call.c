/*
 * lower_call.c - calls of every form: functions, natives, values, methods, constructors, pipes (01 §12).
 *
 * The arguments of a known function are put in parameter order here; omitted ones are passed as VM_NONE and computed by
 * the callee. What is only known at run time goes through a site (vm/code.h).
 */
#include "config.h"

#include "lang/lower.h"

#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/intern.h"
#include "lang/pipe.h"
#include "lang/scheme.h"
#include "lang/suggest.h"

/* ---- the instructions ---- */

/* Whether a call may replace this frame; then the way for it has been cleared. */
static bool make_way(struct ns_frame *frame, struct ns_target target)
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

    if (make_way(frame, target)) {
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

    if (make_way(frame, target)) {
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

static void call_site(struct ns_frame *frame, struct vm_site *site, const unsigned *arguments, unsigned count,
                      struct ns_target target)
{
    unsigned saved = frame->code.next, to;

    if (make_way(frame, target)) {
        ns_code_list_w(&frame->code, VM_OP_TAIL_CALL_METHOD, 0, 0, (uint64_t)(uintptr_t)site, arguments, count);
    } else {
        to = ns_place(frame, target);
        ns_code_list_w(&frame->code, VM_OP_CALL_METHOD, to, 0, (uint64_t)(uintptr_t)site, arguments, count);
        ns_deliver(frame, to, target);
    }
    frame->code.next = saved;
}

/* ---- arguments ---- */

/* A call as it is worked on: what was written, and what is passed in which register. */
struct call {
    struct ns_span span;
    const char *name;                    /* for messages */
    const struct ns_argument *written;
    uint32_t count;
    struct ns_type_list type_arguments;
    unsigned *registers;
};

static bool has_names(const struct call *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        if (call->written[i].name.text != NULL)
            return true;
    return false;
}

static bool check_count(struct ns_frame *frame, const struct call *call)
{
    if (call->count <= NS_PARAMETERS_MAX)
        return true;
    ns_report(frame->unit, call->span, "more than %d arguments", NS_PARAMETERS_MAX);
    return false;
}

/* Room for one register or expression per argument; in the arena, as calls nest deeply. */
static unsigned *register_array(struct ns_frame *frame, uint32_t count)
{
    return nb_arena_array(frame->unit->arena, count + 1, sizeof(unsigned));
}

static struct ns_expr **item_array(struct ns_frame *frame, uint32_t count)
{
    return nb_arena_array(frame->unit->arena, count + 1, sizeof(struct ns_expr *));
}

/* Evaluate expressions in order; NULL: absent. */
static unsigned *evaluate(struct ns_frame *frame, struct ns_expr *const *items, uint32_t count)
{
    struct ns_expr **present = item_array(frame, count);
    unsigned *present_registers = register_array(frame, count), *registers = register_array(frame, count);
    uint32_t n = 0;
    unsigned none = 0;

    for (uint32_t i = 0; i < count; i++)
        if (items[i] != NULL)
            present[n++] = items[i];
    ns_operands(frame, present, n, present_registers);
    if (n < count) {
        none = ns_code_take(&frame->code, 1);
        ns_code_const(&frame->code, none, VM_NONE);
    }
    n = 0;
    for (uint32_t i = 0; i < count; i++)
        registers[i] = items[i] != NULL ? present_registers[n++] : none;
    return registers;
}

static void evaluate_positional(struct ns_frame *frame, struct call *call, uint32_t count)
{
    struct ns_expr **items = item_array(frame, count);

    for (uint32_t i = 0; i < count && i < call->count; i++)
        items[i] = call->written[i].value;
    call->registers = evaluate(frame, items, count);
}

/* "area(w: Int, h) -> Int", as the first clause has it. */
static void note_signature(struct ns_frame *frame, const struct ns_group *group)
{
    const struct ns_function *first = group->clauses.items[0];
    struct nb_buf text = NB_BUF_INIT;

    for (uint32_t i = 0; i < group->arity; i++) {
        nb_buf_printf(&text, "%s%s", i > 0 ? ", " : "",
                      group->parameter_names[i] == NULL ? "_" : group->parameter_names[i]);
        if (group->types[i] != NULL)
            nb_buf_printf(&text, ": %s", ns_type_text(frame->unit, group->types[i]));
    }
    nb_buf_text(&text, ")");
    if (first->return_type != NULL)
        nb_buf_printf(&text, " -> %s", ns_type_text(frame->unit, first->return_type));
    ns_note(frame->unit->diag, "function signature: %s(%s", group->name, nb_buf_cstr(&text));
    nb_buf_done(&text);
}

/* `group`: what is called, or NULL. */
static void report_count(struct ns_frame *frame, const struct call *call, unsigned expected,
                         const struct ns_group *group)
{
    ns_report(frame->unit, call->span, "function `%s` expects %u argument%s, but %u %s provided", call->name, expected,
              expected == 1 ? "" : "s", call->count, call->count == 1 ? "was" : "were");
    if (!ns_reported(frame->unit))
        return;
    ns_note(frame->unit->diag, "Wrong number of arguments: expected %u, found %u", expected, call->count);
    if (group != NULL)
        note_signature(frame, group);
}

static void report_wrong_number(struct ns_frame *frame, const struct call *call, unsigned expected)
{
    ns_report(frame->unit, call->span, "Wrong number of arguments: expected %u, found %u", expected, call->count);
}

/* What the callee of a named call says of its parameters. */
struct parameters {
    const char *const *names;               /* NULL where a parameter has none */
    const struct ns_expr *const *defaults;  /* NULL: none has one */
    uint32_t arity, required;
    const struct ns_group *group;           /* NULL: a native */
};

static struct parameters parameters_of(const struct ns_group *group)
{
    return (struct parameters){ group->parameter_names, group->defaults, group->arity, group->required, group };
}

static void report_unknown_argument(struct ns_frame *frame, const struct ns_name *name, struct parameters parameters)
{
    struct nb_buf names = NB_BUF_INIT;

    for (uint32_t i = 0; i < parameters.arity; i++)
        if (parameters.names[i] != NULL)
            nb_buf_printf(&names, "%s%s", names.length > 0 ? ", " : "", parameters.names[i]);
    ns_report(frame->unit, name->span, "unknown named argument '%s'; valid parameter names are: %s", name->text,
              nb_buf_cstr(&names));
    ns_suggest_among(frame->unit, parameters.names, parameters.arity, name);
    nb_buf_done(&names);
}

static int parameter_position(struct parameters parameters, const char *name)
{
    for (uint32_t i = 0; i < parameters.arity; i++)
        if (parameters.names[i] == name)
            return (int)i;
    return -1;
}

/* Put arguments in their parameters' places (01 §12.1). False when that was an error. */
static bool place_arguments(struct ns_frame *frame, const struct call *call, struct parameters parameters,
                            struct ns_expr **ret_items)
{
    uint32_t next = 0;

    memset(ret_items, 0, parameters.arity * sizeof *ret_items);
    for (uint32_t i = 0; i < call->count; i++) {
        const struct ns_argument *argument = &call->written[i];
        int position;

        if (argument->name.text == NULL) {
            while (next < parameters.arity && ret_items[next] != NULL)
                next++;
            position = (int)next;
        } else if ((position = parameter_position(parameters, argument->name.text)) < 0) {
            report_unknown_argument(frame, &argument->name, parameters);
            return false;
        } else if (ret_items[position] != NULL) {
            ns_report(frame->unit, argument->name.span, "duplicate named argument '%s'", argument->name.text);
            return false;
        }
        if ((uint32_t)position >= parameters.arity) {
            report_count(frame, call, parameters.required, parameters.group);
            return false;
        }
        ret_items[position] = argument->value;
    }
    for (uint32_t i = 0; i < parameters.arity; i++)
        if (ret_items[i] == NULL && (parameters.defaults == NULL || parameters.defaults[i] == NULL)) {
            report_count(frame, call, parameters.required, parameters.group);
            return false;
        }
    return true;
}

/* The function that the named arguments fit; any that takes so many if none does. */
static struct ns_group *group_for_names(const struct ns_functions *functions, const struct call *call)
{
    struct ns_group *some = functions->groups.items[0];

    for (size_t i = 0; i < functions->groups.count; i++) {
        struct ns_group *group = functions->groups.items[i];
        bool all = group->arity >= call->count;

        for (uint32_t k = 0; k < call->count && all; k++)
            all = call->written[k].name.text == NULL ||
                  parameter_position(parameters_of(group), call->written[k].name.text) >= 0;
        if (all)
            return group;
        if (group->arity >= call->count)
            some = group;
    }
    return some;
}

/* Whether a group takes the same call as one that does, argument for argument. */
static bool takes_likewise(const struct ns_group *group, const struct ns_group *other, const struct call *call,
                           struct ns_expr *const *placed)
{
    if (group->arity != other->arity)
        return false;
    for (uint32_t i = 0; i < group->arity; i++)
        if (placed[i] == NULL && group->defaults[i] == NULL)
            return false;
    for (uint32_t i = 0; i < call->count; i++) {
        const char *name = call->written[i].name.text;

        if (name != NULL &&
            parameter_position(parameters_of(group), name) != parameter_position(parameters_of(other), name))
            return false;
    }
    return true;
}

/* What a call with named arguments, placed for `group`, goes to: overloads that differ in types only are told apart by
 * the values. */
static struct vm_function *choose_for_names(struct ns_frame *frame, struct ns_functions *functions,
                                            const struct ns_group *group, const struct call *call,
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

/* Evaluate what was written so that errors inside are reported, too. */
static void evaluate_for_errors(struct ns_frame *frame, const struct call *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ns_lower(frame, call->written[i].value, ns_nowhere());
}

static void call_functions(struct ns_frame *frame, struct call *call, struct ns_functions *functions,
                           struct ns_target target)
{
    struct vm_function *function;

    functions = ns_instances(frame->unit, frame->space, functions, &call->type_arguments);
    if (has_names(call)) {
        struct ns_group *group = group_for_names(functions, call);
        struct ns_expr **items = item_array(frame, group->arity);

        if (!place_arguments(frame, call, parameters_of(group), items)) {
            evaluate_for_errors(frame, call);
            return;
        }
        call->registers = evaluate(frame, items, group->arity);
        function = choose_for_names(frame, functions, group, call, items);
    } else {
        function = ns_choose(frame->unit, functions, (int)call->count);
        if (function == NULL) {
            report_count(frame, call, least_arity(functions),
                         functions->groups.count == 1 ? functions->groups.items[0] : NULL);
            evaluate_for_errors(frame, call);
            return;
        }
        evaluate_positional(frame, call, function->arity);
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

static void call_natives(struct ns_frame *frame, struct call *call, const char *full_name, struct ns_target target)
{
    const struct vm_native *native = vm_native_find(full_name, (int)call->count);
    struct parameters parameters = { NULL, NULL, call->count, call->count, NULL };
    struct ns_expr **items = item_array(frame, call->count);

    if (native == NULL) {
        report_count(frame, call, native_arity(full_name), NULL);
        evaluate_for_errors(frame, call);
        return;
    }
    parameters.names = vm_native_parameters(native);
    if (has_names(call) && parameters.names == NULL) {
        ns_report(frame->unit, call->span, "`%s` takes no named arguments", call->name);
        evaluate_for_errors(frame, call);
        return;
    }
    if (!place_arguments(frame, call, parameters, items)) {
        evaluate_for_errors(frame, call);
        return;
    }
    call->registers = evaluate(frame, items, call->count);
    ns_mark_place(frame, call->span);
    call_native(frame, native, call->registers, call->count, target);
}

/* ---- sites ---- */

static struct vm_site *new_site(struct ns_frame *frame, const struct call *call, const char *name, vm_value fallback)
{
    struct nb_arena *arena = frame->unit->program->arena;
    struct vm_site *site = nb_arena_alloc(arena, sizeof *site);

    site->name_id = nb_intern_id(name);
    site->name = name;
    site->arg_count = (uint16_t)call->count;
    site->fallback = fallback;
    site->module = frame->space->path;
    if (has_names(call)) {
        const char **names = nb_arena_array(arena, call->count, sizeof *names);

        for (uint32_t i = 0; i < call->count; i++)
            names[i] = call->written[i].name.text;
        site->arg_names = names;
    }
    return site;
}

static void call_method(struct ns_frame *frame, struct call *call, const char *name, vm_value fallback,
                        bool as_function, struct ns_target target)
{
    struct vm_site *site = new_site(frame, call, name, fallback);

    site->as_function = as_function;
    evaluate_positional(frame, call, call->count);
    ns_mark_place(frame, call->span);
    call_site(frame, site, call->registers, call->count, target);
}

/* The function, native or constant closure that a name in scope gives for so many arguments; VM_NONE when none. */
static vm_value fallback_of(struct ns_frame *frame, const char *name, uint32_t count,
                            const struct ns_type_list *type_arguments)
{
    struct ns_local *local = ns_local_find(frame, name);
    struct ns_meaning meaning = ns_find(frame->unit, frame->space, name);
    const void *found = NULL;

    if (local != NULL && local->functions != NULL)
        found = ns_choose(frame->unit, local->functions, (int)count);
    if (found == NULL && meaning.kind == NS_MEANS_FUNCTIONS)
        found = ns_choose(frame->unit, ns_instances(frame->unit, frame->space, meaning.functions, type_arguments),
                          (int)count);
    else if (found == NULL && meaning.kind == NS_MEANS_NATIVE)
        found = vm_native_find(meaning.native, (int)count);
    else if (found == NULL && meaning.kind == NS_MEANS_VALUE && meaning.value->lambda != NULL)
        found = ns_need(frame->unit, meaning.value->lambda);
    return found == NULL ? VM_NONE : vm_from_object(found);
}

/* ---- calls of a value ---- */

static void call_operand(struct ns_frame *frame, struct call *call, const struct ns_expr *callee,
                         struct ns_target target)
{
    unsigned reg;

    if (has_names(call))
        for (uint32_t i = 0; i < call->count; i++)
            if (call->written[i].name.text != NULL)
                ns_report(frame->unit, call->written[i].name.span,
                          "unknown named argument '%s'; valid parameter names are: ", call->written[i].name.text);
    evaluate_positional(frame, call, call->count);
    reg = ns_operand(frame, callee);
    ns_mark_place(frame, call->span);
    ns_call_value(frame, reg, call->registers, call->count, target);
}

/* Whether the only argument may be a tuple, which a function value takes for all of its parameters (01 §11.2). */
static bool may_spread(const struct call *call)
{
    if (call->count != 1 || has_names(call))
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
static void call_known_local(struct ns_frame *frame, struct call *call, struct ns_local *local, struct ns_target target)
{
    const struct ns_group *group = local->group;
    uint32_t count = call->count;
    unsigned reg;

    if (has_names(call)) {
        struct ns_expr **items = item_array(frame, group->arity);

        if (!place_arguments(frame, call, parameters_of(group), items)) {
            evaluate_for_errors(frame, call);
            return;
        }
        count = group->arity;
        call->registers = evaluate(frame, items, count);
    } else {
        if (!takes_count(group, count) && !(may_spread(call) && group->arity > 1))
            report_wrong_number(frame, call, group->required);
        evaluate_positional(frame, call, count);
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

static bool takes_tuple(struct ns_frame *frame, const struct call *call, struct ns_functions *functions)
{
    return may_spread(call) && ns_choose(frame->unit, functions, 1) == NULL &&
           least_arity(functions) > 1;
}

static void call_local(struct ns_frame *frame, struct call *call, struct ns_local *local, const struct ns_expr *callee,
                       struct ns_target target)
{
    if (local->functions != NULL && takes_tuple(frame, call, local->functions))
        call_operand(frame, call, callee, target);
    else if (local->functions != NULL && local->is_lambda && !has_names(call) &&
             ns_choose(frame->unit, local->functions, (int)call->count) == NULL)
        report_wrong_number(frame, call, least_arity(local->functions));
    else if (local->functions != NULL)
        call_functions(frame, call, local->functions, target);
    else if (local->group != NULL)
        call_known_local(frame, call, with_count(frame, local, call->count), target);
    else
        call_operand(frame, call, callee, target);
}

/* ---- plain calls ---- */

static void lower_throw(struct ns_frame *frame, const struct call *call, struct ns_target target)
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
static bool lower_special(struct ns_frame *frame, const struct call *call, struct ns_target target)
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
static bool wants_type(const char *name)
{
    static const char *const names[] = { "jsonToType", "fromJson", "makeRecord", "makeVariant", "typeNameOf" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static struct ns_expr *text_expr(struct ns_frame *frame, const char *text, struct ns_span span)
{
    struct ns_expr *expr = nb_arena_alloc(frame->unit->arena, sizeof *expr);

    expr->kind = NS_EXPR_LITERAL;
    expr->span = span;
    expr->literal.kind = NS_LITERAL_STRING;
    expr->literal.text = text;
    expr->literal.length = (uint32_t)strlen(text);
    return expr;
}

/* The arguments with one more in front. */
static struct ns_argument_list prepend(struct ns_frame *frame, struct ns_expr *first,
                                       const struct ns_argument_list *rest)
{
    struct ns_argument_list list = { nb_arena_array(frame->unit->arena, rest->count + 1, sizeof *list.items),
                                     rest->count + 1 };

    list.items[0].value = first;
    if (rest->count > 0)
        memcpy(list.items + 1, rest->items, rest->count * sizeof *list.items);
    return list;
}

static void call_meaning(struct ns_frame *frame, struct call *call, struct ns_meaning meaning,
                         const struct ns_expr *callee, struct ns_target target)
{
    switch (meaning.kind) {
    case NS_MEANS_FUNCTIONS:
        call_functions(frame, call, meaning.functions, target);
        break;
    case NS_MEANS_NATIVE:
        call_natives(frame, call, meaning.native, target);
        break;
    case NS_MEANS_METHOD:
        call_method(frame, call, meaning.method, VM_NONE, true, target);
        break;
    case NS_MEANS_VALUE:
    case NS_MEANS_CONSTRUCTOR:
        call_operand(frame, call, callee, target);
        break;
    case NS_MEANS_NOTHING:
        ns_report_unknown(frame, call->name, callee->span);
        evaluate_for_errors(frame, call);
        ns_deliver_const(frame, VM_UNIT, target);
        break;
    }
}

/* A binding to a lambda that is called with as many arguments as it has parameters: a plain function call. */
static struct ns_functions *lambda_functions(struct ns_frame *frame, struct ns_meaning meaning, uint32_t count)
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
static bool depends_on_receiver(struct ns_frame *frame, const struct call *call, struct ns_meaning meaning)
{
    if (call->count == 0 || frame->trusted)
        return false;
    if (meaning.kind == NS_MEANS_FUNCTIONS && call->count == 1 && strncmp(call->name, "to", 2) == 0 &&
        vm_native_find(call->name, 1) != NULL)
        return true;
    return (meaning.kind == NS_MEANS_FUNCTIONS || meaning.kind == NS_MEANS_NATIVE) &&
           ns_table_get(&frame->unit->own_methods, call->name) != NULL;
}

static void call_name(struct ns_frame *frame, struct call *call, const struct ns_expr *callee, struct ns_target target)
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
    lambda = lambda_functions(frame, meaning, call->count);
    if (lambda != NULL)
        meaning = (struct ns_meaning){ .kind = NS_MEANS_FUNCTIONS, .functions = lambda };
    if (depends_on_receiver(frame, call, meaning))
        call_method(frame, call, callee->name,
                    fallback_of(frame, callee->name, call->count, &call->type_arguments), true, target);
    else
        call_meaning(frame, call, meaning, callee, target);
}

void ns_lower_call(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    const struct ns_expr *callee = expr->call.callee;
    struct ns_argument_list arguments = expr->call.arguments;
    struct call call = { .span = expr->span, .type_arguments = expr->call.type_arguments };
    unsigned saved = frame->code.next;

    if (callee->kind == NS_EXPR_NAME) {
        call.name = callee->name;
        if (expr->call.type_arguments.count > 0 && strcmp(callee->name, "assertType") == 0 && arguments.count == 1) {
            ns_lower(frame, arguments.items[0].value, target);
            return;
        }
        if (expr->call.type_arguments.count > 0 && wants_type(callee->name))
            arguments = prepend(
                frame,
                text_expr(frame,
                          ns_resolved_type_text(frame->unit, frame->space, expr->call.type_arguments.items[0]),
                          expr->span),
                &arguments);
    }
    call.written = arguments.items;
    call.count = arguments.count;
    if (!check_count(frame, &call))
        return;
    if (callee->kind == NS_EXPR_NAME)
        call_name(frame, &call, callee, target);
    else
        call_operand(frame, &call, callee, target);
    frame->code.next = saved;
}

/* ---- method-style calls ---- */

static void call_qualified(struct ns_frame *frame, const struct ns_expr *expr, struct ns_space *module,
                           const char *path, const struct ns_argument_list *arguments, struct ns_target target)
{
    struct ns_meaning meaning = ns_find_qualified(frame, module, path, &expr->call.name);
    struct call call = { .span = expr->span,
                         .name = nb_arena_printf(frame->unit->arena, "%s.%s", path, expr->call.name.text),
                         .written = arguments->items,
                         .count = arguments->count,
                         .type_arguments = expr->call.type_arguments };
    struct ns_functions *lambda = lambda_functions(frame, meaning, call.count);

    if (!check_count(frame, &call))
        return;
    if (lambda != NULL)
        meaning = (struct ns_meaning){ .kind = NS_MEANS_FUNCTIONS, .functions = lambda };
    if (meaning.kind == NS_MEANS_NOTHING) {
        evaluate_for_errors(frame, &call);
        ns_deliver_const(frame, VM_UNIT, target);
    } else if (meaning.kind == NS_MEANS_VALUE || meaning.kind == NS_MEANS_CONSTRUCTOR) {
        unsigned callee;

        evaluate_positional(frame, &call, call.count);
        callee = ns_code_take(&frame->code, 1);
        ns_lower_meaning(frame, meaning, expr->call.name.text, expr->span, ns_into(callee));
        ns_call_value(frame, callee, call.registers, call.count, target);
    } else {
        call_meaning(frame, &call, meaning, expr, target);
    }
}

/* v.Map.insert(k, w) is Map.insert(v, k, w). */
static bool call_chained(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    const struct ns_expr *receiver = expr->call.receiver;
    struct ns_argument_list arguments;
    struct ns_space *module;
    const char *path;

    if (receiver->kind != NS_EXPR_FIELD || receiver->field.name.text[0] < 'A' || receiver->field.name.text[0] > 'Z')
        return false;
    path = receiver->field.name.text;
    module = ns_find_module(frame->unit, frame->space, path);
    if (module == NULL && !vm_native_is_namespace(path))
        return false;
    arguments = prepend(frame, receiver->field.object, &expr->call.arguments);
    call_qualified(frame, expr, module, path, &arguments, target);
    return true;
}

/* The mvar that an expression names, or NULL. */
static struct ns_value *named_mvar(struct ns_frame *frame, const struct ns_expr *expr)
{
    struct ns_meaning meaning = { .kind = NS_MEANS_NOTHING };
    struct ns_space *module;
    const char *path;

    if (expr->kind == NS_EXPR_NAME && ns_local_find(frame, expr->name) == NULL)
        meaning = ns_find(frame->unit, frame->space, expr->name);
    else if (expr->kind == NS_EXPR_FIELD && ns_is_module(frame, expr->field.object, &module, &path) && module != NULL)
        meaning = ns_find_member(frame->unit, frame->space, module, expr->field.name.text, expr->span);
    return meaning.kind == NS_MEANS_VALUE && meaning.value->kind == NS_VALUE_MVAR ? meaning.value : NULL;
}

/* A local closure is called directly if nothing but it can be meant by the name. */
static struct ns_local *only_local(struct ns_frame *frame, const char *name)
{
    struct ns_local *local = ns_local_find(frame, name);

    if (local == NULL || local->group == NULL || ns_table_get(&frame->unit->method_names, name) != NULL)
        return NULL;
    return ns_find(frame->unit, frame->space, name).kind == NS_MEANS_NOTHING ? local : NULL;
}

/* The native that a method of a handle (`server.accept()`) means by the receiver's static type; NULL: none. */
static const struct vm_native *handle_method(struct ns_frame *frame, const struct ns_expr *expr)
{
    struct ns_term *type = expr->call.receiver->term;
    const char *path = type == NULL ? NULL : ns_handle_namespace(type);

    return path == NULL ? NULL
                        : vm_native_find(nb_arena_printf(frame->unit->arena, "%s.%s", path, expr->call.name.text),
                                         (int)expr->call.arguments.count + 1);
}

static void call_on_value(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_argument_list arguments = prepend(frame, expr->call.receiver, &expr->call.arguments);
    const char *name = expr->call.name.text;
    struct call call = {
        .span = expr->call.name.span, .name = name, .written = arguments.items, .count = arguments.count,
        .type_arguments = expr->call.type_arguments
    };
    const struct vm_native *of_handle = handle_method(frame, expr);
    struct ns_local *local = of_handle == NULL ? only_local(frame, name) : NULL;

    if (!check_count(frame, &call))
        return;
    if (of_handle != NULL)
        call_method(frame, &call, name, vm_from_object(of_handle), false, target);
    else if (local != NULL)
        call_known_local(frame, &call, local, target);
    else
        call_method(frame, &call, name, fallback_of(frame, name, call.count, &call.type_arguments), false, target);
}

/* j.jsonToType[T]() of the natives that want T: the plain call jsonToType[T](j). */
static bool call_wanting_type(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_expr *callee, call = { .kind = NS_EXPR_CALL, .span = expr->span };

    if (expr->call.type_arguments.count == 0 || !wants_type(expr->call.name.text) ||
        ns_find(frame->unit, frame->space, expr->call.name.text).kind != NS_MEANS_NATIVE)
        return false;
    callee = nb_arena_alloc(frame->unit->arena, sizeof *callee);
    *callee = (struct ns_expr){ .kind = NS_EXPR_NAME, .span = expr->call.name.span, .name = expr->call.name.text };
    call.call.callee = callee;
    call.call.type_arguments = expr->call.type_arguments;
    call.call.arguments = prepend(frame, expr->call.receiver, &expr->call.arguments);
    ns_lower_call(frame, &call, target);
    return true;
}

void ns_lower_method_call(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    unsigned saved = frame->code.next;
    struct ns_space *module;
    const char *path;
    struct ns_value *mvar = NULL;

    if (ns_is_module(frame, expr->call.receiver, &module, &path)) {
        call_qualified(frame, expr, module, path, &expr->call.arguments, target);
    } else if (!call_chained(frame, expr, target) && !call_wanting_type(frame, expr, target)) {
        if (strcmp(expr->call.name.text, "update") == 0 && expr->call.arguments.count == 1)
            mvar = named_mvar(frame, expr->call.receiver);
        if (mvar != NULL)
            ns_lower_update(frame, mvar, expr->call.arguments.items[0].value, target);
        else
            call_on_value(frame, expr, target);
    }
    frame->code.next = saved;
}

/* ---- construction ---- */

static const char *kind_word(const struct ns_constructor_info *constructor)
{
    return constructor->is_record ? "record" : "constructor";
}

static int field_position(const struct ns_constructor_info *constructor, const char *name)
{
    for (uint32_t i = 0; i < constructor->fields->count; i++)
        if (constructor->fields->items[i].name.text == name && name != NULL)
            return (int)i;
    return -1;
}

static void report_unknown_field(struct ns_frame *frame, const struct ns_constructor_info *constructor,
                                 const struct ns_name *name)
{
    ns_report(frame->unit, name->span, "unknown field `%s` for %s `%s`", name->text, kind_word(constructor),
              constructor->name);
    ns_suggest_field(frame->unit, constructor, name);
}

/* P(old, x: 1) */
static void lower_copy(struct ns_frame *frame, const struct call *call, const struct ns_constructor_info *constructor,
                       struct ns_target target)
{
    uint32_t count = call->count - 1;
    uint32_t *ids = nb_arena_array(frame->unit->program->arena, 2 * count, sizeof *ids), *positions = ids + count;
    struct ns_expr **items = item_array(frame, call->count);
    unsigned *registers = register_array(frame, call->count), to;
    int position;

    if (constructor->type->count != 1 || !constructor->named)
        ns_report(frame->unit, call->span, "Cannot update non-record type: %s", constructor->type->name);
    items[0] = call->written[0].value;
    for (uint32_t i = 0; i < count; i++) {
        const struct ns_argument *argument = &call->written[i + 1];

        if (argument->name.text == NULL) {
            ns_report(frame->unit, argument->value->span, "Wrong number of arguments: expected %u, found %u",
                      constructor->fields->count, call->count);
            return;
        }
        position = field_position(constructor, argument->name.text);
        if (position < 0)
            report_unknown_field(frame, constructor, &argument->name);
        positions[i] = (uint32_t)position;
        ids[i] = nb_intern_id(argument->name.text);
        items[i + 1] = argument->value;
    }
    ns_operands(frame, items, count + 1, registers);
    to = ns_place(frame, target);
    ns_mark_place(frame, call->span);
    ns_code_list_w2(&frame->code, VM_OP_UPDATE, to, registers[0], constructor->number, (uint64_t)(uintptr_t)ids,
                    registers + 1, count);
    ns_deliver(frame, to, target);
}

/* Which argument is which field; arguments are evaluated as written. False after an error. */
static bool place_fields(struct ns_frame *frame, const struct call *call, const struct ns_constructor_info *constructor,
                         unsigned *ret_order)
{
    uint32_t count = constructor->fields->count;
    bool *seen = nb_arena_array(frame->unit->arena, count + 1, sizeof *seen);

    for (uint32_t i = 0; i < call->count; i++) {
        const struct ns_argument *argument = &call->written[i];
        int position = argument->name.text == NULL ? (int)i : field_position(constructor, argument->name.text);

        if (position < 0 || (uint32_t)position >= count) {
            if (argument->name.text != NULL)
                report_unknown_field(frame, constructor, &argument->name);
            else
                report_wrong_number(frame, call, count);
            return false;
        }
        if (seen[position]) {
            ns_report(frame->unit, argument->value->span, "Duplicate field: %s",
                      constructor->fields->items[position].name.text);
            return false;
        }
        seen[position] = true;
        ret_order[position] = i;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!seen[i]) {
            const char *field = constructor->fields->items[i].name.text;

            if (call->count > 0 && field != NULL && call->written[0].name.text != NULL)
                ns_report(frame->unit, call->span, "Missing field: %s: missing field `%s` in %s `%s`", field, field,
                          kind_word(constructor), constructor->name);
            else
                report_wrong_number(frame, call, count);
            return false;
        }
    return true;
}

static void lower_data(struct ns_frame *frame, const struct call *call, const struct ns_constructor_info *constructor,
                       struct ns_target target)
{
    uint32_t count = constructor->fields->count;
    unsigned *order = register_array(frame, count), *registers = register_array(frame, call->count);
    unsigned *fields = register_array(frame, count), to;
    struct ns_expr **items = item_array(frame, call->count);

    if (!place_fields(frame, call, constructor, order)) {
        evaluate_for_errors(frame, call);
        return;
    }
    for (uint32_t i = 0; i < call->count; i++)
        items[i] = call->written[i].value;
    ns_operands(frame, items, call->count, registers);
    for (uint32_t i = 0; i < call->count; i++)
        fields[i] = registers[order[i]];
    to = ns_place(frame, target);
    ns_mark_place(frame, call->span);
    ns_code_list_w(&frame->code, VM_OP_DATA, to, 0, constructor->number, fields, call->count);
    ns_deliver(frame, to, target);
}

static void construct(struct ns_frame *frame, const struct call *call, struct ns_constructor_info *constructor,
                      struct ns_target target)
{
    if (call->count >= 2 && call->written[0].name.text == NULL && call->written[1].name.text != NULL)
        lower_copy(frame, call, constructor, target);
    else if (constructor->fields->count == 0 && call->count == 0 && !constructor->is_record)
        ns_lower_constructor(frame, constructor, target);
    else
        lower_data(frame, call, constructor, target);
}

/* `type A = B` lets A(…) build what B does. */
static struct ns_constructor_info *through_alias(struct ns_frame *frame, const char *name)
{
    struct ns_type_info *type = ns_find_type(frame->unit, frame->space, name);

    for (int i = 0; i < 50 && type != NULL && type->item->type.kind == NS_DEFINE_ALIAS; i++) {
        const struct ns_type *target = type->item->type.alias;

        if (target->kind != NS_TYPE_NAMED)
            return NULL;
        type = ns_find_type(frame->unit, type->space, target->named.name);
    }
    return type != NULL && type->count == 1 ? type->constructors[0] : NULL;
}

static struct ns_constructor_info *find_constructor(struct ns_frame *frame, const struct ns_expr *expr)
{
    const char *name = expr->call.name.text;
    uint32_t count = expr->call.arguments.count;
    bool copies = count >= 2 && expr->call.arguments.items[0].name.text == NULL &&
                  expr->call.arguments.items[1].name.text != NULL;
    struct ns_constructor_info *constructor;

    if (strcmp(name, "Self") == 0 && frame->self_type != NULL)
        name = frame->self_type->name;
    constructor = ns_find_constructor(frame->unit, frame->space, name, copies ? -1 : (int)count);
    if (constructor == NULL)
        return through_alias(frame, name);
    if (!constructor->type->is_public && !ns_is_inside(frame->space, constructor->type->space))
        ns_report(frame->unit, expr->call.name.span, "type `%s` is private in module `%s`", constructor->type->name,
                  constructor->type->space->path);
    return constructor;
}

/* Int(x) and the like are conversions. */
static const char *conversion(const char *name)
{
    if (strcmp(name, "Int") == 0 || strcmp(name, "Int64") == 0)
        return "toInt";
    return strcmp(name, "Float") == 0 || strcmp(name, "Float64") == 0 ? "toFloat" : NULL;
}

static void construct_unknown(struct ns_frame *frame, struct call *call, const struct ns_expr *expr,
                              struct ns_target target)
{
    const char *name = expr->call.name.text;
    struct ns_meaning meaning = ns_find(frame->unit, frame->space, name);

    if (meaning.kind == NS_MEANS_VALUE) { /* an upper-case constant */
        unsigned callee = ns_code_take(&frame->code, 1);

        evaluate_positional(frame, call, call->count);
        ns_lower_meaning(frame, meaning, name, expr->span, ns_into(callee));
        ns_call_value(frame, callee, call->registers, call->count, target);
    } else if (conversion(name) != NULL && call->count == 1) {
        call_natives(frame, call, conversion(name), target);
    } else {
        if (strcmp(name, "Html") == 0 || strcmp(name, "RHtml") == 0)
            ns_report(frame->unit, expr->call.name.span, "`%s(…)` is not yet implemented", name);
        else
            ns_report(frame->unit, expr->call.name.span, "unknown type `%s`", name);
        ns_suggest_constructor(frame->unit, &expr->call.name);
        evaluate_for_errors(frame, call);
    }
}

static void construct_qualified(struct ns_frame *frame, struct call *call, const struct ns_expr *expr,
                                struct ns_target target)
{
    struct ns_space *module = NULL;
    const char *path = NULL;
    struct ns_meaning meaning;

    if (!ns_is_module(frame, expr->call.receiver, &module, &path)) {
        ns_report(frame->unit, expr->span, "unknown type `%s`", call->name);
        return;
    }
    meaning = ns_find_qualified(frame, module, path, &expr->call.name);
    if (meaning.kind == NS_MEANS_CONSTRUCTOR)
        construct(frame, call, meaning.constructor, target);
    else
        evaluate_for_errors(frame, call);
}

void ns_lower_construct(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct call call = { .span = expr->span,
                         .name = expr->call.name.text,
                         .written = expr->call.arguments.items,
                         .count = expr->call.arguments.count };
    struct ns_constructor_info *constructor;
    unsigned saved = frame->code.next;

    if (!check_count(frame, &call))
        return;
    if (expr->call.receiver != NULL) {
        construct_qualified(frame, &call, expr, target);
    } else {
        constructor = find_constructor(frame, expr);
        if (constructor != NULL)
            construct(frame, &call, constructor, target);
        else
            construct_unknown(frame, &call, expr, target);
    }
    frame->code.next = saved;
}

/* ---- pipes ---- */

void ns_lower_pipe(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    ns_lower(frame, ns_pipe_call(frame->unit->arena, expr), target);
}
