/* test_lex.c - what the lexer promises: longest tokens, line feeds as marks, matched brackets, any bytes survived. */
#include "config.h"

#include "lang/lex.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/arena.h"
#include "base/buf.h"
#include "tests/unit/run_suite.h"

static struct nb_arena *arena;
static struct ns_diag *diag;

static void set_up(void)
{
    arena = nb_arena_new();
    diag = ns_diag_new();
}

static void tear_down(void)
{
    arena = nb_arena_free(arena);
    diag = ns_diag_free(diag);
}

static struct ns_tokens lex_n(const char *text, size_t length)
{
    const struct ns_source *source = ns_diag_source(diag, "t.nos", "", text, (uint32_t)length, false, false);

    return ns_lex(arena, source, source->text, source->length, NULL, diag);
}

static struct ns_tokens lex(const char *text) { return lex_n(text, strlen(text)); }

/* The kinds of all tokens but the last, a `/` before those behind a line feed. */
static const char *kinds_of(const char *text)
{
    struct ns_tokens tokens = lex(text);
    struct nb_buf buf = NB_BUF_INIT;
    const char *kinds;

    for (uint32_t i = 0; i + 1 < tokens.count; i++)
        nb_buf_printf(&buf, "%s%s%.*s", i > 0 ? " " : "", tokens.items[i].newline_before ? "/" : "",
                      (int)(tokens.items[i].to - tokens.items[i].from), text + tokens.items[i].from);
    kinds = nb_arena_strndup(arena, nb_buf_cstr(&buf), buf.length);
    nb_buf_done(&buf);
    return kinds;
}

static const struct { const char *text, *tokens; } splits[] = {
    { "a+b", "a + b" },
    { "a++b", "a ++ b" },
    { "a**b", "a ** b" },
    { "x<-5", "x <- 5" },
    { "x|>f", "x |> f" },
    { "x||y", "x || y" },
    { "a=>b->c", "a => b -> c" },
    { "a==b!=c<=d>=e", "a == b != c <= d >= e" },
    { "[1..5]", "[ 1 .. 5 ]" },
    { "[1..=5]", "[ 1 ..= 5 ]" },
    { "a::b:c", "a :: b : c" },
    { "x+=1", "x += 1" },
    { "7.double()", "7 . double ( )" },
    { "t.0.1", "t . 0 . 1" },
    { "1e6", "1 e6" },
    { "1.5e6", "1.5e6" },
    { "1.5e-6x", "1.5e-6 x" },
    { "1.", "1 ." },
    { "1.5.x", "1.5 . x" },
    { "300u8", "300u8" },
    { "9n", "9n" },
    { "9next", "9 next" },
    { "7i88", "7 i88" },
    { "2.50d", "2.50d" },
    { "0d", "0d" },
    { "1.5f32", "1.5f32" },
    { "1.5f320", "1.5 f320" },
    { "0xFFg", "0xFF g" },
    { "0b102", "0b10 2" },
    { "1_000_000", "1_000_000" },
    { "_ _x __", "_ _x __" },
    { "#{1}", "# { 1 }" },
    { "a # comment\nb", "a /b" },
    { "a #\nb", "a /b" },
    { "a #* x\n y *# b", "a b" },
    { "a\n\n\r\n  b", "a /b" },
    { "\"a${f(\"}\")}b\"c", "\"a${f(\"}\")}b\" c" },
    { "\"a\\\"b\" c", "\"a\\\"b\" c" },
    { "'c' 'ab' '\\n' '\\''", "'c' 'ab' '\\n' '\\''" },
    { "", "" },
};

START_TEST(splits_text_into_the_longest_tokens)
{
    ck_assert_str_eq(kinds_of(splits[_i].text), splits[_i].tokens);
    ck_assert_uint_eq(ns_diag_count(diag), 0);
}
END_TEST

static const struct { const char *text; enum ns_token_kind kind; } kinds[] = {
    { "match", NS_TOKEN_MATCH },   { "matches", NS_TOKEN_LOWER }, { "Match", NS_TOKEN_UPPER },
    { "Self", NS_TOKEN_SELF_TYPE }, { "self", NS_TOKEN_SELF },    { "test1", NS_TOKEN_LOWER },
    { "false", NS_TOKEN_FALSE },   { "type", NS_TOKEN_TYPE },     { "as", NS_TOKEN_LOWER },
    { "throw", NS_TOKEN_LOWER },   { "1", NS_TOKEN_INT },         { "1i8", NS_TOKEN_INT8 },
    { "1u64", NS_TOKEN_UINT64 },   { "1n", NS_TOKEN_BIGINT },     { "1d", NS_TOKEN_DECIMAL },
    { "1.0", NS_TOKEN_FLOAT },     { "1.0f32", NS_TOKEN_FLOAT32 }, { "'c'", NS_TOKEN_CHAR },
    { "'\xc3\xa9'", NS_TOKEN_CHAR }, { "'cc'", NS_TOKEN_STRING }, { "\"c\"", NS_TOKEN_STRING },
    { "'\\n'", NS_TOKEN_CHAR },    { "'\\n\\n'", NS_TOKEN_STRING },
};

START_TEST(knows_what_a_token_is)
{
    struct ns_tokens tokens = lex(kinds[_i].text);

    ck_assert_uint_eq(tokens.count, 2);
    ck_assert_int_eq(tokens.items[0].kind, kinds[_i].kind);
    ck_assert_int_eq(tokens.items[1].kind, NS_TOKEN_END);
}
END_TEST

START_TEST(reads_the_values_of_integers)
{
    ck_assert_uint_eq(lex("0xFF").items[0].integer, 255);
    ck_assert_uint_eq(lex("0b1_01").items[0].integer, 5);
    ck_assert_uint_eq(lex("1_000").items[0].integer, 1000);
    ck_assert_uint_eq(lex("9223372036854775807").items[0].integer, INT64_MAX);
    ck_assert_uint_eq(lex("18446744073709551615u64").items[0].integer, UINT64_MAX);
    ck_assert_uint_eq(ns_diag_count(diag), 0);
}
END_TEST

START_TEST(interns_names)
{
    struct ns_tokens tokens = lex("abc abc Abc");

    ck_assert_ptr_eq(tokens.items[0].name, tokens.items[1].name);
    ck_assert_ptr_ne(tokens.items[0].name, tokens.items[2].name);
}
END_TEST

START_TEST(matches_brackets)
{
    struct ns_tokens tokens = lex("f(a, [b]) { (c }");

    ck_assert_uint_eq(tokens.items[1].match, 7);
    ck_assert_uint_eq(tokens.items[4].match, 6);
    ck_assert_uint_eq(tokens.items[8].match, 11); /* the brace closes over the open parenthesis … */
    ck_assert_uint_eq(tokens.items[9].match, 0);  /* … which has no end */
}
END_TEST

START_TEST(keeps_comments)
{
    struct ns_tokens tokens = lex("# one\na #* two *# b");

    ck_assert_uint_eq(tokens.comments.count, 2);
    ck_assert_uint_eq(tokens.comments.items[0].span.to, 5);
    ck_assert_uint_eq(tokens.comments.items[1].span.from, 8);
}
END_TEST

static const struct { const char *text, *message; } mistakes[] = {
    { "a & b", "unexpected character `&`" },
    { "a ` b", "unexpected character ```" },
    { "\xc3\xa9", "unexpected character `\xc3\xa9`" },
    { "\x01", "unexpected character with code 1" },
    { "\"abc", "string literal is not closed" },
    { "\"a${\"", "string literal is not closed" },
    { "''", "empty character literal" },
    { "'\\q'", "unknown escape `\\q`" },
    { "#* abc", "block comment is not closed; expected `*#`" },
    { "9223372036854775808",
      "integer literal `9223372036854775808` is too large (an Int is at most 9223372036854775807)" },
    { "0x8000000000000000",
      "integer literal `0x8000000000000000` is too large (an Int is at most 9223372036854775807)" },
};

START_TEST(reports_what_is_no_token_and_goes_on)
{
    struct ns_tokens tokens = lex(mistakes[_i].text);

    ck_assert(tokens.failed);
    ck_assert_str_eq(ns_diag_first(diag), mistakes[_i].message);
    ck_assert_int_eq(tokens.items[tokens.count - 1].kind, NS_TOKEN_END);
}
END_TEST

START_TEST(skips_a_byte_order_mark)
{
    struct ns_tokens tokens = lex("\xef\xbb\xbfx");

    ck_assert_uint_eq(tokens.count, 2);
    ck_assert(!tokens.failed);
}
END_TEST

START_TEST(survives_any_bytes)
{
    char bytes[300];

    srand(7);
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)(rand() % 4 == 0 ? rand() : "\"'${}()[]#*\\\n a1."[rand() % 18]);
        (void)lex_n(bytes, sizeof bytes);
    }
}
END_TEST

START_TEST(does_not_look_for_the_end_of_endless_literals_for_ever)
{
    struct nb_buf text = NB_BUF_INIT;

    for (int i = 0; i < 300000; i++)
        nb_buf_text(&text, "\"${\n");
    (void)lex_n(text.data, text.length); /* each would cost a look at 1.2 MB */
    nb_buf_done(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lang/lex");
    TCase *one = tcase_create("tokens");

    tcase_add_checked_fixture(one, set_up, tear_down);
    tcase_add_loop_test(one, splits_text_into_the_longest_tokens, 0, sizeof splits / sizeof *splits);
    tcase_add_loop_test(one, knows_what_a_token_is, 0, sizeof kinds / sizeof *kinds);
    tcase_add_test(one, reads_the_values_of_integers);
    tcase_add_test(one, interns_names);
    tcase_add_test(one, matches_brackets);
    tcase_add_test(one, keeps_comments);
    tcase_add_loop_test(one, reports_what_is_no_token_and_goes_on, 0, sizeof mistakes / sizeof *mistakes);
    tcase_add_test(one, skips_a_byte_order_mark);
    tcase_add_test(one, survives_any_bytes);
    tcase_add_test(one, does_not_look_for_the_end_of_endless_literals_for_ever);
    suite_add_tcase(suite, one);
    return run_suite(suite);
}
