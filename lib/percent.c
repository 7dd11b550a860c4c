/* percent.c - decoding of %XX, and making bytes valid UTF-8. */
#include "config.h"

#include "lib/percent.h"

#include <stdint.h>

#include "base/utf8.h"

/* Value of a hexadecimal digit; -1: it is none. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

void lib_percent_decode(struct nb_buf *out, const char *bytes, size_t length, bool plus)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '%' && length - i > 2 && hex_value(bytes[i + 1]) >= 0 && hex_value(bytes[i + 2]) >= 0) {
            nb_buf_byte(out, (char)(hex_value(bytes[i + 1]) << 4 | hex_value(bytes[i + 2])));
            i += 2;
        } else {
            nb_buf_byte(out, plus && bytes[i] == '+' ? ' ' : bytes[i]);
        }
    }
}

void lib_append_valid(struct nb_buf *out, const char *bytes, size_t length)
{
    if (nb_utf8_valid(bytes, length)) {
        nb_buf_append(out, bytes, length);
        return;
    }
    for (size_t at = 0; at < length && !out->failed;) {
        uint32_t c;

        at += nb_utf8_decode(bytes + at, length - at, &c);
        nb_buf_code_point(out, c);
    }
}
