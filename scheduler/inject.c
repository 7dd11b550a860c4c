/*
 * inject.c - the injection queue: a stack of arrivals that the taker turns round.
 *
 * Putting is one compare-and-swap loop on `newest`. The taker first serves the list it turned round earlier, then
 * swaps the stack out as a whole (so there is no ABA question) and reverses it. `length` is raised before a process
 * can be seen and lowered after it was taken: a worker that reads zero before it parks misses nothing that was put
 * earlier.
 *
 * A chain of n is put with its links reversed first, so that turning round brings its order back.
 */
#include "config.h"

#include "scheduler/inject.h"

#include "base/assert.h"
#include "vm/process.h"

void sched_inject_init(struct sched_inject *inject)
{
    atomic_init(&inject->newest, NULL);
    atomic_init(&inject->taking, false);
    atomic_init(&inject->length, 0);
    inject->oldest = inject->oldest_end = NULL;
}

/* `top` is to be the newest; from it one comes by queue_next to `bottom`. */
static void put_reversed(struct sched_inject *inject, struct vm_process *top, struct vm_process *bottom, size_t count)
{
    struct vm_process *seen = atomic_load_explicit(&inject->newest, memory_order_relaxed);

    atomic_fetch_add(&inject->length, count);
    do {
        bottom->queue_next = seen;
        /* release: pairs with the taker's exchange */
    } while (!atomic_compare_exchange_weak_explicit(&inject->newest, &seen, top, memory_order_release,
                                                    memory_order_relaxed));
}

void sched_inject_put(struct sched_inject *inject, struct vm_process *process)
{
    nb_assert(process != NULL);
    put_reversed(inject, process, process, 1);
}

void sched_inject_put_chain(struct sched_inject *inject, struct vm_process *first, struct vm_process *last,
                            size_t count)
{
    struct vm_process *reversed = NULL, *process = first, *next;

    nb_assert(count > 0);
    for (size_t i = 0; i < count; i++, process = next) {
        next = process->queue_next;
        process->queue_next = reversed;
        reversed = process;
    }
    nb_assert(reversed == last);
    put_reversed(inject, last, first, count);
}

/* Append all arrivals to the list in order. Only while `taking` is ours. */
static void turn_round(struct sched_inject *inject)
{
    struct vm_process *process = atomic_exchange_explicit(&inject->newest, NULL, memory_order_acquire);
    struct vm_process *first = NULL, *last = process, *next;

    for (; process != NULL; process = next) {
        next = process->queue_next;
        process->queue_next = first;
        first = process;
    }
    if (first == NULL)
        return;
    if (inject->oldest == NULL)
        inject->oldest = first;
    else
        inject->oldest_end->queue_next = first;
    inject->oldest_end = last;
}

/* Detach up to `most` from the head of the list. */
static size_t detach(struct sched_inject *inject, size_t most, struct vm_process **ret_first)
{
    struct vm_process *last = NULL;
    size_t taken = 0;

    *ret_first = inject->oldest;
    for (struct vm_process *process = inject->oldest; process != NULL && taken < most; process = process->queue_next) {
        last = process;
        taken++;
    }
    if (last == NULL)
        return 0;
    inject->oldest = last->queue_next;
    last->queue_next = NULL;
    return taken;
}

size_t sched_inject_take(struct sched_inject *inject, size_t most, struct vm_process **ret_first)
{
    size_t taken;

    *ret_first = NULL;
    if (most == 0 || sched_inject_length(inject) == 0)
        return 0;
    if (atomic_exchange_explicit(&inject->taking, true, memory_order_acquire))
        return 0;
    if (inject->oldest == NULL)
        turn_round(inject);
    taken = detach(inject, most, ret_first);
    atomic_store_explicit(&inject->taking, false, memory_order_release);
    atomic_fetch_sub(&inject->length, taken);
    return taken;
}

size_t sched_inject_length(const struct sched_inject *inject)
{
    return atomic_load(&inject->length);
}
