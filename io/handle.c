/*
 * handle.c - the table of handles: buckets by number, and a list for each holder.
 *
 * One lock guards it all, and is held for a few steps only; what dropping a handle takes happens outside of it. A
 * process's list begins in the process struct (type-stable memory): only the process itself adds to it, others remove.
 */
#include "config.h"

#include "io/handle.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/assert.h"

#define HANDLE_MAGIC 0x6b1fd2c5u

enum { BUCKETS_LEAST = 64 };

struct table {
    struct io_handle **buckets; /* NULL until first used */
    size_t bucket_count, count; /* buckets: a power of two */
    int64_t last_number;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct table tables[IO_HANDLE_KINDS];
static struct io_handle *oldest_orphan, *youngest_orphan;
static size_t orphan_count;

/* ---- references ---- */

void io_handle_init(struct io_handle *handle, enum io_handle_kind kind, void (*drop)(struct io_handle *handle),
                    void (*free_handle)(struct io_handle *handle))
{
    *handle = (struct io_handle){ .magic = HANDLE_MAGIC, .kind = kind, .drop = drop, .free = free_handle };
    atomic_init(&handle->references, 1);
}

struct io_handle *io_handle_ref(struct io_handle *handle)
{
    nb_check_object(handle, HANDLE_MAGIC);
    atomic_fetch_add(&handle->references, 1);
    return handle;
}

void io_handle_unref(struct io_handle *handle)
{
    nb_check_object(handle, HANDLE_MAGIC);
    if (atomic_fetch_sub(&handle->references, 1) > 1)
        return;
    handle->magic = 0;
    handle->free(handle);
}

/* ---- buckets; under the lock ---- */

static struct io_handle **bucket_of(const struct table *table, int64_t number)
{
    return &table->buckets[(size_t)number & (table->bucket_count - 1)];
}

static void put(struct table *table, struct io_handle *handle)
{
    struct io_handle **bucket = bucket_of(table, handle->number);

    handle->chain = *bucket;
    *bucket = handle;
}

/* Room for one more. False without memory. */
static bool grow(struct table *table)
{
    struct table bigger = *table;

    if (table->count < table->bucket_count)
        return true;
    bigger.bucket_count = table->bucket_count == 0 ? BUCKETS_LEAST : 2 * table->bucket_count;
    bigger.buckets = nb_alloc_zero(bigger.bucket_count * sizeof *bigger.buckets);
    if (bigger.buckets == NULL)
        return false;
    for (size_t i = 0; i < table->bucket_count; i++)
        for (struct io_handle *handle = table->buckets[i], *next; handle != NULL; handle = next) {
            next = handle->chain;
            put(&bigger, handle);
        }
    nb_free(table->buckets);
    *table = bigger;
    return true;
}

/* Where the handle of a number hangs, if the group may know it. NULL when there is none. */
static struct io_handle **find(enum io_handle_kind kind, int64_t number, const void *group)
{
    const struct table *table = &tables[kind];

    if (table->buckets == NULL)
        return NULL;
    for (struct io_handle **at = bucket_of(table, number); *at != NULL; at = &(*at)->chain)
        if ((*at)->number == number)
            return (*at)->group == group ? at : NULL;
    return NULL;
}

static void remove_at(struct io_handle **at)
{
    struct table *table = &tables[(*at)->kind];

    atomic_store(&(*at)->over, true);
    *at = (*at)->chain;
    table->count--;
    if (table->count == 0) {
        nb_free(table->buckets);
        table->buckets = NULL;
        table->bucket_count = 0;
    }
}

/* ---- holders; under the lock ---- */

static void hold(struct vm_process *process, struct io_handle *handle)
{
    struct io_handle *first = atomic_load(&process->handles);

    handle->holder = process;
    handle->previous = NULL;
    handle->next = first;
    if (first != NULL)
        first->previous = handle;
    atomic_store(&process->handles, handle);
}

static void become_orphan(struct io_handle *handle)
{
    handle->holder = NULL;
    handle->next = NULL;
    handle->previous = youngest_orphan;
    if (youngest_orphan != NULL)
        youngest_orphan->next = handle;
    else
        oldest_orphan = handle;
    youngest_orphan = handle;
    orphan_count++;
}

static void leave_holder(struct io_handle *handle)
{
    if (handle->next != NULL)
        handle->next->previous = handle->previous;
    else if (handle->holder == NULL)
        youngest_orphan = handle->previous;
    if (handle->previous != NULL)
        handle->previous->next = handle->next;
    else if (handle->holder != NULL)
        atomic_store(&handle->holder->handles, handle->next);
    else
        oldest_orphan = handle->next;
    if (handle->holder == NULL)
        orphan_count--;
}

/* Out of table and list, onto a list of those to drop. */
static void discard(struct io_handle *handle, struct io_handle **dropped)
{
    leave_holder(handle);
    remove_at(find(handle->kind, handle->number, handle->group));
    handle->next = *dropped;
    *dropped = handle;
}

static void drop_all(struct io_handle *handle)
{
    for (struct io_handle *next; handle != NULL; handle = next) {
        next = handle->next;
        handle->drop(handle);
    }
}

/* ---- for natives ---- */

int64_t io_handle_add(struct vm_ctx *ctx, struct io_handle *handle)
{
    struct table *table = &tables[handle->kind];
    int64_t number = 0;

    nb_check_object(handle, HANDLE_MAGIC);
    pthread_mutex_lock(&lock);
    if (grow(table)) {
        number = handle->number = ++table->last_number;
        handle->group = ctx->process->owner;
        put(table, handle);
        table->count++;
        hold(ctx->process, handle);
    }
    pthread_mutex_unlock(&lock);
    return number;
}

struct io_handle *io_handle_find(struct vm_ctx *ctx, enum io_handle_kind kind, int64_t number)
{
    struct io_handle **at, *handle = NULL;

    pthread_mutex_lock(&lock);
    at = find(kind, number, ctx->process->owner);
    if (at != NULL) {
        handle = io_handle_ref(*at);
        if (handle->holder == NULL) {
            leave_holder(handle);
            hold(ctx->process, handle);
        }
    }
    pthread_mutex_unlock(&lock);
    return handle;
}

struct io_handle *io_handle_take(struct vm_ctx *ctx, enum io_handle_kind kind, int64_t number)
{
    struct io_handle **at, *handle = NULL;

    pthread_mutex_lock(&lock);
    at = find(kind, number, ctx->process->owner);
    if (at != NULL) {
        handle = *at;
        leave_holder(handle);
        remove_at(at);
    }
    pthread_mutex_unlock(&lock);
    return handle;
}

/* ---- ends ---- */

/* Whether others may know it, and are to have it. */
static bool may_outlive(const struct io_handle *handle, const struct vm_process *process, enum vm_stop stop)
{
    return process->published && (stop == VM_STOP_END || handle->kind == IO_HANDLE_SOCKET);
}

void io_process_ended(struct vm_process *process, enum vm_stop stop)
{
    struct io_handle *handle, *dropped = NULL;

    if (atomic_load_explicit(&process->handles, memory_order_relaxed) == NULL)
        return; /* only the process itself adds to it */
    pthread_mutex_lock(&lock);
    while ((handle = atomic_load(&process->handles)) != NULL)
        if (may_outlive(handle, process, stop)) {
            leave_holder(handle);
            become_orphan(handle);
        } else {
            discard(handle, &dropped);
        }
    while (orphan_count > IO_ORPHANS_MAX)
        discard(oldest_orphan, &dropped);
    pthread_mutex_unlock(&lock);
    drop_all(dropped);
}

void io_group_ended(const struct sched_group *group)
{
    struct io_handle *dropped = NULL;

    pthread_mutex_lock(&lock);
    for (struct io_handle *handle = oldest_orphan, *next; handle != NULL; handle = next) {
        next = handle->next;
        if (handle->group == group)
            discard(handle, &dropped);
    }
    pthread_mutex_unlock(&lock);
    drop_all(dropped);
}
