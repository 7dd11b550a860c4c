/*
 * reactive.c - the cells: fields under a spin bit, parents, and what a read or a write brings about.
 *
 * Behind the header of a cell lie its fields, then `struct tail`. Parents are noted in the child, weakly: a parent
 * that dies takes its notes back (vm_reactive_dying()), and whoever reads them takes a reference only if the parent
 * still has one. All that concerns parents happens under one lock; who stores a record into a field holds it around
 * the store, so that a note is never made later than the one who takes it back looks for it.
 *
 * Callbacks are functions of the program: the instruction that reads or writes calls a library function with them
 * (lib/reactive.nos), which yields what the instruction is to deliver.
 */
#include "config.h"

#include "vm/reactive.h"

#include <ck_pr.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/intern.h"
#include "vm/compare.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/map.h"
#include "vm/mvar.h"
#include "vm/number.h"
#include "vm/operate.h"
#include "vm/program.h"
#include "vm/shared.h"
#include "vm/string.h"

enum { SPINS_MAX = 64, FIELDS_IN_PLACE = 32 };

struct parent {
    vm_value record;   /* holds no reference */
    uint32_t position; /* of the field */
};

struct tail {
    _Atomic uint32_t turn; /* 1 while somebody reads or writes a field */
    uint32_t parent_count, parent_capacity; /* this and the next under links_lock */
    struct parent *parents;
    uint64_t id;
    uint8_t is_child[]; /* of each field: it held a record when the cell was made */
};

static pthread_mutex_t links_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t last_id;

static const struct vm_constructor *constructor_of(vm_value cell) { return vm_constructor(vm_aux(cell)); }

static unsigned field_count(vm_value cell)
{
    const struct vm_constructor *constructor = constructor_of(cell);

    return constructor->form == VM_TYPE_REACTIVE_RECORD ? constructor->arity : 1;
}

static struct tail *tail_of(vm_value cell)
{
    return (struct tail *)(void *)(vm_object(cell) + 1 + field_count(cell));
}

static bool is_record(vm_value v)
{
    return vm_is_reactive(v) && constructor_of(v)->form == VM_TYPE_REACTIVE_RECORD;
}

bool vm_is_reactive_variant(vm_value v)
{
    return vm_is_reactive(v) && constructor_of(v)->form == VM_TYPE_REACTIVE_VARIANT;
}

uint64_t vm_reactive_id(vm_value cell) { return tail_of(cell)->id; }

/* ---- fields ---- */

static void begin_turn(struct tail *tail)
{
    for (unsigned spins = 0; atomic_exchange_explicit(&tail->turn, 1, memory_order_acquire) != 0; spins++) {
        if (spins < SPINS_MAX)
            ck_pr_stall();
        else
            sched_yield();
    }
}

static void end_turn(struct tail *tail) { atomic_store_explicit(&tail->turn, 0, memory_order_release); }

/* What a field holds, with a reference if it is a shared object. */
static vm_value hold(vm_value cell, unsigned position)
{
    struct tail *tail = tail_of(cell);
    vm_value value;

    begin_turn(tail);
    value = vm_field(cell, position);
    if (vm_is_shared(value))
        vm_shared_ref(value);
    end_turn(tail);
    return value;
}

/* Put a value in, of which the field gets the reference; what was there comes out with its own. */
static vm_value swap(vm_value cell, unsigned position, vm_value value)
{
    struct tail *tail = tail_of(cell);
    vm_value former;

    begin_turn(tail);
    former = vm_field(cell, position);
    vm_object(cell)[1 + position] = value;
    end_turn(tail);
    return former;
}

static void drop(vm_value value)
{
    if (vm_is_shared(value))
        vm_shared_unref(value);
}

/* Give the running process its view of a value of which it got one reference. */
static enum vm_status view(struct vm_ctx *ctx, vm_value value, vm_value *ret)
{
    struct vm_heap *heap = &ctx->process->heap;
    enum vm_copy_result result;

    *ret = value;
    if (!vm_is_shared(value))
        return VM_OK;
    if (!vm_shared_is_mutable(value)) {
        vm_heap_add_shared(heap, value);
        return VM_OK;
    }
    result = vm_copy_to_heap(value, heap, ret);
    vm_shared_unref(value);
    return result == VM_COPY_OK ? VM_OK : VM_NOMEM;
}

enum vm_status vm_reactive_peek(struct vm_ctx *ctx, vm_value cell, unsigned position, vm_value *ret)
{
    return view(ctx, hold(cell, position), ret);
}

vm_value vm_reactive_hold(vm_value variant) { return hold(variant, 0); }

/* ---- parents; all under links_lock ---- */

static void add_parent(vm_value child, vm_value parent, unsigned position)
{
    struct tail *tail = tail_of(child);

    if (tail->parent_count == tail->parent_capacity) {
        uint32_t capacity = tail->parent_capacity == 0 ? 2 : tail->parent_capacity * 2;
        struct parent *parents = nb_realloc_array(tail->parents, capacity, sizeof *parents);

        if (parents == NULL)
            nb_out_of_memory(capacity * sizeof *parents);
        tail->parents = parents;
        tail->parent_capacity = capacity;
    }
    tail->parents[tail->parent_count++] = (struct parent){ parent, position };
}

static void remove_parent(vm_value child, vm_value parent)
{
    struct tail *tail = tail_of(child);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < tail->parent_count; i++)
        if (tail->parents[i].record != parent)
            tail->parents[kept++] = tail->parents[i];
    tail->parent_count = kept;
}

unsigned vm_reactive_dying(vm_value cell)
{
    unsigned count = field_count(cell);
    bool locked = false;

    for (unsigned i = 0; i < count; i++) {
        vm_value child = vm_field(cell, i);

        if (!is_record(child) || constructor_of(cell)->form != VM_TYPE_REACTIVE_RECORD)
            continue;
        if (!locked)
            pthread_mutex_lock(&links_lock);
        locked = true;
        remove_parent(child, cell);
    }
    if (locked)
        pthread_mutex_unlock(&links_lock);
    nb_free(tail_of(cell)->parents);
    return count;
}

/* Store into a record's field; returns what was there, with its reference. */
static vm_value store(vm_value record, unsigned position, vm_value value)
{
    bool links = is_record(value);
    vm_value former;

    if (links)
        pthread_mutex_lock(&links_lock);
    former = swap(record, position, value);
    if (!links && is_record(former)) {
        pthread_mutex_lock(&links_lock);
        links = true;
    }
    if (is_record(former))
        remove_parent(former, record);
    if (is_record(value))
        add_parent(value, record, position);
    if (links)
        pthread_mutex_unlock(&links_lock);
    return former;
}

/* ---- making ---- */

/* A cell whose fields are all (). It belongs to the heap from now on. */
static vm_value new_cell(struct vm_ctx *ctx, const struct vm_constructor *constructor, unsigned count)
{
    size_t words = count + (sizeof(struct tail) + count + sizeof(vm_value) - 1) / sizeof(vm_value);
    vm_value cell = vm_shared_new(VM_KIND_REACTIVE, 0, constructor->id, (uint32_t)words);
    struct tail *tail;

    if (cell == VM_NONE)
        return VM_NONE;
    memset(vm_object(cell) + 1, 0, words * sizeof(vm_value));
    for (unsigned i = 0; i < count; i++)
        vm_object(cell)[1 + i] = VM_UNIT;
    tail = tail_of(cell);
    tail->id = 1 + atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed);
    vm_heap_add_shared(&ctx->process->heap, cell);
    return cell;
}

/* Make room for references before anything is held in C variables. */
static void tidy(struct vm_ctx *ctx)
{
    if (vm_heap_is_overdue(&ctx->process->heap))
        (void)vm_heap_reserve(ctx, 0); /* a heap beyond its limit is the next allocation's business */
}

enum vm_status vm_reactive_init(struct vm_ctx *ctx, vm_value record, unsigned position, vm_value value)
{
    vm_value shared;
    enum vm_status status = vm_mvar_share(ctx, value, &shared);

    if (status != VM_OK)
        return status;
    drop(store(record, position, shared));
    tail_of(record)->is_child[position] = is_record(shared);
    return VM_OK;
}

static enum vm_status new_record(struct vm_ctx *ctx, const struct vm_constructor *constructor, const vm_value *base,
                                 const uint16_t *order, vm_value *ret)
{
    enum vm_status status = VM_OK;
    vm_value cell = new_cell(ctx, constructor, constructor->arity);

    if (cell == VM_NONE)
        return VM_NOMEM;
    for (unsigned i = 0; i < constructor->arity && status == VM_OK; i++)
        status = vm_reactive_init(ctx, cell, i, base[order == NULL ? i : order[i]]);
    *ret = cell;
    return status;
}

/* Plain data of a variant's constructor, in the heap. VM_NONE: no memory. */
static vm_value plain_variant(struct vm_ctx *ctx, const struct vm_constructor *constructor, const vm_value *base,
                              const uint16_t *order)
{
    unsigned count = constructor->arity;
    vm_value *data;

    if (count == 0)
        return VM_IMMEDIATE(VM_SORT_CTOR, constructor->id);
    data = vm_heap_take(&ctx->process->heap, 1u + count);
    data[0] = VM_HEADER(VM_KIND_DATA, 0, constructor->id, count);
    for (unsigned i = 0; i < count; i++)
        data[1 + i] = base[order == NULL ? i : order[i]];
    return vm_from_object(data);
}

static enum vm_status new_variant(struct vm_ctx *ctx, const struct vm_constructor *constructor, vm_value content,
                                  vm_value *ret)
{
    vm_value shared, cell;
    enum vm_status status = vm_mvar_share(ctx, content, &shared);

    if (status != VM_OK)
        return status;
    cell = new_cell(ctx, constructor, 1);
    if (cell == VM_NONE) {
        drop(shared);
        return VM_NOMEM;
    }
    (void)swap(cell, 0, shared);
    *ret = cell;
    return VM_OK;
}

enum vm_status vm_reactive_new(struct vm_ctx *ctx, const struct vm_constructor *constructor, const vm_value *base,
                               const uint16_t *order, vm_value *ret)
{
    const struct vm_heap *heap = &ctx->process->heap;
    bool registers = base >= heap->fp && base < heap->end;
    ptrdiff_t in_frame = registers ? base - heap->fp : 0;

    if (constructor->form == VM_TYPE_REACTIVE_RECORD)
        tidy(ctx);
    else if (!vm_heap_reserve(ctx, 1u + constructor->arity))
        return VM_NOMEM;
    if (registers) /* they move with the stack */
        base = heap->fp + in_frame;
    if (constructor->form == VM_TYPE_REACTIVE_RECORD)
        return new_record(ctx, constructor, base, order, ret);
    return new_variant(ctx, constructor, plain_variant(ctx, constructor, base, order), ret);
}

enum vm_status vm_reactive_copy(struct vm_ctx *ctx, vm_value cell, vm_value *ret)
{
    unsigned count = field_count(cell);
    vm_value copy;

    tidy(ctx);
    copy = new_cell(ctx, constructor_of(cell), count);
    if (copy == VM_NONE)
        return VM_NOMEM;
    for (unsigned i = 0; i < count; i++) {
        vm_value value = hold(cell, i);

        if (constructor_of(cell)->form == VM_TYPE_REACTIVE_RECORD)
            drop(store(copy, i, value));
        else
            drop(swap(copy, i, value));
        tail_of(copy)->is_child[i] = is_record(value);
    }
    *ret = copy;
    return VM_OK;
}

enum vm_status vm_reactive_snapshot(struct vm_ctx *ctx, vm_value cell, vm_value *ret)
{
    unsigned count = field_count(cell);
    vm_value *data;

    if (constructor_of(cell)->form == VM_TYPE_REACTIVE_VARIANT)
        return vm_reactive_peek(ctx, cell, 0, ret);
    if (!vm_heap_reserve(ctx, 1u + count))
        return VM_NOMEM;
    data = vm_heap_take(&ctx->process->heap, 1u + count);
    data[0] = VM_HEADER(VM_KIND_DATA, 0, vm_aux(cell), count);
    for (unsigned i = 0; i < count; i++)
        data[1 + i] = VM_UNIT;
    *ret = vm_from_object(data);
    for (unsigned i = 0; i < count; i++) /* nothing collects in here */
        if (vm_reactive_peek(ctx, cell, i, &data[1 + i]) != VM_OK)
            return VM_NOMEM;
    return VM_OK;
}

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

vm_value vm_reactive_append(struct vm_ctx *ctx, vm_value list, vm_value name)
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
    names = vm_reactive_append(ctx, names == VM_NONE ? VM_NIL : names, vm_list_head(stack));
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

        pending = vm_reactive_append(ctx, vm_reactive_context(ctx, VM_REACTIVE_PENDING), name);
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
    return is_record(cell) ? vm_constructor_field(constructor_of(cell), name_id) : -1;
}

static vm_value field_name(struct vm_ctx *ctx, vm_value record, unsigned position)
{
    return vm_string_cstr(ctx, constructor_of(record)->fields[position]);
}

/* Of the fields that held a record when this one was made, what they hold now. */
static enum vm_status children(struct vm_ctx *ctx, vm_value record, vm_value *ret)
{
    vm_value list = VM_NIL;

    for (unsigned i = 0; i < field_count(record); i++) {
        vm_value child;

        if (!tail_of(record)->is_child[i])
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

/* Those of the parents that live, each with a reference that the caller gets. */
static struct parent *living_parents(vm_value record, uint32_t *ret_count)
{
    struct tail *tail = tail_of(record);
    struct parent *living;

    *ret_count = 0;
    pthread_mutex_lock(&links_lock);
    living = nb_alloc_array(tail->parent_count + 1, sizeof *living);
    for (uint32_t i = 0; living != NULL && i < tail->parent_count; i++)
        if (vm_shared_try_ref(tail->parents[i].record))
            living[(*ret_count)++] = tail->parents[i];
    pthread_mutex_unlock(&links_lock);
    return living;
}

static vm_value parent_pair(struct vm_ctx *ctx, struct parent parent)
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
    struct parent *living;
    vm_value list = VM_NIL, pair;

    if (tail_of(record)->parent_count > 0)
        (void)vm_heap_collect(ctx, 0);
    living = living_parents(record, &count);
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

    tidy(ctx);
    if (is_record(record) && is_named(name_id, "children"))
        return children(ctx, record, ret);
    if (is_record(record) && is_named(name_id, "parents"))
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
    tidy(ctx);
    VM_UNROOT(ctx, value);
    status = vm_mvar_share(ctx, value, &shared);
    if (status != VM_OK)
        return status;
    ctx->process->published = true;
    former = store(record, (unsigned)position, shared);
    if (!has_callbacks(ctx, VM_REACTIVE_ON_CHANGE, record)) {
        drop(former);
        return note_written(ctx, record) ? VM_OK : VM_NOMEM;
    }
    if (view(ctx, former, &former) != VM_OK)
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

    tidy(ctx);
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
    tidy(ctx);
    VM_UNROOT(ctx, value);
    if (vm_is_reactive_variant(value))
        shared = hold(value, 0);
    else
        status = vm_mvar_share(ctx, value, &shared);
    if (status != VM_OK)
        return status;
    ctx->process->published = true;
    former = swap(variant, 0, shared);
    if (!has_callbacks(ctx, VM_REACTIVE_ON_CHANGE, variant)) {
        drop(former);
        return note_written(ctx, variant) ? VM_OK : VM_NOMEM;
    }
    if (view(ctx, former, &former) != VM_OK)
        return VM_NOMEM;
    VM_ROOT(ctx, former);
    noted = note_written(ctx, variant);
    VM_UNROOT(ctx, former);
    if (!noted || vm_reactive_peek(ctx, variant, 0, &shared) != VM_OK)
        return VM_NOMEM;
    return call_out(ctx, VM_LIBRARY_REACTIVE_SET, 3, (vm_value[]){ variant, former, shared });
}
