/*
 * copy_private.h - what the files of copying share: the log of what is copied, and marks.
 *
 * copy_find.c enters objects into the log, copy_write.c gives them places and fills these, copy.c begins and ends.
 */
#ifndef VM_COPY_PRIVATE_H
#define VM_COPY_PRIVATE_H

#include "base/assert.h"
#include "vm/heap.h"
#include "vm/references.h"

enum vm_copy_form {
    VM_FORM_OBJECT, /* as it is; an ARRAY without the room behind its used part */
    VM_FORM_CHAIN,  /* cells from here on; `link` of them, then perhaps a slice */
    VM_FORM_TAIL,   /* a cell inside of the chain of entry `link` */
    VM_FORM_PART,   /* a slice with an array of its own */
    VM_FORM_PARTED  /* an array of which parts went elsewhere: copies nothing */
};

struct vm_copy_entry {
    vm_value *object;
    vm_value header; /* which the mark stands for */
    union {
        vm_value *place;
        uint64_t spent;    /* VM_FORM_PARTED: elements in parts so far */
        uint64_t incoming; /* vm_copier_has_cycle(): references not yet accounted for */
    };
    uint32_t link;
    uint8_t form;
};

enum { VM_COPY_FIRST = 24 }; /* entries without memory from elsewhere */

struct vm_copier {
    struct vm_copy_entry *log;
    size_t count, capacity;
    uint64_t words; /* of all places */
    enum vm_copy_result result;
    bool frozen, sharing;
    bool mutable_parts;                        /* met something that can change */
    bool closures;                             /* met closures, which may form cycles */
    struct vm_references references;           /* shared objects met, unless sharing */
    struct { vm_value object, mark; } *marks;  /* when frozen */
    size_t mark_count, mark_capacity;
    uint32_t *ready;                           /* likewise: entries all references to which are accounted for */
    size_t ready_count;
    struct vm_copy_entry first[VM_COPY_FIRST];
};

static inline bool vm_copier_fail(struct vm_copier *copier, enum vm_copy_result result)
{
    copier->result = result;
    return false;
}

/*
 * Marks: bit 0 clear (so it is no header), bit 1: inside of a chain; then 30 bits of the entry's index; in the
 * upper half the position in the chain.
 */
static inline uint64_t vm_copy_index(vm_value mark) { return (mark & UINT32_MAX) >> 2; }
static inline bool vm_copy_is_header(vm_value word) { return (word & 1) != 0; }

static inline size_t vm_copier_slot(const struct vm_copier *copier, vm_value object)
{
    size_t slot = ((object >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (copier->mark_capacity - 1);

    while (copier->marks[slot].object != 0 && copier->marks[slot].object != object)
        slot = (slot + 1) & (copier->mark_capacity - 1);
    return slot;
}

/* The mark of an object of the source, or its header if it has none yet. */
static inline vm_value vm_copier_mark(const struct vm_copier *copier, vm_value value)
{
    if (copier->frozen && copier->marks != NULL) {
        size_t slot = vm_copier_slot(copier, value);

        if (copier->marks[slot].object != 0)
            return copier->marks[slot].mark;
    }
    return vm_header(value);
}

/* The entry of an object of the source, or NULL. */
static inline struct vm_copy_entry *vm_copier_entry(const struct vm_copier *copier, vm_value value)
{
    vm_value word;

    if (!vm_is_object(value))
        return NULL;
    word = vm_copier_mark(copier, value);
    return vm_copy_is_header(word) ? NULL : &copier->log[vm_copy_index(word)];
}

/* ---- parts of lists ---- */

static inline vm_value vm_copy_cell_header(uint32_t length) { return VM_HEADER(VM_KIND_CONS, 0, 0, length); }
static inline vm_value vm_copy_cell_tail(vm_value cell) { return vm_field(cell, 1); }
static inline uint32_t vm_copy_array_used(const vm_value *array) { return (uint32_t)vm_small(array[1]); }
/* The elements of a slice; its array may be marked. */
static inline const vm_value *vm_copy_slice_elements(const vm_value *slice)
{
    return vm_object(slice[1]) + 2 + vm_small(slice[2]);
}

/* Of an entry's copy. */
static inline uint64_t vm_copy_words(const struct vm_copy_entry *entry)
{
    switch ((enum vm_copy_form)entry->form) {
    case VM_FORM_OBJECT:
        return vm_header_kind(entry->header) == VM_KIND_ARRAY ? 2 + (uint64_t)vm_copy_array_used(entry->object)
                                                              : vm_object_words(entry->header);
    case VM_FORM_CHAIN:
    case VM_FORM_PART:
        return 3 + 2 + (uint64_t)vm_header_size(entry->header);
    case VM_FORM_TAIL:
        return 3;
    case VM_FORM_PARTED:
        return 0;
    }
    nb_unreachable();
}

/* ---- copy_find.c ---- */

/** Enter all that has to be copied for a value into the log. False: copier->result says why not. */
bool vm_copier_find(struct vm_copier *copier, vm_value root);
/** Whether what was found refers to itself. Immutable values do not, but closures that refer to each other may. */
bool vm_copier_has_cycle(struct vm_copier *copier);

/* ---- copy_write.c ---- */

/** Give each entry its place: from `run` on, which has copier->words words, or, when sharing, in objects of their own;
 *  only that can fail. */
bool vm_copier_place(struct vm_copier *copier, vm_value *run);
void vm_copier_fill(const struct vm_copier *copier);
/** What the copy has where the source has `value`. */
vm_value vm_copier_copy_of(const struct vm_copier *copier, vm_value value);

#endif
