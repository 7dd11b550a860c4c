noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	base/alloc.c base/alloc.h base/arena.c base/arena.h base/assert.c base/assert.h base/buf.c base/buf.h \
	base/clock.c base/clock.h base/hash.c base/hash.h base/intern.c base/intern.h base/log.c base/log.h \
	base/log_queue.c base/log_queue.h base/log_stderr.c \
	base/map.c base/map.h base/stress.h base/tsan.h base/utf8.c base/utf8.h base/vec.c base/vec.h

BASE_TESTS = \
	tests/unit/test_alloc tests/unit/test_arena tests/unit/test_assert tests/unit/test_buf tests/unit/test_clock \
	tests/unit/test_hash tests/unit/test_intern tests/unit/test_log tests/unit/test_base_map tests/unit/test_utf8 \
	tests/unit/test_vec
check_PROGRAMS += $(BASE_TESTS)
EXTRA_DIST += tests/unit/run_suite.h
tests_unit_test_alloc_SOURCES = tests/unit/test_alloc.c
tests_unit_test_alloc_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_alloc_LDADD = $(FLOOR_0) $(CHECK_LIBS)
tests_unit_test_arena_SOURCES = tests/unit/test_arena.c
tests_unit_test_arena_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_arena_LDADD = $(FLOOR_0) $(CHECK_LIBS)
tests_unit_test_assert_SOURCES = tests/unit/test_assert.c
tests_unit_test_assert_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_assert_LDADD = $(FLOOR_0) $(CHECK_LIBS)
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c
tests_unit_test_buf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_buf_LDADD = $(FLOOR_0) $(CHECK_LIBS)
tests_unit_test_clock_SOURCES = tests/unit/test_clock.c
tests_unit_test_clock_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_clock_LDADD = $(FLOOR_0) $(CHECK_LIBS)
tests_unit_test_hash_SOURCES = tests/unit/test_hash.c
tests_unit_test_hash_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_hash_LDADD = $(FLOOR_0) $(CHECK_LIBS)
tests_unit_test_intern_SOURCES = tests/unit/test_intern.c
tests_unit_test_intern_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_intern_LDADD = $(FLOOR_0) $(CHECK_LIBS)
tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_log_LDADD = $(FLOOR_0) $(CHECK_LIBS)
tests_unit_test_base_map_SOURCES = tests/unit/test_base_map.c
tests_unit_test_base_map_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_base_map_LDADD = $(FLOOR_0) $(CHECK_LIBS)
tests_unit_test_utf8_SOURCES = tests/unit/test_utf8.c
tests_unit_test_utf8_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_utf8_LDADD = $(FLOOR_0) $(CHECK_LIBS)
tests_unit_test_vec_SOURCES = tests/unit/test_vec.c
tests_unit_test_vec_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vec_LDADD = $(FLOOR_0) $(CHECK_LIBS)
