/*
 * loop.h - for back ends that use the reactor's libuv loop itself: operations that are begun on its thread.
 *
 *     begin     called once, on the loop's thread. Ends, at once or in a callback of libuv, with io_complete()
 *     abandon   the process that waited has ended (not called once the operation is completed): io_complete() is to
 *               follow soon
 *
 * A handle of libuv that may be open when the loop ends has a struct io_closable as its data; operations that can then
 * not go on complete with an error. All functions here are for the loop's thread.
 */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <uv.h>

#include "io/reactor.h"

/** What closes a handle of libuv whose data this is, when the reactor stops. */
struct io_closable {
    void (*close)(struct io_closable *closable);
};

/** The loop, for an operation that was begun. */
uv_loop_t *io_loop_of(const struct io_operation *operation);
/** Its process has ended, or the reactor stops: begin nothing more for it. */
bool io_is_unwanted(const struct io_operation *operation);
/** The operation is done: its process is woken, the reactor's reference given back. */
void io_complete(struct io_operation *operation);

#endif
