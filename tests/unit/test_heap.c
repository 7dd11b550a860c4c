/* test_heap.c - what a heap promises: values survive collections with their sharing, the rest is given back. */
#include "config.h"

#include "vm/heap.h"

#include <check.h>

#include "tests/unit/one_process.h"

enum { MANY_CELLS = NB_STRESS_OR(2000, 20000) };

static size_t block_words(void) { return (size_t)(it.process.heap.end - it.process.heap.start); }
static void collect(void) { ck_assert(vm_heap_collect(&it.ctx, 0)); }

/* A shared tuple that holds another shared one; the caller gets the reference. */
static vm_value shared_pair(void)
{
    vm_value inner = vm_shared_new(VM_KIND_TUPLE, 0, 0, 1), outer = vm_shared_new(VM_KIND_TUPLE, 0, 0, 2);

    vm_object(inner)[1] = vm_from_small(7);
    vm_object(outer)[1] = inner;
    vm_object(outer)[2] = VM_UNIT;
    return outer;
}

START_TEST(begins_with_the_smallest_block)
{
    ck_assert_uint_eq(block_words(), VM_BLOCK_WORDS_MIN);
    ck_assert_uint_eq((size_t)(it.process.heap.end - it.process.heap.fp), VM_FRAME_WORDS + REGISTERS);
}
END_TEST

START_TEST(keeps_what_each_root_refers_to)
{
    vm_value variable = make_int64(&it, 1);

    VM_ROOT(&it.ctx, variable);
    it.ctx.args[0] = make_int64(&it, 2);
    it.ctx.arg_count = 1;
    it.ctx.exception = make_int64(&it, 3);
    it.ctx.call_function = make_int64(&it, 4);
    it.ctx.call_args[0] = make_int64(&it, 5);
    it.ctx.call_arg_count = 1;
    it.process.entry = make_int64(&it, 6);
    it.process.result = make_int64(&it, 7);
    it.process.exception = make_int64(&it, 8);
    set_reg(&it, 0, make_int64(&it, 9));
    collect();
    collect();
    ck_assert_uint_eq(vm_field(variable, 0), 1);
    ck_assert_uint_eq(vm_field(it.ctx.args[0], 0), 2);
    ck_assert_uint_eq(vm_field(it.ctx.exception, 0), 3);
    ck_assert_uint_eq(vm_field(it.ctx.call_function, 0), 4);
    ck_assert_uint_eq(vm_field(it.ctx.call_args[0], 0), 5);
    ck_assert_uint_eq(vm_field(it.process.entry, 0), 6);
    ck_assert_uint_eq(vm_field(it.process.result, 0), 7);
    ck_assert_uint_eq(vm_field(it.process.exception, 0), 8);
    ck_assert_uint_eq(vm_field(*reg(&it, 0), 0), 9);
    VM_UNROOT(&it.ctx, variable);
    ck_assert_uint_eq((size_t)(it.process.heap.top - it.process.heap.start), 9 * 2);
}
END_TEST

START_TEST(looks_into_frames_of_all_sizes)
{
    struct vm_function none = { .registers = 0 }, many = { .registers = 40 };

    set_reg(&it, 3, make_int64(&it, 30));
    fixture_push_frame(&it, &none);
    fixture_push_frame(&it, &many);
    set_reg(&it, 39, make_int64(&it, 40));
    it.process.heap.fp[1] = UINT64_C(0xabcd000012345678); /* a return word is no value */
    collect();
    ck_assert_uint_eq(it.process.heap.fp[1], UINT64_C(0xabcd000012345678));
    ck_assert_uint_eq(vm_field(*reg(&it, 39), 0), 40);
    it.process.heap.fp += VM_FRAME_WORDS + 40 + VM_FRAME_WORDS;
    ck_assert_uint_eq(vm_field(*reg(&it, 3), 0), 30);
}
END_TEST

START_TEST(keeps_sharing_and_cycles)
{
    vm_value cell;

    set_reg(&it, 0, make_int64(&it, 5));
    set_reg(&it, 1, make_pair(&it, *reg(&it, 0), *reg(&it, 0)));
    cell = make(&it, VM_KIND_CELL, 0, 1);
    vm_object(cell)[1] = cell;
    set_reg(&it, 2, cell);
    collect();
    ck_assert_uint_eq(vm_field(*reg(&it, 1), 0), *reg(&it, 0));
    ck_assert_uint_eq(vm_field(*reg(&it, 1), 1), *reg(&it, 0));
    ck_assert_uint_eq(vm_field(*reg(&it, 2), 0), *reg(&it, 2));
}
END_TEST

START_TEST(takes_no_raw_word_for_a_value)
{
    static const struct { enum vm_kind kind; uint32_t size; unsigned raw; } rows[] = {
        { VM_KIND_INT64, 1, 1 }, { VM_KIND_FLOAT64_ARRAY, 3, 3 }, { VM_KIND_STRING, 17, 3 }, { VM_KIND_CLOSURE, 3, 1 },
    };
    vm_value object = make(&it, rows[_i].kind, 0, rows[_i].size), inner;

    for (unsigned i = 1; i <= rows[_i].raw; i++)
        vm_object(object)[i] = vm_from_object(it.process.heap.start); /* looks like a pointer */
    set_reg(&it, 0, object);
    if (rows[_i].kind == VM_KIND_CLOSURE) {
        inner = make_int64(&it, 77);
        vm_object(*reg(&it, 0))[3] = inner;
    }
    object = *reg(&it, 0);
    inner = vm_field(object, 0);
    collect();
    for (unsigned i = 1; i <= rows[_i].raw; i++)
        ck_assert_uint_eq(vm_object(*reg(&it, 0))[i], inner);
    if (rows[_i].kind == VM_KIND_CLOSURE)
        ck_assert_uint_eq(vm_field(vm_field(*reg(&it, 0), 2), 0), 77);
}
END_TEST

START_TEST(grows_with_what_lives)
{
    set_reg(&it, 0, make_cells(&it, 0, MANY_CELLS, VM_NIL));
    ck_assert(is_list_of(*reg(&it, 0), 0, MANY_CELLS));
    ck_assert_uint_ge(block_words(), 3 * MANY_CELLS);
}
END_TEST

START_TEST(stays_small_when_all_is_garbage)
{
    for (int i = 0; i < 100000; i++)
        make(&it, VM_KIND_TUPLE, 0, 20);
    ck_assert_uint_le(block_words(), 4 * VM_BLOCK_WORDS_MIN);
    ck_assert_uint_gt(it.process.heap.collections, 100);
    ck_assert_uint_gt(it.process.heap.freed_words, 99000 * 21);
    ck_assert_uint_le(it.process.heap.freed_words, 100000 * 21 + 100);
}
END_TEST

START_TEST(gives_memory_back_when_it_became_small)
{
    set_reg(&it, 0, make_cells(&it, 0, MANY_CELLS, VM_NIL));
    set_reg(&it, 0, VM_NIL);
    collect();
    ck_assert_uint_le(block_words(), 4 * VM_BLOCK_WORDS_MIN); /* that much is kept by who collects often */
}
END_TEST

START_TEST(refuses_what_exceeds_its_limit_and_stays_intact)
{
    it.process.heap.limit_words = 1000;
    set_reg(&it, 0, make(&it, VM_KIND_TUPLE, 0, 300));
    set_reg(&it, 1, make_int64(&it, 11));
    ck_assert(!vm_heap_reserve(&it.ctx, 700));
    ck_assert_uint_eq(vm_field(*reg(&it, 1), 0), 11);
    ck_assert_uint_eq(vm_size(*reg(&it, 0)), 300);
    ck_assert(vm_heap_reserve(&it.ctx, 600));
    ck_assert_uint_le(block_words(), 1000);
    set_reg(&it, 0, VM_UNIT); /* what was live counts, not what was allocated */
    ck_assert(vm_heap_reserve(&it.ctx, 900));
    ck_assert(!vm_heap_reserve(&it.ctx, SIZE_MAX / 8));
}
END_TEST

START_TEST(counts_shared_objects_towards_its_limit)
{
    it.process.heap.limit_words = 1000;
    for (unsigned i = 0; i < 3; i++) {
        vm_value string = vm_shared_new(VM_KIND_STRING, 0, 0, 3000);

        vm_heap_add_shared(&it.process.heap, string);
        set_reg(&it, i, string);
        ck_assert_int_eq(vm_heap_collect(&it.ctx, 10), i < 2);
    }
    set_reg(&it, 1, VM_UNIT);
    ck_assert(vm_heap_collect(&it.ctx, 10));
}
END_TEST

/* A range of billions, say: nobody looks through the heap, or asks the system for memory, to find out. */
START_TEST(refuses_at_once_what_no_collection_could_give)
{
    uint32_t before = it.process.heap.collections;

    it.process.heap.limit_words = 1000;
    ck_assert(!vm_heap_reserve(&it.ctx, 1001));
    ck_assert_uint_eq(it.process.heap.collections, before);
}
END_TEST

START_TEST(stays_intact_without_memory)
{
    bool had;

    set_reg(&it, 0, make_int64(&it, 12));
    nb_alloc_fail_after(0);
    had = vm_heap_reserve(&it.ctx, 10000);
    nb_alloc_fail_after(-1);
    ck_assert(!had);
    ck_assert_uint_eq(vm_field(*reg(&it, 0), 0), 12);
    ck_assert(vm_heap_reserve(&it.ctx, 10000));
    ck_assert_uint_eq(vm_field(*reg(&it, 0), 0), 12);
}
END_TEST

START_TEST(keeps_the_old_references_when_there_is_no_memory_for_new_ones)
{
    vm_value shared = shared_pair();

    vm_heap_add_shared(&it.process.heap, shared);
    set_reg(&it, 0, vm_field(shared, 0));
    nb_alloc_fail_after(1); /* the block, but not the set */
    ck_assert(vm_heap_collect(&it.ctx, 0));
    nb_alloc_fail_after(-1);
    ck_assert_uint_eq(it.process.heap.shared_count, 1);
    ck_assert_uint_eq(it.process.heap.shared[0], shared);
    ck_assert_uint_eq(vm_field(*reg(&it, 0), 0), vm_from_small(7));
}
END_TEST

START_TEST(drops_shared_objects_that_nothing_refers_to)
{
    vm_heap_add_shared(&it.process.heap, shared_pair());
    ck_assert_uint_gt(vm_shared_bytes_total(), shared_before);
    collect();
    ck_assert_uint_eq(vm_shared_bytes_total(), shared_before);
    ck_assert_uint_eq(it.process.heap.shared_count, 0);
}
END_TEST

START_TEST(holds_just_the_inner_object_that_it_still_refers_to)
{
    vm_value shared = shared_pair(), inner = vm_field(shared, 0);

    vm_heap_add_shared(&it.process.heap, shared);
    set_reg(&it, 0, inner);
    set_reg(&it, 1, inner);
    collect();
    ck_assert_uint_eq(it.process.heap.shared_count, 1);
    ck_assert_uint_eq(it.process.heap.shared[0], inner);
    ck_assert_uint_eq(vm_shared_bytes_total() - shared_before, vm_shared_bytes(inner));
    ck_assert_uint_eq(vm_field(*reg(&it, 0), 0), vm_from_small(7));
}
END_TEST

START_TEST(holds_each_of_many_shared_objects_once)
{
    enum { MANY = 1000 };

    set_reg(&it, 0, VM_NIL);
    for (int i = 0; i < MANY; i++) {
        vm_value shared = vm_shared_new(VM_KIND_TUPLE, 0, 0, 1);

        vm_object(shared)[1] = vm_from_small(i);
        vm_heap_add_shared(&it.process.heap, shared);
        for (int twice = 0; twice < 2; twice++)
            set_reg(&it, 0, make_cons(&it, shared, *reg(&it, 0)));
    }
    collect();
    ck_assert_uint_eq(it.process.heap.shared_count, MANY);
    set_reg(&it, 0, VM_NIL);
    collect();
    ck_assert_uint_eq(it.process.heap.shared_count, 0);
}
END_TEST

START_TEST(counts_one_object_added_again_and_again_once)
{
    vm_value shared = shared_pair();

    vm_heap_add_shared(&it.process.heap, shared);
    for (int i = 0; i < 1000; i++) {
        vm_shared_ref(shared);
        vm_heap_add_shared(&it.process.heap, shared);
    }
    ck_assert_uint_eq(it.process.heap.shared_count, 1);
}
END_TEST

START_TEST(collects_when_it_refers_to_much_shared_memory)
{
    for (int i = 0; i < 1000; i++) {
        ck_assert(vm_heap_reserve(&it.ctx, 0));
        vm_heap_add_shared(&it.process.heap, vm_shared_new(VM_KIND_STRING, 0, 0, 10000));
    }
    ck_assert_uint_lt(vm_shared_bytes_total() - shared_before, 2 * VM_SHARED_BYTES_MIN + 20000);
}
END_TEST

START_TEST(takes_live_objects_out_of_fragments_and_frees_the_rest)
{
    struct vm_fragment *fragment;
    vm_value copy;

    set_reg(&it, 0, make_int64(&it, 21));
    set_reg(&it, 1, make_pair(&it, *reg(&it, 0), *reg(&it, 0)));
    ck_assert_int_eq(vm_copy_to_fragment(*reg(&it, 1), &copy, &fragment), VM_COPY_OK);
    vm_heap_adopt(&it.process.heap, fragment);
    ck_assert_uint_eq(it.process.heap.fragment_words, 3 + 2);
    set_reg(&it, 2, vm_field(copy, 1));
    collect();
    ck_assert_ptr_null(it.process.heap.fragments);
    ck_assert_uint_eq(it.process.heap.fragment_words, 0);
    ck_assert_uint_eq(vm_field(*reg(&it, 2), 0), 21);
    vm_heap_adopt(&it.process.heap, NULL);
}
END_TEST

START_TEST(collects_when_it_adopted_much)
{
    set_reg(&it, 0, make_cells(&it, 0, 1000, VM_NIL));
    for (int i = 0; i < 100; i++) {
        struct vm_fragment *fragment;
        vm_value copy;

        ck_assert_int_eq(vm_copy_to_fragment(*reg(&it, 0), &copy, &fragment), VM_COPY_OK);
        vm_heap_adopt(&it.process.heap, fragment);
        ck_assert(vm_heap_reserve(&it.ctx, 0));
    }
    ck_assert_uint_lt(it.process.heap.fragment_words, 10000 + 1000);
}
END_TEST

START_TEST(keeps_its_small_block_for_the_next_process)
{
    vm_value *start = it.process.heap.start;

    make(&it, VM_KIND_TUPLE, 0, 20);
    vm_heap_add_shared(&it.process.heap, shared_pair());
    if (it.process.heap.start == start) {
        ck_assert(vm_heap_reset(&it.process.heap));
        ck_assert_ptr_eq(it.process.heap.start, start);
    }
    ck_assert(vm_heap_reserve(&it.ctx, 5000));
    ck_assert(vm_heap_reset(&it.process.heap));
    ck_assert_uint_eq(block_words(), VM_BLOCK_WORDS_MIN);
    ck_assert_ptr_eq(it.process.heap.fp, it.process.heap.end);
    ck_assert_ptr_eq(it.process.heap.top, it.process.heap.start);
    ck_assert_uint_eq(vm_shared_bytes_total(), shared_before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vm/heap");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, begins_with_the_smallest_block);
    tcase_add_test(all, keeps_what_each_root_refers_to);
    tcase_add_test(all, looks_into_frames_of_all_sizes);
    tcase_add_test(all, keeps_sharing_and_cycles);
    tcase_add_loop_test(all, takes_no_raw_word_for_a_value, 0, 4);
    tcase_add_test(all, grows_with_what_lives);
    tcase_add_test(all, stays_small_when_all_is_garbage);
    tcase_add_test(all, gives_memory_back_when_it_became_small);
    tcase_add_test(all, refuses_what_exceeds_its_limit_and_stays_intact);
    tcase_add_test(all, counts_shared_objects_towards_its_limit);
    tcase_add_test(all, refuses_at_once_what_no_collection_could_give);
    tcase_add_test(all, stays_intact_without_memory);
    tcase_add_test(all, keeps_the_old_references_when_there_is_no_memory_for_new_ones);
    tcase_add_test(all, drops_shared_objects_that_nothing_refers_to);
    tcase_add_test(all, holds_just_the_inner_object_that_it_still_refers_to);
    tcase_add_test(all, holds_each_of_many_shared_objects_once);
    tcase_add_test(all, counts_one_object_added_again_and_again_once);
    tcase_add_test(all, collects_when_it_refers_to_much_shared_memory);
    tcase_add_test(all, takes_live_objects_out_of_fragments_and_frees_the_rest);
    tcase_add_test(all, collects_when_it_adopted_much);
    tcase_add_test(all, keeps_its_small_block_for_the_next_process);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
