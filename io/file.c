/*
 * file.c - whole files.
 *
 * Reading asks for the size first and then for one byte more than that: an ordinary file takes one read() for its
 * bytes and one that finds the end. Files whose size is not known (pipes, /proc) grow the buffer as they come.
 * Opening never waits (O_NONBLOCK), so a pipe without a writer cannot keep a thread of the pool for ever.
 */
#include "config.h"

#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
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

/* Make room for more in a buffer that is full. */
static int grow(char **data, size_t *capacity)
{
    char *bigger;

    if (*capacity > SIZE_MAX / 2)
        return -ENOMEM;
    bigger = nb_realloc_array(*data, *capacity * 2, 1);
    if (bigger == NULL)
        return -ENOMEM;
    *data = bigger;
    *capacity *= 2;
    return 0;
}

/* Read to the end. On failure *data is still the caller's. */
static int read_all(int fd, size_t most, char **data, size_t capacity, size_t *ret_length)
{
    size_t length = 0;
    ssize_t got;
    int r;

    for (;;) {
        if (length == capacity) {
            r = grow(data, &capacity);
            if (r < 0)
                return r;
        }
        got = read(fd, *data + length, capacity - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        length += (size_t)got;
        if (length > most)
            return -EFBIG;
    }
    *ret_length = length;
    return 0;
}

static int read_open(int fd, size_t most, char **ret_data, size_t *ret_length)
{
    struct stat stat;
    size_t capacity;
    char *data;
    int r;

    if (fstat(fd, &stat) < 0)
        return -errno;
    if (S_ISDIR(stat.st_mode))
        return -EISDIR;
    if ((uint64_t)stat.st_size > most)
        return -EFBIG;
    capacity = stat.st_size > READ_LEAST ? (size_t)stat.st_size + 1 : READ_LEAST;
    data = nb_alloc(capacity);
    if (data == NULL)
        return -ENOMEM;
    r = read_all(fd, most, &data, capacity, ret_length);
    if (r < 0 || *ret_length == 0) {
        nb_free(data);
        data = NULL;
    }
    if (r == 0)
        *ret_data = data;
    return r;
}

int io_file_read_now(const char *path, size_t most, char **ret_data, size_t *ret_length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r;

    if (fd < 0)
        return -errno;
    r = read_open(fd, most, ret_data, ret_length);
    close(fd);
    return r;
}

/* ---- parking ---- */

static struct io_file *file_of(struct io_operation *operation)
{
    return (struct io_file *)operation;
}

static void do_read(struct io_operation *operation)
{
    struct io_file *file = file_of(operation);

    if (file->error == 0)
        file->error = -io_file_read_now(file->path, file->most, &file->data, &file->length);
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

    nb_free(file->path);
    nb_free(file->data);
    nb_free(file);
}

/* NULL without memory. */
static struct io_operation *new_file(const char *path, size_t length, size_t most,
                                     void (*work)(struct io_operation *operation))
{
    struct io_file *file = nb_alloc_zero(sizeof *file);

    if (file == NULL)
        return NULL;
    io_operation_init(&file->operation, work, free_file);
    file->path = nb_strndup(path, length);
    if (file->path == NULL) {
        nb_free(file);
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
