/*
 * assert.h - invariants that stay on in production.
 *
 * nb_assert() is for what the code itself must guarantee; untrusted input never reaches one. A failure
 * prints what, where and which process was running, then aborts: going on with a broken invariant
 * could harm every app in the daemon.
 */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

/** Called by the macros below. Prints one line (with the context of nb_assert_context()) and aborts. */
_Noreturn void nb_assert_failed(const char *what, const char *file, int line);

/** Name what this thread is working on ("process 17 of app shop"), for the line above. The string
 *  is kept by reference; NULL clears it. Threads: per thread. */
void nb_assert_context(const char *what);

#define nb_assert(condition) \
    (__builtin_expect(!(condition), 0) ? nb_assert_failed(#condition, __FILE__, __LINE__) : (void)0)

#define nb_unreachable() nb_assert_failed("unreachable", __FILE__, __LINE__)

/** Every object that is handed around as a pointer starts with a magic; this checks it. */
#define nb_check_object(object, MAGIC) nb_assert((object) != NULL && (object)->magic == (MAGIC))

#endif
