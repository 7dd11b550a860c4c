/*
 * open_file.c - natives of open files. The work is done by io/; each native is called twice, first to begin and park,
 * then to take the result (io/reactor.h).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "io/open_file.h"
#include "lib/expect.h"
#include "lib/handle.h"
#include "vm/except.h"
#include "vm/number.h"
#include "vm/string.h"

/* ---- opening ---- */

static const struct {
    const char *name;
    int flags;
} modes[] = {
    { "r", O_RDONLY },
    { "read", O_RDONLY },
    { "w", O_WRONLY | O_CREAT | O_TRUNC },
    { "write", O_WRONLY | O_CREAT | O_TRUNC },
    { "a", O_WRONLY | O_CREAT | O_APPEND },
    { "append", O_WRONLY | O_CREAT | O_APPEND },
    { "rw", O_RDWR | O_CREAT },
    { "readwrite", O_RDWR | O_CREAT },
};

/* Raise what is wrong with a word that chooses: `what` is "file mode" or the like. */
static enum vm_status invalid_word(struct vm_ctx *ctx, const char *what, vm_value word)
{
    struct nb_buf text = NB_BUF_INIT;
    enum vm_status status = vm_raise_kind(ctx, "IOError", "Invalid %s: %s", what, vm_string_cstring(word, &text));

    nb_buf_done(&text);
    return status;
}

static enum vm_status begin_open(struct vm_ctx *ctx, vm_value *args)
{
    enum vm_status status = lib_expect(ctx, args, "SS");
    struct vm_text path;

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    path = vm_text(args[0]);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (vm_string_equals(args[1], modes[i].name, strlen(modes[i].name)))
            return io_open(ctx, path.bytes, path.length, modes[i].flags);
    return invalid_word(ctx, "file mode", args[1]);
}

static enum vm_status file_open(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct io_opening *opening = io_open_result(ctx);
    enum vm_status status;

    if (opening == NULL)
        return begin_open(ctx, args);
    if (opening->error != 0) {
        status = io_raise(ctx, opening->error, opening->path);
    } else {
        int64_t number = io_handle_add(ctx, &opening->file->handle);

        if (number != 0)
            opening->file = NULL; /* the table's */
        status = number != 0 ? lib_answer_int(ctx, number, ret) : VM_NOMEM;
    }
    io_finish(ctx);
    return status;
}

/* ---- open files ---- */

/* The file of a handle, with a reference; NULL after raising. */
static struct io_open_file *find_file(struct vm_ctx *ctx, vm_value handle, enum vm_status *ret_status)
{
    struct io_handle *found = io_handle_find(ctx, IO_HANDLE_FILE, vm_int_of(handle));

    if (found == NULL)
        *ret_status = lib_invalid_handle(ctx);
    return (struct io_open_file *)found;
}

static enum vm_status begin_read(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "II");
    struct nb_buf ahead = NB_BUF_INIT;
    struct io_open_file *file;
    int64_t count;

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    file = find_file(ctx, args[0], &status);
    if (file == NULL)
        return status;
    count = vm_int_of(args[1]) < 0 ? 0 : vm_int_of(args[1]);
    if ((uint64_t)count > lib_bytes_max(ctx))
        count = (int64_t)lib_bytes_max(ctx);
    if (!io_stream_bytes_now(&file->stream, (size_t)count, &ahead))
        return io_stream_read(ctx, &file->handle, &file->stream, (size_t)count);
    io_handle_unref(&file->handle);
    status = ahead.failed ? VM_NOMEM : lib_answer_bytes(ctx, nb_buf_cstr(&ahead), ahead.length, ret);
    nb_buf_done(&ahead);
    return status;
}

static enum vm_status file_read(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct io_stream_operation *operation = io_stream_result(ctx);
    enum vm_status status;

    if (operation == NULL)
        return begin_read(ctx, args, ret);
    status = operation->error != 0 ? lib_stream_error(ctx, operation->error)
                                   : lib_answer_bytes(ctx, operation->data, operation->length, ret);
    io_finish(ctx);
    return status;
}

static enum vm_status file_read_line(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    struct io_open_file *file;

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL)
        return lib_end_line(ctx, ret);
    file = find_file(ctx, args[0], &status);
    return file == NULL ? status : lib_begin_line(ctx, &file->handle, &file->stream, ret);
}

static enum vm_status file_write(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "IS");
    struct io_open_file *file;
    struct vm_text text;

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL)
        return lib_end_write(ctx, ret);
    file = find_file(ctx, args[0], &status);
    if (file == NULL)
        return status;
    text = vm_text(args[1]);
    return io_stream_write(ctx, &file->handle, &file->stream, text.bytes, text.length);
}

static enum vm_status file_flush(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    struct io_open_file *file;

    if (status != VM_OK)
        return status;
    file = find_file(ctx, args[0], &status);
    if (file == NULL)
        return status;
    io_handle_unref(&file->handle);
    *ret = VM_UNIT;
    return VM_OK;
}

static enum vm_status begin_seek(struct vm_ctx *ctx, vm_value *args)
{
    static const struct {
        const char *name;
        int whence;
    } origins[] = { { "start", SEEK_SET }, { "current", SEEK_CUR }, { "end", SEEK_END } };
    enum vm_status status = lib_expect(ctx, args, "IIS");
    struct io_open_file *file;

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        if (vm_string_equals(args[2], origins[i].name, strlen(origins[i].name))) {
            file = find_file(ctx, args[0], &status);
            return file == NULL
                       ? status
                       : io_stream_seek(ctx, &file->handle, &file->stream, vm_int_of(args[1]), origins[i].whence);
        }
    return invalid_word(ctx, "seek whence", args[2]);
}

static enum vm_status file_seek(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct io_stream_operation *operation = io_stream_result(ctx);
    enum vm_status status;

    if (operation == NULL)
        return begin_seek(ctx, args);
    status =
        operation->error != 0 ? lib_stream_error(ctx, operation->error) : lib_answer_int(ctx, operation->offset, ret);
    io_finish(ctx);
    return status;
}

static enum vm_status begin_close(struct vm_ctx *ctx, vm_value *args)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    struct io_open_file *file;

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    file = (struct io_open_file *)io_handle_take(ctx, IO_HANDLE_FILE, vm_int_of(args[0]));
    if (file == NULL)
        return lib_invalid_handle(ctx);
    io_look_again();
    return io_stream_close(ctx, &file->handle, &file->stream);
}

static enum vm_status file_close(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct io_stream_operation *operation = io_stream_result(ctx);
    enum vm_status status;

    if (operation == NULL)
        return begin_close(ctx, args);
    *ret = VM_UNIT;
    status = operation->error != 0 ? lib_stream_error(ctx, operation->error) : VM_OK;
    io_finish(ctx);
    return status;
}

#define LIB_TABLE "lib/open_file.def"
#define LIB_REGISTER lib_register_open_file
#include "lib/table.h"
