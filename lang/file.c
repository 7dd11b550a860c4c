/*
 * file.c - source files.
 *
 * Links to folders are not followed: one that leads back up would never end.
 */
#include "config.h"

#include "lang/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/vec.h"

static bool has_kind(const char *path, mode_t kind)
{
    struct stat status;

    return stat(path, &status) == 0 && (status.st_mode & S_IFMT) == kind;
}

bool ns_file_exists(const char *path) { return has_kind(path, S_IFREG); }
bool ns_folder_exists(const char *path) { return has_kind(path, S_IFDIR); }

static const char *reason(struct nb_arena *arena, int error)
{
    char text[256];

    return nb_arena_printf(arena, "%s", strerror_r(error, text, sizeof text));
}

/* Read until the end of the file or until `room` is full. Returns the bytes read, or -errno. */
static ssize_t read_all(int fd, char *out, size_t room)
{
    size_t length = 0;

    while (length < room) {
        ssize_t got = read(fd, out + length, room - length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

static const char *read_open(struct nb_arena *arena, int fd, char **ret_text, size_t *ret_length)
{
    struct stat status;
    ssize_t length;
    char *text;

    if (fstat(fd, &status) < 0)
        return reason(arena, errno);
    if (!S_ISREG(status.st_mode))
        return "not a regular file";
    if (status.st_size > NS_FILE_BYTES_MAX)
        return "the file is too large (a source file has at most 16 MiB)";
    text = nb_arena_alloc(arena, (size_t)status.st_size + 1);
    length = read_all(fd, text, (size_t)status.st_size);
    if (length < 0)
        return reason(arena, (int)-length);
    text[length] = '\0';
    *ret_text = text;
    *ret_length = (size_t)length;
    return NULL;
}

const char *ns_file_read(struct nb_arena *arena, const char *path, char **ret_text, size_t *ret_length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not make us wait */
    const char *problem;

    if (fd < 0)
        return reason(arena, errno);
    problem = read_open(arena, fd, ret_text, ret_length);
    close(fd);
    return problem;
}

/* ---- folders ---- */

struct finder {
    struct nb_arena *arena;
    const char *folder;
    const char *problem;
    NB_VEC(const char *) paths;
};

static bool is_source_name(const char *name)
{
    size_t length = strlen(name);

    return length > 4 && strcmp(name + length - 4, ".nos") == 0;
}

static void find_in(struct finder *finder, const char *below, unsigned depth);

/* Look at an entry of a folder; `path` is relative to where the search began. */
static void look_at(struct finder *finder, const char *name, const char *path, unsigned depth)
{
    const char *full = nb_arena_printf(finder->arena, "%s/%s", finder->folder, path);
    struct stat status;

    if (lstat(full, &status) < 0)
        return; /* gone meanwhile */
    if (S_ISDIR(status.st_mode)) {
        if (strcmp(name, ".nostos") != 0)
            find_in(finder, path, depth + 1);
        return;
    }
    if (!is_source_name(name) || !ns_file_exists(full))
        return;
    if (finder->paths.count >= NS_FILES_MAX) {
        finder->problem = "too many source files (a folder has at most 10000)";
        return;
    }
    nb_vec_push(&finder->paths, path);
}

static void find_in(struct finder *finder, const char *below, unsigned depth)
{
    const char *full = *below == '\0' ? finder->folder : nb_arena_printf(finder->arena, "%s/%s", finder->folder, below);
    struct dirent *entry;
    DIR *folder;

    if (depth > NS_FOLDER_DEPTH_MAX) {
        finder->problem = "the folders are nested too deeply";
        return;
    }
    folder = opendir(full);
    if (folder == NULL) {
        finder->problem = nb_arena_printf(finder->arena, "%s: %s", full, reason(finder->arena, errno));
        return;
    }
    while (finder->problem == NULL && (entry = readdir(folder)) != NULL) {
        const char *path;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        path = nb_arena_printf(finder->arena, "%s%s%s", below, *below == '\0' ? "" : "/", entry->d_name);
        look_at(finder, nb_arena_strndup(finder->arena, entry->d_name, strlen(entry->d_name)), path, depth);
    }
    closedir(folder);
}

static int compare_paths(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

const char *ns_file_find(struct nb_arena *arena, const char *folder, struct ns_file_list *ret_files)
{
    struct finder finder = { .arena = arena, .folder = folder };

    find_in(&finder, "", 0);
    if (finder.problem == NULL) {
        ret_files->count = finder.paths.count;
        ret_files->paths = nb_arena_array(arena, finder.paths.count + 1, sizeof *ret_files->paths);
        if (finder.paths.count > 0)
            memcpy(ret_files->paths, finder.paths.items, finder.paths.count * sizeof *ret_files->paths);
        qsort(ret_files->paths, ret_files->count, sizeof *ret_files->paths, compare_paths);
    }
    nb_vec_done(&finder.paths);
    return finder.problem;
}
