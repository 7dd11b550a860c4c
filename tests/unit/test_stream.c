/* test_stream.c - pieces of files and pipes: lines, positions, waiting without a thread, closing while others read. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/stream.h"
#include "tests/unit/io_fixture.h"
#include "tests/unit/run_suite.h"

enum { LINE_MAX_BYTES = 4096, ANSWERS = 64, LONG = 1 << 20 };

struct file { struct io_handle handle; struct io_stream stream; };

static struct file *file;
static int pipe_end = -1; /* the other end of a pipe, ours */
static _Atomic int answered;

/* What the process with that number got. */
static struct answer {
    char text[LINE_MAX_BYTES];
    size_t length;
    bool at_end;
    int error;
    int64_t offset;
} answers[ANSWERS];

static void free_file(struct io_handle *handle)
{
    io_stream_done(&((struct file *)handle)->stream);
    nb_free(handle);
}

static void open_on(int fd)
{
    file = nb_xalloc_zero(sizeof *file);
    io_handle_init(&file->handle, IO_HANDLE_FILE, io_handle_unref, free_file);
    io_stream_init(&file->stream, fd);
    memset(answers, 0, sizeof answers);
    answered = 0;
}

static void open_file_with(const char *text)
{
    char path[] = "/tmp/nostos-stream-XXXXXX";
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    unlink(path);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    lseek(fd, 0, SEEK_SET);
    open_on(fd);
}

static void open_pipe(bool reading)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_eq(fcntl(ends[reading ? 0 : 1], F_SETFL, O_NONBLOCK), 0);
    open_on(ends[reading ? 0 : 1]);
    pipe_end = ends[reading ? 1 : 0];
}

static void put(const char *text)
{
    ck_assert_int_eq(write(pipe_end, text, strlen(text)), (ssize_t)strlen(text));
}

static void done(void)
{
    finish();
    io_handle_unref(&file->handle);
    if (pipe_end >= 0)
        close(pipe_end);
    pipe_end = -1;
}

/* ---- natives; each begins, and takes what came when it is called again ---- */

static enum vm_status take(struct vm_ctx *ctx, int number)
{
    const struct io_stream_operation *result = io_stream_result(ctx);
    struct answer *answer = &answers[number];

    if (result == NULL)
        return io_park(ctx);
    answer->length = result->length < sizeof answer->text ? result->length : sizeof answer->text;
    if (result->data != NULL)
        memcpy(answer->text, result->data, answer->length);
    answer->at_end = result->at_end;
    answer->error = result->error;
    answer->offset = result->offset;
    io_finish(ctx);
    answered++;
    return VM_OK;
}

static enum vm_status read_line(struct vm_ctx *ctx, int number)
{
    if (io_operation_of(ctx) != NULL)
        return take(ctx, number);
    return io_stream_read_line(ctx, io_handle_ref(&file->handle), &file->stream, LINE_MAX_BYTES);
}

static enum vm_status read_five(struct vm_ctx *ctx, int number)
{
    if (io_operation_of(ctx) != NULL)
        return take(ctx, number);
    return io_stream_read(ctx, io_handle_ref(&file->handle), &file->stream, 5);
}

static enum vm_status write_word(struct vm_ctx *ctx, int number)
{
    if (io_operation_of(ctx) != NULL)
        return take(ctx, number);
    return io_stream_write(ctx, io_handle_ref(&file->handle), &file->stream, "word", 4);
}

static enum vm_status write_long(struct vm_ctx *ctx, int number)
{
    static char text[LONG];

    if (io_operation_of(ctx) != NULL)
        return take(ctx, number);
    return io_stream_write(ctx, io_handle_ref(&file->handle), &file->stream, text, LONG);
}

static enum vm_status go_back_two(struct vm_ctx *ctx, int number)
{
    if (io_operation_of(ctx) != NULL)
        return take(ctx, number);
    return io_stream_seek(ctx, io_handle_ref(&file->handle), &file->stream, -2, SEEK_CUR);
}

static enum vm_status close_stream(struct vm_ctx *ctx, int number)
{
    if (io_operation_of(ctx) != NULL)
        return take(ctx, number);
    atomic_store(&file->handle.over, true);
    io_look_again();
    return io_stream_close(ctx, io_handle_ref(&file->handle), &file->stream);
}

static native *const steps[] = { read_line, read_five, write_word, write_long, go_back_two, close_stream };
enum step { READ_LINE, READ_FIVE, WRITE_WORD, WRITE_LONG, GO_BACK_TWO, CLOSE };

/* The number says what the process does, and where its answer goes. */
static enum vm_status do_step(struct vm_ctx *ctx, int number)
{
    return steps[number / ANSWERS](ctx, number % ANSWERS);
}

static uint64_t begin(enum step step, int answer)
{
    return submit((int)step * ANSWERS + answer);
}

/* Do a step and wait for its end. */
static const struct answer *step(enum step which, int answer)
{
    int before = answered;

    begin(which, answer);
    await(&answered, before + 1);
    return &answers[answer];
}

static void expect(const struct answer *answer, const char *text)
{
    ck_assert_int_eq(answer->error, 0);
    ck_assert_uint_eq(answer->length, strlen(text));
    ck_assert_mem_eq(answer->text, text, answer->length);
}

/* ---- files ---- */

START_TEST(reads_lines_to_the_end)
{
    open_file_with("one\n\nthree");
    start(do_step);
    expect(step(READ_LINE, 0), "one\n");
    expect(step(READ_LINE, 1), "\n");
    expect(step(READ_LINE, 2), "three");
    ck_assert(!answers[2].at_end);
    ck_assert(step(READ_LINE, 3)->at_end);
    ck_assert(step(READ_FIVE, 4)->at_end);
    done();
}
END_TEST

START_TEST(mixes_lines_and_bytes)
{
    open_file_with("line\nbytes and more\nlast\n");
    start(do_step);
    expect(step(READ_LINE, 0), "line\n");
    expect(step(READ_FIVE, 1), "bytes");
    expect(step(READ_LINE, 2), " and more\n");
    expect(step(READ_FIVE, 3), "last\n");
    done();
}
END_TEST

START_TEST(writes_where_it_would_read)
{
    char text[32] = { 0 };
    int copy;

    open_file_with("one\ntwo five six\n");
    copy = dup(file->stream.fd);
    start(do_step);
    expect(step(READ_LINE, 0), "one\n"); /* reads ahead */
    ck_assert_int_eq(step(WRITE_WORD, 1)->error, 0);
    expect(step(READ_LINE, 2), "five six\n");
    ck_assert_int_gt(pread(copy, text, sizeof text - 1, 0), 0);
    ck_assert_str_eq(text, "one\nwordfive six\n");
    close(copy);
    done();
}
END_TEST

START_TEST(counts_positions_without_what_is_read_ahead)
{
    open_file_with("one\ntwo\n");
    start(do_step);
    expect(step(READ_LINE, 0), "one\n");
    ck_assert_int_eq(step(GO_BACK_TWO, 1)->offset, 2);
    expect(step(READ_FIVE, 2), "e\ntwo");
    done();
}
END_TEST

START_TEST(hands_out_what_is_read_ahead_at_once)
{
    struct nb_buf text = NB_BUF_INIT;

    open_file_with("one\ntwo\nthree");
    start(do_step);
    ck_assert(!io_stream_line_now(&file->stream, &text)); /* nothing was read yet */
    expect(step(READ_LINE, 0), "one\n");
    ck_assert(io_stream_line_now(&file->stream, &text));
    ck_assert_str_eq(nb_buf_cstr(&text), "two\n");
    ck_assert(!io_stream_line_now(&file->stream, &text)); /* no whole one */
    ck_assert(io_stream_bytes_now(&file->stream, 2, &text));
    ck_assert_str_eq(nb_buf_cstr(&text), "two\nth");
    ck_assert(!io_stream_bytes_now(&file->stream, 100, &text));
    nb_buf_done(&text);
    done();
}
END_TEST

START_TEST(refuses_lines_without_an_end)
{
    char *text = nb_xalloc_zero(LINE_MAX_BYTES + 100);

    memset(text, 'x', LINE_MAX_BYTES + 99);
    open_file_with(text);
    nb_free(text);
    start(do_step);
    ck_assert_int_eq(step(READ_LINE, 0)->error, EFBIG);
    done();
}
END_TEST

/* ---- pipes ---- */

START_TEST(waits_for_what_is_written)
{
    open_pipe(true);
    start(do_step);
    begin(READ_LINE, 0);
    put("half a ");
    usleep(20000);
    ck_assert_int_eq(answered, 0);
    put("line\nmore");
    await(&answered, 1);
    expect(&answers[0], "half a line\n");
    expect(step(READ_FIVE, 1), "more"); /* what there is */
    close(pipe_end);
    pipe_end = -1;
    ck_assert(step(READ_LINE, 2)->at_end);
    done();
}
END_TEST

START_TEST(gives_each_reader_a_line)
{
    enum { READERS = 50 };
    bool seen[READERS] = { false };
    char line[16];

    open_pipe(true);
    start(do_step);
    for (int i = 0; i < READERS; i++)
        begin(READ_LINE, i);
    for (int i = 0; i < READERS; i++) {
        snprintf(line, sizeof line, "%d\n", i);
        put(line);
    }
    await(&answered, READERS);
    for (int i = 0; i < READERS; i++)
        seen[atoi(answers[i].text)] = true;
    for (int i = 0; i < READERS; i++)
        ck_assert(seen[i]);
    done();
}
END_TEST

START_TEST(waits_for_room)
{
    static char taken[65536];
    size_t total = 0;
    ssize_t count;

    open_pipe(false);
    start(do_step);
    begin(WRITE_LONG, 0);
    usleep(20000);
    ck_assert_int_eq(answered, 0);
    while (total < LONG && (count = read(pipe_end, taken, sizeof taken)) > 0)
        total += (size_t)count;
    await(&answered, 1);
    ck_assert_int_eq(answers[0].error, 0);
    done();
}
END_TEST

START_TEST(tells_that_nobody_reads)
{
    open_pipe(false);
    close(pipe_end);
    pipe_end = -1;
    start(do_step);
    ck_assert_int_eq(step(WRITE_WORD, 0)->error, EPIPE);
    done();
}
END_TEST

START_TEST(wakes_readers_when_it_is_closed)
{
    open_pipe(true);
    start(do_step);
    begin(READ_LINE, 0);
    await(&parks, 1);
    usleep(10000); /* so that it waits for the pipe, most times */
    begin(CLOSE, 1);
    await(&answered, 2);
    ck_assert_int_eq(answers[0].error, ECANCELED);
    ck_assert_int_eq(answers[1].error, 0);
    ck_assert_int_eq(step(READ_LINE, 2)->error, ECANCELED);
    done();
}
END_TEST

START_TEST(forgets_readers_that_are_killed)
{
    uint64_t pid;

    open_pipe(true);
    start(do_step);
    pid = begin(READ_LINE, 0);
    await(&parks, 1);
    usleep(10000);
    sched_kill(NULL, sched, pid);
    await_live(0);
    put("for another\n");
    expect(step(READ_LINE, 1), "for another\n");
    done();
}
END_TEST

static long live_before;

static void set_up(void)
{
    signal(SIGPIPE, SIG_IGN);
    live_before = nb_alloc_live();
}

static void tear_down(void)
{
    ck_assert_int_eq(nb_alloc_live(), live_before);
}

int main(void)
{
    Suite *suite = suite_create("io/stream");
    TCase *files = tcase_create("files"), *pipes = tcase_create("pipes");

    tcase_add_checked_fixture(files, set_up, tear_down);
    tcase_add_test(files, reads_lines_to_the_end);
    tcase_add_test(files, mixes_lines_and_bytes);
    tcase_add_test(files, writes_where_it_would_read);
    tcase_add_test(files, counts_positions_without_what_is_read_ahead);
    tcase_add_test(files, hands_out_what_is_read_ahead_at_once);
    tcase_add_test(files, refuses_lines_without_an_end);
    suite_add_tcase(suite, files);
    tcase_set_timeout(pipes, 60);
    tcase_add_checked_fixture(pipes, set_up, tear_down);
    tcase_add_test(pipes, waits_for_what_is_written);
    tcase_add_test(pipes, gives_each_reader_a_line);
    tcase_add_test(pipes, waits_for_room);
    tcase_add_test(pipes, tells_that_nobody_reads);
    tcase_add_test(pipes, wakes_readers_when_it_is_closed);
    tcase_add_test(pipes, forgets_readers_that_are_killed);
    suite_add_tcase(suite, pipes);
    return run_suite(suite);
}
