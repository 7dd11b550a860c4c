noinst_LIBRARIES += liblang.a
# The front end: text to trees.
liblang_a_SOURCES = \
	lang/ast.h \
	lang/diag.c lang/diag.h \
	lang/file.c lang/file.h \
	lang/input.c lang/input.h \
	lang/lex.c lang/lex.h lang/lex_string.c lang/tokens.def \
	lang/library.c lang/library.h lang/library_text.c lang/library_text.h \
	lang/module.c lang/module.h \
	lang/parse.c lang/parse.h lang/parse_private.h \
	lang/parse_expr.c lang/parse_hint.c lang/parse_item.c lang/parse_literal.c \
	lang/parse_pattern.c lang/parse_primary.c lang/parse_type.c \
	lang/project.c lang/project.h
# Templates: trees to trees.
liblang_a_SOURCES += \
	lang/copy.c lang/copy.h lang/parts.def \
	lang/compile_expression.h lang/expand.c lang/expand.h lang/expand_private.h \
	lang/expand_comptime.c lang/expand_function.c lang/expand_quote.c lang/expand_value.c
# The back end: trees to code.
liblang_a_SOURCES += \
	lang/companion.c \
	lang/compile.c lang/compile.h \
	lang/constant.c lang/declarations.c lang/declare.c lang/declare_type.c lang/describe.c lang/group.c \
	lang/instance.c lang/request_form.c \
	lang/emit.c lang/emit.h \
	lang/frame.c lang/typed.c lang/typed.h lang/library_calls.c \
	lang/lower.c lang/lower.h \
	lang/lower_arguments.c lang/lower_bind.c lang/lower_call.c lang/lower_call.h lang/lower_closure.c \
	lang/lower_collection.c lang/lower_construct.c lang/lower_local.c lang/lower_match.c lang/lower_method.c \
	lang/lower_name.c lang/lower_operator.c lang/lower_try.c lang/lower_unit.c \
	lang/mention.c lang/mention.h \
	lang/mvar_check.c lang/overload.c \
	lang/pattern.c lang/pattern_answer.c lang/pattern_emit.c lang/pattern_private.h lang/pattern_rows.c \
	lang/pattern_tree.c lang/pipe.c lang/pipe.h lang/protect.c lang/resolve.c \
	lang/scope_form.c lang/scope_form.h \
	lang/similar.c lang/similar.h lang/suggest.c lang/suggest.h \
	lang/table.c lang/table.h \
	lang/type_test.c lang/type_test.h \
	lang/trait.c lang/unit.c lang/unit.h lang/words.h lang/use.c \
	lang/walk.c lang/walk.h \
	lang/written_type.c

# Static types.
liblang_a_SOURCES += \
	lang/ambiguous.c lang/annotation.c lang/check.c lang/check.h lang/complain.c \
	lang/exhaustive.c \
	lang/infer.c lang/infer.h lang/infer_apply.c lang/infer_bind.c lang/infer_call.c lang/infer_construct.c \
	lang/infer_demand.c lang/infer_function.c lang/infer_generic.c \
	lang/infer_method.c lang/infer_name.c lang/infer_operator.c lang/infer_pattern.c \
	lang/pattern_shape.c \
	lang/query.c lang/query.h lang/query_find.c lang/query_find.h lang/query_local.c lang/query_reply.c \
	lang/satisfy.c lang/scheme.h lang/scheme_data.c lang/scheme_native.c \
	lang/suggest_method.c \
	lang/term.c lang/term.h lang/type_argument.c lang/type_text.c lang/type_text.h lang/unify.c

check_PROGRAMS += tests/unit/test_lex tests/unit/test_parse tests/unit/test_diag tests/unit/test_module
EXTRA_DIST += tests/unit/parse_fixture.h tests/unit/dump.h
tests_unit_test_lex_SOURCES = tests/unit/test_lex.c
tests_unit_test_lex_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_lex_LDADD = $(FLOOR_LANG) $(CHECK_LIBS)
tests_unit_test_parse_SOURCES = tests/unit/test_parse.c tests/unit/dump.c
tests_unit_test_parse_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_parse_LDADD = $(FLOOR_LANG) $(CHECK_LIBS)
tests_unit_test_diag_SOURCES = tests/unit/test_diag.c
tests_unit_test_diag_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_diag_LDADD = $(FLOOR_LANG) $(CHECK_LIBS)
tests_unit_test_module_SOURCES = tests/unit/test_module.c
tests_unit_test_module_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_module_LDADD = $(FLOOR_LANG) $(CHECK_LIBS)

EXTRA_DIST += tests/fuzz/fuzz_parse.c
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_parse
tests_fuzz_fuzz_parse_SOURCES = tests/fuzz/fuzz_parse.c tests/unit/dump.c tests/fuzz/mutate_program.c
tests_fuzz_fuzz_parse_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_parse_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_parse_LDADD = $(FLOOR_LANG)
endif

check_PROGRAMS += tests/unit/test_emit
tests_unit_test_emit_SOURCES = tests/unit/test_emit.c
tests_unit_test_emit_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_emit_LDADD = $(FLOOR_LANG) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_pattern
tests_unit_test_pattern_SOURCES = tests/unit/test_pattern.c
tests_unit_test_pattern_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pattern_LDADD = $(FLOOR_LANG) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_similar
tests_unit_test_similar_SOURCES = tests/unit/test_similar.c
tests_unit_test_similar_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_similar_LDADD = $(FLOOR_LANG) $(CHECK_LIBS)
