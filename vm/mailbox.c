/*
 * mailbox.c - messages on their way: a lock-free inbox that senders push onto, a queue that only the owner sees.
 *
 * The inbox is a stack; when the owner has looked at all of its queue, it takes the whole stack at once and turns
 * it around, which gives the order of arrival (and with it the order of each sender). Pops are batch pops only, so
 * a node is never freed while another popper looks at it.
 *
 * A message carries the pid it was meant for: one that arrives after its receiver has ended is dropped by the
 * struct's next tenant, or by vm_mailbox_clear(). inbox_length counts before the push and after the removal, so it
 * is never too small.
 *
 * The copy that a message brings along is adopted when a receive looks at the message for the first time: its
 * memory then belongs to the heap, and message->value is a root that the collector updates (gc.c) for as long as
 * the message stays in the queue.
 */
#include "config.h"

#include "vm/process.h"

#include <ck_pr.h>
#include <stddef.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/tsan.h"
#include "vm/shared.h"

/* With the shared objects that it keeps alive, although others may keep them alive, too. */
static uint64_t bytes_of(const struct vm_message *message)
{
    const struct vm_fragment *fragment = message->fragment;
    uint64_t bytes = sizeof *message;

    if (vm_is_shared(message->value))
        bytes += vm_shared_bytes(message->value);
    if (fragment == NULL)
        return bytes;
    bytes += sizeof *fragment + fragment->words * sizeof(vm_value);
    for (uint32_t i = 0; i < fragment->shared_count; i++)
        bytes += vm_shared_bytes(fragment->shared[i]);
    return bytes;
}

enum vm_copy_result vm_message_new(uint64_t to, vm_value value, struct vm_message **ret_message)
{
    struct vm_message *message = nb_alloc(sizeof *message);
    enum vm_copy_result result;

    if (message == NULL)
        return VM_COPY_NOMEM;
    result = vm_copy_to_fragment(value, &message->value, &message->fragment);
    if (result != VM_COPY_OK) {
        nb_free(message);
        return result;
    }
    message->next = NULL;
    message->to = to;
    message->bytes = bytes_of(message);
    message->adopted = false;
    message->owns_shared = vm_is_shared(message->value);
    if (message->owns_shared)
        vm_shared_ref(message->value);
    *ret_message = message;
    return VM_COPY_OK;
}

static void free_message(struct vm_message *message)
{
    if (message == NULL)
        return;
    if (!message->adopted) {
        vm_fragment_free(message->fragment);
        if (message->owns_shared)
            vm_shared_unref(message->value);
    }
    nb_free(message);
}

/* ck_stack_push_upmc(), the link stored out of the thread sanitizer's sight: there it comes after nb_tsan_release(). */
static void push(ck_stack_t *stack, ck_stack_entry_t *entry)
{
    ck_stack_entry_t *head = ck_pr_load_ptr(&stack->head);

    do {
        ck_pr_store_ptr(&entry->next, head);
        ck_pr_fence_store();
    } while (!ck_pr_cas_ptr_value(&stack->head, head, entry, &head));
}

void vm_process_deliver(struct vm_process *process, struct vm_message *message)
{
    atomic_fetch_add_explicit(&process->inbox_length, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&process->inbox_bytes, message->bytes, memory_order_relaxed);
    nb_tsan_release(&process->inbox);
    push(&process->inbox, &message->entry);
}

static void forget(struct vm_process *process, struct vm_message *message)
{
    atomic_fetch_sub_explicit(&process->inbox_length, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&process->inbox_bytes, message->bytes, memory_order_relaxed);
    free_message(message);
}

/* Everything in the inbox, oldest first, linked by `next`. */
static struct vm_message *take_inbox(struct vm_process *process)
{
    ck_stack_entry_t *entry;
    struct vm_message *oldest = NULL;

    if (ck_pr_load_ptr(&process->inbox.head) == NULL) /* the usual case needs no write to the shared line */
        return NULL;
    entry = ck_stack_batch_pop_upmc(&process->inbox);
    nb_tsan_acquire(&process->inbox);
    while (entry != NULL) {
        struct vm_message *message = (struct vm_message *)(void *)((char *)entry - offsetof(struct vm_message, entry));

        entry = ck_pr_load_ptr(&entry->next); /* see push() */
        message->next = oldest;
        oldest = message;
    }
    return oldest;
}

/* Move the inbox behind the queue. */
static void fetch(struct vm_process *process)
{
    uint64_t pid = atomic_load_explicit(&process->pid, memory_order_relaxed);
    struct vm_message *message = take_inbox(process);

    while (message != NULL) {
        struct vm_message *next = message->next;

        if (message->to != pid) {
            forget(process, message);
        } else {
            message->next = NULL;
            message->number = ++process->numbered;
            *process->queue_end = message;
            process->queue_end = &message->next;
            process->queue_length++;
        }
        message = next;
    }
}

static void adopt(struct vm_process *process, struct vm_message *message)
{
    vm_heap_adopt(&process->heap, message->fragment);
    if (message->owns_shared)
        vm_heap_add_shared(&process->heap, message->value);
    if (message->bytes > sizeof *message) {
        atomic_fetch_sub_explicit(&process->inbox_bytes, message->bytes - sizeof *message, memory_order_relaxed);
        message->bytes = sizeof *message;
    }
    message->adopted = true;
}

/* Let `scan` be where the queue goes on behind a number. Usually it is there or one further. */
static void seek(struct vm_process *process, uint64_t number)
{
    if (number < process->scanned) {
        process->scan = &process->queue;
        process->scanned = 0;
    }
    while (*process->scan != NULL && (*process->scan)->number <= number) {
        process->scanned = (*process->scan)->number;
        process->scan = &(*process->scan)->next;
    }
}

struct vm_message *vm_mailbox_next(struct vm_process *process, uint64_t number)
{
    struct vm_message *message;

    seek(process, number);
    if (*process->scan == NULL)
        fetch(process);
    message = *process->scan;
    if (message != NULL && !message->adopted)
        adopt(process, message);
    return message;
}

void vm_mailbox_take(struct vm_process *process, uint64_t number)
{
    struct vm_message *message;

    seek(process, number - 1);
    message = *process->scan;
    if (message == NULL || message->number != number)
        return; /* a receive in the guard was faster */
    *process->scan = message->next;
    if (message->next == NULL)
        process->queue_end = process->scan;
    process->queue_length--;
    forget(process, message);
}

static void forget_all(struct vm_process *process, struct vm_message *message)
{
    while (message != NULL) {
        struct vm_message *next = message->next;

        forget(process, message);
        message = next;
    }
}

void vm_mailbox_clear(struct vm_process *process)
{
    forget_all(process, process->queue);
    forget_all(process, take_inbox(process));
    process->queue = NULL;
    process->queue_end = process->scan = &process->queue;
    process->scanned = 0;
    process->queue_length = 0;
}
