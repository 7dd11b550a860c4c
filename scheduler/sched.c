/*
 * sched.c - the scheduler as a whole: made, started, stopped, measured.
 */
#include "config.h"

#include "scheduler/sched.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/stress.h"
#include "scheduler/link.h"
#include "scheduler/worker.h"

enum { QUEUE_CAPACITY = NB_STRESS_OR(3, 255), LOGICAL_START_NS = 1000000000 };

/* ---- making ---- */

static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Seeds for what the programs draw and for where stealing begins: from the kernel, or reproducible. */
static void seed_worker(struct sched_worker *worker)
{
    const struct sched_options *options = &worker->sched->options;
    uint64_t state = options->seed;

    if (!options->single_thread && getrandom(&state, sizeof state, 0) != sizeof state)
        state = nb_clock_ns() ^ worker->index;
    for (unsigned i = 0; i < 4; i++)
        worker->ctx.random[i] = mix(&state);
    worker->random = mix(&state) | 1;
}

static int make_worker(struct sched *sched, unsigned index)
{
    struct sched_worker *worker = &sched->workers[index];

    worker->magic = SCHED_WORKER_MAGIC;
    worker->index = index;
    worker->sched = sched;
    worker->ctx.worker = worker;
    worker->ctx.host = sched_host();
    worker->deferred_end = &worker->deferred;
    seed_worker(worker);
    worker->timers = sched_timers_new();
    if (worker->timers == NULL)
        return -ENOMEM;
    return sched_runq_new(QUEUE_CAPACITY, &worker->queue);
}

static int make_workers(struct sched *sched)
{
    size_t bytes = sched->worker_count * sizeof *sched->workers;

    /* aligned to cache lines, which nb_alloc() does not promise */
    sched->workers = aligned_alloc(_Alignof(struct sched_worker), bytes);
    if (sched->workers == NULL)
        return -ENOMEM;
    memset(sched->workers, 0, bytes);
    for (unsigned i = 0; i < sched->worker_count; i++) {
        int r = make_worker(sched, i);

        if (r < 0)
            return r;
    }
    return 0;
}

static int make_parts(struct sched *sched)
{
    int r;

    if (sched->options.single_thread) {
        sched->sim = sched_sim_new(sched->options.seed);
        if (sched->sim == NULL)
            return -ENOMEM;
    }
    r = sched_table_new(sched, SCHED_PROCESSES_MAX, &sched->table);
    if (r < 0)
        return r;
    sched->links = sched_links_new();
    if (sched->links == NULL)
        return -ENOMEM;
    r = sched_parking_new(sched->worker_count, &sched->parking);
    if (r < 0)
        return r;
    return make_workers(sched);
}

int sched_new(const struct sched_options *options, struct sched **ret_sched)
{
    struct sched *sched;
    int r;

    if (options->workers > SCHED_WORKERS_MAX)
        return -EINVAL;
    sched = nb_alloc_zero(sizeof *sched);
    if (sched == NULL)
        return -ENOMEM;
    sched->magic = SCHED_MAGIC;
    sched->options = *options;
    sched->worker_count = options->workers != 0 ? options->workers : sched_cores();
    if (options->single_thread)
        sched->worker_count = 1;
    sched_inject_init(&sched->inject);
    r = make_parts(sched);
    if (r < 0) {
        sched_free(sched);
        return r;
    }
    *ret_sched = sched;
    return 0;
}

/* ---- running ---- */

static void *worker_main(void *argument)
{
    sched_worker_loop(argument);
    return NULL;
}

static void join(struct sched *sched, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        pthread_join(sched->workers[i].thread, NULL);
}

int sched_start(struct sched *sched)
{
    sigset_t all, before;
    int r = 0;

    nb_check_object(sched, SCHED_MAGIC);
    nb_assert(!sched->started && sched->sim == NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < sched->worker_count && r == 0; i++) {
        r = pthread_create(&sched->workers[i].thread, NULL, worker_main, &sched->workers[i]);
        if (r != 0) {
            sched_quit(sched);
            join(sched, i);
            atomic_store(&sched->quit, false);
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    sched->started = r == 0;
    return -r;
}

int sched_run(struct sched *sched)
{
    int r;

    nb_check_object(sched, SCHED_MAGIC);
    if (sched->sim != NULL) {
        nb_clock_set_logical(LOGICAL_START_NS);
        sched_worker_loop(&sched->workers[0]);
        nb_clock_set_logical(0);
        return 0;
    }
    r = sched_start(sched);
    if (r < 0)
        return r;
    join(sched, sched->worker_count);
    sched->started = false;
    return 0;
}

void sched_quit(struct sched *sched)
{
    nb_check_object(sched, SCHED_MAGIC);
    atomic_store(&sched->quit, true);
    for (unsigned i = 0; i < sched->worker_count; i++)
        sched_parking_wake(sched->parking, i);
}

void sched_stop(struct sched *sched)
{
    sched_quit(sched);
    if (!sched->started)
        return;
    join(sched, sched->worker_count);
    sched->started = false;
}

/* All that lives ends here; its callbacks may not start anything new. */
static void end_all(struct sched *sched)
{
    for (uint32_t index = 1; index < sched_table_end(sched->table); index++) {
        struct sched_slot *slot = sched_table_at(sched->table, index);

        if (slot != NULL && atomic_load(&slot->process.pid) != 0)
            sched_process_end(&sched->workers[0], &slot->process, VM_STOP_KILLED);
    }
}

struct sched *sched_free(struct sched *sched)
{
    if (sched == NULL)
        return NULL;
    nb_check_object(sched, SCHED_MAGIC);
    nb_assert(!sched->started);
    if (sched->workers != NULL && sched->table != NULL)
        end_all(sched);
    for (unsigned i = 0; sched->workers != NULL && i < sched->worker_count; i++) {
        struct sched_worker *worker = &sched->workers[i];

        sched_runq_free(worker->queue);
        sched_timers_free(worker->timers);
        nb_free(worker->poll_fds);
    }
    free(sched->workers);
    sched_links_free(sched->links);
    sched_table_free(sched->table);
    sched_parking_free(sched->parking);
    sched_sim_free(sched->sim);
    sched->magic = 0;
    nb_free(sched);
    return NULL;
}

/* ---- small questions ---- */

unsigned sched_worker_count(const struct sched *sched)
{
    return sched->worker_count;
}

unsigned sched_worker_index(const struct vm_ctx *ctx)
{
    return sched_worker_of(ctx)->index;
}

struct sched *sched_of(const struct vm_ctx *ctx)
{
    return sched_worker_of(ctx)->sched;
}

uint64_t sched_now_ns(const struct vm_ctx *ctx)
{
    return sched_worker_of(ctx)->now_ns;
}

/* ---- pollers, hooks, timers ---- */

int sched_add_poller(struct sched *sched, unsigned index, struct sched_poller *poller)
{
    struct sched_worker *worker = &sched->workers[index];
    unsigned count = worker->poll_count == 0 ? 2 : worker->poll_count + 1;
    struct pollfd *fds;
    int r;

    nb_assert(!sched->started && index < sched->worker_count);
    r = sched_parking_use_poll(sched->parking, index);
    if (r < 0)
        return r;
    fds = nb_realloc_array(worker->poll_fds, count, sizeof *fds);
    if (fds == NULL)
        return -ENOMEM;
    fds[count - 1] = (struct pollfd){ .fd = poller->fd, .events = POLLIN };
    worker->poll_fds = fds;
    worker->poll_count = count;
    poller->next = worker->pollers;
    worker->pollers = poller;
    return 0;
}

void sched_wake_worker(struct sched *sched, unsigned worker)
{
    sched_parking_wake(sched->parking, worker);
}

void sched_defer(struct vm_ctx *ctx, struct sched_deferred *deferred)
{
    struct sched_worker *worker = sched_worker_of(ctx);

    if (deferred->queued)
        return;
    if (worker->deferred == NULL)
        worker->deferred_ns = worker->now_ns;
    deferred->queued = true;
    deferred->next = NULL;
    *worker->deferred_end = deferred;
    worker->deferred_end = &deferred->next;
}

/* ---- statistics ---- */

static uint64_t read_count(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_worker(const struct sched_worker *worker, struct sched_stats *stats)
{
    uint64_t busy_from_ns = read_count(&worker->busy_from_ns), now_ns = nb_clock_ns();

    stats->spawned += read_count(&worker->counts.spawned);
    stats->exited += read_count(&worker->counts.exited);
    stats->slices += read_count(&worker->counts.slices);
    stats->steals += read_count(&worker->counts.steals);
    stats->parks += read_count(&worker->counts.parks);
    stats->wakes += read_count(&worker->counts.wakes);
    stats->busy_ns += read_count(&worker->counts.busy_ns);
    if (busy_from_ns != 0 && now_ns > busy_from_ns)
        stats->busy_ns += now_ns - busy_from_ns;
    stats->queued += sched_runq_length(worker->queue);
    stats->timers += sched_timers_count(worker->timers);
}

void sched_get_stats(const struct sched *sched, int worker, struct sched_stats *ret_stats)
{
    struct sched_stats stats = { 0 };

    nb_assert(worker < (int)sched->worker_count);
    if (worker >= 0) {
        add_worker(&sched->workers[worker], &stats);
    } else {
        for (unsigned i = 0; i < sched->worker_count; i++)
            add_worker(&sched->workers[i], &stats);
        stats.spawned += read_count(&sched->spawned_outside);
        stats.queued += sched_inject_length(&sched->inject);
        if (sched->sim != NULL)
            stats.queued += sched_sim_length(sched->sim);
    }
    *ret_stats = stats;
}
