noinst_LIBRARIES += libscheduler.a
libscheduler_a_SOURCES =
