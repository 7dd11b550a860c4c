/*
 * runq.h - the run queue of one worker: which processes may run next on this core.
 *
 * One thread, the owner, pushes. Every worker may take: the owner in turn, an idle worker when it steals. A process
 * is in at most one run queue at a time; its state sees to that (vm/process.h). The queue is bounded: what does not fit
 * goes to the injection queue (inject.h). The queue never looks inside a process.
 */
#ifndef SCHEDULER_RUNQ_H
#define SCHEDULER_RUNQ_H

#include <stdbool.h>
#include <stddef.h>

struct vm_process;
struct sched_runq;

/**
 * Make an empty run queue.
 *
 * capacity   most processes it shall hold, 1 to 65535; rounded up to 2^n - 1
 * ret_queue  receives the queue; left alone on failure
 *
 * Returns 0, -EINVAL (capacity out of range) or -ENOMEM.
 * Ownership: the caller's, until sched_runq_free().
 */
int sched_runq_new(size_t capacity, struct sched_runq **ret_queue);

/** Free a queue; NULL is fine. Processes still in it stay the caller's. Returns NULL.
 *  Threads: no other thread may use the queue any more. */
struct sched_runq *sched_runq_free(struct sched_runq *queue);

/** Append a process. Returns false when full. Threads: the owner only; wait-free. */
bool sched_runq_push(struct sched_runq *queue, struct vm_process *process);

/** Remove the oldest process, NULL when empty. Threads: any; lock-free. */
struct vm_process *sched_runq_take(struct sched_runq *queue);

/** Move the older half of `victim`, as far as it fits, into `own`. Returns how many were moved.
 *  Threads: the owner of `own` only; lock-free. */
size_t sched_runq_steal(struct sched_runq *victim, struct sched_runq *own);

/** How many processes wait: exact for the owner while nobody takes, else a hint. */
size_t sched_runq_length(const struct sched_runq *queue);

/** Most processes it holds. */
size_t sched_runq_capacity(const struct sched_runq *queue);

#endif
