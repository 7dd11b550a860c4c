/*
 * listener.c - opening, finding and closing listeners.
 *
 * Memory: listener structs belong to the runtime's table and are never unmapped before its end; a handle says which use
 * of a slot is meant. References are counted: one for being open, one per endpoint whose loop still has it, one per
 * process that waits in accept, short ones for calls. The last one lets the sockets go and frees rings and endpoints.
 */
#include "config.h"

#include "server/listener.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "server/exchange.h"
#include "server/runtime_private.h"

enum { ATTACH, CLOSE, RETIRE };
#define ENDING UINT32_MAX /* references: the last one is cleaning up */

/* ---- making ---- */

static int add_endpoint(struct srv_listener *listener, struct srv_loop *loop)
{
    struct srv_endpoint *endpoint = nb_alloc_zero(sizeof *endpoint);

    if (endpoint == NULL)
        return -ENOMEM;
    endpoint->listener = listener;
    endpoint->loop = loop;
    endpoint->limits = listener->limits;
    listener->endpoints[listener->endpoint_count++] = endpoint;
    endpoint->ring = srv_ring_new(listener->limits.queue_max);
    if (endpoint->ring == NULL)
        return -ENOMEM;
    endpoint->listen_fd = listener->sockets->fds[loop->index];
    return srv_endpoint_start(endpoint);
}

static int add_endpoints(struct srv_listener *listener)
{
    struct srv_runtime *runtime = listener->runtime;

    for (unsigned i = 0; i < runtime->loop_count; i++) {
        int r = add_endpoint(listener, &runtime->loops[i]);

        if (r < 0)
            return r;
    }
    return 0;
}

/* What the endpoints had opened, and their memory. */
static void close_endpoints(struct srv_listener *listener)
{
    for (unsigned i = 0; i < listener->endpoint_count; i++) {
        struct srv_endpoint *endpoint = listener->endpoints[i];

        if (endpoint->daemon != NULL) { /* only when opening failed half-way */
            MHD_quiesce_daemon(endpoint->daemon);
            srv_endpoint_stop(endpoint);
        }
        listener->endpoints[i] = srv_endpoint_free(endpoint);
    }
    listener->endpoint_count = 0;
}

/* A struct that is not in use, from the table. The table's lock is held. */
static struct srv_listener *unused_listener(struct srv_runtime *runtime)
{
    for (unsigned slot = 0; slot < SRV_LISTENERS_MAX; slot++) {
        struct srv_listener *listener = atomic_load(&runtime->listeners[slot]);

        if (listener == NULL) {
            listener = nb_alloc_zero(sizeof *listener);
            if (listener == NULL)
                return NULL;
            listener->slot = slot;
            listener->runtime = runtime;
            srv_waiters_init(&listener->line, &runtime->waiters);
            atomic_store(&runtime->listeners[slot], listener);
            return listener;
        }
        if (atomic_load(&listener->references) == 0)
            return listener;
    }
    return NULL;
}

/* ---- commands to the loops ---- */

static struct srv_endpoint *endpoint_in(struct srv_listener *listener, const struct srv_loop *loop)
{
    return listener->endpoints[loop->index]; /* one in each loop, in order */
}

static struct srv_listener *listener_of(struct srv_command *command, unsigned which, const struct srv_loop *loop)
{
    return (struct srv_listener *)((char *)(command - loop->index) - offsetof(struct srv_listener, commands[0]) -
                                   which * sizeof((struct srv_listener *)0)->commands[0]);
}

static void run_attach(struct srv_command *command, struct srv_loop *loop, struct vm_ctx *ctx)
{
    (void)ctx;
    srv_loop_attach(loop, endpoint_in(listener_of(command, ATTACH, loop), loop));
}

static void run_close(struct srv_command *command, struct srv_loop *loop, struct vm_ctx *ctx)
{
    struct srv_listener *listener = listener_of(command, CLOSE, loop);

    srv_endpoint_close(endpoint_in(listener, loop), ctx);
    if (atomic_load(&listener->abandoned))
        srv_exchange_fail_all(endpoint_in(listener, loop));
    srv_listener_unref(listener);
}

static void run_retire(struct srv_command *command, struct srv_loop *loop, struct vm_ctx *ctx)
{
    struct srv_listener *listener = listener_of(command, RETIRE, loop);

    (void)ctx;
    srv_endpoint_drain(endpoint_in(listener, loop));
    atomic_fetch_add(&listener->retired_loops, 1);
    srv_listener_unref(listener);
}

static void command_loops(struct srv_listener *listener, struct vm_ctx *ctx, unsigned which,
                          void (*run)(struct srv_command *, struct srv_loop *, struct vm_ctx *))
{
    for (unsigned i = 0; i < listener->runtime->loop_count; i++) {
        struct srv_command *command = &listener->commands[which][i];

        command->run = run;
        srv_loop_command(&listener->runtime->loops[i], ctx, command);
    }
}

/* ---- opening, finding, closing ---- */

static void prepare(struct srv_listener *listener, const struct sched_group *group, uint64_t pid, uint16_t port)
{
    const struct srv_runtime_options *options = &listener->runtime->options;

    listener->group = group;
    snprintf(listener->app, sizeof listener->app, "%s", group->name);
    atomic_store(&listener->abandoned, false);
    atomic_store(&listener->retiring, false);
    atomic_store(&listener->retired_loops, 0);
    atomic_store(&listener->empty_endpoints, 0);
    atomic_store(&listener->unsent_pressed_ns, 0);
    listener->bound_by = pid;
    listener->port = port;
    srv_limits_default(&listener->limits);
    if (options->limits_for != NULL)
        options->limits_for(options->context, port, &listener->limits);
}

/* The runtime's lock is held. */
static void leave_port(struct srv_listener *listener)
{
    if (listener->listens)
        srv_port_leave(listener->runtime, listener->sockets, listener->offered);
    listener->listens = listener->offered = false;
}

static int open_locked(struct srv_runtime *runtime, struct vm_ctx *ctx, const struct sched_group *group, uint64_t pid,
                       uint16_t port, int64_t *ret_handle)
{
    struct srv_listener *listener = unused_listener(runtime);
    int r;

    if (listener == NULL)
        return -EMFILE;
    prepare(listener, group, pid, port);
    r = srv_port_open(runtime, port, listener->limits.address, &listener->sockets);
    if (r < 0)
        return r;
    listener->listens = true;
    r = add_endpoints(listener);
    if (r < 0) {
        close_endpoints(listener);
        leave_port(listener);
        srv_port_unref(listener->sockets);
        return r;
    }
    *ret_handle = runtime->generation++ * SRV_LISTENERS_MAX + listener->slot + 1;
    atomic_store(&listener->references, 1 + runtime->loop_count); /* open; endpoints */
    atomic_store(&listener->state, SRV_LISTENER_OPEN);
    atomic_store(&listener->handle, *ret_handle);
    command_loops(listener, ctx, ATTACH, run_attach);
    return 0;
}

int srv_listener_open(struct srv_runtime *runtime, struct vm_ctx *ctx, const struct sched_group *group, uint64_t pid,
                      uint16_t port, int64_t *ret_handle)
{
    int r;

    if (atomic_load(&runtime->draining))
        return -ESHUTDOWN;
    pthread_mutex_lock(&runtime->lock);
    r = open_locked(runtime, ctx, group, pid, port, ret_handle);
    pthread_mutex_unlock(&runtime->lock);
    return r;
}

/* One more reference, unless there is none left. */
static bool try_ref(struct srv_listener *listener)
{
    uint32_t references = atomic_load(&listener->references);

    while (references != 0 && references != ENDING) {
        if (atomic_compare_exchange_weak(&listener->references, &references, references + 1))
            return true;
    }
    return false;
}

struct srv_listener *srv_listener_find(struct srv_runtime *runtime, int64_t handle)
{
    struct srv_listener *listener;

    if (handle < 1)
        return NULL;
    listener = atomic_load_explicit(&runtime->listeners[(handle - 1) % SRV_LISTENERS_MAX], memory_order_acquire);
    if (listener == NULL || atomic_load(&listener->handle) != handle || !try_ref(listener))
        return NULL;
    if (atomic_load(&listener->handle) == handle)
        return listener;
    srv_listener_unref(listener);
    return NULL;
}

void srv_listener_unref(struct srv_listener *listener)
{
    uint32_t references = atomic_load(&listener->references);

    while (!atomic_compare_exchange_weak(&listener->references, &references, references == 1 ? ENDING : references - 1))
        ;
    if (references != 1)
        return;
    nb_assert(atomic_load(&listener->state) == SRV_LISTENER_CLOSED);
    atomic_store(&listener->handle, 0);
    srv_waiters_clear(&listener->line);
    close_endpoints(listener);
    pthread_mutex_lock(&listener->runtime->lock);
    srv_port_unref(listener->sockets);
    pthread_mutex_unlock(&listener->runtime->lock);
    atomic_store(&listener->state, SRV_LISTENER_FREE);
    atomic_store(&listener->references, 0);
}

void srv_listener_offer(struct srv_listener *listener, bool offered)
{
    pthread_mutex_lock(&listener->runtime->lock);
    if (listener->listens && listener->offered != offered) {
        srv_port_offer(listener->sockets, offered);
        listener->offered = offered;
    }
    pthread_mutex_unlock(&listener->runtime->lock);
}

void srv_listener_leave(struct srv_listener *listener)
{
    pthread_mutex_lock(&listener->runtime->lock);
    leave_port(listener);
    pthread_mutex_unlock(&listener->runtime->lock);
}

void srv_listener_stop_listening(struct srv_listener *listener)
{
    srv_listener_leave(listener);
    for (unsigned i = 0; i < listener->endpoint_count; i++)
        srv_port_shut(listener->sockets, i);
}

void srv_listener_retire(struct srv_listener *listener)
{
    if (!srv_listener_is_open(listener) || atomic_exchange(&listener->retiring, true))
        return;
    srv_listener_leave(listener);
    atomic_fetch_add(&listener->references, listener->runtime->loop_count); /* one for each command on its way */
    command_loops(listener, NULL, RETIRE, run_retire);
}

bool srv_listener_has_retired(struct srv_listener *listener)
{
    return atomic_load(&listener->retired_loops) == listener->runtime->loop_count;
}

void srv_listener_close(struct srv_listener *listener, struct vm_ctx *ctx)
{
    int open = SRV_LISTENER_OPEN;

    if (!atomic_compare_exchange_strong(&listener->state, &open, SRV_LISTENER_CLOSED))
        return;
    srv_listener_stop_listening(listener);
    while (srv_waiters_wake_one(&listener->line, ctx))
        ;
    atomic_fetch_add(&listener->references, listener->runtime->loop_count); /* one for each command on its way */
    command_loops(listener, ctx, CLOSE, run_close);
    srv_listener_unref(listener); /* that of being open; the caller has one of its own */
}

/* ---- accepting ---- */

size_t srv_listener_waiting(const struct srv_listener *listener)
{
    size_t sum = 0;

    for (unsigned i = 0; i < listener->endpoint_count; i++)
        sum += srv_ring_length(listener->endpoints[i]->ring);
    return sum;
}

struct srv_request *srv_listener_take(struct srv_listener *listener, struct vm_ctx *ctx)
{
    unsigned count = listener->endpoint_count;
    unsigned first = count > 1 ? atomic_fetch_add_explicit(&listener->turn, 1, memory_order_relaxed) : 0;

    for (unsigned i = 0; i < count; i++) {
        struct srv_ring *ring = listener->endpoints[count > 1 ? (first + i) % count : 0]->ring;
        struct srv_request *request;

        while ((request = srv_ring_take(ring)) != NULL) {
            if (atomic_load_explicit(&request->ticket, memory_order_acquire) != 0)
                return request;
            srv_request_release(ctx, request); /* its deadline passed while it waited */
        }
    }
    return NULL;
}
