/*
 * program.h - a compiled program: code, constants, methods, mvars; what an app version runs.
 *
 * Built by the compiler, immutable once published (mvar contents and inline caches aside), reference counted: each
 * process holds one. All memory is one arena and is given back with the last reference, except constructors and
 * names, which are the daemon's (type.h, intern.h).
 */
#ifndef VM_PROGRAM_H
#define VM_PROGRAM_H

#include <stdatomic.h>

#include "base/arena.h"
#include "vm/code.h"
#include "vm/process.h"

/** A module variable shared between processes (05 §2); mvar.c. The value is an immediate, immortal or shared
 *  object. */
struct vm_mvar {
    const char *name;             /* qualified */
    const char *type;             /* as written; versions of an app hand the value on when name and type agree */
    _Atomic vm_value value;
    _Atomic uint32_t turn;        /* odd while somebody changes what follows: a spin bit that also counts */
    uint32_t lock_depth;          /* owner only */
    _Atomic uint64_t owner;       /* pid that has it locked, 0: free */
    struct vm_mvar *held_next;    /* owner's list of held mvars */
    struct vm_process *first_waiter, *last_waiter; /* who waits for the owner, by process->mvar_next */
};

/** Functions of the library that the VM calls (reactive.c). */
enum vm_library_function {
    VM_LIBRARY_REACTIVE_READ,    /* (record, name, value) -> value, after the callbacks of the read */
    VM_LIBRARY_REACTIVE_WRITTEN, /* (record, name, old, new) -> record */
    VM_LIBRARY_REACTIVE_GOT,     /* (variant, value) -> value */
    VM_LIBRARY_REACTIVE_SET,     /* (variant, old, new) -> () */
    VM_LIBRARY_COUNT
};

/** What a host derives from a program's constants and keeps with it. */
struct vm_attachment {
    void (*free)(struct vm_attachment *attachment); /* with the program */
};

struct vm_program {
    unsigned magic;
    _Atomic uint32_t references;
    struct nb_arena *arena;
    const char *name;                       /* file or folder it was compiled from */
    struct vm_function **functions;         /* all, for tools */
    uint32_t function_count;
    const struct vm_function *init;         /* runs before main: initialises mvars; NULL when there is nothing to do */
    const struct vm_function *main;         /* main() without parameters; NULL when the program has none */
    const struct vm_function *entry;        /* init, then a tail call of main: what main processes start with; or NULL */
    struct vm_account *account;             /* of what its mvars hold; shared.h */
    struct vm_mvar **mvars;
    uint32_t mvar_count;
    const struct vm_function *library[VM_LIBRARY_COUNT]; /* NULL when nothing in the program leads there */
    struct vm_methods *methods;             /* dispatch.h */
    struct vm_types *types;                 /* types.h */
    _Atomic(struct vm_attachment *) attachment; /* NULL; then set once */
    _Atomic(struct vm_site_entry *) site_entries; /* what call sites remember; freed by vm_dispatch_done() */
};

struct vm_program *vm_program_new(const char *name);              /* one reference; NULL without memory */
struct vm_program *vm_program_ref(struct vm_program *program);
void vm_program_unref(struct vm_program *program);                /* NULL is fine */
/** A function by qualified name and arity ("handle", 1); NULL when there is none. */
const struct vm_function *vm_program_function(const struct vm_program *program, const char *name, unsigned arity);

#endif
