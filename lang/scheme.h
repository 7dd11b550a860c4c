/*
 * scheme.h - where types of names come from. A scheme is a term with quantified variables (term.h); to use it,
 * ns_instantiate() it. NULL always means: nothing is known, be silent.
 */
#ifndef LANG_SCHEME_H
#define LANG_SCHEME_H

#include "lang/term.h"

/* ---- annotations (annotation.c) ---- */

/** Type parameters in scope where an annotation is read: names to variables. Lower-case and single upper-case letters
 *  that name no type are added as they are met (02 §2.2). */
struct ns_type_scope {
    struct ns_space *space;
    struct ns_table variables;          /* name: struct ns_term */
    struct ns_term *self;               /* what Self is, or NULL */
    bool quantified;                    /* new variables are quantified: the result is a scheme at once */
    uint32_t aliases;                   /* how many are being expanded around this one */
};

/** Enter declared type parameters with their bounds, hiding types of these names. */
void ns_declare_type_parameters(struct ns_check *check, struct ns_type_scope *scope,
                                const struct ns_type_parameter_list *parameters);

/** The term of an annotation. Aliases are expanded; bare generics get NS_TERM_ANY; what is unknown is NS_TERM_ANY. */
struct ns_term *ns_term_of_type(struct ns_check *check, struct ns_type_scope *scope, const struct ns_type *type);

/* ---- natives and library functions (scheme_native.c) ---- */

/** Of the native of that full name ("length", "String.trim") with so many arguments; -1: the only one there is. */
struct ns_term *ns_scheme_of_native(struct ns_check *check, const char *full_name, int arity);

/** Of a function of a library module: what 02 §7 and the library's texts say of it, always a function term. */
struct ns_term *ns_scheme_of_library(struct ns_check *check, const struct ns_group *group);

/** Of the built-in method `name` of a receiver with that head (con NULL: of a function or a tuple, see `receiver`) with
 *  so many arguments besides it; the receiver is the first parameter. Option's and Result's short names are among
 *  them, and conversions of numbers. NULL: there is no such built-in method.
 *  `ret_known` says whether the table is complete for this head, so that "no method" may be reported. */
struct ns_term *ns_scheme_of_method(struct ns_check *check, struct ns_term *receiver, const char *name, uint32_t count,
                                    bool *ret_known);

/** The short names of methods of Option and Result, in no order, some twice; NULL behind the last. */
const char *ns_short_method(size_t index);

/** The namespace of a handle's natives: "Server". A handle is a number while the program runs, so that only its static
 *  type tells what its methods are. NULL for all other types; prunes. */
const char *ns_handle_namespace(struct ns_term *receiver);

/** Whether what a native demands of a parameter leaves a receiver out of question: length() means nothing for an
 *  Int. */
bool ns_excludes(struct ns_check *check, struct ns_term *parameter, struct ns_term *receiver);

/* ---- types of the program (scheme_data.c) ---- */

/** A constructor as a function (or a constant, without fields), and its fields: for one use, instantiated.
 *  *ret_result is the type built; returns `fields->count` terms. */
struct ns_term **ns_instantiate_constructor(struct ns_check *check, const struct ns_constructor_info *constructor,
                                            struct ns_term **ret_result);

/** The type of a field, by name or by position in decimal digits ("0"), of a known type; NULL: it has none of that
 *  name. *ret_open: the type may have any field (reactive types), no error then. */
struct ns_term *ns_field_of(struct ns_check *check, struct ns_term *receiver, const char *name, bool *ret_open);

#endif
