/*
 * runq.c - the run queue: a ck_ring in its single-producer, many-consumers form.
 *
 * Why a ring and not a Chase-Lev deque: Concurrency Kit has a proven ring and no deque, and first-in first-out keeps
 * latency even between requests.
 * Ordering: the release in ck_ring's enqueue pairs with the acquire in its dequeue, so a thief sees all that the owner
 * wrote into a process before it pushed it.
 */
#include "config.h"

#include "scheduler/runq.h"

#include <errno.h>
#include <ck_ring.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/tsan.h"

#define RUNQ_MAGIC 0x51d0a7e3u
enum { CAPACITY_MAX = 65535 };

struct sched_runq {
    unsigned magic;
    ck_ring_buffer_t *slots; /* owned; as many as the ring's size */
    ck_ring_t ring;          /* pads its two ends apart itself */
};

/* ck_ring keeps one slot free and wants a power of two: room for 5 needs 8 slots. */
static unsigned slots_for(size_t capacity)
{
    unsigned slots = 2;

    while (slots - 1 < capacity)
        slots *= 2;
    return slots;
}

int sched_runq_new(size_t capacity, struct sched_runq **ret_queue)
{
    struct sched_runq *queue;

    nb_assert(ret_queue != NULL);
    if (capacity < 1 || capacity > CAPACITY_MAX)
        return -EINVAL;
    queue = nb_alloc_zero(sizeof *queue);
    if (queue == NULL)
        return -ENOMEM;
    queue->magic = RUNQ_MAGIC;
    queue->slots = nb_alloc_array(slots_for(capacity), sizeof *queue->slots);
    if (queue->slots == NULL) {
        sched_runq_free(queue); /* takes half-built queues too */
        return -ENOMEM;
    }
    ck_ring_init(&queue->ring, slots_for(capacity));

    *ret_queue = queue;
    return 0;
}

struct sched_runq *sched_runq_free(struct sched_runq *queue)
{
    if (queue == NULL)
        return NULL;
    nb_check_object(queue, RUNQ_MAGIC);
    nb_free(queue->slots);
    queue->magic = 0; /* a use after free then fails its check */
    nb_free(queue);
    return NULL;
}

bool sched_runq_push(struct sched_runq *queue, struct vm_process *process)
{
    nb_check_object(queue, RUNQ_MAGIC);
    nb_assert(process != NULL);
    nb_tsan_release(queue);
    return ck_ring_enqueue_spmc(&queue->ring, queue->slots, process);
}

struct vm_process *sched_runq_take(struct sched_runq *queue)
{
    struct vm_process *process;

    nb_check_object(queue, RUNQ_MAGIC);
    if (!ck_ring_dequeue_spmc(&queue->ring, queue->slots, &process))
        return NULL;
    nb_tsan_acquire(queue);
    return process;
}

size_t sched_runq_steal(struct sched_runq *victim, struct sched_runq *own)
{
    /* Only we push into `own`, so its room may grow meanwhile but never shrink: what we take from the victim is sure
     * to fit. */
    size_t room = sched_runq_capacity(own) - sched_runq_length(own);
    size_t want = (sched_runq_length(victim) + 1) / 2;
    size_t moved = 0;
    struct vm_process *process;

    nb_assert(victim != own);
    while (moved < want && moved < room && (process = sched_runq_take(victim)) != NULL) {
        bool fits = sched_runq_push(own, process);

        nb_assert(fits);
        moved++;
    }
    return moved;
}

size_t sched_runq_length(const struct sched_runq *queue)
{
    nb_check_object(queue, RUNQ_MAGIC);
    return ck_ring_size(&queue->ring);
}

size_t sched_runq_capacity(const struct sched_runq *queue)
{
    return ck_ring_capacity(&queue->ring) - 1;
}
