/*
 * query.h - questions about places in a program: what stands there, of which type it is, where it was defined, what is
 * written above its definition. For editors and for `nostos check --type-at`.
 *
 * A query is a program that was read and checked once, as it is in its files or, for files that are open in an editor,
 * as it is there (ns_options.unsaved). Its errors are in the diag; questions can be asked although there are some, but
 * not if a text cannot be parsed. Answers come from the types that the checker left in the trees (ns_expr.term).
 */
#ifndef LANG_QUERY_H
#define LANG_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "lang/compile.h"

struct ns_query;

/**
 * Read and check the program at `path`, a file or a folder.
 *
 * options    as for ns_compile(); no code is kept
 * diag       collects errors; must be empty, and outlive the query
 * ret_query  receives the query; untouched on failure
 *
 * Returns 0, or -EINVAL when a file cannot be read or parsed. ns_query_free() frees it. Threads: one at a time.
 */
int ns_query_new(const char *path, const struct ns_options *options, struct ns_diag *diag,
                 struct ns_query **ret_query);
/** NULL is fine. Returns NULL. */
struct ns_query *ns_query_free(struct ns_query *query);

enum ns_reply_kind {
    NS_REPLY_EXPRESSION,  /* no name: a literal, an operator, a call … */
    NS_REPLY_LOCAL,
    NS_REPLY_VALUE,       /* of a module: binding, constant, mvar */
    NS_REPLY_FUNCTION,    /* native ones included */
    NS_REPLY_METHOD,
    NS_REPLY_FIELD,
    NS_REPLY_CONSTRUCTOR,
    NS_REPLY_TYPE,
    NS_REPLY_MODULE,
};

/** What stands at a place. Texts live as long as the query. */
struct ns_reply {
    enum ns_reply_kind kind;
    const char *name;           /* NULL: NS_REPLY_EXPRESSION */
    struct ns_span span;        /* of the name or expression */
    const char *type;           /* of the value there; NULL: not known, or nothing that has one */
    const char *declared;       /* of what the name means, in general; NULL: not known or no function */
    struct ns_span definition;  /* of the name in its definition; source NULL: unknown, or defined in C */
    const char *documentation;  /* without comment marks; NULL: none */
};

/**
 * What stands at a line and column (from 1, in characters) of a file, which is called as in messages or by the end of
 * its path. A place right behind a name belongs to the name.
 *
 * Returns whether there is something there.
 */
bool ns_query_at(struct ns_query *query, const char *file, uint32_t line, uint32_t column, struct ns_reply *ret_reply);

/** Print a reply for people: name and type, place of definition, documentation. */
void ns_reply_print(const struct ns_reply *reply, struct nb_buf *out);
/** One JSON object and a line break: kind, name, place, type, declared, definition (with file), documentation; absent
 *  where unknown. */
void ns_reply_json(const struct ns_reply *reply, struct nb_buf *out);

#endif
