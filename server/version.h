/*
 * version.h - a running program of an app: image, group of processes, how its main process fares.
 */
#ifndef SERVER_VERSION_H
#define SERVER_VERSION_H

#include <stdatomic.h>

#include "conf/conf.h"
#include "lang/diag.h"
#include "scheduler/sched.h"
#include "server/lines.h"
#include "server/runtime.h"

enum srv_main_state { SRV_MAIN_RUNS, SRV_MAIN_RETURNED, SRV_MAIN_FAILED };

struct srv_version {
    struct srv_version *next;
    const char *app; /* its name; outlives the version */
    unsigned number;
    struct sched *sched;
    struct srv_runtime *runtime;
    struct vm_program *program;
    struct sched_group group;
    struct srv_lines lines; /* what its processes print */
    uint64_t main_pid;
    uint64_t started_ns;
    uint64_t until_ns; /* may serve until another one does, or may finish */
    bool handed_over;  /* another one has taken some of its ports */
    _Atomic int main_state; /* enum srv_main_state; the manager acts when it changes */
    _Atomic bool all_ended; /* no process is left: may be freed */
    _Atomic uint64_t crashes;
    char failure[256];              /* what ended main; written before main_state */
    _Atomic int main_limit;         /* 1 + the enum sched_limit that ended main; 0 none */
    void (*changed)(void *context); /* wakes the manager; any thread */
    void *context;
};

/**
 * Compile the program at `path`; nothing of it runs yet. A program without main but with a handle(request) is served on
 * `conf->port`.
 *
 * diag         receives errors of the program
 * ret_version  receives the version; the caller's, until srv_version_free()
 *
 * Returns 0, -EINVAL with errors in `diag`, or another -errno.
 */
int srv_version_load(const struct srv_version *like, const struct conf_app *conf, const char *path,
                     struct ns_diag *diag, struct srv_version **ret_version);
/** Start its main process. Returns 0 or -errno; after that it is as it was. */
int srv_version_run(struct srv_version *version);
/**
 * Whether it has come as far as it comes by itself: main waits for something, has computed for long or has ended; so
 * have the others, if nothing is listened on yet. On a busy machine a version may not have had its turn when a second
 * has passed: what it does not do by then, it may be about to do.
 *
 * Look at this first and at `main_state` or its listeners then.
 */
bool srv_version_has_settled(struct srv_version *version);
/** Have it leave its ports and finish what it has accepted (srv_runtime_retire_group). Its processes go on. */
void srv_version_retire(struct srv_version *version);
/** Whether a retired version has nothing left to finish. */
bool srv_version_is_drained(struct srv_version *version);
/** Close its listeners and end its processes. `all_ended` follows. */
void srv_version_end(struct srv_version *version);
/** Only after `all_ended` or sched_free(), or when it never ran. NULL is fine; returns NULL. */
struct srv_version *srv_version_free(struct srv_version *version);

#endif
