/*
 * except.c - exceptions: making them, naming them, and where they came from.
 *
 * A run-time error is a pair (kind, message) of Strings; throw(v) throws v itself (05 §3).
 */
#include "config.h"

#include "vm/except.h"

#include <pthread.h>
#include <stdarg.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "vm/call.h"
#include "vm/print.h"
#include "vm/string.h"

/* ("Panic", "Out of memory"), for when there is no memory even for an exception. */
static vm_value no_memory_kind[2], no_memory_text[3], no_memory_pair[3];
static pthread_once_t no_memory_once = PTHREAD_ONCE_INIT;

static void make_no_memory(void)
{
    static const char kind[] = "Panic", text[] = "Out of memory";

    no_memory_pair[0] = VM_HEADER(VM_KIND_TUPLE, VM_FLAG_IMMORTAL, 0, 2);
    no_memory_pair[1] = vm_string_immortal(no_memory_kind, kind, sizeof kind - 1);
    no_memory_pair[2] = vm_string_immortal(no_memory_text, text, sizeof text - 1);
}

static enum vm_status raise_no_memory(struct vm_ctx *ctx)
{
    pthread_once(&no_memory_once, make_no_memory);
    ctx->exception = vm_from_object(no_memory_pair);
    return VM_RAISE;
}

enum vm_status vm_raise(struct vm_ctx *ctx, vm_value value)
{
    ctx->exception = value;
    return VM_RAISE;
}

static enum vm_status raise_pair(struct vm_ctx *ctx, const char *kind, const char *text, size_t length)
{
    vm_value first, second, *pair;

    ctx->exception = vm_string(ctx, text, length);
    if (ctx->exception == VM_NONE)
        return raise_no_memory(ctx);
    first = vm_string_cstr(ctx, kind);
    if (first == VM_NONE)
        return raise_no_memory(ctx);
    VM_ROOT(ctx, first);
    bool room = vm_heap_reserve(ctx, 3);
    VM_UNROOT(ctx, first);
    if (!room)
        return raise_no_memory(ctx);
    second = ctx->exception;
    pair = vm_heap_take(&ctx->process->heap, 3);
    pair[0] = VM_HEADER(VM_KIND_TUPLE, 0, 0, 2);
    pair[1] = first;
    pair[2] = second;
    ctx->exception = vm_from_object(pair);
    return VM_RAISE;
}

static enum vm_status raise_formatted(struct vm_ctx *ctx, const char *kind, const char *format, va_list arguments)
{
    struct nb_buf text = NB_BUF_INIT;
    enum vm_status status;

    nb_buf_vprintf(&text, format, arguments);
    if (text.failed) {
        status = raise_no_memory(ctx);
    } else if (kind != NULL) {
        status = raise_pair(ctx, kind, nb_buf_cstr(&text), text.length);
    } else {
        ctx->exception = vm_string(ctx, nb_buf_cstr(&text), text.length);
        status = ctx->exception == VM_NONE ? raise_no_memory(ctx) : VM_RAISE;
    }
    nb_buf_done(&text);
    return status;
}

enum vm_status vm_raise_kind(struct vm_ctx *ctx, const char *kind, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    enum vm_status status = raise_formatted(ctx, kind, format, arguments);
    va_end(arguments);
    return status;
}

enum vm_status vm_raise_panic(struct vm_ctx *ctx, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    enum vm_status status = raise_formatted(ctx, "Panic", format, arguments);
    va_end(arguments);
    return status;
}

enum vm_status vm_raise_text(struct vm_ctx *ctx, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    enum vm_status status = raise_formatted(ctx, NULL, format, arguments);
    va_end(arguments);
    return status;
}

enum vm_status vm_raise_type(struct vm_ctx *ctx, const char *expected, vm_value got)
{
    return vm_raise_kind(ctx, "TypeError", "expected %s, got %s", expected, vm_kind_word(got));
}

/* How an uncaught (kind, message) reads: table of 06 C.7. `form` gets the message; kinds without a row are shown as
 * thrown values. */
static const struct { const char *kind, *form; bool capital; } uncaught[] = {
    { "Panic", "Panic: %s", false },
    { "IndexOutOfBounds", "%s", true },
    { "TypeError", "Type error: %s", false },
    { "StackOverflow", "Stack overflow", false },
    { "UnknownField", "%s", true },
    { "ImmutableField", "%s", true },
    { "ArityMismatch", "Arity mismatch: %s", false },
    { "IOError", "I/O error: %s", false },
};

static bool is_error_pair(vm_value v)
{
    return vm_is_kind(v, VM_KIND_TUPLE) && vm_size(v) == 2 && vm_is_string(vm_field(v, 0)) &&
           vm_is_string(vm_field(v, 1));
}

/* "index 0 out of bounds (length 0)" is "Index out of bounds: 0 (length 0)" when nobody caught it. */
static bool print_index_error(struct nb_buf *out, const char *message)
{
    long index, length;

    if (sscanf(message, "index %ld out of bounds (length %ld)", &index, &length) != 2)
        return false;
    nb_buf_printf(out, "Index out of bounds: %ld (length %ld)", index, length);
    return true;
}

/* "unknown field 'y' on type 'A'" is "Unknown field: y on type A" when nobody caught it. */
static bool print_field_error(struct nb_buf *out, const char *message)
{
    static const char start[] = "unknown field ";

    if (strncmp(message, start, sizeof start - 1) != 0)
        return false;
    nb_buf_text(out, "Unknown field: ");
    for (const char *p = message + sizeof start - 1; *p != '\0'; p++)
        if (*p != '\'')
            nb_buf_printf(out, "%c", *p);
    return true;
}

static bool print_error_pair(struct nb_buf *out, vm_value exception)
{
    struct nb_buf kept = NB_BUF_INIT;
    vm_value kind = vm_field(exception, 0);
    const char *message = vm_string_cstring(vm_field(exception, 1), &kept);
    bool known = false;

    for (size_t i = 0; i < sizeof uncaught / sizeof *uncaught && !known; i++) {
        if (!vm_string_equals(kind, uncaught[i].kind, strlen(uncaught[i].kind)))
            continue;
        known = true;
        if (print_index_error(out, message) || print_field_error(out, message))
            break;
        if (uncaught[i].capital && message[0] >= 'a' && message[0] <= 'z')
            nb_buf_printf(out, "%c%s", message[0] - 'a' + 'A', message + 1);
        else
            nb_buf_printf(out, uncaught[i].form, message);
    }
    nb_buf_done(&kept);
    return known;
}

/* "(io_error, File not found: x)": a pair of strings shows them bare. */
static void print_thrown(struct nb_buf *out, vm_value exception)
{
    nb_buf_text(out, "Panic: Uncaught exception: ");
    if (!is_error_pair(exception)) {
        vm_print_display(out, exception);
        return;
    }
    nb_buf_text(out, "(");
    vm_print_display(out, vm_field(exception, 0));
    nb_buf_text(out, ", ");
    vm_print_display(out, vm_field(exception, 1));
    nb_buf_text(out, ")");
}

char *vm_exception_text(vm_value exception)
{
    struct nb_buf out = NB_BUF_INIT;

    if (!is_error_pair(exception) || !print_error_pair(&out, exception))
        print_thrown(&out, exception);
    if (out.data == NULL)
        nb_buf_text(&out, "");
    return nb_buf_take(&out);
}

char *vm_stack_trace(struct vm_process *process, unsigned most)
{
    struct nb_buf out = NB_BUF_INIT;
    const uint64_t *pc = process->pc;
    vm_value *fp = process->heap.fp;
    unsigned number = 0;

    while (fp < process->heap.end && number < most) {
        const struct vm_function *f = (const struct vm_function *)(uintptr_t)fp[0];
        uint32_t word = pc == NULL ? 0 : (uint32_t)(pc - f->code);

        if (f->form == VM_FUNCTION_ORDINARY)
            nb_buf_printf(&out, "  %u. %s (%s:%u)\n", ++number, f->name, f->file, (unsigned)vm_function_line(f, word));
        pc = VM_RETURN_PC(fp[1]);
        if (pc != NULL)
            pc--; /* the call itself, not what follows it */
        fp += VM_FRAME_WORDS + f->registers;
    }
    if (fp < process->heap.end)
        nb_buf_text(&out, "  …\n");
    if (out.data == NULL)
        nb_buf_text(&out, "");
    return nb_buf_take(&out);
}
