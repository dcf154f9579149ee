#include "events/snapshots.h"

#include "events/insert.h"
#include "events/scan.h"
#include "events/store.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "access/xlog.h"
#include "storage/bufmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/snapmgr.h"
}

namespace auren::events {
namespace {

constexpr char kTable[] = "snapshots";
constexpr char kByVersion[] = "snapshots_pkey";  // (stream_id, reducer, version)

enum SnapshotColumn : AttrNumber { kStream = 1, kReducer, kAtVersion, kUpdatedAt, kState };

constexpr uint16 kLockClass = 0x4156;  // a neighbour of the streams' own
constexpr int kMostPerTransaction = 100;

// How many the running transaction has kept: each holds a lock to its end, and those are finite.
struct {
  LocalTransactionId transaction;
  int kept;
} current = {InvalidLocalTransactionId, 0};

bool MayWrite() {
  return !XactReadOnly && !RecoveryInProgress() && !IsInParallelMode() &&
         !IsolationUsesXactSnapshot();
}

// One at a time per stream, and nobody waits for it: who comes second needs to keep nothing.
bool TryLock(const text* stream_id) {
  const LocalTransactionId transaction = AUREN_LOCAL_TRANSACTION_ID();
  if (current.transaction != transaction) current = {transaction, 0};
  if (current.kept >= kMostPerTransaction) return false;
  const uint64 key = HashOf(stream_id);
  LOCKTAG tag;
  SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<uint32>(key >> 32), static_cast<uint32>(key),
                       kLockClass);
  if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL) return false;
  current.kept++;
  return true;
}

int64 VersionOf(const Scan& scan) { return DatumGetInt64(scan.Get(kAtVersion)); }

// Deletes those between half the version and the version, and those of reducers that have had their
// day.
void Thin(Relation table, text* stream_id, text* reducer, int64 version) {
  Scan scan;
  scan.Begin(table, kByVersion, SnapshotSelf);
  scan.Equal(stream_id);
  while (scan.Next(ForwardScanDirection)) {
    const bool current = pg::View(DatumGetTextPP(scan.Get(kReducer))) == pg::View(reducer);
    const int64 at = VersionOf(scan);
    if (current && (at <= version / 2 || at == version)) continue;
    // Gone already, by an admin who forgets them all: just as well.
    TM_FailureData failure;
    (void)table_tuple_delete(table, &scan.slot()->tts_tid, GetCurrentCommandId(true), SnapshotSelf,
                             InvalidSnapshot, false, &failure, false);
  }
  scan.End();
}

// The newest up to a version; 0 when there is none.
int64 NewestVersion(Relation table, text* stream_id, text* reducer, int64 up_to) {
  Scan scan;
  scan.Begin(table, kByVersion, SnapshotSelf);
  scan.Equal(stream_id);
  scan.Equal(reducer);
  scan.AtMost(up_to);
  const int64 newest = scan.Next(BackwardScanDirection) ? VersionOf(scan) : 0;
  scan.End();
  return newest;
}

void Insert(Relation table, text* stream_id, text* reducer, const State& state) {
  TupleTableSlot* row = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsVirtual);
  memset(row->tts_isnull, 0, sizeof(bool) * row->tts_tupleDescriptor->natts);
  row->tts_values[kStream - 1] = PointerGetDatum(stream_id);
  row->tts_values[kReducer - 1] = PointerGetDatum(reducer);
  row->tts_values[kAtVersion - 1] = Int64GetDatum(state.version);
  row->tts_values[kUpdatedAt - 1] = TimestampTzGetDatum(state.updated_at);
  row->tts_values[kState - 1] = PointerGetDatum(state.state);
  ExecStoreVirtualTuple(row);
  HeapInsert heap;
  heap.Begin(table, 1);
  heap.AddCopy(row);
  heap.Flush();
  heap.End();
  ExecDropSingleTupleTableSlot(row);
}

}  // namespace

State FindSnapshot(text* stream_id, text* reducer, int64 up_to, Snapshot snapshot) {
  State found = {0, DT_NOBEGIN, nullptr};
  const Oid oid = FindRelation(kTable);
  if (!OidIsValid(oid)) return found;  // the schema of 0.1.0
  Relation table = table_open(oid, AccessShareLock);
  if (RelationGetNumberOfBlocks(table) > 0) {
    Scan scan;
    scan.Begin(table, kByVersion, snapshot);
    scan.Equal(stream_id);
    scan.Equal(reducer);
    scan.AtMost(up_to);
    if (scan.Next(BackwardScanDirection)) {
      found = {VersionOf(scan), DatumGetTimestampTz(scan.Get(kUpdatedAt)),
               DatumGetJsonbPCopy(scan.Get(kState))};
    }
    scan.End();
  }
  table_close(table, AccessShareLock);
  return found;
}

void KeepSnapshot(text* stream_id, text* reducer, const State& state) {
  const Oid oid = FindRelation(kTable);
  if (!OidIsValid(oid) || state.state == nullptr || !MayWrite() || !TryLock(stream_id)) return;
  Relation table = table_open(oid, RowExclusiveLock);
  // Under the lock no one else writes: asked again, for one may have been kept meanwhile.
  if (NewestVersion(table, stream_id, reducer, state.version) != state.version) {
    Insert(table, stream_id, reducer, state);
    const int64 newest = NewestVersion(table, stream_id, reducer, PG_INT64_MAX);
    if (newest == state.version) Thin(table, stream_id, reducer, newest);
  }
  table_close(table, NoLock);
}

}  // namespace auren::events
