/*
 * infer_operator.c - operators and indexing (02 §4.2, §5.6).
 *
 * Numbers are told apart at run time, so what is asked here is only whether the operands can go together. A literal
 * never decides what an unknown operand is: it demands Num of it.
 */
#include "config.h"

#include <string.h>

#include "base/intern.h"
#include "lang/infer.h"

static bool is_open(struct ns_term *term)
{
    return term->kind == NS_TERM_ANY || term->kind == NS_TERM_NEVER;
}

/* 12, -12, (12): an Int literal, which goes with every kind of number. */
static bool is_int_literal(const struct ns_expr *expr)
{
    if (expr->kind == NS_EXPR_UNARY && expr->unary.op == NS_OPERATOR_NEGATE)
        expr = expr->unary.operand;
    return expr->kind == NS_EXPR_LITERAL && expr->literal.kind == NS_LITERAL_INT;
}

static enum ns_con_number number_of(struct ns_term *term)
{
    return term->data.con->number;
}

static bool is_sized(enum ns_con_number number)
{
    return number >= NS_CON_INT8 && number <= NS_CON_UINT64;
}

struct operation {
    struct ns_check *check;
    const struct ns_expr *expr;
    const char *symbol;
    struct ns_term *left, *right; /* pruned */
};

/* ---- arithmetic ---- */

/* What the run time converts by itself: Int to Float, Int and Int32 to BigInt (03 §4.2). */
static bool widens(enum ns_con_number from, enum ns_con_number to)
{
    return (from == NS_CON_INT && to == NS_CON_FLOAT) ||
           ((from == NS_CON_INT || from == NS_CON_INT32) && to == NS_CON_BIGINT);
}

static struct ns_term *wider(const struct operation *operation, enum ns_con_number one, enum ns_con_number other)
{
    if (widens(one, other))
        return operation->right;
    if (widens(other, one))
        return operation->left;
    if (is_int_literal(operation->expr->binary.right) && (is_sized(one) || one == NS_CON_FLOAT32))
        return operation->left;
    if (is_int_literal(operation->expr->binary.left) && (is_sized(other) || other == NS_CON_FLOAT32))
        return operation->right;
    return NULL;
}

static struct ns_term *two_numbers(const struct operation *operation)
{
    enum ns_con_number one = number_of(operation->left), other = number_of(operation->right);
    struct ns_term *result = one == other ? operation->left : wider(operation, one, other);

    if (result != NULL)
        return result;
    ns_complain_mismatch(operation->check, operation->expr->span, operation->left, operation->right,
                         operation->expr->binary.left->span, "this decides what the other operand must be");
    return ns_any(operation->check);
}

/* A known number and something unknown: the known one decides the result as far as every partner it may have does. */
static struct ns_term *number_and_unknown(const struct operation *operation, struct ns_term *number,
                                          struct ns_term *unknown)
{
    ns_demand_trait(operation->check, unknown, "Num", NULL, operation->expr->span, operation->symbol);
    return number_of(number) == NS_CON_INT ? unknown : number;
}

static struct ns_term *complain_num(const struct operation *operation, struct ns_term *culprit, struct ns_term *other)
{
    ns_complain_trait(operation->check, operation->expr->span, culprit, "Num",
                      other->kind == NS_TERM_VARIABLE ? NULL : other);
    return ns_any(operation->check);
}

static bool lacks_num(struct ns_check *check, struct ns_term *term)
{
    return ns_satisfies(check, term, "Num", NULL, NULL, NULL) == NS_NO;
}

/* vecMulScalar(v, 2.0) and the like do it for a type Vec, if there is such a function (02 §4.2). */
static bool has_scalar_function(const struct operation *operation)
{
    static const char *const words[] = { [NS_OPERATOR_ADD] = "Add", [NS_OPERATOR_SUBTRACT] = "Sub",
                                         [NS_OPERATOR_MULTIPLY] = "Mul", [NS_OPERATOR_DIVIDE] = "Div" };
    enum ns_operator op = operation->expr->binary.op;
    const struct ns_con *con = ns_con_of_term(operation->left);
    char *name;

    if (con == NULL || con->info == NULL || (op != NS_OPERATOR_ADD && op != NS_OPERATOR_SUBTRACT &&
                                             op != NS_OPERATOR_MULTIPLY && op != NS_OPERATOR_DIVIDE))
        return false;
    name = nb_arena_printf(operation->check->arena, "%s%sScalar", con->info->name, words[op]);
    name[0] = (char)(name[0] | ('a' - 'A'));
    return ns_find(operation->check->unit, operation->check->body->space, nb_intern(name)).kind == NS_MEANS_FUNCTIONS;
}

/* At least one is known and no number: a type of the program, or an error. */
static struct ns_term *other_operands(const struct operation *operation)
{
    struct ns_check *check = operation->check;
    struct ns_term *left = operation->left, *right = operation->right;

    if (has_scalar_function(operation))
        return left;
    if (left->kind != NS_TERM_VARIABLE && lacks_num(check, left))
        return complain_num(operation, left, right);
    if (right->kind != NS_TERM_VARIABLE && lacks_num(check, right))
        return complain_num(operation, right, left);
    if (left->kind == NS_TERM_VARIABLE || right->kind == NS_TERM_VARIABLE || ns_is_number(left) || ns_is_number(right))
        return ns_any(check); /* a function like vecMulScalar may do it */
    if (ns_unify(check, left, right) != NS_UNIFIED)
        ns_complain_clash(check, operation->expr->span, left, right, operation->expr->binary.left->span, NULL);
    return left;
}

static struct ns_term *infer_arithmetic(const struct operation *operation)
{
    struct ns_check *check = operation->check;
    struct ns_term *left = operation->left, *right = operation->right;

    if (is_open(left) || is_open(right))
        return ns_any(check);
    if (ns_are_numbers(left, right))
        return two_numbers(operation);
    if (left->kind == NS_TERM_VARIABLE && right->kind == NS_TERM_VARIABLE) {
        ns_demand_trait(check, left, "Num", NULL, operation->expr->span, operation->symbol);
        if (ns_unify(check, left, right) != NS_UNIFIED)
            ns_complain_clash(check, operation->expr->span, left, right, operation->expr->span, NULL);
        return left;
    }
    if (left->kind == NS_TERM_VARIABLE && ns_is_number(right))
        return number_and_unknown(operation, right, left);
    if (right->kind == NS_TERM_VARIABLE && ns_is_number(left))
        return number_and_unknown(operation, left, right);
    return other_operands(operation);
}

/* ---- comparison ---- */

static void infer_comparison(const struct operation *operation, const char *trait)
{
    struct ns_check *check = operation->check;
    struct ns_term *left = operation->left, *right = operation->right;
    struct ns_span where = operation->expr->span;

    if (is_open(left) || is_open(right)) {
        ns_demand_trait(check, is_open(left) ? right : left, trait, NULL, where, operation->symbol);
        return;
    }
    ns_demand_trait(check, left, trait, NULL, where, operation->symbol);
    if (ns_are_numbers(left, right) ||
        (left->kind == NS_TERM_VARIABLE && ns_is_number(right)) ||
        (right->kind == NS_TERM_VARIABLE && ns_is_number(left))) {
        ns_demand_trait(check, right, trait, NULL, where, operation->symbol);
        return;
    }
    if (ns_is_basic(left, NS_CON_UNIT) || ns_is_basic(right, NS_CON_UNIT))
        return; /* what a missing key gives (02 §5.6) */
    if (ns_unify(check, left, right) == NS_UNIFIED)
        return;
    ns_complain_clash(check, where, left, right, operation->expr->binary.left->span, NULL);
    if (ns_is_muted(check) || !ns_reported(check->unit))
        return;
    if (ns_satisfies(check, left, trait, NULL, NULL, NULL) == NS_NO)
        ns_also(check->unit->diag, "%s does not implement %s", ns_term_text(check, left), trait);
    if (ns_satisfies(check, right, trait, NULL, NULL, NULL) == NS_NO)
        ns_also(check->unit->diag, "%s does not implement %s", ns_term_text(check, right), trait);
}

/* ---- ++ ---- */

static bool is_list(struct ns_term *term)
{
    return term->kind == NS_TERM_DATA && (number_of(term) == NS_CON_LIST || number_of(term) == NS_CON_ARRAY);
}

static void demand_concat(const struct operation *operation, struct ns_term *subject)
{
    struct ns_demand *demand = nb_arena_alloc(operation->check->arena, sizeof *demand);

    *demand = (struct ns_demand){ .kind = NS_DEMAND_CONCAT, .subject = subject, .name = "Concat",
                                  .where = operation->expr->span, .of = operation->symbol };
    ns_demand(operation->check, demand);
}

/* Lists of different elements may be joined; an unknown element is taken to be like the known one. */
static struct ns_term *join_lists(const struct operation *operation)
{
    struct ns_term *one = ns_prune(operation->left->data.arguments[0]);
    struct ns_term *other = ns_prune(operation->right->data.arguments[0]);

    if ((one->kind == NS_TERM_VARIABLE) != (other->kind == NS_TERM_VARIABLE))
        ns_unify(operation->check, one, other);
    else if (one->kind != NS_TERM_VARIABLE && !ns_would_unify(operation->check, one, other))
        return ns_list_of(operation->check, ns_any(operation->check));
    return operation->left;
}

static struct ns_term *list_and_unknown(const struct operation *operation, struct ns_term *list,
                                        struct ns_term *unknown)
{
    ns_unify(operation->check, unknown, ns_list_of(operation->check, ns_variable(operation->check)));
    return list;
}

static struct ns_term *infer_concat(const struct operation *operation)
{
    struct ns_check *check = operation->check;
    struct ns_term *left = operation->left, *right = operation->right;
    struct ns_term *known = left->kind == NS_TERM_DATA ? left : right;

    if (is_list(left) && is_list(right))
        return join_lists(operation);
    if (left->kind != NS_TERM_VARIABLE && !is_open(left))
        demand_concat(operation, left);
    if (right->kind != NS_TERM_VARIABLE && !is_open(right))
        demand_concat(operation, right);
    if (is_list(left) && right->kind == NS_TERM_VARIABLE)
        return list_and_unknown(operation, left, right);
    if (is_list(right) && left->kind == NS_TERM_VARIABLE)
        return list_and_unknown(operation, right, left);
    if (is_open(left) || is_open(right))
        return ns_is_basic(known, NS_CON_STRING) ? known : ns_any(check);
    if (left->kind == NS_TERM_VARIABLE && right->kind == NS_TERM_VARIABLE) {
        demand_concat(operation, left);
        return ns_unify(check, left, right) == NS_UNIFIED ? left : ns_any(check);
    }
    if (left->kind == NS_TERM_VARIABLE || right->kind == NS_TERM_VARIABLE) {
        demand_concat(operation, left->kind == NS_TERM_VARIABLE ? left : right);
        return known;
    }
    if ((is_list(left) && ns_is_basic(right, NS_CON_STRING)) || (is_list(right) && ns_is_basic(left, NS_CON_STRING))) {
        ns_complain_mismatch(check, operation->expr->span, left, right, operation->expr->binary.left->span, NULL);
        return ns_any(check);
    }
    return ns_is_basic(left, NS_CON_STRING) ? left : ns_any(check);
}

/* ---- all operators ---- */

static struct ns_term *infer_cons(struct ns_check *check, const struct ns_expr *expr)
{
    struct ns_term *list = ns_list_of(check, ns_infer(check, expr->binary.left, NULL));

    ns_infer_as(check, expr->binary.right, list, expr->binary.left->span, NULL);
    return list;
}

static struct ns_term *infer_logic(struct ns_check *check, const struct ns_expr *expr)
{
    struct ns_term *boolean = ns_basic(check, NS_CON_BOOL);
    struct ns_span nowhere = { NULL, 0, 0 };

    ns_infer_as(check, expr->binary.left, boolean, nowhere, NULL);
    ns_infer_as(check, expr->binary.right, boolean, nowhere, NULL);
    return boolean;
}

static struct ns_term *infer_operation(const struct operation *operation)
{
    struct ns_check *check = operation->check;

    switch (operation->expr->binary.op) {
    case NS_OPERATOR_EQUAL:
    case NS_OPERATOR_NOT_EQUAL:
        infer_comparison(operation, "Eq");
        return ns_basic(check, NS_CON_BOOL);
    case NS_OPERATOR_LESS:
    case NS_OPERATOR_GREATER:
    case NS_OPERATOR_LESS_EQUAL:
    case NS_OPERATOR_GREATER_EQUAL:
        infer_comparison(operation, "Ord");
        return ns_basic(check, NS_CON_BOOL);
    case NS_OPERATOR_CONCAT:
        return infer_concat(operation);
    default:
        return infer_arithmetic(operation);
    }
}

struct ns_term *ns_infer_binary(struct ns_check *check, struct ns_expr *expr, struct ns_term *expected)
{
    struct operation operation = { .check = check, .expr = expr };
    struct ns_term *result;
    size_t errors;

    operation.symbol = nb_arena_printf(check->arena, "`%s`", ns_operator_text(expr->binary.op));
    if (expr->binary.op == NS_OPERATOR_CONS)
        return infer_cons(check, expr);
    if (expr->binary.op == NS_OPERATOR_AND || expr->binary.op == NS_OPERATOR_OR)
        return infer_logic(check, expr);
    operation.left = ns_infer(check, expr->binary.left, expr->binary.op == NS_OPERATOR_CONCAT ? expected : NULL);
    operation.right = ns_infer(check, expr->binary.right, NULL);
    ns_settle(check);
    operation.left = ns_prune(operation.left);
    operation.right = ns_prune(operation.right);
    errors = ns_diag_count(check->unit->diag);
    result = infer_operation(&operation);
    ns_settle(check);
    ns_label_declared(check, expr->binary.left, errors);
    ns_label_declared(check, expr->binary.right, errors);
    return result;
}

struct ns_term *ns_infer_unary(struct ns_check *check, struct ns_expr *expr)
{
    struct ns_term *operand;

    if (expr->unary.op == NS_OPERATOR_NOT) {
        ns_infer_as(check, expr->unary.operand, ns_basic(check, NS_CON_BOOL), (struct ns_span){ NULL, 0, 0 }, NULL);
        return ns_basic(check, NS_CON_BOOL);
    }
    operand = ns_infer(check, expr->unary.operand, NULL);
    ns_demand_trait(check, operand, "Num", NULL, expr->span, "`-`");
    return operand;
}

/* ---- indexing ---- */

static struct ns_term *index_tuple(struct ns_check *check, struct ns_term *tuple, const struct ns_expr *index)
{
    if (index->kind != NS_EXPR_LITERAL || index->literal.kind != NS_LITERAL_INT || index->literal.integer < 0 ||
        index->literal.integer >= (int64_t)tuple->tuple.count)
        return ns_any(check);
    return tuple->tuple.items[index->literal.integer];
}

/* What container[index] is and what the index must be (NULL: anything); the container is known. */
static struct ns_term *element_of(struct ns_check *check, struct ns_term *container, struct ns_term **ret_index)
{
    *ret_index = NULL;
    if (container->kind != NS_TERM_DATA)
        return ns_any(check);
    switch (number_of(container)) {
    case NS_CON_LIST:
    case NS_CON_ARRAY:
        *ret_index = ns_basic(check, NS_CON_INT);
        return container->data.arguments[0];
    case NS_CON_STRING:
        *ret_index = ns_basic(check, NS_CON_INT);
        return ns_any(check);
    case NS_CON_INT64_ARRAY:
        *ret_index = ns_basic(check, NS_CON_INT);
        return ns_basic(check, NS_CON_INT);
    case NS_CON_FLOAT64_ARRAY:
        *ret_index = ns_basic(check, NS_CON_INT);
        return ns_basic(check, NS_CON_FLOAT);
    case NS_CON_MAP:
        *ret_index = container->data.arguments[0];
        return container->data.arguments[1];
    case NS_CON_SET:
        *ret_index = container->data.arguments[0];
        return ns_basic(check, NS_CON_BOOL);
    default:
        return ns_any(check);
    }
}

/* The index fits what the container wants, numbers of any kind among them. */
static void infer_index_value(struct ns_check *check, struct ns_expr *index, struct ns_term *wanted)
{
    struct ns_term *term = ns_infer(check, index, wanted);

    if (wanted != NULL && !ns_are_numbers(wanted, term) && ns_unify(check, wanted, term) != NS_UNIFIED)
        ns_complain_clash(check, index->span, wanted, term, (struct ns_span){ NULL, 0, 0 }, NULL);
}

/* Whether something of a known type surely has no elements to be read, or (`is_assigned`) to be replaced. What is not
 * built in may have functions for it (03 §17). */
static bool is_never_indexed(struct ns_term *container, bool is_assigned)
{
    enum ns_con_number number;

    if (container->kind == NS_TERM_FUNCTION)
        return true;
    if (container->kind == NS_TERM_TUPLE)
        return is_assigned;
    if (container->kind != NS_TERM_DATA)
        return false;
    number = number_of(container);
    if (is_assigned && (number == NS_CON_STRING || number == NS_CON_SET))
        return true;
    return ns_is_number(container) || number == NS_CON_BOOL || number == NS_CON_CHAR || number == NS_CON_UNIT;
}

/* container[index]; `assigned`: an index that is assigned to is the last one, else NULL. */
static struct ns_term *index_once(struct ns_check *check, const struct ns_expr *object, struct ns_term *container,
                                  struct ns_expr *index, const struct ns_expr *assigned)
{
    struct ns_term *wanted, *element;

    ns_settle(check);
    container = ns_prune(container);
    if (is_never_indexed(container, index == assigned)) {
        ns_complain_indexed(check, object->span, container, index == assigned);
        ns_infer(check, index, NULL);
        return ns_any(check);
    }
    if (container->kind == NS_TERM_TUPLE) {
        infer_index_value(check, index, ns_basic(check, NS_CON_INT));
        return index_tuple(check, container, index);
    }
    element = element_of(check, container, &wanted);
    infer_index_value(check, index, wanted);
    if (index == assigned && container->kind == NS_TERM_DATA && number_of(container) == NS_CON_MAP)
        ns_demand_trait(check, wanted, nb_intern("Hash"), NULL, index->span, NULL);
    return container->kind == NS_TERM_VARIABLE ? ns_variable(check) : element;
}

struct ns_term *ns_infer_index(struct ns_check *check, struct ns_expr *expr)
{
    struct ns_term *term = ns_infer(check, expr->index.object, NULL);

    for (uint32_t i = 0; i < expr->index.indices.count; i++)
        term = index_once(check, expr->index.object, term, expr->index.indices.items[i], NULL);
    return term;
}

void ns_infer_assign_index(struct ns_check *check, struct ns_expr *expr)
{
    struct ns_term *term = ns_infer(check, expr->assign_index.object, NULL), *value;
    struct ns_expr *const *indices = expr->assign_index.indices.items;
    uint32_t count = expr->assign_index.indices.count;

    for (uint32_t i = 0; i < count; i++)
        term = index_once(check, expr->assign_index.object, term, indices[i], indices[count - 1]);
    value = ns_infer(check, expr->assign_index.value, term);
    if (ns_are_numbers(term, value) || ns_unify(check, term, value) == NS_UNIFIED)
        return;
    ns_complain_clash(check, expr->assign_index.value->span, term, value, expr->assign_index.object->span, NULL);
}
