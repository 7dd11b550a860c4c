noinst_LIBRARIES += libvm.a
libvm_a_SOURCES =
