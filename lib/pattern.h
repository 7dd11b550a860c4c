/*
 * pattern.h - regular expressions: compiled once per thread, searched in slices, bounded in time and memory.
 *
 * PCRE2 backtracks, so an unlucky pattern can take steps without end. Three bounds see to it that none does: the steps
 * and the memory for one place where a match may begin (PCRE2's own limits), the time between two returns to the
 * scheduler (LIB_SEARCH_MORE), and the time for a whole search. Where backtracking strikes its bounds, all paths are
 * followed at once, which tells whether and where a match begins, if not which one.
 */
#ifndef LIB_PATTERN_H
#define LIB_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct lib_pattern; /* compiled; immutable; counted */

/**
 * The compiled form of a pattern (UTF-8): from the calling thread's cache, or compiled now.
 *
 * ret_wrong  receives what is wrong with the pattern, in words
 *
 * Returns NULL when there is something wrong. Ownership: a reference, given back by lib_pattern_unref(). Threads: any.
 */
struct lib_pattern *lib_pattern_get(const char *text, size_t length, struct nb_buf *ret_wrong);
struct lib_pattern *lib_pattern_unref(struct lib_pattern *pattern); /* NULL is fine. Returns NULL */

/** Groups, the whole match included. */
uint32_t lib_pattern_groups(const struct lib_pattern *pattern);
/** The number of the group with that name, or that number in decimal; -1 when there is none. */
int lib_pattern_group(const struct lib_pattern *pattern, const char *name, size_t length);

enum lib_search_result {
    LIB_SEARCH_FOUND,
    LIB_SEARCH_NONE,  /* no further match */
    LIB_SEARCH_MORE,  /* the slice is used up; call again */
    LIB_SEARCH_LIMIT, /* a bound was exceeded; search->error says which */
    LIB_SEARCH_NO_MEMORY
};

/** How a search goes about it: each way is slower than the one before, and gets through where that one did not. */
enum lib_search_way {
    LIB_SEARCH_FAST,  /* by machine code, where there is some */
    LIB_SEARCH_PLAIN, /* by PCRE2's interpreter, which has more memory */
    LIB_SEARCH_WIDE   /* all paths at once */
};

/** The search for one match after the other. */
struct lib_search {
    struct lib_pattern *pattern; /* the caller's reference */
    bool whether;                /* nobody will ask where a match ends, nor for its groups; set by the caller */
    size_t at;                   /* where the next match may begin */
    size_t last_end;             /* of the last match; SIZE_MAX: none yet */
    uint64_t used_ns;            /* by all calls so far */
    const size_t *found;         /* of each group, begin and end; LIB_SEARCH_ABSENT for one that took no part. Valid
                                  * until this thread's next search */
    int error;                   /* PCRE2's */
    enum lib_search_way way;
    size_t struck; /* WIDE only: where backtracking struck its bounds */
};
#define LIB_SEARCH_ABSENT SIZE_MAX

/** Begin a search, to be followed by any number of lib_search_next(). */
void lib_search_begin(struct lib_search *search, struct lib_pattern *pattern);

/**
 * Find the next match that does not overlap the last. An empty match directly behind the last is passed over.
 *
 * text      valid UTF-8; the same at every call (it may have moved)
 * slice_ns  after about how long to answer LIB_SEARCH_MORE
 *
 * Threads: any, also another one than before.
 */
enum lib_search_result lib_search_next(struct lib_search *search, const char *text, size_t length, uint64_t slice_ns);

/** What LIB_SEARCH_LIMIT means, for people. */
void lib_search_problem(const struct lib_search *search, struct nb_buf *out);

#endif
