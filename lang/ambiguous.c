/*
 * ambiguous.c - a method call whose receiver nothing can ever tell (02 §12.3).
 *
 * In
 *     listEnc(inner) = Enc(enc: items => items.map(it => …))
 * the type of `items` occurs in the result only, inside of a function that a field of the result holds. No caller says
 * what it is by passing arguments, so which `map` is meant stays open for good. Just this shape is looked for: a user's
 * type around the function, the methods that several built-in types have, and a receiver that no parameter mentions.
 */
#include "config.h"

#include <string.h>

#include "lang/infer.h"

enum { STEPS_MAX = 2000 };

struct search {
    struct ns_term *wanted;
    unsigned steps;
};

static bool mentions(struct search *search, struct ns_term *term);

static bool any_mentions(struct search *search, struct ns_term *const *terms, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (mentions(search, terms[i]))
            return true;
    return false;
}

/* A variable mentions what is demanded of it: the types of its fields and of its methods' arguments. */
static bool variable_mentions(struct search *search, const struct ns_term *variable)
{
    for (const struct ns_demand *demand = variable->variable.demands; demand != NULL; demand = demand->next)
        if ((demand->result != NULL && mentions(search, demand->result)) ||
            any_mentions(search, demand->arguments, demand->count))
            return true;
    return false;
}

/* Whether the wanted variable occurs; yes, if the search takes too long. */
static bool mentions(struct search *search, struct ns_term *term)
{
    term = ns_prune(term);
    if (term == search->wanted || search->steps++ >= STEPS_MAX)
        return true;
    switch (term->kind) {
    case NS_TERM_VARIABLE:
        return variable_mentions(search, term);
    case NS_TERM_DATA:
        return any_mentions(search, term->data.arguments, term->data.con->arity);
    case NS_TERM_FUNCTION:
        return any_mentions(search, term->function.parameters, term->function.count) ||
               mentions(search, term->function.result);
    case NS_TERM_TUPLE:
        return any_mentions(search, term->tuple.items, term->tuple.count);
    case NS_TERM_ANY:
    case NS_TERM_NEVER:
        break;
    }
    return false;
}

static bool parameters_mention(const struct ns_term *function, struct ns_term *variable)
{
    struct search search = { .wanted = variable };

    return any_mentions(&search, function->function.parameters, function->function.count);
}

/* The callback is a parameter itself: whoever passes it knows. */
static bool takes_parameter(const struct ns_term *function, const struct ns_demand *demand)
{
    for (uint32_t i = 0; i < demand->count; i++)
        for (uint32_t k = 0; k < function->function.count; k++)
            if (ns_prune(demand->arguments[i]) == ns_prune(function->function.parameters[k]))
                return true;
    return false;
}

static const struct ns_demand *open_method(const struct ns_term *function, const struct ns_term *variable)
{
    const struct ns_demand *demand = variable->variable.demands;

    for (; demand != NULL; demand = demand->next)
        if (demand->kind == NS_DEMAND_METHOD &&
            (strcmp(demand->name, "map") == 0 || strcmp(demand->name, "flatMap") == 0) &&
            !takes_parameter(function, demand))
            return demand;
    return NULL;
}

/* Whether a field of the type holds a function that takes the type's parameter of that number. */
static bool is_taken_by_a_field(const struct ns_type_info *info, uint32_t number)
{
    const char *parameter = info->item->type.parameters.items[number].name.text;

    for (uint32_t i = 0; i < info->count; i++)
        for (uint32_t k = 0; k < info->constructors[i]->fields->count; k++) {
            const struct ns_type *type = info->constructors[i]->fields->items[k].type;

            for (uint32_t n = 0; type->kind == NS_TYPE_FUNCTION && n < type->function.parameters.count; n++) {
                const struct ns_type *taken = type->function.parameters.items[n];

                if ((taken->kind == NS_TYPE_VARIABLE && taken->variable == parameter) ||
                    (taken->kind == NS_TYPE_NAMED && taken->named.name == parameter))
                    return true;
            }
        }
    return false;
}

void ns_check_ambiguous(struct ns_check *check, const struct ns_term *function)
{
    const struct ns_term *result = function->kind == NS_TERM_FUNCTION ? ns_prune(function->function.result) : NULL;
    const struct ns_con *con = result != NULL && result->kind == NS_TERM_DATA ? result->data.con : NULL;

    if (con == NULL || con->info == NULL || con->info->space->library || con->info->item->kind != NS_ITEM_TYPE)
        return;
    for (uint32_t i = 0; i < con->arity; i++) {
        struct ns_term *argument = ns_prune(result->data.arguments[i]);
        const struct ns_demand *demand =
            argument->kind == NS_TERM_VARIABLE ? open_method(function, argument) : NULL;

        if (demand == NULL || !is_taken_by_a_field(con->info, i) || parameters_mention(function, argument) ||
            ns_is_muted(check))
            continue;
        ns_report(check->unit, demand->where, "cannot resolve trait method `%s` without type information",
                  demand->name);
        if (ns_reported(check->unit))
            ns_hint(check->unit->diag, "annotate the parameter that `%s` is called on", demand->name);
    }
}
