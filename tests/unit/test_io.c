/* test_io.c - operations on the pool: done once, seen by their process, left behind by one that ends; and reading
 * files. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/file.h"
#include "io/reactor.h"
#include "tests/unit/io_fixture.h"

static _Atomic int worked, freed;

static void set_up_counts(void)
{
    worked = freed = 0;
}

/* ---- operations ---- */

struct square {
    struct io_operation operation;
    int number, result, sleep_ms;
};

static void work_square(struct io_operation *operation)
{
    struct square *square = (struct square *)operation;

    usleep((useconds_t)square->sleep_ms * 1000);
    square->result = square->number * square->number;
    atomic_fetch_add(&worked, 1);
}

static void free_square(struct io_operation *operation)
{
    atomic_fetch_add(&freed, 1);
    nb_free(operation);
}

static enum vm_status square(struct vm_ctx *ctx, int number, int sleep_ms)
{
    struct io_operation *operation = io_operation_of(ctx);
    bool right;

    if (operation == NULL) {
        struct square *made = nb_alloc_zero(sizeof *made);

        ck_assert_ptr_nonnull(made);
        io_operation_init(&made->operation, work_square, free_square);
        made->number = number;
        made->sleep_ms = sleep_ms;
        return io_submit(ctx, &made->operation);
    }
    if (!io_is_done(operation))
        return io_park(ctx);
    right = ((struct square *)operation)->result == number * number;
    io_finish(ctx);
    return right && io_operation_of(ctx) == NULL ? VM_OK : VM_RAISE;
}

static enum vm_status quick_square(struct vm_ctx *ctx, int number)
{
    return square(ctx, number, 0);
}

static enum vm_status slow_square(struct vm_ctx *ctx, int number)
{
    return square(ctx, number, 30);
}

START_TEST(brings_each_process_its_result)
{
    enum { PROCESSES = 5000 };

    start(quick_square);
    for (int i = 0; i < PROCESSES; i++)
        submit(i);
    await_live(0);
    ck_assert_int_eq(finished, PROCESSES);
    ck_assert_int_eq(worked, PROCESSES);
    ck_assert_int_eq(raises, 0);
    finish();
    ck_assert_int_eq(freed, PROCESSES);
}
END_TEST

START_TEST(parks_again_when_woken_too_early)
{
    struct vm_process *process;

    start(slow_square);
    process = sched_find(sched, submit(7));
    await(&parks, 1);
    for (int i = 0; i < 10 && process != NULL; i++)
        sched_wake(NULL, process);
    await_live(0);
    ck_assert_int_gt(parks, 1);
    ck_assert_int_eq(finished, 1);
    ck_assert_int_eq(worked, 1);
    finish();
}
END_TEST

START_TEST(leaves_the_operation_of_a_killed_process_behind)
{
    enum { PROCESSES = 200 };
    uint64_t pids[PROCESSES];

    start(slow_square);
    for (int i = 0; i < PROCESSES; i++)
        pids[i] = submit(i);
    await(&parks, PROCESSES);
    for (int i = 0; i < PROCESSES; i++)
        sched_kill(NULL, sched, pids[i]);
    await_live(0);
    ck_assert_int_ge(killed, PROCESSES / 2);
    finish();
    ck_assert_int_eq(freed, PROCESSES);
    ck_assert_int_lt(worked, PROCESSES); /* most had not begun */
}
END_TEST

START_TEST(ends_with_operations_pending) /* again and again: the stop races with the last arrivals */
{
    start(slow_square);
    for (int i = 0; i < 100; i++)
        submit(i);
    await(&parks, _i % 2 == 0 ? 100 : _i);
    finish();
    ck_assert_int_eq(freed, parks);
}
END_TEST

START_TEST(starts_again_after_a_stop)
{
    io_stop(); /* never started: nothing */
    for (int i = 0; i < 3; i++) {
        start(quick_square);
        submit(i);
        await(&finished, 1);
        finish();
    }
}
END_TEST

static enum vm_status no_memory(struct vm_ctx *ctx, int number)
{
    (void)number;
    return io_submit(ctx, NULL);
}

START_TEST(passes_on_that_there_is_no_memory)
{
    start(no_memory);
    submit(1);
    await_live(0);
    ck_assert_int_eq(raises, 1);
    finish();
}
END_TEST

/* ---- files ---- */

static char folder[] = "/tmp/test_io.XXXXXX";
static char path[sizeof folder + 16];

static void set_up_file(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
}

static void tear_down_file(void)
{
    unlink(path);
    rmdir(folder);
    memset(strrchr(folder, '.') + 1, 'X', 6);
}

static void write_file(const char *bytes, size_t length)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 1000000 };

START_TEST(reads_a_file_of_any_size) /* loop test over sizes[] */
{
    size_t size = sizes[_i], length = 1;
    char *bytes = malloc(size + 1), *data = NULL;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 7); /* NUL bytes too */
    write_file(bytes, size);
    ck_assert_int_eq(io_file_read_now(path, SIZE_MAX, &data, &length), 0);
    ck_assert_uint_eq(length, size);
    ck_assert_int_eq(data == NULL, size == 0);
    if (size > 0)
        ck_assert_mem_eq(data, bytes, size);
    nb_free(data);
    data = NULL;
    ck_assert_int_eq(io_file_read_now(path, size, &data, &length), 0);
    nb_free(data);
    data = NULL;
    if (size > 0)
        ck_assert_int_eq(io_file_read_now(path, size - 1, &data, &length), -EFBIG);
    ck_assert_ptr_null(data);
    free(bytes);
}
END_TEST

START_TEST(reads_files_that_do_not_tell_their_size)
{
    char *data = NULL;
    size_t length;

    ck_assert_int_eq(io_file_read_now("/proc/self/status", SIZE_MAX, &data, &length), 0);
    ck_assert_uint_gt(length, 100);
    nb_free(data);
    data = NULL;
    ck_assert_int_eq(io_file_read_now("/proc/self/status", 100, &data, &length), -EFBIG);
    ck_assert_int_eq(io_file_read_now("/dev/zero", 100000, &data, &length), -EFBIG);
    ck_assert_ptr_null(data);
}
END_TEST

START_TEST(does_not_wait_for_a_pipe)
{
    char *data = NULL;
    size_t length;

    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(io_file_read_now(path, SIZE_MAX, &data, &length), 0);
    ck_assert_uint_eq(length, 0);
}
END_TEST

START_TEST(tells_why_it_cannot_read)
{
    char *data = NULL;
    size_t length;
    int r = 0;

    ck_assert_int_eq(io_file_read_now(path, SIZE_MAX, &data, &length), -ENOENT);
    ck_assert_int_eq(io_file_read_now(folder, SIZE_MAX, &data, &length), -EISDIR);
    ck_assert_int_eq(io_file_read_now("", SIZE_MAX, &data, &length), -ENOENT);
    write_file("hello", 5);
    nb_alloc_fail_after(0);
    r = io_file_read_now(path, SIZE_MAX, &data, &length);
    nb_alloc_fail_after(-1);
    ck_assert_int_eq(r, -ENOMEM);
    ck_assert_ptr_null(data);
}
END_TEST

START_TEST(tells_the_status_of_a_file)
{
    struct io_file_status status;

    ck_assert_int_eq(io_file_status_now(path, &status), -ENOENT);
    write_file("hello", 5);
    ck_assert_int_eq(io_file_status_now(path, &status), 0);
    ck_assert_int_eq(status.kind, IO_FILE_REGULAR);
    ck_assert_uint_eq(status.bytes, 5);
    ck_assert_int_gt(status.modified_ns, 0);
    ck_assert_int_eq(io_file_status_now(folder, &status), 0);
    ck_assert_int_eq(status.kind, IO_FILE_DIRECTORY);
    ck_assert_int_eq(io_file_status_now("/dev/null", &status), 0);
    ck_assert_int_eq(status.kind, IO_FILE_OTHER);
}
END_TEST

/* Even numbers read the file, odd ones ask for its status; 98 and 99 have a NUL in the path. */
static enum vm_status use_file(struct vm_ctx *ctx, int number)
{
    struct io_file *file = io_file_result(ctx);
    size_t length = strlen(path) + (number >= 98 ? 2 : 0);
    bool right;

    if (file == NULL && io_operation_of(ctx) != NULL)
        return io_park(ctx);
    if (file == NULL && number % 2 == 0)
        return io_file_read(ctx, path, length, 1000);
    if (file == NULL)
        return io_file_status(ctx, path, length);
    if (number >= 98)
        right = file->error == EINVAL && file->data == NULL;
    else if (number % 2 == 0)
        right = file->error == 0 && file->length == 5 && memcmp(file->data, "hello", 5) == 0;
    else
        right = file->error == 0 && file->status.bytes == 5;
    io_finish(ctx);
    return right ? VM_OK : VM_RAISE;
}

START_TEST(serves_processes)
{
    write_file("hello", 5);
    start(use_file);
    for (int i = 0; i < 100; i++)
        submit(i);
    await_live(0);
    finish();
    ck_assert_int_eq(raises, 0);
    ck_assert_int_eq(finished, 100);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io");
    TCase *operations = tcase_create("operations"), *files = tcase_create("files");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(operations, 60);
    tcase_add_checked_fixture(operations, set_up_counts, NULL);
    tcase_add_test(operations, brings_each_process_its_result);
    tcase_add_test(operations, parks_again_when_woken_too_early);
    tcase_add_test(operations, leaves_the_operation_of_a_killed_process_behind);
    tcase_add_loop_test(operations, ends_with_operations_pending, 0, 40);
    tcase_add_test(operations, starts_again_after_a_stop);
    tcase_add_test(operations, passes_on_that_there_is_no_memory);
    suite_add_tcase(suite, operations);
    tcase_add_checked_fixture(files, set_up_file, tear_down_file);
    tcase_add_loop_test(files, reads_a_file_of_any_size, 0, sizeof sizes / sizeof *sizes);
    tcase_add_test(files, reads_files_that_do_not_tell_their_size);
    tcase_add_test(files, does_not_wait_for_a_pipe);
    tcase_add_test(files, tells_why_it_cannot_read);
    tcase_add_test(files, tells_the_status_of_a_file);
    tcase_add_test(files, serves_processes);
    suite_add_tcase(suite, files);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
