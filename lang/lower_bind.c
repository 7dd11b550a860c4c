/*
 * lower_bind.c - `=`: new names, assignments, mvars, fields and elements (01 §7.2, 05 §2).
 */
#include "config.h"

#include "lang/lower.h"

#include "base/assert.h"
#include "base/intern.h"
#include "lang/mention.h"
#include "lang/term.h"

/* ---- mvars ---- */

struct search { const struct ns_value *mvar; struct ns_frame *frame; bool found; };

static void find_mention(void *context, const char *name, bool in_closure)
{
    struct search *search = context;

    (void)in_closure;
    if (!search->found && ns_local_find(search->frame, name) == NULL &&
        ns_find_mvar(search->frame->unit, search->frame->space, name) == search->mvar)
        search->found = true;
}

static bool mentions_mvar(struct ns_frame *frame, const struct ns_value *mvar, const struct ns_expr *expr)
{
    struct search search = { mvar, frame, false };

    ns_mentions(expr, find_mention, &search);
    return search.found;
}

static void mvar_op(struct ns_frame *frame, enum vm_op op, unsigned reg, const struct ns_value *mvar)
{
    ns_code_abc_w(&frame->code, op, reg, 0, 0, (uint64_t)(uintptr_t)mvar->mvar);
}

/* From here to lock_end() the mvar is locked, and unlocked on every way out. */
static void lock_begin(struct ns_frame *frame, const struct ns_value *mvar, struct ns_context *lock)
{
    *lock = (struct ns_context){ .outer = frame->context,
                                 .kind = NS_CONTEXT_TRY,
                                 .handler = ns_code_take(&frame->code, 2),
                                 .catch_label = ns_code_label(&frame->code),
                                 .locked = mvar->mvar };
    mvar_op(frame, VM_OP_MVAR_LOCK, 0, mvar);
    ns_code_jump(&frame->code, VM_OP_TRY, lock->handler, lock->catch_label);
    frame->context = lock;
}

static void lock_end(struct ns_frame *frame, const struct ns_value *mvar, struct ns_context *lock)
{
    ns_mark done = ns_code_label(&frame->code);

    frame->context = lock->outer;
    ns_code_abc(&frame->code, VM_OP_END_TRY, lock->handler, 0, 0);
    mvar_op(frame, VM_OP_MVAR_UNLOCK, 0, mvar);
    ns_code_jump(&frame->code, VM_OP_JUMP, 0, done);
    ns_code_bind(&frame->code, lock->catch_label);
    mvar_op(frame, VM_OP_MVAR_UNLOCK, 0, mvar);
    ns_code_abc(&frame->code, VM_OP_THROW, lock->handler, 0, 0);
    ns_code_bind(&frame->code, done);
}

static void set_mvar(struct ns_frame *frame, struct ns_value *value, const struct ns_expr *expr)
{
    unsigned saved = frame->code.next;

    if (mentions_mvar(frame, value, expr)) {
        struct ns_context lock;

        lock_begin(frame, value, &lock);
        mvar_op(frame, VM_OP_MVAR_SET, ns_operand(frame, expr), value);
        lock_end(frame, value, &lock);
    } else {
        mvar_op(frame, VM_OP_MVAR_SET, ns_operand(frame, expr), value);
    }
    frame->code.next = saved;
}

void ns_lower_update(struct ns_frame *frame, struct ns_value *value, const struct ns_expr *function,
                     struct ns_target target)
{
    unsigned saved = frame->code.next;
    unsigned result = ns_code_take(&frame->code, 1), content = ns_code_take(&frame->code, 1);
    unsigned callee = ns_operand(frame, function);
    struct ns_context lock;

    lock_begin(frame, value, &lock);
    mvar_op(frame, VM_OP_MVAR_GET, content, value);
    ns_call_value(frame, callee, &content, 1, ns_into(result));
    mvar_op(frame, VM_OP_MVAR_SET, result, value);
    lock_end(frame, value, &lock);
    ns_deliver(frame, result, target);
    frame->code.next = saved;
}

/* ---- names ---- */

/* Whether the value is written in one last step, so that the variable itself may receive it. */
static bool is_one_step(const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_LITERAL:
    case NS_EXPR_NAME:
    case NS_EXPR_UNARY:
    case NS_EXPR_TUPLE:
    case NS_EXPR_CONSTRUCT:
        return true;
    case NS_EXPR_BINARY:
        return expr->binary.op != NS_OPERATOR_AND && expr->binary.op != NS_OPERATOR_OR;
    case NS_EXPR_CALL:
        return expr->call.callee->kind == NS_EXPR_NAME;
    case NS_EXPR_METHOD_CALL:
        return true;
    default:
        return false;
    }
}

static void assign(struct ns_frame *frame, struct ns_local *local, const struct ns_expr *value)
{
    unsigned saved = frame->code.next;

    if (local->frame == frame && !local->is_cell && is_one_step(value))
        ns_lower(frame, value, ns_into(local->reg));
    else
        ns_local_write(frame, local, ns_operand(frame, value));
    frame->code.next = saved;
}

/* A fresh register with the value, for a name to come. */
static unsigned new_value(struct ns_frame *frame, const struct ns_expr *value)
{
    unsigned reg = ns_code_take(&frame->code, 1);

    ns_lower(frame, value, ns_into(reg));
    frame->code.next = reg + 1;
    return reg;
}

static void bind_name(struct ns_frame *frame, const struct ns_expr *expr)
{
    const char *name = expr->bind.pattern->name;
    struct ns_local *local = ns_local_find(frame, name);
    struct ns_value *mvar;

    if (expr->bind.is_var) {
        ns_local_add_var(frame, name, new_value(frame, expr->bind.value));
    } else if (local != NULL && ns_local_is_own(frame, local)) {
        if (!local->is_var)
            ns_report(frame->unit, expr->bind.pattern->span,
                      "cannot reassign immutable variable '%s'; use 'var' to declare a mutable variable", name);
        assign(frame, local, expr->bind.value);
    } else if ((mvar = ns_find_mvar(frame->unit, frame->space, name)) != NULL) {
        set_mvar(frame, mvar, expr->bind.value);
    } else if (local != NULL && local->is_var) {
        assign(frame, local, expr->bind.value);
    } else {
        ns_local_add(frame, name, new_value(frame, expr->bind.value));
    }
}

void ns_lower_bind(struct ns_frame *frame, const struct ns_expr *expr)
{
    const struct ns_pattern *pattern = expr->bind.pattern;

    if (pattern->kind == NS_PATTERN_NAME)
        bind_name(frame, expr);
    else if (pattern->kind == NS_PATTERN_WILDCARD)
        ns_lower(frame, expr->bind.value, ns_nowhere());
    else
        ns_destructure(frame, pattern, new_value(frame, expr->bind.value));
}

/* ---- fields ---- */

static void set_field(struct ns_frame *frame, unsigned object, const char *name, unsigned value)
{
    ns_code_abc_w2(&frame->code, VM_OP_SET_FIELD, object, value, 0, nb_intern_id(name), 0);
}

void ns_lower_assign_field(struct ns_frame *frame, const struct ns_expr *expr)
{
    struct ns_expr *sides[2] = { expr->assign_field.value, expr->assign_field.object };
    unsigned saved = frame->code.next, registers[2];

    ns_operands(frame, sides, 2, registers);
    ns_mark_place(frame, expr->span);
    set_field(frame, registers[1], expr->assign_field.name.text, registers[0]);
    frame->code.next = saved;
}

/* ---- elements ---- */

/* What `coll[i] = v` changes: a collection, and where in it. */
struct element {
    const struct ns_expr *collection;
    struct ns_expr **indices; /* from the outside in: m[i][j] = v and m[i, j] = v are the same */
    uint32_t count;
    struct ns_local *local;   /* the variable that is bound to the changed collection, … */
    struct ns_value *mvar;    /* … or the mvar that is set to it, … */
    const struct ns_expr *field; /* … or the record's field; all NULL: it is changed in place, or for nothing */
};

/* The type of an expression, NULL where it is left open. */
static const struct ns_term *known_type(const struct ns_expr *expr)
{
    const struct ns_term *term = expr->term == NULL ? NULL : ns_prune(expr->term);

    return term == NULL || term->kind == NS_TERM_VARIABLE || term->kind == NS_TERM_ANY ? NULL : term;
}

static bool is_list_or_map(const struct ns_term *type)
{
    return type->kind == NS_TERM_DATA &&
           (type->data.con->number == NS_CON_LIST || type->data.con->number == NS_CON_MAP);
}

/* Whether the elements of a collection may be collections that are not changed in place themselves. */
static bool nests(const struct ns_expr *collection, const struct ns_expr *element)
{
    const struct ns_term *outer = known_type(collection), *inner = known_type(element);

    if (inner != NULL && inner->kind == NS_TERM_DATA && inner->data.con->number >= NS_CON_INT64_ARRAY &&
        inner->data.con->number <= NS_CON_FLOAT32_ARRAY)
        return false;
    return outer == NULL || is_list_or_map(outer);
}

static void add_indices(struct element *element, const struct ns_expr_list *indices)
{
    for (uint32_t i = 0; i < indices->count; i++)
        element->indices[element->count++] = indices->items[i];
}

/* Those between the collection and what stands in front of the last brackets. */
static void add_outer_indices(struct element *element, const struct ns_expr *object)
{
    if (object == element->collection)
        return;
    add_outer_indices(element, object->index.object);
    add_indices(element, &object->index.indices);
}

/* Lets the element's variable be the one that `collection` names; false: it names none that can be bound anew. */
static bool rebinds(struct ns_frame *frame, struct element *element, const struct ns_expr *collection)
{
    struct ns_local *local;

    if (collection->kind != NS_EXPR_NAME)
        return false;
    local = ns_local_find(frame, collection->name);
    if (local == NULL)
        element->mvar = ns_find_mvar(frame->unit, frame->space, collection->name);
    else if (local->functions == NULL && (local->frame == frame || local->is_cell))
        element->local = local;
    return element->local != NULL || element->mvar != NULL;
}

/* Whether an expression is the field of a variable, r.items or r.inner.items, and holds a list or map, or may do so:
 * then just its own element is assigned, as one of its elements might be changed in place. */
static bool is_field_to_set(struct ns_frame *frame, const struct ns_expr *expr, uint32_t indices)
{
    const struct ns_term *type = known_type(expr);
    const struct ns_expr *object = expr;

    while (object->kind == NS_EXPR_FIELD)
        object = object->field.object;
    return object != expr && object->kind == NS_EXPR_NAME && ns_local_find(frame, object->name) != NULL &&
           (type == NULL ? indices == 1 : is_list_or_map(type));
}

static struct element find_element(struct ns_frame *frame, const struct ns_expr *expr)
{
    const struct ns_expr *object = expr->assign_index.object, *root = object;
    struct element element = { .collection = object };
    uint32_t count = expr->assign_index.indices.count;

    for (; root->kind == NS_EXPR_INDEX && nests(root->index.object, root); root = root->index.object)
        count += root->index.indices.count;
    if (is_field_to_set(frame, root, count))
        element.field = root;
    if (element.field != NULL || rebinds(frame, &element, root))
        element.collection = root;
    element.indices = nb_arena_array(frame->unit->arena, count, sizeof *element.indices);
    add_outer_indices(&element, object);
    add_indices(&element, &expr->assign_index.indices);
    return element;
}

/* m[i, j] = v: m with [i] = (m[i] with [j] = v). `object` is in a register. */
static void set_index(struct ns_frame *frame, unsigned to, unsigned object, const unsigned *indices, uint32_t count,
                      unsigned value)
{
    unsigned saved = frame->code.next, inner = value;

    if (count > 1) {
        unsigned part = ns_code_take(&frame->code, 1);

        inner = ns_code_take(&frame->code, 1);
        ns_code_abc(&frame->code, VM_OP_INDEX, part, object, indices[0]);
        set_index(frame, inner, part, indices + 1, count - 1, value);
    }
    ns_code_abc_w(&frame->code, VM_OP_SET_INDEX, to, object, indices[0], inner);
    frame->code.next = saved;
}

/* What is evaluated: the new element, the collection unless it is an mvar, the indices. */
static unsigned *evaluate_parts(struct ns_frame *frame, const struct ns_expr *expr, const struct element *element)
{
    struct ns_expr **items = nb_arena_array(frame->unit->arena, element->count + 2, sizeof *items);
    unsigned *registers = nb_arena_array(frame->unit->arena, element->count + 2, sizeof *registers), count = 0;

    items[count++] = expr->assign_index.value;
    if (element->mvar == NULL)
        items[count++] = (struct ns_expr *)element->collection;
    for (uint32_t i = 0; i < element->count; i++)
        items[count++] = element->indices[i];
    ns_operands(frame, items, count, registers);
    ns_mark_place(frame, expr->span);
    return registers;
}

static bool needs_lock(struct ns_frame *frame, const struct ns_expr *expr, const struct element *element)
{
    for (uint32_t i = 0; i < element->count; i++)
        if (mentions_mvar(frame, element->mvar, element->indices[i]))
            return true;
    return mentions_mvar(frame, element->mvar, expr->assign_index.value);
}

/* Lists and maps are put into the field again; all else was changed in place. */
static void set_field_anew(struct ns_frame *frame, const struct ns_expr *field, unsigned was, unsigned is)
{
    struct ns_code *code = &frame->code;
    ns_mark no_list = ns_code_label(code), anew = ns_code_label(code), done = ns_code_label(code);

    ns_code_jump_w(code, VM_OP_UNLESS_CLASS, was, no_list, VM_CLASS_LIST);
    ns_code_jump(code, VM_OP_JUMP, 0, anew);
    ns_code_bind(code, no_list);
    ns_code_jump_w(code, VM_OP_UNLESS_CLASS, was, done, VM_CLASS_MAP);
    ns_code_bind(code, anew);
    set_field(frame, ns_operand(frame, field->field.object), field->field.name.text, is);
    ns_code_bind(code, done);
}

/* As with other writes, only what reads the mvar itself is evaluated while it is locked. */
static void set_element_of_mvar(struct ns_frame *frame, const struct ns_expr *expr, const struct element *element)
{
    bool inside = needs_lock(frame, expr, element);
    unsigned *registers = inside ? NULL : evaluate_parts(frame, expr, element), content;
    struct ns_context lock;

    lock_begin(frame, element->mvar, &lock);
    if (inside)
        registers = evaluate_parts(frame, expr, element);
    content = ns_code_take(&frame->code, 1);
    mvar_op(frame, VM_OP_MVAR_GET, content, element->mvar);
    set_index(frame, content, content, registers + 1, element->count, registers[0]);
    mvar_op(frame, VM_OP_MVAR_SET, content, element->mvar);
    lock_end(frame, element->mvar, &lock);
}

void ns_lower_assign_index(struct ns_frame *frame, const struct ns_expr *expr)
{
    struct element element = find_element(frame, expr);
    unsigned saved = frame->code.next, *registers, to;

    if (element.mvar != NULL) {
        set_element_of_mvar(frame, expr, &element);
    } else {
        registers = evaluate_parts(frame, expr, &element);
        to = ns_code_take(&frame->code, 1);
        set_index(frame, to, registers[1], registers + 2, element.count, registers[0]);
        if (element.local != NULL)
            ns_local_write(frame, element.local, to);
        else if (element.field != NULL)
            set_field_anew(frame, element.field, registers[1], to);
    }
    frame->code.next = saved;
}
