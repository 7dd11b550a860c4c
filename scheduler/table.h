/*
 * table.h - the process table: memory of process structs, and pids.
 *
 * A pid is generation << 24 | index. The index names a slot for good; the generation grows each time the slot gets
 * another process, so a pid is never given out twice (a slot whose generations are used up is retired). The first
 * process is 1. Slots are made in chunks, never moved and never given back before the table is freed: whoever found
 * one may read it any time later, and compares the pid.
 *
 * Slots not in use stand in free lists: one of each worker, without any lock, and a common one that takes in and
 * gives out batches. What is to be remembered of them (links, generations) lies beside the slots, so that the pages of
 * those that nobody uses can be given back to the system: they read as zeroes then, which is a slot without a process.
 */
#ifndef SCHEDULER_TABLE_H
#define SCHEDULER_TABLE_H

#include <stdatomic.h>
#include <stddef.h>

#include "vm/process.h"

struct sched;
struct sched_group;
struct sched_table;

enum { SCHED_PID_INDEX_BITS = 24, SCHED_PROCESSES_MAX = (1 << SCHED_PID_INDEX_BITS) - 1 };

/** A process with what the scheduler notes about it. */
struct sched_slot {
    struct vm_process process;               /* first: a process is its slot */
    struct sched *sched;
    _Atomic(struct sched_group *) group;     /* as process.owner, for other threads to read */
    _Atomic uint64_t timer_at;               /* timer.h */
    _Atomic uint64_t kill_pid;               /* who is meant by process.kill: the greatest asked for */
    _Atomic bool linked;                     /* link.h knows it */
    _Atomic bool traps_exit;                 /* exit signals are messages to it */
    uint64_t accounted_words;                /* its part of group->heap_words */
    uint32_t index;                          /* this and the next only while it is in use */
    uint32_t generation;                     /* of its process */
    vm_value block[VM_BLOCK_WORDS_MIN];      /* of its heap, as long as that is small */
};

static inline struct sched_slot *sched_slot_of(struct vm_process *process) { return (struct sched_slot *)process; }

/** Free slots of one worker: the index of the first, 0 none. Start with zeroes. */
struct sched_free_slots {
    uint32_t first;
    size_t count;
};

/** A table for at most `most` processes (1 to SCHED_PROCESSES_MAX) of a scheduler. Returns 0, -EINVAL or -ENOMEM. */
int sched_table_new(struct sched *sched, size_t most, struct sched_table **ret_table);
/** All processes must have been given back. NULL is fine; returns NULL. */
struct sched_table *sched_table_free(struct sched_table *table);

/** A slot for a new process, with its pid (which vm_process_init() is to be told). `local`: free slots of the calling
 *  worker; NULL on other threads. NULL when the table is full or without memory. Threads: any, each with its own
 *  list; lock-free, allocates only while the table grows. */
struct sched_slot *sched_table_take(struct sched_table *table, struct sched_free_slots *local, uint64_t *ret_pid);
/** Give a slot back; its process is done with (vm_process_done()) and cannot be found any more. */
void sched_table_give(struct sched_table *table, struct sched_free_slots *local, struct sched_slot *slot);

/** Give the memory of the slots in the common list back to the system, as far as whole pages are free. Threads: any,
 *  one at a time; meanwhile others find the common list empty, and no longer than some milliseconds. */
void sched_table_trim(struct sched_table *table);

/** The slot of a live process, or NULL. Threads: any; lock-free. */
struct sched_slot *sched_table_find(const struct sched_table *table, uint64_t pid);
/** One more than the greatest index in use so far, to walk over all slots. Threads: any. */
uint32_t sched_table_end(const struct sched_table *table);
/** The slot of an index, or NULL if it was not made yet. Whether it has a process tells its pid. Threads: any. */
struct sched_slot *sched_table_at(const struct sched_table *table, uint32_t index);

#endif
