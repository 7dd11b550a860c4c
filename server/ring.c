/*
 * ring.c - the ring is Concurrency Kit's in its single-producer, many-consumers form; the line of waiters is two of its
 * stacks.
 *
 * Why not its many-producers ring: a producer that loses the core between reserving and committing makes the others
 * spin (measured: 8 producers on 2 cores often do not finish at all). One ring per connection loop needs one producer
 * only.
 *
 * Why two stacks: who joins pushes on `arrived`. Who wakes pops from `in_turn`; when that is empty it takes all of
 * `arrived` at once, keeps the oldest and pushes the others on `in_turn`, oldest on top. While they are in its hands
 * another waker may find both stacks empty and wake nobody: the process woken here then sees the other's request and
 * passes the wake-up on (see the wake rule in ring.h). Popping while others pop reads `next` of a place that somebody
 * may just have taken: places are therefore never freed before the pool, and the stack's generation counter makes the
 * exchange fail.
 */
#include "config.h"

#include "server/ring.h"

#include <ck_ring.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/tsan.h"
#include "scheduler/sched.h"

enum { CAPACITY_MAX = 65535 };

struct srv_ring {
    ck_ring_t ring;
    ck_ring_buffer_t slots[];
};

/* ck_ring keeps one slot free and wants a power of two. */
static unsigned slots_for(size_t capacity)
{
    unsigned slots = 2;

    while (slots - 1 < capacity)
        slots *= 2;
    return slots;
}

struct srv_ring *srv_ring_new(size_t capacity)
{
    unsigned slots = slots_for(capacity);
    struct srv_ring *ring;

    nb_assert(capacity >= 1 && capacity <= CAPACITY_MAX);
    ring = nb_alloc_zero(sizeof *ring + slots * sizeof ring->slots[0]);
    if (ring != NULL)
        ck_ring_init(&ring->ring, slots);
    return ring;
}

struct srv_ring *srv_ring_free(struct srv_ring *ring)
{
    nb_free(ring);
    return NULL;
}

bool srv_ring_put(struct srv_ring *ring, struct srv_request *request)
{
    nb_tsan_release(ring);
    return ck_ring_enqueue_spmc(&ring->ring, ring->slots, request);
}

struct srv_request *srv_ring_take(struct srv_ring *ring)
{
    struct srv_request *request;

    if (!ck_ring_dequeue_spmc(&ring->ring, ring->slots, &request))
        return NULL;
    nb_tsan_acquire(ring);
    return request;
}

size_t srv_ring_length(const struct srv_ring *ring)
{
    return ck_ring_size(&ring->ring);
}

/* ---- places ---- */

CK_STACK_CONTAINER(struct srv_waiter, entry, waiter_of)

void srv_waiter_pool_init(struct srv_waiter_pool *pool)
{
    ck_stack_init(&pool->unused);
    atomic_init(&pool->all, NULL);
}

void srv_waiter_pool_done(struct srv_waiter_pool *pool)
{
    struct srv_waiter *waiter = atomic_load(&pool->all);

    while (waiter != NULL) {
        struct srv_waiter *next = waiter->all_next;

        nb_free(waiter);
        waiter = next;
    }
    srv_waiter_pool_init(pool);
}

static struct srv_waiter *waiter_new(struct srv_waiter_pool *pool)
{
    struct srv_waiter *waiter = nb_alloc_zero(sizeof *waiter);

    if (waiter == NULL)
        return NULL;
    waiter->all_next = atomic_load(&pool->all);
    while (!atomic_compare_exchange_weak(&pool->all, &waiter->all_next, waiter))
        ;
    return waiter;
}

struct srv_waiter *srv_waiter_get(struct srv_waiter_pool *pool, struct vm_process *process)
{
    ck_stack_entry_t *entry = ck_stack_pop_mpmc(&pool->unused);
    struct srv_waiter *waiter;

    if (entry != NULL) {
        nb_tsan_acquire(&pool->unused);
        waiter = waiter_of(entry);
    } else {
        waiter = waiter_new(pool);
    }
    if (waiter != NULL) {
        atomic_store_explicit(&waiter->process, process, memory_order_relaxed);
        atomic_store_explicit(&waiter->state, SRV_WAITER_WOKEN, memory_order_relaxed);
    }
    return waiter;
}

void srv_waiter_put(struct srv_waiter_pool *pool, struct srv_waiter *waiter)
{
    nb_tsan_release(&pool->unused);
    ck_stack_push_mpmc(&pool->unused, &waiter->entry);
}

/* ---- the line ---- */

void srv_waiters_init(struct srv_waiters *line, struct srv_waiter_pool *pool)
{
    ck_stack_init(&line->arrived);
    ck_stack_init(&line->in_turn);
    line->pool = pool;
}

void srv_waiters_join(struct srv_waiters *line, struct srv_waiter *waiter)
{
    atomic_store_explicit(&waiter->state, SRV_WAITER_WAITING, memory_order_relaxed);
    nb_tsan_release(line);
    ck_stack_push_mpmc(&line->arrived, &waiter->entry);
    nb_full_fence(); /* partner: srv_waiters_wake_one() */
}

bool srv_waiters_leave(struct srv_waiters *line, struct srv_waiter *waiter)
{
    int expected = SRV_WAITER_WAITING;

    if (atomic_compare_exchange_strong(&waiter->state, &expected, SRV_WAITER_ABANDONED))
        return false; /* whoever takes it out of the line gives it back */
    srv_waiter_put(line->pool, waiter);
    return true;
}

static struct srv_waiter *first_in_line(struct srv_waiters *line)
{
    ck_stack_entry_t *entry = ck_stack_pop_mpmc(&line->in_turn);

    if (entry != NULL) {
        nb_tsan_acquire(line);
        return waiter_of(entry);
    }
    if (CK_STACK_ISEMPTY(&line->arrived))
        return NULL;
    entry = ck_stack_batch_pop_mpmc(&line->arrived);
    nb_tsan_acquire(line);
    while (entry != NULL &&
           entry->next != NULL) { /* latest first: the oldest ends up on top, and the very oldest with us */
        ck_stack_entry_t *next = entry->next;

        nb_tsan_release(line);
        ck_stack_push_mpmc(&line->in_turn, entry);
        entry = next;
    }
    return entry != NULL ? waiter_of(entry) : NULL;
}

bool srv_waiters_wake_one(struct srv_waiters *line, struct vm_ctx *ctx)
{
    struct srv_waiter *waiter;

    nb_full_fence(); /* partner: srv_waiters_join() */
    while ((waiter = first_in_line(line)) != NULL) {
        struct vm_process *process = atomic_load_explicit(&waiter->process, memory_order_relaxed);
        int expected = SRV_WAITER_WAITING;

        if (atomic_compare_exchange_strong(&waiter->state, &expected, SRV_WAITER_WOKEN)) {
            sched_wake(ctx, process); /* from here on the place is its process's again */
            return true;
        }
        srv_waiter_put(line->pool, waiter);
    }
    return false;
}

void srv_waiters_clear(struct srv_waiters *line)
{
    struct srv_waiter *waiter;

    while ((waiter = first_in_line(line)) != NULL)
        srv_waiter_put(line->pool, waiter);
}
