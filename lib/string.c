/*
 * string.c - natives of strings; those with lists are in string_list.c.
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
#include "lib/text.h"
#include "vm/except.h"
#include "vm/number.h"
#include "vm/string.h"

/* ---- positions ---- */

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
    size_t before = lib_space_before(text.bytes, text.length);

    text.bytes += before;
    text.length = (uint32_t)lib_without_space_after(text.bytes, text.length - before);
    return text;
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
    *ret = vm_from_bool(lib_find_from(vm_text(args[0]), vm_text(args[1]), 0) >= 0);
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
    return lib_answer_int(ctx, lib_find_from(vm_text(args[0]), vm_text(args[1]), 0), ret);
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
    to = lib_without_space_after(text.bytes, text.length);
    from = lib_space_before(text.bytes, to);
    return answer_part(ctx, args, from, to, ret);
}

static enum vm_status string_trim_start(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text text;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    return answer_part(ctx, args, lib_space_before(text.bytes, text.length), text.length, ret);
}

static enum vm_status string_trim_end(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text text;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    return answer_part(ctx, args, 0, lib_without_space_after(text.bytes, text.length), ret);
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
    at = lib_find_from(text, from, 0);
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
    while (!lib_too_long(&out) && (at = lib_find_from(text, from, done)) >= 0) {
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
    if (count > (int64_t)VM_STRING_MAX / (int64_t)text.length)
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
    if (missing > (int64_t)VM_STRING_MAX)
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
        size_t at = lib_last_start(text.bytes, end);

        nb_buf_append(&out, text.bytes + at, end - at);
        end = at;
    }
    return lib_answer_text(ctx, &out, ret);
}

#define LIB_TABLE "lib/string.def"
#define LIB_REGISTER lib_register_string
#include "lib/table.h"
