/*
 * timer.c - a binary heap of deadlines, nearest at position 1.
 *
 * Entries go stale (timer.h tells how) and stay until they come up; when the heap has doubled since the last look, all
 * stale ones are swept out, so garbage is at most as much as what lives, plus a constant.
 *
 * Threads: the heap is its owner's. The only word shared is a process's `at`: the owner of the process sets it when
 * it parks, any worker's heap clears it when the entry fires (compare-and-swap, so that one firing counts). A stale
 * entry whose deadline happens to equal the word of the process that uses the memory now wakes that one once too
 * often, which is harmless.
 */
#include "config.h"

#include "scheduler/timer.h"

#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/stress.h"

#define TIMERS_MAGIC 0x3c92e4b7u
enum { CAPACITY_MIN = 64, SWEEP_MIN = NB_STRESS_OR(4, 1024) };

struct entry {
    uint64_t deadline_ns;
    uint64_t sequence;       /* equal deadlines fire in the order they were armed */
    struct vm_process *process;
    _Atomic uint64_t *at;    /* the process's word: the deadline that counts for it */
};

struct sched_timers {
    unsigned magic;
    struct entry *entries;   /* [0] is not used */
    size_t capacity;         /* entries it has room for */
    size_t sweep_at;
    uint64_t sequence;
    _Atomic size_t count;    /* written by the owner only */
};

struct sched_timers *sched_timers_new(void)
{
    struct sched_timers *timers = nb_alloc_zero(sizeof *timers);

    if (timers == NULL)
        return NULL;
    timers->magic = TIMERS_MAGIC;
    timers->sweep_at = SWEEP_MIN;
    return timers;
}

struct sched_timers *sched_timers_free(struct sched_timers *timers)
{
    if (timers == NULL)
        return NULL;
    nb_check_object(timers, TIMERS_MAGIC);
    nb_free(timers->entries);
    timers->magic = 0;
    nb_free(timers);
    return NULL;
}

static size_t count_of(const struct sched_timers *timers)
{
    return atomic_load_explicit(&timers->count, memory_order_relaxed);
}

static void set_count(struct sched_timers *timers, size_t count)
{
    atomic_store_explicit(&timers->count, count, memory_order_relaxed);
}

static bool is_before(const struct entry *a, const struct entry *b)
{
    if (a->deadline_ns != b->deadline_ns)
        return a->deadline_ns < b->deadline_ns;
    return a->sequence < b->sequence;
}

/* Put `entry` at a hole, or above it as far as it must rise. */
static void rise(struct sched_timers *timers, size_t position, struct entry entry)
{
    while (position > 1 && is_before(&entry, &timers->entries[position / 2])) {
        timers->entries[position] = timers->entries[position / 2];
        position /= 2;
    }
    timers->entries[position] = entry;
}

/* Put `entry` at a hole, or below it as far as it must sink. */
static void sink(struct sched_timers *timers, size_t position, struct entry entry)
{
    size_t count = count_of(timers);

    for (;;) {
        size_t child = position * 2;

        if (child > count)
            break;
        if (child < count && is_before(&timers->entries[child + 1], &timers->entries[child]))
            child++;
        if (!is_before(&timers->entries[child], &entry))
            break;
        timers->entries[position] = timers->entries[child];
        position = child;
    }
    timers->entries[position] = entry;
}

static void take_first(struct sched_timers *timers)
{
    size_t last = count_of(timers);
    struct entry moved = timers->entries[last];

    set_count(timers, last - 1);
    if (last > 1)
        sink(timers, 1, moved);
}

static bool is_stale(const struct entry *entry)
{
    return atomic_load_explicit(entry->at, memory_order_relaxed) != entry->deadline_ns;
}

/* Drop all stale entries and make it a heap again. */
static void sweep(struct sched_timers *timers)
{
    size_t kept = 0, count = count_of(timers);

    for (size_t i = 1; i <= count; i++)
        if (!is_stale(&timers->entries[i]))
            timers->entries[++kept] = timers->entries[i];
    set_count(timers, kept);
    for (size_t i = kept / 2; i >= 1; i--)
        sink(timers, i, timers->entries[i]);
    timers->sweep_at = kept * 2 > SWEEP_MIN ? kept * 2 : SWEEP_MIN;
}

static bool grow(struct sched_timers *timers)
{
    size_t capacity = timers->capacity == 0 ? CAPACITY_MIN : timers->capacity * 2;
    struct entry *entries = nb_realloc_array(timers->entries, capacity + 1, sizeof *entries);

    if (entries == NULL)
        return false;
    timers->entries = entries;
    timers->capacity = capacity;
    return true;
}

static bool insert(struct sched_timers *timers, uint64_t deadline_ns, struct vm_process *process, _Atomic uint64_t *at)
{
    struct entry entry = { .deadline_ns = deadline_ns, .process = process, .at = at };

    nb_check_object(timers, TIMERS_MAGIC);
    if (count_of(timers) >= timers->sweep_at)
        sweep(timers);
    if (count_of(timers) == timers->capacity && !grow(timers))
        return false;
    entry.sequence = timers->sequence++;
    set_count(timers, count_of(timers) + 1);
    rise(timers, count_of(timers), entry);
    return true;
}

bool sched_timers_arm(struct sched_timers *timers, struct vm_process *process, _Atomic uint64_t *at,
                      uint64_t deadline_ns)
{
    uint64_t armed = atomic_load(at);

    if (deadline_ns == 0)
        deadline_ns = 1; /* 0 in `at` means none */
    if (armed != 0 && armed <= deadline_ns)
        return true; /* that entry, in whose heap ever, wakes it early enough */
    if (!insert(timers, deadline_ns, process, at))
        return false;
    atomic_store(at, deadline_ns);
    return true;
}

uint64_t sched_timers_next(const struct sched_timers *timers)
{
    return count_of(timers) == 0 ? UINT64_MAX : timers->entries[1].deadline_ns;
}

size_t sched_timers_run(struct sched_timers *timers, uint64_t now_ns, struct vm_ctx *ctx,
                        void (*wake)(struct vm_ctx *ctx, struct vm_process *process))
{
    uint64_t until = timers->sequence; /* so this ends although what wakes arms again */
    size_t fired = 0;

    while (count_of(timers) > 0 && timers->entries[1].deadline_ns <= now_ns &&
           timers->entries[1].sequence < until) {
        struct entry entry = timers->entries[1];
        uint64_t expected = entry.deadline_ns;

        take_first(timers);
        if (atomic_compare_exchange_strong(entry.at, &expected, 0))
            wake(ctx, entry.process);
        fired++;
    }
    return fired;
}

size_t sched_timers_count(const struct sched_timers *timers)
{
    return count_of(timers);
}
