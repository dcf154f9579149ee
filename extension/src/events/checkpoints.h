// How far subscriptions have come, looked at as a whole.
#pragma once

#include "postgres/backend.h"

extern "C" {
#include "utils/snapshot.h"
}

namespace auren::events {

// The highest position that a subscription stands at, of those the snapshot shows; 0: none.
//
// A subscription is created at, acknowledged up to and reset to settled positions only, so
// everything at or below was settled when it was stored. Whatever had been drawn there had ended by
// then, and its commit was written to the WAL before the subscription's own: a snapshot that shows
// the one shows the other, on a standby, too.
int64 HighestCheckpoint(Snapshot snapshot);

}  // namespace auren::events
