/*
 * suggest_method.c - which methods and fields a value of a known type has that are nearly the one that was written.
 *
 * Names are compared before it is asked what they mean for the receiver, as nearly all are out of question at once.
 */
#include "config.h"

#include <string.h>

#include "base/intern.h"
#include "lang/infer.h"
#include "lang/similar.h"
#include "lang/suggest.h"
#include "vm/native.h"
#include "vm/type.h"

enum { ARGUMENTS_MAX = 4 };

static const struct ns_span nowhere = { NULL, 0, 0 };

struct search {
    struct ns_check *check;
    struct ns_term *receiver;
    struct ns_similar similar;
};

static bool is_near(const struct search *search, const char *name)
{
    struct ns_similar alone = { .wanted = search->similar.wanted };

    ns_similar_add(&alone, name);
    return alone.count > 0;
}

/* ---- what a receiver has ---- */

static bool is_builtin_method(const struct search *search, const char *name)
{
    bool known;

    for (uint32_t count = 0; count < ARGUMENTS_MAX; count++)
        if (ns_scheme_of_method(search->check, search->receiver, name, count, &known) != NULL)
            return true;
    return false;
}

static void consider_builtin(struct search *search, const char *name)
{
    if (name[0] != '_' && is_near(search, name) && is_builtin_method(search, nb_intern(name)))
        ns_similar_add(&search->similar, name);
}

static void add_natives(struct search *search)
{
    const struct vm_native *native;

    for (unsigned i = 0; (native = vm_native_at(i)) != NULL; i++) {
        const char *dot = strrchr(native->name, '.');

        if ((native->flags & VM_NATIVE_HIDDEN) == 0)
            consider_builtin(search, dot == NULL ? native->name : dot + 1);
    }
    for (size_t i = 0; ns_short_method(i) != NULL; i++)
        consider_builtin(search, ns_short_method(i));
}

static void add_prelude(struct search *search)
{
    const struct ns_unit *unit = search->check->unit;

    for (size_t i = 0; i < unit->spaces.count && unit->spaces.items[i]->library; i++) {
        const struct ns_space *space = unit->spaces.items[i];

        for (uint32_t k = 0; space->module->prelude && k < space->members.count; k++)
            consider_builtin(search, space->members.entries[k].name);
    }
}

static void add_trait_methods(struct search *search)
{
    uint32_t class_key = ns_class_of_term(search->receiver);
    const struct ns_implementation *own = ns_implementations_of(search->check->unit, class_key);

    for (; own != NULL; own = own->next)
        for (size_t i = 0; own->class_key == class_key && i < own->methods.count; i++)
            ns_similar_add(&search->similar, own->methods.items[i]->name);
}

/* Functions of the module whose first parameter may be the receiver. */
static void add_functions(struct search *search)
{
    const struct ns_space *space = search->check->body->space;

    for (uint32_t i = 0; i < space->members.count; i++) {
        const struct ns_member *member = space->members.entries[i].value;

        for (size_t k = 0; member->functions != NULL && k < member->functions->groups.count; k++) {
            struct ns_term *term;

            if (!is_near(search, member->name))
                continue;
            term = ns_prune(ns_term_of_group(search->check, member->functions->groups.items[k], nowhere));
            if (term->kind == NS_TERM_FUNCTION && term->function.count > 0 &&
                ns_would_unify(search->check, term->function.parameters[0], search->receiver))
                ns_similar_add(&search->similar, member->name);
        }
    }
}

static void add_fields(struct search *search)
{
    const struct ns_con *con = ns_con_of_term(search->receiver);

    for (unsigned i = 0; con != NULL && con->record != NULL && i < con->record->arity; i++)
        ns_similar_add(&search->similar, con->record->fields[i]);
    if (con == NULL || con->info == NULL || con->info->count != 1)
        return;
    for (uint32_t i = 0; i < con->info->constructors[0]->fields->count; i++)
        if (con->info->constructors[0]->fields->items[i].name.text != NULL)
            ns_similar_add(&search->similar, con->info->constructors[0]->fields->items[i].name.text);
}

/* ---- hints ---- */

/* An error that shows where a function is called is about a name that stands somewhere else. */
static struct ns_span span_of_name(struct ns_span where, const char *name)
{
    size_t length = strlen(name);

    if (where.source == NULL || where.to - where.from != length ||
        memcmp(where.source->text + where.from, name, length) != 0)
        return nowhere;
    return where;
}

static struct search search_for(struct ns_check *check, struct ns_term *receiver, const char *name)
{
    return (struct search){ check, ns_prune(receiver), { .wanted = name } };
}

void ns_suggest_method(struct ns_check *check, struct ns_term *receiver, const char *name, struct ns_span where)
{
    struct search search = search_for(check, receiver, name);

    if (is_builtin_method(&search, name)) /* there is, with other arguments: it is no slip of the pen */
        return;
    add_trait_methods(&search);
    add_functions(&search);
    add_prelude(&search);
    add_natives(&search);
    if (!ns_similar_hint(&search.similar, check->unit->diag, span_of_name(where, name)))
        ns_hint_container(check, receiver);
}

void ns_suggest_field_of(struct ns_check *check, struct ns_term *receiver, const char *name, struct ns_span where)
{
    struct search search = search_for(check, receiver, name);
    bool known;

    if (ns_scheme_of_method(check, search.receiver, name, 0, &known) != NULL ||
        ns_trait_method(check, search.receiver, name, 1, check->body->space) != NULL) {
        ns_hint(check->unit->diag, "`%s` is a method: `%s()`", name, name);
        ns_replacement(check->unit->diag, span_of_name(where, name), nb_arena_printf(check->arena, "%s()", name));
        return;
    }
    add_fields(&search);
    ns_similar_hint(&search.similar, check->unit->diag, span_of_name(where, name));
}
