/*
 * references.c - the set: a growing array, with open addressing over it once it is worth it.
 */
#include "config.h"

#include "vm/references.h"

#include "base/alloc.h"
#include "vm/shared.h"

enum { ITEMS_MIN = 8, LINEAR_MAX = 8 };

/* Objects are 16 bytes apart at least; the multiplication spreads their addresses into the high bits. */
static uint32_t slot_of(const struct vm_references *references, vm_value shared)
{
    return (uint32_t)((shared >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (references->table_size - 1);
}

/* The slot that holds the object, or the free one where it belongs. */
static uint32_t *find(const struct vm_references *references, vm_value shared)
{
    uint32_t slot = slot_of(references, shared);

    while (references->table[slot] != 0 && references->items[references->table[slot] - 1] != shared)
        slot = (slot + 1) & (references->table_size - 1);
    return &references->table[slot];
}

static bool has(const struct vm_references *references, vm_value shared)
{
    if (references->table != NULL)
        return *find(references, shared) != 0;
    for (uint32_t i = references->count; i-- > 0;)
        if (references->items[i] == shared)
            return true;
    return false;
}

static bool grow_items(struct vm_references *references)
{
    uint32_t capacity = references->capacity == 0 ? ITEMS_MIN : references->capacity * 2;
    vm_value *items;

    if (capacity < references->capacity || capacity > UINT32_MAX / 8)
        return false;
    items = nb_realloc_array(references->items, capacity, sizeof *items);
    if (items == NULL)
        return false;
    references->items = items;
    references->capacity = capacity;
    return true;
}

/* A table of four times the items' capacity: at most half full before the next growth. */
static bool grow_table(struct vm_references *references)
{
    uint32_t size = references->capacity * 4;
    uint32_t *table = nb_alloc_zero(size * sizeof *table);

    if (table == NULL)
        return false;
    nb_free(references->table);
    references->table = table;
    references->table_size = size;
    for (uint32_t i = 0; i < references->count; i++)
        *find(references, references->items[i]) = i + 1;
    return true;
}

bool vm_references_add(struct vm_references *references, vm_value shared)
{
    if (has(references, shared))
        return true;
    if (references->count == references->capacity && !grow_items(references))
        return false;
    if (references->count >= LINEAR_MAX && references->table_size < references->capacity * 2 && !grow_table(references))
        return false;
    references->items[references->count++] = shared;
    if (references->table != NULL)
        *find(references, shared) = references->count;
    return true;
}

void vm_references_take(const struct vm_references *references)
{
    for (uint32_t i = 0; i < references->count; i++)
        vm_shared_ref(references->items[i]);
}

void vm_references_done(struct vm_references *references)
{
    nb_free(references->items);
    nb_free(references->table);
    *references = VM_REFERENCES_INIT;
}
