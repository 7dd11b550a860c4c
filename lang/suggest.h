/*
 * suggest.h - hints for names that mean nothing: each adds "did you mean" to the diagnostic that was just reported, or
 * what else helps. Nothing happens when ns_reported() says that none was. Private to lang/.
 */
#ifndef LANG_SUGGEST_H
#define LANG_SUGGEST_H

#include "lang/unit.h"

/** Whether a name in scope is nearly this one. */
bool ns_has_suggestion(struct ns_unit *unit, struct ns_space *space, const char *name);
/** A variable or function: locals, what the module defines and imports, the prelude and built-in functions. */
void ns_suggest_value(struct ns_unit *unit, struct ns_space *space, const struct ns_name *name);
/** A type in an annotation. */
void ns_suggest_type(struct ns_unit *unit, struct ns_space *space, const struct ns_name *name);
/** A constructor in an expression or a pattern, or the type of an implementation. */
void ns_suggest_constructor(struct ns_unit *unit, const struct ns_name *name);
void ns_suggest_trait(struct ns_unit *unit, const struct ns_name *name);
/** A module in `use`, by its path. */
void ns_suggest_module(struct ns_unit *unit, const struct ns_name *path);
/** A public name of a module, or (module NULL) of a namespace of natives. */
void ns_suggest_member(struct ns_unit *unit, const struct ns_space *module, const char *path,
                       const struct ns_name *name);
/** One of a list of names, some of which may be NULL: parameters, fields. */
void ns_suggest_among(struct ns_unit *unit, const char *const *names, uint32_t count, const struct ns_name *name);
/** A field of a constructor. */
void ns_suggest_field(struct ns_unit *unit, const struct ns_constructor_info *constructor, const struct ns_name *name);

/* ---- suggest_method.c ---- */

struct ns_check;
struct ns_term;

/** A method that a known type does not have. */
void ns_suggest_method(struct ns_check *check, struct ns_term *receiver, const char *name, struct ns_span where);
/** A field that a known type does not have. */
void ns_suggest_field_of(struct ns_check *check, struct ns_term *receiver, const char *name, struct ns_span where);

#endif
