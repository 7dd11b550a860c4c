# The manual pages that are written by hand; nostosd.conf.5 follows from conf/keys.def.
man_MANS += docs/man/nostos.1 docs/man/nostosctl.1 docs/man/nostosd.8
EXTRA_DIST += docs/man/nostos.1 docs/man/nostosctl.1 docs/man/nostosd.8 \
	docs/architecture.md docs/dependencies.md docs/manual/authors.md docs/manual/operators.md
