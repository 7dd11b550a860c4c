/*
 * dispatch.h - which function a method call means, by the receiver's class at run time (02 §6.6).
 *
 * Order: the program's trait implementations; natives of the class's namespace ("String.trim" for a String); the
 * library's own methods (Option, Result, List …); a field holding a function; the function in scope of the site (UFCS).
 * Sites remember the last class.
 */
#ifndef VM_DISPATCH_H
#define VM_DISPATCH_H

#include "vm/program.h"
#include "vm/type.h"

struct vm_methods;

/** An empty table in an arena, which must outlive it. */
struct vm_methods *vm_methods_new(struct nb_arena *arena);
/** Add a method. `tier` 0: the program's own, 1: the library's. `arity` counts the receiver. The latest wins.
 *  `function`: function or native value. */
void vm_methods_add(struct vm_methods *methods, unsigned tier, uint32_t class_key, uint32_t name_id, unsigned arity,
                    vm_value function);
/** The same for a method of a private trait, which only call sites in the module `scope` and in those nested in it
 *  find. */
void vm_methods_add_private(struct vm_methods *methods, unsigned tier, uint32_t class_key, uint32_t name_id,
                            const char *scope, vm_value function);
/** Trait implementation or VM_NONE, wherever it is visible; also used for operators (name ids of add, lt, eq, show
 *  …). */
vm_value vm_methods_find(const struct vm_methods *methods, unsigned tier, uint32_t class_key, uint32_t name_id,
                         unsigned arity);

/** Whether some class has a method of that name in the tables. */
bool vm_methods_know(const struct vm_methods *methods, uint32_t name_id);

/** Resolve a call of `site` on `receiver`. The function, native or closure to call (with the same arguments, or without
 *  the receiver when *ret_field_call), VM_NONE when nothing fits. Threads: any. */
vm_value vm_dispatch(struct vm_program *program, struct vm_site *site, vm_value receiver, bool *ret_field_call);

/** What the site found for the latest new class, if that is the class of the receiver and no arguments are to be
 *  put in order; VM_NONE: ask vm_dispatch(). Threads: any. */
static inline vm_value vm_dispatch_again(const struct vm_site *site, vm_value receiver)
{
    const struct vm_site_entry *entry = atomic_load_explicit(&site->cache, memory_order_acquire);

    if (entry == NULL || site->arg_names != NULL)
        return VM_NONE;
    if (vm_is_object(receiver) && (vm_header(receiver) & VM_SITE_HEADER) == entry->header)
        return entry->target;
    return entry->class_key == vm_class_of(receiver) ? entry->target : VM_NONE;
}

/** What `site` calls for each receiver of a class: a function or native that takes just its arguments. VM_NONE where that
 *  differs from value to value, or there is nothing. `constructor`: one of the class, NULL for built-in ones; not of a
 *  reactive type. For the compiler, once all methods are known. */
vm_value vm_dispatch_class(const struct vm_program *program, const struct vm_site *site, uint32_t class_key,
                           const struct vm_constructor *constructor);

/** Whether a receiver is what a site expects, so that site->expected is called. Threads: any. */
static inline bool vm_dispatch_expects(const struct vm_site *site, vm_value receiver)
{
    return vm_is_object(receiver) && vm_kind(receiver) == site->expected_kind &&
           vm_aux(receiver) - site->expected_first < site->expected_count;
}

/** Free what the program's call sites remember. Only vm_program_unref() calls it, with the last reference. */
void vm_dispatch_done(struct vm_program *program);

#endif
