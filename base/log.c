/* log.c - levels, and fields: put into a line so that nothing is forged, and taken out of it again. */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log_queue.h"

static _Atomic(nb_log_sink *) sink = nb_log_to_text;
static atomic_int level_most = NB_LOG_INFO;
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

void nb_log_quote(struct nb_buf *out, const char *text)
{
    nb_log_quote_bytes(out, text, strlen(text));
}

void nb_log_quote_bytes(struct nb_buf *out, const char *bytes, size_t length)
{
    size_t start = 0; /* of what stays as it is and is not in `out` yet */

    nb_buf_byte(out, '"');
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '"' && bytes[i] != '\\' && bytes[i] != '\0')
            continue;
        nb_buf_append(out, bytes + start, i - start);
        nb_buf_text(out, bytes[i] == '"' ? "\\\"" : bytes[i] == '\\' ? "\\\\" : "\xef\xbf\xbd");
        start = i + 1;
    }
    nb_buf_append(out, bytes + start, length - start);
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

void nb_log_give(const struct nb_log_line *lines, size_t count)
{
    atomic_load(&sink)(lines, count);
}

static void put(enum nb_log_level level, const char *event, const char *format, va_list arguments)
{
    struct nb_log_line line = { level, nb_clock_wall_ms(), event, NULL };
    struct nb_buf fields = NB_BUF_INIT;

    nb_buf_vprintf(&fields, format, arguments);
    line.fields = nb_buf_cstr(&fields);
    nb_log_queue_put(&line);
    nb_buf_done(&fields);
}

/* The sinks of our own wait for nobody (log_stderr.c); what others wait for only the writer is to find out. */
static bool sink_may_hang(void)
{
    nb_log_sink *current = atomic_load(&sink);

    return current != nb_log_to_text && current != nb_log_to_json;
}

void nb_log_at(enum nb_log_level level, const char *event, const char *format, ...)
{
    int error = errno; /* logging is no reason to lose it */
    va_list arguments;

    if (!nb_log_is_on(level))
        return;
    va_start(arguments, format);
    put(level, event, format, arguments);
    va_end(arguments);
    if (sink_may_hang())
        nb_log_queue_write_later();
    else
        nb_log_queue_write();
    errno = error;
}

void nb_log_soon(enum nb_log_level level, const char *event, const char *format, ...)
{
    int error = errno;
    va_list arguments;

    if (!nb_log_is_on(level))
        return;
    va_start(arguments, format);
    put(level, event, format, arguments);
    va_end(arguments);
    nb_log_queue_write_later();
    errno = error;
}
