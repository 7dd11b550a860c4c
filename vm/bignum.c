/*
 * bignum.c - BigInt and Decimal on GMP's integers.
 *
 * A Decimal that gets too long is rounded to the nearest, ties to even. Division keeps a "sticky" last digit when there
 * is a remainder, so that rounding its quotient once is exact.
 */
#include "config.h"

#include "vm/bignum.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "vm/except.h"

_Static_assert(sizeof(mp_limb_t) == sizeof(vm_value) && GMP_NAIL_BITS == 0, "a limb is a word");

/* ---- objects ---- */

static void view_limbs(mpz_t number, const vm_value *limbs, uint32_t count, bool negative)
{
    mpz_roinit_n(number, (const mp_limb_t *)limbs, negative ? -(mp_size_t)count : (mp_size_t)count);
}

void vm_bignum_view(struct vm_bignum *view, vm_value integer)
{
    int64_t n;

    if (vm_is_kind(integer, VM_KIND_BIGINT)) {
        view_limbs(view->number, vm_object(integer) + 1, vm_size(integer), vm_aux(integer) == 1);
        return;
    }
    bool is_integer = vm_integer_bits(integer, &n);
    nb_assert(is_integer);
    view->limb = n < 0 ? -(uint64_t)n : (uint64_t)n;
    mpz_roinit_n(view->number, &view->limb, n < 0 ? -1 : 1);
}

/* An object of `head` raw words and the limbs of a number. */
static vm_value *new_object(struct vm_ctx *ctx, enum vm_kind kind, unsigned head, const mpz_t number)
{
    size_t limbs = mpz_size(number), words = 1 + head + limbs;
    bool negative = mpz_sgn(number) < 0;
    vm_value *object;

    if (ctx == NULL)
        object = nb_alloc_array(words, sizeof *object);
    else
        object = vm_heap_reserve(ctx, words) ? vm_heap_take(&ctx->process->heap, words) : NULL;
    if (object == NULL)
        return NULL;
    object[0] = VM_HEADER(kind, ctx == NULL ? VM_FLAG_IMMORTAL : 0, negative, words - 1);
    if (limbs > 0)
        memcpy(object + 1 + head, mpz_limbs_read(number), limbs * sizeof(mp_limb_t));
    return object;
}

vm_value vm_bigint_new(struct vm_ctx *ctx, const mpz_t number)
{
    return vm_from_object(new_object(ctx, VM_KIND_BIGINT, 0, number));
}

uint32_t vm_decimal_view(mpz_t coefficient, vm_value decimal)
{
    view_limbs(coefficient, vm_object(decimal) + 2, vm_size(decimal) - 1, vm_aux(decimal) == 1);
    return (uint32_t)vm_field(decimal, 0);
}

/* ---- BigInt ---- */

static enum vm_status divide_by_zero(struct vm_ctx *ctx)
{
    return vm_raise_kind(ctx, "DivisionByZero", "Division by zero");
}

static uint64_t bits_of(const mpz_t number) { return mpz_sizeinbase(number, 2); }

static enum vm_status bigint_power(struct vm_ctx *ctx, mpz_t result, const mpz_t base, const mpz_t exponent)
{
    unsigned long times;

    if (mpz_sgn(exponent) < 0)
        return vm_raise_panic(ctx, "PowInt: negative exponent for BigInt");
    if (!mpz_fits_ulong_p(exponent) || mpz_get_ui(exponent) > UINT32_MAX)
        return vm_raise_panic(ctx, "PowInt: exponent too large for BigInt");
    times = mpz_get_ui(exponent);
    if (mpz_cmpabs_ui(base, 1) > 0 && bits_of(base) * times > VM_BIGINT_BITS_MAX)
        return vm_raise_panic(ctx, "BigInt too large");
    mpz_pow_ui(result, base, times);
    return VM_OK;
}

/* result = left ⊕ right; result is initialised. */
static enum vm_status bigint_operate(struct vm_ctx *ctx, enum vm_arith op, mpz_t result, const mpz_t left,
                                     const mpz_t right)
{
    if ((op == VM_DIV || op == VM_MOD) && mpz_sgn(right) == 0)
        return divide_by_zero(ctx);
    if (op == VM_MUL && bits_of(left) + bits_of(right) > VM_BIGINT_BITS_MAX)
        return vm_raise_panic(ctx, "BigInt too large");
    switch (op) {
    case VM_ADD:
        mpz_add(result, left, right);
        break;
    case VM_SUB:
        mpz_sub(result, left, right);
        break;
    case VM_MUL:
        mpz_mul(result, left, right);
        break;
    case VM_DIV:
        mpz_tdiv_q(result, left, right);
        break;
    case VM_MOD:
        mpz_tdiv_r(result, left, right);
        break;
    case VM_POW:
        return bigint_power(ctx, result, left, right);
    }
    return bits_of(result) > VM_BIGINT_BITS_MAX ? vm_raise_panic(ctx, "BigInt too large") : VM_OK;
}

enum vm_status vm_bigint_arithmetic(struct vm_ctx *ctx, enum vm_arith op, vm_value left, vm_value right, vm_value *ret)
{
    struct vm_bignum a, b;
    enum vm_status status;
    mpz_t result;

    vm_bignum_view(&a, left);
    vm_bignum_view(&b, right);
    ctx->reductions -= (int64_t)(mpz_size(a.number) + mpz_size(b.number));
    mpz_init(result);
    status = bigint_operate(ctx, op, result, a.number, b.number);
    ctx->reductions -= (int64_t)mpz_size(result); /* of a power: more than of its operands */
    if (status == VM_OK) {
        *ret = vm_bigint_new(ctx, result);
        status = *ret == VM_NONE ? VM_NOMEM : VM_OK;
    }
    mpz_clear(result);
    return status;
}

enum vm_status vm_bigint_negate(struct vm_ctx *ctx, vm_value v, vm_value *ret)
{
    struct vm_bignum view;
    mpz_t result;

    vm_bignum_view(&view, v);
    mpz_init(result);
    mpz_neg(result, view.number);
    *ret = vm_bigint_new(ctx, result);
    mpz_clear(result);
    return *ret == VM_NONE ? VM_NOMEM : VM_OK;
}

static int sign_of(int order) { return (order > 0) - (order < 0); }

int vm_bigint_compare(vm_value left, vm_value right)
{
    struct vm_bignum a, b;

    vm_bignum_view(&a, left);
    vm_bignum_view(&b, right);
    return sign_of(mpz_cmp(a.number, b.number));
}

/* ---- Decimal ---- */

struct decimal { mpz_t coefficient; uint32_t scale; };

static void scale_up(mpz_t number, uint32_t digits)
{
    mpz_t factor;

    if (digits == 0)
        return;
    mpz_init(factor);
    mpz_ui_pow_ui(factor, 10, digits);
    mpz_mul(number, number, factor);
    mpz_clear(factor);
}

/* Divide by 10^digits, to the nearest, ties to even. */
static void round_off(mpz_t number, uint32_t digits)
{
    mpz_t divisor, rest;

    mpz_init(divisor);
    mpz_init(rest);
    mpz_ui_pow_ui(divisor, 10, digits);
    mpz_tdiv_qr(number, rest, number, divisor);
    mpz_mul_2exp(rest, rest, 1);
    int order = mpz_cmpabs(rest, divisor);
    if (order > 0 || (order == 0 && mpz_odd_p(number))) {
        if (mpz_sgn(rest) < 0)
            mpz_sub_ui(number, number, 1);
        else
            mpz_add_ui(number, number, 1);
    }
    mpz_clear(rest);
    mpz_clear(divisor);
}

static uint32_t digits_of(const mpz_t number)
{
    size_t digits = mpz_sizeinbase(number, 10); /* exact or one too many */
    mpz_t power;
    bool less;

    if (mpz_sgn(number) == 0)
        return 1;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, digits - 1);
    less = mpz_cmpabs(number, power) < 0;
    mpz_clear(power);
    return (uint32_t)(less ? digits - 1 : digits);
}

/* Round to what a Decimal can hold. False when the whole part alone is too long. */
static bool decimal_fit(mpz_t coefficient, uint32_t *scale)
{
    for (;;) {
        uint32_t digits = digits_of(coefficient);
        uint32_t excess = digits > VM_DECIMAL_DIGITS ? digits - VM_DECIMAL_DIGITS : 0;

        if (*scale > VM_DECIMAL_DIGITS && *scale - VM_DECIMAL_DIGITS > excess)
            excess = *scale - VM_DECIMAL_DIGITS;
        if (excess == 0)
            return true;
        if (excess > *scale)
            return false;
        round_off(coefficient, excess);
        *scale -= excess;
    }
}

bool vm_decimal_new(struct vm_ctx *ctx, mpz_t coefficient, uint32_t scale, vm_value *ret)
{
    vm_value *object;

    if (!decimal_fit(coefficient, &scale))
        return false;
    object = new_object(ctx, VM_KIND_DECIMAL, 1, coefficient);
    if (object != NULL)
        object[1] = scale;
    *ret = vm_from_object(object);
    return true;
}

static void decimal_load(struct decimal *decimal, vm_value v)
{
    mpz_t view;

    decimal->scale = vm_decimal_view(view, v);
    mpz_init_set(decimal->coefficient, view);
}

static void decimal_align(struct decimal *a, struct decimal *b)
{
    uint32_t scale = a->scale > b->scale ? a->scale : b->scale;

    scale_up(a->coefficient, scale - a->scale);
    scale_up(b->coefficient, scale - b->scale);
    a->scale = b->scale = scale;
}

/* a = a / b, b not zero: as many digits as make it exact, else some more than a Decimal holds. */
static void decimal_divide(struct decimal *a, struct decimal *b)
{
    uint32_t preferred = a->scale > b->scale ? a->scale - b->scale : 0;
    uint32_t shift = VM_DECIMAL_DIGITS + 2 + digits_of(b->coefficient) + b->scale;
    mpz_t rest;

    mpz_init(rest);
    scale_up(a->coefficient, shift);
    a->scale += shift - b->scale;
    mpz_tdiv_qr(a->coefficient, rest, a->coefficient, b->coefficient);
    if (mpz_sgn(rest) != 0) {
        int sign = mpz_sgn(rest) * mpz_sgn(b->coefficient) < 0 ? -1 : 1;

        if (mpz_sgn(a->coefficient) != 0)
            sign = mpz_sgn(a->coefficient);
        mpz_mul_ui(a->coefficient, a->coefficient, 10);
        if (sign < 0)
            mpz_sub_ui(a->coefficient, a->coefficient, 1);
        else
            mpz_add_ui(a->coefficient, a->coefficient, 1);
        a->scale++;
    } else {
        while (a->scale > preferred && mpz_divisible_ui_p(a->coefficient, 10)) {
            mpz_divexact_ui(a->coefficient, a->coefficient, 10);
            a->scale--;
        }
    }
    mpz_clear(rest);
}

static enum vm_status too_large(struct vm_ctx *ctx) { return vm_raise_panic(ctx, "Decimal too large"); }

/* a = a * b, rounded. */
static bool decimal_multiply(struct decimal *a, const struct decimal *b)
{
    mpz_mul(a->coefficient, a->coefficient, b->coefficient);
    a->scale += b->scale;
    return decimal_fit(a->coefficient, &a->scale);
}

/* a = a ^ times, by squaring. */
static bool decimal_raise(struct decimal *a, unsigned long times)
{
    struct decimal square = { .scale = a->scale };
    bool fits = true;

    mpz_init_set(square.coefficient, a->coefficient);
    mpz_set_ui(a->coefficient, 1);
    a->scale = 0;
    while (times != 0 && fits) {
        if (times & 1)
            fits = decimal_multiply(a, &square);
        times >>= 1;
        if (times != 0 && fits)
            fits = decimal_multiply(&square, &square);
    }
    mpz_clear(square.coefficient);
    return fits;
}

static enum vm_status decimal_power(struct vm_ctx *ctx, struct decimal *a, struct decimal *exponent)
{
    mpz_t power_of_ten;
    bool integral;
    long times;

    mpz_init(power_of_ten);
    mpz_ui_pow_ui(power_of_ten, 10, exponent->scale);
    integral = mpz_divisible_p(exponent->coefficient, power_of_ten);
    if (integral)
        mpz_divexact(exponent->coefficient, exponent->coefficient, power_of_ten);
    mpz_clear(power_of_ten);
    if (!integral)
        return vm_raise_panic(ctx, "PowDecimal: exponent must be an integer");
    if (!mpz_fits_sint_p(exponent->coefficient))
        return vm_raise_panic(ctx, "PowDecimal: exponent too large");
    times = mpz_get_si(exponent->coefficient);
    if (times < 0 && mpz_sgn(a->coefficient) == 0)
        return divide_by_zero(ctx);
    if (!decimal_raise(a, times < 0 ? -(unsigned long)times : (unsigned long)times))
        return too_large(ctx);
    if (times >= 0)
        return VM_OK;
    if (mpz_sgn(a->coefficient) == 0) /* so small that it was rounded away: its inverse is out of range */
        return too_large(ctx);
    struct decimal one = { .scale = 0 };
    mpz_init_set_ui(one.coefficient, 1);
    decimal_divide(&one, a);
    mpz_swap(a->coefficient, one.coefficient);
    a->scale = one.scale;
    mpz_clear(one.coefficient);
    return VM_OK;
}

/* a = a ⊕ b */
static enum vm_status decimal_operate(struct vm_ctx *ctx, enum vm_arith op, struct decimal *a, struct decimal *b)
{
    if ((op == VM_DIV || op == VM_MOD) && mpz_sgn(b->coefficient) == 0)
        return divide_by_zero(ctx);
    switch (op) {
    case VM_ADD:
        decimal_align(a, b);
        mpz_add(a->coefficient, a->coefficient, b->coefficient);
        break;
    case VM_SUB:
        decimal_align(a, b);
        mpz_sub(a->coefficient, a->coefficient, b->coefficient);
        break;
    case VM_MUL:
        return decimal_multiply(a, b) ? VM_OK : too_large(ctx);
    case VM_DIV:
        decimal_divide(a, b);
        break;
    case VM_MOD:
        decimal_align(a, b);
        mpz_tdiv_r(a->coefficient, a->coefficient, b->coefficient);
        break;
    case VM_POW:
        return decimal_power(ctx, a, b);
    }
    return VM_OK;
}

enum vm_status vm_decimal_arithmetic(struct vm_ctx *ctx, enum vm_arith op, vm_value left, vm_value right, vm_value *ret)
{
    struct decimal a, b;
    enum vm_status status;

    decimal_load(&a, left);
    decimal_load(&b, right);
    status = decimal_operate(ctx, op, &a, &b);
    if (status == VM_OK) {
        if (!vm_decimal_new(ctx, a.coefficient, a.scale, ret))
            status = too_large(ctx);
        else if (*ret == VM_NONE)
            status = VM_NOMEM;
    }
    mpz_clear(b.coefficient);
    mpz_clear(a.coefficient);
    return status;
}

enum vm_status vm_decimal_negate(struct vm_ctx *ctx, vm_value v, vm_value *ret)
{
    struct decimal decimal;

    decimal_load(&decimal, v);
    mpz_neg(decimal.coefficient, decimal.coefficient);
    bool fits = vm_decimal_new(ctx, decimal.coefficient, decimal.scale, ret);
    nb_assert(fits);
    mpz_clear(decimal.coefficient);
    return *ret == VM_NONE ? VM_NOMEM : VM_OK;
}

int vm_decimal_compare(vm_value left, vm_value right)
{
    struct decimal a, b;
    int order;

    decimal_load(&a, left);
    decimal_load(&b, right);
    decimal_align(&a, &b);
    order = sign_of(mpz_cmp(a.coefficient, b.coefficient));
    mpz_clear(b.coefficient);
    mpz_clear(a.coefficient);
    return order;
}

void vm_decimal_truncate(mpz_t whole, vm_value decimal)
{
    mpz_t coefficient, divisor;
    uint32_t scale = vm_decimal_view(coefficient, decimal);

    mpz_init(divisor);
    mpz_ui_pow_ui(divisor, 10, scale);
    mpz_tdiv_q(whole, coefficient, divisor);
    mpz_clear(divisor);
}
