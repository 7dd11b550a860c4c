# What belongs to cli/: the three programs, at the top of the build tree.
bin_PROGRAMS += nostos
nostos_SOURCES = cli/nostos.c cli/test.c cli/test.h cli/test_find.c cli/test_find.h cli/test_jobs.c cli/test_jobs.h \
	cli/test_judge.c cli/test_judge.h
nostos_LDADD = $(FLOOR_SERVER)

sbin_PROGRAMS += nostosd
nostosd_SOURCES = cli/nostosd.c
nostosd_LDADD = $(SYSTEMD_GLUE) $(FLOOR_SERVER)

bin_PROGRAMS += nostosctl
nostosctl_SOURCES = cli/nostosctl.c
nostosctl_LDADD = $(FLOOR_SERVER)
