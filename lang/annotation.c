/*
 * annotation.c - what a written type means: names to constructors, aliases expanded, type variables (02 §2).
 */
#include "config.h"

#include <string.h>

#include "base/intern.h"
#include "lang/infer.h"

enum { ALIASES_MAX = 50, NODES_MAX = 5000 };

static const struct { const char *name; enum ns_con_number number; } builtin_names[] = {
    { "Int", NS_CON_INT },         { "Int64", NS_CON_INT },       { "Int8", NS_CON_INT8 },
    { "Int16", NS_CON_INT16 },     { "Int32", NS_CON_INT32 },     { "UInt8", NS_CON_UINT8 },
    { "UInt16", NS_CON_UINT16 },   { "UInt32", NS_CON_UINT32 },   { "UInt64", NS_CON_UINT64 },
    { "Float", NS_CON_FLOAT },     { "Float64", NS_CON_FLOAT },   { "Float32", NS_CON_FLOAT32 },
    { "BigInt", NS_CON_BIGINT },   { "Decimal", NS_CON_DECIMAL }, { "Bool", NS_CON_BOOL },
    { "Char", NS_CON_CHAR },       { "String", NS_CON_STRING },   { "Unit", NS_CON_UNIT },
    { "Pid", NS_CON_PID },         { "Ref", NS_CON_REF },         { "Buffer", NS_CON_BUFFER },
    { "List", NS_CON_LIST },       { "Array", NS_CON_ARRAY },     { "Set", NS_CON_SET },
    { "Map", NS_CON_MAP },         { "IO", NS_CON_IO },           { "Server", NS_CON_SERVER },
    { "WebSocket", NS_CON_WEB_SOCKET }, { "Int64Array", NS_CON_INT64_ARRAY },
    { "Float64Array", NS_CON_FLOAT64_ARRAY }, { "Float32Array", NS_CON_FLOAT32_ARRAY },
};

static struct ns_term *new_variable(struct ns_check *check, struct ns_type_scope *scope, const char *name)
{
    struct ns_term *made = scope->quantified ? ns_quantified(check, name) : ns_variable(check);

    made->variable.name = name;
    ns_table_set(&scope->variables, name, made);
    return made;
}

/* Show, Copy and Hash hold of everything when they are declared (02 §8.3). */
static bool always_holds(const char *trait)
{
    return strcmp(trait, "Show") == 0 || strcmp(trait, "Copy") == 0 || strcmp(trait, "Hash") == 0;
}

static void bound(struct ns_check *check, const struct ns_type_scope *scope, struct ns_term *variable,
                  const struct ns_name *name)
{
    const struct ns_trait_info *info = ns_find_trait(check->unit, scope->space, name->text);
    struct ns_demand *demand;

    if (always_holds(name->text))
        return;
    if (info != NULL && info->space->library)
        info = NULL;
    demand = nb_arena_alloc(check->arena, sizeof *demand);
    *demand = (struct ns_demand){ .kind = NS_DEMAND_TRAIT, .subject = variable, .name = name->text, .trait = info,
                                  .where = name->span };
    demand->next = variable->variable.demands;
    variable->variable.demands = demand;
}

void ns_declare_type_parameters(struct ns_check *check, struct ns_type_scope *scope,
                                const struct ns_type_parameter_list *parameters)
{
    for (uint32_t i = 0; i < parameters->count; i++) {
        const struct ns_type_parameter *parameter = &parameters->items[i];
        struct ns_term *variable = new_variable(check, scope, parameter->name.text);

        for (uint32_t k = 0; k < parameter->bounds.count; k++)
            bound(check, scope, variable, &parameter->bounds.items[k]);
    }
}

static struct ns_term *convert(struct ns_check *check, struct ns_type_scope *scope, const struct ns_type *type);

static struct ns_term **convert_all(struct ns_check *check, struct ns_type_scope *scope,
                                    const struct ns_type_list *types)
{
    struct ns_term **terms = ns_terms(check, types->count);

    for (uint32_t i = 0; i < types->count; i++)
        terms[i] = convert(check, scope, types->items[i]);
    return terms;
}

/* With the arguments that were written; none, or a wrong number: anything for each. */
static struct ns_term *apply(struct ns_check *check, struct ns_type_scope *scope, const struct ns_con *con,
                             const struct ns_type_list *arguments)
{
    struct ns_term **terms;

    if (con->arity == 0)
        return con->number != NS_CON_DEFINED ? ns_basic(check, con->number) : ns_data(check, con, NULL);
    if (arguments->count == con->arity)
        return ns_data(check, con, convert_all(check, scope, arguments));
    terms = ns_terms(check, con->arity);
    for (uint32_t i = 0; i < con->arity; i++)
        terms[i] = ns_any(check);
    return ns_data(check, con, terms);
}

static struct ns_term *expand(struct ns_check *check, struct ns_type_scope *scope, const struct ns_type_info *info,
                              const struct ns_type_list *arguments)
{
    const struct ns_type_parameter_list *parameters = &info->item->type.parameters;
    struct ns_type_scope inner = { .space = info->space, .quantified = scope->quantified,
                                   .aliases = scope->aliases + 1 };
    struct ns_term *term;

    if (inner.aliases > ALIASES_MAX)
        return ns_any(check);
    for (uint32_t i = 0; i < parameters->count; i++)
        ns_table_set(&inner.variables, parameters->items[i].name.text,
                     arguments->count == parameters->count ? convert(check, scope, arguments->items[i])
                                                           : ns_any(check));
    term = convert(check, &inner, info->item->type.alias);
    ns_table_done(&inner.variables);
    return term;
}

static struct ns_term *convert_builtin(struct ns_check *check, struct ns_type_scope *scope, const char *name,
                                       const struct ns_type_list *arguments)
{
    if (strcmp(name, "Never") == 0)
        return ns_never(check);
    for (size_t i = 0; i < sizeof builtin_names / sizeof *builtin_names; i++)
        if (strcmp(builtin_names[i].name, name) == 0)
            return apply(check, scope, ns_con(check, builtin_names[i].number), arguments);
    return NULL;
}

/* A variable in scope, or one that is made by being named: a single letter (02 §2.2). */
static struct ns_term *convert_variable(struct ns_check *check, struct ns_type_scope *scope, const char *name,
                                        bool may_make)
{
    struct ns_term *known = ns_table_get(&scope->variables, name);

    if (known != NULL)
        return known;
    if (strcmp(name, "Self") == 0 || strcmp(name, "self") == 0)
        return scope->self != NULL ? scope->self : ns_any(check);
    return may_make ? new_variable(check, scope, name) : NULL;
}

static struct ns_term *convert_named(struct ns_check *check, struct ns_type_scope *scope, const struct ns_type *type)
{
    const char *name = type->named.name;
    struct ns_term *term = NULL;
    struct ns_type_info *info;

    if (type->named.brackets)
        return apply(check, scope, ns_con(check, NS_CON_LIST), &type->named.arguments);
    if (type->named.arguments.count == 0)
        term = convert_variable(check, scope, name, false);
    if (term != NULL)
        return term;
    info = ns_find_type(check->unit, scope->space, name);
    if (info != NULL && info->item->kind == NS_ITEM_TYPE && info->item->type.kind == NS_DEFINE_ALIAS)
        return expand(check, scope, info, &type->named.arguments);
    if (info != NULL)
        return info->item->kind == NS_ITEM_TYPE ? apply(check, scope, ns_con_of(check, info), &type->named.arguments)
                                                : ns_any(check);
    term = convert_builtin(check, scope, name, &type->named.arguments);
    if (term == NULL && name[1] == '\0' && type->named.arguments.count == 0)
        term = convert_variable(check, scope, name, true);
    if (term == NULL)
        term = ns_record_of_natives(check, name);
    return term != NULL ? term : ns_any(check);
}

static struct ns_term *convert(struct ns_check *check, struct ns_type_scope *scope, const struct ns_type *type)
{
    if (check->annotation_fuel == 0)
        return ns_any(check);
    check->annotation_fuel--;
    switch (type->kind) {
    case NS_TYPE_NAMED:
        return convert_named(check, scope, type);
    case NS_TYPE_VARIABLE:
        return convert_variable(check, scope, type->variable, true);
    case NS_TYPE_UNIT:
        return ns_basic(check, NS_CON_UNIT);
    case NS_TYPE_TUPLE:
        return ns_tuple_of(check, convert_all(check, scope, &type->items), type->items.count);
    case NS_TYPE_FUNCTION:
        return ns_function_of(check, convert_all(check, scope, &type->function.parameters),
                              type->function.parameters.count, type->function.parameters.count,
                              convert(check, scope, type->function.result));
    case NS_TYPE_RECORD:
        break;
    }
    return ns_any(check);
}

struct ns_term *ns_term_of_type(struct ns_check *check, struct ns_type_scope *scope, const struct ns_type *type)
{
    check->annotation_fuel = NODES_MAX;
    return convert(check, scope, type);
}
