/*
 * interp.c - the loop that executes instructions (opcodes.def says what each does).
 *
 * Dispatch is by computed goto through a table of labels: each instruction ends with its own indirect jump. Storing label addresses in the code itself would save
 * one load per instruction, from a table that always sits in the first cache level; it would cost the 16-bit opcode, and with it the room for three wide operands in one word.
 * Operands are loaded from the code one by one, when they are used: loads that nothing waits for are cheaper than keeping the word and cutting it up.
 *
 * The instructions themselves are in interp_values.h, interp_numbers.h, interp_control.h, interp_calls.h, interp_processes.h and interp_typed.h: parts of vm_run().
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

/* The arguments of a function's call of itself, FEW at most, become its parameters, all at once. */
enum { FEW = 4 };
static inline void pass_few(vm_value *r, const uint16_t *list, unsigned count)
{
    vm_value first, second, few[FEW];

    switch (count) {
    case 1:
        r[0] = r[list[0]];
        return;
    case 2:
        first = r[list[0]];
        second = r[list[1]];
        r[0] = first;
        STORED(r[0]);
        r[1] = second;
        return;
    default:
        for (unsigned i = 0; i < count; i++)
            few[i] = r[list[i]];
        for (unsigned i = 0; i < count; i++)
            r[i] = few[i];
    }
}

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

    /* ---- the instructions ---- */

#include "vm/interp_values.h"
#include "vm/interp_numbers.h"
#include "vm/interp_control.h"
#include "vm/interp_calls.h"
#include "vm/interp_processes.h"
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
