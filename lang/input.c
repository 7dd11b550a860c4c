/*
 * input.c - reading what was typed at a prompt: as items first, else as statements.
 */
#include "config.h"

#include "lang/input.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/intern.h"
#include "lang/parse_private.h"

/* ---- names of a pattern ---- */

struct names { struct nb_arena *arena; const char **items; uint32_t count, room; };

static void add_name(struct names *names, const char *name)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (names->items[i] == name)
            return;
    if (names->count == names->room) {
        const char **items = nb_arena_array(names->arena, names->room * 2 + 4, sizeof *items);

        if (names->count > 0)
            memcpy(items, names->items, names->count * sizeof *items);
        names->items = items;
        names->room = names->room * 2 + 4;
    }
    names->items[names->count++] = name;
}

static void collect(struct names *names, const struct ns_pattern *pattern);

static void collect_all(struct names *names, const struct ns_pattern_list *patterns)
{
    for (uint32_t i = 0; i < patterns->count; i++)
        collect(names, patterns->items[i]);
}

static void collect(struct names *names, const struct ns_pattern *pattern)
{
    switch (pattern->kind) {
    case NS_PATTERN_NAME: add_name(names, pattern->name); break;
    case NS_PATTERN_TUPLE:
    case NS_PATTERN_OR: collect_all(names, &pattern->items); break;
    case NS_PATTERN_LIST:
        collect_all(names, &pattern->list.items);
        if (pattern->list.rest != NULL)
            collect(names, pattern->list.rest);
        break;
    case NS_PATTERN_CONSTRUCTOR:
    case NS_PATTERN_RECORD:
        collect_all(names, &pattern->constructor.items);
        for (uint32_t i = 0; i < pattern->constructor.fields.count; i++)
            collect(names, pattern->constructor.fields.items[i].pattern);
        break;
    case NS_PATTERN_MAP:
        for (uint32_t i = 0; i < pattern->map.count; i++)
            collect(names, pattern->map.items[i].value);
        break;
    default: break; /* binds nothing */
    }
}

static struct names names_of(struct nb_arena *arena, const struct ns_pattern *pattern)
{
    struct names names = { .arena = arena };

    collect(&names, pattern);
    return names;
}

/* ---- statements as a function ---- */

static struct ns_expr *new_expr(struct nb_arena *arena, enum ns_expr_kind kind, struct ns_span span)
{
    struct ns_expr *expr = nb_arena_alloc(arena, sizeof *expr);

    expr->kind = kind;
    expr->span = span;
    return expr;
}

/* A name, or a tuple of several. */
static struct ns_expr *value_of_names(const struct names *names, struct ns_span span)
{
    struct ns_expr *tuple = new_expr(names->arena, NS_EXPR_TUPLE, span);

    tuple->items.items = nb_arena_array(names->arena, names->count, sizeof *tuple->items.items);
    tuple->items.count = names->count;
    for (uint32_t i = 0; i < names->count; i++) {
        tuple->items.items[i] = new_expr(names->arena, NS_EXPR_NAME, span);
        tuple->items.items[i]->name = names->items[i];
    }
    return names->count == 1 ? tuple->items.items[0] : tuple;
}

static void return_names(struct nb_arena *arena, struct ns_expr_list *statements)
{
    struct ns_expr *only = statements->count == 1 ? statements->items[0] : NULL;
    struct ns_expr **both;
    struct names names;

    if (only == NULL || only->kind != NS_EXPR_BIND)
        return;
    names = names_of(arena, only->bind.pattern);
    if (names.count == 0)
        return;
    both = nb_arena_array(arena, 2, sizeof *both);
    both[0] = only;
    both[1] = value_of_names(&names, only->span);
    *statements = (struct ns_expr_list){ both, 2 };
}

struct ns_file *ns_parse_input(struct nb_arena *arena, const struct ns_source *source, struct ns_diag *diag,
                               const struct ns_references *references)
{
    struct ns_span all = { source, 0, source->length };
    struct ns_file *file = nb_arena_alloc(arena, sizeof *file);
    struct ns_item *item = nb_arena_alloc(arena, sizeof *item);
    struct ns_parser parser;

    ns_parser_begin(&parser, arena, source, diag, references);
    file->source = source;
    file->comments = parser.comments;
    item->kind = NS_ITEM_FUNCTION;
    item->span = all;
    item->function = nb_arena_alloc(arena, sizeof *item->function);
    item->function->name = (struct ns_name){ nb_intern(NS_INPUT_FUNCTION), all };
    item->function->span = all;
    item->function->body = new_expr(arena, NS_EXPR_BLOCK, all);
    item->function->body->block.statements = ns_parse_statements(&parser, NS_TOKEN_END);
    return_names(arena, &item->function->body->block.statements);
    file->items.items = nb_arena_array(arena, 1, sizeof item);
    file->items.items[0] = item;
    file->items.count = 1;
    return file;
}

/* ---- parts of definitions ---- */

static void add_text_of(struct nb_buf *out, struct ns_span span)
{
    nb_buf_append(out, span.source->text + span.from, span.to - span.from);
}

/* Parameters that take anything are all alike, whatever they are called. */
static void add_heading(struct nb_buf *out, const struct ns_function *function)
{
    nb_buf_printf(out, "%s(", function->name.text);
    for (uint32_t i = 0; i < function->parameters.count; i++) {
        const struct ns_parameter *parameter = &function->parameters.items[i];
        bool any = parameter->pattern->kind == NS_PATTERN_NAME || parameter->pattern->kind == NS_PATTERN_WILDCARD;

        if (any)
            nb_buf_byte(out, '_');
        else
            add_text_of(out, parameter->pattern->span);
        if (parameter->type != NULL) {
            nb_buf_byte(out, ':');
            add_text_of(out, parameter->type->span);
        }
        nb_buf_byte(out, ',');
    }
    nb_buf_byte(out, ')');
    if (function->guard != NULL)
        add_text_of(out, function->guard->span);
}

static const char *name_of(const struct ns_item *item)
{
    switch (item->kind) {
    case NS_ITEM_FUNCTION:
    case NS_ITEM_TEMPLATE: return item->function->name.text;
    case NS_ITEM_TYPE: return item->type.name.text;
    case NS_ITEM_TRAIT: return item->trait.name.text;
    case NS_ITEM_MVAR:
    case NS_ITEM_CONST:
    case NS_ITEM_BINDING: return item->value.name.text;
    case NS_ITEM_MODULE: return item->module.name.text;
    default: return NULL;
    }
}

static void add_key(struct nb_buf *out, const struct ns_item *item)
{
    switch (item->kind) {
    case NS_ITEM_FUNCTION: add_heading(out, item->function); break;
    case NS_ITEM_IMPLEMENTATION:
        add_text_of(out, item->implementation.type->span);
        nb_buf_printf(out, ": %s", item->implementation.trait.text);
        break;
    case NS_ITEM_TYPE:
    case NS_ITEM_TRAIT:
    case NS_ITEM_MODULE: nb_buf_printf(out, "type %s", name_of(item)); break;
    default:
        if (name_of(item) != NULL)
            nb_buf_printf(out, "value %s", name_of(item));
        else
            add_text_of(out, item->span);
    }
}

static void divide(struct ns_input *input, const struct ns_item_list *items)
{
    struct nb_buf key = NB_BUF_INIT;
    uint32_t at = 0;

    input->parts = nb_arena_array(input->arena, items->count + 1, sizeof *input->parts);
    for (uint32_t i = 0; i < items->count; i++) {
        const struct ns_item *item = items->items[i];
        uint32_t end = item->span.to;

        if (item->kind == NS_ITEM_FUNCTION && item->function->span.to > end)
            end = item->function->span.to;
        nb_buf_clear(&key);
        add_key(&key, item);
        input->parts[input->part_count++] = (struct ns_input_part){
            item->kind, name_of(item), nb_arena_strndup(input->arena, nb_buf_cstr(&key), key.length), at, end
        };
        at = end;
    }
    nb_buf_done(&key);
}

/* ---- the kind ---- */

/* One reading of the text: how far it went. */
struct reading { struct ns_diag *diag; struct ns_parser parser; };

static void begin(struct reading *reading, struct nb_arena *arena, const struct ns_source *source)
{
    reading->diag = ns_diag_new();
    ns_parser_begin(&reading->parser, arena, source, reading->diag, NULL);
}

static bool went_well(const struct reading *reading) { return ns_diag_count(reading->diag) == 0; }

/* A string literal that is not closed takes the rest of its line; the others fail at the end. */
static bool is_cut_off(const struct reading *reading)
{
    const struct ns_parser *parser = &reading->parser;

    for (uint32_t i = 0; i < parser->count; i++)
        if (parser->tokens[i].kind == NS_TOKEN_STRING && parser->text[parser->tokens[i].from] == '"' &&
            ns_lex_string_end(parser->text, parser->source->length, parser->tokens[i].from) == 0)
            return true;
    return parser->error_at > parser->tokens[parser->count - 1].from;
}

/* A trait or an implementation may do without methods and `end`, but the first line of a longer one looks the same. */
static bool may_go_on(const struct reading *items, const struct ns_item_list *list)
{
    const struct ns_parser *parser = &items->parser;
    enum ns_item_kind last = list->items[list->count - 1]->kind;

    return (last == NS_ITEM_TRAIT || last == NS_ITEM_IMPLEMENTATION) &&
           parser->tokens[parser->count - 2].kind != NS_TOKEN_END_WORD;
}

static bool is_computed(const struct ns_item *item)
{
    return item->kind == NS_ITEM_BINDING && item->value.value->kind != NS_EXPR_LAMBDA;
}

static enum ns_input_kind kind_of(struct ns_input *input, const struct ns_source *source)
{
    struct reading items, statements;
    struct ns_item_list list;
    enum ns_input_kind kind;

    begin(&items, input->arena, source);
    begin(&statements, input->arena, source);
    list = ns_parse_items(&items.parser, NS_TOKEN_END);
    ns_parse_statements(&statements.parser, NS_TOKEN_END);
    if (items.parser.count == 1 && went_well(&items)) {
        kind = NS_INPUT_EMPTY;
    } else if (went_well(&items) && may_go_on(&items, &list)) {
        kind = NS_INPUT_UNFINISHED;
        divide(input, &list);
    } else if (went_well(&items)) {
        kind = list.count == 1 && is_computed(list.items[0]) ? NS_INPUT_BINDING : NS_INPUT_DEFINITIONS;
        divide(input, &list);
        if (kind == NS_INPUT_BINDING) {
            struct names names = names_of(input->arena, list.items[0]->value.pattern);

            input->names = names.items;
            input->name_count = names.count;
        }
    } else if (went_well(&statements)) {
        kind = NS_INPUT_STATEMENTS;
    } else if (is_cut_off(&items) || is_cut_off(&statements)) {
        kind = NS_INPUT_UNFINISHED;
    } else {
        kind = items.parser.error_at > statements.parser.error_at ? NS_INPUT_DEFINITIONS : NS_INPUT_STATEMENTS;
    }
    ns_diag_free(items.diag);
    ns_diag_free(statements.diag);
    return kind;
}

struct ns_input *ns_input_read(const char *text, size_t length)
{
    struct nb_arena *arena = nb_arena_new();
    struct ns_input *input = nb_arena_alloc(arena, sizeof *input);
    struct ns_source source = { .file = "input", .module = "", .length = (uint32_t)length };

    source.text = nb_arena_strndup(arena, text, length);
    input->arena = arena;
    input->kind = kind_of(input, &source);
    return input;
}

struct ns_input *ns_input_free(struct ns_input *input)
{
    if (input != NULL)
        nb_arena_free(input->arena);
    return NULL;
}
