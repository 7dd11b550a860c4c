/*
 * parse_item.c - what stands at the top of a file and in modules: functions, types, traits, implementations and the
 * rest.
 */
#include "config.h"

#include "lang/parse_private.h"

#include <string.h>

static struct ns_item *new_item(struct ns_parser *parser, enum ns_item_kind kind)
{
    struct ns_item *item = nb_arena_alloc(parser->arena, sizeof *item);

    item->kind = kind;
    return item;
}

/* ---- functions ---- */

/* Whether what stands behind the colon of a local function's parameter looks like a type and not like a default value:
 * an upper-case name, one lower-case letter, or brackets of these. */
static bool at_type_of_local(struct ns_parser *parser)
{
    const struct ns_token *token = ns_peek(parser);

    if (token->kind == NS_TOKEN_LOWER && token->to - token->from > 1)
        return false;
    return ns_type_then(parser, parser->at, NS_TOKEN_COMMA) || ns_type_then(parser, parser->at, NS_TOKEN_RIGHT_PAREN) ||
           ns_type_then(parser, parser->at, NS_TOKEN_ASSIGN);
}

static struct ns_parameter parse_parameter(struct ns_parser *parser, bool local)
{
    struct ns_parameter parameter = { .pattern = ns_parse_pattern(parser) };

    if (ns_take_same_line(parser, NS_TOKEN_COLON)) {
        if (local && !at_type_of_local(parser))
            parameter.value = ns_parse_expression(parser);
        else
            parameter.type = ns_parse_type(parser);
    }
    if (parameter.value == NULL && ns_take_same_line(parser, NS_TOKEN_ASSIGN))
        parameter.value = ns_parse_expression(parser);
    return parameter;
}

void ns_push_parameter(struct ns_parser *parser, struct ns_parameter_list *parameters, struct ns_parameter parameter)
{
    if (parameters->count == NS_PARAMETERS_MAX)
        ns_fail(parser, parameter.pattern->span, "more than %d parameters", NS_PARAMETERS_MAX);
    ns_push(parser, parameters, parameter);
}

struct ns_parameter_list ns_parse_parameters(struct ns_parser *parser, bool local)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_PAREN, .one_line = true };
    struct ns_parameter_list parameters = { NULL, 0 };

    for (ns_open(parser, &elements, NS_TOKEN_LEFT_PAREN); ns_more(parser, &elements);) {
        struct ns_parameter parameter = parse_parameter(parser, local);

        ns_push_parameter(parser, &parameters, parameter);
    }
    return parameters;
}

static bool is_operator_name(enum ns_token_kind kind)
{
    switch (kind) {
    case NS_TOKEN_EQUAL:
    case NS_TOKEN_NOT_EQUAL:
    case NS_TOKEN_LESS:
    case NS_TOKEN_GREATER:
    case NS_TOKEN_LESS_EQUAL:
    case NS_TOKEN_GREATER_EQUAL:
    case NS_TOKEN_PLUS:
    case NS_TOKEN_MINUS:
    case NS_TOKEN_STAR:
    case NS_TOKEN_SLASH:
    case NS_TOKEN_PERCENT:
    case NS_TOKEN_POWER:
    case NS_TOKEN_CONCAT:
    case NS_TOKEN_PIPE: return true;
    default: return false;
    }
}

/* Whether a function or method head starts here: a name and its parameters. */
static bool at_function(const struct ns_parser *parser)
{
    const struct ns_token *token = ns_peek(parser);
    enum ns_token_kind behind = ns_peek_at(parser, parser->at + 1)->kind;

    if (ns_is_lower(token->kind))
        return behind == NS_TOKEN_LEFT_PAREN || behind == NS_TOKEN_LEFT_BRACKET;
    return is_operator_name(token->kind) && behind == NS_TOKEN_LEFT_PAREN;
}

/* The name of a function; `method`: operators are names too. */
static struct ns_name parse_function_name(struct ns_parser *parser, bool method)
{
    const struct ns_token *token = ns_peek(parser);

    if (!method || !is_operator_name(token->kind))
        return ns_expect_lower(parser);
    return (struct ns_name){ ns_token_text(ns_next(parser)->kind), ns_token_span(parser, token) };
}

static void parse_guard(struct ns_parser *parser, struct ns_function *function)
{
    uint32_t outside = parser->guard_brackets;

    if (!ns_take(parser, NS_TOKEN_WHEN))
        return;
    parser->guard_brackets = parser->brackets + 1;
    function->guard = ns_parse_expression(parser);
    parser->guard_brackets = outside;
}

/* Name, parameters, guard, return type. */
static struct ns_function *parse_head(struct ns_parser *parser, bool method)
{
    struct ns_function *function = nb_arena_alloc(parser->arena, sizeof *function);

    function->name = parse_function_name(parser, method);
    function->type_parameters = ns_parse_type_parameters(parser);
    function->parameters = ns_parse_parameters(parser, false);
    parse_guard(parser, function);
    if (ns_take_same_line(parser, NS_TOKEN_ARROW))
        function->return_type = ns_parse_type(parser);
    return function;
}

static struct ns_function *parse_function(struct ns_parser *parser, bool method)
{
    uint32_t first = parser->at;
    struct ns_function *function = parse_head(parser, method);

    ns_expect(parser, NS_TOKEN_ASSIGN);
    ns_parse_body(parser, function);
    function->span = ns_span_since(parser, first);
    return function;
}

static struct ns_item *parse_function_item(struct ns_parser *parser, enum ns_item_kind kind)
{
    struct ns_item *item = new_item(parser, kind);

    item->function = parse_function(parser, false);
    return item;
}

/* A method of a trait, which may have no body. */
static struct ns_function *parse_trait_method(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_function *function = parse_head(parser, true);

    if (ns_take(parser, NS_TOKEN_ASSIGN))
        ns_parse_body(parser, function);
    function->span = ns_span_since(parser, first);
    return function;
}

/* ---- types ---- */

static void parse_fields(struct ns_parser *parser, struct ns_field_list *ret_fields)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACE, .trailing_comma = true };

    for (ns_open(parser, &elements, NS_TOKEN_LEFT_BRACE); ns_more(parser, &elements);) {
        struct ns_field field = ns_parse_field(parser);

        ns_push(parser, ret_fields, field);
    }
}

static void parse_payload(struct ns_parser *parser, struct ns_field_list *ret_fields)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_PAREN };

    for (ns_open(parser, &elements, NS_TOKEN_LEFT_PAREN); ns_more(parser, &elements);) {
        struct ns_field field = { .type = ns_parse_type(parser) };

        field.name.span = field.type->span;
        ns_push(parser, ret_fields, field);
    }
}

static struct ns_constructor parse_constructor(struct ns_parser *parser)
{
    struct ns_constructor constructor = { .name = ns_expect_upper(parser) };

    if (ns_at_same_line(parser, NS_TOKEN_LEFT_PAREN)) {
        constructor.payload = NS_PAYLOAD_POSITIONAL;
        parse_payload(parser, &constructor.fields);
    } else if (ns_at_same_line(parser, NS_TOKEN_LEFT_BRACE)) {
        constructor.payload = NS_PAYLOAD_NAMED;
        parse_fields(parser, &constructor.fields);
    }
    return constructor;
}

static void parse_variants(struct ns_parser *parser, struct ns_item *item)
{
    item->type.kind = NS_DEFINE_VARIANT;
    ns_take(parser, NS_TOKEN_BAR);
    do {
        struct ns_constructor constructor = parse_constructor(parser);

        ns_push(parser, &item->type.constructors, constructor);
    } while (ns_take(parser, NS_TOKEN_BAR));
}

/* Whether constructors stand here rather than the type that an alias is for: a bar in front or behind, a payload, or
 * the type's own name. */
static bool at_variants(const struct ns_parser *parser, const char *name)
{
    const struct ns_token *token = ns_peek(parser);
    const struct ns_token *behind = ns_peek_at(parser, parser->at + 1);

    if (token->kind == NS_TOKEN_BAR)
        return true;
    if (token->kind != NS_TOKEN_UPPER)
        return false;
    if (behind->kind == NS_TOKEN_BAR)
        return true;
    if (!behind->newline_before && (behind->kind == NS_TOKEN_LEFT_PAREN || behind->kind == NS_TOKEN_LEFT_BRACE))
        return true;
    return token->name == name && (behind->newline_before || behind->kind == NS_TOKEN_END ||
                                   (behind->kind != NS_TOKEN_DOT && behind->kind != NS_TOKEN_LEFT_BRACKET &&
                                    behind->kind != NS_TOKEN_ARROW));
}

static void parse_type_body(struct ns_parser *parser, struct ns_item *item)
{
    if (at_variants(parser, item->type.name.text)) {
        parse_variants(parser, item);
    } else if (ns_at(parser, NS_TOKEN_LEFT_BRACE)) {
        item->type.kind = NS_DEFINE_RECORD;
        parse_fields(parser, &item->type.fields);
    } else {
        item->type.kind = NS_DEFINE_ALIAS;
        item->type.alias = ns_parse_type(parser);
    }
}

static void push_method(struct ns_parser *parser, struct ns_function_list *methods, struct ns_function *method)
{
    if (methods->count == NS_METHODS_MAX)
        ns_fail(parser, method->name.span, "more than %d methods", NS_METHODS_MAX);
    ns_push(parser, methods, method);
}

static struct ns_item *parse_type_item(struct ns_parser *parser)
{
    struct ns_item *item = new_item(parser, NS_ITEM_TYPE);

    item->type.is_var = ns_take(parser, NS_TOKEN_VAR);
    item->type.is_reactive = ns_at(parser, NS_TOKEN_REACTIVE);
    ns_next(parser);
    item->type.name = ns_expect_upper(parser);
    item->type.parameters = ns_parse_type_parameters(parser);
    if (ns_take_same_line(parser, NS_TOKEN_ASSIGN))
        parse_type_body(parser, item);
    return item;
}

/* ---- traits and implementations ---- */

static struct ns_item *parse_trait(struct ns_parser *parser)
{
    struct ns_item *item = new_item(parser, NS_ITEM_TRAIT);

    ns_next(parser);
    item->trait.name = ns_expect_upper(parser);
    if (ns_take_same_line(parser, NS_TOKEN_COLON)) {
        do {
            struct ns_name supertrait = ns_expect_upper(parser);

            ns_push(parser, &item->trait.supertraits, supertrait);
        } while (ns_take(parser, NS_TOKEN_COMMA));
    }
    while (at_function(parser)) {
        struct ns_function *method = parse_trait_method(parser);

        push_method(parser, &item->trait.methods, method);
    }
    ns_take(parser, NS_TOKEN_END_WORD);
    return item;
}

/* Whether `Type: Trait` starts here. */
static bool at_implementation(struct ns_parser *parser)
{
    enum ns_token_kind kind = ns_peek(parser)->kind;
    struct ns_trial trial;

    if (kind != NS_TOKEN_UPPER && kind != NS_TOKEN_LEFT_BRACKET && kind != NS_TOKEN_LEFT_PAREN)
        return false;
    trial = ns_try_begin(parser);
    ns_parse_plain_type(parser);
    if (ns_at_same_line(parser, NS_TOKEN_COLON)) {
        ns_next(parser);
        ns_expect_upper(parser);
    } else {
        parser->panicking = true;
    }
    return ns_try_end(parser, trial);
}

static struct ns_item *parse_implementation(struct ns_parser *parser)
{
    struct ns_item *item = new_item(parser, NS_ITEM_IMPLEMENTATION);

    item->implementation.type = ns_parse_plain_type(parser);
    ns_expect(parser, NS_TOKEN_COLON);
    item->implementation.trait = ns_expect_upper(parser);
    if (ns_take(parser, NS_TOKEN_WHEN)) {
        do {
            struct ns_type_parameter condition = ns_parse_bound(parser);

            ns_push(parser, &item->implementation.conditions, condition);
        } while (ns_take(parser, NS_TOKEN_COMMA));
    }
    while (at_function(parser)) {
        struct ns_function *method = parse_function(parser, true);

        push_method(parser, &item->implementation.methods, method);
    }
    ns_take(parser, NS_TOKEN_END_WORD);
    return item;
}

/* ---- values ---- */

static struct ns_item *parse_mvar(struct ns_parser *parser)
{
    struct ns_item *item = new_item(parser, NS_ITEM_MVAR);

    ns_next(parser);
    item->value.name = ns_expect_lower(parser);
    ns_expect(parser, NS_TOKEN_COLON);
    item->value.type = ns_parse_type(parser);
    ns_expect(parser, NS_TOKEN_ASSIGN);
    item->value.value = ns_parse_expression(parser);
    return item;
}

static struct ns_item *parse_const(struct ns_parser *parser)
{
    struct ns_item *item = new_item(parser, NS_ITEM_CONST);

    ns_next(parser);
    item->value.name = ns_expect_name(parser);
    ns_expect(parser, NS_TOKEN_ASSIGN);
    item->value.value = ns_parse_expression(parser);
    return item;
}

static struct ns_item *parse_binding(struct ns_parser *parser)
{
    struct ns_item *item = new_item(parser, NS_ITEM_BINDING);
    struct ns_pattern *pattern;

    item->value.is_var = ns_take(parser, NS_TOKEN_VAR);
    item->value.pattern = pattern = ns_parse_pattern(parser);
    if (pattern->kind == NS_PATTERN_NAME)
        item->value.name = (struct ns_name){ pattern->name, pattern->span };
    if (ns_take_same_line(parser, NS_TOKEN_COLON))
        item->value.type = ns_parse_type(parser);
    ns_expect(parser, NS_TOKEN_ASSIGN);
    item->value.value = ns_parse_expression(parser);
    return item;
}

/* ---- modules ---- */

static struct ns_item *parse_module(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_END_WORD };
    struct ns_item *item = new_item(parser, NS_ITEM_MODULE);

    ns_enter(parser);
    ns_open(parser, &elements, NS_TOKEN_MODULE);
    item->module.name = ns_expect_upper(parser);
    item->module.items = ns_parse_items(parser, NS_TOKEN_END_WORD);
    ns_close(parser, &elements);
    ns_leave(parser);
    return item;
}

static struct ns_use_item parse_use_item(struct ns_parser *parser)
{
    struct ns_use_item item = { .name = ns_expect_name(parser) };
    const struct ns_token *token = ns_peek(parser);

    if (token->kind == NS_TOKEN_LOWER && !token->newline_before && strcmp(token->name, "as") == 0) {
        ns_next(parser);
        item.alias = ns_expect_name(parser);
    }
    return item;
}

static void parse_use_items(struct ns_parser *parser, struct ns_item *item)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACE, .trailing_comma = true };

    for (ns_open(parser, &elements, NS_TOKEN_LEFT_BRACE); ns_more(parser, &elements);) {
        struct ns_use_item use_item = parse_use_item(parser);

        ns_push(parser, &item->use.items, use_item);
    }
    if (item->use.items.count == 0)
        ns_fail(parser, ns_token_span(parser, ns_peek_at(parser, elements.opener)), "`use` imports nothing here");
}

static void fail_bare_use(struct ns_parser *parser, struct ns_name module)
{
    ns_fail(parser, module.span,
            "bare `use %s` is not valid — use `use %s.*` to import all public names, or `use %s.{SomeName}` to import "
            "specific names",
            module.text, module.text, module.text);
}

static struct ns_item *parse_use(struct ns_parser *parser)
{
    struct ns_item *item = new_item(parser, NS_ITEM_USE);
    struct ns_name name;

    ns_next(parser);
    name = ns_expect_name(parser);
    if (!ns_at_same_line(parser, NS_TOKEN_DOT))
        fail_bare_use(parser, name);
    ns_push(parser, &item->use.path, name);
    while (ns_take_same_line(parser, NS_TOKEN_DOT)) {
        struct ns_use_item last;

        if (ns_take(parser, NS_TOKEN_STAR)) {
            item->use.all = true;
            return item;
        }
        if (ns_at(parser, NS_TOKEN_LEFT_BRACE)) {
            parse_use_items(parser, item);
            return item;
        }
        last = parse_use_item(parser);
        if (ns_at_same_line(parser, NS_TOKEN_DOT) && last.alias.text == NULL) {
            ns_push(parser, &item->use.path, last.name);
        } else {
            ns_push(parser, &item->use.items, last);
            item->use.single = true;
            return item;
        }
    }
    return item;
}

/* ---- tests and foreign things ---- */

static struct ns_item *parse_test(struct ns_parser *parser)
{
    struct ns_item *item = new_item(parser, NS_ITEM_TEST);

    ns_next(parser);
    item->test.name = ns_parse_plain_string(parser);
    ns_expect(parser, NS_TOKEN_ASSIGN);
    item->test.body = ns_parse_expression(parser);
    return item;
}

static struct ns_item *parse_extern_type(struct ns_parser *parser)
{
    struct ns_item *item = new_item(parser, NS_ITEM_EXTERN_TYPE);

    ns_next(parser);
    item->extern_.name = ns_expect_upper(parser);
    return item;
}

static struct ns_item *parse_extern(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_PAREN, .one_line = true };
    struct ns_item *item;

    ns_next(parser);
    if (ns_at(parser, NS_TOKEN_TYPE))
        return parse_extern_type(parser);
    item = new_item(parser, NS_ITEM_EXTERN_FUNCTION);
    item->extern_.name = ns_expect_lower(parser);
    for (ns_open(parser, &elements, NS_TOKEN_LEFT_PAREN); ns_more(parser, &elements);) {
        struct ns_field parameter = ns_parse_field(parser);

        ns_push(parser, &item->extern_.parameters, parameter);
    }
    ns_expect(parser, NS_TOKEN_ARROW);
    item->extern_.result = ns_parse_type(parser);
    ns_expect(parser, NS_TOKEN_FROM);
    item->extern_.library = ns_parse_plain_string(parser);
    return item;
}

/* ---- items ---- */

static struct ns_decorator parse_decorator(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_PAREN };
    struct ns_decorator decorator = { .arguments = { NULL, 0 } };
    uint32_t first = parser->at;

    ns_next(parser);
    decorator.name = ns_expect_lower(parser);
    if (ns_at_same_line(parser, NS_TOKEN_LEFT_PAREN)) {
        for (ns_open(parser, &elements, NS_TOKEN_LEFT_PAREN); ns_more(parser, &elements);) {
            struct ns_expr *argument = ns_parse_expression(parser);

            ns_push(parser, &decorator.arguments, argument);
        }
    }
    decorator.span = ns_span_since(parser, first);
    return decorator;
}

static struct ns_item *parse_template(struct ns_parser *parser)
{
    ns_next(parser);
    return parse_function_item(parser, NS_ITEM_TEMPLATE);
}

/* Functions, implementations and bindings, which no word announces. */
static struct ns_item *parse_other(struct ns_parser *parser)
{
    if (at_function(parser) && ns_is_lower(ns_peek(parser)->kind))
        return parse_function_item(parser, NS_ITEM_FUNCTION);
    if (at_implementation(parser))
        return parse_implementation(parser);
    if (ns_at(parser, NS_TOKEN_VAR) || ns_skip_pattern_head(parser, parser->at) != 0)
        return parse_binding(parser);
    if (ns_token_is_keyword(ns_peek(parser)->kind) && ns_peek_at(parser, parser->at + 1)->kind == NS_TOKEN_LEFT_PAREN)
        ns_expect_lower(parser); /* a function by the name of a reserved word */
    ns_fail_unexpected(parser, "definition");
    return new_item(parser, NS_ITEM_BINDING);
}

static struct ns_item *parse_by_token(struct ns_parser *parser)
{
    switch (ns_peek(parser)->kind) {
    case NS_TOKEN_MODULE: return parse_module(parser);
    case NS_TOKEN_REACTIVE:
    case NS_TOKEN_TYPE: return parse_type_item(parser);
    case NS_TOKEN_VAR:
        if (ns_peek_at(parser, parser->at + 1)->kind == NS_TOKEN_TYPE)
            return parse_type_item(parser);
        return parse_other(parser);
    case NS_TOKEN_TRAIT: return parse_trait(parser);
    case NS_TOKEN_MVAR: return parse_mvar(parser);
    case NS_TOKEN_CONST: return parse_const(parser);
    case NS_TOKEN_USE: return parse_use(parser);
    case NS_TOKEN_TEMPLATE: return parse_template(parser);
    case NS_TOKEN_EXTERN: return parse_extern(parser);
    case NS_TOKEN_TEST:
        if (ns_peek_at(parser, parser->at + 1)->kind == NS_TOKEN_STRING)
            return parse_test(parser);
        return parse_other(parser);
    default: return parse_other(parser);
    }
}

static bool may_be_public(enum ns_item_kind kind)
{
    return kind != NS_ITEM_TEMPLATE && kind != NS_ITEM_USE && kind != NS_ITEM_TEST && kind != NS_ITEM_EXTERN_TYPE &&
           kind != NS_ITEM_EXTERN_FUNCTION;
}

static struct ns_item *parse_item(struct ns_parser *parser)
{
    struct ns_decorator_list decorators = { NULL, 0 };
    uint32_t first = parser->at;
    const struct ns_token *pub = NULL;
    struct ns_item *item;

    while (ns_at(parser, NS_TOKEN_AT)) {
        struct ns_decorator decorator = parse_decorator(parser);

        ns_push(parser, &decorators, decorator);
    }
    if (ns_at(parser, NS_TOKEN_PUB))
        pub = ns_next(parser);
    item = parse_by_token(parser);
    item->is_public = pub != NULL;
    item->decorators = decorators;
    item->span = ns_span_since(parser, first);
    if (decorators.count > 0 && item->kind != NS_ITEM_FUNCTION && item->kind != NS_ITEM_TYPE)
        ns_fail(parser, decorators.items[0].span, "decorators stand only before functions and types");
    if (pub != NULL && !may_be_public(item->kind))
        ns_fail(parser, ns_token_span(parser, pub), "unexpected `pub`: this cannot be public");
    return item;
}

struct ns_item_list ns_parse_items(struct ns_parser *parser, enum ns_token_kind closer)
{
    struct ns_item_list items = { NULL, 0 };

    while (!ns_at(parser, closer) && !ns_at(parser, NS_TOKEN_END)) {
        uint32_t first = parser->at;
        struct ns_item *item = parse_item(parser);

        ns_push(parser, &items, item);
        ns_recover_item(parser, first);
    }
    return items;
}
