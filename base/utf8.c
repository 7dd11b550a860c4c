/*
 * utf8.c - UTF-8 by the book: the lead byte says how many follow and in which range the first of them lies.
 *
 * That range is what keeps overlong forms, surrogates and numbers beyond 0x10FFFF out. Long runs are mostly
 * ASCII, so everything that walks a text does so eight bytes at a time where it can.
 */
#include "config.h"

#include "base/utf8.h"

#include <string.h>

#define HIGH_BITS 0x8080808080808080u
#define LOW_BITS 0x0101010101010101u

static uint64_t load_word(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

static size_t ascii_prefix(const char *bytes, size_t length)
{
    size_t i = 0;

    while (length - i >= sizeof(uint64_t) && (load_word(bytes + i) & HIGH_BITS) == 0)
        i += sizeof(uint64_t);
    while (i < length && (unsigned char)bytes[i] < 0x80)
        i++;
    return i;
}

static bool is_continuation(char byte) { return ((unsigned char)byte & 0xc0) == 0x80; }

/* The length of the sequence that a lead byte announces, 0 for none, with the range of its second byte. */
static size_t announced(unsigned char lead, unsigned char *ret_from, unsigned char *ret_to)
{
    *ret_from = 0x80;
    *ret_to = 0xbf;
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2)
        return 0; /* a continuation, or the overlong form of ASCII */
    if (lead < 0xe0)
        return 2;
    if (lead < 0xf0) {
        if (lead == 0xe0)
            *ret_from = 0xa0; /* below: overlong */
        if (lead == 0xed)
            *ret_to = 0x9f; /* above: surrogates */
        return 3;
    }
    if (lead > 0xf4)
        return 0;
    if (lead == 0xf0)
        *ret_from = 0x90; /* below: overlong */
    if (lead == 0xf4)
        *ret_to = 0x8f; /* above: beyond the last code point */
    return 4;
}

/* Bytes of the well-formed sequence at the start, 0 if there is none. */
static size_t well_formed(const char *bytes, size_t length)
{
    unsigned char from, to;
    size_t size = announced((unsigned char)bytes[0], &from, &to);

    if (size == 0 || size > length)
        return 0;
    if (size > 1 && ((unsigned char)bytes[1] < from || (unsigned char)bytes[1] > to))
        return 0;
    for (size_t i = 2; i < size; i++)
        if (!is_continuation(bytes[i]))
            return 0;
    return size;
}

bool nb_utf8_valid(const char *bytes, size_t length)
{
    size_t i = 0;

    while ((i += ascii_prefix(bytes + i, length - i)) < length) {
        size_t size = well_formed(bytes + i, length - i);

        if (size == 0)
            return false;
        i += size;
    }
    return true;
}

bool nb_utf8_is_ascii(const char *bytes, size_t length) { return ascii_prefix(bytes, length) == length; }

/* How many of eight bytes begin a code point: all but those of the form 10xxxxxx. */
static size_t starts_in_word(uint64_t word)
{
    uint64_t continuations = (word >> 7) & (~word >> 6) & LOW_BITS;

    return sizeof word - (size_t)__builtin_popcountll(continuations);
}

size_t nb_utf8_count(const char *bytes, size_t length)
{
    size_t count = 0, i = 0;

    for (; length - i >= sizeof(uint64_t); i += sizeof(uint64_t))
        count += starts_in_word(load_word(bytes + i));
    for (; i < length; i++)
        count += !is_continuation(bytes[i]);
    return count;
}

size_t nb_utf8_decode(const char *bytes, size_t length, uint32_t *ret_code_point)
{
    static const unsigned char lead_mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    size_t size;
    uint32_t code_point;

    if (length == 0)
        return 0;
    size = well_formed(bytes, length);
    if (size == 0) {
        *ret_code_point = 0xfffd;
        return 1;
    }
    code_point = (unsigned char)bytes[0] & lead_mask[size];
    for (size_t i = 1; i < size; i++)
        code_point = code_point << 6 | ((unsigned char)bytes[i] & 0x3f);
    *ret_code_point = code_point;
    return size;
}

size_t nb_utf8_encode(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xc0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        if (code_point >= 0xd800 && code_point <= 0xdfff)
            return 0;
        out[0] = (char)(0xe0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code_point & 0x3f));
        return 3;
    }
    if (code_point > 0x10ffff)
        return 0;
    out[0] = (char)(0xf0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code_point & 0x3f));
    return 4;
}

size_t nb_utf8_offset(const char *bytes, size_t length, size_t n)
{
    size_t i = 0;

    while (length - i >= sizeof(uint64_t)) {
        size_t starts = starts_in_word(load_word(bytes + i));

        if (starts > n)
            break;
        n -= starts;
        i += sizeof(uint64_t);
    }
    for (; i < length; i++)
        if (!is_continuation(bytes[i]) && n-- == 0)
            return i;
    return length;
}
