/* test_program.c - what a program image promises: it lives as long as somebody holds it, and finds its functions. */
#include "config.h"

#include "vm/program.h"

#include <check.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/intern.h"
#include "vm/dispatch.h"
#include "vm/shared.h"
#include "vm/type.h"

START_TEST(takes_its_mvars_contents_along)
{
    uint64_t before = vm_shared_bytes_total();
    struct vm_program *program = vm_program_new("test.nos");

    program->mvars = nb_arena_array(program->arena, 2, sizeof *program->mvars);
    program->mvar_count = 2;
    for (int i = 0; i < 2; i++)
        program->mvars[i] = nb_arena_alloc(program->arena, sizeof **program->mvars);
    atomic_store(&program->mvars[0]->value, vm_shared_new(VM_KIND_STRING, 0, 0, 100));
    atomic_store(&program->mvars[1]->value, vm_from_small(1));
    ck_assert_ptr_eq(vm_program_ref(program), program);
    vm_program_unref(program);
    ck_assert_str_eq(program->name, "test.nos");
    ck_assert_uint_gt(vm_shared_bytes_total(), before);
    vm_program_unref(program);
    ck_assert_uint_eq(vm_shared_bytes_total(), before);
    vm_program_unref(NULL);
}
END_TEST

START_TEST(finds_functions_by_name_and_arity)
{
    struct vm_function one = { .name = "shop.handle", .arity = 1 }, two = { .name = "shop.handle", .arity = 2 };
    struct vm_function *functions[] = { &one, &two };
    struct vm_program *program = vm_program_new("test.nos");

    program->functions = functions;
    program->function_count = 2;
    ck_assert_ptr_eq(vm_program_function(program, "shop.handle", 1), &one);
    ck_assert_ptr_eq(vm_program_function(program, "shop.handle", 2), &two);
    ck_assert_ptr_null(vm_program_function(program, "shop.handle", 0));
    ck_assert_ptr_null(vm_program_function(program, "handle", 1));
    vm_program_unref(program);
}
END_TEST

START_TEST(takes_along_what_its_call_sites_remember)
{
    long before = nb_alloc_live();
    struct vm_program *program = vm_program_new("test.nos");
    struct vm_native native = { .header = VM_HEADER(VM_KIND_NATIVE, VM_FLAG_IMMORTAL, 0, 1), .arity = 1 };
    struct vm_site site = { .name = "twice", .arg_count = 1, .fallback = vm_from_object(&native) };
    bool field_call;

    program->methods = vm_methods_new(program->arena);
    ck_assert_uint_eq(vm_dispatch(program, &site, vm_from_small(1), &field_call), site.fallback);
    ck_assert_uint_eq(vm_dispatch(program, &site, VM_TRUE, &field_call), site.fallback);
    ck_assert_ptr_nonnull(atomic_load(&program->site_entries));
    vm_program_unref(program);
    ck_assert_int_eq(nb_alloc_live(), before);
}
END_TEST

START_TEST(shows_private_methods_to_their_module_only)
{
    struct vm_program *program = vm_program_new("test.nos");
    struct vm_native native = { .header = VM_HEADER(VM_KIND_NATIVE, VM_FLAG_IMMORTAL, 0, 1), .arity = 1 };
    vm_value method = vm_from_object(&native);
    const char *const modules[] = { "shop", "shop.Inner", "shopping", "other", "", NULL };
    const bool seen[] = { true, true, false, false, false, false };
    bool field_call;

    program->methods = vm_methods_new(program->arena);
    vm_methods_add_private(program->methods, 0, VM_CLASS_INT, nb_intern_id("hush"), "shop", method);
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        struct vm_site site = { .name_id = nb_intern_id("hush"), .name = "hush", .arg_count = 1, .module = modules[i] };

        ck_assert_uint_eq(vm_dispatch(program, &site, vm_from_small(1), &field_call), seen[i] ? method : VM_NONE);
    }
    ck_assert_uint_eq(vm_methods_find(program->methods, 0, VM_CLASS_INT, nb_intern_id("hush"), 1), method);
    vm_program_unref(program);
}
END_TEST

START_TEST(is_null_without_memory)
{
    struct vm_program *program;

    nb_alloc_fail_after(0);
    program = vm_program_new("test.nos");
    nb_alloc_fail_after(-1);
    ck_assert_ptr_null(program);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vm/program");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(all, takes_its_mvars_contents_along);
    tcase_add_test(all, finds_functions_by_name_and_arity);
    tcase_add_test(all, takes_along_what_its_call_sites_remember);
    tcase_add_test(all, shows_private_methods_to_their_module_only);
    tcase_add_test(all, is_null_without_memory);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
