/*
 * parse.c - the parser's ground: tokens, errors and where to go on after them, attempts, nesting, lists.
 */
#include "config.h"

#include "lang/parse_private.h"

#include <stdarg.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"

/* ---- tokens ---- */

const struct ns_token *ns_peek_at(const struct ns_parser *parser, uint32_t index)
{
    return &parser->tokens[index < parser->count ? index : parser->count - 1];
}

const struct ns_token *ns_peek(const struct ns_parser *parser)
{
    static const struct ns_token nothing = { .kind = NS_TOKEN_END };

    return parser->panicking ? &nothing : ns_peek_at(parser, parser->at);
}

const struct ns_token *ns_next(struct ns_parser *parser)
{
    const struct ns_token *token = ns_peek(parser);

    if (token->kind != NS_TOKEN_END)
        parser->at++;
    return token;
}

bool ns_at(const struct ns_parser *parser, enum ns_token_kind kind)
{
    return ns_peek(parser)->kind == kind;
}

bool ns_at_same_line(const struct ns_parser *parser, enum ns_token_kind kind)
{
    return ns_at(parser, kind) && !ns_peek(parser)->newline_before;
}

bool ns_take(struct ns_parser *parser, enum ns_token_kind kind)
{
    if (!ns_at(parser, kind))
        return false;
    ns_next(parser);
    return true;
}

bool ns_take_same_line(struct ns_parser *parser, enum ns_token_kind kind)
{
    return ns_at_same_line(parser, kind) && ns_take(parser, kind);
}

const struct ns_token *ns_expect(struct ns_parser *parser, enum ns_token_kind kind)
{
    if (!ns_at(parser, kind))
        ns_fail_expected(parser, ns_token_text(kind));
    return ns_next(parser);
}

bool ns_is_lower(enum ns_token_kind kind)
{
    return kind == NS_TOKEN_LOWER || kind == NS_TOKEN_SELF || kind == NS_TOKEN_PANIC || kind == NS_TOKEN_TO ||
           kind == NS_TOKEN_FROM;
}

static bool is_upper(enum ns_token_kind kind) { return kind == NS_TOKEN_UPPER || kind == NS_TOKEN_SELF_TYPE; }

static struct ns_name name_of(const struct ns_parser *parser, const struct ns_token *token)
{
    return (struct ns_name){ token->name, ns_token_span(parser, token) };
}

/* What stands for a name that is missing; the text is useless anyway. */
static struct ns_name missing_name(struct ns_parser *parser, const char *what)
{
    const struct ns_token *token = ns_peek(parser);

    if (!parser->panicking && ns_token_is_keyword(token->kind))
        ns_fail(parser, ns_token_span(parser, token), "'%s' is a reserved keyword", token->name);
    else
        ns_fail_expected(parser, what);
    return (struct ns_name){ "", { parser->source, 0, 0 } };
}

struct ns_name ns_expect_lower(struct ns_parser *parser)
{
    if (!ns_is_lower(ns_peek(parser)->kind))
        return missing_name(parser, "identifier");
    return name_of(parser, ns_next(parser));
}

struct ns_name ns_expect_upper(struct ns_parser *parser)
{
    if (!is_upper(ns_peek(parser)->kind))
        return missing_name(parser, "type name");
    return name_of(parser, ns_next(parser));
}

struct ns_name ns_expect_name(struct ns_parser *parser)
{
    if (!ns_is_lower(ns_peek(parser)->kind) && !is_upper(ns_peek(parser)->kind))
        return missing_name(parser, "identifier");
    return name_of(parser, ns_next(parser));
}

/* ---- places ---- */

static struct ns_span span_of(const struct ns_parser *parser, uint32_t from, uint32_t to)
{
    struct ns_span span = { parser->source, from, to };

    if (parser->place != NULL)
        return *parser->place;
    if (parser->map != NULL) {
        span.from = parser->map[from];
        span.to = parser->map[to];
    }
    return span;
}

struct ns_span ns_token_span(const struct ns_parser *parser, const struct ns_token *token)
{
    return span_of(parser, token->from, token->to);
}

struct ns_span ns_span_since(const struct ns_parser *parser, uint32_t first)
{
    const struct ns_token *start = ns_peek_at(parser, first);
    const struct ns_token *last = parser->at > first ? ns_peek_at(parser, parser->at - 1) : start;

    return span_of(parser, start->from, last->to);
}

struct ns_span ns_span_join(struct ns_span from, struct ns_span to)
{
    return (struct ns_span){ from.source, from.from, to.to };
}

/* ---- errors ---- */

bool ns_fail(struct ns_parser *parser, struct ns_span span, const char *format, ...)
{
    struct nb_buf buf = NB_BUF_INIT;
    va_list arguments;

    if (parser->panicking)
        return false;
    parser->panicking = true;
    if (parser->trials > 0)
        return false;
    if (parser->error_at == 0)
        parser->error_at = span.from + 1;
    va_start(arguments, format);
    nb_buf_vprintf(&buf, format, arguments);
    va_end(arguments);
    ns_error(parser->diag, NS_ERROR_PARSE, span, "%s", nb_buf_cstr(&buf));
    nb_buf_done(&buf);
    return true;
}

enum { SHOWN_MAX = 40 };

/* How messages call a token that stands in the text. */
static void describe(const struct ns_parser *parser, const struct ns_token *token, struct nb_buf *out)
{
    uint32_t length = token->to - token->from;

    if (token->kind == NS_TOKEN_END)
        nb_buf_text(out, ns_token_text(NS_TOKEN_END));
    else if (token->kind == NS_TOKEN_STRING || length > SHOWN_MAX)
        nb_buf_printf(out, "`%s`", ns_token_text(token->kind));
    else
        nb_buf_printf(out, "`%.*s`", (int)length, parser->text + token->from);
}

static bool is_binary_operator(enum ns_token_kind kind)
{
    return (kind >= NS_TOKEN_PLUS && kind <= NS_TOKEN_OR) || kind == NS_TOKEN_CONCAT || kind == NS_TOKEN_CONS;
}

/* Advice about operators that people expect to work as in other languages. */
static void hint_operator(struct ns_parser *parser, const struct ns_token *token)
{
    enum ns_token_kind kind = token->kind;

    if (token->newline_before && is_binary_operator(kind))
        ns_hint(parser->diag, "an operator cannot start a line; put it at the end of the line before");
    if (kind == NS_TOKEN_PLUS_ASSIGN || kind == NS_TOKEN_MINUS_ASSIGN || kind == NS_TOKEN_STAR_ASSIGN ||
        kind == NS_TOKEN_SLASH_ASSIGN)
        ns_hint(parser->diag, "there is no compound assignment; write `x = x %c …`", ns_token_text(kind)[0]);
}

bool ns_fail_expected(struct ns_parser *parser, const char *what)
{
    const struct ns_token *token = ns_peek(parser);
    struct nb_buf found = NB_BUF_INIT;
    bool reported;

    if (parser->panicking)
        return false;
    describe(parser, token, &found);
    reported = ns_fail(parser, ns_token_span(parser, token), "expected `%s`, found %s", what, nb_buf_cstr(&found));
    nb_buf_done(&found);
    if (reported) {
        hint_operator(parser, token);
        ns_hint_habits(parser, what);
    }
    return reported;
}

/* A keyword where something else has to be is often one that was meant as a name. */
static void hint_keyword(struct ns_parser *parser, const struct ns_token *token)
{
    if (ns_token_is_keyword(token->kind))
        ns_hint(parser->diag, "'%s' is a reserved keyword, it cannot be a name", token->name);
}

bool ns_fail_unexpected(struct ns_parser *parser, const char *what)
{
    const struct ns_token *token = ns_peek(parser);
    struct nb_buf found = NB_BUF_INIT;
    bool reported;

    if (parser->panicking)
        return false;
    describe(parser, token, &found);
    reported = ns_fail(parser, ns_token_span(parser, token), "unexpected %s (expected %s)", nb_buf_cstr(&found), what);
    nb_buf_done(&found);
    if (reported) {
        hint_operator(parser, token);
        hint_keyword(parser, token);
        ns_hint_habits(parser, NULL);
    }
    return reported;
}

/* ---- attempts ---- */

struct ns_trial ns_try_begin(struct ns_parser *parser)
{
    parser->trials++;
    return (struct ns_trial){ parser->at, parser->depth, parser->deepest, parser->panicking };
}

bool ns_try_end(struct ns_parser *parser, struct ns_trial trial)
{
    bool well = !parser->panicking;

    parser->trials--;
    parser->at = trial.at;
    parser->depth = trial.depth;
    parser->deepest = trial.deepest;
    parser->panicking = trial.panicking;
    return well;
}

/* ---- nesting ---- */

static void check_depth(struct ns_parser *parser)
{
    if (parser->deepest > NS_NESTING_MAX)
        ns_fail(parser, ns_token_span(parser, ns_peek_at(parser, parser->at)),
                "this is nested too deeply (more than %d levels)", NS_NESTING_MAX);
}

void ns_enter(struct ns_parser *parser)
{
    parser->depth++;
    if (parser->depth > parser->deepest)
        parser->deepest = parser->depth;
    check_depth(parser);
}

void ns_leave(struct ns_parser *parser)
{
    nb_assert(parser->depth > 0);
    parser->depth--;
}

struct ns_chain ns_chain_begin(struct ns_parser *parser)
{
    struct ns_chain chain = { parser->deepest };

    parser->deepest = parser->depth;
    return chain;
}

void ns_chain_link(struct ns_parser *parser)
{
    parser->deepest++;
    check_depth(parser);
}

void ns_chain_end(struct ns_parser *parser, struct ns_chain chain)
{
    if (parser->deepest < chain.outer)
        parser->deepest = chain.outer;
}

/* ---- lists ---- */

void ns_open(struct ns_parser *parser, struct ns_elements *elements, enum ns_token_kind opener)
{
    elements->opener = parser->at;
    elements->count = 0;
    ns_expect(parser, opener);
    parser->brackets++;
}

void ns_close(struct ns_parser *parser, struct ns_elements *elements)
{
    bool missing = !ns_at(parser, elements->closer);

    parser->brackets--;
    if (missing && ns_fail_expected(parser, ns_token_text(elements->closer)))
        ns_label(parser->diag, ns_token_span(parser, ns_peek_at(parser, elements->opener)), "opened here");
    ns_next(parser);
}

static void check_line(struct ns_parser *parser, const struct ns_elements *elements)
{
    if (!elements->one_line || parser->panicking || !ns_peek(parser)->newline_before || ns_at(parser, NS_TOKEN_END))
        return;
    if (ns_fail(parser, ns_token_span(parser, ns_peek(parser)), "unexpected line break before `%.*s`",
                (int)(ns_peek_at(parser, parser->at)->to - ns_peek_at(parser, parser->at)->from),
                parser->text + ns_peek_at(parser, parser->at)->from))
        ns_hint(parser->diag, "patterns, types and parameter lists stay on one line");
}

bool ns_more(struct ns_parser *parser, struct ns_elements *elements)
{
    check_line(parser, elements);
    if (ns_at(parser, elements->closer) || (elements->stop != NS_TOKEN_END && ns_at(parser, elements->stop))) {
        elements->stopped = !ns_at(parser, elements->closer);
        if (!elements->stopped)
            ns_close(parser, elements);
        return false;
    }
    if (elements->count++ > 0) {
        if (!ns_at(parser, NS_TOKEN_COMMA)) {
            ns_close(parser, elements); /* reports that it is missing */
            return false;
        }
        ns_next(parser);
        check_line(parser, elements);
        if (elements->trailing_comma && ns_at(parser, elements->closer)) {
            ns_close(parser, elements);
            return false;
        }
    }
    if (parser->panicking) {
        parser->brackets--;
        return false;
    }
    return true;
}

void *ns_list_grow(struct ns_parser *parser, void *items, uint32_t count, size_t bytes)
{
    void *bigger;

    if (count != 0 && (count < 4 || (count & (count - 1)) != 0))
        return items; /* there is room: capacities are 4, 8, 16 … */
    bigger = nb_arena_array(parser->arena, count == 0 ? 4 : (size_t)count * 2, bytes);
    if (count > 0)
        memcpy(bigger, items, count * bytes);
    return bigger;
}

/* ---- looking past things ---- */

/* Behind the bracketed group that opens at `index`; 0 if it is not closed. */
static uint32_t skip_group(const struct ns_parser *parser, uint32_t index)
{
    uint32_t match = ns_peek_at(parser, index)->match;

    return match == 0 ? 0 : match + 1;
}

static uint32_t skip_number(const struct ns_parser *parser, uint32_t index)
{
    const struct ns_token *dots = ns_peek_at(parser, index + 1);

    if (dots->kind != NS_TOKEN_DOT_DOT && dots->kind != NS_TOKEN_DOT_DOT_EQUAL)
        return index + 1;
    index += 2;
    return ns_peek_at(parser, index)->kind == NS_TOKEN_MINUS ? index + 2 : index + 1;
}

static uint32_t skip_constructor(const struct ns_parser *parser, uint32_t index)
{
    const struct ns_token *behind = ns_peek_at(parser, index + 1);

    if (!behind->newline_before && (behind->kind == NS_TOKEN_LEFT_PAREN || behind->kind == NS_TOKEN_LEFT_BRACE))
        return skip_group(parser, index + 1);
    return index + 1;
}

static bool is_number(enum ns_token_kind kind) { return kind >= NS_TOKEN_INT && kind <= NS_TOKEN_FLOAT32; }

uint32_t ns_skip_pattern_head(const struct ns_parser *parser, uint32_t index)
{
    enum ns_token_kind kind = ns_peek_at(parser, index)->kind;

    if (ns_is_lower(kind))
        return index + 1;
    if (is_upper(kind))
        return skip_constructor(parser, index);
    if (is_number(kind))
        return skip_number(parser, index);
    switch (kind) {
    case NS_TOKEN_UNDERSCORE:
    case NS_TOKEN_TRUE:
    case NS_TOKEN_FALSE:
    case NS_TOKEN_STRING:
    case NS_TOKEN_CHAR: return index + 1;
    case NS_TOKEN_MINUS: return is_number(ns_peek_at(parser, index + 1)->kind) ? skip_number(parser, index + 1) : 0;
    case NS_TOKEN_LEFT_PAREN:
    case NS_TOKEN_LEFT_BRACKET:
    case NS_TOKEN_LEFT_BRACE: return skip_group(parser, index);
    case NS_TOKEN_PERCENT:
    case NS_TOKEN_HASH:
        return ns_peek_at(parser, index + 1)->kind == NS_TOKEN_LEFT_BRACE ? skip_group(parser, index + 1) : 0;
    case NS_TOKEN_CARET: return ns_is_lower(ns_peek_at(parser, index + 1)->kind) ? index + 2 : 0;
    default: return 0;
    }
}

bool ns_type_then(struct ns_parser *parser, uint32_t index, enum ns_token_kind then)
{
    struct ns_trial trial;

    if (parser->panicking)
        return false;
    trial = ns_try_begin(parser);
    parser->at = index;
    ns_parse_type(parser);
    if (!ns_at_same_line(parser, then))
        parser->panicking = true;
    return ns_try_end(parser, trial);
}

/* ---- going on after an error ---- */

/* Errors are no longer reported one by one: reading on would only cost time. */
static bool has_enough(const struct ns_parser *parser)
{
    return parser->trials > 0 || ns_diag_count(parser->diag) >= NS_DIAG_MAX;
}

void ns_recover_statement(struct ns_parser *parser, uint32_t first, enum ns_token_kind closer)
{
    uint32_t error = parser->at, index = first;

    if (!parser->panicking || has_enough(parser))
        return;
    for (;;) {
        const struct ns_token *token = ns_peek_at(parser, index);

        if (token->kind == NS_TOKEN_END)
            break;
        if (index >= error && (token->kind == closer || token->kind == NS_TOKEN_SEMICOLON ||
                               (index > first && token->newline_before)))
            break;
        index = token->match > index ? token->match + 1 : index + 1;
    }
    parser->at = index;
    parser->panicking = false;
    ns_take(parser, NS_TOKEN_SEMICOLON);
}

/* How far a token that is the first of its line is indented. */
static uint32_t column_of(const struct ns_parser *parser, const struct ns_token *token)
{
    uint32_t column = 0;

    while (column < token->from && parser->text[token->from - column - 1] != '\n')
        column++;
    return column;
}

void ns_recover_item(struct ns_parser *parser, uint32_t first)
{
    uint32_t error = parser->at, index = first;
    uint32_t column = column_of(parser, ns_peek_at(parser, first));

    if (!parser->panicking || has_enough(parser))
        return;
    for (;; index++) {
        const struct ns_token *token = ns_peek_at(parser, index);
        bool closer = token->kind == NS_TOKEN_RIGHT_BRACE || token->kind == NS_TOKEN_RIGHT_PAREN ||
                      token->kind == NS_TOKEN_RIGHT_BRACKET;

        if (token->kind == NS_TOKEN_END)
            break;
        if (index > first && index >= error && token->newline_before && !closer && column_of(parser, token) <= column)
            break;
    }
    parser->at = index;
    parser->panicking = false;
}

/* ---- the door ---- */

void ns_parser_begin(struct ns_parser *parser, struct nb_arena *arena, const struct ns_source *source,
                     struct ns_diag *diag, const struct ns_references *references)
{
    struct ns_tokens tokens = ns_lex(arena, source, source->text, source->length, NULL, diag);

    *parser = (struct ns_parser){ .diag = diag,
                                  .arena = arena,
                                  .source = source,
                                  .references = references,
                                  .text = source->text,
                                  .tokens = tokens.items,
                                  .count = tokens.count,
                                  .comments = tokens.comments };
    ns_note_references(parser);
}

struct ns_file *ns_parse(struct nb_arena *arena, const struct ns_source *source, struct ns_diag *diag,
                         const struct ns_references *references)
{
    struct ns_file *file = nb_arena_alloc(arena, sizeof *file);
    struct ns_parser parser;

    ns_parser_begin(&parser, arena, source, diag, references);
    file->source = source;
    file->comments = parser.comments;
    file->items = ns_parse_items(&parser, NS_TOKEN_END);
    return file;
}

/* ---- texts made by templates ---- */

static bool parse_definitions(struct ns_parser *parser, struct ns_fragment *fragment)
{
    fragment->items = ns_parse_items(parser, NS_TOKEN_END);
    return fragment->items.count > 0;
}

static bool parse_statements(struct ns_parser *parser, struct ns_fragment *fragment)
{
    fragment->items = (struct ns_item_list){ NULL, 0 };
    fragment->statements = ns_parse_statements(parser, NS_TOKEN_END);
    return fragment->statements.count > 0;
}

bool ns_parse_fragment(struct nb_arena *arena, const char *text, uint32_t length, struct ns_span place, uint32_t depth,
                       const struct ns_references *references, struct ns_fragment *ret_fragment)
{
    bool (*const readings[])(struct ns_parser *, struct ns_fragment *) = { parse_definitions, parse_statements };
    struct ns_source source = { .file = "", .module = "", .text = text, .length = length };
    struct ns_tokens tokens = ns_lex(arena, &source, text, length, NULL, NULL);
    struct ns_parser start = { .arena = arena,
                               .source = &source,
                               .references = references,
                               .text = text,
                               .place = &place,
                               .tokens = tokens.items,
                               .count = tokens.count,
                               .depth = depth,
                               .deepest = depth };
    bool well = false;

    for (unsigned i = 0; i < 2 && !tokens.failed && !well; i++) {
        struct ns_parser parser = start;

        parser.diag = ns_diag_new();
        memset(ret_fragment, 0, sizeof *ret_fragment);
        well = readings[i](&parser, ret_fragment) && ns_diag_count(parser.diag) == 0 &&
               ns_peek_at(&parser, parser.at)->kind == NS_TOKEN_END;
        ns_diag_free(parser.diag);
    }
    if (well)
        ns_note_references(&start);
    return well;
}
