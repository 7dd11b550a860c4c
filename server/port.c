/* port.c - opening, sharing and closing listening sockets. */
#include "config.h"

#include "server/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "server/runtime_private.h"

/* ---- sockets ---- */

static int make_address(const char *text, uint16_t port, struct sockaddr_storage *address, socklen_t *length)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *length = sizeof *v4;
        return 0;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        *length = sizeof *v6;
        return 0;
    }
    return -EINVAL;
}

/* A listening socket. `join`: beside another of ours on the same port. */
static int open_socket(const char *address_text, uint16_t port, bool join)
{
    struct sockaddr_storage address;
    socklen_t length;
    const int on = 1, off = 0;
    int fd, r = make_address(address_text, port, &address, &length);

    if (r < 0)
        return r;
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (join)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, SOMAXCONN) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    if (!join) /* from now on ours may join; others, who first try without, cannot */
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    return fd;
}

/* Make a socket that somebody else has opened fit for the loops. Returns 0 or -errno. */
static int prepare_passed(int fd)
{
    int listens = 0, type = 0, flags;
    socklen_t length = sizeof listens;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
        return -errno;
    if (!listens || type != SOCK_STREAM)
        return -EINVAL;
    flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

/* ---- ports ---- */

static struct srv_port *find(struct srv_runtime *runtime, uint16_t number)
{
    struct srv_port *port = runtime->ports;

    while (port != NULL && port->number != number)
        port = port->next;
    return port;
}

static void unlink_port(struct srv_runtime *runtime, struct srv_port *port)
{
    struct srv_port **place = &runtime->ports;

    while (*place != port)
        place = &(*place)->next;
    *place = port->next;
}

static void port_free(struct srv_port *port)
{
    unsigned own = port->passed ? 1 : port->count;

    for (unsigned i = 0; i < own; i++)
        close(port->fds[i]);
    nb_free(port);
}

static int open_sockets(struct srv_port *port, unsigned wanted)
{
    for (; port->count < wanted; port->count++) {
        int fd = open_socket(port->address, port->number, port->count > 0);

        if (fd < 0)
            return fd;
        port->fds[port->count] = fd;
    }
    return 0;
}

/* The socket that was passed for this port, in the place of each loop's own. -ENOENT when there is none. */
static int take_passed(struct srv_runtime *runtime, struct srv_port *port)
{
    const struct srv_runtime_options *options = &runtime->options;
    int fd = options->passed_socket != NULL ? options->passed_socket(options->context, port->number) : -ENOENT;
    int r;

    if (fd < 0)
        return fd;
    for (unsigned i = 0; i < runtime->loop_count; i++)
        port->fds[i] = fd;
    port->count = runtime->loop_count;
    port->passed = true;
    r = prepare_passed(fd);
    return r;
}

static int new_port(struct srv_runtime *runtime, uint16_t number, const char *address, struct srv_port **ret_port)
{
    struct srv_port *port = nb_alloc_zero(sizeof *port + runtime->loop_count * sizeof *port->fds);
    int r;

    if (port == NULL)
        return -ENOMEM;
    port->number = number;
    snprintf(port->address, sizeof port->address, "%s", address);
    r = take_passed(runtime, port);
    if (r == -ENOENT)
        r = open_sockets(port, runtime->loop_count);
    if (r < 0) {
        port_free(port);
        return r;
    }
    port->next = runtime->ports;
    runtime->ports = port;
    *ret_port = port;
    return 0;
}

/* Nobody is to use it any more. */
static void close_port(struct srv_runtime *runtime, struct srv_port *port)
{
    unlink_port(runtime, port);
    atomic_store(&port->closed, true);
}

int srv_port_open(struct srv_runtime *runtime, uint16_t number, const char *address, struct srv_port **ret_port)
{
    struct srv_port *port = find(runtime, number);
    int r;

    if (port != NULL && port->offers < port->users)
        return -EADDRINUSE;
    if (port != NULL && !port->passed && strcmp(port->address, address) != 0) { /* the same number elsewhere: anew */
        close_port(runtime, port);
        for (unsigned i = 0; i < port->count; i++)
            srv_port_shut(port, i);
        port = NULL;
    }
    if (port == NULL) {
        r = new_port(runtime, number, address, &port);
        if (r < 0)
            return r;
    }
    port->references++;
    port->users++;
    *ret_port = port;
    return 0;
}

void srv_port_offer(struct srv_port *port, bool offered)
{
    port->offers += offered ? 1 : -1;
    nb_assert(port->offers <= port->users);
}

void srv_port_leave(struct srv_runtime *runtime, struct srv_port *port, bool offered)
{
    nb_assert(port->users > 0);
    port->users--;
    port->offers -= offered;
    if (port->users == 0 && !port->passed && !atomic_load(&port->closed))
        close_port(runtime, port);
}

void srv_port_shut(struct srv_port *port, unsigned loop)
{
    if (atomic_load(&port->closed))
        shutdown(port->fds[loop], SHUT_RDWR);
}

void srv_port_unref(struct srv_port *port)
{
    nb_assert(port->references > 0);
    if (--port->references == 0 && atomic_load(&port->closed))
        port_free(port);
}

void srv_port_forget_all(struct srv_runtime *runtime)
{
    while (runtime->ports != NULL) {
        struct srv_port *port = runtime->ports;

        runtime->ports = port->next;
        port_free(port);
    }
}
