/*
 * walk.h - visiting the parts of a syntax tree, for passes that treat most kinds of nodes alike.
 */
#ifndef LANG_WALK_H
#define LANG_WALK_H

#include "lang/ast.h"

typedef void ns_visitor(void *context, struct ns_expr *expr);

/** Call the visitor for each expression directly inside of another, in the order they are written: guards, bodies of
 *  lambdas and local functions, and defaults of their parameters among them; patterns and types are passed over. The
 *  visitor may change the child in place. */
void ns_walk_children(const struct ns_expr *expr, ns_visitor *visit, void *context);

/** The same for a function: defaults, guard, body. */
void ns_walk_function(const struct ns_function *function, ns_visitor *visit, void *context);

/** Call the visitor for each outermost expression of an item; the items of an inline module are passed over. */
void ns_walk_item(const struct ns_item *item, ns_visitor *visit, void *context);

#endif
