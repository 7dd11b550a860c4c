/* test_number.c - what numbers promise: wrapping, widening, exactness, conversions, text both ways. */
#include "config.h"

#include "tests/unit/data.h"

#include <float.h>
#include <math.h>

#include "vm/compare.h"
#include "vm/object.h"

/* Make a number from how it is written as a result: 5i8, 1.5f32, 12n, 0.10d, 7, 1.5. Others: VM_NONE. */
static vm_value number(const char *written)
{
    static const struct { const char *suffix; uint32_t class_key; } suffixes[] = {
        { "i8", VM_CLASS_INT8 }, { "i16", VM_CLASS_INT16 }, { "i32", VM_CLASS_INT32 }, { "u8", VM_CLASS_UINT8 },
        { "u16", VM_CLASS_UINT16 }, { "u32", VM_CLASS_UINT32 }, { "u64", VM_CLASS_UINT64 },
    };
    size_t length = strlen(written);
    vm_value v;
    int64_t n;
    double d;

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        const char *suffix = strstr(written, suffixes[i].suffix);

        if (suffix == NULL || suffix[strlen(suffixes[i].suffix)] != '\0')
            continue;
        if (suffixes[i].class_key == VM_CLASS_UINT64)
            return vm_uint64(&ctx, strtoull(written, NULL, 10));
        ck_assert(vm_parse_int(written, (size_t)(suffix - written), &n));
        ck_assert_int_eq(vm_convert(&ctx, vm_from_small(n), suffixes[i].class_key, &v), VM_OK);
        return v;
    }
    if (strstr(written, "f32") != NULL)
        return vm_float32(strtof(written, NULL));
    if (written[length - 1] == 'n' && strcmp(written, "nan") != 0)
        return vm_bigint_from_text(&ctx, written, length - 1);
    if (written[length - 1] == 'd')
        return vm_decimal_from_text(&ctx, written, length - 1);
    if (vm_parse_int(written, length, &n))
        return vm_int(&ctx, n);
    return vm_parse_float(written, length, &d) ? vm_float(&ctx, d) : VM_NONE;
}

static const char *written(vm_value v)
{
    static char kept[2000];

    snprintf(kept, sizeof kept, "%s%s", result(v),
             vm_is_kind(v, VM_KIND_BIGINT) ? "n" : vm_is_kind(v, VM_KIND_DECIMAL) ? "d" : "");
    return kept;
}

/* What was raised, as display form. */
static const char *raised(void) { return display(ctx.exception); }

#define DIVISION "(\"DivisionByZero\", \"Division by zero\")"
#define MAX "9223372036854775807"
#define MIN "-9223372036854775808"

static const struct { const char *left; char op; const char *right, *expected; } operations[] = {
    { "2", '+', "3", "5" },
    { "2", '+', MAX, "-9223372036854775807" },
    { MIN, '-', "1", MAX },
    { MAX, '*', "2", "-2" },
    { "7", '/', "-2", "-3" }, { "-7", '%', "3", "-1" }, { "7", '%', "-3", "1" },
    { MIN, '/', "-1", MIN }, { MIN, '%', "-1", "0" },
    { "1", '/', "0", DIVISION }, { "1", '%', "0", DIVISION },
    { "2", '^', "10", "1024" }, { "2", '^', "64", "0" }, { "-3", '^', "3", "-27" }, { "5", '^', "0", "1" },
    { "2", '^', "-1", "(\"Panic\", \"PowInt: negative exponent for Int\")" },
    { "4611686018427387903", '+', "1", "4611686018427387904" }, /* where small integers end */
    { "-4611686018427387904", '-', "1", "-4611686018427387905" },
    { "127i8", '+', "1i8", "-128i8" }, { "-128i8", '/', "-1i8", "-128i8" }, { "-128i8", '-', "1i8", "127i8" },
    { "32767i16", '+', "1i16", "-32768i16" }, { "2147483647i32", '*', "2i32", "-2i32" },
    { "255u8", '+', "1u8", "0u8" }, { "0u8", '-', "1u8", "255u8" }, { "200u8", '/', "3u8", "66u8" },
    { "65535u16", '*', "65535u16", "1u16" }, { "0u32", '-', "1u32", "4294967295u32" },
    { "0u64", '-', "1u64", "18446744073709551615u64" },
    { "18446744073709551615u64", '/', "2u64", "9223372036854775807u64" },
    { "18446744073709551615u64", '%', "10u64", "5u64" }, { "2u8", '^', "255u8", "0u8" },
    { "1u8", '/', "0u8", DIVISION }, { "1u64", '%', "0u64", DIVISION },
    { "1", '+', "5i8", "6i8" }, { "5u32", '-', "1", "4u32" }, { "2", '*', "3u64", "6u64" },
    { "256", '+', "1u8", "1u8" },
    { "1", '+', "1.5", "2.5" }, { "1.5", '*', "2", "3.0" }, { "1", '+', "1.5f32", "2.5f32" },
    { "1.0", '/', "0.0", "inf" }, { "0.0", '/', "0.0", "NaN" }, { "-1.0", '/', "0.0", "-inf" },
    { "7.5", '%', "2.0", "1.5" }, { "-7.5", '%', "2.0", "-1.5" }, { "0.0", '^', "0.0", "1.0" },
    { "2.0", '^', "-1.0", "0.5" },
    { "0.1", '+', "0.2", "0.30000000000000004" }, { "0.1f32", '+', "0.2f32", "0.3f32" },
    { "1i8", '+', "1i16", "(\"TypeError\", \"expected matching numeric types, got Int16\")" },
    { "1.0", '+', "1.0f32", "(\"TypeError\", \"expected matching numeric types, got Float32\")" },
    { "1", '+', "1d", "(\"TypeError\", \"expected matching numeric types, got Decimal\")" },
    { "1n", '+', "1.5", "(\"TypeError\", \"expected matching numeric types, got Float64\")" },
    { MAX, '+', "1n", "9223372036854775808n" }, { MIN, '-', "1n", "-9223372036854775809n" },
    { "99999999999999999999n", '*', "99999999999999999999n", "9999999999999999999800000000000000000001n" },
    { "1n", '-', "1n", "0n" }, { "-7n", '/', "2n", "-3n" }, { "-7n", '%', "2n", "-1n" }, { "3i32", '*', "4n", "12n" },
    { "2n", '^', "100n", "1267650600228229401496703205376n" }, { "2n", '^', "3", "8n" }, { "0n", '^', "0n", "1n" },
    { "1n", '^', "4294967295n", "1n" }, { "1n", '/', "0n", DIVISION }, { "1n", '%', "0", DIVISION },
    { "2n", '^', "-1n", "(\"Panic\", \"PowInt: negative exponent for BigInt\")" },
    { "1n", '^', "4294967296n", "(\"Panic\", \"PowInt: exponent too large for BigInt\")" },
    { "3n", '^', "4294967295n", "(\"Panic\", \"BigInt too large\")" },
    { "0.1d", '+', "0.2d", "0.3d" }, { "1.50d", '+', "1d", "2.50d" }, { "1d", '-', "1.05d", "-0.05d" },
    { "1.5d", '*', "1.50d", "2.250d" }, { "-0.5d", '*', "0.1d", "-0.05d" },
    { "1d", '/', "4d", "0.25d" }, { "6d", '/', "2d", "3d" }, { "6.00d", '/', "2d", "3.00d" },
    { "100d", '/', "1d", "100d" },
    { "1d", '/', "3d", "0.3333333333333333333333333333d" }, { "2d", '/', "3d", "0.6666666666666666666666666667d" },
    { "-2d", '/', "3d", "-0.6666666666666666666666666667d" }, { "200d", '/', "3d", "66.66666666666666666666666667d" },
    { "0d", '/', "3d", "0d" }, { "1d", '/', "0.00d", DIVISION }, { "1d", '%', "0d", DIVISION },
    { "-7.5d", '%', "2d", "-1.5d" }, { "1.1d", '^', "2d", "1.21d" }, { "2d", '^', "-2d", "0.25d" },
    { "0d", '^', "-1d", DIVISION },
    { "2d", '^', "0.5d", "(\"Panic\", \"PowDecimal: exponent must be an integer\")" },
    { "9999999999999999999999999999d", '+', "1d", "(\"Panic\", \"Decimal too large\")" },
    { "9999999999999999999999999999d", '-', "1d", "9999999999999999999999999998d" },
    { "0.0000000000000000000000000001d", '*', "0.1d", "0.0000000000000000000000000000d" },
    { "10d", '^', "28d", "(\"Panic\", \"Decimal too large\")" },
};

START_TEST(computes)
{
    static const char ops[] = "+-*/%^"; /* in the order of enum vm_arith */
    enum vm_arith op = (enum vm_arith)(strchr(ops, operations[_i].op) - ops);
    vm_value value = VM_NONE;
    enum vm_status status;

    ctx.args[0] = number(operations[_i].left);
    ctx.args[1] = number(operations[_i].right);
    ck_assert_uint_ne(ctx.args[0], VM_NONE);
    ck_assert_uint_ne(ctx.args[1], VM_NONE);
    status = vm_arithmetic(&ctx, op, ctx.args[0], ctx.args[1], &value);
    ck_assert_str_eq(status == VM_RAISE ? raised() : written(value), operations[_i].expected);
}
END_TEST

static const struct { const char *number, *expected; } negations[] = {
    { "5", "-5" }, { MIN, MIN }, { "-128i8", "-128i8" }, { "0.0", "-0.0" }, { "1.5f32", "-1.5f32" }, { "5n", "-5n" },
    { "0n", "0n" }, { "0.10d", "-0.10d" }, { "5u8", "(\"Panic\", \"Neg: cannot negate UInt8\")" },
    { "4611686018427387904", "-4611686018427387904" },
};

START_TEST(negates)
{
    vm_value value = VM_NONE;

    ctx.args[0] = number(negations[_i].number);
    ck_assert_str_eq(vm_negate(&ctx, ctx.args[0], &value) == VM_RAISE ? raised() : written(value),
                     negations[_i].expected);
}
END_TEST

START_TEST(refuses_to_compute_with_other_values)
{
    vm_value value;

    ck_assert_int_eq(vm_arithmetic(&ctx, VM_ADD, vm_from_small(1), VM_TRUE, &value), VM_RAISE);
    ck_assert_str_eq(raised(), "(\"TypeError\", \"expected matching numeric types, got Bool\")");
    ck_assert_int_eq(vm_negate(&ctx, VM_NIL, &value), VM_RAISE);
}
END_TEST

static const struct { const char *left, *right; int order; } orders[] = {
    { "1", "2", -1 }, { MAX, MIN, 1 }, { "1", "1.5", -1 }, { "2.0", "2", 0 }, { "nan", "1.0", 2 }, { "-0.0", "0.0", 0 },
    { "5u8", "300", -1 }, { "18446744073709551615u64", "1", 1 },
    { "18446744073709551615u64", "18446744073709551614u64", 1 },
    { "1", "99999999999999999999n", -1 }, { "-99999999999999999999n", "1i32", -1 }, { "5n", "5", 0 },
    { "0.10d", "0.1d", 0 }, { "-1d", "0.5d", -1 }, { "1d", "1", -2 }, { "1i8", "1i16", -2 }, { "1.5f32", "1.5", -2 },
};

START_TEST(compares)
{
    ctx.args[0] = number(orders[_i].left);
    ctx.args[1] = number(orders[_i].right);
    ck_assert_int_eq(vm_number_compare(ctx.args[0], ctx.args[1]), orders[_i].order);
    if (orders[_i].order == 1 || orders[_i].order == -1)
        ck_assert_int_eq(vm_number_compare(ctx.args[1], ctx.args[0]), -orders[_i].order);
}
END_TEST

#define TOO_NARROW "(\"TypeError\", \"expected fixed-width integer or float, got "
static const struct { const char *from; uint32_t to; const char *expected; } conversions[] = {
    { "300", VM_CLASS_UINT8, "44u8" }, { "-1", VM_CLASS_UINT64, "18446744073709551615u64" },
    { "18446744073709551615u64", VM_CLASS_INT, "-1" }, { "200u8", VM_CLASS_INT8, "-56i8" },
    { "-1i8", VM_CLASS_UINT32, "4294967295u32" }, { "70000", VM_CLASS_INT16, "4464i16" },
    { "2.9", VM_CLASS_INT, "2" }, { "-2.9", VM_CLASS_INT, "-2" }, { "nan", VM_CLASS_INT, "0" },
    { "1e300", VM_CLASS_INT, MAX }, { "-1e300", VM_CLASS_INT, MIN }, { "9223372036854775808.0", VM_CLASS_INT, MAX },
    { "300.7", VM_CLASS_UINT8, "255u8" }, { "-5.0", VM_CLASS_UINT8, "0u8" }, { "-0.5", VM_CLASS_UINT8, "0u8" },
    { "-129.0", VM_CLASS_INT8, "-128i8" }, { "127.9", VM_CLASS_INT8, "127i8" }, { "-128.9", VM_CLASS_INT8, "-128i8" },
    { "1e30", VM_CLASS_UINT64, "18446744073709551615u64" },
    { "10000000000000000000.0", VM_CLASS_UINT64, "10000000000000000000u64" },
    { "inf", VM_CLASS_INT32, "2147483647i32" }, { "1.5f32", VM_CLASS_INT, "1" }, { "1.5f32", VM_CLASS_FLOAT, "1.5" },
    { "3", VM_CLASS_FLOAT, "3.0" }, { "18446744073709551615u64", VM_CLASS_FLOAT, "18446744073709551616.0" },
    { "0.1", VM_CLASS_FLOAT32, "0.1f32" }, { "7", VM_CLASS_FLOAT32, "7.0f32" },
    { "12n", VM_CLASS_INT, "12" }, { MIN "n", VM_CLASS_INT, MIN }, { "-99n", VM_CLASS_FLOAT, "-99.0" },
    { "9223372036854775808n", VM_CLASS_INT, "(\"Panic\", \"BigInt too large for Int64\")" },
    { "9007199254740993n", VM_CLASS_FLOAT, "9007199254740992.0" },
    { "9007199254740995n", VM_CLASS_FLOAT, "9007199254740996.0" },
    { "0.10d", VM_CLASS_FLOAT, "0.1" }, { "-2.9d", VM_CLASS_INT, "-2" },
    { "9999999999999999999999d", VM_CLASS_INT, MAX },
    { "5", VM_CLASS_BIGINT, "5n" }, { "-5i32", VM_CLASS_BIGINT, "-5n" },
    { "18446744073709551615u64", VM_CLASS_BIGINT, "18446744073709551615n" },
    { "1.5", VM_CLASS_BIGINT, "(\"TypeError\", \"expected integer, got Float64\")" },
    { "5n", VM_CLASS_INT8, TOO_NARROW "BigInt\")" }, { "5d", VM_CLASS_FLOAT32, TOO_NARROW "Decimal\")" },
    { "5", VM_CLASS_DECIMAL, "5d" },
};

START_TEST(converts)
{
    vm_value value = VM_NONE;
    enum vm_status status;

    ctx.args[0] = number(conversions[_i].from);
    ck_assert_uint_ne(ctx.args[0], VM_NONE);
    status = vm_convert(&ctx, ctx.args[0], conversions[_i].to, &value);
    ck_assert_str_eq(status == VM_RAISE ? raised() : written(value), conversions[_i].expected);
}
END_TEST

START_TEST(converts_characters_to_int_only)
{
    vm_value value;

    ck_assert_int_eq(vm_convert(&ctx, vm_from_char(0x1f600), VM_CLASS_INT, &value), VM_OK);
    ck_assert_uint_eq(value, vm_from_small(0x1f600));
    ck_assert_int_eq(vm_convert(&ctx, vm_from_char('x'), VM_CLASS_FLOAT, &value), VM_RAISE);
    ck_assert_int_eq(vm_convert(&ctx, VM_TRUE, VM_CLASS_INT, &value), VM_RAISE);
}
END_TEST

static const struct { const char *text, *expected; } floats[] = {
    { "3", "3.0" }, { "-0.0", "-0.0" }, { "1e20", "100000000000000000000.0" }, { "1e23", "99999999999999991611392.0" },
    { "1.5e-7", "0.00000015" }, { "0.30000000000000004", "0.30000000000000004" }, { "123.456", "123.456" },
    { "5e-5", "0.00005" }, { "9007199254740993", "9007199254740992.0" }, { "4503599627370495.5", "4503599627370495.5" },
    { "0.1", "0.1" }, { "2.2250738585072014e-308", NULL }, { "-12.75", "-12.75" }, { "inf", "inf" },
    { "-Infinity", "-inf" },
    { "nAn", "NaN" }, { "1e400", "inf" }, { "5.684341886080802e-14", "0.00000000000005684341886080802" },
    { "123456789012345680", "123456789012345680.0" }, { "0.999999999999999888977697537484", "0.9999999999999999" },
};

START_TEST(prints_floats_without_exponents)
{
    double d, back;

    ck_assert(vm_parse_float(floats[_i].text, strlen(floats[_i].text), &d));
    ctx.args[0] = vm_float(&ctx, d);
    if (floats[_i].expected != NULL)
        ck_assert_str_eq(display(ctx.args[0]), floats[_i].expected);
    ck_assert(vm_parse_float(display(ctx.args[0]), strlen(display(ctx.args[0])), &back));
    ck_assert(back == d || isnan(d));
}
END_TEST

START_TEST(prints_the_smallest_float)
{
    const char *text_of_it = display(vm_float(&ctx, 4.9406564584124654e-324));

    ck_assert_uint_eq(strlen(text_of_it), 2 + 324);
    ck_assert_str_eq(text_of_it + 2 + 322, "05");
}
END_TEST

START_TEST(reads_back_every_float_it_prints)
{
    uint64_t state = 88172645463325252u;

    for (int i = 0; i < 3000; i++) {
        double d, back;
        float f;

        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        memcpy(&d, &state, sizeof d);
        if (!isfinite(d))
            continue;
        const char *printed_form = display(vm_float(&ctx, d));
        ck_assert(vm_parse_float(printed_form, strlen(printed_form), &back));
        ck_assert_msg(back == d, "%a printed as %s", d, printed_form);
        memcpy(&f, &state, sizeof f);
        if (isfinite(f))
            ck_assert(strtof(display(vm_float32(f)), NULL) == f);
    }
}
END_TEST

START_TEST(keeps_doubles_in_words_or_boxes)
{
    static const double doubles[] = { 0.0, -0.0, 1.0, -1.5, 1e77, 1e78, 1e-77, 1e-78, DBL_MAX, DBL_MIN, 5e-324 };

    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        double back = vm_float_of(vm_float(&ctx, doubles[i]));

        ck_assert_int_eq(memcmp(&back, &doubles[i], sizeof back), 0);
    }
}
END_TEST

static const struct { const char *text; bool valid; int64_t expected; } integers[] = {
    { "42", true, 42 }, { " \t-7\n", true, -7 }, { "+5", true, 5 }, { "007", true, 7 }, { MAX, true, INT64_MAX },
    { MIN, true, INT64_MIN },
    { "9223372036854775808", false, 0 }, { "-9223372036854775809", false, 0 }, { "99999999999999999999", false, 0 },
    { "", false, 0 }, { "-", false, 0 }, { "4 2", false, 0 }, { "1_000", false, 0 }, { "0x10", false, 0 },
    { "1.0", false, 0 }, { "--1", false, 0 },
};

START_TEST(parses_integers)
{
    int64_t n = 0;

    ck_assert_int_eq(vm_parse_int(integers[_i].text, strlen(integers[_i].text), &n), integers[_i].valid);
    ck_assert_int_eq(n, integers[_i].expected);
}
END_TEST

static const struct { const char *text; bool valid; double expected; } float_texts[] = {
    { "1", true, 1 }, { ".5", true, 0.5 }, { "5.", true, 5 }, { "1e3", true, 1000 }, { "-1.5E-1", true, -0.15 },
    { " +2 ", true, 2 },
    { "", false, 0 }, { ".", false, 0 }, { "e3", false, 0 }, { "1e", false, 0 }, { "1e+", false, 0 },
    { "0x1p3", false, 0 }, { "1.5f", false, 0 },
    { "infin", false, 0 }, { "nan(1)", false, 0 }, { "1 2", false, 0 }, { "- 1", false, 0 },
};

START_TEST(parses_floats)
{
    double d = 0;

    ck_assert_int_eq(vm_parse_float(float_texts[_i].text, strlen(float_texts[_i].text), &d), float_texts[_i].valid);
    ck_assert_double_eq(d, float_texts[_i].expected);
}
END_TEST

START_TEST(makes_constants_of_big_numbers)
{
    vm_value big = vm_bigint_from_text(NULL, "-123456789012345678901234567890", 31);
    vm_value decimal = vm_decimal_from_text(NULL, "12.50", 5);

    ck_assert(vm_is_outside(big) && vm_is_outside(decimal));
    ck_assert_str_eq(display(big), "-123456789012345678901234567890");
    ck_assert_str_eq(display(decimal), "12.50");
    nb_free(vm_object(big));
    nb_free(vm_object(decimal));
    ck_assert_uint_eq(vm_bigint_from_text(&ctx, "12x", 3), VM_NONE);
    ck_assert_uint_eq(vm_bigint_from_text(&ctx, "", 0), VM_NONE);
    ck_assert_uint_eq(vm_decimal_from_text(&ctx, "1.2.3", 5), VM_NONE);
    ck_assert_uint_eq(vm_decimal_from_text(&ctx, ".", 1), VM_NONE);
    ck_assert_str_eq(display(vm_decimal_from_text(&ctx, "1.00000000000000000000000000005", 31)),
                     "1.000000000000000000000000000");
    ck_assert_str_eq(display(vm_decimal_from_text(&ctx, "-.5", 3)), "-0.5");
}
END_TEST

START_TEST(counts_the_work_of_a_great_power)
{
    vm_value value;

    ctx.args[0] = vm_bigint_from_text(&ctx, "3", 1);
    ctx.reductions = 0;
    ck_assert_int_eq(vm_arithmetic(&ctx, VM_POW, ctx.args[0], vm_from_small(1000000), &value), VM_OK);
    ck_assert_int_le(ctx.reductions, -24000);
}
END_TEST

int main(void)
{
    const struct named_test tests[] = {
        { computes, ROWS(operations) }, { negates, ROWS(negations) }, { refuses_to_compute_with_other_values, 0 },
        { compares, ROWS(orders) }, { converts, ROWS(conversions) }, { converts_characters_to_int_only, 0 },
        { prints_floats_without_exponents, ROWS(floats) }, { prints_the_smallest_float, 0 },
        { reads_back_every_float_it_prints, 0 }, { keeps_doubles_in_words_or_boxes, 0 },
        { parses_integers, ROWS(integers) }, { parses_floats, ROWS(float_texts) },
        { makes_constants_of_big_numbers, 0 }, { counts_the_work_of_a_great_power, 0 },
    };

    return run_tests("vm/number", tests, sizeof tests / sizeof *tests);
}
