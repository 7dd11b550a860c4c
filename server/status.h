/*
 * status.h - the daemon's state as text, for people who look at it.
 */
#ifndef SERVER_STATUS_H
#define SERVER_STATUS_H

#include <stdint.h>

#include "base/buf.h"

struct sched;
struct srv_apps;
struct srv_runtime;

/** Whose state. */
struct srv_status {
    const struct sched *sched;
    struct srv_runtime *runtime;
    struct srv_apps *apps;
    uint64_t started_ns; /* by nb_clock_ns() */
};

/** Append a line each about the process, its memory, apps, requests, troubles, connections and the scheduler.
 *  Threads: any. */
void srv_status_describe(const struct srv_status *status, struct nb_buf *out);

#endif
