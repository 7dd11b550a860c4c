/*
 * lex_string.c - where string literals end.
 *
 * To find that, literals inside `${…}` have to be skipped, nested as deep as they like: an explicit stack of what is
 * open, bounded, takes the place of recursion.
 */
#include "config.h"

#include "lang/lex.h"

enum { STRING_NESTING_MAX = 64 };

int ns_lex_escape(char letter)
{
    switch (letter) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case '0': return '\0';
    case '\\': return '\\';
    case '\'': return '\'';
    case '"': return '"';
    default: return -1;
    }
}

/* What is open while the end of a literal is looked for: a quote or a brace. */
struct nesting {
    char open[STRING_NESTING_MAX];
    uint32_t depth;
};

static bool nesting_push(struct nesting *nesting, char what)
{
    if (nesting->depth == STRING_NESTING_MAX)
        return false;
    nesting->open[nesting->depth++] = what;
    return true;
}

/* Take one step inside a literal. Returns the bytes used, 0 when nested too deep. */
static uint32_t step_in_string(struct nesting *nesting, const char *text, uint32_t left)
{
    char quote = nesting->open[nesting->depth - 1];

    if (*text == '\\')
        return left > 1 ? 2 : 1;
    if (*text == quote) {
        nesting->depth--;
        return 1;
    }
    if (*text == '$' && left > 1 && text[1] == '{')
        return nesting_push(nesting, '{') ? 2 : 0;
    return 1;
}

/* The same between the braces of `${…}`, where a quote may be escaped as in the rest of the literal. */
static uint32_t step_in_braces(struct nesting *nesting, const char *text, uint32_t left)
{
    if (*text == '\\')
        return left > 1 ? 2 : 1;
    if (*text == '}')
        nesting->depth--;
    else if ((*text == '{' || *text == '"' || *text == '\'') && !nesting_push(nesting, *text))
        return 0;
    return 1;
}

/* Go on until nothing is open. Returns where, 0 if that never happens. */
static uint32_t run_nesting(struct nesting *nesting, const char *text, uint32_t length, uint32_t at)
{
    while (at < length) {
        uint32_t step = nesting->open[nesting->depth - 1] == '{'
                            ? step_in_braces(nesting, text + at, length - at)
                            : step_in_string(nesting, text + at, length - at);

        if (step == 0)
            return 0;
        at += step;
        if (nesting->depth == 0)
            return at;
    }
    return 0;
}

uint32_t ns_lex_string_end(const char *text, uint32_t length, uint32_t from)
{
    struct nesting nesting = { .depth = 0 };

    nesting_push(&nesting, text[from]);
    return run_nesting(&nesting, text, length, from + 1);
}

uint32_t ns_lex_interpolation_end(const char *text, uint32_t length, uint32_t from)
{
    struct nesting nesting = { .depth = 0 };

    nesting_push(&nesting, '{');
    return run_nesting(&nesting, text, length, from + 2);
}
