/* test_fds.c - sockets that a service manager passed: each found by its port or name, each handed out once. */
#include "config.h"

#include "systemd/fds.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "tests/unit/run_suite.h"

/* Each case runs in a child, whose descriptors from 3 on can be arranged; words on stderr are its complaints. */
static char complaints[4096];

#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            dprintf(STDERR_FILENO, "line %d: %s\n", __LINE__, #condition);                                             \
    } while (0)

/* A listening socket on some free port of this machine, as descriptor `fd`. Returns the port. */
static uint16_t listen_as(int fd, int type)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int made = socket(AF_INET, type, 0);

    if (made != fd) {
        dup2(made, fd);
        close(made);
    }
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || (type == SOCK_STREAM && listen(fd, 1) < 0))
        dprintf(STDERR_FILENO, "cannot listen: %d\n", errno);
    getsockname(fd, (struct sockaddr *)&address, &length);
    return ntohs(address.sin_port);
}

static void pass(const char *count, const char *names)
{
    char pid[32];

    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", count, 1);
    setenv("LISTEN_FDNAMES", names, 1);
}

static void take_by_port_and_name(void)
{
    uint16_t web = listen_as(3, SOCK_STREAM), datagrams = listen_as(4, SOCK_DGRAM);

    listen_as(5, SOCK_STREAM);
    listen_as(6, SOCK_STREAM);
    pass("4", "web:noise:admin:admin");
    EXPECT(sysd_fds_open() == 4);
    EXPECT(getenv("LISTEN_FDS") == NULL); /* children must not take them for theirs */
    EXPECT(sysd_fds_take_port(datagrams) == -ENOENT);
    EXPECT(sysd_fds_take_port(web) == 3);
    EXPECT(sysd_fds_take_port(web) == -ENOENT);
    EXPECT(sysd_fds_take_name("web") == -ENOENT);
    EXPECT(sysd_fds_take_name("admin") == 5);
    EXPECT(sysd_fds_take_name("admin") == 6);
    EXPECT(sysd_fds_take_name("admin") == -ENOENT);
}

static void start_without_any(void)
{
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    EXPECT(sysd_fds_open() == 0);
    EXPECT(sysd_fds_take_port(80) == -ENOENT);
    EXPECT(sysd_fds_take_name("web") == -ENOENT);
}

static void start_with_nonsense(void)
{
    pass("many", "web");
    EXPECT(sysd_fds_open() < 0);
    EXPECT(sysd_fds_take_name("web") == -ENOENT);
}

static void start_with_those_of_another(void)
{
    pass("1", "web");
    setenv("LISTEN_PID", "1", 1);
    EXPECT(sysd_fds_open() == 0);
    EXPECT(sysd_fds_take_name("web") == -ENOENT);
}

static void (*const cases[])(void) = { take_by_port_and_name, start_without_any, start_with_nonsense,
                                       start_with_those_of_another };

START_TEST(hands_each_socket_out_once)
{
    int status = run_child(cases[_i], complaints, sizeof complaints);

    ck_assert_str_eq(complaints, "");
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("systemd/fds");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, hands_each_socket_out_once, 0, sizeof cases / sizeof *cases);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
