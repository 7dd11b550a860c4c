/*
 * mvar_check.c - uses of mvars that are mistakes for sure: reading one in a condition and then writing it with
 * something else, and writing one while its new value is being computed (05 §2.5).
 *
 * The search goes through blocks, branches, arms and lambda bodies only; what is hidden in calls, operators, loops,
 * `try` and `spawn` is not looked at. That is the rule, not a shortcut.
 */
#include "config.h"

#include "lang/lower.h"

#include <string.h>

#include "lang/mention.h"

struct check {
    struct ns_unit *unit;
    const struct ns_group *group;
    struct ns_table locals;          /* names that are locals somewhere in the clause */
    const struct ns_value *wanted;   /* what is searched for in an expression … */
    bool found;
    NB_VEC(const struct ns_value *) read; /* … or what was found in a condition */
};

static const struct ns_value *mvar_named(const struct check *check, const char *name)
{
    if (ns_table_get(&check->locals, name) != NULL)
        return NULL;
    return ns_find_mvar(check->unit, check->group->space, name);
}

static void note_local(void *context, const char *name, bool may_assign)
{
    struct check *check = context;

    if (!may_assign || ns_find_mvar(check->unit, check->group->space, name) == NULL)
        ns_table_set(&check->locals, name, check);
}

static void note_read(void *context, const char *name, bool in_closure)
{
    struct check *check = context;
    const struct ns_value *mvar = mvar_named(check, name);

    (void)in_closure;
    if (mvar != NULL)
        ns_push(check->unit, &check->read, mvar);
}

static void note_wanted(void *context, const char *name, bool in_closure)
{
    struct check *check = context;

    (void)in_closure;
    if (mvar_named(check, name) == check->wanted)
        check->found = true;
}

static bool mentions(struct check *check, const struct ns_expr *expr, const struct ns_value *mvar)
{
    check->wanted = mvar;
    check->found = false;
    ns_mentions(expr, note_wanted, check);
    return check->found;
}

static void note_write(void *context, const char *name, bool may_assign)
{
    struct check *check = context;

    if (may_assign && mvar_named(check, name) == check->wanted)
        check->found = true;
}

/* The mvar that a statement writes, or NULL. */
static const struct ns_value *written(const struct check *check, const struct ns_expr *expr)
{
    if (expr->kind != NS_EXPR_BIND || expr->bind.is_var || !ns_is_name_pattern(expr->bind.pattern))
        return NULL;
    return mvar_named(check, expr->bind.pattern->name);
}

/* Whether a write of the mvar that does not read it stands in the expression. */
static bool overwrites(struct check *check, const struct ns_expr *expr, const struct ns_value *mvar)
{
    switch (expr->kind) {
    case NS_EXPR_BIND:
        if (written(check, expr) == mvar && !mentions(check, expr->bind.value, mvar))
            return true;
        return overwrites(check, expr->bind.value, mvar);
    case NS_EXPR_BLOCK:
        for (uint32_t i = 0; i < expr->block.statements.count; i++)
            if (overwrites(check, expr->block.statements.items[i], mvar))
                return true;
        return false;
    case NS_EXPR_IF:
        return overwrites(check, expr->conditional.then, mvar) ||
               (expr->conditional.otherwise != NULL && overwrites(check, expr->conditional.otherwise, mvar));
    case NS_EXPR_MATCH:
        for (uint32_t i = 0; i < expr->match.arms.count; i++)
            if (overwrites(check, expr->match.arms.items[i].body, mvar))
                return true;
        return false;
    case NS_EXPR_LAMBDA:
    case NS_EXPR_LOCAL_FUNCTION:
        return overwrites(check, expr->function->body, mvar);
    default:
        return false;
    }
}

static void report(struct check *check, struct ns_span span, const struct ns_value *mvar)
{
    const char *name = mvar->name;

    ns_report(
        check->unit, span,
        "function `%s` reads mvar `%s` and later writes it with a different value - this pattern can cause deadlock. "
        "Use `%s = %s + 1` (self-updating) instead of `x = %s; %s = x + 1` (read-then-write).",
        ns_group_signature(check->unit, check->group), name, name, name, name, name);
}

static void check_choice(struct check *check, const struct ns_expr *choice, const struct ns_expr *condition)
{
    check->read.count = 0;
    ns_mentions(condition, note_read, check);
    for (size_t i = 0; i < check->read.count; i++)
        if (overwrites(check, choice, check->read.items[i]))
            report(check, choice->span, check->read.items[i]);
}

static void check_write(struct check *check, const struct ns_expr *expr)
{
    const struct ns_value *mvar = written(check, expr);

    if (mvar == NULL)
        return;
    check->wanted = mvar;
    check->found = false;
    ns_bound_names(expr->bind.value, note_write, check);
    if (check->found)
        ns_report(check->unit, expr->span,
                  "nested write to mvar `%s` would cause deadlock - cannot write to the same mvar being assigned",
                  mvar->name);
}

static void check_expr(struct check *check, const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_BIND:
        check_write(check, expr);
        check_expr(check, expr->bind.value);
        break;
    case NS_EXPR_BLOCK:
        for (uint32_t i = 0; i < expr->block.statements.count; i++)
            check_expr(check, expr->block.statements.items[i]);
        break;
    case NS_EXPR_IF:
        check_choice(check, expr, expr->conditional.condition);
        check_expr(check, expr->conditional.condition);
        check_expr(check, expr->conditional.then);
        if (expr->conditional.otherwise != NULL)
            check_expr(check, expr->conditional.otherwise);
        break;
    case NS_EXPR_MATCH:
        check_choice(check, expr, expr->match.scrutinee);
        check_expr(check, expr->match.scrutinee);
        for (uint32_t i = 0; i < expr->match.arms.count; i++)
            check_expr(check, expr->match.arms.items[i].body);
        break;
    case NS_EXPR_LAMBDA:
    case NS_EXPR_LOCAL_FUNCTION:
        check_expr(check, expr->function->body);
        break;
    default:
        break;
    }
}

static void note_parameter(void *context, const char *name, bool in_closure)
{
    (void)in_closure;
    note_local(context, name, false);
}

void ns_check_mvars(struct ns_unit *unit, const struct ns_group *group)
{
    for (size_t i = 0; unit->mvars.count > 0 && i < group->clauses.count; i++) {
        const struct ns_function *clause = group->clauses.items[i];
        struct check check = { .unit = unit, .group = group };

        if (clause->body == NULL)
            continue;
        for (uint32_t k = 0; k < clause->parameters.count; k++)
            ns_mentions_pattern(clause->parameters.items[k].pattern, note_parameter, &check);
        ns_bound_names(clause->body, note_local, &check);
        check_expr(&check, clause->body);
        ns_table_done(&check.locals);
    }
}
