/*
 * heap.h - the memory of one process: a block in which the heap grows up and the stack grows down.
 *
 *     start                 top                    fp                      end
 *       | objects ……………… → |        free          | ← frames (code.h)       |
 *
 * Allocation moves `top`. When the gap is used up, vm_heap_collect() copies what is live into a new block (Cheney's
 * algorithm, roots exact): any allocation may therefore move every object of the process. A pointer into the heap
 * is valid only until the next allocation; what must live across it is a root (a register of the stack, ctx->args,
 * VM_ROOT). Natives that know their size first call vm_heap_reserve() and then allocate without a collection in
 * between.
 *
 * Threads: a heap belongs to the thread that runs its process; nobody else touches it. The one exception is a
 * process that nobody runs yet (vm_process_new … first submit).
 */
#ifndef VM_HEAP_H
#define VM_HEAP_H

#include <stddef.h>

#include "base/stress.h"
#include "vm/object.h"

struct vm_ctx;
struct vm_process;

/** A message or another run of objects in memory of its own that a heap has adopted; the next collection copies
 *  what is live out of it and frees it. */
struct vm_fragment {
    struct vm_fragment *next;
    uint32_t words;        /* of objects[] in use */
    uint32_t shared_count; /* shared objects that objects[] point to, each holding one reference */
    vm_value *shared;      /* they; nb_alloc'ed, NULL when shared_count is 0 */
    vm_value objects[];
};

/* Points into itself: it cannot be copied. */
struct vm_heap {
    vm_value *start, *top;           /* objects between them */
    vm_value *fp;                    /* the current frame (code.h); == end when the stack is empty */
    vm_value *end;
    vm_value *home;                  /* VM_BLOCK_WORDS_MIN words that come with the struct, for a first block; or NULL */
    struct vm_fragment *fragments;   /* adopted */
    vm_value *shared;                /* shared objects this heap may point to: one reference each */
    vm_value shared_first[4];        /* where they are noted as long as they are few */
    uint32_t shared_count, shared_capacity;
    uint64_t shared_bytes;           /* their size, as noted since the last collection … */
    uint64_t shared_limit;           /* … and when to collect because of it */
    uint64_t limit_words;            /* most words of block and shared objects together; 0: no limit */
    uint64_t fragment_words;
    uint64_t freed_words;            /* by all collections */
    uint32_t collections;
};

enum {
    VM_BLOCK_WORDS_MIN = 240,     /* with its malloc header below 2 KiB */
    VM_FRAGMENT_WORDS_MAX = 1024, /* adopted beyond the size of the block before a collection is due */
    VM_SHARED_BYTES_MIN = NB_STRESS_OR(1024, 256 * 1024) /* of shared objects a heap refers to before one is due */
};

/** Words that objects take, garbage not yet collected included; shared objects aside. */
static inline uint64_t vm_heap_used_words(const struct vm_heap *heap)
{
    return (uint64_t)(heap->top - heap->start) + heap->fragment_words;
}

/** Prepare an empty heap with a block of at least `words` words. False when memory is exhausted. */
bool vm_heap_init(struct vm_heap *heap, size_t words);
/** Give everything back: block, fragments, references. All zeroes but `home` afterwards; fine for a heap of zeroes. */
void vm_heap_done(struct vm_heap *heap);
/** Give a block back, unless it is the one that comes with the struct. */
void vm_heap_free_block(const struct vm_heap *heap, vm_value *block);
/** The same for the notes of shared objects, which begin in the struct. */
void vm_heap_free_notes(const struct vm_heap *heap, vm_value *notes);
/** Whether the block is still the first one, which vm_heap_reset() keeps. */
static inline bool vm_heap_is_in_first_block(const struct vm_heap *heap)
{
    return heap->home != NULL ? heap->start == heap->home : heap->end - heap->start == VM_BLOCK_WORDS_MIN;
}
/** Empty the heap for the next process, keeping the block if it has the smallest size. Same result as done + init;
 *  false when there is no memory for a new block (the heap is then all zeroes). */
bool vm_heap_reset(struct vm_heap *heap);

/**
 * Make room for `words` words, collecting or growing if need be; afterwards that many can be taken with
 * vm_heap_take(). Returns false when the process may not have them (its limit, or memory is exhausted): the caller
 * raises ("Panic", "Out of memory") by returning VM_NOMEM. The heap is intact then. All heap pointers in C
 * variables are invalid afterwards (roots are updated).
 */
bool vm_heap_reserve(struct vm_ctx *ctx, size_t words);

/** Whether memory outside of the block (adopted fragments, shared objects) makes a collection worthwhile although
 *  the block has room. vm_heap_reserve() looks at it; instructions that adopt without allocating (RECEIVE_TAKE,
 *  MVAR_GET) call vm_heap_reserve(ctx, 0) so that garbage messages do not pile up. */
static inline bool vm_heap_is_overdue(const struct vm_heap *heap)
{
    return heap->fragment_words > VM_FRAGMENT_WORDS_MAX + (uint64_t)(heap->end - heap->start) ||
           heap->shared_bytes > heap->shared_limit;
}

/** Whether a reserve of that many would succeed without collecting, vm_heap_is_overdue() aside. */
static inline bool vm_heap_has(const struct vm_heap *heap, size_t words)
{
    return (size_t)(heap->fp - heap->top) >= words;
}
/** Take reserved words; never collects. */
static inline vm_value *vm_heap_take(struct vm_heap *heap, size_t words)
{
    vm_value *object = heap->top;

    heap->top += words;
    return object;
}

/** Collect now; afterwards at least `words` are free between heap and stack. See vm_heap_reserve(). Frames, the
 *  process's fields, ctx->args and VM_ROOTs are updated. Threads: the one that runs the process. */
bool vm_heap_collect(struct vm_ctx *ctx, size_t words);

/** Note that this heap now points to a shared object; takes over one reference. Never fails: should there be no
 *  memory for the note, the reference is kept for good. */
void vm_heap_add_shared(struct vm_heap *heap, vm_value shared);
/** Whether one more can be added; false when memory is exhausted. For who makes an object that nobody else holds. */
bool vm_heap_has_shared_room(struct vm_heap *heap);

/**
 * Copy a value with all it refers to, iteratively, however deep; cycles (cells, mutable records, closures) are
 * handled. Sharing inside the value is kept. Shared objects are not copied: the copy holds references to them,
 * immortal ones stay. Lists get compact: a chain of cells becomes one array, and of an array only what is used goes
 * along. Not copyable: BUFFER, BUILDER, HANDLE: VM_COPY_REFUSED (raise "Send: cannot convert message").
 *
 * As a fragment, for a message or the start of a process. *ret_copy is the value to deliver (an immediate, an
 * immortal or shared object, or a pointer into the fragment); *ret_fragment is NULL when the value needs none. If
 * *ret_copy itself is a shared object, no reference to it is counted: whoever keeps it takes one. Content of mvars
 * that has mutable parts (vm_shared_is_mutable()) is copied too. The source is unchanged afterwards, but not in
 * between. Threads: the one that owns the source.
 */
enum vm_copy_result { VM_COPY_OK, VM_COPY_REFUSED, VM_COPY_NOMEM };
enum vm_copy_result vm_copy_to_fragment(vm_value value, vm_value *ret_copy, struct vm_fragment **ret_fragment);
/** The same into another heap or, for mvar contents, into the reader's own: into its free room when it fits there
 *  easily, else as a fragment that the heap adopts. References are noted on that heap, that of *ret_copy included.
 *  Never collects. */
enum vm_copy_result vm_copy_to_heap(vm_value value, struct vm_heap *heap, vm_value *ret_copy);
void vm_fragment_free(struct vm_fragment *fragment); /* one never adopted; NULL is fine */
/** Make the fragment part of a heap; it will be freed by a collection. NULL is fine. */
void vm_heap_adopt(struct vm_heap *heap, struct vm_fragment *fragment);

/* A C variable that the collector knows while a native runs:
 *     VM_ROOT(ctx, list);  …allocations…  VM_UNROOT(ctx, list);      strictly nested */
#define VM_ROOT(ctx, variable) ((ctx)->roots[(ctx)->root_count++] = &(variable))
#define VM_UNROOT(ctx, variable) ((void)--(ctx)->root_count)

#endif
