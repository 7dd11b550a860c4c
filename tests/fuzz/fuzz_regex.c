/*
 * fuzz_regex.c - any pattern on any text: matches lie in the text, in order and at characters, and the search comes to
 * an end. Each pattern is used twice: interpreted and, where the system allows it, as machine code.
 *
 * The input is the pattern, a NUL, the text.
 */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "lib/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_pair(const size_t *pair, const char *text, size_t length)
{
    if (pair[0] == LIB_SEARCH_ABSENT)
        return;
    nb_assert(pair[0] <= pair[1] && pair[1] <= length);
    nb_assert(nb_utf8_valid(text + pair[0], pair[1] - pair[0]));
}

static void check_match(const struct lib_search *search, size_t last_end, const char *text, size_t length)
{
    nb_assert(last_end == SIZE_MAX || search->found[0] >= last_end);
    nb_assert(search->found[1] != search->found[0] || search->found[0] != last_end);
    check_pair(search->found, text, length);
}

static void search_all(struct lib_pattern *pattern, const char *text, size_t length)
{
    struct lib_search search;
    enum lib_search_result result;
    size_t matches = 0;

    lib_search_begin(&search, pattern);
    do {
        size_t last_end = search.last_end;

        result = lib_search_next(&search, text, length, 1000000);
        if (result == LIB_SEARCH_FOUND) {
            check_match(&search, last_end, text, length);
            matches++;
        }
        nb_assert(matches <= length + 1);
    } while (result == LIB_SEARCH_FOUND || result == LIB_SEARCH_MORE);
}

static void use(const char *pattern, size_t length, const char *text, size_t text_length)
{
    struct nb_buf wrong = NB_BUF_INIT;
    struct lib_pattern *compiled = lib_pattern_get(pattern, length, &wrong);

    nb_assert((compiled == NULL) == (wrong.length > 0));
    if (compiled != NULL) {
        (void)lib_pattern_group(compiled, text, text_length);
        search_all(compiled, text, text_length);
    }
    lib_pattern_unref(compiled);
    nb_buf_done(&wrong);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *pattern = (const char *)bytes;
    const char *nul = memchr(pattern, '\0', size);
    size_t length = nul == NULL ? size : (size_t)(nul - pattern);
    const char *text = nul == NULL ? pattern : nul + 1;
    size_t text_length = nul == NULL ? size : size - length - 1;

    if (!nb_utf8_valid(pattern, length) || !nb_utf8_valid(text, text_length))
        return 0; /* strings never are like that */
    use(pattern, length, text, text_length);
    use(pattern, length, text, text_length);
    return 0;
}
