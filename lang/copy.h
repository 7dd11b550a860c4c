/*
 * copy.h - making a tree out of another, node by node.
 *
 * A copier says what becomes of the expressions directly inside of a node, and of places; the rest of the node is
 * copied as it is. That makes plain copies as well as the expansion of templates.
 */
#ifndef LANG_COPY_H
#define LANG_COPY_H

#include "lang/ast.h"

struct nb_arena;
struct ns_copier;

/** Expressions on their way into a list of the tree. */
struct ns_expr_buf { struct ns_expr **items; uint32_t count, capacity; };
void ns_expr_buf_push(struct nb_arena *arena, struct ns_expr_buf *buf, struct ns_expr *expr);

struct ns_copier {
    struct nb_arena *arena;
    void *context;
    /** What stands for one expression. */
    struct ns_expr *(*one)(struct ns_copier *copier, const struct ns_expr *expr);
    /** What stands for one expression of a list: any number. `statement`: of a block's. */
    void (*several)(struct ns_copier *copier, const struct ns_expr *expr, bool statement, struct ns_expr_buf *out);
    struct ns_span (*place)(struct ns_copier *copier, struct ns_span span);
};

/** A node like `expr`, with parts in the copier's arena that the copier made. Parts that are NULL stay so. */
struct ns_expr *ns_copy_node(struct ns_copier *copier, const struct ns_expr *expr);

/** A new literal of that text, which is not copied. */
struct ns_expr *ns_text_expr(struct nb_arena *arena, const char *text, struct ns_span span);

#endif
