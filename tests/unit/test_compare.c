/* test_compare.c - what equality, order and hash promise, for every kind and for any depth. */
#include "config.h"

#include "tests/unit/data.h"

#include <math.h>

#include "base/stress.h"
#include "vm/compare.h"
#include "vm/map.h"
#include "vm/object.h"
#include "vm/seen.h"

enum { DEEP = NB_STRESS_OR(200, 200000) };

static vm_value small(int64_t n) { return vm_from_small(n); }

static vm_value three(vm_value a, vm_value b, vm_value c)
{
    ctx.args[0] = a;
    ctx.args[1] = b;
    ctx.args[2] = c;
    return vm_list_from(&ctx, ctx.args, 3);
}

START_TEST(compares_lists_of_different_form)
{
    ctx.args[5] = three(small(1), small(2), small(3));
    ctx.args[6] = VM_NIL;
    for (int64_t n = 3; n > 0; n--)
        ctx.args[6] = vm_list_cons(&ctx, small(n), ctx.args[6]);
    ck_assert(vm_equal(ctx.args[5], ctx.args[6]));
    ck_assert_int_eq(vm_hash(ctx.args[5]), vm_hash(ctx.args[6]));
    ctx.args[7] = three(small(1), small(2), small(4));
    ck_assert(!vm_equal(ctx.args[6], ctx.args[7]));
    ck_assert(!vm_equal(ctx.args[6], VM_NIL));
    ck_assert_int_eq(vm_compare(ctx.args[5], ctx.args[6]), VM_INCOMPARABLE);
}
END_TEST

START_TEST(compares_strings_of_different_form)
{
    static const char bytes[] = "0123456789012345678901234567890123456789012345678901234567890123456789";

    ctx.args[0] = vm_string(&ctx, bytes, 70);
    ctx.args[1] = vm_string(&ctx, bytes, 40);
    ctx.args[2] = vm_string(&ctx, bytes + 40, 30);
    ctx.args[1] = vm_string_concat(&ctx, ctx.args[1], ctx.args[2]);
    ck_assert(vm_is_kind(ctx.args[1], VM_KIND_BYTES_SLICE));
    ck_assert(vm_equal(ctx.args[0], ctx.args[1]));
    ck_assert_int_eq(vm_compare(ctx.args[0], ctx.args[1]), VM_SAME);
    ck_assert_int_eq(vm_hash(ctx.args[0]), vm_hash(ctx.args[1]));
    ck_assert(!vm_equal(ctx.args[0], ctx.args[2]));
}
END_TEST

START_TEST(tells_kinds_apart)
{
    ctx.args[0] = vm_int(&ctx, INT64_MAX);
    ctx.args[1] = vm_int(&ctx, INT64_MAX);
    ck_assert(vm_equal(ctx.args[0], ctx.args[1]));
    ck_assert(!vm_equal(small(1), VM_IMMEDIATE(VM_SORT_INT8, 1)));
    ck_assert(!vm_equal(small(1), vm_from_flonum(1.0)));
    ck_assert(!vm_equal(VM_EMPTY_MAP, VM_EMPTY_SET));
    ck_assert(!vm_equal(VM_NIL, VM_UNIT));
    ck_assert(vm_equal(vm_from_char('a'), vm_from_char('a')));
}
END_TEST

START_TEST(follows_ieee_for_floats)
{
    ctx.args[0] = vm_float(&ctx, 0.0 / 0.0);
    ctx.args[1] = vm_float(&ctx, -0.0);
    ck_assert(!vm_equal(ctx.args[0], ctx.args[0]));
    ck_assert(vm_equal(ctx.args[1], vm_from_flonum(0.0)));
    ck_assert_int_eq(vm_hash(ctx.args[1]), vm_hash(vm_from_flonum(0.0)));
    ck_assert(vm_equal(vm_float32(0.0f), vm_float32(-0.0f)));
    ck_assert_int_eq(vm_hash(vm_float32(0.0f)), vm_hash(vm_float32(-0.0f)));
    ck_assert_int_eq(vm_compare(ctx.args[0], vm_from_flonum(1.0)), VM_UNORDERED);
    ctx.args[2] = tuple_of(ctx.args[0], VM_UNIT);
    ck_assert(!vm_equal(ctx.args[2], ctx.args[2]));
}
END_TEST

START_TEST(ignores_the_scale_of_decimals)
{
    ctx.args[0] = vm_decimal_from_text(&ctx, "0.10", 4);
    ctx.args[1] = vm_decimal_from_text(&ctx, "0.1", 3);
    ck_assert(vm_equal(ctx.args[0], ctx.args[1]));
    ck_assert_int_eq(vm_hash(ctx.args[0]), vm_hash(ctx.args[1]));
}
END_TEST

START_TEST(orders_tuples_by_parts_then_by_length)
{
    ctx.args[5] = tuple_of(small(1), small(2));
    ctx.args[6] = tuple_of(small(1), small(3));
    ck_assert_int_eq(vm_compare(ctx.args[5], ctx.args[6]), VM_LESS);
    ck_assert_int_eq(vm_compare(ctx.args[6], ctx.args[5]), VM_GREATER);
    ctx.args[0] = small(1);
    ctx.args[1] = small(2);
    ctx.args[2] = small(0);
    ctx.args[7] = tuple(3);
    ck_assert_int_eq(vm_compare(ctx.args[5], ctx.args[7]), VM_LESS);
    ck_assert_int_eq(vm_compare(ctx.args[7], ctx.args[5]), VM_GREATER);
    ck_assert_int_eq(vm_compare(ctx.args[7], ctx.args[6]), VM_LESS);
    ck_assert(!vm_equal(ctx.args[5], ctx.args[7]));
}
END_TEST

START_TEST(orders_variants_by_declaration)
{
    vm_value none = VM_IMMEDIATE(VM_SORT_CTOR, VM_CTOR_NONE);

    ctx.args[0] = small(1);
    ctx.args[5] = compound(VM_KIND_DATA, VM_CTOR_SOME, 1);
    ctx.args[0] = small(2);
    ctx.args[6] = compound(VM_KIND_DATA, VM_CTOR_SOME, 1);
    ctx.args[7] = compound(VM_KIND_DATA, VM_CTOR_ERR, 1);
    ck_assert_int_eq(vm_compare(ctx.args[5], ctx.args[6]), VM_LESS);
    ck_assert_int_eq(vm_compare(ctx.args[6], none), VM_LESS);
    ck_assert_int_eq(vm_compare(none, ctx.args[5]), VM_GREATER);
    ck_assert_int_eq(vm_compare(none, none), VM_SAME);
    ck_assert_int_eq(vm_compare(none, ctx.args[7]), VM_INCOMPARABLE);
    ck_assert(!vm_equal(ctx.args[5], ctx.args[6]));
    ck_assert(!vm_equal(ctx.args[5], none));
    ck_assert_int_ne(vm_hash(none), 0);
}
END_TEST

START_TEST(does_not_order_what_has_no_order)
{
    ck_assert_int_eq(vm_compare(VM_TRUE, VM_FALSE), VM_INCOMPARABLE);
    ck_assert_int_eq(vm_compare(VM_UNIT, VM_UNIT), VM_INCOMPARABLE);
    ck_assert_int_eq(vm_compare(small(1), text("1")), VM_INCOMPARABLE);
    ck_assert_int_eq(vm_compare(VM_NIL, VM_NIL), VM_INCOMPARABLE);
    ctx.args[2] = tuple_of(small(1), VM_TRUE);
    ck_assert_int_eq(vm_compare(ctx.args[2], ctx.args[2]), VM_INCOMPARABLE);
    ck_assert_int_eq(vm_compare(vm_from_char('a'), vm_from_char(0x1f600)), VM_LESS);
}
END_TEST

START_TEST(compares_maps_and_sets_by_content)
{
    ctx.args[5] = vm_map_insert(&ctx, VM_EMPTY_MAP, small(1), VM_NIL);
    ctx.args[5] = vm_map_insert(&ctx, ctx.args[5], small(2), VM_TRUE);
    ctx.args[6] = vm_map_insert(&ctx, VM_EMPTY_MAP, small(2), VM_TRUE);
    ctx.args[6] = vm_map_insert(&ctx, ctx.args[6], small(1), VM_NIL);
    ck_assert(vm_equal(ctx.args[5], ctx.args[6]));
    ck_assert_int_eq(vm_hash(ctx.args[5]), vm_hash(ctx.args[6]));
    ctx.args[7] = vm_map_insert(&ctx, ctx.args[6], small(1), VM_UNIT);
    ck_assert(!vm_equal(ctx.args[5], ctx.args[7]));
    ctx.args[7] = vm_map_insert(&ctx, vm_map_remove(&ctx, ctx.args[6], small(1)), small(3), VM_NIL);
    ck_assert(!vm_equal(ctx.args[5], ctx.args[7]));
    ctx.args[8] = vm_set_insert(&ctx, VM_EMPTY_SET, small(1));
    ctx.args[9] = vm_set_insert(&ctx, VM_EMPTY_SET, small(1));
    ck_assert(vm_equal(ctx.args[8], ctx.args[9]));
    ck_assert(!vm_equal(ctx.args[8], vm_set_insert(&ctx, VM_EMPTY_SET, small(2))));
    ck_assert_int_ne(vm_hash(ctx.args[8]), vm_hash(ctx.args[5]));
}
END_TEST

/* (((…, ()), ()), ()) or ((), ((), (… */
static void nest(unsigned slot, bool left, vm_value core)
{
    ctx.args[slot] = core;
    for (int i = 0; i < DEEP; i++)
        ctx.args[slot] = left ? tuple_of(ctx.args[slot], small(1)) : tuple_of(small(1), ctx.args[slot]);
}

START_TEST(survives_any_depth)
{
    vm_value culprit;

    for (int left = 0; left < 2; left++) {
        nest(5, left, small(1));
        nest(6, left, small(1));
        nest(7, left, small(2));
        ck_assert(vm_equal(ctx.args[5], ctx.args[6]));
        ck_assert(!vm_equal(ctx.args[5], ctx.args[7]));
        ck_assert_int_eq(vm_compare(ctx.args[5], ctx.args[6]), VM_SAME);
        ck_assert_int_eq(vm_compare(ctx.args[5], ctx.args[7]), VM_LESS);
        ck_assert_int_eq(vm_hash(ctx.args[5]), vm_hash(ctx.args[6]));
        ck_assert(vm_hashable(ctx.args[5], &culprit));
        ctx.args[8] = vm_map_insert(&ctx, VM_EMPTY_MAP, ctx.args[5], VM_UNIT);
        ck_assert_uint_eq(vm_map_get(ctx.args[8], ctx.args[6]), VM_UNIT);
        ck_assert_uint_eq(vm_map_get(ctx.args[8], ctx.args[7]), VM_NONE);
    }
}
END_TEST

START_TEST(survives_records_that_contain_themselves)
{
    const char *fields[] = { "next", "n" };
    uint32_t id = record("Ring", "Ring", 2, fields);

    ctx.args[1] = small(7);
    for (unsigned slot = 5; slot < 8; slot++) {
        ctx.args[0] = VM_UNIT;
        ctx.args[slot] = compound(VM_KIND_RECORD_CELL, id, 2);
        vm_object(ctx.args[slot])[1] = ctx.args[slot];
        ctx.args[1] = slot == 6 ? small(8) : small(7);
    }
    ck_assert(vm_equal(ctx.args[5], ctx.args[5]));
    ck_assert(vm_equal(ctx.args[5], ctx.args[6]));
    ck_assert(!vm_equal(ctx.args[5], ctx.args[7]));
    ck_assert_int_eq(vm_compare(ctx.args[5], ctx.args[7]), VM_LESS);
    ck_assert_int_eq(vm_hash(ctx.args[5]), vm_hash(ctx.args[6]));
}
END_TEST

START_TEST(never_equates_mutable_arrays)
{
    vm_value *object;

    ck_assert(vm_heap_reserve(&ctx, 2));
    object = vm_heap_take(&process.heap, 2);
    object[0] = VM_HEADER(VM_KIND_INT64_ARRAY, 0, 0, 1);
    object[1] = 0;
    ck_assert(!vm_equal(vm_from_object(object), vm_from_object(object)));
}
END_TEST

START_TEST(hashes_as_the_language_says)
{
    ck_assert_int_eq(vm_hash(VM_TRUE), 1);
    ck_assert_int_eq(vm_hash(VM_FALSE), 0);
    ck_assert_int_eq(vm_hash(VM_UNIT), 0);
    ck_assert_int_eq(vm_hash(text("a")), (int64_t)UINT64_C(0xaf63dc4c8601ec8c)); /* FNV-1a of "a" */
    ck_assert_int_ne(vm_hash(small(1)), vm_hash(small(2)));
    ck_assert_int_ne(vm_hash(small(42)), 0);
    ck_assert_int_ne(vm_hash(tuple_of(small(1), small(2))), vm_hash(tuple_of(small(2), small(1))));
}
END_TEST

/* x = (leaf, leaf), x = (x, x), …: 2^60 paths to the leaf. A root for the caller to keep. */
static vm_value tower(vm_value leaf)
{
    vm_value x = leaf;

    for (unsigned i = 0; i < 60; i++)
        x = tuple_of(x, x);
    return x;
}

START_TEST(is_quick_with_what_is_reached_by_many_paths)
{
    vm_value culprit;

    ctx.args[5] = tower(small(1));
    ctx.args[6] = tower(small(1));
    ctx.args[7] = tower(small(2));
    ctx.args[8] = tower(vm_from_flonum(1.5));
    ck_assert(vm_equal(ctx.args[5], ctx.args[6]));
    ck_assert(vm_equal(ctx.args[5], ctx.args[5]));
    ck_assert(!vm_equal(ctx.args[5], ctx.args[7]));
    ck_assert_int_eq(vm_compare(ctx.args[5], ctx.args[6]), VM_SAME);
    ck_assert_int_eq(vm_compare(ctx.args[5], ctx.args[7]), VM_LESS);
    ck_assert_int_eq(vm_hash(ctx.args[5]), vm_hash(ctx.args[6]));
    ck_assert_int_ne(vm_hash(ctx.args[5]), vm_hash(ctx.args[7]));
    ck_assert(vm_hashable(ctx.args[5], &culprit));
    ck_assert(!vm_hashable(ctx.args[8], &culprit));
    ck_assert_uint_eq(culprit, vm_from_flonum(1.5));
    ctx.args[9] = vm_map_insert(&ctx, VM_EMPTY_MAP, ctx.args[5], small(1));
    ctx.args[9] = vm_map_insert(&ctx, ctx.args[9], ctx.args[7], small(2));
    ck_assert_uint_eq(vm_map_get(ctx.args[9], ctx.args[6]), small(1));
    ck_assert_uint_eq(vm_map_get(ctx.args[9], ctx.args[7]), small(2));
}
END_TEST

/* Longer than a walk goes without notes: what it met is the same only if it was looked at. */
START_TEST(finds_in_a_long_walk_what_is_not_equal_to_itself)
{
    ctx.args[5] = vm_list_make(&ctx, VM_SEEN_AFTER + 2);
    for (uint32_t i = 0; i < VM_SEEN_AFTER + 1; i++) {
        ctx.args[6] = tuple_of(small(i), small(i));
        vm_list_init_at(ctx.args[5], i, ctx.args[6]);
    }
    ctx.args[6] = tuple_of(small(1), small(2));
    vm_list_init_at(ctx.args[5], VM_SEEN_AFTER + 1, ctx.args[6]);
    ck_assert(vm_equal(ctx.args[5], ctx.args[5]));
    ctx.args[6] = vm_float(&ctx, (double)NAN);
    ctx.args[6] = tuple_of(small(1), ctx.args[6]);
    vm_list_init_at(ctx.args[5], VM_SEEN_AFTER + 1, ctx.args[6]);
    ck_assert(!vm_equal(ctx.args[5], ctx.args[5]));
}
END_TEST

START_TEST(gives_up_without_memory_for_the_walk)
{
    vm_value culprit;

    for (unsigned i = 5; i < 7; i++) {
        ctx.args[i] = small(1);
        for (unsigned depth = 0; depth < DEEP; depth++)
            ctx.args[i] = tuple_of(ctx.args[i], small(1));
    }
    ctx.args[7] = vm_map_insert(&ctx, VM_EMPTY_MAP, small(1), small(2));
    nb_alloc_fail_after(0);
    ck_assert(!vm_equal(ctx.args[5], ctx.args[6]));
    ck_assert_int_eq(vm_compare(ctx.args[5], ctx.args[6]), VM_INCOMPARABLE);
    ck_assert(!vm_equal(ctx.args[7], ctx.args[7]));
    ck_assert(!vm_hashable(ctx.args[5], &culprit));
    (void)vm_hash(ctx.args[5]);
    (void)vm_hash(ctx.args[7]);
    nb_alloc_fail_after(-1);
    ck_assert(vm_equal(ctx.args[5], ctx.args[6]));
    ck_assert(vm_hashable(ctx.args[5], &culprit));
}
END_TEST

START_TEST(counts_the_work_of_long_walks)
{
    int64_t reductions = 0;

    ctx.args[5] = vm_list_make(&ctx, 16000);
    ctx.args[6] = vm_list_make(&ctx, 16000);
    ck_assert(vm_equal_counted(ctx.args[5], ctx.args[6], &reductions));
    ck_assert_int_le(reductions, -1000);
}
END_TEST

int main(void)
{
    const struct named_test tests[] = {
        { compares_lists_of_different_form, 0 }, { compares_strings_of_different_form, 0 }, { tells_kinds_apart, 0 },
        { follows_ieee_for_floats, 0 }, { ignores_the_scale_of_decimals, 0 },
        { orders_tuples_by_parts_then_by_length, 0 },
        { orders_variants_by_declaration, 0 }, { does_not_order_what_has_no_order, 0 },
        { compares_maps_and_sets_by_content, 0 }, { survives_any_depth, 0 },
        { survives_records_that_contain_themselves, 0 }, { never_equates_mutable_arrays, 0 },
        { hashes_as_the_language_says, 0 }, { is_quick_with_what_is_reached_by_many_paths, 0 },
        { finds_in_a_long_walk_what_is_not_equal_to_itself, 0 }, { gives_up_without_memory_for_the_walk, 0 },
        { counts_the_work_of_long_walks, 0 },
    };

    return run_tests("vm/compare", tests, sizeof tests / sizeof *tests);
}
