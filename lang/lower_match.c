/*
 * lower_match.c - `match` and `receive`: a value and arms.
 *
 * The arms of a match on a tuple that all take it apart are matched on its parts, and the tuple is never made.
 * `receive` tries its arms on one message of the mailbox after the other; what no arm takes stays where it is.
 */
#include "config.h"

#include "lang/lower.h"

struct arms {
    const struct ns_arm_list *list;
    struct ns_target target;
    ns_mark done;
    enum vm_op begin; /* on the register below when an arm is taken; VM_OP_COUNT: nothing */
    unsigned received;
};

static void take_arm(struct ns_frame *frame, void *context, unsigned way)
{
    const struct arms *arms = context;
    unsigned saved = frame->code.next;

    if (arms->begin != VM_OP_COUNT)
        ns_code_abc(&frame->code, arms->begin, arms->received, 0, 0);
    ns_lower(frame, arms->list->items[way].body, arms->target);
    ns_code_jump(&frame->code, VM_OP_JUMP, 0, arms->done);
    frame->code.next = saved;
}

void ns_arms(struct ns_frame *frame, const struct ns_arm_list *arms, unsigned scrutinee, struct ns_target target,
             ns_mark miss, ns_mark done, enum vm_op begin)
{
    struct arms context = { arms, target, done, begin, scrutinee };
    struct ns_way *ways = nb_arena_array(frame->unit->arena, arms->count + 1, sizeof *ways);

    for (uint32_t i = 0; i < arms->count; i++)
        ways[i] = (struct ns_way){ (const struct ns_pattern *const *)&arms->items[i].pattern, arms->items[i].guard,
                                   take_arm, &context };
    ns_match(frame, &scrutinee, 1, ways, arms->count, miss);
}

/* A register of its own for what the arms' names may be bound to: not that of a variable, which may change. */
static unsigned scrutinee_register(struct ns_frame *frame, const struct ns_expr *value)
{
    struct ns_local *local = value->kind == NS_EXPR_NAME ? ns_local_find(frame, value->name) : NULL;

    return local != NULL && local->is_var ? ns_temporary(frame, value) : ns_operand(frame, value);
}

/* match (a, b) { (p, q) -> … }: the tuple need not be made if all arms take it apart at once. */
static bool is_taken_apart(const struct ns_expr *expr)
{
    const struct ns_expr *value = expr->match.scrutinee;

    if (value->kind != NS_EXPR_TUPLE)
        return false;
    for (uint32_t i = 0; i < expr->match.arms.count; i++) {
        const struct ns_pattern *pattern = expr->match.arms.items[i].pattern;

        if (pattern->kind != NS_PATTERN_WILDCARD &&
            (pattern->kind != NS_PATTERN_TUPLE || pattern->items.count != value->items.count))
            return false;
    }
    return true;
}

/* The arms on the parts of the tuple. */
static void match_parts(struct ns_frame *frame, const struct ns_expr *expr, struct arms *context, ns_mark miss)
{
    const struct ns_expr_list *parts = &expr->match.scrutinee->items;
    const struct ns_arm_list *arms = &expr->match.arms;
    struct ns_way *ways = nb_arena_array(frame->unit->arena, arms->count + 1, sizeof *ways);
    unsigned *registers = nb_arena_array(frame->unit->arena, parts->count + 1, sizeof *registers);
    const struct ns_pattern **any = nb_arena_array(frame->unit->arena, parts->count + 1, sizeof *any);

    for (uint32_t i = 0; i < parts->count; i++)
        registers[i] = scrutinee_register(frame, parts->items[i]);
    for (uint32_t i = 0; i < arms->count; i++) {
        const struct ns_pattern *pattern = arms->items[i].pattern;

        ways[i] = (struct ns_way){ any, arms->items[i].guard, take_arm, context };
        if (pattern->kind == NS_PATTERN_TUPLE)
            ways[i].patterns = (const struct ns_pattern *const *)pattern->items.items;
    }
    ns_match(frame, registers, parts->count, ways, arms->count, miss);
}

void ns_lower_match(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_scope scope = ns_scope_begin(frame);
    ns_mark miss = ns_code_label(&frame->code), done = ns_code_label(&frame->code);

    if (is_taken_apart(expr)) {
        struct arms context = { &expr->match.arms, target, done, VM_OP_COUNT, 0 };

        match_parts(frame, expr, &context, miss);
    } else {
        ns_arms(frame, &expr->match.arms, scrutinee_register(frame, expr->match.scrutinee), target, miss, done,
                VM_OP_COUNT);
    }
    ns_code_bind(&frame->code, miss);
    ns_mark_place(frame, expr->span);
    ns_code_abc(&frame->code, VM_OP_NO_MATCH, 0, 0, 0);
    ns_code_bind(&frame->code, done);
    ns_scope_end(frame, scope);
}

/* The message, the deadline, the message's number: opcodes.def. */
enum { RECEIVE_REGISTERS = 3 };

void ns_lower_receive(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_code *code = &frame->code;
    struct ns_scope scope = ns_scope_begin(frame);
    ns_mark next = ns_code_label(code), miss = ns_code_label(code);
    ns_mark late = ns_code_label(code), done = ns_code_label(code);
    unsigned limit = 0, message;

    if (expr->receive.timeout != NULL)
        limit = ns_operand(frame, expr->receive.timeout);
    message = ns_code_take(code, RECEIVE_REGISTERS);
    if (expr->receive.timeout != NULL) {
        ns_mark_place(frame, expr->receive.timeout->span);
        ns_code_abc(code, VM_OP_RECEIVE_AFTER, message, limit, 0);
    } else {
        ns_code_abc(code, VM_OP_RECEIVE, message, 0, 0);
    }
    ns_code_bind(code, next);
    ns_mark_place(frame, expr->span);
    ns_code_jump(code, VM_OP_RECEIVE_NEXT, message, late);
    ns_arms(frame, &expr->receive.arms, message, target, miss, done, VM_OP_RECEIVE_TAKE);
    ns_code_bind(code, miss);
    ns_code_jump(code, VM_OP_RECEIVE_SKIP, 0, next);
    ns_code_bind(code, late);
    if (expr->receive.after != NULL)
        ns_lower(frame, expr->receive.after, target);
    else
        ns_code_abc(code, VM_OP_NO_MATCH, 0, 0, 0);
    ns_code_bind(code, done);
    ns_scope_end(frame, scope);
}
