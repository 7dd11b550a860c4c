/*
 * number.c - natives of numbers: mathematics and conversions between the kinds.
 *
 * Arithmetic itself is vm/number.h's; here are the functions with names. None of them converts an argument silently:
 * sqrt(4) is an error, min(1, 2.5) is not, as Int and Float may be compared.
 */
#include "config.h"

#include <inttypes.h>
#include <math.h>

#include "base/utf8.h"
#include "lib/expect.h"
#include "vm/compare.h"
#include "vm/except.h"
#include "vm/number.h"
#include "vm/print.h"
#include "vm/type.h"

static bool is_negative(vm_value v)
{
    if (vm_is_int(v))
        return vm_int_of(v) < 0;
    if (vm_is_object(v))
        return (vm_kind(v) == VM_KIND_BIGINT || vm_kind(v) == VM_KIND_DECIMAL) && vm_aux(v) == 1;
    switch (vm_sort(v)) {
    case VM_SORT_INT8:
    case VM_SORT_INT16:
    case VM_SORT_INT32:
        return vm_payload_signed(v) < 0;
    default:
        return false;
    }
}

static float float32_of(vm_value v)
{
    uint32_t bits = (uint32_t)vm_payload(v);
    float f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

static vm_value from_float32(float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    return VM_IMMEDIATE(VM_SORT_FLOAT32, bits);
}

static enum vm_status number_abs(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    if (!vm_is_number(args[0]))
        return vm_raise_type(ctx, "numeric type", args[0]);
    if (vm_is_float(args[0]))
        return lib_answer(vm_float(ctx, fabs(vm_float_of(args[0]))), ret);
    if (vm_is_sort(args[0], VM_SORT_FLOAT32))
        return lib_answer(from_float32(fabsf(float32_of(args[0]))), ret);
    if (is_negative(args[0]))
        return vm_negate(ctx, args[0], ret);
    *ret = args[0];
    return VM_OK;
}

/* The chosen one of two numbers; a Float if one of them is. */
static enum vm_status choose(struct vm_ctx *ctx, vm_value chosen, vm_value other, vm_value *ret)
{
    if (vm_is_float(other) && vm_is_int(chosen))
        return vm_convert(ctx, chosen, VM_CLASS_FLOAT, ret);
    *ret = chosen;
    return VM_OK;
}

/* The smaller (sign 1) or larger (sign -1) of two values that are no numbers; the first of equal ones. */
static enum vm_status extreme_value(struct vm_ctx *ctx, vm_value *args, int sign, const char *what, vm_value *ret)
{
    enum vm_order order = vm_compare(args[0], args[1]);

    if (order == VM_INCOMPARABLE)
        return vm_raise_panic(ctx, "%s: unsupported types %s and %s", what, vm_kind_word(args[0]),
                              vm_kind_word(args[1]));
    *ret = order == VM_UNORDERED || (int)order * sign <= 0 ? args[0] : args[1];
    return VM_OK;
}

/* The smaller (sign 1) or larger (sign -1) of two values; a NaN loses. */
static enum vm_status extreme(struct vm_ctx *ctx, vm_value *args, int sign, const char *what, vm_value *ret)
{
    int order = -2;

    if (vm_is_number(args[0]) && vm_is_number(args[1]))
        order = vm_number_compare(args[0], args[1]);
    if (order == -2)
        return extreme_value(ctx, args, sign, what, ret);
    if (order == 2) {
        bool first_is_nan = vm_number_compare(args[0], args[0]) == 2;

        return first_is_nan ? choose(ctx, args[1], args[0], ret) : choose(ctx, args[0], args[1], ret);
    }
    return order * sign <= 0 ? choose(ctx, args[0], args[1], ret) : choose(ctx, args[1], args[0], ret);
}

static enum vm_status number_min(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return extreme(ctx, args, 1, "MinInt", ret);
}

static enum vm_status number_max(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return extreme(ctx, args, -1, "MaxInt", ret);
}

static enum vm_status number_pow(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return vm_arithmetic(ctx, VM_POW, args[0], args[1], ret);
}

static enum vm_status apply(struct vm_ctx *ctx, double (*function)(double), float (*function32)(float), vm_value v,
                            vm_value *ret)
{
    if (vm_is_float(v))
        return lib_answer(vm_float(ctx, function(vm_float_of(v))), ret);
    if (vm_is_sort(v, VM_SORT_FLOAT32))
        return lib_answer(from_float32(function32(float32_of(v))), ret);
    return vm_raise_type(ctx, "Float64", v);
}

static enum vm_status number_sqrt(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return apply(ctx, sqrt, sqrtf, args[0], ret);
}

static enum vm_status number_sin(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return apply(ctx, sin, sinf, args[0], ret);
}

static enum vm_status number_cos(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return apply(ctx, cos, cosf, args[0], ret);
}

static enum vm_status number_tan(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return apply(ctx, tan, tanf, args[0], ret);
}

static enum vm_status number_log(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return apply(ctx, log, logf, args[0], ret);
}

static enum vm_status number_log10(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return apply(ctx, log10, log10f, args[0], ret);
}

/* A float, rounded by `function`, as an Int: out of range saturates. */
static enum vm_status rounded(struct vm_ctx *ctx, double (*function)(double), vm_value v, vm_value *ret)
{
    double d;

    if (vm_is_float(v))
        d = function(vm_float_of(v));
    else if (vm_is_sort(v, VM_SORT_FLOAT32))
        d = function((double)float32_of(v));
    else
        return vm_raise_type(ctx, "Float64", v);
    if (isnan(d))
        return lib_answer_int(ctx, 0, ret);
    if (d >= 0x1p63)
        return lib_answer_int(ctx, INT64_MAX, ret);
    if (d < -0x1p63)
        return lib_answer_int(ctx, INT64_MIN, ret);
    return lib_answer_int(ctx, (int64_t)d, ret);
}

static enum vm_status number_floor(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return rounded(ctx, floor, args[0], ret);
}

static enum vm_status number_ceil(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return rounded(ctx, ceil, args[0], ret);
}

static enum vm_status number_round(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return rounded(ctx, round, args[0], ret);
}

static enum vm_status number_to_int(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    if (vm_is_sort(args[0], VM_SORT_CHAR))
        return lib_answer_int(ctx, (int64_t)vm_payload(args[0]), ret);
    return vm_convert(ctx, args[0], VM_CLASS_INT, ret);
}

#define CONVERSION(function, to_class) \
    static enum vm_status function(struct vm_ctx *ctx, vm_value *args, vm_value *ret) \
    { \
        return vm_convert(ctx, args[0], to_class, ret); \
    }

CONVERSION(number_to_float, VM_CLASS_FLOAT)
CONVERSION(number_to_float32, VM_CLASS_FLOAT32)
CONVERSION(number_to_int8, VM_CLASS_INT8)
CONVERSION(number_to_int16, VM_CLASS_INT16)
CONVERSION(number_to_int32, VM_CLASS_INT32)
CONVERSION(number_to_uint8, VM_CLASS_UINT8)
CONVERSION(number_to_uint16, VM_CLASS_UINT16)
CONVERSION(number_to_uint32, VM_CLASS_UINT32)
CONVERSION(number_to_uint64, VM_CLASS_UINT64)
CONVERSION(number_to_bigint, VM_CLASS_BIGINT)

static enum vm_status number_to_char(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    char encoded[4];
    int64_t n;

    if (status != VM_OK)
        return status;
    n = vm_int_of(args[0]);
    if (n < 0 || n > 0x10ffff || nb_utf8_encode((uint32_t)n, encoded) == 0)
        return vm_raise_panic(ctx, "toChar: %" PRId64 " is not a valid Unicode code point", n);
    *ret = vm_from_char((uint32_t)n);
    return VM_OK;
}

#define LIB_TABLE "lib/number.def"
#define LIB_REGISTER lib_register_number
#include "lib/table.h"
