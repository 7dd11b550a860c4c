/*
 * key.h - the rows of keys.def at run time, for the files of this folder.
 */
#ifndef CONF_KEY_H
#define CONF_KEY_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include "conf/conf.h"

struct nb_buf;

enum conf_section {
    CONF_GLOBAL,
    CONF_LOG,
    CONF_LISTENER,
    CONF_LISTENER_NAMED,
    CONF_APP,
    CONF_APP_NAMED,
};

enum conf_type { CONF_INT, CONF_BOOL, CONF_TEXT, CONF_CHOICE };

struct conf_key {
    enum conf_section section;
    enum conf_type type;
    const char *name;
    size_t offset;                  /* of the field in its section's struct */
    int64_t value;                  /* default of an INT, BOOL, CHOICE */
    int64_t least, most;            /* of an INT */
    const char *unit;               /* of an INT; "" has none */
    const char *text;               /* default of a TEXT; of a CHOICE its names, joined by "|" */
    enum conf_when when;
    const char *meaning;
};

extern const struct conf_key conf_keys[];
extern const size_t conf_key_count;

/** The kinds of block that a file may hold. A block has the keys of one or two sections. */
struct conf_block {
    const char *name;   /* "listener"; "root" for the top level */
    bool is_titled;     /* listener NAME { } */
    enum conf_section sections[2]; /* the same twice if there is but one */
    const char *meaning;
};
enum conf_block_kind {
    CONF_BLOCK_ROOT,
    CONF_BLOCK_LOG,
    CONF_BLOCK_LISTENER_DEFAULTS,
    CONF_BLOCK_LISTENER,
    CONF_BLOCK_APP_DEFAULTS,
    CONF_BLOCK_APP,
    CONF_BLOCK_KINDS
};
extern const struct conf_block conf_blocks[CONF_BLOCK_KINDS];

/** Whether blocks of a kind may have the key. */
bool conf_block_has(enum conf_block_kind kind, const struct conf_key *key);
/** The row of a key, NULL if the block has none of that name. */
const struct conf_key *conf_block_find(enum conf_block_kind kind, const char *name);

/** Set each field of a struct of that block to its default. */
void conf_set_defaults(enum conf_block_kind kind, void *fields);
/** Whether a field is the same in two structs; texts by content. */
bool conf_fields_equal(const struct conf_key *key, const void *a, const void *b);
/** Append a field's value as the file would have it. */
void conf_print_field(const struct conf_key *key, const void *fields, struct nb_buf *out);

/**
 * Read a value of a key. `ret_number` receives that of an INT, BOOL or CHOICE; a TEXT is taken as it stands.
 * Returns false if it is not one; then what was expected is appended to `out`.
 */
bool conf_read_value(const struct conf_key *key, const char *value, int64_t *ret_number, struct nb_buf *out);
/** Store a number that conf_read_value() gave. */
void conf_set_number(const struct conf_key *key, void *fields, int64_t number);
/** Append what a value may be: "0 to 1024 threads", "true or false". */
void conf_print_bounds(const struct conf_key *key, struct nb_buf *out);

#endif
