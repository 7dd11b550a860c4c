/*
 * buffer.c - natives of buffers. A buffer holds a String, which concatenation extends in place where nobody has
 * appended to it before (vm/string.h), so that building a text piece by piece is linear.
 */
#include "config.h"

#include "lib/expect.h"
#include "vm/except.h"
#include "vm/print.h"
#include "vm/string.h"

static enum vm_status expect_buffer(struct vm_ctx *ctx, vm_value v)
{
    return vm_is_kind(v, VM_KIND_BUFFER) ? VM_OK : vm_raise_type(ctx, "Buffer", v);
}

static enum vm_status buffer_new(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    vm_value empty = vm_string_cstr(ctx, ""), *object;
    bool room;

    (void)args;
    if (empty == VM_NONE)
        return VM_NOMEM;
    VM_ROOT(ctx, empty);
    room = vm_heap_reserve(ctx, 2);
    VM_UNROOT(ctx, empty);
    if (!room)
        return VM_NOMEM;
    object = vm_heap_take(&ctx->process->heap, 2);
    object[0] = VM_HEADER(VM_KIND_BUFFER, 0, 0, 1);
    object[1] = empty;
    return lib_answer(vm_from_object(object), ret);
}

static enum vm_status buffer_append(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_buffer(ctx, args[0]);
    struct nb_buf text = NB_BUF_INIT;
    vm_value piece = args[1], whole;

    if (status != VM_OK)
        return status;
    if (!vm_is_string(piece)) {
        vm_print_display(&text, piece);
        status = lib_answer_text(ctx, &text, &piece);
        if (status != VM_OK)
            return status;
    }
    whole = vm_string_concat(ctx, vm_field(args[0], 0), piece);
    if (whole == VM_NONE)
        return VM_NOMEM;
    vm_object(args[0])[1] = whole;
    return lib_answer(args[0], ret);
}

static enum vm_status buffer_to_string(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = expect_buffer(ctx, args[0]);

    return status != VM_OK ? status : lib_answer(vm_field(args[0], 0), ret);
}

#define LIB_TABLE "lib/buffer.def"
#define LIB_REGISTER lib_register_buffer
#include "lib/table.h"
