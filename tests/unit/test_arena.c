/* test_arena.c - what an arena promises: aligned, zeroed, apart, and gone all at once. */
#include "config.h"

#include "base/arena.h"

#include <stdint.h>

#include "base/alloc.h"
#include "tests/unit/run_suite.h"

static struct nb_arena *arena;

static void set_up(void)
{
    arena = nb_arena_new();
}
static void tear_down(void)
{
    arena = nb_arena_free(arena);
}

static const size_t sizes[] = { 0, 1, 15, 16, 17, 100, 2000, 2048, 2049, 4096, 5000, 100000, 600000, 3000000 };

START_TEST(gives_aligned_zeroed_memory)
{
    size_t bytes = sizes[_i];

    for (int round = 0; round < 20; round++) {
        unsigned char *memory = nb_arena_alloc(arena, bytes);

        ck_assert_uint_eq((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i<bytes; i += bytes> 5000 ? 997 : 1)
            ck_assert_uint_eq(memory[i], 0);
        memset(memory, 0xff, bytes);
    }
}
END_TEST

/* Each block is filled with its own number; an overlap would overwrite an earlier one. */
START_TEST(keeps_blocks_apart)
{
    enum { BLOCKS = 2000 };
    unsigned char *blocks[BLOCKS];
    size_t bytes[BLOCKS];

    for (size_t i = 0; i < BLOCKS; i++) {
        bytes[i] = i % 97 == 0 ? 7000 : i % 61;
        blocks[i] = nb_arena_alloc(arena, bytes[i]);
        memset(blocks[i], (int)(i % 251), bytes[i]);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        for (size_t k = 0; k < bytes[i]; k++)
            ck_assert_uint_eq(blocks[i][k], i % 251);
}
END_TEST

START_TEST(says_what_it_holds)
{
    size_t before = nb_arena_bytes(arena);

    nb_arena_alloc(arena, 1000000);
    ck_assert_uint_ge(nb_arena_bytes(arena), before + 1000000);
    ck_assert_uint_lt(nb_arena_bytes(arena), before + 1100000);
}
END_TEST

START_TEST(wastes_little_on_small_pieces)
{
    for (int i = 0; i < 100000; i++)
        nb_arena_alloc(arena, 48);
    ck_assert_uint_lt(nb_arena_bytes(arena), 100000 * 48 * 3);
}
END_TEST

START_TEST(copies_and_prints_texts)
{
    ck_assert_str_eq(nb_arena_strndup(arena, "nostos", 3), "nos");
    ck_assert_str_eq(nb_arena_strndup(arena, NULL, 0), "");
    ck_assert_str_eq(nb_arena_printf(arena, "%s-%d", "x", 42), "x-42");
    ck_assert_str_eq(nb_arena_printf(arena, "%s", ""), "");
    ck_assert_mem_eq(nb_arena_strndup(arena, "a\0b", 3), "a\0b", 4);
}
END_TEST

START_TEST(gives_everything_back)
{
    long before = nb_alloc_live();
    struct nb_arena *other = nb_arena_new();

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        nb_arena_alloc(other, sizes[i]);
    ck_assert_int_gt(nb_alloc_live(), before);
    ck_assert_ptr_null(nb_arena_free(other));
    ck_assert_int_eq(nb_alloc_live(), before);
    ck_assert_ptr_null(nb_arena_free(NULL));
}
END_TEST

static void overflow_an_array(void)
{
    nb_arena_array(arena, SIZE_MAX / 4, 8);
}

START_TEST(ends_the_program_for_an_absurd_size)
{
    char words[256];
    int status = run_child(overflow_an_array, words, sizeof words);

    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 70);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/arena");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_loop_test(all, gives_aligned_zeroed_memory, 0, sizeof sizes / sizeof *sizes);
    tcase_add_test(all, keeps_blocks_apart);
    tcase_add_test(all, says_what_it_holds);
    tcase_add_test(all, wastes_little_on_small_pieces);
    tcase_add_test(all, copies_and_prints_texts);
    tcase_add_test(all, gives_everything_back);
    tcase_add_test(all, ends_the_program_for_an_absurd_size);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
