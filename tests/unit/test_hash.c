/* test_hash.c - what the hash promises: the same in one run, every byte counts, buckets fill evenly. */
#include "config.h"

#include "base/hash.h"

#include "tests/unit/run_suite.h"

START_TEST(is_the_same_for_the_same_bytes)
{
    char one[] = "twelve bytes", two[] = "?twelve bytes";

    ck_assert_uint_eq(nb_hash_bytes(one, 12), nb_hash_bytes(two + 1, 12)); /* at another alignment */
    ck_assert_uint_eq(nb_hash_bytes(NULL, 0), nb_hash_bytes("", 0));
}
END_TEST

START_TEST(depends_on_every_byte_and_the_length)
{
    unsigned char bytes[64] = { 0 };

    for (size_t length = 1; length <= sizeof bytes; length++) {
        uint64_t plain = nb_hash_bytes(bytes, length);

        ck_assert_uint_ne(plain, nb_hash_bytes(bytes, length - 1));
        for (size_t i = 0; i < length; i++) {
            bytes[i] = 1;
            ck_assert_uint_ne(plain, nb_hash_bytes(bytes, length));
            bytes[i] = 0;
        }
    }
}
END_TEST

/* 64 keys in each of 1024 buckets on average; a fair hash strays by a few dozen. */
START_TEST(spreads_similar_keys)
{
    enum { BUCKETS = 1024, KEYS = BUCKETS * 64 };
    static unsigned low[BUCKETS], high[BUCKETS];

    for (int i = 0; i < KEYS; i++) {
        char key[32];
        uint64_t hash = nb_hash_bytes(key, (size_t)snprintf(key, sizeof key, "name_%d", i));

        low[hash % BUCKETS]++;
        high[hash >> 54]++;
    }
    for (int i = 0; i < BUCKETS; i++) {
        ck_assert_uint_gt(low[i], 16);
        ck_assert_uint_lt(low[i], 128);
        ck_assert_uint_gt(high[i], 16);
        ck_assert_uint_lt(high[i], 128);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/hash");
    TCase *all = tcase_create("all");

    tcase_add_test(all, is_the_same_for_the_same_bytes);
    tcase_add_test(all, depends_on_every_byte_and_the_length);
    tcase_add_test(all, spreads_similar_keys);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
