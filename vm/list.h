/*
 * list.h - the persistent list.
 *
 * One type, three forms: VM_NIL; CONS cells (head, tail) that know their length; SLICEs of an ARRAY (offset and
 * length). Costs:
 *   [h | t] match or prepend    O(1), three words
 *   length                      O(1)
 *   xs[i]                       O(1) in a slice. In a chain of cells up to a few steps are walked; a longer walk first
 *                               moves the cells into an array, in place (each cell becomes a SLICE of the same
 *                               elements). Cells in front of a slice go into the room in front of it; where there is
 *                               none, a new array of one and a half times the size gets the whole list. So any mixture
 *                               of prepending and indexing is O(1) amortised
 *   push, xs ++ ys              O(length of ys) amortised when xs ends where its array's used part ends and nobody has
 *                               appended to it before. Else O(length of xs) when xs is much shorter than ys (cells in
 *                               front of ys), or a copy of both with room
 *   set, insert in the middle   O(n)
 *   map, filter, …              build arrays: one word per element
 * Lists that are copied (messages, mvars) become slices where that costs nothing. Only cells and arrays of the
 * process's own heap are ever changed; chains of shared or immortal cells are walked.
 */
#ifndef VM_LIST_H
#define VM_LIST_H

#include "vm/process.h"

static inline bool vm_is_list(vm_value v)
{
    return v == VM_NIL || (vm_is_object(v) && (vm_kind(v) == VM_KIND_CONS || vm_kind(v) == VM_KIND_SLICE));
}
static inline uint32_t vm_list_length(vm_value list) { return list == VM_NIL ? 0 : vm_size(list); }
/** First element of a list that is not empty. Never allocates. */
static inline vm_value vm_list_head(vm_value list)
{
    if (vm_kind(list) == VM_KIND_CONS)
        return vm_field(list, 0);
    return vm_field(vm_field(list, 0), 1 + (unsigned)vm_small(vm_field(list, 1)));
}
/** All but the first. May allocate 3 words. VM_NONE when memory is exhausted. */
vm_value vm_list_tail(struct vm_ctx *ctx, vm_value list);
vm_value vm_list_cons(struct vm_ctx *ctx, vm_value head, vm_value tail);
/** Element at index < length. May rearrange and allocate, but does not fail. */
vm_value vm_list_at(struct vm_ctx *ctx, vm_value list, uint32_t index);
vm_value vm_list_push(struct vm_ctx *ctx, vm_value list, vm_value item);
vm_value vm_list_concat(struct vm_ctx *ctx, vm_value left, vm_value right);
vm_value vm_list_set(struct vm_ctx *ctx, vm_value list, uint32_t index, vm_value item); /* index < length */
/** Elements [from, from + count). O(1) for slices, O(from) for cells. */
vm_value vm_list_part(struct vm_ctx *ctx, vm_value list, uint32_t from, uint32_t count);
/** From C values that are roots (ctx->args, registers of the running process) or immediates. */
vm_value vm_list_from(struct vm_ctx *ctx, const vm_value *items, uint32_t count);

/** Walk without allocating:  struct vm_list_walk w; for (vm_list_walk(&w, list); vm_list_next(&w, &item);) …
 *  Valid until the next allocation. */
struct vm_list_walk { vm_value list; const vm_value *at, *end; };
void vm_list_walk(struct vm_list_walk *walk, vm_value list);
bool vm_list_next(struct vm_list_walk *walk, vm_value *ret_item);

/** An array that natives fill: vm_list_make() takes `count` words, all VM_UNIT (VM_NIL for 0; VM_NONE when memory is
 *  exhausted or no list is that long); write with vm_list_init_at(), before any allocation or at any time as long as
 *  nobody else has seen the list. */
vm_value vm_list_make(struct vm_ctx *ctx, uint64_t count);
static inline void vm_list_init_at(vm_value slice, uint64_t index, vm_value item)
{
    vm_object(vm_field(slice, 0))[2 + (uint64_t)vm_small(vm_field(slice, 1)) + index] = item;
}
/** What was written there. */
static inline vm_value vm_list_made_at(vm_value slice, uint64_t index)
{
    return vm_object(vm_field(slice, 0))[2 + (uint64_t)vm_small(vm_field(slice, 1)) + index];
}

/** A list that lives as long as its program, in memory of that many bytes; count is not 0, and the items are immediate
 *  or immortal. */
size_t vm_list_immortal_bytes(uint32_t count);
vm_value vm_list_immortal(void *memory, const vm_value *items, uint32_t count);

/* Growing lists of unknown length: a BUILDER object. Used by natives and by the library's loops. */
vm_value vm_builder_new(struct vm_ctx *ctx, uint32_t capacity); /* 0: no idea */
/** *builder must be a root. False: no memory. */
bool vm_builder_push(struct vm_ctx *ctx, vm_value *builder, vm_value item);
/** What it does in the usual case: into the room of the array, and the slice that nobody else has seen grows. False when
 *  it is another case; nothing has changed then. Never allocates. */
static inline bool vm_builder_put_at_once(vm_value builder, vm_value item)
{
    vm_value slice = vm_field(builder, 0), *array = vm_object(vm_field(builder, 1));
    uint64_t length;

    if (nb_stress || slice == VM_NIL || vm_aux(builder) != 0)
        return false;
    length = vm_size(slice);
    if (array[1] != vm_from_small((int64_t)length) || length + 1 >= vm_header_size(array[0]))
        return false;
    array[1] = vm_from_small((int64_t)length + 1);
    array[2 + length] = item;
    vm_object(slice)[0] = VM_HEADER(VM_KIND_SLICE, 0, 0, length + 1);
    return true;
}
vm_value vm_builder_list(vm_value builder); /* the list so far; the builder may go on */

#endif
