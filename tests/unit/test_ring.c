/* test_ring.c - requests that wait and processes that wait: order, bounds, nothing lost or doubled, no wake-up lost. */
#include "config.h"

#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>

#include "base/alloc.h"
#include "scheduler/sched.h"
#include "server/ring.h"
#include "tests/unit/run_suite.h"

enum { ACCEPTORS = 4, REQUESTS = 20000, PATIENCE_S = 20 };

/* Rings and lines never look inside requests and processes: numbers stand for requests, semaphores for processes. */
static struct srv_request *request(uintptr_t number)
{
    return (struct srv_request *)number;
}

static _Atomic unsigned wakes;

/* Instead of the scheduler's. */
void sched_wake(struct vm_ctx *ctx, struct vm_process *process)
{
    (void)ctx;
    atomic_fetch_add(&wakes, 1);
    sem_post((sem_t *)process);
}

/* ---- ring ---- */

START_TEST(gives_in_the_order_put)
{
    struct srv_ring *ring = srv_ring_new(4);

    for (uintptr_t i = 1; i <= 3; i++)
        ck_assert(srv_ring_put(ring, request(i)));
    ck_assert_uint_eq(srv_ring_length(ring), 3);
    for (uintptr_t i = 1; i <= 3; i++)
        ck_assert_ptr_eq(srv_ring_take(ring), request(i));
    ck_assert_ptr_null(srv_ring_take(ring));
    srv_ring_free(ring);
}
END_TEST

static const size_t capacities[] = { 1, 2, 3, 4, 1000, 65535 };

START_TEST(holds_what_it_promised_and_then_is_full)
{
    struct srv_ring *ring = srv_ring_new(capacities[_i]);
    size_t put = 0;

    while (srv_ring_put(ring, request(put + 1)))
        put++;
    ck_assert_uint_ge(put, capacities[_i]);
    ck_assert_uint_lt(put, 2 * capacities[_i] + 2);
    ck_assert_ptr_eq(srv_ring_take(ring), request(1));
    ck_assert(srv_ring_put(ring, request(1)));
    srv_ring_free(ring);
}
END_TEST

/* ---- line ---- */

static struct srv_waiter_pool pool;
static struct srv_waiters line;
static sem_t processes[ACCEPTORS];

static void set_up(void)
{
    atomic_store(&wakes, 0);
    srv_waiter_pool_init(&pool);
    srv_waiters_init(&line, &pool);
    for (int i = 0; i < ACCEPTORS; i++)
        sem_init(&processes[i], 0, 0);
}

static void tear_down(void)
{
    srv_waiters_clear(&line);
    srv_waiter_pool_done(&pool);
}

static struct srv_waiter *join(int number)
{
    struct srv_waiter *waiter = srv_waiter_get(&pool, (struct vm_process *)&processes[number]);

    srv_waiters_join(&line, waiter);
    return waiter;
}

static int woken(int number)
{
    int count;

    sem_getvalue(&processes[number], &count);
    return count;
}

START_TEST(wakes_first_come_first)
{
    for (int i = 0; i < 3; i++)
        join(i);
    for (int i = 0; i < 3; i++) {
        ck_assert(srv_waiters_wake_one(&line, NULL));
        ck_assert_int_eq(woken(i), 1);
        ck_assert_uint_eq(atomic_load(&wakes), (unsigned)i + 1);
    }
    ck_assert(!srv_waiters_wake_one(&line, NULL));
}
END_TEST

START_TEST(keeps_its_order_when_others_join_in_between)
{
    join(0);
    join(1);
    ck_assert(srv_waiters_wake_one(&line, NULL)); /* takes both out of the stack of those who arrived */
    join(2);
    ck_assert(srv_waiters_wake_one(&line, NULL));
    ck_assert_int_eq(woken(1), 1);
    ck_assert_int_eq(woken(2), 0);
}
END_TEST

START_TEST(passes_over_those_who_left)
{
    struct srv_waiter *first = join(0);

    join(1);
    ck_assert(!srv_waiters_leave(&line, first));
    ck_assert(srv_waiters_wake_one(&line, NULL));
    ck_assert_int_eq(woken(0), 0);
    ck_assert_int_eq(woken(1), 1);
    ck_assert(!srv_waiters_wake_one(&line, NULL));
}
END_TEST

START_TEST(tells_who_leaves_that_it_had_been_woken)
{
    struct srv_waiter *waiter = join(0);

    ck_assert(srv_waiters_wake_one(&line, NULL));
    ck_assert(srv_waiters_leave(&line, waiter));
    ck_assert_ptr_eq(srv_waiter_get(&pool, NULL), waiter); /* its place is free again */
    srv_waiter_put(&pool, waiter);
}
END_TEST

/* ---- both, with threads: the protocol of Server.accept and of the connection loop ---- */

static struct srv_ring *ring;
static _Atomic unsigned char taken[REQUESTS];
static _Atomic unsigned taken_count;

static struct srv_request *accept_one(int number)
{
    struct srv_waiter *waiter = NULL;
    struct srv_request *found = NULL;
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    while ((found = srv_ring_take(ring)) == NULL) {
        if (waiter == NULL)
            waiter = srv_waiter_get(&pool, (struct vm_process *)&processes[number]);
        if (atomic_load(&waiter->state) != SRV_WAITER_WAITING)
            srv_waiters_join(&line, waiter);
        if ((found = srv_ring_take(ring)) != NULL)
            break;
        if (sem_timedwait(&processes[number], &until) != 0)
            return NULL; /* a lost wake-up */
    }
    if (srv_ring_length(ring) > 0)
        srv_waiters_wake_one(&line, NULL);
    if (waiter != NULL && srv_waiters_leave(&line, waiter) && srv_ring_length(ring) > 0)
        srv_waiters_wake_one(&line, NULL);
    return found;
}

static void *acceptor(void *closure)
{
    int number = (int)(intptr_t)closure;
    struct srv_request *found;

    while ((found = accept_one(number)) != NULL && found != request(UINTPTR_MAX)) {
        atomic_fetch_add(&taken[(uintptr_t)found - 1], 1);
        atomic_fetch_add(&taken_count, 1);
    }
    return found;
}

static void put_waiting(uintptr_t number)
{
    while (!srv_ring_put(ring, request(number)))
        sched_yield();
    srv_waiters_wake_one(&line, NULL);
}

START_TEST(gives_each_request_to_one_acceptor_and_loses_no_wake_up)
{
    pthread_t threads[ACCEPTORS];
    void *last;

    ring = srv_ring_new(8);
    for (intptr_t i = 0; i < ACCEPTORS; i++)
        pthread_create(&threads[i], NULL, acceptor, (void *)i);
    for (uintptr_t i = 1; i <= REQUESTS; i++) {
        put_waiting(i);
        if (i % 64 == 0) /* let them all fall asleep now and then */
            usleep(200);
    }
    for (int i = 0; i < ACCEPTORS; i++)
        put_waiting(UINTPTR_MAX);
    for (int i = 0; i < ACCEPTORS; i++) {
        pthread_join(threads[i], &last);
        ck_assert_ptr_nonnull(last);
    }
    ck_assert_uint_eq(atomic_load(&taken_count), REQUESTS);
    for (int i = 0; i < REQUESTS; i++)
        ck_assert_uint_eq(atomic_load(&taken[i]), 1);
    srv_ring_free(ring);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server/ring");
    TCase *of_ring = tcase_create("ring"), *of_line = tcase_create("line");

    tcase_add_test(of_ring, gives_in_the_order_put);
    tcase_add_loop_test(of_ring, holds_what_it_promised_and_then_is_full, 0, sizeof capacities / sizeof *capacities);
    suite_add_tcase(suite, of_ring);
    tcase_add_checked_fixture(of_line, set_up, tear_down);
    tcase_set_timeout(of_line, 2 * PATIENCE_S);
    tcase_add_test(of_line, wakes_first_come_first);
    tcase_add_test(of_line, keeps_its_order_when_others_join_in_between);
    tcase_add_test(of_line, passes_over_those_who_left);
    tcase_add_test(of_line, tells_who_leaves_that_it_had_been_woken);
    tcase_add_test(of_line, gives_each_request_to_one_acceptor_and_loses_no_wake_up);
    suite_add_tcase(suite, of_line);
    return run_suite(suite);
}
