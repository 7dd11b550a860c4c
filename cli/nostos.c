/*
 * nostos.c - the program for authors: run, check and list programs.
 *
 * A run is one scheduler and one group of processes; main's process is the first. When main ends, so does the program:
 * its value is printed (03 §2.2) and everything else is abandoned. Output of processes and reports of crashes go
 * through one lock, together with the flag that main has returned: nothing may follow main's result.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "cli/complaint.h"
#include "cli/new.h"
#include "cli/repl.h"
#include "cli/session_value.h"
#include "cli/test.h"
#include "cli/type_at.h"
#include "io/handle.h"
#include "io/reactor.h"
#include "lang/compile.h"
#include "lang/diag.h"
#include "lib/lib.h"
#include "scheduler/sched.h"
#include "server/http_native.h"
#include "server/runtime.h"
#include "vm/except.h"
#include "vm/init.h"
#include "vm/print.h"
#include "vm/program.h"

enum { EXIT_INTERRUPTED = 130, BYTES_PER_MIB = 1 << 20, WORDS_PER_MIB = BYTES_PER_MIB / 8 };

enum command { COMMAND_RUN, COMMAND_CHECK, COMMAND_TEST, COMMAND_REPL, COMMAND_NEW, COMMAND_DISASM, COMMAND_VERSION,
               COMMAND_HELP };

static const struct { const char *word; enum command command; const char *usage, *what; } commands[] = {
    { "run", COMMAND_RUN, "run FILE|DIR [args]", "compile and run (the word `run` may be left out)" },
    { "check", COMMAND_CHECK, "check FILE|DIR", "compile without running; exit status 0 when there are no errors" },
    { "test", COMMAND_TEST, "test [FILE|DIR ...]", "run test programs and functions named test_..., see nostos(1)" },
    { "repl", COMMAND_REPL, "repl [FILE ...]", "evaluate what is typed, line by line; see nostos(1)" },
    { "new", COMMAND_NEW, "new NAME", "make the folder NAME with a first program" },
    { "disasm", COMMAND_DISASM, "disasm FILE|DIR [FUNCTION]", "list the instructions of the program's functions" },
    { "version", COMMAND_VERSION, "version", "print the version" },
    { "help", COMMAND_HELP, "help", "print this text" },
};

static const char *const option_help =
    "Options (before or after the file; unknown ones are ignored):\n"
    "  -h, --help         print this text\n"
    "  -v, --version      print the version\n"
    "      --check        as `nostos check`\n"
    "      --json-errors  compile errors as JSON lines on standard output\n"
    "      --no-types     do not check static types\n"
    "      --no-typed-code  use general instructions only; results are the same\n"
    "  -b, --bin NAME     entry point NAME of nostos.toml\n"
    "      --entry NAME   begin in the function NAME, in a folder MODULE.NAME, instead of main\n"
    "      --threads N    worker threads (default: one per core)\n"
    "      --depth N      nested calls a process may have (default: 50000)\n"
    "      --heap MIB     memory a process may have (default: three quarters of the machine's)\n"
    "      --seed N       one thread, reproducible: same seed, same order of events\n"
    "      --free-all     give all memory back before exiting, for leak checkers\n"
    "Options of `nostos check`:\n"
    "      --json         errors as JSON lines on standard output (as --json-errors)\n"
    "      --type-at FILE:LINE:COLUMN\n"
    "                     instead of errors: what stands there, its type, where it was defined\n"
    "Options of `nostos test`:\n"
    "      --jobs N       tests at a time (default: one per core)\n"
    "      --timeout S    seconds a test may take (default: 15)\n"
    "  -q, --quiet        say nothing of tests that pass\n";

struct invocation {
    enum command command;
    const char *path, *function, *bin, *entry;
    char **words; /* all that are no options, but for the command: moved to the front of argv; ends with NULL */
    size_t word_count;
    struct test_options test;
    struct type_at_place place; /* to be asked about; file NULL: none */
    bool json, types, no_typed_code, free_all, seeded;
    unsigned threads;
    uint32_t depth;
    uint64_t heap_mib;
    uint64_t seed;
};

static void print_help(FILE *out)
{
    fputs("nostos: run programs written in Nostos\n\nUsage: nostos FILE|DIR [args]\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "       nostos %-28s %s\n", commands[i].usage, commands[i].what);
    fprintf(out, "\n%s", option_help);
}

/* ---- the run ---- */

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

static int execute(const struct invocation *invocation, struct vm_program *program)
{
    struct run *run = &the_run;
    struct sched_options options = { .workers = invocation->threads,
                                     .single_thread = invocation->seeded,
                                     .seed = invocation->seed,
                                     .on_idle = on_idle,
                                     .context = run };
    struct vm_process *first;
    int r;

    pthread_mutex_init(&run->output, NULL);
    run->program = program;
    run->is_test = invocation->entry != NULL;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, on_interrupt);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    r = sched_new(&options, &run->sched);
    if (r < 0)
        return start_failed("the scheduler", r);
    sched_group_init(&run->group, program->name);
    run->group.context = run;
    run->group.depth_max = invocation->depth;
    run->group.heap_max_words = invocation->heap_mib * WORDS_PER_MIB;
    run->group.mailbox_max_bytes = invocation->heap_mib * BYTES_PER_MIB;
    run->group.ended = on_ended;
    run->group.limited = on_limited;
    run->group.spawned = on_spawned;
    run->group.output = on_output;
    run->group.flush = on_flush;
    r = srv_runtime_new(run->sched, &(struct srv_runtime_options){ 0 }, &run->runtime);
    if (r < 0)
        return start_failed("the HTTP runtime", r);
    r = sched_process_new(NULL, run->sched, &run->group, program, vm_from_object(program->entry), &first);
    if (r < 0)
        return start_failed("main", r);
    run->main_pid = atomic_load(&first->pid);
    sched_submit(NULL, first);
    r = sched_run(run->sched);
    if (r < 0)
        return start_failed("the workers", r);
    fflush(stdout);
    if (!invocation->free_all) {
        srv_runtime_flush(run->runtime); /* an answer that main, or who ended it, has given is an answer */
        _exit(run->status);
    }
    srv_runtime_stop(run->runtime);
    sched_group_release(&run->group);
    io_stop();
    run->sched = sched_free(run->sched);
    run->runtime = srv_runtime_free(run->runtime);
    nb_buf_done(&run->crash);
    vm_program_unref(program);
    return run->status;
}

/* ---- compiling ---- */

static void print_warnings(const struct ns_diag *diag)
{
    struct nb_buf text = NB_BUF_INIT;

    ns_diag_print_warnings(diag, &text);
    fputs(nb_buf_cstr(&text), stderr);
    nb_buf_done(&text);
}

static void list_functions(const struct vm_program *program, const char *only)
{
    for (uint32_t i = 0; i < program->function_count; i++) {
        const struct vm_function *f = program->functions[i];

        if (only == NULL ? strncmp(f->file, "stdlib", 6) != 0 : strcmp(f->name, only) == 0)
            vm_disassemble(f, stdout);
    }
}

static int ask_at_place(const struct invocation *invocation)
{
    struct ns_options options = { .bin = invocation->bin, .entry = invocation->entry, .types = invocation->types };

    return type_at_main(invocation->path, &invocation->place, &options, invocation->json);
}

static int compile_and(const struct invocation *invocation)
{
    struct ns_options options = { .check_only = invocation->command == COMMAND_CHECK,
                                  .bin = invocation->bin,
                                  .entry = invocation->entry,
                                  .types = invocation->types,
                                  .no_typed_code = invocation->no_typed_code,
                                  .need_main = invocation->command != COMMAND_DISASM && invocation->entry == NULL };
    struct ns_diag *diag = ns_diag_new();
    struct vm_program *program = NULL;
    int r = ns_compile(invocation->path, &options, diag, &program);

    print_warnings(diag);
    if (r < 0)
        complaint_print(diag, invocation->json);
    ns_diag_free(diag);
    if (r < 0)
        return EXIT_FAILURE;
    if (invocation->command == COMMAND_RUN)
        return execute(invocation, program);
    if (invocation->command == COMMAND_DISASM)
        list_functions(program, invocation->function);
    vm_program_unref(program);
    return EXIT_SUCCESS;
}

/* ---- arguments ---- */

static bool exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

/* A whole number within bounds, or an error that names the option. */
static bool number_option(const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *ret)
{
    char *end;

    errno = 0;
    *ret = text == NULL || *text == '-' ? 0 : strtoull(text, &end, 10);
    if (text == NULL || *text == '\0' || *text == '-' || *end != '\0' || errno != 0 || *ret < least || *ret > most) {
        fprintf(stderr, "Error: %s takes a whole number from %llu to %llu\n", option, (unsigned long long)least,
                (unsigned long long)most);
        return false;
    }
    return true;
}

/* One that only `nostos test` has: elsewhere programs may have options with these names. */
static bool take_test_option(struct invocation *invocation, char **argv, int *at)
{
    const char *option = argv[*at];
    uint64_t n;

    if (strcmp(option, "-q") == 0 || strcmp(option, "--quiet") == 0) {
        invocation->test.quiet = true;
    } else if (strcmp(option, "--jobs") == 0) {
        if (!number_option(option, argv[*at + 1], 1, TEST_JOBS_MAX, &n))
            return false;
        invocation->test.jobs = (unsigned)n;
        ++*at;
    } else if (strcmp(option, "--timeout") == 0) {
        if (!number_option(option, argv[*at + 1], 1, TEST_SECONDS_MAX, &n))
            return false;
        invocation->test.seconds = (unsigned)n;
        ++*at;
    }
    return true;
}

/* One that only `nostos check` has. */
static bool take_check_option(struct invocation *invocation, char **argv, int *at)
{
    const char *option = argv[*at];

    if (strcmp(option, "--json") == 0) {
        invocation->json = true;
    } else if (strcmp(option, "--type-at") == 0) {
        if (argv[*at + 1] == NULL || !type_at_parse(argv[*at + 1], &invocation->place)) {
            fputs("Error: --type-at takes a place: FILE:LINE:COLUMN\n", stderr);
            return false;
        }
        ++*at;
    }
    return true;
}

/* One option at argv[*at]; advances over its value. False: an error was printed. */
static bool take_option(struct invocation *invocation, char **argv, int *at)
{
    const char *option = argv[*at];
    uint64_t n;

    if (strcmp(option, "-h") == 0 || strcmp(option, "--help") == 0) {
        invocation->command = COMMAND_HELP;
    } else if (strcmp(option, "-v") == 0 || strcmp(option, "--version") == 0) {
        invocation->command = COMMAND_VERSION;
    } else if (strcmp(option, "--check") == 0) {
        invocation->command = COMMAND_CHECK;
    } else if (strcmp(option, "--json-errors") == 0) {
        invocation->json = true;
    } else if (strcmp(option, "--types") == 0 || strcmp(option, "--no-types") == 0) {
        invocation->types = strcmp(option, "--types") == 0;
    } else if (strcmp(option, "--no-typed-code") == 0) {
        invocation->no_typed_code = invocation->test.no_typed_code = true;
    } else if (strcmp(option, "--free-all") == 0) {
        invocation->free_all = true;
    } else if (strcmp(option, "-b") == 0 || strcmp(option, "--bin") == 0) {
        invocation->bin = argv[*at + 1];
        if (invocation->bin == NULL) {
            fputs("Error: --bin requires a binary name\n", stderr);
            return false;
        }
        ++*at;
    } else if (strcmp(option, "--entry") == 0) {
        invocation->entry = argv[*at + 1];
        if (invocation->entry == NULL) {
            fputs("Error: --entry requires the name of a function\n", stderr);
            return false;
        }
        ++*at;
    } else if (strcmp(option, "--threads") == 0) {
        if (!number_option(option, argv[*at + 1], 1, SCHED_WORKERS_MAX, &n))
            return false;
        invocation->threads = (unsigned)n;
        ++*at;
    } else if (strcmp(option, "--depth") == 0) {
        if (!number_option(option, argv[*at + 1], 100, 100000000, &n))
            return false;
        invocation->depth = (uint32_t)n;
        ++*at;
    } else if (strcmp(option, "--heap") == 0) {
        if (!number_option(option, argv[*at + 1], 1, UINT32_MAX, &invocation->heap_mib))
            return false;
        ++*at;
    } else if (strcmp(option, "--seed") == 0) {
        if (!number_option(option, argv[*at + 1], 0, UINT64_MAX - 1, &invocation->seed))
            return false;
        invocation->seeded = true;
        ++*at;
    } else if (invocation->command == COMMAND_TEST) {
        return take_test_option(invocation, argv, at);
    } else if (invocation->command == COMMAND_CHECK) {
        return take_check_option(invocation, argv, at);
    }
    return true;
}

/* A first word that names a file is run (06 C.3), unless what follows names one too, or is an option: `nostos check
 * FILE` beside a file `check`. */
static bool take_command(struct invocation *invocation, const char *word, const char *next)
{
    bool is_file = exists(word) && (next == NULL || (next[0] != '-' && !exists(next)));

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(word, commands[i].word) == 0 && !is_file) {
            invocation->command = commands[i].command;
            return true;
        }
    return false;
}

static bool take_arguments(struct invocation *invocation, char **argv)
{
    bool first = true;

    invocation->words = argv;
    for (int i = 1; argv[i] != NULL; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!take_option(invocation, argv, &i))
                return false;
        } else if (first && take_command(invocation, argv[i], argv[i + 1])) {
            first = false;
        } else {
            first = false;
            invocation->words[invocation->word_count++] = argv[i];
            if (invocation->path == NULL)
                invocation->path = argv[i];
            else if (invocation->function == NULL)
                invocation->function = argv[i];
        }
    }
    invocation->words[invocation->word_count] = NULL;
    return true;
}

/* A program that wants more gets an exception, and not the whole machine into trouble. */
static uint64_t default_heap_mib(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);

    if (pages <= 0 || page_bytes <= 0)
        return 0;
    return (uint64_t)pages * (uint64_t)page_bytes / (1 << 20) * 3 / 4 + 1;
}

static int run_session(const struct invocation *invocation)
{
    struct session_options options = { .threads = invocation->threads,
                                       .depth = invocation->depth,
                                       .heap_words = invocation->heap_mib * WORDS_PER_MIB,
                                       .types = invocation->types };

    session_value_register();
    return repl_main(&options, invocation->words, invocation->free_all);
}

int main(int argc, char **argv)
{
    struct invocation invocation = {
        .command = COMMAND_RUN, .types = true, .depth = SCHED_DEPTH_MAX_DEFAULT, .heap_mib = default_heap_mib(),
        .test = { .jobs = sched_cores(), .seconds = TEST_SECONDS_DEFAULT }
    };

    if (argc < 2) {
        print_help(stderr);
        return EXIT_FAILURE;
    }
    if (!take_arguments(&invocation, argv))
        return EXIT_FAILURE;
    if (invocation.command == COMMAND_HELP) {
        print_help(stdout);
        return EXIT_SUCCESS;
    }
    if (invocation.command == COMMAND_VERSION) {
        puts("nostos " PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    if (invocation.path == NULL && invocation.place.file == NULL && invocation.command != COMMAND_TEST &&
        invocation.command != COMMAND_REPL) {
        if (invocation.command == COMMAND_NEW)
            fputs("Error: No name specified\nTry: nostos new NAME\n", stderr);
        else
            fputs("Error: No input file specified\nTry: nostos FILE.nos, or nostos --help\n", stderr);
        return EXIT_FAILURE;
    }
    if (invocation.command == COMMAND_NEW)
        return new_main(invocation.path);
    vm_init();
    lib_register();
    srv_http_register_natives();
    if (invocation.command == COMMAND_TEST)
        return test_main(&invocation.test, invocation.words);
    if (invocation.command == COMMAND_REPL)
        return run_session(&invocation);
    return invocation.place.file != NULL ? ask_at_place(&invocation) : compile_and(&invocation);
}
