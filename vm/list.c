/*
 * list.c - cells, slices of arrays, and how one becomes the other.
 *
 * An ARRAY's words: the end of its used part, then its elements. A SLICE names its first element's index and its
 * length. Two things are done to objects that others may look at; neither changes what a list contains:
 *   - room behind the used part is filled by who appends to a slice that ends there, room in front of the first element
 *     by who flattens cells that lead to a slice which begins there. Unfilled room is VM_NONE, filled room is never
 *     refilled;
 *   - a cell of the own heap becomes a slice of the same elements (both are three words with the length in the header).
 * Shared and immortal objects are never touched: other threads read them.
 *
 * All functions take plain values, root them while they reserve memory, and fill without further allocation.
 */
#include "config.h"

#include "vm/list.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/stress.h"

enum {
    PAIR_WORDS = 3,
    ARRAY_HEAD = 2,                      /* header, end of the used part */
    WALK_MAX = NB_STRESS_OR(1, 8),       /* steps along cells before they are flattened */
    ROOM_MIN = NB_STRESS_OR(1, 4),
    ITEMS_PER_REDUCTION = 64
};
/* An array's size counts the word in front of its elements. */
#define CAPACITY_MAX ((uint64_t)VM_SIZE_MAX - 1)

/* ---- the parts of a slice ---- */

static uint32_t slice_offset(vm_value slice) { return (uint32_t)vm_small(vm_field(slice, 1)); }

static uint32_t array_capacity(vm_value array) { return vm_size(array) - 1; }

static uint32_t array_end(vm_value array) { return (uint32_t)vm_small(vm_field(array, 0)); }

static void set_array_end(vm_value array, uint32_t end) { vm_object(array)[1] = vm_from_small(end); }

static vm_value *array_items(vm_value array) { return vm_object(array) + ARRAY_HEAD; }

static bool is_slice(vm_value list) { return vm_is_kind(list, VM_KIND_SLICE); }

/* ---- taking reserved memory ---- */

static vm_value take_pair(struct vm_ctx *ctx, enum vm_kind kind, uint32_t length, vm_value first, vm_value second)
{
    vm_value *object = vm_heap_take(&ctx->process->heap, PAIR_WORDS);

    object[0] = VM_HEADER(kind, 0, 0, length);
    object[1] = first;
    object[2] = second;
    return vm_from_object(object);
}

static vm_value take_slice(struct vm_ctx *ctx, vm_value array, uint32_t offset, uint32_t length)
{
    return take_pair(ctx, VM_KIND_SLICE, length, array, vm_from_small(offset));
}

/* An array; its elements before `end` are to be filled in, those behind are VM_NONE. */
static vm_value take_array(struct vm_ctx *ctx, uint64_t capacity, uint64_t end)
{
    vm_value *object = vm_heap_take(&ctx->process->heap, ARRAY_HEAD + capacity);

    nb_assert(capacity <= CAPACITY_MAX && end <= capacity);
    object[0] = VM_HEADER(VM_KIND_ARRAY, 0, 0, capacity + 1);
    object[1] = vm_from_small((int64_t)end);
    for (uint64_t i = end; i < capacity; i++)
        object[ARRAY_HEAD + i] = VM_NONE;
    return vm_from_object(object);
}

/* Reserve memory while two C variables (the second may be NULL) are roots. */
static bool reserve(struct vm_ctx *ctx, uint64_t words, vm_value *keep, vm_value *keep_too)
{
    bool reserved;

    VM_ROOT(ctx, *keep);
    if (keep_too != NULL)
        VM_ROOT(ctx, *keep_too);
    reserved = vm_heap_reserve(ctx, words);
    if (keep_too != NULL)
        VM_UNROOT(ctx, *keep_too);
    VM_UNROOT(ctx, *keep);
    return reserved;
}

static uint64_t with_room(uint64_t count)
{
    uint64_t capacity = count + (count / 2 < ROOM_MIN ? ROOM_MIN : count / 2);

    return capacity > CAPACITY_MAX ? CAPACITY_MAX : capacity;
}

/* ---- walking ---- */

void vm_list_walk(struct vm_list_walk *walk, vm_value list)
{
    walk->list = list;
    walk->at = walk->end = NULL;
}

/* The list to go on with is a slice: look at its elements from now on. */
static void enter_slice(struct vm_list_walk *walk)
{
    walk->at = array_items(vm_field(walk->list, 0)) + slice_offset(walk->list);
    walk->end = walk->at + vm_size(walk->list);
    walk->list = VM_NIL;
}

bool vm_list_next(struct vm_list_walk *walk, vm_value *ret_item)
{
    if (walk->at == walk->end) {
        if (walk->list == VM_NIL)
            return false;
        if (vm_kind(walk->list) == VM_KIND_CONS) {
            *ret_item = vm_field(walk->list, 0);
            walk->list = vm_field(walk->list, 1);
            return true;
        }
        enter_slice(walk);
    }
    *ret_item = *walk->at++;
    return true;
}

/* Copy `count` elements of a list, the first ones, to `to`. */
static void copy_items(vm_value *to, vm_value list, uint32_t count)
{
    struct vm_list_walk walk;

    vm_list_walk(&walk, list);
    for (uint32_t i = 0; i < count; i++) {
        bool more = vm_list_next(&walk, &to[i]);

        nb_assert(more);
    }
}

/* The list behind its first `count` elements, which are cells or end inside of a slice: *ret_skip is how many elements
 * of the result still belong to those `count`. */
static vm_value skip_cells(vm_value list, uint32_t count, uint32_t *ret_skip)
{
    while (count > 0 && vm_kind(list) == VM_KIND_CONS) {
        list = vm_field(list, 1);
        count--;
    }
    *ret_skip = count;
    return list;
}

/* ---- small steps ---- */

vm_value vm_list_cons(struct vm_ctx *ctx, vm_value head, vm_value tail)
{
    uint32_t length = vm_list_length(tail);

    if (length >= CAPACITY_MAX || !reserve(ctx, PAIR_WORDS, &head, &tail))
        return VM_NONE;
    return take_pair(ctx, VM_KIND_CONS, length + 1, head, tail);
}

vm_value vm_list_tail(struct vm_ctx *ctx, vm_value list)
{
    if (vm_kind(list) == VM_KIND_CONS)
        return vm_field(list, 1);
    if (vm_size(list) == 1)
        return VM_NIL;
    if (!reserve(ctx, PAIR_WORDS, &list, NULL))
        return VM_NONE;
    return take_slice(ctx, vm_field(list, 0), slice_offset(list) + 1, vm_size(list) - 1);
}

/* ---- flattening ---- */

/* Turn the first `count` cells of a list into slices of `array`, whose elements from `offset` on are the list's. */
static void redirect_cells(vm_value list, uint32_t count, vm_value array, uint32_t offset)
{
    for (uint32_t i = 0; i < count; i++) {
        vm_value *cell = vm_object(list);

        list = cell[2];
        cell[0] = VM_HEADER(VM_KIND_SLICE, 0, 0, vm_header_size(cell[0]));
        cell[1] = array;
        cell[2] = vm_from_small(offset + i);
    }
}

/* How many cells of the own heap a list begins with; *ret_rest is what follows them. */
static uint32_t own_cells(vm_value list, vm_value *ret_rest)
{
    uint32_t count = 0;

    while (vm_is_kind(list, VM_KIND_CONS) && !vm_is_outside(list)) {
        list = vm_field(list, 1);
        count++;
    }
    *ret_rest = list;
    return count;
}

/* Move `count` cells into the room in front of the slice they lead to. False when there is none. */
static bool flatten_in_front(vm_value list, uint32_t count, vm_value rest)
{
    vm_value array;
    uint32_t offset;

    if (!is_slice(rest) || vm_is_outside(vm_field(rest, 0)) || slice_offset(rest) < count)
        return false;
    array = vm_field(rest, 0);
    offset = slice_offset(rest) - count;
    if (array_items(array)[slice_offset(rest) - 1] != VM_NONE)
        return false;
    copy_items(array_items(array) + offset, list, count);
    redirect_cells(list, count, array, offset);
    return true;
}

/* Make the cells that *list begins with slices of one array. Without memory for it, or when the cells are not ours,
 * they stay cells. May collect; *list is updated. */
static void flatten(struct vm_ctx *ctx, vm_value *list)
{
    uint32_t length = vm_list_length(*list);
    uint64_t capacity = with_room(length);
    vm_value rest, array;
    uint32_t count = own_cells(*list, &rest);
    uint32_t offset = (uint32_t)(capacity - length);

    if (count == 0 || flatten_in_front(*list, count, rest) || !reserve(ctx, ARRAY_HEAD + capacity, list, NULL))
        return;
    count = own_cells(*list, &rest); /* a collection may have moved, even changed them */
    if (count == 0)
        return;
    array = take_array(ctx, capacity, capacity);
    for (uint32_t i = 0; i < offset; i++)
        array_items(array)[i] = VM_NONE;
    copy_items(array_items(array) + offset, *list, length);
    redirect_cells(*list, count, array, offset);
}

vm_value vm_list_at(struct vm_ctx *ctx, vm_value list, uint32_t index)
{
    uint32_t skip;
    vm_value place;

    nb_assert(index < vm_list_length(list));
    place = skip_cells(list, index < WALK_MAX ? index : WALK_MAX, &skip);
    if (skip == 0 && index > WALK_MAX && vm_kind(place) == VM_KIND_CONS)
        flatten(ctx, &list);
    place = skip_cells(list, index, &skip);
    if (vm_kind(place) == VM_KIND_CONS)
        return vm_field(place, 0);
    return array_items(vm_field(place, 0))[slice_offset(place) + skip];
}

/* ---- appending ---- */

/* Whether `count` elements can be written behind a list in its own array. */
static bool can_append(vm_value list, uint64_t count)
{
    vm_value array;
    uint64_t end;

    if (!is_slice(list) || vm_is_outside(vm_field(list, 0)))
        return false;
    array = vm_field(list, 0);
    end = (uint64_t)slice_offset(list) + vm_size(list);
    return end == array_end(array) && end + count <= array_capacity(array);
}

/* The list that `count` more elements behind `list` make; they are to be filled in at *ret_items. Memory is
 * reserved. */
static vm_value append_in_place(struct vm_ctx *ctx, vm_value list, uint32_t count, vm_value **ret_items)
{
    vm_value array = vm_field(list, 0);
    uint32_t end = array_end(array);

    *ret_items = array_items(array) + end;
    set_array_end(array, end + count);
    return take_slice(ctx, array, slice_offset(list), vm_size(list) + count);
}

/* The same in a new array, with room for more. */
static vm_value append_copying(struct vm_ctx *ctx, vm_value list, uint32_t count, vm_value **ret_items)
{
    uint32_t length = vm_list_length(list);
    vm_value array = take_array(ctx, with_room((uint64_t)length + count), (uint64_t)length + count);

    ctx->reductions -= length / ITEMS_PER_REDUCTION;
    copy_items(array_items(array), list, length);
    *ret_items = array_items(array) + length;
    return take_slice(ctx, array, 0, length + count);
}

vm_value vm_list_push(struct vm_ctx *ctx, vm_value list, vm_value item)
{
    uint64_t length = vm_list_length(list);
    bool in_place = can_append(list, 1);
    vm_value *place, pushed;

    if (length >= CAPACITY_MAX)
        return VM_NONE;
    if (!reserve(ctx, PAIR_WORDS + (in_place ? 0 : ARRAY_HEAD + with_room(length + 1)), &list, &item))
        return VM_NONE;
    if (in_place && can_append(list, 1))
        pushed = append_in_place(ctx, list, 1, &place);
    else if (in_place && !vm_heap_has(&ctx->process->heap, PAIR_WORDS + ARRAY_HEAD + with_room(length + 1)))
        return vm_list_push(ctx, list, item); /* the collection took the room away */
    else
        pushed = append_copying(ctx, list, 1, &place);
    *place = item;
    return pushed;
}

/* Cells with the elements of `left` in front of `right`. */
static vm_value concat_cells(struct vm_ctx *ctx, vm_value left, vm_value right)
{
    uint32_t left_length = vm_list_length(left), length = left_length + vm_list_length(right);
    struct vm_list_walk walk;
    vm_value first = VM_NIL, item, *link = &first;

    if (!reserve(ctx, (uint64_t)PAIR_WORDS * left_length, &left, &right))
        return VM_NONE;
    ctx->reductions -= left_length / ITEMS_PER_REDUCTION;
    vm_list_walk(&walk, left);
    while (vm_list_next(&walk, &item)) {
        *link = take_pair(ctx, VM_KIND_CONS, length--, item, VM_NIL);
        link = vm_object(*link) + 2;
    }
    *link = right;
    return first;
}

vm_value vm_list_concat(struct vm_ctx *ctx, vm_value left, vm_value right)
{
    uint64_t left_length = vm_list_length(left), right_length = vm_list_length(right);
    uint64_t length = left_length + right_length;
    bool in_place;
    vm_value *place, joined;

    if (left_length == 0)
        return right;
    if (right_length == 0)
        return left;
    if (length > CAPACITY_MAX)
        return VM_NONE;
    in_place = can_append(left, right_length);
    if (!in_place && right_length / 2 > left_length)
        return concat_cells(ctx, left, right);
    if (!reserve(ctx, PAIR_WORDS + (in_place ? 0 : ARRAY_HEAD + with_room(length)), &left, &right))
        return VM_NONE;
    if (in_place && can_append(left, right_length))
        joined = append_in_place(ctx, left, (uint32_t)right_length, &place);
    else if (in_place && !vm_heap_has(&ctx->process->heap, PAIR_WORDS + ARRAY_HEAD + with_room(length)))
        return vm_list_concat(ctx, left, right);
    else
        joined = append_copying(ctx, left, (uint32_t)right_length, &place);
    ctx->reductions -= (int64_t)(right_length / ITEMS_PER_REDUCTION);
    copy_items(place, right, (uint32_t)right_length);
    return joined;
}

/* ---- copies ---- */

vm_value vm_list_set(struct vm_ctx *ctx, vm_value list, uint32_t index, vm_value item)
{
    uint32_t length = vm_list_length(list);
    vm_value array;

    nb_assert(index < length);
    if (!reserve(ctx, PAIR_WORDS + ARRAY_HEAD + (uint64_t)length, &list, &item))
        return VM_NONE;
    array = take_array(ctx, length, length);
    copy_items(array_items(array), list, length);
    array_items(array)[index] = item;
    return take_slice(ctx, array, 0, length);
}

vm_value vm_list_part(struct vm_ctx *ctx, vm_value list, uint32_t from, uint32_t count)
{
    uint32_t length = vm_list_length(list), skip;
    vm_value rest, array;

    nb_assert(from <= length && count <= length - from);
    if (count == 0)
        return VM_NIL;
    if (count == length)
        return list;
    rest = skip_cells(list, from, &skip);
    if (skip == 0 && from + count == length)
        return rest;
    if (is_slice(rest)) {
        if (!reserve(ctx, PAIR_WORDS, &rest, NULL))
            return VM_NONE;
        return take_slice(ctx, vm_field(rest, 0), slice_offset(rest) + skip, count);
    }
    if (!reserve(ctx, PAIR_WORDS + ARRAY_HEAD + (uint64_t)count, &rest, NULL))
        return VM_NONE;
    array = take_array(ctx, count, count);
    copy_items(array_items(array), rest, count);
    return take_slice(ctx, array, 0, count);
}

vm_value vm_list_make(struct vm_ctx *ctx, uint64_t count)
{
    vm_value array;

    if (count == 0)
        return VM_NIL;
    if (count > CAPACITY_MAX || !vm_heap_reserve(ctx, PAIR_WORDS + ARRAY_HEAD + count))
        return VM_NONE;
    array = take_array(ctx, (uint32_t)count, (uint32_t)count);
    for (uint64_t i = 0; i < count; i++)
        array_items(array)[i] = VM_UNIT;
    return take_slice(ctx, array, 0, (uint32_t)count);
}

vm_value vm_list_from(struct vm_ctx *ctx, const vm_value *items, uint32_t count)
{
    const struct vm_heap *heap = &ctx->process->heap;
    bool on_stack = items >= heap->fp && items < heap->end;
    ptrdiff_t below_end = on_stack ? heap->end - items : 0; /* the stack moves with its block */
    vm_value list = vm_list_make(ctx, count);

    if (list == VM_NONE || list == VM_NIL)
        return list;
    if (on_stack)
        items = heap->end - below_end;
    for (uint32_t i = 0; i < count; i++)
        vm_list_init_at(list, i, items[i]);
    return list;
}

size_t vm_list_immortal_bytes(uint32_t count)
{
    return (PAIR_WORDS + ARRAY_HEAD + (size_t)count) * sizeof(vm_value);
}

vm_value vm_list_immortal(void *memory, const vm_value *items, uint32_t count)
{
    vm_value *slice = memory, *array = slice + PAIR_WORDS;

    nb_assert(count > 0 && count <= CAPACITY_MAX);
    slice[0] = VM_HEADER(VM_KIND_SLICE, VM_FLAG_IMMORTAL, 0, count);
    slice[1] = vm_from_object(array);
    slice[2] = vm_from_small(0);
    array[0] = VM_HEADER(VM_KIND_ARRAY, VM_FLAG_IMMORTAL, 0, count + 1);
    array[1] = vm_from_small(count);
    memcpy(array + ARRAY_HEAD, items, count * sizeof *items);
    return vm_from_object(slice);
}

/* ---- builders: field 0 the slice so far or VM_NIL, field 1 the array; aux 1 once the slice was handed out ---- */

enum { BUILDER_WORDS = 3, BUILDER_CAPACITY = NB_STRESS_OR(1, 8) };

vm_value vm_builder_new(struct vm_ctx *ctx, uint32_t capacity)
{
    vm_value *object;
    vm_value array;

    if (capacity == 0)
        capacity = BUILDER_CAPACITY;
    if (capacity > CAPACITY_MAX || !vm_heap_reserve(ctx, BUILDER_WORDS + ARRAY_HEAD + (uint64_t)capacity))
        return VM_NONE;
    array = take_array(ctx, capacity, 0);
    object = vm_heap_take(&ctx->process->heap, BUILDER_WORDS);
    object[0] = VM_HEADER(VM_KIND_BUILDER, 0, 0, 2);
    object[1] = VM_NIL;
    object[2] = array;
    return vm_from_object(object);
}

/* Whether the builder's array can take one more behind what the builder has. Others may have appended to the list that
 * was handed out. */
static bool builder_has_room(vm_value builder)
{
    vm_value array = vm_field(builder, 1);
    uint32_t length = vm_list_length(vm_field(builder, 0));

    return length == array_end(array) && length < array_capacity(array);
}

/* The words a push may take: a new slice if the old one is known to others, a new array if this one is full. */
static uint64_t builder_needs(vm_value builder)
{
    uint64_t length = vm_list_length(vm_field(builder, 0));

    return PAIR_WORDS + (builder_has_room(builder) ? 0 : ARRAY_HEAD + with_room(length + 1));
}

static void builder_grow(struct vm_ctx *ctx, vm_value builder)
{
    vm_value list = vm_field(builder, 0);
    uint32_t length = vm_list_length(list);
    vm_value array = take_array(ctx, with_room((uint64_t)length + 1), length);

    copy_items(array_items(array), list, length);
    vm_object(builder)[2] = array;
    vm_object(builder)[0] |= VM_HEADER(0, 0, 1, 0); /* the slice shows the old array: make a new one */
}

/* Make sure that a push needs no further memory. *builder is a root already. */
static bool builder_reserve(struct vm_ctx *ctx, const vm_value *builder, vm_value *item)
{
    if (!nb_stress && vm_heap_has(&ctx->process->heap, builder_needs(*builder)))
        return true;
    do {
        if (!reserve(ctx, builder_needs(*builder), item, NULL))
            return false;
    } while (!vm_heap_has(&ctx->process->heap, builder_needs(*builder))); /* collections may give up an array's room */
    return true;
}

/* Into the room of the array, and the slice that nobody else has seen grows. */
static void builder_append(vm_value builder, uint32_t length, vm_value item)
{
    vm_value array = vm_field(builder, 1);

    array_items(array)[length] = item;
    set_array_end(array, length + 1);
    vm_object(vm_field(builder, 0))[0] = VM_HEADER(VM_KIND_SLICE, 0, 0, length + 1);
}

bool vm_builder_push(struct vm_ctx *ctx, vm_value *builder, vm_value item)
{
    uint32_t length = vm_list_length(vm_field(*builder, 0));
    vm_value array;

    if (vm_builder_put_at_once(*builder, item))
        return true;
    if (length >= CAPACITY_MAX || !builder_reserve(ctx, builder, &item))
        return false;
    if (!builder_has_room(*builder))
        builder_grow(ctx, *builder);
    if (length > 0 && vm_aux(*builder) == 0) {
        builder_append(*builder, length, item);
        return true;
    }
    array = vm_field(*builder, 1);
    array_items(array)[length] = item;
    set_array_end(array, length + 1);
    vm_object(*builder)[1] = take_slice(ctx, array, 0, length + 1);
    vm_object(*builder)[0] = VM_HEADER(VM_KIND_BUILDER, 0, 0, 2);
    return true;
}

vm_value vm_builder_list(vm_value builder)
{
    vm_object(builder)[0] |= VM_HEADER(0, 0, 1, 0);
    return vm_field(builder, 0);
}
