noinst_LIBRARIES += libserver.a
libserver_a_SOURCES = \
	server/app.c server/app.h server/control.c server/control.h server/daemon.c server/daemon.h server/endpoint.c \
	server/http.def server/http_native.c server/http_native.h server/limits.c server/limits.h server/listener.c \
	server/listener.h server/loop.c server/loop.h server/record.c server/record.h server/request.c server/request.h \
	server/ring.c server/ring.h server/runtime.c server/runtime.h server/runtime_private.h server/version.c \
	server/version.h
