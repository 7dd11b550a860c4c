/*
 * array.c - natives of typed arrays.
 *
 * The three kinds differ in how an element is stored, which struct array_form knows; the natives are written once and
 * instantiated for each kind. Elements are 8 bytes (Int, Float) or 4 (Float32).
 */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "lib/expect.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/number.h"

struct array_form {
    enum vm_kind kind;
    const char *name;
    size_t bytes;                                          /* of an element */
    bool (*store)(char *place, vm_value number);           /* false: not a number that fits */
    vm_value (*load)(struct vm_ctx *ctx, const char *place); /* as get gives it */
    vm_value (*widen)(struct vm_ctx *ctx, const char *place); /* as toList gives it */
};

/* ---- elements ---- */

static bool number_of(vm_value v, double *ret)
{
    if (vm_is_float(v)) {
        *ret = vm_float_of(v);
        return true;
    }
    if (vm_is_sort(v, VM_SORT_FLOAT32)) {
        uint32_t bits = (uint32_t)vm_payload(v);
        float f;

        memcpy(&f, &bits, sizeof f);
        *ret = (double)f;
        return true;
    }
    if (!vm_is_int(v))
        return false;
    *ret = (double)vm_int_of(v);
    return true;
}

static bool store_int64(char *place, vm_value number)
{
    int64_t n;
    double d;

    if (vm_is_int(number))
        n = vm_int_of(number);
    else if (!number_of(number, &d))
        return false;
    else if (isnan(d))
        n = 0;
    else
        n = d >= 0x1p63 ? INT64_MAX : d < -0x1p63 ? INT64_MIN : (int64_t)d;
    memcpy(place, &n, sizeof n);
    return true;
}

static bool store_float64(char *place, vm_value number)
{
    double d;

    if (!number_of(number, &d))
        return false;
    memcpy(place, &d, sizeof d);
    return true;
}

static bool store_float32(char *place, vm_value number)
{
    double d;
    float f;

    if (!number_of(number, &d))
        return false;
    f = (float)d;
    memcpy(place, &f, sizeof f);
    return true;
}

static vm_value load_int64(struct vm_ctx *ctx, const char *place)
{
    int64_t n;

    memcpy(&n, place, sizeof n);
    return vm_int(ctx, n);
}

static vm_value load_float64(struct vm_ctx *ctx, const char *place)
{
    double d;

    memcpy(&d, place, sizeof d);
    return vm_float(ctx, d);
}

static vm_value load_float32(struct vm_ctx *ctx, const char *place)
{
    uint32_t bits;

    (void)ctx;
    memcpy(&bits, place, sizeof bits);
    return VM_IMMEDIATE(VM_SORT_FLOAT32, bits);
}

static vm_value widen_float32(struct vm_ctx *ctx, const char *place)
{
    float f;

    memcpy(&f, place, sizeof f);
    return vm_float(ctx, (double)f);
}

static const struct array_form int64_form = {
    VM_KIND_INT64_ARRAY, "Int64Array", 8, store_int64, load_int64, load_int64
};
static const struct array_form float64_form = {
    VM_KIND_FLOAT64_ARRAY, "Float64Array", 8, store_float64, load_float64, load_float64
};
static const struct array_form float32_form = {
    VM_KIND_FLOAT32_ARRAY, "Float32Array", 4, store_float32, load_float32, widen_float32
};

/* ---- arrays ---- */

static char *element(const struct array_form *form, vm_value array, int64_t index)
{
    return (char *)(vm_object(array) + 1) + (size_t)index * form->bytes;
}

static int64_t count_of(const struct array_form *form, vm_value array)
{
    return form->bytes == sizeof(vm_value) ? vm_size(array) : vm_size(array) / form->bytes;
}

static enum vm_status expect_array(struct vm_ctx *ctx, const struct array_form *form, vm_value v)
{
    return vm_is_kind(v, form->kind) ? VM_OK : vm_raise_type(ctx, form->name, v);
}

/* An array whose elements are zero; VM_NONE without memory. */
static vm_value new_array(struct vm_ctx *ctx, const struct array_form *form, uint64_t count)
{
    uint64_t size = form->bytes == sizeof(vm_value) ? count : count * form->bytes; /* in the unit of the header */
    uint64_t words;
    vm_value header, *object;

    if (count > VM_SIZE_MAX || size > VM_SIZE_MAX)
        return VM_NONE;
    header = VM_HEADER(form->kind, 0, 0, size);
    words = vm_object_words(header);
    if (!vm_heap_reserve(ctx, words))
        return VM_NONE;
    object = vm_heap_take(&ctx->process->heap, words);
    memset(object, 0, words * sizeof *object);
    object[0] = header;
    lib_worked(ctx, words);
    return vm_from_object(object);
}

/* Check the length of a new array. */
static enum vm_status expect_count(struct vm_ctx *ctx, const struct array_form *form, vm_value v)
{
    enum vm_status status = lib_expect(ctx, &v, "I");

    if (status == VM_OK && vm_int_of(v) < 0)
        return vm_raise_panic(ctx, "%s: negative length %" PRId64, form->name, vm_int_of(v));
    return status;
}

static enum vm_status make_zeros(struct vm_ctx *ctx, const struct array_form *form, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_count(ctx, form, args[0]);

    return status != VM_OK ? status : lib_answer(new_array(ctx, form, (uint64_t)vm_int_of(args[0])), ret);
}

static enum vm_status make_filled(struct vm_ctx *ctx, const struct array_form *form, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_count(ctx, form, args[0]);
    char value[sizeof(vm_value)];
    vm_value array;

    if (status != VM_OK)
        return status;
    if (!form->store(value, args[1]))
        return vm_raise_type(ctx, form->kind == VM_KIND_INT64_ARRAY ? "Int64" : "Float64", args[1]);
    array = new_array(ctx, form, (uint64_t)vm_int_of(args[0]));
    if (array == VM_NONE)
        return VM_NOMEM;
    for (int64_t i = 0; i < vm_int_of(args[0]); i++)
        memcpy(element(form, array, i), value, form->bytes);
    return lib_answer(array, ret);
}

static enum vm_status from_list(struct vm_ctx *ctx, const struct array_form *form, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "L");
    struct vm_list_walk walk;
    vm_value array, item;
    int64_t at = 0;

    if (status != VM_OK)
        return status;
    array = new_array(ctx, form, vm_list_length(args[0]));
    if (array == VM_NONE)
        return VM_NOMEM;
    for (vm_list_walk(&walk, args[0]); vm_list_next(&walk, &item); at++)
        if (!form->store(element(form, array, at), item))
            return vm_raise_type(ctx, form->kind == VM_KIND_INT64_ARRAY ? "Int64" : "Float64", item);
    return lib_answer(array, ret);
}

static enum vm_status answer_length(struct vm_ctx *ctx, const struct array_form *form, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_array(ctx, form, args[0]);

    if (status == VM_OK)
        *ret = vm_from_small(count_of(form, args[0]));
    return status;
}

/* An array and an index into it. */
static enum vm_status expect_place(struct vm_ctx *ctx, const struct array_form *form, const vm_value *args)
{
    enum vm_status status = expect_array(ctx, form, args[0]);

    if (status == VM_OK)
        status = lib_expect(ctx, args, "*I");
    if (status != VM_OK)
        return status;
    if (vm_int_of(args[1]) < 0 || vm_int_of(args[1]) >= count_of(form, args[0]))
        return vm_raise_panic(ctx, "Index %" PRId64 " out of bounds for %s of length %" PRId64, vm_int_of(args[1]),
                              form->name, count_of(form, args[0]));
    return VM_OK;
}

static enum vm_status answer_element(struct vm_ctx *ctx, const struct array_form *form, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_place(ctx, form, args);

    return status != VM_OK ? status : lib_answer(form->load(ctx, element(form, args[0], vm_int_of(args[1]))), ret);
}

static enum vm_status copy_with(struct vm_ctx *ctx, const struct array_form *form, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_place(ctx, form, args);
    vm_value array;

    if (status != VM_OK)
        return status;
    array = new_array(ctx, form, (uint64_t)count_of(form, args[0]));
    if (array == VM_NONE)
        return VM_NOMEM;
    memcpy(vm_object(array) + 1, vm_object(args[0]) + 1, (size_t)count_of(form, args[0]) * form->bytes);
    if (!form->store(element(form, array, vm_int_of(args[1])), args[2]))
        return vm_raise_type(ctx, form->kind == VM_KIND_INT64_ARRAY ? "Int64" : "Float64", args[2]);
    return lib_answer(array, ret);
}

static enum vm_status to_list(struct vm_ctx *ctx, const struct array_form *form, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_array(ctx, form, args[0]);
    int64_t count;
    vm_value list;

    if (status != VM_OK)
        return status;
    count = count_of(form, args[0]);
    list = vm_list_make(ctx, (uint64_t)count);
    if (list == VM_NONE)
        return VM_NOMEM;
    lib_worked(ctx, (uint64_t)count);
    VM_ROOT(ctx, list);
    for (int64_t i = 0; status == VM_OK && i < count; i++) {
        vm_value item = form->widen(ctx, element(form, args[0], i));

        if (item == VM_NONE)
            status = VM_NOMEM;
        else
            vm_list_init_at(list, (uint64_t)i, item);
    }
    VM_UNROOT(ctx, list);
    *ret = list;
    return status;
}

static enum vm_status array_sum_int64(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    uint64_t sum = 0; /* unsigned: wraps */
    struct vm_list_walk walk;
    vm_value item;

    if (vm_is_kind(args[0], VM_KIND_INT64_ARRAY)) {
        for (uint32_t i = 0; i < vm_size(args[0]); i++)
            sum += vm_field(args[0], i);
        lib_worked(ctx, vm_size(args[0]));
        return lib_answer_int(ctx, (int64_t)sum, ret);
    }
    if (!vm_is_list(args[0]))
        return vm_raise_type(ctx, "Int64Array", args[0]);
    for (vm_list_walk(&walk, args[0]); vm_list_next(&walk, &item);) {
        if (!vm_is_int(item))
            return vm_raise_type(ctx, "Int64", item);
        sum += (uint64_t)vm_int_of(item);
    }
    return lib_answer_int(ctx, (int64_t)sum, ret);
}

#define INSTANCE(function, general, form) \
    static enum vm_status function(struct vm_ctx *ctx, vm_value *args, vm_value *ret) \
    { \
        return general(ctx, &form, args, ret); \
    }
#define INSTANCES(name, form) \
    INSTANCE(array_##name##_new, make_zeros, form) \
    INSTANCE(array_##name##_make, make_filled, form) \
    INSTANCE(array_##name##_from_list, from_list, form) \
    INSTANCE(array_##name##_length, answer_length, form) \
    INSTANCE(array_##name##_get, answer_element, form) \
    INSTANCE(array_##name##_set, copy_with, form) \
    INSTANCE(array_##name##_to_list, to_list, form)

INSTANCES(int64, int64_form)
INSTANCES(float64, float64_form)
INSTANCES(float32, float32_form)

#define LIB_TABLE "lib/array.def"
#define LIB_REGISTER lib_register_array
#include "lib/table.h"
