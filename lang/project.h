/*
 * project.h - nostos.toml: the name of a project and its entry points.
 *
 * Only what the compiler needs is understood; everything else a TOML file may hold is passed over.
 */
#ifndef LANG_PROJECT_H
#define LANG_PROJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nb_arena;
struct ns_diag;

/** A named entry point: [[bin]]. */
struct ns_bin {
    const char *name;
    const char *entry; /* "module.function" */
    bool is_default;
};

struct ns_project {
    const char *name;  /* [project] name, or NULL */
    struct ns_bin *bins;
    uint32_t bin_count;
};

/**
 * Read the text of a nostos.toml.
 *
 * arena        holds what is returned
 * ret_project  receives the project; untouched on failure
 *
 * Returns NULL, or what is wrong ("line 3: …"; in the arena).
 */
const char *ns_project_parse(struct nb_arena *arena, const char *text, size_t length, struct ns_project *ret_project);

/** Find the nostos.toml of a folder, in it or above it, and read it. Without one, or with one that cannot be read
 *  (which is a warning), the project is empty. */
struct ns_project ns_project_find(struct nb_arena *arena, const char *folder, struct ns_diag *diag);

#endif
