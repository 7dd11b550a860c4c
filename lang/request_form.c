/*
 * request_form.c - `x: Result[T, E] = e.toType()` becomes `x: Result[T, E] = requestToType(e, "T")` (04 §4.6).
 *
 * The type is that of the annotation, so the rewriting is done before anybody asks what `toType` is.
 */
#include "config.h"

#include <string.h>

#include "base/intern.h"
#include "lang/copy.h"
#include "lang/unit.h"
#include "lang/walk.h"

struct scan {
    struct ns_unit *unit;
    struct ns_space *space;
};

/* The T of an annotation Result[T, …], NULL for other annotations and none. */
static const struct ns_type *wanted_type(const struct ns_type *annotation)
{
    if (annotation == NULL || annotation->kind != NS_TYPE_NAMED || strcmp(annotation->named.name, "Result") != 0)
        return NULL;
    return annotation->named.arguments.count > 0 ? annotation->named.arguments.items[0] : NULL;
}

static bool is_to_type(const struct ns_expr *expr)
{
    return expr->kind == NS_EXPR_METHOD_CALL && expr->call.arguments.count == 0 &&
           strcmp(expr->call.name.text, "toType") == 0;
}

static void rewrite(const struct scan *scan, struct ns_expr *expr, const struct ns_type *type)
{
    const char *text = ns_resolved_type_text(scan->unit, scan->space, type);
    struct ns_expr *request = expr->call.receiver;
    struct ns_span span = expr->call.name.span;
    struct ns_expr *callee = nb_arena_alloc(scan->unit->arena, sizeof *callee);

    callee->kind = NS_EXPR_NAME;
    callee->span = span;
    callee->name = nb_intern("requestToType");
    expr->kind = NS_EXPR_CALL;
    expr->call.receiver = NULL;
    expr->call.callee = callee;
    expr->call.arguments.items = nb_arena_array(scan->unit->arena, 2, sizeof *expr->call.arguments.items);
    expr->call.arguments.items[0].value = request;
    expr->call.arguments.items[1].value = ns_text_expr(scan->unit->arena, text, span);
    expr->call.arguments.count = 2;
}

static void look(void *context, struct ns_expr *expr)
{
    const struct scan *scan = context;

    if (expr->kind == NS_EXPR_BIND && is_to_type(expr->bind.value) && wanted_type(expr->bind.type) != NULL)
        rewrite(scan, expr->bind.value, wanted_type(expr->bind.type));
    ns_walk_children(expr, look, context);
}

void ns_rewrite_request_forms(struct ns_unit *unit)
{
    for (size_t i = 0; i < unit->spaces.count; i++) {
        struct scan scan = { unit, unit->spaces.items[i] };

        if (scan.space->library)
            continue;
        for (uint32_t k = 0; k < scan.space->items->count; k++) {
            const struct ns_item *item = scan.space->items->items[k];

            if (item->kind == NS_ITEM_BINDING && is_to_type(item->value.value) &&
                wanted_type(item->value.type) != NULL)
                rewrite(&scan, item->value.value, wanted_type(item->value.type));
            ns_walk_item(item, look, &scan);
        }
    }
}
