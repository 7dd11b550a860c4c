/*
 * infer.h - what the parts of the checker share. Private to lang/; see check.h for the map.
 */
#ifndef LANG_INFER_H
#define LANG_INFER_H

#include "lang/scheme.h"
#include "lang/term.h"

enum { NS_TRAIL_MAX = 1 << 20 };

/** A local name in scope. */
struct ns_typed_local {
    const char *name;
    struct ns_term *term;
    struct ns_typed_local *hidden;      /* the one of that name outside */
    uint32_t function_depth;            /* of the function or lambda it belongs to */
    bool is_scheme;                     /* instantiate at each use */
    bool is_var;
};

/** A method call that waits for its receiver's type. */
struct ns_method_call {
    const struct ns_expr *expr;
    const char *const *names;           /* of named arguments, NULL for positional ones; NULL: none is named */
};

/** The function whose body is inferred. */
struct ns_typed_body {
    struct ns_typed_body *outer;
    struct ns_space *space;
    struct ns_term *result;             /* what `return` unifies with */
    struct ns_type_scope types;
    uint32_t depth;
    bool lenient;                       /* a direct throw or panic in the body: no mismatches (02 §5.9) */
    const char *name;                   /* for messages; NULL for a lambda */
};

/** One change of a variable, to be taken back by a trial. */
struct ns_change { struct ns_term *variable, *link; struct ns_demand *demands; int32_t level; };

struct ns_check {
    struct ns_unit *unit;
    struct nb_arena *arena;             /* the unit's */
    struct ns_con *cons[NS_CON_COUNT];
    struct ns_term *basics[NS_CON_COUNT]; /* terms without arguments */
    struct ns_term *any, *never;
    const struct ns_con *option, *result; /* of the library, when known */
    struct ns_table locals;             /* name: struct ns_typed_local, innermost */
    struct ns_typed_body *body;         /* what is being inferred, or NULL */
    int32_t level;
    uint32_t stamp;                     /* of the latest instantiation */
    uint32_t trials;                    /* open ones */
    NB_VEC(struct ns_change) changes;
    NB_VEC(struct ns_demand *) work;    /* demands whose subject became known */
    struct ns_clash clash;
    uint32_t depth;                     /* of recursion into terms */
    uint32_t fuel;                      /* steps left for this unification or copy */
    uint32_t annotation_fuel;           /* the same for an annotation */
    struct ns_table native_schemes;     /* scheme_native.c's */
    void *library_schemes;              /* scheme_native.c's */
    struct ns_implementations *implementations; /* satisfy.c's */
    NB_VEC(struct ns_group *) stack;    /* check.c's: Tarjan */
};

/* ---- satisfy.c ---- */

enum ns_answer { NS_NO, NS_YES, NS_MAYBE };

/** Whether a type implements a trait (`info` NULL: a built-in one). NS_MAYBE when variables in it decide: then the
 *  demands have been passed on to them if `pass` is set. *ret_culprit: the part that fails ("(Int) -> Int" of
 *  List[(Int) -> Int]), for messages. */
enum ns_answer ns_satisfies(struct ns_check *check, struct ns_term *term, const char *trait,
                            const struct ns_trait_info *info, bool pass, struct ns_term **ret_culprit);
/** The implementation's method for that receiver: its function group; NULL when the program implements none. */
struct ns_group *ns_trait_method(struct ns_check *check, struct ns_term *receiver, const char *method);
/** Whether any implementation or declaration in the program has a method of that name. */
bool ns_is_trait_method(struct ns_check *check, const char *method);

/* ---- exhaustive.c ---- */

/** Report what a match's arms leave out, if its scrutinee's type is one that 02 §9 checks. */
void ns_check_exhaustive(struct ns_check *check, const struct ns_expr *match, struct ns_term *scrutinee);

/* ---- declarations.c ---- */

/** What can be said about declarations without looking into bodies (02 §12.5–12.7). */
void ns_check_declarations(struct ns_check *check);

/* ---- complain.c: one problem, all its formulations (02 §11.4) ---- */

/** `expected` A, found B at `where`; `because` (source NULL: none) is what imposed the expectation. */
void ns_complain_mismatch(struct ns_check *check, struct ns_span where, struct ns_term *expected, struct ns_term *found,
                          struct ns_span because, const char *why);
void ns_complain_argument(struct ns_check *check, struct ns_span where, unsigned position, const char *function,
                          struct ns_term *expected, struct ns_term *found, struct ns_span because);
void ns_complain_count(struct ns_check *check, struct ns_span where, const char *function, unsigned expected,
                       unsigned found); /* function NULL: a value */
/** `term` does not implement `trait`; `other` (may be NULL): the other operand or what would be expected. */
void ns_complain_trait(struct ns_check *check, struct ns_span where, struct ns_term *term, const char *trait,
                       struct ns_term *other);
void ns_complain_method(struct ns_check *check, struct ns_span where, struct ns_term *receiver, const char *name);
void ns_complain_field(struct ns_check *check, struct ns_span where, struct ns_term *receiver, const char *name);
/** What ns_unify() has just said of two types, in the words that fit. */
void ns_complain_clash(struct ns_check *check, struct ns_span where, struct ns_term *expected, struct ns_term *found,
                       struct ns_span because, const char *why);

#endif
