/* mutate_program.c - tokens found as roughly as will do, and what may be done with pieces of them. */
#include "config.h"

#include "tests/fuzz/mutate_program.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* A piece of a text. */
struct piece { size_t from, to; };

static const char *const words[] = {
#define TOKEN(name, text)
#define KEYWORD(name, text) text,
#define MARK(name, text) text,
#include "lang/tokens.def"
#undef TOKEN
#undef KEYWORD
#undef MARK
    "0", "1", "9223372036854775807", "1.5", "1u8", "1n", "1.0d", "\"\"", "\"${x}\"", "'c'", "[]", "()", "x", "f", "main()",
    "Int", "String", "List[Int]", "Option", "Some", "None", "Ok", "Err", "Map", "a", "T", "Self", "show", "map", "fold",
    "throw", "typeInfo", "comptime", "gensym", "eval", "name", "fields", "\n", " = ", " -> ", " => "
};

enum { WORDS = sizeof words / sizeof *words };

/* ---- random numbers ---- */

static unsigned roll(unsigned *state, size_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return below == 0 ? 0 : (unsigned)((*state >> 8) % below);
}

/* ---- pieces ---- */

static bool is_word(uint8_t c) { return isalnum(c) || c == '_' || c >= 0x80; }
static bool opens(uint8_t c) { return c == '(' || c == '[' || c == '{'; }
static bool closes(uint8_t c) { return c == ')' || c == ']' || c == '}'; }

/* The token around a place: a word, or one other character. */
static struct piece token_at(const uint8_t *data, size_t size, size_t at)
{
    struct piece token = { at, at < size ? at + 1 : at };

    if (at >= size || !is_word(data[at]))
        return token;
    while (token.from > 0 && is_word(data[token.from - 1]))
        token.from--;
    while (token.to < size && is_word(data[token.to]))
        token.to++;
    return token;
}

static struct piece line_at(const uint8_t *data, size_t size, size_t at)
{
    struct piece line = { at, at };

    while (line.from > 0 && data[line.from - 1] != '\n')
        line.from--;
    while (line.to < size && data[line.to] != '\n')
        line.to++;
    if (line.to < size)
        line.to++;
    return line;
}

/* What the first bracket at or behind a place encloses, brackets included; the token there if there is none. */
static struct piece group_at(const uint8_t *data, size_t size, size_t at)
{
    size_t from = at, depth = 0;

    while (from < size && !opens(data[from]))
        from++;
    for (size_t i = from; i < size; i++) {
        depth += opens(data[i]);
        if (closes(data[i]) && --depth == 0)
            return (struct piece){ from, i + 1 };
    }
    return token_at(data, size, at);
}

static struct piece some_piece(const uint8_t *data, size_t size, unsigned *state)
{
    size_t at = roll(state, size);

    switch (roll(state, 4)) {
    case 0: return line_at(data, size, at);
    case 1: return group_at(data, size, at);
    default: return token_at(data, size, at);
    }
}

/* ---- changes ---- */

/* The text with `piece` of it replaced, in place. Returns the new size, or the old one when it would not fit. */
static size_t replace(uint8_t *data, size_t size, size_t most, struct piece piece, const void *by, size_t length)
{
    size_t rest = size - piece.to;

    if (piece.from + length + rest > most)
        return size;
    memmove(data + piece.from + length, data + piece.to, rest);
    memcpy(data + piece.from, by, length);
    return piece.from + length + rest;
}

/* The same with a piece of the text itself. */
static size_t replace_by_own(uint8_t *data, size_t size, size_t most, struct piece piece, struct piece by)
{
    uint8_t copy[4096];
    size_t length = by.to - by.from;

    if (length > sizeof copy)
        return size;
    memcpy(copy, data + by.from, length);
    return replace(data, size, most, piece, copy, length);
}

static size_t change(uint8_t *data, size_t size, size_t most, unsigned *state)
{
    struct piece piece = some_piece(data, size, state), other = some_piece(data, size, state);
    const char *word = words[roll(state, WORDS)];

    switch (roll(state, 6)) {
    case 0: /* leave it out */
        return replace(data, size, most, piece, "", 0);
    case 1: /* a word in its place … */
        return replace(data, size, most, piece, word, strlen(word));
    case 2: /* … or in front of it */
        return replace(data, size, most, (struct piece){ piece.from, piece.from }, word, strlen(word));
    case 3: /* twice */
        return replace_by_own(data, size, most, (struct piece){ piece.to, piece.to }, piece);
    default: /* another piece in its place */
        return replace_by_own(data, size, most, piece, other);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    unsigned state = seed, times = 1 + roll(&state, 4);

    if (size == 0 || roll(&state, 8) == 0)
        return LLVMFuzzerMutate(data, size, most);
    while (times-- > 0 && size > 0)
        size = change(data, size, most, &state);
    return size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t most, unsigned seed)
{
    unsigned state = seed;
    struct piece place = some_piece(one, one_size, &state), taken = some_piece(other, other_size, &state);

    if (one_size > most)
        one_size = most;
    memcpy(out, one, one_size);
    if (place.to > one_size)
        return one_size;
    return replace(out, one_size, most, place, other + taken.from, taken.to - taken.from);
}
