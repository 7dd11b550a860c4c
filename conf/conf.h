/*
 * conf.h - nostosd.conf: from the file to an immutable snapshot.
 *
 * A snapshot is read by any number of threads and never changes; a reload makes a new one, asks conf_diff() what
 * differs, and lets go of the old. The keys, their bounds and meaning are declared in keys.def.
 *
 * How a listener finds its limits: an app calls Server.bind(port), and the `listener` block with that port says what
 * holds, else `listener_defaults`; the same with `app NAME` and `app_defaults` (conf_listener_for, conf_app_for).
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nb_buf;

/** What log { format } means. */
enum conf_log_format { CONF_LOG_AUTO, CONF_LOG_TEXT, CONF_LOG_JSON, CONF_LOG_JOURNAL };

/* The structs hold a field for each row of keys.def that belongs to them: IN_SECTION(x) lets it through or drops it. */
#define INT(section, key, ...) IN_##section(int64_t key;)
#define BOOL(section, key, ...) IN_##section(bool key;)
#define TEXT(section, key, ...) IN_##section(const char *key;)
#define CHOICE(section, key, ...) IN_##section(int key;)
#define IN_LOG(field)
#define IN_LISTENER(field)
#define IN_LISTENER_NAMED(field)
#define IN_APP(field)
#define IN_APP_NAMED(field)
#define IN_GLOBAL(field) field

struct conf_global {
#include "conf/keys.def"
};

#undef IN_GLOBAL
#undef IN_LOG
#define IN_GLOBAL(field)
#define IN_LOG(field) field

struct conf_log {
#include "conf/keys.def" /* level: an nb_log_level; format: a conf_log_format */
};

#undef IN_LOG
#undef IN_LISTENER
#undef IN_LISTENER_NAMED
#define IN_LOG(field)
#define IN_LISTENER(field) field
#define IN_LISTENER_NAMED(field) field

struct conf_listener {
    const char *name; /* NULL in listener_defaults */
#include "conf/keys.def"
};

#undef IN_LISTENER
#undef IN_LISTENER_NAMED
#undef IN_APP
#undef IN_APP_NAMED
#define IN_LISTENER(field)
#define IN_LISTENER_NAMED(field)
#define IN_APP(field) field
#define IN_APP_NAMED(field) field

struct conf_app {
    const char *name; /* NULL in app_defaults */
#include "conf/keys.def"
};

#undef IN_GLOBAL
#undef IN_LOG
#undef IN_LISTENER
#undef IN_LISTENER_NAMED
#undef IN_APP
#undef IN_APP_NAMED
#undef INT
#undef BOOL
#undef TEXT
#undef CHOICE

/** A snapshot. Read the fields; never write them. Texts live as long as the snapshot. */
struct conf {
    struct conf_global global;
    struct conf_log log;
    struct conf_listener listener_defaults;
    const struct conf_listener *listeners; /* the named ones, complete: what a block leaves out is from the defaults */
    size_t listener_count;
    struct conf_app app_defaults;
    const struct conf_app *apps; /* likewise */
    size_t app_count;
};

/** Texts for people, in the order of the file:
 *  "nostosd.conf:7: listener web: queue_max = 0: expected 1 to 65535 requests". */
struct conf_errors {
    char **items;
    size_t count, capacity;
};
#define CONF_ERRORS_INIT { NULL, 0, 0 }
/** Free the texts; the list is empty then. */
void conf_errors_done(struct conf_errors *errors);

/**
 * Read a configuration file.
 *
 * path      the file; NULL for the defaults alone
 * ret_conf  receives the snapshot; left alone on failure
 * errors    receives what is wrong, at least one text on failure
 *
 * Returns 0, -EINVAL (the file's content) or another -errno (it cannot be read).
 * Ownership: the caller's, until conf_unref(). Threads: any; one load at a time goes on, others wait.
 */
int conf_load(const char *path, struct conf **ret_conf, struct conf_errors *errors);

/** The same from a text; `name` stands for the file in errors. */
int conf_load_text(const char *name, const char *text, struct conf **ret_conf, struct conf_errors *errors);

/** Share a snapshot; give one's share back (NULL is fine; returns NULL). Threads: any. */
struct conf *conf_ref(struct conf *conf);
struct conf *conf_unref(struct conf *conf);

/** What holds for a listener on this port, and for the app of this name. Never NULL; lives as long as the snapshot. */
const struct conf_listener *conf_listener_for(const struct conf *conf, int64_t port);
const struct conf_app *conf_app_for(const struct conf *conf, const char *name);

/** When a changed value takes effect. */
enum conf_when {
    CONF_LIVE,   /* a reload applies it */
    CONF_OPEN,   /* for listeners opened afterwards */
    CONF_START,  /* for apps started afterwards */
    CONF_RESTART /* when the daemon is started again */
};
/** "at once", "when the listener is next opened", … */
const char *conf_when_text(enum conf_when when);

/** One value that a reload changes. */
struct conf_change {
    char *key; /* "drain_seconds", "listener web: queue_max" */
    char *before, *after;
    enum conf_when when;
};
struct conf_changes {
    struct conf_change *items;
    size_t count, capacity;
};
#define CONF_CHANGES_INIT { NULL, 0, 0 }
/** Append what differs from `before` to `after`. Ownership: the caller's, until conf_changes_done(). */
void conf_diff(const struct conf *before, const struct conf *after, struct conf_changes *changes);
void conf_changes_done(struct conf_changes *changes);

/** Append a commented sample file that shows every key with its default; loading it gives the defaults. */
void conf_sample(struct nb_buf *out);
/** Append the manual page nostosd.conf(5), in man(7) macros. */
void conf_manual(struct nb_buf *out);

#endif
