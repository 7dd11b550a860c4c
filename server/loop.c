/*
 * loop.c - the turns of a connection loop: what was handed over, then libmicrohttpd, then the clock.
 *
 * On a worker, take_turn() is its poller's pass. While requests wait unsuspended the poller's time-out is 0: an
 * idle worker then takes the few turns until they are answered or suspended without sleeping in between; a busy one
 * comes by between its slices.
 *
 * Waking: whoever hands something over from another thread publishes it and then wakes the loop, a worker only once per
 * batch of the processes it runs (sched_defer). The loop announces that it sleeps and then looks at its stacks once
 * more (poller.pending; `asleep` for loops with a thread of their own).
 */
#include "config.h"

#include "server/loop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/tsan.h"
#include "server/exchange.h"
#include "server/listener.h"
#include "server/runtime_private.h"
#include "server/watch.h"

#define LOOP_MAGIC 0x3b90d57eu
enum {
    EVENTS_MAX = 64,
    NS_PER_MS = 1000000,
    END_TURNS_MAX = 200, /* turns that clients get to read their last answer when everything ends, … */
    END_PAUSE_US = 1000  /* … with so long a pause between them */
};

CK_STACK_CONTAINER(struct srv_request, completion, request_of)
CK_STACK_CONTAINER(struct srv_command, entry, command_of)

/* ---- what others hand over ---- */

static bool take_completions(struct srv_loop *loop)
{
    ck_stack_entry_t *entry;

    if (CK_STACK_ISEMPTY(&loop->completions))
        return false;
    entry = ck_stack_batch_pop_upmc(&loop->completions);
    nb_tsan_acquire(&loop->completions);
    while (entry != NULL) {
        struct srv_request *request = request_of(entry);

        entry = entry->next; /* first: the request may be put away now */
        if (request->recycle)
            srv_request_recycle(request);
        else
            srv_loop_answered(loop, request);
    }
    return true;
}

static ck_stack_entry_t *reversed(ck_stack_entry_t *entry)
{
    ck_stack_entry_t *first = NULL;

    while (entry != NULL) {
        ck_stack_entry_t *next = entry->next;

        entry->next = first;
        first = entry;
        entry = next;
    }
    return first;
}

static bool run_commands(struct srv_loop *loop, struct vm_ctx *ctx)
{
    ck_stack_entry_t *entry;

    if (CK_STACK_ISEMPTY(&loop->commands))
        return false;
    entry = ck_stack_batch_pop_upmc(&loop->commands);
    nb_tsan_acquire(&loop->commands);
    entry = reversed(entry); /* in the order given: open before close */
    while (entry != NULL) {
        struct srv_command *command = command_of(entry);

        entry = entry->next;
        command->run(command, loop, ctx);
    }
    return true;
}

static bool something_handed_over(struct srv_loop *loop)
{
    return !CK_STACK_ISEMPTY(&loop->completions) || !CK_STACK_ISEMPTY(&loop->commands);
}

static void wake_loop(struct srv_loop *loop)
{
    const uint64_t one = 1;

    if (!loop->own_thread) {
        sched_wake_worker(loop->runtime->sched, loop->worker);
        return;
    }
    nb_full_fence(); /* partner: sleep_until_needed() */
    if (atomic_load_explicit(&loop->asleep, memory_order_relaxed))
        (void)!write(loop->wake_fd, &one, sizeof one);
}

static void deferred_wake(struct sched_deferred *deferred, struct vm_ctx *ctx)
{
    (void)ctx;
    wake_loop(((struct srv_loop_waker *)deferred)->loop);
}
_Static_assert(offsetof(struct srv_loop_waker, deferred) == 0, "deferred_wake() relies on it");

void srv_loop_notify(struct srv_loop *loop, struct vm_ctx *ctx)
{
    if (ctx == NULL)
        wake_loop(loop);
    else
        sched_defer(ctx, &loop->wakers[sched_worker_index(ctx)].deferred);
}

void srv_loop_command(struct srv_loop *loop, struct vm_ctx *ctx, struct srv_command *command)
{
    (void)ctx;
    nb_tsan_release(&loop->commands);
    ck_stack_push_upmc(&loop->commands, &command->entry);
    wake_loop(loop);
}

/* ---- turns ---- */

/* Find out which daemons have something to do. With a single one, its pass finds out by itself. */
static void mark_ready(struct srv_loop *loop)
{
    struct epoll_event events[EVENTS_MAX];
    int count;

    if (loop->endpoint_count == 1 && loop->watched_count == 0) {
        loop->endpoints->ready = true;
        return;
    }
    count = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, 0);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr != NULL && !srv_watch_event(&events[i]))
            ((struct srv_endpoint *)events[i].data.ptr)->ready = true;
    }
}

static bool pass_endpoints(struct srv_loop *loop)
{
    bool did = false;

    for (struct srv_endpoint *endpoint = loop->endpoints; endpoint != NULL; endpoint = endpoint->next) {
        if (!endpoint->ready && !endpoint->busy && endpoint->waiting_count == 0 && endpoint->due_ns > loop->now_ns)
            continue;
        endpoint->ready = false;
        did |= srv_endpoint_pass(endpoint);
    }
    return did;
}

static void look_at_time(struct srv_loop *loop, struct vm_ctx *ctx)
{
    loop->next_look_ns = UINT64_MAX;
    for (struct srv_endpoint *endpoint = loop->endpoints; endpoint != NULL; endpoint = endpoint->next) {
        uint64_t next_ns = srv_endpoint_look_at_time(endpoint, ctx);

        if (next_ns < loop->next_look_ns)
            loop->next_look_ns = next_ns;
        if (endpoint->due_ns < loop->next_look_ns)
            loop->next_look_ns = endpoint->due_ns;
    }
}

/* An endpoint without connections that gets no new ones: tell its listener, once. */
static void tell_empty(struct srv_endpoint *endpoint)
{
    if (endpoint->state != SRV_ENDPOINT_DRAINING || endpoint->told_empty)
        return;
    endpoint->told_empty = true;
    atomic_fetch_add(&endpoint->listener->empty_endpoints, 1);
}

/* Stop the daemons of closed listeners whose last connection has ended. */
static void drop_finished(struct srv_loop *loop)
{
    struct srv_endpoint **place = &loop->endpoints;

    while (*place != NULL) {
        struct srv_endpoint *endpoint = *place;

        bool empty = endpoint->connections == 0 && endpoint->open_count == 0;

        if (endpoint->state != SRV_ENDPOINT_CLOSED || !empty) {
            if (empty)
                tell_empty(endpoint);
            place = &endpoint->next;
            continue;
        }
        *place = endpoint->next;
        loop->endpoint_count--;
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, endpoint->epoll_fd, NULL);
        srv_endpoint_stop(endpoint);
        srv_listener_unref(endpoint->listener);
    }
}

/* One turn: commands, answers, a few passes of each daemon that has something to do, time-outs. Never blocks. True when
 * it did something. `ctx` is the worker's, NULL on other threads. */
static bool take_turn(struct srv_loop *loop, struct vm_ctx *ctx)
{
    bool did;

    nb_check_object(loop, LOOP_MAGIC);
    loop->turn++;
    loop->context = ctx;
    loop->now_ns = ctx != NULL ? sched_now_ns(ctx) : nb_clock_ns();
    did = run_commands(loop, ctx);
    did |= take_completions(loop);
    if (loop->endpoints != NULL) {
        mark_ready(loop);
        did |= pass_endpoints(loop);
        look_at_time(loop, ctx);
        drop_finished(loop);
    }
    loop->context = NULL;
    return did;
}

static int64_t sleep_allowed_ns(struct srv_loop *loop)
{
    uint64_t now_ns;

    for (struct srv_endpoint *endpoint = loop->endpoints; endpoint != NULL; endpoint = endpoint->next) {
        if (endpoint->busy || endpoint->waiting_count > 0)
            return 0;
    }
    if (loop->endpoints == NULL || loop->next_look_ns == UINT64_MAX)
        return -1;
    now_ns = nb_clock_ns();
    return loop->next_look_ns > now_ns ? (int64_t)(loop->next_look_ns - now_ns) : 0;
}

/* ---- on a worker ---- */

static bool poller_pass(struct sched_poller *poller, struct vm_ctx *ctx)
{
    return take_turn(poller->context, ctx);
}

static bool poller_pending(struct sched_poller *poller)
{
    return something_handed_over(poller->context);
}

static int64_t poller_timeout(struct sched_poller *poller)
{
    return sleep_allowed_ns(poller->context);
}

/* ---- on a thread of its own ---- */

static void sleep_until_needed(struct srv_loop *loop)
{
    int64_t allowed_ns = sleep_allowed_ns(loop);
    struct epoll_event event;
    uint64_t count;
    int timeout_ms = allowed_ns < 0 ? -1 : (int)((allowed_ns + NS_PER_MS - 1) / NS_PER_MS);

    if (allowed_ns == 0)
        return;
    atomic_store_explicit(&loop->asleep, true, memory_order_relaxed);
    nb_full_fence(); /* partner: wake_loop() */
    if (!something_handed_over(loop) && !atomic_load(&loop->stop))
        epoll_wait(loop->epoll_fd, &event, 1, timeout_ms);
    atomic_store_explicit(&loop->asleep, false, memory_order_relaxed);
    (void)!read(loop->wake_fd, &count, sizeof count);
}

static void *thread_main(void *closure)
{
    struct srv_loop *loop = closure;

    while (!atomic_load(&loop->stop)) {
        take_turn(loop, NULL);
        sleep_until_needed(loop);
    }
    return NULL;
}

int srv_loop_start_thread(struct srv_loop *loop)
{
    sigset_t all, before;
    int r;

    nb_assert(loop->own_thread && !loop->thread_started);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&loop->thread, NULL, thread_main, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    loop->thread_started = r == 0;
    return -r;
}

void srv_loop_stop_thread(struct srv_loop *loop)
{
    if (!loop->thread_started)
        return;
    atomic_store(&loop->stop, true);
    wake_loop(loop);
    pthread_join(loop->thread, NULL);
    loop->thread_started = false;
}

/* ---- beginning and end ---- */

static int init_own_thread(struct srv_loop *loop)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0)
        return -errno;
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) < 0 ? -errno : 0;
}

static void init_on_worker(struct srv_loop *loop)
{
    loop->worker = loop->index;
    loop->poller = (struct sched_poller){
        .fd = loop->epoll_fd,
        .pass = poller_pass,
        .pending = poller_pending,
        .timeout_ns = poller_timeout,
        .context = loop,
    };
    sched_add_poller(loop->runtime->sched, loop->worker, &loop->poller);
}

static int init_wakers(struct srv_loop *loop)
{
    unsigned workers = sched_worker_count(loop->runtime->sched);

    loop->wakers = nb_alloc_zero(workers * sizeof *loop->wakers);
    if (loop->wakers == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < workers; i++) {
        loop->wakers[i].deferred.run = deferred_wake;
        loop->wakers[i].loop = loop;
    }
    return 0;
}

int srv_loop_init(struct srv_loop *loop, struct srv_runtime *runtime, unsigned index)
{
    int r;

    *loop = (struct srv_loop){ .magic = LOOP_MAGIC,
                               .runtime = runtime,
                               .index = index,
                               .wake_fd = -1,
                               .own_thread = runtime->options.connection_threads > 0,
                               .next_look_ns = UINT64_MAX };
    ck_stack_init(&loop->completions);
    ck_stack_init(&loop->commands);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0)
        return -errno;
    r = init_wakers(loop);
    if (r < 0)
        return r;
    if (loop->own_thread)
        return init_own_thread(loop);
    init_on_worker(loop);
    return 0;
}

void srv_loop_done(struct srv_loop *loop)
{
    if (loop->magic != LOOP_MAGIC)
        return; /* never initialised */
    nb_assert(loop->endpoints == NULL && !loop->thread_started);
    srv_request_free_all(loop->free_requests);
    nb_free(loop->wakers);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    loop->magic = 0;
}

void srv_loop_attach(struct srv_loop *loop, struct srv_endpoint *endpoint)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = endpoint };

    endpoint->next = loop->endpoints;
    loop->endpoints = endpoint;
    loop->endpoint_count++;
    endpoint->busy = true;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, endpoint->epoll_fd, &event);
}

static bool has_connections(const struct srv_loop *loop)
{
    for (const struct srv_endpoint *endpoint = loop->endpoints; endpoint != NULL; endpoint = endpoint->next) {
        if (endpoint->connections > 0)
            return true;
    }
    return false;
}

static bool is_sending(const struct srv_loop *loop)
{
    for (const struct srv_endpoint *endpoint = loop->endpoints; endpoint != NULL; endpoint = endpoint->next) {
        if (endpoint->sending_count > 0)
            return true;
    }
    return false;
}

void srv_loop_flush(struct srv_loop *loop)
{
    for (unsigned i = 0; i < END_TURNS_MAX; i++) {
        bool did = take_turn(loop, NULL);

        if (!did && !is_sending(loop))
            break;
        if (!did)
            usleep(END_PAUSE_US);
    }
}

void srv_loop_end(struct srv_loop *loop)
{
    take_turn(loop, NULL);
    for (struct srv_endpoint *endpoint = loop->endpoints; endpoint != NULL; endpoint = endpoint->next) {
        srv_endpoint_close(endpoint, NULL);
        srv_exchange_fail_all(endpoint);
        endpoint->busy = true;
    }
    for (unsigned i = 0; i < END_TURNS_MAX; i++) {
        take_turn(loop, NULL);
        if (!has_connections(loop))
            break;
        usleep(END_PAUSE_US);
    }
    while (loop->endpoints != NULL) {
        struct srv_endpoint *endpoint = loop->endpoints;

        loop->endpoints = endpoint->next;
        loop->endpoint_count--;
        srv_endpoint_stop(endpoint);
        srv_listener_unref(endpoint->listener);
    }
}
