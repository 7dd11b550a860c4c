/* test_sim.c - the seeded queue: same seed, same choices; every process gets its turn. */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "scheduler/sim.h"

enum { COUNT = 50 };

static struct vm_process *process(uintptr_t number)
{
    return (struct vm_process *)number;
}

static void draw(uint64_t seed, uintptr_t order[COUNT])
{
    struct sched_sim *sim = sched_sim_new(seed);

    ck_assert_ptr_nonnull(sim);
    ck_assert_ptr_null(sched_sim_take(sim));
    for (uintptr_t i = 1; i <= COUNT; i++)
        sched_sim_push(sim, process(i));
    ck_assert_uint_eq(sched_sim_length(sim), COUNT);
    for (int i = 0; i < COUNT; i++)
        order[i] = (uintptr_t)sched_sim_take(sim);
    ck_assert_ptr_null(sched_sim_take(sim));
    sched_sim_free(sim);
}

START_TEST(gives_each_process_once)
{
    uintptr_t order[COUNT];
    int seen[COUNT + 1] = { 0 };

    draw(1, order);
    for (int i = 0; i < COUNT; i++)
        seen[order[i]]++;
    for (int i = 1; i <= COUNT; i++)
        ck_assert_int_eq(seen[i], 1);
}
END_TEST

START_TEST(repeats_itself_with_the_same_seed_only)
{
    uintptr_t first[COUNT], second[COUNT], other[COUNT];

    draw(42, first);
    draw(42, second);
    draw(43, other);
    ck_assert_mem_eq(first, second, sizeof first);
    ck_assert_mem_ne(first, other, sizeof first);
}
END_TEST

START_TEST(draws_slices_of_all_lengths)
{
    struct sched_sim *sim = sched_sim_new(7);
    int64_t least = INT64_MAX, most = 0;

    for (int i = 0; i < 1000; i++) {
        int64_t slice = sched_sim_slice(sim, 4000);

        least = slice < least ? slice : least;
        most = slice > most ? slice : most;
        ck_assert_int_ge(sched_sim_slice(sim, 1), 1);
    }
    ck_assert_int_eq(most, 4000);
    ck_assert_int_lt(least, 10);
    sched_sim_free(sim);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scheduler/sim");
    TCase *all = tcase_create("sim");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(all, gives_each_process_once);
    tcase_add_test(all, repeats_itself_with_the_same_seed_only);
    tcase_add_test(all, draws_slices_of_all_lengths);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
