/*
 * pattern.c - regular expressions by PCRE2.
 *
 * Each thread has a cache of compiled patterns and the scratch memory of matching, so nothing here takes a lock. A
 * search may go on on another thread than it began on: patterns are counted and do not change once they are shared.
 *
 * The dialect is that of 04 §11 and more (look-around, back-references): a superset costs nothing, as what makes them
 * dear is bounded anyway. Machine code is made for a pattern when it is used again, where the system allows it.
 *
 * In front of each pattern goes a callout: PCRE2 calls at_place() whenever it tries another place where a match may
 * begin. There the clock is looked at, and the search stopped, to be taken up at that place, or given up. (Windows of
 * places, by PCRE2's offset limit, would make its interpreter look through the whole rest of the text for each.)
 *
 * Machine code has less memory for backtracking than the interpreter, so where it runs short that one goes on: whether
 * a text is too long for a pattern must not depend on how often the pattern was used. What takes too many steps is
 * nearly always a text that does not match in a great many ways; that it does not is found out by PCRE2's other
 * algorithm, which follows all ways at once. It knows nothing of groups, nor of which match comes first.
 */
#include "config.h"

#include "lib/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/stress.h"

#define PATTERN_MAGIC 0x7e9ec0deu

enum {
    CACHE_SLOTS = 64,
    PATTERN_BYTES_MAX = 100000,
    STEPS_MAX = 2000000,      /* for matches that begin at one place; less than 0.1 s */
    DEPTH_MAX = 1000000,      /* of backtracking points, in steps; memory is what really bounds it */
    HEAP_KIB_MAX = 65536,     /* for them */
    KEPT_BYTES_MAX = 1048576, /* of that memory from one search to the next */
    STACK_BYTES_MIN = 32 * 1024,
    STACK_BYTES_MAX = 8 * 1024 * 1024, /* the same for machine code */
    WIDE_BYTES_MAX = 1000,             /* of text for all paths at once … */
    WIDE_STATES = 3000,                /* … and words for where they are: less than 0.1 s for a place */
    WIDE_DEPTH_MAX = 100,              /* of groups that are matched by themselves, on the C stack */
    PAIRS_FIRST = 16,
    PLACES_PER_LOOK = NB_STRESS_OR(1, 16) /* at the clock, where they were quick */
};
static const uint64_t search_ns_max = UINT64_C(10000000000);
static const char prefix[] = "(?C1)";
enum { PREFIX_BYTES = sizeof prefix - 1 };

struct lib_pattern {
    unsigned magic;
    _Atomic unsigned references;
    pcre2_code *code;
    bool machine_code_tried; /* only the thread in whose cache it is looks at it */
    uint32_t groups;
    size_t length; /* of text, the prefix included */
    char text[];
};

/* What a thread needs to match. */
struct scratch {
    pcre2_compile_context *compiling;
    pcre2_match_context *matching, *wide;
    pcre2_jit_stack *stack;
    pcre2_general_context *counting; /* for data, with the backtracking points that it has */
    size_t counted;                  /* bytes */
    pcre2_match_data *data;
    int *states;                            /* for all paths at once; NULL until then */
    uint32_t pairs;                         /* that fit in data */
    struct lib_pattern *cache[CACHE_SLOTS]; /* by hash: a newcomer takes the place of whoever is there */
};

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;

/* ---- per thread ---- */

/* Memory for PCRE2 that is counted. Large blocks are pages of their own, which the system has again once they are
 * freed; in front of each block stands its size. */
enum { HEAD_BYTES = 16, PAGES_FROM_BYTES = 131072 };

static void *counted_alloc(size_t bytes, void *closure)
{
    struct scratch *scratch = closure;
    char *memory;

    if (bytes > SIZE_MAX - HEAD_BYTES)
        return NULL;
    bytes += HEAD_BYTES;
    memory = bytes < PAGES_FROM_BYTES ? nb_alloc(bytes) : nb_pages_new(bytes, false);
    if (memory == NULL)
        return NULL;
    memcpy(memory, &bytes, sizeof bytes);
    scratch->counted += bytes;
    return memory + HEAD_BYTES;
}

static void counted_free(void *inner, void *closure)
{
    struct scratch *scratch = closure;
    char *memory = inner;
    size_t bytes;

    if (inner == NULL)
        return;
    memory -= HEAD_BYTES;
    memcpy(&bytes, memory, sizeof bytes);
    scratch->counted -= bytes;
    if (bytes < PAGES_FROM_BYTES)
        nb_free(memory);
    else
        nb_pages_free(memory, bytes);
}

static void scratch_free(void *memory)
{
    struct scratch *scratch = memory;

    for (size_t i = 0; i < CACHE_SLOTS; i++)
        lib_pattern_unref(scratch->cache[i]);
    pcre2_match_data_free(scratch->data);
    pcre2_general_context_free(scratch->counting);
    pcre2_match_context_free(scratch->matching);
    pcre2_match_context_free(scratch->wide);
    nb_free(scratch->states);
    pcre2_jit_stack_free(scratch->stack);
    pcre2_compile_context_free(scratch->compiling);
    nb_free(scratch);
}

static void make_key(void)
{
    int r = pthread_key_create(&scratch_key, scratch_free);

    nb_assert(r == 0);
}

static bool scratch_fill(struct scratch *scratch)
{
    scratch->compiling = pcre2_compile_context_create(NULL);
    scratch->matching = pcre2_match_context_create(NULL);
    scratch->wide = pcre2_match_context_create(NULL);
    scratch->stack = pcre2_jit_stack_create(STACK_BYTES_MIN, STACK_BYTES_MAX, NULL); /* NULL: no machine code here */
    scratch->counting = pcre2_general_context_create(counted_alloc, counted_free, scratch);
    scratch->data = scratch->counting == NULL ? NULL : pcre2_match_data_create(PAIRS_FIRST, scratch->counting);
    scratch->pairs = PAIRS_FIRST;
    if (scratch->compiling == NULL || scratch->matching == NULL || scratch->wide == NULL || scratch->data == NULL)
        return false;
    pcre2_set_newline(scratch->compiling, PCRE2_NEWLINE_LF);
    pcre2_set_max_pattern_length(scratch->compiling, PATTERN_BYTES_MAX);
    pcre2_set_match_limit(scratch->matching, STEPS_MAX);
    pcre2_set_depth_limit(scratch->matching, DEPTH_MAX);
    pcre2_set_heap_limit(scratch->matching, HEAP_KIB_MAX);
    pcre2_jit_stack_assign(scratch->matching, NULL, scratch->stack);
    pcre2_set_match_limit(scratch->wide, STEPS_MAX);
    pcre2_set_depth_limit(scratch->wide, WIDE_DEPTH_MAX);
    return true;
}

/* This thread's; NULL when memory is exhausted. */
static struct scratch *scratch_of_thread(void)
{
    struct scratch *scratch;

    pthread_once(&scratch_once, make_key);
    scratch = pthread_getspecific(scratch_key);
    if (scratch != NULL)
        return scratch;
    scratch = nb_alloc_zero(sizeof *scratch);
    if (scratch == NULL)
        return NULL;
    if (!scratch_fill(scratch) || pthread_setspecific(scratch_key, scratch) != 0) {
        scratch_free(scratch);
        return NULL;
    }
    return scratch;
}

/* ---- patterns ---- */

static struct lib_pattern *pattern_new(struct scratch *scratch, const char *text, size_t length,
                                       struct nb_buf *ret_wrong)
{
    struct lib_pattern *pattern = nb_alloc_zero(sizeof *pattern + PREFIX_BYTES + length);
    int error = 0;
    size_t where = 0;

    if (pattern == NULL) {
        nb_buf_text(ret_wrong, "out of memory");
        return NULL;
    }
    pattern->magic = PATTERN_MAGIC;
    pattern->references = 1;
    pattern->length = PREFIX_BYTES + length;
    memcpy(pattern->text, prefix, PREFIX_BYTES);
    memcpy(pattern->text + PREFIX_BYTES, text, length);
    pattern->code =
        pcre2_compile((PCRE2_SPTR)pattern->text, pattern->length,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY,
                      &error, &where, scratch->compiling);
    if (pattern->code == NULL) {
        char words[256];

        pcre2_get_error_message(error, (PCRE2_UCHAR *)words, sizeof words);
        nb_buf_printf(ret_wrong, "%s at byte %zu", words, where < PREFIX_BYTES ? 0 : where - PREFIX_BYTES);
        return lib_pattern_unref(pattern);
    }
    pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &pattern->groups);
    pattern->groups++;
    return pattern;
}

struct lib_pattern *lib_pattern_unref(struct lib_pattern *pattern)
{
    if (pattern == NULL)
        return NULL;
    nb_check_object(pattern, PATTERN_MAGIC);
    if (atomic_fetch_sub_explicit(&pattern->references, 1, memory_order_acq_rel) == 1) {
        pcre2_code_free(pattern->code);
        pattern->magic = 0;
        nb_free(pattern);
    }
    return NULL;
}

/* FNV-1a */
static size_t slot_of(const char *text, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return (size_t)((hash ^ hash >> 32) % CACHE_SLOTS);
}

/* A pattern out of the cache is used for the second time at least: worth machine code, if nobody else has it (a search
 * that yielded may be running on another thread). */
static void make_machine_code(struct scratch *scratch, struct lib_pattern *pattern)
{
    if (pattern->machine_code_tried || scratch->stack == NULL ||
        atomic_load_explicit(&pattern->references, memory_order_acquire) != 1)
        return;
    pattern->machine_code_tried = true;
    (void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE); /* refused: the interpreter does it */
}

struct lib_pattern *lib_pattern_get(const char *text, size_t length, struct nb_buf *ret_wrong)
{
    struct scratch *scratch = scratch_of_thread();
    struct lib_pattern *pattern, **slot;

    if (scratch == NULL) {
        nb_buf_text(ret_wrong, "out of memory");
        return NULL;
    }
    slot = &scratch->cache[length <= PATTERN_BYTES_MAX ? slot_of(text, length) : 0];
    pattern = *slot;
    if (pattern != NULL && pattern->length == PREFIX_BYTES + length &&
        memcmp(pattern->text + PREFIX_BYTES, text, length) == 0) {
        make_machine_code(scratch, pattern);
    } else {
        pattern = pattern_new(scratch, text, length, ret_wrong);
        if (pattern == NULL)
            return NULL;
        lib_pattern_unref(*slot);
        *slot = pattern;
    }
    atomic_fetch_add_explicit(&pattern->references, 1, memory_order_relaxed);
    return pattern;
}

uint32_t lib_pattern_groups(const struct lib_pattern *pattern)
{
    nb_check_object(pattern, PATTERN_MAGIC);
    return pattern->groups;
}

/* The number that decimal digits stand for; -1 when it is too large or there is something else. */
static int number_in(const char *digits, size_t length)
{
    int number = 0;

    for (size_t i = 0; i < length; i++) {
        if (digits[i] < '0' || digits[i] > '9' || number > 100000)
            return -1;
        number = number * 10 + (digits[i] - '0');
    }
    return number;
}

int lib_pattern_group(const struct lib_pattern *pattern, const char *name, size_t length)
{
    char text[64];
    int number = number_in(name, length);

    nb_check_object(pattern, PATTERN_MAGIC);
    if (length == 0 || length >= sizeof text)
        return -1;
    if (number < 0) {
        memcpy(text, name, length);
        text[length] = '\0';
        number = pcre2_substring_number_from_name(pattern->code, (PCRE2_SPTR)text);
    }
    return number >= 0 && (uint32_t)number < pattern->groups ? number : -1;
}

/* ---- searching ---- */

void lib_search_begin(struct lib_search *search, struct lib_pattern *pattern)
{
    nb_check_object(pattern, PATTERN_MAGIC);
    *search = (struct lib_search){ .pattern = pattern, .last_end = SIZE_MAX };
}

/* One call of PCRE2. */
struct attempt {
    struct lib_search *search;
    uint64_t begun, slice_ns; /* the clock then; what this call may take */
    unsigned places;          /* tried so far */
    bool over;                /* the time for the whole search is */
};

/* PCRE2 is about to try a place: go on (0) or not. The first place of an attempt is always tried. A pattern that recurs
 * into itself comes by here as well, at the place where it is already: that is no progress to take up later, and the
 * limit of steps ends it. */
static int at_place(pcre2_callout_block *block, void *data)
{
    struct attempt *attempt = data;
    uint64_t elapsed;

    if (attempt->places > 0 && block->start_match == attempt->search->at)
        return 0;
    attempt->search->at = block->start_match;
    if (attempt->places++ == 0 || (attempt->places % PLACES_PER_LOOK != 0 && attempt->search->way != LIB_SEARCH_WIDE))
        return 0;
    elapsed = nb_clock_ns() - attempt->begun;
    attempt->over = attempt->search->used_ns + elapsed > search_ns_max;
    return attempt->over || elapsed >= attempt->slice_ns ? PCRE2_ERROR_CALLOUT : 0;
}

static bool make_room(struct scratch *scratch, uint32_t pairs)
{
    pcre2_match_data *data;

    if (pairs <= scratch->pairs)
        return true;
    data = pcre2_match_data_create(pairs, scratch->counting);
    if (data == NULL)
        return false;
    pcre2_match_data_free(scratch->data);
    scratch->data = data;
    scratch->pairs = pairs;
    return true;
}

/* The backtracking points of a long match are not kept for the next one; what was found is. */
static void give_back(struct scratch *scratch, struct lib_search *search)
{
    pcre2_match_data *data;

    if (scratch->counted <= KEPT_BYTES_MAX)
        return;
    data = pcre2_match_data_create(scratch->pairs, scratch->counting);
    if (data == NULL)
        return;
    memcpy(pcre2_get_ovector_pointer(data), pcre2_get_ovector_pointer(scratch->data),
           2 * scratch->pairs * sizeof(size_t));
    pcre2_match_data_free(scratch->data);
    scratch->data = data;
    search->found = pcre2_get_ovector_pointer(data);
}

/* Where the character after the one at `at` begins. */
static size_t next_character(const char *text, size_t length, size_t at)
{
    at++;
    while (at < length && ((unsigned char)text[at] & 0xc0) == 0x80)
        at++;
    return at;
}

static enum lib_search_result failed(struct lib_search *search, int error)
{
    search->error = error;
    return error == PCRE2_ERROR_NOMEMORY ? LIB_SEARCH_NO_MEMORY : LIB_SEARCH_LIMIT;
}

/* What PCRE2's answer means, matches aside. */
static enum lib_search_result without_match(const struct attempt *attempt, size_t length, int answer)
{
    struct lib_search *search = attempt->search;

    if (answer == PCRE2_ERROR_CALLOUT && !attempt->over)
        return LIB_SEARCH_MORE;
    if (answer == PCRE2_ERROR_CALLOUT)
        return failed(search, PCRE2_ERROR_MATCHLIMIT);
    if (answer != PCRE2_ERROR_NOMATCH)
        return failed(search, answer);
    search->at = length;
    return LIB_SEARCH_NONE;
}

static int backtrack(struct scratch *scratch, const struct lib_search *search, const char *text, size_t length)
{
    uint32_t options = PCRE2_NO_UTF_CHECK | (search->way == LIB_SEARCH_FAST ? 0 : PCRE2_NO_JIT);

    return pcre2_match(search->pattern->code, (PCRE2_SPTR)text, length, search->at, options, scratch->data,
                       scratch->matching);
}

static bool is_bound(int answer)
{
    return answer == PCRE2_ERROR_MATCHLIMIT || answer == PCRE2_ERROR_DEPTHLIMIT || answer == PCRE2_ERROR_HEAPLIMIT;
}

/* All paths at once. Where they say that a match begins behind the place at which backtracking struck its bounds, that
 * is tried again from there. Where they cannot help (patterns with back-references, above all), the bound that was
 * struck is the answer. */
static int match_wide(struct scratch *scratch, struct lib_search *search, const char *text, size_t length)
{
    int r;

    if (scratch->states == NULL)
        scratch->states = nb_alloc(WIDE_STATES * sizeof *scratch->states);
    if (scratch->states == NULL)
        return PCRE2_ERROR_NOMEMORY;
    r = pcre2_dfa_match(search->pattern->code, (PCRE2_SPTR)text, length, search->at,
                        PCRE2_NO_UTF_CHECK | PCRE2_DFA_SHORTEST, scratch->data, scratch->wide, scratch->states,
                        WIDE_STATES);
    if (r == PCRE2_ERROR_NOMATCH || r == PCRE2_ERROR_CALLOUT || r == PCRE2_ERROR_NOMEMORY)
        return r;
    if (r < 0 || (!search->whether && search->at == search->struck))
        return search->error;
    search->way = LIB_SEARCH_PLAIN;
    return search->whether ? 1 : backtrack(scratch, search, text, length);
}

/* From search->at on, in the way that gets through. The answer is PCRE2's; at_place() has moved search->at. */
static int match(struct scratch *scratch, struct lib_search *search, const char *text, size_t length)
{
    int r = PCRE2_ERROR_JIT_STACKLIMIT;

    if (search->way == LIB_SEARCH_WIDE)
        return match_wide(scratch, search, text, length);
    if (search->way == LIB_SEARCH_FAST)
        r = backtrack(scratch, search, text, length);
    if (r == PCRE2_ERROR_JIT_STACKLIMIT) {
        search->way = LIB_SEARCH_PLAIN;
        r = backtrack(scratch, search, text, length);
    }
    if (!is_bound(r) || length - search->at > WIDE_BYTES_MAX)
        return r;
    search->way = LIB_SEARCH_WIDE;
    search->error = r;
    search->struck = search->at;
    return match_wide(scratch, search, text, length);
}

static enum lib_search_result next(struct scratch *scratch, struct attempt *attempt, const char *text, size_t length)
{
    struct lib_search *search = attempt->search;

    pcre2_set_callout(scratch->matching, at_place, attempt);
    pcre2_set_callout(scratch->wide, at_place, attempt);
    while (search->at <= length) {
        int r = match(scratch, search, text, length);
        const size_t *pairs;

        if (r <= 0)
            return without_match(attempt, length, r);
        pairs = pcre2_get_ovector_pointer(scratch->data);
        if (pairs[1] < pairs[0]) /* \K can make a match end before it begins */
            return failed(search, PCRE2_ERROR_BADOFFSET);
        if (pairs[1] != pairs[0] || pairs[0] != search->last_end) {
            search->found = pairs;
            search->last_end = search->at = pairs[1];
            return LIB_SEARCH_FOUND;
        }
        search->at = next_character(text, length, pairs[0]);
    }
    return LIB_SEARCH_NONE;
}

enum lib_search_result lib_search_next(struct lib_search *search, const char *text, size_t length, uint64_t slice_ns)
{
    struct scratch *scratch = scratch_of_thread();
    struct attempt attempt = { .search = search, .begun = nb_clock_ns(), .slice_ns = slice_ns };
    enum lib_search_result result;

    if (scratch == NULL || !make_room(scratch, search->pattern->groups))
        return LIB_SEARCH_NO_MEMORY;
    result = next(scratch, &attempt, text, length);
    give_back(scratch, search);
    search->used_ns += nb_clock_ns() - attempt.begun;
    return result;
}

void lib_search_problem(const struct lib_search *search, struct nb_buf *out)
{
    char words[256];

    pcre2_get_error_message(search->error, (PCRE2_UCHAR *)words, sizeof words);
    nb_buf_text(out, words);
}
