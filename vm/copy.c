/*
 * copy.c - copying values out of a heap: into a fragment, into another heap, or into shared objects.
 *
 * Three phases, none of them recursive (copy_find.c, copy_write.c):
 *
 *   find    Each object that has to be copied gets an entry in the log; the log is also the queue of what is still
 *           to be looked at. An object that has its entry carries a mark in place of its header: that keeps sharing
 *           (a value of n objects costs n entries, whatever the number of paths to them) and ends cycles.
 *   place   Now the size is known: each entry gets its place, in one run of words or in a shared object of its own.
 *   fill    Fields are written; marks in the source lead to the places.
 *
 * Afterwards the log restores the headers. Shared and immortal objects are never written to. A capsule's content
 * (vm_share()) is read by several threads at once, so there the marks stand in a hash table aside ("frozen").
 *
 * Lists get compact on the way:
 *   - A chain of cells that ends in [] becomes a SLICE of a new ARRAY (entry CHAIN). If it ends in a slice no longer
 *     than the chain, that is copied into the array as well: at most as much again. Another reference to a cell
 *     inside of the chain becomes a SLICE of the same array (entry TAIL). Other chains stay cells.
 *   - Of an ARRAY only the used part goes along. A slice of a part of it takes just that part (entry PART), until
 *     the parts taken so far are as long as the array: then the whole array is copied once, for all further slices.
 * Small values without lists to compact do not come this way: smallcopy.h.
 * So lists never take more than three times their words, and lists that are split up and sent around stay small.
 */
#include "config.h"

#include "vm/copy_private.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "vm/shared.h"
#include "vm/smallcopy.h"

/* ---- begin and end ---- */

static void restore_cells(const struct vm_copy_entry *chain)
{
    uint32_t length = vm_header_size(chain->header);
    vm_value *cell = chain->object;

    for (uint32_t i = 0; i < chain->link; i++) {
        cell[0] = vm_copy_cell_header(length - i);
        cell = vm_object(cell[2]);
    }
}

static void undo_marks(const struct vm_copier *copier)
{
    if (copier->frozen)
        return;
    for (size_t i = 0; i < copier->count; i++) {
        const struct vm_copy_entry *entry = &copier->log[i];

        if (entry->form == VM_FORM_CHAIN)
            restore_cells(entry);
        else
            *entry->object = entry->header;
    }
}

static void start(struct vm_copier *copier, bool sharing, bool frozen)
{
    memset(copier, 0, offsetof(struct vm_copier, first));
    copier->log = copier->first;
    copier->capacity = VM_COPY_FIRST;
    copier->result = VM_COPY_OK;
    copier->sharing = sharing;
    copier->frozen = frozen;
}

/* The source is as before; returns how it went. */
static enum vm_copy_result finish(struct vm_copier *copier)
{
    undo_marks(copier);
    vm_references_done(&copier->references);
    nb_free(copier->marks);
    if (copier->log != copier->first)
        nb_free(copier->log);
    return copier->result;
}

/* ---- into memory of one run ---- */

/* The value inside of a capsule; any other value is itself. */
static vm_value opened(vm_value value)
{
    return vm_shared_is_mutable(value) ? vm_field(value, 0) : value;
}

static struct vm_fragment *new_fragment(struct vm_copier *copier)
{
    struct vm_fragment *fragment = NULL;

    if (copier->words <= UINT32_MAX)
        fragment = nb_alloc(sizeof *fragment + copier->words * sizeof(vm_value));
    if (fragment == NULL) {
        (void)vm_copier_fail(copier, VM_COPY_NOMEM);
        return NULL;
    }
    vm_references_take(&copier->references);
    fragment->next = NULL;
    fragment->words = (uint32_t)copier->words;
    fragment->shared_count = copier->references.count;
    fragment->shared = copier->references.items;
    copier->references.items = NULL;
    return fragment;
}

/* Place and fill cannot fail in a run of words. */
static vm_value write_copy(struct vm_copier *copier, vm_value root, vm_value *run)
{
    bool placed = vm_copier_place(copier, run);

    nb_assert(placed);
    vm_copier_fill(copier);
    return vm_copier_copy_of(copier, root);
}

/* The same of a small copy, which was made at `from`. NULL without memory. */
static struct vm_fragment *new_small_fragment(struct vm_small_copy *copy, const vm_value *from)
{
    struct vm_fragment *fragment = nb_alloc(sizeof *fragment + copy->words * sizeof(vm_value));
    vm_value *shared = NULL;

    if (fragment != NULL && copy->shared_count > 0) {
        shared = nb_alloc_array(copy->shared_count, sizeof *shared);
        if (shared == NULL) {
            nb_free(fragment);
            return NULL;
        }
    }
    if (fragment == NULL)
        return NULL;
    for (unsigned i = 0; i < copy->shared_count; i++) {
        shared[i] = copy->shared[i];
        vm_shared_ref(shared[i]);
    }
    fragment->next = NULL;
    fragment->words = (uint32_t)copy->words;
    fragment->shared_count = copy->shared_count;
    fragment->shared = shared;
    memcpy(fragment->objects, from, copy->words * sizeof *from);
    vm_small_copy_moved(copy, from, fragment->objects);
    return fragment;
}

enum vm_copy_result vm_copy_to_fragment(vm_value value, vm_value *ret_copy, struct vm_fragment **ret_fragment)
{
    struct vm_copier copier;
    struct vm_fragment *fragment = NULL;
    struct vm_small_copy small;
    vm_value root = opened(value), words[VM_SMALL_WORDS];

    *ret_copy = root;
    *ret_fragment = NULL;
    if (!vm_is_object(root) || vm_is_outside(root))
        return VM_COPY_OK;
    if (root == value && vm_small_copy(root, words, VM_SMALL_WORDS, &small)) {
        *ret_fragment = new_small_fragment(&small, words);
        *ret_copy = small.root;
        return *ret_fragment == NULL ? VM_COPY_NOMEM : VM_COPY_OK;
    }
    start(&copier, false, root != value);
    if (vm_copier_find(&copier, root))
        fragment = new_fragment(&copier);
    if (fragment != NULL) {
        *ret_copy = write_copy(&copier, root, fragment->objects);
        *ret_fragment = fragment;
    }
    return finish(&copier);
}

static void note_references(const struct vm_copier *copier, struct vm_heap *heap)
{
    vm_references_take(&copier->references);
    for (uint32_t i = 0; i < copier->references.count; i++)
        vm_heap_add_shared(heap, copier->references.items[i]);
}

/* Into its free room, leaving as much again for the stack; else as a fragment. False: it has to go the long way. */
static bool copy_small_to_heap(vm_value root, struct vm_heap *heap, vm_value *ret_copy)
{
    struct vm_small_copy small;
    vm_value words[VM_SMALL_WORDS];
    struct vm_fragment *fragment;

    if (vm_small_copy(root, heap->top, (size_t)(heap->fp - heap->top) / 2, &small)) {
        heap->top += small.words;
        for (unsigned i = 0; i < small.shared_count; i++) {
            vm_shared_ref(small.shared[i]);
            vm_heap_add_shared(heap, small.shared[i]);
        }
        *ret_copy = small.root;
        return true;
    }
    if (!vm_small_copy(root, words, VM_SMALL_WORDS, &small))
        return false;
    fragment = new_small_fragment(&small, words);
    if (fragment == NULL)
        return false;
    vm_heap_adopt(heap, fragment);
    *ret_copy = small.root;
    return true;
}

enum vm_copy_result vm_copy_to_heap(vm_value value, struct vm_heap *heap, vm_value *ret_copy)
{
    struct vm_copier copier;
    vm_value root = opened(value);

    *ret_copy = root;
    if (!vm_is_object(root))
        return VM_COPY_OK;
    if (root == value && copy_small_to_heap(root, heap, ret_copy))
        return VM_COPY_OK;
    start(&copier, false, root != value);
    if (vm_copier_find(&copier, root)) {
        if (vm_heap_has(heap, copier.words * 2)) { /* leaves as much again for the stack */
            note_references(&copier, heap);
            *ret_copy = write_copy(&copier, root, vm_heap_take(heap, copier.words));
        } else {
            struct vm_fragment *fragment = new_fragment(&copier);

            if (fragment != NULL)
                *ret_copy = write_copy(&copier, root, fragment->objects);
            vm_heap_adopt(heap, fragment);
        }
    }
    return finish(&copier);
}

/* ---- into shared objects ---- */

static void discard_places(const struct vm_copier *copier)
{
    for (size_t i = 0; i < copier->count; i++) {
        const struct vm_copy_entry *entry = &copier->log[i];

        if (entry->form == VM_FORM_PARTED || entry->place == NULL)
            continue;
        if (entry->form == VM_FORM_CHAIN || entry->form == VM_FORM_PART)
            vm_shared_discard(entry->place[1]);
        vm_shared_discard(vm_from_object(entry->place));
    }
}

/* Each new object was born with a reference; the root keeps it for the caller, all others have counted ones by
 *  now. */
static void drop_birth_references(const struct vm_copier *copier, vm_value root)
{
    for (size_t i = 0; i < copier->count; i++) {
        const struct vm_copy_entry *entry = &copier->log[i];

        if (entry->form != VM_FORM_PARTED && entry->place != vm_object(root))
            vm_shared_unref(vm_from_object(entry->place));
    }
}

static enum vm_copy_result share_parts(struct vm_copier *copier, vm_value value, vm_value *ret_shared)
{
    if (!vm_copier_place(copier, NULL)) {
        discard_places(copier);
        return finish(copier);
    }
    vm_copier_fill(copier);
    *ret_shared = vm_from_object(vm_copier_entry(copier, value)->place);
    drop_birth_references(copier, *ret_shared);
    return finish(copier);
}

static enum vm_copy_result share_capsule(vm_value value, vm_value *ret_shared)
{
    struct vm_fragment *fragment;
    vm_value copy, capsule;
    enum vm_copy_result result = vm_copy_to_fragment(value, &copy, &fragment);

    if (result != VM_COPY_OK)
        return result;
    capsule = vm_shared_new(VM_KIND_HANDLE, VM_FLAG_MUTABLE, 0, 2);
    if (capsule == VM_NONE) {
        vm_fragment_free(fragment);
        return VM_COPY_NOMEM;
    }
    vm_object(capsule)[1] = copy;
    vm_object(capsule)[2] = vm_from_object(fragment);
    *ret_shared = capsule;
    return VM_COPY_OK;
}

enum vm_copy_result vm_share(vm_value value, vm_value *ret_shared)
{
    struct vm_copier copier;

    if (!vm_is_object(value) || vm_is_outside(value)) {
        if (vm_is_shared(value))
            vm_shared_ref(value);
        *ret_shared = value;
        return VM_COPY_OK;
    }
    start(&copier, true, false);
    if (!vm_copier_find(&copier, value))
        return finish(&copier);
    if (copier.mutable_parts || (copier.closures && vm_copier_has_cycle(&copier))) {
        (void)finish(&copier);
        return share_capsule(value, ret_shared);
    }
    return share_parts(&copier, value, ret_shared);
}
