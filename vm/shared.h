/*
 * shared.h - immutable objects outside of process heaps, counted by atomic references.
 *
 * Long strings, the contents of mvars, request data. A shared object looks like any other (object.h) with flag
 * SHARED; in front of its header stand its reference count and links. It may point to shared and immortal objects
 * only, and holds a reference to each shared one. Immutable data has no cycles, so counting suffices; freeing is
 * iterative, however deep.
 *
 * Who holds a reference: another shared object, an entry in heap->shared (a heap that points anywhere into the
 * object's tree keeps the object itself alive until its next collection, which then references directly what it
 * still points to), a fragment, an mvar, C code that says so. Threads: any.
 */
#ifndef VM_SHARED_H
#define VM_SHARED_H

#include <stdatomic.h>
#include <stddef.h>

#include "vm/heap.h"

/* In headers of shared objects: a capsule, see vm_share(). Bit 10 of object.h's layout. */
#define VM_FLAG_MUTABLE (UINT64_C(1) << 10)

/** A new shared object with one reference; fields are uninitialised. VM_NONE when memory is exhausted. */
vm_value vm_shared_new(enum vm_kind kind, uint64_t flags, uint32_t aux, uint32_t size);
void vm_shared_ref(vm_value shared);
/** The same for an object that may be dying: false when it is. Its memory must be safe meanwhile. */
bool vm_shared_try_ref(vm_value shared);
void vm_shared_unref(vm_value shared);      /* frees at zero, with what only it referred to */
/* Who is charged for shared objects: the program whose mvars hold them. Lives as long as one of them does. */
struct vm_account {
    _Atomic uint64_t bytes;  /* of all that live, and one more for the owner */
    _Atomic uint64_t limit;  /* 0: none. Whoever stores looks at it */
};
struct vm_account *vm_account_new(void); /* NULL without memory */
/** The owner lets go. NULL is fine. */
void vm_account_release(struct vm_account *account);
static inline bool vm_account_is_exceeded(struct vm_account *account)
{
    uint64_t limit = atomic_load_explicit(&account->limit, memory_order_relaxed);

    return limit != 0 && atomic_load_explicit(&account->bytes, memory_order_relaxed) > limit;
}
/** Whom this thread's new shared objects are charged to from now on; returns whom before. NULL: nobody. */
struct vm_account *vm_account_charge(struct vm_account *account);
/** Charge an object that is there already, unless it is charged to somebody. */
void vm_account_adopt(vm_value shared);

uint64_t vm_shared_bytes_total(void);       /* of all that live, for metrics */
/** What one shared object costs, without what it refers to. */
uint64_t vm_shared_bytes(vm_value shared);
/** Give back a new object that nobody has seen, whose fields need not be initialised. */
void vm_shared_discard(vm_value shared);

/** Whether a value is a shared object (immediates and immortals are not). */
static inline bool vm_is_shared(vm_value v)
{
    return vm_is_object(v) && (vm_header(v) & VM_FLAG_SHARED) != 0;
}

/**
 * A shared version of a value: only the parts that are not shared yet are copied, so storing a map back after an
 * insert costs the new nodes. *ret_shared gets one reference if it is a shared object (immediates and immortals
 * need none). A value with anything in it that can change or form a cycle (CELL, mutable record, typed array,
 * closures that refer to each other) is copied as a whole into a capsule: a shared object that is no value of the
 * language; readers get copies of what is in it. Refuses what vm_copy_to_fragment() refuses.
 */
enum vm_copy_result vm_share(vm_value value, vm_value *ret_shared);

/** Whether a value is a capsule, so that a reader must copy (vm_copy_to_heap(), vm_copy_to_fragment()) instead of
 *  pointing to it. O(1). */
static inline bool vm_shared_is_mutable(vm_value v)
{
    return vm_is_object(v) && (vm_header(v) & VM_FLAG_MUTABLE) != 0;
}

#endif
