/*
 * reactive.c - natives of reactive values: methods of the cells, and the context of rendering (04 §19.3, §21.2).
 *
 * What is known per process is in slots that vm/reactive.h names. Each native that changes several of them makes the
 * new values first, as making one may move the others.
 */
#include "config.h"

#include "base/assert.h"
#include "lib/expect.h"
#include "vm/code.h"
#include "vm/compare.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/map.h"
#include "vm/number.h"
#include "vm/reactive.h"
#include "vm/string.h"

static enum vm_status expect_cell(struct vm_ctx *ctx, vm_value v)
{
    if (vm_is_reactive(v))
        return VM_OK;
    return vm_raise_kind(ctx, "TypeError", "expected ReactiveRecord or ReactiveVariant, got non-reactive");
}

static enum vm_status done(bool had_memory, vm_value *ret)
{
    *ret = VM_UNIT;
    return had_memory ? VM_OK : VM_NOMEM;
}

static enum vm_status reactive_id(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_cell(ctx, args[0]);

    return status == VM_OK ? lib_answer_int(ctx, (int64_t)vm_reactive_id(args[0]), ret) : status;
}

/* ---- callbacks ---- */

static vm_value callbacks_of(struct vm_ctx *ctx, enum vm_reactive_slot slot, vm_value cell)
{
    vm_value list = vm_map_get(vm_reactive_context(ctx, slot), vm_from_small((int64_t)vm_reactive_id(cell)));

    return list == VM_NONE ? VM_NIL : list;
}

static enum vm_status add_callback(struct vm_ctx *ctx, vm_value *args, enum vm_reactive_slot slot, vm_value *ret)
{
    vm_value list, map;

    if (vm_class_of(args[1]) != VM_CLASS_FUNCTION)
        return vm_raise_type(ctx, "function", args[1]);
    list = vm_list_push(ctx, callbacks_of(ctx, slot, args[0]), args[1]);
    if (list == VM_NONE)
        return VM_NOMEM;
    map = vm_map_insert(ctx, vm_reactive_context(ctx, slot), vm_from_small((int64_t)vm_reactive_id(args[0])), list);
    return done(map != VM_NONE && vm_reactive_set_context(ctx, slot, map), ret);
}

static enum vm_status reactive_on_change(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return add_callback(ctx, args, VM_REACTIVE_ON_CHANGE, ret);
}

static enum vm_status reactive_on_read(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return add_callback(ctx, args, VM_REACTIVE_ON_READ, ret);
}

static enum vm_status reactive_change_callbacks(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    *ret = callbacks_of(ctx, VM_REACTIVE_ON_CHANGE, args[0]);
    return VM_OK;
}

static enum vm_status reactive_read_callbacks(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    *ret = callbacks_of(ctx, VM_REACTIVE_ON_READ, args[0]);
    return VM_OK;
}

/* How many arguments a function takes; three and more are all there are. */
static unsigned arity_of(vm_value function)
{
    unsigned arity;

    if (vm_is_kind(function, VM_KIND_NATIVE))
        arity = ((const struct vm_native *)vm_object(function))->arity;
    else if (vm_is_kind(function, VM_KIND_CLOSURE))
        arity = ((const struct vm_function *)(uintptr_t)vm_field(function, 0))->arity;
    else
        arity = ((const struct vm_function *)vm_object(function))->arity;
    return arity < 3 ? arity : 3;
}

static enum vm_status reactive_call_leading(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)ret;
    ctx->call_function = args[0];
    ctx->call_arg_count = arity_of(args[0]);
    for (unsigned i = 0; i < ctx->call_arg_count; i++)
        ctx->call_args[i] = args[1 + i];
    return VM_CALL;
}

/* ---- variants ---- */

static enum vm_status reactive_get(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return vm_reactive_get(ctx, args[0], ret);
}

static enum vm_status reactive_set(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    *ret = VM_UNIT;
    return vm_reactive_set(ctx, args[0], args[1]);
}

/* ---- what was written, and who depends on it ---- */

static bool clear_changed(struct vm_ctx *ctx)
{
    return vm_reactive_set_context(ctx, VM_REACTIVE_CHANGED, VM_NIL) &&
           vm_reactive_set_context(ctx, VM_REACTIVE_IS_CHANGED, VM_EMPTY_SET);
}

static enum vm_status reactive_changed(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    *ret = vm_reactive_context(ctx, VM_REACTIVE_CHANGED);
    return *ret == VM_NIL || clear_changed(ctx) ? VM_OK : VM_NOMEM; /* there is a context: nothing is allocated */
}

static enum vm_status reactive_flush_pending(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    *ret = vm_reactive_context(ctx, VM_REACTIVE_PENDING);
    return *ret == VM_NIL || vm_reactive_set_context(ctx, VM_REACTIVE_PENDING, VM_NIL) ? VM_OK : VM_NOMEM;
}

static enum vm_status reactive_clear(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    return done(vm_reactive_set_context(ctx, VM_REACTIVE_DEPS, VM_EMPTY_MAP) &&
                    vm_reactive_set_context(ctx, VM_REACTIVE_PENDING, VM_NIL) && clear_changed(ctx),
                ret);
}

/* A list of names without one of them. VM_NONE: no memory. */
static vm_value without(struct vm_ctx *ctx, vm_value names, vm_value name)
{
    vm_value kept = VM_NIL, item;
    uint32_t count = vm_list_length(names);

    VM_ROOT(ctx, names);
    VM_ROOT(ctx, name);
    VM_ROOT(ctx, kept);
    for (uint32_t i = 0; i < count && kept != VM_NONE; i++) {
        item = vm_list_at(ctx, names, i);
        if (!vm_equal(item, name))
            kept = vm_list_push(ctx, kept, item);
    }
    VM_UNROOT(ctx, kept);
    VM_UNROOT(ctx, name);
    VM_UNROOT(ctx, names);
    return kept;
}

/* The dependencies without a component; ids that nobody depends on any more go, too. */
static vm_value deps_without(struct vm_ctx *ctx, vm_value *name)
{
    vm_value before = vm_reactive_context(ctx, VM_REACTIVE_DEPS), after = before, id, names;
    struct vm_map_walk walk;
    uint32_t count = 0, room = vm_map_count(before);
    vm_value ids = room == 0 ? VM_NIL : vm_list_make(ctx, room);

    if (ids == VM_NONE)
        return VM_NONE;
    before = after = vm_reactive_context(ctx, VM_REACTIVE_DEPS);
    for (vm_map_walk(&walk, before); vm_map_next(&walk, &id, &names);)
        vm_list_init_at(ids, count++, id);
    VM_ROOT(ctx, ids);
    VM_ROOT(ctx, after);
    for (uint32_t i = 0; i < count && after != VM_NONE; i++) {
        id = vm_list_at(ctx, ids, i);
        names = without(ctx, vm_map_get(after, id), *name);
        if (names == VM_NONE)
            after = VM_NONE;
        else
            after = names == VM_NIL ? vm_map_remove(ctx, after, id) : vm_map_insert(ctx, after, id, names);
    }
    VM_UNROOT(ctx, after);
    VM_UNROOT(ctx, ids);
    return after;
}

static enum vm_status reactive_clear_component(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    vm_value deps, pending;

    if (status != VM_OK)
        return status;
    deps = deps_without(ctx, &args[0]);
    if (deps == VM_NONE || !vm_reactive_set_context(ctx, VM_REACTIVE_DEPS, deps))
        return VM_NOMEM;
    pending = without(ctx, vm_reactive_context(ctx, VM_REACTIVE_PENDING), args[0]);
    return done(pending != VM_NONE && vm_reactive_set_context(ctx, VM_REACTIVE_PENDING, pending), ret);
}

static enum vm_status reactive_get_deps(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    *ret = vm_reactive_context(ctx, VM_REACTIVE_DEPS);
    return VM_OK;
}

static enum vm_status reactive_set_deps(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "M");

    return status == VM_OK ? done(vm_reactive_set_context(ctx, VM_REACTIVE_DEPS, args[0]), ret) : status;
}

/* ---- rendering ---- */

static bool push_to(struct vm_ctx *ctx, enum vm_reactive_slot slot, vm_value item)
{
    vm_value list = item == VM_NONE ? VM_NONE : vm_list_cons(ctx, item, vm_reactive_context(ctx, slot));

    return list != VM_NONE && vm_reactive_set_context(ctx, slot, list);
}

static bool pop_from(struct vm_ctx *ctx, enum vm_reactive_slot slot)
{
    vm_value list = vm_list_tail(ctx, vm_reactive_context(ctx, slot));

    return list != VM_NONE && vm_reactive_set_context(ctx, slot, list);
}

static enum vm_status render_push(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S");

    if (status != VM_OK)
        return status;
    return done(push_to(ctx, VM_REACTIVE_STACK, args[0]) &&
                    push_to(ctx, VM_REACTIVE_OPEN, lib_pair(ctx, args[0], VM_NIL)),
                ret);
}

/* The innermost open node becomes the last child of the one around it, or a root. */
static bool close_node(struct vm_ctx *ctx)
{
    vm_value node = vm_list_head(vm_reactive_context(ctx, VM_REACTIVE_OPEN)), outer, list;

    if (vm_list_length(vm_reactive_context(ctx, VM_REACTIVE_OPEN)) == 1) {
        list = vm_list_push(ctx, vm_reactive_context(ctx, VM_REACTIVE_ROOTS), node);
        return list != VM_NONE && vm_reactive_set_context(ctx, VM_REACTIVE_ROOTS, list) &&
               pop_from(ctx, VM_REACTIVE_OPEN);
    }
    VM_ROOT(ctx, node);
    bool popped = pop_from(ctx, VM_REACTIVE_OPEN);
    VM_UNROOT(ctx, node);
    if (!popped)
        return false;
    outer = vm_list_head(vm_reactive_context(ctx, VM_REACTIVE_OPEN));
    list = vm_list_push(ctx, vm_field(outer, 1), node);
    if (list == VM_NONE)
        return false;
    outer = vm_list_head(vm_reactive_context(ctx, VM_REACTIVE_OPEN));
    outer = lib_pair(ctx, vm_field(outer, 0), list);
    if (outer == VM_NONE)
        return false;
    VM_ROOT(ctx, outer);
    popped = pop_from(ctx, VM_REACTIVE_OPEN);
    VM_UNROOT(ctx, outer);
    return popped && push_to(ctx, VM_REACTIVE_OPEN, outer);
}

static enum vm_status render_pop(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    *ret = VM_UNIT;
    if (vm_reactive_context(ctx, VM_REACTIVE_STACK) != VM_NIL && !pop_from(ctx, VM_REACTIVE_STACK))
        return VM_NOMEM;
    return done(vm_reactive_context(ctx, VM_REACTIVE_OPEN) == VM_NIL || close_node(ctx), ret);
}

static enum vm_status render_current(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    vm_value stack = vm_reactive_context(ctx, VM_REACTIVE_STACK);

    (void)args;
    if (stack == VM_NIL)
        return lib_answer_cstr(ctx, "", ret);
    *ret = vm_list_head(stack);
    return VM_OK;
}

static int64_t depth_of(const struct vm_ctx *ctx) { return vm_small(vm_reactive_context(ctx, VM_REACTIVE_DEPTH)); }

static enum vm_status render_start(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    int64_t depth = depth_of(ctx);

    (void)args;
    if (!vm_reactive_set_context(ctx, VM_REACTIVE_DEPTH, vm_from_small(depth + 1)))
        return VM_NOMEM;
    if (depth == 0) { /* there is a context now: nothing is allocated */
        (void)vm_reactive_set_context(ctx, VM_REACTIVE_DEPS, VM_EMPTY_MAP);
        (void)vm_reactive_set_context(ctx, VM_REACTIVE_PENDING, VM_NIL);
        (void)vm_reactive_set_context(ctx, VM_REACTIVE_OPEN, VM_NIL);
        (void)vm_reactive_set_context(ctx, VM_REACTIVE_ROOTS, VM_NIL);
        (void)vm_reactive_set_context(ctx, VM_REACTIVE_RENDERERS, VM_EMPTY_MAP);
    }
    return done(true, ret);
}

static enum vm_status render_finish(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    int64_t depth = depth_of(ctx);

    (void)args;
    *ret = lib_tuple(ctx, 4,
                     (vm_value[]){ vm_reactive_context(ctx, VM_REACTIVE_DEPS),
                                   vm_reactive_context(ctx, VM_REACTIVE_ROOTS),
                                   vm_reactive_context(ctx, VM_REACTIVE_RENDERERS),
                                   vm_reactive_context(ctx, VM_REACTIVE_CHANGED) });
    if (*ret == VM_NONE)
        return VM_NOMEM;
    if (depth > 0) /* there is a context: nothing is allocated */
        (void)vm_reactive_set_context(ctx, VM_REACTIVE_DEPTH, vm_from_small(depth - 1));
    if (vm_reactive_context(ctx, VM_REACTIVE_CHANGED) != VM_NIL)
        (void)clear_changed(ctx);
    return VM_OK;
}

static enum vm_status render_add_renderer(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "S*");
    vm_value map;

    if (status != VM_OK)
        return status;
    map = vm_map_insert(ctx, vm_reactive_context(ctx, VM_REACTIVE_RENDERERS), args[0], args[1]);
    return done(map != VM_NONE && vm_reactive_set_context(ctx, VM_REACTIVE_RENDERERS, map), ret);
}

static enum vm_status render_depth(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    *ret = vm_reactive_context(ctx, VM_REACTIVE_DEPTH);
    return VM_OK;
}

static enum vm_status render_set_depth(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");

    return status == VM_OK ? done(vm_reactive_set_context(ctx, VM_REACTIVE_DEPTH, args[0]), ret) : status;
}

#define LIB_TABLE "lib/reactive.def"
#define LIB_REGISTER lib_register_reactive
#include "lib/table.h"
