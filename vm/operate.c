/*
 * operate.c - what instructions do off their fast path: operators on any kinds of values and on user types, indexing,
 * fields, literals of maps and sets.
 *
 * For a left operand of a user type an operator calls that type's method of Num, Eq or Ord, if the program implements
 * it (01 §15.8); the answer VM_CALL tells the interpreter to call ctx->call_function.
 */
#include "config.h"

#include "vm/operate.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/intern.h"
#include "base/utf8.h"
#include "vm/call.h"
#include "vm/compare.h"
#include "vm/dispatch.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/map.h"
#include "vm/print.h"
#include "vm/reactive.h"
#include "vm/string.h"
#include "vm/type.h"

enum { JOIN_ON_STACK = 1024, TEXT_PER_REDUCTION = 256 };

vm_value vm_data_header(uint32_t constructor, unsigned fields)
{
    const struct vm_constructor *known = vm_constructor(constructor);
    enum vm_kind kind = !known->mutable_fields       ? VM_KIND_DATA
                        : vm_is_reactive_form(known) ? VM_KIND_REACTIVE
                                                     : VM_KIND_RECORD_CELL;

    return VM_HEADER(kind, 0, constructor, fields);
}

int64_t vm_op_switch_search(const uint64_t *pc, unsigned count, int64_t key)
{
    const int64_t *cases = (const int64_t *)(pc + 2);
    unsigned low = 0, high = count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (cases[2 * middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && cases[2 * low] == key ? cases[2 * low + 1] : (int64_t)pc[1];
}

bool vm_op_equals_small(vm_value v, vm_value small)
{
    return !vm_is_float(v) && !vm_is_sort(v, VM_SORT_FLOAT32) && vm_number_compare(v, small) == 0;
}

int64_t vm_op_switch_integer(const uint64_t *pc, unsigned count, vm_value v)
{
    const int64_t *cases = (const int64_t *)(pc + 2);

    for (unsigned i = 0; i < count && vm_is_number(v); i++)
        if (vm_op_equals_small(v, vm_from_small(cases[2 * i])))
            return cases[2 * i + 1];
    return (int64_t)pc[1];
}

/* Arrange that the interpreter calls `function` with one or two arguments. */
static enum vm_status call_out(struct vm_ctx *ctx, vm_value function, unsigned count, vm_value first, vm_value second)
{
    ctx->call_function = function;
    ctx->call_args[0] = first;
    ctx->call_args[1] = second;
    ctx->call_arg_count = count;
    return VM_CALL;
}

/* The program's own method of that name for a value of a user type, VM_NONE when there is none. */
static vm_value user_method(const struct vm_ctx *ctx, vm_value receiver, enum vm_known_name name, unsigned arity)
{
    const struct vm_constructor *constructor = vm_constructor_of(receiver);

    if (constructor == NULL)
        return VM_NONE;
    return vm_methods_find(ctx->process->program->methods, 0, constructor->type_id, vm_known_names[name], arity);
}

/* ---- arithmetic and comparison ---- */

/* The function that combines a value of a user type with a number, `vecMulScalar` for Vec (01 §15.8), or VM_NONE. */
static vm_value scalar_function(const struct vm_ctx *ctx, enum vm_arith op, vm_value left, vm_value right)
{
    static const enum vm_known_name names[] = { [VM_ADD] = VM_NAME_ADD_SCALAR_OF_TYPE,
                                                [VM_SUB] = VM_NAME_SUB_SCALAR_OF_TYPE,
                                                [VM_MUL] = VM_NAME_MUL_SCALAR_OF_TYPE,
                                                [VM_DIV] = VM_NAME_DIV_SCALAR_OF_TYPE };

    return op <= VM_DIV && vm_is_number(right) ? user_method(ctx, left, names[op], 2) : VM_NONE;
}

enum vm_status vm_op_arithmetic(struct vm_ctx *ctx, enum vm_arith op, vm_value left, vm_value right, vm_value *ret)
{
    static const enum vm_known_name names[] = {
        [VM_ADD] = VM_NAME_ADD, [VM_SUB] = VM_NAME_SUB, [VM_MUL] = VM_NAME_MUL, [VM_DIV] = VM_NAME_DIV
    };
    vm_value method = scalar_function(ctx, op, left, right);

    if (method == VM_NONE && op <= VM_DIV)
        method = user_method(ctx, left, names[op], 2);
    if (method != VM_NONE)
        return call_out(ctx, method, 2, left, right);
    return vm_arithmetic(ctx, op, left, right, ret);
}

/* `==` of two numbers of different kinds compares their values where the language widens (Int with Float …). */
static bool operands_equal(struct vm_ctx *ctx, vm_value left, vm_value right)
{
    if (vm_is_number(left) && vm_is_number(right))
        return vm_number_compare(left, right) == 0;
    return vm_equal_counted(left, right, &ctx->reductions);
}

static enum vm_status compare_equal(struct vm_ctx *ctx, bool negate, vm_value left, vm_value right, vm_value *ret)
{
    vm_value method = user_method(ctx, left, negate ? VM_NAME_NEQ : VM_NAME_EQ, 2);

    if (method != VM_NONE)
        return call_out(ctx, method, 2, left, right);
    *ret = vm_from_bool(operands_equal(ctx, left, right) != negate);
    return VM_OK;
}

static enum vm_status not_comparable(struct vm_ctx *ctx, enum vm_comparison op)
{
    static const char *const names[] = {
        [VM_COMPARE_LT] = "Lt", [VM_COMPARE_LE] = "Le", [VM_COMPARE_GT] = "Gt", [VM_COMPARE_GE] = "Ge"
    };

    return vm_raise_panic(ctx, "%s: values are not comparable", names[op]);
}

static bool holds(enum vm_comparison op, int order)
{
    switch (op) {
    case VM_COMPARE_LT:
        return order < 0;
    case VM_COMPARE_LE:
        return order <= 0;
    case VM_COMPARE_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

enum vm_status vm_op_compare(struct vm_ctx *ctx, enum vm_comparison op, vm_value left, vm_value right, vm_value *ret)
{
    static const enum vm_known_name names[] = { [VM_COMPARE_LT] = VM_NAME_LT,
                                                [VM_COMPARE_LE] = VM_NAME_LTE,
                                                [VM_COMPARE_GT] = VM_NAME_GT,
                                                [VM_COMPARE_GE] = VM_NAME_GTE };
    vm_value method;
    enum vm_order order;
    int numbers;

    if (op == VM_COMPARE_EQ || op == VM_COMPARE_NE)
        return compare_equal(ctx, op == VM_COMPARE_NE, left, right, ret);
    method = user_method(ctx, left, names[op], 2);
    if (method != VM_NONE)
        return call_out(ctx, method, 2, left, right);
    if (vm_is_number(left) && vm_is_number(right)) {
        numbers = vm_number_compare(left, right);
        order = numbers == -2 ? VM_INCOMPARABLE : (enum vm_order)numbers;
    } else {
        order = vm_compare_counted(left, right, &ctx->reductions);
    }
    if (order == VM_INCOMPARABLE)
        return not_comparable(ctx, op);
    *ret = vm_from_bool(order != VM_UNORDERED && holds(op, (int)order));
    return VM_OK;
}

/* ---- strings and lists ---- */

static enum vm_status value_or_no_memory(vm_value v, vm_value *ret)
{
    if (v == VM_NONE)
        return VM_NOMEM;
    *ret = v;
    return VM_OK;
}

enum vm_status vm_op_concat(struct vm_ctx *ctx, vm_value left, vm_value right, vm_value *ret)
{
    if (vm_is_string(left) && vm_is_string(right))
        return value_or_no_memory(vm_string_concat(ctx, left, right), ret);
    if (vm_is_list(left) && vm_is_list(right))
        return value_or_no_memory(vm_list_concat(ctx, left, right), ret);
    return vm_raise_panic(ctx, "Concat: expected string or list");
}

bool vm_op_has_prefix(vm_value v, vm_value prefix)
{
    struct vm_text text, start;

    if (!vm_is_string(v))
        return false;
    text = vm_text(v);
    start = vm_text(prefix);
    return text.length >= start.length && memcmp(text.bytes, start.bytes, start.length) == 0;
}

enum vm_status vm_op_range(struct vm_ctx *ctx, vm_value from, vm_value to, vm_value *ret)
{
    int64_t first, last;
    vm_value list;

    if (!vm_is_int(from) || !vm_is_int(to))
        return vm_raise_type(ctx, "Int", vm_is_int(from) ? to : from);
    first = vm_int_of(from);
    last = vm_int_of(to);
    if (first > last) {
        *ret = VM_NIL;
        return VM_OK;
    }
    if ((uint64_t)last - (uint64_t)first >= VM_SIZE_MAX / 2 || !vm_fits_small(first) || !vm_fits_small(last))
        return vm_raise_panic(ctx, "Range too large: %lld to %lld", (long long)first, (long long)last);
    ctx->reductions -= (last - first) / 16;
    list = vm_list_make(ctx, (uint32_t)(last - first + 1));
    if (list == VM_NONE)
        return VM_NOMEM;
    for (int64_t i = first; i <= last; i++)
        vm_list_init_at(list, (uint32_t)(i - first), vm_from_small(i));
    *ret = list;
    return VM_OK;
}

/* A register of the running frame: read anew after whatever may collect. */
static vm_value reg(const struct vm_ctx *ctx, uint16_t number)
{
    return ctx->process->heap.fp[VM_FRAME_WORDS + number];
}

static enum vm_status unhashable(struct vm_ctx *ctx, vm_value culprit)
{
    return vm_raise_kind(ctx, "TypeError", "expected hashable type, got %s", vm_kind_word(culprit));
}

enum vm_status vm_op_map(struct vm_ctx *ctx, const uint16_t *registers, unsigned count, vm_value *ret)
{
    vm_value map = VM_EMPTY_MAP, culprit;

    for (unsigned i = 0; i < count; i += 2) {
        if (!vm_hashable(reg(ctx, registers[i]), &culprit))
            return unhashable(ctx, culprit);
        map = vm_map_insert(ctx, map, reg(ctx, registers[i]), reg(ctx, registers[i + 1]));
        if (map == VM_NONE)
            return VM_NOMEM;
    }
    *ret = map;
    return VM_OK;
}

enum vm_status vm_op_set(struct vm_ctx *ctx, const uint16_t *registers, unsigned count, vm_value *ret)
{
    vm_value set = VM_EMPTY_SET, culprit;

    for (unsigned i = 0; i < count; i++) {
        if (!vm_hashable(reg(ctx, registers[i]), &culprit))
            return unhashable(ctx, culprit);
        set = vm_set_insert(ctx, set, reg(ctx, registers[i]));
        if (set == VM_NONE)
            return VM_NOMEM;
    }
    *ret = set;
    return VM_OK;
}

vm_value vm_op_map_find(vm_value map, vm_value key)
{
    vm_value culprit;

    if (!vm_hashable(key, &culprit))
        return VM_NONE;
    if (vm_is_map(map))
        return vm_map_get(map, key);
    return vm_is_set(map) && vm_set_has(map, key) ? key : VM_NONE;
}

/* ---- text of values ---- */

enum vm_status vm_op_show(struct vm_ctx *ctx, vm_value v, vm_value *ret)
{
    vm_value method = user_method(ctx, v, VM_NAME_SHOW, 1);
    struct nb_buf text = NB_BUF_INIT;
    char digits[VM_INT_TEXT_MAX];
    enum vm_status status;

    if (vm_is_small(v))
        return value_or_no_memory(vm_string_known(ctx, digits, vm_int_text(vm_small(v), digits), true), ret);
    if (method != VM_NONE)
        return call_out(ctx, method, 1, v, VM_NONE);
    vm_print_display(&text, v);
    ctx->reductions -= (int64_t)(text.length / 64);
    status = text.failed ? VM_NOMEM : value_or_no_memory(vm_string(ctx, nb_buf_cstr(&text), text.length), ret);
    nb_buf_done(&text);
    return status;
}

enum vm_status vm_op_join(struct vm_ctx *ctx, const uint16_t *registers, unsigned count, vm_value *ret)
{
    char on_stack[JOIN_ON_STACK];
    vm_value joined;
    uint64_t length = 0;

    for (unsigned i = 0; i < count; i++) {
        if (!vm_is_string(reg(ctx, registers[i])))
            return vm_raise_type(ctx, "String", reg(ctx, registers[i]));
        length += vm_text(reg(ctx, registers[i])).length;
    }
    if (length <= sizeof on_stack) {
        char *at = on_stack;
        bool ascii = true;

        for (unsigned i = 0; i < count; i++) {
            struct vm_text part = vm_text(reg(ctx, registers[i]));

            memcpy(at, part.bytes, part.length);
            at += part.length;
            ascii = ascii && part.ascii;
        }
        return value_or_no_memory(vm_string_known(ctx, on_stack, length, ascii), ret);
    }
    joined = reg(ctx, registers[0]);
    for (unsigned i = 1; i < count && joined != VM_NONE; i++)
        joined = vm_string_concat(ctx, joined, reg(ctx, registers[i]));
    return value_or_no_memory(joined, ret);
}

/* ---- fields ---- */

static enum vm_status no_field(struct vm_ctx *ctx, vm_value object, const char *name)
{
    return vm_raise_kind(ctx, "UnknownField", "unknown field '%s' on type '%s'", name,
                         vm_class_name(vm_class_of(object)));
}

enum vm_status vm_op_field(struct vm_ctx *ctx, vm_value object, uint32_t name_id, uint64_t *cache, vm_value *ret)
{
    const struct vm_constructor *constructor = vm_constructor_of(object);
    int position = constructor == NULL || !vm_is_object(object) ? -1 : vm_constructor_field(constructor, name_id);

    if (vm_is_reactive(object))
        return vm_reactive_read(ctx, object, name_id, ret);
    if (position < 0)
        return no_field(ctx, object, nb_intern_text(name_id));
    __atomic_store_n(cache, (uint64_t)(unsigned)position << 32 | constructor->id, __ATOMIC_RELAXED);
    *ret = vm_field(object, (unsigned)position);
    return VM_OK;
}

vm_value vm_op_field_find(vm_value record, uint32_t name_id)
{
    const struct vm_constructor *constructor = vm_constructor_of(record);
    bool plain = constructor != NULL && vm_is_object(record) && !vm_is_reactive(record);
    int position = plain ? vm_constructor_field(constructor, name_id) : -1;

    return position < 0 ? VM_NONE : vm_field(record, (unsigned)position);
}

enum vm_status vm_op_set_field(struct vm_ctx *ctx, vm_value object, uint32_t name_id, vm_value value)
{
    const struct vm_constructor *constructor = vm_constructor_of(object);
    int position = constructor == NULL || !vm_is_object(object) ? -1 : vm_constructor_field(constructor, name_id);

    if (vm_is_reactive(object))
        return vm_reactive_write(ctx, object, name_id, value);
    if (position < 0)
        return no_field(ctx, object, nb_intern_text(name_id));
    if (vm_kind(object) != VM_KIND_RECORD_CELL)
        return vm_raise_panic(ctx, "Field '%s' is not mutable", nb_intern_text(name_id));
    vm_object(object)[1 + position] = value;
    return VM_OK;
}

enum vm_status vm_op_component(struct vm_ctx *ctx, vm_value object, unsigned index, vm_value *ret)
{
    const struct vm_constructor *constructor = vm_constructor_of(object);
    char name[16];

    if (constructor != NULL && constructor->form == VM_TYPE_REACTIVE_RECORD && index < constructor->arity)
        return vm_reactive_read(ctx, object, constructor->field_ids[index], ret);
    if (constructor != NULL && constructor->siblings == 1 && vm_is_object(object) && index < constructor->arity &&
        !vm_is_reactive(object)) {
        *ret = vm_field(object, index);
        return VM_OK;
    }
    (void)snprintf(name, sizeof name, "%u", index);
    return no_field(ctx, object, name);
}

/* Another cell, with some fields replaced. */
static enum vm_status update_reactive(struct vm_ctx *ctx, const struct vm_constructor *own, vm_value cell,
                                      const uint32_t *names, const uint16_t *registers, unsigned count, vm_value *ret)
{
    enum vm_status status = vm_reactive_copy(ctx, cell, ret);

    for (unsigned i = 0; status == VM_OK && i < count; i++)
        status = vm_reactive_init(ctx, *ret, (unsigned)vm_constructor_field(own, names[i]), reg(ctx, registers[i]));
    return status;
}

enum vm_status vm_op_update(struct vm_ctx *ctx, vm_value data, uint32_t constructor, const uint32_t *names,
                            const uint16_t *registers, unsigned count, vm_value *ret)
{
    const struct vm_constructor *own = vm_constructor_of(data);
    vm_value *copy;

    if (own == NULL || !vm_is_object(data) || (constructor != 0 && own->id != constructor))
        return vm_raise_panic(ctx, "Cannot update non-record type: %s", vm_class_name(vm_class_of(data)));
    for (unsigned i = 0; i < count; i++)
        if (vm_constructor_field(own, names[i]) < 0)
            return no_field(ctx, data, nb_intern_text(names[i]));
    if (vm_is_reactive(data))
        return update_reactive(ctx, own, data, names, registers, count, ret);
    VM_ROOT(ctx, data);
    bool room = vm_heap_reserve(ctx, 1u + own->arity);
    VM_UNROOT(ctx, data);
    if (!room)
        return VM_NOMEM;
    copy = vm_heap_take(&ctx->process->heap, 1u + own->arity);
    copy[0] = vm_data_header(own->id, own->arity);
    memcpy(copy + 1, vm_object(data) + 1, own->arity * sizeof *copy);
    for (unsigned i = 0; i < count; i++)
        copy[1 + vm_constructor_field(own, names[i])] = reg(ctx, registers[i]);
    *ret = vm_from_object(copy);
    return VM_OK;
}

/* ---- indexing ---- */

static enum vm_status out_of_bounds(struct vm_ctx *ctx, int64_t index)
{
    return vm_raise_panic(ctx, "Index %llu out of bounds", (unsigned long long)index);
}

static uint32_t array_length(vm_value array)
{
    return vm_kind(array) == VM_KIND_FLOAT32_ARRAY ? vm_size(array) / (uint32_t)sizeof(float) : vm_size(array);
}

static enum vm_status array_get(struct vm_ctx *ctx, vm_value array, int64_t index, vm_value *ret)
{
    double d;
    float f;

    if (index < 0 || index >= array_length(array))
        return out_of_bounds(ctx, index);
    switch (vm_kind(array)) {
    case VM_KIND_INT64_ARRAY:
        return value_or_no_memory(vm_int(ctx, (int64_t)vm_object(array)[1 + index]), ret);
    case VM_KIND_FLOAT64_ARRAY:
        memcpy(&d, vm_object(array) + 1 + index, sizeof d);
        return value_or_no_memory(vm_float(ctx, d), ret);
    default:
        memcpy(&f, (const char *)(vm_object(array) + 1) + (size_t)index * sizeof f, sizeof f);
        return value_or_no_memory(vm_float(ctx, (double)f), ret);
    }
}

static double as_double(vm_value v) { return vm_is_float(v) ? vm_float_of(v) : (double)vm_int_of(v); }

static enum vm_status array_set(struct vm_ctx *ctx, vm_value array, int64_t index, vm_value value, vm_value *ret)
{
    double d;
    float f;

    if (index < 0 || index >= array_length(array))
        return out_of_bounds(ctx, index);
    if (vm_kind(array) == VM_KIND_INT64_ARRAY ? !vm_is_int(value) : !vm_is_int(value) && !vm_is_float(value))
        return vm_raise_type(ctx, vm_kind(array) == VM_KIND_INT64_ARRAY ? "Int64" : "Float64", value);
    switch (vm_kind(array)) {
    case VM_KIND_INT64_ARRAY:
        vm_object(array)[1 + index] = (uint64_t)vm_int_of(value);
        break;
    case VM_KIND_FLOAT64_ARRAY:
        d = as_double(value);
        memcpy(vm_object(array) + 1 + index, &d, sizeof d);
        break;
    default:
        f = (float)as_double(value);
        memcpy((char *)(vm_object(array) + 1) + (size_t)index * sizeof f, &f, sizeof f);
    }
    *ret = array;
    return VM_OK;
}

static bool is_array(vm_value v)
{
    return vm_is_kind(v, VM_KIND_INT64_ARRAY) || vm_is_kind(v, VM_KIND_FLOAT64_ARRAY) ||
           vm_is_kind(v, VM_KIND_FLOAT32_ARRAY);
}

static enum vm_status string_index(struct vm_ctx *ctx, vm_value string, int64_t index, vm_value *ret)
{
    struct vm_text text = vm_text(string);
    uint32_t count = text.ascii ? text.length : vm_string_count(string), code_point;
    size_t at;

    if (!text.ascii)
        ctx->reductions -= text.length / TEXT_PER_REDUCTION;
    if (index < 0 || index >= count)
        return vm_raise_panic(ctx, "Index %llu out of bounds for string of length %u", (unsigned long long)index,
                              count);
    at = text.ascii ? (size_t)index : nb_utf8_offset(text.bytes, text.length, (size_t)index);
    return value_or_no_memory(vm_string_part(ctx, string, (uint32_t)at,
                                             (uint32_t)nb_utf8_decode(text.bytes + at, text.length - at, &code_point)),
                              ret);
}

static enum vm_status map_index(struct vm_ctx *ctx, vm_value map, vm_value key, vm_value *ret)
{
    vm_value culprit, found;

    if (!vm_hashable(key, &culprit))
        return vm_raise_kind(ctx, "TypeError", "expected hashable, got %s", vm_kind_word(culprit));
    if (vm_is_set(map)) {
        *ret = vm_from_bool(vm_set_has(map, key));
        return VM_OK;
    }
    found = vm_map_get(map, key);
    *ret = found == VM_NONE ? VM_UNIT : found;
    return VM_OK;
}

enum vm_status vm_op_index(struct vm_ctx *ctx, vm_value collection, vm_value index, vm_value *ret)
{
    vm_value get;
    int64_t i;

    if (vm_is_map(collection) || vm_is_set(collection))
        return map_index(ctx, collection, index, ret);
    get = user_method(ctx, collection, VM_NAME_GET_OF_TYPE, 2);
    if (get != VM_NONE)
        return call_out(ctx, get, 2, collection, index);
    if (!vm_is_int(index))
        return vm_raise_type(ctx, "Int64", index);
    i = vm_int_of(index);
    if (vm_is_list(collection)) {
        if (i < 0 || i >= vm_list_length(collection))
            return out_of_bounds(ctx, i);
        return value_or_no_memory(vm_list_at(ctx, collection, (uint32_t)i), ret);
    }
    if (vm_is_string(collection))
        return string_index(ctx, collection, i, ret);
    if (is_array(collection))
        return array_get(ctx, collection, i, ret);
    if (vm_is_kind(collection, VM_KIND_TUPLE)) {
        if (i < 0 || i >= vm_size(collection))
            return out_of_bounds(ctx, i);
        *ret = vm_field(collection, (unsigned)i);
        return VM_OK;
    }
    return vm_raise_type(ctx, "List", collection);
}

/* Whether a list in one piece holds that very value at an index: an array in it that was changed in place, perhaps. */
static bool holds_at(vm_value list, uint64_t index, vm_value value)
{
    return vm_is_kind(list, VM_KIND_SLICE) &&
           vm_object(vm_field(list, 0))[2 + (uint64_t)vm_small(vm_field(list, 1)) + index] == value;
}

enum vm_status vm_op_set_index(struct vm_ctx *ctx, vm_value collection, vm_value index, vm_value value, vm_value *ret)
{
    vm_value set, culprit;
    int64_t i;

    if (vm_is_map(collection)) {
        if (!vm_hashable(index, &culprit))
            return vm_raise_kind(ctx, "TypeError", "expected hashable, got %s", vm_kind_word(culprit));
        return value_or_no_memory(vm_map_insert(ctx, collection, index, value), ret);
    }
    set = user_method(ctx, collection, VM_NAME_SET_OF_TYPE, 3);
    if (set != VM_NONE) {
        (void)call_out(ctx, set, 3, collection, index);
        ctx->call_args[2] = value;
        return VM_CALL;
    }
    if (!vm_is_int(index))
        return vm_raise_type(ctx, "Int64", index);
    i = vm_int_of(index);
    if (is_array(collection))
        return array_set(ctx, collection, i, value, ret);
    if (!vm_is_list(collection))
        return vm_raise_type(ctx, "List", collection);
    if (i < 0 || i >= vm_list_length(collection))
        return out_of_bounds(ctx, i);
    if (holds_at(collection, (uint64_t)i, value)) {
        *ret = collection;
        return VM_OK;
    }
    ctx->reductions -= vm_list_length(collection) / 64;
    return value_or_no_memory(vm_list_set(ctx, collection, (uint32_t)i, value), ret);
}

uint64_t vm_deadline_after(int64_t ms)
{
    uint64_t now = nb_clock_ns();

    if (ms <= 0)
        return now;
    if ((uint64_t)ms > (UINT64_MAX - 1 - now) / 1000000)
        return UINT64_MAX - 1;
    return now + (uint64_t)ms * 1000000;
}
