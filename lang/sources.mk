noinst_LIBRARIES += liblang.a
liblang_a_SOURCES =
