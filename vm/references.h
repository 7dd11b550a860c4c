/*
 * references.h - a set of shared objects: each that a heap or fragment points to, once.
 *
 * Used by the collector and the copier only. The set takes no references by itself. Small sets are searched
 * linearly, large ones through a hash table. Threads: one at a time.
 */
#ifndef VM_REFERENCES_H
#define VM_REFERENCES_H

#include "vm/value.h"

struct vm_references {
    vm_value *items; /* nb_alloc'ed, in order of arrival; whoever takes them sets NULL */
    uint32_t count, capacity;
    uint32_t *table; /* index + 1 of an item by hash, 0 free; NULL while the set is small */
    uint32_t table_size;
};

#define VM_REFERENCES_INIT ((struct vm_references){ NULL, 0, 0, NULL, 0 })

/** Put an object in, unless it is there. False when memory is exhausted; the set is as before then. */
bool vm_references_add(struct vm_references *references, vm_value shared);
/** Count one reference for each item. */
void vm_references_take(const struct vm_references *references);
/** Give back the memory of the set. */
void vm_references_done(struct vm_references *references);

#endif
