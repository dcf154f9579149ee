// States kept so that a long stream costs only its tail: events.snapshots.
//
// They are a cache. One is taken by whoever had to fold kSnapshotEvery events or more and may
// write; appends take none. Each is named after the reducer that made it (reducer.h) and after the
// version it stands at, so it stays true whatever is appended, archived or registered later. When a
// new one is the newest, those in the newer half of the stream go, so that a stream of n events
// keeps about log2(n), however large its state, and so do those of other reducers.
#pragma once

#include "postgres/backend.h"

extern "C" {
#include "utils/snapshot.h"
}

namespace auren::events {

inline constexpr int64 kSnapshotEvery = 100;  // events

// What a stream amounts to at a version.
struct State {
  int64 version;           // 0: there is none
  TimestampTz updated_at;  // when the event of that version was appended
  Jsonb* state;            // nullptr: SQL NULL, which only a reducer of the user's can make
};

// The newest state kept at or before a version; version 0 when there is none.
State FindSnapshot(text* stream_id, text* reducer, int64 up_to, Snapshot snapshot);

// Keeps the state, unless the transaction may not write or its snapshot is not the newest, somebody
// else is keeping one of the stream, or the transaction has kept many.
void KeepSnapshot(text* stream_id, text* reducer, const State& state);

}  // namespace auren::events
