/*
 * query_find.c - the way from an item down to the innermost node at a place.
 */
#include "config.h"

#include "lang/query_find.h"

#include "lang/walk.h"

bool ns_is_at(const struct ns_found *found, struct ns_span span)
{
    return span.source != NULL && ns_source_original(span.source) == found->source && span.from <= found->at &&
           found->at < span.to;
}

/* ---- types ---- */

static bool find_type(struct ns_found *found, const struct ns_type *type);

static bool find_among_types(struct ns_found *found, const struct ns_type_list *types)
{
    for (uint32_t i = 0; i < types->count; i++)
        if (find_type(found, types->items[i]))
            return true;
    return false;
}

static bool find_among_fields(struct ns_found *found, const struct ns_field_list *fields)
{
    for (uint32_t i = 0; i < fields->count; i++)
        if (find_type(found, fields->items[i].type))
            return true;
    return false;
}

static bool find_type(struct ns_found *found, const struct ns_type *type)
{
    bool inside = false;

    if (type == NULL || !ns_is_at(found, type->span))
        return false;
    switch (type->kind) {
    case NS_TYPE_NAMED:
        inside = find_among_types(found, &type->named.arguments);
        break;
    case NS_TYPE_TUPLE:
        inside = find_among_types(found, &type->items);
        break;
    case NS_TYPE_FUNCTION:
        inside = find_among_types(found, &type->function.parameters) || find_type(found, type->function.result);
        break;
    case NS_TYPE_RECORD:
        inside = find_among_fields(found, &type->fields);
        break;
    case NS_TYPE_VARIABLE:
    case NS_TYPE_UNIT:
        break;
    }
    if (!inside)
        found->type = type;
    return true;
}

/* ---- patterns ---- */

static bool find_pattern(struct ns_found *found, const struct ns_pattern *pattern);

static bool find_among_patterns(struct ns_found *found, const struct ns_pattern_list *patterns)
{
    for (uint32_t i = 0; i < patterns->count; i++)
        if (find_pattern(found, patterns->items[i]))
            return true;
    return false;
}

static bool find_in_constructor(struct ns_found *found, const struct ns_pattern *pattern)
{
    for (uint32_t i = 0; i < pattern->constructor.fields.count; i++)
        if (find_pattern(found, pattern->constructor.fields.items[i].pattern))
            return true;
    return find_among_patterns(found, &pattern->constructor.items);
}

static bool find_in_map(struct ns_found *found, const struct ns_map_pattern_list *entries)
{
    for (uint32_t i = 0; i < entries->count; i++)
        if (find_pattern(found, entries->items[i].key) || find_pattern(found, entries->items[i].value))
            return true;
    return false;
}

static bool find_pattern(struct ns_found *found, const struct ns_pattern *pattern)
{
    bool inside = false;

    if (pattern == NULL || !ns_is_at(found, pattern->span))
        return false;
    switch (pattern->kind) {
    case NS_PATTERN_TUPLE:
    case NS_PATTERN_SET:
    case NS_PATTERN_OR:
        inside = find_among_patterns(found, &pattern->items);
        break;
    case NS_PATTERN_LIST:
        inside = find_among_patterns(found, &pattern->list.items) || find_pattern(found, pattern->list.rest);
        break;
    case NS_PATTERN_CONSTRUCTOR:
    case NS_PATTERN_RECORD:
        inside = find_in_constructor(found, pattern);
        break;
    case NS_PATTERN_MAP:
        inside = find_in_map(found, &pattern->map);
        break;
    case NS_PATTERN_WILDCARD:
    case NS_PATTERN_NAME:
    case NS_PATTERN_LITERAL:
    case NS_PATTERN_RANGE:
    case NS_PATTERN_PIN:
        break;
    }
    if (!inside)
        found->pattern = pattern;
    return true;
}

/* ---- expressions and functions ---- */

static bool find_expr(struct ns_found *found, struct ns_expr *expr);

static bool find_in_head(struct ns_found *found, const struct ns_function *function)
{
    for (uint32_t i = 0; i < function->parameters.count; i++)
        if (find_pattern(found, function->parameters.items[i].pattern) ||
            find_type(found, function->parameters.items[i].type))
            return true;
    return find_type(found, function->return_type);
}

static bool find_in_arms(struct ns_found *found, const struct ns_arm_list *arms)
{
    for (uint32_t i = 0; i < arms->count; i++)
        if (find_pattern(found, arms->items[i].pattern))
            return true;
    return false;
}

/* Parts of an expression that are no expressions themselves. */
static bool find_in_parts(struct ns_found *found, const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_LAMBDA:
        return find_in_head(found, expr->function);
    case NS_EXPR_LOCAL_FUNCTION:
        if (ns_is_at(found, expr->function->name.span)) {
            found->function = expr->function;
            return true;
        }
        return find_in_head(found, expr->function);
    case NS_EXPR_CALL:
    case NS_EXPR_METHOD_CALL:
    case NS_EXPR_CONSTRUCT:
        return find_among_types(found, &expr->call.type_arguments);
    case NS_EXPR_MATCH:
        return find_in_arms(found, &expr->match.arms);
    case NS_EXPR_TRY:
        return find_in_arms(found, &expr->try_.arms);
    case NS_EXPR_RECEIVE:
        return find_in_arms(found, &expr->receive.arms);
    case NS_EXPR_BIND:
        return find_pattern(found, expr->bind.pattern) || find_type(found, expr->bind.type);
    default:
        return false;
    }
}

struct descent {
    struct ns_found *found;
    bool inside;
};

static void descend(void *context, struct ns_expr *child)
{
    struct descent *descent = context;

    if (!descent->inside)
        descent->inside = find_expr(descent->found, child);
}

static bool find_expr(struct ns_found *found, struct ns_expr *expr)
{
    struct descent descent = { found, false };

    if (expr == NULL || !ns_is_at(found, expr->span))
        return false;
    nb_vec_push(&found->path, expr);
    ns_walk_children(expr, descend, &descent);
    if (!descent.inside && !find_in_parts(found, expr))
        found->expr = expr;
    return true;
}

static bool find_in_function(struct ns_found *found, const struct ns_function *function)
{
    struct descent descent = { found, false };

    if (!ns_is_at(found, function->span))
        return false;
    found->outermost = function;
    if (ns_is_at(found, function->name.span)) {
        found->function = function;
        return true;
    }
    ns_walk_function(function, descend, &descent);
    return descent.inside || find_in_head(found, function);
}

/* ---- items ---- */

static bool find_name(struct ns_found *found, const struct ns_name *name)
{
    if (name->text == NULL || !ns_is_at(found, name->span))
        return false;
    found->name = name;
    return true;
}

static bool find_field_name(struct ns_found *found, const struct ns_field_list *fields)
{
    for (uint32_t i = 0; i < fields->count; i++)
        if (find_name(found, &fields->items[i].name))
            return true;
    return find_among_fields(found, fields);
}

static bool find_in_functions(struct ns_found *found, const struct ns_function_list *functions)
{
    for (uint32_t i = 0; i < functions->count; i++)
        if (find_in_function(found, functions->items[i]))
            return true;
    return false;
}

static bool find_in_type_item(struct ns_found *found, const struct ns_item *item)
{
    const struct ns_constructor_list *constructors = &item->type.constructors;

    for (uint32_t i = 0; i < constructors->count; i++)
        if (find_name(found, &constructors->items[i].name) || find_field_name(found, &constructors->items[i].fields))
            return true;
    return find_name(found, &item->type.name) || find_field_name(found, &item->type.fields) ||
           find_type(found, item->type.alias);
}

static bool find_in_item(struct ns_found *found, const struct ns_item *item)
{
    found->item = item;
    switch (item->kind) {
    case NS_ITEM_FUNCTION:
    case NS_ITEM_TEMPLATE:
        return find_in_function(found, item->function);
    case NS_ITEM_TYPE:
        return find_in_type_item(found, item);
    case NS_ITEM_TRAIT:
        return find_name(found, &item->trait.name) || find_in_functions(found, &item->trait.methods);
    case NS_ITEM_IMPLEMENTATION:
        return find_type(found, item->implementation.type) || find_in_functions(found, &item->implementation.methods);
    case NS_ITEM_MVAR:
    case NS_ITEM_CONST:
    case NS_ITEM_BINDING:
        return find_name(found, &item->value.name) || find_pattern(found, item->value.pattern) ||
               find_type(found, item->value.type) || find_expr(found, item->value.value);
    case NS_ITEM_TEST:
        return find_expr(found, item->test.body);
    case NS_ITEM_MODULE:
    case NS_ITEM_USE:
    case NS_ITEM_EXTERN_TYPE:
    case NS_ITEM_EXTERN_FUNCTION:
        break;
    }
    return false;
}

bool ns_find_node(struct ns_found *found, const struct ns_item_list *items)
{
    for (uint32_t i = 0; i < items->count; i++) {
        const struct ns_item *item = items->items[i];

        if (item->kind == NS_ITEM_MODULE && ns_is_at(found, item->span))
            return ns_find_node(found, &item->module.items);
        found->items = items;
        if (find_in_item(found, item))
            return true;
    }
    return false;
}
