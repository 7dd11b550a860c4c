/*
 * mvar.c - reading, writing and locking shared variables.
 *
 * `turn` is a spin bit and a counter in one: odd while somebody changes the struct. Sections under it are a few
 * instructions long, never call out, and never free. Reading a value that is no object needs no turn: it is right
 * if the turn was even and the same before and after (a sequence lock). An object must be referenced under the
 * turn, as a writer might free it otherwise.
 *
 * Who waits stands in line (process->mvar_next, under the turn). Unlocking wakes the first and lets go; whoever
 * comes first, a running process or the woken one, gets the lock. That keeps short critical sections fast. The rule
 * that loses no wake-up:
 *
 *     if the line is not empty and nobody has the lock, somebody who was woken for it is on the way.
 *
 * The woken one either gets the lock (and wakes the next when it unlocks), or finds a new owner (who will wake the
 * next; it stands in line again, in front), or only reads or writes (and passes the wake on), or is killed before
 * it runs (vm_mvar_release_all() passes the wake on).
 */
#include "config.h"

#include "vm/mvar.h"

#include <ck_pr.h>
#include <inttypes.h>
#include <sched.h>

#include "base/assert.h"
#include "vm/except.h"
#include "vm/host.h"
#include "vm/shared.h"

enum { SPINS_MAX = 64 }; /* then let another thread run: the holder may have been preempted */

/* Acquire pairs with the release in end_turn(): what the one before wrote is seen. Under the turn, value and owner are
 * stored with release, which read_plain() pairs with: who sees one of them sees the odd turn, too. */
static void begin_turn(struct vm_mvar *mvar)
{
    for (unsigned spins = 0;; spins++) {
        uint32_t turn = atomic_load_explicit(&mvar->turn, memory_order_relaxed);

        if ((turn & 1) == 0 && atomic_compare_exchange_weak_explicit(&mvar->turn, &turn, turn + 1,
                                                                     memory_order_acquire, memory_order_relaxed))
            break;
        if (spins < SPINS_MAX)
            ck_pr_stall();
        else
            sched_yield();
    }
}

static void end_turn(struct vm_mvar *mvar)
{
    uint32_t turn = atomic_load_explicit(&mvar->turn, memory_order_relaxed);

    atomic_store_explicit(&mvar->turn, turn + 1, memory_order_release);
}

static uint64_t pid_of(const struct vm_process *process)
{
    return atomic_load_explicit(&process->pid, memory_order_relaxed);
}

static bool is_free_for(const struct vm_mvar *mvar, uint64_t pid)
{
    uint64_t owner = atomic_load_explicit(&mvar->owner, memory_order_relaxed);

    return owner == 0 || owner == pid;
}

/* ---- the line; all under the turn ---- */

static void stand_first(struct vm_mvar *mvar, struct vm_process *process)
{
    process->mvar_next = mvar->first_waiter;
    mvar->first_waiter = process;
    if (mvar->last_waiter == NULL)
        mvar->last_waiter = process;
}

static void stand_last(struct vm_mvar *mvar, struct vm_process *process)
{
    process->mvar_next = NULL;
    if (mvar->last_waiter == NULL)
        mvar->first_waiter = process;
    else
        mvar->last_waiter->mvar_next = process;
    mvar->last_waiter = process;
}

static struct vm_process *take_first(struct vm_mvar *mvar)
{
    struct vm_process *first = mvar->first_waiter;

    if (first == NULL)
        return NULL;
    mvar->first_waiter = first->mvar_next;
    if (mvar->first_waiter == NULL)
        mvar->last_waiter = NULL;
    first->mvar_queued = false;
    return first;
}

static void leave_line(struct vm_mvar *mvar, struct vm_process *process)
{
    struct vm_process *before = NULL, *at = mvar->first_waiter;

    while (at != process) {
        before = at;
        at = at->mvar_next;
    }
    if (before == NULL)
        mvar->first_waiter = process->mvar_next;
    else
        before->mvar_next = process->mvar_next;
    if (mvar->last_waiter == process)
        mvar->last_waiter = before;
    process->mvar_queued = false;
}

/* ---- waiting ---- */

/* Under the turn, the lock being another's: stand in line. One who was woken in vain keeps its place in front. */
static void stand(struct vm_ctx *ctx, struct vm_mvar *mvar)
{
    struct vm_process *process = ctx->process;

    if (process->mvar_queued)
        return; /* woken for another reason */
    if (process->mvar_wait == mvar)
        stand_first(mvar, process);
    else
        stand_last(mvar, process);
    process->mvar_queued = true;
    process->mvar_wait = mvar;
    process->mvar_host = ctx->host;
}

/* After end_turn() of stand(). */
static enum vm_status park(struct vm_process *process)
{
    vm_process_wait_until(process, UINT64_MAX);
    vm_process_wait_for(process, VM_WAIT_MVAR);
    return VM_PARK;
}

/* Under the turn, having got what it came for: it waits no longer. */
static void stop_waiting(struct vm_mvar *mvar, struct vm_process *process)
{
    if (process->mvar_queued)
        leave_line(mvar, process);
    process->mvar_wait = NULL;
    vm_process_wait_for(process, VM_WAIT_NONE);
}

/* Under the turn: whom to wake now, if the lock is free. */
static struct vm_process *next_if_free(struct vm_mvar *mvar)
{
    return atomic_load_explicit(&mvar->owner, memory_order_relaxed) == 0 ? take_first(mvar) : NULL;
}

static void wake(const struct vm_host *host, struct vm_ctx *ctx, struct vm_process *process)
{
    if (process != NULL)
        host->wake(ctx, process);
}

/* End a turn in which the process did what it came for without locking. */
static void pass_on(struct vm_ctx *ctx, struct vm_mvar *mvar)
{
    struct vm_process *next = NULL;

    if (ctx->process->mvar_wait != NULL) {
        stop_waiting(mvar, ctx->process);
        next = next_if_free(mvar);
    }
    end_turn(mvar);
    wake(ctx->host, ctx, next);
}

/* ---- reading ---- */

/* A content that is no object, seen while nobody changed anything. */
static bool read_plain(const struct vm_mvar *mvar, uint64_t pid, vm_value *ret)
{
    uint32_t turn = atomic_load_explicit(&mvar->turn, memory_order_acquire);
    vm_value value = atomic_load_explicit(&mvar->value, memory_order_acquire);
    uint64_t owner = atomic_load_explicit(&mvar->owner, memory_order_acquire);

    if ((turn & 1) != 0 || vm_is_object(value) || (owner != 0 && owner != pid) ||
        atomic_load_explicit(&mvar->turn, memory_order_relaxed) != turn)
        return false;
    *ret = value;
    return true;
}

enum vm_status vm_mvar_view(struct vm_ctx *ctx, vm_value value, vm_value *ret)
{
    struct vm_heap *heap = &ctx->process->heap;
    enum vm_copy_result result;

    *ret = value;
    if (!vm_is_shared(value))
        return VM_OK;
    if (!vm_shared_is_mutable(value)) {
        vm_heap_add_shared(heap, value);
        return VM_OK;
    }
    result = vm_copy_to_heap(value, heap, ret);
    vm_shared_unref(value);
    return result == VM_COPY_OK ? VM_OK : VM_NOMEM;
}

enum vm_status vm_mvar_get(struct vm_ctx *ctx, struct vm_mvar *mvar, vm_value *ret)
{
    struct vm_process *process = ctx->process;
    vm_value value;

    if (process->mvar_wait == NULL && read_plain(mvar, pid_of(process), ret))
        return VM_OK;
    if (vm_heap_is_overdue(&process->heap))
        (void)vm_heap_reserve(ctx, 0); /* a heap beyond its limit is the next allocation's business */
    begin_turn(mvar);
    if (!is_free_for(mvar, pid_of(process))) {
        stand(ctx, mvar);
        end_turn(mvar);
        return park(process);
    }
    value = atomic_load_explicit(&mvar->value, memory_order_relaxed);
    if (vm_is_shared(value))
        vm_shared_ref(value);
    pass_on(ctx, mvar);
    return vm_mvar_view(ctx, value, ret);
}

/* ---- writing ---- */

enum vm_status vm_mvar_share(struct vm_ctx *ctx, vm_value value, vm_value *ret_shared)
{
    struct vm_account *account = ctx->process->program->account, *former = vm_account_charge(account);
    enum vm_copy_result result = vm_share(value, ret_shared);

    vm_account_charge(former);
    if (result == VM_COPY_NOMEM)
        return VM_NOMEM;
    if (result == VM_COPY_REFUSED)
        return vm_raise_panic(ctx, "Send: cannot convert message");
    if (!vm_is_shared(*ret_shared) || !vm_account_is_exceeded(account))
        return VM_OK;
    vm_shared_unref(*ret_shared);
    return vm_raise_panic(ctx, "Too much in mvars (limit %" PRIu64 " MiB)",
                          atomic_load_explicit(&account->limit, memory_order_relaxed) >> 20);
}

/* Whether it is worth preparing a value now: just a look, the decision falls under the turn. */
static bool must_wait(struct vm_ctx *ctx, struct vm_mvar *mvar)
{
    bool waits;

    begin_turn(mvar);
    waits = !is_free_for(mvar, pid_of(ctx->process));
    if (waits)
        stand(ctx, mvar);
    end_turn(mvar);
    return waits;
}

enum vm_status vm_mvar_set(struct vm_ctx *ctx, struct vm_mvar *mvar, vm_value value)
{
    vm_value shared = value, former;
    enum vm_status status;

    if (vm_is_object(value)) {
        if (must_wait(ctx, mvar))
            return park(ctx->process);
        status = vm_mvar_share(ctx, value, &shared);
        if (status != VM_OK) { /* one who was woken passes that on */
            begin_turn(mvar);
            pass_on(ctx, mvar);
            return status;
        }
    }
    begin_turn(mvar);
    if (!is_free_for(mvar, pid_of(ctx->process))) {
        stand(ctx, mvar);
        end_turn(mvar);
        if (vm_is_shared(shared))
            vm_shared_unref(shared);
        return park(ctx->process);
    }
    ctx->process->published = true;
    former = atomic_load_explicit(&mvar->value, memory_order_relaxed);
    atomic_store_explicit(&mvar->value, shared, memory_order_release);
    pass_on(ctx, mvar);
    if (vm_is_shared(former))
        vm_shared_unref(former);
    return VM_OK;
}

/* ---- locking ---- */

enum vm_status vm_mvar_lock(struct vm_ctx *ctx, struct vm_mvar *mvar)
{
    struct vm_process *process = ctx->process;
    uint64_t pid = pid_of(process);

    nb_assert(pid != 0);
    if (atomic_load_explicit(&mvar->owner, memory_order_relaxed) == pid) { /* nobody else can have written that */
        mvar->lock_depth++;
        return VM_OK;
    }
    begin_turn(mvar);
    if (!is_free_for(mvar, pid)) {
        stand(ctx, mvar);
        end_turn(mvar);
        return park(process);
    }
    atomic_store_explicit(&mvar->owner, pid, memory_order_release);
    if (process->mvar_wait != NULL)
        stop_waiting(mvar, process);
    end_turn(mvar);
    mvar->lock_depth = 1;
    mvar->held_next = process->held;
    process->held = mvar;
    process->mvar_host = ctx->host;
    return VM_OK;
}

/* Let go of one that the process holds and is no longer on its list. */
static void release(struct vm_mvar *mvar, const struct vm_host *host, struct vm_ctx *ctx)
{
    struct vm_process *next;

    mvar->lock_depth = 0;
    mvar->held_next = NULL;
    begin_turn(mvar);
    atomic_store_explicit(&mvar->owner, 0, memory_order_release);
    next = take_first(mvar);
    end_turn(mvar);
    wake(host, ctx, next);
}

void vm_mvar_unlock(struct vm_ctx *ctx, struct vm_mvar *mvar)
{
    struct vm_mvar **held = &ctx->process->held;

    nb_assert(atomic_load_explicit(&mvar->owner, memory_order_relaxed) == pid_of(ctx->process));
    if (--mvar->lock_depth > 0)
        return;
    while (*held != mvar) /* usually the first: locks nest */
        held = &(*held)->held_next;
    *held = mvar->held_next;
    release(mvar, ctx->host, ctx);
}

/* A process that waits, or was woken and did not get to run, disappears. */
static void abandon(struct vm_process *process, struct vm_mvar *mvar)
{
    struct vm_process *next = NULL;

    begin_turn(mvar);
    if (process->mvar_queued)
        leave_line(mvar, process);
    else
        next = next_if_free(mvar);
    end_turn(mvar);
    process->mvar_wait = NULL;
    wake(process->mvar_host, NULL, next);
}

void vm_mvar_release_all(struct vm_process *process)
{
    if (process->mvar_wait != NULL)
        abandon(process, process->mvar_wait);
    while (process->held != NULL) {
        struct vm_mvar *mvar = process->held;

        process->held = mvar->held_next;
        release(mvar, process->mvar_host, NULL);
    }
}

void vm_mvar_done(struct vm_mvar *mvar)
{
    vm_value value = atomic_load_explicit(&mvar->value, memory_order_relaxed);

    if (vm_is_shared(value))
        vm_shared_unref(value);
    atomic_store_explicit(&mvar->value, VM_NONE, memory_order_relaxed);
}
