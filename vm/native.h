/*
 * native.h - functions of the language that are written in C.
 *
 * A native gets its arguments in ctx->args (also passed as `args`; the collector updates them in place) and answers
 *   VM_OK      *ret is the result
 *   VM_RAISE   an exception: ctx->exception is the value to throw (use vm_raise…(), except.h)
 *   VM_PARK    nothing yet: somebody will wake the process (host.h). On waking the native is called AGAIN with the same
 *              arguments; process->operation tells it that it was here before. Each native that parks loops on its
 *              condition that way, so a wake-up too many does no harm.
 *   VM_CALL    result is that of calling ctx->call_function with ctx->call_args (a tail call)
 *   VM_YIELD   did a part of the work; call again in the next time slice (process->operation keeps the state)
 *   VM_NOMEM   as VM_RAISE with ("Panic", "Out of memory")
 * and never blocks its thread. Work that grows with an argument counts reductions: ctx->reductions -= n.
 *
 * Natives are declared once, in tables of lib/NAME.def:
 *     NATIVE("String.trim", string_trim, 1, "(String) -> String", PURE, "Without white space at both ends.")
 */
#ifndef VM_NATIVE_H
#define VM_NATIVE_H

#include "vm/object.h"

struct vm_ctx;

enum vm_status { VM_OK, VM_RAISE, VM_PARK, VM_CALL, VM_YIELD, VM_NOMEM };

typedef enum vm_status vm_native_function(struct vm_ctx *ctx, vm_value *args, vm_value *ret);

enum vm_native_flags {
    VM_NATIVE_PURE = 1,     /* no effect, same result for same arguments */
    VM_NATIVE_PARKS = 2,    /* may answer VM_PARK */
    VM_NATIVE_HIDDEN = 4,   /* for the library's own .nos files; programs cannot name it (its name starts with "_") */
    VM_NATIVE_PUTS = 8      /* vm_builder_push() of its arguments, answers (): the interpreter may do that by itself */
};

enum { VM_NATIVE_ARITY_MAX = 12 };

struct vm_native {
    vm_value header;        /* VM_KIND_NATIVE, immortal: a native is a value */
    const char *name;       /* "String.trim", "show" */
    vm_native_function *function;
    uint8_t arity;          /* exact; names with several arities have several rows */
    uint8_t flags;
    const char *type;       /* as the language writes it */
    const char *doc;        /* one sentence or more */
};

/** Register a table (static memory, kept by reference). Called at start, before any program is compiled. */
void vm_native_register(struct vm_native *natives, unsigned count);
/** By full name and arity; NULL when there is none. `arity` -1: the first of that name. Threads: any after start. */
const struct vm_native *vm_native_find(const char *name, int arity);
/** Names of a native's parameters, interned, as its type gives them ("(list: List[a], n: Int) -> …"); NULL when the
 *  type names none. For named arguments. */
const char *const *vm_native_parameters(const struct vm_native *native);
/** Whether any name starts with `prefix` followed by a dot ("String" is a namespace). */
bool vm_native_is_namespace(const char *prefix);
/** A record type that natives answer with, by its constructor's number: the checker knows its fields from there. Called
 *  at start. */
void vm_native_record_add(uint32_t constructor);
/** By the type's name; NULL when there is none. Threads: any after start. */
const struct vm_constructor *vm_native_record(const char *name);
/** All of them, in order of registration, for the checker and the manual. */
const struct vm_native *vm_native_at(unsigned index); /* NULL behind the last */

#endif
