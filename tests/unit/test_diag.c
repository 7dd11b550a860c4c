/* test_diag.c - what diagnostics promise: one piece per message, order of showing, places in characters, a bound. */
#include "config.h"

#include "lang/diag.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/run_suite.h"

static struct ns_diag *diag;
static const struct ns_source *source;
static struct nb_buf out;

static const char text[] = "one\n  h\xc3\xa9llo = 1\nlast";

static void set_up(void)
{
    diag = ns_diag_new();
    source = ns_diag_source(diag, "shop.nos", "", text, sizeof text - 1, false, false);
    out = NB_BUF_INIT;
}

static void tear_down(void)
{
    nb_buf_done(&out);
    diag = ns_diag_free(diag);
}

static struct ns_span span(uint32_t from, uint32_t to) { return (struct ns_span){ source, from, to }; }

START_TEST(shows_message_place_excerpt_and_advice)
{
    ns_error(diag, NS_ERROR_COMPILE, span(13, 14), "unknown `%s`", "x");
    ns_hint(diag, "try %d", 2);
    ns_note(diag, "first");
    ns_note(diag, "second");
    ns_label(diag, span(0, 3), "opened here");
    ns_diag_print(diag, &out);
    ck_assert_str_eq(nb_buf_cstr(&out), "Error: unknown `x`\n"
                                        "   --> shop.nos:2:9\n"
                                        "   2 |   h\xc3\xa9llo = 1\n"
                                        "     |         ^\n"
                                        "   opened here:\n"
                                        "   --> shop.nos:1:1\n"
                                        "   1 | one\n"
                                        "     | ^^^\n"
                                        "   Help: try 2\n"
                                        "   Note: first\n"
                                        "   Note: second\n");
}
END_TEST

START_TEST(shows_json_with_all_keys_in_order)
{
    ns_error(diag, NS_ERROR_PARSE, span(6, 12), "a \"b\"\n\\");
    ns_hint(diag, "h");
    ns_note(diag, "n");
    ns_also(diag, "o");
    ns_label(diag, span(0, 1), "l");
    ns_replacement(diag, span(6, 7), "r");
    ns_diag_json(diag, &out);
    ck_assert_str_eq(nb_buf_cstr(&out),
                     "{\"file\":\"shop.nos\",\"line\":2,\"column\":3,\"endLine\":2,\"endColumn\":8,"
                     "\"severity\":\"error\",\"kind\":\"parse\",\"message\":\"a \\\"b\\\"\\n\\\\\",\"hint\":\"h\","
                     "\"replacement\":{\"line\":2,\"column\":3,\"endLine\":2,\"endColumn\":4,\"text\":\"r\"},"
                     "\"notes\":[\"n\",\"o\"],\"labels\":[{\"file\":\"shop.nos\","
                     "\"line\":1,\"column\":1,\"endLine\":1,\"endColumn\":2,\"message\":\"l\"}]}\n");
}
END_TEST

START_TEST(shows_other_words_once_in_one_line)
{
    ns_error(diag, NS_ERROR_COMPILE, (struct ns_span){ NULL, 0, 0 }, "first");
    ns_also(diag, "first");
    ns_also(diag, "second");
    ns_also(diag, "third");
    ns_also(diag, "second");
    ns_diag_print(diag, &out);
    ck_assert_str_eq(nb_buf_cstr(&out), "Error: first\n   Also: second; third\n");
}
END_TEST

START_TEST(shows_errors_without_a_place)
{
    ns_error(diag, NS_ERROR_COMPILE, (struct ns_span){ NULL, 0, 0 }, "Error reading file 'F': gone");
    ns_diag_print(diag, &out);
    ck_assert_str_eq(nb_buf_cstr(&out), "Error reading file 'F': gone\n");
    nb_buf_clear(&out);
    ns_diag_json(diag, &out);
    ck_assert_ptr_nonnull(strstr(nb_buf_cstr(&out), "\"line\":0,\"column\":0,\"endLine\":0,\"endColumn\":0"));
}
END_TEST

START_TEST(shows_lower_ranks_first_and_then_by_place)
{
    ns_error(diag, NS_ERROR_COMPILE, span(17, 18), "late");
    ns_error(diag, NS_ERROR_COMPILE, span(1, 2), "early");
    ck_assert_str_eq(ns_diag_first(diag), "early");
    ns_error(diag, NS_ERROR_COMPILE, span(18, 19), "shadows");
    ns_rank(diag, 1);
    ck_assert_str_eq(ns_diag_first(diag), "shadows");
    ns_diag_print(diag, &out);
    ck_assert(strstr(nb_buf_cstr(&out), "late") > strstr(nb_buf_cstr(&out), "early"));
}
END_TEST

START_TEST(keeps_errors_of_a_source_together)
{
    const struct ns_source *other = ns_diag_source(diag, "z.nos", "z", "abc", 3, false, true);

    ns_error(diag, NS_ERROR_COMPILE, (struct ns_span){ other, 2, 3 }, "A");
    ns_error(diag, NS_ERROR_COMPILE, span(0, 1), "B");
    ns_error(diag, NS_ERROR_COMPILE, (struct ns_span){ other, 0, 1 }, "C");
    ns_diag_json(diag, &out);
    ck_assert(strstr(nb_buf_cstr(&out), "\"C\"") < strstr(nb_buf_cstr(&out), "\"A\""));
    ck_assert(strstr(nb_buf_cstr(&out), "\"A\"") < strstr(nb_buf_cstr(&out), "\"B\""));
}
END_TEST

START_TEST(counts_what_it_no_longer_keeps)
{
    for (int i = 0; i < NS_DIAG_MAX + 5; i++) {
        ns_error(diag, NS_ERROR_COMPILE, span(0, 1), "number %d", i);
        ns_note(diag, "note %d", i);
    }
    ck_assert_uint_eq(ns_diag_count(diag), NS_DIAG_MAX + 5);
    ns_diag_print(diag, &out);
    ck_assert_ptr_nonnull(strstr(nb_buf_cstr(&out), "number 49\n"));
    ck_assert_ptr_null(strstr(nb_buf_cstr(&out), "number 50\n"));
    ck_assert_ptr_null(strstr(nb_buf_cstr(&out), "note 50\n"));
    ck_assert_ptr_nonnull(strstr(nb_buf_cstr(&out), "and 5 more errors"));
}
END_TEST

START_TEST(counts_columns_in_characters)
{
    uint32_t line, column;

    ns_source_position(source, 9, &line, &column); /* behind the two bytes of é */
    ck_assert_uint_eq(line, 2);
    ck_assert_uint_eq(column, 5);
    ns_source_position(source, 1000, &line, &column);
    ck_assert_uint_eq(line, 3);
    ck_assert_uint_eq(column, 5);
}
END_TEST

START_TEST(copies_texts_unless_they_are_static)
{
    char gone[] = "abc";
    const struct ns_source *copied = ns_diag_source(diag, "f", "m", gone, 3, false, false);

    gone[0] = 'x';
    ck_assert_str_eq(copied->text, "abc");
    ck_assert_ptr_eq(ns_diag_source(diag, "f", "m", text, 3, true, true)->text, text);
}
END_TEST

START_TEST(has_nothing_to_say_at_first)
{
    ck_assert_uint_eq(ns_diag_count(diag), 0);
    ck_assert_str_eq(ns_diag_first(diag), "");
    ns_hint(diag, "belongs to no error");
    ns_diag_print(diag, &out);
    ck_assert_str_eq(nb_buf_cstr(&out), "");
}
END_TEST

START_TEST(keeps_warnings_apart_from_errors)
{
    ns_warning(diag, "odd %s", "config");
    ck_assert_uint_eq(ns_diag_count(diag), 0);
    ns_diag_print_warnings(diag, &out);
    ck_assert_str_eq(nb_buf_cstr(&out), "Warning: odd config\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lang/diag");
    TCase *one = tcase_create("diagnostics");

    tcase_add_checked_fixture(one, set_up, tear_down);
    tcase_add_test(one, shows_message_place_excerpt_and_advice);
    tcase_add_test(one, shows_json_with_all_keys_in_order);
    tcase_add_test(one, shows_other_words_once_in_one_line);
    tcase_add_test(one, shows_errors_without_a_place);
    tcase_add_test(one, shows_lower_ranks_first_and_then_by_place);
    tcase_add_test(one, keeps_errors_of_a_source_together);
    tcase_add_test(one, counts_what_it_no_longer_keeps);
    tcase_add_test(one, counts_columns_in_characters);
    tcase_add_test(one, copies_texts_unless_they_are_static);
    tcase_add_test(one, has_nothing_to_say_at_first);
    tcase_add_test(one, keeps_warnings_apart_from_errors);
    suite_add_tcase(suite, one);
    return run_suite(suite);
}
