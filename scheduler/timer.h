/*
 * timer.h - the deadlines of processes that wait: a binary heap of one thread.
 *
 * An entry is never searched for: each process has an atomic word with the deadline of the one entry that counts for
 * it, and an entry that finds another deadline there is garbage, dropped when it comes up or when garbage prevails.
 *
 * A process whose new deadline is later than that of its entry keeps it: the entry then wakes it too early, the process
 * looks at the clock, parks again, and gets the right one. So a loop of `receive … after` that always receives in
 * time costs one entry per timeout that went by, not per message.
 *
 * Threads: a heap belongs to one thread.
 */
#ifndef SCHEDULER_TIMER_H
#define SCHEDULER_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vm_ctx;
struct vm_process;
struct sched_timers;

/** Make an empty heap. Returns NULL without memory. */
struct sched_timers *sched_timers_new(void);
/** Free it; NULL is fine. Entries are simply forgotten. Returns NULL. */
struct sched_timers *sched_timers_free(struct sched_timers *timers);

/** See that a process that is about to park is woken at `deadline_ns` or before. `at` is the process's word for it,
 *  shared with the other threads' heaps. False without memory. */
bool sched_timers_arm(struct sched_timers *timers, struct vm_process *process, _Atomic uint64_t *at,
                      uint64_t deadline_ns);

/** The nearest deadline; UINT64_MAX when there is none. */
uint64_t sched_timers_next(const struct sched_timers *timers);
/** Hand the processes whose deadlines have passed to `wake`, nearest deadline first, equal ones in the order they were
 *  armed. What is armed meanwhile waits for the next run. Returns how many entries came up. */
size_t sched_timers_run(struct sched_timers *timers, uint64_t now_ns, struct vm_ctx *ctx,
                        void (*wake)(struct vm_ctx *ctx, struct vm_process *process));
/** Entries, garbage included. Threads: any. */
size_t sched_timers_count(const struct sched_timers *timers);

#endif
