/*
 * runtime.h - the HTTP side of one scheduler, as the daemon and the plain `nostos` runner wire it.
 *
 *     srv_runtime_register();                       natives Server.*, record types; once, before compiling
 *     sched_new(…); srv_runtime_start(sched, conf); attaches the connection loops; before sched_start() / sched_run()
 *     group.ended → srv_runtime_process_ended(…)    answers what a dying process left unanswered, closes a killed one's servers
 *     sched_stop(sched); srv_runtime_stop();        closes all listeners and answers or drops what is open
 *
 * There is at most one at a time, as there is one scheduler.
 */
#ifndef SERVER_RUNTIME_H
#define SERVER_RUNTIME_H

#include <stdbool.h>

#include "scheduler/sched.h"

struct conf;

/** Register the Server natives and the records they make. Threads: one, at start. */
void srv_runtime_register(void);

/** Prepare connection loops on the workers of a scheduler that has not started yet. `conf` gives limits and the number of loops; NULL: the
 *  defaults. Kept by reference until srv_runtime_stop(). Nothing is opened before the first Server.bind. Returns 0 or -errno. */
int srv_runtime_start(struct sched *sched, const struct conf *conf);

/** To be called from each group's `ended`: requests the process owns and has not answered get 500 at once; servers of a killed process are closed. */
void srv_runtime_process_ended(struct vm_ctx *ctx, struct vm_process *process, enum vm_stop stop);

/** Whether any server is open: then a program that waits is not stuck. Threads: any. */
bool srv_runtime_has_servers(void);

/** After sched_stop(): give everything back. */
void srv_runtime_stop(void);

#endif
