/*
 * string_list.c - natives that take strings apart into lists, and put them together out of lists.
 *
 * Parts share the bytes of the argument (vm_string_part), which therefore is looked at anew for each of them.
 */
#include "config.h"

#include <string.h>

#include "base/utf8.h"
#include "lib/expect.h"
#include "lib/text.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/string.h"

static enum vm_status string_chars(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text text;
    uint32_t count, c;
    size_t at = 0;
    vm_value list;

    if (status != VM_OK)
        return status;
    count = vm_string_count(args[0]);
    list = vm_list_make(ctx, count);
    if (list == VM_NONE)
        return VM_NOMEM;
    lib_worked(ctx, count);
    text = vm_text(args[0]);
    for (uint32_t i = 0; i < count; i++) {
        at += nb_utf8_decode(text.bytes + at, text.length - at, &c);
        vm_list_init_at(list, i, vm_from_char(c));
    }
    return lib_answer(list, ret);
}

/* Append a String or Char; false: it is neither. */
static bool append_piece(struct nb_buf *out, vm_value piece)
{
    if (vm_is_sort(piece, VM_SORT_CHAR)) {
        nb_buf_code_point(out, (unsigned)vm_payload(piece));
        return true;
    }
    if (vm_is_string(piece)) {
        struct vm_text text = vm_text(piece);

        nb_buf_append(out, text.bytes, text.length);
        return true;
    }
    return false;
}

static enum vm_status string_from_chars(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_list_walk walk;
    vm_value item;

    if (status != VM_OK)
        return status;
    for (vm_list_walk(&walk, args[0]); vm_list_next(&walk, &item);) {
        if (!vm_is_sort(item, VM_SORT_CHAR)) {
            nb_buf_done(&out);
            return vm_raise_type(ctx, "Char", item);
        }
        append_piece(&out, item);
    }
    return lib_answer_text(ctx, &out, ret);
}

static enum vm_status string_join(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "LS");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_list_walk walk;
    struct vm_text between;
    bool first = true;
    vm_value item;

    if (status != VM_OK)
        return status;
    between = vm_text(args[1]);
    for (vm_list_walk(&walk, args[0]); !lib_too_long(&out) && vm_list_next(&walk, &item); first = false) {
        if (!first)
            nb_buf_append(&out, between.bytes, between.length);
        if (!append_piece(&out, item)) {
            nb_buf_done(&out);
            return vm_raise_kind(ctx, "TypeError", "expected String, got other");
        }
    }
    return lib_answer_text(ctx, &out, ret);
}

/* Put bytes [from, to) of args[0] behind a list under construction. */
static bool push_part(struct vm_ctx *ctx, vm_value *args, vm_value *parts, size_t from, size_t to)
{
    vm_value part = vm_string_part(ctx, args[0], (uint32_t)from, (uint32_t)(to - from));

    return part != VM_NONE && vm_builder_push(ctx, parts, part);
}

/* Finds the next part at or after *at: its bounds, and where to go on. False when there is none. */
typedef bool next_part(const vm_value *args, size_t *at, size_t *ret_from, size_t *ret_to);

static enum vm_status parts(struct vm_ctx *ctx, vm_value *args, next_part *next, vm_value *ret)
{
    vm_value builder = vm_builder_new(ctx, 4);
    size_t at = 0, from, to;
    bool room = builder != VM_NONE;

    lib_worked(ctx, vm_text(args[0]).length);
    VM_ROOT(ctx, builder);
    while (room && next(args, &at, &from, &to))
        room = push_part(ctx, args, &builder, from, to);
    VM_UNROOT(ctx, builder);
    return room ? lib_answer(vm_builder_list(builder), ret) : VM_NOMEM;
}

static bool next_line(const vm_value *args, size_t *at, size_t *ret_from, size_t *ret_to)
{
    struct vm_text text = vm_text(args[0]);
    const char *end;

    if (*at >= text.length)
        return false;
    end = memchr(text.bytes + *at, '\n', text.length - *at);
    *ret_from = *at;
    *ret_to = end != NULL ? (size_t)(end - text.bytes) : text.length;
    *at = *ret_to + 1;
    if (end != NULL && *ret_to > *ret_from && text.bytes[*ret_to - 1] == '\r')
        --*ret_to;
    return true;
}

static bool next_word(const vm_value *args, size_t *at, size_t *ret_from, size_t *ret_to)
{
    struct vm_text text = vm_text(args[0]);

    *at += lib_space_before(text.bytes + *at, text.length - *at);
    *ret_from = *at;
    while (*at < text.length) {
        uint32_t c;
        size_t used = nb_utf8_decode(text.bytes + *at, text.length - *at, &c);

        if (lib_is_space(c))
            break;
        *at += used;
    }
    *ret_to = *at;
    return *ret_to > *ret_from;
}

static bool next_character(const vm_value *args, size_t *at, size_t *ret_from, size_t *ret_to)
{
    struct vm_text text = vm_text(args[0]);
    uint32_t c;

    if (*at >= text.length)
        return false;
    *ret_from = *at;
    *at += nb_utf8_decode(text.bytes + *at, text.length - *at, &c);
    *ret_to = *at;
    return true;
}

/* Between delimiters. The last part ends with the text, and *at then lies behind it. */
static bool next_field(const vm_value *args, size_t *at, size_t *ret_from, size_t *ret_to)
{
    struct vm_text text = vm_text(args[0]), delimiter = vm_text(args[1]);
    int64_t found;

    if (*at > text.length)
        return false;
    *ret_from = *at;
    found = lib_find_from(text, delimiter, *at);
    *ret_to = found >= 0 ? (size_t)found : text.length;
    *at = found >= 0 ? (size_t)found + delimiter.length : (size_t)text.length + 1;
    return true;
}

static enum vm_status string_lines(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");

    return status != VM_OK ? status : parts(ctx, args, next_line, ret);
}

static enum vm_status string_words(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");

    return status != VM_OK ? status : parts(ctx, args, next_word, ret);
}

static enum vm_status string_split(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SS");

    if (status != VM_OK)
        return status;
    return parts(ctx, args, vm_text(args[1]).length == 0 ? next_character : next_field, ret);
}

#define LIB_TABLE "lib/string_list.def"
#define LIB_REGISTER lib_register_string_list
#include "lib/table.h"
