/*
 * runtime.c - the server of a program as a whole: its loops, its table of listeners, what processes leave behind.
 */
#include "config.h"

#include "server/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "server/record.h"
#include "server/runtime_private.h"

#define RUNTIME_MAGIC 0x905f2d61u
enum { REQUESTS_MAX_DEFAULT = 65536, RETIRE_PATIENCE_MS = 1000 };

static struct srv_runtime *current; /* there is one scheduler in a program, hence one runtime */

struct srv_runtime *srv_runtime_current(void)
{
    return current;
}

/* ---- beginning and end ---- */

static unsigned loops_wanted(const struct srv_runtime *runtime)
{
    unsigned workers = sched_worker_count(runtime->sched);
    unsigned wanted = runtime->options.connection_threads;

    if (wanted == 0) {
        wanted = runtime->options.connection_loops;
        if (wanted == 0)
            wanted = workers / 2;
        if (wanted > workers)
            wanted = workers;
    }
    if (wanted < 1)
        wanted = 1;
    return wanted < SRV_LOOPS_MAX ? wanted : SRV_LOOPS_MAX;
}

static int init_loops(struct srv_runtime *runtime)
{
    unsigned count = loops_wanted(runtime);

    runtime->loops = nb_alloc_zero(count * sizeof *runtime->loops);
    if (runtime->loops == NULL)
        return -ENOMEM;
    runtime->loop_count = count;
    for (unsigned i = 0; i < count; i++) {
        int r = srv_loop_init(&runtime->loops[i], runtime, i);

        if (r < 0)
            return r;
    }
    return 0;
}

int srv_runtime_new(struct sched *sched, const struct srv_runtime_options *options, struct srv_runtime **ret_runtime)
{
    struct srv_runtime *runtime = nb_alloc_zero(sizeof *runtime);
    int r;

    nb_assert(current == NULL);
    if (runtime == NULL)
        return -ENOMEM;
    runtime->magic = RUNTIME_MAGIC;
    runtime->sched = sched;
    runtime->options = *options;
    pthread_mutex_init(&runtime->lock, NULL);
    srv_waiter_pool_init(&runtime->waiters);
    r = srv_request_table_init(&runtime->requests,
                               options->requests_max != 0 ? options->requests_max : REQUESTS_MAX_DEFAULT)
            ? init_loops(runtime)
            : -ENOMEM;
    if (r < 0) {
        srv_runtime_free(runtime);
        return r;
    }
    current = runtime;
    *ret_runtime = runtime;
    return 0;
}

int srv_runtime_start(struct srv_runtime *runtime)
{
    nb_check_object(runtime, RUNTIME_MAGIC);
    for (unsigned i = 0; i < runtime->loop_count; i++) {
        int r = runtime->loops[i].own_thread ? srv_loop_start_thread(&runtime->loops[i]) : 0;

        if (r < 0)
            return r;
    }
    return 0;
}

/* Call something for each listener that is in use, holding a reference to it. */
static void each_listener(struct srv_runtime *runtime, void (*call)(struct srv_listener *listener, void *closure),
                          void *closure)
{
    for (unsigned slot = 0; slot < SRV_LISTENERS_MAX; slot++) {
        struct srv_listener *listener = atomic_load(&runtime->listeners[slot]);

        if (listener == NULL)
            return; /* slots are filled in order */
        listener = srv_listener_find(runtime, atomic_load(&listener->handle));
        if (listener == NULL)
            continue;
        call(listener, closure);
        srv_listener_unref(listener);
    }
}

static void close_listener(struct srv_listener *listener, void *closure)
{
    srv_listener_close(listener, closure);
}

void srv_runtime_stop(struct srv_runtime *runtime)
{
    nb_check_object(runtime, RUNTIME_MAGIC);
    for (unsigned i = 0; i < runtime->loop_count; i++)
        srv_loop_stop_thread(&runtime->loops[i]);
    each_listener(runtime, close_listener, NULL);
    for (unsigned i = 0; i < runtime->loop_count; i++)
        srv_loop_end(&runtime->loops[i]);
}

void srv_runtime_flush(struct srv_runtime *runtime)
{
    nb_check_object(runtime, RUNTIME_MAGIC);
    for (unsigned i = 0; i < runtime->loop_count; i++) {
        srv_loop_stop_thread(&runtime->loops[i]);
        srv_loop_flush(&runtime->loops[i]);
    }
}

struct srv_runtime *srv_runtime_free(struct srv_runtime *runtime)
{
    if (runtime == NULL)
        return NULL;
    nb_check_object(runtime, RUNTIME_MAGIC);
    if (current == runtime)
        current = NULL;
    for (unsigned i = 0; i < runtime->loop_count; i++)
        srv_loop_done(&runtime->loops[i]);
    nb_free(runtime->loops);
    for (unsigned slot = 0; slot < SRV_LISTENERS_MAX; slot++)
        nb_free(atomic_load(&runtime->listeners[slot]));
    srv_port_forget_all(runtime);
    srv_waiter_pool_done(&runtime->waiters);
    srv_request_table_done(&runtime->requests);
    pthread_mutex_destroy(&runtime->lock);
    runtime->magic = 0;
    nb_free(runtime);
    return NULL;
}

/* ---- draining ---- */

struct drain_command {
    struct srv_command command;
    struct srv_runtime *runtime;
};

static void run_drain(struct srv_command *command, struct srv_loop *loop, struct vm_ctx *ctx)
{
    (void)ctx;
    for (struct srv_endpoint *endpoint = loop->endpoints; endpoint != NULL; endpoint = endpoint->next)
        srv_endpoint_drain(endpoint);
    nb_free(command);
}

static void run_limits(struct srv_command *command, struct srv_loop *loop, struct vm_ctx *ctx)
{
    const struct srv_runtime_options *options = &loop->runtime->options;

    (void)ctx;
    for (struct srv_endpoint *endpoint = loop->endpoints; endpoint != NULL; endpoint = endpoint->next) {
        struct srv_limits limits;

        srv_limits_default(&limits);
        if (options->limits_for != NULL)
            options->limits_for(options->context, endpoint->listener->port, &limits);
        srv_endpoint_change_limits(endpoint, &limits);
    }
    nb_free(command);
}

static void command_all(struct srv_runtime *runtime,
                        void (*run)(struct srv_command *, struct srv_loop *, struct vm_ctx *))
{
    for (unsigned i = 0; i < runtime->loop_count; i++) {
        struct srv_command *command = nb_xalloc_zero(sizeof *command);

        command->run = run;
        srv_loop_command(&runtime->loops[i], NULL, command);
    }
}

void srv_runtime_drain(struct srv_runtime *runtime)
{
    if (!atomic_exchange(&runtime->draining, true))
        command_all(runtime, run_drain);
}

bool srv_runtime_is_drained(const struct srv_runtime *runtime)
{
    struct srv_stats stats;

    srv_runtime_stats(runtime, &stats);
    return stats.requests_now == 0 && stats.connections_now == 0;
}

static void run_ping(struct srv_command *command, struct srv_loop *loop, struct vm_ctx *ctx)
{
    (void)command, (void)ctx;
    atomic_store(&loop->pinged, false);
}

bool srv_runtime_is_alive(struct srv_runtime *runtime)
{
    bool alive = true;

    for (unsigned i = 0; i < runtime->loop_count; i++) {
        struct srv_loop *loop = &runtime->loops[i];

        if (atomic_exchange(&loop->pinged, true)) {
            alive = false;
            continue;
        }
        loop->ping.run = run_ping;
        srv_loop_command(loop, NULL, &loop->ping);
    }
    return alive;
}

void srv_runtime_reload_limits(struct srv_runtime *runtime)
{
    command_all(runtime, run_limits);
}

/* ---- listeners of a group ---- */

struct group_walk {
    struct vm_ctx *ctx;
    const struct sched_group *group, *other;
    struct srv_runtime *runtime;
    uint64_t bound_by; /* only those of that process; 0: all */
    uint16_t *ports;
    unsigned found, most;
    uint16_t port;
    bool offered;
    bool all; /* so far */
};

static bool walk_wants(const struct group_walk *walk, struct srv_listener *listener)
{
    return srv_listener_is_open(listener) && listener->group == walk->group &&
           (walk->bound_by == 0 || listener->bound_by == walk->bound_by);
}

static void close_wanted(struct srv_listener *listener, void *closure)
{
    struct group_walk *walk = closure;

    if (!walk_wants(walk, listener))
        return;
    if (walk->bound_by == 0) /* the whole group ends */
        atomic_store(&listener->abandoned, true);
    srv_listener_close(listener, walk->ctx);
}

static void note_port(struct srv_listener *listener, void *closure)
{
    struct group_walk *walk = closure;

    if (walk_wants(walk, listener) && walk->found < walk->most)
        walk->ports[walk->found++] = listener->port;
}

static bool has_left(struct srv_listener *listener)
{
    return atomic_load(&listener->retiring);
}

static void offer_wanted(struct srv_listener *listener, void *closure)
{
    struct group_walk *walk = closure;

    if (walk_wants(walk, listener))
        srv_listener_offer(listener, walk->offered);
}

static void compare_port(struct srv_listener *listener, void *closure)
{
    struct group_walk *walk = closure;

    if (walk_wants(walk, listener) && !has_left(listener) && listener->port == walk->port)
        walk->found++;
}

/* Whether a group listens on a port. */
static bool listens_on(struct srv_runtime *runtime, const struct sched_group *group, uint16_t port)
{
    struct group_walk walk = { .group = group, .port = port };

    each_listener(runtime, compare_port, &walk);
    return walk.found > 0;
}

static void compare_port_of_others(struct srv_listener *listener, void *closure)
{
    struct group_walk *walk = closure;

    if (srv_listener_is_open(listener) && listener->group != walk->group && !has_left(listener) &&
        listener->port == walk->port)
        walk->found++;
}

/* Whether anybody but a group listens on a port. */
static bool others_listen_on(struct srv_runtime *runtime, const struct sched_group *group, uint16_t port)
{
    struct group_walk walk = { .group = group, .port = port };

    each_listener(runtime, compare_port_of_others, &walk);
    return walk.found > 0;
}

static void look_whether_covered(struct srv_listener *listener, void *closure)
{
    struct group_walk *walk = closure;

    if (!walk_wants(walk, listener) || has_left(listener))
        return;
    if (walk->other != NULL ? !listens_on(walk->runtime, walk->other, listener->port)
                            : !others_listen_on(walk->runtime, walk->group, listener->port))
        walk->all = false;
}

static void note_shared(struct srv_listener *listener, void *closure)
{
    struct group_walk *walk = closure;

    if (walk_wants(walk, listener) && !has_left(listener) && listens_on(walk->runtime, walk->other, listener->port))
        walk->port = listener->port;
}

static void retire_wanted(struct srv_listener *listener, void *closure)
{
    struct group_walk *walk = closure;

    if (!walk_wants(walk, listener) || has_left(listener) ||
        (walk->other != NULL && !listens_on(walk->runtime, walk->other, listener->port)))
        return;
    srv_listener_retire(listener);
    walk->found++;
}

static void look_whether_retired(struct srv_listener *listener, void *closure)
{
    struct group_walk *walk = closure;

    if (walk_wants(walk, listener) && has_left(listener) && !srv_listener_has_retired(listener))
        walk->all = false;
}

static void stop_wanted(struct srv_listener *listener, void *closure)
{
    if (walk_wants(closure, listener) && has_left(listener))
        srv_listener_stop_listening(listener);
}

static void look_whether_empty(struct srv_listener *listener, void *closure)
{
    struct group_walk *walk = closure;

    if (walk_wants(walk, listener) && atomic_load(&listener->empty_endpoints) < listener->runtime->loop_count)
        walk->all = false;
}

void srv_runtime_offer_group(struct srv_runtime *runtime, const struct sched_group *group, bool offered)
{
    struct group_walk walk = { .group = group, .offered = offered };

    each_listener(runtime, offer_wanted, &walk);
}

bool srv_runtime_group_is_covered(struct srv_runtime *runtime, const struct sched_group *group,
                                  const struct sched_group *other)
{
    struct group_walk walk = { .runtime = runtime, .group = group, .other = other, .all = true };

    each_listener(runtime, look_whether_covered, &walk);
    return walk.all;
}

uint16_t srv_runtime_shared_port(struct srv_runtime *runtime, const struct sched_group *group,
                                 const struct sched_group *other)
{
    struct group_walk walk = { .runtime = runtime, .group = group, .other = other };

    each_listener(runtime, note_shared, &walk);
    return walk.port;
}

unsigned srv_runtime_retire_group(struct srv_runtime *runtime, const struct sched_group *group,
                                  const struct sched_group *to)
{
    struct group_walk walk = { .runtime = runtime, .group = group, .other = to };

    each_listener(runtime, retire_wanted, &walk);
    for (unsigned ms = 0; ms < RETIRE_PATIENCE_MS; ms++) {
        walk.all = true;
        each_listener(runtime, look_whether_retired, &walk);
        if (walk.all)
            return walk.found;
        usleep(1000);
    }
    each_listener(runtime, stop_wanted, &walk); /* a loop is busy with something long: without its goodwill then */
    return walk.found;
}

bool srv_runtime_group_is_drained(struct srv_runtime *runtime, const struct sched_group *group)
{
    struct group_walk walk = { .group = group, .all = true };

    each_listener(runtime, look_whether_empty, &walk);
    return walk.all;
}

void srv_runtime_close_group(struct srv_runtime *runtime, struct vm_ctx *ctx, const struct sched_group *group)
{
    struct group_walk walk = { .ctx = ctx, .group = group };

    each_listener(runtime, close_wanted, &walk);
}

unsigned srv_runtime_ports(struct srv_runtime *runtime, const struct sched_group *group, uint16_t *ports, unsigned most)
{
    struct group_walk walk = { .group = group, .ports = ports, .most = most };

    each_listener(runtime, note_port, &walk);
    return walk.found;
}

bool srv_runtime_group_listens(struct srv_runtime *runtime, const struct sched_group *group)
{
    uint16_t port;

    return srv_runtime_ports(runtime, group, &port, 1) > 0;
}

/* ---- processes and the requests they have to answer (see request.h) ---- */

static uint64_t request_of(const struct vm_process *process)
{
    return (uint64_t)(uintptr_t)process->http_requests;
}

uint64_t srv_process_request(const struct vm_process *process, char *what, size_t size)
{
    uint64_t id = request_of(process);
    struct srv_request *request = current != NULL ? srv_request_find(&current->requests, id) : NULL;

    if (request == NULL || !srv_request_claim(request, id))
        return 0;
    snprintf(what, size, "%.*s %.*s", (int)request->method.length, srv_request_part(request, request->method),
             (int)request->path.length, srv_request_part(request, request->path));
    atomic_store(&request->ticket, id);
    return id;
}

/* Answer 500 for a process that cannot any more. */
static void answer_for_the_dead(struct vm_ctx *ctx, uint64_t id)
{
    struct srv_request *request = srv_request_find(&current->requests, id);

    if (request == NULL || !srv_request_claim(request, id))
        return;
    /* Ours until it is answered, so its endpoint and that one's ready-made answers are there. */
    atomic_fetch_add_explicit(&request->loop->died, 1, memory_order_relaxed);
    srv_request_answer(ctx, request, MHD_HTTP_INTERNAL_SERVER_ERROR,
                       (struct srv_reply){ .ready_made = request->endpoint->answers[SRV_ANSWER_500] });
}

void srv_process_ended(struct vm_ctx *ctx, struct vm_process *process, enum vm_stop stop)
{
    uint64_t id = request_of(process);
    uint64_t pid = atomic_load_explicit(&process->pid, memory_order_relaxed);

    if (current == NULL)
        return;
    if (id != 0) {
        if (stop == VM_STOP_CRASH || stop == VM_STOP_KILLED || !process->published)
            answer_for_the_dead(ctx, id);
        else if (srv_request_process(&current->requests, id) == pid)
            srv_request_set_process(&current->requests, id, 0);
    }
    process->http_requests = NULL;
    if (stop == VM_STOP_KILLED && process->servers_bound) {
        struct group_walk walk = { .ctx = ctx, .group = process->owner, .bound_by = pid };

        each_listener(current, close_wanted, &walk);
    }
}

void srv_process_spawned(struct vm_ctx *ctx, vm_value closure, struct vm_process *child)
{
    struct vm_process *parent = ctx->process;
    uint64_t id = request_of(parent);

    if (id == 0 || current == NULL || !srv_record_is_held_by(closure, id))
        return;
    parent->http_requests = NULL;
    child->http_requests = (void *)(uintptr_t)id;
    srv_request_set_process(&current->requests, id, atomic_load_explicit(&child->pid, memory_order_relaxed));
}

/* ---- figures ---- */

static uint64_t count_of(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_counts(struct srv_stats *stats, const struct srv_loop *loop)
{
    const struct srv_loop_counts *counts = &loop->counts;

    stats->requests += count_of(&counts->requests);
    for (unsigned i = 0; i < sizeof stats->answers / sizeof *stats->answers; i++)
        stats->answers[i] += count_of(&counts->answers[i]);
    stats->queue_full += count_of(&counts->queue_full);
    stats->deadlines += count_of(&counts->deadlines);
    stats->died += count_of(&loop->died);
    stats->too_large += count_of(&counts->too_large);
    stats->gone += count_of(&counts->gone);
    stats->connections += count_of(&counts->connections);
    stats->connections_now += count_of(&counts->connections_now);
    stats->requests_now += count_of(&counts->requests_now);
    stats->suspended += count_of(&counts->suspended);
    stats->unsent_bytes += count_of(&counts->unsent_bytes);
    stats->unsent_full += count_of(&counts->unsent_full);
    stats->hung_up += count_of(&counts->hung_up);
}

void srv_runtime_stats(const struct srv_runtime *runtime, struct srv_stats *ret_stats)
{
    memset(ret_stats, 0, sizeof *ret_stats);
    for (unsigned i = 0; i < runtime->loop_count; i++)
        add_counts(ret_stats, &runtime->loops[i]);
}
