/*
 * compile.h - the compiler's door: sources in, program or diagnostics out. The only header of lang/ for others (with
 * diag.h).
 */
#ifndef LANG_COMPILE_H
#define LANG_COMPILE_H

#include <stdbool.h>

#include "lang/diag.h"
#include "vm/program.h"

/** The text of a file as it is somewhere else. */
struct ns_text { const char *file, *text; size_t length; };

struct ns_options {
    bool check_only;           /* no code is needed */
    const char *bin;           /* entry point by name of nostos.toml, or NULL */
    const char *entry;         /* the function to begin in instead of main ("module.function"), or NULL */
    bool need_main;            /* absence of main() is an error */
    bool types;                /* check static types */
    bool no_typed_code;        /* use general instructions only */
    const char *epilogue;      /* compiled as if it stood at the end of the root file (main.nos of a folder); NULL none */
    /* For ns_compile_text(), from a prompt: */
    bool statements;           /* the text is statements, the body of a function NS_INPUT_FUNCTION (lang/input.h) */
    struct vm_mvar *const *mvars; /* of earlier programs that still live: used on where name and type agree, and not
                                   * initialised */
    size_t mvar_count;
    const struct ns_text *unsaved; /* texts that take the place of files: those open in an editor */
    size_t unsaved_count;
    struct nb_buf *entry_type; /* receives the type of what `entry` returns, nothing if it is not known; or NULL */
};

/**
 * Compile the program at `path`: a file, or a folder with main.nos (01 §18.2). The library (stdlib.*) is part of every
 * compilation: lib/ registers its sources with ns_library_add().
 *
 * diag          collects errors; must be empty
 * ret_program   receives the program, with one reference; untouched on failure
 *
 * Returns 0, or -EINVAL when there are errors in diag (unreadable files included). Threads: any, one compilation at a
 * time per diag.
 */
int ns_compile(const char *path, const struct ns_options *options, struct ns_diag *diag,
               struct vm_program **ret_program);

/** The same for one text in memory, as if it were a file of that name. */
int ns_compile_text(const char *file_name, const char *text, size_t length, const struct ns_options *options,
                    struct ns_diag *diag, struct vm_program **ret_program);

/** Add a library module ("stdlib.list"). `prelude`: auto-imported. Called at start; texts stay the caller's
 *  (static). */
void ns_library_add(const char *module, const char *text, size_t length, bool prelude);

#endif
