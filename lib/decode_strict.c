/*
 * decode_strict.c - the rules of fromJsonValue (04 §3.6): every value is checked against its type, generic types are
 * taken with their arguments.
 */
#include "config.h"

#include "lib/decoder.h"

#include "base/utf8.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/print.h"

/* ---- failures ---- */

/* Throw the text of a buffer, which is given back. */
static enum vm_status throw_text(struct lib_decoder *decoder, struct nb_buf *text)
{
    enum vm_status status =
        text->failed ? VM_NOMEM : vm_raise_text(decoder->ctx, "%s", nb_buf_cstr(text));

    nb_buf_done(text);
    return status;
}

/* `words` and the target. */
static enum vm_status fail(struct lib_decoder *decoder, const char *words, struct lib_target target)
{
    struct nb_buf text = NB_BUF_INIT;

    nb_buf_text(&text, words);
    lib_target_text(&text, target);
    return throw_text(decoder, &text);
}

/* "Expected KIND for TYPE, got VALUE"; without type when that is NULL. */
static enum vm_status expected(struct lib_decoder *decoder, const char *kind, const struct lib_target *target,
                               vm_value got)
{
    struct nb_buf text = NB_BUF_INIT;

    nb_buf_printf(&text, "Expected %s", kind);
    if (target != NULL) {
        nb_buf_text(&text, " for ");
        lib_target_text(&text, *target);
    }
    nb_buf_text(&text, ", got ");
    vm_print_display(&text, got);
    return throw_text(decoder, &text);
}

/* ---- built-in types ---- */

/* The result on top, a number, becomes one of another class. */
static enum vm_status convert_top(struct lib_decoder *decoder, uint32_t class_key)
{
    return lib_decoder_push_number(decoder, lib_stack_pop(decoder->results), class_key);
}

/* Whole numbers keep all their digits as Int and BigInt; what is narrower is converted like a Float, without
 * wrapping. */
static enum vm_status decode_number(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    enum lib_json_kind kind = lib_json_kind(json);
    uint32_t class_key = target.shape->class_key;
    enum vm_status status;

    if ((kind != LIB_JSON_NUMBER && kind != LIB_JSON_INTEGER) || !vm_is_number(vm_field(json, 0)))
        return expected(decoder, "Number", &target, json);
    status = lib_decoder_push_number(decoder, vm_field(json, 0),
                                     class_key == VM_CLASS_INT || class_key == VM_CLASS_BIGINT ? VM_CLASS_INT
                                                                                               : VM_CLASS_FLOAT);
    return status == VM_OK ? convert_top(decoder, class_key) : status;
}

static enum vm_status decode_string(struct lib_decoder *decoder, vm_value json)
{
    if (lib_json_kind(json) != LIB_JSON_STRING || !vm_is_string(vm_field(json, 0)))
        return expected(decoder, "String", NULL, json);
    return lib_decoder_push(decoder, vm_field(json, 0));
}

static enum vm_status decode_bool(struct lib_decoder *decoder, vm_value json)
{
    if (lib_json_kind(json) != LIB_JSON_BOOL)
        return expected(decoder, "Bool", NULL, json);
    return lib_decoder_push(decoder, vm_field(json, 0));
}

static enum vm_status decode_char(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    struct vm_text text;
    uint32_t c;

    if (lib_json_kind(json) != LIB_JSON_STRING || !vm_is_string(vm_field(json, 0)))
        return expected(decoder, "String", &target, json);
    text = vm_text(vm_field(json, 0));
    if (text.length == 0)
        return vm_raise_text(decoder->ctx, "Expected non-empty string for Char");
    nb_utf8_decode(text.bytes, text.length, &c);
    return lib_decoder_push(decoder, vm_from_char(c));
}

/* The list in a Json value of that kind, or VM_NONE. */
static vm_value list_of(vm_value json, enum lib_json_kind kind)
{
    return lib_json_kind(json) == kind ? lib_json_list(json) : VM_NONE;
}

static enum vm_status decode_list(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    vm_value items = list_of(json, LIB_JSON_ARRAY);
    struct lib_frame frame = { .result = LIB_RESULT_LIST, .supply = LIB_SUPPLY_ITEMS, .target = target };

    if (target.shape->count != 1)
        return fail(decoder, "List expects exactly one type argument in ", target);
    if (items == VM_NONE)
        return expected(decoder, "Array", &target, json);
    frame.count = vm_list_length(items);
    return lib_decoder_open(decoder, frame, items);
}

static enum vm_status decode_map(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    vm_value pairs = list_of(json, LIB_JSON_OBJECT);
    struct lib_frame frame = { .result = LIB_RESULT_MAP, .supply = LIB_SUPPLY_ENTRIES, .target = target };

    if (target.shape->count != 2)
        return fail(decoder, "Map expects exactly two type arguments in ", target);
    if (pairs == VM_NONE)
        return expected(decoder, "Object", &target, json);
    frame.count = 2 * vm_list_length(pairs);
    return lib_decoder_open(decoder, frame, pairs);
}

static enum vm_status decode_builtin(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    uint32_t class_key = target.shape->class_key;

    if (class_key == VM_CLASS_LIST)
        return decode_list(decoder, target, json);
    if (class_key == VM_CLASS_MAP)
        return decode_map(decoder, target, json);
    if (target.shape->count > 0)
        return fail(decoder, "Unknown type: ", target);
    if (class_key >= VM_CLASS_INT && class_key <= VM_CLASS_BIGINT)
        return decode_number(decoder, target, json);
    switch (class_key) {
    case VM_CLASS_STRING:
        return decode_string(decoder, json);
    case VM_CLASS_BOOL:
        return decode_bool(decoder, json);
    case VM_CLASS_CHAR:
        return decode_char(decoder, target, json);
    default:
        return fail(decoder, "Unknown type: ", target);
    }
}

/* ---- declared types ---- */

static enum vm_status decode_option(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    if (target.shape->count != 1)
        return fail(decoder, "Option expects exactly one type argument in ", target);
    if (lib_json_kind(json) == LIB_JSON_NULL)
        return lib_decoder_push(decoder, VM_IMMEDIATE(VM_SORT_CTOR, VM_CTOR_NONE));
    return lib_decoder_open_data(decoder, target, &target.shape->type->constructors[0], LIB_SUPPLY_ITSELF, json);
}

/* The only pair of an Object; false when it is none or has others. */
static bool only_pair(vm_value json, vm_value *ret_key, vm_value *ret_value)
{
    vm_value pairs = list_of(json, LIB_JSON_OBJECT);

    return pairs != VM_NONE && vm_list_length(pairs) == 1 && lib_json_pair(vm_list_head(pairs), ret_key, ret_value);
}

static enum vm_status decode_result(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    const struct vm_type_constructor *constructor = NULL;
    vm_value key, value;

    if (target.shape->count != 2)
        return fail(decoder, "Result expects exactly two type arguments in ", target);
    if (only_pair(json, &key, &value))
        constructor = lib_find_constructor(target.shape->type, vm_text(key));
    if (constructor == NULL)
        return vm_raise_text(decoder->ctx, "Result JSON must have exactly one key: Ok or Err");
    return lib_decoder_open_data(decoder, target, constructor, LIB_SUPPLY_ITSELF, value);
}

/* A constructor by name, with what stands with it. */
static enum vm_status decode_constructor(struct lib_decoder *decoder, struct lib_target target, struct vm_text name,
                                         vm_value payload)
{
    const struct vm_type_constructor *constructor = lib_find_constructor(target.shape->type, name);
    struct nb_buf text = NB_BUF_INIT;

    if (constructor != NULL)
        return lib_decoder_open_data(decoder, target, constructor, LIB_SUPPLY_PAYLOAD, payload);
    nb_buf_text(&text, "Unknown constructor: ");
    nb_buf_append(&text, name.bytes, name.length);
    nb_buf_text(&text, " for type ");
    lib_target_text(&text, target);
    return throw_text(decoder, &text);
}

static enum vm_status decode_variant(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    vm_value key, value;

    if (lib_json_kind(json) == LIB_JSON_STRING && vm_is_string(vm_field(json, 0)))
        return decode_constructor(decoder, target, vm_text(vm_field(json, 0)), lib_json_null());
    if (only_pair(json, &key, &value))
        return decode_constructor(decoder, target, vm_text(key), value);
    if (lib_json_kind(json) == LIB_JSON_OBJECT)
        return vm_raise_text(decoder->ctx, "Variant JSON must have exactly one key (constructor name)");
    return fail(decoder, "Expected Object or String for variant type ", target);
}

static enum vm_status decode_record(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    vm_value pairs = list_of(json, LIB_JSON_OBJECT);

    if (pairs == VM_NONE)
        return fail(decoder, "Expected Object for record type ", target);
    return lib_decoder_open_data(decoder, target, &target.shape->type->constructors[0], LIB_SUPPLY_OPTIONAL, pairs);
}

static enum vm_status refuse_reactive(struct lib_decoder *decoder, struct lib_target target)
{
    struct nb_buf text = NB_BUF_INIT;

    nb_buf_text(&text, "Cannot convert JSON to type: ");
    lib_target_text(&text, target);
    nb_buf_printf(&text, " (kind: %s)", vm_type_form_name(target.shape->type->form));
    return throw_text(decoder, &text);
}

static enum vm_status decode_declared(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    const struct vm_type *type = target.shape->type;

    if (vm_constructor(VM_CTOR_SOME) == type->constructors[0].constructor)
        return decode_option(decoder, target, json);
    if (vm_constructor(VM_CTOR_OK) == type->constructors[0].constructor)
        return decode_result(decoder, target, json);
    switch (type->form) {
    case VM_TYPE_RECORD:
        return decode_record(decoder, target, json);
    case VM_TYPE_VARIANT:
        return decode_variant(decoder, target, json);
    default:
        return refuse_reactive(decoder, target);
    }
}

enum vm_status lib_decode_strictly(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    target = lib_target_resolved(target);
    if (lib_json_kind(json) == LIB_JSON_KINDS)
        return vm_raise_text(decoder->ctx, "Expected Json variant");
    switch (target.shape->kind) {
    case VM_SHAPE_BUILTIN:
        return decode_builtin(decoder, target, json);
    case VM_SHAPE_DECLARED:
        return decode_declared(decoder, target, json);
    default:
        return fail(decoder, "Unknown type: ", target);
    }
}
