/*
 * mention.h - what an expression mentions, binds and calls by name, before anything is known of those names: which
 * variables need cells, what local functions capture, which order they are made in.
 *
 * Names are told as often as they occur, closures inside of the expression included; not those that a closure's own
 * parameters or a loop's variable stand for. Threads: any.
 */
#ifndef LANG_MENTION_H
#define LANG_MENTION_H

#include <stdbool.h>

#include "lang/ast.h"

/** Called for each name that is mentioned: read, assigned or bound. */
typedef void ns_mention(void *context, const char *name, bool in_closure);
void ns_mentions(const struct ns_expr *expr, ns_mention *mention, void *context);
void ns_mentions_function(const struct ns_function *function, ns_mention *mention, void *context);
void ns_mentions_pattern(const struct ns_pattern *pattern, ns_mention *mention, void *context);

/**
 * The names that the closures inside mention, as often as they do. A loop's variable stands for nothing here: a `var`
 * of its name may hide it in the loop's body.
 */
void ns_closure_mentions(const struct ns_expr *expr, ns_mention *mention, void *context);

/** Called for each plain call of a name, with the number of its arguments. */
typedef void ns_called(void *context, const char *name, uint32_t arguments);
void ns_calls(const struct ns_expr *expr, ns_called *called, void *context);

/** Called for each name that a pattern binds; `may_assign`: it is the left side of a plain `=`. */
typedef void ns_bound(void *context, const char *name, bool may_assign);
void ns_bound_names(const struct ns_expr *expr, ns_bound *bound, void *context);

/** Whether evaluating it may assign a variable of the running function; `false` only when surely not. */
bool ns_may_assign(const struct ns_expr *expr);

#endif
