/*
 * term.h - types as the checker thinks of them: terms, variables, what a variable is asked to be, schemes.
 *
 * An annotation as it was written is a struct ns_type (ast.h); a term is what it means. Terms are shared freely and
 * never change, but for variables: one that was bound stands for its `link`, so every reader goes through ns_prune()
 * first. T_DYN of the specification is NS_TERM_ANY: it fits everything and says nothing; the answer in every case of
 * doubt.
 *
 * Levels (after Didier Rémy): a variable belongs to the generalisable binding in which it was made; unification lowers
 * the level to that of the outermost term it meets; generalising turns what is deeper than the binding into quantified
 * variables (NS_LEVEL_QUANTIFIED), which instantiation copies, the demands on them included. A scheme therefore is
 * nothing but a term with quantified variables in it.
 *
 * What a variable is asked to be (a struct ns_demand) hangs on the variable: traits, fields, methods. When it meets a
 * variable the lists merge; when it meets something known the demands go to the checker's list of work, which is worked
 * off between expressions (infer.h), so that errors show where the demand comes from.
 *
 * Trials: between ns_trial_begin() and ns_trial_end() every change of a variable is noted and can be taken back.
 */
#ifndef LANG_TERM_H
#define LANG_TERM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"
#include "lang/unit.h"

struct ns_check;
struct ns_term;
struct ns_demand;

/* ---- type constructors ---- */

/** The built-in ones by number; a type of the program or the library has NS_CON_DEFINED. */
enum ns_con_number {
    NS_CON_INT, NS_CON_INT8, NS_CON_INT16, NS_CON_INT32, NS_CON_UINT8, NS_CON_UINT16, NS_CON_UINT32, NS_CON_UINT64,
    NS_CON_BIGINT, NS_CON_DECIMAL, NS_CON_FLOAT, NS_CON_FLOAT32, /* numbers up to here */
    NS_CON_BOOL, NS_CON_CHAR, NS_CON_STRING, NS_CON_UNIT, NS_CON_PID, NS_CON_REF,
    NS_CON_BUFFER, NS_CON_INT64_ARRAY, NS_CON_FLOAT64_ARRAY, NS_CON_FLOAT32_ARRAY, NS_CON_SERVER, NS_CON_WEB_SOCKET,
    NS_CON_LIST, NS_CON_ARRAY, NS_CON_SET, NS_CON_IO, /* one argument */
    NS_CON_MAP,                                       /* two */
    NS_CON_DEFINED,
    NS_CON_COUNT = NS_CON_DEFINED
};

struct ns_con {
    enum ns_con_number number;
    const char *name;                /* as messages print it: "Int", "Option", "Geo.Route" */
    uint32_t arity;                  /* type arguments */
    struct ns_type_info *info;       /* NS_CON_DEFINED: the declaration (never an alias), else NULL */
    uint32_t class_key;              /* vm/type.h; for looking up methods */
    const struct vm_constructor *record; /* NS_CON_DEFINED: of a type that natives make (then info is NULL), or NULL */
};

/* ---- terms ---- */

enum ns_term_kind {
    NS_TERM_VARIABLE,
    NS_TERM_DATA,     /* Int, List[T], Route: `data` */
    NS_TERM_FUNCTION, /* (A, B) -> R: `function` */
    NS_TERM_TUPLE,    /* (A, B): `tuple`, two at least; unit is NS_TERM_DATA of NS_CON_UNIT */
    NS_TERM_ANY,      /* fits everything */
    NS_TERM_NEVER     /* of what does not return; fits everything */
};

enum { NS_LEVEL_QUANTIFIED = INT32_MAX };

struct ns_term {
    enum ns_term_kind kind;
    uint32_t rank;                       /* of a variable: 2^rank variables at least stand for it */
    union {
        struct {
            struct ns_term *link;        /* NULL: not bound */
            struct ns_demand *demands;   /* newest first */
            int32_t level;
            uint32_t stamp;              /* of the instantiation that `copy` belongs to */
            struct ns_term *copy;
            const char *name;            /* of a type parameter, for messages; else NULL */
        } variable;
        struct { const struct ns_con *con; struct ns_term **arguments; } data; /* con->arity of them; a bare generic
                                                                                * has NS_TERM_ANY for each */
        struct {
            struct ns_term **parameters;
            struct ns_term *result;
            uint32_t count, required;    /* required: parameters without default */
        } function;
        struct { struct ns_term **items; uint32_t count; } tuple;
    };
};

/** The built-in or predeclared trait that a demand is about, or one of the program. */
struct ns_trait_name { const char *text; const struct ns_trait_info *info; }; /* info NULL for Eq, Ord, … */

enum ns_demand_kind {
    NS_DEMAND_TRAIT,  /* implements `trait` */
    NS_DEMAND_FIELD,  /* has a field `name` (or position: "0") of type `result` */
    NS_DEMAND_METHOD, /* a call .name(arguments) gives `result` */
    NS_DEMAND_CONCAT, /* String or a list */
};

struct ns_demand {
    enum ns_demand_kind kind;
    struct ns_demand *next;
    struct ns_term *subject;         /* the variable it was made for; prune to see what it became */
    const char *name;                /* trait's, field's or method's, interned */
    const struct ns_trait_info *trait; /* NS_DEMAND_TRAIT; NULL: Eq, Ord, Num, Show, Hash, Copy, Concat */
    struct ns_term *result;
    const struct ns_method_call *call; /* NS_DEMAND_METHOD: infer.h */
    struct ns_term **arguments;      /* NS_DEMAND_METHOD: types of the arguments, without the receiver */
    uint32_t count;
    struct ns_space *space;          /* where it was demanded: visibility, UFCS */
    struct ns_span where;            /* where errors show: of the expression, or of the use of the scheme */
    struct ns_span origin;           /* of the expression, if that is not `where`; else without a source */
    const char *of;                  /* who demands, for messages: "`+`", "`sort`", "`total`"; or NULL */
};

/* ---- making ---- */

struct ns_term *ns_variable(struct ns_check *check);                 /* fresh, of the current level */
struct ns_term *ns_quantified(struct ns_check *check, const char *name);  /* for schemes made by hand */
struct ns_term *ns_any(struct ns_check *check);
struct ns_term *ns_never(struct ns_check *check);
struct ns_term *ns_basic(struct ns_check *check, enum ns_con_number number); /* without arguments: Int, unit … */
struct ns_term *ns_data(struct ns_check *check, const struct ns_con *con, struct ns_term **arguments);
struct ns_term *ns_list_of(struct ns_check *check, struct ns_term *element);
struct ns_term *ns_map_of(struct ns_check *check, struct ns_term *key, struct ns_term *value);
struct ns_term *ns_set_of(struct ns_check *check, struct ns_term *element);
struct ns_term *ns_tuple_of(struct ns_check *check, struct ns_term **items, uint32_t count);
struct ns_term *ns_function_of(struct ns_check *check, struct ns_term **parameters, uint32_t count, uint32_t required,
                               struct ns_term *result);
/** Room for `count` terms. */
struct ns_term **ns_terms(struct ns_check *check, uint32_t count);

const struct ns_con *ns_con(struct ns_check *check, enum ns_con_number number);
/** The constructor of a declared type, made when first asked for. Not for aliases. */
const struct ns_con *ns_con_of(struct ns_check *check, struct ns_type_info *info);
/** The term of a record type that natives make, by name (vm_native_record()); NULL when there is none. */
struct ns_term *ns_record_of_natives(struct ns_check *check, const char *name);
/** Option or Result of the library, NULL if it is not loaded. */
const struct ns_con *ns_option_con(struct ns_check *check);
const struct ns_con *ns_result_con(struct ns_check *check);

/* ---- looking ---- */

/** What a term stands for: the end of its links. */
struct ns_term *ns_prune(struct ns_term *term);
bool ns_is_basic(struct ns_term *term, enum ns_con_number number);   /* prunes */
bool ns_is_number(struct ns_term *term);                             /* a built-in number type; prunes */
/** Its constructor if it is NS_TERM_DATA, else NULL; prunes. */
const struct ns_con *ns_con_of_term(struct ns_term *term);
/** Whether there is no variable and no NS_TERM_ANY in it (looking at a bounded part; false when larger). */
bool ns_is_known(struct ns_term *term);
bool ns_is_unknown(const struct ns_term *term);                     /* nothing is known of a pruned term */

/** Print as 02 §2.5 says. The variables of one message are named in order: pass the same names for all its types. */
struct ns_variable_names { NB_VEC(struct ns_term *) variables; };
void ns_print_term(struct nb_buf *out, struct ns_term *term, struct ns_variable_names *names);
/** In the checker's arena; a, b, c … named anew for each call. */
const char *ns_term_text(struct ns_check *check, struct ns_term *term);
/** Head only, as messages about fields and methods have it: "List", "Function", "()", "(Int, Int)", "Route". */
const char *ns_head_text(struct ns_check *check, struct ns_term *term);

/* ---- unification (unify.c) ---- */

enum ns_unified {
    NS_UNIFIED,
    NS_MISMATCH,      /* two known things that do not fit */
    NS_WRONG_COUNT,   /* functions with other numbers of parameters */
    NS_INFINITE       /* a type that would contain itself */
};

/** Why the last ns_unify() failed: the innermost pair. */
struct ns_clash { enum ns_unified how; struct ns_term *expected, *found; };

/**
 * Make two types one. Special cases of 02 §5.8 are in here: Never, Pid and (), typed arrays and lists, bare generics,
 * lambdas over tuples. Demands of variables that became known go to the list of work. What is too deep or too large to
 * look at is taken to fit. On failure variables bound on the way stay bound, unless a trial takes them back.
 */
enum ns_unified ns_unify(struct ns_check *check, struct ns_term *expected, struct ns_term *found);

/** A trial: `ns_trial_end(…, false)` takes everything back that was unified since. Trials nest. */
struct ns_trial { size_t changes, work; };
struct ns_trial ns_trial_begin(struct ns_check *check);
void ns_trial_end(struct ns_check *check, struct ns_trial trial, bool keep);
/** Whether they would unify; nothing stays. */
bool ns_would_unify(struct ns_check *check, struct ns_term *expected, struct ns_term *found);

/* ---- generalisation (unify.c) ---- */

void ns_level_enter(struct ns_check *check);
void ns_level_leave(struct ns_check *check);
/** Bring the variables of a term up to the current level: they belong to the scope around. */
void ns_lower_level(struct ns_check *check, struct ns_term *term);
/** Quantify over what is deeper than the current level. The term itself becomes the scheme; if it is too large to be
 *  looked at whole, the result is NS_TERM_ANY instead. */
struct ns_term *ns_generalise(struct ns_check *check, struct ns_term *term);
/** A copy with fresh variables; demands are copied and show errors at `where`, as demanded by `of` (may be NULL). */
struct ns_term *ns_instantiate(struct ns_check *check, struct ns_term *scheme, struct ns_span where, const char *of);

/* ---- demands ---- */

/** Demand something of a type: hangs on it if it is a variable, goes to the list of work if it is known. */
void ns_demand(struct ns_check *check, struct ns_demand *demand);
void ns_demand_trait(struct ns_check *check, struct ns_term *subject, const char *trait,
                     const struct ns_trait_info *info, struct ns_span where, const char *of);

#endif
