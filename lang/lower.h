/*
 * lower.h - from expressions to instructions: what the lower_*.c files and pattern.c share. Private to lang/.
 *
 * A frame is the body of one function, lambda, local function or spawn block while it is compiled. Locals live in
 * registers; a `var` that a closure inside may use lives in a cell. unit->symbols maps each name in scope to its
 * innermost local, of whatever frame; a local of an outer frame is captured on first use.
 */
#ifndef LANG_LOWER_H
#define LANG_LOWER_H

#include "lang/emit.h"
#include "lang/unit.h"

struct ns_frame;

struct ns_local {
    const char *name;
    struct ns_frame *frame;
    struct ns_local *hidden;  /* the local of that name outside */
    unsigned reg;
    bool is_var;
    bool is_cell;             /* the register holds a cell with the value */
    bool is_captured;         /* in a frame that was split off: belongs to the function around for 7.2 and 9.2 of 01 */
    bool pending;             /* a local function that is defined further down: closures may refer to it already */
    struct ns_functions *functions; /* a local function without captures: called directly; no register */
    bool is_lambda;           /* `functions` is one lambda: f = x => … */
    struct ns_group *group;   /* a local function with captures: names and defaults for calls */
    const char *const *others; /* … names of the locals that are it with other numbers of arguments, then NULL */
};

/** A captured value: `local` is of the frame outside, or what that one captured. */
struct ns_capture { struct ns_local *local; };

enum ns_context_kind { NS_CONTEXT_LOOP, NS_CONTEXT_TRY };

/** How a call in tail position inside a `try` leaves its handler behind (01 §14.2). */
struct ns_tail_try {
    struct vm_function *stub;        /* for a call whose value is the value of the try */
    struct vm_function *stub_const;  /* for one whose value is dropped before a literal, or NULL */
    unsigned *captured;              /* registers for `stub` */
    unsigned count;
};

/** What `return`, `break` and tail calls have to leave. */
struct ns_context {
    struct ns_context *outer;
    enum ns_context_kind kind;
    /* loops */
    ns_mark break_label, continue_label;
    struct ns_target *target;
    /* handlers */
    unsigned handler;
    ns_mark catch_label;
    const struct ns_expr *finally;   /* to run on the way out, or NULL */
    struct vm_mvar *locked;          /* to unlock on the way out, or NULL */
    struct ns_tail_try *tail;        /* a try in tail position whose body has tail calls */
};

struct ns_frame {
    struct ns_unit *unit;
    struct ns_frame *outer;          /* NULL: a function that captures nothing */
    struct ns_space *space;
    struct ns_group *group;          /* whose clauses are compiled; for names */
    struct ns_code code;
    struct vm_function *function;
    struct ns_context *context;
    struct ns_context *loops;        /* around the operand of a `return`, whose own context is NULL */
    unsigned closure;                /* register of the closure itself */
    NB_VEC(struct ns_local *) locals; /* in scope, innermost last */
    NB_VEC(struct ns_capture) captures;
    struct ns_table shared;          /* names that closures inside mention: such a `var` gets a cell */
    const struct ns_type_info *self_type;
    unsigned finally_depth;
    bool trusted;                    /* library source */
};

/** The value of an expression that is the same whenever it is computed: literals, and lists and tuples of such, which
 *  become immortal objects of the program. False for others. */
bool ns_constant_of(struct ns_unit *unit, const struct ns_expr *expr, vm_value *ret);

/* Where the value of an expression goes. */
enum ns_want {
    NS_WANT_VALUE,    /* into the register */
    NS_WANT_NOTHING,  /* only effects */
    NS_WANT_RETURN,   /* it is the value of the function: tail position */
    NS_WANT_DROP_TAIL /* only effects; what follows is the literal that the try around yields whatever happens */
};
struct ns_target { enum ns_want want; unsigned reg; };

static inline struct ns_target ns_into(unsigned reg) { return (struct ns_target){ NS_WANT_VALUE, reg }; }
static inline struct ns_target ns_nowhere(void) { return (struct ns_target){ NS_WANT_NOTHING, 0 }; }

/* ---- frame.c ---- */

/** Begin a frame of `function`. `body` (may be NULL) is looked at for names that closures share. */
void ns_frame_begin(struct ns_frame *frame, struct ns_unit *unit, struct ns_frame *outer, struct ns_space *space,
                    struct vm_function *function);
void ns_frame_share(struct ns_frame *frame, const struct ns_expr *body);
/** Finish the code and leave the frame's scope. */
void ns_frame_end(struct ns_frame *frame);

/** Open a scope; give the result to ns_scope_end(), which also gives back registers. */
struct ns_scope { size_t locals; unsigned registers; };
struct ns_scope ns_scope_begin(struct ns_frame *frame);
void ns_scope_end(struct ns_frame *frame, struct ns_scope scope);

/** A local of that name in that register, hiding outer ones until its scope ends. */
struct ns_local *ns_local_add(struct ns_frame *frame, const char *name, unsigned reg);
/** A new `var` whose value is in `reg` (a register of its own from now on): makes the cell if need be. */
struct ns_local *ns_local_add_var(struct ns_frame *frame, const char *name, unsigned reg);
/** The local a name means here, of this frame or one around; NULL when none. */
struct ns_local *ns_local_find(struct ns_frame *frame, const char *name);
/** Whether it counts as a local of this frame for rebinding and patterns. */
bool ns_local_is_own(const struct ns_frame *frame, const struct ns_local *local);
/** A register that holds the local's value; for a `var` it may be the variable itself. Else a temporary. */
unsigned ns_local_read(struct ns_frame *frame, struct ns_local *local);
/** The same into a register of choice. */
void ns_local_load(struct ns_frame *frame, struct ns_local *local, unsigned to);
/** The cell or value as it is stored, for closures and stubs. */
unsigned ns_local_raw(struct ns_frame *frame, struct ns_local *local);
void ns_local_write(struct ns_frame *frame, struct ns_local *local, unsigned from);

/* ---- lower.c ---- */

void ns_lower(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
/** The value in any register; a variable's own if that is safe until it is used. */
unsigned ns_operand(struct ns_frame *frame, const struct ns_expr *expr);
/** Several in order, each safe until all are evaluated. */
void ns_operands(struct ns_frame *frame, struct ns_expr *const *items, uint32_t count, unsigned *ret_registers);
/** The value in a fresh register. */
unsigned ns_temporary(struct ns_frame *frame, const struct ns_expr *expr);
/** A value that is in a register goes where it is wanted. */
void ns_deliver(struct ns_frame *frame, unsigned reg, struct ns_target target);
void ns_deliver_const(struct ns_frame *frame, vm_value value, struct ns_target target);
/** Where a value may be built that then is delivered: the target's register, or a temporary. */
unsigned ns_place(struct ns_frame *frame, struct ns_target target);
/** Instructions from here on belong to this place. */
void ns_mark_place(struct ns_frame *frame, struct ns_span span);

/* ---- lower_operator.c ---- */

void ns_lower_binary(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
void ns_lower_unary(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
/** Jump to `no` if the condition is false. */
void ns_condition(struct ns_frame *frame, const struct ns_expr *expr, ns_mark no);

/* ---- lower_collection.c ---- */

void ns_lower_list(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
void ns_lower_tuple(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
void ns_lower_map(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
void ns_lower_set(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
void ns_lower_range(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
void ns_lower_interpolation(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);

/* ---- lower_method.c, lower_construct.c ---- */

void ns_lower_method_call(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
void ns_lower_construct(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);

/* ---- lower_call.c ---- */

void ns_lower_call(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
void ns_lower_pipe(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
/** Call of a value in a register with arguments in registers. */
void ns_call_value(struct ns_frame *frame, unsigned callee, const unsigned *arguments, unsigned count,
                   struct ns_target target);
void ns_call_function(struct ns_frame *frame, const struct vm_function *function, const unsigned *arguments,
                      unsigned count, struct ns_target target);

/* ---- lower_name.c ---- */

void ns_lower_name(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
void ns_lower_upper(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
void ns_lower_field(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
/** The meaning as a value. */
void ns_lower_meaning(struct ns_frame *frame, struct ns_meaning meaning, const char *name, struct ns_span span,
                      struct ns_target target);
void ns_report_unknown(struct ns_frame *frame, const char *name, struct ns_span span);
/** A name in upper case that is no constructor; `name` has the place that a suggestion would replace, if any. */
void ns_report_unknown_constructor(struct ns_unit *unit, const struct ns_name *name, struct ns_span span);
/** If the expression is a path of names that denotes a module or a namespace of natives: its space (NULL for a mere
 * namespace) and path. */
bool ns_is_module(struct ns_frame *frame, const struct ns_expr *expr, struct ns_space **ret_space,
                  const char **ret_path);
/** Whether a path is a namespace of natives, or reserved for one. */
bool ns_is_namespace(struct ns_unit *unit, struct ns_space *space, const char *path);
/** The meaning of M.name; reports what forbids it. `module` NULL: a namespace of natives. */
struct ns_meaning ns_find_qualified(struct ns_frame *frame, struct ns_space *module, const char *path,
                                    const struct ns_name *name);
/** A constructor as a value; each use of a reactive variant's makes a cell. */
void ns_lower_constructor(struct ns_frame *frame, struct ns_constructor_info *constructor, struct ns_target target);
/** The function that stands for an overloaded name, for calls with `count` arguments or any (-1). NULL when no function
 * takes that many. */
struct vm_function *ns_choose(struct ns_unit *unit, struct ns_functions *functions, int count);
/** The same among those marked in `wanted`, one at least. */
struct vm_function *ns_choose_among(struct ns_unit *unit, struct ns_functions *functions, const bool *wanted);

/* ---- lower_bind.c ---- */

void ns_lower_bind(struct ns_frame *frame, const struct ns_expr *expr);
void ns_lower_assign_field(struct ns_frame *frame, const struct ns_expr *expr);
void ns_lower_assign_index(struct ns_frame *frame, const struct ns_expr *expr);
/** `name.update(f)`, atomically. */
void ns_lower_update(struct ns_frame *frame, struct ns_value *value, const struct ns_expr *function,
                     struct ns_target target);

/* ---- mvar_check.c ---- */

/** Compare-and-set and nested writes: what 05 §2.5 rejects. */
void ns_check_mvars(struct ns_unit *unit, const struct ns_group *group);

/* ---- lower_closure.c ---- */

void ns_lower_lambda(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
void ns_lower_spawn(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
/** Clauses of `group` as the whole body of the frame. */
void ns_lower_clauses(struct ns_frame *frame, struct ns_group *group);
/** Compile the clauses as a function of their own and make the value: a closure, a constant where nothing is captured.
 *  self: the local as which the body may call itself, or NULL. */
void ns_make_closure(struct ns_frame *frame, struct ns_group *group, const struct ns_local *self, unsigned to);

/* ---- lower_local.c ---- */

/** Before the statements of a block: which local functions there are and which of them need nothing from around. */
struct ns_hoist;
struct ns_hoist *ns_hoist(struct ns_frame *frame, const struct ns_expr_list *statements);
void ns_hoist_done(struct ns_hoist *hoist); /* when the block is lowered; NULL is fine */
/** A statement that defines a local function: true when it was one and has been dealt with. */
bool ns_lower_local(struct ns_frame *frame, struct ns_hoist *hoist, const struct ns_expr *statement);

/* ---- lower_try.c ---- */

void ns_lower_try(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
void ns_lower_return(struct ns_frame *frame, const struct ns_expr *expr);
void ns_lower_break(struct ns_frame *frame, const struct ns_expr *expr);
/** Return the value of a register from the function. */
void ns_return(struct ns_frame *frame, unsigned reg);
/** Whether a call may take the place of this frame now. */
bool ns_can_tail_call(const struct ns_frame *frame);
/** Before a tail call, when its operands are in registers: leave handler records behind. */
void ns_push_stubs(struct ns_frame *frame, bool dropped);

/* ---- pattern.c ---- */

/** One way to take: a row of patterns, a guard, and what to do. */
struct ns_way {
    const struct ns_pattern *const *patterns; /* one for each scrutinee; NULL: matches anything */
    const struct ns_expr *guard;
    void (*take)(struct ns_frame *frame, void *context, unsigned way); /* emit the body; the names are in scope */
    void *context;
};

/**
 * Compile a choice: the values in `scrutinees` against ways in order. Each way's body is emitted once; every body must
 * leave by itself (jump, return). What no way takes goes to the label `miss`.
 */
void ns_match(struct ns_frame *frame, const unsigned *scrutinees, unsigned count, const struct ns_way *ways,
              unsigned way_count, ns_mark miss);
/** Take a value apart; its names stay in the current scope. No match: a Panic. */
void ns_destructure(struct ns_frame *frame, const struct ns_pattern *pattern, unsigned scrutinee);
bool ns_is_name_pattern(const struct ns_pattern *pattern);

/* ---- lower_match.c ---- */

void ns_lower_match(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
void ns_lower_receive(struct ns_frame *frame, const struct ns_expr *expr, struct ns_target target);
/** Arms on a value in a register; `begin` is emitted in front of each body. */
void ns_arms(struct ns_frame *frame, const struct ns_arm_list *arms, unsigned scrutinee, struct ns_target target,
             ns_mark miss, ns_mark done, enum vm_op begin);

#endif
