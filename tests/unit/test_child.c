/* test_child.c - commands: run to their end, talked to through pipes, killed, and those that nobody wants any more. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/child.h"
#include "tests/unit/io_fixture.h"
#include "tests/unit/run_suite.h"

enum { MOST = 4096 };

static const char *script; /* what sh is to do */
static char output[MOST + 1], errors[MOST + 1];
static int64_t status;
static _Atomic int error, answered;
static _Atomic(struct io_child *) child; /* that was started, with a reference for the test */

/* sh -c SCRIPT, or a command that does not exist; with two variables. */
static void words_of(struct nb_buf *words, struct nb_buf *environment)
{
    *words = *environment = (struct nb_buf)NB_BUF_INIT;
    if (script == NULL)
        nb_buf_append(words, "/nowhere/nothing", sizeof "/nowhere/nothing");
    else
        nb_buf_append(words, "/bin/sh\0-c", sizeof "/bin/sh\0-c");
    if (script != NULL)
        nb_buf_append(words, script, strlen(script) + 1);
    nb_buf_append(environment, "PATH=/usr/bin:/bin\0WORD=given", sizeof "PATH=/usr/bin:/bin\0WORD=given");
}

static void keep(char *to, const struct nb_buf *text)
{
    memcpy(to, text->data, text->length < MOST ? text->length : MOST);
}

static enum vm_status take(struct vm_ctx *ctx)
{
    struct io_child_operation *result = io_child_result(ctx);

    if (result == NULL)
        return io_park(ctx);
    error = result->error;
    status = result->status;
    if (result->captures[0].text.length > 0)
        keep(output, &result->captures[0].text);
    if (result->captures[1].text.length > 0)
        keep(errors, &result->captures[1].text);
    if (result->child != NULL && atomic_load(&child) == NULL)
        atomic_store(&child, (struct io_child *)io_handle_ref(&result->child->handle));
    io_finish(ctx);
    answered++;
    return VM_OK;
}

static enum vm_status run_it(struct vm_ctx *ctx)
{
    struct nb_buf words, environment;

    words_of(&words, &environment);
    return io_child_run(ctx, &words, &environment, MOST);
}

static enum vm_status start_it(struct vm_ctx *ctx)
{
    struct nb_buf words, environment;

    words_of(&words, &environment);
    return io_child_start(ctx, &words, &environment);
}

static enum vm_status wait_for_it(struct vm_ctx *ctx)
{
    return io_child_wait(ctx, (struct io_child *)io_handle_ref(&atomic_load(&child)->handle));
}

static enum vm_status kill_it(struct vm_ctx *ctx)
{
    return io_child_kill(ctx, (struct io_child *)io_handle_ref(&atomic_load(&child)->handle));
}

enum step { RUN, START, WAIT, KILL };

static enum vm_status do_step(struct vm_ctx *ctx, int number)
{
    static enum vm_status (*const begin[])(struct vm_ctx *ctx) = { run_it, start_it, wait_for_it, kill_it };

    return io_operation_of(ctx) != NULL ? take(ctx) : begin[number](ctx);
}

static void step(enum step which)
{
    int before = answered;

    submit((int)which);
    await(&answered, before + 1);
}

static long live_before;

static void set_up(void)
{
    signal(SIGPIPE, SIG_IGN);
    live_before = nb_alloc_live();
    memset(output, 0, sizeof output);
    memset(errors, 0, sizeof errors);
    status = -2;
    error = answered = 0;
    child = NULL;
    start(do_step);
}

static void tear_down(void)
{
    finish();
    if (child != NULL)
        io_handle_unref(&child->handle);
    ck_assert_int_eq(nb_alloc_live(), live_before);
}

START_TEST(runs_to_the_end)
{
    script = "echo out $WORD; echo wrong >&2; exit 7";
    step(RUN);
    ck_assert_int_eq(error, 0);
    ck_assert_int_eq(status, 7);
    ck_assert_str_eq(output, "out given\n");
    ck_assert_str_eq(errors, "wrong\n");
}
END_TEST

START_TEST(has_no_input)
{
    script = "cat; echo end";
    step(RUN);
    ck_assert_str_eq(output, "end\n");
}
END_TEST

START_TEST(tells_that_there_is_no_such_command)
{
    script = NULL;
    step(RUN);
    ck_assert_int_eq(error, ENOENT);
    step(START);
    ck_assert_int_eq(error, ENOENT);
    ck_assert_ptr_null(atomic_load(&child));
}
END_TEST

START_TEST(tells_a_signal)
{
    script = "kill -TERM $$";
    step(RUN);
    ck_assert_int_eq(error, 0);
    ck_assert_int_eq(status, -1);
}
END_TEST

START_TEST(gives_up_endless_output)
{
    script = "while true; do echo 0123456789; done";
    step(RUN);
    ck_assert_int_eq(error, EFBIG);
}
END_TEST

START_TEST(talks_through_pipes)
{
    char text[16] = { 0 };

    script = "read line; echo \"got $line\"; exit 3";
    step(START);
    ck_assert_int_eq(error, 0);
    ck_assert_ptr_nonnull(atomic_load(&child));
    ck_assert_int_eq(write(child->in.fd, "this\n", 5), 5);
    step(WAIT);
    ck_assert_int_eq(status, 3);
    ck_assert_int_eq(read(child->out.fd, text, sizeof text - 1), 9);
    ck_assert_str_eq(text, "got this\n");
    step(WAIT); /* again: it has long ended */
    ck_assert_int_eq(status, 3);
}
END_TEST

START_TEST(kills_and_tells_those_who_wait)
{
    script = "exec sleep 100";
    step(START);
    submit(WAIT);
    submit(WAIT);
    await(&parks, 3);
    submit(KILL);
    await(&answered, 4);
    ck_assert_int_eq(status, -1);
    ck_assert_int_eq(error, 0);
    step(KILL); /* nothing is left to kill */
    ck_assert_int_eq(status, -1);
}
END_TEST

/* Whether a process of the system is gone, or will be soon. */
static bool ends(pid_t pid)
{
    for (int i = 0; i < 30000; i++, usleep(1000))
        if (kill(pid, 0) < 0)
            return true;
    return false;
}

START_TEST(kills_what_is_run_for_a_process_that_ends)
{
    char path[] = "/tmp/nostos-child-XXXXXX", command[128], text[16] = { 0 };
    int fd = mkstemp(path);
    uint64_t pid;

    snprintf(command, sizeof command, "echo $$ >%s; exec sleep 100", path);
    script = command;
    pid = submit(RUN);
    while (pread(fd, text, sizeof text - 1, 0) <= 1)
        usleep(1000);
    ck_assert_int_eq(kill(atoi(text), 0), 0);
    sched_kill(NULL, sched, pid);
    await_live(0);
    ck_assert(ends(atoi(text)));
    close(fd);
    unlink(path);
}
END_TEST

START_TEST(runs_many_at_a_time)
{
    script = "exit 5";
    for (int i = 0; i < 40; i++)
        submit(RUN);
    await(&answered, 40);
    ck_assert_int_eq(raises, 0);
    ck_assert_int_eq(status, 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io/child");
    TCase *all = tcase_create("commands");

    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, runs_to_the_end);
    tcase_add_test(all, has_no_input);
    tcase_add_test(all, tells_that_there_is_no_such_command);
    tcase_add_test(all, tells_a_signal);
    tcase_add_test(all, gives_up_endless_output);
    tcase_add_test(all, talks_through_pipes);
    tcase_add_test(all, kills_and_tells_those_who_wait);
    tcase_add_test(all, kills_what_is_run_for_a_process_that_ends);
    tcase_add_test(all, runs_many_at_a_time);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
