/*
 * lower_closure.c - functions as code: clauses, lambdas, spawned blocks.
 *
 * A closure captures values, or the cells of `var`s. It finds itself in a register, so recursion needs no cycle.
 */
#include "config.h"

#include "lang/lower.h"

#include <string.h>

#include "lang/mention.h"
#include "lang/walk.h"
#include "vm/host.h"

/* ---- clauses ---- */

static bool is_plain(const struct ns_group *group)
{
    const struct ns_function *clause = group->clauses.items[0];

    if (group->clauses.count > 1 || clause->guard != NULL)
        return false;
    for (uint32_t i = 0; i < group->arity; i++) {
        const struct ns_pattern *pattern = clause->parameters.items[i].pattern;

        if (pattern->kind != NS_PATTERN_NAME && pattern->kind != NS_PATTERN_WILDCARD)
            return false;
        for (uint32_t k = 0; k < i && pattern->kind == NS_PATTERN_NAME; k++)
            if (ns_is_name_pattern(clause->parameters.items[k].pattern) &&
                clause->parameters.items[k].pattern->name == pattern->name)
                return false; /* f(x, x) compares */
    }
    return true;
}

struct use { const char *name; const struct ns_pattern *pattern; bool found; };

static void compare_name(void *context, const char *name, bool in_closure)
{
    struct use *use = context;

    (void)in_closure;
    use->found = use->found || use->name == name;
}

static void find_use(void *context, const char *name, bool in_closure)
{
    struct use *use = context;

    (void)in_closure;
    use->name = name;
    if (!use->found)
        ns_mentions_pattern(use->pattern, compare_name, use);
}

/* Parameters to the left may be patterns with names that a default uses: f((a, b), c = a + b). */
static void take_apart(struct ns_frame *frame, const struct ns_group *group, uint32_t position)
{
    const struct ns_function *clause = NULL;

    for (size_t i = 0; i < group->clauses.count && clause == NULL; i++)
        if (position < group->clauses.items[i]->parameters.count &&
            group->clauses.items[i]->parameters.items[position].value == group->defaults[position])
            clause = group->clauses.items[i];
    for (uint32_t i = 0; clause != NULL && i < position; i++) {
        struct use use = { NULL, clause->parameters.items[i].pattern, false };

        if (group->parameter_names[i] == NULL)
            ns_mentions(group->defaults[position], find_use, &use);
        if (use.found)
            ns_destructure(frame, use.pattern, i);
    }
}

static void lower_default(struct ns_frame *frame, const struct ns_group *group, uint32_t position)
{
    ns_mark given = ns_code_label(&frame->code);
    struct ns_scope scope;

    ns_code_jump(&frame->code, VM_OP_JUMP_PRESENT, position, given);
    scope = ns_scope_begin(frame);
    take_apart(frame, group, position);
    ns_lower(frame, group->defaults[position], ns_into(position));
    ns_scope_end(frame, scope);
    ns_code_bind(&frame->code, given);
}

/* Compute what the caller left out; parameters to the left are in scope. Their names stay so. */
static void lower_parameters(struct ns_frame *frame, const struct ns_group *group)
{
    for (uint32_t i = 0; i < group->arity; i++) {
        if (group->defaults[i] != NULL)
            lower_default(frame, group, i);
        if (group->parameter_names[i] != NULL)
            ns_local_add(frame, group->parameter_names[i], i);
    }
}

static void take_clause(struct ns_frame *frame, void *context, unsigned way)
{
    const struct ns_group *group = context;

    ns_lower(frame, group->clauses.items[way]->body, (struct ns_target){ NS_WANT_RETURN, 0 });
}

static void throw_no_clause(struct ns_frame *frame, const struct ns_group *group)
{
    const char *text;
    unsigned reg;

    if (frame->function->lambda) {
        ns_code_abc(&frame->code, VM_OP_NO_MATCH, 0, 0, 0);
        return;
    }
    text = nb_arena_printf(frame->unit->arena, "No clause matched for function '%s'",
                           ns_group_signature(frame->unit, group));
    reg = ns_code_take(&frame->code, 1);
    ns_code_const(&frame->code, reg, ns_string_value(frame->unit, text, strlen(text)));
    ns_code_abc(&frame->code, VM_OP_THROW, reg, 0, 0);
}

static void lower_choice(struct ns_frame *frame, struct ns_group *group)
{
    struct ns_unit *unit = frame->unit;
    size_t count = group->clauses.count;
    struct ns_way *ways = nb_arena_array(unit->arena, count, sizeof *ways);
    unsigned *registers = nb_arena_array(unit->arena, group->arity + 1, sizeof *registers);
    ns_mark miss = ns_code_label(&frame->code);

    for (uint32_t i = 0; i < group->arity; i++)
        registers[i] = i;
    for (size_t i = 0; i < count; i++) {
        const struct ns_function *clause = group->clauses.items[i];
        const struct ns_pattern **patterns = nb_arena_array(unit->arena, group->arity + 1, sizeof *patterns);

        /* A clause of a local function may have fewer parameters: the rest is ignored (01 §10.6). */
        for (uint32_t k = 0; k < clause->parameters.count; k++)
            patterns[k] = clause->parameters.items[k].pattern;
        ways[i] = (struct ns_way){ patterns, clause->guard, take_clause, group };
    }
    ns_match(frame, registers, group->arity, ways, (unsigned)count, miss);
    ns_code_bind(&frame->code, miss);
    throw_no_clause(frame, group);
}

static void share_clauses(struct ns_frame *frame, const struct ns_group *group)
{
    for (size_t i = 0; i < group->clauses.count; i++) {
        ns_frame_share(frame, group->clauses.items[i]->guard);
        ns_frame_share(frame, group->clauses.items[i]->body);
    }
    for (uint32_t i = 0; i < group->arity; i++)
        ns_frame_share(frame, group->defaults[i]);
}

static bool has_defaults(const struct ns_group *group)
{
    for (uint32_t i = 0; i < group->arity; i++)
        if (group->defaults[i] != NULL)
            return true;
    return false;
}

static void lower_choice_with_defaults(struct ns_frame *frame, struct ns_group *group)
{
    if (has_defaults(group)) {
        struct ns_scope scope = ns_scope_begin(frame);

        lower_parameters(frame, group);
        ns_scope_end(frame, scope);
    }
    lower_choice(frame, group);
}

/* A captured variable whose elements are assigned: this call has a copy of its own, to be bound anew (01 §7.2, 11.3). */
static void copy_assigned(void *context, struct ns_expr *expr)
{
    struct ns_frame *frame = context;
    const struct ns_expr *root = expr;
    struct ns_local *local;
    unsigned reg;

    if (expr->kind == NS_EXPR_LAMBDA || expr->kind == NS_EXPR_LOCAL_FUNCTION || expr->kind == NS_EXPR_SPAWN)
        return;
    if (expr->kind == NS_EXPR_ASSIGN_INDEX)
        for (root = expr->assign_index.object; root->kind == NS_EXPR_INDEX;)
            root = root->index.object;
    local = root != expr && root->kind == NS_EXPR_NAME ? ns_local_find(frame, root->name) : NULL;
    if (local != NULL && local->frame != frame && !local->is_cell && local->functions == NULL) {
        reg = ns_code_take(&frame->code, 1);
        ns_local_load(frame, local, reg);
        ns_local_add(frame, root->name, reg)->is_captured = true;
    }
    ns_walk_children(expr, copy_assigned, frame);
}

void ns_lower_clauses(struct ns_frame *frame, struct ns_group *group)
{
    share_clauses(frame, group);
    ns_code_take(&frame->code, group->arity + (frame->outer != NULL ? 1 : 0));
    frame->closure = group->arity;
    for (size_t i = 0; frame->outer != NULL && i < group->clauses.count; i++)
        copy_assigned(frame, group->clauses.items[i]->body);
    if (is_plain(group)) {
        lower_parameters(frame, group);
        ns_lower(frame, group->clauses.items[0]->body, (struct ns_target){ NS_WANT_RETURN, 0 });
    } else {
        lower_choice_with_defaults(frame, group);
    }
}

/* ---- closures ---- */

/* The registers of what a closure captures, as this frame has them. */
static unsigned *captured_registers(struct ns_frame *frame, const struct ns_frame *inner)
{
    unsigned *registers = nb_arena_array(frame->unit->arena, inner->captures.count + 1, sizeof *registers);

    for (size_t i = 0; i < inner->captures.count; i++)
        registers[i] = ns_local_raw(frame, inner->captures.items[i].local);
    return registers;
}

void ns_make_closure(struct ns_frame *frame, struct ns_group *group, const struct ns_local *self, unsigned to)
{
    struct ns_frame inner;
    unsigned saved = frame->code.next;
    unsigned *registers;
    uint32_t line = frame->code.line;

    ns_frame_begin(&inner, frame->unit, frame, frame->space, group->function);
    inner.group = group;
    if (self != NULL) {
        struct ns_local *local = ns_local_add(&inner, self->name, group->arity);

        local->is_captured = true;
        local->group = group;
        local->others = self->others;
    }
    ns_lower_clauses(&inner, group);
    registers = captured_registers(frame, &inner);
    if (self != NULL && inner.captures.count == 0) { /* it finds itself only as a closure of something */
        registers[0] = ns_code_take(&frame->code, 1);
        ns_code_const(&frame->code, registers[0], VM_UNIT);
        ns_push(frame->unit, &inner.captures, ((struct ns_capture){ NULL }));
    }
    frame->code.line = line;
    if (inner.captures.count == 0)
        ns_code_const(&frame->code, to, vm_from_object(group->function));
    else
        ns_code_list_w(&frame->code, VM_OP_CLOSURE, to, 0, (uint64_t)(uintptr_t)group->function, registers,
                       (unsigned)inner.captures.count);
    ns_frame_end(&inner);
    frame->code.next = saved;
}

static struct ns_group *closure_group(struct ns_frame *frame, const struct ns_function *function, const char *name)
{
    struct ns_group *group = ns_group_new(frame->unit, frame->space, name);

    group->is_local = true;
    group->queued = true; /* it is compiled on the spot */
    ns_group_add(frame->unit, group, function);
    ns_group_finish(frame->unit, group, name);
    return group;
}

/* "<lambda in main>", also for one inside of another lambda. */
static const char *lambda_name(struct ns_frame *frame)
{
    const char *around = frame->function->name;

    if (strncmp(around, "<lambda in ", 11) == 0)
        return around;
    return nb_arena_printf(frame->unit->arena, "<lambda in %s>", around);
}

void ns_lower_lambda(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_group *group = closure_group(frame, expr->function, lambda_name(frame));
    unsigned saved = frame->code.next;
    unsigned to = ns_place(frame, target);

    group->function->lambda = true;
    ns_make_closure(frame, group, NULL, to);
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}

/* ---- spawn ---- */

static unsigned lower_thunk(struct ns_frame *frame, const struct ns_expr *body)
{
    struct ns_function *function = nb_arena_alloc(frame->unit->arena, sizeof *function);
    struct ns_group *group;
    unsigned to = ns_code_take(&frame->code, 1);

    function->body = (struct ns_expr *)(uintptr_t)body;
    function->span = body->span;
    group = closure_group(frame, function, lambda_name(frame));
    group->function->lambda = true;
    ns_make_closure(frame, group, NULL, to);
    return to;
}

void ns_lower_spawn(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    const struct ns_expr *body = expr->spawn.body;
    static const enum vm_spawn how[] = {
        [NS_SPAWN_PLAIN] = VM_SPAWN_PLAIN, [NS_SPAWN_LINK] = VM_SPAWN_LINK, [NS_SPAWN_MONITOR] = VM_SPAWN_MONITOR
    };
    unsigned saved = frame->code.next, callee, to;

    if (!expr->spawn.block && (body->kind == NS_EXPR_LAMBDA || body->kind == NS_EXPR_NAME))
        callee = ns_operand(frame, body);
    else
        callee = lower_thunk(frame, body);
    to = ns_place(frame, target);
    ns_mark_place(frame, expr->span);
    ns_code_abc(&frame->code, VM_OP_SPAWN, to, callee, how[expr->spawn.kind]);
    ns_deliver(frame, to, target);
    frame->code.next = saved;
}
