/*
 * reply.h - what a request is answered with, on its way from whoever answers to the connection loop.
 */
#ifndef SERVER_REPLY_H
#define SERVER_REPLY_H

#include <microhttpd.h>

#include "server/prepared.h"
#include "vm/native.h"

struct srv_unsent;

/** One of the first three; all NULL: not answered yet. */
struct srv_reply {
    struct MHD_Response *own;        /* made for this request; with its reference */
    struct srv_prepared *prepared;   /* a program's constant answer; with a reference */
    struct MHD_Response *ready_made; /* one of the endpoint's */

    struct srv_unsent *unsent; /* what a large one of its own keeps in memory, else NULL; given on to the request */
};

static inline bool srv_reply_is_empty(const struct srv_reply *reply)
{
    return reply->own == NULL && reply->prepared == NULL && reply->ready_made == NULL;
}

/**
 * What a program answers; in the loop with that index if it can be prepared (prepared.h). Errors as those of
 * srv_response_make(). Threads: any.
 *
 * ret_reply  receives it on VM_OK; the caller's until srv_reply_drop()
 */
enum vm_status srv_reply_make(struct vm_ctx *ctx, unsigned loop, vm_value headers, vm_value body,
                              struct srv_reply *ret_reply);
/** What libmicrohttpd is to send; `closing`: it tells the client that the connection ends. Threads: the loop's. */
struct MHD_Response *srv_reply_response(const struct srv_reply *reply, bool closing);
/** Give back what it holds; it is empty then. Threads: any. */
void srv_reply_drop(struct srv_reply *reply);

#endif
