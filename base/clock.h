/* clock.h - time. Monotonic nanoseconds for deadlines, wall-clock milliseconds for people. Threads: any. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t nb_clock_ns(void);      /* CLOCK_MONOTONIC, or the logical clock while there is one */
int64_t nb_clock_wall_ms(void);  /* since 1970, UTC */

/** Reproducible runs: from now on nb_clock_ns() answers this, until it is set again; 0 goes back to real time. */
void nb_clock_set_logical(uint64_t now_ns);

#endif
