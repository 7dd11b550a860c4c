/* parse_fixture.h - texts in, dumped trees or the first error out. */
#ifndef TESTS_UNIT_PARSE_FIXTURE_H
#define TESTS_UNIT_PARSE_FIXTURE_H

#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "lang/diag.h"
#include "lang/parse.h"
#include "tests/unit/dump.h"

/** A parsed text; parsed_done() frees it. */
struct parsed {
    struct nb_arena *arena;
    struct ns_diag *diag;
    struct ns_file *file;
    char *dump;
};

static inline struct parsed parsed_n(const char *text, size_t length)
{
    struct parsed parsed = { nb_arena_new(), ns_diag_new(), NULL, NULL };
    const struct ns_source *source = ns_diag_source(parsed.diag, "t.nos", "", text, (uint32_t)length, false, false);
    struct nb_buf buf = NB_BUF_INIT;

    parsed.file = ns_parse(parsed.arena, source, parsed.diag, NULL);
    if (ns_diag_count(parsed.diag) == 0)
        dump_file(parsed.file, &buf);
    else
        nb_buf_printf(&buf, "error: %s", ns_diag_first(parsed.diag));
    if (buf.length > 0 && buf.data[buf.length - 1] == '\n')
        buf.data[buf.length - 1] = '\0';
    parsed.dump = nb_xstrdup(nb_buf_cstr(&buf));
    nb_buf_done(&buf);
    return parsed;
}

static inline struct parsed parsed_of(const char *text) { return parsed_n(text, strlen(text)); }

static inline void parsed_done(struct parsed *parsed)
{
    nb_free(parsed->dump);
    ns_diag_free(parsed->diag);
    nb_arena_free(parsed->arena);
}

/** The dump of a text ("error: …" if it has errors) must be this. */
#define ck_assert_dump(text, expected) \
    do { \
        struct parsed parsed_ = parsed_of(text); \
        ck_assert_str_eq(parsed_.dump, (expected)); \
        parsed_done(&parsed_); \
    } while (0)

#endif
