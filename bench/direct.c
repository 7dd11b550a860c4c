/*
 * direct.c - the yardstick: libmicrohttpd answering inside its callback, on one thread.
 *
 *     direct PORT [BURN_US]
 *
 * No language, no ring, no scheduler: what remains is what the library and the kernel cost. What takes BURN_US
 * microseconds of computation on an idle machine stands for a handler's work: so much work, not so much time, for with
 * all cores busy the same work takes everybody longer.
 */
#include "config.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static uint64_t burn_rounds;

static void burn(uint64_t rounds)
{
    static volatile uint64_t sum;

    for (uint64_t i = 0; i < rounds; i++)
        sum += i % 7;
}

/* How many rounds take a microsecond when nobody disturbs: by the fastest of many samples. */
static uint64_t rounds_per_us(void)
{
    enum { SAMPLES = 50, ROUNDS = 1000 * 1000 };
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < SAMPLES; i++) {
        uint64_t began = nb_clock_ns(), took;

        burn(ROUNDS);
        took = nb_clock_ns() - began;
        least = took < least ? took : least;
    }
    return UINT64_C(1000) * ROUNDS / least;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_bytes, void **request)
{
    static char body[] = "Hello, world!\n";
    struct MHD_Response *response;
    enum MHD_Result result;

    (void)context, (void)url, (void)method, (void)version, (void)upload;
    if (*request == NULL) {
        *request = body; /* the first call is for the headers alone */
        return MHD_YES;
    }
    *upload_bytes = 0;
    burn(burn_rounds);
    response = MHD_create_response_from_buffer(sizeof body - 1, body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "text/plain");
    result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

int main(int argc, char **argv)
{
    struct MHD_Daemon *daemon;
    struct pollfd wait = { .events = POLLIN };

    if (argc < 2) {
        fputs("usage: direct PORT [BURN_US]\n", stderr);
        return EXIT_FAILURE;
    }
    burn_rounds = argc > 2 ? strtoull(argv[2], NULL, 10) * rounds_per_us() : 0;
    daemon = MHD_start_daemon(MHD_USE_EPOLL, (uint16_t)atoi(argv[1]), NULL, NULL, answer, NULL,
                              MHD_OPTION_CONNECTION_LIMIT, 20000u, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)8192,
                              MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "direct: cannot listen on port %s\n", argv[1]);
        return EXIT_FAILURE;
    }
    wait.fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    for (;;) {
        MHD_UNSIGNED_LONG_LONG ms;
        int timeout = MHD_get_timeout(daemon, &ms) == MHD_YES && ms < 1000 ? (int)ms : 1000;

        (void)poll(&wait, 1, timeout);
        do
            (void)MHD_run_wait(daemon, 0);
        while (poll(&wait, 1, 0) > 0);
    }
}
