/*
 * infer_demand.c - the work that waits for a variable's type: fields, methods, traits (02 §5.5).
 */
#include "config.h"

#include <string.h>

#include "lang/infer.h"

enum { SETTLE_MAX = 5000 }; /* demands worked off at a time; what is beyond is let go */

/* The error that was just reported shows where a function is called: show what in it is the reason, too. */
static void label_origin(struct ns_check *check, const struct ns_demand *demand, size_t errors)
{
    if (ns_diag_count(check->unit->diag) > errors && demand->origin.source != NULL && !demand->origin.source->library)
        ns_label(check->unit->diag, demand->origin, "what asks for it");
}

/* What was expected before the receiver was known may be of another kind of numbers, or have such elements. */
static bool fits(struct ns_check *check, struct ns_term *expected, struct ns_term *found)
{
    if (ns_unify(check, expected, found) == NS_UNIFIED)
        return true;
    if (check->clash.how != NS_MISMATCH || !ns_mix_numbers(check, check->clash.expected, check->clash.found))
        return false;
    if (ns_is_number(expected))
        ns_loosen(check, expected);
    return true;
}

static void settle_field(struct ns_check *check, const struct ns_demand *demand)
{
    bool open;
    struct ns_term *field = ns_field_of(check, demand->subject, demand->name, &open);

    if (field == NULL && !open) {
        ns_complain_field(check, demand->where, demand->subject, demand->name);
        return;
    }
    if (field != NULL && !fits(check, demand->result, field))
        ns_complain_clash(check, demand->where, demand->result, field, (struct ns_span){ NULL, 0, 0 }, NULL);
}

static void settle_method(struct ns_check *check, const struct ns_demand *demand)
{
    uint32_t count = demand->count + 1;
    struct ns_typed_argument *arguments = nb_arena_array(check->arena, count, sizeof *arguments);
    struct ns_method_call call = *demand->call;
    struct ns_term *result;

    call.span = demand->where;
    call.space = demand->space;
    for (uint32_t i = 0; i < count; i++) {
        arguments[i].term = i == 0 ? demand->subject : demand->arguments[i - 1];
        arguments[i].span = demand->where;
    }
    result = ns_call_method(check, demand->name, arguments, count, &call);
    if (!fits(check, demand->result, result))
        ns_complain_clash(check, demand->where, demand->result, result, (struct ns_span){ NULL, 0, 0 }, NULL);
}

static void settle_trait(struct ns_check *check, const struct ns_demand *demand)
{
    struct ns_term *culprit;

    if (ns_satisfies(check, demand->subject, demand->name, demand->trait, demand, &culprit) != NS_NO)
        return;
    if (strcmp(demand->name, "Floating") == 0 && ns_is_number(culprit))
        ns_push(check->unit, &check->late, demand); /* dist(1, 2.5) is fine when both go into one sqrt() */
    else
        ns_complain_demand(check, demand, culprit);
}

void ns_settle_late(struct ns_check *check, size_t first)
{
    for (size_t i = first; i < check->late.count; i++) {
        const struct ns_demand *demand = check->late.items[i];
        size_t errors = ns_diag_count(check->unit->diag);
        struct ns_term *culprit;

        if (ns_satisfies(check, demand->subject, demand->name, demand->trait, NULL, &culprit) == NS_NO)
            ns_complain_demand(check, demand, culprit);
        label_origin(check, demand, errors);
    }
    check->late.count = first;
}

void ns_check_demands_of(struct ns_check *check, struct ns_term *variable, struct ns_term *term, struct ns_span where)
{
    const struct ns_demand *demand;

    variable = ns_prune(variable);
    term = ns_prune(term);
    if (variable->kind != NS_TERM_VARIABLE || ns_is_unknown(term))
        return;
    for (demand = variable->variable.demands; demand != NULL; demand = demand->next)
        if ((demand->kind == NS_DEMAND_TRAIT || demand->kind == NS_DEMAND_CONCAT) &&
            ns_satisfies(check, term, demand->name, demand->trait, NULL, NULL) == NS_NO)
            ns_complain_trait(check, where, term, demand->name, NULL);
}

static void settle_one(struct ns_check *check, const struct ns_demand *demand)
{
    size_t errors = ns_diag_count(check->unit->diag);

    if (ns_is_unknown(ns_prune(demand->subject)))
        return;
    switch (demand->kind) {
    case NS_DEMAND_TRAIT:
    case NS_DEMAND_CONCAT:
        settle_trait(check, demand);
        break;
    case NS_DEMAND_FIELD:
        settle_field(check, demand);
        break;
    case NS_DEMAND_METHOD:
        settle_method(check, demand);
        break;
    }
    label_origin(check, demand, errors);
}

void ns_settle(struct ns_check *check)
{
    if (check->settling || check->trials > 0)
        return;
    check->settling = true;
    for (size_t i = 0; i < check->work.count && i < SETTLE_MAX; i++)
        settle_one(check, check->work.items[i]);
    check->work.count = 0;
    check->settling = false;
}
