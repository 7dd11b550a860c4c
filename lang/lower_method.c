/*
 * lower_method.c - calls written as methods, v.f(x), and those of traits: the receiver's class decides while running,
 * through a site (vm/code.h), unless the name is a module's or nothing but one function can be meant. Where the checker
 * knows the receiver's type, the site is told what to expect.
 */
#include "config.h"

#include "lang/lower_call.h"

#include <string.h>

#include "base/intern.h"
#include "lang/scheme.h"
#include "lang/term.h"
#include "vm/dispatch.h"
#include "vm/reactive.h"

/* ---- sites ---- */

static void call_site(struct ns_frame *frame, struct vm_site *site, const unsigned *arguments, unsigned count,
                      struct ns_target target)
{
    unsigned saved = frame->code.next, to;

    if (ns_make_way(frame, target)) {
        ns_code_list_w(&frame->code, VM_OP_TAIL_CALL_METHOD, 0, 0, (uint64_t)(uintptr_t)site, arguments, count);
    } else {
        to = ns_place(frame, target);
        ns_code_list_w(&frame->code, site->expected == VM_NONE ? VM_OP_CALL_METHOD : VM_OP_CALL_DIRECT, to, 0,
                       (uint64_t)(uintptr_t)site, arguments, count);
        ns_deliver(frame, to, target);
    }
    frame->code.next = saved;
}

static struct vm_site *new_site(struct ns_frame *frame, const struct ns_call *call, const char *name, vm_value fallback)
{
    struct nb_arena *arena = frame->unit->program->arena;
    struct vm_site *site = nb_arena_alloc(arena, sizeof *site);

    site->name_id = nb_intern_id(name);
    site->name = name;
    site->arg_count = (uint16_t)call->count;
    site->fallback = fallback;
    site->module = frame->space->path;
    if (ns_call_has_names(call)) {
        const char **names = nb_arena_array(arena, call->count, sizeof *names);

        for (uint32_t i = 0; i < call->count; i++)
            names[i] = call->written[i].name.text;
        site->arg_names = names;
    }
    return site;
}

/* ---- what is expected of a receiver ---- */

/* The kind that values of a built-in type mostly are; VM_KIND_COUNT for those that are no objects. */
static enum vm_kind usual_kind(const struct ns_con *con)
{
    switch (con->number) {
    case NS_CON_STRING:
        return VM_KIND_STRING;
    case NS_CON_LIST:
        return VM_KIND_SLICE;
    case NS_CON_MAP:
        return VM_KIND_MAP;
    case NS_CON_SET:
        return VM_KIND_SET;
    case NS_CON_BUFFER:
        return VM_KIND_BUFFER;
    default:
        return VM_KIND_COUNT;
    }
}

/* Data of a declared type, whose constructors have numbers one after the other; NULL for other types. */
static const struct vm_constructor *expect_data(struct vm_site *site, const struct ns_type_info *info)
{
    const struct vm_constructor *constructor;

    if (info->count == 0)
        return NULL;
    for (uint32_t i = 1; i < info->count; i++)
        if (info->constructors[i]->number != info->constructors[0]->number + i)
            return NULL;
    constructor = vm_constructor(info->constructors[0]->number);
    site->expected_kind = constructor->mutable_fields ? VM_KIND_RECORD_CELL : VM_KIND_DATA;
    site->expected_first = constructor->id;
    site->expected_count = info->count;
    return vm_is_reactive_form(constructor) ? NULL : constructor;
}

/* The checker knows the receiver's type: what is called is found now. It may be wrong about it, so that a look at the
 * receiver stays, but no more than that. */
static void expect(struct ns_frame *frame, struct vm_site *site, const struct ns_expr *receiver)
{
    const struct ns_con *con = receiver->term == NULL ? NULL : ns_con_of_term(receiver->term);
    const struct vm_constructor *constructor = NULL;

    if (con == NULL || frame->unit->options->no_typed_code || site->arg_names != NULL)
        return;
    if (con->info != NULL) {
        constructor = expect_data(site, con->info);
        if (constructor == NULL)
            return;
    } else {
        site->expected_kind = usual_kind(con);
        site->expected_count = VM_AUX_MAX + 1;
        if (site->expected_kind == VM_KIND_COUNT)
            return;
    }
    site->expected = vm_dispatch_class(frame->unit->program, site, con->class_key, constructor);
}

void ns_call_by_receiver(struct ns_frame *frame, struct ns_call *call, const char *name, vm_value fallback,
                         bool as_function, struct ns_target target)
{
    struct vm_site *site = new_site(frame, call, name, fallback);

    site->as_function = as_function;
    expect(frame, site, call->written[0].value);
    ns_evaluate_positional(frame, call, call->count);
    ns_mark_place(frame, call->span);
    call_site(frame, site, call->registers, call->count, target);
}

/* The function, native or constant closure that a name in scope gives for so many arguments; VM_NONE when none.
 * `passes_local`: local ones do not count. */
vm_value ns_method_fallback(struct ns_frame *frame, const char *name, uint32_t count,
                            const struct ns_type_list *type_arguments, bool passes_local)
{
    struct ns_local *local = passes_local ? NULL : ns_local_find(frame, name);
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

/* ---- method-style calls ---- */

static void call_qualified(struct ns_frame *frame, const struct ns_expr *expr, struct ns_space *module,
                           const char *path, const struct ns_argument_list *arguments, struct ns_target target)
{
    struct ns_meaning meaning = ns_find_qualified(frame, module, path, &expr->call.name);
    struct ns_call call = { .span = expr->span,
                            .name = nb_arena_printf(frame->unit->arena, "%s.%s", path, expr->call.name.text),
                            .written = arguments->items,
                            .count = arguments->count,
                            .type_arguments = expr->call.type_arguments };
    struct ns_functions *lambda = ns_lambda_functions(frame, meaning, call.count);

    if (!ns_call_check_count(frame, &call))
        return;
    if (lambda != NULL)
        meaning = (struct ns_meaning){ .kind = NS_MEANS_FUNCTIONS, .functions = lambda };
    if (meaning.kind == NS_MEANS_NOTHING) {
        ns_evaluate_for_errors(frame, &call);
        ns_deliver_const(frame, VM_UNIT, target);
    } else if (meaning.kind == NS_MEANS_VALUE || meaning.kind == NS_MEANS_CONSTRUCTOR) {
        unsigned callee;

        ns_evaluate_positional(frame, &call, call.count);
        callee = ns_code_take(&frame->code, 1);
        ns_lower_meaning(frame, meaning, expr->call.name.text, expr->span, ns_into(callee));
        ns_call_value(frame, callee, call.registers, call.count, target);
    } else {
        ns_call_meant(frame, &call, meaning, expr, target);
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
    arguments = ns_with_argument(frame, receiver->field.object, &expr->call.arguments);
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

/* Whether a call v.name(…) means the function in scope whatever v is: no value has a method or a field of that name. */
static bool means_fallback(const struct ns_frame *frame, const struct ns_call *call, vm_value fallback)
{
    const struct ns_unit *unit = frame->unit;

    return vm_is_kind(fallback, VM_KIND_FUNCTION) && !ns_call_has_names(call) &&
           ((const struct vm_function *)vm_object(fallback))->arity == call->count &&
           ns_table_get(&unit->method_names, call->name) == NULL &&
           ns_table_get(&unit->field_names, call->name) == NULL &&
           !vm_methods_know(unit->program->methods, nb_intern_id(call->name)) &&
           vm_native_find(call->name, -1) == NULL;
}

static void call_fallback(struct ns_frame *frame, struct ns_call *call, vm_value fallback, struct ns_target target)
{
    if (!means_fallback(frame, call, fallback)) {
        ns_call_by_receiver(frame, call, call->name, fallback, false, target);
        return;
    }
    ns_evaluate_positional(frame, call, call->count);
    ns_mark_place(frame, call->span);
    ns_call_function(frame, (const struct vm_function *)vm_object(fallback), call->registers, call->count, target);
}

static void call_on_value(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_argument_list arguments = ns_with_argument(frame, expr->call.receiver, &expr->call.arguments);
    const char *name = expr->call.name.text;
    struct ns_call call = { .span = expr->call.name.span,
                            .name = name,
                            .written = arguments.items,
                            .count = arguments.count,
                            .type_arguments = expr->call.type_arguments };
    const struct vm_native *of_handle = handle_method(frame, expr);
    struct ns_local *local = of_handle == NULL ? only_local(frame, name) : NULL;

    if (!ns_call_check_count(frame, &call))
        return;
    if (of_handle != NULL)
        ns_call_by_receiver(frame, &call, name, vm_from_object(of_handle), false, target);
    else if (local != NULL)
        ns_call_known_local(frame, &call, local, target);
    else
        call_fallback(frame, &call,
                      ns_method_fallback(frame, name, call.count, &call.type_arguments, expr->call.passes_local),
                      target);
}

/* j.jsonToType[T]() of the natives that want T: the plain call jsonToType[T](j). */
static bool call_wanting_type(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_expr *callee, call = { .kind = NS_EXPR_CALL, .span = expr->span };

    if (expr->call.type_arguments.count == 0 || !ns_wants_type(expr->call.name.text) ||
        ns_find(frame->unit, frame->space, expr->call.name.text).kind != NS_MEANS_NATIVE)
        return false;
    callee = nb_arena_alloc(frame->unit->arena, sizeof *callee);
    *callee = (struct ns_expr){ .kind = NS_EXPR_NAME, .span = expr->call.name.span, .name = expr->call.name.text };
    call.call.callee = callee;
    call.call.type_arguments = expr->call.type_arguments;
    call.call.arguments = ns_with_argument(frame, expr->call.receiver, &expr->call.arguments);
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
