/* test_shared.c - what shared objects promise: they live exactly as long as somebody refers to them. */
#include "config.h"

#include "vm/shared.h"

#include <check.h>
#include <pthread.h>

#include "tests/unit/one_process.h"

static uint64_t living(void) { return vm_shared_bytes_total() - shared_before; }

static vm_value share(vm_value value)
{
    vm_value shared;

    ck_assert_int_eq(vm_share(value, &shared), VM_COPY_OK);
    return shared;
}

START_TEST(die_with_their_last_reference)
{
    vm_value shared = vm_shared_new(VM_KIND_STRING, VM_FLAG_ASCII, 0, 100);

    ck_assert(vm_is_shared(shared));
    ck_assert_uint_eq(vm_size(shared), 100);
    ck_assert_uint_eq(living(), vm_shared_bytes(shared));
    vm_shared_ref(shared);
    vm_shared_unref(shared);
    ck_assert_uint_gt(living(), 0);
    vm_shared_unref(shared);
    ck_assert_uint_eq(living(), 0);
}
END_TEST

START_TEST(are_none_without_memory)
{
    vm_value shared;

    nb_alloc_fail_after(0);
    shared = vm_shared_new(VM_KIND_STRING, 0, 0, 100);
    nb_alloc_fail_after(-1);
    ck_assert_uint_eq(shared, VM_NONE);
    ck_assert_uint_eq(living(), 0);
}
END_TEST

START_TEST(free_chains_of_any_length)
{
    vm_value chain = VM_UNIT;

    for (int i = 0; i < 1000000; i++) {
        vm_value next = vm_shared_new(VM_KIND_TUPLE, 0, 0, 1);

        vm_object(next)[1] = chain;
        chain = next;
    }
    vm_shared_unref(chain);
    ck_assert_uint_eq(living(), 0);
}
END_TEST

START_TEST(do_not_take_raw_words_for_references)
{
    vm_value node = vm_shared_new(VM_KIND_NODE, 0, 0, 2), other = vm_shared_new(VM_KIND_INT64, 0, 0, 1);

    vm_object(node)[1] = other; /* the raw word of RAW1 */
    vm_object(node)[2] = VM_NONE;
    vm_shared_unref(node);
    ck_assert_uint_eq(living(), vm_shared_bytes(other));
    vm_shared_unref(other);
}
END_TEST

START_TEST(are_made_of_values_with_their_sharing)
{
    vm_value shared;

    set_reg(&it, 0, make_int64(&it, 9));
    for (int i = 0; i < 60; i++)
        set_reg(&it, 0, make_pair(&it, *reg(&it, 0), *reg(&it, 0)));
    shared = share(*reg(&it, 0));
    ck_assert(vm_is_shared(shared) && !vm_shared_is_mutable(shared));
    ck_assert_uint_eq(living(), 60 * (16 + 24) + 16 + 16);
    for (vm_value at = shared; vm_kind(at) == VM_KIND_TUPLE; at = vm_field(at, 0))
        ck_assert_uint_eq(vm_field(at, 0), vm_field(at, 1));
    vm_shared_unref(shared);
    ck_assert_uint_eq(living(), 0);
}
END_TEST

START_TEST(copy_only_what_is_not_shared_yet)
{
    vm_value former, shared;
    uint64_t bytes;

    set_reg(&it, 0, make(&it, VM_KIND_TUPLE, 0, 500));
    former = share(*reg(&it, 0));
    vm_heap_add_shared(&it.process.heap, former);
    bytes = living();
    set_reg(&it, 0, make_pair(&it, former, VM_TRUE));
    shared = share(*reg(&it, 0));
    ck_assert_uint_eq(living(), bytes + 16 + 24);
    ck_assert_uint_eq(vm_field(shared, 0), former);
    ck_assert_uint_eq(share(shared), shared);
    vm_shared_unref(shared);
    vm_shared_unref(shared);
    ck_assert_uint_eq(living(), bytes);
}
END_TEST

START_TEST(put_a_cell_in_front_of_a_shared_list)
{
    vm_value former, shared;
    uint64_t bytes;

    set_reg(&it, 0, make_cells(&it, 1, 1000, VM_NIL));
    former = share(*reg(&it, 0));
    vm_heap_add_shared(&it.process.heap, former);
    ck_assert_int_eq(vm_kind(former), VM_KIND_SLICE);
    bytes = living();
    set_reg(&it, 0, make_cons(&it, vm_from_small(0), former));
    shared = share(*reg(&it, 0));
    ck_assert_uint_eq(living(), bytes + 16 + 24);
    ck_assert(is_list_of(shared, 0, 1000));
    vm_shared_unref(shared);
}
END_TEST

START_TEST(keep_lists_that_overlap)
{
    vm_value shared, rest;

    set_reg(&it, 0, make_cells(&it, 0, 100, VM_NIL));
    rest = vm_field(vm_field(*reg(&it, 0), 1), 1);
    set_reg(&it, 1, make_pair(&it, rest, rest));
    set_reg(&it, 1, make_pair(&it, *reg(&it, 0), *reg(&it, 1)));
    set_reg(&it, 2, make_slice(&it, 0, 50, 10));
    set_reg(&it, 2, make_part(&it, *reg(&it, 2), 20, 5));
    set_reg(&it, 1, make_pair(&it, *reg(&it, 1), *reg(&it, 2)));
    shared = share(*reg(&it, 1));
    ck_assert(is_list_of(vm_field(vm_field(shared, 0), 0), 0, 100));
    ck_assert(is_list_of(vm_field(vm_field(vm_field(shared, 0), 1), 1), 2, 100));
    ck_assert(is_list_of(vm_field(shared, 1), 20, 25));
    vm_shared_unref(shared);
    ck_assert_uint_eq(living(), 0);
}
END_TEST

START_TEST(wrap_what_can_change)
{
    static const struct { enum vm_kind kind; bool is_mutable; } rows[] = {
        { VM_KIND_CELL, true }, { VM_KIND_RECORD_CELL, true }, { VM_KIND_INT64_ARRAY, true },
        { VM_KIND_FLOAT64_ARRAY, true }, { VM_KIND_FLOAT32_ARRAY, true }, { VM_KIND_TUPLE, false },
    };
    vm_value shared, copy;

    set_reg(&it, 0, make(&it, rows[_i].kind, 0, 1));
    set_reg(&it, 0, make_pair(&it, *reg(&it, 0), *reg(&it, 0)));
    shared = share(*reg(&it, 0));
    ck_assert_int_eq(vm_shared_is_mutable(shared), rows[_i].is_mutable);
    if (rows[_i].is_mutable) {
        ck_assert_int_eq(vm_copy_to_heap(shared, &it.process.heap, &copy), VM_COPY_OK);
        ck_assert(!vm_is_shared(copy));
        ck_assert_int_eq(vm_kind(vm_field(copy, 0)), rows[_i].kind);
        ck_assert_uint_eq(vm_field(copy, 0), vm_field(copy, 1));
        ck_assert_uint_ne(vm_field(copy, 0), vm_field(*reg(&it, 0), 0));
        ck_assert_uint_eq(vm_field(vm_field(copy, 0), 0), VM_UNIT);
        ck_assert_uint_eq(share(shared), shared);
        vm_shared_unref(shared);
    }
    vm_shared_unref(shared);
    ck_assert_uint_eq(living(), 0);
}
END_TEST

/* A closure of `captures` values; they are to be set. */
static vm_value make_closure(uint32_t captures)
{
    vm_value closure = make(&it, VM_KIND_CLOSURE, 0, 1 + captures);

    vm_object(closure)[1] = vm_from_object(&it.function);
    return closure;
}

START_TEST(wrap_closures_only_if_they_form_a_cycle)
{
    vm_value shared;

    set_reg(&it, 0, make_closure(1));
    set_reg(&it, 1, make_closure(1));
    vm_object(*reg(&it, 0))[2] = *reg(&it, 1);
    shared = share(*reg(&it, 0));
    ck_assert(!vm_shared_is_mutable(shared));
    ck_assert_int_eq(vm_kind(vm_field(shared, 1)), VM_KIND_CLOSURE);
    vm_shared_unref(shared);
    ck_assert_uint_eq(living(), 0);

    vm_object(*reg(&it, 1))[2] = *reg(&it, 0);
    shared = share(*reg(&it, 0));
    ck_assert(vm_shared_is_mutable(shared));
    vm_shared_unref(shared);
    ck_assert_uint_eq(living(), 0);
}
END_TEST

START_TEST(let_a_capsule_hold_shared_objects)
{
    vm_value big, shared, copy;

    set_reg(&it, 0, make(&it, VM_KIND_TUPLE, 0, 100));
    big = share(*reg(&it, 0));
    vm_heap_add_shared(&it.process.heap, big);
    set_reg(&it, 1, big);
    set_reg(&it, 0, make(&it, VM_KIND_CELL, 0, 1));
    vm_object(*reg(&it, 0))[1] = big;
    shared = share(*reg(&it, 0));
    set_reg(&it, 0, VM_UNIT);
    set_reg(&it, 1, VM_UNIT);
    ck_assert(vm_heap_collect(&it.ctx, 0));
    ck_assert_uint_gt(living(), 800);
    ck_assert_int_eq(vm_copy_to_heap(shared, &it.process.heap, &copy), VM_COPY_OK);
    set_reg(&it, 0, copy);
    vm_shared_unref(shared);
    ck_assert(vm_heap_collect(&it.ctx, 0));
    ck_assert_uint_eq(vm_size(vm_field(*reg(&it, 0), 0)), 100);
}
END_TEST

START_TEST(leave_nothing_behind_without_memory) /* _i allocations succeed */
{
    vm_value shared = VM_UNIT;
    enum vm_copy_result how;

    set_reg(&it, 0, make_cells(&it, 0, 10, VM_NIL));
    set_reg(&it, 1, make(&it, VM_KIND_TUPLE, 0, 3));
    set_reg(&it, 0, make_pair(&it, *reg(&it, 0), *reg(&it, 1)));
    nb_alloc_fail_after(_i);
    how = vm_share(*reg(&it, 0), &shared);
    nb_alloc_fail_after(-1);
    ck_assert_int_eq(how, _i < 4 ? VM_COPY_NOMEM : VM_COPY_OK); /* pair, slice, array, tuple */
    if (how == VM_COPY_OK)
        vm_shared_unref(shared);
    ck_assert_uint_eq(living(), 0);
    ck_assert(is_list_of(vm_field(*reg(&it, 0), 0), 0, 10));
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 20000 };

static void *count_up_and_down(void *argument)
{
    vm_value shared = *(vm_value *)argument;

    for (int i = 0; i < ROUNDS; i++) {
        vm_shared_ref(shared);
        vm_shared_unref(shared);
    }
    vm_shared_unref(shared);
    return NULL;
}

/* All threads copy out of one capsule at the same time. */
static void *copy_out(void *argument)
{
    static _Atomic int wrong;
    vm_value capsule = *(vm_value *)argument;

    for (int i = 0; i < ROUNDS / 10; i++) {
        struct vm_fragment *fragment;
        vm_value copy;

        if (vm_copy_to_fragment(capsule, &copy, &fragment) != VM_COPY_OK ||
            !is_list_of(vm_field(copy, 0), 0, 20) || vm_field(vm_field(copy, 1), 0) != VM_UNIT)
            wrong++;
        vm_fragment_free(fragment);
    }
    vm_shared_unref(capsule);
    return (void *)(intptr_t)wrong;
}

static void run_threads(void *(*function)(void *), vm_value shared)
{
    pthread_t threads[THREADS];
    void *result;

    for (int i = 0; i < THREADS; i++) {
        vm_shared_ref(shared);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, function, &shared), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &result), 0);
        ck_assert_ptr_null(result);
    }
    vm_shared_unref(shared);
    ck_assert_uint_eq(living(), 0);
}

START_TEST(are_counted_by_several_threads)
{
    run_threads(count_up_and_down, vm_shared_new(VM_KIND_STRING, 0, 0, 64));
}
END_TEST

START_TEST(let_several_threads_read_a_capsule)
{
    set_reg(&it, 0, make_slice(&it, 0, 20, 0));
    set_reg(&it, 1, make(&it, VM_KIND_CELL, 0, 1));
    set_reg(&it, 0, make_pair(&it, *reg(&it, 0), *reg(&it, 1)));
    run_threads(copy_out, share(*reg(&it, 0)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vm/shared");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, 30);
    tcase_add_test(all, die_with_their_last_reference);
    tcase_add_test(all, are_none_without_memory);
    tcase_add_test(all, free_chains_of_any_length);
    tcase_add_test(all, do_not_take_raw_words_for_references);
    tcase_add_test(all, are_made_of_values_with_their_sharing);
    tcase_add_test(all, copy_only_what_is_not_shared_yet);
    tcase_add_test(all, put_a_cell_in_front_of_a_shared_list);
    tcase_add_test(all, keep_lists_that_overlap);
    tcase_add_loop_test(all, wrap_what_can_change, 0, 6);
    tcase_add_test(all, wrap_closures_only_if_they_form_a_cycle);
    tcase_add_test(all, let_a_capsule_hold_shared_objects);
    tcase_add_loop_test(all, leave_nothing_behind_without_memory, 0, 6);
    tcase_add_test(all, are_counted_by_several_threads);
    tcase_add_test(all, let_several_threads_read_a_capsule);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
