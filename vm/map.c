/*
 * map.c - the hash array mapped trie behind maps and sets.
 *
 * mapnode.h says what a node looks like.
 *
 * Changing: first the way to the key is found and the words that its copies need are counted, then they are reserved,
 * then the way is copied from below. If the reservation moved the map, the way is found again.
 */
#include "config.h"

#include "vm/map.h"

#include <string.h>

#include "vm/mapkey.h"
#include "vm/mapnode.h"
#include "vm/object.h"

/* ---- the way to a key ---- */

enum found { FOUND_KEY, FOUND_FREE_SLOT, FOUND_OTHER_KEY };

struct way {
    vm_value nodes[VM_NODE_LEVELS];
    unsigned depth; /* of the last node */
    unsigned index; /* of the key's entry, or of the other key's, or where the new one belongs */
    enum found found;
};

static enum found find_among_equals(vm_value node, vm_value key, unsigned *ret_index)
{
    unsigned count = vm_node_entries(node);

    for (unsigned i = 0; i < count; i++) {
        if (vm_key_same(*vm_node_entry(node, i), key)) {
            *ret_index = i;
            return FOUND_KEY;
        }
    }
    *ret_index = count;
    return FOUND_FREE_SLOT;
}

static void find_way(struct way *way, vm_value map, uint64_t hash, vm_value key)
{
    vm_value node = vm_field(map, 1);

    for (unsigned depth = 0;; depth++) {
        way->nodes[depth] = node;
        way->depth = depth;
        if (depth == VM_NODE_DEEPEST) {
            way->found = find_among_equals(node, key, &way->index);
            return;
        }
        uint32_t bit = vm_node_bit(hash, depth);
        if ((vm_node_children(node) & bit) == 0) {
            way->index = vm_node_rank(vm_node_entries(node), bit);
            way->found = (vm_node_entries(node) & bit) == 0                   ? FOUND_FREE_SLOT
                         : vm_key_same(*vm_node_entry(node, way->index), key) ? FOUND_KEY
                                                                              : FOUND_OTHER_KEY;
            return;
        }
        node = *vm_node_child(node, depth, vm_node_rank(vm_node_children(node), bit));
    }
}

static bool is_container(vm_value v, enum vm_kind kind, enum vm_sort empty)
{
    return vm_is_sort(v, empty) || vm_is_kind(v, kind);
}

bool vm_is_map(vm_value v)
{
    return is_container(v, VM_KIND_MAP, VM_SORT_EMPTY_MAP);
}
bool vm_is_set(vm_value v)
{
    return is_container(v, VM_KIND_SET, VM_SORT_EMPTY_SET);
}

uint32_t vm_map_count(vm_value map_or_set)
{
    return vm_is_immediate(map_or_set) ? 0 : (uint32_t)vm_small(vm_field(map_or_set, 0));
}

/* The entry of a key, NULL when absent. */
static vm_value *find_entry(vm_value map, vm_value key)
{
    struct way way;

    if (vm_is_immediate(map))
        return NULL;
    find_way(&way, map, vm_key_hash(key), key);
    return way.found == FOUND_KEY ? vm_node_entry(way.nodes[way.depth], way.index) : NULL;
}

vm_value vm_map_get(vm_value map, vm_value key)
{
    const vm_value *entry = find_entry(map, key);

    return entry == NULL ? VM_NONE : entry[1];
}

bool vm_set_has(vm_value set, vm_value item)
{
    return find_entry(set, item) != NULL;
}

/* ---- copying the way; memory is reserved ---- */

static vm_value copy_node(struct vm_ctx *ctx, vm_value node)
{
    size_t words = vm_object_words(vm_header(node));
    vm_value *copy = vm_heap_take(&ctx->process->heap, words);

    memcpy(copy, vm_object(node), words * sizeof *copy);
    copy[0] &= ~(VM_FLAG_SHARED | VM_FLAG_IMMORTAL);
    return vm_from_object(copy);
}

/* A node like `node` with one more entry at `index`; `raw` is its new raw word. */
static vm_value node_with_entry(struct vm_ctx *ctx, vm_value node, uint64_t raw, unsigned index, vm_value key,
                                vm_value value)
{
    bool is_set = vm_node_is_set(node);
    size_t words = vm_object_words(vm_header(node)), before = VM_NODE_HEAD + (size_t)index * vm_node_stride(is_set);
    vm_value copy = vm_node_take(ctx, is_set, raw, words + vm_node_stride(is_set));

    memcpy(vm_object(copy) + VM_NODE_HEAD, vm_object(node) + VM_NODE_HEAD, (before - VM_NODE_HEAD) * sizeof copy);
    vm_node_put(vm_object(copy) + before, is_set, key, value);
    memcpy(vm_object(copy) + before + vm_node_stride(is_set), vm_object(node) + before, (words - before) * sizeof copy);
    return copy;
}

/* The same without the entry at `index`. */
static vm_value node_without_entry(struct vm_ctx *ctx, vm_value node, uint64_t raw, unsigned index)
{
    bool is_set = vm_node_is_set(node);
    size_t words = vm_object_words(vm_header(node)), before = VM_NODE_HEAD + (size_t)index * vm_node_stride(is_set);
    size_t behind = before + vm_node_stride(is_set);
    vm_value copy = vm_node_take(ctx, is_set, raw, words - vm_node_stride(is_set));

    memcpy(vm_object(copy) + VM_NODE_HEAD, vm_object(node) + VM_NODE_HEAD, (before - VM_NODE_HEAD) * sizeof copy);
    memcpy(vm_object(copy) + before, vm_object(node) + behind, (words - behind) * sizeof copy);
    return copy;
}

/* A node like `node` where the slot `bit` holds a child instead of an entry. */
static vm_value node_entry_to_child(struct vm_ctx *ctx, vm_value node, unsigned depth, uint32_t bit, vm_value child)
{
    bool is_set = vm_node_is_set(node);
    uint32_t entries = vm_node_entries(node), children = vm_node_children(node);
    unsigned count = vm_node_entry_count(node, depth), index = vm_node_rank(entries, bit),
             at = vm_node_rank(children, bit);
    unsigned child_count = vm_node_count_bits(children);
    vm_value copy = vm_node_take(ctx, is_set, (uint64_t)(children | bit) << 32 | (entries & ~bit),
                                 vm_node_words(is_set, count - 1, child_count + 1));
    vm_value *to = vm_object(copy) + VM_NODE_HEAD;

    for (unsigned i = 0; i < count; i++) {
        if (i == index)
            continue;
        memcpy(to, vm_node_entry(node, i), vm_node_stride(is_set) * sizeof *to);
        to += vm_node_stride(is_set);
    }
    for (unsigned i = 0; i <= child_count; i++)
        *to++ = i == at ? child : *vm_node_child(node, depth, i < at ? i : i - 1);
    return copy;
}

/* The other way round: a child that was left with one entry is drawn in. */
static vm_value node_child_to_entry(struct vm_ctx *ctx, vm_value node, unsigned depth, uint32_t bit,
                                    const vm_value *entry)
{
    bool is_set = vm_node_is_set(node);
    uint32_t entries = vm_node_entries(node), children = vm_node_children(node);
    unsigned count = vm_node_entry_count(node, depth), index = vm_node_rank(entries, bit),
             at = vm_node_rank(children, bit);
    unsigned child_count = vm_node_count_bits(children);
    vm_value copy = vm_node_take(ctx, is_set, (uint64_t)(children & ~bit) << 32 | entries | bit,
                                 vm_node_words(is_set, count + 1, child_count - 1));
    vm_value *to = vm_object(copy) + VM_NODE_HEAD;

    for (unsigned i = 0; i <= count; i++) {
        memcpy(to, i == index ? entry : vm_node_entry(node, i < index ? i : i - 1),
               vm_node_stride(is_set) * sizeof *to);
        to += vm_node_stride(is_set);
    }
    for (unsigned i = 0; i < child_count; i++)
        if (i != at)
            *to++ = *vm_node_child(node, depth, i);
    return copy;
}

/* Copies of the nodes above `depth`, with `node` in the place of the one there. Returns the new root. */
static vm_value rebuild_above(struct vm_ctx *ctx, const struct way *way, unsigned depth, uint64_t hash, vm_value node)
{
    while (depth-- > 0) {
        vm_value copy = copy_node(ctx, way->nodes[depth]);

        *vm_node_child(copy, depth, vm_node_rank(vm_node_children(copy), vm_node_bit(hash, depth))) = node;
        node = copy;
    }
    return node;
}

static size_t words_above(const struct way *way, unsigned depth)
{
    size_t words = 0;

    while (depth-- > 0)
        words += vm_object_words(vm_header(way->nodes[depth]));
    return words;
}

/* ---- inserting ---- */

/* The depth at which two hashes part, from `depth` on; VM_NODE_DEEPEST when they are equal. */
static unsigned depth_of_parting(uint64_t left, uint64_t right, unsigned depth)
{
    while (depth < VM_NODE_DEEPEST && vm_node_bit(left, depth) == vm_node_bit(right, depth))
        depth++;
    return depth;
}

struct entry {
    vm_value key, value;
    uint64_t hash;
};

/* The node at `depth` that holds two entries, by way of nodes with one child each down to where their hashes part. */
static vm_value take_pair_nodes(struct vm_ctx *ctx, bool is_set, unsigned depth, const struct entry *one,
                                const struct entry *other)
{
    unsigned bottom = depth_of_parting(one->hash, other->hash, depth);
    bool in_order = bottom == VM_NODE_DEEPEST || vm_node_bit(one->hash, bottom) < vm_node_bit(other->hash, bottom);
    const struct entry *first = in_order ? one : other, *second = in_order ? other : one;
    uint64_t raw = bottom == VM_NODE_DEEPEST ? 2 : vm_node_bit(one->hash, bottom) | vm_node_bit(other->hash, bottom);
    vm_value node = vm_node_take(ctx, is_set, raw, vm_node_words(is_set, 2, 0));

    vm_node_put(vm_node_entry(node, 0), is_set, first->key, first->value);
    vm_node_put(vm_node_entry(node, 1), is_set, second->key, second->value);
    while (bottom-- > depth) {
        vm_value above =
            vm_node_take(ctx, is_set, (uint64_t)vm_node_bit(one->hash, bottom) << 32, vm_node_words(is_set, 0, 1));

        vm_object(above)[VM_NODE_HEAD] = node;
        node = above;
    }
    return node;
}

/* Words that the change at the end of the way takes, at the most. */
static size_t insert_words(const struct way *way, bool is_set, uint64_t hash)
{
    vm_value node = way->nodes[way->depth];
    size_t words = vm_object_words(vm_header(node));
    unsigned below;

    if (way->found == FOUND_KEY)
        return words;
    if (way->found == FOUND_FREE_SLOT)
        return words + vm_node_stride(is_set);
    below = depth_of_parting(hash, vm_key_hash(*vm_node_entry(node, way->index)), way->depth + 1);
    return words + 1 + vm_node_words(is_set, 2, 0) + (below - way->depth - 1) * vm_node_words(is_set, 0, 1);
}

static vm_value insert_at_end(struct vm_ctx *ctx, const struct way *way, const struct entry *entry)
{
    vm_value node = way->nodes[way->depth];
    bool is_set = vm_node_is_set(node);
    vm_value copy;

    if (way->found == FOUND_KEY) {
        copy = copy_node(ctx, node);
        vm_node_entry(copy, way->index)[1] = entry->value; /* only maps come here */
        return copy;
    }
    if (way->found == FOUND_FREE_SLOT) {
        uint64_t raw = way->depth == VM_NODE_DEEPEST ? vm_field(node, 0) + 1
                                                     : vm_field(node, 0) | vm_node_bit(entry->hash, way->depth);

        return node_with_entry(ctx, node, raw, way->index, entry->key, entry->value);
    }
    const vm_value *old = vm_node_entry(node, way->index);
    struct entry other = { old[0], is_set ? VM_NONE : old[1], vm_key_hash(old[0]) };
    vm_value child = take_pair_nodes(ctx, is_set, way->depth + 1, &other, entry);
    return node_entry_to_child(ctx, node, way->depth, vm_node_bit(entry->hash, way->depth), child);
}

static bool reserve(struct vm_ctx *ctx, size_t words, vm_value *map, struct entry *entry)
{
    bool reserved;

    VM_ROOT(ctx, *map);
    VM_ROOT(ctx, entry->key);
    VM_ROOT(ctx, entry->value);
    reserved = vm_heap_reserve(ctx, words);
    VM_UNROOT(ctx, entry->value);
    VM_UNROOT(ctx, entry->key);
    VM_UNROOT(ctx, *map);
    return reserved;
}

static vm_value insert_first(struct vm_ctx *ctx, bool is_set, vm_value map, struct entry *entry)
{
    size_t words = vm_node_words(is_set, 1, 0);

    if (!reserve(ctx, VM_MAP_WORDS + words, &map, entry))
        return VM_NONE;
    vm_value node = vm_node_take(ctx, is_set, vm_node_bit(entry->hash, 0), words);
    vm_node_put(vm_node_entry(node, 0), is_set, entry->key, entry->value);
    return vm_node_take_root(ctx, is_set, 1, node);
}

static vm_value insert(struct vm_ctx *ctx, bool is_set, vm_value map, struct entry *entry)
{
    struct way way;
    vm_value before = map, node;
    uint32_t count = vm_map_count(map);

    if (count == 0)
        return insert_first(ctx, is_set, map, entry);
    find_way(&way, map, entry->hash, entry->key);
    if (way.found == FOUND_KEY && is_set)
        return map;
    if (count == UINT32_MAX)
        return VM_NONE;
    if (!reserve(ctx, VM_MAP_WORDS + words_above(&way, way.depth) + insert_words(&way, is_set, entry->hash), &map,
                 entry))
        return VM_NONE;
    if (map != before)
        find_way(&way, map, entry->hash, entry->key);
    node = rebuild_above(ctx, &way, way.depth, entry->hash, insert_at_end(ctx, &way, entry));
    return vm_node_take_root(ctx, is_set, way.found == FOUND_KEY ? count : count + 1, node);
}

vm_value vm_map_insert(struct vm_ctx *ctx, vm_value map, vm_value key, vm_value value)
{
    struct entry entry = { key, value, vm_key_hash(key) };

    return insert(ctx, false, map, &entry);
}

vm_value vm_set_insert(struct vm_ctx *ctx, vm_value set, vm_value item)
{
    struct entry entry = { item, VM_UNIT, vm_key_hash(item) };

    return insert(ctx, true, set, &entry);
}

/* ---- removing ---- */

/* The last node of the way without the key's entry. */
static vm_value remove_at_end(struct vm_ctx *ctx, const struct way *way, uint64_t hash)
{
    vm_value node = way->nodes[way->depth];
    uint64_t raw = way->depth == VM_NODE_DEEPEST ? vm_field(node, 0) - 1
                                                 : vm_field(node, 0) & ~(uint64_t)vm_node_bit(hash, way->depth);

    return node_without_entry(ctx, node, raw, way->index);
}

static bool has_one_entry_only(vm_value node, unsigned depth)
{
    return vm_node_entry_count(node, depth) == 1 && (depth == VM_NODE_DEEPEST || vm_node_children(node) == 0);
}

static vm_value remove_key(struct vm_ctx *ctx, bool is_set, vm_value map, vm_value key)
{
    struct entry entry = { key, VM_UNIT, 0 };
    struct way way;
    vm_value before = map, node;
    uint32_t count = vm_map_count(map);
    unsigned depth;

    if (count == 0)
        return map;
    entry.hash = vm_key_hash(key);
    find_way(&way, map, entry.hash, key);
    if (way.found != FOUND_KEY)
        return map;
    if (count == 1)
        return is_set ? VM_EMPTY_SET : VM_EMPTY_MAP;
    /* Drawing a child in makes its parent longer by one word, at the most. */
    if (!reserve(ctx, VM_MAP_WORDS + words_above(&way, way.depth + 1) + VM_NODE_LEVELS, &map, &entry))
        return VM_NONE;
    if (map != before)
        find_way(&way, map, entry.hash, entry.key);
    depth = way.depth;
    node = remove_at_end(ctx, &way, entry.hash);
    while (depth > 0 && has_one_entry_only(node, depth)) {
        depth--;
        node =
            node_child_to_entry(ctx, way.nodes[depth], depth, vm_node_bit(entry.hash, depth), vm_node_entry(node, 0));
    }
    node = rebuild_above(ctx, &way, depth, entry.hash, node);
    return vm_node_take_root(ctx, is_set, count - 1, node);
}

vm_value vm_map_remove(struct vm_ctx *ctx, vm_value map, vm_value key)
{
    return remove_key(ctx, false, map, key);
}
vm_value vm_set_remove(struct vm_ctx *ctx, vm_value set, vm_value item)
{
    return remove_key(ctx, true, set, item);
}

/* ---- walking: entries of a node first, then its children ---- */

void vm_map_walk(struct vm_map_walk *walk, vm_value map_or_set)
{
    walk->is_set = vm_is_set(map_or_set);
    walk->depth = vm_map_count(map_or_set) == 0 ? -1 : 0;
    if (walk->depth == 0) {
        walk->node[0] = vm_field(map_or_set, 1);
        walk->at[0] = 0;
        walk->entry = 0;
    }
}

bool vm_map_next(struct vm_map_walk *walk, vm_value *ret_key, vm_value *ret_value)
{
    while (walk->depth >= 0) {
        unsigned depth = (unsigned)walk->depth;
        vm_value node = walk->node[depth];

        if (walk->entry < vm_node_entry_count(node, depth)) {
            const vm_value *entry = vm_node_entry(node, walk->entry++);

            *ret_key = entry[0];
            *ret_value = walk->is_set ? VM_NONE : entry[1];
            return true;
        }
        if (depth == VM_NODE_DEEPEST || walk->at[depth] == vm_node_count_bits(vm_node_children(node))) {
            walk->depth--; /* back to a node whose entries were given */
            walk->entry = UINT32_MAX;
            continue;
        }
        walk->node[depth + 1] = *vm_node_child(node, depth, walk->at[depth]++);
        walk->at[depth + 1] = 0;
        walk->entry = 0;
        walk->depth++;
    }
    return false;
}
