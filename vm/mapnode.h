/*
 * mapnode.h - the nodes of the trie behind maps and sets, for the files that read and build them (map.c, mapbuild.c).
 *
 * A hash is read from its highest bits down, in digits: four bits, then twelve times five. A node stands at a depth (in
 * its header): the entries below it agree in the digits before that one and differ there. Depths at which they do not
 * differ have no node, so a map's nodes are fewer than its entries, and Ints, whose hashes are in their order, are in
 * few nodes near each other when they follow each other.
 *
 * A node's raw word holds two bitmaps: in the low half which of the 32 slots hold an entry, in the high half which hold
 * a child. The entries follow in order of their slots (key and value in maps, the key alone in sets), then the children
 * in order of theirs. At depth VM_NODE_DEEPEST no digit is left: a node there holds entries whose hashes are equal, and
 * its raw word is their count. The only entry of a map is in such a node, too.
 *
 * A node has two slots in use or more (the root of a map of one entry aside); what would be left with one is drawn into
 * its parent. So a map's shape follows from its content (but for the order within a node of equal hashes).
 */
#ifndef VM_MAPNODE_H
#define VM_MAPNODE_H

#include "vm/object.h"
#include "vm/process.h"

enum {
    VM_NODE_BITS = 5,
    VM_NODE_DEEPEST = 13,
    VM_NODE_LEVELS = VM_NODE_DEEPEST + 1,
    VM_NODE_SLOTS = 1 << VM_NODE_BITS,
    VM_MAP_WORDS = 3,
    VM_NODE_HEAD = 2
};

static inline bool vm_node_is_set(vm_value node)
{
    return (vm_aux(node) & 1) != 0;
}
static inline unsigned vm_node_depth(vm_value node)
{
    return vm_aux(node) >> 1;
}
static inline unsigned vm_node_stride(bool is_set)
{
    return is_set ? 1 : 2;
}
static inline uint32_t vm_node_entries(vm_value node)
{
    return (uint32_t)vm_field(node, 0);
}
static inline uint32_t vm_node_children(vm_value node)
{
    return (uint32_t)(vm_field(node, 0) >> 32);
}
static inline unsigned vm_node_slot(uint64_t hash, unsigned depth)
{
    return (unsigned)(hash >> (VM_NODE_DEEPEST - 1 - depth) * VM_NODE_BITS) & (VM_NODE_SLOTS - 1);
}
static inline uint32_t vm_node_bit(uint64_t hash, unsigned depth)
{
    return UINT32_C(1) << vm_node_slot(hash, depth);
}
static inline unsigned vm_node_count_bits(uint32_t bits)
{
    /* In pairs, fours and bytes, which the product adds up: the builtin is a call where the processor need not have
     * it. */
    bits -= bits >> 1 & UINT32_C(0x55555555);
    bits = (bits & UINT32_C(0x33333333)) + (bits >> 2 & UINT32_C(0x33333333));
    return ((bits + (bits >> 4)) & UINT32_C(0x0f0f0f0f)) * UINT32_C(0x01010101) >> 24;
}

/* The depth of the first digit in which two hashes differ; VM_NODE_DEEPEST when they are equal. */
static inline unsigned vm_node_parting(uint64_t left, uint64_t right)
{
    enum { SHORT_OF_WHOLE_DIGITS = VM_NODE_DEEPEST * VM_NODE_BITS - 64 };

    if (left == right)
        return VM_NODE_DEEPEST;
    return ((unsigned)__builtin_clzll(left ^ right) + SHORT_OF_WHOLE_DIGITS) / VM_NODE_BITS;
}

static inline unsigned vm_node_entry_count(vm_value node)
{
    return vm_node_depth(node) == VM_NODE_DEEPEST ? vm_node_entries(node) : vm_node_count_bits(vm_node_entries(node));
}

/* How many things lie in slots before `bit`. */
static inline unsigned vm_node_rank(uint32_t bitmap, uint32_t bit)
{
    return vm_node_count_bits(bitmap & (bit - 1));
}

static inline vm_value *vm_node_entry(vm_value node, unsigned index)
{
    return vm_object(node) + VM_NODE_HEAD + (size_t)index * vm_node_stride(vm_node_is_set(node));
}

static inline vm_value *vm_node_child(vm_value node, unsigned index)
{
    return vm_node_entry(node, vm_node_entry_count(node)) + index;
}

static inline size_t vm_node_words(bool is_set, unsigned entries, unsigned children)
{
    return VM_NODE_HEAD + (size_t)entries * vm_node_stride(is_set) + children;
}

/* The raw word of a node that is not at VM_NODE_DEEPEST. */
static inline uint64_t vm_node_raw(uint32_t entries, uint32_t children)
{
    return (uint64_t)children << 32 | entries;
}

static inline vm_value vm_node_take(struct vm_ctx *ctx, bool is_set, unsigned depth, uint64_t raw, size_t words)
{
    vm_value *object = vm_heap_take(&ctx->process->heap, words);

    object[0] = VM_HEADER(VM_KIND_NODE, 0, depth << 1 | (is_set ? 1 : 0), words - 1);
    object[1] = raw;
    return vm_from_object(object);
}

static inline void vm_node_put(vm_value *to, bool is_set, vm_value key, vm_value value)
{
    to[0] = key;
    if (!is_set)
        to[1] = value;
}

static inline vm_value vm_node_take_root(struct vm_ctx *ctx, bool is_set, uint32_t count, vm_value node)
{
    vm_value *object = vm_heap_take(&ctx->process->heap, VM_MAP_WORDS);

    object[0] = VM_HEADER(is_set ? VM_KIND_SET : VM_KIND_MAP, 0, 0, 2);
    object[1] = vm_from_small(count);
    object[2] = node;
    return vm_from_object(object);
}

#endif
