/*
 * interp_values.h - the instructions that make values and take them apart. Part of vm_run() in interp.c, which alone
 * includes it.
 *
 * What an instruction needs is reserved before anything is taken from the heap; registers are read after that, as a
 * collection moves what they point to.
 */

/* ---- values ---- */

op_MOVE:
    r[A] = r[B];
    NEXT(1);
op_CONST:
    r[A] = W1;
    NEXT(2);
op_INT:
    r[A] = vm_from_small(D);
    NEXT(1);
op_CAPTURED:
    r[A] = vm_field(r[B], 1u + C);
    NEXT(1);
op_CELL: {
    vm_value *cell;

    RESERVE(2);
    cell = vm_heap_take(heap, 2);
    cell[0] = VM_HEADER(VM_KIND_CELL, 0, 0, 1);
    cell[1] = r[B];
    r[A] = vm_from_object(cell);
    NEXT(1);
}
op_CELL_GET:
    r[A] = vm_field(r[B], 0);
    NEXT(1);
op_CELL_SET:
    vm_object(r[A])[1] = r[B];
    NEXT(1);
op_CLOSURE: {
    unsigned count = C;
    const uint16_t *list = (const uint16_t *)(pc + 2);
    vm_value *closure;

    RESERVE(2u + count);
    closure = vm_heap_take(heap, 2u + count);
    closure[0] = VM_HEADER(VM_KIND_CLOSURE, 0, 0, 1u + count);
    closure[1] = W1;
    for (unsigned i = 0; i < count; i++)
        closure[2 + i] = r[list[i]];
    r[A] = vm_from_object(closure);
    NEXT(2u + list_words(count));
}
op_CLOSURE_SET:
    vm_object(r[A])[2u + C] = r[B];
    NEXT(1);
op_TUPLE: {
    unsigned count = C;
    const uint16_t *list = (const uint16_t *)(pc + 1);
    vm_value *tuple;

    RESERVE(1u + count);
    tuple = vm_heap_take(heap, 1u + count);
    tuple[0] = VM_HEADER(VM_KIND_TUPLE, 0, 0, count);
    for (unsigned i = 0; i < count; i++)
        tuple[1 + i] = r[list[i]];
    r[A] = vm_from_object(tuple);
    NEXT(1u + list_words(count));
}
op_DATA: {
    unsigned count = C;
    const uint16_t *list = (const uint16_t *)(pc + 2);
    vm_value *data, header = vm_data_header((uint32_t)W1, count);

    if (unlikely(vm_header_kind(header) == VM_KIND_REACTIVE)) {
        SAVE();
        status = vm_reactive_new(ctx, vm_constructor((uint32_t)W1), r, list, &result);
        if (unlikely(status != VM_OK))
            goto not_ok;
        MOVED();
        r[A] = result;
        NEXT(2u + list_words(count));
    }
    RESERVE(1u + count);
    data = vm_heap_take(heap, 1u + count);
    data[0] = header;
    for (unsigned i = 0; i < count; i++)
        data[1 + i] = r[list[i]];
    r[A] = vm_from_object(data);
    NEXT(2u + list_words(count));
}
op_LIST: {
    unsigned count = C;
    const uint16_t *list = (const uint16_t *)(pc + 1);
    vm_value *array;

    RESERVE(5u + count); /* the ARRAY with its count, then the SLICE */
    array = vm_heap_take(heap, 5u + count);
    array[0] = VM_HEADER(VM_KIND_ARRAY, 0, 0, 1u + count);
    array[1] = vm_from_small(count);
    for (unsigned i = 0; i < count; i++)
        array[2 + i] = r[list[i]];
    array[2 + count] = VM_HEADER(VM_KIND_SLICE, 0, 0, count);
    array[3 + count] = vm_from_object(array);
    array[4 + count] = vm_from_small(0);
    r[A] = count == 0 ? VM_NIL : vm_from_object(array + 2 + count);
    NEXT(1u + list_words(count));
}
op_CONS: {
    vm_value tail_list = r[C], *cell;

    if (unlikely(!vm_is_list(tail_list) || vm_list_length(tail_list) == VM_SIZE_MAX)) {
        SAVE();
        (void)vm_raise_type(ctx, "List", tail_list);
        goto raise_saved;
    }
    RESERVE(3);
    cell = vm_heap_take(heap, 3);
    cell[0] = VM_HEADER(VM_KIND_CONS, 0, 0, vm_list_length(r[C]) + 1);
    cell[1] = r[B];
    cell[2] = r[C];
    r[A] = vm_from_object(cell);
    NEXT(1);
}
op_RANGE:
    SAVE();
    status = vm_op_range(ctx, r[B], r[C], &result);
    goto finish_1;
op_MAP:
    SAVE();
    status = vm_op_map(ctx, (const uint16_t *)(pc + 1), C, &result);
    goto finish_list;
op_SET:
    SAVE();
    status = vm_op_set(ctx, (const uint16_t *)(pc + 1), C, &result);
    goto finish_list;
op_SHOW:
    if (vm_is_string(r[B])) {
        r[A] = r[B];
        NEXT(1);
    }
    SAVE();
    status = vm_op_show(ctx, r[B], &result);
    goto finish_1;
op_JOIN:
    SAVE();
    status = vm_op_join(ctx, (const uint16_t *)(pc + 1), C, &result);
    goto finish_list;

/* ---- parts of values ---- */

op_FIELD: {
    vm_value object = r[B];
    uint64_t cache = __atomic_load_n(&pc[2], __ATOMIC_RELAXED);

    if (likely(vm_is_object(object) && vm_is_data(object) && vm_aux(object) == (uint32_t)cache && cache != 0)) {
        r[A] = vm_field(object, (unsigned)(cache >> 32));
        NEXT(3);
    }
    SAVE();
    status = vm_op_field(ctx, object, (uint32_t)W1, (uint64_t *)(uintptr_t)&pc[2], &result);
    goto finish_3;
}
op_SET_FIELD:
    SAVE();
    status = vm_op_set_field(ctx, r[A], (uint32_t)W1, r[B]);
    if (unlikely(status != VM_OK)) /* a call delivers what r[A] is already */
        goto not_ok;
    MOVED();
    NEXT(3);
op_COMPONENT: {
    vm_value object = r[B];

    if (likely(vm_is_kind(object, VM_KIND_TUPLE) && C < vm_size(object))) {
        r[A] = vm_field(object, C);
        NEXT(1);
    }
    SAVE();
    status = vm_op_component(ctx, object, C, &result);
    goto finish_1;
}
op_AT:
    r[A] = vm_field(r[B], C);
    NEXT(1);
op_HEAD:
    r[A] = vm_list_head(r[B]);
    NEXT(1);
op_TAIL: {
    vm_value list = r[B], *slice;
    uint32_t length = vm_size(list);

    if (vm_kind(list) == VM_KIND_CONS) {
        r[A] = vm_field(list, 1);
        NEXT(1);
    }
    if (length == 1) {
        r[A] = VM_NIL;
        NEXT(1);
    }
    RESERVE(3);
    list = r[B];
    slice = vm_heap_take(heap, 3);
    slice[0] = VM_HEADER(VM_KIND_SLICE, 0, 0, length - 1);
    slice[1] = vm_field(list, 0);
    slice[2] = vm_field(list, 1) + 2; /* offset + 1 */
    r[A] = vm_from_object(slice);
    NEXT(1);
}
op_LIST_AT:
    SAVE();
    result = vm_list_at(ctx, r[B], C);
    goto finish_value_1;
op_DROP: {
    vm_value list = r[B];

    SAVE();
    result = vm_list_part(ctx, list, C, vm_list_length(list) - C);
    goto finish_value_1;
}
op_INDEX: {
    vm_value list = r[B], index = r[C];

    if (likely(vm_is_small(index) && vm_is_kind(list, VM_KIND_SLICE) && (uint64_t)vm_small(index) < vm_size(list))) {
        r[A] = vm_object(vm_field(list, 0))[2 + vm_small(vm_field(list, 1)) + vm_small(index)];
        NEXT(1);
    }
    SAVE();
    status = vm_op_index(ctx, list, index, &result);
    goto finish_1;
}
op_SET_INDEX:
    SAVE();
    status = vm_op_set_index(ctx, r[B], r[C], r[W1], &result);
    goto finish_2;
op_UPDATE: {
    const uint32_t *names = (const uint32_t *)(uintptr_t)W2, *positions = names + C;
    const uint16_t *list = (const uint16_t *)(pc + 3);
    unsigned count = C;

    if (likely(vm_is_kind(r[B], VM_KIND_DATA) && vm_aux(r[B]) == (uint32_t)W1)) {
        unsigned size = vm_size(r[B]);
        vm_value *copy;

        RESERVE(1u + size);
        copy = vm_heap_take(heap, 1u + size);
        copy[0] = VM_HEADER(VM_KIND_DATA, 0, (uint32_t)W1, size);
        for (unsigned i = 0; i < size; i++) {
            copy[1 + i] = vm_field(r[B], i);
            KEEP_LOOP();
        }
        for (unsigned i = 0; i < count; i++)
            copy[1 + positions[i]] = r[list[i]];
        r[A] = vm_from_object(copy);
        NEXT(3u + list_words(count));
    }
    SAVE();
    status = vm_op_update(ctx, r[B], (uint32_t)W1, names, list, count, &result);
    if (unlikely(status != VM_OK))
        goto not_ok;
    MOVED();
    r[A] = result;
    NEXT(3u + list_words(count));
}
