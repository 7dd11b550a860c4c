/*
 * daemon.c - the manager's thread: starts everything, waits for signals, apps and the clock, ends everything.
 */
#include "config.h"

#include "server/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "io/reactor.h"
#include "scheduler/sched.h"
#include "server/app.h"
#include "server/control.h"
#include "server/descriptors.h"
#include "server/memory.h"
#include "server/runtime.h"
#include "server/status.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define BYTES_PER_MIB (UINT64_C(1024) * 1024)
enum {
    DRAIN_LOOK_MS = 20,     /* how often a drain looks whether it is over */
    DRAIN_TELL_MS = 1000,   /* how often it tells what it waits for */
    END_PATIENCE_MS = 2000, /* for processes to end when they are told to */
    RELOAD_PATIENCE_S = 60, /* that a client of the control socket has */
    EXTEND_MS = 30000,
    WATCHDOG_LOOKS = 4,         /* within the time in which the watchdog wants to be fed */
};

struct daemon {
    const struct srv_daemon_options *options;
    const struct srv_daemon_hooks *hooks;
    pthread_mutex_t conf_lock; /* `conf` may be replaced while loops ask for limits */
    struct conf *conf;
    struct sched *sched;
    struct srv_runtime *runtime;
    struct srv_apps *apps;
    struct srv_control *control;
    int signal_fd, request_fd; /* request_fd: the control thread wants something */
    _Atomic bool stop_wanted, reload_wanted;
    pthread_mutex_t reload_lock; /* reloading, reloads_done, last_reload, stops */
    pthread_cond_t reload_done;  /* or will never be */
    uint64_t reloads_done;
    bool reloading, stops;
    char last_reload[256]; /* a sentence */
    char last_status[512]; /* what the service manager was told last */
    uint64_t started_ns, watchdog_ns;
    uint64_t slices_seen; /* by the watchdog */
    struct srv_memory memory;
};

/* ---- configuration ---- */

static struct conf *conf_now(struct daemon *daemon)
{
    struct conf *conf;

    pthread_mutex_lock(&daemon->conf_lock);
    conf = conf_ref(daemon->conf);
    pthread_mutex_unlock(&daemon->conf_lock);
    return conf;
}

static void limits_for(void *context, uint16_t port, struct srv_limits *limits)
{
    struct conf *conf = conf_now(context);
    const struct conf_listener *from = conf_listener_for(conf, port);

    snprintf(limits->address, sizeof limits->address, "%s", from->address);
    limits->connections_max = (uint32_t)from->connections_max;
    limits->connections_per_ip_max = (uint32_t)from->connections_per_ip_max;
    limits->header_max_bytes = (uint32_t)from->header_max_bytes;
    limits->body_max_bytes = (uint64_t)from->body_max_bytes;
    limits->header_timeout_ms = (uint32_t)from->header_timeout_ms;
    limits->body_timeout_ms = (uint32_t)from->body_timeout_ms;
    limits->idle_timeout_ms = (uint32_t)from->idle_timeout_ms;
    limits->request_deadline_ms = (uint32_t)from->request_deadline_ms;
    limits->queue_max = (uint32_t)from->queue_max;
    limits->retry_after_seconds = (uint32_t)from->retry_after_seconds;
    limits->unsent_max_bytes = (uint64_t)from->unsent_max_mib * BYTES_PER_MIB;
    limits->access_log = conf->log.access;
    conf_unref(conf);
}

/* The socket that was passed for the listener on a port. */
static int passed_socket(void *context, uint16_t port)
{
    struct daemon *daemon = context;
    struct conf *conf = conf_now(daemon);
    const char *name = conf_listener_for(conf, port)->name;
    int fd = daemon->hooks->passed_socket(name, port);

    if (fd >= 0)
        nb_log_info("listener.passed", "port=%u listener=%s", port, name != NULL ? name : "");
    conf_unref(conf);
    return fd;
}

/* Append a field of a log line whose text somebody chose. `key` with its "=". */
static void add_quoted(struct nb_buf *line, const char *key, const char *text)
{
    nb_buf_text(line, key);
    nb_log_quote(line, text);
}

/* A log line that begins with such a field. */
static void log_about(enum nb_log_level level, const char *event, const char *key, const char *text, const char *rest)
{
    struct nb_buf line = NB_BUF_INIT;

    add_quoted(&line, key, text);
    nb_log_at(level, event, "%s%s", nb_buf_cstr(&line), rest);
    nb_buf_done(&line);
}

static void report_changes(const struct conf *before, const struct conf *after)
{
    struct conf_changes changes = CONF_CHANGES_INIT;

    conf_diff(before, after, &changes);
    for (size_t i = 0; i < changes.count; i++) {
        const struct conf_change *change = &changes.items[i];
        struct nb_buf line = NB_BUF_INIT;

        add_quoted(&line, "key=", change->key);
        add_quoted(&line, " before=", change->before);
        add_quoted(&line, " after=", change->after);
        add_quoted(&line, " takes_effect=", conf_when_text(change->when));
        nb_log_info("conf.changed", "%s", nb_buf_cstr(&line));
        nb_buf_done(&line);
    }
    conf_changes_done(&changes);
}

/* Read the configuration anew. What is wrong with it is reported, and the old one stays. */
static bool reload_conf(struct daemon *daemon)
{
    struct conf_errors errors = CONF_ERRORS_INIT;
    struct conf *before = daemon->conf, *after;
    int r = conf_load(daemon->options->config_path, &after, &errors);

    for (size_t i = 0; i < errors.count; i++)
        log_about(NB_LOG_ERROR, "conf.bad", "error=", errors.items[i], "");
    conf_errors_done(&errors);
    if (r < 0)
        return false;
    report_changes(before, after);
    pthread_mutex_lock(&daemon->conf_lock);
    daemon->conf = after;
    pthread_mutex_unlock(&daemon->conf_lock);
    conf_unref(before);
    daemon->hooks->configured(after);
    srv_descriptors_check(after);
    srv_runtime_reload_limits(daemon->runtime);
    return true;
}

/* ---- the watchdog ---- */

/* The manager vouches for the workers: they take slices if there is something to run, and the connection loops do what
 * they are asked to. */
static void feed_watchdog(struct daemon *daemon)
{
    struct sched_stats stats;
    uint64_t now_ns = nb_clock_ns();
    bool runs, alive;

    if (daemon->hooks->watchdog_interval_ns == 0 || now_ns < daemon->watchdog_ns)
        return;
    sched_get_stats(daemon->sched, SCHED_ALL_WORKERS, &stats);
    runs = stats.slices != daemon->slices_seen || stats.queued == 0;
    alive = srv_runtime_is_alive(daemon->runtime);
    if (runs && alive)
        daemon->hooks->watchdog();
    else
        nb_log_error("daemon.stuck", "queued=%" PRIu64 " processes_run=%s connections_served=%s", stats.queued,
                     runs ? "yes" : "no", alive ? "yes" : "no");
    daemon->slices_seen = stats.slices;
    daemon->watchdog_ns = now_ns + daemon->hooks->watchdog_interval_ns / WATCHDOG_LOOKS;
}

/* Many apps take long to load: whoever waits for us shall know that it goes on. */
static void tell_progress(void *context, const char *name, size_t before, size_t count)
{
    struct daemon *daemon = context;
    struct nb_buf text = NB_BUF_INIT;

    nb_buf_printf(&text, "loading %s, app %zu of %zu", name, before + 1, count);
    daemon->hooks->status(nb_buf_cstr(&text));
    daemon->hooks->extend_timeout(EXTEND_MS);
    feed_watchdog(daemon);
    nb_buf_done(&text);
}

/* ---- reload ---- */

/* Wait until each app is up or was reported. A signal waits until then, too. */
static void settle_apps(struct daemon *daemon)
{
    while (srv_apps_look(daemon->apps), !srv_apps_are_settled(daemon->apps)) {
        struct pollfd wanted = { .fd = srv_apps_fd(daemon->apps), .events = POLLIN };

        poll(&wanted, 1, 1);
    }
}

/* The state of the apps in a sentence, to the service manager. */
static void tell_ready(struct daemon *daemon)
{
    struct nb_buf text = NB_BUF_INIT;

    srv_apps_summary(daemon->apps, &text);
    snprintf(daemon->last_status, sizeof daemon->last_status, "%s", nb_buf_cstr(&text));
    daemon->hooks->ready(daemon->last_status);
    nb_buf_done(&text);
}

/* The same while nothing but the apps has changed; nothing when they have not. */
static void tell_status(struct daemon *daemon)
{
    struct nb_buf text = NB_BUF_INIT;

    srv_apps_summary(daemon->apps, &text);
    if (strncmp(daemon->last_status, nb_buf_cstr(&text), sizeof daemon->last_status - 1) != 0) {
        snprintf(daemon->last_status, sizeof daemon->last_status, "%s", nb_buf_cstr(&text));
        daemon->hooks->status(daemon->last_status);
    }
    nb_buf_done(&text);
}

/* What a reload came to, for whoever waits for it. */
static void tell_reloaded(struct daemon *daemon, bool conf_ok, int folder_error)
{
    unsigned broken = srv_apps_count_broken(daemon->apps);

    nb_log_info("daemon.reloaded", "config=%s broken_apps=%u", conf_ok ? "read" : "kept", broken);
    pthread_mutex_lock(&daemon->reload_lock);
    daemon->reloading = false;
    daemon->reloads_done++;
    if (folder_error != 0)
        snprintf(daemon->last_reload, sizeof daemon->last_reload,
                 "error: the folder of apps cannot be read: %s; all apps stay as they are; configuration %s",
                 strerror(folder_error), conf_ok ? "read" : "kept, as the new one has errors");
    else
        snprintf(daemon->last_reload, sizeof daemon->last_reload, "%s; %u broken app%s",
                 conf_ok ? "configuration read"
                         : "error: the configuration has errors (see the log); the former one stays",
                 broken, broken == 1 ? "" : "s");
    pthread_cond_broadcast(&daemon->reload_done);
    pthread_mutex_unlock(&daemon->reload_lock);
}

static void reload(struct daemon *daemon)
{
    bool conf_ok;
    int r;

    pthread_mutex_lock(&daemon->reload_lock);
    daemon->reloading = true;
    pthread_mutex_unlock(&daemon->reload_lock);
    daemon->hooks->reloading();
    log_about(NB_LOG_INFO, "daemon.reloading", "config=",
              daemon->options->config_path != NULL ? daemon->options->config_path : "(defaults)", "");
    conf_ok = reload_conf(daemon);
    r = srv_apps_scan(daemon->apps, daemon->conf);
    settle_apps(daemon);
    tell_reloaded(daemon, conf_ok, -r);
    tell_ready(daemon);
}

/* ---- control socket; on its thread ---- */

static void wake_manager(struct daemon *daemon)
{
    const uint64_t one = 1;

    (void)!write(daemon->request_fd, &one, sizeof one);
}

static void wait_for_reload(struct daemon *daemon, struct nb_buf *out)
{
    struct timespec until;
    uint64_t wanted;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RELOAD_PATIENCE_S;
    pthread_mutex_lock(&daemon->reload_lock);
    /* One that goes on already may have looked at what has changed since. */
    wanted = daemon->reloads_done + (daemon->reloading ? 2 : 1);
    atomic_store(&daemon->reload_wanted, true);
    wake_manager(daemon);
    while (daemon->reloads_done < wanted && !daemon->stops && r == 0)
        r = pthread_cond_timedwait(&daemon->reload_done, &daemon->reload_lock, &until);
    if (daemon->reloads_done >= wanted)
        nb_buf_printf(out, "%s\n", daemon->last_reload);
    else
        nb_buf_printf(out, "error: %s\n", daemon->stops ? "the daemon is stopping" : "the reload is still going on");
    pthread_mutex_unlock(&daemon->reload_lock);
}

static bool control_command(void *context, const char *name, const char *argument, struct nb_buf *out)
{
    struct daemon *daemon = context;
    const struct srv_status status = { daemon->sched, daemon->runtime, daemon->apps, daemon->started_ns };

    if (strcmp(name, "status") == 0) {
        srv_status_describe(&status, out);
    } else if (strcmp(name, "apps") == 0) {
        srv_apps_describe(daemon->apps, out);
    } else if (strcmp(name, "processes") == 0) {
        if (!srv_apps_describe_processes(daemon->apps, argument, out))
            nb_buf_printf(out, "error: no app is called %s\n", argument);
    } else if (strcmp(name, "reload") == 0) {
        wait_for_reload(daemon, out);
    } else if (strcmp(name, "stop") == 0) {
        atomic_store(&daemon->stop_wanted, true);
        wake_manager(daemon);
        nb_buf_text(out, "stopping\n");
    } else {
        return false;
    }
    return true;
}

/* A daemon without its control socket can serve all the same. */
static void start_control(struct daemon *daemon)
{
    const struct srv_control_handlers handlers = { .command = control_command, .context = daemon };
    const char *path =
        daemon->options->control_socket != NULL ? daemon->options->control_socket : daemon->conf->global.control_socket;
    int r;

    if (path[0] == '\0')
        return;
    r = srv_control_start(path, &handlers, &daemon->control);
    if (r < 0) {
        struct nb_buf why = NB_BUF_INIT;

        add_quoted(&why, " error=", strerror(-r));
        log_about(NB_LOG_WARN, "control.unavailable", "path=", path, nb_buf_cstr(&why));
        nb_buf_done(&why);
    }
}

/* ---- starting ---- */

static int open_signals(void)
{
    sigset_t wanted;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &wanted, NULL); /* before any thread: all of them inherit it */
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int start_engine(struct daemon *daemon)
{
    const struct conf_global *global = &daemon->conf->global;
    const struct sched_options sched_options = { .workers = (unsigned)global->schedulers };
    const struct srv_runtime_options options = {
        .connection_loops = (unsigned)global->connection_loops,
        .connection_threads = (unsigned)global->connection_threads,
        .limits_for = limits_for,
        .passed_socket = passed_socket,
        .context = daemon,
    };
    int r = sched_new(&sched_options, &daemon->sched);

    if (r == 0)
        r = srv_runtime_new(daemon->sched, &options, &daemon->runtime);
    if (r == 0)
        r = sched_start(daemon->sched);
    if (r == 0)
        r = srv_runtime_start(daemon->runtime);
    return r;
}

static int start(struct daemon *daemon)
{
    const char *folder = daemon->options->apps_dir != NULL ? daemon->options->apps_dir : daemon->conf->global.apps_dir;
    struct nb_buf workers = NB_BUF_INIT;
    int r;

    srv_descriptors_raise();
    daemon->signal_fd = open_signals();
    daemon->request_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (daemon->signal_fd < 0 || daemon->request_fd < 0)
        return -errno;
    r = start_engine(daemon);
    if (r < 0)
        return r;
    r = srv_apps_new(daemon->sched, daemon->runtime, daemon->conf, folder, &daemon->apps);
    if (r < 0)
        return r;
    nb_buf_printf(&workers, " workers=%u", sched_worker_count(daemon->sched));
    log_about(NB_LOG_INFO, "daemon.starting", "apps_dir=", folder, nb_buf_cstr(&workers));
    nb_buf_done(&workers);
    srv_descriptors_check(daemon->conf);
    srv_apps_on_progress(daemon->apps, tell_progress, daemon);
    srv_apps_scan(daemon->apps, NULL);
    start_control(daemon);
    settle_apps(daemon);
    return 0;
}

/* ---- running ---- */

/* Signals and wishes of the control thread. True when the daemon is to end. */
static bool take_orders(struct daemon *daemon)
{
    struct signalfd_siginfo info;
    uint64_t count;
    bool stop = atomic_exchange(&daemon->stop_wanted, false);

    (void)!read(daemon->request_fd, &count, sizeof count);
    while (read(daemon->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP)
            atomic_store(&daemon->reload_wanted, true);
        else
            stop = true;
    }
    return stop;
}

static int milliseconds_until(uint64_t when_ns)
{
    uint64_t now_ns = nb_clock_ns();

    if (when_ns == UINT64_MAX)
        return -1;
    return when_ns <= now_ns ? 0 : (int)((when_ns - now_ns) / NS_PER_MS + 1);
}

static void wait_for_something(struct daemon *daemon, uint64_t until_ns)
{
    struct pollfd wanted[] = {
        { .fd = daemon->signal_fd, .events = POLLIN },
        { .fd = daemon->request_fd, .events = POLLIN },
        { .fd = srv_apps_fd(daemon->apps), .events = POLLIN },
    };

    poll(wanted, sizeof wanted / sizeof *wanted, milliseconds_until(until_ns));
}

static void look_at_memory(struct daemon *daemon)
{
    if (srv_memory_look(&daemon->memory, daemon->sched, nb_clock_ns()))
        nb_log_debug("daemon.memory", "resident_before_kib=%" PRIu64 " resident_kib=%" PRIu64,
                     daemon->memory.before_bytes / 1024, daemon->memory.kept_bytes / 1024);
}

static void serve(struct daemon *daemon)
{
    while (!take_orders(daemon)) {
        uint64_t next_ns;

        if (atomic_exchange(&daemon->reload_wanted, false))
            reload(daemon);
        next_ns = srv_apps_look(daemon->apps);
        tell_status(daemon);
        feed_watchdog(daemon);
        if (daemon->hooks->watchdog_interval_ns != 0 && daemon->watchdog_ns < next_ns)
            next_ns = daemon->watchdog_ns;
        look_at_memory(daemon);
        if (daemon->memory.next_ns < next_ns)
            next_ns = daemon->memory.next_ns;
        wait_for_something(daemon, next_ns);
    }
}

/* ---- ending ---- */

/* What a drain waits for, in words. */
static void tell_drain(struct daemon *daemon, uint64_t left_ns)
{
    struct nb_buf text = NB_BUF_INIT;
    struct srv_stats stats;

    srv_runtime_stats(daemon->runtime, &stats);
    nb_buf_printf(&text, "stopping: waiting for %" PRIu64 " request%s on %" PRIu64 " connection%s, %" PRIu64
                         " seconds at the most",
                  stats.requests_now, stats.requests_now == 1 ? "" : "s", stats.connections_now,
                  stats.connections_now == 1 ? "" : "s", left_ns / NS_PER_S + 1);
    daemon->hooks->status(nb_buf_cstr(&text));
    daemon->hooks->extend_timeout(EXTEND_MS);
    nb_buf_done(&text);
}

/* Let what runs finish, for as long as it may. A second signal ends it. */
static void drain(struct daemon *daemon)
{
    uint64_t now_ns = nb_clock_ns(), tell_ns = now_ns + DRAIN_TELL_MS * NS_PER_MS;
    uint64_t until_ns = now_ns + (uint64_t)daemon->conf->global.drain_seconds * NS_PER_S;
    struct srv_stats stats;

    srv_runtime_drain(daemon->runtime);
    while (!srv_runtime_is_drained(daemon->runtime) && nb_clock_ns() < until_ns && !take_orders(daemon)) {
        struct pollfd wanted = { .fd = daemon->signal_fd, .events = POLLIN };

        srv_apps_look(daemon->apps);
        feed_watchdog(daemon);
        now_ns = nb_clock_ns();
        if (now_ns >= tell_ns) {
            tell_drain(daemon, until_ns > now_ns ? until_ns - now_ns : 0);
            tell_ns = now_ns + DRAIN_TELL_MS * NS_PER_MS;
        }
        poll(&wanted, 1, DRAIN_LOOK_MS);
    }
    srv_runtime_stats(daemon->runtime, &stats);
    nb_log_info("daemon.drained", "requests_open=%" PRIu64 " connections_open=%" PRIu64, stats.requests_now,
                stats.connections_now);
}

static void end_apps(struct daemon *daemon)
{
    uint64_t until_ns = nb_clock_ns() + END_PATIENCE_MS * NS_PER_MS;

    srv_apps_stop(daemon->apps);
    while (!srv_apps_have_ended(daemon->apps) && nb_clock_ns() < until_ns) {
        struct pollfd wanted = { .fd = srv_apps_fd(daemon->apps), .events = POLLIN };

        poll(&wanted, 1, DRAIN_LOOK_MS);
    }
}

/* From now on nobody is to wait for a reload. */
static void end_reloads(struct daemon *daemon)
{
    pthread_mutex_lock(&daemon->reload_lock);
    daemon->stops = true;
    pthread_cond_broadcast(&daemon->reload_done);
    pthread_mutex_unlock(&daemon->reload_lock);
}

static void stop(struct daemon *daemon)
{
    daemon->hooks->stopping("stopping: waiting for running requests to finish");
    daemon->hooks->extend_timeout(EXTEND_MS);
    end_reloads(daemon);
    nb_log_info("daemon.stopping", "drain_seconds=%" PRId64, daemon->conf->global.drain_seconds);
    drain(daemon);
    daemon->control = srv_control_stop(daemon->control);
    end_apps(daemon);
}

/* Give everything back, also what was only half started. */
static void give_back(struct daemon *daemon)
{
    srv_control_stop(daemon->control);
    if (daemon->sched != NULL)
        sched_stop(daemon->sched);
    if (daemon->runtime != NULL)
        srv_runtime_stop(daemon->runtime);
    io_stop();
    sched_free(daemon->sched);
    srv_apps_free(daemon->apps);
    srv_runtime_free(daemon->runtime);
    conf_unref(daemon->conf);
    if (daemon->signal_fd >= 0)
        close(daemon->signal_fd);
    if (daemon->request_fd >= 0)
        close(daemon->request_fd);
}

/* Waits by a clock that nobody sets. */
static void init_reload_done(pthread_cond_t *reload_done)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(reload_done, &attributes);
    pthread_condattr_destroy(&attributes);
}

int srv_daemon_run(const struct srv_daemon_options *options, struct conf *conf)
{
    struct daemon daemon = {
        .options = options,
        .hooks = options->hooks,
        .conf = conf,
        .conf_lock = PTHREAD_MUTEX_INITIALIZER,
        .reload_lock = PTHREAD_MUTEX_INITIALIZER,
        .signal_fd = -1,
        .request_fd = -1,
        .started_ns = nb_clock_ns(),
    };
    int r;

    init_reload_done(&daemon.reload_done);
    options->hooks->configured(conf);
    nb_log_start_writer();
    r = start(&daemon);
    if (r < 0) {
        nb_log_error("daemon.cannot_start", "error=\"%s\"", strerror(-r));
        give_back(&daemon);
        nb_log_stop_writer();
        return 1;
    }
    tell_ready(&daemon);
    nb_log_info("daemon.ready", "ms=%" PRIu64, (nb_clock_ns() - daemon.started_ns) / NS_PER_MS);
    serve(&daemon);
    stop(&daemon);
    give_back(&daemon);
    nb_log_stop_writer();
    nb_log_info("daemon.ended", "%s", "");
    return 0;
}
