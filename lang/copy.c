/*
 * copy.c - copies of nodes: types and patterns whole, of an expression what parts.def names. Nesting of trees is
 * bounded (ast.h), so recursion is safe.
 */
#include "config.h"

#include "lang/copy.h"

#include <string.h>

#include "base/arena.h"

void ns_expr_buf_push(struct nb_arena *arena, struct ns_expr_buf *buf, struct ns_expr *expr)
{
    if (buf->count == buf->capacity) {
        struct ns_expr **larger = nb_arena_array(arena, buf->capacity == 0 ? 4 : buf->capacity * 2, sizeof *larger);

        if (buf->count > 0)
            memcpy(larger, buf->items, buf->count * sizeof *larger);
        buf->items = larger;
        buf->capacity = buf->capacity == 0 ? 4 : buf->capacity * 2;
    }
    buf->items[buf->count++] = expr;
}

static struct ns_type *copy_type(struct ns_copier *copier, const struct ns_type *type);
static struct ns_pattern *copy_pattern(struct ns_copier *copier, const struct ns_pattern *pattern);

static struct ns_expr *one(struct ns_copier *copier, const struct ns_expr *expr)
{
    return expr == NULL ? NULL : copier->one(copier, expr);
}

static struct ns_name name_at(struct ns_copier *copier, struct ns_name name)
{
    name.span = copier->place(copier, name.span);
    return name;
}

/* An array of the arena with the same bytes. */
static void *same(struct ns_copier *copier, const void *items, uint32_t count, size_t bytes)
{
    void *copy = nb_arena_array(copier->arena, (size_t)count + 1, bytes);

    if (count > 0)
        memcpy(copy, items, count * bytes);
    return copy;
}
#define SAME(copier, list) same((copier), (list).items, (list).count, sizeof *(list).items)

static struct ns_expr_list copy_list(struct ns_copier *copier, const struct ns_expr_list *list, bool statements)
{
    struct ns_expr_buf buf = { NULL, 0, 0 };

    for (uint32_t i = 0; i < list->count; i++)
        copier->several(copier, list->items[i], statements, &buf);
    return (struct ns_expr_list){ buf.items, buf.count };
}

/* ---- types ---- */

static struct ns_type_list copy_types(struct ns_copier *copier, const struct ns_type_list *list)
{
    struct ns_type_list copy = { SAME(copier, *list), list->count };

    for (uint32_t i = 0; i < copy.count; i++)
        copy.items[i] = copy_type(copier, copy.items[i]);
    return copy;
}

static struct ns_field_list copy_fields(struct ns_copier *copier, const struct ns_field_list *list)
{
    struct ns_field_list copy = { SAME(copier, *list), list->count };

    for (uint32_t i = 0; i < copy.count; i++) {
        copy.items[i].name = name_at(copier, copy.items[i].name);
        copy.items[i].type = copy_type(copier, copy.items[i].type);
    }
    return copy;
}

static struct ns_type *copy_type(struct ns_copier *copier, const struct ns_type *type)
{
    struct ns_type *copy;

    if (type == NULL)
        return NULL;
    copy = nb_arena_alloc(copier->arena, sizeof *copy);
    *copy = *type;
    copy->span = copier->place(copier, type->span);
    switch (type->kind) {
    case NS_TYPE_NAMED: copy->named.arguments = copy_types(copier, &type->named.arguments); break;
    case NS_TYPE_TUPLE: copy->items = copy_types(copier, &type->items); break;
    case NS_TYPE_FUNCTION:
        copy->function.parameters = copy_types(copier, &type->function.parameters);
        copy->function.result = copy_type(copier, type->function.result);
        break;
    case NS_TYPE_RECORD: copy->fields = copy_fields(copier, &type->fields); break;
    case NS_TYPE_VARIABLE:
    case NS_TYPE_UNIT: break;
    }
    return copy;
}

/* ---- patterns ---- */

static struct ns_pattern_list copy_patterns(struct ns_copier *copier, const struct ns_pattern_list *list)
{
    struct ns_pattern_list copy = { SAME(copier, *list), list->count };

    for (uint32_t i = 0; i < copy.count; i++)
        copy.items[i] = copy_pattern(copier, copy.items[i]);
    return copy;
}

static struct ns_field_pattern_list copy_field_patterns(struct ns_copier *copier,
                                                        const struct ns_field_pattern_list *list)
{
    struct ns_field_pattern_list copy = { SAME(copier, *list), list->count };

    for (uint32_t i = 0; i < copy.count; i++) {
        copy.items[i].name = name_at(copier, copy.items[i].name);
        copy.items[i].pattern = copy_pattern(copier, copy.items[i].pattern);
    }
    return copy;
}

static struct ns_map_pattern_list copy_map_patterns(struct ns_copier *copier, const struct ns_map_pattern_list *list)
{
    struct ns_map_pattern_list copy = { SAME(copier, *list), list->count };

    for (uint32_t i = 0; i < copy.count; i++) {
        copy.items[i].key = copy_pattern(copier, copy.items[i].key);
        copy.items[i].value = copy_pattern(copier, copy.items[i].value);
    }
    return copy;
}

static struct ns_pattern *copy_pattern(struct ns_copier *copier, const struct ns_pattern *pattern)
{
    struct ns_pattern *copy;

    if (pattern == NULL)
        return NULL;
    copy = nb_arena_alloc(copier->arena, sizeof *copy);
    *copy = *pattern;
    copy->span = copier->place(copier, pattern->span);
    switch (pattern->kind) {
    case NS_PATTERN_TUPLE:
    case NS_PATTERN_SET:
    case NS_PATTERN_OR: copy->items = copy_patterns(copier, &pattern->items); break;
    case NS_PATTERN_LIST:
        copy->list.items = copy_patterns(copier, &pattern->list.items);
        copy->list.rest = copy_pattern(copier, pattern->list.rest);
        break;
    case NS_PATTERN_CONSTRUCTOR:
    case NS_PATTERN_RECORD:
        copy->constructor.items = copy_patterns(copier, &pattern->constructor.items);
        copy->constructor.fields = copy_field_patterns(copier, &pattern->constructor.fields);
        break;
    case NS_PATTERN_MAP: copy->map = copy_map_patterns(copier, &pattern->map); break;
    case NS_PATTERN_WILDCARD:
    case NS_PATTERN_NAME:
    case NS_PATTERN_LITERAL:
    case NS_PATTERN_RANGE:
    case NS_PATTERN_PIN: break;
    }
    return copy;
}

/* ---- functions ---- */

static struct ns_parameter_list copy_parameters(struct ns_copier *copier, const struct ns_parameter_list *list)
{
    struct ns_parameter_list copy = { SAME(copier, *list), list->count };

    for (uint32_t i = 0; i < copy.count; i++) {
        copy.items[i].pattern = copy_pattern(copier, copy.items[i].pattern);
        copy.items[i].type = copy_type(copier, copy.items[i].type);
        copy.items[i].value = one(copier, copy.items[i].value);
    }
    return copy;
}

static struct ns_function *copy_function(struct ns_copier *copier, const struct ns_function *function)
{
    struct ns_function *copy = nb_arena_alloc(copier->arena, sizeof *copy);

    *copy = *function;
    copy->name = name_at(copier, function->name);
    copy->span = copier->place(copier, function->span);
    copy->parameters = copy_parameters(copier, &function->parameters);
    copy->guard = one(copier, function->guard);
    copy->return_type = copy_type(copier, function->return_type);
    copy->body = one(copier, function->body);
    return copy;
}

/* ---- parts of expressions ---- */

static struct ns_part_list copy_pieces(struct ns_copier *copier, const struct ns_part_list *list)
{
    struct ns_part_list copy = { SAME(copier, *list), list->count };

    for (uint32_t i = 0; i < copy.count; i++)
        copy.items[i].expr = one(copier, copy.items[i].expr);
    return copy;
}

static struct ns_map_entry_list copy_entries(struct ns_copier *copier, const struct ns_map_entry_list *list)
{
    struct ns_map_entry_list copy = { SAME(copier, *list), list->count };

    for (uint32_t i = 0; i < copy.count; i++) {
        copy.items[i].key = one(copier, copy.items[i].key);
        copy.items[i].value = one(copier, copy.items[i].value);
    }
    return copy;
}

static struct ns_arm_list copy_arms(struct ns_copier *copier, const struct ns_arm_list *list)
{
    struct ns_arm_list copy = { SAME(copier, *list), list->count };

    for (uint32_t i = 0; i < copy.count; i++) {
        struct ns_arm *arm = &copy.items[i];

        arm->pattern = copy_pattern(copier, arm->pattern);
        arm->guard = one(copier, arm->guard);
        arm->body = one(copier, arm->body);
        arm->span = copier->place(copier, arm->span);
    }
    return copy;
}

/* Several expressions may stand for an argument without name. */
static struct ns_argument_list copy_arguments(struct ns_copier *copier, const struct ns_argument_list *list)
{
    struct ns_expr_buf values = { NULL, 0, 0 };
    struct ns_argument_list copy = { NULL, 0 };
    uint32_t *from = nb_arena_array(copier->arena, (size_t)list->count + 1, sizeof *from); /* in values */

    for (uint32_t i = 0; i < list->count; i++) {
        from[i] = values.count;
        if (list->items[i].name.text != NULL)
            ns_expr_buf_push(copier->arena, &values, one(copier, list->items[i].value));
        else
            copier->several(copier, list->items[i].value, false, &values);
    }
    from[list->count] = values.count;
    copy.items = nb_arena_array(copier->arena, (size_t)values.count + 1, sizeof *copy.items);
    copy.count = values.count;
    for (uint32_t i = 0; i < list->count; i++)
        for (uint32_t k = from[i]; k < from[i + 1]; k++)
            copy.items[k] = (struct ns_argument){ name_at(copier, list->items[i].name), values.items[k] };
    return copy;
}

#define ONE(part) copy->part = one(copier, copy->part);
#define SEVERAL(part) copy->part = copy_list(copier, &copy->part, false);
#define STATEMENTS(part) copy->part = copy_list(copier, &copy->part, true);
#define PIECES(part) copy->part = copy_pieces(copier, &copy->part);
#define ENTRIES(part) copy->part = copy_entries(copier, &copy->part);
#define ARMS(part) copy->part = copy_arms(copier, &copy->part);
#define ARGUMENTS(part) copy->part = copy_arguments(copier, &copy->part);
#define FUNCTION(part) copy->part = copy_function(copier, copy->part);
#define PATTERN(part) copy->part = copy_pattern(copier, copy->part);
#define TYPE(part) copy->part = copy_type(copier, copy->part);
#define TYPES(part) copy->part = copy_types(copier, &copy->part);
#define NAME(part) copy->part = name_at(copier, copy->part);
#define PLACE(part) copy->part = copier->place(copier, copy->part);

static void copy_inside(struct ns_copier *copier, struct ns_expr *copy)
{
    switch (copy->kind) {
#define NODE(kind, parts) case NS_EXPR_##kind: parts break;
#include "lang/parts.def"
#undef NODE
    }
}

struct ns_expr *ns_copy_node(struct ns_copier *copier, const struct ns_expr *expr)
{
    struct ns_expr *copy = nb_arena_alloc(copier->arena, sizeof *copy);

    *copy = *expr;
    copy->span = copier->place(copier, expr->span);
    copy_inside(copier, copy);
    return copy;
}

struct ns_expr *ns_text_expr(struct nb_arena *arena, const char *text, struct ns_span span)
{
    struct ns_expr *expr = nb_arena_alloc(arena, sizeof *expr);

    expr->kind = NS_EXPR_LITERAL;
    expr->span = span;
    expr->literal.kind = NS_LITERAL_STRING;
    expr->literal.text = text;
    expr->literal.length = (uint32_t)strlen(text);
    return expr;
}
