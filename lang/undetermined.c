/*
 * undetermined.c - a method call whose receiver nobody can ever determine (02 §12.3): inside of a lambda that is stored
 * in a record that a function returns, on a type that none of the function's parameters mentions.
 *
 * Only `map` and `flatMap` are looked at, which several built-in types have and no hint tells apart.
 */
#include "config.h"

#include <string.h>

#include "lang/infer.h"

enum { DEPTH_MAX = 30 };

static bool mentions(struct ns_term *term, const struct ns_term *variable, int depth)
{
    bool found = false;

    term = ns_prune(term);
    if (term == variable || depth == 0)
        return true; /* what is too deep to be looked at may be there */
    for (uint32_t i = 0; term->kind == NS_TERM_DATA && i < term->data.con->arity && !found; i++)
        found = mentions(term->data.arguments[i], variable, depth - 1);
    for (uint32_t i = 0; term->kind == NS_TERM_TUPLE && i < term->tuple.count && !found; i++)
        found = mentions(term->tuple.items[i], variable, depth - 1);
    if (term->kind != NS_TERM_FUNCTION)
        return found;
    for (uint32_t i = 0; i < term->function.count && !found; i++)
        found = mentions(term->function.parameters[i], variable, depth - 1);
    return found || mentions(term->function.result, variable, depth - 1);
}

static const struct ns_demand *mapped(const struct ns_term *variable)
{
    const struct ns_demand *demand = variable->variable.demands;

    while (demand != NULL && !(demand->kind == NS_DEMAND_METHOD && (strcmp(demand->name, "map") == 0 ||
                                                                     strcmp(demand->name, "flatMap") == 0)))
        demand = demand->next;
    return demand;
}

static bool has_function_field(const struct ns_type_info *info)
{
    for (uint32_t i = 0; i < info->count; i++)
        for (uint32_t k = 0; k < info->constructors[i]->fields->count; k++)
            if (info->constructors[i]->fields->items[k].type->kind == NS_TYPE_FUNCTION)
                return true;
    return false;
}

void ns_check_determined(struct ns_check *check, struct ns_term *scheme)
{
    struct ns_term *result = scheme->kind == NS_TERM_FUNCTION ? ns_prune(scheme->function.result) : scheme;
    const struct ns_con *con = ns_con_of_term(result);

    if (scheme->kind != NS_TERM_FUNCTION || scheme->function.count == 0 || con == NULL || con->info == NULL ||
        con->info->space->library || !has_function_field(con->info))
        return;
    for (uint32_t i = 0; i < con->arity; i++) {
        struct ns_term *variable = ns_prune(result->data.arguments[i]);
        const struct ns_demand *demand = variable->kind == NS_TERM_VARIABLE ? mapped(variable) : NULL;
        bool mentioned = false;

        for (uint32_t k = 0; demand != NULL && k < scheme->function.count; k++)
            mentioned = mentioned || mentions(scheme->function.parameters[k], variable, DEPTH_MAX);
        if (demand != NULL && !mentioned)
            ns_report(check->unit, demand->where, "cannot resolve trait method `%s` without type information",
                      demand->name);
    }
}
