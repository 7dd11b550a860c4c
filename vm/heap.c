/*
 * heap.c - blocks, adopted fragments and the references that a heap holds. The collector is in gc.c.
 *
 * Most processes end before their first collection and never own a fragment or a shared object, so emptying a heap
 * for the next process touches nothing but the struct.
 */
#include "config.h"

#include "vm/heap.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/stress.h"
#include "vm/process.h"
#include "vm/shared.h"

enum { SHARED_FIRST = sizeof ((struct vm_heap *)0)->shared_first / sizeof(vm_value) };

/* All zeroes but what the struct came with. */
static void clear(struct vm_heap *heap)
{
    *heap = (struct vm_heap){ .home = heap->home };
}

/* Everything but the block. */
static void start_empty(struct vm_heap *heap, vm_value *start, size_t words)
{
    clear(heap);
    heap->start = heap->top = start;
    heap->fp = heap->end = start + words;
    heap->shared = heap->shared_first;
    heap->shared_capacity = SHARED_FIRST;
    heap->shared_limit = VM_SHARED_BYTES_MIN;
}

bool vm_heap_init(struct vm_heap *heap, size_t words)
{
    vm_value *start;

    if (words < VM_BLOCK_WORDS_MIN)
        words = VM_BLOCK_WORDS_MIN;
    start = words == VM_BLOCK_WORDS_MIN && heap->home != NULL ? heap->home : nb_alloc_block(words, sizeof *start);
    if (start == NULL) {
        clear(heap);
        return false;
    }
    start_empty(heap, start, words);
    return true;
}

/* The memory of fragments whose references went to the heap. */
static void free_fragments(struct vm_heap *heap)
{
    while (heap->fragments != NULL) {
        struct vm_fragment *next = heap->fragments->next;

        nb_free(heap->fragments);
        heap->fragments = next;
    }
}

void vm_heap_free_notes(const struct vm_heap *heap, vm_value *notes)
{
    if (notes != heap->shared_first)
        nb_free(notes);
}

static void drop_contents(struct vm_heap *heap)
{
    for (uint32_t i = 0; i < heap->shared_count; i++)
        vm_shared_unref(heap->shared[i]);
    vm_heap_free_notes(heap, heap->shared);
    free_fragments(heap);
}

void vm_heap_free_block(const struct vm_heap *heap, vm_value *block)
{
    if (block != heap->home)
        nb_free(block);
}

void vm_heap_done(struct vm_heap *heap)
{
    drop_contents(heap);
    vm_heap_free_block(heap, heap->start);
    clear(heap);
}

bool vm_heap_reset(struct vm_heap *heap)
{
    if (!vm_heap_is_in_first_block(heap)) {
        vm_heap_done(heap);
        return vm_heap_init(heap, VM_BLOCK_WORDS_MIN);
    }
    drop_contents(heap);
    start_empty(heap, heap->start, VM_BLOCK_WORDS_MIN);
    return true;
}

bool vm_heap_reserve(struct vm_ctx *ctx, size_t words)
{
    const struct vm_heap *heap = &ctx->process->heap;

    if (!nb_stress && vm_heap_has(heap, words) && !vm_heap_is_overdue(heap))
        return true;
    return vm_heap_collect(ctx, words);
}

static bool grow_shared(struct vm_heap *heap)
{
    uint32_t capacity = heap->shared_capacity * 2;
    vm_value *former = heap->shared == heap->shared_first ? NULL : heap->shared, *shared;

    if (heap->shared == NULL) {
        heap->shared = heap->shared_first;
        heap->shared_capacity = SHARED_FIRST;
        return true;
    }
    if (capacity <= heap->shared_capacity)
        return false;
    shared = nb_realloc_array(former, capacity, sizeof *shared);
    if (shared == NULL)
        return false;
    if (former == NULL)
        memcpy(shared, heap->shared, heap->shared_count * sizeof *shared);
    heap->shared = shared;
    heap->shared_capacity = capacity;
    return true;
}

bool vm_heap_has_shared_room(struct vm_heap *heap)
{
    return heap->shared_count < heap->shared_capacity || grow_shared(heap);
}

void vm_heap_add_shared(struct vm_heap *heap, vm_value shared)
{
    nb_assert(vm_is_shared(shared));
    /* A loop that reads one mvar again and again adds the same object each time. */
    if (heap->shared_count > 0 && heap->shared[heap->shared_count - 1] == shared) {
        vm_shared_unref(shared);
        return;
    }
    heap->shared_bytes += vm_shared_bytes(shared) + sizeof shared;
    if (!vm_heap_has_shared_room(heap))
        return; /* its reference is never given back, so the object stays */
    heap->shared[heap->shared_count++] = shared;
}

void vm_heap_adopt(struct vm_heap *heap, struct vm_fragment *fragment)
{
    if (fragment == NULL)
        return;
    for (uint32_t i = 0; i < fragment->shared_count; i++)
        vm_heap_add_shared(heap, fragment->shared[i]);
    nb_free(fragment->shared);
    fragment->shared = NULL;
    fragment->shared_count = 0;
    fragment->next = heap->fragments;
    heap->fragments = fragment;
    heap->fragment_words += fragment->words;
}

void vm_fragment_free(struct vm_fragment *fragment)
{
    if (fragment == NULL)
        return;
    for (uint32_t i = 0; i < fragment->shared_count; i++)
        vm_shared_unref(fragment->shared[i]);
    nb_free(fragment->shared);
    nb_free(fragment);
}
