/* test_notify.c - what the service manager hears, on a socket of our own in its place. */
#include "config.h"

#include "systemd/notify.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "tests/unit/run_suite.h"

static int manager = -1;
static struct sockaddr_un address;
static char heard[1024];

static void set_up(void)
{
    address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/test_notify_%d", (int)getpid());
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(manager, 0);
    ck_assert_int_eq(bind(manager, (struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
}

static void tear_down(void)
{
    unsetenv("NOTIFY_SOCKET");
    close(manager);
    unlink(address.sun_path);
}

/* The next message, "" if there is none. */
static const char *next_message(void)
{
    ssize_t length = recv(manager, heard, sizeof heard - 1, 0);

    heard[length < 0 ? 0 : length] = '\0';
    return heard;
}

START_TEST(tells_the_life_of_the_daemon)
{
    sysd_ready("3 apps on 2 listeners");
    ck_assert_str_eq(next_message(), "READY=1\nSTATUS=3 apps on 2 listeners");
    sysd_status("%d apps", 4);
    ck_assert_str_eq(next_message(), "STATUS=4 apps");
    sysd_stopping("waiting for 7 requests");
    ck_assert_str_eq(next_message(), "STOPPING=1\nSTATUS=waiting for 7 requests");
    sysd_extend_timeout(1500);
    ck_assert_str_eq(next_message(), "EXTEND_TIMEOUT_USEC=1500000");
    sysd_watchdog();
    ck_assert_str_eq(next_message(), "WATCHDOG=1");
    ck_assert_str_eq(next_message(), "");
}
END_TEST

START_TEST(stamps_a_reload_with_the_time)
{
    uint64_t before = nb_clock_ns() / 1000;
    unsigned long long stamp = 0;

    sysd_reloading();
    ck_assert_int_eq(sscanf(next_message(), "RELOADING=1\nMONOTONIC_USEC=%llu\n", &stamp), 1);
    ck_assert_uint_ge(stamp, before);
    ck_assert_uint_le(stamp, nb_clock_ns() / 1000);
}
END_TEST

START_TEST(lets_no_status_smuggle_an_assignment)
{
    sysd_status("app %s failed", "x\nSTOPPING=1");
    ck_assert_str_eq(next_message(), "STATUS=app x STOPPING=1 failed");
}
END_TEST

START_TEST(is_silent_when_nobody_listens)
{
    unsetenv("NOTIFY_SOCKET");
    sysd_ready("up");
    sysd_watchdog();
    ck_assert_str_eq(next_message(), "");
}
END_TEST

START_TEST(knows_the_watchdog)
{
    char pid[32];

    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    ck_assert_uint_eq(sysd_watchdog_interval_ns(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    ck_assert_uint_eq(sysd_watchdog_interval_ns(), 30000000000u);
    snprintf(pid, sizeof pid, "%d", (int)getpid() + 1);
    setenv("WATCHDOG_PID", pid, 1); /* meant for another process */
    ck_assert_uint_eq(sysd_watchdog_interval_ns(), 0);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("systemd/notify");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, tells_the_life_of_the_daemon);
    tcase_add_test(all, stamps_a_reload_with_the_time);
    tcase_add_test(all, lets_no_status_smuggle_an_assignment);
    tcase_add_test(all, is_silent_when_nobody_listens);
    tcase_add_test(all, knows_the_watchdog);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
