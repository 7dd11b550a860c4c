/*
 * sim.h - the run queue of reproducible runs: any runnable process may be next, as a seed decides.
 *
 * With one thread, a logical clock and this in place of the worker's queue, a run depends on the seed alone; and
 * different seeds try different interleavings, which finds mistakes that first-in first-out order hides.
 */
#ifndef SCHEDULER_SIM_H
#define SCHEDULER_SIM_H

#include <stddef.h>
#include <stdint.h>

struct vm_process;
struct sched_sim;

/** Returns NULL without memory. */
struct sched_sim *sched_sim_new(uint64_t seed);
struct sched_sim *sched_sim_free(struct sched_sim *sim); /* NULL is fine; returns NULL. Processes stay the caller's */
/** Add a runnable process. Exhausted memory ends the program: this is for tests. */
void sched_sim_push(struct sched_sim *sim, struct vm_process *process);
/** Remove one of those that wait, each with the same chance; NULL when there are none. */
struct vm_process *sched_sim_take(struct sched_sim *sim);
size_t sched_sim_length(const struct sched_sim *sim);
/** A time slice: from 1 to `most` reductions, short ones as likely as long ones. */
int64_t sched_sim_slice(struct sched_sim *sim, int64_t most);

#endif
