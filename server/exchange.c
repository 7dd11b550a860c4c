/*
 * exchange.c - see exchange.h. What libmicrohttpd 0.9.75 demands, and is done here:
 *   - work must not start on the handler's first call, or the connection is closed after the answer: headers_complete()
 * only looks, request_complete() starts;
 *   - a suspended connection has no time-outs and does not notice that its client left: the deadline is ours, and so is
 * looking after the client (watch.h);
 *   - of two lengths it believes the first, a length beside a transfer coding it ignores, with an unknown coding it
 * reads on until the client closes: such requests we refuse ourselves. (A first length that is no number it refuses
 * before anybody is asked, and sends the head of that 400 twice; the client sees one answer with a strange text.)
 *   - of some requests that it refuses itself it does not say that it is done with them: we remember which request a
 * connection is at (srv_exchange_forget);
 *   - in answers to a body that is too long while it still comes in, the library closes the socket with data unread,
 * which resets the connection before the client has read the answer: we write that answer ourselves, shut down our
 * direction, and read on for a while.
 */
#include "config.h"

#include "server/exchange.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/connection.h"
#include "server/headers.h"
#include "server/listener.h"
#include "server/runtime_private.h"
#include "server/watch.h"

enum {
    BODY_RESERVED_BYTES = 65536, /* announced bodies up to this size are allocated at once */
    REFUSED_READ_BYTES =
        16 * 1024 * 1024, /* how much of a refused body is read and thrown away before the socket is closed */
    NS_PER_MS = 1000000
};

static const char raw_400[] = SRV_RAW_ANSWER("400 Bad Request", "11\r\n\r\nBad Request");
static const char raw_501[] = SRV_RAW_ANSWER("501 Not Implemented", "15\r\n\r\nNot Implemented");
static const char raw_413[] = SRV_RAW_ANSWER("413 Content Too Large", "17\r\n\r\nContent Too Large");

/* ---- the end of a request, as the loop sees it ---- */

static void let_go(struct srv_request *request)
{
    if (atomic_fetch_sub_explicit(&request->holds, 1, memory_order_acq_rel) == 1)
        srv_request_recycle(request);
}

static void count_answer(struct srv_endpoint *endpoint, struct srv_request *request)
{
    unsigned class = request->status / 100;
    struct nb_buf what = NB_BUF_INIT;

    srv_count(&endpoint->loop->counts.answers[class >= 1 && class <= 5 ? class : 0], 1);
    if (!endpoint->limits.access_log)
        return;
    srv_request_describe(request, &what);
    nb_log_soon(NB_LOG_INFO, "http.request", "app=%s request=%" PRIu64 " %s status=%u us=%" PRIu64, endpoint->listener->app,
                request->id, nb_buf_cstr(&what), request->status, (nb_clock_ns() - request->started_ns) / 1000);
    nb_buf_done(&what);
}

/* A client left while its request waits: it stays open, for whoever answers it, without a connection. */
static void client_gone(struct srv_endpoint *endpoint, struct srv_request *request)
{
    srv_count(&endpoint->loop->counts.gone, 1);
    srv_watch_end(request);
    if (request->suspended)
        endpoint->suspended_count--;
    else
        endpoint->waiting_count--;
    request->suspended = false;
}

/* libmicrohttpd is done with a request; `sent`: its answer is. */
static void completed(struct srv_endpoint *endpoint, struct srv_request *request, bool sent)
{
    if (request->unsent != NULL)
        srv_unsent_end(endpoint, request);
    srv_headers_remember(request->client, request);
    request->client->request = NULL;
    request->connection = NULL;
    request->client = NULL;
    if (request->state == SRV_REQUEST_WAITING) {
        client_gone(endpoint, request);
        return;
    }
    if (request->state == SRV_REQUEST_SENDING)
        endpoint->sending_count--;
    if (request->state == SRV_REQUEST_SENDING && sent)
        count_answer(endpoint, request);
    else if (request->state == SRV_REQUEST_SENDING || request->state == SRV_REQUEST_ANSWERED)
        srv_count(&endpoint->loop->counts.gone, 1);
    let_go(request);
}

void srv_exchange_on_completed(void *closure, struct MHD_Connection *mhd, void **context,
                               enum MHD_RequestTerminationCode code)
{
    struct srv_endpoint *endpoint = closure;
    struct srv_request *request = *context;
    struct srv_connection *connection = request != NULL ? request->client : srv_connection_of(mhd);

    endpoint->events++;
    *context = NULL;
    if (connection != NULL) {
        connection->talking = false;
        srv_connection_move(connection, &endpoint->idle);
        if (endpoint->state == SRV_ENDPOINT_CLOSED)
            srv_connection_cut(connection, NULL);
        else if (endpoint->state == SRV_ENDPOINT_DRAINING)
            endpoint->quiet_look_ns = 0;
    }
    if (request != NULL)
        completed(endpoint, request, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
}

void srv_exchange_forget(struct srv_connection *connection)
{
    if (connection->request != NULL)
        completed(connection->endpoint, connection->request, false);
}

/* ---- answering ---- */

/* There is no room for so large an answer. */
static void replace_by_503(struct srv_endpoint *endpoint, struct srv_request *request)
{
    srv_reply_drop(&request->reply);
    request->reply.ready_made = endpoint->answers[SRV_ANSWER_503];
    request->status = MHD_HTTP_SERVICE_UNAVAILABLE;
}

static enum MHD_Result queue_answer(struct srv_endpoint *endpoint, struct srv_request *request)
{
    bool closing = endpoint->state != SRV_ENDPOINT_OPEN;
    enum MHD_Result queued;

    if (request->unsent != NULL && !srv_unsent_begin(endpoint, request))
        replace_by_503(endpoint, request);
    queued = MHD_queue_response(request->connection, request->status, srv_reply_response(&request->reply, closing));
    if (queued != MHD_YES) { /* a status that HTTP does not allow here */
        request->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        queued = MHD_queue_response(request->connection, request->status, endpoint->answers[SRV_ANSWER_500]);
    }
    srv_reply_drop(&request->reply);
    request->state = SRV_REQUEST_SENDING;
    endpoint->sending_count++;
    endpoint->events++;
    return queued;
}

static const unsigned answer_status[SRV_ANSWER_COUNT] = {
    [SRV_ANSWER_413] = 413,       [SRV_ANSWER_500] = 500, [SRV_ANSWER_503] = 503,
    [SRV_ANSWER_503_CLOSE] = 503, [SRV_ANSWER_504] = 504,
};

/* Answer from within the handler, a request that nobody else knows. */
static enum MHD_Result answer_at_once(struct srv_endpoint *endpoint, struct srv_request *request,
                                      enum srv_answer answer)
{
    request->reply.ready_made = endpoint->answers[answer];
    request->status = answer_status[answer];
    return queue_answer(endpoint, request);
}

void srv_loop_answered(struct srv_loop *loop, struct srv_request *request)
{
    struct srv_endpoint *endpoint = request->endpoint;

    nb_assert(request->state == SRV_REQUEST_WAITING && request->loop == loop);
    srv_link_remove(&request->link);
    endpoint->open_count--;
    srv_count(&loop->counts.requests_now, -1);
    endpoint->busy = true;
    if (request->connection == NULL) {
        let_go(request);
        return;
    }
    request->state = SRV_REQUEST_ANSWERED;
    if (!request->suspended) {
        endpoint->waiting_count--;
        return;
    }
    srv_watch_end(request);
    request->suspended = false;
    endpoint->suspended_count--;
    MHD_resume_connection(request->connection);
}

static void answer_ready_made(struct srv_endpoint *endpoint, struct srv_request *request, enum srv_answer answer)
{
    request->reply.ready_made = endpoint->answers[answer];
    request->status = answer_status[answer];
    srv_loop_answered(endpoint->loop, request);
}

void srv_exchange_give_up(struct srv_endpoint *endpoint, struct srv_request *request, enum srv_answer answer)
{
    if (srv_request_claim(request, request->id))
        answer_ready_made(endpoint, request, answer);
}

/* ---- receiving ---- */

void *srv_exchange_on_request_line(void *closure, const char *target, struct MHD_Connection *mhd)
{
    struct srv_endpoint *endpoint = closure;
    struct srv_connection *connection = srv_connection_of(mhd);
    struct srv_request *request;

    endpoint->events++;
    if (connection == NULL)
        return NULL;
    srv_exchange_forget(connection);
    request = srv_request_new(endpoint->loop);
    if (request == NULL)
        return NULL;
    connection->request = request;
    connection->talking = true;
    srv_connection_move(connection, &endpoint->fresh);
    request->endpoint = endpoint;
    request->group = endpoint->listener->group;
    request->connection = mhd;
    request->client = connection;
    request->started_ns = endpoint->loop->now_ns;
    srv_request_set_target(request, target); /* without memory: text.failed, seen below */
    return request;
}

/* What the headers say of the request as a whole. */
struct header_walk {
    struct srv_request *request;
    bool ok, chunked, expects;
    bool malformed;      /* a length that is none, or two that differ */
    bool strange_coding; /* a Transfer-Encoding other than chunked */
    unsigned hosts;
    uint64_t content_length; /* UINT64_MAX: none */
};

/* Digits only. Too large a number is the largest that is not "none". */
static void note_content_length(struct header_walk *walk, const char *value, size_t length)
{
    uint64_t number = 0;

    walk->malformed |= length == 0;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(value[i] - '0');

        walk->malformed |= digit > 9;
        number = number > (UINT64_MAX - 10) / 10 ? UINT64_MAX - 1 : number * 10 + digit;
    }
    walk->malformed |= walk->content_length != UINT64_MAX && walk->content_length != number;
    walk->content_length = number;
}

static bool name_is(const char *name, size_t length, const char *known)
{
    return length == strlen(known) && strncasecmp(name, known, length) == 0;
}

static enum MHD_Result on_header(void *closure, enum MHD_ValueKind kind, const char *name, size_t name_length,
                                 const char *value, size_t value_length)
{
    struct header_walk *walk = closure;

    (void)kind;
    if (value == NULL)
        value = "";
    if (name_is(name, name_length, MHD_HTTP_HEADER_CONTENT_LENGTH))
        note_content_length(walk, value, value_length);
    else if (name_is(name, name_length, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
        walk->strange_coding |= walk->chunked || !name_is(value, value_length, "chunked");
        walk->chunked = true;
    } else if (name_is(name, name_length, MHD_HTTP_HEADER_HOST))
        walk->hosts++;
    else if (name_is(name, name_length, MHD_HTTP_HEADER_EXPECT))
        walk->expects = true;
    walk->ok = srv_request_add_header(walk->request, name, name_length, value, value_length);
    return walk->ok ? MHD_YES : MHD_NO;
}

/* Answer ourselves and read on for a while, so that the client gets to see it. */
static enum MHD_Result refuse(struct srv_endpoint *endpoint, struct srv_request *request, const char *answer)
{
    struct srv_connection *connection = request->client;

    srv_count(&endpoint->loop->counts.answers[answer == raw_501 ? 5 : 4], 1);
    (void)!send(connection->fd, answer, strlen(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(connection->fd, SHUT_WR);
    nb_buf_done(&request->body);
    request->body = NB_BUF_INIT;
    request->piece_bytes = 0;
    request->state = SRV_REQUEST_REFUSED;
    return MHD_YES;
}

static enum MHD_Result refuse_body(struct srv_endpoint *endpoint, struct srv_request *request)
{
    srv_count(&endpoint->loop->counts.too_large, 1);
    return refuse(endpoint, request, raw_413);
}

/* What must not be answered as if it were a request: where it ends is open to doubt, and what follows on the connection
 * might be taken for another one. NULL when all is well. */
static const char *reason_to_refuse(const struct header_walk *walk)
{
    if (walk->malformed || walk->hosts > 1 || (walk->chunked && walk->content_length != UINT64_MAX))
        return raw_400;
    return walk->strange_coding ? raw_501 : NULL;
}

/* First call of the handler: look, and decide whether the body may come. */
static enum MHD_Result headers_complete(struct srv_endpoint *endpoint, struct srv_request *request, const char *method)
{
    struct srv_connection *connection = request->client;
    struct header_walk walk = { .request = request, .ok = true, .content_length = UINT64_MAX };
    const char *refusal;

    endpoint->events++;
    if (!srv_request_set_method(request, method))
        return MHD_NO;
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, on_header, &walk);
    if (!walk.ok)
        return MHD_NO;
    refusal = reason_to_refuse(&walk);
    if (refusal != NULL) {
        srv_connection_move(connection, &endpoint->bodies);
        return refuse(endpoint, request, refusal);
    }
    request->state = SRV_REQUEST_BODY;
    if (!walk.chunked && (walk.content_length == UINT64_MAX || walk.content_length == 0)) {
        srv_connection_move(connection, NULL);
        return MHD_YES;
    }
    srv_connection_move(connection, &endpoint->bodies);
    if (walk.chunked || walk.content_length <= endpoint->limits.body_max_bytes) {
        if (!walk.chunked && walk.content_length <= BODY_RESERVED_BYTES)
            nb_buf_reserve(&request->body, walk.content_length);
        return MHD_YES;
    }
    if (!walk.expects)
        return refuse_body(endpoint, request);
    srv_count(&endpoint->loop->counts.too_large, 1); /* the client waits before it sends: a plain answer does */
    return answer_at_once(endpoint, request, SRV_ANSWER_413);
}

static enum MHD_Result body_piece(struct srv_endpoint *endpoint, struct srv_request *request, const char *bytes,
                                  size_t *length)
{
    size_t count = *length;

    endpoint->events++;
    *length = 0;
    request->piece_bytes += count;
    if (request->state == SRV_REQUEST_REFUSED)
        return request->piece_bytes <= REFUSED_READ_BYTES ? MHD_YES : MHD_NO;
    if (request->body.length + count > endpoint->limits.body_max_bytes)
        return refuse_body(endpoint, request);
    nb_buf_append(&request->body, bytes, count);
    if (request->body.failed)
        return MHD_NO;
    if (request->piece_bytes >= SRV_BODY_PIECE) {
        request->piece_bytes = 0;
        srv_connection_move(request->client, &endpoint->bodies);
    }
    return MHD_YES;
}

/* The request is whole: into the ring with it. */
static enum MHD_Result request_complete(struct srv_endpoint *endpoint, struct srv_request *request)
{
    struct srv_loop *loop = endpoint->loop;
    bool put;

    endpoint->events++;
    srv_connection_move(request->client, NULL);
    srv_count(&loop->counts.requests, 1);
    if (endpoint->state == SRV_ENDPOINT_CLOSED)
        return answer_at_once(endpoint, request, SRV_ANSWER_503_CLOSE);
    if (!srv_listener_has_room(endpoint->listener) || !srv_request_table_add(&loop->runtime->requests, request)) {
        srv_count(&loop->counts.queue_full, 1);
        return answer_at_once(endpoint, request, SRV_ANSWER_503);
    }
    srv_headers_recall(request->client, request);
    request->state = SRV_REQUEST_WAITING;
    request->whole_ns = loop->now_ns;
    request->last_turn = loop->turn;
    atomic_store_explicit(&request->holds, 2, memory_order_relaxed);
    srv_link_append(&endpoint->open, &request->link);
    endpoint->open_count++;
    endpoint->waiting_count++;
    srv_count(&loop->counts.requests_now, 1);
    put = srv_ring_put(endpoint->ring, request);
    nb_assert(put); /* there was room, and we alone put */
    srv_waiters_wake_one(&endpoint->listener->line, loop->context);
    return MHD_YES;
}

/* Nobody has answered yet. Most answers come within a few turns; after those the connection is set aside. */
static enum MHD_Result still_waiting(struct srv_endpoint *endpoint, struct srv_request *request)
{
    if (request->client_gone)
        return MHD_NO;
    if (request->last_turn == endpoint->loop->turn)
        return MHD_YES;
    request->last_turn = endpoint->loop->turn;
    if (++request->turns < SRV_LAZY_TURNS)
        return MHD_YES;
    MHD_suspend_connection(request->connection);
    request->suspended = true;
    endpoint->waiting_count--;
    endpoint->suspended_count++;
    srv_watch_begin(request);
    srv_count(&endpoint->loop->counts.suspended, 1);
    return MHD_YES;
}

enum MHD_Result srv_exchange_on_request(void *closure, struct MHD_Connection *mhd, const char *url, const char *method,
                                        const char *version, const char *upload, size_t *upload_length, void **context)
{
    struct srv_endpoint *endpoint = closure;
    struct srv_request *request = *context;

    (void)mhd, (void)url, (void)version;
    if (request == NULL || request->text.failed)
        return MHD_NO;
    switch (request->state) {
    case SRV_REQUEST_HEADERS:
        return headers_complete(endpoint, request, method);
    case SRV_REQUEST_BODY:
        if (*upload_length > 0)
            return body_piece(endpoint, request, upload, upload_length);
        return request_complete(endpoint, request);
    case SRV_REQUEST_REFUSED:
        return *upload_length > 0 ? body_piece(endpoint, request, upload, upload_length) : MHD_NO;
    case SRV_REQUEST_WAITING:
        return still_waiting(endpoint, request);
    case SRV_REQUEST_ANSWERED:
        return queue_answer(endpoint, request);
    case SRV_REQUEST_SENDING:
        return MHD_YES;
    }
    nb_unreachable();
}

/* ---- deadlines ---- */

static void deadline_passed(struct srv_endpoint *endpoint, struct srv_request *request, struct vm_ctx *ctx)
{
    struct srv_runtime *runtime = endpoint->loop->runtime;
    uint64_t pid = srv_request_process(&runtime->requests, request->id);
    uint64_t id = request->id;
    struct nb_buf what = NB_BUF_INIT;

    if (!srv_request_claim(request, id))
        return;
    srv_request_describe(request, &what);
    nb_log_warn("http.deadline", "app=%s request=%" PRIu64 " %s after_ms=%u killed_process=%" PRIu64,
                endpoint->listener->app, id, nb_buf_cstr(&what), endpoint->limits.request_deadline_ms, pid);
    nb_buf_done(&what);
    answer_ready_made(endpoint, request, SRV_ANSWER_504);
    srv_count(&endpoint->loop->counts.deadlines, 1);
    if (pid != 0)
        sched_kill(ctx, runtime->sched, pid);
}

uint64_t srv_exchange_answer_late(struct srv_endpoint *endpoint, struct vm_ctx *ctx)
{
    uint64_t allowed_ns = (uint64_t)endpoint->limits.request_deadline_ms * NS_PER_MS;

    while (allowed_ns != 0 && !srv_link_empty(&endpoint->open)) {
        struct srv_link *link = endpoint->open.next;
        struct srv_request *request = (struct srv_request *)((char *)link - offsetof(struct srv_request, link));

        if (request->whole_ns + allowed_ns > endpoint->loop->now_ns)
            return request->whole_ns + allowed_ns;
        srv_link_remove(link); /* also when it is being answered by somebody else: that answer will come */
        deadline_passed(endpoint, request, ctx);
    }
    return UINT64_MAX;
}

void srv_exchange_fail_all(struct srv_endpoint *endpoint)
{
    while (!srv_link_empty(&endpoint->open)) {
        struct srv_link *link = endpoint->open.next;
        struct srv_request *request = (struct srv_request *)((char *)link - offsetof(struct srv_request, link));

        srv_link_remove(link);
        srv_exchange_give_up(endpoint, request, SRV_ANSWER_503_CLOSE);
    }
}
