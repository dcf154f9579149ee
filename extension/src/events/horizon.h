// How far readers of the global order may go without ever missing an event.
//
// Positions are handed out in order but commit in any order: while 105 is there and 103 is not, 103
// may still come. A position is settled when its event is visible, or when whoever drew it has
// ended.
//
//   - A run of consecutive positions is settled as it stands: nothing can come between.
//   - At a hole: read the sequence's head H, then ask who holds the gate. Everybody who drew a
//   position
//     up to H took the gate before, so when all those holders have ended, everything up to H is
//     settled for good: what has not appeared by then never will.
//
// Nobody is waited for longer than 2 ms: holders that are still there are remembered and asked
// after again by the next call. What has been proved is remembered, too: by the connection for its
// life, and by all of them when the library is preloaded (events/settled.h).
//
// A standby cannot ask who holds the gate. There everything up to the highest checkpoint that has
// been replicated is settled (events/checkpoints.h), and the run behind it.
#pragma once

#include "postgres/backend.h"

namespace auren::events {

inline constexpr double kPatienceMs = 2;  // as long as nobody minds

// The highest position known to be settled; a lower one when it is `rows` beyond what was known and
// the caller needs no more. `after`: a position the caller knows to be settled (0: none).
// `patience_ms`: how long to wait for an append that stands in the way of more.
//
// An append of the running transaction itself counts as not settled. Under REPEATABLE READ and
// SERIALIZABLE holes that have not been proved before stay unproved, as on a standby those behind
// the last checkpoint do.
//
// Look at the store with a snapshot taken after this returns: see ReaderSnapshot.
int64 SafePosition(int64 after = 0, int64 rows = PG_INT64_MAX, double patience_ms = kPatienceMs);

// The last position drawn, settled or not. Asks nobody and sees no table.
int64 LastDrawn();

// The snapshot that goes with it: a new one under READ COMMITTED, else the transaction's.
// REQUIRES: the caller unregisters it.
Snapshot ReaderSnapshot();

}  // namespace auren::events
