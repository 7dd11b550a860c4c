/*
 * cursor.h - the parts of a value, one after the other; what equality, order, hash and printing walk with.
 *
 * Values may be nested as deep as a heap has room, so nothing that walks them recurses: a walker keeps a stack of
 * cursors (below) on the side. A cursor never allocates from a heap, and is valid until the next allocation of the
 * process.
 */
#ifndef VM_CURSOR_H
#define VM_CURSOR_H

#include <stddef.h>

#include "vm/list.h"
#include "vm/map.h"
#include "vm/object.h"

struct vm_cursor {
    vm_value value;              /* whose parts these are */
    bool is_list;
    const vm_value *at, *end;    /* fields of tuples and data; the elements of a list's current slice */
    vm_value rest;               /* lists: what follows */
    struct vm_map_walk *map;     /* maps and sets: owned; NULL for others */
    vm_value pending;            /* maps: the value of the key just given */
    bool failed;                 /* a map's parts cannot be given: no memory */
};

/** Start on the parts of a list, tuple, data, map or set; a map's are key, value, key, value … False: it has none or is
 *  of another kind, or memory is exhausted (`failed`). */
bool vm_cursor_init(struct vm_cursor *cursor, vm_value v);
/** The next part. False at the end. */
bool vm_cursor_next(struct vm_cursor *cursor, vm_value *ret_part);
/** Whether vm_cursor_next() would find one. Not for maps and sets. */
bool vm_cursor_has_next(const struct vm_cursor *cursor);
void vm_cursor_done(struct vm_cursor *cursor);

/* A stack of `bytes` each, first in place, then on the C heap. */
struct vm_stack {
    unsigned char *items;
    size_t count, capacity, bytes;
    unsigned char *in_place;
};
/** A stack of entries of `bytes` each; the first `capacity` are in `in_place`, the caller's, which must live as
 *  long. */
void vm_stack_init(struct vm_stack *stack, void *in_place, size_t capacity, size_t bytes);
/** Uninitialised; earlier results are invalid afterwards. NULL: no memory. */
void *vm_stack_push(struct vm_stack *stack);
static inline void *vm_stack_top(const struct vm_stack *stack)
{
    return stack->count == 0 ? NULL : stack->items + (stack->count - 1) * stack->bytes;
}
static inline void vm_stack_pop(struct vm_stack *stack) { stack->count--; }
void vm_stack_done(struct vm_stack *stack);

#endif
