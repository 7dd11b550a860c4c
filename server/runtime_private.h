/* runtime_private.h - what the files of server/ know of a runtime. */
#ifndef SERVER_RUNTIME_PRIVATE_H
#define SERVER_RUNTIME_PRIVATE_H

#include <pthread.h>

#include "server/listener.h"
#include "server/loop.h"
#include "server/runtime.h"

struct srv_runtime {
    unsigned magic;
    struct sched *sched;
    struct srv_runtime_options options;
    struct srv_request_table requests;
    struct srv_waiter_pool waiters;
    struct srv_loop *loops;
    unsigned loop_count;
    _Atomic bool draining;
    pthread_mutex_t lock; /* opening and closing listeners, their ports; never on a request's way */
    struct srv_port *ports; /* that are listened on, or were passed */
    int64_t generation;   /* makes handles unique */
    _Atomic(struct srv_listener *) listeners[SRV_LISTENERS_MAX]; /* by slot; made when first needed, kept */
};

/** The program's runtime, NULL when it has none. */
struct srv_runtime *srv_runtime_current(void);

#endif
