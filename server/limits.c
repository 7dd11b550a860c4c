/* limits.c - the limits of a listener when no configuration says otherwise (the same figures as in conf/keys.def). */
#include "config.h"

#include "server/limits.h"

#include <string.h>

void srv_limits_default(struct srv_limits *limits)
{
    *limits = (struct srv_limits){
        .connections_max = 20000,
        .header_max_bytes = 8192,
        .body_max_bytes = 8 * 1024 * 1024,
        .header_timeout_ms = 10000,
        .body_timeout_ms = 30000,
        .idle_timeout_ms = 60000,
        .request_deadline_ms = 60000,
        .queue_max = 1024,
        .retry_after_seconds = 1,
        .unsent_max_bytes = UINT64_C(512) * 1024 * 1024,
    };
    memcpy(limits->address, "0.0.0.0", sizeof "0.0.0.0");
}
