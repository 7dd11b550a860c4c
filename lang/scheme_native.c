/*
 * scheme_native.c - types of what the library brings: natives by their texts, functions by their annotations, and what
 * may be called as a method of a built-in type.
 */
#include "config.h"

#include <string.h>

#include "base/intern.h"
#include "lang/infer.h"
#include "lang/type_text.h"
#include "vm/native.h"
#include "vm/type.h"

/* ---- natives ---- */

static struct ns_term *read_native(struct ns_check *check, const struct vm_native *native)
{
    struct ns_term *scheme = native->type == NULL ? NULL : ns_scheme_of_text(check, native->type, NULL);

    return scheme != NULL && scheme->kind == NS_TERM_FUNCTION && scheme->function.count == native->arity ? scheme
                                                                                                         : NULL;
}

/* Whether the name stands for several natives that differ in arity. */
static bool is_overloaded(const char *full_name, const struct vm_native *first)
{
    for (int arity = 0; arity <= VM_NATIVE_ARITY_MAX; arity++) {
        const struct vm_native *other = vm_native_find(full_name, arity);

        if (other != NULL && other != first)
            return true;
    }
    return false;
}

/* Tables are asked by address, so a native or a function may stand for its name. */
static const char *key_of(const void *thing)
{
    return thing;
}

struct ns_term *ns_scheme_of_native(struct ns_check *check, const char *full_name, int arity)
{
    const struct vm_native *native = vm_native_find(full_name, arity);
    struct ns_term *scheme;

    if (native == NULL || (arity < 0 && is_overloaded(full_name, native)))
        return NULL;
    scheme = ns_table_get(&check->native_schemes, key_of(native));
    if (scheme == NULL) {
        scheme = read_native(check, native);
        ns_table_set(&check->native_schemes, key_of(native), scheme);
    }
    return scheme;
}

/* ---- records that natives make ---- */

struct ns_term *ns_record_of_natives(struct ns_check *check, const char *name)
{
    const struct vm_constructor *record = vm_native_record(name);
    struct ns_term *term = record == NULL ? NULL : ns_table_get(&check->native_schemes, key_of(record));
    struct ns_con *con;

    if (record == NULL || term != NULL)
        return term;
    con = nb_arena_alloc(check->arena, sizeof *con);
    *con = (struct ns_con){ .number = NS_CON_DEFINED, .name = record->type_name, .class_key = record->type_id,
                            .record = record };
    term = ns_data(check, con, NULL);
    ns_table_set(&check->native_schemes, key_of(record), term);
    return term;
}

/* ---- functions of the library ---- */

static struct ns_term *read_function(struct ns_check *check, const struct ns_group *group)
{
    const struct ns_function *first = group->clauses.items[0];
    struct ns_type_scope scope = { .space = group->space, .quantified = true };
    struct ns_term **parameters = ns_terms(check, group->arity);
    struct ns_term *result;

    ns_declare_type_parameters(check, &scope, &first->type_parameters);
    for (uint32_t i = 0; i < group->arity; i++)
        parameters[i] = group->types[i] == NULL ? ns_any(check) : ns_term_of_type(check, &scope, group->types[i]);
    result = first->return_type == NULL ? ns_any(check) : ns_term_of_type(check, &scope, first->return_type);
    ns_table_done(&scope.variables);
    return ns_function_of(check, parameters, group->arity, group->required, result);
}

struct ns_term *ns_scheme_of_library(struct ns_check *check, const struct ns_group *group)
{
    struct ns_term *scheme = ns_table_get(&check->native_schemes, key_of(group));

    if (scheme == NULL) {
        scheme = read_function(check, group);
        ns_table_set(&check->native_schemes, key_of(group), scheme);
    }
    return scheme;
}

/* A function of the prelude that can be called with so many arguments. */
static const struct ns_group *prelude_function(const struct ns_check *check, const char *name, uint32_t count)
{
    const struct ns_unit *unit = check->unit;

    for (size_t i = 0; i < unit->spaces.count && unit->spaces.items[i]->library; i++) {
        const struct ns_space *space = unit->spaces.items[i];
        const struct ns_member *member = space->module->prelude ? ns_table_get(&space->members, name) : NULL;

        for (size_t k = 0; member != NULL && member->functions != NULL && k < member->functions->groups.count; k++) {
            const struct ns_group *group = member->functions->groups.items[k];

            if (group->is_public && count >= group->required && count <= group->arity)
                return group;
        }
    }
    return NULL;
}

/* ---- methods of built-in types ---- */

/* What the short names of Option, Result and List mean (02 §6.6). */
static const char *const short_names[][3] = {
    { "Option", "map", "optMap" },         { "Option", "flatMap", "optFlatMap" },
    { "Option", "unwrap", "optUnwrap" },   { "Option", "unwrapOr", "optUnwrapOr" },
    { "Option", "isSome", "optIsSome" },   { "Option", "isNone", "optIsNone" },
    { "Result", "map", "resMap" },         { "Result", "mapErr", "resMapErr" },
    { "Result", "flatMap", "resFlatMap" }, { "Result", "unwrap", "resUnwrap" },
    { "Result", "unwrapOr", "resUnwrapOr" }, { "Result", "isOk", "resIsOk" },
    { "Result", "isErr", "resIsErr" },     { "Result", "toOption", "resToOption" },
};

const char *ns_short_method(size_t index)
{
    return index < sizeof short_names / sizeof *short_names ? short_names[index][1] : NULL;
}

const char *ns_handle_namespace(struct ns_term *receiver)
{
    const struct ns_con *con = ns_con_of_term(receiver);

    return con != NULL && (con->number == NS_CON_SERVER || con->number == NS_CON_WEB_SOCKET) ? con->name : NULL;
}

static const char *namespace_of(struct ns_term *receiver)
{
    const char *handle = ns_handle_namespace(receiver);

    if (handle != NULL)
        return handle;
    if (receiver->kind == NS_TERM_DATA && receiver->data.con->number != NS_CON_DEFINED &&
        receiver->data.con->class_key != 0)
        return vm_class_name(receiver->data.con->class_key);
    return NULL;
}

static struct ns_term *namespace_method(struct ns_check *check, struct ns_term *receiver, const char *name,
                                        uint32_t count)
{
    const char *prefix = namespace_of(receiver);

    return prefix == NULL ? NULL
                          : ns_scheme_of_native(check, nb_arena_printf(check->arena, "%s.%s", prefix, name),
                                                (int)count + 1);
}

static struct ns_term *short_method(struct ns_check *check, struct ns_term *receiver, const char *name, uint32_t count)
{
    const struct ns_con *con = ns_con_of_term(receiver);
    const struct ns_group *group = NULL;

    if (con == NULL)
        return NULL;
    if (con->number == NS_CON_LIST && count == 1 && strcmp(name, "join") == 0)
        return ns_scheme_of_native(check, "String.join", 2);
    for (size_t i = 0; i < sizeof short_names / sizeof *short_names; i++)
        if (con == (strcmp(short_names[i][0], "Option") == 0 ? ns_option_con(check) : ns_result_con(check)) &&
            strcmp(short_names[i][1], name) == 0)
            group = prelude_function(check, nb_intern(short_names[i][2]), count + 1);
    return group == NULL ? NULL : ns_scheme_of_library(check, group);
}

bool ns_excludes(struct ns_check *check, struct ns_term *parameter, struct ns_term *receiver)
{
    parameter = ns_prune(parameter);
    if (parameter->kind != NS_TERM_VARIABLE)
        return false;
    for (const struct ns_demand *demand = parameter->variable.demands; demand != NULL; demand = demand->next)
        if ((strcmp(demand->name, "Length") == 0 || strcmp(demand->name, "Numeric") == 0 ||
             strcmp(demand->name, "Floating") == 0) &&
            ns_satisfies(check, receiver, demand->name, NULL, NULL, NULL) == NS_NO)
            return true;
    return false;
}

/* unzip() of a list without pairs is a method with a wrong receiver, not an unknown one. */
static bool have_one_head(struct ns_term *parameter, struct ns_term *receiver)
{
    const struct ns_con *con = ns_con_of_term(parameter);

    return con != NULL && con == ns_con_of_term(receiver);
}

static bool accepts(struct ns_check *check, struct ns_term *scheme, struct ns_term *receiver)
{
    struct ns_span nowhere = { NULL, 0, 0 };
    struct ns_term *use;

    if (scheme == NULL || scheme->kind != NS_TERM_FUNCTION || scheme->function.count == 0 ||
        ns_excludes(check, scheme->function.parameters[0], receiver))
        return false;
    if (have_one_head(scheme->function.parameters[0], receiver))
        return true;
    use = ns_instantiate(check, scheme, nowhere, NULL);
    return use->kind != NS_TERM_FUNCTION || ns_would_unify(check, use->function.parameters[0], receiver);
}

/* A function of the prelude or a native, with the receiver in front. */
static struct ns_term *function_method(struct ns_check *check, struct ns_term *receiver, const char *name,
                                       uint32_t count)
{
    const struct ns_group *group = prelude_function(check, name, count + 1);
    struct ns_term *scheme = group == NULL ? NULL : ns_scheme_of_library(check, group);

    if (accepts(check, scheme, receiver))
        return scheme;
    scheme = name[0] == '_' ? NULL : ns_scheme_of_native(check, name, (int)count + 1);
    return accepts(check, scheme, receiver) ? scheme : NULL;
}

/* Handles and what the program or a library module declares may have methods that are known elsewhere only. */
static bool is_complete(struct ns_term *receiver)
{
    const struct ns_con *con = ns_con_of_term(receiver);

    if (receiver->kind == NS_TERM_FUNCTION || receiver->kind == NS_TERM_TUPLE)
        return true;
    if (con == NULL || con->number == NS_CON_SERVER || con->number == NS_CON_WEB_SOCKET || con->number == NS_CON_IO ||
        con->number == NS_CON_REF)
        return false;
    if (con->record != NULL)
        return false;
    return con->info == NULL || con->info->item->kind != NS_ITEM_TYPE || !con->info->item->type.is_reactive;
}

struct ns_term *ns_scheme_of_method(struct ns_check *check, struct ns_term *receiver, const char *name, uint32_t count,
                                    bool *ret_known)
{
    struct ns_term *scheme;

    receiver = ns_prune(receiver);
    *ret_known = is_complete(receiver);
    if (receiver->kind == NS_TERM_VARIABLE || receiver->kind == NS_TERM_ANY || receiver->kind == NS_TERM_NEVER)
        return NULL;
    scheme = namespace_method(check, receiver, name, count);
    if (scheme == NULL)
        scheme = short_method(check, receiver, name, count);
    return scheme != NULL ? scheme : function_method(check, receiver, name, count);
}
