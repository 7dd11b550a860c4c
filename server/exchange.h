/*
 * exchange.h - a request from its first line to the end of its answer: libmicrohttpd's callbacks, the only way in which
 * a request changes its state (request.h).
 *
 * The request line makes it; headers are looked at and may refuse it; the body is collected; whole, it goes into the
 * listener's ring. Until somebody has answered, libmicrohttpd asks in each of its passes, and is told "not yet", until
 * the connection is suspended. An answer is queued when it asks next.
 *
 * On the loop's thread.
 */
#ifndef SERVER_EXCHANGE_H
#define SERVER_EXCHANGE_H

#include "server/loop.h"

/* ---- libmicrohttpd's callbacks; `closure`: the endpoint ---- */

/** The request line is known: the first that we hear of a request. Its result is the context of all later calls. */
void *srv_exchange_on_request_line(void *closure, const char *target, struct MHD_Connection *mhd);
/** Called when headers are complete, for each piece of body, when all is read, and then again and again until an answer
 * is queued or the connection is suspended. */
enum MHD_Result srv_exchange_on_request(void *closure, struct MHD_Connection *mhd, const char *url, const char *method,
                                        const char *version, const char *upload, size_t *upload_length, void **context);
/** It is done with a request, for whatever reason. */
void srv_exchange_on_completed(void *closure, struct MHD_Connection *mhd, void **context,
                               enum MHD_RequestTerminationCode code);

/** A connection ends, or begins another request. libmicrohttpd does not always say before that it is done with one. */
void srv_exchange_forget(struct srv_connection *connection);

/* ---- requests that get no answer from anybody else ---- */

/** Answer an open request that the loop itself gives up, unless somebody has answered it just now: that answer is on
 * its way. */
void srv_exchange_give_up(struct srv_endpoint *endpoint, struct srv_request *request, enum srv_answer answer);
/** 503 for all that is open. */
void srv_exchange_fail_all(struct srv_endpoint *endpoint);
/** 504 to those past their deadline, whose processes are killed. Returns when the next is due, UINT64_MAX: none is. */
uint64_t srv_exchange_answer_late(struct srv_endpoint *endpoint, struct vm_ctx *ctx);

#endif
