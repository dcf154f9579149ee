#include "events/scan.h"

#include "events/store.h"

extern "C" {
#include "access/tableam.h"
#include "utils/fmgroids.h"
}

namespace auren::events {

void Scan::Begin(Relation table, const char* index_name, Snapshot snapshot) {
  table_ = table;
  index_ = index_open(RelationOid(index_name), AccessShareLock);
  snapshot_ = snapshot;
  slot_ = table_slot_create(table, nullptr);
  scan_ = nullptr;
  Again();
}

void Scan::Again() {
  key_count_ = 0;
  has_keys_ = false;
}

void Scan::AddKey(StrategyNumber strategy, RegProcedure comparison, Datum value) {
  Assert(key_count_ < kMostKeys && !has_keys_);
  const int column = key_count_++;
  ScanKeyEntryInitialize(&keys_[column], 0, static_cast<AttrNumber>(column + 1), strategy,
                         InvalidOid, index_->rd_indcollation[column], comparison, value);
}

void Scan::Equal(text* value) { AddKey(BTEqualStrategyNumber, F_TEXTEQ, PointerGetDatum(value)); }

void Scan::Equal(const pg_uuid_t* value) {
  AddKey(BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(value));
}

void Scan::Equal(int64 value) { AddKey(BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(value)); }

void Scan::MoreThan(int64 value) {
  AddKey(BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(value));
}

void Scan::AtMost(int64 value) {
  AddKey(BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(value));
}

bool Scan::Next(ScanDirection direction) {
  if (scan_ == nullptr) scan_ = AUREN_INDEX_BEGINSCAN(table_, index_, snapshot_, key_count_);
  if (!has_keys_) index_rescan(scan_, keys_, key_count_, nullptr, 0);
  has_keys_ = true;
  return index_getnext_slot(scan_, direction, slot_);
}

Datum Scan::Get(AttrNumber column) const {
  bool is_null;
  return slot_getattr(slot_, column, &is_null);
}

void Scan::End() {
  if (scan_ != nullptr) index_endscan(scan_);
  ExecDropSingleTupleTableSlot(slot_);
  index_close(index_, AccessShareLock);
}

}  // namespace auren::events
