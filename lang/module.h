/*
 * module.h - from a path to parsed modules: the sources of one program.
 *
 * A program is one file (the root module, path "") or a folder: each .nos file below it is a module named after its
 * path (net/http.nos is net.http). The library's modules take part as far as they are needed: those of the prelude
 * always, others when some loaded module names them (`use stdlib.json.*`, stdlib.json.parse(x)) or uses a constructor
 * that only they define. Only reading and parsing happens here; what names mean is decided later.
 */
#ifndef LANG_MODULE_H
#define LANG_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lang/ast.h"
#include "lang/compile.h"
#include "lang/diag.h"
#include "lang/project.h"

struct nb_arena;

/** A module that is a file or a library text. Inline modules are items inside. */
struct ns_module {
    const char *path;   /* interned: "" (a single file), "main", "net.http", "stdlib.list" */
    bool library;
    bool prelude;       /* its public names are visible everywhere without `use` */
    const struct ns_source *source;
    struct ns_file *file;
};

/** All that was read for one program. */
struct ns_program_source {
    struct nb_arena *arena;      /* of the trees; freed with the program source */
    struct ns_module **modules;  /* library first (prelude in order of registration, then as reached), then the
                                  * program's own, in path order */
    uint32_t count;
    uint32_t library_count;      /* the first so many are library modules */
    bool directory;              /* a folder was given: there is no root module */
    const char *path;            /* what was given */
    struct ns_project project;   /* of nostos.toml; folders only */
    const struct ns_bin *bin;    /* the entry point chosen by options or default; NULL: main.main, or main in a file */
};

/**
 * Read and parse the program at `path` (a file or a folder) with the library modules it needs.
 *
 * options      `bin` and `need_main` are looked at: the choice of an entry point, the demand for a main.nos
 * diag         receives the errors; the texts read belong to it afterwards, so that it can show them
 * ret_program  receives the modules; untouched on failure; ns_program_source_free() frees them
 *
 * Returns 0, or -EINVAL when there were errors. Parse errors of the first file that has any end the loading.
 */
int ns_load(const char *path, const struct ns_options *options, struct ns_diag *diag,
            struct ns_program_source **ret_program);

/** The same for a text in memory as the root module; `file_name` is what messages call it. */
int ns_load_text(const char *file_name, const char *text, size_t length, const struct ns_options *options,
                 struct ns_diag *diag, struct ns_program_source **ret_program);

/** The same for a tree, as the body of a root module's main(). The tree must outlive the program source. */
int ns_load_expression(struct ns_expr *expr, struct ns_diag *diag, struct ns_program_source **ret_program);

/** Free the modules and their trees (not the texts); NULL is fine. Returns NULL. */
struct ns_program_source *ns_program_source_free(struct ns_program_source *program);

#endif
