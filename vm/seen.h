/*
 * seen.h - what a long walk over values has met, so that it does not meet it again.
 *
 * A value of n objects may have 2^n paths to them: x = (x, x), forty times over, is small, but not for a walk that
 * follows each path. So the walks of compare.c and map.c note what they met once they have taken VM_SEEN_AFTER steps;
 * most end before. Either objects with a word each, or classes of objects that were taken as equal (union-find), never
 * both in one struct. At most two words for each object. Objects must not move meanwhile.
 */
#ifndef VM_SEEN_H
#define VM_SEEN_H

#include <stddef.h>

#include "base/stress.h"
#include "vm/value.h"

enum { VM_SEEN_AFTER = NB_STRESS_OR(3, 1 << 16) };

struct vm_seen_object { vm_value object; uint64_t word; };
struct vm_seen {
    struct vm_seen_object *objects; /* open addressing, object 0: free */
    size_t count, capacity;
    bool failed;                    /* memory was exhausted: what should have been noted was not */
};
#define VM_SEEN_INIT ((struct vm_seen){ NULL, 0, 0, false })

/** The word noted for an object, NULL when there is none. Valid until something is noted. */
uint64_t *vm_seen_find(const struct vm_seen *seen, vm_value object);
/** Note an object that is not there yet. False, and `failed`, without memory. */
bool vm_seen_add(struct vm_seen *seen, vm_value object, uint64_t word);
/** Take two objects as equal from now on. True when they were already, by whatever chain of others; also, with
 *  `failed`, without memory, so that the walk ends. */
bool vm_seen_as_equal(struct vm_seen *seen, vm_value left, vm_value right);
void vm_seen_done(struct vm_seen *seen);

#endif
