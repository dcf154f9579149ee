// Events that a consumer has set aside because it cannot digest them. SQL parks them
// (extension/schema/events.sql); here is what polling and acknowledging make of it.
//
// A parked event is not given out. One that is to be retried is given out alone, before what is
// new, until exactly its position is acknowledged: so no acknowledgement can count for an event
// that was unparked behind its consumer's back.
#pragma once

#include "events/subscriptions.h"

namespace auren::events {

struct Parked {
  int64* positions;  // behind the checkpoint, not to be given out; ascending
  int count;
  int64 retry;  // at or before the checkpoint, to be given out again; 0: none
};

Parked FindParked(const Member& member, int64 checkpoint);

// The event at the position, if it was to be retried, has been dealt with.
void ForgetRetried(const Member& member, int64 position);

}  // namespace auren::events
