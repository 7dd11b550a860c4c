/*
 * compare.c - equality, order and the language's hash.
 *
 * Equality and order are one walk over two values side by side with different judges: a judge compares two parts that
 * have no parts themselves, or says that theirs have to be looked at (PARTS). The walk ends with the first part that is
 * not the same. A pair of cursors that gave its last parts is dropped before these are looked at, so long chains nested
 * at their end (a list made of variants) take no room.
 *
 * A pair that was met before is taken as the same: if the two differ, they do so at a place that the walk reaches
 * anyway. Mutable records are noted from the first one on, as they may be parts of themselves; others when the walk
 * gets long (seen.h). Without memory for that, or for the way down, two values are neither equal nor comparable.
 */
#include "config.h"

#include "vm/compare.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "vm/bignum.h"
#include "vm/cursor.h"
#include "vm/list.h"
#include "vm/map.h"
#include "vm/number.h"
#include "vm/seen.h"
#include "vm/string.h"
#include "vm/type.h"

enum { STACK_IN_PLACE = 8, HASH_CELLS_MAX = 100000, STEPS_PER_REDUCTION = 16 };

/* A judge's other answer: look at the parts. */
#define PARTS ((enum vm_order)4)

/* ---- the walk over two values ---- */

typedef enum vm_order judge(vm_value left, vm_value right);

struct pair { struct vm_cursor left, right; };

static bool push_pair(struct vm_stack *stack, vm_value left, vm_value right)
{
    struct pair *pair = vm_stack_push(stack);

    if (pair == NULL)
        return false;
    vm_cursor_init(&pair->left, left);
    if (pair->left.map != NULL || pair->left.failed)
        pair->right = (struct vm_cursor){ .value = right }; /* looked up, not walked */
    else
        vm_cursor_init(&pair->right, right);
    return !pair->left.failed;
}

/* The next values of two maps: that of the left one's next key, and the other's at that key. */
static bool next_of_maps(struct pair *pair, vm_value *left, vm_value *right)
{
    vm_value key;

    if (!vm_cursor_next(&pair->left, &key))
        return false;
    vm_cursor_next(&pair->left, left);
    *right = vm_map_get(pair->right.value, key);
    return true;
}

/* The next two parts to look at. False when there are none: then the values compare as *ret_order says. */
static bool next_parts(struct vm_stack *stack, vm_value *left, vm_value *right, enum vm_order *ret_order)
{
    struct pair *pair;

    *ret_order = VM_SAME;
    while ((pair = vm_stack_top(stack)) != NULL) {
        if (pair->left.map != NULL) {
            if (next_of_maps(pair, left, right)) {
                *ret_order = *right == VM_NONE ? VM_LESS : VM_SAME;
                return *right != VM_NONE;
            }
            vm_cursor_done(&pair->left);
            vm_stack_pop(stack);
            continue;
        }
        bool more_left = vm_cursor_has_next(&pair->left), more_right = vm_cursor_has_next(&pair->right);
        if (more_left != more_right) {
            *ret_order = more_left ? VM_GREATER : VM_LESS;
            return false;
        }
        if (!more_left) {
            vm_stack_pop(stack);
            continue;
        }
        vm_cursor_next(&pair->left, left);
        vm_cursor_next(&pair->right, right);
        if (!vm_cursor_has_next(&pair->left) && !vm_cursor_has_next(&pair->right))
            vm_stack_pop(stack);
        return true;
    }
    return false;
}

/* What a walk met: an object against itself is not the same yet (it may have NaN in it), so that is noted apart. */
struct met { struct vm_seen classes, themselves; bool failed; };

/* Whether a pair was met before, or follows from those that were; from now on it was. True, and `failed`, without
 * memory. */
static bool met_before(struct met *met, vm_value left, vm_value right)
{
    bool before;

    if (left != right)
        before = vm_seen_as_equal(&met->classes, left, right);
    else
        before = vm_seen_find(&met->themselves, left) != NULL || !vm_seen_add(&met->themselves, left, 0);
    met->failed |= met->classes.failed || met->themselves.failed;
    return before;
}

static enum vm_order walk(vm_value left, vm_value right, judge *judge_parts, int64_t *reductions)
{
    struct pair in_place[STACK_IN_PLACE], *pair;
    struct vm_stack stack;
    struct met met = { VM_SEEN_INIT, VM_SEEN_INIT, false };
    enum vm_order order;
    uint64_t steps = 0, pairs = 0;

    vm_stack_init(&stack, in_place, STACK_IN_PLACE, sizeof *in_place);
    do {
        steps++;
        order = judge_parts(left, right);
        if (order == PARTS) {
            bool note = vm_is_kind(left, VM_KIND_RECORD_CELL) || ++pairs > VM_SEEN_AFTER;

            order = VM_SAME;
            if ((!note || !met_before(&met, left, right)) && !push_pair(&stack, left, right))
                met.failed = true;
            if (met.failed)
                order = VM_INCOMPARABLE;
        }
    } while (order == VM_SAME && next_parts(&stack, &left, &right, &order));
    *reductions -= (int64_t)(steps / STEPS_PER_REDUCTION);
    while ((pair = vm_stack_top(&stack)) != NULL) {
        vm_cursor_done(&pair->left);
        vm_stack_pop(&stack);
    }
    vm_stack_done(&stack);
    vm_seen_done(&met.classes);
    vm_seen_done(&met.themselves);
    return order;
}

/* ---- equality ---- */

static enum vm_order same_if(bool same) { return same ? VM_SAME : VM_LESS; }

static enum vm_order judge_sets(vm_value left, vm_value right)
{
    struct vm_map_walk items;
    vm_value item, none;

    if (vm_map_count(left) != vm_map_count(right))
        return VM_LESS;
    for (vm_map_walk(&items, left); vm_map_next(&items, &item, &none);)
        if (!vm_set_has(right, item))
            return VM_LESS;
    return VM_SAME;
}

static enum vm_order judge_equal_data(vm_value left, vm_value right)
{
    return vm_aux(left) != vm_aux(right) ? VM_LESS : PARTS;
}

/* Two objects of one kind. */
static enum vm_order judge_equal_objects(vm_value left, vm_value right)
{
    switch (vm_kind(left)) {
    case VM_KIND_INT64:
    case VM_KIND_UINT64:
        return same_if(vm_field(left, 0) == vm_field(right, 0));
    case VM_KIND_BIGINT:
        return same_if(vm_bigint_compare(left, right) == 0);
    case VM_KIND_DECIMAL:
        return same_if(vm_decimal_compare(left, right) == 0);
    case VM_KIND_TUPLE:
        return vm_size(left) == vm_size(right) ? PARTS : VM_LESS;
    case VM_KIND_DATA:
    case VM_KIND_RECORD_CELL:
        return judge_equal_data(left, right);
    case VM_KIND_MAP:
        return vm_map_count(left) == vm_map_count(right) ? PARTS : VM_LESS;
    case VM_KIND_SET:
        return judge_sets(left, right);
    case VM_KIND_INT64_ARRAY:
    case VM_KIND_FLOAT64_ARRAY:
    case VM_KIND_FLOAT32_ARRAY:
    case VM_KIND_BUFFER:
        return VM_LESS; /* not even to themselves */
    default:
        return same_if(left == right);
    }
}

static enum vm_order judge_equal(vm_value left, vm_value right)
{
    if (vm_is_float(left) && vm_is_float(right))
        return same_if(vm_float_of(left) == vm_float_of(right));
    if (vm_is_sort(left, VM_SORT_FLOAT32) && vm_is_sort(right, VM_SORT_FLOAT32))
        return same_if(vm_float32_of(left) == vm_float32_of(right));
    if (!vm_is_object(left) || !vm_is_object(right))
        return same_if(left == right);
    if (vm_is_string(left) && vm_is_string(right)) {
        struct vm_text text = vm_text(right);

        return same_if(left == right || vm_string_equals(left, text.bytes, text.length));
    }
    if (vm_is_list(left) && vm_is_list(right))
        return vm_list_length(left) == vm_list_length(right) ? PARTS : VM_LESS;
    if (vm_kind(left) != vm_kind(right))
        return VM_LESS;
    return judge_equal_objects(left, right);
}

bool vm_equal_counted(vm_value left, vm_value right, int64_t *reductions)
{
    enum vm_order order = judge_equal(left, right);

    return (order == PARTS ? walk(left, right, judge_equal, reductions) : order) == VM_SAME;
}

bool vm_equal(vm_value left, vm_value right)
{
    int64_t reductions = 0;

    return vm_equal_counted(left, right, &reductions);
}

/* ---- order ---- */

static enum vm_order order_of(int difference)
{
    return difference < 0 ? VM_LESS : difference > 0 ? VM_GREATER : VM_SAME;
}

static enum vm_order judge_numbers(vm_value left, vm_value right)
{
    int order = vm_number_compare(left, right);

    return order == 2 ? VM_UNORDERED : order == -2 ? VM_INCOMPARABLE : order_of(order);
}

static enum vm_order judge_data(vm_value left, vm_value right)
{
    const struct vm_constructor *a = vm_constructor_of(left), *b = vm_constructor_of(right);

    if (a == NULL || b == NULL || a->type_id != b->type_id || vm_is_kind(left, VM_KIND_REACTIVE) ||
        vm_is_kind(right, VM_KIND_REACTIVE))
        return VM_INCOMPARABLE;
    if (a->position != b->position)
        return order_of(a->position - b->position);
    if (a != b)
        return VM_INCOMPARABLE; /* of two versions of a program that disagree about the type */
    return a->arity == 0 ? VM_SAME : PARTS;
}

static enum vm_order judge_order(vm_value left, vm_value right)
{
    if (vm_is_number(left) && vm_is_number(right))
        return judge_numbers(left, right);
    if (vm_is_sort(left, VM_SORT_CHAR) && vm_is_sort(right, VM_SORT_CHAR))
        return order_of((vm_payload(left) > vm_payload(right)) - (vm_payload(left) < vm_payload(right)));
    if (vm_is_string(left) && vm_is_string(right))
        return order_of(vm_string_compare(left, right));
    if (vm_is_kind(left, VM_KIND_TUPLE) && vm_is_kind(right, VM_KIND_TUPLE))
        return PARTS;
    return judge_data(left, right);
}

enum vm_order vm_compare_counted(vm_value left, vm_value right, int64_t *reductions)
{
    enum vm_order order = judge_order(left, right);

    return order == PARTS ? walk(left, right, judge_order, reductions) : order;
}

enum vm_order vm_compare(vm_value left, vm_value right)
{
    int64_t reductions = 0;

    return vm_compare_counted(left, right, &reductions);
}

/* ---- hash() ---- */

#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

static uint64_t fnv_bytes(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * FNV_PRIME;
    return hash;
}

static uint64_t fnv_text(const char *text) { return fnv_bytes(FNV_START, text, strlen(text)); }

/* The `bytes` low bytes of a word, least significant first. */
static uint64_t fnv_word(uint64_t word, unsigned bytes)
{
    uint64_t hash = FNV_START;

    for (unsigned i = 0; i < bytes; i++)
        hash = (hash ^ (word >> (8 * i) & 0xff)) * FNV_PRIME;
    return hash;
}

static uint64_t fold(uint64_t hash, uint64_t part) { return (hash * FNV_PRIME) ^ part; }

static uint64_t hash_double(double d)
{
    uint64_t bits;

    if (d == 0.0)
        d = 0.0; /* -0.0 equals 0.0 */
    memcpy(&bits, &d, sizeof bits);
    return fnv_word(bits, 8);
}

static uint64_t hash_mpz(const mpz_t number)
{
    return fnv_bytes(FNV_START ^ (mpz_sgn(number) < 0), mpz_limbs_read(number), mpz_size(number) * sizeof(mp_limb_t));
}

/* Equal Decimals may differ in scale: zeros at the end do not count. */
static uint64_t hash_decimal(vm_value v)
{
    mpz_t coefficient, number;
    uint32_t scale = vm_decimal_view(coefficient, v);
    uint64_t hash;

    mpz_init_set(number, coefficient);
    while (scale > 0 && mpz_divisible_ui_p(number, 10)) {
        mpz_divexact_ui(number, number, 10);
        scale--;
    }
    hash = fold(hash_mpz(number), scale);
    mpz_clear(number);
    return hash;
}

static uint64_t hash_immediate(vm_value v)
{
    static const unsigned char bytes_of_sort[VM_SORT_COUNT] = {
        [VM_SORT_CHAR] = 4, [VM_SORT_PID] = 8, [VM_SORT_INT8] = 1, [VM_SORT_INT16] = 2, [VM_SORT_INT32] = 4,
        [VM_SORT_UINT8] = 1, [VM_SORT_UINT16] = 2, [VM_SORT_UINT32] = 4,
    };

    switch (vm_sort(v)) {
    case VM_SORT_UNIT:
        return 0;
    case VM_SORT_BOOL:
        return v == VM_TRUE;
    case VM_SORT_NIL:
        return fnv_text("list");
    case VM_SORT_EMPTY_MAP:
        return fnv_text("map");
    case VM_SORT_EMPTY_SET:
        return fnv_text("set");
    case VM_SORT_FLOAT32:
        return vm_float32_of(v) == 0.0f ? fnv_word(0, 4) : fnv_word(vm_payload(v), 4);
    default:
        return fnv_word(vm_payload(v), bytes_of_sort[vm_sort(v)]);
    }
}

/* What the hash of a value begins with; all of it if the value has no parts. */
static uint64_t hash_start(vm_value v)
{
    const struct vm_constructor *constructor = vm_constructor_of(v);

    if (constructor != NULL) {
        uint64_t hash = fnv_text(constructor->type_name);
        bool record = constructor->form == VM_TYPE_RECORD || constructor->form == VM_TYPE_REACTIVE_RECORD;

        return record ? hash : fold(hash, fnv_text(constructor->name));
    }
    if (vm_is_int(v))
        return fnv_word((uint64_t)vm_int_of(v), 8);
    if (vm_is_float(v))
        return hash_double(vm_float_of(v));
    if (vm_is_immediate(v))
        return hash_immediate(v);
    if (vm_is_string(v))
        return fnv_bytes(FNV_START, vm_text(v).bytes, vm_text(v).length);
    switch (vm_kind(v)) {
    case VM_KIND_UINT64:
        return fnv_word(vm_field(v, 0), 8);
    case VM_KIND_BIGINT: {
        struct vm_bignum view;

        vm_bignum_view(&view, v);
        return hash_mpz(view.number);
    }
    case VM_KIND_DECIMAL:
        return hash_decimal(v);
    case VM_KIND_CONS:
    case VM_KIND_SLICE:
        return fnv_text("list");
    case VM_KIND_TUPLE:
        return fnv_text("tuple");
    case VM_KIND_MAP:
        return fnv_text("map");
    case VM_KIND_SET:
        return fnv_text("set");
    default:
        return fnv_text(vm_kind_name(vm_kind(v))); /* no content that could count: it may move or change */
    }
}

struct hashing { struct vm_cursor parts; uint64_t hash, key; bool have_key; };

/* A part's hash is known: make it count in the value it is part of. */
static void add_part(struct hashing *whole, uint64_t part)
{
    if (whole->parts.map == NULL) {
        whole->hash = fold(whole->hash, part);
    } else if (whole->parts.map->is_set) {
        whole->hash ^= part;
    } else if (!whole->have_key) {
        whole->key = part;
        whole->have_key = true;
    } else {
        whole->hash ^= fold(whole->key, part);
        whole->have_key = false;
    }
}

/* The walk of vm_hash(). */
struct hash_walk {
    struct vm_stack stack;
    struct vm_seen seen; /* objects with their hashes, once the walk is long */
    uint64_t pushed;
    unsigned cells; /* mutable records may be parts of themselves: after so many, no further ones are looked into */
};

/* The hash of a value is known: it counts in the one it is part of, if there is one. */
static void deliver_hash(struct hash_walk *walk, uint64_t hash)
{
    struct hashing *top = vm_stack_top(&walk->stack);

    if (top != NULL)
        add_part(top, hash);
}

/* Begin with a value. Its hash, if it has no parts or they were seen; else it is on the stack. */
static uint64_t begin_hash(struct hash_walk *walk, vm_value v)
{
    struct hashing whole = { .hash = hash_start(v) }, *pushed;
    const uint64_t *known = vm_is_object(v) ? vm_seen_find(&walk->seen, v) : NULL;

    if (known != NULL) {
        deliver_hash(walk, *known);
        return *known;
    }
    if (!walk->seen.failed && (!vm_is_kind(v, VM_KIND_RECORD_CELL) || walk->cells++ < HASH_CELLS_MAX) &&
        vm_cursor_init(&whole.parts, v)) {
        pushed = vm_stack_push(&walk->stack);
        if (pushed != NULL) {
            *pushed = whole;
            walk->pushed++;
            return whole.hash;
        }
        vm_cursor_done(&whole.parts);
        walk->seen.failed = true;
    }
    deliver_hash(walk, whole.hash);
    return whole.hash;
}

/* All parts of the value on top were given: its hash. */
static uint64_t end_hash(struct hash_walk *walk)
{
    struct hashing *top = vm_stack_top(&walk->stack);
    vm_value v = top->parts.value;
    uint64_t hash = top->hash;

    vm_cursor_done(&top->parts);
    vm_stack_pop(&walk->stack);
    if (walk->pushed > VM_SEEN_AFTER && !walk->seen.failed && vm_seen_find(&walk->seen, v) == NULL)
        vm_seen_add(&walk->seen, v, hash);
    deliver_hash(walk, hash);
    return hash;
}

int64_t vm_hash(vm_value v)
{
    struct hashing in_place[STACK_IN_PLACE], *top;
    struct hash_walk walk = { .seen = VM_SEEN_INIT };
    uint64_t hash;

    vm_stack_init(&walk.stack, in_place, STACK_IN_PLACE, sizeof *in_place);
    hash = begin_hash(&walk, v);
    while ((top = vm_stack_top(&walk.stack)) != NULL)
        hash = vm_cursor_next(&top->parts, &v) ? begin_hash(&walk, v) : end_hash(&walk);
    vm_stack_done(&walk.stack);
    vm_seen_done(&walk.seen);
    return (int64_t)hash;
}
