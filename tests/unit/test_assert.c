/* test_assert.c - what an assertion does: says what, where and in which work, then aborts. */
#include "config.h"

#include "base/assert.h"

#include <signal.h>

#include "tests/unit/run_suite.h"

static char words[4096];

static void fail_with_context(void)
{
    nb_assert_context("process 17 of app shop");
    nb_assert(1 + 1 == 3);
}

START_TEST(says_what_broke_and_aborts)
{
    int status = run_child(fail_with_context, words, sizeof words);

    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    ck_assert_ptr_nonnull(strstr(words, "1 + 1 == 3"));
    ck_assert_ptr_nonnull(strstr(words, "test_assert.c"));
    ck_assert_ptr_nonnull(strstr(words, "in process 17 of app shop"));
}
END_TEST

static void fail_at_length(void)
{
    static char what[5000];

    memset(what, 'x', sizeof what - 1);
    nb_assert_failed(what, "file.c", 1);
}

START_TEST(cuts_an_endless_line)
{
    int status = run_child(fail_at_length, words, sizeof words);

    ck_assert(WIFSIGNALED(status));
    ck_assert_uint_gt(strlen(words), 500);
    ck_assert_uint_lt(strlen(words), 1100);
    ck_assert_int_eq(words[strlen(words) - 1], '\n');
}
END_TEST

struct thing {
    unsigned magic;
};

static void check_stale_object(void)
{
    struct thing thing = { .magic = 0 };
    struct thing *stale = &thing;

    nb_check_object(stale, 0x12345678u);
}

START_TEST(catches_an_object_without_its_magic)
{
    ck_assert(WIFSIGNALED(run_child(check_stale_object, words, sizeof words)));
    ck_assert_ptr_nonnull(strstr(words, "magic"));
}
END_TEST

static void check_good_object(void)
{
    struct thing thing = { .magic = 7 };
    struct thing *good = &thing;

    nb_check_object(good, 7);
}

START_TEST(lets_what_holds_pass)
{
    int status = run_child(check_good_object, words, sizeof words);

    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_str_eq(words, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/assert");
    TCase *all = tcase_create("all");

    tcase_add_test(all, says_what_broke_and_aborts);
    tcase_add_test(all, cuts_an_endless_line);
    tcase_add_test(all, catches_an_object_without_its_magic);
    tcase_add_test(all, lets_what_holds_pass);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
