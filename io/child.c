/*
 * child.c - starting, waiting and killing, all on the loop's thread, where libuv hears of the ends of children.
 *
 * Standard streams are pipes (not the socket pairs libuv would make: a command may want to open /dev/stderr). The pipes
 * of a child that is run are read here, by libuv; those of one that was started are streams (stream.h).
 *
 * References to a child: its handle's in the table; one of each operation; and one of the loop until libuv has let go
 * of it, which is after its end.
 */
#include "config.h"

#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

enum { STREAMS = 3, READ_BYTES = 65536 };

#define CONTAINER(type, member, pointer) ((type *)((char *)(pointer)-offsetof(type, member)))

/* ---- a child's end ---- */

static void finish_wait(struct io_child_operation *operation, const struct io_child *child, int error)
{
    operation->status = child->status;
    operation->error = error;
    io_complete(&operation->operation);
}

static void finish_run(struct io_child_operation *operation)
{
    operation->unfinished--;
    if (operation->unfinished == 0)
        io_complete(&operation->operation);
}

/* Tell those who wait for it. A run goes on until its pipes are at their end, too. */
static void tell_waiting(struct io_child *child, int error)
{
    struct io_child_operation *next;

    for (struct io_child_operation *operation = child->waiting; operation != NULL; operation = next) {
        next = operation->next;
        if (operation->unfinished == 0) {
            finish_wait(operation, child, error);
            continue;
        }
        operation->status = child->status;
        if (error != 0)
            operation->error = error;
        finish_run(operation);
    }
    child->waiting = NULL;
}

static void on_process_closed(uv_handle_t *handle)
{
    io_handle_unref(&CONTAINER(struct io_child, process, handle)->handle);
}

static void on_exit(uv_process_t *process, int64_t exit_status, int signal_number)
{
    struct io_child *child = CONTAINER(struct io_child, process, process);

    child->running = false;
    child->status = signal_number != 0 ? -1 : exit_status;
    uv_close((uv_handle_t *)process, on_process_closed);
    tell_waiting(child, 0);
}

/* The reactor stops: the child is left alone. */
static void leave_alone(struct io_closable *closable)
{
    struct io_child *child = CONTAINER(struct io_child, closable, closable);

    child->running = false;
    uv_close((uv_handle_t *)&child->process, on_process_closed);
    tell_waiting(child, ECANCELED);
}

static void kill_now(struct io_child *child)
{
    if (child->running)
        uv_process_kill(&child->process, SIGKILL); /* not reaped yet: the number is still its own */
}

/* ---- children ---- */

static void free_child(struct io_handle *handle)
{
    struct io_child *child = (struct io_child *)handle;

    io_stream_done(&child->in);
    io_stream_done(&child->out);
    io_stream_done(&child->errors);
    nb_free(child);
}

static void begin_farewell(struct io_operation *operation)
{
    kill_now(CONTAINER(struct io_child, farewell, operation));
    io_complete(operation);
}

static void end_farewell(struct io_operation *operation)
{
    io_handle_unref(&CONTAINER(struct io_child, farewell, operation)->handle);
}

static void drop_child(struct io_handle *handle)
{
    io_look_again();
    io_post(&((struct io_child *)handle)->farewell);
}

/* NULL without memory. */
static struct io_child *new_child(void)
{
    struct io_child *child = nb_alloc_zero(sizeof *child);

    if (child == NULL)
        return NULL;
    io_handle_init(&child->handle, IO_HANDLE_CHILD, drop_child, free_child);
    io_stream_init(&child->in, -1);
    io_stream_init(&child->out, -1);
    io_stream_init(&child->errors, -1);
    io_operation_init(&child->farewell, NULL, end_farewell);
    child->farewell.begin = begin_farewell;
    child->closable.close = leave_alone;
    child->process.data = &child->closable;
    return child;
}

/* ---- starting ---- */

/* Texts that end with a NUL each, as the system wants them. NULL without memory. */
static char **vector_of(const struct nb_buf *texts)
{
    size_t count = 0, at = 0;
    char **vector;

    for (size_t i = 0; i < texts->length; i++)
        count += texts->data[i] == '\0';
    vector = nb_alloc_array(count + 1, sizeof *vector);
    if (vector == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++, at += strlen(texts->data + at) + 1)
        vector[i] = texts->data + at;
    vector[count] = NULL;
    return vector;
}

static void close_all(int fds[STREAMS])
{
    for (unsigned i = 0; i < STREAMS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* A pipe for each wanted stream: ours[i] does not block. 0, or -errno with none open. */
static int make_pipes(unsigned first, int ours[STREAMS], int theirs[STREAMS])
{
    for (unsigned i = 0; i < STREAMS; i++)
        ours[i] = theirs[i] = -1;
    for (unsigned i = first; i < STREAMS; i++) {
        int ends[2], mine = i == STDIN_FILENO ? 1 : 0;

        if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[mine], F_SETFL, O_NONBLOCK) < 0) {
            int error = errno;

            close_all(ours);
            close_all(theirs);
            return -error;
        }
        ours[i] = ends[mine];
        theirs[i] = ends[1 - mine];
    }
    return 0;
}

/* 0 with the child running, or -errno. */
static int spawn(struct io_child_operation *operation, struct io_child *child, const int theirs[STREAMS])
{
    uv_stdio_container_t streams[STREAMS];
    uv_process_options_t options = { .exit_cb = on_exit, .stdio = streams, .stdio_count = STREAMS };
    int r = -ENOMEM;

    for (unsigned i = 0; i < STREAMS; i++) {
        streams[i].flags = theirs[i] >= 0 ? UV_INHERIT_FD : UV_IGNORE;
        streams[i].data.fd = theirs[i];
    }
    options.args = vector_of(&operation->words);
    options.env = vector_of(&operation->environment);
    if (options.args != NULL && options.env != NULL) {
        options.file = options.args[0];
        io_handle_ref(&child->handle); /* the loop's */
        r = uv_spawn(io_loop_of(&operation->operation), &child->process, &options);
        child->running = r == 0;
        if (r < 0)
            uv_close((uv_handle_t *)&child->process, on_process_closed);
    }
    nb_free(options.args);
    nb_free(options.env);
    return r;
}

/* Start the operation's command with pipes from stream `first` on. 0 with operation->child and our ends, or -errno. */
static int start(struct io_child_operation *operation, unsigned first, int ours[STREAMS])
{
    struct io_child *child = new_child();
    int theirs[STREAMS];
    int r;

    if (child == NULL)
        return -ENOMEM;
    r = make_pipes(first, ours, theirs);
    if (r < 0) {
        io_handle_unref(&child->handle);
        return r;
    }
    r = spawn(operation, child, theirs);
    close_all(theirs);
    if (r < 0) {
        close_all(ours);
        io_handle_unref(&child->handle);
        return r;
    }
    operation->child = child;
    return 0;
}

static void begin_start(struct io_operation *base)
{
    struct io_child_operation *operation = (struct io_child_operation *)base;
    int ours[STREAMS];

    operation->error = -start(operation, STDIN_FILENO, ours);
    if (operation->error == 0) {
        operation->child->in.fd = ours[STDIN_FILENO];
        operation->child->out.fd = ours[STDOUT_FILENO];
        operation->child->errors.fd = ours[STDERR_FILENO];
    }
    io_complete(base);
}

/* Of a start there is nothing to abandon: it completes where it begins. */
static void abandon_nothing(struct io_operation *operation)
{
    (void)operation;
}

/* ---- running ---- */

static void on_capture_closed(uv_handle_t *pipe)
{
    finish_run(CONTAINER(struct io_capture, pipe, pipe)->operation);
}

static void close_capture(struct io_closable *closable)
{
    uv_close((uv_handle_t *)&((struct io_capture *)closable)->pipe, on_capture_closed);
}

/* End a run before its time: without the rest of its output. */
static void stop_run(struct io_child_operation *operation)
{
    kill_now(operation->child);
    for (unsigned i = 0; i < 2; i++)
        if (!uv_is_closing((uv_handle_t *)&operation->captures[i].pipe))
            close_capture(&operation->captures[i].closable);
}

static void provide(uv_handle_t *pipe, size_t suggested, uv_buf_t *ret)
{
    struct nb_buf *text = &CONTAINER(struct io_capture, pipe, pipe)->text;

    (void)suggested;
    *ret = nb_buf_reserve(text, READ_BYTES) ? uv_buf_init(text->data + text->length, READ_BYTES)
                                            : uv_buf_init(NULL, 0); /* then on_read() gets UV_ENOBUFS */
}

static void on_read(uv_stream_t *pipe, ssize_t count, const uv_buf_t *buffer)
{
    struct io_capture *capture = CONTAINER(struct io_capture, pipe, pipe);
    struct io_child_operation *operation = capture->operation;

    (void)buffer;
    if (count == UV_EOF) {
        close_capture(&capture->closable);
        return;
    }
    if (count > 0)
        capture->text.length += (size_t)count;
    if (operation->captures[0].text.length + operation->captures[1].text.length > operation->most)
        operation->error = EFBIG;
    else if (count < 0)
        operation->error = count == UV_ENOBUFS ? ENOMEM : (int)-count;
    if (operation->error != 0)
        stop_run(operation);
}

static void begin_capture(struct io_child_operation *operation, struct io_capture *capture, int fd)
{
    int r;

    capture->operation = operation;
    capture->closable.close = close_capture;
    uv_pipe_init(io_loop_of(&operation->operation), &capture->pipe, 0);
    capture->pipe.data = &capture->closable;
    r = uv_pipe_open(&capture->pipe, fd);
    if (r < 0)
        close(fd);
    else
        r = uv_read_start((uv_stream_t *)&capture->pipe, provide, on_read);
    if (r < 0)
        operation->error = -r;
}

static void begin_run(struct io_operation *base)
{
    struct io_child_operation *operation = (struct io_child_operation *)base;
    int ours[STREAMS];

    operation->error = -start(operation, STDOUT_FILENO, ours);
    if (operation->error != 0) {
        io_complete(base);
        return;
    }
    operation->unfinished = STREAMS; /* two pipes, and the child, which ends in a callback */
    operation->next = operation->child->waiting;
    operation->child->waiting = operation;
    begin_capture(operation, &operation->captures[0], ours[STDOUT_FILENO]);
    begin_capture(operation, &operation->captures[1], ours[STDERR_FILENO]);
    if (operation->error != 0)
        stop_run(operation);
}

static void abandon_run(struct io_operation *operation)
{
    stop_run((struct io_child_operation *)operation);
}

/* ---- waiting and killing ---- */

static void begin_wait(struct io_operation *base)
{
    struct io_child_operation *operation = (struct io_child_operation *)base;
    struct io_child *child = operation->child;

    if (!child->running) {
        finish_wait(operation, child, 0);
        return;
    }
    operation->next = child->waiting;
    child->waiting = operation;
}

static void begin_kill(struct io_operation *operation)
{
    kill_now(((struct io_child_operation *)operation)->child);
    begin_wait(operation);
}

static void abandon_wait(struct io_operation *base)
{
    struct io_child_operation *operation = (struct io_child_operation *)base;

    for (struct io_child_operation **at = &operation->child->waiting; *at != NULL; at = &(*at)->next)
        if (*at == operation) {
            *at = operation->next;
            break;
        }
    io_complete(base);
}

/* ---- for natives ---- */

static void free_operation(struct io_operation *base)
{
    struct io_child_operation *operation = (struct io_child_operation *)base;

    if (operation->child != NULL)
        io_handle_unref(&operation->child->handle);
    nb_buf_done(&operation->words);
    nb_buf_done(&operation->environment);
    nb_buf_done(&operation->captures[0].text);
    nb_buf_done(&operation->captures[1].text);
    nb_free(operation);
}

/* NULL without memory. */
static struct io_child_operation *new_operation(void (*begin)(struct io_operation *operation),
                                                void (*abandon)(struct io_operation *operation))
{
    struct io_child_operation *operation = nb_alloc_zero(sizeof *operation);

    if (operation == NULL)
        return NULL;
    io_operation_init(&operation->operation, NULL, free_operation);
    operation->operation.begin = begin;
    operation->operation.abandon = abandon;
    return operation;
}

/* Submit an operation that may be NULL, for a command whose texts it takes over. */
static enum vm_status submit_command(struct vm_ctx *ctx, struct io_child_operation *operation, struct nb_buf *words,
                                     struct nb_buf *environment)
{
    bool room = operation != NULL && !words->failed && !environment->failed;

    if (!room) {
        nb_buf_done(words);
        nb_buf_done(environment);
        if (operation != NULL)
            free_operation(&operation->operation);
        return VM_NOMEM;
    }
    operation->words = *words;
    operation->environment = *environment;
    return io_submit(ctx, &operation->operation);
}

enum vm_status io_child_start(struct vm_ctx *ctx, struct nb_buf *words, struct nb_buf *environment)
{
    return submit_command(ctx, new_operation(begin_start, abandon_nothing), words, environment);
}

enum vm_status io_child_run(struct vm_ctx *ctx, struct nb_buf *words, struct nb_buf *environment, size_t most)
{
    struct io_child_operation *operation = new_operation(begin_run, abandon_run);

    if (operation != NULL)
        operation->most = most;
    return submit_command(ctx, operation, words, environment);
}

/* Submit an operation that may be NULL on a child, whose reference it takes over. */
static enum vm_status submit_for(struct vm_ctx *ctx, struct io_child_operation *operation, struct io_child *child)
{
    if (operation == NULL) {
        io_handle_unref(&child->handle);
        return VM_NOMEM;
    }
    operation->child = child;
    return io_submit(ctx, &operation->operation);
}

enum vm_status io_child_wait(struct vm_ctx *ctx, struct io_child *child)
{
    return submit_for(ctx, new_operation(begin_wait, abandon_wait), child);
}

enum vm_status io_child_kill(struct vm_ctx *ctx, struct io_child *child)
{
    return submit_for(ctx, new_operation(begin_kill, abandon_wait), child);
}

struct io_child_operation *io_child_result(const struct vm_ctx *ctx)
{
    struct io_operation *operation = io_operation_of(ctx);

    return operation != NULL && io_is_done(operation) ? (struct io_child_operation *)operation : NULL;
}
