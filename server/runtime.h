/*
 * runtime.h - the HTTP server inside a program: connection loops, open listeners, open requests.
 *
 * One per scheduler. nostosd makes one from its configuration, `nostos FILE` one with defaults; programs then use it
 * through Server.bind, accept, respond and close (http_native.h).
 *
 *     sched_new(…, &sched);
 *     srv_runtime_new(sched, &options, &runtime);      attaches the connection loops to the scheduler's workers
 *     sched_start(sched);
 *     srv_runtime_start(runtime);                      only needed for loops on threads of their own; harmless
 * otherwise … sched_stop(sched); srv_runtime_stop(runtime);                       every request gets an answer, every
 * listener is closed sched_free(sched);                               processes that still lived end; they may look at
 * the runtime runtime = srv_runtime_free(runtime);
 *
 * A sched_group whose processes serve HTTP passes two of its callbacks on: ended → srv_process_ended(), spawned →
 * srv_process_spawned().
 */
#ifndef SERVER_RUNTIME_H
#define SERVER_RUNTIME_H

#include "scheduler/sched.h"
#include "server/limits.h"

struct srv_runtime;

struct srv_runtime_options {
    unsigned connection_loops;   /* workers that drive connections; 0: half of them, at least one */
    unsigned connection_threads; /* drive them on so many threads of their own instead; 0: on workers */
    unsigned requests_max;       /* requests open at a time; 0: 65536. Rounded up to a power of two */
    /** The limits of a listener on that port, which are the defaults when it is called. NULL: the defaults. Any thread.
     */
    void (*limits_for)(void *context, uint16_t port, struct srv_limits *limits);
    /** A listening socket that was opened for this port before the program began: its descriptor, which is the
     * runtime's from then on, or -ENOENT. NULL: there are none. Any thread. */
    int (*passed_socket)(void *context, uint16_t port);
    void *context;
};

/** Before sched_start(). Returns 0, -ENOMEM or another -errno. There is at most one runtime in the program. */
int srv_runtime_new(struct sched *sched, const struct srv_runtime_options *options, struct srv_runtime **ret_runtime);
/** Start connection threads, if there are any. Returns 0 or -errno. */
int srv_runtime_start(struct srv_runtime *runtime);

/**
 * Begin to drain: no listener takes new connections any more, idle ones are closed, each answer closes its connection.
 * Requests that wait or run go on. Threads: any. srv_runtime_is_drained() tells when none is left.
 */
void srv_runtime_drain(struct srv_runtime *runtime);
bool srv_runtime_is_drained(const struct srv_runtime *runtime);
/** Whether each loop has done what the call before asked it to; asks anew. For watchdogs: seconds between two calls.
 * True at first. Threads: one at a time. */
bool srv_runtime_is_alive(struct srv_runtime *runtime);
/** Ask limits_for() again for each open listener and apply what can change while it is open. Threads: any. */
void srv_runtime_reload_limits(struct srv_runtime *runtime);

/** Close all listeners of a group; open requests are answered 503 as soon as their loops get to it. Threads: any. */
void srv_runtime_close_group(struct srv_runtime *runtime, struct vm_ctx *ctx, const struct sched_group *group);
/** Let listeners of other groups join those of a group on their ports, or not any more. Threads: any. */
void srv_runtime_offer_group(struct srv_runtime *runtime, const struct sched_group *group, bool offered);
/** Whether `other`, or with NULL anybody else, listens on each port that the group listens on. Threads: any. */
bool srv_runtime_group_is_covered(struct srv_runtime *runtime, const struct sched_group *group,
                                  const struct sched_group *other);
/** A port on which both groups listen, 0 when there is none. Threads: any. */
uint16_t srv_runtime_shared_port(struct srv_runtime *runtime, const struct sched_group *group,
                                 const struct sched_group *other);
/**
 * Have the listeners of a group leave their ports while what they have accepted is still answered; its processes go on
 * accepting that. Waits until the loops have done so, a second at the most. Threads: none that drives a loop.
 *
 * to  only those on ports that this group listens on as well; NULL: all
 *
 * Returns how many those were.
 */
unsigned srv_runtime_retire_group(struct srv_runtime *runtime, const struct sched_group *group,
                                  const struct sched_group *to);
/** Whether such a group has no connection and no request left. Threads: any. */
bool srv_runtime_group_is_drained(struct srv_runtime *runtime, const struct sched_group *group);
/** Whether a group has a listener open. Threads: any. */
bool srv_runtime_group_listens(struct srv_runtime *runtime, const struct sched_group *group);
/** The ports a group listens on, at most `most`; returns how many. Threads: any. */
unsigned srv_runtime_ports(struct srv_runtime *runtime, const struct sched_group *group, uint16_t *ports,
                           unsigned most);

/** Send what programs have answered so far, for a fifth of a second at the most. Only after sched_stop(), by who will
 * not srv_runtime_stop(). */
void srv_runtime_flush(struct srv_runtime *runtime);
/** End everything: each open request is answered 503 if its client still listens, every daemon stops. Only after
 * sched_stop(). */
void srv_runtime_stop(struct srv_runtime *runtime);
/** NULL is fine; returns NULL. */
struct srv_runtime *srv_runtime_free(struct srv_runtime *runtime);

/** For sched_group.ended: a request that the process had to answer gets its 500; the servers of a killed one are
 * closed. */
void srv_process_ended(struct vm_ctx *ctx, struct vm_process *process, enum vm_stop stop);
/** The request that a crashed process has to answer, 0 when there is none that is still open; its method and path as
 * text in `what` ("GET /x", cut to fit). In sched_group.ended, before srv_process_ended(), which must follow: the
 * request cannot be answered by anybody else while its text is read. */
uint64_t srv_process_request(const struct vm_process *process, char *what, size_t size);
/** For sched_group.spawned: see "Who answers" in request.h. */
void srv_process_spawned(struct vm_ctx *ctx, vm_value closure, struct vm_process *child);

/** Figures since the start, summed over the loops. Threads: any. */
struct srv_stats {
    uint64_t requests;   /* whole requests received */
    uint64_t answers[6]; /* by status / 100; [0]: others */
    uint64_t queue_full; /* answered 503 because nobody accepted in time */
    uint64_t deadlines;  /* 504 */
    uint64_t died;       /* 500 because the process ended */
    uint64_t too_large;  /* 413 */
    uint64_t gone;       /* clients that left before the answer */
    uint64_t connections, connections_now;
    uint64_t requests_now; /* received and not answered yet */
    uint64_t unsent_bytes; /* of large answers on their way (unsent.h) */
    uint64_t unsent_full;  /* 503 because they kept too much memory */
    uint64_t hung_up;      /* clients that took next to nothing of theirs */
    uint64_t suspended;    /* times a connection had to be suspended */
};
void srv_runtime_stats(const struct srv_runtime *runtime, struct srv_stats *ret_stats);

#endif
