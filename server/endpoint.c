/*
 * endpoint.c - one listener in one connection loop: libmicrohttpd's callbacks, time-outs, closing.
 *
 * Everything here runs on the loop's thread, so nothing is locked. What libmicrohttpd 0.9.75 demands, and where it is
 * done:
 *   - work must not start on the handler's first call, or the connection is closed after the answer: headers_complete()
 * only looks, request_complete() starts;
 *   - a blocking pass stalls when exactly 128 sockets are ready: a pass never blocks, it is repeated while the library
 * has something left to do, and what its descriptor still holds is found by the poll before sleeping (loop.c);
 *   - a suspended connection has no time-outs and does not notice that its client left: the deadline is ours, and so is
 * looking after the client (watch.h);
 *   - a daemon with suspended connections must not be stopped: all requests are answered and resumed first;
 *   - of two lengths it believes the first, a length beside a transfer coding it ignores, with an unknown coding it reads
 * on until the client closes: such requests we refuse ourselves. (A first length that is no number it refuses before
 * anybody is asked, and sends the head of that 400 twice; the client sees one answer with a strange text.)
 *   - in answers to a body that is too long while it still comes in, the library closes the socket with data unread,
 * which resets the connection before the client has read the answer: we write that answer ourselves, shut down our
 * direction, and read on for a while.
 */
#include "config.h"

#include "server/loop.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/listener.h"
#include "server/runtime_private.h"
#include "server/watch.h"

enum {
    BODY_RESERVED_BYTES = 65536, /* announced bodies up to this size are allocated at once */
    REFUSED_READ_BYTES =
        16 * 1024 * 1024, /* how much of a refused body is read and thrown away before the socket is closed */
    DRAIN_GRACE_MS = 500, /* while draining: how long a connection may be quiet before it is closed */
    DRAIN_LOOK_MS = 10,   /* and how often to look */
    NS_PER_MS = 1000000,
    NS_PER_S = 1000000000
};

#define RAW_ANSWER(status, text)                                                                                       \
    "HTTP/1.1 " status "\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: " text

static const char raw_400[] = RAW_ANSWER("400 Bad Request", "11\r\n\r\nBad Request");
static const char raw_501[] = RAW_ANSWER("501 Not Implemented", "15\r\n\r\nNot Implemented");
static const char raw_413[] = RAW_ANSWER("413 Content Too Large", "17\r\n\r\nContent Too Large");
static const char raw_408[] = RAW_ANSWER("408 Request Timeout", "15\r\n\r\nRequest Timeout");

/* ---- connections and their time-outs ---- */

static struct srv_connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

/* Put a connection at the end of a list (NULL: of none). */
static void connection_move(struct srv_connection *connection, struct srv_link *list)
{
    srv_link_remove(&connection->link);
    connection->list = list;
    if (list == NULL)
        return;
    connection->since_ns = connection->endpoint->loop->now_ns;
    srv_link_append(list, &connection->link);
}

static void connection_opened(struct srv_endpoint *endpoint, struct MHD_Connection *mhd, void **context)
{
    struct srv_connection *connection = nb_alloc_zero(sizeof *connection);

    *context = connection;
    if (connection == NULL)
        return; /* its requests will be refused */
    connection->endpoint = endpoint;
    connection->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    srv_link_init(&connection->link);
    connection_move(connection, &endpoint->fresh);
}

/* libmicrohttpd tells of each connection that opens or closes. */
static void on_connection(void *closure, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct srv_endpoint *endpoint = closure;
    struct srv_loop_counts *counts = &endpoint->loop->counts;

    endpoint->events++;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        endpoint->connections++;
        srv_count(&counts->connections, 1);
        srv_count(&counts->connections_now, 1);
        connection_opened(endpoint, mhd, context);
        return;
    }
    endpoint->connections--;
    srv_count(&counts->connections_now, -1);
    if (*context != NULL)
        srv_link_remove(&((struct srv_connection *)*context)->link);
    nb_free(*context);
    *context = NULL;
}

/* Make libmicrohttpd see the end of a connection. */
static void connection_cut(struct srv_connection *connection, const char *last_words)
{
    if (last_words != NULL)
        (void)!send(connection->fd, last_words, strlen(last_words), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(connection->fd, SHUT_RDWR);
    connection_move(connection, NULL);
    connection->endpoint->busy = true;
}

/* Cut those whose time in a list is over. Returns when the next one is due. */
static uint64_t cut_late(struct srv_link *list, uint32_t timeout_ms, uint64_t now_ns, bool answer)
{
    while (!srv_link_empty(list)) {
        struct srv_connection *connection = (struct srv_connection *)list->next; /* its link comes first */
        uint64_t due_ns = connection->since_ns + (uint64_t)timeout_ms * NS_PER_MS;

        if (due_ns > now_ns)
            return due_ns;
        connection_cut(connection, answer && connection->talking ? raw_408 : NULL);
    }
    return UINT64_MAX;
}
_Static_assert(offsetof(struct srv_connection, link) == 0, "cut_late() relies on it");

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
    nb_log_info("http.request", "app=%s request=%" PRIu64 " %s status=%u us=%" PRIu64, endpoint->listener->app,
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

/* libmicrohttpd is done with a request, for whatever reason. */
static void on_completed(void *closure, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct srv_endpoint *endpoint = closure;
    struct srv_request *request = *context;
    struct srv_connection *connection = request != NULL ? request->client : connection_of(mhd);

    endpoint->events++;
    *context = NULL;
    if (connection != NULL) {
        connection->talking = false;
        connection_move(connection, &endpoint->idle);
        if (endpoint->state == SRV_ENDPOINT_CLOSED)
            connection_cut(connection, NULL);
        else if (endpoint->state == SRV_ENDPOINT_DRAINING)
            endpoint->quiet_look_ns = 0;
    }
    if (request == NULL)
        return;
    request->connection = NULL;
    request->client = NULL;
    if (request->state == SRV_REQUEST_WAITING) {
        client_gone(endpoint, request);
        return;
    }
    if (request->state == SRV_REQUEST_SENDING)
        endpoint->sending_count--;
    if (request->state == SRV_REQUEST_SENDING && code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        count_answer(endpoint, request);
    else if (request->state == SRV_REQUEST_SENDING || request->state == SRV_REQUEST_ANSWERED)
        srv_count(&endpoint->loop->counts.gone, 1);
    let_go(request);
}

/* ---- answering ---- */

static enum MHD_Result queue_answer(struct srv_endpoint *endpoint, struct srv_request *request)
{
    struct MHD_Response *response = request->response;
    enum MHD_Result queued;

    if (endpoint->state != SRV_ENDPOINT_OPEN && !request->response_shared)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    queued = MHD_queue_response(request->connection, request->status, response);
    if (queued != MHD_YES) { /* a status that HTTP does not allow here */
        request->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        queued = MHD_queue_response(request->connection, request->status, endpoint->answers[SRV_ANSWER_500]);
    }
    if (!request->response_shared)
        MHD_destroy_response(response);
    request->response = NULL;
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
    request->response = endpoint->answers[answer];
    request->response_shared = true;
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
    request->response = endpoint->answers[answer];
    request->response_shared = true;
    request->status = answer_status[answer];
    srv_loop_answered(endpoint->loop, request);
}

/* Answer an open request that the loop itself gives up, unless somebody has answered it just now: that answer is on its
 * way. */
static void give_up(struct srv_endpoint *endpoint, struct srv_request *request, enum srv_answer answer)
{
    if (srv_request_claim(request, request->id))
        answer_ready_made(endpoint, request, answer);
}

/* ---- receiving ---- */

/* The request line is known: the first that we hear of a request. Its result is the context of all later calls. */
static void *on_request_line(void *closure, const char *target, struct MHD_Connection *mhd)
{
    struct srv_endpoint *endpoint = closure;
    struct srv_connection *connection = connection_of(mhd);
    struct srv_request *request;

    endpoint->events++;
    if (connection == NULL)
        return NULL;
    request = srv_request_new(endpoint->loop);
    if (request == NULL)
        return NULL;
    connection->talking = true;
    connection_move(connection, &endpoint->fresh);
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
    bool malformed;          /* a length that is none, or two that differ */
    bool strange_coding;     /* a Transfer-Encoding other than chunked */
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
        connection_move(connection, &endpoint->bodies);
        return refuse(endpoint, request, refusal);
    }
    request->state = SRV_REQUEST_BODY;
    if (!walk.chunked && (walk.content_length == UINT64_MAX || walk.content_length == 0)) {
        connection_move(connection, NULL);
        return MHD_YES;
    }
    connection_move(connection, &endpoint->bodies);
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
        connection_move(request->client, &endpoint->bodies);
    }
    return MHD_YES;
}

/* The request is whole: into the ring with it. */
static enum MHD_Result request_complete(struct srv_endpoint *endpoint, struct srv_request *request)
{
    struct srv_loop *loop = endpoint->loop;
    bool put;

    endpoint->events++;
    connection_move(request->client, NULL);
    srv_count(&loop->counts.requests, 1);
    if (endpoint->state == SRV_ENDPOINT_CLOSED)
        return answer_at_once(endpoint, request, SRV_ANSWER_503_CLOSE);
    if (!srv_listener_has_room(endpoint->listener) || !srv_request_table_add(&loop->runtime->requests, request)) {
        srv_count(&loop->counts.queue_full, 1);
        return answer_at_once(endpoint, request, SRV_ANSWER_503);
    }
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

/* libmicrohttpd's handler: called when headers are complete, for each piece of body, when all is read, and then again
 * and again until an answer is queued or the connection is suspended. */
static enum MHD_Result on_request(void *closure, struct MHD_Connection *mhd, const char *url, const char *method,
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

/* The target is handed on as it came: programs see paths that are not decoded. */
static size_t keep_as_it_is(void *closure, struct MHD_Connection *mhd, char *text)
{
    (void)closure, (void)mhd;
    return strlen(text);
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

static uint64_t answer_late(struct srv_endpoint *endpoint, struct vm_ctx *ctx)
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

/* Whether an answer can still be expected on a connection: a request has begun and its client may send the rest, or has
 * sent something that nobody has read yet, or may just be about to (`quiet_since_ns`: not when it was quiet before).
 * libmicrohttpd does not notice an end that came together with the last data. */
static bool is_worth_waiting_for(const struct srv_connection *connection, uint64_t quiet_since_ns)
{
    char byte;
    ssize_t got = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return got > 0 || (got < 0 && errno == EAGAIN && (connection->talking || connection->since_ns > quiet_since_ns));
}

/* Close the connections of a list that are not. The others are closed when they are answered. True when some are left
 * that may be closed later. */
static bool cut_quiet_list(struct srv_link *list, uint64_t quiet_since_ns)
{
    struct srv_link *link = list->next;
    bool more = false;

    while (link != list) {
        struct srv_connection *connection = (struct srv_connection *)link;

        link = link->next;
        if (!is_worth_waiting_for(connection, quiet_since_ns))
            connection_cut(connection, NULL);
        else
            more |= !connection->talking;
    }
    return more;
}

/* What draining does to connections without a request: a client that has just connected, or just got an answer that did
 * not tell it to close, may send its request any moment, and gets its answer; one that was quiet for a while is hung up
 * on. Once the endpoint is closed, all are. */
static void cut_quiet(struct srv_endpoint *endpoint)
{
    uint64_t now_ns = endpoint->loop->now_ns;
    uint64_t grace_ns = endpoint->state == SRV_ENDPOINT_CLOSED ? 0 : (uint64_t)DRAIN_GRACE_MS * NS_PER_MS;
    uint64_t quiet_since_ns = now_ns > grace_ns ? now_ns - grace_ns : 0;
    bool more = cut_quiet_list(&endpoint->idle, quiet_since_ns);

    more |= cut_quiet_list(&endpoint->fresh, quiet_since_ns);
    cut_quiet_list(&endpoint->bodies, quiet_since_ns);
    endpoint->quiet_look_ns = more ? now_ns + (uint64_t)DRAIN_LOOK_MS * NS_PER_MS : UINT64_MAX;
}

static uint64_t look_at_quiet(struct srv_endpoint *endpoint)
{
    if (endpoint->state == SRV_ENDPOINT_OPEN)
        return UINT64_MAX;
    if (endpoint->loop->now_ns >= endpoint->quiet_look_ns)
        cut_quiet(endpoint);
    return endpoint->quiet_look_ns;
}

uint64_t srv_endpoint_look_at_time(struct srv_endpoint *endpoint, struct vm_ctx *ctx)
{
    const struct srv_limits *limits = &endpoint->limits;
    uint64_t now_ns = endpoint->loop->now_ns;
    uint64_t due[] = {
        cut_late(&endpoint->fresh, limits->header_timeout_ms, now_ns, true),
        cut_late(&endpoint->idle, limits->idle_timeout_ms, now_ns, false),
        cut_late(&endpoint->bodies, limits->body_timeout_ms, now_ns, true),
        answer_late(endpoint, ctx),
        look_at_quiet(endpoint),
        srv_watch_look(endpoint),
    };
    uint64_t next_ns = UINT64_MAX;

    for (unsigned i = 0; i < sizeof due / sizeof *due; i++)
        next_ns = due[i] < next_ns ? due[i] : next_ns;
    return next_ns;
}

/* ---- passes ---- */

/* Whether libmicrohttpd has more to read or write than it says by its descriptor; notes when it wants to be called. */
static bool has_more(struct srv_endpoint *endpoint)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;

    endpoint->due_ns = UINT64_MAX;
    if (MHD_get_timeout(endpoint->daemon, &timeout_ms) != MHD_YES)
        return false;
    endpoint->due_ns = endpoint->loop->now_ns + (uint64_t)timeout_ms * NS_PER_MS;
    return timeout_ms == 0;
}

bool srv_endpoint_pass(struct srv_endpoint *endpoint)
{
    bool did = false, more = true;

    /* While requests wait for their answers another pass would visit them in vain. */
    for (unsigned i = 0; i < SRV_PASSES_MAX && more && (i == 0 || endpoint->waiting_count == 0); i++) {
        endpoint->events = 0;
        MHD_run_wait(endpoint->daemon, 0);
        did |= endpoint->events != 0;
        more = has_more(endpoint);
    }
    endpoint->busy = more && endpoint->waiting_count == 0;
    return did;
}

/* ---- opening and closing ---- */

static struct MHD_Response *ready_made(const char *text, const char *header, const char *value)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

    if (response == NULL || MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain") != MHD_YES ||
        (header != NULL && MHD_add_response_header(response, header, value) != MHD_YES)) {
        if (response != NULL)
            MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

static bool make_answers(struct srv_endpoint *endpoint)
{
    struct MHD_Response **answers = endpoint->answers;
    char seconds[16];

    snprintf(seconds, sizeof seconds, "%u", endpoint->limits.retry_after_seconds);
    answers[SRV_ANSWER_413] = ready_made("Content Too Large", MHD_HTTP_HEADER_CONNECTION, "close");
    answers[SRV_ANSWER_500] = ready_made("Internal Server Error", NULL, NULL);
    answers[SRV_ANSWER_503] = ready_made("Service Unavailable", MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    answers[SRV_ANSWER_503_CLOSE] = ready_made("Service Unavailable", MHD_HTTP_HEADER_CONNECTION, "close");
    answers[SRV_ANSWER_504] = ready_made("Gateway Timeout", NULL, NULL);
    for (unsigned i = 0; i < SRV_ANSWER_COUNT; i++) {
        if (answers[i] == NULL)
            return false;
    }
    return true;
}

static unsigned longest_timeout_s(const struct srv_limits *limits)
{
    uint32_t longest_ms = limits->idle_timeout_ms;

    if (limits->header_timeout_ms > longest_ms)
        longest_ms = limits->header_timeout_ms;
    if (limits->body_timeout_ms > longest_ms)
        longest_ms = limits->body_timeout_ms;
    return longest_ms / 1000 + 2; /* ours come first; this one is for clients that do not read */
}

int srv_endpoint_start(struct srv_endpoint *endpoint)
{
    const struct srv_limits *limits = &endpoint->limits;
    unsigned share = endpoint->loop->runtime->loop_count;
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_LISTEN_SOCKET, endpoint->listen_fd, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits->header_max_bytes, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, (limits->connections_max + share - 1) / share, NULL },
        { MHD_OPTION_PER_IP_CONNECTION_LIMIT, limits->connections_per_ip_max, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, longest_timeout_s(limits), NULL },
        { MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL }, /* a request without Host is refused, as HTTP/1.1 demands */
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, endpoint },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, endpoint },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_request_line, endpoint },
        { MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_as_it_is, NULL },
        { MHD_OPTION_END, 0, NULL },
    };

    srv_link_init(&endpoint->fresh);
    srv_link_init(&endpoint->idle);
    srv_link_init(&endpoint->bodies);
    srv_link_init(&endpoint->open);
    srv_link_init(&endpoint->unwatched);
    if (!make_answers(endpoint))
        return -ENOMEM;
    /* Without MHD_USE_ITC: only the loop's thread resumes, so no descriptor is needed to wake it. */
    endpoint->daemon = MHD_start_daemon(MHD_USE_EPOLL | (MHD_ALLOW_SUSPEND_RESUME & ~(unsigned)MHD_USE_ITC), 0, NULL,
                                        NULL, on_request, endpoint, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (endpoint->daemon == NULL)
        return errno != 0 ? -errno : -ENOMEM;
    endpoint->epoll_fd = MHD_get_daemon_info(endpoint->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return 0;
}

void srv_endpoint_change_limits(struct srv_endpoint *endpoint, const struct srv_limits *limits)
{
    char seconds[16];
    struct MHD_Response *answer;

    endpoint->limits.body_max_bytes = limits->body_max_bytes;
    endpoint->limits.header_timeout_ms = limits->header_timeout_ms;
    endpoint->limits.body_timeout_ms = limits->body_timeout_ms;
    endpoint->limits.request_deadline_ms = limits->request_deadline_ms;
    endpoint->limits.access_log = limits->access_log;
    if (endpoint->limits.retry_after_seconds == limits->retry_after_seconds)
        return;
    snprintf(seconds, sizeof seconds, "%u", limits->retry_after_seconds);
    answer = ready_made("Service Unavailable", MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    if (answer == NULL)
        return;
    MHD_destroy_response(
        endpoint->answers[SRV_ANSWER_503]); /* connections that send it have a reference of their own */
    endpoint->answers[SRV_ANSWER_503] = answer;
    endpoint->limits.retry_after_seconds = limits->retry_after_seconds;
}

void srv_endpoint_drain(struct srv_endpoint *endpoint)
{
    struct srv_listener *listener = endpoint->listener;

    if (endpoint->state != SRV_ENDPOINT_OPEN)
        return;
    srv_listener_leave(listener);
    if (atomic_load(&listener->sockets->closed))
        srv_endpoint_pass(endpoint); /* clients that are connected already would else be reset */
    endpoint->state = SRV_ENDPOINT_DRAINING;
    srv_port_shut(listener->sockets, endpoint->loop->index);
    MHD_quiesce_daemon(endpoint->daemon);
    cut_quiet(endpoint);
    endpoint->busy = true;
}

void srv_endpoint_close(struct srv_endpoint *endpoint, struct vm_ctx *ctx)
{
    struct srv_request *request;

    srv_endpoint_drain(endpoint);
    endpoint->state = SRV_ENDPOINT_CLOSED;
    cut_quiet(endpoint);
    while ((request = srv_ring_take(endpoint->ring)) != NULL) {
        give_up(endpoint, request, SRV_ANSWER_503_CLOSE);
        srv_request_release(ctx, request);
    }
}

void srv_endpoint_fail_all(struct srv_endpoint *endpoint)
{
    while (!srv_link_empty(&endpoint->open)) {
        struct srv_link *link = endpoint->open.next;
        struct srv_request *request = (struct srv_request *)((char *)link - offsetof(struct srv_request, link));

        srv_link_remove(link);
        give_up(endpoint, request, SRV_ANSWER_503_CLOSE);
    }
}

void srv_endpoint_stop(struct srv_endpoint *endpoint)
{
    nb_assert(endpoint->suspended_count == 0);
    if (endpoint->daemon != NULL)
        MHD_stop_daemon(endpoint->daemon);
    endpoint->daemon = NULL;
}

struct srv_endpoint *srv_endpoint_free(struct srv_endpoint *endpoint)
{
    if (endpoint == NULL)
        return NULL;
    nb_assert(endpoint->daemon == NULL);
    for (unsigned i = 0; i < SRV_ANSWER_COUNT; i++) {
        if (endpoint->answers[i] != NULL)
            MHD_destroy_response(endpoint->answers[i]);
    }
    srv_ring_free(endpoint->ring);
    nb_free(endpoint);
    return NULL;
}
