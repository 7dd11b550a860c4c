/* casing.h - upper and lower case of whole texts, with the mappings that change the number of characters. */
#ifndef LIB_CASING_H
#define LIB_CASING_H

#include <stddef.h>

#include "base/buf.h"

/** Append valid UTF-8 in upper or lower case, by Unicode's full mappings without regard to a language. Threads: any. */
void lib_upper(struct nb_buf *out, const char *bytes, size_t length);
void lib_lower(struct nb_buf *out, const char *bytes, size_t length);

#endif
