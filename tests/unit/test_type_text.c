/*
 * test_type_text.c - the types that the tables of natives give are types, and mean what they say.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "lang/infer.h"
#include "lang/type_text.h"
#include "lib/lib.h"
#include "vm/native.h"
#include "vm/type.h"

static struct ns_unit unit;
static struct ns_check check;

static void set_up(void)
{
    unit = (struct ns_unit){ .arena = nb_arena_new() };
    check = (struct ns_check){ .unit = &unit, .arena = unit.arena };
}

static void tear_down(void)
{
    ns_table_done(&check.native_schemes);
    nb_arena_free(unit.arena);
}

START_TEST(every_native_has_a_type_with_its_number_of_parameters)
{
    const struct vm_native *native;
    unsigned wrong = 0;

    for (unsigned i = 0; (native = vm_native_at(i)) != NULL; i++) {
        const char *error = NULL;
        const struct ns_term *scheme = ns_scheme_of_text(&check, native->type, &error);

        if (scheme == NULL)
            fprintf(stderr, "%s: \"%s\": %s\n", native->name, native->type, error);
        else if (scheme->kind != NS_TERM_FUNCTION || scheme->function.count != native->arity)
            fprintf(stderr, "%s: \"%s\" is no function of %u\n", native->name, native->type, native->arity);
        else
            continue;
        wrong++;
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

static void means(const char *text, const char *printed)
{
    struct ns_term *scheme = ns_scheme_of_text(&check, text, NULL);

    ck_assert_ptr_nonnull(scheme);
    ck_assert_str_eq(ns_term_text(&check, scheme), printed);
}

START_TEST(texts_become_terms)
{
    means("Int", "Int");
    means("()", "()");
    means("(Int)", "Int");
    means("(x: Int, list: List[t]) -> Map[String, t]", "(Int, List[a]) -> Map[String, a]");
    means("() -> (Float, [Int])", "() -> (Float, List[Int])");
    means("a -> b -> a", "(a) -> (b) -> a");
    means("(f: (k, v) -> Bool) -> Never", "((a, b) -> Bool) -> Never");
    means("Ord a => (List[a]) -> a", "(List[a]) -> a");
    means("(Nowhere[Int]) -> Nowhere", "(_) -> _");
}
END_TEST

START_TEST(demands_hang_on_their_variables)
{
    struct ns_term *scheme = ns_scheme_of_text(&check, "Ord a, Hash b => (a, b, c) -> a", NULL);
    struct ns_term **parameters = scheme->function.parameters;

    ck_assert_str_eq(parameters[0]->variable.demands->name, "Ord");
    ck_assert_str_eq(parameters[1]->variable.demands->name, "Hash");
    ck_assert_ptr_null(parameters[2]->variable.demands);
    ck_assert_ptr_eq(scheme->function.result, parameters[0]);
    ck_assert_int_eq(parameters[2]->variable.level, NS_LEVEL_QUANTIFIED);
}
END_TEST

START_TEST(mistakes_are_named)
{
    static const char *const texts[][2] = {
        { "", "a type is missing" },
        { "(Int", "`)` is missing" },
        { "List[Int", "`]` is missing" },
        { "[Int", "`]` is missing" },
        { "List[Int, Int]", "wrong number of type arguments" },
        { "Int Int", "text behind the type" },
        { "Ord => a", "a trait and a variable are expected before `=>`" },
        { "(a) ->", "a type is missing" },
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *error = NULL;

        ck_assert_ptr_null(ns_scheme_of_text(&check, texts[i][0], &error));
        ck_assert_str_eq(error, texts[i][1]);
    }
}
END_TEST

START_TEST(what_nests_too_deep_is_refused)
{
    char text[500];
    const char *error;

    memset(text, '(', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert_ptr_null(ns_scheme_of_text(&check, text, &error));
    ck_assert_str_eq(error, "types nest too deep");
}
END_TEST

START_TEST(natives_are_found_by_name_and_arity)
{
    ck_assert_ptr_nonnull(ns_scheme_of_native(&check, "String.trim", 1));
    ck_assert_ptr_eq(ns_scheme_of_native(&check, "String.trim", 1), ns_scheme_of_native(&check, "String.trim", -1));
    ck_assert_ptr_null(ns_scheme_of_native(&check, "String.trim", 2));
    ck_assert_ptr_null(ns_scheme_of_native(&check, "nothing", -1));
    ck_assert_ptr_nonnull(ns_scheme_of_native(&check, "assert", 2));
    ck_assert_ptr_null(ns_scheme_of_native(&check, "assert", -1)); /* one of two */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lang/type_text");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    vm_type_init();
    lib_register();
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, every_native_has_a_type_with_its_number_of_parameters);
    tcase_add_test(all, texts_become_terms);
    tcase_add_test(all, demands_hang_on_their_variables);
    tcase_add_test(all, mistakes_are_named);
    tcase_add_test(all, what_nests_too_deep_is_refused);
    tcase_add_test(all, natives_are_found_by_name_and_arity);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
