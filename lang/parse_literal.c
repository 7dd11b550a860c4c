/*
 * parse_literal.c - numbers, characters, strings and what is interpolated into them.
 *
 * A string is read in two steps. First its escapes are replaced; if there is a `${`, each byte of the result remembers
 * the byte of the source it comes from. Then every `${…}` is parsed by a parser of its own over the result. What is not
 * exactly one expression stays text, `${` and `}` included; that is no error.
 */
#include "config.h"

#include "lang/parse_private.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "vm/number.h"

/* Strings in `${…}` of strings in `${…}` of …: each level is copied once more. The lexer follows 32 levels. */
enum { STRINGS_MAX = 31 };

/* ---- numbers ---- */

static const struct {
    enum ns_literal_kind kind;
    const char *name;
    int64_t least;
    uint64_t most;
} integer_types[] = {
    [NS_TOKEN_INT8] = { NS_LITERAL_INT8, "Int8", INT8_MIN, INT8_MAX },
    [NS_TOKEN_INT16] = { NS_LITERAL_INT16, "Int16", INT16_MIN, INT16_MAX },
    [NS_TOKEN_INT32] = { NS_LITERAL_INT32, "Int32", INT32_MIN, INT32_MAX },
    [NS_TOKEN_UINT8] = { NS_LITERAL_UINT8, "UInt8", 0, UINT8_MAX },
    [NS_TOKEN_UINT16] = { NS_LITERAL_UINT16, "UInt16", 0, UINT16_MAX },
    [NS_TOKEN_UINT32] = { NS_LITERAL_UINT32, "UInt32", 0, UINT32_MAX },
    [NS_TOKEN_UINT64] = { NS_LITERAL_UINT64, "UInt64", 0, UINT64_MAX },
};

static bool is_sized(enum ns_token_kind kind) { return kind >= NS_TOKEN_INT8 && kind <= NS_TOKEN_UINT64; }

/* Whether a value of 0 or more, negated if so wanted, fits into a sized type. */
static bool fits(enum ns_token_kind kind, bool negative, uint64_t value)
{
    if (!negative)
        return value <= integer_types[kind].most;
    return value <= (uint64_t)-integer_types[kind].least;
}

bool ns_at_negative_literal(const struct ns_parser *parser)
{
    const struct ns_token *number = ns_peek_at(parser, parser->at + 1);

    return ns_at(parser, NS_TOKEN_MINUS) && is_sized(number->kind) && fits(number->kind, true, number->integer);
}

static void sized_literal(struct ns_parser *parser, bool negative, struct ns_literal *literal)
{
    const struct ns_token *token = ns_next(parser);
    enum ns_token_kind kind = token->kind;

    literal->kind = integer_types[kind].kind;
    literal->integer = (int64_t)(negative ? -token->integer : token->integer);
    if (!fits(kind, negative, token->integer))
        ns_fail(parser, ns_token_span(parser, token),
                "integer literal `%s%.*s` is out of range for %s (valid range: %lld to %llu)", negative ? "-" : "",
                (int)(token->to - token->from), parser->text + token->from, integer_types[kind].name,
                (long long)integer_types[kind].least, (unsigned long long)integer_types[kind].most);
}

/* The digits of a number without underscores and without the suffix, a sign in front. */
static void digits(const struct ns_parser *parser, const struct ns_token *token, uint32_t suffix, bool negative,
                   struct nb_buf *out)
{
    if (negative)
        nb_buf_byte(out, '-');
    for (uint32_t i = token->from; i < token->to - suffix; i++)
        if (parser->text[i] != '_')
            nb_buf_byte(out, parser->text[i]);
}

/* BigInts and Decimals have bounds that only their digits tell. */
static bool has_value(enum ns_literal_kind kind, const char *text, size_t length)
{
    vm_value value = (kind == NS_LITERAL_BIGINT ? vm_bigint_from_text : vm_decimal_from_text)(NULL, text, length);

    if (value == VM_NONE)
        return false;
    nb_free(vm_object(value));
    return true;
}

static void text_literal(struct ns_parser *parser, enum ns_literal_kind kind, bool negative, struct ns_literal *literal)
{
    const struct ns_token *token = ns_next(parser);
    struct nb_buf buf = NB_BUF_INIT;

    digits(parser, token, 1, negative, &buf);
    literal->kind = kind;
    literal->text = nb_arena_strndup(parser->arena, nb_buf_cstr(&buf), buf.length);
    literal->length = (uint32_t)buf.length;
    nb_buf_done(&buf);
    if (!has_value(kind, literal->text, literal->length))
        ns_fail(parser, ns_token_span(parser, token), "literal is out of range for %s",
                kind == NS_LITERAL_BIGINT ? "BigInt (at most 4194304 digits)"
                                          : "Decimal (at most 28 digits)");
}

static locale_t plain_locale;
static void make_plain_locale(void) { plain_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0); }

/* strtod() reads a decimal comma where the locale says so; programs are written with points. */
static double read_double(const char *text)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_plain_locale);
    return plain_locale != (locale_t)0 ? strtod_l(text, NULL, plain_locale) : strtod(text, NULL);
}

static void real_literal(struct ns_parser *parser, bool negative, struct ns_literal *literal)
{
    bool narrow = ns_at(parser, NS_TOKEN_FLOAT32);
    struct nb_buf buf = NB_BUF_INIT;

    digits(parser, ns_next(parser), narrow ? 3 : 0, negative, &buf);
    literal->kind = narrow ? NS_LITERAL_FLOAT32 : NS_LITERAL_FLOAT;
    literal->real = read_double(nb_buf_cstr(&buf));
    if (narrow)
        literal->real = (double)(float)literal->real;
    nb_buf_done(&buf);
}

static void character_literal(struct ns_parser *parser, struct ns_literal *literal)
{
    const struct ns_token *token = ns_next(parser);
    const char *text = parser->text + token->from + 1;
    uint32_t length = token->to - token->from - 2;

    literal->kind = NS_LITERAL_CHAR;
    if (text[0] == '\\')
        literal->character = (uint32_t)(ns_lex_escape(text[1]) & 0xff);
    else
        nb_utf8_decode(text, length, &literal->character);
}

bool ns_parse_literal(struct ns_parser *parser, bool negative, struct ns_literal *ret_literal)
{
    enum ns_token_kind kind = ns_peek(parser)->kind;

    memset(ret_literal, 0, sizeof *ret_literal);
    if (is_sized(kind)) {
        sized_literal(parser, negative, ret_literal);
        return true;
    }
    switch (kind) {
    case NS_TOKEN_INT:
        ret_literal->kind = NS_LITERAL_INT;
        ret_literal->integer = (int64_t)ns_next(parser)->integer * (negative ? -1 : 1);
        return true;
    case NS_TOKEN_BIGINT: text_literal(parser, NS_LITERAL_BIGINT, negative, ret_literal); return true;
    case NS_TOKEN_DECIMAL: text_literal(parser, NS_LITERAL_DECIMAL, negative, ret_literal); return true;
    case NS_TOKEN_FLOAT:
    case NS_TOKEN_FLOAT32: real_literal(parser, negative, ret_literal); return true;
    case NS_TOKEN_CHAR: character_literal(parser, ret_literal); return true;
    case NS_TOKEN_TRUE:
    case NS_TOKEN_FALSE:
        ret_literal->kind = NS_LITERAL_BOOL;
        ret_literal->boolean = ns_next(parser)->kind == NS_TOKEN_TRUE;
        return true;
    default: return false;
    }
}

/* ---- strings ---- */

/* A string without its quotes and escapes. */
struct decoded {
    const char *text; /* in the arena, NUL-terminated */
    uint32_t length;
    uint32_t *map;    /* length + 1 places in the parser's text (allocated), or NULL if nothing is interpolated */
};

static bool has_interpolation(const char *text, uint32_t length)
{
    for (uint32_t i = 0; i + 1 < length; i++)
        if (text[i] == '$' && text[i + 1] == '{')
            return true;
    return false;
}

/* Replace the escapes of text[from, to) of the parser's text. */
static struct decoded decode(struct ns_parser *parser, uint32_t from, uint32_t to, bool interpolate)
{
    const char *text = parser->text;
    char *out = nb_arena_alloc(parser->arena, (size_t)(to - from) + 1);
    struct decoded decoded = { .text = out };

    if (interpolate && has_interpolation(text + from, to - from))
        decoded.map = nb_xalloc_array((size_t)(to - from) + 1, sizeof *decoded.map);
    while (from < to) {
        int escaped = text[from] == '\\' && from + 1 < to ? ns_lex_escape(text[from + 1]) : -1;

        if (decoded.map != NULL)
            decoded.map[decoded.length] = from;
        out[decoded.length++] = escaped >= 0 ? (char)escaped : text[from];
        from += escaped >= 0 ? 2 : 1;
    }
    if (decoded.map != NULL)
        decoded.map[decoded.length] = to;
    return decoded;
}

/* The bytes between the quotes of a string token. One that was not closed has none. */
static struct decoded decode_token(struct ns_parser *parser, const struct ns_token *token, bool interpolate)
{
    uint32_t to = token->to;

    if (to - token->from < 2 || parser->text[to - 1] != parser->text[token->from])
        return (struct decoded){ .text = "" };
    return decode(parser, token->from + 1, to - 1, interpolate);
}

struct ns_literal ns_parse_plain_string(struct ns_parser *parser)
{
    const struct ns_token *token = ns_expect(parser, NS_TOKEN_STRING);
    struct ns_literal literal = { .kind = NS_LITERAL_STRING, .text = "" };
    struct decoded decoded;

    if (token->kind != NS_TOKEN_STRING)
        return literal;
    decoded = decode_token(parser, token, false);
    literal.text = decoded.text;
    literal.length = decoded.length;
    return literal;
}

/* Parse the inside of a `${…}`, which is `length` bytes at `from` of the decoded text. NULL: it is no expression. */
static struct ns_expr *parse_interpolation(struct ns_parser *outer, const struct decoded *decoded, uint32_t from,
                                           uint32_t length)
{
    struct ns_parser parser = *outer;
    uint32_t *map = nb_xalloc_array((size_t)length + 1, sizeof *map);
    struct ns_expr *expr = NULL;
    struct ns_tokens tokens;

    for (uint32_t i = 0; i <= length; i++)
        map[i] = outer->map != NULL ? outer->map[decoded->map[from + i]] : decoded->map[from + i];
    tokens = ns_lex(outer->arena, outer->source, decoded->text + from, length, map, NULL);
    parser.text = decoded->text + from;
    parser.map = map;
    parser.tokens = tokens.items;
    parser.count = tokens.count;
    parser.at = parser.brackets = parser.guard_brackets = parser.statement_at = 0;
    parser.trials = 1;
    parser.strings++;
    if (!tokens.failed) {
        expr = ns_parse_expression(&parser);
        if (!ns_at(&parser, NS_TOKEN_END) || parser.panicking)
            expr = NULL;
    }
    if (expr != NULL) {
        ns_note_references(&parser);
        outer->deepest = parser.deepest;
    }
    nb_free(map);
    return expr;
}

static void add_text(struct ns_parser *parser, struct ns_part_list *parts, const struct decoded *decoded, uint32_t from,
                     uint32_t to)
{
    struct ns_part part = { .length = to - from };

    if (to == from)
        return;
    part.text = nb_arena_strndup(parser->arena, decoded->text + from, to - from);
    ns_push(parser, parts, part);
}

/* Split a decoded string into text and expressions. */
static struct ns_part_list split(struct ns_parser *parser, const struct decoded *decoded)
{
    struct ns_part_list parts = { NULL, 0 };
    uint32_t text_from = 0, at = 0;

    while (at + 1 < decoded->length) {
        struct ns_part part = { .expr = NULL };
        uint32_t end;

        if (decoded->text[at] != '$' || decoded->text[at + 1] != '{') {
            at++;
            continue;
        }
        end = ns_lex_interpolation_end(decoded->text, decoded->length, at);
        if (end == 0)
            break;
        part.expr = parse_interpolation(parser, decoded, at + 2, end - 1 - (at + 2));
        if (part.expr != NULL) {
            add_text(parser, &parts, decoded, text_from, at);
            ns_push(parser, &parts, part);
            text_from = end;
        }
        at = end;
    }
    add_text(parser, &parts, decoded, text_from, decoded->length);
    return parts;
}

static bool holds_expression(const struct ns_part_list *parts)
{
    for (uint32_t i = 0; i < parts->count; i++)
        if (parts->items[i].expr != NULL)
            return true;
    return false;
}

struct ns_expr *ns_parse_string(struct ns_parser *parser)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_LITERAL, parser->at);
    const struct ns_token *token = ns_expect(parser, NS_TOKEN_STRING);
    struct decoded decoded;

    expr->literal.kind = NS_LITERAL_STRING;
    expr->literal.text = "";
    if (token->kind != NS_TOKEN_STRING)
        return expr;
    expr->span = ns_token_span(parser, token);
    decoded = decode_token(parser, token, true);
    expr->literal.text = decoded.text;
    expr->literal.length = decoded.length;
    if (decoded.map == NULL)
        return expr;
    if (parser->strings >= STRINGS_MAX) {
        ns_fail(parser, expr->span, "strings are nested too deeply in `${…}` (more than %d levels)", STRINGS_MAX);
    } else {
        struct ns_part_list parts = split(parser, &decoded);

        if (holds_expression(&parts)) {
            expr->kind = NS_EXPR_INTERPOLATION;
            expr->parts = parts;
        }
    }
    nb_free(decoded.map);
    return expr;
}

/* ---- names that may come from the library ---- */

static void note_path(const struct ns_parser *parser, uint32_t first)
{
    struct nb_buf path = NB_BUF_INIT;

    nb_buf_text(&path, ns_peek_at(parser, first)->name);
    for (uint32_t i = first + 1; ns_peek_at(parser, i)->kind == NS_TOKEN_DOT; i += 2) {
        const struct ns_token *name = ns_peek_at(parser, i + 1);

        if (name->kind != NS_TOKEN_LOWER && name->kind != NS_TOKEN_UPPER)
            break;
        nb_buf_byte(&path, '.');
        nb_buf_text(&path, name->name);
    }
    nb_map_set(parser->references->paths, nb_buf_cstr(&path), NULL);
    nb_buf_done(&path);
}

void ns_note_references(const struct ns_parser *parser)
{
    if (parser->references == NULL)
        return;
    for (uint32_t i = 0; i < parser->count; i++) {
        const struct ns_token *token = &parser->tokens[i];
        enum ns_token_kind behind;

        if (token->kind == NS_TOKEN_LOWER && strcmp(token->name, "stdlib") == 0)
            note_path(parser, i);
        if (token->kind != NS_TOKEN_UPPER)
            continue;
        nb_map_set(parser->references->uppers, token->name, NULL);
        behind = ns_peek_at(parser, i + 1)->kind;
        if (behind == NS_TOKEN_LEFT_PAREN || behind == NS_TOKEN_LEFT_BRACE)
            nb_map_set(parser->references->upper_calls, token->name, NULL);
    }
}
