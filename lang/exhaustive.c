/*
 * exhaustive.c - match arms that leave a constructor out (02 §9).
 *
 * The rule looks at the tops of patterns only: what is inside them, and guards, never make a constructor uncovered. So
 * the work is one pass over the arms.
 */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/intern.h"
#include "lang/infer.h"

struct coverage {
    const struct ns_type_info *type;  /* NULL: Bool */
    bool *covered;                    /* by position among the type's constructors; false, true of Bool */
    struct ns_table positions;        /* the type's constructors by name: the places in `covered` */
    bool everything;
};

/* Constructors are known by name (02 §3.5); an import may have given them another. If the type has none of that name,
 * it was guessed wrong, and nothing is said. */
static void cover(struct ns_check *check, struct coverage *coverage, const char *name)
{
    const struct ns_constructors *all = ns_all_constructors(check->unit, check->body->space, name);
    bool found = false;

    for (size_t i = 0; all != NULL && i < all->items.count; i++) {
        bool *covered = ns_table_get(&coverage->positions, all->items.items[i]->name);

        if (covered != NULL)
            *covered = found = true;
    }
    if (!found)
        coverage->everything = true;
}

static const char *bare(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot == NULL ? name : nb_intern(dot + 1);
}

static void look_at(struct ns_check *check, struct coverage *coverage, const struct ns_pattern *pattern)
{
    switch (pattern->kind) {
    case NS_PATTERN_CONSTRUCTOR:
        if (coverage->type != NULL && pattern->constructor.name != NULL)
            cover(check, coverage, bare(pattern->constructor.name));
        break;
    case NS_PATTERN_LITERAL:
        if (coverage->type == NULL && pattern->literal.kind == NS_LITERAL_BOOL)
            coverage->covered[pattern->literal.boolean] = true;
        break;
    case NS_PATTERN_OR:
        for (uint32_t i = 0; i < pattern->items.count; i++)
            look_at(check, coverage, pattern->items.items[i]);
        break;
    default: /* a wildcard, a name; others do not fit such a value and say nothing */
        coverage->everything = true;
        break;
    }
}

/* "`Wait`, `Go`"; of Option and Result "`Some(_)`, `None`"; of Bool "true, false". */
static void print_missing(struct nb_buf *out, const struct coverage *coverage, bool with_payload)
{
    for (uint32_t i = 0; i < (coverage->type == NULL ? 2 : coverage->type->count); i++) {
        uint32_t at = coverage->type == NULL ? 1 - i : i;

        if (coverage->covered[at])
            continue;
        if (out->length > 0)
            nb_buf_text(out, ", ");
        if (coverage->type == NULL)
            nb_buf_text(out, at == 1 ? "true" : "false");
        else
            nb_buf_printf(out, "`%s%s`", coverage->type->constructors[at]->name,
                          with_payload && coverage->type->constructors[at]->fields->count > 0 ? "(_)" : "");
    }
}

static void report(struct ns_check *check, struct ns_span where, const char *missing)
{
    ns_report(check->unit, where, "non-exhaustive patterns: %s not covered", missing);
    if (ns_reported(check->unit))
        ns_hint(check->unit->diag, "add patterns for the missing cases, or use `_` to match any value");
}

/* Nothing is covered yet. */
static void begin(struct ns_check *check, struct coverage *coverage)
{
    uint32_t count = coverage->type == NULL ? 2 : coverage->type->count;

    coverage->covered = nb_arena_array(check->arena, count, sizeof *coverage->covered);
    for (uint32_t i = 0; coverage->type != NULL && i < count; i++)
        ns_table_set(&coverage->positions, coverage->type->constructors[i]->name, &coverage->covered[i]);
}

/* Whether matches on such a type are looked at. */
static bool is_checked(struct ns_check *check, const struct ns_con *con)
{
    if (con->number == NS_CON_BOOL || con == ns_option_con(check) || con == ns_result_con(check))
        return true;
    return con->info != NULL && !con->info->space->library && con->arity == 0 && con->info->count > 0 &&
           con->info->item->kind == NS_ITEM_TYPE && con->info->item->type.kind == NS_DEFINE_VARIANT &&
           !con->info->item->type.is_reactive;
}

void ns_check_exhaustive(struct ns_check *check, const struct ns_expr *match, struct ns_term *scrutinee)
{
    const struct ns_con *con = ns_con_of_term(scrutinee);
    struct coverage coverage = { .type = con == NULL ? NULL : con->info };
    struct nb_buf missing = NB_BUF_INIT;

    if (con == NULL || !is_checked(check, con))
        return;
    begin(check, &coverage);
    for (uint32_t i = 0; i < match->match.arms.count && !coverage.everything; i++)
        look_at(check, &coverage, match->match.arms.items[i].pattern);
    if (!coverage.everything)
        print_missing(&missing, &coverage, con->info != NULL && con->info->space->library);
    if (missing.length > 0)
        report(check, match->span, nb_buf_cstr(&missing));
    ns_table_done(&coverage.positions);
    nb_buf_done(&missing);
}
