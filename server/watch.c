/*
 * watch.c - the watched connections are in the loop's epoll instance under their request, marked by the lowest bit, so
 * that they are not taken for endpoints.
 */
#include "config.h"

#include "server/watch.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "server/connection.h"

#define NS_PER_MS UINT64_C(1000000)
#define WATCHED ((uintptr_t)1)
enum { PROBE_AFTER_S = 15, PROBE_EVERY_S = 5, PROBES = 3 }; /* to clients of whom nothing is heard */

static struct srv_request *request_of(struct srv_link *link)
{
    return (struct srv_request *)((char *)link - offsetof(struct srv_request, watch_link));
}

void srv_watch_begin(struct srv_request *request)
{
    request->suspended_ns = request->loop->now_ns;
    srv_link_append(&request->endpoint->unwatched, &request->watch_link);
}

void srv_watch_end(struct srv_request *request)
{
    srv_link_remove(&request->watch_link);
    if (!request->watched)
        return;
    request->watched = false;
    request->loop->watched_count--;
    epoll_ctl(request->loop->epoll_fd, EPOLL_CTL_DEL, request->client->fd, NULL);
}

/* Have the kernel ask a silent client whether it is still there. Not possible on other than TCP sockets. */
static void probe(int fd)
{
    const int on = 1, after_s = PROBE_AFTER_S, every_s = PROBE_EVERY_S, probes = PROBES;

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &after_s, sizeof after_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

static void watch(struct srv_request *request)
{
    struct epoll_event event = { .events = 0, .data.ptr = (void *)((uintptr_t)request | WATCHED) }; /* HUP, ERR come */
    int fd = request->client->fd;

    if (epoll_ctl(request->loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return; /* it waits unwatched */
    probe(fd);
    request->watched = true;
    request->loop->watched_count++;
}

uint64_t srv_watch_look(struct srv_endpoint *endpoint)
{
    while (!srv_link_empty(&endpoint->unwatched)) {
        struct srv_request *request = request_of(endpoint->unwatched.next);
        uint64_t due_ns = request->suspended_ns + SRV_WATCH_AFTER_MS * NS_PER_MS;

        if (due_ns > endpoint->loop->now_ns)
            return due_ns;
        srv_link_remove(&request->watch_link);
        watch(request);
    }
    return UINT64_MAX;
}

bool srv_watch_event(const struct epoll_event *event)
{
    uintptr_t word = (uintptr_t)event->data.ptr;
    struct srv_request *request = (struct srv_request *)(word & ~WATCHED);

    if ((word & WATCHED) == 0)
        return false;
    nb_assert(request->suspended && request->watched);
    srv_watch_end(request);
    request->client_gone = true; /* resumed, the handler is asked and ends the connection */
    request->suspended = false;
    request->endpoint->suspended_count--;
    request->endpoint->waiting_count++;
    request->endpoint->busy = true;
    MHD_resume_connection(request->connection);
    return true;
}
