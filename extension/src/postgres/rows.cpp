#include "postgres/rows.h"

#include "postgres/values.h"

extern "C" {
#include "utils/queryenvironment.h"
}

namespace auren::pg {
namespace {

constexpr int kMemory = 1024 * 1024;  // kB: never to disk, where a file would have to be closed
constexpr double kExpected = 10;      // rows, for the planner

}  // namespace

Rows::Rows(const char* name, const RowColumn* columns, int count)
    : name_(name),
      shape_(CreateTemplateTupleDesc(count)),
      store_(tuplestore_begin_heap(false, false, kMemory)) {
  for (int i = 0; i < count; i++) {
    TupleDescInitEntry(shape_, static_cast<AttrNumber>(i + 1), columns[i].name, columns[i].type, -1,
                       0);
  }
}

void Rows::Add(Datum value) {
  Assert(column_ < shape_->natts);
  values_[column_] = value;
  is_null_[column_] = false;
  is_own_[column_++] = false;
}

void Rows::Null() {
  Assert(column_ < shape_->natts);
  values_[column_] = Datum{0};
  is_null_[column_] = true;
  is_own_[column_++] = false;
}

void Rows::Text(std::string_view value) {
  Add(PointerGetDatum(pg::Text(value)));
  is_own_[column_ - 1] = true;
}

void Rows::TextOrNull(std::string_view value) {
  if (value.empty()) return Null();
  Text(value);
}

void Rows::EndRow() {
  Assert(column_ == shape_->natts);
  tuplestore_putvalues(store_, shape_, values_, is_null_);
  for (int i = 0; i < column_; i++) {
    if (is_own_[i]) pfree(DatumGetPointer(values_[i]));
  }
  column_ = 0;
  count_++;
}

void Rows::Offer() {
  auto* relation =
      static_cast<EphemeralNamedRelationData*>(palloc0(sizeof(EphemeralNamedRelationData)));
  relation->md.name = const_cast<char*>(name_);
  relation->md.reliddesc = InvalidOid;
  relation->md.tupdesc = shape_;
  relation->md.enrtype = ENR_NAMED_TUPLESTORE;
  relation->md.enrtuples = kExpected;
  relation->reldata = store_;
  (void)SPI_unregister_relation(name_);
  const int result = SPI_register_relation(relation);
  if (result != SPI_OK_REL_REGISTER) {
    elog(ERROR, "SPI_register_relation failed: %s", SPI_result_code_string(result));
  }
}

}  // namespace auren::pg
