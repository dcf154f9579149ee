// Waking connections that wait for somebody else's commit, without NOTIFY (which would serialise
// all commits).
//
// With shared_preload_libraries = 'auren' a condition variable in shared memory is broadcast right
// after the end of a transaction that has said it changes something. When nobody waits that costs
// one look at shared memory, and however many commit there is at most one broadcast in two
// milliseconds: a waiter that looked within them looks again when they are over. Without preload a
// waiter looks every 10 ms.
//
//   for (;;) {
//     pg::BeginLook();
//     if (look()) break;
//     pg::SleepUntilChange(ms);
//   }
//   pg::EndWaiting();
//
// A cancelled or terminated wait needs no cleaning up, and the postmaster's death ends it. A change
// may be missed (COMMIT PREPARED, a standby's replay): never sleep for longer than you can bear.
#pragma once

#include "postgres/backend.h"

namespace auren::pg {

// Asks for the shared memory; to be called once, when the library is loaded.
void InitWaking();

// Says that waiters want to know when the running transaction has ended, either way.
void WakeAtEnd();

void BeginLook();
void SleepUntilChange(long milliseconds);
void EndWaiting();

}  // namespace auren::pg
