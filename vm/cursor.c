/*
 * cursor.c - walking the parts of a value without recursion.
 */
#include "config.h"

#include "vm/cursor.h"

#include <string.h>

#include "base/alloc.h"

bool vm_cursor_init(struct vm_cursor *cursor, vm_value v)
{
    *cursor = (struct vm_cursor){ .value = v, .rest = VM_NIL };
    if (!vm_is_object(v))
        return false;
    switch (vm_kind(v)) {
    case VM_KIND_CONS:
    case VM_KIND_SLICE:
        cursor->is_list = true;
        cursor->rest = v;
        return true;
    case VM_KIND_TUPLE:
    case VM_KIND_DATA:
    case VM_KIND_RECORD_CELL:
        cursor->at = vm_object(v) + 1;
        cursor->end = cursor->at + vm_size(v);
        return cursor->at != cursor->end;
    case VM_KIND_MAP:
    case VM_KIND_SET:
        cursor->map = nb_alloc(sizeof *cursor->map);
        cursor->failed = cursor->map == NULL;
        if (cursor->failed)
            return false;
        vm_map_walk(cursor->map, v);
        return true;
    default:
        return false;
    }
}

static bool next_of_map(struct vm_cursor *cursor, vm_value *ret_part)
{
    if (cursor->pending != VM_NONE) {
        *ret_part = cursor->pending;
        cursor->pending = VM_NONE;
        return true;
    }
    return vm_map_next(cursor->map, ret_part, &cursor->pending);
}

bool vm_cursor_next(struct vm_cursor *cursor, vm_value *ret_part)
{
    struct vm_list_walk walk;
    bool found;

    if (cursor->map != NULL)
        return next_of_map(cursor, ret_part);
    if (cursor->at != cursor->end) {
        *ret_part = *cursor->at++;
        return true;
    }
    if (!cursor->is_list)
        return false;
    walk = (struct vm_list_walk){ cursor->rest, cursor->at, cursor->end };
    found = vm_list_next(&walk, ret_part);
    cursor->rest = walk.list;
    cursor->at = walk.at;
    cursor->end = walk.end;
    return found;
}

bool vm_cursor_has_next(const struct vm_cursor *cursor)
{
    return cursor->at != cursor->end || cursor->rest != VM_NIL;
}

void vm_cursor_done(struct vm_cursor *cursor)
{
    nb_free(cursor->map);
    cursor->map = NULL;
}

void vm_stack_init(struct vm_stack *stack, void *in_place, size_t capacity, size_t bytes)
{
    *stack = (struct vm_stack){ .items = in_place, .in_place = in_place, .capacity = capacity, .bytes = bytes };
}

static bool grow(struct vm_stack *stack)
{
    bool moved_out = stack->items != stack->in_place;
    unsigned char *items = nb_realloc_array(moved_out ? stack->items : NULL, stack->capacity * 2, stack->bytes);

    if (items == NULL)
        return false;
    if (!moved_out)
        memcpy(items, stack->items, stack->count * stack->bytes);
    stack->items = items;
    stack->capacity *= 2;
    return true;
}

void *vm_stack_push(struct vm_stack *stack)
{
    if (stack->count == stack->capacity && !grow(stack))
        return NULL;
    return stack->items + stack->count++ * stack->bytes;
}

void vm_stack_done(struct vm_stack *stack)
{
    if (stack->items != stack->in_place)
        nb_free(stack->items);
}
