/*
 * compile_expression.h - the compiler's side door: a tree that was not read from a file.
 */
#ifndef LANG_COMPILE_EXPRESSION_H
#define LANG_COMPILE_EXPRESSION_H

#include "lang/ast.h"
#include "vm/program.h"

/**
 * Compile an expression as a program whose main() it is, with the prelude and nothing else around it. Static types are
 * not checked. The tree may be changed.
 *
 * Returns 0 and the program with one reference, or -EINVAL; errors are not reported.
 */
int ns_compile_expression(struct ns_expr *expr, struct vm_program **ret_program);

#endif
