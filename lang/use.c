/*
 * use.c - `use`: which names of other modules a module sees (01 §18.3, §18.4).
 */
#include "config.h"

#include "lang/unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/intern.h"
#include "lang/suggest.h"

bool ns_member_is_public(const struct ns_member *member)
{
    for (size_t i = 0; member->functions != NULL && i < member->functions->groups.count; i++)
        if (member->functions->groups.items[i]->is_public)
            return true;
    return (member->mvar != NULL && member->mvar->is_public) ||
           (member->binding != NULL && member->binding->is_public) ||
           (member->constant != NULL && member->constant->is_public) ||
           (member->type != NULL && member->type->is_public) ||
           (member->trait != NULL && member->trait->is_public) ||
           (member->constructor != NULL && member->constructor->type->is_public) || member->module != NULL;
}

/* Whether it is more than functions, which merge, and constructors, which are known by name everywhere. */
static bool must_be_unique(const struct ns_member *member)
{
    return member->binding != NULL || member->constant != NULL || member->type != NULL || member->trait != NULL ||
           member->mvar != NULL;
}

static void report_conflict(struct ns_unit *unit, struct ns_span span, const char *name, const struct ns_member *first,
                            const struct ns_member *second)
{
    ns_report(unit, span, "import conflict: `%s` is imported from both `%s` and `%s`", name, first->space->path,
              second->space->path);
}

static struct ns_import *import_of(struct ns_unit *unit, struct ns_space *space, const char *name)
{
    struct ns_import *import = ns_table_get(&space->imports, name);

    if (import == NULL) {
        import = nb_arena_alloc(unit->arena, sizeof *import);
        import->name = name;
        ns_table_set(&space->imports, name, import);
    }
    return import;
}

static bool is_imported(const struct ns_import *import, const struct ns_member *member)
{
    for (size_t i = 0; i < import->members.count; i++)
        if (import->members.items[i] == member)
            return true;
    return false;
}

static void import_all(struct ns_unit *unit, struct ns_space *space, struct ns_space *module, struct ns_span span)
{
    for (uint32_t i = 0; i < module->members.count; i++) {
        struct ns_member *member = module->members.entries[i].value;
        struct ns_import *import;

        if (!ns_member_is_public(member))
            continue;
        import = import_of(unit, space, member->name);
        if (is_imported(import, member))
            continue;
        for (size_t k = 0; k < import->members.count; k++)
            if (must_be_unique(member) && must_be_unique(import->members.items[k]) && import->named == NULL &&
                !(module->library && import->members.items[k]->space->library))
                report_conflict(unit, span, member->name, import->members.items[k], member);
        ns_push(unit, &import->members, member);
    }
}

static const struct ns_trait_info *trait_with_method(const struct ns_space *module, const char *name)
{
    for (uint32_t i = 0; i < module->members.count; i++) {
        const struct ns_member *member = module->members.entries[i].value;
        const struct ns_function_list *methods = member->trait == NULL ? NULL : &member->trait->item->trait.methods;

        for (uint32_t k = 0; methods != NULL && k < methods->count; k++)
            if (methods->items[k]->name.text == name)
                return member->trait;
    }
    return NULL;
}

/* Nothing is imported but another name: methods of a public trait are found on every receiver (01 §18.3). */
static void import_method(struct ns_unit *unit, struct ns_space *space, struct ns_space *module,
                          const struct ns_use_item *item)
{
    const struct ns_trait_info *trait = trait_with_method(module, item->name.text);

    if (trait == NULL) {
        ns_report(unit, item->name.span, "`%s` is not defined in module `%s`", item->name.text, module->path);
        ns_suggest_member(unit, module, module->path, &item->name);
    } else if (!trait->is_public && !ns_is_inside(space, module)) {
        ns_report(unit, item->name.span, "`%s` is private in module `%s`", item->name.text, module->path);
    } else if (item->alias.text != NULL) {
        ns_table_set(&space->renamed_methods, item->alias.text, (char *)item->name.text);
    }
}

/* Names from the library are not checked: some are forms (`Html`), and private helpers may be imported (04 §1). */
static void import_named(struct ns_unit *unit, struct ns_space *space, struct ns_space *module,
                         const struct ns_use_item *item)
{
    struct ns_member *member = ns_table_get(&module->members, item->name.text);
    struct ns_import *import;

    if (member == NULL && module->library)
        return;
    if (member == NULL) {
        import_method(unit, space, module, item);
        return;
    }
    if (!ns_member_is_public(member) && !ns_is_inside(space, module) && !module->library) {
        ns_report(unit, item->name.span, "`%s` is private in module `%s`", item->name.text, module->path);
        return;
    }
    import = import_of(unit, space, item->alias.text != NULL ? item->alias.text : item->name.text);
    if (import->named != NULL && import->named != member)
        report_conflict(unit, item->name.span, import->name, import->named, member);
    import->named = member;
    if (!is_imported(import, member))
        ns_push(unit, &import->members, member);
}

/* "a.b", and with `more` "a.b.more". */
static const char *dotted(const struct ns_name_list *path, const char *more)
{
    struct nb_buf text = NB_BUF_INIT;
    const char *name;

    for (uint32_t i = 0; i < path->count; i++)
        nb_buf_printf(&text, "%s%s", i > 0 ? "." : "", path->items[i].text);
    if (more != NULL)
        nb_buf_printf(&text, ".%s", more);
    name = nb_intern(nb_buf_cstr(&text));
    nb_buf_done(&text);
    return name;
}

static struct ns_span path_span(const struct ns_name_list *path)
{
    struct ns_span span = path->items[0].span;

    span.to = path->items[path->count - 1].span.to;
    return span;
}

/* `use a.b` where that is a module: qualified access, nothing else. */
static bool use_module(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item)
{
    const char *path;
    struct ns_space *module;

    if (!item->use.single)
        return false;
    path = dotted(&item->use.path, item->use.items.items[0].name.text);
    module = ns_find_module(unit, space, path);
    if (module == NULL)
        return false;
    ns_table_set(&space->used, module->path, module);
    return true;
}

static void declare_use(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item)
{
    const char *path = dotted(&item->use.path, NULL);
    struct ns_space *module = ns_find_module(unit, space, path);

    if (module == NULL ||
        (item->use.single && ns_table_get(&module->members, item->use.items.items[0].name.text) == NULL))
        if (use_module(unit, space, item))
            return;
    if (module == NULL) {
        ns_report(unit, item->span, "module `%s` not found", path);
        ns_suggest_module(unit, &(struct ns_name){ path, path_span(&item->use.path) });
        return;
    }
    ns_table_set(&space->used, module->path, module);
    if (item->use.all)
        import_all(unit, space, module, item->span);
    for (uint32_t i = 0; i < item->use.items.count; i++)
        import_named(unit, space, module, &item->use.items.items[i]);
}

/* Constructors of library types are known everywhere, so one of the program with the name of one that it imports could
 * mean either. */
static void check_constructors(struct ns_unit *unit, const struct ns_space *module)
{
    for (uint32_t i = 0; i < module->members.count; i++) {
        const struct ns_member *member = module->members.entries[i].value;
        const struct ns_constructors *others;

        if (member == NULL || member->constructor == NULL || member->constructor->is_record)
            continue;
        others = ns_table_get(&unit->constructors, member->name);
        for (size_t k = 0; others != NULL && k < others->items.count; k++) {
            const struct ns_type_info *own = others->items.items[k]->type;

            if (!own->space->library && !others->items.items[k]->is_record)
                ns_report(unit, own->item->span,
                          "Constructor '%s' conflicts with stdlib type '%s.%s'. Use a different constructor name to "
                          "avoid ambiguity.",
                          member->name, module->path, member->constructor->type->name);
        }
    }
}

/* Those of all library modules that the program uses. */
static void check_used_constructors(struct ns_unit *unit)
{
    struct ns_table seen = { 0 };

    for (size_t i = 0; i < unit->spaces.count; i++) {
        const struct ns_space *space = unit->spaces.items[i];

        for (uint32_t k = 0; !space->library && k < space->used.count; k++) {
            struct ns_space *module = space->used.entries[k].value;

            if (module->library && ns_table_get(&seen, module->path) == NULL)
                check_constructors(unit, module);
            ns_table_set(&seen, module->path, module);
        }
    }
    ns_table_done(&seen);
}

void ns_declare_uses(struct ns_unit *unit)
{
    for (size_t i = 0; i < unit->spaces.count; i++) {
        struct ns_space *space = unit->spaces.items[i];

        for (uint32_t k = 0; k < space->items->count; k++)
            if (space->items->items[k]->kind == NS_ITEM_USE)
                declare_use(unit, space, space->items->items[k]);
    }
    check_used_constructors(unit);
}
