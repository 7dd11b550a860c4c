# what belongs to tests/ (the programs of one folder are listed in that folder's file)
EXTRA_DIST += tests/fuzz/fuzz_compile.c tests/fuzz/mutate_program.c tests/fuzz/mutate_program.h tests/fuzz/run \
	tests/fuzz/seeds tests/fuzz/uncovered
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_compile
tests_fuzz_fuzz_compile_SOURCES = tests/fuzz/fuzz_compile.c tests/fuzz/mutate_program.c
tests_fuzz_fuzz_compile_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_compile_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_compile_LDADD = $(FLOOR_LIB)
endif
