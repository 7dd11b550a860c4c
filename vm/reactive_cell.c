/*
 * reactive_cell.c - the cells: fields under a spin bit, parents, making and copying.
 *
 * Behind the header of a cell lie its fields, then `struct vm_cell_tail`. Parents are noted in the child, weakly: a
 * parent that dies takes its notes back (vm_reactive_dying()), and whoever reads them takes a reference only if the
 * parent still has one. All that concerns parents happens under one lock; who stores a record into a field holds it
 * around the store, so that a note is never made later than the one who takes it back looks for it.
 */
#include "config.h"

#include "vm/reactive_private.h"

#include <ck_pr.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/alloc.h"
#include "vm/mvar.h"

enum { SPINS_MAX = 64 };

static pthread_mutex_t links_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t last_id;

bool vm_is_reactive_variant(vm_value v)
{
    return vm_is_reactive(v) && vm_cell_constructor(v)->form == VM_TYPE_REACTIVE_VARIANT;
}

uint64_t vm_reactive_id(vm_value cell) { return vm_cell_tail(cell)->id; }

/* ---- fields ---- */

static void begin_turn(struct vm_cell_tail *tail)
{
    for (unsigned spins = 0; atomic_exchange_explicit(&tail->turn, 1, memory_order_acquire) != 0; spins++) {
        if (spins < SPINS_MAX)
            ck_pr_stall();
        else
            sched_yield();
    }
}

static void end_turn(struct vm_cell_tail *tail) { atomic_store_explicit(&tail->turn, 0, memory_order_release); }

vm_value vm_cell_hold(vm_value cell, unsigned position)
{
    struct vm_cell_tail *tail = vm_cell_tail(cell);
    vm_value value;

    begin_turn(tail);
    value = vm_field(cell, position);
    if (vm_is_shared(value))
        vm_shared_ref(value);
    end_turn(tail);
    return value;
}

vm_value vm_cell_swap(vm_value cell, unsigned position, vm_value value)
{
    struct vm_cell_tail *tail = vm_cell_tail(cell);
    vm_value former;

    begin_turn(tail);
    former = vm_field(cell, position);
    vm_object(cell)[1 + position] = value;
    end_turn(tail);
    return former;
}

enum vm_status vm_reactive_peek(struct vm_ctx *ctx, vm_value cell, unsigned position, vm_value *ret)
{
    return vm_mvar_view(ctx, vm_cell_hold(cell, position), ret);
}

vm_value vm_reactive_hold(vm_value variant) { return vm_cell_hold(variant, 0); }

/* ---- parents; all under links_lock ---- */

static void add_parent(vm_value child, vm_value parent, unsigned position)
{
    struct vm_cell_tail *tail = vm_cell_tail(child);

    if (tail->parent_count == tail->parent_capacity) {
        uint32_t capacity = tail->parent_capacity == 0 ? 2 : tail->parent_capacity * 2;
        struct vm_cell_parent *parents = nb_realloc_array(tail->parents, capacity, sizeof *parents);

        if (parents == NULL)
            nb_out_of_memory(capacity * sizeof *parents);
        tail->parents = parents;
        tail->parent_capacity = capacity;
    }
    tail->parents[tail->parent_count++] = (struct vm_cell_parent){ parent, position };
}

static void remove_parent(vm_value child, vm_value parent)
{
    struct vm_cell_tail *tail = vm_cell_tail(child);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < tail->parent_count; i++)
        if (tail->parents[i].record != parent)
            tail->parents[kept++] = tail->parents[i];
    tail->parent_count = kept;
}

unsigned vm_reactive_dying(vm_value cell)
{
    unsigned count = vm_cell_field_count(cell);
    bool locked = false;

    for (unsigned i = 0; i < count; i++) {
        vm_value child = vm_field(cell, i);

        if (!vm_cell_is_record(child) || vm_cell_constructor(cell)->form != VM_TYPE_REACTIVE_RECORD)
            continue;
        if (!locked)
            pthread_mutex_lock(&links_lock);
        locked = true;
        remove_parent(child, cell);
    }
    if (locked)
        pthread_mutex_unlock(&links_lock);
    nb_free(vm_cell_tail(cell)->parents);
    return count;
}

vm_value vm_cell_store(vm_value record, unsigned position, vm_value value)
{
    bool links = vm_cell_is_record(value);
    vm_value former;

    if (links)
        pthread_mutex_lock(&links_lock);
    former = vm_cell_swap(record, position, value);
    if (!links && vm_cell_is_record(former)) {
        pthread_mutex_lock(&links_lock);
        links = true;
    }
    if (vm_cell_is_record(former))
        remove_parent(former, record);
    if (vm_cell_is_record(value))
        add_parent(value, record, position);
    if (links)
        pthread_mutex_unlock(&links_lock);
    return former;
}

struct vm_cell_parent *vm_cell_living_parents(vm_value record, uint32_t *ret_count)
{
    struct vm_cell_tail *tail = vm_cell_tail(record);
    struct vm_cell_parent *living;

    *ret_count = 0;
    pthread_mutex_lock(&links_lock);
    living = nb_alloc_array(tail->parent_count + 1, sizeof *living);
    for (uint32_t i = 0; living != NULL && i < tail->parent_count; i++)
        if (vm_shared_try_ref(tail->parents[i].record))
            living[(*ret_count)++] = tail->parents[i];
    pthread_mutex_unlock(&links_lock);
    return living;
}

/* ---- making ---- */

/* A cell whose fields are all (). It belongs to the heap from now on. */
static vm_value new_cell(struct vm_ctx *ctx, const struct vm_constructor *constructor, unsigned count)
{
    size_t words = count + (sizeof(struct vm_cell_tail) + count + sizeof(vm_value) - 1) / sizeof(vm_value);
    vm_value cell = vm_shared_new(VM_KIND_REACTIVE, 0, constructor->id, (uint32_t)words);
    struct vm_cell_tail *tail;

    if (cell == VM_NONE)
        return VM_NONE;
    memset(vm_object(cell) + 1, 0, words * sizeof(vm_value));
    for (unsigned i = 0; i < count; i++)
        vm_object(cell)[1 + i] = VM_UNIT;
    tail = vm_cell_tail(cell);
    tail->id = 1 + atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed);
    vm_heap_add_shared(&ctx->process->heap, cell);
    return cell;
}

void vm_cell_tidy(struct vm_ctx *ctx)
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
    vm_cell_drop(vm_cell_store(record, position, shared));
    vm_cell_tail(record)->is_child[position] = vm_cell_is_record(shared);
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
        vm_cell_drop(shared);
        return VM_NOMEM;
    }
    (void)vm_cell_swap(cell, 0, shared);
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
        vm_cell_tidy(ctx);
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
    unsigned count = vm_cell_field_count(cell);
    vm_value copy;

    vm_cell_tidy(ctx);
    copy = new_cell(ctx, vm_cell_constructor(cell), count);
    if (copy == VM_NONE)
        return VM_NOMEM;
    for (unsigned i = 0; i < count; i++) {
        vm_value value = vm_cell_hold(cell, i);

        if (vm_cell_constructor(cell)->form == VM_TYPE_REACTIVE_RECORD)
            vm_cell_drop(vm_cell_store(copy, i, value));
        else
            vm_cell_drop(vm_cell_swap(copy, i, value));
        vm_cell_tail(copy)->is_child[i] = vm_cell_is_record(value);
    }
    *ret = copy;
    return VM_OK;
}

enum vm_status vm_reactive_snapshot(struct vm_ctx *ctx, vm_value cell, vm_value *ret)
{
    unsigned count = vm_cell_field_count(cell);
    vm_value *data;

    if (vm_cell_constructor(cell)->form == VM_TYPE_REACTIVE_VARIANT)
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
