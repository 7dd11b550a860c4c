/*
 * reactive.h - reactive records and variants: cells that remember who depends on them (04 §19, 05 §4).
 *
 * A cell is a shared object (shared.h) with something that can change inside: whoever has the value has a reference
 * to the one cell, also in another process, where messages and mvars bring it. Its fields hold what an mvar holds,
 * immutable or copied for each reader, and are read and written under a spin bit of a few instructions.
 *
 * What belongs to a process is its context: which components are being rendered, what they read, what was changed,
 * and the callbacks it registered. A callback runs in the process that registered it, when that one reads or writes;
 * it lives as long as the process.
 *
 * A record that lies in a field of another knows that one as its parent, without keeping it alive. Records that hold
 * each other in their fields keep each other alive for good.
 */
#ifndef VM_REACTIVE_H
#define VM_REACTIVE_H

#include "vm/process.h"
#include "vm/type.h"

static inline bool vm_is_reactive(vm_value v) { return vm_is_kind(v, VM_KIND_REACTIVE); }
/** A cell that holds a variant. (Which variant, is its content: vm_reactive_get().) */
bool vm_is_reactive_variant(vm_value v);
/** Whether values of a constructor are cells. */
static inline bool vm_is_reactive_form(const struct vm_constructor *constructor)
{
    return constructor->form == VM_TYPE_REACTIVE_RECORD || constructor->form == VM_TYPE_REACTIVE_VARIANT;
}

/** A positive number that no other cell has, in order of creation. */
uint64_t vm_reactive_id(vm_value cell);

/**
 * A new cell. `fields` are the constructor's, roots or registers: field i is base[order[i]], or base[i] when `order`
 * is NULL. VM_OK, VM_NOMEM, or VM_RAISE for what cannot be copied (a string buffer). May collect.
 */
enum vm_status vm_reactive_new(struct vm_ctx *ctx, const struct vm_constructor *constructor, const vm_value *base,
                               const uint16_t *order, vm_value *ret);
/** A new cell with the same content and no callbacks. As vm_reactive_new(). */
enum vm_status vm_reactive_copy(struct vm_ctx *ctx, vm_value cell, vm_value *ret);

/** Set a field of a new record that nobody has seen. VM_OK, VM_NOMEM, VM_RAISE as vm_reactive_new(). Never collects. */
enum vm_status vm_reactive_init(struct vm_ctx *ctx, vm_value record, unsigned position, vm_value value);

/** r.name with all that belongs to it: VM_OK, VM_CALL (callbacks run, then the value is delivered), VM_RAISE. */
enum vm_status vm_reactive_read(struct vm_ctx *ctx, vm_value record, uint32_t name_id, vm_value *ret);
/** r.name = value. VM_CALL: callbacks run, then the record is delivered. */
enum vm_status vm_reactive_write(struct vm_ctx *ctx, vm_value record, uint32_t name_id, vm_value value);
/** v.get() and v.set(value): the plain variant inside. As the two above; a set delivers (). */
enum vm_status vm_reactive_get(struct vm_ctx *ctx, vm_value variant, vm_value *ret);
enum vm_status vm_reactive_set(struct vm_ctx *ctx, vm_value variant, vm_value value);

/** What a field holds, read by nobody: neither callbacks nor dependencies. VM_OK or VM_NOMEM. Never collects. */
enum vm_status vm_reactive_peek(struct vm_ctx *ctx, vm_value cell, unsigned position, vm_value *ret);
/** The cell's content as plain data of the same constructor: a record's fields as they are now, a variant. Nobody's
 *  read. VM_OK or VM_NOMEM. May collect. */
enum vm_status vm_reactive_snapshot(struct vm_ctx *ctx, vm_value cell, vm_value *ret);
/** A variant's content for printing, with a reference if it is a shared object. Threads: any. */
vm_value vm_reactive_hold(vm_value variant);

/* What a process knows. Slots of one object in its heap, which natives read and write through these. */
enum vm_reactive_slot {
    VM_REACTIVE_STACK,     /* List[String]: components being rendered, the innermost first */
    VM_REACTIVE_DEPS,      /* Map[Int, List[String]]: components that read a cell, in order of first reading */
    VM_REACTIVE_PENDING,   /* List[String]: components whose cells were written, in order */
    VM_REACTIVE_CHANGED,   /* List[Int]: cells written, in order … */
    VM_REACTIVE_IS_CHANGED, /* … and Set[Int] of the same */
    VM_REACTIVE_OPEN,      /* List[(String, List)]: tree nodes under construction, the innermost first */
    VM_REACTIVE_ROOTS,     /* List: finished nodes that have no parent */
    VM_REACTIVE_RENDERERS, /* Map[String, () -> a] */
    VM_REACTIVE_DEPTH,     /* Int: renderings within each other */
    VM_REACTIVE_ON_CHANGE, /* Map[Int, List]: callbacks by cell, in order of registration … */
    VM_REACTIVE_ON_READ,   /* … the same */
    VM_REACTIVE_SLOTS
};
vm_value vm_reactive_context(const struct vm_ctx *ctx, enum vm_reactive_slot slot);
/** False: no memory. May collect, unless the context was there before. */
bool vm_reactive_set_context(struct vm_ctx *ctx, enum vm_reactive_slot slot, vm_value value);

/* For shared.c: a cell dies. How many of its words are fields; what else it had is given back. */
unsigned vm_reactive_dying(vm_value cell);

#endif
