/*
 * test.h - `nostos test`: run the tests below folders, in parallel, and say how each went.
 *
 * A test is a program that says in a comment what it expects (test_find.h), or a function named test_…. Each runs in a
 * child of its own, as `nostos FILE` would run it. Output is a line for each, "ok NAME" or "not ok NAME - why" in the
 * order of their names, and last "N passed, N failed".
 */
#ifndef CLI_TEST_H
#define CLI_TEST_H

#include <stdbool.h>

struct test_options {
    unsigned jobs;    /* tests at a time */
    unsigned seconds; /* that one may take */
    bool quiet;       /* say nothing of those that pass */
    bool no_typed_code; /* run each with --no-typed-code */
};

enum { TEST_SECONDS_DEFAULT = 15, TEST_SECONDS_MAX = 86400, TEST_JOBS_MAX = 1024 };

/** Run the tests of files and folders; `paths` ends with NULL, none stands for the working directory. Returns the exit
 *  status. After lib_register(); single-threaded. */
int test_main(const struct test_options *options, char *const *paths);

#endif
