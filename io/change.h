/*
 * change.h - changes to files and folders, and the names in a folder: for a process that parks meanwhile (reactor.h).
 */
#ifndef IO_CHANGE_H
#define IO_CHANGE_H

#include <stddef.h>

#include "io/reactor.h"

enum io_change_kind {
    IO_CHANGE_WRITE,        /* `other` are the bytes: create the file or replace its content */
    IO_CHANGE_APPEND,       /* `other` are the bytes: put them behind the content, creating the file if need be */
    IO_CHANGE_REMOVE,       /* a file */
    IO_CHANGE_RENAME,       /* `other` is the new path; what is there is replaced */
    IO_CHANGE_COPY,         /* `other` is the path of the copy, which is created or replaced */
    IO_CHANGE_MAKE_FOLDER,  /* its parent must exist */
    IO_CHANGE_MAKE_FOLDERS, /* with all its parents; existing ones are fine */
    IO_CHANGE_REMOVE_FOLDER, /* an empty one */
    IO_CHANGE_REMOVE_TREE,  /* a folder with all that is in it; symbolic links are removed, not followed */
    IO_CHANGE_LIST          /* no change: the names in a folder */
};

/** A change that is done. */
struct io_change {
    struct io_operation operation;
    enum io_change_kind kind;
    char *path;        /* nb_alloc'ed, like the others */
    char *other;
    size_t other_length;
    int error;         /* 0 or a positive errno */
    char *names;       /* list: the names, each ended by NUL; NULL when there are none */
    size_t length;     /* list: of names; copy: bytes copied */
};

/**
 * Begin a change for the running process; io_submit() tells what this returns.
 *
 * path    `length` bytes; one with a NUL inside names no file: error EINVAL
 * other   as the kind says; copied. NULL for those that have none
 */
enum vm_status io_change(struct vm_ctx *ctx, enum io_change_kind kind, const char *path, size_t length,
                         const char *other, size_t other_length);
/** The running process's change if it is done, to be given back by io_finish(); NULL while none is. */
struct io_change *io_change_result(const struct vm_ctx *ctx);

#endif
