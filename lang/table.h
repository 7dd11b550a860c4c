/*
 * table.h - a map from interned names to pointers; the compiler asks it millions of times.
 *
 * Names are compared by address. Iteration is in order of first insertion. A name whose value was set back to NULL
 * stays in the order.
 */
#ifndef LANG_TABLE_H
#define LANG_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct ns_entry { const char *name; void *value; };

/** All zero is an empty table. */
struct ns_table {
    struct ns_entry *entries; /* count of them, in order */
    uint32_t *slots;          /* index + 1 into entries, 0 free */
    uint32_t count, capacity;
};

void *ns_table_get(const struct ns_table *table, const char *name); /* NULL when absent */
/** Put a value; NULL takes it out again. Returns what was there. */
void *ns_table_set(struct ns_table *table, const char *name, void *value);
void ns_table_done(struct ns_table *table);

#endif
