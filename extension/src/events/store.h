// The store's tables as the C++ side sees them: probes by index, and the shape of a row. Writing
// one: events/insert.h. Reading many: events/walk.h.
//
// There are two tables of one shape: the store, to which events are appended, and the archive, to
// which whole streams are moved (events/archive.cpp). A stream may lie in either, or in both; then
// what is in the archive is older. Probes look into both.
//
// Probes look with SnapshotSelf: what is committed now, plus what this transaction has written,
// also in the running command (which no MVCC snapshot would show). They take no search_path, no
// plan and no new snapshot. Under the stream's lock their answer cannot change.
#pragma once

#include "postgres/backend.h"

extern "C" {
#include "executor/tuptable.h"
#include "utils/rel.h"
}

namespace auren::events {

// The columns' numbers, fixed by extension/schema/events.sql. The last one came with 0.2.0 and
// stands elsewhere when a column of the user's was there first: ask HashColumn.
enum Column : AttrNumber {
  kPosition = 1,
  kEventId,
  kStreamId,
  kVersion,
  kEventType,
  kEventData,
  kMetadata,
  kCreatedBy,
  kCreatedAt,
  kHash,
};
inline constexpr int kColumns = kHash;

// The oid of one of schema events' tables, indexes or sequences; XX000 when it is gone.
Oid RelationOid(const char* name);

// The same; InvalidOid when the schema is of a version that did not have it.
Oid FindRelation(const char* name);

// A table of events and what belongs to it.
struct TableNames {
  const char* table;
  const char* version_check;
  const char* by_version;   // unique (stream_id, version)
  const char* by_id;        // unique (stream_id, event_id)
  const char* by_position;  // (position)
  const char* by_category;  // (category, position)
};
inline constexpr TableNames kStore = {"event_store",
                                      "event_store_version_check",
                                      "event_store_stream_version",
                                      "event_store_stream_event",
                                      "idx_event_store_position",
                                      "idx_event_store_category_position"};
inline constexpr TableNames kArchive = {"event_archive",
                                        "event_archive_version_check",
                                        "event_archive_stream_version",
                                        "event_archive_stream_event",
                                        "idx_event_archive_position",
                                        "idx_event_archive_category_position"};

// The last event of a stream that has been closed for good (events.tombstone_stream).
inline constexpr std::string_view kTombstoneType = "stream_tombstoned";

// What bridge.ingest_batch appends; the only type that idx_*_delivery holds.
inline constexpr std::string_view kDeliveryType = "biometric_received";

// A stored event, copied out of the table into the current memory context.
struct Row {
  pg_uuid_t event_id;
  int64 version;
  int64 position;
  TimestampTz created_at;
  text* event_type;
  Jsonb* event_data;
  bool in_snapshot;  // false: REPEATABLE READ or SERIALIZABLE, and newer than the snapshot
};

// What the next event has to follow.
struct Tip {
  int64 version;  // 0: the stream does not exist
  int64 position;
  TimestampTz created_at;
  bool is_tombstone;
  bytea* hash;  // nullptr: the stream has no chain
  bool in_snapshot;
};

Relation OpenStore(LOCKMODE lock);

// The archive; nullptr while nothing is in it, as is also right for the schema of 0.1.0, which had
// none. To read under a snapshot: take the snapshot first.
Relation OpenArchiveIfFilled(LOCKMODE lock);

// Where the hash stands; 0 in the schema of 0.1.0.
AttrNumber HashColumn(Relation store);

// REQUIRES, for each: the stream's lock is held, for the two tables are asked one after the other.
Tip FindTip(Relation store, text* stream_id);
void FindTips(Relation store, text** stream_ids, int count, Tip* tips);  // quickest in byte order
bool FindById(Relation store, text* stream_id, const pg_uuid_t* event_id, Row* row);
bool FindByVersion(Relation store, text* stream_id, int64 version, Row* row);

// Makes `to` stand for a row of another table of the same columns, whatever either table has behind
// them; it borrows the values. REQUIRES: `to` is a slot that may hold a virtual tuple.
void CopyRow(TupleTableSlot* from, TupleTableSlot* to);

// The 64-bit hash of a stream's id: what locks are taken on and what deals streams out to the
// members of a group. It stays the same everywhere and for ever.
uint64 HashOf(const text* stream_id);

// Whether the running transaction has written the row.
bool IsOwn(TupleTableSlot* slot);

struct NewRow {
  int64 position;
  pg_uuid_t event_id;
  text* stream_id;
  int64 version;
  text* event_type;
  Jsonb* event_data;
  Jsonb* metadata;  // nullptr: NULL
  text* created_by;
  TimestampTz created_at;
  bytea* hash;  // nullptr: NULL
};

// Where positions come from: takes the gate, then draws them, one by one. REQUIRES: while one of
// these is in use no savepoint is rolled back, for that would give the gate up.
class Positions {
 public:
  int64 Next();

 private:
  Oid sequence_ = InvalidOid;  // the gate has not been taken yet
};

// The first position that the running transaction has drawn; PG_INT64_MAX: none.
int64 FirstDrawn();

}  // namespace auren::events
