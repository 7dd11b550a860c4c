/*
 * watch.h - clients that leave while their request waits.
 *
 * libmicrohttpd does not look at a connection that is suspended. One that has been for SRV_WATCH_AFTER_MS is watched by
 * the loop's own epoll instance, which costs requests that are answered sooner nothing. When the client has gone, the
 * connection and all that belongs to it is freed at once. The request itself goes on: its handler does not find out,
 * and its answer is not an error.
 *
 * Gone is a client that has reset the connection or does not answer the kernel's probes any more (EPOLLHUP, EPOLLERR).
 * A client that has only ended its own direction (EPOLLRDHUP) may still be there to read, as HTTP/1.1 allows, and
 * cannot be told from one that has closed its socket: it gets its answer. The probes find out about the latter in time,
 * too, as its kernel answers them with a reset after a while.
 *
 * On the loop's thread.
 */
#ifndef SERVER_WATCH_H
#define SERVER_WATCH_H

#include "server/loop.h"

struct epoll_event;

enum { SRV_WATCH_AFTER_MS = 100 };

/** A request's connection has been suspended. */
void srv_watch_begin(struct srv_request *request);
/** It is about to be resumed. */
void srv_watch_end(struct srv_request *request);
/** Watch those that are due. Returns when the next one is (UINT64_MAX: none). */
uint64_t srv_watch_look(struct srv_endpoint *endpoint);
/** What epoll reported. False when it is none of the watched connections. */
bool srv_watch_event(const struct epoll_event *event);

#endif
