/*
 * notify.h - what the service manager is told: ready, how it goes, reloading, stopping, still alive.
 *
 * All of it is nothing when no service manager listens (NOTIFY_SOCKET is unset). Threads: any.
 */
#ifndef SYSTEMD_NOTIFY_H
#define SYSTEMD_NOTIFY_H

#include <stdint.h>

/** Start-up, or a reload, is complete. `status` is a sentence for `systemctl status`. */
void sysd_ready(const char *status);
/** Only the sentence, as printf. */
void sysd_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** A reload begins; sysd_ready() ends it. */
void sysd_reloading(void);
/** The daemon ends. `status` says what it waits for. */
void sysd_stopping(const char *status);
/** Start or stop takes this much longer than the manager may think, counted from now. */
void sysd_extend_timeout(uint64_t milliseconds);

/** How often the manager wants sysd_watchdog() at the least, in nanoseconds; 0: never. Call it twice as often. */
uint64_t sysd_watchdog_interval_ns(void);
/** Workers and listeners make progress. Say it only when they do. */
void sysd_watchdog(void);

#endif
