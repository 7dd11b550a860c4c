/*
 * type_test.c - code that looks whether a value is of an annotated type.
 *
 * A type that is read inside of another, as the field `v: T` of Box[T] in Box[Int], has its parameters bound: an
 * environment says what each stands for, and where that was written. Names of a function's own type parameters stand
 * for anything.
 */
#include "config.h"

#include "lang/type_test.h"

#include <string.h>

#include "vm/type.h"

enum { DEPTH_MAX = 4 };

/* Where a type is read: in a space, among type parameters that stand for arguments written in another such place. */
struct place {
    struct ns_space *space;
    const struct ns_group *group;                    /* whose parameters stand for anything; or NULL */
    const struct ns_type_parameter_list *parameters; /* or NULL */
    const struct ns_type_list *arguments; /* of parameters, as many; or fewer: the others stand for anything */
    const struct place *outside;          /* where the arguments were written */
};

struct test {
    struct ns_frame *frame;
    ns_mark no;
    unsigned depth;
};

static int parameter_index(const struct ns_type_parameter_list *parameters, const char *name)
{
    for (uint32_t i = 0; parameters != NULL && i < parameters->count; i++)
        if (strcmp(parameters->items[i].name.text, name) == 0)
            return (int)i;
    return -1;
}

static bool is_parameter_of_group(const struct ns_group *group, const char *name)
{
    for (size_t i = 0; group != NULL && i < group->clauses.count; i++)
        if (parameter_index(&group->clauses.items[i]->type_parameters, name) >= 0)
            return true;
    return false;
}

static bool is_bare_name(const struct ns_type *type)
{
    return type->kind == NS_TYPE_NAMED && !type->named.brackets && type->named.arguments.count == 0;
}

/* What a type stands for and, in *place, where that was written; NULL for anything. */
static const struct ns_type *resolve(const struct ns_type *type, const struct place **place)
{
    int index;

    if (type->kind == NS_TYPE_VARIABLE)
        index = parameter_index((*place)->parameters, type->variable);
    else if (is_bare_name(type))
        index = parameter_index((*place)->parameters, type->named.name);
    else
        return type;
    if (index < 0)
        return type->kind == NS_TYPE_VARIABLE || is_parameter_of_group((*place)->group, type->named.name) ? NULL : type;
    if ((*place)->arguments == NULL || (uint32_t)index >= (*place)->arguments->count)
        return NULL;
    type = (*place)->arguments->items[index];
    *place = (*place)->outside;
    return resolve(type, place);
}

static void test_value(const struct test *test, const struct place *place, const struct ns_type *type, unsigned reg);

/* Component or field `index` of what is in `reg`. */
static void test_part(const struct test *test, const struct place *place, const struct ns_type *type, unsigned reg,
                      unsigned index)
{
    struct ns_code *code = &test->frame->code;
    unsigned saved = code->next, part = ns_code_take(code, 1);

    ns_code_abc(code, VM_OP_AT, part, reg, index);
    test_value(test, place, type, part);
    code->next = saved;
}

static void test_tuple(const struct test *test, const struct place *place, const struct ns_type_list *items,
                       unsigned reg)
{
    ns_code_jump_w(&test->frame->code, VM_OP_UNLESS_TUPLE, reg, test->no, items->count);
    for (uint32_t i = 0; i < items->count; i++)
        test_part(test, place, items->items[i], reg, i);
}

/* The first element speaks for all. */
static void test_element(const struct test *test, const struct place *place, const struct ns_type *type, unsigned reg)
{
    struct ns_code *code = &test->frame->code;
    unsigned saved = code->next, element = ns_code_take(code, 1);
    ns_mark yes = ns_code_label(code);

    ns_code_jump(code, VM_OP_UNLESS_LIST, reg, yes);
    ns_code_abc(code, VM_OP_HEAD, element, reg, 0);
    test_value(test, place, type, element);
    ns_code_bind(code, yes);
    code->next = saved;
}

/* Fields whose type is a parameter of their type. */
static void test_fields(const struct test *test, const struct place *place,
                        const struct ns_constructor_info *constructor, unsigned reg)
{
    struct ns_code *code = &test->frame->code;
    ns_mark other = ns_code_label(code);

    ns_code_jump_w(code, VM_OP_UNLESS_CTOR, reg, other, constructor->number);
    for (uint32_t i = 0; i < constructor->fields->count; i++) {
        const struct ns_type *type = constructor->fields->items[i].type;

        if (type->kind == NS_TYPE_VARIABLE || is_bare_name(type))
            test_part(test, place, type, reg, i);
    }
    ns_code_bind(code, other);
}

static bool is_alias(struct ns_unit *unit, const struct place *place, const struct ns_type *type)
{
    const struct ns_type_info *info = ns_find_type(unit, place->space, type->named.name);

    return info != NULL && info->item->type.kind == NS_DEFINE_ALIAS;
}

/* What the type's arguments, or the type it is another name for, say of a value whose class is known to fit. */
static void test_inside(const struct test *test, const struct place *place, const struct ns_type *type, unsigned reg)
{
    const struct ns_type_info *info = ns_find_type(test->frame->unit, place->space, type->named.name);
    const struct place inside = { info == NULL ? NULL : info->space, NULL,
                                  info == NULL ? NULL : &info->item->type.parameters, &type->named.arguments, place };

    if (type->named.brackets || info == NULL) {
        if (ns_class_of_type(test->frame->unit, place->space, type) == VM_CLASS_LIST)
            test_element(test, place, type->named.arguments.items[0], reg);
    } else if (info->item->type.kind == NS_DEFINE_ALIAS) {
        test_value(test, &inside, info->item->type.alias, reg);
    } else if (!info->item->type.is_reactive) {
        for (uint32_t i = 0; i < info->count; i++)
            test_fields(test, &inside, info->constructors[i], reg);
    }
}

static void test_value(const struct test *test, const struct place *place, const struct ns_type *type, unsigned reg)
{
    const struct test deeper = { test->frame, test->no, test->depth + 1 };
    uint32_t class_key;

    type = resolve(type, &place);
    if (type == NULL || test->depth == DEPTH_MAX)
        return;
    if (type->kind == NS_TYPE_TUPLE) {
        test_tuple(&deeper, place, &type->items, reg);
        return;
    }
    class_key = ns_class_of_type(test->frame->unit, place->space, type);
    if (class_key == 0)
        return;
    ns_code_jump_w(&test->frame->code, VM_OP_UNLESS_CLASS, reg, test->no, class_key);
    if (type->kind == NS_TYPE_NAMED && (type->named.arguments.count > 0 || is_alias(test->frame->unit, place, type)))
        test_inside(&deeper, place, type, reg);
}

void ns_test_type(struct ns_frame *frame, const struct ns_group *group, const struct ns_type *type, unsigned reg,
                  ns_mark no)
{
    const struct place place = { .space = group->space, .group = group };
    const struct test test = { .frame = frame, .no = no };

    test_value(&test, &place, type, reg);
}

unsigned ns_type_exactness(struct ns_unit *unit, const struct ns_group *group, const struct ns_type *type)
{
    const struct place start = { .space = group->space, .group = group }, *place = &start;
    const struct ns_type *resolved = resolve(type, &place);

    if (resolved == NULL || ns_class_of_type(unit, group->space, resolved) == 0)
        return 0;
    return resolved->kind == NS_TYPE_NAMED && resolved->named.arguments.count == 0 ? 2 : 3;
}
