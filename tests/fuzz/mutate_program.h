/*
 * mutate_program.h - changes to programs that leave most of them programs.
 *
 * Bytes changed at random mostly give texts that end in the lexer. These changes move whole tokens, lines and bracketed
 * groups about, also from one program to another, so that what comes out often parses and reaches the checker, the
 * templates and the code.
 */
#ifndef TESTS_FUZZ_MUTATE_PROGRAM_H
#define TESTS_FUZZ_MUTATE_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

/* What libFuzzer calls, and what it offers. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

#endif
