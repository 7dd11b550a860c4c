/*
 * lower_construct.c - values of user types: constructors, records, and copies of records with other fields.
 */
#include "config.h"

#include "lang/lower_call.h"

#include <string.h>

#include "base/intern.h"
#include "lang/scope_form.h"
#include "lang/suggest.h"

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

/* "Route(from: String, km: Int)" */
static void note_fields(struct ns_frame *frame, const struct ns_constructor_info *constructor)
{
    struct nb_buf text = NB_BUF_INIT;

    for (uint32_t i = 0; i < constructor->fields->count; i++) {
        const struct ns_field *field = &constructor->fields->items[i];

        nb_buf_text(&text, i > 0 ? ", " : "");
        if (field->name.text != NULL)
            nb_buf_printf(&text, "%s: ", field->name.text);
        nb_buf_text(&text, ns_type_text(frame->unit, field->type));
    }
    ns_note(frame->unit->diag, "the fields of %s `%s`: (%s)", kind_word(constructor), constructor->name,
            nb_buf_cstr(&text));
    nb_buf_done(&text);
}

static void report_wrong_number(struct ns_frame *frame, const struct ns_call *call,
                                const struct ns_constructor_info *constructor)
{
    ns_report_wrong_number(frame, call, constructor->fields->count);
    if (ns_reported(frame->unit) && constructor->fields->count > 0)
        note_fields(frame, constructor);
}

/* P(old, x: 1) */
static void lower_copy(struct ns_frame *frame, const struct ns_call *call,
                       const struct ns_constructor_info *constructor, struct ns_target target)
{
    uint32_t count = call->count - 1;
    uint32_t *ids = nb_arena_array(frame->unit->program->arena, 2 * count, sizeof *ids), *positions = ids + count;
    struct ns_expr **items = ns_call_items(frame, call->count);
    unsigned *registers = ns_call_registers(frame, call->count), to;
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
static bool place_fields(struct ns_frame *frame, const struct ns_call *call,
                         const struct ns_constructor_info *constructor, unsigned *ret_order)
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
                report_wrong_number(frame, call, constructor);
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
                report_wrong_number(frame, call, constructor);
            return false;
        }
    return true;
}

static void lower_data(struct ns_frame *frame, const struct ns_call *call,
                       const struct ns_constructor_info *constructor, struct ns_target target)
{
    uint32_t count = constructor->fields->count;
    unsigned *order = ns_call_registers(frame, count), *registers = ns_call_registers(frame, call->count);
    unsigned *fields = ns_call_registers(frame, count), to;
    struct ns_expr **items = ns_call_items(frame, call->count);

    if (!place_fields(frame, call, constructor, order)) {
        ns_evaluate_for_errors(frame, call);
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

static void construct(struct ns_frame *frame, const struct ns_call *call, struct ns_constructor_info *constructor,
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

static void construct_unknown(struct ns_frame *frame, struct ns_call *call, const struct ns_expr *expr,
                              struct ns_target target)
{
    const char *name = expr->call.name.text;
    struct ns_meaning meaning = ns_find(frame->unit, frame->space, name);

    if (meaning.kind == NS_MEANS_VALUE) { /* an upper-case constant */
        unsigned callee = ns_code_take(&frame->code, 1);

        ns_evaluate_positional(frame, call, call->count);
        ns_lower_meaning(frame, meaning, name, expr->span, ns_into(callee));
        ns_call_value(frame, callee, call->registers, call->count, target);
    } else if (conversion(name) != NULL && call->count == 1) {
        ns_call_natives(frame, call, conversion(name), target);
    } else if (ns_scope_form_module(name) != NULL) { /* with one argument it would have been rewritten */
        ns_report_count(frame, call, 1, NULL);
        ns_evaluate_for_errors(frame, call);
    } else {
        ns_report_unknown_constructor(frame->unit, &expr->call.name, expr->call.name.span);
        ns_evaluate_for_errors(frame, call);
    }
}

static void construct_qualified(struct ns_frame *frame, struct ns_call *call, const struct ns_expr *expr,
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
        ns_evaluate_for_errors(frame, call);
}

void ns_lower_construct(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_call call = { .span = expr->span,
                            .name = expr->call.name.text,
                            .written = expr->call.arguments.items,
                            .count = expr->call.arguments.count };
    struct ns_constructor_info *constructor;
    unsigned saved = frame->code.next;

    if (!ns_call_check_count(frame, &call))
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
