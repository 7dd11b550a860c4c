/*
 * gc.c - the collector: what is live moves into a new block (Cheney 1970), without recursion and without marks.
 *
 *     old block and fragments ──▶ new block:  start … scan … top        free        copy of the stack … end
 *                                                 done │ moved, its fields not yet looked at
 *
 * Roots: the registers of all frames, ctx (arguments of the running native, exception, pending call, VM_ROOTs, spans),
 * the process's own values, and messages that a receive has looked at. An object that moved leaves its new address in
 * its header; headers have their lowest bit set, addresses have not.
 *
 * Sizes: the new block has room for everything old twice, as for all we know all of it lives; so a heap that fills
 * up with live data doubles. If it turns out that the block is more than four times what the process needs, only its
 * beginning is used, three times what lives: pages behind it that nobody writes to cost nothing. A small block may have
 * been somebody's before; there a second copy, now knowing how little there is, goes into a block of the right size.
 * The average over many collections is a block of about three times the live data, and half a word copied per word
 * allocated.
 *
 * Shared objects: each that the scan meets is noted with a reference of its own; then those that the heap held
 * before are given back. Should memory for the new notes be exhausted, the old ones stay: they still cover
 * everything reachable.
 */
#include "config.h"

#include "vm/heap.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "vm/code.h"
#include "vm/process.h"
#include "vm/references.h"
#include "vm/shared.h"

/* A block of more than this many times the wanted size is replaced by a smaller one. */
enum { SPARE_FACTOR = 2, COLLECTIONS_OF_A_NEWCOMER = 16, ROOM_PART = 16 };

/* A block of twice so many words comes fresh from the system: what is not written to costs nothing. */
enum { CUT_WORDS_MIN = NB_STRESS_OR(512, 2 << 20) };

struct collection {
    vm_value *top; /* where the next object goes */
    struct vm_references references;
    bool references_failed;
};

static void note_shared(struct collection *collection, vm_value shared)
{
    if (!collection->references_failed && !vm_references_add(&collection->references, shared))
        collection->references_failed = true;
}

/* Bring the object that a root or field refers to over, once, and let the place refer to it there. */
static inline void move(struct collection *collection, vm_value *place)
{
    vm_value value = *place, header;
    uint64_t words;

    if (!vm_is_object(value))
        return;
    header = vm_header(value);
    if ((header & 1) == 0) {
        *place = header;
        return;
    }
    if ((header & (VM_FLAG_SHARED | VM_FLAG_IMMORTAL)) != 0) {
        if ((header & VM_FLAG_SHARED) != 0)
            note_shared(collection, value);
        return;
    }
    words = vm_object_words(header);
    memcpy(collection->top, vm_object(value), words * sizeof(vm_value));
    *place = *vm_object(value) = vm_from_object(collection->top);
    collection->top += words;
}

static void move_all(struct collection *collection, vm_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        move(collection, &values[i]);
}

/* Cheney's scan: the objects between scan and top are the queue of what is still to be looked at. */
static void scan(struct collection *collection, vm_value *object)
{
    while (object < collection->top) {
        vm_value header = *object;
        uint64_t words = vm_object_words(header);

        switch ((enum vm_layout)vm_kind_layouts[vm_header_kind(header)]) {
        case VM_LAYOUT_VALUES:
        case VM_LAYOUT_PAIR:
            move_all(collection, object + 1, words - 1);
            break;
        case VM_LAYOUT_RAW1:
            move_all(collection, object + 2, words - 2);
            break;
        case VM_LAYOUT_WORDS:
        case VM_LAYOUT_BYTES:
            break;
        }
        object += words;
    }
}

static void move_frames(struct collection *collection, struct vm_heap *heap)
{
    vm_value *frame = heap->fp;

    while (frame < heap->end) {
        const struct vm_function *function = (const struct vm_function *)(uintptr_t)frame[0];

        move_all(collection, frame + VM_FRAME_WORDS, function->registers);
        frame += VM_FRAME_WORDS + function->registers;
    }
    nb_assert(frame == heap->end);
}

/* Messages are looked at in order of arrival, so the adopted ones come first. */
static void move_messages(struct collection *collection, struct vm_process *process)
{
    for (struct vm_message *message = process->queue; message != NULL && message->adopted; message = message->next)
        move(collection, &message->value);
}

static void move_roots(struct collection *collection, struct vm_ctx *ctx)
{
    struct vm_process *process = ctx->process;

    move_frames(collection, &process->heap);
    move(collection, &process->entry);
    move(collection, &process->result);
    move(collection, &process->exception);
    move(collection, &process->reactive);
    move_messages(collection, process);
    move_all(collection, ctx->args, ctx->arg_count);
    move(collection, &ctx->exception);
    move(collection, &ctx->call_function);
    move_all(collection, ctx->call_args, ctx->call_arg_count);
    for (unsigned i = 0; i < ctx->root_count; i++)
        move(collection, ctx->roots[i]);
    for (struct vm_span *span = ctx->spans; span != NULL; span = span->outer)
        move_all(collection, span->items, span->count);
}

/* Let the heap hold what the scan met instead of what it held before. */
static void replace_references(struct vm_heap *heap, struct vm_references *references)
{
    vm_value *former = heap->shared;
    uint32_t former_count = heap->shared_count;

    vm_references_take(references);
    heap->shared = references->items;
    heap->shared_count = references->count;
    heap->shared_capacity = references->capacity;
    references->items = NULL;
    for (uint32_t i = 0; i < former_count; i++)
        vm_shared_unref(former[i]);
    vm_heap_free_notes(heap, former);
}

static void count_shared_bytes(struct vm_heap *heap)
{
    heap->shared_bytes = 0;
    for (uint32_t i = 0; i < heap->shared_count; i++)
        heap->shared_bytes += vm_shared_bytes(heap->shared[i]) + sizeof(vm_value);
    heap->shared_limit = 2 * heap->shared_bytes;
    if (heap->limit_words != 0 && heap->shared_limit > heap->limit_words * sizeof(vm_value))
        heap->shared_limit = heap->limit_words * sizeof(vm_value);
    if (heap->shared_limit < heap->shared_bytes + VM_SHARED_BYTES_MIN)
        heap->shared_limit = heap->shared_bytes + VM_SHARED_BYTES_MIN;
}

static void drop_from_space(struct vm_heap *heap)
{
    vm_heap_free_block(heap, heap->start);
    while (heap->fragments != NULL) {
        struct vm_fragment *next = heap->fragments->next;

        nb_free(heap->fragments);
        heap->fragments = next;
    }
    heap->fragment_words = 0;
}

/* Copy what lives into `block`, which is large enough, and make it the heap's. */
static void copy_live(struct vm_ctx *ctx, vm_value *block, size_t block_words)
{
    struct vm_heap *heap = &ctx->process->heap;
    struct collection collection = { .top = block, .references = VM_REFERENCES_INIT };
    size_t stack_words = (size_t)(heap->end - heap->fp);

    move_roots(&collection, ctx);
    scan(&collection, block);
    nb_assert(collection.top <= block + block_words - stack_words);
    memcpy(block + block_words - stack_words, heap->fp, stack_words * sizeof *block);
    drop_from_space(heap);
    heap->start = block;
    heap->top = collection.top;
    heap->end = block + block_words;
    heap->fp = heap->end - stack_words;
    if (!collection.references_failed)
        replace_references(heap, &collection.references);
    vm_references_done(&collection.references);
    count_shared_bytes(heap);
}

/* Words that are enough even if everything lives. */
static size_t words_at_most(const struct vm_heap *heap, size_t request)
{
    return (size_t)(heap->top - heap->start) + heap->fragment_words + (size_t)(heap->end - heap->fp) + request;
}

/* A process that collects again and again with next to nothing alive, as an accept loop does, gets some room for it. */
static size_t words_least(const struct vm_heap *heap)
{
    return heap->collections < COLLECTIONS_OF_A_NEWCOMER ? VM_BLOCK_WORDS_MIN : 4 * VM_BLOCK_WORDS_MIN;
}

/* A comfortable size, within the limit if that is possible at all. */
static size_t words_wanted(const struct vm_heap *heap, size_t request)
{
    size_t enough = words_at_most(heap, request);
    size_t stack_words = (size_t)(heap->end - heap->fp);
    /* In proportion to all there is, the stack too: a deep recursion must not collect for every few frames. */
    size_t wanted = enough + (size_t)(heap->top - heap->start) + heap->fragment_words + stack_words / 2;

    if (wanted < words_least(heap))
        wanted = words_least(heap);
    if (heap->limit_words != 0 && wanted > heap->limit_words)
        wanted = enough > heap->limit_words ? enough : heap->limit_words;
    return wanted;
}

static vm_value *new_block(const struct vm_heap *heap, size_t request, size_t *ret_words)
{
    vm_value *block;

    *ret_words = words_wanted(heap, request);
    block = nb_alloc_block(*ret_words, sizeof *block);
    if (block == NULL) { /* a tighter one may still be had */
        *ret_words = words_at_most(heap, request);
        block = nb_alloc_block(*ret_words, sizeof *block);
    }
    return block;
}

/* Leave the end of the block unused: nothing points into the stack, so it can move down. */
static void cut(struct vm_heap *heap, size_t words)
{
    size_t stack_words = (size_t)(heap->end - heap->fp);

    memmove(heap->start + words - stack_words, heap->fp, stack_words * sizeof(vm_value));
    heap->end = heap->start + words;
    heap->fp = heap->end - stack_words;
}

/* After a copy we know what lives: if the block is far too large for it, use less of it, and where it is small enough
 * to have been written to before, copy once more. */
static void trim(struct vm_ctx *ctx, size_t request)
{
    struct vm_heap *heap = &ctx->process->heap;
    size_t words = words_wanted(heap, request);
    vm_value *block;

    if ((size_t)(heap->end - heap->start) <= SPARE_FACTOR * words)
        return;
    if (words >= CUT_WORDS_MIN) {
        cut(heap, words + words / 2);
        return;
    }
    block = nb_alloc_block(words, sizeof *block);
    if (block != NULL)
        copy_live(ctx, block, words);
}

/* A block for the case that everything lives may exceed the limit. */
static void keep_to_limit(struct vm_heap *heap)
{
    size_t limit = heap->limit_words;

    if (limit != 0 && (size_t)(heap->end - heap->start) > limit && words_at_most(heap, 0) <= limit)
        cut(heap, limit);
}

/* Whether the process may have that many words more. Shared objects that it alone keeps alive cost as much memory as
 * its own, so those it refers to count as well. */
static bool is_within_limit(const struct vm_heap *heap, size_t words)
{
    return heap->limit_words == 0 ||
           words_at_most(heap, words) + heap->shared_bytes / sizeof(vm_value) <= heap->limit_words;
}

/* Whether a collection into a block that was all the system would give has left room to go on. Without this, a process
 * that keeps what it makes would be given the few words it asks for, at the price of a collection, again and again. */
static bool has_room_to_go_on(const struct vm_heap *heap, size_t words)
{
    return vm_heap_has(heap, words + (size_t)(heap->top - heap->start) / ROOM_PART);
}

bool vm_heap_collect(struct vm_ctx *ctx, size_t words)
{
    struct vm_heap *heap = &ctx->process->heap;
    vm_value *block;
    size_t block_words;
    bool tight;
    uint64_t before = vm_heap_used_words(heap);

    if (words > SIZE_MAX / 64) /* so that no sum below overflows; nobody has that much */
        return false;
    if (heap->limit_words != 0 && words > heap->limit_words) /* whatever dies */
        return false;
    block = new_block(heap, words, &block_words);
    if (block == NULL && words > 0) /* perhaps enough dies to do with less */
        block = new_block(heap, 0, &block_words);
    if (block == NULL)
        return vm_heap_has(heap, words);
    tight = block_words < words_wanted(heap, words);
    copy_live(ctx, block, block_words);
    trim(ctx, words);
    keep_to_limit(heap);
    heap->collections++;
    heap->freed_words += before - vm_heap_used_words(heap);
    if (tight && !has_room_to_go_on(heap, words))
        return false;
    return vm_heap_has(heap, words) && is_within_limit(heap, words);
}
