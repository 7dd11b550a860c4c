/*
 * vm_fixture.h - a process with a context to allocate in, for the tests of the VM's memory.
 *
 * One frame with REGISTERS registers lies on its stack: what is in them survives collections. Objects are made by
 * hand, so that these tests depend on the heap only.
 */
#ifndef TESTS_UNIT_VM_FIXTURE_H
#define TESTS_UNIT_VM_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "vm/code.h"
#include "vm/process.h"
#include "vm/program.h"
#include "vm/shared.h"

enum { REGISTERS = 8 };

struct fixture {
    struct vm_program *program;
    struct vm_function function;
    struct vm_process process;
    struct vm_ctx ctx;
};

static inline void fixture_push_frame(struct fixture *fixture, const struct vm_function *function)
{
    struct vm_heap *heap = &fixture->process.heap;

    heap->fp -= VM_FRAME_WORDS + function->registers;
    heap->fp[0] = vm_from_object(function);
    heap->fp[1] = 0;
    for (unsigned i = 0; i < function->registers; i++)
        heap->fp[VM_FRAME_WORDS + i] = VM_NONE;
}

static inline bool fixture_begin(struct fixture *fixture, uint64_t pid)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->program = vm_program_new("test");
    fixture->function.registers = REGISTERS;
    fixture->ctx.process = &fixture->process;
    if (!vm_process_init(&fixture->process, fixture->program, pid))
        return false;
    fixture_push_frame(fixture, &fixture->function);
    return true;
}

static inline void fixture_end(struct fixture *fixture)
{
    vm_process_done(&fixture->process);
    vm_heap_done(&fixture->process.heap);
    vm_program_unref(fixture->program);
}

/** Register of the current frame. */
static inline vm_value *reg(struct fixture *fixture, unsigned index)
{
    return &fixture->process.heap.fp[VM_FRAME_WORDS + index];
}

/** Set it. The value is computed first: computing it may move the frame. */
static inline void set_reg(struct fixture *fixture, unsigned index, vm_value value)
{
    *reg(fixture, index) = value;
}

/** A new object, its fields `()`; may collect. Aborts without memory. */
static inline vm_value make(struct fixture *fixture, enum vm_kind kind, uint32_t aux, uint32_t size)
{
    vm_value header = VM_HEADER(kind, 0, aux, size), *object;
    uint64_t words = vm_object_words(header);

    if (!vm_heap_reserve(&fixture->ctx, words))
        abort();
    object = vm_heap_take(&fixture->process.heap, words);
    object[0] = header;
    for (uint64_t i = 1; i < words; i++)
        object[i] = VM_UNIT;
    return vm_from_object(object);
}

static inline vm_value make_int64(struct fixture *fixture, int64_t n)
{
    vm_value v = make(fixture, VM_KIND_INT64, 0, 1);

    vm_object(v)[1] = (uint64_t)n;
    return v;
}

/* A new object whose first two fields are these; they need not be roots. */
static inline vm_value make_of_two(struct fixture *fixture, enum vm_kind kind, uint32_t size, vm_value a, vm_value b)
{
    vm_value v;

    VM_ROOT(&fixture->ctx, a);
    VM_ROOT(&fixture->ctx, b);
    v = make(fixture, kind, 0, size);
    VM_UNROOT(&fixture->ctx, b);
    VM_UNROOT(&fixture->ctx, a);
    vm_object(v)[1] = a;
    vm_object(v)[2] = b;
    return v;
}

static inline vm_value make_pair(struct fixture *fixture, vm_value first, vm_value second)
{
    return make_of_two(fixture, VM_KIND_TUPLE, 2, first, second);
}

static inline vm_value make_cons(struct fixture *fixture, vm_value head, vm_value tail)
{
    return make_of_two(fixture, VM_KIND_CONS, 1 + (tail == VM_NIL ? 0 : vm_size(tail)), head, tail);
}

/** [from, from + 1, …, to - 1] as cells in front of a list. */
static inline vm_value make_cells(struct fixture *fixture, int64_t from, int64_t to, vm_value rest)
{
    for (int64_t i = to; i-- > from;)
        rest = make_cons(fixture, vm_from_small(i), rest);
    return rest;
}

/** The same as a slice of an array with `room` words behind the elements. */
static inline vm_value make_slice(struct fixture *fixture, int64_t from, int64_t to, uint32_t room)
{
    uint32_t count = (uint32_t)(to - from);
    vm_value array, slice;

    if (!vm_heap_reserve(&fixture->ctx, 2 + count + room + 3))
        abort();
    array = vm_from_object(vm_heap_take(&fixture->process.heap, 2 + count + room));
    vm_object(array)[0] = VM_HEADER(VM_KIND_ARRAY, 0, 0, 1 + count + room);
    vm_object(array)[1] = vm_from_small(count);
    for (uint32_t i = 0; i < count + room; i++)
        vm_object(array)[2 + i] = i < count ? vm_from_small(from + i) : VM_NONE;
    slice = vm_from_object(vm_heap_take(&fixture->process.heap, 3));
    vm_object(slice)[0] = VM_HEADER(VM_KIND_SLICE, 0, 0, count);
    vm_object(slice)[1] = array;
    vm_object(slice)[2] = vm_from_small(0);
    return slice;
}

/** `count` elements from `from` on of the array of a slice. */
static inline vm_value make_part(struct fixture *fixture, vm_value slice, uint32_t from, uint32_t count)
{
    return make_of_two(fixture, VM_KIND_SLICE, count, vm_field(slice, 0), vm_from_small(from));
}

/** Whether a list is [from, from + 1, …, to - 1], walking cells and slices. */
static inline bool is_list_of(vm_value list, int64_t from, int64_t to)
{
    while (list != VM_NIL && vm_kind(list) == VM_KIND_CONS) {
        if (vm_size(list) != to - from || vm_field(list, 0) != vm_from_small(from++))
            return false;
        list = vm_field(list, 1);
    }
    if (list == VM_NIL)
        return from == to;
    if (vm_kind(list) != VM_KIND_SLICE || vm_size(list) != to - from)
        return false;
    for (uint32_t i = 0; i < vm_size(list); i++)
        if (vm_field(vm_field(list, 0), 1 + (unsigned)vm_small(vm_field(list, 1)) + i) != vm_from_small(from++))
            return false;
    return true;
}

#endif
