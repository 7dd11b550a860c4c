/*
 * unify.c - making two types one (02 §5.8), trials, levels, schemes.
 *
 * Whatever is done here is bounded: a step costs fuel, and recursion has a depth. A type that is too large to be looked
 * at whole is taken to fit, and its copy ends in NS_TERM_ANY. So the classical programs whose types grow exponentially
 * cost no more than others.
 */
#include "config.h"

#include <string.h>

#include "lang/infer.h"

enum { STEPS_MAX = 5000, DEPTH_MAX = 500, DEMANDS_MAX = 200 };

/* ---- trials ---- */

struct ns_trial ns_trial_begin(struct ns_check *check)
{
    check->trials++;
    return (struct ns_trial){ check->changes.count, check->work.count };
}

static void take_back(const struct ns_change *change)
{
    change->variable->variable.link = change->link;
    change->variable->variable.demands = change->demands;
    change->variable->variable.level = change->level;
}

void ns_trial_end(struct ns_check *check, struct ns_trial trial, bool keep)
{
    while (!keep && check->changes.count > trial.changes)
        take_back(&check->changes.items[--check->changes.count]);
    if (!keep && check->work.count > trial.work)
        check->work.count = trial.work;
    if (--check->trials == 0)
        check->changes.count = 0;
}

/* Before a variable changes. */
static void note(struct ns_check *check, struct ns_term *variable)
{
    if (check->trials > 0)
        ns_push(check->unit, &check->changes,
                ((struct ns_change){ variable, variable->variable.link, variable->variable.demands,
                                     variable->variable.level }));
}

/* ---- levels ---- */

static bool step(struct ns_check *check)
{
    if (check->fuel == 0 || check->depth >= DEPTH_MAX)
        return false;
    check->fuel--;
    return true;
}

static bool lower(struct ns_check *check, struct ns_term *term, int32_t level, const struct ns_term *sought);

static bool lower_all(struct ns_check *check, struct ns_term *const *terms, uint32_t count, int32_t level,
                      const struct ns_term *sought)
{
    bool found = false;

    for (uint32_t i = 0; i < count; i++)
        found = lower(check, terms[i], level, sought) || found;
    return found;
}

/* What a variable is asked to be belongs where the variable does. */
static void lower_demands(struct ns_check *check, const struct ns_demand *demand, int32_t level)
{
    for (; demand != NULL; demand = demand->next) {
        if (demand->result != NULL)
            lower(check, demand->result, level, NULL);
        lower_all(check, demand->arguments, demand->count, level, NULL);
    }
}

static bool lower_variable(struct ns_check *check, struct ns_term *variable, int32_t level)
{
    if (variable->variable.level <= level || variable->variable.level == NS_LEVEL_QUANTIFIED)
        return false;
    note(check, variable);
    variable->variable.level = level;
    lower_demands(check, variable->variable.demands, level);
    return false;
}

/* Bring the variables of a term up to `level`; whether `sought` is among them. */
static bool lower(struct ns_check *check, struct ns_term *term, int32_t level, const struct ns_term *sought)
{
    bool found = false;

    term = ns_prune(term);
    if (term == sought)
        return true;
    if (!step(check))
        return false;
    check->depth++;
    if (term->kind == NS_TERM_VARIABLE)
        found = lower_variable(check, term, level);
    else if (term->kind == NS_TERM_DATA)
        found = lower_all(check, term->data.arguments, term->data.con->arity, level, sought);
    else if (term->kind == NS_TERM_TUPLE)
        found = lower_all(check, term->tuple.items, term->tuple.count, level, sought);
    else if (term->kind == NS_TERM_FUNCTION)
        found = lower_all(check, &term->function.result, 1, level, sought) ||
                lower_all(check, term->function.parameters, term->function.count, level, sought);
    check->depth--;
    return found;
}

/* ---- demands ---- */

static bool same_demand(const struct ns_demand *left, const struct ns_demand *right)
{
    return left->kind == right->kind && left->kind != NS_DEMAND_METHOD && left->name == right->name &&
           left->trait == right->trait;
}

static enum ns_unified unify(struct ns_check *check, struct ns_term *expected, struct ns_term *found);

/* Hang a demand on a variable; of two for the same field the types are one. */
static void hang(struct ns_check *check, struct ns_term *variable, const struct ns_demand *demand)
{
    struct ns_demand *own;
    unsigned count = 0;

    for (const struct ns_demand *there = variable->variable.demands; there != NULL; there = there->next) {
        if (same_demand(there, demand)) {
            if (demand->kind == NS_DEMAND_FIELD)
                unify(check, there->result, demand->result);
            return;
        }
        if (++count == DEMANDS_MAX)
            return;
    }
    own = nb_arena_alloc(check->arena, sizeof *own);
    *own = *demand;
    own->subject = variable;
    note(check, variable);
    own->next = variable->variable.demands;
    variable->variable.demands = own;
    lower_demands(check, &(struct ns_demand){ .result = own->result, .arguments = own->arguments, .count = own->count },
                  variable->variable.level);
}

static void refuel(struct ns_check *check)
{
    check->fuel = STEPS_MAX;
    check->depth = 0;
}

void ns_demand(struct ns_check *check, struct ns_demand *demand)
{
    struct ns_term *subject = ns_prune(demand->subject);

    if (subject->kind == NS_TERM_ANY || subject->kind == NS_TERM_NEVER)
        return;
    if (subject->kind != NS_TERM_VARIABLE) {
        ns_push(check->unit, &check->work, demand);
        return;
    }
    if (subject->variable.level == NS_LEVEL_QUANTIFIED)
        return;
    refuel(check);
    hang(check, subject, demand);
}

void ns_demand_trait(struct ns_check *check, struct ns_term *subject, const char *trait,
                     const struct ns_trait_info *info, struct ns_span where, const char *of)
{
    struct ns_demand *demand = nb_arena_alloc(check->arena, sizeof *demand);

    demand->kind = NS_DEMAND_TRAIT;
    demand->subject = subject;
    demand->name = trait;
    demand->trait = info;
    demand->where = where;
    demand->of = of;
    ns_demand(check, demand);
}

/* ---- unification ---- */

static enum ns_unified clash(struct ns_check *check, enum ns_unified how, struct ns_term *expected,
                             struct ns_term *found)
{
    check->clash = (struct ns_clash){ how, expected, found };
    return how;
}

static void link_to(struct ns_check *check, struct ns_term *variable, struct ns_term *term)
{
    const struct ns_demand *demands = variable->variable.demands;

    note(check, variable);
    variable->variable.link = term;
    if (term->kind == NS_TERM_VARIABLE && term->variable.name == NULL)
        term->variable.name = variable->variable.name;
    if (term->kind == NS_TERM_ANY)
        return;
    for (const struct ns_demand *demand = demands; demand != NULL; demand = demand->next)
        if (term->kind == NS_TERM_VARIABLE)
            hang(check, term, demand);
        else
            ns_push(check->unit, &check->work, (struct ns_demand *)demand);
}

static enum ns_unified bind(struct ns_check *check, struct ns_term *variable, struct ns_term *term,
                            enum ns_unified failed)
{
    if (variable->variable.level == NS_LEVEL_QUANTIFIED)
        return NS_UNIFIED;
    if (term->kind == NS_TERM_VARIABLE && term->variable.level == NS_LEVEL_QUANTIFIED)
        return NS_UNIFIED;
    if (lower(check, term, variable->variable.level, variable))
        return failed;
    link_to(check, variable, term);
    return NS_UNIFIED;
}

static enum ns_unified unify_all(struct ns_check *check, struct ns_term *const *expected, struct ns_term *const *found,
                                 uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        enum ns_unified how = unify(check, expected[i], found[i]);

        if (how != NS_UNIFIED)
            return how;
    }
    return NS_UNIFIED;
}

static bool is_pair(enum ns_con_number a, enum ns_con_number b, enum ns_con_number left, enum ns_con_number right)
{
    return (a == left && b == right) || (a == right && b == left);
}

/* A typed array and a list: what the list's elements must be; NULL when it is no such pair. */
static struct ns_term *array_element(struct ns_check *check, const struct ns_con *array, const struct ns_con *list)
{
    if (list->number != NS_CON_LIST)
        return NULL;
    if (array->number == NS_CON_INT64_ARRAY)
        return ns_basic(check, NS_CON_INT);
    if (array->number == NS_CON_FLOAT64_ARRAY || array->number == NS_CON_FLOAT32_ARRAY)
        return ns_basic(check, NS_CON_FLOAT);
    return NULL;
}

/* Types with different constructors that go together all the same. */
static enum ns_unified unify_heads(struct ns_check *check, struct ns_term *expected, struct ns_term *found)
{
    const struct ns_con *a = expected->data.con, *b = found->data.con;
    struct ns_term *element;

    if (is_pair(a->number, b->number, NS_CON_PID, NS_CON_UNIT) ||
        is_pair(a->number, b->number, NS_CON_SERVER, NS_CON_INT) ||
        is_pair(a->number, b->number, NS_CON_WEB_SOCKET, NS_CON_INT) || a->number == NS_CON_IO ||
        b->number == NS_CON_IO)
        return NS_UNIFIED;
    if (a->info != NULL && b->info != NULL && a->info->space->library != b->info->space->library &&
        a->info->name == b->info->name)
        return NS_UNIFIED; /* the program's own Result, say, where a library function speaks of Result (02 §2.1) */
    if ((a->record != NULL || b->record != NULL) && strcmp(a->name, b->name) == 0)
        return NS_UNIFIED; /* the program's own HttpRequest (05 §7.2) */
    if (is_pair(a->number, b->number, NS_CON_LIST, NS_CON_ARRAY))
        return unify(check, expected->data.arguments[0], found->data.arguments[0]);
    if ((element = array_element(check, a, b)) != NULL)
        return unify(check, element, found->data.arguments[0]);
    if ((element = array_element(check, b, a)) != NULL)
        return unify(check, expected->data.arguments[0], element);
    return clash(check, NS_MISMATCH, expected, found);
}

/* A function of several parameters where one of a tuple is wanted takes the tuple apart (02 §6.5). */
static enum ns_unified unify_spread(struct ns_check *check, struct ns_term *unary, struct ns_term *spread)
{
    struct ns_term *parameter = ns_prune(unary->function.parameters[0]);
    struct ns_term *tuple;
    enum ns_unified how;

    if (parameter->kind != NS_TERM_VARIABLE && parameter->kind != NS_TERM_ANY &&
        !(parameter->kind == NS_TERM_TUPLE && parameter->tuple.count == spread->function.count))
        return clash(check, NS_WRONG_COUNT, unary, spread);
    tuple = ns_tuple_of(check, spread->function.parameters, spread->function.count);
    how = unify(check, parameter, tuple);
    return how != NS_UNIFIED ? how : unify(check, unary->function.result, spread->function.result);
}

static bool takes(const struct ns_term *function, uint32_t count)
{
    return count >= function->function.required && count <= function->function.count;
}

static enum ns_unified unify_functions(struct ns_check *check, struct ns_term *expected, struct ns_term *found)
{
    uint32_t count = expected->function.count;
    enum ns_unified how;

    if (count != found->function.count) {
        if (count == 1 && found->function.count > 1 && found->function.required > 1)
            return unify_spread(check, expected, found);
        if (found->function.count == 1 && count > 1 && expected->function.required > 1) {
            how = unify_spread(check, found, expected);
            return how == NS_WRONG_COUNT || how == NS_INFINITE ? clash(check, NS_WRONG_COUNT, expected, found) : how;
        }
        if (!takes(found, count) && !takes(expected, found->function.count))
            return clash(check, NS_WRONG_COUNT, expected, found);
        count = count < found->function.count ? count : found->function.count;
    }
    how = unify_all(check, expected->function.parameters, found->function.parameters, count);
    return how != NS_UNIFIED ? how : unify(check, expected->function.result, found->function.result);
}

static enum ns_unified unify_known(struct ns_check *check, struct ns_term *expected, struct ns_term *found)
{
    if (expected->kind != found->kind)
        return clash(check, NS_MISMATCH, expected, found);
    if (expected->kind == NS_TERM_FUNCTION)
        return unify_functions(check, expected, found);
    if (expected->kind == NS_TERM_TUPLE)
        return expected->tuple.count != found->tuple.count
                   ? clash(check, NS_MISMATCH, expected, found)
                   : unify_all(check, expected->tuple.items, found->tuple.items, expected->tuple.count);
    if (expected->data.con != found->data.con)
        return unify_heads(check, expected, found);
    return unify_all(check, expected->data.arguments, found->data.arguments, expected->data.con->arity);
}

/* The one with fewer behind it is bound, so that no walk along links is long. */
static enum ns_unified bind_variables(struct ns_check *check, struct ns_term *expected, struct ns_term *found)
{
    if (expected->rank > found->rank)
        return bind(check, found, expected, NS_INFINITE);
    if (expected->rank == found->rank)
        found->rank++;
    return bind(check, expected, found, NS_INFINITE);
}

static enum ns_unified unify(struct ns_check *check, struct ns_term *expected, struct ns_term *found)
{
    enum ns_unified how;

    expected = ns_prune(expected);
    found = ns_prune(found);
    if (expected == found || expected->kind == NS_TERM_NEVER || found->kind == NS_TERM_NEVER || !step(check))
        return NS_UNIFIED;
    check->depth++;
    if (found->kind == NS_TERM_VARIABLE && expected->kind == NS_TERM_VARIABLE)
        how = bind_variables(check, expected, found);
    else if (found->kind == NS_TERM_VARIABLE)
        how = bind(check, found, expected, NS_INFINITE);
    else if (expected->kind == NS_TERM_VARIABLE)
        how = bind(check, expected, found, NS_INFINITE);
    else if (expected->kind == NS_TERM_ANY || found->kind == NS_TERM_ANY)
        how = NS_UNIFIED;
    else
        how = unify_known(check, expected, found);
    if (how == NS_INFINITE)
        clash(check, how, expected, found);
    check->depth--;
    return how;
}

enum ns_unified ns_unify(struct ns_check *check, struct ns_term *expected, struct ns_term *found)
{
    refuel(check);
    return unify(check, expected, found);
}

bool ns_would_unify(struct ns_check *check, struct ns_term *expected, struct ns_term *found)
{
    struct ns_trial trial = ns_trial_begin(check);
    bool fits = ns_unify(check, expected, found) == NS_UNIFIED;

    ns_trial_end(check, trial, false);
    return fits;
}

void ns_loosen(struct ns_check *check, struct ns_term *term)
{
    struct ns_term *last = NULL;

    for (; term->kind == NS_TERM_VARIABLE && term->variable.link != NULL; term = term->variable.link)
        last = term;
    if (last == NULL)
        return;
    note(check, last);
    last->variable.link = ns_any(check);
}

/* ---- schemes ---- */

void ns_level_enter(struct ns_check *check)
{
    check->level++;
}

void ns_level_leave(struct ns_check *check)
{
    check->level--;
}

void ns_lower_level(struct ns_check *check, struct ns_term *term)
{
    refuel(check);
    lower(check, term, check->level, NULL);
}

static void generalise(struct ns_check *check, struct ns_term *term);

static void generalise_all(struct ns_check *check, struct ns_term *const *terms, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        generalise(check, terms[i]);
}

static void generalise_variable(struct ns_check *check, struct ns_term *variable)
{
    if (variable->variable.level <= check->level || variable->variable.level == NS_LEVEL_QUANTIFIED)
        return;
    note(check, variable);
    variable->variable.level = NS_LEVEL_QUANTIFIED;
    for (const struct ns_demand *demand = variable->variable.demands; demand != NULL; demand = demand->next) {
        if (demand->result != NULL)
            generalise(check, demand->result);
        generalise_all(check, demand->arguments, demand->count);
    }
}

static void generalise(struct ns_check *check, struct ns_term *term)
{
    term = ns_prune(term);
    if (!step(check))
        return;
    check->depth++;
    switch (term->kind) {
    case NS_TERM_VARIABLE:
        generalise_variable(check, term);
        break;
    case NS_TERM_DATA:
        generalise_all(check, term->data.arguments, term->data.con->arity);
        break;
    case NS_TERM_FUNCTION:
        generalise_all(check, term->function.parameters, term->function.count);
        generalise(check, term->function.result);
        break;
    case NS_TERM_TUPLE:
        generalise_all(check, term->tuple.items, term->tuple.count);
        break;
    case NS_TERM_ANY:
    case NS_TERM_NEVER:
        break;
    }
    check->depth--;
}

struct ns_term *ns_generalise(struct ns_check *check, struct ns_term *term)
{
    refuel(check);
    generalise(check, term);
    return check->fuel == 0 ? ns_any(check) : term;
}

/* Where copies of demands report. */
struct copying { struct ns_check *check; struct ns_span where; const char *of; };

static struct ns_term *copy(const struct copying *copying, struct ns_term *term);

/* The copies of terms, or the array itself if all are the same. */
static struct ns_term **copy_all(const struct copying *copying, struct ns_term **terms, uint32_t count)
{
    struct ns_term **copies = terms;

    for (uint32_t i = 0; i < count; i++) {
        struct ns_term *made = copy(copying, terms[i]);

        if (made != terms[i] && copies == terms) {
            copies = ns_terms(copying->check, count);
            memcpy(copies, terms, i * sizeof *copies);
        }
        if (copies != terms)
            copies[i] = made;
    }
    return copies;
}

static void copy_demands(const struct copying *copying, struct ns_term *from, struct ns_term *to)
{
    struct ns_demand **end = &to->variable.demands;

    for (const struct ns_demand *demand = from->variable.demands; demand != NULL; demand = demand->next) {
        struct ns_demand *made = nb_arena_alloc(copying->check->arena, sizeof *made);

        *made = *demand;
        made->subject = to;
        made->next = NULL;
        if (demand->result != NULL)
            made->result = copy(copying, demand->result);
        made->arguments = copy_all(copying, demand->arguments, demand->count);
        if (copying->where.source != NULL) {
            made->origin = demand->origin.source != NULL ? demand->origin : demand->where;
            made->where = copying->where;
        }
        if (copying->of != NULL)
            made->of = copying->of;
        *end = made;
        end = &made->next;
    }
}

static struct ns_term *copy_variable(const struct copying *copying, struct ns_term *variable)
{
    if (variable->variable.level != NS_LEVEL_QUANTIFIED)
        return variable;
    if (variable->variable.stamp != copying->check->stamp) {
        variable->variable.stamp = copying->check->stamp;
        variable->variable.copy = ns_variable(copying->check);
        variable->variable.copy->variable.name = variable->variable.name;
        copy_demands(copying, variable, variable->variable.copy);
    }
    return variable->variable.copy;
}

static struct ns_term *copy_function(const struct copying *copying, struct ns_term *term)
{
    struct ns_term **parameters = copy_all(copying, term->function.parameters, term->function.count);
    struct ns_term *result = copy(copying, term->function.result);

    if (parameters == term->function.parameters && result == term->function.result)
        return term;
    return ns_function_of(copying->check, parameters, term->function.count, term->function.required, result);
}

static struct ns_term *copy_known(const struct copying *copying, struct ns_term *term)
{
    struct ns_term **parts;

    switch (term->kind) {
    case NS_TERM_DATA:
        parts = copy_all(copying, term->data.arguments, term->data.con->arity);
        return parts == term->data.arguments ? term : ns_data(copying->check, term->data.con, parts);
    case NS_TERM_TUPLE:
        parts = copy_all(copying, term->tuple.items, term->tuple.count);
        return parts == term->tuple.items ? term : ns_tuple_of(copying->check, parts, term->tuple.count);
    case NS_TERM_FUNCTION:
        return copy_function(copying, term);
    default:
        return term;
    }
}

static struct ns_term *copy(const struct copying *copying, struct ns_term *term)
{
    struct ns_check *check = copying->check;

    term = ns_prune(term);
    if (!step(check))
        return ns_any(check);
    check->depth++;
    term = term->kind == NS_TERM_VARIABLE ? copy_variable(copying, term) : copy_known(copying, term);
    check->depth--;
    return term;
}

struct ns_term *ns_instantiate(struct ns_check *check, struct ns_term *scheme, struct ns_span where, const char *of)
{
    struct copying copying = { check, where, of };

    refuel(check);
    check->stamp++;
    return copy(&copying, scheme);
}
