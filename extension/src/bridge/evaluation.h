// An evaluation: an arrival that may decide something, with all the engine is to see of it.
#pragma once

#include "biometrics/baselines.h"
#include "bridge/arrival.h"
#include "core/engine.h"

namespace auren::bridge {

// Where an observation comes from, and which baseline it is held against.
struct Origin {
  std::string_view device;
  const biometrics::MetricType* metric;
  int32 day;                     // the person's local one
  biometrics::Reading* reading;  // of the delivery; nullptr: stored before
};

struct Evaluation {
  Arrival* arrival;
  TimestampTz oldest;  // an older reading is left out
  biometrics::Baselines* baselines;
  core::Observation* observations;
  Origin* origins;  // one for each of them
  int count;
  int capacity;

  core::Observation* Add(const Origin& origin);
};

// Adds what stands from before: the newest reading of each device and metric that is not of the
// delivery, so that low indicators, and the conditions of a rule, can be counted together. Only to
// evaluations to which it can make a difference. REQUIRES: within an SPI session; the delivery's
// readings have been added.
void AddStanding(const core::Config& config, const biometrics::Catalogue& catalogue,
                 Evaluation* evaluations, int count);

}  // namespace auren::bridge
