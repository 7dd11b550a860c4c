/*
 * parse_private.h - what the files of the parser share: the state, looking at tokens, errors.
 *
 * Errors. The first error in a statement or item puts the parser into a panic: from then on every look sees the end of
 * the input, so all loops end and all expectations fail silently, and nobody has to check results: what parsing
 * functions return is always a node, perhaps a useless one. The nearest loop over statements or items reports nothing
 * more, finds a place to go on, and ends the panic.
 *
 * Attempts. Where the grammar needs more than a token of look-ahead (is `p: T = e` a binding?) a part is parsed on
 * trial: ns_try_begin(), parse, ns_try_end() tells whether it went well. Errors are not reported meanwhile. Only
 * patterns' heads and types are parsed on trial, never expressions, so that the time stays linear.
 *
 * Nesting. `depth` counts nested nodes on the way down and is bounded (NS_NESTING_MAX): neither the parser's recursion
 * nor that of any later pass can overflow the stack. Chains such as a + b + c grow downwards to the left without
 * recursion; `deepest` tells how far down the operands reached, so that their links are counted too.
 */
#ifndef LANG_PARSE_PRIVATE_H
#define LANG_PARSE_PRIVATE_H

#include "base/arena.h"
#include "lang/ast.h"
#include "lang/diag.h"
#include "lang/lex.h"
#include "lang/parse.h"

/* The heads of the functions around a place, innermost first: their type variables are known there. */
struct ns_head {
    const struct ns_function *function;
    const struct ns_head *outer;
};

struct ns_parser {
    struct ns_diag *diag;
    struct nb_arena *arena;
    const struct ns_source *source;
    const struct ns_references *references;
    const char *text;        /* what the tokens were read from: the source, or the decoded inside of a string */
    const uint32_t *map;     /* byte of text → byte of the source; NULL: the same */
    const struct ns_span *place; /* of all nodes, if they come from no source of their own; else NULL */
    const struct ns_token *tokens;
    uint32_t count;
    struct ns_comment_list comments;
    const struct ns_head *head; /* of the function whose body this is; NULL: of none */
    uint32_t at;             /* index of the next token */
    bool panicking;
    uint32_t error_at;       /* 1 + the byte of the first error that was reported; 0: none */
    unsigned trials;         /* attempts under way: no error is reported */
    uint32_t depth, deepest;
    uint32_t strings;        /* strings around this text whose `${…}` it is in */
    uint32_t brackets;       /* open brackets */
    uint32_t guard_brackets; /* 1 + `brackets` of the guard being parsed: there `->` ends it; 0: none */
    uint32_t statement_at;   /* 1 + index of the token a statement starts with, if it is the next; else anything */
};

/* ---- parse.c: tokens ---- */

/** Split a source into tokens and stand in front of the first. */
void ns_parser_begin(struct ns_parser *parser, struct nb_arena *arena, const struct ns_source *source,
                     struct ns_diag *diag, const struct ns_references *references);

const struct ns_token *ns_peek(const struct ns_parser *parser);       /* the next token; END in a panic */
const struct ns_token *ns_peek_at(const struct ns_parser *parser, uint32_t index); /* any token, panic or not */
const struct ns_token *ns_next(struct ns_parser *parser);             /* take it */
bool ns_at(const struct ns_parser *parser, enum ns_token_kind kind);
bool ns_at_same_line(const struct ns_parser *parser, enum ns_token_kind kind);
bool ns_take(struct ns_parser *parser, enum ns_token_kind kind);      /* if it is the next */
bool ns_take_same_line(struct ns_parser *parser, enum ns_token_kind kind);
const struct ns_token *ns_expect(struct ns_parser *parser, enum ns_token_kind kind); /* or panic */
bool ns_is_lower(enum ns_token_kind kind);     /* an identifier, or a word that may stand for one */
struct ns_name ns_expect_lower(struct ns_parser *parser);
struct ns_name ns_expect_upper(struct ns_parser *parser);             /* also Self */
struct ns_name ns_expect_name(struct ns_parser *parser);              /* either, self, Self */

/* ---- parse.c: places ---- */

struct ns_span ns_token_span(const struct ns_parser *parser, const struct ns_token *token);
/** From the start of a token to the end of the token taken last. */
struct ns_span ns_span_since(const struct ns_parser *parser, uint32_t first);
struct ns_span ns_span_join(struct ns_span from, struct ns_span to);

/* ---- parse.c: errors, attempts, nesting ---- */

/** Report an error at a span unless panicking or trying; panic. Returns true if it was reported (for hints, notes). */
bool ns_fail(struct ns_parser *parser, struct ns_span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** ``expected `A`, found `B` `` at the next token. `what` is put in back-quotes. */
bool ns_fail_expected(struct ns_parser *parser, const char *what);
/** ``unexpected `B` (expected WHAT)`` at the next token. */
bool ns_fail_unexpected(struct ns_parser *parser, const char *what);
/** Advice for the error just reported at the next token, if what is written there means something in other languages
 *  (parse_hint.c). `what` was expected; may be NULL. */
void ns_hint_habits(struct ns_parser *parser, const char *what);

struct ns_trial {
    uint32_t at, depth, deepest;
    bool panicking;
};
struct ns_trial ns_try_begin(struct ns_parser *parser);
/** End an attempt: puts the parser back where it began. Returns whether it went well. */
bool ns_try_end(struct ns_parser *parser, struct ns_trial trial);

void ns_enter(struct ns_parser *parser); /* one node deeper; fails when too deep */
void ns_leave(struct ns_parser *parser);
/** Count the links of a chain: begin before the first operand, a link with each node made on top of the former, end. */
struct ns_chain {
    uint32_t outer;
};
struct ns_chain ns_chain_begin(struct ns_parser *parser);
void ns_chain_link(struct ns_parser *parser);
void ns_chain_end(struct ns_parser *parser, struct ns_chain chain);

/** End a panic, going on behind the statement that starts with token `first` in a block that ends with `closer`. */
void ns_recover_statement(struct ns_parser *parser, uint32_t first, enum ns_token_kind closer);
/** End a panic, going on with the next line that is not indented more than the item that starts with token `first`. */
void ns_recover_item(struct ns_parser *parser, uint32_t first);

/* ---- parse.c: lists ---- */

/** Going through `a, b, c)`:  for (struct ns_elements e = …; ns_more(parser, &e);) parse one;  */
struct ns_elements {
    enum ns_token_kind closer;
    bool trailing_comma; /* may stand before the closer */
    bool one_line;       /* no line feed between the brackets */
    enum ns_token_kind stop; /* ends the list too, is not taken; END: nothing does */
    bool stopped;        /* it did: the closing bracket is still to come */
    uint32_t opener;     /* set by ns_open(): index of the opening bracket */
    uint32_t count;
};
/** Take the opening bracket; panics if it is not the next token. */
void ns_open(struct ns_parser *parser, struct ns_elements *elements, enum ns_token_kind opener);
/** Whether there is an element to parse; takes commas and the closing bracket. */
bool ns_more(struct ns_parser *parser, struct ns_elements *elements);
/** Take the closing bracket, or panic. */
void ns_close(struct ns_parser *parser, struct ns_elements *elements);

/** Room for one more element of a list in the arena. */
void *ns_list_grow(struct ns_parser *parser, void *items, uint32_t count, size_t bytes);
#define ns_push(parser, list, item) \
    ((list)->items = ns_list_grow((parser), (list)->items, (list)->count, sizeof *(list)->items), \
     (list)->items[(list)->count++] = (item))

/* ---- parse.c: tools of several files ---- */

/** The token behind the pattern-like thing that starts at `index` (name, literal, bracketed group, Ctor(…)), found by
 *  its brackets only; 0 if nothing of that kind starts there. */
uint32_t ns_skip_pattern_head(const struct ns_parser *parser, uint32_t index);
/** Whether a type stands at `index`, followed on its line by a token of kind `then`. */
bool ns_type_then(struct ns_parser *parser, uint32_t index, enum ns_token_kind then);

/* ---- parse_literal.c ---- */

/** Take a number, character or true/false. `negative`: a minus sign in front belongs to it. False if none is next. */
bool ns_parse_literal(struct ns_parser *parser, bool negative, struct ns_literal *ret_literal);
/** Whether the next tokens are a minus sign and a sized literal that is one with it (-128i8). */
bool ns_at_negative_literal(const struct ns_parser *parser);
/** Take a string as a literal, `${` included. */
struct ns_literal ns_parse_plain_string(struct ns_parser *parser);
/** Take a string with its interpolations. */
struct ns_expr *ns_parse_string(struct ns_parser *parser);
/** Note the names among tokens that may come from the library. */
void ns_note_references(const struct ns_parser *parser);

/* ---- parse_type.c ---- */

struct ns_type *ns_parse_type(struct ns_parser *parser);
/** A type without arrow, as an implementation is for. */
struct ns_type *ns_parse_plain_type(struct ns_parser *parser);
struct ns_type_parameter_list ns_parse_type_parameters(struct ns_parser *parser);
/** Whether the head of a function speaks of a type variable: as a type parameter, in an annotation or the result. */
bool ns_head_mentions(const struct ns_function *function, const char *variable);
/** name: A + B */
struct ns_type_parameter ns_parse_bound(struct ns_parser *parser);
/** name: T, with an optional `private` in front. */
struct ns_field ns_parse_field(struct ns_parser *parser);

/* ---- parse_pattern.c ---- */

struct ns_pattern *ns_parse_pattern(struct ns_parser *parser);     /* with alternatives */
struct ns_pattern *ns_parse_one_pattern(struct ns_parser *parser); /* without */

/* ---- parse_expr.c ---- */

struct ns_expr *ns_parse_expression(struct ns_parser *parser);
/** The body of a function whose head was parsed, put into it. */
void ns_parse_body(struct ns_parser *parser, struct ns_function *function);
struct ns_expr *ns_new_expr(struct ns_parser *parser, enum ns_expr_kind kind, uint32_t first);
/** Statements up to `closer`, which is not taken. */
struct ns_expr_list ns_parse_statements(struct ns_parser *parser, enum ns_token_kind closer);
struct ns_expr *ns_parse_statement(struct ns_parser *parser);

/* ---- parse_primary.c ---- */

struct ns_expr *ns_parse_operand(struct ns_parser *parser); /* a primary expression */

/* ---- parse_item.c ---- */

/** (p: T = d, …) */
struct ns_parameter_list ns_parse_parameters(struct ns_parser *parser, bool local);
void ns_push_parameter(struct ns_parser *parser, struct ns_parameter_list *parameters, struct ns_parameter parameter);
struct ns_item_list ns_parse_items(struct ns_parser *parser, enum ns_token_kind closer);

#endif
