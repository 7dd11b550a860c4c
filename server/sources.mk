noinst_LIBRARIES += libserver.a
libserver_a_SOURCES = \
	server/endpoint.c server/http.def server/http_native.c server/http_native.h server/limits.c server/limits.h \
	server/listener.c server/listener.h server/loop.c server/loop.h server/record.c server/record.h server/request.c \
	server/request.h server/ring.c server/ring.h server/runtime.c server/runtime.h server/runtime_private.h
