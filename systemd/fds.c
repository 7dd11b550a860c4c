/* fds.c - the sockets passed by systemd, under a lock: they are few, and asked for seldom. */
#include "config.h"

#include "systemd/fds.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t passed; /* descriptors from SD_LISTEN_FDS_START on */
static char **names;  /* as many; malloc'd by libsystemd; NULL: taken */

static int descriptor(size_t i)
{
    return SD_LISTEN_FDS_START + (int)i;
}

int sysd_fds_open(void)
{
    char **found = NULL;
    int count = sd_listen_fds_with_names(1, &found);

    if (count < 0)
        return count;
    pthread_mutex_lock(&lock);
    passed = (size_t)count;
    names = found;
    pthread_mutex_unlock(&lock);
    return count;
}

static void mark_taken(size_t i)
{
    free(names[i]);
    names[i] = NULL;
}

int sysd_fds_take_port(uint16_t port)
{
    int fd = -ENOENT;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < passed && fd < 0; i++) {
        if (names[i] != NULL && sd_is_socket_inet(descriptor(i), AF_UNSPEC, SOCK_STREAM, 1, port) > 0) {
            mark_taken(i);
            fd = descriptor(i);
        }
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

int sysd_fds_take_name(const char *name)
{
    int fd = -ENOENT;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < passed && fd < 0; i++) {
        if (names[i] != NULL && strcmp(names[i], name) == 0) {
            mark_taken(i);
            fd = descriptor(i);
        }
    }
    pthread_mutex_unlock(&lock);
    return fd;
}
