/*
 * client.c - an HTTP client for tests that says exactly which bytes go when, which curl does not.
 *
 *     raw PORT TEXT [MS]         send TEXT (\r \n \0 \xHH are understood), print what comes until the end, or for MS
 *     slow PORT TEXT             the same, then "closed after N ms" or "still open after N ms"
 *     half PORT TEXT             as raw, but say that nothing more is to come once TEXT is sent
 *     drip PORT N PATH           post a body of N bytes, head and body byte by byte; print what comes
 *     burst PORT N PATH          N open connections ask at the same instant; "N answered in M ms"
 *     idle PORT N MS             hold N connections open and idle for MS; "N of N open"
 *     abort PORT N PATH          N times: ask, reset the connection at once
 *     leave PORT N MS PATH       N connections ask, wait for MS, and reset the connection
 *     farewell PORT N TEXT       N connections send TEXT and, in the same segment, that they have closed
 *     sip PORT N MS PATH BYTES   N connections ask and read nothing for MS; then the last one reads until its end, or so
 *                                many bytes: "N of N open, R bytes came"
 *     load PORT N MS PATH        N connections keep asking for MS, or until ten were answered if that takes longer;
 *                                they reconnect when told to close; "R answered, F failed"; ends early, without a
 *                                failure, when nobody listens any more
 *     fresh PORT N MS PATH       the same with a new connection for each request, and whoever is refused has failed
 *     free_port FIRST            print the first port from there on at which one can listen
 *     notify 0 PATH              receive what is sent to the datagram socket PATH, a line for each, until killed
 *
 * Ends with 0 when it could do what it was asked, whatever the server answered.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    PATIENCE_MS = 60000,
    ANSWER_BYTES = 1 << 20,
    LOAD_ANSWER_BYTES = 4096,
    LOAD_LEAST = 10, /* answers: a busy machine gets time for so many */
    EXIT_USAGE = 2
};

static int port;

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void die(const char *what)
{
    printf("client: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* A connection, or -errno. Many of them to one port need several source addresses: `number` chooses one. */
static int try_connect(int number)
{
    struct sockaddr_in from = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (unsigned)number / 20000) };
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0)
        die("socket");
    setsockopt(fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &on, sizeof on);
    if (number >= 20000)
        bind(fd, (struct sockaddr *)&from, sizeof from);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

static int must_connect(int number)
{
    int fd = try_connect(number);

    if (fd < 0) {
        errno = -fd;
        die("connect");
    }
    return fd;
}

static void send_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

        if (sent <= 0)
            return; /* the server closed: what it said is read afterwards */
        bytes += sent;
        length -= (size_t)sent;
    }
}

/* Text of the command line as bytes. Returns their number. */
static size_t unescape(const char *text, char *out)
{
    size_t length = 0;
    unsigned hex;

    for (; *text != '\0'; text++) {
        if (*text != '\\' || text[1] == '\0') {
            out[length++] = *text;
            continue;
        }
        text++;
        if (*text == 'x' && sscanf(text + 1, "%2x", &hex) == 1) {
            out[length++] = (char)hex;
            text += 2;
        } else {
            out[length++] = *text == 'r' ? '\r' : *text == 'n' ? '\n' : *text == '0' ? '\0' : *text;
        }
    }
    return length;
}

static void say(int fd, const char *text)
{
    char *bytes = malloc(strlen(text) + 1);

    send_all(fd, bytes, unescape(text, bytes));
    free(bytes);
}

/* Print what comes until the end. False when the time is over first. */
static bool print_until_end(int fd, long until_ms)
{
    static char bytes[ANSWER_BYTES];

    for (;;) {
        struct pollfd wanted = { .fd = fd, .events = POLLIN };
        long left_ms = until_ms - now_ms();
        ssize_t got;

        if (left_ms <= 0 || poll(&wanted, 1, (int)left_ms) == 0)
            return false;
        got = recv(fd, bytes, sizeof bytes, 0);
        if (got <= 0)
            return true;
        fwrite(bytes, 1, (size_t)got, stdout);
        fflush(stdout);
    }
}

static int run_raw(char **arguments, int count)
{
    int fd = must_connect(0);

    say(fd, arguments[0]);
    print_until_end(fd, now_ms() + (count > 1 ? atol(arguments[1]) : PATIENCE_MS));
    return EXIT_SUCCESS;
}

static int run_half(char **arguments, int count)
{
    int fd = must_connect(0);

    (void)count;
    say(fd, arguments[0]);
    shutdown(fd, SHUT_WR);
    print_until_end(fd, now_ms() + PATIENCE_MS);
    return EXIT_SUCCESS;
}

static int run_free_port(char **arguments, int count)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    const int on = 1;
    bool bound = false;

    (void)arguments, (void)count;
    for (; !bound && port <= UINT16_MAX; port += !bound) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        address.sin_port = htons((uint16_t)port);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0;
        close(fd);
    }
    printf("%d\n", port);
    return bound ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What a service manager hears. */
static int run_notify(char **arguments, int count)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    char message[4096];
    ssize_t got;

    (void)count;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", arguments[0]);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("bind");
    while ((got = recv(fd, message, sizeof message, 0)) > 0) {
        fwrite(message, 1, (size_t)got, stdout);
        putchar('\n');
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}

static int run_slow(char **arguments, int count)
{
    int fd = must_connect(0);
    long began_ms = now_ms();
    bool closed;

    (void)count;
    say(fd, arguments[0]);
    closed = print_until_end(fd, began_ms + PATIENCE_MS);
    printf("\n%s after %ld ms\n", closed ? "closed" : "still open", now_ms() - began_ms);
    return EXIT_SUCCESS;
}

/* ---- one keep-alive connection that asks and listens ---- */

struct asker {
    int fd;
    char answer[LOAD_ANSWER_BYTES];
    size_t length;
};

static void ask(struct asker *asker, const char *path)
{
    char request[512];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);

    asker->length = 0;
    asker->answer[0] = '\0';
    send_all(asker->fd, request, (size_t)length);
}

/* Whether a whole answer is there. */
static bool is_complete(const struct asker *asker)
{
    const char *end = strstr(asker->answer, "\r\n\r\n"), *length = strstr(asker->answer, "Content-Length: ");

    if (end == NULL)
        return false;
    return length == NULL || asker->length >= (size_t)(end + 4 - asker->answer) + strtoul(length + 16, NULL, 10);
}

/* Take what is there. Returns 1 when the answer is whole, 0 when more is to come, -1 at the end. */
static int listen_on(struct asker *asker)
{
    ssize_t got =
        recv(asker->fd, asker->answer + asker->length, sizeof asker->answer - 1 - asker->length, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        return -1;
    asker->length += (size_t)got;
    asker->answer[asker->length] = '\0';
    return is_complete(asker);
}

static int run_burst(char **arguments, int count)
{
    int wanted = atoi(arguments[0]), answered = 0;
    struct asker *askers = calloc((size_t)wanted, sizeof *askers);
    struct pollfd *polls = calloc((size_t)wanted, sizeof *polls);
    long began_ms, end_ms;

    (void)count;
    for (int i = 0; i < wanted; i++)
        askers[i].fd = must_connect(i);
    usleep(100000); /* let them all be accepted */
    began_ms = now_ms();
    end_ms = began_ms + PATIENCE_MS;
    for (int i = 0; i < wanted; i++) {
        ask(&askers[i], arguments[1]);
        polls[i] = (struct pollfd){ .fd = askers[i].fd, .events = POLLIN };
    }
    while (answered < wanted && now_ms() < end_ms && poll(polls, (nfds_t)wanted, 1000) >= 0) {
        for (int i = 0; i < wanted; i++) {
            if (polls[i].revents == 0 || listen_on(&askers[i]) == 0)
                continue;
            answered += is_complete(&askers[i]) && strncmp(askers[i].answer, "HTTP/1.1 200", 12) == 0;
            polls[i].fd = -1;
            polls[i].revents = 0;
            end_ms = is_complete(&askers[i]) ? end_ms : 0;
        }
    }
    printf("%d answered in %ld ms\n", answered, now_ms() - began_ms);
    free(askers);
    free(polls);
    return EXIT_SUCCESS;
}

static int run_idle(char **arguments, int count)
{
    int wanted = atoi(arguments[0]), still_open = 0;
    int *fds = calloc((size_t)wanted, sizeof *fds);
    char byte;

    (void)count;
    for (int i = 0; i < wanted; i++)
        fds[i] = must_connect(i);
    printf("%d connected\n", wanted);
    fflush(stdout);
    usleep((useconds_t)atol(arguments[1]) * 1000);
    for (int i = 0; i < wanted; i++)
        still_open += recv(fds[i], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
    printf("%d of %d open\n", still_open, wanted);
    free(fds);
    return EXIT_SUCCESS;
}

static int run_abort(char **arguments, int count)
{
    const struct linger reset = { .l_onoff = 1 };

    (void)count;
    for (int i = 0; i < atoi(arguments[0]); i++) {
        struct asker asker = { .fd = must_connect(0) };

        ask(&asker, arguments[1]);
        usleep((useconds_t)(i % 10) * 300);
        setsockopt(asker.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(asker.fd);
    }
    return EXIT_SUCCESS;
}

static int run_leave(char **arguments, int count)
{
    const struct linger reset = { .l_onoff = 1 };
    int wanted = atoi(arguments[0]);
    struct asker *askers = calloc((size_t)wanted, sizeof *askers);

    (void)count;
    for (int i = 0; i < wanted; i++) {
        askers[i].fd = must_connect(i);
        ask(&askers[i], arguments[2]);
    }
    usleep((useconds_t)atol(arguments[1]) * 1000);
    for (int i = 0; i < wanted; i++) {
        setsockopt(askers[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(askers[i].fd);
    }
    free(askers);
    return EXIT_SUCCESS;
}

static int run_farewell(char **arguments, int count)
{
    char *bytes = malloc(strlen(arguments[1]) + 1);
    size_t length = unescape(arguments[1], bytes);

    (void)count;
    for (int i = 0; i < atoi(arguments[0]); i++) {
        int fd = must_connect(0);

        (void)!send(fd, bytes, length, MSG_NOSIGNAL | MSG_MORE); /* waits for what comes with it */
        close(fd);
    }
    free(bytes);
    return EXIT_SUCCESS;
}

static bool is_open(int fd)
{
    struct pollfd wanted = { .fd = fd };

    return poll(&wanted, 1, 0) == 0; /* neither POLLHUP nor POLLERR */
}

static int run_sip(char **arguments, int count)
{
    const int small = 4096;
    int wanted = atoi(arguments[0]), open = 0;
    struct asker *askers = calloc((size_t)wanted, sizeof *askers);
    static char bytes[ANSWER_BYTES];
    long came = 0;
    ssize_t got;

    (void)count;
    for (int i = 0; i < wanted; i++) {
        askers[i].fd = must_connect(i);
        setsockopt(askers[i].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        ask(&askers[i], arguments[2]);
    }
    usleep((useconds_t)atol(arguments[1]) * 1000);
    for (int i = 0; i < wanted; i++)
        open += is_open(askers[i].fd);
    while (open == wanted && came < atol(arguments[3]) &&
           (got = recv(askers[wanted - 1].fd, bytes, sizeof bytes, 0)) > 0)
        came += got;
    printf("%d of %d open, %ld bytes came\n", open, wanted, came);
    free(askers);
    return EXIT_SUCCESS;
}

static int run_drip(char **arguments, int count)
{
    const int on = 1;
    int fd = must_connect(0);
    char head[512];

    (void)count;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %s\r\n\r\n",
             arguments[1], arguments[0]);
    for (const char *at = head; *at != '\0'; at++)
        send_all(fd, at, 1);
    for (int i = atoi(arguments[0]); i > 0; i--)
        send_all(fd, "x", 1);
    print_until_end(fd, now_ms() + PATIENCE_MS);
    return EXIT_SUCCESS;
}

/* ---- load ---- */

struct load {
    const char *path;
    long answered, failed;
    bool nobody_listens;
    bool fresh; /* a new connection for each request; all must succeed */
};

static void connect_asker(struct load *load, struct asker *asker)
{
    asker->fd = try_connect(0);
    asker->length = 0;
    if (asker->fd < 0 && load->fresh) {
        load->failed++;
        return;
    }
    if (asker->fd < 0) {
        load->nobody_listens = true;
        return;
    }
    ask(asker, load->path);
}

/* A connection that ends before the first byte of an answer was perhaps being closed, idle, while we asked: HTTP says
 * ask again. But an answer that breaks off, or is none, is a failure. */
static void take_end(struct load *load, struct asker *asker)
{
    load->failed += asker->length > 0 || load->fresh;
    close(asker->fd);
    connect_asker(load, asker);
}

static void take_answer(struct load *load, struct asker *asker)
{
    bool ok = strncmp(asker->answer, "HTTP/1.1 200", 12) == 0;

    load->answered += ok;
    load->failed += !ok;
    if (!load->fresh && strstr(asker->answer, "Connection: close") == NULL) {
        ask(asker, load->path);
        return;
    }
    close(asker->fd);
    connect_asker(load, asker);
}

/* Start those again whose connection was refused. */
static void connect_refused(struct load *load, struct asker *askers, int count)
{
    for (int i = 0; i < count && load->fresh; i++) {
        if (askers[i].fd < 0)
            connect_asker(load, &askers[i]);
    }
}

static int load(char **arguments, bool fresh)
{
    int connections = atoi(arguments[0]), open = connections;
    long end_ms = now_ms() + atol(arguments[1]), latest_ms = end_ms + PATIENCE_MS;
    struct load load = { .path = arguments[2], .fresh = fresh };
    struct asker *askers = calloc((size_t)connections, sizeof *askers);
    struct pollfd *polls = calloc((size_t)connections, sizeof *polls);

    for (int i = 0; i < connections; i++)
        connect_asker(&load, &askers[i]);
    while (open > 0 && (now_ms() < end_ms || (load.answered < LOAD_LEAST && now_ms() < latest_ms))) {
        connect_refused(&load, askers, connections);
        open = fresh;
        for (int i = 0; i < connections; i++) {
            polls[i] = (struct pollfd){ .fd = askers[i].fd, .events = POLLIN };
            open += askers[i].fd >= 0;
        }
        if (poll(polls, (nfds_t)connections, 100) <= 0)
            continue;
        for (int i = 0; i < connections; i++) {
            int heard = polls[i].revents != 0 && askers[i].fd >= 0 ? listen_on(&askers[i]) : 0;

            if (heard < 0)
                take_end(&load, &askers[i]);
            else if (heard > 0)
                take_answer(&load, &askers[i]);
        }
    }
    printf("%ld answered, %ld failed%s\n", load.answered, load.failed,
           load.nobody_listens ? ", nobody listens any more" : "");
    free(askers);
    free(polls);
    return EXIT_SUCCESS;
}

static int run_load(char **arguments, int count)
{
    (void)count;
    return load(arguments, false);
}

static int run_fresh(char **arguments, int count)
{
    (void)count;
    return load(arguments, true);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int least;
        int (*run)(char **arguments, int count);
    } commands[] = {
        { "raw", 1, run_raw },   { "slow", 1, run_slow },   { "burst", 2, run_burst },
        { "idle", 2, run_idle }, { "abort", 2, run_abort }, { "load", 3, run_load },
        { "half", 1, run_half }, { "notify", 1, run_notify }, { "fresh", 3, run_fresh },
        { "leave", 3, run_leave },  { "farewell", 2, run_farewell },
        { "sip", 4, run_sip },      { "drip", 2, run_drip },
        { "free_port", 0, run_free_port },
    };
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    for (size_t i = 0; argc >= 3 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) != 0 || argc - 3 < commands[i].least)
            continue;
        port = atoi(argv[2]);
        return commands[i].run(argv + 3, argc - 3);
    }
    fputs("usage: see the head of client.c\n", stderr);
    return EXIT_USAGE;
}
