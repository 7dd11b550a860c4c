/*
 * log_stderr.c - the sinks that write to stderr: lines for people, lines of JSON.
 *
 * A line is put together first and written under a lock, so lines of several threads never mix, not even on a pipe.
 * Line breaks inside fields are written as \n: one event, one line.
 *
 * Nobody is to wait for a log for long. What cannot be written (the disk is full, nobody reads the pipe any more) is
 * lost; how many lines that were is told by the first that gets through again. A pipe's reader has STUCK_MS to make
 * room; after that nobody waits for it again until it does. A pipe that has room takes PIPE_BUF bytes without blocking,
 * so it is not given more at once.
 */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

enum { STUCK_MS = 1000 };

typedef void composer(struct nb_buf *line, enum nb_log_level level, const char *event, const char *fields);

static pthread_mutex_t stderr_lock = PTHREAD_MUTEX_INITIALIZER;
/* Under the lock. */
static struct {
    unsigned long lost; /* lines since the last that was written */
    int error;          /* why */
    bool stuck;         /* whoever reads makes no room */
    bool torn;          /* a line was begun and could not be finished */
} trouble;

static const struct {
    const char *name;
    const char *colour; /* of a terminal */
} levels[] = {
    [NB_LOG_ERROR] = { "error", "\033[1;31m" },
    [NB_LOG_WARN] = { "warn", "\033[33m" },
    [NB_LOG_INFO] = { "info", "\033[32m" },
    [NB_LOG_DEBUG] = { "debug", "\033[2m" },
};

/* ---- writing; under the lock ---- */

/* Whether stderr has room, or soon has. What is no pipe always says so. */
static bool has_room(void)
{
    struct pollfd wanted = { .fd = STDERR_FILENO, .events = POLLOUT };
    int ready;

    while ((ready = poll(&wanted, 1, trouble.stuck ? 0 : STUCK_MS)) < 0 && errno == EINTR)
        ;
    trouble.stuck = ready == 0;
    return ready > 0;
}

/* All of it. Returns how much of it could be written, with errno if that is less. */
static size_t write_bytes(const char *bytes, size_t length)
{
    size_t done = 0;

    while (done < length) {
        size_t piece = length - done < PIPE_BUF ? length - done : PIPE_BUF;
        ssize_t written = -1;

        errno = EAGAIN;
        if (has_room())
            written = write(STDERR_FILENO, bytes + done, piece);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    return done;
}

static bool write_line(const struct nb_buf *line)
{
    size_t done;

    if (line->failed)
        return true; /* memory is what is missing, not a place for it */
    if (trouble.torn && write_bytes("\n", 1) == 0)
        return false;
    trouble.torn = false;
    done = write_bytes(line->data, line->length);
    trouble.torn = done > 0 && done < line->length;
    return done == line->length;
}

/* Say how many lines were lost, if any were. False when that cannot be written either. */
static bool tell_trouble(composer *compose)
{
    struct nb_buf fields = NB_BUF_INIT, line = NB_BUF_INIT;
    bool told;

    if (trouble.lost == 0)
        return true;
    nb_buf_printf(&fields, "lines=%lu error=\"%s\"", trouble.lost,
                  trouble.error == EAGAIN ? "nobody reads the log" : strerror(trouble.error));
    compose(&line, NB_LOG_WARN, "log.lost", nb_buf_cstr(&fields));
    told = write_line(&line);
    if (told)
        trouble.lost = 0;
    nb_buf_done(&line);
    nb_buf_done(&fields);
    return told;
}

static void put(composer *compose, enum nb_log_level level, const char *event, const char *fields)
{
    struct nb_buf line = NB_BUF_INIT;

    compose(&line, level, event, fields);
    pthread_mutex_lock(&stderr_lock);
    if (!tell_trouble(compose) || !write_line(&line)) {
        trouble.error = errno;
        trouble.lost++;
    }
    pthread_mutex_unlock(&stderr_lock);
    nb_buf_done(&line);
}

/* ---- for people ---- */

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

static void compose_text(struct nb_buf *line, enum nb_log_level level, const char *event, const char *fields)
{
    bool colour = isatty(STDERR_FILENO);

    nb_buf_printf(line, "%s%s%s %s", colour ? levels[level].colour : "", levels[level].name, colour ? "\033[0m" : "",
                  event);
    if (fields[0] != '\0')
        nb_buf_byte(line, ' ');
    escape(line, fields);
    nb_buf_byte(line, '\n');
}

void nb_log_to_text(enum nb_log_level level, const char *event, const char *fields)
{
    put(compose_text, level, event, fields);
}

/* ---- JSON ---- */

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

static void compose_json(struct nb_buf *line, enum nb_log_level level, const char *event, const char *fields)
{
    struct nb_buf key = NB_BUF_INIT, value = NB_BUF_INIT;

    nb_buf_text(line, "{\"time\":");
    json_time(line);
    nb_buf_printf(line, ",\"level\":\"%s\",\"event\":", levels[level].name);
    json_text(line, event);
    while (nb_log_next_field(&fields, &key, &value)) {
        nb_buf_byte(line, ',');
        json_text(line, nb_buf_cstr(&key));
        nb_buf_byte(line, ':');
        json_text(line, nb_buf_cstr(&value));
    }
    nb_buf_text(line, "}\n");
    nb_buf_done(&value);
    nb_buf_done(&key);
}

void nb_log_to_json(enum nb_log_level level, const char *event, const char *fields)
{
    put(compose_json, level, event, fields);
}
