/*
 * session_run.h - where the inputs of a session run: workers, one group of processes, and what these say.
 *
 * An input is evaluated by a process of its own, which is waited for; processes it started go on. Results go to
 * standard output, errors to standard error. One of these at a time, driven by one thread.
 */
#ifndef CLI_SESSION_RUN_H
#define CLI_SESSION_RUN_H

#include <stdbool.h>

#include "cli/session.h"
#include "vm/process.h"

struct session_run;

/** What is wanted of an evaluation, and what came of it. */
struct session_outcome {
    enum vm_stop stop;
    bool silent;               /* the value is not printed */
    unsigned wanted;           /* values to keep instead; 0: none */
    int *numbers;              /* of kept values, or -errno */
};

/** Start the workers. Returns 0 or -errno, with *ret_run to be freed in either case. */
int session_run_new(const struct session_options *options, struct session_run **ret_run);
/** End all processes and give everything back; programs may go away then. NULL is fine. Returns NULL. */
struct session_run *session_run_free(struct session_run *run);

/** Run a function without parameters in a process of its own and wait for its end; session_run_interrupt() ends it. The
 *  program must outlive the run. False: it did not come to an end of its own, which was printed. */
bool session_run_evaluate(struct session_run *run, struct vm_program *program, const struct vm_function *function,
                          struct session_outcome *outcome);
/** See session_interrupt(). */
bool session_run_interrupt(void);
/** Tell all processes to end. */
void session_run_end_processes(struct session_run *run);

#endif
