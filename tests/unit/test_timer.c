/* test_timer.c - processes are woken in the order of their deadlines, once; garbage stays bounded. */
#include "config.h"

#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "scheduler/timer.h"
#include "vm/process.h"

enum { MANY = 2000 };

static struct sched_timers *timers;
static struct vm_process processes[MANY];
static _Atomic uint64_t at[MANY];
static int order[MANY], order_count; /* of those woken last */
static int woken[MANY];              /* how often */

static void wake(struct vm_ctx *ctx, struct vm_process *process)
{
    (void)ctx;
    order[order_count++ % MANY] = (int)(process - processes);
    woken[process - processes]++;
}

static void arm(int process, uint64_t deadline_ns)
{
    ck_assert(sched_timers_arm(timers, &processes[process], &at[process], deadline_ns));
}

static void set_up(void)
{
    timers = sched_timers_new();
    ck_assert_ptr_nonnull(timers);
    memset(woken, 0, sizeof woken);
    order_count = 0;
    for (int i = 0; i < MANY; i++)
        atomic_store(&at[i], 0);
}

static void tear_down(void)
{
    timers = sched_timers_free(timers);
}

static size_t run(uint64_t now_ns)
{
    return sched_timers_run(timers, now_ns, NULL, wake);
}

START_TEST(has_no_deadline_when_empty)
{
    ck_assert_uint_eq(sched_timers_next(timers), UINT64_MAX);
    ck_assert_uint_eq(run(UINT64_MAX), 0);
}
END_TEST

START_TEST(wakes_what_is_due_in_order)
{
    static const uint64_t deadlines[] = { 50, 10, 40, 20, 30 };
    static const int expected[] = { 1, 3, 4 };

    for (int i = 0; i < 5; i++)
        arm(i, deadlines[i]);
    ck_assert_uint_eq(sched_timers_next(timers), 10);
    ck_assert_uint_eq(run(9), 0);
    ck_assert_uint_eq(run(30), 3);
    ck_assert_int_eq(memcmp(order, expected, sizeof expected), 0);
    ck_assert_uint_eq(sched_timers_next(timers), 40);
}
END_TEST

START_TEST(wakes_equal_deadlines_in_the_order_armed)
{
    for (int i = 0; i < 100; i++)
        arm(i, 7);
    ck_assert_uint_eq(run(7), 100);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(order[i], i);
}
END_TEST

/* Against a slow but plain model: pseudo-random deadlines, nearer ones and processes that end. A process is woken at
 * the nearest deadline it had since it last had none. */
START_TEST(agrees_with_a_model)
{
    uint64_t deadlines[MANY] = { 0 }, last = 0;
    uint32_t random = 12345;
    int waiting = 0;

    for (int step = 0; step < 20000; step++) {
        int i = (int)((random = random * 1664525 + 1013904223) >> 8) % MANY;
        uint64_t deadline = 1 + (random >> 4) % 100000;

        if (random >> 30 == 0) {
            atomic_store(&at[i], 0);
            deadlines[i] = 0;
        } else {
            arm(i, deadline);
            deadlines[i] = deadlines[i] == 0 || deadline < deadlines[i] ? deadline : deadlines[i];
        }
    }
    for (int i = 0; i < MANY; i++)
        waiting += deadlines[i] != 0;
    run(UINT64_MAX);
    ck_assert_int_eq(order_count, waiting);
    for (int i = 0; i < waiting; i++) {
        ck_assert_int_eq(woken[order[i]], 1);
        ck_assert_uint_ge(deadlines[order[i]], last);
        last = deadlines[order[i]];
        ck_assert_uint_ne(last, 0);
    }
}
END_TEST

static void wake_again(struct vm_ctx *ctx, struct vm_process *process)
{
    wake(ctx, process);
    arm((int)(process - processes), 5);
}

START_TEST(ends_although_a_process_arms_again)
{
    arm(0, 5);
    ck_assert_uint_eq(sched_timers_run(timers, 10, NULL, wake_again), 1);
    ck_assert_uint_eq(sched_timers_run(timers, 10, NULL, wake_again), 1);
    ck_assert_int_eq(woken[0], 2);
}
END_TEST

START_TEST(wakes_a_process_once)
{
    arm(1, 20);
    ck_assert_uint_eq(run(19), 0);
    run(20);
    ck_assert_int_eq(woken[1], 1);
    ck_assert_uint_eq(at[1], 0);
    run(1000);
    ck_assert_int_eq(woken[1], 1);
}
END_TEST

START_TEST(keeps_the_entry_when_the_deadline_moves_on)
{
    for (uint64_t deadline = 100; deadline < 200; deadline++)
        arm(0, deadline);
    ck_assert_uint_eq(sched_timers_count(timers), 1);
    run(100);
    ck_assert_int_eq(woken[0], 1); /* too early: it will arm again */
    arm(0, 199);
    run(199);
    ck_assert_int_eq(woken[0], 2);
}
END_TEST

START_TEST(takes_a_nearer_deadline_and_drops_the_old_one)
{
    arm(0, 100);
    arm(0, 50);
    run(50);
    ck_assert_int_eq(woken[0], 1);
    run(100);
    ck_assert_int_eq(woken[0], 1);
    ck_assert_uint_eq(sched_timers_count(timers), 0);
}
END_TEST

START_TEST(forgets_a_process_that_has_ended)
{
    arm(2, 100);
    atomic_store(&at[2], 0);
    run(100);
    ck_assert_int_eq(woken[2], 0);
}
END_TEST

START_TEST(wakes_for_a_deadline_of_zero)
{
    arm(2, 0);
    run(1);
    ck_assert_int_eq(woken[2], 1);
}
END_TEST

/* receive … after 1 h, sleep 1 ms, again and again: each round leaves a stale entry an hour away. */
START_TEST(sweeps_out_garbage)
{
    for (uint64_t round = 0; round < 100000; round++) {
        arm(0, 1000000000 + round);
        arm(0, round + 1);
        run(round + 1);
    }
    ck_assert_uint_lt(sched_timers_count(timers), 5000);
    ck_assert_int_eq(woken[0], 100000);
}
END_TEST

START_TEST(keeps_what_waits_when_it_sweeps)
{
    for (int i = 1; i <= 100; i++)
        arm(i, 5000000 - (uint64_t)i);
    for (uint64_t round = 0; round < 10000; round++) {
        arm(0, 1000000 + round);
        atomic_store(&at[0], 0);
    }
    run(UINT64_MAX);
    ck_assert_int_eq(order_count, 100);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(order[i], 100 - i);
}
END_TEST

START_TEST(says_when_there_is_no_memory)
{
    nb_alloc_fail_after(0);
    bool armed = sched_timers_arm(timers, &processes[0], &at[0], 1);
    nb_alloc_fail_after(-1);
    ck_assert(!armed);
    ck_assert_uint_eq(at[0], 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scheduler/timer");
    TCase *all = tcase_create("timers");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, has_no_deadline_when_empty);
    tcase_add_test(all, wakes_what_is_due_in_order);
    tcase_add_test(all, wakes_equal_deadlines_in_the_order_armed);
    tcase_add_test(all, agrees_with_a_model);
    tcase_add_test(all, ends_although_a_process_arms_again);
    tcase_add_test(all, wakes_a_process_once);
    tcase_add_test(all, keeps_the_entry_when_the_deadline_moves_on);
    tcase_add_test(all, takes_a_nearer_deadline_and_drops_the_old_one);
    tcase_add_test(all, forgets_a_process_that_has_ended);
    tcase_add_test(all, wakes_for_a_deadline_of_zero);
    tcase_add_test(all, sweeps_out_garbage);
    tcase_add_test(all, keeps_what_waits_when_it_sweeps);
    tcase_add_test(all, says_when_there_is_no_memory);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
