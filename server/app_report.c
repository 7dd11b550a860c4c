/*
 * app_report.c - the apps in words, for nostosctl and the service manager: any thread.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "server/app_private.h"

enum {
    CRASH_LOOP_RESTARTS = 5, /* from then on the status calls it so */
    PORTS_SHOWN = 16,
    PROCESSES_SHOWN = 1000
};

static const char *const state_names[] = {
    [SRV_APP_OFF] = "off",         [SRV_APP_BROKEN] = "broken",         [SRV_APP_STARTING] = "starting",
    [SRV_APP_RUNNING] = "running", [SRV_APP_RESTARTING] = "restarting", [SRV_APP_ENDED] = "ended",
};

static const char *state_name(enum srv_app_state state)
{
    return state_names[state];
}

static bool serves(const struct srv_app *app)
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
        const struct srv_app *app = apps->list.items[i];

        if (!serves(app) && app->state != SRV_APP_OFF)
            nb_buf_printf(out, "; %s: %s", app->name, state_name(app->state));
    }
    if (apps->folder_error != 0)
        nb_buf_printf(out, "; the folder of apps cannot be read: %s", strerror(apps->folder_error));
    pthread_mutex_unlock(&apps->lock);
}

static void describe_ports(struct srv_apps *apps, const struct srv_app *app, struct nb_buf *out)
{
    uint16_t ports[PORTS_SHOWN];
    unsigned count = srv_runtime_ports(apps->runtime, &app->live->group, ports, PORTS_SHOWN);

    for (unsigned i = 0; i < count; i++)
        nb_buf_printf(out, "%s%u", i == 0 ? " ports=" : ",", ports[i]);
}

static void describe_app(struct srv_apps *apps, const struct srv_app *app, struct nb_buf *out)
{
    nb_buf_printf(out, "%s state=%s", app->name, state_name(app->state));
    if (app->live != NULL) {
        nb_buf_printf(out, " version=%u processes=%" PRIu64 " crashes=%" PRIu64, app->live->number,
                      sched_group_live(&app->live->group), atomic_load(&app->live->crashes));
        describe_ports(apps, app, out);
    }
    for (const struct srv_version *former = app->formers; former != NULL; former = former->next)
        nb_buf_printf(out, " former_version=%u", former->number);
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
static void describe_process(struct srv_apps *apps, const struct srv_app *app, uint64_t pid, struct nb_buf *out)
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

static void describe_processes_of(struct srv_apps *apps, const struct srv_app *app, struct nb_buf *out)
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
