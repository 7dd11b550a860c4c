/*
 * library_text.h - what the library's modules say of their definitions, for the reference manual and for sessions.
 *
 * A module is read line by line. A public definition is documented by the comment right above it, or by the comment
 * right below the heading of its section (`# ---- texts ----`), which then speaks for all that stands there.
 */
#ifndef LANG_LIBRARY_TEXT_H
#define LANG_LIBRARY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "lang/library.h"

struct ns_library_definition {
    const char *name;        /* in the module's text, name_length bytes */
    size_t name_length;
    const char *signature;   /* likewise: "map(list: List[a], f: (a) -> b) -> List[b]"; of types and traits, all */
    size_t signature_length;
    const char *comment;     /* right above; "" when there is none. Lines end with line feeds */
    const char *section;     /* what the section's comment says, "" for none */
};

/** Who reads a module. What is pointed to lives until the callback returns (names and signatures: for ever). */
struct ns_library_reader {
    void (*heading)(void *context, const char *text, size_t length); /* of a section; NULL: not wanted */
    void (*text)(void *context, const char *text);                   /* about the module or a section; likewise */
    void (*definition)(void *context, const struct ns_library_definition *definition);
    void *context;
};

/** Tell the reader all that a module defines for others, in order. Threads: any. */
void ns_library_read(const struct ns_library_module *module, const struct ns_library_reader *reader);

#endif
