/*
 * group.c - groups of processes: how many there are, what memory they have, and their end.
 *
 * `references` counts the live processes and, until it lets go, the owner. It reaches zero once, since only a live
 * process or the owner can bring a new process in.
 *
 * Closing and spawning race: a spawn enters its process into the table and then looks at `closing`; closing sets the
 * flag and then walks the table (both sequentially consistent), so one of the two sees the other and the late child
 * is killed.
 */
#include "config.h"

#include "scheduler/worker.h"

#include <string.h>

#include "base/assert.h"
#include "vm/heap.h"

#define GROUP_MAGIC 0x6d05be93u

void sched_group_init(struct sched_group *group, const char *name)
{
    memset(group, 0, sizeof *group);
    group->magic = GROUP_MAGIC;
    group->name = name;
    group->depth_max = SCHED_DEPTH_MAX_DEFAULT;
    atomic_init(&group->references, 1);
}

uint64_t sched_group_live(const struct sched_group *group)
{
    uint64_t references = atomic_load(&group->references);
    bool released = atomic_load(&group->released);

    return released || references == 0 ? references : references - 1;
}

void sched_group_leave(struct sched_group *group)
{
    nb_check_object(group, GROUP_MAGIC);
    if (atomic_fetch_sub(&group->references, 1) == 1 && group->all_ended != NULL)
        group->all_ended(group);
}

void sched_group_release(struct sched_group *group)
{
    bool before = atomic_exchange(&group->released, true);

    nb_assert(!before);
    sched_group_leave(group);
}

bool sched_group_enter(struct sched_group *group)
{
    uint64_t references;

    nb_check_object(group, GROUP_MAGIC);
    if (atomic_load(&group->closing))
        return false;
    references = atomic_fetch_add(&group->references, 1);
    nb_assert(references > 0);
    if (group->processes_max == 0 || sched_group_live(group) <= group->processes_max)
        return true;
    sched_group_leave(group);
    return false;
}

void sched_group_kill(struct sched *sched, struct sched_group *group)
{
    nb_check_object(group, GROUP_MAGIC);
    atomic_store(&group->closing, true);
    for (uint32_t index = 1; index < sched_table_end(sched->table); index++) {
        struct sched_slot *slot = sched_table_at(sched->table, index);
        uint64_t pid = slot == NULL ? 0 : atomic_load(&slot->process.pid);

        if (pid != 0 && atomic_load(&slot->group) == group)
            sched_slot_kill(NULL, slot, pid);
    }
}

/* Whether nothing can wake this process but another one. */
static bool waits_for_others_only(struct vm_process *process)
{
    if (atomic_load(&process->state) != VM_PROCESS_WAITING)
        return false;
    if (process->wait == VM_WAIT_MVAR)
        return true;
    return process->wait == VM_WAIT_RECEIVE && process->deadline_ns == UINT64_MAX;
}

bool sched_is_stuck(struct sched *sched, const struct sched_group *group)
{
    bool any = false;

    for (uint32_t index = 1; index < sched_table_end(sched->table); index++) {
        struct sched_slot *slot = sched_table_at(sched->table, index);

        if (slot == NULL || atomic_load(&slot->process.pid) == 0 || atomic_load(&slot->group) != group)
            continue;
        if (!waits_for_others_only(&slot->process))
            return false;
        any = true;
    }
    return any;
}

bool sched_group_account(struct sched_slot *slot)
{
    struct sched_group *group = atomic_load_explicit(&slot->group, memory_order_relaxed);
    const struct vm_heap *heap = &slot->process.heap;
    uint64_t words = (uint64_t)(heap->end - heap->start) + heap->fragment_words, total;

    if (words <= VM_BLOCK_WORDS_MIN)
        words = 0; /* most processes: nothing to note, nothing to share */
    if (words == slot->accounted_words)
        return false;
    total = atomic_fetch_add(&group->heap_words, words - slot->accounted_words) + words - slot->accounted_words;
    bool grew = words > slot->accounted_words;
    slot->accounted_words = words;
    if (!grew || group->heap_total_max_words == 0 || total <= group->heap_total_max_words)
        return false;
    atomic_fetch_add(&group->killed_for_memory, 1);
    return true;
}
