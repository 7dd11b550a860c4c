/*
 * reactor.c - the loop, its thread, and the way of an operation.
 *
 *     worker         io_submit: stack of arrivals, uv_async_send
 *     loop thread    on_arrival: uv_queue_work, or operation->begin()
 *     pool thread    do_work: the work; then it wakes the process
 *     loop thread    after_work: drops the reactor's reference; or begins to wait for a descriptor, then queues again
 *
 * An operation whose process ends before it is done comes to the loop's thread a second time, as a cancellation: who
 * waits there is forgotten, who was begun there is abandoned.
 *
 * The pool thread itself wakes the process, which saves a hop to the loop thread before the answer is seen.
 * An operation has two owners, the process and the reactor; the last one frees it. `done` is set (release) before the
 * process is woken and read (acquire) by the process, so all that the work wrote is visible to it.
 *
 * libuv allows other threads one thing only, uv_async_send(); everything else with the loop happens on its thread.
 */
#include "config.h"

#include "io/reactor.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "io/loop.h"
#include "vm/except.h"
#include "vm/host.h"

#define OPERATION_MAGIC 0x2e57c3b8u

struct reactor {
    uv_loop_t loop;
    uv_async_t arrival;
    pthread_t thread;
    _Atomic(struct io_operation *) arrivals;      /* newest first */
    _Atomic(struct io_operation *) cancellations; /* each with the reference that was its process's */
    _Atomic bool stopping, look_again;
    struct io_wait *waits;
};

/* An operation that goes on when its descriptor is ready. The loop's thread only. */
struct io_wait {
    struct io_closable closable; /* the poll's data */
    uv_poll_t poll;
    int fd;
    struct io_operation *operation;
    struct reactor *reactor;
    struct io_wait *next, **link;
};

/* The one of this program; started and stopped under the lock, used without. */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct reactor *) the_reactor;

/* ---- operations ---- */

void io_operation_init(struct io_operation *operation, void (*work)(struct io_operation *operation),
                       void (*free_operation)(struct io_operation *operation))
{
    memset(operation, 0, sizeof *operation);
    operation->magic = OPERATION_MAGIC;
    operation->work = work;
    operation->free = free_operation;
    operation->wait_fd = -1;
    atomic_init(&operation->references, 1);
}

static void unref(struct io_operation *operation)
{
    nb_check_object(operation, OPERATION_MAGIC);
    if (atomic_fetch_sub(&operation->references, 1) > 1)
        return;
    operation->magic = 0;
    if (operation->wait_fd >= 0)
        close(operation->wait_fd);
    operation->free(operation);
}

/* process.operation_cancel: the process ends. */
static void cancel(struct vm_process *process)
{
    struct io_operation *operation = process->operation, *seen;
    struct reactor *reactor = atomic_load(&the_reactor);

    process->operation = NULL;
    process->operation_cancel = NULL;
    atomic_store(&operation->cancelled, true);
    if (reactor == NULL || io_is_done(operation)) {
        unref(operation);
        return;
    }
    seen = atomic_load_explicit(&reactor->cancellations, memory_order_relaxed);
    do {
        operation->cancel_next = seen;
        /* release: pairs with the exchange in take_cancellations() */
    } while (!atomic_compare_exchange_weak_explicit(&reactor->cancellations, &seen, operation, memory_order_release,
                                                    memory_order_relaxed));
    uv_async_send(&reactor->arrival);
}

/* The work is done: whoever waits for it may look. */
static void tell(struct io_operation *operation)
{
    atomic_store_explicit(&operation->done, true, memory_order_release);
    if (operation->process != NULL && !atomic_load(&operation->cancelled))
        operation->host->wake(NULL, operation->process); /* ended meanwhile: a process struct outlives its process */
}

static bool is_unwanted(const struct reactor *reactor, const struct io_operation *operation)
{
    return atomic_load(&operation->cancelled) || atomic_load(&reactor->stopping);
}

/* ---- the loop thread: work ---- */

struct job {
    uv_work_t work;
    struct io_operation *operation;
};

static void start_wait(struct reactor *reactor, struct io_operation *operation);

static void do_work(uv_work_t *work)
{
    struct io_operation *operation = ((struct job *)work)->operation;

    if (is_unwanted(work->loop->data, operation))
        return;
    operation->work(operation);
    if (operation->wait_fd < 0)
        tell(operation);
}

static void work_done(struct reactor *reactor, struct io_operation *operation)
{
    if (operation->wait_fd >= 0 && !is_unwanted(reactor, operation))
        start_wait(reactor, operation);
    else
        unref(operation);
}

static void after_work(uv_work_t *work, int status)
{
    struct job *job = (struct job *)work;

    (void)status;
    work_done(work->loop->data, job->operation);
    nb_free(job);
}

/* Without memory for a job the loop thread does the work itself: late, but done. */
static void start_job(struct reactor *reactor, struct io_operation *operation)
{
    struct job *job = nb_alloc_zero(sizeof *job);
    struct job here = { .work.loop = &reactor->loop, .operation = operation };

    if (job != NULL) {
        job->operation = operation;
        if (uv_queue_work(&reactor->loop, &job->work, do_work, after_work) == 0)
            return;
        nb_free(job);
    }
    do_work(&here.work);
    work_done(reactor, operation);
}

/* ---- the loop thread: waiting for descriptors ---- */

static void on_wait_closed(uv_handle_t *handle)
{
    struct io_wait *wait = (struct io_wait *)handle->data;

    close(wait->fd);
    nb_free(wait);
}

/* Forget a wait. Returns its operation, with the reactor's reference. */
static struct io_operation *end_wait(struct io_wait *wait)
{
    struct io_operation *operation = wait->operation;

    operation->wait = NULL;
    *wait->link = wait->next;
    if (wait->next != NULL)
        wait->next->link = wait->link;
    uv_close((uv_handle_t *)&wait->poll, on_wait_closed);
    return operation;
}

static void close_wait(struct io_closable *closable)
{
    unref(end_wait((struct io_wait *)closable));
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct io_wait *wait = poll->data;
    struct reactor *reactor = wait->reactor;

    (void)status;
    (void)events;
    start_job(reactor, end_wait(wait));
}

static bool is_over(const struct io_operation *operation)
{
    return operation->wait_over != NULL && atomic_load(operation->wait_over);
}

static bool has_news(const struct io_operation *operation)
{
    return operation->wait_news != NULL && atomic_load(operation->wait_news) != operation->wait_seen;
}

/* 0 with the operation waiting, or -errno. */
static int try_wait(struct reactor *reactor, struct io_operation *operation)
{
    struct io_wait *wait = nb_alloc_zero(sizeof *wait);
    int r;

    if (wait == NULL)
        return -ENOMEM;
    r = uv_poll_init(&reactor->loop, &wait->poll, operation->wait_fd);
    if (r < 0) {
        nb_free(wait);
        return r;
    }
    wait->poll.data = wait;
    wait->closable.close = close_wait;
    wait->operation = operation;
    wait->reactor = reactor;
    wait->fd = operation->wait_fd; /* the wait's now */
    operation->wait_fd = -1;
    wait->next = reactor->waits;
    wait->link = &reactor->waits;
    if (wait->next != NULL)
        wait->next->link = &wait->next;
    reactor->waits = operation->wait = wait;
    return uv_poll_start(&wait->poll, operation->wait_events == POLLIN ? UV_READABLE : UV_WRITABLE, on_ready);
}

static void start_wait(struct reactor *reactor, struct io_operation *operation)
{
    bool again = !is_over(operation) && has_news(operation);
    int r = again ? 0 : is_over(operation) ? -ECANCELED : try_wait(reactor, operation);

    if (r == 0 && !again)
        return;
    if (operation->wait != NULL)
        end_wait(operation->wait);
    if (operation->wait_fd >= 0)
        close(operation->wait_fd);
    operation->wait_fd = -1;
    operation->wait_error = -r;
    start_job(reactor, operation);
}

static void end_waits_in_vain(struct reactor *reactor)
{
    struct io_wait *next;

    for (struct io_wait *wait = reactor->waits; wait != NULL; wait = next) {
        bool over = is_over(wait->operation);

        next = wait->next;
        if (over)
            wait->operation->wait_error = ECANCELED;
        if (over || has_news(wait->operation))
            start_job(reactor, end_wait(wait));
    }
}

/* ---- the loop thread: arrivals and cancellations ---- */

uv_loop_t *io_loop_of(const struct io_operation *operation)
{
    nb_assert(operation->begun);
    return operation->loop;
}

bool io_is_unwanted(const struct io_operation *operation)
{
    return is_unwanted(operation->loop->data, operation);
}

void io_complete(struct io_operation *operation)
{
    tell(operation);
    unref(operation);
}

static void start(struct reactor *reactor, struct io_operation *operation)
{
    if (operation->begin == NULL) {
        start_job(reactor, operation);
    } else if (is_unwanted(reactor, operation) && operation->process != NULL) {
        unref(operation); /* what was posted is done even at the last moment: there it is only to let go */
    } else {
        operation->begun = true;
        operation->loop = &reactor->loop;
        operation->begin(operation);
    }
}

static void take_arrivals(struct reactor *reactor)
{
    struct io_operation *operation = atomic_exchange_explicit(&reactor->arrivals, NULL, memory_order_acquire);
    struct io_operation *oldest = NULL, *next;

    for (; operation != NULL; operation = next) {
        next = operation->next;
        operation->next = oldest;
        oldest = operation;
    }
    for (operation = oldest; operation != NULL; operation = next) {
        next = operation->next;
        start(reactor, operation);
    }
}

static void take_cancellations(struct reactor *reactor)
{
    struct io_operation *operation = atomic_exchange_explicit(&reactor->cancellations, NULL, memory_order_acquire);
    struct io_operation *next;

    for (; operation != NULL; operation = next) {
        next = operation->cancel_next;
        if (operation->wait != NULL)
            unref(end_wait(operation->wait));
        else if (operation->begun && !io_is_done(operation))
            operation->abandon(operation);
        unref(operation);
    }
}

static void close_handle(uv_handle_t *handle, void *closure)
{
    (void)closure;
    if (handle->data != NULL && !uv_is_closing(handle))
        ((struct io_closable *)handle->data)->close(handle->data);
}

static void on_arrival(uv_async_t *async)
{
    struct reactor *reactor = async->loop->data;
    bool last = atomic_load(&reactor->stopping); /* looked at first: nothing arrives after it was set */

    take_arrivals(reactor);
    take_cancellations(reactor);
    if (atomic_exchange(&reactor->look_again, false))
        end_waits_in_vain(reactor);
    if (last && !uv_is_closing((uv_handle_t *)async)) {
        uv_walk(&reactor->loop, close_handle, NULL);
        uv_close((uv_handle_t *)async, NULL); /* the loop ends with the last job */
    }
}

static void *run_loop(void *argument)
{
    struct reactor *reactor = argument;

    uv_run(&reactor->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* ---- start and stop ---- */

/* With all signals blocked, also in the pool's threads, which the loop's thread makes; but for SIGCHLD, which libuv
 * wants to hear of. */
static int start_thread(struct reactor *reactor)
{
    sigset_t all, before;
    int r;

    sigfillset(&all);
    sigdelset(&all, SIGCHLD);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&reactor->thread, NULL, run_loop, reactor);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}

static void close_loop(struct reactor *reactor)
{
    int r;

    uv_run(&reactor->loop, UV_RUN_DEFAULT); /* lets a closing handle finish */
    r = uv_loop_close(&reactor->loop);
    nb_assert(r == 0);
    nb_free(reactor);
}

static int new_reactor(struct reactor **ret_reactor)
{
    struct reactor *reactor = nb_alloc_zero(sizeof *reactor);
    int r;

    if (reactor == NULL)
        return -ENOMEM;
    r = uv_loop_init(&reactor->loop);
    if (r < 0) {
        nb_free(reactor);
        return r;
    }
    reactor->loop.data = reactor;
    r = uv_async_init(&reactor->loop, &reactor->arrival, on_arrival);
    if (r < 0) {
        close_loop(reactor);
        return r;
    }
    r = start_thread(reactor);
    if (r < 0) {
        uv_close((uv_handle_t *)&reactor->arrival, NULL);
        close_loop(reactor);
        return r;
    }
    *ret_reactor = reactor;
    return 0;
}

/* The reactor, started if need be. */
static int get_reactor(struct reactor **ret_reactor)
{
    struct reactor *reactor = atomic_load_explicit(&the_reactor, memory_order_acquire);
    int r = 0;

    if (reactor == NULL) {
        pthread_mutex_lock(&starting);
        reactor = atomic_load(&the_reactor);
        if (reactor == NULL)
            r = new_reactor(&reactor);
        if (r == 0)
            atomic_store_explicit(&the_reactor, reactor, memory_order_release);
        pthread_mutex_unlock(&starting);
    }
    if (r == 0)
        *ret_reactor = reactor;
    return r;
}

void io_stop(void)
{
    struct reactor *reactor;

    pthread_mutex_lock(&starting);
    reactor = atomic_exchange(&the_reactor, NULL);
    pthread_mutex_unlock(&starting);
    if (reactor == NULL)
        return;
    atomic_store(&reactor->stopping, true);
    uv_async_send(&reactor->arrival);
    pthread_join(reactor->thread, NULL);
    close_loop(reactor);
}

/* ---- for natives ---- */

static void put(struct reactor *reactor, struct io_operation *operation)
{
    struct io_operation *seen = atomic_load_explicit(&reactor->arrivals, memory_order_relaxed);

    do {
        operation->next = seen;
        /* release: pairs with the exchange in take_arrivals() */
    } while (!atomic_compare_exchange_weak_explicit(&reactor->arrivals, &seen, operation, memory_order_release,
                                                    memory_order_relaxed));
    uv_async_send(&reactor->arrival);
}

enum vm_status io_submit(struct vm_ctx *ctx, struct io_operation *operation)
{
    struct reactor *reactor = NULL;
    int r;

    if (operation == NULL)
        return VM_NOMEM;
    nb_check_object(operation, OPERATION_MAGIC);
    nb_assert(ctx->process->operation == NULL);
    r = get_reactor(&reactor);
    if (r < 0) {
        unref(operation);
        return io_raise(ctx, -r, "");
    }
    operation->host = ctx->host;
    operation->process = ctx->process;
    atomic_fetch_add(&operation->references, 1);
    ctx->process->operation = operation;
    ctx->process->operation_cancel = cancel;
    put(reactor, operation);
    return io_park(ctx);
}

void io_post(struct io_operation *operation)
{
    struct reactor *reactor = atomic_load_explicit(&the_reactor, memory_order_acquire);

    nb_check_object(operation, OPERATION_MAGIC);
    if (reactor != NULL)
        put(reactor, operation); /* with the only reference */
    else
        unref(operation);
}

void io_look_again(void)
{
    struct reactor *reactor = atomic_load_explicit(&the_reactor, memory_order_acquire);

    if (reactor == NULL)
        return;
    atomic_store(&reactor->look_again, true);
    uv_async_send(&reactor->arrival);
}

struct io_operation *io_operation_of(const struct vm_ctx *ctx)
{
    struct io_operation *operation = ctx->process->operation;

    if (operation != NULL)
        nb_check_object(operation, OPERATION_MAGIC);
    return operation;
}

bool io_is_done(const struct io_operation *operation)
{
    nb_check_object(operation, OPERATION_MAGIC);
    return atomic_load_explicit(&operation->done, memory_order_acquire);
}

enum vm_status io_park(struct vm_ctx *ctx)
{
    vm_process_wait_for(ctx->process, VM_WAIT_IO);
    vm_process_wait_until(ctx->process, UINT64_MAX);
    return VM_PARK;
}

void io_finish(struct vm_ctx *ctx)
{
    struct io_operation *operation = ctx->process->operation;

    nb_assert(operation != NULL && io_is_done(operation));
    ctx->process->operation = NULL;
    ctx->process->operation_cancel = NULL;
    unref(operation);
}

void io_error_text(int error, char *text, size_t size)
{
    const char *name = strerrordesc_np(error);

    snprintf(text, size, "%s (os error %d)", name != NULL ? name : "Unknown error", error);
}

enum vm_status io_raise(struct vm_ctx *ctx, int error, const char *path)
{
    char text[128];

    if (error == ENOMEM)
        return VM_NOMEM;
    if (error == ENOENT)
        return vm_raise_kind(ctx, "io_error", "File not found: %s", path);
    if (error == EACCES || error == EPERM)
        return vm_raise_kind(ctx, "io_error", "Permission denied: %s", path);
    io_error_text(error, text, sizeof text);
    return vm_raise_kind(ctx, "io_error", "IO error: %s", text);
}
