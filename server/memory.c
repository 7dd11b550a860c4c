/*
 * memory.c - when a peak is over.
 *
 * Signs that much is free: more is resident than last time by a quarter (processes came and went between two looks, or
 * are still there: then it was in vain, once for each quarter); half of the processes have ended; or the allocator says
 * so. It takes a walk through its free blocks to say it, so it is asked when no process has ended since the last
 * look, or a minute after memory was last given back (few processes with large heaps, answers that clients were slow
 * to take).
 */
#include "config.h"

#include "server/memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
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
    RESIDENT_MUCH_MIB = 64,
    FREE_MUCH_MIB = 32
};

/* Opened once, when there still are descriptors. */
static pthread_once_t statm_once = PTHREAD_ONCE_INIT;
static int statm_fd = -1;

static void open_statm(void)
{
    statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

uint64_t srv_memory_resident(void)
{
    char text[128];
    uint64_t total, resident;
    ssize_t got;

    pthread_once(&statm_once, open_statm);
    got = statm_fd >= 0 ? pread(statm_fd, text, sizeof text - 1, 0) : -1;
    if (got <= 0)
        return 0;
    text[got] = '\0';
    if (sscanf(text, "%" SCNu64 " %" SCNu64, &total, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* Whether the allocator keeps much of what is resident for later. Not asked again about what stayed resident when it
 * was to give that back: its free blocks are in pieces then. */
static bool allocator_keeps_much(const struct srv_memory *memory, uint64_t resident)
{
    struct mallinfo2 info;
    uint64_t used;

    if (resident < RESIDENT_MUCH_MIB * MIB || distance(resident, memory->kept_bytes) < GROWN_MIB * MIB)
        return false;
    info = mallinfo2();
    used = info.uordblks + info.hblkhd;
    return resident > used + used / GROWN_PART + FREE_MUCH_MIB * MIB;
}

static bool much_is_free(const struct srv_memory *memory, uint64_t resident, uint64_t live, uint64_t exited,
                         uint64_t now_ns)
{
    uint64_t growth = memory->kept_bytes / GROWN_PART;
    bool calm = exited == memory->seen_exited;

    if (growth < GROWN_MIB * MIB)
        growth = GROWN_MIB * MIB;
    if (exited != memory->exited && (resident > memory->kept_bytes + growth ||
                                     (memory->peak >= PROCESSES_MANY && live <= memory->peak / 2)))
        return true;
    return (calm || now_ns - memory->released_ns > PATIENCE_S * NS_PER_S) && allocator_keeps_much(memory, resident);
}

bool srv_memory_look(struct srv_memory *memory, struct sched *sched, uint64_t now_ns)
{
    struct sched_stats stats;
    uint64_t live, resident;
    bool much;

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
    much = much_is_free(memory, resident, live, stats.exited, now_ns);
    memory->seen_exited = stats.exited;
    if (!much)
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
