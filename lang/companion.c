/*
 * companion.c - functions that serve an operator because they are called like a type of their module.
 *
 * For a type Grid, gridGet(grid, i) is what `grid[i]` calls, gridSet(grid, i, v) what `grid[i] = v` calls, and
 * gridMulScalar(grid, k) what `grid * 2.0` calls (01 §7.2, §12.3, §15.8). They become methods of the type, under names
 * that no program could write, so that finding one costs what finding a method does.
 */
#include "config.h"

#include <ctype.h>

#include "base/intern.h"
#include "lang/lower.h"
#include "lang/unit.h"
#include "vm/call.h"
#include "vm/dispatch.h"

static const struct {
    const char *suffix;
    unsigned arity;
    enum vm_known_name name;
} companions[] = {
    { "Get", 2, VM_NAME_GET_OF_TYPE },
    { "Set", 3, VM_NAME_SET_OF_TYPE },
    { "AddScalar", 2, VM_NAME_ADD_SCALAR_OF_TYPE },
    { "SubScalar", 2, VM_NAME_SUB_SCALAR_OF_TYPE },
    { "MulScalar", 2, VM_NAME_MUL_SCALAR_OF_TYPE },
    { "DivScalar", 2, VM_NAME_DIV_SCALAR_OF_TYPE },
};

/* "gridGet" for Grid. */
static const char *companion_name(struct ns_unit *unit, const char *type, const char *suffix)
{
    return nb_intern(nb_arena_printf(unit->arena, "%c%s%s", tolower((unsigned char)*type), type + 1, suffix));
}

static void declare_companions_of(struct ns_unit *unit, const struct ns_type_info *type)
{
    for (size_t i = 0; i < sizeof companions / sizeof *companions; i++) {
        const char *name = companion_name(unit, type->name, companions[i].suffix);
        const struct ns_member *member = ns_table_get(&type->space->members, name);
        struct vm_function *function = NULL;

        if (member != NULL && member->functions != NULL)
            function = ns_choose(unit, member->functions, (int)companions[i].arity);
        if (function != NULL)
            vm_methods_add(unit->program->methods, 0, type->class_key, vm_known_names[companions[i].name],
                           companions[i].arity, vm_from_object(function));
    }
}

void ns_declare_companions(struct ns_unit *unit)
{
    for (size_t i = 0; i < unit->spaces.count; i++) {
        const struct ns_space *space = unit->spaces.items[i];

        for (uint32_t k = 0; !space->library && k < space->members.count; k++) {
            const struct ns_member *member = space->members.entries[k].value;

            if (member->type != NULL)
                declare_companions_of(unit, member->type);
        }
    }
}
