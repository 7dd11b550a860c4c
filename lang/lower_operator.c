/*
 * lower_operator.c - operators, as values and as conditions.
 *
 * A small number on the right becomes part of the instruction. A condition does not make a Bool: comparisons jump by
 * themselves, and `&&`, `||` and `!` are jumps only.
 */
#include "config.h"

#include "lang/lower.h"
#include "lang/typed.h"

/* ---- operators ---- */

static bool small_literal(const struct ns_expr *expr, int *ret)
{
    if (expr->kind != NS_EXPR_LITERAL || expr->literal.kind != NS_LITERAL_INT || expr->literal.integer > INT16_MAX)
        return false;
    *ret = (int)expr->literal.integer;
    return true;
}

static const enum vm_op operator_ops[] = {
    [NS_OPERATOR_POWER] = VM_OP_POW,     [NS_OPERATOR_MULTIPLY] = VM_OP_MUL,     [NS_OPERATOR_DIVIDE] = VM_OP_DIV,
    [NS_OPERATOR_REMAINDER] = VM_OP_MOD, [NS_OPERATOR_ADD] = VM_OP_ADD,          [NS_OPERATOR_SUBTRACT] = VM_OP_SUB,
    [NS_OPERATOR_CONS] = VM_OP_CONS,     [NS_OPERATOR_CONCAT] = VM_OP_CONCAT,    [NS_OPERATOR_EQUAL] = VM_OP_EQ,
    [NS_OPERATOR_NOT_EQUAL] = VM_OP_NE,  [NS_OPERATOR_LESS] = VM_OP_LT,          [NS_OPERATOR_GREATER] = VM_OP_GT,
    [NS_OPERATOR_LESS_EQUAL] = VM_OP_LE, [NS_OPERATOR_GREATER_EQUAL] = VM_OP_GE,
};

/* The form with a constant on the right; VM_OP_COUNT when there is none. */
static enum vm_op immediate_op(enum ns_operator op)
{
    switch (op) {
    case NS_OPERATOR_ADD:
        return VM_OP_ADD_IMM;
    case NS_OPERATOR_SUBTRACT:
        return VM_OP_SUB_IMM;
    case NS_OPERATOR_MULTIPLY:
        return VM_OP_MUL_IMM;
    case NS_OPERATOR_DIVIDE:
        return VM_OP_DIV_IMM;
    case NS_OPERATOR_REMAINDER:
        return VM_OP_MOD_IMM;
    case NS_OPERATOR_EQUAL:
        return VM_OP_EQ_IMM;
    case NS_OPERATOR_NOT_EQUAL:
        return VM_OP_NE_IMM;
    case NS_OPERATOR_LESS:
        return VM_OP_LT_IMM;
    case NS_OPERATOR_LESS_EQUAL:
        return VM_OP_LE_IMM;
    case NS_OPERATOR_GREATER:
        return VM_OP_GT_IMM;
    case NS_OPERATOR_GREATER_EQUAL:
        return VM_OP_GE_IMM;
    default:
        return VM_OP_COUNT;
    }
}

static void lower_and_or(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    unsigned saved = frame->code.next;
    unsigned reg = ns_code_take(&frame->code, 1); /* not the target: the right side may still read it */
    ns_mark end = ns_code_label(&frame->code);

    ns_lower(frame, expr->binary.left, ns_into(reg));
    ns_mark_place(frame, expr->span);
    ns_code_jump(&frame->code, expr->binary.op == NS_OPERATOR_AND ? VM_OP_JUMP_FALSE : VM_OP_JUMP_TRUE, reg, end);
    ns_lower(frame, expr->binary.right, ns_into(reg));
    ns_code_bind(&frame->code, end);
    ns_deliver(frame, reg, target);
    frame->code.next = saved;
}

static void lower_arithmetic(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_expr *sides[2] = { expr->binary.left, expr->binary.right };
    unsigned saved = frame->code.next;
    unsigned registers[2], to;
    enum vm_op immediate = immediate_op(expr->binary.op);
    int constant;

    if (immediate != VM_OP_COUNT && small_literal(sides[1], &constant)) {
        registers[0] = ns_operand(frame, sides[0]);
        to = ns_place(frame, target);
        ns_mark_place(frame, expr->binary.op_span);
        ns_typed_note(frame, expr);
        ns_code_abc(&frame->code, immediate, to, registers[0], (unsigned)constant);
    } else {
        ns_operands(frame, sides, 2, registers);
        to = ns_place(frame, target);
        ns_mark_place(frame, expr->binary.op_span);
        ns_typed_note(frame, expr);
        ns_code_abc(&frame->code, operator_ops[expr->binary.op], to, registers[0], registers[1]);
    }
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

void ns_lower_binary(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    if (expr->binary.op == NS_OPERATOR_AND || expr->binary.op == NS_OPERATOR_OR)
        lower_and_or(frame, expr, target);
    else
        lower_arithmetic(frame, expr, target);
}

void ns_lower_unary(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    unsigned saved = frame->code.next;
    unsigned operand, to;
    vm_value constant;

    if (ns_constant_of(frame->unit, expr, &constant)) {
        ns_deliver_const(frame, constant, target);
        return;
    }
    operand = ns_operand(frame, expr->unary.operand);
    to = ns_place(frame, target);
    ns_mark_place(frame, expr->span);
    ns_code_abc(&frame->code, expr->unary.op == NS_OPERATOR_NOT ? VM_OP_NOT : VM_OP_NEGATE, to, operand, 0);
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

/* ---- conditions ---- */

static enum vm_op test_op(enum ns_operator op)
{
    switch (op) {
    case NS_OPERATOR_EQUAL:
        return VM_OP_TEST_EQ;
    case NS_OPERATOR_NOT_EQUAL:
        return VM_OP_TEST_NE;
    case NS_OPERATOR_LESS:
        return VM_OP_TEST_LT;
    case NS_OPERATOR_LESS_EQUAL:
        return VM_OP_TEST_LE;
    case NS_OPERATOR_GREATER:
        return VM_OP_TEST_GT;
    case NS_OPERATOR_GREATER_EQUAL:
        return VM_OP_TEST_GE;
    default:
        return VM_OP_COUNT;
    }
}

static void lower_test(struct ns_frame *frame, const struct ns_expr *expr, ns_mark no)
{
    enum vm_op op = test_op(expr->binary.op);
    struct ns_expr *sides[2] = { expr->binary.left, expr->binary.right };
    unsigned registers[2];
    unsigned flag = ns_code_take(&frame->code, 1);
    int constant;

    if (small_literal(sides[1], &constant)) {
        registers[0] = ns_operand(frame, sides[0]);
        ns_mark_place(frame, expr->binary.op_span);
        ns_typed_note(frame, expr);
        ns_code_abc(&frame->code, op + (VM_OP_TEST_EQ_IMM - VM_OP_TEST_EQ), flag, registers[0], (unsigned)constant);
    } else {
        ns_operands(frame, sides, 2, registers);
        ns_mark_place(frame, expr->binary.op_span);
        ns_typed_note(frame, expr);
        ns_code_abc(&frame->code, op, flag, registers[0], registers[1]);
    }
    ns_code_jump(&frame->code, VM_OP_JUMP_FALSE, flag, no);
}

/* Jump to `yes` if the condition is true. */
static void condition_true(struct ns_frame *frame, const struct ns_expr *expr, ns_mark yes)
{
    ns_mark no = ns_code_label(&frame->code);

    ns_condition(frame, expr, no);
    ns_code_jump(&frame->code, VM_OP_JUMP, 0, yes);
    ns_code_bind(&frame->code, no);
}

static void plain_condition(struct ns_frame *frame, const struct ns_expr *expr, ns_mark no)
{
    unsigned flag = ns_operand(frame, expr);

    ns_mark_place(frame, expr->span);
    ns_code_jump(&frame->code, VM_OP_JUMP_FALSE, flag, no);
}

void ns_condition(struct ns_frame *frame, const struct ns_expr *expr, ns_mark no)
{
    unsigned saved = frame->code.next;

    if (expr->kind == NS_EXPR_BINARY && expr->binary.op == NS_OPERATOR_AND) {
        ns_condition(frame, expr->binary.left, no);
        ns_condition(frame, expr->binary.right, no);
    } else if (expr->kind == NS_EXPR_BINARY && expr->binary.op == NS_OPERATOR_OR) {
        ns_mark yes = ns_code_label(&frame->code);

        condition_true(frame, expr->binary.left, yes);
        ns_condition(frame, expr->binary.right, no);
        ns_code_bind(&frame->code, yes);
    } else if (expr->kind == NS_EXPR_UNARY && expr->unary.op == NS_OPERATOR_NOT) {
        condition_true(frame, expr->unary.operand, no);
    } else if (expr->kind == NS_EXPR_BINARY && test_op(expr->binary.op) != VM_OP_COUNT) {
        lower_test(frame, expr, no);
    } else {
        plain_condition(frame, expr, no);
    }
    frame->code.next = saved;
}
