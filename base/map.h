/*
 * map.h - a hash map from byte strings to pointers, for the compiler and for configuration.
 *
 * Keys are copied. Iteration is in order of insertion, so that what follows from a map (diagnostics,
 * generated code) is the same in every run. Exhausted memory ends the program. Threads: one at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct nb_map;

struct nb_map *nb_map_new(void);
struct nb_map *nb_map_free(struct nb_map *map);                       /* values stay the caller's */
void *nb_map_get(const struct nb_map *map, const char *key);          /* NULL when absent */
void *nb_map_get_n(const struct nb_map *map, const char *key, size_t bytes);
bool nb_map_has(const struct nb_map *map, const char *key);           /* a stored NULL counts as present */
void *nb_map_set(struct nb_map *map, const char *key, void *value);   /* returns the former value or NULL */
void *nb_map_set_n(struct nb_map *map, const char *key, size_t bytes, void *value);
void *nb_map_remove(struct nb_map *map, const char *key);
size_t nb_map_count(const struct nb_map *map);
/* for (size_t i = 0; nb_map_next(map, &i, &key, &value); ) … */
/* Either output may be NULL. While iterating, removing is fine and setting new keys is not. */
bool nb_map_next(const struct nb_map *map, size_t *cursor, const char **ret_key, void **ret_value);

#endif
