/*
 * numtext.c - numbers as text, both ways.
 *
 * Floats print the shortest digits that read back to the same value, in positional notation. The digits are found by
 * trying: a decimal of up to 15 digits (6 for single precision) survives the way through a normal double and back, so
 * if that many digits read back they are the shortest once trailing zeros are gone, and otherwise one or two more
 * decide. Subnormal numbers carry fewer digits and are tried from one upwards. Below a power of two the neighbour is
 * nearer than above it; there the nearest decimal may read back wrong while the next one above is right, so that one is
 * tried as well.
 */
#include "config.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "vm/bignum.h"
#include "vm/number.h"
#include "vm/object.h"

/* ---- parsing ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static void trim(const char **text, size_t *length)
{
    while (*length > 0 && is_space(**text)) {
        ++*text;
        --*length;
    }
    while (*length > 0 && is_space((*text)[*length - 1]))
        --*length;
}

/* Take a sign off the front; whether it was a minus. */
static bool take_sign(const char **text, size_t *length)
{
    bool negative = *length > 0 && **text == '-';

    if (negative || (*length > 0 && **text == '+')) {
        ++*text;
        --*length;
    }
    return negative;
}

bool vm_parse_int(const char *text, size_t length, int64_t *ret)
{
    uint64_t n = 0;
    bool negative;

    trim(&text, &length);
    negative = take_sign(&text, &length);
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i]) || __builtin_mul_overflow(n, UINT64_C(10), &n) ||
            __builtin_add_overflow(n, (uint64_t)(text[i] - '0'), &n))
            return false;
    }
    if (n > (uint64_t)INT64_MAX + negative)
        return false;
    *ret = (int64_t)(negative ? -n : n);
    return true;
}

static size_t count_digits(const char *text, size_t length)
{
    size_t count = 0;

    while (count < length && is_digit(text[count]))
        count++;
    return count;
}

/* 12, 12., .5, 12.5, each with e, a sign and digits behind or without. */
static bool is_float_text(const char *text, size_t length)
{
    size_t whole = count_digits(text, length), fraction = 0, exponent;

    text += whole;
    length -= whole;
    if (length > 0 && *text == '.') {
        fraction = count_digits(text + 1, length - 1);
        text += fraction + 1;
        length -= fraction + 1;
    }
    if (whole + fraction == 0)
        return false;
    if (length == 0)
        return true;
    if (*text != 'e' && *text != 'E')
        return false;
    text++;
    length--;
    take_sign(&text, &length);
    exponent = count_digits(text, length);
    return exponent > 0 && exponent == length;
}

static bool is_word(const char *text, size_t length, const char *word)
{
    if (length != strlen(word))
        return false;
    for (size_t i = 0; i < length; i++)
        if ((text[i] | 0x20) != word[i])
            return false;
    return true;
}

bool vm_parse_float(const char *text, size_t length, double *ret)
{
    bool negative;
    char *copy;
    double d;

    trim(&text, &length);
    negative = take_sign(&text, &length);
    if (is_word(text, length, "inf") || is_word(text, length, "infinity")) {
        d = (double)INFINITY;
    } else if (is_word(text, length, "nan")) {
        d = (double)NAN;
    } else {
        if (!is_float_text(text, length))
            return false;
        copy = nb_strndup(text, length);
        if (copy == NULL)
            return false;
        d = strtod(copy, NULL); /* out of range gives 0 or infinity, which is what is wanted */
        nb_free(copy);
    }
    *ret = negative ? -d : d;
    return true;
}

/* An mpz of `length` decimal digits; initialised only on success. */
static bool parse_digits(const char *digits, size_t length, bool negative, mpz_t number)
{
    char *copy;

    if (length == 0 || count_digits(digits, length) != length || length > VM_BIGINT_BITS_MAX / 4)
        return false;
    copy = nb_strndup(digits, length);
    if (copy == NULL)
        return false;
    mpz_init_set_str(number, copy, 10);
    nb_free(copy);
    if (negative)
        mpz_neg(number, number);
    return true;
}

vm_value vm_bigint_from_text(struct vm_ctx *ctx, const char *digits, size_t length)
{
    bool negative = take_sign(&digits, &length);
    vm_value value;
    mpz_t number;

    if (!parse_digits(digits, length, negative, number))
        return VM_NONE;
    value = vm_bigint_new(ctx, number);
    mpz_clear(number);
    return value;
}

vm_value vm_decimal_from_text(struct vm_ctx *ctx, const char *text, size_t length)
{
    bool negative = take_sign(&text, &length);
    const char *point = memchr(text, '.', length);
    size_t scale = point == NULL ? 0 : length - 1 - (size_t)(point - text);
    struct nb_buf digits = NB_BUF_INIT;
    vm_value value = VM_NONE;
    mpz_t number;

    nb_buf_append(&digits, text, point == NULL ? length : (size_t)(point - text));
    nb_buf_append(&digits, point == NULL ? "" : point + 1, scale);
    if (!digits.failed && scale <= UINT32_MAX && parse_digits(nb_buf_cstr(&digits), digits.length, negative, number)) {
        if (!vm_decimal_new(ctx, number, (uint32_t)scale, &value))
            value = VM_NONE;
        mpz_clear(number);
    }
    nb_buf_done(&digits);
    return value;
}

/* ---- printing floats ---- */

enum { DIGITS_MAX = 17 };

/* 0.d₁d₂d₃… × 10^exponent; digits without NUL. */
struct digits { char digit[DIGITS_MAX + 1]; int count, exponent; };

/* What the printers need to know of a format. */
struct precision { int sure, most; double smallest_normal; bool single; };
static const struct precision double_precision = { 15, 17, DBL_MIN, false };
static const struct precision single_precision = { 6, 9, (double)FLT_MIN, true };

static double read_back(const struct digits *digits, bool single)
{
    char text[DIGITS_MAX + 16];

    snprintf(text, sizeof text, "0.%.*se%d", digits->count, digits->digit, digits->exponent);
    return single ? (double)strtof(text, NULL) : strtod(text, NULL);
}

/* The `count` digits nearest to d, which is positive. */
static void nearest_digits(struct digits *digits, double d, int count)
{
    char text[DIGITS_MAX + 16];

    snprintf(text, sizeof text, "%.*e", count - 1, d); /* d.ddde±xx */
    digits->digit[0] = text[0];
    memcpy(digits->digit + 1, text + 2, (size_t)count - 1);
    digits->count = count;
    digits->exponent = atoi(strchr(text, 'e') + 1) + 1;
}

/* Add one to the last digit. */
static void next_above(struct digits *digits)
{
    int at = digits->count - 1;

    while (at >= 0 && digits->digit[at] == '9')
        digits->digit[at--] = '0';
    if (at >= 0) {
        digits->digit[at]++;
        return;
    }
    digits->digit[0] = '1'; /* 999 became 1000 */
    digits->exponent++;
}

static bool digits_of_count(struct digits *digits, double d, int count, bool single)
{
    int exponent;

    nearest_digits(digits, d, count);
    if (read_back(digits, single) == d)
        return true;
    if (frexp(d, &exponent) != 0.5)
        return false;
    next_above(digits);
    return read_back(digits, single) == d;
}

/* The shortest digits of a positive, finite number. */
static void shortest_digits(struct digits *digits, double d, const struct precision *precision)
{
    int count = d < precision->smallest_normal ? 1 : precision->sure;

    while (count < precision->most && !digits_of_count(digits, d, count, precision->single))
        count++;
    if (count == precision->most)
        nearest_digits(digits, d, count);
    while (digits->count > 1 && digits->digit[digits->count - 1] == '0')
        digits->count--;
}

/* A number with a fractional part: its point lies in front of its last digit. */
static void print_fraction(struct nb_buf *out, const struct digits *digits)
{
    int whole = digits->exponent < 0 ? 0 : digits->exponent;

    nb_buf_append(out, whole == 0 ? "0" : digits->digit, whole == 0 ? 1 : (size_t)whole);
    nb_buf_byte(out, '.');
    for (int i = digits->exponent; i < 0; i++)
        nb_buf_byte(out, '0');
    nb_buf_append(out, digits->digit + whole, (size_t)(digits->count - whole));
}

static void print_float(struct nb_buf *out, double d, const struct precision *precision)
{
    struct digits digits;

    if (isnan(d)) {
        nb_buf_text(out, "NaN");
        return;
    }
    if (isinf(d)) {
        nb_buf_text(out, d < 0 ? "-inf" : "inf");
        return;
    }
    if (d == trunc(d)) {
        nb_buf_printf(out, "%.1f", d);
        return;
    }
    if (d < 0)
        nb_buf_byte(out, '-');
    shortest_digits(&digits, fabs(d), precision);
    print_fraction(out, &digits);
}

/* ---- printing the rest ---- */

static void print_mpz(struct nb_buf *out, const mpz_t number)
{
    size_t most = mpz_sizeinbase(number, 10) + 2; /* sign and NUL */

    if (!nb_buf_reserve(out, most))
        return;
    mpz_get_str(out->data + out->length, 10, number);
    out->length += strlen(out->data + out->length);
}

static void print_decimal(struct nb_buf *out, vm_value v)
{
    struct nb_buf digits = NB_BUF_INIT;
    const char *text;
    mpz_t coefficient;
    uint32_t scale = vm_decimal_view(coefficient, v);
    size_t length, whole;

    print_mpz(&digits, coefficient);
    if (digits.failed) {
        out->failed = true;
        return;
    }
    text = digits.data;
    length = digits.length;
    if (take_sign(&text, &length))
        nb_buf_byte(out, '-');
    whole = length > scale ? length - scale : 0;
    nb_buf_append(out, whole == 0 ? "0" : text, whole == 0 ? 1 : whole);
    if (scale > 0)
        nb_buf_byte(out, '.');
    for (size_t zeros = length; zeros < scale; zeros++)
        nb_buf_byte(out, '0');
    nb_buf_append(out, text + whole, length - whole);
    nb_buf_done(&digits);
}

size_t vm_int_text(int64_t n, char to[VM_INT_TEXT_MAX])
{
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
    char reversed[VM_INT_TEXT_MAX];
    size_t count = 0, length = 0;

    do {
        reversed[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (n < 0)
        to[length++] = '-';
    while (count > 0)
        to[length++] = reversed[--count];
    return length;
}

void vm_number_print(struct nb_buf *out, vm_value v)
{
    struct vm_bignum view;
    char digits[VM_INT_TEXT_MAX];
    int64_t n;

    if (vm_is_kind(v, VM_KIND_UINT64)) {
        nb_buf_printf(out, "%" PRIu64, vm_field(v, 0));
    } else if (vm_integer_bits(v, &n)) {
        nb_buf_append(out, digits, vm_int_text(n, digits));
    } else if (vm_is_float(v)) {
        print_float(out, vm_float_of(v), &double_precision);
    } else if (vm_is_sort(v, VM_SORT_FLOAT32)) {
        print_float(out, (double)vm_float32_of(v), &single_precision);
    } else if (vm_is_kind(v, VM_KIND_BIGINT)) {
        vm_bignum_view(&view, v);
        print_mpz(out, view.number);
    } else {
        nb_assert(vm_is_kind(v, VM_KIND_DECIMAL));
        print_decimal(out, v);
    }
}
