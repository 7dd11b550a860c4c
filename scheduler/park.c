/*
 * park.c - tokens to sleep on, the bitmap of sleepers, and the wake rule.
 *
 * The wake-up note
 * ----------------
 * Two threads race: one makes work and looks for sleepers, the other goes to sleep and looks for work. Each first
 * publishes, then looks, with a full fence in between, so at least one sees the other:
 *
 *     submitter:  put work · fence · anybody searching? · anybody parked? claim one
 *     parker:     set my bit · stop counting as searcher · (both sequentially consistent) · look at all queues · sleep
 *
 * - The submitter skips waking when somebody searches. That searcher either finds the work, or parks; it lowers
 *   `searching` before it looks at the queues for the last time, so it then sees the work.
 * - A bit is cleared by exactly one thread: a waker that claims the sleeper, or the sleeper that withdraws. Whoever
 *   clears it owns the wake-up; a waker then sets the token, and the sleeper always consumes it, so none is left over
 *   for the next sleep.
 * - A waker counts the sleeper as searching before it claims it. Should it find nobody to claim, another submitter
 *   may have been misled by that; so it lowers the count and looks at the bitmap once more.
 *
 * Rejected: waking on every submit (each wake-up is a system call and some 30 µs until the thread runs: several times
 * the work of a small request); one event count for all (it wakes them all); periodic re-checks in place of the
 * fences (idle would cost CPU).
 */
#include "config.h"

#include "scheduler/park.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/tsan.h"

#define PARKING_MAGIC 0x7be0c39du
enum { WORKERS_MAX = 1024, CACHE_LINE = 64 };
enum token { TOKEN_NONE, TOKEN_WAKE, TOKEN_SEARCH };

struct sleeper {
    _Atomic uint32_t token; /* enum token; the futex word */
    int event_fd;           /* -1: it sleeps on the futex */
    char padding[CACHE_LINE - sizeof(uint32_t) - sizeof(int)];
};

struct sched_parking {
    unsigned magic;
    unsigned workers, words;
    struct sleeper *sleepers;
    uint64_t pollers[WORKERS_MAX / 64];      /* who sleeps in poll: woken to search only when nobody else can be */
    _Atomic uint32_t searching;
    _Atomic uint64_t parked[WORKERS_MAX / 64];
};

int sched_parking_new(unsigned workers, struct sched_parking **ret_parking)
{
    struct sched_parking *parking;

    if (workers < 1 || workers > WORKERS_MAX)
        return -EINVAL;
    parking = nb_alloc_zero(sizeof *parking);
    if (parking == NULL)
        return -ENOMEM;
    parking->magic = PARKING_MAGIC;
    parking->workers = workers;
    parking->words = (workers + 63) / 64;
    parking->sleepers = nb_alloc_array(workers, sizeof *parking->sleepers);
    if (parking->sleepers == NULL) {
        nb_free(parking);
        return -ENOMEM;
    }
    for (unsigned i = 0; i < workers; i++) {
        atomic_init(&parking->sleepers[i].token, TOKEN_NONE);
        parking->sleepers[i].event_fd = -1;
    }
    *ret_parking = parking;
    return 0;
}

struct sched_parking *sched_parking_free(struct sched_parking *parking)
{
    if (parking == NULL)
        return NULL;
    nb_check_object(parking, PARKING_MAGIC);
    for (unsigned i = 0; i < parking->workers; i++)
        if (parking->sleepers[i].event_fd >= 0)
            close(parking->sleepers[i].event_fd);
    nb_free(parking->sleepers);
    parking->magic = 0;
    nb_free(parking);
    return NULL;
}

int sched_parking_use_poll(struct sched_parking *parking, unsigned worker)
{
    nb_assert(worker < parking->workers);
    if (parking->sleepers[worker].event_fd >= 0)
        return 0;
    parking->sleepers[worker].event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (parking->sleepers[worker].event_fd < 0)
        return -errno;
    parking->pollers[worker / 64] |= UINT64_C(1) << worker % 64;
    return 0;
}

void sched_parking_search(struct sched_parking *parking)
{
    atomic_fetch_add(&parking->searching, 1);
}

bool sched_parking_found(struct sched_parking *parking)
{
    uint32_t before = atomic_fetch_sub(&parking->searching, 1);

    nb_assert(before > 0);
    return before == 1;
}

static bool all_parked(const struct sched_parking *parking)
{
    unsigned count = 0;

    for (unsigned i = 0; i < parking->words; i++)
        count += (unsigned)__builtin_popcountll(atomic_load(&parking->parked[i]));
    return count == parking->workers;
}

bool sched_parking_announce(struct sched_parking *parking, unsigned worker, bool searching)
{
    uint64_t bit = UINT64_C(1) << worker % 64;
    uint64_t before;

    nb_check_object(parking, PARKING_MAGIC);
    before = atomic_fetch_or(&parking->parked[worker / 64], bit);
    nb_assert((before & bit) == 0);
    if (searching)
        sched_parking_found(parking);
    nb_full_fence();
    return all_parked(parking);
}

/* Whoever clears a worker's bit owns its waking up. */
static bool claim(struct sched_parking *parking, unsigned worker)
{
    uint64_t bit = UINT64_C(1) << worker % 64;

    return (atomic_fetch_and(&parking->parked[worker / 64], ~bit) & bit) != 0;
}

bool sched_parking_withdraw(struct sched_parking *parking, unsigned worker)
{
    return claim(parking, worker);
}

static void wait_on_futex(struct sleeper *sleeper, uint64_t deadline_ns)
{
    struct timespec until = { .tv_sec = (time_t)(deadline_ns / 1000000000),
                              .tv_nsec = (long)(deadline_ns % 1000000000) };

    syscall(SYS_futex, &sleeper->token, FUTEX_WAIT_BITSET_PRIVATE, TOKEN_NONE,
            deadline_ns == UINT64_MAX ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void wait_in_poll(struct sleeper *sleeper, uint64_t deadline_ns, struct pollfd *fds, unsigned count)
{
    uint64_t now = deadline_ns == UINT64_MAX ? 0 : nb_clock_ns();
    uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
    struct timespec timeout = { .tv_sec = (time_t)(left / 1000000000), .tv_nsec = (long)(left % 1000000000) };
    uint64_t drained;

    fds[0] = (struct pollfd){ .fd = sleeper->event_fd, .events = POLLIN };
    if (ppoll(fds, count, deadline_ns == UINT64_MAX ? NULL : &timeout, NULL) <= 0)
        return;
    if (fds[0].revents != 0 && read(sleeper->event_fd, &drained, sizeof drained) < 0)
        nb_assert(errno == EAGAIN || errno == EINTR);
}

static bool any_ready(const struct pollfd *fds, unsigned count)
{
    for (unsigned i = 1; i < count; i++)
        if (fds[i].revents != 0)
            return true;
    return false;
}

enum sched_woken sched_parking_sleep(struct sched_parking *parking, unsigned worker, uint64_t deadline_ns,
                                     struct pollfd *fds, unsigned count)
{
    struct sleeper *sleeper = &parking->sleepers[worker];
    bool polls = sleeper->event_fd >= 0;
    uint32_t token;

    nb_assert(polls ? count >= 1 : count == 0);
    for (;;) {
        token = atomic_exchange(&sleeper->token, TOKEN_NONE);
        if (token != TOKEN_NONE)
            return token == TOKEN_SEARCH ? SCHED_WOKEN_TO_SEARCH : SCHED_WOKEN;
        if (deadline_ns != UINT64_MAX && nb_clock_ns() >= deadline_ns)
            return SCHED_WOKEN_BY_ITSELF;
        if (!polls) {
            wait_on_futex(sleeper, deadline_ns);
            continue;
        }
        wait_in_poll(sleeper, deadline_ns, fds, count);
        if (any_ready(fds, count) && atomic_load(&sleeper->token) == TOKEN_NONE)
            return SCHED_WOKEN_BY_ITSELF;
    }
}

/* The sleeper is claimed: set its token and rouse it. */
static void rouse(struct sched_parking *parking, unsigned worker, enum token token)
{
    struct sleeper *sleeper = &parking->sleepers[worker];
    uint64_t one = 1;
    uint32_t before = atomic_exchange(&sleeper->token, token);

    nb_assert(before == TOKEN_NONE);
    if (sleeper->event_fd < 0)
        syscall(SYS_futex, &sleeper->token, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    else if (write(sleeper->event_fd, &one, sizeof one) < 0)
        nb_assert(errno == EAGAIN); /* its counter is full: readable anyhow */
}

/* Claim any parked worker of those in `mask` (or not in it). -1: there is none. */
static int claim_any(struct sched_parking *parking, bool pollers)
{
    for (unsigned i = 0; i < parking->words; i++) {
        uint64_t mask = pollers ? parking->pollers[i] : ~parking->pollers[i];
        uint64_t bits;

        while ((bits = atomic_load(&parking->parked[i]) & mask) != 0) {
            unsigned worker = i * 64 + (unsigned)__builtin_ctzll(bits);

            if (claim(parking, worker))
                return (int)worker;
        }
    }
    return -1;
}

static bool is_any_parked(const struct sched_parking *parking)
{
    for (unsigned i = 0; i < parking->words; i++)
        if (atomic_load_explicit(&parking->parked[i], memory_order_relaxed) != 0)
            return true;
    return false;
}

bool sched_parking_wake_one(struct sched_parking *parking)
{
    uint32_t none = 0;
    int worker;

    nb_full_fence();
    while (is_any_parked(parking)) {
        none = 0;
        if (!atomic_compare_exchange_strong(&parking->searching, &none, 1))
            return false;
        worker = claim_any(parking, false);
        if (worker < 0)
            worker = claim_any(parking, true);
        if (worker >= 0) {
            rouse(parking, (unsigned)worker, TOKEN_SEARCH);
            return true;
        }
        atomic_fetch_sub(&parking->searching, 1); /* and look again, see the note */
    }
    return false;
}

bool sched_parking_wake(struct sched_parking *parking, unsigned worker)
{
    nb_assert(worker < parking->workers);
    nb_full_fence();
    if (!sched_parking_is_parked(parking, worker) || !claim(parking, worker))
        return false;
    rouse(parking, worker, TOKEN_WAKE);
    return true;
}

bool sched_parking_is_parked(const struct sched_parking *parking, unsigned worker)
{
    return (atomic_load_explicit(&parking->parked[worker / 64], memory_order_relaxed) >> worker % 64 & 1) != 0;
}
