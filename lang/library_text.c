/* library_text.c - lines of a module become headings, comments and definitions. */
#include "config.h"

#include "lang/library_text.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"

/* Where reading is. */
struct reading {
    const struct ns_library_reader *reader;
    const char *end;           /* of the module's text */
    struct nb_buf comment;     /* the lines right above */
    struct nb_buf section;     /* what the section's heading is followed by */
    bool is_heading;           /* `comment` belongs to the heading above it */
    bool is_head;              /* it is the module's first: about all of it, and speaks for no name */
};

static void flush_section(struct reading *reading)
{
    const struct ns_library_reader *reader = reading->reader;

    if (reading->is_heading && reading->comment.length > 0) {
        if (reader->text != NULL)
            reader->text(reader->context, nb_buf_cstr(&reading->comment));
        if (!reading->is_head)
            nb_buf_append(&reading->section, reading->comment.data, reading->comment.length);
    }
    reading->is_heading = reading->is_head = false;
    nb_buf_clear(&reading->comment);
}

/* "pub name(a: T) -> R" of "pub name(a: T) -> R = {": up to the = that is followed by a value. */
static size_t signature_length(const char *line, size_t length)
{
    int depth = 0;

    for (size_t i = 0; i < length; i++) {
        depth += strchr("([{", line[i]) != NULL;
        depth -= strchr(")]}", line[i]) != NULL;
        if (depth == 0 && line[i] == '=' && i > 0 && line[i - 1] == ' ')
            return i - 1;
    }
    return length;
}

/* Types and traits are shown whole: with the indented lines that follow. */
static size_t whole_length(const char *line, size_t length, const char *end)
{
    while (line + length + 1 < end && line[length + 1] == ' ') {
        const char *feed = memchr(line + length + 1, '\n', (size_t)(end - line) - length - 1);

        length = (size_t)((feed == NULL ? end : feed) - line);
    }
    return length;
}

static bool begins(const char *line, size_t length, const char *word)
{
    return length >= strlen(word) && strncmp(line, word, strlen(word)) == 0;
}

/* `line` begins behind "pub ". */
static void take_definition(struct reading *reading, const char *line, size_t length)
{
    static const char *const words[] = { "var ", "type ", "trait ", "mvar ", "const " };
    struct ns_library_definition definition = { .signature = line };
    const char *name = line;
    bool whole = false;

    if (reading->is_heading)
        flush_section(reading);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (begins(name, (size_t)(line + length - name), words[i])) {
            whole = whole || strcmp(words[i], "type ") == 0 || strcmp(words[i], "trait ") == 0;
            name += strlen(words[i]);
        }
    definition.name = name;
    while (name < line + length && (isalnum((unsigned char)*name) || *name == '_'))
        name++;
    definition.name_length = (size_t)(name - definition.name);
    definition.signature_length = whole ? whole_length(line, length, reading->end) : signature_length(line, length);
    definition.comment = nb_buf_cstr(&reading->comment);
    definition.section = nb_buf_cstr(&reading->section);
    if (*definition.name != '_')
        reading->reader->definition(reading->reader->context, &definition);
}

static void take_comment(struct reading *reading, const char *line, size_t length)
{
    const char *before = "# ---- ", *behind = " ----";
    size_t from = length > 1 && line[1] == ' ' ? 2 : 1;

    if (begins(line, length, before) && length > strlen(before) + strlen(behind)) {
        nb_buf_clear(&reading->comment);
        nb_buf_clear(&reading->section);
        if (reading->reader->heading != NULL)
            reading->reader->heading(reading->reader->context, line + strlen(before),
                                     length - strlen(before) - strlen(behind));
        reading->is_heading = true;
        return;
    }
    nb_buf_append(&reading->comment, line + from, length - from);
    nb_buf_byte(&reading->comment, '\n');
}

static void take_line(struct reading *reading, const char *line, size_t length)
{
    if (length > 0 && line[0] == '#') {
        take_comment(reading, line, length);
    } else if (length > 4 && begins(line, length, "pub ")) {
        take_definition(reading, line + 4, length - 4);
        nb_buf_clear(&reading->comment);
    } else {
        flush_section(reading);
    }
}

void ns_library_read(const struct ns_library_module *module, const struct ns_library_reader *reader)
{
    struct reading reading = { .reader = reader, .end = module->text + module->length, .comment = NB_BUF_INIT,
                               .section = NB_BUF_INIT, .is_heading = true, .is_head = true };
    const char *line = module->text;

    while (line < reading.end) {
        const char *feed = memchr(line, '\n', (size_t)(reading.end - line));

        if (feed == NULL)
            feed = reading.end;
        take_line(&reading, line, (size_t)(feed - line));
        line = feed + 1;
    }
    nb_buf_done(&reading.comment);
    nb_buf_done(&reading.section);
}
