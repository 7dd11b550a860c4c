/*
 * map.c - entries in order of insertion, and a table of indices into them.
 *
 * `slots` is open addressing with linear probing over entry numbers (+ 1; 0 is free). A removed entry stays
 * in place as a tombstone (key NULL) that probing walks over; rebuilding squeezes tombstones out once they and
 * the live entries fill three quarters of the slots.
 */
#include "config.h"

#include "base/map.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/hash.h"
#include "base/stress.h"

#define MAP_MAGIC 0x3d94f17bu
enum { SLOTS_MIN = NB_STRESS_OR(2, 16) };

struct entry {
    char *key; /* owned, NUL-terminated; NULL: removed */
    size_t key_bytes;
    uint64_t hash;
    void *value;
};

struct nb_map {
    unsigned magic;
    struct entry *entries;
    size_t used; /* entries with tombstones */
    size_t live;
    uint32_t *slots;
    size_t slot_count; /* 2^n */
};

static size_t entries_for(size_t slot_count) { return slot_count / 4 * 3 + 1; }

struct nb_map *nb_map_new(void)
{
    struct nb_map *map = nb_xalloc_zero(sizeof *map);

    map->magic = MAP_MAGIC;
    map->slot_count = SLOTS_MIN;
    map->slots = nb_xalloc_zero(SLOTS_MIN * sizeof *map->slots);
    map->entries = nb_xalloc_array(entries_for(SLOTS_MIN), sizeof *map->entries);
    return map;
}

struct nb_map *nb_map_free(struct nb_map *map)
{
    if (map == NULL)
        return NULL;
    nb_check_object(map, MAP_MAGIC);
    for (size_t i = 0; i < map->used; i++)
        nb_free(map->entries[i].key);
    nb_free(map->entries);
    nb_free(map->slots);
    map->magic = 0;
    nb_free(map);
    return NULL;
}

static struct entry *find(const struct nb_map *map, const char *key, size_t bytes, uint64_t hash)
{
    size_t mask = map->slot_count - 1;

    for (size_t slot = hash & mask; map->slots[slot] != 0; slot = (slot + 1) & mask) {
        struct entry *entry = &map->entries[map->slots[slot] - 1];

        if (entry->key != NULL && entry->hash == hash && entry->key_bytes == bytes &&
            (bytes == 0 || memcmp(entry->key, key, bytes) == 0))
            return entry;
    }
    return NULL;
}

static void enter(struct nb_map *map, size_t number)
{
    size_t mask = map->slot_count - 1;
    size_t slot = map->entries[number].hash & mask;

    while (map->slots[slot] != 0)
        slot = (slot + 1) & mask;
    map->slots[slot] = (uint32_t)number + 1;
}

/* Drop the tombstones and give the live entries a table that they half fill at most. */
static void rebuild(struct nb_map *map)
{
    size_t kept = 0;

    while (map->slot_count < (map->live + 1) * 2)
        map->slot_count *= 2;
    nb_assert(map->slot_count <= UINT32_MAX);
    for (size_t i = 0; i < map->used; i++)
        if (map->entries[i].key != NULL)
            map->entries[kept++] = map->entries[i];
    map->used = kept;
    map->entries = nb_xrealloc_array(map->entries, entries_for(map->slot_count), sizeof *map->entries);
    nb_free(map->slots);
    map->slots = nb_xalloc_zero(map->slot_count * sizeof *map->slots);
    for (size_t i = 0; i < map->used; i++)
        enter(map, i);
}

void *nb_map_get(const struct nb_map *map, const char *key) { return nb_map_get_n(map, key, strlen(key)); }

void *nb_map_get_n(const struct nb_map *map, const char *key, size_t bytes)
{
    struct entry *entry;

    nb_check_object(map, MAP_MAGIC);
    entry = find(map, key, bytes, nb_hash_bytes(key, bytes));
    return entry == NULL ? NULL : entry->value;
}

bool nb_map_has(const struct nb_map *map, const char *key)
{
    size_t bytes = strlen(key);

    nb_check_object(map, MAP_MAGIC);
    return find(map, key, bytes, nb_hash_bytes(key, bytes)) != NULL;
}

void *nb_map_set(struct nb_map *map, const char *key, void *value)
{
    return nb_map_set_n(map, key, strlen(key), value);
}

void *nb_map_set_n(struct nb_map *map, const char *key, size_t bytes, void *value)
{
    uint64_t hash = nb_hash_bytes(key, bytes);
    struct entry *entry;

    nb_check_object(map, MAP_MAGIC);
    entry = find(map, key, bytes, hash);
    if (entry != NULL) {
        void *former = entry->value;

        entry->value = value;
        return former;
    }
    if (map->used + 1 > map->slot_count / 4 * 3)
        rebuild(map);
    entry = &map->entries[map->used];
    entry->key = nb_xalloc(bytes + 1);
    if (bytes > 0)
        memcpy(entry->key, key, bytes);
    entry->key[bytes] = '\0';
    entry->key_bytes = bytes;
    entry->hash = hash;
    entry->value = value;
    enter(map, map->used);
    map->used++;
    map->live++;
    return NULL;
}

void *nb_map_remove(struct nb_map *map, const char *key)
{
    size_t bytes = strlen(key);
    struct entry *entry;

    nb_check_object(map, MAP_MAGIC);
    entry = find(map, key, bytes, nb_hash_bytes(key, bytes));
    if (entry == NULL)
        return NULL;
    nb_free(entry->key);
    entry->key = NULL;
    map->live--;
    return entry->value;
}

size_t nb_map_count(const struct nb_map *map)
{
    nb_check_object(map, MAP_MAGIC);
    return map->live;
}

bool nb_map_next(const struct nb_map *map, size_t *cursor, const char **ret_key, void **ret_value)
{
    nb_check_object(map, MAP_MAGIC);
    for (; *cursor < map->used; (*cursor)++) {
        const struct entry *entry = &map->entries[*cursor];

        if (entry->key == NULL)
            continue;
        if (ret_key != NULL)
            *ret_key = entry->key;
        if (ret_value != NULL)
            *ret_value = entry->value;
        (*cursor)++;
        return true;
    }
    return false;
}
