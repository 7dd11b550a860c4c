noinst_LIBRARIES += libconf.a
libconf_a_SOURCES = \
	conf/check.c conf/conf.h conf/diff.c conf/key.c conf/key.h conf/keys.def conf/load.c conf/parse.c conf/parse.h \
	conf/sample.c
