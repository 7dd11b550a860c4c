/*
 * resolve.c - what a name means where it stands, locals aside (01 §13, §18.5), and the errors about that.
 */
#include "config.h"

#include "lang/unit.h"

#include <string.h>

#include "base/intern.h"

bool ns_is_inside(const struct ns_space *from, const struct ns_space *module)
{
    for (const struct ns_space *space = from; space != NULL; space = space->outer)
        if (space == module)
            return true;
    return false;
}

/* ---- names that stand for values and functions ---- */

static struct ns_meaning nothing(void)
{
    return (struct ns_meaning){ .kind = NS_MEANS_NOTHING };
}

static struct ns_meaning means_value(struct ns_value *value)
{
    return (struct ns_meaning){ .kind = NS_MEANS_VALUE, .value = value };
}

static struct ns_meaning means_functions(struct ns_functions *functions)
{
    return (struct ns_meaning){ .kind = NS_MEANS_FUNCTIONS, .functions = functions };
}

static bool has_public_group(const struct ns_functions *functions)
{
    for (size_t i = 0; functions != NULL && i < functions->groups.count; i++)
        if (functions->groups.items[i]->is_public)
            return true;
    return false;
}

/* The values and functions of one member; all of them, or the public ones. */
static struct ns_meaning meaning_of(const struct ns_member *member, bool all)
{
    if (member->mvar != NULL && (all || member->mvar->is_public))
        return means_value(member->mvar);
    if (member->functions != NULL && (all || has_public_group(member->functions)))
        return means_functions(member->functions);
    if (member->binding != NULL && (all || member->binding->is_public))
        return means_value(member->binding);
    if (member->constant != NULL && (all || member->constant->is_public))
        return means_value(member->constant);
    return nothing();
}

static struct ns_meaning find_own(const struct ns_space *space, const char *name)
{
    const struct ns_member *member = ns_table_get(&space->members, name);
    struct ns_meaning meaning = member == NULL ? nothing() : meaning_of(member, true);

    if (meaning.kind != NS_MEANS_NOTHING || space->file == space)
        return meaning;
    member = ns_table_get(&space->file->members, name);
    return member == NULL ? meaning : meaning_of(member, true);
}

/* Whether an earlier imported function takes the same arguments; the later one replaces it. */
static void put_group(struct ns_unit *unit, struct ns_functions *merged, struct ns_group *group)
{
    const char *signature = strchr(ns_group_signature(unit, group), '/');

    for (size_t i = 0; i < merged->groups.count; i++)
        if (strcmp(strchr(ns_group_signature(unit, merged->groups.items[i]), '/'), signature) == 0) {
            merged->groups.items[i] = group;
            return;
        }
    ns_push(unit, &merged->groups, group);
}

static void put_functions(struct ns_unit *unit, struct ns_functions *merged, const struct ns_functions *functions)
{
    for (size_t k = 0; functions != NULL && k < functions->groups.count; k++)
        if (functions->groups.items[k]->is_public)
            put_group(unit, merged, functions->groups.items[k]);
}

static struct ns_member *find_prelude(struct ns_unit *unit, const char *name);

/* The functions of the prelude that a name imported from other library modules stands beside, as `span` does, which is
 * an element and a function of lists; NULL when none. What a program's module defines hides the prelude. */
static const struct ns_functions *beside(struct ns_unit *unit, const struct ns_import *import)
{
    const struct ns_member *member = find_prelude(unit, import->name);

    for (size_t i = 0; i < import->members.count; i++)
        if (!import->members.items[i]->space->library || import->members.items[i] == member)
            return NULL;
    return member == NULL ? NULL : member->functions;
}

static struct ns_functions *merge(struct ns_unit *unit, struct ns_import *import, const struct ns_functions *prelude)
{
    struct ns_functions *merged = nb_arena_alloc(unit->arena, sizeof *merged);

    merged->name = import->name;
    merged->space = import->members.items[0]->space;
    put_functions(unit, merged, prelude);
    for (size_t i = 0; i < import->members.count; i++)
        put_functions(unit, merged, import->members.items[i]->functions);
    return merged;
}

static struct ns_meaning meaning_of_import(struct ns_unit *unit, struct ns_import *import)
{
    struct ns_meaning meaning = nothing();
    const struct ns_functions *prelude;

    if (import->named != NULL) {
        meaning = meaning_of(import->named, import->named->space->library);
        if (meaning.kind != NS_MEANS_NOTHING)
            return meaning;
    }
    for (size_t i = import->members.count; i-- > 0 && meaning.kind == NS_MEANS_NOTHING;)
        meaning = meaning_of(import->members.items[i], false);
    if (meaning.kind != NS_MEANS_FUNCTIONS)
        return meaning;
    prelude = beside(unit, import);
    if (import->members.count == 1 && prelude == NULL)
        return meaning;
    if (import->merged == NULL)
        import->merged = merge(unit, import, prelude);
    return means_functions(import->merged);
}

static struct ns_import *find_import(const struct ns_space *space, const char *name)
{
    for (; space != NULL; space = space->outer) {
        struct ns_import *import = ns_table_get(&space->imports, name);

        if (import != NULL)
            return import;
    }
    return NULL;
}

static struct ns_member *find_prelude(struct ns_unit *unit, const char *name)
{
    for (size_t i = 0; i < unit->spaces.count && unit->spaces.items[i]->library; i++) {
        struct ns_space *space = unit->spaces.items[i];
        struct ns_member *member = space->module->prelude ? ns_table_get(&space->members, name) : NULL;

        if (member != NULL && ns_member_is_public(member))
            return member;
    }
    return NULL;
}

static struct ns_meaning find_native(struct ns_space *space, const char *name)
{
    const struct vm_native *native = vm_native_find(name, -1);

    if (native == NULL || ((native->flags & VM_NATIVE_HIDDEN) && !space->library))
        return nothing();
    return (struct ns_meaning){ .kind = NS_MEANS_NATIVE, .native = native->name };
}

/* A method of the program's own traits, or of its implementations of built-in ones. */
static bool is_method(struct ns_unit *unit, const struct ns_space *space, const char *name)
{
    const struct ns_trait_info *trait = ns_table_get(&unit->trait_methods, name);

    return trait != NULL &&
           (!trait->space->library || space->library || ns_table_get(&unit->own_methods, name) != NULL);
}

/* What a trait calls the method that a module knows under a name. */
static const char *method_name(const struct ns_space *space, const char *name)
{
    const char *own = NULL;

    for (; space != NULL && own == NULL; space = space->outer)
        own = ns_table_get(&space->renamed_methods, name);
    return own == NULL ? name : own;
}

struct ns_meaning ns_find(struct ns_unit *unit, struct ns_space *space, const char *name)
{
    struct ns_meaning meaning = find_own(space, name);
    struct ns_import *import;
    struct ns_member *member;

    if (meaning.kind == NS_MEANS_NOTHING && (import = find_import(space, name)) != NULL)
        meaning = meaning_of_import(unit, import);
    if (meaning.kind == NS_MEANS_NOTHING && (member = find_prelude(unit, name)) != NULL)
        meaning = meaning_of(member, false);
    if (meaning.kind == NS_MEANS_NOTHING)
        meaning = find_native(space, name);
    if (meaning.kind != NS_MEANS_NOTHING)
        return meaning;
    meaning.method = method_name(space, name);
    if (is_method(unit, space, meaning.method))
        meaning.kind = NS_MEANS_METHOD;
    return meaning;
}

struct ns_value *ns_find_mvar(struct ns_unit *unit, struct ns_space *space, const char *name)
{
    const struct ns_member *member = ns_table_get(&space->members, name);
    struct ns_import *import;

    (void)unit;
    if (member != NULL && member->mvar != NULL)
        return member->mvar;
    member = ns_table_get(&space->file->members, name);
    if (member != NULL && member->mvar != NULL)
        return member->mvar;
    import = find_import(space, name);
    for (size_t i = 0; import != NULL && i < import->members.count; i++)
        if (import->members.items[i]->mvar != NULL && import->members.items[i]->mvar->is_public)
            return import->members.items[i]->mvar;
    return NULL;
}

static struct ns_meaning means_constructor(struct ns_constructor_info *constructor)
{
    return (struct ns_meaning){ .kind = NS_MEANS_CONSTRUCTOR, .constructor = constructor };
}

struct ns_meaning ns_find_member(struct ns_unit *unit, struct ns_space *from, struct ns_space *module, const char *name,
                                 struct ns_span span)
{
    const struct ns_member *member = ns_table_get(&module->members, name);
    struct ns_meaning meaning;

    if (member == NULL)
        return nothing();
    meaning = meaning_of(member, ns_is_inside(from, module));
    if (meaning.kind != NS_MEANS_NOTHING)
        return meaning;
    if (member->constructor != NULL) {
        if (!member->constructor->type->is_public && !ns_is_inside(from, module))
            ns_report(unit, span, "type `%s` is private in module `%s`", member->constructor->type->name, module->path);
        return means_constructor(member->constructor);
    }
    meaning = meaning_of(member, true);
    if (meaning.kind != NS_MEANS_NOTHING) {
        ns_report(unit, span, "cannot access private function `%s` from outside module `%s`", name, module->path);
        if (ns_reported(unit))
            ns_hint(unit->diag, "consider making `%s` public with 'pub' keyword", name);
    }
    return meaning;
}

/* ---- modules ---- */

struct ns_space *ns_find_module(struct ns_unit *unit, struct ns_space *space, const char *path)
{
    for (struct ns_space *at = space; at != NULL; at = at->outer) {
        struct ns_space *found;

        if (at->path[0] == '\0')
            continue;
        found = ns_table_get(&unit->paths, nb_intern(nb_arena_printf(unit->arena, "%s.%s", at->path, path)));
        if (found != NULL)
            return found;
    }
    return ns_table_get(&unit->paths, nb_intern(path));
}

/* ---- constructors, types, traits ---- */

static bool may_use(const struct ns_space *space, const struct ns_constructor_info *constructor)
{
    return constructor->type->is_public || ns_is_inside(space, constructor->type->space);
}

static struct ns_constructor_info *own_constructor(const struct ns_space *space, const char *name)
{
    for (; space != NULL; space = space->outer) {
        const struct ns_member *member = ns_table_get(&space->members, name);

        if (member != NULL && member->constructor != NULL)
            return member->constructor;
    }
    return NULL;
}

/* An import may rename: the name to look for among all constructors. */
static struct ns_constructor_info *imported_constructor(const struct ns_space *space, const char *name)
{
    const struct ns_import *import = find_import(space, name);

    for (size_t i = import == NULL ? 0 : import->members.count; i-- > 0;)
        if (import->members.items[i]->constructor != NULL)
            return import->members.items[i]->constructor;
    return NULL;
}

static bool count_fits(const struct ns_constructor_info *constructor, int count)
{
    return count < 0 || constructor->fields->count == (uint32_t)count;
}

/* The best of all constructors of that name: allowed before private, fitting before not, the program's before the
 * library's, later before earlier. */
static struct ns_constructor_info *best_constructor(struct ns_unit *unit, const struct ns_space *space,
                                                    const char *name, int count)
{
    const struct ns_constructors *all = ns_table_get(&unit->constructors, name);
    struct ns_constructor_info *best = NULL;
    int best_score = -1;

    for (size_t i = 0; all != NULL && i < all->items.count; i++) {
        struct ns_constructor_info *candidate = all->items.items[i];
        int score = 4 * may_use(space, candidate) + 2 * count_fits(candidate, count) + !candidate->type->space->library;

        if (score >= best_score) {
            best = candidate;
            best_score = score;
        }
    }
    return best;
}

struct ns_constructor_info *ns_find_constructor(struct ns_unit *unit, struct ns_space *space, const char *name,
                                                int count)
{
    struct ns_constructor_info *own = own_constructor(space, name);
    struct ns_constructor_info *best;

    if (own == NULL || !count_fits(own, count)) {
        struct ns_constructor_info *imported = imported_constructor(space, name);

        own = own == NULL || (imported != NULL && count_fits(imported, count)) ? imported : own;
    }
    if (own != NULL && count_fits(own, count))
        return own;
    best = best_constructor(unit, space, name, count);
    if (own == NULL)
        return best;
    return best != NULL && may_use(space, best) && count_fits(best, count) && !best->type->space->library ? best : own;
}

const struct ns_constructors *ns_all_constructors(struct ns_unit *unit, struct ns_space *space, const char *name)
{
    const struct ns_constructor_info *imported =
        own_constructor(space, name) == NULL ? imported_constructor(space, name) : NULL;

    return ns_table_get(&unit->constructors, imported == NULL ? name : imported->name);
}

static struct ns_type_info *qualified_type(struct ns_unit *unit, struct ns_space *space, const char *name)
{
    const char *dot = strrchr(name, '.');
    char *path = nb_arena_strndup(unit->arena, name, (size_t)(dot - name));
    struct ns_space *module = ns_find_module(unit, space, path);
    const struct ns_member *member = module == NULL ? NULL : ns_table_get(&module->members, nb_intern(dot + 1));

    return member == NULL ? NULL : member->type;
}

struct ns_type_info *ns_find_type(struct ns_unit *unit, struct ns_space *space, const char *name)
{
    const struct ns_import *import;
    const struct ns_member *member;

    if (strchr(name, '.') != NULL)
        return qualified_type(unit, space, name);
    for (const struct ns_space *at = space; at != NULL; at = at->outer)
        if ((member = ns_table_get(&at->members, name)) != NULL && member->type != NULL)
            return member->type;
    import = find_import(space, name);
    for (size_t i = import == NULL ? 0 : import->members.count; i-- > 0;)
        if (import->members.items[i]->type != NULL)
            return import->members.items[i]->type;
    member = find_prelude(unit, name);
    if (member != NULL && member->type != NULL)
        return member->type;
    return name[1] == '\0' ? NULL : ns_table_get(&unit->types, name); /* one letter is rather a type parameter */
}

struct ns_trait_info *ns_find_trait(struct ns_unit *unit, struct ns_space *space, const char *name)
{
    const struct ns_member *member;
    const struct ns_import *import;

    for (const struct ns_space *at = space; at != NULL; at = at->outer)
        if ((member = ns_table_get(&at->members, name)) != NULL && member->trait != NULL)
            return member->trait;
    import = find_import(space, name);
    for (size_t i = import == NULL ? 0 : import->members.count; i-- > 0;)
        if (import->members.items[i]->trait != NULL)
            return import->members.items[i]->trait;
    member = find_prelude(unit, name);
    return member != NULL ? member->trait : NULL;
}
