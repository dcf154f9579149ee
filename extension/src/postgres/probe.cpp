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
  has_pair_ = false;
  visibility_ = InvalidBuffer;
  for (const RegProcedure equal : equals) AddKey(BTEqualStrategyNumber, key_count_ + 1, equal);
}

void Probe::AddRange(RegProcedure at_least, RegProcedure less) {
  const int column = key_count_ + 1;
  AddKey(BTGreaterEqualStrategyNumber, column, at_least);
  AddKey(BTLessStrategyNumber, column, less);
}

// As the executor makes a row comparison.
void Probe::AddPairFrom(RegProcedure order_first, RegProcedure order_second) {
  Assert(key_count_ < kMostKeys);
  const int column = key_count_;
  const RegProcedure order[] = {order_first, order_second};
  for (int i = 0; i < 2; i++) {
    ScanKeyEntryInitialize(&pair_[i], i == 0 ? SK_ROW_MEMBER : SK_ROW_MEMBER | SK_ROW_END,
                           static_cast<AttrNumber>(column + i + 1), BTGreaterEqualStrategyNumber,
                           InvalidOid, index_->rd_indcollation[column + i], order[i], Datum{0});
  }
  ScanKey header = &keys_[key_count_++];
  *header = ScanKeyData{};
  header->sk_flags = SK_ROW_HEADER;
  header->sk_attno = pair_[0].sk_attno;
  header->sk_strategy = BTGreaterEqualStrategyNumber;
  header->sk_argument = PointerGetDatum(pair_);
  has_pair_ = true;
}

void Probe::AddKey(StrategyNumber strategy, int column, RegProcedure comparison) {
  Assert(key_count_ < kMostKeys);
  ScanKeyEntryInitialize(&keys_[key_count_++], 0, static_cast<AttrNumber>(column), strategy,
                         InvalidOid, index_->rd_indcollation[column - 1], comparison, Datum{0});
}

void Probe::Seek(const Datum* keys) {
  const int plain = has_pair_ ? key_count_ - 1 : key_count_;
  for (int i = 0; i < plain; i++) keys_[i].sk_argument = keys[i];
  for (int i = 0; has_pair_ && i < 2; i++) pair_[i].sk_argument = keys[plain + i];
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
  if (index_getnext_tid(scan_, ForwardScanDirection) == nullptr) return false;
  index_deform_tuple(scan_->xs_itup, scan_->xs_itupdesc, values, is_null);
  return true;
}

bool Probe::IsVisible() {
  // What everybody sees we see, too.
  const BlockNumber page = ItemPointerGetBlockNumber(&scan_->xs_heaptid);
  if (VM_ALL_VISIBLE(table_, page, &visibility_)) return true;
  if (!index_fetch_heap(scan_, slot_)) return false;
  ExecClearTuple(slot_);
  return true;
}

bool Probe::Next() { return index_getnext_slot(scan_, ForwardScanDirection, slot_); }

void Probe::End() {
  if (scan_ != nullptr) index_endscan(scan_);
  if (visibility_ != InvalidBuffer) ReleaseBuffer(visibility_);
  ExecDropSingleTupleTableSlot(slot_);
  index_close(index_, AccessShareLock);
}

}  // namespace auren::pg
