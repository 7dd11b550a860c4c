/*
 * string.h - strings: immutable UTF-8.
 *
 * Up to VM_STRING_INLINE bytes a string lies in the heap; longer ones are shared objects that messages pass by
 * reference, and whose parts (BYTES_SLICE) point into them. A concatenation that looks like the growing of a text makes
 * a storage with room (a shared STRING with aux 1: its first eight payload bytes count what is in use) and a slice of
 * it. Appending to the slice that ends where the used room ends fills the room instead of copying (the room is claimed
 * by compare-and-swap, so two processes may try), and so building a text piece by piece is linear.
 */
#ifndef VM_STRING_H
#define VM_STRING_H

#include "base/buf.h"
#include "vm/process.h"

enum { VM_STRING_INLINE = 64 };
#define VM_STRING_MAX ((size_t)INT32_MAX) /* bytes */

struct vm_text { const char *bytes; uint32_t length; bool ascii; };

static inline bool vm_is_string(vm_value v)
{
    return vm_is_object(v) && (vm_kind(v) == VM_KIND_STRING || vm_kind(v) == VM_KIND_BYTES_SLICE);
}
/** View of a string; valid until the next allocation of the process. */
static inline struct vm_text vm_text(vm_value string)
{
    bool ascii = (vm_header(string) & VM_FLAG_ASCII) != 0;

    if (vm_kind(string) == VM_KIND_STRING)
        return (struct vm_text){ (const char *)(vm_object(string) + 1), vm_size(string), ascii };
    return (struct vm_text){ (const char *)(vm_object(vm_field(string, 1)) + 1) + (uint32_t)vm_field(string, 0),
                             (uint32_t)(vm_field(string, 0) >> 32), ascii };
}
/** A string of these bytes (valid UTF-8). The bytes must not lie in the process's heap unless `length` bytes and one
 *  word are reserved; then up to VM_STRING_INLINE bytes never collect. VM_NONE when memory is exhausted or length >
 *  VM_STRING_MAX. */
vm_value vm_string(struct vm_ctx *ctx, const char *bytes, size_t length);
/** The same, by somebody who knows whether all of them are ASCII. */
vm_value vm_string_known(struct vm_ctx *ctx, const char *bytes, size_t length, bool ascii);
vm_value vm_string_cstr(struct vm_ctx *ctx, const char *text);
/** A string constant outside of heaps, e.g. for compiled code. Freed with the arena; see program.h. */
vm_value vm_string_immortal(void *memory, const char *bytes, size_t length);
size_t vm_string_immortal_bytes(size_t length); /* how much memory that takes, aligned to 8 */

/** VM_NONE when memory is exhausted or the result would be longer than VM_STRING_MAX. */
vm_value vm_string_concat(struct vm_ctx *ctx, vm_value left, vm_value right);
/** Part by byte offsets (on character boundaries, inside of the string). */
vm_value vm_string_part(struct vm_ctx *ctx, vm_value string, uint32_t from, uint32_t length);
uint32_t vm_string_count(vm_value string);       /* code points */
int vm_string_compare(vm_value left, vm_value right); /* <0, 0, >0 by bytes */
bool vm_string_equals(vm_value string, const char *bytes, size_t length);
/** The bytes with a NUL behind them, copied into the buffer (which is cleared first): valid across allocations.
 *  "" when memory is exhausted (buffer->failed). */
const char *vm_string_cstring(vm_value string, struct nb_buf *buffer);

#endif
