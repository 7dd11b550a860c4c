/*
 * test_judge.c - the convention of 06 F: of a program that expects a value the last line counts, of one that expects an
 * error all of the output; the exit status does not. But a program that a signal or a sanitizer ended has failed.
 */
#include "config.h"

#include "cli/test_judge.h"

#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"

enum { DETAIL_LINES = 20 };

/* What the tools that watch memory and threads print. */
static const char *const sanitizer_reports[] = { "ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
                                                 "WARNING: ThreadSanitizer", "ERROR: ThreadSanitizer",
                                                 ": runtime error: " };

/* ---- output ---- */

/* Length of the output without the line breaks at its end. */
static size_t trimmed(const struct nb_buf *output)
{
    size_t length = output->length;

    while (length > 0 && (output->data[length - 1] == '\n' || output->data[length - 1] == '\r'))
        length--;
    return length;
}

/* The last `lines` lines, for the caller to free. */
static char *last_lines(const struct nb_buf *output, unsigned lines)
{
    size_t end = trimmed(output), from = end;
    char *text;

    for (; from > 0; from--)
        if (output->data[from - 1] == '\n' && --lines == 0)
            break;
    text = nb_xalloc(end - from + 1);
    if (end > from)
        memcpy(text, output->data + from, end - from);
    text[end - from] = '\0';
    return text;
}

static bool contains(const struct nb_buf *output, const char *text)
{
    return *text == '\0' || (output->length > 0 && memmem(output->data, output->length, text, strlen(text)) != NULL);
}

/* ---- values ---- */

static bool opens(const char *text, const char *quote)
{
    return quote > text &&
           (quote[-1] == '[' || quote[-1] == '(' || (quote > text + 1 && quote[-1] == ' ' && quote[-2] == ','));
}

/* A line without the quotes around it, and without those of strings that are components or elements. */
static char *plain(const char *line)
{
    size_t length = strlen(line);
    char *text = nb_xalloc(length + 1), *out = text;

    if (length >= 2 && line[0] == '"' && line[length - 1] == '"') {
        line++;
        length -= 2;
    }
    for (const char *at = line, *end = line + length; at < end; at++) {
        const char *close = *at == '"' ? memchr(at + 1, '"', (size_t)(end - at - 1)) : NULL;

        if (close == NULL || !(opens(line, at) || (close + 1 < end && (close[1] == ']' || close[1] == ')')))) {
            *out++ = *at;
            continue;
        }
        memcpy(out, at + 1, (size_t)(close - at - 1));
        out += close - at - 1;
        at = close;
    }
    *out = '\0';
    return text;
}

/* Whether a last line of output is the value: equal, or equal but for quotes around strings (06 F). */
static bool value_fits(const char *line, const char *wanted)
{
    char *a, *b;
    bool same;

    if (strcmp(line, wanted) == 0)
        return true;
    a = plain(line);
    b = plain(wanted);
    same = strcmp(a, b) == 0;
    nb_free(a);
    nb_free(b);
    return same;
}

/* ---- verdicts ---- */

static void add_details(struct nb_buf *why, const struct nb_buf *output)
{
    char *lines = last_lines(output, DETAIL_LINES);

    if (*lines != '\0')
        nb_buf_printf(why, "\n%s", lines);
    nb_free(lines);
}

/* What is wrong whatever the test wants. */
static bool went_wrong(const struct test_run *run, const struct test_options *options, struct nb_buf *why)
{
    if (run->error != 0)
        nb_buf_printf(why, "cannot be started: %s", strerror(run->error));
    else if (run->timed_out)
        nb_buf_printf(why, "still running after %u s", options->seconds);
    else if (run->too_much_output)
        nb_buf_printf(why, "more than %d MiB of output", TEST_OUTPUT_BYTES_MAX >> 20);
    else if (WIFSIGNALED(run->status))
        nb_buf_printf(why, "ended by signal %d (%s)", WTERMSIG(run->status), strsignal(WTERMSIG(run->status)));
    for (size_t i = 0; why->length == 0 && i < sizeof sanitizer_reports / sizeof *sanitizer_reports; i++)
        if (contains(&run->output, sanitizer_reports[i]))
            nb_buf_printf(why, "reported: %s", sanitizer_reports[i]);
    if (why->length == 0)
        return false;
    if (!run->too_much_output)
        add_details(why, &run->output);
    return true;
}

static bool judge_value(const struct test *test, const struct test_run *run, struct nb_buf *why)
{
    char *last = last_lines(&run->output, 1);
    bool fits = value_fits(last, test->wanted);

    if (!fits)
        nb_buf_printf(why, "expected: %s / got: %s", test->wanted, last);
    nb_free(last);
    return fits;
}

static bool judge_error(const struct test *test, const struct test_run *run, struct nb_buf *why)
{
    char *last;

    if (contains(&run->output, test->wanted))
        return true;
    last = last_lines(&run->output, 1);
    nb_buf_printf(why, "expected an error with: %s / got: %s", test->wanted, last);
    nb_free(last);
    return false;
}

static bool judge_return(const struct test_run *run, struct nb_buf *why)
{
    const char *report;
    char *last;

    if (WIFEXITED(run->status) && WEXITSTATUS(run->status) == 0)
        return true;
    report = run->output.length > 0 ? strstr(run->output.data, "Runtime error: ") : NULL;
    last = last_lines(&run->output, 1);
    if (report != NULL)
        nb_buf_append(why, report, strcspn(report, "\n"));
    else if (strcmp(last, "false") == 0)
        nb_buf_text(why, "returned false");
    else
        nb_buf_printf(why, "exit status %d", WEXITSTATUS(run->status));
    nb_free(last);
    add_details(why, &run->output);
    return false;
}

bool test_judge(const struct test *test, const struct test_run *run, const struct test_options *options,
                struct nb_buf *why)
{
    if (test->want == TEST_BROKEN) {
        nb_buf_text(why, test->wanted);
        return false;
    }
    if (went_wrong(run, options, why))
        return false;
    switch (test->want) {
    case TEST_VALUE:
        return judge_value(test, run, why);
    case TEST_ERROR:
        return judge_error(test, run, why);
    default:
        return judge_return(run, why);
    }
}
