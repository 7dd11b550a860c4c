# What belongs to bench/: built by bench/run only.
EXTRA_PROGRAMS = bench/direct
bench_direct_SOURCES = bench/direct.c
bench_direct_LDADD = libbase.a $(MHD_LIBS)
