/*
 * decoder.c - the walk of decoding: frames, the parts of each, and what is made of them in the end.
 */
#include "config.h"

#include "lib/decoder.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "lib/expect.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/map.h"
#include "vm/number.h"
#include "vm/program.h"

enum {
    FRAMES_IN_PLACE = sizeof((struct lib_decoder *)0)->frames_in_place / sizeof(struct lib_frame),
    TYPE_TEXT_MAX = 4096
};

const struct vm_shape lib_any_shape = { .kind = VM_SHAPE_OTHER, .name = "", .text = "" };

void lib_decoder_init(struct lib_decoder *decoder, struct vm_ctx *ctx, struct lib_stack *results,
                      lib_decode_rule *rule)
{
    decoder->ctx = ctx;
    decoder->types = ctx->process->program == NULL ? NULL : ctx->process->program->types;
    decoder->rule = rule;
    decoder->arena = NULL;
    decoder->results = results;
    decoder->steps = 0;
    lib_stack_begin(ctx, &decoder->sources);
    vm_stack_init(&decoder->frames, decoder->frames_in_place, FRAMES_IN_PLACE, sizeof(struct lib_frame));
}

void lib_decoder_done(struct lib_decoder *decoder)
{
    lib_worked(decoder->ctx, decoder->steps);
    vm_stack_done(&decoder->frames);
    lib_stack_end(decoder->ctx, &decoder->sources);
    nb_arena_free(decoder->arena);
}

/* ---- targets ---- */

static struct nb_arena *decoder_arena(struct lib_decoder *decoder)
{
    if (decoder->arena == NULL)
        decoder->arena = nb_arena_new();
    return decoder->arena;
}

const struct vm_shape *lib_decoder_shape(struct lib_decoder *decoder, struct vm_text name)
{
    if (name.length > TYPE_TEXT_MAX)
        return &lib_any_shape;
    return vm_shape_read(decoder->types, decoder_arena(decoder), name.bytes, name.length);
}

struct lib_target lib_target_resolved(struct lib_target target)
{
    if (target.shape->kind != VM_SHAPE_PARAMETER || target.bindings == NULL)
        return target;
    if (target.shape->position >= target.bindings->count)
        return (struct lib_target){ &lib_any_shape, NULL };
    return target.bindings->targets[target.shape->position];
}

/* An argument of a target: the T of List[T]. */
static struct lib_target target_argument(struct lib_target target, unsigned index)
{
    return lib_target_resolved((struct lib_target){ target.shape->arguments[index], target.bindings });
}

static void write_arguments(struct nb_buf *out, struct lib_target target)
{
    for (unsigned i = 0; i < target.shape->count; i++) {
        nb_buf_text(out, i > 0 ? ", " : "");
        lib_target_text(out, target_argument(target, i));
    }
}

void lib_target_text(struct nb_buf *out, struct lib_target target)
{
    target = lib_target_resolved(target);
    if (target.shape->count == 0) {
        nb_buf_text(out, target.shape->text);
    } else if (target.shape->kind == VM_SHAPE_TUPLE) {
        nb_buf_byte(out, '(');
        write_arguments(out, target);
        nb_buf_byte(out, ')');
    } else {
        nb_buf_printf(out, "%s[", target.shape->name);
        write_arguments(out, target);
        nb_buf_byte(out, ']');
    }
}

/* The bindings inside of a generic type that is applied to arguments; NULL when it has none. */
static const struct lib_bindings *bind(struct lib_decoder *decoder, struct lib_target target)
{
    struct lib_bindings *bindings;
    unsigned count = target.shape->count;

    if (count == 0 || target.shape->kind != VM_SHAPE_DECLARED)
        return NULL;
    bindings = nb_arena_alloc(decoder_arena(decoder), sizeof *bindings + count * sizeof *bindings->targets);
    bindings->count = count;
    for (unsigned i = 0; i < count; i++)
        bindings->targets[i] = target_argument(target, i);
    return bindings;
}

/* ---- results and frames ---- */

enum vm_status lib_decoder_push(struct lib_decoder *decoder, vm_value value)
{
    return lib_stack_push(decoder->results, value) ? VM_OK : VM_NOMEM;
}

enum vm_status lib_decoder_push_number(struct lib_decoder *decoder, vm_value number, uint32_t class_key)
{
    vm_value converted = VM_NONE;
    enum vm_status status = vm_convert(decoder->ctx, number, class_key, &converted);

    return status == VM_OK ? lib_decoder_push(decoder, converted) : status;
}

enum vm_status lib_decoder_open(struct lib_decoder *decoder, struct lib_frame frame, vm_value source)
{
    struct lib_frame *opened = vm_stack_push(&decoder->frames);

    if (opened == NULL || !lib_stack_push(&decoder->sources, source))
        return VM_NOMEM;
    *opened = frame;
    return VM_OK;
}

enum vm_status lib_decoder_open_data(struct lib_decoder *decoder, struct lib_target target,
                                     const struct vm_type_constructor *constructor, enum lib_supply supply,
                                     vm_value source)
{
    struct lib_frame frame = { .result = LIB_RESULT_DATA, .supply = supply, .constructor = constructor,
                               .count = constructor->constructor->arity };

    frame.target = (struct lib_target){ target.shape, bind(decoder, target) };
    return lib_decoder_open(decoder, frame, source);
}

/* ---- the parts of a frame ---- */

/* The value with a key in a list of pairs, the first; VM_NONE when there is none. */
static vm_value find_pair(vm_value pairs, const char *key)
{
    size_t length = strlen(key);
    struct vm_list_walk walk;
    vm_value pair, name, value;

    for (vm_list_walk(&walk, pairs); vm_list_next(&walk, &pair);)
        if (lib_json_pair(pair, &name, &value) && vm_string_equals(name, key, length))
            return value;
    return VM_NONE;
}

const struct vm_type_constructor *lib_find_constructor(const struct vm_type *type, struct vm_text name)
{
    for (unsigned i = 0; i < type->count; i++) {
        const char *other = type->constructors[i].constructor->name;

        if (strlen(other) == name.length && memcmp(other, name.bytes, name.length) == 0)
            return &type->constructors[i];
    }
    return NULL;
}

const char *lib_json_name(vm_value json) { return vm_constructor_of(json)->name; }

/* What a positional field is called in Json: _0, _1 … */
static const char *field_key(const struct vm_constructor *constructor, uint32_t index, char buffer[16])
{
    if (constructor->named)
        return constructor->fields[index];
    snprintf(buffer, 16, "_%u", index);
    return buffer;
}

/* The Json value for a field of a constructor that stands with `payload`. */
static vm_value part_of_payload(struct lib_decoder *decoder, const struct lib_frame *frame, uint32_t index)
{
    const struct vm_constructor *constructor = frame->constructor->constructor;
    vm_value payload = lib_stack_top(&decoder->sources), found, list;
    enum lib_json_kind kind = lib_json_kind(payload);
    char buffer[16];

    list = kind == LIB_JSON_ARRAY || kind == LIB_JSON_OBJECT ? lib_json_list(payload) : VM_NONE;
    if (list == VM_NONE)
        return payload;
    if (kind == LIB_JSON_ARRAY)
        return constructor->named || index >= vm_list_length(list) ? lib_json_null()
                                                                   : vm_list_at(decoder->ctx, list, index);
    found = find_pair(list, field_key(constructor, index, buffer));
    if (found != VM_NONE)
        return found;
    return constructor->named ? lib_json_null() : payload;
}

/* Key or value of an entry; keys become Json values, as the types of keys have rules too. */
static enum vm_status part_of_entries(struct lib_decoder *decoder, uint32_t index, vm_value *ret)
{
    vm_value pair = vm_list_at(decoder->ctx, lib_stack_top(&decoder->sources), index / 2), key, value;

    if (pair == VM_NONE)
        return VM_NOMEM;
    if (!lib_json_pair(pair, &key, &value))
        return vm_raise_text(decoder->ctx, "Expected Json variant");
    *ret = value;
    if (index % 2 == 1)
        return VM_OK;
    if (!lib_stack_push(decoder->results, key) || !lib_json_wrap(decoder->ctx, decoder->results, LIB_JSON_STRING))
        return VM_NOMEM;
    *ret = lib_stack_pop(decoder->results);
    return VM_OK;
}

static enum vm_status part(struct lib_decoder *decoder, const struct lib_frame *frame, uint32_t index, vm_value *ret)
{
    vm_value source = lib_stack_top(&decoder->sources);

    switch (frame->supply) {
    case LIB_SUPPLY_ITEMS:
        return lib_answer(vm_list_at(decoder->ctx, source, index), ret);
    case LIB_SUPPLY_FIELDS:
        *ret = find_pair(source, frame->constructor->constructor->fields[index]);
        if (*ret != VM_NONE)
            return VM_OK;
        return vm_raise_text(decoder->ctx, "Missing field: %s", frame->constructor->constructor->fields[index]);
    case LIB_SUPPLY_OPTIONAL:
        *ret = find_pair(source, frame->constructor->constructor->fields[index]);
        *ret = *ret != VM_NONE ? *ret : lib_json_null();
        return VM_OK;
    case LIB_SUPPLY_ITSELF:
        *ret = source;
        return VM_OK;
    case LIB_SUPPLY_PAYLOAD:
        return lib_answer(part_of_payload(decoder, frame, index), ret);
    case LIB_SUPPLY_ENTRIES:
        return part_of_entries(decoder, index, ret);
    }
    nb_unreachable();
}

static struct lib_target part_target(const struct lib_frame *frame, uint32_t index)
{
    const struct vm_shape *shape = frame->target.shape;

    switch (frame->result) {
    case LIB_RESULT_DATA:
        return lib_target_resolved(
            (struct lib_target){ frame->constructor->field_shapes[index], frame->target.bindings });
    case LIB_RESULT_MAP:
        return target_argument(frame->target, index % 2);
    case LIB_RESULT_LIST:
        index = 0;
        break;
    case LIB_RESULT_TUPLE:
        break;
    }
    return index < shape->count ? target_argument(frame->target, index) : (struct lib_target){ &lib_any_shape, NULL };
}

/* ---- what becomes of the parts ---- */

/* The topmost results are keys and values in turn. */
static enum vm_status finish_map(struct lib_decoder *decoder, uint32_t count)
{
    struct lib_stack *results = decoder->results;
    size_t base = results->span.count - count;
    vm_value culprit;

    if (!lib_stack_push(results, VM_EMPTY_MAP))
        return VM_NOMEM;
    for (uint32_t i = 0; i < count; i += 2) {
        vm_value *items = results->span.items, map;

        if (!vm_hashable(items[base + i], &culprit))
            return vm_raise_text(decoder->ctx, "Expected a key for Map");
        map = vm_map_insert(decoder->ctx, items[base + count], items[base + i], items[base + i + 1]);
        if (map == VM_NONE)
            return VM_NOMEM;
        results->span.items[base + count] = map;
    }
    results->span.items[base] = results->span.items[base + count];
    results->span.count = base + 1;
    return VM_OK;
}

static enum vm_status finish(struct lib_decoder *decoder, const struct lib_frame *frame)
{
    struct vm_ctx *ctx = decoder->ctx;
    bool fine = false;

    switch (frame->result) {
    case LIB_RESULT_MAP:
        return finish_map(decoder, frame->count);
    case LIB_RESULT_LIST:
        fine = lib_stack_list(ctx, decoder->results, frame->count);
        break;
    case LIB_RESULT_TUPLE:
        fine = lib_stack_tuple(ctx, decoder->results, frame->count);
        break;
    case LIB_RESULT_DATA:
        return lib_stack_construct(ctx, decoder->results, frame->constructor->constructor);
    }
    return fine ? VM_OK : VM_NOMEM;
}

/* One step on the innermost frame: its next part, or it is complete. */
static enum vm_status step(struct lib_decoder *decoder)
{
    struct lib_frame frame = *(struct lib_frame *)vm_stack_top(&decoder->frames);
    vm_value json = VM_NONE;
    enum vm_status status;

    decoder->steps++;
    if (frame.next == frame.count) {
        vm_stack_pop(&decoder->frames);
        lib_stack_pop(&decoder->sources);
        return finish(decoder, &frame);
    }
    ((struct lib_frame *)vm_stack_top(&decoder->frames))->next++;
    status = part(decoder, &frame, frame.next, &json);
    return status == VM_OK ? decoder->rule(decoder, part_target(&frame, frame.next), json) : status;
}

enum vm_status lib_decoder_run(struct lib_decoder *decoder)
{
    enum vm_status status = VM_OK;

    while (status == VM_OK && decoder->frames.count > 0)
        status = step(decoder);
    return status;
}
