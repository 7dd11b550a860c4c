/*
 * print.c - the text of any value.
 *
 * One walk, three styles: what programs show, the keys inside of that, and the result of main. Nesting is kept on a
 * stack of its own and bounded, as is the length of the text: values may share parts or (mutable records) contain
 * themselves, so a small value may have a text without end.
 */
#include "config.h"

#include "vm/print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "vm/code.h"
#include "vm/compare.h"
#include "vm/cursor.h"
#include "vm/list.h"
#include "vm/map.h"
#include "vm/number.h"
#include "vm/reactive.h"
#include "vm/shared.h"
#include "vm/string.h"
#include "vm/type.h"

enum { DEPTH_MAX = 10000, CELLS_MAX = 16, STACK_IN_PLACE = 8 };
#define LENGTH_MAX ((size_t)256 << 20)
#define PAIRS_MAX (LENGTH_MAX / 16) /* in memory at one time, of maps inside of maps: as much memory as the text */

enum style { DISPLAY, KEY, RESULT };

/* A value whose parts are being printed. */
struct frame {
    struct vm_cursor parts;                   /* of all but maps */
    const struct vm_constructor *field_names; /* records */
    vm_value *pairs;                          /* maps: key, value, key, value …; owned */
    size_t count, given;                      /* parts given so far; of how many, for maps */
    enum style style;
    char end;
};

struct printer {
    struct nb_buf *out;
    size_t most; /* bytes; then the text is cut off */
    size_t pairs; /* of maps that are being printed */
    struct vm_stack frames;
};

/* ---- values without parts ---- */

static void print_quoted(struct nb_buf *out, vm_value string, bool escape)
{
    struct vm_text text = vm_text(string);

    nb_buf_byte(out, '"');
    if (escape) {
        uint32_t from = 0;

        for (uint32_t at = 0; at < text.length; at++) {
            if (text.bytes[at] != '"' && text.bytes[at] != '\\')
                continue;
            nb_buf_append(out, text.bytes + from, at - from);
            nb_buf_byte(out, '\\');
            from = at;
        }
        nb_buf_append(out, text.bytes + from, text.length - from);
    } else {
        nb_buf_append(out, text.bytes, text.length);
    }
    nb_buf_byte(out, '"');
}

static void print_number(struct nb_buf *out, vm_value v, enum style style)
{
    static const char *const suffixes[] = { "i8", "i16", "i32", "u8", "u16", "u32", "u64" };
    uint32_t class_key = vm_class_of(v);

    vm_number_print(out, v);
    if (style != RESULT)
        return;
    if (class_key >= VM_CLASS_INT8 && class_key <= VM_CLASS_UINT64)
        nb_buf_text(out, suffixes[class_key - VM_CLASS_INT8]);
    else if (class_key == VM_CLASS_FLOAT32)
        nb_buf_text(out, "f32");
}

static const char *record_name(const struct vm_constructor *constructor, enum style style)
{
    return style == DISPLAY ? constructor->name : constructor->type_name;
}

static bool is_record(const struct vm_constructor *constructor)
{
    return constructor->form == VM_TYPE_RECORD || constructor->form == VM_TYPE_REACTIVE_RECORD;
}

static void print_immediate(struct nb_buf *out, vm_value v, enum style style)
{
    switch (vm_sort(v)) {
    case VM_SORT_UNIT:
        nb_buf_text(out, "()");
        break;
    case VM_SORT_BOOL:
        nb_buf_text(out, v == VM_TRUE ? "true" : "false");
        break;
    case VM_SORT_NIL:
        nb_buf_text(out, "[]");
        break;
    case VM_SORT_CHAR:
        nb_buf_byte(out, '\'');
        nb_buf_code_point(out, (unsigned)vm_payload(v));
        nb_buf_byte(out, '\'');
        break;
    case VM_SORT_CTOR:
        nb_buf_text(out, is_record(vm_constructor_of(v)) ? record_name(vm_constructor_of(v), style)
                                                         : vm_constructor_of(v)->name);
        nb_buf_text(out, is_record(vm_constructor_of(v)) ? "{}" : "");
        break;
    case VM_SORT_PID:
        nb_buf_printf(out, style == RESULT ? "<pid:%" PRIu64 ">" : "<pid %" PRIu64 ">", vm_payload(v));
        break;
    case VM_SORT_EMPTY_MAP:
        nb_buf_text(out, "%{}");
        break;
    case VM_SORT_EMPTY_SET:
        nb_buf_text(out, style == RESULT ? "#{...0 items}" : "#{}");
        break;
    default:
        nb_buf_text(out, "<value>");
        break;
    }
}

static const char *function_name(vm_value v)
{
    if (vm_kind(v) == VM_KIND_CLOSURE)
        return ((const struct vm_function *)(uintptr_t)vm_field(v, 0))->name;
    if (vm_kind(v) == VM_KIND_FUNCTION)
        return ((const struct vm_function *)vm_object(v))->name;
    return ((const struct vm_native *)vm_object(v))->name;
}

/* Functions, arrays, buffers, reactive records: display form, which the result form quotes. */
static void print_opaque(struct nb_buf *out, vm_value v)
{
    struct vm_text text;

    switch (vm_kind(v)) {
    case VM_KIND_FUNCTION:
    case VM_KIND_NATIVE:
        nb_buf_printf(out, "<function %s>", function_name(v));
        break;
    case VM_KIND_CLOSURE:
        nb_buf_printf(out, "<closure %s>", function_name(v));
        break;
    case VM_KIND_INT64_ARRAY:
    case VM_KIND_FLOAT64_ARRAY:
        nb_buf_printf(out, "%s[%" PRIu32 "]", vm_class_name(vm_class_of(v)), vm_size(v));
        break;
    case VM_KIND_FLOAT32_ARRAY:
        nb_buf_printf(out, "Float32Array[%" PRIu32 "]", vm_size(v) / 4);
        break;
    case VM_KIND_BUFFER:
        text = vm_is_string(vm_field(v, 0)) ? vm_text(vm_field(v, 0)) : (struct vm_text){ "", 0, true };
        nb_buf_append(out, text.bytes, text.length);
        break;
    case VM_KIND_REACTIVE:
        nb_buf_printf(out, "%s{...%u fields}", vm_constructor_of(v)->name, vm_constructor_of(v)->arity);
        break;
    default:
        nb_buf_text(out, "<value>");
        break;
    }
}

/* ---- sets: their items' texts, sorted ---- */

static void print_nested(struct nb_buf *out, vm_value v, enum style style, size_t most);

static int compare_texts(const void *left, const void *right)
{
    const struct nb_buf *a = left, *b = right;
    int order = memcmp(a->data, b->data, a->length < b->length ? a->length : b->length);

    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static void print_texts(struct nb_buf *out, const struct nb_buf *texts, size_t count)
{
    nb_buf_text(out, "#{");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            nb_buf_text(out, ", ");
        nb_buf_append(out, texts[i].data, texts[i].length);
    }
    nb_buf_byte(out, '}');
}

/* The texts of a set's items. Returns how many were made: fewer than there are without memory. */
static uint32_t render_items(struct nb_buf *texts, vm_value set)
{
    struct vm_map_walk walk;
    vm_value item, none;
    size_t left = LENGTH_MAX;
    uint32_t made = 0;

    for (vm_map_walk(&walk, set); vm_map_next(&walk, &item, &none); made++) {
        texts[made] = NB_BUF_INIT;
        print_nested(&texts[made], item, KEY, left); /* never another set: those are no items */
        if (texts[made].failed)
            return made;
        left -= texts[made].length < left ? texts[made].length : left;
    }
    return made;
}

static void print_set(struct nb_buf *out, vm_value set, enum style style)
{
    uint32_t count = vm_map_count(set), made;
    struct nb_buf *texts;

    if (style == RESULT) {
        nb_buf_printf(out, "#{...%" PRIu32 " items}", count);
        return;
    }
    texts = nb_alloc_array(count, sizeof *texts);
    if (texts == NULL) {
        out->failed = true;
        return;
    }
    made = render_items(texts, set);
    if (made == count) {
        qsort(texts, count, sizeof *texts, compare_texts);
        print_texts(out, texts, count);
    } else {
        out->failed = true;
        nb_buf_done(&texts[made]);
    }
    for (uint32_t i = 0; i < made; i++)
        nb_buf_done(&texts[i]);
    nb_free(texts);
}

/* ---- maps: pairs in order of their keys ---- */

static int compare_keys(const void *left, const void *right, void *ret_incomparable)
{
    enum vm_order order = vm_compare(*(const vm_value *)left, *(const vm_value *)right);

    if (order == VM_LESS || order == VM_GREATER || order == VM_SAME)
        return order;
    *(bool *)ret_incomparable = true;
    return 0;
}

static void collect_pairs(vm_value *pairs, vm_value map)
{
    struct vm_map_walk walk;
    size_t at = 0;

    for (vm_map_walk(&walk, map); vm_map_next(&walk, &pairs[at], &pairs[at + 1]);)
        at += 2;
}

/* The pairs of a map, sorted if all keys can be compared. NULL without memory. */
static vm_value *sorted_pairs(vm_value map)
{
    size_t count = vm_map_count(map);
    vm_value *pairs = nb_alloc_array(count + 1, 2 * sizeof *pairs); /* the walk's last step writes nothing, but may */
    bool incomparable = false;

    if (pairs == NULL)
        return NULL;
    collect_pairs(pairs, map);
    qsort_r(pairs, count, 2 * sizeof *pairs, compare_keys, &incomparable);
    if (incomparable)
        collect_pairs(pairs, map);
    return pairs;
}

/* ---- values with parts ---- */

static void push_frame(struct printer *printer, vm_value v, enum style style, char end)
{
    struct frame *frame = vm_stack_push(&printer->frames);

    if (frame == NULL) {
        printer->out->failed = true;
        return;
    }
    *frame = (struct frame){ .style = style, .end = end };
    if (!vm_is_map(v)) {
        vm_cursor_init(&frame->parts, v);
        return;
    }
    printer->pairs += vm_map_count(v);
    frame->pairs = printer->pairs > PAIRS_MAX ? NULL : sorted_pairs(v);
    if (frame->pairs == NULL)
        printer->out->failed = true;
    else
        frame->count = (size_t)vm_map_count(v) * 2;
}

static void begin_data(struct printer *printer, vm_value v, enum style style)
{
    const struct vm_constructor *constructor = vm_constructor_of(v);
    bool record = is_record(constructor);

    nb_buf_text(printer->out, record ? record_name(constructor, style) : constructor->name);
    nb_buf_byte(printer->out, record ? '{' : '(');
    push_frame(printer, v, style, record ? '}' : ')');
    if (record && !printer->out->failed)
        ((struct frame *)vm_stack_top(&printer->frames))->field_names = constructor;
}

/* Whether the result form shows it as a quoted display form. */
static bool is_opaque(vm_value v)
{
    const struct vm_constructor *constructor = vm_constructor_of(v);

    if (constructor != NULL)
        return vm_is_reactive(v);
    switch (vm_kind(v)) {
    case VM_KIND_CONS:
    case VM_KIND_SLICE:
    case VM_KIND_TUPLE:
    case VM_KIND_MAP:
    case VM_KIND_SET:
        return false;
    default:
        return true;
    }
}

/* What a cell holds. It may hold itself, in a variant that it holds. */
static void print_content(struct printer *printer, vm_value cell)
{
    static _Thread_local unsigned depth;
    vm_value content;

    if (depth >= CELLS_MAX) {
        nb_buf_text(printer->out, "…");
        return;
    }
    content = vm_reactive_hold(cell);
    depth++;
    print_nested(printer->out, vm_shared_is_mutable(content) ? vm_field(content, 0) : content, DISPLAY, printer->most);
    depth--;
    if (vm_is_shared(content))
        vm_shared_unref(content);
}

/* An object that is neither number nor string. */
static void print_object(struct printer *printer, vm_value v, enum style style)
{
    struct nb_buf *out = printer->out;

    if (is_opaque(v)) {
        nb_buf_text(out, style == RESULT ? "\"" : "");
        if (vm_is_reactive_variant(v))
            print_content(printer, v);
        else
            print_opaque(out, v);
        nb_buf_text(out, style == RESULT ? "\"" : "");
        return;
    }
    switch (vm_kind(v)) {
    case VM_KIND_CONS:
    case VM_KIND_SLICE:
        nb_buf_byte(out, '[');
        push_frame(printer, v, style, ']');
        break;
    case VM_KIND_TUPLE:
        nb_buf_byte(out, '(');
        push_frame(printer, v, style, ')');
        break;
    case VM_KIND_MAP:
        nb_buf_text(out, "%{");
        push_frame(printer, v, style, '}');
        break;
    case VM_KIND_SET:
        print_set(out, v, style);
        break;
    default:
        begin_data(printer, v, style);
        break;
    }
}

/* A value; if it has parts, a frame is left that will print them. */
static void print_value(struct printer *printer, vm_value v, enum style style)
{
    if (v == VM_NONE)
        nb_buf_text(printer->out, "<none>");
    else if (vm_is_number(v))
        print_number(printer->out, v, style);
    else if (vm_is_immediate(v))
        print_immediate(printer->out, v, style);
    else if (vm_is_string(v))
        print_quoted(printer->out, v, style == DISPLAY);
    else if (printer->frames.count >= DEPTH_MAX)
        nb_buf_text(printer->out, "…");
    else
        print_object(printer, v, style);
}

static bool next_part(struct frame *frame, vm_value *ret_part, enum style *ret_style)
{
    *ret_style = frame->style;
    if (frame->pairs == NULL)
        return vm_cursor_next(&frame->parts, ret_part);
    if (frame->given == frame->count)
        return false;
    *ret_part = frame->pairs[frame->given];
    if (frame->given % 2 == 0 && frame->style == DISPLAY)
        *ret_style = KEY;
    return true;
}

/* What stands in front of a part. */
static void print_separator(struct nb_buf *out, const struct frame *frame)
{
    bool is_value = frame->pairs != NULL && frame->given % 2 == 1;

    if (frame->given > 0)
        nb_buf_text(out, is_value ? ": " : ", ");
    if (frame->field_names != NULL) {
        nb_buf_text(out, frame->field_names->fields[frame->given]);
        nb_buf_text(out, ": ");
    }
}

static void pop_frame(struct printer *printer)
{
    struct frame *frame = vm_stack_top(&printer->frames);

    nb_buf_byte(printer->out, frame->end);
    printer->pairs -= frame->count / 2;
    vm_cursor_done(&frame->parts);
    nb_free(frame->pairs);
    vm_stack_pop(&printer->frames);
}

static bool is_too_long(const struct printer *printer)
{
    return printer->out->failed || printer->out->length > printer->most;
}

static void print_nested(struct nb_buf *out, vm_value v, enum style style, size_t most)
{
    struct frame in_place[STACK_IN_PLACE], *frame;
    struct printer printer = { .out = out, .most = most };
    enum style part_style;
    vm_value part;

    vm_stack_init(&printer.frames, in_place, STACK_IN_PLACE, sizeof *in_place);
    print_value(&printer, v, style);
    while ((frame = vm_stack_top(&printer.frames)) != NULL) {
        if (is_too_long(&printer)) {
            nb_buf_text(out, frame->given > 0 ? "…" : "");
            pop_frame(&printer);
            continue;
        }
        if (!next_part(frame, &part, &part_style)) {
            pop_frame(&printer);
            continue;
        }
        print_separator(out, frame);
        frame->given++;
        print_value(&printer, part, part_style);
    }
    vm_stack_done(&printer.frames);
}

void vm_print_display(struct nb_buf *out, vm_value v)
{
    struct vm_text text;

    if (vm_is_string(v)) {
        text = vm_text(v);
        nb_buf_append(out, text.bytes, text.length);
    } else if (vm_is_sort(v, VM_SORT_CHAR)) {
        nb_buf_code_point(out, (unsigned)vm_payload(v));
    } else {
        print_nested(out, v, DISPLAY, LENGTH_MAX);
    }
}

void vm_print_result(struct nb_buf *out, vm_value v)
{
    print_nested(out, v, RESULT, LENGTH_MAX);
}

/* ---- kind words ---- */

const char *vm_kind_word(vm_value v)
{
    const struct vm_constructor *constructor = vm_constructor_of(v);
    uint32_t class_key = vm_class_of(v);

    if (constructor != NULL && vm_is_reactive(v))
        return is_record(constructor) ? "ReactiveRecord" : "ReactiveVariant";
    if (constructor != NULL)
        return is_record(constructor) ? "Record" : "Variant";
    switch (class_key) {
    case VM_CLASS_INT:
        return "Int64";
    case VM_CLASS_FLOAT:
        return "Float64";
    case VM_CLASS_FUNCTION:
        return vm_kind(v) == VM_KIND_CLOSURE ? "Closure" : "Function";
    default:
        return vm_class_name(class_key);
    }
}
