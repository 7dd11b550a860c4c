/*
 * child.h - commands of the operating system: run to their end, or started with pipes and known by a handle.
 *
 * No shell is involved; the command is searched in PATH. A child is told apart from others by its handle (handle.h),
 * never by its number, which the system may use again. A child that is dropped (handle.h), and one that is run for a
 * process that ends meanwhile, is killed. When the program ends children are left alone.
 */
#ifndef IO_CHILD_H
#define IO_CHILD_H

#include <uv.h>

#include "base/buf.h"
#include "io/handle.h"
#include "io/loop.h"
#include "io/stream.h"

struct io_child_operation;

/** One of the outputs of a child that is run. */
struct io_capture {
    struct io_closable closable; /* the pipe's data */
    uv_pipe_t pipe;
    struct nb_buf text;
    struct io_child_operation *operation;
};

struct io_child {
    struct io_handle handle;
    struct io_stream in, out, errors;    /* our ends of its standard streams; closed for one that is run */
    struct io_operation farewell;        /* kills it when nobody is left to wait for that */
    uv_process_t process;                /* the loop's, here and below */
    struct io_closable closable;
    bool running;
    int64_t status;                      /* when it ran: exit status, -1 if a signal ended it */
    struct io_child_operation *waiting;  /* for its end */
};

/** What was done with a child. */
struct io_child_operation {
    struct io_operation operation;
    struct io_child *child;              /* one reference; NULL: it was not started */
    struct nb_buf words, environment;    /* to start one: each text ended by NUL */
    int error;                           /* 0 or a positive errno; EFBIG: its output is too long */
    int64_t status;                      /* wait, kill, run: how it ended */
    struct io_capture captures[2];       /* run: standard output, standard error */
    size_t most;                         /* the loop's, here and below */
    unsigned unfinished;                 /* run: pipes that are open, and the child */
    struct io_child_operation *next;
};

/**
 * Begin to start a command for the running process; io_submit() tells what this returns.
 *
 * words         the command and its arguments, each ended by a NUL; taken over
 * environment   NAME=VALUE, likewise; taken over
 *
 * A buffer that has failed is VM_NOMEM.
 */
enum vm_status io_child_start(struct vm_ctx *ctx, struct nb_buf *words, struct nb_buf *environment);
/** The same, and wait until it has ended and both of its outputs, of `most` bytes together at the most, are closed. Its
 *  standard input is empty. */
enum vm_status io_child_run(struct vm_ctx *ctx, struct nb_buf *words, struct nb_buf *environment, size_t most);
/** Wait for a child's end. Takes over one reference. */
enum vm_status io_child_wait(struct vm_ctx *ctx, struct io_child *child);
/** Kill a child, and wait for its end. Takes over one reference. */
enum vm_status io_child_kill(struct vm_ctx *ctx, struct io_child *child);

/** The running process's operation if it is done, to be given back by io_finish(); NULL while none is. */
struct io_child_operation *io_child_result(const struct vm_ctx *ctx);

#endif
