/*
 * embedded.h - the library's modules in Nostos, as tools/embed.sh has put them into the executable.
 */
#ifndef LIB_EMBEDDED_H
#define LIB_EMBEDDED_H

#include <stddef.h>

struct lib_source {
    const char *module; /* "stdlib.list" */
    const char *text;
    size_t length;
};

extern const struct lib_source lib_sources[]; /* ends with a NULL module */

#endif
