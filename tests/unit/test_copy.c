/* test_copy.c - what copying promises: equal content, kept sharing, bounded size, an untouched source. */
#include "config.h"

#include "vm/heap.h"

#include <check.h>

#include "tests/unit/one_process.h"
#include "vm/list.h"
#include "vm/smallcopy.h"

/* A checksum of all words of the heap, headers included. */
static uint64_t sum_of_heap(void)
{
    uint64_t sum = 0;

    for (const vm_value *at = it.process.heap.start; at < it.process.heap.top; at++)
        sum = sum * 31 + *at;
    return sum;
}

/* Copy; check that the source is as it was. The caller frees the fragment. */
static vm_value copy(vm_value value, struct vm_fragment **ret_fragment)
{
    uint64_t before = sum_of_heap();
    vm_value result;

    ck_assert_int_eq(vm_copy_to_fragment(value, &result, ret_fragment), VM_COPY_OK);
    ck_assert_uint_eq(sum_of_heap(), before);
    return result;
}

static bool is_inside(vm_value value, const struct vm_fragment *fragment)
{
    return vm_object(value) >= fragment->objects && vm_object(value) < fragment->objects + fragment->words;
}

START_TEST(needs_no_memory_for_what_is_outside_of_heaps)
{
    static vm_value immortal[2] = { VM_HEADER(VM_KIND_INT64, VM_FLAG_IMMORTAL, 0, 1), 5 };
    vm_value shared = vm_shared_new(VM_KIND_INT64, 0, 0, 1);
    const vm_value values[] = { VM_UNIT, vm_from_small(-7), vm_from_flonum(1.5), VM_NIL, vm_from_object(immortal),
                                shared };
    struct vm_fragment *fragment;

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        ck_assert_uint_eq(copy(values[i], &fragment), values[i]);
        ck_assert_ptr_null(fragment);
    }
    vm_shared_unref(shared);
}
END_TEST

START_TEST(is_exactly_as_large_as_the_value)
{
    struct vm_fragment *fragment;
    vm_value result;

    set_reg(&it, 0, make_int64(&it, 42));
    set_reg(&it, 0, make_pair(&it, *reg(&it, 0), vm_from_small(1)));
    result = copy(*reg(&it, 0), &fragment);
    ck_assert_uint_eq(fragment->words, 3 + 2);
    ck_assert(is_inside(result, fragment) && is_inside(vm_field(result, 0), fragment));
    ck_assert_uint_eq(vm_field(vm_field(result, 0), 0), 42);
    ck_assert_uint_eq(vm_field(result, 1), vm_from_small(1));
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(copies_each_layout)
{
    struct vm_fragment *fragment;
    vm_value result, closure;

    set_reg(&it, 0, make(&it, VM_KIND_STRING, 0, 13));
    memcpy(vm_object(*reg(&it, 0)) + 1, "hello, world!", 14);
    *vm_object(*reg(&it, 0)) |= VM_FLAG_ASCII;
    closure = make(&it, VM_KIND_CLOSURE, 0, 2);
    vm_object(closure)[1] = vm_from_object(&it.function);
    vm_object(closure)[2] = *reg(&it, 0);
    set_reg(&it, 1, closure);
    set_reg(&it, 2, make(&it, VM_KIND_DATA, 123, 2));
    vm_object(*reg(&it, 2))[1] = *reg(&it, 1);
    result = copy(*reg(&it, 2), &fragment);
    ck_assert_uint_eq(vm_header(result), VM_HEADER(VM_KIND_DATA, 0, 123, 2));
    result = vm_field(result, 0);
    ck_assert_uint_eq(vm_header(result), VM_HEADER(VM_KIND_CLOSURE, 0, 0, 2));
    ck_assert_uint_eq(vm_field(result, 0), vm_from_object(&it.function));
    result = vm_field(result, 1);
    ck_assert_uint_eq(vm_header(result), VM_HEADER(VM_KIND_STRING, VM_FLAG_ASCII, 0, 13));
    ck_assert_str_eq((const char *)(vm_object(result) + 1), "hello, world!");
    ck_assert_uint_eq(fragment->words, 3 + 3 + 3);
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(keeps_sharing_where_paths_are_many) /* 2^60 paths, 61 objects */
{
    struct vm_fragment *fragment;
    vm_value result;

    set_reg(&it, 0, make_int64(&it, 9));
    for (int i = 0; i < 60; i++)
        set_reg(&it, 0, make_pair(&it, *reg(&it, 0), *reg(&it, 0)));
    result = copy(*reg(&it, 0), &fragment);
    ck_assert_uint_eq(fragment->words, 60 * 3 + 2);
    for (int i = 0; i < 60; i++) {
        ck_assert_uint_eq(vm_field(result, 0), vm_field(result, 1));
        result = vm_field(result, 0);
    }
    ck_assert_uint_eq(vm_field(result, 0), 9);
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(ends_with_cycles)
{
    struct vm_fragment *fragment;
    vm_value cell = make(&it, VM_KIND_RECORD_CELL, 5, 2), result;

    vm_object(cell)[1] = cell;
    set_reg(&it, 0, cell);
    result = copy(cell, &fragment);
    ck_assert_uint_eq(fragment->words, 3);
    ck_assert_uint_eq(vm_field(result, 0), result);
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(refuses_what_cannot_be_copied)
{
    static const enum vm_kind kinds[] = { VM_KIND_BUFFER, VM_KIND_BUILDER, VM_KIND_HANDLE };
    struct vm_fragment *fragment;
    vm_value result;
    uint64_t before;

    set_reg(&it, 0, make(&it, kinds[_i], 0, 1));
    set_reg(&it, 1, make_cells(&it, 0, 100, VM_NIL));
    set_reg(&it, 0, make_pair(&it, *reg(&it, 1), *reg(&it, 0)));
    before = sum_of_heap();
    ck_assert_int_eq(vm_copy_to_fragment(*reg(&it, 0), &result, &fragment), VM_COPY_REFUSED);
    ck_assert_ptr_null(fragment);
    ck_assert_uint_eq(sum_of_heap(), before);
}
END_TEST

START_TEST(restores_the_source_without_memory) /* _i allocations succeed */
{
    struct vm_fragment *fragment = NULL;
    enum vm_copy_result how;
    vm_value result, shared = vm_shared_new(VM_KIND_INT64, 0, 0, 1);
    uint64_t before;

    set_reg(&it, 0, VM_NIL);
    for (int i = 0; i < 130; i++)
        set_reg(&it, 0, make_pair(&it, *reg(&it, 0), shared));
    before = sum_of_heap();
    nb_alloc_fail_after(_i);
    how = vm_copy_to_fragment(*reg(&it, 0), &result, &fragment);
    nb_alloc_fail_after(-1);
    ck_assert_int_eq(how, _i < 5 ? VM_COPY_NOMEM : VM_COPY_OK); /* references, log three times, fragment */
    ck_assert_uint_eq(sum_of_heap(), before);
    vm_fragment_free(fragment);
    vm_shared_unref(shared);
}
END_TEST

START_TEST(holds_references_to_shared_objects)
{
    struct vm_fragment *fragment;
    vm_value shared = vm_shared_new(VM_KIND_INT64, 0, 0, 1), result;

    vm_heap_add_shared(&it.process.heap, shared);
    set_reg(&it, 0, make_pair(&it, shared, shared));
    result = copy(*reg(&it, 0), &fragment);
    ck_assert_uint_eq(vm_field(result, 0), shared);
    ck_assert_uint_eq(fragment->shared_count, 1);
    set_reg(&it, 0, VM_UNIT);
    ck_assert(vm_heap_collect(&it.ctx, 0));
    ck_assert_uint_gt(vm_shared_bytes_total(), shared_before); /* the fragment still holds it */
    vm_fragment_free(fragment);
}
END_TEST

/* ---- lists ---- */

START_TEST(makes_a_chain_of_cells_compact)
{
    struct vm_fragment *fragment;
    vm_value result;

    set_reg(&it, 0, make_cells(&it, 0, 100, VM_NIL));
    result = copy(*reg(&it, 0), &fragment);
    ck_assert_int_eq(vm_kind(result), VM_KIND_SLICE);
    ck_assert(is_list_of(result, 0, 100));
    ck_assert_uint_eq(fragment->words, 3 + 2 + 100);
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(leaves_the_shortest_lists_as_cells)
{
    struct vm_fragment *fragment;

    set_reg(&it, 0, make_cells(&it, 0, 2, VM_NIL));
    ck_assert(is_list_of(copy(*reg(&it, 0), &fragment), 0, 2));
    ck_assert_uint_eq(fragment->words, 2 * 3);
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(shares_the_array_with_lists_that_begin_inside_of_a_chain)
{
    struct vm_fragment *fragment;
    vm_value result, rest;

    set_reg(&it, 0, make_cells(&it, 0, 10, VM_NIL));
    rest = vm_field(vm_field(*reg(&it, 0), 1), 1);
    set_reg(&it, 1, make_pair(&it, rest, rest));
    set_reg(&it, 1, make_pair(&it, *reg(&it, 0), *reg(&it, 1)));
    result = copy(*reg(&it, 1), &fragment);
    ck_assert(is_list_of(vm_field(result, 0), 0, 10));
    ck_assert(is_list_of(vm_field(vm_field(result, 1), 0), 2, 10));
    ck_assert_uint_eq(vm_field(vm_field(result, 1), 0), vm_field(vm_field(result, 1), 1));
    ck_assert_uint_eq(fragment->words, 2 * 3 + 3 + 2 + 10 + 3);
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(keeps_a_tail_shared_by_many_lists) /* not one copy of it for each */
{
    struct vm_fragment *fragment;
    vm_value result;

    set_reg(&it, 0, make_cells(&it, 1, 1001, VM_NIL));
    set_reg(&it, 1, VM_NIL);
    for (int i = 0; i < 1000; i++) {
        set_reg(&it, 2, make_cons(&it, vm_from_small(0), *reg(&it, 0)));
        set_reg(&it, 1, make_cons(&it, *reg(&it, 2), *reg(&it, 1)));
    }
    result = copy(*reg(&it, 1), &fragment);
    ck_assert_uint_lt(fragment->words, 3 * (1000 + 1000 + 1000));
    ck_assert_uint_eq(vm_size(result), 1000);
    for (unsigned i = 0; i < 1000; i++)
        ck_assert(is_list_of(vm_field(vm_field(result, 0), 1 + i), 0, 1001));
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(copies_the_used_part_of_an_array)
{
    struct vm_fragment *fragment;

    set_reg(&it, 0, make_slice(&it, 0, 50, 30));
    ck_assert(is_list_of(copy(*reg(&it, 0), &fragment), 0, 50));
    ck_assert_uint_eq(fragment->words, 3 + 2 + 50);
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(keeps_a_short_array_shared_by_the_list_and_its_tail)
{
    struct vm_fragment *fragment;
    vm_value result;

    set_reg(&it, 0, make_slice(&it, 0, 5, 0));
    set_reg(&it, 1, vm_list_tail(&it.ctx, *reg(&it, 0)));
    set_reg(&it, 1, make_pair(&it, *reg(&it, 0), *reg(&it, 1)));
    result = copy(*reg(&it, 1), &fragment);
    ck_assert(is_list_of(vm_field(result, 0), 0, 5));
    ck_assert(is_list_of(vm_field(result, 1), 1, 5));
    ck_assert_uint_eq(vm_field(vm_field(result, 0), 0), vm_field(vm_field(result, 1), 0));
    ck_assert_uint_eq(fragment->words, 3 + 3 + 2 + 5 + 3);
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(copies_just_the_part_that_a_slice_covers)
{
    struct vm_fragment *fragment;

    set_reg(&it, 0, make_slice(&it, 0, 1000, 0));
    set_reg(&it, 1, make_part(&it, *reg(&it, 0), 500, 3));
    ck_assert(is_list_of(copy(*reg(&it, 1), &fragment), 500, 503));
    ck_assert_uint_eq(fragment->words, 3 + 2 + 3);
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(bounds_what_overlapping_slices_cost) /* all suffixes of a list: not n * n / 2 */
{
    struct vm_fragment *fragment;
    vm_value result;

    set_reg(&it, 0, make_slice(&it, 0, 500, 0));
    set_reg(&it, 1, VM_NIL);
    for (uint32_t from = 1; from < 500; from++) {
        set_reg(&it, 2, make_part(&it, *reg(&it, 0), from, 500 - from));
        set_reg(&it, 1, make_cons(&it, *reg(&it, 2), *reg(&it, 1)));
    }
    result = copy(*reg(&it, 1), &fragment);
    ck_assert_uint_lt(fragment->words, 2 * 500 + 6 * 500 + 500);
    for (unsigned i = 0; i < 499; i++)
        ck_assert(is_list_of(vm_field(vm_field(result, 0), 1 + i), 499 - i, 500));
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(joins_a_chain_with_a_shorter_slice)
{
    struct vm_fragment *fragment;

    set_reg(&it, 0, make_slice(&it, 10, 15, 5));
    set_reg(&it, 0, make_cells(&it, 0, 10, *reg(&it, 0)));
    ck_assert(is_list_of(copy(*reg(&it, 0), &fragment), 0, 15));
    ck_assert_uint_eq(fragment->words, 3 + 2 + 15);
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(keeps_a_long_slice_behind_few_cells)
{
    struct vm_fragment *fragment;

    set_reg(&it, 0, make_slice(&it, 2, 100, 0));
    set_reg(&it, 0, make_cells(&it, 0, 2, *reg(&it, 0)));
    ck_assert(is_list_of(copy(*reg(&it, 0), &fragment), 0, 100));
    ck_assert_uint_eq(fragment->words, 2 * 3 + 3 + 2 + 98);
    vm_fragment_free(fragment);
}
END_TEST

enum { DEEP = NB_STRESS_OR(1000, 10000000) };

START_TEST(copies_lists_and_nests_of_any_depth)
{
    struct vm_fragment *fragment;
    vm_value result;

    set_reg(&it, 0, make_cells(&it, 0, DEEP, VM_NIL));
    ck_assert_int_eq(vm_copy_to_fragment(*reg(&it, 0), &result, &fragment), VM_COPY_OK);
    ck_assert(is_list_of(*reg(&it, 0), 0, DEEP));
    ck_assert(is_list_of(result, 0, DEEP));
    vm_fragment_free(fragment);
    set_reg(&it, 0, VM_UNIT);
    for (int i = 0; i < DEEP / 10; i++)
        set_reg(&it, 0, make_pair(&it, *reg(&it, 0), VM_UNIT));
    result = copy(*reg(&it, 0), &fragment);
    for (int i = 0; i < DEEP / 10; i++)
        result = vm_field(result, 0);
    ck_assert_uint_eq(result, VM_UNIT);
    vm_fragment_free(fragment);
}
END_TEST

/* ---- into another heap ---- */

START_TEST(puts_small_values_into_the_other_block_and_large_ones_beside_it)
{
    struct vm_process other = { 0 };
    vm_value shared = vm_shared_new(VM_KIND_INT64, 0, 0, 1), small, large, itself;

    ck_assert(vm_process_init(&other, it.program, 2));
    vm_heap_add_shared(&it.process.heap, shared);
    set_reg(&it, 0, make_pair(&it, shared, VM_TRUE));
    set_reg(&it, 1, make_cells(&it, 0, 1000, VM_NIL));
    ck_assert_int_eq(vm_copy_to_heap(*reg(&it, 0), &other.heap, &small), VM_COPY_OK);
    ck_assert_int_eq(vm_copy_to_heap(*reg(&it, 1), &other.heap, &large), VM_COPY_OK);
    ck_assert_int_eq(vm_copy_to_heap(shared, &other.heap, &itself), VM_COPY_OK);
    ck_assert_ptr_eq(vm_object(small), other.heap.start);
    ck_assert_uint_eq(vm_field(small, 0), shared);
    ck_assert_uint_eq(other.heap.shared_count, 1);
    ck_assert_uint_eq(itself, shared);
    ck_assert(is_inside(large, other.heap.fragments));
    ck_assert(is_list_of(large, 0, 1000));
    vm_process_done(&other);
    vm_heap_done(&other.heap);
}
END_TEST

/* x = (x, x), _i times over a box: on both sides of what goes the short way. */
START_TEST(copies_any_number_of_objects)
{
    struct vm_process other = { .magic = 0 };
    struct vm_fragment *fragment;
    vm_value copies[2];

    ck_assert(vm_process_init(&other, it.program, 2));
    set_reg(&it, 0, make_int64(&it, 77));
    for (int i = 0; i < _i; i++)
        set_reg(&it, 0, make_pair(&it, *reg(&it, 0), *reg(&it, 0)));
    copies[0] = copy(*reg(&it, 0), &fragment);
    ck_assert_uint_eq(fragment->words, 2 + (unsigned)_i * 3);
    ck_assert_int_eq(vm_copy_to_heap(*reg(&it, 0), &other.heap, &copies[1]), VM_COPY_OK);
    for (unsigned c = 0; c < 2; c++) {
        vm_value at = copies[c];

        for (int i = 0; i < _i; i++, at = vm_field(at, 0)) {
            ck_assert_uint_eq(vm_field(at, 0), vm_field(at, 1));
            ck_assert(c == 1 || is_inside(at, fragment));
        }
        ck_assert_uint_eq(vm_field(at, 0), 77);
    }
    vm_fragment_free(fragment);
    vm_process_done(&other);
    vm_heap_done(&other.heap);
}
END_TEST

START_TEST(copies_what_is_as_large_as_the_short_way_takes) /* _i words more or less */
{
    uint32_t size = (uint32_t)(VM_SMALL_WORDS + _i - 1);
    struct vm_fragment *fragment;
    vm_value result;

    set_reg(&it, 0, make(&it, VM_KIND_TUPLE, 0, size));
    vm_object(*reg(&it, 0))[size] = vm_from_small(5);
    result = copy(*reg(&it, 0), &fragment);
    ck_assert_uint_eq(fragment->words, 1 + size);
    ck_assert_uint_eq(vm_field(result, size - 1), vm_from_small(5));
    vm_fragment_free(fragment);
}
END_TEST

START_TEST(holds_each_of_several_shared_objects_once) /* _i of them, each pointed to twice */
{
    struct vm_process other = { .magic = 0 };
    struct vm_fragment *fragment;
    vm_value result;

    ck_assert(vm_process_init(&other, it.program, 2));
    set_reg(&it, 0, make(&it, VM_KIND_TUPLE, 0, 2 * (uint32_t)_i));
    for (unsigned i = 0; i < 2 * (unsigned)_i; i += 2) {
        vm_value shared = vm_shared_new(VM_KIND_INT64, 0, 0, 1);

        vm_heap_add_shared(&it.process.heap, shared);
        vm_object(*reg(&it, 0))[1 + i] = vm_object(*reg(&it, 0))[2 + i] = shared;
    }
    result = copy(*reg(&it, 0), &fragment);
    ck_assert_uint_eq(vm_field(result, 0), vm_field(*reg(&it, 0), 0));
    ck_assert_uint_eq(fragment->shared_count, _i);
    ck_assert_int_eq(vm_copy_to_heap(*reg(&it, 0), &other.heap, &result), VM_COPY_OK);
    ck_assert_uint_eq(other.heap.shared_count, _i);
    vm_fragment_free(fragment);
    vm_process_done(&other);
    vm_heap_done(&other.heap);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vm/copy");
    TCase *all = tcase_create("all"), *deep = tcase_create("deep");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, needs_no_memory_for_what_is_outside_of_heaps);
    tcase_add_test(all, is_exactly_as_large_as_the_value);
    tcase_add_test(all, copies_each_layout);
    tcase_add_test(all, keeps_sharing_where_paths_are_many);
    tcase_add_test(all, ends_with_cycles);
    tcase_add_loop_test(all, refuses_what_cannot_be_copied, 0, 3);
    tcase_add_loop_test(all, restores_the_source_without_memory, 0, 8);
    tcase_add_test(all, holds_references_to_shared_objects);
    tcase_add_loop_test(all, copies_any_number_of_objects, 0, VM_SMALL_OBJECTS + 4);
    tcase_add_loop_test(all, copies_what_is_as_large_as_the_short_way_takes, -1, 3);
    tcase_add_loop_test(all, holds_each_of_several_shared_objects_once, 1, VM_SMALL_SHARED + 3);
    tcase_add_test(all, makes_a_chain_of_cells_compact);
    tcase_add_test(all, leaves_the_shortest_lists_as_cells);
    tcase_add_test(all, shares_the_array_with_lists_that_begin_inside_of_a_chain);
    tcase_add_test(all, keeps_a_tail_shared_by_many_lists);
    tcase_add_test(all, copies_the_used_part_of_an_array);
    tcase_add_test(all, keeps_a_short_array_shared_by_the_list_and_its_tail);
    tcase_add_test(all, copies_just_the_part_that_a_slice_covers);
    tcase_add_test(all, bounds_what_overlapping_slices_cost);
    tcase_add_test(all, joins_a_chain_with_a_shorter_slice);
    tcase_add_test(all, keeps_a_long_slice_behind_few_cells);
    tcase_add_test(all, puts_small_values_into_the_other_block_and_large_ones_beside_it);
    suite_add_tcase(suite, all);
    tcase_add_checked_fixture(deep, set_up, tear_down);
    tcase_set_timeout(deep, 60);
    tcase_add_test(deep, copies_lists_and_nests_of_any_depth);
    suite_add_tcase(suite, deep);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
