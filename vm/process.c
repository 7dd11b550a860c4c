/*
 * process.c - beginning and end of a process.
 *
 * Both happen for each request, so they touch little: a process that never received, allocated much or locked
 * anything leaves nothing to clean up but its block, which stays for the next tenant of the struct. Fields that
 * other threads may look at any time (state, pid, inbox) are never reset by plain stores; see "type-stable" in
 * process.h.
 */
#include "config.h"

#include "vm/process.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "vm/mvar.h"
#include "vm/shared.h"

/* What a million of them cost: struct, block, and the allocator's own words. */
_Static_assert(sizeof(struct vm_process) + VM_BLOCK_WORDS_MIN * sizeof(vm_value) + 32 <= 2560,
               "a fresh process is to stay below 2.5 KiB");

enum { DEPTH_MAX_DEFAULT = 50000 };

static void start_empty_mailbox(struct vm_process *process)
{
    process->queue = NULL;
    process->queue_end = &process->queue;
    process->scan = &process->queue;
    process->scanned = process->numbered = 0;
    process->queue_length = 0;
    process->mailbox_max = 0;
    process->mailbox_max_bytes = 0;
}

static void start_running_state(struct vm_process *process)
{
    process->pc = NULL;
    process->handler = 0;
    process->depth = 0;
    process->depth_max = DEPTH_MAX_DEFAULT;
    process->entry = VM_NONE;
    process->result = VM_NONE;
    process->exception = VM_NONE;
    process->reactive = VM_NONE;
    process->trace = NULL;
    process->reductions = 0;
}

static void start_not_waiting(struct vm_process *process)
{
    vm_process_wait_for(process, VM_WAIT_NONE);
    vm_process_wait_until(process, UINT64_MAX);
    process->deadline_set = false;
    process->operation = NULL;
    process->operation_cancel = NULL;
    process->held = NULL;
    process->mvar_wait = NULL;
    process->mvar_queued = false;
    process->http_requests = NULL;
    atomic_store_explicit(&process->handles, NULL, memory_order_relaxed);
    process->servers_bound = false;
    process->published = false;
    process->links = NULL;
}

bool vm_process_init(struct vm_process *process, struct vm_program *program, uint64_t pid)
{
    if (process->heap.start == NULL && !vm_heap_init(&process->heap, VM_BLOCK_WORDS_MIN))
        return false;
    process->magic = VM_PROCESS_MAGIC;
    process->program = vm_program_ref(program);
    start_empty_mailbox(process);
    start_running_state(process);
    start_not_waiting(process);
    atomic_store_explicit(&process->kill, false, memory_order_relaxed);
    atomic_store_explicit(&process->pid, pid, memory_order_release);
    return true;
}

enum vm_copy_result vm_process_set_entry(struct vm_process *process, vm_value closure)
{
    nb_check_object(process, VM_PROCESS_MAGIC);
    return vm_copy_to_heap(closure, &process->heap, &process->entry);
}

void vm_process_done(struct vm_process *process)
{
    nb_check_object(process, VM_PROCESS_MAGIC);
    if (process->operation_cancel != NULL)
        process->operation_cancel(process);
    process->operation = NULL;
    process->operation_cancel = NULL;
    vm_mvar_release_all(process);
    vm_mailbox_clear(process);
    if (vm_heap_is_in_first_block(&process->heap))
        vm_heap_reset(&process->heap);
    else
        vm_heap_done(&process->heap);
    nb_free(process->trace);
    process->trace = NULL;
    process->entry = process->result = process->exception = process->reactive = VM_NONE;
    vm_program_unref(process->program);
    process->program = NULL;
    process->magic = 0;
}

vm_value vm_process_result(const struct vm_process *process)
{
    nb_check_object(process, VM_PROCESS_MAGIC);
    return process->result;
}
