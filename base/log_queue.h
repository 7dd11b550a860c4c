/*
 * log_queue.h - between nb_log_at() and the sink: lines in the order of their calls, written by one thread at a time.
 */
#ifndef BASE_LOG_QUEUE_H
#define BASE_LOG_QUEUE_H

#include "base/log.h"

/** Put a line, which is copied, behind the others. What is full is written out first, for a second at the most; then
 *  the line is lost and counted. `event` must live as long as the program. */
void nb_log_queue_put(const struct nb_log_line *line);
/** Give to the sink what waits; nothing when another thread is at it, which then takes this as well. */
void nb_log_queue_write(void);
/** The same by the writer, soon; at once when it does not run. */
void nb_log_queue_write_later(void);

#endif
