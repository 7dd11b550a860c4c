/*
 * string.c - where the bytes of strings lie, and how they are joined and cut.
 *
 *     short              STRING in the heap
 *     long               STRING, shared, exactly as long as its text
 *     long, growing      BYTES_SLICE of a storage: a shared STRING with aux 1 whose payload is one word (how many
 *                        payload bytes are in use, that word included) and then text
 *     part of a long     BYTES_SLICE of the shared STRING of either form
 *
 * Offsets of slices count from the start of the payload, so readers need not know which form they look into.
 *
 * Claiming room: `used` only grows, by compare-and-swap. Who moves it from the end of its own slice owns the bytes
 * between old and new value and writes them before it makes a slice that shows them; that slice reaches other threads
 * through a mailbox or an mvar, whose release and acquire carry the bytes along. So relaxed order is enough for the
 * word itself.
 */
#include "config.h"

#include "vm/string.h"

#include <stdatomic.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "vm/shared.h"

enum { BYTES_PER_REDUCTION = 1024, ASCII_LOOK_MAX = 1024 };
enum { SLICE_WORDS = 3, STORAGE_HEAD = 8, ROOM_MIN = 64, ROOM_MAX = 64 << 20 };

static vm_value empty_object[1] = { VM_HEADER(VM_KIND_STRING, VM_FLAG_IMMORTAL | VM_FLAG_ASCII, 0, 0) };

static size_t bytes_words(size_t length) { return 1 + (length + 7) / 8; }

static uint64_t ascii_flag(bool ascii) { return ascii ? VM_FLAG_ASCII : 0; }

static char *payload(vm_value string) { return (char *)(vm_object(string) + 1); }

/* ---- making; room in the heap is reserved ---- */

/* A STRING of uninitialised text in the heap, its last word cleared so that padding is always zero. */
static vm_value take_string(struct vm_ctx *ctx, size_t length, bool ascii)
{
    size_t words = bytes_words(length);
    vm_value *object = vm_heap_take(&ctx->process->heap, words);

    object[words - 1] = 0;
    object[0] = VM_HEADER(VM_KIND_STRING, ascii_flag(ascii), 0, length);
    return vm_from_object(object);
}

static vm_value take_slice(struct vm_ctx *ctx, vm_value base, uint32_t offset, uint32_t length, bool ascii)
{
    vm_value *object = vm_heap_take(&ctx->process->heap, SLICE_WORDS);

    object[0] = VM_HEADER(VM_KIND_BYTES_SLICE, ascii_flag(ascii), 0, 2);
    object[1] = (uint64_t)length << 32 | offset;
    object[2] = base;
    return vm_from_object(object);
}

/* A shared STRING that the heap holds; its text is to be filled in. VM_NONE: no memory. */
static vm_value new_shared(struct vm_ctx *ctx, size_t length, bool ascii)
{
    vm_value string = VM_NONE;

    if (vm_heap_has_shared_room(&ctx->process->heap))
        string = vm_shared_new(VM_KIND_STRING, ascii_flag(ascii), 0, (uint32_t)length);
    if (string == VM_NONE)
        return VM_NONE;
    vm_heap_add_shared(&ctx->process->heap, string);
    return string;
}

/* Many long strings and little else would never fill the heap: give it the chance to drop those that are garbage. */
static vm_value collect_if_overdue(struct vm_ctx *ctx, vm_value string)
{
    bool reserved;

    VM_ROOT(ctx, string);
    reserved = vm_heap_reserve(ctx, 0);
    VM_UNROOT(ctx, string);
    return reserved ? string : VM_NONE;
}

vm_value vm_string(struct vm_ctx *ctx, const char *bytes, size_t length)
{
    return vm_string_known(ctx, bytes, length, length <= VM_STRING_MAX && nb_utf8_is_ascii(bytes, length));
}

vm_value vm_string_known(struct vm_ctx *ctx, const char *bytes, size_t length, bool ascii)
{
    vm_value string;

    if (length == 0)
        return vm_from_object(empty_object);
    if (length > VM_STRING_MAX)
        return VM_NONE;
    if (length > VM_STRING_INLINE) {
        string = new_shared(ctx, length, ascii);
        if (string == VM_NONE)
            return VM_NONE;
        memcpy(payload(string), bytes, length);
        return collect_if_overdue(ctx, string);
    }
    if (!vm_heap_has(&ctx->process->heap, bytes_words(length)) && !vm_heap_reserve(ctx, bytes_words(length)))
        return VM_NONE;
    string = take_string(ctx, length, ascii);
    memcpy(payload(string), bytes, length);
    return string;
}

vm_value vm_string_cstr(struct vm_ctx *ctx, const char *text)
{
    return vm_string(ctx, text, strlen(text));
}

size_t vm_string_immortal_bytes(size_t length)
{
    return bytes_words(length) * sizeof(vm_value);
}

vm_value vm_string_immortal(void *memory, const char *bytes, size_t length)
{
    vm_value *object = memory;

    nb_assert(length <= VM_STRING_MAX && ((uintptr_t)memory & 7) == 0);
    object[bytes_words(length) - 1] = 0;
    object[0] = VM_HEADER(VM_KIND_STRING, VM_FLAG_IMMORTAL | ascii_flag(nb_utf8_is_ascii(bytes, length)), 0, length);
    if (length > 0)
        memcpy(object + 1, bytes, length);
    return vm_from_object(object);
}

/* ---- concatenation ---- */

static bool is_storage(vm_value base)
{
    return vm_kind(base) == VM_KIND_STRING && vm_aux(base) == 1;
}

static _Atomic uint64_t *used_bytes(vm_value storage)
{
    return (_Atomic uint64_t *)(vm_object(storage) + 1);
}

/* Claim `more` bytes behind a slice of a storage. False when others were first or there is no room. */
static bool claim_room(vm_value slice, uint32_t more)
{
    vm_value base = vm_field(slice, 1);
    uint64_t place = vm_field(slice, 0);
    uint64_t end = (uint64_t)(uint32_t)place + (place >> 32);

    if (!is_storage(base) || end + more > vm_size(base))
        return false;
    return atomic_compare_exchange_strong_explicit(used_bytes(base), &end, end + more, memory_order_relaxed,
                                                   memory_order_relaxed);
}

/* left is a slice whose end was claimed for right. */
static vm_value append_in_place(struct vm_ctx *ctx, vm_value left, struct vm_text right)
{
    uint64_t place = vm_field(left, 0);
    uint32_t offset = (uint32_t)place, length = (uint32_t)(place >> 32);
    vm_value base = vm_field(left, 1);
    bool ascii = (vm_header(left) & VM_FLAG_ASCII) != 0 && right.ascii;

    ctx->reductions -= right.length / BYTES_PER_REDUCTION;
    memcpy(payload(base) + offset + length, right.bytes, right.length);
    return take_slice(ctx, base, offset, length + right.length, ascii);
}

/* A storage that holds left and right with room for half as much again. */
static vm_value concat_with_room(struct vm_ctx *ctx, struct vm_text left, struct vm_text right)
{
    size_t length = (size_t)left.length + right.length;
    size_t room = length / 2 < ROOM_MIN ? ROOM_MIN : length / 2 > ROOM_MAX ? ROOM_MAX : length / 2;
    vm_value storage = VM_NONE;

    if (vm_heap_has_shared_room(&ctx->process->heap))
        storage = vm_shared_new(VM_KIND_STRING, 0, 1, (uint32_t)(STORAGE_HEAD + length + room));
    if (storage == VM_NONE)
        return VM_NONE;
    atomic_init(used_bytes(storage), STORAGE_HEAD + length);
    vm_heap_add_shared(&ctx->process->heap, storage);
    memcpy(payload(storage) + STORAGE_HEAD, left.bytes, left.length);
    memcpy(payload(storage) + STORAGE_HEAD + left.length, right.bytes, right.length);
    return take_slice(ctx, storage, STORAGE_HEAD, (uint32_t)length, left.ascii && right.ascii);
}

static vm_value concat_exactly(struct vm_ctx *ctx, struct vm_text left, struct vm_text right)
{
    size_t length = (size_t)left.length + right.length;
    bool ascii = left.ascii && right.ascii;
    vm_value string = length > VM_STRING_INLINE ? new_shared(ctx, length, ascii) : take_string(ctx, length, ascii);

    if (string == VM_NONE)
        return VM_NONE;
    memcpy(payload(string), left.bytes, left.length);
    memcpy(payload(string) + left.length, right.bytes, right.length);
    return string;
}

vm_value vm_string_concat(struct vm_ctx *ctx, vm_value left, vm_value right)
{
    size_t left_length = vm_text(left).length, right_length = vm_text(right).length;
    size_t length = left_length + right_length;
    bool reserved;

    if (right_length == 0)
        return left;
    if (left_length == 0)
        return right;
    if (length > VM_STRING_MAX)
        return VM_NONE;
    VM_ROOT(ctx, left);
    VM_ROOT(ctx, right);
    reserved = vm_heap_reserve(ctx, length > VM_STRING_INLINE ? SLICE_WORDS : bytes_words(length));
    VM_UNROOT(ctx, right);
    VM_UNROOT(ctx, left);
    if (!reserved)
        return VM_NONE;
    if (vm_kind(left) == VM_KIND_BYTES_SLICE && claim_room(left, (uint32_t)right_length))
        return append_in_place(ctx, left, vm_text(right));
    ctx->reductions -= (int64_t)(length / BYTES_PER_REDUCTION);
    /* A short piece behind a longer text: probably not the last one. */
    if (length > VM_STRING_INLINE && left_length >= right_length)
        return concat_with_room(ctx, vm_text(left), vm_text(right));
    return concat_exactly(ctx, vm_text(left), vm_text(right));
}

/* ---- parts ---- */

vm_value vm_string_part(struct vm_ctx *ctx, vm_value string, uint32_t from, uint32_t length)
{
    struct vm_text text = vm_text(string);
    bool reserved, ascii;

    nb_assert(from <= text.length && length <= text.length - from);
    if (length == text.length)
        return string;
    if (length == 0)
        return vm_from_object(empty_object);
    VM_ROOT(ctx, string);
    reserved = vm_heap_reserve(ctx, length > VM_STRING_INLINE ? SLICE_WORDS : bytes_words(length));
    VM_UNROOT(ctx, string);
    if (!reserved)
        return VM_NONE;
    text = vm_text(string); /* it may have moved */
    /* Who takes a long text apart from the front must not read all of it each time; not to know is no harm. */
    ascii = text.ascii || (length <= ASCII_LOOK_MAX && nb_utf8_is_ascii(text.bytes + from, length));
    if (length > VM_STRING_INLINE) {
        bool whole = vm_kind(string) == VM_KIND_STRING;

        return take_slice(ctx, whole ? string : vm_field(string, 1),
                          from + (whole ? 0 : (uint32_t)vm_field(string, 0)), length, ascii);
    }
    vm_value part = take_string(ctx, length, ascii);
    memcpy(payload(part), text.bytes + from, length);
    return part;
}

/* ---- looking ---- */

uint32_t vm_string_count(vm_value string)
{
    struct vm_text text = vm_text(string);

    return text.ascii ? text.length : (uint32_t)nb_utf8_count(text.bytes, text.length);
}

int vm_string_compare(vm_value left, vm_value right)
{
    struct vm_text a = vm_text(left), b = vm_text(right);
    int order = memcmp(a.bytes, b.bytes, a.length < b.length ? a.length : b.length);

    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

bool vm_string_equals(vm_value string, const char *bytes, size_t length)
{
    struct vm_text text = vm_text(string);

    return text.length == length && (length == 0 || memcmp(text.bytes, bytes, length) == 0);
}

const char *vm_string_cstring(vm_value string, struct nb_buf *buffer)
{
    struct vm_text text = vm_text(string);

    nb_buf_clear(buffer);
    nb_buf_append(buffer, text.bytes, text.length);
    return buffer->failed ? "" : nb_buf_cstr(buffer);
}
