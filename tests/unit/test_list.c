/* test_list.c - what lists promise: persistence in every form, costs, builders. */
#include "config.h"

#include "tests/unit/data.h"

#include "base/stress.h"
#include "vm/object.h"

/* Cells first … first + count - 1 in front of `tail`, which must be a root. */
static vm_value cells(int64_t first, uint32_t count, vm_value tail)
{
    for (int64_t n = first + count - 1; n >= first; n--)
        tail = vm_list_cons(&ctx, vm_from_small(n), tail);
    return tail;
}

static vm_value numbers(int64_t first, uint32_t count)
{
    vm_value list = vm_list_make(&ctx, count);

    for (uint32_t i = 0; i < count; i++)
        vm_list_init_at(list, i, vm_from_small(first + i));
    return list;
}

/* Whether a list is first, first + 1, … */
static bool counts(vm_value list, int64_t first, uint32_t length)
{
    struct vm_list_walk walk;
    vm_value item;
    uint32_t seen = 0;

    for (vm_list_walk(&walk, list); vm_list_next(&walk, &item); seen++)
        if (item != vm_from_small(first + seen))
            return false;
    return seen == length && vm_list_length(list) == length;
}

START_TEST(prepends_and_takes_apart)
{
    ctx.args[0] = cells(1, 5, VM_NIL);
    collect();
    ck_assert(counts(ctx.args[0], 1, 5));
    for (int64_t n = 1; n <= 5; n++) {
        ck_assert_uint_eq(vm_list_head(ctx.args[0]), vm_from_small(n));
        ctx.args[0] = vm_list_tail(&ctx, ctx.args[0]);
    }
    ck_assert_uint_eq(ctx.args[0], VM_NIL);
    ctx.args[0] = numbers(1, 3);
    ctx.args[0] = vm_list_tail(&ctx, ctx.args[0]);
    ck_assert(counts(ctx.args[0], 2, 2));
    ctx.args[0] = vm_list_tail(&ctx, ctx.args[0]);
    ck_assert_uint_eq(vm_list_tail(&ctx, ctx.args[0]), VM_NIL);
}
END_TEST

START_TEST(flattens_cells_when_indexed_and_keeps_every_tail)
{
    vm_value *tail = &ctx.args[1];

    ctx.args[0] = cells(0, 100, VM_NIL);
    *tail = ctx.args[0];
    for (int i = 0; i < 50; i++)
        *tail = vm_field(*tail, 1);
    for (uint32_t i = 0; i < 100; i++)
        ck_assert_uint_eq(vm_list_at(&ctx, ctx.args[0], i), vm_from_small(i));
    ck_assert_int_eq(vm_kind(ctx.args[0]), VM_KIND_SLICE);
    ck_assert(counts(ctx.args[0], 0, 100));
    ck_assert(counts(*tail, 50, 50));
    collect();
    ck_assert(counts(*tail, 50, 50));
}
END_TEST

START_TEST(flattens_into_the_room_in_front)
{
    vm_value array;

    ctx.args[0] = cells(10, 100, VM_NIL);
    vm_list_at(&ctx, ctx.args[0], 99);
    array = vm_field(ctx.args[0], 0);
    ctx.args[1] = cells(0, 10, ctx.args[0]);
    vm_list_at(&ctx, ctx.args[1], 50);
    ck_assert(counts(ctx.args[1], 0, 110));
    ck_assert(counts(ctx.args[0], 10, 100));
    if (!nb_stress)
        ck_assert_uint_eq(vm_field(ctx.args[1], 0), array);
    ctx.args[2] = cells(0, 10, ctx.args[0]); /* that room is taken: another array */
    vm_list_at(&ctx, ctx.args[2], 50);
    ck_assert(counts(ctx.args[2], 0, 110));
    ck_assert_uint_ne(vm_field(ctx.args[2], 0), vm_field(ctx.args[1], 0));
    ck_assert(counts(ctx.args[1], 0, 110));
}
END_TEST

START_TEST(stays_fast_under_prepending_and_indexing)
{
    uint64_t taken = 0;

    ctx.args[0] = VM_NIL;
    for (int64_t n = 0; n < (nb_stress ? 300 : 20000); n++) {
        vm_value *before = process.heap.top;
        uint32_t collections = process.heap.collections;

        ctx.args[0] = vm_list_cons(&ctx, vm_from_small(n), ctx.args[0]);
        ck_assert_uint_eq(vm_list_at(&ctx, ctx.args[0], (uint32_t)n), vm_from_small(0));
        if (process.heap.collections == collections)
            taken += (uint64_t)(process.heap.top - before);
    }
    ck_assert(nb_stress || taken < UINT64_C(20000) * 40);
}
END_TEST

START_TEST(pushes_in_place_once)
{
    vm_value *base = &ctx.args[0], *left = &ctx.args[1], *right = &ctx.args[2];

    *base = numbers(0, 3);
    *base = vm_list_push(&ctx, *base, vm_from_small(3));
    *left = vm_list_push(&ctx, *base, vm_from_small(4));
    *right = vm_list_push(&ctx, *base, vm_from_small(-1));
    ck_assert(counts(*base, 0, 4));
    ck_assert(counts(*left, 0, 5));
    ck_assert_uint_eq(vm_list_at(&ctx, *right, 4), vm_from_small(-1));
    ck_assert_uint_eq(vm_list_length(*right), 5);
    ck_assert_uint_ne(vm_field(*right, 0), vm_field(*left, 0));
}
END_TEST

START_TEST(pushes_many)
{
    uint32_t many = nb_stress ? 200 : 5000;

    ctx.args[0] = VM_NIL;
    for (uint32_t i = 0; i < many; i++)
        ctx.args[0] = vm_list_push(&ctx, ctx.args[0], vm_from_small(i));
    ck_assert(counts(ctx.args[0], 0, many));
    ctx.args[0] = cells(0, 10, VM_NIL);
    ctx.args[0] = vm_list_push(&ctx, ctx.args[0], vm_from_small(10));
    ck_assert(counts(ctx.args[0], 0, 11));
}
END_TEST

static const struct { uint32_t left, right; } joins[] = {
    { 0, 0 }, { 0, 3 }, { 3, 0 }, { 1, 1 }, { 2, 100 }, { 100, 2 }, { 40, 40 }, { 30, 100 },
};

START_TEST(joins_lists_of_all_forms)
{
    uint32_t left = joins[_i].left, right = joins[_i].right;

    for (int forms = 0; forms < 4; forms++) {
        ctx.args[0] = forms & 1 ? cells(0, left, VM_NIL) : numbers(0, left);
        ctx.args[1] = forms & 2 ? cells(left, right, VM_NIL) : numbers(left, right);
        ctx.args[2] = vm_list_concat(&ctx, ctx.args[0], ctx.args[1]);
        collect();
        ck_assert(counts(ctx.args[2], 0, left + right));
        ck_assert(counts(ctx.args[0], 0, left));
        ck_assert(counts(ctx.args[1], left, right));
    }
}
END_TEST

START_TEST(appends_to_itself)
{
    ctx.args[0] = vm_list_push(&ctx, numbers(0, 3), vm_from_small(3));
    ctx.args[0] = vm_list_concat(&ctx, ctx.args[0], ctx.args[0]);
    ck_assert_str_eq(display(ctx.args[0]), "[0, 1, 2, 3, 0, 1, 2, 3]");
}
END_TEST

START_TEST(replaces_without_changing_the_old)
{
    for (int form = 0; form < 2; form++) {
        ctx.args[0] = form == 0 ? cells(0, 20, VM_NIL) : numbers(0, 20);
        ctx.args[1] = vm_list_set(&ctx, ctx.args[0], 19, VM_UNIT);
        ck_assert(counts(ctx.args[0], 0, 20));
        ck_assert_uint_eq(vm_list_at(&ctx, ctx.args[1], 19), VM_UNIT);
        ck_assert_uint_eq(vm_list_at(&ctx, ctx.args[1], 18), vm_from_small(18));
    }
}
END_TEST

START_TEST(cuts_parts)
{
    ctx.args[0] = numbers(5, 10);
    ctx.args[0] = cells(0, 5, ctx.args[0]); /* cells, then a slice */
    for (uint32_t from = 0; from <= 15; from++) {
        for (uint32_t count = 0; count <= 15 - from; count++) {
            ctx.args[1] = vm_list_part(&ctx, ctx.args[0], from, count);
            ck_assert(counts(ctx.args[1], from, count));
        }
    }
    ctx.args[1] = vm_list_part(&ctx, ctx.args[0], 0, 7);
    ctx.args[2] = vm_list_push(&ctx, ctx.args[1], VM_UNIT); /* must not write into the whole */
    ck_assert(counts(ctx.args[0], 0, 15));
    ctx.args[1] = vm_list_part(&ctx, ctx.args[0], 6, 4);
    ctx.args[2] = vm_list_push(&ctx, ctx.args[1], VM_UNIT);
    ck_assert(counts(ctx.args[0], 0, 15));
}
END_TEST

START_TEST(copies_items_from_roots)
{
    for (unsigned i = 0; i < 4; i++)
        ctx.args[i] = vm_from_small(i);
    ck_assert(counts(vm_list_from(&ctx, ctx.args, 4), 0, 4));
    ck_assert_uint_eq(vm_list_from(&ctx, ctx.args, 0), VM_NIL);
}
END_TEST

START_TEST(builds_while_others_use_what_is_there)
{
    uint32_t many = nb_stress ? 100 : 3000;

    ctx.args[0] = vm_builder_new(&ctx, 0);
    ck_assert_uint_eq(vm_builder_list(ctx.args[0]), VM_NIL);
    for (uint32_t i = 0; i < many; i++)
        ck_assert(vm_builder_push(&ctx, &ctx.args[0], vm_from_small(i)));
    ctx.args[1] = vm_builder_list(ctx.args[0]);
    ctx.args[2] = vm_list_push(&ctx, ctx.args[1], VM_UNIT);
    for (uint32_t i = many; i < many + 10; i++)
        ck_assert(vm_builder_push(&ctx, &ctx.args[0], vm_from_small(i)));
    collect();
    ck_assert(counts(ctx.args[1], 0, many));
    ck_assert(counts(vm_builder_list(ctx.args[0]), 0, many + 10));
    ck_assert_uint_eq(vm_list_at(&ctx, ctx.args[2], many), VM_UNIT);
}
END_TEST

START_TEST(gives_up_within_its_limit)
{
    process.heap.limit_words = 4000;
    ck_assert_uint_eq(vm_list_make(&ctx, 100000), VM_NONE);
    ctx.args[0] = cells(0, 100, VM_NIL);
    process.heap.limit_words = 1;
    ck_assert_uint_eq(vm_list_at(&ctx, ctx.args[0], 99), vm_from_small(99)); /* walks when it cannot flatten */
    ck_assert(counts(ctx.args[0], 0, 100));
    process.heap.limit_words = 0;
}
END_TEST

START_TEST(counts_the_work_of_joining)
{
    ctx.args[0] = vm_list_make(&ctx, 6400);
    ctx.args[1] = vm_list_make(&ctx, 64000);
    ctx.reductions = 0;
    ctx.args[2] = vm_list_concat(&ctx, ctx.args[1], ctx.args[0]);
    ck_assert_int_le(ctx.reductions, -1100);
    ctx.reductions = 0;
    ctx.args[2] = vm_list_concat(&ctx, ctx.args[0], ctx.args[1]);
    ck_assert_int_le(ctx.reductions, -100);
}
END_TEST

int main(void)
{
    const struct named_test tests[] = {
        { prepends_and_takes_apart, 0 }, { flattens_cells_when_indexed_and_keeps_every_tail, 0 },
        { flattens_into_the_room_in_front, 0 }, { stays_fast_under_prepending_and_indexing, 0 },
        { pushes_in_place_once, 0 }, { pushes_many, 0 }, { joins_lists_of_all_forms, ROWS(joins) },
        { appends_to_itself, 0 }, { replaces_without_changing_the_old, 0 }, { cuts_parts, 0 },
        { copies_items_from_roots, 0 }, { builds_while_others_use_what_is_there, 0 }, { gives_up_within_its_limit, 0 },
        { counts_the_work_of_joining, 0 },
    };

    return run_tests("vm/list", tests, sizeof tests / sizeof *tests);
}
