/*
 * pattern_shape.c - patterns of different shapes for one place, which therefore has to stay open (02 §5.7).
 *
 * Every pattern is held against every other. As a match may have thousands of arms, those that are alike in all that
 * counts are taken for one first: what they say of the shape is written down as a text.
 */
#include "config.h"

#include "base/buf.h"
#include "base/intern.h"
#include "lang/infer.h"

/* ---- two patterns ---- */

static bool is_number_literal(enum ns_literal_kind kind)
{
    return kind >= NS_LITERAL_INT && kind <= NS_LITERAL_FLOAT32;
}

static bool literals_differ(const struct ns_pattern *one, const struct ns_pattern *other)
{
    return one->literal.kind != other->literal.kind &&
           !(is_number_literal(one->literal.kind) && is_number_literal(other->literal.kind));
}

/* What a pattern says of the kind of value at first sight. */
enum shape { SHAPE_ANY, SHAPE_LITERAL, SHAPE_LIST, SHAPE_TUPLE, SHAPE_CONSTRUCTOR, SHAPE_MAP, SHAPE_SET };

static enum shape shape_of(const struct ns_pattern *pattern)
{
    switch (pattern->kind) {
    case NS_PATTERN_LITERAL:
    case NS_PATTERN_RANGE:
        return SHAPE_LITERAL;
    case NS_PATTERN_LIST:
        return SHAPE_LIST;
    case NS_PATTERN_TUPLE:
        return SHAPE_TUPLE;
    case NS_PATTERN_CONSTRUCTOR:
        return SHAPE_CONSTRUCTOR;
    case NS_PATTERN_MAP:
        return SHAPE_MAP;
    case NS_PATTERN_SET:
        return SHAPE_SET;
    default:
        return SHAPE_ANY;
    }
}

static const struct ns_pattern *first_alternative(const struct ns_pattern *pattern)
{
    return pattern->kind == NS_PATTERN_OR ? pattern->items.items[0] : pattern;
}

/* Of `(a, (b, c))` next to `(a, b)` the second component is not taken for one and the same type. */
static bool nested_otherwise(const struct ns_pattern *one, const struct ns_pattern *other)
{
    return (one->kind == NS_PATTERN_TUPLE && other->kind == NS_PATTERN_NAME) ||
           (one->kind == NS_PATTERN_NAME && other->kind == NS_PATTERN_TUPLE);
}

/* Tuples of different arity, or nested differently. */
static bool tuples_differ(const struct ns_pattern *one, const struct ns_pattern *other)
{
    one = first_alternative(one);
    other = first_alternative(other);
    if (one->kind != NS_PATTERN_TUPLE || other->kind != NS_PATTERN_TUPLE)
        return false;
    if (one->items.count != other->items.count)
        return true;
    for (uint32_t i = 0; i < one->items.count; i++)
        if (nested_otherwise(one->items.items[i], other->items.items[i]) ||
            tuples_differ(one->items.items[i], other->items.items[i]))
            return true;
    return false;
}

bool ns_pattern_disagrees(const struct ns_pattern *one, const struct ns_pattern *other)
{
    one = first_alternative(one);
    other = first_alternative(other);
    if (shape_of(one) == SHAPE_ANY || shape_of(other) == SHAPE_ANY)
        return false;
    if (shape_of(one) != shape_of(other) || tuples_differ(one, other))
        return true;
    if (one->kind == NS_PATTERN_LITERAL && other->kind == NS_PATTERN_LITERAL)
        return literals_differ(one, other);
    if (one->kind != NS_PATTERN_TUPLE || other->kind != NS_PATTERN_TUPLE)
        return false;
    for (uint32_t i = 0; i < one->items.count; i++)
        if (ns_pattern_disagrees(one->items.items[i], other->items.items[i]))
            return true;
    return false;
}

/* ---- many patterns ---- */

static void write_shape(struct nb_buf *out, const struct ns_pattern *pattern)
{
    switch (pattern->kind) {
    case NS_PATTERN_LITERAL:
        nb_buf_printf(out, "%d", is_number_literal(pattern->literal.kind) ? (int)NS_LITERAL_INT
                                                                          : (int)pattern->literal.kind);
        break;
    case NS_PATTERN_TUPLE:
        nb_buf_byte(out, '(');
        for (uint32_t i = 0; i < pattern->items.count; i++) {
            write_shape(out, pattern->items.items[i]);
            nb_buf_byte(out, ',');
        }
        nb_buf_byte(out, ')');
        break;
    case NS_PATTERN_OR:
        nb_buf_byte(out, '|');
        write_shape(out, pattern->items.items[0]);
        break;
    default: /* nothing counts but the kind */
        nb_buf_byte(out, (char)('a' + (int)pattern->kind));
        break;
    }
}

/* One pattern of each shape, in the order of the first ones. */
static uint32_t distinct(struct ns_check *check, const struct ns_pattern *const *patterns, uint32_t count,
                         const struct ns_pattern **ret_kept)
{
    struct ns_table seen = { 0 };
    struct nb_buf shape = NB_BUF_INIT;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        nb_buf_clear(&shape);
        write_shape(&shape, patterns[i]);
        if (ns_table_set(&seen, nb_intern_n(nb_buf_cstr(&shape), shape.length), check) == NULL)
            ret_kept[kept++] = patterns[i];
    }
    nb_buf_done(&shape);
    ns_table_done(&seen);
    return kept;
}

static bool any_pair(struct ns_check *check, const struct ns_pattern *const *patterns, uint32_t count,
                     bool (*relation)(const struct ns_pattern *, const struct ns_pattern *))
{
    const struct ns_pattern **kept = nb_arena_array(check->arena, count + 1, sizeof *kept);
    uint32_t kinds = distinct(check, patterns, count, kept);

    for (uint32_t i = 1; i < kinds; i++)
        for (uint32_t k = 0; k < i; k++)
            if (relation(kept[k], kept[i]))
                return true;
    return false;
}

bool ns_patterns_disagree(struct ns_check *check, const struct ns_pattern *const *patterns, uint32_t count)
{
    return any_pair(check, patterns, count, ns_pattern_disagrees);
}

bool ns_tuples_disagree(struct ns_check *check, const struct ns_pattern *const *patterns, uint32_t count)
{
    return any_pair(check, patterns, count, tuples_differ);
}
