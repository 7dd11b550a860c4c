/*
 * io_fixture.h - processes that do I/O: they run on a real scheduler; in place of the interpreter, vm_run() calls one
 * native per process again and again, as vm/native.h promises.
 */
#ifndef TESTS_UNIT_IO_FIXTURE_H
#define TESTS_UNIT_IO_FIXTURE_H

#include <check.h>
#include <stdatomic.h>
#include <unistd.h>

#include "io/handle.h"
#include "io/reactor.h"
#include "scheduler/sched.h"
#include "vm/program.h"

/** What the process with that number does; VM_OK: it has ended well. */
typedef enum vm_status native(struct vm_ctx *ctx, int number);

static struct sched *sched;
static struct sched_group group;
static struct vm_program *program;
static native *the_native;
static _Atomic int calls, parks, raises, finished, killed;

enum vm_stop vm_run(struct vm_ctx *ctx)
{
    atomic_fetch_add(&calls, 1);
    switch (the_native(ctx, (int)vm_small(ctx->process->entry))) {
    case VM_OK:
        atomic_fetch_add(&finished, 1);
        return VM_STOP_END;
    case VM_PARK:
        atomic_fetch_add(&parks, 1);
        return VM_STOP_WAIT;
    default:
        atomic_fetch_add(&raises, 1);
        return VM_STOP_CRASH;
    }
}

static inline void on_ended(struct sched_group *of, struct vm_ctx *ctx, struct vm_process *process, enum vm_stop stop)
{
    (void)of;
    (void)ctx;
    io_process_ended(process, stop);
    if (stop == VM_STOP_KILLED)
        atomic_fetch_add(&killed, 1);
}

/* A scheduler for processes that call this native. */
static inline void start(native *which)
{
    const struct sched_options options = { .workers = 2 };

    the_native = which;
    calls = parks = raises = finished = killed = 0;
    ck_assert_int_eq(sched_new(&options, &sched), 0);
    sched_group_init(&group, "test");
    group.ended = on_ended;
    program = vm_program_new("test");
    ck_assert_int_eq(sched_start(sched), 0);
}

/* A new process with that number. Returns its pid. */
static inline uint64_t submit(int number)
{
    struct vm_process *process;
    uint64_t pid;

    ck_assert_int_eq(sched_process_new(NULL, sched, &group, program, vm_from_small(number), &process), 0);
    pid = atomic_load(&process->pid);
    sched_submit(NULL, process);
    return pid;
}

static inline void await(const _Atomic int *counter, int number)
{
    while (atomic_load(counter) < number)
        usleep(200);
}

/* Until so many processes are left. */
static inline void await_live(uint64_t live)
{
    while (sched_group_live(&group) != live)
        usleep(200);
}

static inline void finish(void)
{
    sched_stop(sched);
    io_stop();
    sched = sched_free(sched);
    sched_group_release(&group);
    vm_program_unref(program);
}

#endif
