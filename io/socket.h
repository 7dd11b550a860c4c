/*
 * socket.h - TCP connections and listeners, known by handles (handle.h) of one kind.
 *
 * Reading and writing one connection go on at the same time, whoever does it. Who reads, and who accepts, is served in
 * the order they came; each write is sent whole before the next one.
 */
#ifndef IO_SOCKET_H
#define IO_SOCKET_H

#include <stddef.h>
#include <uv.h>

#include "io/handle.h"
#include "io/loop.h"

struct io_socket_operation;

struct io_socket {
    struct io_handle handle;
    struct io_operation farewell; /* closes it when nobody is left to wait for that */
    bool is_listener;
    bool open, has_arrival; /* the loop's, here and below; a listener's: one to be accepted */
    uv_tcp_t tcp;
    struct io_closable closable;
    struct io_socket_operation *waiting, **last; /* to read or to accept, oldest first */
};

struct io_socket_operation {
    struct io_operation operation;
    struct io_socket *socket; /* one reference; NULL for connect and listen */
    struct io_socket *made;   /* by connect, listen, accept; with one reference; who takes it sets NULL */
    char *data;               /* read: what came; write: what goes. nb_alloc'ed */
    size_t length, most;
    int error;  /* 0 or a code of libuv; UV_ECANCELED: the socket was closed meanwhile */
    char *host; /* connect; nb_alloc'ed */
    int port;
    bool knows_itself;              /* "localhost" was looked up as 127.0.0.1 */
    uv_getaddrinfo_t lookup;        /* the loop's, here and below */
    const struct addrinfo *address; /* connect: the one being tried */
    uv_connect_t connecting;
    uv_write_t writing;
    struct io_socket_operation *next;
};

/* Each begins an operation of the running process; io_submit() tells what they return. Those on a socket take over one
 * reference to it. */

/** Listen on all IPv4 addresses. */
enum vm_status io_socket_listen(struct vm_ctx *ctx, int port);
/** Connect to the first address of a host that answers. A host with a NUL inside is unknown. */
enum vm_status io_socket_connect(struct vm_ctx *ctx, const char *host, size_t length, int port);
/** The next connection of a listener; UV_EINVAL of another socket. */
enum vm_status io_socket_accept(struct vm_ctx *ctx, struct io_socket *listener);
/** What there is, at least one byte and at most `most`; none at the end. UV_ENOTCONN of a listener. */
enum vm_status io_socket_read(struct vm_ctx *ctx, struct io_socket *socket, size_t most);
/** Send all of the bytes, which are copied. UV_ENOTCONN of a listener. */
enum vm_status io_socket_write(struct vm_ctx *ctx, struct io_socket *socket, const char *bytes, size_t length);
/** Close it; who waits for it gets UV_ECANCELED. */
enum vm_status io_socket_close(struct vm_ctx *ctx, struct io_socket *socket);

/** The running process's operation if it is done, to be given back by io_finish(); NULL while none is. */
struct io_socket_operation *io_socket_result(const struct vm_ctx *ctx);

#endif
