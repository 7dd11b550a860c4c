/* test_mvar.c - what shared variables promise: atomic reads and writes, one owner, nobody forgotten in the line. */
#include "config.h"

#include "vm/mvar.h"

#include <check.h>
#include <pthread.h>
#include <semaphore.h>

#include "tests/unit/vm_fixture.h"
#include "vm/host.h"

enum { PROCESSES = 4 };

static struct fixture its[PROCESSES];
static sem_t woken[PROCESSES]; /* by its wakes */
static struct vm_mvar mvar;
static uint64_t shared_before;

static void wake(struct vm_ctx *ctx, struct vm_process *process)
{
    (void)ctx;
    for (int i = 0; i < PROCESSES; i++)
        if (process == &its[i].process)
            sem_post(&woken[i]);
}

static const struct vm_host host = { .wake = wake };

static void set_up(void)
{
    shared_before = vm_shared_bytes_total();
    memset(&mvar, 0, sizeof mvar);
    atomic_store(&mvar.value, vm_from_small(0));
    for (unsigned i = 0; i < PROCESSES; i++) {
        ck_assert(fixture_begin(&its[i], i + 1));
        its[i].ctx.host = &host;
        sem_init(&woken[i], 0, 0);
    }
}

static void tear_down(void)
{
    for (int i = 0; i < PROCESSES; i++)
        fixture_end(&its[i]);
    ck_assert_uint_eq(atomic_load(&mvar.owner), 0);
    ck_assert_ptr_null(mvar.first_waiter);
    ck_assert_ptr_null(mvar.last_waiter);
    vm_mvar_done(&mvar);
    ck_assert_uint_eq(vm_shared_bytes_total(), shared_before);
}

static bool was_woken(int process) { return sem_trywait(&woken[process]) == 0; }
static enum vm_status lock(int process) { return vm_mvar_lock(&its[process].ctx, &mvar); }
static void unlock(int process) { vm_mvar_unlock(&its[process].ctx, &mvar); }
static enum vm_status set(int process, vm_value value) { return vm_mvar_set(&its[process].ctx, &mvar, value); }

static vm_value got(int process)
{
    vm_value value = VM_NONE;

    ck_assert_int_eq(vm_mvar_get(&its[process].ctx, &mvar, &value), VM_OK);
    return value;
}

static enum vm_status try_get(int process)
{
    vm_value value;

    return vm_mvar_get(&its[process].ctx, &mvar, &value);
}

/* ---- values ---- */

START_TEST(gives_back_what_was_stored)
{
    vm_value value;

    ck_assert_uint_eq(got(0), vm_from_small(0));
    ck_assert_int_eq(set(0, vm_from_small(5)), VM_OK);
    ck_assert_uint_eq(got(1), vm_from_small(5));
    set_reg(&its[0], 0, make_cells(&its[0], 0, 50, VM_NIL));
    ck_assert_int_eq(set(0, *reg(&its[0], 0)), VM_OK);
    value = got(1);
    ck_assert(is_list_of(value, 0, 50));
    ck_assert(vm_is_shared(value));
    ck_assert_uint_eq(its[1].process.heap.shared_count, 1);
    ck_assert_uint_eq(got(2), value); /* no copy: O(1) */
}
END_TEST

START_TEST(keeps_snapshots_when_the_content_changes)
{
    set_reg(&its[0], 0, make_cells(&its[0], 0, 50, VM_NIL));
    ck_assert_int_eq(set(0, *reg(&its[0], 0)), VM_OK);
    set_reg(&its[1], 0, got(1));
    ck_assert_int_eq(set(0, VM_UNIT), VM_OK);
    ck_assert(vm_heap_collect(&its[1].ctx, 0));
    ck_assert(is_list_of(*reg(&its[1], 0), 0, 50));
    set_reg(&its[1], 0, VM_UNIT);
    ck_assert(vm_heap_collect(&its[1].ctx, 0));
    ck_assert_uint_eq(vm_shared_bytes_total(), shared_before);
}
END_TEST

START_TEST(copies_what_can_change)
{
    vm_value cell;

    set_reg(&its[0], 0, make(&its[0], VM_KIND_CELL, 0, 1));
    ck_assert_int_eq(set(0, *reg(&its[0], 0)), VM_OK);
    vm_object(*reg(&its[0], 0))[1] = VM_TRUE;
    cell = got(1);
    ck_assert_uint_eq(vm_field(cell, 0), VM_UNIT);
    vm_object(cell)[1] = VM_FALSE;
    ck_assert_uint_eq(vm_field(got(2), 0), VM_UNIT);
}
END_TEST

START_TEST(keeps_its_value_when_the_new_one_cannot_be_stored)
{
    set_reg(&its[0], 0, make(&its[0], VM_KIND_BUFFER, 0, 1));
    ck_assert_int_eq(set(0, *reg(&its[0], 0)), VM_RAISE);
    set_reg(&its[0], 0, make(&its[0], VM_KIND_TUPLE, 0, 1));
    nb_alloc_fail_after(0);
    ck_assert_int_eq(set(0, *reg(&its[0], 0)), VM_NOMEM);
    nb_alloc_fail_after(-1);
    ck_assert_uint_eq(got(0), vm_from_small(0));
}
END_TEST

START_TEST(does_not_pile_up_snapshots)
{
    for (int i = 0; i < 100000; i++) {
        if (i % 2 == 0) {
            set_reg(&its[0], 0, make(&its[0], VM_KIND_TUPLE, 0, 10));
            ck_assert_int_eq(set(0, *reg(&its[0], 0)), VM_OK);
        }
        got(1);
    }
    ck_assert_uint_lt(vm_shared_bytes_total() - shared_before, 2 * VM_SHARED_BYTES_MIN);
}
END_TEST

/* ---- locks ---- */

START_TEST(is_locked_by_one_and_as_often_as_it_likes)
{
    ck_assert_int_eq(lock(0), VM_OK);
    ck_assert_int_eq(lock(0), VM_OK);
    ck_assert_int_eq(set(0, vm_from_small(1)), VM_OK);
    ck_assert_uint_eq(got(0), vm_from_small(1));
    ck_assert_int_eq(lock(1), VM_PARK);
    ck_assert_int_eq(its[1].process.wait, VM_WAIT_MVAR);
    unlock(0);
    ck_assert(!was_woken(1));
    ck_assert_int_eq(lock(1), VM_PARK); /* woken for another reason: stays where it stands */
    unlock(0);
    ck_assert(was_woken(1) && !was_woken(1));
    ck_assert_int_eq(lock(1), VM_OK);
    ck_assert_int_eq(its[1].process.wait, VM_WAIT_NONE);
    unlock(1);
}
END_TEST

START_TEST(lets_readers_and_writers_wait_for_the_owner)
{
    ck_assert_int_eq(lock(0), VM_OK);
    its[1].process.deadline_ns = 12345;
    ck_assert_int_eq(try_get(1), VM_PARK);
    ck_assert_uint_eq(its[1].process.deadline_ns, UINT64_MAX); /* no time ends this wait */
    ck_assert_int_eq(set(2, vm_from_small(7)), VM_PARK);
    set_reg(&its[3], 0, make(&its[3], VM_KIND_TUPLE, 0, 1));
    ck_assert_int_eq(set(3, *reg(&its[3], 0)), VM_PARK);
    ck_assert_int_eq(set(0, vm_from_small(1)), VM_OK);
    unlock(0);
    ck_assert(was_woken(1) && !was_woken(2));
    ck_assert_uint_eq(got(1), vm_from_small(1));
    ck_assert(was_woken(2) && !was_woken(3)); /* passed on in order */
    ck_assert_int_eq(set(2, vm_from_small(7)), VM_OK);
    ck_assert(was_woken(3));
    ck_assert_int_eq(set(3, *reg(&its[3], 0)), VM_OK);
}
END_TEST

START_TEST(keeps_the_place_of_one_woken_in_vain)
{
    ck_assert_int_eq(lock(0), VM_OK);
    ck_assert_int_eq(lock(1), VM_PARK);
    ck_assert_int_eq(lock(2), VM_PARK);
    unlock(0);
    ck_assert_int_eq(lock(0), VM_OK); /* faster than the woken one */
    ck_assert(was_woken(1));
    ck_assert_int_eq(lock(1), VM_PARK);
    unlock(0);
    ck_assert(was_woken(1) && !was_woken(2));
    ck_assert_int_eq(lock(1), VM_OK);
    unlock(1);
    ck_assert(was_woken(2));
    ck_assert_int_eq(lock(2), VM_OK);
    unlock(2);
}
END_TEST

static void end(int process)
{
    vm_process_done(&its[process].process);
    ck_assert(vm_process_init(&its[process].process, its[process].program, 100 + (unsigned)process));
}

START_TEST(is_released_by_the_end_of_its_owner)
{
    ck_assert_int_eq(lock(0), VM_OK);
    ck_assert_int_eq(lock(0), VM_OK);
    ck_assert_int_eq(lock(1), VM_PARK);
    end(0);
    ck_assert(was_woken(1));
    ck_assert_int_eq(lock(1), VM_OK);
    unlock(1);
}
END_TEST

START_TEST(forgets_who_ends_while_waiting) /* _i: which of three in the line */
{
    ck_assert_int_eq(lock(0), VM_OK);
    for (int i = 1; i < PROCESSES; i++)
        ck_assert_int_eq(lock(i), VM_PARK);
    end(_i);
    unlock(0);
    for (int i = 1; i < PROCESSES; i++) {
        ck_assert_int_eq(was_woken(i), i != _i);
        if (i != _i) {
            ck_assert_int_eq(lock(i), VM_OK);
            unlock(i);
        }
    }
}
END_TEST

START_TEST(wakes_the_next_when_the_woken_one_ends_before_it_runs)
{
    ck_assert_int_eq(lock(0), VM_OK);
    ck_assert_int_eq(lock(1), VM_PARK);
    ck_assert_int_eq(lock(2), VM_PARK);
    unlock(0);
    ck_assert(was_woken(1));
    end(1);
    ck_assert(was_woken(2));
    ck_assert_int_eq(lock(2), VM_OK);
    unlock(2);
}
END_TEST

START_TEST(wakes_the_next_when_the_woken_ones_value_is_refused)
{
    set_reg(&its[1], 0, make(&its[1], VM_KIND_BUFFER, 0, 1));
    ck_assert_int_eq(lock(0), VM_OK);
    ck_assert_int_eq(set(1, *reg(&its[1], 0)), VM_PARK);
    ck_assert_int_eq(lock(2), VM_PARK);
    unlock(0);
    ck_assert(was_woken(1));
    ck_assert_int_eq(set(1, *reg(&its[1], 0)), VM_RAISE);
    ck_assert(was_woken(2));
    ck_assert_int_eq(lock(2), VM_OK);
    unlock(2);
}
END_TEST

START_TEST(may_be_unlocked_in_any_order)
{
    struct vm_mvar other = { 0 };

    ck_assert_int_eq(lock(0), VM_OK);
    ck_assert_int_eq(vm_mvar_lock(&its[0].ctx, &other), VM_OK);
    unlock(0);
    ck_assert_ptr_eq(its[0].process.held, &other);
    vm_mvar_unlock(&its[0].ctx, &other);
    ck_assert_ptr_null(its[0].process.held);
}
END_TEST

/* ---- threads: each runs one process and sleeps while that is parked ---- */

enum { ROUNDS = 20000 };

static void await(int process, enum vm_status status)
{
    if (status == VM_PARK)
        sem_wait(&woken[process]);
}

static enum vm_status get_waiting(int process, vm_value *ret)
{
    enum vm_status status;

    while ((status = vm_mvar_get(&its[process].ctx, &mvar, ret)) == VM_PARK)
        await(process, status);
    return status;
}

static void lock_waiting(int process)
{
    enum vm_status status;

    while ((status = lock(process)) == VM_PARK)
        await(process, status);
}

static enum vm_status set_waiting(int process, vm_value value)
{
    enum vm_status status;

    while ((status = set(process, value)) == VM_PARK)
        await(process, status);
    return status;
}

/* hits = hits + 1, in turns as a small Int and as a boxed one. */
static void *count(void *argument)
{
    int process = (int)(intptr_t)argument;
    struct fixture *it = &its[process];

    for (int i = 0; i < ROUNDS; i++) {
        vm_value value = VM_NONE;
        int64_t n;

        lock_waiting(process);
        if (get_waiting(process, &value) != VM_OK)
            return argument;
        n = 1 + (vm_is_small(value) ? vm_small(value) : (int64_t)vm_field(value, 0));
        if (i % 3 == 0)
            set_reg(it, 0, make_int64(it, n));
        else
            set_reg(it, 0, vm_from_small(n));
        if (set_waiting(process, *reg(it, 0)) != VM_OK)
            return argument;
        unlock(process);
    }
    return NULL;
}

START_TEST(loses_no_update)
{
    pthread_t threads[PROCESSES];
    vm_value value;

    for (intptr_t i = 0; i < PROCESSES; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count, (void *)i), 0);
    for (int i = 0; i < PROCESSES; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    value = got(0);
    ck_assert_int_eq(vm_is_small(value) ? vm_small(value) : (int64_t)vm_field(value, 0), PROCESSES * ROUNDS);
}
END_TEST

static _Atomic int torn;

/* Process 0 writes pairs of equal halves; all others read them without a lock. */
static void *write_or_read_pairs(void *argument)
{
    int process = (int)(intptr_t)argument;
    struct fixture *it = &its[process];

    for (int i = 0; i < ROUNDS; i++) {
        vm_value value = VM_NONE;

        if (process == 0) {
            set_reg(it, 0, make_pair(it, vm_from_small(i), vm_from_small(i)));
            if (set_waiting(0, *reg(it, 0)) != VM_OK)
                torn++;
        } else if (get_waiting(process, &value) != VM_OK) {
            torn++;
        } else if (vm_is_object(value) && vm_field(value, 0) != vm_field(value, 1)) {
            torn++;
        }
    }
    return NULL;
}

START_TEST(shows_readers_whole_values)
{
    pthread_t threads[PROCESSES];

    for (intptr_t i = 0; i < PROCESSES; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_or_read_pairs, (void *)i), 0);
    for (int i = 0; i < PROCESSES; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(torn, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vm/mvar");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, gives_back_what_was_stored);
    tcase_add_test(all, keeps_snapshots_when_the_content_changes);
    tcase_add_test(all, copies_what_can_change);
    tcase_add_test(all, keeps_its_value_when_the_new_one_cannot_be_stored);
    tcase_add_test(all, does_not_pile_up_snapshots);
    tcase_add_test(all, is_locked_by_one_and_as_often_as_it_likes);
    tcase_add_test(all, lets_readers_and_writers_wait_for_the_owner);
    tcase_add_test(all, keeps_the_place_of_one_woken_in_vain);
    tcase_add_test(all, is_released_by_the_end_of_its_owner);
    tcase_add_loop_test(all, forgets_who_ends_while_waiting, 1, PROCESSES);
    tcase_add_test(all, wakes_the_next_when_the_woken_one_ends_before_it_runs);
    tcase_add_test(all, wakes_the_next_when_the_woken_ones_value_is_refused);
    tcase_add_test(all, may_be_unlocked_in_any_order);
    tcase_add_test(all, loses_no_update);
    tcase_add_test(all, shows_readers_whole_values);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
