/*
 * test_jobs.h - running tests as children of this program, several at a time.
 */
#ifndef CLI_TEST_JOBS_H
#define CLI_TEST_JOBS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "cli/test.h"
#include "cli/test_find.h"

enum { TEST_OUTPUT_BYTES_MAX = 64 << 20 };

/** How a test's child went. */
struct test_run {
    struct nb_buf output; /* both streams */
    int status;           /* as waitpid() tells it; the child is killed for the following reasons */
    bool timed_out;
    bool too_much_output;
    int error; /* a positive errno: it could not be started */
};

/** Run the tests that are not broken; `ended` is called for each, in whatever order they end, and owns nothing. Returns
 *  false when a signal to end interrupted it; the children are then dead. */
bool test_run_all(const struct test *tests, size_t count, const struct test_options *options,
                  void (*ended)(void *context, size_t index, const struct test_run *run), void *context);

#endif
