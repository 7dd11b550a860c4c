/*
 * control.c - the control socket: one client at a time, each with a second to say what it wants.
 */
#include "config.h"

#include "server/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

#define NS_PER_MS UINT64_C(1000000)
enum {
    LINE_MAX_BYTES = 256,
    CLIENT_PATIENCE_MS = 1000,
    FULL_PAUSE_MS = 100,
    BACKLOG = 16,
    SOCKET_MODE = 0660,
    READ_BYTES = 4096
};

struct srv_control {
    struct srv_control_handlers handlers;
    struct sockaddr_un address;
    int fd, stop_fd;
    int reserved_fd; /* to be closed when there is no other for a client; -1: it is */
    pthread_t thread;
};

static int make_address(const char *path, struct sockaddr_un *address)
{
    if (strlen(path) >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    strcpy(address->sun_path, path);
    return 0;
}

/* ---- the thread ---- */

/* Read a line without its end. False when none comes in time. */
static bool read_line(int fd, char *line, size_t size)
{
    uint64_t until_ns = nb_clock_ns() + (uint64_t)CLIENT_PATIENCE_MS * NS_PER_MS;
    size_t length = 0;

    while (length + 1 < size) {
        struct pollfd wanted = { .fd = fd, .events = POLLIN };
        uint64_t now_ns = nb_clock_ns();
        ssize_t got;

        if (now_ns >= until_ns || poll(&wanted, 1, (int)((until_ns - now_ns) / NS_PER_MS + 1)) <= 0)
            return false;
        got = read(fd, line + length, size - 1 - length);
        if (got <= 0)
            return false;
        length += (size_t)got;
        line[length] = '\0';
        if (strchr(line, '\n') != NULL) {
            *strchr(line, '\n') = '\0';
            return true;
        }
    }
    return false;
}

static void write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        struct pollfd wanted = { .fd = fd, .events = POLLOUT };
        ssize_t sent;

        if (poll(&wanted, 1, CLIENT_PATIENCE_MS) <= 0)
            return;
        sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            return;
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void serve_client(struct srv_control *control, int fd)
{
    char line[LINE_MAX_BYTES], *argument;
    struct nb_buf out = NB_BUF_INIT;

    if (!read_line(fd, line, sizeof line))
        return;
    argument = strchr(line, ' ');
    if (argument != NULL)
        *argument++ = '\0';
    if (!control->handlers.command(control->handlers.context, line, argument, &out))
        nb_buf_printf(&out, "error: unknown command: %s\n", line);
    write_all(fd, nb_buf_cstr(&out), out.length);
    nb_buf_done(&out);
}

static void reserve_descriptor(struct srv_control *control)
{
    if (control->reserved_fd < 0)
        control->reserved_fd = eventfd(0, EFD_CLOEXEC);
}

/* The next client, also when connections have taken all descriptors: we have put one aside. -1 when there is none. */
static int take_client(struct srv_control *control)
{
    int client = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC);

    if (client >= 0 || (errno != EMFILE && errno != ENFILE))
        return client;
    if (control->reserved_fd < 0) {
        usleep(FULL_PAUSE_MS * 1000); /* somebody else was faster: not again at once */
        reserve_descriptor(control);
        return -1;
    }
    close(control->reserved_fd);
    control->reserved_fd = -1;
    return accept4(control->fd, NULL, NULL, SOCK_CLOEXEC);
}

static void *thread_main(void *closure)
{
    struct srv_control *control = closure;
    struct pollfd wanted[2] = { { .fd = control->fd, .events = POLLIN }, { .fd = control->stop_fd, .events = POLLIN } };

    for (;;) {
        int client;

        if (poll(wanted, 2, -1) < 0)
            continue;
        if (wanted[1].revents != 0)
            return NULL;
        client = take_client(control);
        if (client < 0)
            continue;
        serve_client(control, client);
        close(client);
        reserve_descriptor(control);
    }
}

/* ---- beginning and end ---- */

/* Whether a socket file is one that nobody listens on any more. */
static bool is_left_over(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool refused =
        fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED;

    if (fd >= 0)
        close(fd);
    return refused;
}

static int open_socket(struct srv_control *control)
{
    const struct sockaddr *address = (const struct sockaddr *)&control->address;
    int r;

    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->fd < 0)
        return -errno;
    r = bind(control->fd, address, sizeof control->address);
    if (r < 0 && errno == EADDRINUSE && is_left_over(&control->address)) {
        unlink(control->address.sun_path);
        r = bind(control->fd, address, sizeof control->address);
    }
    if (r < 0)
        return -errno;
    if (chmod(control->address.sun_path, SOCKET_MODE) < 0 || listen(control->fd, BACKLOG) < 0) {
        r = -errno;
        unlink(control->address.sun_path);
        return r;
    }
    return 0;
}

static int start_thread(struct srv_control *control)
{
    sigset_t all, before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&control->thread, NULL, thread_main, control);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}

static void close_descriptors(struct srv_control *control)
{
    if (control->fd >= 0)
        close(control->fd);
    if (control->stop_fd >= 0)
        close(control->stop_fd);
    if (control->reserved_fd >= 0)
        close(control->reserved_fd);
}

int srv_control_start(const char *path, const struct srv_control_handlers *handlers, struct srv_control **ret_control)
{
    struct srv_control *control = nb_xalloc_zero(sizeof *control);
    int r = make_address(path, &control->address);

    control->handlers = *handlers;
    control->fd = -1;
    control->stop_fd = eventfd(0, EFD_CLOEXEC);
    control->reserved_fd = -1;
    reserve_descriptor(control);
    if (r == 0 && control->stop_fd < 0)
        r = -errno;
    if (r == 0)
        r = open_socket(control);
    if (r == 0) {
        r = start_thread(control);
        if (r < 0)
            unlink(control->address.sun_path);
    }
    if (r < 0) {
        close_descriptors(control);
        nb_free(control);
        return r;
    }
    *ret_control = control;
    return 0;
}

struct srv_control *srv_control_stop(struct srv_control *control)
{
    const uint64_t one = 1;

    if (control == NULL)
        return NULL;
    (void)!write(control->stop_fd, &one, sizeof one);
    pthread_join(control->thread, NULL);
    unlink(control->address.sun_path);
    close_descriptors(control);
    nb_free(control);
    return NULL;
}

/* ---- the other side ---- */

static int read_answer(int fd, struct nb_buf *out)
{
    char bytes[READ_BYTES];
    ssize_t got;

    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        nb_buf_append(out, bytes, (size_t)got);
    if (got < 0)
        return -errno;
    return out->failed ? -ENOMEM : 0;
}

int srv_control_ask(const char *path, const char *command, struct nb_buf *out)
{
    struct sockaddr_un address;
    struct nb_buf line = NB_BUF_INIT;
    int r = make_address(path, &address), fd;

    if (r < 0)
        return r;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    nb_buf_printf(&line, "%s\n", command);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        send(fd, line.data, line.length, MSG_NOSIGNAL) < 0)
        r = -errno;
    else
        r = read_answer(fd, out);
    nb_buf_done(&line);
    close(fd);
    return r;
}
