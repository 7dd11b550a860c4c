/*
 * alloc.c - malloc with checked sizes, a count of live blocks and failures on demand.
 *
 * The count is kept in stripes, one per thread as long as there are not more than STRIPES threads, each on
 * a cache line of its own: a single counter would be the most contended word of the program. A block may be
 * freed on another thread than the one that made it; only the sum means something.
 */
#include "config.h"

#include "base/alloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

enum { STRIPES = 64, CACHE_LINE = 64, EXIT_NO_MEMORY = 70 };

struct stripe {
    _Alignas(CACHE_LINE) atomic_long live;
};

static struct stripe stripes[STRIPES];
static atomic_uint threads_seen;
static atomic_long allocations_left = -1; /* nb_alloc_fail_after() */

static void count_block(long change)
{
    static _Thread_local unsigned own; /* index + 1 */

    if (own == 0)
        own = atomic_fetch_add_explicit(&threads_seen, 1, memory_order_relaxed) % STRIPES + 1;
    atomic_fetch_add_explicit(&stripes[own - 1].live, change, memory_order_relaxed);
}

/* Whether the failure that a test asked for is not due yet. */
static bool may_allocate(void)
{
    long left = atomic_load_explicit(&allocations_left, memory_order_relaxed);

    while (left > 0) {
        if (atomic_compare_exchange_weak_explicit(&allocations_left, &left, left - 1, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    }
    return left < 0;
}

void *nb_alloc(size_t bytes)
{
    void *memory;

    if (!may_allocate())
        return NULL;
    memory = malloc(bytes == 0 ? 1 : bytes);
    if (memory != NULL)
        count_block(1);
    return memory;
}

void *nb_alloc_zero(size_t bytes)
{
    void *memory;

    if (!may_allocate())
        return NULL;
    memory = calloc(1, bytes == 0 ? 1 : bytes);
    if (memory != NULL)
        count_block(1);
    return memory;
}

void *nb_alloc_array(size_t count, size_t bytes)
{
    size_t total;

    if (__builtin_mul_overflow(count, bytes, &total))
        return NULL;
    return nb_alloc(total);
}

/* Below LARGE_BLOCK, what a large page leaves unused would count; above, faults for small ones do, and address
 * look-ups. */
enum { LARGE_PAGE = 2 << 20, LARGE_BLOCK = 8 << 20 };

static void ask_for_large_pages(void *memory, size_t bytes)
{
    uintptr_t start = ((uintptr_t)memory + LARGE_PAGE - 1) & -(uintptr_t)LARGE_PAGE;
    uintptr_t end = ((uintptr_t)memory + bytes) & -(uintptr_t)LARGE_PAGE;

    if (end > start)
        (void)madvise((void *)start, end - start, MADV_HUGEPAGE); /* a system without them goes on as before */
}

void *nb_alloc_block(size_t count, size_t bytes)
{
    void *memory = nb_alloc_array(count, bytes);

    if (memory != NULL && count * bytes >= LARGE_BLOCK)
        ask_for_large_pages(memory, count * bytes);
    return memory;
}

void *nb_pages_new(size_t bytes, bool large)
{
    void *memory;

    if (!may_allocate())
        return NULL;
    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (large)
        ask_for_large_pages(memory, bytes);
    count_block(1);
    return memory;
}

void nb_pages_free(void *memory, size_t bytes)
{
    if (memory == NULL)
        return;
    count_block(-1);
    munmap(memory, bytes);
}

void *nb_realloc_array(void *old, size_t count, size_t bytes)
{
    size_t total;
    void *memory;

    if (__builtin_mul_overflow(count, bytes, &total) || !may_allocate())
        return NULL;
    memory = realloc(old, total == 0 ? 1 : total);
    if (memory != NULL && old == NULL)
        count_block(1);
    return memory;
}

char *nb_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = nb_alloc(bytes);

    return copy == NULL ? NULL : memcpy(copy, text, bytes);
}

char *nb_strndup(const char *text, size_t bytes)
{
    size_t length = strnlen(text, bytes);
    char *copy = nb_alloc(length + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *nb_memdup(const char *bytes, size_t length)
{
    char *copy = length == SIZE_MAX ? NULL : nb_alloc(length + 1);

    if (copy == NULL)
        return NULL;
    if (length > 0)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

void nb_free(void *memory)
{
    if (memory == NULL)
        return;
    count_block(-1);
    free(memory);
}

long nb_alloc_live(void)
{
    long live = 0;

    for (size_t i = 0; i < STRIPES; i++)
        live += atomic_load_explicit(&stripes[i].live, memory_order_relaxed);
    return live;
}

void nb_alloc_fail_after(long count) { atomic_store_explicit(&allocations_left, count, memory_order_relaxed); }

void nb_out_of_memory(size_t bytes)
{
    char text[80];
    int length = snprintf(text, sizeof text, "out of memory (%zu bytes wanted)\n", bytes);

    nb_log_last_words();
    fflush(NULL); /* what the program has said so far, before our own line */
    if (write(STDERR_FILENO, text, (size_t)length) < 0) {
        /* The exit status says it as well. */
    }
    _exit(EXIT_NO_MEMORY);
}

void *nb_xalloc(size_t bytes)
{
    void *memory = nb_alloc(bytes);

    if (memory == NULL)
        nb_out_of_memory(bytes);
    return memory;
}

void *nb_xalloc_zero(size_t bytes)
{
    void *memory = nb_alloc_zero(bytes);

    if (memory == NULL)
        nb_out_of_memory(bytes);
    return memory;
}

/* For the message only: an overflowing product is "all there is". */
static size_t product(size_t count, size_t bytes)
{
    size_t total;

    return __builtin_mul_overflow(count, bytes, &total) ? SIZE_MAX : total;
}

void *nb_xalloc_array(size_t count, size_t bytes)
{
    void *memory = nb_alloc_array(count, bytes);

    if (memory == NULL)
        nb_out_of_memory(product(count, bytes));
    return memory;
}

void *nb_xrealloc_array(void *old, size_t count, size_t bytes)
{
    void *memory = nb_realloc_array(old, count, bytes);

    if (memory == NULL)
        nb_out_of_memory(product(count, bytes));
    return memory;
}

char *nb_xstrdup(const char *text)
{
    char *copy = nb_strdup(text);

    if (copy == NULL)
        nb_out_of_memory(strlen(text) + 1);
    return copy;
}
