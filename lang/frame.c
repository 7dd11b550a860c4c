/*
 * frame.c - frames, scopes, locals and captures; and which names an expression mentions.
 */
#include "config.h"

#include "lang/lower.h"

#include "base/assert.h"
#include "lang/typed.h"

/* ---- frames ---- */

void ns_frame_begin(struct ns_frame *frame, struct ns_unit *unit, struct ns_frame *outer, struct ns_space *space,
                    struct vm_function *function)
{
    *frame = (struct ns_frame){ .unit = unit, .outer = outer, .space = space, .function = function };
    ns_code_init(&frame->code);
    frame->trusted = space->library;
    frame->code.line = function->first_line;
    if (outer != NULL)
        frame->self_type = outer->self_type;
}

static void share(void *context, const char *name, bool in_closure)
{
    struct ns_frame *frame = context;

    if (in_closure)
        ns_table_set(&frame->shared, name, frame);
}

void ns_frame_share(struct ns_frame *frame, const struct ns_expr *body)
{
    if (body != NULL)
        ns_mentions(body, share, frame);
}

void ns_frame_end(struct ns_frame *frame)
{
    ns_scope_end(frame, (struct ns_scope){ 0, 0 });
    nb_assert(frame->context == NULL);
    frame->function->captures = (uint16_t)frame->captures.count;
    if (!frame->code.too_big && ns_diag_count(frame->unit->diag) == 0) { /* errors leave gaps in the code */
        ns_code_finish(&frame->code, frame->unit->program->arena, frame->function);
        ns_typed_select(frame);
    }
    ns_code_done(&frame->code);
    ns_table_done(&frame->shared);
}

/* ---- scopes and locals ---- */

struct ns_scope ns_scope_begin(struct ns_frame *frame)
{
    return (struct ns_scope){ frame->locals.count, frame->code.next };
}

void ns_scope_end(struct ns_frame *frame, struct ns_scope scope)
{
    while (frame->locals.count > scope.locals) {
        struct ns_local *local = nb_vec_pop(&frame->locals);

        ns_table_set(&frame->unit->symbols, local->name, local->hidden);
    }
    frame->code.next = scope.registers;
}

struct ns_local *ns_local_add(struct ns_frame *frame, const char *name, unsigned reg)
{
    struct ns_local *local = nb_arena_alloc(frame->unit->arena, sizeof *local);

    local->name = name;
    local->frame = frame;
    local->reg = reg;
    local->hidden = ns_table_set(&frame->unit->symbols, name, local);
    ns_push(frame->unit, &frame->locals, local);
    return local;
}

struct ns_local *ns_local_add_var(struct ns_frame *frame, const char *name, unsigned reg)
{
    struct ns_local *local = ns_local_add(frame, name, reg);

    local->is_var = true;
    if (ns_table_get(&frame->shared, name) != NULL) {
        local->is_cell = true;
        ns_code_abc(&frame->code, VM_OP_CELL, reg, reg, 0);
    }
    return local;
}

/* A local can be used where its frame is, and in closures inside; one without register anywhere in its scope. What is
 * defined further down exists for closures only. */
static bool is_reachable(const struct ns_frame *frame, const struct ns_local *local)
{
    if (local->pending && local->frame == frame)
        return false;
    if (local->functions != NULL)
        return true;
    while (frame != NULL && frame != local->frame)
        frame = frame->outer;
    return frame != NULL;
}

struct ns_local *ns_local_find(struct ns_frame *frame, const char *name)
{
    struct ns_local *local = ns_table_get(&frame->unit->symbols, name);

    while (local != NULL && !is_reachable(frame, local))
        local = local->hidden;
    return local;
}

bool ns_local_is_own(const struct ns_frame *frame, const struct ns_local *local)
{
    return local->frame == frame && !local->is_captured;
}

/* The position of an outer frame's local among the values that the closure of this frame brings along. */
static unsigned capture(struct ns_frame *frame, struct ns_local *local)
{
    for (size_t i = 0; i < frame->captures.count; i++)
        if (frame->captures.items[i].local == local)
            return (unsigned)i;
    nb_assert(frame->outer != NULL);
    ns_push(frame->unit, &frame->captures, ((struct ns_capture){ local }));
    return (unsigned)frame->captures.count - 1;
}

static unsigned load_captured(struct ns_frame *frame, struct ns_local *local, unsigned to)
{
    ns_code_abc(&frame->code, VM_OP_CAPTURED, to, frame->closure, capture(frame, local));
    return to;
}

unsigned ns_local_raw(struct ns_frame *frame, struct ns_local *local)
{
    if (local->frame == frame)
        return local->reg;
    return load_captured(frame, local, ns_code_take(&frame->code, 1));
}

unsigned ns_local_read(struct ns_frame *frame, struct ns_local *local)
{
    unsigned to;

    if (local->frame == frame && !local->is_cell)
        return local->reg;
    to = ns_code_take(&frame->code, 1);
    ns_local_load(frame, local, to);
    return to;
}

void ns_local_load(struct ns_frame *frame, struct ns_local *local, unsigned to)
{
    unsigned from = local->frame == frame ? local->reg : load_captured(frame, local, to);

    if (local->is_cell)
        ns_code_abc(&frame->code, VM_OP_CELL_GET, to, from, 0);
    else
        ns_code_move(&frame->code, to, from);
}

void ns_local_write(struct ns_frame *frame, struct ns_local *local, unsigned from)
{
    unsigned saved = frame->code.next;

    if (local->is_cell)
        ns_code_abc(&frame->code, VM_OP_CELL_SET, ns_local_raw(frame, local), from, 0);
    else
        ns_code_move(&frame->code, local->reg, from);
    frame->code.next = saved;
}

/* ---- mentioned names ---- */

struct walk {
    ns_mention *mention;
    ns_called *called;  /* NULL: calls are of no interest */
    ns_bound *bound_name; /* if set, only names that patterns bind are told, to this */
    void *context;
    unsigned closures;
    const struct bound *bound;
};
/* Parameters of the closures around: names they bind are not mentions of what is outside. */
struct bound { const struct bound *outer; const struct ns_function *function; const char *name; };

static void walk_expr(struct walk *walk, const struct ns_expr *expr);
static void walk_pattern(struct walk *walk, const struct ns_pattern *pattern);

static bool binds(const struct ns_pattern *pattern, const char *name)
{
    return pattern->kind == NS_PATTERN_NAME && pattern->name == name;
}

static bool is_parameter(const struct walk *walk, const char *name)
{
    for (const struct bound *bound = walk->bound; bound != NULL; bound = bound->outer) {
        if (bound->name == name)
            return true;
        for (uint32_t i = 0; bound->function != NULL && i < bound->function->parameters.count; i++)
            if (binds(bound->function->parameters.items[i].pattern, name))
                return true;
    }
    return false;
}

static void mention(struct walk *walk, const char *name)
{
    if (walk->bound_name == NULL && !is_parameter(walk, name))
        walk->mention(walk->context, name, walk->closures > 0);
}

static void walk_patterns(struct walk *walk, const struct ns_pattern_list *patterns)
{
    for (uint32_t i = 0; i < patterns->count; i++)
        walk_pattern(walk, patterns->items[i]);
}

static void walk_pattern(struct walk *walk, const struct ns_pattern *pattern)
{
    switch (pattern->kind) {
    case NS_PATTERN_NAME:
        if (walk->bound_name != NULL)
            walk->bound_name(walk->context, pattern->name, false);
        mention(walk, pattern->name);
        break;
    case NS_PATTERN_PIN:
        mention(walk, pattern->name);
        break;
    case NS_PATTERN_TUPLE:
    case NS_PATTERN_SET:
    case NS_PATTERN_OR:
        walk_patterns(walk, &pattern->items);
        break;
    case NS_PATTERN_LIST:
        walk_patterns(walk, &pattern->list.items);
        if (pattern->list.rest != NULL)
            walk_pattern(walk, pattern->list.rest);
        break;
    case NS_PATTERN_CONSTRUCTOR:
    case NS_PATTERN_RECORD:
        walk_patterns(walk, &pattern->constructor.items);
        for (uint32_t i = 0; i < pattern->constructor.fields.count; i++)
            walk_pattern(walk, pattern->constructor.fields.items[i].pattern);
        break;
    case NS_PATTERN_MAP:
        for (uint32_t i = 0; i < pattern->map.count; i++) {
            walk_pattern(walk, pattern->map.items[i].key);
            walk_pattern(walk, pattern->map.items[i].value);
        }
        break;
    case NS_PATTERN_WILDCARD:
    case NS_PATTERN_LITERAL:
    case NS_PATTERN_RANGE:
        break;
    }
}

static void walk_optional(struct walk *walk, const struct ns_expr *expr)
{
    if (expr != NULL)
        walk_expr(walk, expr);
}

static void walk_list(struct walk *walk, const struct ns_expr_list *items)
{
    for (uint32_t i = 0; i < items->count; i++)
        walk_expr(walk, items->items[i]);
}

static void walk_arguments(struct walk *walk, const struct ns_argument_list *arguments)
{
    for (uint32_t i = 0; i < arguments->count; i++)
        walk_expr(walk, arguments->items[i].value);
}

static void walk_arms(struct walk *walk, const struct ns_arm_list *arms)
{
    for (uint32_t i = 0; i < arms->count; i++) {
        walk_pattern(walk, arms->items[i].pattern);
        walk_optional(walk, arms->items[i].guard);
        walk_expr(walk, arms->items[i].body);
    }
}

static void walk_function(struct walk *walk, const struct ns_function *function)
{
    struct bound bound = { walk->bound, function, NULL };

    walk->closures++;
    walk->bound = &bound;
    for (uint32_t i = 0; i < function->parameters.count; i++) {
        walk_pattern(walk, function->parameters.items[i].pattern);
        walk_optional(walk, function->parameters.items[i].value);
    }
    walk_optional(walk, function->guard);
    walk_optional(walk, function->body);
    walk->bound = bound.outer;
    walk->closures--;
}

static void walk_for(struct walk *walk, const struct ns_expr *expr)
{
    struct bound bound = { walk->bound, NULL, expr->for_.variable.text };

    walk_expr(walk, expr->for_.from);
    walk_expr(walk, expr->for_.to);
    walk->bound = &bound;
    walk_expr(walk, expr->for_.body);
    walk->bound = bound.outer;
}

static void walk_spawn(struct walk *walk, const struct ns_expr *expr)
{
    walk->closures++;
    walk_expr(walk, expr->spawn.body);
    walk->closures--;
}

/* Operators, calls, access: parts of an expression and nothing more. */
static void walk_operation(struct walk *walk, const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_UNARY:
        walk_expr(walk, expr->unary.operand);
        break;
    case NS_EXPR_BINARY:
        walk_expr(walk, expr->binary.left);
        walk_expr(walk, expr->binary.right);
        break;
    case NS_EXPR_PIPE:
    case NS_EXPR_SEND:
        walk_expr(walk, expr->pair.left);
        walk_expr(walk, expr->pair.right);
        break;
    case NS_EXPR_CALL:
    case NS_EXPR_METHOD_CALL:
    case NS_EXPR_CONSTRUCT:
        if (walk->called != NULL && expr->kind == NS_EXPR_CALL && expr->call.callee->kind == NS_EXPR_NAME)
            walk->called(walk->context, expr->call.callee->name, expr->call.arguments.count);
        walk_optional(walk, expr->call.callee);
        walk_optional(walk, expr->call.receiver);
        if (expr->kind == NS_EXPR_METHOD_CALL)
            mention(walk, expr->call.name.text); /* it may be a local function (12.3) */
        walk_arguments(walk, &expr->call.arguments);
        break;
    case NS_EXPR_FIELD:
        walk_expr(walk, expr->field.object);
        break;
    case NS_EXPR_TUPLE_FIELD:
        walk_expr(walk, expr->tuple_field.object);
        break;
    case NS_EXPR_INDEX:
        walk_expr(walk, expr->index.object);
        walk_list(walk, &expr->index.indices);
        break;
    default:
        break;
    }
}

static void walk_value(struct walk *walk, const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_INTERPOLATION:
        for (uint32_t i = 0; i < expr->parts.count; i++)
            walk_optional(walk, expr->parts.items[i].expr);
        break;
    case NS_EXPR_LIST:
        walk_list(walk, &expr->list.items);
        walk_optional(walk, expr->list.tail);
        break;
    case NS_EXPR_RANGE_LIST:
        walk_expr(walk, expr->range.from);
        walk_expr(walk, expr->range.to);
        break;
    case NS_EXPR_TUPLE:
    case NS_EXPR_SET:
        walk_list(walk, &expr->items);
        break;
    case NS_EXPR_MAP:
        for (uint32_t i = 0; i < expr->map.count; i++) {
            walk_expr(walk, expr->map.items[i].key);
            walk_expr(walk, expr->map.items[i].value);
        }
        break;
    default:
        walk_operation(walk, expr);
        break;
    }
}

static void walk_statement(struct walk *walk, const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_BIND:
        if (walk->bound_name != NULL && ns_is_name_pattern(expr->bind.pattern))
            walk->bound_name(walk->context, expr->bind.pattern->name, !expr->bind.is_var);
        else
            walk_pattern(walk, expr->bind.pattern);
        walk_expr(walk, expr->bind.value);
        break;
    case NS_EXPR_ASSIGN_FIELD:
        walk_expr(walk, expr->assign_field.object);
        walk_expr(walk, expr->assign_field.value);
        break;
    case NS_EXPR_ASSIGN_INDEX:
        walk_expr(walk, expr->assign_index.object);
        walk_list(walk, &expr->assign_index.indices);
        walk_expr(walk, expr->assign_index.value);
        break;
    case NS_EXPR_LOCAL_FUNCTION:
        mention(walk, expr->function->name.text);
        walk_function(walk, expr->function);
        break;
    default:
        walk_value(walk, expr);
        break;
    }
}

static void walk_expr(struct walk *walk, const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_NAME:
    case NS_EXPR_UPPER:
        mention(walk, expr->name);
        break;
    case NS_EXPR_LAMBDA:
        walk_function(walk, expr->function);
        break;
    case NS_EXPR_QUESTION:
    case NS_EXPR_BREAK:
    case NS_EXPR_RETURN:
    case NS_EXPR_QUOTE:
    case NS_EXPR_SPLICE:
        walk_optional(walk, expr->operand);
        break;
    case NS_EXPR_BLOCK:
        walk_list(walk, &expr->block.statements);
        break;
    case NS_EXPR_IF:
        walk_expr(walk, expr->conditional.condition);
        walk_expr(walk, expr->conditional.then);
        walk_optional(walk, expr->conditional.otherwise);
        break;
    case NS_EXPR_MATCH:
        walk_expr(walk, expr->match.scrutinee);
        walk_arms(walk, &expr->match.arms);
        break;
    case NS_EXPR_TRY:
        walk_expr(walk, expr->try_.body);
        walk_arms(walk, &expr->try_.arms);
        walk_optional(walk, expr->try_.finally);
        break;
    case NS_EXPR_WHILE:
        walk_expr(walk, expr->while_.condition);
        walk_expr(walk, expr->while_.body);
        break;
    case NS_EXPR_FOR:
        walk_for(walk, expr);
        break;
    case NS_EXPR_SPAWN:
        walk_spawn(walk, expr);
        break;
    case NS_EXPR_RECEIVE:
        walk_arms(walk, &expr->receive.arms);
        walk_optional(walk, expr->receive.timeout);
        walk_optional(walk, expr->receive.after);
        break;
    default:
        walk_statement(walk, expr);
        break;
    }
}

void ns_mentions(const struct ns_expr *expr, ns_mention *callback, void *context)
{
    struct walk walk = { .mention = callback, .context = context };

    walk_expr(&walk, expr);
}

void ns_mentions_pattern(const struct ns_pattern *pattern, ns_mention *callback, void *context)
{
    struct walk walk = { .mention = callback, .context = context };

    walk_pattern(&walk, pattern);
}

static void mention_nothing(void *context, const char *name, bool in_closure)
{
    (void)context;
    (void)name;
    (void)in_closure;
}

void ns_bound_names(const struct ns_expr *expr, ns_bound *callback, void *context)
{
    struct walk walk = { .mention = mention_nothing, .bound_name = callback, .context = context };

    walk_expr(&walk, expr);
}

void ns_calls(const struct ns_expr *expr, ns_called *callback, void *context)
{
    struct walk walk = { .mention = mention_nothing, .called = callback, .context = context };

    walk_expr(&walk, expr);
}

void ns_mentions_function(const struct ns_function *function, ns_mention *callback, void *context)
{
    struct walk walk = { .mention = callback, .context = context };

    walk_function(&walk, function);
}

/* ---- may it assign ---- */

static bool may_assign(const struct ns_expr *expr, int budget)
{
    if (budget == 0)
        return true;
    switch (expr->kind) {
    case NS_EXPR_LITERAL:
    case NS_EXPR_NAME:
    case NS_EXPR_UPPER:
    case NS_EXPR_LAMBDA:
        return false;
    case NS_EXPR_UNARY:
        return may_assign(expr->unary.operand, budget - 1);
    case NS_EXPR_BINARY:
        return may_assign(expr->binary.left, budget - 1) || may_assign(expr->binary.right, budget - 1);
    case NS_EXPR_FIELD:
        return may_assign(expr->field.object, budget - 1);
    case NS_EXPR_TUPLE_FIELD:
        return may_assign(expr->tuple_field.object, budget - 1);
    case NS_EXPR_INDEX:
        return expr->index.indices.count != 1 || may_assign(expr->index.object, budget - 1) ||
               may_assign(expr->index.indices.items[0], budget - 1);
    case NS_EXPR_CALL:
    case NS_EXPR_METHOD_CALL:
        /* What the callee assigns lives in cells; the arguments are evaluated here. */
        if ((expr->call.callee != NULL && may_assign(expr->call.callee, budget - 1)) ||
            (expr->call.receiver != NULL && may_assign(expr->call.receiver, budget - 1)))
            return true;
        for (uint32_t i = 0; i < expr->call.arguments.count; i++)
            if (may_assign(expr->call.arguments.items[i].value, budget - 1))
                return true;
        return false;
    default:
        return true;
    }
}

enum { LOOK_DEPTH = 4 };

bool ns_may_assign(const struct ns_expr *expr)
{
    return may_assign(expr, LOOK_DEPTH);
}
