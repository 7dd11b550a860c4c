/* test_regex.c - what patterns promise: kept per thread, searched in slices, on any thread, within bounds. */
#include "config.h"

#include "lib/pattern.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LONG = 3000 };
#define SECOND UINT64_C(1000000000)

static struct nb_buf wrong;
static struct lib_pattern *pattern;
static struct lib_search search;
static char text[LONG];

static void set_up(void)
{
    wrong = NB_BUF_INIT;
    memset(text, 'x', LONG);
}

static void tear_down(void)
{
    pattern = lib_pattern_unref(pattern);
    nb_buf_done(&wrong);
}

static void begin(const char *source)
{
    lib_pattern_unref(pattern);
    pattern = lib_pattern_get(source, strlen(source), &wrong);
    ck_assert_msg(pattern != NULL, "%s", nb_buf_cstr(&wrong));
    lib_search_begin(&search, pattern);
}

START_TEST(keeps_what_it_compiled)
{
    struct lib_pattern *again;

    begin("a(b)c");
    again = lib_pattern_get("a(b)c", 5, &wrong);
    ck_assert_ptr_eq(again, pattern);
    lib_pattern_unref(again);
    again = lib_pattern_get("a(b)", 4, &wrong);
    ck_assert_ptr_ne(again, pattern);
    lib_pattern_unref(again);
}
END_TEST

START_TEST(says_what_is_wrong)
{
    ck_assert_ptr_null(lib_pattern_get("a(b", 3, &wrong));
    ck_assert_str_eq(nb_buf_cstr(&wrong), "missing closing parenthesis at byte 3");
}
END_TEST

START_TEST(knows_its_groups)
{
    begin("(?<year>\\d+)-(\\d+)");
    ck_assert_uint_eq(lib_pattern_groups(pattern), 3);
    ck_assert_int_eq(lib_pattern_group(pattern, "year", 4), 1);
    ck_assert_int_eq(lib_pattern_group(pattern, "2", 1), 2);
    ck_assert_int_eq(lib_pattern_group(pattern, "0", 1), 0);
    ck_assert_int_eq(lib_pattern_group(pattern, "3", 1), -1);
    ck_assert_int_eq(lib_pattern_group(pattern, "99999999999", 11), -1);
    ck_assert_int_eq(lib_pattern_group(pattern, "month", 5), -1);
    ck_assert_int_eq(lib_pattern_group(pattern, "", 0), -1);
}
END_TEST

START_TEST(finds_one_after_the_other)
{
    begin("b(x)?");
    ck_assert_int_eq(lib_search_next(&search, "abcbx", 5, SECOND), LIB_SEARCH_FOUND);
    ck_assert_uint_eq(search.found[0], 1);
    ck_assert_uint_eq(search.found[2], LIB_SEARCH_ABSENT);
    ck_assert_int_eq(lib_search_next(&search, "abcbx", 5, SECOND), LIB_SEARCH_FOUND);
    ck_assert_uint_eq(search.found[1], 5);
    ck_assert_uint_eq(search.found[2], 4);
    ck_assert_int_eq(lib_search_next(&search, "abcbx", 5, SECOND), LIB_SEARCH_NONE);
}
END_TEST

/* Every place costs as many steps as characters are left. */
START_TEST(comes_back_when_the_slice_is_used_up)
{
    enum lib_search_result result;
    size_t slices = 0, at = 0;

    begin("x+[0-9]");
    while ((result = lib_search_next(&search, text, LONG, 1)) == LIB_SEARCH_MORE) {
        ck_assert_uint_gt(search.at, at);
        at = search.at;
        slices++;
    }
    ck_assert_int_eq(result, LIB_SEARCH_NONE);
    ck_assert_uint_gt(slices, 10);
    ck_assert_uint_gt(search.used_ns, 0);
}
END_TEST

static void *go_on(void *result)
{
    *(enum lib_search_result *)result = lib_search_next(&search, text, LONG, 1);
    return NULL;
}

START_TEST(goes_on_on_another_thread)
{
    enum lib_search_result result = LIB_SEARCH_MORE;

    begin("x+[0-9]");
    while (result == LIB_SEARCH_MORE) {
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, go_on, &result), 0);
        pthread_join(thread, NULL);
    }
    ck_assert_int_eq(result, LIB_SEARCH_NONE);
}
END_TEST

START_TEST(gives_up_what_takes_steps_without_end)
{
    struct nb_buf words = NB_BUF_INIT;

    begin("^(x|x)*\\1$");
    text[LONG - 1] = '!';
    ck_assert_int_eq(lib_search_next(&search, text, LONG, SECOND), LIB_SEARCH_LIMIT);
    lib_search_problem(&search, &words);
    ck_assert_str_eq(nb_buf_cstr(&words), "match limit exceeded");
    nb_buf_done(&words);
}
END_TEST

/* Search in slices of one nanosecond. */
static enum lib_search_result search_on(const char *in, size_t length)
{
    enum lib_search_result result;

    do
        result = lib_search_next(&search, in, length, 1);
    while (result == LIB_SEARCH_MORE);
    return result;
}

START_TEST(finds_that_nothing_matches_in_whatever_way)
{
    begin("(x+x+)+[yz]");
    ck_assert_int_eq(search_on(text, 60), LIB_SEARCH_NONE);
    ck_assert_int_eq(search.way, LIB_SEARCH_WIDE);
}
END_TEST

START_TEST(goes_on_behind_what_matches_in_no_way)
{
    begin("(x+x+)+([yz])|!(?=x)");
    text[50] = '!';
    ck_assert_int_eq(search_on(text, 60), LIB_SEARCH_FOUND);
    ck_assert_uint_eq(search.found[0], 50);
    ck_assert_uint_eq(search.found[1], 51);
    ck_assert_uint_eq(search.found[2], LIB_SEARCH_ABSENT);
    ck_assert_int_eq(search_on(text, 60), LIB_SEARCH_NONE);
}
END_TEST

/* Which of the matches that begin at one place comes first nobody can tell; that there is one is no secret. */
START_TEST(finds_whether_something_matches)
{
    text[40] = '!';
    begin("^(x|x)*!?(?=!)(x|x)*.y?$");
    search.whether = true;
    ck_assert_int_eq(search_on(text, 41), LIB_SEARCH_FOUND);
    begin("^(x|x)*$|^(x|xx)+!$");
    ck_assert_int_eq(search_on(text, 41), LIB_SEARCH_LIMIT);
    lib_search_begin(&search, pattern);
    search.whether = true;
    ck_assert_int_eq(search_on(text, 41), LIB_SEARCH_FOUND);
}
END_TEST

/* 200,000 backtracking points are more than machine code has room for. */
START_TEST(finds_as_much_with_machine_code)
{
    enum { MUCH = 200000 };
    char *much = malloc(MUCH);

    memset(much, 'x', MUCH);
    for (int i = 0; i < 3; i++) {
        begin("(x|\\n)*?$");
        ck_assert_int_eq(search_on(much, MUCH), LIB_SEARCH_FOUND);
        ck_assert_uint_eq(search.found[1], MUCH);
    }
    free(much);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lib/pattern");
    TCase *one = tcase_create("patterns");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(one, set_up, tear_down);
    tcase_add_test(one, keeps_what_it_compiled);
    tcase_add_test(one, says_what_is_wrong);
    tcase_add_test(one, knows_its_groups);
    tcase_add_test(one, finds_one_after_the_other);
    tcase_add_test(one, comes_back_when_the_slice_is_used_up);
    tcase_add_test(one, goes_on_on_another_thread);
    tcase_add_test(one, gives_up_what_takes_steps_without_end);
    tcase_add_test(one, finds_that_nothing_matches_in_whatever_way);
    tcase_add_test(one, goes_on_behind_what_matches_in_no_way);
    tcase_add_test(one, finds_whether_something_matches);
    tcase_add_test(one, finds_as_much_with_machine_code);
    suite_add_tcase(suite, one);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
