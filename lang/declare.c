/*
 * declare.c - what the modules define: spaces and their members, functions made of clauses (group.c), types with their
 * constructors (declare_type.c), values. Bodies are not looked at, so order within and between modules does not matter.
 */
#include "config.h"

#include "lang/unit.h"

#include <string.h>

#include "base/intern.h"

const char *ns_qualified(struct ns_unit *unit, const struct ns_space *space, const char *name)
{
    if (space->library || space->path[0] == '\0')
        return name;
    return nb_intern(nb_arena_printf(unit->arena, "%s.%s", space->path, name));
}

struct vm_function *ns_function_new(struct ns_unit *unit, const struct ns_space *space, const char *name,
                                    struct ns_span span)
{
    struct vm_function *function = nb_arena_alloc(unit->program->arena, sizeof *function);

    function->header = VM_HEADER(VM_KIND_FUNCTION, VM_FLAG_IMMORTAL, 0, sizeof *function / sizeof(vm_value) - 1);
    function->name = nb_intern(name);
    function->file = nb_intern(space->module->source->file);
    function->program = unit->program;
    if (span.source != NULL)
        function->first_line = ns_line_of(unit, span);
    ns_push(unit, &unit->functions, function);
    return function;
}

/* ---- members ---- */

struct ns_member *ns_member(struct ns_unit *unit, struct ns_space *space, const char *name)
{
    struct ns_member *known = ns_table_get(&space->members, name);

    if (known == NULL) {
        known = nb_arena_alloc(unit->arena, sizeof *known);
        known->name = name;
        known->space = space;
        ns_table_set(&space->members, name, known);
    }
    return known;
}

void ns_report_twice(struct ns_unit *unit, const struct ns_name *name)
{
    ns_report(unit, name->span, "`%s` is defined multiple times", name->text);
}

static void check_protected(struct ns_unit *unit, const struct ns_space *space, const struct ns_name *name)
{
    if (space->library)
        return;
    if (ns_is_builtin_name(name->text))
        ns_report(unit, name->span,
                  "Function '%s' shadows built-in function '%s'. Built-in functions take precedence, so your function "
                  "would never be called.",
                  name->text, name->text);
    else if (ns_is_protected_library_name(name->text))
        ns_report(unit, name->span, "Function '%s' shadows standard library function 'stdlib.list.%s'.", name->text,
                  name->text);
    else
        return;
    if (ns_reported(unit)) {
        ns_rank(unit->diag, 1);
        ns_hint(unit->diag, "Consider renaming your function to avoid this conflict.");
    }
}

static void declare_function(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item)
{
    const struct ns_function *clause = item->function;
    struct ns_member *entry = ns_member(unit, space, clause->name.text);
    struct ns_group *group;

    check_protected(unit, space, &clause->name);
    if (entry->functions == NULL) {
        entry->functions = nb_arena_alloc(unit->arena, sizeof *entry->functions);
        entry->functions->name = clause->name.text;
        entry->functions->space = space;
    }
    group = ns_functions_add(unit, entry->functions, space, clause);
    if (group->clauses.count == 1)
        group->is_public = item->is_public;
}

static struct ns_value *new_value(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item,
                                  enum ns_value_kind kind)
{
    struct ns_value *value = nb_arena_alloc(unit->arena, sizeof *value);

    value->kind = kind;
    value->name = item->value.name.text;
    value->space = space;
    value->item = item;
    value->is_public = item->is_public;
    return value;
}

/* That of an earlier program of the same prompt, or NULL. */
static struct vm_mvar *earlier_mvar(struct ns_unit *unit, const char *name, const char *type)
{
    const struct ns_options *options = unit->options;

    for (size_t i = 0; i < options->mvar_count; i++)
        if (strcmp(options->mvars[i]->name, name) == 0 && strcmp(options->mvars[i]->type, type) == 0)
            return options->mvars[i];
    return NULL;
}

static void declare_mvar(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item)
{
    struct ns_member *entry = ns_member(unit, space, item->value.name.text);
    struct ns_value *value = new_value(unit, space, item, NS_VALUE_MVAR);
    const char *type;

    if (entry->mvar != NULL) {
        ns_report_twice(unit, &item->value.name);
        return;
    }
    entry->mvar = value;
    type = item->value.type == NULL ? "" : ns_type_text(unit, item->value.type);
    value->mvar = earlier_mvar(unit, ns_qualified(unit, space, value->name), type);
    if (value->mvar != NULL)
        return;
    value->mvar = nb_arena_alloc(unit->program->arena, sizeof *value->mvar);
    value->mvar->name = nb_intern(ns_qualified(unit, space, value->name));
    value->mvar->type = nb_intern(type);
    atomic_init(&value->mvar->value, VM_UNIT);
    ns_push(unit, &unit->mvars, value);
    ns_push(unit, &unit->vm_mvars, value->mvar);
}

/* A function whose only clause is the lambda, or one without parameters around the expression. */
static struct ns_group *group_of(struct ns_unit *unit, struct ns_space *space, const char *name,
                                 const struct ns_function *clause)
{
    struct ns_group *group = ns_group_new(unit, space, name);

    ns_group_add(unit, group, clause);
    ns_group_finish(unit, group, ns_qualified(unit, space, name));
    return group;
}

static const struct ns_function *thunk(struct ns_unit *unit, const struct ns_item *item)
{
    struct ns_function *clause = nb_arena_alloc(unit->arena, sizeof *clause);

    clause->name = item->value.name;
    clause->body = item->value.value;
    clause->return_type = item->value.type;
    clause->span = item->span;
    return clause;
}

static void declare_binding(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item)
{
    struct ns_member *entry;
    struct ns_value *value;

    if (item->value.name.text == NULL)
        return; /* other patterns than a name are ignored (01 §6.2) */
    entry = ns_member(unit, space, item->value.name.text);
    if (entry->binding != NULL) {
        ns_report_twice(unit, &item->value.name);
        return;
    }
    value = new_value(unit, space, item, NS_VALUE_BINDING);
    value->group = group_of(unit, space, value->name, thunk(unit, item));
    if (item->value.value->kind == NS_EXPR_LAMBDA)
        value->lambda = group_of(unit, space, value->name, item->value.value->function);
    entry->binding = value;
}

static const char *expression_word(const struct ns_expr *expr)
{
    switch (expr->kind) {
    case NS_EXPR_UNARY:
        return "unary operation";
    case NS_EXPR_BINARY:
        return "binary operation";
    case NS_EXPR_INTERPOLATION:
        return "string interpolation";
    case NS_EXPR_CALL:
    case NS_EXPR_METHOD_CALL:
        return "function call";
    case NS_EXPR_NAME:
    case NS_EXPR_UPPER:
        return "name";
    case NS_EXPR_LIST:
        return "list of other values";
    default:
        return "expression";
    }
}

static bool is_constant(const struct ns_expr *expr, bool in_list)
{
    if (expr->kind == NS_EXPR_LITERAL) {
        enum ns_literal_kind kind = expr->literal.kind;

        return kind == NS_LITERAL_INT || kind == NS_LITERAL_FLOAT || kind == NS_LITERAL_STRING ||
               kind == NS_LITERAL_BOOL || (!in_list && (kind == NS_LITERAL_CHAR || kind == NS_LITERAL_UNIT));
    }
    if (expr->kind != NS_EXPR_LIST || in_list || expr->list.tail != NULL)
        return false;
    for (uint32_t i = 0; i < expr->list.items.count; i++)
        if (!is_constant(expr->list.items.items[i], true))
            return false;
    return true;
}

/* The item with `()` for its value: a constant that is none might refer to itself. */
static const struct ns_item *without_value(struct ns_unit *unit, const struct ns_item *item)
{
    struct ns_item *copy = nb_arena_alloc(unit->arena, sizeof *copy);
    struct ns_expr *nothing = nb_arena_alloc(unit->arena, sizeof *nothing);

    *copy = *item;
    nothing->kind = NS_EXPR_LITERAL;
    nothing->span = item->value.value->span;
    nothing->literal.kind = NS_LITERAL_UNIT;
    copy->value.value = nothing;
    return copy;
}

static void declare_const(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item)
{
    struct ns_member *entry = ns_member(unit, space, item->value.name.text);

    if (entry->constant != NULL) {
        ns_report_twice(unit, &item->value.name);
        return;
    }
    if (!is_constant(item->value.value, false)) {
        ns_report(unit, item->value.value->span,
                  "const value must be a literal (Int, Float, String, Bool, Char), got: %s",
                  expression_word(item->value.value));
        item = without_value(unit, item);
    }
    entry->constant = new_value(unit, space, item, NS_VALUE_CONST);
}

/* ---- traits ---- */

static void declare_trait(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item)
{
    struct ns_member *entry = ns_member(unit, space, item->trait.name.text);
    struct ns_trait_info *trait = nb_arena_alloc(unit->arena, sizeof *trait);

    if (entry->trait != NULL) {
        ns_report_twice(unit, &item->trait.name);
        return;
    }
    *trait = (struct ns_trait_info){ item->trait.name.text, space, item, item->is_public, ++unit->trait_count };
    entry->trait = trait;
    ns_table_set(&unit->traits, trait->name, trait);
    for (uint32_t i = 0; i < item->trait.methods.count; i++)
        ns_table_set(&unit->trait_methods, item->trait.methods.items[i]->name.text, trait);
}

/* ---- spaces ---- */

static struct ns_space *new_space(struct ns_unit *unit, const char *path, struct ns_space *outer,
                                  const struct ns_module *module, const struct ns_item_list *items)
{
    struct ns_space *space = nb_arena_alloc(unit->arena, sizeof *space);

    space->path = path;
    space->outer = outer;
    space->file = outer == NULL ? space : outer->file;
    space->module = module;
    space->items = items;
    space->library = module->library;
    ns_table_set(&unit->paths, path, space);
    ns_push(unit, &unit->spaces, space);
    return space;
}

static void declare_items(struct ns_unit *unit, struct ns_space *space);

static void declare_module(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item)
{
    const char *name = item->module.name.text;
    struct ns_member *entry = ns_member(unit, space, name);
    const char *path =
        space->path[0] == '\0' ? name : nb_intern(nb_arena_printf(unit->arena, "%s.%s", space->path, name));

    if (entry->module != NULL) {
        ns_report_twice(unit, &item->module.name);
        return;
    }
    entry->module = new_space(unit, path, space, space->module, &item->module.items);
    declare_items(unit, entry->module);
}

static void declare_item(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item)
{
    switch (item->kind) {
    case NS_ITEM_FUNCTION:
        declare_function(unit, space, item);
        break;
    case NS_ITEM_TYPE:
        ns_declare_type(unit, space, item);
        break;
    case NS_ITEM_TRAIT:
        declare_trait(unit, space, item);
        break;
    case NS_ITEM_MVAR:
        declare_mvar(unit, space, item);
        break;
    case NS_ITEM_CONST:
        declare_const(unit, space, item);
        break;
    case NS_ITEM_BINDING:
        declare_binding(unit, space, item);
        break;
    case NS_ITEM_MODULE:
        declare_module(unit, space, item);
        break;
    case NS_ITEM_TEMPLATE:       /* applied before: expand.c */
    case NS_ITEM_IMPLEMENTATION: /* trait.c */
    case NS_ITEM_USE:            /* use.c */
    case NS_ITEM_TEST:           /* parsed and ignored: 01 §6.6 */
    case NS_ITEM_EXTERN_TYPE:
    case NS_ITEM_EXTERN_FUNCTION:
        break;
    }
}

static void declare_items(struct ns_unit *unit, struct ns_space *space)
{
    for (uint32_t i = 0; i < space->items->count; i++)
        declare_item(unit, space, space->items->items[i]);
}

static void finish_functions(struct ns_unit *unit, struct ns_space *space)
{
    for (uint32_t i = 0; i < space->members.count; i++) {
        struct ns_member *entry = space->members.entries[i].value;

        for (size_t k = 0; entry->functions != NULL && k < entry->functions->groups.count; k++)
            ns_group_finish(unit, entry->functions->groups.items[k], ns_qualified(unit, space, entry->name));
    }
}

/* "String.trim" makes `trim` a name that a value may have as a method. */
static void note_method_names(struct ns_unit *unit)
{
    const struct vm_native *native;

    for (unsigned i = 0; (native = vm_native_at(i)) != NULL; i++) {
        const char *dot = strrchr(native->name, '.');

        if (dot != NULL)
            ns_table_set(&unit->method_names, nb_intern(dot + 1), unit);
    }
}

static void note_field_names(struct ns_unit *unit)
{
    for (uint32_t i = 0; i < unit->constructors.count; i++) {
        const struct ns_constructors *named = unit->constructors.entries[i].value;

        for (size_t k = 0; k < named->items.count; k++)
            for (uint32_t n = 0; named->items.items[k]->named && n < named->items.items[k]->fields->count; n++)
                ns_table_set(&unit->field_names, named->items.items[k]->fields->items[n].name.text, unit);
    }
}

void ns_declare(struct ns_unit *unit)
{
    note_method_names(unit);
    for (uint32_t i = 0; i < unit->source->count; i++) {
        const struct ns_module *module = unit->source->modules[i];

        declare_items(unit, new_space(unit, nb_intern(module->path), NULL, module, &module->file->items));
    }
    note_field_names(unit);
    for (size_t i = 0; i < unit->spaces.count; i++)
        finish_functions(unit, unit->spaces.items[i]);
    ns_declare_uses(unit);
    ns_declare_traits(unit);
}
