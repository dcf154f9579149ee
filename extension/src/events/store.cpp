#include "events/store.h"

#include "events/last_seen.h"
#include "events/scan.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
}

namespace auren::events {
namespace {

// Whether the transaction's own snapshot knows the row. Under READ COMMITTED the next statement
// will.
bool InSnapshot(const Scan& scan) {
  if (!IsolationUsesXactSnapshot()) return true;
  return IsOwn(scan.slot()) ||
         table_tuple_satisfies_snapshot(scan.table(), scan.slot(), GetTransactionSnapshot());
}

// The row that comes first by the index, for a stream and the value of the index's second column.
template <typename Key>
bool FindRowIn(Relation table, const char* index, text* stream_id, Key key, Row* row) {
  Scan scan;
  scan.Begin(table, index, SnapshotSelf);
  scan.Equal(stream_id);
  scan.Equal(key);
  const bool found = scan.Next(ForwardScanDirection);
  if (found) {
    row->event_id = *DatumGetUUIDP(scan.Get(kEventId));
    row->version = DatumGetInt64(scan.Get(kVersion));
    row->position = DatumGetInt64(scan.Get(kPosition));
    row->created_at = DatumGetTimestampTz(scan.Get(kCreatedAt));
    row->event_type = DatumGetTextPCopy(scan.Get(kEventType));
    row->event_data = DatumGetJsonbPCopy(scan.Get(kEventData));
    row->in_snapshot = InSnapshot(scan);
  }
  scan.End();
  return found;
}

// `index`: which of a table's indexes to ask.
template <typename Key>
bool FindRow(Relation store, const char* TableNames::*index, text* stream_id, Key key, Row* row) {
  if (FindRowIn(store, kStore.*index, stream_id, key, row)) return true;
  Relation archive = OpenArchiveIfFilled(AccessShareLock);
  if (archive == nullptr) return false;
  const bool found = FindRowIn(archive, kArchive.*index, stream_id, key, row);
  table_close(archive, AccessShareLock);
  return found;
}

bytea* Hash(const Scan& scan) {
  const AttrNumber column = HashColumn(scan.table());
  if (column == 0) return nullptr;
  bool is_null;
  const Datum hash = slot_getattr(scan.slot(), column, &is_null);
  return is_null ? nullptr : DatumGetByteaPCopy(hash);
}

constexpr Tip kNoTip = {.version = 0,
                        .position = 0,
                        .created_at = DT_NOBEGIN,
                        .is_tombstone = false,
                        .hash = nullptr,
                        .in_snapshot = true};

// The newest event of the stream, seen before or not: see last_seen.h.
bool FindNewest(Scan* scan, text* stream_id) {
  for (int64 bound = LastSeen(stream_id);; bound = 0) {
    scan->Again();
    scan->Equal(stream_id);
    scan->MoreThan(bound - 1);
    if (scan->Next(BackwardScanDirection)) return true;
    if (bound == 0) return false;
  }
}

// Looks up, in one table, the tips that have not been found yet; returns how many it has found.
int FindTipsIn(Relation table, const char* index, text** stream_ids, int count, Tip* tips) {
  int found = 0;
  Scan scan;
  scan.Begin(table, index, SnapshotSelf);
  for (int i = 0; i < count; i++) {
    if (tips[i].version > 0) continue;
    CHECK_FOR_INTERRUPTS();
    if (!FindNewest(&scan, stream_ids[i])) continue;
    found++;
    tips[i].version = DatumGetInt64(scan.Get(kVersion));
    NoteSeen(stream_ids[i], tips[i].version);
    tips[i].position = DatumGetInt64(scan.Get(kPosition));
    tips[i].created_at = DatumGetTimestampTz(scan.Get(kCreatedAt));
    tips[i].is_tombstone = pg::View(DatumGetTextPP(scan.Get(kEventType))) == kTombstoneType;
    tips[i].hash = Hash(scan);
    tips[i].in_snapshot = InSnapshot(scan);
  }
  scan.End();
  return found;
}

}  // namespace

Oid FindRelation(const char* name) {
  return get_relname_relid(name, get_namespace_oid("events", false));
}

Oid RelationOid(const char* name) {
  const Oid oid = FindRelation(name);
  if (!OidIsValid(oid)) {
    ereport(ERROR,
            (errcode(ERRCODE_INTERNAL_ERROR), errmsg("relation \"events.%s\" is missing", name),
             errhint("It belongs to the extension \"auren\"; restore it under its name.")));
  }
  return oid;
}

void CopyRow(TupleTableSlot* from, TupleTableSlot* to) {
  slot_getallattrs(from);
  ExecClearTuple(to);
  const TupleDesc columns = to->tts_tupleDescriptor;
  for (int i = 0; i < columns->natts; i++) {
    const bool has = i < from->tts_nvalid && !TupleDescAttr(columns, i)->attisdropped;
    to->tts_values[i] = has ? from->tts_values[i] : Datum{0};
    to->tts_isnull[i] = !has || from->tts_isnull[i];
  }
  ExecStoreVirtualTuple(to);
}

uint64 HashOf(const text* stream_id) {
  const std::string_view id = pg::View(stream_id);
  return hash_bytes_extended(reinterpret_cast<const unsigned char*>(id.data()),
                             static_cast<int>(id.size()), 0);
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
  Oid oid = FindRelation(kArchive.table);
  if (!OidIsValid(oid)) {
    if (!OidIsValid(FindRelation("all_events"))) return nullptr;
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

void FindTips(Relation store, text** stream_ids, int count, Tip* tips) {
  for (int i = 0; i < count; i++) tips[i] = kNoTip;
  if (FindTipsIn(store, kStore.by_version, stream_ids, count, tips) == count) return;
  Relation archive = OpenArchiveIfFilled(AccessShareLock);
  if (archive == nullptr) return;
  FindTipsIn(archive, kArchive.by_version, stream_ids, count, tips);
  table_close(archive, AccessShareLock);
}

Tip FindTip(Relation store, text* stream_id) {
  Tip tip;
  FindTips(store, &stream_id, 1, &tip);
  return tip;
}

bool FindById(Relation store, text* stream_id, const pg_uuid_t* event_id, Row* row) {
  return FindRow(store, &TableNames::by_id, stream_id, event_id, row);
}

bool FindByVersion(Relation store, text* stream_id, int64 version, Row* row) {
  return FindRow(store, &TableNames::by_version, stream_id, version, row);
}

}  // namespace auren::events
