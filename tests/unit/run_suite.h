/* run_suite.h - the end of each unit test's main(), and a child process whose words and end are looked at. */
#ifndef TESTS_UNIT_RUN_SUITE_H
#define TESTS_UNIT_RUN_SUITE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

/** Run a suite (CK_FORK=no for gdb and sanitizers); what main() returns. */
static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/** Run act() in a child and collect what it writes to standard error, at most bytes - 1. Returns its wait status. */
static inline int run_child(void (*act)(void), char *words, size_t bytes)
{
    int ends[2], status = 0;
    size_t length = 0;
    ssize_t count;
    pid_t child;

    ck_assert_int_eq(pipe(ends), 0);
    fflush(NULL);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        act();
        _exit(0);
    }
    close(ends[1]);
    while (length + 1 < bytes && (count = read(ends[0], words + length, bytes - 1 - length)) > 0)
        length += (size_t)count;
    words[length] = '\0';
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

#endif
