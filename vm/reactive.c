/*
 * reactive.c - what a read or a write of a cell brings about, in the process that does it.
 *
 * The process's context tells which components are being rendered and what callbacks there are. Callbacks are functions
 * of the program: the instruction that reads or writes calls a library function with them (lib/reactive.nos), which
 * yields what the instruction is to deliver.
 */
#include "config.h"

#include "vm/reactive_private.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/intern.h"
#include "vm/compare.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/map.h"
#include "vm/mvar.h"
#include "vm/program.h"
#include "vm/string.h"

/* ---- the process's context ---- */

static vm_value first_content(enum vm_reactive_slot slot)
{
    switch (slot) {
    case VM_REACTIVE_DEPS:
    case VM_REACTIVE_RENDERERS:
    case VM_REACTIVE_ON_CHANGE:
    case VM_REACTIVE_ON_READ:
        return VM_EMPTY_MAP;
    case VM_REACTIVE_IS_CHANGED:
        return VM_EMPTY_SET;
    case VM_REACTIVE_DEPTH:
        return vm_from_small(0);
    default:
        return VM_NIL;
    }
}

vm_value vm_reactive_context(const struct vm_ctx *ctx, enum vm_reactive_slot slot)
{
    vm_value context = ctx->process->reactive;

    return context == VM_NONE ? first_content(slot) : vm_field(context, slot);
}

bool vm_reactive_set_context(struct vm_ctx *ctx, enum vm_reactive_slot slot, vm_value value)
{
    struct vm_process *process = ctx->process;

    if (process->reactive == VM_NONE) {
        vm_value *context;
        bool room;

        VM_ROOT(ctx, value);
        room = vm_heap_reserve(ctx, 1u + VM_REACTIVE_SLOTS);
        VM_UNROOT(ctx, value);
        if (!room)
            return false;
        context = vm_heap_take(&process->heap, 1u + VM_REACTIVE_SLOTS);
        context[0] = VM_HEADER(VM_KIND_CELL, 0, 0, VM_REACTIVE_SLOTS);
        for (unsigned i = 0; i < VM_REACTIVE_SLOTS; i++)
            context[1 + i] = first_content((enum vm_reactive_slot)i);
        process->reactive = vm_from_object(context);
    }
    vm_object(process->reactive)[1 + slot] = value;
    return true;
}

/* Append a name to a list unless it is in it. VM_NONE: no memory. */
static vm_value append(struct vm_ctx *ctx, vm_value list, vm_value name)
{
    struct vm_list_walk walk;
    vm_value item;

    for (vm_list_walk(&walk, list); vm_list_next(&walk, &item);)
        if (vm_equal(item, name))
            return list;
    return vm_list_push(ctx, list, name);
}

static vm_value id_value(vm_value cell) { return vm_from_small((int64_t)vm_reactive_id(cell)); }

/* Reading a record: the component on top depends on it. */
static bool note_read(struct vm_ctx *ctx, vm_value record)
{
    vm_value stack = vm_reactive_context(ctx, VM_REACTIVE_STACK), id = id_value(record), names, deps;

    if (stack == VM_NIL)
        return true;
    names = vm_map_get(vm_reactive_context(ctx, VM_REACTIVE_DEPS), id);
    names = append(ctx, names == VM_NONE ? VM_NIL : names, vm_list_head(stack));
    if (names == VM_NONE)
        return false;
    deps = vm_map_insert(ctx, vm_reactive_context(ctx, VM_REACTIVE_DEPS), id, names);
    return deps != VM_NONE && vm_reactive_set_context(ctx, VM_REACTIVE_DEPS, deps);
}

static bool note_id(struct vm_ctx *ctx, vm_value id)
{
    vm_value set = vm_reactive_context(ctx, VM_REACTIVE_IS_CHANGED), list;

    if (vm_set_has(set, id))
        return true;
    set = vm_set_insert(ctx, set, id);
    if (set == VM_NONE || !vm_reactive_set_context(ctx, VM_REACTIVE_IS_CHANGED, set))
        return false;
    list = vm_list_push(ctx, vm_reactive_context(ctx, VM_REACTIVE_CHANGED), id);
    return list != VM_NONE && vm_reactive_set_context(ctx, VM_REACTIVE_CHANGED, list);
}

/* Writing a cell: it has changed, and so will the components that read it. */
static bool note_written(struct vm_ctx *ctx, vm_value cell)
{
    vm_value id = id_value(cell), names, pending;
    uint32_t count;

    if (!note_id(ctx, id))
        return false;
    names = vm_map_get(vm_reactive_context(ctx, VM_REACTIVE_DEPS), id);
    count = names == VM_NONE ? 0 : vm_list_length(names);
    for (uint32_t i = 0; i < count; i++) {
        names = vm_map_get(vm_reactive_context(ctx, VM_REACTIVE_DEPS), id); /* it moves */
        vm_value name = vm_list_at(ctx, names, i);

        pending = append(ctx, vm_reactive_context(ctx, VM_REACTIVE_PENDING), name);
        if (pending == VM_NONE || !vm_reactive_set_context(ctx, VM_REACTIVE_PENDING, pending))
            return false;
    }
    return true;
}

/* ---- callbacks ---- */

static bool has_callbacks(const struct vm_ctx *ctx, enum vm_reactive_slot slot, vm_value cell)
{
    vm_value map = vm_reactive_context(ctx, slot);

    return map != VM_EMPTY_MAP && vm_map_get(map, id_value(cell)) != VM_NONE;
}

static enum vm_status call_out(struct vm_ctx *ctx, enum vm_library_function which, unsigned count,
                               const vm_value *arguments)
{
    const struct vm_function *function = ctx->process->program->library[which];

    nb_assert(function != NULL);
    ctx->call_function = vm_from_object(function);
    memcpy(ctx->call_args, arguments, count * sizeof *arguments);
    ctx->call_arg_count = count;
    return VM_CALL;
}

/* ---- records ---- */

static enum vm_status no_field(struct vm_ctx *ctx, vm_value cell, uint32_t name_id)
{
    return vm_raise_kind(ctx, "UnknownField", "unknown field '%s' on type '%s'", nb_intern_text(name_id),
                         vm_class_name(vm_class_of(cell)));
}

static int position_of(vm_value cell, uint32_t name_id)
{
    return vm_cell_is_record(cell) ? vm_constructor_field(vm_cell_constructor(cell), name_id) : -1;
}

static vm_value field_name(struct vm_ctx *ctx, vm_value record, unsigned position)
{
    return vm_string_cstr(ctx, vm_cell_constructor(record)->fields[position]);
}

/* Of the fields that held a record when this one was made, what they hold now. */
static enum vm_status children(struct vm_ctx *ctx, vm_value record, vm_value *ret)
{
    vm_value list = VM_NIL;

    for (unsigned i = 0; i < vm_cell_field_count(record); i++) {
        vm_value child;

        if (!vm_cell_tail(record)->is_child[i])
            continue;
        if (vm_reactive_peek(ctx, record, i, &child) != VM_OK)
            return VM_NOMEM;
        list = vm_list_push(ctx, list, child);
        if (list == VM_NONE)
            return VM_NOMEM;
    }
    *ret = list;
    return VM_OK;
}

static vm_value parent_pair(struct vm_ctx *ctx, struct vm_cell_parent parent)
{
    vm_value name = field_name(ctx, parent.record, parent.position), *tuple;
    bool room;

    VM_ROOT(ctx, name);
    room = name != VM_NONE && vm_heap_reserve(ctx, 3);
    VM_UNROOT(ctx, name);
    if (!room)
        return VM_NONE;
    tuple = vm_heap_take(&ctx->process->heap, 3);
    tuple[0] = VM_HEADER(VM_KIND_TUPLE, 0, 0, 2);
    tuple[1] = parent.record;
    tuple[2] = name;
    return vm_from_object(tuple);
}

/* What nobody refers to any more is a parent no more: so this collects first. While the pairs are made the array keeps
 * the parents alive; afterwards the heap does, whose collector takes references to what the list holds. */
static enum vm_status parents(struct vm_ctx *ctx, vm_value record, vm_value *ret)
{
    uint32_t count;
    struct vm_cell_parent *living;
    vm_value list = VM_NIL, pair;

    if (vm_cell_tail(record)->parent_count > 0)
        (void)vm_heap_collect(ctx, 0);
    living = vm_cell_living_parents(record, &count);
    if (living == NULL)
        return VM_NOMEM;
    for (uint32_t i = 0; i < count && list != VM_NONE; i++) {
        VM_ROOT(ctx, list);
        pair = parent_pair(ctx, living[i]);
        VM_UNROOT(ctx, list);
        list = pair == VM_NONE ? VM_NONE : vm_list_push(ctx, list, pair);
    }
    for (uint32_t i = 0; i < count; i++)
        vm_heap_add_shared(&ctx->process->heap, living[i].record);
    nb_free(living);
    *ret = list;
    return list == VM_NONE ? VM_NOMEM : VM_OK;
}

static bool is_named(uint32_t name_id, const char *name) { return strcmp(nb_intern_text(name_id), name) == 0; }

/* A read that somebody notices. */
static enum vm_status read_noticed(struct vm_ctx *ctx, vm_value record, unsigned position, vm_value *ret)
{
    enum vm_status status;
    vm_value name;

    if (!note_read(ctx, record))
        return VM_NOMEM;
    status = vm_reactive_peek(ctx, record, position, ret);
    if (status != VM_OK || !has_callbacks(ctx, VM_REACTIVE_ON_READ, record))
        return status;
    VM_ROOT(ctx, *ret);
    name = field_name(ctx, record, position);
    VM_UNROOT(ctx, *ret);
    if (name == VM_NONE)
        return VM_NOMEM;
    return call_out(ctx, VM_LIBRARY_REACTIVE_READ, 3, (vm_value[]){ record, name, *ret });
}

enum vm_status vm_reactive_read(struct vm_ctx *ctx, vm_value record, uint32_t name_id, vm_value *ret)
{
    int position = position_of(record, name_id);

    vm_cell_tidy(ctx);
    if (vm_cell_is_record(record) && is_named(name_id, "children"))
        return children(ctx, record, ret);
    if (vm_cell_is_record(record) && is_named(name_id, "parents"))
        return parents(ctx, record, ret);
    if (position < 0)
        return no_field(ctx, record, name_id);
    if (ctx->process->reactive == VM_NONE)
        return vm_reactive_peek(ctx, record, (unsigned)position, ret);
    return read_noticed(ctx, record, (unsigned)position, ret);
}

enum vm_status vm_reactive_write(struct vm_ctx *ctx, vm_value record, uint32_t name_id, vm_value value)
{
    int position = position_of(record, name_id);
    vm_value shared, former, name = VM_NONE;
    enum vm_status status;
    bool noted;

    if (position < 0)
        return no_field(ctx, record, name_id);
    VM_ROOT(ctx, value);
    vm_cell_tidy(ctx);
    VM_UNROOT(ctx, value);
    status = vm_mvar_share(ctx, value, &shared);
    if (status != VM_OK)
        return status;
    ctx->process->published = true;
    former = vm_cell_store(record, (unsigned)position, shared);
    if (!has_callbacks(ctx, VM_REACTIVE_ON_CHANGE, record)) {
        vm_cell_drop(former);
        return note_written(ctx, record) ? VM_OK : VM_NOMEM;
    }
    if (vm_mvar_view(ctx, former, &former) != VM_OK)
        return VM_NOMEM;
    VM_ROOT(ctx, value);
    VM_ROOT(ctx, former);
    noted = note_written(ctx, record);
    if (noted)
        name = field_name(ctx, record, (unsigned)position);
    VM_UNROOT(ctx, former);
    VM_UNROOT(ctx, value);
    if (name == VM_NONE)
        return VM_NOMEM;
    return call_out(ctx, VM_LIBRARY_REACTIVE_WRITTEN, 4, (vm_value[]){ record, name, former, value });
}

/* ---- variants ---- */

enum vm_status vm_reactive_get(struct vm_ctx *ctx, vm_value variant, vm_value *ret)
{
    enum vm_status status;

    vm_cell_tidy(ctx);
    status = vm_reactive_peek(ctx, variant, 0, ret);
    if (status != VM_OK || !has_callbacks(ctx, VM_REACTIVE_ON_READ, variant))
        return status;
    return call_out(ctx, VM_LIBRARY_REACTIVE_GOT, 2, (vm_value[]){ variant, *ret });
}

enum vm_status vm_reactive_set(struct vm_ctx *ctx, vm_value variant, vm_value value)
{
    vm_value shared, former;
    enum vm_status status = VM_OK;
    bool noted;

    VM_ROOT(ctx, value);
    vm_cell_tidy(ctx);
    VM_UNROOT(ctx, value);
    if (vm_is_reactive_variant(value))
        shared = vm_cell_hold(value, 0);
    else
        status = vm_mvar_share(ctx, value, &shared);
    if (status != VM_OK)
        return status;
    ctx->process->published = true;
    former = vm_cell_swap(variant, 0, shared);
    if (!has_callbacks(ctx, VM_REACTIVE_ON_CHANGE, variant)) {
        vm_cell_drop(former);
        return note_written(ctx, variant) ? VM_OK : VM_NOMEM;
    }
    if (vm_mvar_view(ctx, former, &former) != VM_OK)
        return VM_NOMEM;
    VM_ROOT(ctx, former);
    noted = note_written(ctx, variant);
    VM_UNROOT(ctx, former);
    if (!noted || vm_reactive_peek(ctx, variant, 0, &shared) != VM_OK)
        return VM_NOMEM;
    return call_out(ctx, VM_LIBRARY_REACTIVE_SET, 3, (vm_value[]){ variant, former, shared });
}
