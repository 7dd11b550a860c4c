/*
 * encoding.c - natives that turn texts into other texts or bytes and back.
 */
#include "config.h"

#include <nettle/base64.h>
#include <string.h>

#include "base/utf8.h"
#include "lib/expect.h"
#include "lib/percent.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/string.h"

static enum vm_status base64_encode(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text text;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    lib_worked(ctx, text.length);
    if (nb_buf_reserve(&out, BASE64_ENCODE_RAW_LENGTH(text.length))) {
        base64_encode_raw(out.data, text.length, (const uint8_t *)text.bytes);
        out.length = BASE64_ENCODE_RAW_LENGTH(text.length);
        out.data[out.length] = '\0';
    }
    return lib_answer_text(ctx, &out, ret);
}

/* Decode; NULL, or what is wrong. (Nettle's decoder passes over blanks and does not say what is wrong.) */
static const char *decode_base64(struct nb_buf *out, struct vm_text text)
{
    static const char symbols[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t digits = text.length;
    uint32_t group = 0;

    if (text.length % 4 != 0)
        return "Invalid padding";
    while (digits > 0 && text.length - digits < 2 && text.bytes[digits - 1] == '=')
        digits--;
    for (size_t i = 0; i < digits; i++) {
        const char *digit = memchr(symbols, text.bytes[i], 64);

        if (digit == NULL)
            return "Invalid symbol";
        group = group << 6 | (uint32_t)(digit - symbols);
        if (i % 4 != 0)
            nb_buf_byte(out, (char)(group >> (6 - 2 * (i % 4))));
    }
    /* Bits of the last digit that belong to no byte must be zero. */
    if ((digits % 4 == 2 && (group & 15) != 0) || (digits % 4 == 3 && (group & 3) != 0))
        return "Invalid last symbol";
    return NULL;
}

static enum vm_status base64_decode(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf bytes = NB_BUF_INIT, text = NB_BUF_INIT;
    const char *wrong;

    if (status != VM_OK)
        return status;
    lib_worked(ctx, vm_text(args[0]).length);
    wrong = decode_base64(&bytes, vm_text(args[0]));
    if (wrong != NULL)
        nb_buf_printf(&text, "invalid base64: %s", wrong);
    else
        lib_append_valid(&text, nb_buf_cstr(&bytes), bytes.length);
    text.failed = text.failed || bytes.failed;
    status = lib_outcome(ctx, wrong == NULL, &text, ret);
    nb_buf_done(&bytes);
    nb_buf_done(&text);
    return status;
}

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static enum vm_status url_encode(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    static const char hex[] = "0123456789ABCDEF";
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text text;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    for (size_t i = 0; i < text.length && !out.failed; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];

        if (is_alphanumeric(text.bytes[i]))
            nb_buf_byte(&out, text.bytes[i]);
        else
            nb_buf_append(&out, (char[]){ '%', hex[byte >> 4], hex[byte & 15] }, 3);
    }
    return lib_answer_text(ctx, &out, ret);
}

/* The bytes valid UTF-8 begins with. */
static size_t valid_up_to(const char *bytes, size_t length)
{
    size_t at = 0;

    while (at < length) {
        uint32_t c;
        size_t used = nb_utf8_decode(bytes + at, length - at, &c);

        if (c == 0xfffd && !nb_utf8_valid(bytes + at, used))
            break;
        at += used;
    }
    return at;
}

/* Ok(text), or Err with `wrong` (a format for the place) when the bytes are no text. */
static enum vm_status answer_decoded(struct vm_ctx *ctx, struct nb_buf *bytes, const char *wrong, vm_value *ret)
{
    bool valid = nb_utf8_valid(nb_buf_cstr(bytes), bytes->length);
    enum vm_status status;

    if (!valid) {
        size_t at = valid_up_to(nb_buf_cstr(bytes), bytes->length);

        nb_buf_clear(bytes);
        nb_buf_printf(bytes, wrong, at);
    }
    status = lib_outcome(ctx, valid, bytes, ret);
    nb_buf_done(bytes);
    return status;
}

static enum vm_status url_decode(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text text;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    lib_worked(ctx, text.length);
    lib_percent_decode(&out, text.bytes, text.length, false);
    return answer_decoded(ctx, &out, "invalid URL encoding: invalid UTF-8 from byte %zu on", ret);
}

static enum vm_status url_decode_lenient(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SB");
    struct nb_buf bytes = NB_BUF_INIT, out = NB_BUF_INIT;
    struct vm_text text;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    lib_percent_decode(&bytes, text.bytes, text.length, args[1] == VM_TRUE);
    lib_append_valid(&out, nb_buf_cstr(&bytes), bytes.length);
    out.failed = out.failed || bytes.failed;
    nb_buf_done(&bytes);
    return lib_answer_text(ctx, &out, ret);
}

static enum vm_status encoding_to_bytes(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text text;
    vm_value list;

    if (status != VM_OK)
        return status;
    list = vm_list_make(ctx, vm_text(args[0]).length);
    if (list == VM_NONE)
        return VM_NOMEM;
    text = vm_text(args[0]);
    lib_worked(ctx, text.length);
    for (uint32_t i = 0; i < text.length; i++)
        vm_list_init_at(list, i, vm_from_small((unsigned char)text.bytes[i]));
    return lib_answer(list, ret);
}

static enum vm_status encoding_from_bytes(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_list_walk walk;
    vm_value item;

    if (status != VM_OK)
        return status;
    lib_worked(ctx, vm_list_length(args[0]));
    for (vm_list_walk(&walk, args[0]); vm_list_next(&walk, &item);) {
        if (!vm_is_int(item)) {
            nb_buf_done(&out);
            return vm_raise_type(ctx, "Int64", item);
        }
        nb_buf_byte(&out, (char)vm_int_of(item));
    }
    return answer_decoded(ctx, &out, "invalid UTF-8: byte %zu does not begin or continue a character", ret);
}

#define LIB_TABLE "lib/encoding.def"
#define LIB_REGISTER lib_register_encoding
#include "lib/table.h"
