/* clock.c - time, by clock_gettime() (no system call on Linux). */
#include "config.h"

#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic uint64_t logical_ns; /* 0: real time */

uint64_t nb_clock_ns(void)
{
    uint64_t logical = atomic_load_explicit(&logical_ns, memory_order_relaxed);
    struct timespec now;

    if (logical != 0)
        return logical;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t nb_clock_wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void nb_clock_set_logical(uint64_t now_ns)
{
    atomic_store_explicit(&logical_ns, now_ns, memory_order_relaxed);
}
