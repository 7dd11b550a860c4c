/*
 * pattern_rows.c - patterns taken apart: rows of tests on parts of the value, and of names for parts (01 §9).
 *
 * A pattern that can be read in several ways (alternatives, constructors of one name, a prefix of a String or of a
 * List) gives every row that was begun as many copies, so a row never asks "or". What is said of a part comes in the
 * order in which the pattern says it: outside before inside, left before right.
 */
#include "config.h"

#include "lang/pattern_private.h"

#include <string.h>

#include "base/intern.h"
#include "lang/suggest.h"

enum {
    ROWS_MAX = 4096, /* of one way, by or-patterns */
    TESTS_MAX = 2000 /* of one row; bounds recursion */
};

static unsigned occurrence(struct ns_match *match, unsigned parent, enum ns_how how, uint64_t which)
{
    for (size_t i = parent + 1; i < match->occurrences.count; i++) {
        const struct ns_occurrence *known = &match->occurrences.items[i];

        if (known->parent == parent && known->how == how && known->which == which)
            return (unsigned)i;
    }
    ns_push(match->frame->unit, &match->occurrences,
            ((struct ns_occurrence){ parent, how, which, ns_code_take(&match->frame->code, 1), false }));
    return (unsigned)match->occurrences.count - 1;
}

static void add_test(struct ns_match *match, struct ns_rows *rows, struct ns_test test)
{
    for (size_t i = 0; i < rows->items.count; i++) {
        struct ns_row *row = rows->items.items[i];

        if (row->tests.count == TESTS_MAX) {
            ns_report(match->frame->unit, test.span, "pattern has more than %d parts", TESTS_MAX);
            match->too_large = true;
            return;
        }
        ns_push(match->frame->unit, &row->tests, test);
    }
}

static struct ns_row *copy_row(struct ns_match *match, const struct ns_row *row)
{
    struct ns_row *copy = nb_arena_alloc(match->frame->unit->arena, sizeof *copy);

    copy->way = row->way;
    for (size_t i = 0; i < row->tests.count; i++)
        ns_push(match->frame->unit, &copy->tests, row->tests.items[i]);
    for (size_t i = 0; i < row->bindings.count; i++)
        ns_push(match->frame->unit, &copy->bindings, row->bindings.items[i]);
    return copy;
}

static struct ns_rows copy_rows(struct ns_match *match, const struct ns_rows *rows)
{
    struct ns_rows copy = { NB_VEC_INIT };

    for (size_t i = 0; i < rows->items.count; i++)
        ns_push(match->frame->unit, &copy.items, copy_row(match, rows->items.items[i]));
    return copy;
}

static void append_rows(struct ns_match *match, struct ns_rows *rows, const struct ns_rows *more)
{
    for (size_t i = 0; i < more->items.count; i++)
        ns_push(match->frame->unit, &rows->items, more->items.items[i]);
}

static void add_pattern(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *pattern);

/* Each of several ways to read a pattern gets its copy of the rows. `read` adds number `i` of them. */
static void alternatives(struct ns_match *match, struct ns_rows *rows, unsigned count, struct ns_span span,
                         void (*read)(struct ns_match *, struct ns_rows *, unsigned, const void *, unsigned),
                         unsigned at, const void *context)
{
    struct ns_rows original = *rows, all = { NB_VEC_INIT };

    if (count > 1 && original.items.count * count > ROWS_MAX) {
        ns_report(match->frame->unit, span, "pattern has more than %d alternatives", ROWS_MAX);
        match->too_large = true;
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        struct ns_rows copy = i + 1 < count ? copy_rows(match, &original) : original;

        read(match, &copy, at, context, i);
        append_rows(match, &all, &copy);
    }
    *rows = all;
}

static void read_or(struct ns_match *match, struct ns_rows *rows, unsigned at, const void *context, unsigned i)
{
    const struct ns_pattern *pattern = context;

    add_pattern(match, rows, at, pattern->items.items[i]);
}

static const struct ns_row_binding *find_binding(const struct ns_row *row, const char *name)
{
    for (size_t i = 0; i < row->bindings.count; i++)
        if (row->bindings.items[i].name == name)
            return &row->bindings.items[i];
    return NULL;
}

/* A name: equality with what it holds, an assignment, or a new name (01 §9.2). */
static void add_name(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    struct ns_local *local = ns_local_find(match->frame, pattern->name);
    bool own = local != NULL && ns_local_is_own(match->frame, local) && local->functions == NULL;

    for (size_t i = 0; i < rows->items.count; i++) {
        struct ns_row *row = rows->items.items[i];
        const struct ns_row_binding *earlier = find_binding(row, pattern->name);
        struct ns_test test = { .at = at, .name = pattern->name, .span = pattern->span };

        if (earlier != NULL && earlier->variable == NULL) {
            test.kind = NS_TEST_SAME;
            test.number = earlier->at;
            ns_push(match->frame->unit, &row->tests, test);
        } else if (own && !local->is_var) {
            test.kind = NS_TEST_LOCAL;
            ns_push(match->frame->unit, &row->tests, test);
        } else {
            ns_push(match->frame->unit, &row->bindings,
                    ((struct ns_row_binding){ pattern->name, at, own ? local : NULL }));
        }
    }
}

/* ^x: equality with what a variable holds, which may be a name that the same pattern gave before. */
static void add_pin(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    for (size_t i = 0; i < rows->items.count; i++) {
        const struct ns_row_binding *earlier = find_binding(rows->items.items[i], pattern->name);
        struct ns_test test = { .kind = NS_TEST_LOCAL, .at = at, .name = pattern->name, .span = pattern->span };

        if (earlier != NULL && earlier->variable == NULL) {
            test.kind = NS_TEST_SAME;
            test.number = earlier->at;
        }
        ns_push(match->frame->unit, &rows->items.items[i]->tests, test);
    }
}

static void add_literal(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    vm_value value = ns_literal_value(match->frame->unit, &pattern->literal);
    bool word = !vm_is_object(value) && !vm_is_flonum(value) && !vm_is_sort(value, VM_SORT_FLOAT32);

    add_test(
        match, rows,
        (struct ns_test){ .kind = word ? NS_TEST_IS : NS_TEST_CONST, .at = at, .value = value, .span = pattern->span });
}

static void add_range(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    struct ns_test test = {
        .kind = NS_TEST_RANGE, .at = at, .from = pattern->range.from, .to = pattern->range.to, .span = pattern->span
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

static void add_tuple(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    add_test(
        match, rows,
        (struct ns_test){ .kind = NS_TEST_TUPLE, .at = at, .number = pattern->items.count, .span = pattern->span });
    for (uint32_t i = 0; i < pattern->items.count; i++)
        if (pattern->items.items[i]->kind != NS_PATTERN_WILDCARD)
            add_pattern(match, rows, occurrence(match, at, NS_HOW_AT, i), pattern->items.items[i]);
}

static void read_as_list(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    uint32_t count = pattern->list.items.count;
    const struct ns_pattern *rest = pattern->list.rest;

    add_test(
        match, rows,
        (struct ns_test){
            .kind = rest == NULL ? NS_TEST_EXACT : NS_TEST_LEAST, .at = at, .number = count, .span = pattern->span });
    for (uint32_t i = 0; i < count; i++)
        if (pattern->list.items.items[i]->kind != NS_PATTERN_WILDCARD)
            add_pattern(match, rows, occurrence(match, at, NS_HOW_LIST_AT, i), pattern->list.items.items[i]);
    if (rest != NULL && rest->kind != NS_PATTERN_WILDCARD)
        add_pattern(match, rows, occurrence(match, at, NS_HOW_DROP, count), rest);
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

static vm_value joined_literals(struct ns_match *match, const struct ns_pattern_list *items)
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
static void read_prefix(struct ns_match *match, struct ns_rows *rows, unsigned at, const void *context, unsigned i)
{
    const struct ns_pattern *pattern = context;
    vm_value prefix;

    if (i == 1) {
        read_as_list(match, rows, at, pattern);
        return;
    }
    prefix = joined_literals(match, &pattern->list.items);
    add_test(match, rows, (struct ns_test){ .kind = NS_TEST_PREFIX, .at = at, .value = prefix, .span = pattern->span });
    if (pattern->list.rest->kind != NS_PATTERN_WILDCARD)
        add_pattern(match, rows, occurrence(match, at, NS_HOW_REST, prefix), pattern->list.rest);
}

static void add_list(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *pattern)
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

static void read_constructor(struct ns_match *match, struct ns_rows *rows, unsigned at, const void *context, unsigned i)
{
    const struct readings *readings = context;
    const struct ns_constructor_info *constructor = readings->items[i];
    const struct ns_pattern *pattern = readings->pattern;

    add_test(match, rows,
             (struct ns_test){ .kind = NS_TEST_CTOR, .at = at, .number = constructor->number, .span = pattern->span });
    for (uint32_t k = 0; k < pattern->constructor.items.count; k++)
        if (pattern->constructor.items.items[k]->kind != NS_PATTERN_WILDCARD)
            add_pattern(match, rows, occurrence(match, at, NS_HOW_AT, k), pattern->constructor.items.items[k]);
    for (uint32_t k = 0; k < pattern->constructor.fields.count; k++) {
        const struct ns_field_pattern *field = &pattern->constructor.fields.items[k];

        add_pattern(match, rows,
                    occurrence(match, at, NS_HOW_AT, (unsigned)field_position(constructor, field->name.text)),
                    field->pattern);
    }
}

/* No constructor of that name takes what the pattern says. */
static void report_misfit(struct ns_match *match, const struct ns_pattern *pattern, const struct ns_constructors *all)
{
    const struct ns_constructor_info *some = all->items.items[all->items.count - 1];

    for (uint32_t i = 0; i < pattern->constructor.fields.count; i++)
        if (field_position(some, pattern->constructor.fields.items[i].name.text) < 0) {
            ns_report(match->frame->unit, pattern->constructor.fields.items[i].name.span,
                      "unknown field `%s` for %s `%s`", pattern->constructor.fields.items[i].name.text,
                      some->is_record ? "record" : "constructor", some->name);
            ns_suggest_field(match->frame->unit, some, &pattern->constructor.fields.items[i].name);
            return;
        }
    ns_report(match->frame->unit, pattern->span, "Wrong number of arguments: expected %u, found %u",
              some->fields->count, pattern->constructor.items.count);
}

static bool is_reactive_record(const struct ns_constructor_info *constructor)
{
    const struct ns_item *item = constructor->type->item;

    return constructor->is_record && item->kind == NS_ITEM_TYPE && item->type.is_reactive;
}

/* Its fields are read one by one, so that who reads is known; all at once they never are (04 §19). */
static void report_reactive(struct ns_match *match, const struct ns_pattern *pattern,
                            const struct ns_constructor_info *constructor)
{
    struct ns_unit *unit = match->frame->unit;

    ns_report(unit, pattern->span, "the reactive record `%s` matches no pattern", constructor->name);
    if (ns_reported(unit) && constructor->fields->count > 0)
        ns_hint(unit->diag, "read its fields instead: `record.%s`", constructor->fields->items[0].name.text);
}

static bool is_visible(const struct ns_match *match, const struct ns_constructor_info *constructor)
{
    return constructor->type->is_public || ns_is_inside(match->frame->space, constructor->type->space);
}

/* What is in a pattern that means nothing: its names are none of the errors. */
static void bind_all_the_same(struct ns_match *match, struct ns_rows *rows, unsigned at,
                              const struct ns_pattern *pattern)
{
    for (uint32_t i = 0; i < pattern->constructor.items.count; i++)
        add_pattern(match, rows, occurrence(match, at, NS_HOW_AT, i), pattern->constructor.items.items[i]);
    for (uint32_t i = 0; i < pattern->constructor.fields.count; i++)
        add_pattern(match, rows, occurrence(match, at, NS_HOW_AT, i), pattern->constructor.fields.items[i].pattern);
}

static void add_constructor(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *pattern)
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
        ns_report_unknown_constructor(unit, &(struct ns_name){ name, (struct ns_span){ NULL, 0, 0 } }, pattern->span);
        bind_all_the_same(match, rows, at, pattern);
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
    if (readings.count == 1 && is_reactive_record(readings.items[0]))
        report_reactive(match, pattern, readings.items[0]);
    alternatives(match, rows, readings.count, pattern->span, read_constructor, at, &readings);
}

static void add_record(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    for (uint32_t i = 0; i < pattern->constructor.fields.count; i++) {
        const struct ns_field_pattern *field = &pattern->constructor.fields.items[i];
        uint32_t id = nb_intern_id(field->name.text);
        unsigned found = occurrence(match, at, NS_HOW_FIELD, id);

        add_test(match, rows,
                 (struct ns_test){
                     .kind = NS_TEST_FIELD, .at = at, .number = id, .found = found, .span = field->name.span });
        add_pattern(match, rows, found, field->pattern);
    }
}

/* ---- maps and sets ---- */

/* Keys are told apart by their constant, by the pinned variable's name, or by the place that gave the name before. */
static struct ns_test key_test(struct ns_match *match, const struct ns_row *row, unsigned at,
                               const struct ns_pattern *key)
{
    struct ns_test test = { .kind = NS_TEST_KEY, .at = at, .span = key->span };
    const struct ns_row_binding *earlier = key->kind == NS_PATTERN_PIN ? find_binding(row, key->name) : NULL;

    if (earlier != NULL && earlier->variable == NULL) {
        test.kind = NS_TEST_KEY_OF;
        test.number = earlier->at;
        test.found = occurrence(match, at, NS_HOW_KEY_OF, test.number);
    } else if (key->kind == NS_PATTERN_PIN) {
        test.name = key->name;
        test.found = occurrence(match, at, NS_HOW_KEY, (uint64_t)(uintptr_t)test.name);
    } else {
        test.value = ns_literal_value(match->frame->unit, &key->literal);
        test.found = occurrence(match, at, NS_HOW_KEY, test.value);
    }
    return test;
}

static void add_key(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *key,
                    const struct ns_pattern *value)
{
    struct ns_rows all = { NB_VEC_INIT };

    for (size_t i = 0; i < rows->items.count; i++) {
        struct ns_rows one = { NB_VEC_INIT };
        struct ns_test test = key_test(match, rows->items.items[i], at, key);

        ns_push(match->frame->unit, &one.items, rows->items.items[i]);
        add_test(match, &one, test);
        if (value != NULL && value->kind != NS_PATTERN_WILDCARD)
            add_pattern(match, &one, test.found, value);
        append_rows(match, &all, &one);
    }
    *rows = all;
}

static void add_map(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    add_test(match, rows,
             (struct ns_test){ .kind = NS_TEST_CLASS, .at = at, .number = VM_CLASS_MAP, .span = pattern->span });
    for (uint32_t i = 0; i < pattern->map.count; i++)
        add_key(match, rows, at, pattern->map.items[i].key, pattern->map.items[i].value);
}

static void add_set(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *pattern)
{
    add_test(match, rows,
             (struct ns_test){ .kind = NS_TEST_CLASS, .at = at, .number = VM_CLASS_SET, .span = pattern->span });
    for (uint32_t i = 0; i < pattern->items.count; i++) {
        const struct ns_pattern *item = pattern->items.items[i];

        if (item->kind == NS_PATTERN_LITERAL || item->kind == NS_PATTERN_PIN)
            add_key(match, rows, at, item, NULL);
        else
            ns_report(match->frame->unit, item->span,
                      "invalid pattern in Set patterns only support literals and pinned variables");
    }
}

static void add_pattern(struct ns_match *match, struct ns_rows *rows, unsigned at, const struct ns_pattern *pattern)
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
        add_pin(match, rows, at, pattern);
        break;
    case NS_PATTERN_OR:
        alternatives(match, rows, pattern->items.count, pattern->span, read_or, at, pattern);
        break;
    }
}

struct ns_rows ns_pattern_rows(struct ns_match *match, const struct ns_way *way, unsigned number, unsigned scrutinees)
{
    struct ns_rows rows = { NB_VEC_INIT };
    struct ns_row *row = nb_arena_alloc(match->frame->unit->arena, sizeof *row);

    row->way = number;
    ns_push(match->frame->unit, &rows.items, row);
    for (unsigned i = 0; i < scrutinees; i++)
        if (way->patterns[i] != NULL)
            add_pattern(match, &rows, i, way->patterns[i]);
    return rows;
}
