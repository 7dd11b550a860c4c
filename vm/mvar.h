/*
 * mvar.h - module variables that processes share (05 §2): atomic reads, atomic writes, a re-entrant lock each.
 *
 * The struct is in program.h; zeroes but for name, type and first value are a good start. A read gives a snapshot
 * in O(1): a reference to the shared object, noted on the reader's heap; only content with mutable parts is copied.
 * While another process holds the lock, everybody else waits: these functions then answer VM_PARK and are called
 * again after waking, like natives.
 */
#ifndef VM_MVAR_H
#define VM_MVAR_H

#include "vm/program.h"

/** Give the running process its view of a shared value of which it got one reference: the same one, or a copy when it
 *  may change. What is not shared stays as it is. VM_OK or VM_NOMEM. Never collects. */
enum vm_status vm_mvar_view(struct vm_ctx *ctx, vm_value value, vm_value *ret);

/** The content. VM_OK with *ret, VM_PARK, VM_NOMEM. May collect. Threads: any, each with its own ctx. */
enum vm_status vm_mvar_get(struct vm_ctx *ctx, struct vm_mvar *mvar, vm_value *ret);

/** Store a copy (05 §1.1) of `value`. VM_OK, VM_PARK, VM_NOMEM; VM_RAISE when it cannot be copied (a string
 *  buffer). */
enum vm_status vm_mvar_set(struct vm_ctx *ctx, struct vm_mvar *mvar, vm_value value);

/** A shared version of a value for an mvar or a reactive value, charged to the running program (shared.h), with one
 *  reference. VM_OK, VM_NOMEM, or VM_RAISE: it cannot be copied, or all of these together are beyond the limit.
 *  Collects when it raises only. */
enum vm_status vm_mvar_share(struct vm_ctx *ctx, vm_value value, vm_value *ret_shared);

/** Lock for the running process; counted, so it may do so again. VM_OK or VM_PARK. */
enum vm_status vm_mvar_lock(struct vm_ctx *ctx, struct vm_mvar *mvar);

/** Undo one vm_mvar_lock() of the running process; the last one wakes who waits. */
void vm_mvar_unlock(struct vm_ctx *ctx, struct vm_mvar *mvar);

/** The process ends: unlock what it holds, leave the queue it stands in. Part of vm_process_done(). */
void vm_mvar_release_all(struct vm_process *process);

/** Give back the content; nobody uses the mvar any more. Part of freeing a program. */
void vm_mvar_done(struct vm_mvar *mvar);

#endif
