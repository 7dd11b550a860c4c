/*
 * session_value.h - the values a session keeps from one input to the next.
 *
 * They are kept outside of all processes, shared as the contents of mvars are, and programs reach them by number: a
 * name that was bound at the prompt is in each later program a module's binding to Session.value(n).
 */
#ifndef CLI_SESSION_VALUE_H
#define CLI_SESSION_VALUE_H

#include <stddef.h>

#include "vm/object.h"

enum { SESSION_VALUES_MAX = 1 << 16 };

/** Register Session.value, which only programs of a session have. Once at start, after lib_register(). */
void session_value_register(void);

/** Keep a value under a new number. Threads: one at a time, the one that owns the value.
 *
 * Returns the number, -EINVAL for what cannot be shared (a string buffer), -ENOMEM, or -ENOSPC: there are too many. */
int session_value_keep(vm_value value);

/** Give all back. No process of the session may be left. */
void session_value_done(void);

#endif
