/*
 * copy.c - one case for each kind of node. Nesting of trees is bounded (ast.h), so recursion is safe.
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

static struct ns_part_list copy_parts(struct ns_copier *copier, const struct ns_part_list *list)
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

static void copy_call(struct ns_copier *copier, struct ns_expr *copy)
{
    copy->call.callee = one(copier, copy->call.callee);
    copy->call.receiver = one(copier, copy->call.receiver);
    copy->call.name = name_at(copier, copy->call.name);
    copy->call.type_arguments = copy_types(copier, &copy->call.type_arguments);
    copy->call.arguments = copy_arguments(copier, &copy->call.arguments);
}

static void copy_try(struct ns_copier *copier, struct ns_expr *copy)
{
    copy->try_.body = one(copier, copy->try_.body);
    copy->try_.arms = copy_arms(copier, &copy->try_.arms);
    copy->try_.finally = one(copier, copy->try_.finally);
}

static void copy_for(struct ns_copier *copier, struct ns_expr *copy)
{
    copy->for_.variable = name_at(copier, copy->for_.variable);
    copy->for_.from = one(copier, copy->for_.from);
    copy->for_.to = one(copier, copy->for_.to);
    copy->for_.body = one(copier, copy->for_.body);
}

static void copy_bind(struct ns_copier *copier, struct ns_expr *copy)
{
    copy->bind.pattern = copy_pattern(copier, copy->bind.pattern);
    copy->bind.type = copy_type(copier, copy->bind.type);
    copy->bind.value = one(copier, copy->bind.value);
}

/* Control, processes and statements: the kinds that copy_inside() leaves. */
static void copy_control(struct ns_copier *copier, struct ns_expr *copy)
{
    switch (copy->kind) {
    case NS_EXPR_BLOCK:
        copy->block.statements = copy_list(copier, &copy->block.statements, true);
        break;
    case NS_EXPR_IF:
        copy->conditional.condition = one(copier, copy->conditional.condition);
        copy->conditional.then = one(copier, copy->conditional.then);
        copy->conditional.otherwise = one(copier, copy->conditional.otherwise);
        break;
    case NS_EXPR_MATCH:
        copy->match.scrutinee = one(copier, copy->match.scrutinee);
        copy->match.arms = copy_arms(copier, &copy->match.arms);
        break;
    case NS_EXPR_TRY: copy_try(copier, copy); break;
    case NS_EXPR_WHILE:
        copy->while_.condition = one(copier, copy->while_.condition);
        copy->while_.body = one(copier, copy->while_.body);
        break;
    case NS_EXPR_FOR: copy_for(copier, copy); break;
    case NS_EXPR_SPAWN: copy->spawn.body = one(copier, copy->spawn.body); break;
    case NS_EXPR_RECEIVE:
        copy->receive.arms = copy_arms(copier, &copy->receive.arms);
        copy->receive.timeout = one(copier, copy->receive.timeout);
        copy->receive.after = one(copier, copy->receive.after);
        break;
    case NS_EXPR_BIND: copy_bind(copier, copy); break;
    case NS_EXPR_ASSIGN_FIELD:
        copy->assign_field.object = one(copier, copy->assign_field.object);
        copy->assign_field.name = name_at(copier, copy->assign_field.name);
        copy->assign_field.value = one(copier, copy->assign_field.value);
        break;
    case NS_EXPR_ASSIGN_INDEX:
        copy->assign_index.object = one(copier, copy->assign_index.object);
        copy->assign_index.indices = copy_list(copier, &copy->assign_index.indices, false);
        copy->assign_index.value = one(copier, copy->assign_index.value);
        break;
    default: break; /* no parts */
    }
}

static void copy_inside(struct ns_copier *copier, struct ns_expr *copy)
{
    switch (copy->kind) {
    case NS_EXPR_INTERPOLATION: copy->parts = copy_parts(copier, &copy->parts); break;
    case NS_EXPR_LIST:
        copy->list.items = copy_list(copier, &copy->list.items, false);
        copy->list.tail = one(copier, copy->list.tail);
        break;
    case NS_EXPR_RANGE_LIST:
        copy->range.from = one(copier, copy->range.from);
        copy->range.to = one(copier, copy->range.to);
        break;
    case NS_EXPR_TUPLE:
    case NS_EXPR_SET: copy->items = copy_list(copier, &copy->items, false); break;
    case NS_EXPR_MAP: copy->map = copy_entries(copier, &copy->map); break;
    case NS_EXPR_LAMBDA:
    case NS_EXPR_LOCAL_FUNCTION: copy->function = copy_function(copier, copy->function); break;
    case NS_EXPR_UNARY: copy->unary.operand = one(copier, copy->unary.operand); break;
    case NS_EXPR_BINARY:
        copy->binary.left = one(copier, copy->binary.left);
        copy->binary.right = one(copier, copy->binary.right);
        copy->binary.op_span = copier->place(copier, copy->binary.op_span);
        break;
    case NS_EXPR_PIPE:
    case NS_EXPR_SEND:
        copy->pair.left = one(copier, copy->pair.left);
        copy->pair.right = one(copier, copy->pair.right);
        break;
    case NS_EXPR_CALL:
    case NS_EXPR_METHOD_CALL:
    case NS_EXPR_CONSTRUCT: copy_call(copier, copy); break;
    case NS_EXPR_FIELD:
        copy->field.object = one(copier, copy->field.object);
        copy->field.name = name_at(copier, copy->field.name);
        break;
    case NS_EXPR_TUPLE_FIELD: copy->tuple_field.object = one(copier, copy->tuple_field.object); break;
    case NS_EXPR_INDEX:
        copy->index.object = one(copier, copy->index.object);
        copy->index.indices = copy_list(copier, &copy->index.indices, false);
        break;
    case NS_EXPR_QUESTION:
    case NS_EXPR_BREAK:
    case NS_EXPR_RETURN:
    case NS_EXPR_QUOTE:
    case NS_EXPR_SPLICE: copy->operand = one(copier, copy->operand); break;
    default: copy_control(copier, copy); break;
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
