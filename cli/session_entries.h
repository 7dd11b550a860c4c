/*
 * session_entries.h - the definitions of a session: the text that all its later programs contain.
 *
 * Entries are immutable and belong to the session's arena; a list of them is cheap to copy, so that a change can be
 * tried on a copy.
 */
#ifndef CLI_SESSION_ENTRIES_H
#define CLI_SESSION_ENTRIES_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/vec.h"
#include "lang/input.h"

/** One item. */
struct session_entry {
    const char *key, *name;    /* see struct ns_input_part */
    enum ns_item_kind kind;
    const char *text;
    const char *file;          /* it was loaded from; NULL: typed */
    unsigned input;            /* number of the input it came with */
};

struct session_entries { NB_VEC(const struct session_entry *) list; };

/** Whether items of that kind give a name a value. */
bool session_is_value(enum ns_item_kind kind);
/** Add an entry in the place of the first that it replaces, the others go: those with its key; a value replaces the
 *  functions of its name, a function the values. Those of the same input stay. */
void session_entries_add(struct session_entries *entries, const struct session_entry *entry);
/** Append all entries of `from`, but for those loaded from that file (NULL: none is left out). */
void session_entries_copy(struct session_entries *to, const struct session_entries *from, const char *but_for_file);
/** Append the texts, each on lines of its own. */
void session_entries_text(struct nb_buf *out, const struct session_entries *entries);

#endif
