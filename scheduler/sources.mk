noinst_LIBRARIES += libscheduler.a
libscheduler_a_SOURCES = \
	scheduler/cores.c scheduler/group.c scheduler/inject.c scheduler/inject.h scheduler/park.c scheduler/park.h \
	scheduler/process.c scheduler/runq.c scheduler/runq.h scheduler/sched.c scheduler/sched.h scheduler/sim.c \
	scheduler/sim.h scheduler/table.c scheduler/table.h scheduler/timer.c scheduler/timer.h scheduler/worker.c \
	scheduler/worker.h
