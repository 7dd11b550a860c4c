/*
 * lower_call.h - what calls of all forms share: lower_call.c, lower_arguments.c, lower_method.c, lower_construct.c.
 */
#ifndef LANG_LOWER_CALL_H
#define LANG_LOWER_CALL_H

#include "lang/lower.h"

/** A call as it is worked on: what was written, and what is passed in which register. */
struct ns_call {
    struct ns_span span;
    const char *name;                    /* for messages */
    const struct ns_argument *written;
    uint32_t count;
    struct ns_type_list type_arguments;
    unsigned *registers;
};

/** What the callee of a named call says of its parameters. */
struct ns_parameters {
    const char *const *names;               /* NULL where a parameter has none */
    const struct ns_expr *const *defaults;  /* NULL: none has one */
    uint32_t arity, required;
    const struct ns_group *group;           /* NULL: a native */
};

/* ---- lower_arguments.c ---- */

bool ns_call_has_names(const struct ns_call *call);
/** Whether the call has no more arguments than an instruction takes; reports it otherwise. */
bool ns_call_check_count(struct ns_frame *frame, const struct ns_call *call);
/** Room for one register or expression per argument; in the arena, as calls nest deeply. */
unsigned *ns_call_registers(struct ns_frame *frame, uint32_t count);
struct ns_expr **ns_call_items(struct ns_frame *frame, uint32_t count);
/** Evaluate expressions in order, NULL for absent ones; the registers they are in. */
unsigned *ns_evaluate_arguments(struct ns_frame *frame, struct ns_expr *const *items, uint32_t count);
/** The same for arguments as they were written, `count` with those left out at the end: into call->registers. */
void ns_evaluate_positional(struct ns_frame *frame, struct ns_call *call, uint32_t count);
/** Evaluate what was written so that errors inside are reported, too. */
void ns_evaluate_for_errors(struct ns_frame *frame, const struct ns_call *call);
/** The error of a call with too few or too many arguments. `group`: what is called, or NULL. */
void ns_report_count(struct ns_frame *frame, const struct ns_call *call, unsigned expected,
                     const struct ns_group *group);
/** The same of what has no parameters to show: values, constructors. */
void ns_report_wrong_number(struct ns_frame *frame, const struct ns_call *call, unsigned expected);
struct ns_parameters ns_parameters_of(const struct ns_group *group);
/** Which parameter has the (interned) name; -1: none. */
int ns_parameter_position(struct ns_parameters parameters, const char *name);
/** Put arguments in their parameters' places (01 §12.1): ret_items has room for each, NULL where a default stands in.
 *  False when that was an error, which is reported. */
bool ns_place_arguments(struct ns_frame *frame, const struct ns_call *call, struct ns_parameters parameters,
                        struct ns_expr **ret_items);
/** The arguments with one more in front. */
struct ns_argument_list ns_with_argument(struct ns_frame *frame, struct ns_expr *first,
                                         const struct ns_argument_list *rest);

/* ---- lower_call.c ---- */

/** Whether a call may replace this frame; then the way for it has been cleared. */
bool ns_make_way(struct ns_frame *frame, struct ns_target target);
void ns_call_natives(struct ns_frame *frame, struct ns_call *call, const char *full_name, struct ns_target target);
/** A local function or lambda whose parameters are known. */
void ns_call_known_local(struct ns_frame *frame, struct ns_call *call, struct ns_local *local,
                         struct ns_target target);
/** A call of what a name means; `callee`: the name, as an expression. */
void ns_call_meant(struct ns_frame *frame, struct ns_call *call, struct ns_meaning meaning,
                     const struct ns_expr *callee, struct ns_target target);
/** The function behind a binding to a lambda that is called with as many arguments as it has parameters; NULL for
 *  others. */
struct ns_functions *ns_lambda_functions(struct ns_frame *frame, struct ns_meaning meaning, uint32_t count);
/** Whether f[T](…) of that native wants T as a text in front of its arguments; for others T says nothing at run
 *  time. */
bool ns_wants_type(const char *name);

/* ---- lower_method.c ---- */

/** A call that the first argument's class decides. `fallback`: what is meant when the class has no such method, VM_NONE
 *  for nothing; `as_function`: written m(x), the receiver's fields are not looked at. */
void ns_call_by_receiver(struct ns_frame *frame, struct ns_call *call, const char *name, vm_value fallback,
                         bool as_function, struct ns_target target);
/** The function, native or constant closure that a name in scope gives for so many arguments; VM_NONE when none.
 *  `passes_local`: local ones do not count. */
vm_value ns_method_fallback(struct ns_frame *frame, const char *name, uint32_t count,
                            const struct ns_type_list *type_arguments, bool passes_local);

#endif
