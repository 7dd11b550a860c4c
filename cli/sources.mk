# What belongs to cli/: the three programs, at the top of the build tree.
bin_PROGRAMS += nostos
nostos_SOURCES = cli/nostos.c
nostos_LDADD = $(FLOOR_SERVER)
