/*
 * string.c - natives of strings.
 *
 * Results are built in a buffer outside of the heap, or share the bytes of the argument (vm_string_part); a view of an
 * argument (vm_text) is taken anew after everything that allocates. Texts that are all ASCII, which strings know of
 * themselves, take short cuts from characters to bytes.
 */
#include "config.h"

#include <string.h>

#include "base/utf8.h"
#include "lib/casing.h"
#include "lib/expect.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/string.h"

enum { LENGTH_MAX = INT32_MAX }; /* bytes of a string: string.h */

/* ---- characters and bytes ---- */

/* White space as Unicode has it. */
static bool is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Bytes of white space at the start. */
static size_t space_before(const char *bytes, size_t length)
{
    size_t at = 0;

    while (at < length) {
        uint32_t c;
        size_t used = nb_utf8_decode(bytes + at, length - at, &c);

        if (!is_space(c))
            break;
        at += used;
    }
    return at;
}

/* The last character's first byte. */
static size_t last_start(const char *bytes, size_t length)
{
    size_t at = length - 1;

    while (at > 0 && ((unsigned char)bytes[at] & 0xc0) == 0x80)
        at--;
    return at;
}

/* Bytes that remain when white space at the end is left out. */
static size_t without_space_after(const char *bytes, size_t length)
{
    while (length > 0) {
        size_t at = last_start(bytes, length);
        uint32_t c;

        nb_utf8_decode(bytes + at, length - at, &c);
        if (!is_space(c))
            break;
        length = at;
    }
    return length;
}

/* Byte offset of the n-th character; the length when there are fewer, or when n is negative. */
static size_t offset_of(struct vm_text text, int64_t n)
{
    if (n < 0 || n >= text.length)
        return text.length;
    return text.ascii ? (size_t)n : nb_utf8_offset(text.bytes, text.length, (size_t)n);
}

static struct vm_text trimmed(vm_value string)
{
    struct vm_text text = vm_text(string);
    size_t before = space_before(text.bytes, text.length);

    text.bytes += before;
    text.length = (uint32_t)without_space_after(text.bytes, text.length - before);
    return text;
}

/* Where a part occurs at or after a byte offset; -1: nowhere. */
static int64_t find_from(struct vm_text text, struct vm_text part, size_t from)
{
    const char *found = memmem(text.bytes + from, text.length - from, part.bytes, part.length);

    return found == NULL ? -1 : found - text.bytes;
}

/* ---- questions ---- */

static enum vm_status string_length(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");

    if (status != VM_OK)
        return status;
    return lib_answer_int(ctx, vm_string_count(args[0]), ret);
}

static enum vm_status string_is_empty(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");

    if (status == VM_OK)
        *ret = vm_from_bool(vm_text(args[0]).length == 0);
    return status;
}

static enum vm_status string_contains(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SS");

    if (status != VM_OK)
        return status;
    lib_worked(ctx, vm_text(args[0]).length);
    *ret = vm_from_bool(find_from(vm_text(args[0]), vm_text(args[1]), 0) >= 0);
    return VM_OK;
}

static enum vm_status string_starts_with(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SS");
    struct vm_text text, part;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    part = vm_text(args[1]);
    *ret = vm_from_bool(part.length <= text.length && memcmp(text.bytes, part.bytes, part.length) == 0);
    return VM_OK;
}

static enum vm_status string_ends_with(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SS");
    struct vm_text text, part;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    part = vm_text(args[1]);
    *ret = vm_from_bool(part.length <= text.length &&
                        memcmp(text.bytes + text.length - part.length, part.bytes, part.length) == 0);
    return VM_OK;
}

static enum vm_status string_index_of(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SS");

    if (status != VM_OK)
        return status;
    lib_worked(ctx, vm_text(args[0]).length);
    return lib_answer_int(ctx, find_from(vm_text(args[0]), vm_text(args[1]), 0), ret);
}

/* From the end: candidates are the places where the part's first byte stands. */
static enum vm_status string_last_index_of(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SS");
    struct vm_text text, part;
    int64_t at;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    part = vm_text(args[1]);
    lib_worked(ctx, text.length);
    for (at = (int64_t)text.length - part.length; at >= 0; at--)
        if (memcmp(text.bytes + at, part.bytes, part.length) == 0)
            break;
    return lib_answer_int(ctx, at < 0 ? -1 : at, ret);
}

/* ---- numbers in texts ---- */

static enum vm_status string_to_int(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text text;
    vm_value number;
    int64_t n;

    if (status != VM_OK)
        return status;
    text = trimmed(args[0]);
    if (!vm_parse_int(text.bytes, text.length, &n))
        return lib_answer(LIB_NOTHING, ret);
    number = vm_int(ctx, n);
    return lib_answer(number == VM_NONE ? VM_NONE : lib_some(ctx, number), ret);
}

/* Whether this is a sign, if any, and digits. */
static bool is_integer(const char *bytes, size_t length)
{
    size_t at = length > 0 && (bytes[0] == '+' || bytes[0] == '-') ? 1 : 0;

    if (at == length)
        return false;
    for (; at < length; at++)
        if (bytes[at] < '0' || bytes[at] > '9')
            return false;
    return true;
}

static enum vm_status string_to_int_bare(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text text;
    int64_t n;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    if (!is_integer(text.bytes, text.length) || !vm_parse_int(text.bytes, text.length, &n))
        return lib_answer(VM_UNIT, ret);
    return lib_answer_int(ctx, n, ret);
}

static enum vm_status string_to_float(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text text;
    vm_value number;
    double d;

    if (status != VM_OK)
        return status;
    text = trimmed(args[0]);
    if (!vm_parse_float(text.bytes, text.length, &d))
        return lib_answer(LIB_NOTHING, ret);
    number = vm_float(ctx, d);
    return lib_answer(number == VM_NONE ? VM_NONE : lib_some(ctx, number), ret);
}

static enum vm_status string_to_bigint(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf digits = NB_BUF_INIT;
    struct vm_text text;
    vm_value number;

    if (status != VM_OK)
        return status;
    text = trimmed(args[0]);
    if (!is_integer(text.bytes, text.length))
        return lib_answer(LIB_NOTHING, ret);
    lib_worked(ctx, text.length);
    if (text.bytes[0] == '+')
        nb_buf_append(&digits, text.bytes + 1, text.length - 1);
    else
        nb_buf_append(&digits, text.bytes, text.length);
    number = digits.failed ? VM_NONE : vm_bigint_from_text(ctx, nb_buf_cstr(&digits), digits.length);
    nb_buf_done(&digits);
    return lib_answer(number == VM_NONE ? VM_NONE : lib_some(ctx, number), ret);
}

/* ---- parts ---- */

/* args[0] from byte `from` up to byte `to`. */
static enum vm_status answer_part(struct vm_ctx *ctx, vm_value *args, size_t from, size_t to, vm_value *ret)
{
    return lib_answer(vm_string_part(ctx, args[0], (uint32_t)from, (uint32_t)(to - from)), ret);
}

static enum vm_status string_trim(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text text;
    size_t from, to;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    to = without_space_after(text.bytes, text.length);
    from = space_before(text.bytes, to);
    return answer_part(ctx, args, from, to, ret);
}

static enum vm_status string_trim_start(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text text;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    return answer_part(ctx, args, space_before(text.bytes, text.length), text.length, ret);
}

static enum vm_status string_trim_end(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text text;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    return answer_part(ctx, args, 0, without_space_after(text.bytes, text.length), ret);
}

static enum vm_status string_substring(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SII");
    struct vm_text text;
    size_t from, to;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    from = offset_of(text, vm_int_of(args[1]));
    to = offset_of(text, vm_int_of(args[2]));
    return answer_part(ctx, args, from, to < from ? from : to, ret);
}

static enum vm_status string_take(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SI");

    if (status != VM_OK)
        return status;
    return answer_part(ctx, args, 0, offset_of(vm_text(args[0]), vm_int_of(args[1])), ret);
}

static enum vm_status string_drop(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SI");
    struct vm_text text;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    return answer_part(ctx, args, offset_of(text, vm_int_of(args[1])), text.length, ret);
}

/* ---- changed texts ---- */

static enum vm_status change_case(struct vm_ctx *ctx, vm_value *args,
                                  void (*change)(struct nb_buf *out, const char *bytes, size_t length), vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text text;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    change(&out, text.bytes, text.length);
    return lib_answer_text(ctx, &out, ret);
}

static enum vm_status string_to_upper(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return change_case(ctx, args, lib_upper, ret);
}

static enum vm_status string_to_lower(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return change_case(ctx, args, lib_lower, ret);
}

static enum vm_status string_replace(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SSS");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text text, from, to;
    int64_t at;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    from = vm_text(args[1]);
    to = vm_text(args[2]);
    at = find_from(text, from, 0);
    if (at < 0)
        return lib_answer(args[0], ret);
    nb_buf_append(&out, text.bytes, (size_t)at);
    nb_buf_append(&out, to.bytes, to.length);
    nb_buf_append(&out, text.bytes + at + from.length, text.length - (size_t)at - from.length);
    return lib_answer_text(ctx, &out, ret);
}

/* `to` at every boundary between characters, and at both ends. */
static void weave(struct nb_buf *out, struct vm_text text, struct vm_text to)
{
    nb_buf_append(out, to.bytes, to.length);
    for (size_t at = 0; at < text.length && !out->failed;) {
        uint32_t c;
        size_t used = nb_utf8_decode(text.bytes + at, text.length - at, &c);

        nb_buf_append(out, text.bytes + at, used);
        nb_buf_append(out, to.bytes, to.length);
        at += used;
    }
}

/* Bound a result whose length is a product of arguments before it is built. */
static bool too_long(const struct nb_buf *out)
{
    return out->failed || out->length > LENGTH_MAX;
}

static enum vm_status string_replace_all(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SSS");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text text, from, to;
    size_t done = 0;
    int64_t at;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    from = vm_text(args[1]);
    to = vm_text(args[2]);
    if (from.length == 0) {
        weave(&out, text, to);
        return lib_answer_text(ctx, &out, ret);
    }
    while (!too_long(&out) && (at = find_from(text, from, done)) >= 0) {
        nb_buf_append(&out, text.bytes + done, (size_t)at - done);
        nb_buf_append(&out, to.bytes, to.length);
        done = (size_t)at + from.length;
    }
    nb_buf_append(&out, text.bytes + done, text.length - done);
    return lib_answer_text(ctx, &out, ret);
}

static enum vm_status string_repeat(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SI");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text text;
    int64_t count;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    count = vm_int_of(args[1]);
    if (count <= 0 || text.length == 0)
        return lib_answer_cstr(ctx, "", ret);
    if (count > LENGTH_MAX / (int64_t)text.length)
        return VM_NOMEM;
    if (!nb_buf_reserve(&out, (size_t)count * text.length))
        return VM_NOMEM;
    for (int64_t i = 0; i < count; i++)
        nb_buf_append(&out, text.bytes, text.length);
    return lib_answer_text(ctx, &out, ret);
}

/* Append the first character of `pad` (a blank if there is none) `count` times. */
static void fill(struct nb_buf *out, struct vm_text pad, int64_t count)
{
    uint32_t c;
    size_t used = nb_utf8_decode(pad.bytes, pad.length, &c);

    for (int64_t i = 0; i < count && !out->failed; i++)
        nb_buf_append(out, used == 0 ? " " : pad.bytes, used == 0 ? 1 : used);
}

static enum vm_status padded(struct vm_ctx *ctx, vm_value *args, bool at_start, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SIS");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text text, pad;
    int64_t missing;

    if (status != VM_OK)
        return status;
    missing = vm_int_of(args[1]);
    if (missing <= (int64_t)vm_string_count(args[0]))
        return lib_answer(args[0], ret);
    if (missing > LENGTH_MAX)
        return VM_NOMEM;
    missing -= vm_string_count(args[0]);
    text = vm_text(args[0]);
    pad = vm_text(args[2]);
    if (at_start)
        fill(&out, pad, missing);
    nb_buf_append(&out, text.bytes, text.length);
    if (!at_start)
        fill(&out, pad, missing);
    return lib_answer_text(ctx, &out, ret);
}

static enum vm_status string_pad_start(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return padded(ctx, args, true, ret);
}

static enum vm_status string_pad_end(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return padded(ctx, args, false, ret);
}

static enum vm_status string_reverse(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text text;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    for (size_t end = text.length; end > 0 && !out.failed;) {
        size_t at = last_start(text.bytes, end);

        nb_buf_append(&out, text.bytes + at, end - at);
        end = at;
    }
    return lib_answer_text(ctx, &out, ret);
}

/* ---- texts and lists ---- */

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
    for (vm_list_walk(&walk, args[0]); !too_long(&out) && vm_list_next(&walk, &item); first = false) {
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

    *at += space_before(text.bytes + *at, text.length - *at);
    *ret_from = *at;
    while (*at < text.length) {
        uint32_t c;
        size_t used = nb_utf8_decode(text.bytes + *at, text.length - *at, &c);

        if (is_space(c))
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
    found = find_from(text, delimiter, *at);
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

#define LIB_TABLE "lib/string.def"
#define LIB_REGISTER lib_register_string
#include "lib/table.h"
