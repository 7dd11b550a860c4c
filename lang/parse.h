/*
 * parse.h - from a source text to its syntax tree.
 */
#ifndef LANG_PARSE_H
#define LANG_PARSE_H

#include "lang/ast.h"
#include "lang/diag.h"

struct nb_arena;
struct nb_map;

/** What a text names that may come from the library, for loading only what is needed: keys of the maps, which the
 *  parser adds. Names inside strings' `${…}` are among them. */
struct ns_references {
    struct nb_map *paths;        /* "stdlib.json.jsonParse": dotted names that begin with stdlib, as long as they go */
    struct nb_map *uppers;       /* upper-case names */
    struct nb_map *upper_calls;  /* those directly followed by ( or { */
};

/**
 * Parse a source text.
 *
 * arena       holds the tree
 * diag        receives the errors; several per text, as after each the parser goes on with the next statement or item
 * references  receives names, or NULL
 *
 * Returns the tree; with errors in diag it holds what could be read and is of no use to the compiler. Never NULL.
 */
struct ns_file *ns_parse(struct nb_arena *arena, const struct ns_source *source, struct ns_diag *diag,
                         const struct ns_references *references);

/** What a text was that a template made. */
struct ns_fragment {
    struct ns_item_list items;        /* definitions … */
    struct ns_expr_list statements;   /* … or, if it is not made of these, statements */
};

/**
 * Parse a text that a template made: definitions, or else statements (an expression is one).
 *
 * text   NUL-terminated; need not outlive the call
 * place  the place that all nodes get
 * depth  how deeply nested the code around it is
 *
 * Returns false if it is neither; nothing is reported.
 */
bool ns_parse_fragment(struct nb_arena *arena, const char *text, uint32_t length, struct ns_span place, uint32_t depth,
                       const struct ns_references *references, struct ns_fragment *ret_fragment);

#endif
