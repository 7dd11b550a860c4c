/*
 * pattern_emit.c - from the decision tree to code.
 *
 * An occurrence is loaded into its register when first needed on a path; leaving a branch forgets what was loaded there
 * (the trail lists it). A way that is reached by one leaf has its body there; otherwise its names get registers of
 * their own, every leaf puts its values into them, and the body follows behind the tree. Many constants are told apart
 * by a table, few by one comparison after the other.
 */
#include "config.h"

#include "lang/pattern_private.h"

#include "base/assert.h"

enum {
    SWITCH_LEAST = 4,   /* constants for which a table pays … */
    SWITCH_MOST = 20000 /* … and how many one may have */
};

static void forget(struct ns_match *match, size_t mark)
{
    while (match->trail.count > mark)
        match->occurrences.items[nb_vec_pop(&match->trail)].loaded = false;
}

static void mark_loaded(struct ns_match *match, unsigned at)
{
    match->occurrences.items[at].loaded = true;
    ns_push(match->frame->unit, &match->trail, at);
}

static void emit_load(struct ns_match *match, const struct ns_occurrence *part, unsigned from)
{
    struct ns_code *code = &match->frame->code;

    switch (part->how) {
    case NS_HOW_AT:
        ns_code_abc(code, VM_OP_AT, part->reg, from, (unsigned)part->which);
        break;
    case NS_HOW_LIST_AT:
        if (part->which == 0)
            ns_code_abc(code, VM_OP_HEAD, part->reg, from, 0);
        else
            ns_code_abc(code, VM_OP_LIST_AT, part->reg, from, (unsigned)part->which);
        break;
    case NS_HOW_DROP:
        if (part->which == 1)
            ns_code_abc(code, VM_OP_TAIL, part->reg, from, 0);
        else
            ns_code_abc(code, VM_OP_DROP, part->reg, from, (unsigned)part->which);
        break;
    case NS_HOW_REST:
        ns_code_abc_w(code, VM_OP_REST, part->reg, from, 0, part->which);
        break;
    case NS_HOW_GIVEN:
    case NS_HOW_FIELD: /* loaded by the test that finds them */
    case NS_HOW_KEY:
    case NS_HOW_KEY_OF:
        nb_unreachable();
    }
}

unsigned ns_pattern_load(struct ns_match *match, unsigned at)
{
    struct ns_occurrence *part = &match->occurrences.items[at];

    if (part->how != NS_HOW_GIVEN && !part->loaded) {
        emit_load(match, part, ns_pattern_load(match, part->parent));
        mark_loaded(match, at);
    }
    return part->reg;
}

/* What a name holds, for comparing with it. */
static unsigned read_name(struct ns_match *match, const char *name, struct ns_span span)
{
    struct ns_expr expr = { .kind = NS_EXPR_NAME, .span = span };

    expr.name = name;
    return ns_operand(match->frame, &expr);
}

static void emit_key(struct ns_match *match, const struct ns_test *test, unsigned map, ns_mark no)
{
    struct ns_code *code = &match->frame->code;
    unsigned saved = code->next, key;
    unsigned found = match->occurrences.items[test->found].reg;
    ns_mark there = ns_code_label(code);

    if (test->kind == NS_TEST_KEY_OF) {
        key = ns_pattern_load(match, (unsigned)test->number);
    } else if (test->name != NULL) {
        key = read_name(match, test->name, test->span);
    } else {
        key = ns_code_take(code, 1);
        ns_code_const(code, key, test->value);
    }
    ns_code_abc(code, VM_OP_MAP_FIND, found, map, key);
    ns_code_jump(code, VM_OP_JUMP_PRESENT, found, there);
    ns_code_jump(code, VM_OP_JUMP, 0, no);
    ns_code_bind(code, there);
    mark_loaded(match, test->found);
    code->next = saved;
}

static void emit_field(struct ns_match *match, const struct ns_test *test, unsigned record, ns_mark no)
{
    struct ns_code *code = &match->frame->code;
    unsigned found = match->occurrences.items[test->found].reg;
    ns_mark there = ns_code_label(code);

    ns_code_abc_w(code, VM_OP_FIELD_FIND, found, record, 0, test->number);
    ns_code_jump(code, VM_OP_JUMP_PRESENT, found, there);
    ns_code_jump(code, VM_OP_JUMP, 0, no);
    ns_code_bind(code, there);
    mark_loaded(match, test->found);
}

static void emit_equal(struct ns_match *match, unsigned reg, unsigned other, ns_mark no)
{
    ns_code_jump_w(&match->frame->code, VM_OP_UNLESS_EQUAL, reg, no, other);
}

static void emit_list_test(struct ns_match *match, const struct ns_test *test, unsigned reg, ns_mark no)
{
    struct ns_code *code = &match->frame->code;

    if (test->kind == NS_TEST_EXACT && test->number == 0)
        ns_code_jump_w(code, VM_OP_UNLESS_IS, reg, no, VM_NIL);
    else if (test->kind == NS_TEST_EXACT)
        ns_code_jump_w(code, VM_OP_UNLESS_LENGTH, reg, no, test->number);
    else if (test->number == 1)
        ns_code_jump(code, VM_OP_UNLESS_LIST, reg, no);
    else
        ns_code_jump_w(code, VM_OP_UNLESS_LENGTH_MIN, reg, no, test->number);
}

void ns_pattern_emit_test(struct ns_match *match, const struct ns_test *test, ns_mark no)
{
    struct ns_code *code = &match->frame->code;
    unsigned reg = ns_pattern_load(match, test->at), saved = code->next;

    switch (test->kind) {
    case NS_TEST_IS:
        ns_code_jump_w(code, VM_OP_UNLESS_IS, reg, no, test->value);
        break;
    case NS_TEST_CONST:
        ns_code_jump_w(code, VM_OP_UNLESS_CONST, reg, no, test->value);
        break;
    case NS_TEST_LOCAL:
        emit_equal(match, reg, read_name(match, test->name, test->span), no);
        break;
    case NS_TEST_SAME:
        emit_equal(match, reg, ns_pattern_load(match, (unsigned)test->number), no);
        break;
    case NS_TEST_RANGE:
        ns_code_jump_w2(code, VM_OP_UNLESS_RANGE, reg, no, (uint64_t)test->from, (uint64_t)test->to);
        break;
    case NS_TEST_TUPLE:
        ns_code_jump_w(code, VM_OP_UNLESS_TUPLE, reg, no, test->number);
        break;
    case NS_TEST_CTOR:
        ns_code_jump_w(code, VM_OP_UNLESS_CTOR, reg, no, test->number);
        break;
    case NS_TEST_EXACT:
    case NS_TEST_LEAST:
        emit_list_test(match, test, reg, no);
        break;
    case NS_TEST_PREFIX:
        ns_code_jump_w(code, VM_OP_UNLESS_PREFIX, reg, no, test->value);
        break;
    case NS_TEST_CLASS:
        ns_code_jump_w(code, VM_OP_UNLESS_CLASS, reg, no, test->number);
        break;
    case NS_TEST_FIELD:
        emit_field(match, test, reg, no);
        break;
    case NS_TEST_KEY:
    case NS_TEST_KEY_OF:
        emit_key(match, test, reg, no);
        break;
    }
    code->next = saved;
}

/* Names of the way in the order of its first row; where this row finds the value, -1 when it does not bind it. */
static int position_in(const struct ns_row *row, const char *name)
{
    for (size_t i = 0; i < row->bindings.count; i++)
        if (row->bindings.items[i].name == name)
            return (int)row->bindings.items[i].at;
    return -1;
}

static void emit_guard(struct ns_match *match, const struct ns_row *row, const unsigned *registers, ns_mark no)
{
    struct ns_frame *frame = match->frame;
    const struct ns_row *names = match->states[row->way].first;
    struct ns_scope scope = ns_scope_begin(frame);

    for (size_t i = 0; i < names->bindings.count; i++)
        ns_local_add(frame, names->bindings.items[i].name, registers[i]);
    ns_condition(frame, match->ways[row->way].guard, no);
    ns_scope_end(frame, scope);
}

static void emit_body(struct ns_match *match, unsigned way, const unsigned *registers)
{
    struct ns_frame *frame = match->frame;
    const struct ns_row *names = match->states[way].first;
    struct ns_scope scope = ns_scope_begin(frame);

    for (size_t i = 0; i < names->bindings.count; i++) {
        const struct ns_row_binding *binding = &names->bindings.items[i];

        if (binding->variable != NULL)
            ns_local_write(frame, binding->variable, registers[i]);
        else
            ns_local_add(frame, binding->name, registers[i]);
    }
    match->ways[way].take(frame, match->ways[way].context, way);
    ns_scope_end(frame, scope);
}

/* Put the values where a body that several leaves share expects them. */
static void gather(struct ns_match *match, const struct ns_row *row, const unsigned *registers)
{
    const struct ns_row *names = match->states[row->way].first;

    for (size_t i = 0; i < names->bindings.count; i++) {
        int at = position_in(row, names->bindings.items[i].name);

        if (at < 0)
            ns_code_const(&match->frame->code, registers[i], VM_UNIT);
        else
            ns_code_move(&match->frame->code, registers[i], ns_pattern_load(match, (unsigned)at));
    }
}

static void emit_leaf(struct ns_match *match, const struct ns_row *row, ns_mark no)
{
    struct ns_frame *frame = match->frame;
    struct ns_way_state *state = &match->states[row->way];
    size_t count = state->first->bindings.count;
    unsigned *registers = nb_arena_array(frame->unit->arena, count + 1, sizeof *registers);
    bool shared = state->leaves > 1;

    for (size_t i = 0; i < count; i++)
        registers[i] =
            shared ? state->registers + (unsigned)i : ns_pattern_load(match, state->first->bindings.items[i].at);
    if (shared)
        gather(match, row, registers);
    if (match->ways[row->way].guard != NULL)
        emit_guard(match, row, registers, no);
    if (shared)
        ns_code_jump(&frame->code, VM_OP_JUMP, 0, state->label);
    else
        emit_body(match, row->way, registers);
}

static void emit(struct ns_match *match, const struct ns_node *node);

/* Bind the label of a branch that may be plain failure. */
static ns_mark branch_label(struct ns_match *match, const struct ns_node *node)
{
    return node->kind == NS_NODE_FAIL ? match->miss : ns_code_label(&match->frame->code);
}

static void bind_branch(struct ns_match *match, const struct ns_node *node, ns_mark label)
{
    if (node->kind != NS_NODE_FAIL)
        ns_code_bind(&match->frame->code, label);
}

static int64_t switch_key(const struct ns_test *test)
{
    return test->kind == NS_TEST_CTOR ? (int64_t)test->number : vm_small(test->value);
}

static bool pays_table(const struct ns_node *node)
{
    if (node->count < SWITCH_LEAST || node->count > SWITCH_MOST || node->test->kind == NS_TEST_CONST)
        return false;
    for (unsigned i = 0; node->test->kind == NS_TEST_IS && i < node->count; i++)
        if (!vm_is_small(node->tests[i]->value))
            return false;
    return true;
}

static void emit_table(struct ns_match *match, const struct ns_node *node, ns_mark no)
{
    struct ns_code *code = &match->frame->code;
    int64_t *keys = nb_arena_array(match->frame->unit->arena, node->count, sizeof *keys);
    ns_mark *targets = nb_arena_array(match->frame->unit->arena, node->count, sizeof *targets);
    unsigned reg = ns_pattern_load(match, node->test->at);
    size_t mark = match->trail.count;

    for (unsigned i = 0; i < node->count; i++) {
        keys[i] = switch_key(node->tests[i]);
        targets[i] = branch_label(match, node->cases[i]);
    }
    ns_code_switch(code, node->test->kind == NS_TEST_CTOR ? VM_OP_SWITCH_CTOR : VM_OP_SWITCH_INT, reg, keys, targets,
                   node->count, no);
    for (unsigned i = 0; i < node->count; i++) {
        bind_branch(match, node->cases[i], targets[i]);
        emit(match, node->cases[i]);
        forget(match, mark);
    }
}

/* One constant after the other. */
static void emit_chain(struct ns_match *match, const struct ns_node *node, ns_mark no)
{
    for (unsigned i = 0; i < node->count; i++) {
        ns_mark next = i + 1 < node->count ? ns_code_label(&match->frame->code) : no;
        size_t mark = match->trail.count;

        ns_pattern_emit_test(match, node->tests[i], next);
        emit(match, node->cases[i]);
        forget(match, mark);
        if (i + 1 < node->count)
            ns_code_bind(&match->frame->code, next);
    }
}

static void emit_switch(struct ns_match *match, const struct ns_node *node, ns_mark no)
{
    if (pays_table(node))
        emit_table(match, node, no);
    else
        emit_chain(match, node, no);
}

/* A tree whose misses go on to `no`. */
static void emit_else(struct ns_match *match, const struct ns_node *node, ns_mark no)
{
    ns_mark outer = match->miss;

    match->miss = no;
    emit(match, node->yes);
    match->miss = outer;
}

static void emit(struct ns_match *match, const struct ns_node *node)
{
    while (node->kind != NS_NODE_FAIL) {
        const struct ns_node *rest = node->no;
        ns_mark no = rest == NULL ? match->miss : branch_label(match, rest);
        size_t mark;

        if (node->kind == NS_NODE_TEST || node->kind == NS_NODE_SWITCH)
            ns_pattern_load(match, node->test->at); /* both branches profit */
        mark = match->trail.count;
        if (node->kind == NS_NODE_TEST) {
            ns_pattern_emit_test(match, node->test, no);
            emit(match, node->yes);
        } else if (node->kind == NS_NODE_SWITCH) {
            emit_switch(match, node, no);
        } else if (node->kind == NS_NODE_ELSE) {
            emit_else(match, node, no);
        } else {
            for (unsigned i = 0; node->kind == NS_NODE_ROW && i < node->count; i++)
                ns_pattern_emit_test(match, node->tests[i], no);
            emit_leaf(match, node->row, no);
        }
        forget(match, mark);
        if (rest == NULL)
            return;
        bind_branch(match, rest, no);
        node = rest;
    }
    ns_code_jump(&match->frame->code, VM_OP_JUMP, 0, match->miss);
}

static void emit_shared_bodies(struct ns_match *match)
{
    for (unsigned way = 0; way < match->way_count; way++) {
        struct ns_way_state *state = &match->states[way];
        unsigned *registers;

        if (state->leaves < 2)
            continue;
        registers = nb_arena_array(match->frame->unit->arena, state->first->bindings.count + 1, sizeof *registers);
        for (size_t i = 0; i < state->first->bindings.count; i++)
            registers[i] = state->registers + (unsigned)i;
        ns_code_bind(&match->frame->code, state->label);
        emit_body(match, way, registers);
    }
}

static void count_leaves(struct ns_match *match, const struct ns_node *node)
{
    for (; node != NULL; node = node->no) {
        if (node->kind == NS_NODE_LEAF || node->kind == NS_NODE_ROW)
            match->states[node->row->way].leaves++;
        else if (node->kind == NS_NODE_TEST || node->kind == NS_NODE_ELSE)
            count_leaves(match, node->yes);
        for (unsigned i = 0; node->kind == NS_NODE_SWITCH && i < node->count; i++)
            count_leaves(match, node->cases[i]);
    }
}

static void prepare_ways(struct ns_match *match)
{
    for (unsigned i = 0; i < match->way_count; i++)
        if (match->states[i].leaves > 1) {
            match->states[i].label = ns_code_label(&match->frame->code);
            match->states[i].registers =
                ns_code_take(&match->frame->code, (unsigned)match->states[i].first->bindings.count);
        }
}

void ns_pattern_emit(struct ns_match *match, const struct ns_node *tree)
{
    count_leaves(match, tree);
    prepare_ways(match);
    emit(match, tree);
    emit_shared_bodies(match);
}
