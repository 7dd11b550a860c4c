/*
 * overload.c - which of several functions of one name a call means (01 §10.3).
 *
 * Arguments are told apart while running: a dispatcher looks at what the annotations of its candidates say, the most
 * exact candidate first, and goes on to the one that fits.
 */
#include "config.h"

#include "lang/lower.h"

#include <string.h>

#include "base/assert.h"
#include "lang/type_test.h"
#include "vm/native.h"

static bool takes(const struct ns_group *group, int count)
{
    return count < 0 || ((uint32_t)count >= group->required && (uint32_t)count <= group->arity);
}

/* Exact types first, then what a type without arguments covers, then what takes anything: typed beats untyped (01
 * §10.3). */
static unsigned rank(struct ns_unit *unit, const struct ns_group *group)
{
    unsigned sum = 0;

    for (uint32_t i = 0; i < group->arity; i++)
        sum += group->types[i] == NULL ? 0 : ns_type_exactness(unit, group, group->types[i]);
    return sum;
}

/* Put a group behind those that rank at least as high. How many there are then. */
static unsigned insert_by_rank(struct ns_unit *unit, struct ns_group **groups, unsigned count, struct ns_group *group)
{
    unsigned at = count;

    while (at > 0 && rank(unit, groups[at - 1]) < rank(unit, group)) {
        groups[at] = groups[at - 1];
        at--;
    }
    groups[at] = group;
    return count + 1;
}

static unsigned candidates(struct ns_unit *unit, struct ns_functions *functions, int count, struct ns_group ***ret)
{
    struct ns_group **found = nb_arena_array(unit->arena, functions->groups.count + 1, sizeof *found);
    unsigned n = 0;

    for (size_t i = 0; i < functions->groups.count; i++) {
        if (takes(functions->groups.items[i], count))
            n = insert_by_rank(unit, found, n, functions->groups.items[i]);
    }
    *ret = found;
    return n;
}

/* The count of arguments that are there must fit: a parameter beyond the group's own is absent, a required one present.
 */
static void test_count(struct ns_frame *frame, const struct ns_group *group, unsigned most, ns_mark no)
{
    if (group->arity < most)
        ns_code_jump(&frame->code, VM_OP_JUMP_PRESENT, group->arity, no);
    if (group->required > 0) {
        ns_mark enough = ns_code_label(&frame->code);

        ns_code_jump(&frame->code, VM_OP_JUMP_PRESENT, group->required - 1, enough);
        ns_code_jump(&frame->code, VM_OP_JUMP, 0, no);
        ns_code_bind(&frame->code, enough);
    }
}

static void try_candidate(struct ns_frame *frame, struct ns_group *group, unsigned most)
{
    unsigned *arguments = nb_arena_array(frame->unit->arena, group->arity + 1, sizeof *arguments);
    ns_mark no = ns_code_label(&frame->code);

    test_count(frame, group, most, no);
    for (uint32_t i = 0; i < group->arity; i++) {
        ns_mark absent = ns_code_label(&frame->code), there = ns_code_label(&frame->code);

        arguments[i] = i;
        if (group->types[i] == NULL)
            continue;
        if (group->defaults[i] != NULL) {
            ns_code_jump(&frame->code, VM_OP_JUMP_PRESENT, i, there);
            ns_code_jump(&frame->code, VM_OP_JUMP, 0, absent);
            ns_code_bind(&frame->code, there);
        }
        ns_test_type(frame, group, group->types[i], i, no);
        ns_code_bind(&frame->code, absent);
    }
    ns_code_list_w(&frame->code, VM_OP_TAIL_CALL, 0, 0, vm_from_object(ns_need(frame->unit, group)), arguments,
                   group->arity);
    ns_code_bind(&frame->code, no);
}

static void throw_no_clause(struct ns_frame *frame, const struct ns_group *group)
{
    const char *text = nb_arena_printf(frame->unit->arena, "No clause matched for function '%s'",
                                       ns_group_signature(frame->unit, group));
    unsigned reg = ns_code_take(&frame->code, 1);

    ns_code_const(&frame->code, reg, ns_string_value(frame->unit, text, strlen(text)));
    ns_code_abc(&frame->code, VM_OP_THROW, reg, 0, 0);
}

/* The conversions (`toInt`, …) may be defined again, but numbers still go to the built-in ones (01 §12.4). */
static void numbers_to_native(struct ns_frame *frame, const struct vm_native *native)
{
    static const uint32_t numbers[] = { VM_CLASS_INT,    VM_CLASS_FLOAT,   VM_CLASS_INT8,   VM_CLASS_INT16,
                                        VM_CLASS_INT32,  VM_CLASS_UINT8,   VM_CLASS_UINT16, VM_CLASS_UINT32,
                                        VM_CLASS_UINT64, VM_CLASS_FLOAT32, VM_CLASS_BIGINT, VM_CLASS_DECIMAL };
    unsigned argument = 0, to = ns_code_take(&frame->code, 1);

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        ns_mark no = ns_code_label(&frame->code);

        ns_code_jump_w(&frame->code, VM_OP_UNLESS_CLASS, argument, no, numbers[i]);
        ns_code_list_w(&frame->code, VM_OP_CALL_NATIVE, to, 0, vm_from_object(native), &argument, 1);
        ns_code_abc(&frame->code, VM_OP_RETURN, to, 0, 0);
        ns_code_bind(&frame->code, no);
    }
}

/* A function that looks at its arguments and goes on to the candidate that fits. */
static struct vm_function *make_dispatcher(struct ns_unit *unit, struct ns_group *const *groups, unsigned count)
{
    const struct ns_group *first = groups[0];
    struct vm_function *function = ns_function_new(unit, first->space, first->function->name, (struct ns_span){ 0 });
    struct ns_frame frame;
    unsigned most = 0, required = UINT16_MAX;

    for (unsigned i = 0; i < count; i++) {
        if (groups[i]->arity > most) {
            most = groups[i]->arity;
            function->parameters = groups[i]->function->parameters;
        }
        required = groups[i]->required < required ? groups[i]->required : required;
    }
    function->arity = (uint16_t)most;
    function->required = (uint16_t)required;
    function->first_line = first->function->first_line;
    ns_frame_begin(&frame, unit, NULL, first->space, function);
    ns_code_take(&frame.code, most);
    if (most == 1 && !first->space->library && !first->is_local && vm_native_find(first->name, 1) != NULL)
        numbers_to_native(&frame, vm_native_find(first->name, 1));
    for (unsigned i = 0; i < count; i++)
        try_candidate(&frame, groups[i], most);
    throw_no_clause(&frame, groups[count - 1]);
    ns_frame_end(&frame);
    return function;
}

struct vm_function *ns_choose(struct ns_unit *unit, struct ns_functions *functions, int count)
{
    struct ns_group **groups;
    struct vm_function *made;
    unsigned n;

    for (size_t i = 0; i < functions->choices.count; i++)
        if (functions->choices.items[i].count == (unsigned)count)
            return functions->choices.items[i].function;
    n = candidates(unit, functions, count, &groups);
    if (n == 0)
        return NULL;
    if (n == 1 && (groups[0]->is_local || groups[0]->space->library || vm_native_find(functions->name, 1) == NULL))
        made = ns_need(unit, groups[0]);
    else
        made = make_dispatcher(unit, groups, n);
    ns_push(unit, &functions->choices, ((struct ns_choice){ (unsigned)count, made }));
    return made;
}

/* Masks of groups and counts of arguments are kept in one list: those have the top bit, these (and -1) do not or have
 * all. */
enum { MASK_BITS = 30 };

struct vm_function *ns_choose_among(struct ns_unit *unit, struct ns_functions *functions, const bool *wanted)
{
    struct ns_group **groups = nb_arena_array(unit->arena, functions->groups.count, sizeof *groups);
    struct vm_function *made;
    unsigned n = 0, key = 1u << 31;

    for (size_t i = 0; i < functions->groups.count; i++) {
        if (!wanted[i])
            continue;
        key |= i < MASK_BITS ? 1u << i : 0;
        n = insert_by_rank(unit, groups, n, functions->groups.items[i]);
    }
    if (n == 1)
        return ns_need(unit, groups[0]);
    for (size_t i = 0; functions->groups.count <= MASK_BITS && i < functions->choices.count; i++)
        if (functions->choices.items[i].count == key)
            return functions->choices.items[i].function;
    made = make_dispatcher(unit, groups, n);
    ns_push(unit, &functions->choices, ((struct ns_choice){ key, made }));
    return made;
}
