/* repl.h - `nostos repl`. */
#ifndef CLI_REPL_H
#define CLI_REPL_H

#include "cli/session.h"

/** Read inputs until their end: with line editing and history at a terminal, plainly otherwise. `files` (ends with
 *  NULL) are loaded first. `free_all`: give all memory back. Returns the exit status. */
int repl_main(const struct session_options *options, char **files, bool free_all);

#endif
