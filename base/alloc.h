/*
 * alloc.h - memory from the system: checked sizes, NULL when there is none, counted.
 *
 * All of the product allocates through these (libraries aside), so that the stress build can make
 * the n-th allocation fail (nb_alloc_fail_after) and tests can see that nothing leaks.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

void *nb_alloc(size_t bytes);                       /* NULL when exhausted */
void *nb_alloc_zero(size_t bytes);
void *nb_alloc_array(size_t count, size_t bytes);   /* NULL also when count * bytes overflows */
/** As nb_alloc_array(), for blocks that may grow very large: the system is asked for large pages there. */
void *nb_alloc_block(size_t count, size_t bytes);
/** Zeroed memory of its own from the system, whose pages cost nothing until they are written to; `large`: as large
 *  pages.
 *  NULL when exhausted. nb_pages_free() wants the same size. */
void *nb_pages_new(size_t bytes, bool large);
void nb_pages_free(void *memory, size_t bytes); /* NULL is fine */
void *nb_realloc_array(void *old, size_t count, size_t bytes);
char *nb_strdup(const char *text);
char *nb_strndup(const char *text, size_t bytes);   /* up to a NUL */
char *nb_memdup(const char *bytes, size_t length);  /* with NULs in them, and one behind; no bytes may be NULL */
void nb_free(void *memory);                         /* NULL is fine */

/** Out of memory where nothing can be given back to a caller (start-up, compiler): print and exit(70).
 *  Each nb_x… variant below calls it instead of returning NULL. */
_Noreturn void nb_out_of_memory(size_t bytes);
void *nb_xalloc(size_t bytes);
void *nb_xalloc_zero(size_t bytes);
void *nb_xalloc_array(size_t count, size_t bytes);
void *nb_xrealloc_array(void *old, size_t count, size_t bytes);
char *nb_xstrdup(const char *text);

/** Blocks that were allocated and not freed yet, over all threads; exact while no other thread allocates. */
long nb_alloc_live(void);

/** Tests: let `count` allocations of this process succeed and then every one fail; -1 switches it off. */
void nb_alloc_fail_after(long count);

/* Cleanup on scope exit: NB_CLEANUP(srv_app_free) struct srv_app *app = NULL; … *ret = NB_TAKE(app); */
#define NB_CLEANUP(free_function) __attribute__((cleanup(free_function##_at)))
#define NB_DEFINE_CLEANUP(type, free_function) \
    static inline void free_function##_at(type *place) \
    { \
        if (*place != NULL) \
            free_function(*place); \
    }
#define NB_TAKE(pointer) \
    ({ \
        __typeof__(pointer) taken_ = (pointer); \
        (pointer) = NULL; \
        taken_; \
    })
static inline void nb_free_at(void *place) { nb_free(*(void **)place); }

#endif
