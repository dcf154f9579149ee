// Appending to a stream: the one way in which an event gets into events.event_store, for SQL
// callers (events.append_event and its family) and for the other rooms (bridge, neuros) alike.
//
// Order of work, always: take the stream's lock -> look the id up (a repeat gets its first answer)
// -> refuse a stream that was closed -> compare the expected version -> draw a position behind the
// gate
// -> insert. All arguments are
// palloc'ed and detoasted; nothing here outlives the caller's memory context.
#pragma once

#include "postgres/backend.h"

namespace auren::events {

inline constexpr int64 kAnyVersion = PG_INT64_MIN;  // expected version NULL

struct NewEvent {
  text* stream_id;
  text* event_type;
  Jsonb* event_data;
  Jsonb* metadata;            // nullptr: SQL NULL
  text* created_by;           // nullptr: the session user
  const pg_uuid_t* event_id;  // nullptr: a new UUIDv7

  // Stream id and type are those of another store and are not checked.
  bool names_as_given = false;

  // Closes the stream for good; no other event may have its type.
  bool is_tombstone = false;

  // The stream does not hold the id, as a Lookup has told since its lock was taken, and the caller
  // appends it once: an Appender does not look again.
  bool id_is_new = false;
};

struct Appended {
  pg_uuid_t event_id;
  int64 version;
  int64 position;
  TimestampTz created_at;
  bool was_duplicate;
};

// A stored event, as far as a repeat has to be compared with it.
struct StoredEvent {
  int64 version;
  int64 position;
  text* event_type;
  Jsonb* event_data;
};

// Takes the locks of these streams in key order (64-bit hash of the id, our own lock class), each
// at most once; held to the end of the transaction. More than 1,000 streams: the store lock
// instead. 25006 in a read-only transaction or on a standby, before anything is locked, in the name
// of `function`. REQUIRES: called once, before the first Append of a batch, with all its streams.
void LockStreams(text** stream_ids, int count, const char* function = "events.append()");

// Appends one event. Checks names and sizes (22023, 22004, 54000), id (UA002), that the stream is
// open (UA004), expected version (UA001). Takes the stream's lock itself if need be.
Appended Append(const NewEvent& event, int64 expected_version);

// Whether a stored event is the same as a new one: type and data, byte by byte (metadata and
// created_by are not compared).
bool SameContent(const NewEvent& event, text* stored_type, Jsonb* stored_data);

// Raises 40001 for a row that this transaction's snapshot does not show: what has been committed
// since must not be built upon unseen.
void RequireInSnapshot(bool in_snapshot, text* stream_id);

// Raises UA002 for the event's id.
[[noreturn]] void RefuseId(const NewEvent& event, const char* detail);

}  // namespace auren::events
