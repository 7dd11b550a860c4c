/*
 * app_version.c - which version of an app runs: starting one in the place of another, retiring, ending.
 *
 * A new version is loaded, and only then does the one that runs offer its ports (port.h). The new one joins on them,
 * and as soon as it listens on all of them, has run for TRIAL_MS and has settled, the former one leaves. So there is
 * always somebody who listens.
 *
 *   - The new version ends with an exception before that: the former one stays, and the next reload tries again. An app
 *     that has joined on a port of it by then has come too early: it is treated as if its version had failed.
 *   - It listens on some of the ports only: those it gets after SRV_SETTLE_MS, for the others the former one serves on,
 *     for takeover_seconds at the most, or until the new main returns, or until other apps serve them: when all apps
 *     of the reload are up, who is no longer needed leaves.
 *   - An app that is gone or switched off leaves its ports when all other apps of the same reload are up: any of them
 *     may have joined, so a port moves from one app to another in the same way.
 *
 * All apps of a reload are loaded before the first of them runs, as it may want a port that the last of them leaves.
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

enum {
    LOOK_MS = 20, /* how often to look whether a version has finished, or taken another's place */
    TRIAL_MS = 50 /* a version that fails within this time has not taken another's place yet */
};

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

/* Take the live version away from its app, or NULL. */
static struct srv_version *take_live(struct srv_apps *apps, struct srv_app *app)
{
    struct srv_version *version = app->live;

    pthread_mutex_lock(&apps->lock);
    app->live = NULL;
    pthread_mutex_unlock(&apps->lock);
    return version;
}

static void put(struct srv_apps *apps, struct srv_version *version, struct srv_version **list)
{
    pthread_mutex_lock(&apps->lock);
    version->next = *list;
    *list = version;
    pthread_mutex_unlock(&apps->lock);
}

/* The first version of a list, taken from it. */
static struct srv_version *take_first(struct srv_apps *apps, struct srv_version **list)
{
    struct srv_version *version = *list;

    pthread_mutex_lock(&apps->lock);
    *list = version->next;
    pthread_mutex_unlock(&apps->lock);
    return version;
}

static void end_version(struct srv_apps *apps, struct srv_version *version)
{
    put(apps, version, &apps->ending);
    srv_version_end(version);
}

/* A version that works may finish what it has accepted; any other is ended. */
static void retire(struct srv_apps *apps, struct srv_version *version)
{
    if (!srv_runtime_group_listens(apps->runtime, &version->group)) {
        end_version(apps, version);
        return;
    }
    version->until_ns = nb_clock_ns() + (uint64_t)apps->conf->global.drain_seconds * NS_PER_S;
    put(apps, version, &apps->retiring);
    srv_version_retire(version);
}

void srv_app_end_live(struct srv_apps *apps, struct srv_app *app)
{
    struct srv_version *version = take_live(apps, app);

    if (version != NULL)
        end_version(apps, version);
}

void srv_app_end(struct srv_apps *apps, struct srv_app *app)
{
    srv_app_end_live(apps, app);
    while (app->formers != NULL)
        end_version(apps, take_first(apps, &app->formers));
}

/* ---- versions that serve until another one does ---- */

void srv_app_leave(struct srv_apps *apps, struct srv_app *app)
{
    struct srv_version *version = take_live(apps, app);

    if (version != NULL)
        put(apps, version, &app->formers);
    while (app->formers != NULL) {
        version = take_first(apps, &app->formers);
        srv_runtime_offer_group(apps->runtime, &version->group, true);
        put(apps, version, &apps->leaving);
    }
}

void srv_apps_retire_leaving(struct srv_apps *apps)
{
    while (apps->leaving != NULL)
        retire(apps, take_first(apps, &apps->leaving));
}

void srv_apps_retire_covered(struct srv_apps *apps)
{
    for (size_t i = 0; i < apps->list.count; i++) {
        struct srv_version **place = &apps->list.items[i]->formers;

        while (*place != NULL) {
            if (srv_runtime_group_is_covered(apps->runtime, &(*place)->group, NULL))
                retire(apps, take_first(apps, place));
            else
                place = &(*place)->next;
        }
    }
}

/* Whether the live version has taken a former one's place, or will not. `settled`: before this was asked. */
static bool is_replaced(struct srv_apps *apps, const struct srv_app *app, const struct srv_version *former,
                        bool settled, uint64_t now_ns)
{
    if (app->live == NULL || atomic_load(&app->live->main_state) == SRV_MAIN_RETURNED)
        return true;
    if (atomic_load(&app->live->main_state) == SRV_MAIN_FAILED || now_ns - app->live->started_ns < TRIAL_MS * NS_PER_MS)
        return false;
    if (settled && srv_runtime_group_is_covered(apps->runtime, &former->group, &app->live->group))
        return true;
    if (now_ns < former->until_ns)
        return false;
    nb_log_warn("app.not_taken_over", "app=%s version=%u former=%u advice=\"the new version does not listen on each "
                "port of the former one, which is retired; if it needs longer: takeover_seconds\"",
                app->name, app->live->number, former->number);
    return true;
}

uint64_t srv_app_look_at_formers(struct srv_apps *apps, struct srv_app *app, uint64_t now_ns)
{
    struct srv_version **place = &app->formers;

    while (*place != NULL) {
        struct srv_version *former = *place;
        bool settled = app->live != NULL && srv_version_has_settled(app->live);

        if (is_replaced(apps, app, former, settled, now_ns)) {
            retire(apps, take_first(apps, place));
            continue;
        }
        if (settled && now_ns - app->live->started_ns >= SRV_SETTLE_MS * NS_PER_MS &&
            srv_runtime_retire_group(apps->runtime, &former->group, &app->live->group) > 0)
            former->handed_over = true;
        place = &former->next;
    }
    return app->formers != NULL ? now_ns + LOOK_MS * NS_PER_MS : UINT64_MAX;
}

bool srv_app_fall_back(struct srv_apps *apps, struct srv_app *app, const char *failure)
{
    struct srv_version *failed = app->live, *former = app->formers;
    struct nb_buf quoted = NB_BUF_INIT;

    if (former == NULL || former->handed_over || atomic_load(&former->main_state) == SRV_MAIN_FAILED)
        return false;
    nb_log_quote(&quoted, failure);
    nb_log_error("app.fell_back", "app=%s version=%u serving=%u error=%s", app->name, failed->number, former->number,
                 nb_buf_cstr(&quoted));
    nb_buf_done(&quoted);
    pthread_mutex_lock(&apps->lock);
    app->formers = former->next;
    app->live = former;
    pthread_mutex_unlock(&apps->lock);
    srv_runtime_offer_group(apps->runtime, &former->group, false);
    srv_app_set_state(apps, app, SRV_APP_RUNNING, nb_xstrdup(failure));
    end_version(apps, failed);
    app->stamp = 0; /* the next reload tries again */
    return true;
}

/* ---- versions that finish ---- */

uint64_t srv_apps_look_at_retiring(struct srv_apps *apps, uint64_t now_ns)
{
    struct srv_version **place = &apps->retiring;

    while (*place != NULL) {
        struct srv_version *version = *place;
        bool drained = srv_version_is_drained(version);

        if (!drained && now_ns < version->until_ns) {
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
    return apps->retiring != NULL ? now_ns + LOOK_MS * NS_PER_MS : UINT64_MAX;
}

/* ---- starting ---- */

/* The live version, if there is one, goes on serving until its successor does. */
static void make_former(struct srv_apps *apps, struct srv_app *app)
{
    uint64_t patience_ns = (uint64_t)conf_app_for(apps->conf, app->name)->takeover_seconds * NS_PER_S;
    struct srv_version *former = take_live(apps, app);

    if (former == NULL)
        return;
    if (!srv_runtime_group_listens(apps->runtime, &former->group)) {
        end_version(apps, former);
        return;
    }
    former->until_ns = nb_clock_ns() + patience_ns;
    former->handed_over = false;
    put(apps, former, &app->formers);
}

static void report_started(const struct srv_app *app)
{
    struct nb_buf path = NB_BUF_INIT;

    nb_log_quote(&path, app->path);
    nb_log_info("app.started", "app=%s version=%u path=%s ms=%" PRIu64, app->name, app->live->number,
                nb_buf_cstr(&path), app->load_ns / NS_PER_MS);
    nb_buf_done(&path);
}

static void report_not_loaded(struct srv_apps *apps, struct srv_app *app, const struct ns_diag *diag, int error)
{
    struct nb_buf text = NB_BUF_INIT;

    if (error == -EINVAL) {
        ns_diag_print(diag, &text);
        srv_app_is_broken(apps, app, ns_diag_first(diag), nb_buf_cstr(&text));
    } else {
        srv_app_is_broken(apps, app, strerror(-error), strerror(-error));
    }
    nb_buf_done(&text);
}

void srv_app_load(struct srv_apps *apps, struct srv_app *app)
{
    const struct srv_version like = { .app = nb_intern(app->name),
                                      .number = app->versions + 1,
                                      .sched = apps->sched,
                                      .runtime = apps->runtime,
                                      .changed = srv_apps_wake,
                                      .context = apps };
    struct ns_diag *diag = ns_diag_new();
    uint64_t began_ns = nb_clock_ns();
    int r = srv_version_load(&like, conf_app_for(apps->conf, app->name), app->path, diag, &app->loaded);

    if (r < 0)
        report_not_loaded(apps, app, diag, r);
    else if (app->live != NULL)
        srv_runtime_offer_group(apps->runtime, &app->live->group, true);
    app->load_ns = nb_clock_ns() - began_ns;
    ns_diag_free(diag);
}

void srv_app_run(struct srv_apps *apps, struct srv_app *app)
{
    struct srv_version *version = app->loaded;
    int r;

    if (version == NULL)
        return;
    app->loaded = NULL;
    r = srv_version_run(version);
    if (r < 0) {
        srv_version_free(version);
        if (app->live != NULL)
            srv_runtime_offer_group(apps->runtime, &app->live->group, false);
        srv_app_is_broken(apps, app, strerror(-r), strerror(-r));
        return;
    }
    make_former(apps, app);
    pthread_mutex_lock(&apps->lock);
    app->versions++;
    app->live = version;
    pthread_mutex_unlock(&apps->lock);
    srv_app_set_state(apps, app, SRV_APP_STARTING, NULL);
    report_started(app);
}
