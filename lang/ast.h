/*
 * ast.h - the syntax tree of a source text: what the parser makes and all that follows reads.
 *
 * One tree for the whole grammar. It says what was written, not what it means: a name on the left of `=` is a
 * NS_EXPR_BIND with a name pattern whether it turns out to bind, to assign a `var` or to write an mvar; the clauses
 * of a function are separate items in source order; `M.f(x)` is a method call whose receiver is the constructor-like
 * name `M`. What needs scopes is decided later.
 *
 * Statements are expressions: bindings, assignments and local functions are kinds of ns_expr that occur as elements of
 * blocks, as bodies of arms, and as branches of an `if` that itself stands where a statement may (never elsewhere).
 *
 * Every node carries the place it was read from. Nodes and lists live in the arena of their program source and are
 * never freed one by one; names are interned (equal names are equal pointers); absent parts are NULL. Nesting is
 * bounded by NS_NESTING_MAX, so walking a tree by recursion is safe. The tree may be changed in place by the passes
 * that own it.
 */
#ifndef LANG_AST_H
#define LANG_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lang/diag.h"

/** How deep nodes may nest (expressions, patterns, types, modules together); the parser rejects deeper texts. Chains
 *  of one left-associative operator and of postfix forms (`a + b + c`, `x.f().g()`) count for each link. */
enum { NS_NESTING_MAX = 1000, NS_PARAMETERS_MAX = 255, NS_METHODS_MAX = 4000 };

struct ns_expr;
struct ns_term;
struct ns_pattern;
struct ns_type;
struct ns_item;
struct ns_function;

/* Lists: arrays in the arena. */
struct ns_expr_list { struct ns_expr **items; uint32_t count; };
struct ns_pattern_list { struct ns_pattern **items; uint32_t count; };
struct ns_type_list { struct ns_type **items; uint32_t count; };
struct ns_item_list { struct ns_item **items; uint32_t count; };

/** A name where it stands. */
struct ns_name { const char *text; struct ns_span span; };
struct ns_name_list { struct ns_name *items; uint32_t count; };

/* ---- literals --------------------------------------------------------------------------------------------- */

enum ns_literal_kind {
    NS_LITERAL_UNIT,    /* () */
    NS_LITERAL_BOOL,    /* true: `boolean` */
    NS_LITERAL_INT,     /* 42, 0xFF, 0b1: `integer` */
    NS_LITERAL_INT8,    /* the sized ones: `integer` holds the value, a minus sign included (-128i8) … */
    NS_LITERAL_INT16,
    NS_LITERAL_INT32,
    NS_LITERAL_UINT8,
    NS_LITERAL_UINT16,
    NS_LITERAL_UINT32,
    NS_LITERAL_UINT64,  /* … and here its 64 bits, to be read as uint64_t */
    NS_LITERAL_BIGINT,  /* 9n: `text` is the decimal digits without underscores, a '-' in front if a pattern says so */
    NS_LITERAL_DECIMAL, /* 2.50d: `text` as for BigInt, with an optional '.' */
    NS_LITERAL_FLOAT,   /* 2.5: `real` */
    NS_LITERAL_FLOAT32, /* 2.5f32: `real`, already rounded to 32 bits */
    NS_LITERAL_CHAR,    /* 'c': `character`, a code point */
    NS_LITERAL_STRING,  /* "text": `text`/`length`, escapes replaced; may hold NUL bytes; a NUL follows. A string with
                         * `${…}` parts is NS_EXPR_INTERPOLATION. */
};

struct ns_literal {
    enum ns_literal_kind kind;
    uint32_t length; /* of text, in bytes */
    union {
        bool boolean;
        int64_t integer;
        double real;
        uint32_t character;
        const char *text;
    };
};

/* ---- types ------------------------------------------------------------------------------------------------ */

enum ns_type_kind {
    NS_TYPE_NAMED,    /* Int, List[T], M.Pt, [T] (as List with `brackets`): named */
    NS_TYPE_VARIABLE, /* a lower-case name: `variable` */
    NS_TYPE_UNIT,     /* () */
    NS_TYPE_TUPLE,    /* (A, B), two at least: `items` */
    NS_TYPE_FUNCTION, /* A -> R, (A, B) -> R, () -> R: function */
    NS_TYPE_RECORD,   /* {f: A, g: B}: `fields` */
};

/** A field of a record type, of a variant's constructor or of an anonymous record type. */
struct ns_field {
    struct ns_name name;
    struct ns_type *type;
    bool is_private; /* `private` was written; not enforced */
};
struct ns_field_list { struct ns_field *items; uint32_t count; };

struct ns_type {
    enum ns_type_kind kind;
    struct ns_span span;
    union {
        struct {
            const char *name;      /* as written, with dots: "M.Pt" */
            struct ns_type_list arguments;
            bool brackets;         /* written [T] */
        } named;
        const char *variable;
        struct ns_type_list items;
        struct { struct ns_type_list parameters; struct ns_type *result; } function;
        struct ns_field_list fields;
    };
};

/** A type parameter with its bounds: T, T: Show + Hash. Also a condition of an implementation: when t: Show. */
struct ns_type_parameter { struct ns_name name; struct ns_name_list bounds; };
struct ns_type_parameter_list { struct ns_type_parameter *items; uint32_t count; };

/* ---- patterns --------------------------------------------------------------------------------------------- */

enum ns_pattern_kind {
    NS_PATTERN_WILDCARD,    /* _ */
    NS_PATTERN_NAME,        /* x (binds, compares or assigns): `name` */
    NS_PATTERN_LITERAL,     /* 42, -1, "s", (), true: `literal`; never an interpolation */
    NS_PATTERN_RANGE,       /* 1..10, 1..=9: range */
    NS_PATTERN_TUPLE,       /* (p, q), two at least: `items` */
    NS_PATTERN_LIST,        /* [], [p, q], [p, q | rest]: list */
    NS_PATTERN_CONSTRUCTOR, /* Ctor, Ctor(p, q), Ctor(f: p), Ctor{f: p, g}: constructor */
    NS_PATTERN_RECORD,      /* {f: p, g, _}: constructor with name NULL */
    NS_PATTERN_MAP,         /* %{k: p}: `map` */
    NS_PATTERN_SET,         /* #{e, …}: `items`; which elements are legal is checked later */
    NS_PATTERN_PIN,         /* ^x: `name` */
    NS_PATTERN_OR,          /* p | q, two at least: `items` */
};

/** f: p. `g` alone gives name g and the name pattern g. */
struct ns_field_pattern { struct ns_name name; struct ns_pattern *pattern; };
struct ns_field_pattern_list { struct ns_field_pattern *items; uint32_t count; };

/** k: p of a map pattern. The key is a NS_PATTERN_LITERAL or a NS_PATTERN_PIN. */
struct ns_map_pattern_entry { struct ns_pattern *key, *value; };
struct ns_map_pattern_list { struct ns_map_pattern_entry *items; uint32_t count; };

struct ns_pattern {
    enum ns_pattern_kind kind;
    bool parenthesised;
    struct ns_span span;
    struct ns_term *term; /* of a name: its type, once checked; NULL before */
    union {
        const char *name;
        struct ns_literal literal;
        struct { int64_t from, to; bool inclusive; } range; /* `inclusive`: ..= */
        struct ns_pattern_list items;
        struct { struct ns_pattern_list items; struct ns_pattern *rest; } list;
        struct {
            const char *name;
            struct ns_pattern_list items;         /* positional … */
            struct ns_field_pattern_list fields;  /* … or by name: never both */
            bool braces;                          /* {…} was written */
            bool open;                            /* `_` among the fields */
        } constructor;
        struct ns_map_pattern_list map;
    };
};

/* ---- expressions ------------------------------------------------------------------------------------------ */

enum ns_operator {
    NS_OPERATOR_POWER,         /* ** */
    NS_OPERATOR_MULTIPLY,      /* *  */
    NS_OPERATOR_DIVIDE,        /* /  */
    NS_OPERATOR_REMAINDER,     /* %  */
    NS_OPERATOR_ADD,           /* +  */
    NS_OPERATOR_SUBTRACT,      /* -  */
    NS_OPERATOR_CONS,          /* :: */
    NS_OPERATOR_CONCAT,        /* ++ */
    NS_OPERATOR_EQUAL,         /* == */
    NS_OPERATOR_NOT_EQUAL,     /* != */
    NS_OPERATOR_LESS,          /* <  */
    NS_OPERATOR_GREATER,       /* >  */
    NS_OPERATOR_LESS_EQUAL,    /* <= */
    NS_OPERATOR_GREATER_EQUAL, /* >= */
    NS_OPERATOR_AND,           /* && */
    NS_OPERATOR_OR,            /* || */
    NS_OPERATOR_NEGATE,        /* prefix - */
    NS_OPERATOR_NOT,           /* prefix ! and not */
};

/** The text of an operator: "**", "not" is "!". */
const char *ns_operator_text(enum ns_operator op);

enum ns_expr_kind {
    /* values */
    NS_EXPR_LITERAL,        /* `literal` */
    NS_EXPR_INTERPOLATION,  /* "a${e}b": `parts` */
    NS_EXPR_NAME,           /* a lower-case name (or self, panic, to, from), used as value or callee: `name` */
    NS_EXPR_UPPER,          /* an upper-case name without arguments: constructor, constant, type or module: `name` */
    NS_EXPR_WILDCARD,       /* `_` where a value should be: legal only to the grammar */
    NS_EXPR_LIST,           /* [a, b | tail]: list */
    NS_EXPR_RANGE_LIST,     /* [a..b], [a..=b], both ends inclusive: range */
    NS_EXPR_TUPLE,          /* (a, b), two at least: `items` */
    NS_EXPR_MAP,            /* %{k: v}: `map` */
    NS_EXPR_SET,            /* #{a, b}: `items` */
    NS_EXPR_LAMBDA,         /* (a, b) -> T => e: `function`, its name NULL */
    /* operations */
    NS_EXPR_UNARY,          /* -e, !e: unary */
    NS_EXPR_BINARY,         /* a + b, a && b, …: binary */
    NS_EXPR_PIPE,           /* a |> b: pair, left and right */
    NS_EXPR_SEND,           /* a <- b: pair, left and right */
    NS_EXPR_CALL,           /* f(args), f[T](args): call, receiver NULL; `callee` is no field access */
    NS_EXPR_METHOD_CALL,    /* e.m(args), e.m[T](args), M.f(args): call, receiver and name */
    NS_EXPR_CONSTRUCT,      /* Ctor(args), Ctor[T](args), M.Ctor(args): call, receiver (qualifier) or NULL, name */
    NS_EXPR_FIELD,          /* e.f, M.f, M.Ctor: field */
    NS_EXPR_TUPLE_FIELD,    /* e.0: tuple_field */
    NS_EXPR_INDEX,          /* e[i]: index */
    NS_EXPR_QUESTION,       /* e?: `operand` */
    /* control */
    NS_EXPR_BLOCK,          /* { s; t }, do … end: block */
    NS_EXPR_IF,             /* if c then a else b: conditional */
    NS_EXPR_MATCH,          /* match e { arms }: match */
    NS_EXPR_TRY,            /* try e catch { arms } finally f: try_ */
    NS_EXPR_WHILE,          /* while c body: while_ */
    NS_EXPR_FOR,            /* for i = a to b body: for_ */
    NS_EXPR_BREAK,          /* break, break e: `operand` or NULL */
    NS_EXPR_CONTINUE,       /* continue */
    NS_EXPR_RETURN,         /* return, return e: `operand` or NULL */
    /* processes */
    NS_EXPR_SPAWN,          /* spawn { … }, spawn(e), spawn_link …, spawn_monitor …: spawn */
    NS_EXPR_RECEIVE,        /* receive { arms after ms -> e }: receive */
    /* templates */
    NS_EXPR_QUOTE,          /* quote(e), quote { … }: `operand` (a NS_EXPR_BLOCK for the second) */
    NS_EXPR_SPLICE,         /* ~e: `operand` */
    /* statements */
    NS_EXPR_BIND,           /* p = e, p: T = e, var p: T = e: bind */
    NS_EXPR_ASSIGN_FIELD,   /* e.f = v: assign_field */
    NS_EXPR_ASSIGN_INDEX,   /* e[i] = v: assign_index */
    NS_EXPR_LOCAL_FUNCTION, /* f(p, q: T = d) -> R = e in a block: `function` */
};

/** One piece of an interpolated string: text if `expr` is NULL, else the expression. Text pieces are never empty. */
struct ns_part { struct ns_expr *expr; const char *text; uint32_t length; };
struct ns_part_list { struct ns_part *items; uint32_t count; };

/** An argument of a call or construction: positional if name.text is NULL. */
struct ns_argument { struct ns_name name; struct ns_expr *value; };
struct ns_argument_list { struct ns_argument *items; uint32_t count; };

struct ns_map_entry { struct ns_expr *key, *value; };
struct ns_map_entry_list { struct ns_map_entry *items; uint32_t count; };

/** An arm of match, catch or receive: pattern [when guard] -> body. The body may be a statement. */
struct ns_arm { struct ns_pattern *pattern; struct ns_expr *guard; struct ns_expr *body; struct ns_span span; };
struct ns_arm_list { struct ns_arm *items; uint32_t count; };

enum ns_spawn_kind { NS_SPAWN_PLAIN, NS_SPAWN_LINK, NS_SPAWN_MONITOR };

struct ns_expr {
    enum ns_expr_kind kind;
    bool parenthesised; /* stands in parentheses of its own */
    struct ns_span span;
    struct ns_term *term; /* its type (term.h), once checked; NULL before */
    union {
        struct ns_literal literal;
        struct ns_part_list parts;
        const char *name;
        struct ns_expr_list items;
        struct { struct ns_expr_list items; struct ns_expr *tail; } list;
        struct { struct ns_expr *from, *to; } range;
        struct ns_map_entry_list map;
        struct ns_function *function;
        struct { enum ns_operator op; struct ns_expr *operand; } unary;
        struct { enum ns_operator op; struct ns_expr *left, *right; struct ns_span op_span; } binary;
        struct { struct ns_expr *left, *right, *call; } pair; /* call: of a pipe, once checked (pipe.h) */
        struct {
            struct ns_expr *callee;               /* NS_EXPR_CALL only */
            struct ns_expr *receiver;             /* method calls; qualifier of a construction */
            struct ns_name name;                  /* method or constructor */
            struct ns_type_list type_arguments;   /* f[T](…) */
            struct ns_argument_list arguments;
            bool passes_local;                    /* of a method, once checked: no local variable of its name is meant */
        } call;
        struct { struct ns_expr *object; struct ns_name name; } field;
        struct { struct ns_expr *object; uint32_t position; } tuple_field;
        struct { struct ns_expr *object; struct ns_expr_list indices; } index; /* one at least */
        struct ns_expr *operand;
        struct { struct ns_expr_list statements; bool do_end; } block;
        struct { struct ns_expr *condition, *then, *otherwise; } conditional;  /* otherwise: NULL without `else` */
        struct { struct ns_expr *scrutinee; struct ns_arm_list arms; } match;
        struct {
            struct ns_expr *body;
            struct ns_arm_list arms;
            bool has_catch;
            struct ns_expr *finally;
        } try_;
        struct { struct ns_expr *condition, *body; } while_;
        struct { struct ns_name variable; struct ns_expr *from, *to, *body; } for_;
        struct { enum ns_spawn_kind kind; bool block; struct ns_expr *body; } spawn; /* block: written with braces */
        struct { struct ns_arm_list arms; struct ns_expr *timeout, *after; } receive; /* both NULL without `after` */
        struct { struct ns_pattern *pattern; struct ns_type *type; struct ns_expr *value; bool is_var; } bind;
        struct { struct ns_expr *object; struct ns_name name; struct ns_expr *value; } assign_field;
        struct { struct ns_expr *object; struct ns_expr_list indices; struct ns_expr *value; } assign_index;
    };
};

/* ---- functions and items ---------------------------------------------------------------------------------- */

/** A parameter: pattern [: type] [= default]. */
struct ns_parameter { struct ns_pattern *pattern; struct ns_type *type; struct ns_expr *value; };
struct ns_parameter_list { struct ns_parameter *items; uint32_t count; };

/** What function clauses, templates, trait and implementation methods, local functions and lambdas have in common. */
struct ns_function {
    struct ns_name name;                      /* text NULL for a lambda; an operator's text for some trait methods */
    struct ns_type_parameter_list type_parameters;
    struct ns_parameter_list parameters;
    struct ns_expr *guard;
    struct ns_type *return_type;
    struct ns_expr *body;                     /* NULL: a trait method without default */
    struct ns_span span;                      /* from the name to the end of the body */
};
struct ns_function_list { struct ns_function **items; uint32_t count; };

/** @name or @name(args) in front of a function or type. */
struct ns_decorator { struct ns_name name; struct ns_expr_list arguments; struct ns_span span; };
struct ns_decorator_list { struct ns_decorator *items; uint32_t count; };

enum ns_type_definition_kind {
    NS_DEFINE_EMPTY,   /* type A */
    NS_DEFINE_RECORD,  /* type A = { … }: fields */
    NS_DEFINE_VARIANT, /* type A = B | C(Int), type A = A: constructors */
    NS_DEFINE_ALIAS,   /* type A = B, type A = (Int) -> Int: alias */
};

enum ns_payload { NS_PAYLOAD_NONE, NS_PAYLOAD_POSITIONAL, NS_PAYLOAD_NAMED };

/** A constructor of a variant type. Fields of a positional payload have no name (name.text NULL). */
struct ns_constructor { struct ns_name name; enum ns_payload payload; struct ns_field_list fields; };
struct ns_constructor_list { struct ns_constructor *items; uint32_t count; };

/** One imported name: x, y as z. `alias.text` is NULL without `as`. */
struct ns_use_item { struct ns_name name, alias; };
struct ns_use_item_list { struct ns_use_item *items; uint32_t count; };

enum ns_item_kind {
    NS_ITEM_FUNCTION,        /* f(p) when g -> T = e: `function`; clauses and overloads are items of their own */
    NS_ITEM_TEMPLATE,        /* template f(p) = e: `function` */
    NS_ITEM_TYPE,            /* type, var type, reactive: type */
    NS_ITEM_TRAIT,           /* trait T: S … end: trait */
    NS_ITEM_IMPLEMENTATION,  /* Type: Trait when … end: implementation */
    NS_ITEM_MVAR,            /* mvar x: T = e: value */
    NS_ITEM_CONST,           /* const X = e: value; `e` is any expression here, what is legal is checked later */
    NS_ITEM_BINDING,         /* p: T = e, var p = e: value */
    NS_ITEM_MODULE,          /* module M … end: module */
    NS_ITEM_USE,             /* use …: use */
    NS_ITEM_TEST,            /* test "…" = e: test */
    NS_ITEM_EXTERN_TYPE,     /* extern type T: extern_ */
    NS_ITEM_EXTERN_FUNCTION, /* extern f(a: T) -> U from "…": extern_ */
};

struct ns_item {
    enum ns_item_kind kind;
    bool is_public;
    struct ns_span span;                 /* without decorators and `pub` for functions: see function->span */
    struct ns_decorator_list decorators; /* functions and types only */
    union {
        struct ns_function *function;
        struct {
            struct ns_name name;
            struct ns_type_parameter_list parameters;
            enum ns_type_definition_kind kind;
            bool is_var;      /* var type */
            bool is_reactive; /* reactive */
            struct ns_field_list fields;
            struct ns_constructor_list constructors;
            struct ns_type *alias;
        } type;
        struct {
            struct ns_name name;
            struct ns_name_list supertraits;
            struct ns_function_list methods; /* patterns of all parameters are usually names; first is often self */
        } trait;
        struct {
            struct ns_type *type;
            struct ns_name trait;
            struct ns_type_parameter_list conditions;
            struct ns_function_list methods; /* clauses of one method are separate */
        } implementation;
        struct {
            struct ns_name name;         /* mvar, const; binding: of a simple name pattern, else text NULL */
            struct ns_pattern *pattern;  /* binding only */
            struct ns_type *type;
            struct ns_expr *value;
            bool is_var;
        } value;
        struct { struct ns_name name; struct ns_item_list items; } module;
        struct {
            /* use a.b.*: path a.b, all. use a.b.{x, y as z}: path a.b, items x y. use a.b.x as z: path a.b, one item x,
             * `single` (x may turn out to be a module: then the path is a.b.x and nothing is imported by name). */
            struct ns_name_list path;
            struct ns_use_item_list items;
            bool all;
            bool single;
        } use;
        struct { struct ns_literal name; struct ns_expr *body; } test;
        struct {
            struct ns_name name;
            struct ns_field_list parameters;
            struct ns_type *result;
            struct ns_literal library;
        } extern_;
    };
};

/** A comment (line or block) with its marks, for tools that print programs. */
struct ns_comment { struct ns_span span; };
struct ns_comment_list { struct ns_comment *items; uint32_t count; };

/** A parsed source file. */
struct ns_file {
    const struct ns_source *source;
    struct ns_item_list items;
    struct ns_comment_list comments;
};

#endif
