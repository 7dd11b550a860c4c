/*
 * type.h - user types and their constructors, known by number in the whole daemon.
 *
 * A constructor is registered with its type's name, its own name, its fields and its position. Registering the same
 * again gives the same number, so two versions of one app agree about their values without conversion.
 * The table only grows, by what was ever deployed (at most VM_AUX_MAX constructors; then registering fails).
 * Threads: registering takes a lock; reading takes none.
 */
#ifndef VM_TYPE_H
#define VM_TYPE_H

#include "vm/value.h"

enum vm_type_form { VM_TYPE_RECORD, VM_TYPE_VARIANT, VM_TYPE_REACTIVE_RECORD, VM_TYPE_REACTIVE_VARIANT };

/** "record", "variant", "reactive", "reactive_variant". */
const char *vm_type_form_name(enum vm_type_form form);

struct vm_constructor {
    uint32_t id;             /* its number; in headers (aux) and VM_SORT_CTOR payloads */
    uint32_t type_id;        /* nb_intern_id of the type's qualified name: equal for all constructors of one type */
    const char *type_name;   /* interned, qualified: "shapes.Pt" ("Pt" at the root) */
    const char *name;        /* interned, bare: "Pt", "Some" */
    uint32_t name_id;        /* nb_intern_id(name): patterns compare this and the arity */
    enum vm_type_form form;
    bool mutable_fields;     /* `var type`: values are RECORD_CELLs; reactive: reactive.h */
    bool named;              /* fields have names; else they are "0", "1", … */
    uint16_t arity;
    uint16_t position;       /* among the constructors of its type: their order */
    uint16_t siblings;       /* how many constructors the type has */
    const char *const *fields;      /* interned names, `arity` of them */
    const uint32_t *field_ids;      /* nb_intern_id of each */
    const char *const *field_types; /* as written, "Option[Int]". May hold NULLs, or be NULL; what programs ask about
                                     * types is in types.h */
    vm_value name_text;             /* the name as an immortal String; set by registering, as the next */
    const vm_value *field_texts;
    uint64_t hash;           /* of type and constructor name: the same in every run; set by registering */
};

/** Register; strings are interned, arrays copied. `type_name` is qualified. Returns the number, or 0 when the
 *  table is full. Threads: any. */
uint32_t vm_constructor_register(const struct vm_constructor *description);

/** The constructor of a number that vm_constructor_register gave out. Threads: any, lock-free. */
const struct vm_constructor *vm_constructor(uint32_t id);

/** Field position by interned name id, -1 when there is none. */
int vm_constructor_field(const struct vm_constructor *constructor, uint32_t name_id);

/** The constructor of a value that is DATA, RECORD_CELL, REACTIVE or a VM_SORT_CTOR immediate; NULL for all others.
 *  Fields of a REACTIVE are read by reactive.h only. */
const struct vm_constructor *vm_constructor_of(vm_value v);

/* The prelude's constructors that natives build and the VM knows: numbers fixed by registration order. */
enum { VM_CTOR_SOME = 1, VM_CTOR_NONE, VM_CTOR_OK, VM_CTOR_ERR };
/** Register the four above; called once before anything else (vm_init()). */
void vm_type_init(void);

/*
 * The key by which methods are looked up: for user types their type_id, for the rest a small number.
 */
enum vm_class {
    VM_CLASS_UNIT = 1 << 24, VM_CLASS_BOOL, VM_CLASS_INT, VM_CLASS_INT8, VM_CLASS_INT16, VM_CLASS_INT32,
    VM_CLASS_UINT8, VM_CLASS_UINT16, VM_CLASS_UINT32, VM_CLASS_UINT64, VM_CLASS_FLOAT, VM_CLASS_FLOAT32,
    VM_CLASS_BIGINT, VM_CLASS_DECIMAL, VM_CLASS_CHAR, VM_CLASS_STRING, VM_CLASS_LIST, VM_CLASS_TUPLE,
    VM_CLASS_MAP, VM_CLASS_SET, VM_CLASS_INT64_ARRAY, VM_CLASS_FLOAT64_ARRAY, VM_CLASS_FLOAT32_ARRAY,
    VM_CLASS_BUFFER, VM_CLASS_FUNCTION, VM_CLASS_PID, VM_CLASS_OTHER
};
/** The class of a value: a type_id (below 2^24) or one of the above. */
uint32_t vm_class_of(vm_value v);
/** "Int", "String", "List", "Tuple" …; user types: their bare name. For messages and method tables. */
const char *vm_class_name(uint32_t class_key);

#endif
