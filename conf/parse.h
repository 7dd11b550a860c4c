/*
 * parse.h - what stands in a configuration file: blocks of assignments with their lines, each value read and checked
 * on its own. What follows from several of them is check.c's matter, what they mean together load.c's.
 */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include "base/vec.h"
#include "conf/key.h"

struct nb_arena;

struct conf_assignment {
    const struct conf_key *key;
    int64_t number;   /* of an INT, BOOL, CHOICE */
    const char *text; /* of a TEXT */
    int line;
};

struct conf_block_found {
    enum conf_block_kind kind;
    const char *title; /* "" without one */
    int line;          /* where it ends, for lack of a better one */
    NB_VEC(struct conf_assignment) assignments;
};

/** Something wrong in a line (0: in the file as a whole). */
struct conf_problem {
    int line;
    const char *text;
};

/** Everything found in one file. Texts are in `arena`, which is the caller's. */
struct conf_parsed {
    struct nb_arena *arena;
    NB_VEC(struct conf_block_found) blocks; /* the first is the top level */
    NB_VEC(struct conf_problem) problems;
};

/** Texts go into `arena`, which must outlive it. */
void conf_parsed_init(struct conf_parsed *parsed, struct nb_arena *arena);
void conf_parsed_done(struct conf_parsed *parsed);

/** Read a text. Good or bad, what could be understood is in `parsed` afterwards. Threads: any; they take turns. */
void conf_parse(struct conf_parsed *parsed, const char *text);

/** Note a problem, as printf. `block` (may be NULL) puts its name in front: "listener web: …". */
void conf_problem_add(struct conf_parsed *parsed, const struct conf_block_found *block, int line,
                      const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** The assignment of a key in a block, NULL if it has none. */
const struct conf_assignment *conf_block_assignment(const struct conf_block_found *block, const char *key);

/** Rules that concern several keys, or the form of a text: adds problems. */
void conf_check(struct conf_parsed *parsed);

#endif
