/*
 * interp_calls.h - calls, returns and handlers of exceptions. Part of vm_run() in interp.c, which alone includes it.
 *
 * A known function gets its frame here, the arguments copied from the registers that the instruction names; what has to
 * be looked up, put in order or filled in is the business of call.c.
 */

/* ---- calls ---- */

#define RESERVE_FRAME(callee) \
    do { \
        if (unlikely(depth >= p->depth_max)) \
            goto too_deep; \
        RESERVE(VM_FRAME_WORDS + (size_t)(callee)->registers); \
    } while (0)
/* Make a frame for a function below the current one and go on there. Memory is reserved. */
#define PUSH_FRAME(callee, list, count, return_to) \
    do { \
        const struct vm_function *f_ = (callee); \
        vm_value *frame_ = FP - VM_FRAME_WORDS - f_->registers; \
        heap->fp = frame_; \
        frame_[0] = vm_from_object(f_); \
        frame_[1] = vm_return_word((return_to), A); \
        fill_registers(frame_ + VM_FRAME_WORDS, r, (list), (count), f_->registers); \
        r = frame_ + VM_FRAME_WORDS; \
        depth++; \
        pc = f_->code; \
    } while (0)
#define CALL_OF(arguments) \
    do { \
        const struct vm_function *called_ = (const struct vm_function *)(uintptr_t)W1; \
        unsigned count_ = (arguments); \
        if (unlikely(--reductions <= 0)) \
            goto yield; \
        RESERVE_FRAME(called_); \
        PUSH_FRAME(called_, (const uint16_t *)(pc + 2), count_, pc + 2 + list_words(count_)); \
        DISPATCH(); \
    } while (0)

op_CALL:
    CALL_OF(C);
op_CALL_1:
    CALL_OF(1);
op_CALL_2:
    CALL_OF(2);
op_CALL_3:
    CALL_OF(3);
op_TAIL_CALL: {
    const struct vm_function *f = (const struct vm_function *)(uintptr_t)W1;

    if (unlikely(--reductions <= 0))
        goto yield;
    RESERVE(VM_FRAME_WORDS + (size_t)f->registers + C);
    r = replace_registers(r, f, (const uint16_t *)(pc + 2), C, heap->top);
    heap->fp = FP;
    pc = f->code;
    DISPATCH();
}
op_TAIL_SELF: {
    const uint16_t *list = (const uint16_t *)(pc + 1);
    unsigned count = C;

    if (unlikely(--reductions <= 0))
        goto yield;
    if (likely(count <= FEW)) {
        pass_few(r, list, count);
    } else {
        RESERVE(count);
        for (unsigned i = 0; i < count; i++)
            heap->top[i] = r[list[i]];
        for (unsigned i = 0; i < count; i++)
            r[i] = heap->top[i];
    }
    pc = function_of(FP)->code;
    DISPATCH();
}
op_TAIL_SELF_1: {
    if (unlikely(--reductions <= 0))
        goto yield;
    r[0] = r[*(const uint16_t *)(pc + 1)];
    pc = function_of(FP)->code;
    DISPATCH();
}
op_TAIL_SELF_2: {
    const uint16_t *list = (const uint16_t *)(pc + 1);
    vm_value first = r[list[0]], second = r[list[1]];

    if (unlikely(--reductions <= 0))
        goto yield;
    r[0] = first;
    STORED(r[0]);
    r[1] = second;
    pc = function_of(FP)->code;
    DISPATCH();
}
op_CALL_VALUE: {
    vm_value callee = r[B];
    const struct vm_function *f = callable_function(callee);
    const uint16_t *list = (const uint16_t *)(pc + 1);
    unsigned count = C;

    if (unlikely(--reductions <= 0))
        goto yield;
    if (unlikely(f == NULL || f->arity != count))
        goto call_value_slow;
    RESERVE_FRAME(f);
    callee = r[B];
    PUSH_FRAME(f, list, count, pc + 1 + list_words(count));
    if (f->captures > 0)
        r[count] = callee;
    DISPATCH();
}
call_value_slow: {
    unsigned count = C;
    const uint16_t *list = (const uint16_t *)(pc + 1);

    SAVE();
    tail = false;
    entered = vm_call_any(ctx, r[B], (struct vm_arguments){ list, count }, false,
                          vm_return_word(pc + 1 + list_words(count), A), &result);
    goto after_call;
}
op_CALL_NATIVE:
    if (unlikely(--reductions <= 0))
        goto yield;
    native = (const struct vm_native *)(uintptr_t)W1;
run_native: {
    const uint16_t *list = (const uint16_t *)(pc + 2);
    unsigned count = C;

    for (unsigned i = 0; i < count; i++)
        ctx->args[i] = r[list[i]];
    ctx->arg_count = count;
    SAVE();
    result = VM_UNIT;
    status = native->function(ctx, ctx->args, &result);
    ctx->arg_count = 0;
    if (likely(status == VM_OK)) {
        MOVED();
        r[A] = result;
        NEXT(2u + list_words(count));
    }
    goto native_not_ok;
}
op_CALL_METHOD: {
    const uint16_t *list = (const uint16_t *)(pc + 2);
    unsigned count = C;
    vm_value target = vm_dispatch_again((const struct vm_site *)(uintptr_t)W1, r[list[0]]);

    if (unlikely(--reductions <= 0))
        goto yield;
    if (likely(target != VM_NONE)) {
        const struct vm_function *f = (const struct vm_function *)vm_object(target);

        if (vm_kind(target) == VM_KIND_FUNCTION && f->arity == count) {
            RESERVE_FRAME(f);
            PUSH_FRAME(f, list, count, pc + 2 + list_words(count));
            DISPATCH();
        }
        native = (const struct vm_native *)vm_object(target);
        if (vm_kind(target) == VM_KIND_NATIVE && native->arity == count)
            goto run_native;
    }
    SAVE();
    tail = false;
    entered = vm_call_method(ctx, (struct vm_site *)(uintptr_t)W1, (struct vm_arguments){ list, count }, false,
                             vm_return_word(pc + 2 + list_words(count), A), &result);
    goto after_call;
}
op_TAIL_CALL_VALUE: {
    vm_value callee = r[B];
    const struct vm_function *f = callable_function(callee);
    unsigned count = C;

    if (unlikely(--reductions <= 0))
        goto yield;
    if (likely(f != NULL && f->arity == count)) {
        RESERVE(VM_FRAME_WORDS + (size_t)f->registers + count);
        callee = r[B];
        r = replace_registers(r, f, (const uint16_t *)(pc + 1), count, heap->top);
        if (f->captures > 0)
            r[count] = callee;
        heap->fp = FP;
        pc = f->code;
        DISPATCH();
    }
    SAVE();
    tail = true;
    entered = vm_call_any(ctx, r[B], (struct vm_arguments){ (const uint16_t *)(pc + 1), C }, true, 0, &result);
    goto after_call;
}
op_TAIL_CALL_METHOD:
    if (unlikely(--reductions <= 0))
        goto yield;
    SAVE();
    tail = true;
    entered = vm_call_method(ctx, (struct vm_site *)(uintptr_t)W1, (struct vm_arguments){ (const uint16_t *)(pc + 2), C },
                             true, 0, &result);
    goto after_call;
op_RETURN:
    result = r[A];
    depth--;
    goto return_result;
op_RETURN_CONST:
    result = W1;
    depth--;
    goto return_result;
op_STUB_RETURN:
    result = r[A];
    p->handler = (uint32_t)vm_small(r[function_of(FP)->arity]);
    goto return_result;
op_STUB_RETURN_CONST:
    result = W1;
    p->handler = (uint32_t)vm_small(r[function_of(FP)->arity]);
    goto return_result;

return_result: {
    uint64_t return_word = FP[1];

    heap->fp = r + function_of(FP)->registers;
    r = heap->fp + VM_FRAME_WORDS;
    if (unlikely(return_word == 0)) {
        p->result = result;
        p->pc = NULL;
        ctx->reductions = reductions;
        return VM_STOP_END;
    }
    pc = VM_RETURN_PC(return_word);
    r[VM_RETURN_REGISTER(return_word)] = result;
    DISPATCH();
}

/* ---- exceptions ---- */

op_TRY: {
    vm_value *slots = &r[A];

    slots[0] = vm_from_small(p->handler);
    slots[1] = vm_from_small((int64_t)((uint64_t)depth << 32 | (uint32_t)(pc + D - function_of(FP)->code)));
    p->handler = (uint32_t)(heap->end - slots);
    NEXT(1);
}
op_END_TRY:
    p->handler = (uint32_t)vm_small(r[A]);
    NEXT(1);
op_THROW:
    SAVE();
    ctx->exception = r[A];
    goto raise_saved;
op_PUSH_STUB: {
    const struct vm_function *stub = (const struct vm_function *)(uintptr_t)W1;
    unsigned count = C;

    /* The turn of a loop: the very record this would make is already beneath (see call.c). */
    if (likely(stub->catches_all && count == 0 && FP[1] != 0 && r[function_of(FP)->registers] == W1)) {
        const vm_value *first = function_of(FP)->code, *turn = pc + 2;

        /* A call of itself whose first instruction would open again what is open still. */
        if (VM_OP_AT(turn) >= VM_OP_TAIL_SELF && VM_OP_AT(turn) <= VM_OP_TAIL_SELF_2 && VM_C_AT(turn) <= FEW &&
            VM_OP_AT(first) == VM_OP_TRY && VM_A_AT(first) == A && likely(reductions > 1)) {
            reductions--;
            pass_few(r, (const uint16_t *)(turn + 1), VM_C_AT(turn));
            pc = first + 1;
            DISPATCH();
        }
        p->handler = (uint32_t)vm_small(r[A]);
        NEXT(2);
    }
    SAVE();
    if (!vm_push_stub(ctx, stub, A, (const uint16_t *)(pc + 2), count))
        goto raise_saved;
    MOVED();
    NEXT(2u + list_words(count));
}
