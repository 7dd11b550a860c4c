/*
 * trait.c - traits and their implementations: checks (02 §8, §12.7) and the program's method table.
 *
 * A method is a function like any other, found at run time by its receiver's class. Default methods are compiled for
 * each implementing type, as `Self` means another one in each.
 */
#include "config.h"

#include "lang/unit.h"

#include <string.h>

#include "base/intern.h"
#include "lang/similar.h"
#include "lang/suggest.h"
#include "vm/dispatch.h"

enum { CHAINS = 4096 };

static struct ns_implementation **chain_of(const struct ns_unit *unit, uint32_t class_key)
{
    return &unit->implementation_chains[class_key % CHAINS];
}

const struct ns_implementation *ns_implementations_of(const struct ns_unit *unit, uint32_t class_key)
{
    return *chain_of(unit, class_key);
}

static size_t pair_of(uint32_t class_key, const char *name)
{
    return (class_key * 31u + nb_intern_id(name)) % CHAINS;
}

/* The trait's own name, whatever an import made of it. */
static const char *own_name(const struct ns_trait_info *trait, const char *written)
{
    return trait == NULL ? written : trait->name;
}

static bool is_for(const struct ns_implementation *implementation, uint32_t class_key, const char *trait)
{
    return implementation->class_key == class_key &&
           strcmp(own_name(implementation->trait, implementation->trait_name), trait) == 0;
}

/* The first at or behind a link of its chain. */
static const struct ns_implementation *first_for(const struct ns_implementation *at, uint32_t class_key,
                                                 const char *trait)
{
    while (at != NULL && !is_for(at, class_key, trait))
        at = at->next_of_trait;
    return at;
}

const struct ns_implementation *ns_implementation_of(const struct ns_unit *unit, uint32_t class_key, const char *trait)
{
    return first_for(unit->trait_chains[pair_of(class_key, trait)], class_key, trait);
}

const struct ns_implementation *ns_implementation_before(const struct ns_implementation *implementation)
{
    return first_for(implementation->next_of_trait, implementation->class_key,
                     own_name(implementation->trait, implementation->trait_name));
}

static struct ns_group *first_method(struct ns_group *at, uint32_t class_key, const char *name)
{
    while (at != NULL && (at->implementation->class_key != class_key || strcmp(at->name, name) != 0))
        at = at->next_method;
    return at;
}

struct ns_group *ns_method_of(const struct ns_unit *unit, uint32_t class_key, const char *name)
{
    return first_method(unit->method_chains[pair_of(class_key, name)], class_key, name);
}

struct ns_group *ns_method_before(const struct ns_group *method)
{
    return first_method(method->next_method, method->implementation->class_key, method->name);
}

static const char *const builtin_traits[] = { "Show", "Eq", "Ord", "Num", "Hash", "Copy", "Concat" };

bool ns_is_builtin_trait(const char *name)
{
    for (size_t i = 0; i < sizeof builtin_traits / sizeof *builtin_traits; i++)
        if (strcmp(builtin_traits[i], name) == 0)
            return true;
    return false;
}

/* ---- declarations ---- */

static bool may_declare(const char *trait, const char *method)
{
    static const char *const pairs[][2] = { { "Show", "show" },   { "Hash", "hash" },     { "Eq", "eq" },
                                            { "Copy", "copy" },   { "Ord", "compare" },   { "Logger", "log" },
                                            { "Logger", "flush" } };

    if (strcmp(method, "toString") == 0)
        return true;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(pairs[i][0], trait) == 0 && strcmp(pairs[i][1], method) == 0)
            return true;
    return false;
}

static void check_method_name(struct ns_unit *unit, const struct ns_trait_info *trait, const struct ns_function *method)
{
    const char *name = method->name.text;

    if (trait->space->library || !ns_is_builtin_name(name) || may_declare(trait->name, name))
        return;
    ns_report(
        unit, method->name.span,
        "Trait method '%s' shadows built-in function '%s'. Built-in functions take precedence, so your method would "
        "never be called.",
        name, name);
    if (ns_reported(unit))
        ns_rank(unit->diag, 1);
}

static void report_unknown_trait(struct ns_unit *unit, const struct ns_name *name)
{
    ns_report(unit, name->span, "unknown trait `%s`", name->text);
    ns_suggest_trait(unit, name);
}

static void check_trait(struct ns_unit *unit, const struct ns_trait_info *trait)
{
    const struct ns_item *item = trait->item;

    for (uint32_t i = 0; i < item->trait.methods.count; i++)
        check_method_name(unit, trait, item->trait.methods.items[i]);
    for (uint32_t i = 0; i < item->trait.supertraits.count; i++) {
        const struct ns_name *name = &item->trait.supertraits.items[i];
        const struct ns_trait_info *super = ns_find_trait(unit, trait->space, name->text);

        if (super == NULL ? !ns_is_builtin_trait(name->text) : super->order >= trait->order)
            report_unknown_trait(unit, name);
    }
}

/* ---- implementations ---- */

static const struct ns_type_info *type_of(struct ns_unit *unit, struct ns_space *space, const struct ns_type *type)
{
    const struct ns_type_info *info;

    for (int i = 0; i < 50 && type->kind == NS_TYPE_NAMED && !type->named.brackets; i++) {
        info = ns_find_type(unit, space, type->named.name);
        if (info == NULL || info->item->type.kind != NS_DEFINE_ALIAS)
            return info;
        space = info->space;
        type = info->item->type.alias;
    }
    return NULL;
}

static void note_implementation(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item)
{
    struct ns_implementation *made = nb_arena_alloc(unit->arena, sizeof *made), **chain;

    made->item = item;
    made->space = space;
    made->trait_name = item->implementation.trait.text;
    made->trait = ns_find_trait(unit, space, made->trait_name);
    made->type = type_of(unit, space, item->implementation.type);
    made->class_key = ns_class_of_type(unit, space, item->implementation.type);
    if (made->trait == NULL && !ns_is_builtin_trait(made->trait_name) && !space->library)
        report_unknown_trait(unit, &item->implementation.trait);
    if (made->class_key == 0) {
        ns_report(unit, item->implementation.type->span, "unknown type `%s`",
                  ns_type_text(unit, item->implementation.type));
        ns_suggest_type(unit, space,
                        &(struct ns_name){ ns_type_text(unit, item->implementation.type),
                                           item->implementation.type->span });
        return;
    }
    made->number = unit->implementations.count;
    made->next = *chain_of(unit, made->class_key);
    *chain_of(unit, made->class_key) = made;
    chain = &unit->trait_chains[pair_of(made->class_key, own_name(made->trait, made->trait_name))];
    made->next_of_trait = *chain;
    *chain = made;
    ns_push(unit, &unit->implementations, made);
}

static bool has_implementation(const struct ns_unit *unit, size_t before, uint32_t class_key, const char *trait)
{
    const struct ns_implementation *at = ns_implementation_of(unit, class_key, trait);

    while (at != NULL && at->number >= before)
        at = ns_implementation_before(at);
    return at != NULL;
}

static void check_supertraits(struct ns_unit *unit, size_t index)
{
    const struct ns_implementation *own = unit->implementations.items[index];
    const struct ns_name_list *supertraits;

    if (own->trait == NULL)
        return;
    supertraits = &own->trait->item->trait.supertraits;
    for (uint32_t i = 0; i < supertraits->count; i++) {
        const char *name = supertraits->items[i].text;
        const struct ns_trait_info *super = ns_find_trait(unit, own->trait->space, name);

        if (!ns_is_builtin_trait(name) && !has_implementation(unit, index, own->class_key, own_name(super, name)))
            ns_report(unit, own->item->span,
                      "type `%s` must implement supertrait `%s` before implementing `%s`",
                      ns_type_text(unit, own->item->implementation.type), name, own->trait_name);
    }
}

static const struct ns_function *find_method(const struct ns_function_list *methods, const char *name)
{
    for (uint32_t i = 0; i < methods->count; i++)
        if (methods->items[i]->name.text == name)
            return methods->items[i];
    return NULL;
}

uint32_t ns_trait_method_arity(const struct ns_trait_info *trait, const char *name)
{
    const struct ns_function *method = find_method(&trait->item->trait.methods, name);

    return method == NULL ? 0 : method->parameters.count;
}

/* The latest block for the type and trait of one. */
static const struct ns_implementation *latest_like(const struct ns_unit *unit, const struct ns_implementation *own)
{
    return ns_implementation_of(unit, own->class_key, own_name(own->trait, own->trait_name));
}

/* Whether this block is the last one that implements the trait for its type: then everything must be there. */
static bool is_last_block(const struct ns_unit *unit, size_t index)
{
    const struct ns_implementation *own = unit->implementations.items[index];

    const struct ns_implementation *at = latest_like(unit, own);

    while (at != own && at->trait != own->trait)
        at = ns_implementation_before(at);
    return at == own;
}

static bool is_implemented(const struct ns_unit *unit, const struct ns_implementation *own, const char *method)
{
    const struct ns_implementation *at = latest_like(unit, own);

    while (at != NULL && (at->trait != own->trait || find_method(&at->item->implementation.methods, method) == NULL))
        at = ns_implementation_before(at);
    return at != NULL;
}

/* ---- methods ---- */

static unsigned tier_of(const struct ns_implementation *own)
{
    return own->space->library ? 1 : 0;
}

/* What the trait declares as defaults of parameters holds for implementations that say nothing. */
static void inherit_defaults(struct ns_unit *unit, struct ns_group *group, const struct ns_function *declared)
{
    if (declared == NULL || declared->parameters.count != group->arity)
        return;
    group->defaults = nb_arena_array(unit->arena, group->arity + 1, sizeof *group->defaults);
    for (size_t i = 0; i < group->clauses.count; i++)
        for (uint32_t k = 0; k < group->arity; k++)
            if (group->defaults[k] == NULL)
                group->defaults[k] = group->clauses.items[i]->parameters.items[k].value;
    for (uint32_t k = 0; k < group->arity; k++)
        if (group->defaults[k] == NULL)
            group->defaults[k] = declared->parameters.items[k].value;
}

/* Who sees the methods: everybody (NULL), or the module of a private trait of the program's own (01 §18.3). */
static const char *scope_of(const struct ns_implementation *own)
{
    const struct ns_trait_info *trait = own->trait;

    if (trait == NULL || trait->is_public || trait->space->library || ns_is_builtin_trait(trait->name))
        return NULL;
    return trait->space->path;
}

static void add_method(struct ns_unit *unit, struct ns_implementation *own, struct ns_group *group,
                       const struct ns_function *declared)
{
    const char *type = ns_type_text(unit, own->item->implementation.type);
    struct ns_group **chain = &unit->method_chains[pair_of(own->class_key, group->name)];

    if (!own->space->library)
        ns_table_set(&unit->own_methods, group->name, unit);
    group->self_type = own->type;
    group->implementation = own;
    group->declared = declared;
    ns_push(unit, &own->methods, group);
    group->next_method = *chain;
    *chain = group;
    inherit_defaults(unit, group, declared);
    ns_group_finish(unit, group,
                    ns_qualified(unit, own->space, nb_arena_printf(unit->arena, "%s.%s", type, group->name)));
    vm_methods_add_private(unit->program->methods, tier_of(own), own->class_key, nb_intern_id(group->name),
                           scope_of(own), vm_from_object(ns_need(unit, group)));
}

/* The clauses of one name and arity in the block. */
static struct ns_group *method_group(struct ns_unit *unit, const struct ns_implementation *own,
                                     const struct ns_function *first)
{
    const struct ns_function_list *methods = &own->item->implementation.methods;
    struct ns_group *group = ns_group_new(unit, own->space, first->name.text);

    for (uint32_t i = 0; i < methods->count; i++)
        if (methods->items[i]->name.text == first->name.text &&
            methods->items[i]->parameters.count == first->parameters.count)
            ns_group_add(unit, group, methods->items[i]);
    return group;
}

static bool is_first_clause(const struct ns_function_list *methods, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (methods->items[i]->name.text == methods->items[index]->name.text &&
            methods->items[i]->parameters.count == methods->items[index]->parameters.count)
            return false;
    return true;
}

static void add_written(struct ns_unit *unit, struct ns_implementation *own)
{
    const struct ns_function_list *methods = &own->item->implementation.methods;

    for (uint32_t i = 0; i < methods->count; i++) {
        const struct ns_function *declared =
            own->trait == NULL ? NULL : find_method(&own->trait->item->trait.methods, methods->items[i]->name.text);

        if (is_first_clause(methods, i))
            add_method(unit, own, method_group(unit, own, methods->items[i]), declared);
    }
}

/* A method that is implemented by what the trait says of it. */
static void add_default(struct ns_unit *unit, struct ns_implementation *own, const struct ns_trait_info *trait,
                        struct ns_function *method)
{
    struct ns_group *group = ns_group_new(unit, trait->space, method->name.text);

    ns_group_add(unit, group, method);
    add_method(unit, own, group, method);
}

/* The library's trait of that name. */
static const struct ns_trait_info *standard_trait(struct ns_unit *unit, const char *name)
{
    for (size_t i = 0; i < unit->spaces.count; i++) {
        const struct ns_member *member =
            unit->spaces.items[i]->library ? ns_table_get(&unit->spaces.items[i]->members, name) : NULL;

        if (member != NULL && member->trait != NULL)
            return member->trait;
    }
    return NULL;
}

/* Defaults of the standard traits, also when the program declares them again. They rest on the trait's other
 * methods. */
static void add_standard(struct ns_unit *unit, struct ns_implementation *own)
{
    const struct ns_trait_info *trait =
        ns_is_builtin_trait(own->trait_name) ? standard_trait(unit, own->trait_name) : NULL;
    const struct ns_function_list *declared;

    if (trait == NULL)
        return;
    declared = &trait->item->trait.methods;
    for (uint32_t i = 0; i < declared->count; i++)
        if (declared->items[i]->body == NULL && !is_implemented(unit, own, declared->items[i]->name.text))
            return;
    for (uint32_t i = 0; i < declared->count; i++)
        if (declared->items[i]->body != NULL && !is_implemented(unit, own, declared->items[i]->name.text))
            add_default(unit, own, trait, declared->items[i]);
}

/* A required method is missing: perhaps one that the trait does not know is it, misspelt. */
static void report_missing(struct ns_unit *unit, const struct ns_implementation *own, const char *method)
{
    const struct ns_function_list *written = &own->item->implementation.methods;

    ns_report(unit, own->item->span, "type `%s` does not implement method `%s` required by trait `%s`",
              ns_type_text(unit, own->item->implementation.type), method, own->trait_name);
    if (!ns_reported(unit))
        return;
    for (uint32_t i = 0; i < written->count; i++) {
        const struct ns_name *name = &written->items[i]->name;
        struct ns_similar similar = { .wanted = name->text };

        if (find_method(&own->trait->item->trait.methods, name->text) != NULL)
            continue;
        ns_similar_add(&similar, method);
        if (ns_similar_hint(&similar, unit->diag, name->span))
            ns_label(unit->diag, name->span, "the trait has no method `%s`", name->text);
    }
}

/* Defaults for what no block of this type implements; what has none is an error. */
static void add_missing(struct ns_unit *unit, struct ns_implementation *own)
{
    const struct ns_function_list *declared = &own->trait->item->trait.methods;

    add_standard(unit, own);
    if (ns_is_builtin_trait(own->trait_name) && own->trait->space->library)
        return;
    for (uint32_t i = 0; i < declared->count; i++) {
        struct ns_function *method = declared->items[i];

        if (is_implemented(unit, own, method->name.text))
            continue;
        if (method->body != NULL)
            add_default(unit, own, own->trait, method);
        else if (!ns_is_builtin_trait(own->trait_name) && !own->space->library)
            report_missing(unit, own, method->name.text);
    }
}

void ns_declare_traits(struct ns_unit *unit)
{
    unit->implementation_chains = nb_arena_array(unit->arena, CHAINS, sizeof *unit->implementation_chains);
    unit->trait_chains = nb_arena_array(unit->arena, CHAINS, sizeof *unit->trait_chains);
    unit->method_chains = nb_arena_array(unit->arena, CHAINS, sizeof *unit->method_chains);
    for (size_t i = 0; i < unit->spaces.count; i++) {
        struct ns_space *space = unit->spaces.items[i];

        for (uint32_t k = 0; k < space->members.count; k++) {
            const struct ns_member *member = space->members.entries[k].value;

            if (member->trait != NULL)
                check_trait(unit, member->trait);
        }
        for (uint32_t k = 0; k < space->items->count; k++)
            if (space->items->items[k]->kind == NS_ITEM_IMPLEMENTATION)
                note_implementation(unit, space, space->items->items[k]);
    }
    for (size_t i = 0; i < unit->implementations.count; i++) {
        struct ns_implementation *own = unit->implementations.items[i];

        check_supertraits(unit, i);
        add_written(unit, own);
        if (own->trait != NULL && is_last_block(unit, i))
            add_missing(unit, own);
    }
    ns_declare_companions(unit);
}
