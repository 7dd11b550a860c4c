/*
 * utf8.h - UTF-8: validation, counting, stepping. All positions are byte offsets.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool nb_utf8_valid(const char *bytes, size_t length);      /* no surrogates, no overlong forms */
bool nb_utf8_is_ascii(const char *bytes, size_t length);
size_t nb_utf8_count(const char *bytes, size_t length);    /* code points of valid text */
/** Decode one code point of possibly invalid text. Returns the bytes used (1 to 4; 0 at the end);
 *  *ret_code_point is 0xFFFD for an invalid byte (1 used). */
size_t nb_utf8_decode(const char *bytes, size_t length, uint32_t *ret_code_point);
/** Encode; returns the bytes written to out[4], 0 if not a scalar value. */
size_t nb_utf8_encode(uint32_t code_point, char out[4]);
/** Byte offset of the n-th code point of valid text; `length` when there are fewer. */
size_t nb_utf8_offset(const char *bytes, size_t length, size_t n);

#endif
