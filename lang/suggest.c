/*
 * suggest.c - which names come into question where one means nothing.
 */
#include "config.h"

#include "lang/suggest.h"

#include <string.h>

#include "base/intern.h"
#include "lang/library.h"
#include "lang/similar.h"
#include "vm/native.h"

/* ---- candidates ---- */

static void add_names(struct ns_similar *similar, const struct ns_table *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (table->entries[i].value != NULL)
            ns_similar_add(similar, table->entries[i].name);
}

static bool is_value(const struct ns_member *member)
{
    return member->mvar != NULL || member->binding != NULL || member->constant != NULL || member->functions != NULL;
}

static void add_prelude(const struct ns_unit *unit, struct ns_similar *similar)
{
    for (size_t i = 0; i < unit->spaces.count && unit->spaces.items[i]->library; i++) {
        const struct ns_space *space = unit->spaces.items[i];

        for (uint32_t k = 0; space->module->prelude && k < space->members.count; k++) {
            const struct ns_member *member = space->members.entries[k].value;

            if (is_value(member) && ns_member_is_public(member))
                ns_similar_add(similar, member->name);
        }
    }
}

/* Natives below a prefix ("String."), without it; "": those without a dot. */
static void add_natives(struct ns_similar *similar, const char *prefix)
{
    const struct vm_native *native;
    size_t length = strlen(prefix);

    for (unsigned i = 0; (native = vm_native_at(i)) != NULL; i++)
        if ((native->flags & VM_NATIVE_HIDDEN) == 0 && strncmp(native->name, prefix, length) == 0 &&
            strchr(native->name + length, '.') == NULL)
            ns_similar_add(similar, native->name + length);
}

static struct ns_similar similar_values(const struct ns_unit *unit, const struct ns_space *space, const char *name)
{
    struct ns_similar similar = { .wanted = name };

    add_names(&similar, &unit->symbols);
    for (uint32_t i = 0; i < space->members.count; i++) {
        const struct ns_member *member = space->members.entries[i].value;

        if (is_value(member))
            ns_similar_add(&similar, member->name);
    }
    add_names(&similar, &space->imports);
    add_prelude(unit, &similar);
    add_natives(&similar, "");
    return similar;
}

bool ns_has_suggestion(struct ns_unit *unit, struct ns_space *space, const char *name)
{
    return similar_values(unit, space, name).count > 0;
}

/* ---- hints ---- */

/* What other languages call the value that is not there. */
static bool is_nothing(const char *name)
{
    static const char *const words[] = { "null", "nil", "none", "undefined", "nothing" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], name) == 0)
            return true;
    return false;
}

void ns_suggest_value(struct ns_unit *unit, struct ns_space *space, const struct ns_name *name)
{
    struct ns_similar similar;

    if (!ns_reported(unit))
        return;
    similar = similar_values(unit, space, name->text);
    if (is_nothing(name->text))
        ns_note(unit->diag, "a value that may be missing is an Option: `None` or `Some(x)`");
    if (!ns_similar_hint(&similar, unit->diag, name->span))
        ns_hint(unit->diag, "did you mean to define `%s` first?", name->text);
}

void ns_suggest_type(struct ns_unit *unit, struct ns_space *space, const struct ns_name *name)
{
    static const char *const basic[] = {
        "Int",    "Int8",   "Int16",  "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float", "Float32",
        "Float64", "BigInt", "Decimal", "Bool", "Char", "String", "Unit",  "List",   "Array",  "Map",   "Set",
        "Buffer", "Pid",    "Ref",
    };
    struct ns_similar similar = { .wanted = name->text };

    if (!ns_reported(unit))
        return;
    for (uint32_t i = 0; i < space->members.count; i++) {
        const struct ns_member *member = space->members.entries[i].value;

        if (member->type != NULL)
            ns_similar_add(&similar, member->name);
    }
    for (size_t i = 0; i < sizeof basic / sizeof *basic; i++)
        ns_similar_add(&similar, basic[i]);
    add_names(&similar, &unit->types);
    if (!ns_similar_hint(&similar, unit->diag, name->span))
        ns_hint(unit->diag, "types must be defined with 'type Name = ...'");
}

void ns_suggest_constructor(struct ns_unit *unit, const struct ns_name *name)
{
    struct ns_similar similar = { .wanted = name->text };

    if (!ns_reported(unit))
        return;
    add_names(&similar, &unit->constructors);
    if (!ns_similar_hint(&similar, unit->diag, name->span))
        ns_hint(unit->diag, "types must be defined with 'type Name = ...'");
}

void ns_suggest_trait(struct ns_unit *unit, const struct ns_name *name)
{
    struct ns_similar similar = { .wanted = name->text };

    if (!ns_reported(unit))
        return;
    add_names(&similar, &unit->traits);
    if (!ns_similar_hint(&similar, unit->diag, name->span))
        ns_hint(unit->diag, "traits must be defined with 'trait Name ... end'");
}

/* Namespaces and library modules that the language has and this server has not. */
static const struct {
    const char *path, *what;
} absent[] = {
    { "WebSocket", "WebSockets" },
    { "stdlib.ws", "WebSockets" },
    { "stdlib.rweb", "WebSockets" },
    { "stdlib.rweb_state", "WebSockets" },
    { "stdlib.rhttp_server", "servers of reactive pages" },
    { "Pg", "databases" },
    { "stdlib.db", "databases" },
    { "stdlib.pool", "databases" },
    { "Panel", "terminal panels" },
    { "Selenium", "remote-controlled browsers" },
};

/* True when the path stands for something absent, which is said. */
static bool hint_absent(struct ns_unit *unit, const char *path)
{
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        if (strcmp(path, absent[i].path) == 0) {
            ns_hint(unit->diag, "`%s` is not there: %s are not supported", path, absent[i].what);
            return true;
        }
    return false;
}

void ns_suggest_module(struct ns_unit *unit, const struct ns_name *path)
{
    struct ns_similar similar = { .wanted = path->text };

    if (!ns_reported(unit) || hint_absent(unit, path->text))
        return;
    add_names(&similar, &unit->paths);
    for (size_t i = 0; i < ns_library_count(); i++)
        ns_similar_add(&similar, ns_library_get(i)->path);
    ns_similar_hint(&similar, unit->diag, path->span);
}

void ns_suggest_member(struct ns_unit *unit, const struct ns_space *module, const char *path,
                       const struct ns_name *name)
{
    struct ns_similar similar = { .wanted = name->text };

    if (!ns_reported(unit) || (module == NULL && hint_absent(unit, path)))
        return;
    for (uint32_t i = 0; module != NULL && i < module->members.count; i++) {
        const struct ns_member *member = module->members.entries[i].value;

        if (ns_member_is_public(member))
            ns_similar_add(&similar, member->name);
    }
    add_natives(&similar, nb_arena_printf(unit->arena, "%s.", path));
    if (!ns_similar_hint(&similar, unit->diag, name->span))
        ns_hint(unit->diag, "make sure the function is defined before it's called");
}

void ns_suggest_among(struct ns_unit *unit, const char *const *names, uint32_t count, const struct ns_name *name)
{
    struct ns_similar similar = { .wanted = name->text };

    if (!ns_reported(unit))
        return;
    for (uint32_t i = 0; i < count; i++)
        if (names[i] != NULL)
            ns_similar_add(&similar, names[i]);
    ns_similar_hint(&similar, unit->diag, name->span);
}

void ns_suggest_field(struct ns_unit *unit, const struct ns_constructor_info *constructor, const struct ns_name *name)
{
    struct ns_similar similar = { .wanted = name->text };

    if (!ns_reported(unit))
        return;
    for (uint32_t i = 0; i < constructor->fields->count; i++)
        if (constructor->fields->items[i].name.text != NULL)
            ns_similar_add(&similar, constructor->fields->items[i].name.text);
    ns_similar_hint(&similar, unit->diag, name->span);
}
