/*
 * core.c - natives for any value: output, display form, assertions, exceptions, kinds.
 *
 * show, hash and copy of a value whose type implements Show, Hash or Copy are calls of that implementation: the native
 * answers VM_CALL with the method it finds by the value's type. Built-in kinds always use the built-in form.
 */
#include "config.h"

#include "base/assert.h"
#include "base/intern.h"
#include "lib/expect.h"
#include "vm/compare.h"
#include "vm/dispatch.h"
#include "vm/except.h"
#include "vm/host.h"
#include "vm/list.h"
#include "vm/number.h"
#include "vm/print.h"
#include "vm/reactive.h"
#include "vm/string.h"
#include "vm/type.h"

enum { LINE_WORK = 512 }; /* what a line of a log costs beside its bytes, in bytes */

/* Output never allocates from the heap, so the text of a String need not be copied. */
static enum vm_status put(struct vm_ctx *ctx, vm_value v, bool error, bool newline, vm_value *ret)
{
    struct nb_buf text = NB_BUF_INIT;

    *ret = VM_UNIT;
    if (vm_is_string(v)) {
        struct vm_text view = vm_text(v);

        ctx->host->output(ctx, error, newline, view.bytes, view.length);
        lib_worked(ctx, LINE_WORK + view.length);
        return VM_OK;
    }
    vm_print_display(&text, v);
    if (text.failed) {
        nb_buf_done(&text);
        return VM_NOMEM;
    }
    ctx->host->output(ctx, error, newline, nb_buf_cstr(&text), text.length);
    lib_worked(ctx, LINE_WORK + text.length);
    nb_buf_done(&text);
    return VM_OK;
}

static enum vm_status core_println(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    return put(ctx, args[0], false, true, ret);
}

static enum vm_status core_eprintln(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = put(ctx, args[0], true, true, ret);

    ctx->host->flush(ctx, true);
    return status;
}

static enum vm_status core_eprint(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = put(ctx, args[0], true, false, ret);

    ctx->host->flush(ctx, true);
    return status;
}

static enum vm_status core_flush_stdout(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    ctx->host->flush(ctx, false);
    *ret = VM_UNIT;
    return VM_OK;
}

static enum vm_status core_flush_stderr(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    ctx->host->flush(ctx, true);
    *ret = VM_UNIT;
    return VM_OK;
}

/* Prepare a call of the method that the program's own type gives for one of the standard traits. */
static bool calls_own_method(struct vm_ctx *ctx, vm_value v, const char *name)
{
    uint32_t class_key = vm_class_of(v);
    vm_value method;

    if (class_key >= VM_CLASS_UNIT)
        return false;
    method = vm_methods_find(ctx->process->program->methods, 0, class_key, nb_intern_id(name), 1);
    if (method == VM_NONE)
        return false;
    ctx->call_function = method;
    ctx->call_args[0] = v;
    ctx->call_arg_count = 1;
    return true;
}

static enum vm_status core_show(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct nb_buf text = NB_BUF_INIT;

    if (vm_is_string(args[0])) {
        *ret = args[0];
        return VM_OK;
    }
    if (calls_own_method(ctx, args[0], "show"))
        return VM_CALL;
    vm_print_display(&text, args[0]);
    return lib_answer_text(ctx, &text, ret);
}

static enum vm_status core_inspect(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "*S");
    struct nb_buf line = NB_BUF_INIT;
    struct vm_text name;

    if (status != VM_OK)
        return status;
    name = vm_text(args[1]);
    nb_buf_text(&line, "[inspect] ");
    nb_buf_append(&line, name.bytes, name.length);
    nb_buf_text(&line, ": ");
    vm_print_display(&line, args[0]);
    if (!line.failed)
        ctx->host->output(ctx, false, true, nb_buf_cstr(&line), line.length);
    status = line.failed ? VM_NOMEM : VM_OK;
    nb_buf_done(&line);
    *ret = VM_UNIT;
    return status;
}

/* A Buffer is never sent to another process, hence not known to the copier. */
static enum vm_status copy_buffer(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    vm_value *object;

    if (!vm_heap_reserve(ctx, 2))
        return VM_NOMEM;
    object = vm_heap_take(&ctx->process->heap, 2);
    object[0] = VM_HEADER(VM_KIND_BUFFER, 0, 0, 1);
    object[1] = vm_field(args[0], 0);
    return lib_answer(vm_from_object(object), ret);
}

static enum vm_status core_copy(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct vm_fragment *fragment = NULL;

    if (calls_own_method(ctx, args[0], "copy"))
        return VM_CALL;
    if (vm_is_kind(args[0], VM_KIND_BUFFER))
        return copy_buffer(ctx, args, ret);
    if (vm_is_reactive(args[0]))
        return vm_reactive_copy(ctx, args[0], ret);
    switch (vm_copy_to_fragment(args[0], ret, &fragment)) {
    case VM_COPY_OK:
        if (fragment != NULL)
            vm_heap_adopt(&ctx->process->heap, fragment);
        return VM_OK;
    case VM_COPY_REFUSED:
        return vm_raise_panic(ctx, "copy: the value holds a Buffer or a handle");
    case VM_COPY_NOMEM:
        return VM_NOMEM;
    }
    nb_unreachable();
}

static enum vm_status core_hash(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    if (calls_own_method(ctx, args[0], "hash"))
        return VM_CALL;
    return lib_answer_int(ctx, vm_hash(args[0]), ret);
}

static enum vm_status core_assert(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "B");

    if (status != VM_OK)
        return status;
    *ret = VM_UNIT;
    return args[0] == VM_TRUE ? VM_OK : vm_raise_panic(ctx, "Assertion failed");
}

/* Panic with the text of a buffer, which is given back. */
static enum vm_status panic_with(struct vm_ctx *ctx, struct nb_buf *text)
{
    enum vm_status status = text->failed ? VM_NOMEM : vm_raise_panic(ctx, "%s", nb_buf_cstr(text));

    nb_buf_done(text);
    return status;
}

static enum vm_status core_assert_message(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    enum vm_status status = lib_expect(ctx, args, "B*");
    struct nb_buf text = NB_BUF_INIT;

    if (status != VM_OK)
        return status;
    *ret = VM_UNIT;
    if (args[0] == VM_TRUE)
        return VM_OK;
    nb_buf_text(&text, "Assertion failed: ");
    vm_print_display(&text, args[1]);
    return panic_with(ctx, &text);
}

static enum vm_status core_assert_eq(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct nb_buf text = NB_BUF_INIT;

    *ret = VM_UNIT;
    if (vm_equal(args[0], args[1]))
        return VM_OK;
    nb_buf_text(&text, "Assertion failed: ");
    vm_print_display(&text, args[0]);
    nb_buf_text(&text, " != ");
    vm_print_display(&text, args[1]);
    return panic_with(ctx, &text);
}

static enum vm_status core_same(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)ctx;
    *ret = args[0];
    return VM_OK;
}

static enum vm_status core_throw(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)ret;
    return vm_raise(ctx, args[0]);
}

static enum vm_status core_panic(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    struct nb_buf text = NB_BUF_INIT;

    (void)ret;
    vm_print_display(&text, args[0]);
    return panic_with(ctx, &text);
}

/* Lists of Ints only have a kind name of their own (the language has one type for them). */
static const char *list_kind(struct vm_ctx *ctx, vm_value list)
{
    struct vm_list_walk walk;
    vm_value item;

    if (list == VM_NIL)
        return "List";
    lib_worked(ctx, vm_list_length(list));
    for (vm_list_walk(&walk, list); vm_list_next(&walk, &item);)
        if (!vm_is_int(item))
            return "List";
    return "Int64List";
}

static const char *data_kind(vm_value v)
{
    const struct vm_constructor *constructor = vm_constructor_of(v);

    switch (constructor->form) {
    case VM_TYPE_RECORD:
        return "Record";
    case VM_TYPE_VARIANT:
        return "Variant";
    case VM_TYPE_REACTIVE_RECORD:
        return "ReactiveRecord";
    case VM_TYPE_REACTIVE_VARIANT:
        return vm_is_reactive(v) ? "ReactiveVariant" : "Variant"; /* what get() yields is plain */
    }
    nb_unreachable();
}

static enum vm_status core_type_of(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    const struct vm_constructor *constructor = vm_constructor_of(args[0]);

    if (constructor != NULL)
        return lib_answer_cstr(ctx, data_kind(args[0]), ret);
    if (vm_is_list(args[0]))
        return lib_answer_cstr(ctx, list_kind(ctx, args[0]), ret);
    if (vm_is_kind(args[0], VM_KIND_CLOSURE))
        return lib_answer_cstr(ctx, "Closure", ret);
    return lib_answer_cstr(ctx, vm_class_name(vm_class_of(args[0])), ret);
}

static enum vm_status core_tag_of(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    const struct vm_constructor *constructor = vm_constructor_of(args[0]);
    bool variant = constructor != NULL && !vm_is_reactive(args[0]) &&
                   (constructor->form == VM_TYPE_VARIANT || constructor->form == VM_TYPE_REACTIVE_VARIANT);

    return lib_answer_cstr(ctx, variant ? constructor->name : "", ret);
}

static enum vm_status core_eval(struct vm_ctx *ctx, vm_value *args, vm_value *ret)
{
    (void)args;
    (void)ret;
    return vm_raise_panic(ctx, "Unknown native function: eval");
}

#define LIB_TABLE "lib/core.def"
#define LIB_REGISTER lib_register_core
#include "lib/table.h"
