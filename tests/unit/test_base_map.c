/* test_base_map.c - what a map promises: each key once, values found, order of insertion, room reused. */
#include "config.h"

#include "base/map.h"

#include <stdint.h>

#include "base/alloc.h"
#include "tests/unit/run_suite.h"

static struct nb_map *map;

static void set_up(void) { map = nb_map_new(); }
static void tear_down(void) { map = nb_map_free(map); }

static void *value(uintptr_t number) { return (void *)number; }

static const char *name(int number)
{
    static char text[32];

    snprintf(text, sizeof text, "key%d", number);
    return text;
}

START_TEST(finds_what_was_set)
{
    ck_assert_ptr_null(nb_map_get(map, "a"));
    ck_assert_ptr_null(nb_map_set(map, "a", value(1)));
    ck_assert_ptr_null(nb_map_set(map, "b", value(2)));
    ck_assert_ptr_eq(nb_map_get(map, "a"), value(1));
    ck_assert_ptr_eq(nb_map_set(map, "a", value(3)), value(1));
    ck_assert_ptr_eq(nb_map_get(map, "a"), value(3));
    ck_assert_uint_eq(nb_map_count(map), 2);
}
END_TEST

START_TEST(tells_a_stored_null_from_nothing)
{
    nb_map_set(map, "there", NULL);
    ck_assert_ptr_null(nb_map_get(map, "there"));
    ck_assert(nb_map_has(map, "there"));
    ck_assert(!nb_map_has(map, "absent"));
}
END_TEST

START_TEST(takes_any_bytes_as_a_key)
{
    nb_map_set(map, "", value(1));
    nb_map_set_n(map, "a\0b", 3, value(2));
    nb_map_set_n(map, "a\0c", 3, value(3));
    nb_map_set(map, "a", value(4));
    ck_assert_ptr_eq(nb_map_get(map, ""), value(1));
    ck_assert_ptr_eq(nb_map_get_n(map, "a\0b", 3), value(2));
    ck_assert_ptr_eq(nb_map_get_n(map, "a\0c", 3), value(3));
    ck_assert_ptr_eq(nb_map_get_n(map, "abc", 1), value(4));
    ck_assert_ptr_null(nb_map_get_n(map, "a\0d", 3));
}
END_TEST

START_TEST(copies_its_keys)
{
    char key[] = "key";

    nb_map_set(map, key, value(1));
    key[0] = 'x';
    ck_assert_ptr_eq(nb_map_get(map, "key"), value(1));
    ck_assert_ptr_null(nb_map_get(map, "xey"));
}
END_TEST

START_TEST(iterates_in_order_of_insertion)
{
    const char *key;
    void *found;
    size_t cursor = 0;
    int expected = 0;

    for (int i = 0; i < 1000; i++)
        nb_map_set(map, name(i), value((uintptr_t)i));
    nb_map_set(map, name(0), value(0)); /* setting again does not move it */
    for (int i = 0; i < 1000; i += 3)
        nb_map_remove(map, name(i));
    while (nb_map_next(map, &cursor, &key, &found)) {
        expected += expected % 3 == 0; /* those are gone */
        ck_assert_str_eq(key, name(expected));
        ck_assert_ptr_eq(found, value((uintptr_t)expected));
        expected++;
    }
    ck_assert_int_eq(expected, 999);
    cursor = 0;
    ck_assert(nb_map_next(map, &cursor, NULL, NULL));
}
END_TEST

/* A model beside it: an array that says which keys are in. */
START_TEST(survives_setting_and_removing_at_random)
{
    enum { KEYS = 300 };
    uintptr_t model[KEYS] = { 0 };
    unsigned random = 12345;
    size_t count = 0;

    for (uintptr_t step = 1; step <= 100000; step++) {
        int key = (int)((random = random * 1103515245 + 12345) >> 16) % KEYS;
        void *former = value(model[key]);

        if (random >> 31) {
            ck_assert_ptr_eq(nb_map_set(map, name(key), value(step)), former);
            count += model[key] == 0;
            model[key] = step;
        } else {
            ck_assert_ptr_eq(nb_map_remove(map, name(key)), former);
            count -= model[key] != 0;
            model[key] = 0;
        }
        ck_assert_uint_eq(nb_map_count(map), count);
    }
    for (int key = 0; key < KEYS; key++)
        ck_assert_ptr_eq(nb_map_get(map, name(key)), value(model[key]));
}
END_TEST

START_TEST(gives_everything_back)
{
    long before = nb_alloc_live();
    struct nb_map *other = nb_map_new();

    for (int i = 0; i < 500; i++)
        nb_map_set(other, name(i), NULL);
    for (int i = 0; i < 500; i += 2)
        nb_map_remove(other, name(i));
    ck_assert_ptr_null(nb_map_free(other));
    ck_assert_int_eq(nb_alloc_live(), before);
    ck_assert_ptr_null(nb_map_free(NULL));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/map");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, finds_what_was_set);
    tcase_add_test(all, tells_a_stored_null_from_nothing);
    tcase_add_test(all, takes_any_bytes_as_a_key);
    tcase_add_test(all, copies_its_keys);
    tcase_add_test(all, iterates_in_order_of_insertion);
    tcase_add_test(all, survives_setting_and_removing_at_random);
    tcase_add_test(all, gives_everything_back);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
