# The extension, as a DBA expects it: make, make install, make installcheck.
#
#   PG_CONFIG=/path/to/pg_config   which PostgreSQL (default: the one on the PATH)
#
# `make installcheck` runs the regression tests, and the isolation tests, against a running server
# (PGHOST, PGPORT). `make tapcheck` starts servers of its own; PostgreSQL refuses to run as root, so
# neither does it. Both need `make install` first.
EXTENSION = extension/auren
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" extension/auren.control)
MODULE_big = auren

# The install script is the schemas' own scripts in order of dependency, behind one guard line.
# A large schema has further scripts beside its first: events.sql, events_*.sql.
SCHEMAS = roles events biometrics neuros analytics bridge
SCHEMA_SQL = $(foreach schema,$(SCHEMAS),$(wildcard extension/schema/$(schema).sql extension/schema/$(schema)_*.sql))
INSTALL_SQL = extension/auren--$(EXTVERSION).sql

# Releases stay as they were published: an old one can be installed and brought up to date. Until a version
# is released, what is wholly new in it is taken into its upgrade script from the schemas' own scripts.
RELEASED_SQL = $(filter-out %--$(EXTVERSION).sql,$(wildcard extension/releases/auren--*.sql))
UPGRADE_SQL = $(patsubst extension/upgrade/%.sql.in,extension/%.sql,$(wildcard extension/upgrade/*.sql.in))

DATA = $(INSTALL_SQL) $(RELEASED_SQL) $(UPGRADE_SQL) $(wildcard extension/upgrade/auren--*--*.sql)
ifneq (,$(wildcard docs/*.md))
DOCS = $(wildcard docs/*.md)
endif

CORE = $(wildcard extension/src/core/*.cpp)
GLUE = $(filter-out $(CORE),$(wildcard extension/src/*/*.cpp))
OBJS = $(CORE:.cpp=.o) $(GLUE:.cpp=.o)
EXTRA_CLEAN = $(INSTALL_SQL) $(UPGRADE_SQL) $(wildcard extension/src/*/*.d) results output_iso regression.diffs regression.out tmp_check

REGRESS = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
REGRESS_OPTS = --load-extension=auren --encoding=UTF8
ISOLATION = $(sort $(patsubst tests/isolation/specs/%.spec,%,$(wildcard tests/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=tests/isolation --load-extension=auren

# Glue is built without exceptions and run-time types: an exception may never reach the backend. The
# core is built with them, but every entry point of it is noexcept. No bitcode: nothing of ours can be
# inlined into a query, and clang would have to match the server's.
PG_CPPFLAGS = -Iextension/src
PG_CXXFLAGS = -std=c++20 -Wall -Wextra -Wno-unused-parameter -Wno-register -Wno-sign-compare -Wno-suggest-attribute=format -fvisibility=hidden -MMD -MP
SHLIB_LINK = -lstdc++
override with_llvm = no

PG_CONFIG ?= pg_config
EXTENSION_DIR = extension
PGXS := $(shell $(PG_CONFIG) --pgxs)

all: $(INSTALL_SQL) $(UPGRADE_SQL)

include $(PGXS)

$(GLUE:.cpp=.o): override CXXFLAGS += -fno-exceptions -fno-rtti

$(INSTALL_SQL): $(SCHEMA_SQL) extension/auren.control
	{ printf '%s\n' '\echo Use "CREATE EXTENSION auren" to load this file. \quit'; cat $(SCHEMA_SQL); } > $@

$(UPGRADE_SQL): extension/%.sql: extension/upgrade/%.sql.in $(SCHEMA_SQL)
	awk '/^-- include / { while ((getline line < $$3) > 0) print line; next } { print }' $< > $@

# Each test gets servers of its own, made by PostgreSQL's Perl modules from the installation that
# PG_CONFIG names. TAP_DIR must be writable for the user who runs it.
TAP_TESTS_OURS = $(wildcard tests/tap/*.pl)
TAP_DIR = $(CURDIR)/build/tap
PROVE ?= prove

.PHONY: tapcheck
tapcheck:
	@test "$$(id -u)" != 0 || { echo "make tapcheck: PostgreSQL does not run as root, use another user" >&2; exit 1; }
	rm -rf '$(TAP_DIR)/tmp_check' && mkdir -p '$(TAP_DIR)'
	TESTDIR='$(TAP_DIR)' TESTLOGDIR='$(TAP_DIR)/log' TESTDATADIR='$(TAP_DIR)/data' \
	  PATH="$(bindir):$$PATH" PGPORT=65432 \
	  PG_REGRESS='$(dir $(PGXS))../test/regress/pg_regress' \
	  $(PROVE) -I '$(dir $(PGXS))../test/perl' $(PROVE_FLAGS) $(TAP_TESTS_OURS)

-include $(OBJS:.o=.d)
