/*
 * vec.h - a growable array of any element type.
 *
 *     NB_VEC(struct token) tokens = NB_VEC_INIT;
 *     nb_vec_push(&tokens, token);        tokens.items[i]   tokens.count
 *     nb_vec_done(&tokens);
 *
 * Exhausted memory ends the program (nb_out_of_memory): for compilers and start-up, not for what
 * clients can grow.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>

#include "base/alloc.h"

#define NB_VEC(type) \
    struct { \
        type *items; \
        size_t count, capacity; \
    }
#define NB_VEC_INIT { NULL, 0, 0 }

/* Give room for one more; out of line so that the macro stays small. */
void nb_vec_grow(void **items, size_t *capacity, size_t count, size_t item_bytes);

#define nb_vec_push(vec, item) \
    do { \
        if ((vec)->count == (vec)->capacity) \
            nb_vec_grow((void **)&(vec)->items, &(vec)->capacity, (vec)->count + 1, sizeof *(vec)->items); \
        (vec)->items[(vec)->count++] = (item); \
    } while (0)
#define nb_vec_pop(vec) ((vec)->items[--(vec)->count])
#define nb_vec_last(vec) ((vec)->items[(vec)->count - 1])
#define nb_vec_clear(vec) ((void)((vec)->count = 0))
#define nb_vec_done(vec) (nb_free((vec)->items), (vec)->items = NULL, (vec)->count = (vec)->capacity = 0)

#endif
