/* test_park.c - parking and waking: no wake-up lost, one at a time, none left over. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "scheduler/park.h"

enum { WORKERS = 3 };
static struct sched_parking *parking;

static void set_up(void)
{
    ck_assert_int_eq(sched_parking_new(WORKERS, &parking), 0);
}

static void tear_down(void)
{
    parking = sched_parking_free(parking);
}

static uint64_t soon(void)
{
    return nb_clock_ns() + 5000000;
}

START_TEST(checks_the_number_of_workers)
{
    struct sched_parking *made = NULL;

    ck_assert_int_eq(sched_parking_new(0, &made), -EINVAL);
    ck_assert_int_eq(sched_parking_new(1025, &made), -EINVAL);
    ck_assert_ptr_null(made);
    ck_assert_int_eq(sched_parking_new(1024, &made), 0);
    sched_parking_announce(made, 1023, false);
    ck_assert(sched_parking_is_parked(made, 1023));
    ck_assert(sched_parking_wake_one(made));
    ck_assert(!sched_parking_is_parked(made, 1023));
    sched_parking_free(made);
}
END_TEST

START_TEST(wakes_nobody_when_nobody_is_parked)
{
    ck_assert(!sched_parking_wake_one(parking));
    ck_assert(!sched_parking_wake(parking, 0));
}
END_TEST

START_TEST(wakes_one_worker_per_burst)
{
    sched_parking_announce(parking, 0, false);
    sched_parking_announce(parking, 1, false);
    ck_assert(sched_parking_wake_one(parking));
    ck_assert(!sched_parking_wake_one(parking)); /* that one is searching */
    ck_assert(sched_parking_is_parked(parking, 0) != sched_parking_is_parked(parking, 1));
    ck_assert(sched_parking_found(parking)); /* it has found work, and it was the last searcher */
    ck_assert(sched_parking_wake_one(parking));
    ck_assert(!sched_parking_is_parked(parking, 0));
    ck_assert(!sched_parking_is_parked(parking, 1));
}
END_TEST

START_TEST(wakes_nobody_while_somebody_searches)
{
    sched_parking_announce(parking, 0, false);
    sched_parking_search(parking);
    sched_parking_search(parking);
    ck_assert(!sched_parking_wake_one(parking));
    ck_assert(!sched_parking_found(parking));
    ck_assert(sched_parking_found(parking));
    ck_assert(sched_parking_wake_one(parking));
}
END_TEST

START_TEST(stops_counting_a_searcher_that_parks)
{
    sched_parking_search(parking);
    sched_parking_announce(parking, 2, true);
    ck_assert(sched_parking_wake_one(parking));
    ck_assert_int_eq(sched_parking_sleep(parking, 2, UINT64_MAX, NULL, 0), SCHED_WOKEN_TO_SEARCH);
}
END_TEST

START_TEST(knows_when_all_are_parked)
{
    ck_assert(!sched_parking_announce(parking, 0, false));
    ck_assert(!sched_parking_announce(parking, 2, false));
    ck_assert(sched_parking_announce(parking, 1, false));
    ck_assert(sched_parking_withdraw(parking, 1));
    ck_assert(sched_parking_announce(parking, 1, false));
}
END_TEST

START_TEST(gives_a_sleeper_that_withdraws_its_wake_up)
{
    sched_parking_announce(parking, 1, false);
    ck_assert(sched_parking_wake(parking, 1));
    ck_assert(!sched_parking_withdraw(parking, 1));
    ck_assert_int_eq(sched_parking_sleep(parking, 1, UINT64_MAX, NULL, 0), SCHED_WOKEN);
    /* and none is left over for the next time */
    sched_parking_announce(parking, 1, false);
    ck_assert_int_eq(sched_parking_sleep(parking, 1, soon(), NULL, 0), SCHED_WOKEN_BY_ITSELF);
    ck_assert(sched_parking_withdraw(parking, 1));
}
END_TEST

START_TEST(sleeps_until_its_deadline)
{
    uint64_t deadline_ns = soon();

    sched_parking_announce(parking, 0, false);
    ck_assert_int_eq(sched_parking_sleep(parking, 0, deadline_ns, NULL, 0), SCHED_WOKEN_BY_ITSELF);
    ck_assert_uint_ge(nb_clock_ns(), deadline_ns);
    ck_assert(sched_parking_is_parked(parking, 0)); /* still announced */
}
END_TEST

START_TEST(wakes_a_sleeper_in_poll_by_descriptor_token_and_deadline)
{
    int ready = eventfd(0, EFD_CLOEXEC);
    struct pollfd fds[2] = { { 0 }, { .fd = ready, .events = POLLIN } };
    uint64_t one = 1, deadline_ns = soon();

    ck_assert_int_eq(sched_parking_use_poll(parking, 0), 0);
    sched_parking_announce(parking, 0, false);
    ck_assert_int_eq(sched_parking_sleep(parking, 0, deadline_ns, fds, 2), SCHED_WOKEN_BY_ITSELF);
    ck_assert_uint_ge(nb_clock_ns(), deadline_ns);
    ck_assert(sched_parking_wake(parking, 0));
    ck_assert_int_eq(sched_parking_sleep(parking, 0, UINT64_MAX, fds, 2), SCHED_WOKEN);
    sched_parking_announce(parking, 0, false);
    ck_assert_int_eq(write(ready, &one, sizeof one), sizeof one);
    ck_assert_int_eq(sched_parking_sleep(parking, 0, UINT64_MAX, fds, 2), SCHED_WOKEN_BY_ITSELF);
    ck_assert(sched_parking_withdraw(parking, 0));
    close(ready);
}
END_TEST

START_TEST(prefers_a_worker_that_has_nothing_to_poll)
{
    ck_assert_int_eq(sched_parking_use_poll(parking, 0), 0);
    for (unsigned i = 0; i < 2; i++)
        sched_parking_announce(parking, i, false);
    ck_assert(sched_parking_wake_one(parking));
    ck_assert(sched_parking_is_parked(parking, 0));
    ck_assert(!sched_parking_is_parked(parking, 1));
    sched_parking_found(parking);
    ck_assert(sched_parking_wake_one(parking));
    ck_assert(!sched_parking_is_parked(parking, 0));
}
END_TEST

/* ---- the wake-up note, tried: one puts work, others sleep; should a wake-up get lost, the test hangs ---- */

enum { ITEMS = 100000 };
static _Atomic int work, done;
static _Atomic bool finished;

static bool take_work(void)
{
    int left = atomic_load(&work);

    while (left > 0)
        if (atomic_compare_exchange_weak(&work, &left, left - 1))
            return true;
    return false;
}

/* As worker.c does: search, announce, look again, sleep. */
static void *worker(void *argument)
{
    unsigned index = (unsigned)(uintptr_t)argument;
    struct pollfd fds[1];
    bool searching = false;

    while (!atomic_load(&finished)) {
        if (take_work()) {
            if (searching && sched_parking_found(parking) && atomic_load(&work) > 0)
                sched_parking_wake_one(parking);
            searching = false;
            atomic_fetch_add(&done, 1);
            continue;
        }
        if (!searching) {
            searching = true;
            sched_parking_search(parking);
            continue;
        }
        sched_parking_announce(parking, index, true);
        searching = false;
        if ((atomic_load(&work) > 0 || atomic_load(&finished)) && sched_parking_withdraw(parking, index))
            continue;
        searching = sched_parking_sleep(parking, index, UINT64_MAX, index == 0 ? fds : NULL, index == 0) ==
                    SCHED_WOKEN_TO_SEARCH;
    }
    return NULL;
}

START_TEST(loses_no_wake_up)
{
    pthread_t threads[WORKERS];

    ck_assert_int_eq(sched_parking_use_poll(parking, 0), 0);
    for (uintptr_t i = 0; i < WORKERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, worker, (void *)i), 0);
    for (int i = 0; i < ITEMS; i++) {
        atomic_fetch_add(&work, 1);
        sched_parking_wake_one(parking);
        if (i % 16 == 0)
            while (atomic_load(&done) < i) /* let them fall asleep again and again */
                sched_yield();
    }
    while (atomic_load(&done) < ITEMS)
        sched_yield();
    atomic_store(&finished, true);
    for (unsigned i = 0; i < WORKERS; i++)
        sched_parking_wake(parking, i);
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(done, ITEMS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scheduler/park");
    TCase *one = tcase_create("one thread"), *several = tcase_create("several threads");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(one, set_up, tear_down);
    tcase_add_test(one, checks_the_number_of_workers);
    tcase_add_test(one, wakes_nobody_when_nobody_is_parked);
    tcase_add_test(one, wakes_one_worker_per_burst);
    tcase_add_test(one, wakes_nobody_while_somebody_searches);
    tcase_add_test(one, stops_counting_a_searcher_that_parks);
    tcase_add_test(one, knows_when_all_are_parked);
    tcase_add_test(one, gives_a_sleeper_that_withdraws_its_wake_up);
    tcase_add_test(one, sleeps_until_its_deadline);
    tcase_add_test(one, wakes_a_sleeper_in_poll_by_descriptor_token_and_deadline);
    tcase_add_test(one, prefers_a_worker_that_has_nothing_to_poll);
    suite_add_tcase(suite, one);
    tcase_add_checked_fixture(several, set_up, tear_down);
    tcase_set_timeout(several, 60);
    tcase_add_test(several, loses_no_wake_up);
    suite_add_tcase(suite, several);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
