/*
 * expand_quote.c - a quotation becomes code (06 A.5).
 *
 * The tree of the template is copied node by node; splices, attributes of what the parameters stand for, compile-time
 * conditions and a few functions (expand_function.c) are replaced on the way. What a parameter stands for is put in place
 * as it is: only the template's own text is looked at.
 */
#include "config.h"

#include "lang/expand_private.h"

#include <string.h>

#include "lang/parse.h"

static struct ns_syntax expand_splice(struct ns_expansion *expansion, const struct ns_expr *operand);

/* ---- copies ---- */

/* One node deeper. False: that is too deep, or there are too many; the caller puts something small instead. */
static bool enter(struct ns_expansion *expansion)
{
    struct ns_expander *expander = expansion->expander;

    if (!ns_expand_spend(expander, expansion->place, 1))
        return false;
    if (expander->depth < NS_NESTING_MAX) {
        expander->depth++;
        return true;
    }
    ns_error(expander->diag, NS_ERROR_COMPILE, expansion->place,
             "this expands to code that is nested too deeply (more than %d levels)", NS_NESTING_MAX);
    expander->failed = true;
    return false;
}

static void leave(struct ns_expansion *expansion)
{
    expansion->expander->depth--;
}

static struct ns_span moved_place(struct ns_copier *copier, struct ns_span span)
{
    struct ns_expansion *expansion = copier->context;

    if (span.source == NULL || span.source == expansion->place.source)
        return span;
    if (span.source != expansion->moved.from) {
        expansion->moved.from = span.source;
        expansion->moved.to = ns_diag_expanded_source(expansion->expander->diag, span.source, expansion->name,
                                                      expansion->template->function->name.span);
    }
    span.source = expansion->moved.to;
    return span;
}

static struct ns_expr *move_one(struct ns_copier *copier, const struct ns_expr *expr)
{
    struct ns_expansion *expansion = copier->context;
    struct ns_expr *copy;

    if (!enter(expansion))
        return ns_new_node(expansion, NS_EXPR_LITERAL);
    copy = ns_copy_node(copier, expr);
    leave(expansion);
    return copy;
}

static void move_several(struct ns_copier *copier, const struct ns_expr *expr, bool statement, struct ns_expr_buf *out)
{
    (void)statement;
    ns_expr_buf_push(copier->arena, out, move_one(copier, expr));
}

struct ns_expr *ns_expand_moved(struct ns_expansion *expansion, const struct ns_expr *expr)
{
    struct ns_copier copier = { expansion->expander->arena, expansion, move_one, move_several, moved_place };

    return move_one(&copier, expr);
}

static struct ns_span template_place(struct ns_copier *copier, struct ns_span span)
{
    (void)span;
    return ((const struct ns_expansion *)copier->context)->place;
}

static struct ns_expr *expand_one(struct ns_copier *copier, const struct ns_expr *expr)
{
    struct ns_syntax value = ns_expand_value(copier->context, expr);

    return ns_syntax_expr(copier->context, &value);
}

static void keep_definition(struct ns_expansion *expansion, struct ns_item *item)
{
    struct ns_expander *expander = expansion->expander;
    uint32_t count = expansion->definitions.count;

    if (count == expansion->definitions.capacity) {
        uint32_t capacity = count == 0 ? 4 : count * 2;
        struct ns_item **larger = nb_arena_array(expander->arena, capacity, sizeof(struct ns_item *));

        if (count > 0)
            memcpy(larger, expansion->definitions.items, count * sizeof *larger);
        expansion->definitions.items = larger;
        expansion->definitions.capacity = capacity;
    }
    expansion->definitions.items[expansion->definitions.count++] = item;
}

/* Put a value among others of a list of expressions; definitions among statements go their own way. */
static void put(struct ns_expansion *expansion, const struct ns_syntax *value, bool statement, struct ns_expr_buf *out)
{
    if (value->kind == NS_SYNTAX_MANY) {
        for (uint32_t i = 0; i < value->list.count; i++)
            put(expansion, &value->list.items[i], statement, out);
    } else if (statement && value->kind == NS_SYNTAX_ITEM) {
        keep_definition(expansion, value->item);
    } else {
        ns_expr_buf_push(expansion->expander->arena, out, ns_syntax_expr(expansion, value));
    }
}

static void expand_several(struct ns_copier *copier, const struct ns_expr *expr, bool statement,
                           struct ns_expr_buf *out)
{
    struct ns_syntax value = ns_expand_value(copier->context, expr);

    put(copier->context, &value, statement, out);
}

static struct ns_copier expanding(struct ns_expansion *expansion)
{
    return (struct ns_copier){ expansion->expander->arena, expansion, expand_one, expand_several, template_place };
}

static struct ns_syntax expand_node(struct ns_expansion *expansion, const struct ns_expr *expr)
{
    struct ns_copier copier = expanding(expansion);

    return ns_syntax_of_expr(ns_copy_node(&copier, expr));
}

/* A block, or what it consists of if these are definitions only. */
static struct ns_syntax expand_block(struct ns_expansion *expansion, const struct ns_expr *expr)
{
    uint32_t before = expansion->definitions.count, count;
    struct ns_syntax block = expand_node(expansion, expr), many = { .kind = NS_SYNTAX_MANY };

    count = expansion->definitions.count - before;
    if (count == 0 || block.expr->block.statements.count > 0)
        return block;
    many.list.items = nb_arena_array(expansion->expander->arena, count, sizeof *many.list.items);
    many.list.count = count;
    for (uint32_t i = 0; i < count; i++)
        many.list.items[i] =
            (struct ns_syntax){ .kind = NS_SYNTAX_ITEM, .item = expansion->definitions.items[before + i] };
    expansion->definitions.count = before;
    return many;
}

/* ---- names ---- */

static const struct ns_binding *find_binding(const struct ns_expansion *expansion, const struct ns_expr *expr)
{
    const struct ns_binding *binding = expr->kind == NS_EXPR_NAME ? expansion->bindings : NULL;

    while (binding != NULL && binding->name != expr->name)
        binding = binding->outer;
    return binding;
}

static struct ns_syntax bound(struct ns_expansion *expansion, const struct ns_binding *binding)
{
    if (!binding->own || binding->value.kind != NS_SYNTAX_EXPR)
        return binding->value;
    return ns_syntax_of_expr(ns_expand_moved(expansion, binding->value.expr));
}

/* ---- conditions ---- */

/* One branch counts, or the `if` stays. `must`: it must not. */
static struct ns_syntax expand_if(struct ns_expansion *expansion, const struct ns_expr *expr, bool must)
{
    struct ns_syntax value = ns_expand_value(expansion, expr->conditional.condition);
    struct ns_expr *condition = ns_syntax_expr(expansion, &value), without;
    bool truth;

    if (ns_known_bool(expansion, condition, &truth)) {
        if (truth)
            return ns_expand_value(expansion, expr->conditional.then);
        if (expr->conditional.otherwise != NULL)
            return ns_expand_value(expansion, expr->conditional.otherwise);
        return ns_syntax_of_expr(ns_new_node(expansion, NS_EXPR_LITERAL)); /* () */
    }
    if (must)
        ns_error(expansion->expander->diag, NS_ERROR_COMPILE, expansion->place,
                 "the condition of `~if` must be known at compile time");
    without = *expr;
    without.conditional.condition = NULL;
    value = expand_node(expansion, &without);
    value.expr->conditional.condition = condition;
    return value;
}

/* ---- lists, records ---- */

/* The lambda v => body that is the only argument, or NULL. */
static const struct ns_function *element_function(const struct ns_expr *expr)
{
    const struct ns_argument_list *arguments = &expr->call.arguments;
    const struct ns_function *function;

    if (arguments->count != 1 || arguments->items[0].value->kind != NS_EXPR_LAMBDA)
        return NULL;
    function = arguments->items[0].value->function;
    if (function->parameters.count != 1 || function->parameters.items[0].pattern->kind != NS_PATTERN_NAME)
        return NULL;
    return function;
}

static struct ns_syntax expand_map(struct ns_expansion *expansion, const struct ns_syntax *list,
                                   const struct ns_function *function)
{
    const struct ns_binding *outer = expansion->bindings;
    struct ns_syntax many = { .kind = NS_SYNTAX_MANY };

    many.list.items = nb_arena_array(expansion->expander->arena, (size_t)list->list.count + 1, sizeof *many.list.items);
    many.list.count = list->list.count;
    for (uint32_t i = 0; i < list->list.count; i++) {
        struct ns_binding element = { function->parameters.items[0].pattern->name, list->list.items[i], true, true,
                                      outer };

        expansion->bindings = &element;
        many.list.items[i] = ns_expand_value(expansion, function->body);
    }
    expansion->bindings = outer;
    return many;
}

static bool expand_join(struct ns_expansion *expansion, const struct ns_syntax *list, const struct ns_expr *expr,
                        struct ns_syntax *ret_value)
{
    const char *separator = "", *text;
    uint32_t separator_length = 0, length;

    if (expr->call.arguments.count > 1)
        return false;
    if (expr->call.arguments.count == 1) {
        struct ns_syntax value = ns_expand_value(expansion, expr->call.arguments.items[0].value);

        if (value.kind != NS_SYNTAX_EXPR || !ns_known_text(expansion, value.expr, &separator, &separator_length))
            return false;
    }
    if (!ns_joined_text(expansion, list, separator, separator_length, &text, &length))
        return false;
    *ret_value = ns_syntax_of_text(expansion, text, length);
    return true;
}

static struct ns_syntax number(struct ns_expansion *expansion, uint32_t n)
{
    struct ns_expr *expr = ns_new_node(expansion, NS_EXPR_LITERAL);

    expr->literal.kind = NS_LITERAL_INT;
    expr->literal.integer = n;
    return ns_syntax_of_expr(expr);
}

/* What a method of a compile-time list gives. False: that is left to the program. */
static bool list_method(struct ns_expansion *expansion, const struct ns_syntax *list, const struct ns_expr *expr,
                        struct ns_syntax *ret_value)
{
    const char *name = expr->call.name.text;
    const struct ns_function *function;

    if (strcmp(name, "join") == 0)
        return expand_join(expansion, list, expr, ret_value);
    if (strcmp(name, "length") == 0 && expr->call.arguments.count == 0) {
        *ret_value = number(expansion, list->list.count);
        return true;
    }
    function = strcmp(name, "map") == 0 ? element_function(expr) : NULL;
    if (function == NULL)
        return false;
    *ret_value = expand_map(expansion, list, function);
    return true;
}

/* A list literal as a compile-time list, for ~xs.map(…) where an argument stands for xs. */
static struct ns_syntax listed(struct ns_expansion *expansion, struct ns_syntax value)
{
    struct ns_syntax list = { .kind = NS_SYNTAX_LIST };
    const struct ns_expr_list *items;

    if (value.kind != NS_SYNTAX_EXPR || value.expr->kind != NS_EXPR_LIST || value.expr->list.tail != NULL)
        return value;
    items = &value.expr->list.items;
    list.list.items = nb_arena_array(expansion->expander->arena, (size_t)items->count + 1, sizeof *list.list.items);
    list.list.count = items->count;
    for (uint32_t i = 0; i < items->count; i++)
        list.list.items[i] = ns_syntax_of_expr(items->items[i]);
    return list;
}

static struct ns_syntax expand_method_on(struct ns_expansion *expansion, const struct ns_expr *expr,
                                         struct ns_syntax receiver)
{
    bool is_list = receiver.kind == NS_SYNTAX_LIST || receiver.kind == NS_SYNTAX_MANY;
    struct ns_expr without = *expr;
    struct ns_syntax value;

    if (is_list && list_method(expansion, &receiver, expr, &value))
        return value;
    without.call.receiver = NULL;
    value = expand_node(expansion, &without);
    value.expr->call.receiver = ns_syntax_expr(expansion, &receiver);
    return value;
}

/* A definition has no such attribute. Reported where it is known what was asked for. */
static struct ns_syntax fail_attribute(struct ns_expansion *expansion, const struct ns_item *item, const char *name)
{
    bool is_type = item->kind == NS_ITEM_TYPE;

    ns_error(expansion->expander->diag, NS_ERROR_COMPILE, expansion->place, "%s has no attribute `%s` in templates",
             is_type ? "a type" : "a function", name);
    ns_hint(expansion->expander->diag, "there are %s",
            is_type ? "`name`, `typeParams` and `fields`" : "`name`, `params`, `body` and `returnType`");
    return ns_syntax_of_expr(ns_new_node(expansion, NS_EXPR_LITERAL));
}

static struct ns_syntax expand_field_of(struct ns_expansion *expansion, const struct ns_expr *expr,
                                        struct ns_syntax object)
{
    struct ns_expr without = *expr;
    struct ns_syntax value;

    if (ns_syntax_member(expansion, &object, expr->field.name.text, &value))
        return value;
    if (object.kind == NS_SYNTAX_ITEM)
        return fail_attribute(expansion, object.item, expr->field.name.text);
    without.field.object = NULL;
    value = expand_node(expansion, &without);
    value.expr->field.object = ns_syntax_expr(expansion, &object);
    return value;
}

/* x.attr, where x may be a name that the template knows. */
static struct ns_syntax expand_field(struct ns_expansion *expansion, const struct ns_expr *expr)
{
    const struct ns_binding *binding = find_binding(expansion, expr->field.object);
    struct ns_syntax value;

    if (binding != NULL && ns_syntax_member(expansion, &binding->value, expr->field.name.text, &value))
        return value;
    return expand_field_of(expansion, expr, ns_expand_value(expansion, expr->field.object));
}

/* The element of a compile-time list or map that a tree denotes. */
static bool element_at(struct ns_expansion *expansion, const struct ns_syntax *object, const struct ns_expr *index,
                       struct ns_syntax *ret_value)
{
    const char *text;
    uint32_t length;
    int64_t position;

    if (object->kind == NS_SYNTAX_RECORD)
        return ns_known_text(expansion, index, &text, &length) &&
               ns_syntax_member(expansion, object, text, ret_value);
    if (object->kind != NS_SYNTAX_LIST || !ns_known_int(index, &position) || position < 0 ||
        position >= object->list.count)
        return false;
    *ret_value = object->list.items[position];
    return true;
}

static struct ns_syntax expand_index_of(struct ns_expansion *expansion, const struct ns_expr *expr,
                                        struct ns_syntax object)
{
    struct ns_expr without = *expr;
    struct ns_syntax value;

    without.index.object = NULL;
    value = expand_node(expansion, &without);
    if (value.expr->index.indices.count == 1 &&
        element_at(expansion, &object, value.expr->index.indices.items[0], &object))
        return object;
    value.expr->index.object = ns_syntax_expr(expansion, &object);
    return value;
}

static struct ns_syntax expand_call_of(struct ns_expansion *expansion, const struct ns_expr *expr,
                                       struct ns_syntax callee)
{
    struct ns_expr without = *expr;
    struct ns_syntax value;

    without.call.callee = NULL;
    value = expand_node(expansion, &without);
    value.expr->call.callee = ns_syntax_expr(expansion, &callee);
    return value;
}

/* ---- the rules ---- */

/* What a chain of selections and calls behind a `~` begins with: the `~` means that too. */
static struct ns_syntax expand_head(struct ns_expansion *expansion, const struct ns_expr *head)
{
    struct ns_syntax value;

    if (!enter(expansion))
        return ns_syntax_of_expr(ns_new_node(expansion, NS_EXPR_LITERAL));
    value = head->kind == NS_EXPR_IF || head->kind == NS_EXPR_SPLICE
                ? ns_expand_value(expansion, head)
                : listed(expansion, expand_splice(expansion, head));
    leave(expansion);
    return value;
}

/* ~e */
static struct ns_syntax expand_splice(struct ns_expansion *expansion, const struct ns_expr *operand)
{
    const struct ns_binding *binding = find_binding(expansion, operand);
    struct ns_syntax value;

    if (binding != NULL)
        return bound(expansion, binding);
    if (ns_expand_function(expansion, operand, true, &value))
        return value;
    switch (operand->kind) {
    case NS_EXPR_IF: return expand_if(expansion, operand, true);
    case NS_EXPR_METHOD_CALL:
        return expand_method_on(expansion, operand, expand_head(expansion, operand->call.receiver));
    case NS_EXPR_FIELD: return expand_field_of(expansion, operand, expand_head(expansion, operand->field.object));
    case NS_EXPR_INDEX: return expand_index_of(expansion, operand, expand_head(expansion, operand->index.object));
    case NS_EXPR_CALL: return expand_call_of(expansion, operand, expand_head(expansion, operand->call.callee));
    default: return ns_expand_value(expansion, operand);
    }
}

static struct ns_syntax expand_by_kind(struct ns_expansion *expansion, const struct ns_expr *expr)
{
    const struct ns_binding *binding;
    struct ns_syntax value;

    switch (expr->kind) {
    case NS_EXPR_SPLICE: return expand_splice(expansion, expr->operand);
    case NS_EXPR_QUOTE: return ns_expand_value(expansion, expr->operand);
    case NS_EXPR_IF: return expand_if(expansion, expr, false);
    case NS_EXPR_BLOCK: return expand_block(expansion, expr);
    case NS_EXPR_FIELD: return expand_field(expansion, expr);
    case NS_EXPR_INDEX: return expand_index_of(expansion, expr, ns_expand_value(expansion, expr->index.object));
    case NS_EXPR_METHOD_CALL: return expand_method_on(expansion, expr, ns_expand_value(expansion, expr->call.receiver));
    case NS_EXPR_NAME:
        binding = find_binding(expansion, expr);
        return binding != NULL && binding->bare ? bound(expansion, binding) : expand_node(expansion, expr);
    case NS_EXPR_CALL:
        return ns_expand_function(expansion, expr, false, &value) ? value : expand_node(expansion, expr);
    default: return expand_node(expansion, expr);
    }
}

struct ns_syntax ns_expand_value(struct ns_expansion *expansion, const struct ns_expr *expr)
{
    struct ns_syntax value;

    if (!enter(expansion))
        return ns_syntax_of_expr(ns_new_node(expansion, NS_EXPR_LITERAL));
    value = expand_by_kind(expansion, expr);
    leave(expansion);
    return value;
}

struct ns_expr_list ns_expand_quote(struct ns_expansion *expansion, const struct ns_expr *quote)
{
    struct ns_syntax value = ns_expand_value(expansion, quote->operand);
    struct ns_expr_buf out = { NULL, 0, 0 };

    put(expansion, &value, true, &out);
    return (struct ns_expr_list){ out.items, out.count };
}
