/*
 * worker_sleep.c - a worker with nothing to run: until when it may sleep, a last look, and sleeping.
 *
 * It announces itself as parked before the last look, so that whoever brings work after that look sees whom to wake.
 * On the logical clock nobody sleeps until a deadline; time jumps to it.
 */
#include "config.h"

#include "scheduler/worker.h"

static bool has_pending(const struct sched_worker *worker)
{
    for (struct sched_poller *poller = worker->pollers; poller != NULL; poller = poller->next)
        if (poller->pending != NULL && poller->pending(poller))
            return true;
    return false;
}

/* The last look before sleeping. */
static bool has_work(const struct sched_worker *worker)
{
    struct sched *sched = worker->sched;

    if (atomic_load(&sched->quit) || worker->deferred != NULL || worker->next != NULL ||
        sched_inject_length(&sched->inject) > 0 || (sched->sim != NULL && sched_sim_length(sched->sim) > 0))
        return true;
    for (unsigned i = 0; i < sched->worker_count; i++)
        if (sched_runq_length(sched->workers[i].queue) > 0)
            return true;
    return has_pending(worker);
}

/* Until when we may sleep. */
static uint64_t next_deadline(const struct sched_worker *worker)
{
    uint64_t deadline_ns = sched_timers_next(worker->timers);

    for (struct sched_poller *poller = worker->pollers; poller != NULL; poller = poller->next) {
        int64_t timeout_ns = poller->timeout_ns == NULL ? -1 : poller->timeout_ns(poller);

        if (timeout_ns >= 0 && worker->now_ns + (uint64_t)timeout_ns < deadline_ns)
            deadline_ns = worker->now_ns + (uint64_t)timeout_ns;
    }
    return deadline_ns;
}

/* Sleep, announced as parked; afterwards nobody counts us as parked any more. */
static void sleep_until(struct sched_worker *worker, uint64_t deadline_ns)
{
    struct sched_parking *parking = worker->sched->parking;
    enum sched_woken woken;

    woken = sched_parking_sleep(parking, worker->index, deadline_ns, worker->poll_fds, worker->poll_count);
    if (woken == SCHED_WOKEN_BY_ITSELF && !sched_parking_withdraw(parking, worker->index))
        woken = sched_parking_sleep(parking, worker->index, UINT64_MAX, worker->poll_fds, worker->poll_count > 0);
    worker->searching = woken == SCHED_WOKEN_TO_SEARCH;
}

/* On the logical clock, which meanwhile goes as time does. */
static void sleep_beside_the_world(struct sched_worker *worker, uint64_t deadline_ns)
{
    uint64_t logical_ns = nb_clock_ns(), left_ns = deadline_ns - logical_ns, start_ns, slept_ns;

    nb_clock_set_logical(0);
    start_ns = nb_clock_ns();
    sleep_until(worker, deadline_ns == UINT64_MAX ? UINT64_MAX : start_ns + left_ns);
    slept_ns = nb_clock_ns() - start_ns;
    nb_clock_set_logical(logical_ns + (slept_ns < left_ns ? slept_ns : left_ns));
}

static void fall_asleep(struct sched_worker *worker, uint64_t deadline_ns)
{
    sched_count(&worker->counts.parks, 1);
    sched_read_clock(worker);
    sched_count(&worker->counts.busy_ns, worker->now_ns - worker->awake_ns);
    atomic_store_explicit(&worker->busy_from_ns, 0, memory_order_relaxed);
    if (worker->sched->sim != NULL)
        sleep_beside_the_world(worker, deadline_ns);
    else
        sleep_until(worker, deadline_ns);
    sched_read_clock(worker);
    worker->awake_ns = worker->now_ns;
    atomic_store_explicit(&worker->busy_from_ns, worker->now_ns, memory_order_relaxed);
}

/* On the logical clock a deadline is made to be now. But for programs that wait for others, whose answers would
 * otherwise all come too late. */
static bool jump_to(struct sched_worker *worker, uint64_t deadline_ns)
{
    if (worker->sched->sim == NULL || deadline_ns == UINT64_MAX)
        return false;
    if (deadline_ns > nb_clock_ns() && worker->outside > 0)
        return false;
    if (deadline_ns > nb_clock_ns())
        nb_clock_set_logical(deadline_ns);
    sched_read_clock(worker);
    return true;
}

void sched_worker_park(struct sched_worker *worker)
{
    struct sched *sched = worker->sched;
    uint64_t deadline_ns = next_deadline(worker);
    bool searching = worker->searching, last;

    if (jump_to(worker, deadline_ns))
        return;
    worker->searching = false;
    last = sched_parking_announce(sched->parking, worker->index, searching);
    if (last && sched->options.on_idle != NULL && !has_work(worker))
        sched->options.on_idle(sched, sched->options.context); /* may bring work, also into our own queue */
    if (has_work(worker)) {
        if (!sched_parking_withdraw(sched->parking, worker->index))
            sleep_until(worker, UINT64_MAX); /* takes the wake-up that is on its way */
        return;
    }
    fall_asleep(worker, deadline_ns);
}
