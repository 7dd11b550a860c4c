/*
 * intern.h - one copy of each name, for as long as the program runs.
 *
 * Equal names are equal pointers; a name also has a small number. Names come from program texts
 * (identifiers, field and type names), so the table grows with what was ever deployed, not with traffic.
 * Threads: any, any time; reading a name by its number takes no lock.
 */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

/** The interned copy of a text. Never NULL, never freed. */
const char *nb_intern(const char *text);
const char *nb_intern_n(const char *text, size_t bytes);
/** The number of a text (interning it), from 1, at most 2^24 - 1; equal texts, equal numbers. */
uint32_t nb_intern_id(const char *text);
uint32_t nb_intern_id_n(const char *text, size_t bytes);
/** The text of a number; NULL for numbers not given out. */
const char *nb_intern_text(uint32_t id);

#endif
