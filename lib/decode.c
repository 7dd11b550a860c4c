/*
 * decode.c - the rules of jsonToType (04 §3.5): structure is checked, scalars are taken as they come.
 */
#include "config.h"

#include "lib/decoder.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/number.h"

static enum vm_status expect_json(struct lib_decoder *decoder, vm_value json)
{
    return lib_json_kind(json) != LIB_JSON_KINDS ? VM_OK : vm_raise_text(decoder->ctx, "Expected Json variant");
}

static bool is_option(struct lib_target target) { return vm_shape_is(target.shape, "Option", 1); }

/* A field declared as Json takes any Json value as it is. */
static bool is_json(struct lib_target target)
{
    return target.shape->kind == VM_SHAPE_DECLARED && target.shape->type->count == LIB_JSON_KINDS &&
           target.shape->type->constructors[0].constructor == vm_constructor_of(lib_json_null());
}

/* The list in an Array or Object that is expected. */
static enum vm_status expect_list(struct lib_decoder *decoder, vm_value json, enum lib_json_kind kind, vm_value *ret)
{
    enum vm_status status = expect_json(decoder, json);

    if (status != VM_OK)
        return status;
    *ret = lib_json_kind(json) == kind ? lib_json_list(json) : VM_NONE;
    if (*ret != VM_NONE)
        return VM_OK;
    return vm_raise_text(decoder->ctx, "Expected Json %s, found %s", kind == LIB_JSON_ARRAY ? "Array" : "Object",
                         lib_json_name(json));
}

/* ---- records and variants ---- */

static enum vm_status decode_several(struct lib_decoder *decoder, struct lib_target target,
                                     const struct vm_type_constructor *constructor, vm_value json)
{
    vm_value items = VM_NONE;
    enum vm_status status = expect_list(decoder, json, LIB_JSON_ARRAY, &items);

    if (status != VM_OK)
        return status;
    if (vm_list_length(items) != constructor->constructor->arity)
        return vm_raise_text(decoder->ctx, "Expected %u fields for %s, got %u", constructor->constructor->arity,
                             constructor->constructor->name, vm_list_length(items));
    return lib_decoder_open_data(decoder, target, constructor, LIB_SUPPLY_ITEMS, items);
}

static enum vm_status decode_variant(struct lib_decoder *decoder, struct lib_target target, vm_value pairs)
{
    const struct vm_type_constructor *constructor;
    vm_value key, value;
    struct vm_text name;

    if (vm_list_length(pairs) != 1)
        return vm_raise_text(decoder->ctx, "Variant json must have exactly one key (constructor), found %u",
                             vm_list_length(pairs));
    if (!lib_json_pair(vm_list_head(pairs), &key, &value))
        return vm_raise_text(decoder->ctx, "Expected Json variant");
    name = vm_text(key);
    constructor = lib_find_constructor(target.shape->type, name);
    if (constructor == NULL)
        return vm_raise_text(decoder->ctx, "Unknown constructor: %.*s", (int)name.length, name.bytes);
    if (constructor->constructor->arity > 1)
        return decode_several(decoder, target, constructor, value);
    return lib_decoder_open_data(decoder, target, constructor, LIB_SUPPLY_ITSELF, value);
}

static bool is_record(const struct vm_type *type)
{
    return type->form == VM_TYPE_RECORD || type->form == VM_TYPE_REACTIVE_RECORD;
}

static enum vm_status decode_declared(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    vm_value pairs = VM_NONE;
    enum vm_status status = expect_list(decoder, json, LIB_JSON_OBJECT, &pairs);

    if (status != VM_OK)
        return status;
    if (!is_record(target.shape->type))
        return decode_variant(decoder, target, pairs);
    return lib_decoder_open_data(decoder, target, &target.shape->type->constructors[0], LIB_SUPPLY_FIELDS, pairs);
}

/* ---- fields ---- */

static enum vm_status decode_items(struct lib_decoder *decoder, struct lib_target target, vm_value list)
{
    struct lib_frame frame = { .result = LIB_RESULT_LIST, .supply = LIB_SUPPLY_ITEMS, .target = target,
                               .count = vm_list_length(list) };

    if (target.shape->kind == VM_SHAPE_TUPLE && frame.count >= 2)
        frame.result = LIB_RESULT_TUPLE;
    else if (!vm_shape_is(target.shape, "List", 1))
        frame.target = (struct lib_target){ &lib_any_shape, NULL };
    return lib_decoder_open(decoder, frame, list);
}

/* A number becomes one of the declared type; where that is no type of numbers, it stays what Json calls it. */
static enum vm_status decode_number(struct lib_decoder *decoder, struct lib_target target, vm_value number,
                                    uint32_t otherwise)
{
    uint32_t class_key = target.shape->kind == VM_SHAPE_BUILTIN ? target.shape->class_key : 0;

    if (!vm_is_number(number))
        return lib_decoder_push(decoder, number);
    return lib_decoder_push_number(
        decoder, number, class_key >= VM_CLASS_INT && class_key <= VM_CLASS_FLOAT32 ? class_key : otherwise);
}

/* Some(…) of what the value becomes. */
static enum vm_status decode_some(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    return lib_decoder_open_data(decoder, target, &target.shape->type->constructors[0], LIB_SUPPLY_ITSELF, json);
}

enum vm_status lib_decode_field(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    enum lib_json_kind kind = lib_json_kind(json);

    if (kind == LIB_JSON_KINDS || is_json(target))
        return lib_decoder_push(decoder, json);
    if (is_option(target) && target.shape->kind == VM_SHAPE_DECLARED)
        return kind != LIB_JSON_NULL ? decode_some(decoder, target, json)
                                     : lib_decoder_push(decoder, VM_IMMEDIATE(VM_SORT_CTOR, VM_CTOR_NONE));
    switch (kind) {
    case LIB_JSON_NULL:
        return lib_decoder_push(decoder, VM_UNIT);
    case LIB_JSON_INTEGER:
        return decode_number(decoder, target, vm_field(json, 0), VM_CLASS_INT);
    case LIB_JSON_NUMBER:
        return decode_number(decoder, target, vm_field(json, 0), VM_CLASS_FLOAT);
    case LIB_JSON_ARRAY:
        if (lib_json_list(json) != VM_NONE)
            return decode_items(decoder, target, lib_json_list(json));
        return lib_decoder_push(decoder, vm_field(json, 0));
    case LIB_JSON_OBJECT:
        if (target.shape->kind == VM_SHAPE_DECLARED)
            return decode_declared(decoder, target, json);
        return lib_decoder_push(decoder, json);
    default:
        return lib_decoder_push(decoder, vm_field(json, 0));
    }
}

enum vm_status lib_decode_whole(struct lib_decoder *decoder, struct lib_target target, vm_value json)
{
    enum vm_status status = VM_OK;
    vm_value items = VM_NONE;

    if (is_option(target)) {
        status = expect_json(decoder, json);
        return status == VM_OK ? lib_decode_field(decoder, target, json) : status;
    }
    if (vm_shape_is(target.shape, "List", 1) || target.shape->kind == VM_SHAPE_TUPLE) {
        status = expect_list(decoder, json, LIB_JSON_ARRAY, &items);
        return status == VM_OK ? decode_items(decoder, target, items) : status;
    }
    if (target.shape->kind != VM_SHAPE_DECLARED || target.shape->count > 0)
        return vm_raise_text(decoder->ctx, "Unknown type: %s", target.shape->text);
    if (is_json(target) && lib_json_kind(json) != LIB_JSON_KINDS)
        return lib_decoder_push(decoder, json);
    return decode_declared(decoder, target, json);
}
