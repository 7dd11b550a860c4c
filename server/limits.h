/* limits.h - what one listener allows its clients. Filled from nostosd.conf, or srv_limits_default() in plain runs. */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct srv_limits {
    char address[64];                /* numeric, to listen on */
    uint32_t connections_max;        /* open at a time */
    uint32_t connections_per_ip_max; /* from one address; 0: no limit of its own */
    uint32_t header_max_bytes;       /* request line and headers; more: 431 */
    uint64_t body_max_bytes;         /* more: 413 */
    uint32_t header_timeout_ms;      /* from a request's first line until its headers are complete */
    uint32_t body_timeout_ms;        /* longest pause in a body */
    uint32_t idle_timeout_ms;        /* between two requests of a connection */
    uint32_t request_deadline_ms;    /* then 504; 0: none */
    uint32_t queue_max;              /* requests waiting to be accepted; more: 503 */
    uint32_t retry_after_seconds;    /* told with that 503 */
    uint64_t unsent_max_bytes;       /* memory of large answers that clients are slow to take (unsent.h); 0: no limit */
    bool access_log;                 /* a log line for each answered request */
};

/** What holds without configuration. */
void srv_limits_default(struct srv_limits *limits);

#endif
