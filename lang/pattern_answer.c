/*
 * pattern_answer.c - what a test whose outcome is known says about another one of the same place.
 *
 * The values of a place fall into families that exclude each other (scalars, tuples, constructors, lists, strings, maps
 * and sets): a value that passed a test of one family fails those of the others. Within a family it depends: a list of
 * at least three elements has at least two, 5 lies in 1..9, a string that begins with "ab" begins with "a". What is not
 * known for sure stays open, and is asked.
 */
#include "config.h"

#include "lang/pattern_private.h"

#include <string.h>

/* Kinds of values that exclude each other. */
enum family { FAMILY_ANY, FAMILY_SCALAR, FAMILY_TUPLE, FAMILY_CTOR, FAMILY_LIST, FAMILY_STRING, FAMILY_CLASS };

static enum family family(const struct ns_test *test)
{
    switch (test->kind) {
    case NS_TEST_IS:
    case NS_TEST_RANGE:
        return FAMILY_SCALAR;
    case NS_TEST_TUPLE:
        return FAMILY_TUPLE;
    case NS_TEST_CTOR:
        return FAMILY_CTOR;
    case NS_TEST_EXACT:
    case NS_TEST_LEAST:
        return FAMILY_LIST;
    case NS_TEST_PREFIX:
        return FAMILY_STRING;
    case NS_TEST_CLASS:
        return FAMILY_CLASS;
    default:
        return FAMILY_ANY;
    }
}

static bool same_test(const struct ns_test *a, const struct ns_test *b)
{
    if (a->kind != b->kind || a->at != b->at)
        return false;
    switch (a->kind) {
    case NS_TEST_IS:
    case NS_TEST_CONST:
    case NS_TEST_PREFIX:
        return a->value == b->value;
    case NS_TEST_LOCAL:
        return a->name == b->name;
    case NS_TEST_RANGE:
        return a->from == b->from && a->to == b->to;
    case NS_TEST_KEY:
        return a->found == b->found;
    default:
        return a->number == b->number;
    }
}

static bool in_range(const struct ns_test *range, vm_value value)
{
    return vm_is_small(value) && vm_small(value) >= range->from && vm_small(value) <= range->to;
}

static bool starts_with(vm_value text, vm_value prefix)
{
    uint32_t length = vm_size(prefix);

    return vm_size(text) >= length && memcmp(vm_object(text) + 1, vm_object(prefix) + 1, length) == 0;
}

/* `known` holds, both are about lists. */
static enum ns_answer list_answer(const struct ns_test *known, const struct ns_test *asked)
{
    if (known->kind == NS_TEST_EXACT) {
        if (asked->kind == NS_TEST_EXACT)
            return known->number == asked->number ? NS_ANSWER_YES : NS_ANSWER_NO;
        return known->number >= asked->number ? NS_ANSWER_YES : NS_ANSWER_NO;
    }
    if (asked->kind == NS_TEST_LEAST)
        return known->number >= asked->number ? NS_ANSWER_YES : NS_ANSWER_OPEN;
    return asked->number < known->number ? NS_ANSWER_NO : NS_ANSWER_OPEN;
}

static enum ns_answer scalar_answer(const struct ns_test *known, const struct ns_test *asked)
{
    if (known->kind == NS_TEST_IS && asked->kind == NS_TEST_IS)
        return NS_ANSWER_NO;
    if (known->kind == NS_TEST_IS)
        return in_range(asked, known->value) ? NS_ANSWER_YES : NS_ANSWER_NO;
    if (asked->kind == NS_TEST_IS)
        return in_range(known, asked->value) ? NS_ANSWER_OPEN : NS_ANSWER_NO;
    if (asked->from <= known->from && asked->to >= known->to)
        return NS_ANSWER_YES;
    return asked->to < known->from || asked->from > known->to ? NS_ANSWER_NO : NS_ANSWER_OPEN;
}

enum ns_answer ns_test_when_true(const struct ns_test *known, const struct ns_test *asked)
{
    if (known->at != asked->at)
        return NS_ANSWER_OPEN;
    if (same_test(known, asked))
        return NS_ANSWER_YES;
    if (family(known) == FAMILY_ANY || family(asked) == FAMILY_ANY)
        return NS_ANSWER_OPEN;
    if (family(known) != family(asked))
        return NS_ANSWER_NO;
    switch (family(known)) {
    case FAMILY_LIST:
        return list_answer(known, asked);
    case FAMILY_SCALAR:
        return scalar_answer(known, asked);
    case FAMILY_STRING:
        return starts_with(known->value, asked->value) ? NS_ANSWER_YES : NS_ANSWER_OPEN;
    default:
        return NS_ANSWER_NO; /* another arity, constructor, class */
    }
}

/* `known` does not hold: may `asked`? */
enum ns_answer ns_test_when_false(const struct ns_test *known, const struct ns_test *asked)
{
    if (known->at != asked->at)
        return NS_ANSWER_OPEN;
    if (same_test(known, asked))
        return NS_ANSWER_NO;
    if (known->kind == NS_TEST_LEAST && family(asked) == FAMILY_LIST)
        return asked->number >= known->number ? NS_ANSWER_NO : NS_ANSWER_OPEN;
    if (known->kind == NS_TEST_RANGE && asked->kind == NS_TEST_IS)
        return in_range(known, asked->value) ? NS_ANSWER_NO : NS_ANSWER_OPEN;
    if (known->kind == NS_TEST_RANGE && asked->kind == NS_TEST_RANGE)
        return asked->from >= known->from && asked->to <= known->to ? NS_ANSWER_NO : NS_ANSWER_OPEN;
    if (known->kind == NS_TEST_PREFIX && asked->kind == NS_TEST_PREFIX)
        return starts_with(asked->value, known->value) ? NS_ANSWER_NO : NS_ANSWER_OPEN;
    return NS_ANSWER_OPEN;
}
