/*
 * pattern_tree.c - from rows to a decision tree.
 *
 * The first test of the first row decides. In the branch where it holds, the tests that it answers are dropped from all
 * rows, and the rows it contradicts as well; so in the other branch. Rows that compare the same place with constants
 * are dealt out to as many branches at once (a switch); rows that do not compare it take part in every branch.
 *
 * Such copies multiply. A budget of nodes, in proportion to what the ways ask for, bounds them: when it is used up, the
 * rows in front of the first that would be copied get a tree of their own, and what they miss goes on to the rest
 * (an else), and finally each row is tried by itself. The time that looking at rows takes is bounded alike.
 */
#include "config.h"

#include "lang/pattern_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* A row while the tree is built: what is still to be asked. */
struct live_row { const struct ns_row *row; const struct ns_test **tests; unsigned count; };
struct live_rows { struct live_row *items; unsigned count; };

static struct ns_node *new_node(struct ns_match *match, enum ns_node_kind kind)
{
    struct ns_node *node = nb_arena_alloc(match->frame->unit->arena, sizeof *node);

    node->kind = kind;
    match->budget--;
    return node;
}

/* The row without the tests that are answered; false when it is out. */
static bool reduce(struct ns_match *match, const struct live_row *from, const struct ns_test *known, bool holds,
                   struct live_row *ret)
{
    const struct ns_test **kept = NULL;
    unsigned count = 0;

    *ret = *from;
    for (unsigned i = 0; i < from->count; i++) {
        enum ns_answer answer = (holds ? ns_test_when_true : ns_test_when_false)(known, from->tests[i]);

        if (answer == NS_ANSWER_NO)
            return false;
        if (answer == NS_ANSWER_YES && kept == NULL) {
            kept = nb_arena_array(match->frame->unit->arena, from->count, sizeof *kept);
            memcpy(kept, from->tests, i * sizeof *kept);
            count = i;
        } else if (answer == NS_ANSWER_OPEN && kept != NULL) {
            kept[count++] = from->tests[i];
        }
    }
    if (kept != NULL) {
        ret->tests = kept;
        ret->count = count;
    }
    return true;
}

/* The rows that are still possible when the test holds, in an array of their own. */
static struct live_rows split_true(struct ns_match *match, struct live_rows rows, const struct ns_test *known)
{
    struct live_row *possible = nb_xalloc_array(rows.count, sizeof *possible);
    struct live_rows left = { NULL, 0 };

    match->work -= rows.count;
    for (unsigned i = 0; i < rows.count; i++)
        if (reduce(match, &rows.items[i], known, true, &possible[left.count]))
            left.count++;
    left.items = nb_arena_array(match->frame->unit->arena, left.count, sizeof *left.items);
    memcpy(left.items, possible, left.count * sizeof *possible);
    nb_free(possible);
    return left;
}

/* Those that are still possible when it does not, in place: they are not needed otherwise any more. */
static struct live_rows split_false(struct ns_match *match, struct live_rows rows, const struct ns_test *known)
{
    unsigned count = 0;

    match->work -= rows.count;
    for (unsigned i = 0; i < rows.count; i++) {
        struct live_row reduced;

        if (reduce(match, &rows.items[i], known, false, &reduced))
            rows.items[count++] = reduced;
    }
    return (struct live_rows){ rows.items, count };
}

/* Whether a test compares with a constant such that two different ones exclude each other. */
static bool is_case(const struct ns_test *test)
{
    return test->kind == NS_TEST_CTOR || test->kind == NS_TEST_IS ||
           (test->kind == NS_TEST_CONST && vm_is_kind(test->value, VM_KIND_STRING));
}

static int compare_cases(const struct ns_test *a, const struct ns_test *b)
{
    uint32_t length;
    int order;

    if (a->kind == NS_TEST_CTOR)
        return (a->number > b->number) - (a->number < b->number);
    if (a->kind == NS_TEST_IS)
        return ((int64_t)a->value > (int64_t)b->value) - ((int64_t)a->value < (int64_t)b->value);
    length = vm_size(a->value) < vm_size(b->value) ? vm_size(a->value) : vm_size(b->value);
    order = memcmp(vm_object(a->value) + 1, vm_object(b->value) + 1, length);
    return order != 0 ? order : (vm_size(a->value) > vm_size(b->value)) - (vm_size(a->value) < vm_size(b->value));
}

static int compare_tests(const void *left, const void *right)
{
    return compare_cases(*(const struct ns_test *const *)left, *(const struct ns_test *const *)right);
}

/* The row's comparison of the same place with a constant of the same sort, or NULL. */
static const struct ns_test *case_of(const struct live_row *live, const struct ns_test *first)
{
    for (unsigned i = 0; i < live->count; i++) {
        const struct ns_test *test = live->tests[i];

        if (test->at == first->at && test->kind == first->kind && is_case(test))
            return test; /* a second one would contradict it */
    }
    return NULL;
}

static struct ns_node *build(struct ns_match *match, struct live_rows rows);

/* Rows dealt out by the constant they want; those that want none (`open`) take part everywhere. */
struct deal {
    const struct ns_test **cases; /* each constant once, in order */
    unsigned count;
    const struct ns_test **wanted; /* of each row, or NULL */
    unsigned open;                 /* how many rows are open … */
    unsigned lead;                 /* … and how many rows stand in front of the first */
};

static struct deal deal_rows(struct ns_match *match, struct live_rows rows, const struct ns_test *first)
{
    struct nb_arena *arena = match->frame->unit->arena;
    struct deal deal = { .lead = rows.count };
    unsigned count = 0;

    match->work -= rows.count;
    deal.cases = nb_arena_array(arena, rows.count + 1, sizeof *deal.cases);
    deal.wanted = nb_arena_array(arena, rows.count + 1, sizeof *deal.wanted);
    for (unsigned i = 0; i < rows.count; i++) {
        deal.wanted[i] = case_of(&rows.items[i], first);
        if (deal.wanted[i] != NULL)
            deal.cases[count++] = deal.wanted[i];
        else if (deal.open++ == 0)
            deal.lead = i;
    }
    qsort(deal.cases, count, sizeof *deal.cases, compare_tests);
    for (unsigned i = 0; i < count; i++)
        if (deal.count == 0 || compare_cases(deal.cases[deal.count - 1], deal.cases[i]) != 0)
            deal.cases[deal.count++] = deal.cases[i];
    return deal;
}

static unsigned case_index(const struct deal *deal, const struct ns_test *wanted)
{
    unsigned low = 0, high = deal->count;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (compare_cases(deal->cases[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Into the branch of case `index` go its own rows and the open ones, in order. `own` lists row numbers by case,
 * `starts` where each case begins. */
static struct live_rows branch_rows(struct ns_match *match, struct live_rows rows, const struct deal *deal,
                                    unsigned index, const unsigned *own, unsigned own_count, const unsigned *open)
{
    struct live_rows left = { nb_arena_array(match->frame->unit->arena, own_count + deal->open + 1, sizeof *left.items),
                              0 };
    unsigned i = 0, k = 0;

    while (i < own_count || k < deal->open) {
        unsigned row = k >= deal->open || (i < own_count && own[i] < open[k]) ? own[i++] : open[k++];

        if (reduce(match, &rows.items[row], deal->cases[index], true, &left.items[left.count]))
            left.count++;
    }
    return left;
}

/* A branch for each constant; the open rows are what is left otherwise. */
static struct live_rows build_switch(struct ns_match *match, struct ns_node *node, struct live_rows rows,
                                     const struct deal *deal)
{
    struct nb_arena *arena = match->frame->unit->arena;
    unsigned *starts = nb_arena_array(arena, deal->count + 2, sizeof *starts);
    unsigned *own = nb_arena_array(arena, rows.count + 1, sizeof *own),
             *open = nb_arena_array(arena, deal->open + 1, sizeof *open);
    unsigned *indices = nb_arena_array(arena, rows.count + 1, sizeof *indices);
    struct live_rows left = { nb_arena_array(arena, deal->open + 1, sizeof *left.items), 0 };

    for (unsigned i = 0; i < rows.count; i++)
        if (deal->wanted[i] != NULL)
            starts[(indices[i] = case_index(deal, deal->wanted[i])) + 2]++;
    for (unsigned i = 2; i < deal->count + 2; i++)
        starts[i] += starts[i - 1];
    for (unsigned i = 0; i < rows.count; i++) {
        if (deal->wanted[i] != NULL) {
            own[starts[indices[i] + 1]++] = i;
        } else {
            open[left.count] = i;
            left.items[left.count++] = rows.items[i];
        }
    }
    node->kind = NS_NODE_SWITCH;
    node->tests = deal->cases;
    node->count = deal->count;
    node->cases = nb_arena_array(arena, deal->count + 1, sizeof *node->cases);
    for (unsigned i = 0; i < deal->count; i++)
        node->cases[i] =
            build(match, branch_rows(match, rows, deal, i, own + starts[i], starts[i + 1] - starts[i], open));
    return left;
}

/* One row by itself, the others after it. */
static struct ns_node *build_row(struct ns_match *match, const struct live_row *live)
{
    struct ns_node *node = new_node(match, NS_NODE_ROW);

    node->row = live->row;
    node->tests = live->tests;
    node->count = live->count;
    return node;
}

static struct ns_node *build(struct ns_match *match, struct live_rows rows)
{
    struct ns_node *root = NULL, **place = &root;

    while (rows.count > 0) {
        const struct live_row *first = &rows.items[0];
        struct deal deal;
        struct ns_node *node;

        if (first->count == 0) {
            *place = node = new_node(match, NS_NODE_LEAF);
            node->row = first->row;
            if (match->ways[first->row->way].guard == NULL)
                return root;
            rows = (struct live_rows){ rows.items + 1, rows.count - 1 };
        } else if (rows.count == 1 || match->work <= 0 || (match->budget <= 0 && !is_case(first->tests[0]))) {
            *place = node = build_row(match, first);
            rows = (struct live_rows){ rows.items + 1, rows.count - 1 };
        } else if (!is_case(first->tests[0])) {
            *place = node = new_node(match, NS_NODE_TEST);
            node->test = first->tests[0];
            node->yes = build(match, split_true(match, rows, node->test));
            rows = split_false(match, rows, node->test);
        } else {
            deal = deal_rows(match, rows, first->tests[0]);
            *place = node = new_node(match, NS_NODE_ELSE);
            node->test = first->tests[0];
            if (match->budget >= (long)deal.count * deal.open || deal.open == 0) {
                match->budget -= (long)deal.count * deal.open;
                rows = build_switch(match, node, rows, &deal);
            } else {
                node->yes = build(match, (struct live_rows){ rows.items, deal.lead });
                rows = (struct live_rows){ rows.items + deal.lead, rows.count - deal.lead };
            }
        }
        place = &node->no;
    }
    *place = new_node(match, NS_NODE_FAIL);
    return root;
}

static void add_lives(struct ns_match *match, struct live_rows *lives, const struct ns_rows *rows)
{
    for (size_t i = 0; i < rows->items.count; i++) {
        const struct ns_row *row = rows->items.items[i];
        const struct ns_test **tests = nb_arena_array(match->frame->unit->arena, row->tests.count + 1, sizeof *tests);

        for (size_t k = 0; k < row->tests.count; k++)
            tests[k] = &row->tests.items[k];
        lives->items[lives->count++] = (struct live_row){ row, tests, (unsigned)row->tests.count };
    }
}

struct ns_node *ns_pattern_tree(struct ns_match *match, const struct ns_rows *rows_of_ways)
{
    struct live_rows lives = { NULL, 0 };
    size_t rows = 0, tests = 0;

    for (unsigned i = 0; i < match->way_count; i++) {
        rows += rows_of_ways[i].items.count;
        for (size_t k = 0; k < rows_of_ways[i].items.count; k++)
            tests += rows_of_ways[i].items.items[k]->tests.count;
    }
    lives.items = nb_arena_array(match->frame->unit->arena, rows + 1, sizeof *lives.items);
    for (unsigned i = 0; i < match->way_count; i++)
        add_lives(match, &lives, &rows_of_ways[i]);
    match->budget = (long)(8 * (rows + tests) + 64);
    return build(match, lives);
}
