/*
 * check.c - the checker's state and order of work: groups of functions that call each other, callees before callers.
 *
 * The components of the call graph are found by Tarjan's algorithm with a stack of its own, as programs are as long as
 * they like. Inside a component functions have one type each, unless they are fully annotated; afterwards they are
 * generalised (02 §5.2). Methods of implementations are looked at first; calls of a method do not make an edge, as it
 * is its declared type that counts.
 */
#include "config.h"

#include "lang/check.h"

#include <string.h>

#include "lang/infer.h"
#include "lang/walk.h"

static const struct ns_span nowhere = { NULL, 0, 0 };

/* ---- what is known of a function ---- */

struct ns_typing *ns_typing_of(struct ns_check *check, struct ns_group *group)
{
    if (group->typing == NULL)
        group->typing = nb_arena_alloc(check->arena, sizeof *group->typing);
    return group->typing;
}

struct ns_term *ns_term_of_group(struct ns_check *check, struct ns_group *group, struct ns_span where)
{
    const struct ns_typing *typing;
    struct ns_term *scheme;

    if (group->space->library) {
        scheme = ns_scheme_of_library(check, group);
        return scheme == NULL ? ns_any(check) : ns_instantiate(check, scheme, where, group->name);
    }
    typing = ns_typing_of(check, group);
    if (typing->state == NS_TYPING_DONE)
        return ns_instantiate(check, typing->term, where, group->name);
    if (typing->declared != NULL)
        return ns_instantiate(check, typing->declared, where, group->name);
    return typing->state == NS_TYPING_BUSY ? typing->term : ns_any(check);
}

struct ns_term *ns_term_of_value(struct ns_check *check, struct ns_value *value, struct ns_span where)
{
    struct ns_term *function;

    if (value->space->library)
        return ns_any(check);
    if (value->kind != NS_VALUE_BINDING)
        return value->term == NULL ? ns_any(check) : value->term;
    if (value->lambda != NULL)
        return ns_term_of_group(check, value->lambda, where);
    function = ns_prune(ns_term_of_group(check, value->group, where));
    return function->kind == NS_TERM_FUNCTION ? function->function.result : ns_any(check);
}

/* ---- declared types ---- */

/* Where annotations of a group's clause are read. */
static void open_scope(struct ns_check *check, const struct ns_group *group, const struct ns_function *clause,
                       bool quantified, struct ns_type_scope *scope)
{
    const struct ns_implementation *implementation = group->typing->implementation;

    *scope = (struct ns_type_scope){ .space = group->space, .quantified = quantified };
    if (implementation != NULL) {
        struct ns_type_scope own = { .space = implementation->space, .quantified = quantified };

        own.self = ns_any(check);
        scope->self = ns_term_of_type(check, &own, implementation->item->implementation.type);
        scope->variables = own.variables;
    }
    ns_declare_type_parameters(check, scope, &clause->type_parameters);
}

/* The trait's words for a method, NULL when there are none with so many parameters. */
static const struct ns_function *declaration_of(const struct ns_group *group)
{
    const struct ns_implementation *implementation = group->typing->implementation;
    const struct ns_function_list *methods;

    if (implementation == NULL || implementation->trait == NULL)
        return NULL;
    methods = &implementation->trait->item->trait.methods;
    for (uint32_t i = 0; i < methods->count; i++)
        if (methods->items[i]->name.text == group->name && methods->items[i]->parameters.count == group->arity)
            return methods->items[i];
    return NULL;
}

/* A type the trait declares, in terms of the implementing one. */
static struct ns_term *term_of_trait(struct ns_check *check, const struct ns_group *group,
                                     const struct ns_type_scope *scope, const struct ns_type *type)
{
    struct ns_type_scope declared = { .space = group->typing->implementation->trait->space, .self = scope->self,
                                      .quantified = scope->quantified };
    struct ns_term *term = ns_term_of_type(check, &declared, type);

    ns_table_done(&declared.variables);
    return term;
}

/* What is declared of a parameter of a clause, by itself or by the trait; NULL: nothing. */
static struct ns_term *declared_parameter(struct ns_check *check, const struct ns_group *group,
                                          const struct ns_function *clause, uint32_t position,
                                          struct ns_type_scope *scope)
{
    const struct ns_type *type = clause->parameters.items[position].type;
    const struct ns_function *declaration = declaration_of(group);

    if (group->typing->implementation != NULL && position == 0)
        return scope->self;
    if (type != NULL)
        return ns_term_of_type(check, scope, type);
    if (declaration == NULL || declaration->parameters.items[position].type == NULL)
        return NULL;
    return term_of_trait(check, group, scope, declaration->parameters.items[position].type);
}

static struct ns_term *declared_result(struct ns_check *check, const struct ns_group *group,
                                       const struct ns_function *clause, struct ns_type_scope *scope)
{
    const struct ns_function *declaration = declaration_of(group);

    if (clause->return_type != NULL)
        return ns_term_of_type(check, scope, clause->return_type);
    if (declaration == NULL || declaration->return_type == NULL)
        return NULL;
    return term_of_trait(check, group, scope, declaration->return_type);
}

/* The scheme that the annotations of the only clause give, NULL when they are not complete. */
static struct ns_term *declared_scheme(struct ns_check *check, const struct ns_group *group)
{
    const struct ns_function *clause = group->clauses.items[0];
    struct ns_term **parameters = ns_terms(check, group->arity), *result;
    struct ns_type_scope scope;
    bool complete;

    if (group->clauses.count != 1)
        return NULL;
    open_scope(check, group, clause, true, &scope);
    result = declared_result(check, group, clause, &scope);
    complete = result != NULL;
    for (uint32_t i = 0; i < group->arity && complete; i++) {
        parameters[i] = declared_parameter(check, group, clause, i, &scope);
        complete = parameters[i] != NULL;
    }
    ns_table_done(&scope.variables);
    return complete ? ns_function_of(check, parameters, group->arity, group->required, result) : NULL;
}

/* ---- one group ---- */

/* Whether clauses have patterns for a parameter that no one type fits. */
static bool is_open_position(struct ns_check *check, const struct ns_group *group, uint32_t position)
{
    uint32_t count = (uint32_t)group->clauses.count;
    const struct ns_pattern **patterns = nb_arena_array(check->arena, count, sizeof *patterns);

    for (uint32_t i = 0; i < count; i++)
        patterns[i] = group->clauses.items[i]->parameters.items[position].pattern;
    return ns_patterns_disagree(check, patterns, count);
}

static void unify_declared(struct ns_check *check, struct ns_term *term, struct ns_term *declared, struct ns_span where)
{
    if (declared != NULL && ns_unify(check, term, declared) != NS_UNIFIED)
        ns_complain_clash(check, where, term, declared, nowhere, NULL);
}

/* The type as far as annotations tell, one for all clauses. */
static void prepare(struct ns_check *check, struct ns_group *group)
{
    struct ns_typing *typing = ns_typing_of(check, group);
    struct ns_term **parameters = ns_terms(check, group->arity), *result = ns_variable(check);

    typing->declared = declared_scheme(check, group);
    typing->scopes = nb_arena_array(check->arena, group->clauses.count, sizeof *typing->scopes);
    for (uint32_t i = 0; i < group->arity; i++)
        parameters[i] = is_open_position(check, group, i) ? ns_any(check) : ns_variable(check);
    for (size_t k = 0; k < group->clauses.count; k++) {
        const struct ns_function *clause = group->clauses.items[k];

        open_scope(check, group, clause, false, &typing->scopes[k]);
        for (uint32_t i = 0; i < group->arity; i++)
            unify_declared(check, parameters[i], declared_parameter(check, group, clause, i, &typing->scopes[k]),
                           clause->parameters.items[i].pattern->span);
        unify_declared(check, result, declared_result(check, group, clause, &typing->scopes[k]), clause->name.span);
    }
    typing->term = ns_function_of(check, parameters, group->arity, group->required, result);
    typing->state = NS_TYPING_BUSY;
}

static bool throws(const struct ns_group *group)
{
    for (size_t i = 0; i < group->clauses.count; i++)
        if (group->clauses.items[i]->body != NULL && ns_throws_directly(group->clauses.items[i]->body))
            return true;
    return false;
}

static void infer_group(struct ns_check *check, struct ns_group *group)
{
    struct ns_typing *typing = group->typing;
    bool lenient = throws(group);

    for (size_t i = 0; i < group->clauses.count; i++) {
        const struct ns_type *declared = group->clauses.items[i]->return_type;
        struct ns_typed_body body = { .space = group->space, .result = typing->term->function.result,
                                      .declared = declared == NULL ? nowhere : declared->span,
                                      .types = &typing->scopes[i], .typing = typing, .lenient = lenient };

        ns_infer_clause(check, group->clauses.items[i], typing->term, &body);
        ns_table_done(&typing->scopes[i].variables);
        typing->failed |= body.failed;
    }
}

/* Where a body has been let off, only what is written down counts. */
static struct ns_term *loosened(struct ns_check *check, const struct ns_group *group)
{
    const struct ns_term *term = group->typing->term;
    struct ns_term **parameters = ns_terms(check, group->arity);
    bool declared = group->clauses.items[0]->return_type != NULL;

    for (uint32_t i = 0; i < group->arity; i++)
        parameters[i] = group->types[i] == NULL ? ns_any(check) : term->function.parameters[i];
    return ns_function_of(check, parameters, group->arity, group->required,
                          declared ? term->function.result : ns_any(check));
}

static void finish(struct ns_check *check, struct ns_group *group)
{
    struct ns_typing *typing = group->typing;

    if (typing->failed)
        typing->term = loosened(check, group);
    typing->term = ns_generalise(check, typing->term);
    ns_check_ambiguous(check, typing->term);
    typing->state = NS_TYPING_DONE;
}

static void infer_component(struct ns_check *check, struct ns_group *const *groups, size_t count)
{
    ns_level_enter(check);
    for (size_t i = 0; i < count; i++)
        prepare(check, groups[i]);
    for (size_t i = 0; i < count; i++)
        infer_group(check, groups[i]);
    ns_level_leave(check);
    for (size_t i = 0; i < count; i++)
        finish(check, groups[i]);
}

/* ---- the call graph ---- */

struct edges { NB_VEC(struct ns_group *) items; };

struct collecting { struct ns_check *check; struct ns_space *space; struct edges *edges; };

static void add_edge(const struct collecting *collecting, struct ns_group *group)
{
    struct edges *edges = collecting->edges;

    if (!group->space->library && (edges->items.count == 0 || nb_vec_last(&edges->items) != group))
        nb_vec_push(&edges->items, group);
}

static void add_meaning(const struct collecting *collecting, struct ns_meaning meaning)
{
    if (meaning.kind == NS_MEANS_FUNCTIONS)
        for (size_t i = 0; i < meaning.functions->groups.count; i++)
            add_edge(collecting, meaning.functions->groups.items[i]);
    if (meaning.kind == NS_MEANS_VALUE && meaning.value->kind == NS_VALUE_BINDING)
        add_edge(collecting, meaning.value->lambda != NULL ? meaning.value->lambda : meaning.value->group);
}

enum { PATH_MAX_NAMES = 16 };

/* a.b.C: few enough names that they may be a module's. */
static bool may_be_path(const struct ns_expr *expr)
{
    int names = 1;

    for (; expr->kind == NS_EXPR_FIELD; expr = expr->field.object)
        if (++names > PATH_MAX_NAMES)
            return false;
    return expr->kind == NS_EXPR_NAME || expr->kind == NS_EXPR_UPPER;
}

/* M.f, where M is no local as far as can be told here. */
static void add_member(const struct collecting *collecting, const struct ns_expr *receiver, const char *name)
{
    struct ns_typed_body body = { .space = collecting->space };
    struct ns_space *module;
    const char *path;

    if (!may_be_path(receiver))
        return;
    collecting->check->body = &body;
    if (ns_names_module(collecting->check, receiver, &module, &path))
        add_meaning(collecting, ns_qualified_meaning(collecting->check, module, path, name));
    collecting->check->body = NULL;
}

/* e.M.f(…), which is M.f(e, …) if M is a module. */
static void add_chained(const struct collecting *collecting, const struct ns_expr *receiver, const char *name)
{
    struct ns_typed_body body = { .space = collecting->space };
    struct ns_space *module;
    const char *path;

    if (receiver->kind != NS_EXPR_FIELD)
        return;
    collecting->check->body = &body;
    if (ns_chains_module(collecting->check, receiver, &module, &path))
        add_meaning(collecting, ns_qualified_meaning(collecting->check, module, path, name));
    collecting->check->body = NULL;
}

static void collect(void *context, struct ns_expr *expr)
{
    const struct collecting *collecting = context;
    struct ns_unit *unit = collecting->check->unit;

    if (expr->kind == NS_EXPR_NAME || expr->kind == NS_EXPR_UPPER)
        add_meaning(collecting, ns_find(unit, collecting->space, expr->name));
    if (expr->kind == NS_EXPR_METHOD_CALL) {
        add_meaning(collecting, ns_find(unit, collecting->space, expr->call.name.text));
        add_member(collecting, expr->call.receiver, expr->call.name.text);
        add_chained(collecting, expr->call.receiver, expr->call.name.text);
    }
    if (expr->kind == NS_EXPR_FIELD)
        add_member(collecting, expr->field.object, expr->field.name.text);
    ns_walk_children(expr, collect, context);
}

static void collect_edges(struct ns_check *check, const struct ns_group *group, struct edges *edges)
{
    struct collecting collecting = { check, group->space, edges };

    for (size_t i = 0; i < group->clauses.count; i++)
        ns_walk_function(group->clauses.items[i], collect, &collecting);
}

/* ---- components ---- */

struct visit { struct ns_group *group; struct edges edges; size_t next; };

struct walk {
    struct ns_check *check;
    NB_VEC(struct visit) visits;
    NB_VEC(struct ns_group *) stack;
    uint32_t numbers;
};

static void enter(struct walk *walk, struct ns_group *group)
{
    struct ns_typing *typing = ns_typing_of(walk->check, group);
    struct visit visit = { .group = group };

    typing->number = typing->low = ++walk->numbers;
    typing->on_stack = true;
    nb_vec_push(&walk->stack, group);
    collect_edges(walk->check, group, &visit.edges);
    nb_vec_push(&walk->visits, visit);
}

static void leave(struct walk *walk, struct ns_group *group)
{
    size_t at = walk->stack.count;

    if (group->typing->low != group->typing->number)
        return;
    do {
        at--;
        walk->stack.items[at]->typing->on_stack = false;
    } while (walk->stack.items[at] != group);
    infer_component(walk->check, walk->stack.items + at, walk->stack.count - at);
    walk->stack.count = at;
}

static void note_low(struct ns_group *group, uint32_t low)
{
    if (low < group->typing->low)
        group->typing->low = low;
}

static void visit_group(struct walk *walk, struct ns_group *root)
{
    if (ns_typing_of(walk->check, root)->number != 0)
        return;
    enter(walk, root);
    while (walk->visits.count > 0) {
        struct visit *visit = &nb_vec_last(&walk->visits);
        struct ns_group *group = visit->group, *next;

        if (visit->next < visit->edges.items.count) {
            next = visit->edges.items.items[visit->next++];
            if (ns_typing_of(walk->check, next)->number == 0)
                enter(walk, next);
            else if (next->typing->on_stack)
                note_low(group, next->typing->number);
            continue;
        }
        nb_vec_done(&visit->edges.items);
        walk->visits.count--;
        leave(walk, group);
        if (walk->visits.count > 0)
            note_low(nb_vec_last(&walk->visits).group, group->typing->low);
    }
}

/* ---- all of a program ---- */

static void visit_methods(struct walk *walk)
{
    struct ns_unit *unit = walk->check->unit;

    for (size_t i = 0; i < unit->implementations.count; i++) {
        const struct ns_implementation *implementation = unit->implementations.items[i];

        for (size_t k = 0; !implementation->space->library && k < implementation->methods.count; k++)
            ns_typing_of(walk->check, implementation->methods.items[k])->implementation = implementation;
    }
    for (size_t i = 0; i < unit->implementations.count; i++) {
        const struct ns_implementation *implementation = unit->implementations.items[i];

        for (size_t k = 0; !implementation->space->library && k < implementation->methods.count; k++)
            if (!implementation->methods.items[k]->space->library)
                visit_group(walk, implementation->methods.items[k]);
    }
}

static void visit_space(struct walk *walk, const struct ns_space *space)
{
    for (uint32_t i = 0; i < space->members.count; i++) {
        const struct ns_member *member = space->members.entries[i].value;

        for (size_t k = 0; member->functions != NULL && k < member->functions->groups.count; k++)
            visit_group(walk, member->functions->groups.items[k]);
        if (member->binding != NULL)
            visit_group(walk, member->binding->lambda != NULL ? member->binding->lambda : member->binding->group);
    }
}

/* The type of an mvar or a constant, before functions that use it: as declared, or that of the value if all of it is
 * known already. */
static void type_value(struct ns_check *check, struct ns_value *value)
{
    const struct ns_item *item = value->item;
    struct ns_type_scope types = { .space = value->space };
    struct ns_typed_body body = { .space = value->space, .types = &types };

    check->body = &body;
    check->mute++;
    value->term = item->value.type != NULL ? ns_term_of_type(check, &types, item->value.type)
                                           : ns_infer(check, item->value.value, NULL);
    ns_settle(check);
    check->mute--;
    check->body = NULL;
    if (item->value.type == NULL && !ns_is_known(value->term))
        value->term = ns_any(check);
    ns_table_done(&types.variables);
}

static void check_value(struct ns_check *check, struct ns_value *value)
{
    const struct ns_item *item = value->item;
    struct ns_type_scope types = { .space = value->space };
    struct ns_typed_body body = { .space = value->space, .types = &types };

    check->body = &body;
    if (item->value.type != NULL)
        ns_infer_as(check, item->value.value, value->term, item->value.type->span, "the annotation says so");
    else
        ns_infer(check, item->value.value, NULL);
    ns_settle(check);
    check->body = NULL;
    ns_table_done(&types.variables);
}

static void for_values(struct ns_check *check, const struct ns_space *space,
                       void (*act)(struct ns_check *check, struct ns_value *value))
{
    for (uint32_t i = 0; i < space->members.count; i++) {
        const struct ns_member *member = space->members.entries[i].value;

        if (member->mvar != NULL)
            act(check, member->mvar);
        if (member->constant != NULL)
            act(check, member->constant);
    }
}

static void note_fields(struct ns_check *check, const struct ns_space *space)
{
    for (uint32_t i = 0; i < space->members.count; i++) {
        const struct ns_member *member = space->members.entries[i].value;

        for (uint32_t k = 0; member->type != NULL && k < member->type->count; k++)
            for (uint32_t n = 0; n < member->type->constructors[k]->fields->count; n++)
                if (member->type->constructors[k]->fields->items[n].name.text != NULL)
                    ns_table_set(&check->fields, member->type->constructors[k]->fields->items[n].name.text, check);
    }
}

void ns_check(struct ns_unit *unit)
{
    struct ns_check check = { .unit = unit, .arena = unit->arena };
    struct walk walk = { .check = &check };

    for (size_t i = 0; i < unit->spaces.count; i++)
        if (!unit->spaces.items[i]->library) {
            note_fields(&check, unit->spaces.items[i]);
            for_values(&check, unit->spaces.items[i], type_value);
        }
    visit_methods(&walk);
    for (size_t i = 0; i < unit->spaces.count; i++)
        if (!unit->spaces.items[i]->library)
            visit_space(&walk, unit->spaces.items[i]);
    for (size_t i = 0; i < unit->spaces.count; i++)
        if (!unit->spaces.items[i]->library)
            for_values(&check, unit->spaces.items[i], check_value);
    ns_fill_in_left_out(&check);
    nb_vec_done(&walk.visits);
    nb_vec_done(&walk.stack);
    ns_table_done(&check.locals);
    ns_table_done(&check.fields);
    ns_table_done(&check.native_schemes);
}
