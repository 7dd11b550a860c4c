/* diff.c - what a reload changes, value by value. */
#include "config.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/vec.h"
#include "conf/key.h"

static char *taken(struct nb_buf *text)
{
    char *bytes = nb_buf_take(text);

    if (bytes == NULL)
        nb_out_of_memory(0);
    return bytes;
}

static char *printed(const struct conf_key *key, const void *fields)
{
    struct nb_buf text = NB_BUF_INIT;

    conf_print_field(key, fields, &text);
    return taken(&text);
}

static char *full_name(enum conf_block_kind kind, const char *title, const char *key)
{
    struct nb_buf text = NB_BUF_INIT;

    if (kind != CONF_BLOCK_ROOT)
        nb_buf_printf(&text, "%s%s%s: ", conf_blocks[kind].name, title == NULL ? "" : " ", title == NULL ? "" : title);
    nb_buf_text(&text, key);
    return taken(&text);
}

static void compare_block(enum conf_block_kind kind, const char *title, const void *before, const void *after,
                          struct conf_changes *changes)
{
    for (size_t i = 0; i < conf_key_count; i++) {
        const struct conf_key *key = &conf_keys[i];

        if (!conf_block_has(kind, key) || conf_fields_equal(key, before, after))
            continue;

        struct conf_change change = { .key = full_name(kind, title, key->name),
                                      .before = printed(key, before),
                                      .after = printed(key, after),
                                      .when = key->when };

        nb_vec_push(changes, change);
    }
}

/* Where a block of that name is missing, the defaults hold. */
static const struct conf_listener *listener_named(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->listener_count; i++)
        if (strcmp(conf->listeners[i].name, name) == 0)
            return &conf->listeners[i];
    return &conf->listener_defaults;
}

static void compare_listeners(const struct conf *before, const struct conf *after, struct conf_changes *changes)
{
    for (size_t i = 0; i < before->listener_count; i++) {
        const char *name = before->listeners[i].name;

        compare_block(CONF_BLOCK_LISTENER, name, &before->listeners[i], listener_named(after, name), changes);
    }
    for (size_t i = 0; i < after->listener_count; i++) {
        const char *name = after->listeners[i].name;

        if (listener_named(before, name) == &before->listener_defaults)
            compare_block(CONF_BLOCK_LISTENER, name, &before->listener_defaults, &after->listeners[i], changes);
    }
}

static void compare_apps(const struct conf *before, const struct conf *after, struct conf_changes *changes)
{
    for (size_t i = 0; i < before->app_count; i++) {
        const char *name = before->apps[i].name;

        compare_block(CONF_BLOCK_APP, name, &before->apps[i], conf_app_for(after, name), changes);
    }
    for (size_t i = 0; i < after->app_count; i++) {
        const char *name = after->apps[i].name;

        if (conf_app_for(before, name) == &before->app_defaults)
            compare_block(CONF_BLOCK_APP, name, &before->app_defaults, &after->apps[i], changes);
    }
}

void conf_diff(const struct conf *before, const struct conf *after, struct conf_changes *changes)
{
    nb_assert(before != NULL && after != NULL && changes != NULL);
    compare_block(CONF_BLOCK_ROOT, NULL, &before->global, &after->global, changes);
    compare_block(CONF_BLOCK_LOG, NULL, &before->log, &after->log, changes);
    compare_block(CONF_BLOCK_LISTENER_DEFAULTS, NULL, &before->listener_defaults, &after->listener_defaults, changes);
    compare_listeners(before, after, changes);
    compare_block(CONF_BLOCK_APP_DEFAULTS, NULL, &before->app_defaults, &after->app_defaults, changes);
    compare_apps(before, after, changes);
}

void conf_changes_done(struct conf_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        nb_free(changes->items[i].key);
        nb_free(changes->items[i].before);
        nb_free(changes->items[i].after);
    }
    nb_vec_done(changes);
}

const char *conf_when_text(enum conf_when when)
{
    static const char *const texts[] = {
        [CONF_LIVE] = "at once",
        [CONF_OPEN] = "when the listener is next opened",
        [CONF_START] = "when the app is next started",
        [CONF_RESTART] = "when nostosd is next started",
    };

    nb_assert((size_t)when < sizeof texts / sizeof *texts);
    return texts[when];
}
