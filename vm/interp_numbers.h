/*
 * interp_numbers.h - arithmetic and comparison. Part of vm_run() in interp.c, which alone includes it.
 *
 * Small Ints and inline Floats are computed here, with one test for both operands; whatever else there is, and results
 * that fit neither form, are the business of operate.c.
 */

/* ---- arithmetic and comparison ---- */

#define BOTH_SMALL(x, y) ((x) & (y) & 1)
#define BOTH_FLONUM(x, y) ((((x) & 3) == 2) & (((y) & 3) == 2))
#define FLOAT_RESULT(expression) \
    do { \
        double value_ = (expression); \
        if (likely(vm_double_is_flonum(value_))) { \
            r[A] = vm_from_flonum(value_); \
            NEXT(1); \
        } \
    } while (0)
#define ARITHMETIC(op) \
    do { \
        SAVE(); \
        status = vm_op_arithmetic(ctx, (op), r[B], r[C], &result); \
        goto finish_1; \
    } while (0)

op_ADD: {
    vm_value x = r[B], y = r[C];
    int64_t sum;

    if (likely(BOTH_SMALL(x, y)) && likely(!__builtin_add_overflow((int64_t)x, (int64_t)(y - 1), &sum))) {
        r[A] = (vm_value)sum;
        NEXT(1);
    }
    if (BOTH_FLONUM(x, y))
        FLOAT_RESULT(vm_flonum(x) + vm_flonum(y));
    ARITHMETIC(VM_ADD);
}
op_SUB: {
    vm_value x = r[B], y = r[C];
    int64_t difference;

    if (likely(BOTH_SMALL(x, y)) && likely(!__builtin_sub_overflow((int64_t)x, (int64_t)(y - 1), &difference))) {
        r[A] = (vm_value)difference;
        NEXT(1);
    }
    if (BOTH_FLONUM(x, y))
        FLOAT_RESULT(vm_flonum(x) - vm_flonum(y));
    ARITHMETIC(VM_SUB);
}
op_MUL: {
    vm_value x = r[B], y = r[C];
    int64_t product;

    if (likely(BOTH_SMALL(x, y)) && likely(!__builtin_mul_overflow((int64_t)(x - 1), vm_small(y), &product))) {
        r[A] = (vm_value)product | 1;
        NEXT(1);
    }
    if (BOTH_FLONUM(x, y))
        FLOAT_RESULT(vm_flonum(x) * vm_flonum(y));
    ARITHMETIC(VM_MUL);
}
op_DIV: {
    vm_value x = r[B], y = r[C];

    /* The one quotient of small integers that is not small: the least one by -1. */
    if (likely(BOTH_SMALL(x, y)) && likely(y != vm_from_small(0) && y != vm_from_small(-1))) {
        r[A] = vm_from_small(quotient(vm_small(x), vm_small(y)));
        NEXT(1);
    }
    if (BOTH_FLONUM(x, y))
        FLOAT_RESULT(vm_flonum(x) / vm_flonum(y));
    ARITHMETIC(VM_DIV);
}
op_MOD: {
    vm_value x = r[B], y = r[C];

    if (likely(BOTH_SMALL(x, y)) && likely(y != vm_from_small(0) && y != vm_from_small(-1))) {
        r[A] = vm_from_small(remainder_of(vm_small(x), vm_small(y)));
        NEXT(1);
    }
    ARITHMETIC(VM_MOD);
}
op_POW:
    ARITHMETIC(VM_POW);
op_ADD_IMM: {
    vm_value x = r[B];
    int64_t sum;

    if (likely(vm_is_small(x)) && likely(!__builtin_add_overflow((int64_t)x, (int64_t)SC * 2, &sum))) {
        r[A] = (vm_value)sum;
        NEXT(1);
    }
    SAVE();
    status = vm_op_arithmetic(ctx, VM_ADD, x, vm_from_small(SC), &result);
    goto finish_1;
}
op_SUB_IMM: {
    vm_value x = r[B];
    int64_t difference;

    if (likely(vm_is_small(x)) && likely(!__builtin_sub_overflow((int64_t)x, (int64_t)SC * 2, &difference))) {
        r[A] = (vm_value)difference;
        NEXT(1);
    }
    SAVE();
    status = vm_op_arithmetic(ctx, VM_SUB, x, vm_from_small(SC), &result);
    goto finish_1;
}
op_MUL_IMM: {
    vm_value x = r[B];
    int64_t product;

    if (likely(vm_is_small(x)) && likely(!__builtin_mul_overflow((int64_t)(x - 1), (int64_t)SC, &product))) {
        r[A] = (vm_value)product | 1;
        NEXT(1);
    }
    SAVE();
    status = vm_op_arithmetic(ctx, VM_MUL, x, vm_from_small(SC), &result);
    goto finish_1;
}
op_DIV_IMM: {
    vm_value x = r[B];

    if (likely(vm_is_small(x) && SC > 0)) {
        r[A] = vm_from_small(quotient(vm_small(x), SC));
        NEXT(1);
    }
    SAVE();
    status = vm_op_arithmetic(ctx, VM_DIV, x, vm_from_small(SC), &result);
    goto finish_1;
}
op_MOD_IMM: {
    vm_value x = r[B];

    if (likely(vm_is_small(x) && SC > 0)) {
        r[A] = vm_from_small(remainder_of(vm_small(x), SC));
        NEXT(1);
    }
    SAVE();
    status = vm_op_arithmetic(ctx, VM_MOD, x, vm_from_small(SC), &result);
    goto finish_1;
}
op_NEGATE: {
    vm_value x = r[B];

    if (likely(vm_is_small(x)) && likely(x != vm_from_small(VM_SMALL_MIN))) {
        r[A] = vm_from_small(-vm_small(x));
        NEXT(1);
    }
    SAVE();
    status = vm_negate(ctx, x, &result);
    goto finish_1;
}
op_NOT:
    if (likely(vm_is_sort(r[B], VM_SORT_BOOL))) {
        r[A] = r[B] ^ (VM_TRUE ^ VM_FALSE);
        NEXT(1);
    }
    SAVE();
    (void)vm_raise_type(ctx, "Bool", r[B]);
    goto raise_saved;
op_CONCAT:
    SAVE();
    status = vm_op_concat(ctx, r[B], r[C], &result);
    goto finish_1;

/* Comparison to a value, and the same as the first half of a branch. `small` compares two tagged words of small integers: their order is that of the numbers. */
#define COMPARE(name, operator) \
    op_##name: \
    { \
        vm_value x = r[B], y = r[C]; \
        if (likely(BOTH_SMALL(x, y))) { \
            r[A] = vm_from_bool((int64_t)x operator(int64_t) y); \
            NEXT(1); \
        } \
        if (BOTH_FLONUM(x, y)) { \
            r[A] = vm_from_bool(vm_flonum(x) operator vm_flonum(y)); \
            NEXT(1); \
        } \
        SAVE(); \
        status = vm_op_compare(ctx, VM_COMPARE_##name, x, y, &result); \
        goto finish_1; \
    } \
    op_##name##_IMM: \
    { \
        vm_value x = r[B]; \
        if (likely(vm_is_small(x))) { \
            r[A] = vm_from_bool((int64_t)x operator((int64_t)SC * 2 + 1)); \
            NEXT(1); \
        } \
        SAVE(); \
        status = vm_op_compare(ctx, VM_COMPARE_##name, x, vm_from_small(SC), &result); \
        goto finish_1; \
    } \
    op_TEST_##name: \
    { \
        vm_value x = r[B], y = r[C]; \
        if (likely(BOTH_SMALL(x, y))) \
            BRANCH((int64_t)x operator(int64_t) y); \
        if (BOTH_FLONUM(x, y)) \
            BRANCH(vm_flonum(x) operator vm_flonum(y)); \
        SAVE(); \
        status = vm_op_compare(ctx, VM_COMPARE_##name, x, y, &result); \
        goto finish_1; \
    } \
    op_TEST_##name##_IMM: \
    { \
        vm_value x = r[B]; \
        if (likely(vm_is_small(x))) \
            BRANCH((int64_t)x operator((int64_t)SC * 2 + 1)); \
        SAVE(); \
        status = vm_op_compare(ctx, VM_COMPARE_##name, x, vm_from_small(SC), &result); \
        goto finish_1; \
    }

    COMPARE(EQ, ==)
    COMPARE(NE, !=)
    COMPARE(LT, <)
    COMPARE(LE, <=)
    COMPARE(GT, >)
    COMPARE(GE, >=)
