/*
 * timer.h - deadlines of one thread: a binary heap of two sorts of entries.
 *
 * C code embeds a struct sched_timer, which can be moved and cancelled. Processes that wait have an entry that is never
 * searched for: each process has an atomic word with the deadline of the one entry that counts for it, and an
 * entry that finds another deadline there is garbage, dropped when it comes up or when garbage prevails.
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

struct sched_timer {
    void (*fire)(struct sched_timer *timer, struct vm_ctx *ctx); /* it is not set any more then and may be set anew */
    uint64_t deadline_ns;
    uint32_t position; /* in the heap, from 1; 0: not set. Start with 0 */
};

static inline bool sched_timer_is_set(const struct sched_timer *timer) { return timer->position != 0; }

/** Returns NULL without memory. */
struct sched_timers *sched_timers_new(void);
/** NULL is fine; returns NULL. Timers still set are simply forgotten. */
struct sched_timers *sched_timers_free(struct sched_timers *timers);

/** Set or move a timer. False without memory: it is then not set. */
bool sched_timers_set(struct sched_timers *timers, struct sched_timer *timer, uint64_t deadline_ns);
void sched_timers_cancel(struct sched_timers *timers, struct sched_timer *timer);

/** See that a process that is about to park is woken at `deadline_ns` or before. `at` is the process's word for it,
 *  shared with the other threads' heaps. False without memory. */
bool sched_timers_arm(struct sched_timers *timers, struct vm_process *process, _Atomic uint64_t *at,
                      uint64_t deadline_ns);

/** The nearest deadline; UINT64_MAX when there is none. */
uint64_t sched_timers_next(const struct sched_timers *timers);
/** Fire what is due, oldest deadline first, equal ones in the order they were set. Processes are handed to `wake`.
 *  Returns how many. */
size_t sched_timers_run(struct sched_timers *timers, uint64_t now_ns, struct vm_ctx *ctx,
                        void (*wake)(struct vm_ctx *ctx, struct vm_process *process));
/** Entries, garbage included. Threads: any. */
size_t sched_timers_count(const struct sched_timers *timers);

#endif
