/*
 * pattern.c - choices between patterns, compiled to decision trees (01 §9, 02 §3.5).
 *
 * Each pattern is taken apart into a row: tests on occurrences (the value, its components, their components …) and
 * names that take the value of an occurrence. Or-patterns give several rows. The tree is built from the rows: the first
 * test of the first row decides; in either branch the tests it answers for other rows are dropped, or the rows
 * themselves. So no path asks twice. Rows that compare the same place with constants are dealt out to as many branches
 * at once. Where the tree would grow out of proportion (rows copied into many branches again and again), the leading
 * rows get a tree of their own, and what they miss goes on to the rest.
 *
 * An occurrence is loaded into its register when first needed on a path. A way that is reached by one leaf has its body
 * there; otherwise its names get registers of their own and the body follows behind the tree.
 */
#include "config.h"

#include "lang/lower.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/intern.h"

enum {
    ROWS_MAX = 4096,    /* of one way, by or-patterns */
    TESTS_MAX = 2000,   /* of one row; bounds recursion */
    SWITCH_LEAST = 4,   /* constants for which a table pays … */
    SWITCH_MOST = 20000, /* … and how many one may have */
    WORK_MAX = 20000000 /* rows that are looked at for one match; bounds the time it takes */
};

enum how { HOW_GIVEN, HOW_AT, HOW_LIST_AT, HOW_DROP, HOW_FIELD, HOW_KEY, HOW_REST };

/* A part of a value. */
struct occurrence {
    unsigned parent;  /* index; itself for given ones */
    enum how how;
    uint64_t which;   /* position, count, name id, prefix; key: index of its test's identity */
    unsigned reg;
    bool loaded;      /* on the path being emitted */
};

enum test_kind {
    TEST_IS,     /* the very word `value` */
    TEST_CONST,  /* equals the immortal `value` */
    TEST_LOCAL,  /* equals what `name` holds */
    TEST_SAME,   /* equals the occurrence `number` */
    TEST_RANGE,  /* an Int from..to, both included */
    TEST_TUPLE,  /* a tuple of `number` */
    TEST_CTOR,   /* constructor `number` */
    TEST_EXACT,  /* a list of `number` elements */
    TEST_LEAST,  /* a list of at least `number` elements */
    TEST_PREFIX, /* a String that starts with `value` */
    TEST_CLASS,  /* of class `number` */
    TEST_FIELD,  /* a record with a field of name id `number`, whose value is occurrence `found` */
    TEST_KEY     /* a map or set with key `value` (or what `name` holds); its value is occurrence `found` */
};

struct test {
    enum test_kind kind;
    unsigned at;       /* occurrence */
    uint64_t number;
    vm_value value;
    int64_t from, to;
    const char *name;
    struct ns_span span;
    unsigned found;
};

struct binding { const char *name; unsigned at; struct ns_local *variable; };

struct row {
    NB_VEC(struct test) tests;
    NB_VEC(struct binding) bindings;
    unsigned way;
};

struct rows { NB_VEC(struct row *) items; };

/* A row while the tree is built: what is still to be asked. */
struct live { const struct row *row; const struct test **tests; unsigned count; };

enum node_kind { NODE_FAIL, NODE_LEAF, NODE_TEST, NODE_ROW, NODE_SWITCH, NODE_ELSE };

struct node {
    enum node_kind kind;
    const struct row *row;            /* LEAF, ROW */
    const struct test *test;          /* TEST, SWITCH */
    const struct test **tests;        /* ROW: all in order; SWITCH: one per case */
    unsigned count;
    struct node *yes, *no; /* TEST; `no`: after a failed guard, for what is left otherwise. ELSE: what `yes` misses */
    struct node **cases;              /* SWITCH; `no` is the rest */
};

struct way_state {
    unsigned leaves;
    ns_mark label;
    const struct row *first;          /* names of the way, in order */
    unsigned registers;               /* first of the names', when several leaves lead here */
};

struct match {
    struct ns_frame *frame;
    NB_VEC(struct occurrence) occurrences;
    NB_VEC(unsigned) trail;           /* loaded occurrences */
    const struct ns_way *ways;
    struct way_state *states;
    unsigned way_count;
    long budget;                      /* nodes that may still be made before rows are tried one by one */
    long work;                        /* rows that may still be looked at before that */
    bool too_large;                   /* reported: there is nothing to be made of it */
    ns_mark miss;
};

bool ns_is_name_pattern(const struct ns_pattern *pattern)
{
    return pattern->kind == NS_PATTERN_NAME;
}

/* ---- rows from patterns ---- */

static unsigned occurrence(struct match *match, unsigned parent, enum how how, uint64_t which)
{
    for (size_t i = parent + 1; i < match->occurrences.count; i++) {
        const struct occurrence *known = &match->occurrences.items[i];

        if (known->parent == parent && known->how == how && known->which == which)
            return (unsigned)i;
    }
    ns_push(match->frame->unit, &match->occurrences,
            ((struct occurrence){ parent, how, which, ns_code_take(&match->frame->code, 1), false }));
    return (unsigned)match->occurrences.count - 1;
}

static void add_test(struct match *match, struct rows *rows, struct test test)
{
    for (size_t i = 0; i < rows->items.count; i++) {
        struct row *row = rows->items.items[i];

        if (row->tests.count == TESTS_MAX) {
            ns_report(match->frame->unit, test.span, "pattern has more than %d parts", TESTS_MAX);
            match->too_large = true;
            return;
        }
        ns_push(match->frame->unit, &row->tests, test);
    }
}

static struct row *copy_row(struct match *match, const struct row *row)
{
    struct row *copy = nb_arena_alloc(match->frame->unit->arena, sizeof *copy);

    copy->way = row->way;
    for (size_t i = 0; i < row->tests.count; i++)
        ns_push(match->frame->unit, &copy->tests, row->tests.items[i]);
    for (size_t i = 0; i < row->bindings.count; i++)
        ns_push(match->frame->unit, &copy->bindings, row->bindings.items[i]);
    return copy;
}

static struct rows copy_rows(struct match *match, const struct rows *rows)
{
    struct rows copy = { NB_VEC_INIT };

    for (size_t i = 0; i < rows->items.count; i++)
        ns_push(match->frame->unit, &copy.items, copy_row(match, rows->items.items[i]));
    return copy;
}

static void append_rows(struct match *match, struct rows *rows, const struct rows *more)
{
    for (size_t i = 0; i < more->items.count; i++)
        ns_push(match->frame->unit, &rows->items, more->items.items[i]);
}

static void add_pattern(struct match *match, struct rows *rows, unsigned at, const struct ns_pattern *pattern);

/* Each of several ways to read a pattern gets its copy of the rows. `read` adds number `i` of them. */
static void alternatives(struct match *match, struct rows *rows, unsigned count, struct ns_span span,
                         void (*read)(struct match *, struct rows *, unsigned, const void *, unsigned), unsigned at,
                         const void *context)
{
    struct rows original = *rows, all = { NB_VEC_INIT };

    if (count > 1 && original.items.count * count > ROWS_MAX) {
        ns_report(match->frame->unit, span, "pattern has more than %d alternatives", ROWS_MAX);
        match->too_large = true;
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        struct rows copy = i + 1 < count ? copy_rows(match, &original) : original;

        read(match, &copy, at, context, i);
        append_rows(match, &all, &copy);
    }
    *rows = all;
}

static void read_or(struct match *match, struct rows *rows, unsigned at, const void *context, unsigned i)
{
    const struct ns_pattern *pattern = context;

    add_pattern(match, rows, at, pattern->items.items[i]);
}

static const struct binding *find_binding(const struct row *row, const char *name)
{
    for (size_t i = 0; i < row->bindings.count; i++)
        if (row->bindings.items[i].name == name)
            return &row->bindings.items[i];
    return NULL;
}

/* A name: equality with what it holds, an assignment, or a new name (01 §9.2). */
static void add_name(struct match *match, struct rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    struct ns_local *local = ns_local_find(match->frame, pattern->name);
    bool own = local != NULL && ns_local_is_own(match->frame, local) && local->functions == NULL;

    for (size_t i = 0; i < rows->items.count; i++) {
        struct row *row = rows->items.items[i];
        const struct binding *earlier = find_binding(row, pattern->name);
        struct test test = { .at = at, .name = pattern->name, .span = pattern->span };

        if (earlier != NULL && earlier->variable == NULL) {
            test.kind = TEST_SAME;
            test.number = earlier->at;
            ns_push(match->frame->unit, &row->tests, test);
        } else if (own && !local->is_var) {
            test.kind = TEST_LOCAL;
            ns_push(match->frame->unit, &row->tests, test);
        } else {
            ns_push(match->frame->unit, &row->bindings, ((struct binding){ pattern->name, at, own ? local : NULL }));
        }
    }
}

static void add_literal(struct match *match, struct rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    vm_value value = ns_literal_value(match->frame->unit, &pattern->literal);
    bool word = !vm_is_object(value) && !vm_is_flonum(value) && !vm_is_sort(value, VM_SORT_FLOAT32);

    add_test(match, rows,
             (struct test){ .kind = word ? TEST_IS : TEST_CONST, .at = at, .value = value, .span = pattern->span });
}

static void add_range(struct match *match, struct rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    struct test test = {
        .kind = TEST_RANGE, .at = at, .from = pattern->range.from, .to = pattern->range.to, .span = pattern->span
    };

    if (!pattern->range.inclusive) {
        if (test.to == INT64_MIN) { /* nothing lies below it: an empty range */
            test.from = INT64_MAX;
            test.to = INT64_MIN + 1;
        }
        test.to--;
    }
    add_test(match, rows, test);
}

static void add_tuple(struct match *match, struct rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    add_test(match, rows,
             (struct test){ .kind = TEST_TUPLE, .at = at, .number = pattern->items.count, .span = pattern->span });
    for (uint32_t i = 0; i < pattern->items.count; i++)
        if (pattern->items.items[i]->kind != NS_PATTERN_WILDCARD)
            add_pattern(match, rows, occurrence(match, at, HOW_AT, i), pattern->items.items[i]);
}

static void read_as_list(struct match *match, struct rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    uint32_t count = pattern->list.items.count;
    const struct ns_pattern *rest = pattern->list.rest;

    add_test(match, rows,
             (struct test){
                 .kind = rest == NULL ? TEST_EXACT : TEST_LEAST, .at = at, .number = count, .span = pattern->span });
    for (uint32_t i = 0; i < count; i++)
        if (pattern->list.items.items[i]->kind != NS_PATTERN_WILDCARD)
            add_pattern(match, rows, occurrence(match, at, HOW_LIST_AT, i), pattern->list.items.items[i]);
    if (rest != NULL && rest->kind != NS_PATTERN_WILDCARD)
        add_pattern(match, rows, occurrence(match, at, HOW_DROP, count), rest);
}

static bool is_prefix_pattern(const struct ns_pattern *pattern)
{
    if (pattern->list.rest == NULL || pattern->list.items.count == 0)
        return false;
    for (uint32_t i = 0; i < pattern->list.items.count; i++) {
        const struct ns_pattern *item = pattern->list.items.items[i];

        if (item->kind != NS_PATTERN_LITERAL || item->literal.kind != NS_LITERAL_STRING)
            return false;
    }
    return true;
}

static vm_value joined_literals(struct match *match, const struct ns_pattern_list *items)
{
    struct nb_buf text = NB_BUF_INIT;
    vm_value value;

    for (uint32_t i = 0; i < items->count; i++)
        nb_buf_append(&text, items->items[i]->literal.text, items->items[i]->literal.length);
    value = ns_string_value(match->frame->unit, nb_buf_cstr(&text), text.length);
    nb_buf_done(&text);
    return value;
}

/* ["ab" | rest]: on a String the prefix, on a List its elements. */
static void read_prefix(struct match *match, struct rows *rows, unsigned at, const void *context, unsigned i)
{
    const struct ns_pattern *pattern = context;
    vm_value prefix;

    if (i == 1) {
        read_as_list(match, rows, at, pattern);
        return;
    }
    prefix = joined_literals(match, &pattern->list.items);
    add_test(match, rows, (struct test){ .kind = TEST_PREFIX, .at = at, .value = prefix, .span = pattern->span });
    if (pattern->list.rest->kind != NS_PATTERN_WILDCARD)
        add_pattern(match, rows, occurrence(match, at, HOW_REST, prefix), pattern->list.rest);
}

static void add_list(struct match *match, struct rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    if (is_prefix_pattern(pattern))
        alternatives(match, rows, 2, pattern->span, read_prefix, at, pattern);
    else
        read_as_list(match, rows, at, pattern);
}

/* ---- constructors ---- */

struct readings { const struct ns_pattern *pattern; struct ns_constructor_info **items; unsigned count; };

static int field_position(const struct ns_constructor_info *constructor, const char *name)
{
    for (uint32_t i = 0; i < constructor->fields->count; i++)
        if (constructor->fields->items[i].name.text == name)
            return (int)i;
    return -1;
}

static bool fits(const struct ns_constructor_info *constructor, const struct ns_pattern *pattern)
{
    uint32_t items = pattern->constructor.items.count;

    for (uint32_t i = 0; i < pattern->constructor.fields.count; i++)
        if (field_position(constructor, pattern->constructor.fields.items[i].name.text) < 0)
            return false;
    return items == 0 || items == constructor->fields->count;
}

static void read_constructor(struct match *match, struct rows *rows, unsigned at, const void *context, unsigned i)
{
    const struct readings *readings = context;
    const struct ns_constructor_info *constructor = readings->items[i];
    const struct ns_pattern *pattern = readings->pattern;

    add_test(match, rows,
             (struct test){ .kind = TEST_CTOR, .at = at, .number = constructor->number, .span = pattern->span });
    for (uint32_t k = 0; k < pattern->constructor.items.count; k++)
        if (pattern->constructor.items.items[k]->kind != NS_PATTERN_WILDCARD)
            add_pattern(match, rows, occurrence(match, at, HOW_AT, k), pattern->constructor.items.items[k]);
    for (uint32_t k = 0; k < pattern->constructor.fields.count; k++) {
        const struct ns_field_pattern *field = &pattern->constructor.fields.items[k];

        add_pattern(match, rows, occurrence(match, at, HOW_AT, (unsigned)field_position(constructor, field->name.text)),
                    field->pattern);
    }
}

/* No constructor of that name takes what the pattern says. */
static void report_misfit(struct match *match, const struct ns_pattern *pattern, const struct ns_constructors *all)
{
    const struct ns_constructor_info *some = all->items.items[all->items.count - 1];

    for (uint32_t i = 0; i < pattern->constructor.fields.count; i++)
        if (field_position(some, pattern->constructor.fields.items[i].name.text) < 0) {
            ns_report(match->frame->unit, pattern->constructor.fields.items[i].name.span,
                      "unknown field `%s` for %s `%s`", pattern->constructor.fields.items[i].name.text,
                      some->is_record ? "record" : "constructor", some->name);
            return;
        }
    ns_report(match->frame->unit, pattern->span, "Wrong number of arguments: expected %u, found %u",
              some->fields->count, pattern->constructor.items.count);
}

static bool is_visible(const struct match *match, const struct ns_constructor_info *constructor)
{
    return constructor->type->is_public || ns_is_inside(match->frame->space, constructor->type->space);
}

static void add_constructor(struct match *match, struct rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    struct ns_unit *unit = match->frame->unit;
    const char *name = pattern->constructor.name;
    const struct ns_constructors *all;
    struct readings readings = { .pattern = pattern };
    bool visible = false;

    if (strcmp(name, "Self") == 0 && match->frame->self_type != NULL)
        name = match->frame->self_type->name;
    all = ns_all_constructors(unit, match->frame->space, name);
    if (all == NULL) {
        ns_report(unit, pattern->span, "unknown type `%s`", name);
        return;
    }
    readings.items = nb_arena_array(unit->arena, all->items.count, sizeof *readings.items);
    for (size_t i = all->items.count; i-- > 0;)
        if (fits(all->items.items[i], pattern)) {
            readings.items[readings.count++] = all->items.items[i];
            visible = visible || is_visible(match, all->items.items[i]);
        }
    if (readings.count == 0) {
        report_misfit(match, pattern, all);
        return;
    }
    if (!visible)
        ns_report(unit, pattern->span, "type `%s` is private in module `%s`", readings.items[0]->type->name,
                  readings.items[0]->type->space->path);
    alternatives(match, rows, readings.count, pattern->span, read_constructor, at, &readings);
}

static void add_record(struct match *match, struct rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    for (uint32_t i = 0; i < pattern->constructor.fields.count; i++) {
        const struct ns_field_pattern *field = &pattern->constructor.fields.items[i];
        uint32_t id = nb_intern_id(field->name.text);
        unsigned found = occurrence(match, at, HOW_FIELD, id);

        add_test(match, rows,
                 (struct test){ .kind = TEST_FIELD, .at = at, .number = id, .found = found, .span = field->name.span });
        add_pattern(match, rows, found, field->pattern);
    }
}

/* ---- maps and sets ---- */

/* Keys are told apart by their constant, or by the pinned variable's name. */
static void add_key(struct match *match, struct rows *rows, unsigned at, const struct ns_pattern *key,
                    const struct ns_pattern *value)
{
    struct test test = { .kind = TEST_KEY, .at = at, .span = key->span };

    if (key->kind == NS_PATTERN_LITERAL)
        test.value = ns_literal_value(match->frame->unit, &key->literal);
    else
        test.name = key->name;
    test.found = occurrence(match, at, HOW_KEY, test.name != NULL ? (uint64_t)(uintptr_t)test.name : test.value);
    add_test(match, rows, test);
    if (value != NULL && value->kind != NS_PATTERN_WILDCARD)
        add_pattern(match, rows, test.found, value);
}

static void add_map(struct match *match, struct rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    add_test(match, rows, (struct test){ .kind = TEST_CLASS, .at = at, .number = VM_CLASS_MAP, .span = pattern->span });
    for (uint32_t i = 0; i < pattern->map.count; i++)
        add_key(match, rows, at, pattern->map.items[i].key, pattern->map.items[i].value);
}

static void add_set(struct match *match, struct rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    add_test(match, rows, (struct test){ .kind = TEST_CLASS, .at = at, .number = VM_CLASS_SET, .span = pattern->span });
    for (uint32_t i = 0; i < pattern->items.count; i++) {
        const struct ns_pattern *item = pattern->items.items[i];

        if (item->kind == NS_PATTERN_LITERAL || item->kind == NS_PATTERN_PIN)
            add_key(match, rows, at, item, NULL);
        else
            ns_report(match->frame->unit, item->span,
                      "invalid pattern in Set patterns only support literals and pinned variables");
    }
}

static void add_pattern(struct match *match, struct rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    if (match->too_large)
        return;
    switch (pattern->kind) {
    case NS_PATTERN_WILDCARD:
        break;
    case NS_PATTERN_NAME:
        add_name(match, rows, at, pattern);
        break;
    case NS_PATTERN_LITERAL:
        add_literal(match, rows, at, pattern);
        break;
    case NS_PATTERN_RANGE:
        add_range(match, rows, at, pattern);
        break;
    case NS_PATTERN_TUPLE:
        add_tuple(match, rows, at, pattern);
        break;
    case NS_PATTERN_LIST:
        add_list(match, rows, at, pattern);
        break;
    case NS_PATTERN_CONSTRUCTOR:
        add_constructor(match, rows, at, pattern);
        break;
    case NS_PATTERN_RECORD:
        add_record(match, rows, at, pattern);
        break;
    case NS_PATTERN_MAP:
        add_map(match, rows, at, pattern);
        break;
    case NS_PATTERN_SET:
        add_set(match, rows, at, pattern);
        break;
    case NS_PATTERN_PIN:
        add_test(match, rows,
                 (struct test){ .kind = TEST_LOCAL, .at = at, .name = pattern->name, .span = pattern->span });
        break;
    case NS_PATTERN_OR:
        alternatives(match, rows, pattern->items.count, pattern->span, read_or, at, pattern);
        break;
    }
}

/* ---- what one test says about another ---- */

enum answer { ANSWER_OPEN, ANSWER_YES, ANSWER_NO };

/* Kinds of values that exclude each other. */
enum family { FAMILY_ANY, FAMILY_SCALAR, FAMILY_TUPLE, FAMILY_CTOR, FAMILY_LIST, FAMILY_STRING, FAMILY_CLASS };

static enum family family(const struct test *test)
{
    switch (test->kind) {
    case TEST_IS:
    case TEST_RANGE:
        return FAMILY_SCALAR;
    case TEST_TUPLE:
        return FAMILY_TUPLE;
    case TEST_CTOR:
        return FAMILY_CTOR;
    case TEST_EXACT:
    case TEST_LEAST:
        return FAMILY_LIST;
    case TEST_PREFIX:
        return FAMILY_STRING;
    case TEST_CLASS:
        return FAMILY_CLASS;
    default:
        return FAMILY_ANY;
    }
}

static bool same_test(const struct test *a, const struct test *b)
{
    if (a->kind != b->kind || a->at != b->at)
        return false;
    switch (a->kind) {
    case TEST_IS:
    case TEST_CONST:
    case TEST_PREFIX:
        return a->value == b->value;
    case TEST_LOCAL:
        return a->name == b->name;
    case TEST_RANGE:
        return a->from == b->from && a->to == b->to;
    case TEST_KEY:
        return a->found == b->found;
    default:
        return a->number == b->number;
    }
}

static bool in_range(const struct test *range, vm_value value)
{
    return vm_is_small(value) && vm_small(value) >= range->from && vm_small(value) <= range->to;
}

static bool starts_with(vm_value text, vm_value prefix)
{
    uint32_t length = vm_size(prefix);

    return vm_size(text) >= length && memcmp(vm_object(text) + 1, vm_object(prefix) + 1, length) == 0;
}

/* `known` holds, both are about lists. */
static enum answer list_answer(const struct test *known, const struct test *asked)
{
    if (known->kind == TEST_EXACT) {
        if (asked->kind == TEST_EXACT)
            return known->number == asked->number ? ANSWER_YES : ANSWER_NO;
        return known->number >= asked->number ? ANSWER_YES : ANSWER_NO;
    }
    if (asked->kind == TEST_LEAST)
        return known->number >= asked->number ? ANSWER_YES : ANSWER_OPEN;
    return asked->number < known->number ? ANSWER_NO : ANSWER_OPEN;
}

static enum answer scalar_answer(const struct test *known, const struct test *asked)
{
    if (known->kind == TEST_IS && asked->kind == TEST_IS)
        return ANSWER_NO;
    if (known->kind == TEST_IS)
        return in_range(asked, known->value) ? ANSWER_YES : ANSWER_NO;
    if (asked->kind == TEST_IS)
        return in_range(known, asked->value) ? ANSWER_OPEN : ANSWER_NO;
    if (asked->from <= known->from && asked->to >= known->to)
        return ANSWER_YES;
    return asked->to < known->from || asked->from > known->to ? ANSWER_NO : ANSWER_OPEN;
}

static enum answer when_true(const struct test *known, const struct test *asked)
{
    if (known->at != asked->at)
        return ANSWER_OPEN;
    if (same_test(known, asked))
        return ANSWER_YES;
    if (family(known) == FAMILY_ANY || family(asked) == FAMILY_ANY)
        return ANSWER_OPEN;
    if (family(known) != family(asked))
        return ANSWER_NO;
    switch (family(known)) {
    case FAMILY_LIST:
        return list_answer(known, asked);
    case FAMILY_SCALAR:
        return scalar_answer(known, asked);
    case FAMILY_STRING:
        return starts_with(known->value, asked->value) ? ANSWER_YES : ANSWER_OPEN;
    default:
        return ANSWER_NO; /* another arity, constructor, class */
    }
}

/* `known` does not hold: may `asked`? */
static enum answer when_false(const struct test *known, const struct test *asked)
{
    if (known->at != asked->at)
        return ANSWER_OPEN;
    if (same_test(known, asked))
        return ANSWER_NO;
    if (known->kind == TEST_LEAST && family(asked) == FAMILY_LIST)
        return asked->number >= known->number ? ANSWER_NO : ANSWER_OPEN;
    if (known->kind == TEST_RANGE && asked->kind == TEST_IS)
        return in_range(known, asked->value) ? ANSWER_NO : ANSWER_OPEN;
    if (known->kind == TEST_RANGE && asked->kind == TEST_RANGE)
        return asked->from >= known->from && asked->to <= known->to ? ANSWER_NO : ANSWER_OPEN;
    if (known->kind == TEST_PREFIX && asked->kind == TEST_PREFIX)
        return starts_with(asked->value, known->value) ? ANSWER_NO : ANSWER_OPEN;
    return ANSWER_OPEN;
}

/* ---- the tree ---- */

static struct node *new_node(struct match *match, enum node_kind kind)
{
    struct node *node = nb_arena_alloc(match->frame->unit->arena, sizeof *node);

    node->kind = kind;
    match->budget--;
    return node;
}

/* The row without the tests that are answered; false when it is out. */
static bool reduce(struct match *match, const struct live *from, const struct test *known, bool holds, struct live *ret)
{
    const struct test **kept = NULL;
    unsigned count = 0;

    *ret = *from;
    for (unsigned i = 0; i < from->count; i++) {
        enum answer answer = (holds ? when_true : when_false)(known, from->tests[i]);

        if (answer == ANSWER_NO)
            return false;
        if (answer == ANSWER_YES && kept == NULL) {
            kept = nb_arena_array(match->frame->unit->arena, from->count, sizeof *kept);
            memcpy(kept, from->tests, i * sizeof *kept);
            count = i;
        } else if (answer == ANSWER_OPEN && kept != NULL) {
            kept[count++] = from->tests[i];
        }
    }
    if (kept != NULL) {
        ret->tests = kept;
        ret->count = count;
    }
    return true;
}

struct lives { struct live *items; unsigned count; };

/* The rows that are still possible when the test holds, in an array of their own. */
static struct lives split_true(struct match *match, struct lives rows, const struct test *known)
{
    struct live *possible = nb_xalloc_array(rows.count, sizeof *possible);
    struct lives left = { NULL, 0 };

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
static struct lives split_false(struct match *match, struct lives rows, const struct test *known)
{
    unsigned count = 0;

    match->work -= rows.count;
    for (unsigned i = 0; i < rows.count; i++) {
        struct live reduced;

        if (reduce(match, &rows.items[i], known, false, &reduced))
            rows.items[count++] = reduced;
    }
    return (struct lives){ rows.items, count };
}

static bool has_guard(const struct match *match, const struct row *row)
{
    return match->ways[row->way].guard != NULL;
}

/* Whether a test compares with a constant such that two different ones exclude each other. */
static bool is_case(const struct test *test)
{
    return test->kind == TEST_CTOR || test->kind == TEST_IS ||
           (test->kind == TEST_CONST && vm_is_kind(test->value, VM_KIND_STRING));
}

static int compare_cases(const struct test *a, const struct test *b)
{
    uint32_t length;
    int order;

    if (a->kind == TEST_CTOR)
        return (a->number > b->number) - (a->number < b->number);
    if (a->kind == TEST_IS)
        return ((int64_t)a->value > (int64_t)b->value) - ((int64_t)a->value < (int64_t)b->value);
    length = vm_size(a->value) < vm_size(b->value) ? vm_size(a->value) : vm_size(b->value);
    order = memcmp(vm_object(a->value) + 1, vm_object(b->value) + 1, length);
    return order != 0 ? order : (vm_size(a->value) > vm_size(b->value)) - (vm_size(a->value) < vm_size(b->value));
}

static int compare_tests(const void *left, const void *right)
{
    return compare_cases(*(const struct test *const *)left, *(const struct test *const *)right);
}

/* The row's comparison of the same place with a constant of the same sort, or NULL. */
static const struct test *case_of(const struct live *live, const struct test *first)
{
    for (unsigned i = 0; i < live->count; i++) {
        const struct test *test = live->tests[i];

        if (test->at == first->at && test->kind == first->kind && is_case(test))
            return test; /* a second one would contradict it */
    }
    return NULL;
}

static struct node *build(struct match *match, struct lives rows);

/* Rows dealt out by the constant they want; those that want none (`open`) take part everywhere. */
struct deal {
    const struct test **cases;  /* each constant once, in order */
    unsigned count;
    const struct test **wanted; /* of each row, or NULL */
    unsigned open;              /* how many rows are open … */
    unsigned lead;              /* … and how many rows stand in front of the first */
};

static struct deal deal_rows(struct match *match, struct lives rows, const struct test *first)
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

static unsigned case_index(const struct deal *deal, const struct test *wanted)
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
static struct lives branch_rows(struct match *match, struct lives rows, const struct deal *deal, unsigned index,
                                const unsigned *own, unsigned own_count, const unsigned *open)
{
    struct lives left = { nb_arena_array(match->frame->unit->arena, own_count + deal->open + 1, sizeof *left.items),
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
static struct lives build_switch(struct match *match, struct node *node, struct lives rows, const struct deal *deal)
{
    struct nb_arena *arena = match->frame->unit->arena;
    unsigned *starts = nb_arena_array(arena, deal->count + 2, sizeof *starts);
    unsigned *own = nb_arena_array(arena, rows.count + 1, sizeof *own),
             *open = nb_arena_array(arena, deal->open + 1, sizeof *open);
    unsigned *indices = nb_arena_array(arena, rows.count + 1, sizeof *indices);
    struct lives left = { nb_arena_array(arena, deal->open + 1, sizeof *left.items), 0 };

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
    node->kind = NODE_SWITCH;
    node->tests = deal->cases;
    node->count = deal->count;
    node->cases = nb_arena_array(arena, deal->count + 1, sizeof *node->cases);
    for (unsigned i = 0; i < deal->count; i++)
        node->cases[i] =
            build(match, branch_rows(match, rows, deal, i, own + starts[i], starts[i + 1] - starts[i], open));
    return left;
}

/* One row by itself, the others after it. */
static struct node *build_row(struct match *match, const struct live *live)
{
    struct node *node = new_node(match, NODE_ROW);

    node->row = live->row;
    node->tests = live->tests;
    node->count = live->count;
    return node;
}

static struct node *build(struct match *match, struct lives rows)
{
    struct node *root = NULL, **place = &root;

    while (rows.count > 0) {
        const struct live *first = &rows.items[0];
        struct deal deal;
        struct node *node;

        if (first->count == 0) {
            *place = node = new_node(match, NODE_LEAF);
            node->row = first->row;
            if (!has_guard(match, first->row))
                return root;
            rows = (struct lives){ rows.items + 1, rows.count - 1 };
        } else if (rows.count == 1 || match->work <= 0 || (match->budget <= 0 && !is_case(first->tests[0]))) {
            *place = node = build_row(match, first);
            rows = (struct lives){ rows.items + 1, rows.count - 1 };
        } else if (!is_case(first->tests[0])) {
            *place = node = new_node(match, NODE_TEST);
            node->test = first->tests[0];
            node->yes = build(match, split_true(match, rows, node->test));
            rows = split_false(match, rows, node->test);
        } else {
            deal = deal_rows(match, rows, first->tests[0]);
            *place = node = new_node(match, NODE_ELSE);
            node->test = first->tests[0];
            if (match->budget >= (long)deal.count * deal.open || deal.open == 0) {
                match->budget -= (long)deal.count * deal.open;
                rows = build_switch(match, node, rows, &deal);
            } else {
                node->yes = build(match, (struct lives){ rows.items, deal.lead });
                rows = (struct lives){ rows.items + deal.lead, rows.count - deal.lead };
            }
        }
        place = &node->no;
    }
    *place = new_node(match, NODE_FAIL);
    return root;
}

static void count_leaves(struct match *match, const struct node *node)
{
    for (; node != NULL; node = node->no) {
        if (node->kind == NODE_LEAF || node->kind == NODE_ROW)
            match->states[node->row->way].leaves++;
        else if (node->kind == NODE_TEST || node->kind == NODE_ELSE)
            count_leaves(match, node->yes);
        for (unsigned i = 0; node->kind == NODE_SWITCH && i < node->count; i++)
            count_leaves(match, node->cases[i]);
    }
}

/* ---- emitting ---- */

static void forget(struct match *match, size_t mark)
{
    while (match->trail.count > mark)
        match->occurrences.items[nb_vec_pop(&match->trail)].loaded = false;
}

static void mark_loaded(struct match *match, unsigned at)
{
    match->occurrences.items[at].loaded = true;
    ns_push(match->frame->unit, &match->trail, at);
}

static void emit_load(struct match *match, const struct occurrence *part, unsigned from)
{
    struct ns_code *code = &match->frame->code;

    switch (part->how) {
    case HOW_AT:
        ns_code_abc(code, VM_OP_AT, part->reg, from, (unsigned)part->which);
        break;
    case HOW_LIST_AT:
        if (part->which == 0)
            ns_code_abc(code, VM_OP_HEAD, part->reg, from, 0);
        else
            ns_code_abc(code, VM_OP_LIST_AT, part->reg, from, (unsigned)part->which);
        break;
    case HOW_DROP:
        if (part->which == 1)
            ns_code_abc(code, VM_OP_TAIL, part->reg, from, 0);
        else
            ns_code_abc(code, VM_OP_DROP, part->reg, from, (unsigned)part->which);
        break;
    case HOW_REST:
        ns_code_abc_w(code, VM_OP_REST, part->reg, from, 0, part->which);
        break;
    case HOW_GIVEN:
    case HOW_FIELD: /* loaded by the test that finds them */
    case HOW_KEY:
        nb_unreachable();
    }
}

/* The register of an occurrence, loaded. */
static unsigned load(struct match *match, unsigned at)
{
    struct occurrence *part = &match->occurrences.items[at];

    if (part->how != HOW_GIVEN && !part->loaded) {
        emit_load(match, part, load(match, part->parent));
        mark_loaded(match, at);
    }
    return part->reg;
}

/* What a name holds, for comparing with it. */
static unsigned read_name(struct match *match, const char *name, struct ns_span span)
{
    struct ns_expr expr = { .kind = NS_EXPR_NAME, .span = span };

    expr.name = name;
    return ns_operand(match->frame, &expr);
}

static void emit_key(struct match *match, const struct test *test, unsigned map, ns_mark no)
{
    struct ns_code *code = &match->frame->code;
    unsigned saved = code->next, key;
    unsigned found = match->occurrences.items[test->found].reg;
    ns_mark there = ns_code_label(code);

    if (test->name != NULL) {
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

static void emit_field(struct match *match, const struct test *test, unsigned record, ns_mark no)
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

static void emit_equal(struct match *match, unsigned reg, unsigned other, ns_mark no)
{
    ns_code_jump_w(&match->frame->code, VM_OP_UNLESS_EQUAL, reg, no, other);
}

static void emit_list_test(struct match *match, const struct test *test, unsigned reg, ns_mark no)
{
    struct ns_code *code = &match->frame->code;

    if (test->kind == TEST_EXACT && test->number == 0)
        ns_code_jump_w(code, VM_OP_UNLESS_IS, reg, no, VM_NIL);
    else if (test->kind == TEST_EXACT)
        ns_code_jump_w(code, VM_OP_UNLESS_LENGTH, reg, no, test->number);
    else if (test->number == 1)
        ns_code_jump(code, VM_OP_UNLESS_LIST, reg, no);
    else
        ns_code_jump_w(code, VM_OP_UNLESS_LENGTH_MIN, reg, no, test->number);
}

/* Go on if the test holds, else to `no`. */
static void emit_test(struct match *match, const struct test *test, ns_mark no)
{
    struct ns_code *code = &match->frame->code;
    unsigned reg = load(match, test->at), saved = code->next;

    switch (test->kind) {
    case TEST_IS:
        ns_code_jump_w(code, VM_OP_UNLESS_IS, reg, no, test->value);
        break;
    case TEST_CONST:
        ns_code_jump_w(code, VM_OP_UNLESS_CONST, reg, no, test->value);
        break;
    case TEST_LOCAL:
        emit_equal(match, reg, read_name(match, test->name, test->span), no);
        break;
    case TEST_SAME:
        emit_equal(match, reg, load(match, (unsigned)test->number), no);
        break;
    case TEST_RANGE:
        ns_code_jump_w2(code, VM_OP_UNLESS_RANGE, reg, no, (uint64_t)test->from, (uint64_t)test->to);
        break;
    case TEST_TUPLE:
        ns_code_jump_w(code, VM_OP_UNLESS_TUPLE, reg, no, test->number);
        break;
    case TEST_CTOR:
        ns_code_jump_w(code, VM_OP_UNLESS_CTOR, reg, no, test->number);
        break;
    case TEST_EXACT:
    case TEST_LEAST:
        emit_list_test(match, test, reg, no);
        break;
    case TEST_PREFIX:
        ns_code_jump_w(code, VM_OP_UNLESS_PREFIX, reg, no, test->value);
        break;
    case TEST_CLASS:
        ns_code_jump_w(code, VM_OP_UNLESS_CLASS, reg, no, test->number);
        break;
    case TEST_FIELD:
        emit_field(match, test, reg, no);
        break;
    case TEST_KEY:
        emit_key(match, test, reg, no);
        break;
    }
    code->next = saved;
}

/* Names of the way in the order of its first row; where this row finds the value, -1 when it does not bind it. */
static int position_in(const struct row *row, const char *name)
{
    for (size_t i = 0; i < row->bindings.count; i++)
        if (row->bindings.items[i].name == name)
            return (int)row->bindings.items[i].at;
    return -1;
}

static void emit_guard(struct match *match, const struct row *row, const unsigned *registers, ns_mark no)
{
    struct ns_frame *frame = match->frame;
    const struct row *names = match->states[row->way].first;
    struct ns_scope scope = ns_scope_begin(frame);

    for (size_t i = 0; i < names->bindings.count; i++)
        ns_local_add(frame, names->bindings.items[i].name, registers[i]);
    ns_condition(frame, match->ways[row->way].guard, no);
    ns_scope_end(frame, scope);
}

static void emit_body(struct match *match, unsigned way, const unsigned *registers)
{
    struct ns_frame *frame = match->frame;
    const struct row *names = match->states[way].first;
    struct ns_scope scope = ns_scope_begin(frame);

    for (size_t i = 0; i < names->bindings.count; i++) {
        const struct binding *binding = &names->bindings.items[i];

        if (binding->variable != NULL)
            ns_local_write(frame, binding->variable, registers[i]);
        else
            ns_local_add(frame, binding->name, registers[i]);
    }
    match->ways[way].take(frame, match->ways[way].context, way);
    ns_scope_end(frame, scope);
}

/* Put the values where a body that several leaves share expects them. */
static void gather(struct match *match, const struct row *row, const unsigned *registers)
{
    const struct row *names = match->states[row->way].first;

    for (size_t i = 0; i < names->bindings.count; i++) {
        int at = position_in(row, names->bindings.items[i].name);

        if (at < 0)
            ns_code_const(&match->frame->code, registers[i], VM_UNIT);
        else
            ns_code_move(&match->frame->code, registers[i], load(match, (unsigned)at));
    }
}

static void emit_leaf(struct match *match, const struct row *row, ns_mark no)
{
    struct ns_frame *frame = match->frame;
    struct way_state *state = &match->states[row->way];
    size_t count = state->first->bindings.count;
    unsigned *registers = nb_arena_array(frame->unit->arena, count + 1, sizeof *registers);
    bool shared = state->leaves > 1;

    for (size_t i = 0; i < count; i++)
        registers[i] = shared ? state->registers + (unsigned)i : load(match, state->first->bindings.items[i].at);
    if (shared)
        gather(match, row, registers);
    if (has_guard(match, row))
        emit_guard(match, row, registers, no);
    if (shared)
        ns_code_jump(&frame->code, VM_OP_JUMP, 0, state->label);
    else
        emit_body(match, row->way, registers);
}

static void emit(struct match *match, const struct node *node);

/* Bind the label of a branch that may be plain failure. */
static ns_mark branch_label(struct match *match, const struct node *node)
{
    return node->kind == NODE_FAIL ? match->miss : ns_code_label(&match->frame->code);
}

static void bind_branch(struct match *match, const struct node *node, ns_mark label)
{
    if (node->kind != NODE_FAIL)
        ns_code_bind(&match->frame->code, label);
}

static int64_t switch_key(const struct test *test)
{
    return test->kind == TEST_CTOR ? (int64_t)test->number : vm_small(test->value);
}

static bool pays_table(const struct node *node)
{
    if (node->count < SWITCH_LEAST || node->count > SWITCH_MOST || node->test->kind == TEST_CONST)
        return false;
    for (unsigned i = 0; node->test->kind == TEST_IS && i < node->count; i++)
        if (!vm_is_small(node->tests[i]->value))
            return false;
    return true;
}

static void emit_table(struct match *match, const struct node *node, ns_mark no)
{
    struct ns_code *code = &match->frame->code;
    int64_t *keys = nb_arena_array(match->frame->unit->arena, node->count, sizeof *keys);
    ns_mark *targets = nb_arena_array(match->frame->unit->arena, node->count, sizeof *targets);
    unsigned reg = load(match, node->test->at);
    size_t mark = match->trail.count;

    for (unsigned i = 0; i < node->count; i++) {
        keys[i] = switch_key(node->tests[i]);
        targets[i] = branch_label(match, node->cases[i]);
    }
    ns_code_switch(code, node->test->kind == TEST_CTOR ? VM_OP_SWITCH_CTOR : VM_OP_SWITCH_INT, reg, keys, targets,
                   node->count, no);
    for (unsigned i = 0; i < node->count; i++) {
        bind_branch(match, node->cases[i], targets[i]);
        emit(match, node->cases[i]);
        forget(match, mark);
    }
}

/* One constant after the other. */
static void emit_chain(struct match *match, const struct node *node, ns_mark no)
{
    for (unsigned i = 0; i < node->count; i++) {
        ns_mark next = i + 1 < node->count ? ns_code_label(&match->frame->code) : no;
        size_t mark = match->trail.count;

        emit_test(match, node->tests[i], next);
        emit(match, node->cases[i]);
        forget(match, mark);
        if (i + 1 < node->count)
            ns_code_bind(&match->frame->code, next);
    }
}

static void emit_switch(struct match *match, const struct node *node, ns_mark no)
{
    if (pays_table(node))
        emit_table(match, node, no);
    else
        emit_chain(match, node, no);
}

/* A tree whose misses go on to `no`. */
static void emit_else(struct match *match, const struct node *node, ns_mark no)
{
    ns_mark outer = match->miss;

    match->miss = no;
    emit(match, node->yes);
    match->miss = outer;
}

static void emit(struct match *match, const struct node *node)
{
    while (node->kind != NODE_FAIL) {
        const struct node *rest = node->no;
        ns_mark no = rest == NULL ? match->miss : branch_label(match, rest);
        size_t mark;

        if (node->kind == NODE_TEST || node->kind == NODE_SWITCH)
            load(match, node->test->at); /* both branches profit */
        mark = match->trail.count;
        if (node->kind == NODE_TEST) {
            emit_test(match, node->test, no);
            emit(match, node->yes);
        } else if (node->kind == NODE_SWITCH) {
            emit_switch(match, node, no);
        } else if (node->kind == NODE_ELSE) {
            emit_else(match, node, no);
        } else {
            for (unsigned i = 0; node->kind == NODE_ROW && i < node->count; i++)
                emit_test(match, node->tests[i], no);
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

static void emit_shared_bodies(struct match *match)
{
    for (unsigned way = 0; way < match->way_count; way++) {
        struct way_state *state = &match->states[way];
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

/* ---- putting it together ---- */

static void match_begin(struct match *match, struct ns_frame *frame, const unsigned *scrutinees, unsigned count)
{
    *match = (struct match){ .frame = frame, .work = WORK_MAX };
    for (unsigned i = 0; i < count; i++)
        ns_push(frame->unit, &match->occurrences, ((struct occurrence){ i, HOW_GIVEN, i, scrutinees[i], true }));
}

static struct rows rows_of(struct match *match, const struct ns_way *way, unsigned number, unsigned count)
{
    struct rows rows = { NB_VEC_INIT };
    struct row *row = nb_arena_alloc(match->frame->unit->arena, sizeof *row);

    row->way = number;
    ns_push(match->frame->unit, &rows.items, row);
    for (unsigned i = 0; i < count; i++)
        if (way->patterns[i] != NULL)
            add_pattern(match, &rows, i, way->patterns[i]);
    return rows;
}

static void add_lives(struct match *match, struct lives *lives, const struct rows *rows)
{
    for (size_t i = 0; i < rows->items.count; i++) {
        const struct row *row = rows->items.items[i];
        const struct test **tests = nb_arena_array(match->frame->unit->arena, row->tests.count + 1, sizeof *tests);

        for (size_t k = 0; k < row->tests.count; k++)
            tests[k] = &row->tests.items[k];
        lives->items[lives->count++] = (struct live){ row, tests, (unsigned)row->tests.count };
    }
}

static void prepare_ways(struct match *match)
{
    for (unsigned i = 0; i < match->way_count; i++)
        if (match->states[i].leaves > 1) {
            match->states[i].label = ns_code_label(&match->frame->code);
            match->states[i].registers =
                ns_code_take(&match->frame->code, (unsigned)match->states[i].first->bindings.count);
        }
}

void ns_match(struct ns_frame *frame, const unsigned *scrutinees, unsigned count, const struct ns_way *ways,
              unsigned way_count, ns_mark miss)
{
    struct match match;
    struct rows *rows = nb_arena_array(frame->unit->arena, way_count + 1, sizeof *rows);
    struct lives lives = { NULL, 0 };
    size_t total = 0, tests = 0;
    struct node *tree;

    match_begin(&match, frame, scrutinees, count);
    match.ways = ways;
    match.way_count = way_count;
    match.miss = miss;
    match.states = nb_arena_array(frame->unit->arena, way_count + 1, sizeof *match.states);
    for (unsigned i = 0; i < way_count; i++) {
        rows[i] = rows_of(&match, &ways[i], i, count);
        match.states[i].first = rows[i].items.items[0];
        total += rows[i].items.count;
        for (size_t k = 0; k < rows[i].items.count; k++)
            tests += rows[i].items.items[k]->tests.count;
    }
    if (match.too_large)
        return;
    lives.items = nb_arena_array(frame->unit->arena, total + 1, sizeof *lives.items);
    for (unsigned i = 0; i < way_count; i++)
        add_lives(&match, &lives, &rows[i]);
    match.budget = (long)(8 * (total + tests) + 64);
    tree = build(&match, lives);
    count_leaves(&match, tree);
    prepare_ways(&match);
    emit(&match, tree);
    emit_shared_bodies(&match);
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
static void bind_row(struct match *match, const struct row *row)
{
    for (size_t i = 0; i < row->bindings.count; i++) {
        const struct binding *binding = &row->bindings.items[i];
        unsigned reg = load(match, binding->at);

        if (binding->variable != NULL)
            ns_local_write(match->frame, binding->variable, reg);
        else
            ns_local_add(match->frame, binding->name, reg);
    }
}

static void destructure_choice(struct ns_frame *frame, const struct ns_pattern *pattern, unsigned scrutinee,
                               const struct row *names, ns_mark miss)
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
    struct match match;
    struct rows rows;

    match_begin(&match, frame, &scrutinee, 1);
    match.ways = &way;
    match.miss = miss;
    rows = rows_of(&match, &way, 0, 1);
    if (match.too_large)
        return;
    if (rows.items.count == 1) {
        const struct row *row = rows.items.items[0];

        for (size_t i = 0; i < row->tests.count; i++)
            emit_test(&match, &row->tests.items[i], miss);
        bind_row(&match, row);
    } else {
        destructure_choice(frame, pattern, scrutinee, rows.items.items[0], miss);
    }
    ns_code_jump(&frame->code, VM_OP_JUMP, 0, done);
    ns_code_bind(&frame->code, miss);
    ns_code_abc(&frame->code, VM_OP_NO_MATCH, 0, 0, 0);
    ns_code_bind(&frame->code, done);
}

/* ---- match and receive ---- */

struct arms {
    const struct ns_arm_list *list;
    struct ns_target target;
    ns_mark done;
    enum vm_op begin;  /* on the register below when an arm is taken; VM_OP_COUNT: nothing */
    unsigned received;
};

static void take_arm(struct ns_frame *frame, void *context, unsigned way)
{
    const struct arms *arms = context;
    unsigned saved = frame->code.next;

    if (arms->begin != VM_OP_COUNT)
        ns_code_abc(&frame->code, arms->begin, arms->received, 0, 0);
    ns_lower(frame, arms->list->items[way].body, arms->target);
    ns_code_jump(&frame->code, VM_OP_JUMP, 0, arms->done);
    frame->code.next = saved;
}

void ns_arms(struct ns_frame *frame, const struct ns_arm_list *arms, unsigned scrutinee, struct ns_target target,
             ns_mark miss, ns_mark done, enum vm_op begin)
{
    struct arms context = { arms, target, done, begin, scrutinee };
    struct ns_way *ways = nb_arena_array(frame->unit->arena, arms->count + 1, sizeof *ways);

    for (uint32_t i = 0; i < arms->count; i++)
        ways[i] = (struct ns_way){ (const struct ns_pattern *const *)&arms->items[i].pattern, arms->items[i].guard,
                                   take_arm, &context };
    ns_match(frame, &scrutinee, 1, ways, arms->count, miss);
}

/* A register of its own for what the arms' names may be bound to: not that of a variable, which may change. */
static unsigned scrutinee_register(struct ns_frame *frame, const struct ns_expr *value)
{
    struct ns_local *local = value->kind == NS_EXPR_NAME ? ns_local_find(frame, value->name) : NULL;

    return local != NULL && local->is_var ? ns_temporary(frame, value) : ns_operand(frame, value);
}

/* match (a, b) { (p, q) -> … }: the tuple need not be made if all arms take it apart at once. */
static bool is_taken_apart(const struct ns_expr *expr)
{
    const struct ns_expr *value = expr->match.scrutinee;

    if (value->kind != NS_EXPR_TUPLE)
        return false;
    for (uint32_t i = 0; i < expr->match.arms.count; i++) {
        const struct ns_pattern *pattern = expr->match.arms.items[i].pattern;

        if (pattern->kind != NS_PATTERN_WILDCARD &&
            (pattern->kind != NS_PATTERN_TUPLE || pattern->items.count != value->items.count))
            return false;
    }
    return true;
}

/* The arms on the parts of the tuple. */
static void match_parts(struct ns_frame *frame, const struct ns_expr *expr, struct arms *context, ns_mark miss)
{
    const struct ns_expr_list *parts = &expr->match.scrutinee->items;
    const struct ns_arm_list *arms = &expr->match.arms;
    struct ns_way *ways = nb_arena_array(frame->unit->arena, arms->count + 1, sizeof *ways);
    unsigned *registers = nb_arena_array(frame->unit->arena, parts->count + 1, sizeof *registers);
    const struct ns_pattern **any = nb_arena_array(frame->unit->arena, parts->count + 1, sizeof *any);

    for (uint32_t i = 0; i < parts->count; i++)
        registers[i] = scrutinee_register(frame, parts->items[i]);
    for (uint32_t i = 0; i < arms->count; i++) {
        const struct ns_pattern *pattern = arms->items[i].pattern;

        ways[i] = (struct ns_way){ any, arms->items[i].guard, take_arm, context };
        if (pattern->kind == NS_PATTERN_TUPLE)
            ways[i].patterns = (const struct ns_pattern *const *)pattern->items.items;
    }
    ns_match(frame, registers, parts->count, ways, arms->count, miss);
}

void ns_lower_match(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_scope scope = ns_scope_begin(frame);
    ns_mark miss = ns_code_label(&frame->code), done = ns_code_label(&frame->code);

    if (is_taken_apart(expr)) {
        struct arms context = { &expr->match.arms, target, done, VM_OP_COUNT, 0 };

        match_parts(frame, expr, &context, miss);
    } else {
        ns_arms(frame, &expr->match.arms, scrutinee_register(frame, expr->match.scrutinee), target, miss, done,
                VM_OP_COUNT);
    }
    ns_code_bind(&frame->code, miss);
    ns_mark_place(frame, expr->span);
    ns_code_abc(&frame->code, VM_OP_NO_MATCH, 0, 0, 0);
    ns_code_bind(&frame->code, done);
    ns_scope_end(frame, scope);
}

/* The message, the deadline, the message's number: opcodes.def. */
enum { RECEIVE_REGISTERS = 3 };

void ns_lower_receive(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target)
{
    struct ns_code *code = &frame->code;
    struct ns_scope scope = ns_scope_begin(frame);
    ns_mark next = ns_code_label(code), miss = ns_code_label(code);
    ns_mark late = ns_code_label(code), done = ns_code_label(code);
    unsigned limit = 0, message;

    if (expr->receive.timeout != NULL)
        limit = ns_operand(frame, expr->receive.timeout);
    message = ns_code_take(code, RECEIVE_REGISTERS);
    if (expr->receive.timeout != NULL) {
        ns_mark_place(frame, expr->receive.timeout->span);
        ns_code_abc(code, VM_OP_RECEIVE_AFTER, message, limit, 0);
    } else {
        ns_code_abc(code, VM_OP_RECEIVE, message, 0, 0);
    }
    ns_code_bind(code, next);
    ns_mark_place(frame, expr->span);
    ns_code_jump(code, VM_OP_RECEIVE_NEXT, message, late);
    ns_arms(frame, &expr->receive.arms, message, target, miss, done, VM_OP_RECEIVE_TAKE);
    ns_code_bind(code, miss);
    ns_code_jump(code, VM_OP_RECEIVE_SKIP, 0, next);
    ns_code_bind(code, late);
    if (expr->receive.after != NULL)
        ns_lower(frame, expr->receive.after, target);
    else
        ns_code_abc(code, VM_OP_NO_MATCH, 0, 0, 0);
    ns_code_bind(code, done);
    ns_scope_end(frame, scope);
}
