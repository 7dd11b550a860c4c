/*
 * load.c - from a file's blocks to the snapshot: defaults first, then what the file says.
 *
 * Each snapshot has an arena of its own for the texts and the arrays; the last conf_unref() frees it.
 */
#include "config.h"

#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "conf/parse.h"

#define CONF_MAGIC 0x5c0f3a92u
enum { FILE_BYTES_MAX = 4 * 1024 * 1024 };

struct snapshot {
    struct conf conf; /* first: what users hold */
    unsigned magic;
    atomic_uint references;
    struct nb_arena *arena; /* owned */
};

static struct snapshot *snapshot_of(struct conf *conf)
{
    struct snapshot *snapshot = (struct snapshot *)conf;

    nb_check_object(snapshot, CONF_MAGIC);
    return snapshot;
}

static struct snapshot *new_snapshot(void)
{
    struct snapshot *snapshot = nb_xalloc_zero(sizeof *snapshot);

    snapshot->magic = CONF_MAGIC;
    snapshot->arena = nb_arena_new();
    atomic_init(&snapshot->references, 1);
    conf_set_defaults(CONF_BLOCK_ROOT, &snapshot->conf.global);
    conf_set_defaults(CONF_BLOCK_LOG, &snapshot->conf.log);
    conf_set_defaults(CONF_BLOCK_LISTENER, &snapshot->conf.listener_defaults);
    conf_set_defaults(CONF_BLOCK_APP, &snapshot->conf.app_defaults);
    return snapshot;
}

struct conf *conf_ref(struct conf *conf)
{
    atomic_fetch_add_explicit(&snapshot_of(conf)->references, 1, memory_order_relaxed);
    return conf;
}

struct conf *conf_unref(struct conf *conf)
{
    struct snapshot *snapshot;

    if (conf == NULL)
        return NULL;
    snapshot = snapshot_of(conf);
    if (atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) > 1)
        return NULL;
    nb_arena_free(snapshot->arena);
    snapshot->magic = 0;
    nb_free(snapshot);
    return NULL;
}

__attribute__((format(printf, 2, 3))) static void add_error(struct conf_errors *errors, const char *format, ...)
{
    struct nb_buf text = NB_BUF_INIT;
    va_list arguments;
    char *taken;

    va_start(arguments, format);
    nb_buf_vprintf(&text, format, arguments);
    va_end(arguments);
    taken = nb_buf_take(&text);
    if (taken == NULL)
        nb_out_of_memory(0);
    nb_vec_push(errors, taken);
}

void conf_errors_done(struct conf_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        nb_free(errors->items[i]);
    nb_vec_done(errors);
}

static void apply(const struct conf_block_found *block, void *fields)
{
    for (size_t i = 0; i < block->assignments.count; i++) {
        const struct conf_assignment *assignment = &block->assignments.items[i];

        if (assignment->key->type == CONF_TEXT)
            *(const char **)((char *)fields + assignment->key->offset) = assignment->text;
        else
            conf_set_number(assignment->key, fields, assignment->number);
    }
}

static size_t count_kind(const struct conf_parsed *parsed, enum conf_block_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < parsed->blocks.count; i++)
        count += parsed->blocks.items[i].kind == kind;
    return count;
}

/* The named blocks start from the defaults, wherever in the file those stand. */
static void build(struct snapshot *snapshot, const struct conf_parsed *parsed)
{
    struct conf *conf = &snapshot->conf;
    struct conf_listener *listener;
    struct conf_app *app;
    void *const single[CONF_BLOCK_KINDS] = { [CONF_BLOCK_ROOT] = &conf->global,
                                             [CONF_BLOCK_LOG] = &conf->log,
                                             [CONF_BLOCK_LISTENER_DEFAULTS] = &conf->listener_defaults,
                                             [CONF_BLOCK_APP_DEFAULTS] = &conf->app_defaults };

    for (size_t i = 0; i < parsed->blocks.count; i++)
        if (single[parsed->blocks.items[i].kind] != NULL)
            apply(&parsed->blocks.items[i], single[parsed->blocks.items[i].kind]);

    conf->listener_count = count_kind(parsed, CONF_BLOCK_LISTENER);
    conf->app_count = count_kind(parsed, CONF_BLOCK_APP);
    conf->listeners = listener = nb_arena_array(snapshot->arena, conf->listener_count, sizeof *listener);
    conf->apps = app = nb_arena_array(snapshot->arena, conf->app_count, sizeof *app);
    for (size_t i = 0; i < parsed->blocks.count; i++) {
        const struct conf_block_found *block = &parsed->blocks.items[i];

        if (block->kind == CONF_BLOCK_LISTENER) {
            *listener = conf->listener_defaults;
            listener->name = block->title;
            apply(block, listener++);
        } else if (block->kind == CONF_BLOCK_APP) {
            *app = conf->app_defaults;
            app->name = block->title;
            apply(block, app++);
        }
    }
}

static int by_line(const void *a, const void *b)
{
    const struct conf_problem *left = a, *right = b;

    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return strcmp(left->text, right->text);
}

static void report(const char *name, struct conf_parsed *parsed, struct conf_errors *errors)
{
    qsort(parsed->problems.items, parsed->problems.count, sizeof *parsed->problems.items, by_line);
    for (size_t i = 0; i < parsed->problems.count; i++) {
        const struct conf_problem *problem = &parsed->problems.items[i];

        add_error(errors, "%s:%d: %s", name, problem->line, problem->text);
    }
}

int conf_load_text(const char *name, const char *text, struct conf **ret_conf, struct conf_errors *errors)
{
    struct snapshot *snapshot = new_snapshot();
    struct conf_parsed parsed;
    bool good;

    nb_assert(ret_conf != NULL && errors != NULL);
    conf_parsed_init(&parsed, snapshot->arena);
    conf_parse(&parsed, text);
    conf_check(&parsed);
    good = parsed.problems.count == 0;
    if (good)
        build(snapshot, &parsed);
    else
        report(name, &parsed, errors);
    conf_parsed_done(&parsed);
    if (!good) {
        conf_unref(&snapshot->conf);
        return -EINVAL;
    }
    *ret_conf = &snapshot->conf;
    return 0;
}

/* Append all that a descriptor gives, at most one byte more than a file may have. */
static int read_all(int fd, struct nb_buf *out)
{
    for (;;) {
        char piece[8192];
        ssize_t count = read(fd, piece, sizeof piece);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        if (count == 0)
            return 0;
        nb_buf_append(out, piece, (size_t)count);
        if (out->failed)
            return -ENOMEM;
        if (out->length > FILE_BYTES_MAX)
            return -EFBIG;
    }
}

/* A pipe would have us wait, and has nothing more to say when the daemon reads it again. */
static bool is_pipe(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

static int read_file(const char *path, struct nb_buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int r;

    if (fd < 0)
        return -errno;
    r = is_pipe(fd) ? -ESPIPE : read_all(fd, out);
    close(fd);
    return r;
}

int conf_load(const char *path, struct conf **ret_conf, struct conf_errors *errors)
{
    struct nb_buf text = NB_BUF_INIT;
    int r;

    nb_assert(ret_conf != NULL && errors != NULL);
    if (path == NULL)
        return conf_load_text("defaults", "", ret_conf, errors);
    r = read_file(path, &text);
    if (r < 0) {
        add_error(errors, "%s: cannot be read: %s", path, r == -ESPIPE ? "it is a pipe" : strerror(-r));
    } else if (memchr(nb_buf_cstr(&text), '\0', text.length) != NULL ||
               !nb_utf8_valid(nb_buf_cstr(&text), text.length)) {
        add_error(errors, "%s: not a text in UTF-8", path);
        r = -EINVAL;
    } else {
        r = conf_load_text(path, nb_buf_cstr(&text), ret_conf, errors);
    }
    nb_buf_done(&text);
    return r;
}

const struct conf_listener *conf_listener_for(const struct conf *conf, int64_t port)
{
    for (size_t i = 0; i < conf->listener_count; i++)
        if (conf->listeners[i].port == port)
            return &conf->listeners[i];
    return &conf->listener_defaults;
}

const struct conf_app *conf_app_for(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->app_count; i++)
        if (strcmp(conf->apps[i].name, name) == 0)
            return &conf->apps[i];
    return &conf->app_defaults;
}
