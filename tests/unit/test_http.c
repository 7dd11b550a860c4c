/*
 * test_http.c - the HTTP path as a whole, with real sockets and processes whose bodies are C functions.
 *
 * vm_run() is replaced: a process's entry is a small integer, kind and argument, that chooses a body below; bodies call
 * the natives as the interpreter would. The test's own thread is the client.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "scheduler/sched.h"
#include "server/http_native.h"
#include "server/listener.h"
#include "server/runtime.h"
#include "tests/unit/run_suite.h"
#include "vm/list.h"
#include "vm/program.h"
#include "vm/string.h"
#include "vm/type.h"

enum { ARGUMENT_BITS = 40, PORT_FIRST = 28100, PORT_LAST = 28900, ANSWER_BYTES = 65536, BATCH_MAX = 300 };
enum { ACCEPT, RESPOND, RESPOND_LATE, RESPOND_TWICE, CRASH, RETURN, ENDLESS };
#define MILLISECOND UINT64_C(1000000)

static struct sched *sched;
static struct srv_runtime *runtime;
static struct sched_group group;
static struct vm_program *program;
static const struct vm_native *accept_native, *respond_native, *close_native;
static struct srv_limits limits;
static uint16_t port;
static int64_t handle;
static _Atomic int crashes, second_answers_refused, acceptors_ended;

/* ---- bodies ---- */

static enum vm_stop respond(struct vm_ctx *ctx, int64_t id, const char *text)
{
    enum vm_status status;
    vm_value ret;

    ctx->args[0] = vm_from_small(id);
    ctx->args[1] = vm_from_small(200);
    ctx->args[2] = VM_NIL;
    ctx->args[3] = VM_UNIT;
    ctx->arg_count = 4;
    ctx->args[3] = vm_string_cstr(ctx, text);
    status = respond_native->function(ctx, ctx->args, &ret);
    ctx->arg_count = 0;
    return status == VM_OK ? VM_STOP_END : VM_STOP_CRASH;
}

static bool path_is(vm_value record, const char *path)
{
    return vm_string_equals(vm_field(record, 2), path, strlen(path));
}

/* As a spawn of a closure that holds the record would: the request passes to the child. */
static enum vm_stop hand_to_child(struct vm_ctx *ctx, int kind, int64_t id)
{
    vm_value pid;
    struct vm_process *child;

    if (ctx->host->spawn(ctx, vm_from_small((int64_t)kind << ARGUMENT_BITS | id), VM_SPAWN_PLAIN, &pid) != VM_OK)
        return VM_STOP_CRASH;
    child = ctx->host->find(vm_payload(pid));
    ctx->process->http_requests = NULL;
    if (child != NULL)
        child->http_requests = (void *)(uintptr_t)id;
    return VM_STOP_YIELD;
}

static enum vm_stop serve_one(struct vm_ctx *ctx, vm_value record)
{
    static const struct {
        const char *path;
        int kind;
    } kinds[] = {
        { "/spawn", RESPOND },
        { "/late", RESPOND_LATE },
        { "/twice", RESPOND_TWICE },
        { "/endless", ENDLESS },
    };
    int64_t id = vm_small(vm_field(record, 0));

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (path_is(record, kinds[i].path))
            return hand_to_child(ctx, kinds[i].kind, id);
    }
    if (path_is(record, "/crash"))
        return VM_STOP_CRASH;
    if (path_is(record, "/return"))
        return VM_STOP_END;
    if (path_is(record, "/never"))
        return VM_STOP_YIELD;
    return respond(ctx, id, path_is(record, "/body") ? "a body" : "inline") == VM_STOP_END ? VM_STOP_YIELD
                                                                                           : VM_STOP_CRASH;
}

static enum vm_stop run_accept(struct vm_ctx *ctx)
{
    enum vm_status status;
    vm_value record;

    ctx->args[0] = vm_from_small(handle);
    ctx->arg_count = 1;
    status = accept_native->function(ctx, ctx->args, &record);
    ctx->arg_count = 0;
    if (status == VM_PARK) {
        ctx->process->deadline_ns = UINT64_MAX;
        return VM_STOP_WAIT;
    }
    if (status != VM_OK) {
        atomic_fetch_add(&acceptors_ended, 1);
        return VM_STOP_END;
    }
    return serve_one(ctx, record);
}

/* While it is set, those who answer late do not answer. */
static atomic_bool held;

static enum vm_stop run_late(struct vm_ctx *ctx, int64_t id)
{
    struct vm_process *process = ctx->process;
    uint64_t now_ns = nb_clock_ns();

    if (process->deadline_ns == UINT64_MAX)
        process->deadline_ns = now_ns + 300 * MILLISECOND;
    else if (now_ns >= process->deadline_ns && !atomic_load(&held))
        return respond(ctx, id, "late");
    else if (now_ns >= process->deadline_ns)
        process->deadline_ns = now_ns + 5 * MILLISECOND;
    process->wait = VM_WAIT_SLEEP;
    return VM_STOP_WAIT;
}

static enum vm_stop run_twice(struct vm_ctx *ctx, int64_t id)
{
    if (respond(ctx, id, "first") != VM_STOP_END)
        return VM_STOP_CRASH;
    if (respond(ctx, id, "second") == VM_STOP_CRASH)
        atomic_fetch_add(&second_answers_refused, 1);
    return VM_STOP_END;
}

enum vm_stop vm_run(struct vm_ctx *ctx)
{
    int64_t entry = vm_small(ctx->process->entry), argument = entry & ((INT64_C(1) << ARGUMENT_BITS) - 1);

    if (atomic_load(&ctx->process->kill))
        return VM_STOP_KILLED;
    ctx->process->heap.top = ctx->process->heap.start; /* no frames, nothing kept between two slices */
    switch (entry >> ARGUMENT_BITS) {
    case ACCEPT:
        return run_accept(ctx);
    case RESPOND:
        return respond(ctx, argument, "spawned");
    case RESPOND_LATE:
        return run_late(ctx, argument);
    case RESPOND_TWICE:
        return run_twice(ctx, argument);
    case ENDLESS:
        return VM_STOP_YIELD;
    default:
        return VM_STOP_CRASH;
    }
}

/* ---- the server ---- */

static void ended(struct sched_group *of, struct vm_ctx *ctx, struct vm_process *process, enum vm_stop stop)
{
    (void)of;
    if (stop == VM_STOP_CRASH)
        atomic_fetch_add(&crashes, 1);
    srv_process_ended(ctx, process, stop);
}

static void limits_for(void *context, uint16_t of_port, struct srv_limits *ret_limits)
{
    (void)context, (void)of_port;
    *ret_limits = limits;
}

static void spawn_acceptor(void)
{
    struct vm_process *process;

    ck_assert_int_eq(
        sched_process_new(NULL, sched, &group, program, vm_from_small((int64_t)ACCEPT << ARGUMENT_BITS), &process), 0);
    sched_submit(NULL, process);
}

static unsigned loops, threads;

static void start_engine(void)
{
    const struct sched_options options = { .workers = 2 };
    const struct srv_runtime_options runtime_options = {
        .connection_loops = loops,
        .connection_threads = threads,
        .limits_for = limits_for,
    };

    ck_assert_int_eq(sched_new(&options, &sched), 0);
    sched_group_init(&group, "test");
    group.ended = ended;
    ck_assert_int_eq(srv_runtime_new(sched, &runtime_options, &runtime), 0);
    ck_assert_int_eq(sched_start(sched), 0);
    ck_assert_int_eq(srv_runtime_start(runtime), 0);
    program = vm_program_new("test");
}

static void register_once(void)
{
    if (accept_native != NULL)
        return;
    vm_type_init();
    srv_http_register_natives();
    accept_native = vm_native_find("Server.accept", 1);
    respond_native = vm_native_find("Server.respond", 4);
    close_native = vm_native_find("Server.close", 1);
}

/* A server with so many acceptors; 0: requests stay in the ring. */
static void start(unsigned acceptors)
{
    register_once();
    crashes = second_answers_refused = acceptors_ended = 0;
    start_engine();
    for (port = PORT_FIRST + (uint16_t)(getpid() % 400); port < PORT_LAST; port++) {
        if (srv_listener_open(runtime, NULL, &group, 0, port, &handle) == 0)
            break;
    }
    ck_assert_uint_lt(port, PORT_LAST);
    for (unsigned i = 0; i < acceptors; i++)
        spawn_acceptor();
}

static void stop(void)
{
    sched_stop(sched);
    srv_runtime_stop(runtime);
    sched_group_release(&group);
    sched = sched_free(sched);
    runtime = srv_runtime_free(runtime);
    vm_program_unref(program);
}

static void set_up(void)
{
    loops = threads = 0;
    held = false;
    srv_limits_default(&limits);
}

/* ---- the client ---- */

static int open_connection(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        return -errno;
    }
    return fd;
}

static void say(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static char answer[ANSWER_BYTES];

/* Read until the text `until` has come, or the end. False after a long silence. */
static bool hear(int fd, const char *until)
{
    size_t length = 0;

    answer[0] = '\0';
    for (;;) {
        struct pollfd wanted = { .fd = fd, .events = POLLIN };
        ssize_t got;

        if (until != NULL && strstr(answer, until) != NULL)
            return true;
        if (poll(&wanted, 1, 20000) <= 0)
            return false;
        got = recv(fd, answer + length, sizeof answer - 1 - length, 0);
        if (got <= 0)
            return until == NULL;
        length += (size_t)got;
        answer[length] = '\0';
    }
}

static void expect_on(int fd, const char *request, const char *status, const char *end)
{
    say(fd, request);
    ck_assert_msg(hear(fd, end), "no %s in: %s", end, answer);
    ck_assert_msg(strncmp(answer, status, strlen(status)) == 0, "not %s: %s", status, answer);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static void expect(const char *request, const char *status, const char *end)
{
    int fd = open_connection();

    ck_assert_int_ge(fd, 0);
    expect_on(fd, request, status, end);
    close(fd);
}

static bool becomes(_Atomic int *counter, int wanted)
{
    for (int i = 0; i < 2000 && atomic_load(counter) != wanted; i++)
        usleep(10000);
    return atomic_load(counter) == wanted;
}

/* Wait until that many requests are open; the test's time limit ends it if that never happens. */
static void await_requests(uint64_t wanted)
{
    for (struct srv_stats stats = { 0 }; stats.requests_now != wanted; usleep(1000))
        srv_runtime_stats(runtime, &stats);
}

static void await_connections(uint64_t wanted)
{
    for (struct srv_stats stats = { 0 }; stats.connections_now != wanted; usleep(1000))
        srv_runtime_stats(runtime, &stats);
}

/* ---- tests ---- */

/* On workers with one loop, with two, and on threads of their own. */
static const struct {
    unsigned loops, threads;
} wirings[] = { { 1, 0 }, { 2, 0 }, { 0, 1 }, { 0, 2 } };
enum { WIRINGS = sizeof wirings / sizeof *wirings };

static void start_wired(int wiring, unsigned acceptors)
{
    loops = wirings[wiring].loops;
    threads = wirings[wiring].threads;
    start(acceptors);
}

START_TEST(answers_inline_spawned_and_late)
{
    start_wired(_i, 2);
    expect(GET("/"), "HTTP/1.1 200 OK", "inline");
    expect(GET("/spawn"), "HTTP/1.1 200 OK", "spawned");
    expect(GET("/late"), "HTTP/1.1 200 OK", "late");
    stop();
}
END_TEST

START_TEST(keeps_connections_and_serves_pipelines_in_order)
{
    int fd;

    start_wired(_i, 1);
    fd = open_connection();
    for (int i = 0; i < 20; i++)
        expect_on(fd, GET("/"), "HTTP/1.1 200", "inline");
    say(fd, GET("/late") GET("/") GET("/spawn"));
    ck_assert(hear(fd, "spawned"));
    ck_assert_ptr_nonnull(strstr(answer, "late"));
    ck_assert_ptr_nonnull(strstr(strstr(answer, "late"), "inline"));
    close(fd);
    stop();
}
END_TEST

START_TEST(answers_many_that_become_ready_at_once)
{
    static const int sizes[] = { 127, 128, 129, BATCH_MAX };
    int fds[BATCH_MAX];

    start_wired(_i, 2);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint64_t began_ns;

        for (int i = 0; i < sizes[s]; i++) {
            fds[i] = open_connection();
            expect_on(fds[i], GET("/"), "HTTP/1.1 200", "inline");
        }
        began_ns = nb_clock_ns();
        for (int i = 0; i < sizes[s]; i++)
            say(fds[i], GET("/"));
        for (int i = 0; i < sizes[s]; i++)
            ck_assert_msg(hear(fds[i], "inline"), "%d of %d", i, sizes[s]);
        ck_assert_uint_lt(nb_clock_ns() - began_ns, 15000 * MILLISECOND);
        for (int i = 0; i < sizes[s]; i++)
            close(fds[i]);
    }
    stop();
}
END_TEST

START_TEST(answers_500_when_the_process_dies)
{
    start_wired(_i, 3);
    expect(GET("/crash"), "HTTP/1.1 500", "Internal Server Error");
    ck_assert(becomes(&crashes, 1));
    expect(GET("/return"), "HTTP/1.1 500", "Internal Server Error");
    expect(GET("/"), "HTTP/1.1 200", "inline");
    stop();
}
END_TEST

START_TEST(answers_504_past_the_deadline_and_kills_the_process)
{
    struct srv_stats stats;

    limits.request_deadline_ms = 150;
    start_wired(_i, 1);
    expect(GET("/never"), "HTTP/1.1 504", "Gateway Timeout");
    srv_runtime_stats(runtime, &stats);
    ck_assert_uint_eq(stats.deadlines, 1);
    ck_assert_uint_eq(stats.requests_now, 0);
    stop();
}
END_TEST

START_TEST(refuses_a_second_answer)
{
    start_wired(_i, 1);
    expect(GET("/twice"), "HTTP/1.1 200", "first");
    ck_assert(becomes(&second_answers_refused, 1));
    stop();
}
END_TEST

START_TEST(answers_503_when_the_ring_is_full)
{
    int fds[5];

    limits.queue_max = 4;
    limits.retry_after_seconds = 7;
    start(0);
    for (int i = 0; i < 4; i++) {
        fds[i] = open_connection();
        say(fds[i], GET("/"));
        await_requests((uint64_t)i + 1);
    }
    fds[4] = open_connection();
    expect_on(fds[4], GET("/"), "HTTP/1.1 503", "Service Unavailable");
    ck_assert_ptr_nonnull(strstr(answer, "Retry-After: 7"));
    spawn_acceptor(); /* the four are served as soon as somebody accepts */
    for (int i = 0; i < 4; i++)
        ck_assert(hear(fds[i], "inline"));
    for (int i = 0; i < 5; i++)
        close(fds[i]);
    stop();
}
END_TEST

START_TEST(bounds_bodies)
{
    limits.body_max_bytes = 10;
    start(1);
    expect("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789", "HTTP/1.1 200", "a body");
    expect("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n0123456789a", "HTTP/1.1 413",
           "Content Too Large");
    expect("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n",
           "HTTP/1.1 413", "Content Too Large");
    expect("POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n",
           "HTTP/1.1 200", "a body");
    expect("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n", "HTTP/1.1 413",
           "Content Too Large");
    stop();
}
END_TEST

START_TEST(sends_no_body_to_head)
{
    int fd;

    start(1);
    fd = open_connection();
    say(fd, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ck_assert(hear(fd, NULL));
    ck_assert_ptr_nonnull(strstr(answer, "Content-Length: 6\r\n"));
    ck_assert_ptr_null(strstr(answer, "inline"));
    close(fd);
    stop();
}
END_TEST

START_TEST(lets_a_client_wait_for_100_continue)
{
    int fd;

    start(1);
    fd = open_connection();
    expect_on(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", "HTTP/1.1 100",
              "\r\n\r\n");
    expect_on(fd, "abc", "HTTP/1.1 200", "inline");
    close(fd);
    stop();
}
END_TEST

static const struct {
    const char *text, *status;
} slow_clients[] = {
    { "GET / HT", "" },                                                               /* not even a first line */
    { "GET / HTTP/1.1\r\nHost: x\r\n", "HTTP/1.1 408" },                              /* headers never end */
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", "HTTP/1.1 408" }, /* nor does the body */
};

START_TEST(cuts_slow_clients)
{
    int fd;

    limits.header_timeout_ms = limits.body_timeout_ms = limits.idle_timeout_ms = 500;
    start(1);
    fd = open_connection();
    say(fd, slow_clients[_i].text);
    ck_assert(hear(fd, NULL));
    ck_assert_int_eq(strncmp(answer, slow_clients[_i].status, strlen(slow_clients[_i].status)), 0);
    close(fd);
    stop();
}
END_TEST

START_TEST(cuts_idle_connections)
{
    int fd;

    limits.idle_timeout_ms = 500;
    start(1);
    fd = open_connection();
    expect_on(fd, GET("/"), "HTTP/1.1 200", "inline");
    ck_assert(hear(fd, NULL));
    ck_assert_str_eq(answer, "");
    close(fd);
    stop();
}
END_TEST

START_TEST(answers_nobody_when_the_client_has_left)
{
    start_wired(_i, 1);
    for (int i = 0; i < 20; i++) {
        int fd = open_connection();
        const struct linger reset = { .l_onoff = 1 };

        say(fd, GET("/late"));
        usleep(i * 500);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
    }
    await_requests(0);
    ck_assert_int_eq(atomic_load(&crashes), 0);
    expect(GET("/"), "HTTP/1.1 200", "inline");
    stop();
}
END_TEST

START_TEST(refuses_malformed_requests)
{
    static const char *const wrong[] = {
        "GARBAGE\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n" /* no Host */,
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    };

    start(1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int fd = open_connection();

        say(fd, wrong[i]);
        ck_assert_msg(hear(fd, NULL), "%s", wrong[i]);
        ck_assert_msg(answer[0] == '\0' || strncmp(answer, "HTTP/1.1 400", 12) == 0, "%s: %s", wrong[i], answer);
        close(fd);
    }
    expect(GET("/"), "HTTP/1.1 200", "inline");
    stop();
}
END_TEST

/* Close from this thread, as srv_runtime_close_group() is called by the manager. */
START_TEST(closes_at_once_and_wakes_who_accepts)
{
    int64_t again;
    int fd;

    start_wired(_i, 3);
    expect(GET("/"), "HTTP/1.1 200", "inline");
    fd = open_connection();
    srv_runtime_close_group(runtime, NULL, &group);
    ck_assert(becomes(&acceptors_ended, 3));
    ck_assert_int_eq(open_connection(), -ECONNREFUSED);
    ck_assert_int_eq(srv_listener_open(runtime, NULL, &group, 0, port, &again), 0);
    ck_assert_int_ne(again, handle);
    ck_assert(hear(fd, NULL)); /* an idle connection of the old one is closed */
    close(fd);
    stop();
}
END_TEST

START_TEST(gives_a_port_to_one_listener_only)
{
    int64_t second;

    start_wired(_i, 0);
    ck_assert_int_eq(srv_listener_open(runtime, NULL, &group, 0, port, &second), -EADDRINUSE);
    ck_assert(srv_runtime_group_listens(runtime, &group));
    stop();
}
END_TEST

START_TEST(drains)
{
    int busy, idle;

    start_wired(_i, 1);
    busy = open_connection();
    idle = open_connection();
    expect_on(idle, GET("/"), "HTTP/1.1 200", "inline");
    held = true;
    say(busy, GET("/late"));
    await_requests(1);
    srv_runtime_drain(runtime);
    held = false;
    ck_assert(hear(busy, NULL)); /* it is answered, and closed */
    ck_assert_ptr_nonnull(strstr(answer, "late"));
    ck_assert_ptr_nonnull(strstr(answer, "Connection: close"));
    ck_assert(hear(idle, NULL));
    for (int i = 0; i < 2000 && !srv_runtime_is_drained(runtime); i++)
        usleep(10000);
    ck_assert(srv_runtime_is_drained(runtime));
    ck_assert_int_eq(open_connection(), -ECONNREFUSED);
    close(busy);
    close(idle);
    stop();
}
END_TEST

/* All that is open when everything ends gets an answer: in the ring, suspended, being sent. */
START_TEST(answers_what_is_open_when_it_stops)
{
    int fds[3];

    start_wired(_i, 1);
    held = true;
    for (int i = 0; i < 3; i++)
        fds[i] = open_connection();
    say(fds[0], GET("/never"));
    say(fds[1], GET("/late"));
    say(fds[2], GET("/endless"));
    await_requests(3);
    stop();
    for (int i = 0; i < 3; i++) {
        ck_assert(hear(fds[i], NULL));
        ck_assert_msg(strncmp(answer, "HTTP/1.1 503", 12) == 0, "%d: %s", i, answer);
        close(fds[i]);
    }
}
END_TEST

START_TEST(knows_whether_its_loops_do_something)
{
    start(1);
    for (int i = 0; i < 3; i++) {
        srv_runtime_is_alive(runtime); /* asks them, and looks at the answers the next time */
        do
            usleep(1000);
        while (!srv_runtime_is_alive(runtime));
    }
    sched_stop(sched); /* nobody drives them now */
    srv_runtime_is_alive(runtime);
    ck_assert(!srv_runtime_is_alive(runtime));
    stop();
}
END_TEST

START_TEST(a_retired_listener_answers_what_it_has_taken)
{
    int open, next;
    int64_t second;

    loops = 2;
    start(1);
    open = open_connection();
    expect_on(open, GET("/body"), "HTTP/1.1 200", "a body");
    say(open, GET("/never"));
    await_requests(1);
    next = open_connection();
    say(next, "GET /body HTTP/1.1\r\n"); /* begun before, ended afterwards */
    await_connections(2);
    ck_assert(!srv_runtime_group_is_drained(runtime, &group));
    srv_runtime_retire_group(runtime, &group, NULL);
    ck_assert(!srv_runtime_group_is_drained(runtime, &group));
    ck_assert_int_eq(open_connection(), -ECONNREFUSED);
    ck_assert_int_eq(srv_listener_open(runtime, NULL, &group, 0, port, &second), 0); /* the port is free */
    expect_on(next, "Host: x\r\n\r\n", "HTTP/1.1 200", "a body");
    ck_assert_ptr_nonnull(strstr(answer, "Connection: close"));
    close(next);
    close(open);
    srv_runtime_close_group(runtime, NULL, &group);
    await_requests(0);
    stop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server/http");
    TCase *wired = tcase_create("all wirings"), *plain = tcase_create("default wiring");

    tcase_add_checked_fixture(wired, set_up, NULL);
    tcase_set_timeout(wired, 30);
    tcase_add_loop_test(wired, answers_inline_spawned_and_late, 0, WIRINGS);
    tcase_add_loop_test(wired, keeps_connections_and_serves_pipelines_in_order, 0, WIRINGS);
    tcase_add_loop_test(wired, answers_many_that_become_ready_at_once, 0, WIRINGS);
    tcase_add_loop_test(wired, answers_500_when_the_process_dies, 0, WIRINGS);
    tcase_add_loop_test(wired, answers_504_past_the_deadline_and_kills_the_process, 0, WIRINGS);
    tcase_add_loop_test(wired, refuses_a_second_answer, 0, WIRINGS);
    tcase_add_loop_test(wired, answers_nobody_when_the_client_has_left, 0, WIRINGS);
    tcase_add_loop_test(wired, closes_at_once_and_wakes_who_accepts, 0, WIRINGS);
    tcase_add_loop_test(wired, gives_a_port_to_one_listener_only, 0, WIRINGS);
    tcase_add_loop_test(wired, drains, 0, WIRINGS);
    tcase_add_loop_test(wired, answers_what_is_open_when_it_stops, 0, WIRINGS);
    suite_add_tcase(suite, wired);
    tcase_add_checked_fixture(plain, set_up, NULL);
    tcase_set_timeout(plain, 30);
    tcase_add_test(plain, answers_503_when_the_ring_is_full);
    tcase_add_test(plain, bounds_bodies);
    tcase_add_test(plain, sends_no_body_to_head);
    tcase_add_test(plain, lets_a_client_wait_for_100_continue);
    tcase_add_loop_test(plain, cuts_slow_clients, 0, sizeof slow_clients / sizeof *slow_clients);
    tcase_add_test(plain, cuts_idle_connections);
    tcase_add_test(plain, knows_whether_its_loops_do_something);
    tcase_add_test(plain, a_retired_listener_answers_what_it_has_taken);
    tcase_add_test(plain, refuses_malformed_requests);
    suite_add_tcase(suite, plain);
    return run_suite(suite);
}
