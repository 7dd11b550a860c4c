/*
 * infer_bind.c - `=`: new names and which of them are generalised (02 §5.3), assignments, fields.
 */
#include "config.h"

#include "lang/infer.h"

static const struct ns_span nowhere = { NULL, 0, 0 };

/* ---- assignment ---- */

/* An Int where a Float came first, or the reverse, is not worth an error if nobody wrote down (`declared` without a
 * source) which it is; but the variable may be either from then on. Its type afterwards. */
static struct ns_term *assign(struct ns_check *check, struct ns_expr *value, struct ns_term *variable,
                              struct ns_span declared)
{
    struct ns_term *term = ns_infer(check, value, variable);

    if (declared.source == NULL && ns_are_numbers(variable, term))
        return ns_con_of_term(variable) == ns_con_of_term(term) ? variable : ns_any(check);
    if (ns_unify(check, variable, term) != NS_UNIFIED)
        ns_complain_clash(check, value->span, variable, term, declared, "the annotation says so");
    return variable;
}

/* ---- generalisation ---- */

enum generality { MONOMORPHIC, OF_VALUE, OF_CALL };

/* What may be generalised: what computes nothing, and of a call what has no connection to its arguments. */
static enum generality generality_of(const struct ns_expr *expr);

static enum generality generality_of_all(const struct ns_expr_list *items)
{
    for (uint32_t i = 0; i < items->count; i++)
        if (generality_of(items->items[i]) != OF_VALUE)
            return MONOMORPHIC;
    return OF_VALUE;
}

static enum generality generality_of(const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_LAMBDA:
    case NS_EXPR_NAME:
    case NS_EXPR_UPPER:
    case NS_EXPR_LITERAL:
        return OF_VALUE;
    case NS_EXPR_LIST:
        return expr->list.tail == NULL ? generality_of_all(&expr->list.items) : MONOMORPHIC;
    case NS_EXPR_TUPLE:
        return generality_of_all(&expr->items);
    case NS_EXPR_MAP:
        return expr->map.count == 0 ? OF_VALUE : MONOMORPHIC;
    case NS_EXPR_SET:
        return expr->items.count == 0 ? OF_VALUE : MONOMORPHIC;
    case NS_EXPR_CONSTRUCT:
        return expr->call.arguments.count == 0 ? OF_VALUE : MONOMORPHIC;
    case NS_EXPR_CALL:
        return OF_CALL;
    default:
        return MONOMORPHIC;
    }
}

/* Arguments' types belong to the scope around. */
static void pin_arguments(struct ns_check *check, const struct ns_expr *call)
{
    for (uint32_t i = 0; i < call->call.arguments.count; i++)
        if (call->call.arguments.items[i].value->term != NULL)
            ns_lower_level(check, call->call.arguments.items[i].value->term);
    if (call->call.callee->term != NULL)
        ns_lower_level(check, call->call.callee->term);
}

static void bind_value(struct ns_check *check, const struct ns_expr *expr)
{
    const char *name = expr->bind.pattern->name;
    struct ns_expr *value = expr->bind.value;
    enum generality generality = expr->bind.type == NULL ? generality_of(value) : MONOMORPHIC;
    struct ns_typed_local *self = NULL;
    size_t scope = ns_names_begin(check);
    struct ns_term *term;

    ns_level_enter(check);
    if (value->kind == NS_EXPR_LAMBDA)
        self = ns_name_add(check, name, ns_variable(check));
    term = ns_infer(check, value, NULL);
    if (self != NULL && ns_unify(check, self->term, term) != NS_UNIFIED)
        ns_complain_clash(check, value->span, self->term, term, nowhere, NULL);
    ns_settle(check);
    ns_names_end(check, scope);
    ns_level_leave(check);
    if (generality == OF_CALL)
        pin_arguments(check, value);
    if (generality == OF_CALL && ns_prune(term)->kind != NS_TERM_FUNCTION)
        generality = MONOMORPHIC;
    if (generality == MONOMORPHIC)
        ns_lower_level(check, term);
    else
        term = ns_generalise(check, term);
    ns_name_add(check, name, term)->is_scheme = generality != MONOMORPHIC;
    expr->bind.pattern->term = term;
}

/* ---- bindings ---- */

static void report_annotation(struct ns_check *check, const struct ns_expr *expr, struct ns_term *expected,
                              struct ns_term *found)
{
    ns_complain_clash(check, expr->bind.value->span, expected, found, expr->bind.type->span,
                      "the annotation says so");
    if (!ns_is_muted(check) && ns_reported(check->unit))
        ns_note(check->unit->diag, "type mismatch: expected `%s` but found `%s`", ns_term_text(check, expected),
                ns_term_text(check, found));
}

static struct ns_term *annotated(struct ns_check *check, const struct ns_expr *expr)
{
    struct ns_term *expected = ns_term_of_type(check, check->body->types, expr->bind.type);
    struct ns_term *found = ns_infer(check, expr->bind.value, expected);
    size_t errors = ns_diag_count(check->unit->diag);

    if (ns_unify(check, expected, found) != NS_UNIFIED) {
        report_annotation(check, expr, expected, found);
        ns_label_declared(check, expr->bind.value, errors);
    }
    return expected;
}

/* The local, of this function or one around it, that is assigned and not made anew. */
static struct ns_typed_local *assigned(const struct ns_check *check, const struct ns_expr *expr)
{
    struct ns_typed_local *local = expr->bind.is_var ? NULL : ns_name_find(check, expr->bind.pattern->name);

    return local != NULL && local->is_var ? local : NULL;
}

static void bind_name(struct ns_check *check, const struct ns_expr *expr)
{
    const char *name = expr->bind.pattern->name;
    struct ns_typed_local *local = assigned(check, expr);
    struct ns_value *mvar = NULL;
    struct ns_term *term;

    if (local != NULL && expr->bind.type == NULL) {
        expr->bind.pattern->term = local->term;
        local->term = assign(check, expr->bind.value, local->term, local->declared);
        return;
    }
    if (!expr->bind.is_var && ns_name_find(check, name) == NULL)
        mvar = ns_find_mvar(check->unit, check->body->space, name);
    if (mvar != NULL && expr->bind.type == NULL) {
        expr->bind.pattern->term = ns_term_of_value(check, mvar, expr->span);
        assign(check, expr->bind.value, expr->bind.pattern->term,
               mvar->item->value.type == NULL ? nowhere : mvar->item->value.type->span);
        return;
    }
    if (expr->bind.type != NULL || expr->bind.is_var) {
        term = expr->bind.type != NULL ? annotated(check, expr) : ns_infer(check, expr->bind.value, NULL);
        local = ns_name_add(check, name, term);
        local->is_var = expr->bind.is_var;
        local->declared = expr->bind.type != NULL ? expr->bind.type->span : nowhere;
        expr->bind.pattern->term = term;
        return;
    }
    bind_value(check, expr);
}

void ns_infer_bind(struct ns_check *check, struct ns_expr *expr)
{
    struct ns_term *term;

    if (expr->bind.pattern->kind == NS_PATTERN_NAME) {
        bind_name(check, expr);
        return;
    }
    term = expr->bind.type != NULL ? annotated(check, expr) : ns_infer(check, expr->bind.value, NULL);
    ns_settle(check);
    ns_infer_pattern(check, expr->bind.pattern, term);
}

void ns_infer_assign_field(struct ns_check *check, struct ns_expr *expr)
{
    struct ns_term *object = ns_infer(check, expr->assign_field.object, NULL), *field;
    bool open;

    ns_settle(check);
    field = ns_field_of(check, object, expr->assign_field.name.text, &open);
    if (field == NULL) {
        ns_infer(check, expr->assign_field.value, NULL);
        if (!open)
            ns_complain_field(check, expr->assign_field.name.span, object, expr->assign_field.name.text);
        return;
    }
    ns_infer_as(check, expr->assign_field.value, field, nowhere, NULL);
}
