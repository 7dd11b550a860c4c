/*
 * list.c - natives of lists that call no function back, and the hidden ones from which list.nos builds the others.
 *
 * The usual shape: make the result (which may move everything), then walk the arguments and fill it in, with no
 * allocation in between. Where elements must be allocated on the way, elements are fetched by index (vm_list_at), which
 * is constant time once a list is flat.
 */
#include "config.h"

#include <inttypes.h>

#include "lib/expect.h"
#include "vm/compare.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/map.h"
#include "vm/number.h"
#include "vm/string.h"

static enum vm_status no_match(struct vm_ctx *ctx)
{
    return vm_raise_panic(ctx, "Non-exhaustive match: no pattern matched");
}

/* ---- size and access ---- */

/* Elements of whatever has a length; -1: has none. */
static int64_t length_of(vm_value v)
{
    if (vm_is_list(v))
        return vm_list_length(v);
    if (vm_is_string(v))
        return vm_string_count(v);
    if (!vm_is_object(v))
        return -1;
    switch (vm_kind(v)) {
    case VM_KIND_TUPLE:
    case VM_KIND_INT64_ARRAY:
    case VM_KIND_FLOAT64_ARRAY:
        return vm_size(v);
    case VM_KIND_FLOAT32_ARRAY:
        return vm_size(v) / sizeof(float);
    case VM_KIND_BUFFER:
        return vm_string_count(vm_field(v, 0));
    default:
        return -1;
    }
}

static enum vm_status list_length(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    int64_t length = length_of(args[0]);

    if (length < 0)
        return vm_raise_panic(ctx, "Length: unsupported type");
    *ret = vm_from_small(length);
    return VM_OK;
}

static enum vm_status list_only_length(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");

    if (status == VM_OK)
        *ret = vm_from_small(vm_list_length(args[0]));
    return status;
}

static enum vm_status list_is_empty(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");

    *ret = vm_from_bool(args[0] == VM_NIL);
    return status;
}

static enum vm_status expect_first(struct vm_ctx *ctx, const vm_value *args)
{
    enum vm_status status = lib_expect(ctx, args, "L");

    if (status == VM_OK && args[0] == VM_NIL)
        return vm_raise_kind(ctx, "IndexOutOfBounds", "index 0 out of bounds (length 0)");
    return status;
}

static enum vm_status list_head(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_first(ctx, args);

    if (status == VM_OK)
        *ret = vm_list_head(args[0]);
    return status;
}

static enum vm_status list_tail(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_first(ctx, args);

    return status != VM_OK ? status : lib_answer(vm_list_tail(ctx, args[0]), ret);
}

static enum vm_status list_last(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");

    if (status != VM_OK)
        return status;
    if (args[0] == VM_NIL)
        return vm_raise_panic(ctx, "last: empty list");
    return lib_answer(vm_list_at(ctx, args[0], vm_list_length(args[0]) - 1), ret);
}

/* The list args[0] without its last element, which it has. */
static vm_value without_last(struct vm_ctx *ctx, vm_value *args)
{
    return vm_list_part(ctx, args[0], 0, vm_list_length(args[0]) - 1);
}

static enum vm_status list_init(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");

    if (status != VM_OK)
        return status;
    if (args[0] == VM_NIL)
        return no_match(ctx);
    return lib_answer(without_last(ctx, args), ret);
}

static enum vm_status list_pop(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    vm_value rest, last;

    if (status != VM_OK)
        return status;
    if (args[0] == VM_NIL)
        return no_match(ctx);
    rest = without_last(ctx, args);
    if (rest == VM_NONE)
        return VM_NOMEM;
    VM_ROOT(ctx, rest);
    last = vm_list_at(ctx, args[0], vm_list_length(args[0]) - 1);
    VM_UNROOT(ctx, rest);
    return lib_answer(last == VM_NONE ? VM_NONE : lib_pair(ctx, rest, last), ret);
}

static enum vm_status list_get(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "LI");
    int64_t index;

    if (status != VM_OK)
        return status;
    index = vm_int_of(args[1]);
    if (index < 0)
        return vm_raise_text(ctx, "Index out of bounds: %" PRId64 " (negative index not allowed)", index);
    if (index >= vm_list_length(args[0]))
        return vm_raise_text(ctx, "Index out of bounds: index %" PRId64 " is out of range", index);
    return lib_answer(vm_list_at(ctx, args[0], (uint32_t)index), ret);
}

static enum vm_status list_set(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "LI*");
    int64_t index;

    if (status != VM_OK)
        return status;
    index = vm_int_of(args[1]);
    if (index < 0 || index >= vm_list_length(args[0]))
        return lib_answer(args[0], ret);
    lib_worked(ctx, vm_list_length(args[0]));
    return lib_answer(vm_list_set(ctx, args[0], (uint32_t)index, args[2]), ret);
}

/* ---- parts ---- */

/* How many of `length` elements "the first n" are: a negative n means all. */
static uint32_t clamp(int64_t n, uint32_t length)
{
    return n < 0 || n > length ? length : (uint32_t)n;
}

/* Elements [from, from + count) of args[0]. */
static enum vm_status answer_part(struct vm_ctx *ctx, vm_value *args, uint32_t from, uint32_t count, vm_value *ret)
{
    if (count == 0)
        return lib_answer(VM_NIL, ret);
    if (count == vm_list_length(args[0]))
        return lib_answer(args[0], ret);
    lib_worked(ctx, count);
    return lib_answer(vm_list_part(ctx, args[0], from, count), ret);
}

static enum vm_status list_take(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "LI");

    if (status != VM_OK)
        return status;
    return answer_part(ctx, args, 0, clamp(vm_int_of(args[1]), vm_list_length(args[0])), ret);
}

static enum vm_status list_drop(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "LI");
    uint32_t length, from;

    if (status != VM_OK)
        return status;
    length = vm_list_length(args[0]);
    from = clamp(vm_int_of(args[1]), length);
    return answer_part(ctx, args, from, length - from, ret);
}

/* take(drop(list, start), stop - start), with what these do for negative counts. */
static enum vm_status list_slice(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "LII");
    int64_t start, stop;
    uint32_t length, from;

    if (status != VM_OK)
        return status;
    start = vm_int_of(args[1]);
    stop = vm_int_of(args[2]);
    length = vm_list_length(args[0]);
    from = clamp(start, length);
    return answer_part(ctx, args, from, clamp(stop < start ? -1 : stop - (int64_t)from, length - from), ret);
}

/* ---- building and rearranging ---- */

static enum vm_status list_push(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L*");

    return status != VM_OK ? status : lib_answer(vm_list_push(ctx, args[0], args[1]), ret);
}

static enum vm_status list_concat(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "LL");

    if (status != VM_OK)
        return status;
    lib_worked(ctx, vm_list_length(args[1]));
    return lib_answer(vm_list_concat(ctx, args[0], args[1]), ret);
}

static enum vm_status list_reverse(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    struct vm_list_walk walk;
    uint32_t at;
    vm_value list, item;

    if (status != VM_OK)
        return status;
    at = vm_list_length(args[0]);
    list = vm_list_make(ctx, at);
    if (list == VM_NONE)
        return VM_NOMEM;
    lib_worked(ctx, at);
    for (vm_list_walk(&walk, args[0]); vm_list_next(&walk, &item);)
        vm_list_init_at(list, --at, item);
    return lib_answer(list, ret);
}

/* Sum of the lengths of the elements, which must be lists: else *ret_culprit is one that is not. */
static uint64_t total_length(vm_value list, vm_value *ret_culprit)
{
    struct vm_list_walk walk;
    uint64_t total = 0;
    vm_value item;

    for (vm_list_walk(&walk, list); vm_list_next(&walk, &item);) {
        if (!vm_is_list(item)) {
            *ret_culprit = item;
            return 0;
        }
        total += vm_list_length(item);
    }
    return total;
}

static enum vm_status list_flatten(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    vm_value culprit = VM_NONE, list, inner, item;
    struct vm_list_walk outer_walk, walk;
    uint64_t total;
    uint32_t at = 0;

    if (status != VM_OK)
        return status;
    total = total_length(args[0], &culprit);
    if (culprit != VM_NONE)
        return vm_raise_type(ctx, "List", culprit);
    list = vm_list_make(ctx, total);
    if (list == VM_NONE)
        return VM_NOMEM;
    lib_worked(ctx, total + vm_list_length(args[0]));
    for (vm_list_walk(&outer_walk, args[0]); vm_list_next(&outer_walk, &inner);)
        for (vm_list_walk(&walk, inner); vm_list_next(&walk, &item);)
            vm_list_init_at(list, at++, item);
    return lib_answer(list, ret);
}

static enum vm_status list_zip(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum { PAIR_WORDS = 3 };
    enum vm_status status = lib_expect(ctx, args, "LL");
    struct vm_list_walk left, right;
    vm_value list, first, second;
    uint32_t count;
    bool room;

    if (status != VM_OK)
        return status;
    count = vm_list_length(args[0]);
    if (vm_list_length(args[1]) < count)
        count = vm_list_length(args[1]);
    list = vm_list_make(ctx, count);
    if (list == VM_NONE)
        return VM_NOMEM;
    VM_ROOT(ctx, list);
    room = vm_heap_reserve(ctx, (size_t)count * PAIR_WORDS);
    VM_UNROOT(ctx, list);
    if (!room)
        return VM_NOMEM;
    lib_worked(ctx, count);
    vm_list_walk(&left, args[0]);
    vm_list_walk(&right, args[1]);
    for (uint32_t i = 0; i < count && vm_list_next(&left, &first) && vm_list_next(&right, &second); i++) {
        vm_value *pair = vm_heap_take(&ctx->process->heap, PAIR_WORDS);

        pair[0] = VM_HEADER(VM_KIND_TUPLE, 0, 0, 2);
        pair[1] = first;
        pair[2] = second;
        vm_list_init_at(list, i, vm_from_object(pair));
    }
    return lib_answer(list, ret);
}

static enum vm_status expect_pairs(struct vm_ctx *ctx, vm_value list)
{
    struct vm_list_walk walk;
    vm_value item;

    for (vm_list_walk(&walk, list); vm_list_next(&walk, &item);)
        if (!vm_is_kind(item, VM_KIND_TUPLE) || vm_size(item) != 2)
            return vm_raise_type(ctx, "Tuple", item);
    return VM_OK;
}

static enum vm_status list_unzip(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    struct vm_list_walk walk;
    vm_value firsts, seconds, item;
    uint32_t at = 0;

    if (status == VM_OK)
        status = expect_pairs(ctx, args[0]);
    if (status != VM_OK)
        return status;
    firsts = vm_list_make(ctx, vm_list_length(args[0]));
    if (firsts == VM_NONE)
        return VM_NOMEM;
    VM_ROOT(ctx, firsts);
    seconds = vm_list_make(ctx, vm_list_length(args[0]));
    VM_UNROOT(ctx, firsts);
    if (seconds == VM_NONE)
        return VM_NOMEM;
    lib_worked(ctx, vm_list_length(args[0]));
    for (vm_list_walk(&walk, args[0]); vm_list_next(&walk, &item); at++) {
        vm_list_init_at(firsts, at, vm_field(item, 0));
        vm_list_init_at(seconds, at, vm_field(item, 1));
    }
    return lib_answer(lib_pair(ctx, firsts, seconds), ret);
}

static enum vm_status list_replicate(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I*");
    uint64_t count;
    vm_value list;

    if (status != VM_OK)
        return status;
    count = vm_int_of(args[0]) > 0 ? (uint64_t)vm_int_of(args[0]) : 0;
    list = vm_list_make(ctx, count);
    if (list == VM_NONE)
        return VM_NOMEM;
    lib_worked(ctx, count);
    for (uint64_t i = 0; i < count; i++)
        vm_list_init_at(list, i, args[1]);
    return lib_answer(list, ret);
}

static enum vm_status list_intersperse(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L*");
    struct vm_list_walk walk;
    uint64_t count;
    uint32_t at = 0;
    vm_value list, item;

    if (status != VM_OK)
        return status;
    if (args[0] == VM_NIL)
        return lib_answer(VM_NIL, ret);
    count = 2 * (uint64_t)vm_list_length(args[0]) - 1;
    list = vm_list_make(ctx, count);
    if (list == VM_NONE)
        return VM_NOMEM;
    lib_worked(ctx, count);
    for (vm_list_walk(&walk, args[0]); vm_list_next(&walk, &item); at += 2) {
        if (at > 0)
            vm_list_init_at(list, at - 1, args[1]);
        vm_list_init_at(list, at, item);
    }
    return lib_answer(list, ret);
}

/* `count` Ints from `from` in steps of `step`. Those beyond 63 bits are boxes, so a list with such is built slowly. */
static enum vm_status ints(struct vm_ctx *ctx, int64_t from, uint64_t count, int64_t step, vm_value *ret)
{
    vm_value list = vm_list_make(ctx, count);
    bool room = list != VM_NONE;

    lib_worked(ctx, room ? count : 0);
    VM_ROOT(ctx, list);
    for (uint64_t i = 0; room && i < count; i++) {
        int64_t n = from + step * (int64_t)i;
        vm_value item = vm_fits_small(n) ? vm_from_small(n) : vm_int(ctx, n);

        if (item == VM_NONE)
            room = false;
        else
            vm_list_init_at(list, i, item);
    }
    VM_UNROOT(ctx, list);
    return room ? lib_answer(list, ret) : VM_NOMEM;
}

static enum vm_status list_range(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "II");
    int64_t from, to;

    if (status != VM_OK)
        return status;
    from = vm_int_of(args[0]);
    to = vm_int_of(args[1]);
    return ints(ctx, from, to > from ? (uint64_t)to - (uint64_t)from : 0, 1, ret);
}

static enum vm_status list_int_list_range(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    int64_t n;

    if (status != VM_OK)
        return status;
    n = vm_int_of(args[0]);
    return ints(ctx, n, n > 0 ? (uint64_t)n : 0, -1, ret);
}

static enum vm_status list_to_int_list(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");

    *ret = args[0];
    return status;
}

/* ---- searching ---- */

/* Index of the first element equal to args[1]; -1: none is. */
static int64_t index_of(struct vm_ctx *ctx, const vm_value *args)
{
    struct vm_list_walk walk;
    int64_t at = 0;
    vm_value item;

    lib_worked(ctx, vm_list_length(args[0]));
    for (vm_list_walk(&walk, args[0]); vm_list_next(&walk, &item); at++)
        if (vm_equal(item, args[1]))
            return at;
    return -1;
}

static enum vm_status list_contains(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L*");

    if (status == VM_OK)
        *ret = vm_from_bool(index_of(ctx, args) >= 0);
    return status;
}

static enum vm_status list_index_of(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L*");
    int64_t at;

    if (status != VM_OK)
        return status;
    at = index_of(ctx, args);
    return lib_answer(at < 0 ? LIB_NOTHING : lib_some(ctx, vm_from_small(at)), ret);
}

static enum vm_status list_equal(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)ctx;
    *ret = vm_from_bool(vm_equal(args[0], args[1]));
    return VM_OK;
}

static enum vm_status list_hashable(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    struct vm_list_walk walk;
    vm_value item, culprit;

    if (status != VM_OK)
        return status;
    *ret = VM_TRUE;
    lib_worked(ctx, vm_list_length(args[0]));
    for (vm_list_walk(&walk, args[0]); *ret == VM_TRUE && vm_list_next(&walk, &item);)
        *ret = vm_from_bool(vm_hashable(item, &culprit));
    return VM_OK;
}

static enum vm_status list_unique_keys(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return lib_answer(vm_list_distinct(ctx, args[0]), ret);
}

/* ---- lists under construction ---- */

static enum vm_status list_builder(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return lib_answer(vm_builder_new(ctx, (uint32_t)vm_int_of(args[0])), ret);
}

static enum vm_status list_put(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    *ret = VM_UNIT;
    return vm_builder_push(ctx, &args[0], args[1]) ? VM_OK : VM_NOMEM;
}

static enum vm_status list_put_all(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "*L");
    uint32_t length;

    if (status != VM_OK)
        return status;
    length = vm_list_length(args[1]);
    lib_worked(ctx, length);
    for (uint32_t i = 0; i < length; i++) {
        vm_value item = vm_list_at(ctx, args[1], i);

        if (item == VM_NONE || !vm_builder_push(ctx, &args[0], item))
            return VM_NOMEM;
    }
    *ret = VM_UNIT;
    return VM_OK;
}

static enum vm_status list_built(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)ctx;
    return lib_answer(vm_builder_list(args[0]), ret);
}

#define LIB_TABLE "lib/list.def"
#define LIB_REGISTER lib_register_list
#include "lib/table.h"
