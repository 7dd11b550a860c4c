/*
 * smallcopy.h - the short way through copy.c: a few objects. For copy.c alone.
 *
 * Most messages and closures are a tuple, a record, some strings, a short list. They are copied in one pass, as the
 * collector does it: objects move over one after the other, the new address stands in place of the header, and the
 * copies are the queue of what is still to be looked at. What is larger, has lists in it that would get more compact,
 * or cannot be copied goes the long way.
 */
#ifndef VM_SMALLCOPY_H
#define VM_SMALLCOPY_H

#include <stddef.h>

#include "base/stress.h"
#include "vm/object.h"

enum {
    VM_SMALL_WORDS = NB_STRESS_OR(16, 512), /* a request as a browser sends it, with all its headers */
    VM_SMALL_OBJECTS = 128,
    VM_SMALL_SHARED = 4,
    VM_SMALL_CELLS = 2
};

struct vm_small_copy {
    vm_value root;                     /* the copy */
    size_t words;                      /* of all that was copied */
    vm_value shared[VM_SMALL_SHARED];  /* shared objects that the copy points to, each once; not referenced yet */
    unsigned shared_count;
};

/** Copy a value that lies in a heap to `to`, which has room for `room` words, of which VM_SMALL_WORDS are used at most.
 *  False when it needs more or has to go the long way; the source is unchanged afterwards in any case. */
bool vm_small_copy(vm_value root, vm_value *to, size_t room, struct vm_small_copy *ret);
/** Let a finished copy that was moved by memcpy() to `to` point into itself there. `from` may be gone. */
void vm_small_copy_moved(struct vm_small_copy *copy, const vm_value *from, vm_value *to);

#endif
