/*
 * app.h - the apps of apps_dir: found, compiled, started, watched over.
 *
 * An app is a name with a path: NAME.nos or NAME/main.nos. What runs is a version of it: a program image with the
 * processes of its own group and the listeners that they opened. A version is started when it compiles; the former one,
 * if there is one, serves until the new one listens on the same ports. Then it finishes what it has accepted, for
 * `drain_seconds` at the most, beside the new one, and is ended. So is one whose file is gone or that was switched off.
 *
 * Supervision: a version whose main process fails has its listeners closed and its processes ended, and is started
 * again after a pause that doubles with each failure up to the configured longest; it starts short again once a version
 * has run for a minute. A main process that returns leaves a version running as long as it has a listener open, else
 * the app has ended.
 *
 * Threads: one thread, the manager's, calls everything but what says otherwise. Workers report by setting a flag of the
 * version and waking the manager through srv_apps_fd(). The list of apps and their texts are under a lock, so that the
 * control thread can describe them any time.
 */
#ifndef SERVER_APP_H
#define SERVER_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "scheduler/sched.h"
#include "server/runtime.h"

struct srv_apps;

enum srv_app_state {
    SRV_APP_OFF,      /* switched off in the configuration */
    SRV_APP_BROKEN,   /* cannot be loaded: see its problem */
    SRV_APP_STARTING, /* main runs, nothing is listened on yet */
    SRV_APP_RUNNING,
    SRV_APP_RESTARTING, /* failed; waits for its next try */
    SRV_APP_ENDED       /* main returned, and nothing is left to serve */
};

/** The apps of a folder. `conf` is shared. Returns 0 or -errno. */
int srv_apps_new(struct sched *sched, struct srv_runtime *runtime, struct conf *conf, const char *folder,
                 struct srv_apps **ret_apps);
/** Ends nothing: after srv_apps_stop() and sched_free(). NULL is fine; returns NULL. */
struct srv_apps *srv_apps_free(struct srv_apps *apps);

/** Look at the folder: start apps that are new, end those that are gone, replace those whose files changed. With
 * another configuration unless `conf` is NULL. Reports what cannot be done in the log. What that leads to shows in
 * srv_apps_look(). Returns 0, or -errno when the folder cannot be read: it may come back, so all apps stay as they are.
 */
int srv_apps_scan(struct srv_apps *apps, struct conf *conf);

/** Have `progress` called before an app is loaded in a scan: its name, how many were looked at before it, how many
 *  there are. */
void srv_apps_on_progress(struct srv_apps *apps,
                          void (*progress)(void *context, const char *name, size_t before, size_t count),
                          void *context);
/** Readable when something has happened to a version; then call srv_apps_look(). */
int srv_apps_fd(const struct srv_apps *apps);
/** Act on what has happened: restart what failed and is due, free what has ended. Returns when it must be called again
 * (nb_clock_ns()), UINT64_MAX: when there is a reason. */
uint64_t srv_apps_look(struct srv_apps *apps);
/** Whether each app is up, or has failed and was reported, and those that are gone serve no more. */
bool srv_apps_are_settled(const struct srv_apps *apps);
/** How many apps cannot be loaded, or not in their latest state. */
unsigned srv_apps_count_broken(const struct srv_apps *apps);

/** End all processes of all apps; requests that are open get their 500. */
void srv_apps_stop(struct srv_apps *apps);
/** Whether every version has ended. */
bool srv_apps_have_ended(struct srv_apps *apps);

/* ---- for people: any thread ---- */

/** "3 of 4 apps serve: …" */
void srv_apps_summary(struct srv_apps *apps, struct nb_buf *out);
/** A line per app: name, state, version, ports, processes, restarts; broken ones with what is wrong. */
void srv_apps_describe(struct srv_apps *apps, struct nb_buf *out);
/** A line per process, of one app or (NULL) of all. False when there is no such app. */
bool srv_apps_describe_processes(struct srv_apps *apps, const char *name, struct nb_buf *out);

#endif
