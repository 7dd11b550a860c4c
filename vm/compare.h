/*
 * compare.h - equality, order and hash of any values (03 §3). Structural; iterative or bounded in depth, so deeply
 * nested values cannot overflow the C stack. None of them allocates from a heap, calls user code or looks at user
 * implementations of Eq, Ord, Hash.
 */
#ifndef VM_COMPARE_H
#define VM_COMPARE_H

#include "vm/object.h"

/** The language's ==: 03 §3.1. NaN equals nothing, functions only themselves. */
bool vm_equal(vm_value left, vm_value right);
/** The same, counting its work in reductions. */
bool vm_equal_counted(vm_value left, vm_value right, int64_t *reductions);

enum vm_order { VM_LESS = -1, VM_SAME = 0, VM_GREATER = 1, VM_UNORDERED = 2 /* NaN inside */, VM_INCOMPARABLE = 3 };
/** The language's order of values of one type. */
enum vm_order vm_compare(vm_value left, vm_value right);
enum vm_order vm_compare_counted(vm_value left, vm_value right, int64_t *reductions);

/** The language's hash(): 03 §3.4 (FNV-1a as described there). Without memory for a long walk some parts do not
 *  count. */
int64_t vm_hash(vm_value v);

#endif
