# The manual pages that are written by hand; nostosd.conf.5 follows from conf/keys.def.
man_MANS += docs/man/nostos.1 docs/man/nostosctl.1 docs/man/nostosd.8
EXTRA_DIST += docs/man/nostos.1 docs/man/nostosctl.1 docs/man/nostosd.8 \
	docs/architecture.md docs/dependencies.md docs/manual/authors.md docs/manual/operators.md

# Which tests stand for which section of the language: made with every build; `make conformance` says how they do as well.
EXTRA_DIST += tools/conformance tests/lang/sections
noinst_DATA += docs/conformance.md
CLEANFILES += docs/conformance.md
docs/conformance.md: tests/lang/sections tools/conformance tests/lang/run
	@$(MKDIR_P) docs
	$(AM_V_GEN)$(top_srcdir)/tools/conformance > $@
conformance: nostos
	@$(MKDIR_P) docs
	NOSTOS_TEST_RESULTS=$(abs_builddir)/docs/conformance.results $(top_srcdir)/tests/lang/run ./nostos || true
	$(top_srcdir)/tools/conformance docs/conformance.results > docs/conformance.md
	@rm -f docs/conformance.results
.PHONY: conformance

# The reference manual follows from the library itself, too: tables of natives, comments of the modules.
noinst_PROGRAMS += tools/reference
tools_reference_SOURCES = tools/reference.c
tools_reference_LDADD = $(FLOOR_SERVER)
noinst_DATA += docs/reference/README.md
docs/reference/README.md: tools/reference
	@$(MKDIR_P) docs
	$(AM_V_GEN)rm -rf docs/reference && tools/reference docs/reference
docs: docs/reference/README.md
install-data-hook: docs/reference/README.md
	$(MKDIR_P) $(DESTDIR)$(docdir)/reference
	$(INSTALL_DATA) docs/reference/*.md $(DESTDIR)$(docdir)/reference/
uninstall-hook:
	rm -rf $(DESTDIR)$(docdir)/reference
clean-local:
	rm -rf docs/reference
.PHONY: docs
