/*
 * html.c - natives of the HTML builders: escaping, which every text and attribute goes through.
 */
#include "config.h"

#include <string.h>

#include "lib/expect.h"
#include "vm/string.h"

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* How many bytes stand in front of the first that needs an entity. */
static size_t plain_length(const char *bytes, size_t length)
{
    size_t at = 0;

    while (at < length && entity(bytes[at]) == NULL)
        at++;
    return at;
}

static enum vm_status escape_html(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf out = NB_BUF_INIT;
    struct vm_text text;
    size_t at;

    if (status != VM_OK)
        return status;
    text = vm_text(args[0]);
    lib_worked(ctx, text.length);
    at = plain_length(text.bytes, text.length);
    if (at == text.length)
        return lib_answer(args[0], ret);
    nb_buf_append(&out, text.bytes, at);
    while (at < text.length && !out.failed) {
        size_t plain;

        nb_buf_text(&out, entity(text.bytes[at++]));
        plain = plain_length(text.bytes + at, text.length - at);
        nb_buf_append(&out, text.bytes + at, plain);
        at += plain;
    }
    return lib_answer_text(ctx, &out, ret);
}

#define LIB_TABLE "lib/html.def"
#define LIB_REGISTER lib_register_html
#include "lib/table.h"
