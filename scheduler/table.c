/*
 * table.c - chunks of slots, and the free lists.
 *
 * A worker's own list is used last in, first out: the slot and heap block of the process that just ended are still in
 * the cache. When it grows beyond LOCAL_MAX, a batch moves to the common list, from where a worker that spawns more
 * than ends on it is served. Beyond WARM_BATCHES there, heap blocks are given back to the system: a burst of a
 * million processes leaves the slots behind, not their heaps.
 *
 * The common list is a stack of batches. Its head is one word, the index of the first slot and a tag that changes
 * with each operation, so a compare-and-swap cannot mistake an old head for the present one; reading a slot that
 * somebody else has taken meanwhile is harmless, since slots stay where they are.
 */
#include "config.h"

#include "scheduler/table.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/stress.h"

#define TABLE_MAGIC 0x9a14f6c5u
enum {
    CHUNK_SLOTS = 256,
    BATCH = NB_STRESS_OR(2, 128),
    LOCAL_MAX = NB_STRESS_OR(4, 512),
    WARM_BATCHES = NB_STRESS_OR(1, 16)
};

struct sched_table {
    unsigned magic;
    struct sched *sched;
    size_t most, chunk_count;
    _Atomic(struct sched_slot *) *chunks;
    _Atomic uint32_t fresh;          /* the next index never used */
    _Atomic uint64_t batches;        /* tag << 32 | index of the first batch's first slot, 0 none */
    _Atomic uint32_t batch_count;    /* about how many those are */
};

int sched_table_new(struct sched *sched, size_t most, struct sched_table **ret_table)
{
    struct sched_table *table;

    if (most < 1 || most > SCHED_PROCESSES_MAX)
        return -EINVAL;
    table = nb_alloc_zero(sizeof *table);
    if (table == NULL)
        return -ENOMEM;
    table->magic = TABLE_MAGIC;
    table->sched = sched;
    table->most = most;
    table->chunk_count = most / CHUNK_SLOTS + 1;
    table->chunks = nb_alloc_zero(table->chunk_count * sizeof *table->chunks);
    if (table->chunks == NULL) {
        nb_free(table);
        return -ENOMEM;
    }
    atomic_init(&table->fresh, 1);
    *ret_table = table;
    return 0;
}

/* What a process that has ended left: the block it kept, and messages that came too late. */
static void free_leavings(struct sched_slot *slot)
{
    nb_assert(atomic_load(&slot->process.pid) == 0);
    vm_heap_done(&slot->process.heap);
    vm_mailbox_clear(&slot->process);
}

struct sched_table *sched_table_free(struct sched_table *table)
{
    if (table == NULL)
        return NULL;
    nb_check_object(table, TABLE_MAGIC);
    for (uint32_t index = 1; index < sched_table_end(table); index++) {
        struct sched_slot *slot = sched_table_at(table, index);

        if (slot != NULL)
            free_leavings(slot);
    }
    for (size_t i = 0; i < table->chunk_count; i++)
        nb_free(atomic_load(&table->chunks[i]));
    nb_free(table->chunks);
    table->magic = 0;
    nb_free(table);
    return NULL;
}

/* ---- chunks ---- */

/* Make sure that the chunk of an index is there. Two threads may race: one chunk wins, the other is freed. */
static bool make_chunk(struct sched_table *table, uint32_t index)
{
    _Atomic(struct sched_slot *) *place = &table->chunks[index / CHUNK_SLOTS];
    uint32_t first = index - index % CHUNK_SLOTS;
    struct sched_slot *none = NULL, *slots;

    if (atomic_load_explicit(place, memory_order_acquire) != NULL)
        return true;
    slots = nb_alloc_zero(CHUNK_SLOTS * sizeof *slots);
    if (slots == NULL)
        return false;
    for (uint32_t i = 0; i < CHUNK_SLOTS; i++) {
        slots[i].sched = table->sched;
        slots[i].index = first + i;
    }
    if (!atomic_compare_exchange_strong(place, &none, slots))
        nb_free(slots);
    return true;
}

static struct sched_slot *take_fresh(struct sched_table *table)
{
    uint32_t index = atomic_load_explicit(&table->fresh, memory_order_relaxed);

    do {
        if (index > table->most || !make_chunk(table, index))
            return NULL;
    } while (!atomic_compare_exchange_weak(&table->fresh, &index, index + 1));
    return sched_table_at(table, index);
}

/* ---- free lists ---- */

static void push_batch(struct sched_table *table, struct vm_process *first)
{
    struct sched_slot *slot = sched_slot_of(first);
    uint64_t head = atomic_load_explicit(&table->batches, memory_order_relaxed), mine;

    do {
        atomic_store_explicit(&slot->next_batch, (uint32_t)head, memory_order_relaxed);
        mine = ((head >> 32) + 1) << 32 | slot->index;
    } while (!atomic_compare_exchange_weak_explicit(&table->batches, &head, mine, memory_order_release,
                                                    memory_order_relaxed));
    atomic_fetch_add_explicit(&table->batch_count, 1, memory_order_relaxed);
}

static struct vm_process *pop_batch(struct sched_table *table)
{
    uint64_t head = atomic_load_explicit(&table->batches, memory_order_acquire), rest;
    struct sched_slot *slot;

    do {
        if ((uint32_t)head == 0)
            return NULL;
        slot = sched_table_at(table, (uint32_t)head);
        rest = ((head >> 32) + 1) << 32 | atomic_load_explicit(&slot->next_batch, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&table->batches, &head, rest, memory_order_acquire,
                                                    memory_order_acquire));
    atomic_fetch_sub_explicit(&table->batch_count, 1, memory_order_relaxed);
    return &slot->process;
}

static struct sched_slot *take_local(struct sched_free_slots *local)
{
    struct vm_process *process = local->first;

    local->first = process->queue_next;
    local->count--;
    return sched_slot_of(process);
}

static void adopt_batch(struct sched_table *table, struct sched_free_slots *local)
{
    struct vm_process *process = pop_batch(table), *next;

    for (; process != NULL; process = next) {
        next = process->queue_next;
        process->queue_next = local->first;
        local->first = process;
        local->count++;
    }
}

/* Detach the first slots of a list as a batch for the common one. */
static void give_batch(struct sched_table *table, struct sched_free_slots *local, size_t count)
{
    bool warm = (int32_t)atomic_load_explicit(&table->batch_count, memory_order_relaxed) < WARM_BATCHES;
    struct vm_process *first = local->first, *last = NULL;

    for (size_t i = 0; i < count; i++) {
        last = local->first;
        if (!warm)
            vm_heap_done(&last->heap);
        local->first = last->queue_next;
    }
    last->queue_next = NULL;
    local->count -= count;
    push_batch(table, first);
}

struct sched_slot *sched_table_take(struct sched_table *table, struct sched_free_slots *local, uint64_t *ret_pid)
{
    struct sched_free_slots own = { NULL, 0 };
    bool borrowed = local == NULL;
    struct sched_slot *slot;

    nb_check_object(table, TABLE_MAGIC);
    if (borrowed)
        local = &own;
    if (local->first == NULL)
        adopt_batch(table, local);
    slot = local->first != NULL ? take_local(local) : take_fresh(table);
    if (borrowed && own.count > 0)
        give_batch(table, &own, own.count);
    if (slot != NULL)
        *ret_pid = (uint64_t)slot->generation << SCHED_PID_INDEX_BITS | slot->index;
    return slot;
}

void sched_table_give(struct sched_table *table, struct sched_free_slots *local, struct sched_slot *slot)
{
    struct sched_free_slots own = { NULL, 0 };

    nb_check_object(table, TABLE_MAGIC);
    nb_assert(atomic_load_explicit(&slot->process.pid, memory_order_relaxed) == 0);
    if (++slot->generation == 0) {
        vm_heap_done(&slot->process.heap); /* all its pids have been used: retired */
        return;
    }
    if (local == NULL)
        local = &own;
    slot->process.queue_next = local->first;
    local->first = &slot->process;
    local->count++;
    if (local == &own)
        give_batch(table, &own, 1);
    else if (local->count > LOCAL_MAX)
        give_batch(table, local, BATCH);
}

/* ---- look-ups ---- */

struct sched_slot *sched_table_find(const struct sched_table *table, uint64_t pid)
{
    uint32_t index = (uint32_t)pid & SCHED_PROCESSES_MAX;
    struct sched_slot *slot = index == 0 ? NULL : sched_table_at(table, index);

    if (slot == NULL || atomic_load_explicit(&slot->process.pid, memory_order_acquire) != pid)
        return NULL;
    return slot;
}

uint32_t sched_table_end(const struct sched_table *table)
{
    return atomic_load_explicit(&table->fresh, memory_order_acquire);
}

struct sched_slot *sched_table_at(const struct sched_table *table, uint32_t index)
{
    struct sched_slot *chunk;

    if (index / CHUNK_SLOTS >= table->chunk_count)
        return NULL;
    chunk = atomic_load_explicit(&table->chunks[index / CHUNK_SLOTS], memory_order_acquire);
    return chunk == NULL ? NULL : &chunk[index % CHUNK_SLOTS];
}
