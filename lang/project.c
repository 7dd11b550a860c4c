/*
 * project.c - reading nostos.toml.
 *
 * TOML is read line by line: a table header, or `key = value`. Values are strings and booleans where they matter;
 * others (numbers, dates, arrays, inline tables) are skipped, over several lines while brackets are open.
 */
#include "config.h"

#include "lang/project.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "lang/diag.h"
#include "lang/file.h"

enum table { TABLE_OTHER, TABLE_PROJECT, TABLE_BIN };

struct reader {
    struct nb_arena *arena;
    const char *at, *end;
    unsigned line;
    const char *problem; /* or NULL */
    enum table table;
    const char *name;
    NB_VEC(struct ns_bin) bins;
};

static void fail(struct reader *reader, const char *what)
{
    if (reader->problem == NULL)
        reader->problem = nb_arena_printf(reader->arena, "line %u: %s", reader->line, what);
}

static char peek(const struct reader *reader) { return reader->at < reader->end ? *reader->at : '\0'; }

static bool take(struct reader *reader, char c)
{
    if (peek(reader) != c || reader->at >= reader->end)
        return false;
    reader->at++;
    return true;
}

static void skip_blanks(struct reader *reader)
{
    while (peek(reader) == ' ' || peek(reader) == '\t' || peek(reader) == '\r')
        reader->at++;
}

static void skip_comment(struct reader *reader)
{
    skip_blanks(reader);
    if (peek(reader) == '#')
        while (reader->at < reader->end && *reader->at != '\n')
            reader->at++;
}

static void end_line(struct reader *reader)
{
    skip_comment(reader);
    if (reader->at < reader->end && *reader->at != '\n')
        fail(reader, "unexpected text behind the value");
}

static bool is_key(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* ---- values ---- */

static int escape(char letter)
{
    switch (letter) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case '"': return '"';
    case '\\': return '\\';
    default: return -1;
    }
}

/* A string on one line, in either kind of quotes. */
static const char *read_string(struct reader *reader)
{
    struct nb_buf buf = NB_BUF_INIT;
    char quote = *reader->at++;
    const char *text;

    while (reader->at < reader->end && *reader->at != quote && *reader->at != '\n') {
        char c = *reader->at++;

        if (c == '\\' && quote == '"') {
            int escaped = escape(peek(reader));

            if (escaped < 0)
                fail(reader, "unknown escape in a string");
            c = (char)escaped;
            reader->at += reader->at < reader->end;
        }
        nb_buf_byte(&buf, c);
    }
    if (!take(reader, quote))
        fail(reader, "string is not closed");
    text = nb_arena_strndup(reader->arena, nb_buf_cstr(&buf), buf.length);
    nb_buf_done(&buf);
    return text;
}

/* Pass over a value nobody needs. */
static void skip_value(struct reader *reader)
{
    unsigned depth = 0;

    for (; reader->at < reader->end && reader->problem == NULL; reader->at++) {
        char c = *reader->at;

        if (c == '"' || c == '\'') {
            (void)read_string(reader);
            reader->at--;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            if (depth == 0)
                fail(reader, "unexpected closing bracket");
            else
                depth--;
        } else if (c == '\n' && depth == 0) {
            return;
        } else if (c == '\n') {
            reader->line++;
        } else if (c == '#') {
            skip_comment(reader);
            reader->at--;
        }
    }
    if (depth > 0)
        fail(reader, "value is not closed");
}

static void read_text(struct reader *reader, const char **ret_text)
{
    if (peek(reader) != '"' && peek(reader) != '\'') {
        fail(reader, "expected a string");
        return;
    }
    *ret_text = read_string(reader);
    end_line(reader);
}

static void read_flag(struct reader *reader, bool *ret_flag)
{
    size_t left = (size_t)(reader->end - reader->at);

    if (left >= 4 && memcmp(reader->at, "true", 4) == 0) {
        *ret_flag = true;
        reader->at += 4;
    } else if (left >= 5 && memcmp(reader->at, "false", 5) == 0) {
        *ret_flag = false;
        reader->at += 5;
    } else {
        fail(reader, "expected `true` or `false`");
    }
    end_line(reader);
}

/* ---- lines ---- */

static const char *read_key(struct reader *reader)
{
    const char *from = reader->at;

    if (peek(reader) == '"' || peek(reader) == '\'')
        return read_string(reader);
    while (is_key(peek(reader)) || peek(reader) == '.')
        reader->at++;
    if (reader->at == from)
        fail(reader, "expected a key");
    return nb_arena_strndup(reader->arena, from, (size_t)(reader->at - from));
}

static void read_header(struct reader *reader)
{
    bool array;
    const char *name;

    reader->at++;
    array = take(reader, '[');
    skip_blanks(reader);
    name = read_key(reader);
    skip_blanks(reader);
    if (!take(reader, ']') || (array && !take(reader, ']')))
        fail(reader, "table header is not closed");
    end_line(reader);
    reader->table = TABLE_OTHER;
    if (!array && strcmp(name, "project") == 0) {
        reader->table = TABLE_PROJECT;
    } else if (array && strcmp(name, "bin") == 0) {
        struct ns_bin bin = { NULL, NULL, false };

        reader->table = TABLE_BIN;
        nb_vec_push(&reader->bins, bin);
    }
}

static void read_setting(struct reader *reader)
{
    const char *key = read_key(reader);
    struct ns_bin *bin;

    skip_blanks(reader);
    if (!take(reader, '=')) {
        fail(reader, "expected `=` behind the key");
        return;
    }
    skip_blanks(reader);
    if (reader->table == TABLE_PROJECT && strcmp(key, "name") == 0) {
        read_text(reader, &reader->name);
        return;
    }
    bin = reader->table == TABLE_BIN ? &nb_vec_last(&reader->bins) : NULL;
    if (bin != NULL && strcmp(key, "name") == 0)
        read_text(reader, &bin->name);
    else if (bin != NULL && strcmp(key, "entry") == 0)
        read_text(reader, &bin->entry);
    else if (bin != NULL && strcmp(key, "default") == 0)
        read_flag(reader, &bin->is_default);
    else
        skip_value(reader);
}

static void check_bins(struct reader *reader)
{
    for (size_t i = 0; i < reader->bins.count; i++)
        if (reader->bins.items[i].name == NULL || reader->bins.items[i].entry == NULL)
            fail(reader, "each [[bin]] needs `name` and `entry`");
    if (reader->bins.count > 0 && reader->name == NULL)
        fail(reader, "[project] needs `name`");
}

static struct ns_project take_project(struct reader *reader)
{
    struct ns_project project = { .name = reader->name, .bin_count = (uint32_t)reader->bins.count };

    if (reader->bins.count > 0) {
        project.bins = nb_arena_array(reader->arena, reader->bins.count, sizeof *project.bins);
        memcpy(project.bins, reader->bins.items, reader->bins.count * sizeof *project.bins);
    }
    return project;
}

const char *ns_project_parse(struct nb_arena *arena, const char *text, size_t length, struct ns_project *ret_project)
{
    struct reader reader = { .arena = arena, .at = text, .end = text + length, .line = 1 };

    while (reader.at < reader.end && reader.problem == NULL) {
        skip_comment(&reader);
        if (take(&reader, '\n'))
            reader.line++;
        else if (peek(&reader) == '[')
            read_header(&reader);
        else if (reader.at < reader.end)
            read_setting(&reader);
    }
    check_bins(&reader);
    if (reader.problem == NULL)
        *ret_project = take_project(&reader);
    nb_vec_done(&reader.bins);
    return reader.problem;
}

/* ---- finding it ---- */

/* Cut the last part off a path without trailing slash. False at the root. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash == NULL || path[1] == '\0')
        return false;
    slash[slash == path ? 1 : 0] = '\0';
    return true;
}

struct ns_project ns_project_find(struct nb_arena *arena, const char *folder, struct ns_diag *diag)
{
    struct ns_project project = { NULL, NULL, 0 };
    char path[PATH_MAX];

    if (realpath(folder, path) == NULL)
        return project;
    do {
        const char *file = nb_arena_printf(arena, "%s/nostos.toml", strcmp(path, "/") == 0 ? "" : path);
        const char *problem;
        size_t length;
        char *text;

        if (!ns_file_exists(file))
            continue;
        problem = ns_file_read(arena, file, &text, &length);
        if (problem == NULL)
            problem = ns_project_parse(arena, text, length, &project);
        if (problem != NULL)
            ns_warning(diag, "Failed to load project config: %s: %s", file, problem);
        return project;
    } while (go_up(path));
    return project;
}
