/*
 * infer_generic.c - calls of functions with type parameters: arguments for them that are written, f[Int](x), and those
 * that are left out where the function wants to know them (type_argument.c).
 */
#include "config.h"

#include "base/buf.h"
#include "lang/infer.h"

/* ---- written type arguments ---- */

static void check_type_arguments(struct ns_check *check, const struct ns_expr *expr, struct ns_meaning meaning)
{
    const struct ns_type_parameter_list *parameters;
    struct nb_buf names = NB_BUF_INIT;
    uint32_t given = expr->call.type_arguments.count;

    if (given == 0 || meaning.kind != NS_MEANS_FUNCTIONS || meaning.functions->groups.count != 1 ||
        meaning.functions->groups.items[0]->space->library)
        return;
    parameters = &meaning.functions->groups.items[0]->clauses.items[0]->type_parameters;
    if (parameters->count == 0 || parameters->count == given)
        return;
    for (uint32_t i = 0; i < parameters->count; i++)
        nb_buf_printf(&names, "%s%s", i > 0 ? ", " : "", parameters->items[i].name.text);
    ns_report(check->unit, expr->span,
              "wrong number of type arguments: `%s` expects %u type parameter(s) [%s], but %u %s provided",
              meaning.functions->name, parameters->count, nb_buf_cstr(&names), given, given == 1 ? "was" : "were");
    nb_buf_done(&names);
}

/* The variable that stands for a type parameter in an instantiated type. */
static struct ns_term *find_named(struct ns_term *term, const char *name, int depth)
{
    struct ns_term *found = NULL;

    term = ns_prune(term);
    if (depth == 0)
        return NULL;
    if (term->kind == NS_TERM_VARIABLE)
        return term->variable.name == name ? term : NULL;
    if (term->kind == NS_TERM_FUNCTION)
        found = find_named(term->function.result, name, depth - 1);
    for (uint32_t i = 0; term->kind == NS_TERM_FUNCTION && i < term->function.count && found == NULL; i++)
        found = find_named(term->function.parameters[i], name, depth - 1);
    for (uint32_t i = 0; term->kind == NS_TERM_TUPLE && i < term->tuple.count && found == NULL; i++)
        found = find_named(term->tuple.items[i], name, depth - 1);
    for (uint32_t i = 0; term->kind == NS_TERM_DATA && i < term->data.con->arity && found == NULL; i++)
        found = find_named(term->data.arguments[i], name, depth - 1);
    return found;
}

enum { TYPE_PARAMETER_DEPTH = 8 };

/* f[Int, String](…) of the only function of that name: its type with the parameters bound; NULL when it is not that. */
static struct ns_term *with_type_arguments(struct ns_check *check, const struct ns_expr *expr,
                                           struct ns_meaning meaning)
{
    const struct ns_type_parameter_list *parameters;
    struct ns_term *term, **variables;

    if (meaning.kind != NS_MEANS_FUNCTIONS || meaning.functions->groups.count != 1 ||
        meaning.functions->groups.items[0]->space->library || ns_has_names(&expr->call.arguments))
        return NULL;
    parameters = &meaning.functions->groups.items[0]->clauses.items[0]->type_parameters;
    if (parameters->count != expr->call.type_arguments.count)
        return NULL;
    term = ns_term_of_group(check, meaning.functions->groups.items[0], expr->span);
    variables = ns_terms(check, parameters->count); /* all, before any is bound: the caller's may have the same names */
    for (uint32_t i = 0; i < parameters->count; i++)
        variables[i] = find_named(term, parameters->items[i].name.text, TYPE_PARAMETER_DEPTH);
    for (uint32_t i = 0; i < parameters->count; i++) {
        const struct ns_type *given = expr->call.type_arguments.items[i];

        if (variables[i] != NULL && variables[i]->variable.level != NS_LEVEL_QUANTIFIED)
            ns_unify(check, variables[i], ns_term_of_type(check, check->body->types, given));
    }
    return term;
}

/* f(…) for f[Int, String](…), where f wants to know them: its type, and a note of what its parameters are. NULL when
 * some of them do not occur in the type. The declared type says more than what the body shows: that knows nothing of
 * values which come out of Json. */
static struct ns_term *without_type_arguments(struct ns_check *check, struct ns_expr *expr, struct ns_group *group)
{
    const struct ns_type_parameter_list *parameters = &group->clauses.items[0]->type_parameters;
    struct ns_term *declared = ns_typing_of(check, group)->declared, **variables = ns_terms(check, parameters->count);
    struct ns_term *term = declared != NULL ? ns_instantiate(check, declared, expr->span, group->name)
                                            : ns_term_of_group(check, group, expr->span);

    for (uint32_t i = 0; i < parameters->count; i++) {
        variables[i] = find_named(term, parameters->items[i].name.text, TYPE_PARAMETER_DEPTH);
        if (variables[i] == NULL || variables[i]->variable.level == NS_LEVEL_QUANTIFIED)
            return NULL;
    }
    ns_note_left_out(check, expr, variables, parameters->count);
    return term;
}

/* A call of a function with type parameters, given or left out; NULL when there is nothing special about it. */
struct ns_term *ns_call_generic(struct ns_check *check, struct ns_expr *expr, struct ns_meaning meaning,
                                struct ns_typed_argument *arguments, uint32_t count)
{
    struct ns_callee callee = { .name = NULL };

    check_type_arguments(check, expr, meaning);
    if (expr->call.type_arguments.count > 0)
        callee.term = with_type_arguments(check, expr, meaning);
    else if (!ns_has_names(&expr->call.arguments) && ns_leaves_out_types(check, expr, meaning))
        callee.term = without_type_arguments(check, expr, meaning.functions->groups.items[0]);
    if (callee.term == NULL)
        return NULL;
    callee.group = meaning.functions->groups.items[0];
    callee.name = callee.group->name;
    return ns_apply(check, &callee, arguments, count, expr->span);
}
