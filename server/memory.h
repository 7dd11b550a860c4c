/*
 * memory.h - gives memory back to the system when a peak is over.
 *
 * What processes had goes back to the allocator when they end, and there it would stay. So somebody looks every few
 * seconds (a look is two small reads): when much has become free, the scheduler's free slots and the allocator's free
 * pages go to the system. That costs milliseconds, on the caller's thread.
 *
 * Threads: one, the manager's.
 */
#ifndef SERVER_MEMORY_H
#define SERVER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/sched.h"

/** Start with zeroes. */
struct srv_memory {
    uint64_t next_ns;                  /* of the next look */
    uint64_t released_ns;              /* when memory was last given back … */
    uint64_t before_bytes, kept_bytes; /* … and what was resident before and afterwards */
    uint64_t exited, seen_exited;      /* processes that had ended by then; by the last look */
    uint64_t peak;                     /* most processes alive since then, as far as seen */
};

/** Look, if it is time to. True when memory was given back. memory->next_ns says when to come again. */
bool srv_memory_look(struct srv_memory *memory, struct sched *sched, uint64_t now_ns);
/** Bytes of this program in memory; 0 when that cannot be found out. */
uint64_t srv_memory_resident(void);

#endif
