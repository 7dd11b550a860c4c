/*
 * test_query.c - what questions about places promise: type, definition and documentation of what stands there, in texts
 * that are saved nowhere, too.
 */
#include "config.h"

#include "lang/query.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/lib.h"
#include "tests/unit/run_suite.h"
#include "vm/init.h"

static const char program[] =
    /*  1 */ "# What a shop sells.\n"
    /*  2 */ "type Item = { name: String, price: Float }\n"
    /*  3 */ "type Sign = Stop | Go(Int)\n"
    /*  4 */ "trait Named label(self) -> String end\n"
    /*  5 */ "# How it is shown.\n"
    /*  6 */ "Item: Named label(self) = self.name ++ \"!\" end\n"
    /*  7 */ "mvar sold: Int = 0\n"
    /*  8 */ "# The sum of all prices,\n"
    /*  9 */ "# without discount.\n"
    /* 10 */ "total(items: List[Item]) = items.map(x => x.price).sum()\n"
    /* 11 */ "main() = {\n"
    /* 12 */ "    items = [Item(\"a\", 1.5)]\n"
    /* 13 */ "    text = items.map(it => it.label()).join(\", \")\n"
    /* 14 */ "    k = match Go(3) { Go(n) -> n  Stop -> 0 }\n"
    /* 15 */ "    var i = k\n"
    /* 16 */ "    inc = v => { i = i + v\n"
    /* 17 */ "        v }\n"
    /* 18 */ "    sold = sold + String.length(text)\n"
    /* 19 */ "    (inc(i), total(items), \"größe ${k}\", nope)\n"
    /* 20 */ "}\n";

static char path[] = "query-XXXXXX.nos";
static struct ns_diag *diag;
static struct ns_query *query;

static void set_up(void)
{
    struct ns_text unsaved = { path, program, sizeof program - 1 };
    struct ns_options options = { .types = true, .unsaved = &unsaved, .unsaved_count = 1 };
    int file;

    strcpy(path, "query-XXXXXX.nos");
    file = mkstemps(path, 4);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, "main() = 1\n", 11), 11);
    close(file);
    diag = ns_diag_new();
    ck_assert_int_eq(ns_query_new(path, &options, diag, &query), 0);
}

static void tear_down(void)
{
    query = ns_query_free(query);
    diag = ns_diag_free(diag);
    unlink(path);
}

enum { IN_LIBRARY = UINT32_MAX }; /* the line does not matter */

static const struct {
    uint32_t line, column;
    enum ns_reply_kind kind;
    const char *name, *type;
    uint32_t defined_line, defined_column; /* 0: nowhere */
} places[] = {
    { 10, 1, NS_REPLY_FUNCTION, "total", "(List[Item]) -> Float", 10, 1 },
    { 10, 6, NS_REPLY_FUNCTION, "total", "(List[Item]) -> Float", 10, 1 }, /* right behind the name */
    { 10, 7, NS_REPLY_LOCAL, "items", "List[Item]", 10, 7 },
    { 10, 19, NS_REPLY_TYPE, "Item", NULL, 2, 6 },
    { 10, 28, NS_REPLY_LOCAL, "items", "List[Item]", 10, 7 },
    { 10, 34, NS_REPLY_METHOD, "map", "List[Float]", IN_LIBRARY, 0 },
    { 10, 43, NS_REPLY_LOCAL, "x", "Item", 10, 38 },
    { 10, 45, NS_REPLY_FIELD, "price", "Float", 2, 29 },
    { 10, 52, NS_REPLY_METHOD, "sum", "Float", 0, 0 },
    { 2, 6, NS_REPLY_TYPE, "Item", NULL, 2, 6 },
    { 2, 15, NS_REPLY_FIELD, "name", "String", 2, 15 },
    { 3, 20, NS_REPLY_CONSTRUCTOR, "Go", "(Int) -> Sign", 3, 20 },
    { 4, 7, NS_REPLY_TYPE, "Named", NULL, 4, 7 },
    { 6, 13, NS_REPLY_METHOD, "label", "(Item) -> String", 6, 13 },
    { 6, 27, NS_REPLY_LOCAL, "self", "Item", 6, 19 },
    { 7, 6, NS_REPLY_VALUE, "sold", "Int", 7, 6 },
    { 12, 5, NS_REPLY_LOCAL, "items", "List[Item]", 12, 5 },
    { 12, 14, NS_REPLY_CONSTRUCTOR, "Item", "Item", 2, 6 },
    { 12, 19, NS_REPLY_EXPRESSION, NULL, "String", 0, 0 },
    { 13, 31, NS_REPLY_METHOD, "label", "String", 6, 13 },
    { 14, 23, NS_REPLY_CONSTRUCTOR, "Go", NULL, 3, 20 },
    { 14, 26, NS_REPLY_LOCAL, "n", "Int", 14, 26 },
    { 14, 32, NS_REPLY_LOCAL, "n", "Int", 14, 26 },
    { 16, 18, NS_REPLY_LOCAL, "i", "Int", 15, 9 }, /* assigned: defined outside */
    { 16, 22, NS_REPLY_LOCAL, "i", "Int", 15, 9 },
    { 16, 24, NS_REPLY_EXPRESSION, NULL, "Int", 0, 0 },
    { 17, 9, NS_REPLY_LOCAL, "v", "Int", 16, 11 },
    { 18, 5, NS_REPLY_VALUE, "sold", "Int", 7, 6 }, /* assigned, too */
    { 18, 12, NS_REPLY_VALUE, "sold", "Int", 7, 6 },
    { 18, 19, NS_REPLY_MODULE, "String", NULL, 0, 0 },
    { 18, 26, NS_REPLY_FUNCTION, "length", "Int", 0, 0 },
    { 19, 6, NS_REPLY_LOCAL, "inc", "(Int) -> Int", 16, 5 },
    { 19, 14, NS_REPLY_FUNCTION, "total", "(List[Item]) -> Float", 10, 1 },
    { 19, 37, NS_REPLY_LOCAL, "k", "Int", 14, 5 }, /* columns are characters */
};

START_TEST(says_what_stands_at_a_place)
{
    struct ns_reply reply;
    uint32_t line = 0, column = 0;

    ck_assert(ns_query_at(query, path, places[_i].line, places[_i].column, &reply));
    ck_assert_int_eq(reply.kind, places[_i].kind);
    ck_assert_pstr_eq(reply.name, places[_i].name);
    ck_assert_pstr_eq(reply.type, places[_i].type);
    ck_assert_int_eq(reply.definition.source != NULL && reply.definition.source->library,
                     places[_i].defined_line == IN_LIBRARY);
    if (places[_i].defined_line == IN_LIBRARY)
        return;
    if (reply.definition.source != NULL)
        ns_source_position(reply.definition.source, reply.definition.from, &line, &column);
    ck_assert_uint_eq(line, places[_i].defined_line);
    ck_assert_uint_eq(column, places[_i].defined_column);
}
END_TEST

static const struct { uint32_t line, column; const char *words; } documented[] = {
    { 19, 14, "The sum of all prices,\nwithout discount." },
    { 13, 31, "How it is shown." },
    { 12, 14, "What a shop sells." },
    { 18, 26, "The number of characters." },
    { 19, 6, NULL },
};

START_TEST(knows_what_is_written_above_a_definition)
{
    struct ns_reply reply;

    ck_assert(ns_query_at(query, path, documented[_i].line, documented[_i].column, &reply));
    ck_assert_pstr_eq(reply.documentation, documented[_i].words);
}
END_TEST

START_TEST(knows_nothing_elsewhere)
{
    struct ns_reply reply;

    ck_assert(!ns_query_at(query, path, 1, 1, &reply));
    ck_assert(!ns_query_at(query, path, 99, 1, &reply));
    ck_assert(!ns_query_at(query, path, 10, 0, &reply));
    ck_assert(!ns_query_at(query, "other.nos", 10, 1, &reply));
}
END_TEST

START_TEST(answers_beside_errors)
{
    ck_assert_uint_eq(ns_diag_count(diag), 1); /* nope */
}
END_TEST

START_TEST(needs_a_text_that_can_be_parsed)
{
    struct ns_text broken = { path, "main() = (", 10 };
    struct ns_options options = { .types = true, .unsaved = &broken, .unsaved_count = 1 };
    struct ns_diag *errors = ns_diag_new();
    struct ns_query *none = NULL;

    ck_assert_int_lt(ns_query_new(path, &options, errors, &none), 0);
    ck_assert_ptr_null(none);
    ck_assert_uint_eq(ns_diag_count(errors), 1);
    ns_diag_free(errors);
}
END_TEST

START_TEST(shows_replies)
{
    struct nb_buf out = NB_BUF_INIT;
    struct ns_reply reply = { .kind = NS_REPLY_FUNCTION, .name = "f", .type = "(Int) -> Int",
                              .declared = "(a) -> a", .documentation = "One.\nTwo." };

    ns_reply_print(&reply, &out);
    ck_assert_str_eq(nb_buf_cstr(&out), "function f: (Int) -> Int\n    declared: (a) -> a\n    One.\n    Two.\n");
    nb_buf_clear(&out);
    ns_reply_json(&reply, &out);
    ck_assert_str_eq(nb_buf_cstr(&out),
                     "{\"kind\":\"function\",\"line\":0,\"column\":0,\"endLine\":0,\"endColumn\":0,\"name\":\"f\","
                     "\"type\":\"(Int) -> Int\",\"declared\":\"(a) -> a\",\"documentation\":\"One.\\nTwo.\"}\n");
    nb_buf_done(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lang/query");
    TCase *one = tcase_create("places");

    vm_init();
    lib_register();
    tcase_add_checked_fixture(one, set_up, tear_down);
    tcase_add_loop_test(one, says_what_stands_at_a_place, 0, sizeof places / sizeof *places);
    tcase_add_loop_test(one, knows_what_is_written_above_a_definition, 0, sizeof documented / sizeof *documented);
    tcase_add_test(one, knows_nothing_elsewhere);
    tcase_add_test(one, answers_beside_errors);
    tcase_add_test(one, needs_a_text_that_can_be_parsed);
    tcase_add_test(one, shows_replies);
    suite_add_tcase(suite, one);
    return run_suite(suite);
}
