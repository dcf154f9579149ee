#include "events/store.h"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "executor/tuptable.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
}

namespace auren::events {
namespace {

// One index lookup: the first row in the given direction for an equality on the leading columns.
struct Probe {
  Relation store;
  Relation index;
  TupleTableSlot* slot;
  IndexScanDesc scan;
};

Probe BeginProbe(Relation store, const char* index_name, text* stream_id, Datum second,
                 RegProcedure second_equal) {
  Probe probe;
  probe.store = store;
  probe.index = index_open(RelationOid(index_name), AccessShareLock);
  probe.slot = table_slot_create(store, nullptr);
  ScanKeyData keys[2];
  const int key_count = second_equal == InvalidOid ? 1 : 2;
  ScanKeyEntryInitialize(&keys[0], 0, 1, BTEqualStrategyNumber, InvalidOid,
                         probe.index->rd_indcollation[0], F_TEXTEQ, PointerGetDatum(stream_id));
  if (key_count == 2) ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, second_equal, second);
  probe.scan = AUREN_INDEX_BEGINSCAN(store, probe.index, SnapshotSelf, key_count);
  index_rescan(probe.scan, keys, key_count, nullptr, 0);
  return probe;
}

bool Next(const Probe& probe, ScanDirection direction) {
  return index_getnext_slot(probe.scan, direction, probe.slot);
}

void EndProbe(const Probe& probe) {
  index_endscan(probe.scan);
  ExecDropSingleTupleTableSlot(probe.slot);
  index_close(probe.index, AccessShareLock);
}

Datum Attribute(const Probe& probe, Column column) {
  bool is_null;
  return slot_getattr(probe.slot, column, &is_null);
}

// Whether the transaction's own snapshot knows the row. Under READ COMMITTED the next statement
// will.
bool InSnapshot(const Probe& probe) {
  if (!IsolationUsesXactSnapshot()) return true;
  return IsOwn(probe.slot) ||
         table_tuple_satisfies_snapshot(probe.store, probe.slot, GetTransactionSnapshot());
}

bool FindRow(Relation store, const char* index_name, text* stream_id, Datum second,
             RegProcedure second_equal, Row* row) {
  const Probe probe = BeginProbe(store, index_name, stream_id, second, second_equal);
  const bool found = Next(probe, ForwardScanDirection);
  if (found) {
    row->event_id = *DatumGetUUIDP(Attribute(probe, kEventId));
    row->version = DatumGetInt64(Attribute(probe, kVersion));
    row->position = DatumGetInt64(Attribute(probe, kPosition));
    row->created_at = DatumGetTimestampTz(Attribute(probe, kCreatedAt));
    row->event_type = DatumGetTextPCopy(Attribute(probe, kEventType));
    row->event_data = DatumGetJsonbPCopy(Attribute(probe, kEventData));
    row->in_snapshot = InSnapshot(probe);
  }
  EndProbe(probe);
  return found;
}

}  // namespace

Oid RelationOid(const char* name) {
  const Oid oid = get_relname_relid(name, get_namespace_oid("events", false));
  if (!OidIsValid(oid)) {
    ereport(ERROR,
            (errcode(ERRCODE_INTERNAL_ERROR), errmsg("relation \"events.%s\" is missing", name),
             errhint("It belongs to the extension \"auren\"; restore it under its name.")));
  }
  return oid;
}

bool IsOwn(TupleTableSlot* slot) {
  bool is_null;
  return TransactionIdIsCurrentTransactionId(
      DatumGetTransactionId(slot_getsysattr(slot, MinTransactionIdAttributeNumber, &is_null)));
}

Relation OpenStore(LOCKMODE lock) { return table_open(RelationOid("event_store"), lock); }

Tip FindTip(Relation store, text* stream_id) {
  const Probe probe = BeginProbe(store, kStreamVersionIndex, stream_id, 0, InvalidOid);
  Tip tip{0, DT_NOBEGIN, true};
  if (Next(probe, BackwardScanDirection)) {
    tip.version = DatumGetInt64(Attribute(probe, kVersion));
    tip.created_at = DatumGetTimestampTz(Attribute(probe, kCreatedAt));
    tip.in_snapshot = InSnapshot(probe);
  }
  EndProbe(probe);
  return tip;
}

bool FindById(Relation store, text* stream_id, const pg_uuid_t* event_id, Row* row) {
  return FindRow(store, kStreamEventIndex, stream_id, UUIDPGetDatum(event_id), F_UUID_EQ, row);
}

bool FindByVersion(Relation store, text* stream_id, int64 version, Row* row) {
  return FindRow(store, kStreamVersionIndex, stream_id, Int64GetDatum(version), F_INT8EQ, row);
}

}  // namespace auren::events
