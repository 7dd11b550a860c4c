/*
 * notify.c - datagrams to the service manager, by libsystemd.
 *
 * A status must be one line: a line break would begin another assignment, so they are written as spaces.
 */
#include "config.h"

#include "systemd/notify.h"

#include <stdarg.h>

#include <systemd/sd-daemon.h>

#include "base/buf.h"
#include "base/clock.h"

/* `assignments` ends with a line break unless it is empty. */
static void tell(const char *assignments, const char *status)
{
    struct nb_buf message = NB_BUF_INIT;

    nb_buf_text(&message, assignments);
    nb_buf_text(&message, "STATUS=");
    for (; *status != '\0'; status++)
        nb_buf_byte(&message, *status == '\n' ? ' ' : *status);
    if (!message.failed)
        sd_notify(0, nb_buf_cstr(&message));
    nb_buf_done(&message);
}

void sysd_ready(const char *status)
{
    tell("READY=1\n", status);
}

void sysd_status(const char *format, ...)
{
    struct nb_buf status = NB_BUF_INIT;
    va_list arguments;

    va_start(arguments, format);
    nb_buf_vprintf(&status, format, arguments);
    va_end(arguments);
    tell("", nb_buf_cstr(&status));
    nb_buf_done(&status);
}

void sysd_reloading(void)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reading the configuration again",
               (unsigned long long)(nb_clock_ns() / 1000));
}

void sysd_stopping(const char *status)
{
    tell("STOPPING=1\n", status);
}

void sysd_extend_timeout(uint64_t milliseconds)
{
    sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long)milliseconds * 1000);
}

uint64_t sysd_watchdog_interval_ns(void)
{
    uint64_t microseconds = 0;

    return sd_watchdog_enabled(0, &microseconds) > 0 ? microseconds * 1000 : 0;
}

void sysd_watchdog(void)
{
    sd_notify(0, "WATCHDOG=1");
}
