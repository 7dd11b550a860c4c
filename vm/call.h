/*
 * call.h - entering functions off the fast path: callees known only at run time, odd argument counts, stubs. For
 * interp.c alone.
 *
 * All of these work on the process as it lies in memory (heap.fp, pc, depth); the interpreter stores its registers
 * before and loads them again afterwards.
 */
#ifndef VM_CALL_H
#define VM_CALL_H

#include "vm/code.h"
#include "vm/process.h"

enum vm_entered {
    VM_ENTERED_FRAME,  /* a frame was pushed: go on at process->pc */
    VM_ENTERED_RESULT, /* a native answered: *ret is the result */
    VM_ENTERED_RAISE,  /* ctx->exception is set */
    VM_ENTERED_PARK,   /* the instruction is to be executed again after waking … */
    VM_ENTERED_YIELD   /* … or in the next slice */
};

/** An argument list: registers of the current frame, or ctx->call_args when `registers` is NULL. A register number
 *  VM_NO_REGISTER stands for an argument that is left out. */
struct vm_arguments { const uint16_t *registers; unsigned count; };
enum { VM_NO_REGISTER = 0xffff };

/** Return word of a frame: see code.h. */
static inline uint64_t vm_return_word(const uint64_t *pc, unsigned destination)
{
    return (uint64_t)(uintptr_t)pc | (uint64_t)destination << 48;
}
#define VM_RETURN_PC(word) ((const uint64_t *)(uintptr_t)((word) & UINT64_C(0xffffffffffff)))
#define VM_RETURN_REGISTER(word) ((unsigned)((word) >> 48))

/** Call any value. `tail`: the current frame is replaced and `return_word` is not looked at. Counts, defaults and tuple
 *  spreading as 01 §11.2. */
enum vm_entered vm_call_any(struct vm_ctx *ctx, vm_value callee, struct vm_arguments arguments, bool tail,
                            uint64_t return_word, vm_value *ret);
/** Do what VM_CALL asks for: call ctx->call_function with ctx->call_args, and forget them. */
enum vm_entered vm_call_out(struct vm_ctx *ctx, bool tail, uint64_t return_word, vm_value *ret);
/** Call a method: resolves `site` on the first argument, puts named arguments in place, then as vm_call_any(). */
enum vm_entered vm_call_method(struct vm_ctx *ctx, struct vm_site *site, struct vm_arguments arguments, bool tail,
                               uint64_t return_word, vm_value *ret);
/** The instruction PUSH_STUB. `handler` is the register of the handler to close. False: out of memory, ctx->exception
 *  set. */
bool vm_push_stub(struct vm_ctx *ctx, const struct vm_function *stub, unsigned handler, const uint16_t *registers,
                  unsigned count);
/** Find the innermost handler and continue there with ctx->exception: sets heap.fp, pc, depth. False: there is none,
 *  the process is to crash. */
bool vm_unwind(struct vm_ctx *ctx);

/* Name ids of the methods that operators, indexing and show() look for. Filled once by vm_call_init(). Those of
 * OF_TYPE are no names a program could write: the compiler enters what is called like its type, `gridGet` for Grid. */
enum vm_known_name {
    VM_NAME_ADD, VM_NAME_SUB, VM_NAME_MUL, VM_NAME_DIV, VM_NAME_EQ, VM_NAME_NEQ, VM_NAME_LT, VM_NAME_LTE, VM_NAME_GT,
    VM_NAME_GTE, VM_NAME_SHOW, VM_NAME_GET_OF_TYPE, VM_NAME_SET_OF_TYPE, VM_NAME_ADD_SCALAR_OF_TYPE,
    VM_NAME_SUB_SCALAR_OF_TYPE, VM_NAME_MUL_SCALAR_OF_TYPE, VM_NAME_DIV_SCALAR_OF_TYPE, VM_NAME_COUNT
};
extern uint32_t vm_known_names[VM_NAME_COUNT];
void vm_call_init(void);

#endif
