/*
 * open_file.c - opening, and closing what was left open.
 */
#include "config.h"

#include "io/open_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

enum { FILE_MODE = 0666 };

/* ---- the file ---- */

static void free_file(struct io_handle *handle)
{
    struct io_open_file *file = (struct io_open_file *)handle;

    io_stream_done(&file->stream);
    nb_free(file);
}

static struct io_open_file *of_farewell(struct io_operation *operation)
{
    return (struct io_open_file *)((char *)operation - offsetof(struct io_open_file, farewell));
}

static void close_now(struct io_operation *operation)
{
    struct io_stream *stream = &of_farewell(operation)->stream;

    pthread_mutex_lock(&stream->lock);
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
    pthread_mutex_unlock(&stream->lock);
}

static void end_farewell(struct io_operation *operation)
{
    io_handle_unref(&of_farewell(operation)->handle);
}

static void drop_file(struct io_handle *handle)
{
    io_look_again();
    io_post(&((struct io_open_file *)handle)->farewell);
}

/* On a descriptor; NULL without memory. */
static struct io_open_file *new_file(int fd)
{
    struct io_open_file *file = nb_alloc_zero(sizeof *file);

    if (file == NULL)
        return NULL;
    io_handle_init(&file->handle, IO_HANDLE_FILE, drop_file, free_file);
    io_stream_init(&file->stream, fd);
    io_operation_init(&file->farewell, close_now, end_farewell);
    return file;
}

/* ---- opening ---- */

static void do_open(struct io_operation *operation)
{
    struct io_opening *opening = (struct io_opening *)operation;
    int fd;

    if (opening->error != 0)
        return;
    fd = open(opening->path, opening->flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, FILE_MODE);
    if (fd < 0) {
        opening->error = errno;
        return;
    }
    opening->file = new_file(fd);
    if (opening->file == NULL) {
        close(fd);
        opening->error = ENOMEM;
    }
}

static void free_opening(struct io_operation *operation)
{
    struct io_opening *opening = (struct io_opening *)operation;

    if (opening->file != NULL)
        io_handle_unref(&opening->file->handle);
    nb_free(opening->path);
    nb_free(opening);
}

enum vm_status io_open(struct vm_ctx *ctx, const char *path, size_t length, int flags)
{
    struct io_opening *opening = nb_alloc_zero(sizeof *opening);

    if (opening == NULL)
        return VM_NOMEM;
    io_operation_init(&opening->operation, do_open, free_opening);
    opening->flags = flags;
    opening->path = nb_strndup(path, length);
    if (opening->path == NULL) {
        nb_free(opening);
        return VM_NOMEM;
    }
    if (memchr(path, '\0', length) != NULL)
        opening->error = EINVAL;
    return io_submit(ctx, &opening->operation);
}

struct io_opening *io_open_result(const struct vm_ctx *ctx)
{
    struct io_operation *operation = io_operation_of(ctx);

    return operation != NULL && io_is_done(operation) ? (struct io_opening *)operation : NULL;
}
