noinst_LIBRARIES += liblib.a
liblib_a_SOURCES = \
	lib/lib.c lib/lib.h lib/tables.h lib/table.h lib/embedded.h \
	lib/expect.c lib/expect.h lib/record.c lib/record.h lib/records.def \
	lib/core.c lib/core.def \
	lib/number.c lib/number.def \
	lib/casing.c lib/casing.h \
	lib/string.c lib/string.def lib/string_list.c lib/string_list.def lib/text.c lib/text.h \
	lib/list.c lib/list.def lib/list_order.c lib/list_order.def \
	lib/map.c lib/map.def \
	lib/array.c lib/array.def \
	lib/buffer.c lib/buffer.def \
	lib/stack.c lib/stack.h \
	lib/json.c lib/json.h lib/json.def \
	lib/json_value.c lib/json_read.c lib/json_lenient.c lib/json_print.c lib/json_reflect.c \
	lib/decoder.c lib/decoder.h lib/decode.c lib/decode_strict.c \
	lib/reflection.c lib/reflection.def \
	lib/request_type.c lib/request_type.def \
	lib/random.c lib/random.def \
	lib/process.c lib/process.def \
	lib/link.c lib/link.def \
	lib/reactive.c lib/reactive.def \
	lib/time.c lib/time.def \
	lib/env.c lib/env.h lib/env.def \
	lib/percent.c lib/percent.h \
	lib/encoding.c lib/encoding.def \
	lib/html.c lib/html.def \
	lib/pattern.c lib/pattern.h \
	lib/regex.c lib/regex.def \
	lib/crypto.c lib/crypto.def \
	lib/path.c lib/path.def \
	lib/file.c lib/file.def \
	lib/handle.c lib/handle.h \
	lib/open_file.c lib/open_file.def \
	lib/exec.c lib/exec.def \
	lib/http.c lib/http.def \
	lib/tcp.c lib/tcp.def

# The library in the language itself becomes part of the executable.
library_modules = \
	$(top_srcdir)/lib/list.nos \
	$(top_srcdir)/lib/traits.nos \
	$(top_srcdir)/lib/io.nos \
	$(top_srcdir)/lib/html.nos \
	$(top_srcdir)/lib/html_parser.nos \
	$(top_srcdir)/lib/json.nos \
	$(top_srcdir)/lib/logging.nos \
	$(top_srcdir)/lib/reactive.nos \
	$(top_srcdir)/lib/rhtml.nos \
	$(top_srcdir)/lib/rhtml_session.nos \
	$(top_srcdir)/lib/server.nos \
	$(top_srcdir)/lib/supervisor.nos \
	$(top_srcdir)/lib/validation.nos \
	$(top_srcdir)/lib/url.nos
nodist_liblib_a_SOURCES = lib/embedded.c
BUILT_SOURCES += lib/embedded.c
CLEANFILES += lib/embedded.c
EXTRA_DIST += tools/embed.sh $(library_modules)
lib/embedded.c: $(top_srcdir)/tools/embed.sh $(library_modules)
	$(AM_V_GEN)$(MKDIR_P) lib && $(SHELL) $(top_srcdir)/tools/embed.sh $(library_modules) > $@.tmp && mv $@.tmp $@

check_PROGRAMS += tests/unit/test_natives
tests_unit_test_natives_SOURCES = tests/unit/test_natives.c
tests_unit_test_natives_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_natives_LDADD = $(FLOOR_LIB) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_regex
tests_unit_test_regex_SOURCES = tests/unit/test_regex.c
tests_unit_test_regex_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_regex_LDADD = $(FLOOR_LIB) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_json
tests_unit_test_json_SOURCES = tests/unit/test_json.c
tests_unit_test_json_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_json_LDADD = $(FLOOR_LIB) $(CHECK_LIBS)

EXTRA_DIST += tests/fuzz/fuzz_json.c
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_json
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c
tests_fuzz_fuzz_json_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_json_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_json_LDADD = $(FLOOR_LIB)
endif

EXTRA_DIST += tests/fuzz/fuzz_regex.c
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_regex
tests_fuzz_fuzz_regex_SOURCES = tests/fuzz/fuzz_regex.c
tests_fuzz_fuzz_regex_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_regex_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_regex_LDADD = $(FLOOR_LIB)
endif

check_PROGRAMS += tests/unit/test_type_text
tests_unit_test_type_text_SOURCES = tests/unit/test_type_text.c
tests_unit_test_type_text_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_type_text_LDADD = $(FLOOR_LIB) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_query
tests_unit_test_query_SOURCES = tests/unit/test_query.c
tests_unit_test_query_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_query_LDADD = $(FLOOR_LIB) $(CHECK_LIBS)
