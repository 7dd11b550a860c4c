/* test_table.c - pids are never given out twice, slots are reused, look-ups find the living only. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "scheduler/table.h"
#include "vm/program.h"

static struct sched_table *table;
static struct vm_program *program;
static struct sched_free_slots local;

static void set_up(void)
{
    ck_assert_int_eq(sched_table_new(NULL, SCHED_PROCESSES_MAX, &table), 0);
    program = vm_program_new("test");
    ck_assert_ptr_nonnull(program);
    local = (struct sched_free_slots){ 0, 0 };
}

static void tear_down(void)
{
    table = sched_table_free(table);
    vm_program_unref(program);
}

static struct sched_slot *begin(struct sched_table *in, struct sched_free_slots *free_slots, uint64_t *ret_pid)
{
    struct sched_slot *slot = sched_table_take(in, free_slots, ret_pid);

    if (slot != NULL && !vm_process_init(&slot->process, program, *ret_pid))
        abort();
    return slot;
}

static void end(struct sched_table *in, struct sched_free_slots *free_slots, struct sched_slot *slot)
{
    atomic_store(&slot->process.pid, 0);
    vm_process_done(&slot->process);
    sched_table_give(in, free_slots, slot);
}

START_TEST(numbers_from_one_upwards)
{
    uint64_t pid;

    for (uint64_t i = 1; i <= 1000; i++) {
        ck_assert_ptr_nonnull(begin(table, &local, &pid));
        ck_assert_uint_eq(pid, i);
    }
    ck_assert_uint_eq(sched_table_end(table), 1001);
    for (uint64_t i = 1; i <= 1000; i++)
        end(table, &local, sched_table_find(table, i));
}
END_TEST

START_TEST(finds_the_living_only)
{
    uint64_t pid, next_pid;
    struct sched_slot *slot = begin(table, &local, &pid);

    ck_assert_ptr_eq(sched_table_find(table, pid), slot);
    ck_assert_ptr_null(sched_table_find(table, 0));
    ck_assert_ptr_null(sched_table_find(table, pid + 1));
    ck_assert_ptr_null(sched_table_find(table, pid | UINT64_C(1) << 40));
    ck_assert_ptr_null(sched_table_find(table, SCHED_PROCESSES_MAX));
    ck_assert_ptr_null(sched_table_find(table, UINT64_MAX));
    end(table, &local, slot);
    ck_assert_ptr_null(sched_table_find(table, pid));
    ck_assert_ptr_eq(begin(table, &local, &next_pid), slot);
    ck_assert_uint_ne(next_pid, pid);
    ck_assert_ptr_null(sched_table_find(table, pid));
    ck_assert_ptr_eq(sched_table_find(table, next_pid), slot);
    end(table, &local, slot);
}
END_TEST

START_TEST(keeps_the_block_for_the_next_tenant)
{
    uint64_t pid;
    struct sched_slot *slot = begin(table, &local, &pid);
    vm_value *block = slot->process.heap.start;

    end(table, &local, slot);
    slot = begin(table, &local, &pid);
    ck_assert_ptr_eq(slot->process.heap.start, block);
    end(table, &local, slot);
}
END_TEST

START_TEST(gives_the_blocks_of_a_burst_back)
{
    enum { BURST = 20000 };
    static struct sched_slot *slots[BURST];
    size_t warm = 0;
    uint64_t pid;

    for (int i = 0; i < BURST; i++)
        slots[i] = begin(table, &local, &pid);
    for (int i = 0; i < BURST; i++)
        end(table, &local, slots[i]);
    for (int i = 0; i < BURST; i++)
        warm += slots[i]->process.heap.start != NULL;
    ck_assert_uint_lt(warm, BURST / 4);
    ck_assert_uint_gt(warm, 0);
    for (int i = 0; i < BURST; i++) /* and the slots serve again, no fresh one is made */
        slots[i] = begin(table, &local, &pid);
    ck_assert_uint_eq(sched_table_end(table), BURST + 1);
    for (int i = 0; i < BURST; i++)
        end(table, &local, slots[i]);
}
END_TEST

/* Resident bytes. */
static size_t resident(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long total, pages;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%lu %lu", &total, &pages), 2);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

START_TEST(gives_the_slots_of_a_burst_back)
{
    enum { BURST = 50000 };
    static struct sched_slot *slots[BURST];
    size_t before = resident(), peak;
    uint64_t pid, kept = 0, pids[BURST / 1000];
    struct sched_slot *survivor;

    for (int i = 0; i < BURST; i++) {
        slots[i] = begin(table, &local, &pid);
        if (i % 1000 == 0)
            pids[i / 1000] = pid;
        if (i == BURST / 2 + 1)
            kept = pid;
    }
    survivor = slots[BURST / 2 + 1];
    peak = resident();
    for (int i = 0; i < BURST; i++)
        if (slots[i] != survivor)
            end(table, &local, slots[i]);
    sched_table_trim(table);
    malloc_trim(0);
    ck_assert_ptr_eq(sched_table_find(table, kept), survivor);
    for (int i = 0; i < BURST / 1000; i++) /* nobody is found by an old number, neither now nor later */
        ck_assert_ptr_null(sched_table_find(table, pids[i]));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ck_assert_uint_lt(resident() - before, (peak - before) / 5);
#else
    (void)before, (void)peak;
#endif
    sched_table_trim(table); /* again: nothing to do */
    for (int i = 0; i < BURST; i++) {
        if (slots[i] != survivor)
            slots[i] = begin(table, &local, &pid);
        ck_assert_ptr_nonnull(slots[i]);
        ck_assert(pid > UINT64_C(1) << SCHED_PID_INDEX_BITS || slots[i] == survivor); /* another generation */
    }
    ck_assert_uint_eq(sched_table_end(table), BURST + 1);
    for (int i = 0; i < BURST; i++)
        end(table, &local, slots[i]);
}
END_TEST

START_TEST(is_full_at_its_limit)
{
    struct sched_table *small;
    struct sched_slot *slots[300];
    uint64_t pid;

    ck_assert_int_eq(sched_table_new(NULL, 300, &small), 0);
    for (int i = 0; i < 300; i++)
        ck_assert_ptr_nonnull(slots[i] = begin(small, NULL, &pid));
    ck_assert_ptr_null(sched_table_take(small, NULL, &pid));
    end(small, NULL, slots[17]);
    ck_assert_ptr_eq(begin(small, NULL, &pid), slots[17]);
    for (int i = 0; i < 300; i++)
        end(small, NULL, slots[i]);
    sched_table_free(small);
}
END_TEST

START_TEST(checks_its_size)
{
    struct sched_table *made = NULL;

    ck_assert_int_eq(sched_table_new(NULL, 0, &made), -EINVAL);
    ck_assert_int_eq(sched_table_new(NULL, (size_t)SCHED_PROCESSES_MAX + 1, &made), -EINVAL);
    nb_alloc_fail_after(1);
    int r = sched_table_new(NULL, 100, &made);
    nb_alloc_fail_after(-1);
    ck_assert_int_eq(r, -ENOMEM);
    ck_assert_ptr_null(made);
}
END_TEST

START_TEST(says_when_there_is_no_memory)
{
    uint64_t pid;

    nb_alloc_fail_after(0);
    struct sched_slot *slot = sched_table_take(table, &local, &pid);
    nb_alloc_fail_after(-1);
    ck_assert_ptr_null(slot);
    slot = begin(table, &local, &pid);
    ck_assert_uint_eq(pid, 1);
    end(table, &local, slot);
}
END_TEST

START_TEST(retires_a_slot_whose_generations_are_used_up)
{
    uint64_t pid;
    struct sched_slot *slot = sched_table_take(table, &local, &pid), *other;

    slot->generation = UINT32_MAX;
    sched_table_give(table, &local, slot);
    other = sched_table_take(table, &local, &pid);
    ck_assert_ptr_ne(other, slot);
    sched_table_give(table, &local, other);
}
END_TEST

START_TEST(drops_messages_that_came_too_late)
{
    uint64_t pid;
    struct sched_slot *slot = begin(table, &local, &pid);
    struct vm_message *message;

    end(table, &local, slot);
    ck_assert_int_eq(vm_message_new(pid, vm_from_small(1), &message), VM_COPY_OK);
    vm_process_deliver(&slot->process, message);
    /* freed with the table: the leak checker would tell */
}
END_TEST

/* ---- several threads ---- */

enum { THREADS = 4, ROUNDS = 20000, HELD = 40 };
static _Atomic int doubled;

/* Take and give, holding some; half of the threads work without a list of their own. */
static void *churn(void *argument)
{
    struct sched_free_slots own = { 0, 0 }, *list = argument != NULL ? &own : NULL;
    struct sched_slot *held[HELD] = { NULL };
    uint64_t pids[HELD];

    for (int i = 0; i < ROUNDS; i++) {
        int place = i * 7 % HELD;

        if (held[place] != NULL) {
            if (sched_table_find(table, pids[place]) != held[place])
                atomic_fetch_add(&doubled, 1);
            atomic_store(&held[place]->process.pid, 0);
            sched_table_give(table, list, held[place]);
            held[place] = NULL;
        } else {
            held[place] = sched_table_take(table, list, &pids[place]);
            if (atomic_exchange(&held[place]->process.pid, pids[place]) != 0)
                atomic_fetch_add(&doubled, 1);
        }
    }
    for (int i = 0; i < HELD; i++) {
        if (held[i] == NULL)
            continue;
        atomic_store(&held[i]->process.pid, 0);
        sched_table_give(table, list, held[i]);
    }
    return NULL;
}

START_TEST(gives_no_slot_to_two_threads)
{
    pthread_t threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, churn, (void *)(i % 2)), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(doubled, 0);
    ck_assert_uint_le(sched_table_end(table), 4096);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scheduler/table");
    TCase *one = tcase_create("one thread"), *several = tcase_create("several threads");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(one, set_up, tear_down);
    tcase_add_test(one, numbers_from_one_upwards);
    tcase_add_test(one, finds_the_living_only);
    tcase_add_test(one, keeps_the_block_for_the_next_tenant);
    tcase_add_test(one, gives_the_blocks_of_a_burst_back);
    tcase_add_test(one, gives_the_slots_of_a_burst_back);
    tcase_add_test(one, is_full_at_its_limit);
    tcase_add_test(one, checks_its_size);
    tcase_add_test(one, says_when_there_is_no_memory);
    tcase_add_test(one, retires_a_slot_whose_generations_are_used_up);
    tcase_add_test(one, drops_messages_that_came_too_late);
    suite_add_tcase(suite, one);
    tcase_add_checked_fixture(several, set_up, tear_down);
    tcase_set_timeout(several, 60);
    tcase_add_test(several, gives_no_slot_to_two_threads);
    suite_add_tcase(suite, several);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
