/*
 * arena.c - blocks of growing size, handed out from front to back.
 *
 * Blocks double from BLOCK_MIN to BLOCK_MAX, so that a small program costs a page and a large one few system
 * calls. What would not fit into a fresh block gets one of its own, behind the current one, whose rest stays in use.
 */
#include "config.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/stress.h"

#define ARENA_MAGIC 0x8a31c5f0u
#define ALIGNMENT 16u
#define BLOCK_MIN ((size_t)NB_STRESS_OR(64, 4096))
#define BLOCK_MAX ((size_t)NB_STRESS_OR(256, 1024 * 1024))

struct block {
    struct block *older;
    size_t capacity; /* of bytes[] */
    size_t used;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

struct nb_arena {
    unsigned magic;
    struct block *current; /* owned, with all older ones; NULL at first */
    size_t next_capacity;
    size_t held; /* bytes of all blocks, with their heads */
};

struct nb_arena *nb_arena_new(void)
{
    struct nb_arena *arena = nb_xalloc_zero(sizeof *arena);

    arena->magic = ARENA_MAGIC;
    arena->next_capacity = BLOCK_MIN;
    arena->held = sizeof *arena;
    return arena;
}

struct nb_arena *nb_arena_free(struct nb_arena *arena)
{
    if (arena == NULL)
        return NULL;
    nb_check_object(arena, ARENA_MAGIC);
    while (arena->current != NULL) {
        struct block *older = arena->current->older;

        nb_free(arena->current);
        arena->current = older;
    }
    arena->magic = 0;
    nb_free(arena);
    return NULL;
}

static struct block *new_block(struct nb_arena *arena, size_t capacity)
{
    struct block *block = nb_xalloc_zero(sizeof *block + capacity);

    block->capacity = capacity;
    arena->held += sizeof *block + capacity;
    return block;
}

static void *take(struct block *block, size_t bytes)
{
    void *memory = block->bytes + block->used;

    block->used += bytes;
    return memory;
}

static void *take_from_own_block(struct nb_arena *arena, size_t bytes)
{
    struct block *block = new_block(arena, bytes);

    if (arena->current == NULL) {
        arena->current = block;
    } else {
        block->older = arena->current->older;
        arena->current->older = block;
    }
    return take(block, bytes);
}

void *nb_arena_alloc(struct nb_arena *arena, size_t bytes)
{
    nb_check_object(arena, ARENA_MAGIC);
    if (bytes > SIZE_MAX / 2)
        nb_out_of_memory(bytes);
    bytes = bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (arena->current != NULL && arena->current->capacity - arena->current->used >= bytes)
        return take(arena->current, bytes);
    if (bytes > arena->next_capacity / 2)
        return take_from_own_block(arena, bytes);

    struct block *block = new_block(arena, arena->next_capacity);

    block->older = arena->current;
    arena->current = block;
    if (arena->next_capacity < BLOCK_MAX)
        arena->next_capacity *= 2;
    return take(block, bytes);
}

void *nb_arena_array(struct nb_arena *arena, size_t count, size_t bytes)
{
    size_t total;

    if (__builtin_mul_overflow(count, bytes, &total))
        nb_out_of_memory(SIZE_MAX);
    return nb_arena_alloc(arena, total);
}

char *nb_arena_strndup(struct nb_arena *arena, const char *text, size_t bytes)
{
    char *copy = nb_arena_alloc(arena, bytes + 1);

    if (bytes > 0)
        memcpy(copy, text, bytes);
    return copy;
}

char *nb_arena_printf(struct nb_arena *arena, const char *format, ...)
{
    va_list arguments;
    int length;
    char *text;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    nb_assert(length >= 0);

    text = nb_arena_alloc(arena, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

size_t nb_arena_bytes(const struct nb_arena *arena)
{
    nb_check_object(arena, ARENA_MAGIC);
    return arena->held;
}
