/*
 * tcp.c - natives of TCP. The work is done by io/socket.h; each native is called twice, first to begin and park, then
 * to take the result (io/reactor.h).
 */
#include "config.h"

#include <inttypes.h>

#include "base/utf8.h"
#include "io/socket.h"
#include "lib/expect.h"
#include "vm/except.h"
#include "vm/number.h"
#include "vm/string.h"

enum { PORT_MAX = 65535, RESOLVER_ERROR = UV_EAI_ADDRFAMILY /* libuv's codes for names begin here, downwards */ };

/* ---- errors ---- */

static enum vm_status invalid_handle(struct vm_ctx *ctx)
{
    return vm_raise_kind(ctx, "tcp_error", "Invalid handle");
}

/* Raise what libuv's code means; `what` is "accept" or the like. */
static enum vm_status failed(struct vm_ctx *ctx, const char *what, int code)
{
    char text[128];

    if (code == UV_ENOMEM)
        return VM_NOMEM;
    if (code == UV_ECANCELED)
        return invalid_handle(ctx);
    if (code <= RESOLVER_ERROR)
        return vm_raise_kind(ctx, "tcp_error", "IO error: TCP %s error: %s", what, uv_strerror(code));
    io_error_text(-code, text, sizeof text);
    return vm_raise_kind(ctx, "tcp_error", "IO error: TCP %s error: %s", what, text);
}

/* ---- from numbers to sockets and back ---- */

/* The socket of a handle, with a reference; NULL after raising. */
static struct io_socket *find_socket(struct vm_ctx *ctx, vm_value handle, enum vm_status *ret_status)
{
    struct io_handle *found = io_handle_find(ctx, IO_HANDLE_SOCKET, vm_int_of(handle));

    if (found == NULL)
        *ret_status = invalid_handle(ctx);
    return (struct io_socket *)found;
}

/* The end of an operation that made a socket: its number. */
static enum vm_status end_made(struct vm_ctx *ctx, const char *what, struct io_socket_operation *operation,
                               vm_value *ret)
{
    enum vm_status status;
    int64_t number;

    if (operation->error != 0) {
        status = failed(ctx, what, operation->error);
    } else {
        number = io_handle_add(ctx, &operation->made->handle);
        if (number != 0)
            operation->made = NULL; /* the table's */
        status = number != 0 ? lib_answer_int(ctx, number, ret) : VM_NOMEM;
    }
    io_finish(ctx);
    return status;
}

static bool is_port(vm_value port)
{
    return vm_is_small(port) && vm_small(port) >= 0 && vm_small(port) <= PORT_MAX;
}

static enum vm_status invalid_port(struct vm_ctx *ctx, const char *what, vm_value port)
{
    return vm_raise_kind(ctx, "tcp_error", "IO error: TCP %s error: invalid port %" PRId64, what, vm_int_of(port));
}

/* ---- natives ---- */

static enum vm_status tcp_listen(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct io_socket_operation *operation = io_socket_result(ctx);
    enum vm_status status;

    if (operation != NULL)
        return end_made(ctx, "listen", operation, ret);
    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    status = lib_expect(ctx, args, "I");
    if (status != VM_OK)
        return status;
    return is_port(args[0]) ? io_socket_listen(ctx, (int)vm_small(args[0])) : invalid_port(ctx, "listen", args[0]);
}

static enum vm_status tcp_connect(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct io_socket_operation *operation = io_socket_result(ctx);
    enum vm_status status;
    struct vm_text host;

    if (operation != NULL)
        return end_made(ctx, "connect", operation, ret);
    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    status = lib_expect(ctx, args, "SI");
    if (status != VM_OK)
        return status;
    if (!is_port(args[1]))
        return invalid_port(ctx, "connect", args[1]);
    host = vm_text(args[0]);
    return io_socket_connect(ctx, host.bytes, host.length, (int)vm_small(args[1]));
}

static enum vm_status tcp_accept(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct io_socket_operation *operation = io_socket_result(ctx);
    enum vm_status status;
    struct io_socket *listener;

    if (operation != NULL)
        return end_made(ctx, "accept", operation, ret);
    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    status = lib_expect(ctx, args, "I");
    if (status != VM_OK)
        return status;
    listener = find_socket(ctx, args[0], &status);
    return listener == NULL ? status : io_socket_accept(ctx, listener);
}

/* Text of bytes of which some may be no UTF-8. They do not lie in the heap. */
static enum vm_status answer_lossy(struct vm_ctx *ctx, const char *bytes, size_t length, vm_value *ret)
{
    struct nb_buf valid = NB_BUF_INIT;
    uint32_t code_point;

    if (length == 0)
        return lib_answer_cstr(ctx, "", ret);
    if (nb_utf8_valid(bytes, length))
        return lib_answer_bytes(ctx, bytes, length, ret);
    for (size_t at = 0; at < length;) {
        at += nb_utf8_decode(bytes + at, length - at, &code_point);
        nb_buf_code_point(&valid, code_point);
    }
    return lib_answer_text(ctx, &valid, ret);
}

static enum vm_status begin_read(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "II");
    struct io_socket *socket;
    int64_t most;

    if (status != VM_OK)
        return status;
    socket = find_socket(ctx, args[0], &status);
    if (socket == NULL)
        return status;
    most = vm_int_of(args[1]);
    if (most > 0)
        return io_socket_read(ctx, socket, (size_t)most < lib_bytes_max(ctx) ? (size_t)most : lib_bytes_max(ctx));
    io_handle_unref(&socket->handle);
    return lib_answer_cstr(ctx, "", ret);
}

static enum vm_status tcp_read(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct io_socket_operation *operation = io_socket_result(ctx);
    enum vm_status status;

    if (operation == NULL)
        return io_operation_of(ctx) != NULL ? io_park(ctx) : begin_read(ctx, args, ret);
    status = operation->error != 0 ? failed(ctx, "read", operation->error)
                                   : answer_lossy(ctx, operation->data, operation->length, ret);
    io_finish(ctx);
    return status;
}

static enum vm_status begin_write(struct vm_ctx *ctx, vm_value *args)
{
    enum vm_status status = lib_expect(ctx, args, "IS");
    struct io_socket *socket;
    struct vm_text text;

    if (status != VM_OK)
        return status;
    socket = find_socket(ctx, args[0], &status);
    if (socket == NULL)
        return status;
    text = vm_text(args[1]);
    lib_worked(ctx, text.length);
    return io_socket_write(ctx, socket, text.bytes, text.length);
}

static enum vm_status tcp_write(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct io_socket_operation *operation = io_socket_result(ctx);
    enum vm_status status;

    if (operation == NULL)
        return io_operation_of(ctx) != NULL ? io_park(ctx) : begin_write(ctx, args);
    status = operation->error != 0 ? failed(ctx, "write", operation->error)
                                   : lib_answer_int(ctx, (int64_t)operation->length, ret);
    io_finish(ctx);
    return status;
}

static enum vm_status begin_close(struct vm_ctx *ctx, vm_value *args)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    struct io_handle *handle;

    if (status != VM_OK)
        return status;
    handle = io_handle_take(ctx, IO_HANDLE_SOCKET, vm_int_of(args[0]));
    return handle == NULL ? invalid_handle(ctx) : io_socket_close(ctx, (struct io_socket *)handle);
}

static enum vm_status tcp_close(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    if (io_socket_result(ctx) == NULL)
        return io_operation_of(ctx) != NULL ? io_park(ctx) : begin_close(ctx, args);
    *ret = VM_UNIT;
    io_finish(ctx);
    return VM_OK;
}

#define LIB_TABLE "lib/tcp.def"
#define LIB_REGISTER lib_register_tcp
#include "lib/table.h"
