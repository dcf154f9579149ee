#include "events/store.h"

#include "postgres/values.h"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "executor/tuptable.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
}

namespace auren::events {
namespace {

// One index lookup: the first row in the given direction for an equality on the leading columns.
struct Probe {
  Relation table;
  Relation index;
  TupleTableSlot* slot;
  IndexScanDesc scan;
};

Probe BeginProbe(Relation table, const char* index_name, text* stream_id, Datum second,
                 RegProcedure second_equal) {
  Probe probe;
  probe.table = table;
  probe.index = index_open(RelationOid(index_name), AccessShareLock);
  probe.slot = table_slot_create(table, nullptr);
  ScanKeyData keys[2];
  const int key_count = second_equal == InvalidOid ? 1 : 2;
  ScanKeyEntryInitialize(&keys[0], 0, 1, BTEqualStrategyNumber, InvalidOid,
                         probe.index->rd_indcollation[0], F_TEXTEQ, PointerGetDatum(stream_id));
  if (key_count == 2) ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, second_equal, second);
  probe.scan = AUREN_INDEX_BEGINSCAN(table, probe.index, SnapshotSelf, key_count);
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
         table_tuple_satisfies_snapshot(probe.table, probe.slot, GetTransactionSnapshot());
}

bool FindRowIn(Relation table, const char* index_name, text* stream_id, Datum second,
               RegProcedure second_equal, Row* row) {
  const Probe probe = BeginProbe(table, index_name, stream_id, second, second_equal);
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

// `index`: which of a table's indexes to ask.
bool FindRow(Relation store, const char* TableNames::*index, text* stream_id, Datum second,
             RegProcedure second_equal, Row* row) {
  if (FindRowIn(store, kStore.*index, stream_id, second, second_equal, row)) return true;
  Relation archive = OpenArchiveIfFilled(AccessShareLock);
  if (archive == nullptr) return false;
  const bool found = FindRowIn(archive, kArchive.*index, stream_id, second, second_equal, row);
  table_close(archive, AccessShareLock);
  return found;
}

bytea* Hash(const Probe& probe) {
  const AttrNumber column = HashColumn(probe.table);
  if (column == 0) return nullptr;
  bool is_null;
  const Datum hash = slot_getattr(probe.slot, column, &is_null);
  return is_null ? nullptr : DatumGetByteaPCopy(hash);
}

Tip FindTipIn(Relation table, const char* index_name, text* stream_id) {
  const Probe probe = BeginProbe(table, index_name, stream_id, 0, InvalidOid);
  Tip tip = {.version = 0,
             .created_at = DT_NOBEGIN,
             .is_tombstone = false,
             .hash = nullptr,
             .in_snapshot = true};
  if (Next(probe, BackwardScanDirection)) {
    tip.version = DatumGetInt64(Attribute(probe, kVersion));
    tip.created_at = DatumGetTimestampTz(Attribute(probe, kCreatedAt));
    tip.is_tombstone = pg::View(DatumGetTextPP(Attribute(probe, kEventType))) == kTombstoneType;
    tip.hash = Hash(probe);
    tip.in_snapshot = InSnapshot(probe);
  }
  EndProbe(probe);
  return tip;
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

Relation OpenStore(LOCKMODE lock) { return table_open(RelationOid(kStore.table), lock); }

Relation OpenArchiveIfFilled(LOCKMODE lock) {
  // The schema of 0.1.0 had neither the archive nor the view. An archive that was renamed must not
  // be taken for one that is empty: its streams would begin again at version 1.
  const Oid events = get_namespace_oid("events", false);
  Oid oid = get_relname_relid(kArchive.table, events);
  if (!OidIsValid(oid)) {
    if (!OidIsValid(get_relname_relid("all_events", events))) return nullptr;
    oid = RelationOid(kArchive.table);
  }
  Relation archive = table_open(oid, lock);
  if (RelationGetNumberOfBlocks(archive) > 0) return archive;
  table_close(archive, lock);
  return nullptr;
}

AttrNumber HashColumn(Relation store) {
  const TupleDesc columns = RelationGetDescr(store);
  for (int i = kHash - 1; i < columns->natts; i++) {
    const Form_pg_attribute column = TupleDescAttr(columns, i);
    if (column->atttypid == BYTEAOID && namestrcmp(&column->attname, "hash") == 0) {
      return column->attnum;
    }
  }
  return 0;
}

Tip FindTip(Relation store, text* stream_id) {
  const Tip tip = FindTipIn(store, kStore.by_version, stream_id);
  if (tip.version > 0) return tip;
  Relation archive = OpenArchiveIfFilled(AccessShareLock);
  if (archive == nullptr) return tip;
  const Tip archived = FindTipIn(archive, kArchive.by_version, stream_id);
  table_close(archive, AccessShareLock);
  return archived;
}

bool FindById(Relation store, text* stream_id, const pg_uuid_t* event_id, Row* row) {
  return FindRow(store, &TableNames::by_id, stream_id, UUIDPGetDatum(event_id), F_UUID_EQ, row);
}

bool FindByVersion(Relation store, text* stream_id, int64 version, Row* row) {
  return FindRow(store, &TableNames::by_version, stream_id, Int64GetDatum(version), F_INT8EQ, row);
}

}  // namespace auren::events
