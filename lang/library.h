/*
 * library.h - the library's modules: what lib/ registered, by path and by the constructors they define.
 */
#ifndef LANG_LIBRARY_H
#define LANG_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

struct ns_library_module {
    const char *path; /* interned: "stdlib.list" */
    const char *text; /* static */
    size_t length;
    bool prelude;
};

/** How many modules there are. */
size_t ns_library_count(void);
const struct ns_library_module *ns_library_get(size_t index); /* in order of registration */
/** The module of that path, or NULL. */
const struct ns_library_module *ns_library_find(const char *path);
/** The module whose path is the longest beginning of a dotted path (stdlib.json of "stdlib.json.parse"), or NULL. */
const struct ns_library_module *ns_library_find_beginning(const char *path);

/** The n-th module that defines a variant constructor of that name, NULL when there are no more. `called`: the name is
 *  followed by arguments; without, constructors that are also names of basic types do not count (String is then more
 *  likely the type). Threads: any. */
const struct ns_library_module *ns_library_of_constructor(const char *name, bool called, size_t n);

#endif
