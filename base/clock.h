/* clock.h - time. Monotonic nanoseconds for deadlines, wall-clock milliseconds for people. Threads: any. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t nb_clock_ns(void);      /* CLOCK_MONOTONIC */
int64_t nb_clock_wall_ms(void);  /* since 1970, UTC */

#endif
