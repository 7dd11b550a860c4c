/*
 * record.c - builds HttpRequest values.
 *
 * Any allocation may move what was built before, so each finished field is kept in ctx->args, where the collector sees
 * it, and every list is in its place before it is filled. Texts come from the request's own memory, which does not
 * move. Names and methods that nearly every request has are constants outside of all heaps: they cost nothing per
 * request.
 */
#include "config.h"

#include "server/record.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/utf8.h"
#include "lib/expect.h"
#include "server/headers.h"
#include "vm/list.h"
#include "vm/native.h"
#include "vm/string.h"
#include "vm/type.h"

enum { ID, METHOD, PATH, HEADERS, BODY, QUERY, COOKIES, FORM, IS_WEBSOCKET, FIELDS };
enum { FIELD_ARGS = 1, NAME_ARG = FIELD_ARGS + FIELDS, VALUE_ARG, ARGS_USED }; /* places in ctx->args */
_Static_assert(ARGS_USED <= VM_NATIVE_ARITY_MAX + 4, "they must fit");

#define PAIRS "List[(String, String)]"
static const char *const field_names[FIELDS] = { "id",          "method",  "path",       "headers",    "body",
                                                 "queryParams", "cookies", "formParams", "isWebSocket" };
static const char *const field_types[FIELDS] = {
    "Int", "String", "String", PAIRS, "String", PAIRS, PAIRS, PAIRS, "Bool"
};

static uint32_t constructor; /* of HttpRequest */

/* ---- constants ---- */

static const char *const common_texts[] = {
    "",
    "/",
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "HEAD",
    "PATCH",
    "OPTIONS",
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "referer",
    "origin",
    "cache-control",
    "upgrade",
    "authorization",
    "if-none-match",
    "transfer-encoding",
    "*/*",
    "close",
    "keep-alive",
    "application/x-www-form-urlencoded",
    "application/json",
    "text/plain",
    "upgrade-insecure-requests",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "priority",
    "pragma",
    "dnt",
    "te",
    "range",
    "if-modified-since",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
    "x-requested-with",
    "document",
    "navigate",
    "same-origin",
    "none",
    "empty",
    "cors",
    "?0",
    "?1",
    "1",
    "0",
    "no-cache",
    "max-age=0",
    "gzip, deflate",
    "gzip, deflate, br",
    "gzip, deflate, br, zstd",
};
enum { COMMON_TEXTS = sizeof common_texts / sizeof *common_texts, COMMON_LENGTHS = 40 };

/* The common texts of each length, as a chain. */
struct common {
    const char *text;
    vm_value value;
    const struct common *next;
};
static struct common commons[COMMON_TEXTS];
static const struct common *commons_of_length[COMMON_LENGTHS];

static void make_constants(void)
{
    for (unsigned i = 0; i < COMMON_TEXTS; i++) {
        const char *text = common_texts[i];
        size_t length = strlen(text);
        vm_value value = vm_string_immortal(nb_xalloc_zero(vm_string_immortal_bytes(length)), text, length);

        nb_assert(length < COMMON_LENGTHS);
        commons[i] = (struct common){ text, value, commons_of_length[length] };
        commons_of_length[length] = &commons[i];
    }
}

static vm_value empty_text(void)
{
    return commons_of_length[0]->value;
}

static uint32_t register_type(void)
{
    const struct vm_constructor description = {
        .type_name = "HttpRequest",
        .name = "HttpRequest",
        .form = VM_TYPE_RECORD,
        .named = true,
        .arity = FIELDS,
        .siblings = 1,
        .fields = field_names,
        .field_types = field_types,
    };

    return vm_constructor_register(&description);
}

void srv_record_register(void)
{
    constructor = register_type();
    nb_assert(constructor != 0);
    vm_native_record_add(constructor);
    if (commons_of_length[0] == NULL)
        make_constants();
}

/* A text as a value; VM_NONE without memory. */
static vm_value text_value(struct vm_ctx *ctx, const char *bytes, size_t length, bool ascii)
{
    const struct common *common = length < COMMON_LENGTHS ? commons_of_length[length] : NULL;

    for (; common != NULL; common = common->next) {
        if (length == 0 || (common->text[0] == bytes[0] && memcmp(common->text, bytes, length) == 0))
            return common->value;
    }
    return vm_string_known(ctx, bytes, length, ascii);
}

/* ---- walking pairs ---- */

void srv_pairs_begin(struct srv_pairs *pairs, const char *text, size_t length, bool cookies)
{
    *pairs = (struct srv_pairs){ .at = text, .end = text + length, .cookies = cookies };
}

static struct srv_text trimmed(const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (from < to && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    return (struct srv_text){ from, (size_t)(to - from) };
}

/* One piece between two separators; false behind the last. */
static bool next_piece(struct srv_pairs *pairs, const char **ret_from, const char **ret_to)
{
    const char *stop;

    if (pairs->done)
        return false;
    stop = memchr(pairs->at, pairs->cookies ? ';' : '&', (size_t)(pairs->end - pairs->at));
    *ret_from = pairs->at;
    *ret_to = stop != NULL ? stop : pairs->end;
    pairs->done = stop == NULL;
    pairs->at = stop != NULL ? stop + 1 : pairs->end;
    return true;
}

bool srv_pairs_next(struct srv_pairs *pairs, struct srv_text *ret_name, struct srv_text *ret_value)
{
    const char *from, *to;

    while (next_piece(pairs, &from, &to)) {
        const char *sign = memchr(from, '=', (size_t)(to - from));
        const char *name_end = sign != NULL ? sign : to;
        const char *value = sign != NULL ? sign + 1 : to;

        if (!pairs->cookies) {
            *ret_name = (struct srv_text){ from, (size_t)(name_end - from) };
            *ret_value = (struct srv_text){ value, (size_t)(to - value) };
            return true;
        }
        *ret_name = trimmed(from, name_end);
        *ret_value = trimmed(value, to);
        if (ret_name->length > 0)
            return true;
    }
    return false;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

static void append_decoded(struct nb_buf *out, struct srv_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        bool escape = text.bytes[i] == '%' && i + 2 < text.length && hex_digit(text.bytes[i + 1]) >= 0 &&
                      hex_digit(text.bytes[i + 2]) >= 0;

        nb_buf_byte(out,
                    escape ? (char)(hex_digit(text.bytes[i + 1]) * 16 + hex_digit(text.bytes[i + 2])) : text.bytes[i]);
        i += escape ? 2 : 0;
    }
}

static void append_valid(struct nb_buf *out, const char *bytes, size_t length)
{
    uint32_t code_point;
    size_t used;

    for (size_t at = 0; at < length; at += used) {
        used = nb_utf8_decode(bytes + at, length - at, &code_point);
        nb_buf_code_point(out, code_point);
    }
}

void srv_percent_decode(struct nb_buf *out, struct srv_text text)
{
    size_t start = out->length;
    struct nb_buf raw = NB_BUF_INIT;

    append_decoded(out, text);
    if (out->failed || nb_utf8_valid(out->data + start, out->length - start) || out->length == start)
        return;
    nb_buf_append(&raw, out->data + start, out->length - start);
    out->length = start;
    append_valid(out, raw.data, raw.length);
    out->failed |= raw.failed;
    nb_buf_done(&raw);
}

/* ---- lists of pairs ---- */

/* Put the pair (args[NAME_ARG], args[VALUE_ARG]) into the list that is field `field`. */
static bool set_pair(struct vm_ctx *ctx, unsigned field, uint32_t index)
{
    vm_value *tuple;

    if (!vm_heap_reserve(ctx, 3))
        return false;
    tuple = vm_heap_take(&ctx->process->heap, 3);
    tuple[0] = VM_HEADER(VM_KIND_TUPLE, 0, 0, 2);
    tuple[1] = ctx->args[NAME_ARG];
    tuple[2] = ctx->args[VALUE_ARG];
    vm_list_init_at(ctx->args[FIELD_ARGS + field], index, vm_from_object(tuple));
    return true;
}

static bool set_texts(struct vm_ctx *ctx, struct srv_text name, struct srv_text value, bool ascii)
{
    ctx->args[NAME_ARG] = text_value(ctx, name.bytes, name.length, ascii);
    if (ctx->args[NAME_ARG] == VM_NONE)
        return false;
    ctx->args[VALUE_ARG] = text_value(ctx, value.bytes, value.length, ascii);
    return ctx->args[VALUE_ARG] != VM_NONE;
}

/* A list of `count` places as field `field`; [] when there are none. */
static bool make_list(struct vm_ctx *ctx, unsigned field, uint32_t count)
{
    ctx->args[FIELD_ARGS + field] = count > 0 ? vm_list_make(ctx, count) : VM_NIL;
    return ctx->args[FIELD_ARGS + field] != VM_NONE;
}

static struct srv_text text_of(const struct srv_request *request, struct srv_part part)
{
    return (struct srv_text){ srv_request_part(request, part), part.length };
}

/* Names and values are ASCII: others were refused, or are "". */
static bool make_headers(struct vm_ctx *ctx, const struct srv_request *request)
{
    if (!make_list(ctx, HEADERS, request->header_count))
        return false;
    for (uint32_t i = 0; i < request->header_count; i++) {
        const struct srv_header *header = &request->headers[i];

        if (!set_texts(ctx, text_of(request, header->name), text_of(request, header->value), true) ||
            !set_pair(ctx, HEADERS, i))
            return false;
    }
    return true;
}

static bool set_decoded(struct vm_ctx *ctx, struct nb_buf *buffer, struct srv_text name, struct srv_text value)
{
    size_t name_length;
    const char *bytes;

    nb_buf_clear(buffer);
    srv_percent_decode(buffer, name);
    name_length = buffer->length;
    srv_percent_decode(buffer, value);
    if (buffer->failed)
        return false;
    bytes = nb_buf_cstr(buffer);
    return set_texts(ctx, (struct srv_text){ bytes, name_length },
                     (struct srv_text){ bytes + name_length, buffer->length - name_length },
                     nb_utf8_is_ascii(bytes, buffer->length));
}

/* The pairs of a query or a form. */
static bool make_params(struct vm_ctx *ctx, unsigned field, const char *text, size_t length)
{
    struct nb_buf buffer = NB_BUF_INIT;
    struct srv_pairs pairs;
    struct srv_text name, value;
    uint32_t count = 0;
    bool ok;

    for (srv_pairs_begin(&pairs, text, length, false); srv_pairs_next(&pairs, &name, &value);)
        count++;
    ok = make_list(ctx, field, count);
    srv_pairs_begin(&pairs, text, length, false);
    for (uint32_t i = 0; ok && srv_pairs_next(&pairs, &name, &value); i++)
        ok = set_decoded(ctx, &buffer, name, value) && set_pair(ctx, field, i);
    nb_buf_done(&buffer);
    return ok;
}

static bool header_is(const struct srv_request *request, const struct srv_header *header, const char *name)
{
    size_t length = strlen(name);

    return header->name.length == length && memcmp(srv_request_part(request, header->name), name, length) == 0;
}

static bool make_cookies(struct vm_ctx *ctx, const struct srv_request *request)
{
    struct srv_pairs pairs;
    struct srv_text name, value;

    if (!request->has_cookies)
        return make_list(ctx, COOKIES, 0);
    for (int filling = 0; filling <= 1; filling++) { /* first count, then fill */
        uint32_t count = 0;

        for (uint32_t i = 0; i < request->header_count; i++) {
            if (!header_is(request, &request->headers[i], "cookie"))
                continue;
            srv_pairs_begin(&pairs, srv_request_part(request, request->headers[i].value),
                            request->headers[i].value.length, true);
            for (; srv_pairs_next(&pairs, &name, &value); count++) {
                if (filling && (!set_texts(ctx, name, value, true) || !set_pair(ctx, COOKIES, count)))
                    return false;
            }
        }
        if (!filling && !make_list(ctx, COOKIES, count))
            return false;
        if (count == 0)
            break;
    }
    return true;
}

/* Headers and cookies, if they are not known already. */
static bool make_familiar(struct vm_ctx *ctx, struct srv_request *request)
{
    vm_value *headers = &ctx->args[FIELD_ARGS + HEADERS], *cookies = &ctx->args[FIELD_ARGS + COOKIES];

    if (srv_headers_known(ctx, request, headers, cookies))
        return true;
    if (!make_headers(ctx, request) || !make_cookies(ctx, request))
        return false;
    srv_headers_keep(request, *headers, *cookies);
    return true;
}

/* ---- the other fields ---- */

/* The value of the first header of that name; length 0 when there is none. */
static struct srv_text header_value(const struct srv_request *request, const char *name)
{
    for (uint32_t i = 0; i < request->header_count; i++) {
        const struct srv_header *header = &request->headers[i];

        if (header_is(request, header, name))
            return text_of(request, header->value);
    }
    return (struct srv_text){ "", 0 };
}

/* Case does not matter. The text is followed by other bytes of the request, so it is copied by length only. */
static bool text_contains(struct srv_text text, const char *part)
{
    size_t length = strlen(part);

    for (size_t i = 0; i + length <= text.length; i++) {
        if (strncasecmp(text.bytes + i, part, length) == 0)
            return true;
    }
    return false;
}

static bool wants_websocket(const struct srv_request *request)
{
    struct srv_text upgrade;

    if (!request->has_upgrade)
        return false;
    upgrade = header_value(request, "upgrade");
    return upgrade.length == strlen("websocket") && text_contains(upgrade, "websocket") &&
           text_contains(header_value(request, "connection"), "upgrade");
}

static bool is_form(const struct srv_request *request)
{
    static const char form[] = "application/x-www-form-urlencoded";
    struct srv_text type;

    if (!request->has_type)
        return false;
    type = header_value(request, "content-type");
    return type.length >= sizeof form - 1 && strncasecmp(type.bytes, form, sizeof form - 1) == 0;
}

/* Bytes that are not a text: a list of numbers. */
static bool make_byte_list(struct vm_ctx *ctx, const struct nb_buf *body)
{
    if (!make_list(ctx, BODY, (uint32_t)body->length))
        return false;
    for (size_t i = 0; i < body->length; i++)
        vm_list_init_at(ctx->args[FIELD_ARGS + BODY], (uint32_t)i, vm_from_small((unsigned char)body->data[i]));
    return true;
}

static bool make_body(struct vm_ctx *ctx, const struct srv_request *request, bool is_websocket)
{
    const struct nb_buf *body = &request->body;

    lib_worked(ctx, body->length);
    ctx->args[FIELD_ARGS + FORM] = VM_NIL;
    if (is_websocket || body->length == 0) {
        ctx->args[FIELD_ARGS + BODY] = empty_text();
        return !is_form(request) || is_websocket || make_params(ctx, FORM, "", 0);
    }
    if (!nb_utf8_valid(body->data, body->length))
        return make_byte_list(ctx, body);
    ctx->args[FIELD_ARGS + BODY] = vm_string(ctx, body->data, body->length);
    if (ctx->args[FIELD_ARGS + BODY] == VM_NONE)
        return false;
    return !is_form(request) || make_params(ctx, FORM, body->data, body->length);
}

static bool make_text(struct vm_ctx *ctx, unsigned field, const struct srv_request *request, struct srv_part part)
{
    struct nb_buf valid = NB_BUF_INIT;
    const char *bytes = srv_request_part(request, part);
    vm_value value;

    if (nb_utf8_valid(bytes, part.length)) {
        value = text_value(ctx, bytes, part.length, nb_utf8_is_ascii(bytes, part.length));
    } else {
        append_valid(&valid, bytes, part.length);
        value = valid.failed ? VM_NONE : vm_string(ctx, nb_buf_cstr(&valid), valid.length);
        nb_buf_done(&valid);
    }
    ctx->args[FIELD_ARGS + field] = value;
    return value != VM_NONE;
}

static bool make_fields(struct vm_ctx *ctx, struct srv_request *request)
{
    bool is_websocket = wants_websocket(request);

    ctx->args[FIELD_ARGS + ID] = vm_from_small((int64_t)request->id);
    ctx->args[FIELD_ARGS + IS_WEBSOCKET] = vm_from_bool(is_websocket);
    ctx->args[FIELD_ARGS + QUERY] = VM_NIL;
    return make_text(ctx, METHOD, request, request->method) && make_text(ctx, PATH, request, request->path) &&
           make_familiar(ctx, request) && make_body(ctx, request, is_websocket) &&
           (!request->has_query ||
            make_params(ctx, QUERY, srv_request_part(request, request->query), request->query.length));
}

/* About what all of it takes, so that there is at most one collection on the way; bodies and parameters aside. */
static size_t words_for(const struct srv_request *request)
{
    enum { RECORD = 1 + FIELDS, TUPLE = 3, LIST = 6, STRING = 2 };
    size_t texts = (request->known == NULL ? request->text.length : request->path.length) / sizeof(vm_value);

    return RECORD + 2 * (LIST + STRING) + texts +
           (request->known == NULL ? (size_t)request->header_count * (1 + TUPLE + 2 * STRING) : 0);
}

enum vm_status srv_record_make(struct vm_ctx *ctx, struct srv_request *request, vm_value *ret)
{
    unsigned args_before = ctx->arg_count;
    vm_value *record;
    bool ok;

    for (unsigned i = FIELD_ARGS; i < ARGS_USED; i++)
        ctx->args[i] = VM_UNIT;
    ctx->arg_count = ARGS_USED;
    ok = vm_heap_reserve(ctx, words_for(request)) && make_fields(ctx, request) && vm_heap_reserve(ctx, 1 + FIELDS);
    if (ok) {
        record = vm_heap_take(&ctx->process->heap, 1 + FIELDS);
        record[0] = VM_HEADER(VM_KIND_DATA, 0, constructor, FIELDS);
        memcpy(record + 1, ctx->args + FIELD_ARGS, FIELDS * sizeof *record);
        *ret = vm_from_object(record);
    }
    ctx->arg_count = args_before;
    return ok ? VM_OK : VM_NOMEM;
}

/* ---- who holds a request ---- */

static bool is_request(vm_value value, uint64_t id)
{
    if (value == vm_from_small((int64_t)id))
        return true;
    return vm_is_kind(value, VM_KIND_DATA) && vm_aux(value) == constructor &&
           vm_field(value, ID) == vm_from_small((int64_t)id);
}

static bool holds(vm_value value, uint64_t id, unsigned levels)
{
    unsigned first;

    if (is_request(value, id))
        return true;
    if (levels == 0 || !vm_is_object(value))
        return false;
    if (vm_kind(value) != VM_KIND_CLOSURE && vm_kind(value) != VM_KIND_TUPLE && vm_kind(value) != VM_KIND_CELL)
        return false;
    first = vm_kind(value) == VM_KIND_CLOSURE ? 1 : 0; /* a closure's first word is its function */
    for (unsigned i = first; i < vm_size(value); i++) {
        if (holds(vm_field(value, i), id, levels - 1))
            return true;
    }
    return false;
}

bool srv_record_is_held_by(vm_value closure, uint64_t id)
{
    return vm_is_kind(closure, VM_KIND_CLOSURE) && holds(closure, id, 2);
}
