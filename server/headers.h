/*
 * headers.h - the headers of a request as values, kept for as long as a connection goes on sending the same.
 *
 * A browser sends a dozen headers with each request, and on one connection they seldom change. Made into values and
 * copied to their handlers they would cost more than all else about a small request. So a connection remembers what it
 * got last: headers that come a second time are made into shared values, and whoever gets them from then on points to
 * those.
 *
 *   loop      srv_headers_recall()  when the request is whole: known already, or seen just before
 *   acceptor  srv_headers_known(), else makes them in its own heap, and srv_headers_keep()s what was seen before
 *   loop      srv_headers_remember()  when it is answered: the connection has them from now on
 *
 * Equal means: the same bytes in the same order, names in lower case.
 */
#ifndef SERVER_HEADERS_H
#define SERVER_HEADERS_H

#include "server/request.h"

struct srv_connection;

/** Let a request that is whole have what its connection knows. Threads: the loop's. */
void srv_headers_recall(struct srv_connection *connection, struct srv_request *request);
/** Let the connection have what was made of the request's headers, if anything. Threads: the loop's. */
void srv_headers_remember(struct srv_connection *connection, struct srv_request *request);
/** The connection closes, or shall remember nothing. Threads: the loop's. */
void srv_headers_forget(struct srv_connection *connection);

/** The headers and cookies of a request as values which the process of `ctx` may point to from now on. False when they
 * are not known and have to be made. Threads: who reads the request. */
bool srv_headers_known(struct vm_ctx *ctx, const struct srv_request *request, vm_value *ret_headers,
                       vm_value *ret_cookies);
/** Keep what was made of a request's headers if they are likely to come again. Without memory nothing is kept. Threads:
 * who reads the request. */
void srv_headers_keep(struct srv_request *request, vm_value headers, vm_value cookies);
/** The request is put away. */
void srv_headers_let_go(struct srv_request *request);

#endif
