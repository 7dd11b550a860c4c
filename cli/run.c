/*
 * run.c - the run of a program.
 *
 * A run is one scheduler and one group of processes; main's process is the first. When main ends, so does the program:
 * its value is printed (03 §2.2) and everything else is abandoned. Output of processes and reports of crashes go
 * through one lock, together with the flag that main has returned: nothing may follow main's result.
 */
#include "config.h"

#include "cli/run.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "cli/invocation.h"
#include "io/handle.h"
#include "io/reactor.h"
#include "scheduler/sched.h"
#include "server/http_native.h"
#include "server/runtime.h"
#include "vm/except.h"
#include "vm/print.h"
#include "vm/program.h"

enum { EXIT_INTERRUPTED = 130, BYTES_PER_MIB = 1 << 20 };

struct run {
    struct sched *sched;
    struct srv_runtime *runtime;
    struct sched_group group;
    struct vm_program *program;
    uint64_t main_pid;
    bool is_test;            /* the program began in a function that fails by returning false, too */
    pthread_mutex_t output;  /* one line at a time, and none after main's result */
    bool main_ended;         /* under `output` */
    int status;
    struct nb_buf crash;     /* first crash of another process: shown if the program can never go on (05 §1.10) */
};

static struct run the_run; /* of this process: there is one */

/* Nobody reads the output any more (`nostos … | head`): the end, as for other programs. Until then SIGPIPE is ignored,
 * for the sake of connections, and workers block it. */
static void end_unread(void)
{
    sigset_t broken_pipe;

    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
    pthread_sigmask(SIG_UNBLOCK, &broken_pipe, NULL);
}

static void write_line(bool error, bool newline, const char *text, size_t length)
{
    FILE *out = error ? stderr : stdout;
    bool written;

    if (error)
        fflush(stdout);
    written = fwrite(text, 1, length, out) == length;
    if (newline)
        written = putc('\n', out) != EOF && written;
    if (error)
        fflush(out);
    else if (!written && errno == EPIPE)
        end_unread();
}

static void on_output(struct sched_group *group, struct vm_ctx *ctx, bool error, bool newline, const char *text,
                      size_t length)
{
    struct run *run = group->context;

    (void)ctx;
    pthread_mutex_lock(&run->output);
    if (!run->main_ended)
        write_line(error, newline, text, length);
    pthread_mutex_unlock(&run->output);
}

static void on_flush(struct sched_group *group, struct vm_ctx *ctx, bool error)
{
    (void)group;
    (void)ctx;
    fflush(error ? stderr : stdout);
}

static void print_crash(const char *text, const char *trace)
{
    fflush(stdout);
    fprintf(stderr, "Runtime error: %s\n\nStack trace:\n%s", text, trace == NULL ? "" : trace);
    fflush(stderr);
}

/* main is done: with its value, or with an exception. Under the output lock. */
static void main_ended(struct run *run, struct vm_process *process, enum vm_stop stop)
{
    struct nb_buf text = NB_BUF_INIT;

    run->main_ended = true;
    if (stop == VM_STOP_CRASH) {
        NB_CLEANUP(nb_free) char *error = vm_exception_text(process->exception);

        print_crash(error, process->trace);
        run->status = EXIT_FAILURE;
    } else if (stop == VM_STOP_END && vm_process_result(process) != VM_UNIT) {
        vm_print_result(&text, vm_process_result(process));
        write_line(false, true, nb_buf_cstr(&text), text.length);
        nb_buf_done(&text);
        if (run->is_test && vm_process_result(process) == VM_FALSE)
            run->status = EXIT_FAILURE;
    }
    fflush(stdout);
}

static void other_crashed(struct run *run, struct vm_process *process, uint64_t pid)
{
    NB_CLEANUP(nb_free) char *error = vm_exception_text(process->exception);

    if (run->main_ended)
        return;
    fflush(stdout);
    fprintf(stderr, "Process <pid %llu> ended: %s\n%s", (unsigned long long)pid, error,
            process->trace == NULL ? "" : process->trace);
    if (run->crash.length == 0) {
        nb_buf_text(&run->crash, error);
        nb_buf_byte(&run->crash, '\0');
        nb_buf_text(&run->crash, process->trace == NULL ? "" : process->trace);
    }
}

static void on_ended(struct sched_group *group, struct vm_ctx *ctx, struct vm_process *process, enum vm_stop stop)
{
    struct run *run = group->context;
    uint64_t pid = atomic_load(&process->pid);

    srv_process_ended(ctx, process, stop);
    if (pid != run->main_pid)
        io_process_ended(process, stop); /* with main the program ends, and its commands are left alone (04 §6) */
    if (pid != run->main_pid && stop != VM_STOP_CRASH)
        return;
    pthread_mutex_lock(&run->output);
    if (pid == run->main_pid)
        main_ended(run, process, stop);
    else
        other_crashed(run, process, pid);
    pthread_mutex_unlock(&run->output);
    if (pid == run->main_pid)
        sched_quit(run->sched);
}

/* More messages wait for a process than it may have memory: it ends, as on_ended() will be told. */
static void on_limited(struct sched_group *group, struct vm_ctx *ctx, uint64_t pid, enum sched_limit limit)
{
    struct run *run = group->context;
    static const char text[] = "Panic: Out of memory: too many messages wait";

    (void)ctx;
    (void)limit; /* there is no other */
    pthread_mutex_lock(&run->output);
    if (pid == run->main_pid) {
        run->status = EXIT_FAILURE;
        print_crash(text, NULL);
    } else if (!run->main_ended) {
        fprintf(stderr, "Process <pid %llu> ended: %s\n", (unsigned long long)pid, text);
    }
    pthread_mutex_unlock(&run->output);
}

/* Nothing can run. If it never will, and something crashed before, that crash is the program's (05 §1.10, 3). */
static void on_idle(struct sched *sched, void *context)
{
    struct run *run = context;

    if (srv_runtime_group_listens(run->runtime, &run->group) || !sched_is_stuck(sched, &run->group))
        return;
    pthread_mutex_lock(&run->output);
    if (!run->main_ended && run->crash.length > 0) {
        run->main_ended = true;
        run->status = EXIT_FAILURE;
        print_crash(run->crash.data, run->crash.data + strlen(run->crash.data) + 1);
        sched_quit(sched);
    }
    pthread_mutex_unlock(&run->output);
}

static void on_interrupt(int signal_number)
{
    static const char text[] = "\nInterrupted\n";

    (void)signal_number;
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(EXIT_FAILURE);
    _exit(EXIT_INTERRUPTED);
}

static void on_spawned(struct sched_group *group, struct vm_ctx *ctx, vm_value closure, struct vm_process *child)
{
    (void)group;
    srv_process_spawned(ctx, closure, child);
}

static int start_failed(const char *what, int error)
{
    fprintf(stderr, "Error: cannot start %s: %s\n", what, strerror(-error));
    return EXIT_FAILURE;
}

/* What the scheduler is to ask and to tell, and the bounds of the processes. */
static void init_group(struct run *run, const struct invocation *invocation)
{
    struct sched_group *group = &run->group;

    sched_group_init(group, run->program->name);
    group->context = run;
    group->depth_max = invocation->depth;
    group->heap_max_words = invocation->heap_mib * WORDS_PER_MIB;
    group->mailbox_max_bytes = invocation->heap_mib * BYTES_PER_MIB;
    group->ended = on_ended;
    group->limited = on_limited;
    group->spawned = on_spawned;
    group->output = on_output;
    group->flush = on_flush;
}

/* Everything that runs the program, and main's process in front. 0, or an exit status after saying what failed. */
static int start(struct run *run, const struct invocation *invocation)
{
    struct sched_options options = { .workers = invocation->threads,
                                     .single_thread = invocation->seeded,
                                     .seed = invocation->seed,
                                     .on_idle = on_idle,
                                     .context = run };
    struct vm_process *first;
    int r = sched_new(&options, &run->sched);

    if (r < 0)
        return start_failed("the scheduler", r);
    init_group(run, invocation);
    r = srv_runtime_new(run->sched, &(struct srv_runtime_options){ 0 }, &run->runtime);
    if (r < 0)
        return start_failed("the HTTP runtime", r);
    r = sched_process_new(NULL, run->sched, &run->group, run->program, vm_from_object(run->program->entry), &first);
    if (r < 0)
        return start_failed("main", r);
    run->main_pid = atomic_load(&first->pid);
    sched_submit(NULL, first);
    return 0;
}

/* Give all memory back: leak checkers look at what is left. */
static void stop(struct run *run)
{
    srv_runtime_stop(run->runtime);
    sched_group_release(&run->group);
    io_stop();
    run->sched = sched_free(run->sched);
    run->runtime = srv_runtime_free(run->runtime);
    nb_buf_done(&run->crash);
    vm_program_unref(run->program);
}

int run_program(const struct invocation *invocation, struct vm_program *program)
{
    struct run *run = &the_run;
    int r;

    pthread_mutex_init(&run->output, NULL);
    run->program = program;
    run->is_test = invocation->entry != NULL;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, on_interrupt);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    r = start(run, invocation);
    if (r != 0)
        return r;
    r = sched_run(run->sched);
    if (r < 0)
        return start_failed("the workers", r);
    fflush(stdout);
    if (!invocation->free_all) {
        srv_runtime_flush(run->runtime); /* an answer that main, or who ended it, has given is an answer */
        _exit(run->status);
    }
    stop(run);
    return run->status;
}
