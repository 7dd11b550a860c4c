noinst_LIBRARIES += libscheduler.a
libscheduler_a_SOURCES = \
	scheduler/cores.c scheduler/group.c scheduler/inject.c scheduler/inject.h scheduler/link.c scheduler/link.h \
	scheduler/park.c scheduler/park.h scheduler/process.c scheduler/runq.c scheduler/runq.h \
	scheduler/sched.c scheduler/sched.h scheduler/sim.c scheduler/sim.h scheduler/table.c scheduler/table.h \
	scheduler/timer.c scheduler/timer.h scheduler/worker.c scheduler/worker.h scheduler/worker_sleep.c

check_PROGRAMS += tests/unit/test_inject tests/unit/test_park tests/unit/test_runq tests/unit/test_sched \
	tests/unit/test_sim tests/unit/test_table tests/unit/test_timer
tests_unit_test_inject_SOURCES = tests/unit/test_inject.c
tests_unit_test_inject_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_inject_LDADD = $(FLOOR_SCHEDULER) $(CHECK_LIBS)
tests_unit_test_park_SOURCES = tests/unit/test_park.c
tests_unit_test_park_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_park_LDADD = $(FLOOR_SCHEDULER) $(CHECK_LIBS)
tests_unit_test_runq_SOURCES = tests/unit/test_runq.c
tests_unit_test_runq_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_runq_LDADD = $(FLOOR_SCHEDULER) $(CHECK_LIBS)
tests_unit_test_sched_SOURCES = tests/unit/test_sched.c
tests_unit_test_sched_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sched_LDADD = $(FLOOR_SCHEDULER) $(CHECK_LIBS)
tests_unit_test_sim_SOURCES = tests/unit/test_sim.c
tests_unit_test_sim_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_LDADD = $(FLOOR_SCHEDULER) $(CHECK_LIBS)
tests_unit_test_table_SOURCES = tests/unit/test_table.c
tests_unit_test_table_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_table_LDADD = $(FLOOR_SCHEDULER) $(CHECK_LIBS)
tests_unit_test_timer_SOURCES = tests/unit/test_timer.c
tests_unit_test_timer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_timer_LDADD = $(FLOOR_SCHEDULER) $(CHECK_LIBS)
