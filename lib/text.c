/*
 * text.c - what the natives of strings ask of bytes in UTF-8.
 */
#include "config.h"

#include "lib/text.h"

#include <string.h>

#include "base/utf8.h"

bool lib_is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

size_t lib_space_before(const char *bytes, size_t length)
{
    size_t at = 0;

    while (at < length) {
        uint32_t c;
        size_t used = nb_utf8_decode(bytes + at, length - at, &c);

        if (!lib_is_space(c))
            break;
        at += used;
    }
    return at;
}

size_t lib_last_start(const char *bytes, size_t length)
{
    size_t at = length - 1;

    while (at > 0 && ((unsigned char)bytes[at] & 0xc0) == 0x80)
        at--;
    return at;
}

size_t lib_without_space_after(const char *bytes, size_t length)
{
    while (length > 0) {
        size_t at = lib_last_start(bytes, length);
        uint32_t c;

        nb_utf8_decode(bytes + at, length - at, &c);
        if (!lib_is_space(c))
            break;
        length = at;
    }
    return length;
}

int64_t lib_find_from(struct vm_text text, struct vm_text part, size_t from)
{
    const char *found = memmem(text.bytes + from, text.length - from, part.bytes, part.length);

    return found == NULL ? -1 : found - text.bytes;
}

bool lib_too_long(const struct nb_buf *out)
{
    return out->failed || out->length > VM_STRING_MAX;
}
