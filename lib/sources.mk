noinst_LIBRARIES += liblib.a
liblib_a_SOURCES =
