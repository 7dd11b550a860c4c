/*
 * reflection.c - natives that know the program's types by name: decoding Json, building values out of maps, describing
 * types.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/decoder.h"
#include "lib/expect.h"
#include "vm/except.h"
#include "vm/map.h"
#include "vm/program.h"

/* ---- decoding ---- */

/* Decode args[1] into the type that args[0] names. */
static enum vm_status decode(struct vm_ctx *ctx, vm_value *args, lib_decode_rule *whole, lib_decode_rule *part,
                             vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S*");
    struct lib_decoder decoder;
    struct lib_stack results;
    struct lib_target target = { NULL, NULL };

    if (status != VM_OK)
        return status;
    lib_stack_begin(ctx, &results);
    lib_decoder_init(&decoder, ctx, &results, part);
    target.shape = lib_decoder_shape(&decoder, vm_text(args[0]));
    status = whole(&decoder, target, args[1]);
    if (status == VM_OK)
        status = lib_decoder_run(&decoder);
    if (status == VM_OK)
        *ret = lib_stack_top(&results);
    lib_decoder_done(&decoder);
    lib_stack_end(ctx, &results);
    return status;
}

static enum vm_status json_to_type(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return decode(ctx, args, lib_decode_whole, lib_decode_field, ret);
}

static enum vm_status from_json_value(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return decode(ctx, args, lib_decode_strictly, lib_decode_strictly, ret);
}

/* ---- building out of maps ---- */

/* The type that a text names, arguments aside; NULL when there is none. */
static const struct vm_type *named_type(struct vm_ctx *ctx, vm_value name)
{
    struct vm_text text = vm_text(name);
    const char *bracket = memchr(text.bytes, '[', text.length);
    size_t length = bracket == NULL ? text.length : (size_t)(bracket - text.bytes);

    return vm_types_find(ctx->process->program->types, text.bytes, length);
}

static enum vm_status unknown_type(struct vm_ctx *ctx, vm_value name)
{
    struct vm_text text = vm_text(name);

    return vm_raise_text(ctx, "Unknown type: %.*s", (int)text.length, text.bytes);
}

/* Push what the map has for a field; *ret_found false: nothing. The map is *map, a root. */
static bool push_entry(struct vm_ctx *ctx, struct lib_stack *stack, const vm_value *map, const char *key,
                       bool *ret_found)
{
    vm_value name = vm_string_cstr(ctx, key), value;

    if (name == VM_NONE)
        return false;
    value = vm_map_get(*map, name);
    *ret_found = value != VM_NONE;
    return value == VM_NONE || lib_stack_push(stack, value);
}

/* The topmost result, if it is Json, becomes a value of the field's type. */
static enum vm_status convert_field(struct lib_decoder *decoder, const struct vm_shape *shape)
{
    vm_value value = lib_stack_top(decoder->results);
    enum vm_status status;

    if (!lib_is_json(value))
        return VM_OK;
    if (vm_shape_is(shape, "Option", 1) && lib_json_kind(value) != LIB_JSON_NULL)
        shape = shape->arguments[0];
    lib_stack_pop(decoder->results);
    status = lib_decode_field(decoder, (struct lib_target){ shape, NULL }, value);
    return status == VM_OK ? lib_decoder_run(decoder) : status;
}

/* Push the value of a constructor with the fields of the map *map, a root. `missing` words the absence of one. */
static enum vm_status build(struct lib_decoder *decoder, const struct vm_type_constructor *constructor,
                            const vm_value *map, const char *missing)
{
    const struct vm_constructor *described = constructor->constructor;
    char position[16];

    for (unsigned i = 0; i < described->arity; i++) {
        const char *key = described->fields[i];
        bool found = false;
        enum vm_status status;

        snprintf(position, sizeof position, "_%u", i);
        if (!push_entry(decoder->ctx, decoder->results, map, described->named ? key : position, &found))
            return VM_NOMEM;
        if (!found)
            return vm_raise_text(decoder->ctx, missing, described->named ? key : position, described->name);
        status = convert_field(decoder, constructor->field_shapes[i]);
        if (status != VM_OK)
            return status;
    }
    return lib_stack_construct(decoder->ctx, decoder->results, described);
}

static enum vm_status build_and_answer(struct vm_ctx *ctx, const struct vm_type_constructor *constructor,
                                       const vm_value *map, const char *missing, vm_value *ret)
{
    struct lib_decoder decoder;
    struct lib_stack results;
    enum vm_status status;

    lib_stack_begin(ctx, &results);
    lib_decoder_init(&decoder, ctx, &results, lib_decode_field);
    status = build(&decoder, constructor, map, missing);
    if (status == VM_OK)
        *ret = lib_stack_top(&results);
    lib_decoder_done(&decoder);
    lib_stack_end(ctx, &results);
    return status;
}

static bool is_record(const struct vm_type *type)
{
    return type->form == VM_TYPE_RECORD || type->form == VM_TYPE_REACTIVE_RECORD;
}

static enum vm_status make_record(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SM");
    const struct vm_type *type = status == VM_OK ? named_type(ctx, args[0]) : NULL;

    if (status != VM_OK)
        return status;
    if (type == NULL)
        return unknown_type(ctx, args[0]);
    if (!is_record(type))
        return vm_raise_text(ctx, "makeRecord cannot be used for variant type '%s', use makeVariant instead",
                             type->name);
    return build_and_answer(ctx, &type->constructors[0], &args[1], "Missing field: %s", ret);
}

static enum vm_status make_variant(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SSM");
    const struct vm_type *type = status == VM_OK ? named_type(ctx, args[0]) : NULL;
    const struct vm_type_constructor *constructor;
    struct vm_text name;

    if (status != VM_OK)
        return status;
    if (type == NULL)
        return unknown_type(ctx, args[0]);
    name = vm_text(args[1]);
    constructor = lib_find_constructor(type, name);
    if (constructor == NULL)
        return vm_raise_text(ctx, "Unknown constructor '%.*s' for type '%s'", (int)name.length, name.bytes,
                             type->name);
    return build_and_answer(ctx, constructor, &args[2], "Missing field '%s' for constructor '%s'", ret);
}

/* ---- describing types ---- */

/* A map under construction is below the value on top of the stack: put that in. */
static bool put(struct vm_ctx *ctx, struct lib_stack *stack, const char *key)
{
    vm_value name = vm_string_cstr(ctx, key), value, map;

    if (name == VM_NONE)
        return false;
    value = lib_stack_pop(stack);
    map = lib_stack_pop(stack);
    return lib_stack_push(stack, vm_map_insert(ctx, map, name, value));
}

static bool put_text(struct vm_ctx *ctx, struct lib_stack *stack, const char *key, const char *text)
{
    return lib_stack_push(stack, vm_string_cstr(ctx, text)) && put(ctx, stack, key);
}

/* Push the list of the fields' descriptions. */
static bool push_fields(struct vm_ctx *ctx, struct lib_stack *stack, const struct vm_type_constructor *constructor)
{
    const struct vm_constructor *described = constructor->constructor;
    char position[16];

    for (unsigned i = 0; i < described->arity; i++) {
        snprintf(position, sizeof position, "_%u", i);
        if (!lib_stack_push(stack, VM_EMPTY_MAP) ||
            !put_text(ctx, stack, "name", described->named ? described->fields[i] : position) ||
            !put_text(ctx, stack, "type", constructor->field_texts[i]))
            return false;
    }
    return lib_stack_list(ctx, stack, described->arity);
}

static bool push_constructors(struct vm_ctx *ctx, struct lib_stack *stack, const struct vm_type *type)
{
    for (unsigned i = 0; i < type->count; i++)
        if (!lib_stack_push(stack, VM_EMPTY_MAP) ||
            !put_text(ctx, stack, "name", type->constructors[i].constructor->name) ||
            !push_fields(ctx, stack, &type->constructors[i]) || !put(ctx, stack, "fields"))
            return false;
    return lib_stack_list(ctx, stack, type->count);
}

static bool push_parameters(struct vm_ctx *ctx, struct lib_stack *stack, const struct vm_type *type)
{
    for (unsigned i = 0; i < type->parameter_count; i++)
        if (!lib_stack_push(stack, vm_string_cstr(ctx, type->parameters[i])))
            return false;
    return lib_stack_list(ctx, stack, type->parameter_count);
}

static bool describe(struct vm_ctx *ctx, struct lib_stack *stack, const struct vm_type *type)
{
    bool fine = lib_stack_push(stack, VM_EMPTY_MAP);

    if (type == NULL)
        return fine;
    fine = fine && put_text(ctx, stack, "name", type->path) &&
           put_text(ctx, stack, "kind", vm_type_form_name(type->form));
    fine = fine && (is_record(type) ? push_fields(ctx, stack, &type->constructors[0])
                                    : lib_stack_push(stack, VM_NIL)) && put(ctx, stack, "fields");
    fine = fine && (is_record(type) ? lib_stack_push(stack, VM_NIL) : push_constructors(ctx, stack, type)) &&
           put(ctx, stack, "constructors");
    if (type->parameter_count > 0)
        fine = fine && push_parameters(ctx, stack, type) && put(ctx, stack, "type_params");
    return fine;
}

static enum vm_status type_info(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text name;
    struct lib_stack stack;

    if (status != VM_OK)
        return status;
    name = vm_text(args[0]);
    lib_stack_begin(ctx, &stack);
    if (describe(ctx, &stack, vm_types_find(ctx->process->program->types, name.bytes, name.length)))
        *ret = lib_stack_top(&stack);
    else
        status = VM_NOMEM;
    lib_stack_end(ctx, &stack);
    return status;
}

#define LIB_TABLE "lib/reflection.def"
#define LIB_REGISTER lib_register_reflection
#include "lib/table.h"
