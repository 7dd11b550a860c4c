/*
 * expect.c - argument checks and small values for natives.
 *
 * A maker's operands may be heap values that move when it reserves memory. They are registered as roots first, so a
 * native may pass what it has in a C variable, as long as nothing was allocated since it got it.
 */
#include "config.h"

#include "lib/expect.h"

#include "base/assert.h"
#include "base/intern.h"
#include "base/utf8.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/map.h"
#include "vm/number.h"
#include "vm/string.h"

enum { FIELDS_MAX = 8 };

static bool fits(vm_value v, char kind)
{
    switch (kind) {
    case 'S':
        return vm_is_string(v);
    case 'I':
        return vm_is_int(v);
    case 'F':
        return vm_is_float(v);
    case 'B':
        return vm_is_sort(v, VM_SORT_BOOL);
    case 'C':
        return vm_is_sort(v, VM_SORT_CHAR);
    case 'L':
        return vm_is_list(v);
    case 'M':
        return vm_is_map(v);
    case 'E':
        return vm_is_set(v);
    case 'P':
        return vm_is_sort(v, VM_SORT_PID);
    case '*':
        return true;
    }
    nb_unreachable();
}

static const char *kind_name(char kind)
{
    switch (kind) {
    case 'S':
        return "String";
    case 'I':
        return "Int64";
    case 'F':
        return "Float64";
    case 'B':
        return "Bool";
    case 'C':
        return "Char";
    case 'L':
        return "List";
    case 'M':
        return "Map";
    case 'E':
        return "Set";
    case 'P':
        return "Pid";
    }
    nb_unreachable();
}

enum vm_status lib_expect(struct vm_ctx *ctx, const vm_value *args, const char *kinds)
{
    for (unsigned i = 0; kinds[i] != '\0'; i++)
        if (!fits(args[i], kinds[i]))
            return vm_raise_type(ctx, kind_name(kinds[i]), args[i]);
    return VM_OK;
}

/* An object of `count` fields; the kinds with fields that are plain values. */
static vm_value make(struct vm_ctx *ctx, enum vm_kind kind, uint32_t aux, unsigned count, const vm_value *fields)
{
    vm_value kept[FIELDS_MAX];
    vm_value *object;
    bool room;

    nb_assert(count >= 1 && count <= FIELDS_MAX);
    for (unsigned i = 0; i < count; i++) {
        kept[i] = fields[i];
        VM_ROOT(ctx, kept[i]);
    }
    room = vm_heap_reserve(ctx, 1 + count);
    ctx->root_count -= count;
    if (!room)
        return VM_NONE;
    object = vm_heap_take(&ctx->process->heap, 1 + count);
    object[0] = VM_HEADER(kind, 0, aux, count);
    for (unsigned i = 0; i < count; i++)
        object[1 + i] = kept[i];
    return vm_from_object(object);
}

vm_value lib_data(struct vm_ctx *ctx, uint32_t constructor, unsigned count, const vm_value *fields)
{
    return make(ctx, VM_KIND_DATA, constructor, count, fields);
}

vm_value lib_tuple(struct vm_ctx *ctx, unsigned count, const vm_value *components)
{
    return make(ctx, VM_KIND_TUPLE, 0, count, components);
}

vm_value lib_pair(struct vm_ctx *ctx, vm_value first, vm_value second)
{
    return lib_tuple(ctx, 2, (vm_value[]){ first, second });
}

vm_value lib_some(struct vm_ctx *ctx, vm_value value)
{
    return lib_data(ctx, VM_CTOR_SOME, 1, &value);
}

enum vm_status lib_outcome(struct vm_ctx *ctx, bool ok, const struct nb_buf *text, vm_value *ret)
{
    vm_value word, payload;

    if (text->failed)
        return VM_NOMEM;
    payload = vm_string(ctx, nb_buf_cstr(text), text->length);
    if (payload == VM_NONE)
        return VM_NOMEM;
    VM_ROOT(ctx, payload);
    word = vm_string_cstr(ctx, ok ? "ok" : "error");
    VM_UNROOT(ctx, payload);
    if (word == VM_NONE)
        return VM_NOMEM;
    return lib_answer(lib_pair(ctx, word, payload), ret);
}

enum vm_status lib_answer_text(struct vm_ctx *ctx, struct nb_buf *text, vm_value *ret)
{
    vm_value string = text->failed ? VM_NONE : vm_string(ctx, nb_buf_cstr(text), text->length);

    lib_worked(ctx, text->length);
    nb_buf_done(text);
    return lib_answer(string, ret);
}

size_t lib_bytes_max(const struct vm_ctx *ctx)
{
    uint64_t words = ctx->process->heap.limit_words;

    return words == 0 || words > VM_STRING_MAX / sizeof(vm_value) ? VM_STRING_MAX : words * sizeof(vm_value);
}

enum vm_status lib_answer_byte_list(struct vm_ctx *ctx, const char *bytes, size_t length, vm_value *ret)
{
    vm_value list = vm_list_make(ctx, length);

    if (list == VM_NONE)
        return VM_NOMEM;
    lib_worked(ctx, length);
    for (size_t i = 0; i < length; i++)
        vm_list_init_at(list, i, vm_from_small((unsigned char)bytes[i]));
    *ret = list;
    return VM_OK;
}

enum vm_status lib_answer_bytes(struct vm_ctx *ctx, const char *bytes, size_t length, vm_value *ret)
{
    if (!nb_utf8_valid(bytes, length))
        return lib_answer_byte_list(ctx, bytes, length, ret);
    lib_worked(ctx, length);
    return lib_answer(vm_string(ctx, bytes, length), ret);
}

enum vm_status lib_answer_cstr(struct vm_ctx *ctx, const char *text, vm_value *ret)
{
    return lib_answer(vm_string_cstr(ctx, text), ret);
}

enum vm_status lib_answer_int(struct vm_ctx *ctx, int64_t n, vm_value *ret)
{
    return lib_answer(vm_int(ctx, n), ret);
}
