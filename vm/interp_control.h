/*
 * interp_control.h - jumps, loops and the tests of patterns. Part of vm_run() in interp.c, which alone includes it.
 */

/* ---- control ---- */

op_JUMP:
    JUMP_BY(D);
op_LOOP:
    if (unlikely(--reductions <= 0))
        goto yield;
    JUMP_BY(D);
op_FOR: {
    vm_value next = r[A], limit = r[A + 1];

    if (unlikely(--reductions <= 0))
        goto yield;
    if (likely(BOTH_SMALL(next, limit))) {
        next += 2; /* cannot overflow: it was below the limit */
        r[A] = next;
        if ((int64_t)next < (int64_t)limit)
            JUMP_BY(D);
        NEXT(1);
    }
    SAVE();
    status = vm_op_arithmetic(ctx, VM_ADD, next, vm_from_small(1), &result);
    if (unlikely(status != VM_OK))
        goto not_ok;
    MOVED();
    r[A] = result;
    if (vm_number_compare(r[A], r[A + 1]) < 0)
        JUMP_BY(D);
    NEXT(1);
}
op_JUMP_FALSE:
    if (r[A] == VM_TRUE)
        NEXT(1);
    if (likely(r[A] == VM_FALSE))
        JUMP_BY(D);
    goto not_bool;
op_JUMP_TRUE:
    if (r[A] == VM_FALSE)
        NEXT(1);
    if (likely(r[A] == VM_TRUE))
        JUMP_BY(D);
    goto not_bool;
op_JUMP_PRESENT:
    if (r[A] != VM_NONE)
        JUMP_BY(D);
    NEXT(1);

/* ---- pattern tests ---- */

#define UNLESS(condition, words) \
    do { \
        if (condition) \
            NEXT(words); \
        JUMP_BY(D); \
    } while (0)

op_UNLESS_IS:
    UNLESS(r[A] == W1 || (vm_is_small(W1) && !vm_is_small(r[A]) && vm_op_equals_small(r[A], W1)), 2);
op_UNLESS_CONST:
    UNLESS(vm_equal(r[A], W1), 2);
op_UNLESS_EQUAL:
    UNLESS(vm_equal(r[A], r[W1]), 2);
op_UNLESS_LIST:
    UNLESS(r[A] != VM_NIL && vm_is_list(r[A]), 1);
op_UNLESS_LENGTH:
    UNLESS(vm_is_list(r[A]) && vm_list_length(r[A]) == W1, 2);
op_UNLESS_LENGTH_MIN:
    UNLESS(vm_is_list(r[A]) && vm_list_length(r[A]) >= W1, 2);
op_UNLESS_TUPLE:
    UNLESS(vm_is_kind(r[A], VM_KIND_TUPLE) && vm_size(r[A]) == W1, 2);
op_UNLESS_CTOR:
    UNLESS(vm_op_constructor(r[A]) == W1, 2);
op_UNLESS_RANGE:
    UNLESS(vm_is_int(r[A]) && vm_int_of(r[A]) >= (int64_t)W1 && vm_int_of(r[A]) <= (int64_t)W2, 3);
op_UNLESS_CLASS:
    UNLESS(vm_class_of(r[A]) == (uint32_t)W1, 2);
op_UNLESS_PREFIX:
    UNLESS(vm_op_has_prefix(r[A], W1), 2);
op_REST:
    SAVE();
    result = vm_string_part(ctx, r[B], vm_text(W1).length, vm_text(r[B]).length - vm_text(W1).length);
    goto finish_value_2;
op_MAP_FIND:
    r[A] = vm_op_map_find(r[B], r[C]);
    NEXT(1);
op_FIELD_FIND:
    r[A] = vm_op_field_find(r[B], (uint32_t)W1);
    NEXT(2);
op_SWITCH_CTOR:
    JUMP_BY(vm_op_switch(pc, C, (int64_t)vm_op_constructor(r[A])));
op_SWITCH_INT:
    if (likely(vm_is_small(r[A])))
        JUMP_BY(vm_op_switch(pc, C, vm_small(r[A])));
    if (vm_is_int(r[A]))
        JUMP_BY(vm_op_switch(pc, C, vm_int_of(r[A])));
    JUMP_BY(vm_op_switch_integer(pc, C, r[A]));
op_NO_MATCH:
    SAVE();
    (void)vm_raise_panic(ctx, "Non-exhaustive match: no pattern matched");
    goto raise_saved;
