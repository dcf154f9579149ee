// events.tombstone_stream: the last event of a stream.
#include "events/append.h"
#include "events/insert.h"
#include "events/names.h"
#include "events/place.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
}

namespace auren::events {
namespace {

// The id of the stream's tombstone, if it has one already. REQUIRES: its lock is held.
bool FindTombstone(text* stream_id, pg_uuid_t* event_id) {
  Relation store = OpenStore(AccessShareLock);
  const Tip tip = FindTip(store, stream_id);
  Row row;
  const bool found = tip.is_tombstone && FindByVersion(store, stream_id, tip.version, &row);
  table_close(store, AccessShareLock);
  if (!found) return false;
  RequireInSnapshot(row.in_snapshot, stream_id);
  *event_id = row.event_id;
  return true;
}

pg_uuid_t Tombstone(text* stream_id) {
  CheckStreamId(stream_id);
  LockStreams(&stream_id, 1, "events.tombstone_stream()");
  pg_uuid_t event_id;
  if (FindTombstone(stream_id, &event_id)) return event_id;
  return Append({.stream_id = stream_id,
                 .event_type = pg::Text(kTombstoneType),
                 .event_data = pg::EmptyObject(),
                 .metadata = nullptr,
                 .created_by = nullptr,
                 .event_id = nullptr,
                 .is_tombstone = true},
                kAnyVersion)
      .event_id;
}

}  // namespace
}  // namespace auren::events

AUREN_SQL_FUNCTION(events_tombstone_stream) {
  auto* event_id = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
  *event_id = auren::events::Tombstone(auren::pg::TextArgument(fcinfo, 0));
  PG_RETURN_UUID_P(event_id);
}
