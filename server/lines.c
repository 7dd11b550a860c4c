/*
 * lines.c - whole lines, the usual case, take no lock unless a piece of one is waiting.
 */
#include "config.h"

#include "server/lines.h"

#include "base/log.h"

enum { LINE_MAX_BYTES = 8192 };

void srv_lines_init(struct srv_lines *lines, const char *app)
{
    *lines = (struct srv_lines){ .app = app, .text = NB_BUF_INIT };
    pthread_mutex_init(&lines->lock, NULL);
}

static void log_line(const struct srv_lines *lines, bool error, const char *text, size_t length)
{
    struct nb_buf quoted = NB_BUF_INIT;

    nb_log_quote_bytes(&quoted, text, length);
    nb_log_soon(error ? NB_LOG_WARN : NB_LOG_INFO, "app.print", "app=%s text=%s", lines->app, nb_buf_cstr(&quoted));
    nb_buf_done(&quoted);
}

/* Under the lock. */
static void finish(struct srv_lines *lines)
{
    if (!atomic_load(&lines->pending))
        return;
    log_line(lines, lines->error, nb_buf_cstr(&lines->text), lines->text.length);
    nb_buf_done(&lines->text);
    lines->text = (struct nb_buf)NB_BUF_INIT;
    atomic_store(&lines->pending, false);
}

void srv_lines_print(struct srv_lines *lines, uint64_t pid, bool error, bool newline, const char *text, size_t length)
{
    if (newline && !atomic_load(&lines->pending)) {
        log_line(lines, error, text, length);
        return;
    }
    pthread_mutex_lock(&lines->lock);
    if (lines->pid != pid || lines->error != error)
        finish(lines);
    lines->pid = pid;
    lines->error = error;
    if (newline || length > 0) {
        nb_buf_append(&lines->text, text, length);
        atomic_store(&lines->pending, true);
    }
    if (newline || lines->text.length > LINE_MAX_BYTES)
        finish(lines);
    pthread_mutex_unlock(&lines->lock);
}

void srv_lines_ended(struct srv_lines *lines, uint64_t pid)
{
    if (!atomic_load(&lines->pending))
        return;
    pthread_mutex_lock(&lines->lock);
    if (lines->pid == pid)
        finish(lines);
    pthread_mutex_unlock(&lines->lock);
}

void srv_lines_done(struct srv_lines *lines)
{
    finish(lines);
    pthread_mutex_destroy(&lines->lock);
}
