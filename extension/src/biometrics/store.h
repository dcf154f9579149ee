// Readings into biometrics.biometric_events, set by set, and the marks on the days they touch.
#pragma once

#include "biometrics/reading.h"
#include "postgres/backend.h"

namespace auren::biometrics {

// The readings of one delivery: whose they are and which event they came with.
struct Brought {
  text* user_id;
  text* device_type;
  std::string_view delivery_id;
  int64 position;
  bool is_first;  // of the person: nothing is stored yet
  const Reading* readings;
  int count;
};

// A delivery's id without the number of its part: "whoop/42#1" is a part of "whoop/42".
std::string_view WithoutPart(std::string_view delivery_id);

// Marks the readings that a later one of the same delivery replaces or deletes: the last one wins.
void MarkSuperseded(Reading* readings, int count);

// Stores the accepted readings of many deliveries, step by step for all of them:
// 1. what `deleted` names goes: a vendor document's readings of the metric, or the one reading;
// 2. a document that comes again loses the readings it had of the metrics it brings, but for those
//    that another part of the same delivery (`#0`, `#1`, ...) brought;
// 3. the rest is inserted or, where a reading is known, takes its place: new ones straight into the
//    heap (biometrics/new_readings.h), the others, and all where a table is not as we made it, by a
//    statement.
// Every day touched is marked stale in biometrics.daily_values, and in analytics.touched_days.
// REQUIRES: each delivery is of another person; after MarkSuperseded, within an SPI session, under
// the locks of the persons' streams.
void StoreReadings(const Brought* deliveries, int count);

}  // namespace auren::biometrics
