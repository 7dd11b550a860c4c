/*
 * http_client.c - libcurl's multi handle on the reactor's loop.
 *
 * libcurl says which sockets it waits for (watch_socket) and until when (set_timer); the loop tells it what happened.
 * The client is made with the first request and lives until the reactor stops. Everything here but the beginning and
 * the end of io_http_begin() runs on the loop's thread.
 */
#include "config.h"

#include "io/http_client.h"

#include <stddef.h>

#include "base/alloc.h"
#include "io/http_transfer.h"
#include "io/loop.h"

enum { IDLE_CONNECTIONS_MAX = 256 };

#define CONTAINER(type, member, pointer) ((type *)((char *)(pointer)-offsetof(type, member)))

struct client {
    struct io_closable closable; /* the timer's data */
    uv_loop_t *loop;
    uv_timer_t timer;
    CURLM *multi;
    struct io_transfer *transfers;
    struct watch *watches;
};

/* A socket that libcurl wants to hear of. */
struct watch {
    struct io_closable closable; /* the poll's data */
    uv_poll_t poll;
    curl_socket_t socket;
    struct client *client;
    struct watch *next, **link;
};

/* The reactor's, while it runs; its thread's only. */
static struct client *the_client;

/* ---- transfers ---- */

static void complete(struct io_transfer *transfer, CURLcode code)
{
    struct io_http_answer *answer = transfer->answer;

    io_transfer_conclude(transfer, code);
    answer->transfer = io_transfer_free(transfer);
    io_complete(&answer->operation);
}

static void end_transfer(struct client *client, struct io_transfer *transfer, CURLcode code)
{
    io_curl.multi_remove_handle(client->multi, transfer->easy);
    *transfer->link = transfer->next;
    if (transfer->next != NULL)
        transfer->next->link = transfer->link;
    complete(transfer, code);
}

static void end_those_done(struct client *client)
{
    const CURLMsg *message;
    struct io_transfer *transfer;
    CURLcode code;
    int left;

    while ((message = io_curl.multi_info_read(client->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        code = message->data.result; /* the message goes with its handle */
        io_curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        end_transfer(client, transfer, code);
    }
}

static void go_on(struct client *client, curl_socket_t socket, int events)
{
    int running;

    io_curl.multi_socket_action(client->multi, socket, events, &running);
    end_those_done(client);
}

/* ---- sockets ---- */

static void on_watch_closed(uv_handle_t *handle)
{
    nb_free(CONTAINER(struct watch, poll, handle));
}

static void end_watch(struct watch *watch)
{
    *watch->link = watch->next;
    if (watch->next != NULL)
        watch->next->link = watch->link;
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static void stop_client(struct client *client);

static void close_watch(struct io_closable *closable)
{
    stop_client(((struct watch *)closable)->client);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = CONTAINER(struct watch, poll, poll);
    int what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);

    go_on(watch->client, watch->socket, status < 0 ? CURL_CSELECT_ERR : what);
}

/* NULL without memory, or when the loop refuses. */
static struct watch *new_watch(struct client *client, curl_socket_t socket)
{
    struct watch *watch = nb_alloc_zero(sizeof *watch);

    if (watch == NULL)
        return NULL;
    if (uv_poll_init_socket(client->loop, &watch->poll, socket) < 0) {
        nb_free(watch);
        return NULL;
    }
    watch->closable.close = close_watch;
    watch->poll.data = &watch->closable;
    watch->socket = socket;
    watch->client = client;
    watch->next = client->watches;
    watch->link = &client->watches;
    if (watch->next != NULL)
        watch->next->link = &watch->next;
    client->watches = watch;
    return watch;
}

/* CURLMOPT_SOCKETFUNCTION. -1 makes libcurl end its transfers with an error. */
static int watch_socket(CURL *easy, curl_socket_t socket, int what, void *closure, void *known)
{
    struct client *client = closure;
    struct watch *watch = known;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL)
            end_watch(watch);
        return 0;
    }
    if (watch == NULL) {
        watch = new_watch(client, socket);
        if (watch == NULL)
            return -1;
        io_curl.multi_assign(client->multi, socket, watch);
    }
    return uv_poll_start(&watch->poll, events, on_socket) < 0 ? -1 : 0;
}

/* ---- time ---- */

static void on_time(uv_timer_t *timer)
{
    go_on(CONTAINER(struct client, timer, timer), CURL_SOCKET_TIMEOUT, 0);
}

/* CURLMOPT_TIMERFUNCTION. */
static int set_timer(CURLM *multi, long milliseconds, void *closure)
{
    struct client *client = closure;

    (void)multi;
    if (milliseconds < 0)
        uv_timer_stop(&client->timer);
    else
        uv_timer_start(&client->timer, on_time, (uint64_t)milliseconds, 0);
    return 0;
}

/* ---- the client ---- */

static void on_client_closed(uv_handle_t *handle)
{
    nb_free(CONTAINER(struct client, timer, handle));
}

/* The reactor stops. */
static void stop_client(struct client *client)
{
    the_client = NULL;
    while (client->transfers != NULL)
        end_transfer(client, client->transfers, CURLE_ABORTED_BY_CALLBACK);
    io_curl.multi_cleanup(client->multi);
    while (client->watches != NULL)
        end_watch(client->watches);
    uv_close((uv_handle_t *)&client->timer, on_client_closed);
}

static void close_client(struct io_closable *closable)
{
    stop_client((struct client *)closable);
}

/* NULL without memory. */
static struct client *new_client(uv_loop_t *loop)
{
    struct client *client = nb_alloc_zero(sizeof *client);

    if (client == NULL)
        return NULL;
    client->multi = io_curl.multi_init();
    if (client->multi == NULL) {
        nb_free(client);
        return NULL;
    }
    client->loop = loop;
    client->closable.close = close_client;
    uv_timer_init(loop, &client->timer);
    client->timer.data = &client->closable;
    io_curl.multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    io_curl.multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    io_curl.multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    io_curl.multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    io_curl.multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS_MAX);
    return client;
}

/* Put a transfer under way. CURLE_OK, or what went wrong. */
static CURLcode start_transfer(uv_loop_t *loop, struct io_transfer *transfer)
{
    CURLcode code;

    if (!io_curl_load(transfer->answer->error_text, IO_HTTP_ERROR_BYTES))
        return CURLE_FAILED_INIT;
    if (the_client == NULL)
        the_client = new_client(loop);
    if (the_client == NULL)
        return CURLE_OUT_OF_MEMORY;
    code = io_transfer_prepare(transfer);
    if (code == CURLE_OK && io_curl.multi_add_handle(the_client->multi, transfer->easy) != CURLM_OK)
        code = CURLE_OUT_OF_MEMORY;
    return code;
}

static void begin(struct io_operation *operation)
{
    struct io_transfer *transfer = ((struct io_http_answer *)operation)->transfer;
    CURLcode code = start_transfer(io_loop_of(operation), transfer);

    if (code != CURLE_OK) {
        complete(transfer, code);
        return;
    }
    transfer->next = the_client->transfers;
    transfer->link = &the_client->transfers;
    if (transfer->next != NULL)
        transfer->next->link = &transfer->next;
    the_client->transfers = transfer;
}

static void abandon(struct io_operation *operation)
{
    end_transfer(the_client, ((struct io_http_answer *)operation)->transfer, CURLE_ABORTED_BY_CALLBACK);
}

/* ---- for natives ---- */

void io_http_request_done(struct io_http_request *request)
{
    nb_buf_done(&request->url);
    nb_buf_done(&request->headers);
    nb_buf_done(&request->body);
}

enum vm_status io_http_begin(struct vm_ctx *ctx, struct io_http_request *request)
{
    bool whole = !request->url.failed && !request->headers.failed && !request->body.failed;
    struct io_transfer *transfer = whole ? io_transfer_new(request) : NULL;

    if (transfer == NULL) {
        io_http_request_done(request);
        return VM_NOMEM;
    }
    transfer->answer->operation.begin = begin;
    transfer->answer->operation.abandon = abandon;
    return io_submit(ctx, &transfer->answer->operation);
}

struct io_http_answer *io_http_result(const struct vm_ctx *ctx)
{
    struct io_operation *operation = io_operation_of(ctx);

    return operation != NULL && io_is_done(operation) ? (struct io_http_answer *)operation : NULL;
}
