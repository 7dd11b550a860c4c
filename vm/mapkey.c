/*
 * mapkey.c - keys of maps and elements of sets: which values may be, their hashes, when two are the same.
 */
#include "config.h"

#include "vm/mapkey.h"

#include <string.h>

#include "base/assert.h"
#include "vm/compare.h"
#include "vm/cursor.h"
#include "vm/map.h"
#include "vm/number.h"
#include "vm/object.h"
#include "vm/seen.h"
#include "vm/string.h"
#include "vm/type.h"

enum { HASHED_PARTS_MAX = 256 };

#define SIGN_BIT (UINT64_C(1) << 63)

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
struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

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

/* Feed the tree of a key, from the top; the words tell its shape. Keys that only differ behind their first so many
 * parts collide: the walk is bounded although a key of n objects may be a tree of 2^n parts, and it needs no memory. */
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

uint64_t vm_key_hash(vm_value key)
{
    if (vm_is_int(key)) /* in the order of the numbers, the negative ones first */
        return key_word(key) ^ SIGN_BIT;
    if (vm_is_string(key))
        return hash_string(key);
    if (vm_is_kind(key, VM_KIND_TUPLE) || vm_is_kind(key, VM_KIND_DATA))
        return hash_parts(key);
    return mix(key_word(key));
}

bool vm_key_same(vm_value left, vm_value right)
{
    return left == right || vm_equal(left, right);
}

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
struct key_walk {
    struct vm_stack stack;
    struct vm_seen seen;
    uint64_t pushed;
};

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
