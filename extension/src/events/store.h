// The store's table as the C++ side sees it: probes by index, and the shape of a
// row. Writing one: events/insert.h.
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

// The columns' numbers, fixed by extension/schema/events.sql.
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
};
inline constexpr int kColumns = kCreatedAt;

// The oid of one of schema events' tables or sequences; XX000 when it is gone.
Oid RelationOid(const char* name);

inline constexpr char kStreamVersionIndex[] = "event_store_stream_version";
inline constexpr char kStreamEventIndex[] = "event_store_stream_event";
inline constexpr char kPositionIndex[] = "idx_event_store_position";
inline constexpr char kCategoryIndex[] = "idx_event_store_category_position";

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
  TimestampTz created_at;
  bool in_snapshot;
};

Relation OpenStore(LOCKMODE lock);

Tip FindTip(Relation store, text* stream_id);
bool FindById(Relation store, text* stream_id, const pg_uuid_t* event_id, Row* row);
bool FindByVersion(Relation store, text* stream_id, int64 version, Row* row);

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
};

// Takes the gate, then draws the next position.
int64 NextPosition();

}  // namespace auren::events
