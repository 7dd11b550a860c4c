/*
 * memory.c - when a peak is over.
 *
 * Three signs that much is free: more is resident than last time by a quarter (processes came and went between two
 * looks, or are still there: then it was in vain, once for each quarter); half of the processes have ended; much is
 * resident, some processes have ended, and a minute has passed (few processes with large heaps).
 */
#include "config.h"

#include "server/memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define NS_PER_S UINT64_C(1000000000)
#define MIB (UINT64_C(1024) * 1024)
enum {
    LOOK_S = 5,
    PATIENCE_S = 60,
    GROWN_MIB = 8,       /* less growth is none … */
    GROWN_PART = 4,      /* … and less than this part of what there was */
    PROCESSES_MANY = 1000,
    RESIDENT_MUCH_MIB = 64
};

uint64_t srv_memory_resident(void)
{
    char text[128];
    uint64_t total, resident;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

    if (fd >= 0)
        close(fd);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    if (sscanf(text, "%" SCNu64 " %" SCNu64, &total, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool much_is_free(const struct srv_memory *memory, uint64_t resident, uint64_t live, uint64_t exited,
                         uint64_t now_ns)
{
    uint64_t growth = memory->kept_bytes / GROWN_PART;

    if (exited == memory->exited)
        return false;
    if (growth < GROWN_MIB * MIB)
        growth = GROWN_MIB * MIB;
    return resident > memory->kept_bytes + growth || (memory->peak >= PROCESSES_MANY && live <= memory->peak / 2) ||
           (resident > RESIDENT_MUCH_MIB * MIB && now_ns - memory->released_ns > PATIENCE_S * NS_PER_S);
}

bool srv_memory_look(struct srv_memory *memory, struct sched *sched, uint64_t now_ns)
{
    struct sched_stats stats;
    uint64_t live, resident;

    if (now_ns < memory->next_ns)
        return false;
    memory->next_ns = now_ns + LOOK_S * NS_PER_S;
    sched_get_stats(sched, SCHED_ALL_WORKERS, &stats);
    live = stats.spawned > stats.exited ? stats.spawned - stats.exited : 0;
    if (live > memory->peak)
        memory->peak = live;
    resident = srv_memory_resident();
    if (memory->kept_bytes == 0) { /* the first look: what a start leaves counts as kept */
        malloc_trim(0);        /* … without what compiling has left */
        memory->kept_bytes = srv_memory_resident();
        memory->released_ns = now_ns;
        return false;
    }
    if (!much_is_free(memory, resident, live, stats.exited, now_ns))
        return false;
    memory->before_bytes = resident;
    sched_trim(sched);
    malloc_trim(0);
    memory->kept_bytes = srv_memory_resident();
    memory->released_ns = now_ns;
    memory->exited = stats.exited;
    memory->peak = live;
    return true;
}
