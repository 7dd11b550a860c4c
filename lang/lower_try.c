/*
 * lower_try.c - exceptions, and every way out of a function: return, break, tail calls (01 §14.2, §16).
 *
 * A `try` opens a handler; whoever leaves its body closes it and runs `finally`, which is emitted anew for each way
 * out.
 *
 * In tail position a call inside the body leaves the frame although the handler must stay: PUSH_STUB puts a stub
 * function's frame beneath, which holds what the arms use. Its catch entry calls the arms, compiled as a function of
 * their own; its normal entry hands the callee's value on. Several such `try`s around each other give a stub each, the
 * outermost first, so that the innermost comes to lie on top.
 */
#include "config.h"

#include "lang/lower.h"

#include <string.h>

#include "base/assert.h"
#include "lang/mention.h"

enum { FINALLY_MAX = 6 }; /* `finally` inside `finally`: the code triples with each level */

/* ---- leaving ---- */

static void run_finally(struct ns_frame *frame, const struct ns_expr *finally)
{
    unsigned saved = frame->code.next;

    if (++frame->finally_depth > FINALLY_MAX)
        ns_report(frame->unit, finally->span, "`finally` is nested more than %d levels deep", FINALLY_MAX);
    else
        ns_lower(frame, finally, ns_nowhere());
    frame->finally_depth--;
    frame->code.next = saved;
}

static void unlock(struct ns_frame *frame, struct vm_mvar *mvar)
{
    ns_code_abc_w(&frame->code, VM_OP_MVAR_UNLOCK, 0, 0, 0, (uint64_t)(uintptr_t)mvar);
}

/* Leave handlers, locks and `finally`s up to a context (not that one), NULL: all. */
static void leave_contexts(struct ns_frame *frame, struct ns_context *until)
{
    struct ns_context *inside = frame->context;

    for (struct ns_context *context = inside; context != until; context = context->outer) {
        if (context->kind != NS_CONTEXT_TRY)
            continue;
        ns_code_abc(&frame->code, VM_OP_END_TRY, context->handler, 0, 0);
        frame->context = context->outer;
        if (context->locked != NULL)
            unlock(frame, context->locked);
        if (context->finally != NULL)
            run_finally(frame, context->finally);
    }
    frame->context = inside;
}

void ns_return(struct ns_frame *frame, unsigned reg)
{
    leave_contexts(frame, NULL);
    ns_code_abc(&frame->code, VM_OP_RETURN, reg, 0, 0);
}

/* Whether leaving everything costs nothing but jumps. */
static bool has_handlers(const struct ns_frame *frame)
{
    for (const struct ns_context *context = frame->context; context != NULL; context = context->outer)
        if (context->kind == NS_CONTEXT_TRY)
            return true;
    return false;
}

void ns_lower_return(struct ns_frame *frame, const struct ns_expr *expr)
{
    unsigned saved = frame->code.next;

    if (expr->operand != NULL && !has_handlers(frame)) {
        struct ns_context *inside = frame->context, *loops = frame->loops;

        frame->context = NULL; /* loops need no leaving */
        if (inside != NULL)
            frame->loops = inside;
        ns_lower(frame, expr->operand, (struct ns_target){ NS_WANT_RETURN, 0 });
        frame->context = inside;
        frame->loops = loops;
    } else {
        unsigned reg = ns_code_take(&frame->code, 1);

        if (expr->operand == NULL)
            ns_code_const(&frame->code, reg, VM_UNIT);
        else
            ns_lower(frame, expr->operand, ns_into(reg));
        ns_return(frame, reg);
    }
    frame->code.next = saved;
}

static struct ns_context *innermost_loop(struct ns_context *context)
{
    while (context != NULL && context->kind != NS_CONTEXT_LOOP)
        context = context->outer;
    return context;
}

void ns_lower_break(struct ns_frame *frame, const struct ns_expr *expr)
{
    struct ns_context *inside = innermost_loop(frame->context);
    struct ns_context *loop = inside != NULL ? inside : innermost_loop(frame->loops);
    bool is_break = expr->kind == NS_EXPR_BREAK;
    ns_mark to;

    if (loop == NULL) {
        ns_report(frame->unit, expr->span, "%s outside of loop is not yet implemented",
                  is_break ? "break" : "continue");
        return;
    }
    if (is_break && expr->operand != NULL)
        ns_lower(frame, expr->operand, *loop->target);
    else if (is_break)
        ns_deliver_const(frame, VM_UNIT, *loop->target);
    leave_contexts(frame, inside);
    to = is_break ? loop->break_label : loop->continue_label;
    ns_code_jump(&frame->code, frame->code.labels.items[to].bound ? VM_OP_LOOP : VM_OP_JUMP, 0, to);
}

/* ---- tail calls ---- */

bool ns_can_tail_call(const struct ns_frame *frame)
{
    for (const struct ns_context *context = frame->context; context != NULL; context = context->outer)
        if (context->tail == NULL)
            return false; /* a loop, a lock, a `finally`, a try whose value is still needed */
    return true;
}

static void push_stub(struct ns_frame *frame, const struct ns_context *context, bool dropped)
{
    const struct ns_tail_try *tail = context->tail;
    const struct vm_function *stub = dropped ? tail->stub_const : tail->stub;

    ns_code_list_w(&frame->code, VM_OP_PUSH_STUB, context->handler, 0, vm_from_object(stub), tail->captured,
                   dropped ? 0 : tail->count);
}

/* Outermost first; a stub goes directly beneath the frame and its handler must be the only open one, so the inner
 * handlers are opened again one after the other. */
static void reopen_and_push(struct ns_frame *frame, const struct ns_context *context, bool dropped)
{
    bool is_outermost;

    if (context == NULL)
        return;
    reopen_and_push(frame, context->outer, dropped);
    is_outermost = context->outer == NULL;
    if (!is_outermost)
        ns_code_jump(&frame->code, VM_OP_TRY, context->handler, context->catch_label);
    push_stub(frame, context, dropped && context == frame->context);
}

void ns_push_stubs(struct ns_frame *frame, bool dropped)
{
    for (const struct ns_context *context = frame->context; context != NULL && context->outer != NULL;
         context = context->outer)
        ns_code_abc(&frame->code, VM_OP_END_TRY, context->handler, 0, 0);
    reopen_and_push(frame, frame->context, dropped);
}

/* ---- is there a tail call to make? ---- */

static bool has_tail_call(const struct ns_expr *expr);

static bool arms_have_tail_call(const struct ns_arm_list *arms)
{
    for (uint32_t i = 0; i < arms->count; i++)
        if (has_tail_call(arms->items[i].body))
            return true;
    return false;
}

static bool is_literal(const struct ns_expr *expr)
{
    return expr->kind == NS_EXPR_LITERAL ||
           (expr->kind == NS_EXPR_BLOCK && (expr->block.statements.count == 0 ||
                                            (expr->block.statements.count == 1 &&
                                             is_literal(expr->block.statements.items[0]))));
}

static bool block_has_tail_call(const struct ns_expr_list *statements)
{
    uint32_t count = statements->count;

    return count > 0 && has_tail_call(statements->items[count - 1]);
}

static bool has_tail_call(const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_CALL:
    case NS_EXPR_METHOD_CALL:
    case NS_EXPR_PIPE:
        return true;
    case NS_EXPR_BLOCK:
        return block_has_tail_call(&expr->block.statements);
    case NS_EXPR_IF:
        return has_tail_call(expr->conditional.then) ||
               (expr->conditional.otherwise != NULL && has_tail_call(expr->conditional.otherwise));
    case NS_EXPR_MATCH:
        return arms_have_tail_call(&expr->match.arms);
    case NS_EXPR_RECEIVE:
        return arms_have_tail_call(&expr->receive.arms) ||
               (expr->receive.after != NULL && has_tail_call(expr->receive.after));
    case NS_EXPR_TRY:
        return expr->try_.finally == NULL && (has_tail_call(expr->try_.body) || arms_have_tail_call(&expr->try_.arms));
    case NS_EXPR_QUESTION:
        return has_tail_call(expr->operand);
    default:
        return false;
    }
}

/* ---- handlers that say the same whatever happens ---- */

static const struct ns_literal *literal_of(const struct ns_expr *expr)
{
    static const struct ns_literal unit = { .kind = NS_LITERAL_UNIT };

    if (expr->kind == NS_EXPR_LITERAL)
        return &expr->literal;
    if (!is_literal(expr))
        return NULL;
    return expr->block.statements.count == 0 ? &unit : literal_of(expr->block.statements.items[0]);
}

static bool catches_everything(struct ns_frame *frame, const struct ns_arm *arm)
{
    struct ns_local *local;

    if (arm->guard != NULL)
        return false;
    if (arm->pattern->kind == NS_PATTERN_WILDCARD)
        return true;
    if (arm->pattern->kind != NS_PATTERN_NAME)
        return false;
    local = ns_local_find(frame, arm->pattern->name);
    return local == NULL || !ns_local_is_own(frame, local); /* else it compares, or assigns */
}

/* The value of a handler that catches everything and yields a literal; VM_NONE for others. */
static vm_value constant_handler(struct ns_frame *frame, const struct ns_expr *expr)
{
    const struct ns_arm_list *arms = &expr->try_.arms;
    const struct ns_literal *literal;

    if (arms->count == 0 || !catches_everything(frame, &arms->items[0]))
        return VM_NONE;
    literal = literal_of(arms->items[0].body);
    return literal == NULL ? VM_NONE : ns_literal_value(frame->unit, literal);
}

/* { …; statement; literal } with the literal that the handler yields, too: then the statement's tail calls need not
 * come back. */
static bool drops_last_call(struct ns_frame *frame, const struct ns_expr *body, vm_value constant)
{
    const struct ns_expr_list *statements = &body->block.statements;
    const struct ns_literal *literal;

    if (constant == VM_NONE || body->kind != NS_EXPR_BLOCK || statements->count < 2)
        return false;
    literal = literal_of(statements->items[statements->count - 1]);
    if (literal == NULL || !has_tail_call(statements->items[statements->count - 2]))
        return false;
    return ns_literal_value(frame->unit, literal) == constant;
}

/* ---- stubs ---- */

static struct vm_function *new_stub(struct ns_frame *frame, enum vm_function_form form, unsigned captured,
                                    struct ns_span span)
{
    struct vm_function *stub = ns_function_new(frame->unit, frame->space, frame->function->name, span);

    stub->form = (uint8_t)form;
    stub->arity = stub->required = (uint16_t)captured;
    return stub;
}

static struct vm_function *constant_stub(struct ns_frame *frame, enum vm_function_form form, vm_value constant,
                                         struct ns_span span)
{
    struct vm_function *stub = new_stub(frame, form, 0, span);
    struct ns_frame inner;
    ns_mark entry;

    ns_frame_begin(&inner, frame->unit, NULL, frame->space, stub);
    entry = ns_code_label(&inner.code);
    ns_code_take(&inner.code, 2);
    if (form == VM_FUNCTION_STUB)
        ns_code_abc(&inner.code, VM_OP_STUB_RETURN, 1, 0, 0);
    else
        ns_code_abc_w(&inner.code, VM_OP_STUB_RETURN_CONST, 0, 0, 0, constant);
    ns_code_bind(&inner.code, entry);
    inner.code.dead = false; /* the catch entry is jumped to by the raising of exceptions */
    ns_code_abc_w(&inner.code, VM_OP_RETURN_CONST, 0, 0, 0, constant);
    stub->catches_all = true;
    stub->catch_at = ns_code_at(&inner.code, entry);
    ns_frame_end(&inner);
    return stub;
}

static struct vm_function *calling_stub(struct ns_frame *frame, const struct vm_function *arms, unsigned captured,
                                        struct ns_span span)
{
    struct vm_function *stub = new_stub(frame, VM_FUNCTION_STUB, captured, span);
    unsigned *arguments = nb_arena_array(frame->unit->arena, captured + 1, sizeof *arguments);
    struct ns_frame inner;
    ns_mark entry;

    arguments[0] = captured; /* the exception */
    for (unsigned i = 0; i < captured; i++)
        arguments[i + 1] = i;
    ns_frame_begin(&inner, frame->unit, NULL, frame->space, stub);
    entry = ns_code_label(&inner.code);
    ns_code_take(&inner.code, captured + 2);
    ns_code_abc(&inner.code, VM_OP_STUB_RETURN, captured + 1, 0, 0);
    ns_code_bind(&inner.code, entry);
    inner.code.dead = false; /* as above */
    ns_code_list_w(&inner.code, VM_OP_TAIL_CALL, 0, 0, vm_from_object(arms), arguments, captured + 1);
    stub->catch_at = ns_code_at(&inner.code, entry);
    ns_frame_end(&inner);
    return stub;
}

/* ---- arms as a function ---- */

struct used { struct ns_frame *frame; struct ns_table seen; NB_VEC(struct ns_local *) locals; };

static void note_used(void *context, const char *name, bool in_closure)
{
    struct used *used = context;
    struct ns_local *local = ns_local_find(used->frame, name);

    (void)in_closure;
    if (local == NULL || local->functions != NULL || ns_table_get(&used->seen, name) != NULL)
        return;
    ns_table_set(&used->seen, name, used);
    ns_push(used->frame->unit, &used->locals, local);
    for (const char *const *other = local->others; other != NULL && *other != NULL; other++)
        note_used(context, *other, in_closure);
}

static void note_arm(struct used *used, const struct ns_arm *arm)
{
    ns_mentions_pattern(arm->pattern, note_used, used);
    if (arm->guard != NULL)
        ns_mentions(arm->guard, note_used, used);
    ns_mentions(arm->body, note_used, used);
}

/* A local of the function around as a parameter of the arms' function; it keeps its nature. */
static void adopt(struct ns_frame *inner, const struct ns_frame *frame, const struct ns_local *from, unsigned reg)
{
    struct ns_local *local = ns_local_add(inner, from->name, reg);

    local->is_var = from->is_var;
    local->is_cell = from->is_cell;
    local->is_captured = !ns_local_is_own(frame, from);
    local->group = from->group;
    local->others = from->others;
}

static struct vm_function *arms_function(struct ns_frame *frame, const struct ns_expr *expr, const struct used *used)
{
    unsigned arity = (unsigned)used->locals.count + 1;
    struct vm_function *function = ns_function_new(frame->unit, frame->space, frame->function->name, expr->span);
    struct ns_frame inner;
    ns_mark miss, done;

    function->arity = function->required = (uint16_t)arity;
    function->lambda = frame->function->lambda;
    ns_frame_begin(&inner, frame->unit, NULL, frame->space, function);
    inner.group = frame->group;
    inner.self_type = frame->self_type;
    for (uint32_t i = 0; i < expr->try_.arms.count; i++) {
        ns_frame_share(&inner, expr->try_.arms.items[i].guard);
        ns_frame_share(&inner, expr->try_.arms.items[i].body);
    }
    ns_code_take(&inner.code, arity);
    for (unsigned i = 0; i + 1 < arity; i++)
        adopt(&inner, frame, used->locals.items[i], i + 1);
    miss = ns_code_label(&inner.code);
    done = ns_code_label(&inner.code);
    ns_arms(&inner, &expr->try_.arms, 0, (struct ns_target){ NS_WANT_RETURN, 0 }, miss, done, VM_OP_COUNT);
    ns_code_bind(&inner.code, miss);
    ns_code_abc(&inner.code, VM_OP_THROW, 0, 0, 0);
    ns_code_bind(&inner.code, done);
    ns_frame_end(&inner);
    return function;
}

/* ---- try in tail position, without finally ---- */

static void context_begin(struct ns_frame *frame, struct ns_context *context, struct ns_tail_try *tail)
{
    *context = (struct ns_context){ .outer = frame->context,
                                    .kind = NS_CONTEXT_TRY,
                                    .handler = ns_code_take(&frame->code, 2),
                                    .catch_label = ns_code_label(&frame->code),
                                    .tail = tail };
    ns_code_jump(&frame->code, VM_OP_TRY, context->handler, context->catch_label);
    frame->context = context;
}

static void lower_tail_body(struct ns_frame *frame, const struct ns_expr *body, bool drops)
{
    struct ns_expr_list statements = body->block.statements;
    struct ns_scope scope;
    struct ns_hoist *hoist;

    if (!drops) {
        ns_lower(frame, body, (struct ns_target){ NS_WANT_RETURN, 0 });
        return;
    }
    scope = ns_scope_begin(frame);
    hoist = ns_hoist(frame, &statements);
    for (uint32_t i = 0; i < statements.count; i++) {
        unsigned saved = frame->code.next;

        if (ns_lower_local(frame, hoist, statements.items[i]))
            continue;
        if (i + 2 == statements.count)
            ns_lower(frame, statements.items[i], (struct ns_target){ NS_WANT_DROP_TAIL, 0 });
        else if (i + 1 == statements.count)
            ns_lower(frame, statements.items[i], (struct ns_target){ NS_WANT_RETURN, 0 });
        else
            ns_lower(frame, statements.items[i], ns_nowhere());
        if (statements.items[i]->kind != NS_EXPR_BIND)
            frame->code.next = saved;
    }
    ns_hoist_done(hoist);
    ns_scope_end(frame, scope);
}

/* Every arm yields the same literal: the handler is that constant. */
static void lower_constant_try(struct ns_frame *frame, const struct ns_expr *expr, vm_value constant)
{
    bool drops = drops_last_call(frame, expr->try_.body, constant);
    struct ns_tail_try tail = { .stub = NULL };
    struct ns_context context;

    tail.stub = constant_stub(frame, VM_FUNCTION_STUB, constant, expr->span);
    if (drops)
        tail.stub_const = constant_stub(frame, VM_FUNCTION_STUB_CONST, constant, expr->span);
    context_begin(frame, &context, &tail);
    lower_tail_body(frame, expr->try_.body, drops);
    frame->context = context.outer;
    ns_code_bind(&frame->code, context.catch_label);
    ns_deliver_const(frame, constant, (struct ns_target){ NS_WANT_RETURN, 0 });
}

/* The arms are a function of their own, called from here and from the stub. */
static void lower_split_try(struct ns_frame *frame, const struct ns_expr *expr)
{
    struct used used = { .frame = frame };
    struct ns_tail_try tail = { .stub = NULL };
    struct ns_context context;
    struct vm_function *arms;
    unsigned *arguments;

    for (uint32_t i = 0; i < expr->try_.arms.count; i++)
        note_arm(&used, &expr->try_.arms.items[i]);
    ns_table_done(&used.seen);
    arms = arms_function(frame, expr, &used);
    tail.count = (unsigned)used.locals.count;
    arguments = nb_arena_array(frame->unit->arena, tail.count + 2, sizeof *arguments);
    for (unsigned i = 0; i < tail.count; i++)
        arguments[i + 1] = ns_local_raw(frame, used.locals.items[i]);
    tail.captured = arguments + 1;
    tail.stub = calling_stub(frame, arms, tail.count, expr->span);
    context_begin(frame, &context, &tail);
    arguments[0] = context.handler;
    lower_tail_body(frame, expr->try_.body, false);
    frame->context = context.outer;
    ns_code_bind(&frame->code, context.catch_label);
    ns_mark_place(frame, expr->span);
    ns_call_function(frame, arms, arguments, tail.count + 1, (struct ns_target){ NS_WANT_RETURN, 0 });
}

/* ---- try in general ---- */

static void lower_arms_or_rethrow(struct ns_frame *frame, const struct ns_expr *expr, unsigned exception,
                                  struct ns_target target, ns_mark done)
{
    ns_mark miss = ns_code_label(&frame->code);

    ns_arms(frame, &expr->try_.arms, exception, target, miss, done, VM_OP_COUNT);
    ns_code_bind(&frame->code, miss);
    ns_mark_place(frame, expr->span);
    ns_code_abc(&frame->code, VM_OP_THROW, exception, 0, 0);
}

static void lower_plain_try(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_context context;
    ns_mark done = ns_code_label(&frame->code);

    context_begin(frame, &context, NULL);
    ns_lower(frame, expr->try_.body, target);
    frame->context = context.outer;
    ns_code_abc(&frame->code, VM_OP_END_TRY, context.handler, 0, 0);
    ns_code_jump(&frame->code, VM_OP_JUMP, 0, done);
    ns_code_bind(&frame->code, context.catch_label);
    lower_arms_or_rethrow(frame, expr, context.handler, target, done);
    ns_code_bind(&frame->code, done);
}

/*
 * With `finally`: an outer handler watches over body and arms and runs it before the exception goes on; every other way
 * out runs it, too. The value waits in a register meanwhile.
 */
static void lower_finally_try(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_context context;
    unsigned value = ns_code_take(&frame->code, 1);
    ns_mark done = ns_code_label(&frame->code);
    struct ns_expr body = *expr;

    context_begin(frame, &context, NULL);
    context.finally = expr->try_.finally;
    if (expr->try_.arms.count > 0) {
        body.try_.finally = NULL;
        lower_plain_try(frame, &body, ns_into(value));
    } else {
        ns_lower(frame, expr->try_.body, ns_into(value));
    }
    frame->context = context.outer;
    ns_code_abc(&frame->code, VM_OP_END_TRY, context.handler, 0, 0);
    run_finally(frame, expr->try_.finally);
    ns_code_jump(&frame->code, VM_OP_JUMP, 0, done);
    ns_code_bind(&frame->code, context.catch_label);
    run_finally(frame, expr->try_.finally);
    ns_mark_place(frame, expr->span);
    ns_code_abc(&frame->code, VM_OP_THROW, context.handler, 0, 0);
    ns_code_bind(&frame->code, done);
    ns_deliver(frame, value, target);
}

/* Tail position: the body's calls may leave the frame, unless a `break` may need it: as arms that are a function of
 * their own could not jump to the loop around the `return` whose operand this is. */
static void lower_tail_try(struct ns_frame *frame, const struct ns_expr *expr)
{
    vm_value constant = constant_handler(frame, expr);
    bool calls = has_tail_call(expr->try_.body) || drops_last_call(frame, expr->try_.body, constant);

    if (!calls || frame->loops != NULL)
        lower_plain_try(frame, expr, (struct ns_target){ NS_WANT_RETURN, 0 });
    else if (constant != VM_NONE)
        lower_constant_try(frame, expr, constant);
    else
        lower_split_try(frame, expr);
}

void ns_lower_try(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_scope scope = ns_scope_begin(frame);

    if (expr->try_.finally != NULL)
        lower_finally_try(frame, expr, target);
    else if (expr->try_.arms.count == 0)
        ns_lower(frame, expr->try_.body, target);
    else if (target.want == NS_WANT_RETURN && ns_can_tail_call(frame))
        lower_tail_try(frame, expr);
    else
        lower_plain_try(frame, expr, target.want == NS_WANT_DROP_TAIL ? ns_nowhere() : target);
    ns_scope_end(frame, scope);
}
