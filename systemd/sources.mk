noinst_LIBRARIES += libsysd.a
libsysd_a_SOURCES = \
	systemd/fds.c systemd/fds.h systemd/journal.c systemd/journal.h systemd/notify.c systemd/notify.h
# What a program that talks to systemd links, before the floors.
SYSTEMD_GLUE = libsysd.a $(SYSTEMD_LIBS)

sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
systemdsystemunit_DATA = systemd/nostosd.service systemd/nostosd.socket
sysusers_DATA = systemd/sysusers.d/nostosd.conf
tmpfiles_DATA = systemd/tmpfiles.d/nostosd.conf
EXTRA_DIST += systemd/nostosd.service.in systemd/nostosd.socket systemd/sysusers.d/nostosd.conf systemd/tmpfiles.d/nostosd.conf.in \
	tests/systemd/run
CLEANFILES += systemd/nostosd.service systemd/tmpfiles.d/nostosd.conf

fill_in_folders = $(SED) -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
	-e 's|@localstatedir[@]|$(localstatedir)|g'

systemd/nostosd.service: $(srcdir)/systemd/nostosd.service.in Makefile
	@$(MKDIR_P) systemd
	$(AM_V_GEN)$(fill_in_folders) $(srcdir)/systemd/nostosd.service.in > $@.new && mv $@.new $@

systemd/tmpfiles.d/nostosd.conf: $(srcdir)/systemd/tmpfiles.d/nostosd.conf.in Makefile
	@$(MKDIR_P) systemd/tmpfiles.d
	$(AM_V_GEN)$(fill_in_folders) $(srcdir)/systemd/tmpfiles.d/nostosd.conf.in > $@.new && mv $@.new $@

check_PROGRAMS += tests/unit/test_notify tests/unit/test_fds tests/unit/test_journal
tests_unit_test_notify_SOURCES = tests/unit/test_notify.c
tests_unit_test_notify_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_notify_LDADD = $(SYSTEMD_GLUE) $(FLOOR_0) $(CHECK_LIBS)
tests_unit_test_fds_SOURCES = tests/unit/test_fds.c
tests_unit_test_fds_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fds_LDADD = $(SYSTEMD_GLUE) $(FLOOR_0) $(CHECK_LIBS)
tests_unit_test_journal_SOURCES = tests/unit/test_journal.c
tests_unit_test_journal_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_journal_LDADD = $(SYSTEMD_GLUE) $(FLOOR_0) $(CHECK_LIBS)
