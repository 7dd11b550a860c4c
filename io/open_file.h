/*
 * open_file.h - files that are open: a handle (handle.h) with a stream (stream.h).
 */
#ifndef IO_OPEN_FILE_H
#define IO_OPEN_FILE_H

#include "io/handle.h"
#include "io/reactor.h"
#include "io/stream.h"

struct io_open_file {
    struct io_handle handle;
    struct io_stream stream;
    struct io_operation farewell; /* closes it when nobody is left to wait for that */
};

/** The opening of a file that is done. */
struct io_opening {
    struct io_operation operation;
    char *path;                /* nb_alloc'ed */
    int flags;                 /* of open(2) */
    int error;                 /* 0 or a positive errno */
    struct io_open_file *file; /* with one reference, in no table; who takes it sets NULL */
};

/**
 * Begin to open a file for the running process; io_submit() tells what this returns.
 *
 * path    `length` bytes; one with a NUL inside names no file: error EINVAL
 * flags   of open(2): access, O_CREAT, O_TRUNC, O_APPEND
 *
 * Never waits for the other end of a named pipe; reading from it does.
 */
enum vm_status io_open(struct vm_ctx *ctx, const char *path, size_t length, int flags);
/** The running process's opening if it is done, to be given back by io_finish(); NULL while it is not. */
struct io_opening *io_open_result(const struct vm_ctx *ctx);

#endif
