/*
 * operate.h - the parts of instructions that are not on the fast path. For interp.c alone.
 *
 * Each answers as a native does (native.h): VM_OK with *ret, VM_RAISE, VM_NOMEM, or VM_CALL when a function of the
 * program computes the result. Values passed in are registers' values: where something allocates before it reads them
 * again, it roots them.
 */
#ifndef VM_OPERATE_H
#define VM_OPERATE_H

#include "vm/number.h"
#include "vm/process.h"

enum vm_comparison { VM_COMPARE_EQ, VM_COMPARE_NE, VM_COMPARE_LT, VM_COMPARE_LE, VM_COMPARE_GT, VM_COMPARE_GE };

/** Header of a value of that constructor: DATA, or RECORD_CELL where its fields can be assigned. REACTIVE says that
 *  vm_reactive_new() makes it. */
vm_value vm_data_header(uint32_t constructor, unsigned fields);
static inline bool vm_is_data(vm_value object)
{
    return vm_kind(object) == VM_KIND_DATA || vm_kind(object) == VM_KIND_RECORD_CELL;
}
/** Constructor number of data and bare constants, 0 for everything else. */
static inline uint64_t vm_op_constructor(vm_value v)
{
    if (vm_is_sort(v, VM_SORT_CTOR))
        return vm_payload(v);
    return vm_is_object(v) && vm_is_data(v) ? vm_aux(v) : 0;
}
/** The same by searching, for vm_op_switch(). */
int64_t vm_op_switch_search(const uint64_t *pc, unsigned count, int64_t key);
/** The offset a SWITCH_… instruction at `pc` with `count` cases takes for a key. Mostly its cases have no gaps, as the
 *  constructors of a type are numbered in order: then the key says where it stands. */
static inline int64_t vm_op_switch(const uint64_t *pc, unsigned count, int64_t key)
{
    uint64_t index = (uint64_t)key - pc[2];

    if (index < count && (int64_t)pc[2 + 2 * index] == key)
        return (int64_t)pc[3 + 2 * index];
    return vm_op_switch_search(pc, count, key);
}
/** The same for what is no Int: an integer of another kind takes the case it is equal to. */
int64_t vm_op_switch_integer(const uint64_t *pc, unsigned count, vm_value v);
/** Whether an integer of another kind is equal to a small Int. */
bool vm_op_equals_small(vm_value v, vm_value small);

enum vm_status vm_op_arithmetic(struct vm_ctx *ctx, enum vm_arith op, vm_value left, vm_value right, vm_value *ret);
enum vm_status vm_op_compare(struct vm_ctx *ctx, enum vm_comparison op, vm_value left, vm_value right, vm_value *ret);
enum vm_status vm_op_concat(struct vm_ctx *ctx, vm_value left, vm_value right, vm_value *ret);
enum vm_status vm_op_range(struct vm_ctx *ctx, vm_value from, vm_value to, vm_value *ret);
enum vm_status vm_op_map(struct vm_ctx *ctx, const uint16_t *registers, unsigned count, vm_value *ret);
enum vm_status vm_op_set(struct vm_ctx *ctx, const uint16_t *registers, unsigned count, vm_value *ret);
enum vm_status vm_op_show(struct vm_ctx *ctx, vm_value v, vm_value *ret);
enum vm_status vm_op_join(struct vm_ctx *ctx, const uint16_t *registers, unsigned count, vm_value *ret);
enum vm_status vm_op_field(struct vm_ctx *ctx, vm_value object, uint32_t name_id, uint64_t *cache, vm_value *ret);
enum vm_status vm_op_set_field(struct vm_ctx *ctx, vm_value object, uint32_t name_id, vm_value value);
enum vm_status vm_op_component(struct vm_ctx *ctx, vm_value object, unsigned index, vm_value *ret);
enum vm_status vm_op_index(struct vm_ctx *ctx, vm_value collection, vm_value index, vm_value *ret);
enum vm_status vm_op_set_index(struct vm_ctx *ctx, vm_value collection, vm_value index, vm_value value, vm_value *ret);
enum vm_status vm_op_update(struct vm_ctx *ctx, vm_value data, uint32_t constructor, const uint32_t *names,
                            const uint16_t *registers, unsigned count, vm_value *ret);
bool vm_op_has_prefix(vm_value v, vm_value prefix);
vm_value vm_op_map_find(vm_value map, vm_value key);
vm_value vm_op_field_find(vm_value record, uint32_t name_id);

/** Now plus that many milliseconds, as a deadline of the monotonic clock; negative counts as 0, what is too far away as
 *  never. */
uint64_t vm_deadline_after(int64_t ms);

#endif
