/* test_string.c - what strings promise: content, sharing, room behind growing ones, views of parts. */
#include "config.h"

#include "tests/unit/data.h"

#include "vm/object.h"
#include "vm/shared.h"

static char *repeated(char c, size_t count)
{
    static char buffer[4096];

    memset(buffer, c, count);
    buffer[count] = '\0';
    return buffer;
}

static bool holds(vm_value string, const char *bytes) { return vm_string_equals(string, bytes, strlen(bytes)); }

static const size_t lengths[] = { 0, 1, 7, 8, 63, VM_STRING_INLINE, VM_STRING_INLINE + 1, 1000 };

START_TEST(keeps_bytes_of_any_length)
{
    char *bytes = repeated('x', lengths[_i]);

    ctx.args[0] = text(bytes);
    collect();
    ck_assert(holds(ctx.args[0], bytes));
    ck_assert_uint_eq(vm_string_count(ctx.args[0]), lengths[_i]);
    ck_assert(vm_text(ctx.args[0]).ascii);
    ck_assert_int_eq(vm_is_shared(ctx.args[0]), lengths[_i] > VM_STRING_INLINE);
}
END_TEST

START_TEST(counts_code_points)
{
    ck_assert_uint_eq(vm_string_count(text("añ€😀")), 4);
    ck_assert(!vm_text(text("ñ")).ascii);
    ctx.args[0] = text("ñ");
    ctx.args[1] = text("a");
    ck_assert_uint_eq(vm_string_count(vm_string_concat(&ctx, ctx.args[0], ctx.args[1])), 2);
    ck_assert(!vm_text(vm_string_concat(&ctx, ctx.args[1], ctx.args[0])).ascii);
}
END_TEST

START_TEST(grows_piece_by_piece_in_linear_memory)
{
    char expected[3001] = "";

    ctx.args[0] = text("");
    ctx.args[1] = text("abc");
    for (int i = 0; i < 1000; i++) {
        ctx.args[0] = vm_string_concat(&ctx, ctx.args[0], ctx.args[1]);
        memcpy(expected + 3 * i, "abc", 4);
        if (i == 500)
            collect();
    }
    ck_assert(holds(ctx.args[0], expected));
    collect();
    ck_assert(holds(ctx.args[0], expected));
    ck_assert_uint_le(vm_shared_bytes_total(), 3 * 3000);
}
END_TEST

START_TEST(fills_room_only_once)
{
    vm_value *base = &ctx.args[0], *left = &ctx.args[1], *right = &ctx.args[2];
    char expected[5000];

    *base = text(repeated('x', 70));
    ctx.args[3] = text("!");
    *base = vm_string_concat(&ctx, *base, ctx.args[3]); /* has room now */
    *left = vm_string_concat(&ctx, *base, ctx.args[3]);
    *right = text("?");
    *right = vm_string_concat(&ctx, *base, *right);
    snprintf(expected, sizeof expected, "%s!!", repeated('x', 70));
    ck_assert(holds(*left, expected));
    ck_assert_uint_eq(vm_field(*left, 1), vm_field(*base, 1));
    snprintf(expected, sizeof expected, "%s!?", repeated('x', 70));
    ck_assert(holds(*right, expected));
    ck_assert_uint_ne(vm_field(*right, 1), vm_field(*base, 1));
    snprintf(expected, sizeof expected, "%s!", repeated('x', 70));
    ck_assert(holds(*base, expected));
}
END_TEST

START_TEST(joins_with_the_empty_string_for_free)
{
    ctx.args[0] = text("");
    ctx.args[1] = text("abc");
    ck_assert_uint_eq(vm_string_concat(&ctx, ctx.args[0], ctx.args[1]), ctx.args[1]);
    ck_assert_uint_eq(vm_string_concat(&ctx, ctx.args[1], ctx.args[0]), ctx.args[1]);
}
END_TEST

START_TEST(doubles_itself)
{
    ctx.args[0] = text("0123456789");
    for (int i = 0; i < 5; i++)
        ctx.args[0] = vm_string_concat(&ctx, ctx.args[0], ctx.args[0]);
    ck_assert_uint_eq(vm_text(ctx.args[0]).length, 320);
    ck_assert_int_eq(memcmp(vm_text(ctx.args[0]).bytes + 310, "0123456789", 10), 0);
}
END_TEST

START_TEST(cuts_parts_of_parts)
{
    char bytes[301];

    for (int i = 0; i < 300; i++)
        bytes[i] = (char)('a' + i % 26);
    bytes[300] = '\0';
    ctx.args[0] = text(bytes);
    ctx.args[1] = vm_string_part(&ctx, ctx.args[0], 10, 200);
    ctx.args[0] = VM_UNIT;
    ctx.args[1] = vm_string_part(&ctx, ctx.args[1], 5, 100);
    collect();
    ck_assert(vm_string_equals(ctx.args[1], bytes + 15, 100));
    ck_assert(vm_is_kind(ctx.args[1], VM_KIND_BYTES_SLICE));
    ctx.args[2] = vm_string_part(&ctx, ctx.args[1], 99, 1);
    ck_assert(vm_string_equals(ctx.args[2], bytes + 114, 1));
    ck_assert(vm_is_kind(ctx.args[2], VM_KIND_STRING));
    ck_assert_uint_eq(vm_text(vm_string_part(&ctx, ctx.args[1], 100, 0)).length, 0);
    ctx.args[3] = text("z");
    ctx.args[3] = vm_string_concat(&ctx, ctx.args[1], ctx.args[3]); /* must not write into what the part is part of */
    ck_assert(vm_string_equals(ctx.args[1], bytes + 15, 100));
    ck_assert_int_eq(vm_text(ctx.args[3]).bytes[100], 'z');
}
END_TEST

START_TEST(knows_that_a_part_without_umlauts_is_ascii)
{
    ctx.args[0] = text("äbc");
    ck_assert(vm_text(vm_string_part(&ctx, ctx.args[0], 2, 2)).ascii);
    ck_assert(!vm_text(vm_string_part(&ctx, ctx.args[0], 0, 2)).ascii);
}
END_TEST

static const struct { const char *left, *right; int order; } orders[] = {
    { "", "", 0 }, { "", "a", -1 }, { "a", "ab", -1 }, { "b", "ab", 1 }, { "z", "ä", -1 }, { "￿", "😀", -1 },
};

START_TEST(orders_by_code_point)
{
    int order;

    ctx.args[0] = text(orders[_i].left);
    ctx.args[1] = text(orders[_i].right);
    order = vm_string_compare(ctx.args[0], ctx.args[1]);
    ck_assert_int_eq((order > 0) - (order < 0), orders[_i].order);
    order = vm_string_compare(ctx.args[1], ctx.args[0]);
    ck_assert_int_eq((order > 0) - (order < 0), -orders[_i].order);
}
END_TEST

START_TEST(refuses_what_is_too_long)
{
    ck_assert_uint_eq(vm_string(&ctx, "", VM_STRING_MAX + 1), VM_NONE);
}
END_TEST

START_TEST(makes_constants_and_c_strings)
{
    struct nb_buf buffer = NB_BUF_INIT;
    vm_value memory[8];
    vm_value constant;

    ck_assert_uint_le(vm_string_immortal_bytes(5), sizeof memory);
    constant = vm_string_immortal(memory, "h\0llo", 5);
    ck_assert(vm_is_outside(constant));
    ck_assert_int_eq(memcmp(vm_string_cstring(constant, &buffer), "h\0llo", 6), 0);
    ck_assert_str_eq(vm_string_cstring(text("again"), &buffer), "again");
    nb_buf_done(&buffer);
}
END_TEST

START_TEST(gives_garbage_back_while_only_strings_are_made)
{
    for (int i = 0; i < 20000; i++)
        ck_assert_uint_ne(vm_string(&ctx, repeated('x', 4000), 4000), VM_NONE);
    ck_assert_uint_le(vm_shared_bytes_total(), 40 << 20);
}
END_TEST

START_TEST(counts_the_work_of_joining)
{
    ctx.reductions = 0;
    ctx.args[0] = vm_string(&ctx, repeated('x', 4000), 4000);
    ctx.args[0] = vm_string_concat(&ctx, ctx.args[0], ctx.args[0]);
    for (unsigned i = 0; i < 8; i++) /* 2 MB in the end */
        ctx.args[0] = vm_string_concat(&ctx, ctx.args[0], ctx.args[0]);
    ck_assert_int_le(ctx.reductions, -2000);
    ctx.reductions = 0;
    ctx.args[0] = vm_string_concat(&ctx, ctx.args[0], text("x"));
    ctx.reductions = 0;
    ctx.args[0] = vm_string_concat(&ctx, ctx.args[0], text("x")); /* into the room behind it: copies one byte */
    ck_assert_int_eq(ctx.reductions, 0);
}
END_TEST

int main(void)
{
    const struct named_test tests[] = {
        { keeps_bytes_of_any_length, ROWS(lengths) }, { counts_code_points, 0 },
        { grows_piece_by_piece_in_linear_memory, 0 }, { fills_room_only_once, 0 },
        { joins_with_the_empty_string_for_free, 0 }, { doubles_itself, 0 }, { cuts_parts_of_parts, 0 },
        { knows_that_a_part_without_umlauts_is_ascii, 0 }, { orders_by_code_point, ROWS(orders) },
        { refuses_what_is_too_long, 0 }, { makes_constants_and_c_strings, 0 },
        { gives_garbage_back_while_only_strings_are_made, 0 }, { counts_the_work_of_joining, 0 },
    };

    return run_tests("vm/string", tests, sizeof tests / sizeof *tests);
}
