/*
 * describe.c - what the running program may ask about its types (vm/types.h): their constructors, fields, parameters.
 *
 * The types of fields become texts in which every name means the same everywhere: names of types are qualified and
 * aliases give way to what they stand for.
 */
#include "config.h"

#include "lang/unit.h"

#include <string.h>

#include "base/buf.h"
#include "vm/types.h"

enum {
    ALIASES_MAX = 50,
    TEXT_ENOUGH = 1 << 16, /* a text of so many bytes keeps the aliases that are still to come: each could double it */
};

struct writer {
    struct ns_unit *unit;
    struct nb_buf *out;
    struct ns_space *space;
    const struct ns_bindings *bindings; /* of type parameters to texts; NULL: none */
    int aliases;                        /* that may still be replaced, one inside the other */
};

static void write_type(const struct writer *writer, const struct ns_type *type);

static void write_types(const struct writer *writer, const struct ns_type_list *types)
{
    for (uint32_t i = 0; i < types->count; i++) {
        if (i > 0)
            nb_buf_text(writer->out, ", ");
        write_type(writer, types->items[i]);
    }
}

static void write_fields(const struct writer *writer, const struct ns_field_list *fields)
{
    nb_buf_byte(writer->out, '{');
    for (uint32_t i = 0; i < fields->count; i++) {
        nb_buf_printf(writer->out, "%s%s: ", i > 0 ? ", " : "", fields->items[i].name.text);
        write_type(writer, fields->items[i].type);
    }
    nb_buf_byte(writer->out, '}');
}

/* The text that a type parameter was replaced by, or NULL. */
static const char *substituted(const struct writer *writer, const char *name)
{
    const struct ns_bindings *bindings = writer->bindings;

    for (uint32_t i = 0; bindings != NULL && i < bindings->parameters->count; i++)
        if (strcmp(bindings->parameters->items[i].name.text, name) == 0)
            return bindings->texts[i];
    return NULL;
}

static const char *text_of(const struct writer *writer, const struct ns_type *type)
{
    struct nb_buf text = NB_BUF_INIT;
    struct writer inner = *writer;
    const char *kept;

    inner.out = &text;
    write_type(&inner, type);
    kept = nb_arena_strndup(writer->unit->program->arena, nb_buf_cstr(&text), text.length);
    nb_buf_done(&text);
    return kept;
}

static void write_alias(const struct writer *writer, const struct ns_type_info *alias, const struct ns_type *type)
{
    const struct ns_type_parameter_list *parameters = &alias->item->type.parameters;
    const char **texts = nb_arena_array(writer->unit->arena, parameters->count + 1, sizeof *texts);
    struct ns_bindings bindings = { parameters, texts };
    struct writer inner = *writer;

    for (uint32_t i = 0; i < parameters->count; i++)
        texts[i] = i < type->named.arguments.count ? text_of(writer, type->named.arguments.items[i])
                                                   : parameters->items[i].name.text;
    inner.space = alias->space;
    inner.bindings = &bindings;
    inner.aliases--;
    write_type(&inner, alias->item->type.alias);
}

static void write_named(const struct writer *writer, const struct ns_type *type)
{
    const char *replacement = substituted(writer, type->named.name);
    const struct ns_type_info *info;

    if (replacement != NULL) {
        nb_buf_text(writer->out, replacement);
        return;
    }
    info = type->named.brackets ? NULL : ns_find_type(writer->unit, writer->space, type->named.name);
    if (info != NULL && info->item->type.kind == NS_DEFINE_ALIAS && writer->aliases > 0 &&
        writer->out->length < TEXT_ENOUGH) {
        write_alias(writer, info, type);
        return;
    }
    nb_buf_text(writer->out, info != NULL ? info->qualified : type->named.name);
    if (type->named.arguments.count == 0)
        return;
    nb_buf_byte(writer->out, '[');
    write_types(writer, &type->named.arguments);
    nb_buf_byte(writer->out, ']');
}

static void write_variable(const struct writer *writer, const char *name)
{
    const char *replacement = substituted(writer, name);

    nb_buf_text(writer->out, replacement != NULL ? replacement : name);
}

static void write_type(const struct writer *writer, const struct ns_type *type)
{
    switch (type->kind) {
    case NS_TYPE_NAMED:
        write_named(writer, type);
        break;
    case NS_TYPE_VARIABLE:
        write_variable(writer, type->variable);
        break;
    case NS_TYPE_UNIT:
        nb_buf_text(writer->out, "()");
        break;
    case NS_TYPE_TUPLE:
        nb_buf_byte(writer->out, '(');
        write_types(writer, &type->items);
        nb_buf_byte(writer->out, ')');
        break;
    case NS_TYPE_FUNCTION:
        nb_buf_byte(writer->out, '(');
        write_types(writer, &type->function.parameters);
        nb_buf_text(writer->out, ") -> ");
        write_type(writer, type->function.result);
        break;
    case NS_TYPE_RECORD:
        write_fields(writer, &type->fields);
        break;
    }
}

const char *ns_resolved_type_text(struct ns_unit *unit, struct ns_space *space, const struct ns_type *type)
{
    struct writer writer = { .unit = unit, .space = space, .bindings = unit->bindings, .aliases = ALIASES_MAX };

    return text_of(&writer, type);
}

/* ---- types ---- */

/* Type parameters win over types of the same name: they stand for themselves. */
static const struct ns_bindings *own_parameters(struct ns_unit *unit, const struct ns_type_info *info)
{
    const struct ns_type_parameter_list *parameters = &info->item->type.parameters;
    struct ns_bindings *bindings = nb_arena_alloc(unit->arena, sizeof *bindings);
    const char **texts = nb_arena_array(unit->arena, parameters->count + 1, sizeof *texts);

    for (uint32_t i = 0; i < parameters->count; i++)
        texts[i] = parameters->items[i].name.text;
    *bindings = (struct ns_bindings){ parameters, texts };
    return bindings;
}

static void describe_constructor(struct ns_unit *unit, const struct ns_type_info *info,
                                 const struct ns_constructor_info *constructor, struct vm_type_constructor *ret)
{
    struct writer writer = { .unit = unit, .space = info->space, .bindings = own_parameters(unit, info),
                             .aliases = ALIASES_MAX };
    uint32_t count = constructor->fields->count;
    const char **texts = nb_arena_array(unit->program->arena, count + 1, sizeof *texts);

    for (uint32_t i = 0; i < count; i++)
        texts[i] =
            constructor->fields->items[i].type == NULL ? "" : text_of(&writer, constructor->fields->items[i].type);
    ret->constructor = vm_constructor(constructor->number);
    ret->field_texts = texts;
}

static void describe_type(struct ns_unit *unit, const struct ns_type_info *info)
{
    struct nb_arena *arena = unit->program->arena;
    const struct ns_type_parameter_list *parameters = &info->item->type.parameters;
    struct vm_type *type = nb_arena_alloc(arena, sizeof *type);
    const char **names = nb_arena_array(arena, parameters->count + 1, sizeof *names);

    for (uint32_t i = 0; i < parameters->count; i++)
        names[i] = parameters->items[i].name.text;
    type->name = nb_arena_strndup(arena, info->qualified, strlen(info->qualified));
    type->path = info->space->library ? nb_arena_printf(arena, "%s.%s", info->space->path, info->name) : type->name;
    type->form = ns_type_form(info->item);
    type->parameters = names;
    type->parameter_count = parameters->count;
    type->count = info->count;
    type->constructors = nb_arena_array(arena, info->count + 1, sizeof *type->constructors);
    for (uint32_t i = 0; i < info->count; i++)
        describe_constructor(unit, info, info->constructors[i], &type->constructors[i]);
    vm_types_add(unit->program->types, type);
}

static bool are_registered(const struct ns_type_info *info)
{
    for (uint32_t i = 0; i < info->count; i++)
        if (info->constructors[i]->number == 0)
            return false;
    return true;
}

void ns_describe_types(struct ns_unit *unit)
{
    unit->program->types = vm_types_new(unit->program->arena);
    for (size_t i = 0; i < unit->spaces.count; i++) {
        const struct ns_space *space = unit->spaces.items[i];

        for (uint32_t k = 0; k < space->members.count; k++) {
            const struct ns_type_info *info = ((const struct ns_member *)space->members.entries[k].value)->type;

            if (info != NULL && info->item->type.kind != NS_DEFINE_ALIAS && are_registered(info))
                describe_type(unit, info);
        }
    }
    vm_types_finish(unit->program->types);
}
