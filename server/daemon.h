/*
 * daemon.h - nostosd as a whole, from the configuration to the last answer.
 *
 * The thread that calls srv_daemon_run() is the manager: it takes signals, starts and watches over apps, reloads and
 * drains. What tells the outside world (systemd, the log's sink) comes in as callbacks, so that this part of the
 * program runs the same in a test.
 *
 * SIGTERM, SIGINT: drain, then end. A second one ends at once. SIGHUP: read the configuration and the folder of apps
 * again.
 */
#ifndef SERVER_DAEMON_H
#define SERVER_DAEMON_H

#include <stdint.h>

#include "conf/conf.h"

struct srv_daemon_hooks {
    void (*ready)(const char *status); /* started, or reloaded; status is a sentence */
    void (*status)(const char *status);
    void (*reloading)(void);
    void (*stopping)(const char *status);
    void (*extend_timeout)(uint64_t milliseconds);
    void (*watchdog)(void);                      /* workers make progress */
    uint64_t watchdog_interval_ns;               /* 0: never */
    void (*configured)(const struct conf *conf); /* log level and format, also after a reload */
    /** A listening socket that was opened for us, by the name of a listener block (NULL: it has none) or by its port:
     * the descriptor, or -ENOENT. Any thread. */
    int (*passed_socket)(const char *name, uint16_t port);
};

struct srv_daemon_options {
    const char *config_path;              /* NULL: the defaults */
    const char *apps_dir;                 /* instead of the configured one; NULL */
    const char *control_socket;           /* likewise; "" for none */
    const struct srv_daemon_hooks *hooks; /* none of them NULL */
};

/** Run until told to end. `conf` was read from options->config_path; one share of it is taken over. Returns 0, or 1
 * when it could not start. */
int srv_daemon_run(const struct srv_daemon_options *options, struct conf *conf);

#endif
