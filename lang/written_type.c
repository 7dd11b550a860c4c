/*
 * written_type.c - types as programs write them: the class of values they name, and their text.
 */
#include "config.h"

#include "lang/unit.h"

#include <string.h>

#include "base/buf.h"

/* ---- classes ---- */

static const struct { const char *name; uint32_t class_key; } builtin_types[] = {
    { "Int", VM_CLASS_INT },         { "Int64", VM_CLASS_INT },       { "Int8", VM_CLASS_INT8 },
    { "Int16", VM_CLASS_INT16 },     { "Int32", VM_CLASS_INT32 },     { "UInt8", VM_CLASS_UINT8 },
    { "UInt16", VM_CLASS_UINT16 },   { "UInt32", VM_CLASS_UINT32 },   { "UInt64", VM_CLASS_UINT64 },
    { "Float", VM_CLASS_FLOAT },     { "Float64", VM_CLASS_FLOAT },   { "Float32", VM_CLASS_FLOAT32 },
    { "BigInt", VM_CLASS_BIGINT },   { "Decimal", VM_CLASS_DECIMAL }, { "Bool", VM_CLASS_BOOL },
    { "Char", VM_CLASS_CHAR },       { "String", VM_CLASS_STRING },   { "Unit", VM_CLASS_UNIT },
    { "List", VM_CLASS_LIST },       { "Array", VM_CLASS_LIST },      { "Int64List", VM_CLASS_LIST },
    { "Map", VM_CLASS_MAP },         { "Set", VM_CLASS_SET },         { "Pid", VM_CLASS_PID },
    { "Buffer", VM_CLASS_BUFFER },   { "Int64Array", VM_CLASS_INT64_ARRAY },
    { "Float64Array", VM_CLASS_FLOAT64_ARRAY }, { "Float32Array", VM_CLASS_FLOAT32_ARRAY },
};

static uint32_t builtin_class(const char *name)
{
    for (size_t i = 0; i < sizeof builtin_types / sizeof *builtin_types; i++)
        if (strcmp(builtin_types[i].name, name) == 0)
            return builtin_types[i].class_key;
    return 0;
}

enum { ALIASES_MAX = 50 };

static uint32_t class_of(struct ns_unit *unit, struct ns_space *space, const struct ns_type *type, int aliases)
{
    struct ns_type_info *info;

    switch (type->kind) {
    case NS_TYPE_UNIT:
        return VM_CLASS_UNIT;
    case NS_TYPE_TUPLE:
        return VM_CLASS_TUPLE;
    case NS_TYPE_FUNCTION:
        return VM_CLASS_FUNCTION;
    case NS_TYPE_VARIABLE:
    case NS_TYPE_RECORD:
        return 0;
    case NS_TYPE_NAMED:
        break;
    }
    if (type->named.brackets)
        return VM_CLASS_LIST;
    info = ns_find_type(unit, space, type->named.name);
    if (info == NULL)
        return builtin_class(type->named.name);
    if (info->item->type.kind == NS_DEFINE_ALIAS)
        return aliases == 0 ? 0 : class_of(unit, info->space, info->item->type.alias, aliases - 1);
    return info->class_key;
}

uint32_t ns_class_of_type(struct ns_unit *unit, struct ns_space *space, const struct ns_type *type)
{
    return class_of(unit, space, type, ALIASES_MAX);
}

/* ---- texts ---- */

static void print_type(struct nb_buf *out, const struct ns_type *type);

static void print_types(struct nb_buf *out, const struct ns_type_list *types)
{
    for (uint32_t i = 0; i < types->count; i++) {
        if (i > 0)
            nb_buf_text(out, ", ");
        print_type(out, types->items[i]);
    }
}

static void print_fields(struct nb_buf *out, const struct ns_field_list *fields)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        nb_buf_printf(out, "%s%s: ", i > 0 ? ", " : "", fields->items[i].name.text);
        print_type(out, fields->items[i].type);
    }
}

static void print_named(struct nb_buf *out, const struct ns_type *type)
{
    nb_buf_text(out, type->named.name);
    if (type->named.arguments.count == 0)
        return;
    nb_buf_byte(out, '[');
    print_types(out, &type->named.arguments);
    nb_buf_byte(out, ']');
}

static void print_type(struct nb_buf *out, const struct ns_type *type)
{
    switch (type->kind) {
    case NS_TYPE_NAMED:
        print_named(out, type);
        break;
    case NS_TYPE_VARIABLE:
        nb_buf_text(out, type->variable);
        break;
    case NS_TYPE_UNIT:
        nb_buf_text(out, "()");
        break;
    case NS_TYPE_TUPLE:
        nb_buf_byte(out, '(');
        print_types(out, &type->items);
        nb_buf_byte(out, ')');
        break;
    case NS_TYPE_FUNCTION:
        nb_buf_byte(out, '(');
        print_types(out, &type->function.parameters);
        nb_buf_text(out, ") -> ");
        print_type(out, type->function.result);
        break;
    case NS_TYPE_RECORD:
        nb_buf_byte(out, '{');
        print_fields(out, &type->fields);
        nb_buf_byte(out, '}');
        break;
    }
}

const char *ns_type_text(struct ns_unit *unit, const struct ns_type *type)
{
    struct nb_buf text = NB_BUF_INIT;
    const char *kept;

    print_type(&text, type);
    kept = nb_arena_strndup(unit->arena, nb_buf_cstr(&text), text.length);
    nb_buf_done(&text);
    return kept;
}
