/*
 * process.c - processes as the scheduler sees them: made, woken, asked to end, ended; and the callbacks of the VM
 * (vm/host.h).
 *
 * Killing needs care because slots are reused: `process.kill` may be set by somebody who meant the former tenant. So
 * the pid that is meant is kept beside it, the greatest wins (pids of a slot only grow), and the flag alone means
 * only "look there". Whoever kills sets the pid, then the flag; whoever finds that it is not meant clears the flag,
 * then looks at the pid again.
 */
#include "config.h"

#include "scheduler/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/tsan.h"
#include "scheduler/link.h"
#include "vm/except.h"

enum { COPY_WORDS_PER_REDUCTION = 16 };

/* ---- making ---- */

/* Forget a process that never ran. */
static void abandon(struct sched *sched, struct sched_worker *worker, struct sched_slot *slot)
{
    struct sched_group *group = atomic_load(&slot->group);

    atomic_store(&slot->process.pid, 0);
    vm_process_done(&slot->process);
    atomic_store(&slot->group, NULL);
    sched_table_give(sched->table, worker == NULL ? NULL : &worker->free, slot);
    sched_group_leave(group);
}

/* The fields that come from the group. */
static void join_group(struct sched_slot *slot, struct sched_group *group)
{
    struct vm_process *process = &slot->process;

    process->owner = group;
    process->heap.limit_words = group->heap_max_words;
    process->depth_max = group->depth_max;
    process->mailbox_max = group->mailbox_max;
    process->mailbox_max_bytes = group->mailbox_max_bytes;
    slot->accounted_words = 0;
    atomic_store_explicit(&slot->linked, false, memory_order_relaxed); /* nobody knows the process yet */
    atomic_store_explicit(&slot->traps_exit, false, memory_order_relaxed);
    atomic_store_explicit(&slot->timer_at, 0, memory_order_relaxed);
    atomic_store(&slot->group, group);
}

int sched_process_new(struct vm_ctx *ctx, struct sched *sched, struct sched_group *group, struct vm_program *program,
                      vm_value entry, struct vm_process **ret_process)
{
    struct sched_worker *worker = ctx == NULL ? NULL : sched_worker_of(ctx);
    struct sched_slot *slot;
    enum vm_copy_result copied;
    uint64_t pid;

    nb_check_object(sched, SCHED_MAGIC);
    if (!sched_group_enter(group))
        return -EAGAIN;
    slot = sched_table_take(sched->table, worker == NULL ? NULL : &worker->free, &pid);
    if (slot == NULL) {
        sched_group_leave(group);
        return -EAGAIN;
    }
    if (!vm_process_init(&slot->process, program, pid)) {
        atomic_store(&slot->process.pid, 0);
        sched_table_give(sched->table, worker == NULL ? NULL : &worker->free, slot);
        sched_group_leave(group);
        return -ENOMEM;
    }
    join_group(slot, group);
    atomic_store_explicit(&slot->process.started_ns, worker != NULL ? sched_now_ns(ctx) : nb_clock_ns(),
                          memory_order_relaxed);
    copied = vm_process_set_entry(&slot->process, entry);
    if (copied != VM_COPY_OK) {
        abandon(sched, worker, slot);
        return copied == VM_COPY_REFUSED ? -EINVAL : -ENOMEM;
    }
    if (atomic_load(&group->closing))
        sched_slot_kill(ctx, slot, pid);
    if (worker != NULL)
        sched_count(&worker->counts.spawned, 1);
    else
        atomic_fetch_add(&sched->spawned_outside, 1);
    *ret_process = &slot->process;
    return 0;
}

void sched_submit(struct vm_ctx *ctx, struct vm_process *process)
{
    struct sched_worker *worker = ctx == NULL ? NULL : sched_worker_of(ctx);
    uint32_t before = atomic_exchange(&process->state, VM_PROCESS_RUNNABLE);

    nb_assert(before == VM_PROCESS_FREE);
    sched_enqueue(sched_slot_of(process)->sched, worker, process);
}

/* ---- waking ---- */

/* A process woken by the one that runs takes the run-next slot; who was there goes to the queue. */
static void enqueue_woken(struct vm_ctx *ctx, struct vm_process *process)
{
    struct sched_worker *worker = ctx == NULL ? sched_this_worker() : sched_worker_of(ctx);
    struct vm_process *former;

    if (worker == NULL || worker->ctx.process == NULL || worker->sched->sim != NULL) {
        sched_enqueue(sched_slot_of(process)->sched, worker, process);
        return;
    }
    former = worker->next;
    worker->next = process;
    if (former != NULL)
        sched_enqueue(worker->sched, worker, former);
}

void sched_wake(struct vm_ctx *ctx, struct vm_process *process)
{
    uint32_t state;

    nb_full_fence(); /* the cause, then the state; pairs with the exchange to RUNNING, then the look at the cause */
    state = atomic_load(&process->state);
    for (;;) {
        if (state == VM_PROCESS_WAITING) {
            if (!atomic_compare_exchange_weak(&process->state, &state, VM_PROCESS_RUNNABLE))
                continue;
            enqueue_woken(ctx, process);
            return;
        }
        if (state != VM_PROCESS_RUNNING)
            return; /* it will look, or it is gone */
        if (atomic_compare_exchange_weak(&process->state, &state, VM_PROCESS_NOTIFIED))
            return;
    }
}

/* ---- ending ---- */

bool sched_slot_kill(struct vm_ctx *ctx, struct sched_slot *slot, uint64_t pid)
{
    uint64_t meant = atomic_load(&slot->kill_pid);

    while (meant < pid && !atomic_compare_exchange_weak(&slot->kill_pid, &meant, pid))
        ;
    atomic_store(&slot->process.kill, true);
    sched_wake(ctx, &slot->process);
    return meant < pid;
}

bool sched_process_is_killed(struct vm_process *process)
{
    struct sched_slot *slot = sched_slot_of(process);
    uint64_t pid = atomic_load_explicit(&process->pid, memory_order_relaxed);

    if (!atomic_load_explicit(&process->kill, memory_order_acquire))
        return false;
    if (atomic_load(&slot->kill_pid) == pid)
        return true;
    atomic_store(&process->kill, false);
    if (atomic_load(&slot->kill_pid) != pid)
        return false;
    atomic_store(&process->kill, true);
    return true;
}

void sched_process_end(struct sched_worker *worker, struct vm_process *process, enum vm_stop stop)
{
    struct sched_slot *slot = sched_slot_of(process);
    struct sched_group *group = atomic_load_explicit(&slot->group, memory_order_relaxed);
    uint64_t pid = atomic_load_explicit(&process->pid, memory_order_relaxed);

    if (group->ended != NULL)
        group->ended(group, &worker->ctx, process, stop);
    atomic_store(&process->pid, 0);
    atomic_store(&process->state, VM_PROCESS_FREE);
    if (atomic_load(&slot->linked))
        sched_links_ended(&worker->ctx, slot, pid, stop);
    vm_process_done(process);
    atomic_store_explicit(&slot->timer_at, 0, memory_order_relaxed);
    if (slot->accounted_words != 0)
        atomic_fetch_sub(&group->heap_words, slot->accounted_words);
    slot->accounted_words = 0;
    atomic_store(&slot->group, NULL);
    sched_table_give(worker->sched->table, &worker->free, slot);
    sched_count(&worker->counts.exited, 1);
    nb_assert_context(NULL);
    sched_group_leave(group);
}

void sched_trim(struct sched *sched)
{
    nb_check_object(sched, SCHED_MAGIC);
    sched_table_trim(sched->table);
}

struct vm_process *sched_find(struct sched *sched, uint64_t pid)
{
    struct sched_slot *slot = sched_table_find(sched->table, pid);

    return slot == NULL ? NULL : &slot->process;
}

bool sched_kill(struct vm_ctx *ctx, struct sched *sched, uint64_t pid)
{
    struct sched_slot *slot = sched_table_find(sched->table, pid);

    return slot != NULL && sched_slot_kill(ctx, slot, pid);
}

size_t sched_list(struct sched *sched, const struct sched_group *group, uint64_t *pids, size_t most)
{
    size_t count = 0;

    for (uint32_t index = 1; index < sched_table_end(sched->table) && count < most; index++) {
        struct sched_slot *slot = sched_table_at(sched->table, index);
        uint64_t pid = slot == NULL ? 0 : atomic_load(&slot->process.pid);

        if (pid != 0 && (group == NULL || atomic_load(&slot->group) == group))
            pids[count++] = pid;
    }
    return count;
}

/* ---- what the VM asks for ---- */

/* What spawn_link and spawn_monitor add, before the child runs: it cannot end unnoticed. */
static enum vm_status connect_child(struct vm_ctx *ctx, enum vm_spawn how, uint64_t pid, uint64_t *ret_reference)
{
    if (how == VM_SPAWN_MONITOR)
        return sched_monitor(ctx, pid, ret_reference);
    return how == VM_SPAWN_LINK && sched_traps_exit(ctx) ? sched_link(ctx, pid) : VM_OK;
}

/* spawn_monitor's result. */
static enum vm_status answer_pair(struct vm_ctx *ctx, uint64_t reference, vm_value *ret)
{
    vm_value *tuple;

    if (!vm_heap_reserve(ctx, 3))
        return VM_NOMEM;
    tuple = vm_heap_take(&ctx->process->heap, 3);
    tuple[0] = VM_HEADER(VM_KIND_TUPLE, 0, 0, 2);
    tuple[1] = *ret;
    tuple[2] = vm_from_small((int64_t)reference);
    *ret = vm_from_object(tuple);
    return VM_OK;
}

static enum vm_status host_spawn(struct vm_ctx *ctx, vm_value closure, enum vm_spawn how, vm_value *ret)
{
    struct sched_group *group = ctx->process->owner;
    struct vm_process *child;
    uint64_t reference = 0, pid;
    enum vm_status status;
    int r = sched_process_new(ctx, sched_of(ctx), group, ctx->process->program, closure, &child);

    if (r == -EAGAIN && group->processes_max != 0)
        return vm_raise_panic(ctx, "Too many processes (limit %u)", group->processes_max);
    if (r == -EAGAIN)
        return vm_raise_panic(ctx, "Too many processes");
    if (r == -EINVAL)
        return vm_raise_panic(ctx, "Send: cannot convert message");
    if (r < 0)
        return VM_NOMEM;
    pid = atomic_load_explicit(&child->pid, memory_order_relaxed);
    *ret = VM_IMMEDIATE(VM_SORT_PID, pid);
    if (group->spawned != NULL)
        group->spawned(group, ctx, closure, child);
    ctx->process->published = true;
    status = connect_child(ctx, how, pid, &reference);
    if (status != VM_OK)
        (void)sched_slot_kill(ctx, sched_slot_of(child), pid);
    sched_submit(ctx, child);
    return status == VM_OK && reference != 0 ? answer_pair(ctx, reference, ret) : status;
}

/* A mailbox that nobody empties would eat all memory: its owner ends, the sender goes on. */
static void check_mailbox(struct vm_ctx *ctx, struct sched_slot *slot, uint64_t pid)
{
    struct sched_group *group = atomic_load(&slot->group);
    uint32_t most = slot->process.mailbox_max;
    uint64_t most_bytes = slot->process.mailbox_max_bytes;
    bool too_many = most != 0 && atomic_load_explicit(&slot->process.inbox_length, memory_order_relaxed) > most;
    bool too_large =
        most_bytes != 0 && atomic_load_explicit(&slot->process.inbox_bytes, memory_order_relaxed) > most_bytes;

    if (!too_many && !too_large)
        return;
    if (atomic_load(&slot->kill_pid) == pid || group == NULL || group != ctx->process->owner)
        return; /* told already; or gone, and its group perhaps with it */
    if (!sched_slot_kill(ctx, slot, pid))
        return; /* another sender has noticed, too */
    atomic_fetch_add(&group->killed_for_mailbox, 1);
    if (group->limited != NULL)
        group->limited(group, ctx, pid, too_many ? SCHED_LIMIT_MAILBOX : SCHED_LIMIT_MAILBOX_BYTES);
}

static enum vm_status host_send(struct vm_ctx *ctx, uint64_t pid, vm_value message)
{
    struct sched_slot *slot = sched_table_find(sched_of(ctx)->table, pid);
    struct vm_message *copy;
    enum vm_copy_result copied;

    if (slot == NULL)
        return VM_OK;
    copied = vm_message_new(pid, message, &copy);
    if (copied == VM_COPY_REFUSED)
        return vm_raise_panic(ctx, "Send: cannot convert message");
    if (copied != VM_COPY_OK)
        return VM_NOMEM;
    if (copy->fragment != NULL)
        ctx->reductions -= copy->fragment->words / COPY_WORDS_PER_REDUCTION;
    ctx->process->published = true;
    vm_process_deliver(&slot->process, copy);
    sched_wake(ctx, &slot->process);
    check_mailbox(ctx, slot, pid);
    return VM_OK;
}

static bool host_kill(struct vm_ctx *ctx, uint64_t pid)
{
    if (pid == atomic_load_explicit(&ctx->process->pid, memory_order_relaxed))
        return false;
    return sched_kill(ctx, sched_of(ctx), pid);
}

static size_t host_list(struct vm_ctx *ctx, uint64_t *pids, size_t most)
{
    return sched_list(sched_of(ctx), ctx->process->owner, pids, most);
}

static void host_stats(struct vm_ctx *ctx, uint64_t *ret_spawned, uint64_t *ret_exited, uint64_t *ret_active)
{
    struct sched_stats stats;

    sched_get_stats(sched_of(ctx), SCHED_ALL_WORKERS, &stats);
    *ret_spawned = stats.spawned;
    *ret_exited = stats.exited;
    *ret_active = stats.spawned > stats.exited ? stats.spawned - stats.exited : 0;
}

/* Without a group's own way: straight to standard output or error. What cannot be written is lost. */
static void write_plainly(bool error, bool newline, const char *text, size_t length)
{
    char end = '\n';
    struct iovec parts[2] = { { .iov_base = (char *)(uintptr_t)text, .iov_len = length },
                              { .iov_base = &end, .iov_len = newline ? 1 : 0 } };
    size_t part = 0;

    while (part < 2) {
        ssize_t written = writev(error ? STDERR_FILENO : STDOUT_FILENO, parts + part, (int)(2 - part));

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return;
        while (part < 2 && (size_t)written >= parts[part].iov_len)
            written -= (ssize_t)parts[part++].iov_len;
        if (part < 2) {
            parts[part].iov_base = (char *)parts[part].iov_base + written;
            parts[part].iov_len -= (size_t)written;
        }
    }
}

static void host_output(struct vm_ctx *ctx, bool error, bool newline, const char *text, size_t length)
{
    struct sched_group *group = ctx->process->owner;

    if (group->output != NULL)
        group->output(group, ctx, error, newline, text, length);
    else
        write_plainly(error, newline, text, length);
}

static void host_flush(struct vm_ctx *ctx, bool error)
{
    struct sched_group *group = ctx->process->owner;

    if (group->flush != NULL)
        group->flush(group, ctx, error);
}

/* The next two have no context: they are for the thread of a worker. */
static struct vm_process *host_find(uint64_t pid)
{
    struct sched_worker *worker = sched_this_worker();

    return worker == NULL ? NULL : sched_find(worker->sched, pid);
}

static unsigned host_workers(void)
{
    struct sched_worker *worker = sched_this_worker();

    return worker == NULL ? sched_cores() : worker->sched->worker_count;
}

const struct vm_host *sched_host(void)
{
    static const struct vm_host host = {
        .spawn = host_spawn,
        .send = host_send,
        .wake = sched_wake,
        .kill = host_kill,
        .find = host_find,
        .list = host_list,
        .stats = host_stats,
        .workers = host_workers,
        .output = host_output,
        .flush = host_flush,
    };

    return &host;
}
