/*
 * text.h - what the natives of strings ask of bytes in UTF-8: white space, where a part occurs, how long is too long.
 * Threads: any.
 */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "vm/string.h"

/** Whether a character is white space, as Unicode has it. */
bool lib_is_space(uint32_t c);
/** How many bytes of white space there are at the start. */
size_t lib_space_before(const char *bytes, size_t length);
/** How many bytes remain when white space at the end is left out. */
size_t lib_without_space_after(const char *bytes, size_t length);

/** Where the last character begins, of one byte at least. */
size_t lib_last_start(const char *bytes, size_t length);
/** Where a part occurs at or after a byte offset, which lies in the text; -1: nowhere. */
int64_t lib_find_from(struct vm_text text, struct vm_text part, size_t from);

/** Whether a result under construction cannot become a string any more: asked in loops whose result can be longer than
 *  the memory there is. */
bool lib_too_long(const struct nb_buf *out);

#endif
