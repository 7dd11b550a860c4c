/*
 * intern.c - names by number: pages that never move, and a table of numbers under a lock.
 *
 * Number n lies in slot n % PAGE of page n / PAGE. A page, once made, stays where it is, and a slot, once filled, never
 * changes; the release of `given` pairs with the acquire in nb_intern_text(), so whoever learned a number sees its
 * name. The hash table (open addressing) is touched under `lock` only; texts live in an arena that is never freed.
 */
#include "config.h"

#include "base/intern.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/hash.h"

enum { PAGE = 4096, PAGES = 4096, NAMES_MAX = (1 << 24) - 1, SLOTS_MIN = 1024 };

struct name {
    uint64_t hash;
    size_t bytes;
    uint32_t id;
    char text[];
};

static struct name **pages[PAGES];
static atomic_uint given; /* numbers 1 to given have a name */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct nb_arena *texts; /* below: guarded by lock */
static uint32_t *slots;        /* numbers, 0 is free */
static size_t slot_count;      /* 2^n */

static struct name *name_of(uint32_t id) { return pages[id / PAGE][id % PAGE]; }

static void enter(uint32_t id)
{
    size_t slot = name_of(id)->hash & (slot_count - 1);

    while (slots[slot] != 0)
        slot = (slot + 1) & (slot_count - 1);
    slots[slot] = id;
}

static void grow_table(uint32_t names)
{
    nb_free(slots);
    slot_count = slot_count == 0 ? SLOTS_MIN : slot_count * 2;
    slots = nb_xalloc_zero(slot_count * sizeof *slots);
    for (uint32_t id = 1; id <= names; id++)
        enter(id);
}

static struct name *find(const char *text, size_t bytes, uint64_t hash)
{
    if (slot_count == 0)
        return NULL;
    for (size_t slot = hash & (slot_count - 1); slots[slot] != 0; slot = (slot + 1) & (slot_count - 1)) {
        struct name *name = name_of(slots[slot]);

        if (name->hash == hash && name->bytes == bytes && (bytes == 0 || memcmp(name->text, text, bytes) == 0))
            return name;
    }
    return NULL;
}

static struct name *add(const char *text, size_t bytes, uint64_t hash)
{
    uint32_t id = atomic_load_explicit(&given, memory_order_relaxed) + 1;
    struct name *name;

    if (id > NAMES_MAX)
        nb_out_of_memory(bytes);
    if (texts == NULL)
        texts = nb_arena_new();
    if (pages[id / PAGE] == NULL)
        pages[id / PAGE] = nb_xalloc_zero(PAGE * sizeof *pages[0]);
    if (id >= slot_count / 2)
        grow_table(id - 1);
    name = nb_arena_alloc(texts, sizeof *name + bytes + 1);
    name->hash = hash;
    name->bytes = bytes;
    name->id = id;
    if (bytes > 0)
        memcpy(name->text, text, bytes);
    pages[id / PAGE][id % PAGE] = name;
    enter(id);
    atomic_store_explicit(&given, id, memory_order_release);
    return name;
}

static struct name *intern(const char *text, size_t bytes)
{
    uint64_t hash = nb_hash_bytes(text, bytes);
    struct name *name;

    pthread_mutex_lock(&lock);
    name = find(text, bytes, hash);
    if (name == NULL)
        name = add(text, bytes, hash);
    pthread_mutex_unlock(&lock);
    return name;
}

const char *nb_intern(const char *text) { return intern(text, strlen(text))->text; }

const char *nb_intern_n(const char *text, size_t bytes) { return intern(text, bytes)->text; }

uint32_t nb_intern_id(const char *text) { return intern(text, strlen(text))->id; }

uint32_t nb_intern_id_n(const char *text, size_t bytes) { return intern(text, bytes)->id; }

const char *nb_intern_text(uint32_t id)
{
    if (id == 0 || id > atomic_load_explicit(&given, memory_order_acquire))
        return NULL;
    return name_of(id)->text;
}
