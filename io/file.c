/*
 * file.c - whole files.
 *
 * Reading asks for the size first and then for one byte more than that: an ordinary file takes one read() for its
 * bytes and one that finds the end. Files whose size is not known (pipes, /proc) grow the buffer as they come.
 * Opening never waits (O_NONBLOCK), and who reads a pipe or a terminal waits for more without keeping a thread.
 */
#include "config.h"

#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

enum { READ_LEAST = 4096 };

/* ---- blocking ---- */

static struct io_file_status status_of(const struct stat *stat)
{
    return (struct io_file_status){
        .kind = S_ISREG(stat->st_mode)   ? IO_FILE_REGULAR
                : S_ISDIR(stat->st_mode) ? IO_FILE_DIRECTORY
                                         : IO_FILE_OTHER,
        .bytes = (uint64_t)stat->st_size,
        .modified_ns = (int64_t)stat->st_mtim.tv_sec * 1000000000 + stat->st_mtim.tv_nsec,
    };
}

int io_file_status_now(const char *path, struct io_file_status *ret_status)
{
    struct stat stat;

    if (fstatat(AT_FDCWD, path, &stat, 0) < 0)
        return -errno;
    *ret_status = status_of(&stat);
    return 0;
}

/* A file that is being read. */
struct io_reading {
    int fd;
    char *data; /* NULL before the first byte */
    size_t length, capacity;
};

static void end_reading(struct io_reading *reading)
{
    if (reading->fd >= 0)
        close(reading->fd);
    nb_free(reading->data);
    *reading = (struct io_reading){ .fd = -1 };
}

static int begin_reading(struct io_reading *reading, const char *path, size_t most)
{
    struct stat stat;

    *reading = (struct io_reading){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) };
    if (reading->fd < 0 || fstat(reading->fd, &stat) < 0)
        return -errno;
    if (S_ISDIR(stat.st_mode))
        return -EISDIR;
    if ((uint64_t)stat.st_size > most)
        return -EFBIG;
    reading->capacity = stat.st_size > READ_LEAST ? (size_t)stat.st_size + 1 : READ_LEAST;
    reading->data = nb_alloc(reading->capacity);
    return reading->data == NULL ? -ENOMEM : 0;
}

/* Make room for more in a buffer that is full. */
static int grow(struct io_reading *reading)
{
    char *bigger;

    if (reading->capacity > SIZE_MAX / 2)
        return -ENOMEM;
    bigger = nb_realloc_array(reading->data, reading->capacity * 2, 1);
    if (bigger == NULL)
        return -ENOMEM;
    reading->data = bigger;
    reading->capacity *= 2;
    return 0;
}

/* Nothing came. A pipe whose writer is yet to come says so, too, and is not at its end. */
static int end_or_later(int fd)
{
    struct pollfd wanted = { .fd = fd, .events = POLLIN };

    return poll(&wanted, 1, 0) == 0 ? -EAGAIN : 0;
}

/* Read to the end. -EAGAIN: no further now. */
static int read_on(struct io_reading *reading, size_t most)
{
    ssize_t got;
    int r;

    for (;;) {
        if (reading->length == reading->capacity) {
            r = grow(reading);
            if (r < 0)
                return r;
        }
        got = read(reading->fd, reading->data + reading->length, reading->capacity - reading->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : end_or_later(reading->fd);
        reading->length += (size_t)got;
        if (reading->length > most)
            return -EFBIG;
    }
}

/* The bytes that were read, if there are any, are the caller's. */
static void take_bytes(struct io_reading *reading, char **ret_data, size_t *ret_length)
{
    *ret_length = reading->length;
    if (reading->length == 0)
        return;
    *ret_data = reading->data;
    reading->data = NULL;
}

int io_file_read_now(const char *path, size_t most, char **ret_data, size_t *ret_length)
{
    struct io_reading reading;
    int r = begin_reading(&reading, path, most);

    if (r == 0)
        r = read_on(&reading, most);
    if (r == -EAGAIN)
        r = 0;
    if (r == 0)
        take_bytes(&reading, ret_data, ret_length);
    end_reading(&reading);
    return r;
}

/* ---- parking ---- */

/* An operation, and what it needs while it waits for a pipe. */
struct parked {
    struct io_file file;
    struct io_reading reading;
};

static struct io_file *file_of(struct io_operation *operation)
{
    return (struct io_file *)operation;
}

/* Have the work done again when there is more. */
static int wait_for_more(struct io_operation *operation, int fd)
{
    operation->wait_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    operation->wait_events = POLLIN;
    return operation->wait_fd < 0 ? -errno : 0;
}

static void do_read(struct io_operation *operation)
{
    struct io_reading *reading = &((struct parked *)operation)->reading;
    struct io_file *file = file_of(operation);
    int r = -operation->wait_error;

    if (file->error != 0)
        return;
    if (r == 0 && reading->fd < 0)
        r = begin_reading(reading, file->path, file->most);
    if (r == 0)
        r = read_on(reading, file->most);
    if (r == 0)
        take_bytes(reading, &file->data, &file->length);
    file->error = -(r == -EAGAIN ? wait_for_more(operation, reading->fd) : r);
}

static void do_status(struct io_operation *operation)
{
    struct io_file *file = file_of(operation);

    if (file->error == 0)
        file->error = -io_file_status_now(file->path, &file->status);
}

static void free_file(struct io_operation *operation)
{
    struct io_file *file = file_of(operation);

    end_reading(&((struct parked *)operation)->reading);
    nb_free(file->path);
    nb_free(file->data);
    nb_free(file);
}

/* NULL without memory. */
static struct io_operation *new_file(const char *path, size_t length, size_t most,
                                     void (*work)(struct io_operation *operation))
{
    struct parked *parked = nb_alloc_zero(sizeof *parked);
    struct io_file *file = &parked->file;

    if (parked == NULL)
        return NULL;
    parked->reading.fd = -1;
    io_operation_init(&file->operation, work, free_file);
    file->path = nb_strndup(path, length);
    if (file->path == NULL) {
        nb_free(parked);
        return NULL;
    }
    file->most = most;
    if (memchr(path, '\0', length) != NULL)
        file->error = EINVAL;
    return &file->operation;
}

enum vm_status io_file_read(struct vm_ctx *ctx, const char *path, size_t length, size_t most)
{
    return io_submit(ctx, new_file(path, length, most, do_read));
}

enum vm_status io_file_status(struct vm_ctx *ctx, const char *path, size_t length)
{
    return io_submit(ctx, new_file(path, length, 0, do_status));
}

struct io_file *io_file_result(const struct vm_ctx *ctx)
{
    struct io_operation *operation = io_operation_of(ctx);

    return operation != NULL && io_is_done(operation) ? file_of(operation) : NULL;
}
