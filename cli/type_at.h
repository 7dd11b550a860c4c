/*
 * type_at.h - `nostos check --type-at FILE:LINE:COLUMN`: what stands at a place of a program.
 */
#ifndef CLI_TYPE_AT_H
#define CLI_TYPE_AT_H

#include <stdbool.h>

#include "lang/compile.h"

/** A place as it was written: FILE:LINE:COLUMN. */
struct type_at_place { char *file; unsigned line, column; };

/** Read a place; false: it is none. The file's name is cut off in `text`, which must outlive the place. */
bool type_at_parse(char *text, struct type_at_place *ret_place);

/**
 * Print on standard output, as JSON if wanted, what stands at a place of the program at `path` (NULL: the place's
 * file).
 * A program with errors is asked all the same, as long as it can be parsed.
 *
 * Returns the exit status: 0 when there is something at the place.
 */
int type_at_main(const char *path, const struct type_at_place *place, const struct ns_options *options, bool json);

#endif
