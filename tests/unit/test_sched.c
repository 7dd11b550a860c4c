/*
 * test_sched.c - the scheduler as a whole, with processes whose bodies are C functions.
 *
 * The VM's vm_run() is replaced: a process's entry is a small integer that chooses a body from the table below.
 * Bodies behave as natives do: each call is one slice, and they tell how it stopped. Threads only count in atomics;
 * the test's own thread asserts.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "scheduler/sched.h"
#include "vm/program.h"

#define SECOND UINT64_C(1000000000)
#define MILLISECOND UINT64_C(1000000)

typedef enum vm_stop body(struct vm_ctx *ctx, int64_t argument);

static struct sched *sched;
static struct sched_group group;
static struct vm_program *program;
static _Atomic int ended_count[VM_STOP_KILLED + 1];
static _Atomic int all_ended_count, runs, messages, wrong;

/* ---- bodies ---- */

enum { ARGUMENT_BITS = 32 };
enum { TREE, PING, PONG, SLEEPER, ENDLESS, WAITER, COUNTER, SPAWNER, SENDER, GROWER, BURSTER, CRASHER, TRACER, YIELDER,
       FLOOD, NUDGED, HEIR };

static int64_t entry_of(int kind, int64_t argument)
{
    return (int64_t)kind << ARGUMENT_BITS | argument;
}

static uint64_t pid_of(const struct vm_process *process)
{
    return atomic_load(&process->pid);
}

static enum vm_stop park_in(struct vm_ctx *ctx, enum vm_wait wait, uint64_t deadline_ns)
{
    ctx->process->wait = wait;
    ctx->process->deadline_ns = deadline_ns;
    return VM_STOP_WAIT;
}

static enum vm_status spawn(struct vm_ctx *ctx, int kind, int64_t argument, vm_value *ret)
{
    return ctx->host->spawn(ctx, vm_from_small(entry_of(kind, argument)), VM_SPAWN_PLAIN, ret);
}

/* Spawns two like itself, one less deep. */
static enum vm_stop run_tree(struct vm_ctx *ctx, int64_t depth)
{
    vm_value pid;

    atomic_fetch_add(&runs, 1);
    for (int i = 0; i < 2 && depth > 0; i++)
        if (spawn(ctx, TREE, depth - 1, &pid) != VM_OK)
            atomic_fetch_add(&wrong, 1);
    ctx->reductions -= 100;
    return VM_STOP_END;
}

/* The number in the oldest message, removed; -1 when there is none. */
static int64_t receive(struct vm_ctx *ctx)
{
    struct vm_message *message;
    int64_t number;

    message = vm_mailbox_next(ctx->process, 0);
    if (message == NULL)
        return -1;
    number = vm_small(message->value);
    vm_mailbox_take(ctx->process, message->number);
    return number;
}

/* Sends `rounds` numbers to a partner that it spawns and that answers each; they alternate, so any lost wake-up stops
 * both. */
static enum vm_stop run_ping(struct vm_ctx *ctx, int64_t rounds)
{
    struct vm_process *self = ctx->process;
    int64_t answer;

    ctx->reductions -= 20;
    if (self->http_requests == NULL) { /* just a word that is free for the test: partner's pid */
        vm_value partner;

        if (spawn(ctx, PONG, (int64_t)pid_of(self), &partner) != VM_OK)
            return VM_STOP_CRASH;
        self->http_requests = (void *)(uintptr_t)vm_payload(partner);
        self->links = NULL;
        ctx->host->send(ctx, vm_payload(partner), vm_from_small(1));
    }
    while ((answer = receive(ctx)) >= 0) {
        atomic_fetch_add(&messages, 1);
        if (answer >= rounds) {
            ctx->host->send(ctx, (uintptr_t)self->http_requests, vm_from_small(0));
            return VM_STOP_END;
        }
        ctx->host->send(ctx, (uintptr_t)self->http_requests, vm_from_small(answer + 1));
    }
    return park_in(ctx, VM_WAIT_RECEIVE, UINT64_MAX);
}

static enum vm_stop run_pong(struct vm_ctx *ctx, int64_t partner)
{
    int64_t number;

    ctx->reductions -= 20;
    while ((number = receive(ctx)) >= 0) {
        atomic_fetch_add(&messages, 1);
        if (number == 0)
            return VM_STOP_END;
        ctx->host->send(ctx, (uint64_t)partner, vm_from_small(number));
    }
    return park_in(ctx, VM_WAIT_RECEIVE, UINT64_MAX);
}

static enum vm_stop run_sleeper(struct vm_ctx *ctx, int64_t ms)
{
    struct vm_process *self = ctx->process;

    if (!self->deadline_set) {
        self->deadline_set = true;
        self->deadline_ns = nb_clock_ns() + (uint64_t)ms * MILLISECOND;
    }
    if (nb_clock_ns() >= self->deadline_ns) {
        atomic_fetch_add(&runs, 1);
        return VM_STOP_END;
    }
    return park_in(ctx, VM_WAIT_SLEEP, self->deadline_ns);
}

static enum vm_stop run_endless(struct vm_ctx *ctx, int64_t unused)
{
    (void)unused;
    for (int volatile i = 0; i < 10000; i++)
        ;
    ctx->reductions = 0;
    return VM_STOP_YIELD;
}

static enum vm_stop run_waiter(struct vm_ctx *ctx, int64_t wait)
{
    atomic_fetch_add(&runs, 1);
    return park_in(ctx, (enum vm_wait)wait, UINT64_MAX);
}

/* Counts the numbers it receives until it has `expected`. */
static enum vm_stop run_counter(struct vm_ctx *ctx, int64_t expected)
{
    while (receive(ctx) >= 0)
        if (atomic_fetch_add(&messages, 1) + 1 == expected)
            return VM_STOP_END;
    return park_in(ctx, VM_WAIT_RECEIVE, UINT64_MAX);
}

/* Spawns until that raises; the waiters it made stay. */
static enum vm_stop run_spawner(struct vm_ctx *ctx, int64_t most)
{
    vm_value pid;

    for (int64_t i = 0; i < most; i++) {
        if (spawn(ctx, WAITER, VM_WAIT_RECEIVE, &pid) == VM_RAISE)
            return VM_STOP_CRASH;
    }
    return VM_STOP_END;
}

/* Sends 1000 numbers to a pid, some each slice. */
static enum vm_stop run_sender(struct vm_ctx *ctx, int64_t to)
{
    for (int i = 0; i < 10; i++)
        ctx->host->send(ctx, (uint64_t)to, vm_from_small(ctx->process->links == NULL ? 7 : 8));
    ctx->process->links = (char *)ctx->process->links + 1;
    ctx->reductions = 0;
    if ((uintptr_t)ctx->process->links < 100)
        return VM_STOP_YIELD;
    ctx->process->links = NULL;
    return VM_STOP_END;
}

static enum vm_stop run_grower(struct vm_ctx *ctx, int64_t words)
{
    struct vm_heap *heap = &ctx->process->heap;
    uint64_t limit_words = heap->limit_words;

    vm_heap_done(heap);
    if (!vm_heap_init(heap, (size_t)words))
        return VM_STOP_CRASH;
    heap->limit_words = limit_words;
    ctx->reductions = 0;
    return VM_STOP_YIELD;
}

static struct counting_hook { struct sched_deferred deferred; _Atomic int calls; _Atomic int asked; } hook;

static void count_call(struct sched_deferred *deferred, struct vm_ctx *ctx)
{
    (void)ctx;
    atomic_fetch_add(&((struct counting_hook *)deferred)->calls, 1);
}

/* Asks for the hook, as a process does that answers a request. */
static enum vm_stop run_burster(struct vm_ctx *ctx, int64_t unused)
{
    (void)unused;
    hook.deferred.run = count_call;
    atomic_fetch_add(&hook.asked, 1);
    sched_defer(ctx, &hook.deferred);
    return VM_STOP_END;
}

static enum vm_stop run_crasher(struct vm_ctx *ctx, int64_t unused)
{
    (void)unused;
    ctx->process->exception = VM_UNIT;
    return VM_STOP_CRASH;
}

static char trace[4096];
static _Atomic int trace_length;

/* Leaves its letter, sleeps a little, three times: what the reproducible mode must repeat. */
static enum vm_stop run_tracer(struct vm_ctx *ctx, int64_t letter)
{
    struct vm_process *self = ctx->process;
    uintptr_t round = (uintptr_t)self->http_requests;

    if (round % 2 == 1 && nb_clock_ns() < self->deadline_ns)
        return park_in(ctx, VM_WAIT_SLEEP, self->deadline_ns);
    trace[atomic_fetch_add(&trace_length, 1)] = (char)letter;
    if (round == 6) {
        self->http_requests = NULL;
        return VM_STOP_END;
    }
    self->http_requests = (void *)(round + 1);
    if (round % 2 == 0)
        return park_in(ctx, VM_WAIT_SLEEP, nb_clock_ns() + 3600 * SECOND + (uint64_t)letter % 3 * SECOND);
    ctx->reductions = 0;
    return VM_STOP_YIELD;
}

static enum vm_stop run_yielder(struct vm_ctx *ctx, int64_t times)
{
    uintptr_t round = (uintptr_t)ctx->process->links + 1;

    ctx->process->links = (void *)round;
    ctx->reductions = 0;
    if (round < (uintptr_t)times)
        return VM_STOP_YIELD;
    ctx->process->links = NULL;
    atomic_fetch_add(&runs, 1);
    return VM_STOP_END;
}

static uint64_t most_live;

/* Spawns without pause, a bunch each slice. */
static enum vm_stop run_flood(struct vm_ctx *ctx, int64_t slices)
{
    uintptr_t slice = (uintptr_t)ctx->process->links;
    vm_value pid;

    for (int i = 0; i < 500; i++)
        if (spawn(ctx, TREE, 0, &pid) != VM_OK)
            atomic_fetch_add(&wrong, 1);
    if (sched_group_live(&group) > most_live)
        most_live = sched_group_live(&group);
    ctx->process->links = (void *)(slice + 1);
    ctx->reductions = 0;
    return (int64_t)slice + 1 < slices ? VM_STOP_YIELD : VM_STOP_END;
}

/* Woken while it runs, then parks: it has to run again. */
static enum vm_stop run_nudged(struct vm_ctx *ctx, int64_t times)
{
    if (atomic_fetch_add(&runs, 1) + 1 == times)
        return VM_STOP_END;
    ctx->host->wake(ctx, ctx->process);
    return park_in(ctx, VM_WAIT_RECEIVE, UINT64_MAX);
}

static struct vm_process *_Atomic former;
static _Atomic int heirs;

/* Its child gets the memory of `former`, which a late killer still means. */
static enum vm_stop run_heir(struct vm_ctx *ctx, int64_t unused)
{
    vm_value pid;
    struct vm_process *child;

    (void)unused;
    if (spawn(ctx, WAITER, VM_WAIT_RECEIVE, &pid) != VM_OK)
        return VM_STOP_CRASH;
    child = sched_find(sched, vm_payload(pid));
    atomic_store(&child->kill, true);
    atomic_store(&heirs, child == atomic_load(&former) ? 1 : 2);
    return VM_STOP_END;
}

static body *const bodies[] = {
    [TREE] = run_tree, [PING] = run_ping, [PONG] = run_pong, [SLEEPER] = run_sleeper, [ENDLESS] = run_endless,
    [WAITER] = run_waiter, [COUNTER] = run_counter, [SPAWNER] = run_spawner, [SENDER] = run_sender,
    [GROWER] = run_grower, [BURSTER] = run_burster, [CRASHER] = run_crasher, [TRACER] = run_tracer,
    [YIELDER] = run_yielder, [FLOOD] = run_flood, [NUDGED] = run_nudged,
    [HEIR] = run_heir,
};

/* In place of the interpreter. */
enum vm_stop vm_run(struct vm_ctx *ctx)
{
    int64_t entry = vm_small(ctx->process->entry);

    if (atomic_load(&ctx->process->kill))
        return VM_STOP_KILLED;
    ctx->process->wait = VM_WAIT_NONE;
    return bodies[entry >> ARGUMENT_BITS](ctx, entry & ((INT64_C(1) << ARGUMENT_BITS) - 1));
}

/* ---- the frame of each test ---- */

static void count_end(struct sched_group *of, struct vm_ctx *ctx, struct vm_process *process, enum vm_stop stop)
{
    if (of != &group || ctx == NULL || pid_of(process) == 0)
        atomic_fetch_add(&wrong, 1);
    process->http_requests = process->links = NULL;
    atomic_fetch_add(&ended_count[stop], 1);
}

static void count_all_ended(struct sched_group *of)
{
    (void)of;
    atomic_fetch_add(&all_ended_count, 1);
}

static void make(unsigned workers, const struct sched_options *more)
{
    struct sched_options options = { .workers = workers };

    if (more != NULL)
        options = *more;
    ck_assert_int_eq(sched_new(&options, &sched), 0);
    sched_group_init(&group, "test");
    group.ended = count_end;
    group.all_ended = count_all_ended;
    program = vm_program_new("test");
    ck_assert_ptr_nonnull(program);
    for (int i = 0; i <= VM_STOP_KILLED; i++)
        ended_count[i] = 0;
    all_ended_count = runs = messages = wrong = trace_length = 0;
    memset(&hook, 0, sizeof hook);
}

static void make_and_start(unsigned workers)
{
    make(workers, NULL);
    ck_assert_int_eq(sched_start(sched), 0);
}

static struct vm_process *prepare(int kind, int64_t argument)
{
    struct vm_process *process;

    int r = sched_process_new(NULL, sched, &group, program, vm_from_small(entry_of(kind, argument)), &process);

    ck_assert_int_eq(r, 0);
    return process;
}

static uint64_t submit(int kind, int64_t argument)
{
    struct vm_process *process = prepare(kind, argument);
    uint64_t pid = pid_of(process);

    sched_submit(NULL, process);
    return pid;
}

/* Everything ends and is given back (the sanitizer build sees to leaks). */
static void finish(void)
{
    sched_stop(sched);
    sched = sched_free(sched);
    sched_group_release(&group);
    vm_program_unref(program);
    ck_assert_int_eq(all_ended_count, 1);
    ck_assert_int_eq(wrong, 0);
    ck_assert_uint_eq(group.references, 0);
    ck_assert_uint_eq(group.heap_words, 0);
}

static void pause_ms(unsigned ms)
{
    usleep(ms * 1000);
}

/* Wait until *counter reaches a number; the test's time limit ends it if that never happens. */
static void await(const _Atomic int *counter, int number)
{
    while (atomic_load(counter) < number)
        usleep(200);
}

static void await_live(uint64_t live)
{
    while (sched_group_live(&group) != live)
        usleep(200);
}

/* Wait until *counter has not changed for a while; the test's time limit ends it if that never happens. */
static void await_quiet(const _Atomic int *counter)
{
    int before;

    do {
        before = atomic_load(counter);
        pause_ms(30);
    } while (atomic_load(counter) != before);
}

/* ---- one run each ---- */

START_TEST(runs_each_process_once) /* with _i workers */
{
    enum { DEPTH = 13, TREES = 3, EACH = (2 << DEPTH) - 1 };
    struct sched_stats stats;

    make_and_start((unsigned)_i);
    for (int i = 0; i < TREES; i++)
        submit(TREE, DEPTH);
    await_live(0);
    ck_assert_int_eq(runs, TREES * EACH);
    ck_assert_int_eq(ended_count[VM_STOP_END], TREES * EACH);
    sched_get_stats(sched, SCHED_ALL_WORKERS, &stats);
    ck_assert_uint_eq(stats.spawned, TREES * EACH);
    ck_assert_uint_eq(stats.exited, TREES * EACH);
    ck_assert_uint_eq(stats.slices, TREES * EACH);
    ck_assert_uint_eq(stats.queued, 0);
    ck_assert_uint_gt(stats.busy_ns, 0);
    finish();
}
END_TEST

START_TEST(loses_no_message_and_no_wake_up) /* with _i workers */
{
    enum { PAIRS = 8, ROUNDS = 2000 };

    make_and_start((unsigned)_i);
    for (int i = 0; i < PAIRS; i++)
        submit(PING, ROUNDS);
    await_live(0);
    ck_assert_int_eq(messages, PAIRS * (2 * ROUNDS + 1));
    ck_assert_int_eq(ended_count[VM_STOP_END], 2 * PAIRS);
    finish();
}
END_TEST

START_TEST(counts_what_many_senders_send) /* with _i workers */
{
    enum { SENDERS = 20 };
    uint64_t counter;

    make_and_start((unsigned)_i);
    counter = submit(COUNTER, SENDERS * 1000);
    for (int i = 0; i < SENDERS; i++)
        submit(SENDER, (int64_t)counter);
    await_live(0);
    ck_assert_int_eq(messages, SENDERS * 1000);
    finish();
}
END_TEST

/* The test's thread sends and wakes while the receiver parks again and again. */
START_TEST(is_woken_by_other_threads)
{
    enum { SENT = 30000 };
    struct vm_process *counter;
    uint64_t pid;

    make_and_start(2);
    counter = prepare(COUNTER, SENT);
    pid = pid_of(counter);
    sched_submit(NULL, counter);
    for (int i = 0; i < SENT; i++) {
        struct vm_message *message;

        ck_assert_int_eq(vm_message_new(pid, vm_from_small(i), &message), VM_COPY_OK);
        vm_process_deliver(counter, message);
        sched_wake(NULL, counter);
    }
    await_live(0);
    ck_assert_int_eq(messages, SENT);
    finish();
}
END_TEST

START_TEST(runs_again_when_woken_before_it_parks)
{
    make_and_start(1);
    submit(NUDGED, 1000);
    await_live(0);
    ck_assert_int_eq(runs, 1000);
    finish();
}
END_TEST

START_TEST(wakes_sleepers_in_time)
{
    uint64_t start_ns = nb_clock_ns();

    make_and_start(2);
    for (int i = 0; i < 500; i++)
        submit(SLEEPER, 20 + i % 30);
    await(&runs, 500);
    ck_assert_uint_ge(nb_clock_ns() - start_ns, 49 * MILLISECOND);
    ck_assert_uint_lt(nb_clock_ns() - start_ns, 30 * SECOND);
    await_live(0);
    finish();
}
END_TEST

START_TEST(lets_nobody_starve)
{
    make_and_start(1);
    for (int i = 0; i < 5; i++)
        submit(ENDLESS, 0);
    submit(PING, 1000000000); /* two that wake each other for ever */
    submit(YIELDER, 50);
    submit(SLEEPER, 5);
    await(&runs, 2);
    finish();
    ck_assert_int_eq(ended_count[VM_STOP_KILLED], 7);
}
END_TEST

START_TEST(runs_children_before_a_parent_that_spawns_without_pause)
{
    most_live = 0;
    make_and_start(1);
    submit(FLOOD, 400);
    await_live(0);
    ck_assert_int_eq(runs, 200000);
    ck_assert_uint_lt(most_live, 5000);
    finish();
}
END_TEST

/* ---- ends ---- */

START_TEST(kills_processes_in_every_state)
{
    uint64_t waiting, sleeping, running;

    make_and_start(2);
    waiting = submit(WAITER, VM_WAIT_RECEIVE);
    sleeping = submit(SLEEPER, 1000000);
    running = submit(ENDLESS, 0);
    struct vm_process *fresh = prepare(WAITER, VM_WAIT_RECEIVE);
    await(&runs, 1);
    ck_assert(sched_kill(NULL, sched, waiting));
    ck_assert(sched_kill(NULL, sched, sleeping));
    ck_assert(sched_kill(NULL, sched, running));
    ck_assert(sched_kill(NULL, sched, pid_of(fresh)));
    ck_assert_msg(!sched_kill(NULL, sched, pid_of(fresh)), "it was asked already");
    sched_submit(NULL, fresh);
    await_live(0);
    ck_assert_int_eq(ended_count[VM_STOP_KILLED], 4);
    ck_assert(!sched_kill(NULL, sched, waiting));
    ck_assert_ptr_null(sched_find(sched, waiting));
    finish();
}
END_TEST

START_TEST(does_not_kill_the_next_tenant)
{
    struct vm_process *first;

    make_and_start(1);
    heirs = 0;
    first = prepare(WAITER, VM_WAIT_RECEIVE);
    atomic_store(&former, first);
    sched_submit(NULL, first);
    await(&runs, 1);
    ck_assert(sched_kill(NULL, sched, 1));
    await_live(0);
    submit(HEIR, 0);
    await(&heirs, 1);
    ck_assert_int_eq(heirs, 1);
    await(&runs, 2);
    pause_ms(20);
    ck_assert_int_eq(ended_count[VM_STOP_KILLED], 1);
    ck_assert_uint_eq(sched_group_live(&group), 1);
    finish();
    ck_assert_int_eq(ended_count[VM_STOP_KILLED], 2);
}
END_TEST

START_TEST(kills_a_group_and_takes_no_more_into_it)
{
    struct vm_process *late = NULL;

    make_and_start(2);
    for (int i = 0; i < 100; i++)
        submit(WAITER, VM_WAIT_RECEIVE);
    submit(ENDLESS, 0);
    submit(TREE, 30); /* would go on spawning for hours */
    await(&runs, 5000);
    sched_group_kill(sched, &group);
    ck_assert_int_eq(sched_process_new(NULL, sched, &group, program, vm_from_small(0), &late), -EAGAIN);
    ck_assert_ptr_null(late);
    await_live(0);
    ck_assert_int_eq(all_ended_count, 0); /* its owner still holds it */
    wrong = 0;                            /* the trees were refused their children */
    finish();
}
END_TEST

START_TEST(tells_the_end_of_a_group_once)
{
    make_and_start(2);
    submit(SLEEPER, 20);
    submit(SLEEPER, 30);
    sched_group_release(&group);
    ck_assert_uint_eq(sched_group_live(&group), 2);
    ck_assert_int_eq(all_ended_count, 0);
    await(&all_ended_count, 1);
    ck_assert_int_eq(ended_count[VM_STOP_END], 2);
    sched_stop(sched);
    sched = sched_free(sched);
    vm_program_unref(program);
    ck_assert_int_eq(all_ended_count, 1);
}
END_TEST

START_TEST(ends_with_processes_in_every_state)
{
    make_and_start(2);
    for (int i = 0; i < 300; i++)
        submit(i % 3 == 0 ? WAITER : i % 3 == 1 ? ENDLESS : SLEEPER, 100000);
    (void)prepare(WAITER, VM_WAIT_RECEIVE);
    await(&runs, 100);
    finish();
    ck_assert_int_eq(ended_count[VM_STOP_KILLED], 301);
}
END_TEST

START_TEST(reports_a_crash)
{
    make_and_start(1);
    submit(CRASHER, 0);
    await_live(0);
    ck_assert_int_eq(ended_count[VM_STOP_CRASH], 1);
    finish();
}
END_TEST

/* ---- limits ---- */

START_TEST(refuses_processes_beyond_the_limit)
{
    struct vm_process *process = NULL;

    make_and_start(1);
    group.processes_max = 10;
    submit(SPAWNER, 100);
    while (ended_count[VM_STOP_CRASH] == 0)
        usleep(200);
    await_live(9); /* the spawner itself was one of ten */
    submit(WAITER, VM_WAIT_RECEIVE);
    ck_assert_int_eq(sched_process_new(NULL, sched, &group, program, vm_from_small(0), &process), -EAGAIN);
    ck_assert_ptr_null(process);
    ck_assert_uint_eq(sched_group_live(&group), 10);
    finish();
}
END_TEST

static _Atomic int limited_count[3];
static _Atomic uint64_t limited_pid;

static void note_limit(struct sched_group *of, struct vm_ctx *ctx, uint64_t pid, enum sched_limit limit)
{
    (void)of, (void)ctx;
    atomic_fetch_add(&limited_count[limit], 1);
    atomic_store(&limited_pid, pid);
}

START_TEST(kills_whose_mailbox_overflows)
{
    uint64_t receiver;

    make_and_start(1);
    group.mailbox_max = 50;
    group.limited = note_limit;
    receiver = submit(WAITER, VM_WAIT_RECEIVE);
    submit(SENDER, (int64_t)receiver);
    await_live(0);
    ck_assert_int_eq(ended_count[VM_STOP_KILLED], 1);
    ck_assert_int_eq(ended_count[VM_STOP_END], 1);
    ck_assert_uint_eq(group.killed_for_mailbox, 1);
    ck_assert_int_eq(limited_count[SCHED_LIMIT_MAILBOX], 1);
    ck_assert_uint_eq(limited_pid, receiver);
    finish();
}
END_TEST

START_TEST(kills_whose_messages_take_too_much)
{
    uint64_t receiver;

    make_and_start(1);
    group.mailbox_max_bytes = 50 * sizeof(struct vm_message);
    group.limited = note_limit;
    receiver = submit(WAITER, VM_WAIT_RECEIVE);
    submit(SENDER, (int64_t)receiver);
    await_live(0);
    ck_assert_int_eq(ended_count[VM_STOP_KILLED], 1);
    ck_assert_int_eq(limited_count[SCHED_LIMIT_MAILBOX_BYTES], 1);
    ck_assert_uint_eq(limited_pid, receiver);
    finish();
}
END_TEST

START_TEST(kills_who_exceeds_the_memory_of_the_group)
{
    make_and_start(1);
    group.heap_total_max_words = 100000;
    group.limited = note_limit;
    submit(GROWER, 40000);
    submit(GROWER, 40000);
    while (group.heap_words < 80000)
        usleep(200);
    ck_assert_int_eq(ended_count[VM_STOP_KILLED], 0);
    submit(GROWER, 40000);
    await_live(2);
    ck_assert_uint_eq(group.killed_for_memory, 1);
    ck_assert_int_eq(limited_count[SCHED_LIMIT_HEAP_TOTAL], 1);
    ck_assert_uint_eq(group.heap_words, 80000);
    finish();
}
END_TEST

START_TEST(hands_the_limits_of_the_group_on)
{
    struct vm_process *process;

    make(1, NULL);
    group.heap_max_words = 12345;
    group.depth_max = 99;
    process = prepare(WAITER, 0);
    ck_assert_uint_eq(process->heap.limit_words, 12345);
    ck_assert_uint_eq(process->depth_max, 99);
    ck_assert_ptr_eq(process->owner, &group);
    ck_assert_ptr_eq(sched_find(sched, pid_of(process)), process);
    finish();
}
END_TEST

START_TEST(gives_all_back_when_memory_ends)
{
    struct vm_process *process = NULL;
    int r = -ENOMEM;

    make(1, NULL);
    for (long n = 0; n < 5 && r != 0; n++) {
        nb_alloc_fail_after(n);
        r = sched_process_new(NULL, sched, &group, program, vm_from_small(1), &process);
        nb_alloc_fail_after(-1);
        ck_assert(r == 0 || r == -ENOMEM || r == -EAGAIN);
        ck_assert_uint_eq(sched_group_live(&group), r == 0);
    }
    ck_assert_int_eq(r, 0);
    finish();
}
END_TEST

START_TEST(makes_nothing_by_halves)
{
    const struct sched_options options = { .workers = 3 };
    struct sched *made = NULL;
    int r = -ENOMEM;

    for (long n = 0; n < 30 && r != 0; n++) {
        nb_alloc_fail_after(n);
        r = sched_new(&options, &made);
        nb_alloc_fail_after(-1);
        ck_assert(r == 0 || (r == -ENOMEM && made == NULL));
    }
    ck_assert_int_eq(r, 0);
    sched_free(made);
    made = NULL;
    r = sched_new(&(struct sched_options){ .workers = SCHED_WORKERS_MAX + 1 }, &made);
    ck_assert_int_eq(r, -EINVAL);
    ck_assert_ptr_null(sched_free(NULL));
}
END_TEST

/* ---- looking ---- */

START_TEST(lists_the_processes_of_a_group)
{
    struct sched_group other;
    struct vm_process *process;
    uint64_t pids[8];

    make(1, NULL);
    sched_group_init(&other, "other");
    prepare(WAITER, 0);
    prepare(WAITER, 0);
    ck_assert_int_eq(sched_process_new(NULL, sched, &other, program, vm_from_small(1), &process), 0);
    ck_assert_uint_eq(sched_list(sched, &group, pids, 8), 2);
    ck_assert_uint_eq(pids[0], 1);
    ck_assert_uint_eq(pids[1], 2);
    ck_assert_uint_eq(sched_list(sched, &other, pids, 8), 1);
    ck_assert_uint_eq(pids[0], 3);
    ck_assert_uint_eq(sched_list(sched, NULL, pids, 8), 3);
    ck_assert_uint_eq(sched_list(sched, NULL, pids, 2), 2);
    finish();
    sched_group_release(&other);
}
END_TEST

static _Atomic int idle_calls, stuck_calls;

static void on_idle(struct sched *of, void *context)
{
    if (of != sched || context != &group)
        atomic_fetch_add(&wrong, 1);
    atomic_fetch_add(&idle_calls, 1);
    if (sched_is_stuck(of, &group))
        atomic_fetch_add(&stuck_calls, 1);
}

/* what the second process waits for: with a receive nothing can go on, with anything else it may */
static const struct { int kind; int64_t argument; bool stuck; } second_processes[] = {
    { WAITER, VM_WAIT_RECEIVE, true }, { WAITER, VM_WAIT_MVAR, true },  { WAITER, VM_WAIT_IO, false },
    { WAITER, VM_WAIT_ACCEPT, false }, { SLEEPER, 10000000, false },
};

START_TEST(tells_when_nothing_can_go_on) /* loop test: rows above */
{
    const struct sched_options options = { .workers = 2, .on_idle = on_idle, .context = &group };

    idle_calls = stuck_calls = 0;
    make(2, &options);
    ck_assert(!sched_is_stuck(sched, &group));
    ck_assert_int_eq(sched_start(sched), 0);
    await(&idle_calls, 1);
    ck_assert_int_eq(stuck_calls, 0);
    submit(WAITER, VM_WAIT_RECEIVE);
    submit(second_processes[_i].kind, second_processes[_i].argument);
    if (second_processes[_i].stuck) {
        await(&stuck_calls, 1);
    } else {
        await_quiet(&stuck_calls);
        ck_assert(!sched_is_stuck(sched, &group));
    }
    finish();
}
END_TEST

static struct vm_process *_Atomic to_wake;

static void wake_and_count(struct sched *of, void *unused)
{
    struct vm_process *process = atomic_exchange(&to_wake, NULL);

    (void)of;
    (void)unused;
    atomic_fetch_add(&idle_calls, 1);
    if (process != NULL)
        sched_wake(NULL, process);
}

START_TEST(runs_what_is_woken_when_idle) /* with _i workers */
{
    const struct sched_options options = { .workers = (unsigned)_i, .on_idle = wake_and_count };
    struct vm_process *waiter;

    idle_calls = 0;
    make(0, &options);
    waiter = prepare(WAITER, VM_WAIT_RECEIVE);
    sched_submit(NULL, waiter);
    ck_assert_int_eq(sched_start(sched), 0);
    await(&runs, 1);
    for (int i = 2; i <= 50; i++) {
        atomic_store(&to_wake, waiter);
        for (unsigned w = 0; w < (unsigned)_i; w++)
            sched_wake_worker(sched, w);
        await(&runs, i);
    }
    finish();
}
END_TEST

/* Whether nothing happens for a while, but for this thread's own sleeping. */
static bool is_idle_for_a_while(void)
{
    struct sched_stats before, after;
    struct rusage used_before, used_after;

    sched_get_stats(sched, SCHED_ALL_WORKERS, &before);
    getrusage(RUSAGE_SELF, &used_before);
    pause_ms(200);
    sched_get_stats(sched, SCHED_ALL_WORKERS, &after);
    getrusage(RUSAGE_SELF, &used_after);
    return after.parks == before.parks && after.slices == before.slices && after.busy_ns == before.busy_ns &&
           used_after.ru_nvcsw - used_before.ru_nvcsw <= 3;
}

START_TEST(costs_nothing_while_idle)
{
    make_and_start(3);
    submit(SLEEPER, 100000);
    submit(TREE, 8);
    await(&runs, 511);
    pause_ms(50);
    for (int tries = 0; !is_idle_for_a_while(); tries++) /* on a busy machine the last of them parks later */
        ck_assert_int_lt(tries, 20);
    finish();
}
END_TEST

START_TEST(uses_all_workers_for_work_that_lasts)
{
    struct sched_stats stats;

    make_and_start(2);
    submit(TREE, 0);
    await_live(0);
    for (int i = 0; i < 4; i++)
        submit(ENDLESS, 0);
    for (int i = 0; i < 2; i++) {
        do {
            usleep(200);
            sched_get_stats(sched, i, &stats);
        } while (stats.slices <= 10);
    }
    finish();
}
END_TEST

/* ---- pollers, hooks ---- */

static struct test_loop {
    struct sched_poller poller;
    _Atomic int passes, handed_over, taken, on_worker;
    _Atomic int64_t timeout_ns;
} loop;

static bool loop_pass(struct sched_poller *poller, struct vm_ctx *ctx)
{
    int work = atomic_exchange(&loop.handed_over, 0);
    uint64_t drained;

    (void)poller;
    if (sched_of(ctx) != sched || ctx->process != NULL)
        atomic_fetch_add(&wrong, 1);
    atomic_store(&loop.on_worker, (int)sched_worker_index(ctx));
    atomic_fetch_add(&loop.passes, 1);
    if (read(loop.poller.fd, &drained, sizeof drained) == sizeof drained)
        work++;
    atomic_fetch_add(&loop.taken, work);
    return work > 0;
}

static bool loop_pending(struct sched_poller *poller)
{
    (void)poller;
    return atomic_load(&loop.handed_over) > 0;
}

static int64_t loop_timeout(struct sched_poller *poller)
{
    (void)poller;
    return atomic_load(&loop.timeout_ns);
}

static void make_with_loop(unsigned workers, unsigned on_worker)
{
    make(workers, NULL);
    memset(&loop, 0, sizeof loop);
    loop.poller.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop.poller.pass = loop_pass;
    loop.poller.pending = loop_pending;
    loop.poller.timeout_ns = loop_timeout;
    loop.timeout_ns = -1;
    ck_assert_int_eq(sched_add_poller(sched, on_worker, &loop.poller), 0);
    ck_assert_int_eq(sched_start(sched), 0);
}

static void finish_with_loop(void)
{
    finish();
    close(loop.poller.fd);
}

START_TEST(polls_when_the_descriptor_is_ready)
{
    uint64_t one = 1;

    make_with_loop(2, 1);
    pause_ms(20);
    for (int i = 1; i <= 10; i++) {
        ck_assert_int_eq(write(loop.poller.fd, &one, sizeof one), sizeof one);
        await(&loop.taken, i);
    }
    ck_assert_int_eq(loop.on_worker, 1);
    finish_with_loop();
}
END_TEST

START_TEST(polls_when_work_is_handed_over)
{
    enum { TIMES = 20000 };

    make_with_loop(2, 0);
    for (int i = 1; i <= TIMES; i++) {
        atomic_fetch_add(&loop.handed_over, 1);
        sched_wake_worker(sched, 0);
        if (i % 8 == 0)
            while (loop.taken < i)
                sched_yield();
    }
    await(&loop.taken, TIMES);
    finish_with_loop();
}
END_TEST

START_TEST(polls_while_processes_run)
{
    make_with_loop(1, 0);
    submit(ENDLESS, 0);
    submit(ENDLESS, 0);
    await(&loop.passes, 20);
    int passes = loop.passes;
    await(&loop.passes, passes + 20);
    finish_with_loop();
}
END_TEST

START_TEST(polls_again_after_the_time_out_only)
{
    make_with_loop(1, 0);
    await_quiet(&loop.passes);
    int passes = loop.passes;
    loop.timeout_ns = 2 * MILLISECOND;
    sched_wake_worker(sched, 0);
    await(&loop.passes, passes + 10);
    finish_with_loop();
}
END_TEST

START_TEST(calls_a_deferred_hook_once_per_batch)
{
    enum { BURST = 200 };
    struct vm_process *processes[BURST];

    make(1, NULL);
    for (int i = 0; i < BURST; i++)
        sched_submit(NULL, processes[i] = prepare(BURSTER, 0));
    ck_assert_int_eq(sched_start(sched), 0); /* all are in the queue before it runs */
    await_live(0);
    await(&hook.calls, 1);
    await(&hook.asked, BURST);
    ck_assert_int_eq(hook.asked, BURST);
    ck_assert_int_lt(hook.calls, BURST / 2);
    finish();
}
END_TEST

START_TEST(calls_a_deferred_hook_although_the_queue_never_empties)
{
    make_and_start(1);
    submit(ENDLESS, 0);
    submit(BURSTER, 0);
    await(&hook.calls, 1);
    finish();
}
END_TEST

/* ---- the reproducible mode ---- */

static void quit_when_done(struct sched *of, void *unused)
{
    (void)unused;
    sched_quit(of);
}

static void run_traced(uint64_t seed, char *ret_trace)
{
    const struct sched_options options = { .single_thread = true, .seed = seed, .on_idle = quit_when_done };

    make(1, &options);
    memset(trace, 0, sizeof trace);
    for (int letter = 'a'; letter <= 'z'; letter++)
        submit(TRACER, letter);
    ck_assert_int_eq(sched_run(sched), 0);
    ck_assert_uint_eq(sched_group_live(&group), 0);
    ck_assert_int_eq(trace_length, 26 * 7);
    memcpy(ret_trace, trace, sizeof trace);
    finish();
}

START_TEST(repeats_a_seeded_run)
{
    static char first[sizeof trace], second[sizeof trace], other[sizeof trace];
    uint64_t start_ns = nb_clock_ns();

    run_traced(5, first);
    run_traced(5, second);
    run_traced(6, other);
    ck_assert_str_eq(first, second);
    ck_assert_str_ne(first, other);
    ck_assert_uint_lt(nb_clock_ns() - start_ns, 600 * SECOND); /* hours went by on the logical clock only */
}
END_TEST

START_TEST(runs_all_kinds_of_work_in_the_reproducible_mode)
{
    const struct sched_options options = { .single_thread = true, .seed = 99, .on_idle = quit_when_done };

    make(1, &options);
    submit(TREE, 10);
    submit(PING, 500);
    submit(SLEEPER, 100000);
    submit(YIELDER, 100);
    ck_assert_int_eq(sched_run(sched), 0);
    ck_assert_uint_eq(sched_group_live(&group), 0);
    ck_assert_int_eq(messages, 1001);
    finish();
}
END_TEST

START_TEST(runs_with_threads_until_told_to_quit)
{
    const struct sched_options options = { .workers = 2, .on_idle = quit_when_done };

    make(2, &options);
    submit(TREE, 10);
    ck_assert_int_eq(sched_run(sched), 0);
    ck_assert_int_eq(runs, 2047);
    finish();
}
END_TEST

START_TEST(counts_at_least_one_core)
{
    ck_assert_uint_ge(sched_cores(), 1);
    ck_assert_uint_le(sched_cores(), (unsigned)sysconf(_SC_NPROCESSORS_CONF));
    make(0, NULL);
    ck_assert_uint_eq(sched_worker_count(sched), sched_cores());
    finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scheduler/sched");
    TCase *all = tcase_create("scheduler");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(all, 60);
    tcase_add_loop_test(all, runs_each_process_once, 1, 5);
    tcase_add_loop_test(all, loses_no_message_and_no_wake_up, 1, 5);
    tcase_add_loop_test(all, counts_what_many_senders_send, 1, 4);
    tcase_add_test(all, is_woken_by_other_threads);
    tcase_add_test(all, runs_again_when_woken_before_it_parks);
    tcase_add_test(all, wakes_sleepers_in_time);
    tcase_add_test(all, lets_nobody_starve);
    tcase_add_test(all, runs_children_before_a_parent_that_spawns_without_pause);
    tcase_add_test(all, kills_processes_in_every_state);
    tcase_add_test(all, does_not_kill_the_next_tenant);
    tcase_add_test(all, kills_a_group_and_takes_no_more_into_it);
    tcase_add_test(all, tells_the_end_of_a_group_once);
    tcase_add_test(all, ends_with_processes_in_every_state);
    tcase_add_test(all, reports_a_crash);
    tcase_add_test(all, refuses_processes_beyond_the_limit);
    tcase_add_test(all, kills_whose_mailbox_overflows);
    tcase_add_test(all, kills_whose_messages_take_too_much);
    tcase_add_test(all, kills_who_exceeds_the_memory_of_the_group);
    tcase_add_test(all, hands_the_limits_of_the_group_on);
    tcase_add_test(all, gives_all_back_when_memory_ends);
    tcase_add_test(all, makes_nothing_by_halves);
    tcase_add_test(all, lists_the_processes_of_a_group);
    tcase_add_loop_test(all, tells_when_nothing_can_go_on, 0, sizeof second_processes / sizeof *second_processes);
    tcase_add_loop_test(all, runs_what_is_woken_when_idle, 1, 3);
    tcase_add_test(all, costs_nothing_while_idle);
    tcase_add_test(all, uses_all_workers_for_work_that_lasts);
    tcase_add_test(all, polls_when_the_descriptor_is_ready);
    tcase_add_test(all, polls_when_work_is_handed_over);
    tcase_add_test(all, polls_while_processes_run);
    tcase_add_test(all, polls_again_after_the_time_out_only);
    tcase_add_test(all, calls_a_deferred_hook_once_per_batch);
    tcase_add_test(all, calls_a_deferred_hook_although_the_queue_never_empties);
    tcase_add_test(all, repeats_a_seeded_run);
    tcase_add_test(all, runs_all_kinds_of_work_in_the_reproducible_mode);
    tcase_add_test(all, runs_with_threads_until_told_to_quit);
    tcase_add_test(all, counts_at_least_one_core);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
