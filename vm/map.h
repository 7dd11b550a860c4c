/*
 * map.h - persistent maps and sets: a hash array mapped trie (Bagwell; layout after Steindorfer and Vinju's CHAMP),
 * without the levels at which nothing parts.
 *
 * The hash of an Int is its own bits, so numbers near each other are near each other in memory; that of strings and of
 * everything with parts is SipHash-1-3 with a fixed key, that of the rest a bijective mix. The order of iteration is
 * that of the hashes: the same in every run, and Ints come in their order. Keys that collide in all 64 bits share a
 * node of their own and are searched one by one; partial collisions only cost depth (14 nodes at most). Insert, remove,
 * lookup: O(log32 n). Two maps of equal content have equal shape, whatever their history.
 * Keys (03 §3.3): unit, Bool, Char, fixed-width integers, String, and tuples, records, variants of those. Others, and
 * records whose fields may be assigned: vm_hashable() is false.
 */
#ifndef VM_MAP_H
#define VM_MAP_H

#include "vm/process.h"

bool vm_hashable(vm_value key, vm_value *ret_culprit);
bool vm_is_map(vm_value v);
bool vm_is_set(vm_value v);
uint32_t vm_map_count(vm_value map_or_set);
/** VM_NONE when absent. Never allocates. */
vm_value vm_map_get(vm_value map, vm_value key);
/* Keys must be hashable. VM_NONE: no memory. */
vm_value vm_map_insert(struct vm_ctx *ctx, vm_value map, vm_value key, vm_value value);
vm_value vm_map_remove(struct vm_ctx *ctx, vm_value map, vm_value key);
bool vm_set_has(vm_value set, vm_value item);
vm_value vm_set_insert(struct vm_ctx *ctx, vm_value set, vm_value item);
vm_value vm_set_remove(struct vm_ctx *ctx, vm_value set, vm_value item);
/* All at once, from lists of hashable keys; VM_NONE: no memory. mapbuild.c. */
/** The map of a list of pairs (tuples); of pairs with equal keys the last one counts. */
vm_value vm_map_from_pairs(struct vm_ctx *ctx, vm_value pairs);
vm_value vm_set_from_list(struct vm_ctx *ctx, vm_value list);
/** The list without elements that equal an earlier one. */
vm_value vm_list_distinct(struct vm_ctx *ctx, vm_value list);
/** Walk without allocating, in the order of the hashes; sets give VM_NONE as value.
 *  for (vm_map_walk(&w, m); vm_map_next(&w, &k, &v);) */
struct vm_map_walk {
    struct vm_map_level {
        vm_value node;
        uint32_t left;        /* its slots still to go to; of entries with equal hashes, how many */
        uint8_t entry, child; /* the ones to come next */
    } levels[14];             /* from the root to where the walk is */
    int level;                /* -1: over */
    bool is_set;
};
void vm_map_walk(struct vm_map_walk *walk, vm_value map_or_set);
bool vm_map_next(struct vm_map_walk *walk, vm_value *ret_key, vm_value *ret_value);

#endif
