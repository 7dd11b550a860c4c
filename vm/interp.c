/*
 * interp.c - the loop that executes instructions (opcodes.def says what each does).
 *
 * Dispatch is by computed goto through a table of labels: each instruction ends with its own indirect jump. Storing label addresses in the code itself would save
 * one load per instruction, from a table that always sits in the first cache level; it would cost the 16-bit opcode, and with it the room for three wide operands in one word.
 * Operands are loaded from the code one by one, when they are used: loads that nothing waits for are cheaper than keeping the word and cutting it up.
 *
 * While it runs, the state of a process is in the local variables pc, r, depth and reductions. SAVE() writes it to the process, LOAD() reads it back; whatever may
 * collect, raise, stop the process or look at its stack stands between the two. Paths that are common (small integers, inline floats, known functions, exact argument
 * counts) are written out here; the rest is in call.c, operate.c and the data modules.
 *
 * Pre-emption: calls and backward jumps count reductions; when they are used up the instruction is left for the next slice. So every loop and every recursion passes a
 * point where the process can be stopped or killed.
 */
#include "config.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/stress.h"
#include "vm/call.h"
#include "vm/compare.h"
#include "vm/dispatch.h"
#include "vm/except.h"
#include "vm/host.h"
#include "vm/list.h"
#include "vm/mvar.h"
#include "vm/number.h"
#include "vm/operate.h"
#include "vm/program.h"
#include "vm/reactive.h"
#include "vm/string.h"
#include "vm/type.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* In a loop: it is not to become a call of memset(), which takes longer than the few words it is about. */
#define KEEP_LOOP() __asm__ volatile("")

/* Between stores of neighbouring registers: they are not to become one store by way of a vector register, behind which
 * those who load one of them wait several times as long. */
#define STORED(place) __asm__ volatile("" : "+m"(place))

static inline const struct vm_function *function_of(const vm_value *fp)
{
    return (const struct vm_function *)(uintptr_t)fp[0];
}

/* A closure's or plain function's code; NULL when the value is neither. */
static inline const struct vm_function *callable_function(vm_value v)
{
    if (!vm_is_object(v))
        return NULL;
    if (vm_kind(v) == VM_KIND_CLOSURE)
        return (const struct vm_function *)(uintptr_t)vm_field(v, 0);
    return vm_kind(v) == VM_KIND_FUNCTION ? (const struct vm_function *)vm_object(v) : NULL;
}

static inline unsigned list_words(unsigned registers) { return (registers + 3) / 4; }

/* Division of words of 64 bits takes several times as long as that of 32, which most operands fit. */
static inline int64_t quotient(int64_t x, int64_t y)
{
    return (uint64_t)(x | y) >> 32 == 0 ? (uint32_t)x / (uint32_t)y : x / y;
}
static inline int64_t remainder_of(int64_t x, int64_t y)
{
    return (uint64_t)(x | y) >> 32 == 0 ? (uint32_t)x % (uint32_t)y : x % y;
}

/* The same for a constant above 0, of which many are powers of two: rounded towards 0, as the sign of x wants it. */
static inline int64_t quotient_by(int64_t x, int64_t y)
{
    if ((y & (y - 1)) == 0)
        return (x + ((x >> 63) & (y - 1))) >> __builtin_ctzll((uint64_t)y);
    return quotient(x, y);
}
static inline int64_t remainder_by(int64_t x, int64_t y)
{
    int64_t below = (x >> 63) & (y - 1);

    return (y & (y - 1)) == 0 ? ((x + below) & (y - 1)) - below : remainder_of(x, y);
}

/* Fill a callee's registers: with the caller's that a list names, and what is left with VM_NONE. */
static inline void fill_registers(vm_value *to, const vm_value *from, const uint16_t *list, unsigned count,
                                  unsigned registers)
{
    unsigned i = 0;

    for (; i < count; i++)
        to[i] = from[list[i]];
    for (; i < registers; i++) {
        to[i] = VM_NONE;
        KEEP_LOOP();
    }
}

/* Build a frame for `f` over the current one, whose arguments wait meanwhile at `staged`. Returns its registers. */
static inline vm_value *replace_registers(vm_value *r, const struct vm_function *f, const uint16_t *list, unsigned count,
                                          vm_value *staged)
{
    vm_value *fp = r - VM_FRAME_WORDS, *frame = r + function_of(fp)->registers - f->registers;
    vm_value return_word = fp[1];
    unsigned i;

    for (i = 0; i < count; i++)
        staged[i] = r[list[i]];
    for (i = 0; i < count; i++)
        frame[i] = staged[i];
    for (; i < f->registers; i++) {
        frame[i] = VM_NONE;
        KEEP_LOOP();
    }
    frame[-VM_FRAME_WORDS] = vm_from_object(f);
    frame[1 - VM_FRAME_WORDS] = return_word;
    return frame;
}

/* The first frame of a process: its entry function, which takes no arguments (a function with parameters gets () for each: 05 §1.2). */
static bool push_entry(struct vm_ctx *ctx)
{
    struct vm_process *p = ctx->process;
    const struct vm_function *f = callable_function(p->entry);
    size_t words;
    vm_value *fp;

    if (f == NULL) {
        (void)vm_raise_panic(ctx, "Spawn: expected function or closure");
        return false;
    }
    words = VM_FRAME_WORDS + f->registers;
    if (!vm_heap_has(&p->heap, words) && !vm_heap_reserve(ctx, words)) {
        (void)vm_raise_panic(ctx, "Out of memory");
        return false;
    }
    fp = p->heap.fp - words;
    fp[0] = vm_from_object(f);
    fp[1] = 0;
    for (unsigned i = 0; i < f->registers; i++)
        fp[VM_FRAME_WORDS + i] = i < f->required ? VM_UNIT : VM_NONE;
    if (f->captures > 0)
        fp[VM_FRAME_WORDS + f->arity] = p->entry;
    p->entry = VM_NONE;
    p->heap.fp = fp;
    p->pc = f->code;
    return true;
}

static enum vm_stop crash(struct vm_ctx *ctx)
{
    struct vm_process *p = ctx->process;

    p->exception = ctx->exception;
    ctx->exception = VM_NONE;
    p->trace = vm_stack_trace(p, 30);
    return VM_STOP_CRASH;
}

enum vm_stop vm_run(struct vm_ctx *ctx)
{
    static const void *const labels[] = {
#define OP(name, operands, flags, meaning) &&op_##name,
#include "vm/opcodes.def"
#undef OP
#define PAIR(first, second) &&op_##first##_##second,
#include "vm/pairs.def"
#undef PAIR
    };
    struct vm_process *p = ctx->process;
    struct vm_heap *heap = &p->heap;
    int64_t reductions = ctx->reductions;
    const uint64_t *pc;
    vm_value *r; /* register 0 */
    uint32_t depth;
    vm_value result = VM_NONE; /* of an instruction that ended out of line; stored by the label `deliver` */
    const struct vm_native *native; /* to be run by the label `run_native`, with the arguments of the instruction */
    enum vm_status status;
    enum vm_entered entered;
    bool tail;
    vm_value given, earlier; /* what the last two parts of a typed instruction computed */

#define SAVE() (p->pc = pc, p->depth = depth, ctx->reductions = reductions)
#define LOAD() (pc = p->pc, depth = p->depth, r = heap->fp + VM_FRAME_WORDS, reductions = ctx->reductions)
#define FP (r - VM_FRAME_WORDS)
/* After a call that may have collected but left pc and depth alone. */
#define MOVED() (r = heap->fp + VM_FRAME_WORDS, reductions = ctx->reductions)

/* Operands of the instruction at pc. */
#define A VM_A_AT(pc)
#define B VM_B_AT(pc)
#define C VM_C_AT(pc)
#define SC VM_SC_AT(pc)
#define D VM_D_AT(pc)
#define W1 (pc[1])
#define W2 (pc[2])

#define DISPATCH() \
    do { \
        goto *labels[VM_OP_AT(pc)]; \
    } while (0)
#define NEXT(words) \
    do { \
        pc += (words); \
        DISPATCH(); \
    } while (0)
#define JUMP_BY(offset) \
    do { \
        pc += (offset); \
        DISPATCH(); \
    } while (0)
/* The pair TEST_…, JUMP_FALSE: go on behind it or jump as its second word says. */
#define BRANCH(condition) \
    do { \
        if (condition) \
            NEXT(2); \
        pc++; \
        JUMP_BY(VM_D_AT(pc)); \
    } while (0)
#define RESERVE(words) \
    do { \
        if (nb_stress || unlikely(!vm_heap_has(heap, (words)))) { \
            SAVE(); \
            if (!vm_heap_reserve(ctx, (words))) \
                goto no_memory; \
            MOVED(); \
        } \
    } while (0)

    if (unlikely(atomic_load_explicit(&p->kill, memory_order_relaxed)))
        return VM_STOP_KILLED;
    vm_ctx_forget(ctx);
    if (unlikely(p->pc == NULL) && !push_entry(ctx))
        return crash(ctx);
    vm_process_wait_for(p, VM_WAIT_NONE);
    LOAD();
    DISPATCH();

    /* ---- values ---- */

op_MOVE:
    r[A] = r[B];
    NEXT(1);
op_CONST:
    r[A] = W1;
    NEXT(2);
op_INT:
    r[A] = vm_from_small(D);
    NEXT(1);
op_CAPTURED:
    r[A] = vm_field(r[B], 1u + C);
    NEXT(1);
op_CELL: {
    vm_value *cell;

    RESERVE(2);
    cell = vm_heap_take(heap, 2);
    cell[0] = VM_HEADER(VM_KIND_CELL, 0, 0, 1);
    cell[1] = r[B];
    r[A] = vm_from_object(cell);
    NEXT(1);
}
op_CELL_GET:
    r[A] = vm_field(r[B], 0);
    NEXT(1);
op_CELL_SET:
    vm_object(r[A])[1] = r[B];
    NEXT(1);
op_CLOSURE: {
    unsigned count = C;
    const uint16_t *list = (const uint16_t *)(pc + 2);
    vm_value *closure;

    RESERVE(2u + count);
    closure = vm_heap_take(heap, 2u + count);
    closure[0] = VM_HEADER(VM_KIND_CLOSURE, 0, 0, 1u + count);
    closure[1] = W1;
    for (unsigned i = 0; i < count; i++)
        closure[2 + i] = r[list[i]];
    r[A] = vm_from_object(closure);
    NEXT(2u + list_words(count));
}
op_CLOSURE_SET:
    vm_object(r[A])[2u + C] = r[B];
    NEXT(1);
op_TUPLE: {
    unsigned count = C;
    const uint16_t *list = (const uint16_t *)(pc + 1);
    vm_value *tuple;

    RESERVE(1u + count);
    tuple = vm_heap_take(heap, 1u + count);
    tuple[0] = VM_HEADER(VM_KIND_TUPLE, 0, 0, count);
    for (unsigned i = 0; i < count; i++)
        tuple[1 + i] = r[list[i]];
    r[A] = vm_from_object(tuple);
    NEXT(1u + list_words(count));
}
op_DATA: {
    unsigned count = C;
    const uint16_t *list = (const uint16_t *)(pc + 2);
    vm_value *data, header = vm_data_header((uint32_t)W1, count);

    if (unlikely(vm_header_kind(header) == VM_KIND_REACTIVE)) {
        SAVE();
        status = vm_reactive_new(ctx, vm_constructor((uint32_t)W1), r, list, &result);
        if (unlikely(status != VM_OK))
            goto not_ok;
        MOVED();
        r[A] = result;
        NEXT(2u + list_words(count));
    }
    RESERVE(1u + count);
    data = vm_heap_take(heap, 1u + count);
    data[0] = header;
    for (unsigned i = 0; i < count; i++)
        data[1 + i] = r[list[i]];
    r[A] = vm_from_object(data);
    NEXT(2u + list_words(count));
}
op_LIST: {
    unsigned count = C;
    const uint16_t *list = (const uint16_t *)(pc + 1);
    vm_value *array;

    RESERVE(5u + count); /* the ARRAY with its count, then the SLICE */
    array = vm_heap_take(heap, 5u + count);
    array[0] = VM_HEADER(VM_KIND_ARRAY, 0, 0, 1u + count);
    array[1] = vm_from_small(count);
    for (unsigned i = 0; i < count; i++)
        array[2 + i] = r[list[i]];
    array[2 + count] = VM_HEADER(VM_KIND_SLICE, 0, 0, count);
    array[3 + count] = vm_from_object(array);
    array[4 + count] = vm_from_small(0);
    r[A] = count == 0 ? VM_NIL : vm_from_object(array + 2 + count);
    NEXT(1u + list_words(count));
}
op_CONS: {
    vm_value tail_list = r[C], *cell;

    if (unlikely(!vm_is_list(tail_list) || vm_list_length(tail_list) == VM_SIZE_MAX)) {
        SAVE();
        (void)vm_raise_type(ctx, "List", tail_list);
        goto raise_saved;
    }
    RESERVE(3);
    cell = vm_heap_take(heap, 3);
    cell[0] = VM_HEADER(VM_KIND_CONS, 0, 0, vm_list_length(r[C]) + 1);
    cell[1] = r[B];
    cell[2] = r[C];
    r[A] = vm_from_object(cell);
    NEXT(1);
}
op_RANGE:
    SAVE();
    status = vm_op_range(ctx, r[B], r[C], &result);
    goto finish_1;
op_MAP:
    SAVE();
    status = vm_op_map(ctx, (const uint16_t *)(pc + 1), C, &result);
    goto finish_list;
op_SET:
    SAVE();
    status = vm_op_set(ctx, (const uint16_t *)(pc + 1), C, &result);
    goto finish_list;
op_SHOW:
    if (vm_is_string(r[B])) {
        r[A] = r[B];
        NEXT(1);
    }
    SAVE();
    status = vm_op_show(ctx, r[B], &result);
    goto finish_1;
op_JOIN:
    SAVE();
    status = vm_op_join(ctx, (const uint16_t *)(pc + 1), C, &result);
    goto finish_list;

    /* ---- parts of values ---- */

op_FIELD: {
    vm_value object = r[B];
    uint64_t cache = __atomic_load_n(&pc[2], __ATOMIC_RELAXED);

    if (likely(vm_is_object(object) && vm_is_data(object) && vm_aux(object) == (uint32_t)cache && cache != 0)) {
        r[A] = vm_field(object, (unsigned)(cache >> 32));
        NEXT(3);
    }
    SAVE();
    status = vm_op_field(ctx, object, (uint32_t)W1, (uint64_t *)(uintptr_t)&pc[2], &result);
    goto finish_3;
}
op_SET_FIELD:
    SAVE();
    status = vm_op_set_field(ctx, r[A], (uint32_t)W1, r[B]);
    if (unlikely(status != VM_OK)) /* a call delivers what r[A] is already */
        goto not_ok;
    MOVED();
    NEXT(3);
op_COMPONENT: {
    vm_value object = r[B];

    if (likely(vm_is_kind(object, VM_KIND_TUPLE) && C < vm_size(object))) {
        r[A] = vm_field(object, C);
        NEXT(1);
    }
    SAVE();
    status = vm_op_component(ctx, object, C, &result);
    goto finish_1;
}
op_AT:
    r[A] = vm_field(r[B], C);
    NEXT(1);
op_HEAD:
    r[A] = vm_list_head(r[B]);
    NEXT(1);
op_TAIL: {
    vm_value list = r[B], *slice;
    uint32_t length = vm_size(list);

    if (vm_kind(list) == VM_KIND_CONS) {
        r[A] = vm_field(list, 1);
        NEXT(1);
    }
    if (length == 1) {
        r[A] = VM_NIL;
        NEXT(1);
    }
    RESERVE(3);
    list = r[B];
    slice = vm_heap_take(heap, 3);
    slice[0] = VM_HEADER(VM_KIND_SLICE, 0, 0, length - 1);
    slice[1] = vm_field(list, 0);
    slice[2] = vm_field(list, 1) + 2; /* offset + 1 */
    r[A] = vm_from_object(slice);
    NEXT(1);
}
op_LIST_AT:
    SAVE();
    result = vm_list_at(ctx, r[B], C);
    goto finish_value_1;
op_DROP: {
    vm_value list = r[B];

    SAVE();
    result = vm_list_part(ctx, list, C, vm_list_length(list) - C);
    goto finish_value_1;
}
op_INDEX: {
    vm_value list = r[B], index = r[C];

    if (likely(vm_is_small(index) && vm_is_kind(list, VM_KIND_SLICE) && (uint64_t)vm_small(index) < vm_size(list))) {
        r[A] = vm_object(vm_field(list, 0))[2 + vm_small(vm_field(list, 1)) + vm_small(index)];
        NEXT(1);
    }
    SAVE();
    status = vm_op_index(ctx, list, index, &result);
    goto finish_1;
}
op_SET_INDEX:
    SAVE();
    status = vm_op_set_index(ctx, r[B], r[C], r[W1], &result);
    goto finish_2;
op_UPDATE: {
    const uint32_t *names = (const uint32_t *)(uintptr_t)W2, *positions = names + C;
    const uint16_t *list = (const uint16_t *)(pc + 3);
    unsigned count = C;

    if (likely(vm_is_kind(r[B], VM_KIND_DATA) && vm_aux(r[B]) == (uint32_t)W1)) {
        unsigned size = vm_size(r[B]);
        vm_value *copy;

        RESERVE(1u + size);
        copy = vm_heap_take(heap, 1u + size);
        copy[0] = VM_HEADER(VM_KIND_DATA, 0, (uint32_t)W1, size);
        for (unsigned i = 0; i < size; i++) {
            copy[1 + i] = vm_field(r[B], i);
            KEEP_LOOP();
        }
        for (unsigned i = 0; i < count; i++)
            copy[1 + positions[i]] = r[list[i]];
        r[A] = vm_from_object(copy);
        NEXT(3u + list_words(count));
    }
    SAVE();
    status = vm_op_update(ctx, r[B], (uint32_t)W1, names, list, count, &result);
    if (unlikely(status != VM_OK))
        goto not_ok;
    MOVED();
    r[A] = result;
    NEXT(3u + list_words(count));
}

    /* ---- arithmetic and comparison ---- */

#define BOTH_SMALL(x, y) ((x) & (y) & 1)
#define BOTH_FLONUM(x, y) ((((x) & 3) == 2) & (((y) & 3) == 2))
#define FLOAT_RESULT(expression) \
    do { \
        double value_ = (expression); \
        if (likely(vm_double_is_flonum(value_))) { \
            r[A] = vm_from_flonum(value_); \
            NEXT(1); \
        } \
    } while (0)
#define ARITHMETIC(op) \
    do { \
        SAVE(); \
        status = vm_op_arithmetic(ctx, (op), r[B], r[C], &result); \
        goto finish_1; \
    } while (0)

op_ADD: {
    vm_value x = r[B], y = r[C];
    int64_t sum;

    if (likely(BOTH_SMALL(x, y)) && likely(!__builtin_add_overflow((int64_t)x, (int64_t)(y - 1), &sum))) {
        r[A] = (vm_value)sum;
        NEXT(1);
    }
    if (BOTH_FLONUM(x, y))
        FLOAT_RESULT(vm_flonum(x) + vm_flonum(y));
    ARITHMETIC(VM_ADD);
}
op_SUB: {
    vm_value x = r[B], y = r[C];
    int64_t difference;

    if (likely(BOTH_SMALL(x, y)) && likely(!__builtin_sub_overflow((int64_t)x, (int64_t)(y - 1), &difference))) {
        r[A] = (vm_value)difference;
        NEXT(1);
    }
    if (BOTH_FLONUM(x, y))
        FLOAT_RESULT(vm_flonum(x) - vm_flonum(y));
    ARITHMETIC(VM_SUB);
}
op_MUL: {
    vm_value x = r[B], y = r[C];
    int64_t product;

    if (likely(BOTH_SMALL(x, y)) && likely(!__builtin_mul_overflow((int64_t)(x - 1), vm_small(y), &product))) {
        r[A] = (vm_value)product | 1;
        NEXT(1);
    }
    if (BOTH_FLONUM(x, y))
        FLOAT_RESULT(vm_flonum(x) * vm_flonum(y));
    ARITHMETIC(VM_MUL);
}
op_DIV: {
    vm_value x = r[B], y = r[C];

    /* The one quotient of small integers that is not small: the least one by -1. */
    if (likely(BOTH_SMALL(x, y)) && likely(y != vm_from_small(0) && y != vm_from_small(-1))) {
        r[A] = vm_from_small(quotient(vm_small(x), vm_small(y)));
        NEXT(1);
    }
    if (BOTH_FLONUM(x, y))
        FLOAT_RESULT(vm_flonum(x) / vm_flonum(y));
    ARITHMETIC(VM_DIV);
}
op_MOD: {
    vm_value x = r[B], y = r[C];

    if (likely(BOTH_SMALL(x, y)) && likely(y != vm_from_small(0) && y != vm_from_small(-1))) {
        r[A] = vm_from_small(remainder_of(vm_small(x), vm_small(y)));
        NEXT(1);
    }
    ARITHMETIC(VM_MOD);
}
op_POW:
    ARITHMETIC(VM_POW);
op_ADD_IMM: {
    vm_value x = r[B];
    int64_t sum;

    if (likely(vm_is_small(x)) && likely(!__builtin_add_overflow((int64_t)x, (int64_t)SC * 2, &sum))) {
        r[A] = (vm_value)sum;
        NEXT(1);
    }
    SAVE();
    status = vm_op_arithmetic(ctx, VM_ADD, x, vm_from_small(SC), &result);
    goto finish_1;
}
op_SUB_IMM: {
    vm_value x = r[B];
    int64_t difference;

    if (likely(vm_is_small(x)) && likely(!__builtin_sub_overflow((int64_t)x, (int64_t)SC * 2, &difference))) {
        r[A] = (vm_value)difference;
        NEXT(1);
    }
    SAVE();
    status = vm_op_arithmetic(ctx, VM_SUB, x, vm_from_small(SC), &result);
    goto finish_1;
}
op_MUL_IMM: {
    vm_value x = r[B];
    int64_t product;

    if (likely(vm_is_small(x)) && likely(!__builtin_mul_overflow((int64_t)(x - 1), (int64_t)SC, &product))) {
        r[A] = (vm_value)product | 1;
        NEXT(1);
    }
    SAVE();
    status = vm_op_arithmetic(ctx, VM_MUL, x, vm_from_small(SC), &result);
    goto finish_1;
}
op_DIV_IMM: {
    vm_value x = r[B];

    if (likely(vm_is_small(x) && SC > 0)) {
        r[A] = vm_from_small(quotient(vm_small(x), SC));
        NEXT(1);
    }
    SAVE();
    status = vm_op_arithmetic(ctx, VM_DIV, x, vm_from_small(SC), &result);
    goto finish_1;
}
op_MOD_IMM: {
    vm_value x = r[B];

    if (likely(vm_is_small(x) && SC > 0)) {
        r[A] = vm_from_small(remainder_of(vm_small(x), SC));
        NEXT(1);
    }
    SAVE();
    status = vm_op_arithmetic(ctx, VM_MOD, x, vm_from_small(SC), &result);
    goto finish_1;
}
op_NEGATE: {
    vm_value x = r[B];

    if (likely(vm_is_small(x)) && likely(x != vm_from_small(VM_SMALL_MIN))) {
        r[A] = vm_from_small(-vm_small(x));
        NEXT(1);
    }
    SAVE();
    status = vm_negate(ctx, x, &result);
    goto finish_1;
}
op_NOT:
    if (likely(vm_is_sort(r[B], VM_SORT_BOOL))) {
        r[A] = r[B] ^ (VM_TRUE ^ VM_FALSE);
        NEXT(1);
    }
    SAVE();
    (void)vm_raise_type(ctx, "Bool", r[B]);
    goto raise_saved;
op_CONCAT:
    SAVE();
    status = vm_op_concat(ctx, r[B], r[C], &result);
    goto finish_1;

/* Comparison to a value, and the same as the first half of a branch. `small` compares two tagged words of small integers: their order is that of the numbers. */
#define COMPARE(name, operator) \
    op_##name: \
    { \
        vm_value x = r[B], y = r[C]; \
        if (likely(BOTH_SMALL(x, y))) { \
            r[A] = vm_from_bool((int64_t)x operator(int64_t) y); \
            NEXT(1); \
        } \
        if (BOTH_FLONUM(x, y)) { \
            r[A] = vm_from_bool(vm_flonum(x) operator vm_flonum(y)); \
            NEXT(1); \
        } \
        SAVE(); \
        status = vm_op_compare(ctx, VM_COMPARE_##name, x, y, &result); \
        goto finish_1; \
    } \
    op_##name##_IMM: \
    { \
        vm_value x = r[B]; \
        if (likely(vm_is_small(x))) { \
            r[A] = vm_from_bool((int64_t)x operator((int64_t)SC * 2 + 1)); \
            NEXT(1); \
        } \
        SAVE(); \
        status = vm_op_compare(ctx, VM_COMPARE_##name, x, vm_from_small(SC), &result); \
        goto finish_1; \
    } \
    op_TEST_##name: \
    { \
        vm_value x = r[B], y = r[C]; \
        if (likely(BOTH_SMALL(x, y))) \
            BRANCH((int64_t)x operator(int64_t) y); \
        if (BOTH_FLONUM(x, y)) \
            BRANCH(vm_flonum(x) operator vm_flonum(y)); \
        SAVE(); \
        status = vm_op_compare(ctx, VM_COMPARE_##name, x, y, &result); \
        goto finish_1; \
    } \
    op_TEST_##name##_IMM: \
    { \
        vm_value x = r[B]; \
        if (likely(vm_is_small(x))) \
            BRANCH((int64_t)x operator((int64_t)SC * 2 + 1)); \
        SAVE(); \
        status = vm_op_compare(ctx, VM_COMPARE_##name, x, vm_from_small(SC), &result); \
        goto finish_1; \
    }

    COMPARE(EQ, ==)
    COMPARE(NE, !=)
    COMPARE(LT, <)
    COMPARE(LE, <=)
    COMPARE(GT, >)
    COMPARE(GE, >=)

    /* ---- control ---- */

op_JUMP:
    JUMP_BY(D);
op_LOOP:
    if (unlikely(--reductions <= 0))
        goto yield;
    JUMP_BY(D);
op_FOR: {
    vm_value next = r[A], limit = r[A + 1];

    if (unlikely(--reductions <= 0))
        goto yield;
    if (likely(BOTH_SMALL(next, limit))) {
        next += 2; /* cannot overflow: it was below the limit */
        r[A] = next;
        if ((int64_t)next < (int64_t)limit)
            JUMP_BY(D);
        NEXT(1);
    }
    SAVE();
    status = vm_op_arithmetic(ctx, VM_ADD, next, vm_from_small(1), &result);
    if (unlikely(status != VM_OK))
        goto not_ok;
    MOVED();
    r[A] = result;
    if (vm_number_compare(r[A], r[A + 1]) < 0)
        JUMP_BY(D);
    NEXT(1);
}
op_JUMP_FALSE:
    if (r[A] == VM_TRUE)
        NEXT(1);
    if (likely(r[A] == VM_FALSE))
        JUMP_BY(D);
    goto not_bool;
op_JUMP_TRUE:
    if (r[A] == VM_FALSE)
        NEXT(1);
    if (likely(r[A] == VM_TRUE))
        JUMP_BY(D);
    goto not_bool;
op_JUMP_PRESENT:
    if (r[A] != VM_NONE)
        JUMP_BY(D);
    NEXT(1);

    /* ---- pattern tests ---- */

#define UNLESS(condition, words) \
    do { \
        if (condition) \
            NEXT(words); \
        JUMP_BY(D); \
    } while (0)

op_UNLESS_IS:
    UNLESS(r[A] == W1 || (vm_is_small(W1) && !vm_is_small(r[A]) && vm_op_equals_small(r[A], W1)), 2);
op_UNLESS_CONST:
    UNLESS(vm_equal(r[A], W1), 2);
op_UNLESS_EQUAL:
    UNLESS(vm_equal(r[A], r[W1]), 2);
op_UNLESS_LIST:
    UNLESS(r[A] != VM_NIL && vm_is_list(r[A]), 1);
op_UNLESS_LENGTH:
    UNLESS(vm_is_list(r[A]) && vm_list_length(r[A]) == W1, 2);
op_UNLESS_LENGTH_MIN:
    UNLESS(vm_is_list(r[A]) && vm_list_length(r[A]) >= W1, 2);
op_UNLESS_TUPLE:
    UNLESS(vm_is_kind(r[A], VM_KIND_TUPLE) && vm_size(r[A]) == W1, 2);
op_UNLESS_CTOR:
    UNLESS(vm_op_constructor(r[A]) == W1, 2);
op_UNLESS_RANGE:
    UNLESS(vm_is_int(r[A]) && vm_int_of(r[A]) >= (int64_t)W1 && vm_int_of(r[A]) <= (int64_t)W2, 3);
op_UNLESS_CLASS:
    UNLESS(vm_class_of(r[A]) == (uint32_t)W1, 2);
op_UNLESS_PREFIX:
    UNLESS(vm_op_has_prefix(r[A], W1), 2);
op_REST:
    SAVE();
    result = vm_string_part(ctx, r[B], vm_text(W1).length, vm_text(r[B]).length - vm_text(W1).length);
    goto finish_value_2;
op_MAP_FIND:
    r[A] = vm_op_map_find(r[B], r[C]);
    NEXT(1);
op_FIELD_FIND:
    r[A] = vm_op_field_find(r[B], (uint32_t)W1);
    NEXT(2);
op_SWITCH_CTOR:
    JUMP_BY(vm_op_switch(pc, C, (int64_t)vm_op_constructor(r[A])));
op_SWITCH_INT:
    if (likely(vm_is_small(r[A])))
        JUMP_BY(vm_op_switch(pc, C, vm_small(r[A])));
    if (vm_is_int(r[A]))
        JUMP_BY(vm_op_switch(pc, C, vm_int_of(r[A])));
    JUMP_BY(vm_op_switch_integer(pc, C, r[A]));
op_NO_MATCH:
    SAVE();
    (void)vm_raise_panic(ctx, "Non-exhaustive match: no pattern matched");
    goto raise_saved;

    /* ---- calls ---- */

#define RESERVE_FRAME(callee) \
    do { \
        if (unlikely(depth >= p->depth_max)) \
            goto too_deep; \
        RESERVE(VM_FRAME_WORDS + (size_t)(callee)->registers); \
    } while (0)
/* Make a frame for a function below the current one and go on there. Memory is reserved. */
#define PUSH_FRAME(callee, list, count, return_to) \
    do { \
        const struct vm_function *f_ = (callee); \
        vm_value *frame_ = FP - VM_FRAME_WORDS - f_->registers; \
        heap->fp = frame_; \
        frame_[0] = vm_from_object(f_); \
        frame_[1] = vm_return_word((return_to), A); \
        fill_registers(frame_ + VM_FRAME_WORDS, r, (list), (count), f_->registers); \
        r = frame_ + VM_FRAME_WORDS; \
        depth++; \
        pc = f_->code; \
    } while (0)
#define CALL_OF(arguments) \
    do { \
        const struct vm_function *called_ = (const struct vm_function *)(uintptr_t)W1; \
        unsigned count_ = (arguments); \
        if (unlikely(--reductions <= 0)) \
            goto yield; \
        RESERVE_FRAME(called_); \
        PUSH_FRAME(called_, (const uint16_t *)(pc + 2), count_, pc + 2 + list_words(count_)); \
        DISPATCH(); \
    } while (0)

op_CALL:
    CALL_OF(C);
op_CALL_1:
    CALL_OF(1);
op_CALL_2:
    CALL_OF(2);
op_CALL_3:
    CALL_OF(3);
op_TAIL_CALL: {
    const struct vm_function *f = (const struct vm_function *)(uintptr_t)W1;

    if (unlikely(--reductions <= 0))
        goto yield;
    RESERVE(VM_FRAME_WORDS + (size_t)f->registers + C);
    r = replace_registers(r, f, (const uint16_t *)(pc + 2), C, heap->top);
    heap->fp = FP;
    pc = f->code;
    DISPATCH();
}
op_TAIL_SELF: {
    const uint16_t *list = (const uint16_t *)(pc + 1);
    vm_value few[4], *staged = few;
    unsigned count = C;

    if (unlikely(--reductions <= 0))
        goto yield;
    if (unlikely(count > 4)) {
        RESERVE(count);
        staged = heap->top;
    }
    for (unsigned i = 0; i < count; i++)
        staged[i] = r[list[i]];
    for (unsigned i = 0; i < count; i++)
        r[i] = staged[i];
    pc = function_of(FP)->code;
    DISPATCH();
}
op_TAIL_SELF_1: {
    if (unlikely(--reductions <= 0))
        goto yield;
    r[0] = r[*(const uint16_t *)(pc + 1)];
    pc = function_of(FP)->code;
    DISPATCH();
}
op_TAIL_SELF_2: {
    const uint16_t *list = (const uint16_t *)(pc + 1);
    vm_value first = r[list[0]], second = r[list[1]];

    if (unlikely(--reductions <= 0))
        goto yield;
    r[0] = first;
    STORED(r[0]);
    r[1] = second;
    pc = function_of(FP)->code;
    DISPATCH();
}
op_CALL_VALUE: {
    vm_value callee = r[B];
    const struct vm_function *f = callable_function(callee);
    const uint16_t *list = (const uint16_t *)(pc + 1);
    unsigned count = C;

    if (unlikely(--reductions <= 0))
        goto yield;
    if (unlikely(f == NULL || f->arity != count))
        goto call_value_slow;
    RESERVE_FRAME(f);
    callee = r[B];
    PUSH_FRAME(f, list, count, pc + 1 + list_words(count));
    if (f->captures > 0)
        r[count] = callee;
    DISPATCH();
}
call_value_slow: {
    unsigned count = C;
    const uint16_t *list = (const uint16_t *)(pc + 1);

    SAVE();
    tail = false;
    entered = vm_call_any(ctx, r[B], (struct vm_arguments){ list, count }, false,
                          vm_return_word(pc + 1 + list_words(count), A), &result);
    goto after_call;
}
op_CALL_NATIVE:
    if (unlikely(--reductions <= 0))
        goto yield;
    native = (const struct vm_native *)(uintptr_t)W1;
run_native: {
    const uint16_t *list = (const uint16_t *)(pc + 2);
    unsigned count = C;

    for (unsigned i = 0; i < count; i++)
        ctx->args[i] = r[list[i]];
    ctx->arg_count = count;
    SAVE();
    result = VM_UNIT;
    status = native->function(ctx, ctx->args, &result);
    ctx->arg_count = 0;
    if (likely(status == VM_OK)) {
        MOVED();
        r[A] = result;
        NEXT(2u + list_words(count));
    }
    goto native_not_ok;
}
op_CALL_METHOD: {
    const uint16_t *list = (const uint16_t *)(pc + 2);
    unsigned count = C;
    vm_value target = vm_dispatch_again((const struct vm_site *)(uintptr_t)W1, r[list[0]]);

    if (unlikely(--reductions <= 0))
        goto yield;
    if (likely(target != VM_NONE)) {
        const struct vm_function *f = (const struct vm_function *)vm_object(target);

        if (vm_kind(target) == VM_KIND_FUNCTION && f->arity == count) {
            RESERVE_FRAME(f);
            PUSH_FRAME(f, list, count, pc + 2 + list_words(count));
            DISPATCH();
        }
        native = (const struct vm_native *)vm_object(target);
        if (vm_kind(target) == VM_KIND_NATIVE && native->arity == count)
            goto run_native;
    }
    SAVE();
    tail = false;
    entered = vm_call_method(ctx, (struct vm_site *)(uintptr_t)W1, (struct vm_arguments){ list, count }, false,
                             vm_return_word(pc + 2 + list_words(count), A), &result);
    goto after_call;
}
op_TAIL_CALL_VALUE: {
    vm_value callee = r[B];
    const struct vm_function *f = callable_function(callee);
    unsigned count = C;

    if (unlikely(--reductions <= 0))
        goto yield;
    if (likely(f != NULL && f->arity == count)) {
        RESERVE(VM_FRAME_WORDS + (size_t)f->registers + count);
        callee = r[B];
        r = replace_registers(r, f, (const uint16_t *)(pc + 1), count, heap->top);
        if (f->captures > 0)
            r[count] = callee;
        heap->fp = FP;
        pc = f->code;
        DISPATCH();
    }
    SAVE();
    tail = true;
    entered = vm_call_any(ctx, r[B], (struct vm_arguments){ (const uint16_t *)(pc + 1), C }, true, 0, &result);
    goto after_call;
}
op_TAIL_CALL_METHOD:
    if (unlikely(--reductions <= 0))
        goto yield;
    SAVE();
    tail = true;
    entered = vm_call_method(ctx, (struct vm_site *)(uintptr_t)W1, (struct vm_arguments){ (const uint16_t *)(pc + 2), C },
                             true, 0, &result);
    goto after_call;
op_RETURN:
    result = r[A];
    depth--;
    goto return_result;
op_RETURN_CONST:
    result = W1;
    depth--;
    goto return_result;
op_STUB_RETURN:
    result = r[A];
    p->handler = (uint32_t)vm_small(r[function_of(FP)->arity]);
    goto return_result;
op_STUB_RETURN_CONST:
    result = W1;
    p->handler = (uint32_t)vm_small(r[function_of(FP)->arity]);
    goto return_result;

return_result: {
    uint64_t return_word = FP[1];

    heap->fp = r + function_of(FP)->registers;
    r = heap->fp + VM_FRAME_WORDS;
    if (unlikely(return_word == 0)) {
        p->result = result;
        p->pc = NULL;
        ctx->reductions = reductions;
        return VM_STOP_END;
    }
    pc = VM_RETURN_PC(return_word);
    r[VM_RETURN_REGISTER(return_word)] = result;
    DISPATCH();
}

    /* ---- exceptions ---- */

op_TRY: {
    vm_value *slots = &r[A];

    slots[0] = vm_from_small(p->handler);
    slots[1] = vm_from_small((int64_t)((uint64_t)depth << 32 | (uint32_t)(pc + D - function_of(FP)->code)));
    p->handler = (uint32_t)(heap->end - slots);
    NEXT(1);
}
op_END_TRY:
    p->handler = (uint32_t)vm_small(r[A]);
    NEXT(1);
op_THROW:
    SAVE();
    ctx->exception = r[A];
    goto raise_saved;
op_PUSH_STUB: {
    const struct vm_function *stub = (const struct vm_function *)(uintptr_t)W1;
    unsigned count = C;

    /* The turn of a loop: the very record this would make is already beneath (see call.c). */
    if (likely(stub->catches_all && count == 0 && FP[1] != 0 && r[function_of(FP)->registers] == W1)) {
        p->handler = (uint32_t)vm_small(r[A]);
        NEXT(2);
    }
    SAVE();
    if (!vm_push_stub(ctx, stub, A, (const uint16_t *)(pc + 2), count))
        goto raise_saved;
    MOVED();
    NEXT(2u + list_words(count));
}

    /* ---- processes ---- */

op_SPAWN:
    if (unlikely(callable_function(r[B]) == NULL)) {
        SAVE();
        (void)vm_raise_panic(ctx, "Spawn: expected function or closure");
        goto raise_saved;
    }
    SAVE();
    status = ctx->host->spawn(ctx, r[B], (enum vm_spawn)C, &result);
    goto finish_1;
op_SELF:
    r[A] = VM_IMMEDIATE(VM_SORT_PID, atomic_load_explicit(&p->pid, memory_order_relaxed));
    NEXT(1);
op_SEND:
    SAVE();
    if (unlikely(!vm_is_sort(r[A], VM_SORT_PID))) {
        (void)vm_raise_panic(ctx, "Send: expected Pid");
        goto raise_saved;
    }
    status = ctx->host->send(ctx, vm_payload(r[A]), r[B]);
    if (unlikely(status != VM_OK))
        goto not_ok;
    MOVED();
    NEXT(1);
op_RECEIVE:
    r[A + 1] = VM_UNIT;
    r[A + 2] = vm_from_small(0);
    NEXT(1);
op_RECEIVE_AFTER: {
    uint64_t deadline;

    if (unlikely(!vm_is_int(r[B]))) {
        SAVE();
        (void)vm_raise_type(ctx, "Int", r[B]);
        goto raise_saved;
    }
    deadline = vm_deadline_after(vm_int_of(r[B]));
    r[A + 1] = deadline <= VM_SMALL_MAX ? vm_from_small((int64_t)deadline) : VM_UNIT;
    r[A + 2] = vm_from_small(0);
    NEXT(1);
}
op_RECEIVE_NEXT: {
    struct vm_message *message = vm_mailbox_next(p, (uint64_t)vm_small(r[A + 2]));
    uint64_t deadline = vm_is_small(r[A + 1]) ? (uint64_t)vm_small(r[A + 1]) : UINT64_MAX;

    if (message != NULL) {
        r[A] = message->value;
        r[A + 2] = vm_from_small((int64_t)message->number);
        vm_process_wait_until(p, UINT64_MAX);
        NEXT(1);
    }
    if (deadline != UINT64_MAX && nb_clock_ns() >= deadline) {
        vm_process_wait_until(p, UINT64_MAX);
        JUMP_BY(D);
    }
    vm_process_wait_until(p, deadline);
    vm_process_wait_for(p, VM_WAIT_RECEIVE);
    goto park;
}
op_RECEIVE_TAKE:
    vm_mailbox_take(p, (uint64_t)vm_small(r[A + 2]));
    if (unlikely(vm_heap_is_overdue(heap))) { /* by adopted messages: a receiver need not allocate by itself */
        SAVE();
        if (!vm_heap_reserve(ctx, 0))
            goto no_memory;
        MOVED();
    }
    NEXT(1);
op_RECEIVE_SKIP:
    if (unlikely(--reductions <= 0)) {
        pc += D; /* the RECEIVE_NEXT: nothing is done twice */
        goto yield;
    }
    JUMP_BY(D);
op_MVAR_GET:
    SAVE();
    status = vm_mvar_get(ctx, (struct vm_mvar *)(uintptr_t)W1, &result);
    goto finish_2;
op_MVAR_LOCK:
    SAVE();
    status = vm_mvar_lock(ctx, (struct vm_mvar *)(uintptr_t)W1);
    goto finish_mvar;
op_MVAR_SET:
    SAVE();
    status = vm_mvar_set(ctx, (struct vm_mvar *)(uintptr_t)W1, r[A]);
    goto finish_mvar;
op_MVAR_UNLOCK:
    vm_mvar_unlock(ctx, (struct vm_mvar *)(uintptr_t)W1);
    NEXT(2);

    /* ---- typed instructions ---- */

#include "vm/interp_typed.h"

    /* ---- where the paths above meet ---- */

finish_mvar:
    if (unlikely(status != VM_OK))
        goto not_ok;
    MOVED();
    NEXT(2);
finish_1:
    if (unlikely(status != VM_OK))
        goto not_ok;
    MOVED();
    r[A] = result;
    NEXT(1);
finish_2:
    if (unlikely(status != VM_OK))
        goto not_ok;
    MOVED();
    r[A] = result;
    NEXT(2);
finish_3:
    if (unlikely(status != VM_OK))
        goto not_ok;
    MOVED();
    r[A] = result;
    NEXT(3);
finish_list:
    if (unlikely(status != VM_OK))
        goto not_ok;
    MOVED();
    r[A] = result;
    NEXT(1u + list_words(C));
finish_value_1:
    if (unlikely(result == VM_NONE))
        goto no_memory;
    MOVED();
    r[A] = result;
    NEXT(1);
finish_value_2:
    if (unlikely(result == VM_NONE))
        goto no_memory;
    MOVED();
    r[A] = result;
    NEXT(2);

/* An instruction whose own work calls out: the result will be delivered to r[A], behind the instruction. */
not_ok:
    if (status == VM_CALL) {
        tail = false;
        entered = vm_call_out(ctx, false, vm_return_word(pc + vm_insn_words(pc), A), &result);
        goto after_call;
    }
    if (status == VM_PARK) {
        MOVED();
        goto park;
    }
    if (status == VM_YIELD) {
        MOVED();
        goto yield;
    }
    if (status == VM_NOMEM)
        goto no_memory;
    goto raise_saved;

native_not_ok:
    if (status == VM_PARK) {
        MOVED();
        goto park;
    }
    goto not_ok;

after_call:
    switch (entered) {
    case VM_ENTERED_FRAME:
        LOAD();
        DISPATCH();
    case VM_ENTERED_RESULT:
        MOVED();
        if (tail) {
            depth--;
            goto return_result;
        }
        r[A] = result;
        NEXT(vm_insn_words(pc));
    case VM_ENTERED_RAISE:
        goto raise_saved;
    case VM_ENTERED_PARK:
        MOVED();
        goto park;
    case VM_ENTERED_YIELD:
        MOVED();
        goto yield;
    }
    nb_unreachable();

not_bool:
    SAVE();
    (void)vm_raise_type(ctx, "Bool", r[A]);
    goto raise_saved;
too_deep:
    SAVE();
    (void)vm_raise_kind(ctx, "StackOverflow", "stack overflow");
    goto raise_saved;
no_memory:
    (void)vm_raise_panic(ctx, "Out of memory");
    goto raise_saved;
raise_saved:
    ctx->arg_count = 0;
    ctx->root_count = 0;
    vm_ctx_forget_call(ctx);
    if (!vm_unwind(ctx))
        return crash(ctx);
    LOAD();
    DISPATCH();

park:
    SAVE();
    return VM_STOP_WAIT;
yield:
    SAVE();
    return VM_STOP_YIELD;
}
