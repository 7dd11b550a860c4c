/*
 * json_read.c - JSON texts to values by RFC 8259, in one pass.
 *
 * Containers that are open are frames on the side; their parts wait on the stack of values, so depth costs memory and
 * nothing else, and is bounded. Strings are valid UTF-8 already (all Strings are); \u escapes must pair their
 * surrogates. Messages name the problem and the place as line and column (in bytes, from 1).
 */
#include "config.h"

#include "lib/json.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "vm/cursor.h"
#include "vm/except.h"
#include "vm/number.h"

enum { DEPTH_MAX = 10000, FRAMES_IN_PLACE = 16 };

/* A container that is open. */
struct frame {
    bool is_object;
    uint32_t count; /* parts on the stack: values of an array, pairs of an object */
};

struct reader {
    struct vm_ctx *ctx;
    struct lib_stack *stack;
    const char *start, *at, *end;
    struct vm_stack frames;
    struct nb_buf text; /* of a string with escapes */
};

/* ---- errors ---- */

/* An error at the byte before `to`, or at the end of the text. */
static enum vm_status fail_at(struct reader *reader, const char *detail, const char *to)
{
    unsigned line = 1, column = 0;

    if (to > reader->end)
        to = reader->end;
    for (const char *at = reader->start; at < to; at++) {
        column = *at == '\n' ? 0 : column + 1;
        line += *at == '\n';
    }
    return vm_raise_panic(reader->ctx, "JSON parse error: %s at line %u column %u", detail, line, column);
}

/* An error at the next byte. */
static enum vm_status fail(struct reader *reader, const char *detail)
{
    return fail_at(reader, detail, reader->at + 1);
}

static enum vm_status fail_at_end(struct reader *reader, const char *detail)
{
    return fail_at(reader, detail, reader->end);
}

/* The next byte that is no white space; 0 at the end. A zero byte in the text begins nothing either. */
static char next_mark(struct reader *reader)
{
    while (reader->at < reader->end &&
           (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' || *reader->at == '\r'))
        reader->at++;
    return reader->at < reader->end ? *reader->at : '\0';
}

static bool at_end(const struct reader *reader) { return reader->at == reader->end; }

/* ---- words and numbers ---- */

static enum vm_status push(struct reader *reader, vm_value value, enum lib_json_kind kind)
{
    if (kind != LIB_JSON_NULL && !lib_stack_push(reader->stack, value))
        return VM_NOMEM;
    return lib_json_wrap(reader->ctx, reader->stack, kind) ? VM_OK : VM_NOMEM;
}

static enum vm_status read_word(struct reader *reader, const char *word, vm_value value, enum lib_json_kind kind)
{
    for (reader->at++, word++; *word != '\0'; reader->at++, word++) {
        if (at_end(reader))
            return fail_at_end(reader, "EOF while parsing a value");
        if (*reader->at != *word)
            return fail(reader, "expected ident");
    }
    return push(reader, value, kind);
}

static bool at_digit(const struct reader *reader)
{
    return !at_end(reader) && *reader->at >= '0' && *reader->at <= '9';
}

static void skip_digits(struct reader *reader)
{
    while (at_digit(reader))
        reader->at++;
}

/* One digit at least. */
static enum vm_status expect_digits(struct reader *reader)
{
    if (at_end(reader))
        return fail_at_end(reader, "EOF while parsing a value");
    if (!at_digit(reader))
        return fail(reader, "invalid number");
    skip_digits(reader);
    return VM_OK;
}

static enum vm_status read_integer_part(struct reader *reader)
{
    if (*reader->at == '-')
        reader->at++;
    if (at_end(reader) || *reader->at != '0')
        return expect_digits(reader);
    reader->at++;
    return at_digit(reader) ? fail(reader, "invalid number") : VM_OK;
}

/* Fraction and exponent, each if there is one; *ret_any tells. */
static enum vm_status read_rest(struct reader *reader, bool *ret_any)
{
    enum vm_status status = VM_OK;

    *ret_any = false;
    if (!at_end(reader) && *reader->at == '.') {
        *ret_any = true;
        reader->at++;
        status = expect_digits(reader);
    }
    if (status == VM_OK && !at_end(reader) && (*reader->at == 'e' || *reader->at == 'E')) {
        *ret_any = true;
        reader->at++;
        if (!at_end(reader) && (*reader->at == '+' || *reader->at == '-'))
            reader->at++;
        status = expect_digits(reader);
    }
    return status;
}

static enum vm_status read_number(struct reader *reader)
{
    const char *from = reader->at;
    enum vm_status status = read_integer_part(reader);
    bool fractional;
    int64_t n;
    double d;

    if (status == VM_OK)
        status = read_rest(reader, &fractional);
    if (status != VM_OK)
        return status;
    if (!fractional && vm_parse_int(from, (size_t)(reader->at - from), &n))
        return push(reader, vm_int(reader->ctx, n), LIB_JSON_INTEGER);
    if (!vm_parse_float(from, (size_t)(reader->at - from), &d) || isinf(d))
        return fail_at(reader, "number out of range", reader->at);
    return push(reader, vm_float(reader->ctx, d), LIB_JSON_NUMBER);
}

/* ---- strings ---- */

static enum vm_status read_hex(struct reader *reader, unsigned *ret)
{
    *ret = 0;
    for (int i = 0; i < 4; i++) {
        char c = reader->at < reader->end ? *reader->at : '\0';

        if (at_end(reader))
            return fail_at_end(reader, "EOF while parsing a string");
        if (c >= '0' && c <= '9')
            *ret = *ret * 16 + (unsigned)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            *ret = *ret * 16 + (unsigned)((c | 32) - 'a') + 10;
        else
            return fail(reader, "invalid escape");
        reader->at++;
    }
    return VM_OK;
}

/* Behind \u. */
static enum vm_status read_code_point(struct reader *reader)
{
    unsigned first, second;
    enum vm_status status = read_hex(reader, &first);

    if (status != VM_OK)
        return status;
    if (first >= 0xdc00 && first <= 0xdfff)
        return fail_at(reader, "lone leading surrogate in hex escape", reader->at);
    if (first >= 0xd800 && first <= 0xdbff) {
        if (reader->end - reader->at < 2 || reader->at[0] != '\\' || reader->at[1] != 'u')
            return fail(reader, "unexpected end of hex escape");
        reader->at += 2;
        status = read_hex(reader, &second);
        if (status != VM_OK)
            return status;
        if (second < 0xdc00 || second > 0xdfff)
            return fail_at(reader, "lone leading surrogate in hex escape", reader->at);
        first = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    }
    nb_buf_code_point(&reader->text, first);
    return VM_OK;
}

static enum vm_status read_escape(struct reader *reader)
{
    static const char marks[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *mark;

    reader->at++;
    if (at_end(reader))
        return fail_at_end(reader, "EOF while parsing a string");
    if (*reader->at == 'u') {
        reader->at++;
        return read_code_point(reader);
    }
    mark = *reader->at == '\0' ? NULL : strchr(marks, *reader->at);
    if (mark == NULL)
        return fail(reader, "invalid escape");
    nb_buf_byte(&reader->text, meanings[mark - marks]);
    reader->at++;
    return VM_OK;
}

/* Bytes that stand for themselves. */
static void skip_plain(struct reader *reader)
{
    while (!at_end(reader) && *reader->at != '"' && *reader->at != '\\' && (unsigned char)*reader->at >= 0x20)
        reader->at++;
}

/* Push the String between quotes. */
static enum vm_status read_string(struct reader *reader)
{
    const char *from = ++reader->at;
    enum vm_status status = VM_OK;
    vm_value string;

    nb_buf_clear(&reader->text);
    for (skip_plain(reader); !at_end(reader) && *reader->at == '\\' && status == VM_OK; skip_plain(reader)) {
        nb_buf_append(&reader->text, from, (size_t)(reader->at - from));
        status = read_escape(reader);
        from = reader->at;
    }
    if (status != VM_OK)
        return status;
    if (at_end(reader))
        return fail_at_end(reader, "EOF while parsing a string");
    if (*reader->at != '"')
        return fail(reader, "control character (\\u0000-\\u001F) found while parsing a string");
    if (reader->text.length == 0) {
        string = vm_string(reader->ctx, from, (size_t)(reader->at - from));
    } else {
        nb_buf_append(&reader->text, from, (size_t)(reader->at - from));
        string = reader->text.failed ? VM_NONE
                                     : vm_string(reader->ctx, nb_buf_cstr(&reader->text), reader->text.length);
    }
    reader->at++;
    return lib_stack_push(reader->stack, string) ? VM_OK : VM_NOMEM;
}

/* ---- containers ---- */

static enum vm_status open(struct reader *reader, bool is_object)
{
    struct frame *frame;

    if (reader->frames.count == DEPTH_MAX)
        return fail(reader, "recursion limit exceeded");
    frame = vm_stack_push(&reader->frames);
    if (frame == NULL)
        return VM_NOMEM;
    *frame = (struct frame){ is_object, 0 };
    reader->at++;
    return VM_OK;
}

/* The pairs on top of the stack, of those with one key only one. The count that remains, or -1 without memory. */
static int64_t drop_duplicates(struct lib_stack *stack, uint32_t count)
{
    vm_value *pairs = stack->span.items + stack->span.count - count;
    struct vm_text *keys = count < 2 ? NULL : nb_alloc_array(count, sizeof *keys);
    uint32_t *latest = NULL, kept = 0;

    if (count < 2 || keys == NULL)
        return count < 2 ? (int64_t)count : -1;
    for (uint32_t i = 0; i < count; i++)
        keys[i] = vm_text(vm_field(pairs[i], 0));
    if (!lib_json_duplicates(keys, count, &latest))
        kept = count;
    for (uint32_t i = 0; latest != NULL && i < count; i++)
        if (latest[i] != UINT32_MAX)
            pairs[kept++] = pairs[latest[i]];
    nb_free(keys);
    nb_free(latest);
    stack->span.count -= count - kept;
    return kept == 0 ? -1 : (int64_t)kept;
}

/* The closing mark of the innermost container is next. */
static enum vm_status close(struct reader *reader)
{
    struct frame frame = *(struct frame *)vm_stack_top(&reader->frames);
    int64_t count = frame.is_object ? drop_duplicates(reader->stack, frame.count) : (int64_t)frame.count;

    vm_stack_pop(&reader->frames);
    reader->at++;
    if (count < 0 || !lib_stack_list(reader->ctx, reader->stack, (uint32_t)count))
        return VM_NOMEM;
    return lib_json_wrap(reader->ctx, reader->stack, frame.is_object ? LIB_JSON_OBJECT : LIB_JSON_ARRAY) ? VM_OK
                                                                                                        : VM_NOMEM;
}

static const char *end_in(const struct frame *frame)
{
    return frame->is_object ? "EOF while parsing an object" : "EOF while parsing a list";
}

/* A key and its colon. */
static enum vm_status read_key(struct reader *reader)
{
    char mark = next_mark(reader);
    enum vm_status status;

    if (at_end(reader))
        return fail_at_end(reader, "EOF while parsing an object");
    if (mark == '}')
        return fail(reader, "trailing comma");
    if (mark != '"')
        return fail(reader, "key must be a string");
    status = read_string(reader);
    if (status != VM_OK)
        return status;
    mark = next_mark(reader);
    if (at_end(reader))
        return fail_at_end(reader, "EOF while parsing an object");
    if (mark != ':')
        return fail(reader, "expected `:`");
    reader->at++;
    return VM_OK;
}

/* A container was opened: an object's first key, or an array's first value, is next, unless it ends at once. */
static enum vm_status begin(struct reader *reader, bool is_object, bool *ret_complete)
{
    enum vm_status status = open(reader, is_object);

    *ret_complete = false;
    if (status != VM_OK)
        return status;
    if (next_mark(reader) == (is_object ? '}' : ']')) {
        *ret_complete = true;
        return close(reader);
    }
    if (at_end(reader))
        return fail_at_end(reader, end_in(vm_stack_top(&reader->frames)));
    return is_object ? read_key(reader) : VM_OK;
}

/* Read a value, or the beginning of one up to where its first part stands. */
static enum vm_status read_value(struct reader *reader, bool *ret_complete)
{
    char mark = next_mark(reader);

    *ret_complete = true;
    if (at_end(reader))
        return fail_at_end(reader, "EOF while parsing a value");
    switch (mark) {
    case '{':
    case '[':
        return begin(reader, mark == '{', ret_complete);
    case '"': {
        enum vm_status status = read_string(reader);

        return status != VM_OK || lib_json_wrap(reader->ctx, reader->stack, LIB_JSON_STRING) ? status : VM_NOMEM;
    }
    case 't':
        return read_word(reader, "true", VM_TRUE, LIB_JSON_BOOL);
    case 'f':
        return read_word(reader, "false", VM_FALSE, LIB_JSON_BOOL);
    case 'n':
        return read_word(reader, "null", VM_UNIT, LIB_JSON_NULL);
    default:
        if (mark == '-' || (mark >= '0' && mark <= '9'))
            return read_number(reader);
        return fail(reader, "expected value");
    }
}

/* A value is complete inside of a container: on to the next one, or the container is complete. */
static enum vm_status go_on(struct reader *reader, bool *ret_complete)
{
    struct frame *frame = vm_stack_top(&reader->frames);
    char mark = next_mark(reader);

    *ret_complete = false;
    if (frame->is_object && !lib_stack_tuple(reader->ctx, reader->stack, 2))
        return VM_NOMEM;
    frame->count++;
    if (at_end(reader))
        return fail_at_end(reader, end_in(frame));
    if (mark == (frame->is_object ? '}' : ']')) {
        *ret_complete = true;
        return close(reader);
    }
    if (mark != ',')
        return fail(reader, frame->is_object ? "expected `,` or `}`" : "expected `,` or `]`");
    reader->at++;
    if (frame->is_object)
        return read_key(reader);
    return next_mark(reader) == ']' ? fail(reader, "trailing comma") : VM_OK;
}

static enum vm_status read_all(struct reader *reader)
{
    bool complete = false;
    enum vm_status status;

    do {
        status = complete ? go_on(reader, &complete) : read_value(reader, &complete);
    } while (status == VM_OK && !(complete && reader->frames.count == 0));
    if (status != VM_OK)
        return status;
    next_mark(reader);
    return at_end(reader) ? VM_OK : fail(reader, "trailing characters");
}

enum vm_status lib_json_read(struct vm_ctx *ctx, struct lib_stack *stack, const char *text, size_t length)
{
    struct frame in_place[FRAMES_IN_PLACE];
    struct reader reader = { .ctx = ctx, .stack = stack, .start = text, .at = text, .end = text + length,
                             .text = NB_BUF_INIT };
    enum vm_status status;

    vm_stack_init(&reader.frames, in_place, FRAMES_IN_PLACE, sizeof *in_place);
    status = read_all(&reader);
    vm_stack_done(&reader.frames);
    nb_buf_done(&reader.text);
    return status;
}
