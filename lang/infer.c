/*
 * infer.c - the types of expressions (02 §5.1).
 */
#include "config.h"

#include "base/intern.h"
#include "lang/infer.h"

/* ---- literals and collections ---- */

static struct ns_term *infer_literal(struct ns_check *check, const struct ns_literal *literal)
{
    static const enum ns_con_number numbers[] = {
        [NS_LITERAL_UNIT] = NS_CON_UNIT,       [NS_LITERAL_BOOL] = NS_CON_BOOL,     [NS_LITERAL_INT] = NS_CON_INT,
        [NS_LITERAL_INT8] = NS_CON_INT8,       [NS_LITERAL_INT16] = NS_CON_INT16,   [NS_LITERAL_INT32] = NS_CON_INT32,
        [NS_LITERAL_UINT8] = NS_CON_UINT8,     [NS_LITERAL_UINT16] = NS_CON_UINT16, [NS_LITERAL_UINT32] = NS_CON_UINT32,
        [NS_LITERAL_UINT64] = NS_CON_UINT64,   [NS_LITERAL_BIGINT] = NS_CON_BIGINT,
        [NS_LITERAL_DECIMAL] = NS_CON_DECIMAL,
        [NS_LITERAL_FLOAT] = NS_CON_FLOAT,     [NS_LITERAL_FLOAT32] = NS_CON_FLOAT32, [NS_LITERAL_CHAR] = NS_CON_CHAR,
        [NS_LITERAL_STRING] = NS_CON_STRING,
    };

    return ns_basic(check, numbers[literal->kind]);
}

struct ns_term *ns_term_of_literal(struct ns_check *check, const struct ns_literal *literal)
{
    return infer_literal(check, literal);
}

static struct ns_term *infer_interpolation(struct ns_check *check, const struct ns_part_list *parts)
{
    for (uint32_t i = 0; i < parts->count; i++)
        if (parts->items[i].expr != NULL)
            ns_infer(check, parts->items[i].expr, NULL);
    return ns_basic(check, NS_CON_STRING);
}

/* What the elements of an expected collection are, or a fresh variable. */
static struct ns_term *element_of(struct ns_check *check, struct ns_term *expected, enum ns_con_number number)
{
    const struct ns_con *con = expected == NULL ? NULL : ns_con_of_term(expected);

    return con != NULL && con->number == number ? ns_prune(expected)->data.arguments[0] : ns_variable(check);
}

static bool is_list(struct ns_term *expected)
{
    const struct ns_con *con = expected == NULL ? NULL : ns_con_of_term(expected);

    return con != NULL && con->number == NS_CON_LIST;
}

static struct ns_term *infer_list(struct ns_check *check, const struct ns_expr *expr, struct ns_term *expected)
{
    struct ns_span nowhere = { NULL, 0, 0 };
    struct ns_span because = expr->list.items.count > 0 ? expr->list.items.items[0]->span : nowhere;
    struct ns_term *hint = element_of(check, expected, NS_CON_LIST), *element = ns_variable(check), *list;
    bool mixed = false;

    for (uint32_t i = 0; i < expr->list.items.count; i++) {
        struct ns_expr *item = expr->list.items.items[i];
        struct ns_term *term = ns_infer(check, item, hint);

        if (ns_unify(check, element, term) == NS_UNIFIED)
            continue;
        if (ns_are_numbers(element, term) && is_list(expected))
            mixed = true; /* what takes numbers of one kind makes them so: Float64Array.fromList([1, 2.5]) */
        else
            ns_complain_clash(check, item->span, element, term, because,
                              "the elements of a list must have the same type");
    }
    list = ns_list_of(check, mixed ? ns_any(check) : element);
    if (expr->list.tail != NULL)
        ns_infer_as(check, expr->list.tail, list, nowhere, NULL);
    return list;
}

static struct ns_term *infer_range(struct ns_check *check, const struct ns_expr *expr)
{
    struct ns_span nowhere = { NULL, 0, 0 };
    struct ns_term *number = ns_basic(check, NS_CON_INT);

    ns_infer_as(check, expr->range.from, number, nowhere, NULL);
    ns_infer_as(check, expr->range.to, number, nowhere, NULL);
    return ns_list_of(check, number);
}

static struct ns_term *infer_tuple(struct ns_check *check, const struct ns_expr_list *items, struct ns_term *expected)
{
    struct ns_term **terms = ns_terms(check, items->count);

    expected = expected == NULL ? NULL : ns_prune(expected);
    for (uint32_t i = 0; i < items->count; i++)
        terms[i] = ns_infer(check, items->items[i],
                            expected != NULL && expected->kind == NS_TERM_TUPLE && i < expected->tuple.count
                                ? expected->tuple.items[i]
                                : NULL);
    return ns_tuple_of(check, terms, items->count);
}

/* Keys and values of maps, elements of sets may be mixed; then they are anything (02 §5.9). That they stand in one
 * literal does not make what is not known yet the same: %{"name": name, "age": age}. */
static struct ns_term *mix(struct ns_check *check, struct ns_term *so_far, struct ns_term *term)
{
    if (so_far == NULL || ns_prune(so_far) == ns_prune(term))
        return term;
    return ns_is_known(so_far) && ns_is_known(term) && ns_would_unify(check, so_far, term) ? so_far : ns_any(check);
}

/* A key of a map or an element of a set. */
static struct ns_term *hashable(struct ns_check *check, const struct ns_expr *expr, struct ns_term *term)
{
    ns_demand_trait(check, term, nb_intern("Hash"), NULL, expr->span, NULL);
    return term;
}

static struct ns_term *infer_map(struct ns_check *check, const struct ns_map_entry_list *entries,
                                 struct ns_term *expected)
{
    const struct ns_con *con = expected == NULL ? NULL : ns_con_of_term(expected);
    struct ns_term *key = NULL, *value = NULL, *key_hint = NULL, *value_hint = NULL;

    if (con != NULL && con->number == NS_CON_MAP) {
        key_hint = ns_prune(expected)->data.arguments[0];
        value_hint = ns_prune(expected)->data.arguments[1];
    }
    for (uint32_t i = 0; i < entries->count; i++) {
        key = mix(check, key, hashable(check, entries->items[i].key, ns_infer(check, entries->items[i].key, key_hint)));
        value = mix(check, value, ns_infer(check, entries->items[i].value, value_hint));
    }
    return ns_map_of(check, key == NULL ? ns_variable(check) : key, value == NULL ? ns_variable(check) : value);
}

static struct ns_term *infer_set(struct ns_check *check, const struct ns_expr_list *items)
{
    struct ns_term *element = NULL;

    for (uint32_t i = 0; i < items->count; i++)
        element = mix(check, element, hashable(check, items->items[i], ns_infer(check, items->items[i], NULL)));
    return ns_set_of(check, element == NULL ? ns_variable(check) : element);
}

/* ---- control ---- */

/* What is expected of a value that is not used. */
static struct ns_term *discarded(struct ns_check *check)
{
    if (check->discarded == NULL) {
        check->discarded = nb_arena_alloc(check->arena, sizeof *check->discarded);
        check->discarded->kind = NS_TERM_ANY;
    }
    return check->discarded;
}

bool ns_are_numbers(struct ns_term *one, struct ns_term *other)
{
    return ns_is_number(one) && ns_is_number(other);
}

bool ns_mix_numbers(struct ns_check *check, struct ns_term *one, struct ns_term *other)
{
    if (!ns_are_numbers(one, other))
        return false;
    check->mixtures++;
    return true;
}

void ns_infer_as(struct ns_check *check, struct ns_expr *expr, struct ns_term *expected, struct ns_span because,
                 const char *why)
{
    struct ns_term *term = ns_infer(check, expr, expected);
    size_t errors = ns_diag_count(check->unit->diag);

    if (ns_unify(check, expected, term) == NS_UNIFIED)
        return;
    ns_complain_clash(check, expr->span, expected, term, because, why);
    ns_label_declared(check, expr, errors);
}

static bool is_unit(struct ns_term *term)
{
    return ns_is_basic(term, NS_CON_UNIT);
}

/* What cannot be because of what was done with the one that is not known yet: n + 1 beside "none". */
static bool defies_demands(struct ns_check *check, struct ns_term *one, struct ns_term *other,
                           const struct ns_joining *joining)
{
    struct ns_term *variable = one->kind == NS_TERM_VARIABLE ? one : other;
    size_t errors = ns_diag_count(check->unit->diag);

    if (one->kind == other->kind || variable->kind != NS_TERM_VARIABLE)
        return false;
    ns_check_demands_of(check, variable, variable == one ? other : one, joining->where);
    if (ns_diag_count(check->unit->diag) == errors)
        return false;
    ns_label(check->unit->diag, joining->because, "%s", joining->why);
    return true;
}

enum { PARTS_MAX = 50 };

/* Whether there is nothing dynamic in a type: variables may be, they are of one type whatever it is. */
static bool is_static(struct ns_term *term, uint32_t *parts)
{
    bool all = true;

    term = ns_prune(term);
    if (term->kind == NS_TERM_ANY || (*parts)-- == 0)
        return false;
    for (uint32_t i = 0; term->kind == NS_TERM_DATA && all && i < term->data.con->arity; i++)
        all = is_static(term->data.arguments[i], parts);
    for (uint32_t i = 0; term->kind == NS_TERM_TUPLE && all && i < term->tuple.count; i++)
        all = is_static(term->tuple.items[i], parts);
    for (uint32_t i = 0; term->kind == NS_TERM_FUNCTION && all && i < term->function.count; i++)
        all = is_static(term->function.parameters[i], parts);
    return all && (term->kind != NS_TERM_FUNCTION || is_static(term->function.result, parts));
}

/* Whether two types that were found not to be one surely are not: None beside 3. */
static bool surely_differ(const struct ns_check *check, struct ns_term *one, struct ns_term *other)
{
    const struct ns_clash *clash = &check->clash;
    uint32_t parts = PARTS_MAX;

    if (ns_is_known(one) && ns_is_known(other))
        return true;
    return clash->how == NS_MISMATCH && !ns_are_numbers(clash->expected, clash->found) && is_static(one, &parts) &&
           is_static(other, &parts);
}

struct ns_term *ns_join(struct ns_check *check, struct ns_term *one, struct ns_term *other,
                        const struct ns_joining *joining)
{
    struct ns_trial trial;
    bool fits, strict = joining->strict;

    one = ns_prune(one);
    other = ns_prune(other);
    if (one->kind == NS_TERM_NEVER)
        return other;
    if (other->kind == NS_TERM_NEVER)
        return one;
    if (one->kind == NS_TERM_ANY || other->kind == NS_TERM_ANY)
        return ns_any(check);
    if (strict && defies_demands(check, one, other, joining))
        return ns_any(check);
    trial = ns_trial_begin(check);
    fits = ns_unify(check, one, other) == NS_UNIFIED;
    ns_trial_end(check, trial, fits);
    if (fits)
        return one;
    strict = strict && !ns_are_numbers(one, other) && is_unit(one) == is_unit(other);
    if (strict && surely_differ(check, one, other))
        ns_complain_clash(check, joining->where, one, other, joining->because, joining->why);
    return ns_any(check);
}

static void infer_basic(struct ns_check *check, struct ns_expr *expr, enum ns_con_number number)
{
    ns_infer_as(check, expr, ns_basic(check, number), (struct ns_span){ NULL, 0, 0 }, NULL);
}

static void infer_condition(struct ns_check *check, struct ns_expr *condition)
{
    infer_basic(check, condition, NS_CON_BOOL);
}

/* A branch has a scope of its own, also if it is a single binding. */
static struct ns_term *infer_scoped(struct ns_check *check, struct ns_expr *expr, struct ns_term *expected)
{
    size_t scope = ns_names_begin(check);
    struct ns_term *term = ns_infer(check, expr, expected);

    ns_names_end(check, scope);
    return term;
}

static struct ns_term *infer_if(struct ns_check *check, const struct ns_expr *expr, struct ns_term *expected)
{
    struct ns_term *then, *otherwise;
    struct ns_joining joining = { .because = expr->conditional.then->span, .why = "the other branch", .strict = true };

    infer_condition(check, expr->conditional.condition);
    if (expr->conditional.otherwise == NULL) {
        infer_scoped(check, expr->conditional.then, discarded(check));
        return ns_basic(check, NS_CON_UNIT);
    }
    then = infer_scoped(check, expr->conditional.then, expected);
    otherwise = infer_scoped(check, expr->conditional.otherwise, expected);
    if (expected != NULL && expected == check->discarded)
        return ns_any(check);
    ns_settle(check);
    joining.where = expr->conditional.otherwise->span;
    return ns_join(check, then, otherwise, &joining);
}

static void declare_local_functions(struct ns_check *check, const struct ns_expr_list *statements)
{
    for (uint32_t i = 0; i < statements->count; i++)
        if (statements->items[i]->kind == NS_EXPR_LOCAL_FUNCTION)
            ns_name_add(check, statements->items[i]->function->name.text, ns_any(check));
}

static struct ns_term *infer_block(struct ns_check *check, const struct ns_expr *expr, struct ns_term *expected)
{
    const struct ns_expr_list *statements = &expr->block.statements;
    size_t scope = ns_names_begin(check);
    struct ns_term *term = ns_basic(check, NS_CON_UNIT);

    declare_local_functions(check, statements);
    for (uint32_t i = 0; i < statements->count; i++) {
        term = ns_infer(check, statements->items[i],
                        i + 1 < statements->count ? discarded(check) : expected);
        ns_settle(check);
    }
    ns_names_end(check, scope);
    return term;
}

/* `outer`: the breaks of the loop around; `endless`: nothing but a break or return ends this one. */
static struct ns_term *loop_result(struct ns_check *check, int outer, bool endless)
{
    int breaks = check->body->breaks;

    check->body->breaks = outer;
    if (breaks == NS_BREAKS_WITH_VALUE)
        return ns_any(check);
    return endless && breaks == NS_BREAKS_NOT ? ns_never(check) : ns_basic(check, NS_CON_UNIT);
}

static bool is_true(const struct ns_expr *expr)
{
    return expr->kind == NS_EXPR_LITERAL && expr->literal.kind == NS_LITERAL_BOOL && expr->literal.boolean;
}

static struct ns_term *infer_while(struct ns_check *check, const struct ns_expr *expr)
{
    int outer = check->body->breaks;

    check->body->breaks = NS_BREAKS_NOT;
    infer_condition(check, expr->while_.condition);
    infer_scoped(check, expr->while_.body, discarded(check));
    return loop_result(check, outer, is_true(expr->while_.condition));
}

static struct ns_term *infer_for(struct ns_check *check, const struct ns_expr *expr)
{
    struct ns_term *integer = ns_basic(check, NS_CON_INT);
    struct ns_span nowhere = { NULL, 0, 0 };
    int outer = check->body->breaks;
    size_t scope;

    check->body->breaks = NS_BREAKS_NOT;
    ns_infer_as(check, expr->for_.from, integer, nowhere, NULL);
    ns_infer_as(check, expr->for_.to, integer, nowhere, NULL);
    scope = ns_names_begin(check);
    ns_name_add(check, expr->for_.variable.text, integer);
    ns_infer(check, expr->for_.body, discarded(check));
    ns_names_end(check, scope);
    return loop_result(check, outer, false);
}

static struct ns_term *infer_break(struct ns_check *check, const struct ns_expr *expr)
{
    if (expr->operand != NULL) {
        ns_infer(check, expr->operand, NULL);
        check->body->breaks = NS_BREAKS_WITH_VALUE;
    } else if (check->body->breaks == NS_BREAKS_NOT) {
        check->body->breaks = NS_BREAKS;
    }
    return ns_never(check);
}

static struct ns_term *infer_return(struct ns_check *check, const struct ns_expr *expr)
{
    struct ns_term *result = check->body->result, *term;

    if (expr->operand == NULL)
        return ns_never(check);
    term = ns_infer(check, expr->operand, result);
    if (result != NULL && ns_unify(check, result, term) != NS_UNIFIED && !ns_is_basic(result, NS_CON_UNIT))
        ns_complain_clash(check, expr->operand->span, result, term, check->body->declared, "the declared result");
    return ns_never(check);
}

/* What is thrown, and what the body and the handlers give, may be anything. */
static struct ns_term *infer_try(struct ns_check *check, const struct ns_expr *expr)
{
    infer_scoped(check, expr->try_.body, discarded(check));
    ns_infer_arms(check, &expr->try_.arms, ns_any(check), discarded(check), false);
    if (expr->try_.finally != NULL)
        infer_scoped(check, expr->try_.finally, discarded(check));
    return ns_any(check);
}

static struct ns_term *infer_spawn(struct ns_check *check, const struct ns_expr *expr)
{
    struct ns_typed_body body = *check->body;

    body.outer = check->body;
    body.depth++;
    body.result = NULL;
    check->body = &body;
    infer_scoped(check, expr->spawn.body, discarded(check));
    check->body = body.outer;
    check->body->failed |= body.failed;
    return expr->spawn.kind == NS_SPAWN_MONITOR ? ns_any(check) : ns_basic(check, NS_CON_PID);
}

static struct ns_term *infer_receive(struct ns_check *check, const struct ns_expr *expr, struct ns_term *expected)
{
    struct ns_term *term = ns_infer_arms(check, &expr->receive.arms, ns_any(check), expected, false);
    struct ns_term *after;

    if (expr->receive.timeout != NULL)
        infer_basic(check, expr->receive.timeout, NS_CON_INT);
    if (expr->receive.after == NULL)
        return term;
    after = infer_scoped(check, expr->receive.after, expected);
    return ns_join(check, term, after, &(struct ns_joining){ .where = expr->receive.after->span });
}

static struct ns_term *infer_send(struct ns_check *check, const struct ns_expr *expr)
{
    infer_basic(check, expr->pair.left, NS_CON_PID);
    ns_infer(check, expr->pair.right, NULL);
    return ns_basic(check, NS_CON_UNIT);
}

/* ---- fields ---- */

static struct ns_term *demand_field(struct ns_check *check, struct ns_term *object, const char *name,
                                    struct ns_span where)
{
    struct ns_demand *demand = nb_arena_alloc(check->arena, sizeof *demand);

    *demand = (struct ns_demand){ .kind = NS_DEMAND_FIELD, .subject = object, .name = name, .where = where,
                                  .result = ns_variable(check), .space = check->body->space };
    ns_demand(check, demand);
    return demand->result;
}

static struct ns_term *field_of(struct ns_check *check, struct ns_term *object, const char *name, struct ns_span where)
{
    struct ns_term *field;
    bool open;

    object = ns_prune(object);
    if (object->kind == NS_TERM_VARIABLE)
        return demand_field(check, object, name, where);
    field = ns_field_of(check, object, name, &open);
    if (field == NULL && !open)
        ns_complain_field(check, where, object, name);
    return field == NULL ? ns_any(check) : field;
}

static struct ns_term *infer_field(struct ns_check *check, const struct ns_expr *expr)
{
    struct ns_space *module;
    const char *path;
    struct ns_term *object;

    if (ns_names_module(check, expr->field.object, &module, &path))
        return ns_term_of_meaning(check, ns_qualified_meaning(check, module, path, expr->field.name.text), expr->span);
    object = ns_infer(check, expr->field.object, NULL);
    ns_settle(check);
    return field_of(check, object, expr->field.name.text, expr->field.name.span);
}

static struct ns_term *infer_tuple_field(struct ns_check *check, const struct ns_expr *expr)
{
    struct ns_term *object = ns_infer(check, expr->tuple_field.object, NULL);

    ns_settle(check);
    return field_of(check, object, nb_intern(nb_arena_printf(check->arena, "%u", expr->tuple_field.position)),
                    expr->span);
}

/* ---- all kinds ---- */

static struct ns_term *infer(struct ns_check *check, struct ns_expr *expr, struct ns_term *expected)
{
    switch (expr->kind) {
    case NS_EXPR_LITERAL:
        return infer_literal(check, &expr->literal);
    case NS_EXPR_INTERPOLATION:
        return infer_interpolation(check, &expr->parts);
    case NS_EXPR_NAME:
        return ns_infer_name(check, expr);
    case NS_EXPR_UPPER:
        return ns_infer_upper(check, expr, expected);
    case NS_EXPR_LIST:
        return infer_list(check, expr, expected);
    case NS_EXPR_RANGE_LIST:
        return infer_range(check, expr);
    case NS_EXPR_TUPLE:
        return infer_tuple(check, &expr->items, expected);
    case NS_EXPR_MAP:
        return infer_map(check, &expr->map, expected);
    case NS_EXPR_SET:
        return infer_set(check, &expr->items);
    case NS_EXPR_LAMBDA:
        return ns_infer_lambda(check, expr->function, expected);
    case NS_EXPR_UNARY:
        return ns_infer_unary(check, expr);
    case NS_EXPR_BINARY:
        return ns_infer_binary(check, expr, expected);
    case NS_EXPR_PIPE:
        return ns_infer_pipe(check, expr);
    case NS_EXPR_SEND:
        return infer_send(check, expr);
    case NS_EXPR_CALL:
        return ns_infer_call(check, expr);
    case NS_EXPR_METHOD_CALL:
        return ns_infer_method_call(check, expr);
    case NS_EXPR_CONSTRUCT:
        return ns_infer_construct(check, expr, expected);
    case NS_EXPR_FIELD:
        return infer_field(check, expr);
    case NS_EXPR_TUPLE_FIELD:
        return infer_tuple_field(check, expr);
    case NS_EXPR_INDEX:
        return ns_infer_index(check, expr);
    case NS_EXPR_QUESTION:
        return ns_infer(check, expr->operand, expected);
    case NS_EXPR_BLOCK:
        return infer_block(check, expr, expected);
    case NS_EXPR_IF:
        return infer_if(check, expr, expected);
    case NS_EXPR_MATCH:
        return ns_infer_match(check, expr, expected);
    case NS_EXPR_TRY:
        return infer_try(check, expr);
    case NS_EXPR_WHILE:
        return infer_while(check, expr);
    case NS_EXPR_FOR:
        return infer_for(check, expr);
    case NS_EXPR_BREAK:
        return infer_break(check, expr);
    case NS_EXPR_CONTINUE:
        return ns_never(check);
    case NS_EXPR_RETURN:
        return infer_return(check, expr);
    case NS_EXPR_SPAWN:
        return infer_spawn(check, expr);
    case NS_EXPR_RECEIVE:
        return infer_receive(check, expr, expected);
    case NS_EXPR_BIND:
        ns_infer_bind(check, expr);
        return ns_basic(check, NS_CON_UNIT);
    case NS_EXPR_ASSIGN_FIELD:
        ns_infer_assign_field(check, expr);
        return ns_basic(check, NS_CON_UNIT);
    case NS_EXPR_ASSIGN_INDEX:
        ns_infer_assign_index(check, expr);
        return ns_basic(check, NS_CON_UNIT);
    case NS_EXPR_LOCAL_FUNCTION:
        ns_infer_local_function(check, expr->function);
        return ns_basic(check, NS_CON_UNIT);
    case NS_EXPR_WILDCARD:
    case NS_EXPR_QUOTE:
    case NS_EXPR_SPLICE:
        break;
    }
    return ns_any(check);
}

struct ns_term *ns_infer(struct ns_check *check, struct ns_expr *expr, struct ns_term *expected)
{
    expr->term = infer(check, expr, expected);
    return expr->term;
}
