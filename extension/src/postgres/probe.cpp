#include "postgres/probe.h"

extern "C" {
#include "access/stratnum.h"
#include "access/tableam.h"
#include "utils/snapmgr.h"
}

namespace auren::pg {

void Probe::Begin(Relation table, Oid index, std::initializer_list<RegProcedure> equals) {
  Assert(equals.size() <= kMostKeys);
  index_ = index_open(index, AccessShareLock);
  slot_ = table_slot_create(table, nullptr);
  key_count_ = 0;
  for (const RegProcedure equal : equals) {
    ScanKeyEntryInitialize(&keys_[key_count_], 0, static_cast<AttrNumber>(key_count_ + 1),
                           BTEqualStrategyNumber, InvalidOid, index_->rd_indcollation[key_count_],
                           equal, Datum{0});
    key_count_++;
  }
  scan_ = AUREN_INDEX_BEGINSCAN(table, index_, SnapshotSelf, key_count_);
}

bool Probe::First(const Datum* keys) {
  for (int i = 0; i < key_count_; i++) keys_[i].sk_argument = keys[i];
  index_rescan(scan_, keys_, key_count_, nullptr, 0);
  return Next();
}

bool Probe::Next() { return index_getnext_slot(scan_, ForwardScanDirection, slot_); }

void Probe::End() {
  index_endscan(scan_);
  ExecDropSingleTupleTableSlot(slot_);
  index_close(index_, AccessShareLock);
}

}  // namespace auren::pg
