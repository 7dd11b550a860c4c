/* test_conf.c - what the configuration promises: defaults, every mistake with its line, and true words about itself. */
#include "config.h"

#include "conf/conf.h"

#include <errno.h>
#include <stddef.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "tests/unit/run_suite.h"

static struct conf *conf;
static struct conf_errors errors;
static long live_before;

static void set_up(void)
{
    live_before = nb_alloc_live();
    conf = NULL;
    errors = (struct conf_errors)CONF_ERRORS_INIT;
}

static void tear_down(void)
{
    conf = conf_unref(conf);
    conf_errors_done(&errors);
    ck_assert_int_eq(nb_alloc_live(), live_before);
}

static void load(const char *text)
{
    int r = conf_load_text("test.conf", text, &conf, &errors);

    ck_assert_msg(r == 0, "%s", errors.count > 0 ? errors.items[0] : "no error text");
    ck_assert_uint_eq(errors.count, 0);
}

/* ---- what is read ---- */

START_TEST(gives_defaults_without_a_file)
{
    ck_assert_int_eq(conf_load(NULL, &conf, &errors), 0);
    ck_assert_int_eq(conf->global.schedulers, 0);
    ck_assert_str_eq(conf->global.apps_dir, NB_LOCALSTATEDIR "/lib/nostosd/apps");
    ck_assert_int_eq(conf->log.level, 2);
    ck_assert(!conf->log.access);
    ck_assert_str_eq(conf->listener_defaults.address, "0.0.0.0");
    ck_assert_int_eq(conf->listener_defaults.header_max_bytes, 8192);
    ck_assert_int_eq(conf->app_defaults.depth_max, 50000);
    ck_assert(conf->app_defaults.enabled);
    ck_assert_uint_eq(conf->listener_count, 0);
    ck_assert_uint_eq(conf->app_count, 0);
    ck_assert_ptr_eq(conf_listener_for(conf, 8080), &conf->listener_defaults);
    ck_assert_ptr_eq(conf_app_for(conf, "shop"), &conf->app_defaults);
}
END_TEST

START_TEST(reads_every_kind_of_value)
{
    load("# comment\n"
         "schedulers = 4 // another\n"
         "apps_dir = \"/srv/my apps\" /* and\n another */\n"
         "control_socket = ''\n"
         "log { level = debug\n format = json\n access = yes }\n");
    ck_assert_int_eq(conf->global.schedulers, 4);
    ck_assert_str_eq(conf->global.apps_dir, "/srv/my apps");
    ck_assert_str_eq(conf->global.control_socket, "");
    ck_assert_int_eq(conf->log.level, 3);
    ck_assert_int_eq(conf->log.format, CONF_LOG_JSON);
    ck_assert(conf->log.access);
}
END_TEST

START_TEST(lets_blocks_build_on_their_defaults)
{
    const struct conf_listener *web, *other;

    load("listener web { port = 8080\n queue_max = 7 }\n"
         "listener_defaults { queue_max = 99\n address = \"::1\" }\n" /* defaults may come later */
         "listener other { port = 8081 }\n"
         "app_defaults { processes_max = 5 }\n"
         "app shop { enabled = off }\n");
    web = conf_listener_for(conf, 8080);
    other = conf_listener_for(conf, 8081);
    ck_assert_str_eq(web->name, "web");
    ck_assert_int_eq(web->queue_max, 7);
    ck_assert_str_eq(web->address, "::1");
    ck_assert_str_eq(other->name, "other");
    ck_assert_int_eq(other->queue_max, 99);
    ck_assert_int_eq(conf_listener_for(conf, 8082)->queue_max, 99);
    ck_assert(!conf_app_for(conf, "shop")->enabled);
    ck_assert_int_eq(conf_app_for(conf, "shop")->processes_max, 5);
    ck_assert(conf_app_for(conf, "blog")->enabled);
}
END_TEST

START_TEST(reads_the_ends_of_each_range)
{
    load("schedulers = 1024\ndrain_seconds = 0\n"
         "listener a { port = 1\n queue_max = 65535 }\nlistener b { port = 65535\n body_max_bytes = 2147483647 }\n"
         "app_defaults { depth_max = 1000 }\n");
    ck_assert_int_eq(conf->global.schedulers, 1024);
    ck_assert_int_eq(conf_listener_for(conf, 1)->queue_max, 65535);
    ck_assert_int_eq(conf_listener_for(conf, 65535)->body_max_bytes, 2147483647);
    ck_assert_int_eq(conf->app_defaults.depth_max, 1000);
}
END_TEST

/* ---- what is refused, and with which words ---- */

static const struct {
    const char *text;
    const char *errors; /* all of them, joined by "|" */
} mistakes[] = {
    { "schedulers = two\n", "test.conf:1: schedulers = two: expected 0 to 1024 threads" },
    { "schedulers = 1025\n", "test.conf:1: schedulers = 1025: expected 0 to 1024 threads" },
    { "\n\nschedulers = -1\n", "test.conf:3: schedulers = -1: expected 0 to 1024 threads" },
    { "drain_seconds = 99999999999999999999\n",
      "test.conf:1: drain_seconds = 99999999999999999999: expected 0 to 3600 seconds" },
    { "drain_seconds = 0x10\n", "test.conf:1: drain_seconds = 0x10: expected 0 to 3600 seconds" },
    { "drain_seconds = 1.5\n", "test.conf:1: drain_seconds = 1.5: expected 0 to 3600 seconds" },
    { "drain_seconds = \"\"\n", "test.conf:1: drain_seconds = : expected 0 to 3600 seconds" },
    { "log {\n level = loud }\n", "test.conf:2: log: level = loud: expected error, warn, info or debug" },
    { "log { access = maybe }\n", "test.conf:1: log: access = maybe: expected true or false" },
    { "app_defaults { depth_max = 999 }\n",
      "test.conf:1: app_defaults: depth_max = 999: expected 1000 to 1000000 calls" },
    { "listener_defaults { address = localhost }\n",
      "test.conf:1: listener_defaults: address = \"localhost\": expected a numeric IPv4 or IPv6 address" },
    { "apps_dir = \"\"\n", "test.conf:1: apps_dir = \"\": expected the path of a folder" },
    /* keys */
    { "schedulerz = 3\n", "test.conf:1: unknown key \"schedulerz\" (did you mean \"schedulers\"?)" },
    { "\nlisteners = 1\n", "test.conf:2: unknown key \"listeners\" (did you mean \"listener\"?)" },
    { "frobnicate = 3\n", "test.conf:1: unknown key \"frobnicate\"" },
    { "queue_max = 3\n", "test.conf:1: unknown key \"queue_max\" (it belongs to listener_defaults)" },
    { "app shop {\n schedulers = 3\n}\n",
      "test.conf:2: app shop: unknown key \"schedulers\" (it belongs to the top level)" },
    { "listener_defaults { port = 3 }\n",
      "test.conf:1: listener_defaults: unknown key \"port\" (it belongs to listener)" },
    { "schedulers = 1\nschedulers = 2\n", "test.conf:2: schedulers is given twice, first in line 1" },
    { "log { access = no\n access = no }\n", "test.conf:2: log: access is given twice, first in line 1" },
    { "log { }\nlog { }\n", "test.conf:2: log is given twice" },
    /* rules for several keys */
    { "listener a { }\n", "test.conf:1: listener a: port is missing" },
    { "listener a { port = 9 }\nlistener b {\n port = 9 }\n",
      "test.conf:3: listener b: port = 9: listener a has that port already (line 1)" },
    { "listener a { port = 0 }\n", "test.conf:1: listener a: port = 0: expected 1 to 65535" },
    { "listener a { port = 65536 }\n", "test.conf:1: listener a: port = 65536: expected 1 to 65535" },
    { "listener \"\" { port = 1 }\n", "test.conf:1: listener: a name is missing" },
    { "app \"../etc\" { }\n", "test.conf:1: app ../etc: expected the name of an app, without folder and \".nos\"" },
    { "schedulers = 2\nconnection_loops = 3\n",
      "test.conf:2: connection_loops = 3: expected at most as many as schedulers (2)" },
    { "connection_threads = 1\nconnection_loops = 1\n",
      "test.conf:2: connection_loops and connection_threads: connections are driven by the one or the other" },
    /* form */
    { "schedulers 4\n", "test.conf:1: missing equal sign after option 'schedulers'" },
    { "schedulers = 4\n}\n", "test.conf:2: unexpected closing brace" },
    { "log {\n level = info\n", "test.conf:2: the file ends inside a block, a text or a comment" },
    { "log {", "test.conf:1: the file ends inside a block, a text or a comment" },
    { "schedulers = 1\n/* never ends\n", "test.conf:2: the file ends inside a block, a text or a comment" },
    { "schedulers = {1, 2}\n", "test.conf:1: unexpected token '{'" },
    { "listener { port = 1 }\n", "test.conf:1: missing title for section 'listener'" },
    { "listener a { port = 1 }\nlistener a { port = 2 }\n", "test.conf:2: found duplicate title 'a'" },
    { "__end_of_file = 1\n", "test.conf:1: the file ends inside a block, a text or a comment" },
    /* one run tells of the first unknown key and all bad values */
    { "schedulers = x\nlog { levle = 1\n access = 7 }\ndrain_seconds = y\n",
      "test.conf:1: schedulers = x: expected 0 to 1024 threads|"
      "test.conf:2: log: unknown key \"levle\" (did you mean \"level\"?)|"
      "test.conf:3: log: access = 7: expected true or false|"
      "test.conf:4: drain_seconds = y: expected 0 to 3600 seconds" },
};

START_TEST(says_what_is_wrong_and_where)
{
    struct nb_buf all = NB_BUF_INIT;

    ck_assert_int_eq(conf_load_text("test.conf", mistakes[_i].text, &conf, &errors), -EINVAL);
    ck_assert_ptr_null(conf);
    for (size_t i = 0; i < errors.count; i++)
        nb_buf_printf(&all, "%s%s", i == 0 ? "" : "|", errors.items[i]);
    ck_assert_str_eq(nb_buf_cstr(&all), mistakes[_i].errors);
    nb_buf_done(&all);
}
END_TEST

START_TEST(refuses_the_path_of_too_long_a_socket)
{
    char text[300];

    snprintf(text, sizeof text, "control_socket = /%0*d\n", 107, 0);
    ck_assert_int_eq(conf_load_text("test.conf", text, &conf, &errors), -EINVAL);
    ck_assert_str_eq(errors.items[0], "test.conf:1: control_socket: a path of a socket has at most 107 bytes");
    snprintf(text, sizeof text, "control_socket = /%0*d\n", 106, 0);
    ck_assert_int_eq(conf_load_text("test.conf", text, &conf, &errors), 0);
}
END_TEST

START_TEST(has_nothing_left_over_from_a_bad_load)
{
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(conf_load_text("bad", "log { level = x\n frob = 1", &conf, &errors), -EINVAL);
        conf_errors_done(&errors);
        load("log { level = warn }\n");
        ck_assert_int_eq(conf->log.level, 1);
        conf = conf_unref(conf);
    }
}
END_TEST

/* ---- files ---- */

static char path[] = "/tmp/test_conf_XXXXXX";

static void write_file(const char *bytes, size_t length)
{
    int fd;

    strcpy(path, "/tmp/test_conf_XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    close(fd);
}

START_TEST(loads_a_file)
{
    write_file("schedulers = 3\n", 15);
    ck_assert_int_eq(conf_load(path, &conf, &errors), 0);
    ck_assert_int_eq(conf->global.schedulers, 3);
    unlink(path);
}
END_TEST

START_TEST(says_why_a_file_cannot_be_read)
{
    ck_assert_int_eq(conf_load("/nonexistent/nostosd.conf", &conf, &errors), -ENOENT);
    ck_assert_str_eq(errors.items[0], "/nonexistent/nostosd.conf: cannot be read: No such file or directory");
    ck_assert_int_eq(conf_load("/tmp", &conf, &errors), -EISDIR);
    ck_assert_uint_eq(errors.count, 2);
    ck_assert_ptr_null(conf);
}
END_TEST

static const struct {
    const char *bytes;
    size_t length;
} no_texts[] = { { "schedulers = 3\n\0", 16 },
                 { "# \xff\n", 4 },
                 { "\x7f"
                   "ELF\0\0",
                   6 } };

START_TEST(refuses_files_that_are_no_text)
{
    write_file(no_texts[_i].bytes, no_texts[_i].length);
    ck_assert_int_eq(conf_load(path, &conf, &errors), -EINVAL);
    ck_assert_uint_eq(errors.count, 1);
    ck_assert_ptr_nonnull(strstr(errors.items[0], "not a text in UTF-8"));
    unlink(path);
}
END_TEST

START_TEST(refuses_endless_files)
{
    ck_assert_int_eq(conf_load("/dev/zero", &conf, &errors), -EFBIG);
    ck_assert_uint_eq(errors.count, 1);
}
END_TEST

/* ---- what a reload changes ---- */

static struct conf_changes differences(const char *before, const char *after)
{
    struct conf_changes changes = CONF_CHANGES_INIT;
    struct conf *old = NULL, *new = NULL;

    ck_assert_int_eq(conf_load_text("before", before, &old, &errors), 0);
    ck_assert_int_eq(conf_load_text("after", after, &new, &errors), 0);
    conf_diff(old, new, &changes);
    conf_unref(old);
    conf_unref(new);
    return changes;
}

static const struct {
    const char *before, *after, *changes;
} reloads[] = {
    { "", "", "" },
    { "schedulers = 0\n", "log { }\n", "" },
    { "", "drain_seconds = 5\n", "drain_seconds: 30 -> 5 (at once)" },
    { "schedulers = 2\n", "", "schedulers: 2 -> 0 (when nostosd is next started)" },
    { "log { level = debug }", "log { level = warn\n access = on }",
      "log: level: debug -> warn (at once)|log: access: false -> true (at once)" },
    { "apps_dir = \"/a b\"", "apps_dir = \"/c\"", "apps_dir: \"/a b\" -> \"/c\" (when nostosd is next started)" },
    { "listener a { port = 1\n queue_max = 9 }", "listener a { port = 1 }",
      "listener a: queue_max: 9 -> 1024 (when the listener is next opened)" },
    { "listener a { port = 1\n queue_max = 9 }", "",
      "listener a: port: 1 -> 0 (when the listener is next opened)|"
      "listener a: queue_max: 9 -> 1024 (when the listener is next opened)" },
    { "", "app shop { enabled = false }", "app shop: enabled: true -> false (when the app is next started)" },
    { "app shop { }", "app shop { }", "" },
    { "app_defaults { mailbox_max = 5 }\napp shop { mailbox_max = 5 }", "app shop { mailbox_max = 5 }",
      "app_defaults: mailbox_max: 5 -> 1000000 (when the app is next started)" },
};

START_TEST(tells_what_a_reload_changes)
{
    struct conf_changes changes = differences(reloads[_i].before, reloads[_i].after);
    struct nb_buf all = NB_BUF_INIT;

    for (size_t i = 0; i < changes.count; i++)
        nb_buf_printf(&all, "%s%s: %s -> %s (%s)", i == 0 ? "" : "|", changes.items[i].key, changes.items[i].before,
                      changes.items[i].after, conf_when_text(changes.items[i].when));
    ck_assert_str_eq(nb_buf_cstr(&all), reloads[_i].changes);
    nb_buf_done(&all);
    conf_changes_done(&changes);
}
END_TEST

START_TEST(lives_until_the_last_user_lets_go)
{
    struct conf *shared;

    load("apps_dir = \"/srv\"\n");
    shared = conf_ref(conf);
    ck_assert_ptr_eq(shared, conf);
    conf_unref(conf);
    ck_assert_str_eq(shared->global.apps_dir, "/srv");
    ck_assert_ptr_null(conf_unref(NULL));
}
END_TEST

/* ---- what it says about itself ---- */

/* The sample as it is, and with every "#key = value" put in force: both must say what the defaults say. */
static void expect_defaults(const char *text)
{
    struct conf_changes changes = differences("", text);

    ck_assert_msg(changes.count == 0, "%s", changes.count == 0 ? "" : changes.items[0].key);
    conf_changes_done(&changes);
}

START_TEST(prints_a_sample_that_says_the_defaults)
{
    struct nb_buf sample = NB_BUF_INIT, in_force = NB_BUF_INIT;
    int keys = 0;

    conf_sample(&sample);
    ck_assert(!sample.failed);
    expect_defaults(nb_buf_cstr(&sample));

    *strstr(sample.data, "#listener web") = '\0'; /* the example behind it is none of the defaults */
    for (const char *at = sample.data; *at != '\0'; at++) {
        bool is_key = *at == '#' && at[1] >= 'a' && at[1] <= 'z';

        keys += is_key;
        if (!is_key)
            nb_buf_byte(&in_force, *at);
    }
    ck_assert_int_gt(keys, 20);
    expect_defaults(nb_buf_cstr(&in_force));
    nb_buf_done(&sample);
    nb_buf_done(&in_force);
}
END_TEST

START_TEST(prints_an_example_that_loads)
{
    struct nb_buf sample = NB_BUF_INIT, example = NB_BUF_INIT;

    conf_sample(&sample);
    for (const char *at = strstr(sample.data, "#listener web"); *at != '\0'; at++)
        if (*at != '#')
            nb_buf_byte(&example, *at);
    load(nb_buf_cstr(&example));
    ck_assert_str_eq(conf_listener_for(conf, 8080)->name, "web");
    ck_assert_uint_eq(conf->app_count, 1);
    nb_buf_done(&sample);
    nb_buf_done(&example);
}
END_TEST

START_TEST(names_every_key_in_the_manual)
{
    struct nb_buf manual = NB_BUF_INIT;

    conf_manual(&manual);
    ck_assert(!manual.failed);
#define INT(section, key, ...) ck_assert_ptr_nonnull(strstr(manual.data, "\n.B " #key "\n"));
#define BOOL(section, key, ...) INT(section, key)
#define TEXT(section, key, ...) INT(section, key)
#define CHOICE(section, key, ...) INT(section, key)
#include "conf/keys.def"
#undef INT
#undef BOOL
#undef TEXT
#undef CHOICE
    nb_buf_done(&manual);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, gives_defaults_without_a_file);
    tcase_add_test(all, reads_every_kind_of_value);
    tcase_add_test(all, lets_blocks_build_on_their_defaults);
    tcase_add_test(all, reads_the_ends_of_each_range);
    tcase_add_loop_test(all, says_what_is_wrong_and_where, 0, sizeof mistakes / sizeof *mistakes);
    tcase_add_test(all, refuses_the_path_of_too_long_a_socket);
    tcase_add_test(all, has_nothing_left_over_from_a_bad_load);
    tcase_add_test(all, loads_a_file);
    tcase_add_test(all, says_why_a_file_cannot_be_read);
    tcase_add_loop_test(all, refuses_files_that_are_no_text, 0, sizeof no_texts / sizeof *no_texts);
    tcase_add_test(all, refuses_endless_files);
    tcase_add_loop_test(all, tells_what_a_reload_changes, 0, sizeof reloads / sizeof *reloads);
    tcase_add_test(all, lives_until_the_last_user_lets_go);
    tcase_add_test(all, prints_a_sample_that_says_the_defaults);
    tcase_add_test(all, prints_an_example_that_loads);
    tcase_add_test(all, names_every_key_in_the_manual);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
