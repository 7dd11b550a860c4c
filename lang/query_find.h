/*
 * query_find.h - which node of a tree stands at a place. Private to query*.c.
 */
#ifndef LANG_QUERY_FIND_H
#define LANG_QUERY_FIND_H

#include "base/vec.h"
#include "lang/ast.h"

/** What is at the place: exactly one of expr, pattern, type, function, name is set, or none. */
struct ns_found {
    const struct ns_source *source;
    uint32_t at;                          /* the place, a byte offset */
    const struct ns_item_list *items;     /* of the module around */
    const struct ns_item *item;           /* the item around */
    const struct ns_function *outermost;  /* of the item: the one around the path, or NULL */
    NB_VEC(struct ns_expr *) path;        /* expressions around, outermost first; `expr` is the last one, if set */
    struct ns_expr *expr;
    const struct ns_pattern *pattern;
    const struct ns_type *type;
    const struct ns_function *function;   /* its name stands there */
    const struct ns_name *name;           /* that the item defines: of a type, constructor, field, trait, value */
};

/** Look for `found->at` in `found->source` among items. False when nothing is there. `path` is the caller's to free. */
bool ns_find_node(struct ns_found *found, const struct ns_item_list *items);
/** Whether the place is within a span. */
bool ns_is_at(const struct ns_found *found, struct ns_span span);

/** Where the local called `name` that is meant at the found place was defined; `is_mvar`: in the module the name is a
 *  variable's, which `name = …` assigns. False when there is none: it means something of the module. */
bool ns_find_local(const struct ns_found *found, const char *name, bool is_mvar, struct ns_span *ret_span);

#endif
