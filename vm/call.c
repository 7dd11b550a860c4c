/*
 * call.c - calls whose callee or argument count is known only while running, and the frames of tail calls inside `try`.
 *
 * A stub (code.h, 01 §14.2) is a frame that stands for "the caller's frame with its open handler". PUSH_STUB slides the
 * current frame down and puts the stub between it and its caller. Two rules keep chains short, both when the new stub
 * catches everything and cannot throw:
 *   1. a stub directly below that passes values on can never catch anything any more: it is dropped;
 *   2. on a stub that yields a constant whatever happens, a further stub changes nothing: it is not pushed.
 * So the accept loop that recurses inside `try` runs in constant memory.
 */
#include "config.h"

#include "vm/call.h"

#include <string.h>

#include "base/assert.h"
#include "base/intern.h"
#include "base/stress.h"
#include "vm/dispatch.h"
#include "vm/except.h"
#include "vm/reactive.h"
#include "vm/type.h"

uint32_t vm_known_names[VM_NAME_COUNT];

void vm_call_init(void)
{
    static const char *const names[VM_NAME_COUNT] = {
        [VM_NAME_ADD] = "add", [VM_NAME_SUB] = "sub", [VM_NAME_MUL] = "mul", [VM_NAME_DIV] = "div",
        [VM_NAME_EQ] = "eq",   [VM_NAME_NEQ] = "neq", [VM_NAME_LT] = "lt",   [VM_NAME_LTE] = "lte",
        [VM_NAME_GT] = "gt",   [VM_NAME_GTE] = "gte", [VM_NAME_SHOW] = "show",
        [VM_NAME_GET_OF_TYPE] = ".Get",
        [VM_NAME_SET_OF_TYPE] = ".Set",
        [VM_NAME_ADD_SCALAR_OF_TYPE] = ".AddScalar",
        [VM_NAME_SUB_SCALAR_OF_TYPE] = ".SubScalar",
        [VM_NAME_MUL_SCALAR_OF_TYPE] = ".MulScalar",
        [VM_NAME_DIV_SCALAR_OF_TYPE] = ".DivScalar",
    };

    for (unsigned i = 0; i < VM_NAME_COUNT; i++)
        vm_known_names[i] = nb_intern_id(names[i]);
}

static const struct vm_function *frame_function(const vm_value *fp)
{
    return (const struct vm_function *)(uintptr_t)fp[0];
}

static vm_value *frame_end(vm_value *fp)
{
    return fp + VM_FRAME_WORDS + frame_function(fp)->registers;
}

static enum vm_entered no_memory(struct vm_ctx *ctx)
{
    (void)vm_raise_panic(ctx, "Out of memory");
    return VM_ENTERED_RAISE;
}

static vm_value argument(const struct vm_ctx *ctx, struct vm_arguments arguments, unsigned index)
{
    if (arguments.registers == NULL)
        return ctx->call_args[index];
    if (arguments.registers[index] == VM_NO_REGISTER)
        return VM_NONE;
    return ctx->process->heap.fp[VM_FRAME_WORDS + arguments.registers[index]];
}

/* What a frame is to be filled with, found before memory is reserved. */
struct entry {
    const struct vm_function *function;
    vm_value callee;              /* the closure, VM_NONE for a plain function */
    struct vm_arguments arguments;
    bool spread;                  /* the only argument is a tuple: its components are the arguments */
};

static void fill_frame(const struct vm_ctx *ctx, const struct entry *entry, vm_value *registers)
{
    const struct vm_function *f = entry->function;
    unsigned i = 0;

    if (entry->spread) {
        vm_value tuple = argument(ctx, entry->arguments, 0);

        for (; i < f->arity; i++)
            registers[i] = vm_field(tuple, i);
    } else {
        for (; i < entry->arguments.count; i++)
            registers[i] = argument(ctx, entry->arguments, i);
    }
    for (; i < f->registers; i++)
        registers[i] = VM_NONE;
    if (f->captures > 0)
        registers[f->arity] = entry->callee;
}

/* `entry->callee` may be a heap object: it is a root while memory is reserved. */
static bool reserve_keeping(struct vm_ctx *ctx, struct entry *entry, size_t words)
{
    bool reserved;

    if (!nb_stress && vm_heap_has(&ctx->process->heap, words))
        return true;
    VM_ROOT(ctx, entry->callee);
    reserved = vm_heap_reserve(ctx, words);
    VM_UNROOT(ctx, entry->callee);
    return reserved;
}

static enum vm_entered push_frame(struct vm_ctx *ctx, struct entry *entry, uint64_t return_word)
{
    struct vm_process *p = ctx->process;
    size_t words = VM_FRAME_WORDS + entry->function->registers;
    vm_value *fp;

    if (p->depth >= p->depth_max) {
        (void)vm_raise_kind(ctx, "StackOverflow", "stack overflow");
        return VM_ENTERED_RAISE;
    }
    if (!reserve_keeping(ctx, entry, words))
        return no_memory(ctx);
    fp = p->heap.fp - words;
    fp[0] = vm_from_object(entry->function);
    fp[1] = return_word;
    fill_frame(ctx, entry, fp + VM_FRAME_WORDS);
    p->heap.fp = fp;
    p->depth++;
    p->pc = entry->function->code;
    return VM_ENTERED_FRAME;
}

/* The new frame is built below the old one, then moved up over it. */
static enum vm_entered replace_frame(struct vm_ctx *ctx, struct entry *entry)
{
    struct vm_process *p = ctx->process;
    size_t words = VM_FRAME_WORDS + entry->function->registers;
    vm_value *built, *fp;
    uint64_t return_word;

    if (!reserve_keeping(ctx, entry, words))
        return no_memory(ctx);
    built = p->heap.fp - words;
    return_word = p->heap.fp[1];
    fill_frame(ctx, entry, built + VM_FRAME_WORDS);
    fp = frame_end(p->heap.fp) - words;
    memmove(fp + VM_FRAME_WORDS, built + VM_FRAME_WORDS, entry->function->registers * sizeof *fp);
    fp[0] = vm_from_object(entry->function);
    fp[1] = return_word;
    p->heap.fp = fp;
    p->pc = entry->function->code;
    return VM_ENTERED_FRAME;
}

static enum vm_entered wrong_count(struct vm_ctx *ctx, const struct vm_function *f, unsigned got)
{
    if (f->lambda)
        (void)vm_raise_panic(ctx, "Lambda expected %u argument(s) but got %u", f->arity, got);
    else
        (void)vm_raise_panic(ctx, "Function '%s' expected %u argument(s) but got %u", f->name, f->arity, got);
    return VM_ENTERED_RAISE;
}

static enum vm_entered call_native(struct vm_ctx *ctx, const struct vm_native *native, struct vm_arguments arguments,
                                   bool tail, uint64_t return_word, vm_value *ret)
{
    enum vm_status status;

    if (native->arity != arguments.count) {
        const struct vm_native *other = vm_native_find(native->name, (int)arguments.count);

        if (other == NULL) {
            (void)vm_raise_panic(ctx, "Function '%s' expected %u argument(s) but got %u", native->name,
                                 native->arity, arguments.count);
            return VM_ENTERED_RAISE;
        }
        native = other;
    }
    for (unsigned i = 0; i < arguments.count; i++) {
        ctx->args[i] = argument(ctx, arguments, i);
        if (ctx->args[i] == VM_NONE) { /* named arguments left it out: natives have no defaults */
            (void)vm_raise_panic(ctx, "Function '%s' expected %u argument(s)", native->name, native->arity);
            return VM_ENTERED_RAISE;
        }
    }
    ctx->arg_count = arguments.count;
    *ret = VM_UNIT;
    status = native->function(ctx, ctx->args, ret);
    ctx->arg_count = 0;
    switch (status) {
    case VM_OK:
        return VM_ENTERED_RESULT;
    case VM_RAISE:
        return VM_ENTERED_RAISE;
    case VM_PARK:
        return VM_ENTERED_PARK;
    case VM_YIELD:
        return VM_ENTERED_YIELD;
    case VM_NOMEM:
        return no_memory(ctx);
    case VM_CALL:
        return vm_call_out(ctx, tail, return_word, ret);
    }
    nb_unreachable();
}

enum vm_entered vm_call_out(struct vm_ctx *ctx, bool tail, uint64_t return_word, vm_value *ret)
{
    enum vm_entered entered = vm_call_any(ctx, ctx->call_function, (struct vm_arguments){ NULL, ctx->call_arg_count },
                                          tail, return_word, ret);

    vm_ctx_forget_call(ctx);
    return entered;
}

static bool is_tuple_of(vm_value v, unsigned components)
{
    return vm_is_kind(v, VM_KIND_TUPLE) && vm_size(v) == components;
}

enum vm_entered vm_call_any(struct vm_ctx *ctx, vm_value callee, struct vm_arguments arguments, bool tail,
                            uint64_t return_word, vm_value *ret)
{
    struct entry entry = { NULL, VM_NONE, arguments, false };

    if (vm_is_kind(callee, VM_KIND_NATIVE))
        return call_native(ctx, (const struct vm_native *)vm_object(callee), arguments, tail, return_word, ret);
    if (vm_is_kind(callee, VM_KIND_CLOSURE)) {
        entry.function = (const struct vm_function *)(uintptr_t)vm_field(callee, 0);
        entry.callee = callee;
    } else if (vm_is_kind(callee, VM_KIND_FUNCTION)) {
        entry.function = (const struct vm_function *)vm_object(callee);
    } else {
        (void)vm_raise_type(ctx, "function", callee);
        return VM_ENTERED_RAISE;
    }
    if (arguments.count != entry.function->arity) {
        if (arguments.count == 1 && entry.function->arity > 1 &&
            is_tuple_of(argument(ctx, arguments, 0), entry.function->arity))
            entry.spread = true;
        else if (arguments.count < entry.function->required || arguments.count > entry.function->arity)
            return wrong_count(ctx, entry.function, arguments.count);
    }
    return tail ? replace_frame(ctx, &entry) : push_frame(ctx, &entry, return_word);
}

static const char *const *parameter_names(vm_value callee, unsigned *ret_count)
{
    const struct vm_function *f = NULL;

    if (vm_is_kind(callee, VM_KIND_NATIVE)) {
        const struct vm_native *native = (const struct vm_native *)vm_object(callee);

        *ret_count = native->arity;
        return vm_native_parameters(native);
    }
    if (vm_is_kind(callee, VM_KIND_FUNCTION))
        f = (const struct vm_function *)vm_object(callee);
    else if (vm_is_kind(callee, VM_KIND_CLOSURE))
        f = (const struct vm_function *)(uintptr_t)vm_field(callee, 0);
    *ret_count = f == NULL ? 0 : f->arity;
    return f == NULL ? NULL : f->parameters;
}

enum { NAMED_PARAMETERS_MAX = 256 };

/* Put a site's named arguments in place (01 §12.1): fills `order`, one register per parameter. */
static bool order_arguments(struct vm_ctx *ctx, const struct vm_site *site, const char *const *names,
                            unsigned parameters, struct vm_arguments given, unsigned skipped, uint16_t *order)
{
    unsigned next = 0;

    for (unsigned i = 0; i < parameters; i++)
        order[i] = VM_NO_REGISTER;
    for (unsigned i = 0; i < given.count; i++) {
        const char *name = site->arg_names[i + skipped];
        unsigned at = 0;

        if (name == NULL) {
            while (next < parameters && order[next] != VM_NO_REGISTER)
                next++;
            at = next;
        } else {
            while (at < parameters && names[at] != name)
                at++;
        }
        if (at >= parameters) {
            (void)vm_raise_panic(ctx, "unknown named argument '%s'", name == NULL ? "?" : name);
            return false;
        }
        order[at] = given.registers[i];
    }
    return true;
}

/* A function in the field of a reactive record that the call may mean. */
static bool reactive_field(struct vm_ctx *ctx, const struct vm_site *site, vm_value receiver, vm_value *target)
{
    const struct vm_constructor *constructor = vm_constructor_of(receiver);
    int position = vm_is_reactive_variant(receiver) ? -1 : vm_constructor_field(constructor, site->name_id);
    vm_value value;

    if (position < 0 || vm_reactive_peek(ctx, receiver, (unsigned)position, &value) != VM_OK)
        return false;
    if (!vm_is_kind(value, VM_KIND_CLOSURE) && !vm_is_kind(value, VM_KIND_FUNCTION) &&
        !vm_is_kind(value, VM_KIND_NATIVE))
        return false;
    *target = value;
    return true;
}

enum vm_entered vm_call_method(struct vm_ctx *ctx, struct vm_site *site, struct vm_arguments arguments, bool tail,
                               uint64_t return_word, vm_value *ret)
{
    vm_value receiver = argument(ctx, arguments, 0);
    bool field_call;
    vm_value target = vm_dispatch(ctx->process->program, site, receiver, &field_call);
    uint16_t order[NAMED_PARAMETERS_MAX];
    const char *const *names;
    unsigned parameters;

    if (vm_is_reactive(receiver) && target == site->fallback && !site->as_function)
        field_call = reactive_field(ctx, site, receiver, &target);
    if (target == VM_NONE) {
        (void)vm_raise_panic(ctx, "no method `%s` found for type `%s`", site->name,
                             vm_class_name(vm_class_of(receiver)));
        return VM_ENTERED_RAISE;
    }
    if (field_call) {
        arguments.registers++;
        arguments.count--;
    }
    if (site->arg_names != NULL) {
        names = parameter_names(target, &parameters);
        if (names == NULL || parameters > NAMED_PARAMETERS_MAX) {
            (void)vm_raise_panic(ctx, "`%s` takes no named arguments", site->name);
            return VM_ENTERED_RAISE;
        }
        if (!order_arguments(ctx, site, names, parameters, arguments, field_call ? 1 : 0, order))
            return VM_ENTERED_RAISE;
        arguments = (struct vm_arguments){ order, parameters };
    }
    return vm_call_any(ctx, target, arguments, tail, return_word, ret);
}

/* ---- stubs ---- */

/* The stub frame right below (above in memory) the current frame, or NULL. */
static vm_value *stub_below(vm_value *fp)
{
    vm_value *below = frame_end(fp);

    if (fp[1] == 0 || frame_function(below)->form == VM_FUNCTION_ORDINARY)
        return NULL;
    return below;
}

/* The handler a stub frame holds: its registers behind the captured values. */
static vm_value *stub_handler(vm_value *frame)
{
    return frame + VM_FRAME_WORDS + frame_function(frame)->arity;
}

/* Take a stub out from beneath the current frame, which moves up. Its handler is the innermost. */
static void drop_stub(struct vm_process *p, vm_value *stub)
{
    vm_value *fp = p->heap.fp;
    size_t moved = (size_t)(stub - fp), by = (size_t)(frame_end(stub) - stub);
    uint64_t return_word = stub[1];

    p->handler = (uint32_t)vm_small(stub_handler(stub)[0]);
    memmove(fp + by, fp, moved * sizeof *fp);
    p->heap.fp = fp + by;
    p->heap.fp[1] = return_word;
}

bool vm_push_stub(struct vm_ctx *ctx, const struct vm_function *stub, unsigned handler, const uint16_t *registers,
                  unsigned count)
{
    struct vm_process *p = ctx->process;
    vm_value *fp = p->heap.fp, *below, *frame, *slots;
    size_t words = VM_FRAME_WORDS + stub->registers, moved;

    p->handler = (uint32_t)vm_small(fp[VM_FRAME_WORDS + handler]);
    if (stub->catches_all) {
        while ((below = stub_below(p->heap.fp)) != NULL && frame_function(below)->form == VM_FUNCTION_STUB) {
            if (frame_function(below) == stub && count == 0)
                return true; /* the very same record is there already */
            drop_stub(p, below);
        }
        if (below != NULL) /* a constant's stub */
            return true;
    }
    if (!vm_heap_has(&p->heap, words) && !vm_heap_reserve(ctx, words)) {
        (void)vm_raise_panic(ctx, "Out of memory");
        return false;
    }
    fp = p->heap.fp;
    moved = (size_t)(frame_end(fp) - fp);
    frame = fp + moved - words;
    memmove(fp - words, fp, moved * sizeof *fp);
    fp -= words;
    p->heap.fp = fp;

    frame[0] = vm_from_object(stub);
    frame[1] = fp[1];
    slots = frame + VM_FRAME_WORDS;
    for (unsigned i = 0; i < count; i++)
        slots[i] = fp[VM_FRAME_WORDS + registers[i]];
    slots[count] = vm_from_small(p->handler);
    slots[count + 1] = vm_from_small((int64_t)((uint64_t)p->depth << 32 | stub->catch_at));
    for (unsigned i = count + 2; i < stub->registers; i++)
        slots[i] = VM_NONE;
    p->handler = (uint32_t)(p->heap.end - &slots[count]);
    fp[1] = vm_return_word(stub->code, count + 1);
    return true;
}

bool vm_unwind(struct vm_ctx *ctx)
{
    struct vm_process *p = ctx->process;
    vm_value *slots, *fp = p->heap.fp;
    uint64_t where;

    if (p->handler == 0)
        return false;
    slots = p->heap.end - p->handler;
    while (frame_end(fp) <= slots)
        fp = frame_end(fp);
    nb_assert(fp < slots);
    p->handler = (uint32_t)vm_small(slots[0]);
    where = (uint64_t)vm_small(slots[1]);
    p->depth = (uint32_t)(where >> 32);
    p->pc = frame_function(fp)->code + (uint32_t)where;
    p->heap.fp = fp;
    slots[0] = ctx->exception;
    slots[1] = VM_NONE;
    ctx->exception = VM_NONE;
    return true;
}
