// What is stored already, asked before a round's readings are stored: how new it is, and whether
// the readings that come are among it.
#pragma once

#include "bridge/arrival.h"
#include "core/config.h"

namespace auren::bridge {

// The end before which a reading of the delivery is too old to decide anything.
TimestampTz OldestThatDecides(const Delivery& delivery, const core::Config& config);

// Whether the reading may decide: a number that stands and is not older than that.
bool MayDecide(const biometrics::Reading& reading, TimestampTz oldest);

// Fills in each arrival's `newest`, from its state. REQUIRES: after biometrics::MarkSuperseded and
// LoadStates.
void FindNewest(const core::Config& config, Arrival* arrivals, int count);

// Marks the readings that are stored already and come again unchanged: they were judged when they
// first came, so they stand, and fire nothing. REQUIRES: after FindNewest, before the readings are
// stored; within an SPI session, under the locks of the persons' streams.
void MarkKnown(Arrival* arrivals, int count);

}  // namespace auren::bridge
