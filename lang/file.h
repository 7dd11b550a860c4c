/*
 * file.h - reading source files and finding them in folders.
 */
#ifndef LANG_FILE_H
#define LANG_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct nb_arena;

enum {
    NS_FILE_BYTES_MAX = 16 << 20, /* larger source files are refused */
    NS_FILES_MAX = 10000,         /* of one folder */
    NS_FOLDER_DEPTH_MAX = 64,
};

bool ns_file_exists(const char *path); /* as a regular file */
bool ns_folder_exists(const char *path);

/**
 * Read a file.
 *
 * ret_text  receives the bytes and a NUL, in the arena
 *
 * Returns NULL, or what went wrong in words ("No such file or directory"; static or in the arena).
 */
const char *ns_file_read(struct nb_arena *arena, const char *path, char **ret_text, size_t *ret_length);

/** The paths of a folder's source files. */
struct ns_file_list {
    const char **paths; /* relative to the folder: "main.nos", "net/http.nos"; in the arena */
    size_t count;
};

/**
 * Find all .nos files below a folder, sorted by path. Folders called .nostos and links to folders are left out.
 *
 * Returns NULL, or what went wrong in words (in the arena).
 */
const char *ns_file_find(struct nb_arena *arena, const char *folder, struct ns_file_list *ret_files);

#endif
