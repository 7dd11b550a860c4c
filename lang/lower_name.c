/*
 * lower_name.c - names as values: locals, module values, functions, natives, constructors, qualified names.
 */
#include "config.h"

#include "lang/lower.h"

#include <string.h>

#include "base/assert.h"
#include "base/intern.h"
#include "lang/suggest.h"

void ns_report_unknown(struct ns_frame *frame, const char *name, struct ns_span span)
{
    if (ns_diag_count(frame->unit->diag) < NS_DIAG_MAX && ns_has_suggestion(frame->unit, frame->space, name))
        ns_report(frame->unit, span, "unknown variable `%s`: cannot find value `%s` in this scope", name, name);
    else
        ns_report(frame->unit, span, "unknown variable `%s`", name);
    if (ns_diag_count(frame->unit->diag) <= NS_DIAG_MAX)
        ns_suggest_value(frame->unit, frame->space, &(struct ns_name){ name, span });
}

void ns_report_unknown_constructor(struct ns_unit *unit, const struct ns_name *name, struct ns_span span)
{
    ns_report(unit, span, "unknown type `%s`", name->text);
    if (ns_reported(unit))
        ns_also(unit->diag, "unknown variable `%s`", name->text);
    ns_suggest_constructor(unit, name);
}

/* ---- constructors ---- */

static struct vm_function *constructor_function(struct ns_unit *unit, struct ns_constructor_info *constructor)
{
    uint32_t arity = constructor->fields->count;
    struct vm_function *function = ns_function_new(unit, constructor->type->space, constructor->name,
                                                   constructor->type->item->span);
    const char **names = nb_arena_array(unit->program->arena, arity + 1, sizeof *names);
    unsigned *fields = nb_arena_array(unit->arena, arity + 1, sizeof *fields);
    struct ns_frame frame;
    unsigned to;

    for (uint32_t i = 0; i < arity; i++) {
        names[i] = constructor->fields->items[i].name.text;
        fields[i] = i;
    }
    function->parameters = names;
    function->arity = function->required = (uint16_t)arity;
    ns_frame_begin(&frame, unit, NULL, constructor->type->space, function);
    ns_code_take(&frame.code, arity);
    to = ns_code_take(&frame.code, 1);
    ns_code_list_w(&frame.code, VM_OP_DATA, to, 0, constructor->number, fields, arity);
    ns_code_abc(&frame.code, VM_OP_RETURN, to, 0, 0);
    ns_frame_end(&frame);
    return function;
}

/* A constructor as a value: a constant, or a function that builds. */
static vm_value constructor_value(struct ns_unit *unit, struct ns_constructor_info *constructor)
{
    if (constructor->value != VM_NONE)
        return constructor->value;
    if (constructor->fields->count == 0 && !constructor->is_record)
        constructor->value = VM_IMMEDIATE(VM_SORT_CTOR, constructor->number);
    else
        constructor->value = vm_from_object(constructor_function(unit, constructor));
    return constructor->value;
}

void ns_lower_constructor(struct ns_frame *frame, struct ns_constructor_info *constructor, struct ns_target target)
{
    unsigned saved = frame->code.next, to;

    if (!constructor->type->item->type.is_reactive || constructor->fields->count > 0 || constructor->is_record) {
        ns_deliver_const(frame, constructor_value(frame->unit, constructor), target);
        return;
    }
    to = ns_place(frame, target);
    ns_code_list_w(&frame->code, VM_OP_DATA, to, 0, constructor->number, NULL, 0);
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

/* ---- meanings as values ---- */

/* A trait's method as a value: a function that calls it on its first argument. */
static vm_value method_function(struct ns_frame *outer, const char *name)
{
    struct ns_unit *unit = outer->unit;
    const struct ns_trait_info *trait = ns_table_get(&unit->trait_methods, name);
    struct vm_function *function = ns_function_new(unit, outer->space, name, trait->item->span);
    struct vm_site *site = nb_arena_alloc(unit->program->arena, sizeof *site);
    unsigned arguments[VM_NATIVE_ARITY_MAX];
    uint32_t arity = ns_trait_method_arity(trait, name);
    struct ns_frame frame;

    if (arity > VM_NATIVE_ARITY_MAX)
        arity = VM_NATIVE_ARITY_MAX;
    for (uint32_t i = 0; i < arity; i++)
        arguments[i] = i;
    *site = (struct vm_site){
        .name_id = nb_intern_id(name), .name = name, .arg_count = (uint16_t)arity, .as_function = true,
        .module = outer->space->path
    };
    function->arity = function->required = (uint16_t)arity;
    ns_frame_begin(&frame, unit, NULL, outer->space, function);
    ns_code_take(&frame.code, arity);
    ns_code_list_w(&frame.code, VM_OP_TAIL_CALL_METHOD, 0, 0, (uint64_t)(uintptr_t)site, arguments, arity);
    ns_frame_end(&frame);
    return vm_from_object(function);
}

static void lower_value(struct ns_frame *frame, struct ns_value *value, struct ns_target target)
{
    unsigned saved = frame->code.next, to;

    switch (value->kind) {
    case NS_VALUE_MVAR:
        to = ns_place(frame, target);
        ns_code_abc_w(&frame->code, VM_OP_MVAR_GET, to, 0, 0, (uint64_t)(uintptr_t)value->mvar);
        ns_deliver(frame, to, target);
        frame->code.next = saved;
        break;
    case NS_VALUE_BINDING:
        if (value->lambda != NULL) {
            ns_deliver_const(frame, vm_from_object(ns_need(frame->unit, value->lambda)), target);
            break;
        }
        ns_call_function(frame, ns_need(frame->unit, value->group), NULL, 0, target);
        break;
    case NS_VALUE_CONST:
        ns_lower(frame, value->item->value.value, target);
        break;
    }
}

void ns_lower_meaning(struct ns_frame *frame, struct ns_meaning meaning, const char *name, struct ns_span span,
                      struct ns_target target)
{
    switch (meaning.kind) {
    case NS_MEANS_VALUE:
        lower_value(frame, meaning.value, target);
        break;
    case NS_MEANS_FUNCTIONS:
        ns_deliver_const(frame, vm_from_object(ns_choose(frame->unit, meaning.functions, -1)), target);
        break;
    case NS_MEANS_NATIVE:
        ns_deliver_const(frame, vm_from_object(vm_native_find(meaning.native, -1)), target);
        break;
    case NS_MEANS_METHOD:
        ns_deliver_const(frame, method_function(frame, meaning.method), target);
        break;
    case NS_MEANS_CONSTRUCTOR:
        ns_lower_constructor(frame, meaning.constructor, target);
        break;
    case NS_MEANS_NOTHING:
        ns_report_unknown(frame, name, span);
        ns_deliver_const(frame, VM_UNIT, target);
        break;
    }
}

static void lower_local(struct ns_frame *frame, struct ns_local *local, struct ns_target target)
{
    unsigned saved = frame->code.next;

    if (local->functions != NULL)
        ns_deliver_const(frame, vm_from_object(ns_choose(frame->unit, local->functions, -1)), target);
    else if (target.want == NS_WANT_VALUE)
        ns_local_load(frame, local, target.reg);
    else
        ns_deliver(frame, ns_local_read(frame, local), target);
    frame->code.next = saved;
}

void ns_lower_name(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_local *local = ns_local_find(frame, expr->name);

    if (local != NULL)
        lower_local(frame, local, target);
    else
        ns_lower_meaning(frame, ns_find(frame->unit, frame->space, expr->name), expr->name, expr->span, target);
}

static void report_private_type(struct ns_frame *frame, const struct ns_constructor_info *constructor,
                                struct ns_span span)
{
    if (!constructor->type->is_public && !ns_is_inside(frame->space, constructor->type->space))
        ns_report(frame->unit, span, "type `%s` is private in module `%s`", constructor->type->name,
                  constructor->type->space->path);
}

void ns_lower_upper(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_meaning meaning = ns_find(frame->unit, frame->space, expr->name);
    const char *name = expr->name;

    if (meaning.kind == NS_MEANS_NOTHING || meaning.kind == NS_MEANS_NATIVE) {
        if (strcmp(name, "Self") == 0 && frame->self_type != NULL)
            name = frame->self_type->name;
        meaning.constructor = ns_find_constructor(frame->unit, frame->space, name, -1);
        if (meaning.constructor != NULL) {
            meaning.kind = NS_MEANS_CONSTRUCTOR;
            report_private_type(frame, meaning.constructor, expr->span);
        }
    }
    if (meaning.kind == NS_MEANS_NOTHING)
        ns_report_unknown_constructor(frame->unit, &(struct ns_name){ name, expr->span }, expr->span);
    else
        ns_lower_meaning(frame, meaning, name, expr->span, target);
}

/* ---- paths ---- */

/* "a.b.C" if the expression is nothing but names with dots, else NULL. A local in front makes it a value. */
static const char *path_of(struct ns_frame *frame, const struct ns_expr *expr)
{
    const char *front;

    switch (expr->kind) {
    case NS_EXPR_NAME:
        return ns_local_find(frame, expr->name) == NULL ? expr->name : NULL;
    case NS_EXPR_UPPER:
        return ns_local_find(frame, expr->name) == NULL ? expr->name : NULL;
    case NS_EXPR_FIELD:
        front = path_of(frame, expr->field.object);
        if (front == NULL)
            return NULL;
        return nb_intern(nb_arena_printf(frame->unit->arena, "%s.%s", front, expr->field.name.text));
    default:
        return NULL;
    }
}

static bool has_own_value(struct ns_frame *frame, const char *name)
{
    struct ns_meaning meaning = ns_find(frame->unit, frame->space, name);

    return meaning.kind == NS_MEANS_VALUE;
}

/* Names that denote namespaces even if no native of theirs exists (03 §6.1). */
static bool is_reserved(const char *name)
{
    static const char names[] =
        " String File Dir List Option Result Char Int Float Bool Bytes Map Set IO Math Debug Time Thread Channel Regex "
        "Json"
        " Http Net Sys Env Process Base64 Url Encoding Server Exec Random Path Panel Pg Uuid Crypto Float64Array"
        " Int64Array Float32Array Buffer Runtime WebSocket RenderStack RenderContext Reactive Gc Selenium Tcp ";
    const char *at = strchr(name, '.') == NULL ? strstr(names, name) : NULL;
    size_t length = strlen(name);

    while (at != NULL && (at[-1] != ' ' || at[length] != ' '))
        at = strstr(at + 1, name);
    return at != NULL;
}

bool ns_is_namespace(struct ns_unit *unit, struct ns_space *space, const char *path)
{
    if (vm_native_is_namespace(path))
        return true;
    return is_reserved(path) && ns_find_constructor(unit, space, path, -1) == NULL;
}

bool ns_is_module(struct ns_frame *frame, const struct ns_expr *expr, struct ns_space **ret_space,
                  const char **ret_path)
{
    const char *path;

    if (expr->kind == NS_EXPR_NAME && has_own_value(frame, expr->name))
        return false;
    path = path_of(frame, expr);
    if (path == NULL)
        return false;
    *ret_path = path;
    *ret_space = ns_find_module(frame->unit, frame->space, path);
    return *ret_space != NULL || ns_is_namespace(frame->unit, frame->space, path);
}

static bool is_imported(const struct ns_frame *frame, const struct ns_space *module)
{
    if (module->file != module || module->path[0] == '\0' || module->library || module == frame->space->file)
        return true;
    for (const struct ns_space *space = frame->space; space != NULL; space = space->outer)
        if (ns_table_get(&space->used, module->path) != NULL)
            return true;
    return false;
}

struct ns_meaning ns_find_qualified(struct ns_frame *frame, struct ns_space *module, const char *path,
                                    const struct ns_name *name)
{
    struct ns_meaning meaning = { .kind = NS_MEANS_NOTHING };

    if (module != NULL) {
        if (!is_imported(frame, module))
            ns_report(frame->unit, name->span,
                      "module `%s` is not imported; add `use %s.*` or `use %s.{%s}` to use `%s`", path, path, path,
                      name->text, name->text);
        meaning = ns_find_member(frame->unit, frame->space, module, name->text, name->span);
    }
    if (meaning.kind == NS_MEANS_NOTHING) {
        const char *full = nb_arena_printf(frame->unit->arena, "%s.%s", path, name->text);
        bool is_list = strcmp(path, "stdlib.list") == 0; /* much of which is native, under bare names */
        const struct vm_native *native = vm_native_find(is_list ? name->text : full, -1);

        if (native != NULL)
            return (struct ns_meaning){ .kind = NS_MEANS_NATIVE, .native = native->name };
        ns_report(frame->unit, name->span, "unknown function `%s`", full);
        ns_suggest_member(frame->unit, module, path, name);
    }
    return meaning;
}

void ns_lower_field(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_space *module;
    const char *path;
    unsigned saved = frame->code.next, object, to;

    if (ns_is_module(frame, expr->field.object, &module, &path)) {
        struct ns_meaning meaning = ns_find_qualified(frame, module, path, &expr->field.name);

        if (meaning.kind != NS_MEANS_NOTHING)
            ns_lower_meaning(frame, meaning, expr->field.name.text, expr->span, target);
        return;
    }
    object = ns_operand(frame, expr->field.object);
    to = ns_place(frame, target);
    ns_mark_place(frame, expr->field.name.span);
    ns_code_abc_w2(&frame->code, VM_OP_FIELD, to, object, 0, nb_intern_id(expr->field.name.text), 0);
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}
