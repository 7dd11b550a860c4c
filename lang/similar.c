/*
 * similar.c - how far names are from each other.
 *
 * The distance counts letters put in, left out, replaced or swapped with their neighbour (optimal string alignment).
 * One is near for short names, two for longer ones, nothing for single letters; of equally near names the first to be
 * offered comes first.
 */
#include "config.h"

#include "lang/similar.h"

#include <string.h>

enum { LONGEST_NAME = 40, SHORT_NAME = 4 };

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    a = a < b ? a : b;
    return a < c ? a : c;
}

/* More than `most` is only said to be more. */
static unsigned distance(const char *left, const char *right, unsigned most)
{
    unsigned rows[3][LONGEST_NAME + 1];
    size_t n = strlen(left), m = strlen(right);

    if (n > LONGEST_NAME || m > LONGEST_NAME || n > m + most || m > n + most)
        return most + 1;
    for (unsigned k = 0; k <= m; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];

        row[0] = (unsigned)i;
        for (size_t k = 1; k <= m; k++) {
            row[k] = least(row[k - 1] + 1, before[k] + 1, before[k - 1] + (left[i - 1] != right[k - 1]));
            if (i > 1 && k > 1 && left[i - 1] == right[k - 2] && left[i - 2] == right[k - 1] &&
                earlier[k - 2] + 1 < row[k])
                row[k] = earlier[k - 2] + 1;
        }
    }
    return rows[n % 3][m];
}

static bool is_there(const struct ns_similar *similar, const char *name)
{
    for (unsigned i = 0; i < similar->count; i++)
        if (strcmp(similar->names[i], name) == 0)
            return true;
    return false;
}

static unsigned most_of(size_t length)
{
    if (length < 2)
        return 0;
    return length <= SHORT_NAME ? 1 : 2;
}

void ns_similar_add(struct ns_similar *similar, const char *candidate)
{
    unsigned most = most_of(strlen(similar->wanted));
    unsigned away = distance(similar->wanted, candidate, most);
    unsigned at = similar->count;

    if (away == 0 || away > most || is_there(similar, candidate))
        return;
    while (at > 0 && similar->distances[at - 1] > away)
        at--;
    if (at == NS_SIMILAR_MAX)
        return;
    if (similar->count < NS_SIMILAR_MAX)
        similar->count++;
    for (unsigned i = similar->count - 1; i > at; i--) {
        similar->names[i] = similar->names[i - 1];
        similar->distances[i] = similar->distances[i - 1];
    }
    similar->names[at] = candidate;
    similar->distances[at] = away;
}

bool ns_similar_hint(const struct ns_similar *similar, struct ns_diag *diag, struct ns_span span)
{
    const char *const *names = similar->names;

    if (similar->count == 0)
        return false;
    if (similar->count == 1)
        ns_hint(diag, "did you mean `%s`?", names[0]);
    else
        ns_hint(diag, "did you mean one of: %s, %s%s%s?", names[0], names[1], similar->count > 2 ? ", " : "",
                similar->count > 2 ? names[2] : "");
    if (similar->count == 1 || similar->distances[0] < similar->distances[1])
        ns_replacement(diag, span, names[0]);
    return true;
}
