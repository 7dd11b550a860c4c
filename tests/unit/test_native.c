/* test_native.c - what the registry promises: each row is found by its name and arity, and nothing else is. */
#include "config.h"

#include "vm/native.h"

#include <check.h>
#include <stdlib.h>

#include "base/intern.h"

static enum vm_status nothing(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)ctx;
    (void)args;
    *ret = VM_UNIT;
    return VM_OK;
}

static struct vm_native table[] = {
    { .name = "show", .function = nothing, .arity = 1 },
    { .name = "String.part", .function = nothing, .arity = 2 },
    { .name = "String.part", .function = nothing, .arity = 3 },
    { .name = "a.b.c", .function = nothing, .arity = 0 },
    { .name = "fold", .function = nothing, .arity = 3, .type = "(list: List[(a, b)], acc: c, f: (c, a) -> c) -> c" },
    { .name = "zip", .function = nothing, .arity = 2, .type = "(List[a], ys: List[b]) -> List[(a, b)]" },
    { .name = "now", .function = nothing, .arity = 0, .type = "() -> Int" },
};

START_TEST(finds_rows_by_name_and_arity)
{
    ck_assert_ptr_eq(vm_native_find("show", 1), &table[0]);
    ck_assert_ptr_eq(vm_native_find("String.part", 2), &table[1]);
    ck_assert_ptr_eq(vm_native_find("String.part", 3), &table[2]);
    ck_assert_ptr_eq(vm_native_find("String.part", -1), &table[1]);
    ck_assert_ptr_null(vm_native_find("String.part", 1));
    ck_assert_ptr_null(vm_native_find("String", -1));
    ck_assert_ptr_null(vm_native_find("shows", 1));
}
END_TEST

START_TEST(knows_namespaces)
{
    ck_assert(vm_native_is_namespace("String"));
    ck_assert(vm_native_is_namespace("a"));
    ck_assert(vm_native_is_namespace("a.b"));
    ck_assert(!vm_native_is_namespace("a.b.c"));
    ck_assert(!vm_native_is_namespace("show"));
    ck_assert(!vm_native_is_namespace("Str"));
}
END_TEST

START_TEST(reads_parameter_names_from_the_type)
{
    const char *const *names = vm_native_parameters(&table[4]);

    ck_assert_ptr_eq(names[0], nb_intern("list"));
    ck_assert_ptr_eq(names[1], nb_intern("acc"));
    ck_assert_ptr_eq(names[2], nb_intern("f"));
    ck_assert_ptr_null(vm_native_parameters(&table[0]));
    ck_assert_ptr_null(vm_native_parameters(&table[5])); /* one has a name, the other not */
    ck_assert_ptr_null(vm_native_parameters(&table[6]));
}
END_TEST

START_TEST(lists_rows_in_order_and_makes_them_values)
{
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
        vm_value value = vm_from_object(&table[i]);

        ck_assert_ptr_eq(vm_native_at(i), &table[i]);
        ck_assert_int_eq(vm_kind(value), VM_KIND_NATIVE);
        ck_assert(vm_is_outside(value));
        ck_assert_uint_eq(vm_object_words(vm_header(value)) * sizeof(vm_value), sizeof table[i]);
    }
    ck_assert_ptr_null(vm_native_at(sizeof table / sizeof *table));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vm/native");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    if (vm_native_find("show", 1) != NULL || vm_native_is_namespace("String") || vm_native_at(0) != NULL)
        return EXIT_FAILURE; /* empty at first */
    vm_native_register(table, 3);
    vm_native_register(table + 3, sizeof table / sizeof *table - 3);
    tcase_add_test(all, finds_rows_by_name_and_arity);
    tcase_add_test(all, knows_namespaces);
    tcase_add_test(all, reads_parameter_names_from_the_type);
    tcase_add_test(all, lists_rows_in_order_and_makes_them_values);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
