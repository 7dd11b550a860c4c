/* test_similar.c - what "did you mean" promises: which names are near, in which order, and in which words. */
#include "config.h"

#include "lang/similar.h"

#include <check.h>
#include <string.h>

#include "tests/unit/run_suite.h"

static const struct { const char *wanted, *candidate; bool near; } pairs[] = {
    { "totl", "total", true },       { "fliter", "filter", true },   { "lenght", "length", true },
    { "toUper", "toUpper", true },   { "nmae", "name", true },       { "nam", "name", true },
    { "lst", "list", true },         { "lst", "hast", false },       { "x", "y", false },
    { "xs", "ys", true },            { "total", "total", false },    { "amount", "sum", false },
    { "filtering", "filter", false }, { "", "a", false },
    { "a_name_of_more_than_forty_letters_is_not_looked", "a_name_of_more_than_forty_letters_is_not_looked_", false },
};

START_TEST(finds_names_that_are_near)
{
    struct ns_similar similar = { .wanted = pairs[_i].wanted };

    ns_similar_add(&similar, pairs[_i].candidate);
    ck_assert_uint_eq(similar.count, pairs[_i].near ? 1 : 0);
}
END_TEST

START_TEST(keeps_the_nearest_three_each_once)
{
    struct ns_similar similar = { .wanted = "printn" };
    static const char *const names[] = { "prints", "eprint", "println", "print", "println", "sprintn" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ns_similar_add(&similar, names[i]);
    ck_assert_uint_eq(similar.count, 3);
    ck_assert_str_eq(similar.names[0], "prints");
    ck_assert_str_eq(similar.names[1], "println");
    ck_assert_str_eq(similar.names[2], "print");
}
END_TEST

START_TEST(says_nothing_without_candidates)
{
    struct ns_similar similar = { .wanted = "total" };
    struct ns_diag *diag = ns_diag_new();

    ck_assert(!ns_similar_hint(&similar, diag, (struct ns_span){ NULL, 0, 0 }));
    ns_diag_free(diag);
}
END_TEST

START_TEST(hints_in_one_wording)
{
    struct ns_similar similar = { .wanted = "totl" };
    struct ns_diag *diag = ns_diag_new();
    struct nb_buf out = NB_BUF_INIT;

    ns_error(diag, NS_ERROR_COMPILE, (struct ns_span){ NULL, 0, 0 }, "unknown");
    ns_similar_add(&similar, "total");
    ck_assert(ns_similar_hint(&similar, diag, (struct ns_span){ NULL, 0, 0 }));
    ns_diag_print(diag, &out);
    ck_assert_str_eq(nb_buf_cstr(&out), "Error: unknown\n   Help: did you mean `total`?\n");
    nb_buf_clear(&out);
    ns_similar_add(&similar, "totl_");
    ns_similar_hint(&similar, diag, (struct ns_span){ NULL, 0, 0 });
    ns_diag_print(diag, &out);
    ck_assert_str_eq(nb_buf_cstr(&out), "Error: unknown\n   Help: did you mean one of: total, totl_?\n");
    nb_buf_done(&out);
    ns_diag_free(diag);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lang/similar");
    TCase *one = tcase_create("names");

    tcase_add_loop_test(one, finds_names_that_are_near, 0, sizeof pairs / sizeof *pairs);
    tcase_add_test(one, keeps_the_nearest_three_each_once);
    tcase_add_test(one, says_nothing_without_candidates);
    tcase_add_test(one, hints_in_one_wording);
    suite_add_tcase(suite, one);
    return run_suite(suite);
}
