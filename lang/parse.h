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

#endif
