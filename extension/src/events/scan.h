// A scan of one table by one of its indexes, with a key for each of the index's first columns.
//
//   Scan scan;
//   scan.Begin(table, kStore.by_version, snapshot);
//   scan.Equal(stream_id);
//   scan.AtMost(version);
//   while (scan.Next(BackwardScanDirection)) ... scan.slot() ...
//   scan.End();
//
// Keys are given in the order of the index's columns, before the first Next. Rows come in the
// index's order; one is valid until the next. Again() begins anew with other keys. The table and
// the snapshot stay the caller's. An ERROR in between needs no cleaning up.
#pragma once

#include "postgres/backend.h"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "executor/tuptable.h"
#include "utils/rel.h"
}

namespace auren::events {

class Scan {
 public:
  void Begin(Relation table, const char* index_name, Snapshot snapshot);

  void Equal(text* value);
  void Equal(const pg_uuid_t* value);
  void Equal(int64 value);
  void MoreThan(int64 value);
  void AtMost(int64 value);

  bool Next(ScanDirection direction);
  Relation table() const { return table_; }
  TupleTableSlot* slot() const { return slot_; }

  // A column of the row that cannot be NULL.
  Datum Get(AttrNumber column) const;

  void Again();
  void End();

 private:
  static constexpr int kMostKeys = 3;

  void AddKey(StrategyNumber strategy, RegProcedure comparison, Datum value);

  Relation table_;
  Relation index_;
  Snapshot snapshot_;
  TupleTableSlot* slot_;
  IndexScanDesc scan_;  // nullptr: not begun yet
  bool has_keys_;       // whether the scan knows them
  ScanKeyData keys_[kMostKeys];
  int key_count_;
};

}  // namespace auren::events
