/*
 * session_run.c - the scheduler of a session, and the hooks of its group.
 *
 * The thread that drives it waits at a semaphore, which a worker posts when the evaluation has ended, and a signal
 * handler when it is to end: that is why these few things are not in a struct.
 */
#include "config.h"

#include "cli/session_run.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "cli/session_value.h"
#include "io/handle.h"
#include "io/reactor.h"
#include "scheduler/sched.h"
#include "server/runtime.h"
#include "vm/except.h"
#include "vm/native.h"
#include "vm/object.h"
#include "vm/print.h"
#include "vm/program.h"

enum { KILL_BATCH = 1024 };

struct session_run {
    struct sched *sched;
    struct srv_runtime *runtime;
    struct sched_group group;
    pthread_mutex_t output;
    _Atomic uint64_t pid;      /* of the evaluation, 0: none */
    struct session_outcome *outcome;
};

static sem_t something_happened; /* the evaluation ended, or a signal came */
static atomic_bool evaluating, interrupted;

/* ---- what processes report ---- */

static void on_output(struct sched_group *group, struct vm_ctx *ctx, bool error, bool newline, const char *text,
                      size_t length)
{
    struct session_run *run = group->context;
    FILE *out = error ? stderr : stdout;

    (void)ctx;
    pthread_mutex_lock(&run->output);
    if (error)
        fflush(stdout);
    fwrite(text, 1, length, out);
    if (newline)
        putc('\n', out);
    fflush(out);
    pthread_mutex_unlock(&run->output);
}

static void on_flush(struct sched_group *group, struct vm_ctx *ctx, bool error)
{
    (void)group;
    (void)ctx;
    fflush(error ? stderr : stdout);
}

static void print_crash(const char *who, const struct vm_process *process)
{
    NB_CLEANUP(nb_free) char *error = vm_exception_text(process->exception);

    fflush(stdout);
    fprintf(stderr, "%s%s\n%s", who, error, process->trace == NULL ? "" : process->trace);
    fflush(stderr);
}

static void print_value(vm_value value)
{
    struct nb_buf text = NB_BUF_INIT;

    if (value == VM_UNIT)
        return;
    vm_print_result(&text, value);
    fwrite(text.data, 1, text.length, stdout);
    putchar('\n');
    fflush(stdout);
    nb_buf_done(&text);
}

static void evaluation_ended(struct session_run *run, struct vm_process *process, enum vm_stop stop)
{
    struct session_outcome *outcome = run->outcome;
    vm_value value;

    outcome->stop = stop;
    if (stop == VM_STOP_CRASH)
        print_crash("Runtime error: ", process);
    if (stop != VM_STOP_END)
        return;
    value = vm_process_result(process);
    if (outcome->wanted == 0 && !outcome->silent)
        print_value(value);
    for (unsigned i = 0; i < outcome->wanted; i++)
        outcome->numbers[i] = session_value_keep(outcome->wanted == 1 ? value : vm_field(value, i));
}

static void on_ended(struct sched_group *group, struct vm_ctx *ctx, struct vm_process *process, enum vm_stop stop)
{
    struct session_run *run = group->context;
    uint64_t pid = atomic_load(&process->pid);
    bool is_evaluation = pid == atomic_load(&run->pid);
    char who[64];

    srv_process_ended(ctx, process, stop);
    io_process_ended(process, stop);
    pthread_mutex_lock(&run->output);
    snprintf(who, sizeof who, "Process <pid %llu> ended: ", (unsigned long long)pid);
    if (is_evaluation)
        evaluation_ended(run, process, stop);
    else if (stop == VM_STOP_CRASH)
        print_crash(who, process);
    pthread_mutex_unlock(&run->output);
    if (!is_evaluation)
        return;
    atomic_store(&evaluating, false);
    sem_post(&something_happened);
}

static void on_spawned(struct sched_group *group, struct vm_ctx *ctx, vm_value closure, struct vm_process *child)
{
    (void)group;
    srv_process_spawned(ctx, closure, child);
}

/* ---- running ---- */

bool session_run_interrupt(void)
{
    if (!atomic_load(&evaluating))
        return false;
    atomic_store(&interrupted, true);
    sem_post(&something_happened);
    return true;
}

static void await_end(struct session_run *run)
{
    while (atomic_load(&evaluating)) {
        if (sem_wait(&something_happened) < 0)
            continue;
        if (atomic_exchange(&interrupted, false))
            sched_kill(NULL, run->sched, atomic_load(&run->pid));
    }
    while (sem_trywait(&something_happened) == 0)
        ; /* what is left of it */
}

bool session_run_evaluate(struct session_run *run, struct vm_program *program, const struct vm_function *function,
                          struct session_outcome *outcome)
{
    struct vm_process *process;
    int r = sched_process_new(NULL, run->sched, &run->group, program, vm_from_object(function), &process);

    if (r < 0) {
        fprintf(stderr, "Error: cannot start a process: %s\n", strerror(-r));
        return false;
    }
    run->outcome = outcome;
    atomic_store(&interrupted, false);
    atomic_store(&run->pid, atomic_load(&process->pid));
    atomic_store(&evaluating, true);
    sched_submit(NULL, process);
    await_end(run);
    atomic_store(&run->pid, 0);
    if (outcome->stop == VM_STOP_KILLED)
        fputs("Interrupted\n", stderr);
    return outcome->stop == VM_STOP_END;
}

void session_run_end_processes(struct session_run *run)
{
    static uint64_t pids[KILL_BATCH];
    size_t count = sched_list(run->sched, &run->group, pids, KILL_BATCH);

    for (size_t i = 0; i < count; i++)
        sched_kill(NULL, run->sched, pids[i]);
}

/* ---- its life ---- */

static int start(struct session_run *run, const struct session_options *limits)
{
    struct sched_options options = { .workers = limits->threads };
    int r = sched_new(&options, &run->sched);

    if (r < 0)
        return r;
    sched_group_init(&run->group, "session");
    run->group.context = run;
    run->group.depth_max = limits->depth;
    run->group.heap_max_words = limits->heap_words;
    run->group.ended = on_ended;
    run->group.spawned = on_spawned;
    run->group.output = on_output;
    run->group.flush = on_flush;
    r = srv_runtime_new(run->sched, &(struct srv_runtime_options){ 0 }, &run->runtime);
    return r < 0 ? r : sched_start(run->sched);
}

int session_run_new(const struct session_options *options, struct session_run **ret_run)
{
    struct session_run *run = nb_xalloc_zero(sizeof *run);

    pthread_mutex_init(&run->output, NULL);
    sem_init(&something_happened, 0, 0);
    *ret_run = run;
    return start(run, options);
}

struct session_run *session_run_free(struct session_run *run)
{
    if (run == NULL)
        return NULL;
    sched_stop(run->sched);
    srv_runtime_stop(run->runtime);
    sched_group_release(&run->group);
    io_stop();
    run->sched = sched_free(run->sched);
    run->runtime = srv_runtime_free(run->runtime);
    pthread_mutex_destroy(&run->output);
    nb_free(run);
    return NULL;
}
