/*
 * app.c - the list of apps, and what the manager does when something happens to one of them.
 *
 * Only the manager's thread changes the list. It holds the lock while it does, and while it writes texts that others
 * read; compiling and starting happen outside of it, so describing the apps never waits for a compilation.
 */
#include "config.h"

#include "server/app.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/app_private.h"

enum {
    BACKOFF_FIRST_MS = 100,
    WHY_BYTES = 256,
    SETTLE_MOST_S = 10, /* what has not had its turn by then is waited for no longer */
    GOOD_RUN_S = 60     /* a version that ran this long starts with a short pause again */
};

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

static void free_versions(struct srv_version *version)
{
    while (version != NULL) {
        struct srv_version *next = version->next;

        srv_version_free(version);
        version = next;
    }
}

void srv_app_free(struct srv_app *app)
{
    srv_version_free(app->live);
    srv_version_free(app->loaded);
    free_versions(app->formers);
    nb_free(app->name);
    nb_free(app->path);
    nb_free(app->problem);
    nb_free(app);
}

struct srv_apps *srv_apps_free(struct srv_apps *apps)
{
    if (apps == NULL)
        return NULL;
    for (size_t i = 0; i < apps->list.count; i++)
        srv_app_free(apps->list.items[i]);
    nb_vec_done(&apps->list);
    free_versions(apps->leaving);
    free_versions(apps->retiring);
    free_versions(apps->ending);
    close(apps->event_fd);
    pthread_mutex_destroy(&apps->lock);
    conf_unref(apps->conf);
    nb_free(apps->folder);
    nb_free(apps);
    return NULL;
}

void srv_apps_wake(void *context)
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

/* ---- watching over what runs ---- */

/* Start an app again, later. */
static void restart(struct srv_apps *apps, struct srv_app *app, const char *failure, uint64_t now_ns)
{
    const struct conf_app *conf = conf_app_for(apps->conf, app->name);
    uint64_t pause_ms = BACKOFF_FIRST_MS;
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
    srv_app_end_live(apps, app);
    srv_app_set_state(apps, app, SRV_APP_RESTARTING, nb_xstrdup(failure));
}

static void fail(struct srv_apps *apps, struct srv_app *app, const char *failure, uint64_t now_ns);

/* An app goes on as it did before: whoever has joined on its ports meanwhile has come too early. */
static void turn_out_others(struct srv_apps *apps, const struct srv_app *app, uint64_t now_ns)
{
    for (size_t i = 0; i < apps->list.count; i++) {
        struct srv_app *other = apps->list.items[i];
        char why[WHY_BYTES];
        uint16_t port;

        if (other == app || other->live == NULL)
            continue;
        port = srv_runtime_shared_port(apps->runtime, &app->live->group, &other->live->group);
        if (port == 0)
            continue;
        snprintf(why, sizeof why, "port %u is still served by app %s, whose new version failed", port, app->name);
        fail(apps, other, why, now_ns);
    }
}

/* The live version of an app cannot go on: the one before it does, or another try is made later. */
static void fail(struct srv_apps *apps, struct srv_app *app, const char *failure, uint64_t now_ns)
{
    if (srv_app_fall_back(apps, app, failure))
        turn_out_others(apps, app, now_ns);
    else
        restart(apps, app, failure, now_ns);
}

static void main_failed(struct srv_apps *apps, struct srv_app *app, uint64_t now_ns)
{
    char *failure = nb_xstrdup(app->live->failure);

    fail(apps, app, failure, now_ns);
    nb_free(failure);
}

static void main_returned(struct srv_apps *apps, struct srv_app *app)
{
    if (srv_runtime_group_listens(apps->runtime, &app->live->group)) {
        srv_app_set_state(apps, app, SRV_APP_RUNNING, NULL);
        return;
    }
    nb_log_info("app.ended", "app=%s version=%u", app->name, app->live->number);
    srv_app_end_live(apps, app);
    srv_app_set_state(apps, app, SRV_APP_ENDED, NULL);
}

/* Whether the version that was started last had its time to listen, and used it. */
static bool had_its_time(const struct srv_app *app, uint64_t now_ns)
{
    uint64_t age_ns = app->live != NULL ? now_ns - app->live->started_ns : 0;

    if (age_ns < SRV_SETTLE_MS * NS_PER_MS)
        return false;
    return age_ns >= SETTLE_MOST_S * NS_PER_S || srv_version_has_settled(app->live);
}

/* Whether a version that was just started need not be waited for: it listens wherever it is to, or had its time. */
static bool is_up(struct srv_apps *apps, const struct srv_app *app, bool had_time)
{
    if (had_time)
        return true;
    return app->formers == NULL && srv_runtime_group_listens(apps->runtime, &app->live->group);
}

/* Act on what an app does. Returns when to look at it again. */
static uint64_t look_at_app(struct srv_apps *apps, struct srv_app *app, uint64_t now_ns)
{
    bool had_time = app->state == SRV_APP_STARTING && had_its_time(app, now_ns);
    uint64_t next_ns = srv_app_look_at_formers(apps, app, now_ns);

    if (app->state == SRV_APP_RESTARTING) {
        if (now_ns < app->retry_ns)
            return app->retry_ns;
        app->restarts++;
        srv_app_load(apps, app);
        srv_app_run(apps, app);
        now_ns = nb_clock_ns();
    }
    if (app->live == NULL)
        return next_ns;
    switch (atomic_load(&app->live->main_state)) {
    case SRV_MAIN_FAILED:
        main_failed(apps, app, now_ns);
        return app->state == SRV_APP_RESTARTING ? app->retry_ns : now_ns;
    case SRV_MAIN_RETURNED:
        main_returned(apps, app);
        return next_ns;
    default:
        break;
    }
    if (app->state != SRV_APP_STARTING)
        return next_ns;
    if (!is_up(apps, app, had_time))
        return now_ns + NS_PER_MS;
    srv_app_set_state(apps, app, SRV_APP_RUNNING, NULL);
    return next_ns;
}

static bool is_any_starting(const struct srv_apps *apps)
{
    for (size_t i = 0; i < apps->list.count; i++) {
        if (apps->list.items[i]->state == SRV_APP_STARTING)
            return true;
    }
    return false;
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
    next_ns = srv_apps_look_at_retiring(apps, nb_clock_ns());
    free_ended(apps);
    for (size_t i = 0; i < apps->list.count; i++) {
        uint64_t again_ns = look_at_app(apps, apps->list.items[i], nb_clock_ns());

        if (again_ns < next_ns)
            next_ns = again_ns;
    }
    if (!is_any_starting(apps)) {
        srv_apps_retire_leaving(apps);
        srv_apps_retire_covered(apps);
    }
    return next_ns;
}

bool srv_apps_are_settled(const struct srv_apps *apps)
{
    return !is_any_starting(apps) && apps->leaving == NULL;
}

unsigned srv_apps_count_broken(const struct srv_apps *apps)
{
    unsigned broken = 0;

    for (size_t i = 0; i < apps->list.count; i++)
        broken += apps->list.items[i]->problem != NULL && apps->list.items[i]->state != SRV_APP_RESTARTING;
    return broken;
}

void srv_apps_stop(struct srv_apps *apps)
{
    srv_apps_retire_leaving(apps);
    for (struct srv_version *version = apps->retiring; version != NULL; version = version->next)
        version->until_ns = 0;
    srv_apps_look_at_retiring(apps, nb_clock_ns());
    for (size_t i = 0; i < apps->list.count; i++) {
        srv_app_end(apps, apps->list.items[i]);
        srv_app_set_state(apps, apps->list.items[i], SRV_APP_ENDED, NULL);
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
