/*
 * journal.h - a sink of base/log.h that sends events to the journal with their fields.
 *
 * MESSAGE is the line as on a terminal; EVENT its name; each key of the line becomes a field in capitals: APP, VERSION,
 * REQUEST, PROCESS, … So `journalctl -u nostosd APP=shop EVENT=app.crashed` finds what it should. Threads: any.
 */
#ifndef SYSTEMD_JOURNAL_H
#define SYSTEMD_JOURNAL_H

#include <stdbool.h>

#include "base/log.h"

/** Whether our standard error goes to the journal, so that this sink belongs there. */
bool sysd_journal_reads_us(void);

/** The sink, for nb_log_set_sink(). Without a journal the line goes to standard error. */
void sysd_log_to_journal(const struct nb_log_line *lines, size_t count);

#endif
