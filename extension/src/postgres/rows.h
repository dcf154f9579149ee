// Rows given to statements as if they were a table: one statement then serves all of them, where
// each would else need a statement of its own.
//
//   constexpr pg::RowColumn kAsked[] = {{"n", INT4OID}, {"user_id", TEXTOID}};   // static
//   pg::Statement select = {"SELECT a.n, ... FROM asked a CROSS JOIN LATERAL ...", 0, {}};
//
//   pg::Rows asked("asked", kAsked);
//   for (...) { asked.Add(Int32GetDatum(i)); asked.Text(user); asked.EndRow(); }
//   asked.Offer();
//   pg::Execute(&select);
//
// Cheaper than arrays and unnest, which reads every array into a table of its own before it puts
// them side by side. Kept in memory whatever work_mem says: the caller bounds how much comes. The
// planner takes the rows for few, so that plans go by index; where a join must never be turned
// round, say LATERAL (SELECT ... LIMIT 1), which the planner cannot flatten.
//
// Trivially destructible; lives as long as the SPI session. REQUIRES: between SpiBegin and SpiEnd.
#pragma once

#include "postgres/backend.h"

extern "C" {
#include "utils/tuplestore.h"
}

namespace auren::pg {

struct RowColumn {
  const char* name;
  Oid type;
};

class Rows {
 public:
  static constexpr int kMaxColumns = 24;

  template <int N>
  Rows(const char* name, const RowColumn (&columns)[N]) : Rows(name, columns, N) {
    static_assert(N <= kMaxColumns);
  }

  // The row's values, one after the other. A Datum by reference is copied by EndRow.
  void Add(Datum value);
  void Null();
  void Text(const text* value) { Add(PointerGetDatum(value)); }
  void Text(std::string_view value);
  void TextOrNull(std::string_view value);  // empty: null
  void EndRow();

  int count() const { return count_; }

  // From now on a statement of the session finds the rows under their name, in place of what was
  // offered under it before.
  void Offer();

 private:
  Rows(const char* name, const RowColumn* columns, int count);

  const char* name_;
  TupleDesc shape_;
  Tuplestorestate* store_;
  int count_ = 0;
  int column_ = 0;
  Datum values_[kMaxColumns] = {};
  bool is_null_[kMaxColumns] = {};
  bool is_own_[kMaxColumns] = {};  // made by Text: freed with the row
};

}  // namespace auren::pg
