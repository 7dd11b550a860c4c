/*
 * input.h - what somebody types at a prompt: is it whole, and is it definitions, a binding, or statements to be run?
 */
#ifndef LANG_INPUT_H
#define LANG_INPUT_H

#include "lang/ast.h"
#include "lang/diag.h"
#include "lang/parse.h"

struct nb_arena;

/** The function that statements become the body of: a name that no program can write. */
#define NS_INPUT_FUNCTION "<input>"

enum ns_input_kind {
    NS_INPUT_EMPTY,       /* white space and comments */
    NS_INPUT_DEFINITIONS, /* items of a module */
    NS_INPUT_BINDING,     /* one `pattern = expression` whose value is computed, not a lambda: `names` are bound */
    NS_INPUT_STATEMENTS,  /* all else, also what is wrong in a way that more lines cannot mend */
    NS_INPUT_UNFINISHED,  /* its error is where it ends; or definitions (`parts`) of which the last may go on */
};

/** One item of definitions. */
struct ns_input_part {
    enum ns_item_kind kind;
    const char *name;     /* what it defines, interned; NULL for `use` and the like */
    const char *key;      /* equal for parts of which the later replaces the earlier: clauses with the same heading,
                           * types of one name, … */
    uint32_t from, to;    /* bytes of the text */
};

struct ns_input {
    struct nb_arena *arena; /* of all this */
    enum ns_input_kind kind;
    struct ns_input_part *parts;
    uint32_t part_count;
    const char **names;   /* of a binding, interned, in order of the pattern */
    uint32_t name_count;
};

/** Look at a text. Never NULL; ns_input_free() frees it. */
struct ns_input *ns_input_read(const char *text, size_t length);
/** NULL is fine. Returns NULL. */
struct ns_input *ns_input_free(struct ns_input *input);

/** Parse statements as the body of NS_INPUT_FUNCTION, the only item of the file. After a single binding the function
 *  returns what the pattern's names stand for: the value of one, a tuple of several. Otherwise as ns_parse(). */
struct ns_file *ns_parse_input(struct nb_arena *arena, const struct ns_source *source, struct ns_diag *diag,
                               const struct ns_references *references);

#endif
