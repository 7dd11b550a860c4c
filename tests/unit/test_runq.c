/* test_runq.c - what a run queue promises: order, bounds, no process lost or doubled. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "scheduler/runq.h"

static struct sched_runq *queue;

static void set_up(void)
{
    ck_assert_int_eq(sched_runq_new(7, &queue), 0);
}

static void tear_down(void)
{
    queue = sched_runq_free(queue);
}

/* The queue never looks inside a process, so a number may stand for one. */
static struct vm_process *process(uintptr_t number)
{
    return (struct vm_process *)number;
}

static void push_numbers(struct sched_runq *into, uintptr_t first, uintptr_t last)
{
    for (uintptr_t i = first; i <= last; i++)
        ck_assert(sched_runq_push(into, process(i)));
}

START_TEST(takes_in_the_order_pushed)
{
    push_numbers(queue, 1, 3);
    ck_assert_ptr_eq(sched_runq_take(queue), process(1));
    ck_assert_ptr_eq(sched_runq_take(queue), process(2));
    ck_assert_ptr_eq(sched_runq_take(queue), process(3));
    ck_assert_ptr_null(sched_runq_take(queue));
}
END_TEST

START_TEST(refuses_when_full_and_goes_on_afterwards)
{
    ck_assert_uint_eq(sched_runq_capacity(queue), 7);
    push_numbers(queue, 1, 7);
    ck_assert(!sched_runq_push(queue, process(8)));
    ck_assert_uint_eq(sched_runq_length(queue), 7);
    ck_assert_ptr_eq(sched_runq_take(queue), process(1));
    ck_assert(sched_runq_push(queue, process(8)));
    for (uintptr_t i = 2; i <= 8; i++)
        ck_assert_ptr_eq(sched_runq_take(queue), process(i));
    ck_assert_uint_eq(sched_runq_length(queue), 0);
}
END_TEST

static const struct { size_t asked; int error; } sizes[] = {
    { 0, -EINVAL }, { 1, 0 }, { 65535, 0 }, { 65536, -EINVAL },
};

START_TEST(checks_its_capacity) /* loop test: one run per row of sizes[] */
{
    struct sched_runq *made = NULL;

    ck_assert_int_eq(sched_runq_new(sizes[_i].asked, &made), sizes[_i].error);
    ck_assert_int_eq(made == NULL, sizes[_i].error != 0);
    if (made != NULL)
        ck_assert_uint_ge(sched_runq_capacity(made), sizes[_i].asked);
    sched_runq_free(made);
}
END_TEST

START_TEST(gives_a_thief_the_older_half)
{
    struct sched_runq *own;

    ck_assert_int_eq(sched_runq_new(7, &own), 0);
    push_numbers(queue, 1, 5);
    ck_assert_uint_eq(sched_runq_steal(queue, own), 3);
    ck_assert_ptr_eq(sched_runq_take(own), process(1));
    ck_assert_ptr_eq(sched_runq_take(own), process(2));
    ck_assert_ptr_eq(sched_runq_take(own), process(3));
    ck_assert_ptr_null(sched_runq_take(own));
    ck_assert_ptr_eq(sched_runq_take(queue), process(4));
    sched_runq_free(own);
}
END_TEST

START_TEST(lets_a_thief_take_the_only_one)
{
    struct sched_runq *own;

    ck_assert_int_eq(sched_runq_new(7, &own), 0);
    push_numbers(queue, 1, 1);
    ck_assert_uint_eq(sched_runq_steal(queue, own), 1);
    ck_assert_uint_eq(sched_runq_steal(queue, own), 0);
    sched_runq_free(own);
}
END_TEST

START_TEST(steals_no_more_than_fits)
{
    struct sched_runq *own;

    ck_assert_int_eq(sched_runq_new(3, &own), 0);
    push_numbers(own, 100, 101);
    push_numbers(queue, 1, 7);
    ck_assert_uint_eq(sched_runq_steal(queue, own), 1);
    ck_assert_uint_eq(sched_runq_length(own), 3);
    ck_assert_uint_eq(sched_runq_length(queue), 6);
    sched_runq_free(own);
}
END_TEST

/* ---- several threads: thieves only count in atomics, the test's own thread asserts afterwards ---- */

enum { ITEMS = 200000, THIEVES = 3 };
static _Atomic unsigned char seen[ITEMS + 1];
static _Atomic bool finished;

static void see(struct vm_process *taken)
{
    atomic_fetch_add(&seen[(uintptr_t)taken], 1);
}

static void *thief(void *unused)
{
    struct sched_runq *own = NULL;
    struct vm_process *taken;

    (void)unused;
    if (sched_runq_new(7, &own) < 0)
        return NULL;
    while (!atomic_load(&finished) || sched_runq_length(queue) > 0) {
        sched_runq_steal(queue, own);
        while ((taken = sched_runq_take(own)) != NULL)
            see(taken);
    }
    sched_runq_free(own);
    return NULL;
}

START_TEST(gives_each_process_to_exactly_one_taker)
{
    pthread_t threads[THIEVES];
    struct vm_process *taken;
    size_t wrong = 0;

    for (int i = 0; i < THIEVES; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, thief, NULL), 0);
    for (uintptr_t i = 1; i <= ITEMS; i++)
        while (!sched_runq_push(queue, process(i)))
            if ((taken = sched_runq_take(queue)) != NULL)
                see(taken);
    atomic_store(&finished, true);
    for (int i = 0; i < THIEVES; i++)
        pthread_join(threads[i], NULL);
    while ((taken = sched_runq_take(queue)) != NULL)
        see(taken);
    for (int i = 1; i <= ITEMS; i++)
        wrong += seen[i] != 1;
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scheduler/runq");
    TCase *one = tcase_create("one thread"), *several = tcase_create("several threads");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(one, set_up, tear_down);
    tcase_add_test(one, takes_in_the_order_pushed);
    tcase_add_test(one, refuses_when_full_and_goes_on_afterwards);
    tcase_add_loop_test(one, checks_its_capacity, 0, sizeof sizes / sizeof *sizes);
    tcase_add_test(one, gives_a_thief_the_older_half);
    tcase_add_test(one, lets_a_thief_take_the_only_one);
    tcase_add_test(one, steals_no_more_than_fits);
    suite_add_tcase(suite, one);
    tcase_add_checked_fixture(several, set_up, tear_down);
    tcase_set_timeout(several, 60);
    tcase_add_test(several, gives_each_process_to_exactly_one_taker);
    suite_add_tcase(suite, several);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
