/*
 * lower_local.c - functions that a block defines: f(x) = … and f = x => … (01 §10.6).
 *
 * All of a block's are noted before its statements are compiled: they may call each other, and closures above may
 * mention them. One whose body mentions nothing of the functions around it is compiled like a function of the module
 * and called directly, recursion included. The others are closures; one that is mentioned before it exists gets a cell.
 */
#include "config.h"

#include "lang/lower.h"

#include <string.h>

#include "base/intern.h"
#include "lang/mention.h"

/* A name that the block defines as a function. */
struct definition {
    const char *name;
    NB_VEC(const struct ns_function *) clauses;
    uint32_t first;               /* its first statement */
    struct ns_functions *functions;
    struct ns_local *local;
    NB_VEC(struct definition *) others; /* its forms with other numbers of arguments, if they are closures */
    struct ns_table mentions;     /* names in its clauses */
    bool is_lambda;               /* f = x => … */
    bool captures;                /* something of the frame, or may do so */
    bool early;                   /* a closure mentions it before it is there */
    bool done;
};

struct ns_hoist {
    struct ns_unit *unit;
    NB_VEC(struct definition *) definitions;
    struct ns_table by_name;
    struct ns_table bound;        /* names that other statements of the block bind */
    struct ns_table variables;    /* names that statements so far declare with `var` */
    uint32_t at;                  /* statement that is looked at */
    const char *asked;            /* name whose calls are counted … */
    uint32_t calls[2];            /* … and up to two counts of arguments found */
    uint32_t call_count;
};

/* Whether `name = …` makes a new name here rather than assigning something. */
static bool is_new_name(struct ns_frame *frame, const char *name)
{
    struct ns_local *local = ns_local_find(frame, name);

    if (local != NULL && (ns_local_is_own(frame, local) || local->is_var))
        return false;
    return ns_find_mvar(frame->unit, frame->space, name) == NULL;
}

static bool is_variable(struct ns_frame *frame, const char *name)
{
    struct ns_local *local = ns_local_find(frame, name);

    return local != NULL && local->is_var;
}

static const struct ns_function *defined_function(struct ns_frame *frame, const struct ns_expr *statement,
                                                  const char **ret_name)
{
    if (statement->kind == NS_EXPR_LOCAL_FUNCTION) {
        *ret_name = statement->function->name.text;
        return statement->function;
    }
    if (statement->kind != NS_EXPR_BIND || statement->bind.is_var || !ns_is_name_pattern(statement->bind.pattern) ||
        statement->bind.value->kind != NS_EXPR_LAMBDA || !is_new_name(frame, statement->bind.pattern->name))
        return NULL;
    *ret_name = statement->bind.pattern->name;
    return statement->bind.value->function;
}

static void note_definition(struct ns_frame *frame, struct ns_hoist *hoist, const struct ns_expr *statement)
{
    const char *name;
    const struct ns_function *function = defined_function(frame, statement, &name);
    struct definition *definition;

    if (statement->kind == NS_EXPR_BIND && statement->bind.is_var && ns_is_name_pattern(statement->bind.pattern))
        ns_table_set(&hoist->variables, statement->bind.pattern->name, hoist);
    if (function == NULL)
        return;
    if (statement->kind == NS_EXPR_BIND && ns_table_get(&hoist->variables, name) != NULL)
        return; /* the variable gets another value */
    definition = ns_table_get(&hoist->by_name, name);
    if (definition == NULL) {
        definition = nb_arena_alloc(frame->unit->arena, sizeof *definition);
        definition->name = name;
        definition->first = hoist->at;
        definition->is_lambda = statement->kind != NS_EXPR_LOCAL_FUNCTION;
        ns_table_set(&hoist->by_name, name, definition);
        ns_push(frame->unit, &hoist->definitions, definition);
    } else if (definition->is_lambda || statement->kind != NS_EXPR_LOCAL_FUNCTION) {
        return; /* defined twice: reported when it is lowered */
    }
    ns_push(frame->unit, &definition->clauses, function);
}

static void note_mention(void *context, const char *name, bool in_closure)
{
    struct definition *definition = context;

    (void)in_closure;
    ns_table_set(&definition->mentions, name, definition);
}

static void note_bound(void *context, const char *name, bool in_closure)
{
    struct ns_hoist *hoist = context;

    (void)in_closure;
    if (ns_table_get(&hoist->by_name, name) == NULL)
        ns_table_set(&hoist->bound, name, hoist);
}

static void note_early(void *context, const char *name, bool in_closure)
{
    struct ns_hoist *hoist = context;
    struct definition *definition = ns_table_get(&hoist->by_name, name);

    if (in_closure && definition != NULL && definition->first > hoist->at)
        definition->early = true;
}

static void count_call(void *context, const char *name, uint32_t arguments)
{
    struct ns_hoist *hoist = context;

    if (name != hoist->asked || (hoist->call_count > 0 && hoist->calls[0] == arguments) || hoist->call_count == 2)
        return;
    hoist->calls[hoist->call_count++] = arguments;
}

/* Something of the running frame, or of one around: what a function of the module would not see. */
static bool is_around(struct ns_frame *frame, const struct ns_hoist *hoist, const char *name)
{
    const struct definition *sibling = ns_table_get(&hoist->by_name, name);
    struct ns_local *local;

    if (sibling != NULL)
        return sibling->captures;
    if (ns_table_get(&hoist->bound, name) != NULL)
        return true;
    local = ns_local_find(frame, name);
    return local != NULL && local->functions == NULL;
}

static bool find_captures(struct ns_frame *frame, const struct ns_hoist *hoist, struct definition *definition)
{
    for (uint32_t i = 0; i < definition->mentions.count && !definition->captures; i++)
        definition->captures = is_around(frame, hoist, definition->mentions.entries[i].name);
    return definition->captures;
}

/* Definitions capture if they mention what is around, or siblings that do. */
static void settle_captures(struct ns_frame *frame, struct ns_hoist *hoist)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (size_t i = 0; i < hoist->definitions.count; i++) {
            struct definition *definition = hoist->definitions.items[i];

            if (!definition->captures && find_captures(frame, hoist, definition))
                changed = true;
        }
    }
}

static bool one_arity(const struct definition *definition)
{
    for (size_t i = 1; i < definition->clauses.count; i++)
        if (definition->clauses.items[i]->parameters.count != definition->clauses.items[0]->parameters.count)
            return false;
    return true;
}

static struct ns_group *local_group(struct ns_frame *frame, const struct definition *definition)
{
    struct ns_group *group = ns_group_new(frame->unit, frame->space, definition->name);

    group->is_local = true;
    group->queued = true;
    group->self_type = frame->self_type;
    return group;
}

/* All clauses as one function of the largest arity, the shorter ones first. */
static struct ns_group *padded_group(struct ns_frame *frame, const struct definition *definition)
{
    struct ns_group *group = local_group(frame, definition);
    uint32_t most = 0;

    for (size_t i = 0; i < definition->clauses.count; i++)
        if (definition->clauses.items[i]->parameters.count > most)
            most = definition->clauses.items[i]->parameters.count;
    for (uint32_t arity = 0; arity <= most; arity++)
        for (size_t i = 0; i < definition->clauses.count; i++)
            if (definition->clauses.items[i]->parameters.count == arity) {
                struct ns_function *padded = nb_arena_alloc(frame->unit->arena, sizeof *padded);

                *padded = *definition->clauses.items[i];
                padded->parameters.items =
                    nb_arena_array(frame->unit->arena, most + 1, sizeof *padded->parameters.items);
                if (arity > 0)
                    memcpy(padded->parameters.items, definition->clauses.items[i]->parameters.items,
                           arity * sizeof *padded->parameters.items);
                for (uint32_t k = arity; k < most; k++) {
                    struct ns_pattern *any = nb_arena_alloc(frame->unit->arena, sizeof *any);

                    any->kind = NS_PATTERN_WILDCARD;
                    any->span = padded->span;
                    padded->parameters.items[k].pattern = any;
                }
                padded->parameters.count = most;
                ns_group_add(frame->unit, group, padded);
            }
    return group;
}

static struct ns_group *group_of_arity(struct ns_frame *frame, const struct definition *definition, uint32_t arity)
{
    struct ns_group *group = local_group(frame, definition);

    for (size_t i = 0; i < definition->clauses.count; i++)
        if (definition->clauses.items[i]->parameters.count == arity)
            ns_group_add(frame->unit, group, definition->clauses.items[i]);
    return group;
}

static bool has_arity(const struct ns_functions *functions, uint32_t arity)
{
    for (size_t i = 0; i < functions->groups.count; i++)
        if (functions->groups.items[i]->arity == arity)
            return true;
    return false;
}

/* One function, or one for each arity that is called (01 §10.6). */
static void make_groups(struct ns_frame *frame, struct ns_hoist *hoist, struct definition *definition,
                        const struct ns_expr_list *statements)
{
    struct ns_functions *functions = nb_arena_alloc(frame->unit->arena, sizeof *functions);

    functions->name = definition->name;
    functions->space = frame->space;
    definition->functions = functions;
    hoist->asked = definition->name;
    hoist->call_count = 0;
    if (!one_arity(definition))
        for (uint32_t i = 0; i < statements->count; i++)
            ns_calls(statements->items[i], count_call, hoist);
    if (one_arity(definition) || hoist->call_count < 2) {
        ns_push(frame->unit, &functions->groups, padded_group(frame, definition));
    } else {
        for (size_t i = 0; i < definition->clauses.count; i++) {
            uint32_t arity = definition->clauses.items[i]->parameters.count;

            if (!has_arity(functions, arity))
                ns_push(frame->unit, &functions->groups, group_of_arity(frame, definition, arity));
        }
    }
    for (size_t i = 0; i < functions->groups.count; i++)
        ns_group_finish(frame->unit, functions->groups.items[i], definition->name);
}

/* Each form that captures is a closure of its own. The name means the first, call by call also the others. */
static void split_captured(struct ns_frame *frame, struct definition *definition)
{
    struct ns_functions *all = definition->functions;

    for (size_t i = 1; i < all->groups.count; i++) {
        struct definition *other = nb_arena_alloc(frame->unit->arena, sizeof *other);

        other->name = nb_intern(nb_arena_printf(frame->unit->arena, "%s/%u", definition->name,
                                                all->groups.items[i]->arity));
        other->captures = other->early = true;
        other->functions = nb_arena_alloc(frame->unit->arena, sizeof *other->functions);
        ns_push(frame->unit, &other->functions->groups, all->groups.items[i]);
        ns_push(frame->unit, &definition->others, other);
    }
    definition->early = definition->early || definition->others.count > 0;
}

/* Let closures that come earlier see the name. */
static void announce(struct ns_frame *frame, struct definition *definition)
{
    unsigned reg = 0;

    if (definition->captures && definition->early) {
        reg = ns_code_take(&frame->code, 1);
        ns_code_const(&frame->code, reg, VM_UNIT);
        ns_code_abc(&frame->code, VM_OP_CELL, reg, reg, 0);
    }
    definition->local = ns_local_add(frame, definition->name, reg);
    definition->local->pending = true;
    definition->local->is_lambda = definition->is_lambda;
    definition->local->is_cell = definition->captures && definition->early;
    if (definition->captures)
        definition->local->group = definition->functions->groups.items[0];
    else
        definition->local->functions = definition->functions;
}

static void announce_all(struct ns_frame *frame, struct definition *definition)
{
    size_t count;
    const char **names;

    if (definition->captures)
        split_captured(frame, definition);
    announce(frame, definition);
    count = definition->others.count;
    if (count == 0)
        return;
    names = nb_arena_array(frame->unit->arena, count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        announce(frame, definition->others.items[i]);
        names[i] = definition->others.items[i]->name;
    }
    definition->local->others = names;
}

static bool defines_functions(struct ns_frame *frame, const struct ns_expr_list *statements)
{
    const char *name;

    for (uint32_t i = 0; i < statements->count; i++)
        if (defined_function(frame, statements->items[i], &name) != NULL)
            return true;
    return false;
}

struct ns_hoist *ns_hoist(struct ns_frame *frame, const struct ns_expr_list *statements)
{
    struct ns_hoist *hoist;

    if (!defines_functions(frame, statements))
        return NULL;
    hoist = nb_arena_alloc(frame->unit->arena, sizeof *hoist);
    hoist->unit = frame->unit;
    for (hoist->at = 0; hoist->at < statements->count; hoist->at++)
        note_definition(frame, hoist, statements->items[hoist->at]);
    for (hoist->at = 0; hoist->at < statements->count; hoist->at++) {
        const struct ns_expr *statement = statements->items[hoist->at];

        ns_mentions(statement, note_early, hoist);
        if (statement->kind == NS_EXPR_BIND)
            ns_mentions_pattern(statement->bind.pattern, note_bound, hoist);
    }
    for (size_t i = 0; i < hoist->definitions.count; i++) {
        struct definition *definition = hoist->definitions.items[i];

        for (size_t k = 0; k < definition->clauses.count; k++)
            ns_mentions_function(definition->clauses.items[k], note_mention, definition);
    }
    settle_captures(frame, hoist);
    for (size_t i = 0; i < hoist->definitions.count; i++) {
        make_groups(frame, hoist, hoist->definitions.items[i], statements);
        announce_all(frame, hoist->definitions.items[i]);
        ns_table_done(&hoist->definitions.items[i]->mentions);
    }
    ns_table_done(&hoist->bound);
    ns_table_done(&hoist->variables);
    return hoist;
}

void ns_hoist_done(struct ns_hoist *hoist)
{
    if (hoist != NULL)
        ns_table_done(&hoist->by_name);
}

/* Without captures: functions like those of the module. */
static void lower_direct(struct ns_frame *frame, struct definition *definition)
{
    for (size_t i = 0; i < definition->functions->groups.count; i++) {
        struct ns_group *group = definition->functions->groups.items[i];
        struct ns_frame inner;

        ns_frame_begin(&inner, frame->unit, NULL, frame->space, group->function);
        inner.group = group;
        inner.self_type = frame->self_type;
        ns_lower_clauses(&inner, group);
        ns_frame_end(&inner);
    }
}

static void lower_captured(struct ns_frame *frame, struct definition *definition)
{
    struct ns_local *local = definition->local;
    unsigned to = ns_code_take(&frame->code, 1);

    ns_make_closure(frame, definition->functions->groups.items[0], local, to);
    if (local->is_cell)
        ns_code_abc(&frame->code, VM_OP_CELL_SET, local->reg, to, 0);
    else
        local->reg = to;
    for (size_t i = 0; i < definition->others.count; i++)
        lower_captured(frame, definition->others.items[i]);
    local->pending = false;
}

static void report_rebound(struct ns_frame *frame, struct ns_span span, const char *name)
{
    ns_report(frame->unit, span, "cannot reassign immutable variable '%s'; use 'var' to declare a mutable variable",
              name);
}

bool ns_lower_local(struct ns_frame *frame, struct ns_hoist *hoist, const struct ns_expr *statement)
{
    struct definition *definition;
    const char *name;

    if (hoist == NULL)
        return false;
    if (statement->kind == NS_EXPR_LOCAL_FUNCTION)
        name = statement->function->name.text;
    else if (statement->kind == NS_EXPR_BIND && !statement->bind.is_var &&
             ns_is_name_pattern(statement->bind.pattern) && statement->bind.value->kind == NS_EXPR_LAMBDA)
        name = statement->bind.pattern->name;
    else
        return false;
    definition = ns_table_get(&hoist->by_name, name);
    if (definition == NULL || (statement->kind == NS_EXPR_BIND && is_variable(frame, name)))
        return false;
    if (definition->done) {
        if (definition->is_lambda || statement->kind != NS_EXPR_LOCAL_FUNCTION)
            report_rebound(frame, statement->span, name);
        return true; /* another clause: it is in already */
    }
    definition->done = true;
    if (!is_new_name(frame, name) && statement->kind == NS_EXPR_BIND)
        report_rebound(frame, statement->span, name);
    ns_mark_place(frame, statement->span);
    if (definition->captures)
        lower_captured(frame, definition);
    else
        lower_direct(frame, definition);
    definition->local->pending = false;
    return true;
}
