/*
 * list_order.c - natives that go through a whole list once and compare or add up: sums, extremes, sorting.
 *
 * Lists of any length are sorted by list.nos, which merges sorted parts batch by batch, so that no call takes long;
 * what is short enough is sorted here in one go.
 */
#include "config.h"

#include "base/alloc.h"
#include "lib/expect.h"
#include "vm/compare.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/print.h"

enum {
    MERGE_BATCH = 1024 /* elements that one call of _merge moves */
};

/* ---- sums ---- */

struct fold {
    enum vm_arith operation;
    const char *name; /* in messages */
    int64_t empty;
};

static const struct fold sum_fold = { VM_ADD, "listSum", 0 };
static const struct fold product_fold = { VM_MUL, "listProduct", 1 };

static enum vm_status mixed(struct vm_ctx *ctx, const struct fold *fold, vm_value first, vm_value item)
{
    if (vm_is_int(first) || !vm_is_number(first))
        return vm_raise_panic(ctx, "%s: expected Int64, got %s", fold->name, vm_kind_word(item));
    return vm_raise_panic(ctx, "%s: mixed types, expected %s, got \"%s\"", fold->name, vm_kind_word(first),
                          vm_kind_word(item));
}

/* All elements must be numbers of the first one's type. */
static enum vm_status expect_one_kind(struct vm_ctx *ctx, const struct fold *fold, vm_value list)
{
    vm_value first = vm_list_head(list), item;
    uint32_t class_key = vm_class_of(first);
    struct vm_list_walk walk;

    if (!vm_is_number(first))
        return mixed(ctx, fold, first, first);
    for (vm_list_walk(&walk, list); vm_list_next(&walk, &item);)
        if (vm_class_of(item) != class_key)
            return mixed(ctx, fold, first, item);
    return VM_OK;
}

static int64_t fold_ints(const struct fold *fold, vm_value list)
{
    uint64_t result = (uint64_t)fold->empty; /* unsigned: wraps */
    struct vm_list_walk walk;
    vm_value item;
    int64_t n;

    for (vm_list_walk(&walk, list); vm_list_next(&walk, &item);) {
        vm_integer_bits(item, &n);
        result = fold->operation == VM_ADD ? result + (uint64_t)n : result * (uint64_t)n;
    }
    return (int64_t)result;
}

static double fold_floats(const struct fold *fold, vm_value list)
{
    struct vm_list_walk walk;
    double result = (double)fold->empty;
    vm_value item;

    for (vm_list_walk(&walk, list); vm_list_next(&walk, &item);)
        result = fold->operation == VM_ADD ? result + vm_float_of(item) : result * vm_float_of(item);
    return result;
}

static enum vm_status fold_any(struct vm_ctx *ctx, const struct fold *fold, vm_value *args, vm_value *ret)
{
    vm_value result = vm_list_head(args[0]);
    enum vm_status status = VM_OK;

    VM_ROOT(ctx, result);
    for (uint32_t i = 1; status == VM_OK && i < vm_list_length(args[0]); i++) {
        vm_value item = vm_list_at(ctx, args[0], i);

        status = item == VM_NONE ? VM_NOMEM : vm_arithmetic(ctx, fold->operation, result, item, &result);
    }
    VM_UNROOT(ctx, result);
    *ret = result;
    return status;
}

static bool is_small_integer_class(uint32_t class_key)
{
    switch (class_key) {
    case VM_CLASS_INT8:
    case VM_CLASS_INT16:
    case VM_CLASS_INT32:
    case VM_CLASS_UINT8:
    case VM_CLASS_UINT16:
    case VM_CLASS_UINT32:
        return true;
    default:
        return false;
    }
}

static enum vm_status fold_list(struct vm_ctx *ctx, const struct fold *fold, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    uint32_t class_key;

    if (status != VM_OK)
        return status;
    if (args[0] == VM_NIL)
        return lib_answer_int(ctx, fold->empty, ret);
    status = expect_one_kind(ctx, fold, args[0]);
    if (status != VM_OK)
        return status;
    lib_worked(ctx, vm_list_length(args[0]));
    class_key = vm_class_of(vm_list_head(args[0]));
    if (class_key == VM_CLASS_INT || (fold->operation == VM_MUL && is_small_integer_class(class_key)))
        return lib_answer_int(ctx, fold_ints(fold, args[0]), ret);
    if (class_key == VM_CLASS_FLOAT)
        return lib_answer(vm_float(ctx, fold_floats(fold, args[0])), ret);
    return fold_any(ctx, fold, args, ret);
}

static enum vm_status list_sum(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return fold_list(ctx, &sum_fold, args, ret);
}

static enum vm_status list_product(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return fold_list(ctx, &product_fold, args, ret);
}

/* ---- order ---- */

static enum vm_status incomparable(struct vm_ctx *ctx, const char *operation)
{
    return vm_raise_panic(ctx, "%s: values are not comparable", operation);
}

/* The first element that no other surpasses in direction `wanted`. */
static enum vm_status extreme(struct vm_ctx *ctx, vm_value *args, enum vm_order wanted, const char *name, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    struct vm_list_walk walk;
    vm_value item;

    if (status != VM_OK)
        return status;
    if (args[0] == VM_NIL)
        return vm_raise_panic(ctx, "%s: empty list", name);
    lib_worked(ctx, vm_list_length(args[0]));
    *ret = vm_list_head(args[0]);
    for (vm_list_walk(&walk, args[0]); vm_list_next(&walk, &item);) {
        enum vm_order order = vm_compare(item, *ret);

        if (order == VM_INCOMPARABLE)
            return incomparable(ctx, wanted == VM_LESS ? "Lt" : "Gt");
        if (order == wanted)
            *ret = item;
    }
    return VM_OK;
}

static enum vm_status list_maximum(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return extreme(ctx, args, VM_GREATER, "listMax", ret);
}

static enum vm_status list_minimum(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return extreme(ctx, args, VM_LESS, "listMin", ret);
}

static enum vm_status list_is_sorted(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    vm_value previous = VM_NONE, item;
    struct vm_list_walk walk;

    if (status != VM_OK)
        return status;
    lib_worked(ctx, vm_list_length(args[0]));
    *ret = VM_TRUE;
    for (vm_list_walk(&walk, args[0]); vm_list_next(&walk, &item); previous = item) {
        enum vm_order order = previous == VM_NONE ? VM_SAME : vm_compare(previous, item);

        if (order == VM_INCOMPARABLE)
            return incomparable(ctx, "Lt");
        if (order == VM_GREATER)
            *ret = VM_FALSE;
    }
    return VM_OK;
}

/* Whether b must come before a, which stands to its left. */
static inline bool goes_first(vm_value b, vm_value a, bool *comparable)
{
    enum vm_order order;

    if (vm_is_small(a) && vm_is_small(b))
        return vm_small(b) < vm_small(a);
    order = vm_compare(b, a);
    if (order == VM_INCOMPARABLE)
        *comparable = false;
    return order == VM_LESS;
}

static void merge_runs(const vm_value *from, uint32_t count, uint32_t middle, vm_value *to, bool *comparable)
{
    uint32_t left = 0, right = middle;

    for (uint32_t i = 0; i < count; i++)
        if (left < middle && (right == count || !goes_first(from[right], from[left], comparable)))
            to[i] = from[left++];
        else
            to[i] = from[right++];
}

/* Merge sort from the bottom: runs of doubling width go to and fro between the two arrays. Returns the one that ends up
 * with the result. */
static vm_value *merge_sort(vm_value *items, vm_value *spare, uint32_t count, bool *comparable)
{
    for (uint64_t width = 1; width < count && *comparable; width *= 2) {
        vm_value *swap = items;

        for (uint64_t at = 0; at < count; at += 2 * width) {
            uint64_t length = count - at < 2 * width ? count - at : 2 * width;
            uint64_t middle = length < width ? length : width;

            merge_runs(items + at, (uint32_t)length, (uint32_t)middle, spare + at, comparable);
        }
        items = spare;
        spare = swap;
    }
    return items;
}

static enum vm_status list_sorted(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    vm_value list, item, *items, *sorted;
    uint32_t count, at = 0;
    struct vm_list_walk walk;
    bool comparable = true;

    if (status != VM_OK)
        return status;
    count = vm_list_length(args[0]);
    list = vm_list_make(ctx, count);
    if (list == VM_NONE || count == 0)
        return lib_answer(list, ret);
    items = nb_alloc_array((size_t)count * 2, sizeof *items);
    if (items == NULL)
        return VM_NOMEM;
    for (vm_list_walk(&walk, args[0]); vm_list_next(&walk, &item);)
        items[at++] = item;
    if (count == 1)
        comparable = vm_compare(items[0], items[0]) != VM_INCOMPARABLE;
    sorted = merge_sort(items, items + count, count, &comparable);
    for (at = 0; at < count; at++)
        vm_list_init_at(list, at, sorted[at]);
    nb_free(items);
    ctx->reductions -= count;
    return comparable ? lib_answer(list, ret) : incomparable(ctx, "Lt");
}

/* One step of a merge: false when memory is exhausted. *left and *right are the positions in the two lists. */
static bool merge_one(struct vm_ctx *ctx, vm_value *args, uint32_t *left, uint32_t *right, bool *comparable)
{
    vm_value a = VM_NONE, b = VM_NONE;
    bool room = true, take_right;

    VM_ROOT(ctx, a);
    if (*left < vm_list_length(args[0]))
        room = (a = vm_list_at(ctx, args[0], *left)) != VM_NONE;
    if (room && *right < vm_list_length(args[1]))
        room = (b = vm_list_at(ctx, args[1], *right)) != VM_NONE;
    VM_UNROOT(ctx, a);
    if (!room)
        return false;
    take_right = a == VM_NONE || (b != VM_NONE && goes_first(b, a, comparable));
    *(take_right ? right : left) += 1;
    return vm_builder_push(ctx, &args[3], take_right ? b : a);
}

/* _merge(xs, ys, i, out): go on with xs from i, and with ys from where that leaves off. Answers the next i. */
static enum vm_status list_merge(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    uint32_t done = vm_list_length(vm_builder_list(args[3]));
    uint32_t left = (uint32_t)vm_int_of(args[2]), right = done - left;
    uint32_t total = vm_list_length(args[0]) + vm_list_length(args[1]);
    bool comparable = true;

    ctx->reductions -= MERGE_BATCH / 16;
    for (unsigned i = 0; i < MERGE_BATCH && left + right < total; i++)
        if (!merge_one(ctx, args, &left, &right, &comparable))
            return VM_NOMEM;
    if (!comparable)
        return incomparable(ctx, "Lt");
    *ret = vm_from_small(left);
    return VM_OK;
}

#define LIB_TABLE "lib/list_order.def"
#define LIB_REGISTER lib_register_list_order
#include "lib/table.h"
