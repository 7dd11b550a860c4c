/*
 * listener.c - opening, finding and closing listeners.
 *
 * Memory: listener structs belong to the runtime's table and are never unmapped before its end; a handle says which use
 * of a slot is meant. References are counted: one for being open, one per endpoint whose loop still has it, one per
 * process that waits in accept, short ones for calls. The last one closes the sockets and frees rings and endpoints.
 */
#include "config.h"

#include "server/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "server/runtime_private.h"

enum { ATTACH, CLOSE, RETIRE };
#define ENDING UINT32_MAX /* references: the last one is cleaning up */

/* ---- sockets ---- */

static int make_address(const char *text, uint16_t port, struct sockaddr_storage *address, socklen_t *length)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *length = sizeof *v4;
        return 0;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        *length = sizeof *v6;
        return 0;
    }
    return -EINVAL;
}

/* A listening socket. `join`: beside another of ours on the same port. */
static int open_socket(const char *address_text, uint16_t port, bool join)
{
    struct sockaddr_storage address;
    socklen_t length;
    const int on = 1, off = 0;
    int fd, r = make_address(address_text, port, &address, &length);

    if (r < 0)
        return r;
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (join)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, SOMAXCONN) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    if (!join) /* from now on ours may join; others, who first try without, cannot */
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    return fd;
}

/* ---- making ---- */

static int add_endpoint(struct srv_listener *listener, struct srv_loop *loop)
{
    struct srv_endpoint *endpoint = nb_alloc_zero(sizeof *endpoint);

    if (endpoint == NULL)
        return -ENOMEM;
    endpoint->listener = listener;
    endpoint->loop = loop;
    endpoint->limits = listener->limits;
    endpoint->listen_fd = -1;
    listener->endpoints[listener->endpoint_count++] = endpoint;
    endpoint->ring = srv_ring_new(listener->limits.queue_max);
    if (endpoint->ring == NULL)
        return -ENOMEM;
    endpoint->listen_fd = open_socket(listener->limits.address, listener->port, listener->endpoint_count > 1);
    if (endpoint->listen_fd < 0)
        return endpoint->listen_fd;
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

/* What an endpoint had opened, and its memory. */
static void close_endpoints(struct srv_listener *listener)
{
    for (unsigned i = 0; i < listener->endpoint_count; i++) {
        struct srv_endpoint *endpoint = listener->endpoints[i];

        if (endpoint->daemon != NULL) { /* only when opening failed half-way */
            MHD_quiesce_daemon(endpoint->daemon);
            srv_endpoint_stop(endpoint);
        }
        if (endpoint->listen_fd >= 0)
            close(endpoint->listen_fd);
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
        srv_endpoint_fail_all(endpoint_in(listener, loop));
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
    listener->bound_by = pid;
    listener->port = port;
    srv_limits_default(&listener->limits);
    if (options->limits_for != NULL)
        options->limits_for(options->context, port, &listener->limits);
}

static int open_locked(struct srv_runtime *runtime, struct vm_ctx *ctx, const struct sched_group *group, uint64_t pid,
                       uint16_t port, int64_t *ret_handle)
{
    struct srv_listener *listener = unused_listener(runtime);
    int r;

    if (listener == NULL)
        return -EMFILE;
    prepare(listener, group, pid, port);
    r = add_endpoints(listener);
    if (r < 0) {
        close_endpoints(listener);
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
    atomic_store(&listener->state, SRV_LISTENER_FREE);
    atomic_store(&listener->references, 0);
}

void srv_listener_stop_listening(struct srv_listener *listener)
{
    for (unsigned i = 0; i < listener->endpoint_count; i++)
        shutdown(listener->endpoints[i]->listen_fd, SHUT_RDWR);
}

void srv_listener_retire(struct srv_listener *listener)
{
    if (!srv_listener_is_open(listener) || atomic_exchange(&listener->retiring, true))
        return;
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
        struct srv_ring *ring = listener->endpoints[(first + i) % count]->ring;
        struct srv_request *request;

        while ((request = srv_ring_take(ring)) != NULL) {
            if (atomic_load_explicit(&request->ticket, memory_order_acquire) != 0)
                return request;
            srv_request_release(ctx, request); /* its deadline passed while it waited */
        }
    }
    return NULL;
}
