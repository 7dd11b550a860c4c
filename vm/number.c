/*
 * number.c - numbers of every kind: boxes, arithmetic on equal and on mixed kinds, comparison, conversion.
 *
 * An operation first finds the class that both operands are brought to (03 §4.2), then works in that class. Fixed-width
 * integers are computed in 64 bits, unsigned, so that overflow is defined, and cut to their width when they become
 * values.
 */
#include "config.h"

#include "vm/number.h"

#include <math.h>

#include "base/assert.h"
#include "vm/bignum.h"
#include "vm/except.h"
#include "vm/object.h"
#include "vm/type.h"

/* ---- boxes ---- */

static vm_value new_box(struct vm_ctx *ctx, enum vm_kind kind, uint64_t bits)
{
    vm_value *object;

    if (!vm_heap_reserve(ctx, 2))
        return VM_NONE;
    object = vm_heap_take(&ctx->process->heap, 2);
    object[0] = VM_HEADER(kind, 0, 0, 1);
    object[1] = bits;
    return vm_from_object(object);
}

vm_value vm_int(struct vm_ctx *ctx, int64_t n)
{
    return vm_fits_small(n) ? vm_from_small(n) : new_box(ctx, VM_KIND_INT64, (uint64_t)n);
}

vm_value vm_float(struct vm_ctx *ctx, double d)
{
    uint64_t bits;

    if (vm_double_is_flonum(d))
        return vm_from_flonum(d);
    memcpy(&bits, &d, sizeof bits);
    return new_box(ctx, VM_KIND_FLOAT, bits);
}

vm_value vm_uint64(struct vm_ctx *ctx, uint64_t n)
{
    return new_box(ctx, VM_KIND_UINT64, n);
}

vm_value vm_float32(float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    return VM_IMMEDIATE(VM_SORT_FLOAT32, bits);
}

bool vm_is_int(vm_value v) { return vm_is_small(v) || vm_is_kind(v, VM_KIND_INT64); }

int64_t vm_int_of(vm_value v) { return vm_is_small(v) ? vm_small(v) : (int64_t)vm_field(v, 0); }

bool vm_is_float(vm_value v) { return vm_is_flonum(v) || vm_is_kind(v, VM_KIND_FLOAT); }

double vm_float_of(vm_value v)
{
    uint64_t bits;
    double d;

    if (vm_is_flonum(v))
        return vm_flonum(v);
    bits = vm_field(v, 0);
    memcpy(&d, &bits, sizeof d);
    return d;
}

float vm_float32_of(vm_value v)
{
    uint32_t bits = (uint32_t)vm_payload(v);
    float f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

/* ---- classes ---- */

/* A number's class, 0 for anything else. */
static uint32_t number_class(vm_value v)
{
    uint32_t class_key = vm_class_of(v);

    return class_key >= VM_CLASS_INT && class_key <= VM_CLASS_DECIMAL ? class_key : 0;
}

static bool is_integer_class(uint32_t class_key) { return class_key >= VM_CLASS_INT && class_key <= VM_CLASS_UINT64; }

static bool is_unsigned_class(uint32_t class_key)
{
    return class_key >= VM_CLASS_UINT8 && class_key <= VM_CLASS_UINT64;
}

bool vm_is_number(vm_value v) { return number_class(v) != 0; }

bool vm_integer_bits(vm_value v, int64_t *ret)
{
    if (vm_is_small(v)) {
        *ret = vm_small(v);
        return true;
    }
    if (!is_integer_class(number_class(v)))
        return false;
    *ret = vm_is_object(v) ? (int64_t)vm_field(v, 0) : vm_payload_signed(v);
    return true;
}

/* The value of a fixed-width class for a number of 64 bits, of which it keeps the low ones. */
static enum vm_status make_integer(struct vm_ctx *ctx, uint32_t class_key, uint64_t bits, vm_value *ret)
{
    switch (class_key) {
    case VM_CLASS_INT8:
        *ret = VM_IMMEDIATE(VM_SORT_INT8, (int64_t)(int8_t)bits);
        break;
    case VM_CLASS_INT16:
        *ret = VM_IMMEDIATE(VM_SORT_INT16, (int64_t)(int16_t)bits);
        break;
    case VM_CLASS_INT32:
        *ret = VM_IMMEDIATE(VM_SORT_INT32, (int64_t)(int32_t)bits);
        break;
    case VM_CLASS_UINT8:
        *ret = VM_IMMEDIATE(VM_SORT_UINT8, (uint8_t)bits);
        break;
    case VM_CLASS_UINT16:
        *ret = VM_IMMEDIATE(VM_SORT_UINT16, (uint16_t)bits);
        break;
    case VM_CLASS_UINT32:
        *ret = VM_IMMEDIATE(VM_SORT_UINT32, (uint32_t)bits);
        break;
    case VM_CLASS_UINT64:
        *ret = vm_uint64(ctx, bits);
        break;
    default:
        *ret = vm_int(ctx, (int64_t)bits);
        break;
    }
    return *ret == VM_NONE ? VM_NOMEM : VM_OK;
}

static enum vm_status make_float(struct vm_ctx *ctx, double d, vm_value *ret)
{
    *ret = vm_float(ctx, d);
    return *ret == VM_NONE ? VM_NOMEM : VM_OK;
}

/* The class two operands are brought to, 0 when there is none. A plain Int takes the other's class, but that of
 * Decimal. */
static uint32_t common_class(uint32_t left, uint32_t right)
{
    uint32_t other;

    if (left == right)
        return left;
    if ((left == VM_CLASS_BIGINT && right == VM_CLASS_INT32) || (left == VM_CLASS_INT32 && right == VM_CLASS_BIGINT))
        return VM_CLASS_BIGINT;
    if (left != VM_CLASS_INT && right != VM_CLASS_INT)
        return 0;
    other = left == VM_CLASS_INT ? right : left;
    return other == VM_CLASS_DECIMAL ? 0 : other;
}

static double as_double(vm_value v)
{
    int64_t n;

    if (vm_is_float(v))
        return vm_float_of(v);
    return vm_integer_bits(v, &n) ? (double)n : 0.0; /* only Int comes here */
}

static float as_single(vm_value v)
{
    int64_t n;

    if (vm_is_sort(v, VM_SORT_FLOAT32))
        return vm_float32_of(v);
    return vm_integer_bits(v, &n) ? (float)n : 0.0f;
}

/* ---- arithmetic within a class ---- */

static uint64_t integer_power(uint64_t base, uint64_t exponent)
{
    uint64_t result = 1;

    for (; exponent != 0; exponent >>= 1, base *= base)
        if (exponent & 1)
            result *= base;
    return result;
}

/* a / b or a % b, b not zero; the smallest number divided by -1 wraps. */
static uint64_t integer_divide(enum vm_arith op, bool is_unsigned, int64_t a, int64_t b)
{
    if (is_unsigned)
        return op == VM_DIV ? (uint64_t)a / (uint64_t)b : (uint64_t)a % (uint64_t)b;
    if (b == -1)
        return op == VM_DIV ? -(uint64_t)a : 0;
    return (uint64_t)(op == VM_DIV ? a / b : a % b);
}

/* An operand in a class: an Int that meets a sized integer is cut to its width first. */
static int64_t cut_to_class(uint32_t class_key, int64_t n)
{
    switch (class_key) {
    case VM_CLASS_INT8:
        return (int8_t)n;
    case VM_CLASS_INT16:
        return (int16_t)n;
    case VM_CLASS_INT32:
        return (int32_t)n;
    case VM_CLASS_UINT8:
        return (uint8_t)n;
    case VM_CLASS_UINT16:
        return (uint16_t)n;
    case VM_CLASS_UINT32:
        return (uint32_t)n;
    default:
        return n;
    }
}

static enum vm_status integer_arithmetic(struct vm_ctx *ctx, uint32_t class_key, enum vm_arith op, int64_t a, int64_t b,
                                         vm_value *ret)
{
    bool is_unsigned = is_unsigned_class(class_key);
    uint64_t result = 0;

    a = cut_to_class(class_key, a);
    b = cut_to_class(class_key, b);
    if ((op == VM_DIV || op == VM_MOD) && b == 0)
        return vm_raise_kind(ctx, "DivisionByZero", "Division by zero");
    if (op == VM_POW && !is_unsigned && b < 0)
        return vm_raise_panic(ctx, "PowInt: negative exponent for %s", vm_class_name(class_key));
    switch (op) {
    case VM_ADD:
        result = (uint64_t)a + (uint64_t)b;
        break;
    case VM_SUB:
        result = (uint64_t)a - (uint64_t)b;
        break;
    case VM_MUL:
        result = (uint64_t)a * (uint64_t)b;
        break;
    case VM_DIV:
    case VM_MOD:
        result = integer_divide(op, is_unsigned, a, b);
        break;
    case VM_POW:
        result = integer_power((uint64_t)a, (uint64_t)b);
        break;
    }
    return make_integer(ctx, class_key, result, ret);
}

static double float_operate(enum vm_arith op, double a, double b)
{
    switch (op) {
    case VM_ADD:
        return a + b;
    case VM_SUB:
        return a - b;
    case VM_MUL:
        return a * b;
    case VM_DIV:
        return a / b;
    case VM_MOD:
        return fmod(a, b);
    case VM_POW:
        return pow(a, b);
    }
    nb_unreachable();
}

/* Exact for + - * / although computed in doubles: a double has more than twice a float's digits. */
static float single_operate(enum vm_arith op, float a, float b)
{
    return (float)float_operate(op, (double)a, (double)b);
}

enum vm_status vm_arithmetic(struct vm_ctx *ctx, enum vm_arith op, vm_value left, vm_value right, vm_value *ret)
{
    uint32_t left_class = number_class(left), right_class = number_class(right);
    uint32_t class_key = left_class == 0 || right_class == 0 ? 0 : common_class(left_class, right_class);
    int64_t a, b;

    switch (class_key) {
    case 0:
        return vm_raise_type(ctx, "matching numeric types", left_class == 0 ? left : right);
    case VM_CLASS_FLOAT:
        return make_float(ctx, float_operate(op, as_double(left), as_double(right)), ret);
    case VM_CLASS_FLOAT32:
        *ret = vm_float32(single_operate(op, as_single(left), as_single(right)));
        return VM_OK;
    case VM_CLASS_BIGINT:
        return vm_bigint_arithmetic(ctx, op, left, right, ret);
    case VM_CLASS_DECIMAL:
        return vm_decimal_arithmetic(ctx, op, left, right, ret);
    default:
        if (!vm_integer_bits(left, &a) || !vm_integer_bits(right, &b))
            nb_unreachable();
        return integer_arithmetic(ctx, class_key, op, a, b, ret);
    }
}

enum vm_status vm_negate(struct vm_ctx *ctx, vm_value v, vm_value *ret)
{
    uint32_t class_key = number_class(v);
    int64_t n;

    switch (class_key) {
    case 0:
        return vm_raise_type(ctx, "numeric", v);
    case VM_CLASS_FLOAT:
        return make_float(ctx, -vm_float_of(v), ret);
    case VM_CLASS_FLOAT32:
        *ret = vm_float32(-vm_float32_of(v));
        return VM_OK;
    case VM_CLASS_BIGINT:
        return vm_bigint_negate(ctx, v, ret);
    case VM_CLASS_DECIMAL:
        return vm_decimal_negate(ctx, v, ret);
    default:
        break;
    }
    if (is_unsigned_class(class_key))
        return vm_raise_panic(ctx, "Neg: cannot negate %s", vm_class_name(class_key));
    if (!vm_integer_bits(v, &n))
        nb_unreachable();
    return make_integer(ctx, class_key, -(uint64_t)n, ret);
}

/* ---- comparison ---- */

static int compare_doubles(double a, double b)
{
    if (isnan(a) || isnan(b))
        return 2;
    return (a > b) - (a < b);
}

/* Numerically, whatever the widths: a UInt64 above the Ints is greater than each of them. */
static int compare_integers(vm_value left, vm_value right)
{
    int64_t a, b;

    if (!vm_integer_bits(left, &a) || !vm_integer_bits(right, &b))
        nb_unreachable();
    bool huge_a = a < 0 && vm_is_kind(left, VM_KIND_UINT64), huge_b = b < 0 && vm_is_kind(right, VM_KIND_UINT64);
    if (huge_a != huge_b)
        return huge_a ? 1 : -1;
    return (a > b) - (a < b); /* two huge ones are in this order, too */
}

int vm_number_compare(vm_value left, vm_value right)
{
    uint32_t left_class = number_class(left), right_class = number_class(right);
    uint32_t class_key = left_class == 0 || right_class == 0 ? 0 : common_class(left_class, right_class);

    switch (class_key) {
    case 0:
        return -2;
    case VM_CLASS_FLOAT:
        return compare_doubles(as_double(left), as_double(right));
    case VM_CLASS_FLOAT32:
        return compare_doubles((double)as_single(left), (double)as_single(right));
    case VM_CLASS_BIGINT:
        return vm_bigint_compare(left, right);
    case VM_CLASS_DECIMAL:
        return vm_decimal_compare(left, right);
    default:
        return compare_integers(left, right);
    }
}

/* ---- conversion ---- */

/* Toward zero; what is out of range becomes the nearest bound, NaN becomes 0. `low` and `limit` (the first number above
 * the range) are powers of two, hence exact as doubles. */
static uint64_t truncate_double(double d, double low, double limit, uint64_t low_bits, uint64_t high_bits)
{
    if (isnan(d))
        return 0;
    if (d <= low)
        return low_bits;
    if (d >= limit)
        return high_bits;
    return d < 0 ? (uint64_t)(int64_t)d : (uint64_t)d;
}

static uint64_t double_to_class(double d, uint32_t class_key)
{
    unsigned bits = class_key == VM_CLASS_INT8 || class_key == VM_CLASS_UINT8     ? 8
                    : class_key == VM_CLASS_INT16 || class_key == VM_CLASS_UINT16 ? 16
                    : class_key == VM_CLASS_INT32 || class_key == VM_CLASS_UINT32 ? 32
                                                                                   : 64;
    double half = ldexp(1.0, (int)bits - 1);

    if (is_unsigned_class(class_key))
        return truncate_double(d, 0.0, 2 * half, 0, UINT64_MAX >> (64 - bits));
    return truncate_double(d, -half, half, -(UINT64_C(1) << (bits - 1)), (UINT64_C(1) << (bits - 1)) - 1);
}

static enum vm_status bigint_to_int(struct vm_ctx *ctx, vm_value v, vm_value *ret)
{
    struct vm_bignum view;

    vm_bignum_view(&view, v);
    if (!mpz_fits_slong_p(view.number))
        return vm_raise_panic(ctx, "BigInt too large for Int64");
    return make_integer(ctx, VM_CLASS_INT, (uint64_t)mpz_get_si(view.number), ret);
}

static enum vm_status decimal_to_int(struct vm_ctx *ctx, vm_value v, vm_value *ret)
{
    mpz_t whole;
    int64_t n;

    mpz_init(whole);
    vm_decimal_truncate(whole, v);
    if (mpz_fits_slong_p(whole))
        n = mpz_get_si(whole);
    else
        n = mpz_sgn(whole) < 0 ? INT64_MIN : INT64_MAX;
    mpz_clear(whole);
    return make_integer(ctx, VM_CLASS_INT, (uint64_t)n, ret);
}

static enum vm_status convert_to_integer(struct vm_ctx *ctx, vm_value v, uint32_t from, uint32_t to, vm_value *ret)
{
    int64_t n;

    if (vm_integer_bits(v, &n))
        return make_integer(ctx, to, (uint64_t)n, ret);
    if (from == VM_CLASS_FLOAT)
        return make_integer(ctx, to, double_to_class(vm_float_of(v), to), ret);
    if (from == VM_CLASS_FLOAT32)
        return make_integer(ctx, to, double_to_class((double)vm_float32_of(v), to), ret);
    if (to != VM_CLASS_INT)
        return vm_raise_type(ctx, "fixed-width integer or float", v);
    if (vm_is_sort(v, VM_SORT_CHAR))
        return make_integer(ctx, to, vm_payload(v), ret);
    if (from == VM_CLASS_BIGINT)
        return bigint_to_int(ctx, v, ret);
    if (from == VM_CLASS_DECIMAL)
        return decimal_to_int(ctx, v, ret);
    return vm_raise_type(ctx, "numeric", v);
}

/* Nearest double to a BigInt or Decimal: by way of its digits, which the C library rounds correctly. */
static double big_to_double(vm_value v)
{
    struct nb_buf digits = NB_BUF_INIT;
    double d = 0.0;

    vm_number_print(&digits, v);
    if (!digits.failed)
        vm_parse_float(nb_buf_cstr(&digits), digits.length, &d);
    nb_buf_done(&digits);
    return d;
}

static double integer_to_double(vm_value v, int64_t bits)
{
    return vm_is_kind(v, VM_KIND_UINT64) ? (double)(uint64_t)bits : (double)bits;
}

static enum vm_status convert_to_float(struct vm_ctx *ctx, vm_value v, uint32_t from, vm_value *ret)
{
    int64_t n;

    if (vm_integer_bits(v, &n))
        return make_float(ctx, integer_to_double(v, n), ret);
    if (from == VM_CLASS_FLOAT32)
        return make_float(ctx, (double)vm_float32_of(v), ret);
    if (from == VM_CLASS_BIGINT || from == VM_CLASS_DECIMAL)
        return make_float(ctx, big_to_double(v), ret);
    return vm_raise_type(ctx, "numeric", v);
}

static enum vm_status convert_to_float32(struct vm_ctx *ctx, vm_value v, uint32_t from, vm_value *ret)
{
    int64_t n;

    if (vm_integer_bits(v, &n))
        *ret = vm_float32(vm_is_kind(v, VM_KIND_UINT64) ? (float)(uint64_t)n : (float)n);
    else if (from == VM_CLASS_FLOAT)
        *ret = vm_float32((float)vm_float_of(v));
    else
        return vm_raise_type(ctx, "fixed-width integer or float", v);
    return VM_OK;
}

/* The whole number of any width as a BigInt or a Decimal. */
static enum vm_status convert_to_big(struct vm_ctx *ctx, vm_value v, uint32_t to, vm_value *ret)
{
    int64_t n;
    mpz_t number;
    bool fits = true;

    if (vm_is_kind(v, VM_KIND_BIGINT)) {
        struct vm_bignum view;

        vm_bignum_view(&view, v);
        mpz_init_set(number, view.number);
    } else if (!vm_integer_bits(v, &n)) {
        return vm_raise_type(ctx, "integer", v);
    } else if (vm_is_kind(v, VM_KIND_UINT64)) {
        mpz_init_set_ui(number, (uint64_t)n);
    } else {
        mpz_init_set_si(number, n);
    }
    if (to == VM_CLASS_DECIMAL)
        fits = vm_decimal_new(ctx, number, 0, ret);
    else
        *ret = vm_bigint_new(ctx, number);
    mpz_clear(number);
    if (!fits)
        return vm_raise_panic(ctx, "Decimal too large");
    return *ret == VM_NONE ? VM_NOMEM : VM_OK;
}

enum vm_status vm_convert(struct vm_ctx *ctx, vm_value v, uint32_t to_class, vm_value *ret)
{
    uint32_t from = number_class(v);

    nb_assert(to_class >= VM_CLASS_INT && to_class <= VM_CLASS_DECIMAL);
    if (from == to_class) {
        *ret = v;
        return VM_OK;
    }
    switch (to_class) {
    case VM_CLASS_FLOAT:
        return convert_to_float(ctx, v, from, ret);
    case VM_CLASS_FLOAT32:
        return convert_to_float32(ctx, v, from, ret);
    case VM_CLASS_BIGINT:
    case VM_CLASS_DECIMAL:
        return convert_to_big(ctx, v, to_class, ret);
    default:
        return convert_to_integer(ctx, v, from, to_class, ret);
    }
}
