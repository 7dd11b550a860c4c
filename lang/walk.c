/*
 * walk.c - which expressions are directly inside of which.
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

static void walk_call(const struct ns_expr *expr, ns_visitor *visit, void *context)
{
    walk(expr->call.callee, visit, context);
    walk(expr->call.receiver, visit, context);
    for (uint32_t i = 0; i < expr->call.arguments.count; i++)
        walk(expr->call.arguments.items[i].value, visit, context);
}

void ns_walk_function(const struct ns_function *function, ns_visitor *visit, void *context)
{
    for (uint32_t i = 0; i < function->parameters.count; i++)
        walk(function->parameters.items[i].value, visit, context);
    walk(function->guard, visit, context);
    walk(function->body, visit, context);
}

void ns_walk_children(const struct ns_expr *expr, ns_visitor *visit, void *context)
{
    switch (expr->kind) {
    case NS_EXPR_LITERAL:
    case NS_EXPR_NAME:
    case NS_EXPR_UPPER:
    case NS_EXPR_WILDCARD:
    case NS_EXPR_CONTINUE:
        break;
    case NS_EXPR_INTERPOLATION:
        for (uint32_t i = 0; i < expr->parts.count; i++)
            walk(expr->parts.items[i].expr, visit, context);
        break;
    case NS_EXPR_LIST:
        walk_list(&expr->list.items, visit, context);
        walk(expr->list.tail, visit, context);
        break;
    case NS_EXPR_RANGE_LIST:
        walk(expr->range.from, visit, context);
        walk(expr->range.to, visit, context);
        break;
    case NS_EXPR_TUPLE:
    case NS_EXPR_SET:
        walk_list(&expr->items, visit, context);
        break;
    case NS_EXPR_MAP:
        for (uint32_t i = 0; i < expr->map.count; i++) {
            walk(expr->map.items[i].key, visit, context);
            walk(expr->map.items[i].value, visit, context);
        }
        break;
    case NS_EXPR_LAMBDA:
    case NS_EXPR_LOCAL_FUNCTION:
        ns_walk_function(expr->function, visit, context);
        break;
    case NS_EXPR_UNARY:
        walk(expr->unary.operand, visit, context);
        break;
    case NS_EXPR_BINARY:
        walk(expr->binary.left, visit, context);
        walk(expr->binary.right, visit, context);
        break;
    case NS_EXPR_PIPE:
    case NS_EXPR_SEND:
        walk(expr->pair.left, visit, context);
        walk(expr->pair.right, visit, context);
        break;
    case NS_EXPR_CALL:
    case NS_EXPR_METHOD_CALL:
    case NS_EXPR_CONSTRUCT:
        walk_call(expr, visit, context);
        break;
    case NS_EXPR_FIELD:
        walk(expr->field.object, visit, context);
        break;
    case NS_EXPR_TUPLE_FIELD:
        walk(expr->tuple_field.object, visit, context);
        break;
    case NS_EXPR_INDEX:
        walk(expr->index.object, visit, context);
        walk_list(&expr->index.indices, visit, context);
        break;
    case NS_EXPR_QUESTION:
    case NS_EXPR_BREAK:
    case NS_EXPR_RETURN:
    case NS_EXPR_QUOTE:
    case NS_EXPR_SPLICE:
        walk(expr->operand, visit, context);
        break;
    case NS_EXPR_BLOCK:
        walk_list(&expr->block.statements, visit, context);
        break;
    case NS_EXPR_IF:
        walk(expr->conditional.condition, visit, context);
        walk(expr->conditional.then, visit, context);
        walk(expr->conditional.otherwise, visit, context);
        break;
    case NS_EXPR_MATCH:
        walk(expr->match.scrutinee, visit, context);
        walk_arms(&expr->match.arms, visit, context);
        break;
    case NS_EXPR_TRY:
        walk(expr->try_.body, visit, context);
        walk_arms(&expr->try_.arms, visit, context);
        walk(expr->try_.finally, visit, context);
        break;
    case NS_EXPR_WHILE:
        walk(expr->while_.condition, visit, context);
        walk(expr->while_.body, visit, context);
        break;
    case NS_EXPR_FOR:
        walk(expr->for_.from, visit, context);
        walk(expr->for_.to, visit, context);
        walk(expr->for_.body, visit, context);
        break;
    case NS_EXPR_SPAWN:
        walk(expr->spawn.body, visit, context);
        break;
    case NS_EXPR_RECEIVE:
        walk_arms(&expr->receive.arms, visit, context);
        walk(expr->receive.timeout, visit, context);
        walk(expr->receive.after, visit, context);
        break;
    case NS_EXPR_BIND:
        walk(expr->bind.value, visit, context);
        break;
    case NS_EXPR_ASSIGN_FIELD:
        walk(expr->assign_field.object, visit, context);
        walk(expr->assign_field.value, visit, context);
        break;
    case NS_EXPR_ASSIGN_INDEX:
        walk(expr->assign_index.object, visit, context);
        walk_list(&expr->assign_index.indices, visit, context);
        walk(expr->assign_index.value, visit, context);
        break;
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
