/*
 * test_json.c - what the readers and printers of JSON promise: values, places of errors, and that nothing is lost or
 * leaks when memory runs out.
 */
#include "config.h"

#include "tests/unit/data.h"

#include "lib/json.h"
#include "tests/unit/run_suite.h"
#include "vm/except.h"

static void set_up_json(void)
{
    set_up();
    lib_json_init();
}

/* ---- texts to values ---- */

static const struct { const char *text, *value; } strict_rows[] = {
    { " null ", "Null" },
    { "[1,-2,3.5,1e2]", "Array([Integer(1), Integer(-2), Number(3.5), Number(100.0)])" },
    { "{\"a\":{\"b\":[]},\"c\":{}}",
      "Object([(\"a\", Object([(\"b\", Array([]))])), (\"c\", Object([]))])" },
    { "\"\\u00e4\\ud83d\\ude00\"", "String(\"\u00e4\U0001f600\")" },
    { "{\"a\":1,\"b\":2,\"a\":3}", "Object([(\"a\", Integer(3)), (\"b\", Integer(2))])" },
    { "9223372036854775808", "Number(9223372036854775808.0)" },
    { "", "!EOF while parsing a value at line 1 column 0" },
    { "[1,\n2,\n  ?]", "!expected value at line 3 column 3" },
    { "\"a\tb\"", "!control character (\\u0000-\\u001F) found while parsing a string at line 1 column 3" },
    { "\"\\ud800x\"", "!unexpected end of hex escape at line 1 column 8" },
    { "\"\\udc00\"", "!lone leading surrogate in hex escape at line 1 column 7" },
    { "[[[", "!EOF while parsing a list at line 1 column 3" },
};

/* The display form of what the strict reader makes of a text; behind a `!` what is wrong with it. */
static const char *read_strictly(const char *source)
{
    struct lib_stack stack;
    enum vm_status status;
    const char *shown;

    lib_stack_begin(&ctx, &stack);
    status = lib_json_read(&ctx, &stack, source, strlen(source));
    ck_assert_int_ne(status, VM_NOMEM);
    if (status == VM_OK)
        shown = printed(lib_stack_top(&stack), vm_print_display);
    else
        shown = printed(vm_field(ctx.exception, 1), vm_print_display) + strlen("JSON parse error: ");
    lib_stack_end(&ctx, &stack);
    return shown;
}

START_TEST(strict_reader)
{
    const char *wanted = strict_rows[_i].value;

    ck_assert_str_eq(read_strictly(strict_rows[_i].text), wanted + (*wanted == '!'));
}
END_TEST

static const struct { const char *text, *printed; } lenient_rows[] = {
    { "[1,2,]", "[1,2]" }, { "{\"a\":1", "{\"a\":1}" },   { "[[1 2],3]", "[[1]]" }, { "tru", "false" },
    { "\"\\u0041", "\"u0041\"" }, { "{[1]:2}", "{\"\":2}" }, { "-1.50", "-1.5" },     { "{\"a\",\"b\":1}", "{}" },
    { "[,]", "[0]" },     { "{,}", "{}" },                { "[\"x\\", "[\"x\\\"]" }, { "}", "0" },
};

START_TEST(lenient_reader)
{
    struct nb_buf text = NB_BUF_INIT;
    struct lib_stack stack;

    lib_stack_begin(&ctx, &stack);
    ck_assert(lib_json_read_lenient(&ctx, &stack, lenient_rows[_i].text, strlen(lenient_rows[_i].text)));
    ck_assert_int_eq(lib_json_print_raw(&ctx, &text, lib_stack_top(&stack)), VM_OK);
    ck_assert_str_eq(nb_buf_cstr(&text), lenient_rows[_i].printed);
    nb_buf_done(&text);
    lib_stack_end(&ctx, &stack);
}
END_TEST

/* ---- large values ---- */

/* [0,1,…] and {"k0":0,…} of many elements, and 50 levels of nesting around. */
static void large_text(struct nb_buf *text)
{
    for (int i = 0; i < 50; i++)
        nb_buf_text(text, "[");
    for (int i = 0; i < 500; i++)
        nb_buf_printf(text, "%s{\"key number %d\":\"a text that is longer than what lies in the heap, number %d .....\"}",
                      i > 0 ? "," : "", i, i);
    for (int i = 0; i < 50; i++)
        nb_buf_text(text, "]");
}

START_TEST(prints_what_it_read)
{
    struct nb_buf source = NB_BUF_INIT, text = NB_BUF_INIT;
    struct lib_stack stack;

    large_text(&source);
    lib_stack_begin(&ctx, &stack);
    ck_assert_int_eq(lib_json_read(&ctx, &stack, source.data, source.length), VM_OK);
    collect();
    ck_assert_int_eq(lib_json_print(&ctx, &text, lib_stack_top(&stack)), VM_OK);
    ck_assert_str_eq(nb_buf_cstr(&text), nb_buf_cstr(&source));
    lib_stack_end(&ctx, &stack);
    nb_buf_done(&source);
    nb_buf_done(&text);
}
END_TEST

/* Let the first `count` allocations succeed: the reader has all it needs or says that it has not. */
static bool reads_with(const struct nb_buf *source, long count)
{
    struct lib_stack stack;
    enum vm_status status;

    lib_stack_begin(&ctx, &stack);
    nb_alloc_fail_after(count);
    status = lib_json_read(&ctx, &stack, source->data, source->length);
    nb_alloc_fail_after(-1);
    lib_stack_end(&ctx, &stack);
    ck_assert(status == VM_OK || status == VM_NOMEM);
    return status == VM_OK;
}

START_TEST(survives_without_memory)
{
    struct nb_buf source = NB_BUF_INIT;
    long count = 0;

    large_text(&source);
    while (!reads_with(&source, count))
        count += 1 + count / 16;
    ck_assert_int_gt(count, 0);
    nb_buf_done(&source);
}
END_TEST

/* ---- keys that occur twice ---- */

START_TEST(finds_duplicates)
{
    const char *names[] = { "a", "b", "a", "c", "b", "a" };
    const uint32_t wanted[] = { 5, 4, UINT32_MAX, 3, UINT32_MAX, UINT32_MAX };
    struct vm_text keys[6];
    uint32_t *latest;

    for (int i = 0; i < 6; i++)
        keys[i] = (struct vm_text){ names[i], (uint32_t)strlen(names[i]), true };
    ck_assert(!lib_json_duplicates(keys, 2, &latest));
    ck_assert(lib_json_duplicates(keys, 6, &latest));
    for (int i = 0; i < 6; i++)
        ck_assert_uint_eq(latest[i], wanted[i]);
    nb_free(latest);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lib/json");
    TCase *one = tcase_create("one process");

    tcase_add_checked_fixture(one, set_up_json, tear_down);
    tcase_add_loop_test(one, strict_reader, 0, sizeof strict_rows / sizeof *strict_rows);
    tcase_add_loop_test(one, lenient_reader, 0, sizeof lenient_rows / sizeof *lenient_rows);
    tcase_add_test(one, prints_what_it_read);
    tcase_add_test(one, survives_without_memory);
    tcase_add_test(one, finds_duplicates);
    suite_add_tcase(suite, one);
    return run_suite(suite);
}
