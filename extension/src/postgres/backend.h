// The one way to include PostgreSQL's headers: standard headers first, then these, inside extern
// "C".
//
// After this header `snprintf` and its kin are the backend's macros: call them unqualified. Rules
// for every file that includes it (built with -fno-exceptions -fno-rtti):
//   - no object with a non-trivial destructor is alive while PostgreSQL is called: ereport(ERROR)
//     longjmps over it;
//   - no function-local static with a non-constexpr initialiser;
//   - memory that must survive an error path is palloc'ed;
//   - extern "C" for fmgr symbols only, everything else in namespace auren.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "core/status.h"  // calls std::vsnprintf, so it has to come before the macro

// The module is built with hidden visibility; only what is marked so can be found by the server.
#define PGDLLEXPORT __attribute__((visibility("default")))

extern "C" {
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
}

#include "postgres/compat.h"

// Defines a function that SQL may call: AUREN_SQL_FUNCTION(events_append) { ... PG_RETURN_...; }
#define AUREN_SQL_FUNCTION(name)            \
  extern "C" {                              \
  PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
  PG_FUNCTION_INFO_V1(name);                \
  }                                         \
  Datum name(PG_FUNCTION_ARGS)
