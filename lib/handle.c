/*
 * handle.c - lines, written bytes and errors of open files and commands.
 */
#include "config.h"

#include "lib/handle.h"

#include <errno.h>

#include "base/utf8.h"
#include "lib/expect.h"
#include "vm/except.h"
#include "vm/string.h"

enum vm_status lib_invalid_handle(struct vm_ctx *ctx)
{
    return vm_raise_kind(ctx, "io_error", "Invalid handle");
}

enum vm_status lib_stream_error(struct vm_ctx *ctx, int error)
{
    if (error == ECANCELED)
        return lib_invalid_handle(ctx);
    if (error == EFBIG)
        return VM_NOMEM;
    return io_raise(ctx, error, "");
}

static enum vm_status answer_line(struct vm_ctx *ctx, const char *bytes, size_t length, vm_value *ret)
{
    lib_worked(ctx, length);
    if (!nb_utf8_valid(bytes, length))
        return vm_raise_kind(ctx, "io_error", "IO error: stream did not contain valid UTF-8");
    return lib_answer(vm_string(ctx, bytes, length), ret);
}

enum vm_status lib_begin_line(struct vm_ctx *ctx, struct io_handle *handle, struct io_stream *stream, vm_value *ret)
{
    struct nb_buf line = NB_BUF_INIT;
    enum vm_status status;

    if (!io_stream_line_now(stream, &line))
        return io_stream_read_line(ctx, handle, stream, lib_bytes_max(ctx));
    io_handle_unref(handle);
    status = line.failed ? VM_NOMEM : answer_line(ctx, nb_buf_cstr(&line), line.length, ret);
    nb_buf_done(&line);
    return status;
}

enum vm_status lib_end_line(struct vm_ctx *ctx, vm_value *ret)
{
    struct io_stream_operation *operation = io_stream_result(ctx);
    enum vm_status status;

    if (operation == NULL)
        return io_park(ctx);
    if (operation->error != 0)
        status = lib_stream_error(ctx, operation->error);
    else if (operation->at_end)
        status = lib_answer_cstr(ctx, "eof", ret);
    else
        status = answer_line(ctx, operation->data, operation->length, ret);
    io_finish(ctx);
    return status;
}

enum vm_status lib_end_write(struct vm_ctx *ctx, vm_value *ret)
{
    struct io_stream_operation *operation = io_stream_result(ctx);
    enum vm_status status;

    if (operation == NULL)
        return io_park(ctx);
    status = operation->error != 0 ? lib_stream_error(ctx, operation->error)
                                   : lib_answer_int(ctx, (int64_t)operation->written, ret);
    io_finish(ctx);
    return status;
}
