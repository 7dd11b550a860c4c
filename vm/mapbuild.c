/*
 * mapbuild.c - a map or set of many entries at once.
 *
 * Inserting one by one copies the way to each key; here every node is made once, at its final size. The entries are put
 * into the order of the trie by sorting them by the slots of their hashes, node by node from the root. Entries of equal
 * keys meet at the end of their way, or before as all of a node's hashes are equal, and leave one. Then it is known how
 * many words the nodes take: they are reserved, and the nodes taken from the leaves up.
 *
 * Entries are known by their place in the list, since the reservation may move what they are made of.
 */
#include "config.h"

#include "vm/map.h"

#include <string.h>

#include "base/alloc.h"
#include "vm/list.h"
#include "vm/mapkey.h"
#include "vm/mapnode.h"

/* What becomes an entry: the hash of its key and where in the list it is. */
struct item {
    uint64_t hash;
    uint32_t at;
};

/* One building of a trie. `list` is a slice (and a root); its elements are keys, or pairs of a key and a value. */
struct building {
    struct vm_ctx *ctx;
    vm_value list;
    bool is_set; /* of entries that are keys alone */
    bool pairs;  /* elements are pairs: the last of equal keys stays, else the first */
    struct item *items, *scratch;
    size_t words; /* that the nodes take */
};

static vm_value element_at(const struct building *building, uint32_t at)
{
    return vm_field(vm_field(building->list, 0), 1 + (unsigned)vm_small(vm_field(building->list, 1)) + at);
}

static vm_value key_at(const struct building *building, uint32_t at)
{
    vm_value element = element_at(building, at);

    return building->pairs ? vm_field(element, 0) : element;
}

/* ---- planning ---- */

/* The depth of the first digit in which the hashes of any two differ. */
static unsigned depth_of_node(const struct item *items, uint32_t count)
{
    uint64_t differences = 0;

    for (uint32_t i = 1; i < count; i++)
        differences |= items[i].hash ^ items[0].hash;
    return vm_node_parting(differences, 0);
}

/* Draw items of equal hashes together so that those of different keys are first. How many those are. */
static uint32_t drop_equal_keys(const struct building *building, struct item *items, uint32_t count)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        vm_value key = key_at(building, items[i].at);
        uint32_t k = 0;

        while (k < kept && !vm_key_same(key_at(building, items[k].at), key))
            k++;
        if (k == kept)
            items[kept++] = items[i];
        else if (building->pairs)
            items[k].at = items[i].at;
    }
    return kept;
}

/* Sort by the slot at `depth`, keeping the order within each; starts[s] will be where slot s starts. */
static void sort_by_slot(const struct building *building, struct item *items, uint32_t count, unsigned depth,
                         uint32_t starts[VM_NODE_SLOTS + 1])
{
    uint32_t next[VM_NODE_SLOTS];

    memset(starts, 0, (VM_NODE_SLOTS + 1) * sizeof *starts);
    for (uint32_t i = 0; i < count; i++)
        starts[vm_node_slot(items[i].hash, depth) + 1]++;
    for (unsigned s = 0; s < VM_NODE_SLOTS; s++)
        starts[s + 1] += starts[s];
    memcpy(next, starts, sizeof next);
    for (uint32_t i = 0; i < count; i++)
        building->scratch[next[vm_node_slot(items[i].hash, depth)]++] = items[i];
    memcpy(items, building->scratch, count * sizeof *items);
}

/* Bring the items of a node and what is below it into the trie's order, those of different keys first, and count the
 * words of the nodes. How many different keys there are; no words for one only, which goes into the node above. */
static uint32_t plan(struct building *building, struct item *items, uint32_t count)
{
    uint32_t starts[VM_NODE_SLOTS + 1], kept = 0;
    unsigned entries = 0, children = 0, depth = depth_of_node(items, count);

    if (depth == VM_NODE_DEEPEST) {
        kept = drop_equal_keys(building, items, count);
        if (kept > 1)
            building->words += vm_node_words(building->is_set, kept, 0);
        return kept;
    }
    sort_by_slot(building, items, count, depth, starts);
    for (unsigned s = 0; s < VM_NODE_SLOTS; s++) {
        uint32_t in_slot = starts[s + 1] - starts[s];

        if (in_slot > 1)
            in_slot = plan(building, items + starts[s], in_slot);
        memmove(items + kept, items + starts[s], in_slot * sizeof *items);
        kept += in_slot;
        entries += in_slot == 1;
        children += in_slot > 1;
    }
    building->words += vm_node_words(building->is_set, entries, children);
    return kept;
}

/* The items of the list, planned. False without memory. *ret_count: how many different keys there are. */
static bool begin(struct building *building, uint32_t *ret_count)
{
    uint32_t length = vm_list_length(building->list);

    building->items = nb_alloc_array(length, sizeof *building->items);
    building->scratch = nb_alloc_array(length, sizeof *building->scratch);
    if (building->items == NULL || building->scratch == NULL)
        return false;
    for (uint32_t i = 0; i < length; i++)
        building->items[i] = (struct item){ vm_key_hash(key_at(building, i)), i };
    *ret_count = plan(building, building->items, length);
    building->ctx->reductions -= length;
    return true;
}

static void end(struct building *building)
{
    nb_free(building->items);
    nb_free(building->scratch);
}

/* ---- taking the nodes; their words are reserved ---- */

static void put_item(const struct building *building, vm_value node, unsigned index, const struct item *item)
{
    vm_value value = building->is_set ? VM_NONE : vm_field(element_at(building, item->at), 1);

    vm_node_put(vm_node_entry(node, index), building->is_set, key_at(building, item->at), value);
}

/* How many of the items, from the first on, are in the slot of the first. */
static uint32_t run_of_slot(const struct item *items, uint32_t count, unsigned depth)
{
    uint32_t run = 1;

    while (run < count && vm_node_slot(items[run].hash, depth) == vm_node_slot(items->hash, depth))
        run++;
    return run;
}

static vm_value take_equals(const struct building *building, const struct item *items, uint32_t count)
{
    vm_value node = vm_node_take(building->ctx, building->is_set, VM_NODE_DEEPEST, count,
                                 vm_node_words(building->is_set, count, 0));

    for (uint32_t i = 0; i < count; i++)
        put_item(building, node, i, &items[i]);
    return node;
}

/* The node of planned items, which are in the order of their hashes, and all nodes below it. */
static vm_value take_nodes(const struct building *building, const struct item *items, uint32_t count)
{
    vm_value below[VM_NODE_SLOTS], node;
    uint32_t entries = 0, children = 0, run;
    unsigned entry = 0, child = 0, depth = vm_node_parting(items[0].hash, items[count - 1].hash);

    if (depth == VM_NODE_DEEPEST)
        return take_equals(building, items, count);
    for (uint32_t i = 0; i < count; i += run) {
        run = run_of_slot(items + i, count - i, depth);
        if (run == 1) {
            entries |= vm_node_bit(items[i].hash, depth);
            continue;
        }
        children |= vm_node_bit(items[i].hash, depth);
        below[child++] = take_nodes(building, items + i, run);
    }
    node = vm_node_take(building->ctx, building->is_set, depth, vm_node_raw(entries, children),
                        vm_node_words(building->is_set, vm_node_count_bits(entries), child));
    for (uint32_t i = 0; i < count; i += run) {
        run = run_of_slot(items + i, count - i, depth);
        if (run == 1)
            put_item(building, node, entry++, &items[i]);
    }
    if (child > 0)
        memcpy(vm_node_child(node, 0), below, child * sizeof *below);
    return node;
}

/* ---- from lists ---- */

/* The list as a slice, whose elements can be reached without allocating; VM_NONE without memory. */
static vm_value as_slice(struct vm_ctx *ctx, vm_value list)
{
    struct vm_list_walk walk;
    vm_value slice, item;
    uint32_t at = 0;

    if (vm_kind(list) == VM_KIND_SLICE)
        return list;
    VM_ROOT(ctx, list);
    slice = vm_list_make(ctx, vm_list_length(list));
    VM_UNROOT(ctx, list);
    if (slice != VM_NONE)
        for (vm_list_walk(&walk, list); vm_list_next(&walk, &item);)
            vm_list_init_at(slice, at++, item);
    return slice;
}

/* The map or set of planned items. */
static vm_value finish(struct building *building, uint32_t count)
{
    bool alone = count == 1; /* one entry has no node of its own in the plan */
    size_t words = alone ? vm_node_words(building->is_set, 1, 0) : building->words;
    vm_value node;

    if (!vm_heap_reserve(building->ctx, VM_MAP_WORDS + words))
        return VM_NONE;
    node = take_nodes(building, building->items, count);
    return vm_node_take_root(building->ctx, building->is_set, count, node);
}

static vm_value build(struct vm_ctx *ctx, vm_value list, bool is_set)
{
    struct building building = { .ctx = ctx, .is_set = is_set, .pairs = !is_set };
    vm_value built = VM_NONE;
    uint32_t count;

    if (list == VM_NIL)
        return is_set ? VM_EMPTY_SET : VM_EMPTY_MAP;
    building.list = as_slice(ctx, list);
    if (building.list == VM_NONE)
        return VM_NONE;
    VM_ROOT(ctx, building.list);
    if (begin(&building, &count))
        built = finish(&building, count);
    VM_UNROOT(ctx, building.list);
    end(&building);
    return built;
}

vm_value vm_map_from_pairs(struct vm_ctx *ctx, vm_value pairs)
{
    return build(ctx, pairs, false);
}
vm_value vm_set_from_list(struct vm_ctx *ctx, vm_value list)
{
    return build(ctx, list, true);
}

/* The elements that planning has kept, in the order they have in the list. */
static vm_value kept_in_order(const struct building *building, uint32_t count)
{
    uint32_t length = vm_list_length(building->list), to = 0;
    uint8_t *is_kept = (uint8_t *)memset(building->scratch, 0, length);
    vm_value list = vm_list_make(building->ctx, count);

    if (list == VM_NONE)
        return VM_NONE;
    for (uint32_t i = 0; i < count; i++)
        is_kept[building->items[i].at] = 1;
    for (uint32_t i = 0; i < length; i++)
        if (is_kept[i] != 0)
            vm_list_init_at(list, to++, element_at(building, i));
    return list;
}

vm_value vm_list_distinct(struct vm_ctx *ctx, vm_value list)
{
    struct building building = { .ctx = ctx, .is_set = true };
    vm_value distinct = VM_NONE;
    uint32_t count;

    if (list == VM_NIL)
        return VM_NIL;
    building.list = as_slice(ctx, list);
    if (building.list == VM_NONE)
        return VM_NONE;
    VM_ROOT(ctx, building.list);
    if (begin(&building, &count))
        distinct = count == vm_list_length(building.list) ? building.list : kept_in_order(&building, count);
    VM_UNROOT(ctx, building.list);
    end(&building);
    return distinct;
}
