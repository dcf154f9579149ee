#include "postgres/probe.h"

extern "C" {
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "storage/bufmgr.h"
#include "utils/snapmgr.h"
}

namespace auren::pg {

void Probe::Begin(Relation table, Oid index, std::initializer_list<RegProcedure> equals) {
  table_ = table;
  index_ = index_open(index, AccessShareLock);
  slot_ = table_slot_create(table, nullptr);
  scan_ = nullptr;
  key_count_ = 0;
  visibility_ = InvalidBuffer;
  for (const RegProcedure equal : equals) AddKey(BTEqualStrategyNumber, key_count_ + 1, equal);
}

void Probe::AddRange(RegProcedure at_least, RegProcedure less) {
  const int column = key_count_ + 1;
  AddKey(BTGreaterEqualStrategyNumber, column, at_least);
  AddKey(BTLessStrategyNumber, column, less);
}

void Probe::AddKey(StrategyNumber strategy, int column, RegProcedure comparison) {
  Assert(key_count_ < kMostKeys);
  ScanKeyEntryInitialize(&keys_[key_count_++], 0, static_cast<AttrNumber>(column), strategy,
                         InvalidOid, index_->rd_indcollation[column - 1], comparison, Datum{0});
}

void Probe::Seek(const Datum* keys) {
  for (int i = 0; i < key_count_; i++) keys_[i].sk_argument = keys[i];
  if (scan_ == nullptr) {
    scan_ = AUREN_INDEX_BEGINSCAN(table_, index_, SnapshotSelf, key_count_);
    scan_->xs_want_itup = true;
  }
  index_rescan(scan_, keys_, key_count_, nullptr, 0);
}

bool Probe::First(const Datum* keys) {
  Seek(keys);
  return Next();
}

bool Probe::FirstEntry(const Datum* keys, Datum* values, bool* is_null) {
  Seek(keys);
  return NextEntry(values, is_null);
}

bool Probe::NextEntry(Datum* values, bool* is_null) {
  while (ItemPointer row = index_getnext_tid(scan_, ForwardScanDirection)) {
    // What everybody sees we see, too.
    if (!VM_ALL_VISIBLE(table_, ItemPointerGetBlockNumber(row), &visibility_)) {
      if (!index_fetch_heap(scan_, slot_)) continue;
      ExecClearTuple(slot_);
    }
    index_deform_tuple(scan_->xs_itup, scan_->xs_itupdesc, values, is_null);
    return true;
  }
  return false;
}

bool Probe::Next() { return index_getnext_slot(scan_, ForwardScanDirection, slot_); }

void Probe::End() {
  if (scan_ != nullptr) index_endscan(scan_);
  if (visibility_ != InvalidBuffer) ReleaseBuffer(visibility_);
  ExecDropSingleTupleTableSlot(slot_);
  index_close(index_, AccessShareLock);
}

}  // namespace auren::pg
