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

#include "base/buf.h"
#include "base/log.h"
#include "lib/expect.h"
#include "scheduler/sched.h"
#include "server/record.h"
#include "server/runtime_private.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/string.h"

#define LIB_TABLE "server/http.def"
#define LIB_REGISTER srv_http_register_table
void srv_http_register_table(void);
#include "lib/table.h"

enum { PORT_MAX = 65535 };

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

/* There is no memory to tell a program of a request: its client may try again, and the next one may be smaller. */
static void turn_away(struct vm_ctx *ctx, struct srv_request *request, uint64_t id)
{
    struct nb_buf what = NB_BUF_INIT;

    ctx->process->http_requests = NULL;
    if (!srv_request_claim(request, id))
        return;
    srv_request_describe(request, &what);
    nb_log_soon(NB_LOG_WARN, "http.no_memory", "app=%s request=%" PRIu64 " %s body_bytes=%zu",
                request->endpoint->listener->app, id, nb_buf_cstr(&what), request->body.length);
    nb_buf_done(&what);
    srv_request_answer(ctx, request, MHD_HTTP_SERVICE_UNAVAILABLE,
                       (struct srv_reply){ .ready_made = request->endpoint->answers[SRV_ANSWER_503_CLOSE] });
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
    if (status == VM_NOMEM)
        turn_away(ctx, request, id);
    srv_request_release(ctx, request);
    return status == VM_NOMEM ? VM_YIELD : status; /* the next one, when others have had their turn */
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
    struct srv_request *request;
    struct srv_reply reply;
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
    status = srv_reply_make(ctx, request->loop->index, args[2], args[3], &reply);
    if (status != VM_OK)
        return status;
    id = (uint64_t)vm_small(args[0]);
    if (!srv_request_claim(request, id)) {
        srv_reply_drop(&reply);
        return raise_not_open(ctx);
    }
    if (process->http_requests == (void *)(uintptr_t)id)
        process->http_requests = NULL;
    srv_request_answer(ctx, request, (unsigned)code, reply);
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
