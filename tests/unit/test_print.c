/* test_print.c - what printing promises: the two forms, exactly; any depth; bounded texts. */
#include "config.h"

#include "tests/unit/data.h"

#include "base/stress.h"
#include "vm/code.h"
#include "vm/map.h"
#include "vm/object.h"

static vm_value small(int64_t n) { return vm_from_small(n); }

#define CHECK_FORMS(value, display_form, result_form) \
    do { \
        vm_value checked = (value); \
        ck_assert_str_eq(display(checked), display_form); \
        ck_assert_str_eq(result(checked), result_form); \
    } while (0)

START_TEST(prints_plain_values)
{
    CHECK_FORMS(VM_UNIT, "()", "()");
    CHECK_FORMS(VM_TRUE, "true", "true");
    CHECK_FORMS(small(-5), "-5", "-5");
    CHECK_FORMS(VM_IMMEDIATE(VM_SORT_INT8, (int64_t)-5), "-5", "-5i8");
    CHECK_FORMS(vm_uint64(&ctx, 7), "7", "7u64");
    CHECK_FORMS(vm_from_flonum(2.0), "2.0", "2.0");
    CHECK_FORMS(vm_float32(1.5f), "1.5", "1.5f32");
    CHECK_FORMS(vm_from_char('q'), "q", "'q'");
    CHECK_FORMS(vm_from_char(0xf1), "ñ", "'ñ'");
    CHECK_FORMS(VM_IMMEDIATE(VM_SORT_PID, 3), "<pid 3>", "<pid:3>");
    CHECK_FORMS(VM_NIL, "[]", "[]");
    CHECK_FORMS(VM_EMPTY_MAP, "%{}", "%{}");
    CHECK_FORMS(VM_EMPTY_SET, "#{}", "#{...0 items}");
    CHECK_FORMS(VM_IMMEDIATE(VM_SORT_CTOR, VM_CTOR_NONE), "None", "None");
}
END_TEST

START_TEST(escapes_nested_strings_in_the_display_form_only)
{
    ctx.args[1] = text("a\"b\\c\n");
    CHECK_FORMS(ctx.args[1], "a\"b\\c\n", "\"a\"b\\c\n\"");
    ctx.args[0] = ctx.args[1];
    ctx.args[1] = vm_from_char('c');
    ctx.args[2] = vm_list_from(&ctx, ctx.args, 2);
    CHECK_FORMS(ctx.args[2], "[\"a\\\"b\\\\c\n\", 'c']", "[\"a\"b\\c\n\", 'c']");
}
END_TEST

START_TEST(prints_compound_values)
{
    const char *fields[] = { "x", "label" };
    uint32_t pt = record("shapes.Pt", "Pt", 2, fields);

    ctx.args[0] = VM_IMMEDIATE(VM_SORT_UINT8, 7);
    ctx.args[1] = vm_from_flonum(2.0);
    ctx.args[2] = vm_from_char('q');
    CHECK_FORMS(tuple(3), "(7, 2.0, 'q')", "(7u8, 2.0, 'q')");
    ctx.args[1] = text("hi");
    ctx.args[2] = compound(VM_KIND_DATA, pt, 2);
    CHECK_FORMS(ctx.args[2], "Pt{x: 7, label: \"hi\"}", "shapes.Pt{x: 7u8, label: \"hi\"}");
    ctx.args[0] = ctx.args[2];
    ctx.args[3] = compound(VM_KIND_DATA, VM_CTOR_SOME, 1);
    CHECK_FORMS(ctx.args[3], "Some(Pt{x: 7, label: \"hi\"})", "Some(shapes.Pt{x: 7u8, label: \"hi\"})");
    ctx.args[0] = small(1);
    ctx.args[1] = VM_NIL;
    CHECK_FORMS(compound(VM_KIND_DATA, variant("m.Tree", "Node", 0, 2), 2), "Node(1, [])", "Node(1, [])");
}
END_TEST

START_TEST(prints_long_lists_whole)
{
    ctx.args[0] = vm_list_make(&ctx, 12);
    for (uint32_t i = 0; i < 12; i++)
        vm_list_init_at(ctx.args[0], i, small(i));
    CHECK_FORMS(ctx.args[0], "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]");
}
END_TEST

START_TEST(prints_maps_in_order_of_their_keys)
{
    ctx.args[0] = VM_EMPTY_MAP;
    for (int64_t n = 12; n > 8; n--)
        ctx.args[0] = vm_map_insert(&ctx, ctx.args[0], small(n), VM_IMMEDIATE(VM_SORT_INT8, n));
    CHECK_FORMS(ctx.args[0], "%{9: 9, 10: 10, 11: 11, 12: 12}", "%{9: 9i8, 10: 10i8, 11: 11i8, 12: 12i8}");
    ctx.args[1] = text("a\"b");
    ctx.args[0] = vm_map_insert(&ctx, VM_EMPTY_MAP, ctx.args[1], ctx.args[1]);
    CHECK_FORMS(ctx.args[0], "%{\"a\"b\": \"a\\\"b\"}", "%{\"a\"b\": \"a\"b\"}");
    ctx.args[0] = vm_map_insert(&ctx, ctx.args[0], VM_TRUE, VM_UNIT); /* keys that have no order */
    ck_assert_uint_eq(strlen(display(ctx.args[0])), strlen("%{\"a\"b\": \"a\\\"b\", true: ()}"));
}
END_TEST

START_TEST(prints_record_keys_with_their_module)
{
    const char *fields[] = { "n" };

    ctx.args[0] = small(1);
    ctx.args[0] = compound(VM_KIND_DATA, record("m.K", "K", 1, fields), 1);
    ctx.args[0] = vm_map_insert(&ctx, VM_EMPTY_MAP, ctx.args[0], ctx.args[0]);
    ck_assert_str_eq(display(ctx.args[0]), "%{m.K{n: 1}: K{n: 1}}");
}
END_TEST

START_TEST(prints_sets_sorted_by_text)
{
    ctx.args[0] = vm_set_insert(&ctx, VM_EMPTY_SET, small(9));
    ctx.args[0] = vm_set_insert(&ctx, ctx.args[0], small(10));
    ctx.args[0] = vm_set_insert(&ctx, ctx.args[0], vm_from_char('x'));
    CHECK_FORMS(ctx.args[0], "#{'x', 10, 9}", "#{...3 items}");
    ctx.args[0] = vm_list_cons(&ctx, ctx.args[0], VM_NIL);
    CHECK_FORMS(ctx.args[0], "[#{'x', 10, 9}]", "[#{...3 items}]");
}
END_TEST

START_TEST(prints_what_has_no_content_to_show)
{
    struct vm_function function = { .header = VM_HEADER(VM_KIND_FUNCTION, VM_FLAG_IMMORTAL, 0, 0), .name = "m.f" };
    vm_value *object;

    CHECK_FORMS(vm_from_object(&function), "<function m.f>", "\"<function m.f>\"");
    ck_assert(vm_heap_reserve(&ctx, 10));
    object = vm_heap_take(&process.heap, 4);
    object[0] = VM_HEADER(VM_KIND_INT64_ARRAY, 0, 0, 3);
    CHECK_FORMS(vm_from_object(object), "Int64Array[3]", "\"Int64Array[3]\"");
    object[0] = VM_HEADER(VM_KIND_FLOAT32_ARRAY, 0, 0, 24);
    CHECK_FORMS(vm_from_object(object), "Float32Array[6]", "\"Float32Array[6]\"");
    object = vm_heap_take(&process.heap, 2);
    object[0] = VM_HEADER(VM_KIND_CLOSURE, 0, 0, 1);
    object[1] = (uint64_t)(uintptr_t)&function;
    CHECK_FORMS(vm_from_object(object), "<closure m.f>", "\"<closure m.f>\"");
    ctx.args[0] = text("so \"far\"");
    ctx.args[1] = compound(VM_KIND_BUFFER, 0, 1);
    CHECK_FORMS(ctx.args[1], "so \"far\"", "\"so \"far\"\"");
}
END_TEST

START_TEST(ends_deep_values_with_an_ellipsis)
{
    const char *printed_form;

    ctx.args[2] = small(1);
    for (int i = 0; i < NB_STRESS_OR(10100, 30000); i++) {
        ctx.args[0] = ctx.args[2];
        ctx.args[2] = compound(VM_KIND_DATA, VM_CTOR_SOME, 1);
    }
    printed_form = display(ctx.args[2]);
    ck_assert_uint_eq(strlen(printed_form), 10000 * strlen("Some()") + strlen("…"));
    ck_assert_ptr_nonnull(strstr(printed_form, "Some(…)"));
}
END_TEST

START_TEST(ends_texts_that_would_never_end)
{
    struct nb_buf out = NB_BUF_INIT;

    ctx.args[2] = VM_UNIT;
    for (int i = 0; i < 60; i++) { /* 2^60 units */
        ctx.args[0] = ctx.args[1] = ctx.args[2];
        ctx.args[2] = tuple(2);
    }
    vm_print_display(&out, ctx.args[2]);
    ck_assert(!out.failed);
    ck_assert_uint_lt(out.length, (size_t)300 << 20);
    nb_buf_done(&out);
}
END_TEST

START_TEST(names_kinds)
{
    ck_assert_str_eq(vm_kind_word(small(1)), "Int64");
    ck_assert_str_eq(vm_kind_word(vm_from_flonum(1.5)), "Float64");
    ck_assert_str_eq(vm_kind_word(text("s")), "String");
    ck_assert_str_eq(vm_kind_word(VM_NIL), "List");
    ck_assert_str_eq(vm_kind_word(VM_IMMEDIATE(VM_SORT_CTOR, VM_CTOR_NONE)), "Variant");
    ck_assert_str_eq(vm_kind_word(VM_NONE), "other");
}
END_TEST

START_TEST(says_when_memory_is_exhausted)
{
    struct nb_buf out = NB_BUF_INIT;

    ctx.args[0] = vm_set_insert(&ctx, VM_EMPTY_SET, small(1));
    for (long allocations = 0; allocations < 3; allocations++) {
        nb_alloc_fail_after(allocations);
        vm_print_display(&out, ctx.args[0]);
        nb_alloc_fail_after(-1);
        ck_assert(out.failed);
        nb_buf_done(&out);
        out = NB_BUF_INIT;
    }
}
END_TEST

START_TEST(fails_without_memory_for_the_way_down)
{
    struct nb_buf out = NB_BUF_INIT;

    ctx.args[0] = small(1);
    for (unsigned depth = 0; depth < 100; depth++)
        ctx.args[0] = depth % 2 == 0 ? vm_map_insert(&ctx, VM_EMPTY_MAP, small(1), ctx.args[0])
                                     : tuple_of(ctx.args[0], VM_UNIT);
    for (long left = 0; left < 50; left++) {
        nb_alloc_fail_after(left);
        vm_print_display(&out, ctx.args[0]);
        nb_alloc_fail_after(-1);
        ck_assert(out.failed);
        nb_buf_done(&out);
    }
    vm_print_display(&out, ctx.args[0]);
    ck_assert(!out.failed);
    nb_buf_done(&out);
}
END_TEST

int main(void)
{
    const struct named_test tests[] = {
        { prints_plain_values, 0 }, { escapes_nested_strings_in_the_display_form_only, 0 },
        { prints_compound_values, 0 },
        { prints_long_lists_whole, 0 }, { prints_maps_in_order_of_their_keys, 0 },
        { prints_record_keys_with_their_module, 0 },
        { prints_sets_sorted_by_text, 0 }, { prints_what_has_no_content_to_show, 0 },
        { ends_deep_values_with_an_ellipsis, 0 }, { ends_texts_that_would_never_end, 0 }, { names_kinds, 0 },
        { says_when_memory_is_exhausted, 0 },
        { fails_without_memory_for_the_way_down, 0 },
    };

    return run_tests("vm/print", tests, sizeof tests / sizeof *tests);
}
