/*
 * walk.c - which expressions are directly inside of which: parts.def, without what is no expression.
 */
#include "config.h"

#include "lang/walk.h"

static void walk(struct ns_expr *expr, ns_visitor *visit, void *context)
{
    if (expr != NULL)
        visit(context, expr);
}

static void walk_list(const struct ns_expr_list *list, ns_visitor *visit, void *context)
{
    for (uint32_t i = 0; i < list->count; i++)
        walk(list->items[i], visit, context);
}

static void walk_arms(const struct ns_arm_list *arms, ns_visitor *visit, void *context)
{
    for (uint32_t i = 0; i < arms->count; i++) {
        walk(arms->items[i].guard, visit, context);
        walk(arms->items[i].body, visit, context);
    }
}

static void walk_arguments(const struct ns_argument_list *arguments, ns_visitor *visit, void *context)
{
    for (uint32_t i = 0; i < arguments->count; i++)
        walk(arguments->items[i].value, visit, context);
}

static void walk_pieces(const struct ns_part_list *pieces, ns_visitor *visit, void *context)
{
    for (uint32_t i = 0; i < pieces->count; i++)
        walk(pieces->items[i].expr, visit, context);
}

static void walk_entries(const struct ns_map_entry_list *entries, ns_visitor *visit, void *context)
{
    for (uint32_t i = 0; i < entries->count; i++) {
        walk(entries->items[i].key, visit, context);
        walk(entries->items[i].value, visit, context);
    }
}

void ns_walk_function(const struct ns_function *function, ns_visitor *visit, void *context)
{
    for (uint32_t i = 0; i < function->parameters.count; i++)
        walk(function->parameters.items[i].value, visit, context);
    walk(function->guard, visit, context);
    walk(function->body, visit, context);
}

#define ONE(part) walk(expr->part, visit, context);
#define SEVERAL(part) walk_list(&expr->part, visit, context);
#define STATEMENTS(part) walk_list(&expr->part, visit, context);
#define PIECES(part) walk_pieces(&expr->part, visit, context);
#define ENTRIES(part) walk_entries(&expr->part, visit, context);
#define ARMS(part) walk_arms(&expr->part, visit, context);
#define ARGUMENTS(part) walk_arguments(&expr->part, visit, context);
#define FUNCTION(part) ns_walk_function(expr->part, visit, context);
#define PATTERN(part)
#define TYPE(part)
#define TYPES(part)
#define NAME(part)
#define PLACE(part)

void ns_walk_children(const struct ns_expr *expr, ns_visitor *visit, void *context)
{
    switch (expr->kind) {
#define NODE(kind, parts) case NS_EXPR_##kind: parts break;
#include "lang/parts.def"
#undef NODE
    }
}

static void walk_functions(const struct ns_function_list *functions, ns_visitor *visit, void *context)
{
    for (uint32_t i = 0; i < functions->count; i++)
        ns_walk_function(functions->items[i], visit, context);
}

void ns_walk_item(const struct ns_item *item, ns_visitor *visit, void *context)
{
    switch (item->kind) {
    case NS_ITEM_FUNCTION:
    case NS_ITEM_TEMPLATE:
        ns_walk_function(item->function, visit, context);
        break;
    case NS_ITEM_TRAIT:
        walk_functions(&item->trait.methods, visit, context);
        break;
    case NS_ITEM_IMPLEMENTATION:
        walk_functions(&item->implementation.methods, visit, context);
        break;
    case NS_ITEM_MVAR:
    case NS_ITEM_CONST:
    case NS_ITEM_BINDING:
        walk(item->value.value, visit, context);
        break;
    case NS_ITEM_TEST:
        walk(item->test.body, visit, context);
        break;
    case NS_ITEM_TYPE:
    case NS_ITEM_MODULE:
    case NS_ITEM_USE:
    case NS_ITEM_EXTERN_TYPE:
    case NS_ITEM_EXTERN_FUNCTION:
        break;
    }
}
