/*
 * lower.c - expressions into instructions: where values go, branches and loops, blocks.
 *
 * Each lowering function emits code that leaves the value where the target says. A register that is a target is written
 * once, at the very end: what is evaluated before may still read it (`x = f(x)`), or throw and leave it as it was.
 */
#include "config.h"

#include "lang/lower.h"

#include "base/assert.h"
#include "lang/mention.h"

void ns_mark_place(struct ns_frame *frame, struct ns_span span)
{
    if (span.source != NULL)
        frame->code.line = ns_line_of(frame->unit, span);
}

static void check_size(struct ns_frame *frame, struct ns_span span)
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
    if (expr->conditional.otherwise != NULL || target.want != NS_WANT_NOTHING) /* else there is nothing to skip */
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

static void lower_block(struct ns_frame *frame, const struct ns_expr_list *statements, struct ns_target target)
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

        lower_block(frame, &(struct ns_expr_list){ &statement, 1 }, ns_nowhere());
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
        ns_lower_interpolation(frame, expr, target);
        break;
    case NS_EXPR_NAME:
        ns_lower_name(frame, expr, target);
        break;
    case NS_EXPR_UPPER:
        ns_lower_upper(frame, expr, target);
        break;
    case NS_EXPR_LIST:
        ns_lower_list(frame, expr, target);
        break;
    case NS_EXPR_RANGE_LIST:
        ns_lower_range(frame, expr, target);
        break;
    case NS_EXPR_TUPLE:
        ns_lower_tuple(frame, expr, target);
        break;
    case NS_EXPR_MAP:
        ns_lower_map(frame, expr, target);
        break;
    case NS_EXPR_SET:
        ns_lower_set(frame, expr, target);
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
        ns_lower_unary(frame, expr, target);
        break;
    case NS_EXPR_BINARY:
        ns_lower_binary(frame, expr, target);
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
        lower_block(frame, &expr->block.statements, target);
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
    check_size(frame, expr->span);
}
