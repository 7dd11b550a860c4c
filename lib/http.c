/*
 * http.c - natives of the HTTP client. The work is done by io/http_client.h; each native is called twice, first to
 * begin and park, then to take the answer (io/reactor.h).
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "io/http_client.h"
#include "lib/expect.h"
#include "lib/record.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/string.h"

/* ---- the answer ---- */

enum { STATUS, HEADERS, BODY, FIELDS };

/* A pair of the two texts, each ended by a NUL, that begin at `name`. VM_NONE without memory. */
static vm_value make_pair(struct vm_ctx *ctx, const char *name)
{
    vm_value first = vm_string_cstr(ctx, name), second;

    if (first == VM_NONE)
        return VM_NONE;
    VM_ROOT(ctx, first);
    second = vm_string_cstr(ctx, name + strlen(name) + 1);
    VM_UNROOT(ctx, first);
    return second == VM_NONE ? VM_NONE : lib_pair(ctx, first, second);
}

/* The pairs of names and values, each text ended by a NUL, as a list. */
static enum vm_status make_headers(struct vm_ctx *ctx, const struct nb_buf *texts, vm_value *ret)
{
    uint32_t count = 0, i = 0;
    enum vm_status status = VM_OK;
    vm_value list, pair;

    for (size_t at = 0; at < texts->length; at++)
        count += texts->data[at] == '\0';
    count /= 2;
    list = vm_list_make(ctx, count);
    if (list == VM_NONE)
        return VM_NOMEM;
    VM_ROOT(ctx, list);
    for (const char *name = texts->data; i < count && status == VM_OK; i++) {
        pair = make_pair(ctx, name);
        if (pair == VM_NONE)
            status = VM_NOMEM;
        else
            vm_list_init_at(list, i, pair);
        name += strlen(name) + 1;
        name += strlen(name) + 1;
    }
    VM_UNROOT(ctx, list);
    *ret = list;
    return status;
}

static enum vm_status make_response(struct vm_ctx *ctx, const struct io_http_answer *answer, vm_value *ret)
{
    vm_value fields[FIELDS] = { vm_from_small(answer->status), VM_NIL, VM_UNIT };
    enum vm_status status = make_headers(ctx, &answer->headers, &fields[HEADERS]);

    if (status != VM_OK)
        return status;
    VM_ROOT(ctx, fields[HEADERS]);
    status = lib_answer_bytes(ctx, nb_buf_cstr(&answer->body), answer->body.length, &fields[BODY]);
    VM_UNROOT(ctx, fields[HEADERS]);
    if (status != VM_OK)
        return status;
    return lib_answer(lib_data(ctx, lib_record(LIB_RECORD_HTTP_RESPONSE), FIELDS, fields), ret);
}

static enum vm_status end(struct vm_ctx *ctx, const struct io_http_answer *answer, vm_value *ret)
{
    switch (answer->error) {
    case IO_HTTP_FINE:
        return make_response(ctx, answer, ret);
    case IO_HTTP_NO_CONNECTION:
        return vm_raise_kind(ctx, "io_error", "Connection failed: %s", answer->error_text);
    case IO_HTTP_TIMED_OUT:
        return vm_raise_kind(ctx, "io_error", "Operation timed out");
    case IO_HTTP_NO_MEMORY:
        return VM_NOMEM;
    case IO_HTTP_FAILED:
        break;
    }
    return vm_raise_kind(ctx, "io_error", "HTTP error: %s", answer->error_text);
}

/* ---- the request ---- */

/* Put a text into a buffer; () is none. */
static enum vm_status take_text(struct vm_ctx *ctx, vm_value text, struct nb_buf *into)
{
    if (text == VM_UNIT)
        return VM_OK;
    if (!vm_is_string(text))
        return vm_raise_type(ctx, "String", text);
    lib_worked(ctx, vm_text(text).length);
    nb_buf_append(into, vm_text(text).bytes, vm_text(text).length);
    return VM_OK;
}

/* What RFC 9110 calls a token. */
static bool is_token(struct vm_text name)
{
    for (uint32_t i = 0; i < name.length; i++)
        if (name.bytes[i] <= ' ' || name.bytes[i] > '~' || strchr("()<>@,;:\\\"/[]?={}", name.bytes[i]) != NULL)
            return false;
    return name.length > 0;
}

static bool is_value(struct vm_text value)
{
    for (uint32_t i = 0; i < value.length; i++)
        if (((unsigned char)value.bytes[i] < ' ' && value.bytes[i] != '\t') || value.bytes[i] == 0x7f)
            return false;
    return true;
}

static bool is_blank(struct vm_text value)
{
    for (uint32_t i = 0; i < value.length; i++)
        if (value.bytes[i] != ' ' && value.bytes[i] != '\t')
            return false;
    return true;
}

static bool equals(struct vm_text text, const char *word)
{
    return text.length == strlen(word) && strncasecmp(text.bytes, word, text.length) == 0;
}

/* How the body's end is found is not the program's to say: who says it wrongly would ruin the next request. */
static bool is_ours_to_say(struct vm_text name)
{
    return equals(name, "content-length") || equals(name, "transfer-encoding");
}

static enum vm_status raise_bad_header(struct vm_ctx *ctx, const char *what, vm_value name)
{
    struct nb_buf text = NB_BUF_INIT;
    enum vm_status status =
        vm_raise_kind(ctx, "io_error", "HTTP error: invalid header %s '%s'", what, vm_string_cstring(name, &text));

    nb_buf_done(&text);
    return status;
}

static enum vm_status take_header(struct vm_ctx *ctx, vm_value pair, struct nb_buf *headers)
{
    struct vm_text name, value;

    if (!vm_is_kind(pair, VM_KIND_TUPLE) || vm_size(pair) != 2)
        return vm_raise_type(ctx, "Tuple", pair);
    for (unsigned i = 0; i < 2; i++)
        if (!vm_is_string(vm_field(pair, i)))
            return vm_raise_type(ctx, "String", vm_field(pair, i));
    name = vm_text(vm_field(pair, 0));
    value = vm_text(vm_field(pair, 1));
    if (!is_token(name))
        return raise_bad_header(ctx, "name", vm_field(pair, 0));
    if (!is_value(value))
        return raise_bad_header(ctx, "value for", vm_field(pair, 0));
    if (is_ours_to_say(name))
        return VM_OK;
    nb_buf_append(headers, name.bytes, name.length);
    nb_buf_text(headers, is_blank(value) ? ";" : ": ");
    if (!is_blank(value))
        nb_buf_append(headers, value.bytes, value.length);
    nb_buf_byte(headers, '\0');
    return VM_OK;
}

static enum vm_status take_headers(struct vm_ctx *ctx, vm_value pairs, struct nb_buf *headers)
{
    enum vm_status status = VM_OK;
    struct vm_list_walk walk;
    vm_value pair;

    if (pairs == VM_UNIT)
        return VM_OK;
    if (!vm_is_list(pairs))
        return vm_raise_type(ctx, "List", pairs);
    for (vm_list_walk(&walk, pairs); status == VM_OK && vm_list_next(&walk, &pair);)
        status = take_header(ctx, pair, headers);
    return status;
}

static enum vm_status begin(struct vm_ctx *ctx, const char *method, vm_value url, vm_value headers, vm_value body)
{
    struct io_http_request request = { .method = method, .most = lib_bytes_max(ctx) };
    enum vm_status status;

    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    status = lib_expect(ctx, &url, "S");
    if (status == VM_OK)
        status = take_text(ctx, url, &request.url);
    if (status == VM_OK)
        status = take_headers(ctx, headers, &request.headers);
    if (status == VM_OK)
        status = take_text(ctx, body, &request.body);
    if (status == VM_OK)
        return io_http_begin(ctx, &request);
    io_http_request_done(&request);
    return status;
}

static enum vm_status perform(struct vm_ctx *ctx, const char *method, vm_value url, vm_value headers, vm_value body,
                              vm_value *ret)
{
    struct io_http_answer *answer = io_http_result(ctx);
    enum vm_status status;

    if (answer == NULL)
        return begin(ctx, method, url, headers, body);
    status = end(ctx, answer, ret);
    io_finish(ctx);
    return status;
}

/* ---- natives ---- */

static enum vm_status http_get(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return perform(ctx, "GET", args[0], VM_UNIT, VM_UNIT, ret);
}

static enum vm_status http_post(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return perform(ctx, "POST", args[0], VM_UNIT, args[1], ret);
}

static enum vm_status http_put(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return perform(ctx, "PUT", args[0], VM_UNIT, args[1], ret);
}

static enum vm_status http_patch(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return perform(ctx, "PATCH", args[0], VM_UNIT, args[1], ret);
}

static enum vm_status http_delete(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return perform(ctx, "DELETE", args[0], VM_UNIT, VM_UNIT, ret);
}

static enum vm_status http_head(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return perform(ctx, "HEAD", args[0], VM_UNIT, VM_UNIT, ret);
}

/* NULL when it is none of those known. */
static const char *method_of(vm_value name)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD" };

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (equals(vm_text(name), methods[i]))
            return methods[i];
    return NULL;
}

static enum vm_status raise_unknown_method(struct vm_ctx *ctx, vm_value name)
{
    struct nb_buf text = NB_BUF_INIT;
    enum vm_status status = vm_raise_kind(ctx, "Panic", "Unknown HTTP method: %s", vm_string_cstring(name, &text));

    nb_buf_done(&text);
    return status;
}

static enum vm_status http_request(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SS");
    const char *method;

    if (status != VM_OK)
        return status;
    method = method_of(args[0]);
    if (method == NULL)
        return raise_unknown_method(ctx, args[0]);
    return perform(ctx, method, args[1], args[2], args[3], ret);
}

#define LIB_TABLE "lib/http.def"
#define LIB_REGISTER lib_register_http
#include "lib/table.h"
