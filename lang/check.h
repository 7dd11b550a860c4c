/*
 * check.h - the static types of a program (02): the door to the checker, and how its parts fit together.
 *
 *     term.h          types, variables, demands, unification, schemes, printing
 *     check.c         the state; groups in order of their calls (Tarjan), one function after the other
 *     infer.h         what the infer_*.c files share: scopes, expected types, reports
 *     infer_*.c       expressions, calls, methods, operators, patterns, statements
 *     scheme.h        where a name's type comes from: natives and library functions (their texts), constructors,
 *                     annotations, built-in methods by receiver
 *     satisfy.c       which type implements which trait (02 §8.6 and the program's implementations)
 *     ambiguous.c     a method call whose receiver nothing can ever tell (02 §12.3)
 *     exhaustive.c    match arms that leave something out (02 §9)
 *     type_argument.c type arguments that calls leave out
 *
 * The checker runs after everything is declared and before code is made, over the modules of the program; functions of
 * the library have declared types and are not looked into. It is an error filter: it changes nothing of what runs (but
 * that type arguments are filled in), and where it is in doubt the answer is NS_TERM_ANY. Names it does not know are
 * left to the code maker to report.
 *
 * Each expression, and each name in a pattern, remembers its type (ns_expr.term), for editors (query.h) and for typed
 * code; read it through ns_prune(), as long as the unit lives.
 *
 * Reports: ns_complain_* (infer.h) put all formulations of one problem into one diagnostic (02 §11.4). All go through
 * ns_report(), so one place is reported once, and rank behind errors about names.
 */
#ifndef LANG_CHECK_H
#define LANG_CHECK_H

#include "lang/unit.h"

/** Check all functions, bindings, implementations and module variables of the program. Errors go to the unit's diag.
 *  Needs ns_declare() to have run. Everything it makes lives in the unit's arena. */
void ns_check(struct ns_unit *unit);

#endif
