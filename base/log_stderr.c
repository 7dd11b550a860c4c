/*
 * log_stderr.c - the sinks that write to stderr: lines for people, lines of JSON.
 *
 * Line breaks inside fields are written as \n: one event, one line. Lines that come together are put together and
 * written in pieces of whole lines, so that those of several programs never mix, not even on a pipe.
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

typedef void composer(struct nb_buf *text, const struct nb_log_line *line);

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

/* How much to write at once: whole lines, or a piece of one that is longer. */
static size_t piece_of(const char *bytes, size_t length)
{
    const char *end;

    if (length <= PIPE_BUF)
        return length;
    end = memrchr(bytes, '\n', PIPE_BUF);
    return end != NULL ? (size_t)(end + 1 - bytes) : PIPE_BUF;
}

/* All of it. Returns how much of it could be written, with errno if that is less. */
static size_t write_bytes(const char *bytes, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t written = -1;

        errno = EAGAIN;
        if (has_room())
            written = write(STDERR_FILENO, bytes + done, piece_of(bytes + done, length - done));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    return done;
}

static unsigned long count_lines(const char *bytes, size_t length)
{
    unsigned long lines = 0;

    for (const char *end; (end = memchr(bytes, '\n', length)) != NULL; lines++) {
        length -= (size_t)(end + 1 - bytes);
        bytes = end + 1;
    }
    return lines;
}

/* Returns how many lines could not be written, with errno. */
static unsigned long write_lines(const struct nb_buf *text)
{
    size_t done;

    if (text->failed || text->length == 0)
        return 0; /* memory is what is missing, not a place for them */
    if (trouble.torn && write_bytes("\n", 1) == 0)
        return count_lines(text->data, text->length);
    trouble.torn = false;
    done = write_bytes(text->data, text->length);
    trouble.torn = done > 0 && text->data[done - 1] != '\n';
    return count_lines(text->data + done, text->length - done);
}

/* Say how many lines were lost, if any were. False when that cannot be written either. */
static bool tell_trouble(composer *compose)
{
    struct nb_log_line line = { NB_LOG_WARN, nb_clock_wall_ms(), "log.lost", NULL };
    struct nb_buf fields = NB_BUF_INIT, text = NB_BUF_INIT;

    if (trouble.lost == 0)
        return true;
    nb_buf_printf(&fields, "lines=%lu error=\"%s\"", trouble.lost,
                  trouble.error == EAGAIN ? "nobody reads the log" : strerror(trouble.error));
    line.fields = nb_buf_cstr(&fields);
    compose(&text, &line);
    if (write_lines(&text) == 0)
        trouble.lost = 0;
    nb_buf_done(&text);
    nb_buf_done(&fields);
    return trouble.lost == 0;
}

static void put(composer *compose, const struct nb_log_line *lines, size_t count)
{
    struct nb_buf text = NB_BUF_INIT;
    unsigned long lost;

    for (size_t i = 0; i < count; i++)
        compose(&text, &lines[i]);
    pthread_mutex_lock(&stderr_lock);
    lost = tell_trouble(compose) ? write_lines(&text) : count;
    if (lost > 0)
        trouble.error = errno;
    trouble.lost += lost;
    pthread_mutex_unlock(&stderr_lock);
    nb_buf_done(&text);
}

/* ---- for people ---- */

static size_t plain_length(const char *text)
{
    size_t length = 0;

    while ((unsigned char)text[length] >= 0x20 && text[length] != 0x7f)
        length++;
    return length;
}

/* Append text with its control characters as \n, \t, \x1b. */
static void escape(struct nb_buf *out, const char *text)
{
    for (;;) {
        size_t plain = plain_length(text);
        unsigned char byte = (unsigned char)text[plain];

        nb_buf_append(out, text, plain);
        if (byte == '\0')
            return;
        if (byte == '\n')
            nb_buf_text(out, "\\n");
        else if (byte == '\t')
            nb_buf_text(out, "\\t");
        else
            nb_buf_printf(out, "\\x%02x", byte);
        text += plain + 1;
    }
}

static void compose_text(struct nb_buf *text, const struct nb_log_line *line)
{
    bool colour = isatty(STDERR_FILENO);

    nb_buf_text(text, colour ? levels[line->level].colour : "");
    nb_buf_text(text, levels[line->level].name);
    nb_buf_text(text, colour ? "\033[0m " : " ");
    nb_buf_text(text, line->event);
    if (line->fields[0] != '\0')
        nb_buf_byte(text, ' ');
    escape(text, line->fields);
    nb_buf_byte(text, '\n');
}

void nb_log_to_text(const struct nb_log_line *lines, size_t count)
{
    put(compose_text, lines, count);
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

static void json_time(struct nb_buf *out, int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    nb_buf_printf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                  utc.tm_hour, utc.tm_min, utc.tm_sec, (int)(time_ms % 1000));
}

static void compose_json(struct nb_buf *text, const struct nb_log_line *line)
{
    struct nb_buf key = NB_BUF_INIT, value = NB_BUF_INIT;
    const char *fields = line->fields;

    nb_buf_text(text, "{\"time\":");
    json_time(text, line->time_ms);
    nb_buf_printf(text, ",\"level\":\"%s\",\"event\":", levels[line->level].name);
    json_text(text, line->event);
    while (nb_log_next_field(&fields, &key, &value)) {
        nb_buf_byte(text, ',');
        json_text(text, nb_buf_cstr(&key));
        nb_buf_byte(text, ':');
        json_text(text, nb_buf_cstr(&value));
    }
    nb_buf_text(text, "}\n");
    nb_buf_done(&value);
    nb_buf_done(&key);
}

void nb_log_to_json(const struct nb_log_line *lines, size_t count)
{
    put(compose_json, lines, count);
}
