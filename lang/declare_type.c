/*
 * declare_type.c - what the modules define: types and their constructors, which get their numbers here.
 */
#include "config.h"

#include "lang/unit.h"

#include "base/intern.h"

static void note_constructor(struct ns_unit *unit, struct ns_constructor_info *constructor)
{
    struct ns_constructors *all = ns_table_get(&unit->constructors, constructor->name);

    if (all == NULL) {
        all = nb_arena_alloc(unit->arena, sizeof *all);
        ns_table_set(&unit->constructors, constructor->name, all);
    }
    ns_push(unit, &all->items, constructor);
    ns_member(unit, constructor->type->space, constructor->name)->constructor = constructor;
}

static struct ns_constructor_info *new_constructor(struct ns_unit *unit, struct ns_type_info *type, const char *name,
                                                   const struct ns_field_list *fields, bool named)
{
    struct ns_constructor_info *constructor = nb_arena_alloc(unit->arena, sizeof *constructor);

    constructor->name = name;
    constructor->type = type;
    constructor->fields = fields;
    constructor->named = named;
    return constructor;
}

static void make_constructors(struct ns_unit *unit, struct ns_type_info *type)
{
    const struct ns_item *item = type->item;

    if (item->type.kind == NS_DEFINE_RECORD) {
        type->count = 1;
        type->constructors = nb_arena_array(unit->arena, 1, sizeof *type->constructors);
        type->constructors[0] = new_constructor(unit, type, type->name, &item->type.fields, true);
        type->constructors[0]->is_record = true;
    } else if (item->type.kind == NS_DEFINE_VARIANT) {
        type->count = item->type.constructors.count;
        type->constructors = nb_arena_array(unit->arena, type->count, sizeof *type->constructors);
        for (uint32_t i = 0; i < type->count; i++) {
            const struct ns_constructor *written = &item->type.constructors.items[i];

            type->constructors[i] = new_constructor(unit, type, written->name.text, &written->fields,
                                                    written->payload == NS_PAYLOAD_NAMED);
        }
    }
}

enum vm_type_form ns_type_form(const struct ns_item *item)
{
    if (item->type.kind == NS_DEFINE_RECORD)
        return item->type.is_reactive ? VM_TYPE_REACTIVE_RECORD : VM_TYPE_RECORD;
    return item->type.is_reactive ? VM_TYPE_REACTIVE_VARIANT : VM_TYPE_VARIANT;
}

static void register_constructor(struct ns_unit *unit, struct ns_constructor_info *constructor, uint32_t position)
{
    const struct ns_type_info *type = constructor->type;
    uint32_t arity = constructor->fields->count;
    const char **names = nb_arena_array(unit->arena, arity + 1, sizeof *names);
    const char **types = nb_arena_array(unit->arena, arity + 1, sizeof *types);
    struct vm_constructor description = {
        .type_name = type->qualified,
        .name = constructor->name,
        .form = ns_type_form(type->item),
        .mutable_fields = type->item->type.is_var || type->item->type.is_reactive,
        .named = constructor->named,
        .arity = (uint16_t)arity,
        .position = (uint16_t)position,
        .siblings = (uint16_t)type->count,
        .fields = names,
        .field_types = types,
    };

    for (uint32_t i = 0; i < arity; i++) {
        const struct ns_field *field = &constructor->fields->items[i];

        names[i] = field->name.text != NULL ? field->name.text : nb_arena_printf(unit->arena, "%u", i);
        types[i] = field->type == NULL ? NULL : ns_type_text(unit, field->type);
    }
    constructor->number = vm_constructor_register(&description);
    if (constructor->number == 0)
        ns_report(unit, type->item->span, "too many constructors: the table of types is full");
}

/* Whether another constructor of its type has the name already. */
static bool has_twin(const struct ns_constructor_info *constructor)
{
    const struct ns_member *member = ns_table_get(&constructor->type->space->members, constructor->name);

    return member != NULL && member->constructor != NULL && member->constructor->type == constructor->type;
}

void ns_declare_type(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item)
{
    struct ns_member *entry = ns_member(unit, space, item->type.name.text);
    struct ns_type_info *type = nb_arena_alloc(unit->arena, sizeof *type);

    if (entry->type != NULL) {
        ns_report_twice(unit, &item->type.name);
        return;
    }
    *type = (struct ns_type_info){ .name = item->type.name.text,
                                   .qualified = ns_qualified(unit, space, item->type.name.text),
                                   .space = space,
                                   .item = item,
                                   .is_public = item->is_public };
    type->class_key = nb_intern_id(type->qualified);
    entry->type = type;
    ns_table_set(&unit->types, type->name, type);
    make_constructors(unit, type);
    if (type->count > UINT16_MAX) {
        ns_report(unit, item->span, "too many constructors: the table of types is full");
        type->count = 0;
    }
    for (uint32_t i = 0; i < type->count; i++) {
        if (has_twin(type->constructors[i]))
            ns_report_twice(unit, &item->type.constructors.items[i].name);
        register_constructor(unit, type->constructors[i], i);
        note_constructor(unit, type->constructors[i]);
    }
}
