/*
 * json_reflect.c - any value as a Json value (04 §4.3).
 *
 * The value is walked by index, as building may move it at any time: what is being taken apart lies on a stack of its
 * own, which the collector knows. Mutable records may contain themselves, so depth is bounded.
 */
#include "config.h"

#include "lib/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "vm/cursor.h"
#include "vm/number.h"
#include "vm/print.h"
#include "vm/reactive.h"
#include "vm/type.h"

enum { FRAMES_IN_PLACE = 16, DEPTH_MAX = 4 << 20 };

/* What the parts of a value become. */
enum form {
    FORM_ARRAY,   /* of a list or tuple: Array */
    FORM_RECORD,  /* Object with the names of the fields */
    FORM_MAP,     /* a list key, value, key, value …: Object */
    FORM_SINGLE,  /* variant with one field: Object with the constructor as key */
    FORM_SEVERAL, /* with more: the same around an Array */
};

/* A value that is taken apart: it is on top of `sources`, its parts so far are on `results`. */
struct frame {
    enum form form;
    uint32_t next, count;
};

struct mirror {
    struct vm_ctx *ctx;
    struct lib_stack sources, *results;
    struct vm_stack frames;
};

/* ---- values without parts ---- */

static bool push(struct mirror *mirror, vm_value value, enum lib_json_kind kind)
{
    if (kind != LIB_JSON_NULL && !lib_stack_push(mirror->results, value))
        return false;
    return lib_json_wrap(mirror->ctx, mirror->results, kind);
}

static bool push_text(struct mirror *mirror, const char *text)
{
    return push(mirror, vm_string_cstr(mirror->ctx, text), LIB_JSON_STRING);
}

static bool push_pid(struct mirror *mirror, vm_value pid)
{
    char text[40];

    snprintf(text, sizeof text, "<pid:%" PRIu64 ">", vm_payload(pid));
    return push_text(mirror, text);
}

static bool push_char(struct mirror *mirror, vm_value character)
{
    char bytes[4];
    size_t length = nb_utf8_encode((uint32_t)vm_payload(character), bytes);

    return push(mirror, vm_string(mirror->ctx, bytes, length), LIB_JSON_STRING);
}

/* A UInt64 that is no Int stays what it is. */
static bool push_integer(struct mirror *mirror, vm_value v)
{
    int64_t n = 0;

    vm_integer_bits(v, &n);
    return push(mirror, n < 0 && vm_is_kind(v, VM_KIND_UINT64) ? v : vm_int(mirror->ctx, n), LIB_JSON_INTEGER);
}

static bool push_float(struct mirror *mirror, vm_value v)
{
    vm_value converted = VM_NONE;

    return vm_convert(mirror->ctx, v, VM_CLASS_FLOAT, &converted) == VM_OK &&
           push(mirror, converted, LIB_JSON_NUMBER);
}

/* An element of a typed array, which is the topmost source. */
static bool push_element(struct mirror *mirror, uint32_t index)
{
    vm_value array = lib_stack_top(&mirror->sources);
    float single;
    double real;

    switch (vm_kind(array)) {
    case VM_KIND_INT64_ARRAY:
        return push(mirror, vm_int(mirror->ctx, (int64_t)vm_field(array, index)), LIB_JSON_INTEGER);
    case VM_KIND_FLOAT64_ARRAY:
        memcpy(&real, vm_object(array) + 1 + index, sizeof real);
        return push(mirror, vm_float(mirror->ctx, real), LIB_JSON_NUMBER);
    default:
        memcpy(&single, (const char *)(vm_object(array) + 1) + index * sizeof single, sizeof single);
        return push(mirror, vm_float(mirror->ctx, (double)single), LIB_JSON_NUMBER);
    }
}

static bool push_typed_array(struct mirror *mirror, vm_value array)
{
    uint32_t count = vm_kind(array) == VM_KIND_FLOAT32_ARRAY ? vm_size(array) / sizeof(float) : vm_size(array);
    bool fine = lib_stack_push(&mirror->sources, array);

    for (uint32_t i = 0; fine && i < count; i++)
        fine = push_element(mirror, i);
    if (!fine)
        return false;
    lib_stack_pop(&mirror->sources);
    return lib_stack_list(mirror->ctx, mirror->results, count) &&
           lib_json_wrap(mirror->ctx, mirror->results, LIB_JSON_ARRAY);
}

/* ---- values with parts ---- */

static bool open(struct mirror *mirror, enum form form, vm_value source, uint32_t count)
{
    struct frame *frame = mirror->frames.count == DEPTH_MAX ? NULL : vm_stack_push(&mirror->frames);

    if (frame == NULL || !lib_stack_push(&mirror->sources, source))
        return false;
    *frame = (struct frame){ form, 0, count };
    return true;
}

/* The elements of a set, or keys and values of a map, as a list. */
static bool open_entries(struct mirror *mirror, vm_value collection)
{
    bool is_map = vm_is_map(collection);
    uint32_t count = vm_map_count(collection), i = 0;
    struct vm_map_walk walk;
    vm_value list, key, value;

    VM_ROOT(mirror->ctx, collection);
    list = vm_list_make(mirror->ctx, is_map ? 2 * count : count);
    VM_UNROOT(mirror->ctx, collection);
    if (list == VM_NONE)
        return false;
    for (vm_map_walk(&walk, collection); vm_map_next(&walk, &key, &value);) {
        vm_list_init_at(list, i++, key);
        if (is_map)
            vm_list_init_at(list, i++, value);
    }
    return open(mirror, is_map ? FORM_MAP : FORM_ARRAY, list, count);
}

static bool is_record(const struct vm_constructor *constructor)
{
    return constructor->form == VM_TYPE_RECORD || constructor->form == VM_TYPE_REACTIVE_RECORD;
}

static bool open_data(struct mirror *mirror, vm_value v, const struct vm_constructor *constructor)
{
    if (is_record(constructor))
        return open(mirror, FORM_RECORD, v, constructor->arity);
    if (!lib_stack_push(mirror->results, constructor->name_text))
        return false;
    return open(mirror, constructor->arity == 1 ? FORM_SINGLE : FORM_SEVERAL, v, constructor->arity);
}

/* The topmost results are complete pairs: they make an Object. */
static bool finish_object(struct mirror *mirror, uint32_t pairs)
{
    return lib_stack_list(mirror->ctx, mirror->results, pairs) &&
           lib_json_wrap(mirror->ctx, mirror->results, LIB_JSON_OBJECT);
}

/* The topmost results are a key and a value. */
static bool finish_pair(struct mirror *mirror)
{
    return lib_stack_tuple(mirror->ctx, mirror->results, 2);
}

/* A constructor without fields; a record without fields is an empty Object. */
static bool push_constant(struct mirror *mirror, const struct vm_constructor *constructor)
{
    if (is_record(constructor))
        return finish_object(mirror, 0);
    return lib_stack_push(mirror->results, constructor->name_text) && push(mirror, VM_UNIT, LIB_JSON_NULL) &&
           finish_pair(mirror) && finish_object(mirror, 1);
}

/* ---- any value ---- */

static bool push_object(struct mirror *mirror, vm_value v)
{
    switch (vm_kind(v)) {
    case VM_KIND_STRING:
    case VM_KIND_BYTES_SLICE:
        return push(mirror, v, LIB_JSON_STRING);
    case VM_KIND_BUFFER:
        return push(mirror, vm_field(v, 0), LIB_JSON_STRING);
    case VM_KIND_CONS:
    case VM_KIND_SLICE:
        return open(mirror, FORM_ARRAY, v, vm_list_length(v));
    case VM_KIND_TUPLE:
        return open(mirror, FORM_ARRAY, v, vm_size(v));
    case VM_KIND_MAP:
    case VM_KIND_SET:
        return open_entries(mirror, v);
    case VM_KIND_INT64_ARRAY:
    case VM_KIND_FLOAT64_ARRAY:
    case VM_KIND_FLOAT32_ARRAY:
        return push_typed_array(mirror, v);
    default:
        return push_text(mirror, vm_class_of(v) == VM_CLASS_FUNCTION ? "<function>" : "<other>");
    }
}

static bool push_immediate(struct mirror *mirror, vm_value v)
{
    switch (vm_sort(v)) {
    case VM_SORT_UNIT:
        return push(mirror, v, LIB_JSON_NULL);
    case VM_SORT_BOOL:
        return push(mirror, v, LIB_JSON_BOOL);
    case VM_SORT_CHAR:
        return push_char(mirror, v);
    case VM_SORT_PID:
        return push_pid(mirror, v);
    case VM_SORT_EMPTY_MAP:
        return finish_object(mirror, 0);
    default: /* [] and #{} */
        return lib_stack_list(mirror->ctx, mirror->results, 0) &&
               lib_json_wrap(mirror->ctx, mirror->results, LIB_JSON_ARRAY);
    }
}

/* The Json value of a value, or a frame for its parts. Of a reactive cell: of what it holds now. */
static bool begin(struct mirror *mirror, vm_value v)
{
    const struct vm_constructor *constructor;
    int64_t n;

    if (vm_is_reactive(v) && vm_reactive_snapshot(mirror->ctx, v, &v) != VM_OK)
        return false;
    constructor = vm_constructor_of(v);
    if (constructor != NULL)
        return vm_is_object(v) ? open_data(mirror, v, constructor) : push_constant(mirror, constructor);
    if (vm_integer_bits(v, &n))
        return push_integer(mirror, v);
    if (vm_is_number(v))
        return push_float(mirror, v);
    return vm_is_object(v) ? push_object(mirror, v) : push_immediate(mirror, v);
}

/* A map's key as the text of an Object's. */
static bool push_key(struct mirror *mirror, vm_value key)
{
    struct nb_buf text = NB_BUF_INIT;
    vm_value string;

    if (vm_is_string(key))
        return lib_stack_push(mirror->results, key);
    vm_print_display(&text, key);
    if (vm_is_sort(key, VM_SORT_CHAR)) {
        nb_buf_clear(&text);
        nb_buf_byte(&text, '\'');
        nb_buf_code_point(&text, (unsigned)vm_payload(key));
        nb_buf_byte(&text, '\'');
    }
    string = text.failed ? VM_NONE : vm_string(mirror->ctx, nb_buf_cstr(&text), text.length);
    nb_buf_done(&text);
    return lib_stack_push(mirror->results, string);
}

/* Part `index` of the topmost source, with its key in front where there is one. */
static bool begin_part(struct mirror *mirror, enum form form, uint32_t index)
{
    vm_value source = lib_stack_top(&mirror->sources);

    if (form == FORM_MAP) {
        if (!push_key(mirror, vm_list_at(mirror->ctx, source, 2 * index)))
            return false;
        return begin(mirror, vm_list_at(mirror->ctx, lib_stack_top(&mirror->sources), 2 * index + 1));
    }
    if (form == FORM_RECORD && !lib_stack_push(mirror->results, vm_constructor_of(source)->field_texts[index]))
        return false;
    return begin(mirror, vm_is_list(source) ? vm_list_at(mirror->ctx, source, index) : vm_field(source, index));
}

static bool finish(struct mirror *mirror, enum form form, uint32_t count)
{
    switch (form) {
    case FORM_SINGLE:
        return finish_pair(mirror) && finish_object(mirror, 1);
    case FORM_ARRAY:
    case FORM_SEVERAL:
        if (!lib_stack_list(mirror->ctx, mirror->results, count) ||
            !lib_json_wrap(mirror->ctx, mirror->results, LIB_JSON_ARRAY))
            return false;
        return form == FORM_ARRAY || (finish_pair(mirror) && finish_object(mirror, 1));
    case FORM_RECORD:
    case FORM_MAP:
        return finish_object(mirror, count);
    }
    nb_unreachable();
}

/* One step on the innermost value: its next part, or it is complete. */
static bool step(struct mirror *mirror)
{
    struct frame *frame = vm_stack_top(&mirror->frames);
    struct frame done = *frame;

    if ((done.form == FORM_RECORD || done.form == FORM_MAP) && done.next > 0 && !finish_pair(mirror))
        return false;
    if (done.next < done.count) {
        frame->next++;
        return begin_part(mirror, done.form, done.next);
    }
    vm_stack_pop(&mirror->frames);
    lib_stack_pop(&mirror->sources);
    return finish(mirror, done.form, done.count);
}

bool lib_json_reflect(struct vm_ctx *ctx, struct lib_stack *stack, vm_value value)
{
    struct frame in_place[FRAMES_IN_PLACE];
    struct mirror mirror = { .ctx = ctx, .results = stack };
    bool fine;

    lib_stack_begin(ctx, &mirror.sources);
    vm_stack_init(&mirror.frames, in_place, FRAMES_IN_PLACE, sizeof *in_place);
    fine = begin(&mirror, value);
    while (fine && mirror.frames.count > 0)
        fine = step(&mirror);
    vm_stack_done(&mirror.frames);
    lib_stack_end(ctx, &mirror.sources);
    return fine;
}
