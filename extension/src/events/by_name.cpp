#include "events/by_name.h"

#include "events/store.h"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "utils/fmgroids.h"
}

namespace auren::events {

ByName BeginByName(const NamedTable& table, text* name, Snapshot snapshot) {
  ByName rows;
  rows.table = table_open(RelationOid(table.table), AccessShareLock);
  rows.index = index_open(RelationOid(table.primary_key), AccessShareLock);
  rows.slot = table_slot_create(rows.table, nullptr);
  ScanKeyData key;
  ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid,
                         rows.index->rd_indcollation[0], F_TEXTEQ, PointerGetDatum(name));
  rows.scan = AUREN_INDEX_BEGINSCAN(rows.table, rows.index, snapshot, 1);
  index_rescan(rows.scan, &key, 1, nullptr, 0);
  return rows;
}

bool Next(const ByName& rows) {
  CHECK_FOR_INTERRUPTS();
  return index_getnext_slot(rows.scan, ForwardScanDirection, rows.slot);
}

void End(const ByName& rows) {
  index_endscan(rows.scan);
  ExecDropSingleTupleTableSlot(rows.slot);
  index_close(rows.index, AccessShareLock);
  table_close(rows.table, AccessShareLock);
}

}  // namespace auren::events
