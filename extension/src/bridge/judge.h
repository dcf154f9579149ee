// Judging a delivery: its readings become observations, the engine decides, the decision is carried
// out.
#pragma once

#include "biometrics/reading.h"
#include "bridge/delivery.h"
#include "neuros/config.h"
#include "postgres/backend.h"

namespace auren::bridge {

// What came of it. Empty texts when the mode stayed.
struct Judgement {
  std::string_view from_mode;
  std::string_view to_mode;
  std::string_view trigger;
  double confidence;
};

// How new the newest reading of each metric of the delivery was before the delivery was stored.
struct NewestReading {
  const biometrics::MetricType* metric;
  TimestampTz end;  // DT_NOBEGIN: there is none
};
struct NewestReadings {
  NewestReading* items;
  int count;
};

// To be called before the delivery's readings are stored. Empty when none of them is young enough
// to decide anything: then there is nothing to judge.
NewestReadings FindNewest(const Delivery& delivery, const core::Config& config,
                          const biometrics::Reading* readings, int count);

// To be called before they are stored, too. Marks the readings that are stored already and come
// again unchanged: they were judged when they first came, so they stand, and fire nothing.
void MarkKnown(const Delivery& delivery, const NewestReadings& newest,
               biometrics::Reading* readings, int count);

// To be called after they are stored. `position` is the delivery's event's. Marks the readings
// whose z-score is anomalous. REQUIRES: within an SPI session, under the lock of the person's
// stream.
Judgement Judge(const Delivery& delivery, const neuros::ActiveConfig& config,
                const biometrics::Catalogue& catalogue, const NewestReadings& newest,
                int64 position, biometrics::Reading* readings, int count);

}  // namespace auren::bridge
