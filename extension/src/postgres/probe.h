// Looking rows up by the first columns of an index, all given, many times over: no plan, no new
// snapshot, no search_path.
//
//   Probe probe;
//   probe.Begin(table, index_oid, {F_TEXTEQ, F_DATE_EQ});
//   for (...) for (bool found = probe.First(keys); found; found = probe.Next()) ... probe.slot()
//   ... probe.End();
//
// It sees what is committed now and what this transaction has written (SnapshotSelf). Under
// a lock that keeps others from writing such rows the answer cannot change. A row is valid until
// the next. An ERROR in between needs no cleaning up.
#pragma once

#include <initializer_list>

#include "postgres/backend.h"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "executor/tuptable.h"
#include "storage/buf.h"
#include "utils/rel.h"
}

namespace auren::pg {

class Probe {
 public:
  // `equals`: the function of each column's equality. REQUIRES: at most kMostKeys, with the range.
  void Begin(Relation table, Oid index, std::initializer_list<RegProcedure> equals);

  // The next column lies in a range: two more keys, from and before. To be called before the first
  // First.
  void AddRange(RegProcedure at_least, RegProcedure less);

  // The next two columns, as a pair, come at or behind a pair: two more keys, and the functions
  // that order them. To be called before the first First, as the last.
  void AddPairFrom(RegProcedure order_first, RegProcedure order_second);

  bool First(const Datum* keys);
  bool Next();
  TupleTableSlot* slot() const { return slot_; }

  // The same, but of the index's columns only, and whether or not their row is still to be seen:
  // that tells IsVisible, which does not look at the table where a vacuum has been. REQUIRES: as
  // many places as the index has columns.
  bool FirstEntry(const Datum* keys, Datum* values, bool* is_null);
  bool NextEntry(Datum* values, bool* is_null);
  bool IsVisible();  // the row of the entry found last
  int index_columns() const { return index_->rd_index->indnatts; }

  void End();

 private:
  static constexpr int kMostKeys = 5;

  void AddKey(StrategyNumber strategy, int column, RegProcedure comparison);
  void Seek(const Datum* keys);

  Relation table_;
  Relation index_;
  TupleTableSlot* slot_;
  IndexScanDesc scan_;  // nullptr: not begun yet
  ScanKeyData keys_[kMostKeys];
  ScanKeyData pair_[2];
  bool has_pair_;
  int key_count_;
  Buffer visibility_;  // a page of the visibility map
};

}  // namespace auren::pg
