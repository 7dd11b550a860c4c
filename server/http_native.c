/*
 * http_native.c - what programs call.
 *
 * Server.accept parks the way vm/native.h says: it is called again when woken, and finds its place in line in
 * process->operation. One reference on the listener belongs to that place, so that the listener outlives everybody who
 * waits.
 */
#include "config.h"

#include "server/http_native.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "lib/expect.h"
#include "scheduler/sched.h"
#include "server/record.h"
#include "server/runtime_private.h"
#include "server/unsent.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/shared.h"
#include "vm/string.h"

#define LIB_TABLE "server/http.def"
#define LIB_REGISTER srv_http_register_table
void srv_http_register_table(void);
#include "lib/table.h"

enum {
    PORT_MAX = 65535,
    BORROWED_BYTES = 1024, /* longer bodies that are shared objects already are sent from where they are */
    HEADER_BYTES = 512     /* headers up to this size need no allocation of ours */
};

void srv_http_register_natives(void)
{
    srv_record_register();
    srv_http_register_table();
}

/* ---- bind and close ---- */

static enum vm_status raise_bind(struct vm_ctx *ctx, int error)
{
    return vm_raise_kind(ctx, "io_error", "IO error: Failed to bind: %s (os error %d)", strerror(error), error);
}

static enum vm_status server_bind(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct srv_runtime *runtime = srv_runtime_current();
    struct vm_process *process = ctx->process;
    int64_t port, handle;
    int r;

    if (lib_expect(ctx, args, "I") != VM_OK)
        return VM_RAISE;
    port = vm_is_small(args[0]) ? vm_small(args[0]) : -1;
    if (port < 1 || port > PORT_MAX)
        return vm_raise_kind(ctx, "io_error", "IO error: Failed to bind: invalid port %" PRId64, port);
    if (runtime == NULL)
        return raise_bind(ctx, ENOTSUP);
    r = srv_listener_open(runtime, ctx, process->owner, atomic_load(&process->pid), (uint16_t)port, &handle);
    if (r < 0)
        return raise_bind(ctx, -r);
    process->servers_bound = true;
    *ret = vm_from_small(handle);
    return VM_OK;
}

/* The listener of a handle, if it is the caller's own app's; with a reference. */
static struct srv_listener *find_listener(struct vm_ctx *ctx, vm_value handle)
{
    struct srv_runtime *runtime = srv_runtime_current();
    struct srv_listener *listener;

    if (runtime == NULL || !vm_is_small(handle))
        return NULL;
    listener = srv_listener_find(runtime, vm_small(handle));
    if (listener == NULL || listener->group == ctx->process->owner)
        return listener;
    srv_listener_unref(listener);
    return NULL;
}

static enum vm_status server_close(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct srv_listener *listener = find_listener(ctx, args[0]);

    if (listener != NULL) {
        srv_listener_close(listener, ctx);
        srv_listener_unref(listener);
    }
    *ret = VM_UNIT;
    return VM_OK;
}

/* ---- accept ---- */

/* The process does not wait any more: leave the line. */
static void stop_waiting(struct vm_process *process, struct vm_ctx *ctx)
{
    struct srv_waiter *waiter = process->operation;
    struct srv_listener *listener = waiter->owner;

    process->operation = NULL;
    process->operation_cancel = NULL;
    if (srv_waiters_leave(&listener->line, waiter) && srv_listener_waiting(listener) > 0)
        srv_waiters_wake_one(&listener->line, ctx); /* the wake-up was for a request that we do not take */
    srv_listener_unref(listener);
}

static void accept_cancel(struct vm_process *process)
{
    stop_waiting(process, NULL);
}

/* Stand in line, or again after a wake-up for a request that somebody else was faster to take. False without memory. */
static bool wait_in_line(struct vm_ctx *ctx, struct srv_listener *listener)
{
    struct vm_process *process = ctx->process;
    struct srv_waiter *waiter = process->operation;

    if (waiter == NULL) {
        waiter = srv_waiter_get(&listener->runtime->waiters, process);
        if (waiter == NULL)
            return false;
        waiter->owner = listener; /* with the caller's reference */
        process->operation = waiter;
        process->operation_cancel = accept_cancel;
    } else if (atomic_load(&waiter->state) == SRV_WAITER_WAITING) {
        return true;
    }
    srv_waiters_join(&listener->line, waiter);
    return true;
}

/* A process that accepts has finished with the request before: whoever it told of it may answer. */
static void move_on(struct srv_runtime *runtime, struct vm_process *process)
{
    uint64_t before = (uint64_t)(uintptr_t)process->http_requests;

    if (before == 0)
        return;
    process->http_requests = NULL;
    if (srv_request_process(&runtime->requests, before) == atomic_load_explicit(&process->pid, memory_order_relaxed))
        srv_request_set_process(&runtime->requests, before, 0);
}

static enum vm_status hand_out(struct vm_ctx *ctx, struct srv_runtime *runtime, struct srv_request *request,
                               vm_value *ret)
{
    struct vm_process *process = ctx->process;
    uint64_t id = request->id;
    enum vm_status status;

    process->http_requests = (void *)(uintptr_t)id;
    process->published = false;
    srv_request_set_process(&runtime->requests, id, atomic_load_explicit(&process->pid, memory_order_relaxed));
    status = srv_record_make(ctx, request, ret);
    srv_request_release(ctx, request);
    return status;
}

static enum vm_status server_accept(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct vm_process *process = ctx->process;
    struct srv_waiter *waiter = process->operation;
    struct srv_listener *listener = waiter != NULL ? waiter->owner : find_listener(ctx, args[0]);
    struct srv_runtime *runtime = srv_runtime_current();
    struct srv_request *request;
    bool open;

    if (listener == NULL)
        return vm_raise_kind(ctx, "io_error", "Invalid handle");
    move_on(runtime, process);
    request = srv_listener_take(listener, ctx);
    open = srv_listener_is_open(listener);
    if (request == NULL && open) {
        if (!wait_in_line(ctx, listener)) {
            srv_listener_unref(listener);
            return VM_NOMEM;
        }
        request = srv_listener_take(listener, ctx); /* one that came before we stood in line woke nobody */
        open = srv_listener_is_open(listener);
        if (request == NULL && open) {
            vm_process_wait_for(process, VM_WAIT_ACCEPT);
            return VM_PARK;
        }
    }
    if (request != NULL && srv_listener_waiting(listener) > 0)
        srv_waiters_wake_one(&listener->line, ctx);
    if (process->operation != NULL)
        stop_waiting(process, ctx);
    else
        srv_listener_unref(listener);
    if (request == NULL)
        return vm_raise_kind(ctx, "io_error", waiter != NULL ? "Server closed" : "Invalid handle");
    return hand_out(ctx, runtime, request, ret);
}

/* ---- respond ---- */

static void unref_string(void *closure)
{
    vm_shared_unref((vm_value)(uintptr_t)closure);
}

/* The shared object in which a string's bytes lie; VM_NONE when they lie in the heap or belong to a program. */
static vm_value shared_bytes_of(vm_value string)
{
    vm_value whole = vm_kind(string) == VM_KIND_BYTES_SLICE ? vm_field(string, 1) : string;

    return vm_is_shared(whole) ? whole : VM_NONE;
}

/* Note what a large answer keeps in memory; nothing for others. False without memory. */
static bool note_large(vm_value body, struct MHD_Response *response, struct srv_unsent **ret_unsent)
{
    size_t bytes = vm_is_list(body) ? vm_list_length(body) : vm_is_string(body) ? vm_text(body).length : 0;
    vm_value shared = bytes >= SRV_UNSENT_LEAST && vm_is_string(body) ? shared_bytes_of(body) : VM_NONE;

    if (bytes < SRV_UNSENT_LEAST)
        return true;
    *ret_unsent = shared != VM_NONE ? srv_unsent_new((uintptr_t)shared, vm_shared_bytes(shared))
                                    : srv_unsent_new((uintptr_t)response, bytes);
    return *ret_unsent != NULL;
}

static struct MHD_Response *response_of_string(struct vm_ctx *ctx, vm_value body)
{
    struct vm_text text = vm_text(body);
    vm_value shared = text.length >= BORROWED_BYTES ? shared_bytes_of(body) : VM_NONE;
    struct MHD_Response *response;

    if (shared == VM_NONE) {
        lib_worked(ctx, text.length);
        return MHD_create_response_from_buffer(text.length, (void *)(uintptr_t)text.bytes, MHD_RESPMEM_MUST_COPY);
    }
    vm_shared_ref(shared);
    response = MHD_create_response_from_buffer_with_free_callback_cls(text.length, (void *)(uintptr_t)text.bytes,
                                                                      unref_string, (void *)(uintptr_t)shared);
    if (response == NULL)
        vm_shared_unref(shared);
    return response;
}

/* A list of numbers, each sent as the byte of its low eight bits. */
static enum vm_status response_of_list(struct vm_ctx *ctx, vm_value body, struct MHD_Response **ret_response)
{
    uint32_t length = vm_list_length(body), i = 0;
    char *bytes = nb_alloc(length > 0 ? length : 1);
    struct vm_list_walk walk;
    vm_value item;

    if (bytes == NULL)
        return VM_NOMEM;
    lib_worked(ctx, length);
    for (vm_list_walk(&walk, body); vm_list_next(&walk, &item); i++) {
        if (!vm_is_small(item)) {
            nb_free(bytes);
            return vm_raise_type(ctx, "Int", item);
        }
        bytes[i] = (char)(vm_small(item) & 0xff);
    }
    *ret_response = MHD_create_response_from_buffer_with_free_callback(length, bytes, nb_free);
    if (*ret_response != NULL)
        return VM_OK;
    nb_free(bytes);
    return VM_NOMEM;
}

static enum vm_status make_response(struct vm_ctx *ctx, vm_value body, struct MHD_Response **ret_response)
{
    if (vm_is_list(body))
        return response_of_list(ctx, body, ret_response);
    if (vm_is_string(body))
        *ret_response = response_of_string(ctx, body);
    else if (body == VM_UNIT)
        *ret_response = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    else
        return vm_raise_type(ctx, "String", body);
    return *ret_response != NULL ? VM_OK : VM_NOMEM;
}

/* Copy a text to where it ends with a NUL. False when it does not fit or has a NUL inside. */
static bool copy_text(struct vm_text text, char *to, size_t size)
{
    if (text.length >= size || memchr(text.bytes, '\0', text.length) != NULL)
        return false;
    memcpy(to, text.bytes, text.length);
    to[text.length] = '\0';
    return true;
}

/* The body's length and how it is sent are not the program's to say. An empty value is left out. */
static bool is_ours_to_say(const char *name, const char *value)
{
    return value[0] == '\0' || strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
           strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
}

static bool add_header_in(struct MHD_Response *response, struct vm_text name, struct vm_text value, char *memory,
                          size_t size)
{
    char *value_copy = memory + name.length + 1;

    if (!copy_text(name, memory, size) || !copy_text(value, value_copy, size - name.length - 1))
        return false;
    return is_ours_to_say(memory, value_copy) || MHD_add_response_header(response, memory, value_copy) == MHD_YES;
}

static bool add_header(struct MHD_Response *response, struct vm_text name, struct vm_text value)
{
    size_t size = (size_t)name.length + value.length + 2;
    char small[HEADER_BYTES];
    char *large;
    bool ok;

    if (size <= sizeof small)
        return add_header_in(response, name, value, small, size);
    large = nb_alloc(size);
    ok = large != NULL && add_header_in(response, name, value, large, size);
    nb_free(large);
    return ok;
}

static enum vm_status add_headers(struct vm_ctx *ctx, struct MHD_Response *response, vm_value headers)
{
    struct vm_list_walk walk;
    vm_value pair;

    if (headers == VM_UNIT)
        return VM_OK;
    if (!vm_is_list(headers))
        return vm_raise_type(ctx, "List", headers);
    for (vm_list_walk(&walk, headers); vm_list_next(&walk, &pair);) {
        if (!vm_is_kind(pair, VM_KIND_TUPLE) || vm_size(pair) != 2)
            return vm_raise_type(ctx, "Tuple", pair);
        for (unsigned i = 0; i < 2; i++) {
            if (!vm_is_string(vm_field(pair, i)))
                return vm_raise_type(ctx, "String", vm_field(pair, i));
        }
        if (!add_header(response, vm_text(vm_field(pair, 0)), vm_text(vm_field(pair, 1))))
            return vm_raise_kind(ctx, "io_error", "Invalid header: %.*s", (int)vm_text(vm_field(pair, 0)).length,
                                 vm_text(vm_field(pair, 0)).bytes);
    }
    return VM_OK;
}

static enum vm_status raise_not_open(struct vm_ctx *ctx)
{
    return vm_raise_kind(ctx, "io_error", "Request not found or already responded");
}

/* The request with that id that waits for an answer and belongs to the caller's app. */
static struct srv_request *find_request(struct vm_ctx *ctx, vm_value id)
{
    struct srv_runtime *runtime = srv_runtime_current();
    struct srv_request *request;

    if (runtime == NULL || !vm_is_small(id) || vm_small(id) < 1)
        return NULL;
    request = srv_request_find(&runtime->requests, (uint64_t)vm_small(id));
    return request != NULL && request->group == ctx->process->owner ? request : NULL;
}

static enum vm_status server_respond(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct vm_process *process = ctx->process;
    struct MHD_Response *response = NULL;
    struct srv_unsent *unsent = NULL;
    struct srv_request *request;
    enum vm_status status;
    int64_t code;
    uint64_t id;

    if (lib_expect(ctx, args, "II**") != VM_OK)
        return VM_RAISE;
    code = vm_is_small(args[1]) ? vm_small(args[1]) : 0;
    if (code < 100 || code > 999)
        return vm_raise_kind(ctx, "io_error", "Invalid status code: %" PRId64, code);
    request = find_request(ctx, args[0]);
    if (request == NULL)
        return raise_not_open(ctx);
    status = make_response(ctx, args[3], &response);
    if (status == VM_OK)
        status = add_headers(ctx, response, args[2]);
    if (status == VM_OK && !note_large(args[3], response, &unsent))
        status = VM_NOMEM;
    id = (uint64_t)vm_small(args[0]);
    if (status == VM_OK && !srv_request_claim(request, id))
        status = raise_not_open(ctx);
    if (status != VM_OK) {
        if (response != NULL)
            MHD_destroy_response(response);
        nb_free(unsent);
        return status;
    }
    request->unsent = unsent;
    if (process->http_requests == (void *)(uintptr_t)id)
        process->http_requests = NULL;
    srv_request_answer(ctx, request, (unsigned)code, response, false);
    *ret = VM_UNIT;
    return VM_OK;
}

/* ---- matchPath ---- */

/* The next segment that is not empty; false at the end. */
static bool next_segment(struct vm_text *rest, struct vm_text *ret_segment)
{
    const char *slash;

    while (rest->length > 0 && rest->bytes[0] == '/') {
        rest->bytes++;
        rest->length--;
    }
    if (rest->length == 0)
        return false;
    slash = memchr(rest->bytes, '/', rest->length);
    *ret_segment = *rest;
    if (slash != NULL)
        ret_segment->length = (uint32_t)(slash - rest->bytes);
    rest->bytes += ret_segment->length;
    rest->length -= ret_segment->length;
    return true;
}

/* How many names the pattern has, or -1 when the path does not match. */
static int count_names(struct vm_text path, struct vm_text pattern)
{
    struct vm_text segment, wanted;
    int names = 0;

    for (;;) {
        bool more = next_segment(&path, &segment);

        if (next_segment(&pattern, &wanted) != more)
            return -1;
        if (!more)
            return names;
        if (wanted.bytes[0] == ':')
            names++;
        else if (wanted.length != segment.length || memcmp(wanted.bytes, segment.bytes, wanted.length) != 0)
            return -1;
    }
}

/* The n-th named segment as a pair in args[3], args[4]. The texts lie in the heap: positions are kept, not addresses.
 */
static bool make_named(struct vm_ctx *ctx, int number)
{
    struct vm_text path = vm_text(ctx->args[0]), pattern = vm_text(ctx->args[1]), segment, wanted;
    const char *path_start = path.bytes, *pattern_start = pattern.bytes;

    do {
        next_segment(&path, &segment);
        next_segment(&pattern, &wanted);
    } while (wanted.bytes[0] != ':' || number-- > 0);
    uint32_t segment_at = (uint32_t)(segment.bytes - path_start), wanted_at = (uint32_t)(wanted.bytes - pattern_start);

    ctx->args[3] = vm_string_part(ctx, ctx->args[1], wanted_at + 1, wanted.length - 1);
    if (ctx->args[3] == VM_NONE)
        return false;
    ctx->args[4] = vm_string_part(ctx, ctx->args[0], segment_at, segment.length);
    return ctx->args[4] != VM_NONE;
}

static enum vm_status server_match_path(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    int names;

    if (lib_expect(ctx, args, "SS") != VM_OK)
        return VM_RAISE;
    names = count_names(vm_text(args[0]), vm_text(args[1]));
    *ret = VM_NIL;
    if (names <= 0)
        return VM_OK;
    ctx->args[2] = ctx->args[3] = ctx->args[4] = VM_UNIT;
    ctx->arg_count = 5;
    ctx->args[2] = vm_list_make(ctx, (uint32_t)names);
    if (ctx->args[2] == VM_NONE)
        return VM_NOMEM;
    for (int i = 0; i < names; i++) {
        vm_value pair;

        if (!make_named(ctx, i))
            return VM_NOMEM;
        pair = lib_pair(ctx, ctx->args[3], ctx->args[4]);
        if (pair == VM_NONE)
            return VM_NOMEM;
        vm_list_init_at(ctx->args[2], (uint32_t)i, pair);
    }
    *ret = ctx->args[2];
    return VM_OK;
}
