/*
 * park.h - workers that sleep, and who wakes them.
 *
 * Each worker has a token to sleep on: a futex, or an eventfd when it must watch other descriptors as well. A bitmap
 * tells who is parked, a counter how many are searching for work. The rules (see the wake-up note in park.c):
 * somebody who has made work and wants help wakes one worker if one is parked and none is searching; the last
 * searcher that finds work passes that on; whoever parks announces it, looks at all queues once more, and only then
 * sleeps. Nobody wakes up without a reason: idle costs no CPU.
 */
#ifndef SCHEDULER_PARK_H
#define SCHEDULER_PARK_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct sched_parking;

/** How a sleep ended. */
enum sched_woken {
    SCHED_WOKEN_BY_ITSELF, /* deadline or descriptor; still announced: sched_parking_withdraw() comes next */
    SCHED_WOKEN,           /* by sched_parking_wake() */
    SCHED_WOKEN_TO_SEARCH  /* by sched_parking_wake_one(); it counts as searching now */
};

/** For `workers` threads, 1 to SCHED_WORKERS_MAX. Returns 0, -EINVAL or -ENOMEM. */
int sched_parking_new(unsigned workers, struct sched_parking **ret_parking);
struct sched_parking *sched_parking_free(struct sched_parking *parking); /* NULL is fine; returns NULL */

/** This worker will sleep in poll(2): give it an eventfd. Before any thread starts. 0 or -errno. */
int sched_parking_use_poll(struct sched_parking *parking, unsigned worker);

/** Begin to search for work in foreign queues. */
void sched_parking_search(struct sched_parking *parking);
/** Searching was successful. Returns true for the last searcher: it wakes another one if it leaves work behind. */
bool sched_parking_found(struct sched_parking *parking);

/** Worker: I am going to sleep (and search no more, if `searching`). Look at all queues after this. Returns true if
 *  now all are parked. */
bool sched_parking_announce(struct sched_parking *parking, unsigned worker, bool searching);
/** Worker: I do not sleep after all. False: somebody has woken me meanwhile; then sched_parking_sleep() must follow,
 *  and returns at once. */
bool sched_parking_withdraw(struct sched_parking *parking, unsigned worker);
/**
 * Worker, announced: sleep until woken, until `deadline_ns` (UINT64_MAX: none), or until one of `count` descriptors
 * is ready. With descriptors, which only workers of sched_parking_use_poll() have, fds[0] is filled in here and
 * `count` includes it.
 */
enum sched_woken sched_parking_sleep(struct sched_parking *parking, unsigned worker, uint64_t deadline_ns,
                                     struct pollfd *fds, unsigned count);

/** There is work that somebody else could do: wake one worker if one is parked and none is searching. Returns whether
 *  it did. The work must be in its queue before. Threads: any. */
bool sched_parking_wake_one(struct sched_parking *parking);
/** Wake this worker if it is parked; the reason must be visible before. Returns whether it was. Threads: any. */
bool sched_parking_wake(struct sched_parking *parking, unsigned worker);
/** Whether a worker is parked (a moment's answer). Threads: any. */
bool sched_parking_is_parked(const struct sched_parking *parking, unsigned worker);

#endif
