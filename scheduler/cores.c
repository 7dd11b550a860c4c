/*
 * cores.c - how many cores this process may use.
 *
 * The affinity mask is what the kernel schedules on; a container's CPU quota (cgroup v2, cpu.max: "quota period" or
 * "max period") bounds the time used on them. More threads than the quota covers would only be throttled, all at once
 * and in the middle of requests.
 */
#include "config.h"

#include "scheduler/sched.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

static unsigned cores_of_mask(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t mask;

    if (sched_getaffinity(0, sizeof mask, &mask) == 0)
        return (unsigned)CPU_COUNT(&mask);
    return online < 1 ? 1 : (unsigned)online; /* more cores than the set has room for */
}

/* The quota in one group's cpu.max, rounded up to cores; UINT_MAX when it has none. */
static unsigned cores_of_group(const char *path)
{
    char name[PATH_MAX];
    unsigned long long quota, period;
    FILE *file;
    int fields;

    if ((size_t)snprintf(name, sizeof name, CGROUP_ROOT "%s/cpu.max", path) >= sizeof name)
        return UINT_MAX;
    file = fopen(name, "re");
    if (file == NULL)
        return UINT_MAX;
    fields = fscanf(file, "%llu %llu", &quota, &period); /* "max 100000" gives 0 */
    fclose(file);
    if (fields != 2 || period == 0)
        return UINT_MAX;
    return (unsigned)((quota + period - 1) / period);
}

/* The path of our cgroup, "" for the root: the line "0::/path" of /proc/self/cgroup. */
static void find_group(char *path, size_t size)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[PATH_MAX];

    path[0] = '\0';
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::/", 4) == 0 && line[4] != '\0')
            snprintf(path, size, "%s", line + 3);
    }
    fclose(file);
}

unsigned sched_cores(void)
{
    unsigned cores = cores_of_mask(), quota;
    char path[PATH_MAX];

    find_group(path, sizeof path);
    for (;;) { /* a quota may be set at any level above us */
        quota = cores_of_group(path);
        if (quota < cores)
            cores = quota;
        if (path[0] == '\0')
            break;
        *strrchr(path, '/') = '\0';
    }
    if (cores > SCHED_WORKERS_MAX)
        return SCHED_WORKERS_MAX;
    return cores < 1 ? 1 : cores;
}
