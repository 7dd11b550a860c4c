/* test_clock.c - what the clock promises: it goes on, unless it was stopped. */
#include "config.h"

#include "base/clock.h"

#include <time.h>

#include "tests/unit/run_suite.h"

START_TEST(never_goes_back)
{
    uint64_t last = nb_clock_ns();

    for (int i = 0; i < 100000; i++) {
        uint64_t now = nb_clock_ns();

        ck_assert_uint_ge(now, last);
        last = now;
    }
}
END_TEST

static uint64_t system_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

START_TEST(counts_in_nanoseconds)
{
    uint64_t before = system_ns(), between = nb_clock_ns();

    ck_assert_uint_ge(between, before);
    ck_assert_uint_le(between, system_ns());
}
END_TEST

START_TEST(stands_where_it_was_put)
{
    uint64_t real = nb_clock_ns();

    nb_clock_set_logical(5);
    ck_assert_uint_eq(nb_clock_ns(), 5);
    nb_clock_set_logical(1000);
    ck_assert_uint_eq(nb_clock_ns(), 1000);
    nb_clock_set_logical(0);
    ck_assert_uint_ge(nb_clock_ns(), real);
}
END_TEST

START_TEST(knows_the_date)
{
    int64_t off = nb_clock_wall_ms() - (int64_t)time(NULL) * 1000;

    ck_assert_int_gt(off, -2000);
    ck_assert_int_lt(off, 3000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/clock");
    TCase *all = tcase_create("all");

    tcase_add_test(all, never_goes_back);
    tcase_add_test(all, counts_in_nanoseconds);
    tcase_add_test(all, stands_where_it_was_put);
    tcase_add_test(all, knows_the_date);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
