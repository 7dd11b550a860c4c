/*
 * parse_type.c - types as they are written in annotations, and type parameters.
 *
 * A type stays on one line: what could continue it (`->`, `[`, `.`) on the next line does not.
 */
#include "config.h"

#include "lang/parse_private.h"

#include "base/buf.h"
#include "base/intern.h"

static struct ns_type *new_type(struct ns_parser *parser, enum ns_type_kind kind, uint32_t first)
{
    struct ns_type *type = nb_arena_alloc(parser->arena, sizeof *type);

    type->kind = kind;
    type->span = ns_span_since(parser, first);
    return type;
}

static struct ns_type_list parse_types(struct ns_parser *parser, enum ns_token_kind opener, enum ns_token_kind closer,
                                       bool trailing_comma)
{
    struct ns_elements elements = { .closer = closer, .trailing_comma = trailing_comma, .one_line = true };
    struct ns_type_list types = { NULL, 0 };

    for (ns_open(parser, &elements, opener); ns_more(parser, &elements);) {
        struct ns_type *type = ns_parse_type(parser);

        ns_push(parser, &types, type);
    }
    return types;
}

/* M.Pt: upper-case names with dots between them, as one text. */
static const char *parse_qualified_name(struct ns_parser *parser)
{
    struct nb_buf buf = NB_BUF_INIT;
    const char *name;

    nb_buf_text(&buf, ns_expect_upper(parser).text);
    while (ns_at_same_line(parser, NS_TOKEN_DOT)) {
        ns_next(parser);
        nb_buf_byte(&buf, '.');
        nb_buf_text(&buf, ns_expect_upper(parser).text);
    }
    name = nb_intern(nb_buf_cstr(&buf));
    nb_buf_done(&buf);
    return name;
}

static struct ns_type *parse_named(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_type *type = new_type(parser, NS_TYPE_NAMED, first);

    type->named.name = parse_qualified_name(parser);
    if (ns_at_same_line(parser, NS_TOKEN_LEFT_BRACKET))
        type->named.arguments = parse_types(parser, NS_TOKEN_LEFT_BRACKET, NS_TOKEN_RIGHT_BRACKET, true);
    type->span = ns_span_since(parser, first);
    return type;
}

/* [T], which is List[T]. */
static struct ns_type *parse_list_type(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_type *type = new_type(parser, NS_TYPE_NAMED, first);

    type->named.name = nb_intern("List");
    type->named.brackets = true;
    type->named.arguments = parse_types(parser, NS_TOKEN_LEFT_BRACKET, NS_TOKEN_RIGHT_BRACKET, false);
    type->span = ns_span_since(parser, first);
    if (type->named.arguments.count != 1)
        ns_fail(parser, type->span, "expected one type between `[` and `]`");
    return type;
}

static struct ns_type *parse_record_type(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACE, .trailing_comma = true, .one_line = true };
    uint32_t first = parser->at;
    struct ns_type *type = new_type(parser, NS_TYPE_RECORD, first);

    for (ns_open(parser, &elements, NS_TOKEN_LEFT_BRACE); ns_more(parser, &elements);) {
        struct ns_field field = ns_parse_field(parser);

        ns_push(parser, &type->fields, field);
    }
    type->span = ns_span_since(parser, first);
    return type;
}

static struct ns_type *parse_atom(struct ns_parser *parser)
{
    uint32_t first = parser->at;
    struct ns_type *type;

    switch (ns_peek(parser)->kind) {
    case NS_TOKEN_UPPER:
    case NS_TOKEN_SELF_TYPE: return parse_named(parser);
    case NS_TOKEN_LEFT_BRACKET: return parse_list_type(parser);
    case NS_TOKEN_LEFT_BRACE: return parse_record_type(parser);
    case NS_TOKEN_LOWER:
        type = new_type(parser, NS_TYPE_VARIABLE, first);
        type->variable = ns_next(parser)->name;
        return type;
    default:
        ns_fail_expected(parser, "Type");
        return new_type(parser, NS_TYPE_UNIT, first);
    }
}

/* What types in parentheses are if no arrow follows. */
static struct ns_type *group(struct ns_parser *parser, struct ns_type_list items, uint32_t first)
{
    struct ns_type *type;

    if (items.count == 1)
        return items.items[0];
    type = new_type(parser, items.count == 0 ? NS_TYPE_UNIT : NS_TYPE_TUPLE, first);
    type->items = items;
    return type;
}

static struct ns_type *parse_function(struct ns_parser *parser, struct ns_type_list parameters, uint32_t first)
{
    struct ns_type *type = new_type(parser, NS_TYPE_FUNCTION, first);

    ns_expect(parser, NS_TOKEN_ARROW);
    type->function.parameters = parameters;
    type->function.result = ns_parse_type(parser);
    type->span = ns_span_since(parser, first);
    return type;
}

struct ns_type *ns_parse_type(struct ns_parser *parser)
{
    struct ns_type_list items = { NULL, 0 };
    struct ns_type *type = NULL;
    uint32_t first = parser->at;

    ns_enter(parser);
    if (ns_at(parser, NS_TOKEN_LEFT_PAREN)) {
        items = parse_types(parser, NS_TOKEN_LEFT_PAREN, NS_TOKEN_RIGHT_PAREN, false);
    } else {
        type = parse_atom(parser);
        ns_push(parser, &items, type);
    }
    if (ns_at_same_line(parser, NS_TOKEN_ARROW))
        type = parse_function(parser, items, first);
    else if (type == NULL)
        type = group(parser, items, first);
    ns_leave(parser);
    return type;
}

struct ns_type *ns_parse_plain_type(struct ns_parser *parser)
{
    uint32_t first = parser->at;

    if (!ns_at(parser, NS_TOKEN_LEFT_PAREN))
        return parse_atom(parser);
    return group(parser, parse_types(parser, NS_TOKEN_LEFT_PAREN, NS_TOKEN_RIGHT_PAREN, false), first);
}

struct ns_type_parameter ns_parse_bound(struct ns_parser *parser)
{
    struct ns_type_parameter parameter = { { NULL, { NULL, 0, 0 } }, { NULL, 0 } };

    parameter.name = ns_expect_name(parser);
    if (!ns_take(parser, NS_TOKEN_COLON))
        return parameter;
    do {
        struct ns_name bound = ns_expect_upper(parser);

        ns_push(parser, &parameter.bounds, bound);
    } while (ns_take(parser, NS_TOKEN_PLUS));
    return parameter;
}

struct ns_type_parameter_list ns_parse_type_parameters(struct ns_parser *parser)
{
    struct ns_elements elements = { .closer = NS_TOKEN_RIGHT_BRACKET, .one_line = true };
    struct ns_type_parameter_list parameters = { NULL, 0 };

    if (!ns_at_same_line(parser, NS_TOKEN_LEFT_BRACKET))
        return parameters;
    for (ns_open(parser, &elements, NS_TOKEN_LEFT_BRACKET); ns_more(parser, &elements);) {
        struct ns_type_parameter parameter = ns_parse_bound(parser);

        ns_push(parser, &parameters, parameter);
    }
    return parameters;
}

/* ---- type variables of a function's head ---- */

static bool type_mentions(const struct ns_type *type, const char *variable);

static bool any_mentions(const struct ns_type_list *types, const char *variable)
{
    for (uint32_t i = 0; i < types->count; i++)
        if (type_mentions(types->items[i], variable))
            return true;
    return false;
}

static bool type_mentions(const struct ns_type *type, const char *variable)
{
    switch (type->kind) {
    case NS_TYPE_VARIABLE:
        return type->variable == variable;
    case NS_TYPE_NAMED:
        return any_mentions(&type->named.arguments, variable);
    case NS_TYPE_TUPLE:
        return any_mentions(&type->items, variable);
    case NS_TYPE_FUNCTION:
        return any_mentions(&type->function.parameters, variable) || type_mentions(type->function.result, variable);
    case NS_TYPE_RECORD:
        for (uint32_t i = 0; i < type->fields.count; i++)
            if (type_mentions(type->fields.items[i].type, variable))
                return true;
        return false;
    case NS_TYPE_UNIT:
        return false;
    }
    return false;
}

bool ns_head_mentions(const struct ns_function *function, const char *variable)
{
    for (uint32_t i = 0; i < function->type_parameters.count; i++)
        if (function->type_parameters.items[i].name.text == variable)
            return true;
    for (uint32_t i = 0; i < function->parameters.count; i++)
        if (function->parameters.items[i].type != NULL && type_mentions(function->parameters.items[i].type, variable))
            return true;
    return function->return_type != NULL && type_mentions(function->return_type, variable);
}

struct ns_field ns_parse_field(struct ns_parser *parser)
{
    struct ns_field field = { .is_private = ns_take(parser, NS_TOKEN_PRIVATE) };

    field.name = ns_expect_lower(parser);
    ns_expect(parser, NS_TOKEN_COLON);
    field.type = ns_parse_type(parser);
    return field;
}
