/*
 * session_names.h - the names that mean something in a session: natives, the library's and its own; what is known of
 * them, and which begin alike.
 */
#ifndef CLI_SESSION_NAMES_H
#define CLI_SESSION_NAMES_H

#include "cli/session_entries.h"

/** Print what is known of a name: of natives and of the library's definitions ("map", "stdlib.list.map"), of all in a
 *  namespace or module ("String", "stdlib.json"), of the session's definitions. False, and nothing printed: nothing. */
bool session_names_document(const struct session_entries *entries, const char *name);

/** Call `take` for each name, some of them more than once. The text ends after `length` bytes, not with a zero byte. */
void session_names_each(const struct session_entries *entries,
                        void (*take)(void *context, const char *name, size_t length), void *context);

#endif
