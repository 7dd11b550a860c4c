/* percent.h - decoding of %XX, and making bytes valid UTF-8: for the library and for the server's requests. */
#ifndef LIB_PERCENT_H
#define LIB_PERCENT_H

#include <stdbool.h>

#include "base/buf.h"

/** Append the bytes with %XX decoded; a % without two hexadecimal digits stays. `plus`: a + is a blank.
 *  Threads: any. */
void lib_percent_decode(struct nb_buf *out, const char *bytes, size_t length, bool plus);

/** Append the bytes, each one that is not part of valid UTF-8 replaced by U+FFFD. Threads: any. */
void lib_append_valid(struct nb_buf *out, const char *bytes, size_t length);

#endif
