/*
 * test_judge.h - whether a test's run was what it wanted.
 */
#ifndef CLI_TEST_JUDGE_H
#define CLI_TEST_JUDGE_H

#include "cli/test_jobs.h"

/** Judge a run. Returns true when the test passed; else `why` receives the reason, which may take several lines: the
 *  first says it, the others are the end of the output, where that helps. */
bool test_judge(const struct test *test, const struct test_run *run, const struct test_options *options,
                struct nb_buf *why);

#endif
