/*
 * table.c - open addressing with linear probing over the order array; half full at most.
 */
#include "config.h"

#include "lang/table.h"

#include "base/alloc.h"

static uint32_t hash(const char *name)
{
    uint64_t bits = (uint64_t)(uintptr_t)name;

    return (uint32_t)((bits * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

/* The slot of a name, or the free one where it belongs. Slots are twice the capacity, a power of two. */
static uint32_t *find(const struct ns_table *table, const char *name)
{
    uint32_t mask = table->capacity * 2 - 1;
    uint32_t at = hash(name) & mask;

    while (table->slots[at] != 0 && table->entries[table->slots[at] - 1].name != name)
        at = (at + 1) & mask;
    return &table->slots[at];
}

static void grow(struct ns_table *table)
{
    table->capacity = table->capacity == 0 ? 8 : table->capacity * 2;
    table->entries = nb_xrealloc_array(table->entries, table->capacity, sizeof *table->entries);
    nb_free(table->slots);
    table->slots = nb_xalloc_zero(sizeof *table->slots * table->capacity * 2);
    for (uint32_t i = 0; i < table->count; i++)
        *find(table, table->entries[i].name) = i + 1;
}

void *ns_table_get(const struct ns_table *table, const char *name)
{
    uint32_t slot = table->count == 0 ? 0 : *find(table, name);

    return slot == 0 ? NULL : table->entries[slot - 1].value;
}

void *ns_table_set(struct ns_table *table, const char *name, void *value)
{
    uint32_t *slot = table->capacity == 0 ? NULL : find(table, name);
    void *former;

    if (slot == NULL || *slot == 0) {
        if (value == NULL)
            return NULL;
        if (table->count == table->capacity) {
            grow(table);
            slot = find(table, name);
        }
        table->entries[table->count] = (struct ns_entry){ name, NULL };
        *slot = ++table->count;
    }
    former = table->entries[*slot - 1].value;
    table->entries[*slot - 1].value = value;
    return former;
}

void ns_table_done(struct ns_table *table)
{
    nb_free(table->entries);
    nb_free(table->slots);
    *table = (struct ns_table){ 0 };
}
