#include "postgres/array.h"

#include "postgres/values.h"

extern "C" {
#include "utils/lsyscache.h"
}

namespace auren::pg {

ArrayBuilder::ArrayBuilder(Oid element_type, int capacity)
    : element_type_(element_type),
      values_(static_cast<Datum*>(palloc(sizeof(Datum) * (capacity + 1)))),
      is_null_(static_cast<bool*>(palloc(sizeof(bool) * (capacity + 1)))) {}

void ArrayBuilder::Add(Datum value) {
  values_[count_] = value;
  is_null_[count_++] = false;
}

void ArrayBuilder::Null() {
  values_[count_] = 0;
  is_null_[count_++] = true;
}

void ArrayBuilder::Text(std::string_view value) { Add(PointerGetDatum(pg::Text(value))); }

void ArrayBuilder::TextOrNull(std::string_view value) {
  if (value.empty()) return Null();
  Text(value);
}

Datum ArrayBuilder::Finish() const {
  int16 length;
  bool by_value;
  char alignment;
  get_typlenbyvalalign(element_type_, &length, &by_value, &alignment);
  int dimensions[] = {count_};
  int lower_bounds[] = {1};
  return PointerGetDatum(construct_md_array(values_, is_null_, 1, dimensions, lower_bounds,
                                            element_type_, length, by_value, alignment));
}

}  // namespace auren::pg
