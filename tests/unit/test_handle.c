/* test_handle.c - numbers of handles: whose they are, who may find them, when they are dropped. */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "io/handle.h"
#include "tests/unit/run_suite.h"

static int dropped, freed, programs[2];
static struct vm_process first, second, stranger; /* two of one program, one of another */
static long live_before;

static void drop(struct io_handle *handle)
{
    dropped++;
    io_handle_unref(handle);
}

static void free_handle(struct io_handle *handle)
{
    freed++;
    nb_free(handle);
}

static struct io_handle *make(enum io_handle_kind kind)
{
    struct io_handle *handle = nb_xalloc_zero(sizeof *handle);

    io_handle_init(handle, kind, drop, free_handle);
    return handle;
}

static int64_t add(struct vm_process *process, enum io_handle_kind kind)
{
    struct vm_ctx ctx = { .process = process };

    return io_handle_add(&ctx, make(kind));
}

/* Whether that process finds it; one that nobody holds is then its. */
static bool finds(struct vm_process *process, enum io_handle_kind kind, int64_t number)
{
    struct vm_ctx ctx = { .process = process };
    struct io_handle *handle = io_handle_find(&ctx, kind, number);

    if (handle == NULL)
        return false;
    ck_assert_int_eq(handle->number, number);
    io_handle_unref(handle);
    return true;
}

static void set_up(void)
{
    dropped = freed = 0;
    first = second = stranger = (struct vm_process){ .published = false };
    first.owner = second.owner = &programs[0];
    stranger.owner = &programs[1];
    live_before = nb_alloc_live();
}

/* Nobody is left. */
static void tear_down(void)
{
    io_process_ended(&first, VM_STOP_CRASH);
    io_process_ended(&second, VM_STOP_CRASH);
    io_process_ended(&stranger, VM_STOP_CRASH);
    io_group_ended((const struct sched_group *)&programs[0]);
    io_group_ended((const struct sched_group *)&programs[1]);
    ck_assert_int_eq(nb_alloc_live(), live_before);
}

START_TEST(gives_each_a_number_of_its_own)
{
    int64_t one = add(&first, IO_HANDLE_FILE), other = add(&first, IO_HANDLE_FILE);
    struct vm_ctx ctx = { .process = &first };

    ck_assert_int_gt(one, 0);
    ck_assert_int_gt(other, one);
    io_handle_unref(io_handle_take(&ctx, IO_HANDLE_FILE, other));
    ck_assert_int_gt(add(&first, IO_HANDLE_FILE), other); /* also when the last one is gone */
}
END_TEST

START_TEST(tells_kinds_and_programs_apart)
{
    int64_t number = add(&first, IO_HANDLE_FILE);

    ck_assert(finds(&first, IO_HANDLE_FILE, number));
    ck_assert(finds(&second, IO_HANDLE_FILE, number));
    ck_assert(!finds(&stranger, IO_HANDLE_FILE, number));
    ck_assert(!finds(&first, IO_HANDLE_CHILD, number));
    ck_assert(!finds(&first, IO_HANDLE_FILE, number + 1));
    ck_assert(!finds(&first, IO_HANDLE_FILE, -number));
    ck_assert(!finds(&first, IO_HANDLE_FILE, INT64_MIN));
}
END_TEST

START_TEST(takes_out_once)
{
    int64_t number = add(&first, IO_HANDLE_CHILD);
    struct vm_ctx ctx = { .process = &second }, others = { .process = &stranger };
    struct io_handle *handle;

    ck_assert_ptr_null(io_handle_take(&others, IO_HANDLE_CHILD, number));
    handle = io_handle_take(&ctx, IO_HANDLE_CHILD, number);
    ck_assert_ptr_nonnull(handle);
    ck_assert(atomic_load(&handle->over));
    ck_assert_ptr_null(io_handle_take(&ctx, IO_HANDLE_CHILD, number));
    ck_assert(!finds(&first, IO_HANDLE_CHILD, number));
    io_handle_unref(handle);
    ck_assert_int_eq(freed, 1);
    ck_assert_int_eq(dropped, 0);
}
END_TEST

START_TEST(holds_many)
{
    enum { MANY = 5000 };
    int64_t start = add(&first, IO_HANDLE_FILE);

    for (int i = 1; i < MANY; i++)
        ck_assert_int_eq(add(i % 2 == 0 ? &first : &second, IO_HANDLE_FILE), start + i);
    for (int i = 0; i < MANY; i++)
        ck_assert(finds(&first, IO_HANDLE_FILE, start + i));
    io_process_ended(&second, VM_STOP_CRASH);
    ck_assert_int_eq(dropped, MANY / 2);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(finds(&first, IO_HANDLE_FILE, start + i), i % 2 == 0);
}
END_TEST

START_TEST(drops_what_nobody_else_can_know)
{
    int64_t file = add(&first, IO_HANDLE_FILE), socket = add(&first, IO_HANDLE_SOCKET);

    io_process_ended(&first, VM_STOP_END);
    ck_assert_int_eq(dropped, 2);
    ck_assert_int_eq(freed, 2);
    ck_assert(!finds(&second, IO_HANDLE_FILE, file));
    ck_assert(!finds(&second, IO_HANDLE_SOCKET, socket));
}
END_TEST

START_TEST(keeps_what_others_may_know)
{
    int64_t file = add(&first, IO_HANDLE_FILE);

    first.published = true;
    io_process_ended(&first, VM_STOP_END);
    ck_assert_int_eq(dropped, 0);
    ck_assert(!finds(&stranger, IO_HANDLE_FILE, file));
    ck_assert(finds(&second, IO_HANDLE_FILE, file)); /* its, from here */
    io_process_ended(&second, VM_STOP_END);
    ck_assert_int_eq(dropped, 1);
}
END_TEST

START_TEST(lets_sockets_outlive_a_crash)
{
    int64_t file = add(&first, IO_HANDLE_FILE), socket = add(&first, IO_HANDLE_SOCKET);

    first.published = true;
    io_process_ended(&first, VM_STOP_CRASH);
    ck_assert(!finds(&second, IO_HANDLE_FILE, file));
    ck_assert(finds(&second, IO_HANDLE_SOCKET, socket));
}
END_TEST

START_TEST(keeps_the_youngest_orphans)
{
    int64_t start = 0;

    first.published = true;
    for (int i = 0; i < IO_ORPHANS_MAX + 10; i++) {
        int64_t number = add(&first, IO_HANDLE_FILE);

        start = i == 0 ? number : start;
        io_process_ended(&first, VM_STOP_END);
    }
    ck_assert_int_eq(dropped, 10);
    ck_assert(!finds(&second, IO_HANDLE_FILE, start + 9));
    ck_assert(finds(&second, IO_HANDLE_FILE, start + 10));
}
END_TEST

START_TEST(drops_the_orphans_of_a_program_that_ended)
{
    int64_t file = add(&first, IO_HANDLE_FILE), other = add(&stranger, IO_HANDLE_FILE);

    first.published = stranger.published = true;
    io_process_ended(&first, VM_STOP_END);
    io_process_ended(&stranger, VM_STOP_END);
    io_group_ended((const struct sched_group *)&programs[0]);
    ck_assert_int_eq(dropped, 1);
    ck_assert(!finds(&second, IO_HANDLE_FILE, file));
    ck_assert(finds(&stranger, IO_HANDLE_FILE, other));
}
END_TEST

START_TEST(is_kept_by_those_who_use_it)
{
    struct vm_ctx ctx = { .process = &second };
    struct io_handle *handle = io_handle_find(&ctx, IO_HANDLE_FILE, add(&first, IO_HANDLE_FILE));

    io_process_ended(&first, VM_STOP_CRASH);
    ck_assert_int_eq(dropped, 1);
    ck_assert_int_eq(freed, 0);
    ck_assert(atomic_load(&handle->over));
    io_handle_unref(handle);
    ck_assert_int_eq(freed, 1);
}
END_TEST

START_TEST(leaves_it_to_the_caller_without_memory)
{
    struct vm_ctx ctx = { .process = &first };
    struct io_handle *handle = make(IO_HANDLE_FILE);

    nb_alloc_fail_after(0);
    ck_assert_int_eq(io_handle_add(&ctx, handle), 0);
    nb_alloc_fail_after(-1);
    io_handle_unref(handle);
    ck_assert_int_eq(freed, 1);
    ck_assert_int_gt(add(&first, IO_HANDLE_FILE), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io/handle");
    TCase *all = tcase_create("handles");

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, gives_each_a_number_of_its_own);
    tcase_add_test(all, tells_kinds_and_programs_apart);
    tcase_add_test(all, takes_out_once);
    tcase_add_test(all, holds_many);
    tcase_add_test(all, drops_what_nobody_else_can_know);
    tcase_add_test(all, keeps_what_others_may_know);
    tcase_add_test(all, lets_sockets_outlive_a_crash);
    tcase_add_test(all, keeps_the_youngest_orphans);
    tcase_add_test(all, drops_the_orphans_of_a_program_that_ended);
    tcase_add_test(all, is_kept_by_those_who_use_it);
    tcase_add_test(all, leaves_it_to_the_caller_without_memory);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
