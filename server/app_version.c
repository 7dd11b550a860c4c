/*
 * app_version.c - which version of an app runs: starting one in the place of another, retiring, ending.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/intern.h"
#include "base/log.h"
#include "lang/compile.h"
#include "server/app_private.h"

enum { RETIRE_LOOK_MS = 20 }; /* how often to look whether a retired version has finished */

/* ---- states ---- */

void srv_app_set_state(struct srv_apps *apps, struct srv_app *app, enum srv_app_state state, char *problem)
{
    pthread_mutex_lock(&apps->lock);
    app->state = state;
    nb_free(app->problem);
    app->problem = problem;
    pthread_mutex_unlock(&apps->lock);
}

static void report_broken(struct srv_app *app, const char *first, const char *text)
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

void srv_app_is_broken(struct srv_apps *apps, struct srv_app *app, const char *first, const char *text)
{
    report_broken(app, first, text);
    srv_app_set_state(apps, app, app->live != NULL ? app->state : SRV_APP_BROKEN, nb_xstrdup(text));
}

/* ---- starting and ending versions ---- */

/* Take a version away from its app, or NULL, and put it into a list. */
static struct srv_version *move_live(struct srv_apps *apps, struct srv_app *app, struct srv_version **list)
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

void srv_app_end_live(struct srv_apps *apps, struct srv_app *app)
{
    struct srv_version *version = move_live(apps, app, &apps->ending);

    if (version != NULL)
        srv_version_end(version);
}

void srv_app_retire_live(struct srv_apps *apps, struct srv_app *app)
{
    uint64_t allowed_ns = (uint64_t)apps->conf->global.drain_seconds * NS_PER_S;
    struct srv_version *version;

    if (app->live == NULL || !srv_runtime_group_listens(apps->runtime, &app->live->group)) {
        srv_app_end_live(apps, app);
        return;
    }
    version = move_live(apps, app, &apps->retiring);
    version->retire_until_ns = nb_clock_ns() + allowed_ns;
    srv_version_retire(version);
}

uint64_t srv_apps_look_at_retiring(struct srv_apps *apps, uint64_t now_ns)
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
static int run_version(struct srv_apps *apps, struct srv_app *app, struct srv_version *version)
{
    int r;

    srv_app_retire_live(apps, app);
    r = srv_version_run(version);
    if (r < 0) {
        srv_version_free(version);
        return r;
    }
    pthread_mutex_lock(&apps->lock);
    app->versions++;
    app->live = version;
    pthread_mutex_unlock(&apps->lock);
    srv_app_set_state(apps, app, SRV_APP_STARTING, NULL);
    return 0;
}

static void report_started(const struct srv_app *app, uint64_t took_ns)
{
    struct nb_buf path = NB_BUF_INIT;

    nb_log_quote(&path, app->path);
    nb_log_info("app.started", "app=%s version=%u path=%s ms=%" PRIu64, app->name, app->live->number,
                nb_buf_cstr(&path), took_ns / NS_PER_MS);
    nb_buf_done(&path);
}

void srv_app_start(struct srv_apps *apps, struct srv_app *app)
{
    const struct srv_version like = { .app = nb_intern(app->name),
                                      .number = app->versions + 1,
                                      .sched = apps->sched,
                                      .runtime = apps->runtime,
                                      .changed = srv_apps_wake,
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
        srv_app_is_broken(apps, app, ns_diag_first(diag), nb_buf_cstr(&text));
    } else if (r < 0) {
        srv_app_is_broken(apps, app, strerror(-r), strerror(-r));
    } else {
        report_started(app, nb_clock_ns() - began_ns);
    }
    nb_buf_done(&text);
    ns_diag_free(diag);
}
