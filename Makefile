# The extension, as a DBA expects it: make, make install, make installcheck.
#
#   PG_CONFIG=/path/to/pg_config   which PostgreSQL (default: the one on the PATH)
#
# `make installcheck` runs the regression tests, and the isolation tests, against a running server.
EXTENSION = auren
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" extension/auren.control)
MODULE_big = auren

# The install script is the schemas' own scripts in order of dependency, behind one guard line.
SCHEMAS = roles events biometrics neuros analytics bridge
SCHEMA_SQL = $(patsubst %,extension/schema/%.sql,$(SCHEMAS))
INSTALL_SQL = extension/auren--$(EXTVERSION).sql

DATA = $(INSTALL_SQL) $(wildcard extension/upgrade/auren--*--*.sql)
DOCS = $(wildcard docs/*.md)

CORE = $(wildcard extension/src/core/*.cpp)
GLUE = $(filter-out $(CORE),$(wildcard extension/src/*/*.cpp))
OBJS = $(CORE:.cpp=.o) $(GLUE:.cpp=.o)
EXTRA_CLEAN = $(INSTALL_SQL) $(wildcard extension/src/*/*.d) results output_iso regression.diffs regression.out

REGRESS = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
REGRESS_OPTS = --load-extension=auren
ISOLATION = $(sort $(patsubst tests/isolation/specs/%.spec,%,$(wildcard tests/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=tests/isolation --load-extension=auren

# Glue is built without exceptions and run-time types: an exception may never reach the backend. The
# core is built with them, but every entry point of it is noexcept. No bitcode: nothing of ours can be
# inlined into a query, and clang would have to match the server's.
PG_CPPFLAGS = -Iextension/src
PG_CXXFLAGS = -std=c++20 -Wall -Wextra -Wno-unused-parameter -Wno-register -Wno-sign-compare -fvisibility=hidden -MMD -MP
SHLIB_LINK = -lstdc++
override with_llvm = no

PG_CONFIG ?= pg_config
EXTENSION_DIR = extension
PGXS := $(shell $(PG_CONFIG) --pgxs)

all: $(INSTALL_SQL)

include $(PGXS)

$(GLUE:.cpp=.o): PG_CXXFLAGS += -fno-exceptions -fno-rtti
$(CORE:.cpp=.o): PG_CXXFLAGS += -fexceptions

$(INSTALL_SQL): $(SCHEMA_SQL) extension/auren.control
	{ printf '%s\n' '\echo Use "CREATE EXTENSION auren" to load this file. \quit'; cat $(SCHEMA_SQL); } > $@

-include $(OBJS:.o=.d)
