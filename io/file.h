/*
 * file.h - files, read as a whole, and whether they are there.
 *
 * The calls of io_file_read() and the like are made by natives and park the process (reactor.h); the plain functions
 * below block and are what the pool runs.
 */
#ifndef IO_FILE_H
#define IO_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "io/reactor.h"

enum io_file_kind { IO_FILE_REGULAR, IO_FILE_DIRECTORY, IO_FILE_OTHER };

/** What is known about a file. */
struct io_file_status {
    enum io_file_kind kind;
    uint64_t bytes;
    int64_t modified_ns; /* since 1970 */
};

/** An operation on a file that is done. */
struct io_file {
    struct io_operation operation;
    char *path;                   /* nb_alloc'ed, like data */
    int error;                    /* 0 or a positive errno */
    size_t most;                  /* read: bytes at the most */
    char *data;                   /* read: the content; may hold NUL bytes; NULL when empty or failed */
    size_t length;
    struct io_file_status status; /* status: … */
};

/**
 * Begin to read a whole file for the running process; io_submit() tells what this returns.
 *
 * path     `length` bytes; one with a NUL inside names no file: error EINVAL
 * most     a longer file is the error EFBIG; SIZE_MAX: whatever memory holds
 *
 * Directories are the error EISDIR.
 */
enum vm_status io_file_read(struct vm_ctx *ctx, const char *path, size_t length, size_t most);
/** The same for its status. */
enum vm_status io_file_status(struct vm_ctx *ctx, const char *path, size_t length);
/** The running process's file operation if it is done, to be given back by io_finish(); NULL while none is. */
struct io_file *io_file_result(const struct vm_ctx *ctx);

/** Read a whole file, or what a pipe holds now; blocks as long as a disk does. 0 with *ret_data (nb_free; NULL when
 *  empty), or -errno. */
int io_file_read_now(const char *path, size_t most, char **ret_data, size_t *ret_length);
/** Its status; blocks. 0 or -errno. */
int io_file_status_now(const char *path, struct io_file_status *ret_status);

#endif
