/* test_timer.c - deadlines fire in order, once, not after being cancelled; garbage stays bounded. */
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
static struct numbered { struct sched_timer timer; int number; } numbered[MANY];
static struct vm_process processes[3];
static _Atomic uint64_t at[3];
static int fired[MANY + 1], fired_count;
static int woken[3];

static void fire(struct sched_timer *timer, struct vm_ctx *ctx)
{
    (void)ctx;
    ck_assert(!sched_timer_is_set(timer));
    fired[fired_count++] = ((struct numbered *)timer)->number;
}

static void wake(struct vm_ctx *ctx, struct vm_process *process)
{
    (void)ctx;
    woken[process - processes]++;
}

static void set_up(void)
{
    timers = sched_timers_new();
    ck_assert_ptr_nonnull(timers);
    memset(numbered, 0, sizeof numbered);
    memset(woken, 0, sizeof woken);
    fired_count = 0;
    for (int i = 0; i < MANY; i++) {
        numbered[i].number = i;
        numbered[i].timer.fire = fire;
    }
    for (int i = 0; i < 3; i++)
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

START_TEST(fires_what_is_due_in_order)
{
    static const uint64_t deadlines[] = { 50, 10, 40, 20, 30 };
    static const int order[] = { 1, 3, 4 };

    for (int i = 0; i < 5; i++)
        ck_assert(sched_timers_set(timers, &numbered[i].timer, deadlines[i]));
    ck_assert_uint_eq(sched_timers_next(timers), 10);
    ck_assert_uint_eq(run(9), 0);
    ck_assert_uint_eq(run(30), 3);
    ck_assert_int_eq(memcmp(fired, order, sizeof order), 0);
    ck_assert_uint_eq(sched_timers_next(timers), 40);
}
END_TEST

START_TEST(fires_equal_deadlines_in_the_order_set)
{
    for (int i = 0; i < 100; i++)
        ck_assert(sched_timers_set(timers, &numbered[i].timer, 7));
    ck_assert_uint_eq(run(7), 100);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(fired[i], i);
}
END_TEST

START_TEST(moves_a_timer_that_is_set)
{
    for (int i = 0; i < 3; i++)
        ck_assert(sched_timers_set(timers, &numbered[i].timer, 10 + (uint64_t)i));
    ck_assert(sched_timers_set(timers, &numbered[0].timer, 100));
    ck_assert(sched_timers_set(timers, &numbered[2].timer, 1));
    ck_assert_uint_eq(sched_timers_count(timers), 3);
    ck_assert_uint_eq(run(50), 2);
    ck_assert_int_eq(fired[0], 2);
    ck_assert_int_eq(fired[1], 1);
    ck_assert(sched_timer_is_set(&numbered[0].timer));
}
END_TEST

START_TEST(does_not_fire_what_was_cancelled)
{
    for (int i = 0; i < 10; i++)
        ck_assert(sched_timers_set(timers, &numbered[i].timer, 100 - (uint64_t)i));
    sched_timers_cancel(timers, &numbered[9].timer);
    sched_timers_cancel(timers, &numbered[0].timer);
    sched_timers_cancel(timers, &numbered[0].timer); /* nothing to do */
    ck_assert_uint_eq(run(1000), 8);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(fired[i], 8 - i);
}
END_TEST

/* Against a slow but plain model: pseudo-random sets, moves and cancels. */
START_TEST(agrees_with_a_model)
{
    uint64_t deadlines[MANY] = { 0 }, last = 0;
    uint32_t random = 12345;
    size_t set = 0;

    for (int step = 0; step < 20000; step++) {
        int i = (int)((random = random * 1664525 + 1013904223) >> 8) % MANY;

        if (random >> 30 == 0) {
            sched_timers_cancel(timers, &numbered[i].timer);
            deadlines[i] = 0;
        } else {
            deadlines[i] = 1 + (random >> 4) % 100000;
            ck_assert(sched_timers_set(timers, &numbered[i].timer, deadlines[i]));
        }
    }
    for (int i = 0; i < MANY; i++)
        set += deadlines[i] != 0;
    ck_assert_uint_eq(sched_timers_count(timers), set);
    ck_assert_uint_eq(run(UINT64_MAX), set);
    for (int i = 0; i < fired_count; i++) {
        ck_assert_uint_ge(deadlines[fired[i]], last);
        last = deadlines[fired[i]];
        ck_assert_uint_ne(last, 0);
    }
}
END_TEST

static void set_again(struct sched_timer *timer, struct vm_ctx *ctx)
{
    (void)ctx;
    fired_count++;
    ck_assert(sched_timers_set(timers, timer, 5));
}

START_TEST(ends_although_a_timer_sets_itself_again)
{
    numbered[0].timer.fire = set_again;
    ck_assert(sched_timers_set(timers, &numbered[0].timer, 5));
    ck_assert_uint_eq(run(10), 1);
    ck_assert_uint_eq(run(10), 1);
    ck_assert_int_eq(fired_count, 2);
}
END_TEST

START_TEST(wakes_a_process_once)
{
    ck_assert(sched_timers_arm(timers, &processes[1], &at[1], 20));
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
        ck_assert(sched_timers_arm(timers, &processes[0], &at[0], deadline));
    ck_assert_uint_eq(sched_timers_count(timers), 1);
    run(100);
    ck_assert_int_eq(woken[0], 1); /* too early: it will arm again */
    ck_assert(sched_timers_arm(timers, &processes[0], &at[0], 199));
    run(199);
    ck_assert_int_eq(woken[0], 2);
}
END_TEST

START_TEST(takes_a_nearer_deadline_and_drops_the_old_one)
{
    ck_assert(sched_timers_arm(timers, &processes[0], &at[0], 100));
    ck_assert(sched_timers_arm(timers, &processes[0], &at[0], 50));
    run(50);
    ck_assert_int_eq(woken[0], 1);
    run(100);
    ck_assert_int_eq(woken[0], 1);
    ck_assert_uint_eq(sched_timers_count(timers), 0);
}
END_TEST

START_TEST(forgets_a_process_that_has_ended)
{
    ck_assert(sched_timers_arm(timers, &processes[2], &at[2], 100));
    atomic_store(&at[2], 0);
    run(100);
    ck_assert_int_eq(woken[2], 0);
}
END_TEST

START_TEST(wakes_for_a_deadline_of_zero)
{
    ck_assert(sched_timers_arm(timers, &processes[2], &at[2], 0));
    run(1);
    ck_assert_int_eq(woken[2], 1);
}
END_TEST

/* receive … after 1 h, sleep 1 ms, again and again: each round leaves a stale entry an hour away. */
START_TEST(sweeps_out_garbage)
{
    for (uint64_t round = 0; round < 100000; round++) {
        ck_assert(sched_timers_arm(timers, &processes[0], &at[0], 1000000000 + round));
        ck_assert(sched_timers_arm(timers, &processes[0], &at[0], round + 1));
        run(round + 1);
    }
    ck_assert_uint_lt(sched_timers_count(timers), 5000);
    ck_assert_int_eq(woken[0], 100000);
}
END_TEST

START_TEST(keeps_cancelling_right_after_a_sweep)
{
    for (int i = 0; i < 100; i++)
        ck_assert(sched_timers_set(timers, &numbered[i].timer, 5000000 - (uint64_t)i));
    for (uint64_t round = 0; round < 10000; round++) {
        ck_assert(sched_timers_arm(timers, &processes[0], &at[0], 1000000 + round));
        atomic_store(&at[0], 0);
    }
    for (int i = 0; i < 100; i += 2)
        sched_timers_cancel(timers, &numbered[i].timer);
    run(UINT64_MAX);
    ck_assert_int_eq(fired_count, 50);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(fired[i], 99 - 2 * i);
}
END_TEST

START_TEST(says_when_there_is_no_memory)
{
    nb_alloc_fail_after(0);
    bool set = sched_timers_set(timers, &numbered[0].timer, 1);
    bool armed = sched_timers_arm(timers, &processes[0], &at[0], 1);
    nb_alloc_fail_after(-1);
    ck_assert(!set);
    ck_assert(!armed);
    ck_assert(!sched_timer_is_set(&numbered[0].timer));
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
    tcase_add_test(all, fires_what_is_due_in_order);
    tcase_add_test(all, fires_equal_deadlines_in_the_order_set);
    tcase_add_test(all, moves_a_timer_that_is_set);
    tcase_add_test(all, does_not_fire_what_was_cancelled);
    tcase_add_test(all, agrees_with_a_model);
    tcase_add_test(all, ends_although_a_timer_sets_itself_again);
    tcase_add_test(all, wakes_a_process_once);
    tcase_add_test(all, keeps_the_entry_when_the_deadline_moves_on);
    tcase_add_test(all, takes_a_nearer_deadline_and_drops_the_old_one);
    tcase_add_test(all, forgets_a_process_that_has_ended);
    tcase_add_test(all, wakes_for_a_deadline_of_zero);
    tcase_add_test(all, sweeps_out_garbage);
    tcase_add_test(all, keeps_cancelling_right_after_a_sweep);
    tcase_add_test(all, says_when_there_is_no_memory);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
