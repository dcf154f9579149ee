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
#include "events/scan.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "utils/snapmgr.h"
}

namespace auren::events {
namespace {

// One of the two tables, open for moving.
struct Side {
  const TableNames& names;
  Relation table;
};

Side Open(const TableNames& names) {
  return {names, table_open(RelationOid(names.table), RowExclusiveLock)};
}

// What somebody has added would be passed by.
void RequireAsMade(const Side& side) {
  const TriggerDesc* triggers = side.table->trigdesc;
  const bool watched =
      triggers != nullptr && (triggers->trig_delete_before_row || triggers->trig_delete_after_row);
  if (IsAsMade(side.table, side.names) && !watched) return;
  ereport(ERROR,
          (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
           errmsg("table \"events.%s\" has been added to", side.names.table),
           errdetail("Streams move below triggers, constraints, policies and columns of your own, "
                     "which would not be heeded."),
           errhint("Drop what was added, move the streams, and add it again.")));
}

// Under REPEATABLE READ the move must not take along what the transaction cannot see.
void RequireVisible(const Side& from, TupleTableSlot* slot, text* stream_id) {
  if (!IsolationUsesXactSnapshot() || IsOwn(slot)) return;
  RequireInSnapshot(table_tuple_satisfies_snapshot(from.table, slot, GetTransactionSnapshot()),
                    stream_id);
}

// Moves the stream, chunk by chunk: first in, then out, for long values are fetched from the table
// they leave. REQUIRES: its lock is held.
int64 MoveStream(const Side& from, const Side& to, text* stream_id) {
  HeapInsert heap;
  heap.Begin(to.table, HeapInsert::kChunk);
  ItemPointerData leaving[HeapInsert::kChunk];
  int64 moved = 0;
  Scan rows;
  rows.Begin(from.table, from.names.by_version, SnapshotSelf);
  rows.Equal(stream_id);
  bool more = true;
  while (more) {
    int count = 0;
    while (!heap.IsFull() && (more = rows.Next(ForwardScanDirection))) {
      CHECK_FOR_INTERRUPTS();
      RequireVisible(from, rows.slot(), stream_id);
      heap.AddCopy(rows.slot());
      leaving[count++] = rows.slot()->tts_tid;
    }
    heap.Flush();
    for (int i = 0; i < count; i++) {
      simple_table_tuple_delete(from.table, &leaving[i], SnapshotSelf);
    }
    moved += count;
  }
  rows.End();
  heap.End();
  CommandCounterIncrement();
  return moved;
}

// When the stream's newest event was appended; DT_NOEND for an archived or unknown stream.
TimestampTz NewestAt(const Side& store, text* stream_id) {
  const Tip tip = FindTip(store.table, stream_id);
  return tip.version == 0 ? DT_NOEND : tip.created_at;
}

int64 Move(const TableNames& from, const TableNames& to, text* stream_id) {
  CheckStreamId(stream_id);
  LockStreams(&stream_id, 1);
  const Side source = Open(from);
  const Side target = Open(to);
  RequireAsMade(source);
  RequireAsMade(target);
  const int64 moved = MoveStream(source, target, stream_id);
  table_close(target.table, NoLock);
  table_close(source.table, NoLock);
  return moved;
}

// Archives those of the streams that have had no event since `before`; returns how many.
int64 ArchiveStreams(text** stream_ids, int count, TimestampTz before) {
  LockStreams(stream_ids, count);
  const Side store = Open(kStore);
  const Side archive = Open(kArchive);
  RequireAsMade(store);
  RequireAsMade(archive);
  int64 archived = 0;
  for (int i = 0; i < count; i++) {
    // Asked again: somebody may have appended before we had the lock.
    if (NewestAt(store, stream_ids[i]) >= before) continue;
    if (MoveStream(store, archive, stream_ids[i]) > 0) archived++;
  }
  table_close(archive.table, NoLock);
  table_close(store.table, NoLock);
  return archived;
}

}  // namespace
}  // namespace auren::events

AUREN_SQL_FUNCTION(events_archive_stream) {
  using namespace auren::events;
  PG_RETURN_INT64(Move(kStore, kArchive, auren::pg::TextArgument(fcinfo, 0)));
}

AUREN_SQL_FUNCTION(events_restore_stream) {
  using namespace auren::events;
  PG_RETURN_INT64(Move(kArchive, kStore, auren::pg::TextArgument(fcinfo, 0)));
}

// events.archive_streams(p_stream_ids text[], p_before timestamptz), STRICT: for
// archive_older_than.
AUREN_SQL_FUNCTION(events_archive_streams) {
  using namespace auren;
  const pg::Elements ids = pg::ElementsOf(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, "p_stream_ids");
  auto** stream_ids = static_cast<text**>(palloc(sizeof(text*) * Max(ids.count, 1)));
  for (int i = 0; i < ids.count; i++) stream_ids[i] = DatumGetTextPP(ids.values[i]);
  PG_RETURN_INT64(events::ArchiveStreams(stream_ids, ids.count, PG_GETARG_TIMESTAMPTZ(1)));
}
