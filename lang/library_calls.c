/*
 * library_calls.c - functions of the library that no program names: instructions call them (vm/program.h).
 */
#include "config.h"

#include "lang/unit.h"

#include "base/assert.h"
#include "base/intern.h"

static const char *const reactive_functions[VM_LIBRARY_COUNT] = {
    [VM_LIBRARY_REACTIVE_READ] = "_reactiveRead",
    [VM_LIBRARY_REACTIVE_WRITTEN] = "_reactiveWritten",
    [VM_LIBRARY_REACTIVE_GOT] = "_reactiveGot",
    [VM_LIBRARY_REACTIVE_SET] = "_reactiveSet",
};

static bool defines_reactive_type(const struct ns_space *space)
{
    for (uint32_t i = 0; i < space->members.count; i++) {
        const struct ns_member *member = space->members.entries[i].value;

        if (member->type != NULL && member->type->item->type.is_reactive)
            return true;
    }
    return false;
}

static bool has_reactive_types(const struct ns_unit *unit)
{
    for (size_t i = 0; i < unit->spaces.count; i++)
        if (defines_reactive_type(unit->spaces.items[i]))
            return true;
    return false;
}

void ns_need_library_calls(struct ns_unit *unit)
{
    const struct ns_space *space = ns_table_get(&unit->paths, nb_intern("stdlib.reactive"));

    if (space == NULL || !has_reactive_types(unit))
        return;
    for (int i = 0; i < VM_LIBRARY_COUNT; i++) {
        const struct ns_member *member = ns_table_get(&space->members, nb_intern(reactive_functions[i]));

        nb_assert(member != NULL && member->functions != NULL);
        unit->program->library[i] = ns_need(unit, member->functions->groups.items[0]);
    }
}
