/*
 * types.h - the types of a program by name, and what they are made of: for decoding, construction by name and typeInfo
 * while it runs.
 *
 * The compiler describes each type of the program once. A field's type is kept as text, with names qualified and
 * aliases replaced, and as a shape: the same, taken apart and with its names looked up. Programs may bring further
 * type texts ("List[Item]"), which are read the same way.
 *
 * Everything lives in the program's arena and does not change after the compilation. Threads: any.
 */
#ifndef VM_TYPES_H
#define VM_TYPES_H

#include "base/arena.h"
#include "vm/type.h"

enum vm_shape_kind {
    VM_SHAPE_OTHER,     /* a function, an anonymous record, a name that nobody knows */
    VM_SHAPE_BUILTIN,   /* Int, String, List[T], Map[K, V] …: class_key */
    VM_SHAPE_DECLARED,  /* a type of the program or the library: type */
    VM_SHAPE_PARAMETER, /* a type parameter of the type around: position */
    VM_SHAPE_TUPLE,     /* (A, B); () is the builtin Unit */
};

struct vm_shape {
    enum vm_shape_kind kind;
    uint32_t class_key;                       /* VM_SHAPE_BUILTIN: enum vm_class */
    const struct vm_type *type;               /* VM_SHAPE_DECLARED */
    unsigned position;                        /* VM_SHAPE_PARAMETER */
    const struct vm_shape *const *arguments;  /* of List[…] and the like; components of a tuple */
    unsigned count;
    const char *name;                         /* without arguments; "" for tuples and others without a name */
    const char *text;                         /* all of it, as it was written */
};

/** A constructor with the declared types of its fields. */
struct vm_type_constructor {
    const struct vm_constructor *constructor;
    const char *const *field_texts;
    const struct vm_shape *const *field_shapes; /* vm_types_finish() sets it */
};

struct vm_type {
    const char *name;                         /* qualified as in vm_constructor */
    const char *path;                         /* with the module, for types of the library too */
    enum vm_type_form form;
    const char *const *parameters;
    unsigned parameter_count;
    struct vm_type_constructor *constructors; /* records have one */
    unsigned count;
};

struct vm_types;

/** An empty table in an arena, which must outlive it. */
struct vm_types *vm_types_new(struct nb_arena *arena);
/** Add a type; it lies in the arena, as do its arrays. */
void vm_types_add(struct vm_types *types, struct vm_type *type);
/** All types are there: make names findable and read the types of fields. */
void vm_types_finish(struct vm_types *types);

/** The type of a name: exact, else one whose path ends in ".NAME"; the program's own before the library's. NULL: none,
 *  also when `types` is NULL. */
const struct vm_type *vm_types_find(const struct vm_types *types, const char *name, size_t length);

/** Take a type text apart, in an arena that outlives the result; never NULL. */
const struct vm_shape *vm_shape_read(const struct vm_types *types, struct nb_arena *arena, const char *text,
                                     size_t length);

/** Whether a shape is the builtin or declared type of that name with that many arguments. */
bool vm_shape_is(const struct vm_shape *shape, const char *name, unsigned count);

#endif
