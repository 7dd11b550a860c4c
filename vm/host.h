/*
 * host.h - what the VM needs from above. The scheduler and the program that embeds the VM fill this struct;
 * the VM includes neither.
 */
#ifndef VM_HOST_H
#define VM_HOST_H

#include "vm/process.h"

/** spawn, spawn_link, spawn_monitor. */
enum vm_spawn { VM_SPAWN_PLAIN, VM_SPAWN_LINK, VM_SPAWN_MONITOR };

struct vm_host {
    /** A new process that will call `closure` (as `how` says linked or monitored; then *ret is (pid, reference)), on
     *  the same program and owner as ctx->process, made runnable. Returns its pid value in *ret. VM_OK, VM_NOMEM, or
     *  VM_RAISE with ctx->exception set (not copyable, limit of processes). */
    enum vm_status (*spawn)(struct vm_ctx *ctx, vm_value closure, enum vm_spawn how, vm_value *ret);
    /** Send: copy `message` and deliver it to the process with that pid, if it lives; wake it. VM_OK also when it does
     *  not. */
    enum vm_status (*send)(struct vm_ctx *ctx, uint64_t pid, vm_value message);
    /** Make a process runnable that may be parked (it must be known to be alive or type-stable). Threads: any. `ctx` is
     *  the caller's own or NULL. */
    void (*wake)(struct vm_ctx *ctx, struct vm_process *process);
    /** Ask the process with that pid to end. True when it was alive and is not the caller. */
    bool (*kill)(struct vm_ctx *ctx, uint64_t pid);
    /** A process that lives, by pid, or NULL. The pointer stays readable (type-stable), but may become another process
     *  any time. */
    struct vm_process *(*find)(uint64_t pid);
    /** Pids of all live processes of the caller's app, at most `most`; returns how many. */
    size_t (*list)(struct vm_ctx *ctx, uint64_t *pids, size_t most);
    void (*stats)(struct vm_ctx *ctx, uint64_t *ret_spawned, uint64_t *ret_exited, uint64_t *ret_active);
    unsigned (*workers)(void);
    /** A line of output of the running process (print, println, eprint): without the newline. `error`: standard
     *  error. */
    void (*output)(struct vm_ctx *ctx, bool error, bool newline, const char *text, size_t length);
    void (*flush)(struct vm_ctx *ctx, bool error);
};

#endif
