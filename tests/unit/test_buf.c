/* test_buf.c - what a buffer promises: everything appended is there, NUL behind it; no memory is noticed once. */
#include "config.h"

#include "base/buf.h"

#include <stdint.h>

#include "base/alloc.h"
#include "tests/unit/run_suite.h"

START_TEST(holds_what_was_appended)
{
    struct nb_buf buf = NB_BUF_INIT;

    ck_assert_str_eq(nb_buf_cstr(&buf), "");
    nb_buf_text(&buf, "one");
    nb_buf_byte(&buf, ' ');
    nb_buf_append(&buf, "two and more", 3);
    nb_buf_printf(&buf, " %d %s", 3, "four");
    nb_buf_code_point(&buf, 0x20ac);
    nb_buf_append(&buf, NULL, 0);
    ck_assert_str_eq(nb_buf_cstr(&buf), "one two 3 four\xe2\x82\xac");
    ck_assert_uint_eq(buf.length, 17);
    ck_assert(!buf.failed);
    nb_buf_done(&buf);
    ck_assert_str_eq(nb_buf_cstr(&buf), "");
}
END_TEST

START_TEST(grows_byte_by_byte)
{
    struct nb_buf buf = NB_BUF_INIT;

    for (int i = 0; i < 10000; i++) {
        nb_buf_byte(&buf, (char)('a' + i % 26));
        ck_assert_int_eq(buf.data[buf.length], '\0');
        ck_assert_uint_lt(buf.length, buf.capacity);
    }
    for (int i = 0; i < 10000; i++)
        ck_assert_int_eq(buf.data[i], 'a' + i % 26);
    nb_buf_done(&buf);
}
END_TEST

START_TEST(keeps_bytes_that_are_no_text)
{
    struct nb_buf buf = NB_BUF_INIT;

    nb_buf_append(&buf, "a\0b", 3);
    ck_assert_uint_eq(buf.length, 3);
    ck_assert_mem_eq(buf.data, "a\0b", 4);
    nb_buf_clear(&buf);
    ck_assert_str_eq(nb_buf_cstr(&buf), "");
    ck_assert_uint_eq(buf.length, 0);
    nb_buf_done(&buf);
}
END_TEST

START_TEST(prints_beyond_its_capacity)
{
    struct nb_buf buf = NB_BUF_INIT;

    nb_buf_printf(&buf, "%500d", 7);
    ck_assert_uint_eq(buf.length, 500);
    ck_assert_int_eq(buf.data[499], '7');
    nb_buf_done(&buf);
}
END_TEST

START_TEST(leaves_out_what_is_no_code_point)
{
    struct nb_buf buf = NB_BUF_INIT;

    nb_buf_code_point(&buf, 0xd800);
    nb_buf_code_point(&buf, 0x110000);
    nb_buf_code_point(&buf, 'x');
    ck_assert_str_eq(nb_buf_cstr(&buf), "x");
    nb_buf_done(&buf);
}
END_TEST

START_TEST(hands_its_bytes_over)
{
    struct nb_buf buf = NB_BUF_INIT;
    char *taken;

    nb_buf_text(&buf, "mine");
    taken = nb_buf_take(&buf);
    ck_assert_str_eq(taken, "mine");
    ck_assert_ptr_null(buf.data);
    nb_free(taken);
    taken = nb_buf_take(&buf);
    ck_assert_str_eq(taken, "");
    nb_free(taken);
}
END_TEST

START_TEST(remembers_that_memory_ran_out)
{
    struct nb_buf buf = NB_BUF_INIT;
    long before = nb_alloc_live();

    nb_buf_text(&buf, "kept");
    nb_alloc_fail_after(0);
    ck_assert(!nb_buf_reserve(&buf, 100000));
    nb_alloc_fail_after(-1);
    ck_assert(buf.failed);
    nb_buf_text(&buf, " and more"); /* memory is back, but a hole would be in the text */
    ck_assert_str_eq(nb_buf_cstr(&buf), "kept");
    ck_assert_ptr_null(nb_buf_take(&buf));
    ck_assert_int_eq(nb_alloc_live(), before);
    ck_assert(!buf.failed);
}
END_TEST

START_TEST(refuses_an_absurd_size)
{
    struct nb_buf buf = NB_BUF_INIT;

    nb_buf_text(&buf, "x");
    ck_assert(!nb_buf_reserve(&buf, SIZE_MAX));
    ck_assert(buf.failed);
    nb_buf_clear(&buf);
    ck_assert(!buf.failed);
    ck_assert(!nb_buf_reserve(&buf, SIZE_MAX / 2 + 1));
    nb_buf_done(&buf);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/buf");
    TCase *all = tcase_create("all");

    tcase_add_test(all, holds_what_was_appended);
    tcase_add_test(all, grows_byte_by_byte);
    tcase_add_test(all, keeps_bytes_that_are_no_text);
    tcase_add_test(all, prints_beyond_its_capacity);
    tcase_add_test(all, leaves_out_what_is_no_code_point);
    tcase_add_test(all, hands_its_bytes_over);
    tcase_add_test(all, remembers_that_memory_ran_out);
    tcase_add_test(all, refuses_an_absurd_size);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
