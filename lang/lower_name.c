/*
 * lower_name.c - names as values: locals, module values, functions, natives, constructors, qualified names.
 */
#include "config.h"

#include "lang/lower.h"

#include <string.h>

#include "base/assert.h"
#include "base/intern.h"

void ns_report_unknown(struct ns_frame *frame, const char *name, struct ns_span span)
{
    if (ns_diag_count(frame->unit->diag) < NS_DIAG_MAX && ns_has_suggestion(frame->unit, frame->space, name))
        ns_report(frame->unit, span, "unknown variable `%s`: cannot find value `%s` in this scope", name, name);
    else
        ns_report(frame->unit, span, "unknown variable `%s`", name);
    if (ns_reported(frame->unit) && ns_diag_count(frame->unit->diag) <= NS_DIAG_MAX)
        ns_suggest(frame->unit, frame->space, name);
}

/* ---- functions behind a name ---- */

static bool takes(const struct ns_group *group, int count)
{
    return count < 0 || ((uint32_t)count >= group->required && (uint32_t)count <= group->arity);
}

/* More annotations first, exact arity before defaults: typed beats untyped (01 §10.3). */
static int rank(const struct ns_group *group)
{
    int annotated = 0;

    for (uint32_t i = 0; i < group->arity; i++)
        annotated += group->types[i] != NULL;
    return annotated;
}

/* Put a group behind those that rank at least as high. How many there are then. */
static unsigned insert_by_rank(struct ns_group **groups, unsigned count, struct ns_group *group)
{
    unsigned at = count;

    while (at > 0 && rank(groups[at - 1]) < rank(group)) {
        groups[at] = groups[at - 1];
        at--;
    }
    groups[at] = group;
    return count + 1;
}

static unsigned candidates(struct ns_unit *unit, struct ns_functions *functions, int count, struct ns_group ***ret)
{
    struct ns_group **found = nb_arena_array(unit->arena, functions->groups.count + 1, sizeof *found);
    unsigned n = 0;

    for (size_t i = 0; i < functions->groups.count; i++) {
        if (takes(functions->groups.items[i], count))
            n = insert_by_rank(found, n, functions->groups.items[i]);
    }
    *ret = found;
    return n;
}

/* Go to `no` unless the argument in `reg` is what the annotation says. A list's first element may tell two list types
 * apart. */
static void test_type(struct ns_frame *frame, struct ns_space *space, const struct ns_type *type, unsigned reg,
                      ns_mark no)
{
    uint32_t class_key = ns_class_of_type(frame->unit, space, type);
    unsigned saved = frame->code.next, element;
    ns_mark yes;

    if (class_key == 0)
        return;
    ns_code_jump_w(&frame->code, VM_OP_UNLESS_CLASS, reg, no, class_key);
    if (class_key != VM_CLASS_LIST || type->kind != NS_TYPE_NAMED || type->named.arguments.count != 1 ||
        ns_class_of_type(frame->unit, space, type->named.arguments.items[0]) == 0)
        return;
    yes = ns_code_label(&frame->code);
    element = ns_code_take(&frame->code, 1);
    ns_code_jump(&frame->code, VM_OP_UNLESS_LIST, reg, yes);
    ns_code_abc(&frame->code, VM_OP_HEAD, element, reg, 0);
    test_type(frame, space, type->named.arguments.items[0], element, no);
    ns_code_bind(&frame->code, yes);
    frame->code.next = saved;
}

/* The count of arguments that are there must fit: a parameter beyond the group's own is absent, a required one present.
 */
static void test_count(struct ns_frame *frame, const struct ns_group *group, unsigned most, ns_mark no)
{
    if (group->arity < most)
        ns_code_jump(&frame->code, VM_OP_JUMP_PRESENT, group->arity, no);
    if (group->required > 0) {
        ns_mark enough = ns_code_label(&frame->code);

        ns_code_jump(&frame->code, VM_OP_JUMP_PRESENT, group->required - 1, enough);
        ns_code_jump(&frame->code, VM_OP_JUMP, 0, no);
        ns_code_bind(&frame->code, enough);
    }
}

static void try_candidate(struct ns_frame *frame, struct ns_group *group, unsigned most)
{
    unsigned *arguments = nb_arena_array(frame->unit->arena, group->arity + 1, sizeof *arguments);
    ns_mark no = ns_code_label(&frame->code);

    test_count(frame, group, most, no);
    for (uint32_t i = 0; i < group->arity; i++) {
        ns_mark absent = ns_code_label(&frame->code), there = ns_code_label(&frame->code);

        arguments[i] = i;
        if (group->types[i] == NULL)
            continue;
        if (group->defaults[i] != NULL) {
            ns_code_jump(&frame->code, VM_OP_JUMP_PRESENT, i, there);
            ns_code_jump(&frame->code, VM_OP_JUMP, 0, absent);
            ns_code_bind(&frame->code, there);
        }
        test_type(frame, group->space, group->types[i], i, no);
        ns_code_bind(&frame->code, absent);
    }
    ns_code_list_w(&frame->code, VM_OP_TAIL_CALL, 0, 0, vm_from_object(ns_need(frame->unit, group)), arguments,
                   group->arity);
    ns_code_bind(&frame->code, no);
}

static void throw_no_clause(struct ns_frame *frame, const struct ns_group *group)
{
    const char *text = nb_arena_printf(frame->unit->arena, "No clause matched for function '%s'",
                                       ns_group_signature(frame->unit, group));
    unsigned reg = ns_code_take(&frame->code, 1);

    ns_code_const(&frame->code, reg, ns_string_value(frame->unit, text, strlen(text)));
    ns_code_abc(&frame->code, VM_OP_THROW, reg, 0, 0);
}

/* The conversions (`toInt`, …) may be defined again, but numbers still go to the built-in ones (01 §12.4). */
static void numbers_to_native(struct ns_frame *frame, const struct vm_native *native)
{
    static const uint32_t numbers[] = { VM_CLASS_INT,    VM_CLASS_FLOAT,  VM_CLASS_INT8,    VM_CLASS_INT16,
                                        VM_CLASS_INT32,  VM_CLASS_UINT8,  VM_CLASS_UINT16,  VM_CLASS_UINT32,
                                        VM_CLASS_UINT64, VM_CLASS_FLOAT32, VM_CLASS_BIGINT, VM_CLASS_DECIMAL };
    unsigned argument = 0, to = ns_code_take(&frame->code, 1);

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        ns_mark no = ns_code_label(&frame->code);

        ns_code_jump_w(&frame->code, VM_OP_UNLESS_CLASS, argument, no, numbers[i]);
        ns_code_list_w(&frame->code, VM_OP_CALL_NATIVE, to, 0, vm_from_object(native), &argument, 1);
        ns_code_abc(&frame->code, VM_OP_RETURN, to, 0, 0);
        ns_code_bind(&frame->code, no);
    }
}

/* A function that looks at its arguments and goes on to the candidate that fits. */
static struct vm_function *make_dispatcher(struct ns_unit *unit, struct ns_group *const *groups, unsigned count)
{
    const struct ns_group *first = groups[0];
    struct vm_function *function = ns_function_new(unit, first->space, first->function->name, (struct ns_span){ 0 });
    struct ns_frame frame;
    unsigned most = 0, required = UINT16_MAX;

    for (unsigned i = 0; i < count; i++) {
        if (groups[i]->arity > most) {
            most = groups[i]->arity;
            function->parameters = groups[i]->function->parameters;
        }
        required = groups[i]->required < required ? groups[i]->required : required;
    }
    function->arity = (uint16_t)most;
    function->required = (uint16_t)required;
    function->first_line = first->function->first_line;
    ns_frame_begin(&frame, unit, NULL, first->space, function);
    ns_code_take(&frame.code, most);
    if (most == 1 && !first->space->library && !first->is_local && vm_native_find(first->name, 1) != NULL)
        numbers_to_native(&frame, vm_native_find(first->name, 1));
    for (unsigned i = 0; i < count; i++)
        try_candidate(&frame, groups[i], most);
    throw_no_clause(&frame, groups[count - 1]);
    ns_frame_end(&frame);
    return function;
}

struct vm_function *ns_choose(struct ns_unit *unit, struct ns_functions *functions, int count)
{
    struct ns_group **groups;
    struct vm_function *made;
    unsigned n;

    for (size_t i = 0; i < functions->choices.count; i++)
        if (functions->choices.items[i].count == (unsigned)count)
            return functions->choices.items[i].function;
    n = candidates(unit, functions, count, &groups);
    if (n == 0)
        return NULL;
    if (n == 1 && (groups[0]->is_local || groups[0]->space->library || vm_native_find(functions->name, 1) == NULL))
        made = ns_need(unit, groups[0]);
    else
        made = make_dispatcher(unit, groups, n);
    ns_push(unit, &functions->choices, ((struct ns_choice){ (unsigned)count, made }));
    return made;
}

/* Masks of groups and counts of arguments are kept in one list: those have the top bit, these (and -1) do not or have
 * all. */
enum { MASK_BITS = 30 };

struct vm_function *ns_choose_among(struct ns_unit *unit, struct ns_functions *functions, const bool *wanted)
{
    struct ns_group **groups = nb_arena_array(unit->arena, functions->groups.count, sizeof *groups);
    struct vm_function *made;
    unsigned n = 0, key = 1u << 31;

    for (size_t i = 0; i < functions->groups.count; i++) {
        if (!wanted[i])
            continue;
        key |= i < MASK_BITS ? 1u << i : 0;
        n = insert_by_rank(groups, n, functions->groups.items[i]);
    }
    if (n == 1)
        return ns_need(unit, groups[0]);
    for (size_t i = 0; functions->groups.count <= MASK_BITS && i < functions->choices.count; i++)
        if (functions->choices.items[i].count == key)
            return functions->choices.items[i].function;
    made = make_dispatcher(unit, groups, n);
    ns_push(unit, &functions->choices, ((struct ns_choice){ key, made }));
    return made;
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

vm_value ns_constructor_value(struct ns_unit *unit, struct ns_constructor_info *constructor)
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
        ns_deliver_const(frame, ns_constructor_value(frame->unit, constructor), target);
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
    uint32_t arity = 1;
    struct ns_frame frame;

    for (uint32_t i = 0; i < trait->item->trait.methods.count; i++)
        if (trait->item->trait.methods.items[i]->name.text == name)
            arity = trait->item->trait.methods.items[i]->parameters.count;
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
        ns_deliver_const(frame, method_function(frame, name), target);
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
    if (meaning.kind == NS_MEANS_NOTHING) {
        ns_report(frame->unit, expr->span, "unknown type `%s`", name);
        if (ns_reported(frame->unit))
            ns_hint(frame->unit->diag, "types must be defined with 'type Name = ...'");
    } else {
        ns_lower_meaning(frame, meaning, name, expr->span, target);
    }
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
        const struct vm_native *native = vm_native_find(full, -1);

        if (native != NULL)
            return (struct ns_meaning){ .kind = NS_MEANS_NATIVE, .native = native->name };
        ns_report(frame->unit, name->span, "unknown function `%s`", full);
        if (ns_reported(frame->unit))
            ns_hint(frame->unit->diag, "make sure the function is defined before it's called");
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
