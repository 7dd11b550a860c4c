/*
 * reactor.h - what would block a worker: done or waited for elsewhere, while the process that wants it is parked.
 *
 * One libuv loop on a thread of its own takes operations. Most are work for libuv's pool; work that finds a pipe empty
 * or full asks to be done again when that has changed. Others are begun on the loop's thread (io/loop.h). The reactor
 * starts with the first operation: a program that does no I/O has no such threads.
 *
 * A native that does I/O looks like this; it is called again when the process is woken (vm/native.h):
 *
 *     struct io_operation *operation = io_operation_of(ctx);
 *
 *     if (operation == NULL)
 *         return io_submit(ctx, read_new(path));           parks, or raises
 *     if (!io_is_done(operation))
 *         return io_park(ctx);                             woken for another reason
 *     …take the result out of it (allocating may collect, the operation does not move)…
 *     io_finish(ctx);
 *     return VM_OK;
 *
 * A process that ends with an operation pending leaves it behind: it is freed when the pool is done with it, and not
 * begun at all if it was still waiting its turn. A process has one operation at a time, so their number is bounded by
 * that of the processes.
 */
#ifndef IO_REACTOR_H
#define IO_REACTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "vm/process.h"

/** One piece of work. Back ends embed it as their first member; io_operation_init(), then io_submit(). */
struct io_operation {
    unsigned magic;
    void (*work)(struct io_operation *operation);    /* on a pool thread: may block. Touches nothing of the process */
    void (*begin)(struct io_operation *operation);   /* or, on the loop's thread: see io/loop.h */
    void (*abandon)(struct io_operation *operation); /* with begin: likewise */
    void (*free)(struct io_operation *operation); /* give back all memory, the operation's included. Any thread */
    int wait_fd;                   /* set by work that could not go on: a descriptor, given to the reactor, … */
    short wait_events;             /* … and POLLIN or POLLOUT: then work is called again, … */
    const _Atomic bool *wait_over; /* … or when this is true (NULL: never) after io_look_again(), … */
    const _Atomic uint64_t *wait_news; /* … or when this is no longer wait_seen (NULL: never), likewise, … */
    uint64_t wait_seen;
    int wait_error;                /* … or when waiting failed: a positive errno */
    struct io_operation *next;                    /* the reactor's, here and below */
    struct io_operation *cancel_next;
    struct io_wait *wait;
    struct uv_loop_s *loop;
    const struct vm_host *host;
    struct vm_process *process;                   /* NULL: nobody waits for it */
    bool begun;
    _Atomic bool done, cancelled;
    _Atomic unsigned references;                  /* the process's and the reactor's */
};

/** Fill in an operation that io_submit() or io_post() will take. `work` is done on a thread of the pool and may block;
 *  `free_operation` is called once, on any thread, when neither process nor reactor needs it any more. */
void io_operation_init(struct io_operation *operation, void (*work)(struct io_operation *operation),
                       void (*free_operation)(struct io_operation *operation));

/** Submit an operation for the running process, which must have none. NULL (the maker had no memory) is VM_NOMEM.
 *  Returns VM_PARK; or VM_RAISE with an io_error, the operation then freed, when the reactor's threads cannot be
 *  started. Ownership: the process's, until io_finish(). */
enum vm_status io_submit(struct vm_ctx *ctx, struct io_operation *operation);

/** Submit an operation that no process waits for; it is freed when done. Never fails: should the reactor not run, the
 *  operation is freed without having been done. Threads: any. */
void io_post(struct io_operation *operation);
/** Some operation's wait_over has become true, or its wait_news changed. Threads: any. */
void io_look_again(void);

/** The operation of the running process that it has submitted and not finished; NULL when there is none. */
struct io_operation *io_operation_of(const struct vm_ctx *ctx);
/** Whether the work has been done; its results are then visible to the caller. */
bool io_is_done(const struct io_operation *operation);
/** Wait for the operation to be done: VM_PARK. */
enum vm_status io_park(struct vm_ctx *ctx);
/** The running process has taken what it wanted: free its operation. */
void io_finish(struct vm_ctx *ctx);

/**
 * Raise what a failed system call means to the program (05 §5): ("io_error", "File not found: PATH"), "Permission
 * denied: PATH", or "IO error: TEXT (os error N)".
 *
 * error   errno, positive
 */
enum vm_status io_raise(struct vm_ctx *ctx, int error, const char *path);

/** The text of a failed system call: "No such file or directory (os error 2)". `size` bytes of room. */
void io_error_text(int error, char *text, size_t size);

/** Stop the threads: what is being done is waited for, what has not begun or waits for others is dropped. Does nothing
 *  when they never started; they start again when needed. Call it after sched_stop() and before sched_free(): the pool
 *  wakes processes. */
void io_stop(void);

#endif
