/*
 * worker.h - the insides of the scheduler, for the files of this folder: one worker, and the whole.
 */
#ifndef SCHEDULER_WORKER_H
#define SCHEDULER_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "scheduler/inject.h"
#include "scheduler/park.h"
#include "scheduler/runq.h"
#include "scheduler/sched.h"
#include "scheduler/sim.h"
#include "scheduler/table.h"
#include "scheduler/timer.h"

#define SCHED_WORKER_MAGIC 0xe86b21d4u
#define SCHED_MAGIC 0x4f90d76bu

/** Written by the worker only, read by anybody: counting needs no locked instruction. */
struct sched_counts {
    _Atomic uint64_t spawned, exited, slices, steals, parks, wakes, busy_ns;
};

static inline void sched_count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more, memory_order_relaxed);
}

struct sched_worker {
    struct vm_ctx ctx;                    /* ctx.worker points back here */
    unsigned magic, index;
    struct sched *sched;
    pthread_t thread;

    struct sched_runq *queue;
    struct vm_process *next;              /* run next: woken by the one that ran last, runs on in its slice */
    int64_t slice_left;                   /* what that has left */
    unsigned turn;                        /* slices, for the look at the injection queue */
    uint64_t random;                      /* where stealing begins */
    bool searching;                       /* counted as searcher by sched_parking */

    uint64_t pushed;                      /* processes ever pushed into `queue` */
    uint64_t sample, sample_ns;           /* the sample-th of these was pushed then; 0 none (the age rule) */

    uint64_t now_ns;                      /* the clock as of the last look … */
    int64_t clock_debt;                   /* … and the reductions since then */
    uint64_t awake_ns;                    /* since when it is not asleep */
    _Atomic uint64_t busy_from_ns;        /* the same for others to read; 0 while asleep */

    struct sched_timers *timers;
    struct sched_free_slots free;
    struct sched_deferred *deferred, **deferred_end;
    uint64_t deferred_ns;                 /* when the oldest of them came */

    struct sched_poller *pollers;
    struct pollfd *poll_fds;              /* [0] the wake-up descriptor, then one per poller; NULL without pollers */
    unsigned poll_count;
    int64_t poll_debt;                    /* reductions since the pollers' last pass */
    int64_t slice_work;                   /* reductions of a slice with what its turn costs, a sliding average */
    uint64_t polled_ns;

    int outside;                          /* on the logical clock: processes that wait for I/O or requests */

    struct sched_counts counts;
} __attribute__((aligned(64)));

struct sched {
    unsigned magic;
    struct sched_options options;
    unsigned worker_count;
    struct sched_worker *workers;
    struct sched_parking *parking;
    struct sched_table *table;
    struct sched_links *links;
    struct sched_inject inject;
    struct sched_sim *sim;                /* in single-thread mode, else NULL */
    bool started;                         /* threads run */
    _Atomic bool quit;
    _Atomic uint64_t spawned_outside;     /* processes made by other threads than workers */
};

static inline void sched_read_clock(struct sched_worker *worker)
{
    worker->now_ns = nb_clock_ns();
    worker->clock_debt = 0;
}

static inline struct sched_worker *sched_worker_of(const struct vm_ctx *ctx) { return ctx->worker; }

/** The worker whose loop runs on this thread, or NULL. */
struct sched_worker *sched_this_worker(void);
/** The life of a worker's thread: until sched->quit. */
void sched_worker_loop(struct sched_worker *worker);
/** Sleep until there may be something to do; the worker has found nothing to run. It may return at once. */
void sched_worker_park(struct sched_worker *worker);
/** Put a process that is RUNNABLE into a queue: the worker's own, or with NULL the injection queue. */
void sched_enqueue(struct sched *sched, struct sched_worker *worker, struct vm_process *process);
/** End a process: callback, memory, slot, group. */
void sched_process_end(struct sched_worker *worker, struct vm_process *process, enum vm_stop stop);
/** Whether it is this process, not an earlier one in its memory, that was asked to end. */
bool sched_process_is_killed(struct vm_process *process);
/** Ask the process with that pid to end, if it is still there. False when it had been asked already. */
bool sched_slot_kill(struct vm_ctx *ctx, struct sched_slot *slot, uint64_t pid);
/** After a slice: note how much memory the process has; true when its group has too much because of it. */
bool sched_group_account(struct sched_slot *slot);
/** One process less; the group may be gone afterwards. */
void sched_group_leave(struct sched_group *group);
/** One process more, if the group may have it. */
bool sched_group_enter(struct sched_group *group);

#endif
