/*
 * lower_unit.c - whole functions: those of the program, the initialisers of shared variables, and the entry.
 */
#include "config.h"

#include "lang/lower.h"

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
