/*
 * session.h - a session of `nostos repl`: definitions that accumulate, inputs that run, values that stay.
 *
 * Each input is compiled as a program of its own together with the text of all definitions so far. What carries over
 * between these programs: values of names that were bound (session_value.h), mvars, and processes, which go on in the
 * group that all inputs run in. Input that does not compile changes nothing.
 *
 * Results go to standard output, errors to standard error. One session at a time, driven by one thread; only
 * session_interrupt() is for signal handlers.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

struct session_options {
    unsigned threads;          /* worker threads, 0: one per core */
    uint32_t depth;            /* nested calls of a process */
    uint64_t heap_words;       /* of a process, 0: no limit */
    bool types;                /* check static types */
};

/** Start the workers. Returns 0 or -errno. */
int session_new(const struct session_options *options, struct session **ret_session);
/** End all processes and give everything back. NULL is fine. Returns NULL. */
struct session *session_free(struct session *session);

/** Whether more lines are wanted before the text can be entered. */
bool session_is_unfinished(const char *text, size_t length);
/** Take definitions, or run statements and print what they give. False: there was an error, which was printed. */
bool session_enter(struct session *session, const char *text, size_t length);
/** Take all definitions of a file; those it gave before are forgotten. */
bool session_load(struct session *session, const char *path);
/** Print the type of an expression, without running it. */
bool session_type(struct session *session, const char *text);
/** Print documentation, see session_names.h. */
bool session_document(const struct session *session, const char *name);
/** Tell all names that mean something, some more than once; they do not end with a zero byte. */
void session_each_name(const struct session *session, void (*take)(void *context, const char *name, size_t length),
                       void *context);
/** Print what is defined. */
void session_browse(const struct session *session);
/** Forget everything and end what still runs. */
void session_reset(struct session *session);

/** End the evaluation that is under way. False: there is none. From a signal handler. */
bool session_interrupt(void);

#endif
