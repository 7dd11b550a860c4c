/*
 * invocation.h - what the words behind `nostos` ask for: a command, options, files.
 */
#ifndef CLI_INVOCATION_H
#define CLI_INVOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/test.h"
#include "cli/type_at.h"

enum { WORDS_PER_MIB = (1 << 20) / 8 };

enum command {
    COMMAND_RUN, COMMAND_CHECK, COMMAND_TEST, COMMAND_REPL, COMMAND_NEW, COMMAND_DISASM, COMMAND_VERSION, COMMAND_HELP,
    COMMAND_COUNT
};

struct invocation {
    enum command command;
    const char *path, *function, *bin, *entry;
    char **words; /* all that are no options, but for the command: moved to the front of argv; ends with NULL */
    size_t word_count;
    struct test_options test;
    struct type_at_place place; /* to be asked about; file NULL: none */
    bool json, types, no_typed_code, free_all, seeded;
    unsigned threads;
    uint32_t depth;
    uint64_t heap_mib;
    uint64_t seed;
};

/** Read the arguments of main(); what they do not say is as by default. The texts stay argv's, which is rearranged.
 *  False: they are wrong, and why was printed. */
bool invocation_read(struct invocation *invocation, char **argv);

/** Print the commands and the options. */
void invocation_print_help(FILE *out);

#endif
