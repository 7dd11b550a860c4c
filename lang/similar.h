/*
 * similar.h - "did you mean": which of the names that there are is nearly the one that was written.
 *
 * One measure and one wording for names of all kinds; suggest.c knows which names come into question where.
 */
#ifndef LANG_SIMILAR_H
#define LANG_SIMILAR_H

#include <stdbool.h>

#include "lang/diag.h"

enum { NS_SIMILAR_MAX = 3 };

/** The best candidates so far, the nearest first. Begin with { .wanted = name }. */
struct ns_similar {
    const char *wanted;
    const char *names[NS_SIMILAR_MAX]; /* the candidates' own texts */
    unsigned distances[NS_SIMILAR_MAX];
    unsigned count;
};

/** Take a name into account. It must outlive the struct. */
void ns_similar_add(struct ns_similar *similar, const char *candidate);

/** Hint at the candidates in the diagnostic that is open; what stands at `span` (source NULL: nothing) can be replaced
 *  by the nearest. False when there is none: then nothing is said. */
bool ns_similar_hint(const struct ns_similar *similar, struct ns_diag *diag, struct ns_span span);

#endif
