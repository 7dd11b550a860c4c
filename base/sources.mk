noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	base/alloc.c base/alloc.h base/arena.c base/arena.h base/assert.c base/assert.h base/buf.c base/buf.h \
	base/clock.c base/clock.h base/hash.c base/hash.h base/intern.c base/intern.h base/log.c base/log.h \
	base/map.c base/map.h base/stress.h base/tsan.h base/utf8.c base/utf8.h base/vec.c base/vec.h
