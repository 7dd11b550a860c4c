/*
 * lex.h - from text to tokens.
 *
 * Line feeds are no tokens: each token knows whether one stands before it, and the parser asks where that matters. Each
 * opening bracket knows its closing one, so that the parser can look past a group without reading it.
 */
#ifndef LANG_LEX_H
#define LANG_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lang/ast.h"
#include "lang/diag.h"

struct nb_arena;

enum ns_token_kind {
#define TOKEN(name, text) NS_TOKEN_##name,
#define KEYWORD(name, text) NS_TOKEN_##name,
#define MARK(name, text) NS_TOKEN_##name,
#include "lang/tokens.def"
#undef TOKEN
#undef KEYWORD
#undef MARK
    NS_TOKEN_COUNT
};

struct ns_token {
    uint8_t kind;        /* enum ns_token_kind */
    bool newline_before; /* a line feed stands between this and the token before */
    uint32_t from, to;   /* bytes of the lexed text */
    uint32_t match;      /* of an opening bracket: index of its closing one, 0 if there is none */
    union {
        const char *name; /* LOWER, UPPER, keywords: interned */
        uint64_t integer; /* INT and the sized kinds: the value (without sign) */
    };
};

/** The tokens of a text; the last one is END. In the arena. */
struct ns_tokens {
    struct ns_token *items;
    uint32_t count;
    struct ns_comment_list comments; /* spans in the lexed text */
    bool failed;                     /* there was an error (reported, unless diag was NULL) */
};

/**
 * Split a text into tokens. Any bytes are survived: what is no token is reported and skipped.
 *
 * source  what diagnostics point into
 * text    the text, usually source->text; less than 4 GiB
 * map     NULL, or for each byte of text (and its end) the byte of the source it comes from
 * diag    receives the errors; NULL: nobody wants to know
 */
struct ns_tokens ns_lex(struct nb_arena *arena, const struct ns_source *source, const char *text, uint32_t length,
                        const uint32_t *map, struct ns_diag *diag);

/** How messages call a kind: "match", "=>", "identifier", "end of input". */
const char *ns_token_text(enum ns_token_kind kind);
/** Whether the kind is a reserved word. */
bool ns_token_is_keyword(enum ns_token_kind kind);

/** Where the string literal starting with a quote at text[from] ends: the byte behind its closing quote, skipping
 *  literals nested in `${…}`; 0 if it does not end. */
uint32_t ns_lex_string_end(const char *text, uint32_t length, uint32_t from);
/** Where the `${` at text[from] is closed: the byte behind the `}`; 0 if it is not. */
uint32_t ns_lex_interpolation_end(const char *text, uint32_t length, uint32_t from);
/** The byte an escape stands for ('n' is a line feed); -1 for letters that are no escape. */
int ns_lex_escape(char letter);

#endif
