/*
 * stream.c - reading ahead, writing, and waiting where a descriptor does not block.
 *
 * All descriptors are non-blocking. Ordinary files do not care; of others, EAGAIN makes the operation wait for a copy
 * of the descriptor (so that several may wait for one stream, and closing it disturbs nobody) and be done again. Who
 * then reads may read ahead what others wait for: they look again, as the descriptor will not tell them.
 */
#include "config.h"

#include "io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

enum { AHEAD_BYTES = 65536 };

void io_stream_init(struct io_stream *stream, int fd)
{
    *stream = (struct io_stream){ .fd = fd };
    pthread_mutex_init(&stream->lock, NULL);
}

void io_stream_done(struct io_stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    nb_free(stream->ahead);
    pthread_mutex_destroy(&stream->lock);
}

/* ---- read ahead; under the stream's lock ---- */

static size_t ahead_length(const struct io_stream *stream)
{
    return stream->to - stream->from;
}

static const char *ahead_at(const struct io_stream *stream)
{
    return stream->ahead + stream->from;
}

/* How long the line is that begins the bytes read ahead; 0 when its end is not there. */
static size_t line_length(struct io_stream *stream)
{
    size_t length = ahead_length(stream);
    const char *end =
        length > stream->searched ? memchr(ahead_at(stream) + stream->searched, '\n', length - stream->searched) : NULL;

    if (end != NULL)
        return (size_t)(end - ahead_at(stream)) + 1;
    stream->searched = length;
    return 0;
}

static void consume(struct io_stream *stream, size_t length)
{
    stream->from += length;
    stream->searched = 0;
}

/* Room for at least one byte behind what is there. */
static int make_room(struct io_stream *stream)
{
    char *bigger;

    if (stream->from > 0) {
        memmove(stream->ahead, ahead_at(stream), ahead_length(stream));
        stream->to -= stream->from;
        stream->from = 0;
    }
    if (stream->to < stream->capacity)
        return 0;
    bigger = nb_realloc_array(stream->ahead, stream->capacity == 0 ? AHEAD_BYTES : stream->capacity * 2, 1);
    if (bigger == NULL)
        return ENOMEM;
    stream->ahead = bigger;
    stream->capacity = stream->capacity == 0 ? AHEAD_BYTES : stream->capacity * 2;
    return 0;
}

/* A long line need not keep its memory. */
static void shrink(struct io_stream *stream)
{
    if (ahead_length(stream) > 0)
        return;
    stream->from = stream->to = 0;
    if (stream->capacity <= AHEAD_BYTES)
        return;
    nb_free(stream->ahead);
    stream->ahead = NULL;
    stream->capacity = 0;
}

/* Nothing came. A pipe whose writer is yet to come says so, too, and is not at its end. */
static int end_or_later(int fd)
{
    struct pollfd wanted = { .fd = fd, .events = POLLIN };

    return poll(&wanted, 1, 0) == 0 ? EAGAIN : 0;
}

/* Read once. 0 with *ret_count bytes more, none at the end; or an errno. */
static int read_ahead(struct io_stream *stream, size_t *ret_count)
{
    int error = make_room(stream);
    ssize_t got;

    if (error != 0)
        return error;
    do
        got = read(stream->fd, stream->ahead + stream->to, stream->capacity - stream->to);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno;
    stream->to += (size_t)got;
    *ret_count = (size_t)got;
    if (got > 0)
        atomic_fetch_add(&stream->news, 1);
    return got > 0 ? 0 : end_or_later(stream->fd);
}

/* Back to where the next byte would have been read: for writing and seeking. Pipes have no such place. */
static void forget_ahead(struct io_stream *stream)
{
    if (ahead_length(stream) == 0 || lseek(stream->fd, -(off_t)ahead_length(stream), SEEK_CUR) < 0)
        return;
    stream->from = stream->to = stream->searched = 0;
}

static int take_ahead(struct io_stream_operation *operation, size_t length)
{
    struct io_stream *stream = operation->stream;

    operation->data = nb_memdup(length > 0 ? ahead_at(stream) : NULL, length);
    if (operation->data == NULL)
        return ENOMEM;
    operation->length = length;
    operation->at_end = length == 0;
    consume(stream, length);
    shrink(stream);
    return 0;
}

/* ---- the operations, on a pool thread under the stream's lock. Each answers 0, EAGAIN or another errno ---- */

static int read_bytes(struct io_stream_operation *operation)
{
    struct io_stream *stream = operation->stream;
    size_t count = 1, have;
    int error = 0;

    while (error == 0 && count > 0 && ahead_length(stream) < operation->most)
        error = read_ahead(stream, &count);
    have = ahead_length(stream);
    if (error != 0 && (error != EAGAIN || have == 0))
        return error;
    return take_ahead(operation, have < operation->most ? have : operation->most);
}

static int read_line(struct io_stream_operation *operation)
{
    struct io_stream *stream = operation->stream;
    size_t count = 1;
    int error = 0;

    while (line_length(stream) == 0 && count > 0) {
        if (ahead_length(stream) > operation->most)
            return EFBIG;
        error = read_ahead(stream, &count);
        if (error != 0)
            return error;
    }
    return take_ahead(operation, count > 0 ? line_length(stream) : ahead_length(stream));
}

static int write_bytes(struct io_stream_operation *operation)
{
    struct io_stream *stream = operation->stream;

    forget_ahead(stream);
    while (operation->written < operation->length) {
        ssize_t written =
            write(stream->fd, operation->data + operation->written, operation->length - operation->written);

        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0)
            operation->written += (size_t)written;
    }
    return 0;
}

static int seek(struct io_stream_operation *operation)
{
    struct io_stream *stream = operation->stream;
    off_t position;

    forget_ahead(stream);
    position = lseek(stream->fd, operation->offset, operation->whence);
    if (position < 0)
        return errno;
    operation->offset = position;
    return 0;
}

static int close_stream(struct io_stream_operation *operation)
{
    int fd = operation->stream->fd;

    operation->stream->fd = -1;
    return close(fd) < 0 && errno != EINTR ? errno : 0;
}

/* ---- their way ---- */

/* Have the work done again when the descriptor is ready. */
static int wait_for(struct io_stream_operation *operation, short events)
{
    struct io_stream *stream = operation->stream;
    int fd = fcntl(stream->fd, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return errno;
    operation->waits = true;
    stream->waiting++;
    operation->operation.wait_seen = atomic_load(&stream->news);
    operation->operation.wait_fd = fd;
    operation->operation.wait_events = events;
    return 0;
}

static void end_waiting(struct io_stream_operation *operation)
{
    if (operation->waits)
        operation->stream->waiting--;
    operation->waits = false;
}

static void perform(struct io_operation *base, int (*what)(struct io_stream_operation *operation), short events)
{
    struct io_stream_operation *operation = (struct io_stream_operation *)base;
    struct io_stream *stream = operation->stream;
    bool others;

    operation->error = base->wait_error;
    if (operation->error != 0)
        return;
    pthread_mutex_lock(&stream->lock);
    end_waiting(operation);
    operation->error = stream->fd < 0 ? ECANCELED : what(operation);
    others = operation->error == 0 && stream->waiting > 0 && ahead_length(stream) > 0;
    if (operation->error == EAGAIN)
        operation->error = wait_for(operation, events);
    pthread_mutex_unlock(&stream->lock);
    if (others)
        io_look_again();
}

static void do_read(struct io_operation *operation)
{
    perform(operation, read_bytes, POLLIN);
}

static void do_read_line(struct io_operation *operation)
{
    perform(operation, read_line, POLLIN);
}

static void do_write(struct io_operation *operation)
{
    perform(operation, write_bytes, POLLOUT);
}

static void do_seek(struct io_operation *operation)
{
    perform(operation, seek, 0);
}

static void do_close(struct io_operation *operation)
{
    perform(operation, close_stream, 0);
}

static void free_operation(struct io_operation *base)
{
    struct io_stream_operation *operation = (struct io_stream_operation *)base;

    pthread_mutex_lock(&operation->stream->lock);
    end_waiting(operation);
    pthread_mutex_unlock(&operation->stream->lock);
    io_handle_unref(operation->handle);
    nb_free(operation->data);
    nb_free(operation);
}

/* NULL without memory; the reference to the handle is then gone. */
static struct io_stream_operation *new_operation(struct io_handle *handle, struct io_stream *stream,
                                                 void (*work)(struct io_operation *operation))
{
    struct io_stream_operation *operation = nb_alloc_zero(sizeof *operation);

    if (operation == NULL) {
        io_handle_unref(handle);
        return NULL;
    }
    io_operation_init(&operation->operation, work, free_operation);
    operation->handle = handle;
    operation->stream = stream;
    operation->operation.wait_over = &handle->over;
    operation->operation.wait_news = &stream->news;
    return operation;
}

static enum vm_status submit(struct vm_ctx *ctx, struct io_stream_operation *operation)
{
    return io_submit(ctx, operation != NULL ? &operation->operation : NULL);
}

enum vm_status io_stream_read(struct vm_ctx *ctx, struct io_handle *handle, struct io_stream *stream, size_t most)
{
    struct io_stream_operation *operation = new_operation(handle, stream, do_read);

    if (operation != NULL)
        operation->most = most;
    return submit(ctx, operation);
}

enum vm_status io_stream_read_line(struct vm_ctx *ctx, struct io_handle *handle, struct io_stream *stream, size_t most)
{
    struct io_stream_operation *operation = new_operation(handle, stream, do_read_line);

    if (operation != NULL)
        operation->most = most;
    return submit(ctx, operation);
}

enum vm_status io_stream_write(struct vm_ctx *ctx, struct io_handle *handle, struct io_stream *stream,
                               const char *bytes, size_t length)
{
    struct io_stream_operation *operation = new_operation(handle, stream, do_write);

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

enum vm_status io_stream_seek(struct vm_ctx *ctx, struct io_handle *handle, struct io_stream *stream, int64_t offset,
                              int whence)
{
    struct io_stream_operation *operation = new_operation(handle, stream, do_seek);

    if (operation != NULL) {
        operation->offset = offset;
        operation->whence = whence;
    }
    return submit(ctx, operation);
}

enum vm_status io_stream_close(struct vm_ctx *ctx, struct io_handle *handle, struct io_stream *stream)
{
    return submit(ctx, new_operation(handle, stream, do_close));
}

struct io_stream_operation *io_stream_result(const struct vm_ctx *ctx)
{
    struct io_operation *operation = io_operation_of(ctx);

    return operation != NULL && io_is_done(operation) ? (struct io_stream_operation *)operation : NULL;
}

/* ---- without parking ---- */

/* Hand out that many of the bytes read ahead, if they are there. */
static bool hand_out(struct io_stream *stream, size_t length, struct nb_buf *out)
{
    if (length == 0 || length > ahead_length(stream))
        return false;
    nb_buf_append(out, ahead_at(stream), length);
    consume(stream, length);
    return true;
}

bool io_stream_line_now(struct io_stream *stream, struct nb_buf *out)
{
    bool there;

    if (pthread_mutex_trylock(&stream->lock) != 0)
        return false;
    there = stream->fd >= 0 && hand_out(stream, line_length(stream), out);
    pthread_mutex_unlock(&stream->lock);
    return there;
}

bool io_stream_bytes_now(struct io_stream *stream, size_t length, struct nb_buf *out)
{
    bool there;

    if (pthread_mutex_trylock(&stream->lock) != 0)
        return false;
    there = stream->fd >= 0 && hand_out(stream, length, out);
    pthread_mutex_unlock(&stream->lock);
    return there;
}
