/*
 * frame.c - frames, scopes, locals and captures.
 */
#include "config.h"

#include "lang/lower.h"

#include "base/assert.h"
#include "lang/mention.h"
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

    (void)in_closure;
    ns_table_set(&frame->shared, name, frame);
}

void ns_frame_share(struct ns_frame *frame, const struct ns_expr *body)
{
    if (body != NULL)
        ns_closure_mentions(body, share, frame);
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
