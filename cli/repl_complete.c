/* repl_complete.c - collect the names that begin like the word, once each, in order. */
#include "config.h"

#include "cli/repl_complete.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "cli/session.h"

struct candidate { const char *name; size_t length; };

struct search {
    const char *word;          /* what the names begin with */
    size_t length;
    bool members;              /* compare what stands behind the last dot */
    NB_VEC(struct candidate) found;
};

static bool is_of_a_name(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '.';
}

static void consider(void *context, const char *name, size_t length)
{
    struct search *search = context;
    const char *dot = memrchr(name, '.', length);

    if (search->members && dot == NULL)
        return;
    if (search->members) {
        length -= (size_t)(dot + 1 - name);
        name = dot + 1;
    }
    if (length >= search->length && strncmp(name, search->word, search->length) == 0)
        nb_vec_push(&search->found, ((struct candidate){ name, length }));
}

static int compare(const void *one, const void *other)
{
    const struct candidate *left = one, *right = other;
    size_t shorter = left->length < right->length ? left->length : right->length;
    int order = memcmp(left->name, right->name, shorter);

    return order != 0 ? order : (left->length > right->length) - (left->length < right->length);
}

/* How many bytes all have in common. */
static size_t common_length(const struct search *search)
{
    const struct candidate *first = &search->found.items[0], *last = &nb_vec_last(&search->found);
    size_t length = 0;

    while (length < first->length && length < last->length && first->name[length] == last->name[length])
        length++;
    return length;
}

static void list(const struct search *search, struct nb_buf *out)
{
    for (size_t i = 0; i < search->found.count; i++)
        if (i == 0 || compare(&search->found.items[i - 1], &search->found.items[i]) != 0) {
            nb_buf_append(out, search->found.items[i].name, search->found.items[i].length);
            nb_buf_byte(out, '\n');
        }
}

void repl_complete(struct session *session, const char *before, size_t length, struct nb_buf *ret_added,
                   struct nb_buf *ret_choices)
{
    struct search search = { .members = false };
    const char *end = before + length, *dot;
    size_t common;

    for (search.word = end; search.word > before && is_of_a_name(search.word[-1]); search.word--)
        ;
    search.length = (size_t)(end - search.word);
    if (search.length == 0) {
        nb_buf_text(ret_added, "    ");
        return;
    }
    session_each_name(session, consider, &search);
    dot = memrchr(search.word, '.', search.length);
    if (search.found.count == 0 && dot != NULL) {
        search.members = true;
        search.word = dot + 1;
        search.length = (size_t)(end - search.word);
        session_each_name(session, consider, &search);
    }
    if (search.found.count > 0) {
        qsort(search.found.items, search.found.count, sizeof *search.found.items, compare);
        common = common_length(&search);
        nb_buf_append(ret_added, search.found.items[0].name + search.length, common - search.length);
        if (common == search.length)
            list(&search, ret_choices);
    }
    nb_vec_done(&search.found);
}
