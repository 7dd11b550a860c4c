/*
 * json_lenient.c - the reader that makes a value of any text (04 §3.3): what does not fit ends the container it is in.
 *
 * Its rules are those of jsonParse in programs, which rely on them; correct JSON gives the same value as with the
 * strict reader but for exponents, \u escapes and duplicate keys.
 */
#include "config.h"

#include "lib/json.h"

#include <string.h>

#include "vm/cursor.h"
#include "vm/number.h"

enum { FRAMES_IN_PLACE = 16 };

enum frame_state { IN_ARRAY, AT_KEY, AT_VALUE };

struct frame {
    enum frame_state state;
    uint32_t count; /* parts on the stack: values of an array, pairs of an object */
};

struct reader {
    struct vm_ctx *ctx;
    struct lib_stack *stack;
    const char *at, *end;
    struct vm_stack frames;
    struct nb_buf text;
};

/* The next byte that is no white space; 0 at the end. */
static char next_mark(struct reader *reader)
{
    while (reader->at < reader->end &&
           (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' || *reader->at == '\r'))
        reader->at++;
    return reader->at < reader->end ? *reader->at : '\0';
}

/* Whether a mark comes next, white space aside; it is skipped then. */
static bool accept(struct reader *reader, char mark)
{
    if (next_mark(reader) != mark || reader->at == reader->end)
        return false;
    reader->at++;
    return true;
}

/* ---- values without parts ---- */

static bool push(struct reader *reader, vm_value value, enum lib_json_kind kind)
{
    if (kind != LIB_JSON_NULL && !lib_stack_push(reader->stack, value))
        return false;
    return lib_json_wrap(reader->ctx, reader->stack, kind);
}

static bool accept_word(struct reader *reader, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

static void skip_digits(struct reader *reader)
{
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
}

static bool read_float(struct reader *reader, const char *from)
{
    bool negative = *from == '-';
    double d = 0.0;

    vm_parse_float(from + negative, (size_t)(reader->at - from - negative), &d);
    return push(reader, vm_float(reader->ctx, negative ? 0.0 - d : d), LIB_JSON_NUMBER);
}

static bool read_number(struct reader *reader)
{
    const char *from = reader->at;
    const char *digits;
    int64_t n = 0;

    if (reader->at < reader->end && *reader->at == '-')
        reader->at++;
    digits = reader->at;
    skip_digits(reader);
    if (reader->at > digits && reader->at < reader->end && *reader->at == '.') {
        reader->at++;
        skip_digits(reader);
        return read_float(reader, from);
    }
    vm_parse_int(from, (size_t)(reader->at - from), &n); /* of what is no number, 0 */
    return push(reader, vm_int(reader->ctx, n), LIB_JSON_INTEGER);
}

static char unescaped(char mark)
{
    switch (mark) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    default:
        return mark;
    }
}

/* Behind the opening quote: push the String up to the closing one, or the end. */
static bool read_string(struct reader *reader)
{
    const char *from = reader->at;
    bool escapes = false;
    vm_value string;

    nb_buf_clear(&reader->text);
    while (reader->at < reader->end && *reader->at != '"') {
        if (*reader->at == '\\' && reader->end - reader->at >= 2) {
            nb_buf_append(&reader->text, from, (size_t)(reader->at - from));
            nb_buf_byte(&reader->text, unescaped(reader->at[1]));
            reader->at += 2;
            from = reader->at;
            escapes = true;
        } else {
            reader->at++;
        }
    }
    nb_buf_append(&reader->text, from, escapes ? (size_t)(reader->at - from) : 0);
    if (reader->text.failed)
        return false;
    string = escapes ? vm_string(reader->ctx, nb_buf_cstr(&reader->text), reader->text.length)
                     : vm_string(reader->ctx, from, (size_t)(reader->at - from));
    if (reader->at < reader->end)
        reader->at++;
    return lib_stack_push(reader->stack, string);
}

/* ---- containers ---- */

static bool open(struct reader *reader, enum frame_state state)
{
    struct frame *frame = vm_stack_push(&reader->frames);

    if (frame == NULL)
        return false;
    *frame = (struct frame){ state, 0 };
    return true;
}

/* The innermost container is complete. */
static bool close(struct reader *reader)
{
    struct frame frame = *(struct frame *)vm_stack_top(&reader->frames);

    vm_stack_pop(&reader->frames);
    if (!lib_stack_list(reader->ctx, reader->stack, frame.count))
        return false;
    return lib_json_wrap(reader->ctx, reader->stack, frame.state == IN_ARRAY ? LIB_JSON_ARRAY : LIB_JSON_OBJECT);
}

/* Whether the innermost container ends here: at its mark, which is skipped, or because the text does. */
static bool at_close(struct reader *reader, char mark)
{
    return accept(reader, mark) || reader->at == reader->end;
}

static bool begin(struct reader *reader, bool is_object, bool *ret_complete)
{
    if (!open(reader, is_object ? AT_KEY : IN_ARRAY))
        return false;
    *ret_complete = at_close(reader, is_object ? '}' : ']');
    return !*ret_complete || close(reader);
}

/* Read a value, or the beginning of one up to where its first part stands. */
static bool read_value(struct reader *reader, bool *ret_complete)
{
    char mark = next_mark(reader);

    *ret_complete = true;
    switch (mark) {
    case '{':
    case '[':
        reader->at++;
        return begin(reader, mark == '{', ret_complete);
    case '"':
        reader->at++;
        return read_string(reader) && lib_json_wrap(reader->ctx, reader->stack, LIB_JSON_STRING);
    case 't':
        return push(reader, vm_from_bool(accept_word(reader, "true")), LIB_JSON_BOOL);
    case 'f':
        accept_word(reader, "false");
        return push(reader, VM_FALSE, LIB_JSON_BOOL);
    case 'n':
        accept_word(reader, "null");
        return push(reader, VM_UNIT, LIB_JSON_NULL);
    default:
        return read_number(reader);
    }
}

/* A value was read where a key should be: keep its text. */
static bool keep_key(struct reader *reader)
{
    vm_value key = lib_stack_pop(reader->stack);

    if (lib_json_kind(key) == LIB_JSON_STRING)
        return lib_stack_push(reader->stack, vm_field(key, 0));
    return lib_stack_push(reader->stack, vm_string(reader->ctx, "", 0));
}

/* A key is complete: its value is next, unless the object ends without one. */
static bool behind_key(struct reader *reader, struct frame *frame, bool *ret_complete)
{
    if (accept(reader, ':')) {
        frame->state = AT_VALUE;
        return keep_key(reader);
    }
    lib_stack_pop(reader->stack);
    *ret_complete = true;
    return close(reader);
}

/* A value is complete inside of a container: on to the next one, or the container is complete. */
static bool go_on(struct reader *reader, bool *ret_complete)
{
    struct frame *frame = vm_stack_top(&reader->frames);
    char closing = frame->state == IN_ARRAY ? ']' : '}';

    *ret_complete = false;
    if (frame->state == AT_KEY)
        return behind_key(reader, frame, ret_complete);
    if (frame->state == AT_VALUE && !lib_stack_tuple(reader->ctx, reader->stack, 2))
        return false;
    frame->count++;
    if (frame->state == AT_VALUE)
        frame->state = AT_KEY;
    if (!accept(reader, ','))
        accept(reader, closing);
    else if (!at_close(reader, closing))
        return true;
    *ret_complete = true;
    return close(reader);
}

static bool read_all(struct reader *reader)
{
    bool complete = false;
    bool fine;

    do {
        fine = complete ? go_on(reader, &complete) : read_value(reader, &complete);
    } while (fine && !(complete && reader->frames.count == 0));
    return fine;
}

bool lib_json_read_lenient(struct vm_ctx *ctx, struct lib_stack *stack, const char *text, size_t length)
{
    struct frame in_place[FRAMES_IN_PLACE];
    struct reader reader = { .ctx = ctx, .stack = stack, .at = text, .end = text + length, .text = NB_BUF_INIT };
    bool fine;

    vm_stack_init(&reader.frames, in_place, FRAMES_IN_PLACE, sizeof *in_place);
    fine = read_all(&reader);
    vm_stack_done(&reader.frames);
    nb_buf_done(&reader.text);
    return fine;
}
