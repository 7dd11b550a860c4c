/*
 * expect.h - what natives share: checking arguments, and making the small values that many of them return.
 *
 * Makers return VM_NONE when the process may not have the memory; the native then answers VM_NOMEM, which is what
 * lib_answer() does.
 */
#ifndef LIB_EXPECT_H
#define LIB_EXPECT_H

#include "base/buf.h"
#include "vm/process.h"
#include "vm/type.h"

/**
 * Check the kinds of a native's arguments.
 *
 * kinds   one letter per argument: S String, I Int, F Float, B Bool, C Char, L List, M Map, E Set, P Pid, * any
 *
 * Returns VM_OK, or the TypeError that it raised for the first that does not fit.
 */
enum vm_status lib_expect(struct vm_ctx *ctx, const vm_value *args, const char *kinds);

/** Hand out a value that was just made: VM_OK, or VM_NOMEM when it is VM_NONE. */
static inline enum vm_status lib_answer(vm_value value, vm_value *ret)
{
    *ret = value;
    return value != VM_NONE ? VM_OK : VM_NOMEM;
}

/** Count the work of a native that walked over `items` elements, bytes or characters. */
static inline void lib_worked(struct vm_ctx *ctx, uint64_t items)
{
    ctx->reductions -= (int64_t)(items / 16);
}

#define LIB_CTOR(number) VM_IMMEDIATE(VM_SORT_CTOR, number)
#define LIB_NOTHING LIB_CTOR(VM_CTOR_NONE) /* the Option None */

/** Data of a constructor with one to eight fields, "None" and the like aside. Fields may be heap values. */
vm_value lib_data(struct vm_ctx *ctx, uint32_t constructor, unsigned count, const vm_value *fields);
vm_value lib_tuple(struct vm_ctx *ctx, unsigned count, const vm_value *components); /* at most eight */
vm_value lib_pair(struct vm_ctx *ctx, vm_value first, vm_value second);
vm_value lib_some(struct vm_ctx *ctx, vm_value value);
/** ("ok", text) and ("error", text), as the decoders answer. The bytes must not lie in the process's heap. */
enum vm_status lib_outcome(struct vm_ctx *ctx, bool ok, const struct nb_buf *text, vm_value *ret);

/** The buffer as a String; the buffer is given back. */
enum vm_status lib_answer_text(struct vm_ctx *ctx, struct nb_buf *text, vm_value *ret);
/** Bytes as a String if they are UTF-8, else as a list of Ints. They must not lie in the process's heap. */
enum vm_status lib_answer_bytes(struct vm_ctx *ctx, const char *bytes, size_t length, vm_value *ret);
/** Bytes as a list of Ints. Likewise. */
enum vm_status lib_answer_byte_list(struct vm_ctx *ctx, const char *bytes, size_t length, vm_value *ret);
/** How many bytes the process may have at a time, for what is read on its behalf: at most VM_STRING_MAX. */
size_t lib_bytes_max(const struct vm_ctx *ctx);
/** Text of a constant. */
enum vm_status lib_answer_cstr(struct vm_ctx *ctx, const char *text, vm_value *ret);
enum vm_status lib_answer_int(struct vm_ctx *ctx, int64_t n, vm_value *ret);

#endif
