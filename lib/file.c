/*
 * file.c - natives of files. The work is done by io/; each native is called twice, first to begin and park, then to
 * take the result (io/reactor.h).
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "io/change.h"
#include "io/file.h"
#include "lib/expect.h"
#include "lib/percent.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/string.h"

typedef enum vm_status begin_operation(struct vm_ctx *ctx, const char *path, size_t length);

static enum vm_status read_whole(struct vm_ctx *ctx, const char *path, size_t length)
{
    return io_file_read(ctx, path, length, VM_STRING_MAX);
}

/* Begin an operation on the file args[0], or wait for one that has begun. */
static enum vm_status begin(struct vm_ctx *ctx, vm_value *args, begin_operation *operation)
{
    enum vm_status status = lib_expect(ctx, args, "S");
    struct vm_text path;

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    path = vm_text(args[0]);
    return operation(ctx, path.bytes, path.length);
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
        return begin(ctx, args, io_file_status);
    *ret = vm_from_bool(file->error == 0);
    return finish(ctx, VM_OK);
}

static enum vm_status dir_exists(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    const struct io_file *file = io_file_result(ctx);

    if (file == NULL)
        return begin(ctx, args, io_file_status);
    *ret = vm_from_bool(file->error == 0 && file->status.kind == IO_FILE_DIRECTORY);
    return finish(ctx, VM_OK);
}

static enum vm_status file_size(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    const struct io_file *file = io_file_result(ctx);

    if (file == NULL)
        return begin(ctx, args, io_file_status);
    if (file->error != 0)
        return finish_error(ctx, file);
    return finish(ctx, lib_answer_int(ctx, (int64_t)file->status.bytes, ret));
}

static enum vm_status file_read_all(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    const struct io_file *file = io_file_result(ctx);

    if (file == NULL)
        return begin(ctx, args, read_whole);
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

    if (file == NULL)
        return begin(ctx, args, read_whole);
    if (file->error != 0)
        return finish_error(ctx, file);
    return finish(ctx, lib_answer_byte_list(ctx, file->data != NULL ? file->data : "", file->length, ret));
}

/* The bytes are not checked to be UTF-8, so the String must not get into a program's hands: the library gives it to
 * Server.respond, which sends long ones without copying them. */
static enum vm_status file_body(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    const struct io_file *file = io_file_result(ctx);

    if (file == NULL)
        return begin(ctx, args, read_whole);
    *ret = VM_UNIT;
    if (file->error == ENOENT || file->error == ENOTDIR || file->error == EISDIR)
        return finish(ctx, VM_OK);
    if (file->error != 0)
        return finish_error(ctx, file);
    lib_worked(ctx, file->length);
    return finish(ctx, lib_answer(vm_string(ctx, file->data != NULL ? file->data : "", file->length), ret));
}

/* ---- changes ---- */

/* Begin a change of args[0], with args[1] if the kind has another operand; or wait for one that has begun. */
static enum vm_status begin_change(struct vm_ctx *ctx, vm_value *args, enum io_change_kind kind, const char *kinds)
{
    enum vm_status status = lib_expect(ctx, args, kinds);
    struct vm_text path, other = { NULL, 0, true };

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    path = vm_text(args[0]);
    if (kinds[1] != '\0')
        other = vm_text(args[1]);
    return io_change(ctx, kind, path.bytes, path.length, other.bytes, other.length);
}

/* A change whose answer is (). */
static enum vm_status change(struct vm_ctx *ctx, vm_value *args, enum io_change_kind kind, const char *kinds,
                             vm_value *ret)
{
    const struct io_change *done = io_change_result(ctx);

    if (done == NULL)
        return begin_change(ctx, args, kind, kinds);
    *ret = VM_UNIT;
    return finish(ctx, done->error == 0 ? VM_OK : io_raise(ctx, done->error, done->path));
}

static enum vm_status file_write_all(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return change(ctx, args, IO_CHANGE_WRITE, "SS", ret);
}

static enum vm_status file_append(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return change(ctx, args, IO_CHANGE_APPEND, "SS", ret);
}

static enum vm_status file_remove(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return change(ctx, args, IO_CHANGE_REMOVE, "S", ret);
}

static enum vm_status file_rename(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return change(ctx, args, IO_CHANGE_RENAME, "SS", ret);
}

static enum vm_status file_copy(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    const struct io_change *done = io_change_result(ctx);

    if (done == NULL)
        return begin_change(ctx, args, IO_CHANGE_COPY, "SS");
    if (done->error != 0)
        return finish(ctx, io_raise(ctx, done->error, done->path));
    return finish(ctx, lib_answer_int(ctx, (int64_t)done->length, ret));
}

static enum vm_status dir_create(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return change(ctx, args, IO_CHANGE_MAKE_FOLDER, "S", ret);
}

static enum vm_status dir_create_all(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return change(ctx, args, IO_CHANGE_MAKE_FOLDERS, "S", ret);
}

static enum vm_status dir_remove(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return change(ctx, args, IO_CHANGE_REMOVE_FOLDER, "S", ret);
}

static enum vm_status dir_remove_all(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return change(ctx, args, IO_CHANGE_REMOVE_TREE, "S", ret);
}

/* The names are the file system's bytes: what is not UTF-8 in them is replaced. */
static vm_value name_value(struct vm_ctx *ctx, const char *name)
{
    struct nb_buf valid = NB_BUF_INIT;
    vm_value string;

    lib_append_valid(&valid, name, strlen(name));
    return lib_answer_text(ctx, &valid, &string) == VM_OK ? string : VM_NONE;
}

static enum vm_status dir_list(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    const struct io_change *done = io_change_result(ctx);
    vm_value names;
    bool room;

    if (done == NULL)
        return begin_change(ctx, args, IO_CHANGE_LIST, "S");
    if (done->error != 0)
        return finish(ctx, io_raise(ctx, done->error, done->path));
    names = vm_builder_new(ctx, 16);
    room = names != VM_NONE;
    VM_ROOT(ctx, names);
    for (size_t at = 0; room && at < done->length; at += strlen(done->names + at) + 1) {
        vm_value name = name_value(ctx, done->names + at);

        room = name != VM_NONE && vm_builder_push(ctx, &names, name);
    }
    VM_UNROOT(ctx, names);
    return finish(ctx, room ? lib_answer(vm_builder_list(names), ret) : VM_NOMEM);
}

#define LIB_TABLE "lib/file.def"
#define LIB_REGISTER lib_register_file
#include "lib/table.h"
