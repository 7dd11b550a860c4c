/*
 * loop.h - a connection loop: the thread-bound half of the server. Everything libmicrohttpd is called from here.
 *
 * A loop belongs to one thread at a time: a scheduler worker that gives it a pass between slices (scheduler/sched.h),
 * or a thread of its own. It drives one endpoint, which is one libmicrohttpd daemon, for each listener. Others reach it
 * by two lock-free stacks: completions (answers) and commands (open, close, drain).
 *
 * Lazy suspend: when a request is whole it goes into the ring and the callback simply returns. libmicrohttpd asks again
 * in each pass, and most answers are there by then, so nothing needs to be suspended (which costs two epoll_ctl). Only
 * after SRV_LAZY_TURNS turns is it suspended.
 */
#ifndef SERVER_LOOP_H
#define SERVER_LOOP_H

#include <ck_stack.h>
#include <pthread.h>

#include "scheduler/sched.h"
#include "server/limits.h"
#include "server/request.h"
#include "server/ring.h"
#include "server/runtime.h"
#include "server/unsent.h"

struct srv_listener;

enum {
    SRV_LAZY_TURNS = 8, /* turns of the loop before a waiting connection is suspended */
    SRV_PASSES_MAX = 8, /* of one daemon in one turn, while they still do something */
    SRV_LOOPS_MAX = 64,
    SRV_BODY_PIECE = 1024 /* a body that brings less within its time-out is too slow */
};

enum srv_answer {
    SRV_ANSWER_413,
    SRV_ANSWER_500,
    SRV_ANSWER_503,
    SRV_ANSWER_503_CLOSE,
    SRV_ANSWER_504,
    SRV_ANSWER_COUNT
};

/* Connections that wait for the same thing from their clients (connection.h). */
struct srv_patience {
    struct srv_link recent;    /* nobody has looked whether their clients are still there, … */
    struct srv_link looked_at; /* … or somebody has, and they are */
};

enum srv_endpoint_state { SRV_ENDPOINT_OPEN, SRV_ENDPOINT_DRAINING, SRV_ENDPOINT_CLOSED };

/** A listener's part in one loop. All but `ring` is the loop's own. */
struct srv_endpoint {
    struct srv_listener *listener; /* one reference */
    struct srv_loop *loop;
    struct srv_limits limits;
    struct srv_ring *ring;
    struct MHD_Daemon *daemon;
    int listen_fd; /* owned by the listener's port */
    int epoll_fd;  /* the daemon's */
    enum srv_endpoint_state state;
    struct MHD_Response *answers[SRV_ANSWER_COUNT]; /* ready-made */

    /* Lists, oldest first; all members of one have the same time-out. */
    struct srv_patience fresh;  /* connections whose headers are awaited: header_timeout_ms */
    struct srv_patience idle;   /* between two requests: idle_timeout_ms */
    struct srv_patience bodies; /* body is coming: body_timeout_ms */
    struct srv_link unwatched; /* suspended requests whose clients are not watched yet (watch.h) */
    struct srv_link open;   /* requests that wait for their answer: request_deadline_ms */
    struct srv_unsent_list unsent; /* large answers on their way to their clients */
    uint32_t connections, open_count, suspended_count;
    uint32_t sending_count; /* answers that libmicrohttpd has and has not sent to their end */
    uint32_t waiting_count; /* whole and neither answered nor suspended: libmicrohttpd keeps asking for them */

    uint32_t events;           /* what the current pass did */
    bool busy;                 /* give it another pass without waiting for its descriptor */
    bool has_room_again;       /* a connection has closed: if it was full, the library listens from its next pass on */
    bool ready;                /* its descriptor was readable in this turn */
    uint64_t quiet_look_ns;    /* while it drains: when to look for connections that have become quiet */
    bool told_empty;           /* it drains, and the listener knows that nothing is left */
    uint64_t due_ns;           /* when libmicrohttpd wants a pass for its own time-outs */
    struct srv_endpoint *next; /* in the loop's list */
};

/** A call to be made by the loop's thread. */
struct srv_command {
    ck_stack_entry_t entry;
    void (*run)(struct srv_command *command, struct srv_loop *loop, struct vm_ctx *ctx);
};

/* Wakes a loop once per batch of answers from a worker. */
struct srv_loop_waker {
    struct sched_deferred deferred;
    struct srv_loop *loop;
};

struct srv_loop {
    unsigned magic;
    struct srv_runtime *runtime;
    unsigned index;
    bool own_thread;
    unsigned worker; /* that drives it, unless own_thread */
    struct sched_poller poller;
    int epoll_fd; /* holds the epoll descriptors of its daemons, wake_fd, and watched connections */
    int wake_fd;  /* eventfd; only with a thread of its own */
    pthread_t thread;
    bool thread_started;
    _Atomic bool stop;
    _Atomic bool asleep; /* a loop with its own thread is about to sleep or does */

    ck_stack_t completions, commands; /* pushed by anyone */
    struct srv_command ping;          /* srv_runtime_is_alive() */
    _Atomic bool pinged;              /* it is on its way */
    struct srv_loop_waker *wakers;    /* one per worker */

    struct srv_endpoint *endpoints;
    unsigned endpoint_count;
    struct srv_request *free_requests;
    unsigned free_count;
    unsigned headers_remembered; /* connections whose headers are kept (headers.h) */
    struct vm_ctx *context; /* of this turn */
    uint64_t now_ns;        /* of this turn */
    unsigned watched_count; /* connections in epoll_fd whose client may leave (watch.h) */
    uint64_t turn;
    uint64_t next_look_ns;   /* when a time-out may next be due */
    struct srv_loop_counts { /* written by the loop only, read by anyone */
        _Atomic uint64_t requests, answers[6], queue_full, deadlines, too_large, gone, connections, connections_now,
            requests_now, suspended, unsent_bytes, unsent_full, hung_up;
    } counts;
    _Atomic uint64_t died; /* requests whose process ended; counted by any worker */
};

int srv_loop_init(struct srv_loop *loop, struct srv_runtime *runtime, unsigned index);
/** Only when no thread drives it any more and its endpoints are gone. */
void srv_loop_done(struct srv_loop *loop);
int srv_loop_start_thread(struct srv_loop *loop);
void srv_loop_stop_thread(struct srv_loop *loop);

/** Hand over a command; it must stay until it has run. Threads: any. */
void srv_loop_command(struct srv_loop *loop, struct vm_ctx *ctx, struct srv_command *command);
/** Whether the caller runs on the thread that drives the loop. */
static inline bool srv_loop_is_mine(const struct srv_loop *loop, const struct vm_ctx *ctx)
{
    return ctx != NULL && !loop->own_thread && sched_worker_index(ctx) == loop->worker;
}
/** An answer is here (claimed, response set). Threads: the loop's. */
void srv_loop_answered(struct srv_loop *loop, struct srv_request *request);
/** See that the loop takes what is on its completion stack, soon and once per batch. Threads: any. */
void srv_loop_notify(struct srv_loop *loop, struct vm_ctx *ctx);

/* ---- endpoint.c: on the loop's thread, but for start, which comes before the loop knows the endpoint ---- */

/** Start the daemon on endpoint->listen_fd. Returns 0 or -errno. */
int srv_endpoint_start(struct srv_endpoint *endpoint);
/** Let the daemon work until it has nothing more to do now. True when it did something. */
bool srv_endpoint_pass(struct srv_endpoint *endpoint);
/** Apply time-outs and deadlines. Returns when the next may be due, UINT64_MAX for never. */
uint64_t srv_endpoint_look_at_time(struct srv_endpoint *endpoint, struct vm_ctx *ctx);
/** Take no new connections but those that wait already; close those on which nothing has begun. */
void srv_endpoint_drain(struct srv_endpoint *endpoint);
/** Drain, and answer 503 to what nobody has accepted. */
void srv_endpoint_close(struct srv_endpoint *endpoint, struct vm_ctx *ctx);
/** Take over what may change while the listener is open. */
void srv_endpoint_change_limits(struct srv_endpoint *endpoint, const struct srv_limits *limits);
/** Stop the daemon. No connection may be suspended. */
void srv_endpoint_stop(struct srv_endpoint *endpoint);
/** Memory and ring; the daemon is stopped or was never started. NULL is fine; returns NULL. Threads: whoever holds the
 * listener's last reference. */
struct srv_endpoint *srv_endpoint_free(struct srv_endpoint *endpoint);

/** Give an endpoint to its loop, on the loop's thread. */
void srv_loop_attach(struct srv_loop *loop, struct srv_endpoint *endpoint);
/** After the scheduler's and its own thread have ended: send the answers that have been given, for a fifth of a second
 * at the most. Requests without one are left alone. */
void srv_loop_flush(struct srv_loop *loop);
/** After the scheduler's and its own thread have ended: answer everything, stop all daemons. */
void srv_loop_end(struct srv_loop *loop);

static inline void srv_link_init(struct srv_link *list)
{
    list->next = list->previous = list;
}
static inline bool srv_link_empty(const struct srv_link *list)
{
    return list->next == list;
}
static inline void srv_link_append(struct srv_link *list, struct srv_link *link)
{
    link->previous = list->previous;
    link->next = list;
    list->previous->next = link;
    list->previous = link;
}
static inline void srv_link_remove(struct srv_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link->next = link->previous = link;
}

static inline void srv_count(_Atomic uint64_t *counter, int64_t difference)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + (uint64_t)difference,
                          memory_order_relaxed); /* one writer */
}

#endif
