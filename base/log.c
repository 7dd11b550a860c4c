/*
 * log.c - levels, fields, and the sinks that write to stderr.
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
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

static _Atomic(nb_log_sink *) sink = nb_log_to_text;
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

void nb_log_set_sink(nb_log_sink *new_sink)
{
    atomic_store(&sink, new_sink == NULL ? nb_log_to_text : new_sink);
}

void nb_log_set_level(enum nb_log_level most)
{
    atomic_store_explicit(&level_most, (int)most, memory_order_relaxed);
}

bool nb_log_is_on(enum nb_log_level level)
{
    return (int)level <= atomic_load_explicit(&level_most, memory_order_relaxed);
}

/* Append text with its control characters as \n, \t, \x1b. */
static void escape(struct nb_buf *out, const char *text)
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
    nb_log_quote_bytes(out, text, strlen(text));
}

void nb_log_quote_bytes(struct nb_buf *out, const char *bytes, size_t length)
{
    nb_buf_byte(out, '"');
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            nb_buf_byte(out, '\\');
        if (bytes[i] == '\0')
            nb_buf_text(out, "\xef\xbf\xbd");
        else
            nb_buf_byte(out, bytes[i]);
    }
    nb_buf_byte(out, '"');
}

static bool ends_word(char byte)
{
    return byte == '\0' || byte == ' ' || byte == '\n';
}

bool nb_log_next_field(const char **fields, struct nb_buf *key, struct nb_buf *value)
{
    const char *at = *fields;

    nb_buf_clear(key);
    nb_buf_clear(value);
    for (; *at != '\0' && *at != '='; at++) {
        if (ends_word(*at))
            nb_buf_clear(key); /* a word alone, or nothing */
        else
            nb_buf_byte(key, *at);
    }
    if (*at == '\0') {
        *fields = at;
        return false;
    }
    at++;
    if (*at == '"') {
        for (at++; *at != '\0' && *at != '"'; at++) {
            if (*at == '\\' && at[1] != '\0')
                at++;
            nb_buf_byte(value, *at);
        }
        at += *at == '"';
    } else {
        for (; !ends_word(*at); at++)
            nb_buf_byte(value, *at);
    }
    *fields = at;
    return true;
}

/* All of it, unless stderr is gone: there is nobody to tell then. */
static void write_line(const char *bytes, size_t length)
{
    pthread_mutex_lock(&stderr_lock);
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        bytes += written;
        length -= (size_t)written;
    }
    pthread_mutex_unlock(&stderr_lock);
}

void nb_log_to_text(enum nb_log_level level, const char *event, const char *fields)
{
    bool colour = isatty(STDERR_FILENO);
    struct nb_buf line = NB_BUF_INIT;

    nb_buf_printf(&line, "%s%s%s %s", colour ? levels[level].colour : "", levels[level].name, colour ? "\033[0m" : "",
                  event);
    if (fields[0] != '\0')
        nb_buf_byte(&line, ' ');
    escape(&line, fields);
    nb_buf_byte(&line, '\n');
    if (!line.failed)
        write_line(line.data, line.length);
    nb_buf_done(&line);
}

static void json_text(struct nb_buf *out, const char *text)
{
    size_t length = strlen(text);

    nb_buf_byte(out, '"');
    while (length > 0) {
        uint32_t code_point = 0;
        size_t used = nb_utf8_decode(text, length, &code_point);

        if (code_point == '"' || code_point == '\\')
            nb_buf_byte(out, '\\');
        if (code_point < 0x20 || code_point == 0x7f)
            nb_buf_printf(out, "\\u%04x", (unsigned)code_point);
        else
            nb_buf_code_point(out, code_point);
        text += used;
        length -= used;
    }
    nb_buf_byte(out, '"');
}

static void json_time(struct nb_buf *out)
{
    int64_t now_ms = nb_clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    nb_buf_printf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                  utc.tm_hour, utc.tm_min, utc.tm_sec, (int)(now_ms % 1000));
}

void nb_log_to_json(enum nb_log_level level, const char *event, const char *fields)
{
    struct nb_buf line = NB_BUF_INIT, key = NB_BUF_INIT, value = NB_BUF_INIT;

    nb_buf_text(&line, "{\"time\":");
    json_time(&line);
    nb_buf_printf(&line, ",\"level\":\"%s\",\"event\":", levels[level].name);
    json_text(&line, event);
    while (nb_log_next_field(&fields, &key, &value)) {
        nb_buf_byte(&line, ',');
        json_text(&line, nb_buf_cstr(&key));
        nb_buf_byte(&line, ':');
        json_text(&line, nb_buf_cstr(&value));
    }
    nb_buf_text(&line, "}\n");
    if (!line.failed)
        write_line(line.data, line.length);
    nb_buf_done(&value);
    nb_buf_done(&key);
    nb_buf_done(&line);
}

void nb_log_at(enum nb_log_level level, const char *event, const char *format, ...)
{
    int error = errno; /* logging is no reason to lose it */
    nb_log_sink *current = atomic_load(&sink);
    struct nb_buf fields = NB_BUF_INIT;
    va_list arguments;

    if (!nb_log_is_on(level))
        return;
    va_start(arguments, format);
    nb_buf_vprintf(&fields, format, arguments);
    va_end(arguments);
    current(level, event, nb_buf_cstr(&fields));
    nb_buf_done(&fields);
    errno = error;
}
