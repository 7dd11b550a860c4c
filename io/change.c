/*
 * change.c - changes to files and folders, done by the pool.
 *
 * Files are opened without waiting (O_NONBLOCK), so that a pipe nobody reads cannot keep a thread of the pool for ever.
 */
#include "config.h"

#include "io/change.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"

enum { FILE_MODE = 0666, FOLDER_MODE = 0777, TREE_DESCRIPTORS = 16, COPY_BYTES = 65536 };

/* ---- blocking; each answers 0 or a positive errno ---- */

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);

        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

/* Close a file that was written to: the last chance to hear of a full disk. */
static int close_written(int fd, int error)
{
    return close(fd) < 0 && error == 0 ? errno : error;
}

static int write_file(const char *path, int how, const char *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | how, FILE_MODE);

    if (fd < 0)
        return errno;
    return close_written(fd, write_all(fd, bytes, length));
}

static int copy_bytes(int from, int to, size_t *ret_length)
{
    char part[COPY_BYTES];
    int error = 0;

    while (error == 0) {
        ssize_t got = read(from, part, sizeof part);

        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return errno;
        if (got > 0) {
            error = write_all(to, part, (size_t)got);
            *ret_length += (size_t)got;
        }
    }
    return error;
}

static int copy_open(int from, const char *to_path, size_t *ret_length)
{
    struct stat stat;
    int to;

    if (fstat(from, &stat) < 0)
        return errno;
    if (S_ISDIR(stat.st_mode))
        return EISDIR;
    to = open(to_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, stat.st_mode & FOLDER_MODE);
    if (to < 0)
        return errno;
    return close_written(to, copy_bytes(from, to, ret_length));
}

static int copy_file(const char *path, const char *to_path, size_t *ret_length)
{
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error;

    if (from < 0)
        return errno;
    error = copy_open(from, to_path, ret_length);
    close(from);
    return error;
}

static int make_folder(const char *path)
{
    return mkdir(path, FOLDER_MODE) < 0 ? errno : 0;
}

/* A folder, or EEXIST where something else is in the way. */
static int make_or_keep(const char *path)
{
    int error = make_folder(path);
    struct stat stat_of;

    if (error != EEXIST)
        return error;
    return stat(path, &stat_of) == 0 && S_ISDIR(stat_of.st_mode) ? 0 : EEXIST;
}

/* Each leading part in turn; the path is changed meanwhile. */
static int make_folders(char *path)
{
    int error;

    if (path[0] == '\0')
        return ENOENT;
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        error = make_or_keep(path);
        *slash = '/';
        if (error != 0)
            return error;
    }
    return make_or_keep(path);
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *place)
{
    (void)stat;
    (void)kind;
    (void)place;
    return remove(path) < 0 ? errno : 0;
}

static int remove_tree(const char *path)
{
    struct stat stat;
    int r;

    if (lstat(path, &stat) < 0)
        return errno;
    if (!S_ISDIR(stat.st_mode))
        return ENOTDIR;
    r = nftw(path, remove_one, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
    return r < 0 ? errno : r;
}

static int list_folder(const char *path, char **ret_names, size_t *ret_length)
{
    struct nb_buf names = NB_BUF_INIT;
    const struct dirent *entry;
    DIR *folder = opendir(path);

    if (folder == NULL)
        return errno;
    while ((entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            nb_buf_append(&names, entry->d_name, strlen(entry->d_name) + 1);
    closedir(folder);
    if (names.failed) {
        nb_buf_done(&names);
        return ENOMEM;
    }
    *ret_length = names.length;
    *ret_names = names.length > 0 ? nb_buf_take(&names) : NULL;
    return 0;
}

static int perform(struct io_change *change)
{
    switch (change->kind) {
    case IO_CHANGE_WRITE:
        return write_file(change->path, O_TRUNC, change->other, change->other_length);
    case IO_CHANGE_APPEND:
        return write_file(change->path, O_APPEND, change->other, change->other_length);
    case IO_CHANGE_REMOVE:
        return unlink(change->path) < 0 ? errno : 0;
    case IO_CHANGE_RENAME:
        return rename(change->path, change->other) < 0 ? errno : 0;
    case IO_CHANGE_COPY:
        return copy_file(change->path, change->other, &change->length);
    case IO_CHANGE_MAKE_FOLDER:
        return make_folder(change->path);
    case IO_CHANGE_MAKE_FOLDERS:
        return make_folders(change->path);
    case IO_CHANGE_REMOVE_FOLDER:
        return rmdir(change->path) < 0 ? errno : 0;
    case IO_CHANGE_REMOVE_TREE:
        return remove_tree(change->path);
    case IO_CHANGE_LIST:
        return list_folder(change->path, &change->names, &change->length);
    }
    return ENOSYS;
}

/* ---- parking ---- */

static void do_change(struct io_operation *operation)
{
    struct io_change *change = (struct io_change *)operation;

    if (change->error == 0)
        change->error = perform(change);
}

static void free_change(struct io_operation *operation)
{
    struct io_change *change = (struct io_change *)operation;

    nb_free(change->path);
    nb_free(change->other);
    nb_free(change->names);
    nb_free(change);
}

static bool other_is_a_path(enum io_change_kind kind)
{
    return kind == IO_CHANGE_RENAME || kind == IO_CHANGE_COPY;
}

enum vm_status io_change(struct vm_ctx *ctx, enum io_change_kind kind, const char *path, size_t length,
                         const char *other, size_t other_length)
{
    struct io_change *change = nb_alloc_zero(sizeof *change);

    if (change == NULL)
        return VM_NOMEM;
    io_operation_init(&change->operation, do_change, free_change);
    change->kind = kind;
    change->path = nb_memdup(path, length);
    change->other = nb_memdup(other, other_length);
    change->other_length = other_length;
    if (change->path == NULL || change->other == NULL) {
        free_change(&change->operation);
        return VM_NOMEM;
    }
    if (memchr(path, '\0', length) != NULL || (other_is_a_path(kind) && memchr(other, '\0', other_length) != NULL))
        change->error = EINVAL;
    return io_submit(ctx, &change->operation);
}

struct io_change *io_change_result(const struct vm_ctx *ctx)
{
    struct io_operation *operation = io_operation_of(ctx);

    return operation != NULL && io_is_done(operation) ? (struct io_change *)operation : NULL;
}
