/* test_inject.c - the injection queue: order, batches, chains, and no process lost between threads. */
#include "config.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/inject.h"
#include "vm/process.h"

enum { PROCESSES = 8, EACH = 20000, PUTTERS = 3, TAKERS = 2 };

static struct sched_inject inject;
static struct vm_process processes[PROCESSES];

static void set_up(void)
{
    memset(processes, 0, sizeof processes);
    sched_inject_init(&inject);
}

static int number(const struct vm_process *process)
{
    return (int)(process - processes);
}

START_TEST(gives_the_oldest_first)
{
    struct vm_process *first;

    for (int i = 0; i < 4; i++)
        sched_inject_put(&inject, &processes[i]);
    ck_assert_uint_eq(sched_inject_length(&inject), 4);
    ck_assert_uint_eq(sched_inject_take(&inject, 10, &first), 4);
    for (int i = 0; i < 4; i++, first = first->queue_next)
        ck_assert_int_eq(number(first), i);
    ck_assert_ptr_null(first);
    ck_assert_uint_eq(sched_inject_length(&inject), 0);
}
END_TEST

START_TEST(keeps_order_over_batches_and_later_arrivals)
{
    struct vm_process *first;
    int expected = 0;

    for (int i = 0; i < 5; i++)
        sched_inject_put(&inject, &processes[i]);
    ck_assert_uint_eq(sched_inject_take(&inject, 2, &first), 2);
    ck_assert_int_eq(number(first), expected++);
    ck_assert_int_eq(number(first->queue_next), expected++);
    ck_assert_ptr_null(first->queue_next->queue_next);
    for (int i = 5; i < PROCESSES; i++)
        sched_inject_put(&inject, &processes[i]);
    while (sched_inject_take(&inject, 1, &first) == 1)
        ck_assert_int_eq(number(first), expected++);
    ck_assert_int_eq(expected, PROCESSES);
}
END_TEST

START_TEST(takes_a_chain_in_its_order)
{
    struct vm_process *first;

    sched_inject_put(&inject, &processes[0]);
    for (int i = 1; i < 4; i++)
        processes[i].queue_next = i < 3 ? &processes[i + 1] : NULL;
    sched_inject_put_chain(&inject, &processes[1], &processes[3], 3);
    sched_inject_put(&inject, &processes[4]);
    ck_assert_uint_eq(sched_inject_take(&inject, 10, &first), 5);
    for (int i = 0; i < 5; i++, first = first->queue_next)
        ck_assert_int_eq(number(first), i);
}
END_TEST

START_TEST(gives_nothing_when_empty_or_asked_for_none)
{
    struct vm_process *first = &processes[0];

    ck_assert_uint_eq(sched_inject_take(&inject, 5, &first), 0);
    ck_assert_ptr_null(first);
    sched_inject_put(&inject, &processes[1]);
    ck_assert_uint_eq(sched_inject_take(&inject, 0, &first), 0);
    ck_assert_uint_eq(sched_inject_length(&inject), 1);
}
END_TEST

START_TEST(gives_nothing_while_another_takes)
{
    struct vm_process *first;

    sched_inject_put(&inject, &processes[1]);
    atomic_store(&inject.taking, true);
    ck_assert_uint_eq(sched_inject_take(&inject, 5, &first), 0);
    ck_assert_uint_eq(sched_inject_length(&inject), 1);
    atomic_store(&inject.taking, false);
    ck_assert_uint_eq(sched_inject_take(&inject, 5, &first), 1);
}
END_TEST

/* ---- several threads ---- */

static struct vm_process many[PUTTERS][EACH];
static _Atomic unsigned char seen[PUTTERS][EACH];
static _Atomic int putting, out_of_order;

static void *putter(void *argument)
{
    struct vm_process *own = argument;

    for (int i = 0; i < EACH; i++)
        sched_inject_put(&inject, &own[i]);
    atomic_fetch_sub(&putting, 1);
    return NULL;
}

/* Within one batch, what one putter put stands in its order. */
static void check_batch(struct vm_process *first)
{
    ptrdiff_t last[PUTTERS] = { -1, -1, -1 };

    for (; first != NULL; first = first->queue_next) {
        ptrdiff_t index = first - &many[0][0];

        if (index <= last[index / EACH])
            atomic_fetch_add(&out_of_order, 1);
        last[index / EACH] = index;
        atomic_fetch_add(&seen[index / EACH][index % EACH], 1);
    }
}

static void *taker(void *unused)
{
    struct vm_process *first;

    (void)unused;
    while (atomic_load(&putting) > 0 || sched_inject_length(&inject) > 0) {
        if (sched_inject_take(&inject, 17, &first) == 0)
            sched_yield();
        check_batch(first);
    }
    return NULL;
}

START_TEST(loses_and_doubles_nothing)
{
    pthread_t threads[PUTTERS + TAKERS];
    size_t wrong = 0;

    atomic_store(&putting, PUTTERS);
    for (int i = 0; i < PUTTERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, putter, many[i]), 0);
    for (int i = 0; i < TAKERS; i++)
        ck_assert_int_eq(pthread_create(&threads[PUTTERS + i], NULL, taker, NULL), 0);
    for (int i = 0; i < PUTTERS + TAKERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < PUTTERS * EACH; i++)
        wrong += seen[i / EACH][i % EACH] != 1;
    ck_assert_uint_eq(wrong, 0);
    ck_assert_int_eq(out_of_order, 0);
    ck_assert_uint_eq(sched_inject_length(&inject), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scheduler/inject");
    TCase *one = tcase_create("one thread"), *several = tcase_create("several threads");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(one, set_up, NULL);
    tcase_add_test(one, gives_the_oldest_first);
    tcase_add_test(one, keeps_order_over_batches_and_later_arrivals);
    tcase_add_test(one, takes_a_chain_in_its_order);
    tcase_add_test(one, gives_nothing_when_empty_or_asked_for_none);
    tcase_add_test(one, gives_nothing_while_another_takes);
    suite_add_tcase(suite, one);
    tcase_add_checked_fixture(several, set_up, NULL);
    tcase_set_timeout(several, 60);
    tcase_add_test(several, loses_and_doubles_nothing);
    suite_add_tcase(suite, several);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
