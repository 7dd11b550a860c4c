/*
 * expand_function.c - the functions of compile time (06 A.5): eval, gensym, toVar, param, comptime.
 *
 * Each has one argument. One whose argument is not known yet stays in place, with what the argument expanded to.
 */
#include "config.h"

#include "lang/expand_private.h"

#include <inttypes.h>
#include <string.h>

#include "base/intern.h"
#include "lang/parse.h"

static struct ns_syntax new_name(struct ns_expansion *expansion, const char *text, size_t length)
{
    struct ns_expr *expr = ns_new_node(expansion, NS_EXPR_NAME);
    bool upper = length > 0 && text[0] >= 'A' && text[0] <= 'Z';

    expr->kind = upper ? NS_EXPR_UPPER : NS_EXPR_NAME;
    expr->name = nb_intern_n(text, length);
    return ns_syntax_of_expr(expr);
}

/* The argument of f(e), or NULL. */
static const struct ns_expr *argument_of(const struct ns_expr *expr, const char *function)
{
    if (expr->kind != NS_EXPR_CALL || expr->call.callee->kind != NS_EXPR_NAME || expr->call.arguments.count != 1 ||
        expr->call.arguments.items[0].name.text != NULL || strcmp(expr->call.callee->name, function) != 0)
        return NULL;
    return expr->call.arguments.items[0].value;
}

/* The same call with another argument. */
static struct ns_syntax call_with(struct ns_expansion *expansion, const struct ns_expr *expr, struct ns_expr *argument)
{
    struct ns_expr *call = ns_new_node(expansion, NS_EXPR_CALL);

    call->call.callee = ns_new_node(expansion, NS_EXPR_NAME);
    call->call.callee->name = expr->call.callee->name;
    call->call.arguments.items = nb_arena_array(expansion->expander->arena, 1, sizeof *call->call.arguments.items);
    call->call.arguments.items[0].value = argument;
    call->call.arguments.count = 1;
    return ns_syntax_of_expr(call);
}

/* A value binding among definitions is a statement. */
static struct ns_syntax binding_statement(struct ns_expansion *expansion, const struct ns_item *item)
{
    struct ns_expr *bind = ns_new_node(expansion, NS_EXPR_BIND);

    bind->bind.pattern = item->value.pattern;
    bind->bind.type = item->value.type;
    bind->bind.value = item->value.value;
    bind->bind.is_var = item->value.is_var;
    expansion->evaluated = bind;
    return ns_syntax_of_expr(bind);
}

static struct ns_syntax of_item(struct ns_expansion *expansion, struct ns_item *item)
{
    if (item->kind == NS_ITEM_BINDING)
        return binding_statement(expansion, item);
    return (struct ns_syntax){ .kind = NS_SYNTAX_ITEM, .item = item };
}

static struct ns_syntax of_fragment(struct ns_expansion *expansion, const struct ns_fragment *fragment)
{
    uint32_t items = fragment->items.count, count = items + fragment->statements.count;
    struct ns_syntax many = { .kind = NS_SYNTAX_MANY };

    if (count == 1)
        return items == 1 ? of_item(expansion, fragment->items.items[0])
                          : ns_syntax_of_expr(fragment->statements.items[0]);
    many.list.items = nb_arena_array(expansion->expander->arena, count, sizeof *many.list.items);
    many.list.count = count;
    for (uint32_t i = 0; i < count; i++)
        many.list.items[i] = i < items ? of_item(expansion, fragment->items.items[i])
                                       : ns_syntax_of_expr(fragment->statements.items[i - items]);
    return many;
}

/* eval(e): what the text of e means as code. A text that means nothing leaves the call in place. */
static bool eval(struct ns_expansion *expansion, struct ns_expr *argument, struct ns_syntax *ret_value)
{
    struct ns_expander *expander = expansion->expander;
    struct ns_fragment fragment;
    const char *text;
    uint32_t length;

    if (!ns_known_text(expansion, argument, &text, &length) ||
        !ns_expand_spend(expander, expansion->place, 1 + length) ||
        !ns_parse_fragment(expander->arena, text, length, expansion->place, expander->depth, expander->references,
                           &fragment))
        return false;
    *ret_value = of_fragment(expansion, &fragment);
    return true;
}

static bool gensym(struct ns_expansion *expansion, struct ns_expr *argument, struct ns_syntax *ret_value)
{
    const char *prefix, *text;
    uint32_t length;

    if (!ns_known_text(expansion, argument, &prefix, &length))
        return false;
    text = nb_arena_printf(expansion->expander->arena, "%s_%" PRIu64, prefix, expansion->expander->numbers++);
    *ret_value = ns_syntax_of_text(expansion, text, strlen(text));
    return true;
}

static bool to_var(struct ns_expansion *expansion, struct ns_expr *argument, struct ns_syntax *ret_value)
{
    const char *text;
    uint32_t length;

    if (!ns_known_text(expansion, argument, &text, &length))
        return false;
    *ret_value = new_name(expansion, text, length);
    return true;
}

/* param(i): the decorated function's parameter of that number. */
static bool param(struct ns_expansion *expansion, struct ns_expr *argument, struct ns_syntax *ret_value)
{
    const struct ns_item *decorated = expansion->decorated;
    const struct ns_parameter_list *parameters;
    const struct ns_pattern *pattern;
    int64_t position;

    if (decorated == NULL || decorated->kind != NS_ITEM_FUNCTION || !ns_known_int(argument, &position))
        return false;
    parameters = &decorated->function->parameters;
    if (position < 0 || position >= parameters->count)
        return false;
    pattern = parameters->items[position].pattern;
    if (pattern->kind != NS_PATTERN_NAME)
        return false;
    *ret_value = new_name(expansion, pattern->name, strlen(pattern->name));
    return true;
}

static bool comptime(struct ns_expansion *expansion, struct ns_expr *argument, struct ns_syntax *ret_value)
{
    struct ns_expr *result = ns_comptime(expansion, argument);

    if (result == NULL)
        return false;
    *ret_value = ns_syntax_of_expr(result);
    return true;
}

static const struct {
    const char *name;
    bool spliced_only; /* it needs a `~` in front */
    /* False: that cannot be told from this argument. */
    bool (*function)(struct ns_expansion *expansion, struct ns_expr *argument, struct ns_syntax *ret_value);
} functions[] = {
    { "eval", false, eval },   { "gensym", true, gensym },     { "toVar", true, to_var },
    { "param", true, param },  { "comptime", true, comptime },
};

bool ns_expand_function(struct ns_expansion *expansion, const struct ns_expr *expr, bool spliced,
                        struct ns_syntax *ret_value)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        const struct ns_expr *written = argument_of(expr, functions[i].name);
        struct ns_syntax value;
        struct ns_expr *argument;

        if (written == NULL || (functions[i].spliced_only && !spliced))
            continue;
        value = ns_expand_value(expansion, written);
        argument = ns_syntax_expr(expansion, &value);
        if (!functions[i].function(expansion, argument, ret_value))
            *ret_value = call_with(expansion, expr, argument);
        return true;
    }
    return false;
}
