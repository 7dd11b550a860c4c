/*
 * except.h - raising exceptions from C.
 *
 * Each of these sets ctx->exception and returns VM_RAISE (or VM_NOMEM when even that fails), so a native writes
 *     return vm_raise_panic(ctx, "Index %" PRId64 " out of bounds", i);
 */
#ifndef VM_EXCEPT_H
#define VM_EXCEPT_H

#include "vm/process.h"

enum vm_status vm_raise(struct vm_ctx *ctx, vm_value value);                                /* throw(value) */
enum vm_status vm_raise_kind(struct vm_ctx *ctx, const char *kind, const char *format, ...) /* (kind, message) */
    __attribute__((format(printf, 3, 4)));
enum vm_status vm_raise_panic(struct vm_ctx *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Raise a String, as printf. */
enum vm_status vm_raise_text(struct vm_ctx *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** ("TypeError", "expected EXPECTED, got KIND of value") */
enum vm_status vm_raise_type(struct vm_ctx *ctx, const char *expected, vm_value got);

/** The text after "Runtime error: " for an exception that nobody caught (05 §3.8). nb_alloc'ed. */
char *vm_exception_text(vm_value exception);
/** "  1. name (file:line)\n…" of the running process's stack, innermost first, at most `most` frames. nb_alloc'ed. */
char *vm_stack_trace(struct vm_process *process, unsigned most);

#endif
