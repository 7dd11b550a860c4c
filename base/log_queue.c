/*
 * log_queue.c - see log_queue.h.
 *
 * One buffer is filled while the other is written; the lock is held for the copying of a line and for their exchange,
 * never while somebody writes. So a worker that logs waits for no reader of the log, and whoever has nothing to lose
 * (nb_log_soon) leaves even the writing to a thread. That one takes a nap after each batch, so that under load a few
 * hundred lines make one write and nobody needs to wake it.
 *
 * Is the queue full, whoever comes writes himself. When the sink is stuck with another thread he waits for room, once
 * for STUCK_MS, and not again before there was some.
 *
 * What waits when the program aborts is written by nb_log_last_words(), without memory and past the sink.
 */
#include "config.h"

#include "base/log_queue.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum {
    QUEUE_BYTES = 1 << 20,
    KEPT_BYTES = 1 << 16, /* a larger buffer gives its memory back */
    BATCH = 64,
    ROUNDS = 2, /* who logs a line of his own writes no more than this of others' */
    STUCK_MS = 1000,
    NAP_US = 5000
};

/* A line in a buffer; its fields with their NUL follow, up to the next multiple of eight. */
struct record {
    enum nb_log_level level;
    uint32_t fields_bytes;
    int64_t time_ms;
    const char *event;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t needed = PTHREAD_COND_INITIALIZER;
/* Under the lock. */
static struct {
    struct nb_buf waiting;
    bool writing; /* somebody has taken what waited before, and comes back for more */
    bool stuck;   /* nobody made room in time */
    unsigned long lost;
    bool runs, awake, stops; /* the writer */
} queue;
static struct nb_buf taken; /* by who writes */
static pthread_t writer;

/* ---- filling ---- */

static size_t record_bytes(size_t fields_bytes)
{
    return (sizeof(struct record) + fields_bytes + 7) & ~(size_t)7;
}

/* Under the lock. False without memory. */
static bool append(const struct nb_log_line *line)
{
    struct record record = { line->level, (uint32_t)strlen(line->fields) + 1, line->time_ms, line->event };
    size_t bytes = record_bytes(record.fields_bytes);
    char *to;

    if (!nb_buf_reserve(&queue.waiting, bytes)) {
        queue.waiting.failed = false;
        return false;
    }
    to = queue.waiting.data + queue.waiting.length;
    memcpy(to, &record, sizeof record);
    memcpy(to + sizeof record, line->fields, record.fields_bytes);
    queue.waiting.length += bytes;
    return true;
}

/* Say that lines were lost. Under the lock. */
static void append_lost(int64_t time_ms)
{
    struct nb_log_line line = { NB_LOG_WARN, time_ms, "log.lost", NULL };
    struct nb_buf fields = NB_BUF_INIT;

    nb_buf_printf(&fields, "lines=%lu error=\"nobody takes the log\"", queue.lost);
    line.fields = nb_buf_cstr(&fields);
    if (append(&line))
        queue.lost = 0;
    nb_buf_done(&fields);
}

/* Whether there is no room for another line, but may be soon. */
static bool is_to_wait(void)
{
    bool full;

    pthread_mutex_lock(&lock);
    full = queue.waiting.length >= QUEUE_BYTES;
    queue.stuck &= full;
    full &= !queue.stuck;
    pthread_mutex_unlock(&lock);
    return full;
}

static void give_up(void)
{
    pthread_mutex_lock(&lock);
    queue.stuck = true;
    pthread_mutex_unlock(&lock);
}

/* Room for one more, if it takes waiting for it. */
static void make_room(void)
{
    uint64_t until_ns = nb_clock_ns() + (uint64_t)STUCK_MS * 1000000;

    for (nb_log_queue_write(); is_to_wait(); nb_log_queue_write()) {
        if (nb_clock_ns() > until_ns)
            give_up();
        else
            usleep(1000);
    }
}

void nb_log_queue_put(const struct nb_log_line *line)
{
    pthread_mutex_lock(&lock);
    if (queue.waiting.length >= QUEUE_BYTES) {
        pthread_mutex_unlock(&lock);
        make_room();
        pthread_mutex_lock(&lock);
    }
    if (queue.waiting.length >= QUEUE_BYTES) {
        queue.lost++;
    } else {
        if (queue.lost > 0)
            append_lost(line->time_ms);
        if (!append(line))
            queue.lost++;
    }
    pthread_mutex_unlock(&lock);
}

/* ---- writing ---- */

/* The line of the record at `bytes`; returns the record's length. */
static size_t take_record(const char *bytes, struct nb_log_line *line)
{
    struct record record;

    memcpy(&record, bytes, sizeof record);
    *line = (struct nb_log_line){ record.level, record.time_ms, record.event, bytes + sizeof record };
    return record_bytes(record.fields_bytes);
}

static void hand_out(const struct nb_buf *records)
{
    struct nb_log_line lines[BATCH];
    size_t count = 0;

    for (size_t at = 0; at < records->length;) {
        at += take_record(records->data + at, &lines[count++]);
        if (count == BATCH || at == records->length) {
            nb_log_give(lines, count);
            count = 0;
        }
    }
}

/* Take what waits; what a crowd has left behind in memory goes. Under the lock. */
static void exchange(void)
{
    struct nb_buf empty = taken;

    nb_buf_clear(&empty);
    if (empty.capacity > KEPT_BYTES) {
        nb_buf_done(&empty);
        empty = NB_BUF_INIT;
    }
    taken = queue.waiting;
    queue.waiting = empty;
}

/* Under the lock. */
static void wake_writer(void)
{
    if (queue.awake)
        return;
    queue.awake = true;
    pthread_cond_signal(&needed);
}

/* Write what waits and what comes meanwhile; `rounds` at the most if there is a writer for the rest. */
static void write_out(unsigned rounds)
{
    pthread_mutex_lock(&lock);
    if (queue.writing) {
        pthread_mutex_unlock(&lock);
        return;
    }
    queue.writing = true;
    while (queue.waiting.length > 0 && (rounds > 0 || !queue.runs)) {
        exchange();
        pthread_mutex_unlock(&lock);
        hand_out(&taken);
        pthread_mutex_lock(&lock);
        rounds -= rounds > 0;
    }
    queue.writing = false;
    if (queue.waiting.length > 0)
        wake_writer();
    pthread_mutex_unlock(&lock);
}

void nb_log_queue_write(void)
{
    write_out(ROUNDS);
}

/* ---- the writer ---- */

static void *writer_main(void *closure)
{
    (void)closure;
    pthread_mutex_lock(&lock);
    while (!queue.stops) {
        if (queue.waiting.length == 0) {
            queue.awake = false;
            pthread_cond_wait(&needed, &lock);
            queue.awake = true;
            continue;
        }
        pthread_mutex_unlock(&lock);
        nb_log_queue_write();
        usleep(NAP_US);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

void nb_log_queue_write_later(void)
{
    bool runs;

    pthread_mutex_lock(&lock);
    runs = queue.runs;
    if (runs)
        wake_writer();
    pthread_mutex_unlock(&lock);
    if (!runs)
        nb_log_queue_write();
}

void nb_log_start_writer(void)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_mutex_lock(&lock);
    queue.stops = false;
    queue.awake = true;
    queue.runs = pthread_create(&writer, NULL, writer_main, NULL) == 0; /* else each line is written at once */
    pthread_mutex_unlock(&lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void nb_log_stop_writer(void)
{
    bool ran;

    pthread_mutex_lock(&lock);
    ran = queue.runs;
    queue.runs = false;
    queue.stops = true;
    pthread_cond_signal(&needed);
    pthread_mutex_unlock(&lock);
    if (ran)
        pthread_join(writer, NULL);
    nb_log_queue_write();
}

/* ---- the end ---- */

static void write_plainly(const struct nb_buf *records)
{
    for (size_t at = 0; at < records->length;) {
        struct nb_log_line line;

        at += take_record(records->data + at, &line);
        const struct iovec parts[] = {
            { (void *)(uintptr_t)line.event, strlen(line.event) },
            { (void *)(uintptr_t)" ", 1 },
            { (void *)(uintptr_t)line.fields, strlen(line.fields) },
            { (void *)(uintptr_t)"\n", 1 },
        };

        if (writev(STDERR_FILENO, parts, sizeof parts / sizeof *parts) < 0)
            return;
    }
}

/* Take the lock when nobody writes, or when time is over: the one that ends may be the one that writes. */
static bool lock_at_last(void)
{
    for (unsigned ms = 0; ms < STUCK_MS; ms++) {
        if (pthread_mutex_trylock(&lock) == 0) {
            if (!queue.writing)
                return true;
            pthread_mutex_unlock(&lock);
        }
        usleep(1000);
    }
    return pthread_mutex_trylock(&lock) == 0;
}

void nb_log_last_words(void)
{
    if (!lock_at_last())
        return;
    write_plainly(&queue.waiting);
    nb_buf_clear(&queue.waiting);
    pthread_mutex_unlock(&lock);
}
