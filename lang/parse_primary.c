/*
 * parse_primary.c - operands: literals, names, collections, lambdas, and everything that starts with a word.
 *
 * A lambda is recognised at its first token, before anything else: what looks like a pattern there is looked past by
 * its brackets, and `=>` or `-> Type =>` behind it decides. In the guard of an arm or clause a bare `->` belongs to
 * the arm.
 */
#include "config.h"

#include "lang/parse_private.h"

#include "base/assert.h"

/* ---- lambdas ---- */

/* The `=>` or `->` behind the parameters of the lambda that starts here; 0 if none does. */
static uint32_t skip_lambda(struct ns_parser *parser)
{
    uint32_t behind = parser->panicking ? 0 : ns_skip_pattern_head(parser, parser->at);
    const struct ns_token *token = ns_peek_at(parser, behind);

    if (behind == 0 || token->newline_before)
        return 0;
    if (token->kind == NS_TOKEN_FAT_ARROW)
        return behind;
    if (token->kind != NS_TOKEN_ARROW || parser->guard_brackets == parser->brackets + 1)
        return 0;
    return ns_type_then(parser, behind + 1, NS_TOKEN_FAT_ARROW) ? behind : 0;
}

static struct ns_parameter_list parse_lambda_parameters(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_PAREN, .one_line = true };
    struct ns_parameter_list parameters = { NULL, 0 };
    struct ns_parameter parameter = { NULL, NULL, NULL };

    if (!ns_at(parser, NS_TOKEN_LEFT_PAREN)) {
        parameter.pattern = ns_parse_one_pattern(parser);
        ns_push(parser, &parameters, parameter);
        return parameters;
    }
    for (ns_open(parser, &elements, NS_TOKEN_LEFT_PAREN); ns_more(parser, &elements);) {
        parameter.pattern = ns_parse_pattern(parser);
        parameter.type = ns_take_same_line(parser, NS_TOKEN_COLON) ? ns_parse_type(parser) : NULL;
        ns_push_parameter(parser, &parameters, parameter);
    }
    return parameters;
}

static struct ns_expr *parse_lambda(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_LAMBDA, first);
    struct ns_function *function = nb_arena_alloc(parser->arena, sizeof *function);

    expr->function = function;
    function->parameters = parse_lambda_parameters(parser);
    if (ns_take(parser, NS_TOKEN_ARROW))
        function->return_type = ns_parse_type(parser);
    ns_expect(parser, NS_TOKEN_FAT_ARROW);
    ns_parse_body(parser, function);
    function->span = expr->span = ns_span_since(parser, first);
    return expr;
}

/* ---- collections ---- */

static struct ns_expr *parse_map(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACE, .trailing_comma = true };
    uint32_t first = parser->at;
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_MAP, first);

    ns_next(parser);
    for (ns_open(parser, &elements, NS_TOKEN_LEFT_BRACE); ns_more(parser, &elements);) {
        struct ns_map_entry entry;

        entry.key = ns_parse_expression(parser);
        ns_expect(parser, NS_TOKEN_COLON);
        entry.value = ns_parse_expression(parser);
        ns_push(parser, &expr->map, entry);
    }
    return expr;
}

static struct ns_expr *parse_set(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACE, .trailing_comma = true };
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_SET, parser->at);

    ns_next(parser);
    for (ns_open(parser, &elements, NS_TOKEN_LEFT_BRACE); ns_more(parser, &elements);) {
        struct ns_expr *item = ns_parse_expression(parser);

        ns_push(parser, &expr->items, item);
    }
    return expr;
}

/* [a..b] behind its first bound. */
static void parse_range_end(struct ns_parser *parser, struct ns_elements *elements, struct ns_expr *expr,
                            struct ns_expr *from)
{
    ns_next(parser);
    expr->kind = NS_EXPR_RANGE_LIST;
    expr->range.from = from;
    expr->range.to = ns_parse_expression(parser);
    ns_close(parser, elements);
}

/* [], [a, b], [a, b | tail], [a..b], [a..=b] */
static struct ns_expr *parse_list(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACKET, .stop = NS_TOKEN_BAR };
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_LIST, parser->at);

    for (ns_open(parser, &elements, NS_TOKEN_LEFT_BRACKET); ns_more(parser, &elements);) {
        struct ns_expr *item = ns_parse_expression(parser);

        if (expr->list.items.count == 0 && (ns_at(parser, NS_TOKEN_DOT_DOT) || ns_at(parser, NS_TOKEN_DOT_DOT_EQUAL))) {
            parse_range_end(parser, &elements, expr, item);
            return expr;
        }
        ns_push(parser, &expr->list.items, item);
    }
    if (!elements.stopped)
        return expr;
    if (expr->list.items.count == 0)
        ns_fail_unexpected(parser, "expression or statement");
    ns_next(parser);
    expr->list.tail = ns_parse_expression(parser);
    ns_close(parser, &elements);
    return expr;
}

/* (), (e), (a, b) */
static struct ns_expr *parse_parenthesised(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_PAREN };
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_TUPLE, parser->at);

    for (ns_open(parser, &elements, NS_TOKEN_LEFT_PAREN); ns_more(parser, &elements);) {
        struct ns_expr *item = ns_parse_expression(parser);

        ns_push(parser, &expr->items, item);
    }
    if (expr->items.count == 1) {
        expr = expr->items.items[0];
        expr->parenthesised = true;
    } else if (expr->items.count == 0) {
        expr->kind = NS_EXPR_LITERAL;
        expr->literal = (struct ns_literal){ .kind = NS_LITERAL_UNIT };
    }
    return expr;
}

/* ---- control ---- */

static struct ns_expr *parse_block(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACE };
    uint32_t first = parser->at;
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_BLOCK, first);

    ns_open(parser, &elements, NS_TOKEN_LEFT_BRACE);
    expr->block.statements = ns_parse_statements(parser, NS_TOKEN_RIGHT_BRACE);
    ns_close(parser, &elements);
    expr->span = ns_span_since(parser, first);
    return expr;
}

static struct ns_expr *parse_do(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_END_WORD };
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_BLOCK, parser->at);

    ns_open(parser, &elements, NS_TOKEN_DO);
    expr->block.do_end = true;
    expr->block.statements = ns_parse_statements(parser, NS_TOKEN_END_WORD);
    ns_close(parser, &elements);
    return expr;
}

/* A branch of an `if`: where that is a statement, the branch is one too. */
static struct ns_expr *parse_branch(struct ns_parser *parser, bool statement)
{
    struct ns_expr *expr;

    if (!statement)
        return ns_parse_expression(parser);
    ns_enter(parser);
    expr = ns_parse_statement(parser);
    ns_leave(parser);
    return expr;
}

static struct ns_expr *parse_if(struct ns_parser *parser)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_IF, parser->at);
    bool statement = parser->statement_at == parser->at + 1;

    ns_next(parser);
    expr->conditional.condition = ns_parse_expression(parser);
    ns_take(parser, NS_TOKEN_THEN);
    expr->conditional.then = parse_branch(parser, statement);
    if (ns_take(parser, NS_TOKEN_ELSE))
        expr->conditional.otherwise = parse_branch(parser, statement);
    return expr;
}

static struct ns_arm parse_arm(struct ns_parser *parser)
{
    struct ns_arm arm = { .guard = NULL };
    uint32_t first, guard_outside = parser->guard_brackets;

    ns_take(parser, NS_TOKEN_BAR);
    first = parser->at;
    arm.pattern = ns_parse_pattern(parser);
    if (ns_take(parser, NS_TOKEN_WHEN)) {
        parser->guard_brackets = parser->brackets + 1;
        arm.guard = ns_parse_expression(parser);
        parser->guard_brackets = guard_outside;
    }
    if (ns_at(parser, NS_TOKEN_ARROW) && ns_peek(parser)->newline_before)
        ns_fail(parser, ns_token_span(parser, ns_peek(parser)), "`->` must stand on the line of its pattern");
    ns_expect(parser, NS_TOKEN_ARROW);
    arm.body = ns_parse_statement(parser);
    arm.span = ns_span_since(parser, first);
    if (!ns_take(parser, NS_TOKEN_COMMA) && !ns_take(parser, NS_TOKEN_SEMICOLON))
        ns_take(parser, NS_TOKEN_BAR);
    return arm;
}

/* Arms up to the closing brace (not taken) or `after`. */
static struct ns_arm_list parse_arms(struct ns_parser *parser)
{
    struct ns_arm_list arms = { NULL, 0 };

    while (!ns_at(parser, NS_TOKEN_RIGHT_BRACE) && !ns_at(parser, NS_TOKEN_AFTER) && !ns_at(parser, NS_TOKEN_END)) {
        uint32_t first = parser->at;
        struct ns_arm arm = parse_arm(parser);

        ns_push(parser, &arms, arm);
        ns_recover_statement(parser, first, NS_TOKEN_RIGHT_BRACE);
    }
    return arms;
}

static struct ns_arm_list parse_braced_arms(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACE };
    struct ns_arm_list arms;

    ns_open(parser, &elements, NS_TOKEN_LEFT_BRACE);
    arms = parse_arms(parser);
    ns_close(parser, &elements);
    return arms;
}

static struct ns_expr *parse_match(struct ns_parser *parser)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_MATCH, parser->at);

    ns_next(parser);
    expr->match.scrutinee = ns_parse_expression(parser);
    expr->match.arms = parse_braced_arms(parser);
    if (expr->match.arms.count == 0)
        ns_fail(parser, expr->span, "`match` needs at least one arm: `pattern -> expr`");
    return expr;
}

static struct ns_expr *parse_try(struct ns_parser *parser)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_TRY, parser->at);

    ns_next(parser);
    expr->try_.body = ns_parse_expression(parser);
    if (ns_take(parser, NS_TOKEN_CATCH)) {
        expr->try_.has_catch = true;
        expr->try_.arms = parse_braced_arms(parser);
    }
    if (ns_take(parser, NS_TOKEN_FINALLY))
        expr->try_.finally = ns_parse_expression(parser);
    return expr;
}

static struct ns_expr *parse_while(struct ns_parser *parser)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_WHILE, parser->at);

    ns_next(parser);
    expr->while_.condition = ns_parse_expression(parser);
    expr->while_.body = ns_parse_expression(parser);
    return expr;
}

static struct ns_expr *parse_for(struct ns_parser *parser)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_FOR, parser->at);

    ns_next(parser);
    expr->for_.variable = ns_expect_lower(parser);
    ns_expect(parser, NS_TOKEN_ASSIGN);
    expr->for_.from = ns_parse_expression(parser);
    ns_expect(parser, NS_TOKEN_TO);
    expr->for_.to = ns_parse_expression(parser);
    expr->for_.body = ns_parse_expression(parser);
    return expr;
}

/* Whether an expression can start with a token: what stands behind `return` and `break`. */
static bool starts_expression(enum ns_token_kind kind)
{
    if (kind < NS_TOKEN_TYPE)
        return kind != NS_TOKEN_END;
    if (ns_is_lower(kind))
        return true;
    switch (kind) {
    case NS_TOKEN_SELF_TYPE:
    case NS_TOKEN_IF:
    case NS_TOKEN_MATCH:
    case NS_TOKEN_TRY:
    case NS_TOKEN_DO:
    case NS_TOKEN_WHILE:
    case NS_TOKEN_FOR:
    case NS_TOKEN_BREAK:
    case NS_TOKEN_CONTINUE:
    case NS_TOKEN_RETURN:
    case NS_TOKEN_SPAWN:
    case NS_TOKEN_SPAWN_LINK:
    case NS_TOKEN_SPAWN_MONITOR:
    case NS_TOKEN_RECEIVE:
    case NS_TOKEN_QUOTE:
    case NS_TOKEN_NOT:
    case NS_TOKEN_TRUE:
    case NS_TOKEN_FALSE:
    case NS_TOKEN_UNDERSCORE:
    case NS_TOKEN_MINUS:
    case NS_TOKEN_PERCENT:
    case NS_TOKEN_BANG:
    case NS_TOKEN_LEFT_PAREN:
    case NS_TOKEN_LEFT_BRACKET:
    case NS_TOKEN_LEFT_BRACE:
    case NS_TOKEN_HASH:
    case NS_TOKEN_TILDE: return true;
    default: return false;
    }
}

/* break, return: with a value if one starts on the same line. */
static struct ns_expr *parse_leave(struct ns_parser *parser, enum ns_expr_kind kind)
{
    struct ns_expr *expr = ns_new_expr(parser, kind, parser->at);

    ns_next(parser);
    if (!ns_peek(parser)->newline_before && starts_expression(ns_peek(parser)->kind))
        expr->operand = ns_parse_expression(parser);
    return expr;
}

static struct ns_expr *parse_continue(struct ns_parser *parser)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_CONTINUE, parser->at);

    ns_next(parser);
    return expr;
}

/* ---- processes and templates ---- */

/* A block or one expression in parentheses. */
static struct ns_expr *parse_block_or_group(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_PAREN };
    struct ns_expr *expr;

    if (ns_at(parser, NS_TOKEN_LEFT_BRACE))
        return parse_block(parser);
    ns_open(parser, &elements, NS_TOKEN_LEFT_PAREN);
    expr = ns_parse_expression(parser);
    ns_close(parser, &elements);
    return expr;
}

static struct ns_expr *parse_spawn(struct ns_parser *parser, enum ns_spawn_kind kind)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_SPAWN, parser->at);

    ns_next(parser);
    expr->spawn.kind = kind;
    expr->spawn.block = ns_at(parser, NS_TOKEN_LEFT_BRACE);
    expr->spawn.body = parse_block_or_group(parser);
    return expr;
}

static struct ns_expr *parse_quote(struct ns_parser *parser)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_QUOTE, parser->at);

    ns_next(parser);
    expr->operand = parse_block_or_group(parser);
    return expr;
}

static void fail_receive(struct ns_parser *parser)
{
    if (!ns_fail(parser, ns_token_span(parser, ns_peek_at(parser, parser->at - 1)),
                 "`receive` requires a block with pattern arms: `receive { pattern -> expr }`"))
        return;
    ns_note(parser->diag, "with a time-out: `receive { pattern -> expr after 1000 -> expr }`");
}

static struct ns_expr *parse_receive(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACE };
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_RECEIVE, parser->at);
    uint32_t guard_outside = parser->guard_brackets;

    ns_next(parser);
    if (!ns_at(parser, NS_TOKEN_LEFT_BRACE))
        fail_receive(parser);
    ns_open(parser, &elements, NS_TOKEN_LEFT_BRACE);
    expr->receive.arms = parse_arms(parser);
    if (ns_take(parser, NS_TOKEN_AFTER)) {
        parser->guard_brackets = parser->brackets + 1;
        expr->receive.timeout = ns_parse_expression(parser);
        parser->guard_brackets = guard_outside;
        ns_expect(parser, NS_TOKEN_ARROW);
        expr->receive.after = ns_parse_expression(parser);
    }
    ns_close(parser, &elements);
    return expr;
}

/* ---- names and literals ---- */

static struct ns_expr *parse_literal(struct ns_parser *parser)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_LITERAL, parser->at);
    bool negative = ns_take(parser, NS_TOKEN_MINUS);

    if (!ns_parse_literal(parser, negative, &expr->literal))
        ns_fail_unexpected(parser, "expression or statement");
    return expr;
}

static struct ns_expr *parse_name(struct ns_parser *parser, enum ns_expr_kind kind)
{
    struct ns_expr *expr = ns_new_expr(parser, kind, parser->at);
    const struct ns_token *token = ns_next(parser);

    if (kind != NS_EXPR_WILDCARD)
        expr->name = token->name;
    return expr;
}

static struct ns_expr *parse_by_token(struct ns_parser *parser)
{
    enum ns_token_kind kind = ns_peek(parser)->kind;

    if (ns_is_lower(kind))
        return parse_name(parser, NS_EXPR_NAME);
    switch (kind) {
    case NS_TOKEN_UPPER:
    case NS_TOKEN_SELF_TYPE: return parse_name(parser, NS_EXPR_UPPER);
    case NS_TOKEN_UNDERSCORE: return parse_name(parser, NS_EXPR_WILDCARD);
    case NS_TOKEN_STRING: return ns_parse_string(parser);
    case NS_TOKEN_LEFT_PAREN: return parse_parenthesised(parser);
    case NS_TOKEN_LEFT_BRACKET: return parse_list(parser);
    case NS_TOKEN_LEFT_BRACE: return parse_block(parser);
    case NS_TOKEN_PERCENT: return parse_map(parser);
    case NS_TOKEN_HASH: return parse_set(parser);
    case NS_TOKEN_IF: return parse_if(parser);
    case NS_TOKEN_MATCH: return parse_match(parser);
    case NS_TOKEN_TRY: return parse_try(parser);
    case NS_TOKEN_DO: return parse_do(parser);
    case NS_TOKEN_RECEIVE: return parse_receive(parser);
    case NS_TOKEN_WHILE: return parse_while(parser);
    case NS_TOKEN_FOR: return parse_for(parser);
    case NS_TOKEN_BREAK: return parse_leave(parser, NS_EXPR_BREAK);
    case NS_TOKEN_RETURN: return parse_leave(parser, NS_EXPR_RETURN);
    case NS_TOKEN_CONTINUE: return parse_continue(parser);
    case NS_TOKEN_SPAWN: return parse_spawn(parser, NS_SPAWN_PLAIN);
    case NS_TOKEN_SPAWN_LINK: return parse_spawn(parser, NS_SPAWN_LINK);
    case NS_TOKEN_SPAWN_MONITOR: return parse_spawn(parser, NS_SPAWN_MONITOR);
    case NS_TOKEN_QUOTE: return parse_quote(parser);
    default: return parse_literal(parser);
    }
}

struct ns_expr *ns_parse_operand(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_expr *expr;

    if (skip_lambda(parser) != 0)
        return parse_lambda(parser);
    expr = parse_by_token(parser);
    if (!parser->panicking)
        expr->span = ns_span_since(parser, first);
    return expr;
}
