/*
 * expand_private.h - what the files of the expander share.
 *
 * Values. While a template is expanded, its parameters and the parts of its body are values of compile time: trees,
 * definitions, lists and records of such. Only where a value takes its place in the generated code it becomes a tree.
 *
 * Places. Code of a template gets the place of the decorator, code of the program that a template moved keeps its own;
 * both get a source that remembers the template (struct ns_template_use), so that errors tell.
 *
 * Bounds. Whatever makes nodes or texts pays for them out of the expander's budget; when it is used up this is reported
 * once, and from then on expansion only ends. Nesting is counted as the parser counts it.
 */
#ifndef LANG_EXPAND_PRIVATE_H
#define LANG_EXPAND_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "lang/ast.h"
#include "lang/copy.h"
#include "lang/diag.h"
#include "lang/expand.h"
#include "lang/table.h"

enum {
    NS_EXPAND_BUDGET = 2000000,     /* nodes of all expansions of a program */
    NS_EXPAND_COST = 50,            /* of an expansion, in nodes */
    NS_EXPAND_REDUCTIONS = 20000000, /* of all programs that run at compile time */
    NS_EXPAND_TEXT_MAX = 1 << 20,   /* bytes of a text that is computed */
    NS_EXPAND_CALLS_MAX = 100,      /* calls of templates inside of what such calls became */
};

/* ---- values of compile time ---- */

enum ns_syntax_kind {
    NS_SYNTAX_EXPR,   /* a tree */
    NS_SYNTAX_ITEM,   /* a definition */
    NS_SYNTAX_MANY,   /* values to be put side by side: list */
    NS_SYNTAX_LIST,   /* a list: list */
    NS_SYNTAX_RECORD, /* a record or a map with text keys: names and list */
};

struct ns_syntax {
    enum ns_syntax_kind kind;
    union {
        struct ns_expr *expr;
        struct ns_item *item;
    };
    struct { struct ns_syntax *items; uint32_t count; } list;
    const char *const *names; /* interned */
};

/** What the names that a template knows stand for; innermost first. */
struct ns_binding {
    const char *name;
    struct ns_syntax value;
    bool own;   /* `value` is code of the program: it is copied where it is used */
    bool bare;  /* a use without `~` means it too: a parameter of a compile-time lambda */
    const struct ns_binding *outer;
};

/* ---- state ---- */

struct ns_template {
    const struct ns_function *function;
    const struct ns_item_list *home; /* the items it stands among */
    struct ns_template *before;      /* registered earlier under that name */
};

/** The items of a file or of an inline module, and where that is. */
struct ns_scope { struct ns_item_list *items; const struct ns_scope *outer; };

struct ns_expander {
    struct nb_arena *arena;
    struct ns_diag *diag;
    const struct ns_references *references;
    struct ns_table templates; /* name: struct ns_template, the latest */
    uint64_t numbers;          /* given out by gensym() */
    uint32_t budget;
    int64_t reductions;        /* left for programs of compile time */
    uint32_t depth;            /* of the node that is being made */
    bool failed;               /* a bound was passed */
    const struct ns_scope *scope;
    unsigned calls;            /* of templates, around the one that is expanded */
};

/** One use of a template. */
struct ns_expansion {
    struct ns_expander *expander;
    const char *name;
    const struct ns_template *template;
    struct ns_span place;                   /* of code of the template */
    const struct ns_item *decorated;        /* NULL: a call */
    const struct ns_binding *bindings;
    struct { struct ns_item **items; uint32_t count, capacity; } definitions; /* found in the expansion */
    struct ns_expr *evaluated;              /* the last binding that an eval() made */
    struct { const struct ns_source *from, *to; } moved; /* the last source that got a successor */
};

/** Pay for something. False: that is more than there is; reported. */
bool ns_expand_spend(struct ns_expander *expander, struct ns_span place, uint32_t nodes);

/* ---- expand_value.c ---- */

struct ns_syntax ns_syntax_of_expr(struct ns_expr *expr);
struct ns_syntax ns_syntax_of_text(struct ns_expansion *expansion, const char *text, size_t length);
struct ns_expr *ns_new_node(struct ns_expansion *expansion, enum ns_expr_kind kind);
/** The tree that stands for a value; a definition is an error. */
struct ns_expr *ns_syntax_expr(struct ns_expansion *expansion, const struct ns_syntax *value);
/** The attribute of a definition, or the entry of a record; false if there is none of that name. */
bool ns_syntax_member(struct ns_expansion *expansion, const struct ns_syntax *value, const char *name,
                      struct ns_syntax *ret_member);

/** Whether two types are written alike, but for blanks and List[T] for [T]. */
bool ns_types_read_alike(const struct ns_type *left, const struct ns_type *right);

/* What a tree is worth if that can be told now (06 A.5.1, A.5.2). False: it cannot. */
bool ns_known_int(const struct ns_expr *expr, int64_t *ret_value);
bool ns_known_bool(struct ns_expansion *expansion, const struct ns_expr *expr, bool *ret_value);
/** The text in the arena. */
bool ns_known_text(struct ns_expansion *expansion, const struct ns_expr *expr, const char **ret_text,
                   uint32_t *ret_length);
/** The texts of a list's elements with a separator between them. */
bool ns_joined_text(struct ns_expansion *expansion, const struct ns_syntax *list, const char *separator,
                    uint32_t separator_length, const char **ret_text, uint32_t *ret_length);

/* ---- expand_quote.c ---- */

/** Expand the body of the expansion's template, which is a quotation. Definitions go to the expansion; the rest is
 *  returned: the expression or the block that was quoted, several if generated side by side, none. */
struct ns_expr_list ns_expand_quote(struct ns_expansion *expansion, const struct ns_expr *quote);
/** A copy of code of the program, for another place. */
struct ns_expr *ns_expand_moved(struct ns_expansion *expansion, const struct ns_expr *expr);
/** What a part of the template stands for. */
struct ns_syntax ns_expand_value(struct ns_expansion *expansion, const struct ns_expr *expr);

/* ---- expand_function.c ---- */

/** What a call of a function of compile time gives; `spliced`: behind a `~`. False: it is none. */
bool ns_expand_function(struct ns_expansion *expansion, const struct ns_expr *expr, bool spliced,
                        struct ns_syntax *ret_value);

/* ---- expand_comptime.c ---- */

/** Run a program now; its value as a tree, NULL if that was not possible. */
struct ns_expr *ns_comptime(struct ns_expansion *expansion, struct ns_expr *program);

#endif
