/*
 * parse.c - libconfuse reads, we listen.
 *
 * Its options are made from the table of keys, but values are read by our own callback, which can say what was expected
 * and let the reading go on. The library gives up at the first key it does not know; then the text is read again with
 * unknown keys passed over, so that one run reports the first unknown key and every bad value.
 *
 * To the library a text may end inside a block or a comment. So a line of our own is put behind it, which must be
 * reached at the top level.
 *
 * The library's lexer keeps its state in globals and its callbacks have no context, hence the lock and `current`.
 */
#include "config.h"

#include "conf/parse.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <confuse.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"

#define END_KEY "__end_of_file"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    struct conf_parsed *parsed;
    bool has_open_block; /* the last block is still being read */
    bool met_unknown;
    unsigned ends_reached;
    int last_line; /* of the text without ours */
} current;         /* guarded by lock */

void conf_parsed_init(struct conf_parsed *parsed, struct nb_arena *arena)
{
    memset(parsed, 0, sizeof *parsed);
    parsed->arena = arena;
}

static void forget_blocks(struct conf_parsed *parsed)
{
    for (size_t i = 0; i < parsed->blocks.count; i++)
        nb_vec_done(&parsed->blocks.items[i].assignments);
    nb_vec_clear(&parsed->blocks);
}

void conf_parsed_done(struct conf_parsed *parsed)
{
    forget_blocks(parsed);
    nb_vec_done(&parsed->blocks);
    nb_vec_done(&parsed->problems);
}

static const char *copy(struct conf_parsed *parsed, const char *text)
{
    return nb_arena_strndup(parsed->arena, text, strlen(text));
}

void conf_problem_add(struct conf_parsed *parsed, const struct conf_block_found *block, int line, const char *format,
                      ...)
{
    struct nb_buf text = NB_BUF_INIT;
    va_list arguments;

    if (block != NULL && block->kind != CONF_BLOCK_ROOT)
        nb_buf_printf(&text, "%s%s%s: ", conf_blocks[block->kind].name, block->title[0] == '\0' ? "" : " ",
                      block->title);
    va_start(arguments, format);
    nb_buf_vprintf(&text, format, arguments);
    va_end(arguments);

    struct conf_problem problem = { line, copy(parsed, nb_buf_cstr(&text)) };

    nb_vec_push(&parsed->problems, problem);
    nb_buf_done(&text);
}

const struct conf_assignment *conf_block_assignment(const struct conf_block_found *block, const char *key)
{
    for (size_t i = 0; i < block->assignments.count; i++)
        if (strcmp(block->assignments.items[i].key->name, key) == 0)
            return &block->assignments.items[i];
    return NULL;
}

static enum conf_block_kind kind_named(const char *name)
{
    for (unsigned kind = 0; kind < CONF_BLOCK_KINDS; kind++)
        if (strcmp(conf_blocks[kind].name, name) == 0)
            return kind;
    nb_unreachable();
}

static struct conf_block_found *add_block(struct conf_parsed *parsed, enum conf_block_kind kind, const char *title)
{
    struct conf_block_found block = { .kind = kind, .title = title == NULL ? "" : copy(parsed, title) };

    nb_vec_push(&parsed->blocks, block);
    return &nb_vec_last(&parsed->blocks);
}

/* The block that the library is in: the top level, or the one that was opened last. */
static struct conf_block_found *block_of(cfg_t *cfg)
{
    enum conf_block_kind kind = kind_named(cfg_name(cfg));

    if (kind == CONF_BLOCK_ROOT)
        return &current.parsed->blocks.items[0];
    if (current.has_open_block)
        return &nb_vec_last(&current.parsed->blocks);
    current.has_open_block = true;
    return add_block(current.parsed, kind, cfg_title(cfg));
}

static int line_of(const cfg_t *cfg)
{
    return cfg->line < current.last_line ? cfg->line : current.last_line;
}

static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    struct conf_block_found *block = block_of(cfg);
    const struct conf_key *key = conf_block_find(block->kind, cfg_opt_name(opt));
    struct conf_assignment assignment = { .key = key, .line = line_of(cfg) };
    const struct conf_assignment *former;
    struct nb_buf expected = NB_BUF_INIT;

    nb_assert(key != NULL);
    if (strcmp(value, END_KEY) == 0) {
        conf_problem_add(current.parsed, block, line_of(cfg), "%s: the value is missing", key->name);
        current.ends_reached++; /* what follows is not worth a message */
        return -1;
    }
    former = conf_block_assignment(block, key->name);
    if (former != NULL)
        conf_problem_add(current.parsed, block, line_of(cfg), "%s is given twice, first in line %d", key->name,
                         former->line);
    else if (!conf_read_value(key, value, &assignment.number, &expected))
        conf_problem_add(current.parsed, block, line_of(cfg), "%s = %s: expected %s", key->name, value,
                         nb_buf_cstr(&expected));
    nb_buf_done(&expected);
    if (key->type == CONF_TEXT)
        assignment.text = copy(current.parsed, value);
    if (former == NULL)
        nb_vec_push(&block->assignments, assignment);

    /* The library keeps a value of its own, which nobody reads. */
    if (key->type == CONF_TEXT)
        *(const char **)result = value;
    else if (key->type == CONF_BOOL)
        *(cfg_bool_t *)result = cfg_false;
    else
        *(long *)result = 0;
    return 0;
}

static int on_end(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    (void)cfg, (void)opt, (void)value;
    *(long *)result = 0;
    current.ends_reached++;
    return 0;
}

static int on_block_end(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    struct conf_block_found *block = block_of(section);

    block->line = line_of(cfg);
    current.has_open_block = false;
    if (!conf_blocks[block->kind].is_titled && cfg_opt_size(opt) > 1)
        conf_problem_add(current.parsed, NULL, block->line, "%s is given twice", conf_blocks[block->kind].name);
    return 0;
}

enum { DISTANCE_MAX = 2, NAME_BYTES = 64 };

/* How many letters must be put in, taken out or replaced to make one name of the other. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_BYTES + 1];
    size_t length = strlen(b);

    if (length > NAME_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t best = diagonal + (a[i] != b[j]);

            diagonal = row[j + 1];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (diagonal + 1 < best)
                best = diagonal + 1;
            row[j + 1] = best;
        }
    }
    return row[length];
}

/* The name that was probably meant, NULL if none is near. */
static const char *similar_name(enum conf_block_kind kind, const char *name)
{
    const char *nearest = NULL;
    size_t wrong = (strlen(name) + 1) / 3; /* so many letters may be, but no more than DISTANCE_MAX */
    size_t least = (wrong < DISTANCE_MAX ? wrong : DISTANCE_MAX) + 1;

    for (size_t i = 0; i < conf_key_count; i++) {
        size_t far = conf_block_has(kind, &conf_keys[i]) ? distance(conf_keys[i].name, name) : SIZE_MAX;

        if (far < least) {
            least = far;
            nearest = conf_keys[i].name;
        }
    }
    for (unsigned block = CONF_BLOCK_ROOT + 1; kind == CONF_BLOCK_ROOT && block < CONF_BLOCK_KINDS; block++) {
        size_t far = distance(conf_blocks[block].name, name);

        if (far < least) {
            least = far;
            nearest = conf_blocks[block].name;
        }
    }
    return nearest;
}

/* Another kind of block that has the key, NULL if none has. */
static const char *other_home(enum conf_block_kind kind, const char *name)
{
    for (unsigned other = 0; other < CONF_BLOCK_KINDS; other++)
        if (other != kind && conf_block_find(other, name) != NULL)
            return other == CONF_BLOCK_ROOT ? "the top level" : conf_blocks[other].name;
    return NULL;
}

static void report_unknown(cfg_t *cfg, const char *name)
{
    struct conf_block_found block = { .kind = kind_named(cfg_name(cfg)),
                                      .title = cfg_title(cfg) == NULL ? "" : cfg_title(cfg) };
    const char *near = similar_name(block.kind, name);
    const char *home = other_home(block.kind, name);

    if (home != NULL)
        conf_problem_add(current.parsed, &block, line_of(cfg), "unknown key \"%s\" (it belongs to %s)", name, home);
    else if (near != NULL)
        conf_problem_add(current.parsed, &block, line_of(cfg), "unknown key \"%s\" (did you mean \"%s\"?)", name, near);
    else
        conf_problem_add(current.parsed, &block, line_of(cfg), "unknown key \"%s\"", name);
}

/* The library found the text itself wrong. An unknown key comes here too; the name is then its only argument. */
static void on_error(cfg_t *cfg, const char *format, va_list arguments)
{
    struct nb_buf text = NB_BUF_INIT;
    char name[NAME_BYTES + 1];

    nb_buf_vprintf(&text, format, arguments);
    if (sscanf(nb_buf_cstr(&text), "no such option '%64[^']'", name) == 1 && strcmp(name, END_KEY) != 0) {
        current.met_unknown = true;
        report_unknown(cfg, name);
    } else if (strstr(nb_buf_cstr(&text), END_KEY) == NULL) {
        conf_problem_add(current.parsed, NULL, line_of(cfg), "%s", nb_buf_cstr(&text));
    }
    nb_buf_done(&text);
}

static cfg_opt_t option_for(const struct conf_key *key)
{
    switch (key->type) {
    case CONF_INT:
    case CONF_CHOICE:
        return (cfg_opt_t)CFG_INT_CB(key->name, 0, CFGF_NODEFAULT, on_value);
    case CONF_BOOL:
        return (cfg_opt_t)CFG_BOOL_CB(key->name, cfg_false, CFGF_NODEFAULT, on_value);
    case CONF_TEXT:
        return (cfg_opt_t)CFG_STR_CB(key->name, NULL, CFGF_NODEFAULT, on_value);
    }
    nb_unreachable();
}

typedef NB_VEC(cfg_opt_t) options;

static void add_options(options *list, enum conf_block_kind kind)
{
    for (size_t i = 0; i < conf_key_count; i++)
        if (conf_block_has(kind, &conf_keys[i]))
            nb_vec_push(list, option_for(&conf_keys[i]));
}

/* The library copies what it is given here, blocks' options included. */
static cfg_t *new_reader(cfg_flag_t flags)
{
    options all[CONF_BLOCK_KINDS] = { 0 };
    cfg_t *cfg;

    add_options(&all[CONF_BLOCK_ROOT], CONF_BLOCK_ROOT);
    nb_vec_push(&all[CONF_BLOCK_ROOT], (cfg_opt_t)CFG_INT_CB(END_KEY, 0, CFGF_NODEFAULT, on_end));
    for (unsigned kind = CONF_BLOCK_ROOT + 1; kind < CONF_BLOCK_KINDS; kind++) {
        cfg_flag_t titled = conf_blocks[kind].is_titled ? CFGF_TITLE | CFGF_NO_TITLE_DUPES : 0;

        add_options(&all[kind], kind);
        nb_vec_push(&all[kind], (cfg_opt_t)CFG_END());
        nb_vec_push(&all[CONF_BLOCK_ROOT],
                    (cfg_opt_t)CFG_SEC(conf_blocks[kind].name, all[kind].items, CFGF_MULTI | titled));
    }
    nb_vec_push(&all[CONF_BLOCK_ROOT], (cfg_opt_t)CFG_END());
    cfg = cfg_init(all[CONF_BLOCK_ROOT].items, flags);
    if (cfg == NULL)
        nb_out_of_memory(0);
    for (unsigned kind = CONF_BLOCK_ROOT; kind < CONF_BLOCK_KINDS; kind++) {
        if (kind != CONF_BLOCK_ROOT)
            cfg_set_validate_func(cfg, conf_blocks[kind].name, on_block_end);
        nb_vec_done(&all[kind]);
    }
    cfg_set_error_function(cfg, on_error);
    return cfg;
}

static void read_once(struct conf_parsed *parsed, const char *text, cfg_flag_t flags)
{
    cfg_t *cfg = new_reader(flags);
    size_t problems = parsed->problems.count;

    forget_blocks(parsed);
    add_block(parsed, CONF_BLOCK_ROOT, NULL);
    current.parsed = parsed;
    current.has_open_block = false;
    current.met_unknown = false;
    current.ends_reached = 0;
    if (cfg_parse_buf(cfg, text) != CFG_SUCCESS || current.ends_reached != 1) {
        if (parsed->problems.count == problems)
            conf_problem_add(parsed, NULL, current.last_line, "the file ends inside a block, a text or a comment");
    }
    current.parsed = NULL;
    cfg_free(cfg);
}

void conf_parse(struct conf_parsed *parsed, const char *text)
{
    char *ended = nb_arena_printf(parsed->arena, "%s\n%s = 0\n", text, END_KEY);
    int lines = 1;

    for (const char *at = text; *at != '\0'; at++)
        lines += at[0] == '\n' && at[1] != '\0';
    pthread_mutex_lock(&lock);
    current.last_line = lines;
    read_once(parsed, ended, CFGF_NONE);
    if (current.met_unknown) {
        struct conf_problem unknown = nb_vec_last(&parsed->problems);

        nb_vec_clear(&parsed->problems);
        nb_vec_push(&parsed->problems, unknown);
        read_once(parsed, ended, CFGF_IGNORE_UNKNOWN);
    }
    pthread_mutex_unlock(&lock);
}
