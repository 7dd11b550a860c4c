noinst_LIBRARIES += libserver.a
libserver_a_SOURCES = \
	server/app.c server/app.h server/app_folder.c server/app_private.h server/app_report.c \
	server/app_version.c server/connection.c server/connection.h server/control.c server/control.h server/daemon.c \
	server/daemon.h server/descriptors.c server/descriptors.h server/endpoint.c server/exchange.c server/exchange.h server/headers.c server/headers.h \
	server/http.def server/http_native.c server/http_native.h server/lines.c server/lines.h server/limits.c \
	server/limits.h server/listener.c server/listener.h server/loop.c server/loop.h server/memory.c server/memory.h \
	server/port.c server/port.h server/prepared.c server/prepared.h server/record.c server/record.h \
	server/reply.c server/reply.h server/request.c server/request.h server/response.c server/response.h \
	server/ring.c server/ring.h server/runtime.c server/runtime.h server/runtime_private.h \
	server/status.c server/status.h server/unsent.c server/unsent.h server/version.c server/version.h server/watch.c server/watch.h

check_PROGRAMS += tests/unit/test_ring tests/unit/test_record tests/unit/test_http
tests_unit_test_ring_SOURCES = tests/unit/test_ring.c tests/unit/run_suite.h
tests_unit_test_ring_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ring_LDADD = libserver.a $(FLOOR_0) $(CHECK_LIBS) $(CK_LIBS)
tests_unit_test_record_SOURCES = tests/unit/test_record.c tests/unit/run_suite.h tests/unit/vm_fixture.h
tests_unit_test_record_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_record_LDADD = $(FLOOR_SERVER) $(CHECK_LIBS)
tests_unit_test_http_SOURCES = tests/unit/test_http.c tests/unit/run_suite.h
tests_unit_test_http_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_LDADD = $(FLOOR_SERVER) $(CHECK_LIBS)

# The client of tests/server/run.
noinst_PROGRAMS += tests/server/client
tests_server_client_SOURCES = tests/server/client.c
EXTRA_DIST += tests/server/run tests/server/lib.sh tests/server/requests.sh tests/server/apps.sh tests/server/faults.sh \
	tests/server/daemon.sh

# The HTTP fuzzer; tests/fuzz/http runs it against a daemon.
noinst_PROGRAMS += tests/fuzz/fuzz_http
tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz_http.c tests/fuzz/mutate_http.c tests/fuzz/mutate_http.h
EXTRA_DIST += tests/fuzz/http
