/*
 * query_local.c - where a local was defined: the scopes around a place, from the outside in (01 §7, §9.2).
 *
 * A name that the same function has bound already is compared or assigned by a later pattern, not defined again, unless
 * `var` is written; a function inside may define it anew, unless it is a `var` outside.
 */
#include "config.h"

#include "lang/query_find.h"

struct scope {
    const char *name;
    struct ns_span span; /* of the definition that counts so far; source NULL: none */
    bool is_var;
    bool is_mvar;   /* outside of all functions it is one */
    uint32_t depth; /* of the function it belongs to … */
    uint32_t now;   /* … and of the one being looked at */
};

static void define(struct scope *scope, struct ns_span span, bool is_var)
{
    scope->span = span;
    scope->is_var = is_var;
    scope->depth = scope->now;
}

/* A pattern that binds what is not bound yet. */
static void bind(struct scope *scope, struct ns_span span, bool is_var)
{
    bool bound = scope->span.source != NULL && (scope->depth == scope->now || scope->is_var);

    if (!bound || is_var)
        define(scope, span, is_var);
}

static void each_name(struct scope *scope, const struct ns_pattern *pattern, bool is_var,
                      void (*act)(struct scope *scope, struct ns_span span, bool is_var));

static void each_name_of(struct scope *scope, const struct ns_pattern_list *patterns, bool is_var,
                         void (*act)(struct scope *scope, struct ns_span span, bool is_var))
{
    for (uint32_t i = 0; i < patterns->count; i++)
        each_name(scope, patterns->items[i], is_var, act);
}

static void each_name(struct scope *scope, const struct ns_pattern *pattern, bool is_var,
                      void (*act)(struct scope *scope, struct ns_span span, bool is_var))
{
    if (pattern == NULL)
        return;
    switch (pattern->kind) {
    case NS_PATTERN_NAME:
        if (pattern->name == scope->name)
            act(scope, pattern->span, is_var);
        break;
    case NS_PATTERN_TUPLE:
    case NS_PATTERN_OR:
        each_name_of(scope, &pattern->items, is_var, act);
        break;
    case NS_PATTERN_LIST:
        each_name_of(scope, &pattern->list.items, is_var, act);
        each_name(scope, pattern->list.rest, is_var, act);
        break;
    case NS_PATTERN_CONSTRUCTOR:
    case NS_PATTERN_RECORD:
        each_name_of(scope, &pattern->constructor.items, is_var, act);
        for (uint32_t i = 0; i < pattern->constructor.fields.count; i++)
            each_name(scope, pattern->constructor.fields.items[i].pattern, is_var, act);
        break;
    case NS_PATTERN_MAP:
        for (uint32_t i = 0; i < pattern->map.count; i++)
            each_name(scope, pattern->map.items[i].value, is_var, act);
        break;
    case NS_PATTERN_WILDCARD:
    case NS_PATTERN_LITERAL:
    case NS_PATTERN_RANGE:
    case NS_PATTERN_SET:
    case NS_PATTERN_PIN:
        break;
    }
}

static void enter_function(struct scope *scope, const struct ns_function *function)
{
    scope->now++;
    for (uint32_t i = 0; i < function->parameters.count; i++)
        each_name(scope, function->parameters.items[i].pattern, false, define);
}

/* name = …, where that is the module's variable: nothing is defined. */
static bool assigns_mvar(const struct scope *scope, const struct ns_expr *bind)
{
    return scope->is_mvar && scope->span.source == NULL && bind->bind.pattern->kind == NS_PATTERN_NAME &&
           bind->bind.type == NULL && !bind->bind.is_var;
}

/* What the statements of a block up to the one that leads on bind. */
static void enter_block(struct scope *scope, const struct ns_expr_list *statements, const struct ns_expr *next)
{
    for (uint32_t i = 0; i < statements->count; i++) {
        const struct ns_expr *statement = statements->items[i];

        if (statement->kind == NS_EXPR_LOCAL_FUNCTION && statement->function->name.text == scope->name)
            define(scope, statement->function->name.span, false);
    }
    for (uint32_t i = 0; i < statements->count; i++) {
        const struct ns_expr *statement = statements->items[i];
        bool own = statement == next && statement->kind == NS_EXPR_BIND &&
                   statement->bind.value->kind == NS_EXPR_LAMBDA; /* which may call itself */

        if (statement == next && !own)
            return;
        if (statement->kind == NS_EXPR_BIND && !assigns_mvar(scope, statement))
            each_name(scope, statement->bind.pattern, statement->bind.is_var, bind);
        if (own)
            return;
    }
}

/* An arm's pattern: of the arm whose guard or body leads on, or in whose pattern the place is. */
static void enter_arms(struct scope *scope, const struct ns_arm_list *arms, const struct ns_expr *next)
{
    for (uint32_t i = 0; i < arms->count; i++)
        if (next != NULL && (arms->items[i].guard == next || arms->items[i].body == next))
            each_name(scope, arms->items[i].pattern, false, bind);
}

static void enter(struct scope *scope, const struct ns_expr *expr, const struct ns_expr *next)
{
    switch (expr->kind) {
    case NS_EXPR_LAMBDA:
    case NS_EXPR_LOCAL_FUNCTION:
        enter_function(scope, expr->function);
        break;
    case NS_EXPR_SPAWN:
        scope->now++;
        break;
    case NS_EXPR_BLOCK:
        enter_block(scope, &expr->block.statements, next);
        break;
    case NS_EXPR_MATCH:
        enter_arms(scope, &expr->match.arms, next);
        break;
    case NS_EXPR_TRY:
        enter_arms(scope, &expr->try_.arms, next);
        break;
    case NS_EXPR_RECEIVE:
        enter_arms(scope, &expr->receive.arms, next);
        break;
    case NS_EXPR_FOR:
        if (next == expr->for_.body && expr->for_.variable.text == scope->name)
            define(scope, expr->for_.variable.span, false);
        break;
    default:
        break;
    }
}

bool ns_find_local(const struct ns_found *found, const char *name, bool is_mvar, struct ns_span *ret_span)
{
    struct scope scope = { .name = name, .is_mvar = is_mvar };

    if (found->outermost != NULL)
        enter_function(&scope, found->outermost);
    for (size_t i = 0; i < found->path.count; i++)
        enter(&scope, found->path.items[i], i + 1 < found->path.count ? found->path.items[i + 1] : NULL);
    if (scope.span.source == NULL)
        return false;
    *ret_span = scope.span;
    return true;
}
