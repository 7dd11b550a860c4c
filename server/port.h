/*
 * port.h - the listening sockets of a port. They outlive the listener that opened them when another one goes on.
 *
 * A port is somebody's alone, and binding it twice is an error, except while its users offer it: a version of an app
 * that is being replaced does. Whoever binds it then gets the very same sockets, so clients that connect meanwhile are
 * taken by the one or the other, and none is refused. When the last user leaves, the sockets stop listening.
 *
 * A socket that the service manager has opened and passed on is never made to stop listening: that would end it for the
 * manager as well. It is kept while nobody uses it, and clients wait in its queue.
 *
 * Each connection loop has a socket of its own, so that the kernel spreads connections; of a passed one there is only
 * one, which all loops share.
 *
 * Threads: any. The runtime's lock guards all but the descriptors, which do not change.
 */
#ifndef SERVER_PORT_H
#define SERVER_PORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/limits.h"

struct srv_runtime;

struct srv_port {
    struct srv_port *next; /* in the runtime's list, as long as it can be used */
    uint16_t number;
    char address[sizeof((struct srv_limits *)0)->address];
    unsigned references;    /* who needs the descriptors */
    unsigned users, offers; /* who listens, and which of them let others join */
    bool passed;
    _Atomic bool closed; /* the last user has left: the sockets may, and shall, stop listening */
    unsigned count;
    int fds[]; /* one for each loop */
};

/** Sockets on a port: new ones, passed ones, or those of users who all offer theirs. The caller is a user with a
 * reference then. Returns 0 or -errno. The runtime's lock is held. */
int srv_port_open(struct srv_runtime *runtime, uint16_t number, const char *address, struct srv_port **ret_port);
/** Let others join a user, or not any more. The runtime's lock is held. */
void srv_port_offer(struct srv_port *port, bool offered);
/** A user has stopped listening, or is about to. The runtime's lock is held. */
void srv_port_leave(struct srv_runtime *runtime, struct srv_port *port, bool offered);
/** Stop a loop's socket from listening, if nobody else uses it. */
void srv_port_shut(struct srv_port *port, unsigned loop);
/** Give up a reference; the caller has left. The runtime's lock is held. */
void srv_port_unref(struct srv_port *port);
/** Close the passed ones that are left. For the end of a runtime. */
void srv_port_forget_all(struct srv_runtime *runtime);

#endif
