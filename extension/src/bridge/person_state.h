// A person's state: what a decision needs to know of what came before.
//
// It holds the newest settled number of each device and metric (settled: neither pending nor
// calibrating), and the calm count. Its row in neuros.person_states says up to which position it is
// folded; the readings stored behind that position are folded in when it is read. So any connection
// decides alike, and what is not written is not lost.
//
//   LoadStates -> store the readings -> FoldArrivals -> judge -> SaveStates
//
// Invariant: a reading that the row names is still stored under its key, or one behind the row's
// position has taken its place. A delivery that takes such a reading away writes the row anew, from
// what is stored.
//
// REQUIRES, for all three: within an SPI session, under the locks of the persons' streams, each
// arrival of another person.
#pragma once

#include "bridge/arrival.h"

namespace auren::bridge {

// Reads each arrival's `state` as it was before the delivery, by a few statements for all.
void LoadStates(Arrival* arrivals, int count);

// Folds in what the deliveries brought and took away.
void FoldArrivals(Arrival* arrivals, int count);

// Writes the rows that are worth a new version: those of which a value really changed, which are
// older than checkpoint_seconds, or behind which many readings lie.
void SaveStates(const Arrival* arrivals, int count);

}  // namespace auren::bridge
