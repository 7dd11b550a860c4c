/* test_map.c - what maps and sets promise: content, persistence, one shape for one content, keys of many kinds. */
#include "config.h"

#include "tests/unit/data.h"

#include "base/stress.h"
#include "vm/compare.h"
#include "vm/map.h"
#include "vm/object.h"

enum { MANY = NB_STRESS_OR(300, 20000) };

static vm_value small(int64_t n)
{
    return vm_from_small(n);
}

/* %{first: first, …} */
static vm_value range(int64_t first, int64_t count, int64_t step)
{
    vm_value map = VM_EMPTY_MAP;

    for (int64_t i = 0; i < count; i++)
        map = vm_map_insert(&ctx, map, small(first + i * step), small(first + i * step));
    return map;
}

START_TEST(holds_what_was_inserted)
{
    ctx.args[0] = range(0, MANY, 1);
    collect();
    ck_assert_uint_eq(vm_map_count(ctx.args[0]), MANY);
    for (int64_t n = 0; n < MANY; n++)
        ck_assert_uint_eq(vm_map_get(ctx.args[0], small(n)), small(n));
    ck_assert_uint_eq(vm_map_get(ctx.args[0], small(MANY)), VM_NONE);
    ck_assert_uint_eq(vm_map_get(ctx.args[0], small(-1)), VM_NONE);
    ck_assert_uint_eq(vm_map_get(VM_EMPTY_MAP, small(0)), VM_NONE);
}
END_TEST

START_TEST(replaces_a_value_and_keeps_the_old_map)
{
    ctx.args[0] = range(0, 100, 1);
    ctx.args[1] = vm_map_insert(&ctx, ctx.args[0], small(50), VM_UNIT);
    ck_assert_uint_eq(vm_map_get(ctx.args[0], small(50)), small(50));
    ck_assert_uint_eq(vm_map_get(ctx.args[1], small(50)), VM_UNIT);
    ck_assert_uint_eq(vm_map_count(ctx.args[1]), 100);
}
END_TEST

START_TEST(removes_down_to_nothing)
{
    ctx.args[0] = range(0, MANY, 1);
    ctx.args[1] = ctx.args[0];
    for (int64_t n = 0; n < MANY; n++) {
        ctx.args[1] = vm_map_remove(&ctx, ctx.args[1], small(n));
        ck_assert_uint_eq(vm_map_count(ctx.args[1]), (uint32_t)(MANY - n - 1));
        ck_assert_uint_eq(vm_map_get(ctx.args[1], small(n)), VM_NONE);
    }
    ck_assert_uint_eq(ctx.args[1], VM_EMPTY_MAP);
    ck_assert_uint_eq(vm_map_count(ctx.args[0]), MANY);
    ck_assert_uint_eq(vm_map_remove(&ctx, ctx.args[0], small(-5)), ctx.args[0]);
}
END_TEST

static bool same_walk(vm_value left, vm_value right)
{
    struct vm_map_walk a, b;
    vm_value left_key, right_key, value;

    vm_map_walk(&a, left);
    vm_map_walk(&b, right);
    while (vm_map_next(&a, &left_key, &value))
        if (!vm_map_next(&b, &right_key, &value) || !vm_equal(left_key, right_key))
            return false;
    return !vm_map_next(&b, &right_key, &value);
}

START_TEST(has_one_shape_whatever_its_history)
{
    ctx.args[0] = range(0, 1000 % MANY, 2);
    ctx.args[1] = range(2 * (1000 % MANY - 1), 1000 % MANY, -2); /* backwards */
    ctx.args[2] = range(0, 2 * (1000 % MANY), 1);
    for (int64_t n = 1; n < 2 * (1000 % MANY); n += 2)
        ctx.args[2] = vm_map_remove(&ctx, ctx.args[2], small(n));
    ck_assert(vm_equal(ctx.args[0], ctx.args[1]));
    ck_assert(vm_equal(ctx.args[0], ctx.args[2]));
    ck_assert(same_walk(ctx.args[0], ctx.args[1]));
    ck_assert(same_walk(ctx.args[0], ctx.args[2]));
}
END_TEST

START_TEST(walks_every_entry_once)
{
    struct vm_map_walk walk;
    vm_value key, value;
    int64_t sum = 0, count = 0;

    ctx.args[0] = range(0, MANY, 1);
    for (vm_map_walk(&walk, ctx.args[0]); vm_map_next(&walk, &key, &value); count++) {
        ck_assert_uint_eq(key, value);
        sum += vm_small(key);
    }
    ck_assert_int_eq(count, MANY);
    ck_assert_int_eq(sum, (int64_t)MANY * (MANY - 1) / 2);
    vm_map_walk(&walk, VM_EMPTY_SET);
    ck_assert(!vm_map_next(&walk, &key, &value));
}
END_TEST

START_TEST(walks_numbers_in_their_order)
{
    static const int64_t numbers[] = { 7, -1, 1000000, 0, 31, 32, -64, 33, 5000000000, -5000000000, 1 };
    struct vm_map_walk walk;
    vm_value key, value;
    int64_t before = INT64_MIN;
    uint32_t count = 0;

    ctx.args[0] = VM_EMPTY_MAP;
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        ctx.args[0] = vm_map_insert(&ctx, ctx.args[0], small(numbers[i]), VM_UNIT);
    for (vm_map_walk(&walk, ctx.args[0]); vm_map_next(&walk, &key, &value); count++) {
        ck_assert_int_lt(before, vm_small(key));
        before = vm_small(key);
    }
    ck_assert_uint_eq(count, sizeof numbers / sizeof *numbers);
}
END_TEST

/* A number whose hash differs from that of 0 first in the digit that bit `bit` belongs to. */
static int64_t fork_of(unsigned bit)
{
    return (int64_t)(UINT64_C(1) << bit);
}

/* Ways that part at each digit, put in from below, from above, and crosswise: nodes come between others. */
START_TEST(puts_nodes_between_nodes)
{
    enum { BITS = 61 }; /* small numbers */

    for (unsigned step = 1; step <= 13; step += 6) {
        ctx.args[0] = vm_map_insert(&ctx, VM_EMPTY_MAP, small(0), small(0));
        for (unsigned i = 0; i < BITS; i++) {
            unsigned bit = i * step % BITS;

            ck_assert_uint_eq(vm_map_get(ctx.args[0], small(fork_of(bit))), VM_NONE);
            ctx.args[0] = vm_map_insert(&ctx, ctx.args[0], small(fork_of(bit)), small(bit));
            ck_assert_uint_eq(vm_map_get(ctx.args[0], small(fork_of(bit))), small(bit));
        }
        ck_assert_uint_eq(vm_map_count(ctx.args[0]), BITS + 1);
        if (step == 1)
            ctx.args[1] = ctx.args[0];
        ck_assert(same_walk(ctx.args[0], ctx.args[1])); /* one shape, whatever the order */
        for (unsigned i = 0; i < BITS; i++) {
            unsigned bit = i * 5 % BITS;

            ctx.args[0] = vm_map_remove(&ctx, ctx.args[0], small(fork_of(bit)));
            ck_assert_uint_eq(vm_map_get(ctx.args[0], small(fork_of(bit))), VM_NONE);
            ck_assert_uint_eq(vm_map_count(ctx.args[0]), BITS - i);
        }
        ck_assert_uint_eq(vm_map_get(ctx.args[0], small(0)), small(0));
    }
}
END_TEST

START_TEST(takes_keys_of_many_kinds)
{
    vm_value culprit = VM_NONE;

    ctx.args[0] = text("key");
    ctx.args[1] = vm_int(&ctx, INT64_MAX);
    ctx.args[2] = vm_uint64(&ctx, UINT64_MAX);
    ctx.args[3] = tuple(3);
    ctx.args[0] = VM_UNIT;
    ctx.args[4] = compound(VM_KIND_DATA, VM_CTOR_SOME, 1);
    ctx.args[0] = text("key");
    ctx.args[5] = VM_IMMEDIATE(VM_SORT_CTOR, VM_CTOR_NONE);
    ctx.args[6] = vm_from_char('k');
    ctx.args[7] = VM_TRUE;
    ctx.args[8] = VM_IMMEDIATE(VM_SORT_INT8, 1);
    ctx.args[9] = VM_UNIT;
    ctx.args[10] = small(1);
    ctx.args[11] = VM_EMPTY_MAP;
    for (int64_t i = 0; i < 11; i++) {
        ck_assert(vm_hashable(ctx.args[i], &culprit));
        ctx.args[11] = vm_map_insert(&ctx, ctx.args[11], ctx.args[i], small(i));
    }
    collect();
    ck_assert_uint_eq(vm_map_count(ctx.args[11]), 11);
    for (int64_t i = 0; i < 11; i++)
        ck_assert_uint_eq(vm_map_get(ctx.args[11], ctx.args[i]), small(i));
    ctx.args[0] = text("key");
    ck_assert_uint_eq(vm_map_get(ctx.args[11], ctx.args[0]), small(0)); /* another string, the same text */
}
END_TEST

START_TEST(refuses_what_cannot_be_a_key)
{
    vm_value culprit = VM_NONE, inner;

    ck_assert(!vm_hashable(vm_from_flonum(1.5), &culprit));
    ck_assert(!vm_hashable(VM_NIL, &culprit));
    ck_assert(!vm_hashable(VM_EMPTY_MAP, &culprit));
    ck_assert(!vm_hashable(VM_IMMEDIATE(VM_SORT_PID, 7), &culprit));
    inner = tuple_of(small(1), VM_NIL);
    ctx.args[0] = inner;
    ck_assert(!vm_hashable(tuple_of(small(1), ctx.args[0]), &culprit));
    ck_assert_uint_eq(culprit, VM_NIL);
}
END_TEST

/* Many texts share low bits of their hashes; with fixed keys and this many some share thirty and more. */
START_TEST(finds_texts)
{
    char name[32];

    ctx.args[0] = VM_EMPTY_MAP;
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "key number %d", i);
        ctx.args[1] = text(name);
        ctx.args[0] = vm_map_insert(&ctx, ctx.args[0], ctx.args[1], small(i));
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "key number %d", i);
        ck_assert_uint_eq(vm_map_get(ctx.args[0], text(name)), small(i));
    }
}
END_TEST

/* The hash of an Int is its own bits, the sign turned round. */
static int64_t number_with_hash(uint64_t hash)
{
    return (int64_t)(hash ^ UINT64_C(1) << 63);
}

START_TEST(parts_hashes_that_agree_in_all_but_the_last_bits)
{
    vm_value *low = &ctx.args[0], *high = &ctx.args[1], *map = &ctx.args[2];

    *low = vm_int(&ctx, number_with_hash(5));
    *high = vm_int(&ctx, number_with_hash(4));
    *map = vm_map_insert(&ctx, VM_EMPTY_MAP, *low, small(1));
    *map = vm_map_insert(&ctx, *map, *high, small(2));
    collect();
    ck_assert_uint_eq(vm_map_get(*map, *low), small(1));
    ck_assert_uint_eq(vm_map_get(*map, *high), small(2));
    ctx.args[3] = vm_map_remove(&ctx, *map, *high);
    ck_assert_uint_eq(vm_map_get(ctx.args[3], *low), small(1));
    ctx.args[4] = vm_map_insert(&ctx, VM_EMPTY_MAP, *low, small(1));
    ck_assert_uint_eq(vm_size(vm_field(ctx.args[3], 1)), vm_size(vm_field(ctx.args[4], 1))); /* drawn up again */
}
END_TEST

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The hash of an immediate is its bits mixed twice: some Int has the same. */
static vm_value twin_of(vm_value immediate)
{
    return vm_int(&ctx, number_with_hash(mix(mix(immediate))));
}

START_TEST(keeps_keys_apart_whose_hashes_are_equal)
{
    static const uint64_t words[] = { VM_TRUE, VM_FALSE };
    vm_value *map = &ctx.args[4];

    for (unsigned i = 0; i < 2; i++)
        ctx.args[i] = twin_of(words[i]);
    *map = VM_EMPTY_MAP;
    for (unsigned i = 0; i < 2; i++) {
        *map = vm_map_insert(&ctx, *map, words[i], small(i));
        *map = vm_map_insert(&ctx, *map, ctx.args[i], small(10 + i));
    }
    *map = vm_map_insert(&ctx, *map, VM_TRUE, small(5));
    ck_assert_uint_eq(vm_map_count(*map), 4);
    ck_assert_uint_eq(vm_map_get(*map, VM_TRUE), small(5));
    ck_assert_uint_eq(vm_map_get(*map, ctx.args[0]), small(10));
    ck_assert_uint_eq(vm_map_get(*map, ctx.args[1]), small(11));
    *map = vm_map_remove(&ctx, *map, ctx.args[0]);
    ck_assert_uint_eq(vm_map_get(*map, VM_TRUE), small(5));
    ck_assert_uint_eq(vm_map_get(*map, ctx.args[0]), VM_NONE);
    ck_assert_uint_eq(vm_map_count(*map), 3);
}
END_TEST

START_TEST(keeps_sets)
{
    ctx.args[0] = VM_EMPTY_SET;
    for (int64_t n = 0; n < MANY; n++)
        ctx.args[0] = vm_set_insert(&ctx, ctx.args[0], small(n / 2));
    ck_assert_uint_eq(vm_map_count(ctx.args[0]), MANY / 2);
    ck_assert_uint_eq(vm_set_insert(&ctx, ctx.args[0], small(3)), ctx.args[0]);
    for (int64_t n = 0; n < MANY / 2; n++) {
        ck_assert(vm_set_has(ctx.args[0], small(n)));
        ctx.args[0] = vm_set_remove(&ctx, ctx.args[0], small(n));
        ck_assert(!vm_set_has(ctx.args[0], small(n)));
    }
    ck_assert_uint_eq(ctx.args[0], VM_EMPTY_SET);
    ck_assert(vm_is_set(VM_EMPTY_SET) && !vm_is_map(VM_EMPTY_SET) && vm_is_map(VM_EMPTY_MAP));
}
END_TEST

/* The keys 0, 1, … below `distinct`, over and over again, `count` in all; as a slice or as cells. */
static vm_value repeated(int64_t count, int64_t distinct, bool cells)
{
    vm_value *list = &ctx.args[7];

    *list = VM_NIL;
    for (int64_t n = count; n-- > 0;)
        *list = cells ? vm_list_cons(&ctx, small(n % distinct), *list)
                      : vm_list_push(&ctx, *list, small((count - 1 - n) % distinct));
    return *list;
}

START_TEST(built_at_once_is_as_inserted_one_by_one)
{
    for (int64_t count = 1; count <= MANY; count = count * 3 + 1) {
        for (unsigned cells = 0; cells < 2; cells++) {
            int64_t distinct = count > 10 ? count - count / 4 : count;

            ctx.args[0] = vm_set_from_list(&ctx, repeated(count, distinct, cells != 0));
            ctx.args[1] = VM_EMPTY_SET;
            for (int64_t n = 0; n < distinct; n++)
                ctx.args[1] = vm_set_insert(&ctx, ctx.args[1], small(n));
            ck_assert(same_walk(ctx.args[0], ctx.args[1]));
            ck_assert(vm_equal(ctx.args[0], ctx.args[1]));
            ck_assert_uint_eq(vm_list_length(vm_list_distinct(&ctx, repeated(count, distinct, cells != 0))),
                              (uint32_t)distinct);
        }
    }
    ck_assert_uint_eq(vm_set_from_list(&ctx, VM_NIL), VM_EMPTY_SET);
    ck_assert_uint_eq(vm_map_from_pairs(&ctx, VM_NIL), VM_EMPTY_MAP);
    ck_assert_uint_eq(vm_list_distinct(&ctx, VM_NIL), VM_NIL);
}
END_TEST

START_TEST(built_at_once_keeps_keys_apart_whose_hashes_are_equal)
{
    vm_value *list = &ctx.args[3], *set = &ctx.args[4];

    ctx.args[0] = twin_of(VM_TRUE);
    ctx.args[1] = ctx.args[2] = VM_TRUE;
    *list = vm_list_from(&ctx, ctx.args, 3);
    *set = vm_set_from_list(&ctx, *list);
    ck_assert_uint_eq(vm_map_count(*set), 2);
    ck_assert(vm_set_has(*set, VM_TRUE) && vm_set_has(*set, ctx.args[0]) && !vm_set_has(*set, VM_FALSE));
    for (int64_t n = 0; n < 40; n++)
        *list = vm_list_push(&ctx, *list, small(n));
    *set = vm_set_from_list(&ctx, *list);
    ck_assert_uint_eq(vm_map_count(*set), 42);
    ck_assert(vm_set_has(*set, VM_TRUE) && vm_set_has(*set, ctx.args[0]) && vm_set_has(*set, small(39)));
    *set = vm_set_remove(&ctx, *set, VM_TRUE);
    ck_assert(!vm_set_has(*set, VM_TRUE) && vm_set_has(*set, ctx.args[0]));
}
END_TEST

START_TEST(gives_up_without_memory)
{
    ctx.args[0] = range(0, 100, 1);
    collect();
    process.heap.limit_words = 1;
    ck_assert(nb_stress || vm_heap_has(&process.heap, 1));
    for (int64_t n = 1000;; n++) {
        vm_value map = vm_map_insert(&ctx, ctx.args[0], small(n), VM_UNIT);

        if (map == VM_NONE)
            break;
        ctx.args[0] = map;
        ck_assert_int_lt(n, 100000);
    }
    process.heap.limit_words = 0;
    ck_assert_uint_eq(vm_map_get(ctx.args[0], small(99)), small(99));
    ctx.args[1] = repeated(50, 50, false);
    nb_alloc_fail_after(0);
    ck_assert_uint_eq(vm_set_from_list(&ctx, ctx.args[1]), VM_NONE);
    nb_alloc_fail_after(1);
    ck_assert_uint_eq(vm_list_distinct(&ctx, ctx.args[1]), VM_NONE);
    nb_alloc_fail_after(-1);
}
END_TEST

int main(void)
{
    const struct named_test tests[] = {
        { holds_what_was_inserted, 0 },
        { replaces_a_value_and_keeps_the_old_map, 0 },
        { removes_down_to_nothing, 0 },
        { has_one_shape_whatever_its_history, 0 },
        { walks_every_entry_once, 0 },
        { walks_numbers_in_their_order, 0 },
        { puts_nodes_between_nodes, 0 },
        { takes_keys_of_many_kinds, 0 },
        { refuses_what_cannot_be_a_key, 0 },
        { finds_texts, 0 },
        { parts_hashes_that_agree_in_all_but_the_last_bits, 0 },
        { keeps_keys_apart_whose_hashes_are_equal, 0 },
        { keeps_sets, 0 },
        { built_at_once_is_as_inserted_one_by_one, 0 },
        { built_at_once_keeps_keys_apart_whose_hashes_are_equal, 0 },
        { gives_up_without_memory, 0 },
    };

    return run_tests("vm/map", tests, sizeof tests / sizeof *tests);
}
