/*
 * pattern_private.h - what the files that compile choices between patterns share.
 *
 * pattern_rows.c takes patterns apart into rows; pattern_tree.c makes a decision tree of the rows, asking
 * pattern_answer.c what one test says about another; pattern_emit.c turns the tree into code; pattern.c puts these
 * together.
 */
#ifndef LANG_PATTERN_PRIVATE_H
#define LANG_PATTERN_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "lang/lower.h"

enum ns_how { NS_HOW_GIVEN, NS_HOW_AT, NS_HOW_LIST_AT, NS_HOW_DROP, NS_HOW_FIELD, NS_HOW_KEY,
              NS_HOW_KEY_OF, NS_HOW_REST };

/* A part of a value. */
struct ns_occurrence {
    unsigned parent;  /* index; itself for given ones */
    enum ns_how how;
    uint64_t which;   /* position, count, name id, prefix; key: index of its test's identity; key of: occurrence */
    unsigned reg;
    bool loaded;      /* on the path being emitted */
};

enum ns_test_kind {
    NS_TEST_IS,     /* the very word `value` */
    NS_TEST_CONST,  /* equals the immortal `value` */
    NS_TEST_LOCAL,  /* equals what `name` holds */
    NS_TEST_SAME,   /* equals the occurrence `number` */
    NS_TEST_RANGE,  /* an Int from..to, both included */
    NS_TEST_TUPLE,  /* a tuple of `number` */
    NS_TEST_CTOR,   /* constructor `number` */
    NS_TEST_EXACT,  /* a list of `number` elements */
    NS_TEST_LEAST,  /* a list of at least `number` elements */
    NS_TEST_PREFIX, /* a String that starts with `value` */
    NS_TEST_CLASS,  /* of class `number` */
    NS_TEST_FIELD,  /* a record with a field of name id `number`, whose value is occurrence `found` */
    NS_TEST_KEY,    /* a map or set with key `value` (or what `name` holds); its value is occurrence `found` */
    NS_TEST_KEY_OF  /* the same with the key that is the occurrence `number` */
};

struct ns_test {
    enum ns_test_kind kind;
    unsigned at;       /* occurrence */
    uint64_t number;
    vm_value value;
    int64_t from, to;
    const char *name;
    struct ns_span span;
    unsigned found;
};

struct ns_row_binding { const char *name; unsigned at; struct ns_local *variable; };

struct ns_row {
    NB_VEC(struct ns_test) tests;
    NB_VEC(struct ns_row_binding) bindings;
    unsigned way;
};

struct ns_rows { NB_VEC(struct ns_row *) items; };

enum ns_node_kind { NS_NODE_FAIL, NS_NODE_LEAF, NS_NODE_TEST, NS_NODE_ROW, NS_NODE_SWITCH, NS_NODE_ELSE };

struct ns_node {
    enum ns_node_kind kind;
    const struct ns_row *row;     /* LEAF, ROW */
    const struct ns_test *test;   /* TEST, SWITCH */
    const struct ns_test **tests; /* ROW: all in order; SWITCH: one per case */
    unsigned count;
    struct ns_node *yes;          /* TEST, ELSE */
    struct ns_node *no;           /* TEST; after a failed guard; for what is left otherwise; ELSE: what `yes` misses */
    struct ns_node **cases;       /* SWITCH; `no` is the rest */
};

struct ns_way_state {
    unsigned leaves;
    ns_mark label;
    const struct ns_row *first; /* names of the way, in order */
    unsigned registers;         /* first of the names', when several leaves lead here */
};

struct ns_match {
    struct ns_frame *frame;
    NB_VEC(struct ns_occurrence) occurrences;
    NB_VEC(unsigned) trail; /* loaded occurrences */
    const struct ns_way *ways;
    struct ns_way_state *states;
    unsigned way_count;
    long budget;            /* nodes that may still be made before rows are tried one by one */
    long work;              /* rows that may still be looked at before that */
    bool too_large;         /* reported: there is nothing to be made of it */
    ns_mark miss;
};

/* ---- pattern_rows.c ---- */

/** The rows of way `number`: one, or more where its patterns can be read in several ways. */
struct ns_rows ns_pattern_rows(struct ns_match *match, const struct ns_way *way, unsigned number, unsigned scrutinees);

/* ---- pattern_answer.c ---- */

enum ns_answer { NS_ANSWER_OPEN, NS_ANSWER_YES, NS_ANSWER_NO };

/** Whether `asked` holds where `known` does. */
enum ns_answer ns_test_when_true(const struct ns_test *known, const struct ns_test *asked);
/** Whether `asked` holds where `known` does not. */
enum ns_answer ns_test_when_false(const struct ns_test *known, const struct ns_test *asked);

/* ---- pattern_tree.c ---- */

/** The tree that decides between the rows of all ways: the first one that holds wins. */
struct ns_node *ns_pattern_tree(struct ns_match *match, const struct ns_rows *rows_of_ways);

/* ---- pattern_emit.c ---- */

/** Emit the tree and the bodies of the ways. */
void ns_pattern_emit(struct ns_match *match, const struct ns_node *tree);
/** Go on if the test holds, else to `no`. */
void ns_pattern_emit_test(struct ns_match *match, const struct ns_test *test, ns_mark no);
/** The register of an occurrence, loaded. */
unsigned ns_pattern_load(struct ns_match *match, unsigned at);

#endif
