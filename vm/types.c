/*
 * types.c - the table of a program's types, and reading type texts.
 *
 * Each type is entered under its name and under every end of its path that begins behind a dot; the entries are sorted
 * once and searched by halving.
 */
#include "config.h"

#include "vm/types.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/vec.h"

enum { NESTING_MAX = 64 };

/* Which of several types a name means. */
enum rank { RANK_EXACT, RANK_END, RANK_LIBRARY };

struct entry {
    const char *name;
    enum rank rank;
    unsigned order;
    const struct vm_type *type;
};

struct vm_types {
    struct nb_arena *arena;
    NB_VEC(struct vm_type *) all; /* while the table is made */
    struct entry *entries;
    size_t count;
};

/* ---- the table ---- */

struct vm_types *vm_types_new(struct nb_arena *arena)
{
    struct vm_types *types = nb_arena_alloc(arena, sizeof *types);

    types->arena = arena;
    return types;
}

void vm_types_add(struct vm_types *types, struct vm_type *type)
{
    nb_vec_push(&types->all, type);
}

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int by_name = strcmp(a->name, b->name);

    if (by_name != 0)
        return by_name;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static size_t count_dots(const char *path)
{
    size_t count = 0;

    for (; *path != '\0'; path++)
        count += *path == '.';
    return count;
}

static void enter(struct vm_types *types, const char *name, enum rank rank, unsigned order, const struct vm_type *type)
{
    types->entries[types->count++] = (struct entry){ name, rank, order, type };
}

static void make_entries(struct vm_types *types)
{
    size_t most = 0;

    for (size_t i = 0; i < types->all.count; i++)
        most += 2 + count_dots(types->all.items[i]->path);
    types->entries = nb_arena_array(types->arena, most + 1, sizeof *types->entries);
    for (size_t i = 0; i < types->all.count; i++) {
        const struct vm_type *type = types->all.items[i];
        bool library = strcmp(type->name, type->path) != 0;

        enter(types, type->name, library ? RANK_LIBRARY : RANK_EXACT, (unsigned)i, type);
        for (const char *dot = type->path; (dot = strchr(dot, '.')) != NULL; dot++)
            enter(types, dot + 1, library ? RANK_LIBRARY : RANK_END, (unsigned)i, type);
        if (library)
            enter(types, type->path, RANK_LIBRARY, (unsigned)i, type);
    }
    qsort(types->entries, types->count, sizeof *types->entries, compare_entries);
}

const struct vm_type *vm_types_find(const struct vm_types *types, const char *name, size_t length)
{
    size_t low = 0, high = types == NULL ? 0 : types->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const char *other = types->entries[middle].name;
        int order = strncmp(other, name, length);

        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (types == NULL || low == types->count || strncmp(types->entries[low].name, name, length) != 0)
        return NULL;
    return types->entries[low].name[length] == '\0' ? types->entries[low].type : NULL;
}

/* ---- type texts ---- */

struct reader {
    const struct vm_types *types;
    struct nb_arena *arena;
    const struct vm_type *around; /* whose parameters may occur; NULL: none */
    const char *at, *end;
    unsigned depth;
};

static const struct { const char *name; uint32_t class_key; } builtins[] = {
    { "Int", VM_CLASS_INT },         { "Int64", VM_CLASS_INT },       { "Int8", VM_CLASS_INT8 },
    { "Int16", VM_CLASS_INT16 },     { "Int32", VM_CLASS_INT32 },     { "UInt8", VM_CLASS_UINT8 },
    { "UInt16", VM_CLASS_UINT16 },   { "UInt32", VM_CLASS_UINT32 },   { "UInt64", VM_CLASS_UINT64 },
    { "Float", VM_CLASS_FLOAT },     { "Float64", VM_CLASS_FLOAT },   { "Float32", VM_CLASS_FLOAT32 },
    { "BigInt", VM_CLASS_BIGINT },   { "Decimal", VM_CLASS_DECIMAL }, { "Bool", VM_CLASS_BOOL },
    { "Char", VM_CLASS_CHAR },       { "String", VM_CLASS_STRING },   { "List", VM_CLASS_LIST },
    { "Map", VM_CLASS_MAP },         { "Set", VM_CLASS_SET },         { "Unit", VM_CLASS_UNIT },
};

static const struct vm_shape *read_shape(struct reader *reader);

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && isspace((unsigned char)*reader->at))
        reader->at++;
}

static bool accept(struct reader *reader, char mark)
{
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != mark)
        return false;
    reader->at++;
    return true;
}

static struct vm_shape *new_shape(struct reader *reader, enum vm_shape_kind kind, const char *from)
{
    struct vm_shape *shape = nb_arena_alloc(reader->arena, sizeof *shape);
    const char *to = reader->at;

    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    shape->kind = kind;
    shape->name = "";
    shape->text = nb_arena_strndup(reader->arena, from, (size_t)(to - from));
    return shape;
}

/* What cannot be understood is one shape up to the end of the text. */
static struct vm_shape *give_up(struct reader *reader, const char *from)
{
    reader->at = reader->end;
    return new_shape(reader, VM_SHAPE_OTHER, from);
}

/* Shapes up to the closing mark; false when there is none. */
static bool read_list(struct reader *reader, char closing, struct vm_shape *shape)
{
    NB_VEC(const struct vm_shape *) items = NB_VEC_INIT;
    bool closed = accept(reader, closing);

    while (!closed && reader->at < reader->end) {
        nb_vec_push(&items, read_shape(reader));
        closed = accept(reader, closing);
        if (!closed && !accept(reader, ','))
            break;
    }
    shape->count = (unsigned)items.count;
    shape->arguments = nb_arena_array(reader->arena, items.count + 1, sizeof *shape->arguments);
    if (items.count > 0)
        memcpy((void *)shape->arguments, items.items, items.count * sizeof *shape->arguments);
    nb_vec_done(&items);
    return closed;
}

/* (A, B), (A) which is A, or the parameters of a function type. */
static const struct vm_shape *read_parenthesised(struct reader *reader)
{
    const char *from = reader->at++;
    struct vm_shape parts = { .kind = VM_SHAPE_TUPLE };
    struct vm_shape *shape;

    if (!read_list(reader, ')', &parts))
        return give_up(reader, from);
    skip_blanks(reader);
    if (reader->end - reader->at >= 2 && memcmp(reader->at, "->", 2) == 0) {
        reader->at += 2;
        read_shape(reader);
        return new_shape(reader, VM_SHAPE_OTHER, from);
    }
    if (parts.count == 1)
        return parts.arguments[0];
    shape = new_shape(reader, parts.count == 0 ? VM_SHAPE_BUILTIN : VM_SHAPE_TUPLE, from);
    shape->class_key = VM_CLASS_UNIT;
    shape->arguments = parts.arguments;
    shape->count = parts.count;
    return shape;
}

static bool is_name_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || (unsigned char)c >= 0x80;
}

static bool is_parameter(const struct reader *reader, const char *name, size_t length, unsigned *ret_position)
{
    for (unsigned i = 0; reader->around != NULL && i < reader->around->parameter_count; i++) {
        const char *parameter = reader->around->parameters[i];

        if (strlen(parameter) == length && memcmp(parameter, name, length) == 0) {
            *ret_position = i;
            return true;
        }
    }
    return false;
}

static uint32_t builtin_class(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        if (strlen(builtins[i].name) == length && memcmp(builtins[i].name, name, length) == 0)
            return builtins[i].class_key;
    return 0;
}

/* Find out what a name means. */
static void look_up(const struct reader *reader, struct vm_shape *shape)
{
    size_t length = strlen(shape->name);

    if (is_parameter(reader, shape->name, length, &shape->position))
        shape->kind = VM_SHAPE_PARAMETER;
    else if ((shape->type = vm_types_find(reader->types, shape->name, length)) != NULL)
        shape->kind = VM_SHAPE_DECLARED;
    else if ((shape->class_key = builtin_class(shape->name, length)) != 0)
        shape->kind = VM_SHAPE_BUILTIN;
}

static const struct vm_shape *read_named(struct reader *reader)
{
    const char *from = reader->at;
    struct vm_shape arguments = { .kind = VM_SHAPE_OTHER };
    struct vm_shape *shape;
    const char *name;

    while (reader->at < reader->end && is_name_byte(*reader->at))
        reader->at++;
    if (reader->at == from)
        return give_up(reader, from);
    name = nb_arena_strndup(reader->arena, from, (size_t)(reader->at - from));
    if (accept(reader, '[') && !read_list(reader, ']', &arguments))
        return give_up(reader, from);
    shape = new_shape(reader, VM_SHAPE_OTHER, from);
    shape->name = name;
    shape->arguments = arguments.arguments;
    shape->count = arguments.count;
    look_up(reader, shape);
    return shape;
}

static const struct vm_shape *read_shape(struct reader *reader)
{
    const struct vm_shape *shape;

    skip_blanks(reader);
    if (reader->depth == NESTING_MAX || reader->at == reader->end)
        return give_up(reader, reader->at);
    reader->depth++;
    shape = *reader->at == '(' ? read_parenthesised(reader) : read_named(reader);
    reader->depth--;
    return shape;
}

static const struct vm_shape *read_whole(struct reader *reader)
{
    const char *from = reader->at;
    const struct vm_shape *shape = read_shape(reader);

    skip_blanks(reader);
    return reader->at == reader->end ? shape : give_up(reader, from);
}

const struct vm_shape *vm_shape_read(const struct vm_types *types, struct nb_arena *arena, const char *text,
                                     size_t length)
{
    struct reader reader = { .types = types, .arena = arena, .at = text, .end = text + length };

    return read_whole(&reader);
}

bool vm_shape_is(const struct vm_shape *shape, const char *name, unsigned count)
{
    return (shape->kind == VM_SHAPE_BUILTIN || shape->kind == VM_SHAPE_DECLARED) && shape->count == count &&
           strcmp(shape->name, name) == 0;
}

/* ---- the types of fields ---- */

static void read_fields(struct vm_types *types, const struct vm_type *type, struct vm_type_constructor *constructor)
{
    unsigned count = constructor->constructor->arity;
    const struct vm_shape **shapes = nb_arena_array(types->arena, count + 1, sizeof *shapes);

    for (unsigned i = 0; i < count; i++) {
        const char *text = constructor->field_texts[i];
        struct reader reader = { types, types->arena, type, text, text + strlen(text), 0 };

        shapes[i] = read_whole(&reader);
    }
    constructor->field_shapes = shapes;
}

void vm_types_finish(struct vm_types *types)
{
    make_entries(types);
    for (size_t i = 0; i < types->all.count; i++)
        for (unsigned k = 0; k < types->all.items[i]->count; k++)
            read_fields(types, types->all.items[i], &types->all.items[i]->constructors[k]);
    nb_vec_done(&types->all);
}
