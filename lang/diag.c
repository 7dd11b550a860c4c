/*
 * diag.c - diagnostics: entries in the order of their reporting, sorted when shown.
 *
 * Everything lives in one arena, the sources too: errors are shown when the trees they came from are gone. Entries
 * beyond NS_DIAG_MAX are counted and dropped, together with the hints, notes and labels that follow them.
 */
#include "config.h"

#include "lang/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/utf8.h"
#include "base/vec.h"

#define DIAG_MAGIC 0x6d1a60e5u
enum { RANK_DEFAULT = 10, EXCERPT_MAX = 160, TEMPLATES_TOLD_MAX = 8 };

struct label { struct ns_span span; const char *text; };

struct entry {
    enum ns_error_kind kind;
    int rank;
    size_t number; /* order of reporting */
    size_t group;  /* number of the first entry of the same source: these stand together */
    struct ns_span span;
    const char *message;
    const char *hint; /* or NULL */
    struct label replacement; /* text NULL: none */
    NB_VEC(const char *) notes;
    NB_VEC(const char *) also;
    NB_VEC(struct label) labels;
};

struct ns_diag {
    unsigned magic;
    struct nb_arena *arena;
    NB_VEC(struct entry *) entries;
    NB_VEC(const char *) warnings;
    size_t count;       /* also of dropped ones */
    struct entry *open; /* NULL before the first and after a dropped one */
};

struct ns_diag *ns_diag_new(void)
{
    struct ns_diag *diag = nb_xalloc_zero(sizeof *diag);

    diag->magic = DIAG_MAGIC;
    diag->arena = nb_arena_new();
    return diag;
}

struct ns_diag *ns_diag_free(struct ns_diag *diag)
{
    if (diag == NULL)
        return NULL;
    nb_check_object(diag, DIAG_MAGIC);
    for (size_t i = 0; i < diag->entries.count; i++) {
        nb_vec_done(&diag->entries.items[i]->notes);
        nb_vec_done(&diag->entries.items[i]->also);
        nb_vec_done(&diag->entries.items[i]->labels);
    }
    nb_vec_done(&diag->entries);
    nb_vec_done(&diag->warnings);
    nb_arena_free(diag->arena);
    diag->magic = 0;
    nb_free(diag);
    return NULL;
}

const struct ns_source *ns_diag_source(struct ns_diag *diag, const char *file, const char *module, const char *text,
                                       uint32_t length, bool library, bool is_static)
{
    struct ns_source *source;

    nb_check_object(diag, DIAG_MAGIC);
    source = nb_arena_alloc(diag->arena, sizeof *source);
    source->file = nb_arena_strndup(diag->arena, file, strlen(file));
    source->module = nb_arena_strndup(diag->arena, module, strlen(module));
    source->text = is_static ? text : nb_arena_strndup(diag->arena, text, length);
    source->length = length;
    source->library = library;
    return source;
}

const struct ns_source *ns_diag_expanded_source(struct ns_diag *diag, const struct ns_source *source, const char *name,
                                                struct ns_span template_at)
{
    struct ns_template_use *use = nb_arena_alloc(diag->arena, sizeof *use);
    struct ns_source *expanded = nb_arena_alloc(diag->arena, sizeof *expanded);

    *use = (struct ns_template_use){ name, template_at, source };
    *expanded = *source;
    expanded->expanded_by = use;
    return expanded;
}

const struct ns_source *ns_source_original(const struct ns_source *source)
{
    while (source != NULL && source->expanded_by != NULL)
        source = source->expanded_by->before;
    return source;
}

/* ---- reporting ---- */

static const char *format_text(struct ns_diag *diag, const char *format, va_list arguments)
{
    struct nb_buf buf = NB_BUF_INIT;
    const char *text;

    nb_buf_vprintf(&buf, format, arguments);
    text = nb_arena_strndup(diag->arena, nb_buf_cstr(&buf), buf.length);
    nb_buf_done(&buf);
    return text;
}

static size_t group_of(const struct ns_diag *diag, const struct ns_source *source)
{
    for (size_t i = 0; i < diag->entries.count; i++)
        if (ns_source_original(diag->entries.items[i]->span.source) == ns_source_original(source))
            return diag->entries.items[i]->number;
    return diag->count;
}

/* "template defined at line …", innermost use first; a handful tell enough. */
static void note_templates(struct ns_diag *diag, const struct ns_source *source)
{
    struct nb_buf text = NB_BUF_INIT;
    unsigned left = TEMPLATES_TOLD_MAX;

    if (source == NULL || source->expanded_by == NULL)
        return;
    nb_buf_text(&text, "this error may be caused by template expansion:");
    for (const struct ns_template_use *use = source->expanded_by; use != NULL && left-- > 0;
         use = use->before->expanded_by) {
        uint32_t line, column;

        ns_source_position(use->template_at.source, use->template_at.from, &line, &column);
        nb_buf_printf(&text, "\n    in expansion of @%s decorator (template defined at line %u)", use->name, line);
    }
    ns_note(diag, "%s", nb_buf_cstr(&text));
    nb_buf_done(&text);
}

void ns_error(struct ns_diag *diag, enum ns_error_kind kind, struct ns_span span, const char *format, ...)
{
    struct entry *entry;
    va_list arguments;

    nb_check_object(diag, DIAG_MAGIC);
    diag->open = NULL;
    if (diag->count++ >= NS_DIAG_MAX)
        return;
    entry = nb_arena_alloc(diag->arena, sizeof *entry);
    entry->kind = kind;
    entry->rank = RANK_DEFAULT;
    entry->number = diag->count;
    entry->group = group_of(diag, span.source);
    entry->span = span;
    va_start(arguments, format);
    entry->message = format_text(diag, format, arguments);
    va_end(arguments);
    nb_vec_push(&diag->entries, entry);
    diag->open = entry;
    note_templates(diag, span.source);
}

void ns_hint(struct ns_diag *diag, const char *format, ...)
{
    va_list arguments;

    if (diag->open == NULL)
        return;
    va_start(arguments, format);
    diag->open->hint = format_text(diag, format, arguments);
    va_end(arguments);
}

void ns_note(struct ns_diag *diag, const char *format, ...)
{
    va_list arguments;
    const char *text;

    if (diag->open == NULL)
        return;
    va_start(arguments, format);
    text = format_text(diag, format, arguments);
    va_end(arguments);
    nb_vec_push(&diag->open->notes, text);
}

void ns_also(struct ns_diag *diag, const char *format, ...)
{
    va_list arguments;
    const char *text;

    if (diag->open == NULL)
        return;
    va_start(arguments, format);
    text = format_text(diag, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < diag->open->also.count; i++)
        if (strcmp(diag->open->also.items[i], text) == 0)
            return;
    if (strcmp(diag->open->message, text) != 0)
        nb_vec_push(&diag->open->also, text);
}

void ns_replacement(struct ns_diag *diag, struct ns_span span, const char *text)
{
    if (diag->open != NULL && span.source != NULL)
        diag->open->replacement = (struct label){ span, nb_arena_strndup(diag->arena, text, strlen(text)) };
}

void ns_label(struct ns_diag *diag, struct ns_span span, const char *format, ...)
{
    struct label label = { .span = span };
    va_list arguments;

    if (diag->open == NULL || span.source == NULL)
        return;
    va_start(arguments, format);
    label.text = format_text(diag, format, arguments);
    va_end(arguments);
    nb_vec_push(&diag->open->labels, label);
}

void ns_rank(struct ns_diag *diag, int rank)
{
    if (diag->open != NULL)
        diag->open->rank = rank;
}

void ns_warning(struct ns_diag *diag, const char *format, ...)
{
    va_list arguments;
    const char *text;

    nb_check_object(diag, DIAG_MAGIC);
    if (diag->warnings.count >= NS_DIAG_MAX)
        return;
    va_start(arguments, format);
    text = format_text(diag, format, arguments);
    va_end(arguments);
    nb_vec_push(&diag->warnings, text);
}

/* ---- places ---- */

static uint32_t line_start(const struct ns_source *source, uint32_t at)
{
    while (at > 0 && source->text[at - 1] != '\n')
        at--;
    return at;
}

static uint32_t line_end(const struct ns_source *source, uint32_t at)
{
    while (at < source->length && source->text[at] != '\n')
        at++;
    return at;
}

/* Characters in a piece of text that may be no UTF-8. */
static uint32_t characters(const char *text, uint32_t length)
{
    uint32_t count = 0, code_point;

    while (length > 0) {
        size_t used = nb_utf8_decode(text, length, &code_point);

        text += used;
        length -= (uint32_t)used;
        count++;
    }
    return count;
}

void ns_source_position(const struct ns_source *source, uint32_t at, uint32_t *ret_line, uint32_t *ret_column)
{
    uint32_t line = 1, start;

    if (at > source->length)
        at = source->length;
    start = line_start(source, at);
    for (uint32_t i = 0; i < start; i++)
        line += source->text[i] == '\n';
    *ret_line = line;
    *ret_column = characters(source->text + start, at - start) + 1;
}

bool ns_source_offset(const struct ns_source *source, uint32_t line, uint32_t column, uint32_t *ret_at)
{
    uint32_t at = 0, end, code_point;

    for (; line > 1; line--) {
        at = line_end(source, at);
        if (at++ == source->length)
            return false;
    }
    end = line_end(source, at);
    for (; column > 1 && at < end; column--)
        at += (uint32_t)nb_utf8_decode(source->text + at, end - at, &code_point);
    *ret_at = at;
    return line == 1 && column >= 1;
}

/* ---- showing ---- */

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = *(struct entry *const *)left;
    const struct entry *b = *(struct entry *const *)right;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->span.from != b->span.from)
        return a->span.from < b->span.from ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* The entries as they are shown, in an array of the caller's. */
static struct entry **sorted(const struct ns_diag *diag)
{
    struct entry **entries = nb_xalloc_array(diag->entries.count + 1, sizeof *entries);

    for (size_t i = 0; i < diag->entries.count; i++)
        entries[i] = diag->entries.items[i];
    qsort(entries, diag->entries.count, sizeof *entries, compare_entries);
    return entries;
}

size_t ns_diag_count(const struct ns_diag *diag)
{
    nb_check_object(diag, DIAG_MAGIC);
    return diag->count;
}

const char *ns_diag_first(const struct ns_diag *diag)
{
    struct entry **entries;
    const char *message;

    nb_check_object(diag, DIAG_MAGIC);
    if (diag->entries.count == 0)
        return "";
    entries = sorted(diag);
    message = entries[0]->message;
    nb_free(entries);
    return message;
}

/* Text of a source line for people: control characters would move the caret away. */
static void append_clean(struct nb_buf *out, const char *text, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        nb_buf_byte(out, (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i]);
}

static void append_repeated(struct nb_buf *out, char byte, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        nb_buf_byte(out, byte);
}

/* A line of the source with carets under what the span covers of it. */
static void print_excerpt(const struct ns_span *span, uint32_t line, struct nb_buf *out)
{
    const struct ns_source *source = span->source;
    uint32_t from = span->from < source->length ? span->from : source->length;
    uint32_t start = line_start(source, from), end = line_end(source, from);
    uint32_t to = span->to < end ? span->to : end;
    uint32_t under;

    if (characters(source->text + start, end - start) > EXCERPT_MAX)
        return; /* a generated text, or no text at all: the numbers must do */
    nb_buf_printf(out, "%4u | ", line);
    append_clean(out, source->text + start, end - start);
    nb_buf_text(out, "\n     | ");
    append_repeated(out, ' ', characters(source->text + start, from - start));
    under = to > from ? characters(source->text + from, to - from) : 1;
    append_repeated(out, '^', under);
    nb_buf_byte(out, '\n');
}

static void print_place(const struct ns_span *span, struct nb_buf *out)
{
    uint32_t line, column;

    ns_source_position(span->source, span->from, &line, &column);
    nb_buf_printf(out, "   --> %s:%u:%u\n", span->source->file, line, column);
    print_excerpt(span, line, out);
}

static void print_entry(const struct entry *entry, struct nb_buf *out)
{
    /* "Error reading file 'F': …" says itself what it is. */
    bool says_error = strncmp(entry->message, "Error ", 6) == 0;

    nb_buf_printf(out, "%s%s\n", says_error ? "" : "Error: ", entry->message);
    if (entry->span.source != NULL)
        print_place(&entry->span, out);
    for (size_t i = 0; i < entry->labels.count; i++) {
        nb_buf_printf(out, "   %s:\n", entry->labels.items[i].text);
        print_place(&entry->labels.items[i].span, out);
    }
    if (entry->hint != NULL)
        nb_buf_printf(out, "   Help: %s\n", entry->hint);
    for (size_t i = 0; i < entry->notes.count; i++)
        nb_buf_printf(out, "   Note: %s\n", entry->notes.items[i]);
    for (size_t i = 0; i < entry->also.count; i++)
        nb_buf_printf(out, "%s%s%s", i == 0 ? "   Also: " : "; ", entry->also.items[i],
                      i + 1 == entry->also.count ? "\n" : "");
}

void ns_diag_print(const struct ns_diag *diag, struct nb_buf *out)
{
    struct entry **entries;

    nb_check_object(diag, DIAG_MAGIC);
    entries = sorted(diag);
    for (size_t i = 0; i < diag->entries.count; i++)
        print_entry(entries[i], out);
    nb_free(entries);
    if (diag->count > diag->entries.count)
        nb_buf_printf(out, "… and %zu more errors\n", diag->count - diag->entries.count);
}

void ns_diag_print_warnings(const struct ns_diag *diag, struct nb_buf *out)
{
    nb_check_object(diag, DIAG_MAGIC);
    for (size_t i = 0; i < diag->warnings.count; i++)
        nb_buf_printf(out, "Warning: %s\n", diag->warnings.items[i]);
}

/* ---- JSON ---- */

void ns_json_string(struct nb_buf *out, const char *text)
{
    size_t length = strlen(text);

    nb_buf_byte(out, '"');
    while (length > 0) {
        uint32_t code_point;
        size_t used = nb_utf8_decode(text, length, &code_point);

        if (code_point == '"' || code_point == '\\')
            nb_buf_printf(out, "\\%c", (char)code_point);
        else if (code_point == '\n')
            nb_buf_text(out, "\\n");
        else if (code_point < 0x20)
            nb_buf_printf(out, "\\u%04x", (unsigned)code_point);
        else
            nb_buf_code_point(out, code_point); /* what is no UTF-8 becomes U+FFFD */
        text += used;
        length -= used;
    }
    nb_buf_byte(out, '"');
}

void ns_json_place(struct nb_buf *out, struct ns_span span)
{
    uint32_t line = 0, column = 0, end_line = 0, end_column = 0;

    if (span.source != NULL) {
        ns_source_position(span.source, span.from, &line, &column);
        ns_source_position(span.source, span.to, &end_line, &end_column);
    }
    nb_buf_printf(out, "\"line\":%u,\"column\":%u,\"endLine\":%u,\"endColumn\":%u", line, column, end_line, end_column);
}

static void json_note(struct nb_buf *out, bool *first, const char *text)
{
    if (!*first)
        nb_buf_byte(out, ',');
    *first = false;
    ns_json_string(out, text);
}

static void json_notes(struct nb_buf *out, const struct entry *entry)
{
    bool first = true;

    nb_buf_text(out, ",\"notes\":[");
    for (size_t i = 0; i < entry->notes.count; i++)
        json_note(out, &first, entry->notes.items[i]);
    for (size_t i = 0; i < entry->also.count; i++)
        json_note(out, &first, entry->also.items[i]);
    nb_buf_byte(out, ']');
}

static void json_replacement(struct nb_buf *out, const struct label *replacement)
{
    nb_buf_text(out, ",\"replacement\":{");
    ns_json_place(out, replacement->span);
    nb_buf_text(out, ",\"text\":");
    ns_json_string(out, replacement->text);
    nb_buf_byte(out, '}');
}

static void json_labels(struct nb_buf *out, const struct entry *entry)
{
    nb_buf_text(out, ",\"labels\":[");
    for (size_t i = 0; i < entry->labels.count; i++) {
        nb_buf_text(out, i > 0 ? ",{\"file\":" : "{\"file\":");
        ns_json_string(out, entry->labels.items[i].span.source->file);
        nb_buf_byte(out, ',');
        ns_json_place(out, entry->labels.items[i].span);
        nb_buf_text(out, ",\"message\":");
        ns_json_string(out, entry->labels.items[i].text);
        nb_buf_byte(out, '}');
    }
    nb_buf_byte(out, ']');
}

static void json_entry(struct nb_buf *out, const struct entry *entry)
{
    nb_buf_text(out, "{\"file\":");
    ns_json_string(out, entry->span.source != NULL ? entry->span.source->file : "");
    nb_buf_byte(out, ',');
    ns_json_place(out, entry->span);
    nb_buf_printf(out, ",\"severity\":\"error\",\"kind\":\"%s\",\"message\":",
                  entry->kind == NS_ERROR_PARSE ? "parse" : "compile");
    ns_json_string(out, entry->message);
    if (entry->hint != NULL) {
        nb_buf_text(out, ",\"hint\":");
        ns_json_string(out, entry->hint);
    }
    if (entry->replacement.text != NULL)
        json_replacement(out, &entry->replacement);
    if (entry->notes.count + entry->also.count > 0)
        json_notes(out, entry);
    if (entry->labels.count > 0)
        json_labels(out, entry);
    nb_buf_text(out, "}\n");
}

void ns_diag_json(const struct ns_diag *diag, struct nb_buf *out)
{
    struct entry **entries;

    nb_check_object(diag, DIAG_MAGIC);
    entries = sorted(diag);
    for (size_t i = 0; i < diag->entries.count; i++)
        json_entry(out, entries[i]);
    nb_free(entries);
}
