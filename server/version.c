/*
 * version.c - from a path to running processes, and the callbacks of their group.
 */
#include "config.h"

#include "server/version.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "io/handle.h"
#include "lang/compile.h"
#include "vm/except.h"
#include "vm/program.h"
#include "vm/shared.h"

enum {
    BYTES_PER_MIB = 1024 * 1024,
    WORDS_PER_MIB = BYTES_PER_MIB / sizeof(vm_value),
    EPILOGUE_BYTES = 512,
    WHAT_BYTES = 200,
    COMPUTES_FOR_LONG = 1000 * 1000, /* reductions, some 10 ms */
    SETTLING_MOST = 16               /* processes that are looked at */
};

/* What main would be, for programs that only have a handle(request). Three lines, so that it ends in constant memory.
 */
static const char serve_epilogue[] =
    "\nmain() = serveHandle_(Server.bind(%" PRId64 "))\n"
    "serveHandle_(server) = { request = Server.accept(server)\n spawn { handle(request) }\n serveHandle_(server) }\n";

/* ---- callbacks of the group; on workers ---- */

static void write_output(struct sched_group *group, struct vm_ctx *ctx, bool error, bool newline, const char *text,
                         size_t length)
{
    struct srv_version *version = group->context;

    srv_lines_print(&version->lines, atomic_load_explicit(&ctx->process->pid, memory_order_relaxed), error, newline,
                    text, length);
}

/* An acceptor whose server was closed has done nothing wrong. */
static bool is_quiet(const char *error)
{
    return strstr(error, "io_error") != NULL && strstr(error, "Server closed") != NULL;
}

/* The keys of nostosd.conf that bound a version's processes, and what an exception reads that one of them raised. */
enum limit_key {
    HEAP_TOTAL_MAX,
    MAILBOX_MAX,
    MAILBOX_MAX_BYTES,
    HEAP_MAX,
    MVAR_MAX,
    PROCESSES_MAX,
    DEPTH_MAX,
    LIMIT_KEYS
};
static const struct {
    const char *name, *error;
} limit_keys[LIMIT_KEYS] = {
    [HEAP_TOTAL_MAX] = { "heap_total_max_mib", NULL },
    [MAILBOX_MAX] = { "mailbox_max", NULL },
    [MAILBOX_MAX_BYTES] = { "mailbox_max_mib", NULL },
    [HEAP_MAX] = { "heap_max_mib", "Panic: Out of memory" },
    [MVAR_MAX] = { "mvar_max_mib", "Panic: Too much in mvars" },
    [PROCESSES_MAX] = { "processes_max", "Panic: Too many processes" },
    [DEPTH_MAX] = { "depth_max", "Stack overflow" },
};

static uint64_t limit_value(const struct sched_group *group, enum limit_key key)
{
    const struct srv_version *version = group->context;
    const uint64_t values[LIMIT_KEYS] = {
        [HEAP_TOTAL_MAX] = group->heap_total_max_words / WORDS_PER_MIB,
        [MAILBOX_MAX] = group->mailbox_max,
        [MAILBOX_MAX_BYTES] = group->mailbox_max_bytes / BYTES_PER_MIB,
        [HEAP_MAX] = group->heap_max_words / WORDS_PER_MIB,
        [MVAR_MAX] = atomic_load(&version->program->account->limit) / BYTES_PER_MIB,
        [PROCESSES_MAX] = group->processes_max,
        [DEPTH_MAX] = group->depth_max,
    };

    return values[key];
}

/* The fields of a log line that tell which limit it was, and what to do if it was too low. */
static void describe_limit(const struct sched_group *group, enum limit_key key, struct nb_buf *out)
{
    nb_buf_printf(out, "limit=%s value=%" PRIu64 " advice=\"raise %s in app_defaults or app %s of nostosd.conf\"",
                  limit_keys[key].name, limit_value(group, key), limit_keys[key].name, group->name);
}

/* Begins with a blank, or is empty when no limit has raised that exception. */
static void describe_limit_behind(const struct sched_group *group, const char *error, struct nb_buf *out)
{
    for (enum limit_key key = 0; key < LIMIT_KEYS; key++) {
        const char *known = limit_keys[key].error;

        if (known == NULL || strncmp(error, known, strlen(known)) != 0 || limit_value(group, key) == 0)
            continue;
        nb_buf_byte(out, ' ');
        describe_limit(group, key, out);
    }
}

static void process_limited(struct sched_group *group, struct vm_ctx *ctx, uint64_t pid, enum sched_limit limit)
{
    struct srv_version *version = group->context;
    static const enum limit_key keys[] = {
        [SCHED_LIMIT_HEAP_TOTAL] = HEAP_TOTAL_MAX,
        [SCHED_LIMIT_MAILBOX] = MAILBOX_MAX,
        [SCHED_LIMIT_MAILBOX_BYTES] = MAILBOX_MAX_BYTES,
    };
    struct nb_buf what = NB_BUF_INIT;

    (void)ctx;
    describe_limit(group, keys[limit], &what);
    nb_log_error("process.limit", "app=%s version=%u process=%" PRIu64 " %s", version->app, version->number, pid,
                 nb_buf_cstr(&what));
    nb_buf_done(&what);
    if (pid == version->main_pid)
        atomic_store(&version->main_limit, 1 + (int)limit);
}

static void report_crash(struct srv_version *version, struct vm_process *process, const char *error)
{
    struct nb_buf line = NB_BUF_INIT;
    char what[WHAT_BYTES] = "";
    uint64_t request = srv_process_request(process, what, sizeof what);

    nb_buf_printf(&line, "app=%s version=%u process=%" PRIu64, version->app, version->number,
                  atomic_load(&process->pid));
    if (request != 0) {
        nb_buf_printf(&line, " request=%" PRIu64 " target=", request);
        nb_log_quote(&line, what);
    }
    nb_buf_text(&line, " error=");
    nb_log_quote(&line, error);
    describe_limit_behind(&version->group, error, &line);
    nb_buf_text(&line, " trace=");
    nb_log_quote(&line, process->trace != NULL ? process->trace : "");
    if (is_quiet(error))
        nb_log_debug("process.ended", "%s", nb_buf_cstr(&line));
    else
        nb_log_error("process.crashed", "%s", nb_buf_cstr(&line));
    nb_buf_done(&line);
}

static void main_has_ended(struct srv_version *version, enum vm_stop stop, const char *error)
{
    static const char *const ends[] = { "killed", "ended because of heap_total_max_mib", "ended because of mailbox_max",
                                        "ended because of mailbox_max_mib" };
    const char *end = ends[atomic_load(&version->main_limit)];

    snprintf(version->failure, sizeof version->failure, "%s", error != NULL ? error : end);
    atomic_store(&version->main_state, stop == VM_STOP_END ? SRV_MAIN_RETURNED : SRV_MAIN_FAILED);
    version->changed(version->context);
}

static void process_ended(struct sched_group *group, struct vm_ctx *ctx, struct vm_process *process, enum vm_stop stop)
{
    struct srv_version *version = group->context;
    char *error = stop == VM_STOP_CRASH ? vm_exception_text(process->exception) : NULL;

    srv_lines_ended(&version->lines, atomic_load(&process->pid));
    if (error != NULL) {
        atomic_fetch_add_explicit(&version->crashes, 1, memory_order_relaxed);
        report_crash(version, process, error);
    }
    srv_process_ended(ctx, process, stop);
    io_process_ended(process, stop);
    if (atomic_load(&process->pid) == version->main_pid)
        main_has_ended(version, stop, error);
    nb_free(error);
}

static void process_spawned(struct sched_group *group, struct vm_ctx *ctx, vm_value closure, struct vm_process *child)
{
    (void)group;
    srv_process_spawned(ctx, closure, child);
}

static void all_ended(struct sched_group *group)
{
    struct srv_version *version = group->context;
    void (*changed)(void *context) = version->changed;
    void *context = version->context;

    io_group_ended(group);
    atomic_store(&version->all_ended, true); /* from here on the manager may free it */
    changed(context);
}

/* ---- starting ---- */

static void apply_limits(struct sched_group *group, const struct conf_app *conf)
{
    group->processes_max = (uint32_t)conf->processes_max;
    group->heap_max_words = (uint64_t)conf->heap_max_mib * WORDS_PER_MIB;
    group->heap_total_max_words = (uint64_t)conf->heap_total_max_mib * WORDS_PER_MIB;
    group->depth_max = (uint32_t)conf->depth_max;
    group->mailbox_max = (uint32_t)conf->mailbox_max;
    group->mailbox_max_bytes = (uint64_t)conf->mailbox_max_mib * BYTES_PER_MIB;
}

static void nowhere_to_serve(struct ns_diag *diag, const char *why)
{
    ns_error(diag, NS_ERROR_COMPILE, (struct ns_span){ NULL, 0, 0 }, "%s", why);
}

/* Compile; if there is no main, once more with one that serves handle. */
static int compile(const struct conf_app *conf, const char *path, struct ns_diag *diag, struct vm_program **ret_program)
{
    struct ns_options options = { .need_main = false, .types = true };
    struct vm_program *program;
    char epilogue[EPILOGUE_BYTES];
    bool has_handle;
    int r = ns_compile(path, &options, diag, &program);

    if (r < 0)
        return r;
    if (program->main != NULL) {
        *ret_program = program;
        return 0;
    }
    has_handle =
        vm_program_function(program, "handle", 1) != NULL || vm_program_function(program, "main.handle", 1) != NULL;
    vm_program_unref(program);
    if (!has_handle) {
        nowhere_to_serve(diag, "the program has neither main() nor handle(request)");
        return -EINVAL;
    }
    if (conf->port == 0) {
        nowhere_to_serve(diag, "the program has a handle(request) but no main(), and the configuration gives it no "
                               "port: app NAME { port = … }");
        return -EINVAL;
    }
    snprintf(epilogue, sizeof epilogue, serve_epilogue, conf->port);
    options.epilogue = epilogue;
    return ns_compile(path, &options, diag, ret_program);
}

static struct srv_version *version_new(const struct srv_version *like, const struct conf_app *conf,
                                       struct vm_program *program)
{
    struct srv_version *version = nb_xalloc_zero(sizeof *version);

    version->app = like->app;
    version->number = like->number;
    version->sched = like->sched;
    version->runtime = like->runtime;
    version->changed = like->changed;
    version->context = like->context;
    version->program = program;
    srv_lines_init(&version->lines, version->app);
    sched_group_init(&version->group, version->app);
    version->group.context = version;
    version->group.ended = process_ended;
    version->group.spawned = process_spawned;
    version->group.limited = process_limited;
    version->group.output = write_output;
    version->group.all_ended = all_ended;
    apply_limits(&version->group, conf);
    atomic_store(&program->account->limit, (uint64_t)conf->mvar_max_mib * BYTES_PER_MIB);
    return version;
}

int srv_version_load(const struct srv_version *like, const struct conf_app *conf, const char *path,
                     struct ns_diag *diag, struct srv_version **ret_version)
{
    struct vm_program *program;
    int r = compile(conf, path, diag, &program);

    if (r < 0)
        return r;
    *ret_version = version_new(like, conf, program);
    return 0;
}

int srv_version_run(struct srv_version *version)
{
    struct vm_process *process;
    int r = sched_process_new(NULL, version->sched, &version->group, version->program,
                              vm_from_object(version->program->entry), &process);

    if (r < 0)
        return r;
    version->started_ns = nb_clock_ns();
    version->main_pid = atomic_load(&process->pid);
    sched_submit(NULL, process);
    return 0;
}

/* Whether a process has ended, has computed for long or waits for something that is not there yet. */
static bool had_its_turn(struct sched *sched, uint64_t pid)
{
    struct vm_process *process = sched_find(sched, pid);

    if (process == NULL || atomic_load(&process->reductions) >= COMPUTES_FOR_LONG)
        return true;
    if (atomic_load(&process->state) != VM_PROCESS_WAITING)
        return false;
    return atomic_load(&process->wait) != VM_WAIT_SLEEP || atomic_load(&process->deadline_ns) > nb_clock_ns();
}

bool srv_version_has_settled(struct srv_version *version)
{
    uint64_t pids[SETTLING_MOST];
    size_t count;

    if (!had_its_turn(version->sched, version->main_pid))
        return false;
    if (srv_runtime_group_listens(version->runtime, &version->group))
        return true;
    count = sched_list(version->sched, &version->group, pids, SETTLING_MOST);
    for (size_t i = 0; i < count; i++) {
        if (!had_its_turn(version->sched, pids[i]))
            return false;
    }
    return true;
}

/* ---- ending ---- */

void srv_version_retire(struct srv_version *version)
{
    srv_runtime_retire_group(version->runtime, &version->group, NULL);
}

bool srv_version_is_drained(struct srv_version *version)
{
    return srv_runtime_group_is_drained(version->runtime, &version->group);
}

void srv_version_end(struct srv_version *version)
{
    srv_runtime_close_group(version->runtime, NULL, &version->group);
    sched_group_kill(version->sched, &version->group);
    sched_group_release(&version->group);
}

struct srv_version *srv_version_free(struct srv_version *version)
{
    if (version == NULL)
        return NULL;
    vm_program_unref(version->program);
    srv_lines_done(&version->lines);
    nb_free(version);
    return NULL;
}
