/*
 * json_print.c - Json values to text, straight into a buffer.
 *
 * Two dialects share the walk: that of programs' jsonStringify, which writes strings as they are, and RFC 8259. Nothing
 * here allocates from the heap, so lists are walked in place; what is open is kept on a stack on the side. A value may
 * share parts and so have a text that no memory would hold: the length is bounded.
 */
#include "config.h"

#include "lib/json.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "vm/cursor.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/type.h"

enum { FRAMES_IN_PLACE = 16 };

/* A container that is open. */
struct frame {
    bool is_object, begun;
    struct vm_list_walk parts;
    struct vm_text *keys; /* owned; objects in which a key occurs twice, as the next three */
    vm_value *values;
    uint32_t *latest;
    uint32_t at, count;
};

struct printer {
    struct vm_ctx *ctx;
    struct nb_buf *out;
    bool strict;
    struct vm_stack frames;
};

/* ---- strings ---- */

static void escape(struct nb_buf *out, struct vm_text text)
{
    static const char marks[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    uint32_t from = 0;

    for (uint32_t at = 0; at < text.length; at++) {
        unsigned char byte = (unsigned char)text.bytes[at];
        const char *mark;

        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        nb_buf_append(out, text.bytes + from, at - from);
        from = at + 1;
        mark = byte == 0 ? NULL : strchr(marks, byte);
        if (mark == NULL) {
            nb_buf_printf(out, "\\u%04x", byte);
        } else {
            nb_buf_byte(out, '\\');
            nb_buf_byte(out, letters[mark - marks]);
        }
    }
    nb_buf_append(out, text.bytes + from, text.length - from);
}

static void print_string(const struct printer *printer, struct vm_text text)
{
    nb_buf_byte(printer->out, '"');
    if (printer->strict)
        escape(printer->out, text);
    else
        nb_buf_append(printer->out, text.bytes, text.length);
    nb_buf_byte(printer->out, '"');
}

/* ---- values without parts ---- */

/* Raises; what was expected is Json. */
static enum vm_status not_json(const struct printer *printer, vm_value v)
{
    const struct vm_constructor *constructor = vm_constructor_of(v);

    if (constructor != NULL && constructor->form == VM_TYPE_VARIANT)
        return vm_raise_panic(printer->ctx, "Unknown Json constructor: %s", constructor->name);
    return vm_raise_type(printer->ctx, "Json", v);
}

/* A number, text or truth value that is no Json value itself but what one holds. */
static enum vm_status print_bare(const struct printer *printer, vm_value v)
{
    if (v == VM_UNIT)
        nb_buf_text(printer->out, "null");
    else if (vm_is_sort(v, VM_SORT_BOOL))
        nb_buf_text(printer->out, v == VM_TRUE ? "true" : "false");
    else if (vm_is_string(v))
        print_string(printer, vm_text(v));
    else if (printer->strict && vm_is_float(v) && !isfinite(vm_float_of(v)))
        nb_buf_byte(printer->out, '0');
    else if (vm_is_number(v))
        vm_number_print(printer->out, v);
    else
        return not_json(printer, v);
    return VM_OK;
}

/* ---- containers ---- */

/* Note the entries of an object in which a key occurs twice, so that they can be given out of order. */
static enum vm_status look_for_duplicates(const struct printer *printer, struct frame *frame, vm_value list)
{
    uint32_t count = vm_list_length(list), i = 0;
    struct vm_list_walk walk;
    vm_value pair, key;

    if (count < 2)
        return VM_OK;
    frame->count = count;
    frame->keys = nb_alloc_array(count, sizeof *frame->keys);
    frame->values = nb_alloc_array(count, sizeof *frame->values);
    if (frame->keys == NULL || frame->values == NULL)
        return VM_NOMEM;
    for (vm_list_walk(&walk, list); vm_list_next(&walk, &pair); i++) {
        if (!lib_json_pair(pair, &key, &frame->values[i]))
            return not_json(printer, pair);
        frame->keys[i] = vm_text(key);
    }
    if (lib_json_duplicates(frame->keys, count, &frame->latest))
        return frame->latest == NULL ? VM_NOMEM : VM_OK;
    nb_free(frame->keys);
    nb_free(frame->values);
    frame->keys = NULL;
    frame->values = NULL;
    return VM_OK;
}

static void frame_done(struct frame *frame)
{
    nb_free(frame->keys);
    nb_free(frame->values);
    nb_free(frame->latest);
}

static enum vm_status open(struct printer *printer, bool is_object, vm_value list)
{
    struct frame *frame = vm_stack_push(&printer->frames);

    if (frame == NULL)
        return VM_NOMEM;
    *frame = (struct frame){ .is_object = is_object };
    vm_list_walk(&frame->parts, list);
    nb_buf_byte(printer->out, is_object ? '{' : '[');
    return printer->strict && is_object ? look_for_duplicates(printer, frame, list) : VM_OK;
}

static enum vm_status print_begin(struct printer *printer, vm_value v)
{
    enum lib_json_kind kind = lib_json_kind(v);

    if (printer->out->length > VM_STRING_MAX || printer->out->failed)
        return VM_NOMEM;
    switch (kind) {
    case LIB_JSON_NULL:
        return print_bare(printer, VM_UNIT);
    case LIB_JSON_ARRAY:
    case LIB_JSON_OBJECT:
        if (lib_json_list(v) == VM_NONE)
            return vm_raise_type(printer->ctx, "List", vm_field(v, 0));
        return open(printer, kind == LIB_JSON_OBJECT, lib_json_list(v));
    case LIB_JSON_KINDS:
        return printer->strict && printer->frames.count == 0 ? print_bare(printer, v) : not_json(printer, v);
    default:
        return print_bare(printer, vm_field(v, 0));
    }
}

/* The next entry of an object in which keys occur twice; false at the end. */
static bool next_distinct(struct frame *frame, struct vm_text *ret_key, vm_value *ret_value)
{
    while (frame->at < frame->count && frame->latest[frame->at] == UINT32_MAX)
        frame->at++;
    if (frame->at == frame->count)
        return false;
    *ret_key = frame->keys[frame->at];
    *ret_value = frame->values[frame->latest[frame->at++]];
    return true;
}

/* The next part of the innermost container, for objects with its key; *ret_more false: there is none. */
static enum vm_status next_part(const struct printer *printer, struct frame *frame, struct vm_text *ret_key,
                                vm_value *ret_value, bool *ret_more)
{
    vm_value key = VM_NONE;

    if (frame->latest != NULL) {
        *ret_more = next_distinct(frame, ret_key, ret_value);
        return VM_OK;
    }
    *ret_more = vm_list_next(&frame->parts, ret_value);
    if (!*ret_more || !frame->is_object)
        return VM_OK;
    if (!lib_json_pair(*ret_value, &key, ret_value))
        return not_json(printer, *ret_value);
    *ret_key = vm_text(key);
    return VM_OK;
}

static enum vm_status print_part(struct printer *printer)
{
    struct frame *frame = vm_stack_top(&printer->frames);
    struct vm_text key = { NULL, 0, false };
    vm_value value = VM_NONE;
    bool more = false;
    enum vm_status status = next_part(printer, frame, &key, &value, &more);

    if (status != VM_OK)
        return status;
    if (!more) {
        nb_buf_byte(printer->out, frame->is_object ? '}' : ']');
        frame_done(frame);
        vm_stack_pop(&printer->frames);
        return VM_OK;
    }
    if (frame->begun)
        nb_buf_byte(printer->out, ',');
    frame->begun = true;
    if (frame->is_object) {
        print_string(printer, key);
        nb_buf_byte(printer->out, ':');
    }
    return print_begin(printer, value);
}

static enum vm_status print(struct vm_ctx *ctx, struct nb_buf *out, vm_value json, bool strict)
{
    struct frame in_place[FRAMES_IN_PLACE];
    struct printer printer = { .ctx = ctx, .out = out, .strict = strict };
    enum vm_status status;

    vm_stack_init(&printer.frames, in_place, FRAMES_IN_PLACE, sizeof *in_place);
    status = print_begin(&printer, json);
    while (status == VM_OK && printer.frames.count > 0)
        status = print_part(&printer);
    for (; printer.frames.count > 0; vm_stack_pop(&printer.frames))
        frame_done(vm_stack_top(&printer.frames));
    vm_stack_done(&printer.frames);
    return status;
}

enum vm_status lib_json_print_raw(struct vm_ctx *ctx, struct nb_buf *out, vm_value json)
{
    return print(ctx, out, json, false);
}

enum vm_status lib_json_print(struct vm_ctx *ctx, struct nb_buf *out, vm_value json)
{
    return print(ctx, out, json, true);
}
