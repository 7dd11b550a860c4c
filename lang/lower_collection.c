/*
 * lower_collection.c - literals with parts: lists, tuples, maps, sets, ranges, and texts with values in them.
 *
 * What consists of literals only is made once, with the program (ns_constant_of()). Long ones are made piece by piece,
 * so that they need few registers.
 */
#include "config.h"

#include "lang/lower.h"

#include <string.h>

#include "base/assert.h"

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

void ns_lower_list(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
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

void ns_lower_tuple(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
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
void ns_lower_set(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
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

void ns_lower_map(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
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

void ns_lower_range(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
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

void ns_lower_interpolation(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
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
