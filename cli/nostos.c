/*
 * nostos.c - the program for authors: run, check and list programs. What each command does has a file of its own.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/complaint.h"
#include "cli/invocation.h"
#include "cli/new.h"
#include "cli/repl.h"
#include "cli/run.h"
#include "cli/session_value.h"
#include "lang/compile.h"
#include "lang/diag.h"
#include "lib/lib.h"
#include "server/http_native.h"
#include "vm/init.h"
#include "vm/program.h"

static void print_warnings(const struct ns_diag *diag)
{
    struct nb_buf text = NB_BUF_INIT;

    ns_diag_print_warnings(diag, &text);
    fputs(nb_buf_cstr(&text), stderr);
    nb_buf_done(&text);
}

static void list_functions(const struct vm_program *program, const char *only)
{
    for (uint32_t i = 0; i < program->function_count; i++) {
        const struct vm_function *f = program->functions[i];

        if (only == NULL ? strncmp(f->file, "stdlib", 6) != 0 : strcmp(f->name, only) == 0)
            vm_disassemble(f, stdout);
    }
}

static int ask_at_place(const struct invocation *invocation)
{
    struct ns_options options = { .bin = invocation->bin, .entry = invocation->entry, .types = invocation->types };

    return type_at_main(invocation->path, &invocation->place, &options, invocation->json);
}

static int compile_and(const struct invocation *invocation)
{
    struct ns_options options = { .check_only = invocation->command == COMMAND_CHECK,
                                  .bin = invocation->bin,
                                  .entry = invocation->entry,
                                  .types = invocation->types,
                                  .no_typed_code = invocation->no_typed_code,
                                  .need_main = invocation->command != COMMAND_DISASM && invocation->entry == NULL };
    struct ns_diag *diag = ns_diag_new();
    struct vm_program *program = NULL;
    int r = ns_compile(invocation->path, &options, diag, &program);

    print_warnings(diag);
    if (r < 0)
        complaint_print(diag, invocation->json);
    ns_diag_free(diag);
    if (r < 0)
        return EXIT_FAILURE;
    if (invocation->command == COMMAND_RUN)
        return run_program(invocation, program);
    if (invocation->command == COMMAND_DISASM)
        list_functions(program, invocation->function);
    vm_program_unref(program);
    return EXIT_SUCCESS;
}

static int run_session(const struct invocation *invocation)
{
    struct session_options options = { .threads = invocation->threads,
                                       .depth = invocation->depth,
                                       .heap_words = invocation->heap_mib * WORDS_PER_MIB,
                                       .types = invocation->types };

    session_value_register();
    return repl_main(&options, invocation->words, invocation->free_all);
}

static bool needs_path(const struct invocation *invocation)
{
    return invocation->place.file == NULL && invocation->command != COMMAND_TEST &&
           invocation->command != COMMAND_REPL;
}

static int no_path(const struct invocation *invocation)
{
    if (invocation->command == COMMAND_NEW)
        fputs("Error: No name specified\nTry: nostos new NAME\n", stderr);
    else
        fputs("Error: No input file specified\nTry: nostos FILE.nos, or nostos --help\n", stderr);
    return EXIT_FAILURE;
}

/* The commands that compile, for which language and library must be known. */
static int compile_main(const struct invocation *invocation)
{
    vm_init();
    lib_register();
    srv_http_register_natives();
    if (invocation->command == COMMAND_TEST)
        return test_main(&invocation->test, invocation->words);
    if (invocation->command == COMMAND_REPL)
        return run_session(invocation);
    return invocation->place.file != NULL ? ask_at_place(invocation) : compile_and(invocation);
}

int main(int argc, char **argv)
{
    struct invocation invocation;

    if (argc < 2) {
        invocation_print_help(stderr);
        return EXIT_FAILURE;
    }
    if (!invocation_read(&invocation, argv))
        return EXIT_FAILURE;
    switch (invocation.command) {
    case COMMAND_HELP: invocation_print_help(stdout); return EXIT_SUCCESS;
    case COMMAND_VERSION: puts("nostos " PACKAGE_VERSION); return EXIT_SUCCESS;
    default: break;
    }
    if (invocation.path == NULL && needs_path(&invocation))
        return no_path(&invocation);
    return invocation.command == COMMAND_NEW ? new_main(invocation.path) : compile_main(&invocation);
}
