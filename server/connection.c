/* connection.c - see connection.h. Lists are in the order of their members' times: the head is the next to be late. */
#include "config.h"

#include "server/connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "server/exchange.h"
#include "server/headers.h"
#include "server/loop.h"

enum {
    DRAIN_GRACE_MS = 500, /* while draining: how long a connection may be quiet before it is closed */
    DRAIN_LOOK_MS = 10,   /* and how often to look */
    NS_PER_MS = 1000000
};

static const char raw_408[] = SRV_RAW_ANSWER("408 Request Timeout", "15\r\n\r\nRequest Timeout");

struct srv_connection *srv_connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

void srv_patience_init(struct srv_patience *patience)
{
    srv_link_init(&patience->recent);
    srv_link_init(&patience->looked_at);
}

void srv_connection_move(struct srv_connection *connection, struct srv_patience *patience)
{
    srv_link_remove(&connection->link);
    if (patience == NULL)
        return;
    connection->since_ns = connection->endpoint->loop->now_ns;
    srv_link_append(&patience->recent, &connection->link);
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
    srv_connection_move(connection, &endpoint->fresh);
}

static void connection_closed(struct srv_connection *connection)
{
    srv_exchange_forget(connection);
    srv_link_remove(&connection->link);
    srv_headers_forget(connection);
    nb_free(connection);
}

void srv_connection_on_notify(void *closure, struct MHD_Connection *mhd, void **context,
                              enum MHD_ConnectionNotificationCode code)
{
    struct srv_endpoint *endpoint = closure;
    struct srv_connection *connection = *context; /* NULL at its beginning */
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
    endpoint->has_room_again = true;
    srv_count(&counts->connections_now, -1);
    if (connection != NULL)
        connection_closed(connection);
    *context = NULL;
}

void srv_connection_cut(struct srv_connection *connection, const char *last_words)
{
    if (last_words != NULL)
        (void)!send(connection->fd, last_words, strlen(last_words), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(connection->fd, SHUT_RDWR);
    srv_connection_move(connection, NULL);
    connection->endpoint->busy = true;
}

/* ---- time-outs ---- */

/* The connection that has been in a list for longest, if it has been there for `time_ms`; else NULL with when that will
 * be (UINT64_MAX: the list is empty). */
static struct srv_connection *first_due(const struct srv_link *list, uint32_t time_ms, uint64_t now_ns,
                                        uint64_t *ret_due_ns)
{
    struct srv_connection *connection = (struct srv_connection *)list->next; /* its link comes first */

    *ret_due_ns = UINT64_MAX;
    if (srv_link_empty(list))
        return NULL;
    *ret_due_ns = connection->since_ns + (uint64_t)time_ms * NS_PER_MS;
    return *ret_due_ns <= now_ns ? connection : NULL;
}
_Static_assert(offsetof(struct srv_connection, link) == 0, "first_due() relies on it");

/* Whether a client has said that nothing more is to come, and all that it sent before is read. */
static bool has_ended(const struct srv_connection *connection)
{
    char byte;

    return recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

uint64_t srv_connections_look(struct srv_patience *patience, uint32_t timeout_ms, uint64_t now_ns, bool answer)
{
    uint32_t look_after_ms = timeout_ms < SRV_LOOK_AFTER_MS ? timeout_ms : SRV_LOOK_AFTER_MS;
    struct srv_connection *connection;
    uint64_t look_ns, late_ns;

    while ((connection = first_due(&patience->recent, look_after_ms, now_ns, &look_ns)) != NULL) {
        srv_link_remove(&connection->link);
        srv_link_append(&patience->looked_at, &connection->link); /* in the same order */
        if (has_ended(connection))
            srv_connection_cut(connection, NULL);
    }
    while ((connection = first_due(&patience->looked_at, timeout_ms, now_ns, &late_ns)) != NULL)
        srv_connection_cut(connection, answer && connection->talking ? raw_408 : NULL);
    return look_ns < late_ns ? look_ns : late_ns;
}

/* ---- draining ---- */

/* Whether an answer can still be expected on a connection: a request has begun and its client may send the rest, or has
 * sent something that nobody has read yet, or may just be about to (`quiet_since_ns`: not when it was quiet before). */
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
            srv_connection_cut(connection, NULL);
        else
            more |= !connection->talking;
    }
    return more;
}

static bool cut_quiet_patience(struct srv_patience *patience, uint64_t quiet_since_ns)
{
    bool more = cut_quiet_list(&patience->recent, quiet_since_ns);

    return cut_quiet_list(&patience->looked_at, quiet_since_ns) || more;
}

void srv_connections_cut_quiet(struct srv_endpoint *endpoint)
{
    uint64_t now_ns = endpoint->loop->now_ns;
    uint64_t grace_ns = endpoint->state == SRV_ENDPOINT_CLOSED ? 0 : (uint64_t)DRAIN_GRACE_MS * NS_PER_MS;
    uint64_t quiet_since_ns = now_ns > grace_ns ? now_ns - grace_ns : 0;
    bool more = cut_quiet_patience(&endpoint->idle, quiet_since_ns);

    more |= cut_quiet_patience(&endpoint->fresh, quiet_since_ns);
    cut_quiet_patience(&endpoint->bodies, quiet_since_ns);
    endpoint->quiet_look_ns = more ? now_ns + (uint64_t)DRAIN_LOOK_MS * NS_PER_MS : UINT64_MAX;
}

uint64_t srv_connections_look_at_quiet(struct srv_endpoint *endpoint)
{
    if (endpoint->state == SRV_ENDPOINT_OPEN)
        return UINT64_MAX;
    if (endpoint->loop->now_ns >= endpoint->quiet_look_ns)
        srv_connections_cut_quiet(endpoint);
    return endpoint->quiet_look_ns;
}
