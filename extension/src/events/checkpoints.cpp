#include "events/checkpoints.h"

#include "events/by_name.h"
#include "events/store.h"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
}

namespace auren::events {
namespace {

// Reads the whole table: it has a row or a few for each consumer.
int64 Highest(const NamedTable& named, AttrNumber column, Snapshot snapshot) {
  Relation table = table_open(RelationOid(named.table), AccessShareLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  TableScanDesc scan = table_beginscan(table, snapshot, 0, nullptr);
  int64 highest = 0;
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    bool is_null;
    highest = Max(highest, DatumGetInt64(slot_getattr(slot, column, &is_null)));
  }
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, AccessShareLock);
  return highest;
}

}  // namespace

int64 HighestCheckpoint(Snapshot snapshot) {
  return Max(Highest(kSubscriptions, kSubscriptionPosition, snapshot),
             Highest(kCheckpoints, kCheckpointPosition, snapshot));
}

}  // namespace auren::events
