/*
 * session_entries.c - which definition takes the place of which.
 */
#include "config.h"

#include "cli/session_entries.h"

#include <string.h>

static bool is_function(enum ns_item_kind kind) { return kind == NS_ITEM_FUNCTION || kind == NS_ITEM_TEMPLATE; }

bool session_is_value(enum ns_item_kind kind)
{
    return kind == NS_ITEM_MVAR || kind == NS_ITEM_CONST || kind == NS_ITEM_BINDING;
}

/* A value takes the place of functions of its name and the other way round. */
static bool replaces(const struct session_entry *later, const struct session_entry *earlier)
{
    if (strcmp(later->key, earlier->key) == 0)
        return true;
    if (later->name == NULL || earlier->name == NULL || strcmp(later->name, earlier->name) != 0)
        return false;
    return (session_is_value(later->kind) && (session_is_value(earlier->kind) || is_function(earlier->kind))) ||
           (is_function(later->kind) && session_is_value(earlier->kind));
}

void session_entries_add(struct session_entries *entries, const struct session_entry *entry)
{
    size_t kept = 0;
    bool placed = false;

    for (size_t i = 0; i < entries->list.count; i++) {
        const struct session_entry *earlier = entries->list.items[i];

        if (earlier->input == entry->input || !replaces(entry, earlier)) {
            entries->list.items[kept++] = earlier;
        } else if (!placed) {
            entries->list.items[kept++] = entry;
            placed = true;
        }
    }
    entries->list.count = kept;
    if (!placed)
        nb_vec_push(&entries->list, entry);
}

void session_entries_copy(struct session_entries *to, const struct session_entries *from, const char *but_for_file)
{
    for (size_t i = 0; i < from->list.count; i++)
        if (but_for_file == NULL || from->list.items[i]->file == NULL ||
            strcmp(from->list.items[i]->file, but_for_file) != 0)
            nb_vec_push(&to->list, from->list.items[i]);
}

void session_entries_text(struct nb_buf *out, const struct session_entries *entries)
{
    for (size_t i = 0; i < entries->list.count; i++)
        nb_buf_printf(out, "%s\n", entries->list.items[i]->text);
}
