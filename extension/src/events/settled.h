// What has been proved settled, shared by all connections when the library is preloaded: what one
// has found out, the others need not.
//
// Only for whoever looks at the store with a snapshot taken afterwards: an older one need not show
// what was settled since. A read costs a spinlock that is held for one comparison. 64 databases
// have a place; a dropped one keeps it until the server is restarted. Without a place, as without
// preload, nothing is shared and nothing is wrong: each connection knows what it has found out
// itself.
#pragma once

#include "postgres/backend.h"

namespace auren::events {

// Asks for the shared memory; to be called once, when the library is loaded.
void InitSettled();

// The highest position that somebody has proved settled; 0 when nobody has. `sequence`: where this
// database's positions come from; another one's, from before the extension was created anew, do not
// count.
int64 SharedSettled(Oid sequence);

// Tells the others that everything up to the position is settled for good. Lower than what they
// know it changes nothing.
void ShareSettled(Oid sequence, int64 position);

// Takes it all back: the sequence has been set to an earlier position.
void ForgetSettled();

}  // namespace auren::events
