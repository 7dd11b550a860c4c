/* key.c - the table of keys, and what can be done with a field when one has its row. */
#include "config.h"

#include "conf/key.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"

#define STRUCT_GLOBAL struct conf_global
#define STRUCT_LOG struct conf_log
#define STRUCT_LISTENER struct conf_listener
#define STRUCT_LISTENER_NAMED struct conf_listener
#define STRUCT_APP struct conf_app
#define STRUCT_APP_NAMED struct conf_app
#define HEAD(SECTION, KEY, TYPE, WHEN)                                                                                 \
    .section = CONF_##SECTION, .type = TYPE, .name = #KEY, .offset = offsetof(STRUCT_##SECTION, KEY),                  \
    .when = CONF_##WHEN

const struct conf_key conf_keys[] = {
#define INT(section, key, fallback, lowest, highest, measure, when, sentence)                                          \
    { HEAD(section, key, CONF_INT, when),                                                                              \
      .value = fallback,                                                                                               \
      .least = lowest,                                                                                                 \
      .most = highest,                                                                                                 \
      .unit = measure,                                                                                                 \
      .meaning = sentence },
#define BOOL(section, key, fallback, when, sentence)                                                                   \
    { HEAD(section, key, CONF_BOOL, when), .value = fallback, .meaning = sentence },
#define TEXT(section, key, fallback, when, sentence)                                                                   \
    { HEAD(section, key, CONF_TEXT, when), .text = fallback, .meaning = sentence },
#define CHOICE(section, key, fallback, names, when, sentence)                                                          \
    { HEAD(section, key, CONF_CHOICE, when), .value = fallback, .text = names, .meaning = sentence },
#include "conf/keys.def"
#undef INT
#undef BOOL
#undef TEXT
#undef CHOICE
};

const size_t conf_key_count = sizeof conf_keys / sizeof *conf_keys;

const struct conf_block conf_blocks[CONF_BLOCK_KINDS] = {
    [CONF_BLOCK_ROOT] = { "root", false, { CONF_GLOBAL, CONF_GLOBAL }, "" },
    [CONF_BLOCK_LOG] = { "log", false, { CONF_LOG, CONF_LOG }, "What is logged, and how." },
    [CONF_BLOCK_LISTENER_DEFAULTS] = { "listener_defaults",
                                       false,
                                       { CONF_LISTENER, CONF_LISTENER },
                                       "What holds for every listener, unless a block with its port says otherwise." },
    [CONF_BLOCK_LISTENER] = { "listener",
                              true,
                              { CONF_LISTENER_NAMED, CONF_LISTENER },
                              "The listener on one port. All keys of listener_defaults may stand here as well." },
    [CONF_BLOCK_APP_DEFAULTS] = { "app_defaults",
                                  false,
                                  { CONF_APP, CONF_APP },
                                  "What holds for every app, unless a block with its name says otherwise." },
    [CONF_BLOCK_APP] = { "app",
                         true,
                         { CONF_APP_NAMED, CONF_APP },
                         "The app of that name. All keys of app_defaults may stand here as well." },
};

bool conf_block_has(enum conf_block_kind kind, const struct conf_key *key)
{
    return key->section == conf_blocks[kind].sections[0] || key->section == conf_blocks[kind].sections[1];
}

const struct conf_key *conf_block_find(enum conf_block_kind kind, const char *name)
{
    for (size_t i = 0; i < conf_key_count; i++)
        if (conf_block_has(kind, &conf_keys[i]) && strcmp(conf_keys[i].name, name) == 0)
            return &conf_keys[i];
    return NULL;
}

static void *field(const struct conf_key *key, void *fields)
{
    return (char *)fields + key->offset;
}

static const void *field_const(const struct conf_key *key, const void *fields)
{
    return (const char *)fields + key->offset;
}

static const char *text_of(const struct conf_key *key, const void *fields)
{
    return *(const char *const *)field_const(key, fields);
}

static int64_t number_of(const struct conf_key *key, const void *fields)
{
    const void *place = field_const(key, fields);

    switch (key->type) {
    case CONF_INT:
        return *(const int64_t *)place;
    case CONF_BOOL:
        return *(const bool *)place;
    case CONF_CHOICE:
        return *(const int *)place;
    case CONF_TEXT:
        break;
    }
    nb_unreachable();
}

void conf_set_number(const struct conf_key *key, void *fields, int64_t number)
{
    void *place = field(key, fields);

    switch (key->type) {
    case CONF_INT:
        *(int64_t *)place = number;
        return;
    case CONF_BOOL:
        *(bool *)place = number != 0;
        return;
    case CONF_CHOICE:
        *(int *)place = (int)number;
        return;
    case CONF_TEXT:
        break;
    }
    nb_unreachable();
}

void conf_set_defaults(enum conf_block_kind kind, void *fields)
{
    for (size_t i = 0; i < conf_key_count; i++) {
        const struct conf_key *key = &conf_keys[i];

        if (!conf_block_has(kind, key))
            continue;
        if (key->type == CONF_TEXT)
            *(const char **)field(key, fields) = key->text;
        else
            conf_set_number(key, fields, key->value);
    }
}

bool conf_fields_equal(const struct conf_key *key, const void *a, const void *b)
{
    if (key->type == CONF_TEXT)
        return strcmp(text_of(key, a), text_of(key, b)) == 0;
    return number_of(key, a) == number_of(key, b);
}

/* The n-th of names joined by "|"; NULL behind the last. */
static const char *choice(const struct conf_key *key, int64_t n, size_t *ret_length)
{
    const char *name = key->text;

    while (n-- > 0) {
        name = strchr(name, '|');
        if (name == NULL)
            return NULL;
        name++;
    }
    *ret_length = strcspn(name, "|");
    return name;
}

static void print_quoted(const char *text, struct nb_buf *out)
{
    nb_buf_byte(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            nb_buf_byte(out, '\\');
        nb_buf_byte(out, *text);
    }
    nb_buf_byte(out, '"');
}

void conf_print_field(const struct conf_key *key, const void *fields, struct nb_buf *out)
{
    const char *name;
    size_t length;

    switch (key->type) {
    case CONF_INT:
        nb_buf_printf(out, "%lld", (long long)number_of(key, fields));
        break;
    case CONF_BOOL:
        nb_buf_text(out, number_of(key, fields) != 0 ? "true" : "false");
        break;
    case CONF_TEXT:
        print_quoted(text_of(key, fields), out);
        break;
    case CONF_CHOICE:
        name = choice(key, number_of(key, fields), &length);
        nb_assert(name != NULL);
        nb_buf_append(out, name, length);
        break;
    }
}

static bool read_int(const struct conf_key *key, const char *value, int64_t *ret_number)
{
    char *end;
    long long number;

    if (!isdigit((unsigned char)value[0]) && !(value[0] == '-' && isdigit((unsigned char)value[1])))
        return false;
    errno = 0;
    number = strtoll(value, &end, 10);
    if (errno != 0 || *end != '\0' || number < key->least || number > key->most)
        return false;
    *ret_number = number;
    return true;
}

static bool read_bool(const char *value, int64_t *ret_number)
{
    static const char *const names[] = { "false", "true", "no", "yes", "off", "on" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(value, names[i]) == 0) {
            *ret_number = (int64_t)(i % 2);
            return true;
        }
    }
    return false;
}

static bool read_choice(const struct conf_key *key, const char *value, int64_t *ret_number)
{
    size_t length;
    const char *name;

    for (int64_t i = 0; (name = choice(key, i, &length)) != NULL; i++) {
        if (strlen(value) == length && memcmp(value, name, length) == 0) {
            *ret_number = i;
            return true;
        }
    }
    return false;
}

bool conf_read_value(const struct conf_key *key, const char *value, int64_t *ret_number, struct nb_buf *out)
{
    bool good = true;

    switch (key->type) {
    case CONF_INT:
        good = read_int(key, value, ret_number);
        break;
    case CONF_BOOL:
        good = read_bool(value, ret_number);
        break;
    case CONF_CHOICE:
        good = read_choice(key, value, ret_number);
        break;
    case CONF_TEXT:
        break;
    }
    if (!good)
        conf_print_bounds(key, out);
    return good;
}

void conf_print_bounds(const struct conf_key *key, struct nb_buf *out)
{
    const char *name;
    size_t length;

    switch (key->type) {
    case CONF_INT:
        nb_buf_printf(out, "%lld to %lld%s%s", (long long)key->least, (long long)key->most,
                      key->unit[0] == '\0' ? "" : " ", key->unit);
        break;
    case CONF_BOOL:
        nb_buf_text(out, "true or false");
        break;
    case CONF_TEXT:
        nb_buf_text(out, "a text");
        break;
    case CONF_CHOICE:
        for (int64_t i = 0; (name = choice(key, i, &length)) != NULL; i++) {
            nb_buf_text(out, i == 0 ? "" : name[length] == '\0' ? " or " : ", ");
            nb_buf_append(out, name, length);
        }
        break;
    }
}
