// events.archive_stream, events.restore_stream and what is behind events.archive_older_than: whole
// streams move between the store and the archive.
//
// Rows are deleted from the one heap and inserted into the other by C, below the triggers that
// refuse a DELETE: there is no setting that would open them, for us or for anybody else. A stream
// moves under its lock, in the caller's transaction; versions, positions, ids and hashes stay as
// they are, and a reader finds each event in exactly one of the two tables, by its snapshot.
#include "events/append.h"
#include "events/insert.h"
#include "events/names.h"
#include "postgres/errors.h"
#include "postgres/values.h"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
}

namespace auren::events {
namespace {

// One of the two tables, open for moving.
struct Side {
  const TableNames* names;
  Relation table;
};

Side Open(const TableNames& names) {
  return {&names, table_open(RelationOid(names.table), RowExclusiveLock)};
}

// What somebody has added would be passed by.
void RequireAsMade(const Side& side) {
  const TriggerDesc* triggers = side.table->trigdesc;
  const bool watched =
      triggers != nullptr && (triggers->trig_delete_before_row || triggers->trig_delete_after_row);
  if (IsAsMade(side.table, *side.names) && !watched) return;
  ereport(ERROR,
          (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
           errmsg("table \"events.%s\" has been added to", side.names->table),
           errdetail("Streams move below triggers, constraints, policies and columns of your own, "
                     "which would not be heeded."),
           errhint("Drop what was added, move the streams, and add it again.")));
}

// A walk over a stream's rows in one table, as they are now, own ones included.
struct Rows {
  Relation index;
  TupleTableSlot* slot;
  IndexScanDesc scan;
};

Rows BeginRows(const Side& from, text* stream_id) {
  Rows rows;
  rows.index = index_open(RelationOid(from.names->by_version), AccessShareLock);
  rows.slot = table_slot_create(from.table, nullptr);
  ScanKeyData key;
  ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid,
                         rows.index->rd_indcollation[0], F_TEXTEQ, PointerGetDatum(stream_id));
  rows.scan = AUREN_INDEX_BEGINSCAN(from.table, rows.index, SnapshotSelf, 1);
  index_rescan(rows.scan, &key, 1, nullptr, 0);
  return rows;
}

void EndRows(const Rows& rows) {
  index_endscan(rows.scan);
  ExecDropSingleTupleTableSlot(rows.slot);
  index_close(rows.index, AccessShareLock);
}

// Under REPEATABLE READ the move must not take along what the transaction cannot see.
void RequireVisible(const Side& from, TupleTableSlot* slot, text* stream_id) {
  if (!IsolationUsesXactSnapshot() || IsOwn(slot)) return;
  RequireInSnapshot(table_tuple_satisfies_snapshot(from.table, slot, GetTransactionSnapshot()),
                    stream_id);
}

// Moves streams from one table to the other. An ERROR in between needs no cleaning up.
class Mover {
 public:
  void Begin(const TableNames& from, const TableNames& to);

  // Moves a stream, chunk by chunk: first in, then out, for long values are fetched from the table
  // they leave. Returns how many events there were. REQUIRES: the stream's lock is held.
  int64 Move(text* stream_id);

  void End();

  Relation from() const { return from_.table; }

 private:
  Side from_;
  Side to_;
  HeapInsert heap_;
};

void Mover::Begin(const TableNames& from, const TableNames& to) {
  from_ = Open(from);
  to_ = Open(to);
  RequireAsMade(from_);
  RequireAsMade(to_);
  heap_.Begin(to_.table, HeapInsert::kChunk);
}

int64 Mover::Move(text* stream_id) {
  ItemPointerData leaving[HeapInsert::kChunk];
  int64 moved = 0;
  const Rows rows = BeginRows(from_, stream_id);
  bool more = true;
  while (more) {
    int count = 0;
    while (!heap_.IsFull() &&
           (more = index_getnext_slot(rows.scan, ForwardScanDirection, rows.slot))) {
      CHECK_FOR_INTERRUPTS();
      RequireVisible(from_, rows.slot, stream_id);
      heap_.AddCopy(rows.slot);
      leaving[count++] = rows.slot->tts_tid;
    }
    heap_.Flush();
    for (int i = 0; i < count; i++) {
      simple_table_tuple_delete(from_.table, &leaving[i], SnapshotSelf);
    }
    moved += count;
  }
  EndRows(rows);
  CommandCounterIncrement();
  return moved;
}

void Mover::End() {
  heap_.End();
  table_close(to_.table, NoLock);
  table_close(from_.table, NoLock);
}

int64 MoveOne(const TableNames& from, const TableNames& to, text* stream_id) {
  LockStreams(&stream_id, 1);
  Mover mover;
  mover.Begin(from, to);
  const int64 moved = mover.Move(stream_id);
  mover.End();
  // A wrong name is told where it finds nothing: streams of the facade have names of their own.
  if (moved == 0) CheckStreamId(stream_id);
  return moved;
}

// Archives those of the streams that have had no event since `before`; returns how many.
int64 ArchiveStreams(text** stream_ids, int count, TimestampTz before) {
  LockStreams(stream_ids, count);
  Mover mover;
  mover.Begin(kStore, kArchive);
  int64 archived = 0;
  for (int i = 0; i < count; i++) {
    // Asked again: somebody may have appended before we had the lock.
    if (FindTip(mover.from(), stream_ids[i]).created_at >= before) continue;
    if (mover.Move(stream_ids[i]) > 0) archived++;
  }
  mover.End();
  return archived;
}

}  // namespace
}  // namespace auren::events

AUREN_SQL_FUNCTION(events_archive_stream) {
  using namespace auren;
  pg::RequireNotNull(fcinfo, 0, "p_stream_id");
  PG_RETURN_INT64(events::MoveOne(events::kStore, events::kArchive, pg::TextArgument(fcinfo, 0)));
}

AUREN_SQL_FUNCTION(events_restore_stream) {
  using namespace auren;
  pg::RequireNotNull(fcinfo, 0, "p_stream_id");
  PG_RETURN_INT64(events::MoveOne(events::kArchive, events::kStore, pg::TextArgument(fcinfo, 0)));
}

// events.archive_streams(p_stream_ids text[], p_before timestamptz), STRICT: what
// archive_older_than calls.
AUREN_SQL_FUNCTION(events_archive_streams) {
  using namespace auren;
  const pg::Elements ids = pg::ElementsOf(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, "p_stream_ids");
  auto** stream_ids = static_cast<text**>(palloc(sizeof(text*) * Max(ids.count, 1)));
  for (int i = 0; i < ids.count; i++) {
    if (ids.is_null[i]) {
      ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                      errmsg("p_stream_ids must not hold a null")));
    }
    stream_ids[i] = DatumGetTextPP(ids.values[i]);
  }
  PG_RETURN_INT64(events::ArchiveStreams(stream_ids, ids.count, PG_GETARG_TIMESTAMPTZ(1)));
}
