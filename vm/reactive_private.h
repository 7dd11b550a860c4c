/*
 * reactive_private.h - what a reactive cell consists of: between reactive_cell.c, which keeps the cells, and
 * reactive.c, which says what a read or a write brings about.
 */
#ifndef VM_REACTIVE_PRIVATE_H
#define VM_REACTIVE_PRIVATE_H

#include <stdatomic.h>

#include "vm/reactive.h"
#include "vm/shared.h"

struct vm_cell_parent {
    vm_value record;   /* holds no reference */
    uint32_t position; /* of the field */
};

struct vm_cell_tail {
    _Atomic uint32_t turn; /* 1 while somebody reads or writes a field */
    uint32_t parent_count, parent_capacity; /* this and the next under the lock of all links */
    struct vm_cell_parent *parents;
    uint64_t id;
    uint8_t is_child[]; /* of each field: it held a record when the cell was made */
};

static inline const struct vm_constructor *vm_cell_constructor(vm_value cell) { return vm_constructor(vm_aux(cell)); }

static inline unsigned vm_cell_field_count(vm_value cell)
{
    const struct vm_constructor *constructor = vm_cell_constructor(cell);

    return constructor->form == VM_TYPE_REACTIVE_RECORD ? constructor->arity : 1;
}

static inline struct vm_cell_tail *vm_cell_tail(vm_value cell)
{
    return (struct vm_cell_tail *)(void *)(vm_object(cell) + 1 + vm_cell_field_count(cell));
}

static inline bool vm_cell_is_record(vm_value v)
{
    return vm_is_reactive(v) && vm_cell_constructor(v)->form == VM_TYPE_REACTIVE_RECORD;
}

/** Give a reference back that a value has if it is a shared object. */
static inline void vm_cell_drop(vm_value value)
{
    if (vm_is_shared(value))
        vm_shared_unref(value);
}

/** What a field holds, with a reference if it is a shared object. */
vm_value vm_cell_hold(vm_value cell, unsigned position);
/** Put a value in, of which the field gets the reference; what was there comes out with its own. */
vm_value vm_cell_swap(vm_value cell, unsigned position, vm_value value);
/** The same for a field of a record, which becomes the parent of the record that comes in. */
vm_value vm_cell_store(vm_value record, unsigned position, vm_value value);
/** Those of the parents that live, each with a reference that the caller gets; nb_free(). NULL without memory. */
struct vm_cell_parent *vm_cell_living_parents(vm_value record, uint32_t *ret_count);
/** Make room for references before anything is held in C variables. May collect. */
void vm_cell_tidy(struct vm_ctx *ctx);

#endif
