/*
 * status.c - what `nostosctl status` prints.
 */
#include "config.h"

#include "server/status.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "scheduler/sched.h"
#include "server/app.h"
#include "server/memory.h"
#include "server/runtime.h"

#define NS_PER_S UINT64_C(1000000000)
#define BYTES_PER_MIB (1024.0 * 1024.0)

static void describe_http(const struct srv_status *status, struct nb_buf *out)
{
    struct srv_stats stats;

    srv_runtime_stats(status->runtime, &stats);
    nb_buf_printf(out,
                  "requests: %" PRIu64 " received, %" PRIu64 " open; answered 1xx %" PRIu64 ", 2xx %" PRIu64
                  ", 3xx %" PRIu64 ", 4xx %" PRIu64 ", 5xx %" PRIu64 "\n",
                  stats.requests, stats.requests_now, stats.answers[1], stats.answers[2], stats.answers[3],
                  stats.answers[4], stats.answers[5]);
    nb_buf_printf(out,
                  "troubles: %" PRIu64 " queue full, %" PRIu64 " past their deadline, %" PRIu64
                  " handlers died, %" PRIu64 " too large, %" PRIu64 " clients gone\n",
                  stats.queue_full, stats.deadlines, stats.died, stats.too_large, stats.gone);
    nb_buf_printf(out,
                  "connections: %" PRIu64 " open, %" PRIu64 " since the start; %" PRIu64 " times one was suspended\n",
                  stats.connections_now, stats.connections, stats.suspended);
    nb_buf_printf(out,
                  "large answers: %.1f MiB wait for their clients; %" PRIu64 " became 503, %" PRIu64
                  " clients hung up on\n",
                  (double)stats.unsent_bytes / BYTES_PER_MIB, stats.unsent_full, stats.hung_up);
}

static void describe_scheduler(const struct srv_status *status, struct nb_buf *out)
{
    double seconds = (double)(nb_clock_ns() - status->started_ns) / (double)NS_PER_S;
    struct sched_stats stats;

    sched_get_stats(status->sched, SCHED_ALL_WORKERS, &stats);
    nb_buf_printf(out,
                  "scheduler: %u workers, %.1f %% busy; %" PRIu64 " processes started, %" PRIu64 " alive, %" PRIu64
                  " runnable; %" PRIu64 " slices, %" PRIu64 " stolen\n",
                  sched_worker_count(status->sched),
                  100.0 * (double)stats.busy_ns / (double)NS_PER_S / seconds / sched_worker_count(status->sched),
                  stats.spawned, stats.spawned - stats.exited, stats.queued, stats.slices, stats.steals);
}

void srv_status_describe(const struct srv_status *status, struct nb_buf *out)
{
    nb_buf_printf(out, "nostosd: up for %" PRIu64 " s, process %d\n", (nb_clock_ns() - status->started_ns) / NS_PER_S,
                  (int)getpid());
    nb_buf_printf(out, "memory: %.1f MiB resident\n", (double)srv_memory_resident() / BYTES_PER_MIB);
    nb_buf_text(out, "apps: ");
    srv_apps_summary(status->apps, out);
    nb_buf_byte(out, '\n');
    describe_http(status, out);
    describe_scheduler(status, out);
}
