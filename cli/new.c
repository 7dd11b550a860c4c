/*
 * new.c - the first two files of a project. nostos.toml comes last: a folder that has one is complete, and left alone.
 */
#include "config.h"
#include "cli/new.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"

static const char main_begin[] = "# In this folder: `nostos .` runs the program, `nostos test .` its tests.\n"
                                 "\n"
                                 "greeting(name) = \"Hello from ${name}!\"\n"
                                 "\n"
                                 "main() = println(greeting(\"";
static const char main_end[] = "\"))\n"
                               "\n"
                               "test_greeting() = assert_eq(greeting(\"here\"), \"Hello from here!\")\n";
static const char toml_begin[] = "[project]\nname = \"";
static const char toml_end[] = "\"\nversion = \"0.1.0\"\n";

/* The last part of a path; NULL if it could not stand in the files as it is. */
static char *name_of(const char *path)
{
    size_t end = strlen(path), start;

    while (end > 0 && path[end - 1] == '/')
        end--;
    for (start = end; start > 0 && path[start - 1] != '/'; start--)
        if (!isalnum((unsigned char)path[start - 1]) && strchr("-_.", path[start - 1]) == NULL)
            return NULL;
    return end == start || path[start] == '.' ? NULL : nb_strndup(path + start, end - start);
}

/* Write a file that was not there: a text before the name, the name, and the text behind. Returns 0, or the errno. */
static int write_new(const char *path, const char *before, const char *name, const char *behind)
{
    FILE *file = fopen(path, "wxe");
    int error = 0;

    if (file == NULL)
        return errno;
    if (fprintf(file, "%s%s%s", before, name, behind) < 0)
        error = errno;
    if (fclose(file) != 0 && error == 0)
        error = errno;
    if (error != 0)
        unlink(path);
    return error;
}

static int failed(const char *path, int error)
{
    fprintf(stderr, "Error: cannot create '%s': %s\n", path, strerror(error));
    return EXIT_FAILURE;
}

static int make(const char *path, const char *name, const char *program, const char *toml)
{
    struct stat st;
    int error;

    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return failed(path, errno);
    if (lstat(toml, &st) == 0)
        return failed(toml, EEXIST);
    error = write_new(program, main_begin, name, main_end);
    if (error != 0 && error != EEXIST)
        return failed(program, error);
    error = write_new(toml, toml_begin, name, toml_end);
    if (error != 0)
        return failed(toml, error);
    printf("Created project '%s'. Run it with: nostos %s\n", name, path);
    return EXIT_SUCCESS;
}

int new_main(const char *path)
{
    struct nb_buf program = NB_BUF_INIT, toml = NB_BUF_INIT;
    NB_CLEANUP(nb_free) char *name = name_of(path);
    int status;

    if (name == NULL) {
        fprintf(stderr, "Error: '%s' cannot be a project's name, which has letters, digits, '-', '_' and '.'\n", path);
        return EXIT_FAILURE;
    }
    nb_buf_printf(&program, "%s/main.nos", path);
    nb_buf_printf(&toml, "%s/nostos.toml", path);
    status = make(path, name, nb_buf_cstr(&program), nb_buf_cstr(&toml));
    nb_buf_done(&program);
    nb_buf_done(&toml);
    return status;
}
