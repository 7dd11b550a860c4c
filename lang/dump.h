/*
 * dump.h - a syntax tree as text, one parenthesis per node: for tests and for looking at what was understood.
 *
 *     (+ 1 (* 2 x))   (bind (name x) 5)   (if c a b)   (fn f [(name x)] body)
 */
#ifndef LANG_DUMP_H
#define LANG_DUMP_H

#include "base/buf.h"
#include "lang/ast.h"

void ns_dump_expr(const struct ns_expr *expr, struct nb_buf *out);       /* NULL: "-" */
void ns_dump_pattern(const struct ns_pattern *pattern, struct nb_buf *out);
void ns_dump_type(const struct ns_type *type, struct nb_buf *out);       /* as it is written in programs */
void ns_dump_item(const struct ns_item *item, struct nb_buf *out);
void ns_dump_file(const struct ns_file *file, struct nb_buf *out);       /* an item per line */

#endif
