/* test_vec.c - what a vector promises: items in order, growing as needed. */
#include "config.h"

#include "base/vec.h"

#include <stdint.h>

#include "tests/unit/run_suite.h"

START_TEST(keeps_items_in_order)
{
    NB_VEC(int) numbers = NB_VEC_INIT;

    for (int i = 0; i < 1000; i++)
        nb_vec_push(&numbers, i * i);
    ck_assert_uint_eq(numbers.count, 1000);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(numbers.items[i], i * i);
    ck_assert_int_eq(nb_vec_last(&numbers), 999 * 999);
    ck_assert_int_eq(nb_vec_pop(&numbers), 999 * 999);
    ck_assert_int_eq(nb_vec_pop(&numbers), 998 * 998);
    ck_assert_uint_eq(numbers.count, 998);
    nb_vec_done(&numbers);
    ck_assert_ptr_null(numbers.items);
    ck_assert_uint_eq(numbers.count, 0);
}
END_TEST

START_TEST(holds_structs_and_keeps_memory_when_cleared)
{
    struct pair {
        const char *name;
        long value;
    };
    NB_VEC(struct pair) pairs = NB_VEC_INIT;
    struct pair pair = { "one", 1 };
    size_t capacity;

    nb_vec_push(&pairs, pair);
    nb_vec_push(&pairs, ((struct pair){ "two", 2 }));
    ck_assert_str_eq(pairs.items[1].name, "two");
    capacity = pairs.capacity;
    nb_vec_clear(&pairs);
    ck_assert_uint_eq(pairs.count, 0);
    ck_assert_uint_eq(pairs.capacity, capacity);
    nb_vec_done(&pairs);
}
END_TEST

START_TEST(gives_everything_back)
{
    long before = nb_alloc_live();
    NB_VEC(char) bytes = NB_VEC_INIT;

    for (int i = 0; i < 100; i++)
        nb_vec_push(&bytes, 'x');
    nb_vec_done(&bytes);
    ck_assert_int_eq(nb_alloc_live(), before);
}
END_TEST

static void grow_beyond_all_memory(void)
{
    void *items = NULL;
    size_t capacity = 0;

    nb_vec_grow(&items, &capacity, SIZE_MAX, 8);
}

START_TEST(ends_the_program_for_an_absurd_size)
{
    char words[256];
    int status = run_child(grow_beyond_all_memory, words, sizeof words);

    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 70);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/vec");
    TCase *all = tcase_create("all");

    tcase_add_test(all, keeps_items_in_order);
    tcase_add_test(all, holds_structs_and_keeps_memory_when_cleared);
    tcase_add_test(all, gives_everything_back);
    tcase_add_test(all, ends_the_program_for_an_absurd_size);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
