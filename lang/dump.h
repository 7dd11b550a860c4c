/*
 * dump.h - a syntax tree as text, one parenthesis per node: for tests and for looking at what was understood.
 *
 *     (+ 1 (* 2 x))   (bind (name x) 5)   (if c a b)   (fn f [(name x)] body)
 */
#ifndef LANG_DUMP_H
#define LANG_DUMP_H

#include "base/buf.h"
#include "lang/ast.h"

/** Append a file's tree, an item per line. Threads: any. */
void ns_dump_file(const struct ns_file *file, struct nb_buf *out);

#endif
