// Arrays as statement parameters, filled element by element.
#pragma once

#include "postgres/backend.h"

namespace auren::pg {

// A one-dimensional array of a known number of elements.
//
//   pg::ArrayBuilder metrics(TEXTOID, count);
//   metrics.Text("heart_rate"); metrics.TextOrNull(source); ...
//   values[4] = metrics.Finish();
//
// Trivially destructible; everything is palloc'ed.
class ArrayBuilder {
 public:
  ArrayBuilder(Oid element_type, int capacity);

  void Add(Datum value);
  void Null();
  void Text(std::string_view value);
  void TextOrNull(std::string_view value);  // empty: null

  Datum Finish() const;

 private:
  Oid element_type_;
  int count_ = 0;
  Datum* values_;
  bool* is_null_;
};

}  // namespace auren::pg
