/*
 * assert.c - the last words of a program whose invariant broke.
 *
 * The line is put together on the stack and written with one system call: the heap may be what is broken.
 */
#include "config.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

enum { LINE_BYTES = 1024 };

static _Thread_local const char *context;

void nb_assert_context(const char *what) { context = what; }

void nb_assert_failed(const char *what, const char *file, int line)
{
    char text[LINE_BYTES];
    int length;

    length = snprintf(text, sizeof text, "%s:%d: assertion failed: %s%s%s (thread %d)\n", file, line, what,
                      context == NULL ? "" : ", in ", context == NULL ? "" : context, (int)gettid());
    if (length >= LINE_BYTES) {
        length = LINE_BYTES - 1;
        text[length - 1] = '\n';
    }
    nb_log_last_words();
    if (length > 0 && write(STDERR_FILENO, text, (size_t)length) < 0) {
        /* Nobody is there to read it; abort() still leaves a core. */
    }
    abort();
}
