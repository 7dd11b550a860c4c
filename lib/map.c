/*
 * map.c - natives of maps and sets.
 *
 * A walk over a map ends with the first allocation. Operations that build one map from others therefore list the keys
 * first, which costs a word each, and look the values up as they go.
 */
#include "config.h"

#include <inttypes.h>

#include "lib/expect.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/map.h"
#include "vm/number.h"
#include "vm/string.h"

static enum vm_status expect_key(struct vm_ctx *ctx, vm_value key)
{
    vm_value culprit;

    return vm_hashable(key, &culprit) ? VM_OK : vm_raise_type(ctx, "hashable", culprit);
}

/* A map or set and a key. */
static enum vm_status expect_keyed(struct vm_ctx *ctx, const vm_value *args, const char *kinds)
{
    enum vm_status status = lib_expect(ctx, args, kinds);

    return status != VM_OK ? status : expect_key(ctx, args[1]);
}

/* ---- entries and elements as lists ---- */

/* The keys of a map, or the elements of a set. The operand is a root. */
static vm_value keys_of(struct vm_ctx *ctx, const vm_value *collection)
{
    vm_value list = vm_list_make(ctx, vm_map_count(*collection));
    struct vm_map_walk walk;
    vm_value key, value;
    uint32_t at = 0;

    if (list == VM_NONE)
        return VM_NONE;
    lib_worked(ctx, vm_map_count(*collection));
    for (vm_map_walk(&walk, *collection); vm_map_next(&walk, &key, &value);)
        vm_list_init_at(list, at++, key);
    return list;
}

static enum vm_status map_keys(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "M");

    return status != VM_OK ? status : lib_answer(keys_of(ctx, &args[0]), ret);
}

static enum vm_status set_to_list(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "E");

    return status != VM_OK ? status : lib_answer(keys_of(ctx, &args[0]), ret);
}

static enum vm_status map_values(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "M");
    struct vm_map_walk walk;
    vm_value list, key, value;
    uint32_t at = 0;

    if (status != VM_OK)
        return status;
    list = vm_list_make(ctx, vm_map_count(args[0]));
    if (list == VM_NONE)
        return VM_NOMEM;
    lib_worked(ctx, vm_map_count(args[0]));
    for (vm_map_walk(&walk, args[0]); vm_map_next(&walk, &key, &value);)
        vm_list_init_at(list, at++, value);
    return lib_answer(list, ret);
}

static enum vm_status map_to_list(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum { PAIR_WORDS = 3 };
    enum vm_status status = lib_expect(ctx, args, "M");
    struct vm_map_walk walk;
    vm_value list, key, value;
    uint32_t at = 0;
    bool room;

    if (status != VM_OK)
        return status;
    list = vm_list_make(ctx, vm_map_count(args[0]));
    if (list == VM_NONE)
        return VM_NOMEM;
    VM_ROOT(ctx, list);
    room = vm_heap_reserve(ctx, (size_t)vm_map_count(args[0]) * PAIR_WORDS);
    VM_UNROOT(ctx, list);
    if (!room)
        return VM_NOMEM;
    lib_worked(ctx, vm_map_count(args[0]));
    for (vm_map_walk(&walk, args[0]); vm_map_next(&walk, &key, &value);) {
        vm_value *pair = vm_heap_take(&ctx->process->heap, PAIR_WORDS);

        pair[0] = VM_HEADER(VM_KIND_TUPLE, 0, 0, 2);
        pair[1] = key;
        pair[2] = value;
        vm_list_init_at(list, at++, vm_from_object(pair));
    }
    return lib_answer(list, ret);
}

/* ---- maps ---- */

static enum vm_status map_empty(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)ctx;
    (void)args;
    return lib_answer(VM_EMPTY_MAP, ret);
}

static enum vm_status map_get(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_keyed(ctx, args, "M*");

    if (status != VM_OK)
        return status;
    *ret = vm_map_get(args[0], args[1]);
    if (*ret == VM_NONE)
        *ret = VM_UNIT;
    return VM_OK;
}

static enum vm_status map_lookup(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_keyed(ctx, args, "M*");
    vm_value found;

    if (status != VM_OK)
        return status;
    found = vm_map_get(args[0], args[1]);
    return lib_answer(found == VM_NONE ? LIB_NOTHING : lib_some(ctx, found), ret);
}

static enum vm_status key_not_found(struct vm_ctx *ctx, vm_value key)
{
    struct nb_buf text = NB_BUF_INIT;
    enum vm_status status;

    if (vm_is_string(key)) {
        struct vm_text view = vm_text(key);

        nb_buf_byte(&text, '"');
        nb_buf_append(&text, view.bytes, view.length);
        nb_buf_byte(&text, '"');
    } else if (vm_is_int(key)) {
        nb_buf_printf(&text, "%" PRId64, vm_int_of(key));
    } else if (vm_is_sort(key, VM_SORT_BOOL)) {
        nb_buf_text(&text, key == VM_TRUE ? "true" : "false");
    } else {
        nb_buf_byte(&text, '?');
    }
    status = vm_raise_panic(ctx, "Map.getOrThrow: key %s not found", nb_buf_cstr(&text));
    nb_buf_done(&text);
    return status;
}

static enum vm_status map_get_or_throw(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_keyed(ctx, args, "M*");

    if (status != VM_OK)
        return status;
    *ret = vm_map_get(args[0], args[1]);
    return *ret != VM_NONE ? VM_OK : key_not_found(ctx, args[1]);
}

static enum vm_status map_insert(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_keyed(ctx, args, "M**");

    return status != VM_OK ? status : lib_answer(vm_map_insert(ctx, args[0], args[1], args[2]), ret);
}

static enum vm_status map_remove(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_keyed(ctx, args, "M*");

    return status != VM_OK ? status : lib_answer(vm_map_remove(ctx, args[0], args[1]), ret);
}

static enum vm_status map_contains(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_keyed(ctx, args, "M*");

    if (status == VM_OK)
        *ret = vm_from_bool(vm_map_get(args[0], args[1]) != VM_NONE);
    return status;
}

static enum vm_status map_size(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "M");

    if (status == VM_OK)
        *ret = vm_from_small(vm_map_count(args[0]));
    return status;
}

static enum vm_status map_is_empty(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "M");

    if (status == VM_OK)
        *ret = vm_from_bool(vm_map_count(args[0]) == 0);
    return status;
}

/* Pairs of a key and something. */
static enum vm_status expect_pairs(struct vm_ctx *ctx, vm_value list)
{
    enum vm_status status = VM_OK;
    struct vm_list_walk walk;
    vm_value pair;

    for (vm_list_walk(&walk, list); status == VM_OK && vm_list_next(&walk, &pair);) {
        if (!vm_is_kind(pair, VM_KIND_TUPLE) || vm_size(pair) != 2)
            return vm_raise_type(ctx, "Tuple", pair);
        status = expect_key(ctx, vm_field(pair, 0));
    }
    return status;
}

static enum vm_status map_from_list(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");

    if (status == VM_OK)
        status = expect_pairs(ctx, args[0]);
    return status != VM_OK ? status : lib_answer(vm_map_from_pairs(ctx, args[0]), ret);
}

/* ---- operations on two maps or sets ---- */

/* Answers the collection `base` with one key of `other` put in or taken out; VM_NONE when memory is exhausted. */
typedef vm_value change_step(struct vm_ctx *ctx, vm_value base, vm_value other, vm_value key);

static bool has(vm_value collection, vm_value key)
{
    return vm_is_map(collection) ? vm_map_get(collection, key) != VM_NONE : vm_set_has(collection, key);
}

/* Start from `base` and take `step` for each key of *keyed (a root) that does (wanted) or does not occur in *tested. */
static enum vm_status change_each(struct vm_ctx *ctx, vm_value base, const vm_value *keyed, const vm_value *tested,
                                  bool wanted, change_step *step, vm_value *ret)
{
    vm_value keys;
    uint32_t count = vm_map_count(*keyed);
    enum vm_status status = VM_OK;

    VM_ROOT(ctx, base);
    keys = keys_of(ctx, keyed);
    VM_ROOT(ctx, keys);
    if (keys == VM_NONE)
        status = VM_NOMEM;
    ctx->reductions -= count;
    for (uint32_t i = 0; status == VM_OK && i < count; i++) {
        vm_value key = vm_list_at(ctx, keys, i);

        if (key == VM_NONE)
            status = VM_NOMEM;
        else if (has(*tested, key) == wanted)
            status = lib_answer(step(ctx, base, *keyed, key), &base);
    }
    VM_UNROOT(ctx, keys);
    VM_UNROOT(ctx, base);
    *ret = base;
    return status;
}

/* Steps: put the other's entry in, put the element in, take the key out. */
static vm_value put_entry(struct vm_ctx *ctx, vm_value base, vm_value other, vm_value key)
{
    return vm_map_insert(ctx, base, key, vm_map_get(other, key));
}

static vm_value put_element(struct vm_ctx *ctx, vm_value base, vm_value other, vm_value key)
{
    (void)other;
    return vm_set_insert(ctx, base, key);
}

static vm_value take_entry(struct vm_ctx *ctx, vm_value base, vm_value other, vm_value key)
{
    (void)other;
    return vm_map_remove(ctx, base, key);
}

static vm_value take_element(struct vm_ctx *ctx, vm_value base, vm_value other, vm_value key)
{
    (void)other;
    return vm_set_remove(ctx, base, key);
}

static enum vm_status map_union(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "MM");

    if (status != VM_OK)
        return status;
    return change_each(ctx, args[0], &args[1], &args[0], false, put_entry, ret);
}

/* What the first map has in common with the second, and what not: by removing the rest. */
static enum vm_status map_intersection(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "MM");

    if (status != VM_OK)
        return status;
    return change_each(ctx, args[0], &args[0], &args[1], false, take_entry, ret);
}

static enum vm_status map_difference(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "MM");

    if (status != VM_OK)
        return status;
    return change_each(ctx, args[0], &args[1], &args[0], true, take_entry, ret);
}

/* ---- sets ---- */

static enum vm_status set_empty(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)ctx;
    (void)args;
    return lib_answer(VM_EMPTY_SET, ret);
}

static enum vm_status set_contains(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_keyed(ctx, args, "E*");

    if (status == VM_OK)
        *ret = vm_from_bool(vm_set_has(args[0], args[1]));
    return status;
}

static enum vm_status set_insert(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_keyed(ctx, args, "E*");

    return status != VM_OK ? status : lib_answer(vm_set_insert(ctx, args[0], args[1]), ret);
}

static enum vm_status set_remove(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_keyed(ctx, args, "E*");

    return status != VM_OK ? status : lib_answer(vm_set_remove(ctx, args[0], args[1]), ret);
}

static enum vm_status set_size(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "E");

    if (status == VM_OK)
        *ret = vm_from_small(vm_map_count(args[0]));
    return status;
}

static enum vm_status set_is_empty(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "E");

    if (status == VM_OK)
        *ret = vm_from_bool(vm_map_count(args[0]) == 0);
    return status;
}

static enum vm_status set_from_list(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    struct vm_list_walk walk;
    vm_value item;

    if (status != VM_OK)
        return status;
    for (vm_list_walk(&walk, args[0]); status == VM_OK && vm_list_next(&walk, &item);)
        status = expect_key(ctx, item);
    return status != VM_OK ? status : lib_answer(vm_set_from_list(ctx, args[0]), ret);
}

static enum vm_status set_union(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "EE");
    unsigned smaller;

    if (status != VM_OK)
        return status;
    smaller = vm_map_count(args[0]) < vm_map_count(args[1]) ? 0 : 1;
    return change_each(ctx, args[1 - smaller], &args[smaller], &args[1 - smaller], false, put_element, ret);
}

/* The smaller set without what the larger has not. */
static enum vm_status set_intersection(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "EE");
    unsigned smaller;

    if (status != VM_OK)
        return status;
    smaller = vm_map_count(args[0]) < vm_map_count(args[1]) ? 0 : 1;
    return change_each(ctx, args[smaller], &args[smaller], &args[1 - smaller], false, take_element, ret);
}

static enum vm_status set_difference(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "EE");

    if (status != VM_OK)
        return status;
    return change_each(ctx, args[0], &args[1], &args[0], true, take_element, ret);
}

/* First without second, then the second's that the first has not put in. */
static enum vm_status set_symmetric_difference(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = set_difference(ctx, args, ret);

    if (status != VM_OK)
        return status;
    return change_each(ctx, *ret, &args[1], &args[0], false, put_element, ret);
}

static bool is_subset(struct vm_ctx *ctx, const vm_value *args)
{
    struct vm_map_walk walk;
    vm_value item, none;

    if (vm_map_count(args[0]) > vm_map_count(args[1]))
        return false;
    lib_worked(ctx, vm_map_count(args[0]));
    for (vm_map_walk(&walk, args[0]); vm_map_next(&walk, &item, &none);)
        if (!vm_set_has(args[1], item))
            return false;
    return true;
}

static enum vm_status set_is_subset(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "EE");

    if (status == VM_OK)
        *ret = vm_from_bool(is_subset(ctx, args));
    return status;
}

static enum vm_status set_is_proper_subset(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "EE");

    if (status == VM_OK)
        *ret = vm_from_bool(vm_map_count(args[0]) < vm_map_count(args[1]) && is_subset(ctx, args));
    return status;
}

#define LIB_TABLE "lib/map.def"
#define LIB_REGISTER lib_register_map
#include "lib/table.h"
