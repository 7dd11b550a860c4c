/*
 * lines.h - what an app prints, as lines of the log: pieces without a line end wait for the rest of their line.
 *
 * One unfinished line at a time is kept for each version of an app. It is logged when its process ends the line, prints
 * to the other stream, ends, or has made it too long, and when another process prints: nobody's line gets into another's.
 */
#ifndef SERVER_LINES_H
#define SERVER_LINES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct srv_lines {
    const char *app;      /* its name, by reference */
    pthread_mutex_t lock; /* for what follows */
    uint64_t pid;
    bool error;
    struct nb_buf text;
    _Atomic bool pending; /* there is text */
};

/** `app` is the name that the lines are logged with; it must live as long. */
void srv_lines_init(struct srv_lines *lines, const char *app);
/** Nobody prints any more. */
void srv_lines_done(struct srv_lines *lines);
/** Process `pid` prints a piece, the last of its line if `newline`. Threads: any. */
void srv_lines_print(struct srv_lines *lines, uint64_t pid, bool error, bool newline, const char *text, size_t length);
/** That process has ended: log what it left unfinished. Threads: any. */
void srv_lines_ended(struct srv_lines *lines, uint64_t pid);

#endif
