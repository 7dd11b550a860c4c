/*
 * prepared.h - answers that a program gives again and again, made once.
 *
 * Headers and bodies that stand in a program's text are constants of it, so who answers with the same two constants
 * answers the same. What libmicrohttpd is to send is then made once per program and connection loop, not once per
 * request: that is a fifth of all that is done for a small answer. Kept with the program (program.h), freed with it.
 *
 * One per loop, because libmicrohttpd counts those who send a response under a lock.
 */
#ifndef SERVER_PREPARED_H
#define SERVER_PREPARED_H

#include <microhttpd.h>
#include <stdbool.h>

#include "vm/process.h"

struct srv_prepared;

/**
 * The prepared answer of these headers and this body in one loop, made if need be; the caller gets a reference. NULL
 * when they are not constants or the body is long, when the program has many answers already, when they are no valid
 * answer, or without memory: an answer of its own is to be made then. Threads: any; lock-free.
 *
 * loop  index of the connection loop that will send it
 */
struct srv_prepared *srv_prepared_find(struct vm_ctx *ctx, unsigned loop, vm_value headers, vm_value body);
/** What to send; `closing`: the one that tells the client that the connection ends. Valid as long as the reference. */
struct MHD_Response *srv_prepared_response(const struct srv_prepared *prepared, bool closing);
/** Give a reference back. NULL is fine. Threads: any. */
void srv_prepared_unref(struct srv_prepared *prepared);

#endif
