/*
 * mention.c - which names an expression mentions, binds and calls: walk.h's walk, and what it passes over, patterns and
 * names.
 */
#include "config.h"

#include "lang/mention.h"

#include "lang/lower.h"
#include "lang/walk.h"

struct walk {
    ns_mention *mention;
    ns_called *called;    /* NULL: calls are of no interest */
    ns_bound *bound_name; /* if set, only names that patterns bind are told, to this */
    void *context;
    bool only_closures;   /* what stands outside of closures is not told, and binds nothing */
    unsigned closures;
    const struct bound *bound;
};
/* Parameters of the closures around: names they bind are not mentions of what is outside. */
struct bound { const struct bound *outer; const struct ns_function *function; const char *name; };

static void walk_expr(struct walk *walk, const struct ns_expr *expr);
static void walk_pattern(struct walk *walk, const struct ns_pattern *pattern);

static bool binds(const struct ns_pattern *pattern, const char *name)
{
    return pattern->kind == NS_PATTERN_NAME && pattern->name == name;
}

static bool is_parameter(const struct walk *walk, const char *name)
{
    for (const struct bound *bound = walk->bound; bound != NULL; bound = bound->outer) {
        if (bound->name == name)
            return true;
        for (uint32_t i = 0; bound->function != NULL && i < bound->function->parameters.count; i++)
            if (binds(bound->function->parameters.items[i].pattern, name))
                return true;
    }
    return false;
}

static void mention(struct walk *walk, const char *name)
{
    if (walk->only_closures && walk->closures == 0)
        return;
    if (walk->bound_name == NULL && !is_parameter(walk, name))
        walk->mention(walk->context, name, walk->closures > 0);
}

static void walk_child(void *context, struct ns_expr *expr) { walk_expr(context, expr); }

/* The expressions directly inside: for kinds whose parts are nothing but expressions. */
static void walk_parts(struct walk *walk, const struct ns_expr *expr)
{
    ns_walk_children(expr, walk_child, walk);
}

static void walk_patterns(struct walk *walk, const struct ns_pattern_list *patterns)
{
    for (uint32_t i = 0; i < patterns->count; i++)
        walk_pattern(walk, patterns->items[i]);
}

static void walk_pattern(struct walk *walk, const struct ns_pattern *pattern)
{
    switch (pattern->kind) {
    case NS_PATTERN_NAME:
        if (walk->bound_name != NULL)
            walk->bound_name(walk->context, pattern->name, false);
        mention(walk, pattern->name);
        break;
    case NS_PATTERN_PIN:
        mention(walk, pattern->name);
        break;
    case NS_PATTERN_TUPLE:
    case NS_PATTERN_SET:
    case NS_PATTERN_OR:
        walk_patterns(walk, &pattern->items);
        break;
    case NS_PATTERN_LIST:
        walk_patterns(walk, &pattern->list.items);
        if (pattern->list.rest != NULL)
            walk_pattern(walk, pattern->list.rest);
        break;
    case NS_PATTERN_CONSTRUCTOR:
    case NS_PATTERN_RECORD:
        walk_patterns(walk, &pattern->constructor.items);
        for (uint32_t i = 0; i < pattern->constructor.fields.count; i++)
            walk_pattern(walk, pattern->constructor.fields.items[i].pattern);
        break;
    case NS_PATTERN_MAP:
        for (uint32_t i = 0; i < pattern->map.count; i++) {
            walk_pattern(walk, pattern->map.items[i].key);
            walk_pattern(walk, pattern->map.items[i].value);
        }
        break;
    case NS_PATTERN_WILDCARD:
    case NS_PATTERN_LITERAL:
    case NS_PATTERN_RANGE:
        break;
    }
}

static void walk_optional(struct walk *walk, const struct ns_expr *expr)
{
    if (expr != NULL)
        walk_expr(walk, expr);
}

static void walk_arms(struct walk *walk, const struct ns_arm_list *arms)
{
    for (uint32_t i = 0; i < arms->count; i++) {
        walk_pattern(walk, arms->items[i].pattern);
        walk_optional(walk, arms->items[i].guard);
        walk_expr(walk, arms->items[i].body);
    }
}

static void walk_function(struct walk *walk, const struct ns_function *function)
{
    struct bound bound = { walk->bound, function, NULL };

    walk->closures++;
    walk->bound = &bound;
    for (uint32_t i = 0; i < function->parameters.count; i++) {
        walk_pattern(walk, function->parameters.items[i].pattern);
        walk_optional(walk, function->parameters.items[i].value);
    }
    walk_optional(walk, function->guard);
    walk_optional(walk, function->body);
    walk->bound = bound.outer;
    walk->closures--;
}

static void walk_for(struct walk *walk, const struct ns_expr *expr)
{
    struct bound bound = { walk->bound, NULL, expr->for_.variable.text };

    walk_expr(walk, expr->for_.from);
    walk_expr(walk, expr->for_.to);
    if (!walk->only_closures || walk->closures > 0)
        walk->bound = &bound;
    walk_expr(walk, expr->for_.body);
    walk->bound = bound.outer;
}

static void walk_spawn(struct walk *walk, const struct ns_expr *expr)
{
    walk->closures++;
    walk_expr(walk, expr->spawn.body);
    walk->closures--;
}

static void walk_call(struct walk *walk, const struct ns_expr *expr)
{
    if (walk->called != NULL && expr->kind == NS_EXPR_CALL && expr->call.callee->kind == NS_EXPR_NAME)
        walk->called(walk->context, expr->call.callee->name, expr->call.arguments.count);
    if (expr->kind == NS_EXPR_METHOD_CALL)
        mention(walk, expr->call.name.text); /* it may be a local function (12.3) */
    walk_parts(walk, expr);
}

static void walk_bind(struct walk *walk, const struct ns_expr *expr)
{
    if (walk->bound_name != NULL && ns_is_name_pattern(expr->bind.pattern))
        walk->bound_name(walk->context, expr->bind.pattern->name, !expr->bind.is_var);
    else
        walk_pattern(walk, expr->bind.pattern);
    walk_expr(walk, expr->bind.value);
}

static void walk_expr(struct walk *walk, const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_NAME:
    case NS_EXPR_UPPER: mention(walk, expr->name); break;
    case NS_EXPR_LOCAL_FUNCTION:
        mention(walk, expr->function->name.text);
        walk_function(walk, expr->function);
        break;
    case NS_EXPR_LAMBDA: walk_function(walk, expr->function); break;
    case NS_EXPR_CALL:
    case NS_EXPR_METHOD_CALL: walk_call(walk, expr); break;
    case NS_EXPR_BIND: walk_bind(walk, expr); break;
    case NS_EXPR_FOR: walk_for(walk, expr); break;
    case NS_EXPR_SPAWN: walk_spawn(walk, expr); break;
    case NS_EXPR_MATCH:
        walk_expr(walk, expr->match.scrutinee);
        walk_arms(walk, &expr->match.arms);
        break;
    case NS_EXPR_TRY:
        walk_expr(walk, expr->try_.body);
        walk_arms(walk, &expr->try_.arms);
        walk_optional(walk, expr->try_.finally);
        break;
    case NS_EXPR_RECEIVE:
        walk_arms(walk, &expr->receive.arms);
        walk_optional(walk, expr->receive.timeout);
        walk_optional(walk, expr->receive.after);
        break;
    default: walk_parts(walk, expr); break;
    }
}

void ns_mentions(const struct ns_expr *expr, ns_mention *callback, void *context)
{
    struct walk walk = { .mention = callback, .context = context };

    walk_expr(&walk, expr);
}

void ns_closure_mentions(const struct ns_expr *expr, ns_mention *callback, void *context)
{
    struct walk walk = { .mention = callback, .context = context, .only_closures = true };

    walk_expr(&walk, expr);
}

void ns_mentions_pattern(const struct ns_pattern *pattern, ns_mention *callback, void *context)
{
    struct walk walk = { .mention = callback, .context = context };

    walk_pattern(&walk, pattern);
}

static void mention_nothing(void *context, const char *name, bool in_closure)
{
    (void)context;
    (void)name;
    (void)in_closure;
}

void ns_bound_names(const struct ns_expr *expr, ns_bound *callback, void *context)
{
    struct walk walk = { .mention = mention_nothing, .bound_name = callback, .context = context };

    walk_expr(&walk, expr);
}

void ns_calls(const struct ns_expr *expr, ns_called *callback, void *context)
{
    struct walk walk = { .mention = mention_nothing, .called = callback, .context = context };

    walk_expr(&walk, expr);
}

void ns_mentions_function(const struct ns_function *function, ns_mention *callback, void *context)
{
    struct walk walk = { .mention = callback, .context = context };

    walk_function(&walk, function);
}

/* ---- may it assign ---- */

static bool may_assign(const struct ns_expr *expr, int budget)
{
    if (budget == 0)
        return true;
    switch (expr->kind) {
    case NS_EXPR_LITERAL:
    case NS_EXPR_NAME:
    case NS_EXPR_UPPER:
    case NS_EXPR_LAMBDA:
        return false;
    case NS_EXPR_UNARY:
        return may_assign(expr->unary.operand, budget - 1);
    case NS_EXPR_BINARY:
        return may_assign(expr->binary.left, budget - 1) || may_assign(expr->binary.right, budget - 1);
    case NS_EXPR_FIELD:
        return may_assign(expr->field.object, budget - 1);
    case NS_EXPR_TUPLE_FIELD:
        return may_assign(expr->tuple_field.object, budget - 1);
    case NS_EXPR_INDEX:
        return expr->index.indices.count != 1 || may_assign(expr->index.object, budget - 1) ||
               may_assign(expr->index.indices.items[0], budget - 1);
    case NS_EXPR_CALL:
    case NS_EXPR_METHOD_CALL:
        /* What the callee assigns lives in cells; the arguments are evaluated here. */
        if ((expr->call.callee != NULL && may_assign(expr->call.callee, budget - 1)) ||
            (expr->call.receiver != NULL && may_assign(expr->call.receiver, budget - 1)))
            return true;
        for (uint32_t i = 0; i < expr->call.arguments.count; i++)
            if (may_assign(expr->call.arguments.items[i].value, budget - 1))
                return true;
        return false;
    default:
        return true;
    }
}

enum { LOOK_DEPTH = 4 };

bool ns_may_assign(const struct ns_expr *expr)
{
    return may_assign(expr, LOOK_DEPTH);
}
