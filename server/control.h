/*
 * control.h - the socket on which nostosctl reaches the daemon.
 *
 * A line in, text out, end: "status", "apps", "processes [APP]", "reload", "stop". It has a thread of its own that
 * waits for no worker and for no compilation, so it answers whatever the apps do; only "reload" waits, for the
 * manager's thread to have done it.
 */
#ifndef SERVER_CONTROL_H
#define SERVER_CONTROL_H

#include "base/buf.h"

struct srv_control;

struct srv_control_handlers {
    /** Write the answer to a command. False: no such command. On the control thread. */
    bool (*command)(void *context, const char *name, const char *argument, struct nb_buf *out);
    void *context;
};

/**
 * Listen on a unix socket, mode 0660, and start the thread. A socket that a dead daemon left is replaced; one on which
 * somebody answers is -EADDRINUSE. Returns 0 or -errno.
 */
int srv_control_start(const char *path, const struct srv_control_handlers *handlers, struct srv_control **ret_control);
/** Stop the thread, remove the socket. NULL is fine; returns NULL. */
struct srv_control *srv_control_stop(struct srv_control *control);

/** For clients: send a command, and append the answer. Returns 0 or -errno. */
int srv_control_ask(const char *path, const char *command, struct nb_buf *out);

#endif
