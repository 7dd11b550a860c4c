/*
 * arena.h - memory that is given back all at once.
 *
 * The compiler allocates its trees from one; a program image its code and constants. Exhaustion of the
 * system's memory ends the program (nb_out_of_memory): the sizes here are bounded by limits that were
 * checked before (source size). Threads: one at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct nb_arena;

struct nb_arena *nb_arena_new(void);
struct nb_arena *nb_arena_free(struct nb_arena *arena);          /* NULL is fine; returns NULL */
void *nb_arena_alloc(struct nb_arena *arena, size_t bytes);      /* zeroed, aligned to 16 */
void *nb_arena_array(struct nb_arena *arena, size_t count, size_t bytes);
char *nb_arena_strndup(struct nb_arena *arena, const char *text, size_t bytes); /* NUL is added */
char *nb_arena_printf(struct nb_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));
size_t nb_arena_bytes(const struct nb_arena *arena);             /* what it holds of the system */

#endif
