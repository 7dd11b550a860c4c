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
    uint32_t depth;                     /* of the function or lambda it belongs to */
    bool is_scheme;                     /* instantiate at each use */
    bool is_var;
    struct ns_span declared;            /* of its annotation; source NULL: none */
};

/** A method call that waits for its receiver's type. */
struct ns_method_call {
    struct ns_span span;
    struct ns_space *space;             /* where it stands; NULL: where inference is */
    bool as_function;                   /* written m(x): no field is meant */
    bool is_local;                      /* a local of that name is in scope there … */
    struct ns_expr *expr;               /* … and this learns if something else is meant; NULL: written m(x) */
};

/** The function whose body is inferred. */
struct ns_typed_body {
    struct ns_typed_body *outer;
    struct ns_space *space;
    struct ns_term *result;             /* what `return` unifies with; NULL in a lambda */
    struct ns_span declared;            /* of the result's annotation; source NULL: none */
    struct ns_type_scope *types;
    struct ns_typing *typing;           /* of the function; NULL in a module's values */
    uint32_t depth;
    bool lenient;                       /* a direct throw or panic in the body: no mismatches (02 §5.9) */
    bool failed;                        /* one was passed over */
    enum { NS_BREAKS_NOT, NS_BREAKS, NS_BREAKS_WITH_VALUE } breaks; /* of the loop around, so far */
};

/** What the checker knows of a function: ns_group.typing. */
struct ns_typing {
    enum { NS_TYPING_NEW, NS_TYPING_BUSY, NS_TYPING_DONE } state;
    struct ns_term *term;               /* a function; a scheme when done. NULL: nothing is known */
    struct ns_term *declared;           /* the scheme its annotations give, if they are complete; else NULL */
    struct ns_type_scope *scopes;       /* of each clause, while busy */
    NB_VEC(const char *) guessed;       /* methods by which the type of something in the body was guessed */
    const struct ns_implementation *implementation; /* of a method */
    bool failed;                        /* a mismatch was passed over */
    enum { NS_WANTS_UNKNOWN, NS_WANTS_NOTHING, NS_WANTS_TYPES } wants; /* type_argument.c: its type arguments */
    uint32_t number, low;               /* check.c: Tarjan's; number 0: not visited */
    bool on_stack;
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
    NB_VEC(const struct ns_demand *) late; /* those an Int fails, until it is sure that no Float meets it */
    struct ns_clash clash;
    uint32_t depth;                     /* of recursion into terms */
    uint32_t fuel;                      /* steps left for this unification or copy */
    uint32_t annotation_fuel;           /* the same for an annotation */
    struct ns_table native_schemes;     /* scheme_native.c's */
    void *library_schemes;              /* scheme_native.c's */
    uint32_t mute;                      /* no reports while not 0 */
    uint32_t mixtures;                  /* how often numbers of two kinds were taken for one variable */
    bool settling;
    struct ns_table fields;             /* names of fields of the program's types: anything */
    NB_VEC(struct ns_typed_local *) names; /* in scope, innermost last */
    struct ns_left_out *left_out;       /* type_argument.c's, latest first */
    struct ns_term *discarded;          /* the very term that stands for a value nobody uses; NULL: not made yet */
};

/* ---- check.c ---- */

/** The type of a function for one use: instantiated, or as it is in the midst of being inferred. */
struct ns_term *ns_term_of_group(struct ns_check *check, struct ns_group *group, struct ns_span where);
struct ns_typing *ns_typing_of(struct ns_check *check, struct ns_group *group);
/** The type of an mvar, a binding or a constant for one use. */
struct ns_term *ns_term_of_value(struct ns_check *check, struct ns_value *value, struct ns_span where);

/* ---- infer.c ---- */

/** The type of an expression. `expected` (may be NULL) is a hint that helps lambdas and constructors; the caller
 *  unifies. check->discarded: the value is not used, branches need not agree. */
struct ns_term *ns_infer(struct ns_check *check, struct ns_expr *expr, struct ns_term *expected);
/** Infer and unify; what does not fit is reported at the expression. `because`, `why`: see ns_complain_mismatch(). */
void ns_infer_as(struct ns_check *check, struct ns_expr *expr, struct ns_term *expected, struct ns_span because,
                 const char *why);
struct ns_term *ns_term_of_literal(struct ns_check *check, const struct ns_literal *literal);
/** How two arms of a choice are held against each other. */
struct ns_joining {
    struct ns_span where;               /* of the second one: there what does not fit is reported … */
    struct ns_span because;             /* … because of the first one, which is … */
    const char *why;                    /* … "the other branch" */
    bool strict;                        /* report it at all, if both are known */
};
/** Two arms of a choice: their common type. */
struct ns_term *ns_join(struct ns_check *check, struct ns_term *one, struct ns_term *other,
                        const struct ns_joining *joining);
/** Both are numbers of built-in types. */
bool ns_are_numbers(struct ns_term *one, struct ns_term *other);
/** The same of two types that were found not to be one: then it is remembered, and the call around knows it. */
bool ns_mix_numbers(struct ns_check *check, struct ns_term *one, struct ns_term *other);
/** Numbers of two kinds were taken for one variable, so that it is anything from now on. Nothing happens to a term that
 *  is no bound variable. */
void ns_loosen(struct ns_check *check, struct ns_term *term);

/* ---- infer_name.c ---- */

/** The type of a name's value. */
struct ns_term *ns_infer_name(struct ns_check *check, const struct ns_expr *expr);
struct ns_term *ns_infer_upper(struct ns_check *check, const struct ns_expr *expr, struct ns_term *expected);
/** The module or namespace an expression names; ns_is_module() for the checker's scopes. */
bool ns_names_module(struct ns_check *check, const struct ns_expr *expr, struct ns_space **ret_space,
                     const char **ret_path);
/** The same of the receiver in `v.Map.insert(k, w)`, which is Map.insert(v, k, w): v.Map. */
bool ns_chains_module(struct ns_check *check, const struct ns_expr *receiver, struct ns_space **ret_space,
                      const char **ret_path);
/** What M.name means; reports nothing. */
struct ns_meaning ns_qualified_meaning(struct ns_check *check, struct ns_space *module, const char *path,
                                       const char *name);
struct ns_term *ns_term_of_meaning(struct ns_check *check, struct ns_meaning meaning, struct ns_span where);
/** The constructor meant by a name with so many arguments (-1: any), for a value or pattern of type `expected` (may be
 *  NULL); NULL when there is none, or more than one. */
struct ns_constructor_info *ns_constructor_meant(struct ns_check *check, const char *name, int count,
                                                 struct ns_term *expected);

/** If an error was reported since there were `errors`, and the expression is a name whose type was written down, show
 *  where, as part of the latest. */
void ns_label_declared(struct ns_check *check, const struct ns_expr *expr, size_t errors);
/** A parameter with an annotation: where that stands belongs to its name, which is in scope. */
void ns_note_declared(struct ns_check *check, const struct ns_parameter *parameter);

/* Scopes: */
size_t ns_names_begin(struct ns_check *check);
void ns_names_end(struct ns_check *check, size_t scope);
struct ns_typed_local *ns_name_add(struct ns_check *check, const char *name, struct ns_term *term);
struct ns_typed_local *ns_name_find(const struct ns_check *check, const char *name);

/* ---- infer_operator.c ---- */

struct ns_term *ns_infer_binary(struct ns_check *check, struct ns_expr *expr, struct ns_term *expected);
struct ns_term *ns_infer_unary(struct ns_check *check, struct ns_expr *expr);
struct ns_term *ns_infer_index(struct ns_check *check, struct ns_expr *expr);
void ns_infer_assign_index(struct ns_check *check, struct ns_expr *expr);

/* ---- infer_apply.c ---- */

/** An argument: an expression still to be inferred, or a type (or both: then `term` is its type). */
struct ns_typed_argument {
    struct ns_expr *expr;
    struct ns_term *term;
    struct ns_span span;
    bool swapped;                       /* a function where none is wanted, or the reverse: reported */
};

/** Who is called, for messages and leniency. */
struct ns_callee {
    struct ns_term *term;               /* instantiated */
    const char *name;                   /* NULL: a value */
    const struct ns_group *group;       /* NULL: a native, a constructor or a value */
    bool is_method;                     /* the first argument is the receiver */
    bool is_loose;                      /* numbers of other kinds pass where no annotation forbids it */
    uint32_t open;                      /* of a value: bits for the parameters that may be anything before the call */
};

void ns_infer_arguments(struct ns_check *check, struct ns_typed_argument *arguments, uint32_t count);
/** A call whose arguments are in the order of parameters (absent ones: both NULL). The result's type. */
struct ns_term *ns_apply(struct ns_check *check, struct ns_callee *callee, struct ns_typed_argument *arguments,
                         uint32_t count, struct ns_span span);

/* ---- infer_call.c ---- */

struct ns_term *ns_infer_call(struct ns_check *check, struct ns_expr *expr);
/** Whether a function of the program has the name of a conversion, toInt and the like, which the numbers keep. */
bool ns_is_conversion(const struct ns_group *group);
/** Whether some arguments are written with names; NULL is fine. */
bool ns_has_names(const struct ns_argument_list *written);
/** The arguments of a call, still to be inferred. */
struct ns_typed_argument *ns_arguments_of(struct ns_check *check, const struct ns_argument_list *written);
struct ns_term *ns_infer_construct(struct ns_check *check, struct ns_expr *expr, struct ns_term *expected);
struct ns_term *ns_infer_pipe(struct ns_check *check, struct ns_expr *expr);
/** Call of what a name means, that is no local. */
struct ns_term *ns_call_meaning(struct ns_check *check, struct ns_meaning meaning, const char *name,
                                struct ns_typed_argument *arguments, uint32_t count,
                                const struct ns_argument_list *written, struct ns_span span);
/** Call of one function; `written` has the names of the last of the arguments. */
struct ns_term *ns_call_group(struct ns_check *check, struct ns_group *group, struct ns_typed_argument *arguments,
                              uint32_t count, const struct ns_argument_list *written, struct ns_span span);

/* ---- infer_generic.c ---- */

/** A call of a function with type parameters, given or left out, in any form: the result's type. `count` arguments, the
 *  receiver among them. NULL when there is nothing special about it; a wrong number of type arguments is reported in
 *  any case. */
struct ns_term *ns_call_generic(struct ns_check *check, struct ns_expr *expr, struct ns_meaning meaning,
                                struct ns_typed_argument *arguments, uint32_t count);

/* ---- infer_method.c ---- */

/** The type of a trait's method as a value. */
struct ns_term *ns_term_of_method(struct ns_check *check, const char *name, struct ns_span where);
struct ns_term *ns_infer_method_call(struct ns_check *check, struct ns_expr *expr);
/** A method call with its receiver as first argument, inferred. */
struct ns_term *ns_call_method(struct ns_check *check, const char *name, struct ns_typed_argument *arguments,
                               uint32_t count, const struct ns_method_call *call);

/* ---- infer_demand.c ---- */

/** Hold what a variable is asked to be against a type that may stand for it; errors show at `where`. */
void ns_check_demands_of(struct ns_check *check, struct ns_term *variable, struct ns_term *term, struct ns_span where);
/** Work off the demands whose subjects became known. */
void ns_settle(struct ns_check *check);
/** At the end of a body: those from `first` on that were left for then (check->late). */
void ns_settle_late(struct ns_check *check, size_t first);

/* ---- infer_pattern.c ---- */

/** Names of the pattern come into scope; what cannot match is reported. */
void ns_infer_pattern(struct ns_check *check, struct ns_pattern *pattern, struct ns_term *scrutinee);
struct ns_term *ns_infer_match(struct ns_check *check, struct ns_expr *expr, struct ns_term *expected);
/** Arms on a value of that type; `strict`: bodies that surely differ are reported. */
struct ns_term *ns_infer_arms(struct ns_check *check, const struct ns_arm_list *arms, struct ns_term *scrutinee,
                              struct ns_term *expected, bool strict);

/* ---- pattern_shape.c ---- */

/** Whether two patterns for one place have different shapes. */
bool ns_pattern_disagrees(const struct ns_pattern *one, const struct ns_pattern *other);
/** Whether two of many have, so that the place must stay open (02 §5.7). */
bool ns_patterns_disagree(struct ns_check *check, const struct ns_pattern *const *patterns, uint32_t count);
/** Whether two of them are tuples of different arity, or nested differently. */
bool ns_tuples_disagree(struct ns_check *check, const struct ns_pattern *const *patterns, uint32_t count);

/* ---- infer_bind.c ---- */

void ns_infer_bind(struct ns_check *check, struct ns_expr *expr);
void ns_infer_assign_field(struct ns_check *check, struct ns_expr *expr);

/* ---- infer_function.c ---- */

struct ns_term *ns_infer_lambda(struct ns_check *check, const struct ns_function *function, struct ns_term *expected);
/** One clause of a function whose type (so far) is `function`; `space` is where it stands. */
void ns_infer_clause(struct ns_check *check, const struct ns_function *clause, struct ns_term *function,
                     struct ns_typed_body *body);
void ns_infer_local_function(struct ns_check *check, const struct ns_function *function);
/** Whether there is a direct call of throw or panic in a body (02 §5.9). */
bool ns_throws_directly(const struct ns_expr *body);

/* ---- satisfy.c ---- */

enum ns_answer { NS_NO, NS_YES, NS_MAYBE };

/** Whether a type implements a trait (`trait` NULL: a built-in one of that name). NS_MAYBE when what is not known
 *  decides; variables inside then get the demand `pass`, if that is not NULL. On NS_NO *ret_culprit is the part that
 *  fails. */
enum ns_answer ns_satisfies(struct ns_check *check, struct ns_term *term, const char *name,
                            const struct ns_trait_info *trait, const struct ns_demand *pass,
                            struct ns_term **ret_culprit);
/** What implements a method for that receiver; NULL when the program does not. `space` (NULL: any) sees it. */
struct ns_group *ns_trait_method(struct ns_check *check, struct ns_term *receiver, const char *method, uint32_t count,
                                 const struct ns_space *space);
/** The class of values of that type (vm/type.h), 0 if unknown. */
uint32_t ns_class_of_term(struct ns_term *term);

/* ---- ambiguous.c ---- */

/** Report a method call in a function whose receiver's type occurs in nothing but the result (02 §12.3). After the
 *  function's type is generalised. */
void ns_check_ambiguous(struct ns_check *check, const struct ns_term *function);

/* ---- exhaustive.c ---- */

/** Report what a match's arms leave out, if its scrutinee's type is one that 02 §9 checks. */
void ns_check_exhaustive(struct ns_check *check, const struct ns_expr *match, struct ns_term *scrutinee);

/* ---- complain.c: one problem, all its formulations (02 §11.4) ---- */

/** Whether reports about types are switched off: in a trial, or in a body that throws (02 §5.9). */
bool ns_is_muted(const struct ns_check *check);
/** `expected` A, found B at `where`; `because` (source NULL: none) is what imposed the expectation. */
void ns_complain_mismatch(struct ns_check *check, struct ns_span where, struct ns_term *expected, struct ns_term *found,
                          struct ns_span because, const char *why);
/** Add the words for a mismatch to the diagnostic that is open. */
void ns_note_mismatch(struct ns_check *check, struct ns_term *expected, struct ns_term *found);
void ns_complain_argument(struct ns_check *check, struct ns_span where, unsigned position, const char *function,
                          struct ns_term *expected, struct ns_term *found, struct ns_span because);
void ns_complain_count(struct ns_check *check, struct ns_span where, const char *function, unsigned expected,
                       unsigned found); /* function NULL: a value */
/** `term` does not implement `trait`; `other` (may be NULL): the other operand or what would be expected. */
void ns_complain_trait(struct ns_check *check, struct ns_span where, struct ns_term *term, const char *trait,
                       struct ns_term *other);
/** `culprit` does not satisfy what was demanded: a trait, or what a native takes. */
void ns_complain_demand(struct ns_check *check, const struct ns_demand *demand, struct ns_term *culprit);
void ns_complain_method(struct ns_check *check, struct ns_span where, struct ns_term *receiver, const char *name);
void ns_complain_field(struct ns_check *check, struct ns_span where, struct ns_term *receiver, const char *name);
/** A value that has no elements is indexed, or one whose elements cannot be replaced is assigned to by an index. */
void ns_complain_indexed(struct ns_check *check, struct ns_span where, struct ns_term *object, bool is_assigned);
/** If what was found is an Option or a Result, hint how to come by what is in it. */
void ns_hint_container(struct ns_check *check, struct ns_term *found);
/** What ns_unify() has just said of two types, in the words that fit. */
void ns_complain_clash(struct ns_check *check, struct ns_span where, struct ns_term *expected, struct ns_term *found,
                       struct ns_span because, const char *why);

/* ---- type_argument.c ---- */

/** Whether a call of that meaning lacks type arguments which the function wants to know when it runs. */
bool ns_leaves_out_types(struct ns_check *check, const struct ns_expr *call, struct ns_meaning meaning);
/** They are to be what these terms, one for each type parameter, have become in the end. */
void ns_note_left_out(struct ns_check *check, struct ns_expr *call, struct ns_term **terms, uint32_t count);
/** Write all that were noted and are known now into the tree. */
void ns_fill_in_left_out(struct ns_check *check);

#endif
