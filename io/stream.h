/*
 * stream.h - bytes read and written piece by piece: open files, and the pipes of commands.
 *
 * Each call begins an operation for the running process (reactor.h) on a stream that is part of a handle; io_submit()
 * tells what they return. Several processes may use one stream: their operations are done one after the other. What
 * is read ahead stays with the stream. Of pipes, terminals and the like, reading waits until there is something, and
 * writing until there is room; meanwhile no thread is kept, and others have their turn.
 */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "io/handle.h"
#include "io/reactor.h"

struct io_stream {
    pthread_mutex_t lock;
    int fd;                    /* -1: closed */
    char *ahead;               /* bytes read and not yet handed out: [from, to) of them */
    size_t from, to, capacity;
    size_t searched;           /* of them, from `from` on: no line break there */
    _Atomic uint64_t news;     /* how often bytes came */
    unsigned waiting;          /* operations that wait for the descriptor */
};

/** An operation on a stream that is done. */
struct io_stream_operation {
    struct io_operation operation;
    struct io_handle *handle;  /* one reference */
    struct io_stream *stream;
    size_t most;               /* read: bytes at the most */
    char *data;                /* to be written; or what was read, which may hold NUL bytes. nb_alloc'ed */
    size_t length, written;
    bool at_end;               /* read: nothing, for there is no more */
    bool waits;                /* it is among the stream's `waiting` */
    int whence;                /* seek: SEEK_SET, … */
    int64_t offset;            /* … the way; afterwards the position */
    int error;                 /* 0 or a positive errno; ECANCELED: closed meanwhile */
};

/** A stream on a descriptor, which it owns from now on; -1 for none. Of what may let one wait, it has O_NONBLOCK. */
void io_stream_init(struct io_stream *stream, int fd);
/** Close and free what it has. Threads: nobody else uses it any more. */
void io_stream_done(struct io_stream *stream);

/* Each takes over one reference to `handle`, whatever it returns. */

/** Read `most` bytes, fewer at the end; of a pipe what there is, at least one. */
enum vm_status io_stream_read(struct vm_ctx *ctx, struct io_handle *handle, struct io_stream *stream, size_t most);
/** Read a line with its line break, which the last line may lack. Longer than `most` bytes: error EFBIG. */
enum vm_status io_stream_read_line(struct vm_ctx *ctx, struct io_handle *handle, struct io_stream *stream,
                                   size_t most);
/** Write all of the bytes, which are copied. Where the next byte would be read is where they go. */
enum vm_status io_stream_write(struct vm_ctx *ctx, struct io_handle *handle, struct io_stream *stream,
                               const char *bytes, size_t length);
enum vm_status io_stream_seek(struct vm_ctx *ctx, struct io_handle *handle, struct io_stream *stream, int64_t offset,
                              int whence);
/** Close its descriptor; what others do with it then fails. */
enum vm_status io_stream_close(struct vm_ctx *ctx, struct io_handle *handle, struct io_stream *stream);

/** The running process's stream operation if it is done, to be given back by io_finish(); NULL while none is. */
struct io_stream_operation *io_stream_result(const struct vm_ctx *ctx);

/** A line that has been read ahead, without parking: appended to `out`. False when there is none, or somebody else
 *  uses the stream. */
bool io_stream_line_now(struct io_stream *stream, struct nb_buf *out);
/** Likewise `length` bytes. */
bool io_stream_bytes_now(struct io_stream *stream, size_t length, struct nb_buf *out);

#endif
