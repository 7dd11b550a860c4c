/* test_log.c - what the log promises: one event, one line; levels; fields that cannot be forged. */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/buf.h"
#include "tests/unit/run_suite.h"

static char words[200000];

static struct {
    int calls;
    enum nb_log_level level;
    char event[64], fields[256];
} seen;

static void remember(const struct nb_log_line *lines, size_t count)
{
    seen.calls += (int)count;
    seen.level = lines[count - 1].level;
    snprintf(seen.event, sizeof seen.event, "%s", lines[count - 1].event);
    snprintf(seen.fields, sizeof seen.fields, "%s", lines[count - 1].fields);
}

static void set_up(void)
{
    memset(&seen, 0, sizeof seen);
    nb_log_set_sink(remember);
    nb_log_set_level(NB_LOG_INFO);
}

static void tear_down(void)
{
    nb_log_set_sink(NULL);
}

START_TEST(hands_the_event_to_the_sink)
{
    nb_log_warn("app.deploy_failed", "app=%s errors=%d", "shop", 3);
    ck_assert_int_eq(seen.calls, 1);
    ck_assert_int_eq(seen.level, NB_LOG_WARN);
    ck_assert_str_eq(seen.event, "app.deploy_failed");
    ck_assert_str_eq(seen.fields, "app=shop errors=3");
}
END_TEST

START_TEST(drops_what_is_less_important)
{
    nb_log_debug("detail", "n=%d", 1);
    ck_assert_int_eq(seen.calls, 0);
    nb_log_set_level(NB_LOG_DEBUG);
    nb_log_debug("detail", "n=%d", 1);
    ck_assert_int_eq(seen.calls, 1);
    nb_log_set_level(NB_LOG_ERROR);
    nb_log_warn("warning", "n=%d", 1);
    ck_assert_int_eq(seen.calls, 1);
    ck_assert(nb_log_is_on(NB_LOG_ERROR));
    ck_assert(!nb_log_is_on(NB_LOG_WARN));
}
END_TEST

START_TEST(leaves_errno_alone)
{
    errno = EBUSY;
    nb_log_error("failed", "reason=%s", "none");
    ck_assert_int_eq(errno, EBUSY);
}
END_TEST

static void write_lines(void)
{
    nb_log_set_sink(NULL);
    nb_log_error("first", "text=%s", "two\nlines\tand \033[31m colour");
    nb_log_info("second", "%s", "");
}

START_TEST(writes_one_line_for_each_event)
{
    run_child(write_lines, words, sizeof words);
    ck_assert_str_eq(words, "error first text=two\\nlines\\tand \\x1b[31m colour\ninfo second\n");
}
END_TEST

enum { WRITERS = 4, LINES = 200 };

static void *write_many(void *letter)
{
    char text[201];

    memset(text, *(const char *)letter, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < LINES; i++)
        nb_log_info("many", "%s", text);
    return NULL;
}

static void write_from_threads(void)
{
    static char letters[WRITERS] = { 'a', 'b', 'c', 'd' };
    pthread_t threads[WRITERS];

    nb_log_set_sink(NULL);
    for (int i = 0; i < WRITERS; i++)
        pthread_create(&threads[i], NULL, write_many, &letters[i]);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
}

START_TEST(never_mixes_lines)
{
    int lines = 0;

    run_child(write_from_threads, words, sizeof words);
    for (char *line = strtok(words, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
        ck_assert_uint_eq(strlen(line), strlen("info many ") + 200);
        ck_assert_uint_eq(strspn(line + strlen("info many "), (char[]){ line[strlen(line) - 1], '\0' }), 200);
    }
    ck_assert_int_eq(lines, WRITERS * LINES);
}
END_TEST

static void write_json(void)
{
    nb_log_set_sink(nb_log_to_json);
    nb_log_warn("app.crashed", "%s", "app=shop text=\"say \\\"hi\\\"\nto \\\\ all\" request=7 bad=\xff");
}

START_TEST(writes_json)
{
    run_child(write_json, words, sizeof words);
    ck_assert_int_eq(strncmp(words, "{\"time\":\"20", 11), 0);
    ck_assert_str_eq(strstr(words, "\"level\""),
                     "\"level\":\"warn\",\"event\":\"app.crashed\",\"app\":\"shop\","
                     "\"text\":\"say \\\"hi\\\"\\u000ato \\\\ all\",\"request\":\"7\",\"bad\":\"\xef\xbf\xbd\"}\n");
}
END_TEST

static void write_to_a_full_disk(void)
{
    int out = dup(STDERR_FILENO);

    nb_log_set_sink(NULL);
    dup2(open("/dev/full", O_WRONLY), STDERR_FILENO);
    nb_log_info("lost", "n=%d", 1);
    nb_log_info("lost", "n=%d", 2);
    dup2(out, STDERR_FILENO);
    nb_log_info("written", "n=%d", 3);
    nb_log_info("written", "n=%d", 4);
}

START_TEST(tells_what_was_lost_on_a_full_disk)
{
    run_child(write_to_a_full_disk, words, sizeof words);
    ck_assert_str_eq(words, "warn log.lost lines=2 error=\"No space left on device\"\n"
                            "info written n=3\ninfo written n=4\n");
}
END_TEST

/* More than fits into a pipe that nobody reads, then somebody does. */
static void write_to_nobody(void)
{
    static char text[5000], rest[1 << 20];
    int ends[2], out = dup(STDERR_FILENO);
    ssize_t got;

    nb_log_set_sink(NULL);
    memset(text, 'x', sizeof text - 1);
    if (pipe2(ends, O_NONBLOCK) < 0)
        abort();
    fcntl(ends[1], F_SETFL, 0); /* the log's side blocks, as usual */
    dup2(ends[1], STDERR_FILENO);
    for (int i = 0; i < 1000; i++)
        nb_log_info("many", "%s", text);
    while (read(ends[0], rest, sizeof rest) > 0)
        ;
    nb_log_info("read", "%s", "again");
    got = read(ends[0], rest, sizeof rest);
    dup2(out, STDERR_FILENO);
    if (got > 0)
        (void)!write(out, rest, (size_t)got);
}

START_TEST(waits_for_nobody_who_does_not_read)
{
    unsigned lost = 0;
    int end = 0;

    run_child(write_to_nobody, words, sizeof words);
    sscanf(words + (words[0] == '\n'), "warn log.lost lines=%u error=\"nobody reads the log\"\ninfo read again\n%n",
           &lost, &end);
    ck_assert_uint_gt(lost, 900);
    ck_assert_int_gt(end, 0);
}
END_TEST

/* ---- lines that are written soon ---- */

static void *write_many_soon(void *letter)
{
    for (int i = 0; i < LINES; i++)
        nb_log_soon(NB_LOG_INFO, "soon", "from=%c number=%d", *(const char *)letter, i);
    nb_log_info("at.once", "from=%c", *(const char *)letter);
    return NULL;
}

static void write_soon_from_threads(void)
{
    static char letters[WRITERS] = { 'a', 'b', 'c', 'd' };
    pthread_t threads[WRITERS];

    nb_log_set_sink(NULL);
    nb_log_start_writer();
    for (int i = 0; i < WRITERS; i++)
        pthread_create(&threads[i], NULL, write_many_soon, &letters[i]);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    nb_log_stop_writer();
}

START_TEST(writes_soon_in_the_order_of_each_thread)
{
    int next[WRITERS] = { 0 }, at_once = 0;

    run_child(write_soon_from_threads, words, sizeof words);
    for (char *line = strtok(words, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char from;
        int number;

        if (sscanf(line, "info soon from=%c number=%d", &from, &number) == 2) {
            ck_assert_int_eq(number, next[from - 'a']++);
        } else {
            ck_assert_int_eq(sscanf(line, "info at.once from=%c", &from), 1);
            ck_assert_int_eq(next[from - 'a'], LINES);
            at_once++;
        }
    }
    ck_assert_int_eq(at_once, WRITERS);
}
END_TEST

static void write_soon_without_a_writer(void)
{
    nb_log_set_sink(NULL);
    nb_log_soon(NB_LOG_INFO, "soon", "n=%d", 1);
    _exit(0);
}

START_TEST(writes_at_once_without_a_writer)
{
    run_child(write_soon_without_a_writer, words, sizeof words);
    ck_assert_str_eq(words, "info soon n=1\n");
}
END_TEST

static pthread_mutex_t closed = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool is_waiting;

/* A sink that does not come back. */
static void hang(const struct nb_log_line *lines, size_t count)
{
    (void)lines, (void)count;
    atomic_store(&is_waiting, true);
    pthread_mutex_lock(&closed);
    pthread_mutex_unlock(&closed);
}

static void *write_one(void *closure)
{
    nb_log_info("first", "%s", "");
    return closure;
}

static void fill_a_queue_that_nobody_takes(void)
{
    static char text[5000];
    pthread_t thread;

    nb_log_set_sink(hang);
    pthread_mutex_lock(&closed);
    pthread_create(&thread, NULL, write_one, NULL);
    while (!atomic_load(&is_waiting))
        usleep(1000);
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 1000; i++)
        nb_log_info("many", "%s", text);
    nb_log_set_sink(NULL);
    pthread_mutex_unlock(&closed);
    pthread_join(thread, NULL);
    nb_log_info("last", "%s", "");
}

START_TEST(waits_for_no_sink_that_hangs)
{
    static char many[2 << 20];
    unsigned written = 0, lost = 0;

    run_child(fill_a_queue_that_nobody_takes, many, sizeof many);
    for (char *line = strtok(many, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        written += strncmp(line, "info many", 9) == 0;
        sscanf(line, "warn log.lost lines=%u error=\"nobody takes the log\"", &lost);
    }
    ck_assert_uint_gt(written, 200);
    ck_assert_uint_eq(written + lost, 1000);
}
END_TEST

static void abort_with_lines_waiting(void)
{
    nb_log_set_sink(NULL);
    nb_log_start_writer();
    for (int i = 0; i < LINES; i++)
        nb_log_soon(NB_LOG_INFO, "soon", "number=%d", i);
    nb_assert_failed("words", "here", 7);
}

START_TEST(has_last_words)
{
    int next = 0, number;

    run_child(abort_with_lines_waiting, words, sizeof words);
    for (char *line = strtok(words, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        const char *soon = strstr(line, "soon number=");

        if (soon != NULL && sscanf(soon, "soon number=%d", &number) == 1)
            ck_assert_int_eq(number, next++);
    }
    ck_assert_int_eq(next, LINES);
}
END_TEST

static const struct {
    const char *fields;
    const char *taken; /* as key:value; for each */
} rows[] = {
    { "", "" },
    { "app=shop", "app:shop;" },
    { "app=shop request=7", "app:shop;request:7;" },
    { "a word then key=value and a tail", "key:value;" },
    { "text=\"with spaces\" n=1", "text:with spaces;n:1;" },
    { "text=\"a \\\"quote\\\"\" n=1", "text:a \"quote\";n:1;" },
    { "text=\"never ends", "text:never ends;" },
    { "text=\"ends in \\", "text:ends in \\;" },
    { "empty= n=2", "empty:;n:2;" },
    { "a=b=c", "a:b=c;" },
};

START_TEST(takes_fields_apart)
{
    struct nb_buf key = NB_BUF_INIT, value = NB_BUF_INIT, taken = NB_BUF_INIT;
    const char *fields = rows[_i].fields;

    while (nb_log_next_field(&fields, &key, &value))
        nb_buf_printf(&taken, "%s:%s;", nb_buf_cstr(&key), nb_buf_cstr(&value));
    ck_assert_str_eq(nb_buf_cstr(&taken), rows[_i].taken);
    nb_buf_done(&key);
    nb_buf_done(&value);
    nb_buf_done(&taken);
}
END_TEST

START_TEST(quotes_so_that_nothing_can_be_forged)
{
    static const char hostile[] = "x\" app=other path=\"\\";
    struct nb_buf line = NB_BUF_INIT, key = NB_BUF_INIT, value = NB_BUF_INIT;
    const char *fields;

    nb_buf_text(&line, "path=");
    nb_log_quote(&line, hostile);
    fields = nb_buf_cstr(&line);
    ck_assert(nb_log_next_field(&fields, &key, &value));
    ck_assert_str_eq(nb_buf_cstr(&key), "path");
    ck_assert_str_eq(nb_buf_cstr(&value), hostile);
    ck_assert(!nb_log_next_field(&fields, &key, &value));
    nb_buf_done(&line);
    nb_buf_done(&key);
    nb_buf_done(&value);
}
END_TEST

START_TEST(quotes_bytes_of_any_kind)
{
    struct nb_buf line = NB_BUF_INIT, key = NB_BUF_INIT, value = NB_BUF_INIT;
    const char *fields;

    nb_buf_text(&line, "a=");
    nb_log_quote_bytes(&line, "x\0\"y\" b=1 rest", 9);
    fields = nb_buf_cstr(&line);
    ck_assert(nb_log_next_field(&fields, &key, &value));
    ck_assert_str_eq(nb_buf_cstr(&value), "x\xef\xbf\xbd\"y\" b=1");
    ck_assert(!nb_log_next_field(&fields, &key, &value));
    nb_buf_done(&line);
    nb_buf_done(&key);
    nb_buf_done(&value);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/log");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, hands_the_event_to_the_sink);
    tcase_add_test(all, drops_what_is_less_important);
    tcase_add_test(all, leaves_errno_alone);
    tcase_add_test(all, writes_one_line_for_each_event);
    tcase_add_test(all, never_mixes_lines);
    tcase_add_test(all, writes_json);
    tcase_add_test(all, tells_what_was_lost_on_a_full_disk);
    tcase_add_test(all, waits_for_nobody_who_does_not_read);
    tcase_add_test(all, writes_soon_in_the_order_of_each_thread);
    tcase_add_test(all, writes_at_once_without_a_writer);
    tcase_add_test(all, waits_for_no_sink_that_hangs);
    tcase_add_test(all, has_last_words);
    tcase_add_loop_test(all, takes_fields_apart, 0, sizeof rows / sizeof *rows);
    tcase_add_test(all, quotes_so_that_nothing_can_be_forged);
    tcase_add_test(all, quotes_bytes_of_any_kind);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
