/*
 * file.c - natives of files. The work is done by io/; each native is called twice, first to begin and park, then to take
 * the result (io/reactor.h).
 */
#include "config.h"

#include <stdint.h>

#include "base/utf8.h"
#include "io/file.h"
#include "lib/expect.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/string.h"

enum { LENGTH_MAX = INT32_MAX }; /* bytes of a string */

/* Begin an operation on the file args[0], or wait for one that has begun. */
static enum vm_status begin_status(struct vm_ctx *ctx, vm_value *args)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text path;

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    path = vm_text(args[0]);
    return io_file_status(ctx, path.bytes, path.length);
}

static enum vm_status begin_read(struct vm_ctx *ctx, vm_value *args)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text path;

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    path = vm_text(args[0]);
    return io_file_read(ctx, path.bytes, path.length, LENGTH_MAX);
}

/* The operation is done: take its answer, or raise what went wrong, and give it back. */
static enum vm_status finish(struct vm_ctx *ctx, enum vm_status status)
{
    io_finish(ctx);
    return status;
}

static enum vm_status finish_error(struct vm_ctx *ctx, const struct io_file *file)
{
    return finish(ctx, io_raise(ctx, file->error, file->path));
}

static enum vm_status file_exists(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    const struct io_file *file = io_file_result(ctx);

    if (file == NULL)
        return begin_status(ctx, args);
    *ret = vm_from_bool(file->error == 0);
    return finish(ctx, VM_OK);
}

static enum vm_status dir_exists(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    const struct io_file *file = io_file_result(ctx);

    if (file == NULL)
        return begin_status(ctx, args);
    *ret = vm_from_bool(file->error == 0 && file->status.kind == IO_FILE_DIRECTORY);
    return finish(ctx, VM_OK);
}

static enum vm_status file_size(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    const struct io_file *file = io_file_result(ctx);

    if (file == NULL)
        return begin_status(ctx, args);
    if (file->error != 0)
        return finish_error(ctx, file);
    return finish(ctx, lib_answer_int(ctx, (int64_t)file->status.bytes, ret));
}

static enum vm_status file_read_all(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    const struct io_file *file = io_file_result(ctx);

    if (file == NULL)
        return begin_read(ctx, args);
    if (file->error != 0)
        return finish_error(ctx, file);
    lib_worked(ctx, file->length);
    if (!nb_utf8_valid(file->data != NULL ? file->data : "", file->length))
        return finish(ctx, vm_raise_kind(ctx, "io_error", "IO error: stream did not contain valid UTF-8"));
    return finish(ctx, lib_answer(vm_string(ctx, file->data != NULL ? file->data : "", file->length), ret));
}

static enum vm_status file_read_bytes(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    const struct io_file *file = io_file_result(ctx);
    vm_value list;

    if (file == NULL)
        return begin_read(ctx, args);
    if (file->error != 0)
        return finish_error(ctx, file);
    list = vm_list_make(ctx, (uint32_t)file->length);
    if (list == VM_NONE)
        return finish(ctx, VM_NOMEM);
    lib_worked(ctx, file->length);
    for (uint32_t i = 0; i < file->length; i++)
        vm_list_init_at(list, i, vm_from_small((unsigned char)file->data[i]));
    *ret = list;
    return finish(ctx, VM_OK);
}

#define LIB_TABLE "lib/file.def"
#define LIB_REGISTER lib_register_file
#include "lib/table.h"
