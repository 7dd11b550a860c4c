/*
 * exec.c - natives of commands. The work is done by io/child.h; each native is called twice, first to begin and park,
 * then to take the result (io/reactor.h).
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "io/child.h"
#include "lib/env.h"
#include "lib/expect.h"
#include "lib/handle.h"
#include "lib/record.h"
#include "vm/except.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/string.h"

/* ---- starting ---- */

static bool has_nul(struct vm_text text)
{
    return memchr(text.bytes, '\0', text.length) != NULL;
}

static enum vm_status start_failed(struct vm_ctx *ctx, const char *what, vm_value command, int error)
{
    struct nb_buf name = NB_BUF_INIT;
    enum vm_status status;
    char text[128];

    if (error == ENOMEM)
        return VM_NOMEM;
    io_error_text(error, text, sizeof text);
    status =
        vm_raise_kind(ctx, "io_error", "IO error: Failed to %s %s: %s", what, vm_string_cstring(command, &name), text);
    nb_buf_done(&name);
    return status;
}

/* The command args[0] and its arguments args[1], each ended by a NUL. */
static enum vm_status take_words(struct vm_ctx *ctx, vm_value *args, const char *what, struct nb_buf *words)
{
    enum vm_status status = lib_expect(ctx, args, "SL");
    struct vm_list_walk walk;
    vm_value word = args[0];

    if (status != VM_OK)
        return status;
    vm_list_walk(&walk, args[1]);
    do {
        if (!vm_is_string(word))
            return vm_raise_type(ctx, "String", word);
        if (has_nul(vm_text(word)))
            return start_failed(ctx, what, args[0], EINVAL);
        nb_buf_append(words, vm_text(word).bytes, vm_text(word).length);
        nb_buf_byte(words, '\0');
    } while (vm_list_next(&walk, &word));
    return VM_OK;
}

/* Begin to run the command (at most so many bytes of output), or to start it when `most` is 0. */
static enum vm_status begin(struct vm_ctx *ctx, vm_value *args, const char *what, size_t most)
{
    struct nb_buf words = NB_BUF_INIT, environment = NB_BUF_INIT;
    enum vm_status status;

    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    status = take_words(ctx, args, what, &words);
    if (status != VM_OK) {
        nb_buf_done(&words);
        return status;
    }
    lib_env_copy(&environment);
    return most > 0 ? io_child_run(ctx, &words, &environment, most) : io_child_start(ctx, &words, &environment);
}

static enum vm_status answer_result(struct vm_ctx *ctx, const struct io_child_operation *operation, vm_value *ret)
{
    const struct nb_buf *out = &operation->captures[0].text, *errors = &operation->captures[1].text;
    enum vm_status status;
    vm_value fields[3] = { vm_from_small(operation->status), VM_UNIT, VM_UNIT };

    status = lib_answer_bytes(ctx, nb_buf_cstr(out), out->length, &fields[1]);
    if (status != VM_OK)
        return status;
    VM_ROOT(ctx, fields[1]);
    status = lib_answer_bytes(ctx, nb_buf_cstr(errors), errors->length, &fields[2]);
    VM_UNROOT(ctx, fields[1]);
    return status != VM_OK ? status : lib_answer(lib_data(ctx, lib_record(LIB_RECORD_EXEC_RESULT), 3, fields), ret);
}

static enum vm_status exec_run(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct io_child_operation *operation = io_child_result(ctx);
    enum vm_status status;

    if (operation == NULL)
        return begin(ctx, args, "execute", lib_bytes_max(ctx));
    if (operation->error == EFBIG)
        status = VM_NOMEM;
    else if (operation->error != 0)
        status = start_failed(ctx, "execute", args[0], operation->error);
    else
        status = answer_result(ctx, operation, ret);
    io_finish(ctx);
    return status;
}

static enum vm_status exec_start(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct io_child_operation *operation = io_child_result(ctx);
    enum vm_status status;

    if (operation == NULL)
        return begin(ctx, args, "spawn", 0);
    if (operation->error != 0) {
        status = start_failed(ctx, "spawn", args[0], operation->error);
    } else {
        struct io_handle *handle = io_handle_ref(&operation->child->handle);
        int64_t number = io_handle_add(ctx, handle);

        status = number != 0 ? lib_answer_int(ctx, number, ret) : VM_NOMEM;
        if (number == 0)
            handle->drop(handle);
    }
    io_finish(ctx);
    return status;
}

/* ---- commands that run ---- */

/* The child of a handle, with a reference; NULL after raising. */
static struct io_child *find_child(struct vm_ctx *ctx, vm_value handle, enum vm_status *ret_status)
{
    struct io_handle *found = io_handle_find(ctx, IO_HANDLE_CHILD, vm_int_of(handle));

    if (found == NULL)
        *ret_status = lib_invalid_handle(ctx);
    return (struct io_child *)found;
}

static enum vm_status exec_write(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "IS");
    struct io_child *child;
    struct vm_text text;

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL) {
        status = lib_end_write(ctx, ret);
        *ret = VM_UNIT;
        return status;
    }
    child = find_child(ctx, args[0], &status);
    if (child == NULL)
        return status;
    text = vm_text(args[1]);
    return io_stream_write(ctx, &child->handle, &child->in, text.bytes, text.length);
}

/* The next line of a command's output, or of what it says of errors. */
static enum vm_status read_line(struct vm_ctx *ctx, vm_value *args, vm_value *ret, bool of_errors)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    struct io_child *child;

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL)
        return lib_end_line(ctx, ret);
    child = find_child(ctx, args[0], &status);
    if (child == NULL)
        return status;
    return lib_begin_line(ctx, &child->handle, of_errors ? &child->errors : &child->out, ret);
}

static enum vm_status exec_readline(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return read_line(ctx, args, ret, false);
}

static enum vm_status exec_read_stderr(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return read_line(ctx, args, ret, true);
}

static enum vm_status begin_wait(struct vm_ctx *ctx, vm_value *args)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    struct io_child *child;

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    child = find_child(ctx, args[0], &status);
    return child == NULL ? status : io_child_wait(ctx, child);
}

/* Of several that wait for the same one, each gets its exit code. */
static enum vm_status exec_wait(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct io_child_operation *operation = io_child_result(ctx);
    struct io_handle *ended;
    enum vm_status status;

    if (operation == NULL)
        return begin_wait(ctx, args);
    ended = io_handle_take(ctx, IO_HANDLE_CHILD, vm_int_of(args[0]));
    if (ended != NULL)
        io_handle_unref(ended);
    status =
        operation->error != 0 ? lib_stream_error(ctx, operation->error) : lib_answer_int(ctx, operation->status, ret);
    io_finish(ctx);
    return status;
}

static enum vm_status begin_kill(struct vm_ctx *ctx, vm_value *args)
{
    enum vm_status status = lib_expect(ctx, args, "I");
    struct io_handle *handle;

    if (status != VM_OK)
        return status;
    if (io_operation_of(ctx) != NULL)
        return io_park(ctx);
    handle = io_handle_take(ctx, IO_HANDLE_CHILD, vm_int_of(args[0]));
    if (handle == NULL)
        return lib_invalid_handle(ctx);
    io_look_again();
    return io_child_kill(ctx, (struct io_child *)handle);
}

static enum vm_status exec_kill(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct io_child_operation *operation = io_child_result(ctx);
    enum vm_status status;

    if (operation == NULL)
        return begin_kill(ctx, args);
    *ret = VM_UNIT;
    status = operation->error != 0 ? lib_stream_error(ctx, operation->error) : VM_OK;
    io_finish(ctx);
    return status;
}

#define LIB_TABLE "lib/exec.def"
#define LIB_REGISTER lib_register_exec
#include "lib/table.h"
