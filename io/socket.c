/*
 * socket.c - TCP over libuv: every operation is begun, and ends, on the loop's thread.
 *
 * Nothing is read ahead: the loop reads while somebody waits to read, into that operation's memory. References to a
 * socket: its handle's in the table, one of each operation, and the loop's until libuv has let go of it.
 */
#include "config.h"

#include "io/socket.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

enum { BACKLOG = 1024, READ_BYTES_MAX = 1024 * 1024 };

#define CONTAINER(type, member, pointer) ((type *)((char *)(pointer)-offsetof(type, member)))

/* ---- who waits for a socket ---- */

static void finish(struct io_socket_operation *operation, int error)
{
    operation->error = error;
    io_complete(&operation->operation);
}

static void join(struct io_socket *socket, struct io_socket_operation *operation)
{
    operation->next = NULL;
    *socket->last = operation;
    socket->last = &operation->next;
}

/* Take the oldest out of the line. There is one. */
static struct io_socket_operation *next_in_line(struct io_socket *socket)
{
    struct io_socket_operation *operation = socket->waiting;

    socket->waiting = operation->next;
    if (socket->waiting == NULL)
        socket->last = &socket->waiting;
    return operation;
}

static void leave(struct io_socket *socket, const struct io_socket_operation *operation)
{
    struct io_socket_operation **at = &socket->waiting;

    while (*at != NULL && *at != operation)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    *at = operation->next;
    if (*at == NULL)
        socket->last = at;
}

/* ---- sockets ---- */

static void on_closed(uv_handle_t *handle)
{
    io_handle_unref(&CONTAINER(struct io_socket, tcp, handle)->handle);
}

static void close_now(struct io_socket *socket)
{
    if (!socket->open)
        return;
    socket->open = false;
    uv_close((uv_handle_t *)&socket->tcp, on_closed); /* the descriptor is closed here; writes end with UV_ECANCELED */
    while (socket->waiting != NULL)
        finish(next_in_line(socket), UV_ECANCELED);
}

static void close_closable(struct io_closable *closable)
{
    close_now(CONTAINER(struct io_socket, closable, closable));
}

static void begin_farewell(struct io_operation *operation)
{
    close_now(CONTAINER(struct io_socket, farewell, operation));
    io_complete(operation);
}

static void end_farewell(struct io_operation *operation)
{
    io_handle_unref(&CONTAINER(struct io_socket, farewell, operation)->handle);
}

static void drop_socket(struct io_handle *handle)
{
    io_post(&((struct io_socket *)handle)->farewell);
}

static void free_socket(struct io_handle *handle)
{
    nb_free(handle);
}

/* With one reference besides the loop's. NULL without memory. */
static struct io_socket *new_socket(uv_loop_t *loop)
{
    struct io_socket *socket = nb_alloc_zero(sizeof *socket);

    if (socket == NULL)
        return NULL;
    io_handle_init(&socket->handle, IO_HANDLE_SOCKET, drop_socket, free_socket);
    io_operation_init(&socket->farewell, NULL, end_farewell);
    socket->farewell.begin = begin_farewell;
    socket->last = &socket->waiting;
    if (uv_tcp_init(loop, &socket->tcp) < 0) {
        nb_free(socket);
        return NULL;
    }
    io_handle_ref(&socket->handle);
    socket->open = true;
    socket->closable.close = close_closable;
    socket->tcp.data = &socket->closable;
    return socket;
}

/* One that nobody got to know. */
static void discard(struct io_socket *socket)
{
    close_now(socket);
    io_handle_unref(&socket->handle);
}

/* ---- listening ---- */

/* Give the connection that has arrived to the first who waits. */
static void hand_over(struct io_socket *listener)
{
    struct io_socket_operation *operation = next_in_line(listener);
    struct io_socket *socket = new_socket(listener->tcp.loop);
    int r = UV_ENOMEM;

    listener->has_arrival = false;
    if (socket != NULL)
        r = uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&socket->tcp);
    if (r < 0 && socket != NULL) {
        discard(socket);
        socket = NULL;
    }
    if (socket != NULL)
        uv_tcp_nodelay(&socket->tcp, 1);
    operation->made = socket;
    finish(operation, r);
}

static void on_arrival(uv_stream_t *stream, int status)
{
    struct io_socket *listener = CONTAINER(struct io_socket, tcp, stream);

    if (status == 0)
        listener->has_arrival = true;
    if (listener->waiting == NULL)
        return;
    if (status < 0)
        finish(next_in_line(listener), status);
    else
        hand_over(listener);
}

static void begin_listen(struct io_operation *base)
{
    struct io_socket_operation *operation = (struct io_socket_operation *)base;
    struct io_socket *listener = new_socket(io_loop_of(base));
    struct sockaddr_in address;
    int r = UV_ENOMEM;

    if (listener != NULL) {
        listener->is_listener = true;
        uv_ip4_addr("0.0.0.0", operation->port, &address);
        r = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&address, 0);
    }
    if (r == 0)
        r = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_arrival);
    if (r < 0 && listener != NULL) {
        discard(listener);
        listener = NULL;
    }
    operation->made = listener;
    finish(operation, r);
}

static void begin_accept(struct io_operation *base)
{
    struct io_socket_operation *operation = (struct io_socket_operation *)base;
    struct io_socket *listener = operation->socket;

    if (!listener->open || !listener->is_listener) {
        finish(operation, listener->open ? UV_EINVAL : UV_ECANCELED);
        return;
    }
    join(listener, operation);
    if (listener->has_arrival)
        hand_over(listener);
}

static void abandon_waiting(struct io_operation *base)
{
    struct io_socket_operation *operation = (struct io_socket_operation *)base;
    struct io_socket *socket = operation->socket;

    leave(socket, operation);
    if (socket->waiting == NULL && !socket->is_listener)
        uv_read_stop((uv_stream_t *)&socket->tcp);
    finish(operation, UV_ECANCELED);
}

/* ---- reading ---- */

static void provide(uv_handle_t *tcp, size_t suggested, uv_buf_t *ret)
{
    struct io_socket_operation *operation = CONTAINER(struct io_socket, tcp, tcp)->waiting;

    (void)suggested;
    if (operation->data == NULL)
        operation->data = nb_alloc(operation->most);
    *ret = uv_buf_init(operation->data, operation->data != NULL ? (unsigned)operation->most : 0);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct io_socket *socket = CONTAINER(struct io_socket, tcp, stream);
    struct io_socket_operation *operation;

    (void)buffer;
    if (count == 0)
        return; /* nothing after all */
    operation = next_in_line(socket);
    if (socket->waiting == NULL || count < 0)
        uv_read_stop(stream);
    if (count > 0)
        operation->length = (size_t)count;
    finish(operation, count > 0 || count == UV_EOF ? 0 : count == UV_ENOBUFS ? UV_ENOMEM : (int)count);
    if (count < 0 && socket->waiting != NULL)
        uv_read_start(stream, provide, on_read); /* the others learn it one by one */
}

static void begin_read(struct io_operation *base)
{
    struct io_socket_operation *operation = (struct io_socket_operation *)base;
    struct io_socket *socket = operation->socket;
    int r = socket->is_listener ? UV_ENOTCONN : 0;

    if (!socket->open)
        r = UV_ECANCELED;
    if (r == 0 && socket->waiting == NULL)
        r = uv_read_start((uv_stream_t *)&socket->tcp, provide, on_read);
    if (r < 0)
        finish(operation, r);
    else
        join(socket, operation);
}

/* ---- writing ---- */

static void on_written(uv_write_t *request, int status)
{
    finish(CONTAINER(struct io_socket_operation, writing, request), status);
}

static void begin_write(struct io_operation *base)
{
    struct io_socket_operation *operation = (struct io_socket_operation *)base;
    struct io_socket *socket = operation->socket;
    uv_buf_t buffer = uv_buf_init(operation->data, (unsigned)operation->length);
    int r = socket->is_listener ? UV_ENOTCONN : 0;

    if (!socket->open)
        r = UV_ECANCELED;
    if (r == 0)
        r = uv_write(&operation->writing, (uv_stream_t *)&socket->tcp, &buffer, 1, on_written);
    if (r < 0)
        finish(operation, r);
}

/* What was begun to be written is written, whoever asked for it. */
static void abandon_nothing(struct io_operation *operation)
{
    (void)operation;
}

/* ---- closing ---- */

static void begin_close(struct io_operation *base)
{
    struct io_socket_operation *operation = (struct io_socket_operation *)base;

    close_now(operation->socket);
    finish(operation, 0);
}

/* ---- connecting: one address after the other ---- */

static void try_address(struct io_socket_operation *operation);

static void end_connect(struct io_socket_operation *operation, int error)
{
    uv_freeaddrinfo(operation->lookup.addrinfo);
    operation->lookup.addrinfo = NULL;
    finish(operation, error);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct io_socket_operation *operation = CONTAINER(struct io_socket_operation, connecting, request);

    if (status == 0) {
        uv_tcp_nodelay(&operation->made->tcp, 1);
        end_connect(operation, 0);
        return;
    }
    discard(operation->made);
    operation->made = NULL;
    operation->error = status;
    operation->address = operation->address->ai_next;
    if (status == UV_ECANCELED || io_is_unwanted(&operation->operation))
        end_connect(operation, UV_ECANCELED);
    else
        try_address(operation);
}

/* The first of those left that can be tried; when there is none, the last error is the answer. */
static void try_address(struct io_socket_operation *operation)
{
    for (; operation->address != NULL; operation->address = operation->address->ai_next) {
        struct io_socket *socket = new_socket(io_loop_of(&operation->operation));
        int r = UV_ENOMEM;

        if (socket != NULL)
            r = uv_tcp_connect(&operation->connecting, &socket->tcp, operation->address->ai_addr, on_connected);
        operation->made = r == 0 ? socket : NULL;
        if (r == 0)
            return;
        if (socket != NULL)
            discard(socket);
        operation->error = r;
    }
    end_connect(operation, operation->error);
}

static int look_up(struct io_socket_operation *operation, const char *host);

/* A machine without /etc/hosts and name server knows itself, too (RFC 6761, 6.3). */
static bool looks_up_itself(struct io_socket_operation *operation)
{
    bool first = !operation->knows_itself && strcasecmp(operation->host, "localhost") == 0;

    operation->knows_itself = true;
    return first && look_up(operation, "127.0.0.1") == 0;
}

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    struct io_socket_operation *operation = CONTAINER(struct io_socket_operation, lookup, request);

    if (status < 0 && !io_is_unwanted(&operation->operation) && looks_up_itself(operation))
        return;
    if (status < 0 || io_is_unwanted(&operation->operation)) {
        end_connect(operation, status < 0 ? status : UV_ECANCELED);
        return;
    }
    operation->address = addresses;
    operation->error = UV_EAI_NODATA;
    try_address(operation);
}

static int look_up(struct io_socket_operation *operation, const char *host)
{
    static const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    char service[8];

    snprintf(service, sizeof service, "%d", operation->port);
    return uv_getaddrinfo(io_loop_of(&operation->operation), &operation->lookup, on_looked_up, host, service, &hints);
}

static void begin_connect(struct io_operation *base)
{
    struct io_socket_operation *operation = (struct io_socket_operation *)base;
    int r = operation->error == 0 ? look_up(operation, operation->host) : operation->error;

    if (r < 0)
        finish(operation, r);
}

static void abandon_connect(struct io_operation *base)
{
    struct io_socket_operation *operation = (struct io_socket_operation *)base;

    if (operation->made != NULL)
        close_now(operation->made); /* then on_connected() hears UV_ECANCELED */
    else
        uv_cancel((uv_req_t *)&operation->lookup); /* if it has begun, it ends on its own */
}

/* ---- for natives ---- */

static void free_operation(struct io_operation *base)
{
    struct io_socket_operation *operation = (struct io_socket_operation *)base;

    if (operation->made != NULL)
        drop_socket(&operation->made->handle);
    if (operation->socket != NULL)
        io_handle_unref(&operation->socket->handle);
    nb_free(operation->data);
    nb_free(operation->host);
    nb_free(operation);
}

/* On a socket, whose reference it takes over, or NULL. NULL without memory. */
static struct io_socket_operation *new_operation(struct io_socket *socket,
                                                 void (*begin)(struct io_operation *operation),
                                                 void (*abandon)(struct io_operation *operation))
{
    struct io_socket_operation *operation = nb_alloc_zero(sizeof *operation);

    if (operation == NULL) {
        if (socket != NULL)
            io_handle_unref(&socket->handle);
        return NULL;
    }
    io_operation_init(&operation->operation, NULL, free_operation);
    operation->operation.begin = begin;
    operation->operation.abandon = abandon;
    operation->socket = socket;
    return operation;
}

static enum vm_status submit(struct vm_ctx *ctx, struct io_socket_operation *operation)
{
    return io_submit(ctx, operation != NULL ? &operation->operation : NULL);
}

enum vm_status io_socket_listen(struct vm_ctx *ctx, int port)
{
    struct io_socket_operation *operation = new_operation(NULL, begin_listen, abandon_nothing);

    if (operation != NULL)
        operation->port = port;
    return submit(ctx, operation);
}

enum vm_status io_socket_connect(struct vm_ctx *ctx, const char *host, size_t length, int port)
{
    struct io_socket_operation *operation = new_operation(NULL, begin_connect, abandon_connect);

    if (operation == NULL)
        return VM_NOMEM;
    operation->port = port;
    operation->error = memchr(host, '\0', length) != NULL ? UV_EAI_NONAME : 0;
    operation->host = nb_strndup(host, length);
    if (operation->host == NULL) {
        free_operation(&operation->operation);
        return VM_NOMEM;
    }
    return submit(ctx, operation);
}

enum vm_status io_socket_accept(struct vm_ctx *ctx, struct io_socket *listener)
{
    return submit(ctx, new_operation(listener, begin_accept, abandon_waiting));
}

enum vm_status io_socket_read(struct vm_ctx *ctx, struct io_socket *socket, size_t most)
{
    struct io_socket_operation *operation = new_operation(socket, begin_read, abandon_waiting);

    if (operation != NULL)
        operation->most = most < READ_BYTES_MAX ? most : READ_BYTES_MAX;
    return submit(ctx, operation);
}

enum vm_status io_socket_write(struct vm_ctx *ctx, struct io_socket *socket, const char *bytes, size_t length)
{
    struct io_socket_operation *operation = new_operation(socket, begin_write, abandon_nothing);

    if (operation == NULL)
        return VM_NOMEM;
    operation->data = nb_memdup(bytes, length);
    operation->length = length;
    if (operation->data == NULL) {
        free_operation(&operation->operation);
        return VM_NOMEM;
    }
    return submit(ctx, operation);
}

enum vm_status io_socket_close(struct vm_ctx *ctx, struct io_socket *socket)
{
    return submit(ctx, new_operation(socket, begin_close, abandon_nothing));
}

struct io_socket_operation *io_socket_result(const struct vm_ctx *ctx)
{
    struct io_operation *operation = io_operation_of(ctx);

    return operation != NULL && io_is_done(operation) ? (struct io_socket_operation *)operation : NULL;
}
