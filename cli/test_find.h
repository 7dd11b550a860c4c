/*
 * test_find.h - which tests there are.
 *
 * A file with a line `# expect: VALUE` or `# expect_error: TEXT` is a program to run; below a folder called multifile
 * its folder is, and only main.nos counts. In other files functions without parameters whose names begin with test_ are
 * tests: each file is a program of its own, unless it lies in or below a folder with main.nos or nostos.toml, whose
 * module it is then. Folders called timeout, and hidden ones, are left out.
 */
#ifndef CLI_TEST_FIND_H
#define CLI_TEST_FIND_H

#include "base/vec.h"

enum test_want {
    TEST_VALUE,  /* the last line of the output is … */
    TEST_ERROR,  /* the output contains … */
    TEST_RETURN, /* the function returns, and not false */
    TEST_BROKEN  /* it cannot even be begun, because … */
};

struct test {
    char *name;     /* for people: "a/b.nos", "a/b.nos: test_c" */
    char *target;   /* file or folder to run */
    char *function; /* to begin with, or NULL: main */
    char *flags;    /* words for the command line (`# flags: --seed 1`), or NULL */
    enum test_want want;
    char *wanted; /* …; NULL for TEST_RETURN */
};

struct test_list {
    NB_VEC(struct test) tests;
};

/** Add the tests of a file or folder. */
void test_find(struct test_list *list, const char *path);
void test_list_done(struct test_list *list);

#endif
