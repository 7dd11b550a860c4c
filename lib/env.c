/*
 * env.c - natives of the environment, the running program and its memory.
 *
 * The environment is the whole daemon's. The C library lets threads read it together but not change it meanwhile, so
 * the natives here take turns. Figures come from /proc, which never blocks.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "lib/env.h"
#include "lib/expect.h"
#include "lib/percent.h"
#include "lib/record.h"
#include "vm/host.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/string.h"

extern char **environ;

static pthread_mutex_t environment = PTHREAD_MUTEX_INITIALIZER;
static uint64_t started_ns;

void lib_env_started(void)
{
    started_ns = nb_clock_ns();
}

/* ---- texts of the system, which may be no UTF-8 ---- */

static enum vm_status answer_system_text(struct vm_ctx *ctx, const char *text, vm_value *ret)
{
    struct nb_buf valid = NB_BUF_INIT;

    lib_append_valid(&valid, text, strlen(text));
    return lib_answer_text(ctx, &valid, ret);
}

/* Copy of a variable's value, of the caller's to free; NULL when it is not set. */
static char *copy_variable(const char *name)
{
    char *copy = NULL;
    const char *value;

    pthread_mutex_lock(&environment);
    value = getenv(name);
    if (value != NULL)
        copy = nb_strdup(value);
    pthread_mutex_unlock(&environment);
    return copy;
}

static enum vm_status answer_variable(struct vm_ctx *ctx, const char *name, vm_value *ret)
{
    char *value = copy_variable(name);
    enum vm_status status;

    if (value == NULL)
        return lib_answer(LIB_NOTHING, ret);
    status = answer_system_text(ctx, value, ret);
    nb_free(value);
    return status != VM_OK ? status : lib_answer(lib_some(ctx, *ret), ret);
}

static enum vm_status env_get(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf name = NB_BUF_INIT;

    if (status != VM_OK)
        return status;
    status = answer_variable(ctx, vm_string_cstring(args[0], &name), ret);
    nb_buf_done(&name);
    return status;
}

static enum vm_status env_home(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    return answer_variable(ctx, "HOME", ret);
}

/* Set a variable, or remove it when `value` is NULL. A name the system refuses is left alone. */
static void change_variable(const char *name, const char *value)
{
    pthread_mutex_lock(&environment);
    if (value != NULL)
        (void)setenv(name, value, 1);
    else
        (void)unsetenv(name);
    pthread_mutex_unlock(&environment);
}

static enum vm_status env_set(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "SS");
    struct nb_buf name = NB_BUF_INIT, value = NB_BUF_INIT;

    if (status != VM_OK)
        return status;
    change_variable(vm_string_cstring(args[0], &name), vm_string_cstring(args[1], &value));
    nb_buf_done(&name);
    nb_buf_done(&value);
    return lib_answer(VM_UNIT, ret);
}

static enum vm_status env_remove(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf name = NB_BUF_INIT;

    if (status != VM_OK)
        return status;
    change_variable(vm_string_cstring(args[0], &name), NULL);
    nb_buf_done(&name);
    return lib_answer(VM_UNIT, ret);
}

void lib_env_copy(struct nb_buf *out)
{
    pthread_mutex_lock(&environment);
    for (char **variable = environ; variable != NULL && *variable != NULL; variable++)
        nb_buf_append(out, *variable, strlen(*variable) + 1);
    pthread_mutex_unlock(&environment);
}

static vm_value pair_of(struct vm_ctx *ctx, const char *variable)
{
    const char *equals = strchr(variable, '=');
    struct nb_buf name = NB_BUF_INIT;
    vm_value first, second;

    lib_append_valid(&name, variable, equals != NULL ? (size_t)(equals - variable) : strlen(variable));
    if (lib_answer_text(ctx, &name, &first) != VM_OK)
        return VM_NONE;
    VM_ROOT(ctx, first);
    if (answer_system_text(ctx, equals != NULL ? equals + 1 : "", &second) != VM_OK)
        second = VM_NONE;
    VM_UNROOT(ctx, first);
    return second == VM_NONE ? VM_NONE : lib_pair(ctx, first, second);
}

static vm_value text_of(struct vm_ctx *ctx, const char *text)
{
    vm_value string;

    return answer_system_text(ctx, text, &string) == VM_OK ? string : VM_NONE;
}

/* The list of what `make` makes of each of the texts in a buffer, which end with a zero byte each. */
static enum vm_status answer_each(struct vm_ctx *ctx, struct nb_buf *texts,
                                  vm_value (*make)(struct vm_ctx *ctx, const char *text), vm_value *ret)
{
    vm_value list = texts->failed ? VM_NONE : vm_builder_new(ctx, 16);
    bool room = list != VM_NONE;

    VM_ROOT(ctx, list);
    for (size_t at = 0; room && at < texts->length; at += strlen(texts->data + at) + 1) {
        vm_value item = make(ctx, texts->data + at);

        room = item != VM_NONE && vm_builder_push(ctx, &list, item);
    }
    VM_UNROOT(ctx, list);
    nb_buf_done(texts);
    return room ? lib_answer(vm_builder_list(list), ret) : VM_NOMEM;
}

static enum vm_status env_all(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct nb_buf variables = NB_BUF_INIT;

    (void)args;
    lib_env_copy(&variables);
    return answer_each(ctx, &variables, pair_of, ret);
}

/* The content of a file of /proc. */
static void read_proc(struct nb_buf *out, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char part[1024];
    ssize_t count;

    if (fd < 0)
        return;
    while ((count = read(fd, part, sizeof part)) > 0)
        nb_buf_append(out, part, (size_t)count);
    close(fd);
}

static enum vm_status env_args(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct nb_buf line = NB_BUF_INIT;

    (void)args;
    read_proc(&line, "/proc/self/cmdline");
    return answer_each(ctx, &line, text_of, ret);
}

static enum vm_status env_cwd(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    char *path = getcwd(NULL, 0);
    enum vm_status status;

    (void)args;
    status = answer_system_text(ctx, path != NULL ? path : "", ret);
    free(path);
    return status;
}

static enum vm_status env_set_cwd(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct nb_buf path = NB_BUF_INIT, text = NB_BUF_INIT;
    int error;

    if (status != VM_OK)
        return status;
    error = chdir(vm_string_cstring(args[0], &path)) < 0 ? errno : 0;
    nb_buf_done(&path);
    if (error == 0)
        return lib_answer(lib_data(ctx, VM_CTOR_OK, 1, (vm_value[]){ VM_UNIT }), ret);
    nb_buf_printf(&text, "Failed to set cwd: %s (os error %d)", strerrordesc_np(error), error);
    status = lib_answer_text(ctx, &text, ret);
    return status != VM_OK ? status : lib_answer(lib_data(ctx, VM_CTOR_ERR, 1, ret), ret);
}

static enum vm_status env_platform(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    return lib_answer_cstr(ctx, "linux", ret);
}

static enum vm_status env_is_interactive(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    char *value = copy_variable("NOSTOS_INTERACTIVE");

    (void)ctx;
    (void)args;
    *ret = vm_from_bool(value != NULL);
    nb_free(value);
    return VM_OK;
}

/* ---- the running program ---- */

static enum vm_status runtime_is_interactive(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)ctx;
    (void)args;
    *ret = VM_FALSE;
    return VM_OK;
}

static enum vm_status runtime_thread_count(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    return lib_answer_int(ctx, sysconf(_SC_NPROCESSORS_ONLN), ret);
}

static enum vm_status runtime_uptime_ms(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    return lib_answer_int(ctx, (int64_t)((nb_clock_ns() - started_ns) / 1000000), ret);
}

static enum vm_status runtime_pid(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    return lib_answer_int(ctx, getpid(), ret);
}

/* The second figure of statm: resident pages. */
static enum vm_status runtime_memory_kb(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct nb_buf text = NB_BUF_INIT;
    long pages = 0;

    (void)args;
    read_proc(&text, "/proc/self/statm");
    if (sscanf(nb_buf_cstr(&text), "%*d %ld", &pages) != 1)
        pages = 0;
    nb_buf_done(&text);
    return lib_answer_int(ctx, pages * (sysconf(_SC_PAGESIZE) / 1024), ret);
}

static enum vm_status runtime_load_avg(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    double load[3] = { 0, 0, 0 };
    vm_value parts[3] = { VM_UNIT, VM_UNIT, VM_UNIT };
    bool room = true;

    (void)args;
    (void)getloadavg(load, 3);
    for (unsigned i = 0; i < 3; i++)
        VM_ROOT(ctx, parts[i]);
    for (unsigned i = 0; room && i < 3; i++) {
        parts[i] = vm_float(ctx, load[i]);
        room = parts[i] != VM_NONE;
    }
    ctx->root_count -= 3;
    return room ? lib_answer(lib_tuple(ctx, 3, parts), ret) : VM_NOMEM;
}

static enum vm_status runtime_num_threads(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct nb_buf text = NB_BUF_INIT;
    const char *line;
    int64_t count;

    (void)args;
    read_proc(&text, "/proc/self/status");
    line = strstr(nb_buf_cstr(&text), "\nThreads:");
    count = line != NULL ? strtol(line + strlen("\nThreads:"), NULL, 10) : 0;
    nb_buf_done(&text);
    return lib_answer_int(ctx, count, ret);
}

static enum vm_status runtime_workers(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    return lib_answer_int(ctx, ctx->host->workers(), ret);
}

static enum vm_status runtime_blocking_threads(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    return lib_answer_int(ctx, 0, ret);
}

/* ---- memory ---- */

static int64_t used_bytes(const struct vm_ctx *ctx)
{
    return (int64_t)(vm_heap_used_words(&ctx->process->heap) * sizeof(vm_value));
}

static enum vm_status gc_collect(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    uint32_t result = lib_record(LIB_RECORD_GC_RESULT);
    int64_t before = used_bytes(ctx), live;

    (void)args;
    if (!vm_heap_collect(ctx, 0))
        return VM_NOMEM;
    live = used_bytes(ctx);
    return lib_answer(lib_data(ctx, result, 2, (vm_value[]){ vm_from_small(before > live ? before - live : 0),
                                                             vm_from_small(live) }),
                      ret);
}

static enum vm_status gc_stats(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    uint32_t stats = lib_record(LIB_RECORD_GC_STATS);
    int64_t live = used_bytes(ctx), freed = (int64_t)(ctx->process->heap.freed_words * sizeof(vm_value));

    (void)args;
    return lib_answer(lib_data(ctx, stats, 4, (vm_value[]){ vm_from_small(live), vm_from_small(live + freed),
                                                            vm_from_small(freed),
                                                            vm_from_small(ctx->process->heap.collections) }),
                      ret);
}

#define LIB_TABLE "lib/env.def"
#define LIB_REGISTER lib_register_env
#include "lib/table.h"
