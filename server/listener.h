/*
 * listener.h - an open port: what Server.bind returns a handle of.
 *
 * A listener has an endpoint (loop.h) in each connection loop, and the sockets of its port (port.h), alone or together
 * with the listener that takes its place. It is found by its handle, an integer that is never reused. It lives until it
 * was closed, its last connection has ended, and nobody waits in accept.
 *
 * Retiring: it takes no new connections and leaves its port, but answers what it has taken; processes accept from it
 * as before. So a new version of an app can take over while the former one finishes.
 *
 * Closing from any thread: the listening sockets are shut down, which refuses new clients and lets the port be bound
 * again at once; the loops do the rest in their own time.
 */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include "server/loop.h"
#include "server/port.h"

enum srv_listener_state { SRV_LISTENER_FREE, SRV_LISTENER_OPEN, SRV_LISTENER_CLOSED };
enum { SRV_LISTENERS_MAX = 1024 };

struct srv_listener {
    _Atomic int64_t handle;      /* 0 while the struct is unused: the struct itself is never unmapped */
    _Atomic uint32_t references; /* 0: unused */
    _Atomic int state;
    unsigned slot; /* in the runtime's table */
    struct srv_runtime *runtime;
    const struct sched_group *group; /* to compare with: it may be gone before the last connection is */
    char app[64];                    /* the group's name, for logs */
    _Atomic bool retiring;           /* it leaves its port */
    _Atomic unsigned retired_loops;  /* how many of its endpoints have done so, … */
    _Atomic unsigned empty_endpoints; /* … and how many of them have no connection left */
    _Atomic bool abandoned;          /* its app ends: what it accepted will not be answered by anybody else */
    uint64_t bound_by;               /* pid */
    uint16_t port;
    struct srv_port *sockets;
    bool listens, offered; /* a user of them; others may join. Under the runtime's lock */
    struct srv_limits limits;
    struct srv_endpoint *endpoints[SRV_LOOPS_MAX];
    unsigned endpoint_count;
    _Atomic uint64_t unsent_bytes;      /* what its large answers keep (unsent.h), … */
    _Atomic uint64_t unsent_pressed_ns; /* … and until when stuck clients are hung up on: there was no room */
    _Atomic unsigned turn; /* which ring the next accept looks at first */
    struct srv_waiters line;
    struct srv_command commands[3][SRV_LOOPS_MAX]; /* attach; close; retire */
};

/** Open a port. Returns 0 with the handle, or -errno. Threads: any; takes the table's lock. */
int srv_listener_open(struct srv_runtime *runtime, struct vm_ctx *ctx, const struct sched_group *group, uint64_t pid,
                      uint16_t port, int64_t *ret_handle);
/** The listener of a handle with one more reference; NULL when there is none. Threads: any; lock-free. */
struct srv_listener *srv_listener_find(struct srv_runtime *runtime, int64_t handle);
void srv_listener_unref(struct srv_listener *listener);
/** Stop listening, wake everybody who waits. Nothing when it is closed already. Threads: any. */
void srv_listener_close(struct srv_listener *listener, struct vm_ctx *ctx);
/** Tell the loops to retire it. Nothing when it does already or is closed. Threads: any. */
void srv_listener_retire(struct srv_listener *listener);
/** Whether its loops have done so. */
bool srv_listener_has_retired(struct srv_listener *listener);
/** Let another listener join on its port, or not any more. Threads: any. */
void srv_listener_offer(struct srv_listener *listener, bool offered);
/** Be no user of its port any more; its loops stop listening next. Nothing when it has left. Threads: any. */
void srv_listener_leave(struct srv_listener *listener);
/** The same, and stop listening at once, whatever its loops do. */
void srv_listener_stop_listening(struct srv_listener *listener);
static inline bool srv_listener_is_open(struct srv_listener *listener)
{
    return atomic_load(&listener->state) == SRV_LISTENER_OPEN;
}

/** The next request that still waits for an answer, NULL when there is none now. The caller holds it
 * (srv_request_release). Threads: any; lock-free. */
struct srv_request *srv_listener_take(struct srv_listener *listener, struct vm_ctx *ctx);
/** Requests waiting in all its rings: a hint. */
size_t srv_listener_waiting(const struct srv_listener *listener);
/** Whether another request fits, as far as its loop can tell. */
static inline bool srv_listener_has_room(const struct srv_listener *listener)
{
    return srv_listener_waiting(listener) < listener->limits.queue_max;
}

#endif
