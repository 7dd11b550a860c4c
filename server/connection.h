/*
 * connection.h - client connections as long as they are open: which of an endpoint's lists each is in, and what its
 * time-out there leads to.
 *
 * libmicrohttpd knows one time-out for all that a client may be slow with. Here a connection is in the list for what it
 * is waited for (loop.h: fresh, idle, bodies), or in none while its request waits for its answer.
 *
 * An end that comes together with a client's last bytes libmicrohttpd does not notice: it takes a read that brings less
 * than there is room for as the sign that nothing more is there, and its epoll instance, being edge-triggered, does not
 * tell it again. So whoever has been waited for for SRV_LOOK_AFTER_MS is looked at once, by us: those who keep asking,
 * or who say nothing and leave later, cost nothing.
 *
 * On the loop's thread.
 */
#ifndef SERVER_CONNECTION_H
#define SERVER_CONNECTION_H

#include <microhttpd.h>

#include "server/request.h"

struct srv_endpoint;
struct srv_patience;

/* An answer that is written past libmicrohttpd; the connection ends with it. `text`: its length, a blank line, and it.
 */
#define SRV_RAW_ANSWER(status, text)                                                                                   \
    "HTTP/1.1 " status "\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: " text

enum { SRV_LOOK_AFTER_MS = 1000 };

struct srv_connection {
    struct srv_link link; /* in one of the endpoint's lists, or in none */
    struct srv_endpoint *endpoint;
    struct srv_request *request; /* that libmicrohttpd is busy with, NULL none */
    uint64_t since_ns;           /* when it was put there */
    int fd;
    bool talking;                /* a request has begun and is not finished */
    struct srv_headers *headers; /* that it sent last, as values, with a reference; NULL while they change */
    uint64_t headers_hash;       /* of those it sent last */
};

/** Nobody is waited for. */
void srv_patience_init(struct srv_patience *patience);
/** Ours of one of libmicrohttpd's; NULL when there was no memory for it. */
struct srv_connection *srv_connection_of(struct MHD_Connection *connection);
/** libmicrohttpd tells of each connection that opens or closes. `closure`: the endpoint. */
void srv_connection_on_notify(void *closure, struct MHD_Connection *mhd, void **context,
                              enum MHD_ConnectionNotificationCode code);
/** Wait for something else from now on (NULL: for nothing). */
void srv_connection_move(struct srv_connection *connection, struct srv_patience *patience);
/** Make libmicrohttpd see the end of a connection, after sending `last_words` unless NULL. */
void srv_connection_cut(struct srv_connection *connection, const char *last_words);

/** Cut those whose clients have left, and those whose time is over, with a 408 to those who have begun a request if
 * `answer`. Returns when the next one is due, UINT64_MAX: none is. */
uint64_t srv_connections_look(struct srv_patience *patience, uint32_t timeout_ms, uint64_t now_ns, bool answer);
/** What draining does to connections without a request: a client that has just connected, or just got an answer that
 * did not tell it to close, may send its request any moment, and gets its answer; one that was quiet for a while is
 * hung up on. Once the endpoint is closed, all are. */
void srv_connections_cut_quiet(struct srv_endpoint *endpoint);
/** The same when it is time to look again. Returns when that is, UINT64_MAX: never. */
uint64_t srv_connections_look_at_quiet(struct srv_endpoint *endpoint);

#endif
