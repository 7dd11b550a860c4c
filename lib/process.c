/*
 * process.c - natives about processes. What they know of others comes from fields that those write without regard to
 * readers: a moment's view, good for people.
 */
#include "config.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "lib/expect.h"
#include "lib/record.h"
#include "vm/host.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/operate.h"
#include "vm/string.h"

enum { NS_PER_MS = 1000000, ALL_ROOM = 256 };

/* The deadline is set on the first of several calls (vm/native.h) and marks the later ones. */
static enum vm_status process_sleep(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    struct vm_process *process = ctx->process;
    int64_t ms;

    if (status != VM_OK)
        return status;
    *ret = VM_UNIT;
    ms = vm_int_of(args[0]);
    if (!process->deadline_set) {
        process->deadline_set = true;
        vm_process_wait_until(process, vm_deadline_after(ms > 0 ? ms : 0));
        vm_process_wait_for(process, VM_WAIT_SLEEP);
        return ms > 0 ? VM_PARK : VM_YIELD;
    }
    if (nb_clock_ns() < process->deadline_ns) {
        vm_process_wait_for(process, VM_WAIT_SLEEP);
        return VM_PARK;
    }
    process->deadline_set = false;
    vm_process_wait_until(process, UINT64_MAX);
    return VM_OK;
}

static enum vm_status process_self(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    *ret = VM_IMMEDIATE(VM_SORT_PID, atomic_load_explicit(&ctx->process->pid, memory_order_relaxed));
    return VM_OK;
}

static enum vm_status process_vm_stats(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    uint64_t spawned, exited, active;

    (void)args;
    ctx->host->stats(ctx, &spawned, &exited, &active);
    return lib_answer(lib_tuple(ctx, 3, (vm_value[]){ vm_from_small((int64_t)spawned), vm_from_small((int64_t)exited),
                                                      vm_from_small((int64_t)active) }),
                      ret);
}

static enum vm_status process_all(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    uint64_t *pids = NULL, *more;
    size_t room = ALL_ROOM, count;
    vm_value list;

    (void)args;
    for (;; room *= 4) {
        more = nb_realloc_array(pids, room, sizeof *pids);
        if (more == NULL) {
            nb_free(pids);
            return VM_NOMEM;
        }
        pids = more;
        count = ctx->host->list(ctx, pids, room);
        if (count < room)
            break;
    }
    lib_worked(ctx, count);
    list = vm_list_make(ctx, count);
    for (size_t i = 0; list != VM_NONE && i < count; i++)
        vm_list_init_at(list, i, VM_IMMEDIATE(VM_SORT_PID, pids[i]));
    nb_free(pids);
    return lib_answer(list, ret);
}

/* The process of a pid if it lives and is not about to end. */
static struct vm_process *living(struct vm_ctx *ctx, vm_value pid)
{
    struct vm_process *process = ctx->host->find(vm_payload(pid));

    if (process == NULL || atomic_load(&process->kill))
        return NULL;
    return atomic_load(&process->pid) == vm_payload(pid) ? process : NULL;
}

static int64_t uptime_ms(const struct vm_process *process)
{
    uint64_t now = nb_clock_ns();

    return now > process->started_ns ? (int64_t)((now - process->started_ns) / NS_PER_MS) : 0;
}

static enum vm_status process_alive(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "P");

    if (status == VM_OK)
        *ret = vm_from_bool(living(ctx, args[0]) != NULL);
    return status;
}

static enum vm_status process_time(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "P");
    const struct vm_process *process;

    if (status != VM_OK)
        return status;
    process = living(ctx, args[0]);
    return lib_answer_int(ctx, process != NULL ? uptime_ms(process) : -1, ret);
}

static const char *status_of(struct vm_process *process)
{
    if (atomic_load(&process->state) != VM_PROCESS_WAITING)
        return "running";
    switch (atomic_load(&process->wait)) {
    case VM_WAIT_SLEEP:
        return "sleeping";
    case VM_WAIT_IO:
    case VM_WAIT_ACCEPT:
        return "io";
    case VM_WAIT_MVAR:
        return "suspended";
    default:
        return "waiting";
    }
}

static enum vm_status process_info(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "P");
    uint32_t info = lib_record(LIB_RECORD_PROCESS_INFO);
    struct vm_process *process;
    int64_t mailbox = 0, uptime = 0;
    const char *word = "exited";
    vm_value text;

    if (status != VM_OK)
        return status;
    process = living(ctx, args[0]);
    if (process != NULL) {
        word = status_of(process);
        mailbox = (int64_t)atomic_load(&process->inbox_length);
        uptime = uptime_ms(process);
    }
    text = vm_string_cstr(ctx, word);
    if (text == VM_NONE)
        return VM_NOMEM;
    return lib_answer(lib_data(ctx, info, 3, (vm_value[]){ text, vm_from_small(mailbox), vm_from_small(uptime) }), ret);
}

static enum vm_status process_kill(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "P");

    if (status == VM_OK)
        *ret = vm_from_bool(ctx->host->kill(ctx, vm_payload(args[0])));
    return status;
}

#define LIB_TABLE "lib/process.def"
#define LIB_REGISTER lib_register_process
#include "lib/table.h"
