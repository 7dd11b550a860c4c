/*
 * fds.h - listening sockets that systemd opened for us (nostosd.socket), to be taken by port or by name.
 *
 * Each is handed out once; the caller owns what it takes. The others stay open for who asks later: an app may be
 * deployed at any time. Threads: any.
 */
#ifndef SYSTEMD_FDS_H
#define SYSTEMD_FDS_H

#include <stddef.h>
#include <stdint.h>

/** Take note of the sockets that were passed, and unset the environment variables that say so. Once, at start.
 *  Returns how many there are, or -errno. */
int sysd_fds_open(void);
/** A stream socket that listens on this port, -ENOENT if none is left. */
int sysd_fds_take_port(uint16_t port);
/** A socket by its FileDescriptorName=, -ENOENT if none is left. */
int sysd_fds_take_name(const char *name);

#endif
