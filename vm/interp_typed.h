/*
 * interp_typed.h - the typed instructions (pairs.def), each made of two halves. Part of vm_run() in interp.c, which
 * alone includes it.
 *
 * FIRST_x is the common case of the instruction x and then the step to what follows: afterwards pc is there, as if x
 * had been dispatched. Where the case is not common it goes to x's general arm, with pc where it was. THEN_x is the
 * common case of x and the dispatch of what is next, with the same way out; most are FIRST_x and a dispatch. So each
 * arm is the first half of one instruction and the second of another, and knows nothing of either.
 */

/* ---- Ints ---- */

#define FIRST_INTS(name, overflows) \
    { \
        vm_value x_ = r[B], y_ = r[C]; \
        int64_t z_; \
        if (unlikely(!BOTH_SMALL(x_, y_)) || unlikely(overflows((int64_t)x_, (int64_t)(y_ - 1), &z_))) \
            goto op_##name; \
        r[A] = given = (vm_value)z_; \
        pc++; \
    }
#define FIRST_WITH_CONSTANT(name, overflows) \
    { \
        vm_value x_ = r[B]; \
        int64_t z_; \
        if (unlikely(!vm_is_small(x_)) || unlikely(overflows((int64_t)x_, (int64_t)SC * 2, &z_))) \
            goto op_##name; \
        r[A] = given = (vm_value)z_; \
        pc++; \
    }
#define FIRST_ADD FIRST_INTS(ADD, __builtin_add_overflow)
#define FIRST_SUB FIRST_INTS(SUB, __builtin_sub_overflow)
#define FIRST_ADD_IMM FIRST_WITH_CONSTANT(ADD_IMM, __builtin_add_overflow)
#define FIRST_SUB_IMM FIRST_WITH_CONSTANT(SUB_IMM, __builtin_sub_overflow)
#define FIRST_MUL \
    { \
        vm_value x_ = r[B], y_ = r[C]; \
        int64_t z_; \
        if (unlikely(!BOTH_SMALL(x_, y_)) || \
            unlikely(__builtin_mul_overflow((int64_t)(x_ - 1), vm_small(y_), &z_))) \
            goto op_MUL; \
        r[A] = given = (vm_value)z_ | 1; \
        pc++; \
    }
#define FIRST_MUL_IMM \
    { \
        vm_value x_ = r[B]; \
        int64_t z_; \
        if (unlikely(!vm_is_small(x_)) || \
            unlikely(__builtin_mul_overflow((int64_t)(x_ - 1), (int64_t)SC, &z_))) \
            goto op_MUL_IMM; \
        r[A] = given = (vm_value)z_ | 1; \
        pc++; \
    }
#define FIRST_MOD \
    { \
        vm_value x_ = r[B], y_ = r[C]; \
        if (unlikely(!BOTH_SMALL(x_, y_)) || unlikely(y_ == vm_from_small(0) || y_ == vm_from_small(-1))) \
            goto op_MOD; \
        r[A] = given = vm_from_small(remainder_of(vm_small(x_), vm_small(y_))); \
        pc++; \
    }
#define FIRST_MOD_IMM \
    { \
        vm_value x_ = r[B]; \
        if (unlikely(!vm_is_small(x_) || SC <= 0)) \
            goto op_MOD_IMM; \
        r[A] = given = vm_from_small(remainder_by(vm_small(x_), SC)); \
        pc++; \
    }
#define FIRST_DIV_IMM \
    { \
        vm_value x_ = r[B]; \
        if (unlikely(!vm_is_small(x_) || SC <= 0)) \
            goto op_DIV_IMM; \
        r[A] = given = vm_from_small(quotient_by(vm_small(x_), SC)); \
        pc++; \
    }
#define THEN_ADD FIRST_ADD DISPATCH();

#define FIRST_INT \
    { \
        r[A] = vm_from_small(D); \
        pc++; \
    }
#define THEN_MUL FIRST_MUL DISPATCH();
#define THEN_ADD_IMM FIRST_ADD_IMM DISPATCH();

/* ---- conditions: on when they hold, else the jump that belongs to them ---- */

#define FIRST_TEST(name, operator) \
    { \
        vm_value x_ = r[B], y_ = r[C]; \
        if (unlikely(!BOTH_SMALL(x_, y_))) \
            goto op_TEST_##name; \
        pc++; \
        if (!((int64_t)x_ operator(int64_t) y_)) \
            JUMP_BY(D); \
        pc++; \
    }
#define FIRST_TEST_IMM(name, operator) \
    { \
        vm_value x_ = r[B]; \
        int64_t y_ = (int64_t)SC * 2 + 1; \
        if (unlikely(!vm_is_small(x_))) \
            goto op_TEST_##name##_IMM; \
        pc++; \
        if (!((int64_t)x_ operator y_)) \
            JUMP_BY(D); \
        pc++; \
    }
#define FIRST_TEST_EQ FIRST_TEST(EQ, ==)
#define FIRST_TEST_GT FIRST_TEST(GT, >)
#define FIRST_TEST_EQ_IMM FIRST_TEST_IMM(EQ, ==)
#define FIRST_TEST_LT_IMM FIRST_TEST_IMM(LT, <)
#define FIRST_TEST_LE_IMM FIRST_TEST_IMM(LE, <=)
#define FIRST_TEST_GT_IMM FIRST_TEST_IMM(GT, >)
#define THEN_TEST_LT FIRST_TEST(LT, <) DISPATCH();
#define THEN_TEST_LE FIRST_TEST(LE, <=) DISPATCH();
#define THEN_TEST_EQ_IMM FIRST_TEST_IMM(EQ, ==) DISPATCH();
#define THEN_TEST_NE_IMM FIRST_TEST_IMM(NE, !=) DISPATCH();
#define THEN_TEST_GT_IMM FIRST_TEST_IMM(GT, >) DISPATCH();

/* The same as values. */
#define FIRST_COMPARE(name, operator) \
    { \
        vm_value x_ = r[B], y_ = r[C]; \
        if (unlikely(!BOTH_SMALL(x_, y_))) \
            goto op_##name; \
        r[A] = vm_from_bool((int64_t)x_ operator(int64_t) y_); \
        pc++; \
    }
#define FIRST_COMPARE_IMM(name, operator) \
    { \
        vm_value x_ = r[B]; \
        if (unlikely(!vm_is_small(x_))) \
            goto op_##name##_IMM; \
        r[A] = vm_from_bool((int64_t)x_ operator((int64_t)SC * 2 + 1)); \
        pc++; \
    }
#define FIRST_EQ FIRST_COMPARE(EQ, ==)
#define FIRST_LT FIRST_COMPARE(LT, <)
#define FIRST_GT FIRST_COMPARE(GT, >)
#define FIRST_EQ_IMM FIRST_COMPARE_IMM(EQ, ==)
#define FIRST_NE_IMM FIRST_COMPARE_IMM(NE, !=)
#define FIRST_LT_IMM FIRST_COMPARE_IMM(LT, <)
#define FIRST_GT_IMM FIRST_COMPARE_IMM(GT, >)
#define THEN_EQ_IMM_RETURN FIRST_EQ_IMM THEN_RETURN
#define THEN_NE_IMM_RETURN FIRST_NE_IMM THEN_RETURN

#define FIRST_UNLESS_IS \
    { \
        vm_value x_ = r[A]; \
        if (x_ != W1) { \
            if (unlikely(!vm_is_small(x_))) \
                goto op_UNLESS_IS; \
            JUMP_BY(D); \
        } \
        pc += 2; \
    }

/* ---- fields ---- */

#define FIRST_AT \
    { \
        r[A] = vm_field(r[B], C); \
        pc++; \
    }
#define THEN_AT FIRST_AT DISPATCH();

/* ---- loops and tail calls of the function itself ---- */

#define STEP_FOR \
    { \
        vm_value next_ = r[A], limit_ = r[A + 1]; \
        if (unlikely(!BOTH_SMALL(next_, limit_)) || unlikely(reductions <= 1)) \
            goto op_FOR; \
        reductions--; \
        next_ += 2; \
        r[A] = next_; \
        if ((int64_t)next_ >= (int64_t)limit_) \
            NEXT(1); \
        pc += D; \
    }
/* An ADD to the same register that is all the body of the loop, as in `for i = 0 to n { sum = sum + i }`: its rounds
 * but for the last run here, where nothing waits for a register to be stored before it is loaded. What is added is a
 * register that stays as it is, or the counter. */
#define SUM_IN_PLACE \
    if (D == -1 && VM_A_AT(pc - 1) == VM_B_AT(pc - 1) && VM_A_AT(pc - 1) != VM_C_AT(pc - 1)) { \
        bool counts_ = VM_C_AT(pc - 1) == A; \
        vm_value next_ = r[A], limit_ = r[A + 1], sum_ = r[VM_A_AT(pc - 1)], each_ = r[VM_C_AT(pc - 1)]; \
        int64_t z_; \
        if (unlikely(!(next_ & limit_ & sum_ & each_ & 1)) || unlikely((unsigned)(VM_A_AT(pc - 1) - A) <= 1)) \
            goto op_FOR; \
        while ((int64_t)next_ + 2 < (int64_t)limit_ && reductions > 1) { \
            each_ += counts_ ? 2 : 0; \
            if (__builtin_add_overflow((int64_t)sum_, (int64_t)(each_ - 1), &z_)) \
                break; \
            sum_ = (vm_value)z_; \
            next_ += 2; \
            reductions--; \
        } \
        r[A] = next_; \
        r[VM_A_AT(pc - 1)] = sum_; \
        goto op_FOR; \
    }
#define THEN_FOR STEP_FOR DISPATCH();
#define FIRST_FOR SUM_IN_PLACE STEP_FOR
#define THEN_FOR_ADD FIRST_FOR THEN_ADD
#define FIRST_LOOP \
    { \
        if (unlikely(reductions <= 1)) \
            goto op_LOOP; \
        reductions--; \
        pc += D; \
    }
/* Behind an ADD in place, the step of the counter, which with it is all the body of the loop, as in
 * `while i < n { sum = sum + i; i = i + 1 }` (vm_pair_fits() sees to it): rounds run here, until the condition ends
 * them or one of the three instructions has more to do. */
#define ROUNDS(name, overflows, operator, limit) \
    { \
        const uint64_t *test_ = pc + 1 + VM_D_AT(pc + 1), *sums_ = pc - 1; \
        vm_value sum_ = given, each_ = r[VM_C_AT(sums_)], next_ = r[A], limit_ = (limit); \
        bool counts_ = VM_C_AT(sums_) == A; \
        int64_t result_; \
        if (unlikely(!(next_ & limit_ & 1))) \
            goto op_##name; \
        for (;;) { \
            if (unlikely(reductions <= 1) || unlikely(overflows((int64_t)next_, (int64_t)SC * 2, &result_))) { \
                r[VM_A_AT(sums_)] = sum_; \
                r[A] = next_; \
                goto op_##name; \
            } \
            reductions--; \
            next_ = (vm_value)result_; \
            each_ = counts_ ? next_ : each_; \
            if (!((int64_t)next_ operator(int64_t) limit_)) { \
                r[VM_A_AT(sums_)] = sum_; \
                r[A] = next_; \
                pc = test_ + 1; \
                JUMP_BY(D); \
            } \
            if (unlikely(__builtin_add_overflow((int64_t)sum_, (int64_t)(each_ - 1), &result_))) { \
                r[VM_A_AT(sums_)] = sum_; \
                r[A] = next_; \
                pc = sums_; \
                goto op_ADD; \
            } \
            sum_ = (vm_value)result_; \
        } \
    }
#define IN_REGISTER r[VM_C_AT(test_)]
#define AS_CONSTANT ((vm_value)((int64_t)VM_SC_AT(test_) * 2 + 1))
#define THEN_ADD_IMM_LOOP_TEST_LT ROUNDS(ADD_IMM, __builtin_add_overflow, <, IN_REGISTER)
#define THEN_ADD_IMM_LOOP_TEST_LE ROUNDS(ADD_IMM, __builtin_add_overflow, <=, IN_REGISTER)
#define THEN_SUB_IMM_LOOP_TEST_GT_IMM ROUNDS(SUB_IMM, __builtin_sub_overflow, >, AS_CONSTANT)
#define THEN_LOOP_TEST_LT FIRST_LOOP THEN_TEST_LT
#define THEN_LOOP_TEST_LE FIRST_LOOP THEN_TEST_LE
#define THEN_LOOP_TEST_GT_IMM FIRST_LOOP THEN_TEST_GT_IMM

/* What was computed just before are the last arguments: taken as they came out, not from the registers where they went,
 * from which it would take several times as long. */
#define TURN_1 \
    { \
        if (unlikely(reductions <= 1)) \
            goto op_TAIL_SELF_1; \
        reductions--; \
        r[0] = given; \
        pc = function_of(FP)->code; \
    }
#define TURN_2(first, second) \
    { \
        vm_value first_ = (first), second_ = (second); \
        if (unlikely(reductions <= 1)) \
            goto op_TAIL_SELF_2; \
        reductions--; \
        r[0] = first_; \
        STORED(r[0]); \
        r[1] = second_; \
        pc = function_of(FP)->code; \
    }
#define ARGUMENT(number) r[((const uint16_t *)(pc + 1))[number]]
#define TURN_COMPUTED TURN_2(ARGUMENT(0), given)
#define TURN_BOTH_COMPUTED TURN_2(earlier, given)
#define FIRST_TAIL_SELF_2 TURN_2(ARGUMENT(0), ARGUMENT(1))
#define THEN_TAIL_SELF_1 TURN_1 DISPATCH();
#define THEN_TAIL_SELF_2 TURN_COMPUTED DISPATCH();
#define THEN_TAIL_SELF_2_TEST_EQ_IMM TURN_COMPUTED THEN_TEST_EQ_IMM
#define THEN_ADD_TAIL_SELF_2 earlier = given; FIRST_ADD TURN_BOTH_COMPUTED DISPATCH();
#define THEN_MUL_TAIL_SELF_2 earlier = given; FIRST_MUL TURN_BOTH_COMPUTED DISPATCH();
#define THEN_ADD_IMM_TAIL_SELF_2 earlier = given; FIRST_ADD_IMM TURN_BOTH_COMPUTED DISPATCH();
#define THEN_ADD_IMM_TAIL_SELF_2_TEST_EQ_IMM earlier = given; FIRST_ADD_IMM TURN_BOTH_COMPUTED THEN_TEST_EQ_IMM

/* ---- calls and returns ---- */

/* A frame of few registers is cleared by as many stores whatever their number: they are the last ones of it, and what
 * lies below, the frame's two words and free memory, is written afterwards or not used. So two words more than the
 * frame takes must be free. */
enum { CLEARED_AT_ONCE = 4 };
#define CLEAR(frame, registers, arguments) \
    { \
        for (int i_ = 1; i_ <= CLEARED_AT_ONCE; i_++) \
            (frame)[VM_FRAME_WORDS + (int)(registers) - i_] = VM_NONE; \
        for (unsigned i_ = (arguments); i_ + CLEARED_AT_ONCE < (registers); i_++) { \
            (frame)[VM_FRAME_WORDS + i_] = VM_NONE; \
            KEEP_LOOP(); \
        } \
    }

/* The function that is called; out when the slice ends or calls are too deep. */
#define CALLEE(arity) \
    const struct vm_function *f_ = (const struct vm_function *)(uintptr_t)W1; \
    const uint64_t *code_ = f_->code; \
    if (nb_stress || unlikely(reductions <= 1 || depth >= p->depth_max)) \
        goto op_CALL_##arity;
/* A frame for it with its first arguments, in which to go on; `otherwise` when there is no room. */
#define ENTER(count, first, last, from, behind, otherwise) \
    { \
        const uint64_t *from_ = (from); \
        unsigned registers_ = f_->registers; \
        vm_value *frame_ = FP - VM_FRAME_WORDS - registers_; \
        if (unlikely(frame_ - 2 < heap->top)) \
            goto otherwise; \
        reductions--; \
        depth++; \
        heap->fp = frame_; \
        CLEAR(frame_, registers_, count) \
        frame_[0] = vm_from_object(f_); \
        frame_[1] = vm_return_word((behind), A); \
        r = frame_ + VM_FRAME_WORDS; \
        r[0] = (first); \
        r[(count) - 1] = (last); \
        pc = from_; \
    }
#define THEN_CALL(arity) \
    { \
        const uint16_t *list_ = (const uint16_t *)(pc + 2); \
        vm_value arguments_[2] = { r[list_[0]], r[list_[arity - 1]] }; \
        CALLEE(arity) \
        ENTER(arity, arguments_[0], arguments_[arity - 1], code_, pc + 3, op_CALL_##arity) \
        DISPATCH(); \
    }
#define THEN_CALL_1 THEN_CALL(1)
#define THEN_CALL_2 THEN_CALL(2)

op_CALL_DIRECT: {
    const struct vm_site *site = (const struct vm_site *)(uintptr_t)W1;
    const uint16_t *list = (const uint16_t *)(pc + 2);
    const struct vm_function *f_ = (const struct vm_function *)vm_object(site->expected);
    unsigned count = C;
    vm_value first = r[list[0]], last = r[list[count - 1]];

    if (unlikely(!vm_dispatch_expects(site, first)))
        goto op_CALL_METHOD;
    if (vm_header_kind(f_->header) == VM_KIND_NATIVE) {
        if (unlikely(--reductions <= 0))
            goto yield;
        native = (const struct vm_native *)f_;
        goto run_native;
    }
    if (nb_stress || count > 2 || unlikely(reductions <= 1 || depth >= p->depth_max))
        goto op_CALL_METHOD;
    ENTER(count, first, last, f_->code, pc + 3, op_CALL_METHOD)
    DISPATCH();
}

/* A call whose callee begins with a question about its one argument, which is answered before there is a frame. When
 * the answer ends the call, as the base case of a recursion does, there never is one. */
#define FIRST_CALL_1 given = r[*(const uint16_t *)(pc + 2)];
#define END_CALL(value) \
    { \
        reductions--; \
        r[A] = (value); \
        NEXT(3); \
    }
#define ENTER_ASKED(from) \
    { \
        ENTER(1, given, given, from, pc + 3, op_CALL_1) \
        DISPATCH(); \
    }
#define ANSWER(at) (VM_OP_AT(at) == VM_OP_RETURN ? given : (at)[1])
#define CALL_TEST_IMM(operator) \
    { \
        CALLEE(1) \
        if (unlikely(!vm_is_small(given))) \
            goto op_CALL_1; \
        if ((int64_t)given operator(int64_t) VM_SC_AT(code_) * 2 + 1) \
            END_CALL(ANSWER(code_ + 2)) \
        ENTER_ASKED(code_ + 1 + VM_D_AT(code_ + 1)) \
    }
#define CALL_UNLESS(condition) \
    { \
        CALLEE(1) \
        if (condition) \
            END_CALL(ANSWER(code_ + 2)) \
        ENTER_ASKED(code_ + VM_D_AT(code_)) \
    }
#define CALL_UNLESS_IS \
    { \
        CALLEE(1) \
        if (given == code_[1]) \
            END_CALL(ANSWER(code_ + 2)) \
        if (unlikely(!vm_is_small(given))) \
            goto op_CALL_1; \
        ENTER_ASKED(code_ + VM_D_AT(code_)) \
    }
/* One of the cases may be the field of a leaf. */
#define CALL_SWITCH_CTOR \
    { \
        CALLEE(1) \
        const uint64_t *to_ = code_ + vm_op_switch(code_, VM_C_AT(code_), (int64_t)vm_op_constructor(given)); \
        if (VM_OP_AT(to_) == VM_OP_AT_RETURN && VM_B_AT(to_) == 0 && VM_A_AT(to_) == VM_A_AT(to_ + 1)) \
            END_CALL(vm_field(given, VM_C_AT(to_))) \
        ENTER_ASKED(to_) \
    }
#define THEN_CALL_1_TEST_LT_IMM CALL_TEST_IMM(<)
#define THEN_CALL_1_TEST_LE_IMM CALL_TEST_IMM(<=)
#define THEN_CALL_1_TEST_EQ_IMM CALL_TEST_IMM(==)
#define THEN_CALL_1_UNLESS_IS CALL_UNLESS_IS
#define THEN_CALL_1_UNLESS_CTOR CALL_UNLESS(vm_op_constructor(given) == code_[1])
#define THEN_CALL_1_SWITCH_CTOR CALL_SWITCH_CTOR

/* ---- calls of closures ---- */

#define FIRST_CAPTURED \
    { \
        r[A] = vm_field(r[B], 1u + C); \
        pc++; \
    }
#define FIRST_INDEX \
    { \
        vm_value list_ = r[B], index_ = r[C]; \
        if (unlikely(!vm_is_small(index_) || !vm_is_kind(list_, VM_KIND_SLICE)) || \
            unlikely((uint64_t)vm_small(index_) >= vm_size(list_))) \
            goto op_INDEX; \
        r[A] = vm_object(vm_field(list_, 0))[2 + vm_small(vm_field(list_, 1)) + vm_small(index_)]; \
        pc++; \
    }
#define THEN_ADD_RETURN FIRST_ADD THEN_RETURN
#define THEN_MUL_RETURN FIRST_MUL THEN_RETURN
/* What is called with one or two arguments; out when it is nothing that takes so many. */
#define CALLED_VALUE(otherwise) \
    vm_value callee_ = r[B]; \
    const struct vm_function *f_ = callable_function(callee_); \
    const uint16_t *list_ = (const uint16_t *)(pc + 1); \
    unsigned count_ = C; \
    vm_value first_ = r[list_[0]], last_ = r[list_[count_ - 1]]; \
    if (nb_stress || unlikely(f_ == NULL || reductions <= 1 || depth >= p->depth_max) || \
        unlikely(f_->arity != count_)) \
        goto otherwise;
#define THEN_CALL_VALUE \
    { \
        CALLED_VALUE(op_CALL_VALUE) \
        ENTER(count_, first_, last_, f_->code, pc + 2, op_CALL_VALUE) \
        if (f_->captures > 0) \
            r[count_] = callee_; \
        DISPATCH(); \
    }
/* In the frame's place. */
#define THEN_TAIL_CALL_VALUE \
    { \
        CALLED_VALUE(op_TAIL_CALL_VALUE) \
        unsigned registers_ = f_->registers; \
        vm_value *frame_ = FP + function_of(FP)->registers - registers_, return_word_ = FP[1]; \
        if (unlikely(frame_ - 2 < heap->top)) \
            goto op_TAIL_CALL_VALUE; \
        reductions--; \
        heap->fp = frame_; \
        CLEAR(frame_, registers_, count_) \
        frame_[0] = vm_from_object(f_); \
        frame_[1] = return_word_; \
        r = frame_ + VM_FRAME_WORDS; \
        r[0] = first_; \
        r[count_ - 1] = last_; \
        if (f_->captures > 0) \
            r[count_] = callee_; \
        pc = f_->code; \
        DISPATCH(); \
    }
#define THEN_INDEX FIRST_INDEX THEN_CALL_VALUE

/* The native appends to a list under construction (VM_NATIVE_PUTS). */
#define FIRST_CALL_NATIVE \
    { \
        const uint16_t *list_ = (const uint16_t *)(pc + 2); \
        if (unlikely(reductions <= 1) || unlikely(!vm_builder_put_at_once(r[list_[0]], r[list_[1]]))) \
            goto op_CALL_NATIVE; \
        reductions--; \
        r[A] = VM_UNIT; \
        pc += 3; \
    }
#define THEN_FOR_INDEX FIRST_FOR THEN_INDEX

/* Behind typed instructions C of RETURN is the number of the frame's registers. */
#define THEN_RETURN \
    { \
        vm_value returned_ = r[A], *frame_ = r + C; \
        uint64_t return_word_ = FP[1]; \
        if (unlikely(return_word_ == 0)) \
            goto op_RETURN; \
        depth--; \
        heap->fp = frame_; \
        r = frame_ + VM_FRAME_WORDS; \
        pc = VM_RETURN_PC(return_word_); \
        r[VM_RETURN_REGISTER(return_word_)] = returned_; \
        DISPATCH(); \
    }

#define PAIR(first, second) op_##first##_##second: FIRST_##first THEN_##second
#define CALL_PAIR(first, second) op_##first##_##second: FIRST_##first THEN_##first##_##second
#include "vm/pairs.def"
#undef PAIR
