/*
 * clock.h - time. Monotonic nanoseconds for deadlines, wall-clock milliseconds for people. Threads: any.
 *
 * A simulation may stop the monotonic clock and move it by hand; everybody who asks then sees that time.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t nb_clock_ns(void);     /* CLOCK_MONOTONIC, or where nb_clock_set() put it */
int64_t nb_clock_wall_ms(void); /* since 1970, UTC */

/** Stop the monotonic clock at `now_ns` (1 or more), until the next call; 0 lets it follow real time again. */
void nb_clock_set(uint64_t now_ns);

#endif
