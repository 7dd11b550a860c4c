/*
 * app.c - the list of apps, and what the manager does when something about one of them changes.
 *
 * Only the manager's thread changes the list. It holds the lock while it does, and while it writes texts that others
 * read; compiling and starting happen outside of it, so describing the apps never waits for a compilation.
 */
#include "config.h"

#include "server/app.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/intern.h"
#include "base/log.h"
#include "base/vec.h"
#include "lang/compile.h"
#include "server/version.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
enum {
    NAME_MAX_BYTES = 48,
    FOLDER_DEPTH_MAX = 16,
    BACKOFF_FIRST_MS = 100,
    GOOD_RUN_S = 60,         /* a version that ran this long starts with a short pause again */
    CRASH_LOOP_RESTARTS = 5, /* from then on the status calls it so */
    RETIRE_LOOK_MS = 20,     /* how often to look whether a retired version has finished */
    SETTLE_MS = 500,         /* an app that listens on nothing counts as up after this */
    PORTS_SHOWN = 16,
    PROCESSES_SHOWN = 1000
};

struct app {
    char *name, *path;
    bool is_folder, enabled, seen;
    enum srv_app_state state;
    char *problem;                         /* diagnostics of a program that cannot be loaded; what ended main */
    uint64_t stamp;                        /* of its files, when they were last compiled */
    unsigned versions;                   /* started in all */
    _Atomic unsigned restarts, failures; /* in all; in a row. The manager's; others read them for their reports */
    uint64_t retry_ns;                     /* when RESTARTING */
    struct srv_version *live;
};

struct srv_apps {
    struct sched *sched;
    struct srv_runtime *runtime;
    struct conf *conf;
    char *folder;
    int event_fd;
    pthread_mutex_t lock;
    NB_VEC(struct app *) list;
    struct srv_version *retiring; /* versions that finish what they have accepted */
    struct srv_version *ending;   /* versions whose processes end */
    void (*progress)(void *context, const char *name, size_t before, size_t count);
    void *progress_context;
};

static const char *const state_names[] = {
    [SRV_APP_OFF] = "off",         [SRV_APP_BROKEN] = "broken",         [SRV_APP_STARTING] = "starting",
    [SRV_APP_RUNNING] = "running", [SRV_APP_RESTARTING] = "restarting", [SRV_APP_ENDED] = "ended",
};

const char *srv_app_state_name(enum srv_app_state state)
{
    return state_names[state];
}

/* ---- making ---- */

int srv_apps_new(struct sched *sched, struct srv_runtime *runtime, struct conf *conf, const char *folder,
                 struct srv_apps **ret_apps)
{
    struct srv_apps *apps = nb_xalloc_zero(sizeof *apps);

    apps->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (apps->event_fd < 0) {
        nb_free(apps);
        return -errno;
    }
    apps->sched = sched;
    apps->runtime = runtime;
    apps->conf = conf_ref(conf);
    apps->folder = nb_xstrdup(folder);
    pthread_mutex_init(&apps->lock, NULL);
    *ret_apps = apps;
    return 0;
}

static void app_free(struct app *app)
{
    srv_version_free(app->live);
    nb_free(app->name);
    nb_free(app->path);
    nb_free(app->problem);
    nb_free(app);
}

static void free_versions(struct srv_version *version)
{
    while (version != NULL) {
        struct srv_version *next = version->next;

        srv_version_free(version);
        version = next;
    }
}

struct srv_apps *srv_apps_free(struct srv_apps *apps)
{
    if (apps == NULL)
        return NULL;
    for (size_t i = 0; i < apps->list.count; i++)
        app_free(apps->list.items[i]);
    nb_vec_done(&apps->list);
    free_versions(apps->retiring);
    free_versions(apps->ending);
    close(apps->event_fd);
    pthread_mutex_destroy(&apps->lock);
    conf_unref(apps->conf);
    nb_free(apps->folder);
    nb_free(apps);
    return NULL;
}

static void wake_manager(void *context)
{
    const uint64_t one = 1;
    struct srv_apps *apps = context;

    (void)!write(apps->event_fd, &one, sizeof one);
}

void srv_apps_on_progress(struct srv_apps *apps,
                          void (*progress)(void *context, const char *name, size_t before, size_t count), void *context)
{
    apps->progress = progress;
    apps->progress_context = context;
}

int srv_apps_fd(const struct srv_apps *apps)
{
    return apps->event_fd;
}

/* ---- states ---- */

/* Change what others read. `problem` is taken over; NULL when there is none. */
static void set_state(struct srv_apps *apps, struct app *app, enum srv_app_state state, char *problem)
{
    pthread_mutex_lock(&apps->lock);
    app->state = state;
    nb_free(app->problem);
    app->problem = problem;
    pthread_mutex_unlock(&apps->lock);
}

static void report_broken(struct app *app, const char *first, const char *text)
{
    struct nb_buf path = NB_BUF_INIT, quoted = NB_BUF_INIT, whole = NB_BUF_INIT;

    nb_log_quote(&path, app->path);
    nb_log_quote(&quoted, first);
    nb_log_quote(&whole, text);
    nb_log_error("app.broken", "app=%s path=%s serving=%u error=%s diagnostics=%s", app->name, nb_buf_cstr(&path),
                 app->live != NULL ? app->live->number : 0, nb_buf_cstr(&quoted), nb_buf_cstr(&whole));
    nb_buf_done(&path);
    nb_buf_done(&quoted);
    nb_buf_done(&whole);
}

/* An app cannot be started, or its new files cannot be: what runs goes on. `text` for people. */
static void app_is_broken(struct srv_apps *apps, struct app *app, const char *first, const char *text)
{
    report_broken(app, first, text);
    set_state(apps, app, app->live != NULL ? app->state : SRV_APP_BROKEN, nb_xstrdup(text));
}

/* ---- starting and ending versions ---- */

/* Take a version away from its app, or NULL, and put it into a list. */
static struct srv_version *move_live(struct srv_apps *apps, struct app *app, struct srv_version **list)
{
    struct srv_version *version = app->live;

    if (version == NULL)
        return NULL;
    pthread_mutex_lock(&apps->lock);
    app->live = NULL;
    version->next = *list;
    *list = version;
    pthread_mutex_unlock(&apps->lock);
    return version;
}

static void end_live(struct srv_apps *apps, struct app *app)
{
    struct srv_version *version = move_live(apps, app, &apps->ending);

    if (version != NULL)
        srv_version_end(version);
}

/* The same for a version that works: it may finish what it has accepted. */
static void retire_live(struct srv_apps *apps, struct app *app)
{
    uint64_t allowed_ns = (uint64_t)apps->conf->global.drain_seconds * NS_PER_S;
    struct srv_version *version;

    if (app->live == NULL || !srv_runtime_group_listens(apps->runtime, &app->live->group)) {
        end_live(apps, app);
        return;
    }
    version = move_live(apps, app, &apps->retiring);
    version->retire_until_ns = nb_clock_ns() + allowed_ns;
    srv_version_retire(version);
}

/* End the retired versions that have finished, or may not go on. Returns when to look again. */
static uint64_t look_at_retiring(struct srv_apps *apps, uint64_t now_ns)
{
    struct srv_version **place = &apps->retiring;

    while (*place != NULL) {
        struct srv_version *version = *place;
        bool drained = srv_version_is_drained(version);

        if (!drained && now_ns < version->retire_until_ns) {
            place = &version->next;
            continue;
        }
        nb_log_at(drained ? NB_LOG_INFO : NB_LOG_WARN, "app.retired", "app=%s version=%u finished=%s", version->app,
                  version->number, drained ? "yes" : "no");
        pthread_mutex_lock(&apps->lock);
        *place = version->next;
        version->next = apps->ending;
        apps->ending = version;
        pthread_mutex_unlock(&apps->lock);
        srv_version_end(version);
    }
    return apps->retiring != NULL ? now_ns + RETIRE_LOOK_MS * NS_PER_MS : UINT64_MAX;
}

/* A loaded version takes the place of the live one, which keeps its ports until here. */
static int run_version(struct srv_apps *apps, struct app *app, struct srv_version *version)
{
    int r;

    retire_live(apps, app);
    r = srv_version_run(version);
    if (r < 0) {
        srv_version_free(version);
        return r;
    }
    pthread_mutex_lock(&apps->lock);
    app->versions++;
    app->live = version;
    pthread_mutex_unlock(&apps->lock);
    set_state(apps, app, SRV_APP_STARTING, NULL);
    return 0;
}

static void report_started(const struct app *app, uint64_t took_ns)
{
    struct nb_buf path = NB_BUF_INIT;

    nb_log_quote(&path, app->path);
    nb_log_info("app.started", "app=%s version=%u path=%s ms=%" PRIu64, app->name, app->live->number,
                nb_buf_cstr(&path), took_ns / NS_PER_MS);
    nb_buf_done(&path);
}

static void start_version(struct srv_apps *apps, struct app *app)
{
    const struct srv_version like = { .app = nb_intern(app->name),
                                      .number = app->versions + 1,
                                      .sched = apps->sched,
                                      .runtime = apps->runtime,
                                      .changed = wake_manager,
                                      .context = apps };
    struct ns_diag *diag = ns_diag_new();
    struct nb_buf text = NB_BUF_INIT;
    struct srv_version *version = NULL;
    uint64_t began_ns = nb_clock_ns();
    int r = srv_version_load(&like, conf_app_for(apps->conf, app->name), app->path, diag, &version);

    if (r == 0)
        r = run_version(apps, app, version);
    if (r == -EINVAL) {
        ns_diag_print(diag, &text);
        app_is_broken(apps, app, ns_diag_first(diag), nb_buf_cstr(&text));
    } else if (r < 0) {
        app_is_broken(apps, app, strerror(-r), strerror(-r));
    } else {
        report_started(app, nb_clock_ns() - began_ns);
    }
    nb_buf_done(&text);
    ns_diag_free(diag);
}

/* ---- looking at the folder ---- */

static void add_stamp(uint64_t *stamp, const struct stat *status)
{
    const uint64_t words[] = { (uint64_t)status->st_mtim.tv_sec, (uint64_t)status->st_mtim.tv_nsec,
                               (uint64_t)status->st_size, (uint64_t)status->st_ino };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        *stamp = (*stamp ^ words[i]) * UINT64_C(0x100000001b3) + 1;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), ending_length = strlen(ending);

    return length > ending_length && strcmp(name + length - ending_length, ending) == 0;
}

/* One word for all source files of an app: when it differs, something has changed. */
static void stamp_path(const char *path, unsigned depth, uint64_t *stamp)
{
    struct stat status;
    struct dirent *entry;
    DIR *folder;

    if (stat(path, &status) < 0)
        return;
    if (!S_ISDIR(status.st_mode)) {
        add_stamp(stamp, &status);
        return;
    }
    folder = depth < FOLDER_DEPTH_MAX ? opendir(path) : NULL;
    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        struct nb_buf child = NB_BUF_INIT;

        if (entry->d_name[0] == '.')
            continue;
        nb_buf_printf(&child, "%s/%s", path, entry->d_name);
        if (ends_with(entry->d_name, ".nos") || strchr(entry->d_name, '.') == NULL)
            stamp_path(nb_buf_cstr(&child), depth + 1, stamp);
        nb_buf_done(&child);
    }
    closedir(folder);
}

static bool is_app_name(const char *name, size_t length)
{
    if (length == 0 || length > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
            return false;
    }
    return true;
}

static struct app *find_app(struct srv_apps *apps, const char *name)
{
    for (size_t i = 0; i < apps->list.count; i++) {
        if (strcmp(apps->list.items[i]->name, name) == 0)
            return apps->list.items[i];
    }
    return NULL;
}

static struct app *add_app(struct srv_apps *apps, const char *name)
{
    struct app *app = nb_xalloc_zero(sizeof *app);

    app->name = nb_xstrdup(name);
    app->path = nb_xstrdup("");
    pthread_mutex_lock(&apps->lock);
    nb_vec_push(&apps->list, app);
    pthread_mutex_unlock(&apps->lock);
    return app;
}

static void report_twice(const struct app *app, const char *path)
{
    struct nb_buf ignored = NB_BUF_INIT, taken = NB_BUF_INIT;

    nb_log_quote(&ignored, path);
    nb_log_quote(&taken, app->path);
    nb_log_warn("app.twice", "app=%s path=%s ignored_for=%s", app->name, nb_buf_cstr(&ignored), nb_buf_cstr(&taken));
    nb_buf_done(&ignored);
    nb_buf_done(&taken);
}

static void report_bad_name(const char *path)
{
    struct nb_buf quoted = NB_BUF_INIT;

    nb_log_quote(&quoted, path);
    nb_log_warn("app.bad_name", "path=%s expected=\"letters, digits, _ and -, at most %d\"", nb_buf_cstr(&quoted),
                NAME_MAX_BYTES);
    nb_buf_done(&quoted);
}

/* A file or folder of apps_dir that is an app: note it as one that is there. */
static void see_app(struct srv_apps *apps, const char *name, const char *path, bool is_folder)
{
    struct app *app = find_app(apps, name);

    if (app != NULL && app->seen) {
        report_twice(app, path);
        return;
    }
    if (app == NULL)
        app = add_app(apps, name);
    app->seen = true;
    app->is_folder = is_folder;
    if (strcmp(app->path, path) == 0)
        return;
    pthread_mutex_lock(&apps->lock);
    nb_free(app->path);
    app->path = nb_xstrdup(path);
    pthread_mutex_unlock(&apps->lock);
    app->stamp = 0;
}

static void see_entry(struct srv_apps *apps, const char *entry)
{
    struct nb_buf path = NB_BUF_INIT;
    struct stat status;
    char *name = nb_xstrdup(entry);
    bool is_file = ends_with(entry, ".nos");

    nb_buf_printf(&path, "%s/%s", apps->folder, entry);
    if (is_file)
        name[strlen(name) - strlen(".nos")] = '\0';
    if (entry[0] == '.' || stat(nb_buf_cstr(&path), &status) < 0)
        ; /* hidden, or gone again, or a link to nowhere */
    else if (is_file != S_ISREG(status.st_mode) || (!is_file && !S_ISDIR(status.st_mode)))
        ; /* some other file: none of ours */
    else if (!is_app_name(name, strlen(name)))
        report_bad_name(nb_buf_cstr(&path));
    else
        see_app(apps, name, nb_buf_cstr(&path), !is_file);
    nb_buf_done(&path);
    nb_free(name);
}

/* All entries in order of their names, so that every start is the same. */
static void see_folder(struct srv_apps *apps)
{
    struct dirent **entries;
    int count = scandir(apps->folder, &entries, NULL, alphasort);

    if (count < 0) {
        struct nb_buf quoted = NB_BUF_INIT;

        count = errno;
        nb_log_quote(&quoted, apps->folder);
        nb_log_error("apps.unreadable", "path=%s error=\"%s\"", nb_buf_cstr(&quoted), strerror(count));
        nb_buf_done(&quoted);
        return;
    }
    for (int i = 0; i < count; i++) {
        see_entry(apps, entries[i]->d_name);
        free(entries[i]); /* scandir's */
    }
    free(entries);
}

static bool has_main_file(const struct app *app)
{
    struct nb_buf path = NB_BUF_INIT;
    bool has;

    nb_buf_printf(&path, "%s/main.nos", app->path);
    has = access(nb_buf_cstr(&path), F_OK) == 0;
    nb_buf_done(&path);
    return has;
}

/* Bring an app in line with its files and its configuration. */
static void update_app(struct srv_apps *apps, size_t index)
{
    struct app *app = apps->list.items[index];
    bool enabled = conf_app_for(apps->conf, app->name)->enabled;
    uint64_t stamp = 1;

    stamp_path(app->path, 0, &stamp);
    if (!enabled) {
        retire_live(apps, app);
        set_state(apps, app, SRV_APP_OFF, NULL);
        app->stamp = 0;
        return;
    }
    if (stamp == app->stamp)
        return;
    app->stamp = stamp;
    app->failures = 0;
    if (app->is_folder && !has_main_file(app)) {
        app_is_broken(apps, app, "the folder has no main.nos", "the folder has no main.nos");
        return;
    }
    if (apps->progress != NULL)
        apps->progress(apps->progress_context, app->name, index, apps->list.count);
    start_version(apps, app);
}

static void remove_app(struct srv_apps *apps, size_t index)
{
    struct app *app = apps->list.items[index];

    nb_log_info("app.removed", "app=%s", app->name);
    retire_live(apps, app);
    pthread_mutex_lock(&apps->lock);
    apps->list.items[index] = nb_vec_last(&apps->list);
    apps->list.count--;
    pthread_mutex_unlock(&apps->lock);
    app_free(app);
}

unsigned srv_apps_scan(struct srv_apps *apps, struct conf *conf)
{
    unsigned broken = 0;

    if (conf != NULL) {
        pthread_mutex_lock(&apps->lock);
        conf_unref(apps->conf);
        apps->conf = conf_ref(conf);
        pthread_mutex_unlock(&apps->lock);
    }
    for (size_t i = 0; i < apps->list.count; i++)
        apps->list.items[i]->seen = false;
    see_folder(apps);
    for (size_t i = apps->list.count; i-- > 0;) {
        if (!apps->list.items[i]->seen)
            remove_app(apps, i);
    }
    for (size_t i = 0; i < apps->list.count; i++) {
        update_app(apps, i);
        broken += apps->list.items[i]->problem != NULL && apps->list.items[i]->state != SRV_APP_RESTARTING;
    }
    return broken;
}

/* ---- watching over what runs ---- */

static void main_failed(struct srv_apps *apps, struct app *app, uint64_t now_ns)
{
    const struct conf_app *conf = conf_app_for(apps->conf, app->name);
    uint64_t pause_ms = BACKOFF_FIRST_MS;
    char *failure = nb_xstrdup(app->live->failure);
    struct nb_buf quoted = NB_BUF_INIT;

    if (now_ns - app->live->started_ns > GOOD_RUN_S * NS_PER_S)
        app->failures = 0;
    for (unsigned i = 0; i < app->failures && pause_ms < (uint64_t)conf->restart_max_backoff_ms; i++)
        pause_ms *= 2;
    if (pause_ms > (uint64_t)conf->restart_max_backoff_ms)
        pause_ms = (uint64_t)conf->restart_max_backoff_ms;
    app->failures++;
    app->retry_ns = now_ns + pause_ms * NS_PER_MS;
    nb_log_quote(&quoted, failure);
    nb_log_error("app.failed", "app=%s version=%u failures=%u restart_in_ms=%" PRIu64 " error=%s", app->name,
                 app->live->number, atomic_load(&app->failures), pause_ms, nb_buf_cstr(&quoted));
    nb_buf_done(&quoted);
    end_live(apps, app);
    set_state(apps, app, SRV_APP_RESTARTING, failure);
}

static void main_returned(struct srv_apps *apps, struct app *app)
{
    if (srv_runtime_group_listens(apps->runtime, &app->live->group)) {
        set_state(apps, app, SRV_APP_RUNNING, NULL);
        return;
    }
    nb_log_info("app.ended", "app=%s version=%u", app->name, app->live->number);
    end_live(apps, app);
    set_state(apps, app, SRV_APP_ENDED, NULL);
}

/* Act on what an app does. Returns when to look at it again. */
static uint64_t look_at_app(struct srv_apps *apps, struct app *app, uint64_t now_ns)
{
    if (app->state == SRV_APP_RESTARTING) {
        if (now_ns < app->retry_ns)
            return app->retry_ns;
        app->restarts++;
        start_version(apps, app);
        now_ns = nb_clock_ns();
    }
    if (app->live == NULL)
        return UINT64_MAX;
    switch (atomic_load(&app->live->main_state)) {
    case SRV_MAIN_FAILED:
        main_failed(apps, app, now_ns);
        return app->retry_ns;
    case SRV_MAIN_RETURNED:
        main_returned(apps, app);
        return UINT64_MAX;
    default:
        break;
    }
    if (app->state != SRV_APP_STARTING)
        return UINT64_MAX;
    if (!srv_runtime_group_listens(apps->runtime, &app->live->group) &&
        now_ns - app->live->started_ns < SETTLE_MS * NS_PER_MS)
        return now_ns + NS_PER_MS;
    set_state(apps, app, SRV_APP_RUNNING, NULL);
    return UINT64_MAX;
}

static void free_ended(struct srv_apps *apps)
{
    struct srv_version **place = &apps->ending;

    pthread_mutex_lock(&apps->lock);
    while (*place != NULL) {
        struct srv_version *version = *place;

        if (!atomic_load(&version->all_ended)) {
            place = &version->next;
            continue;
        }
        *place = version->next;
        srv_version_free(version);
    }
    pthread_mutex_unlock(&apps->lock);
}

uint64_t srv_apps_look(struct srv_apps *apps)
{
    uint64_t next_ns, events;

    (void)!read(apps->event_fd, &events, sizeof events);
    next_ns = look_at_retiring(apps, nb_clock_ns());
    free_ended(apps);
    for (size_t i = 0; i < apps->list.count; i++) {
        uint64_t again_ns = look_at_app(apps, apps->list.items[i], nb_clock_ns());

        if (again_ns < next_ns)
            next_ns = again_ns;
    }
    return next_ns;
}

bool srv_apps_are_settled(struct srv_apps *apps)
{
    for (size_t i = 0; i < apps->list.count; i++) {
        if (apps->list.items[i]->state == SRV_APP_STARTING)
            return false;
    }
    return true;
}

void srv_apps_stop(struct srv_apps *apps)
{
    for (struct srv_version *version = apps->retiring; version != NULL; version = version->next)
        version->retire_until_ns = 0;
    look_at_retiring(apps, nb_clock_ns());
    for (size_t i = 0; i < apps->list.count; i++) {
        end_live(apps, apps->list.items[i]);
        set_state(apps, apps->list.items[i], SRV_APP_ENDED, NULL);
    }
}

bool srv_apps_have_ended(struct srv_apps *apps)
{
    free_ended(apps);
    for (size_t i = 0; i < apps->list.count; i++) {
        if (apps->list.items[i]->live != NULL)
            return false;
    }
    return apps->retiring == NULL && apps->ending == NULL;
}

/* ---- for people ---- */

static bool serves(const struct app *app)
{
    return app->state == SRV_APP_RUNNING || app->state == SRV_APP_STARTING;
}

void srv_apps_summary(struct srv_apps *apps, struct nb_buf *out)
{
    size_t serving = 0;

    pthread_mutex_lock(&apps->lock);
    for (size_t i = 0; i < apps->list.count; i++)
        serving += serves(apps->list.items[i]);
    nb_buf_printf(out, "%zu of %zu app%s running", serving, apps->list.count, apps->list.count == 1 ? "" : "s");
    for (size_t i = 0; i < apps->list.count; i++) {
        const struct app *app = apps->list.items[i];

        if (!serves(app) && app->state != SRV_APP_OFF)
            nb_buf_printf(out, "; %s: %s", app->name, srv_app_state_name(app->state));
    }
    pthread_mutex_unlock(&apps->lock);
}

static void describe_ports(struct srv_apps *apps, const struct app *app, struct nb_buf *out)
{
    uint16_t ports[PORTS_SHOWN];
    unsigned count = srv_runtime_ports(apps->runtime, &app->live->group, ports, PORTS_SHOWN);

    for (unsigned i = 0; i < count; i++)
        nb_buf_printf(out, "%s%u", i == 0 ? " ports=" : ",", ports[i]);
}

static void describe_app(struct srv_apps *apps, const struct app *app, struct nb_buf *out)
{
    nb_buf_printf(out, "%s state=%s", app->name, srv_app_state_name(app->state));
    if (app->live != NULL) {
        nb_buf_printf(out, " version=%u processes=%" PRIu64 " crashes=%" PRIu64, app->live->number,
                      sched_group_live(&app->live->group), atomic_load(&app->live->crashes));
        describe_ports(apps, app, out);
    }
    if (app->restarts > 0)
        nb_buf_printf(out, " restarts=%u", atomic_load(&app->restarts));
    if (app->failures >= CRASH_LOOP_RESTARTS)
        nb_buf_text(out, " crash_loop=yes");
    nb_buf_printf(out, " path=%s\n", app->path);
    for (const char *line = app->problem; line != NULL && *line != '\0';) { /* indented below */
        size_t length = strcspn(line, "\n");

        nb_buf_printf(out, "    %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

void srv_apps_describe(struct srv_apps *apps, struct nb_buf *out)
{
    pthread_mutex_lock(&apps->lock);
    for (size_t i = 0; i < apps->list.count; i++)
        describe_app(apps, apps->list.items[i], out);
    pthread_mutex_unlock(&apps->lock);
}

static const char *wait_name(enum vm_wait wait)
{
    static const char *const names[] = {
        [VM_WAIT_NONE] = "running", [VM_WAIT_RECEIVE] = "receive", [VM_WAIT_SLEEP] = "sleep",
        [VM_WAIT_IO] = "io",        [VM_WAIT_MVAR] = "mvar",       [VM_WAIT_ACCEPT] = "accept",
    };

    return (size_t)wait < sizeof names / sizeof *names ? names[wait] : "running";
}

/* The figures are a moment's: the processes go on meanwhile. */
static void describe_process(struct srv_apps *apps, const struct app *app, uint64_t pid, struct nb_buf *out)
{
    const struct vm_process *process = sched_find(apps->sched, pid);
    bool waits;

    if (process == NULL)
        return;
    waits = atomic_load(&((struct vm_process *)(uintptr_t)process)->state) == VM_PROCESS_WAITING;
    nb_buf_printf(out, "%s process=%" PRIu64 " state=%s mailbox=%u reductions=%" PRIu64 " age_ms=%" PRIu64 "\n",
                  app->name, pid, waits ? wait_name(process->wait) : "running", process->inbox_length,
                  process->reductions, (nb_clock_ns() - process->started_ns) / NS_PER_MS);
}

static void describe_processes_of(struct srv_apps *apps, const struct app *app, struct nb_buf *out)
{
    uint64_t *pids = nb_xalloc_array(PROCESSES_SHOWN, sizeof *pids);
    size_t count = app->live != NULL ? sched_list(apps->sched, &app->live->group, pids, PROCESSES_SHOWN) : 0;

    for (size_t i = 0; i < count; i++)
        describe_process(apps, app, pids[i], out);
    if (count == PROCESSES_SHOWN)
        nb_buf_printf(out, "%s and more: only the first %d are shown\n", app->name, PROCESSES_SHOWN);
    nb_free(pids);
}

bool srv_apps_describe_processes(struct srv_apps *apps, const char *name, struct nb_buf *out)
{
    bool found = name == NULL;

    pthread_mutex_lock(&apps->lock);
    for (size_t i = 0; i < apps->list.count; i++) {
        if (name != NULL && strcmp(apps->list.items[i]->name, name) != 0)
            continue;
        found = true;
        describe_processes_of(apps, apps->list.items[i], out);
    }
    pthread_mutex_unlock(&apps->lock);
    return found;
}
