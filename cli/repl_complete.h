/*
 * repl_complete.h - the tabulator key at the prompt of a session: names are completed as far as they agree; those that
 * come into question are listed when the key adds nothing.
 *
 * Behind a dot that follows no namespace, what may follow any value is offered: the last words of natives' names.
 */
#ifndef CLI_REPL_COMPLETE_H
#define CLI_REPL_COMPLETE_H

#include "base/buf.h"

struct session;

/**
 * Complete the last word of a line; where there is none, add blanks.
 *
 * before      the line up to the cursor, `length` bytes
 * ret_added   empty; gets what is to be inserted
 * ret_choices empty; gets the names that come into question, each followed by a line feed, when nothing is inserted
 */
void repl_complete(struct session *session, const char *before, size_t length, struct nb_buf *ret_added,
                   struct nb_buf *ret_choices);

#endif
