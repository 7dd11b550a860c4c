/*
 * expand_value.c - values of compile time: attributes of definitions, texts, numbers and truth values that are known
 * without running anything.
 */
#include "config.h"

#include "lang/expand_private.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/intern.h"

enum { ALIASES_MAX = 32 }; /* of aliases of aliases */

struct ns_syntax ns_syntax_of_expr(struct ns_expr *expr)
{
    return (struct ns_syntax){ .kind = NS_SYNTAX_EXPR, .expr = expr };
}

struct ns_expr *ns_new_node(struct ns_expansion *expansion, enum ns_expr_kind kind)
{
    struct ns_expr *expr = nb_arena_alloc(expansion->expander->arena, sizeof *expr);

    ns_expand_spend(expansion->expander, expansion->place, 1);
    expr->kind = kind;
    expr->span = expansion->place;
    return expr;
}

static struct ns_expr *text_node(struct ns_expansion *expansion, const char *text, size_t length)
{
    struct ns_expr *expr = ns_new_node(expansion, NS_EXPR_LITERAL);

    expr->literal.kind = NS_LITERAL_STRING;
    expr->literal.text = nb_arena_strndup(expansion->expander->arena, text, length);
    expr->literal.length = (uint32_t)length;
    return expr;
}

struct ns_syntax ns_syntax_of_text(struct ns_expansion *expansion, const char *text, size_t length)
{
    return ns_syntax_of_expr(text_node(expansion, text, length));
}

/* ---- values as trees ---- */

static struct ns_expr *list_node(struct ns_expansion *expansion, const struct ns_syntax *value)
{
    struct ns_expr *expr = ns_new_node(expansion, NS_EXPR_LIST);

    expr->list.items.items = nb_arena_array(expansion->expander->arena, (size_t)value->list.count + 1,
                                            sizeof *expr->list.items.items);
    expr->list.items.count = value->list.count;
    for (uint32_t i = 0; i < value->list.count; i++)
        expr->list.items.items[i] = ns_syntax_expr(expansion, &value->list.items[i]);
    return expr;
}

static struct ns_expr *map_node(struct ns_expansion *expansion, const struct ns_syntax *value)
{
    struct ns_expr *expr = ns_new_node(expansion, NS_EXPR_MAP);

    expr->map.items =
        nb_arena_array(expansion->expander->arena, (size_t)value->list.count + 1, sizeof *expr->map.items);
    expr->map.count = value->list.count;
    for (uint32_t i = 0; i < value->list.count; i++) {
        expr->map.items[i].key = text_node(expansion, value->names[i], strlen(value->names[i]));
        expr->map.items[i].value = ns_syntax_expr(expansion, &value->list.items[i]);
    }
    return expr;
}

static struct ns_expr *fail_definition(struct ns_expansion *expansion, const struct ns_item *item)
{
    const char *what = item->kind == NS_ITEM_FUNCTION ? "a function definition"
                       : item->kind == NS_ITEM_TYPE   ? "a type definition"
                                                      : "a definition";

    ns_error(expansion->expander->diag, NS_ERROR_COMPILE, expansion->place,
             "cannot convert AST node back to expression: %s", what);
    return ns_new_node(expansion, NS_EXPR_LITERAL);
}

struct ns_expr *ns_syntax_expr(struct ns_expansion *expansion, const struct ns_syntax *value)
{
    switch (value->kind) {
    case NS_SYNTAX_EXPR: return value->expr;
    case NS_SYNTAX_ITEM: return fail_definition(expansion, value->item);
    case NS_SYNTAX_MANY:
        if (value->list.count == 1)
            return ns_syntax_expr(expansion, &value->list.items[0]);
        return list_node(expansion, value);
    case NS_SYNTAX_LIST: return list_node(expansion, value);
    case NS_SYNTAX_RECORD: return map_node(expansion, value);
    }
    return NULL;
}

/* ---- texts of types ---- */

/* The type that an alias of the scope stands for, or NULL. */
static const struct ns_type *alias_of(const struct ns_scope *scope, const char *name)
{
    for (; scope != NULL; scope = scope->outer)
        for (uint32_t i = 0; i < scope->items->count; i++) {
            const struct ns_item *item = scope->items->items[i];

            if (item->kind == NS_ITEM_TYPE && strcmp(item->type.name.text, name) == 0)
                return item->type.kind == NS_DEFINE_ALIAS && item->type.parameters.count == 0 ? item->type.alias : NULL;
        }
    return NULL;
}

struct type_writer {
    struct nb_buf text;
    const struct ns_scope *scope; /* whose aliases are replaced; NULL: none are */
    unsigned aliases;
};

static void write_type(struct type_writer *writer, const struct ns_type *type);

static void write_types(struct type_writer *writer, const struct ns_type_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        nb_buf_text(&writer->text, i > 0 ? ", " : "");
        write_type(writer, list->items[i]);
    }
}

static void write_named(struct type_writer *writer, const struct ns_type *type)
{
    const struct ns_type *alias = type->named.arguments.count > 0 || writer->aliases >= ALIASES_MAX
                                      ? NULL
                                      : alias_of(writer->scope, type->named.name);

    if (alias != NULL) {
        writer->aliases++;
        write_type(writer, alias);
        writer->aliases--;
        return;
    }
    nb_buf_text(&writer->text, type->named.name);
    if (type->named.arguments.count == 0)
        return;
    nb_buf_byte(&writer->text, '[');
    write_types(writer, &type->named.arguments);
    nb_buf_byte(&writer->text, ']');
}

static void write_record(struct type_writer *writer, const struct ns_field_list *fields)
{
    nb_buf_byte(&writer->text, '{');
    for (uint32_t i = 0; i < fields->count; i++) {
        nb_buf_printf(&writer->text, "%s%s: ", i > 0 ? ", " : "", fields->items[i].name.text);
        write_type(writer, fields->items[i].type);
    }
    nb_buf_byte(&writer->text, '}');
}

static void write_type(struct type_writer *writer, const struct ns_type *type)
{
    if (writer->text.length > NS_EXPAND_TEXT_MAX)
        return; /* aliases can double and double; what is that long is cut off and will not parse */
    switch (type->kind) {
    case NS_TYPE_NAMED: write_named(writer, type); break;
    case NS_TYPE_VARIABLE: nb_buf_text(&writer->text, type->variable); break;
    case NS_TYPE_UNIT: nb_buf_text(&writer->text, "()"); break;
    case NS_TYPE_TUPLE:
        nb_buf_byte(&writer->text, '(');
        write_types(writer, &type->items);
        nb_buf_byte(&writer->text, ')');
        break;
    case NS_TYPE_FUNCTION:
        nb_buf_byte(&writer->text, '(');
        write_types(writer, &type->function.parameters);
        nb_buf_text(&writer->text, ") -> ");
        write_type(writer, type->function.result);
        break;
    case NS_TYPE_RECORD: write_record(writer, &type->fields); break;
    }
}

/* A text value; that of no type is empty. */
static struct ns_syntax type_text(struct ns_expansion *expansion, const struct ns_type *type, bool replace_aliases)
{
    struct type_writer writer = { .text = NB_BUF_INIT, .scope = replace_aliases ? expansion->expander->scope : NULL };
    struct ns_syntax value;

    if (type != NULL)
        write_type(&writer, type);
    ns_expand_spend(expansion->expander, expansion->place, (uint32_t)(writer.text.length / 64));
    value = ns_syntax_of_text(expansion, nb_buf_cstr(&writer.text), writer.text.length);
    nb_buf_done(&writer.text);
    return value;
}

bool ns_types_read_alike(const struct ns_type *left, const struct ns_type *right)
{
    struct type_writer one = { .text = NB_BUF_INIT }, other = { .text = NB_BUF_INIT };
    bool alike;

    write_type(&one, left);
    write_type(&other, right);
    alike = strcmp(nb_buf_cstr(&one.text), nb_buf_cstr(&other.text)) == 0;
    nb_buf_done(&one.text);
    nb_buf_done(&other.text);
    return alike;
}

/* ---- attributes ---- */

static struct ns_syntax name_text(struct ns_expansion *expansion, const char *name)
{
    return ns_syntax_of_text(expansion, name, strlen(name));
}

static struct ns_syntax new_list(struct ns_expansion *expansion, uint32_t count)
{
    struct ns_syntax list = { .kind = NS_SYNTAX_LIST };

    list.list.items = nb_arena_array(expansion->expander->arena, (size_t)count + 1, sizeof *list.list.items);
    list.list.count = count;
    return list;
}

static struct ns_syntax new_record(struct ns_expansion *expansion, uint32_t count, const char *const *names,
                                   const struct ns_syntax *values)
{
    struct ns_syntax record = new_list(expansion, count);
    const char **interned = nb_arena_array(expansion->expander->arena, (size_t)count + 1, sizeof *interned);

    record.kind = NS_SYNTAX_RECORD;
    record.names = interned;
    for (uint32_t i = 0; i < count; i++) {
        interned[i] = nb_intern(names[i]);
        record.list.items[i] = values[i];
    }
    return record;
}

static struct ns_syntax parameter_name(struct ns_expansion *expansion, const struct ns_pattern *pattern)
{
    char digits[32];

    if (pattern->kind == NS_PATTERN_NAME)
        return name_text(expansion, pattern->name);
    if (pattern->kind != NS_PATTERN_LITERAL || pattern->literal.kind != NS_LITERAL_INT)
        return name_text(expansion, "_");
    snprintf(digits, sizeof digits, "%" PRId64, pattern->literal.integer);
    return name_text(expansion, digits);
}

static struct ns_syntax parameters(struct ns_expansion *expansion, const struct ns_function *function)
{
    static const char *const names[] = { "name", "type", "ty" };
    struct ns_syntax list = new_list(expansion, function->parameters.count);

    for (uint32_t i = 0; i < list.list.count; i++) {
        const struct ns_parameter *parameter = &function->parameters.items[i];
        struct ns_syntax type = type_text(expansion, parameter->type, false);

        list.list.items[i] = new_record(
            expansion, 3, names, (struct ns_syntax[]){ parameter_name(expansion, parameter->pattern), type, type });
    }
    return list;
}

static bool function_member(struct ns_expansion *expansion, const struct ns_function *function, const char *name,
                            struct ns_syntax *ret_member)
{
    if (strcmp(name, "name") == 0)
        *ret_member = name_text(expansion, function->name.text);
    else if (strcmp(name, "params") == 0)
        *ret_member = parameters(expansion, function);
    else if (strcmp(name, "body") == 0)
        *ret_member = ns_syntax_of_expr(ns_expand_moved(expansion, function->body));
    else if (strcmp(name, "returnType") == 0)
        *ret_member = type_text(expansion, function->return_type, false);
    else
        return false;
    return true;
}

static struct ns_syntax named_fields(struct ns_expansion *expansion, const struct ns_field_list *fields)
{
    static const char *const names[] = { "name", "ty" };
    struct ns_syntax list = new_list(expansion, fields->count);

    for (uint32_t i = 0; i < fields->count; i++)
        list.list.items[i] =
            new_record(expansion, 2, names,
                       (struct ns_syntax[]){ name_text(expansion, fields->items[i].name.text),
                                             type_text(expansion, fields->items[i].type, true) });
    return list;
}

static struct ns_syntax payload(struct ns_expansion *expansion, const struct ns_constructor *constructor)
{
    struct ns_syntax list;

    if (constructor->payload == NS_PAYLOAD_NAMED)
        return named_fields(expansion, &constructor->fields);
    list = new_list(expansion, constructor->fields.count);
    for (uint32_t i = 0; i < list.list.count; i++)
        list.list.items[i] = type_text(expansion, constructor->fields.items[i].type, true);
    return list;
}

static struct ns_syntax constructors(struct ns_expansion *expansion, const struct ns_constructor_list *constructors)
{
    static const char *const names[] = { "name", "fields" };
    struct ns_syntax list = new_list(expansion, constructors->count);

    for (uint32_t i = 0; i < list.list.count; i++)
        list.list.items[i] =
            new_record(expansion, 2, names,
                       (struct ns_syntax[]){ name_text(expansion, constructors->items[i].name.text),
                                             payload(expansion, &constructors->items[i]) });
    return list;
}

static struct ns_syntax type_fields(struct ns_expansion *expansion, const struct ns_item *item)
{
    const struct ns_constructor_list *variants = &item->type.constructors;

    switch (item->type.kind) {
    case NS_DEFINE_RECORD: return named_fields(expansion, &item->type.fields);
    case NS_DEFINE_ALIAS: return type_text(expansion, item->type.alias, true);
    case NS_DEFINE_VARIANT:
        if (variants->count == 1 && variants->items[0].payload == NS_PAYLOAD_NAMED)
            return named_fields(expansion, &variants->items[0].fields);
        return constructors(expansion, variants);
    case NS_DEFINE_EMPTY: break;
    }
    return new_list(expansion, 0);
}

static struct ns_syntax type_parameters(struct ns_expansion *expansion, const struct ns_item *item)
{
    struct ns_syntax list = new_list(expansion, item->type.parameters.count);

    for (uint32_t i = 0; i < list.list.count; i++)
        list.list.items[i] = name_text(expansion, item->type.parameters.items[i].name.text);
    return list;
}

static bool type_member(struct ns_expansion *expansion, const struct ns_item *item, const char *name,
                        struct ns_syntax *ret_member)
{
    if (strcmp(name, "name") == 0)
        *ret_member = name_text(expansion, item->type.name.text);
    else if (strcmp(name, "typeParams") == 0)
        *ret_member = type_parameters(expansion, item);
    else if (strcmp(name, "fields") == 0)
        *ret_member = type_fields(expansion, item);
    else
        return false;
    return true;
}

bool ns_syntax_member(struct ns_expansion *expansion, const struct ns_syntax *value, const char *name,
                      struct ns_syntax *ret_member)
{
    if (value->kind == NS_SYNTAX_ITEM && value->item->kind == NS_ITEM_FUNCTION)
        return function_member(expansion, value->item->function, name, ret_member);
    if (value->kind == NS_SYNTAX_ITEM && value->item->kind == NS_ITEM_TYPE)
        return type_member(expansion, value->item, name, ret_member);
    for (uint32_t i = 0; value->kind == NS_SYNTAX_RECORD && i < value->list.count; i++) {
        if (strcmp(value->names[i], name) == 0) {
            *ret_member = value->list.items[i];
            if (ret_member->kind == NS_SYNTAX_EXPR)
                ret_member->expr = ns_expand_moved(expansion, ret_member->expr); /* no node stands in two places */
            return true;
        }
    }
    return false;
}

/* ---- numbers ---- */

static bool arithmetic(enum ns_operator op, int64_t left, int64_t right, int64_t *ret_value)
{
    switch (op) {
    case NS_OPERATOR_ADD: return !__builtin_add_overflow(left, right, ret_value);
    case NS_OPERATOR_SUBTRACT: return !__builtin_sub_overflow(left, right, ret_value);
    case NS_OPERATOR_MULTIPLY: return !__builtin_mul_overflow(left, right, ret_value);
    case NS_OPERATOR_DIVIDE:
    case NS_OPERATOR_REMAINDER:
        if (right == 0 || (left == INT64_MIN && right == -1))
            return false;
        *ret_value = op == NS_OPERATOR_DIVIDE ? left / right : left % right;
        return true;
    default: return false;
    }
}

/* The inside of blocks that are nothing but brackets around an expression. */
static const struct ns_expr *unwrapped(const struct ns_expr *expr)
{
    while (expr->kind == NS_EXPR_BLOCK && expr->block.statements.count == 1)
        expr = expr->block.statements.items[0];
    return expr;
}

bool ns_known_int(const struct ns_expr *expr, int64_t *ret_value)
{
    int64_t left, right;

    expr = unwrapped(expr);
    switch (expr->kind) {
    case NS_EXPR_LITERAL:
        *ret_value = expr->literal.integer;
        return expr->literal.kind == NS_LITERAL_INT;
    case NS_EXPR_UNARY:
        return expr->unary.op == NS_OPERATOR_NEGATE && ns_known_int(expr->unary.operand, &left) &&
               !__builtin_sub_overflow((int64_t)0, left, ret_value);
    case NS_EXPR_BINARY:
        return ns_known_int(expr->binary.left, &left) && ns_known_int(expr->binary.right, &right) &&
               arithmetic(expr->binary.op, left, right, ret_value);
    default: return false;
    }
}

/* ---- truth ---- */

static bool ordered(enum ns_operator op, int64_t left, int64_t right, bool *ret_value)
{
    switch (op) {
    case NS_OPERATOR_EQUAL: *ret_value = left == right; return true;
    case NS_OPERATOR_NOT_EQUAL: *ret_value = left != right; return true;
    case NS_OPERATOR_LESS: *ret_value = left < right; return true;
    case NS_OPERATOR_GREATER: *ret_value = left > right; return true;
    case NS_OPERATOR_LESS_EQUAL: *ret_value = left <= right; return true;
    case NS_OPERATOR_GREATER_EQUAL: *ret_value = left >= right; return true;
    default: return false;
    }
}

static bool same_text(struct ns_expansion *expansion, const struct ns_expr *left, const struct ns_expr *right,
                      bool *ret_same)
{
    const char *left_text, *right_text;
    uint32_t left_length, right_length;

    if (!ns_known_text(expansion, left, &left_text, &left_length) ||
        !ns_known_text(expansion, right, &right_text, &right_length))
        return false;
    *ret_same = left_length == right_length && memcmp(left_text, right_text, left_length) == 0;
    return true;
}

/* Numbers by value; all else is equal if it reads the same. */
static bool compared(struct ns_expansion *expansion, const struct ns_expr *expr, bool *ret_value)
{
    enum ns_operator op = expr->binary.op;
    const struct ns_expr *left = expr->binary.left, *right = expr->binary.right;
    int64_t left_number, right_number;
    bool same;

    if (ns_known_int(left, &left_number) && ns_known_int(right, &right_number))
        return ordered(op, left_number, right_number, ret_value);
    if (op != NS_OPERATOR_EQUAL && op != NS_OPERATOR_NOT_EQUAL)
        return false;
    if (!same_text(expansion, left, right, &same))
        return false;
    *ret_value = same == (op == NS_OPERATOR_EQUAL);
    return true;
}

static bool connected(struct ns_expansion *expansion, const struct ns_expr *expr, bool *ret_value)
{
    bool deciding = expr->binary.op == NS_OPERATOR_OR; /* the left side alone settles it */

    if (!ns_known_bool(expansion, expr->binary.left, ret_value))
        return false;
    return *ret_value == deciding || ns_known_bool(expansion, expr->binary.right, ret_value);
}

bool ns_known_bool(struct ns_expansion *expansion, const struct ns_expr *expr, bool *ret_value)
{
    expr = unwrapped(expr);
    switch (expr->kind) {
    case NS_EXPR_LITERAL:
        *ret_value = expr->literal.boolean;
        return expr->literal.kind == NS_LITERAL_BOOL;
    case NS_EXPR_UNARY:
        if (expr->unary.op != NS_OPERATOR_NOT || !ns_known_bool(expansion, expr->unary.operand, ret_value))
            return false;
        *ret_value = !*ret_value;
        return true;
    case NS_EXPR_BINARY:
        if (expr->binary.op == NS_OPERATOR_AND || expr->binary.op == NS_OPERATOR_OR)
            return connected(expansion, expr, ret_value);
        return compared(expansion, expr, ret_value);
    default: return false;
    }
}

/* ---- texts ---- */

static bool append_known(struct ns_expansion *expansion, const struct ns_expr *expr, struct nb_buf *out);

static bool append_parts(struct ns_expansion *expansion, const struct ns_part_list *parts, struct nb_buf *out)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        if (parts->items[i].expr == NULL)
            nb_buf_append(out, parts->items[i].text, parts->items[i].length);
        else if (!append_known(expansion, parts->items[i].expr, out))
            return false;
    }
    return true;
}

/* A list stands for its elements' texts one behind the other. */
static bool append_elements(struct ns_expansion *expansion, const struct ns_expr *expr, struct nb_buf *out)
{
    if (expr->list.tail != NULL)
        return false;
    for (uint32_t i = 0; i < expr->list.items.count; i++)
        if (!append_known(expansion, expr->list.items.items[i], out))
            return false;
    return true;
}

static bool append_literal(const struct ns_literal *literal, struct nb_buf *out)
{
    if (literal->kind == NS_LITERAL_STRING)
        nb_buf_append(out, literal->text, literal->length);
    else if (literal->kind == NS_LITERAL_INT)
        nb_buf_printf(out, "%" PRId64, literal->integer);
    else if (literal->kind == NS_LITERAL_BOOL)
        nb_buf_text(out, literal->boolean ? "true" : "false");
    else if (literal->kind == NS_LITERAL_CHAR)
        nb_buf_code_point(out, literal->character);
    else
        return false;
    return true;
}

static bool is_conversion(const struct ns_expr *expr)
{
    return strcmp(expr->call.name.text, "toString") == 0 || strcmp(expr->call.name.text, "show") == 0;
}

static bool append_known(struct ns_expansion *expansion, const struct ns_expr *expr, struct nb_buf *out)
{
    int64_t number;
    bool truth;

    expr = unwrapped(expr);
    if (out->length > NS_EXPAND_TEXT_MAX)
        return false;
    if (expr->kind == NS_EXPR_LITERAL)
        return append_literal(&expr->literal, out);
    if (expr->kind == NS_EXPR_INTERPOLATION)
        return append_parts(expansion, &expr->parts, out);
    if (expr->kind == NS_EXPR_LIST)
        return append_elements(expansion, expr, out);
    if (expr->kind == NS_EXPR_METHOD_CALL && expr->call.arguments.count == 0 && is_conversion(expr))
        return append_known(expansion, expr->call.receiver, out);
    if (ns_known_int(expr, &number)) {
        nb_buf_printf(out, "%" PRId64, number);
        return true;
    }
    if (expr->kind == NS_EXPR_BINARY &&
        (expr->binary.op == NS_OPERATOR_CONCAT || expr->binary.op == NS_OPERATOR_ADD))
        return append_known(expansion, expr->binary.left, out) && append_known(expansion, expr->binary.right, out);
    if (!ns_known_bool(expansion, expr, &truth))
        return false;
    nb_buf_text(out, truth ? "true" : "false");
    return true;
}

/* Put a finished text into the arena. */
static bool keep_text(struct ns_expansion *expansion, bool known, struct nb_buf *text, const char **ret_text,
                      uint32_t *ret_length)
{
    if (known && text->length <= NS_EXPAND_TEXT_MAX &&
        ns_expand_spend(expansion->expander, expansion->place, 1 + (uint32_t)(text->length / 64))) {
        *ret_text = nb_arena_strndup(expansion->expander->arena, nb_buf_cstr(text), text->length);
        *ret_length = (uint32_t)text->length;
    } else {
        known = false;
    }
    nb_buf_done(text);
    return known;
}

bool ns_known_text(struct ns_expansion *expansion, const struct ns_expr *expr, const char **ret_text,
                   uint32_t *ret_length)
{
    struct nb_buf text = NB_BUF_INIT;
    bool known = append_known(expansion, expr, &text);

    return keep_text(expansion, known, &text, ret_text, ret_length);
}

bool ns_joined_text(struct ns_expansion *expansion, const struct ns_syntax *list, const char *separator,
                    uint32_t separator_length, const char **ret_text, uint32_t *ret_length)
{
    struct nb_buf text = NB_BUF_INIT;
    bool known = true;

    for (uint32_t i = 0; i < list->list.count && known; i++) {
        const struct ns_syntax *element = &list->list.items[i];

        if (i > 0)
            nb_buf_append(&text, separator, separator_length);
        known = element->kind == NS_SYNTAX_EXPR && append_known(expansion, element->expr, &text);
    }
    return keep_text(expansion, known, &text, ret_text, ret_length);
}
