/* test_alloc.c - what allocation promises: checked sizes, a true count, failures on demand. */
#include "config.h"

#include "base/alloc.h"

#include <pthread.h>
#include <stdint.h>

#include "tests/unit/run_suite.h"

START_TEST(refuses_sizes_that_overflow)
{
    void *block = nb_alloc(1);

    ck_assert_ptr_null(nb_alloc_array(SIZE_MAX / 2, 3));
    ck_assert_ptr_null(nb_realloc_array(block, SIZE_MAX / 8 + 1, 8));
    nb_free(block); /* still there */
}
END_TEST

START_TEST(gives_memory_for_nothing_too)
{
    void *block = nb_alloc(0), *zeroed = nb_alloc_zero(0), *array = nb_alloc_array(0, 8);

    ck_assert_ptr_nonnull(block);
    ck_assert_ptr_nonnull(zeroed);
    ck_assert_ptr_nonnull(array);
    array = nb_realloc_array(array, 0, 8);
    ck_assert_ptr_nonnull(array);
    nb_free(block);
    nb_free(zeroed);
    nb_free(array);
    nb_free(NULL);
}
END_TEST

START_TEST(zeroes_when_asked)
{
    unsigned char *bytes = nb_alloc_zero(1000);

    for (size_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(bytes[i], 0);
    nb_free(bytes);
}
END_TEST

START_TEST(copies_texts)
{
    char *whole = nb_strdup("nostos"), *part = nb_strndup("nostos", 3), *shorter = nb_strndup("no", 10);

    ck_assert_str_eq(whole, "nostos");
    ck_assert_str_eq(part, "nos");
    ck_assert_str_eq(shorter, "no");
    nb_free(whole);
    nb_free(part);
    nb_free(shorter);
}
END_TEST

START_TEST(copies_bytes)
{
    char *some = nb_memdup("a\0b", 3), *none = nb_memdup(NULL, 0);

    ck_assert_mem_eq(some, "a\0b", 4);
    ck_assert_str_eq(none, "");
    ck_assert_ptr_null(nb_memdup("", SIZE_MAX));
    nb_free(none);
    nb_free(some);
}
END_TEST

START_TEST(counts_live_blocks)
{
    long before = nb_alloc_live();
    void *one = nb_alloc(10), *two = nb_realloc_array(NULL, 2, 10);

    ck_assert_int_eq(nb_alloc_live() - before, 2);
    two = nb_realloc_array(two, 200, 10);
    ck_assert_int_eq(nb_alloc_live() - before, 2);
    nb_free(one);
    nb_free(two);
    nb_free(NULL);
    ck_assert_int_eq(nb_alloc_live(), before);
}
END_TEST

static void *free_blocks(void *blocks)
{
    for (size_t i = 0; i < 100; i++)
        nb_free(((void **)blocks)[i]);
    return NULL;
}

START_TEST(counts_across_threads)
{
    long before = nb_alloc_live();
    void *blocks[100];
    pthread_t thread;

    for (size_t i = 0; i < 100; i++)
        blocks[i] = nb_alloc(8);
    ck_assert_int_eq(nb_alloc_live() - before, 100);
    ck_assert_int_eq(pthread_create(&thread, NULL, free_blocks, blocks), 0);
    pthread_join(thread, NULL);
    ck_assert_int_eq(nb_alloc_live(), before);
}
END_TEST

START_TEST(fails_after_as_many_as_asked)
{
    void *first, *second, *third, *array, *copy;

    nb_alloc_fail_after(2);
    first = nb_alloc(8);
    second = nb_alloc_zero(8);
    third = nb_alloc(8);
    array = nb_realloc_array(NULL, 1, 8);
    copy = nb_strdup("text");
    nb_alloc_fail_after(-1);

    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(second);
    ck_assert_ptr_null(third);
    ck_assert_ptr_null(array);
    ck_assert_ptr_null(copy);
    third = nb_alloc(8);
    ck_assert_ptr_nonnull(third);
    nb_free(first);
    nb_free(second);
    nb_free(third);
}
END_TEST

static void allocate_too_much(void)
{
    nb_alloc_fail_after(0);
    nb_xalloc(12345);
}

START_TEST(ends_the_program_where_nobody_can_help)
{
    char words[256];
    int status = run_child(allocate_too_much, words, sizeof words);

    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 70);
    ck_assert_str_eq(words, "out of memory (12345 bytes wanted)\n");
}
END_TEST

static char *freed_in_scope;

static void forget(char *text)
{
    freed_in_scope = text;
    nb_free(text);
}
NB_DEFINE_CLEANUP(char *, forget)

static char *keep_or_forget(bool keep)
{
    NB_CLEANUP(forget) char *text = nb_xstrdup("text");

    if (!keep)
        return NULL;
    return NB_TAKE(text);
}

START_TEST(frees_on_scope_exit_unless_taken)
{
    char *kept;

    freed_in_scope = NULL;
    kept = keep_or_forget(true);
    ck_assert_ptr_null(freed_in_scope);
    ck_assert_str_eq(kept, "text");
    nb_free(kept);
    ck_assert_ptr_null(keep_or_forget(false));
    ck_assert_ptr_nonnull(freed_in_scope);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/alloc");
    TCase *all = tcase_create("all");

    tcase_add_test(all, refuses_sizes_that_overflow);
    tcase_add_test(all, gives_memory_for_nothing_too);
    tcase_add_test(all, zeroes_when_asked);
    tcase_add_test(all, copies_texts);
    tcase_add_test(all, copies_bytes);
    tcase_add_test(all, counts_live_blocks);
    tcase_add_test(all, counts_across_threads);
    tcase_add_test(all, fails_after_as_many_as_asked);
    tcase_add_test(all, ends_the_program_where_nobody_can_help);
    tcase_add_test(all, frees_on_scope_exit_unless_taken);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
