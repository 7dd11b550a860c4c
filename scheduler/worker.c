/*
 * worker.c - the loop of one core.
 *
 * A turn: take a process, run it for a slice, look after everything else. "Everything else" is cheap while there is
 * nothing to do: the clock is read about every 10 µs of work only (CLOCK_WORK reductions), and what depends on time
 * looks at that reading.
 *
 * What runs next: the run-next slot, then the local queue, oldest first; the injection queue before these on every
 * INJECT_TURNS-th turn, and after them. The run-next slot holds a process that the running one woke by a message:
 * caches are warm, and two that answer each other need no other core. It runs on in the waker's slice, so such a pair
 * cannot starve the queue; when the slice is used up, it queues like everybody. New processes go to the end of the
 * queue, where other cores can have them.
 *
 * With nothing to run, in this order: deferred hooks, timers, pollers, injection queue, stealing from the others
 * beginning at a random one; then it parks (worker_sleep.c, and the note in park.c).
 *
 * When a thief is woken
 * ---------------------
 * Waking costs a system call here and some 30 µs until the thief runs, more than many a request takes; not waking
 * leaves cores idle. So help is called (sched_parking_wake_one: only if somebody is parked and nobody is searching)
 * when
 *   - a process used up its slice while others wait: whoever computes that long lets the others go elsewhere;
 *   - the queue holds more than QUEUE_WORK, by what a slice takes lately. A bound on its length fits nobody: an accept
 *     loop spawns a handler for each request of a burst, and with a bound of 4 the second core was woken for each batch
 *     of hello-worlds, a third more CPU time per request, while with 128 handlers that compute for 10 µs stayed on one;
 *   - a process has waited in the queue for AGE_NS: one of those waiting is sampled at a time, by its number, so this
 *     costs a comparison;
 *   - a thief that was the last searcher leaves more than that behind, or the injection queue is not empty;
 *   - work comes from outside of the workers.
 * What is not called for is not lost: the owner of a queue never parks while it holds anything.
 *
 * Pollers (a connection loop) get a pass after POLL_WORK or POLL_NS, and whenever there is nothing to run.
 */
#include "config.h"

#include "scheduler/worker.h"

#include <sched.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/stress.h"

enum {
    INJECT_TURNS = 61,
    QUEUE_WORK = 2000,                  /* reductions, some 20 µs */
    AGE_NS = 30 * 1000,
    POLL_WORK = 4000,
    POLL_NS = 1000 * 1000,
    DEFER_NS = 50 * 1000,
    CLOCK_WORK = NB_STRESS_OR(1, 1000), /* reductions that take about 10 µs */
    TURN_COST = 50,                     /* reductions that a turn costs besides those of the process */
    SLICE_LEAST = SCHED_SLICE / 16,     /* less is not worth handing on */
    INJECT_BATCH = 64,
    LOGICAL_NS = 10                     /* what a reduction takes on the logical clock */
};

static _Thread_local struct sched_worker *this_worker;

struct sched_worker *sched_this_worker(void)
{
    return this_worker;
}

/* ---- time ---- */

/* Some work was done: is it time to look at the clock? On the logical clock, work makes the time pass. */
static void spend(struct sched_worker *worker, int64_t reductions)
{
    reductions += TURN_COST;
    if (worker->sched->sim != NULL)
        nb_clock_set_logical(nb_clock_ns() + (uint64_t)reductions * LOGICAL_NS);
    worker->clock_debt += reductions;
    worker->poll_debt += reductions;
    worker->slice_work += (reductions - worker->slice_work) / 8;
    if (worker->clock_debt >= CLOCK_WORK)
        sched_read_clock(worker);
}

/* ---- queues ---- */

static void call_for_help(struct sched_worker *worker)
{
    if (worker->sched->worker_count > 1 && sched_parking_wake_one(worker->sched->parking))
        sched_count(&worker->counts.wakes, 1);
}

/* The queue is full: its older half and the new one go to the injection queue, in that order. */
static void overflow(struct sched_worker *worker, struct vm_process *process)
{
    size_t half = sched_runq_capacity(worker->queue) / 2, count = 0;
    struct vm_process *first = NULL, **end = &first, *moved;

    while (count < half && (moved = sched_runq_take(worker->queue)) != NULL) {
        *end = moved;
        end = &moved->queue_next;
        count++;
    }
    *end = process;
    sched_inject_put_chain(&worker->sched->inject, first, process, count + 1);
    call_for_help(worker);
}

/* Whether a queue of that length is work for more than one, by what a slice here takes lately. */
static bool is_long(const struct sched_worker *worker, size_t length)
{
    return (int64_t)length * worker->slice_work > QUEUE_WORK;
}

/* Append to the worker's own queue; asks for help when that is long. */
static void push(struct sched_worker *worker, struct vm_process *process)
{
    if (worker->sched->sim != NULL) {
        sched_sim_push(worker->sched->sim, process);
        return;
    }
    if (!sched_runq_push(worker->queue, process)) {
        overflow(worker, process);
        return;
    }
    worker->pushed++;
    if (worker->sample == 0) {
        worker->sample = worker->pushed;
        worker->sample_ns = worker->now_ns;
    }
    if (is_long(worker, sched_runq_length(worker->queue)))
        call_for_help(worker);
}

void sched_enqueue(struct sched *sched, struct sched_worker *worker, struct vm_process *process)
{
    if (worker != NULL) {
        push(worker, process);
        return;
    }
    sched_inject_put(&sched->inject, process);
    sched_parking_wake_one(sched->parking);
}

/* The age rule. Everything pushed up to the sample has left when the queue is shorter than what was pushed since. */
static void check_age(struct sched_worker *worker)
{
    size_t length = sched_runq_length(worker->queue);

    if (worker->sample != 0 && worker->pushed - length < worker->sample) {
        if (worker->now_ns - worker->sample_ns < AGE_NS)
            return;
        call_for_help(worker);
    }
    worker->sample = length == 0 ? 0 : worker->pushed;
    worker->sample_ns = worker->now_ns;
}

/* Take from the injection queue: one to run, the others into our queue. */
static struct vm_process *take_injected(struct sched_worker *worker)
{
    struct sched_inject *inject = &worker->sched->inject;
    size_t most = sched_inject_length(inject) / worker->sched->worker_count + 1;
    struct vm_process *first, *process, *next;

    if (most == 1 && sched_inject_length(inject) == 0)
        return NULL;
    if (most > INJECT_BATCH)
        most = INJECT_BATCH;
    if (sched_inject_take(inject, most, &first) == 0) {
        sched_yield(); /* somebody else takes just now */
        return NULL;
    }
    for (process = first->queue_next; process != NULL; process = next) {
        next = process->queue_next;
        push(worker, process);
    }
    return first;
}

static struct vm_process *take_simulated(struct sched_worker *worker)
{
    struct sched_sim *sim = worker->sched->sim;
    struct vm_process *process = take_injected(worker);

    if (process != NULL)
        sched_sim_push(sim, process);
    worker->slice_left = sched_sim_slice(sim, SCHED_SLICE);
    return sched_sim_take(sim);
}

/* A process that runs next and how long it may, from our own queues. */
static struct vm_process *take(struct sched_worker *worker)
{
    struct vm_process *process = NULL;

    if (worker->sched->sim != NULL)
        return take_simulated(worker);
    if (++worker->turn % INJECT_TURNS == 0)
        process = take_injected(worker);
    if (process == NULL && worker->next != NULL) {
        process = worker->next;
        worker->next = NULL;
        if (worker->slice_left >= SLICE_LEAST)
            return process;
        push(worker, process);
        process = NULL;
    }
    worker->slice_left = SCHED_SLICE;
    return process != NULL ? process : sched_runq_take(worker->queue);
}

static size_t next_random(struct sched_worker *worker)
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 7;
    worker->random ^= worker->random << 17;
    return (size_t)worker->random;
}

/* The search has ended with work. If we were the last searcher and there is more, somebody else shall come. */
static void found(struct sched_worker *worker, bool leaves_much)
{
    if (!worker->searching)
        return;
    worker->searching = false;
    if (sched_parking_found(worker->sched->parking) &&
        (leaves_much || sched_inject_length(&worker->sched->inject) > 0))
        call_for_help(worker);
}

static struct vm_process *steal(struct sched_worker *worker)
{
    struct sched *sched = worker->sched;
    size_t start = next_random(worker);

    if (!worker->searching) {
        worker->searching = true;
        sched_parking_search(sched->parking);
    }
    for (unsigned i = 0; i < sched->worker_count; i++) {
        struct sched_worker *victim = &sched->workers[(start + i) % sched->worker_count];
        size_t moved = victim == worker ? 0 : sched_runq_steal(victim->queue, worker->queue);

        if (moved == 0)
            continue;
        worker->pushed += moved;
        sched_count(&worker->counts.steals, moved);
        found(worker, is_long(worker, sched_runq_length(victim->queue)));
        return sched_runq_take(worker->queue);
    }
    return NULL;
}

/* ---- running ---- */

/* See that a process that parks is woken in time. Without memory for the timer it is woken at once, and will park
 * again. */
static void arm(struct sched_worker *worker, struct vm_process *process)
{
    struct sched_slot *slot = sched_slot_of(process);

    if (process->deadline_ns == UINT64_MAX ||
        (process->wait != VM_WAIT_RECEIVE && process->wait != VM_WAIT_SLEEP))
        return;
    if (!sched_timers_arm(worker->timers, process, &slot->timer_at, process->deadline_ns))
        sched_wake(&worker->ctx, process);
}

/* The process has stopped to wait. True: it waits, and is not ours any more. False: it was woken meanwhile and runs
 * on. */
static bool park_process(struct sched_worker *worker, struct vm_process *process)
{
    uint32_t running = VM_PROCESS_RUNNING;

    arm(worker, process);
    if (atomic_compare_exchange_strong(&process->state, &running, VM_PROCESS_WAITING))
        return true;
    nb_assert(running == VM_PROCESS_NOTIFIED);
    atomic_store(&process->state, VM_PROCESS_RUNNING);
    return false;
}

/* Its slice is used up: to the end of the queue, behind the one it woke. When processes overflowed into the injection
 * queue, that is where the end is: one that spawns without pause would otherwise come back before its children and
 * pile up millions of them. */
static void requeue(struct sched_worker *worker, struct vm_process *process)
{
    struct sched *sched = worker->sched;
    bool others, overflown = sched->sim == NULL && sched_inject_length(&sched->inject) > 0;

    if (worker->next != NULL) {
        push(worker, worker->next);
        worker->next = NULL;
    }
    others = sched->sim == NULL && (overflown || sched_runq_length(worker->queue) > 0);
    atomic_store(&process->state, VM_PROCESS_RUNNABLE);
    if (overflown)
        sched_inject_put(&sched->inject, process);
    else
        push(worker, process);
    if (others)
        call_for_help(worker);
}

/* One call into the VM; returns how it stopped. */
static enum vm_stop run_slice(struct sched_worker *worker, struct vm_process *process)
{
    struct vm_ctx *ctx = &worker->ctx;
    int64_t before = worker->slice_left;
    enum vm_stop stop;

    ctx->process = process;
    ctx->reductions = before;
    stop = vm_run(ctx);
    ctx->process = NULL;
    worker->slice_left = ctx->reductions;
    before -= ctx->reductions;
    sched_count(&process->reductions, (uint64_t)(before > 0 ? before : 0));
    sched_count(&worker->counts.slices, 1);
    spend(worker, before);
    return stop;
}

static void run_hooks(struct sched_worker *worker);

/* The process that runs here has made its group too big: see that it is ended. */
static void end_for_memory(struct sched_worker *worker, struct sched_slot *slot)
{
    struct sched_group *group = atomic_load_explicit(&slot->group, memory_order_relaxed);
    uint64_t pid = atomic_load_explicit(&slot->process.pid, memory_order_relaxed);

    if (group->limited != NULL)
        group->limited(group, &worker->ctx, pid, SCHED_LIMIT_HEAP_TOTAL);
    sched_slot_kill(&worker->ctx, slot, pid);
}

/* What comes from outside of the program comes in real time, if at all. */
static bool waits_outside(const struct vm_process *process)
{
    return process->wait == VM_WAIT_IO || process->wait == VM_WAIT_ACCEPT;
}

/* A process has parked, or was woken, on the logical clock: `by` is 1 or -1. Elsewhere others may have it already. */
static void count_outside(struct sched_worker *worker, const struct vm_process *process, int by)
{
    if (worker->sched->sim != NULL && waits_outside(process))
        worker->outside += by;
}

/* Run a process that was taken from a queue until it ends, waits or has used up its slice. */
static void run(struct sched_worker *worker, struct vm_process *process)
{
    uint32_t before = atomic_exchange(&process->state, VM_PROCESS_RUNNING);
    struct sched_slot *slot = sched_slot_of(process);

    nb_assert(before == VM_PROCESS_RUNNABLE);
    nb_assert_context(((struct sched_group *)process->owner)->name);
    count_outside(worker, process, -1);
    for (;;) {
        enum vm_stop stop = sched_process_is_killed(process) ? VM_STOP_KILLED : run_slice(worker, process);

        if (stop == VM_STOP_KILLED && !sched_process_is_killed(process))
            continue; /* meant for an earlier tenant of the slot; the VM looked before it did anything */
        if (stop == VM_STOP_END || stop == VM_STOP_CRASH || stop == VM_STOP_KILLED) {
            sched_process_end(worker, process, stop);
            break;
        }
        if (sched_group_account(slot)) {
            end_for_memory(worker, slot);
            continue;
        }
        if (stop == VM_STOP_WAIT && park_process(worker, process)) {
            count_outside(worker, process, 1);
            break;
        }
        if (stop == VM_STOP_YIELD || worker->slice_left <= 0) {
            requeue(worker, process);
            run_hooks(worker);
            break;
        }
    }
    nb_assert_context(NULL);
}

/* ---- everything else ---- */

static void run_hooks(struct sched_worker *worker)
{
    while (worker->deferred != NULL) {
        struct sched_deferred *deferred = worker->deferred;

        worker->deferred = deferred->next;
        if (worker->deferred == NULL)
            worker->deferred_end = &worker->deferred;
        deferred->queued = false;
        deferred->run(deferred, &worker->ctx);
    }
}

static void run_timers(struct sched_worker *worker)
{
    if (sched_timers_next(worker->timers) <= worker->now_ns)
        sched_timers_run(worker->timers, worker->now_ns, &worker->ctx, sched_wake);
}

/* One pass of each poller. True when one of them did something. */
static bool run_pollers(struct sched_worker *worker)
{
    bool any = false;

    for (struct sched_poller *poller = worker->pollers; poller != NULL; poller = poller->next)
        any |= poller->pass(poller, &worker->ctx);
    if (any) { /* what the pass made runnable could not run before it ended: its age counts from here */
        sched_read_clock(worker);
        worker->sample_ns = worker->now_ns;
    }
    worker->poll_debt = 0;
    worker->polled_ns = worker->now_ns;
    return any;
}

/* Between two slices. */
static void look_after(struct sched_worker *worker)
{
    run_timers(worker);
    if (worker->deferred != NULL && worker->now_ns - worker->deferred_ns >= DEFER_NS)
        run_hooks(worker);
    if (worker->pollers != NULL &&
        (worker->poll_debt >= POLL_WORK || worker->now_ns - worker->polled_ns >= POLL_NS)) {
        run_hooks(worker);
        run_pollers(worker);
    }
    if (worker->sched->sim == NULL)
        check_age(worker);
}

/* ---- nothing to run ---- */

static bool has_own(const struct sched_worker *worker)
{
    return worker->next != NULL || sched_runq_length(worker->queue) > 0;
}

/* Look for something to run everywhere; sleep if there is nothing. NULL: look again. */
static struct vm_process *find(struct sched_worker *worker)
{
    struct vm_process *process;

    sched_read_clock(worker);
    run_hooks(worker);
    run_timers(worker);
    if (worker->pollers != NULL && run_pollers(worker) && has_own(worker)) {
        found(worker, true); /* busy with its own: somebody else may search */
        return NULL;
    }
    if (worker->sched->sim != NULL) {
        if (sched_sim_length(worker->sched->sim) == 0)
            sched_worker_park(worker);
        return NULL;
    }
    process = sched_runq_take(worker->queue);
    if (process == NULL)
        process = take_injected(worker);
    if (process == NULL && worker->sched->worker_count > 1)
        process = steal(worker);
    if (process == NULL)
        sched_worker_park(worker);
    return process;
}

void sched_worker_loop(struct sched_worker *worker)
{
    struct sched *sched = worker->sched;

    nb_assert(worker->magic == SCHED_WORKER_MAGIC);
    this_worker = worker;
    sched_read_clock(worker);
    worker->awake_ns = worker->polled_ns = worker->now_ns;
    atomic_store_explicit(&worker->busy_from_ns, worker->now_ns, memory_order_relaxed);
    while (!atomic_load_explicit(&sched->quit, memory_order_relaxed)) {
        struct vm_process *process = take(worker);

        if (process == NULL)
            process = find(worker);
        if (process == NULL)
            continue;
        found(worker, false);
        run(worker, process);
        look_after(worker);
    }
    if (worker->searching)
        sched_parking_found(sched->parking);
    worker->searching = false;
    this_worker = NULL;
    sched_read_clock(worker);
    sched_count(&worker->counts.busy_ns, worker->now_ns - worker->awake_ns);
    atomic_store_explicit(&worker->busy_from_ns, 0, memory_order_relaxed);
}
