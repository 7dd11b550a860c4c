/*
 * fuzz_json.c - any text as JSON: the strict reader accepts what its own printer wrote, the lenient one takes
 * everything, nothing leaks, nothing crashes.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/utf8.h"
#include "lib/json.h"
#include "tests/unit/vm_fixture.h"
#include "vm/init.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

/* What is on top of the stack as text. */
static struct nb_buf printed(struct vm_ctx *ctx, struct lib_stack *stack)
{
    struct nb_buf text = NB_BUF_INIT;
    enum vm_status status = lib_json_print(ctx, &text, lib_stack_top(stack));

    nb_assert(status == VM_OK && !text.failed);
    return text;
}

/* Two times through reader and printer give one text. */
static void check_round_trip(struct vm_ctx *ctx, struct lib_stack *stack)
{
    struct nb_buf first = printed(ctx, stack), second;
    enum vm_status status = lib_json_read(ctx, stack, first.data, first.length);

    nb_assert(status == VM_OK);
    second = printed(ctx, stack);
    nb_assert(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
    nb_buf_done(&first);
    nb_buf_done(&second);
}

static void read_strictly(struct vm_ctx *ctx, const char *text, size_t length)
{
    struct lib_stack stack;

    lib_stack_begin(ctx, &stack);
    if (lib_json_read(ctx, &stack, text, length) == VM_OK)
        check_round_trip(ctx, &stack);
    lib_stack_end(ctx, &stack);
}

/* What the lenient reader makes of a text may be nested deeper than the strict one follows. */
static void read_leniently(struct vm_ctx *ctx, const char *text, size_t length)
{
    struct nb_buf raw = NB_BUF_INIT;
    struct lib_stack stack;
    bool fine;

    lib_stack_begin(ctx, &stack);
    fine = lib_json_read_lenient(ctx, &stack, text, length);
    nb_assert(fine);
    nb_assert(lib_json_print_raw(ctx, &raw, lib_stack_top(&stack)) == VM_OK);
    fine = lib_json_reflect(ctx, &stack, lib_stack_top(&stack));
    nb_assert(fine);
    lib_stack_end(ctx, &stack);
    nb_buf_done(&raw);
}

static void read_both_ways(const char *text, size_t length)
{
    struct fixture it;
    bool begun = fixture_begin(&it, 1);

    nb_assert(begun);
    read_strictly(&it.ctx, text, length);
    read_leniently(&it.ctx, text, length);
    fixture_end(&it);
}

/* The tables of names and types stay. */
static void initialise_once(void)
{
    static bool done;

    if (done)
        return;
    vm_init();
    lib_json_init();
    read_both_ways("[", 1);
    done = true;
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    const char *text = (const char *)bytes;
    long live;

    if (!nb_utf8_valid(text, length))
        return 0; /* Strings are valid */
    initialise_once();
    live = nb_alloc_live();
    read_both_ways(text, length);
    nb_assert(nb_alloc_live() == live);
    return 0;
}
