/*
 * log.h - one event, one line: a stable event name, then key=value pairs.
 *
 *     nb_log_warn("app.deploy_failed", "app=%s errors=%u", name, count);
 *
 * Floors base to io stay silent; server and cli decide and log. The sink is set once at start (stderr
 * by default; journald by systemd/). A value that may hold spaces stands in double quotes; text that strangers
 * choose goes through nb_log_quote() first, so that it cannot pretend to be another field.
 *
 * Lines for stderr are written before the call returns, unless another thread is just writing: then it takes this one
 * as well.
 * Where there may be thousands in a second, nb_log_soon() leaves them to a thread that writes many at once, within
 * milliseconds and in order with all others; whatever ends the program but SIGKILL and a wild pointer has them written.
 * Threads: any. One call is one line, never interleaved. Nobody waits for a log that is not read (log_queue.c).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nb_buf;

enum nb_log_level { NB_LOG_ERROR, NB_LOG_WARN, NB_LOG_INFO, NB_LOG_DEBUG };

struct nb_log_line {
    enum nb_log_level level;
    int64_t time_ms; /* of the call, since 1970 */
    const char *event;
    const char *fields; /* may hold line breaks; a sink that writes lines escapes them */
};
/** Where lines go, one or many at once, by one thread at a time. */
typedef void nb_log_sink(const struct nb_log_line *lines, size_t count);

void nb_log_set_sink(nb_log_sink *sink);       /* NULL: nb_log_to_text */
void nb_log_set_level(enum nb_log_level most); /* NB_LOG_INFO at first */
bool nb_log_is_on(enum nb_log_level level);
void nb_log_at(enum nb_log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The same for what comes often and may be written a little later. */
void nb_log_soon(enum nb_log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Have a thread write what nb_log_soon() leaves it. Without one that writes as nb_log_at() does. */
void nb_log_start_writer(void);
/** End it, when all is written. */
void nb_log_stop_writer(void);
/** Before abort(): write what waits, with nothing but system calls. */
void nb_log_last_words(void);
/** Give lines to the sink. For the queue. */
void nb_log_give(const struct nb_log_line *lines, size_t count);

/** Append text in double quotes; those inside it, and backslashes, get a backslash. */
void nb_log_quote(struct nb_buf *out, const char *text);
/** The same for text that need not end with a NUL. NULs in it become U+FFFD, since lines end there. */
void nb_log_quote_bytes(struct nb_buf *out, const char *bytes, size_t length);
/** Take the next key=value from `*fields`; words without "=" are skipped. Key and value are replaced, quotes undone.
 *  Returns false at the end. For sinks. */
bool nb_log_next_field(const char **fields, struct nb_buf *key, struct nb_buf *value);

/** The sinks to stderr: lines of text (the default), and an object of JSON in each line, with the time. */
void nb_log_to_text(const struct nb_log_line *lines, size_t count);
void nb_log_to_json(const struct nb_log_line *lines, size_t count);

#define nb_log_error(...) nb_log_at(NB_LOG_ERROR, __VA_ARGS__)
#define nb_log_warn(...) nb_log_at(NB_LOG_WARN, __VA_ARGS__)
#define nb_log_info(...) nb_log_at(NB_LOG_INFO, __VA_ARGS__)
#define nb_log_debug(...) nb_log_at(NB_LOG_DEBUG, __VA_ARGS__)

#endif
