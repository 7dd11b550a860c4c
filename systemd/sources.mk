noinst_LIBRARIES += libsysd.a
libsysd_a_SOURCES = \
	systemd/fds.c systemd/fds.h systemd/journal.c systemd/journal.h systemd/notify.c systemd/notify.h
# What a program that talks to systemd links, before the floors.
SYSTEMD_GLUE = libsysd.a $(SYSTEMD_LIBS)
