/*
 * ring.h - from a connection loop to the processes that accept: the requests that wait, and the processes that wait.
 *
 * A ring has one producer, its connection loop; every worker may take from it. It is bounded: what does not fit is
 * answered 503 by the loop.
 *
 * Processes that find all rings of a listener empty stand in line (struct srv_waiters). The line is lock-free and in
 * order of arrival. The wake rule, on which nothing gets lost: loop:      put the request into the ring, full fence,
 * look at the line, wake the first of it (one at the most) acceptor:  join the line, full fence, look at the rings
 * again; park only if they are still empty acceptor that takes a request: if the rings still hold some, wake the next
 * in line. So a wake-up that reached a process which did not need it (it found a request by itself, or was killed) is
 * passed on.
 */
#ifndef SERVER_RING_H
#define SERVER_RING_H

#include <ck_stack.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct srv_request;
struct vm_ctx;
struct vm_process;

/* ---- requests that wait ---- */

struct srv_ring;

/** A ring for at least `capacity` requests, 1 to 65535. NULL without memory. */
struct srv_ring *srv_ring_new(size_t capacity);
struct srv_ring *srv_ring_free(struct srv_ring *ring); /* NULL is fine; returns NULL */
/** False when full. Threads: the connection loop. */
bool srv_ring_put(struct srv_ring *ring, struct srv_request *request);
/** The oldest, NULL when empty. Threads: any; lock-free. */
struct srv_request *srv_ring_take(struct srv_ring *ring);
/** How many there are: a hint when others take. */
size_t srv_ring_length(const struct srv_ring *ring);

/* ---- processes that wait ---- */

enum srv_waiter_state {
    SRV_WAITER_WAITING,  /* in line */
    SRV_WAITER_WOKEN,    /* taken out of the line for a request; belongs to its process again */
    SRV_WAITER_ABANDONED /* still in line, but its process has left; whoever takes it out gives it back */
};

/** A place in line. Its memory stays readable until the pool ends (others may be looking at it). */
struct srv_waiter {
    ck_stack_entry_t entry;
    _Atomic int state;
    _Atomic(struct vm_process *) process;
    struct srv_waiter *all_next; /* in the pool's list of all it has made */
    void *owner;                 /* of whoever took the place: the listener it is for */
};

/** Places that nobody uses. One pool per runtime. */
struct srv_waiter_pool {
    ck_stack_t unused __attribute__((aligned(16)));
    _Atomic(struct srv_waiter *) all;
};

/** Make it empty; give all places back: nobody may have one then. */
void srv_waiter_pool_init(struct srv_waiter_pool *pool);
void srv_waiter_pool_done(struct srv_waiter_pool *pool);
/** A place for a process, not in line yet; NULL without memory. Threads: any; lock-free but for the first use. */
struct srv_waiter *srv_waiter_get(struct srv_waiter_pool *pool, struct vm_process *process);
/** Give a place back that is in no line. Threads: any; lock-free. */
void srv_waiter_put(struct srv_waiter_pool *pool, struct srv_waiter *waiter);

struct srv_waiters {
    ck_stack_t arrived __attribute__((aligned(16))); /* latest on top; anyone pushes */
    ck_stack_t in_turn __attribute__((aligned(16))); /* oldest on top */
    struct srv_waiter_pool *pool;
};

/** Make an empty line whose places come from `pool`, which must outlive it. */
void srv_waiters_init(struct srv_waiters *line, struct srv_waiter_pool *pool);
/** Stand in line (again). The caller must look for requests once more afterwards; this contains the fence for that. */
void srv_waiters_join(struct srv_waiters *line, struct srv_waiter *waiter);
/** Leave: the process does not wait any more, and the place is gone for it. True when it had been woken meanwhile: if
 * there are requests, the caller must pass the wake-up on. */
bool srv_waiters_leave(struct srv_waiters *line, struct srv_waiter *waiter);
/** Wake the first in line. Contains the fence of the wake rule. False when nobody waits. */
bool srv_waiters_wake_one(struct srv_waiters *line, struct vm_ctx *ctx);
/** Empty the line without waking anybody (nobody can be in it but who has left). */
void srv_waiters_clear(struct srv_waiters *line);

#endif
