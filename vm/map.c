/*
 * map.c - the hash array mapped trie behind maps and sets.
 *
 * A node looks at five bits of the hash. Its raw word holds two bitmaps: in the low half which of the 32 slots hold an
 * entry, in the high half which hold a child. The entries follow in order of their slots (key and value in maps, the
 * key alone in sets: aux 1), then the children in order of theirs. At depth DEEPEST no hash bits are left: a node there
 * holds entries whose hashes are equal in all 64 bits, and its raw word is their count.
 *
 * A child always holds two entries or more, itself or beneath it; what would be left with one is drawn into its parent.
 * So a map's shape follows from its content (but for the order within a node of equal hashes).
 *
 * Changing: first the way to the key is found and the words that its copies need are counted, then they are reserved,
 * then the way is copied from below. If the reservation moved the map, the way is found again.
 */
#include "config.h"

#include "vm/map.h"

#include <string.h>

#include "base/assert.h"
#include "vm/compare.h"
#include "vm/cursor.h"
#include "vm/number.h"
#include "vm/object.h"
#include "vm/seen.h"
#include "vm/string.h"
#include "vm/type.h"

enum { BITS = 5, DEEPEST = 13, LEVELS = DEEPEST + 1, ROOT_WORDS = 3, NODE_HEAD = 2, HASHED_PARTS_MAX = 256 };

/* ---- hashing of keys ---- */

/* The finalizer of splitmix64: a bijection, so different numbers never collide in all bits. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* SipHash-1-3 with a fixed key; words are absorbed one at a time. */
struct sip { uint64_t v0, v1, v2, v3; };

static uint64_t rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

static void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static void sip_begin(struct sip *s)
{
    const uint64_t key_0 = UINT64_C(0x6e6f73746f736421), key_1 = UINT64_C(0x2d6d61702d6b6579);

    s->v0 = key_0 ^ UINT64_C(0x736f6d6570736575);
    s->v1 = key_1 ^ UINT64_C(0x646f72616e646f6d);
    s->v2 = key_0 ^ UINT64_C(0x6c7967656e657261);
    s->v3 = key_1 ^ UINT64_C(0x7465646279746573);
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static uint64_t sip_end(struct sip *s)
{
    s->v2 ^= 0xff;
    sip_round(s);
    sip_round(s);
    sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* The bytes and, in the last word's top byte, their count: no two strings feed the same words. */
static void sip_bytes(struct sip *s, const char *bytes, uint32_t length)
{
    uint64_t word, last = (uint64_t)length << 56;
    uint32_t whole = length & ~UINT32_C(7);

    for (uint32_t i = 0; i < whole; i += 8) {
        memcpy(&word, bytes + i, 8);
        sip_word(s, word);
    }
    word = 0;
    memcpy(&word, bytes + whole, length - whole);
    sip_word(s, word | last);
}

/* A word for a key without parts, or for what a key with parts is. Words of different sorts of keys differ (but Ints
 * may be any word: vm_equal() has the last say). Constructors count by name, as their numbers depend on what was
 * deployed before. */
static uint64_t key_word(vm_value key)
{
    const struct vm_constructor *constructor = vm_constructor_of(key);

    if (constructor != NULL)
        return constructor->hash + constructor->arity;
    if (vm_is_int(key))
        return (uint64_t)vm_int_of(key);
    if (vm_is_immediate(key))
        return mix(key);
    if (vm_is_kind(key, VM_KIND_UINT64))
        return mix(vm_field(key, 0) ^ VM_KIND_UINT64);
    nb_assert(vm_is_kind(key, VM_KIND_TUPLE));
    return mix(~(uint64_t)vm_size(key));
}

static uint64_t hash_string(vm_value string)
{
    struct vm_text text = vm_text(string);
    struct sip s;

    sip_begin(&s);
    sip_bytes(&s, text.bytes, text.length);
    return sip_end(&s);
}

/* Feed the tree of a key, from the top; the words tell its shape. Keys that only differ behind their first so many parts
 * collide: the walk is bounded although a key of n objects may be a tree of 2^n parts, and it needs no memory. */
static uint64_t hash_parts(vm_value key)
{
    struct vm_cursor in_place[HASHED_PARTS_MAX], *top;
    struct vm_stack stack;
    struct sip s;
    vm_value part = key;

    sip_begin(&s);
    vm_stack_init(&stack, in_place, HASHED_PARTS_MAX, sizeof *in_place);
    for (unsigned i = 0; i < HASHED_PARTS_MAX; i++) {
        struct vm_cursor cursor;

        if (vm_is_string(part)) {
            struct vm_text text = vm_text(part);

            sip_bytes(&s, text.bytes, text.length);
        } else {
            sip_word(&s, key_word(part));
            if (vm_cursor_init(&cursor, part))
                *(struct vm_cursor *)vm_stack_push(&stack) = cursor;
        }
        top = vm_stack_top(&stack);
        if (top == NULL)
            break;
        vm_cursor_next(top, &part);
        if (!vm_cursor_has_next(top))
            vm_stack_pop(&stack);
    }
    vm_stack_done(&stack);
    return sip_end(&s);
}

static uint64_t hash_key(vm_value key)
{
    if (vm_is_string(key))
        return hash_string(key);
    if (vm_is_kind(key, VM_KIND_TUPLE) || vm_is_kind(key, VM_KIND_DATA))
        return hash_parts(key);
    return mix(key_word(key));
}

static bool same_key(vm_value left, vm_value right) { return left == right || vm_equal(left, right); }

static bool is_plain_key(vm_value v)
{
    if (vm_is_small(v))
        return true;
    if (vm_is_flonum(v) || v == VM_NONE)
        return false;
    if (vm_is_immediate(v))
        return !vm_is_sort(v, VM_SORT_NIL) && !vm_is_sort(v, VM_SORT_PID) && !vm_is_sort(v, VM_SORT_FLOAT32) &&
               !vm_is_sort(v, VM_SORT_EMPTY_MAP) && !vm_is_sort(v, VM_SORT_EMPTY_SET);
    return vm_kind(v) == VM_KIND_INT64 || vm_kind(v) == VM_KIND_UINT64 || vm_is_string(v);
}

/* The walk of vm_hashable(). */
struct key_walk { struct vm_stack stack; struct vm_seen seen; uint64_t pushed; };

/* Whether a part may be in a key, as far as can be said before its own parts were looked at: those are on the stack
 * now, unless they were before. False as well without memory to look at them. */
static bool may_be_in_key(struct key_walk *walk, vm_value part)
{
    struct vm_cursor cursor, *pushed;

    if (!vm_is_kind(part, VM_KIND_TUPLE) && !vm_is_kind(part, VM_KIND_DATA))
        return is_plain_key(part);
    if (++walk->pushed > VM_SEEN_AFTER) {
        if (vm_seen_find(&walk->seen, part) != NULL)
            return true;
        if (!vm_seen_add(&walk->seen, part, 0))
            return false;
    }
    if (!vm_cursor_init(&cursor, part))
        return true;
    pushed = vm_stack_push(&walk->stack);
    if (pushed == NULL)
        return false;
    *pushed = cursor;
    return true;
}

bool vm_hashable(vm_value key, vm_value *ret_culprit)
{
    struct vm_cursor in_place[8], *top;
    struct key_walk walk = { .seen = VM_SEEN_INIT };
    vm_value part = key;
    bool hashable;

    if (is_plain_key(key))
        return true;
    vm_stack_init(&walk.stack, in_place, 8, sizeof *in_place);
    while ((hashable = may_be_in_key(&walk, part)) && (top = vm_stack_top(&walk.stack)) != NULL) {
        vm_cursor_next(top, &part);
        if (!vm_cursor_has_next(top))
            vm_stack_pop(&walk.stack);
    }
    if (!hashable)
        *ret_culprit = part;
    vm_stack_done(&walk.stack);
    vm_seen_done(&walk.seen);
    return hashable;
}

/* ---- nodes ---- */

static bool node_is_set(vm_value node) { return vm_aux(node) == 1; }
static unsigned stride(bool is_set) { return is_set ? 1 : 2; }
static uint32_t node_entries(vm_value node) { return (uint32_t)vm_field(node, 0); }
static uint32_t node_children(vm_value node) { return (uint32_t)(vm_field(node, 0) >> 32); }
static uint32_t slot_bit(uint64_t hash, unsigned depth) { return UINT32_C(1) << (hash >> (depth * BITS) & 31); }
static unsigned count_bits(uint32_t bits) { return (unsigned)__builtin_popcount(bits); }

static unsigned entry_count(vm_value node, unsigned depth)
{
    return depth == DEEPEST ? node_entries(node) : count_bits(node_entries(node));
}

/* How many things lie in slots before `bit`. */
static unsigned rank(uint32_t bitmap, uint32_t bit) { return count_bits(bitmap & (bit - 1)); }

static vm_value *node_entry(vm_value node, unsigned index)
{
    return vm_object(node) + NODE_HEAD + (size_t)index * stride(node_is_set(node));
}

static vm_value *node_child(vm_value node, unsigned depth, unsigned index)
{
    return node_entry(node, entry_count(node, depth)) + index;
}

static size_t node_words(bool is_set, unsigned entries, unsigned children)
{
    return NODE_HEAD + (size_t)entries * stride(is_set) + children;
}

static vm_value take_node(struct vm_ctx *ctx, bool is_set, uint64_t raw, size_t words)
{
    vm_value *object = vm_heap_take(&ctx->process->heap, words);

    object[0] = VM_HEADER(VM_KIND_NODE, 0, is_set ? 1 : 0, words - 1);
    object[1] = raw;
    return vm_from_object(object);
}

static void put_entry(vm_value *to, bool is_set, vm_value key, vm_value value)
{
    to[0] = key;
    if (!is_set)
        to[1] = value;
}

/* ---- the way to a key ---- */

enum found { FOUND_KEY, FOUND_FREE_SLOT, FOUND_OTHER_KEY };

struct way {
    vm_value nodes[LEVELS];
    unsigned depth;     /* of the last node */
    unsigned index;     /* of the key's entry, or of the other key's, or where the new one belongs */
    enum found found;
};

static enum found find_among_equals(vm_value node, vm_value key, unsigned *ret_index)
{
    unsigned count = node_entries(node);

    for (unsigned i = 0; i < count; i++) {
        if (same_key(*node_entry(node, i), key)) {
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
        if (depth == DEEPEST) {
            way->found = find_among_equals(node, key, &way->index);
            return;
        }
        uint32_t bit = slot_bit(hash, depth);
        if ((node_children(node) & bit) == 0) {
            way->index = rank(node_entries(node), bit);
            way->found = (node_entries(node) & bit) == 0                       ? FOUND_FREE_SLOT
                         : same_key(*node_entry(node, way->index), key) ? FOUND_KEY
                                                                                : FOUND_OTHER_KEY;
            return;
        }
        node = *node_child(node, depth, rank(node_children(node), bit));
    }
}

static bool is_container(vm_value v, enum vm_kind kind, enum vm_sort empty)
{
    return vm_is_sort(v, empty) || vm_is_kind(v, kind);
}

bool vm_is_map(vm_value v) { return is_container(v, VM_KIND_MAP, VM_SORT_EMPTY_MAP); }
bool vm_is_set(vm_value v) { return is_container(v, VM_KIND_SET, VM_SORT_EMPTY_SET); }

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
    find_way(&way, map, hash_key(key), key);
    return way.found == FOUND_KEY ? node_entry(way.nodes[way.depth], way.index) : NULL;
}

vm_value vm_map_get(vm_value map, vm_value key)
{
    const vm_value *entry = find_entry(map, key);

    return entry == NULL ? VM_NONE : entry[1];
}

bool vm_set_has(vm_value set, vm_value item) { return find_entry(set, item) != NULL; }

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
    bool is_set = node_is_set(node);
    size_t words = vm_object_words(vm_header(node)), before = NODE_HEAD + (size_t)index * stride(is_set);
    vm_value copy = take_node(ctx, is_set, raw, words + stride(is_set));

    memcpy(vm_object(copy) + NODE_HEAD, vm_object(node) + NODE_HEAD, (before - NODE_HEAD) * sizeof copy);
    put_entry(vm_object(copy) + before, is_set, key, value);
    memcpy(vm_object(copy) + before + stride(is_set), vm_object(node) + before, (words - before) * sizeof copy);
    return copy;
}

/* The same without the entry at `index`. */
static vm_value node_without_entry(struct vm_ctx *ctx, vm_value node, uint64_t raw, unsigned index)
{
    bool is_set = node_is_set(node);
    size_t words = vm_object_words(vm_header(node)), before = NODE_HEAD + (size_t)index * stride(is_set);
    size_t behind = before + stride(is_set);
    vm_value copy = take_node(ctx, is_set, raw, words - stride(is_set));

    memcpy(vm_object(copy) + NODE_HEAD, vm_object(node) + NODE_HEAD, (before - NODE_HEAD) * sizeof copy);
    memcpy(vm_object(copy) + before, vm_object(node) + behind, (words - behind) * sizeof copy);
    return copy;
}

/* A node like `node` where the slot `bit` holds a child instead of an entry. */
static vm_value node_entry_to_child(struct vm_ctx *ctx, vm_value node, unsigned depth, uint32_t bit, vm_value child)
{
    bool is_set = node_is_set(node);
    uint32_t entries = node_entries(node), children = node_children(node);
    unsigned count = entry_count(node, depth), index = rank(entries, bit), at = rank(children, bit);
    unsigned child_count = count_bits(children);
    vm_value copy = take_node(ctx, is_set, (uint64_t)(children | bit) << 32 | (entries & ~bit),
                              node_words(is_set, count - 1, child_count + 1));
    vm_value *to = vm_object(copy) + NODE_HEAD;

    for (unsigned i = 0; i < count; i++) {
        if (i == index)
            continue;
        memcpy(to, node_entry(node, i), stride(is_set) * sizeof *to);
        to += stride(is_set);
    }
    for (unsigned i = 0; i <= child_count; i++)
        *to++ = i == at ? child : *node_child(node, depth, i < at ? i : i - 1);
    return copy;
}

/* The other way round: a child that was left with one entry is drawn in. */
static vm_value node_child_to_entry(struct vm_ctx *ctx, vm_value node, unsigned depth, uint32_t bit,
                                    const vm_value *entry)
{
    bool is_set = node_is_set(node);
    uint32_t entries = node_entries(node), children = node_children(node);
    unsigned count = entry_count(node, depth), index = rank(entries, bit), at = rank(children, bit);
    unsigned child_count = count_bits(children);
    vm_value copy = take_node(ctx, is_set, (uint64_t)(children & ~bit) << 32 | entries | bit,
                              node_words(is_set, count + 1, child_count - 1));
    vm_value *to = vm_object(copy) + NODE_HEAD;

    for (unsigned i = 0; i <= count; i++) {
        memcpy(to, i == index ? entry : node_entry(node, i < index ? i : i - 1), stride(is_set) * sizeof *to);
        to += stride(is_set);
    }
    for (unsigned i = 0; i < child_count; i++)
        if (i != at)
            *to++ = *node_child(node, depth, i);
    return copy;
}

/* Copies of the nodes above `depth`, with `node` in the place of the one there. Returns the new root. */
static vm_value rebuild_above(struct vm_ctx *ctx, const struct way *way, unsigned depth, uint64_t hash, vm_value node)
{
    while (depth-- > 0) {
        vm_value copy = copy_node(ctx, way->nodes[depth]);

        *node_child(copy, depth, rank(node_children(copy), slot_bit(hash, depth))) = node;
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

static vm_value take_root(struct vm_ctx *ctx, bool is_set, uint32_t count, vm_value node)
{
    vm_value *object = vm_heap_take(&ctx->process->heap, ROOT_WORDS);

    object[0] = VM_HEADER(is_set ? VM_KIND_SET : VM_KIND_MAP, 0, 0, 2);
    object[1] = vm_from_small(count);
    object[2] = node;
    return vm_from_object(object);
}

/* ---- inserting ---- */

/* The depth at which two hashes part, from `depth` on; DEEPEST when they are equal. */
static unsigned depth_of_parting(uint64_t left, uint64_t right, unsigned depth)
{
    while (depth < DEEPEST && slot_bit(left, depth) == slot_bit(right, depth))
        depth++;
    return depth;
}

struct entry { vm_value key, value; uint64_t hash; };

/* The node at `depth` that holds two entries, by way of nodes with one child each down to where their hashes part. */
static vm_value take_pair_nodes(struct vm_ctx *ctx, bool is_set, unsigned depth, const struct entry *one,
                                const struct entry *other)
{
    unsigned bottom = depth_of_parting(one->hash, other->hash, depth);
    bool in_order = bottom == DEEPEST || slot_bit(one->hash, bottom) < slot_bit(other->hash, bottom);
    const struct entry *first = in_order ? one : other, *second = in_order ? other : one;
    uint64_t raw = bottom == DEEPEST ? 2 : slot_bit(one->hash, bottom) | slot_bit(other->hash, bottom);
    vm_value node = take_node(ctx, is_set, raw, node_words(is_set, 2, 0));

    put_entry(node_entry(node, 0), is_set, first->key, first->value);
    put_entry(node_entry(node, 1), is_set, second->key, second->value);
    while (bottom-- > depth) {
        vm_value above = take_node(ctx, is_set, (uint64_t)slot_bit(one->hash, bottom) << 32, node_words(is_set, 0, 1));

        vm_object(above)[NODE_HEAD] = node;
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
        return words + stride(is_set);
    below = depth_of_parting(hash, hash_key(*node_entry(node, way->index)), way->depth + 1);
    return words + 1 + node_words(is_set, 2, 0) + (below - way->depth - 1) * node_words(is_set, 0, 1);
}

static vm_value insert_at_end(struct vm_ctx *ctx, const struct way *way, const struct entry *entry)
{
    vm_value node = way->nodes[way->depth];
    bool is_set = node_is_set(node);
    vm_value copy;

    if (way->found == FOUND_KEY) {
        copy = copy_node(ctx, node);
        node_entry(copy, way->index)[1] = entry->value; /* only maps come here */
        return copy;
    }
    if (way->found == FOUND_FREE_SLOT) {
        uint64_t raw = way->depth == DEEPEST ? vm_field(node, 0) + 1
                                             : vm_field(node, 0) | slot_bit(entry->hash, way->depth);

        return node_with_entry(ctx, node, raw, way->index, entry->key, entry->value);
    }
    const vm_value *old = node_entry(node, way->index);
    struct entry other = { old[0], is_set ? VM_NONE : old[1], hash_key(old[0]) };
    vm_value child = take_pair_nodes(ctx, is_set, way->depth + 1, &other, entry);
    return node_entry_to_child(ctx, node, way->depth, slot_bit(entry->hash, way->depth), child);
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
    size_t words = node_words(is_set, 1, 0);

    if (!reserve(ctx, ROOT_WORDS + words, &map, entry))
        return VM_NONE;
    vm_value node = take_node(ctx, is_set, slot_bit(entry->hash, 0), words);
    put_entry(node_entry(node, 0), is_set, entry->key, entry->value);
    return take_root(ctx, is_set, 1, node);
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
    if (!reserve(ctx, ROOT_WORDS + words_above(&way, way.depth) + insert_words(&way, is_set, entry->hash), &map, entry))
        return VM_NONE;
    if (map != before)
        find_way(&way, map, entry->hash, entry->key);
    node = rebuild_above(ctx, &way, way.depth, entry->hash, insert_at_end(ctx, &way, entry));
    return take_root(ctx, is_set, way.found == FOUND_KEY ? count : count + 1, node);
}

vm_value vm_map_insert(struct vm_ctx *ctx, vm_value map, vm_value key, vm_value value)
{
    struct entry entry = { key, value, hash_key(key) };

    return insert(ctx, false, map, &entry);
}

vm_value vm_set_insert(struct vm_ctx *ctx, vm_value set, vm_value item)
{
    struct entry entry = { item, VM_UNIT, hash_key(item) };

    return insert(ctx, true, set, &entry);
}

/* ---- removing ---- */

/* The last node of the way without the key's entry. */
static vm_value remove_at_end(struct vm_ctx *ctx, const struct way *way, uint64_t hash)
{
    vm_value node = way->nodes[way->depth];
    uint64_t raw = way->depth == DEEPEST ? vm_field(node, 0) - 1
                                         : vm_field(node, 0) & ~(uint64_t)slot_bit(hash, way->depth);

    return node_without_entry(ctx, node, raw, way->index);
}

static bool has_one_entry_only(vm_value node, unsigned depth)
{
    return entry_count(node, depth) == 1 && (depth == DEEPEST || node_children(node) == 0);
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
    entry.hash = hash_key(key);
    find_way(&way, map, entry.hash, key);
    if (way.found != FOUND_KEY)
        return map;
    if (count == 1)
        return is_set ? VM_EMPTY_SET : VM_EMPTY_MAP;
    /* Drawing a child in makes its parent longer by one word, at the most. */
    if (!reserve(ctx, ROOT_WORDS + words_above(&way, way.depth + 1) + LEVELS, &map, &entry))
        return VM_NONE;
    if (map != before)
        find_way(&way, map, entry.hash, entry.key);
    depth = way.depth;
    node = remove_at_end(ctx, &way, entry.hash);
    while (depth > 0 && has_one_entry_only(node, depth)) {
        depth--;
        node = node_child_to_entry(ctx, way.nodes[depth], depth, slot_bit(entry.hash, depth), node_entry(node, 0));
    }
    node = rebuild_above(ctx, &way, depth, entry.hash, node);
    return take_root(ctx, is_set, count - 1, node);
}

vm_value vm_map_remove(struct vm_ctx *ctx, vm_value map, vm_value key) { return remove_key(ctx, false, map, key); }
vm_value vm_set_remove(struct vm_ctx *ctx, vm_value set, vm_value item) { return remove_key(ctx, true, set, item); }

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

        if (walk->entry < entry_count(node, depth)) {
            const vm_value *entry = node_entry(node, walk->entry++);

            *ret_key = entry[0];
            *ret_value = walk->is_set ? VM_NONE : entry[1];
            return true;
        }
        if (depth == DEEPEST || walk->at[depth] == count_bits(node_children(node))) {
            walk->depth--; /* back to a node whose entries were given */
            walk->entry = UINT32_MAX;
            continue;
        }
        walk->node[depth + 1] = *node_child(node, depth, walk->at[depth]++);
        walk->at[depth + 1] = 0;
        walk->entry = 0;
        walk->depth++;
    }
    return false;
}
