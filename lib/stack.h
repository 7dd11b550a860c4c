/*
 * stack.h - values under construction: a stack whose entries the collector knows.
 *
 * What natives build out of parts (a Json tree, a decoded record) is built from the bottom up: parts are pushed, then
 * the topmost are replaced by the list, tuple or data they make. A stack is a span (vm/process.h) from
 * lib_stack_begin() to lib_stack_end(); several are nested. Functions that return false found no memory; the native
 * answers VM_NOMEM after it has ended the stack.
 */
#ifndef LIB_STACK_H
#define LIB_STACK_H

#include "vm/process.h"
#include "vm/type.h"

struct lib_stack {
    struct vm_span span; /* items are nb_alloc'ed, or in_place */
    size_t capacity;
    vm_value in_place[32];
};

/** Make an empty stack that the collector knows, until lib_stack_end(), which forgets what is in it. Stacks end in the
 *  reverse order of their beginnings. */
void lib_stack_begin(struct vm_ctx *ctx, struct lib_stack *stack);
void lib_stack_end(struct vm_ctx *ctx, struct lib_stack *stack);

/** False without memory. Never collects. */
bool lib_stack_push(struct lib_stack *stack, vm_value value);
static inline vm_value lib_stack_pop(struct lib_stack *stack) { return stack->span.items[--stack->span.count]; }
static inline vm_value lib_stack_top(const struct lib_stack *stack) { return stack->span.items[stack->span.count - 1]; }

/* Replace the topmost `count` entries, oldest first. */
bool lib_stack_list(struct vm_ctx *ctx, struct lib_stack *stack, uint32_t count);
bool lib_stack_tuple(struct vm_ctx *ctx, struct lib_stack *stack, unsigned count);
/** Data of a constructor; with no entries its constant is pushed. */
bool lib_stack_data(struct vm_ctx *ctx, struct lib_stack *stack, uint32_t constructor, unsigned count);
/** A value of a constructor out of as many entries as it has fields, whatever its type is. VM_OK, VM_NOMEM,
 *  VM_RAISE. */
enum vm_status lib_stack_construct(struct vm_ctx *ctx, struct lib_stack *stack,
                                   const struct vm_constructor *constructor);

#endif
