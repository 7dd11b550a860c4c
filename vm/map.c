/*
 * map.c - the hash array mapped trie behind maps and sets.
 *
 * mapnode.h says what a node looks like. Levels at which the hashes below do not differ have no node: a way to a key
 * only looks at the digits that matter, and ends at a key that is the one or shows where their ways part.
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

enum found {
    FOUND_KEY,
    FOUND_FREE_SLOT,
    FOUND_OTHER_KEY,
    FOUND_OTHER_WAY /* the key's hash and those below the last node part above it (look_for_parting() tells) */
};

struct way {
    vm_value nodes[VM_NODE_LEVELS];
    unsigned last;       /* of the nodes */
    unsigned index;      /* of the key's entry in the last one, or of the other key's, or where the new one belongs */
    uint64_t other_hash; /* of a key in the last node or below, by look_for_parting() */
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

/* Follow the digits that the nodes look at. Those between are not looked at: whether a key that was not found differs
 * there is for look_for_parting() to say. */
static void find_way(struct way *way, vm_value map, uint64_t hash, vm_value key)
{
    vm_value node = vm_field(map, 1);

    for (unsigned last = 0;; last++) {
        unsigned depth = vm_node_depth(node);

        way->nodes[last] = node;
        way->last = last;
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
        node = *vm_node_child(node, vm_node_rank(vm_node_children(node), bit));
    }
}

/* Some key in the node or below; they all agree in the digits above it. */
static vm_value key_below(vm_value node)
{
    while (vm_node_entries(node) == 0)
        node = *vm_node_child(node, 0);
    return *vm_node_entry(node, 0);
}

/* For a key that was not found: if it parts from the others above the end of the way, let the way end with the node
 * below that place. */
static void look_for_parting(struct way *way, uint64_t hash)
{
    vm_value end = way->nodes[way->last];
    unsigned depth = vm_node_depth(end), parting;

    if (way->found == FOUND_FREE_SLOT && depth == way->last) /* each digit so far was looked at */
        return;
    way->other_hash = vm_key_hash(way->found == FOUND_OTHER_KEY ? *vm_node_entry(end, way->index) : key_below(end));
    parting = vm_node_parting(hash, way->other_hash);
    if (parting >= depth)
        return;
    while (way->last > 0 && vm_node_depth(way->nodes[way->last - 1]) > parting)
        way->last--;
    way->found = FOUND_OTHER_WAY;
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
    return way.found == FOUND_KEY ? vm_node_entry(way.nodes[way.last], way.index) : NULL;
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
    vm_value copy = vm_node_take(ctx, is_set, vm_node_depth(node), raw, words + vm_node_stride(is_set));

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
    vm_value copy = vm_node_take(ctx, is_set, vm_node_depth(node), raw, words - vm_node_stride(is_set));

    memcpy(vm_object(copy) + VM_NODE_HEAD, vm_object(node) + VM_NODE_HEAD, (before - VM_NODE_HEAD) * sizeof copy);
    memcpy(vm_object(copy) + before, vm_object(node) + behind, (words - behind) * sizeof copy);
    return copy;
}

/* A node like `node` where the slot `bit` holds a child instead of an entry. */
static vm_value node_entry_to_child(struct vm_ctx *ctx, vm_value node, uint32_t bit, vm_value child)
{
    bool is_set = vm_node_is_set(node);
    uint32_t entries = vm_node_entries(node), children = vm_node_children(node);
    unsigned count = vm_node_entry_count(node), index = vm_node_rank(entries, bit), at = vm_node_rank(children, bit);
    unsigned child_count = vm_node_count_bits(children);
    vm_value copy = vm_node_take(ctx, is_set, vm_node_depth(node), vm_node_raw(entries & ~bit, children | bit),
                                 vm_node_words(is_set, count - 1, child_count + 1));
    vm_value *to = vm_object(copy) + VM_NODE_HEAD;

    for (unsigned i = 0; i < count; i++) {
        if (i == index)
            continue;
        memcpy(to, vm_node_entry(node, i), vm_node_stride(is_set) * sizeof *to);
        to += vm_node_stride(is_set);
    }
    for (unsigned i = 0; i <= child_count; i++)
        *to++ = i == at ? child : *vm_node_child(node, i < at ? i : i - 1);
    return copy;
}

/* The other way round: the entry that a child was left with is drawn in. */
static vm_value node_child_to_entry(struct vm_ctx *ctx, vm_value node, uint32_t bit, const vm_value *entry)
{
    bool is_set = vm_node_is_set(node);
    uint32_t entries = vm_node_entries(node), children = vm_node_children(node);
    unsigned count = vm_node_entry_count(node), index = vm_node_rank(entries, bit), at = vm_node_rank(children, bit);
    unsigned child_count = vm_node_count_bits(children);
    vm_value copy = vm_node_take(ctx, is_set, vm_node_depth(node), vm_node_raw(entries | bit, children & ~bit),
                                 vm_node_words(is_set, count + 1, child_count - 1));
    vm_value *to = vm_object(copy) + VM_NODE_HEAD;

    for (unsigned i = 0; i <= count; i++) {
        memcpy(to, i == index ? entry : vm_node_entry(node, i < index ? i : i - 1),
               vm_node_stride(is_set) * sizeof *to);
        to += vm_node_stride(is_set);
    }
    for (unsigned i = 0; i < child_count; i++)
        if (i != at)
            *to++ = *vm_node_child(node, i);
    return copy;
}

/* Copies of the nodes above the last one, with `node` in the place of that. Returns the new root. */
static vm_value rebuild_above(struct vm_ctx *ctx, const struct way *way, uint64_t hash, vm_value node)
{
    for (unsigned i = way->last; i-- > 0;) {
        vm_value copy = copy_node(ctx, way->nodes[i]);

        *vm_node_child(copy, vm_node_rank(vm_node_children(copy), vm_node_bit(hash, vm_node_depth(copy)))) = node;
        node = copy;
    }
    return node;
}

/* The words of the way's nodes. */
static size_t words_of_way(const struct way *way)
{
    size_t words = 0;

    for (unsigned i = 0; i <= way->last; i++)
        words += vm_object_words(vm_header(way->nodes[i]));
    return words;
}

/* ---- inserting ---- */

struct entry {
    vm_value key, value;
    uint64_t hash;
};

/* The node of one entry, whose hash no other differs from. */
static vm_value take_single(struct vm_ctx *ctx, bool is_set, vm_value key, vm_value value)
{
    vm_value node = vm_node_take(ctx, is_set, VM_NODE_DEEPEST, 1, vm_node_words(is_set, 1, 0));

    vm_node_put(vm_node_entry(node, 0), is_set, key, value);
    return node;
}

static bool is_single(vm_value node)
{
    return vm_node_depth(node) == VM_NODE_DEEPEST && vm_node_entries(node) == 1;
}

/* The node of two entries, where their hashes part. */
static vm_value take_pair(struct vm_ctx *ctx, bool is_set, const struct entry *one, const struct entry *other)
{
    unsigned depth = vm_node_parting(one->hash, other->hash);
    const struct entry *first = one->hash <= other->hash ? one : other, *second = first == one ? other : one;
    uint64_t raw = depth == VM_NODE_DEEPEST ? 2 : vm_node_bit(one->hash, depth) | vm_node_bit(other->hash, depth);
    vm_value node = vm_node_take(ctx, is_set, depth, raw, vm_node_words(is_set, 2, 0));

    vm_node_put(vm_node_entry(node, 0), is_set, first->key, first->value);
    vm_node_put(vm_node_entry(node, 1), is_set, second->key, second->value);
    return node;
}

/* The node of an entry and of a node that belongs below, where their hashes part. */
static vm_value take_fork(struct vm_ctx *ctx, const struct entry *entry, vm_value child, uint64_t child_hash)
{
    bool is_set = vm_node_is_set(child);
    unsigned depth = vm_node_parting(entry->hash, child_hash);
    uint64_t raw = vm_node_raw(vm_node_bit(entry->hash, depth), vm_node_bit(child_hash, depth));
    vm_value node = vm_node_take(ctx, is_set, depth, raw, vm_node_words(is_set, 1, 1));

    vm_node_put(vm_node_entry(node, 0), is_set, entry->key, entry->value);
    *vm_node_child(node, 0) = child;
    return node;
}

/* Words that the change at the end of the way takes besides a copy of its last node, at the most. */
static size_t words_of_change(bool is_set)
{
    return vm_node_words(is_set, 2, 1);
}

/* What holds the new entry and takes the place of the last node. */
static vm_value insert_at_end(struct vm_ctx *ctx, const struct way *way, const struct entry *entry)
{
    vm_value node = way->nodes[way->last], copy;
    bool is_set = vm_node_is_set(node);
    unsigned depth = vm_node_depth(node);

    if (way->found == FOUND_KEY) {
        copy = copy_node(ctx, node);
        vm_node_entry(copy, way->index)[1] = entry->value; /* only maps come here */
        return copy;
    }
    if (way->found == FOUND_FREE_SLOT) {
        uint64_t raw = vm_field(node, 0);

        raw = depth == VM_NODE_DEEPEST ? raw + 1 : raw | vm_node_bit(entry->hash, depth);
        return node_with_entry(ctx, node, raw, way->index, entry->key, entry->value);
    }
    if (way->found == FOUND_OTHER_WAY && !is_single(node))
        return take_fork(ctx, entry, node, way->other_hash);
    const vm_value *old = vm_node_entry(node, way->found == FOUND_OTHER_WAY ? 0 : way->index);
    struct entry other = { old[0], is_set ? VM_NONE : old[1], way->other_hash };
    vm_value pair = take_pair(ctx, is_set, &other, entry);
    return way->found == FOUND_OTHER_WAY ? pair : node_entry_to_child(ctx, node, vm_node_bit(entry->hash, depth), pair);
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
    if (!reserve(ctx, VM_MAP_WORDS + vm_node_words(is_set, 1, 0), &map, entry))
        return VM_NONE;
    return vm_node_take_root(ctx, is_set, 1, take_single(ctx, is_set, entry->key, entry->value));
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
    if (!reserve(ctx, VM_MAP_WORDS + words_of_way(&way) + words_of_change(is_set), &map, entry))
        return VM_NONE;
    if (map != before)
        find_way(&way, map, entry->hash, entry->key);
    if (way.found != FOUND_KEY)
        look_for_parting(&way, entry->hash);
    node = rebuild_above(ctx, &way, entry->hash, insert_at_end(ctx, &way, entry));
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

/* What is left of the last node of the way without the key's entry, and takes its place. If that is an entry alone, the
 * way gets shorter, as the node above takes it in. */
static vm_value remove_at_end(struct vm_ctx *ctx, struct way *way, uint64_t hash)
{
    vm_value node = way->nodes[way->last];
    bool is_set = vm_node_is_set(node);
    unsigned depth = vm_node_depth(node), entries = vm_node_entry_count(node);
    unsigned children = depth == VM_NODE_DEEPEST ? 0 : vm_node_count_bits(vm_node_children(node));

    if (entries + children > 2) {
        uint64_t raw = vm_field(node, 0);

        raw = depth == VM_NODE_DEEPEST ? raw - 1 : raw & ~(uint64_t)vm_node_bit(hash, depth);
        return node_without_entry(ctx, node, raw, way->index);
    }
    if (children == 1)
        return *vm_node_child(node, 0);
    const vm_value *left = vm_node_entry(node, 1 - way->index);
    if (way->last == 0)
        return take_single(ctx, is_set, left[0], is_set ? VM_NONE : left[1]);
    node = way->nodes[--way->last];
    return node_child_to_entry(ctx, node, vm_node_bit(hash, vm_node_depth(node)), left);
}

static vm_value remove_key(struct vm_ctx *ctx, bool is_set, vm_value map, vm_value key)
{
    struct entry entry = { key, VM_UNIT, 0 };
    struct way way;
    vm_value before = map, node;
    uint32_t count = vm_map_count(map);

    if (count == 0)
        return map;
    entry.hash = vm_key_hash(key);
    find_way(&way, map, entry.hash, key);
    if (way.found != FOUND_KEY)
        return map;
    if (count == 1)
        return is_set ? VM_EMPTY_SET : VM_EMPTY_MAP;
    /* Drawing an entry in makes a node longer by one word, at the most. */
    if (!reserve(ctx, VM_MAP_WORDS + words_of_way(&way) + 1, &map, &entry))
        return VM_NONE;
    if (map != before)
        find_way(&way, map, entry.hash, entry.key);
    node = remove_at_end(ctx, &way, entry.hash);
    node = rebuild_above(ctx, &way, entry.hash, node);
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

/* ---- walking: slot by slot, and what is below a slot with it ---- */

_Static_assert(sizeof((struct vm_map_walk *)0)->levels == VM_NODE_LEVELS * sizeof(struct vm_map_level),
               "levels for the deepest way");

static void enter(struct vm_map_walk *walk, vm_value node)
{
    bool equals = vm_node_depth(node) == VM_NODE_DEEPEST;

    walk->levels[++walk->level] = (struct vm_map_level){
        .node = node,
        .left = equals ? vm_node_entries(node) : vm_node_entries(node) | vm_node_children(node),
    };
}

void vm_map_walk(struct vm_map_walk *walk, vm_value map_or_set)
{
    walk->is_set = vm_is_set(map_or_set);
    walk->level = -1;
    if (vm_map_count(map_or_set) > 0)
        enter(walk, vm_field(map_or_set, 1));
}

static void give(const struct vm_map_walk *walk, vm_value node, unsigned index, vm_value *ret_key, vm_value *ret_value)
{
    const vm_value *entry = vm_node_entry(node, index);

    *ret_key = entry[0];
    *ret_value = walk->is_set ? VM_NONE : entry[1];
}

bool vm_map_next(struct vm_map_walk *walk, vm_value *ret_key, vm_value *ret_value)
{
    while (walk->level >= 0) {
        struct vm_map_level *level = &walk->levels[walk->level];
        vm_value node = level->node;
        uint32_t slot = level->left & -level->left;

        if (level->left == 0) {
            walk->level--;
        } else if (vm_node_depth(node) == VM_NODE_DEEPEST) {
            give(walk, node, vm_node_entries(node) - level->left--, ret_key, ret_value);
            return true;
        } else if ((vm_node_entries(node) & slot) != 0) {
            level->left -= slot;
            give(walk, node, level->entry++, ret_key, ret_value);
            return true;
        } else {
            level->left -= slot;
            enter(walk, *vm_node_child(node, level->child++));
        }
    }
    return false;
}
