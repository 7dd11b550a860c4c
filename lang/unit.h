/*
 * unit.h - one compilation from the inside: what the modules define, and what names mean. Private to lang/.
 *
 * declare.c fills the spaces, resolve.c answers questions about names, the lower_*.c files turn bodies into code on
 * demand: a function of the program is always compiled, one of the library when something refers to it.
 *
 * A unit's own structures live in unit->arena and go away with it; what runs lives in the program's arena.
 */
#ifndef LANG_UNIT_H
#define LANG_UNIT_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "lang/ast.h"
#include "lang/compile.h"
#include "lang/module.h"
#include "lang/table.h"
#include "vm/program.h"
#include "vm/type.h"

struct ns_space;
struct ns_type_info;
struct ns_trait_info;
struct ns_implementation;
struct ns_con;
struct ns_term;
struct ns_typing;

/* Append to an NB_VEC whose items live in the unit's arena: never freed one by one. */
#define ns_push(unit, vec, item) \
    do { \
        if ((vec)->count == (vec)->capacity) \
            (vec)->items = ns_grow((unit), (vec)->items, &(vec)->capacity, (vec)->count, sizeof *(vec)->items); \
        (vec)->items[(vec)->count++] = (item); \
    } while (0)

/** What type parameters stand for. */
struct ns_bindings {
    const struct ns_type_parameter_list *parameters;
    const char *const *texts;
};

/** One function: the clauses that were defined under one name with one signature (01 §10.1). */
struct ns_group {
    const char *name;                    /* bare */
    struct ns_space *space;              /* where its free names are looked up */
    NB_VEC(const struct ns_function *) clauses;
    uint32_t arity, required;            /* required: up to the last parameter without default */
    bool is_public;
    bool is_local;                       /* of a block: clauses stay in source order (01 §10.6) */
    const struct ns_type **types;        /* annotation of each parameter, or NULL */
    const struct ns_expr **defaults;     /* of each parameter, or NULL */
    const char **parameter_names;        /* NULL where a parameter has none */
    const struct ns_type_info *self_type; /* what Self means, in an implementation */
    const struct ns_implementation *implementation; /* of a method, else NULL */
    const struct ns_function *declared;  /* of a method: what its trait says of it, or NULL */
    struct vm_function *function;        /* what runs; its code is there after lowering */
    bool queued;
    const struct ns_bindings *bindings;  /* of an instance for explicit type arguments, else NULL */
    struct ns_group *instances, *next_instance; /* made of this one; of the same one */
    struct ns_typing *typing;            /* of the checker (check.c); NULL before it is looked at */
    struct ns_group *next_method;        /* of a method: the next in its chain (trait.c) */
};

/** What a call with so many arguments goes to, where several functions come into question. */
struct ns_choice { unsigned count; struct vm_function *function; };

/** All functions of one name in one place. */
struct ns_functions {
    const char *name;
    struct ns_space *space;              /* of the first */
    NB_VEC(struct ns_group *) groups;
    bool too_many;                       /* reported; what comes on top is not noted */
    NB_VEC(struct ns_choice) choices;    /* made when needed */
};

enum ns_value_kind { NS_VALUE_MVAR, NS_VALUE_BINDING, NS_VALUE_CONST };

/** A name that stands for a value. */
struct ns_value {
    enum ns_value_kind kind;
    const char *name;
    struct ns_space *space;
    const struct ns_item *item;
    bool is_public;
    struct vm_mvar *mvar;                /* NS_VALUE_MVAR */
    struct ns_group *group;              /* NS_VALUE_BINDING: a function without parameters that computes it */
    struct ns_group *lambda;             /* NS_VALUE_BINDING to a lambda: that, as a function; else NULL */
    struct ns_term *term;                /* of the checker: type of an mvar or a constant */
};

/** A constructor of a record or variant type. */
struct ns_constructor_info {
    const char *name;
    struct ns_type_info *type;
    const struct ns_field_list *fields;
    bool named;                          /* fields have names */
    bool is_record;                      /* of a record type, for messages */
    uint32_t number;                     /* vm/type.h */
    vm_value value;                      /* the constructor as a function or constant; VM_NONE until wanted */
    struct ns_term **field_terms;        /* of the checker: schemes of the fields, NULL until wanted */
};

struct ns_type_info {
    const char *name;                    /* bare */
    const char *qualified;
    struct ns_space *space;
    const struct ns_item *item;
    bool is_public;
    uint32_t class_key;
    struct ns_constructor_info **constructors;
    uint32_t count;
    struct ns_con *con;                  /* of the checker: made when wanted (term.h) */
    struct ns_term *term;                /* of the checker: the type with quantified parameters */
};

struct ns_trait_info {
    const char *name;
    struct ns_space *space;
    const struct ns_item *item;
    bool is_public;
    uint32_t order;                      /* of declaration; supertraits come earlier */
};

/** One block `Type: Trait … end`. */
struct ns_implementation {
    const struct ns_item *item;
    struct ns_space *space;
    const struct ns_trait_info *trait;   /* NULL: a built-in trait that is not declared anywhere */
    const char *trait_name;
    uint32_t class_key;
    const struct ns_type_info *type;     /* NULL for built-in types */
    size_t number;                       /* in order of the source */
    NB_VEC(struct ns_group *) methods;   /* written here, and defaults that nobody overrides */
    struct ns_implementation *next;      /* in its chain of a class: an earlier one */
    struct ns_implementation *next_of_trait; /* in its chain of a class and a trait: an earlier one */
};

/** Everything a space defines under one name. */
struct ns_member {
    const char *name;
    struct ns_space *space;
    struct ns_functions *functions;
    struct ns_value *mvar, *binding, *constant;
    struct ns_type_info *type;
    struct ns_trait_info *trait;
    struct ns_constructor_info *constructor; /* the latest of that name here */
    struct ns_space *module;
};

/** What a name that was imported stands for: one member of each module that gave it. */
struct ns_import {
    const char *name;
    NB_VEC(struct ns_member *) members;  /* the latest last */
    struct ns_member *named;             /* by `use m.{name}` */
    struct ns_functions *merged;         /* functions of all members; NULL until wanted */
};

/** A module: a file, a library module or an inline module. */
struct ns_space {
    const char *path;                    /* "" for a single file, "shapes", "M", "shapes.M" */
    struct ns_space *outer;              /* the module around an inline module */
    struct ns_space *file;               /* the file's own space */
    const struct ns_module *module;
    const struct ns_item_list *items;
    bool library;
    struct ns_table members;             /* struct ns_member */
    struct ns_table imports;             /* struct ns_import */
    struct ns_table used;                /* paths of modules it uses: struct ns_space */
    struct ns_table renamed_methods;     /* by `use m.{method as name}`: the trait's name, interned */
};

/** Where the lines of a source start. */
struct ns_lines { const struct ns_source *source; const uint32_t *starts; uint32_t count; };

struct ns_unit {
    struct nb_arena *arena;
    struct ns_diag *diag;
    const struct ns_options *options;
    const struct ns_program_source *source;
    struct vm_program *program;
    NB_VEC(struct ns_space *) spaces;    /* library first, then the program's; inline modules behind their file */
    struct ns_table paths;               /* path: struct ns_space */
    struct ns_table constructors;        /* bare name: struct ns_constructors, all of the program and the library */
    struct ns_table types;               /* bare name: struct ns_type_info, the latest; for what imports do not tell */
    struct ns_table trait_methods;       /* name: struct ns_trait_info that declares it */
    struct ns_table own_methods;         /* names of methods that the program itself implements: anything */
    struct ns_table traits;              /* bare name: struct ns_trait_info, the latest */
    struct ns_table method_names;        /* natives "X.name": anything, for names that may be methods */
    struct ns_table field_names;         /* of all types: anything */
    struct ns_table symbols;             /* local names in scope: struct ns_local (lower.h) */
    NB_VEC(struct ns_group *) queue;     /* to be lowered */
    NB_VEC(struct vm_function *) functions;
    NB_VEC(struct ns_value *) mvars;
    NB_VEC(struct vm_mvar *) vm_mvars;
    struct nb_map *strings;              /* text: immortal String */
    const struct ns_bindings *bindings;  /* of the group that is being lowered */
    struct ns_table reported;            /* places with an error already */
    bool just_reported;
    NB_VEC(struct ns_lines) lines;       /* of the sources that were asked about, the latest answer's first */
    uint32_t trait_count;
    NB_VEC(struct ns_implementation *) implementations;
    struct ns_implementation **implementation_chains; /* by class, the latest first */
    struct ns_implementation **trait_chains; /* by class and the trait's name, the latest first */
    struct ns_group **method_chains;     /* methods by class and name, the latest first */
};

struct ns_constructors { NB_VEC(struct ns_constructor_info *) items; };

/* ---- compile.c ---- */

/** A compilation of what was read; all three must outlive it. ns_unit_free() frees it, ns_unit_compile() does all of
 *  it: afterwards there are errors in its diag, or its program can run. */
struct ns_unit *ns_unit_new(const struct ns_options *options, struct ns_diag *diag,
                            const struct ns_program_source *source);
void ns_unit_free(struct ns_unit *unit);
void ns_unit_compile(struct ns_unit *unit);

/* ---- unit.c ---- */

/** More room for ns_push(). */
void *ns_grow(struct ns_unit *unit, void *items, size_t *capacity, size_t count, size_t item_bytes);

/** Report an error once per place. */
void ns_report(struct ns_unit *unit, struct ns_span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Whether ns_report() has just opened an entry, so that a hint belongs to it. */
bool ns_reported(const struct ns_unit *unit);

/** The line a place is in; quick when places are asked for roughly in order. */
uint32_t ns_line_of(struct ns_unit *unit, struct ns_span span);

/** Note that the group is needed: it will be lowered. Its function. */
struct vm_function *ns_need(struct ns_unit *unit, struct ns_group *group);

/* ---- declare.c ---- */

/** Enter what all modules define into the unit's spaces. Errors go to the unit's diag. */
void ns_declare(struct ns_unit *unit);
/** Qualified: "M.name"; bare in a root module and in library modules. */
const char *ns_qualified(struct ns_unit *unit, const struct ns_space *space, const char *name);
/** A function object without code. */
struct vm_function *ns_function_new(struct ns_unit *unit, const struct ns_space *space, const char *name,
                                    struct ns_span span);
/** Report that a name has two definitions of the same sort. */
void ns_report_twice(struct ns_unit *unit, const struct ns_name *name);

/* ---- declare_type.c ---- */

/** Enter a type that an item defines, and register its constructors. */
void ns_declare_type(struct ns_unit *unit, struct ns_space *space, const struct ns_item *item);
/** What values of the type that an item defines are. */
enum vm_type_form ns_type_form(const struct ns_item *item);

/* ---- group.c ---- */

/** A group without clauses. */
struct ns_group *ns_group_new(struct ns_unit *unit, struct ns_space *space, const char *name);
/** Append a clause without asking whether it fits. */
void ns_group_add(struct ns_unit *unit, struct ns_group *group, const struct ns_function *clause);
/** Put a clause into the group it belongs to, a new one if none fits. */
struct ns_group *ns_functions_add(struct ns_unit *unit, struct ns_functions *functions, struct ns_space *space,
                                  const struct ns_function *clause);
/** Sort clauses and compute arity, defaults, names of a group whose clauses are complete; make its vm_function. */
void ns_group_finish(struct ns_unit *unit, struct ns_group *group, const char *qualified_name);
/** "area/Int,_": for people. */
const char *ns_group_signature(struct ns_unit *unit, const struct ns_group *group);

/* ---- library_calls.c ---- */

/** Compile the library functions that the VM calls by itself, if the program can lead there, and tell the program. */
void ns_need_library_calls(struct ns_unit *unit);

/* ---- describe.c ---- */

/** Tell the program about its types (vm/types.h). After everything is declared. */
void ns_describe_types(struct ns_unit *unit);
/** The text of a type with names qualified, aliases replaced, and parameters of the function that is being compiled
 *  bound, as seen from `space`. In the program's arena. */
const char *ns_resolved_type_text(struct ns_unit *unit, struct ns_space *space, const struct ns_type *type);

/* ---- instance.c ---- */

/** The functions to call with explicit type arguments, written in `space`; the same functions without. */
struct ns_functions *ns_instances(struct ns_unit *unit, struct ns_space *space, struct ns_functions *functions,
                                  const struct ns_type_list *arguments);

/* ---- request_form.c ---- */

/** Replace toType() where an annotation says which type. Before anything is checked or lowered. */
void ns_rewrite_request_forms(struct ns_unit *unit);

/* ---- describe.c ---- */

/** Tell the program about its types (vm/types.h). After everything is declared. */
void ns_describe_types(struct ns_unit *unit);
/** The text of a type with names qualified and aliases replaced, as seen from `space`. In the program's arena. */
const char *ns_resolved_type_text(struct ns_unit *unit, struct ns_space *space, const struct ns_type *type);

/* ---- trait.c ---- */

/** Traits and implementations: checks, methods into the program's method table. After all types are declared. */
void ns_declare_traits(struct ns_unit *unit);
/** Implementations for a class (vm/type.h), the latest first: follow `next`, and look at class_key, as other classes'
 *  are in the same chain. */
const struct ns_implementation *ns_implementations_of(const struct ns_unit *unit, uint32_t class_key);
/** The latest implementation of a trait of that (own) name for a class, and the one before it; NULL: there is none. */
const struct ns_implementation *ns_implementation_of(const struct ns_unit *unit, uint32_t class_key, const char *trait);
const struct ns_implementation *ns_implementation_before(const struct ns_implementation *implementation);
/** The same for methods of a name. */
struct ns_group *ns_method_of(const struct ns_unit *unit, uint32_t class_key, const char *name);
struct ns_group *ns_method_before(const struct ns_group *method);
bool ns_is_builtin_trait(const char *name);
/** How many parameters a trait's method is declared with, the receiver among them; 0: the trait has no such method. */
uint32_t ns_trait_method_arity(const struct ns_trait_info *trait, const char *name);

/* ---- declarations.c ---- */

/** What can be said about declarations without knowing types of expressions (02 §12.5–12.7). After ns_declare(). */
void ns_check_declarations(struct ns_unit *unit);

/* ---- companion.c ---- */

/** Enter the functions that are called like a type of their module into the method table. After all groups are
 *  finished. */
void ns_declare_companions(struct ns_unit *unit);

/* ---- use.c ---- */

/** Give every space what it imports. */
void ns_declare_uses(struct ns_unit *unit);

/** What a space defines under a name, made if there is nothing yet. */
struct ns_member *ns_member(struct ns_unit *unit, struct ns_space *space, const char *name);
bool ns_member_is_public(const struct ns_member *member);

/* ---- protect.c ---- */

bool ns_is_builtin_name(const char *name);          /* the list of 01 §13.3 */
bool ns_is_protected_library_name(const char *name); /* prelude functions beyond it */

/* ---- resolve.c ---- */

enum ns_meaning_kind {
    NS_MEANS_NOTHING,
    NS_MEANS_VALUE,      /* value: an mvar, a binding or a constant */
    NS_MEANS_FUNCTIONS,
    NS_MEANS_NATIVE,     /* natives of that full name */
    NS_MEANS_METHOD,     /* only a trait's method is called so */
    NS_MEANS_CONSTRUCTOR /* a lower-case lookup never yields it */
};
struct ns_meaning {
    enum ns_meaning_kind kind;
    struct ns_value *value;
    struct ns_functions *functions;
    struct ns_constructor_info *constructor;
    const char *native; /* full name */
    const char *method; /* the trait's name for it */
};

/** What a name that is no local means (01 §13.1). */
struct ns_meaning ns_find(struct ns_unit *unit, struct ns_space *space, const char *name);
/** The mvar that `name = …` writes, or NULL. */
struct ns_value *ns_find_mvar(struct ns_unit *unit, struct ns_space *space, const char *name);
/** A member of a module by qualified access; errors about privacy are reported and give what was meant. */
struct ns_meaning ns_find_member(struct ns_unit *unit, struct ns_space *from, struct ns_space *module, const char *name,
                                 struct ns_span span);
/** The constructor meant by a bare name with so many arguments (-1: any). */
struct ns_constructor_info *ns_find_constructor(struct ns_unit *unit, struct ns_space *space, const char *name,
                                                int count);
/** All constructors that a pattern `name` may mean (names are compared, not types: 02 §3.5). */
const struct ns_constructors *ns_all_constructors(struct ns_unit *unit, struct ns_space *space, const char *name);
struct ns_type_info *ns_find_type(struct ns_unit *unit, struct ns_space *space, const char *name);
struct ns_trait_info *ns_find_trait(struct ns_unit *unit, struct ns_space *space, const char *name);
/** The module that a dotted path denotes, seen from `space`; NULL when none. */
struct ns_space *ns_find_module(struct ns_unit *unit, struct ns_space *space, const char *path);
/** Whether code in `from` may use private names of `module`. */
bool ns_is_inside(const struct ns_space *from, const struct ns_space *module);

/* ---- written_type.c ---- */

/** Run-time class (vm/type.h) that an annotation demands; 0: any. */
uint32_t ns_class_of_type(struct ns_unit *unit, struct ns_space *space, const struct ns_type *type);
/** A type as programs write it; in the unit's arena. */
const char *ns_type_text(struct ns_unit *unit, const struct ns_type *type);

/* ---- constant.c ---- */

/** The immediate or immortal value of a literal. */
vm_value ns_literal_value(struct ns_unit *unit, const struct ns_literal *literal);
vm_value ns_string_value(struct ns_unit *unit, const char *text, size_t length);

/* ---- lower.c ---- */

/** Compile one group into its function. */
void ns_lower_group(struct ns_unit *unit, struct ns_group *group);
/** A function that runs when the program starts and sets its mvars; NULL when there are none. */
struct vm_function *ns_lower_init(struct ns_unit *unit);
/** Init (may be NULL), then main. */
struct vm_function *ns_lower_entry(struct ns_unit *unit, struct vm_function *init, struct vm_function *main);

#endif
