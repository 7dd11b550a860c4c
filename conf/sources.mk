noinst_LIBRARIES += libconf.a
libconf_a_SOURCES = \
	conf/check.c conf/conf.h conf/diff.c conf/key.c conf/key.h conf/keys.def conf/load.c conf/parse.c conf/parse.h \
	conf/sample.c

# The sample file and the manual page follow from keys.def, as the daemon's own reading of its file does.
noinst_PROGRAMS += conf/explain
conf_explain_SOURCES = conf/explain.c
conf_explain_LDADD = libconf.a libbase.a $(CONFUSE_LIBS)

noinst_DATA = conf/nostosd.conf
man_MANS = conf/nostosd.conf.5
CLEANFILES += conf/nostosd.conf conf/nostosd.conf.5

conf/nostosd.conf: conf/explain$(EXEEXT)
	$(AM_V_GEN)conf/explain$(EXEEXT) sample > $@.new && mv $@.new $@

conf/nostosd.conf.5: conf/explain$(EXEEXT)
	$(AM_V_GEN)conf/explain$(EXEEXT) manual > $@.new && mv $@.new $@

# A configuration that is there already stays.
.PHONY: install-configuration
install-data-hook: install-configuration
install-configuration: conf/nostosd.conf
	$(MKDIR_P) "$(DESTDIR)$(sysconfdir)"
	test -e "$(DESTDIR)$(sysconfdir)/nostosd.conf" || \
		$(INSTALL_DATA) conf/nostosd.conf "$(DESTDIR)$(sysconfdir)/nostosd.conf"

check_PROGRAMS += tests/unit/test_conf
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c
tests_unit_test_conf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conf_LDADD = libconf.a $(FLOOR_0) $(CONFUSE_LIBS) $(CHECK_LIBS)

EXTRA_DIST += tests/fuzz/fuzz_conf.c
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c
tests_fuzz_fuzz_conf_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_conf_LDADD = libconf.a $(FLOOR_0) $(CONFUSE_LIBS)
endif
