/*
 * fuzz_http.c - talks to a real daemon over real connections, several at a time: good requests and mutated ones, in
 * pieces that are cut anywhere, by clients that leave at any moment.
 *
 *     fuzz_http PORT SEED SECONDS [BATCH]
 *
 * A batch is a few connections. The seed and its number determine what they say and how they end. They are done one
 * after the other, from BATCH (0) on, until SECONDS are over, but at least one. What is asked of the daemon, whose app
 * answers 200 with the path and what it has got of the request:
 *   - a connection on which nothing was changed gets all its answers, in order, whatever the others do;
 *   - what a changed one gets begins as an answer does, and no handler fails over it (500);
 *   - behind each batch, a good request on a new connection is answered.
 * Ends with 0 when all is well, else with 1 and what was wrong.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/mutate_http.h"

enum {
    ASKERS_MAX = 12,
    ANSWER_BYTES = 65536, /* of a connection that are looked at */
    PIECE_MAX = 700,
    LINGER_MS = 15,      /* how long a changed one waits for answers, when it does */
    PATIENCE_MS = 60000, /* with good ones */
    SHOWN_BYTES = 400,
    EXIT_USAGE = 2
};

enum ending { CLOSE, RESET, SAY_NO_MORE, LINGER, ENDINGS };

struct asker {
    int fd; /* -1: done */
    bool good;
    enum ending ending;
    struct http_text text;
    size_t sent;
    long until_ms; /* 0 while it has something to send */
    char answer[ANSWER_BYTES + 1];
    size_t length; /* what came, at most ANSWER_BYTES of it */
};

static int port;
static uint64_t seed, batch, bytes_sent, batches, connections;
static struct asker askers[ASKERS_MAX];

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what is wrong ---- */

static void show(const char *what, const char *bytes, size_t length)
{
    printf("%s (%zu bytes): ", what, length);
    for (size_t i = 0; i < length && i < SHOWN_BYTES; i++) {
        if (bytes[i] >= ' ' && bytes[i] < 0x7f)
            putchar(bytes[i]);
        else
            printf("\\x%02x", (unsigned char)bytes[i]);
    }
    putchar('\n');
}

static _Noreturn void fail(const char *what, const struct asker *asker)
{
    printf("fuzz_http: %s; to see it again: fuzz_http PORT %llu 0 %llu\n", what, (unsigned long long)seed,
           (unsigned long long)batch);
    if (asker != NULL) {
        show("sent", asker->text.bytes, asker->sent);
        show("got", asker->answer, asker->length);
    }
    exit(EXIT_FAILURE);
}

/* ---- answers ---- */

/* The answer at `at` of a good connection: 200, and its body begins with the path. Returns where the next one begins, 0
 * when this one is not whole. */
static size_t check_answer(const struct asker *asker, size_t at, unsigned number)
{
    const char *head = asker->answer + at, *end = strstr(head, "\r\n\r\n"), *length = strstr(head, "Content-Length: ");
    char path[32];
    size_t body;

    if (end == NULL)
        return 0;
    if (strncmp(head, "HTTP/1.1 200 ", 13) != 0 || length == NULL || length > end)
        fail("a good request has a strange answer", asker);
    body = (size_t)(end + 4 - asker->answer);
    if (body + strtoul(length + 16, NULL, 10) > asker->length)
        return 0;
    snprintf(path, sizeof path, "/good/%u ", number);
    if (strncmp(asker->answer + body, path, strlen(path)) != 0)
        fail("a good request has the answer of another", asker);
    return body + strtoul(length + 16, NULL, 10);
}

static bool has_all_answers(const struct asker *asker)
{
    size_t at = 0;

    for (unsigned i = 0; i < asker->text.requests; i++) {
        at = check_answer(asker, at, i);
        if (at == 0)
            return false;
    }
    if (at != asker->length)
        fail("more answers than requests", asker);
    return true;
}

static void check_changed(const struct asker *asker)
{
    static const char *const allowed[] = { "HTTP/1.1 100", "HTTP/1.1 200", "HTTP/1.1 4",
                                           "HTTP/1.1 501", "HTTP/1.1 505", "HTTP/1.0 4" };

    if (asker->length < strlen(allowed[0]))
        return;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        if (strncmp(asker->answer, allowed[i], strlen(allowed[i])) == 0)
            return;
    }
    fail("a strange answer", asker);
}

/* ---- one connection ---- */

static void begin(struct asker *asker, uint64_t *random)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    http_good(&asker->text, random);
    asker->good = http_random(random, 4) == 0;
    if (!asker->good)
        http_mutate(&asker->text, random);
    asker->ending = asker->good ? LINGER : (enum ending)http_random(random, ENDINGS);
    asker->sent = asker->length = 0;
    asker->answer[0] = '\0';
    asker->until_ms = 0;
    asker->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (asker->fd < 0 || connect(asker->fd, (struct sockaddr *)&to, sizeof to) < 0)
        fail(strerror(errno), NULL);
    connections++;
}

static void end(struct asker *asker)
{
    const struct linger reset = { .l_onoff = 1 };

    if (!asker->good)
        check_changed(asker);
    else if (!has_all_answers(asker))
        fail("a good connection ended without all answers", asker);
    if (asker->ending == RESET)
        setsockopt(asker->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(asker->fd);
    asker->fd = -1;
}

/* Send another piece. Whoever is not listened to any more has sent all. */
static void send_piece(struct asker *asker, uint64_t *random)
{
    size_t left = asker->text.length - asker->sent;
    size_t length = 1 + http_random(random, http_random(random, 3) == 0 ? 3 : PIECE_MAX);
    bool last = length >= left;
    ssize_t sent = send(asker->fd, asker->text.bytes + asker->sent, last ? left : length,
                        MSG_NOSIGNAL | MSG_DONTWAIT | (last && asker->ending == CLOSE ? MSG_MORE : 0));

    if (sent < 0 && errno == EAGAIN)
        return;
    if (sent < 0 && asker->good)
        fail("a good connection was closed", asker);
    asker->sent += sent < 0 ? 0 : (size_t)sent;
    bytes_sent += sent < 0 ? 0 : (uint64_t)sent;
    if (asker->sent < asker->text.length && sent >= 0)
        return;
    if (asker->ending == SAY_NO_MORE)
        shutdown(asker->fd, SHUT_WR);
    asker->until_ms = now_ms() + (asker->good ? PATIENCE_MS : asker->ending >= SAY_NO_MORE ? LINGER_MS : 0);
}

/* Take what has come. False at the end. */
static bool take(struct asker *asker)
{
    char beyond[4096];
    size_t room = ANSWER_BYTES - asker->length;
    ssize_t got = recv(asker->fd, room > 0 ? asker->answer + asker->length : beyond, room > 0 ? room : sizeof beyond,
                       MSG_DONTWAIT);

    if (got > 0 && room > 0) {
        asker->length += (size_t)got;
        asker->answer[asker->length] = '\0';
    }
    return got > 0 || (got < 0 && errno == EAGAIN);
}

static void step(struct asker *asker, uint64_t *random)
{
    bool open = take(asker);

    if (!open || (asker->until_ms != 0 && (now_ms() >= asker->until_ms || (asker->good && has_all_answers(asker)))))
        end(asker);
    else if (asker->until_ms == 0)
        send_piece(asker, random);
}

/* ---- batches ---- */

static int wait_for_answers(int count)
{
    struct pollfd polls[ASKERS_MAX];

    for (int i = 0; i < count; i++)
        polls[i] = (struct pollfd){ .fd = askers[i].fd, .events = POLLIN };
    return poll(polls, (nfds_t)count, 1);
}

static void run_batch(void)
{
    uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15) + batch;
    int count = 1 + (int)http_random(&random, ASKERS_MAX), open = count;

    for (int i = 0; i < count; i++)
        begin(&askers[i], &random);
    while (open > 0) {
        bool sending = false;

        for (int i = 0; i < count; i++) {
            if (askers[i].fd >= 0 && http_random(&random, 3) != 0)
                step(&askers[i], &random);
        }
        open = 0;
        for (int i = 0; i < count; i++) {
            open += askers[i].fd >= 0;
            sending |= askers[i].fd >= 0 && askers[i].until_ms == 0;
        }
        if (!sending)
            wait_for_answers(count);
    }
}

static void run_good_one(void)
{
    uint64_t random = batch;

    begin(&askers[0], &random);
    askers[0].good = true;
    askers[0].ending = LINGER;
    http_good(&askers[0].text, &random);
    while (askers[0].fd >= 0) {
        step(&askers[0], &random);
        if (askers[0].until_ms != 0 && askers[0].fd >= 0)
            wait_for_answers(1);
    }
}

int main(int argc, char **argv)
{
    long until_ms;

    if (argc < 4) {
        fputs("usage: see the head of fuzz_http.c\n", stderr);
        return EXIT_USAGE;
    }
    port = atoi(argv[1]);
    seed = strtoull(argv[2], NULL, 10);
    batch = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    until_ms = now_ms() + atol(argv[3]) * 1000;
    do {
        run_batch();
        run_good_one();
        batch++;
        batches++;
    } while (now_ms() < until_ms);
    printf("%llu batches, %llu connections, %llu KiB\n", (unsigned long long)batches, (unsigned long long)connections,
           (unsigned long long)bytes_sent / 1024);
    return EXIT_SUCCESS;
}
