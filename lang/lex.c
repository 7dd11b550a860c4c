/*
 * lex.c - the lexer: one pass over the bytes, then one over the brackets.
 *
 * Numbers: a suffix counts only if no identifier goes on behind it (`9n` is a BigInt, `9next` is 9 and next), an
 * exponent only behind a fraction, and right behind a single dot digits are a tuple position (`t.0.1` is two of them).
 * Strings are only delimited here (lex_string.c); their escapes and `${…}` are read by the parser, which knows whether
 * it is in a pattern.
 */
#include "config.h"

#include "lang/lex.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/intern.h"
#include "base/utf8.h"
#include "base/vec.h"

struct lexer {
    struct nb_arena *arena;
    struct ns_diag *diag;
    const struct ns_source *source;
    const char *text;
    uint32_t length;
    const uint32_t *map;
    uint32_t at;
    bool newline;  /* one was seen since the last token */
    unsigned failures;
    NB_VEC(struct ns_token) tokens;
    NB_VEC(struct ns_comment) comments;
};

static const struct { const char *text; bool keyword; } kinds[] = {
#define TOKEN(name, words) [NS_TOKEN_##name] = { words, false },
#define KEYWORD(name, words) [NS_TOKEN_##name] = { words, true },
#define MARK(name, words) [NS_TOKEN_##name] = { words, false },
#include "lang/tokens.def"
#undef TOKEN
#undef KEYWORD
#undef MARK
};

const char *ns_token_text(enum ns_token_kind kind)
{
    nb_assert(kind < NS_TOKEN_COUNT);
    return kinds[kind].text;
}

bool ns_token_is_keyword(enum ns_token_kind kind)
{
    nb_assert(kind < NS_TOKEN_COUNT);
    return kinds[kind].keyword;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_lower(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_word(char c) { return is_lower(c) || is_upper(c) || is_digit(c); }

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The byte at an offset from here; NUL behind the end. */
static char peek(const struct lexer *lexer, uint32_t offset)
{
    return offset < lexer->length - lexer->at ? lexer->text[lexer->at + offset] : '\0';
}

static struct ns_span span_of(const struct lexer *lexer, uint32_t from, uint32_t to)
{
    struct ns_span span = { lexer->source, from, to };

    if (lexer->map != NULL) {
        span.from = lexer->map[from];
        span.to = lexer->map[to];
    }
    return span;
}

/* Note an error. Returns the diag to report it to, or NULL when nobody listens. */
static struct ns_diag *fail(struct lexer *lexer)
{
    lexer->failures++;
    return lexer->diag;
}

/* Whether going on makes no sense. Each literal without an end costs a look at all that follows, so that many of them
 * must not be looked for. */
static bool has_enough(const struct lexer *lexer)
{
    return lexer->failures > (lexer->diag == NULL ? 0 : NS_DIAG_MAX);
}

static struct ns_token *add(struct lexer *lexer, enum ns_token_kind kind, uint32_t from)
{
    struct ns_token token = { .kind = (uint8_t)kind, .newline_before = lexer->newline, .from = from, .to = lexer->at };

    lexer->newline = false;
    nb_vec_push(&lexer->tokens, token);
    return &nb_vec_last(&lexer->tokens);
}

/* ---- white space and comments ---- */

static void line_comment(struct lexer *lexer)
{
    struct ns_comment comment;
    uint32_t from = lexer->at;

    while (lexer->at < lexer->length && lexer->text[lexer->at] != '\n')
        lexer->at++;
    comment.span = span_of(lexer, from, lexer->at);
    nb_vec_push(&lexer->comments, comment);
}

static void block_comment(struct lexer *lexer)
{
    struct ns_comment comment;
    uint32_t from = lexer->at;
    struct ns_diag *diag;

    for (lexer->at += 2; lexer->at < lexer->length; lexer->at++) {
        if (lexer->text[lexer->at] != '*' || peek(lexer, 1) != '#')
            continue;
        lexer->at += 2;
        comment.span = span_of(lexer, from, lexer->at);
        nb_vec_push(&lexer->comments, comment);
        return;
    }
    diag = fail(lexer);
    if (diag != NULL)
        ns_error(diag, NS_ERROR_PARSE, span_of(lexer, from, from + 2), "block comment is not closed; expected `*#`");
}

/* Go to the next token. Line feeds inside block comments do not count. */
static void skip_space(struct lexer *lexer)
{
    while (lexer->at < lexer->length) {
        char c = lexer->text[lexer->at];

        if (c == '#' && peek(lexer, 1) == '*') {
            block_comment(lexer);
        } else if (c == '#' && peek(lexer, 1) != '{') {
            line_comment(lexer);
        } else if (c == '\n') {
            lexer->newline = true;
            lexer->at++;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            lexer->at++;
        } else {
            return;
        }
    }
}

/* ---- words ---- */

static enum ns_token_kind keyword_of(const char *spelled, size_t length)
{
    for (int kind = NS_TOKEN_TYPE; kind <= NS_TOKEN_FALSE; kind++) {
        const char *text = kinds[kind].text;

        if (text[0] == spelled[0] && strncmp(text, spelled, length) == 0 && text[length] == '\0')
            return (enum ns_token_kind)kind;
    }
    return NS_TOKEN_END;
}

static void word(struct lexer *lexer)
{
    uint32_t from = lexer->at;
    const char *start = lexer->text + from;
    enum ns_token_kind kind;
    size_t length;

    while (is_word(peek(lexer, 0)))
        lexer->at++;
    length = lexer->at - from;
    if (length == 1 && *start == '_') {
        add(lexer, NS_TOKEN_UNDERSCORE, from);
        return;
    }
    kind = keyword_of(start, length);
    if (kind == NS_TOKEN_END)
        kind = is_upper(*start) ? NS_TOKEN_UPPER : NS_TOKEN_LOWER;
    add(lexer, kind, from)->name = nb_intern_n(start, length);
}

/* ---- numbers ---- */

static const struct {
    const char *suffix;
    enum ns_token_kind kind;
} integer_suffixes[] = {
    { "i8", NS_TOKEN_INT8 },   { "i16", NS_TOKEN_INT16 },   { "i32", NS_TOKEN_INT32 },
    { "u8", NS_TOKEN_UINT8 },  { "u16", NS_TOKEN_UINT16 },  { "u32", NS_TOKEN_UINT32 },
    { "u64", NS_TOKEN_UINT64 }, { "n", NS_TOKEN_BIGINT },   { "d", NS_TOKEN_DECIMAL },
};

/* Take a suffix if it stands here and no word goes on behind it. */
static bool take_suffix(struct lexer *lexer, const char *suffix)
{
    size_t length = strlen(suffix);

    if (lexer->length - lexer->at < length || memcmp(lexer->text + lexer->at, suffix, length) != 0)
        return false;
    if (is_word(peek(lexer, (uint32_t)length)))
        return false;
    lexer->at += (uint32_t)length;
    return true;
}

static void take_digits(struct lexer *lexer)
{
    while (is_digit(peek(lexer, 0)) || peek(lexer, 0) == '_')
        lexer->at++;
}

static unsigned digit_value(char c)
{
    if (is_digit(c))
        return (unsigned)(c - '0');
    return (unsigned)((c | 0x20) - 'a' + 10);
}

/* The value of digits in a base. Returns false if it does not fit. */
static bool value_of(const char *digits, uint32_t length, unsigned base, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < length; i++) {
        if (digits[i] == '_')
            continue;
        if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit_value(digits[i]), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

/* Add an integer token whose digits are text[digits, end). What is too large for its type is said by the parser, which
 * knows the sign; what is too large for 64 bits is said here. */
static void add_integer(struct lexer *lexer, enum ns_token_kind kind, uint32_t from, uint32_t digits, uint32_t end,
                        unsigned base)
{
    uint64_t value = 0;
    struct ns_diag *diag;

    if (!value_of(lexer->text + digits, end - digits, base, &value) || (kind == NS_TOKEN_INT && value > INT64_MAX)) {
        diag = fail(lexer);
        if (diag != NULL)
            ns_error(diag, NS_ERROR_PARSE, span_of(lexer, from, lexer->at),
                     "integer literal `%.*s` is too large (an Int is at most 9223372036854775807)",
                     (int)(lexer->at - from < 80 ? lexer->at - from : 80), lexer->text + from);
        value = 0;
    }
    add(lexer, kind, from)->integer = value;
}

/* 0x… and 0b…: true if one was taken. */
static bool radix_number(struct lexer *lexer)
{
    uint32_t from = lexer->at;
    char mark = (char)(peek(lexer, 1) | 0x20);
    char first = peek(lexer, 2);

    if (peek(lexer, 0) != '0')
        return false;
    if (mark == 'x' && is_hex(first)) {
        for (lexer->at += 2; is_hex(peek(lexer, 0)) || peek(lexer, 0) == '_';)
            lexer->at++;
        add_integer(lexer, NS_TOKEN_INT, from, from + 2, lexer->at, 16);
        return true;
    }
    if (mark == 'b' && (first == '0' || first == '1')) {
        for (lexer->at += 2; peek(lexer, 0) == '0' || peek(lexer, 0) == '1' || peek(lexer, 0) == '_';)
            lexer->at++;
        add_integer(lexer, NS_TOKEN_INT, from, from + 2, lexer->at, 2);
        return true;
    }
    return false;
}

static void whole_number(struct lexer *lexer, uint32_t from)
{
    uint32_t end = lexer->at;

    for (size_t i = 0; i < sizeof integer_suffixes / sizeof *integer_suffixes; i++) {
        if (!take_suffix(lexer, integer_suffixes[i].suffix))
            continue;
        if (integer_suffixes[i].kind == NS_TOKEN_BIGINT || integer_suffixes[i].kind == NS_TOKEN_DECIMAL)
            add(lexer, integer_suffixes[i].kind, from);
        else
            add_integer(lexer, integer_suffixes[i].kind, from, from, end, 10);
        return;
    }
    add_integer(lexer, NS_TOKEN_INT, from, from, end, 10);
}

static void fraction(struct lexer *lexer, uint32_t from)
{
    uint32_t sign;

    lexer->at++; /* the dot */
    take_digits(lexer);
    if (take_suffix(lexer, "d")) {
        add(lexer, NS_TOKEN_DECIMAL, from);
        return;
    }
    if (peek(lexer, 0) == 'e' || peek(lexer, 0) == 'E') {
        sign = peek(lexer, 1) == '+' || peek(lexer, 1) == '-';
        if (is_digit(peek(lexer, 1 + sign))) {
            lexer->at += 1 + sign;
            take_digits(lexer);
        }
    }
    add(lexer, take_suffix(lexer, "f32") ? NS_TOKEN_FLOAT32 : NS_TOKEN_FLOAT, from);
}

static void number(struct lexer *lexer)
{
    uint32_t from = lexer->at;
    bool position = lexer->tokens.count > 0 && nb_vec_last(&lexer->tokens).kind == NS_TOKEN_DOT;

    if (radix_number(lexer))
        return;
    take_digits(lexer);
    if (position)
        add_integer(lexer, NS_TOKEN_INT, from, from, lexer->at, 10);
    else if (peek(lexer, 0) == '.' && is_digit(peek(lexer, 1)))
        fraction(lexer, from);
    else
        whole_number(lexer, from);
}

/* ---- strings and characters ---- */

/* Whether text between single quotes is exactly one character or one escape. */
static bool is_one_character(const char *text, uint32_t length)
{
    uint32_t code_point;

    if (length == 2 && text[0] == '\\')
        return true;
    return length > 0 && text[0] != '\\' && nb_utf8_decode(text, length, &code_point) == length;
}

/* `from` starts a literal that does not end: say so, and go on behind this line. */
static void unterminated(struct lexer *lexer, const char *what)
{
    uint32_t from = lexer->at;
    struct ns_diag *diag = fail(lexer);

    if (diag != NULL)
        ns_error(diag, NS_ERROR_PARSE, span_of(lexer, from, from + 1), "%s is not closed", what);
    while (lexer->at < lexer->length && lexer->text[lexer->at] != '\n')
        lexer->at++;
    add(lexer, NS_TOKEN_STRING, from);
}

static void single_quoted(struct lexer *lexer)
{
    uint32_t from = lexer->at;
    uint32_t end = ns_lex_string_end(lexer->text, lexer->length, from);
    struct ns_diag *diag;

    if (end == 0) {
        unterminated(lexer, "character literal");
        return;
    }
    lexer->at = end;
    if (is_one_character(lexer->text + from + 1, end - from - 2)) {
        if (lexer->text[from + 1] == '\\' && ns_lex_escape(lexer->text[from + 2]) < 0) {
            diag = fail(lexer);
            if (diag != NULL)
                ns_error(diag, NS_ERROR_PARSE, span_of(lexer, from, end), "unknown escape `%.*s`", 2,
                         lexer->text + from + 1);
        }
        add(lexer, NS_TOKEN_CHAR, from);
        return;
    }
    if (end - from == 2) {
        diag = fail(lexer);
        if (diag != NULL)
            ns_error(diag, NS_ERROR_PARSE, span_of(lexer, from, end), "empty character literal");
    }
    add(lexer, NS_TOKEN_STRING, from);
}

static void double_quoted(struct lexer *lexer)
{
    uint32_t from = lexer->at;
    uint32_t end = ns_lex_string_end(lexer->text, lexer->length, from);

    if (end == 0) {
        unterminated(lexer, "string literal");
        return;
    }
    lexer->at = end;
    add(lexer, NS_TOKEN_STRING, from);
}

/* ---- marks ---- */

/* The longest mark that stands here, or END. `_` is a word. */
static enum ns_token_kind mark_here(const struct lexer *lexer)
{
    static const struct { enum ns_token_kind kind; const char *text; } marks[] = {
#define TOKEN(name, text)
#define KEYWORD(name, text)
#define MARK(name, text) { NS_TOKEN_##name, text },
#include "lang/tokens.def"
#undef TOKEN
#undef KEYWORD
#undef MARK
    };
    enum ns_token_kind best = NS_TOKEN_END;
    size_t best_length = 0;

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t length;

        if (marks[i].text[0] != lexer->text[lexer->at])
            continue;
        length = strlen(marks[i].text);
        if (length > best_length && length <= lexer->length - lexer->at &&
            memcmp(lexer->text + lexer->at, marks[i].text, length) == 0) {
            best = marks[i].kind;
            best_length = length;
        }
    }
    return best;
}

static void unknown_character(struct lexer *lexer)
{
    uint32_t from = lexer->at, code_point;
    struct ns_diag *diag = fail(lexer);

    lexer->at += (uint32_t)nb_utf8_decode(lexer->text + from, lexer->length - from, &code_point);
    if (diag == NULL)
        return;
    if (code_point < 0x20 || code_point == 0x7f)
        ns_error(diag, NS_ERROR_PARSE, span_of(lexer, from, lexer->at), "unexpected character with code %u",
                 (unsigned)code_point);
    else
        ns_error(diag, NS_ERROR_PARSE, span_of(lexer, from, lexer->at), "unexpected character `%.*s`",
                 (int)(lexer->at - from), lexer->text + from);
    if (code_point == '&')
        ns_hint(diag, "did you mean `&&`?");
}

static void one_token(struct lexer *lexer)
{
    char c = lexer->text[lexer->at];
    uint32_t from = lexer->at;
    enum ns_token_kind mark;

    if (is_lower(c) || is_upper(c)) {
        word(lexer);
        return;
    }
    if (is_digit(c)) {
        number(lexer);
        return;
    }
    if (c == '"') {
        double_quoted(lexer);
        return;
    }
    if (c == '\'') {
        single_quoted(lexer);
        return;
    }
    mark = mark_here(lexer);
    if (mark == NS_TOKEN_END) {
        unknown_character(lexer);
        return;
    }
    lexer->at += (uint32_t)strlen(kinds[mark].text);
    add(lexer, mark, from);
}

/* ---- brackets ---- */

static enum ns_token_kind closer_of(uint8_t kind)
{
    switch (kind) {
    case NS_TOKEN_LEFT_PAREN: return NS_TOKEN_RIGHT_PAREN;
    case NS_TOKEN_LEFT_BRACKET: return NS_TOKEN_RIGHT_BRACKET;
    case NS_TOKEN_LEFT_BRACE: return NS_TOKEN_RIGHT_BRACE;
    default: return NS_TOKEN_END;
    }
}

static bool is_closer(uint8_t kind)
{
    return kind == NS_TOKEN_RIGHT_PAREN || kind == NS_TOKEN_RIGHT_BRACKET || kind == NS_TOKEN_RIGHT_BRACE;
}

/* A closing bracket belongs to the innermost open one if that is of its sort. If not, one of the two is a mistake: a
 * brace closes what is open inside it, other closing brackets are passed over. The parser will say what is wrong. */
static void match_brackets(struct ns_token *tokens, uint32_t count)
{
    NB_VEC(uint32_t) open = NB_VEC_INIT;

    for (uint32_t i = 0; i < count; i++) {
        if (closer_of(tokens[i].kind) != NS_TOKEN_END) {
            nb_vec_push(&open, i);
            continue;
        }
        if (!is_closer(tokens[i].kind))
            continue;
        if (tokens[i].kind == NS_TOKEN_RIGHT_BRACE)
            while (open.count > 0 && tokens[nb_vec_last(&open)].kind != NS_TOKEN_LEFT_BRACE)
                (void)nb_vec_pop(&open);
        if (open.count > 0 && closer_of(tokens[nb_vec_last(&open)].kind) == tokens[i].kind)
            tokens[nb_vec_pop(&open)].match = i;
    }
    nb_vec_done(&open);
}

static struct ns_tokens take_result(struct lexer *lexer)
{
    struct ns_tokens result = { .count = (uint32_t)lexer->tokens.count, .failed = lexer->failures > 0 };

    result.items = nb_arena_array(lexer->arena, lexer->tokens.count, sizeof *result.items);
    memcpy(result.items, lexer->tokens.items, lexer->tokens.count * sizeof *result.items);
    result.comments.count = (uint32_t)lexer->comments.count;
    if (lexer->comments.count > 0) {
        result.comments.items = nb_arena_array(lexer->arena, lexer->comments.count, sizeof *result.comments.items);
        memcpy(result.comments.items, lexer->comments.items, lexer->comments.count * sizeof *result.comments.items);
    }
    nb_vec_done(&lexer->tokens);
    nb_vec_done(&lexer->comments);
    return result;
}

struct ns_tokens ns_lex(struct nb_arena *arena, const struct ns_source *source, const char *text, uint32_t length,
                        const uint32_t *map, struct ns_diag *diag)
{
    struct lexer lexer = { .arena = arena, .diag = diag, .source = source, .text = text, .length = length, .map = map };

    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        lexer.at = 3; /* a byte order mark */
    for (;;) {
        skip_space(&lexer);
        if (lexer.at >= lexer.length || has_enough(&lexer))
            break;
        one_token(&lexer);
    }
    add(&lexer, NS_TOKEN_END, length);
    match_brackets(lexer.tokens.items, (uint32_t)lexer.tokens.count);
    return take_result(&lexer);
}
