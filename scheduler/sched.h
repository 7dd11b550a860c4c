/*
 * sched.h - the scheduler: worker threads that run lightweight processes on all cores.
 *
 * One worker per core. Each has a local run queue, steals from the others when it has nothing to do, and sleeps
 * when nobody has. Around that core: groups (the processes of one app version, with limits and callbacks), pollers
 * (a connection loop that lives on a worker) and deferred hooks (once per batch of processes).
 *
 * How it is used:
 *
 *     sched_new(&options, &sched);              sched_group_init(&group); group.ended = …; group.processes_max = …;
 *     sched_add_poller(sched, 0, &loop);        sched_start(sched);
 *     sched_process_new(NULL, sched, &group, program, entry, &process);   sched_submit(NULL, process);
 *     …
 *     sched_group_kill(sched, &group); sched_group_release(&group);  → group.all_ended(&group), exactly once
 *     sched_stop(sched); sched = sched_free(sched);
 *
 * Wherever a function takes a `ctx`, it is that of the worker whose thread calls (natives, pollers, hooks and
 * callbacks are given it), or NULL on every other thread.
 */
#ifndef SCHEDULER_SCHED_H
#define SCHEDULER_SCHED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/stress.h"
#include "scheduler/timer.h"
#include "vm/host.h"

struct sched;

enum {
    SCHED_WORKERS_MAX = 1024,
    SCHED_SLICE = 4000,               /* reductions of one time slice */
    SCHED_DEPTH_MAX_DEFAULT = NB_STRESS_OR(2000, 50000) /* nested calls of a process, unless its group says otherwise */
};

/* ---- the scheduler ---- */

struct sched_options {
    unsigned workers;     /* 0: as many as this process has cores (affinity mask and cgroup quota), see sched_cores() */
    bool single_thread;   /* reproducible: one worker on the thread of sched_run(), choices and slices by `seed`, … */
    uint64_t seed;        /* … and a logical clock (base/clock.h) that jumps to the next timer when nothing can run and
                           * no process waits for something from outside (I/O, requests): then it goes as time does */
    /** All workers have run out of work; the last one calls this before it sleeps. NULL: nothing. It may look
     *  (sched_is_stuck), sched_quit() or wake processes. */
    void (*on_idle)(struct sched *sched, void *context);
    void *context;        /* for on_idle */
};

/** Cores this process may use: affinity mask, bounded by the cgroup's CPU quota (rounded up). At least 1. */
unsigned sched_cores(void);

/** A scheduler without threads yet. Returns 0, -EINVAL (too many workers), -ENOMEM or another -errno (descriptors). */
int sched_new(const struct sched_options *options, struct sched **ret_sched);

/** Start the worker threads. Signals are blocked in them. Returns 0 or -errno; after a failure none runs.
 *  Not in single-thread mode (see sched_run). */
int sched_start(struct sched *sched);

/** Run until sched_quit(): in single-thread mode everything happens on this thread; else this starts the workers and
 *  waits for their end. Returns 0 or -errno as sched_start(). */
int sched_run(struct sched *sched);

/** Ask the workers to end, each after the slice it is in. Threads: any, also callbacks. Never blocks. */
void sched_quit(struct sched *sched);

/** sched_quit() and wait until all worker threads have ended. Threads: none of them. Processes stay where they were. */
void sched_stop(struct sched *sched);

/** End what processes there still are (group->ended() with VM_STOP_KILLED, on this thread with worker 0's context;
 *  deferred hooks set from there do not run any more) and give all memory back. NULL is fine; returns
 *  NULL. Only after sched_stop() or sched_run(), or when never started. */
struct sched *sched_free(struct sched *sched);

/** The callbacks the VM needs; constant. */
const struct vm_host *sched_host(void);

/** How many workers there are, from sched_new() on. */
unsigned sched_worker_count(const struct sched *sched);
/** Index of the worker whose context this is, from 0. */
unsigned sched_worker_index(const struct vm_ctx *ctx);
/** The scheduler of a worker's context. */
struct sched *sched_of(const struct vm_ctx *ctx);
/** The scheduler's clock as of this turn of the worker: at most some 10 µs old between slices, no system call. */
uint64_t sched_now_ns(const struct vm_ctx *ctx);

/* ---- groups ---- */

/** The limits of a group that end a process from outside. */
enum sched_limit { SCHED_LIMIT_HEAP_TOTAL, SCHED_LIMIT_MAILBOX, SCHED_LIMIT_MAILBOX_BYTES };

/**
 * The processes of one app version. Memory of the caller; initialise with sched_group_init(), then set what differs,
 * before the first process. `vm_process.owner` of each of its processes points here; what they spawn joins the same
 * group. All limits: 0 means none.
 */
struct sched_group {
    unsigned magic;
    const char *name;            /* for people; kept by reference */
    void *context;               /* the owner's */
    uint32_t processes_max;      /* live at a time; a spawn beyond raises ("Panic", "Too many processes (limit N)") */
    uint64_t heap_max_words;     /* block of one process; more raises ("Panic", "Out of memory") */
    uint64_t heap_total_max_words; /* of all its processes together; the one that grows past it is killed */
    uint32_t depth_max;          /* nested calls; starts as SCHED_DEPTH_MAX_DEFAULT */
    uint32_t mailbox_max;        /* messages waiting at one process; a receiver with more is killed */
    uint64_t mailbox_max_bytes;  /* that they take before they are looked at; likewise */

    /** A process ends; its memory is given back after this returns, so exception, trace, result, http_requests are
     *  still there. Called on the worker that ran it. ctx->process is NULL. May be NULL. */
    void (*ended)(struct sched_group *group, struct vm_ctx *ctx, struct vm_process *process, enum vm_stop stop);
    /** A limit of the group is about to end the process `pid`, which ended() will tell of. On the worker that noticed:
     *  for a full mailbox that of a sender. May be NULL. */
    void (*limited)(struct sched_group *group, struct vm_ctx *ctx, uint64_t pid, enum sched_limit limit);
    /** ctx->process has spawned `child`, which does not run yet, to call `closure`. On the parent's worker; closure
     *  may move in an allocation. May be NULL. */
    void (*spawned)(struct sched_group *group, struct vm_ctx *ctx, vm_value closure, struct vm_process *child);
    /** Output of print, println, eprint. Any worker, several at once. NULL: standard output and error, unbuffered. */
    void (*output)(struct sched_group *group, struct vm_ctx *ctx, bool error, bool newline, const char *text,
                   size_t length);
    void (*flush)(struct sched_group *group, struct vm_ctx *ctx, bool error);
    /** Released by its owner, and no process is left: called exactly once, on some thread; the memory may be freed in
     *  it. May be NULL. */
    void (*all_ended)(struct sched_group *group);

    _Atomic uint64_t references; /* one per live process, one of the owner until sched_group_release() */
    _Atomic bool released;
    _Atomic bool closing;        /* sched_group_kill(): no new processes */
    _Atomic uint64_t heap_words; /* of its bigger processes together */
    _Atomic uint64_t killed_for_memory, killed_for_mailbox; /* processes that a limit ended */
};

/** Fill in a group with no limits and no callbacks. `name` is for people and must live as long. */
void sched_group_init(struct sched_group *group, const char *name);
/** The owner lets go: once the last process has ended (perhaps right now, in here) all_ended() is called. */
void sched_group_release(struct sched_group *group);
/** Processes that are alive. Threads: any. */
uint64_t sched_group_live(const struct sched_group *group);
/** Ask all processes of a group to end, and refuse new ones from now on. Threads: any; they end soon afterwards, each
 *  on a worker. Costs a walk over the process table. */
void sched_group_kill(struct sched *sched, struct sched_group *group);
/**
 * Whether no process of the group can ever go on: each waits in a receive without timeout or for an mvar; none runs,
 * is runnable, has a deadline or waits for I/O or a request. Exact when called from on_idle(); at other times a
 * process that is just being woken may be overlooked. A group without processes is not stuck.
 */
bool sched_is_stuck(struct sched *sched, const struct sched_group *group);

/** Give the memory of processes that have ended back to the allocator and the system. Costs milliseconds after a burst
 *  of many; meant for a thread of its own. Threads: any, one at a time. */
void sched_trim(struct sched *sched);

/* ---- processes ---- */

/**
 * A new process of a group that will call `entry`: a function value without parameters, immortal (a program's function)
 * or a closure owned by the calling thread. Its pid is known and it takes messages, but it does not run before
 * sched_submit().
 *
 * Returns 0, -EAGAIN (the group's limit, or the group is closing, or 16 million processes), -EINVAL (the closure
 * cannot be copied) or -ENOMEM. Threads: any. The caller may set fields of the process until it submits it.
 */
int sched_process_new(struct vm_ctx *ctx, struct sched *sched, struct sched_group *group, struct vm_program *program,
                      vm_value entry, struct vm_process **ret_process);
/** Make a new process runnable. Afterwards it may end any time: keep its pid. Threads: any. */
void sched_submit(struct vm_ctx *ctx, struct vm_process *process);
/** Make a process runnable if it waits; see vm/process.h for the protocol. Threads: any; lock-free. */
void sched_wake(struct vm_ctx *ctx, struct vm_process *process);
/** A live process by pid, or NULL; type-stable (vm/host.h). Threads: any; lock-free. */
struct vm_process *sched_find(struct sched *sched, uint64_t pid);
/** Ask a process to end. False when none of that pid lives or it was asked already. Threads: any. */
bool sched_kill(struct vm_ctx *ctx, struct sched *sched, uint64_t pid);
/** Pids of a group's processes (NULL: of all), at most `most`; returns how many. Threads: any. A walk over the
 *  process table. */
size_t sched_list(struct sched *sched, const struct sched_group *group, uint64_t *pids, size_t most);

/* ---- a connection loop on a worker ---- */

/**
 * Something a worker drives between slices and while it is idle. Memory of the caller, until sched_free().
 *
 * The worker calls pass() at once when it has nothing to run, at least every millisecond, and after some
 * 40 µs of work.
 * When it parks it sleeps in poll(2) on `fd` and its own wake-up descriptor. Between announcing that it parks and
 * sleeping it asks pending(), so that whoever hands work to the poller from another thread does: publish, then
 * sched_wake_worker().
 */
struct sched_poller {
    int fd;                                                             /* readable: pass() has something to do */
    bool (*pass)(struct sched_poller *poller, struct vm_ctx *ctx);      /* never blocks; true: it did something */
    bool (*pending)(struct sched_poller *poller);                       /* cheap: was work handed over? NULL: never */
    int64_t (*timeout_ns)(struct sched_poller *poller);                 /* until pass() is due; -1: never. NULL: -1 */
    void *context;                                                      /* the owner's */
    struct sched_poller *next;                                          /* the scheduler's */
};

/** Attach a poller to worker 0 … workers-1. Before sched_start(); one worker may have several. Returns 0 or -errno. */
int sched_add_poller(struct sched *sched, unsigned worker, struct sched_poller *poller);

/** Wake a worker if it is parked, so that its pollers get a pass. Two system calls at the most, none when it is
 *  awake. Threads: any. */
void sched_wake_worker(struct sched *sched, unsigned worker);

/* ---- once per batch ---- */

/** A call to be made later on this worker. Embed it; one belongs to one worker at a time. */
struct sched_deferred {
    void (*run)(struct sched_deferred *deferred, struct vm_ctx *ctx);
    struct sched_deferred *next; /* the scheduler's */
    bool queued;                 /* start with false */
};

/** Have deferred->run() called at the end of this worker's run of processes: when its queue is empty, before its
 *  pollers' pass, after a process used up its slice, or some 50 µs from now, whichever comes first. Nothing when it
 *  is queued already. */
void sched_defer(struct vm_ctx *ctx, struct sched_deferred *deferred);

/* ---- statistics ---- */

struct sched_stats {
    uint64_t spawned, exited;     /* processes since the start */
    uint64_t slices;              /* times a process was run */
    uint64_t steals;              /* processes taken from another worker's queue */
    uint64_t parks, wakes;        /* times a worker went to sleep; times one woke another */
    uint64_t queued;              /* processes in run queues now */
    uint64_t timers;              /* entries now */
    uint64_t busy_ns;             /* time not asleep */
};

#define SCHED_ALL_WORKERS (-1)
/** Of one worker, or of all together (worker = SCHED_ALL_WORKERS). Threads: any; the figures are a moment's. */
void sched_get_stats(const struct sched *sched, int worker, struct sched_stats *ret_stats);

#endif
