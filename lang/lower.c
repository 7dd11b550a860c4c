/*
 * lower.c - expressions into instructions: values, operators, blocks, loops; and whole functions.
 *
 * Each lowering function emits code that leaves the value where the target says. A register that is a target is written
 * once, at the very end: what is evaluated before may still read it (`x = f(x)`), or throw and leave it as it was.
 */
#include "config.h"

#include "lang/lower.h"

#include <string.h>

#include "base/assert.h"
#include "base/intern.h"
#include "lang/mention.h"
#include "lang/typed.h"

void ns_mark_place(struct ns_frame *frame, struct ns_span span)
{
    if (span.source != NULL)
        frame->code.line = ns_line_of(frame->unit, span);
}

void ns_check_size(struct ns_frame *frame, struct ns_span span)
{
    if (frame->code.too_big)
        ns_report(frame->unit, span, "function `%s` is too large", frame->function->name);
}

/* ---- targets ---- */

unsigned ns_place(struct ns_frame *frame, struct ns_target target)
{
    return target.want == NS_WANT_VALUE ? target.reg : ns_code_take(&frame->code, 1);
}

void ns_deliver(struct ns_frame *frame, unsigned reg, struct ns_target target)
{
    if (target.want == NS_WANT_VALUE)
        ns_code_move(&frame->code, target.reg, reg);
    else if (target.want == NS_WANT_RETURN)
        ns_return(frame, reg);
}

void ns_deliver_const(struct ns_frame *frame, vm_value value, struct ns_target target)
{
    unsigned saved = frame->code.next;

    if (target.want == NS_WANT_VALUE) {
        ns_code_const(&frame->code, target.reg, value);
    } else if (target.want == NS_WANT_RETURN && frame->context == NULL) {
        ns_code_abc_w(&frame->code, VM_OP_RETURN_CONST, 0, 0, 0, value);
    } else if (target.want == NS_WANT_RETURN) {
        unsigned reg = ns_code_take(&frame->code, 1);

        ns_code_const(&frame->code, reg, value);
        ns_return(frame, reg);
    }
    frame->code.next = saved;
}

unsigned ns_temporary(struct ns_frame *frame, const struct ns_expr *expr)
{
    unsigned reg = ns_code_take(&frame->code, 1);

    ns_lower(frame, expr, ns_into(reg));
    return reg;
}

/* A local of this frame that is read from its register, or NULL. */
static struct ns_local *register_local(struct ns_frame *frame, const struct ns_expr *expr)
{
    struct ns_local *local = expr->kind == NS_EXPR_NAME ? ns_local_find(frame, expr->name) : NULL;

    if (local == NULL || local->frame != frame || local->is_cell || local->functions != NULL)
        return NULL;
    return local;
}

unsigned ns_operand(struct ns_frame *frame, const struct ns_expr *expr)
{
    struct ns_local *local = register_local(frame, expr);

    return local != NULL ? local->reg : ns_temporary(frame, expr);
}

void ns_operands(struct ns_frame *frame, struct ns_expr *const *items, uint32_t count, unsigned *ret_registers)
{
    bool later = false; /* something further right may assign */

    for (uint32_t i = count; i-- > 0;) {
        struct ns_local *local = register_local(frame, items[i]);

        ret_registers[i] = local != NULL && local->is_var && later; /* has to be copied */
        later = later || ns_may_assign(items[i]);
    }
    for (uint32_t i = 0; i < count; i++)
        ret_registers[i] = ret_registers[i] ? ns_temporary(frame, items[i]) : ns_operand(frame, items[i]);
}

/* ---- operators ---- */

static bool small_literal(const struct ns_expr *expr, int *ret)
{
    if (expr->kind != NS_EXPR_LITERAL || expr->literal.kind != NS_LITERAL_INT || expr->literal.integer > INT16_MAX)
        return false;
    *ret = (int)expr->literal.integer;
    return true;
}

static const enum vm_op operator_ops[] = {
    [NS_OPERATOR_POWER] = VM_OP_POW,          [NS_OPERATOR_MULTIPLY] = VM_OP_MUL,
    [NS_OPERATOR_DIVIDE] = VM_OP_DIV,         [NS_OPERATOR_REMAINDER] = VM_OP_MOD,
    [NS_OPERATOR_ADD] = VM_OP_ADD,            [NS_OPERATOR_SUBTRACT] = VM_OP_SUB,
    [NS_OPERATOR_CONS] = VM_OP_CONS,          [NS_OPERATOR_CONCAT] = VM_OP_CONCAT,
    [NS_OPERATOR_EQUAL] = VM_OP_EQ,           [NS_OPERATOR_NOT_EQUAL] = VM_OP_NE,
    [NS_OPERATOR_LESS] = VM_OP_LT,            [NS_OPERATOR_GREATER] = VM_OP_GT,
    [NS_OPERATOR_LESS_EQUAL] = VM_OP_LE,      [NS_OPERATOR_GREATER_EQUAL] = VM_OP_GE,
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

static void lower_binary(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    if (expr->binary.op == NS_OPERATOR_AND || expr->binary.op == NS_OPERATOR_OR)
        lower_and_or(frame, expr, target);
    else
        lower_arithmetic(frame, expr, target);
}

static void lower_unary(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
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

/* ---- collections ---- */

/* Instructions that take their elements as a list of registers get so many at once at most. */
enum { ELEMENTS_MAX = 128 };

static void lower_elements(struct ns_frame *frame, enum vm_op op, struct ns_expr *const *items, uint32_t count,
                           unsigned to)
{
    unsigned registers[ELEMENTS_MAX];

    nb_assert(count <= ELEMENTS_MAX);
    ns_operands(frame, items, count, registers);
    ns_code_list(&frame->code, op, to, 0, registers, count);
}

/* A long list: piece by piece, each put behind the former ones. */
static void lower_long_list(struct ns_frame *frame, const struct ns_expr_list *items, unsigned to)
{
    unsigned piece = ns_code_take(&frame->code, 1);

    for (uint32_t i = 0; i < items->count; i += ELEMENTS_MAX) {
        uint32_t count = items->count - i < ELEMENTS_MAX ? items->count - i : ELEMENTS_MAX;
        unsigned saved = frame->code.next;

        lower_elements(frame, VM_OP_LIST, items->items + i, count, i == 0 ? to : piece);
        if (i > 0)
            ns_code_abc(&frame->code, VM_OP_CONCAT, to, to, piece);
        frame->code.next = saved;
    }
}

static void lower_cons(struct ns_frame *frame, const struct ns_expr *expr, unsigned to)
{
    uint32_t count = expr->list.items.count;
    unsigned registers[ELEMENTS_MAX];
    struct ns_expr *items[ELEMENTS_MAX];
    unsigned tail;

    if (count >= ELEMENTS_MAX) {
        ns_report(frame->unit, expr->span, "more than %d elements in front of a list tail", ELEMENTS_MAX - 1);
        return;
    }
    memcpy(items, expr->list.items.items, count * sizeof *items);
    items[count] = expr->list.tail;
    ns_operands(frame, items, count + 1, registers);
    ns_mark_place(frame, expr->span);
    tail = registers[count];
    for (uint32_t i = count; i-- > 0; tail = to)
        ns_code_abc(&frame->code, VM_OP_CONS, to, registers[i], tail);
}

static void lower_list(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    unsigned saved = frame->code.next, to;
    vm_value constant;

    if (ns_constant_of(frame->unit, expr, &constant)) {
        ns_deliver_const(frame, constant, target);
        return;
    }
    /* What is written in steps is never the target itself. */
    if (expr->list.items.count <= (expr->list.tail != NULL ? 1 : ELEMENTS_MAX))
        to = ns_place(frame, target);
    else
        to = ns_code_take(&frame->code, 1);
    if (expr->list.tail != NULL)
        lower_cons(frame, expr, to);
    else if (expr->list.items.count <= ELEMENTS_MAX)
        lower_elements(frame, VM_OP_LIST, expr->list.items.items, expr->list.items.count, to);
    else
        lower_long_list(frame, &expr->list.items, to);
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

static bool too_many(struct ns_frame *frame, const struct ns_expr *expr, uint32_t count)
{
    if (count <= ELEMENTS_MAX)
        return false;
    ns_report(frame->unit, expr->span, "more than %d elements in one literal", ELEMENTS_MAX);
    return true;
}

static void lower_tuple(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    unsigned saved = frame->code.next, to;
    vm_value constant;

    if (ns_constant_of(frame->unit, expr, &constant)) {
        ns_deliver_const(frame, constant, target);
        return;
    }
    to = ns_place(frame, target);
    if (!too_many(frame, expr, expr->items.count))
        lower_elements(frame, VM_OP_TUPLE, expr->items.items, expr->items.count, to);
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

static void native_step(struct ns_frame *frame, const struct vm_native *native, unsigned to, const unsigned *arguments,
                        unsigned count)
{
    nb_assert(native != NULL);
    ns_code_list_w(&frame->code, VM_OP_CALL_NATIVE, to, 0, vm_from_object(native), arguments, count);
}

/* Sets and maps beyond the size of one instruction: the rest is inserted one by one. */
static void lower_set(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    unsigned saved = frame->code.next, to = ns_code_take(&frame->code, 1);
    uint32_t first = expr->items.count < ELEMENTS_MAX ? expr->items.count : ELEMENTS_MAX;

    if (first == 0)
        ns_code_const(&frame->code, to, VM_EMPTY_SET);
    else
        lower_elements(frame, VM_OP_SET, expr->items.items, first, to);
    for (uint32_t i = first; i < expr->items.count; i++) {
        unsigned arguments[2] = { to, ns_operand(frame, expr->items.items[i]) };

        native_step(frame, vm_native_find("Set.insert", 2), to, arguments, 2);
        frame->code.next = to + 1;
    }
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

static void lower_map(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    unsigned saved = frame->code.next, to = ns_code_take(&frame->code, 1);
    uint32_t first = expr->map.count < ELEMENTS_MAX / 2 ? expr->map.count : ELEMENTS_MAX / 2;
    struct ns_expr *items[ELEMENTS_MAX];

    for (uint32_t i = 0; i < first; i++) {
        items[2 * i] = expr->map.items[i].key;
        items[2 * i + 1] = expr->map.items[i].value;
    }
    if (first == 0)
        ns_code_const(&frame->code, to, VM_EMPTY_MAP);
    else
        lower_elements(frame, VM_OP_MAP, items, 2 * first, to);
    for (uint32_t i = first; i < expr->map.count; i++) {
        unsigned arguments[3] = { to };

        items[0] = expr->map.items[i].key;
        items[1] = expr->map.items[i].value;
        ns_operands(frame, items, 2, arguments + 1);
        native_step(frame, vm_native_find("Map.insert", 3), to, arguments, 3);
        frame->code.next = to + 1;
    }
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

static void lower_range(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_expr *sides[2] = { expr->range.from, expr->range.to };
    unsigned saved = frame->code.next, registers[2], to;

    ns_operands(frame, sides, 2, registers);
    to = ns_place(frame, target);
    ns_mark_place(frame, expr->span);
    ns_code_abc(&frame->code, VM_OP_RANGE, to, registers[0], registers[1]);
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

/* ---- strings ---- */

static unsigned lower_part(struct ns_frame *frame, const struct ns_part *part)
{
    unsigned reg = ns_code_take(&frame->code, 1), shown;

    if (part->expr == NULL) {
        ns_code_const(&frame->code, reg, ns_string_value(frame->unit, part->text, part->length));
        return reg;
    }
    shown = ns_operand(frame, part->expr);
    ns_mark_place(frame, part->expr->span);
    ns_code_abc(&frame->code, VM_OP_SHOW, reg, shown, 0);
    frame->code.next = reg + 1;
    return reg;
}

static void lower_interpolation(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    unsigned saved = frame->code.next, count = 0;
    unsigned registers[ELEMENTS_MAX];
    unsigned to = expr->parts.count <= ELEMENTS_MAX ? ns_place(frame, target) : ns_code_take(&frame->code, 1);

    for (uint32_t i = 0; i < expr->parts.count; i++) {
        if (count == ELEMENTS_MAX) { /* what there is so far becomes the first part */
            ns_code_list(&frame->code, VM_OP_JOIN, to, 0, registers, count);
            frame->code.next = to + 1;
            registers[0] = to;
            count = 1;
        }
        registers[count++] = lower_part(frame, &expr->parts.items[i]);
    }
    nb_assert(count > 0);
    ns_code_list(&frame->code, VM_OP_JOIN, to, 0, registers, count);
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

/* ---- access ---- */

static void lower_tuple_field(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    unsigned saved = frame->code.next;
    unsigned object = ns_operand(frame, expr->tuple_field.object);
    unsigned to = ns_place(frame, target);

    if (expr->tuple_field.position > UINT16_MAX)
        ns_report(frame->unit, expr->span, "tuple position %u is too large", expr->tuple_field.position);
    ns_mark_place(frame, expr->span);
    ns_code_abc(&frame->code, VM_OP_COMPONENT, to, object, expr->tuple_field.position);
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

/* e[i]; several indices e[i, j] go one by one. */
static void lower_index(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    unsigned saved = frame->code.next, registers[2], to = 0;
    struct ns_expr *first[2] = { expr->index.object, expr->index.indices.items[0] };

    ns_operands(frame, first, 2, registers);
    to = expr->index.indices.count == 1 ? ns_place(frame, target) : ns_code_take(&frame->code, 1);
    for (uint32_t i = 0; i < expr->index.indices.count; i++) {
        if (i > 0) {
            registers[0] = to;
            registers[1] = ns_operand(frame, expr->index.indices.items[i]);
        }
        ns_mark_place(frame, expr->span);
        ns_code_abc(&frame->code, VM_OP_INDEX, to, registers[0], registers[1]);
    }
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

static void lower_send(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_expr *sides[2] = { expr->pair.left, expr->pair.right };
    unsigned saved = frame->code.next, registers[2];

    ns_operands(frame, sides, 2, registers);
    ns_mark_place(frame, expr->span);
    ns_code_abc(&frame->code, VM_OP_SEND, registers[0], registers[1], 0);
    frame->code.next = saved;
    ns_deliver_const(frame, VM_UNIT, target);
}

/* ---- control ---- */

static void lower_if(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    ns_mark no = ns_code_label(&frame->code), end = ns_code_label(&frame->code);
    struct ns_scope scope = ns_scope_begin(frame);

    ns_condition(frame, expr->conditional.condition, no);
    if (expr->conditional.otherwise == NULL && target.want != NS_WANT_DROP_TAIL) {
        ns_lower(frame, expr->conditional.then, ns_nowhere());
        ns_deliver_const(frame, VM_UNIT, target);
    } else {
        ns_lower(frame, expr->conditional.then, target);
    }
    ns_scope_end(frame, scope);
    ns_code_jump(&frame->code, VM_OP_JUMP, 0, end);
    ns_code_bind(&frame->code, no);
    if (expr->conditional.otherwise == NULL)
        ns_deliver_const(frame, VM_UNIT, target);
    else
        ns_lower(frame, expr->conditional.otherwise, target);
    ns_scope_end(frame, scope);
    ns_code_bind(&frame->code, end);
}

static void loop_begin(struct ns_frame *frame, struct ns_context *loop, struct ns_target *result)
{
    *loop = (struct ns_context){ .outer = frame->context,
                                 .kind = NS_CONTEXT_LOOP,
                                 .break_label = ns_code_label(&frame->code),
                                 .continue_label = ns_code_label(&frame->code),
                                 .target = result };
    frame->context = loop;
}

/* A loop's value is () unless a `break` says otherwise; it is collected in a register of its own. */
static struct ns_target loop_result(struct ns_frame *frame, struct ns_target target)
{
    if (target.want == NS_WANT_NOTHING || target.want == NS_WANT_DROP_TAIL)
        return ns_nowhere();
    return ns_into(ns_code_take(&frame->code, 1));
}

static void loop_end(struct ns_frame *frame, struct ns_context *loop, struct ns_target target)
{
    frame->context = loop->outer;
    ns_deliver_const(frame, VM_UNIT, *loop->target);
    ns_code_bind(&frame->code, loop->break_label);
    if (loop->target->want == NS_WANT_VALUE)
        ns_deliver(frame, loop->target->reg, target);
}

static void lower_while(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_scope scope = ns_scope_begin(frame);
    struct ns_target result = loop_result(frame, target);
    struct ns_context loop;
    ns_mark end = ns_code_label(&frame->code);

    loop_begin(frame, &loop, &result);
    ns_code_bind(&frame->code, loop.continue_label);
    ns_condition(frame, expr->while_.condition, end);
    ns_lower(frame, expr->while_.body, ns_nowhere());
    ns_mark_place(frame, expr->span);
    ns_code_jump(&frame->code, VM_OP_LOOP, 0, loop.continue_label);
    ns_code_bind(&frame->code, end);
    loop_end(frame, &loop, target);
    ns_scope_end(frame, scope);
}

static void lower_for(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_scope scope = ns_scope_begin(frame);
    struct ns_target result = loop_result(frame, target);
    unsigned counter = ns_code_take(&frame->code, 2), flag;
    ns_mark end = ns_code_label(&frame->code), body = ns_code_label(&frame->code);
    struct ns_context loop;

    ns_lower(frame, expr->for_.from, ns_into(counter));
    ns_lower(frame, expr->for_.to, ns_into(counter + 1));
    flag = ns_code_take(&frame->code, 1);
    ns_mark_place(frame, expr->span);
    ns_code_abc(&frame->code, VM_OP_TEST_LT, flag, counter, counter + 1);
    ns_code_jump(&frame->code, VM_OP_JUMP_FALSE, flag, end);
    loop_begin(frame, &loop, &result);
    ns_local_add(frame, expr->for_.variable.text, counter);
    ns_code_bind(&frame->code, body);
    ns_lower(frame, expr->for_.body, ns_nowhere());
    ns_mark_place(frame, expr->span);
    ns_code_bind(&frame->code, loop.continue_label);
    ns_code_jump(&frame->code, VM_OP_FOR, counter, body);
    ns_code_bind(&frame->code, end);
    loop_end(frame, &loop, target);
    ns_scope_end(frame, scope);
}

/* ---- blocks ---- */

/* x = try …; x at the end of a block in tail position: the try itself is the value (01 §14.2). */
static bool ends_in_try(struct ns_frame *frame, const struct ns_expr_list *statements, uint32_t at)
{
    const struct ns_expr *bind = statements->items[at], *last;
    struct ns_local *known;

    if (at + 2 != statements->count || bind->kind != NS_EXPR_BIND || bind->bind.value->kind != NS_EXPR_TRY ||
        bind->bind.pattern->kind != NS_PATTERN_NAME)
        return false;
    last = statements->items[at + 1];
    if (last->kind != NS_EXPR_NAME || last->name != bind->bind.pattern->name)
        return false;
    known = ns_local_find(frame, last->name);
    if (known != NULL && known->frame == frame && !bind->bind.is_var)
        return false; /* an assignment, or an error */
    return bind->bind.is_var || ns_find_mvar(frame->unit, frame->space, last->name) == NULL;
}

static void lower_statement(struct ns_frame *frame, struct ns_hoist *hoist, const struct ns_expr *statement)
{
    unsigned registers = frame->code.next;

    if (ns_lower_local(frame, hoist, statement))
        return;
    ns_lower(frame, statement, ns_nowhere());
    if (statement->kind != NS_EXPR_BIND)
        frame->code.next = registers;
}

static void lower_last(struct ns_frame *frame, struct ns_hoist *hoist, const struct ns_expr *statement,
                       struct ns_target target)
{
    if (ns_lower_local(frame, hoist, statement))
        ns_deliver_const(frame, VM_UNIT, target);
    else
        ns_lower(frame, statement, target);
}

void ns_block(struct ns_frame *frame, const struct ns_expr_list *statements, struct ns_target target)
{
    struct ns_scope scope = ns_scope_begin(frame);
    struct ns_hoist *hoist = ns_hoist(frame, statements);

    if (statements->count == 0)
        ns_deliver_const(frame, VM_UNIT, target);
    for (uint32_t i = 0; i < statements->count; i++) {
        if (target.want == NS_WANT_RETURN && ends_in_try(frame, statements, i)) {
            ns_lower_try(frame, statements->items[i]->bind.value, target);
            break;
        }
        if (i + 1 < statements->count)
            lower_statement(frame, hoist, statements->items[i]);
        else
            lower_last(frame, hoist, statements->items[i], target);
    }
    ns_hoist_done(hoist);
    ns_scope_end(frame, scope);
}

/* ---- all of them ---- */

static void lower_as_statement(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    switch (expr->kind) {
    case NS_EXPR_BIND:
        ns_lower_bind(frame, expr);
        break;
    case NS_EXPR_ASSIGN_FIELD:
        ns_lower_assign_field(frame, expr);
        break;
    case NS_EXPR_ASSIGN_INDEX:
        ns_lower_assign_index(frame, expr);
        break;
    case NS_EXPR_LOCAL_FUNCTION: {
        /* a statement that is no element of a block: nobody can call it */
        struct ns_expr *statement = (struct ns_expr *)(uintptr_t)expr;

        ns_block(frame, &(struct ns_expr_list){ &statement, 1 }, ns_nowhere());
        break;
    }
    default:
        nb_unreachable();
    }
    ns_deliver_const(frame, VM_UNIT, target);
}

/* What the grammar has and no program may write. */
static void lower_misplaced(struct ns_frame *frame, const struct ns_expr *expr)
{
    if (expr->kind == NS_EXPR_WILDCARD)
        ns_report(frame->unit, expr->span,
                  "Wildcard '_' is only valid in pattern contexts, not as a standalone expression");
    else if (expr->kind == NS_EXPR_SPLICE)
        ns_report(frame->unit, expr->span, "Splice (~) can only be used inside quote");
    else
        ns_report(frame->unit, expr->span, "`quote` can only be the body of a template");
}

static void lower_primary(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    switch (expr->kind) {
    case NS_EXPR_LITERAL:
        ns_deliver_const(frame, ns_literal_value(frame->unit, &expr->literal), target);
        break;
    case NS_EXPR_INTERPOLATION:
        lower_interpolation(frame, expr, target);
        break;
    case NS_EXPR_NAME:
        ns_lower_name(frame, expr, target);
        break;
    case NS_EXPR_UPPER:
        ns_lower_upper(frame, expr, target);
        break;
    case NS_EXPR_LIST:
        lower_list(frame, expr, target);
        break;
    case NS_EXPR_RANGE_LIST:
        lower_range(frame, expr, target);
        break;
    case NS_EXPR_TUPLE:
        lower_tuple(frame, expr, target);
        break;
    case NS_EXPR_MAP:
        lower_map(frame, expr, target);
        break;
    case NS_EXPR_SET:
        lower_set(frame, expr, target);
        break;
    case NS_EXPR_LAMBDA:
        ns_lower_lambda(frame, expr, target);
        break;
    default:
        lower_misplaced(frame, expr);
        break;
    }
}

static void lower_operation(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    switch (expr->kind) {
    case NS_EXPR_UNARY:
        lower_unary(frame, expr, target);
        break;
    case NS_EXPR_BINARY:
        lower_binary(frame, expr, target);
        break;
    case NS_EXPR_PIPE:
        ns_lower_pipe(frame, expr, target);
        break;
    case NS_EXPR_SEND:
        lower_send(frame, expr, target);
        break;
    case NS_EXPR_CALL:
        ns_lower_call(frame, expr, target);
        break;
    case NS_EXPR_METHOD_CALL:
        ns_lower_method_call(frame, expr, target);
        break;
    case NS_EXPR_CONSTRUCT:
        ns_lower_construct(frame, expr, target);
        break;
    case NS_EXPR_FIELD:
        ns_lower_field(frame, expr, target);
        break;
    case NS_EXPR_TUPLE_FIELD:
        lower_tuple_field(frame, expr, target);
        break;
    case NS_EXPR_INDEX:
        lower_index(frame, expr, target);
        break;
    case NS_EXPR_QUESTION:
        ns_lower(frame, expr->operand, target);
        break;
    default:
        lower_primary(frame, expr, target);
        break;
    }
}

static void lower_control(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    switch (expr->kind) {
    case NS_EXPR_BLOCK:
        ns_block(frame, &expr->block.statements, target);
        break;
    case NS_EXPR_IF:
        lower_if(frame, expr, target);
        break;
    case NS_EXPR_MATCH:
        ns_lower_match(frame, expr, target);
        break;
    case NS_EXPR_TRY:
        ns_lower_try(frame, expr, target);
        break;
    case NS_EXPR_WHILE:
        lower_while(frame, expr, target);
        break;
    case NS_EXPR_FOR:
        lower_for(frame, expr, target);
        break;
    case NS_EXPR_BREAK:
    case NS_EXPR_CONTINUE:
        ns_lower_break(frame, expr);
        break;
    case NS_EXPR_RETURN:
        ns_lower_return(frame, expr);
        break;
    case NS_EXPR_SPAWN:
        ns_lower_spawn(frame, expr, target);
        break;
    case NS_EXPR_RECEIVE:
        ns_lower_receive(frame, expr, target);
        break;
    case NS_EXPR_BIND:
    case NS_EXPR_ASSIGN_FIELD:
    case NS_EXPR_ASSIGN_INDEX:
    case NS_EXPR_LOCAL_FUNCTION:
        lower_as_statement(frame, expr, target);
        break;
    default:
        lower_operation(frame, expr, target);
        break;
    }
}

void ns_lower(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    ns_mark_place(frame, expr->span);
    lower_control(frame, expr, target);
    ns_check_size(frame, expr->span);
}

/* ---- whole functions ---- */

void ns_lower_group(struct ns_unit *unit, struct ns_group *group)
{
    struct ns_frame frame;

    ns_frame_begin(&frame, unit, NULL, group->space, group->function);
    frame.group = group;
    frame.self_type = group->self_type;
    unit->bindings = group->bindings;
    ns_check_mvars(unit, group);
    ns_lower_clauses(&frame, group);
    ns_frame_end(&frame);
    unit->bindings = NULL;
}

static bool is_literal_expr(const struct ns_expr *expr);

static bool are_literals(const struct ns_expr_list *items)
{
    for (uint32_t i = 0; i < items->count; i++)
        if (!is_literal_expr(items->items[i]))
            return false;
    return true;
}

/* What 05 §2.1 calls a literal initialiser: known before anything runs. */
static bool is_literal_expr(const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_LITERAL:
    case NS_EXPR_UPPER:
        return true;
    case NS_EXPR_UNARY:
        return is_literal_expr(expr->unary.operand);
    case NS_EXPR_LIST:
        return expr->list.tail == NULL && are_literals(&expr->list.items);
    case NS_EXPR_TUPLE:
    case NS_EXPR_SET:
        return are_literals(&expr->items);
    case NS_EXPR_MAP:
        for (uint32_t i = 0; i < expr->map.count; i++)
            if (!is_literal_expr(expr->map.items[i].key) || !is_literal_expr(expr->map.items[i].value))
                return false;
        return true;
    case NS_EXPR_CONSTRUCT:
        for (uint32_t i = 0; i < expr->call.arguments.count; i++)
            if (!is_literal_expr(expr->call.arguments.items[i].value))
                return false;
        return true;
    default:
        return false;
    }
}

/* Initialisers are compiled as functions of their own, in their module's scope. */
static struct vm_function *lower_initialiser(struct ns_unit *unit, struct ns_value *value)
{
    struct vm_function *function = ns_function_new(unit, value->space, value->mvar->name, value->item->span);
    struct ns_frame frame;
    unsigned reg;

    ns_frame_begin(&frame, unit, NULL, value->space, function);
    ns_frame_share(&frame, value->item->value.value);
    reg = ns_temporary(&frame, value->item->value.value);
    ns_code_abc_w(&frame.code, VM_OP_MVAR_SET, reg, 0, 0, (uint64_t)(uintptr_t)value->mvar);
    ns_code_abc_w(&frame.code, VM_OP_RETURN_CONST, 0, 0, 0, VM_UNIT);
    ns_frame_end(&frame);
    return function;
}

static void initialise(struct ns_frame *frame, struct ns_value *value)
{
    const struct vm_function *function = lower_initialiser(frame->unit, value);
    unsigned reg = ns_code_take(&frame->code, 1);

    ns_code_list_w(&frame->code, VM_OP_CALL, reg, 0, vm_from_object(function), NULL, 0);
    frame->code.next = reg;
}

struct vm_function *ns_lower_init(struct ns_unit *unit)
{
    struct ns_frame frame;
    struct vm_function *function;

    if (unit->mvars.count == 0)
        return NULL;
    function = ns_function_new(unit, unit->mvars.items[0]->space, "<init>", unit->mvars.items[0]->item->span);
    ns_frame_begin(&frame, unit, NULL, unit->mvars.items[0]->space, function);
    for (int later = 0; later < 2; later++)
        for (size_t i = 0; i < unit->mvars.count; i++)
            if (is_literal_expr(unit->mvars.items[i]->item->value.value) == (later == 0))
                initialise(&frame, unit->mvars.items[i]);
    ns_code_abc_w(&frame.code, VM_OP_RETURN_CONST, 0, 0, 0, VM_UNIT);
    ns_frame_end(&frame);
    return function;
}

struct vm_function *ns_lower_entry(struct ns_unit *unit, struct vm_function *init, struct vm_function *main)
{
    struct ns_space *space = nb_vec_last(&unit->spaces);
    struct vm_function *function = ns_function_new(unit, space, "<entry>", (struct ns_span){ 0 });
    struct ns_frame frame;

    function->file = main->file;
    function->first_line = main->first_line;
    ns_frame_begin(&frame, unit, NULL, space, function);
    if (init != NULL) {
        unsigned reg = ns_code_take(&frame.code, 1);

        ns_code_list_w(&frame.code, VM_OP_CALL, reg, 0, vm_from_object(init), NULL, 0);
    }
    ns_code_list_w(&frame.code, VM_OP_TAIL_CALL, 0, 0, vm_from_object(main), NULL, 0);
    ns_frame_end(&frame);
    return function;
}
