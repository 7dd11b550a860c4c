/* vec.c - the growing of NB_VEC arrays: doubles, from VEC_MIN on. */
#include "config.h"

#include "base/vec.h"

#include <stdint.h>

#include "base/assert.h"
#include "base/stress.h"

enum { VEC_MIN = NB_STRESS_OR(1, 8) };

void nb_vec_grow(void **items, size_t *capacity, size_t count, size_t item_bytes)
{
    size_t wanted = *capacity < VEC_MIN ? VEC_MIN : *capacity;

    nb_assert(item_bytes > 0);
    while (wanted < count) {
        if (wanted > SIZE_MAX / 2)
            nb_out_of_memory(SIZE_MAX);
        wanted *= 2;
    }
    *items = nb_xrealloc_array(*items, wanted, item_bytes);
    *capacity = wanted;
}
