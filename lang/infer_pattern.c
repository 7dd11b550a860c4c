/*
 * infer_pattern.c - patterns and arms (02 §5.7): what they say of the value, and what the value says of their names.
 */
#include "config.h"

#include <string.h>

#include "lang/infer.h"

static const struct ns_span nowhere = { NULL, 0, 0 };

/* ---- kinds of patterns ---- */

/* A name that already stands for an immutable local of this function is an equality test, a `var` an assignment. */
static void infer_name(struct ns_check *check, struct ns_pattern *pattern, struct ns_term *scrutinee)
{
    const char *name = pattern->name;
    const struct ns_typed_local *local = ns_name_find(check, name);

    pattern->term = scrutinee;
    if (local == NULL || local->depth != check->body->depth || local->is_scheme)
        ns_name_add(check, name, scrutinee);
}

static void infer_all(struct ns_check *check, const struct ns_pattern_list *items, struct ns_term *scrutinee)
{
    for (uint32_t i = 0; i < items->count; i++)
        ns_infer_pattern(check, items->items[i], scrutinee);
}

static void infer_literal(struct ns_check *check, const struct ns_pattern *pattern, struct ns_term *scrutinee)
{
    struct ns_term *term = ns_term_of_literal(check, &pattern->literal);

    if (!ns_are_numbers(term, scrutinee) && ns_unify(check, scrutinee, term) != NS_UNIFIED)
        ns_complain_clash(check, pattern->span, scrutinee, term, nowhere, NULL);
}

static void infer_tuple(struct ns_check *check, const struct ns_pattern *pattern, struct ns_term *scrutinee)
{
    uint32_t count = pattern->items.count;
    struct ns_term **items;

    if (scrutinee->kind == NS_TERM_TUPLE && scrutinee->tuple.count == count) {
        for (uint32_t i = 0; i < count; i++)
            ns_infer_pattern(check, pattern->items.items[i], scrutinee->tuple.items[i]);
        return;
    }
    if (scrutinee->kind != NS_TERM_VARIABLE && (ns_is_unknown(scrutinee) || scrutinee->kind == NS_TERM_TUPLE)) {
        infer_all(check, &pattern->items, ns_any(check));
        return;
    }
    items = ns_terms(check, count);
    for (uint32_t i = 0; i < count; i++)
        items[i] = ns_variable(check);
    if (ns_unify(check, scrutinee, ns_tuple_of(check, items, count)) != NS_UNIFIED)
        ns_complain_clash(check, pattern->span, scrutinee, ns_tuple_of(check, items, count), nowhere, NULL);
    for (uint32_t i = 0; i < count; i++)
        ns_infer_pattern(check, pattern->items.items[i], items[i]);
}

/* ["lit" | rest] may be meant for a String. */
static bool may_be_prefix(const struct ns_pattern *pattern)
{
    const struct ns_pattern_list *items = &pattern->list.items;

    return pattern->list.rest != NULL && items->count > 0 && items->items[0]->kind == NS_PATTERN_LITERAL &&
           items->items[0]->literal.kind == NS_LITERAL_STRING;
}

static void infer_list(struct ns_check *check, const struct ns_pattern *pattern, struct ns_term *scrutinee)
{
    const struct ns_con *con = ns_con_of_term(scrutinee);
    struct ns_term *element, *list;

    if (con != NULL && con->number == NS_CON_STRING && pattern->list.items.count > 0) {
        infer_all(check, &pattern->list.items, ns_any(check));
        if (pattern->list.rest != NULL)
            ns_infer_pattern(check, pattern->list.rest, scrutinee);
        return;
    }
    if (scrutinee->kind == NS_TERM_VARIABLE && may_be_prefix(pattern))
        scrutinee = ns_any(check);
    element = scrutinee->kind == NS_TERM_ANY ? ns_any(check) : ns_variable(check);
    list = scrutinee->kind == NS_TERM_ANY ? scrutinee : ns_list_of(check, element);
    if (ns_unify(check, scrutinee, list) != NS_UNIFIED)
        ns_complain_clash(check, pattern->span, scrutinee, list, nowhere, NULL);
    infer_all(check, &pattern->list.items, element);
    if (pattern->list.rest != NULL)
        ns_infer_pattern(check, pattern->list.rest, list);
}

static void infer_map(struct ns_check *check, const struct ns_pattern *pattern, struct ns_term *scrutinee)
{
    const struct ns_con *con = ns_con_of_term(scrutinee);
    struct ns_term *value = ns_any(check);

    if (con != NULL && con->number == NS_CON_MAP)
        value = scrutinee->data.arguments[1];
    for (uint32_t i = 0; i < pattern->map.count; i++)
        ns_infer_pattern(check, pattern->map.items[i].value, value);
}

static struct ns_term *field_term(const struct ns_constructor_info *constructor, struct ns_term *const *fields,
                                  const char *name)
{
    for (uint32_t i = 0; i < constructor->fields->count; i++)
        if (constructor->fields->items[i].name.text == name)
            return fields[i];
    return NULL;
}

static void infer_parts(struct ns_check *check, const struct ns_pattern *pattern,
                        const struct ns_constructor_info *constructor, struct ns_term *const *fields)
{
    for (uint32_t i = 0; i < pattern->constructor.items.count; i++)
        ns_infer_pattern(check, pattern->constructor.items.items[i],
                         constructor != NULL && i < constructor->fields->count ? fields[i] : ns_any(check));
    for (uint32_t i = 0; i < pattern->constructor.fields.count; i++) {
        const struct ns_field_pattern *field = &pattern->constructor.fields.items[i];
        struct ns_term *term = constructor == NULL ? NULL : field_term(constructor, fields, field->name.text);

        ns_infer_pattern(check, field->pattern, term == NULL ? ns_any(check) : term);
    }
}

/* Of the scrutinee's own type, if that has one of the name; else the one that is meant wherever it stands; NULL if that
 * is not certain. */
static struct ns_constructor_info *constructor_for(struct ns_check *check, const char *name, struct ns_term *scrutinee)
{
    const struct ns_constructors *all = ns_all_constructors(check->unit, check->body->space, name);
    const struct ns_con *con = ns_con_of_term(scrutinee);

    if (all == NULL)
        return NULL;
    for (size_t i = 0; con != NULL && con->info != NULL && i < all->items.count; i++)
        if (all->items.items[i]->type == con->info)
            return all->items.items[i];
    return all->items.count == 1 ? all->items.items[0] : NULL;
}

static void infer_constructor(struct ns_check *check, const struct ns_pattern *pattern, struct ns_term *scrutinee)
{
    const char *name = pattern->constructor.name;
    struct ns_constructor_info *constructor =
        strchr(name, '.') != NULL || scrutinee->kind == NS_TERM_ANY ? NULL : constructor_for(check, name, scrutinee);
    struct ns_term *result, **fields = NULL;

    if (constructor == NULL || constructor->type->item->kind != NS_ITEM_TYPE ||
        constructor->type->item->type.is_reactive) {
        infer_parts(check, pattern, NULL, NULL);
        return;
    }
    fields = ns_instantiate_constructor(check, constructor, &result);
    if (ns_unify(check, scrutinee, result) != NS_UNIFIED)
        ns_complain_clash(check, pattern->span, scrutinee, result, nowhere, NULL);
    infer_parts(check, pattern, constructor, fields);
}

static void infer_record(struct ns_check *check, const struct ns_pattern *pattern, struct ns_term *scrutinee)
{
    for (uint32_t i = 0; i < pattern->constructor.fields.count; i++) {
        const struct ns_field_pattern *field = &pattern->constructor.fields.items[i];
        bool open;
        struct ns_term *term = ns_field_of(check, scrutinee, field->name.text, &open);

        ns_infer_pattern(check, field->pattern, term == NULL ? ns_any(check) : term);
    }
}

/* Constructors of different types or patterns of different shapes, for a value that may be of any. */
static bool alternatives_differ(struct ns_check *check, const struct ns_pattern *pattern, struct ns_term *scrutinee)
{
    const struct ns_type_info *first = NULL;

    for (uint32_t i = 0; scrutinee->kind == NS_TERM_VARIABLE && i < pattern->items.count; i++) {
        const struct ns_pattern *item = pattern->items.items[i];
        const struct ns_constructor_info *constructor =
            item->kind != NS_PATTERN_CONSTRUCTOR || strchr(item->constructor.name, '.') != NULL
                ? NULL
                : constructor_for(check, item->constructor.name, scrutinee);

        if ((constructor != NULL && first != NULL && constructor->type != first) ||
            ns_pattern_disagrees(pattern->items.items[0], item))
            return true;
        if (constructor != NULL)
            first = constructor->type;
    }
    return false;
}

void ns_infer_pattern(struct ns_check *check, struct ns_pattern *pattern, struct ns_term *scrutinee)
{
    scrutinee = ns_prune(scrutinee);
    switch (pattern->kind) {
    case NS_PATTERN_WILDCARD:
    case NS_PATTERN_PIN:
        break;
    case NS_PATTERN_NAME:
        infer_name(check, pattern, scrutinee);
        break;
    case NS_PATTERN_LITERAL:
        infer_literal(check, pattern, scrutinee);
        break;
    case NS_PATTERN_RANGE:
        if (scrutinee->kind == NS_TERM_VARIABLE)
            ns_unify(check, scrutinee, ns_basic(check, NS_CON_INT));
        break;
    case NS_PATTERN_TUPLE:
        infer_tuple(check, pattern, scrutinee);
        break;
    case NS_PATTERN_LIST:
        infer_list(check, pattern, scrutinee);
        break;
    case NS_PATTERN_CONSTRUCTOR:
        infer_constructor(check, pattern, scrutinee);
        break;
    case NS_PATTERN_RECORD:
        infer_record(check, pattern, scrutinee);
        break;
    case NS_PATTERN_MAP:
        infer_map(check, pattern, scrutinee);
        break;
    case NS_PATTERN_SET:
        infer_all(check, &pattern->items, ns_any(check));
        break;
    case NS_PATTERN_OR:
        infer_all(check, &pattern->items, alternatives_differ(check, pattern, scrutinee) ? ns_any(check) : scrutinee);
        break;
    }
}

/* ---- arms ---- */

static struct ns_term *infer_arm(struct ns_check *check, const struct ns_arm *arm, struct ns_term *scrutinee,
                                 struct ns_term *expected)
{
    size_t scope = ns_names_begin(check);
    struct ns_term *term;

    ns_infer_pattern(check, arm->pattern, scrutinee);
    if (arm->guard != NULL)
        ns_infer_as(check, arm->guard, ns_basic(check, NS_CON_BOOL), nowhere, NULL);
    term = ns_infer(check, arm->body, expected);
    ns_settle(check);
    ns_names_end(check, scope);
    return term;
}

struct ns_term *ns_infer_arms(struct ns_check *check, const struct ns_arm_list *arms, struct ns_term *scrutinee,
                              struct ns_term *expected, bool strict)
{
    bool used = expected == NULL || expected != check->discarded;
    struct ns_term *result = NULL;

    for (uint32_t i = 0; i < arms->count; i++) {
        struct ns_term *term = infer_arm(check, &arms->items[i], scrutinee, expected);

        if (used)
            result = result == NULL ? term
                                    : ns_join(check, result, term,
                                              &(struct ns_joining){ arms->items[i].body->span,
                                                                    arms->items[0].body->span, "the first arm",
                                                                    strict });
    }
    return result == NULL ? ns_any(check) : result;
}

/* Whether the arms leave open what is matched. A value whose type is known is of that type, but for tuples of every
 * shape (02 §5.7). */
static bool arms_disagree(struct ns_check *check, const struct ns_arm_list *arms, struct ns_term *scrutinee)
{
    const struct ns_pattern **patterns = nb_arena_array(check->arena, arms->count + 1, sizeof *patterns);

    for (uint32_t i = 0; i < arms->count; i++)
        patterns[i] = arms->items[i].pattern;
    if (scrutinee->kind == NS_TERM_TUPLE)
        return ns_is_known(scrutinee) ? ns_tuples_disagree(check, patterns, arms->count)
                                      : ns_patterns_disagree(check, patterns, arms->count);
    return !ns_is_known(scrutinee) && ns_patterns_disagree(check, patterns, arms->count);
}

struct ns_term *ns_infer_match(struct ns_check *check, struct ns_expr *expr, struct ns_term *expected)
{
    struct ns_term *scrutinee = ns_infer(check, expr->match.scrutinee, NULL), *result;

    ns_settle(check);
    result = ns_infer_arms(check, &expr->match.arms,
                           arms_disagree(check, &expr->match.arms, ns_prune(scrutinee)) ? ns_any(check) : scrutinee,
                           expected, true);
    if (!ns_is_muted(check))
        ns_check_exhaustive(check, expr, scrutinee);
    return result;
}
