/*
 * test.c - `nostos test`: find, run, report. Tests end in any order; what is said of them is kept back until all in
 * front of them have been reported.
 */
#include "config.h"

#include "cli/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "cli/test_find.h"
#include "cli/test_jobs.h"
#include "cli/test_judge.h"

enum { EXIT_INTERRUPTED = 130 };

enum state { PENDING, PASSED, FAILED };

struct report {
    const struct test_options *options;
    const struct test *tests;
    enum state *states;
    struct nb_buf *reasons;
    size_t count, reported; /* tests; those that were reported */
    size_t passed, failed;
};

static void print_failure(const char *name, const char *why)
{
    const char *line = why + strcspn(why, "\n");

    printf("not ok %s - %.*s\n", name, (int)(line - why), why);
    while (*line != '\0') {
        line++;
        printf("    %.*s\n", (int)strcspn(line, "\n"), line);
        line += strcspn(line, "\n");
    }
}

static void print_settled(struct report *report)
{
    for (; report->reported < report->count && report->states[report->reported] != PENDING; report->reported++) {
        size_t i = report->reported;

        if (report->states[i] == FAILED)
            print_failure(report->tests[i].name, nb_buf_cstr(&report->reasons[i]));
        else if (!report->options->quiet)
            printf("ok %s\n", report->tests[i].name);
        nb_buf_done(&report->reasons[i]);
    }
    fflush(stdout);
}

static void on_ended(void *context, size_t index, const struct test_run *run)
{
    struct report *report = context;
    bool passed = test_judge(&report->tests[index], run, report->options, &report->reasons[index]);

    report->states[index] = passed ? PASSED : FAILED;
    report->passed += passed;
    report->failed += !passed;
    print_settled(report);
}

static int run_tests(const struct test_options *options, const struct test *tests, size_t count)
{
    struct report report = { .options = options, .tests = tests, .count = count };
    bool complete;

    if (count == 0) {
        fputs("Error: No tests found: programs with `# expect: VALUE`, or functions named test_...\n", stderr);
        return EXIT_FAILURE;
    }
    report.states = nb_xalloc_zero(count * sizeof *report.states);
    report.reasons = nb_xalloc_zero(count * sizeof *report.reasons);
    complete = test_run_all(tests, count, options, on_ended, &report);
    if (complete)
        printf("%zu passed, %zu failed\n", report.passed, report.failed);
    else
        fputs("\nInterrupted\n", stderr);
    for (size_t i = 0; i < count; i++)
        nb_buf_done(&report.reasons[i]);
    nb_free(report.states);
    nb_free(report.reasons);
    if (!complete)
        return EXIT_INTERRUPTED;
    return report.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int test_main(const struct test_options *options, char *const *paths)
{
    static char *const here[] = { (char *)".", NULL };
    struct test_list list = { NB_VEC_INIT };
    int status;

    for (char *const *path = paths[0] != NULL ? paths : here; *path != NULL; path++)
        test_find(&list, *path);
    status = run_tests(options, list.tests.items, list.tests.count);
    test_list_done(&list);
    return status;
}
