/*
 * diag.h - diagnostics: what is wrong with a program text, where, and what to do.
 *
 *     Error: unknown variable `totl`
 *        --> shop.nos:4:9
 *      4 |     y = totl + 1
 *        |         ^^^^
 *        Help: did you mean `total`?
 *        Note: …
 *        Also: …; …
 *
 * Messages are never wrapped or coloured inside: people and programs search for them. The compiler collects and goes on
 * to the next error where that makes sense; after NS_DIAG_MAX errors it only counts. Not thread-safe.
 */
#ifndef LANG_DIAG_H
#define LANG_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/** A source text; lives as long as its diag. */
struct ns_source {
    const char *file;     /* as shown to people */
    const char *module;   /* "shapes", "net.http"; "" for a single file */
    const char *text;
    uint32_t length;
    bool library;         /* part of stdlib.* */
    const struct ns_template_use *expanded_by; /* NULL, or: the same text, for code that a template made out of it */
};

/** A part of a source: bytes [from, to). */
struct ns_span {
    const struct ns_source *source;
    uint32_t from, to;
};

/** Which template had a hand in code: errors in such code tell. */
struct ns_template_use {
    const char *name;
    struct ns_span template_at;     /* the template's name where it is defined */
    const struct ns_source *before; /* what the code belonged to before: the text, or again expanded code */
};

enum ns_error_kind { NS_ERROR_PARSE, NS_ERROR_COMPILE };
enum { NS_DIAG_MAX = 50 };

struct ns_diag;
struct ns_diag *ns_diag_new(void);
struct ns_diag *ns_diag_free(struct ns_diag *diag);

/** Add a source that lives as long as the diag. The text is copied unless `is_static`; names are copied. */
const struct ns_source *ns_diag_source(struct ns_diag *diag, const char *file, const char *module, const char *text,
                                       uint32_t length, bool library, bool is_static);

/** A source with the same text for code that a template made; errors in it get a note that says so. */
const struct ns_source *ns_diag_expanded_source(struct ns_diag *diag, const struct ns_source *source, const char *name,
                                                struct ns_span template_at);
/** The text itself, whatever templates made out of it. */
const struct ns_source *ns_source_original(const struct ns_source *source);

/** Report an error. `span.source` NULL: without a place. The entry stays "open": hints, notes and labels that follow
 *  belong to it. */
void ns_error(struct ns_diag *diag, enum ns_error_kind kind, struct ns_span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void ns_hint(struct ns_diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** What stands at `span` may be replaced by a text: for editors. */
void ns_replacement(struct ns_diag *diag, struct ns_span span, const char *text);
void ns_note(struct ns_diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ns_label(struct ns_diag *diag, struct ns_span span, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** The same problem in other words, which people and programs may look for. Shown in one line behind the notes. */
void ns_also(struct ns_diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Errors of the open entry's rank are shown before others: 0 first. Default 10; shadowing of built-ins 1. */
void ns_rank(struct ns_diag *diag, int rank);

/** Remember a warning: it does not count as an error and has no place. */
void ns_warning(struct ns_diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ns_diag_print_warnings(const struct ns_diag *diag, struct nb_buf *out); /* "Warning: …" lines */

size_t ns_diag_count(const struct ns_diag *diag);            /* errors reported, also beyond NS_DIAG_MAX */
const char *ns_diag_first(const struct ns_diag *diag);       /* message of the first to show; "" when none */
void ns_diag_print(const struct ns_diag *diag, struct nb_buf *out);  /* for people, sorted by rank, then place */
void ns_diag_json(const struct ns_diag *diag, struct nb_buf *out);   /* JSON, one object per line */
/** A text as JSON, in quotes; the keys line, column, endLine, endColumn of a place, without braces. */
void ns_json_string(struct nb_buf *out, const char *text);
void ns_json_place(struct nb_buf *out, struct ns_span span);
/** Line and column (from 1, in characters) of a byte offset. */
void ns_source_position(const struct ns_source *source, uint32_t at, uint32_t *ret_line, uint32_t *ret_column);
/** The byte offset of a line and column; behind the end of a line that is shorter. False: there is no such line. */
bool ns_source_offset(const struct ns_source *source, uint32_t line, uint32_t column, uint32_t *ret_at);

#endif
