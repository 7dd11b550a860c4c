noinst_LIBRARIES += libio.a
libio_a_SOURCES = io/file.c io/file.h io/reactor.c io/reactor.h
libio_a_SOURCES += io/loop.h io/change.c io/change.h io/handle.c io/handle.h io/stream.c io/stream.h
libio_a_SOURCES += io/open_file.c io/open_file.h io/child.c io/child.h
libio_a_SOURCES += io/http_client.c io/http_client.h io/http_transfer.c io/http_transfer.h \
	io/curl.c io/curl.h io/curl.def
libio_a_SOURCES += io/socket.c io/socket.h

check_PROGRAMS += tests/unit/test_io
tests_unit_test_io_SOURCES = tests/unit/test_io.c
tests_unit_test_io_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_io_LDADD = libio.a $(FLOOR_SCHEDULER) $(UV_LIBS) $(CHECK_LIBS)
