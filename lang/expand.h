/*
 * expand.h - templates: syntax trees in, syntax trees out, before anything is declared.
 */
#ifndef LANG_EXPAND_H
#define LANG_EXPAND_H

#include "lang/diag.h"
#include "lang/module.h"
#include "lang/parse.h"

/** The modules of a program in path order, none of them of the library. */
struct ns_own_modules { struct ns_module *const *items; size_t count; };

/**
 * Apply all decorators and replace all calls of templates (06 A.10): type decorators of all modules in the order of
 * the source, then function decorators, then calls. What templates generate is added to the items of the module.
 *
 * arena       holds what is made
 * references  receives names that generated code mentions
 *
 * Errors go to diag. What programs can ask for is bounded in size, depth and time.
 */
void ns_expand_templates(struct nb_arena *arena, struct ns_own_modules modules, struct ns_diag *diag,
                         const struct ns_references *references);

#endif
