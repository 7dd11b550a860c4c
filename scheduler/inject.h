/*
 * inject.h - the injection queue: processes made runnable outside of the workers, and what overflows a worker's own
 * queue.
 *
 * Any thread puts, without a lock and without ever waiting. Workers take batches, oldest first; only one takes at a
 * time, another that comes meanwhile gets nothing and looks elsewhere. Processes are linked through
 * vm_process.queue_next.
 */
#ifndef SCHEDULER_INJECT_H
#define SCHEDULER_INJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct vm_process;

struct sched_inject {
    _Atomic(struct vm_process *) newest;   /* put here, linked to the one before */
    _Atomic bool taking;                   /* some worker owns the next two */
    struct vm_process *oldest, *oldest_end; /* in order: already turned round */
    _Atomic size_t length;                 /* both together; never less than what is to be had */
};

/** Make it empty. Threads: nobody else may use it yet. */
void sched_inject_init(struct sched_inject *inject);
/** Put one process. Threads: any; lock-free. */
void sched_inject_put(struct sched_inject *inject, struct vm_process *process);
/** Put a chain, first to be run first, linked by queue_next up to `last`. Threads: any; lock-free. */
void sched_inject_put_chain(struct sched_inject *inject, struct vm_process *first, struct vm_process *last,
                            size_t count);
/**
 * Take at most `most` processes, oldest first, as a chain that ends with NULL. Returns how many; 0 when there are
 * none or when another thread is taking: sched_inject_length() tells which. Threads: any; never waits.
 */
size_t sched_inject_take(struct sched_inject *inject, size_t most, struct vm_process **ret_first);
/** How many wait; not zero while a put that has returned was not taken. Threads: any. */
size_t sched_inject_length(const struct sched_inject *inject);

#endif
