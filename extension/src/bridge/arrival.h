// An arrival: a delivery on its way in, whose readings have been read. A round takes many of them
// from step to step together, each of another person: what is done for one is independent of the
// others.
#pragma once

#include "biometrics/reading.h"
#include "bridge/delivery.h"
#include "postgres/backend.h"

namespace auren::bridge {

// How new the newest reading of each metric of the delivery was before the delivery was stored.
struct NewestReading {
  const biometrics::MetricType* metric;
  TimestampTz end;  // DT_NOBEGIN: there is none
};
struct NewestReadings {
  NewestReading* items;
  int count;

  TimestampTz Before(const biometrics::MetricType* metric) const {
    for (int i = 0; i < count; i++) {
      if (items[i].metric == metric) return items[i].end;
    }
    return DT_NOBEGIN;
  }
};

// What the decision was. Empty texts when the mode stayed.
struct Judgement {
  std::string_view from_mode;
  std::string_view to_mode;
  std::string_view trigger;
  double confidence;
};

struct Arrival {
  const Delivery* delivery;
  biometrics::Reading* readings;
  int count;
  text* device;  // the delivery's source
  int64 position;
  NewestReadings newest;  // of no metric: nothing is young enough to decide anything
  Judgement judgement;
};

}  // namespace auren::bridge
