/*
 * unit.c - what all passes of a compilation need: lists that grow, errors told once per place, lines, and the queue of
 * what is to be lowered.
 */
#include "config.h"

#include "lang/unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *ns_grow(struct ns_unit *unit, void *items, size_t *capacity, size_t count, size_t item_bytes)
{
    void *larger;

    *capacity = *capacity == 0 ? 4 : *capacity * 2;
    larger = nb_arena_array(unit->arena, *capacity, item_bytes);
    if (count > 0)
        memcpy(larger, items, count * item_bytes);
    return larger;
}

void ns_report(struct ns_unit *unit, struct ns_span span, const char *format, ...)
{
    const char *place = span.source == NULL ? format : span.source->text + span.from;
    va_list arguments;
    char *text;

    unit->just_reported = ns_table_get(&unit->reported, place) == NULL;
    if (!unit->just_reported)
        return;
    ns_table_set(&unit->reported, place, unit);
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        nb_out_of_memory(0);
    va_end(arguments);
    ns_error(unit->diag, NS_ERROR_COMPILE, span, "%s", text);
    free(text);
}

bool ns_reported(const struct ns_unit *unit)
{
    return unit->just_reported;
}

static struct ns_lines find_lines(struct ns_unit *unit, const struct ns_source *source)
{
    struct ns_lines lines = { .source = source, .count = 1 };
    const char *end = source->text + source->length;
    uint32_t *starts, count = 1;

    for (const char *at = source->text; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
        lines.count++;
    starts = nb_arena_array(unit->arena, lines.count, sizeof *starts);
    starts[0] = 0;
    for (const char *at = source->text; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
        starts[count++] = (uint32_t)(at + 1 - source->text);
    lines.starts = starts;
    return lines;
}

/* The lines of a source. Most questions are about the same source as the one before. */
static const struct ns_lines *lines_of(struct ns_unit *unit, const struct ns_source *source)
{
    struct ns_lines *first, found;
    size_t at = 0;

    while (at < unit->lines.count && unit->lines.items[at].source != source)
        at++;
    if (at == unit->lines.count)
        ns_push(unit, &unit->lines, find_lines(unit, source));
    first = unit->lines.items;
    found = first[at];
    first[at] = first[0];
    first[0] = found;
    return first;
}

uint32_t ns_line_of(struct ns_unit *unit, struct ns_span span)
{
    const struct ns_lines *lines = lines_of(unit, ns_source_original(span.source));
    uint32_t low = 0, high = lines->count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (lines->starts[middle] <= span.from)
            low = middle;
        else
            high = middle;
    }
    return low + 1;
}

struct vm_function *ns_need(struct ns_unit *unit, struct ns_group *group)
{
    if (!group->queued) {
        group->queued = true;
        ns_push(unit, &unit->queue, group);
    }
    return group->function;
}
