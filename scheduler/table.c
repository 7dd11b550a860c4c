/*
 * table.c - chunks of slots, and the free lists.
 *
 * A worker's own list is used last in, first out: the slot and heap block of the process that just ended are still in
 * the cache. When it grows beyond LOCAL_MAX, a batch moves to the common list, from where a worker that spawns more
 * than ends on it is served. Beyond WARM_BATCHES there, what heaps have beyond their first block is given back. First
 * blocks are part of the slots, so that beginning and end of a small process need no allocator; after a burst of a
 * million processes sched_table_trim() gives the pages of both back to the system.
 *
 * Chunks are mapped each by itself. From the second on there are thousands of processes and large pages pay: a million
 * processes would else begin with half a million page faults.
 *
 * The common list is a stack of batches. Its head is one word, the index of the first slot and a tag that changes
 * with each operation, so a compare-and-swap cannot mistake an old head for the present one; reading the note of a slot
 * that somebody else has taken meanwhile is harmless, since notes stay where they are.
 */
#include "config.h"

#include "scheduler/table.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/stress.h"

#define TABLE_MAGIC 0x9a14f6c5u
enum {
    CHUNK_SLOTS = 4096,
    BATCH = NB_STRESS_OR(2, 128),
    LOCAL_MAX = NB_STRESS_OR(4, 512),
    WARM_BATCHES = NB_STRESS_OR(1, 16)
};

/* What is remembered of a slot while it is free. */
struct note {
    uint32_t next;                   /* index of the next in its list, 0 none */
    uint32_t generation;             /* of its next process */
    _Atomic uint32_t next_batch;     /* in the common list: index of the next batch's first slot */
    bool trimmed;                    /* its last tenant has left nothing, and its pages were given back where possible */
};

struct sched_table {
    unsigned magic;
    struct sched *sched;
    size_t most, chunk_count;
    _Atomic(struct sched_slot *) *chunks;
    _Atomic(struct note *) *notes;   /* of each chunk, there before it */
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
    table->notes = nb_alloc_zero(table->chunk_count * sizeof *table->notes);
    if (table->chunks == NULL || table->notes == NULL) {
        nb_free(table->chunks);
        nb_free(table->notes);
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
    for (size_t i = 0; i < table->chunk_count; i++) {
        nb_pages_free(atomic_load(&table->chunks[i]), CHUNK_SLOTS * sizeof(struct sched_slot));
        nb_free(atomic_load(&table->notes[i]));
    }
    nb_free(table->chunks);
    nb_free(table->notes);
    table->magic = 0;
    nb_free(table);
    return NULL;
}

/* ---- chunks ---- */

static struct note *note_at(struct sched_table *table, uint32_t index)
{
    return &atomic_load_explicit(&table->notes[index / CHUNK_SLOTS], memory_order_acquire)[index % CHUNK_SLOTS];
}

/* Make sure that the notes of an index are there. Two threads may race: one array wins, the other is freed. */
static bool make_notes(struct sched_table *table, uint32_t index)
{
    _Atomic(struct note *) *place = &table->notes[index / CHUNK_SLOTS];
    struct note *none = NULL, *notes;

    if (atomic_load_explicit(place, memory_order_acquire) != NULL)
        return true;
    notes = nb_alloc_zero(CHUNK_SLOTS * sizeof *notes);
    if (notes == NULL)
        return false;
    if (!atomic_compare_exchange_strong(place, &none, notes))
        nb_free(notes);
    return true;
}

/* The same for the chunk itself, after its notes. */
static bool make_chunk(struct sched_table *table, uint32_t index)
{
    _Atomic(struct sched_slot *) *place = &table->chunks[index / CHUNK_SLOTS];
    struct sched_slot *none = NULL, *slots;

    if (atomic_load_explicit(place, memory_order_acquire) != NULL)
        return true;
    slots = make_notes(table, index) ? nb_pages_new(CHUNK_SLOTS * sizeof *slots, index >= CHUNK_SLOTS) : NULL;
    if (slots == NULL)
        return false;
    if (!atomic_compare_exchange_strong(place, &none, slots))
        nb_pages_free(slots, CHUNK_SLOTS * sizeof *slots);
    return true;
}

/* An index never used, 0 when there is none or no memory for it. */
static uint32_t take_fresh(struct sched_table *table)
{
    uint32_t index = atomic_load_explicit(&table->fresh, memory_order_relaxed);

    do {
        if (index > table->most || !make_chunk(table, index))
            return 0;
    } while (!atomic_compare_exchange_weak(&table->fresh, &index, index + 1));
    return index;
}

/* ---- free lists ---- */

static void push_batch(struct sched_table *table, uint32_t first)
{
    struct note *note = note_at(table, first);
    uint64_t head = atomic_load_explicit(&table->batches, memory_order_relaxed), mine;

    do {
        atomic_store_explicit(&note->next_batch, (uint32_t)head, memory_order_relaxed);
        mine = ((head >> 32) + 1) << 32 | first;
    } while (!atomic_compare_exchange_weak_explicit(&table->batches, &head, mine, memory_order_release,
                                                    memory_order_relaxed));
    atomic_fetch_add_explicit(&table->batch_count, 1, memory_order_relaxed);
}

/* The index of a batch's first slot, 0 when there is none. */
static uint32_t pop_batch(struct sched_table *table)
{
    uint64_t head = atomic_load_explicit(&table->batches, memory_order_acquire), rest;

    do {
        if ((uint32_t)head == 0)
            return 0;
        rest = ((head >> 32) + 1) << 32 |
               atomic_load_explicit(&note_at(table, (uint32_t)head)->next_batch, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&table->batches, &head, rest, memory_order_acquire,
                                                    memory_order_acquire));
    atomic_fetch_sub_explicit(&table->batch_count, 1, memory_order_relaxed);
    return (uint32_t)head;
}

static uint32_t take_local(struct sched_table *table, struct sched_free_slots *local)
{
    uint32_t index = local->first;

    local->first = note_at(table, index)->next;
    local->count--;
    return index;
}

static void adopt_batch(struct sched_table *table, struct sched_free_slots *local)
{
    uint32_t index = pop_batch(table), next;

    for (; index != 0; index = next) {
        struct note *note = note_at(table, index);

        next = note->next;
        note->next = local->first;
        local->first = index;
        local->count++;
    }
}

/* Detach the first slots of a list as a batch for the common one. */
static void give_batch(struct sched_table *table, struct sched_free_slots *local, size_t count)
{
    bool warm = (int32_t)atomic_load_explicit(&table->batch_count, memory_order_relaxed) < WARM_BATCHES;
    uint32_t first = local->first;
    struct note *last = NULL;

    for (size_t i = 0; i < count; i++) {
        struct sched_slot *slot = sched_table_at(table, local->first);

        last = note_at(table, local->first);
        if (!warm && !last->trimmed)
            vm_heap_done(&slot->process.heap);
        local->first = last->next;
    }
    last->next = 0;
    local->count -= count;
    push_batch(table, first);
}

/* A free slot becomes one in use. */
static struct sched_slot *open_slot(struct sched_table *table, uint32_t index, uint64_t *ret_pid)
{
    struct sched_slot *slot = sched_table_at(table, index);
    struct note *note = note_at(table, index);

    note->trimmed = false;
    slot->sched = table->sched;
    slot->index = index;
    slot->process.heap.home = nb_stress ? NULL : slot->block; /* the stress build watches who uses what was freed */
    slot->generation = note->generation;
    *ret_pid = (uint64_t)slot->generation << SCHED_PID_INDEX_BITS | index;
    return slot;
}

struct sched_slot *sched_table_take(struct sched_table *table, struct sched_free_slots *local, uint64_t *ret_pid)
{
    struct sched_free_slots own = { 0, 0 };
    bool borrowed = local == NULL;
    uint32_t index;

    nb_check_object(table, TABLE_MAGIC);
    if (borrowed)
        local = &own;
    if (local->first == 0)
        adopt_batch(table, local);
    index = local->first != 0 ? take_local(table, local) : take_fresh(table);
    if (borrowed && own.count > 0)
        give_batch(table, &own, own.count);
    return index == 0 ? NULL : open_slot(table, index, ret_pid);
}

void sched_table_give(struct sched_table *table, struct sched_free_slots *local, struct sched_slot *slot)
{
    struct sched_free_slots own = { 0, 0 };
    struct note *note = note_at(table, slot->index);

    nb_check_object(table, TABLE_MAGIC);
    nb_assert(atomic_load_explicit(&slot->process.pid, memory_order_relaxed) == 0);
    note->generation = slot->generation + 1;
    if (note->generation == 0) {
        vm_heap_done(&slot->process.heap); /* all its pids have been used: retired */
        return;
    }
    if (local == NULL)
        local = &own;
    note->next = local->first;
    local->first = slot->index;
    local->count++;
    if (local == &own)
        give_batch(table, &own, 1);
    else if (local->count > LOCAL_MAX)
        give_batch(table, local, BATCH);
}

/* ---- giving memory back ---- */

/* Take all of the common list. Marks each slot in `ours`; the batches are undone. */
static void take_all(struct sched_table *table, bool *ours, uint32_t end)
{
    uint32_t index;

    while ((index = pop_batch(table)) != 0) {
        for (; index != 0; index = note_at(table, index)->next) {
            nb_assert(index < end);
            ours[index] = true;
        }
    }
}

/* Put it back, in batches; those with the lowest numbers are used again first. */
static void put_all(struct sched_table *table, const bool *ours, uint32_t end)
{
    uint32_t first = 0, count = 0;

    for (uint32_t index = end; index-- > 1;) {
        if (!ours[index])
            continue;
        note_at(table, index)->next = first;
        first = index;
        if (++count < BATCH)
            continue;
        push_batch(table, first);
        first = count = 0;
    }
    if (first != 0)
        push_batch(table, first);
}

/* Give the whole pages of some neighbours in one chunk back to the system. */
static void release_pages(const struct sched_slot *first, size_t count)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = ((uintptr_t)first + page - 1) & ~(page - 1), end = (uintptr_t)(first + count) & ~(page - 1);

    if (end > start)
        madvise((void *)start, end - start, MADV_DONTNEED);
}

/* From `index` on: the slots that are ours, up to the end of the chunk. Returns how many. */
static uint32_t trim_neighbours(struct sched_table *table, const bool *ours, uint32_t index, uint32_t end)
{
    uint32_t count = 0;
    bool any = false;

    for (; index + count < end && ours[index + count]; count++) {
        struct note *note = note_at(table, index + count);

        if (count > 0 && (index + count) % CHUNK_SLOTS == 0)
            break;
        if (!note->trimmed)
            free_leavings(sched_table_at(table, index + count));
        any |= !note->trimmed;
        note->trimmed = true;
    }
    if (any)
        release_pages(sched_table_at(table, index), count);
    return count;
}

void sched_table_trim(struct sched_table *table)
{
    uint32_t end;
    bool *ours;

    nb_check_object(table, TABLE_MAGIC);
    end = (uint32_t)table->most + 1; /* slots may be made while we take: a place for each that there can be */
    ours = nb_alloc_zero(end);
    if (ours == NULL)
        return;
    take_all(table, ours, end);
    end = sched_table_end(table);
    for (uint32_t index = 1; index < end;)
        index += ours[index] ? trim_neighbours(table, ours, index, end) : 1;
    put_all(table, ours, end);
    nb_free(ours);
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
