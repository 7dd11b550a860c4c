/*
 * descriptors.c - see descriptors.h.
 */
#include "config.h"

#include "server/descriptors.h"

#include <inttypes.h>
#include <sys/resource.h>

#include "base/log.h"

enum { RESERVED = 200 }; /* for other things than connections */

void srv_descriptors_raise(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int64_t most_connections(const struct conf *conf)
{
    int64_t most = conf->listener_defaults.connections_max;

    for (size_t i = 0; i < conf->listener_count; i++) {
        if (conf->listeners[i].connections_max > most)
            most = conf->listeners[i].connections_max;
    }
    return most;
}

void srv_descriptors_check(const struct conf *conf)
{
    static int64_t told; /* there is one limit in a program */
    int64_t most = most_connections(conf);
    struct rlimit limit;

    if (most == told || getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
        (uint64_t)most + RESERVED <= limit.rlim_cur)
        return;
    told = most;
    nb_log_warn("daemon.few_descriptors",
                "connections_max=%" PRId64 " descriptors=%" PRIu64
                " advice=\"raise LimitNOFILE= of the unit (ulimit -Hn elsewhere), or lower connections_max\"",
                most, (uint64_t)limit.rlim_cur);
}
