# What belongs to cli/: the three programs, at the top of the build tree.
bin_PROGRAMS += nostos
nostos_SOURCES = cli/nostos.c cli/invocation.c cli/invocation.h cli/run.c cli/run.h \
	cli/complaint.c cli/complaint.h cli/new.c cli/new.h \
	cli/test.c cli/test.h cli/test_find.c cli/test_find.h cli/test_jobs.c cli/test_jobs.h \
	cli/test_judge.c cli/test_judge.h cli/repl.c cli/repl.h cli/repl_complete.c cli/repl_complete.h \
	cli/session.c cli/session.h cli/session.def cli/session_entries.c cli/session_entries.h \
	cli/session_names.c cli/session_names.h cli/session_run.c cli/session_run.h cli/session_value.c \
	cli/session_value.h cli/type_at.c cli/type_at.h
nostos_LDADD = $(FLOOR_SERVER) $(EDIT_LIBS)

sbin_PROGRAMS += nostosd
nostosd_SOURCES = cli/nostosd.c
nostosd_LDADD = $(SYSTEMD_GLUE) $(FLOOR_SERVER)

bin_PROGRAMS += nostosctl
nostosctl_SOURCES = cli/nostosctl.c
nostosctl_LDADD = $(FLOOR_SERVER)
