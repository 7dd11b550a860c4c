/*
 * test_natives.c - what the natives of the library promise, a row per promise.
 *
 * A row calls a native with arguments written as in the language (a small reader is below) and gives the display form
 * of the result, or behind a `!` that of the exception.
 */
#include "config.h"

#include "tests/unit/data.h"

#include <math.h>
#include <stdio.h>

#include "base/utf8.h"
#include "lib/record.h"
#include "lib/tables.h"
#include "tests/unit/run_suite.h"
#include "vm/host.h"
#include "vm/map.h"
#include "vm/native.h"

/* ---- a reader of values ---- */

static const char *cursor;

static vm_value read_value(void);

static void skip_blanks(void)
{
    while (*cursor == ' ' || *cursor == ',')
        cursor++;
}

static bool accept_here(const char *word)
{
    if (strncmp(cursor, word, strlen(word)) != 0)
        return false;
    cursor += strlen(word);
    return true;
}

static bool accept_text(const char *word)
{
    skip_blanks();
    return accept_here(word);
}

static vm_value read_string(void)
{
    struct nb_buf bytes = NB_BUF_INIT;
    vm_value string;

    while (*cursor != '"') {
        if (*cursor == '\\')
            cursor++;
        nb_buf_byte(&bytes, *cursor++);
    }
    cursor++;
    string = vm_string(&ctx, nb_buf_cstr(&bytes), bytes.length);
    nb_buf_done(&bytes);
    return string;
}

static vm_value read_number(void)
{
    size_t length = strspn(cursor, "+-0123456789.e");
    char digits[64];
    int64_t n;

    ck_assert(length > 0 && length < sizeof digits);
    memcpy(digits, cursor, length);
    digits[length] = '\0';
    cursor += length;
    if (accept_here("i8"))
        return VM_IMMEDIATE(VM_SORT_INT8, atoi(digits));
    if (accept_here("i32"))
        return VM_IMMEDIATE(VM_SORT_INT32, atoi(digits));
    if (accept_here("u8"))
        return VM_IMMEDIATE(VM_SORT_UINT8, atoi(digits));
    if (accept_here("u64"))
        return vm_uint64(&ctx, strtoull(digits, NULL, 10));
    if (accept_here("f32")) {
        float f = strtof(digits, NULL);
        uint32_t bits;

        memcpy(&bits, &f, sizeof bits);
        return VM_IMMEDIATE(VM_SORT_FLOAT32, bits);
    }
    if (accept_here("n"))
        return vm_bigint_from_text(&ctx, digits, length);
    if (accept_here("d"))
        return vm_decimal_from_text(&ctx, digits, length);
    if (vm_parse_int(digits, length, &n))
        return vm_int(&ctx, n);
    return vm_float(&ctx, strtod(digits, NULL));
}

/* Elements up to `end`, as a list; each is a root while the next one is read. */
static vm_value read_list(const char *end)
{
    vm_value builder = vm_builder_new(&ctx, 0), list;

    VM_ROOT(&ctx, builder);
    while (!accept_text(end))
        ck_assert(vm_builder_push(&ctx, &builder, read_value()));
    VM_UNROOT(&ctx, builder);
    list = vm_builder_list(builder);
    return list;
}

static vm_value tuple_of_list(vm_value list)
{
    uint32_t count = vm_list_length(list);
    vm_value *object, made;

    VM_ROOT(&ctx, list);
    ck_assert(vm_heap_reserve(&ctx, 1 + count));
    VM_UNROOT(&ctx, list);
    object = vm_heap_take(&process.heap, 1 + count);
    made = vm_from_object(object);
    object[0] = VM_HEADER(VM_KIND_TUPLE, 0, 0, count);
    for (uint32_t i = 0; i < count; i++)
        object[1 + i] = VM_UNIT;
    VM_ROOT(&ctx, list);
    VM_ROOT(&ctx, made);
    for (uint32_t i = 0; i < count; i++) {
        vm_value item = vm_list_at(&ctx, list, i);

        vm_object(made)[1 + i] = item;
    }
    VM_UNROOT(&ctx, made);
    VM_UNROOT(&ctx, list);
    return made;
}

/* %{k v, k v} and #{a, b}, from their elements. */
static vm_value collection_of(vm_value list, bool is_map)
{
    vm_value made = is_map ? VM_EMPTY_MAP : VM_EMPTY_SET;

    VM_ROOT(&ctx, list);
    VM_ROOT(&ctx, made);
    for (uint32_t i = 0; i < vm_list_length(list); i += is_map ? 2 : 1) {
        vm_value key = vm_list_at(&ctx, list, i), value;

        if (!is_map) {
            made = vm_set_insert(&ctx, made, key);
            continue;
        }
        VM_ROOT(&ctx, key);
        value = vm_list_at(&ctx, list, i + 1);
        VM_UNROOT(&ctx, key);
        made = vm_map_insert(&ctx, made, key, value);
    }
    VM_UNROOT(&ctx, made);
    VM_UNROOT(&ctx, list);
    return made;
}

static vm_value read_value(void)
{
    uint32_t code_point;
    vm_value v;

    if (accept_text("()"))
        return VM_UNIT;
    if (accept_text("true"))
        return VM_TRUE;
    if (accept_text("false"))
        return VM_FALSE;
    if (accept_text("nan"))
        return vm_float(&ctx, (double)NAN);
    if (accept_text("inf"))
        return vm_float(&ctx, (double)INFINITY);
    if (accept_text("None"))
        return VM_IMMEDIATE(VM_SORT_CTOR, VM_CTOR_NONE);
    if (accept_text("@"))
        return VM_IMMEDIATE(VM_SORT_PID, strtoul(cursor, (char **)&cursor, 10));
    if (accept_text("\""))
        return read_string();
    if (accept_text("'")) {
        cursor += nb_utf8_decode(cursor, strlen(cursor), &code_point) + 1;
        return vm_from_char(code_point);
    }
    if (accept_text("["))
        return read_list("]");
    if (accept_text("("))
        return tuple_of_list(read_list(")"));
    if (accept_text("%{"))
        return collection_of(read_list("}"), true);
    if (accept_text("#{"))
        return collection_of(read_list("}"), false);
    if (accept_text("Some(")) {
        v = tuple_of_list(read_list(")"));
        vm_object(v)[0] = VM_HEADER(VM_KIND_DATA, 0, VM_CTOR_SOME, 1);
        return v;
    }
    return read_number();
}

/* ---- calling ---- */

static unsigned read_arguments(const char *arguments)
{
    unsigned count = 0;

    cursor = arguments;
    for (skip_blanks(); *cursor != '\0'; skip_blanks())
        ctx.args[count++] = read_value();
    return count;
}

/* The display form of what a native answers to arguments; of an exception with a `!` in front. */
static const char *call(const char *name, const char *arguments)
{
    unsigned count = read_arguments(arguments);
    const struct vm_native *native = vm_native_find(name, (int)count);
    static char shown[4096];
    vm_value ret = VM_NONE;

    ck_assert_msg(native != NULL, "%s/%u", name, count);
    collect();
    switch (native->function(&ctx, ctx.args, &ret)) {
    case VM_OK:
        ctx.args[0] = ret;
        collect();
        snprintf(shown, sizeof shown, "%s", display(ctx.args[0]));
        break;
    case VM_RAISE:
        snprintf(shown, sizeof shown, "!%s", display(ctx.exception));
        break;
    default:
        snprintf(shown, sizeof shown, "neither a value nor an exception");
    }
    ck_assert_uint_eq(ctx.root_count, 0);
    return shown;
}

struct row { const char *native, *arguments, *answer; };

static const struct row rows[] = {
    /* core */
    { "show", "\"abc\"", "abc" },
    { "show", "['a' \"b\\\"c\" 1.0 5i8]", "['a', \"b\\\"c\", 1.0, 5]" },
    { "toString", "()", "()" },
    { "hash", "true", "1" },
    { "hash", "false", "0" },
    { "hash", "()", "0" },
    { "assert", "true", "()" },
    { "assert", "false", "!(\"Panic\", \"Assertion failed\")" },
    { "assert", "false \"why\"", "!(\"Panic\", \"Assertion failed: why\")" },
    { "assert", "1", "!(\"TypeError\", \"expected Bool, got Int64\")" },
    { "assert_eq", "[1 2] [1 2]", "()" },
    { "assert_eq", "1 2", "!(\"Panic\", \"Assertion failed: 1 != 2\")" },
    { "assert_eq", "\"a\" \"b\"", "!(\"Panic\", \"Assertion failed: a != b\")" },
    { "assert_eq", "1 1i8", "!(\"Panic\", \"Assertion failed: 1 != 1\")" },
    { "throw", "\"x\"", "!x" },
    { "throw", "(1 2)", "!(1, 2)" },
    { "panic", "[1]", "!(\"Panic\", \"[1]\")" },
    { "copy", "[1 \"a\" (2 3)]", "[1, \"a\", (2, 3)]" },
    { "typeOf", "()", "Unit" },
    { "typeOf", "1", "Int" },
    { "typeOf", "9223372036854775807", "Int" },
    { "typeOf", "1i8", "Int8" },
    { "typeOf", "1u64", "UInt64" },
    { "typeOf", "1.5", "Float" },
    { "typeOf", "1.5f32", "Float32" },
    { "typeOf", "1n", "BigInt" },
    { "typeOf", "1d", "Decimal" },
    { "typeOf", "'x'", "Char" },
    { "typeOf", "\"x\"", "String" },
    { "typeOf", "[1 2 3]", "Int64List" },
    { "typeOf", "[1 \"a\"]", "List" },
    { "typeOf", "[]", "List" },
    { "typeOf", "(1 2)", "Tuple" },
    { "typeOf", "%{}", "Map" },
    { "typeOf", "%{1 2}", "Map" },
    { "typeOf", "#{1}", "Set" },
    { "typeOf", "@1", "Pid" },
    { "typeOf", "Some(1)", "Variant" },
    { "typeOf", "None", "Variant" },
    { "tagOf", "Some(1)", "Some" },
    { "tagOf", "None", "None" },
    { "tagOf", "1", "" },
    /* numbers */
    { "abs", "-5", "5" },
    { "abs", "-9223372036854775808", "-9223372036854775808" },
    { "abs", "-5i8", "5" },
    { "abs", "-128i8", "-128" },
    { "abs", "-2.5", "2.5" },
    { "abs", "-2.5f32", "2.5" },
    { "abs", "-7n", "7" },
    { "abs", "-1.50d", "1.50" },
    { "abs", "\"a\"", "!(\"TypeError\", \"expected numeric type, got String\")" },
    { "min", "2 1", "1" },
    { "max", "2 1", "2" },
    { "min", "nan 1.5", "1.5" },
    { "max", "1.5 nan", "1.5" },
    { "min", "1 2.5", "1.0" },
    { "max", "3i8 4i8", "4" },
    { "max", "10n 9n", "10" },
    { "min", "\"a\" \"b\"", "a" },
    { "max", "\"a\" \"b\"", "b" },
    { "min", "\"a\" 1", "!(\"Panic\", \"MinInt: unsupported types String and Int64\")" },
    { "pow", "2 10", "1024" },
    { "pow", "2.0 0.5", "1.4142135623730951" },
    { "sqrt", "4.0", "2.0" },
    { "sqrt", "4", "!(\"TypeError\", \"expected Float64, got Int64\")" },
    { "sqrt", "2.25f32", "1.5" },
    { "log10", "1000.0", "3.0" },
    { "floor", "-1.5", "-2" },
    { "ceil", "-1.5", "-1" },
    { "round", "2.5", "3" },
    { "round", "-2.5", "-3" },
    { "round", "nan", "0" },
    { "round", "1e300", "9223372036854775807" },
    { "round", "-1e300", "-9223372036854775808" },
    { "toInt", "2.9", "2" },
    { "toInt", "-2.9", "-2" },
    { "toInt", "'a'", "97" },
    { "toInt", "18446744073709551615u64", "-1" },
    { "toInt", "99999999999999999999n", "!(\"Panic\", \"BigInt too large for Int64\")" },
    { "toFloat", "3", "3.0" },
    { "toInt8", "300", "44" },
    { "toInt8", "300.0", "127" },
    { "toUInt8", "-1", "255" },
    { "toBigInt", "5", "5" },
    { "toChar", "955", "λ" },
    { "toChar", "55296", "!(\"Panic\", \"toChar: 55296 is not a valid Unicode code point\")" },
    { "toChar", "-1", "!(\"Panic\", \"toChar: -1 is not a valid Unicode code point\")" },
    /* strings */
    { "String.length", "\"\"", "0" },
    { "String.length", "\"añ€😀\"", "4" },
    { "String.isEmpty", "\"\"", "true" },
    { "String.chars", "\"aé\"", "['a', 'é']" },
    { "String.from_chars", "['a' 'é']", "aé" },
    { "String.from_chars", "[1]", "!(\"TypeError\", \"expected Char, got Int64\")" },
    { "String.toInt", "\" 42 \"", "Some(42)" },
    { "String.toInt", "\"+7\"", "Some(7)" },
    { "String.toInt", "\"-7\"", "Some(-7)" },
    { "String.toInt", "\"\"", "None" },
    { "String.toInt", "\"4.5\"", "None" },
    { "String.toInt", "\"1_000\"", "None" },
    { "String.toInt", "\"0x10\"", "None" },
    { "String.toInt", "\"9223372036854775807\"", "Some(9223372036854775807)" },
    { "String.toInt", "\"9223372036854775808\"", "None" },
    { "String.to_int", "\"12\"", "12" },
    { "String.to_int", "\" 12\"", "()" },
    { "String.toFloat", "\" 1 \"", "Some(1.0)" },
    { "String.toFloat", "\".5\"", "Some(0.5)" },
    { "String.toFloat", "\"5.\"", "Some(5.0)" },
    { "String.toFloat", "\"1e3\"", "Some(1000.0)" },
    { "String.toFloat", "\"-InFinity\"", "Some(-inf)" },
    { "String.toFloat", "\"NaN\"", "Some(NaN)" },
    { "String.toFloat", "\"abc\"", "None" },
    { "String.toFloat", "\"0x1p3\"", "None" },
    { "String.toFloat", "\".\"", "None" },
    { "String.toBigInt", "\"-123456789012345678901234567890\"", "Some(-123456789012345678901234567890)" },
    { "String.toBigInt", "\"+5\"", "Some(5)" },
    { "String.toBigInt", "\"-\"", "None" },
    { "String.trim", "\" \t a b\n\u00a0\u3000\"", "a b" },
    { "String.trim", "\"   \"", "" },
    { "String.trimStart", "\"  a \"", "a " },
    { "String.trimEnd", "\" a  \"", " a" },
    { "String.toUpper", "\"straße ﬁ ŉ äöü\"", "STRASSE FI ʼN ÄÖÜ" },
    { "String.toLower", "\"ÄÖÜ İ\"", "äöü i̇" },
    { "String.toLower", "\"ΟΔΟΣ Σ ΣΑ ΑΣ. ΑΣΑ\"", "οδος σ σα ας. ασα" },
    { "String.contains", "\"hello\" \"ell\"", "true" },
    { "String.contains", "\"hello\" \"\"", "true" },
    { "String.contains", "\"\" \"a\"", "false" },
    { "String.startsWith", "\"hello\" \"he\"", "true" },
    { "String.startsWith", "\"h\" \"he\"", "false" },
    { "String.endsWith", "\"hello\" \"lo\"", "true" },
    { "String.endsWith", "\"o\" \"lo\"", "false" },
    { "String.endsWith", "\"o\" \"\"", "true" },
    { "String.replace", "\"hello\" \"l\" \"L\"", "heLlo" },
    { "String.replace", "\"hello\" \"\" \"x\"", "xhello" },
    { "String.replace", "\"hello\" \"z\" \"x\"", "hello" },
    { "String.replaceAll", "\"hello\" \"l\" \"LL\"", "heLLLLo" },
    { "String.replaceAll", "\"aé\" \"\" \"-\"", "-a-é-" },
    { "String.replaceAll", "\"aaa\" \"aa\" \"b\"", "ba" },
    { "String.indexOf", "\"aéx\" \"x\"", "3" },
    { "String.indexOf", "\"abc\" \"z\"", "-1" },
    { "String.lastIndexOf", "\"abcabc\" \"bc\"", "4" },
    { "String.lastIndexOf", "\"a\" \"abc\"", "-1" },
    { "String.lastIndexOf", "\"abc\" \"\"", "3" },
    { "String.substring", "\"héllo\" 1 3", "él" },
    { "String.substring", "\"hello\" 3 100", "lo" },
    { "String.substring", "\"hello\" 3 1", "" },
    { "String.substring", "\"hello\" -1 3", "" },
    { "String.substring", "\"hello\" 2 -1", "llo" },
    { "String.take", "\"héllo\" 2", "hé" },
    { "String.take", "\"hello\" -1", "hello" },
    { "String.take", "\"hello\" 0", "" },
    { "String.drop", "\"héllo\" 2", "llo" },
    { "String.drop", "\"hello\" -1", "" },
    { "String.drop", "\"hello\" 9", "" },
    { "String.repeat", "\"ab\" 3", "ababab" },
    { "String.repeat", "\"ab\" 0", "" },
    { "String.repeat", "\"\" 9223372036854775807", "" },
    { "String.padStart", "\"7\" 3 \"0x\"", "007" },
    { "String.padStart", "\"7\" 3 \"\"", "  7" },
    { "String.padStart", "\"long\" 3 \"0\"", "long" },
    { "String.padEnd", "\"é\" 3 \"→\"", "é→→" },
    { "String.reverse", "\"aé😀\"", "😀éa" },
    { "String.lines", "\"a\r\nb\n\nc\"", "[\"a\", \"b\", \"\", \"c\"]" },
    { "String.lines", "\"a\n\"", "[\"a\"]" },
    { "String.lines", "\"\"", "[]" },
    { "String.words", "\"  a  b\tc \"", "[\"a\", \"b\", \"c\"]" },
    { "String.words", "\"  \"", "[]" },
    { "String.split", "\"a,b,,c,\" \",\"", "[\"a\", \"b\", \"\", \"c\", \"\"]" },
    { "String.split", "\"\" \",\"", "[\"\"]" },
    { "String.split", "\"aé\" \"\"", "[\"a\", \"é\"]" },
    { "String.split", "\"abc\" \"--\"", "[\"abc\"]" },
    { "String.split", "\"a--b--\" \"--\"", "[\"a\", \"b\", \"\"]" },
    { "String.join", "[\"a\" \"b\"] \", \"", "a, b" },
    { "String.join", "['a' \"b\"] \"\"", "ab" },
    { "String.join", "[] \",\"", "" },
    { "String.join", "[1] \",\"", "!(\"TypeError\", \"expected String, got other\")" },
    { "String.trim", "1", "!(\"TypeError\", \"expected String, got Int64\")" },
    /* lists */
    { "length", "[1 2 3]", "3" },
    { "length", "\"añ\"", "2" },
    { "length", "(1 2)", "2" },
    { "length", "%{}", "!(\"Panic\", \"Length: unsupported type\")" },
    { "length", "42", "!(\"Panic\", \"Length: unsupported type\")" },
    { "isEmpty", "[]", "true" },
    { "empty", "[1]", "false" },
    { "head", "[1 2]", "1" },
    { "head", "[]", "!(\"IndexOutOfBounds\", \"index 0 out of bounds (length 0)\")" },
    { "tail", "[1 2]", "[2]" },
    { "tail", "[1]", "[]" },
    { "tail", "[]", "!(\"IndexOutOfBounds\", \"index 0 out of bounds (length 0)\")" },
    { "last", "[1 2]", "2" },
    { "last", "[]", "!(\"Panic\", \"last: empty list\")" },
    { "init", "[1 2]", "[1]" },
    { "init", "[]", "!(\"Panic\", \"Non-exhaustive match: no pattern matched\")" },
    { "get", "[1 2] 1", "2" },
    { "nth", "[1 2] 2", "!Index out of bounds: index 2 is out of range" },
    { "nth", "[1 2] -1", "!Index out of bounds: -1 (negative index not allowed)" },
    { "set", "[1 2] 1 9", "[1, 9]" },
    { "set", "[1 2] 2 9", "[1, 2]" },
    { "set", "[1 2] -1 9", "[1, 2]" },
    { "slice", "[1 2 3 4] 1 3", "[2, 3]" },
    { "slice", "[1 2 3 4] 2 1", "[3, 4]" },
    { "slice", "[1 2 3 4] 2 2", "[]" },
    { "slice", "[1 2] 5 9", "[]" },
    { "slice", "[1 2] -1 1", "[]" },
    { "take", "[1 2 3] 2", "[1, 2]" },
    { "take", "[1 2 3] 9", "[1, 2, 3]" },
    { "take", "[1 2 3] 0", "[]" },
    { "take", "[1 2 3] -1", "[1, 2, 3]" },
    { "drop", "[1 2 3] 2", "[3]" },
    { "drop", "[1 2 3] 9", "[]" },
    { "drop", "[1 2 3] -1", "[]" },
    { "push", "[1] 2", "[1, 2]" },
    { "pop", "[1 2]", "([1], 2)" },
    { "pop", "[]", "!(\"Panic\", \"Non-exhaustive match: no pattern matched\")" },
    { "concat", "[1] [\"a\"]", "[1, \"a\"]" },
    { "concat", "[1] 2", "!(\"TypeError\", \"expected List, got Int64\")" },
    { "reverse", "[1 2 3]", "[3, 2, 1]" },
    { "contains", "[1 2] 2", "true" },
    { "contains", "[1 2] 2i8", "false" },
    { "contains", "[[1]] [1]", "true" },
    { "indexOf", "[1 2 1] 1", "Some(0)" },
    { "indexOf", "[1 2] 3", "None" },
    { "flatten", "[[1] [] [2 3]]", "[1, 2, 3]" },
    { "flatten", "[[1] 2]", "!(\"TypeError\", \"expected List, got Int64\")" },
    { "zip", "[1 2 3] [\"a\" \"b\"]", "[(1, \"a\"), (2, \"b\")]" },
    { "zip", "[] [1]", "[]" },
    { "unzip", "[(1 \"a\") (2 \"b\")]", "([1, 2], [\"a\", \"b\"])" },
    { "unzip", "[]", "([], [])" },
    { "unzip", "[1]", "!(\"TypeError\", \"expected Tuple, got Int64\")" },
    { "replicate", "3 'x'", "['x', 'x', 'x']" },
    { "replicate", "0 1", "[]" },
    { "replicate", "-1 1", "[]" },
    { "intersperse", "[1 2 3] 0", "[1, 0, 2, 0, 3]" },
    { "intersperse", "[1] 0", "[1]" },
    { "intersperse", "[] 0", "[]" },
    { "range", "1 4", "[1, 2, 3]" },
    { "range", "4 1", "[]" },
    { "range", "9223372036854775805 9223372036854775807", "[9223372036854775805, 9223372036854775806]" },
    { "intListRange", "3", "[3, 2, 1]" },
    { "intListRange", "0", "[]" },
    { "sum", "[1 2 3]", "6" },
    { "sum", "[]", "0" },
    { "sum", "[9223372036854775807 1]", "-9223372036854775808" },
    { "sum", "[1.5 2.5]", "4.0" },
    { "sum", "[100i8 100i8]", "-56" },
    { "sum", "[1n 99999999999999999999n]", "100000000000000000000" },
    { "sum", "[0.1d 0.2d]", "0.3" },
    { "sum", "[1.5 1]", "!(\"Panic\", \"listSum: mixed types, expected Float64, got \\\"Int64\\\"\")" },
    { "sum", "[1 1.5]", "!(\"Panic\", \"listSum: expected Int64, got Float64\")" },
    { "sum", "[\"a\"]", "!(\"Panic\", \"listSum: expected Int64, got String\")" },
    { "product", "[2 3 4]", "24" },
    { "product", "[]", "1" },
    { "product", "[100i8 100i8]", "10000" },
    { "product", "[2u64 3u64]", "6" },
    { "product", "[0.5 4.0]", "2.0" },
    { "maximum", "[3 1 2]", "3" },
    { "minimum", "[\"b\" \"a\"]", "a" },
    { "maximum", "[(1 2) (1 3)]", "(1, 3)" },
    { "maximum", "[]", "!(\"Panic\", \"listMax: empty list\")" },
    { "minimum", "[]", "!(\"Panic\", \"listMin: empty list\")" },
    { "minimum", "[true false]", "!(\"Panic\", \"Lt: values are not comparable\")" },
    { "isSorted", "[1 1 2]", "true" },
    { "isSorted", "[2 1]", "false" },
    { "isSorted", "[]", "true" },
    { "_sorted", "[3 1 2]", "[1, 2, 3]" },
    { "_sorted", "[]", "[]" },
    { "_sorted", "[\"b\" \"a\" \"ab\"]", "[\"a\", \"ab\", \"b\"]" },
    { "_sorted", "[2.5 1.5 -1.0]", "[-1.0, 1.5, 2.5]" },
    { "_sorted", "[(2 'a') (1 'b') (1 'a')]", "[(1, 'a'), (1, 'b'), (2, 'a')]" },
    { "_sorted", "[true]", "!(\"Panic\", \"Lt: values are not comparable\")" },
    { "_sorted", "[[2] [1]]", "!(\"Panic\", \"Lt: values are not comparable\")" },
    { "_uniqueKeys", "[1 \"a\" 1 \"a\" 2]", "[1, \"a\", 2]" },
    { "_hashable", "[1 (2 'a')]", "true" },
    { "_hashable", "[1 1.5]", "false" },
    { "_length", "\"abc\"", "!(\"TypeError\", \"expected List, got String\")" },
    /* maps */
    { "Map.get", "%{\"a\" 1} \"a\"", "1" },
    { "Map.get", "%{\"a\" 1} \"b\"", "()" },
    { "Map.get", "%{} 1.5", "!(\"TypeError\", \"expected hashable, got Float64\")" },
    { "Map.lookup", "%{1 2} 1", "Some(2)" },
    { "Map.lookup", "%{1 2} 1i8", "None" },
    { "Map.getOrThrow", "%{1 2} 1", "2" },
    { "Map.getOrThrow", "%{} \"k\"", "!(\"Panic\", \"Map.getOrThrow: key \\\"k\\\" not found\")" },
    { "Map.getOrThrow", "%{} 7", "!(\"Panic\", \"Map.getOrThrow: key 7 not found\")" },
    { "Map.getOrThrow", "%{} true", "!(\"Panic\", \"Map.getOrThrow: key true not found\")" },
    { "Map.getOrThrow", "%{} (1 2)", "!(\"Panic\", \"Map.getOrThrow: key ? not found\")" },
    { "Map.insert", "%{1 2} 1 3", "%{1: 3}" },
    { "Map.insert", "%{} [1] 3", "!(\"TypeError\", \"expected hashable, got List\")" },
    { "Map.remove", "%{1 2} 1", "%{}" },
    { "Map.remove", "%{1 2} 3", "%{1: 2}" },
    { "Map.contains", "%{1 2} 1", "true" },
    { "Map.contains", "#{1} 1", "!(\"TypeError\", \"expected Map, got Set\")" },
    { "Map.size", "%{1 2, 3 4}", "2" },
    { "Map.isEmpty", "%{}", "true" },
    { "Map.keys", "%{1 2}", "[1]" },
    { "Map.values", "%{1 2}", "[2]" },
    { "Map.toList", "%{1 2}", "[(1, 2)]" },
    { "Map.fromList", "[(1 2) (1 3)]", "%{1: 3}" },
    { "Map.fromList", "[1]", "!(\"TypeError\", \"expected Tuple, got Int64\")" },
    { "Map.union", "%{1 2} %{1 9}", "%{1: 2}" },
    { "Map.merge", "%{} %{1 9}", "%{1: 9}" },
    { "Map.intersection", "%{1 2, 3 4} %{3 9, 5 6}", "%{3: 4}" },
    { "Map.difference", "%{1 2, 3 4} %{3 9}", "%{1: 2}" },
    /* sets */
    { "Set.contains", "#{1} 1", "true" },
    { "Set.insert", "#{1} 2", "#{1, 2}" },
    { "Set.insert", "#{} 2.5", "!(\"TypeError\", \"expected hashable, got Float64\")" },
    { "Set.remove", "#{1 2} 2", "#{1}" },
    { "Set.size", "#{1 2}", "2" },
    { "Set.isEmpty", "#{}", "true" },
    { "Set.toList", "#{1}", "[1]" },
    { "Set.fromList", "[1 2 1]", "#{1, 2}" },
    { "Set.union", "#{1 2} #{2 3 4}", "#{1, 2, 3, 4}" },
    { "Set.intersection", "#{1 2} #{2 3 4}", "#{2}" },
    { "Set.difference", "#{1 2} #{2 3 4}", "#{1}" },
    { "Set.symmetricDifference", "#{1 2} #{2 3 4}", "#{1, 3, 4}" },
    { "Set.isSubset", "#{1} #{1 2}", "true" },
    { "Set.isSubset", "#{1 3} #{1 2 4}", "false" },
    { "Set.isSubset", "#{} #{}", "true" },
    { "Set.isProperSubset", "#{} #{}", "false" },
    { "Set.isProperSubset", "#{1} #{1 2}", "true" },
    /* typed arrays */
    { "newInt64Array", "3", "Int64Array[3]" },
    { "newInt64Array", "0", "Int64Array[0]" },
    { "newInt64Array", "-1", "!(\"Panic\", \"Int64Array: negative length -1\")" },
    { "Float64Array.make", "2 1", "Float64Array[2]" },
    { "Float32Array.fromList", "[1.5 2]", "Float32Array[2]" },
    { "Int64Array.fromList", "[1 \"a\"]", "!(\"TypeError\", \"expected Int64, got String\")" },
    /* chance */
    { "Random.int", "5 5", "5" },
    { "Random.int", "2 1", "!(\"Panic\", \"Random.int: empty range 2 to 1\")" },
    { "Random.choice", "[7]", "7" },
    { "Random.choice", "[]", "!(\"Panic\", \"Cannot choose from empty list\")" },
    { "Random.shuffle", "[]", "[]" },
    { "Random.bytes", "0", "[]" },
    /* encodings */
    { "Base64.encode", "\"\"", "" },
    { "Base64.encode", "\"f\"", "Zg==" },
    { "Base64.encode", "\"fo\"", "Zm8=" },
    { "Base64.encode", "\"foob\"", "Zm9vYg==" },
    { "Base64.decode", "\"Zm9vYmFy\"", "(\"ok\", \"foobar\")" },
    { "Base64.decode", "\"Zg==\"", "(\"ok\", \"f\")" },
    { "Base64.decode", "\"\"", "(\"ok\", \"\")" },
    { "Base64.decode", "\"/w==\"", "(\"ok\", \"\ufffd\")" },
    { "Base64.decode", "\"Zg\"", "(\"error\", \"invalid base64: Invalid padding\")" },
    { "Base64.decode", "\"Z===\"", "(\"error\", \"invalid base64: Invalid symbol\")" },
    { "Base64.decode", "\"Zh==\"", "(\"error\", \"invalid base64: Invalid last symbol\")" },
    { "Base64.decode", "\"Z*8=\"", "(\"error\", \"invalid base64: Invalid symbol\")" },
    { "Url.encode", "\"a b-é\"", "a%20b%2D%C3%A9" },
    { "Url.decode", "\"a%20b+c%zz%\"", "(\"ok\", \"a b+c%zz%\")" },
    { "Url.decode", "\"ab%FF\"", "(\"error\", \"invalid URL encoding: invalid UTF-8 from byte 2 on\")" },
    { "_decodeUrl", "\"a+b%FF\" true", "a b\ufffd" },
    { "Encoding.toBytes", "\"aé\"", "[97, 195, 169]" },
    { "Encoding.fromBytes", "[97 195 169]", "(\"ok\", \"aé\")" },
    { "Encoding.fromBytes", "[97 255]",
      "(\"error\", \"invalid UTF-8: byte 1 does not begin or continue a character\")" },
    /* paths */
    { "Path.join", "\"a\" \"b\"", "a/b" },
    { "Path.join", "\"a/\" \"b\"", "a/b" },
    { "Path.join", "\"a\" \"/b\"", "/b" },
    { "Path.join", "\"a\" \"\"", "a/" },
    { "Path.join", "\"\" \"b\"", "b" },
    { "Path.dirname", "\"/x/y.txt\"", "/x" },
    { "Path.dirname", "\"/x\"", "/" },
    { "Path.dirname", "\"x\"", "" },
    { "Path.dirname", "\"/\"", "" },
    { "Path.dirname", "\"a/b/\"", "a" },
    { "Path.basename", "\"/x/y.txt\"", "y.txt" },
    { "Path.basename", "\"/x/y/\"", "y" },
    { "Path.basename", "\"/\"", "" },
    { "Path.basename", "\"..\"", "" },
    { "Path.extension", "\"a.tar.gz\"", "gz" },
    { "Path.extension", "\".rc\"", "" },
    { "Path.extension", "\"a.\"", "" },
    { "Path.extension", "\"a.d/b\"", "" },
    { "Path.withExtension", "\"a.txt\" \"md\"", "a.md" },
    { "Path.withExtension", "\"a\" \"md\"", "a.md" },
    { "Path.withExtension", "\"a.txt\" \"\"", "a" },
    { "Path.normalize", "\"/a//b/./../c/\"", "/a/b/../c" },
    { "Path.normalize", "\"./a\"", "./a" },
    { "Path.normalize", "\"/\"", "/" },
    { "Path.isAbsolute", "\"/a\"", "true" },
    { "Path.isRelative", "\"/a\"", "false" },
    { "Path.split", "\"/a/b\"", "[\"/\", \"a\", \"b\"]" },
    { "Path.split", "\"a//b/\"", "[\"a\", \"b\"]" },
    /* times */
    { "Time.fromDate", "1970 1 1", "0" },
    { "Time.fromDate", "2024 2 29", "1709164800000" },
    { "Time.fromDate", "2023 2 29", "!(\"Panic\", \"Invalid date: 2023-2-29\")" },
    { "Time.fromDate", "1969 12 31", "-86400000" },
    { "Time.fromTime", "14 30 45", "52245000" },
    { "Time.fromDateTime", "2001 9 9 1 46 40", "1000000000000" },
    { "Time.fromDateTime", "2001 9 9 24 0 0", "!(\"Panic\", \"Invalid time: 24:0:0\")" },
    { "Time.fromDateTime", "2001 13 9 1 0 0", "!(\"Panic\", \"Invalid date: 2001-13-9\")" },
    { "Time.year", "-1", "1969" },
    { "Time.month", "1709164800000", "2" },
    { "Time.day", "1709164800000", "29" },
    { "Time.hour", "-1", "23" },
    { "Time.minute", "52245000", "30" },
    { "Time.second", "52245000", "45" },
    { "Time.second", "-9223372036854775808", "4" },
    { "Time.formatUtc", "1000000000123 \"%Y-%m-%d %H:%M:%S.%3f %Z %% %s\"",
      "2001-09-09 01:46:40.123 UTC % 1000000000" },
    { "Time.formatUtc", "0 \"%f%\"", "000000000%" },
    { "Time.parse", "\"2001-09-09 01:46:40\" \"%Y-%m-%d %H:%M:%S\"", "Some(1000000000000)" },
    { "Time.parse", "\"2001-09-31 01:46:40\" \"%Y-%m-%d %H:%M:%S\"", "None" },
    { "Time.parse", "\"2001-09-09\" \"%Y-%m-%d\"", "None" },
    { "Time.parse", "\"x\" \"%Y\"", "None" },
    { "Time.toUtc", "5", "5" },
    /* the environment */
    { "Env.get", "\"NO SUCH VARIABLE\"", "None" },
    { "Env.platform", "", "linux" },
    { "Env.setCwd", "\"/no/such/folder\"", "Err(\"Failed to set cwd: No such file or directory (os error 2)\")" },
    { "Env.setCwd", "\".\"", "Ok(())" },
    { "Runtime.isInteractive", "", "false" },
};

START_TEST(answers_as_its_row_says)
{
    ck_assert_msg(strcmp(call(rows[_i].native, rows[_i].arguments), rows[_i].answer) == 0, "%s(%s): %s instead of %s",
                  rows[_i].native, rows[_i].arguments, call(rows[_i].native, rows[_i].arguments), rows[_i].answer);
}
END_TEST

/* With memory that runs out at each point in turn, a native raises or answers, and gives back what it took. */
START_TEST(leaves_nothing_behind_without_memory)
{
    vm_value ret;

    for (long granted = 0; granted < 12; granted++) {
        unsigned count = read_arguments(rows[_i].arguments);
        const struct vm_native *native = vm_native_find(rows[_i].native, (int)count);

        nb_alloc_fail_after(granted);
        native->function(&ctx, ctx.args, &ret);
        nb_alloc_fail_after(-1);
        ck_assert_uint_eq(ctx.root_count, 0);
    }
}
END_TEST

START_TEST(leaves_nothing_behind_without_heap)
{
    vm_value ret;

    for (uint64_t granted = 0; granted < 60; granted += 3) {
        unsigned count = read_arguments(rows[_i].arguments);
        const struct vm_native *native = vm_native_find(rows[_i].native, (int)count);
        struct vm_heap *heap = &process.heap;

        collect();
        if (vm_heap_has(heap, granted + 1)) /* leave so many words, and allow no bigger block */
            heap->top[0] = VM_HEADER(VM_KIND_TUPLE, 0, 0, (uint64_t)(heap->fp - heap->top) - granted - 1);
        for (vm_value *field = heap->top + 1; field < heap->fp - granted; field++)
            *field = VM_UNIT;
        heap->top = heap->fp - granted;
        heap->limit_words = 1;
        native->function(&ctx, ctx.args, &ret);
        heap->limit_words = 0;
        ck_assert_uint_eq(ctx.root_count, 0);
        collect();
    }
}
END_TEST

/* ---- what needs more than one call ---- */

/* Call with what is in ctx.args. */
static vm_value call_again(const char *name, int arity)
{
    vm_value ret = VM_NONE;

    ck_assert_int_eq(vm_native_find(name, arity)->function(&ctx, ctx.args, &ret), VM_OK);
    return ret;
}

START_TEST(arrays_are_copied_by_set_and_read_back)
{
    read_arguments("[1 2 3]");
    ctx.args[0] = call_again("Int64Array.fromList", 1);
    ctx.args[5] = ctx.args[0];
    ctx.args[1] = vm_from_small(1);
    ctx.args[2] = vm_from_small(9);
    ctx.args[4] = call_again("Int64Array.set", 3);
    ctx.args[0] = ctx.args[5];
    ck_assert_str_eq(display(call_again("Int64Array.toList", 1)), "[1, 2, 3]");
    ctx.args[0] = ctx.args[4];
    ck_assert_str_eq(display(call_again("Int64Array.toList", 1)), "[1, 9, 3]");
    ck_assert_int_eq(vm_int_of(call_again("sumInt64Array", 1)), 13);
    ck_assert_int_eq(vm_int_of(call_again("length", 1)), 3);
    ctx.args[1] = vm_from_small(3);
    ck_assert_int_eq(vm_native_find("Int64Array.get", 2)->function(&ctx, ctx.args, &ctx.args[3]), VM_RAISE);
    ck_assert_str_eq(display(ctx.exception), "(\"Panic\", \"Index 3 out of bounds for Int64Array of length 3\")");
}
END_TEST

START_TEST(float32_arrays_give_float32_and_widen_in_lists)
{
    read_arguments("[1.5 2]");
    ctx.args[0] = call_again("Float32Array.fromList", 1);
    ck_assert_str_eq(display(call_again("Float32Array.toList", 1)), "[1.5, 2.0]");
    ck_assert_int_eq(vm_int_of(call_again("length", 1)), 2);
    ctx.args[1] = vm_from_small(0);
    ck_assert_str_eq(result(call_again("Float32Array.get", 2)), "1.5f32");
}
END_TEST

START_TEST(buffers_append_the_display_form)
{
    ctx.args[0] = call_again("Buffer.new", 0);
    ctx.args[1] = text("a");
    ctx.args[0] = call_again("Buffer.append", 2);
    for (int i = 0; i < 200; i++) {
        ctx.args[1] = vm_from_small(i % 10);
        ctx.args[0] = call_again("Buffer.append", 2);
    }
    collect();
    ctx.args[0] = call_again("Buffer.toString", 1);
    ck_assert_uint_eq(vm_text(ctx.args[0]).length, 201);
    ck_assert_int_eq(strncmp(display(ctx.args[0]), "a01234567890", 12), 0);
}
END_TEST

/* A list of count pseudo-random numbers below `bound`. */
static vm_value scattered(uint32_t count, uint32_t bound)
{
    vm_value list = vm_list_make(&ctx, count);
    uint32_t n = 12345;

    for (uint32_t i = 0; i < count; i++) {
        n = n * 1103515245 + 12345;
        vm_list_init_at(list, i, vm_from_small(n / 65536 % bound));
    }
    return list;
}

START_TEST(sorts_any_length)
{
    ctx.args[0] = scattered((uint32_t)_i, 50);
    ctx.args[0] = call_again("_sorted", 1);
    ck_assert_uint_eq(vm_list_length(ctx.args[0]), (uint32_t)_i);
    ck_assert_uint_eq(call_again("isSorted", 1), VM_TRUE);
}
END_TEST

START_TEST(merges_in_parts)
{
    int64_t i = 0;

    ctx.args[0] = scattered(3000, 700);
    ctx.args[0] = call_again("_sorted", 1);
    ctx.args[1] = ctx.args[0];
    ctx.args[4] = ctx.args[0];
    ctx.args[0] = scattered(500, 999);
    ctx.args[1] = call_again("_sorted", 1);
    ctx.args[0] = ctx.args[4];
    ctx.args[3] = vm_builder_new(&ctx, 0);
    while (vm_list_length(vm_builder_list(ctx.args[3])) < 3500) {
        ctx.args[2] = vm_from_small(i);
        i = vm_int_of(call_again("_merge", 4));
    }
    ck_assert_int_eq(i, 3000);
    ctx.args[0] = vm_builder_list(ctx.args[3]);
    ck_assert_uint_eq(call_again("isSorted", 1), VM_TRUE);
}
END_TEST

START_TEST(shuffles_without_loss)
{
    ctx.args[0] = vm_from_small(0);
    ctx.args[1] = vm_from_small(300);
    ctx.args[0] = call_again("range", 2);
    ctx.args[4] = ctx.args[0];
    ctx.args[0] = call_again("Random.shuffle", 1);
    ck_assert_uint_eq(call_again("isSorted", 1), VM_FALSE); /* one in 300! */
    ctx.args[0] = call_again("_sorted", 1);
    ck_assert_str_eq(display(ctx.args[0]), display(ctx.args[4]));
}
END_TEST

START_TEST(draws_within_bounds)
{
    bool seen[3] = { false, false, false };

    for (int i = 0; i < 200; i++) {
        ctx.args[0] = vm_from_small(-1);
        ctx.args[1] = vm_from_small(1);
        int64_t n = vm_int_of(call_again("Random.int", 2));
        double d = vm_float_of(call_again("Random.float", 0));

        ck_assert_int_ge(n, -1);
        ck_assert_int_le(n, 1);
        seen[n + 1] = true;
        ck_assert(d >= 0 && d < 1);
    }
    ck_assert(seen[0] && seen[1] && seen[2]);
    ctx.args[0] = vm_int(&ctx, INT64_MIN);
    ctx.args[1] = vm_int(&ctx, INT64_MAX);
    call_again("Random.int", 2);
}
END_TEST

/* Maps of some size: the operations agree with counting. */
START_TEST(maps_of_many_entries_combine)
{
    static const struct { const char *operation; int64_t size; } combined[] = {
        { "Map.union", 1500 }, { "Map.intersection", 500 }, { "Map.difference", 500 },
    };

    for (int i = 0; i < 2; i++) { /* keys 0 … 999 and 500 … 1499 */
        ctx.args[0] = vm_from_small(500 * i);
        ctx.args[1] = vm_from_small(500 * i + 1000);
        ctx.args[0] = call_again("range", 2);
        ctx.args[1] = ctx.args[0];
        ctx.args[0] = call_again("zip", 2);
        ctx.args[4 + i] = call_again("Map.fromList", 1);
    }
    for (size_t i = 0; i < sizeof combined / sizeof *combined; i++) {
        ctx.args[0] = ctx.args[4];
        ctx.args[1] = ctx.args[5];
        ctx.args[0] = call_again(combined[i].operation, 2);
        ck_assert_int_eq(vm_int_of(call_again("Map.size", 1)), combined[i].size);
    }
}
END_TEST

START_TEST(large_requests_are_refused_for_memory)
{
    static const struct row refused[] = {
        { "String.repeat", "\"ab\" 4611686018427387904", "" }, { "String.padStart", "\"a\" 9999999999 \" \"", "" },
        { "replicate", "4294967296 1", "" }, { "range", "0 9223372036854775807", "" },
        { "newFloat64Array", "4294967296", "" }, { "newFloat32Array", "2000000000", "" },
        { "Random.bytes", "99999999999", "" },
    };
    vm_value ret;

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        unsigned count = read_arguments(refused[i].arguments);

        ck_assert_msg(vm_native_find(refused[i].native, (int)count)->function(&ctx, ctx.args, &ret) == VM_NOMEM, "%s",
                      refused[i].native);
    }
}
END_TEST

START_TEST(variables_stay_as_they_were_set)
{
    ck_assert_str_eq(call("Env.set", "\"NB_TEST\" \"ä\""), "()");
    ck_assert_str_eq(call("Env.get", "\"NB_TEST\""), "Some(\"ä\")");
    ck_assert_str_eq(call("Env.remove", "\"NB_TEST\""), "()");
    ck_assert_str_eq(call("Env.get", "\"NB_TEST\""), "None");
}
END_TEST

/* ---- processes ---- */

START_TEST(sleep_parks_until_its_deadline)
{
    vm_native_function *sleep_native = vm_native_find("sleep", 1)->function;
    vm_value ret;

    ctx.args[0] = vm_from_small(600000);
    ck_assert_int_eq(sleep_native(&ctx, ctx.args, &ret), VM_PARK);
    ck_assert_int_eq(process.wait, VM_WAIT_SLEEP);
    ck_assert_int_eq(sleep_native(&ctx, ctx.args, &ret), VM_PARK); /* woken too early */
    process.deadline_ns = 1;
    ck_assert_int_eq(sleep_native(&ctx, ctx.args, &ret), VM_OK);
    ck_assert(!process.deadline_set);
    ctx.args[0] = vm_from_small(-5);
    ck_assert_int_eq(sleep_native(&ctx, ctx.args, &ret), VM_YIELD);
    ck_assert_int_eq(sleep_native(&ctx, ctx.args, &ret), VM_OK);
}
END_TEST

static struct vm_process *find_it(uint64_t pid)
{
    return pid == 1 ? &process : NULL;
}

static size_t list_many(struct vm_ctx *context, uint64_t *pids, size_t most)
{
    (void)context;
    for (size_t i = 0; i < 1000 && i < most; i++)
        pids[i] = i + 1;
    return most < 1000 ? most : 1000;
}

static struct nb_buf written;

static void write_it(struct vm_ctx *context, bool error, bool newline, const char *bytes, size_t length)
{
    (void)context;
    nb_buf_text(&written, error ? "E:" : "");
    nb_buf_append(&written, bytes, length);
    nb_buf_text(&written, newline ? "|" : "");
}

static void flush_it(struct vm_ctx *context, bool error)
{
    (void)context;
    nb_buf_text(&written, error ? "F!" : "F");
}

static const struct vm_host host = {
    .find = find_it, .list = list_many, .output = write_it, .flush = flush_it
};

START_TEST(looks_at_processes)
{
    ctx.host = &host;
    ck_assert_str_eq(call("Process.alive", "@1"), "true");
    ck_assert_str_eq(call("Process.alive", "@2"), "false");
    ck_assert_str_eq(call("Process.time", "@2"), "-1");
    ck_assert_int_eq(strncmp(call("Process.info", "@1"),
                             "ProcessInfo{status: \"running\", mailbox: 0, uptime: ", 51), 0);
    ck_assert_str_eq(call("Process.info", "@2"), "ProcessInfo{status: \"exited\", mailbox: 0, uptime: 0}");
    atomic_store(&process.kill, true);
    ck_assert_str_eq(call("Process.alive", "@1"), "false");
    ctx.args[0] = call_again("Process.all", 0);
    ck_assert_int_eq(vm_int_of(call_again("length", 1)), 1000);
    ck_assert_str_eq(call("self", ""), "<pid 1>");
}
END_TEST

START_TEST(prints_display_forms)
{
    ctx.host = &host;
    call("println", "\"a\"");
    call("print", "[\"b\"]");
    call("eprintln", "1");
    call("eprint", "'c'");
    call("inspect", "(1 2) \"pair\"");
    call("flushStdout", "");
    ck_assert_str_eq(nb_buf_cstr(&written), "a|[\"b\"]|E:1|F!E:cF![inspect] pair: (1, 2)|F");
    nb_buf_done(&written);
}
END_TEST

START_TEST(collecting_tells_what_it_found)
{
    scattered(5000, 10);
    ctx.args[0] = call_again("Gc.collect", 0);
    ck_assert_int_ge(vm_int_of(vm_field(ctx.args[0], 0)), 40000);
    ck_assert_int_lt(vm_int_of(vm_field(ctx.args[0], 1)), 4000);
}
END_TEST

START_TEST(every_native_is_documented)
{
    const struct vm_native *native;

    for (unsigned i = 0; (native = vm_native_at(i)) != NULL; i++) {
        size_t length = strlen(native->doc);
        const char *constraint = strstr(native->type, " => ");

        ck_assert_msg(length > 1 && strchr(".)", native->doc[length - 1]) != NULL, "%s", native->name);
        ck_assert_msg((constraint == NULL ? native->type : constraint + 4)[0] == '(', "%s", native->name);
        ck_assert_msg(strstr(native->type, " -> ") != NULL, "%s", native->name);
        ck_assert_msg((native->name[0] == '_') == ((native->flags & VM_NATIVE_HIDDEN) != 0), "%s", native->name);
        ck_assert_msg(native->arity <= VM_NATIVE_ARITY_MAX, "%s", native->name);
    }
    ck_assert(vm_native_is_namespace("String"));
    ck_assert(!vm_native_is_namespace("List"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lib/natives");
    TCase *one = tcase_create("one call"), *more = tcase_create("several calls");

    vm_type_init();
#define REGISTER(area) lib_register_##area();
    LIB_AREAS(REGISTER)
#undef REGISTER
    lib_register_records();
    tcase_add_checked_fixture(one, set_up, tear_down);
    tcase_add_loop_test(one, answers_as_its_row_says, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(one, leaves_nothing_behind_without_memory, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(one, leaves_nothing_behind_without_heap, 0, sizeof rows / sizeof *rows);
    tcase_add_checked_fixture(more, set_up, tear_down);
    tcase_add_test(more, arrays_are_copied_by_set_and_read_back);
    tcase_add_test(more, float32_arrays_give_float32_and_widen_in_lists);
    tcase_add_test(more, buffers_append_the_display_form);
    tcase_add_loop_test(more, sorts_any_length, 0, 40);
    tcase_add_test(more, merges_in_parts);
    tcase_add_test(more, shuffles_without_loss);
    tcase_add_test(more, draws_within_bounds);
    tcase_add_test(more, maps_of_many_entries_combine);
    tcase_add_test(more, large_requests_are_refused_for_memory);
    tcase_add_test(more, variables_stay_as_they_were_set);
    tcase_add_test(more, sleep_parks_until_its_deadline);
    tcase_add_test(more, looks_at_processes);
    tcase_add_test(more, prints_display_forms);
    tcase_add_test(more, collecting_tells_what_it_found);
    tcase_add_test(more, every_native_is_documented);
    suite_add_tcase(suite, one);
    suite_add_tcase(suite, more);
    return run_suite(suite);
}
