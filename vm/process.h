/*
 * process.h - a lightweight process: its heap, mailbox, state; and the context of the thread that runs one.
 *
 * Memory of process structs is type-stable: a struct that ended is reused for another process and never unmapped,
 * so that a sender may follow a stale table entry: its message carries the pid it was meant for, and the new tenant
 * drops it.
 *
 * States (all changes by compare-and-swap; whoever wins a transition to RUNNABLE puts the process into a run queue,
 * so it is in one at most):
 *
 *   FREE ─new─▶ RUNNABLE ─worker takes it─▶ RUNNING ─parks─▶ WAITING ─wake─▶ RUNNABLE
 *                  ▲                          │  ▲ └─ends──▶ FREE
 *                  └───────slice used─────────┘  └ wake while RUNNING: NOTIFIED; parking then fails and it runs on
 *
 * Parking and waking: the parker publishes its reason, then tries RUNNING→WAITING; the waker publishes the cause
 * (pushes the message), then wakes. Either order of the two ends with a process that sees the cause.
 */
#ifndef VM_PROCESS_H
#define VM_PROCESS_H

#include <ck_stack.h>
#include <stdatomic.h>

#include "vm/heap.h"
#include "vm/native.h"

#define VM_PROCESS_MAGIC 0x70c0de55u

struct vm_host;
struct vm_program;
struct vm_function;
struct vm_mvar;
struct io_handle;

enum vm_process_state {
    VM_PROCESS_FREE,
    VM_PROCESS_RUNNABLE,
    VM_PROCESS_RUNNING,
    VM_PROCESS_NOTIFIED, /* running, and woken meanwhile */
    VM_PROCESS_WAITING,
};

/** What a process that waits is doing, for Process.info and nostosctl. */
enum vm_wait { VM_WAIT_NONE, VM_WAIT_RECEIVE, VM_WAIT_SLEEP, VM_WAIT_IO, VM_WAIT_MVAR, VM_WAIT_ACCEPT };

struct vm_message {
    ck_stack_entry_t entry;   /* in the receiver's inbox */
    struct vm_message *next;  /* in the receiver's queue, oldest first */
    uint64_t to;              /* the pid it was sent to */
    uint64_t bytes;           /* counted in inbox_bytes: what it takes apart from what the heap has adopted */
    uint64_t number;          /* its place in the receiver's queue: they grow; from 1 */
    vm_value value;
    struct vm_fragment *fragment; /* what `value` points into; NULL for immediates, immortals and … */
    bool owns_shared;         /* … shared objects, of which the message then holds one reference */
    bool adopted;             /* looked at by a receive: fragment and reference went to the heap, `value` is a root */
};

struct vm_process {
    unsigned magic;
    _Atomic uint32_t state;              /* enum vm_process_state */
    _Atomic uint64_t pid;                /* its number now; 0 while FREE */
    _Atomic bool kill;                   /* asked to end; looked at when it is scheduled or parks */
    struct vm_process *queue_next;       /* for whoever holds it: injection queue, free lists */
    struct vm_program *program;          /* whose code it runs; one reference */
    void *owner;                         /* the app version it belongs to, for the host; NULL in plain runs */

    struct vm_heap heap;
    const uint64_t *pc;                  /* next instruction while it does not run */
    uint32_t handler;                    /* innermost exception handler: words below heap.end, 0 none (except.h) */
    uint32_t depth, depth_max;           /* calls that wait for a result */
    vm_value entry;                      /* closure to call first */
    vm_value result;                     /* what the body returned */
    vm_value exception;                  /* what ended it */
    vm_value reactive;                   /* its context of reactive values: reactive.h; VM_NONE none */
    char *trace;                         /* stack trace of that; nb_alloc'ed */

    ck_stack_t inbox;                    /* senders push, the owner pops all */
    struct vm_message *queue, **queue_end; /* in order of arrival; owner only */
    struct vm_message **scan;            /* where the queue goes on behind … */
    uint64_t scanned;                    /* … this number, from the last look */
    uint64_t numbered;                   /* the last number given out */
    uint32_t queue_length;
    _Atomic uint32_t inbox_length;       /* both queues together, for others to read */
    _Atomic uint64_t inbox_bytes;        /* likewise; what a receive has looked at is the heap's */
    uint32_t mailbox_max;
    uint64_t mailbox_max_bytes;

    _Atomic enum vm_wait wait;           /* for others to read, as long as it is WAITING: vm_process_wait_for() */
    _Atomic uint64_t deadline_ns;        /* of the current receive or sleep; UINT64_MAX none; likewise */
    bool deadline_set;                   /* this receive or sleep has begun */
    void *operation;                     /* a parked native's state; NULL when none. Owner, or … */
    void (*operation_cancel)(struct vm_process *process); /* … called when the process ends with one pending */
    struct vm_mvar *held;                /* mvars it has locked; mvar.c has this and the next four */
    struct vm_mvar *mvar_wait;           /* the one it waits for or was just woken for */
    struct vm_process *mvar_next;        /* behind it in that one's queue; belongs to the mvar while mvar_queued */
    const struct vm_host *mvar_host;     /* who wakes whom it keeps waiting */
    bool mvar_queued;
    void *http_requests;                 /* requests it accepted and has not answered: server/request.h */
    _Atomic(struct io_handle *) handles; /* open files and commands it holds: io/handle.h */
    bool servers_bound;                  /* it has bound a server, so its being killed closes some */
    bool published;                      /* it sent a message, wrote an mvar or spawned: others may know what it knows */

    /* Written by who runs it or makes it, read by anybody. */
    _Atomic uint64_t reductions;         /* in all; whoever calls vm_run() adds what it used up */
    _Atomic uint64_t started_ns;
    void *links;                         /* links and monitors; NULL none */
};

/** Note what a process is about to wait for, or that it waits no more. Threads: the owner. */
static inline void vm_process_wait_for(struct vm_process *process, enum vm_wait wait)
{
    atomic_store_explicit(&process->wait, wait, memory_order_relaxed); /* the state, stored later, publishes it */
}

/** Note until when its receive or sleep lasts. Threads: the owner. */
static inline void vm_process_wait_until(struct vm_process *process, uint64_t deadline_ns)
{
    atomic_store_explicit(&process->deadline_ns, deadline_ns, memory_order_relaxed);
}

/** Many values of a native that the collector knows: ctx->spans, innermost first. */
struct vm_span {
    vm_value *items;
    size_t count;
    struct vm_span *outer;
};

/** The running of processes on one thread. Natives get it; it knows the process they run for. */
struct vm_ctx {
    struct vm_process *process;
    const struct vm_host *host;
    void *worker;                            /* the scheduler's */
    int64_t reductions;                      /* left in this slice */
    vm_value args[VM_NATIVE_ARITY_MAX + 4];  /* of the native that runs; roots */
    unsigned arg_count;                      /* how many of them are in use */
    vm_value exception;                      /* with VM_RAISE; a root */
    vm_value call_function, call_args[4];    /* with VM_CALL; roots */
    unsigned call_arg_count;
    vm_value *roots[32];                     /* C variables, innermost last */
    unsigned root_count;
    struct vm_span *spans;                   /* likewise, in bulk */
    uint64_t random[4];                      /* of vm_random() */
};

/** The call that a VM_CALL asked for is under way or was given up: its values are roots no more. */
static inline void vm_ctx_forget_call(struct vm_ctx *ctx)
{
    ctx->call_function = VM_NONE;
    ctx->call_arg_count = 0;
}
/** Nothing in the context refers to a heap: what a process that ran before left there is not for the next one. */
static inline void vm_ctx_forget(struct vm_ctx *ctx)
{
    vm_ctx_forget_call(ctx);
    ctx->arg_count = 0;
    ctx->exception = VM_NONE;
    ctx->root_count = 0;
    ctx->spans = NULL;
}

/**
 * Initialise a process (memory of the caller, state FREE or fresh zeroes) to call `entry`, a function value without
 * parameters that already lies in the process's own memory: see vm_process_spawn() for the usual way. Takes a
 * reference on the program. Returns false when memory is exhausted.
 */
bool vm_process_init(struct vm_process *process, struct vm_program *program, uint64_t pid);

/** Copy a closure (or function) of another process into a fresh process, to be called there. The parent's thread
 *  calls this before the child is submitted. Results as vm_copy_to_fragment(). */
enum vm_copy_result vm_process_set_entry(struct vm_process *process, vm_value closure);

/** Give back all it has: heap, messages, operation, held mvars (waking who waits for them), its reference to the
 *  program. State and pid are the caller's to change first. A block of the smallest size stays in process->heap for
 *  the next tenant: vm_heap_done() gives it back too. Late messages may still arrive in the inbox; the next tenant
 *  or the next vm_process_done() frees them. */
void vm_process_done(struct vm_process *process);

/** Deliver a message that was prepared by vm_message_new() to a process. The caller wakes it afterwards. Threads:
 *  any; lock-free. */
void vm_process_deliver(struct vm_process *process, struct vm_message *message);
/** A message holding a copy of `value`. Result as vm_copy_to_fragment(). Threads: the one that owns the value. */
enum vm_copy_result vm_message_new(uint64_t to, vm_value value, struct vm_message **ret_message);

/* The receive instructions (opcodes.def) are these three. Owner only. */
/** The first message whose number is greater than that (0: the oldest), adopted; NULL: none now. Asking again with the
 *  same number, or with that of the answer, costs O(1). */
struct vm_message *vm_mailbox_next(struct vm_process *process, uint64_t number);
/** Remove the message of that number, if it is still there. O(1) for the last one looked at. */
void vm_mailbox_take(struct vm_process *process, uint64_t number);
void vm_mailbox_clear(struct vm_process *process);                /* free them all; part of vm_process_done() */

enum vm_stop {
    VM_STOP_YIELD, /* slice used up: runnable */
    VM_STOP_WAIT,  /* parked: the scheduler now tries RUNNING → WAITING; deadline_ns says until when at most */
    VM_STOP_END,   /* body returned */
    VM_STOP_CRASH, /* an exception escaped: process->exception, process->trace */
    VM_STOP_KILLED
};
/** Run ctx->process until one of the above. ctx->reductions is the budget, afterwards what is left of it (less than
 *  nothing after work that cannot be divided). interp.c */
enum vm_stop vm_run(struct vm_ctx *ctx);

/** After VM_STOP_END: the value the body returned, in the process's heap (only main's is ever looked at). */
vm_value vm_process_result(const struct vm_process *process);

#endif
