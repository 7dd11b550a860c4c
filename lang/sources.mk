noinst_LIBRARIES += liblang.a
# The front end: text to trees.
liblang_a_SOURCES = \
	lang/ast.h \
	lang/diag.c lang/diag.h \
	lang/dump.c lang/dump.h \
	lang/file.c lang/file.h \
	lang/lex.c lang/lex.h lang/tokens.def \
	lang/library.c lang/library.h \
	lang/module.c lang/module.h \
	lang/parse.c lang/parse.h lang/parse_private.h \
	lang/parse_expr.c lang/parse_item.c lang/parse_literal.c \
	lang/parse_pattern.c lang/parse_primary.c lang/parse_type.c \
	lang/project.c lang/project.h
# The back end: trees to code.
liblang_a_SOURCES +=
