/*
 * session.c - definitions as text, inputs as programs, one process for each.
 *
 * Entering a definition makes a candidate: the entries (session_entries.h) without those it replaces, and the new ones;
 * only if all of that compiles does it become the session's. Programs live as long as the session, because kept values
 * may be closures over their functions, and their mvars go on to be used.
 */
#include "config.h"

#include "cli/session.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "cli/session_entries.h"
#include "cli/session_names.h"
#include "cli/session_value.h"
#include "io/handle.h"
#include "io/reactor.h"
#include "lang/compile.h"
#include "lang/file.h"
#include "lang/input.h"
#include "scheduler/sched.h"
#include "server/runtime.h"
#include "vm/except.h"
#include "vm/native.h"
#include "vm/object.h"
#include "vm/print.h"
#include "vm/program.h"

enum { KILL_BATCH = 1024 };

/* What an evaluation left behind. Written by the worker that ended it. */
struct outcome {
    enum vm_stop stop;
    bool silent;               /* the value is not printed */
    unsigned wanted;           /* values to keep instead; 0: none */
    int *numbers;              /* of kept values, or -errno */
};

struct session {
    struct session_options options;
    struct sched *sched;
    struct srv_runtime *runtime;
    struct sched_group group;
    struct nb_arena *arena;    /* of entries and their texts; only grows */
    struct session_entries entries;
    unsigned inputs;           /* so far */
    NB_VEC(struct vm_program *) programs;
    NB_VEC(struct vm_mvar *) mvars;
    pthread_mutex_t output;
    _Atomic uint64_t pid;      /* of the evaluation, 0: none */
    struct outcome *outcome;
};

static sem_t something_happened; /* the evaluation ended, or a signal came */
static atomic_bool evaluating, interrupted;

/* ---- what processes report ---- */

static void on_output(struct sched_group *group, struct vm_ctx *ctx, bool error, bool newline, const char *text,
                      size_t length)
{
    struct session *session = group->context;
    FILE *out = error ? stderr : stdout;

    (void)ctx;
    pthread_mutex_lock(&session->output);
    if (error)
        fflush(stdout);
    fwrite(text, 1, length, out);
    if (newline)
        putc('\n', out);
    fflush(out);
    pthread_mutex_unlock(&session->output);
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

static void evaluation_ended(struct session *session, struct vm_process *process, enum vm_stop stop)
{
    struct outcome *outcome = session->outcome;
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
    struct session *session = group->context;
    uint64_t pid = atomic_load(&process->pid);
    bool is_evaluation = pid == atomic_load(&session->pid);
    char who[64];

    srv_process_ended(ctx, process, stop);
    io_process_ended(process, stop);
    pthread_mutex_lock(&session->output);
    snprintf(who, sizeof who, "Process <pid %llu> ended: ", (unsigned long long)pid);
    if (is_evaluation)
        evaluation_ended(session, process, stop);
    else if (stop == VM_STOP_CRASH)
        print_crash(who, process);
    pthread_mutex_unlock(&session->output);
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

bool session_interrupt(void)
{
    if (!atomic_load(&evaluating))
        return false;
    atomic_store(&interrupted, true);
    sem_post(&something_happened);
    return true;
}

static void await_end(struct session *session)
{
    while (atomic_load(&evaluating)) {
        if (sem_wait(&something_happened) < 0)
            continue;
        if (atomic_exchange(&interrupted, false))
            sched_kill(NULL, session->sched, atomic_load(&session->pid));
    }
    while (sem_trywait(&something_happened) == 0)
        ; /* what is left of it */
}

/* Run a function without parameters in a process of its own and wait for its end. */
static bool evaluate(struct session *session, struct vm_program *program, const struct vm_function *function,
                     struct outcome *outcome)
{
    struct vm_process *process;
    int r = sched_process_new(NULL, session->sched, &session->group, program, vm_from_object(function), &process);

    if (r < 0) {
        fprintf(stderr, "Error: cannot start a process: %s\n", strerror(-r));
        return false;
    }
    session->outcome = outcome;
    atomic_store(&interrupted, false);
    atomic_store(&session->pid, atomic_load(&process->pid));
    atomic_store(&evaluating, true);
    sched_submit(NULL, process);
    await_end(session);
    atomic_store(&session->pid, 0);
    if (outcome->stop == VM_STOP_KILLED)
        fputs("Interrupted\n", stderr);
    return outcome->stop == VM_STOP_END;
}

/* ---- compiling ---- */

static void report(const struct ns_diag *diag, bool failed)
{
    struct nb_buf text = NB_BUF_INIT;

    ns_diag_print_warnings(diag, &text);
    if (failed)
        ns_diag_print(diag, &text);
    fflush(stdout);
    fputs(nb_buf_cstr(&text), stderr);
    nb_buf_done(&text);
}

/* `quiet`: errors are not shown. Returns the program, or NULL. */
static struct vm_program *compile(struct session *session, const char *file, const char *text, size_t length,
                                  const struct ns_options *wanted, bool quiet)
{
    struct ns_options options = *wanted;
    struct ns_diag *diag = ns_diag_new();
    struct vm_program *program = NULL;
    int r;

    options.types = session->options.types;
    options.mvars = session->mvars.items;
    options.mvar_count = session->mvars.count;
    r = ns_compile_text(file, text, length, &options, diag, &program);
    if (!quiet)
        report(diag, r < 0);
    ns_diag_free(diag);
    return r < 0 ? NULL : program;
}

static void keep_program(struct session *session, struct vm_program *program)
{
    nb_vec_push(&session->programs, program);
    for (uint32_t i = 0; i < program->mvar_count; i++)
        nb_vec_push(&session->mvars, program->mvars[i]);
}

/* ---- what a session has ---- */

static void take_entries(struct session *session, struct session_entries *entries)
{
    nb_vec_done(&session->entries.list);
    session->entries = *entries;
    *entries = (struct session_entries){ .list = { 0 } };
}

/* An mvar that is defined anew begins anew. */
static void forget_mvar(struct session *session, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < session->mvars.count; i++)
        if (strcmp(session->mvars.items[i]->name, name) != 0)
            session->mvars.items[kept++] = session->mvars.items[i];
    session->mvars.count = kept;
}

/* ---- definitions ---- */

static const char *trimmed(const char *text, uint32_t *length)
{
    while (*length > 0 && strchr("; \t\r\n", *text) != NULL) {
        text++;
        --*length;
    }
    return text;
}

static void add_parts(struct session *session, struct session_entries *entries, const struct ns_input *input,
                      const char *text, const char *file)
{
    for (uint32_t i = 0; i < input->part_count; i++) {
        const struct ns_input_part *part = &input->parts[i];
        struct session_entry *entry = nb_arena_alloc(session->arena, sizeof *entry);
        uint32_t length = part->to - part->from;
        const char *start = trimmed(text + part->from, &length);

        entry->key = nb_arena_strndup(session->arena, part->key, strlen(part->key));
        entry->name = part->name;
        entry->kind = part->kind;
        entry->text = nb_arena_strndup(session->arena, start, length);
        entry->file = file;
        entry->input = session->inputs;
        session_entries_add(entries, entry);
    }
}

/* Set the mvars of a program that has just been compiled. They count from then on. */
static bool initialise(struct session *session, struct vm_program *program)
{
    struct outcome outcome = { .stop = VM_STOP_END };

    if (program->init != NULL && !evaluate(session, program, program->init, &outcome)) {
        nb_vec_push(&session->programs, program);
        return false;
    }
    keep_program(session, program);
    return true;
}

/* The entries with the mvars they had; definitions that are wrong bring both back. */
struct former { NB_VEC(struct vm_mvar *) mvars; };

static void remember_mvars(struct session *session, struct former *former)
{
    for (size_t i = 0; i < session->mvars.count; i++)
        nb_vec_push(&former->mvars, session->mvars.items[i]);
}

static void bring_back_mvars(struct session *session, const struct former *former)
{
    nb_vec_clear(&session->mvars);
    for (size_t i = 0; i < former->mvars.count; i++)
        nb_vec_push(&session->mvars, former->mvars.items[i]);
}

static bool define(struct session *session, const struct ns_input *input, const char *text, size_t length,
                   const char *file)
{
    struct session_entries candidate = { .list = { 0 } }, others = { .list = { 0 } };
    struct former former = { .mvars = { 0 } };
    struct nb_buf epilogue = NB_BUF_INIT;
    struct vm_program *program;
    bool good;

    session_entries_copy(&candidate, &session->entries, file);
    session->inputs++;
    add_parts(session, &candidate, input, text, file);
    for (size_t i = 0; i < candidate.list.count; i++) /* the new ones are in the text itself */
        for (size_t k = 0; k < session->entries.list.count; k++)
            if (candidate.list.items[i] == session->entries.list.items[k])
                nb_vec_push(&others.list, candidate.list.items[i]);
    session_entries_text(&epilogue, &others);
    remember_mvars(session, &former);
    for (uint32_t i = 0; i < input->part_count; i++)
        if (session_is_value(input->parts[i].kind) && input->parts[i].name != NULL)
            forget_mvar(session, input->parts[i].name);
    program = compile(session, file == NULL ? "input" : file, text, length,
                      &(struct ns_options){ .epilogue = nb_buf_cstr(&epilogue) }, false);
    good = program != NULL && initialise(session, program);
    if (good)
        take_entries(session, &candidate);
    else
        bring_back_mvars(session, &former);
    nb_vec_done(&former.mvars);
    nb_vec_done(&candidate.list);
    nb_vec_done(&others.list);
    nb_buf_done(&epilogue);
    return good;
}

/* ---- statements and bindings ---- */

static struct vm_program *compile_statements(struct session *session, const char *text, size_t length,
                                             struct nb_buf *type)
{
    struct ns_options options = { .statements = true, .entry = NS_INPUT_FUNCTION, .entry_type = type };
    struct nb_buf epilogue = NB_BUF_INIT;
    struct vm_program *program;

    session_entries_text(&epilogue, &session->entries);
    options.epilogue = nb_buf_cstr(&epilogue);
    program = compile(session, "input", text, length, &options, false);
    nb_buf_done(&epilogue);
    return program;
}

static bool run_statements(struct session *session, const char *text, size_t length, struct outcome *outcome,
                           struct nb_buf *type)
{
    struct vm_program *program = compile_statements(session, text, length, type);

    if (program == NULL)
        return false;
    keep_program(session, program);
    return evaluate(session, program, program->entry, outcome);
}

static const struct session_entry *value_entry(struct session *session, const char *name, int number, const char *type)
{
    struct session_entry *entry = nb_arena_alloc(session->arena, sizeof *entry);
    struct nb_buf text = NB_BUF_INIT;

    nb_buf_printf(&text, "%s%s%s = Session.value(%d)", name, type[0] == '\0' ? "" : ": ", type, number);
    entry->kind = NS_ITEM_BINDING;
    entry->name = name;
    entry->input = session->inputs;
    entry->text = nb_arena_strndup(session->arena, nb_buf_cstr(&text), text.length);
    nb_buf_clear(&text);
    nb_buf_printf(&text, "value %s", name);
    entry->key = nb_arena_strndup(session->arena, nb_buf_cstr(&text), text.length);
    nb_buf_done(&text);
    return entry;
}

/* Bind names to kept values, if everything compiles then. */
static bool try_values(struct session *session, const struct ns_input *input, const int *numbers, const char *type,
                       bool quiet)
{
    struct session_entries candidate = { .list = { 0 } };
    struct nb_buf text = NB_BUF_INIT;
    struct vm_program *program;

    session_entries_copy(&candidate, &session->entries, NULL);
    session->inputs++;
    for (uint32_t i = 0; i < input->name_count; i++)
        session_entries_add(&candidate, value_entry(session, input->names[i], numbers[i], type));
    session_entries_text(&text, &candidate);
    program = compile(session, "definitions", nb_buf_cstr(&text), text.length, &(struct ns_options){ 0 }, quiet);
    if (program != NULL) {
        vm_program_unref(program);
        take_entries(session, &candidate);
    }
    nb_vec_done(&candidate.list);
    nb_buf_done(&text);
    return program != NULL;
}

static bool report_not_kept(const char *name, int error)
{
    const char *why = error == -EINVAL   ? "it holds a string buffer, which only one process can have"
                      : error == -ENOSPC ? "the session keeps too many values"
                                         : "there is no memory";

    fprintf(stderr, "Error: `%s` is not kept: %s\n", name, why);
    return false;
}

static bool bind(struct session *session, const struct ns_input *input, const char *text, size_t length)
{
    struct outcome outcome = { .stop = VM_STOP_END, .wanted = input->name_count };
    struct nb_buf type = NB_BUF_INIT;
    bool good;

    outcome.numbers = nb_xalloc_zero((input->name_count + 1) * sizeof *outcome.numbers);
    good = run_statements(session, text, length, &outcome, input->name_count == 1 ? &type : NULL);
    for (uint32_t i = 0; good && i < input->name_count; i++)
        if (outcome.numbers[i] < 0)
            good = report_not_kept(input->names[i], outcome.numbers[i]);
    if (good && (type.length == 0 || !try_values(session, input, outcome.numbers, nb_buf_cstr(&type), true)))
        good = try_values(session, input, outcome.numbers, "", false);
    nb_free(outcome.numbers);
    nb_buf_done(&type);
    return good;
}

/* `n = 1` is an assignment where n is an mvar. */
static bool is_assignment(const struct session *session, const struct ns_input *input)
{
    for (size_t i = 0; input->name_count == 1 && i < session->entries.list.count; i++)
        if (session->entries.list.items[i]->kind == NS_ITEM_MVAR &&
            strcmp(session->entries.list.items[i]->name, input->names[0]) == 0)
            return true;
    return false;
}

/* ---- the door ---- */

bool session_is_unfinished(const char *text, size_t length)
{
    struct ns_input *input = ns_input_read(text, length);
    bool unfinished = input->kind == NS_INPUT_UNFINISHED;

    ns_input_free(input);
    return unfinished;
}

bool session_enter(struct session *session, const char *text, size_t length)
{
    struct ns_input *input = ns_input_read(text, length);
    struct outcome outcome = { .stop = VM_STOP_END };
    bool good = true;

    if (input->kind == NS_INPUT_DEFINITIONS || (input->kind == NS_INPUT_UNFINISHED && input->part_count > 0)) {
        good = define(session, input, text, length, NULL);
    } else if (input->kind == NS_INPUT_BINDING && input->name_count > 0 && !is_assignment(session, input)) {
        good = bind(session, input, text, length);
    } else if (input->kind != NS_INPUT_EMPTY) {
        outcome.silent = input->kind == NS_INPUT_BINDING;
        good = run_statements(session, text, length, &outcome, NULL);
    }
    ns_input_free(input);
    return good;
}

bool session_load(struct session *session, const char *path)
{
    struct nb_arena *arena = nb_arena_new();
    char *text = NULL;
    size_t length = 0;
    const char *problem = ns_file_read(arena, path, &text, &length);
    bool good = false;

    if (problem != NULL) {
        fprintf(stderr, "Error reading file '%s': %s\n", path, problem);
    } else {
        struct ns_input *input = ns_input_read(text, length);

        good = define(session, input, text, length, nb_arena_strndup(session->arena, path, strlen(path)));
        ns_input_free(input);
    }
    nb_arena_free(arena);
    return good;
}

bool session_type(struct session *session, const char *text)
{
    struct nb_buf type = NB_BUF_INIT;
    struct vm_program *program = compile_statements(session, text, strlen(text), &type);

    if (program != NULL)
        puts(type.length > 0 ? nb_buf_cstr(&type) : "the type is not known before it runs");
    vm_program_unref(program);
    nb_buf_done(&type);
    return program != NULL;
}

void session_browse(const struct session *session)
{
    for (size_t i = 0; i < session->entries.list.count; i++) {
        const struct session_entry *entry = session->entries.list.items[i];
        const char *value = entry->kind == NS_ITEM_BINDING ? strstr(entry->text, " = Session.value(") : NULL;
        size_t line = strcspn(entry->text, "\n");

        printf("%.*s\n", (int)(value != NULL ? (size_t)(value - entry->text) : line), entry->text);
    }
}

bool session_document(const struct session *session, const char *name)
{
    bool found = session_names_document(&session->entries, name);

    if (!found)
        fprintf(stderr, "Error: nothing is known of `%s`\n", name);
    return found;
}

void session_each_name(const struct session *session, void (*take)(void *context, const char *name, size_t length),
                       void *context)
{
    session_names_each(&session->entries, take, context);
}

static void end_processes(struct session *session)
{
    static uint64_t pids[KILL_BATCH];
    size_t count = sched_list(session->sched, &session->group, pids, KILL_BATCH);

    for (size_t i = 0; i < count; i++)
        sched_kill(NULL, session->sched, pids[i]);
}

void session_reset(struct session *session)
{
    end_processes(session);
    nb_vec_clear(&session->entries.list);
    nb_vec_clear(&session->mvars);
}

/* ---- its life ---- */

static int start(struct session *session)
{
    struct sched_options options = { .workers = session->options.threads };
    int r = sched_new(&options, &session->sched);

    if (r < 0)
        return r;
    sched_group_init(&session->group, "session");
    session->group.context = session;
    session->group.depth_max = session->options.depth;
    session->group.heap_max_words = session->options.heap_words;
    session->group.ended = on_ended;
    session->group.spawned = on_spawned;
    session->group.output = on_output;
    session->group.flush = on_flush;
    r = srv_runtime_new(session->sched, &(struct srv_runtime_options){ 0 }, &session->runtime);
    return r < 0 ? r : sched_start(session->sched);
}

int session_new(const struct session_options *options, struct session **ret_session)
{
    struct session *session = nb_xalloc_zero(sizeof *session);
    int r;

    session->options = *options;
    session->arena = nb_arena_new();
    pthread_mutex_init(&session->output, NULL);
    sem_init(&something_happened, 0, 0);
    r = start(session);
    if (r == 0)
        *ret_session = session;
    return r;
}

struct session *session_free(struct session *session)
{
    if (session == NULL)
        return NULL;
    sched_stop(session->sched);
    srv_runtime_stop(session->runtime);
    sched_group_release(&session->group);
    io_stop();
    session->sched = sched_free(session->sched);
    session->runtime = srv_runtime_free(session->runtime);
    session_value_done();
    for (size_t i = 0; i < session->programs.count; i++)
        vm_program_unref(session->programs.items[i]);
    nb_vec_done(&session->programs);
    nb_vec_done(&session->mvars);
    nb_vec_done(&session->entries.list);
    nb_arena_free(session->arena);
    nb_free(session);
    return NULL;
}
