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
EXTRA_DIST += tests/unit/io_fixture.h
check_PROGRAMS += tests/unit/test_handle tests/unit/test_stream tests/unit/test_child
tests_unit_test_handle_SOURCES = tests/unit/test_handle.c
tests_unit_test_handle_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_handle_LDADD = $(tests_unit_test_io_LDADD)
tests_unit_test_stream_SOURCES = tests/unit/test_stream.c
tests_unit_test_stream_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_stream_LDADD = $(tests_unit_test_io_LDADD)
tests_unit_test_child_SOURCES = tests/unit/test_child.c
tests_unit_test_child_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_child_LDADD = $(tests_unit_test_io_LDADD)
