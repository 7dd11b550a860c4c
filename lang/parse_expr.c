/*
 * parse_expr.c - expressions from the outside in: statements, operators by precedence, prefixes, postfixes.
 *
 * Where a line feed may stand is decided here by asking the next token: a binary operator, `(` or `[` continues an
 * expression only on its line; `|>` and `.name` do from the next line too; an operand may always start on a new line.
 *
 * What a statement is shows from its first tokens and their brackets: `f(…) =` is a local function, `pattern =` and
 * `pattern: T =` are bindings. The rest are expressions, of which a field access or an index may be assigned to.
 */
#include "config.h"

#include "lang/parse_private.h"

#include <string.h>

#include "base/assert.h"

struct ns_expr *ns_new_expr(struct ns_parser *parser, enum ns_expr_kind kind, uint32_t first)
{
    struct ns_expr *expr = nb_arena_alloc(parser->arena, sizeof *expr);

    expr->kind = kind;
    expr->span = ns_span_since(parser, first);
    return expr;
}

/* ---- operators ---- */

/* Levels of binary operators, from the weakest. */
enum { LEVEL_PIPE = 1, LEVEL_OR, LEVEL_AND, LEVEL_COMPARE, LEVEL_CONCAT, LEVEL_CONS, LEVEL_ADD, LEVEL_MULTIPLY,
       LEVEL_POWER };

static const struct operator_info {
    enum ns_token_kind token;
    int level;
    const char *text;
} operators[] = {
    [NS_OPERATOR_POWER] = { NS_TOKEN_POWER, LEVEL_POWER, "**" },
    [NS_OPERATOR_MULTIPLY] = { NS_TOKEN_STAR, LEVEL_MULTIPLY, "*" },
    [NS_OPERATOR_DIVIDE] = { NS_TOKEN_SLASH, LEVEL_MULTIPLY, "/" },
    [NS_OPERATOR_REMAINDER] = { NS_TOKEN_PERCENT, LEVEL_MULTIPLY, "%" },
    [NS_OPERATOR_ADD] = { NS_TOKEN_PLUS, LEVEL_ADD, "+" },
    [NS_OPERATOR_SUBTRACT] = { NS_TOKEN_MINUS, LEVEL_ADD, "-" },
    [NS_OPERATOR_CONS] = { NS_TOKEN_CONS, LEVEL_CONS, "::" },
    [NS_OPERATOR_CONCAT] = { NS_TOKEN_CONCAT, LEVEL_CONCAT, "++" },
    [NS_OPERATOR_EQUAL] = { NS_TOKEN_EQUAL, LEVEL_COMPARE, "==" },
    [NS_OPERATOR_NOT_EQUAL] = { NS_TOKEN_NOT_EQUAL, LEVEL_COMPARE, "!=" },
    [NS_OPERATOR_LESS] = { NS_TOKEN_LESS, LEVEL_COMPARE, "<" },
    [NS_OPERATOR_GREATER] = { NS_TOKEN_GREATER, LEVEL_COMPARE, ">" },
    [NS_OPERATOR_LESS_EQUAL] = { NS_TOKEN_LESS_EQUAL, LEVEL_COMPARE, "<=" },
    [NS_OPERATOR_GREATER_EQUAL] = { NS_TOKEN_GREATER_EQUAL, LEVEL_COMPARE, ">=" },
    [NS_OPERATOR_AND] = { NS_TOKEN_AND, LEVEL_AND, "&&" },
    [NS_OPERATOR_OR] = { NS_TOKEN_OR, LEVEL_OR, "||" },
    [NS_OPERATOR_NEGATE] = { NS_TOKEN_END, 0, "-" },
    [NS_OPERATOR_NOT] = { NS_TOKEN_END, 0, "!" },
};

const char *ns_operator_text(enum ns_operator op)
{
    nb_assert(op < sizeof operators / sizeof *operators);
    return operators[op].text;
}

/* The binary operator that continues an expression here, or NS_OPERATOR_NEGATE (which is none). */
static enum ns_operator operator_here(const struct ns_parser *parser)
{
    const struct ns_token *token = ns_peek(parser);
    enum ns_operator op = 0;

    if (token->newline_before || token->kind < NS_TOKEN_UNDERSCORE)
        return NS_OPERATOR_NEGATE;
    while (op < NS_OPERATOR_NEGATE && operators[op].token != token->kind)
        op++;
    return op;
}

static struct ns_expr *parse_binary(struct ns_parser *parser, int level);

static struct ns_expr *parse_operation(struct ns_parser *parser, struct ns_expr *left, enum ns_operator op)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_BINARY, parser->at);
    bool right_associative = op == NS_OPERATOR_CONS;

    expr->binary.op = op;
    expr->binary.op_span = ns_token_span(parser, ns_next(parser));
    expr->binary.left = left;
    if (right_associative) {
        ns_enter(parser);
        expr->binary.right = parse_binary(parser, operators[op].level);
        ns_leave(parser);
    } else {
        expr->binary.right = parse_binary(parser, operators[op].level + 1);
    }
    expr->span = ns_span_join(left->span, expr->binary.right->span);
    return expr;
}

static struct ns_expr *parse_pipe_step(struct ns_parser *parser, struct ns_expr *left)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_PIPE, parser->at);

    ns_next(parser);
    expr->pair.left = left;
    expr->pair.right = parse_binary(parser, LEVEL_PIPE + 1);
    expr->span = ns_span_join(left->span, expr->pair.right->span);
    return expr;
}

static struct ns_expr *parse_unary(struct ns_parser *parser);

/* Operands and operators of a level or stronger ones. */
static struct ns_expr *parse_binary(struct ns_parser *parser, int level)
{
    struct ns_chain chain = ns_chain_begin(parser);
    struct ns_expr *left = parse_unary(parser);

    for (;;) {
        enum ns_operator op = operator_here(parser);

        if (op != NS_OPERATOR_NEGATE && operators[op].level >= level)
            left = parse_operation(parser, left, op);
        else if (level == LEVEL_PIPE && ns_at(parser, NS_TOKEN_PIPE))
            left = parse_pipe_step(parser, left);
        else
            break;
        ns_chain_link(parser);
    }
    ns_chain_end(parser, chain);
    return left;
}

struct ns_expr *ns_parse_expression(struct ns_parser *parser)
{
    struct ns_expr *left, *expr;

    ns_enter(parser);
    left = parse_binary(parser, LEVEL_PIPE);
    if (ns_at_same_line(parser, NS_TOKEN_SEND)) {
        expr = ns_new_expr(parser, NS_EXPR_SEND, parser->at);
        ns_next(parser);
        expr->pair.left = left;
        expr->pair.right = parse_binary(parser, LEVEL_PIPE);
        expr->span = ns_span_join(left->span, expr->pair.right->span);
        left = expr;
    }
    ns_leave(parser);
    return left;
}

void ns_parse_body(struct ns_parser *parser, struct ns_function *function)
{
    struct ns_head head = { function, parser->head };

    parser->head = &head;
    function->body = ns_parse_expression(parser);
    parser->head = head.outer;
}

/* ---- postfixes ---- */

static bool is_named_argument(const struct ns_parser *parser)
{
    enum ns_token_kind behind = ns_peek_at(parser, parser->at + 1)->kind;

    return ns_is_lower(ns_peek(parser)->kind) && (behind == NS_TOKEN_COLON || behind == NS_TOKEN_ASSIGN);
}

static void parse_arguments(struct ns_parser *parser, bool trailing_comma, struct ns_argument_list *ret_arguments)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_PAREN, .trailing_comma = trailing_comma };

    for (ns_open(parser, &elements, NS_TOKEN_LEFT_PAREN); ns_more(parser, &elements);) {
        struct ns_argument argument = { { NULL, { NULL, 0, 0 } }, NULL };

        if (is_named_argument(parser)) {
            argument.name = ns_expect_lower(parser);
            ns_next(parser);
        }
        argument.value = ns_parse_expression(parser);
        ns_push(parser, ret_arguments, argument);
    }
}

static struct ns_type_list parse_type_arguments(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACKET, .trailing_comma = true, .one_line = true };
    struct ns_type_list types = { NULL, 0 };

    for (ns_open(parser, &elements, NS_TOKEN_LEFT_BRACKET); ns_more(parser, &elements);) {
        struct ns_type *type = ns_parse_type(parser);

        ns_push(parser, &types, type);
    }
    return types;
}

/* Whether one of them is surely a type: a lower-case name may be a variable as well, of the program or of types; those
 * of types are known from the heads of the functions around. */
static bool any_is_type(const struct ns_parser *parser, const struct ns_type_list *types)
{
    for (uint32_t i = 0; i < types->count; i++) {
        if (types->items[i]->kind != NS_TYPE_VARIABLE)
            return true;
        for (const struct ns_head *head = parser->head; head != NULL; head = head->outer)
            if (ns_head_mentions(head->function, types->items[i]->variable))
                return true;
    }
    return false;
}

/* Whether [types] and a call stand here: f[Int](x), but fs[i](x) is an index and a call of what stands there. */
static bool at_type_application(struct ns_parser *parser)
{
    uint32_t match = ns_peek(parser)->match;
    const struct ns_token *behind = ns_peek_at(parser, match + 1);
    struct ns_trial trial;
    struct ns_type_list types;

    if (match <= parser->at + 1 || behind->kind != NS_TOKEN_LEFT_PAREN || behind->newline_before)
        return false;
    trial = ns_try_begin(parser);
    types = parse_type_arguments(parser);
    return ns_try_end(parser, trial) && any_is_type(parser, &types);
}

/* What a call of `callee` is: fields are called as methods, upper-case names construct. */
static struct ns_expr *new_call(struct ns_parser *parser, struct ns_expr *callee)
{
    struct ns_expr *call = ns_new_expr(parser, NS_EXPR_CALL, parser->at);

    if (callee->parenthesised || (callee->kind != NS_EXPR_FIELD && callee->kind != NS_EXPR_UPPER)) {
        call->call.callee = callee;
        return call;
    }
    if (callee->kind == NS_EXPR_UPPER) {
        call->kind = NS_EXPR_CONSTRUCT;
        call->call.name = (struct ns_name){ callee->name, callee->span };
        return call;
    }
    call->call.receiver = callee->field.object;
    call->call.name = callee->field.name;
    call->kind = call->call.name.text[0] >= 'A' && call->call.name.text[0] <= 'Z' ? NS_EXPR_CONSTRUCT
                                                                                    : NS_EXPR_METHOD_CALL;
    return call;
}

static struct ns_expr *parse_call(struct ns_parser *parser, struct ns_expr *callee)
{
    struct ns_expr *call = new_call(parser, callee);

    if (ns_at(parser, NS_TOKEN_LEFT_BRACKET))
        call->call.type_arguments = parse_type_arguments(parser);
    parse_arguments(parser, call->kind == NS_EXPR_CONSTRUCT, &call->call.arguments);
    return call;
}

static struct ns_expr *parse_index(struct ns_parser *parser, struct ns_expr *object)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACKET };
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_INDEX, parser->at);

    expr->index.object = object;
    for (ns_open(parser, &elements, NS_TOKEN_LEFT_BRACKET); ns_more(parser, &elements);) {
        struct ns_expr *index = ns_parse_expression(parser);

        ns_push(parser, &expr->index.indices, index);
    }
    if (expr->index.indices.count == 0)
        ns_fail(parser, ns_span_join(expr->span, ns_span_since(parser, parser->at - 1)), "expected an index in `[]`");
    return expr;
}

static struct ns_expr *parse_tuple_field(struct ns_parser *parser, struct ns_expr *object)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_TUPLE_FIELD, parser->at);
    const struct ns_token *token = ns_next(parser);

    expr->tuple_field.object = object;
    expr->tuple_field.position = (uint32_t)token->integer;
    if (token->integer > UINT16_MAX)
        ns_fail(parser, ns_token_span(parser, token), "there is no such tuple position");
    return expr;
}

static struct ns_expr *parse_selection(struct ns_parser *parser, struct ns_expr *object)
{
    struct ns_expr *expr;

    ns_next(parser);
    if (ns_at(parser, NS_TOKEN_INT))
        return parse_tuple_field(parser, object);
    expr = ns_new_expr(parser, NS_EXPR_FIELD, parser->at);
    expr->field.object = object;
    expr->field.name = ns_expect_name(parser);
    return expr;
}

/* Whether a bracket, a blank in front of it, begins the pattern of the next arm: `[] -> 0  [x | _] -> x`. Nothing else
 * has an arrow or a guard behind its closing bracket. */
static bool begins_next_arm(const struct ns_parser *parser)
{
    const struct ns_token *opener = ns_peek(parser), *behind;

    if (opener->match <= parser->at || parser->at == 0 || ns_peek_at(parser, parser->at - 1)->to == opener->from)
        return false;
    behind = ns_peek_at(parser, opener->match + 1);
    return !behind->newline_before && (behind->kind == NS_TOKEN_ARROW || behind->kind == NS_TOKEN_WHEN);
}

/* The next postfix of `operand`, or NULL. */
static struct ns_expr *parse_postfix_step(struct ns_parser *parser, struct ns_expr *operand)
{
    struct ns_expr *expr;

    if (ns_at(parser, NS_TOKEN_DOT))
        return parse_selection(parser, operand);
    if ((ns_at(parser, NS_TOKEN_LEFT_PAREN) || ns_at(parser, NS_TOKEN_LEFT_BRACKET)) && begins_next_arm(parser))
        return NULL;
    if (ns_at_same_line(parser, NS_TOKEN_LEFT_PAREN))
        return parse_call(parser, operand);
    if (ns_at_same_line(parser, NS_TOKEN_LEFT_BRACKET))
        return at_type_application(parser) ? parse_call(parser, operand) : parse_index(parser, operand);
    if (!ns_at_same_line(parser, NS_TOKEN_QUESTION))
        return NULL;
    expr = ns_new_expr(parser, NS_EXPR_QUESTION, parser->at);
    ns_next(parser);
    expr->operand = operand;
    return expr;
}

static struct ns_expr *parse_postfix(struct ns_parser *parser)
{
    struct ns_chain chain = ns_chain_begin(parser);
    struct ns_expr *expr = ns_parse_operand(parser), *longer;

    while ((longer = parse_postfix_step(parser, expr)) != NULL) {
        longer->span = ns_span_join(expr->span, ns_span_since(parser, parser->at > 0 ? parser->at - 1 : 0));
        expr = longer;
        ns_chain_link(parser);
    }
    ns_chain_end(parser, chain);
    return expr;
}

/* ---- prefixes ---- */

static struct ns_expr *parse_splices(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_expr *expr;

    if (!ns_at(parser, NS_TOKEN_TILDE))
        return parse_postfix(parser);
    ns_enter(parser);
    expr = ns_new_expr(parser, NS_EXPR_SPLICE, first);
    ns_next(parser);
    expr->operand = parse_splices(parser);
    expr->span = ns_span_since(parser, first);
    ns_leave(parser);
    return expr;
}

static struct ns_expr *parse_prefixed(struct ns_parser *parser, enum ns_operator op)
{
    uint32_t first = parser->at;
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_UNARY, first);

    ns_enter(parser);
    ns_next(parser);
    expr->unary.op = op;
    expr->unary.operand = parse_unary(parser);
    expr->span = ns_span_since(parser, first);
    ns_leave(parser);
    return expr;
}

static struct ns_expr *parse_unary(struct ns_parser *parser)
{
    switch (ns_peek(parser)->kind) {
    case NS_TOKEN_MINUS:
        if (ns_at_negative_literal(parser))
            return parse_postfix(parser);
        return parse_prefixed(parser, NS_OPERATOR_NEGATE);
    case NS_TOKEN_BANG:
    case NS_TOKEN_NOT: return parse_prefixed(parser, NS_OPERATOR_NOT);
    default: return parse_splices(parser);
    }
}

/* ---- statements ---- */

static struct ns_expr *new_binding(struct ns_parser *parser, uint32_t first, bool is_var)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_BIND, first);

    expr->bind.is_var = is_var;
    expr->bind.pattern = ns_parse_pattern(parser);
    if (ns_take(parser, NS_TOKEN_COLON))
        expr->bind.type = ns_parse_type(parser);
    ns_expect(parser, NS_TOKEN_ASSIGN);
    expr->bind.value = ns_parse_expression(parser);
    expr->span = ns_span_since(parser, first);
    return expr;
}

/* Whether `pattern =` or `pattern: T =` starts here. */
static bool at_binding(struct ns_parser *parser)
{
    uint32_t behind = parser->panicking ? 0 : ns_skip_pattern_head(parser, parser->at);
    const struct ns_token *token = ns_peek_at(parser, behind);

    if (behind == 0 || token->newline_before)
        return false;
    if (token->kind == NS_TOKEN_ASSIGN)
        return true;
    return token->kind == NS_TOKEN_COLON && ns_type_then(parser, behind + 1, NS_TOKEN_ASSIGN);
}

/* Whether `name(…) =` or `name(…) -> T =` starts here. */
static bool at_local_function(struct ns_parser *parser)
{
    const struct ns_token *opener = ns_peek_at(parser, parser->at + 1);
    const struct ns_token *behind;

    if (!ns_is_lower(ns_peek(parser)->kind) || opener->kind != NS_TOKEN_LEFT_PAREN || opener->newline_before ||
        opener->match == 0)
        return false;
    behind = ns_peek_at(parser, opener->match + 1);
    if (behind->newline_before)
        return false;
    if (behind->kind == NS_TOKEN_ASSIGN)
        return true;
    return behind->kind == NS_TOKEN_ARROW && ns_type_then(parser, opener->match + 2, NS_TOKEN_ASSIGN);
}

static struct ns_expr *parse_local_function(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_LOCAL_FUNCTION, first);
    struct ns_function *function = nb_arena_alloc(parser->arena, sizeof *function);

    expr->function = function;
    function->name = ns_expect_lower(parser);
    function->parameters = ns_parse_parameters(parser, true);
    if (ns_take(parser, NS_TOKEN_ARROW))
        function->return_type = ns_parse_type(parser);
    ns_expect(parser, NS_TOKEN_ASSIGN);
    ns_parse_body(parser, function);
    function->span = expr->span = ns_span_since(parser, first);
    return expr;
}

/* `target = value`, where the target is no name or pattern. */
static struct ns_expr *parse_assignment(struct ns_parser *parser, struct ns_expr *target)
{
    struct ns_expr *expr = ns_new_expr(parser, NS_EXPR_ASSIGN_FIELD, parser->at);
    struct ns_expr *value;

    if (target->kind != NS_EXPR_FIELD && target->kind != NS_EXPR_INDEX)
        ns_fail(parser, target->span, "the left side of `=` cannot be assigned to");
    ns_next(parser);
    value = ns_parse_expression(parser);
    if (target->kind == NS_EXPR_INDEX) {
        expr->kind = NS_EXPR_ASSIGN_INDEX;
        expr->assign_index.object = target->index.object;
        expr->assign_index.indices = target->index.indices;
        expr->assign_index.value = value;
    } else if (target->kind == NS_EXPR_FIELD) {
        expr->assign_field.object = target->field.object;
        expr->assign_field.name = target->field.name;
        expr->assign_field.value = value;
    }
    expr->span = ns_span_join(target->span, value->span);
    return expr;
}

/* Whether `keyword =` starts here: nothing but a name was meant. */
static bool at_assigned_keyword(struct ns_parser *parser)
{
    enum ns_token_kind kind = ns_peek(parser)->kind;
    const struct ns_token *behind = ns_peek_at(parser, parser->at + 1);

    return ns_token_is_keyword(kind) && !ns_is_lower(kind) && kind != NS_TOKEN_TRUE && kind != NS_TOKEN_FALSE &&
           behind->kind == NS_TOKEN_ASSIGN && !behind->newline_before;
}

struct ns_expr *ns_parse_statement(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_expr *expr;

    if (at_assigned_keyword(parser))
        (void)ns_expect_lower(parser); /* reports it */
    if (ns_take(parser, NS_TOKEN_VAR))
        return new_binding(parser, first, true);
    if (at_binding(parser))
        return new_binding(parser, first, false);
    if (at_local_function(parser))
        return parse_local_function(parser);
    parser->statement_at = first + 1;
    expr = ns_parse_expression(parser);
    if (ns_at_same_line(parser, NS_TOKEN_ASSIGN))
        return parse_assignment(parser, expr);
    return expr;
}

static bool is_separator(enum ns_token_kind kind)
{
    return kind == NS_TOKEN_COMMA || kind == NS_TOKEN_SEMICOLON || kind == NS_TOKEN_COLON;
}

/* Go behind what separates two statements; a line feed alone is enough, and `do … end` needs nothing (01 §5). */
static void parse_separators(struct ns_parser *parser, enum ns_token_kind closer)
{
    bool separated = ns_peek(parser)->newline_before || closer == NS_TOKEN_END_WORD;

    for (; is_separator(ns_peek(parser)->kind); separated = true)
        ns_next(parser);
    if (!separated && !ns_at(parser, closer) && !ns_at(parser, NS_TOKEN_END)) {
        if (ns_fail_expected(parser, ns_token_text(closer)))
            ns_note(parser->diag, "statements are separated by line breaks or `;`");
    }
}

struct ns_expr_list ns_parse_statements(struct ns_parser *parser, enum ns_token_kind closer)
{
    struct ns_expr_list statements = { NULL, 0 };

    while (!ns_at(parser, closer) && !ns_at(parser, NS_TOKEN_END)) {
        uint32_t first = parser->at;
        struct ns_expr *statement = ns_parse_statement(parser);

        ns_push(parser, &statements, statement);
        if (!parser->panicking)
            parse_separators(parser, closer);
        if (parser->panicking) {
            ns_recover_statement(parser, first, closer);
            while (is_separator(ns_peek(parser)->kind))
                ns_next(parser);
        }
    }
    return statements;
}
