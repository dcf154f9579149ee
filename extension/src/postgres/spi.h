// SQL from C++: statements whose plan is kept for the session, run under a pinned search_path.
//
//   pg::Statement insert = {"INSERT INTO s.t VALUES ($1, $2)", 2, {TEXTOID, INT8OID}};  // static
//
//   pg::SpiSession spi = pg::SpiBegin();
//   pg::Execute(&insert, values, nulls);
//   pg::SpiEnd(spi);
//
// The functions that call this are SECURITY DEFINER without SET, so the caller's search_path must
// not decide what an operator means: SpiBegin pins pg_catalog, pg_temp until SpiEnd. Name every
// table with its schema. A plan is made once for all values, since planning anew costs more than
// our statements do, and goes by index where there is one. An ERROR in between needs no cleaning
// up. Results live in the SPI context: copy what must outlive SpiEnd into the context that was
// current before SpiBegin (SPI_palloc, CopyOut).
#pragma once

#include "postgres/backend.h"

namespace auren::pg {

inline constexpr int kMaxParameters = 24;

struct Statement {
  const char* sql;
  int parameter_count;
  Oid types[kMaxParameters];
  SPIPlanPtr plan = nullptr;  // filled at the first execution, kept until the connection ends
};

struct SpiSession {
  int guc_level;
};

SpiSession SpiBegin();
void SpiEnd(SpiSession session);

// Runs the statement and returns how many rows it processed; rows that it returns are in
// SPI_tuptable. `is_null` may be nullptr when no value is. `limit` 0: all rows. `read_only`: uses
// the caller's snapshot and sees nothing newer; otherwise, under READ COMMITTED, it sees what is
// committed now and what this transaction has done so far. REQUIRES: between SpiBegin and SpiEnd.
uint64 Execute(Statement* statement, const Datum* values = nullptr, const bool* is_null = nullptr,
               bool read_only = false, long limit = 0);

// A column (from 1) of a row (from 0) of the last result.
Datum Column(uint64 row, int column, bool* is_null);

// The same for a column that cannot be null: XX000 if it is.
Datum Column(uint64 row, int column);

// A text column; empty where it is null. Borrows from the result.
std::string_view TextColumn(uint64 row, int column);

// Copies a varlena value out of SPI's memory, into the context that was current before SpiBegin.
Datum CopyOut(Datum varlena);

}  // namespace auren::pg
