/*
 * json.c - natives of JSON: reading, printing, and any value as Json.
 */
#include "config.h"

#include "lib/json.h"

#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "lib/expect.h"
#include "vm/except.h"

/* What the stack holds in the end is the answer. */
static enum vm_status answer_top(struct vm_ctx *ctx, struct lib_stack *stack, enum vm_status status, vm_value *ret)
{
    if (status == VM_OK)
        *ret = lib_stack_top(stack);
    lib_stack_end(ctx, stack);
    return status;
}

/* The bytes of a String, in `copy` if they could move while values are made. */
static const char *steady_bytes(vm_value string, char copy[VM_STRING_INLINE])
{
    struct vm_text text = vm_text(string);

    if (vm_kind(string) == VM_KIND_BYTES_SLICE || vm_is_outside(string))
        return text.bytes;
    nb_assert(text.length <= VM_STRING_INLINE);
    memcpy(copy, text.bytes, text.length);
    return copy;
}

/* Read the text args[0]; strictly, or as much as can be made of it. */
static enum vm_status parse(struct vm_ctx *ctx, vm_value *args, vm_value *ret, bool strict)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    char copy[VM_STRING_INLINE];
    struct lib_stack stack;
    const char *bytes;
    uint32_t length;

    if (status != VM_OK)
        return status;
    length = vm_text(args[0]).length;
    bytes = steady_bytes(args[0], copy);
    lib_worked(ctx, length);
    lib_stack_begin(ctx, &stack);
    if (strict)
        status = lib_json_read(ctx, &stack, bytes, length);
    else
        status = lib_json_read_lenient(ctx, &stack, bytes, length) ? VM_OK : VM_NOMEM;
    return answer_top(ctx, &stack, status, ret);
}

static enum vm_status json_parse(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return parse(ctx, args, ret, true);
}

static enum vm_status json_parse_lenient(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return parse(ctx, args, ret, false);
}

static enum vm_status answer_printed(struct vm_ctx *ctx, enum vm_status status, struct nb_buf *text, vm_value *ret)
{
    if (status == VM_OK)
        return lib_answer_text(ctx, text, ret);
    nb_buf_done(text);
    return status;
}

static enum vm_status json_stringify(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct nb_buf text = NB_BUF_INIT;

    return answer_printed(ctx, lib_json_print(ctx, &text, args[0]), &text, ret);
}

static enum vm_status json_stringify_raw(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct nb_buf text = NB_BUF_INIT;

    return answer_printed(ctx, lib_json_print_raw(ctx, &text, args[0]), &text, ret);
}

/* The short escapes of strings, or 0. */
static char short_escape(uint32_t c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static enum vm_status json_escape(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text text;
    size_t used;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    for (size_t at = 0; at < text.length; at += used) {
        uint32_t c;

        used = nb_utf8_decode(text.bytes + at, text.length - at, &c);
        if (short_escape(c) != 0)
            nb_buf_printf(&out, "\\%c", short_escape(c));
        else if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
            nb_buf_printf(&out, "\\u%04x", (unsigned)c);
        else
            nb_buf_append(&out, text.bytes + at, used);
    }
    return lib_answer_text(ctx, &out, ret);
}

static enum vm_status json_reflect(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct lib_stack stack;
    enum vm_status status;

    lib_stack_begin(ctx, &stack);
    status = lib_json_reflect(ctx, &stack, args[0]) ? VM_OK : VM_NOMEM;
    return answer_top(ctx, &stack, status, ret);
}

#define LIB_TABLE "lib/json.def"
#define LIB_REGISTER register_natives
static void register_natives(void);
#include "lib/table.h"

void lib_register_json(void)
{
    lib_json_init();
    register_natives();
}
