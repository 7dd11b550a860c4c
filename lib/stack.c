/*
 * stack.c - building values from the bottom up.
 */
#include "config.h"

#include "lib/stack.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "vm/list.h"
#include "vm/reactive.h"

enum { IN_PLACE = sizeof((struct lib_stack *)0)->in_place / sizeof(vm_value) };

void lib_stack_begin(struct vm_ctx *ctx, struct lib_stack *stack)
{
    stack->span = (struct vm_span){ stack->in_place, 0, ctx->spans };
    stack->capacity = IN_PLACE;
    ctx->spans = &stack->span;
}

void lib_stack_end(struct vm_ctx *ctx, struct lib_stack *stack)
{
    nb_assert(ctx->spans == &stack->span);
    ctx->spans = stack->span.outer;
    if (stack->span.items != stack->in_place)
        nb_free(stack->span.items);
}

static bool grow(struct lib_stack *stack)
{
    bool moved_out = stack->span.items != stack->in_place;
    vm_value *items = nb_realloc_array(moved_out ? stack->span.items : NULL, stack->capacity * 2, sizeof *items);

    if (items == NULL)
        return false;
    if (!moved_out)
        memcpy(items, stack->in_place, sizeof stack->in_place);
    stack->span.items = items;
    stack->capacity *= 2;
    return true;
}

bool lib_stack_push(struct lib_stack *stack, vm_value value)
{
    if (value == VM_NONE || (stack->span.count == stack->capacity && !grow(stack)))
        return false;
    stack->span.items[stack->span.count++] = value;
    return true;
}

/* The topmost entries, which leave the stack. */
static const vm_value *drop(struct lib_stack *stack, size_t count)
{
    nb_assert(count <= stack->span.count);
    stack->span.count -= count;
    return stack->span.items + stack->span.count;
}

bool lib_stack_list(struct vm_ctx *ctx, struct lib_stack *stack, uint32_t count)
{
    vm_value list;

    nb_assert(count <= stack->span.count);
    list = vm_list_from(ctx, stack->span.items + stack->span.count - count, count);
    drop(stack, count);
    return lib_stack_push(stack, list);
}

static bool make(struct vm_ctx *ctx, struct lib_stack *stack, vm_value header, unsigned count)
{
    vm_value *object;

    if (!vm_heap_reserve(ctx, 1 + (size_t)count))
        return false;
    object = vm_heap_take(&ctx->process->heap, 1 + (size_t)count);
    object[0] = header;
    memcpy(object + 1, drop(stack, count), count * sizeof *object);
    return lib_stack_push(stack, vm_from_object(object));
}

bool lib_stack_tuple(struct vm_ctx *ctx, struct lib_stack *stack, unsigned count)
{
    return make(ctx, stack, VM_HEADER(VM_KIND_TUPLE, 0, 0, count), count);
}

bool lib_stack_data(struct vm_ctx *ctx, struct lib_stack *stack, uint32_t constructor, unsigned count)
{
    enum vm_kind kind;

    if (count == 0)
        return lib_stack_push(stack, VM_IMMEDIATE(VM_SORT_CTOR, constructor));
    kind = vm_constructor(constructor)->mutable_fields ? VM_KIND_RECORD_CELL : VM_KIND_DATA;
    return make(ctx, stack, VM_HEADER(kind, 0, constructor, count), count);
}

enum vm_status lib_stack_construct(struct vm_ctx *ctx, struct lib_stack *stack,
                                   const struct vm_constructor *constructor)
{
    enum vm_status status;
    vm_value cell = VM_NONE;

    if (vm_is_reactive_form(constructor)) {
        status = vm_reactive_new(ctx, constructor, stack->span.items + stack->span.count - constructor->arity, NULL,
                                 &cell);
        drop(stack, constructor->arity);
        if (status != VM_OK)
            return status;
        return lib_stack_push(stack, cell) ? VM_OK : VM_NOMEM;
    }
    return lib_stack_data(ctx, stack, constructor->id, constructor->arity) ? VM_OK : VM_NOMEM;
}
