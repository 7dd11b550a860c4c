/*
 * scope_form.h - `Html(e)` and `RHtml(e)`: expressions inside of which the names of elements mean those of a library
 * module, whatever is imported and whatever locals are called.
 */
#ifndef LANG_SCOPE_FORM_H
#define LANG_SCOPE_FORM_H

struct ns_unit;

/** The library module that a form of that name draws on ("stdlib.html" for "Html"), NULL when it is no form. */
const char *ns_scope_form_module(const char *name);
/** The form that calls a function of the library, for messages: "Html" of _asHtml; NULL: none does. */
const char *ns_scope_form_of(const char *function);

/**
 * Rewrite all forms of the unit's modules into calls of library functions, in place: inside, `div(x)` becomes
 * `stdlib.html.div(x)`. After ns_declare(), as a program's own constructor of that name makes `Html(e)` a construction.
 */
void ns_rewrite_scope_forms(struct ns_unit *unit);

#endif
