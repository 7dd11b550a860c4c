/*
 * pattern.c - choices between patterns, compiled to decision trees (01 §9, 02 §3.5).
 *
 * Each pattern is taken apart into a row: tests on occurrences (the value, its components, their components …) and
 * names that take the value of an occurrence. Or-patterns give several rows. The tree is built from the rows: no path
 * through it asks the same twice. Taking a value apart on the left of `=` needs no tree when there is one row: its
 * tests follow each other, and its names stay in scope.
 */
#include "config.h"

#include "lang/pattern_private.h"

enum { WORK_MAX = 20000000 }; /* rows that are looked at for one match; bounds the time it takes */

bool ns_is_name_pattern(const struct ns_pattern *pattern)
{
    return pattern->kind == NS_PATTERN_NAME;
}

static void match_begin(struct ns_match *match, struct ns_frame *frame, const unsigned *scrutinees, unsigned count)
{
    *match = (struct ns_match){ .frame = frame, .work = WORK_MAX };
    for (unsigned i = 0; i < count; i++)
        ns_push(frame->unit, &match->occurrences, ((struct ns_occurrence){ i, NS_HOW_GIVEN, i, scrutinees[i], true }));
}

void ns_match(struct ns_frame *frame, const unsigned *scrutinees, unsigned count, const struct ns_way *ways,
              unsigned way_count, ns_mark miss)
{
    struct ns_match match;
    struct ns_rows *rows = nb_arena_array(frame->unit->arena, way_count + 1, sizeof *rows);

    match_begin(&match, frame, scrutinees, count);
    match.ways = ways;
    match.way_count = way_count;
    match.miss = miss;
    match.states = nb_arena_array(frame->unit->arena, way_count + 1, sizeof *match.states);
    for (unsigned i = 0; i < way_count; i++) {
        rows[i] = ns_pattern_rows(&match, &ways[i], i, count);
        match.states[i].first = rows[i].items.items[0];
    }
    if (!match.too_large)
        ns_pattern_emit(&match, ns_pattern_tree(&match, rows));
}

/* ---- destructuring ---- */

/* All rows but one need a choice; a pattern on the left of `=` has one row, or several by or-patterns, whose names then
 * share registers. */
struct destructuring { ns_mark done; struct ns_local **names; unsigned count; };

static void keep_names(struct ns_frame *frame, void *context, unsigned way)
{
    struct destructuring *destructuring = context;

    (void)way;
    for (unsigned i = 0; i < destructuring->count; i++) {
        struct ns_local *local = ns_local_find(frame, destructuring->names[i]->name);

        if (local != NULL && local->frame == frame)
            ns_code_move(&frame->code, destructuring->names[i]->reg, local->reg);
    }
    ns_code_jump(&frame->code, VM_OP_JUMP, 0, destructuring->done);
}

/* Make the names of the only row locals of the current scope. */
static void bind_row(struct ns_match *match, const struct ns_row *row)
{
    for (size_t i = 0; i < row->bindings.count; i++) {
        const struct ns_row_binding *binding = &row->bindings.items[i];
        unsigned reg = ns_pattern_load(match, binding->at);

        if (binding->variable != NULL)
            ns_local_write(match->frame, binding->variable, reg);
        else
            ns_local_add(match->frame, binding->name, reg);
    }
}

static void destructure_choice(struct ns_frame *frame, const struct ns_pattern *pattern, unsigned scrutinee,
                               const struct ns_row *names, ns_mark miss)
{
    struct destructuring context = { .done = ns_code_label(&frame->code) };
    const struct ns_way way = { &pattern, NULL, keep_names, &context };

    context.names = nb_arena_array(frame->unit->arena, names->bindings.count + 1, sizeof *context.names);
    for (size_t i = 0; i < names->bindings.count; i++) {
        struct ns_local *local = nb_arena_alloc(frame->unit->arena, sizeof *local);

        local->name = names->bindings.items[i].name;
        local->reg = ns_code_take(&frame->code, 1);
        if (names->bindings.items[i].variable == NULL)
            context.names[context.count++] = local;
    }
    ns_match(frame, &scrutinee, 1, &way, 1, miss);
    ns_code_bind(&frame->code, context.done);
    for (unsigned i = 0; i < context.count; i++)
        ns_local_add(frame, context.names[i]->name, context.names[i]->reg);
}

void ns_destructure(struct ns_frame *frame, const struct ns_pattern *pattern, unsigned scrutinee)
{
    ns_mark miss = ns_code_label(&frame->code), done = ns_code_label(&frame->code);
    const struct ns_way way = { &pattern, NULL, NULL, NULL };
    struct ns_match match;
    struct ns_rows rows;

    match_begin(&match, frame, &scrutinee, 1);
    match.ways = &way;
    match.miss = miss;
    rows = ns_pattern_rows(&match, &way, 0, 1);
    if (match.too_large)
        return;
    if (rows.items.count == 1) {
        const struct ns_row *row = rows.items.items[0];

        for (size_t i = 0; i < row->tests.count; i++)
            ns_pattern_emit_test(&match, &row->tests.items[i], miss);
        bind_row(&match, row);
    } else {
        destructure_choice(frame, pattern, scrutinee, rows.items.items[0], miss);
    }
    ns_code_jump(&frame->code, VM_OP_JUMP, 0, done);
    ns_code_bind(&frame->code, miss);
    ns_code_abc(&frame->code, VM_OP_NO_MATCH, 0, 0, 0);
    ns_code_bind(&frame->code, done);
}
