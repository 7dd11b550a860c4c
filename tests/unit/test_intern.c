/* test_intern.c - what interning promises: one copy, one number, readable by everybody at any time. */
#include "config.h"

#include "base/intern.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "tests/unit/run_suite.h"

START_TEST(gives_equal_texts_one_copy)
{
    char copy[] = "name";

    ck_assert_ptr_eq(nb_intern("name"), nb_intern(copy));
    ck_assert_ptr_ne(nb_intern("name"), copy);
    ck_assert_ptr_ne(nb_intern("name"), nb_intern("names"));
    ck_assert_ptr_eq(nb_intern_n("names", 4), nb_intern("name"));
    ck_assert_str_eq(nb_intern(""), "");
    ck_assert_ptr_eq(nb_intern(""), nb_intern_n(NULL, 0));
}
END_TEST

START_TEST(numbers_texts_from_one)
{
    uint32_t id = nb_intern_id("numbered");

    ck_assert_uint_ge(id, 1);
    ck_assert_uint_eq(nb_intern_id_n("numbered!", 8), id);
    ck_assert_ptr_eq(nb_intern_text(id), nb_intern("numbered"));
    ck_assert_ptr_null(nb_intern_text(0));
    ck_assert_ptr_null(nb_intern_text((1u << 24) - 1));
    ck_assert_ptr_null(nb_intern_text(UINT32_MAX));
}
END_TEST

START_TEST(keeps_bytes_that_are_no_text)
{
    ck_assert_uint_ne(nb_intern_id_n("a\0b", 3), nb_intern_id_n("a\0c", 3));
    ck_assert_uint_ne(nb_intern_id_n("a\0b", 3), nb_intern_id("a"));
    ck_assert_mem_eq(nb_intern_n("a\0b", 3), "a\0b", 4);
}
END_TEST

/* More than a page and several sizes of the table. */
START_TEST(keeps_many)
{
    enum { NAMES = 20000 };
    static uint32_t ids[NAMES];
    char text[32];

    for (int i = 0; i < NAMES; i++) {
        snprintf(text, sizeof text, "many%d", i);
        ids[i] = nb_intern_id(text);
    }
    for (int i = 0; i < NAMES; i++) {
        snprintf(text, sizeof text, "many%d", i);
        ck_assert_uint_eq(nb_intern_id(text), ids[i]);
        ck_assert_str_eq(nb_intern_text(ids[i]), text);
    }
}
END_TEST

enum { WRITERS = 3, EACH = 5000 };
static atomic_uint newest;
static atomic_bool wrong, finished;

static void *intern_many(void *unused)
{
    char text[32];

    (void)unused;
    for (int i = 0; i < EACH; i++) { /* all writers the same names */
        snprintf(text, sizeof text, "shared%d", i);
        uint32_t id = nb_intern_id(text);

        if (strcmp(nb_intern_text(id), text) != 0)
            wrong = true;
        atomic_store_explicit(&newest, id, memory_order_relaxed);
    }
    return NULL;
}

static void *read_newest(void *unused)
{
    (void)unused;
    while (!finished) {
        uint32_t id = atomic_load_explicit(&newest, memory_order_relaxed);
        const char *text = nb_intern_text(id);

        if (id != 0 && (text == NULL || strncmp(text, "shared", 6) != 0))
            wrong = true;
    }
    return NULL;
}

START_TEST(agrees_across_threads)
{
    pthread_t writers[WRITERS], reader;
    uint32_t before = nb_intern_id("the last one before");

    ck_assert_int_eq(pthread_create(&reader, NULL, read_newest, NULL), 0);
    for (int i = 0; i < WRITERS; i++)
        ck_assert_int_eq(pthread_create(&writers[i], NULL, intern_many, NULL), 0);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    finished = true;
    pthread_join(reader, NULL);
    ck_assert(!wrong);
    ck_assert_uint_eq(nb_intern_id("the first one after"), before + EACH + 1); /* each name only once */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/intern");
    TCase *all = tcase_create("all");

    tcase_add_test(all, gives_equal_texts_one_copy);
    tcase_add_test(all, numbers_texts_from_one);
    tcase_add_test(all, keeps_bytes_that_are_no_text);
    tcase_add_test(all, keeps_many);
    tcase_add_test(all, agrees_across_threads);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
