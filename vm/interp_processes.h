/*
 * interp_processes.h - the instructions about processes, messages and shared variables. Part of vm_run() in interp.c,
 * which alone includes it.
 */

/* ---- processes ---- */

op_SPAWN:
    if (unlikely(callable_function(r[B]) == NULL)) {
        SAVE();
        (void)vm_raise_panic(ctx, "Spawn: expected function or closure");
        goto raise_saved;
    }
    SAVE();
    status = ctx->host->spawn(ctx, r[B], (enum vm_spawn)C, &result);
    goto finish_1;
op_SELF:
    r[A] = VM_IMMEDIATE(VM_SORT_PID, atomic_load_explicit(&p->pid, memory_order_relaxed));
    NEXT(1);
op_SEND:
    SAVE();
    if (unlikely(!vm_is_sort(r[A], VM_SORT_PID))) {
        (void)vm_raise_panic(ctx, "Send: expected Pid");
        goto raise_saved;
    }
    status = ctx->host->send(ctx, vm_payload(r[A]), r[B]);
    if (unlikely(status != VM_OK))
        goto not_ok;
    MOVED();
    NEXT(1);
op_RECEIVE:
    r[A + 1] = VM_UNIT;
    r[A + 2] = vm_from_small(0);
    NEXT(1);
op_RECEIVE_AFTER: {
    uint64_t deadline;

    if (unlikely(!vm_is_int(r[B]))) {
        SAVE();
        (void)vm_raise_type(ctx, "Int", r[B]);
        goto raise_saved;
    }
    deadline = vm_deadline_after(vm_int_of(r[B]));
    r[A + 1] = deadline <= VM_SMALL_MAX ? vm_from_small((int64_t)deadline) : VM_UNIT;
    r[A + 2] = vm_from_small(0);
    NEXT(1);
}
op_RECEIVE_NEXT: {
    struct vm_message *message = vm_mailbox_next(p, (uint64_t)vm_small(r[A + 2]));
    uint64_t deadline = vm_is_small(r[A + 1]) ? (uint64_t)vm_small(r[A + 1]) : UINT64_MAX;

    if (message != NULL) {
        r[A] = message->value;
        r[A + 2] = vm_from_small((int64_t)message->number);
        vm_process_wait_until(p, UINT64_MAX);
        NEXT(1);
    }
    if (deadline != UINT64_MAX && nb_clock_ns() >= deadline) {
        vm_process_wait_until(p, UINT64_MAX);
        JUMP_BY(D);
    }
    vm_process_wait_until(p, deadline);
    vm_process_wait_for(p, VM_WAIT_RECEIVE);
    goto park;
}
op_RECEIVE_TAKE:
    vm_mailbox_take(p, (uint64_t)vm_small(r[A + 2]));
    if (unlikely(vm_heap_is_overdue(heap))) { /* by adopted messages: a receiver need not allocate by itself */
        SAVE();
        if (!vm_heap_reserve(ctx, 0))
            goto no_memory;
        MOVED();
    }
    NEXT(1);
op_RECEIVE_SKIP:
    if (unlikely(--reductions <= 0)) {
        pc += D; /* the RECEIVE_NEXT: nothing is done twice */
        goto yield;
    }
    JUMP_BY(D);
op_MVAR_GET:
    SAVE();
    status = vm_mvar_get(ctx, (struct vm_mvar *)(uintptr_t)W1, &result);
    goto finish_2;
op_MVAR_LOCK:
    SAVE();
    status = vm_mvar_lock(ctx, (struct vm_mvar *)(uintptr_t)W1);
    goto finish_mvar;
op_MVAR_SET:
    SAVE();
    status = vm_mvar_set(ctx, (struct vm_mvar *)(uintptr_t)W1, r[A]);
    goto finish_mvar;
op_MVAR_UNLOCK:
    vm_mvar_unlock(ctx, (struct vm_mvar *)(uintptr_t)W1);
    NEXT(2);
