/* test_utf8.c - what UTF-8 handling promises: every scalar value there and back, nothing else accepted. */
#include "config.h"

#include "base/utf8.h"

#include "tests/unit/run_suite.h"

static bool is_scalar(uint32_t code_point)
{
    return code_point < 0xd800 || (code_point > 0xdfff && code_point <= 0x10ffff);
}

START_TEST(takes_every_scalar_value_there_and_back)
{
    for (uint32_t code_point = 0; code_point < 0x110100; code_point++) {
        char bytes[4];
        uint32_t decoded = 0;
        size_t size = nb_utf8_encode(code_point, bytes);

        if (!is_scalar(code_point)) {
            ck_assert_uint_eq(size, 0);
            continue;
        }
        if (!nb_utf8_valid(bytes, size) || nb_utf8_decode(bytes, size, &decoded) != size || decoded != code_point)
            ck_abort_msg("code point %x", code_point);
    }
}
END_TEST

/* Every run of one, two and three bytes is valid exactly if it is a row of encodings. */
START_TEST(accepts_only_what_encoding_gives)
{
    for (uint32_t run = 0; run < 1u << 24; run += run < 1u << 16 ? 1 : 7) {
        char bytes[4] = { (char)(run >> 16), (char)(run >> 8), (char)run, 0 };
        uint32_t first = 0;
        size_t size = nb_utf8_decode(bytes, 3, &first);
        char again[4];
        bool good = size == nb_utf8_encode(first, again) && memcmp(bytes, again, size) == 0;

        if (!good && !(first == 0xfffd && size == 1))
            ck_abort_msg("bytes %06x", run);
        if (good && nb_utf8_valid(bytes, 3) != nb_utf8_valid(bytes + size, 3 - size))
            ck_abort_msg("rest of %06x", run);
        if (!good && nb_utf8_valid(bytes, 3))
            ck_abort_msg("accepts %06x", run);
    }
}
END_TEST

static const struct {
    const char *bytes;
    bool valid;
} texts[] = {
    { "", true },
    { "plain", true },
    { "gr\xc3\xbc\xc3\x9f", true },
    { "\xe2\x82\xac", true },
    { "\xf0\x9f\x98\x80", true },
    { "\xf4\x8f\xbf\xbf", true },
    { "\x80", false },             /* continuation alone */
    { "\xc0\x80", false },         /* overlong NUL */
    { "\xc1\xbf", false },         /* overlong ASCII */
    { "\xe0\x9f\xbf", false },     /* overlong in three */
    { "\xf0\x8f\xbf\xbf", false }, /* overlong in four */
    { "\xed\xa0\x80", false },     /* surrogate */
    { "\xf4\x90\x80\x80", false }, /* beyond the last */
    { "\xf5\x80\x80\x80", false },
    { "\xff", false },
    { "12345678\xc3", false }, /* cut off behind a whole word */
    { "\xe2\x82", false },
    { "\xe2\x28\xa1", false },
    { "1234567890\xf0\x9f\x98\x80 tail that goes on", true },
    { "1234567890\xf0\x9f\x98 tail that goes on", false },
};

START_TEST(knows_good_from_bad)
{
    ck_assert_int_eq(nb_utf8_valid(texts[_i].bytes, strlen(texts[_i].bytes)), texts[_i].valid);
}
END_TEST

START_TEST(goes_on_behind_a_bad_byte)
{
    uint32_t code_point = 0;

    ck_assert_uint_eq(nb_utf8_decode("\xe2\x82x", 3, &code_point), 1);
    ck_assert_uint_eq(code_point, 0xfffd);
    ck_assert_uint_eq(nb_utf8_decode("", 0, &code_point), 0);
}
END_TEST

START_TEST(counts_and_finds_code_points)
{
    static const char text[] = "a\xc3\xbc"
                               "bcdefgh\xe2\x82\xac\xf0\x9f\x98\x80z";
    static const size_t offsets[] = { 0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 13, 17 };
    size_t length = sizeof text - 1, count = sizeof offsets / sizeof *offsets;

    ck_assert_uint_eq(nb_utf8_count(text, length), count);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(nb_utf8_offset(text, length, i), offsets[i]);
    ck_assert_uint_eq(nb_utf8_offset(text, length, count), length);
    ck_assert_uint_eq(nb_utf8_offset(text, length, 1000), length);
    ck_assert_uint_eq(nb_utf8_offset("", 0, 0), 0);
    ck_assert_uint_eq(nb_utf8_count("", 0), 0);
}
END_TEST

START_TEST(knows_ascii)
{
    char text[] = "a text that is longer than two words";

    ck_assert(nb_utf8_is_ascii(text, sizeof text - 1));
    ck_assert(nb_utf8_is_ascii("", 0));
    for (size_t i = 0; i < sizeof text - 1; i++) {
        char kept = text[i];

        text[i] = '\x80';
        ck_assert(!nb_utf8_is_ascii(text, sizeof text - 1));
        text[i] = kept;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/utf8");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 60);
    tcase_add_test(all, takes_every_scalar_value_there_and_back);
    tcase_add_test(all, accepts_only_what_encoding_gives);
    tcase_add_loop_test(all, knows_good_from_bad, 0, sizeof texts / sizeof *texts);
    tcase_add_test(all, goes_on_behind_a_bad_byte);
    tcase_add_test(all, counts_and_finds_code_points);
    tcase_add_test(all, knows_ascii);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
