/*
 * log.c - levels, and the sink that writes to stderr.
 *
 * A line is put together first and written by one call under a lock, so lines of several threads never mix, not
 * even on a pipe. Line breaks inside fields are written as \n: one event, one line.
 */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/buf.h"

static nb_log_sink write_to_stderr;

static _Atomic(nb_log_sink *) sink = write_to_stderr;
static atomic_int level_most = NB_LOG_INFO;
static pthread_mutex_t stderr_lock = PTHREAD_MUTEX_INITIALIZER;

static const struct {
    const char *name;
    const char *colour; /* of a terminal */
} levels[] = {
    [NB_LOG_ERROR] = { "error", "\033[1;31m" },
    [NB_LOG_WARN] = { "warn", "\033[33m" },
    [NB_LOG_INFO] = { "info", "\033[32m" },
    [NB_LOG_DEBUG] = { "debug", "\033[2m" },
};

void nb_log_set_sink(nb_log_sink *new_sink) { atomic_store(&sink, new_sink == NULL ? write_to_stderr : new_sink); }

void nb_log_set_level(enum nb_log_level most) { atomic_store_explicit(&level_most, (int)most, memory_order_relaxed); }

bool nb_log_is_on(enum nb_log_level level)
{
    return (int)level <= atomic_load_explicit(&level_most, memory_order_relaxed);
}

const char *nb_log_level_name(enum nb_log_level level)
{
    nb_assert((size_t)level < sizeof levels / sizeof *levels);
    return levels[level].name;
}

void nb_log_escape(struct nb_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte == '\n')
            nb_buf_text(out, "\\n");
        else if (byte == '\t')
            nb_buf_text(out, "\\t");
        else if (byte < 0x20 || byte == 0x7f)
            nb_buf_printf(out, "\\x%02x", byte);
        else
            nb_buf_byte(out, *text);
    }
}

void nb_log_quote(struct nb_buf *out, const char *text)
{
    nb_buf_byte(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            nb_buf_byte(out, '\\');
        nb_buf_byte(out, *text);
    }
    nb_buf_byte(out, '"');
}

/* All of it, unless stderr is gone: there is nobody to tell then. */
static void write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        bytes += written;
        length -= (size_t)written;
    }
}

static void write_to_stderr(enum nb_log_level level, const char *event, const char *fields)
{
    bool colour = isatty(STDERR_FILENO);
    struct nb_buf line = NB_BUF_INIT;

    nb_buf_printf(&line, "%s%s%s %s", colour ? levels[level].colour : "", levels[level].name, colour ? "\033[0m" : "",
                  event);
    if (fields[0] != '\0')
        nb_buf_byte(&line, ' ');
    nb_log_escape(&line, fields);
    nb_buf_byte(&line, '\n');
    if (!line.failed) {
        pthread_mutex_lock(&stderr_lock);
        write_all(line.data, line.length);
        pthread_mutex_unlock(&stderr_lock);
    }
    nb_buf_done(&line);
}

void nb_log_at(enum nb_log_level level, const char *event, const char *format, ...)
{
    int error = errno; /* logging is no reason to lose it */
    nb_log_sink *write_line = atomic_load(&sink);
    struct nb_buf fields = NB_BUF_INIT;
    va_list arguments;

    if (!nb_log_is_on(level))
        return;
    va_start(arguments, format);
    nb_buf_vprintf(&fields, format, arguments);
    va_end(arguments);
    write_line(level, event, nb_buf_cstr(&fields));
    nb_buf_done(&fields);
    errno = error;
}
