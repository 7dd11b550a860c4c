/*
 * fuzz_compile.c - any bytes through the whole compiler, with the library: either a program that passes the verifier or
 * diagnostics that can be printed, and nothing is left behind.
 */
#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/buf.h"
#include "lang/compile.h"
#include "lib/lib.h"
#include "vm/init.h"
#include "vm/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start_once(void)
{
    static bool started;

    if (started)
        return;
    vm_init();
    lib_register();
    started = true;
}

static void print_diagnostics(const struct ns_diag *diag)
{
    struct nb_buf out = NB_BUF_INIT;

    ns_diag_print(diag, &out);
    nb_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ns_options options = { .need_main = false, .types = true };
    struct ns_diag *diag = ns_diag_new();
    struct vm_program *program = NULL;
    int r;

    start_once();
    r = ns_compile_text("fuzz.nos", (const char *)data, size, &options, diag, &program);
    nb_assert((r == 0) == (program != NULL));
    nb_assert((r == 0) == (ns_diag_count(diag) == 0));
    if (r != 0)
        print_diagnostics(diag);
    else
        vm_program_unref(program);
    ns_diag_free(diag);
    return 0;
}
