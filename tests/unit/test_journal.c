/*
 * test_journal.c - the way to the journal: recognised when it is there, standard error when it is not.
 *
 * The library's call that sends is replaced by our own, which writes down what it was given.
 */
#include "config.h"

#include "systemd/journal.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "tests/unit/run_suite.h"

int sd_journal_sendv(const struct iovec *parts, int count);

static char sent[8192]; /* all fields, each with a line break behind it */
static int send_result, journal_is_there;

int sd_journal_sendv(const struct iovec *parts, int count)
{
    size_t length = 0;

    for (int i = 0; i < count; i++)
        length += (size_t)snprintf(sent + length, sizeof sent - length, "%.*s\n", (int)parts[i].iov_len,
                                   (const char *)parts[i].iov_base);
    return send_result;
}

int access(const char *path, int mode)
{
    (void)path, (void)mode;
    return journal_is_there - 1;
}

static void set_up(void)
{
    sent[0] = '\0';
    send_result = 0;
    journal_is_there = 1;
}

static void log_one(enum nb_log_level level, const char *event, const char *fields)
{
    const struct nb_log_line line = { level, 0, event, fields };

    sysd_log_to_journal(&line, 1);
}

START_TEST(makes_fields_of_keys)
{
    log_one(NB_LOG_WARN, "app.crashed", "app=shop request=7 process=12 text=\"two words\" x_1=y");
    ck_assert_str_eq(sent, "MESSAGE=app.crashed app=shop request=7 process=12 text=\"two words\" x_1=y\n"
                           "PRIORITY=4\nEVENT=app.crashed\nSYSLOG_IDENTIFIER=nostosd\n"
                           "APP=shop\nREQUEST=7\nPROCESS=12\nTEXT=two words\nX_1=y\n");
}
END_TEST

static const struct {
    enum nb_log_level level;
    const char *field;
} priorities[] = {
    { NB_LOG_ERROR, "PRIORITY=3\n" },
    { NB_LOG_WARN, "PRIORITY=4\n" },
    { NB_LOG_INFO, "PRIORITY=6\n" },
    { NB_LOG_DEBUG, "PRIORITY=7\n" },
};

START_TEST(gives_each_level_its_priority)
{
    log_one(priorities[_i].level, "event", "");
    ck_assert_ptr_nonnull(strstr(sent, priorities[_i].field));
    ck_assert_int_eq(strncmp(sent, "MESSAGE=event\n", 14), 0);
}
END_TEST

START_TEST(lets_no_key_pose_as_one_of_ours)
{
    log_one(NB_LOG_INFO, "e",
                        "priority=0 event=x message=y syslog_identifier=z code_file=f errno=1 "
                        "message_id=1 _pid=1 1st=2 a-b=3 \xc3\xbc=4 good=5");
    ck_assert_str_eq(strstr(sent, "PRIORITY="), "PRIORITY=6\nEVENT=e\nSYSLOG_IDENTIFIER=nostosd\nGOOD=5\n");
}
END_TEST

START_TEST(takes_only_so_many_fields)
{
    struct nb_buf fields = NB_BUF_INIT;
    int lines = 0;

    for (int i = 0; i < 100; i++)
        nb_buf_printf(&fields, "key%d=%d ", i, i);
    log_one(NB_LOG_INFO, "e", nb_buf_cstr(&fields));
    for (const char *at = sent; *at != '\0'; at++)
        lines += *at == '\n';
    ck_assert_int_eq(lines, 32);
    nb_buf_done(&fields);
}
END_TEST

static void log_without_journal(void)
{
    journal_is_there = 0;
    log_one(NB_LOG_ERROR, "first", "n=1");
    journal_is_there = 1;
    send_result = -ECONNREFUSED;
    log_one(NB_LOG_ERROR, "second", "n=2");
}

START_TEST(falls_back_to_standard_error)
{
    char words[256];

    run_child(log_without_journal, words, sizeof words);
    ck_assert_str_eq(words, "error first n=1\nerror second n=2\n");
}
END_TEST

START_TEST(knows_whether_the_journal_reads_us)
{
    struct stat status;
    char stream[64];

    unsetenv("JOURNAL_STREAM");
    ck_assert(!sysd_journal_reads_us());
    ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    ck_assert(sysd_journal_reads_us());
    setenv("JOURNAL_STREAM", "8:1234567", 1); /* standard error goes somewhere else by now */
    ck_assert(!sysd_journal_reads_us());
    setenv("JOURNAL_STREAM", "nonsense", 1);
    ck_assert(!sysd_journal_reads_us());
    unsetenv("JOURNAL_STREAM");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("systemd/journal");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, set_up, NULL);
    tcase_add_test(all, makes_fields_of_keys);
    tcase_add_loop_test(all, gives_each_level_its_priority, 0, sizeof priorities / sizeof *priorities);
    tcase_add_test(all, lets_no_key_pose_as_one_of_ours);
    tcase_add_test(all, takes_only_so_many_fields);
    tcase_add_test(all, falls_back_to_standard_error);
    tcase_add_test(all, knows_whether_the_journal_reads_us);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
