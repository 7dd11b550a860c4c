/*
 * infer_name.c - scopes of the checker, and what names mean where a value is wanted. What is unknown or private is
 * reported when code is made; here it means nothing.
 */
#include "config.h"

#include <string.h>

#include "base/intern.h"
#include "lang/infer.h"
#include "lang/lower.h"

/* ---- scopes ---- */

size_t ns_names_begin(struct ns_check *check)
{
    return check->names.count;
}

void ns_names_end(struct ns_check *check, size_t scope)
{
    while (check->names.count > scope) {
        struct ns_typed_local *local = check->names.items[--check->names.count];

        ns_table_set(&check->locals, local->name, local->hidden);
    }
}

struct ns_typed_local *ns_name_add(struct ns_check *check, const char *name, struct ns_term *term)
{
    struct ns_typed_local *local = nb_arena_alloc(check->arena, sizeof *local);

    local->name = name;
    local->term = term;
    local->depth = check->body->depth;
    local->hidden = ns_table_set(&check->locals, name, local);
    ns_push(check->unit, &check->names, local);
    return local;
}

struct ns_typed_local *ns_name_find(const struct ns_check *check, const char *name)
{
    return ns_table_get(&check->locals, name);
}

void ns_note_declared(struct ns_check *check, const struct ns_parameter *parameter)
{
    struct ns_typed_local *local;

    if (parameter->type == NULL || parameter->pattern->kind != NS_PATTERN_NAME)
        return;
    local = ns_name_find(check, parameter->pattern->name);
    if (local != NULL)
        local->declared = parameter->type->span;
}

void ns_label_declared(struct ns_check *check, const struct ns_expr *expr, size_t errors)
{
    const struct ns_typed_local *local;

    if (expr == NULL || expr->kind != NS_EXPR_NAME || ns_diag_count(check->unit->diag) == errors)
        return;
    local = ns_name_find(check, expr->name);
    if (local != NULL && local->declared.source != NULL)
        ns_label(check->unit->diag, local->declared, "`%s` is declared here", expr->name);
}

/* ---- modules ---- */

/* "a.b.C" if the expression is nothing but names with dots, else NULL. A local in front makes it a value. */
static const char *path_of(struct ns_check *check, const struct ns_expr *expr)
{
    const char *front;

    if (expr->kind == NS_EXPR_NAME || expr->kind == NS_EXPR_UPPER)
        return ns_name_find(check, expr->name) == NULL ? expr->name : NULL;
    if (expr->kind != NS_EXPR_FIELD)
        return NULL;
    front = path_of(check, expr->field.object);
    if (front == NULL)
        return NULL;
    return nb_intern(nb_arena_printf(check->arena, "%s.%s", front, expr->field.name.text));
}

bool ns_names_module(struct ns_check *check, const struct ns_expr *expr, struct ns_space **ret_space,
                     const char **ret_path)
{
    struct ns_space *space = check->body->space;
    const char *path;

    if (expr->kind == NS_EXPR_NAME && ns_find(check->unit, space, expr->name).kind == NS_MEANS_VALUE)
        return false;
    path = path_of(check, expr);
    if (path == NULL)
        return false;
    *ret_path = path;
    *ret_space = ns_find_module(check->unit, space, path);
    return *ret_space != NULL || ns_is_namespace(check->unit, space, path);
}

bool ns_chains_module(struct ns_check *check, const struct ns_expr *receiver, struct ns_space **ret_space,
                      const char **ret_path)
{
    if (receiver->kind != NS_EXPR_FIELD || receiver->field.name.text[0] < 'A' || receiver->field.name.text[0] > 'Z')
        return false;
    *ret_path = receiver->field.name.text;
    *ret_space = ns_find_module(check->unit, check->body->space, *ret_path);
    return *ret_space != NULL || vm_native_is_namespace(*ret_path);
}

static bool has_public_group(const struct ns_functions *functions)
{
    for (size_t i = 0; i < functions->groups.count; i++)
        if (functions->groups.items[i]->is_public)
            return true;
    return false;
}

/* What is private is reported when code is made; here it only means nothing. */
static struct ns_meaning member_meaning(struct ns_check *check, const struct ns_space *module, const char *name)
{
    const struct ns_member *member = ns_table_get(&module->members, name);
    bool all = ns_is_inside(check->body->space, module);
    struct ns_meaning meaning = { .kind = NS_MEANS_NOTHING };

    if (member == NULL)
        return meaning;
    if (member->functions != NULL && (all || has_public_group(member->functions)))
        return (struct ns_meaning){ .kind = NS_MEANS_FUNCTIONS, .functions = member->functions };
    if (member->mvar != NULL || member->binding != NULL || member->constant != NULL) {
        meaning.kind = NS_MEANS_VALUE;
        meaning.value = member->mvar != NULL      ? member->mvar
                        : member->binding != NULL ? member->binding
                                                  : member->constant;
    } else if (member->constructor != NULL) {
        meaning.kind = NS_MEANS_CONSTRUCTOR;
        meaning.constructor = member->constructor;
    }
    return meaning;
}

struct ns_meaning ns_qualified_meaning(struct ns_check *check, struct ns_space *module, const char *path,
                                       const char *name)
{
    struct ns_meaning meaning = { .kind = NS_MEANS_NOTHING };
    const struct vm_native *native;

    if (module != NULL)
        meaning = member_meaning(check, module, name);
    if (meaning.kind != NS_MEANS_NOTHING)
        return meaning;
    native = vm_native_find(nb_arena_printf(check->arena, "%s.%s", path, name), -1);
    if (native != NULL)
        meaning = (struct ns_meaning){ .kind = NS_MEANS_NATIVE, .native = native->name };
    return meaning;
}

/* ---- names ---- */

/* How many constructors of that name the program itself has that take so many arguments; one of them. */
static unsigned own_candidates(const struct ns_constructors *all, int count, struct ns_constructor_info **ret)
{
    unsigned found = 0;

    for (size_t i = 0; i < all->items.count; i++) {
        struct ns_constructor_info *candidate = all->items.items[i];

        if (candidate->type->space->library || (count >= 0 && candidate->fields->count != (uint32_t)count))
            continue;
        *ret = candidate;
        found++;
    }
    return found;
}

struct ns_constructor_info *ns_constructor_meant(struct ns_check *check, const char *name, int count,
                                                 struct ns_term *expected)
{
    struct ns_space *space = check->body->space;
    const struct ns_constructors *all = ns_all_constructors(check->unit, space, name);
    const struct ns_con *con = expected == NULL ? NULL : ns_con_of_term(expected);
    struct ns_constructor_info *own = NULL;

    if (all == NULL)
        return NULL;
    for (size_t i = 0; con != NULL && con->info != NULL && i < all->items.count; i++)
        if (all->items.items[i]->type == con->info)
            return all->items.items[i];
    switch (own_candidates(all, count, &own)) {
    case 0:
        return ns_find_constructor(check->unit, space, name, count);
    case 1:
        return own;
    default:
        return NULL;
    }
}

static struct ns_term *term_of_constructor(struct ns_check *check, const struct ns_constructor_info *constructor)
{
    struct ns_term *result, **fields;

    if (constructor == NULL || constructor->type->item->kind != NS_ITEM_TYPE)
        return ns_any(check);
    fields = ns_instantiate_constructor(check, constructor, &result);
    if (constructor->fields->count == 0 && !constructor->is_record)
        return result;
    return ns_function_of(check, fields, constructor->fields->count, constructor->fields->count, result);
}

static struct ns_term *term_of_functions(struct ns_check *check, const struct ns_functions *functions,
                                         struct ns_span where)
{
    if (functions->groups.count != 1 || ns_is_conversion(functions->groups.items[0]))
        return ns_any(check);
    return ns_term_of_group(check, functions->groups.items[0], where);
}

struct ns_term *ns_term_of_meaning(struct ns_check *check, struct ns_meaning meaning, struct ns_span where)
{
    struct ns_term *scheme;

    switch (meaning.kind) {
    case NS_MEANS_VALUE:
        return ns_term_of_value(check, meaning.value, where);
    case NS_MEANS_FUNCTIONS:
        return term_of_functions(check, meaning.functions, where);
    case NS_MEANS_NATIVE:
        scheme = ns_scheme_of_native(check, meaning.native, -1);
        return scheme == NULL ? ns_any(check) : ns_instantiate(check, scheme, where, meaning.native);
    case NS_MEANS_CONSTRUCTOR:
        return term_of_constructor(check, meaning.constructor);
    case NS_MEANS_METHOD:
        return ns_term_of_method(check, meaning.method, where);
    case NS_MEANS_NOTHING:
        break;
    }
    return ns_any(check);
}

struct ns_term *ns_infer_name(struct ns_check *check, const struct ns_expr *expr)
{
    const struct ns_typed_local *local = ns_name_find(check, expr->name);

    if (local == NULL && strcmp(expr->name, "self") == 0)
        return ns_function_of(check, NULL, 0, 0, ns_basic(check, NS_CON_PID));
    if (local == NULL)
        return ns_term_of_meaning(check, ns_find(check->unit, check->body->space, expr->name), expr->span);
    return local->is_scheme ? ns_instantiate(check, local->term, expr->span, NULL) : local->term;
}

struct ns_term *ns_infer_upper(struct ns_check *check, const struct ns_expr *expr, struct ns_term *expected)
{
    struct ns_meaning meaning = ns_find(check->unit, check->body->space, expr->name);

    if (ns_name_find(check, expr->name) != NULL)
        return ns_infer_name(check, expr);
    if (meaning.kind == NS_MEANS_VALUE)
        return ns_term_of_meaning(check, meaning, expr->span);
    return term_of_constructor(check, ns_constructor_meant(check, expr->name, -1, expected));
}
