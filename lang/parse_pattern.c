/*
 * parse_pattern.c - patterns. They stay on one line.
 */
#include "config.h"

#include "lang/parse_private.h"

#include "base/intern.h"

static struct ns_pattern *new_pattern(struct ns_parser *parser, enum ns_pattern_kind kind, uint32_t first)
{
    struct ns_pattern *pattern = nb_arena_alloc(parser->arena, sizeof *pattern);

    pattern->kind = kind;
    pattern->span = ns_span_since(parser, first);
    return pattern;
}

/* Whether a range goes on behind the number at `index`. */
static bool dots_behind(const struct ns_parser *parser, uint32_t index)
{
    const struct ns_token *token = ns_peek_at(parser, index + 1);

    return token->kind == NS_TOKEN_DOT_DOT || token->kind == NS_TOKEN_DOT_DOT_EQUAL;
}

static int64_t parse_bound(struct ns_parser *parser)
{
    bool negative = ns_take(parser, NS_TOKEN_MINUS);
    const struct ns_token *token = ns_expect(parser, NS_TOKEN_INT);
    int64_t value = token->kind == NS_TOKEN_INT ? (int64_t)token->integer : 0;

    return negative ? -value : value;
}

static struct ns_pattern *parse_range(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_pattern *pattern = new_pattern(parser, NS_PATTERN_RANGE, first);

    pattern->range.from = parse_bound(parser);
    pattern->range.inclusive = ns_next(parser)->kind == NS_TOKEN_DOT_DOT_EQUAL;
    pattern->range.to = parse_bound(parser);
    pattern->span = ns_span_since(parser, first);
    return pattern;
}

static struct ns_pattern *parse_literal(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_pattern *pattern = new_pattern(parser, NS_PATTERN_LITERAL, first);

    if (ns_at(parser, NS_TOKEN_STRING))
        pattern->literal = ns_parse_plain_string(parser);
    else if (!ns_parse_literal(parser, false, &pattern->literal))
        ns_fail_expected(parser, "pattern");
    pattern->span = ns_span_since(parser, first);
    return pattern;
}

/* -1, -7i8, -1..5: only the signed whole numbers have negative patterns. */
static struct ns_pattern *parse_negative(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    enum ns_token_kind kind = ns_peek_at(parser, first + 1)->kind;
    struct ns_pattern *pattern;

    if (kind == NS_TOKEN_INT && dots_behind(parser, first + 1))
        return parse_range(parser);
    pattern = new_pattern(parser, NS_PATTERN_LITERAL, first);
    ns_next(parser);
    if (kind != NS_TOKEN_INT && kind != NS_TOKEN_INT8 && kind != NS_TOKEN_INT16 && kind != NS_TOKEN_INT32)
        ns_fail_expected(parser, "Int literal");
    else
        ns_parse_literal(parser, true, &pattern->literal);
    pattern->span = ns_span_since(parser, first);
    return pattern;
}

/* (), (p) and (p, q) */
static struct ns_pattern *parse_parenthesised(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_PAREN, .one_line = true };
    struct ns_pattern_list items = { NULL, 0 };
    uint32_t first = parser->at;
    struct ns_pattern *pattern;

    for (ns_open(parser, &elements, NS_TOKEN_LEFT_PAREN); ns_more(parser, &elements);) {
        pattern = ns_parse_pattern(parser);
        ns_push(parser, &items, pattern);
    }
    if (items.count == 1) {
        items.items[0]->parenthesised = true;
        return items.items[0];
    }
    pattern = new_pattern(parser, items.count == 0 ? NS_PATTERN_LITERAL : NS_PATTERN_TUPLE, first);
    if (items.count == 0)
        pattern->literal.kind = NS_LITERAL_UNIT;
    else
        pattern->items = items;
    return pattern;
}

static struct ns_pattern *parse_list(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACKET, .one_line = true, .stop = NS_TOKEN_BAR };
    uint32_t first = parser->at;
    struct ns_pattern *pattern = new_pattern(parser, NS_PATTERN_LIST, first);

    for (ns_open(parser, &elements, NS_TOKEN_LEFT_BRACKET); ns_more(parser, &elements);) {
        struct ns_pattern *item = ns_parse_one_pattern(parser);

        ns_push(parser, &pattern->list.items, item);
    }
    if (elements.stopped) {
        if (pattern->list.items.count == 0)
            ns_fail_expected(parser, "pattern");
        ns_next(parser);
        pattern->list.rest = ns_parse_pattern(parser);
        ns_close(parser, &elements);
    }
    pattern->span = ns_span_since(parser, first);
    return pattern;
}

/* f: p, or f alone. */
static struct ns_field_pattern parse_field(struct ns_parser *parser, bool short_form)
{
    struct ns_field_pattern field;
    uint32_t first = parser->at;

    field.name = ns_expect_lower(parser);
    if (!short_form || ns_at(parser, NS_TOKEN_COLON)) {
        ns_expect(parser, NS_TOKEN_COLON);
        field.pattern = ns_parse_pattern(parser);
        return field;
    }
    field.pattern = new_pattern(parser, NS_PATTERN_NAME, first);
    field.pattern->name = field.name.text;
    return field;
}

/* {f: p, g, _}, of a constructor or of any record. */
static void parse_braces(struct ns_parser *parser, struct ns_pattern *pattern)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACE, .trailing_comma = true, .one_line = true };

    pattern->constructor.braces = true;
    for (ns_open(parser, &elements, NS_TOKEN_LEFT_BRACE); ns_more(parser, &elements);) {
        struct ns_field_pattern field;

        if (ns_take(parser, NS_TOKEN_UNDERSCORE)) {
            pattern->constructor.open = true;
            continue;
        }
        field = parse_field(parser, true);
        ns_push(parser, &pattern->constructor.fields, field);
    }
}

static void parse_constructor_arguments(struct ns_parser *parser, struct ns_pattern *pattern)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_PAREN, .trailing_comma = true, .one_line = true };
    bool named = false;

    for (ns_open(parser, &elements, NS_TOKEN_LEFT_PAREN); ns_more(parser, &elements);) {
        if (elements.count == 1)
            named = ns_is_lower(ns_peek(parser)->kind) && ns_peek_at(parser, parser->at + 1)->kind == NS_TOKEN_COLON;
        if (named) {
            struct ns_field_pattern field = parse_field(parser, false);

            ns_push(parser, &pattern->constructor.fields, field);
        } else {
            struct ns_pattern *item = ns_parse_pattern(parser);

            ns_push(parser, &pattern->constructor.items, item);
        }
    }
}

static struct ns_pattern *parse_constructor(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_pattern *pattern = new_pattern(parser, NS_PATTERN_CONSTRUCTOR, first);

    pattern->constructor.name = ns_expect_upper(parser).text;
    if (ns_at_same_line(parser, NS_TOKEN_LEFT_PAREN))
        parse_constructor_arguments(parser, pattern);
    else if (ns_at_same_line(parser, NS_TOKEN_LEFT_BRACE))
        parse_braces(parser, pattern);
    pattern->span = ns_span_since(parser, first);
    return pattern;
}

static struct ns_pattern *parse_record(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_pattern *pattern = new_pattern(parser, NS_PATTERN_RECORD, first);

    parse_braces(parser, pattern);
    pattern->span = ns_span_since(parser, first);
    return pattern;
}

static struct ns_pattern *parse_pin(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_pattern *pattern = new_pattern(parser, NS_PATTERN_PIN, first);

    ns_expect(parser, NS_TOKEN_CARET);
    pattern->name = ns_expect_lower(parser).text;
    pattern->span = ns_span_since(parser, first);
    return pattern;
}

static struct ns_pattern *parse_map_key(struct ns_parser *parser)
{
    switch (ns_peek(parser)->kind) {
    case NS_TOKEN_CARET: return parse_pin(parser);
    case NS_TOKEN_MINUS: return parse_negative(parser);
    case NS_TOKEN_STRING:
    case NS_TOKEN_CHAR:
    case NS_TOKEN_TRUE:
    case NS_TOKEN_FALSE:
    case NS_TOKEN_INT: return parse_literal(parser);
    default:
        if (ns_fail_expected(parser, "map key"))
            ns_hint(parser->diag, "keys of map patterns are literals or pinned variables (`^name`)");
        return new_pattern(parser, NS_PATTERN_WILDCARD, parser->at);
    }
}

static struct ns_pattern *parse_map(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACE, .trailing_comma = true, .one_line = true };
    uint32_t first = parser->at;
    struct ns_pattern *pattern = new_pattern(parser, NS_PATTERN_MAP, first);

    ns_expect(parser, NS_TOKEN_PERCENT);
    for (ns_open(parser, &elements, NS_TOKEN_LEFT_BRACE); ns_more(parser, &elements);) {
        struct ns_map_pattern_entry entry;

        entry.key = parse_map_key(parser);
        ns_expect(parser, NS_TOKEN_COLON);
        entry.value = ns_parse_pattern(parser);
        ns_push(parser, &pattern->map, entry);
    }
    pattern->span = ns_span_since(parser, first);
    return pattern;
}

static struct ns_pattern *parse_set(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACE, .trailing_comma = true, .one_line = true };
    uint32_t first = parser->at;
    struct ns_pattern *pattern = new_pattern(parser, NS_PATTERN_SET, first);

    ns_expect(parser, NS_TOKEN_HASH);
    for (ns_open(parser, &elements, NS_TOKEN_LEFT_BRACE); ns_more(parser, &elements);) {
        struct ns_pattern *item = ns_parse_pattern(parser);

        ns_push(parser, &pattern->items, item);
    }
    pattern->span = ns_span_since(parser, first);
    return pattern;
}

static struct ns_pattern *parse_name(struct ns_parser *parser)
{
    struct ns_pattern *pattern = new_pattern(parser, NS_PATTERN_NAME, parser->at);

    pattern->name = ns_expect_lower(parser).text;
    return pattern;
}

static struct ns_pattern *parse_wildcard(struct ns_parser *parser)
{
    ns_next(parser);
    return new_pattern(parser, NS_PATTERN_WILDCARD, parser->at - 1);
}

static struct ns_pattern *parse_by_token(struct ns_parser *parser)
{
    enum ns_token_kind kind = ns_peek(parser)->kind;

    if (kind == NS_TOKEN_INT && dots_behind(parser, parser->at))
        return parse_range(parser);
    if (ns_is_lower(kind))
        return parse_name(parser);
    switch (kind) {
    case NS_TOKEN_UNDERSCORE: return parse_wildcard(parser);
    case NS_TOKEN_UPPER:
    case NS_TOKEN_SELF_TYPE: return parse_constructor(parser);
    case NS_TOKEN_MINUS: return parse_negative(parser);
    case NS_TOKEN_LEFT_PAREN: return parse_parenthesised(parser);
    case NS_TOKEN_LEFT_BRACKET: return parse_list(parser);
    case NS_TOKEN_LEFT_BRACE: return parse_record(parser);
    case NS_TOKEN_PERCENT: return parse_map(parser);
    case NS_TOKEN_HASH: return parse_set(parser);
    case NS_TOKEN_CARET: return parse_pin(parser);
    default: break;
    }
    if (ns_token_is_keyword(kind) && kind != NS_TOKEN_TRUE && kind != NS_TOKEN_FALSE)
        ns_expect_lower(parser); /* says that the word is reserved */
    return parse_literal(parser);
}

struct ns_pattern *ns_parse_one_pattern(struct ns_parser *parser)
{
    struct ns_pattern *pattern;

    ns_enter(parser);
    pattern = parse_by_token(parser);
    ns_leave(parser);
    return pattern;
}

struct ns_pattern *ns_parse_pattern(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_pattern *pattern = ns_parse_one_pattern(parser), *alternatives;

    if (!ns_at_same_line(parser, NS_TOKEN_BAR))
        return pattern;
    alternatives = new_pattern(parser, NS_PATTERN_OR, first);
    ns_push(parser, &alternatives->items, pattern);
    while (ns_take_same_line(parser, NS_TOKEN_BAR)) {
        pattern = ns_parse_one_pattern(parser);
        ns_push(parser, &alternatives->items, pattern);
    }
    alternatives->span = ns_span_since(parser, first);
    return alternatives;
}
