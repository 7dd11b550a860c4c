/*
 * casing.c - full case mapping: utf8proc knows the one-to-one mappings, the table below the others.
 *
 * One mapping looks at its neighbours: the capital sigma, which in lower case is another letter at the end of a word.
 * The search for what follows it stops at the first character that is not looked through.
 */
#include "config.h"

#include "lib/casing.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "base/utf8.h"

struct expansion {
    uint16_t from;
    uint16_t to[3];
};

/* What has more than one character in upper case; sorted. */
static const struct expansion expansions[] = {
    { 0x00df, { 0x0053, 0x0053, 0 } }, { 0x0149, { 0x02bc, 0x004e, 0 } }, { 0x01f0, { 0x004a, 0x030c, 0 } },
    { 0x0390, { 0x0399, 0x0308, 0x0301 } }, { 0x03b0, { 0x03a5, 0x0308, 0x0301 } }, { 0x0587, { 0x0535, 0x0552, 0 } },
    { 0x1e96, { 0x0048, 0x0331, 0 } }, { 0x1e97, { 0x0054, 0x0308, 0 } }, { 0x1e98, { 0x0057, 0x030a, 0 } },
    { 0x1e99, { 0x0059, 0x030a, 0 } }, { 0x1e9a, { 0x0041, 0x02be, 0 } }, { 0x1f50, { 0x03a5, 0x0313, 0 } },
    { 0x1f52, { 0x03a5, 0x0313, 0x0300 } }, { 0x1f54, { 0x03a5, 0x0313, 0x0301 } },
    { 0x1f56, { 0x03a5, 0x0313, 0x0342 } }, { 0x1f80, { 0x1f08, 0x0399, 0 } }, { 0x1f81, { 0x1f09, 0x0399, 0 } },
    { 0x1f82, { 0x1f0a, 0x0399, 0 } }, { 0x1f83, { 0x1f0b, 0x0399, 0 } }, { 0x1f84, { 0x1f0c, 0x0399, 0 } },
    { 0x1f85, { 0x1f0d, 0x0399, 0 } }, { 0x1f86, { 0x1f0e, 0x0399, 0 } }, { 0x1f87, { 0x1f0f, 0x0399, 0 } },
    { 0x1f88, { 0x1f08, 0x0399, 0 } }, { 0x1f89, { 0x1f09, 0x0399, 0 } }, { 0x1f8a, { 0x1f0a, 0x0399, 0 } },
    { 0x1f8b, { 0x1f0b, 0x0399, 0 } }, { 0x1f8c, { 0x1f0c, 0x0399, 0 } }, { 0x1f8d, { 0x1f0d, 0x0399, 0 } },
    { 0x1f8e, { 0x1f0e, 0x0399, 0 } }, { 0x1f8f, { 0x1f0f, 0x0399, 0 } }, { 0x1f90, { 0x1f28, 0x0399, 0 } },
    { 0x1f91, { 0x1f29, 0x0399, 0 } }, { 0x1f92, { 0x1f2a, 0x0399, 0 } }, { 0x1f93, { 0x1f2b, 0x0399, 0 } },
    { 0x1f94, { 0x1f2c, 0x0399, 0 } }, { 0x1f95, { 0x1f2d, 0x0399, 0 } }, { 0x1f96, { 0x1f2e, 0x0399, 0 } },
    { 0x1f97, { 0x1f2f, 0x0399, 0 } }, { 0x1f98, { 0x1f28, 0x0399, 0 } }, { 0x1f99, { 0x1f29, 0x0399, 0 } },
    { 0x1f9a, { 0x1f2a, 0x0399, 0 } }, { 0x1f9b, { 0x1f2b, 0x0399, 0 } }, { 0x1f9c, { 0x1f2c, 0x0399, 0 } },
    { 0x1f9d, { 0x1f2d, 0x0399, 0 } }, { 0x1f9e, { 0x1f2e, 0x0399, 0 } }, { 0x1f9f, { 0x1f2f, 0x0399, 0 } },
    { 0x1fa0, { 0x1f68, 0x0399, 0 } }, { 0x1fa1, { 0x1f69, 0x0399, 0 } }, { 0x1fa2, { 0x1f6a, 0x0399, 0 } },
    { 0x1fa3, { 0x1f6b, 0x0399, 0 } }, { 0x1fa4, { 0x1f6c, 0x0399, 0 } }, { 0x1fa5, { 0x1f6d, 0x0399, 0 } },
    { 0x1fa6, { 0x1f6e, 0x0399, 0 } }, { 0x1fa7, { 0x1f6f, 0x0399, 0 } }, { 0x1fa8, { 0x1f68, 0x0399, 0 } },
    { 0x1fa9, { 0x1f69, 0x0399, 0 } }, { 0x1faa, { 0x1f6a, 0x0399, 0 } }, { 0x1fab, { 0x1f6b, 0x0399, 0 } },
    { 0x1fac, { 0x1f6c, 0x0399, 0 } }, { 0x1fad, { 0x1f6d, 0x0399, 0 } }, { 0x1fae, { 0x1f6e, 0x0399, 0 } },
    { 0x1faf, { 0x1f6f, 0x0399, 0 } }, { 0x1fb2, { 0x1fba, 0x0399, 0 } }, { 0x1fb3, { 0x0391, 0x0399, 0 } },
    { 0x1fb4, { 0x0386, 0x0399, 0 } }, { 0x1fb6, { 0x0391, 0x0342, 0 } }, { 0x1fb7, { 0x0391, 0x0342, 0x0399 } },
    { 0x1fbc, { 0x0391, 0x0399, 0 } }, { 0x1fc2, { 0x1fca, 0x0399, 0 } }, { 0x1fc3, { 0x0397, 0x0399, 0 } },
    { 0x1fc4, { 0x0389, 0x0399, 0 } }, { 0x1fc6, { 0x0397, 0x0342, 0 } }, { 0x1fc7, { 0x0397, 0x0342, 0x0399 } },
    { 0x1fcc, { 0x0397, 0x0399, 0 } }, { 0x1fd2, { 0x0399, 0x0308, 0x0300 } }, { 0x1fd3, { 0x0399, 0x0308, 0x0301 } },
    { 0x1fd6, { 0x0399, 0x0342, 0 } }, { 0x1fd7, { 0x0399, 0x0308, 0x0342 } }, { 0x1fe2, { 0x03a5, 0x0308, 0x0300 } },
    { 0x1fe3, { 0x03a5, 0x0308, 0x0301 } }, { 0x1fe4, { 0x03a1, 0x0313, 0 } }, { 0x1fe6, { 0x03a5, 0x0342, 0 } },
    { 0x1fe7, { 0x03a5, 0x0308, 0x0342 } }, { 0x1ff2, { 0x1ffa, 0x0399, 0 } }, { 0x1ff3, { 0x03a9, 0x0399, 0 } },
    { 0x1ff4, { 0x038f, 0x0399, 0 } }, { 0x1ff6, { 0x03a9, 0x0342, 0 } }, { 0x1ff7, { 0x03a9, 0x0342, 0x0399 } },
    { 0x1ffc, { 0x03a9, 0x0399, 0 } }, { 0xfb00, { 0x0046, 0x0046, 0 } }, { 0xfb01, { 0x0046, 0x0049, 0 } },
    { 0xfb02, { 0x0046, 0x004c, 0 } }, { 0xfb03, { 0x0046, 0x0046, 0x0049 } }, { 0xfb04, { 0x0046, 0x0046, 0x004c } },
    { 0xfb05, { 0x0053, 0x0054, 0 } }, { 0xfb06, { 0x0053, 0x0054, 0 } }, { 0xfb13, { 0x0544, 0x0546, 0 } },
    { 0xfb14, { 0x0544, 0x0535, 0 } }, { 0xfb15, { 0x0544, 0x053b, 0 } }, { 0xfb16, { 0x054e, 0x0546, 0 } },
    { 0xfb17, { 0x0544, 0x053d, 0 } },
};

static int compare_expansion(const void *key, const void *row)
{
    uint32_t from = ((const struct expansion *)row)->from;
    uint32_t wanted = *(const uint32_t *)key;

    return wanted < from ? -1 : wanted > from;
}

static void upper_one(struct nb_buf *out, uint32_t code_point)
{
    const struct expansion *found;

    if (code_point < 0x80) {
        nb_buf_byte(out, (char)(code_point >= 'a' && code_point <= 'z' ? code_point - 32 : code_point));
        return;
    }
    found = bsearch(&code_point, expansions, sizeof expansions / sizeof *expansions, sizeof *expansions,
                    compare_expansion);
    if (found == NULL) {
        nb_buf_code_point(out, (unsigned)utf8proc_toupper((utf8proc_int32_t)code_point));
        return;
    }
    for (unsigned i = 0; i < 3 && found->to[i] != 0; i++)
        nb_buf_code_point(out, found->to[i]);
}

void lib_upper(struct nb_buf *out, const char *bytes, size_t length)
{
    uint32_t code_point;

    for (size_t at = 0; at < length;) {
        at += nb_utf8_decode(bytes + at, length - at, &code_point);
        upper_one(out, code_point);
    }
}

enum role { LETTER, IGNORED, OTHER };

/* What a neighbour means for the form of a sigma: marks, apostrophes and the like are looked through. */
static enum role role_of(uint32_t code_point)
{
    switch (utf8proc_category((utf8proc_int32_t)code_point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
        return LETTER;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
        return IGNORED;
    default:
        return code_point == '\'' || code_point == 0x2019 || code_point == '.' || code_point == 0xb7 ? IGNORED : OTHER;
    }
}

static bool letter_follows(const char *bytes, size_t length)
{
    uint32_t code_point;
    enum role role = IGNORED;

    for (size_t at = 0; at < length && role == IGNORED;) {
        at += nb_utf8_decode(bytes + at, length - at, &code_point);
        role = role_of(code_point);
    }
    return role == LETTER;
}

void lib_lower(struct nb_buf *out, const char *bytes, size_t length)
{
    enum { CAPITAL_SIGMA = 0x3a3, SIGMA = 0x3c3, FINAL_SIGMA = 0x3c2, CAPITAL_I_DOT = 0x130, DOT_ABOVE = 0x307 };
    enum role before = OTHER; /* of the last character that was not looked through */
    uint32_t code_point;

    for (size_t at = 0; at < length;) {
        enum role role;

        at += nb_utf8_decode(bytes + at, length - at, &code_point);
        role = role_of(code_point);
        if (code_point < 0x80) {
            nb_buf_byte(out, (char)(code_point >= 'A' && code_point <= 'Z' ? code_point + 32 : code_point));
        } else if (code_point == CAPITAL_SIGMA) {
            bool final = before == LETTER && !letter_follows(bytes + at, length - at);

            nb_buf_code_point(out, final ? FINAL_SIGMA : SIGMA);
        } else if (code_point == CAPITAL_I_DOT) {
            nb_buf_byte(out, 'i');
            nb_buf_code_point(out, DOT_ABOVE);
        } else {
            nb_buf_code_point(out, (unsigned)utf8proc_tolower((utf8proc_int32_t)code_point));
        }
        if (role != IGNORED)
            before = role;
    }
}
