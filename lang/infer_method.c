/*
 * infer_method.c - method calls (02 §6.6).
 */
#include "config.h"

#include <string.h>

#include "base/intern.h"
#include "lang/infer.h"
#include "lang/words.h"

/* ---- what a method of a known receiver is ---- */

static bool fits_receiver(struct ns_check *check, struct ns_term *function, struct ns_term *receiver)
{
    function = ns_prune(function);
    return function->kind != NS_TERM_FUNCTION || function->function.count == 0 ||
           (!ns_excludes(check, function->function.parameters[0], receiver) &&
            ns_would_unify(check, function->function.parameters[0], receiver));
}

enum ufcs { UFCS_NONE, UFCS_MISFIT, UFCS_MANY, UFCS_FOUND };

static bool takes(const struct ns_group *group, uint32_t count)
{
    return count <= group->arity && count >= group->required;
}

/* A function in scope whose first parameter takes the receiver. */
static enum ufcs find_function(struct ns_check *check, const struct ns_functions *functions, struct ns_term *receiver,
                               uint32_t count, struct ns_span span, struct ns_group **ret)
{
    enum ufcs found = UFCS_NONE;

    for (size_t i = 0; i < functions->groups.count; i++) {
        struct ns_group *group = functions->groups.items[i];

        if (!takes(group, count))
            continue;
        if (!fits_receiver(check, ns_term_of_group(check, group, span), receiver)) {
            found = found == UFCS_NONE ? UFCS_MISFIT : found;
            continue;
        }
        if (found == UFCS_FOUND)
            return UFCS_MANY;
        found = UFCS_FOUND;
        *ret = group;
    }
    return found;
}

/* A method that every value has; `count` arguments, the receiver among them. */
static bool is_universal(const char *name, uint32_t count)
{
    return count == 1 ? ns_words_have(" show toString hash copy ", name) : count == 2 && strcmp(name, "inspect") == 0;
}

/* The receiver may have methods and fields nobody declared. */
static bool is_open_type(const struct ns_term *receiver)
{
    const struct ns_con *con = receiver->kind == NS_TERM_DATA ? receiver->data.con : NULL;

    if (con == NULL)
        return false;
    if (con->number == NS_CON_IO)
        return true;
    return con->info != NULL && (con->info->item->kind != NS_ITEM_TYPE || con->info->item->type.is_reactive);
}

/* A function of the very component that is being inferred: it says nothing yet. */
static bool is_busy(const struct ns_group *group)
{
    return group->typing != NULL && group->typing->state == NS_TYPING_BUSY && group->typing->declared == NULL;
}

static struct ns_term *apply_method(struct ns_check *check, struct ns_callee callee,
                                    struct ns_typed_argument *arguments, uint32_t count, struct ns_span span)
{
    callee.is_method = true;
    callee.is_loose = true;
    return ns_apply(check, &callee, arguments, count, span);
}

static struct ns_term *unknown_result(struct ns_check *check, struct ns_typed_argument *arguments, uint32_t count)
{
    ns_infer_arguments(check, arguments, count);
    return ns_any(check);
}

static struct ns_term *call_group(struct ns_check *check, struct ns_group *group, struct ns_typed_argument *arguments,
                                  uint32_t count, struct ns_span span)
{
    struct ns_callee callee = { .name = group->name, .group = group };

    if (is_busy(group))
        return unknown_result(check, arguments, count);
    callee.term = ns_term_of_group(check, group, span);
    return apply_method(check, callee, arguments, count, span);
}

/* What the function in scope of that name wants in the receiver's place; NULL when there is none. */
static struct ns_term *first_parameter(struct ns_check *check, const char *name, uint32_t count,
                                       const struct ns_method_call *call)
{
    struct ns_meaning meaning = ns_find(check->unit, call->space, name);
    struct ns_term *function = NULL;

    if (meaning.kind == NS_MEANS_NATIVE)
        function = ns_scheme_of_native(check, meaning.native, (int)count);
    for (size_t i = 0; meaning.kind == NS_MEANS_FUNCTIONS && i < meaning.functions->groups.count; i++)
        if (takes(meaning.functions->groups.items[i], count))
            function = ns_term_of_group(check, meaning.functions->groups.items[i], call->span);
    function = function == NULL ? NULL : ns_prune(function);
    return function == NULL || function->kind != NS_TERM_FUNCTION || function->function.count == 0
               ? NULL
               : function->function.parameters[0];
}

/* Whether a call with so many arguments besides the receiver would mean something. */
static bool is_method_with(struct ns_check *check, struct ns_term *receiver, const char *name, uint32_t count,
                           const struct ns_method_call *call)
{
    struct ns_term *wanted;
    bool known;

    if (ns_scheme_of_method(check, receiver, name, count, &known) != NULL ||
        ns_trait_method(check, receiver, name, count + 1, call->space) != NULL)
        return true;
    wanted = first_parameter(check, name, count + 1, call);
    return wanted != NULL && ns_would_unify(check, wanted, receiver);
}

/* There is such a method, with another number of arguments. */
static void note_other_count(struct ns_check *check, struct ns_term *receiver, const char *name, uint32_t count,
                             const struct ns_method_call *call)
{
    if (ns_is_muted(check) || !ns_reported(check->unit))
        return;
    for (uint32_t other = 0; other < VM_NATIVE_ARITY_MAX; other++)
        if (other != count && is_method_with(check, receiver, name, other, call)) {
            ns_note(check->unit->diag, "Wrong number of arguments: expected %u, found %u", other, count);
            ns_also(check->unit->diag, "function `%s` expects %u argument%s, but %u %s provided", name, other + 1,
                    other == 0 ? "" : "s", count + 1, count == 0 ? "was" : "were");
            return;
        }
}

static struct ns_term *complain_no_method(struct ns_check *check, const char *name, struct ns_typed_argument *arguments,
                                          uint32_t count, const struct ns_method_call *call)
{
    struct ns_term *receiver = ns_prune(arguments[0].term), *wanted;

    ns_infer_arguments(check, arguments, count);
    ns_complain_method(check, call->span, receiver, name);
    note_other_count(check, receiver, name, count - 1, call);
    if (ns_is_muted(check) || !ns_reported(check->unit))
        return ns_any(check);
    wanted = first_parameter(check, name, count, call);
    if (wanted != NULL)
        ns_note_mismatch(check, wanted, receiver);
    return ns_any(check);
}

/* A method or function is meant, no local variable: xs.take(2) works even if a local function is called `take`. */
static void pass_local(const struct ns_method_call *call)
{
    if (call->is_local && call->expr != NULL)
        call->expr->call.passes_local = true;
}

/* A function in scope, a local one among them; the last thing a method call may mean. */
static struct ns_term *call_in_scope(struct ns_check *check, const char *name, struct ns_typed_argument *arguments,
                                     uint32_t count, const struct ns_method_call *call, bool *ret_found)
{
    struct ns_space *space = call->space;
    struct ns_meaning meaning = ns_find(check->unit, space, name);
    struct ns_term *receiver = ns_prune(arguments[0].term), *scheme;
    struct ns_group *group = NULL;
    struct ns_callee callee = { .name = name };

    *ret_found = true;
    if (meaning.kind == NS_MEANS_FUNCTIONS)
        switch (find_function(check, meaning.functions, receiver, count, call->span, &group)) {
        case UFCS_FOUND:
            pass_local(call);
            return call_group(check, group, arguments, count, call->span);
        case UFCS_MANY:
            pass_local(call);
            return unknown_result(check, arguments, count);
        case UFCS_MISFIT:
        case UFCS_NONE:
            break;
        }
    if (meaning.kind == NS_MEANS_VALUE && meaning.value->lambda != NULL) {
        pass_local(call);
        return call_group(check, meaning.value->lambda, arguments, count, call->span);
    }
    if (meaning.kind == NS_MEANS_NATIVE && vm_native_find(meaning.native, (int)count) != NULL) {
        scheme = ns_scheme_of_native(check, meaning.native, (int)count);
        if (scheme == NULL)
            return unknown_result(check, arguments, count);
        callee.term = ns_instantiate(check, scheme, call->span, name);
        if (fits_receiver(check, callee.term, receiver)) {
            pass_local(call);
            return apply_method(check, callee, arguments, count, call->span);
        }
    }
    if (call->is_local)
        return unknown_result(check, arguments, count);
    *ret_found = false;
    return NULL;
}

static struct ns_term *call_field(struct ns_check *check, struct ns_term *field, struct ns_typed_argument *arguments,
                                  uint32_t count, struct ns_span span)
{
    struct ns_callee callee = { .term = field };

    return ns_apply(check, &callee, arguments + 1, count - 1, span);
}

/* The receiver may have methods that are not known, and those of reactive values come first: what is left are its
 * declared fields and functions in scope. */
static struct ns_term *call_open(struct ns_check *check, const char *name, struct ns_typed_argument *arguments,
                                 uint32_t count, const struct ns_method_call *call)
{
    bool open, found = false;
    struct ns_term *field, *result = NULL;

    if (ns_words_have(" get set onChange onRead ", name))
        return unknown_result(check, arguments, count);
    field = call->as_function ? NULL : ns_field_of(check, ns_prune(arguments[0].term), name, &open);
    if (field != NULL)
        return call_field(check, field, arguments, count, call->span);
    if (!call->is_local)
        result = call_in_scope(check, name, arguments, count, call, &found);
    return found ? result : unknown_result(check, arguments, count);
}

/* The receiver is known. The order of 02 §6.6. */
static struct ns_term *call_known(struct ns_check *check, const char *name, struct ns_typed_argument *arguments,
                                  uint32_t count, const struct ns_method_call *call)
{
    struct ns_term *receiver = ns_prune(arguments[0].term), *scheme, *field, *result;
    struct ns_group *group = ns_trait_method(check, receiver, name, count, call->space);
    struct ns_callee callee = { .name = name };
    bool known = false, open, found;

    if (group != NULL)
        return call_group(check, group, arguments, count, call->span);
    if (is_open_type(receiver))
        return call_open(check, name, arguments, count, call);
    scheme = ns_scheme_of_method(check, receiver, name, count - 1, &known);
    if (scheme != NULL) {
        pass_local(call);
        callee.term = ns_instantiate(check, scheme, call->span, name);
        return apply_method(check, callee, arguments, count, call->span);
    }
    field = call->as_function ? NULL : ns_field_of(check, receiver, name, &open);
    if (field != NULL)
        return call_field(check, field, arguments, count, call->span);
    result = call_in_scope(check, name, arguments, count, call, &found);
    if (found)
        return result;
    if (is_universal(name, count) || !known)
        return unknown_result(check, arguments, count);
    return complain_no_method(check, name, arguments, count, call);
}

/* ---- an unknown receiver ---- */

/* What the result is, whatever the receiver turns out to be. */
static struct ns_term *result_of(struct ns_check *check, const char *name, uint32_t count)
{
    if (count == 1 && ns_words_have(" length size ", name))
        return ns_basic(check, NS_CON_INT);
    if (count == 1 && strcmp(name, "isEmpty") == 0)
        return ns_basic(check, NS_CON_BOOL);
    if (count == 1 && ns_words_have(" show toString ", name))
        return ns_basic(check, NS_CON_STRING);
    return NULL;
}

/* The program itself gives the name a meaning: a method, a field or a function. */
static bool is_own_name(struct ns_check *check, const char *name)
{
    return ns_table_get(&check->unit->own_methods, name) != NULL || ns_table_get(&check->fields, name) != NULL;
}

/* Names that only one built-in type has (02 §6.6). */
static struct ns_term *only_receiver(struct ns_check *check, const char *name, uint32_t count)
{
    static const char lists[] =
        " filter fold any all sort sortBy head tail init last sum product zip unzip unique flatten scanl foldl foldr"
        " enumerate intersperse spanList groupBy transpose pairwise isSorted isSortedBy maximum minimum takeWhile"
        " dropWhile partition zipWith ";
    static const char strings[] = " chars toUpper toLower trim trimStart trimEnd startsWith endsWith padStart padEnd"
                                  " lines words lastIndexOf substring ";

    if (is_own_name(check, name))
        return NULL;
    if (ns_words_have(lists, name))
        return ns_list_of(check, ns_variable(check));
    if (ns_words_have(strings, name))
        return ns_basic(check, NS_CON_STRING);
    if (count == 1 && ns_words_have(" keys values ", name))
        return ns_map_of(check, ns_variable(check), ns_variable(check));
    return NULL;
}

static struct ns_term *demand_method(struct ns_check *check, const char *name, struct ns_typed_argument *arguments,
                                     uint32_t count, const struct ns_method_call *call)
{
    struct ns_demand *demand = nb_arena_alloc(check->arena, sizeof *demand);
    struct ns_term *result = result_of(check, name, count);
    struct ns_method_call *kept = nb_arena_alloc(check->arena, sizeof *kept);

    ns_infer_arguments(check, arguments, count);
    *kept = *call;
    *demand = (struct ns_demand){ .kind = NS_DEMAND_METHOD, .subject = arguments[0].term, .name = name,
                                  .where = call->span, .call = kept, .space = call->space, .count = count - 1,
                                  .result = result != NULL && !is_own_name(check, name) ? result : ns_variable(check),
                                  .arguments = ns_terms(check, count) };
    for (uint32_t i = 1; i < count; i++)
        demand->arguments[i - 1] = arguments[i].term;
    ns_demand(check, demand);
    return demand->result;
}

struct ns_term *ns_call_method(struct ns_check *check, const char *name, struct ns_typed_argument *arguments,
                               uint32_t count, const struct ns_method_call *call)
{
    struct ns_term *receiver = ns_prune(arguments[0].term), *only;
    struct ns_method_call seen = *call;

    if (seen.space == NULL)
        seen.space = check->body->space;
    if (receiver->kind == NS_TERM_ANY || receiver->kind == NS_TERM_NEVER)
        return unknown_result(check, arguments, count);
    if (receiver->kind == NS_TERM_VARIABLE && !call->as_function) {
        only = only_receiver(check, name, count);
        if (only != NULL && ns_would_unify(check, receiver, only)) {
            ns_unify(check, receiver, only);
            receiver = ns_prune(receiver);
            if (check->body->typing != NULL)
                ns_push(check->unit, &check->body->typing->guessed, name);
        }
    }
    if (receiver->kind == NS_TERM_VARIABLE)
        return demand_method(check, name, arguments, count, &seen);
    return call_known(check, name, arguments, count, &seen);
}

/* A trait's method as a function that calls it on its first argument: xs.map(area). */
struct ns_term *ns_term_of_method(struct ns_check *check, const char *name, struct ns_span where)
{
    const struct ns_trait_info *trait = ns_table_get(&check->unit->trait_methods, name);
    struct ns_method_call call = { .span = where, .as_function = true };
    uint32_t count = trait == NULL ? 0 : ns_trait_method_arity(trait, name);
    struct ns_typed_argument *arguments = nb_arena_array(check->arena, count + 1, sizeof *arguments);
    struct ns_term **parameters = ns_terms(check, count);

    if (count == 0)
        return ns_any(check);
    for (uint32_t i = 0; i < count; i++)
        arguments[i] = (struct ns_typed_argument){ .term = parameters[i] = ns_variable(check), .span = where };
    return ns_function_of(check, parameters, count, count, ns_call_method(check, name, arguments, count, &call));
}

/* ---- method calls as written ---- */

static struct ns_typed_argument *with_receiver(struct ns_check *check, struct ns_expr *receiver,
                                               const struct ns_argument_list *written)
{
    struct ns_typed_argument *arguments = nb_arena_array(check->arena, written->count + 1, sizeof *arguments);

    arguments[0].expr = receiver;
    arguments[0].span = receiver->span;
    for (uint32_t i = 0; i < written->count; i++) {
        arguments[i + 1].expr = written->items[i].value;
        arguments[i + 1].span = written->items[i].value->span;
    }
    return arguments;
}

/* A local of that name which is a function, as far as is known: values of other types are passed by. */
static bool is_function_in_scope(const struct ns_check *check, const char *name)
{
    const struct ns_typed_local *local = ns_name_find(check, name);
    const struct ns_term *term = local == NULL ? NULL : ns_prune(local->term);

    return term != NULL && (term->kind == NS_TERM_FUNCTION || ns_is_unknown(term));
}

/* Nothing is called by that name, whatever the arguments. */
static bool is_no_method(struct ns_check *check, struct ns_term *receiver, const char *name, uint32_t count,
                         struct ns_meaning meaning)
{
    bool known = false, open;

    return (meaning.kind == NS_MEANS_NOTHING || meaning.kind == NS_MEANS_METHOD) && !is_open_type(receiver) &&
           !is_function_in_scope(check, name) && !is_universal(name, count) &&
           ns_scheme_of_method(check, receiver, name, count - 1, &known) == NULL && known &&
           ns_field_of(check, receiver, name, &open) == NULL;
}

/* Named arguments: of a trait's method, or of a function in scope with that name if it takes the receiver; else nothing
 * is said. */
static struct ns_term *call_with_names(struct ns_check *check, const struct ns_expr *expr,
                                       struct ns_typed_argument *arguments, uint32_t count)
{
    const char *name = expr->call.name.text;
    struct ns_term *receiver = ns_prune(arguments[0].term);
    struct ns_meaning meaning = ns_find(check->unit, check->body->space, name);
    struct ns_method_call call = { .span = expr->call.name.span, .space = check->body->space };
    struct ns_group *method;

    if (ns_is_unknown(receiver))
        return unknown_result(check, arguments, count);
    method = ns_trait_method(check, receiver, name, count, check->body->space);
    if (method != NULL)
        return is_busy(method) ? unknown_result(check, arguments, count)
                               : ns_call_group(check, method, arguments, count, &expr->call.arguments, expr->span);
    if (is_no_method(check, receiver, name, count, meaning))
        return complain_no_method(check, name, arguments, count, &call);
    if (meaning.kind != NS_MEANS_FUNCTIONS || meaning.functions->groups.count != 1 ||
        meaning.functions->groups.items[0]->space->library || is_own_name(check, name) ||
        is_busy(meaning.functions->groups.items[0]) ||
        !fits_receiver(check, ns_term_of_group(check, meaning.functions->groups.items[0], expr->span), receiver))
        return unknown_result(check, arguments, count);
    return ns_call_meaning(check, meaning, name, arguments, count, &expr->call.arguments, expr->span);
}

static struct ns_term *call_qualified(struct ns_check *check, struct ns_expr *expr, struct ns_space *module,
                                      const char *path, struct ns_typed_argument *arguments, uint32_t count)
{
    struct ns_meaning meaning = ns_qualified_meaning(check, module, path, expr->call.name.text);
    struct ns_term *generic = ns_call_generic(check, expr, meaning, arguments, count);

    if (generic != NULL)
        return generic;
    if (expr->call.type_arguments.count > 0 && meaning.kind == NS_MEANS_NATIVE) {
        ns_infer_arguments(check, arguments, count);
        return ns_any(check);
    }
    return ns_call_meaning(check, meaning, expr->call.name.text, arguments, count, &expr->call.arguments,
                           expr->call.name.span);
}

/* m.update(f) of an mvar. */
static bool is_mvar(struct ns_check *check, const struct ns_expr *expr)
{
    struct ns_meaning meaning = { .kind = NS_MEANS_NOTHING };
    struct ns_space *module;
    const char *path;

    if (expr->kind == NS_EXPR_NAME && ns_name_find(check, expr->name) == NULL)
        meaning = ns_find(check->unit, check->body->space, expr->name);
    else if (expr->kind == NS_EXPR_FIELD && ns_names_module(check, expr->field.object, &module, &path))
        meaning = ns_qualified_meaning(check, module, path, expr->field.name.text);
    return meaning.kind == NS_MEANS_VALUE && meaning.value->kind == NS_VALUE_MVAR;
}

/* update(T, (T) -> T) -> T (05 §2.3); the receiver's type is the mvar's. */
static struct ns_term *call_update(struct ns_check *check, struct ns_typed_argument *arguments, uint32_t count,
                                   struct ns_span span)
{
    struct ns_callee callee = { .name = "update" };
    struct ns_term *value = arguments[0].term, **change = ns_terms(check, 1), **parameters = ns_terms(check, 2);

    change[0] = value;
    parameters[0] = value;
    parameters[1] = ns_function_of(check, change, 1, 1, value);
    callee.term = ns_function_of(check, parameters, 2, 2, value);
    return apply_method(check, callee, arguments, count, span);
}

/* x.f[T]() or x.f() of a function with type parameters in scope; NULL when something else may be meant. */
static struct ns_term *call_generic(struct ns_check *check, struct ns_expr *expr, struct ns_typed_argument *arguments,
                                    uint32_t count)
{
    const char *name = expr->call.name.text;
    struct ns_meaning meaning = ns_find(check->unit, check->body->space, name);
    struct ns_group *group = meaning.kind == NS_MEANS_FUNCTIONS ? meaning.functions->groups.items[0] : NULL;

    if (group == NULL || is_own_name(check, name) || ns_name_find(check, name) != NULL || !takes(group, count) ||
        group->clauses.items[0]->type_parameters.count == 0 ||
        !fits_receiver(check, ns_term_of_group(check, group, expr->span), ns_prune(arguments[0].term)))
        return NULL;
    return ns_call_generic(check, expr, meaning, arguments, count);
}

struct ns_term *ns_infer_method_call(struct ns_check *check, struct ns_expr *expr)
{
    struct ns_expr *receiver = expr->call.receiver;
    struct ns_typed_argument *arguments = with_receiver(check, receiver, &expr->call.arguments);
    uint32_t count = expr->call.arguments.count + 1;
    struct ns_method_call call = { .span = expr->call.name.span };
    struct ns_space *module = NULL;
    struct ns_term *generic;
    const char *path;

    if (ns_names_module(check, receiver, &module, &path))
        return call_qualified(check, expr, module, path, arguments + 1, count - 1);
    if (ns_chains_module(check, receiver, &module, &path)) {
        arguments[0].expr = receiver->field.object;
        return call_qualified(check, expr, module, path, arguments, count);
    }
    arguments[0].term = ns_infer(check, receiver, NULL);
    ns_settle(check);
    generic = call_generic(check, expr, arguments, count);
    if (generic != NULL)
        return generic;
    if (expr->call.type_arguments.count > 0)
        return unknown_result(check, arguments, count);
    if (count == 2 && strcmp(expr->call.name.text, "update") == 0 && is_mvar(check, receiver))
        return call_update(check, arguments, count, call.span);
    if (ns_has_names(&expr->call.arguments))
        return call_with_names(check, expr, arguments, count);
    call.is_local = is_function_in_scope(check, expr->call.name.text);
    call.expr = expr;
    return ns_call_method(check, expr->call.name.text, arguments, count, &call);
}
