/*
 * dump.h - a syntax tree as text, one parenthesis per node: by which tests see what the parser understood.
 *
 *     (+ 1 (* 2 x))   (bind (name x) 5)   (if c a b)   (fn f [(name x)] body)
 */
#ifndef TESTS_UNIT_DUMP_H
#define TESTS_UNIT_DUMP_H

#include "base/buf.h"
#include "lang/ast.h"

/** Append a file's tree, an item per line. Threads: any. */
void dump_file(const struct ns_file *file, struct nb_buf *out);

#endif
