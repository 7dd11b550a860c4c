/*
 * endpoint.c - one listener in one connection loop: its libmicrohttpd daemon, the passes it is given, opening and
 * closing.
 *
 * Everything here runs on the loop's thread, so nothing is locked. What libmicrohttpd 0.9.75 demands, and is done here:
 *   - a blocking pass stalls when exactly 128 sockets are ready: a pass never blocks, it is repeated while the library
 * has something left to do, and what its descriptor still holds is found by the poll before sleeping (loop.c);
 *   - a daemon with suspended connections must not be stopped: all requests are answered and resumed first.
 */
#include "config.h"

#include "server/loop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "server/connection.h"
#include "server/exchange.h"
#include "server/listener.h"
#include "server/runtime_private.h"
#include "server/watch.h"

enum { NS_PER_MS = 1000000 };

uint64_t srv_endpoint_look_at_time(struct srv_endpoint *endpoint, struct vm_ctx *ctx)
{
    const struct srv_limits *limits = &endpoint->limits;
    uint64_t now_ns = endpoint->loop->now_ns;
    uint64_t due[] = {
        srv_connections_look(&endpoint->fresh, limits->header_timeout_ms, now_ns, true),
        srv_connections_look(&endpoint->idle, limits->idle_timeout_ms, now_ns, false),
        srv_connections_look(&endpoint->bodies, limits->body_timeout_ms, now_ns, true),
        srv_exchange_answer_late(endpoint, ctx),
        srv_connections_look_at_quiet(endpoint),
        srv_watch_look(endpoint),
        srv_unsent_look(endpoint),
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
        endpoint->has_room_again = false;
        MHD_run_wait(endpoint->daemon, 0);
        did |= endpoint->events != 0;
        more = has_more(endpoint) || endpoint->has_room_again;
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

/* The target is handed on as it came: programs see paths that are not decoded. */
static size_t keep_as_it_is(void *closure, struct MHD_Connection *mhd, char *text)
{
    (void)closure, (void)mhd;
    return strlen(text);
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
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)srv_exchange_on_completed, endpoint },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)srv_connection_on_notify, endpoint },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)srv_exchange_on_request_line, endpoint },
        { MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_as_it_is, NULL },
        { MHD_OPTION_END, 0, NULL },
    };

    srv_patience_init(&endpoint->fresh);
    srv_patience_init(&endpoint->idle);
    srv_patience_init(&endpoint->bodies);
    srv_link_init(&endpoint->open);
    srv_link_init(&endpoint->unwatched);
    srv_unsent_list_init(&endpoint->unsent);
    if (!make_answers(endpoint))
        return -ENOMEM;
    /* Without MHD_USE_ITC: only the loop's thread resumes, so no descriptor is needed to wake it. */
    endpoint->daemon =
        MHD_start_daemon(MHD_USE_EPOLL | (MHD_ALLOW_SUSPEND_RESUME & ~(unsigned)MHD_USE_ITC), 0, NULL, NULL,
                         srv_exchange_on_request, endpoint, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
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
    endpoint->limits.unsent_max_bytes = limits->unsent_max_bytes;
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
    srv_connections_cut_quiet(endpoint);
    endpoint->busy = true;
}

void srv_endpoint_close(struct srv_endpoint *endpoint, struct vm_ctx *ctx)
{
    struct srv_request *request;

    srv_endpoint_drain(endpoint);
    endpoint->state = SRV_ENDPOINT_CLOSED;
    srv_connections_cut_quiet(endpoint);
    while ((request = srv_ring_take(endpoint->ring)) != NULL) {
        srv_exchange_give_up(endpoint, request, SRV_ANSWER_503_CLOSE);
        srv_request_release(ctx, request);
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
    srv_unsent_list_done(&endpoint->unsent);
    srv_ring_free(endpoint->ring);
    nb_free(endpoint);
    return NULL;
}
