/*
 * link.h - who is told when a process ends: links, monitors, names.
 *
 * Linked processes end together: when one ends with another reason than "normal", it sends an exit signal to the
 * others, which ends them with the same reason, unless they trap exits: then the signal is a message ("EXIT", pid,
 * reason). A monitor is one-sided and only tells: ("DOWN", reference, pid, reason). A name is a word for a process, in
 * its group, until it ends.
 *
 * The reason is a text: "normal" when the body returned, "killed", the text of the exception that nobody caught, what
 * Process.exit() said, or "noproc" when there was no such process.
 *
 * All of this is under one lock that no process takes unless it has to do with links, monitors or names itself.
 */
#ifndef SCHEDULER_LINK_H
#define SCHEDULER_LINK_H

#include "scheduler/sched.h"

struct sched_links;
struct sched_slot;

struct sched_links *sched_links_new(void); /* NULL without memory */
struct sched_links *sched_links_free(struct sched_links *links);

/** Link the running process with another; nothing if it is linked already or the same. One that does not live any more
 *  sends its exit signal, "noproc", at once. VM_OK or VM_NOMEM. Threads: the worker's. */
enum vm_status sched_link(struct vm_ctx *ctx, uint64_t pid);
void sched_unlink(struct vm_ctx *ctx, uint64_t pid);
/** Have the running process told when another ends; *ret_reference, a positive number, comes along. */
enum vm_status sched_monitor(struct vm_ctx *ctx, uint64_t pid, uint64_t *ret_reference);
/** Give a monitor up. False when there is none of that number any more. What it has sent stays in the mailbox. */
bool sched_demonitor(struct vm_ctx *ctx, uint64_t reference);
/** Whether exit signals reach the running process as messages from now on; returns whether they did before. */
bool sched_trap_exit(struct vm_ctx *ctx, bool trap);
bool sched_traps_exit(struct vm_ctx *ctx);
/** Send an exit signal to a process, perhaps the running one: that ends with it at its next suspension point, trapping
 *  or not; others as said above, but "normal" ends nobody. False when it does not live. */
bool sched_exit(struct vm_ctx *ctx, uint64_t pid, const char *reason);

/** Give a live process of the group a name. False when the name is in use or the process does not live. */
bool sched_register(struct vm_ctx *ctx, const char *name, uint64_t pid);
bool sched_unregister(struct vm_ctx *ctx, const char *name); /* false: nobody had it */
/** The process of that name in the group, 0 when there is none. */
uint64_t sched_whereis(struct vm_ctx *ctx, const char *name);
/** Call `each` with the group's names, in order of registration, under the lock. */
void sched_registered(struct vm_ctx *ctx, void (*each)(void *context, const char *name), void *context);

/** A process that had to do with any of this (slot->linked) has ended: its pid leads nowhere any more. Tells the
 *  others. Part of sched_process_end(). */
void sched_links_ended(struct vm_ctx *ctx, struct sched_slot *slot, uint64_t pid, enum vm_stop stop);

#endif
